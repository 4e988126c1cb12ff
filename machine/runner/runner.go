package runner

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// Runner runs migrations. It is immutable and safe for concurrent use, as far
// as the embedder's functions are; it keeps nothing of a migration.
type Runner[T any] struct {
	o   Options[T]
	how map[string][]Phase[T] // by itinerary and the index of the phase
}

// New makes a runner. It refuses options in which something is missing, a
// phase without a handler included, with an [*OptionsError].
func New[T any](o Options[T]) (*Runner[T], error) {
	how, err := o.check()
	if err != nil {
		return nil, err
	}
	o.MaxPhases = max(o.MaxPhases, 1)
	if o.AskTimeout == 0 {
		o.AskTimeout = DefaultAskTimeout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.WithTimeout == nil {
		o.WithTimeout = context.WithTimeout
	}
	return &Runner[T]{o: o, how: how}, nil
}

// Outcome is what came of a reconcile.
type Outcome struct {
	// State is the state of the migration now.
	State State
	// Changed says that State differs from what was read. It has been written
	// on the object; write the object to the cluster, also where there is an
	// error beside it.
	Changed bool
	// Again says to reconcile again once the object is written, and After,
	// where it is not 0, to do so after that long. Without Again the
	// migration waits for the controller's watches, is paused, or is done.
	Again bool
	After time.Duration
	// Done says that the migration is done, Paused that it is paused.
	Done, Paused bool
}

// HandlerError is an error of a handler, to be tried again. The outcome beside
// it says after how long, where the phase has a backoff.
type HandlerError struct {
	Itinerary, Phase string
	Err              error
}

func (e *HandlerError) Error() string {
	return fmt.Sprintf("itinerary %q: phase %q: %v", e.Itinerary, e.Phase, e.Err)
}

// Unwrap returns what the handler returned.
func (e *HandlerError) Unwrap() error { return e.Err }

// Reconcile moves a migration on: it calls the handler of the current phase
// and, where that is done, asks the flags that the phase decides and enters
// the next phase. It never sleeps and writes to no cluster; it writes the
// state on the object.
//
// An error is to be tried again, with two exceptions: a
// [*machine.UnknownPhaseError] and a [*phases.UnknownItineraryError] stay
// until somebody mends the object or the release. Where flags could not be
// asked, the error wraps their [*phases.FlagError], and the state is as it
// was; in an itinerary that runs what it does not know, that is no error.
func (r *Runner[T]) Reconcile(ctx context.Context, object T) (out Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = Outcome{}, &phases.PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	was, err := r.o.Read(object)
	if err != nil {
		return Outcome{}, fmt.Errorf("read the state: %w", err)
	}
	if r.o.Paused != nil && r.o.Paused(object) {
		return Outcome{State: was, Paused: true, Done: was.Done}, nil
	}
	resumed, err := r.o.Itineraries.Resume(was.Checkpoint, r.o.Select(object))
	if err != nil {
		return Outcome{State: was}, err
	}
	c := &reconcile[T]{Runner: r, object: object, m: resumed.Machine}
	c.tick()
	was.DeepCopyInto(&c.state)
	err = c.run(ctx, resumed)

	out = Outcome{State: c.state, Again: c.again, After: c.after, Done: c.state.Done}
	if !equality.Semantic.DeepEqual(was, c.state) {
		if werr := r.o.Write(object, c.state); werr != nil {
			return Outcome{State: was}, errors.Join(err, fmt.Errorf("write the state: %w", werr))
		}
		out.Changed = true
	}
	return out, err
}

// reconcile is one call of Reconcile.
type reconcile[T any] struct {
	*Runner[T]
	object T
	m      *machine.Machine
	state  State
	now    metav1.Time
	again  bool
	after  time.Duration
}

// tick looks at the clock. Times are whole seconds.
func (c *reconcile[T]) tick() { c.now = metav1.NewTime(c.o.Now().UTC().Truncate(time.Second)) }

func (c *reconcile[T]) run(ctx context.Context, resumed machine.Resumed) error {
	switch {
	case c.state.Done:
		return nil
	case resumed.Switched:
		c.begin(ctx, c.state.Itinerary, c.state.Phase, c.failed())
	case resumed.Changed:
		// A new release: what is new is asked, and the plan made anew.
		if err := c.ask(ctx, 0); err != nil {
			return err
		}
		c.keep(ctx, steps.Moment{})
	}
	for range c.o.MaxPhases {
		moved, err := c.step(ctx)
		if err != nil || !moved || c.state.Done {
			return err
		}
	}
	c.again = true
	return nil
}

// failed says whether the itinerary that is being left failed.
func (c *reconcile[T]) failed() bool {
	if n := len(c.state.Failures); n > 0 {
		if last := c.state.Failures[n-1]; last.Itinerary == c.state.Itinerary && last.Phase == c.state.Phase {
			return true
		}
	}
	return c.o.Failed != nil && c.o.Failed(c.object)
}

// step leaves the current phase, if its work is done. It reports whether the
// migration has moved.
func (c *reconcile[T]) step(ctx context.Context) (moved bool, err error) {
	at := c.m.Position()
	if at.Phase == "" { // at the start
		if err := c.ask(ctx, 0); err != nil {
			return false, err
		}
		return true, c.advance(ctx)
	}
	result, err := c.call(ctx, at.Phase)
	c.tick() // the handler may have taken its time, which is not the next phase's
	if err != nil {
		return false, err
	}
	switch result.outcome {
	case wait:
		c.wait(ctx, at.Phase, result)
		return false, nil
	case fail:
		switched, err := c.fail(ctx, at.Phase, result.reasons)
		if err != nil {
			return false, err
		}
		if switched {
			return true, c.enterFirst(ctx)
		}
	}
	if err := c.ask(ctx, c.m.Decides()); err != nil {
		return false, err
	}
	return true, c.advance(ctx)
}

// enterFirst enters the first phase of the itinerary that was switched to. It
// has begun whether or not its flags can be asked now.
func (c *reconcile[T]) enterFirst(ctx context.Context) error {
	if err := c.ask(ctx, 0); err != nil {
		return err
	}
	return c.advance(ctx)
}

// call runs the handler of a phase, within the phase's deadline.
func (c *reconcile[T]) call(ctx context.Context, phase string) (Result, error) {
	g := c.m.Graph()
	i, err := g.Find(phase)
	if err != nil {
		return Result{}, err
	}
	how := c.how[g.Name()][i]
	late := Fail(fmt.Sprintf("phase %s did not come to its end within %s", phase, how.Deadline))
	hctx := ctx
	if how.Deadline > 0 {
		left := how.Deadline
		if c.state.Entered != nil {
			left -= c.o.Now().Sub(c.state.Entered.Time)
		}
		if left <= 0 {
			return late, nil
		}
		var cancel context.CancelFunc
		hctx, cancel = c.o.WithTimeout(ctx, left)
		defer cancel()
	}
	result, err := handle(hctx, how.Handler, c.object)
	switch {
	case err == nil && result.outcome == undecided:
		err = errors.New("its handler returned neither Done, Wait nor Fail")
	case err == nil:
		return result, nil
	case hctx.Err() != nil && ctx.Err() == nil:
		return late, nil
	}
	c.retry(ctx, g.Name(), phase, how.Backoff, err)
	return Result{}, &HandlerError{Itinerary: g.Name(), Phase: phase, Err: err}
}

// handle calls a handler, and turns a panic into an error.
func handle[T any](ctx context.Context, h Handler[T], object T) (result Result, err error) {
	if h == nil { // passes through
		return Done(), nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = &phases.PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	return h.Handle(ctx, object)
}

func (c *reconcile[T]) retry(ctx context.Context, itinerary, phase string, b Backoff, err error) {
	if b.Initial > 0 {
		c.state.Attempts++
		c.again, c.after = true, b.after(c.state.Attempts)
	}
	c.emit(ctx, Retried{Itinerary: itinerary, Phase: phase, Err: err, Again: c.after})
}

func (c *reconcile[T]) wait(ctx context.Context, phase string, result Result) {
	if c.state.WaitingSince == nil {
		c.state.WaitingSince = c.now.DeepCopy()
	}
	c.state.Attempts = 0
	g := c.m.Graph()
	c.keep(ctx, steps.Moment{Message: result.message, Progress: result.progress})
	c.again, c.after = result.after > 0, result.after
	if i, err := g.Find(phase); err == nil {
		// Come back in time for the deadline.
		if d := c.how[g.Name()][i].Deadline; d > 0 && c.state.Entered != nil {
			left := max(d-c.o.Now().Sub(c.state.Entered.Time), time.Second)
			if !c.again || left < c.after {
				c.again, c.after = true, left
			}
		}
	}
	c.emit(ctx, Waiting{Itinerary: g.Name(), Phase: phase, Message: result.message, Since: c.state.WaitingSince.Time, Again: c.after})
}

// fail records a failure and switches to the itinerary that the selector names
// then, if that is another. If it is the same, the phase is passed by.
func (c *reconcile[T]) fail(ctx context.Context, phase string, reasons []string) (switched bool, err error) {
	g := c.m.Graph()
	failure := Failure{Itinerary: g.Name(), Phase: phase, Reasons: slices.Clone(reasons), At: c.now}
	known := c.known(failure)
	if !known {
		c.emit(ctx, Failed{Itinerary: g.Name(), Phase: phase, Reasons: reasons, Took: c.took()})
		c.state.Failures = append(c.state.Failures, failure)
	}
	// The selector may go by the state on the object, or by what OnFail sets.
	if err := c.o.Write(c.object, *c.state.DeepCopy()); err != nil {
		return false, fmt.Errorf("write the state: %w", err)
	}
	if c.o.OnFail != nil {
		c.o.OnFail(c.object, failure)
	}
	to, err := c.o.Itineraries.Graph(c.o.Select(c.object))
	if err != nil {
		return false, err
	}
	if to == g {
		c.keep(ctx, steps.Moment{Failed: true})
		return false, nil
	}
	if _, err := c.m.Switch(to); err != nil {
		return false, err
	}
	c.begin(ctx, g.Name(), phase, true)
	return true, nil
}

// known says whether this failure is recorded already: where flags could not
// be asked after it, the handler is called again and fails once more.
func (c *reconcile[T]) known(f Failure) bool {
	n := len(c.state.Failures)
	if n == 0 || c.state.Entered == nil {
		return false
	}
	last := c.state.Failures[n-1]
	return last.Itinerary == f.Itinerary && last.Phase == f.Phase && !last.At.Before(c.state.Entered)
}

// begin is at the start of an itinerary, after another was left.
func (c *reconcile[T]) begin(ctx context.Context, left, phase string, failed bool) {
	c.state.Checkpoint = c.m.Checkpoint()
	c.state.Entered, c.state.WaitingSince, c.state.Attempts = nil, nil, 0
	c.state.Pipeline = steps.Sync(c.state.Pipeline, steps.Moment{Plan: c.m.Plan(), Failed: failed}, c.now.Time)
	c.emit(ctx, Begun{Itinerary: c.m.Graph().Name(), Left: left, Phase: phase, Failed: failed})
}

// ask asks what is not known, and anew what the phase has decided. In an
// itinerary that waits, a flag that matters and could not be asked is an
// error, and the facts stay as they were.
func (c *reconcile[T]) ask(ctx context.Context, decided phases.Flags) error {
	g, was := c.m.Graph(), c.m.Facts()
	known := was.Forget(decided)
	if known.Known().Has(g.Reads()) {
		return nil
	}
	if g.IsCleanup() && c.m.Position().Phase != "" && decided&g.Reads() == 0 && !c.hangs() {
		return nil // it was asked when the itinerary began, in vain
	}
	answer, err := c.answer(ctx, known)
	if err != nil {
		return err
	}
	c.emitAsked(ctx, answer)
	c.m.SetFacts(answer.Facts)
	if open := c.m.Matters(answer.Facts); open != 0 && !g.IsCleanup() {
		c.m.SetFacts(was)
		err := answer.Err()
		if err == nil {
			err = errors.New("no source answers " + fmt.Sprint(g.Flags().Names(open)))
		}
		return fmt.Errorf("itinerary %q at %s: %w", g.Name(), c.m.Position(), err)
	}
	return nil
}

// answer asks what is not known of these facts.
func (c *reconcile[T]) answer(ctx context.Context, known phases.Facts) (phases.Answer, error) {
	g := c.m.Graph()
	ctx, cancel := c.o.WithTimeout(ctx, c.o.AskTimeout)
	defer cancel()
	sources, err := c.o.Sources(ctx, c.object)
	if err == nil {
		return sources.Ask(ctx, phases.Question{Known: known, Read: g.Reads(), Matters: c.m.Matters}), nil
	}
	err = fmt.Errorf("sources of flags: %w", err)
	if !g.IsCleanup() {
		return phases.Answer{}, fmt.Errorf("itinerary %q at %s: %w", g.Name(), c.m.Position(), err)
	}
	// The way out goes on without.
	a := phases.Answer{Facts: known, Asked: g.Reads() &^ known.Known()}
	for _, name := range g.Flags().Names(a.Asked) {
		a.Errors = append(a.Errors, &phases.FlagError{Flag: name, Err: err})
	}
	return a, nil
}

// hangs says whether it hangs on an unknown flag which phase is next.
func (c *reconcile[T]) hangs() bool {
	next, end := c.m.Available()
	return len(next) > 1 || len(next) == 1 && end
}

func (c *reconcile[T]) emitAsked(ctx context.Context, answer phases.Answer) {
	flags := c.m.Graph().Flags()
	failed := map[string]error{}
	for _, e := range answer.Errors {
		failed[e.Flag] = e.Err
	}
	for flag := range answer.Asked.Each {
		name := flags.Names(flag)[0]
		c.emit(ctx, Asked{Itinerary: c.m.Graph().Name(), Flag: name, Value: answer.Facts.Of(flag), Err: failed[name]})
	}
}

// advance leaves the current phase, or the start, for the next.
func (c *reconcile[T]) advance(ctx context.Context) error {
	from := c.m.Position()
	took := c.took()
	tr, err := c.m.Advance(ctx)
	if err != nil {
		return err
	}
	if from.Phase != "" {
		c.emit(ctx, Left{Itinerary: tr.Itinerary, Phase: from.Phase, Took: took})
	} else if c.state.Itinerary == "" {
		c.emit(ctx, Begun{Itinerary: tr.Itinerary})
	}
	c.state.WaitingSince, c.state.Attempts, c.state.Entered = nil, 0, nil
	if !tr.To.Done {
		c.state.Entered = c.now.DeepCopy()
	}
	c.keep(ctx, steps.Moment{})
	if tr.To.Done {
		c.emit(ctx, Finished{Itinerary: tr.Itinerary, Failures: len(c.state.Failures)})
		return nil
	}
	entered := Entered{Itinerary: tr.Itinerary, Phase: tr.To.Phase, Jumped: tr.Jumped}
	if step := c.state.Pipeline.Current(); step != nil {
		entered.Step = step.Name
	}
	c.emit(ctx, entered)
	return nil
}

func (c *reconcile[T]) took() time.Duration {
	if c.state.Entered == nil {
		return 0
	}
	return c.now.Sub(c.state.Entered.Time)
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
	e := Replanned{Itinerary: c.m.Graph().Name()}
	for i := range c.state.Pipeline {
		if s := &c.state.Pipeline[i]; !s.Ran() && before.Find(s.Name) == nil {
			e.Added = append(e.Added, s.Name)
		}
	}
	for i := range before {
		if c.state.Pipeline.Find(before[i].Name) == nil {
			e.Removed = append(e.Removed, before[i].Name)
		}
	}
	if e.Added != nil || e.Removed != nil {
		c.emit(ctx, e)
	}
}

// emit tells the observers, and catches their panics: nothing that only looks
// on may stop a migration.
func (c *reconcile[T]) emit(ctx context.Context, e Event) {
	for _, o := range c.o.Observers {
		func() {
			defer func() { _ = recover() }()
			o.Observe(ctx, c.object, e)
		}()
	}
}
