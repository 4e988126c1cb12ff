package controller

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/machine/debug"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// Options are the parts that the embedder provides. T is a pointer to its custom resource.
type Options[T client.Object] struct {
	// Client reads and writes the objects. It is usually the manager's, which reads
	// from its cache.
	Client client.Client
	// Reader reads past the cache, to find the newest version after a conflict. It is
	// usually the manager's API reader. If nil, Client is read until its cache has
	// caught up.
	Reader client.Reader
	// New returns an empty object. An unstructured object must have its kind set.
	New func() T
	// StatusSubresource reports whether the status of the custom resource is a
	// subresource. MTC's are not. If it is wrong, the first write returns a
	// [*NotPersistedError].
	StatusSubresource bool

	// Runner describes how runs are run. Its Key is replaced: a reconciler
	// distinguishes runs by namespace and name. If the status is a subresource, its
	// Storage must be in the status.
	Runner runner.Options[T]
	// List replaces Runner for objects with many runs, one for each item of a list
	// ([NewList]).
	List *List[T]

	// Conditions are the conditions of the object ([NewConditions], or
	// [NewConditionsOf] for the embedder's own type); see [ConditionRunning] and the
	// others. If nil, none are set.
	Conditions *Conditions[T]
	// Merge is called after a conflict, before the changes from before to after are
	// written onto fresh. A JSON merge patch replaces each list as a whole. For a list
	// that both handlers and other clients write, Merge must put the changes of other
	// clients into before and after. Only the handlers' change may remain between them.
	// Conditions, finalizers, owner references and the items of List are merged without
	// it, an item as a whole. Optional.
	Merge func(before, after, fresh T)
	// Deleting is called for objects that are being deleted, to clean up and remove
	// finalizers. It writes the object itself. If nil, such objects are left alone.
	Deleting func(ctx context.Context, object T) (reconcile.Result, error)

	// Recorder records Kubernetes events. It must be safe for concurrent use. Optional.
	Recorder Recorder
	// Metrics registers the metrics. Several reconcilers may share one registerer: the
	// label controller distinguishes them. Optional.
	Metrics prometheus.Registerer
	// Runs records the runs of objects and items for the pages of machine/debug
	// ([debug.NewHandler]). A recorder is for one kind of objects. Optional.
	Runs *debug.Recorder
	// Name is the name of the controller, also in the metrics of controller-runtime. If
	// empty, it is the kind of its objects in lower case.
	Name string
	// TracerProvider makes spans: one for each reconcile, below it one for each item of
	// List that is called, and below that one for each call of a handler. Optional.
	TracerProvider trace.TracerProvider
}

// Recorder records a Kubernetes event on an object. A record.EventRecorder of client-go
// implements it.
type Recorder interface {
	Event(object runtime.Object, eventType, reason, message string)
}

// RecorderFunc adapts a function to a [Recorder].
type RecorderFunc func(object runtime.Object, eventType, reason, message string)

// Event calls f.
func (f RecorderFunc) Event(object runtime.Object, eventType, reason, message string) {
	f(object, eventType, reason, message)
}

// EventsRecorder is the part of client-go's events.EventRecorder that
// [NewEventsRecorder] calls.
type EventsRecorder interface {
	Eventf(regarding, related runtime.Object, eventType, reason, action, note string, args ...any)
}

// NewEventsRecorder returns a [Recorder] that records with an events.EventRecorder of
// client-go, which the GetEventRecorder method of newer managers returns. The action of
// an event is its reason.
func NewEventsRecorder(r EventsRecorder) Recorder {
	if r == nil {
		return RecorderFunc(nil) // which New refuses
	}
	return RecorderFunc(func(object runtime.Object, eventType, reason, message string) {
		r.Eventf(object, nil, eventType, reason, reason, "%s", message)
	})
}

// name returns the name of the controller.
func (o *Options[T]) name() string {
	if o.Name != "" {
		return o.Name
	}
	object := o.New()
	kind := reflect.Indirect(reflect.ValueOf(object)).Type().Name()
	_ = protect(func() error {
		if gvk, err := o.Client.GroupVersionKindFor(object); err == nil {
			kind = gvk.Kind
		}
		return nil
	})
	return strings.ToLower(kind)
}

// OptionsError lists everything that is missing or invalid in options.
type OptionsError struct {
	Problems []string
}

func (e *OptionsError) Error() string { return "controller options: " + strings.Join(e.Problems, "; ") }

// complete checks the options, fills in defaults, and makes the driver of the
// reconciler. The error is an [*OptionsError], unless the runner finds another.
func (r *Reconciler[T]) complete(o Options[T]) error {
	problems := o.check()
	if problems == nil {
		problems = o.probe()
	}
	if o.Reader == nil {
		o.Reader = o.Client
	}
	r.o = o
	drive := newOne[T]
	if o.List != nil {
		if drive = o.List.drive; drive == nil {
			return &OptionsError{problems}
		}
	}
	var more []string
	var err error
	if r.driver, more, err = drive(r, problems == nil); err != nil {
		return err
	}
	if problems = append(problems, more...); problems != nil {
		return &OptionsError{problems}
	}
	if r.o.TracerProvider == nil {
		r.o.TracerProvider = noop.NewTracerProvider()
	}
	return nil
}

// check returns what is missing or invalid, except for what the runner checks.
func (o *Options[T]) check() (problems []string) {
	add := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if o.Client == nil {
		add("Client is missing")
	}
	if o.New == nil {
		add("New is missing")
	}
	for _, f := range []struct {
		name  string
		value any
	}{
		{"Client", o.Client}, {"Reader", o.Reader}, {"Recorder", o.Recorder},
		{"Metrics", o.Metrics}, {"TracerProvider", o.TracerProvider},
	} {
		if f.value != nil && isNil(f.value) {
			add("%s holds a nil %T; set one that can be called, or remove it if it is optional", f.name, f.value)
		}
	}
	if !utf8.ValidString(o.Name) {
		add("Name is %q, which is not valid UTF-8", o.Name)
	}
	if o.List != nil && o.List.drive == nil {
		add("List was not made; make it with NewList")
	}
	if o.List != nil && o.Runner.Itineraries != nil {
		add("both Runner and List are set; set one of them")
	}
	if name := o.Runner.Storage.Annotation; name != "" && o.StatusSubresource {
		add("%s", storageProblem(name))
	}
	return problems
}

// storageProblem describes an annotation that is used although the status is a
// subresource.
func storageProblem(annotation string) string {
	return fmt.Sprintf("Storage is the annotation %q, which cannot be written together with a status subresource; use NewStatusStorage",
		annotation)
}

// probe calls the functions that receive every object with an empty object. If one
// returns nil or panics, it would do so at the first reconcile.
func (o *Options[T]) probe() (problems []string) {
	problems = probe(problems, "New", "return an empty object", func() any { return o.New() })
	if problems == nil && o.Conditions != nil {
		problems = probe(problems, "Conditions", "return a pointer to the object's conditions",
			func() any { return o.Conditions.probe(o.New()) })
	}
	return problems
}

// makeMissing is the fix for a function that fails on an empty object.
const makeMissing = "allocate what the object lacks"

// probeStorage probes the functions of a storage.
func probeStorage[T any](s runner.Storage[T], empty func() T) (problems []string) {
	if s.Read == nil || s.Write == nil {
		return nil // which the runner reports
	}
	problems = probe(problems, "Read of Storage", makeMissing, func() any {
		_, _ = s.Read(context.Background(), empty())
		return ""
	})
	return probe(problems, "Write of Storage", makeMissing, func() any {
		_ = s.Write(context.Background(), empty(), runner.State{})
		return ""
	})
}

// probe appends a problem if call panics, returns nil, or returns a text, which
// describes the problem.
func probe(problems []string, name, fix string, call func() any) (all []string) {
	defer func() {
		if p := recover(); p != nil {
			all = append(problems, fmt.Sprintf("%s panics with an empty object: %v; let it %s", name, p, fix))
		}
	}()
	switch result := call().(type) {
	case string:
		if result != "" {
			problems = append(problems, name+" "+result)
		}
	default:
		if isNil(result) {
			problems = append(problems, fmt.Sprintf("%s returns nil; let it %s", name, fix))
		}
	}
	return problems
}

// isNil reports whether v is nothing that can be called: it is nil, or a nil function
// or pointer.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Func, reflect.Pointer, reflect.Map, reflect.Chan, reflect.Slice, reflect.Interface:
		return r.IsNil()
	}
	return false
}
