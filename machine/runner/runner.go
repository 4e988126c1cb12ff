package runner

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// Runner runs itineraries. It is safe for concurrent use, as far as the embedder's
// functions are, but only one goroutine may reconcile an object at a time.
// It remembers nothing of a run that is not in its state, except what saves work
// ([Options].Key).
type Runner[T any] struct {
	o            Options[T]
	phaseOptions map[string][]Phase[T] // by itinerary and the index of the phase
	memory       memory
}

// New returns a runner for o. If an option is missing or invalid, or a phase has no
// handler, it returns an [*OptionsError], which lists every problem.
func New[T any](o Options[T]) (*Runner[T], error) {
	phaseOptions, err := o.check()
	if err != nil {
		return nil, err
	}
	o.MaxPhases = max(o.MaxPhases, 1)
	if o.EvaluationTimeout == 0 {
		o.EvaluationTimeout = DefaultEvaluationTimeout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.WithTimeout == nil {
		o.WithTimeout = context.WithTimeout
	}
	return &Runner[T]{o: o, phaseOptions: phaseOptions}, nil
}

// Forget drops what the runner remembers of a run, and calls the Forget method of each
// observer that has one ([Observer]). Call it for objects that are gone, with the key
// of the run, which is by default the object's UID ([Options].Key). It may be called in any goroutine.
func (r *Runner[T]) Forget(key string) {
	if r == nil {
		return
	}
	r.memory.forget(key)
	for _, o := range r.o.Observers {
		if o, ok := o.(interface{ Forget(key string) }); ok {
			_ = protect(func() error { o.Forget(key); return nil })
		}
	}
}

// Outcome is the outcome of a reconcile.
type Outcome struct {
	// State is the new state of the run.
	State State
	// Changed reports whether State differs from what was read. State is on the object
	// already; write the object to the cluster, even if an error is returned with the
	// outcome. Changed does not cover what a handler changed in other parts of the
	// object: a loop of your own must compare these itself, as machine/controller does.
	Changed bool
	// Requeue asks for another reconcile once the object is written: after
	// RequeueAfter, or at once if that is zero. It can be set with a terminal error, if
	// another run follows ([Options].Token). Otherwise the run waits for the
	// controller's watches, or is paused, stopped or done.
	Requeue      bool
	RequeueAfter time.Duration
	// Done reports whether the run is done, and Paused whether a pause holds it.
	Done, Paused bool
}

// minPause is the minimum delay before another reconcile if the run neither moved nor
// changed its state.
const minPause = time.Second

// Reconcile advances a run. It calls the handler of the current phase; if the work is
// done, it evaluates the flags that the phase decides and enters the next phase. It
// never sleeps and never writes to a cluster: it writes the state on the object.
//
// Retry an error after the RequeueAfter of the outcome; the error is also in the state.
// If the outcome does not ask for another reconcile, because the state could not be
// read or written or the context is done, let the controller's rate limiter retry. An
// error for which [IsTerminal] returns true lasts until the object or the release is
// fixed; do not retry it. If flags on which the next transition depends are unknown,
// the error is a [*machine.UnknownFlagsError], which wraps their [*phases.FlagError].
// In a cleanup itinerary that is no error. Until a waiting itinerary has begun, each
// retry evaluates all flags that it requires, since the user may still change the
// object.
func (r *Runner[T]) Reconcile(ctx context.Context, object T) (out Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = Outcome{}, &phases.PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	if r == nil || r.o.Storage.Read == nil {
		return Outcome{}, errors.New("the runner was not made; make it with New")
	}
	if ctx == nil {
		ctx = context.Background()
	}
	was, err := r.o.Storage.Read(ctx, object)
	if err != nil {
		err = &optionError{"read the state", err}
		if broken := new(*AnnotationError); errors.As(err, broken) {
			err = fmt.Errorf("read the state: %w", *broken)
		}
		return Outcome{}, err
	}
	key := r.o.key(object)
	c := &reconcile[T]{Runner: r, object: object, key: key, memo: r.memory.get(key), evaluationTime: r.o.EvaluationTimeout}
	defer r.memory.release(key)
	c.readClock()
	was.DeepCopyInto(&c.state)
	c.state.check(c.now)

	err = c.run(ctx)
	switch {
	case IsTerminal(err):
		c.stop(ctx, err)
	case err != nil && !c.requeue && ctx.Err() == nil:
		c.retry(ctx, RetryOptions, nil, err, limits{backoff: c.backoff()})
	}
	if retry := c.state.Retry; retry != nil && retry.Kind == RetryOptions && !c.retried {
		c.state.Retry = nil // it is over
	}
	if !was.over() && c.state.over() {
		// The token may have changed during the reconcile.
		if _, _, err := c.readToken(ctx); err != nil || c.newRunRequested {
			c.requeue, c.requeueAfter = true, 0
		}
	}
	c.state.Deadline = c.deadline()
	size := 0
	if r.o.MaxState != nil {
		size = r.o.MaxState(object)
	}
	c.state.boundTo(size)

	out = Outcome{State: c.state, Requeue: c.requeue, RequeueAfter: c.requeueAfter, Done: c.state.Done, Paused: c.paused}
	out.Changed = !was.Equal(&c.state)
	if out.Requeue && !out.Changed && !c.moved {
		out.RequeueAfter = max(out.RequeueAfter, minPause)
	}
	if c.nonBlocking != nil {
		err = errors.Join(err, c.nonBlocking)
	}
	if len(r.o.Observers) > 0 {
		c.emit(ctx, RunReconciled{Key: key, State: &c.state, Changed: out.Changed, Requeue: out.Requeue, Paused: out.Paused,
			RequeueAfter: out.RequeueAfter, Err: err})
	}
	// A handler may have changed the state on the object.
	if out.Changed || c.called {
		if werr := r.o.Storage.Write(ctx, object, c.state); werr != nil {
			if err != nil {
				werr = fmt.Errorf("%w (in addition: %v)", werr, err)
			}
			return Outcome{State: was}, &optionError{"write the state", werr}
		}
	}
	return out, err
}

// protect calls f, a function of the embedder, and returns a panic as an error.
func protect(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &phases.PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	return f()
}
