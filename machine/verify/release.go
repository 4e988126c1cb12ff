package verify

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Release is the set of itineraries that one release of a controller runs, compiled
// over one vocabulary. It is immutable and safe for concurrent use.
type Release struct {
	name   string
	flags  *phases.Vocabulary
	graphs []*machine.Graph
	byName map[string]*machine.Graph
}

// NewRelease returns the release of these itineraries, which may be of any size. The
// name, such as a file or a version, identifies the release in texts. The error is a
// [*ReleaseError] if there are no itineraries, if one is nil, if two have the same name,
// or if their vocabularies differ.
func NewRelease(name string, graphs ...*machine.Graph) (*Release, error) {
	r := &Release{name: name, graphs: graphs, byName: make(map[string]*machine.Graph, len(graphs))}
	if len(graphs) == 0 {
		return nil, &ReleaseError{Release: name, Problem: "has no itineraries; give it at least one"}
	}
	for _, g := range graphs {
		switch {
		case g == nil:
			return nil, &ReleaseError{Release: name, Problem: "has an itinerary that is nil; compile it first"}
		case r.byName[g.Name()] != nil:
			return nil, &ReleaseError{Release: name, Itinerary: g.Name(), Problem: "is defined twice; rename one of them"}
		case g.Vocabulary() != graphs[0].Vocabulary():
			return nil, &ReleaseError{Release: name, Itinerary: g.Name(),
				Problem: "has another vocabulary; build all itineraries over one"}
		}
		r.byName[g.Name()] = g
	}
	r.flags = graphs[0].Vocabulary()
	return r, nil
}

// ReleaseOf returns the release of a set, such as the one that a controller runs.
// The error is a [*ReleaseError] if the set is nil or empty.
func ReleaseOf(name string, set *machine.Set) (*Release, error) {
	var graphs []*machine.Graph
	for _, itinerary := range set.Names() {
		g, err := set.Graph(itinerary)
		if err != nil {
			return nil, err
		}
		graphs = append(graphs, g)
	}
	return NewRelease(name, graphs...)
}

// ReleaseOfFile returns the release that a file defines. The errors are those of
// [machine.Compile], and a [*ReleaseError].
func ReleaseOfFile(name string, f *phases.File) (*Release, error) {
	if f == nil {
		return NewRelease(name)
	}
	graphs := make([]*machine.Graph, len(f.Itineraries))
	for i, it := range f.Itineraries {
		g, err := machine.Compile(it)
		if err != nil {
			return nil, fmt.Errorf("release %q: %w", name, err)
		}
		graphs[i] = g
	}
	return NewRelease(name, graphs...)
}

// ReadRelease returns the release that a YAML file defines, such as one that
// [Release.Freeze] has written. The path is its name. The errors are those of the
// file system, of [phases.Load], and of [ReleaseOfFile].
func ReadRelease(path string) (*Release, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := phases.Load(bytes.NewReader(text), path)
	if err != nil {
		return nil, err
	}
	return ReleaseOfFile(path, f)
}

// Name returns the name of the release.
func (r *Release) Name() string { return r.name }

// Vocabulary returns the vocabulary of all its itineraries.
func (r *Release) Vocabulary() *phases.Vocabulary { return r.flags }

// Itineraries returns the names of the itineraries, in order.
func (r *Release) Itineraries() []string {
	names := make([]string, len(r.graphs))
	for i, g := range r.graphs {
		names[i] = g.Name()
	}
	return names
}

// Graph returns the itinerary of that name, or nil if the release has none.
func (r *Release) Graph(itinerary string) *machine.Graph { return r.byName[itinerary] }

// File returns the definitions of the release as data that can be saved.
func (r *Release) File() *phases.File {
	f := &phases.File{Vocabulary: r.flags}
	for _, g := range r.graphs {
		f.Itineraries = append(f.Itineraries, itineraryOf(g))
	}
	return f
}

// itineraryOf returns the definition that a graph was compiled from.
func itineraryOf(g *machine.Graph) phases.Itinerary {
	it := phases.Itinerary{Name: g.Name(), Vocabulary: g.Vocabulary(), Cleanup: g.IsCleanup(), Result: g.Result()}
	for i := range g.Len() {
		it.Phases = append(it.Phases, g.Phase(i))
	}
	return it
}

// Freeze writes the release as YAML, which [ReadRelease] reads back as the same
// definitions, with the same hashes and former names. Freeze each release that you ship,
// to compare the next one with it. The errors are those of [phases.Save], including that
// of w.
func (r *Release) Freeze(w io.Writer) error { return phases.Save(w, r.File()) }

// ReleaseError describes why itineraries do not form a release.
type ReleaseError struct {
	Release   string
	Itinerary string // empty if the problem concerns all
	Problem   string
}

func (e *ReleaseError) Error() string {
	if e.Itinerary == "" {
		return fmt.Sprintf("release %q %s", e.Release, e.Problem)
	}
	return fmt.Sprintf("release %q: itinerary %q %s", e.Release, e.Itinerary, e.Problem)
}
