package machine

import (
	"errors"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Checkpoint is the part of a run's state that the embedder persists: plain data, stored as JSON
// with its status. A machine can be made from it at any time.
type Checkpoint struct {
	// Itinerary is the itinerary that the run is in. It is empty before the first.
	Itinerary string `json:"itinerary,omitempty"`
	// Phase is the current phase, or the end phase that completed the run. It is empty if the
	// itinerary has not begun, or is done without an end phase.
	Phase string `json:"phase,omitempty"`
	// Step is the step under which the phase was entered, if it may belong to several.
	Step string `json:"step,omitempty"`
	// WorkDone reports whether the work of the phase is done ([Machine.Finish]). If so, only the
	// flags on which the next transition depends remain to be evaluated.
	WorkDone bool `json:"workDone,omitempty"`
	// Choice is the phase that the handler chose as the next one. It is empty if the handler chose
	// none.
	Choice string `json:"choice,omitempty"`
	// NotBefore is the earliest time at which the run may continue after the work of the phase is
	// done ([Machine.Delay]). Nil means no delay.
	NotBefore *metav1.Time `json:"notBefore,omitempty"`
	// FlagsEvaluated is the time of the last evaluation that left flags unknown. It is nil if there
	// are no such flags.
	FlagsEvaluated *metav1.Time `json:"flagsEvaluated,omitempty"`
	// Done reports whether the itinerary has reached its end.
	Done bool `json:"done,omitempty"`
	// Facts holds the flags by name, with the hash of the definition.
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

// DeepCopy returns a copy that shares nothing with the checkpoint. It returns nil if the checkpoint
// is nil.
func (c *Checkpoint) DeepCopy() *Checkpoint {
	if c == nil {
		return nil
	}
	out := new(Checkpoint)
	c.DeepCopyInto(out)
	return out
}

// Checkpoint returns the state of the machine.
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

// Set holds the compiled itineraries of one controller. It is immutable and safe for concurrent
// use.
type Set struct {
	names  []string
	byName map[string]*Graph
}

// CompileSet compiles itineraries that share one vocabulary, so facts carry over from one to
// another. The error joins all problems:
//   - the errors of [Compile];
//   - a [*TooManyEdgesError] if an itinerary has more edges than [MaxEdges], and can therefore be
//     planned but not run;
//   - a [*phases.DefinitionError] with ReasonDuplicateName if two have the same name;
//   - a [*SwitchError] if their vocabularies differ.
func CompileSet(itineraries ...phases.Itinerary) (*Set, error) {
	s := &Set{byName: make(map[string]*Graph, len(itineraries))}
	var errs []error
	for _, it := range itineraries {
		if slices.Contains(s.names, it.Name) {
			errs = append(errs, &phases.DefinitionError{
				Itinerary: it.Name, Index: -1, Reason: phases.ReasonDuplicateName,
				Problem: "there are two of that name; rename one",
			})
		}
		s.names = append(s.names, it.Name)
		if it.Vocabulary != itineraries[0].Vocabulary {
			errs = append(errs, &SwitchError{
				From: itineraries[0].Name, To: it.Name,
				Problem: "their vocabularies differ; build them over one vocabulary",
			})
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

// MustCompileSet is like [CompileSet] but panics on error. It is for package-level tables.
func MustCompileSet(itineraries ...phases.Itinerary) *Set {
	s, err := CompileSet(itineraries...)
	if err != nil {
		panic(err)
	}
	return s
}

// Names returns the names of the itineraries, in the given order.
func (s *Set) Names() []string {
	if s == nil {
		return nil
	}
	return append([]string(nil), s.names...)
}

// Graph returns the named itinerary, or an [*phases.UnknownItineraryError].
func (s *Set) Graph(name string) (*Graph, error) {
	if s != nil && s.byName[name] != nil {
		return s.byName[name], nil
	}
	return nil, &phases.UnknownItineraryError{Name: name, Known: s.Names(), Nearest: wording.Nearest(name, s.Names())}
}

// Resumption is a machine made from a checkpoint, and the changes since.
type Resumption struct {
	*Machine
	// Switched reports whether the machine is at the start of another itinerary than the recorded
	// one, because the object's state selects that. It is never set for a run that is done.
	Switched bool
	// SwitchHeld is the itinerary that the object's state selects, if the machine stays in another
	// one. This is so in a cleanup itinerary that has begun and may not be left for it
	// ([Graph.MayLeaveFor]), and in any itinerary if the run is done. Otherwise it is empty.
	SwitchHeld string
	// Changed reports whether the definition of the itinerary differs from the one under which the
	// facts were recorded, as after an upgrade. New flags are unknown and removed flags are
	// ignored; replan.
	Changed bool
}

// Resume makes a machine from a checkpoint. Selected is the itinerary that the object's state
// selects now. A checkpoint without an itinerary is treated as one of the selected itinerary.
//
// If the selected itinerary is the recorded one, the machine is at the recorded phase, found by its
// current or a former name. A recorded end phase means that the run is done.
//
// If another itinerary is selected, the machine is at its start. The facts carry over, except the
// flags that the recorded phase decides: it was interrupted, so they are unknown. If the recorded
// itinerary no longer has the phase, all flags that any of its phases decides are unknown. If the
// set no longer has the itinerary, all flags are.
//
// A machine stays in the recorded itinerary, and SwitchHeld names the selected one, in two cases. A
// cleanup itinerary with a recorded phase is left only for one that may follow it
// ([Graph.MayLeaveFor]). A run that is done stays done, even if the set no longer has its
// itinerary: the machine's graph then has that name and no phases.
//
// The errors are
//   - [*phases.UnknownItineraryError], if the set does not have the selected itinerary and the run
//     is not done;
//   - [*UnknownPhaseError], if the run is not done, the machine stays in the recorded itinerary, and
//     that does not have the recorded phase;
//   - [*ChoiceError], if the run is not done, the machine stays there, and the phase does not have
//     the recorded choice.
//
// Resume never completes or skips a phase that it cannot find.
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

// undecided returns the flags that become unknown when the named phase is interrupted: those that
// it decides. If the graph does not have it, these are the flags that any phase decides; without a
// graph, all flags.
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

// vocabulary returns the vocabulary that all itineraries of the set share. It is empty if there are
// none.
func (s *Set) vocabulary() *phases.Vocabulary {
	if s != nil {
		for _, g := range s.byName {
			return g.Vocabulary()
		}
	}
	return new(phases.Vocabulary)
}
