package controller

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"go.opentelemetry.io/otel/trace"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

const (
	// atOnce is as good as now; 0 would be never.
	atOnce = time.Millisecond
	// catchUp is when to look again whether the cache has caught up.
	catchUp = 10 * time.Millisecond
)

// Reconciler runs the runs of one custom resource. It is safe for concurrent
// use, for different objects, as controller-runtime uses it.
type Reconciler[T client.Object] struct {
	o       Options[T]
	runner  *runner.Runner[T]
	metrics *metrics
	tracer  trace.Tracer
	now     func() time.Time
	own     ownWrites
}

var _ reconcile.Reconciler = (*Reconciler[client.Object])(nil)

// New makes a reconciler. It refuses options in which something is missing or
// wrong with an [*OptionsError], and returns the error of the registerer if
// that has other metrics under the same names.
func New[T client.Object](o Options[T]) (*Reconciler[T], error) {
	r := &Reconciler[T]{}
	var err error
	if r.runner, err = o.complete(r); err != nil {
		return nil, err
	}
	if r.metrics, err = newMetrics(o.Metrics); err != nil {
		return nil, err
	}
	r.o = o
	r.now = o.Runner.Now
	r.tracer = o.TracerProvider.Tracer(tracerName)
	return r, nil
}

// Reconcile moves the run of one object on. It writes the object at most once,
// unless the API server refuses or does not keep that: then once more, for the
// condition. An object that is gone is no error. It returns
//
//   - when to come back, if a phase waits or is retried, flags are unknown, or
//     the next phase is due. This is never sooner than the runner asks, unless
//     another client has changed the object since it was read;
//   - a terminal error, which is not retried, if the run is stopped
//     ([runner.IsTerminal]), or the state cannot be read, is not kept or is too
//     large ([*runner.AnnotationError], [*NotPersistedError], [*RefusedError]): the object,
//     its definition or the release must be fixed;
//   - any other error, to be retried by the controller's rate limiter: a write
//     that failed, for example.
func (r *Reconciler[T]) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	ctx, span := r.tracer.Start(ctx, "reconcile run", trace.WithAttributes(
		attrNamespace.String(req.Namespace), attrName.String(req.Name)))
	defer span.End()
	result, err := r.reconcile(ctx, req)
	recordError(span, err)
	return result, err
}

func (r *Reconciler[T]) reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	read := r.o.New()
	if err := r.o.Client.Get(ctx, req.NamespacedName, read); err != nil {
		if apierrors.IsNotFound(err) {
			r.forget(req.NamespacedName)
		}
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if !read.GetDeletionTimestamp().IsZero() {
		if r.o.Deleting == nil {
			return reconcile.Result{}, nil
		}
		return r.o.Deleting(ctx, read.DeepCopyObject().(T))
	}
	if r.own.replaced(req.NamespacedName, read.GetUID()) {
		r.forget(req.NamespacedName)
	}
	if r.own.behind(req.NamespacedName, read.GetResourceVersion(), r.now()) {
		return reconcile.Result{RequeueAfter: catchUp}, nil
	}

	c := r.call(ctx, read)
	if c.unwritable() {
		return r.report(ctx, c.base, c.err, runner.IsTerminal(c.err), false)
	}
	if r.o.Conditions != nil {
		r.setConditions(c)
	}
	w, err := r.write(ctx, c)
	c.attribute(trace.SpanFromContext(ctx))
	switch w.fate {
	case written:
		r.recordEvents(c)
	case stale:
		log.FromContext(ctx).Info("state changed since it was read; discarding this reconcile")
		return reconcile.Result{RequeueAfter: atOnce}, nil
	case gone:
		return reconcile.Result{}, nil
	}
	permanent, stop := isPermanent(err)
	switch {
	case permanent:
		base := c.base
		if w.fate == written {
			base = w.answer
		}
		return r.report(ctx, base, err, stop, w.missed)
	case w.missed:
		if err != nil {
			log.FromContext(ctx).Error(err, "the write failed; the object has changed, so it is reconciled again at once")
			recordError(trace.SpanFromContext(ctx), err)
		}
		return reconcile.Result{RequeueAfter: atOnce}, nil
	case err != nil:
		return reconcile.Result{}, err
	}
	return requeue(ctx, c)
}

// forget drops what is remembered of an object that is gone.
func (r *Reconciler[T]) forget(key types.NamespacedName) {
	r.own.forget(key)
	r.runner.Forget(key.String())
}

// call is one call of the runner and its result.
type call[T client.Object] struct {
	// base is the object as it was read, which may be the cache's own and is
	// not changed.
	base T
	// read is a copy of it, with its state, or why that cannot be read; object
	// is the copy that is worked on. Reading the state of an object may change
	// it: a field that was nil is made.
	read   T
	was    runner.State
	unread error
	object T

	out runner.Outcome
	err error
	record
}

// begin reads the state of an object.
func (r *Reconciler[T]) begin(ctx context.Context, base T) *call[T] {
	c := &call[T]{base: base, read: base.DeepCopyObject().(T), object: base.DeepCopyObject().(T)}
	c.pauseKnown = r.o.Runner.Paused == nil
	c.was, c.unread = r.readState(ctx, c.read)
	return c
}

// call calls the runner, if the state can be read.
func (r *Reconciler[T]) call(ctx context.Context, base T) *call[T] {
	c := r.begin(ctx, base)
	if c.unread != nil {
		c.err = fmt.Errorf("read the state: %w", c.unread)
		return c
	}
	c.out, c.err = r.runner.Reconcile(context.WithValue(ctx, callKey{}, &c.record), c.object)
	return c
}

// readState reads the state of an object; a panic is an error.
func (r *Reconciler[T]) readState(ctx context.Context, object T) (s runner.State, err error) {
	defer func() {
		if p := recover(); p != nil {
			s, err = runner.State{}, &phases.PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	return r.o.Runner.Storage.Read(ctx, object)
}

// stateWriteError is an error of the embedder's Write.
type stateWriteError struct{ err error }

func (e *stateWriteError) Error() string { return e.err.Error() }
func (e *stateWriteError) Unwrap() error { return e.err }

// unwritable reports whether the object does not have the result of the call:
// its state cannot be read or written, or the runner panicked, which leaves the
// object in an unknown condition.
func (c *call[T]) unwritable() bool {
	_, panicked := c.err.(*phases.PanicError)
	var write *stateWriteError
	return c.unread != nil || panicked || errors.As(c.err, &write)
}

// atOnce reports whether the next phase is due.
func (c *call[T]) atOnce() bool { return c.err == nil && c.out.Requeue && c.out.RequeueAfter == 0 }

// requeue returns when to come back.
func requeue[T client.Object](ctx context.Context, c *call[T]) (reconcile.Result, error) {
	switch {
	case runner.IsTerminal(c.err) && !c.out.Requeue:
		return reconcile.Result{}, reconcile.TerminalError(c.err)
	case c.out.Requeue:
		after := max(c.out.RequeueAfter, atOnce)
		if c.err != nil {
			// If it were returned, the rate limiter would decide when.
			log.FromContext(ctx).Error(c.err, "to be reconciled again", "after", after.String())
			recordError(trace.SpanFromContext(ctx), c.err)
		}
		return reconcile.Result{RequeueAfter: after}, nil
	}
	return reconcile.Result{}, c.err
}

// report shows an error that the state cannot hold, since it cannot be written:
// in the condition of an object that is otherwise as it was, and in an event.
// Stop reports that there is no use in retrying, and missed that the object has
// changed meanwhile. It returns what Reconcile returns.
func (r *Reconciler[T]) report(ctx context.Context, base T, err error, stop, missed bool) (reconcile.Result, error) {
	// The condition shows that the event was recorded; without it, memory does.
	shown, told := false, false
	if r.o.Conditions != nil {
		c := r.begin(ctx, base)
		r.setUnwritable(c.object, err, stop)
		w, werr := r.write(ctx, c)
		permanent, _ := isPermanent(werr)
		switch {
		case w.fate == stale:
			return reconcile.Result{RequeueAfter: atOnce}, nil
		case w.fate == gone:
			return reconcile.Result{}, nil
		case werr != nil && !permanent:
			return reconcile.Result{}, errors.Join(err, werr) // retried until it can be seen
		}
		missed = missed || w.missed
		shown, told = werr == nil, w.fate == written
	}
	if !shown {
		told = r.own.first(client.ObjectKeyFromObject(base), base.GetUID(), err.Error())
	}
	if told && r.o.Recorder != nil {
		reason := EventRetrying
		if stop {
			reason = EventStopped
		}
		r.o.Recorder.Event(base, corev1.EventTypeWarning, reason, short(err.Error()))
	}
	switch {
	case missed:
		log.FromContext(ctx).Error(err, "the object has changed, so it is reconciled again at once")
		recordError(trace.SpanFromContext(ctx), err)
		return reconcile.Result{RequeueAfter: atOnce}, nil
	case stop:
		return reconcile.Result{}, reconcile.TerminalError(err)
	}
	return reconcile.Result{}, err
}

// isPermanent reports whether a write failed for a reason that stays, so that
// it must be seen, and whether there is no use in retrying it.
func isPermanent(err error) (permanent, stop bool) {
	if kept := (*NotPersistedError)(nil); errors.As(err, &kept) {
		return true, true
	}
	refused := (*RefusedError)(nil)
	permanent = errors.As(err, &refused)
	return permanent, permanent && refused.TooLarge
}

// attribute adds to the span where the run was and is.
func (c *call[T]) attribute(span trace.Span) {
	itinerary := c.out.State.Itinerary
	if itinerary == "" {
		itinerary = c.was.Itinerary
	}
	span.SetAttributes(attrItinerary.String(itinerary), attrPhase.String(c.was.Phase),
		attrNext.String(c.out.State.Phase), attrDone.Bool(c.out.State.Done))
}
