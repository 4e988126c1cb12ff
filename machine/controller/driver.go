package controller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// driver runs the runs of an object: its only run ([one]), or those of the items of a
// list ([list]).
type driver[O client.Object] interface {
	// Read returns the runs of an object with their states, or why the object cannot be
	// used. It may allocate what the object lacks.
	Read(ctx context.Context, object O) ([]*run, error)
	// Call calls the runner for the runs that are due. On error nothing but a condition
	// is written.
	Call(ctx context.Context, c *call[O]) error
	SetConditions(c *call[O])
	// Merge puts what another client wrote outside the states into both before and
	// after.
	Merge(before, after, fresh O)
	// Settle remembers the results of a call, with the version of the object that has
	// them.
	Settle(c *call[O], version string)
	// Known reports whether an itinerary belongs to this release.
	Known(itinerary string) bool
	// Forget drops what is remembered of an object that is gone.
	Forget(key types.NamespacedName)
}

// run is one run of an object in a reconcile.
type run struct {
	// item is the key of its item; empty if it is the only run of the object.
	item string
	// was is the state that was read, and unread is why it cannot be read.
	was    runner.State
	unread error

	out runner.Outcome
	err error
	record
	// wake is when the run of an item is called again.
	wake wake
}

// name prefixes a message with the name of the item.
func (r *run) name(message string) string {
	if r.item == "" {
		return message
	}
	return "item " + strconv.Quote(r.item) + ": " + message
}

// named returns an error that names the item.
func (r *run) named(err error) error {
	if r.item == "" {
		return err
	}
	return fmt.Errorf("item %q: %w", r.item, err)
}

// problem returns the error of the run: that of the call or, if it was not called, why
// its state cannot be read.
func (r *run) problem() error { return cmp.Or(r.err, r.unread) }

// unwritable reports whether the object or item does not have the result of the call:
// its state cannot be read or written, or the runner panicked, which leaves it in an
// unknown condition.
func (r *run) unwritable() bool {
	_, panicked := r.err.(*phases.PanicError)
	var write *stateWriteError
	return r.unread != nil || panicked || errors.As(r.err, &write)
}

// atOnce reports whether the next phase is due.
func (r *run) atOnce() bool { return r.err == nil && r.out.Requeue && r.out.RequeueAfter == 0 }

// attribute adds the positions of the run before and after the call to the span.
func (r *run) attribute(span trace.Span) {
	itinerary := r.out.State.Itinerary
	if itinerary == "" {
		itinerary = r.was.Itinerary
	}
	span.SetAttributes(attrItinerary.String(itinerary), attrPhase.String(r.was.Phase),
		attrNext.String(r.out.State.Phase), attrDone.Bool(r.out.State.Done))
}

// sameStates reports whether runs have the same items and states.
func sameStates(a, b []*run) bool {
	return slices.EqualFunc(a, b, func(a, b *run) bool {
		return a.item == b.item && (a.unread == nil) == (b.unread == nil) && a.was.Equal(&b.was)
	})
}

// stateWriteError is an error of the embedder's Write.
type stateWriteError struct{ err error }

func (e *stateWriteError) Error() string { return e.err.Error() }
func (e *stateWriteError) Unwrap() error { return e.err }

// caller calls a runner for objects or items of type T.
type caller[T any] struct {
	o       runner.Options[T] // as the runner has them
	storage runner.Storage[T] // as the embedder gave it
	runner  *runner.Runner[T]
}

// newCaller returns a caller that reports to a reconciler, and what is missing or
// invalid. If empty is not nil, it probes the storage with what empty returns.
func newCaller[T any, O client.Object](r *Reconciler[O], o runner.Options[T], empty func() T) (c caller[T], problems []string, err error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	r.now = o.Now
	if empty != nil {
		problems = probeStorage(o.Storage, empty)
	}
	storage := o.Storage
	if storage.Read != nil { // the runner uses what was read before
		o.Storage.Read = func(ctx context.Context, _ T) (runner.State, error) { return called(ctx).was, nil }
	}
	if write := o.Storage.Write; write != nil {
		o.Storage.Write = func(ctx context.Context, object T, s runner.State) error {
			if err := write(ctx, object, s); err != nil {
				return &stateWriteError{err}
			}
			return nil
		}
	}
	recordPause(&o)
	if !isNil(r.o.TracerProvider) { // it is set
		o = traced(o, r.o.TracerProvider.Tracer(tracerName))
	}
	// The last one, since the runner reports a nil observer by its number.
	o.Observers = append(slices.Clone(o.Observers),
		runner.ObserverFunc[T](func(ctx context.Context, _ T, e runner.Event) { r.observe(ctx, e) }))
	if err := recordRuns(&o, r.o.Runs); err != nil {
		return c, nil, err
	}

	made, err := runner.New(o)
	var runners *runner.OptionsError
	if errors.As(err, &runners) {
		return c, append(problems, "Runner: "+strings.Join(runners.Problems, "; ")), nil
	}
	return caller[T]{o, storage, made}, problems, err
}

// read reads a state, and returns a panic as an error.
func (c *caller[T]) read(ctx context.Context, object T) *run {
	r := &run{record: record{pauseKnown: c.o.Paused == nil}}
	if err := protect(func() (err error) { r.was, err = c.storage.Read(ctx, object); return }); err != nil {
		r.unread = fmt.Errorf("read the state: %w", err)
	}
	return r
}

// call calls the runner, if the state can be read.
func (c *caller[T]) call(ctx context.Context, r *run, object T) {
	if r.unread != nil {
		r.err = r.unread
		return
	}
	r.out, r.err = c.runner.Reconcile(context.WithValue(ctx, callKey{}, r), object)
}

// Known reports whether an itinerary belongs to this release.
func (c *caller[T]) Known(itinerary string) bool {
	_, err := c.o.Itineraries.Graph(itinerary)
	return err == nil
}

// isCleanup reports whether an itinerary is a cleanup itinerary of this release.
func (c *caller[T]) isCleanup(itinerary string) bool {
	g, err := c.o.Itineraries.Graph(itinerary)
	return err == nil && g.IsCleanup()
}

// lastFailure returns the last failure outside cleanup itineraries, or nil.
func (c *caller[T]) lastFailure(all []runner.Failure) *runner.Failure {
	for i := len(all) - 1; i >= 0; i-- {
		if !c.isCleanup(all[i].Itinerary) {
			return &all[i]
		}
	}
	return nil
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

// one is the driver of objects that have one run.
type one[O client.Object] struct {
	caller[O]
	r *Reconciler[O]
}

// newOne returns the driver. If probe is set, it calls functions of the options with
// empty objects.
func newOne[O client.Object](r *Reconciler[O], probe bool) (driver[O], []string, error) {
	d := &one[O]{r: r}
	o := r.o.Runner
	o.Key = func(object O) string { return client.ObjectKeyFromObject(object).String() }
	if r.o.Conditions != nil {
		// A selector, which is called next, may depend on the condition.
		onFail := o.OnFail
		o.OnFail = func(ctx context.Context, object O, f runner.Failure) error {
			if !d.isCleanup(f.Itinerary) {
				r.setFailed(object, failed(f.Itinerary, f.Phase, f.Reasons))
			}
			if onFail != nil {
				return onFail(ctx, object, f)
			}
			return nil
		}
		if o.Token != nil {
			onRunAgain := o.OnRunAgain
			o.OnRunAgain = func(ctx context.Context, object O, previous runner.PastRun) error {
				r.setCondition(object, ConditionFailed, metav1.ConditionFalse, reasonNot, "")
				if onRunAgain != nil {
					return onRunAgain(ctx, object, previous)
				}
				return nil
			}
		}
	}
	var empty func() O
	if probe {
		empty = r.o.New
	}
	var problems []string
	var err error
	d.caller, problems, err = newCaller(r, o, empty)
	return d, problems, err
}

func (d *one[O]) Read(ctx context.Context, object O) ([]*run, error) {
	r := d.caller.read(ctx, object)
	return []*run{r}, r.unread
}

func (d *one[O]) Call(ctx context.Context, c *call[O]) error {
	r := c.runs[0]
	d.caller.call(ctx, r, c.object)
	if r.unwritable() {
		return r.err
	}
	return nil
}

func (d *one[O]) Merge(_, _, _ O)                 {}
func (d *one[O]) Settle(*call[O], string)         {}
func (d *one[O]) Forget(key types.NamespacedName) { d.runner.Forget(key.String()) }
