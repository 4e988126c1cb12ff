package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// reconcile is one call of Reconcile.
type reconcile[T any] struct {
	*Runner[T]
	object T
	key    string
	memo   *memo
	m      *machine.Machine
	state  State
	now    metav1.Time
	// askTime is what remains of the time for evaluating flags.
	askTime time.Duration
	// called reports whether a function of the embedder was called that may
	// have changed the object.
	called, moved, paused bool
	again                 bool
	wasStopped            *Stop // before this reconcile
	after                 time.Duration
}

// readClock reads the clock. Times are whole seconds.
func (c *reconcile[T]) readClock() {
	c.now = metav1.NewTime(c.o.Now().UTC().Truncate(time.Second))
}

func (c *reconcile[T]) run(ctx context.Context) error {
	var selected string
	if err := protect(func() { selected = c.o.Select(c.object) }); err != nil {
		if c.state.Done {
			return nil
		}
		return fmt.Errorf("select an itinerary: %w", err)
	}
	var paused bool
	if c.o.Paused != nil {
		if err := protect(func() { paused = c.o.Paused(c.object) }); err != nil {
			return fmt.Errorf("ask whether the run is paused: %w", err)
		}
	}
	resumed, err := c.o.Itineraries.Resume(c.state.Checkpoint, selected)
	if err != nil {
		if paused {
			c.pause()
			return nil
		}
		return err
	}
	c.m = resumed.Machine
	g := c.m.Graph()
	c.follow(ctx, resumed.NotFollowed)
	switch {
	case c.state.Done:
		c.paused = paused
		return nil
	case paused && (!g.IsCleanup() || c.o.PauseHoldsCleanup):
		c.pause()
		return nil
	}
	c.state.resume(c.now)
	c.wasStopped, c.state.Stopped = c.state.Stopped, nil

	switch {
	case resumed.Switched:
		c.begin(ctx, c.state.Itinerary, c.state.Phase, c.failed())
	case c.state.PhaseFailed() && !g.IsCleanup():
		return c.unanswered()
	case c.state.PhaseFailed():
		c.m.Finish()
	case resumed.Changed:
		// A new release: what is new is evaluated, and the plan made anew.
		if err := c.ask(ctx, newRelease, 0); err != nil {
			return err
		}
		c.keep(ctx, steps.Moment{Message: c.retryMessage()})
	}
	for range c.o.MaxPhases {
		moved, err := c.step(ctx)
		c.moved = c.moved || moved
		if err != nil || !moved || c.state.Done {
			return err
		}
	}
	c.again, c.after = true, 0
	return nil
}

// pause holds the run.
func (c *reconcile[T]) pause() {
	c.paused = true
	c.state.pause(c.now)
}

// follow records which itinerary the selector names in vain; empty if it names
// none.
func (c *reconcile[T]) follow(ctx context.Context, notFollowed string) {
	if notFollowed = cut(notFollowed); notFollowed == c.state.NotFollowed {
		return
	}
	c.state.NotFollowed = notFollowed
	if notFollowed != "" {
		c.emit(ctx, NotFollowed{Itinerary: c.state.Itinerary, Phase: c.state.Phase, Selected: notFollowed, Done: c.state.Done})
	}
}

// stop records why the run cannot go on.
func (c *reconcile[T]) stop(ctx context.Context, err error) {
	c.again, c.after = false, 0
	text := cut(err.Error())
	if was := cmp.Or(c.state.Stopped, c.wasStopped); was != nil && was.Error == text {
		c.state.Stopped = was
		return
	}
	c.state.Stopped = &Stop{Error: text, Since: c.now}
	c.state.Retry = nil
	if step := c.state.Pipeline.Current(); step != nil {
		step.Message = text
	}
	c.emit(ctx, Stopped{Itinerary: c.state.Itinerary, Phase: c.state.Phase, Err: err})
}

// failed reports whether the itinerary that is being left failed.
func (c *reconcile[T]) failed() (failed bool) {
	if c.state.PhaseFailed() {
		return true
	}
	if c.o.Failed != nil {
		_ = protect(func() { failed = c.o.Failed(c.object) })
	}
	return failed
}

// unanswered is the error of a failure that the selector does not answer.
func (c *reconcile[T]) unanswered() error {
	f := c.state.Failures[len(c.state.Failures)-1]
	return &UnansweredFailureError{Itinerary: f.Itinerary, Phase: f.Phase, Reasons: f.Reasons}
}

// step leaves the current phase, if its work is done. It reports whether the
// run has moved.
func (c *reconcile[T]) step(ctx context.Context) (moved bool, err error) {
	phase := c.m.Position().Phase
	if phase == "" { // at the start
		return c.leave(ctx, begins, 0)
	}
	if c.m.WorkDone() {
		return c.leave(ctx, transition, 0)
	}
	result, err := c.call(ctx, phase)
	c.readClock() // the handler may have taken its time, which is not the next phase's
	if err != nil {
		return false, err
	}
	c.state.Retry, c.memo.attempts = nil, 0
	switch result.outcome {
	case wait:
		c.wait(ctx, phase, result)
		return false, nil
	case fail:
		if passed, err := c.fail(ctx, phase, result.reasons); err != nil || !passed {
			return err == nil, err
		}
	}
	c.m.Finish()
	return c.leave(ctx, transition, c.m.Decides())
}

// leave evaluates the flags on which the next transition depends, and enters
// the next phase.
func (c *reconcile[T]) leave(ctx context.Context, why occasion, fresh phases.Flags) (moved bool, err error) {
	if err = c.ask(ctx, why, fresh); err == nil {
		err = c.advance(ctx)
	}
	switch {
	case err == nil:
		return true, nil
	case why == begins: // not begun: all is asked again
	case c.state.PhaseFailed():
		c.state.Checkpoint = c.m.Checkpoint()
	default:
		// The work is recorded as done, and the facts without what it decided.
		c.keep(ctx, steps.Moment{Message: c.retryMessage()})
	}
	return false, err
}

// retryMessage is what the step of the current phase reads while flags are
// retried; empty otherwise.
func (c *reconcile[T]) retryMessage() string {
	if c.state.Retry == nil {
		return ""
	}
	return c.state.Retry.Error
}

// phase returns how a phase of the current itinerary is run.
func (c *reconcile[T]) phase(name string) (Phase[T], error) {
	g := c.m.Graph()
	i, err := g.Find(name)
	if err != nil {
		return Phase[T]{}, err
	}
	return c.how[g.Name()][i], nil
}

// remaining is the time until the deadline of the current phase, by the clock
// as it is now. It counts from the end of the second in which the phase was
// entered, since times are whole seconds.
func (c *reconcile[T]) remaining(deadline time.Duration) time.Duration {
	if deadline == 0 || c.state.Entered == nil {
		return math.MaxInt64
	}
	paused := time.Duration(c.state.PausedSeconds) * time.Second
	due := c.state.Entered.Add(time.Second).Add(deadline).Add(paused)
	return due.Sub(c.o.Now())
}

// lastLook is the longest that a handler may take once the deadline of its
// phase has passed.
const lastLook = time.Minute

// call runs the handler of a phase, within its deadline. Once that has passed,
// it runs once more, and what is not done then has failed.
func (c *reconcile[T]) call(ctx context.Context, phase string) (Result, error) {
	how, err := c.phase(phase)
	if err != nil {
		return Result{}, err
	}
	remaining := c.remaining(how.Deadline)
	late := remaining <= 0
	if late {
		remaining = min(how.Deadline, lastLook)
	}
	hctx := ctx
	if how.Deadline > 0 {
		timeout, cancel := c.o.WithTimeout(ctx, remaining)
		defer cancel()
		hctx = timeout
	}
	c.called = true
	result, err := handle(hctx, how.Handler, c.object)
	if err == nil && result.outcome == undecided {
		err = errors.New("its handler returned neither Done, Wait nor Fail")
	}
	if late && (err != nil || result.outcome == wait) {
		reasons := []string{fmt.Sprintf("phase %s was not done within %s", phase, how.Deadline)}
		switch {
		case err != nil:
			reasons = append(reasons, "the last error: "+err.Error())
		case c.state.Retry != nil:
			reasons = append(reasons, "the last error: "+c.state.Retry.Error)
		case result.message != "":
			reasons = append(reasons, "at last: "+result.message)
		}
		return Fail(reasons...), nil
	}
	if err == nil {
		return result, nil
	}
	attempts := c.retry(ctx, nil, err, how.Backoff)
	if how.MaxAttempts > 0 && attempts >= int64(how.MaxAttempts) {
		c.again, c.after = false, 0
		return Fail(fmt.Sprintf("phase %s was tried %d times", phase, attempts), "the last error: "+err.Error()), nil
	}
	if remaining := c.remaining(how.Deadline); c.after > remaining {
		c.after = max(remaining, 0) // in time for the last look
		if c.state.Retry != nil {
			c.state.Retry.Next = metav1.NewTime(c.now.Add(c.after))
		}
	}
	c.keep(ctx, steps.Moment{Message: c.retryMessage()})
	return Result{}, &HandlerError{Itinerary: c.m.Graph().Name(), Phase: phase, Err: err}
}

// handle calls a handler, and turns a panic into an error.
func handle[T any](ctx context.Context, h Handler[T], object T) (result Result, err error) {
	if h == nil { // passes through
		return Done(), nil
	}
	if panicked := protect(func() { result, err = h.Handle(ctx, object) }); panicked != nil {
		return Result{}, panicked
	}
	return result, err
}

// writeRetryEvery is how often a retry is written down although its error is
// the same.
const writeRetryEvery = 30 * time.Second

// backoff is the backoff of flags.
func (c *reconcile[T]) backoff() Backoff {
	if c.o.Backoff != (Backoff{}) {
		return c.o.Backoff
	}
	return defaultBackoff
}

// retry counts an attempt that failed, of the current handler or of flags, and
// says when the next is due. It returns the number of attempts.
func (c *reconcile[T]) retry(ctx context.Context, flags []string, err error, b Backoff) int64 {
	was := c.state.Retry
	if was != nil && (len(was.Flags) > 0) != (flags != nil) {
		was = nil // something else was tried again
	}
	attempts := int64(0)
	if was != nil {
		attempts = was.Attempts
	}
	if c.memo.visit == c.state.Visit && c.memo.flags == (flags != nil) {
		attempts = max(attempts, c.memo.attempts)
	}
	attempts++
	c.memo.visit, c.memo.flags, c.memo.attempts = c.state.Visit, flags != nil, attempts

	c.again, c.after = true, b.after(attempts)
	text := cut(err.Error())
	limited := false
	itinerary, phase := c.state.Itinerary, c.state.Phase
	if c.m != nil {
		itinerary, phase = c.m.Graph().Name(), c.m.Position().Phase
		if how, err := c.phase(phase); err == nil && flags == nil {
			limited = how.MaxAttempts > 0
		}
	}
	if was == nil || was.Error != text || !slices.Equal(was.Flags, flags) || c.key == "" || limited ||
		c.now.Sub(was.At.Time) >= writeRetryEvery {
		since := c.now
		if was != nil {
			since = was.Since
		}
		c.state.Retry = &Retry{
			Flags: flags, Since: since, Attempts: attempts, Error: text,
			At: c.now, Next: metav1.NewTime(c.now.Add(c.after).Truncate(time.Second)),
		}
	}
	c.emit(ctx, Retried{Itinerary: itinerary, Phase: phase, Flags: flags, Err: err, Attempt: attempts, Again: c.after})
	return attempts
}

func (c *reconcile[T]) wait(ctx context.Context, phase string, result Result) {
	if c.state.WaitingSince == nil {
		c.state.WaitingSince = c.now.DeepCopy()
	}
	c.keep(ctx, steps.Moment{Message: cut(result.message), Progress: cutLines(result.progress, MaxProgress/2)})
	c.again, c.after = result.after != 0, max(result.after, 0)
	if how, err := c.phase(phase); err == nil && how.Deadline > 0 {
		// Come back in time for the last look.
		if remaining := max(c.remaining(how.Deadline), time.Second); !c.again || remaining < c.after {
			c.again, c.after = true, remaining
		}
	}
	c.emit(ctx, Waiting{Itinerary: c.m.Graph().Name(), Phase: phase, Message: result.message, Since: c.state.WaitingSince.Time, Again: c.after})
}

// fail records a failure and switches to the itinerary that the selector names
// then. In a cleanup itinerary it passes the phase by if that is the same, or
// one that a cleanup is not left for; anywhere else the run stops.
func (c *reconcile[T]) fail(ctx context.Context, phase string, reasons []string) (passed bool, err error) {
	g := c.m.Graph()
	failure := Failure{Itinerary: g.Name(), Phase: phase, Reasons: cutLines(reasons, MaxFailures/2), At: c.now, Visit: c.state.Visit}
	c.emit(ctx, Failed{Itinerary: g.Name(), Phase: phase, Reasons: reasons, Took: c.took()})
	c.state.fail(failure, g.IsCleanup())
	c.state.Retry, c.memo.attempts = nil, 0
	c.keep(ctx, steps.Moment{Failed: true})
	// The selector may go by the state on the object, or by what OnFail sets.
	c.called = true
	if err := c.o.Write(c.object, *c.state.DeepCopy()); err != nil {
		return false, fmt.Errorf("write the state: %w", err)
	}
	if c.o.OnFail != nil {
		if err := protect(func() { c.o.OnFail(c.object, failure) }); err != nil {
			return false, fmt.Errorf("OnFail: %w", err)
		}
	}
	var selected string
	if err := protect(func() { selected = c.o.Select(c.object) }); err != nil {
		return false, fmt.Errorf("select an itinerary: %w", err)
	}
	to, err := c.o.Itineraries.Graph(selected)
	if err != nil {
		return false, err
	}
	switch {
	case to == g && g.IsCleanup():
		return true, nil
	case to == g:
		return false, c.unanswered()
	case !g.MayLeaveFor(to):
		c.follow(ctx, selected)
		return true, nil
	}
	if _, err := c.m.Switch(to); err != nil {
		return false, err
	}
	c.begin(ctx, g.Name(), phase, true)
	_, err = c.leave(ctx, begins, 0)
	return false, err
}

// begin is at the start of an itinerary, after another was left.
func (c *reconcile[T]) begin(ctx context.Context, from, phase string, failed bool) {
	g := c.m.Graph()
	why := LeftSelected
	if failed {
		why = LeftFailed
	}
	c.state.Left = append(c.state.Left, LeftItinerary{Itinerary: from, Phase: phase, To: g.Name(), Why: why, At: c.now})
	c.state.enterItinerary(g)
	c.state.Checkpoint = c.m.Checkpoint()
	c.state.leavePhase()
	c.state.FlagsAsked, c.state.NotFollowed = nil, ""
	c.state.Pipeline = steps.Sync(c.state.Pipeline, steps.Moment{Plan: c.m.Plan(), Failed: failed}, c.now.Time)
	c.emit(ctx, Begun{Itinerary: g.Name(), Left: from, Phase: phase, Failed: failed})
}

// advance leaves the current phase, or the start, for the next.
func (c *reconcile[T]) advance(ctx context.Context) error {
	from := c.m.Position()
	took := c.took()
	tr, err := c.m.Advance(ctx)
	if err != nil {
		return err
	}
	if from.Phase != "" && !c.state.PhaseFailed() {
		c.emit(ctx, Left{Itinerary: tr.Itinerary, Phase: from.Phase, Took: took})
	} else if c.state.Itinerary == "" {
		c.state.enterItinerary(c.m.Graph())
		c.emit(ctx, Begun{Itinerary: tr.Itinerary})
	}
	c.state.leavePhase()
	if tr.To.Done {
		c.keep(ctx, steps.Moment{})
		if c.state.Result == "" {
			c.state.Result = c.m.Graph().Result()
		}
		c.state.FlagsAsked = nil
		c.emit(ctx, Finished{Itinerary: tr.Itinerary, Result: c.state.Result, Failures: c.state.FailedPhases, CleanupFailures: c.state.FailedInCleanup})
		return nil
	}
	c.state.nextVisit()
	c.state.Entered = c.now.DeepCopy()
	c.keep(ctx, steps.Moment{})
	entered := Entered{Itinerary: tr.Itinerary, Phase: tr.To.Phase, Jumped: tr.Jumped}
	if step := c.state.Pipeline.Current(); step != nil {
		entered.Step = step.Name
	}
	c.emit(ctx, entered)
	return nil
}

// took is the time since the current phase was entered. Another replica's
// clock may have been ahead.
func (c *reconcile[T]) took() time.Duration {
	if c.state.Entered == nil {
		return 0
	}
	return max(c.now.Sub(c.state.Entered.Time), 0)
}

// keep takes down where the machine stands, and brings the pipeline there.
func (c *reconcile[T]) keep(ctx context.Context, m steps.Moment) {
	under := c.state.Itinerary == c.m.Graph().Name() && c.state.Phase != ""
	before := c.state.Pipeline
	m.Plan = c.m.Plan()
	c.state.Checkpoint = c.m.Checkpoint()
	c.state.Pipeline = steps.Sync(before, m, c.now.Time)
	if !under || c.state.Done {
		return
	}
	if added, removed := steps.Replanned(before, c.state.Pipeline); added != nil || removed != nil {
		c.emit(ctx, Replanned{Itinerary: c.m.Graph().Name(), Added: added, Removed: removed})
	}
}

// emit tells the observers, and catches their panics: nothing that only looks
// on may stop a run.
func (c *reconcile[T]) emit(ctx context.Context, e Event) {
	for _, o := range c.o.Observers {
		_ = protect(func() { o.Observe(ctx, c.object, e) })
	}
}
