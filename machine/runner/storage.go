package runner

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// Storage reads and writes the state of a run on its object. Use [NewStatusStorage],
// [NewAnnotationStorage], or two functions that keep this contract:
//
//   - Write changes the object in memory, and only its status and annotations.
//   - Read returns exactly what Write wrote, even after the object was at the API
//     server. machine/controller checks that after each write. Read returns the zero
//     State if there is none yet.
//   - Both may be called with any object at any time, even an empty one, and for
//     different objects concurrently.
//
// An error is retried, except an [*AnnotationError], which stops the run until the
// object changes.
type Storage[T any] struct {
	Read  func(ctx context.Context, object T) (State, error)
	Write func(ctx context.Context, object T, s State) error
	// Annotation is the annotation that Write changes; empty if it changes none.
	Annotation string

	problems []string // found when the storage was made
}

// check returns what is missing or invalid.
func (s Storage[T]) check() []string {
	switch {
	case s.problems != nil:
		return s.problems
	case s.Read == nil && s.Write == nil:
		return []string{"Storage is missing; use NewStatusStorage or NewAnnotationStorage"}
	case s.Read == nil || s.Write == nil:
		return []string{"Storage has only one of Read and Write; give both"}
	}
	return nil
}

// NewStatusStorage returns a storage that keeps the state in a field of the status. The
// function field returns a pointer to it; if the field is itself a nil pointer, it must
// allocate it.
func NewStatusStorage[T any](field func(object T) *State) Storage[T] {
	if field == nil {
		return Storage[T]{problems: []string{"Storage: NewStatusStorage has no function; give one that returns a pointer to the state"}}
	}
	return Storage[T]{
		Read: func(_ context.Context, object T) (State, error) { return *field(object).DeepCopy(), nil },
		Write: func(_ context.Context, object T, s State) error {
			s.DeepCopyInto(field(object))
			return nil
		},
	}
}

// Fields are functions that return pointers to the fields of a status that complement
// the annotation of [NewAnnotationStorage].
type Fields[T any] struct {
	// Pipeline is where users see the steps. It is required unless Steps is given.
	Pipeline func(object T) *steps.Pipeline
	// Steps is where users see the steps if they have the embedder's own type. It
	// excludes Pipeline.
	Steps StepsField[T]
	// Itinerary and Phase are where users see them. Set both or neither. When a run is
	// done, Phase is the end phase, or the last phase if there is no end phase.
	Itinerary, Phase func(object T) *string
}

// StepsField is a field of a status that holds steps of the embedder's own type, as
// [AlikeSteps] returns it. The zero value means no field.
type StepsField[T any] struct {
	read  func(object T) (steps.Pipeline, error)
	write func(object T, p steps.Pipeline) error
}

// AlikeSteps returns a field of type []S, to which list returns a pointer. S is a
// struct, or a pointer to one, whose JSON has the fields of [steps.Step]: see
// [steps.FromAlike]. A list that cannot be converted is a [*steps.AlikeError].
func AlikeSteps[T, S any](list func(object T) *[]S) StepsField[T] {
	return StepsField[T]{
		read: func(object T) (steps.Pipeline, error) { return steps.FromAlike(*list(object)) },
		write: func(object T, p steps.Pipeline) error {
			field := list(object)
			alike, err := steps.ToAlike(p, *field)
			if err != nil {
				return err
			}
			*field = alike
			return nil
		},
	}
}

// pipelineField returns a field whose type is [steps.Pipeline].
func pipelineField[T any](field func(object T) *steps.Pipeline) StepsField[T] {
	return StepsField[T]{
		read: func(object T) (steps.Pipeline, error) { return field(object).DeepCopy(), nil },
		write: func(object T, p steps.Pipeline) error {
			p.DeepCopyInto(field(object))
			return nil
		},
	}
}

// NewAnnotationStorage returns a storage that keeps the state as compact JSON in the
// named annotation. It is for custom resources without a status subresource whose
// status has no place for the state, such as MTC's. The pipeline, the itinerary and the
// phase are in the fields of f.
//
// The fields take precedence, unless the annotation records that the run is done: the
// itinerary and the phase are then not read from them. If they name another itinerary or phase than the
// annotation does, a client that does not know the annotation has moved the run, and
// most of the annotation is outdated. Then only its history is kept (failures,
// switches, the result, the token, past runs), and the flags are evaluated again. If
// there is no annotation yet, the fields describe a run that another controller began,
// which is taken over.
//
// Read returns an [*AnnotationError] if the annotation cannot be read. It takes time
// and memory linear in the size of the annotation, whatever that holds.
func NewAnnotationStorage[T metav1.Object](name string, f Fields[T]) Storage[T] {
	a := annotation[T]{name: name, Fields: f}
	if problems := a.check(); problems != nil {
		return Storage[T]{problems: problems}
	}
	if a.Pipeline != nil {
		a.Steps = pipelineField(a.Pipeline)
	}
	return Storage[T]{Read: a.read, Write: a.write, Annotation: name}
}

type annotation[T metav1.Object] struct {
	name string
	Fields[T]
}

func (a annotation[T]) check() (problems []string) {
	// API servers compare keys in lower case.
	for _, problem := range validation.IsQualifiedName(strings.ToLower(a.name)) {
		problems = append(problems, fmt.Sprintf("Storage: %q is not the key of an annotation: %s", a.name, problem))
	}
	switch {
	case a.Pipeline == nil && a.Steps.read == nil:
		problems = append(problems, "Storage: Fields.Pipeline is missing; give a function that returns a pointer to the pipeline, or Steps")
	case a.Pipeline != nil && a.Steps.read != nil:
		problems = append(problems, "Storage: Fields has both Pipeline and Steps; give one of them")
	}
	if (a.Itinerary == nil) != (a.Phase == nil) {
		problems = append(problems, "Storage: Fields has only one of Itinerary and Phase; give both or neither")
	}
	return problems
}

// maxAnnotation is the maximum size that API servers accept for all annotations of an
// object together.
const maxAnnotation = 256 << 10

// AnnotationError is returned for an annotation that [NewAnnotationStorage] did not
// write. The run is stopped until the annotation is fixed or removed.
type AnnotationError struct {
	Annotation string
	Err        error
}

func (e *AnnotationError) Error() string {
	return fmt.Sprintf("annotation %q is not the state of a run; fix it, or remove it to start from the status: %v", e.Annotation, e.Err)
}

// Unwrap returns the error of the JSON decoder.
func (e *AnnotationError) Unwrap() error { return e.Err }

func (a annotation[T]) read(_ context.Context, object T) (State, error) {
	var s State
	if text, ok := object.GetAnnotations()[a.name]; ok {
		if len(text) > maxAnnotation {
			return State{}, &AnnotationError{a.name,
				fmt.Errorf("it has %d bytes, but all annotations of an object together may have %d", len(text), maxAnnotation)}
		}
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			return State{}, &AnnotationError{a.name, err}
		}
	}
	if a.Itinerary != nil && a.Phase != nil && !s.Done {
		itinerary, phase := *a.Itinerary(object), *a.Phase(object)
		if s.Itinerary != itinerary || s.Phase != phase {
			s = State{
				Checkpoint: machine.Checkpoint{Itinerary: itinerary, Phase: phase},
				Switches:   s.Switches, Result: s.Result, FailedPhases: s.FailedPhases, FailedInCleanup: s.FailedInCleanup,
				Failures: s.Failures, Dropped: s.Dropped, FailedAt: s.FailedAt,
				Token: s.Token, Run: s.Run, RunStarted: s.RunStarted, Runs: s.Runs,
			}
		}
	}
	var err error
	s.Pipeline, err = a.Steps.read(object)
	return s, err
}

func (a annotation[T]) write(_ context.Context, object T, s State) error {
	if err := a.Steps.write(object, s.Pipeline); err != nil {
		return err
	}
	if a.Itinerary != nil && a.Phase != nil {
		*a.Itinerary(object) = s.Itinerary
		if !s.Done || s.Phase != "" {
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
