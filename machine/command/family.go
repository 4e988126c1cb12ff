package command

import (
	"errors"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// family holds itineraries that are defined together. They may be of any size; only
// [machine.Set], which is needed to run them, has a limit.
type family struct {
	definitions []phases.Itinerary // if read from a file
	graphs      []*machine.Graph
	compiled    *machine.Set // of the catalogue, or made by set
}

// newFamily compiles itineraries. The error joins all problems.
func newFamily(definitions ...phases.Itinerary) (*family, error) {
	f := &family{definitions: definitions}
	var errs []error
	for _, it := range definitions {
		g, err := machine.Compile(it)
		if err != nil {
			errs = append(errs, err)
		}
		f.graphs = append(f.graphs, g)
	}
	return f, errors.Join(errs...)
}

// familyOfSet returns the itineraries of a catalogue.
func familyOfSet(set *machine.Set) *family {
	f := &family{compiled: set}
	for _, name := range set.Names() {
		g, _ := set.Graph(name) // never fails: the name is from the set
		f.graphs = append(f.graphs, g)
	}
	return f
}

// names returns the names of the itineraries, in order.
func (f *family) names() []string { return graphNames(f.graphs) }

// graph returns the itinerary of that name.
func (f *family) graph(name string) (*machine.Graph, error) {
	for _, g := range f.graphs {
		if g.Name() == name {
			return g, nil
		}
	}
	return nil, &phases.UnknownItineraryError{Name: name, Known: f.names(), Nearest: wording.Nearest(name, f.names())}
}

// set compiles the itineraries for running them.
func (f *family) set() (*machine.Set, error) {
	if f.compiled == nil {
		var err error
		if f.compiled, err = machine.CompileSet(f.definitions...); err != nil {
			return nil, err
		}
	}
	return f.compiled, nil
}

// vocabulary returns the vocabulary, which the itineraries share.
func (f *family) vocabulary() *phases.Vocabulary { return f.graphs[0].Vocabulary() }
