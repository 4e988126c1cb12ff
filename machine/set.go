package machine

import (
	"errors"
	"slices"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Checkpoint is what an embedder writes down of a migration: plain data, as
// JSON beside its status. A machine can be made of it at any moment.
type Checkpoint struct {
	// Itinerary is the itinerary that the migration is in; empty before the
	// first.
	Itinerary string `json:"itinerary,omitempty"`
	// Phase is the current phase; empty where it has not begun, or is done.
	Phase string `json:"phase,omitempty"`
	// Done says that the itinerary has come to its end.
	Done bool `json:"done,omitempty"`
	// Facts are the flags by name, with the hash of the definition.
	Facts phases.Record `json:"facts,omitzero"`
}

// DeepCopyInto copies the checkpoint into out; the two share nothing.
func (c *Checkpoint) DeepCopyInto(out *Checkpoint) {
	*out = *c
	c.Facts.DeepCopyInto(&out.Facts)
}

// Checkpoint writes the machine down.
func (m *Machine) Checkpoint() Checkpoint {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.graph.position(m.at)
	return Checkpoint{
		Itinerary: m.graph.Name(), Phase: p.Phase, Done: p.Done,
		Facts: m.graph.Flags().Record(m.facts, m.graph.hash),
	}
}

// Set is the itineraries of one controller, compiled. It is immutable and safe
// for concurrent use.
type Set struct {
	names  []string
	byName map[string]*Graph
}

// CompileSet compiles itineraries that share one vocabulary, so that facts
// carry over from one to another. The error joins all that is wrong: what
// [Compile] returns, a [*phases.DefinitionError] with ReasonDuplicateName where
// two have one name, and a [*SwitchError] where their vocabularies differ.
func CompileSet(itineraries ...phases.Itinerary) (*Set, error) {
	s := &Set{byName: make(map[string]*Graph, len(itineraries))}
	var errs []error
	for _, it := range itineraries {
		if slices.Contains(s.names, it.Name) {
			errs = append(errs, &phases.DefinitionError{Itinerary: it.Name, Index: -1, Reason: phases.ReasonDuplicateName, Problem: "there are two of that name; rename one"})
		}
		s.names = append(s.names, it.Name)
		if it.Flags != itineraries[0].Flags {
			errs = append(errs, &SwitchError{From: itineraries[0].Name, To: it.Name, Problem: "they have different vocabularies; build them over one"})
		}
		g, err := Compile(it)
		if err != nil {
			errs = append(errs, err)
		}
		s.byName[it.Name] = g
	}
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	return s, nil
}

// MustCompileSet is [CompileSet] for package-level tables: it panics where
// that returns an error.
func MustCompileSet(itineraries ...phases.Itinerary) *Set {
	s, err := CompileSet(itineraries...)
	if err != nil {
		panic(err)
	}
	return s
}

// Names returns the names of the itineraries, in the order given.
func (s *Set) Names() []string { return append([]string(nil), s.names...) }

// Graph returns the itinerary of that name, or an [*phases.UnknownItineraryError].
func (s *Set) Graph(name string) (*Graph, error) {
	if g, ok := s.byName[name]; ok {
		return g, nil
	}
	return nil, &phases.UnknownItineraryError{Name: name, Known: s.Names(), Nearest: wording.Nearest(name, s.names)}
}

// Resumed is a machine made of a checkpoint, and what has changed since.
type Resumed struct {
	*Machine
	// Switched says that the object's state selects another itinerary than
	// the recorded one: the machine is at the start of that.
	Switched bool
	// Changed says that the definition of the itinerary is not the one that
	// the facts were found under: a new release. Flags that are new are
	// unknown, flags that are gone are ignored, and the plan is to be made
	// anew.
	Changed bool
}

// Resume makes a machine of a checkpoint. Selected is the itinerary that the
// object's state selects now. Where it is the recorded one, the machine is at
// the recorded phase, found under its present name; where it is another, the
// machine is at the start of that, and the recorded phase is no error whatever
// it is. A phase recorded without an itinerary is one of the selected. A
// migration that is done stays so, in the recorded itinerary.
//
// The errors are [*phases.UnknownItineraryError] and [*UnknownPhaseError]: nothing is
// silently completed.
func (s *Set) Resume(c Checkpoint, selected string) (Resumed, error) {
	recorded := c.Itinerary
	if recorded == "" && c.Phase != "" {
		recorded = selected // a phase is never dropped because its itinerary is missing
	}
	name, p := selected, Position{}
	if c.Done || recorded == selected {
		name, p = recorded, Position{Phase: c.Phase, Done: c.Done}
	}
	g, err := s.Graph(name)
	if err != nil {
		return Resumed{}, err
	}
	m, err := g.Machine(p, g.Flags().Facts(c.Facts))
	if err != nil {
		return Resumed{}, err
	}
	same := name == recorded
	return Resumed{Machine: m, Switched: !same && recorded != "", Changed: same && c.Facts.Hash != g.hash}, nil
}
