package runner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// RunFrom is where a new run begins when the token of an object changes.
type RunFrom string

const (
	// FromStart begins at the first phase of the itinerary that is then selected, with
	// an empty pipeline. It is the default: an empty RunFrom means the same.
	FromStart RunFrom = "Start"
	// FromFailedPhase begins in the phase that failed ([State].FailedAt) or, if none
	// did and the run is stopped in a phase, in that phase. The itinerary that is then
	// selected must have it, under its name or a former one, and not as an end phase.
	// Like any phase in progress, it runs whatever its guard now decides. The steps
	// that had started before it are kept, and the step of the phase is open again.
	FromFailedPhase RunFrom = "FailedPhase"
)

// MaxRuns is the number of past runs that a state keeps, unless it shares the room of
// one object ([Options].MaxState).
const MaxRuns = 8

// maxToken is the size in bytes of JSON up to which a token is kept verbatim: the size
// of a SHA-256 sum.
const maxToken = len("sha256:") + 2*sha256.Size

// PastRun describes a run that another run has followed.
type PastRun struct {
	// Result is the result of the run; empty if the run was stopped before that was
	// decided.
	Result phases.Result `json:"result,omitempty"`
	// Itinerary and Phase are where the run first failed or, if nothing failed, where
	// it ended. Phase is empty if the run was then in no phase.
	Itinerary string `json:"itinerary,omitempty"`
	Phase     string `json:"phase,omitempty"`
	// Started and Ended are the times of the run, as far as they are known.
	Started metav1.Time `json:"started"`
	Ended   metav1.Time `json:"ended"`
}

// FailedAt describes where a run first failed outside cleanup itineraries.
type FailedAt struct {
	Itinerary string `json:"itinerary"`
	Phase     string `json:"phase"`
	// Step is the step that showed the phase. Steps is the number of steps that had
	// started by then, which are the first ones of the pipeline.
	Step  string `json:"step,omitempty"`
	Steps int64  `json:"steps,omitempty"`
}

// RunAgainError is returned if a new run cannot begin in the phase that failed. The
// previous run stays as it is until the object changes.
type RunAgainError struct {
	// Itinerary and Phase describe the failure; empty if no phase failed.
	Itinerary, Phase string
	// Selected is the itinerary that Select names. It does not have the phase, or has
	// it as an end phase.
	Selected string
}

func (e *RunAgainError) Error() string {
	if e.Phase == "" {
		return "the token asks for a new run from the phase that failed, but no phase has failed outside cleanup itineraries; " +
			"ask for a run from the start"
	}
	return fmt.Sprintf("the token asks for a new run from phase %q, which failed in itinerary %q, but Select names itinerary %q, "+
		"which does not have that phase, or has it as an end phase; "+
		"let OnRunAgain clear the fields on which Select depends, or ask for a run from the start", e.Phase, e.Itinerary, e.Selected)
}

// over reports whether the run has ended, which lets another follow.
func (s *State) over() bool { return s.Done || s.Stopped != nil }

// failsAt records where the run failed, if it is the first failure. The phase is the
// current one.
func (s *State) failsAt(itinerary, phase string) {
	if s.FailedAt == nil && phase != "" {
		s.FailedAt = s.at(itinerary, phase)
	}
}

// at describes the present position of the run, which is in the given phase.
func (s *State) at(itinerary, phase string) *FailedAt {
	at := &FailedAt{Itinerary: itinerary, Phase: phase}
	for i := range s.Pipeline {
		if s.Pipeline[i].Ran() {
			at.Steps++
		}
	}
	if step := s.Pipeline.Current(); step != nil {
		at.Step = step.Name
	}
	return at
}

// failedPhase returns where a run from the failed phase begins; nil if nothing has
// failed.
func (s *State) failedPhase() *FailedAt {
	if s.FailedAt == nil && !s.Done && s.Phase != "" {
		return s.at(s.Itinerary, s.Phase)
	}
	return s.FailedAt
}

// next returns the state at the start of the run after this one. Visits continue to be
// counted, since they distinguish visits.
func (s *State) next(token string, now metav1.Time) State {
	next := State{Token: &token, Run: max(s.Run, 1) + 1, RunStarted: &now, Visit: s.Visit}
	for i := range s.Failures {
		next.Visit = max(next.Visit, s.Failures[i].Visit)
	}
	next.Runs = append(slices.Clone(s.Runs), s.past(now))
	return next
}

// past describes the run, which is over.
func (s *State) past(now metav1.Time) PastRun {
	past := PastRun{Result: s.Result, Itinerary: s.Itinerary, Phase: s.Phase}
	if s.FailedAt != nil {
		past.Itinerary, past.Phase = s.FailedAt.Itinerary, s.FailedAt.Phase
	}
	started, ended := s.RunStarted, s.completed()
	for i := range s.Pipeline {
		step := &s.Pipeline[i]
		if s.RunStarted == nil && step.Started != nil && (started == nil || step.Started.Before(started)) {
			started = step.Started
		}
	}
	switch {
	case s.Stopped != nil && !s.Done:
		ended = &s.Stopped.Since
	case ended == nil:
		ended = &now
	}
	if started == nil {
		started = ended
	}
	past.Started, past.Ended = *started, *ended
	return past
}

// completed returns when the last step was completed; nil if none was.
func (s *State) completed() (last *metav1.Time) {
	for i := range s.Pipeline {
		if at := s.Pipeline[i].Completed; at != nil && (last == nil || last.Before(at)) {
			last = at
		}
	}
	return last
}

// pipeline returns the pipeline of a run that begins in the failed phase, made from
// that of the run before. It keeps the steps that had started by then. Of these only
// the step of the phase had failed; it is open again.
func (f *FailedAt) pipeline(before steps.Pipeline) steps.Pipeline {
	kept := before[:min(f.Steps, int64(len(before)))].DeepCopy()
	for i := range kept {
		step := &kept[i]
		step.Failed = false
		switch {
		case step.Name == f.Step:
			step.Phase, step.Completed, step.Message = "", nil, steps.MessageContinues
		case step.Completed != nil:
			step.Message = steps.MessageCompleted
		}
	}
	return kept
}

// readToken sets c.newRunRequested if the run is over and the token asks for another. It records the
// first token.
func (c *reconcile[T]) readToken(ctx context.Context) (token string, from RunFrom, err error) {
	over := c.state.over()
	if c.o.Token == nil || !over && c.state.Token != nil {
		return "", "", nil
	}
	if err = c.option("Token", func() (err error) { token, from, err = c.o.Token(ctx, c.object); return }); err != nil {
		c.newRunRequested = over // until the token is known
		return "", "", err
	}
	if cutTo(token, maxToken) != token { // compare the token in the form in which it is kept
		sum := sha256.Sum256([]byte(token))
		token = "sha256:" + hex.EncodeToString(sum[:])
	}
	if c.state.Token == nil {
		c.state.Token = &token
	}
	c.newRunRequested = over && *c.state.Token != token
	return token, from, nil
}

// runAgain begins a new run, and returns the selected itinerary. On error the state is
// unchanged.
func (c *reconcile[T]) runAgain(ctx context.Context, token string, from RunFrom) (selected string, err error) {
	next := c.state.next(token, c.now)
	var failed *FailedAt
	switch from {
	case "", FromStart:
		from = FromStart
	case FromFailedPhase:
		if failed = c.state.failedPhase(); failed == nil {
			return "", &RunAgainError{}
		}
		next.Pipeline = failed.pipeline(c.state.Pipeline)
	default:
		return "", &optionError{"Token", fmt.Errorf("it returned RunFrom %q; let it return FromStart or FromFailedPhase", from)}
	}

	// The selector may depend on the state on the object, or on what OnRunAgain clears.
	c.called = true
	past := next.Runs[len(next.Runs)-1]
	if err := c.option("Write", func() error { return c.o.Storage.Write(ctx, c.object, *next.DeepCopy()) }); err != nil {
		return "", err
	}
	if c.o.OnRunAgain != nil {
		if err := c.option("OnRunAgain", func() error { return c.o.OnRunAgain(ctx, c.object, past) }); err != nil {
			return "", err
		}
	}
	if selected, err = c.selects(ctx); err != nil {
		return "", err
	}
	g, err := c.o.Itineraries.Graph(selected)
	if err != nil {
		return "", err
	}
	if failed != nil {
		i, err := g.Lookup(failed.Phase)
		if err != nil || g.IsEnd(i) {
			return "", &RunAgainError{Itinerary: failed.Itinerary, Phase: failed.Phase, Selected: selected}
		}
		next.Checkpoint = machine.Checkpoint{Itinerary: selected, Phase: g.Phase(i).Name, Step: failed.Step}
	}
	c.before, c.state = c.state.DeepCopy(), next
	c.runBegun = &RunBegun{Run: next.Run, From: from, Itinerary: selected, Phase: next.Phase, Previous: past}
	if failed == nil {
		c.memo.attempts = 0
		c.emit(ctx, *c.runBegun)
	}
	return selected, nil
}

// enterAgain enters the phase in which a run from the failed phase begins.
func (c *reconcile[T]) enterAgain(ctx context.Context) error {
	began := c.o.Now()
	evaluation, err := c.m.Evaluate(ctx, c.settleOptions())
	c.evaluated(ctx, evaluation, began)
	if err != nil {
		return err
	}
	g := c.m.Graph()
	plan := c.m.Plan()
	if awaits := plan.Matters() &^ plan.Decides(); awaits != 0 && !g.IsCleanup() {
		// The run has not begun: as at the start of an itinerary, all flags are
		// evaluated again.
		names := g.Vocabulary().Names(awaits)
		err := &machine.UnknownFlagsError{Itinerary: g.Name(), At: c.m.Position(), Flags: names, Err: evaluation.Err()}
		c.state = *c.before
		c.retry(ctx, RetryFlags, names, err, limits{backoff: c.backoff()})
		return err
	}
	c.settled()
	c.emit(ctx, *c.runBegun)
	c.state.nextVisit()
	c.state.Entered = c.now.DeepCopy()
	c.state.Checkpoint = c.m.Checkpoint()
	c.state.Pipeline = steps.Sync(c.state.Pipeline, steps.Snapshot{Plan: c.m.Plan(), NewRun: true}, c.now.Time)
	at := c.m.Position()
	c.emit(ctx, PhaseEntered{Itinerary: c.state.Itinerary, Phase: at.Phase, Step: c.stepOf(at)})
	return nil
}
