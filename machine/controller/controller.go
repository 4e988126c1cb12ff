package controller

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

const (
	// atOnce is as good as now; 0 would be never.
	atOnce = time.Millisecond
	// catchUp is when to look again whether the cache has caught up.
	catchUp = 10 * time.Millisecond
)

// Reconciler runs the migrations of one custom resource. It is safe for
// concurrent use, for different objects, as controller-runtime uses it.
type Reconciler[T client.Object] struct {
	o       Options[T]
	runner  *runner.Runner[T]
	metrics *metrics
	tracer  trace.Tracer
	now     func() time.Time
	own     ownWrites
}

var _ reconcile.Reconciler = (*Reconciler[client.Object])(nil)

// New makes a reconciler. It refuses options in which something is missing
// with an [*OptionsError], and returns what the registerer says where it has
// other metrics under the names of these.
func New[T client.Object](o Options[T]) (*Reconciler[T], error) {
	r := &Reconciler[T]{now: o.Runner.Now}
	if r.now == nil {
		r.now = time.Now
	}
	if o.TracerProvider == nil {
		o.TracerProvider = noop.NewTracerProvider()
	} else {
		o.Runner = traced(o.Runner, o.TracerProvider.Tracer(tracerName))
	}
	r.tracer = o.TracerProvider.Tracer(tracerName)
	if o.Conditions != nil {
		// A selector may go by the condition, and is called next.
		onFail := o.Runner.OnFail
		o.Runner.OnFail = func(object T, f runner.Failure) {
			r.setFailed(object, f)
			if onFail != nil {
				onFail(object, f)
			}
		}
	}
	observers := []runner.Observer[T]{runner.ObserverFunc[T](r.observe)}
	o.Runner.Observers = append(observers, o.Runner.Observers...)

	var err error
	if r.runner, err = o.complete(); err != nil {
		return nil, err
	}
	if r.metrics, err = newMetrics(o.Metrics); err != nil {
		return nil, err
	}
	r.o = o
	return r, nil
}

// Reconcile moves the migration of one object on, and writes it once at the
// most. An object that is gone is no error. It returns
//
//   - when to come back, where a phase waits or has a backoff, or the next phase
//     is to be called;
//   - a terminal error, which is not tried again, where the recorded phase or
//     the itinerary is unknown ([*machine.UnknownPhaseError],
//     [*phases.UnknownItineraryError]), or the state cannot be read or kept
//     ([*AnnotationError], [*NotKeptError]): somebody has to mend that;
//   - any other error, to be tried again by the controller's rate limiter.
func (r *Reconciler[T]) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	ctx, span := r.tracer.Start(ctx, "reconcile migration", trace.WithAttributes(
		attrNamespace.String(req.Namespace), attrName.String(req.Name)))
	defer span.End()
	result, err := r.reconcile(ctx, req)
	note(span, err)
	return result, err
}

func (r *Reconciler[T]) reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	read := r.o.New()
	if err := r.o.Client.Get(ctx, req.NamespacedName, read); err != nil {
		if apierrors.IsNotFound(err) {
			r.own.forget(req.NamespacedName)
		}
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	object := read.DeepCopyObject().(T)
	if !read.GetDeletionTimestamp().IsZero() {
		if r.o.Deleting == nil {
			return reconcile.Result{}, nil
		}
		return r.o.Deleting(ctx, object)
	}
	if r.own.behind(req.NamespacedName, read.GetResourceVersion(), r.now()) {
		return reconcile.Result{RequeueAfter: catchUp}, nil
	}

	// What was read may be the cache's own, and reading the state of an object
	// may change it: a field that was nil is made.
	c := &call[T]{read: read.DeepCopyObject().(T), object: object}
	c.was, c.unread = r.o.Runner.Read(c.read)
	c.out, c.err = r.runner.Reconcile(context.WithValue(ctx, callKey{}, &c.events), object)
	if _, panicked := c.err.(*phases.PanicError); panicked {
		// Not of a handler: who knows what it left of the object.
		return reconcile.Result{}, c.err
	}
	stop := stops(c.err)
	if r.o.Conditions != nil && (c.err == nil || c.out.Changed || stop != nil) {
		r.setConditions(object, c.out, stop)
	}
	fate, missed, err := r.write(ctx, c)
	c.attribute(trace.SpanFromContext(ctx))
	switch {
	case fate == written:
		r.tell(c)
	case fate == moved:
		log.FromContext(ctx).Info("somebody else has moved the migration; what came of this reconcile is dropped")
		return reconcile.Result{RequeueAfter: atOnce}, nil
	case fate == gone:
		return reconcile.Result{}, nil
	}
	if err != nil {
		if kept := (*NotKeptError)(nil); errors.As(err, &kept) {
			err = reconcile.TerminalError(err)
		}
		return reconcile.Result{}, err
	}
	result, err := r.back(ctx, c, stop)
	if missed && err == nil {
		result = reconcile.Result{RequeueAfter: atOnce}
	}
	return result, err
}

// call is one call of the runner and what came of it.
type call[T any] struct {
	// read is the object as it was read, with its state, or why that cannot be
	// read; object is the copy that is worked on.
	read   T
	was    runner.State
	unread error
	object T

	out    runner.Outcome
	err    error
	events []runner.Event
}

// atOnce says that the next phase is to be called.
func (c *call[T]) atOnce() bool { return c.err == nil && c.out.Again && c.out.After == 0 }

// back says when to come back.
func (r *Reconciler[T]) back(ctx context.Context, c *call[T], stop error) (reconcile.Result, error) {
	switch {
	case stop != nil:
		return reconcile.Result{}, reconcile.TerminalError(c.err)
	case c.err != nil && c.out.After > 0:
		// An error beside it would make the rate limiter say when.
		log.FromContext(ctx).Error(c.err, "the phase is tried again", "after", c.out.After.String())
		note(trace.SpanFromContext(ctx), c.err)
		return reconcile.Result{RequeueAfter: c.out.After}, nil
	case c.err != nil:
		return reconcile.Result{}, c.err
	case c.atOnce():
		return reconcile.Result{RequeueAfter: atOnce}, nil
	case c.out.Again:
		return reconcile.Result{RequeueAfter: c.out.After}, nil
	}
	return reconcile.Result{}, nil
}

// stops returns the error if nothing can go on until somebody mends the object
// or the release, else nil.
func stops(err error) error {
	var (
		phase     *machine.UnknownPhaseError
		itinerary *phases.UnknownItineraryError
		state     *AnnotationError
	)
	if errors.As(err, &phase) || errors.As(err, &itinerary) || errors.As(err, &state) {
		return err
	}
	return nil
}

// attribute says in the span where the migration stood and stands.
func (c *call[T]) attribute(span trace.Span) {
	itinerary := c.out.State.Itinerary
	if itinerary == "" {
		itinerary = c.was.Itinerary
	}
	span.SetAttributes(attrItinerary.String(itinerary), attrPhase.String(c.was.Phase),
		attrNext.String(c.out.State.Phase), attrDone.Bool(c.out.State.Done))
}
