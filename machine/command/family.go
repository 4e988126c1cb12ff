package command

import (
	"errors"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// family is itineraries that are defined together, each of any size. Those that
// run are a [machine.Set], which has more to refuse.
type family struct {
	definitions []phases.Itinerary // of a file
	graphs      []*machine.Graph
	compiled    *machine.Set // of the catalogue, or once they are run
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

// familyOfSet are the itineraries of a catalogue.
func familyOfSet(set *machine.Set) *family {
	f := &family{compiled: set}
	for _, name := range set.Names() {
		g, _ := set.Graph(name) // one of its own names
		f.graphs = append(f.graphs, g)
	}
	return f
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
	if f.compiled == nil {
		var err error
		if f.compiled, err = machine.CompileSet(f.definitions...); err != nil {
			return nil, err
		}
	}
	return f.compiled, nil
}

// vocabulary is that of the itineraries: one for all that are defined together.
func (f *family) vocabulary() *phases.Vocabulary { return f.graphs[0].Vocabulary() }
