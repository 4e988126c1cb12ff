package machine

import (
	"errors"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Checkpoint is what an embedder writes down of a run: plain data, as
// JSON beside its status. A machine can be made of it at any moment.
type Checkpoint struct {
	// Itinerary is the itinerary that the run is in; empty before the
	// first.
	Itinerary string `json:"itinerary,omitempty"`
	// Phase is the current phase, or the end phase by which the run is done. It is
	// empty if the itinerary has not begun, or is done without an end phase.
	Phase string `json:"phase,omitempty"`
	// Step is the step under which the phase was entered, if it may belong to
	// several.
	Step string `json:"step,omitempty"`
	// WorkDone means that the work of the phase is done ([Machine.Finish]), and
	// that only the flags on which the next transition depends are still to be
	// evaluated.
	WorkDone bool `json:"workDone,omitempty"`
	// Choice is the phase that the handler of the phase chose to go on with; empty
	// if it chose none.
	Choice string `json:"choice,omitempty"`
	// NotBefore is the time before which the run does not go on, once the work of
	// the phase is done ([Machine.Delay]); nil if there is none.
	NotBefore *metav1.Time `json:"notBefore,omitempty"`
	// FlagsEvaluated is when flags were last evaluated in vain; nil if there is no
	// flag that could not be known.
	FlagsEvaluated *metav1.Time `json:"flagsEvaluated,omitempty"`
	// Done means that the itinerary has come to its end.
	Done bool `json:"done,omitempty"`
	// Facts are the flags by name, with the hash of the definition.
	// +optional
	Facts phases.Record `json:"facts,omitzero"`
}

// DeepCopyInto copies the checkpoint into out; the two share nothing.
func (c *Checkpoint) DeepCopyInto(out *Checkpoint) {
	*out = *c
	out.NotBefore = c.NotBefore.DeepCopy()
	out.FlagsEvaluated = c.FlagsEvaluated.DeepCopy()
	c.Facts.DeepCopyInto(&out.Facts)
}

// DeepCopy copies the checkpoint; the copy shares nothing with it. It is nil if
// the checkpoint is.
func (c *Checkpoint) DeepCopy() *Checkpoint {
	if c == nil {
		return nil
	}
	out := new(Checkpoint)
	c.DeepCopyInto(out)
	return out
}

// Checkpoint writes the machine down.
func (m *Machine) Checkpoint() Checkpoint {
	if !m.lock() {
		return Checkpoint{}
	}
	defer m.mu.Unlock()
	p := m.graph.position(m.point)
	return Checkpoint{
		Itinerary: m.graph.Name(), Phase: p.Phase, Step: p.Step, WorkDone: m.finished, Choice: p.Choice, Done: p.Done,
		NotBefore: recorded(m.notBefore), FlagsEvaluated: recorded(m.flagsEvaluated),
		Facts: m.graph.Vocabulary().Record(m.facts, m.graph.hash),
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
// [Compile] returns, a [*TooManyEdgesError] if an itinerary has more edges than
// [MaxEdges], so that it can be planned but not run, a [*phases.DefinitionError]
// with ReasonDuplicateName if two have one name, and a [*SwitchError] if their
// vocabularies differ.
func CompileSet(itineraries ...phases.Itinerary) (*Set, error) {
	s := &Set{byName: make(map[string]*Graph, len(itineraries))}
	var errs []error
	for _, it := range itineraries {
		if slices.Contains(s.names, it.Name) {
			errs = append(errs, &phases.DefinitionError{Itinerary: it.Name, Index: -1, Reason: phases.ReasonDuplicateName, Problem: "there are two of that name; rename one"})
		}
		s.names = append(s.names, it.Name)
		if it.Vocabulary != itineraries[0].Vocabulary {
			errs = append(errs, &SwitchError{From: itineraries[0].Name, To: it.Name, Problem: "they have different vocabularies; build them over one"})
		}
		g, err := Compile(it)
		if err == nil {
			err = g.checkEdges()
		}
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
func (s *Set) Names() []string {
	if s == nil {
		return nil
	}
	return append([]string(nil), s.names...)
}

// Graph returns the itinerary of that name, or an [*phases.UnknownItineraryError].
func (s *Set) Graph(name string) (*Graph, error) {
	if s != nil && s.byName[name] != nil {
		return s.byName[name], nil
	}
	return nil, &phases.UnknownItineraryError{Name: name, Known: s.Names(), Nearest: wording.Nearest(name, s.Names())}
}

// Resumption is a machine made of a checkpoint, and what has changed since.
type Resumption struct {
	*Machine
	// Switched reports that the object's state selects another itinerary than
	// the recorded one, and that the machine is at the start of that. It is
	// never set for a run that is done.
	Switched bool
	// SwitchHeld is the itinerary that the object's state selects if the
	// machine stays in another: in a cleanup itinerary that has begun and may
	// not be left for it ([Graph.MayLeaveFor]), or in any if the run is done.
	// Otherwise it is empty.
	SwitchHeld string
	// Changed reports that the definition of the itinerary is not the one that
	// the facts were found under: a new release. Flags that are new are
	// unknown, flags that are gone are ignored; replan.
	Changed bool
}

// Resume makes a machine of a checkpoint. Selected is the itinerary that the
// object's state selects now. A checkpoint that has no itinerary is one of the
// selected.
//
// If the selected itinerary is the recorded one, the machine is at the recorded
// phase, found under its present name. A recorded end phase means that the run is
// done. If the selected itinerary is another, the machine is at the
// start of that. The facts carry over, except what the recorded phase decides,
// which was left in the middle: that is unknown from then on. If the recorded
// itinerary no longer has the phase, what any phase of it decides is unknown;
// if the set no longer has the itinerary, everything is.
//
// Two things are not left for another itinerary, which Resumption.SwitchHeld then
// names: a cleanup itinerary whose recorded phase is not empty, except for one
// that may follow it ([Graph.MayLeaveFor]), and a run that is done. That is
// done in the recorded itinerary, even if the set no longer has it: the
// machine's graph then is one of that name without phases.
//
// The errors are [*phases.UnknownItineraryError], if the set does not have the
// selected itinerary and the run is not done, and, if the machine stays in the
// recorded itinerary, [*UnknownPhaseError], if that does not have the recorded
// phase, and [*ChoiceError], if the phase does not have the recorded choice:
// nothing is silently completed.
func (s *Set) Resume(c Checkpoint, selected string) (Resumption, error) {
	recorded := c.Itinerary
	if recorded == "" && (c.Phase != "" || c.Done) {
		recorded = selected // a phase is never dropped because its itinerary is missing
	}
	if c.Done {
		g, err := s.Graph(recorded)
		if err != nil {
			g = newGraph(phases.Itinerary{Name: recorded, Vocabulary: s.vocabulary()})
		}
		return g.resume(c, selected)
	}
	to, err := s.Graph(selected)
	if err != nil {
		return Resumption{}, err
	}
	if recorded == selected {
		return to.resume(c, selected)
	}
	from := s.byName[recorded] // nil if the set does not have it
	if from != nil {
		if i, ok := from.byName[c.Phase]; ok && from.nodes[i].end {
			return from.resume(c, selected)
		}
	}
	if from != nil && c.Phase != "" && !from.MayLeaveFor(to) {
		return from.resume(c, selected)
	}
	facts := to.Vocabulary().Facts(c.Facts)
	var fresh phases.Flags
	if c.Phase != "" {
		decides := from.undecided(c.Phase)
		facts = facts.Forget(decides)
		if from != nil { // otherwise all is unknown
			fresh = decides
		}
	}
	m := &Machine{graph: to, facts: facts, point: point{at: start, step: -1}, fresh: fresh}
	return Resumption{Machine: m, Switched: recorded != ""}, nil
}

// resume makes a machine that stays in the recorded itinerary.
func (g *Graph) resume(c Checkpoint, selected string) (Resumption, error) {
	p := Position{Phase: c.Phase, Step: c.Step, Done: c.Done}
	if c.WorkDone {
		p.Choice = c.Choice
	}
	m, err := g.NewMachine(p, g.Vocabulary().Facts(c.Facts))
	if err != nil {
		return Resumption{}, err
	}
	m.finished = c.WorkDone && m.at != start && m.at != g.done()
	r := Resumption{Machine: m, Changed: c.Facts.Hash != g.hash}
	m.flagsEvaluated = read(c.FlagsEvaluated)
	if m.at != start && m.at != g.done() {
		m.notBefore = read(c.NotBefore)
	}
	if m.finished {
		if r.Changed { // the phase may decide more in this release
			m.facts = m.facts.Forget(g.decides(m.at))
		}
		if decides := g.decides(m.at); decides&m.facts.Known() == 0 { // none has been evaluated
			m.fresh = decides
		}
	}
	if selected != g.Name() {
		r.SwitchHeld = selected
	}
	return r, nil
}

// undecided are the flags that become unknown when the phase of that name is
// left in the middle: those that it decides; if the graph does not have it,
// those that any phase decides; without a graph, all.
func (g *Graph) undecided(phase string) (decides phases.Flags) {
	if g == nil {
		return ^phases.Flags(0)
	}
	if i, ok := g.byName[phase]; ok {
		return g.nodes[i].decides
	}
	for i := range g.nodes {
		decides |= g.nodes[i].decides
	}
	return decides
}

// vocabulary is the one that all itineraries of the set share: an empty one if
// there are none.
func (s *Set) vocabulary() *phases.Vocabulary {
	if s != nil {
		for _, g := range s.byName {
			return g.Vocabulary()
		}
	}
	return new(phases.Vocabulary)
}
