package controller

import (
	"encoding/json"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// Keeper says where on an object the state is kept. The contract:
//
// Write changes the object in memory, and nothing but its status and
// annotations. Read gives back exactly what Write wrote, also after the object
// was at the API server; the reconciler checks that after each write, and
// returns a [*NotKeptError] where it is not so. Read gives the zero State where
// there is none yet. Both may be called on any object at any time.
type Keeper[T any] interface {
	Read(object T) (runner.State, error)
	Write(object T, s runner.State) error
}

// InStatus keeps the state in a field of the status, which field points to.
func InStatus[T any](field func(object T) *runner.State) Keeper[T] { return status[T](field) }

type status[T any] func(object T) *runner.State

func (field status[T]) Read(object T) (runner.State, error) { return *field(object).DeepCopy(), nil }

func (field status[T]) Write(object T, s runner.State) error {
	s.DeepCopyInto(field(object))
	return nil
}

// Fields point to the fields that a status has beside the annotation of
// [InAnnotation].
type Fields[T any] struct {
	// Pipeline is where people see the steps. It is needed.
	Pipeline func(object T) *steps.Pipeline
	// Itinerary and Phase are where people see them. Optional, both or none.
	// Where a migration is done, Phase stays at the last one.
	Itinerary, Phase func(object T) *string
}

// InAnnotation keeps the state as compact JSON in the annotation of that name,
// for custom resources without a status subresource whose status has no place
// for it, such as MTC's. The pipeline, the itinerary and the phase are in
// fields of their own.
//
// The fields count: where they name another itinerary or phase than the
// annotation does, something that does not know the annotation has moved the
// migration, and what else the annotation says is of another moment: all but
// the failures is dropped, and the flags are asked anew. Where there is no
// annotation yet, a migration that another controller began is taken over from
// the fields.
//
// Read returns an [*AnnotationError] where the annotation cannot be read.
func InAnnotation[T client.Object](name string, f Fields[T]) Keeper[T] {
	return &annotation[T]{name: name, Fields: f}
}

type annotation[T client.Object] struct {
	name string
	Fields[T]
}

// AnnotationError is an annotation that is not what [InAnnotation] wrote. The
// migration is stopped until somebody mends or removes it.
type AnnotationError struct {
	Annotation string
	Err        error
}

func (e *AnnotationError) Error() string {
	return fmt.Sprintf("annotation %q is not the state of a migration; mend it, or remove it to start from the status: %v", e.Annotation, e.Err)
}

// Unwrap returns what the JSON decoder found.
func (e *AnnotationError) Unwrap() error { return e.Err }

func (a *annotation[T]) Read(object T) (runner.State, error) {
	var s runner.State
	if text, ok := object.GetAnnotations()[a.name]; ok {
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			return runner.State{}, &AnnotationError{a.name, err}
		}
	}
	if a.Itinerary != nil && a.Phase != nil && !s.Done {
		itinerary, phase := *a.Itinerary(object), *a.Phase(object)
		if s.Itinerary != itinerary || s.Phase != phase {
			s = runner.State{Checkpoint: machine.Checkpoint{Itinerary: itinerary, Phase: phase}, Failures: s.Failures}
		}
	}
	s.Pipeline = a.Pipeline(object).DeepCopy()
	return s, nil
}

func (a *annotation[T]) Write(object T, s runner.State) error {
	s.Pipeline.DeepCopyInto(a.Pipeline(object))
	if a.Itinerary != nil && a.Phase != nil {
		*a.Itinerary(object) = s.Itinerary
		if !s.Done {
			*a.Phase(object) = s.Phase
		}
	}
	s.Pipeline = nil
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	all := map[string]string{}
	for k, v := range object.GetAnnotations() {
		all[k] = v
	}
	all[a.name] = string(text)
	object.SetAnnotations(all)
	return nil
}
