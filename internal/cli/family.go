package cli

import (
	"errors"
	"sync"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// family is itineraries that are defined together, each of any size. Those that
// run are a [machine.Set], which has more to refuse.
type family struct {
	definitions []phases.Itinerary
	graphs      []*machine.Graph
}

// newFamily compiles itineraries. The error joins all that is wrong.
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

// names are those of the itineraries, in order.
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

// set compiles the itineraries for running.
func (f *family) set() (*machine.Set, error) {
	if f == builtinFamily() {
		return builtin(), nil
	}
	return machine.CompileSet(f.definitions...)
}

// builtin are the itineraries of MTC, compiled once.
var builtin = sync.OnceValue(func() *machine.Set { return machine.MustCompileSet(mtc.Itineraries()...) })

// builtinFamily are the same, for what does not run them.
var builtinFamily = sync.OnceValue(func() *family {
	f := &family{definitions: mtc.Itineraries()}
	for _, name := range builtin().Names() {
		g, _ := builtin().Graph(name) // one of its own names
		f.graphs = append(f.graphs, g)
	}
	return f
})
