package steps

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
)

// Snapshot is the state of a run for which [Sync] updates a pipeline.
type Snapshot struct {
	// Plan is the plan from the run's position: at the start of an itinerary, in a phase, or done.
	// Without a plan of an itinerary, Sync changes nothing.
	Plan *machine.Plan
	// Failed reports whether a phase failed. At the start of an itinerary, this is the reason why
	// the previous itinerary was left; if false, the reason was a cancel or a rollback. In a phase,
	// that phase failed; a cleanup itinerary continues even so.
	Failed bool
	// NewRun reports whether a new run begins in the current phase: a completed step is reopened if
	// a phase ahead belongs to it.
	NewRun bool
	// Message replaces the description of the current phase, for example while it waits or is
	// retried.
	Message string
	// Progress replaces the progress of the current step. If empty, the step keeps its progress.
	Progress []string
}

// Sync returns the pipeline for the state m of a run. It depends only on its arguments and is
// idempotent: applied to its own result it returns the same, so a controller that calls it twice
// writes once. The given pipeline is neither changed nor shared. Times are whole seconds.
//
// Steps that have started keep their order and start time. The step of the current phase is started or,
// if it was completed, reopened. Other open steps are completed, unless a phase ahead may belong to
// them. If an end phase completed the run, its step is completed, and started if it was not.
//
// At the start of an itinerary, steps still open are those in which the previous itinerary was
// left. After a failure the step of the failed phase reads Failed and the others Completed; after a
// cancel or a rollback all read Canceled. Steps that have not started follow as the plan shows
// them. If it is unknown whether a step will run, it is kept if it was listed; a cleanup
// itinerary lists it in any case, since it runs a phase whose guard is unknown.
//
// Sync also repairs what another release or an edit left in the pipeline. A completed step has no
// phase and reads Failed if it failed, Canceled if it read so, and Completed otherwise. Entries
// with the same name are merged, in the place of the first that has started: with the earliest
// start, failed if one of them failed, and, if all that started are completed, completed at the
// latest end. Entries without a name are dropped, and so are skipped ones that have not started.
func Sync(p Pipeline, m Snapshot, now time.Time) Pipeline {
	if m.Plan.Graph() == nil {
		return p.DeepCopy()
	}
	graph := m.Plan.Graph()
	n := len(graph.Steps())
	indices := make([]int32, n+len(p)+n)
	s := syncing{
		Snapshot: m, graph: graph, now: now.UTC().Truncate(time.Second),
		place: indices[:n:n], index: indices[n:],
	}
	s.begin(p)
	if position := m.Plan.Position(); position.Done {
		s.end(position.Phase)
		return s.out
	}
	var room [usualPhases]reached // keeps itineraries of common size off the heap
	ahead := reaches(m.Plan, room[:0])
	if at := m.Plan.Current(); at >= 0 {
		s.enter(at, ahead)
	} else {
		s.interrupt()
	}
	s.follow(ahead)
	return s.out
}

// usualPhases is the number of phases for which there is room on the stack.
const usualPhases = 64

// syncing is the state of one Sync. Steps are looked up by their index in the graph, which is -1 if
// the graph does not have them.
type syncing struct {
	Snapshot
	graph  *machine.Graph
	now    time.Time
	out    Pipeline       // the new pipeline
	index  []int32        // the index of each step in out, with room for more
	place  []int32        // by index: the position of the step in out, counted from 1, or one of the values below
	others map[string]int // the positions, counted from 1, of steps that the graph does not have
	times  []metav1.Time  // the timestamps to which out points
}

// Positions of steps that are not in out. Steps that were listed and had not started are waiting,
// and all others nowhere.
const (
	waiting int32 = -1
	nowhere int32 = 0
)

func (s *syncing) begin(p Pipeline) {
	steps, next := s.graph.Steps(), 0
	s.out = make(Pipeline, 0, max(len(p), len(steps)/2))
	for i := range p {
		k := next
		if k >= len(steps) || steps[k] != p[i].Name { // steps usually come in order
			k = s.graph.StepIndex(p[i].Name)
		}
		next = k + 1
		switch {
		case p[i].Name == "": // names no step, and an API server refuses it
		case p[i].Ran():
			s.add(&p[i], k)
		case k >= 0 && !p[i].Skipped && s.place[k] == nowhere:
			s.place[k] = waiting
		}
	}
	s.times = make([]metav1.Time, 0, 2*len(s.out)+2)
	for i := range s.out {
		step := &s.out[i]
		step.Started, step.Completed = s.copyTime(step.Started), s.copyTime(step.Completed)
		step.Progress = slices.Clone(step.Progress)
		step.Skipped = false
		if step.Completed != nil {
			message := ended(step)
			if !step.Failed && step.Message == MessageCanceled {
				message = MessageCanceled
			}
			step.Phase, step.Message = "", message
		}
	}
}

// add lists a step that has started. If its name is already listed, it merges the two.
func (s *syncing) add(step *Step, index int) {
	if index >= 0 {
		if at := s.place[index]; at > 0 {
			s.out[at-1].join(*step)
			return
		}
	} else {
		if at := s.others[step.Name]; at > 0 {
			s.out[at-1].join(*step)
			return
		}
		if s.others == nil {
			s.others = make(map[string]int)
		}
		s.others[step.Name] = len(s.out) + 1
	}
	s.list(*step, index)
}

// list appends a step.
func (s *syncing) list(step Step, index int) {
	s.index[len(s.out)] = int32(index)
	s.out = append(s.out, step)
	if index >= 0 {
		s.place[index] = int32(len(s.out))
	}
}

// join merges another started entry with the step's name into s.
func (s *Step) join(other Step) {
	if other.supersedes(s) {
		*s, other = other, *s
	}
	if len(s.Progress) == 0 {
		s.Progress = other.Progress
	}
	s.Failed = s.Failed || other.Failed
	if s.Started.IsZero() || !other.Started.IsZero() && other.Started.Before(s.Started) {
		s.Started = other.Started
	}
}

// supersedes reports whether s, rather than before, is the current state of the step that both
// describe. An open entry supersedes a completed one; of two open ones, the one with a phase wins,
// and of two completed ones, the one completed last.
func (s *Step) supersedes(before *Step) bool {
	switch open, was := s.Open(), before.Open(); {
	case open && was:
		return s.Phase != "" || before.Phase == ""
	case open || was:
		return open
	}
	return !s.Completed.Before(before.Completed)
}

// copyTime returns a copy of a time, or nil if it is not set.
func (s *syncing) copyTime(t *metav1.Time) *metav1.Time {
	if t.IsZero() {
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

// complete completes an open step. Its progress is kept.
func (s *syncing) complete(step *Step, message string) {
	at := metav1.NewTime(s.now)
	if step.Started != nil && step.Started.After(s.now) {
		at = *step.Started // another replica's clock is ahead
	}
	step.Completed = s.copyTime(&at)
	step.Phase, step.Message = "", message
}

// end completes all open steps, and the step of the end phase that completed the run, which starts
// and ends now.
func (s *syncing) end(phase string) {
	i, err := s.graph.Lookup(phase)
	if err == nil && s.graph.IsEnd(i) {
		if k := s.Plan.StepOf(i); k >= 0 && s.find(k) == nil {
			now := metav1.NewTime(s.now)
			s.list(Step{Name: s.graph.Steps()[k], Started: s.copyTime(&now)}, k)
		}
	}
	for i := range s.out {
		if step := &s.out[i]; step.Open() {
			s.complete(step, ended(step))
		}
	}
}

// interrupt completes the steps in which the previous itinerary was left. After a failure one of
// them has failed, and the others are finished; after a cancel or a rollback all of them are
// interrupted.
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
func (s *syncing) enter(at int, ahead []reached) {
	shown := make([]bool, len(s.place))
	report(s.Plan, ahead, s.place, shown)
	own := s.Plan.StepOf(at)
	k := own
	for _, r := range ahead {
		if r.phase == at {
			k = int(r.under)
			break
		}
	}
	current := s.find(k)
	if !shown[own] && (current == nil || !current.Open()) {
		// The phase rides under the step before it. Facts may have changed since that step ran, so
		// an open step takes precedence.
		if open := s.out.Current(); open != nil {
			current = open
		}
	}
	if current == nil {
		s.list(Step{Name: s.graph.Steps()[k]}, k)
		current = s.find(k)
	}
	if current.Started == nil { // even if an earlier release lost it
		now := metav1.NewTime(s.now)
		current.Started = s.copyTime(&now)
	}
	phase := s.graph.Phase(at)
	current.Completed = nil
	current.Phase = phase.Name
	current.Failed = current.Failed || s.Failed
	if len(s.Progress) > 0 {
		current.Progress = slices.Clone(s.Progress)
	}
	switch {
	case s.Message != "":
		current.Message = s.Message
	case phase.Description != "":
		current.Message = phase.Description
	default:
		current.Message = phase.Name
	}

	comes := make([]bool, len(s.place)) // steps to which a phase ahead may belong
	for i := range ahead {
		r := &ahead[i]
		if r.phase == at || r.under < 0 {
			continue
		}
		comes[r.under] = true
		if r.under == r.step {
			r.eachStep(s.Plan, func(k int, _ bool) { comes[k] = true })
		}
	}
	for i := range s.out {
		step, k := &s.out[i], s.index[i]
		switch {
		case step == current || !step.Open() && !s.NewRun:
		case k >= 0 && comes[k]:
			step.Phase, step.Completed, step.Message = "", nil, MessageContinues
		case !step.Open():
		default:
			s.complete(step, ended(step))
		}
	}
}

// find returns the listed step with that index, or nil.
func (s *syncing) find(index int) *Step {
	if at := s.place[index]; at > 0 {
		return &s.out[at-1]
	}
	return nil
}

// follow lists the steps that have not started: those that are certain in the order of [Visible],
// and the others where they may be reached first.
func (s *syncing) follow(ahead []reached) {
	const maybe, certainly = 1, 2
	shown := make([]uint8, len(s.place)) // zero: not shown, or listed
	for i := range ahead {
		r := &ahead[i]
		if r.rides {
			continue
		}
		r.eachStep(s.Plan, func(k int, certain bool) {
			switch place := s.place[k]; {
			case place != waiting && place != nowhere:
			case certain:
				shown[k] = certainly
			case place == waiting || s.graph.IsCleanup() && !s.graph.IsEnd(r.phase):
				shown[k] = max(shown[k], maybe)
			}
		})
	}
	for i := range ahead {
		ahead[i].eachStep(s.Plan, func(k int, certain bool) {
			if shown[k] == maybe || shown[k] == certainly && certain {
				shown[k] = 0
				s.list(Step{Name: s.graph.Steps()[k], Message: MessageNotStarted}, k)
			}
		})
	}
}
