package controller

import (
	"context"
	"errors"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// Options are the embedder's parts. T is a pointer to its custom resource.
type Options[T client.Object] struct {
	// Client reads and writes the objects; usually the manager's, which reads
	// from its cache.
	Client client.Client
	// Reader reads past the cache, to see after a conflict what is there
	// now; usually the manager's API reader. Optional: without it Client is
	// read until its cache has caught up.
	Reader client.Reader
	// New returns an empty object; an unstructured one with its kind set.
	New func() T
	// StatusSubresource says whether the status of the custom resource is a
	// subresource. MTC's are not. Where it says what is not so, the first
	// write gives a [*NotKeptError].
	StatusSubresource bool

	// Runner says how migrations run. Its Read and Write are taken from Keep
	// where it has none.
	Runner runner.Options[T]
	// Keep says where on the object the state is kept: [InStatus],
	// [InAnnotation], or a Keeper of the embedder's own.
	Keep Keeper[T]

	// Conditions returns where the object has its conditions; see
	// [ConditionRunning] and the others. Optional.
	Conditions func(object T) *[]metav1.Condition
	// Merge is called after a conflict, before what changed from before to
	// after is written onto fresh, which a JSON merge patch does list by list.
	// It brings what others wrote to a list that handlers write as well into
	// both, so that nothing but the handlers' own change is left between them.
	// Optional; Conditions are merged without it.
	Merge func(before, after, fresh T)
	// Result says how a migration that is done has ended. Optional: without
	// it, it has failed where a phase failed or Runner.Failed says so, else it
	// was canceled where a step reads so, else it has succeeded.
	Result func(object T, s runner.State) Result
	// Deleting is called for objects that are being deleted, to clean up and
	// take finalizers away; it writes the object itself. Optional: without it
	// such objects are left alone.
	Deleting func(ctx context.Context, object T) (reconcile.Result, error)

	// Recorder records Kubernetes events. Optional.
	Recorder Recorder
	// Metrics is where the metrics are registered. Several reconcilers may
	// have one registerer; they share the metrics. Optional.
	Metrics prometheus.Registerer
	// TracerProvider makes spans: one for each reconcile, and below it one for
	// each call of a handler. Optional.
	TracerProvider trace.TracerProvider
}

// Recorder records a Kubernetes event on an object. A record.EventRecorder of
// client-go is one.
type Recorder interface {
	Event(object runtime.Object, eventType, reason, message string)
}

// RecorderFunc makes a [Recorder] of a function, such as one that calls an
// events.EventRecorder of client-go.
type RecorderFunc func(object runtime.Object, eventType, reason, message string)

// Event calls f.
func (f RecorderFunc) Event(object runtime.Object, eventType, reason, message string) {
	f(object, eventType, reason, message)
}

// Result is how a migration has ended.
type Result string

// The results, as they are read in conditions, events and metrics.
const (
	ResultSucceeded Result = "Succeeded"
	ResultFailed    Result = "Failed"
	ResultCanceled  Result = "Canceled"
)

// OptionsError says all that is missing or wrong in options.
type OptionsError struct {
	Problems []string
}

func (e *OptionsError) Error() string { return "controller options: " + strings.Join(e.Problems, "; ") }

// complete fills in what follows from the rest, and makes the runner. The
// error is an [*OptionsError], but where the runner finds another.
func (o *Options[T]) complete() (*runner.Runner[T], error) {
	var problems []string
	if o.Client == nil {
		problems = append(problems, "Client is missing")
	}
	if o.New == nil {
		problems = append(problems, "New is missing")
	}
	if _, ok := o.Keep.(*annotation[T]); ok && o.StatusSubresource {
		problems = append(problems, "Keep is an annotation, which cannot be written together with a status subresource; use InStatus")
	}
	if o.Keep != nil {
		if o.Runner.Read == nil {
			o.Runner.Read = o.Keep.Read
		}
		if o.Runner.Write == nil {
			o.Runner.Write = o.Keep.Write
		}
	} else if o.Runner.Read == nil || o.Runner.Write == nil {
		problems = append(problems, "Keep is missing; use InStatus or InAnnotation")
		// So that the runner does not complain of it once more.
		o.Runner.Read = func(T) (s runner.State, err error) { return s, nil }
		o.Runner.Write = func(T, runner.State) error { return nil }
	}
	if o.Reader == nil {
		o.Reader = o.Client
	}
	r, err := runner.New(o.Runner)
	var runners *runner.OptionsError
	if errors.As(err, &runners) {
		problems = append(problems, "Runner: "+strings.Join(runners.Problems, "; "))
	} else if err != nil {
		return nil, err
	}
	if problems != nil {
		return nil, &OptionsError{problems}
	}
	return r, nil
}
