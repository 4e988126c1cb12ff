package steps

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Moment is a moment of a migration, as [Sync] shows it.
type Moment struct {
	// Plan is the plan from where the migration stands: at the start of an
	// itinerary, in a phase, or done.
	Plan *machine.Plan
	// Failed says that a phase failed. At the start of an itinerary it is why
	// the itinerary before was left; where it is false, that was a cancel or
	// a rollback. In a phase it is that phase, which failed and is passed by
	// all the same.
	Failed bool
	// Message replaces the description of the current phase, for one that
	// waits.
	Message string
	// Progress are lines of detail of the current phase.
	Progress []string
}

// Sync returns the pipeline as it reads at a moment. It is a function of its
// arguments alone, and idempotent: of its own result it makes the same, so
// that a controller that calls it twice writes once. The pipeline given is
// neither changed nor shared. Times are whole seconds.
//
// Steps that have started are kept, in their order, with their start. The step
// of the current phase is started or, where it was completed, opened again.
// Other open steps are completed, unless something ahead belongs to them. At
// the start of an itinerary, what is still open is what the itinerary before
// was interrupted in: it reads Failed or Canceled. Steps that have not started
// follow as the plan shows them; where it is unknown whether one will run, it
// stays if it was listed.
func Sync(p Pipeline, m Moment, now time.Time) Pipeline {
	var s syncing
	s.begin(p, m, now)
	switch at := m.Plan.Current(); {
	case at >= 0:
		s.enter(at)
	case m.Plan.Position().Done:
		s.closeOpen()
	default:
		s.interrupt()
	}
	s.follow()
	return s.out
}

// syncing is the state of one Sync. Steps are looked up by their index in the
// graph, -1 for those that it does not have.
type syncing struct {
	Moment
	graph   *machine.Graph
	now     time.Time
	out     Pipeline      // as it will be
	index   []int32       // of the steps in out
	listed  []bool        // by index: whether the step is in out
	waiting []bool        // by index: whether it was listed and had not started
	times   []metav1.Time // what the timestamps of out point into
}

func (s *syncing) begin(p Pipeline, m Moment, now time.Time) {
	ran := 0
	for i := range p {
		if p[i].Ran() {
			ran++
		}
	}
	s.Moment, s.graph, s.now = m, m.Plan.Graph(), now.UTC().Truncate(time.Second)
	s.out = make(Pipeline, 0, len(p)+1)
	s.times = make([]metav1.Time, 0, 2*ran+2)
	s.index = make([]int32, 0, len(p)+1)
	s.listed = make([]bool, len(s.graph.Steps()))
	s.waiting = make([]bool, len(s.graph.Steps()))
	for i := range p {
		if !p[i].Ran() {
			if k := s.graph.FindStep(p[i].Name); k >= 0 {
				s.waiting[k] = true
			}
			continue
		}
		s.list(p[i], s.graph.FindStep(p[i].Name))
		step := &s.out[len(s.out)-1]
		step.Started, step.Completed = s.copyTime(step.Started), s.copyTime(step.Completed)
		step.Progress = slices.Clone(step.Progress)
		if step.Skipped { // by an earlier release, on a step that ran
			step.Skipped = false
			step.Message = ended(step)
		}
	}
}

// list appends a step.
func (s *syncing) list(step Step, index int) {
	s.out, s.index = append(s.out, step), append(s.index, int32(index))
	if index >= 0 {
		s.listed[index] = true
	}
}

func (s *syncing) copyTime(t *metav1.Time) *metav1.Time {
	if t == nil {
		return nil
	}
	s.times = append(s.times, *t)
	return &s.times[len(s.times)-1]
}

func ended(step *Step) string {
	if step.Failed {
		return MessageFailed
	}
	return MessageCompleted
}

// complete ends a step that is open.
func (s *syncing) complete(step *Step, message string) {
	at := metav1.NewTime(s.now)
	if step.Started != nil && step.Started.After(s.now) {
		at = *step.Started // another replica's clock runs ahead
	}
	step.Completed = s.copyTime(&at)
	step.Phase, step.Message, step.Progress = "", message, nil
}

// closeOpen completes all open steps.
func (s *syncing) closeOpen() {
	for i := range s.out {
		if step := &s.out[i]; step.Open() {
			s.complete(step, ended(step))
		}
	}
}

// interrupt ends the steps that the itinerary before was left in. After a
// failure one of them has failed, and nothing more of the others will run;
// after a cancel or a rollback all of them are interrupted.
func (s *syncing) interrupt() {
	hit := s.out.Current()
	for i := range s.out {
		step := &s.out[i]
		switch {
		case !step.Open():
		case s.Failed && step == hit:
			step.Failed = true
			s.complete(step, MessageFailed)
		case s.Failed || step.Failed:
			s.complete(step, ended(step))
		default:
			s.complete(step, MessageCanceled)
		}
	}
}

// enter shows the phase at index at under its step.
func (s *syncing) enter(at int) {
	var room [64]int32 // keeps itineraries of a usual size off the heap
	under := reported(s.Plan, s.listed, room[:0])
	k := int(under[at])
	current := s.find(k)
	if s.graph.StepIndex(at) != k && (current == nil || !current.Open()) {
		// It rides under the step before it. Facts may have changed since
		// that ran: the step that is open is the one.
		if open := s.out.Current(); open != nil {
			current = open
		}
	}
	if current == nil {
		s.list(Step{Name: s.graph.Steps()[k]}, k)
		current = &s.out[len(s.out)-1]
	}
	if current.Started == nil { // also where an earlier release has lost it
		now := metav1.NewTime(s.now)
		current.Started = s.copyTime(&now)
	}
	phase := s.graph.Phase(at)
	current.Completed = nil
	current.Phase = phase.Name
	current.Progress = slices.Clone(s.Progress)
	current.Failed = current.Failed || s.Failed
	switch {
	case s.Message != "":
		current.Message = s.Message
	case phase.Description != "":
		current.Message = phase.Description
	default:
		current.Message = phase.Name
	}

	ahead := make([]bool, len(s.listed))
	for i := range s.Plan.Each {
		if i != at && s.Plan.Runs(i) != phases.No {
			ahead[under[i]] = true
		}
	}
	for i, k := range s.index {
		step := &s.out[i]
		switch {
		case step == current || !step.Open():
		case k >= 0 && ahead[k]:
			step.Phase, step.Message, step.Progress = "", MessageContinues, nil
		default:
			s.complete(step, ended(step))
		}
	}
}

// find is the listed step of that index, or nil.
func (s *syncing) find(index int) *Step {
	if i := slices.Index(s.index, int32(index)); i >= 0 {
		return &s.out[i]
	}
	return nil
}

// follow lists the steps that have not started.
func (s *syncing) follow() {
	if s.Plan.Position().Done {
		return
	}
	shown := make([]bool, len(s.listed))
	for i := range s.Plan.Each {
		k := s.graph.StepIndex(i)
		if s.graph.Rides(i) || shown[k] || s.listed[k] {
			continue
		}
		switch s.Plan.Runs(i) {
		case phases.Yes:
			shown[k] = true
		case phases.Unknown:
			shown[k] = s.graph.IsCleanup() || s.waiting[k]
		}
	}
	for i := range s.Plan.Each {
		if k := s.graph.StepIndex(i); shown[k] && s.Plan.Runs(i) != phases.No {
			shown[k] = false
			s.list(Step{Name: s.graph.Steps()[k], Message: MessageNotStarted}, k)
		}
	}
}
