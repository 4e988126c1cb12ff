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

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
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
	// evaluationTime is the remaining time for evaluating flags.
	evaluationTime time.Duration
	// called reports whether a function of the embedder was called that may have
	// changed the object.
	called, moved, paused bool
	// retried reports whether something failed and is retried.
	retried    bool
	wasStopped *Stop // before this reconcile
	// newRunRequested reports whether the run is over and the token asks for another. If so,
	// before is the state of the old run, and runBegun is the event of the new one.
	newRunRequested bool
	before          *State
	runBegun        *RunBegun
	// nonBlocking is an error that does not hold the run.
	nonBlocking  error
	requeue      bool
	requeueAfter time.Duration
}

// readClock reads the clock. Times are whole seconds.
func (c *reconcile[T]) readClock() {
	c.now = metav1.NewTime(c.o.Now().UTC().Truncate(time.Second))
}

func (c *reconcile[T]) run(ctx context.Context) error {
	token, from, err := c.readToken(ctx)
	if err != nil {
		return err
	}
	var paused bool
	if c.o.Paused != nil {
		if err := c.option("Paused", func() (err error) { paused, err = c.o.Paused(ctx, c.object); return }); err != nil &&
			(c.newRunRequested || !c.state.Done) {
			return err
		}
	}
	var selected string
	begun := c.newRunRequested && !paused
	if begun {
		selected, err = c.runAgain(ctx, token, from)
	} else if selected, err = c.selects(ctx); c.state.Done {
		err = nil // the run is done nevertheless
	}
	if err != nil {
		return err
	}
	resumed, err := c.o.Itineraries.Resume(c.state.Checkpoint, selected)
	if err != nil {
		if paused {
			c.pause()
			return nil
		}
		c.state.resume(c.now)
		return err
	}
	c.m = resumed.Machine
	g := c.m.Graph()
	c.recordSwitchHeld(ctx, resumed.SwitchHeld)
	switch {
	case c.state.Done:
		c.paused = paused
		c.finish()
		return nil
	case c.m.Position().Done: // another controller, or an earlier release, entered this end phase
		c.state.leavePhase()
		c.record(ctx, steps.Snapshot{})
		c.end(ctx)
		return nil
	case paused && (!g.IsCleanup() || c.o.PauseHoldsCleanup):
		if !c.state.PhaseFailed() && !c.newRunRequested {
			c.state.Stopped = nil // the phase and the itinerary are known now
		}
		c.pause()
		return nil
	}
	c.state.resume(c.now)
	c.wasStopped, c.state.Stopped = c.state.Stopped, nil

	visits := c.o.MaxPhases
	if begun && c.state.Phase != "" {
		if err := c.enterAgain(ctx); err != nil {
			return err
		}
		c.moved = true
		visits--
	} else if err := c.resume(ctx, resumed); err != nil {
		return err
	}
	for range visits {
		moved, err := c.step(ctx)
		c.moved = c.moved || moved
		if err != nil || !moved || c.state.Done {
			return err
		}
	}
	c.requeue, c.requeueAfter = true, 0
	return nil
}

// resume prepares the state for the next step, after a switch, a failure or a change
// of the release.
func (c *reconcile[T]) resume(ctx context.Context, resumed machine.Resumption) error {
	g := c.m.Graph()
	switch {
	case resumed.Switched:
		failed, err := c.failed(ctx)
		if err != nil {
			return err
		}
		c.begin(ctx, c.state.Itinerary, c.state.Phase, failed)
	case c.state.PhaseFailed() && !g.IsCleanup():
		return c.unanswered()
	case c.state.PhaseFailed():
		c.m.Finish()
	case resumed.Changed && !c.m.WorkDone():
		// A new release: evaluate what is new, and replan.
		if err := c.refresh(ctx); err != nil {
			return err
		}
		c.record(ctx, steps.Snapshot{Message: c.retryMessage()})
	}
	return nil
}

// selects returns the itinerary that the object asks for.
func (c *reconcile[T]) selects(ctx context.Context) (selected string, err error) {
	err = c.option("Select", func() (err error) { selected, err = c.o.Select(ctx, c.object); return })
	return selected, err
}

// pause holds the run.
func (c *reconcile[T]) pause() {
	c.paused = true
	c.state.pause(c.now)
}

// recordSwitchHeld records the itinerary that the selector names but that is not entered; empty
// if there is none.
func (c *reconcile[T]) recordSwitchHeld(ctx context.Context, switchHeld string) {
	if switchHeld = cut(switchHeld); isRecorded(c.state.SwitchHeld, switchHeld) {
		return
	}
	c.state.SwitchHeld = switchHeld
	if switchHeld != "" {
		c.emit(ctx, SwitchHeld{Itinerary: c.state.Itinerary, Phase: c.state.Phase, Selected: switchHeld, Done: c.state.Done})
	}
}

// stop records why the run cannot continue.
func (c *reconcile[T]) stop(ctx context.Context, err error) {
	c.requeue, c.requeueAfter = false, 0
	c.state.Retry, c.memo.attempts = nil, 0
	text := cut(err.Error())
	if step := c.state.Pipeline.Current(); step != nil {
		step.Message = text
	}
	if was := cmp.Or(c.state.Stopped, c.wasStopped); was != nil && isRecorded(was.Error, text) {
		c.state.Stopped = was
		return
	}
	c.state.Stopped = &Stop{Error: text, Since: c.now}
	c.emit(ctx, RunStopped{Itinerary: c.state.Itinerary, Phase: c.state.Phase, Err: err})
}

// finish cleans the state of a run that is done: nothing is retried.
func (c *reconcile[T]) finish() {
	c.state.Retry, c.state.Stopped, c.state.FlagsEvaluated = nil, nil, nil
}

// end completes the state of a run that has reached its end.
func (c *reconcile[T]) end(ctx context.Context) {
	c.finish()
	if c.state.Result == "" {
		c.state.Result = c.m.Graph().Result()
	}
	c.emit(ctx, RunFinished{Itinerary: c.m.Graph().Name(), Result: c.state.Result, Failures: c.state.FailedPhases,
		CleanupFailures: c.state.FailedInCleanup})
}

// option calls a function of the options.
func (c *reconcile[T]) option(name string, f func() error) error {
	if err := protect(f); err != nil {
		return &optionError{name, err}
	}
	return nil
}

// failed reports whether the itinerary that is being left failed: either one of its
// phases failed, or the object reports a failure. The object is not asked once a
// failure is recorded or a cleanup has begun.
func (c *reconcile[T]) failed(ctx context.Context) (failed bool, err error) {
	if c.state.PhaseFailed() {
		return true, nil
	}
	if c.o.Failed == nil || c.state.FailedPhases+c.state.FailedInCleanup > 0 {
		return false, nil
	}
	if left, err := c.o.Itineraries.Graph(c.state.Itinerary); err == nil && left.IsCleanup() {
		return false, nil
	}
	err = c.option("Failed", func() (err error) { failed, err = c.o.Failed(ctx, c.object); return })
	return failed, err
}

// unanswered returns the error of a failure that the selector does not answer.
func (c *reconcile[T]) unanswered() error {
	f := c.state.Failures[len(c.state.Failures)-1]
	return &UnansweredFailureError{Itinerary: f.Itinerary, Phase: f.Phase, Reasons: f.Reasons}
}

// step calls the handler of the current phase, unless its work is already done, and then
// leaves the phase if it can. It reports whether the run has moved.
func (c *reconcile[T]) step(ctx context.Context) (moved bool, err error) {
	phase := c.m.Position().Phase
	if phase == "" || c.m.WorkDone() { // at the start, or only the transition remains
		return c.leave(ctx)
	}
	result, err := c.call(ctx, phase)
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
	if result.choice != "" {
		if err := c.m.Choose(result.choice); err != nil {
			return false, err
		}
	}
	if result.outcome == done && result.after > 0 {
		c.m.Delay(c.o.Now().Add(result.after))
	}
	return c.leave(ctx)
}

// leave evaluates the flags on which the next transition depends, and enters the next
// phase.
func (c *reconcile[T]) leave(ctx context.Context) (moved bool, err error) {
	from := c.m.Position()
	s, err := c.settle(ctx)
	switch {
	case s.Moved:
		c.entered(ctx, from, s.Transition)
		return true, nil
	case from.Phase == "": // not begun
		if c.state.Itinerary != "" {
			c.state.Checkpoint = c.m.Checkpoint()
		}
	case c.state.PhaseFailed():
		c.state.Checkpoint = c.m.Checkpoint()
	default:
		// Record the work as done, and the facts without the flags that it decided.
		c.record(ctx, steps.Snapshot{Message: c.retryMessage()})
	}
	if err == nil {
		c.delayed(ctx, from.Phase, s.RequeueAfter)
	}
	return false, err
}

// delayed records that the run waits, and requeues it for when it may continue.
func (c *reconcile[T]) delayed(ctx context.Context, phase string, after time.Duration) {
	if c.state.WaitingSince == nil {
		c.state.WaitingSince = c.now.DeepCopy()
	}
	c.requeue, c.requeueAfter = true, after
	c.emit(ctx, PhaseWaiting{Itinerary: c.m.Graph().Name(), Phase: phase, Since: c.state.WaitingSince.Time, RequeueAfter: after})
}

// retryMessage returns the message of the current step while flags are retried; empty
// otherwise.
func (c *reconcile[T]) retryMessage() string {
	if c.state.Retry == nil {
		return ""
	}
	return c.state.Retry.Error
}

// phase returns how a phase of the current itinerary is run.
func (c *reconcile[T]) phase(name string) (Phase[T], error) {
	g := c.m.Graph()
	i, err := g.Lookup(name)
	if err != nil {
		return Phase[T]{}, err
	}
	return c.phaseOptions[g.Name()][i], nil
}

// remaining returns the time until the deadline of the current phase, by the clock as
// it is now.
func (c *reconcile[T]) remaining(deadline time.Duration) time.Duration {
	if deadline == 0 || c.state.Entered == nil {
		return math.MaxInt64
	}
	return c.state.due(deadline).Sub(c.o.Now())
}

// due returns when the current phase, which was entered, reaches a deadline. The
// deadline counts from the end of the second of the entry, since times are whole
// seconds.
func (s *State) due(deadline time.Duration) time.Time {
	paused := time.Duration(s.PausedSeconds) * time.Second
	return s.Entered.Add(time.Second).Add(deadline).Add(paused)
}

// deadline returns when the current phase fails, in whole seconds, rounded up. It is
// nil if the phase has no deadline, has failed, or has done its work.
func (c *reconcile[T]) deadline() *metav1.Time {
	s := &c.state
	if s.Entered == nil || s.Phase == "" || s.Done || s.WorkDone || s.PhaseFailed() {
		return nil
	}
	g, err := c.o.Itineraries.Graph(s.Itinerary)
	if err != nil {
		return nil
	}
	i, err := g.Lookup(s.Phase)
	if err != nil {
		return nil
	}
	deadline := c.phaseOptions[g.Name()][i].Deadline
	if deadline == 0 {
		return nil
	}
	due := metav1.NewTime(s.due(deadline).Add(time.Second - 1).UTC().Truncate(time.Second))
	return &due
}

// lastCallTimeout is the maximum time for the last call of a handler, after the deadline of
// its phase has passed.
const lastCallTimeout = time.Minute

// call runs the handler of a phase within its deadline. Once the deadline has passed,
// it runs the handler a last time; if the work is then not done, the phase fails.
func (c *reconcile[T]) call(ctx context.Context, phase string) (Result, error) {
	options, err := c.phase(phase)
	if err != nil {
		return Result{}, err
	}
	remaining := c.remaining(options.Deadline)
	late := remaining <= 0
	if late {
		remaining = min(options.Deadline, lastCallTimeout)
	}
	hctx := ctx
	if options.Deadline > 0 {
		timeout, cancel := c.o.WithTimeout(ctx, remaining)
		defer cancel()
		hctx = timeout
	}
	c.called = true
	visit := Visit{Itinerary: c.m.Graph().Name(), Phase: phase, Step: c.stepOf(c.m.Position()), Number: c.state.Visit, Facts: c.m.Facts()}
	result, err := handle(hctx, options.Handler, c.object, visit)
	c.readClock() // the time of the handler is not part of the next phase
	if err == nil && result.outcome == undecided {
		err = errors.New("its handler returned neither Done, Wait nor Fail")
	}
	if err == nil && result.choice != "" {
		if err := c.m.MayChoose(result.choice); err != nil {
			if c.m.Graph().IsCleanup() {
				return Fail(err.Error()), nil
			}
			return Result{}, &StopError{Itinerary: visit.Itinerary, Phase: phase, Err: err}
		}
	}
	failed := &HandlerError{Itinerary: c.m.Graph().Name(), Phase: phase, Err: err}
	if ctx.Err() != nil && (err != nil || late && result.outcome == wait) {
		// The controller shuts down: that is neither an attempt nor the last call.
		failed.Err = cmp.Or(err, ctx.Err())
		return Result{}, failed
	}
	if late && (err != nil || result.outcome == wait) {
		reasons := []string{fmt.Sprintf("phase %s was not done within %s", phase, wording.Exact(options.Deadline))}
		switch {
		case err != nil:
			reasons = append(reasons, "the last error: "+err.Error())
		case c.state.Retry != nil:
			reasons = append(reasons, "the last error: "+c.state.Retry.Error)
		case result.message != "":
			reasons = append(reasons, "the last message: "+result.message)
		}
		return Fail(reasons...), nil
	}
	if err == nil {
		return result, nil
	}
	switch action := c.errorAction(visit, err); {
	case action == ActionFail, action == ActionStop && c.m.Graph().IsCleanup():
		return Fail(err.Error()), nil
	case action == ActionStop:
		return Result{}, &StopError{Itinerary: failed.Itinerary, Phase: phase, Err: err}
	}
	attempts, last := c.retry(ctx, RetryHandler, nil, err, options.limits())
	if last {
		return Fail(fmt.Sprintf("phase %s was tried %d times", phase, attempts), "the last error: "+err.Error()), nil
	}
	if remaining := c.remaining(options.Deadline); c.requeueAfter > remaining {
		c.requeueAfter = max(remaining, 0) // in time for the last call
		if c.state.Retry != nil {
			c.state.Retry.Next = metav1.NewTime(c.now.Add(c.requeueAfter).Truncate(time.Second))
		}
	}
	c.state.WaitingSince = nil
	c.record(ctx, steps.Snapshot{Message: c.retryMessage()})
	return Result{}, failed
}

// handle calls a handler, and turns a panic into an error.
func handle[T any](ctx context.Context, h Handler[T], object T, v Visit) (result Result, err error) {
	if h == nil { // passes through
		return Done(), nil
	}
	err = protect(func() (err error) { result, err = h.Handle(ctx, object, v); return })
	return result, err
}

// errorAction returns how to react to an error of a handler.
func (c *reconcile[T]) errorAction(v Visit, err error) (action ErrorAction) {
	if c.o.OnError != nil {
		_ = protect(func() error { action = c.o.OnError(c.object, v, err); return nil })
	}
	return action
}

// writeRetryEvery is how often a retry with an unchanged error is recorded.
const writeRetryEvery = 30 * time.Second

// backoff returns the backoff of flags.
func (c *reconcile[T]) backoff() Backoff {
	if c.o.Backoff != (Backoff{}) {
		return c.o.Backoff
	}
	return defaultBackoff
}

// retry counts a failed attempt, and determines when the next is due. It returns the
// number of attempts, and whether the limits allow no further one. An attempt that was
// made early, because the object changed, does not count.
func (c *reconcile[T]) retry(ctx context.Context, kind RetryKind, flags []string, err error, l limits) (attempts int64, last bool) {
	c.retried = true
	was := c.state.Retry
	if was != nil && was.Kind != kind {
		was = nil
	}
	var due time.Time
	if was != nil {
		attempts, due = was.Attempts, was.Next.Time
	}
	if c.memo.kind == kind && c.memo.visit == c.state.Visit && c.memo.attempts >= max(attempts, 1) {
		attempts, due = c.memo.attempts, c.memo.due
	}
	now := c.o.Now()
	early := attempts > 0 && due.After(now)
	if early {
		c.requeueAfter = min(due.Sub(now), l.backoff.after(attempts))
	} else {
		attempts++
		c.requeueAfter = l.backoff.after(attempts)
	}
	c.requeue = true
	c.memo.kind, c.memo.visit, c.memo.attempts, c.memo.due = kind, c.state.Visit, attempts, now.Add(c.requeueAfter)
	if l.maxAttempts > 0 && attempts >= int64(l.maxAttempts) {
		c.requeue, c.requeueAfter = false, 0
		return attempts, true
	}

	if !c.newRunRequested || c.state.Done { // otherwise it is stopped, and another run will follow
		c.state.Stopped = nil
	}
	text := cut(err.Error())
	if text == "" {
		text = fmt.Sprintf("an error without a text (%T)", err)
	}
	same := was != nil && isRecorded(was.Error, text) && (was.Flags == nil || slices.Equal(was.Flags, flags))
	if same {
		text = was.Error
	}
	if !same || !early && (c.key == "" || l.maxAttempts > 0) ||
		c.now.Sub(was.At.Time) >= writeRetryEvery {
		since := c.now
		if was != nil {
			since = was.Since
		}
		c.state.Retry = &Retry{
			Kind: kind, Flags: flags, Since: since, Attempts: attempts, Error: text,
			At: c.now, Next: metav1.NewTime(c.now.Add(c.requeueAfter).Truncate(time.Second)),
		}
	}
	itinerary, phase := c.state.Itinerary, c.state.Phase
	if c.m != nil {
		itinerary, phase = c.m.Graph().Name(), c.m.Position().Phase
	}
	c.emit(ctx, PhaseRetried{Itinerary: itinerary, Phase: phase, Kind: kind, Flags: flags, Err: err, Attempt: attempts,
		RequeueAfter: c.requeueAfter})
	return attempts, false
}

func (c *reconcile[T]) wait(ctx context.Context, phase string, result Result) {
	if c.state.WaitingSince == nil {
		c.state.WaitingSince = c.now.DeepCopy()
	}
	c.record(ctx, steps.Snapshot{Message: cut(result.message), Progress: cutLines(result.progress, MaxProgress/2, MaxText)})
	c.requeue, c.requeueAfter = result.after != 0, max(result.after, 0)
	if options, err := c.phase(phase); err == nil && options.Deadline > 0 {
		// Come back in time for the last call.
		if remaining := max(c.remaining(options.Deadline), time.Second); !c.requeue || remaining < c.requeueAfter {
			c.requeue, c.requeueAfter = true, remaining
		}
	}
	c.emit(ctx, PhaseWaiting{Itinerary: c.m.Graph().Name(), Phase: phase, Message: result.message, Since: c.state.WaitingSince.Time,
		RequeueAfter: c.requeueAfter})
}

// fail records a failure and switches to the itinerary that the selector then names. In
// a cleanup itinerary, it passes the phase by if that itinerary is the same, or one for
// which a cleanup is not left. Anywhere else, an unchanged selection stops the run.
func (c *reconcile[T]) fail(ctx context.Context, phase string, reasons []string) (passed bool, err error) {
	g := c.m.Graph()
	before := c.state.DeepCopy()
	failure := Failure{Itinerary: g.Name(), Phase: phase, Reasons: cutLines(reasons, MaxFailures/2, MaxText), At: c.now,
		Visit: c.state.Visit}
	c.state.fail(failure, g.IsCleanup())
	c.state.Retry, c.memo.attempts = nil, 0
	c.record(ctx, steps.Snapshot{Failed: true})
	// The selector may depend on the state on the object, or on what OnFail sets.
	err = c.option("Write", func() error { return c.o.Storage.Write(ctx, c.object, *c.state.DeepCopy()) })
	if err == nil && c.o.OnFail != nil {
		err = c.option("OnFail", func() error { return c.o.OnFail(ctx, c.object, failure) })
		if g.IsCleanup() { // which must reach its end
			c.nonBlocking, err = errors.Join(c.nonBlocking, err), nil
		}
	}
	if err != nil {
		c.state = *before // the handler is called again, and OnFail with it
		return false, err
	}
	c.emit(ctx, PhaseFailed{Itinerary: g.Name(), Phase: phase, Reasons: reasons, Took: c.took()})
	selected, err := c.selects(ctx)
	if err != nil {
		return false, err
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
		c.recordSwitchHeld(ctx, selected)
		return true, nil
	}
	if _, err := c.m.Switch(to); err != nil {
		return false, err
	}
	c.begin(ctx, g.Name(), phase, true)
	_, err = c.leave(ctx)
	return false, err
}

// begin records that the run is at the start of an itinerary, after another was left.
func (c *reconcile[T]) begin(ctx context.Context, from, phase string, failed bool) {
	g := c.m.Graph()
	why := SwitchSelected
	if failed {
		why = SwitchFailed
	}
	c.state.Switches = append(c.state.Switches, Switch{From: from, Phase: phase, To: g.Name(), Reason: why, At: c.now})
	if left, err := c.o.Itineraries.Graph(from); failed && (err != nil || !left.IsCleanup()) {
		c.state.failsAt(from, phase)
	}
	c.memo.attempts = 0
	c.state.Checkpoint = c.m.Checkpoint()
	c.state.leavePhase()
	c.state.SwitchHeld = ""
	c.state.Pipeline = steps.Sync(c.state.Pipeline, steps.Snapshot{Plan: c.m.Plan(), Failed: failed}, c.now.Time)
	c.emit(ctx, ItineraryBegun{Itinerary: g.Name(), PreviousItinerary: from, Phase: phase, Failed: failed})
}

// entered records that the machine has left a phase, or the start, for the next phase.
func (c *reconcile[T]) entered(ctx context.Context, from machine.Position, tr machine.Transition) {
	took := c.took()
	if from.Phase == "" {
		c.state.enterItinerary(c.m.Graph())
		if c.state.Itinerary == "" {
			c.emit(ctx, ItineraryBegun{Itinerary: tr.Itinerary})
		}
	} else if !c.state.PhaseFailed() {
		c.emit(ctx, PhaseExited{Itinerary: tr.Itinerary, Phase: from.Phase, Took: took})
	}
	c.state.leavePhase()
	if tr.To.Phase != "" {
		c.state.nextVisit()
	}
	if !tr.To.Done {
		c.state.Entered = c.now.DeepCopy()
	}
	c.record(ctx, steps.Snapshot{})
	if tr.To.Phase != "" {
		c.emit(ctx, PhaseEntered{Itinerary: tr.Itinerary, Phase: tr.To.Phase, Step: c.stepOf(tr.To), Jumped: tr.Jumped})
	}
	if tr.To.Done {
		c.end(ctx)
	}
}

// stepOf returns the step that shows the phase just entered; empty if none does.
func (c *reconcile[T]) stepOf(at machine.Position) string {
	if step := c.state.Pipeline.Current(); step != nil {
		return step.Name
	}
	g := c.m.Graph()
	if i, err := g.Lookup(at.Phase); err == nil && at.Done {
		if k := c.m.Plan().StepOf(i); k >= 0 {
			return g.Steps()[k]
		}
	}
	return ""
}

// took returns the time since the current phase was entered. It is never negative,
// although the clock of another replica may have been ahead.
func (c *reconcile[T]) took() time.Duration {
	if c.state.Entered == nil {
		return 0
	}
	return max(c.now.Sub(c.state.Entered.Time), 0)
}

// record records the position of the machine, and updates the pipeline.
func (c *reconcile[T]) record(ctx context.Context, m steps.Snapshot) {
	under := c.state.Itinerary == c.m.Graph().Name() && c.state.Phase != ""
	before := c.state.Pipeline
	m.Plan = c.m.Plan()
	c.state.Checkpoint = c.m.Checkpoint()
	c.state.Pipeline = steps.Sync(before, m, c.now.Time)
	if !under || c.state.Done {
		return
	}
	if added, removed := steps.Replanned(before, c.state.Pipeline); added != nil || removed != nil {
		c.emit(ctx, PipelineReplanned{Itinerary: c.m.Graph().Name(), Added: added, Removed: removed})
	}
}

// emit passes e to the observers and catches their panics: no observer may stop a run.
func (c *reconcile[T]) emit(ctx context.Context, e Event) {
	for _, o := range c.o.Observers {
		_ = protect(func() error { o.Observe(ctx, c.object, e); return nil })
	}
}
