package controller

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

const (
	// atOnce is the delay for what is due now; zero would mean never.
	atOnce = time.Millisecond
	// catchUp is the delay before the cache is read again if it was behind.
	catchUp = 10 * time.Millisecond
)

// Reconciler runs the runs of the objects of one custom resource. It is safe for
// concurrent use for different objects, as controller-runtime uses it.
type Reconciler[T client.Object] struct {
	o       Options[T]
	driver  driver[T]
	metrics *metrics
	gauges  *runGauges
	tracer  trace.Tracer
	now     func() time.Time
	own     ownWrites
}

var _ reconcile.Reconciler = (*Reconciler[client.Object])(nil)

// New returns a reconciler for o. If an option is missing or invalid, it returns an
// [*OptionsError]. If other metrics are registered under the same names, it returns the
// error of the registerer.
func New[T client.Object](o Options[T]) (*Reconciler[T], error) {
	r := &Reconciler[T]{}
	if err := r.complete(o); err != nil {
		return nil, err
	}
	var err error
	name := r.o.name()
	if r.metrics, err = newMetrics(o.Metrics, name); err != nil {
		return nil, err
	}
	if r.gauges, err = newRunGauges(o.Metrics, name, r.now); err != nil {
		return nil, err
	}
	r.tracer = r.o.TracerProvider.Tracer(tracerName)
	return r, nil
}

// Reconcile advances the run of one object, or the runs of its items. It writes the
// object at most once; if the API server refuses or does not persist that write, it also
// writes a condition. An object that is gone is no error. Reconcile returns
//
//   - when to come back, if a phase waits or is retried, flags are unknown, or the next
//     phase is due. It is sooner than the runner asks if another client has changed the
//     object since it was read, if the cache is behind, or for items of a list (see the
//     package comment);
//   - a terminal error, which is not retried, if the run is stopped
//     ([runner.IsTerminal]), or the state cannot be read, is not persisted or is too large
//     ([*runner.AnnotationError], [*NotPersistedError], [*RefusedError]), or the items
//     cannot be distinguished or are too many ([*ItemError], [*TooManyItemsError]). The
//     object, its definition or the release must be fixed. While other items of the
//     object continue, the error of an item is logged instead;
//   - any other error, to be retried by the controller's rate limiter: a write that
//     failed, for example.
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
		r.gauges.forget(req.NamespacedName) // its runs do not continue
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
	if c.refused != nil {
		return r.report(ctx, c.base, c.refused, isTerminal(c.refused), false)
	}
	if r.o.Conditions != nil {
		r.driver.SetConditions(c)
	}
	w, err := r.write(ctx, c)
	c.attribute(trace.SpanFromContext(ctx))
	switch w.result {
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
		if w.result == written {
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
	version := c.base.GetResourceVersion()
	if w.result == written {
		version = w.answer.GetResourceVersion()
	}
	r.driver.Settle(c, version)
	r.gauges.set(client.ObjectKeyFromObject(c.base), c.runs, r.driver.Known)
	return requeue(ctx, c)
}

// forget drops what is remembered of an object that is gone.
func (r *Reconciler[T]) forget(key types.NamespacedName) {
	r.own.forget(key)
	r.gauges.forget(key)
	r.driver.Forget(key)
}

// call is one call of the driver and its result.
type call[T client.Object] struct {
	// base is the object as it was read. It may belong to the cache and is not changed.
	base T
	// object is the working copy. runs are its runs, and unread is why they cannot be
	// read. before holds the parts of object after reading the runs: reading may
	// allocate a nil field, which is no change to write.
	object T
	runs   []*run
	unread error
	before parts
	// refused is why nothing but a condition can be written.
	refused error
}

// begin reads the runs of an object.
func (r *Reconciler[T]) begin(ctx context.Context, base T) *call[T] {
	c := &call[T]{base: base, object: base.DeepCopyObject().(T)}
	c.runs, c.unread = r.driver.Read(ctx, c.object)
	for _, run := range c.runs { // a storage may return memory of the object
		run.was = *run.was.DeepCopy()
	}
	c.before = r.parts(c.object)
	return c
}

// call calls the driver, if the runs can be read.
func (r *Reconciler[T]) call(ctx context.Context, base T) *call[T] {
	c := r.begin(ctx, base)
	if c.refused = c.unread; c.refused == nil {
		c.refused = r.driver.Call(ctx, c)
	}
	return c
}

// atOnce reports whether the next phase of a run is due.
func (c *call[T]) atOnce() bool { return slices.ContainsFunc(c.runs, (*run).atOnce) }

// attribute adds the positions of the run before and after the call to the span. Runs
// of items have their own spans.
func (c *call[T]) attribute(span trace.Span) {
	for _, run := range c.runs {
		if run.item == "" {
			run.attribute(span)
		}
	}
}

// isTerminal reports whether an error lasts until the object, its definition or the
// release is fixed.
func isTerminal(err error) bool {
	return runner.IsTerminal(err) || errors.As(err, new(*ItemError)) || errors.As(err, new(*TooManyItemsError))
}

// retryBeside is the delay before a retry of an error for which the runner set no time,
// while other runs of the object continue: the rate limiter must not hold them.
const retryBeside = time.Minute

// requeue returns when to come back: for the run that is due first.
func requeue[T client.Object](ctx context.Context, c *call[T]) (reconcile.Result, error) {
	var (
		first     time.Duration // zero: none
		errs      []error
		transient bool
	)
	for _, run := range c.runs {
		switch {
		case run.out.Requeue:
			after := max(run.out.RequeueAfter, atOnce)
			if first == 0 || after < first {
				first = after
			}
			if run.err != nil {
				// If it were returned, the rate limiter would decide when.
				log.FromContext(ctx).Error(run.named(run.err), "retrying", "after", after.String())
				recordError(trace.SpanFromContext(ctx), run.named(run.err))
			}
		case run.err != nil:
			errs = append(errs, run.named(run.err))
			transient = transient || !isTerminal(run.err)
		}
	}
	switch {
	case errs == nil:
		return reconcile.Result{RequeueAfter: first}, nil
	case first > 0:
		for _, err := range errs {
			log.FromContext(ctx).Error(err, "an item failed; other items continue")
			recordError(trace.SpanFromContext(ctx), err)
		}
		if transient {
			first = min(first, retryBeside)
		}
		return reconcile.Result{RequeueAfter: first}, nil
	}
	err := errs[0]
	if len(errs) > 1 {
		err = errors.Join(errs...)
	}
	if !transient {
		err = reconcile.TerminalError(err)
	}
	return reconcile.Result{}, err
}

// report shows an error that the state cannot hold, since it cannot be written. It sets
// the condition of an otherwise unchanged object, and records an event. stop reports
// whether a retry is useless, and missed whether the object has changed meanwhile. The
// results are those of Reconcile.
func (r *Reconciler[T]) report(ctx context.Context, base T, err error, stop, missed bool) (reconcile.Result, error) {
	r.gauges.hold(client.ObjectKeyFromObject(base), stop)
	// A condition that is set shows that the event was recorded. Without conditions,
	// r.own remembers it.
	shown, isNew := false, false
	if r.o.Conditions != nil {
		c := r.begin(ctx, base)
		r.setUnwritable(c.object, err, stop)
		w, werr := r.write(ctx, c)
		permanent, _ := isPermanent(werr)
		switch {
		case w.result == stale:
			return reconcile.Result{RequeueAfter: atOnce}, nil
		case w.result == gone:
			return reconcile.Result{}, nil
		case werr != nil && !permanent:
			return reconcile.Result{}, errors.Join(err, werr) // retried until the condition is written
		}
		missed = missed || w.missed
		shown, isNew = werr == nil, w.result == written
	}
	if !shown {
		isNew = r.own.first(client.ObjectKeyFromObject(base), base.GetUID(), err.Error())
	}
	if isNew && r.o.Recorder != nil {
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

// isPermanent reports whether a write failed for a lasting reason, which must be shown,
// and whether a retry is useless.
func isPermanent(err error) (permanent, stop bool) {
	if err == nil {
		return false, false
	}
	if kept := (*NotPersistedError)(nil); errors.As(err, &kept) {
		return true, true
	}
	refused := (*RefusedError)(nil)
	permanent = errors.As(err, &refused)
	return permanent, permanent && refused.TooLarge
}
