package legacy

import "fmt"

// StatusError reports that a status cannot be read: it is not JSON, or a part of
// it is not what a MigMigration has there. Nothing was adapted; fix the status
// at Place and retry.
type StatusError struct {
	// Place is the path in the status, such as "status.pipeline[3].name".
	Place string
	// Problem describes what is wrong there.
	Problem string
	// Err is the cause if the status is not JSON; else nil.
	Err error
}

// in returns the error with its place in another.
func (e *StatusError) in(place string) *StatusError {
	return &StatusError{Place: place + e.Place, Problem: e.Problem, Err: e.Err}
}

func (e *StatusError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s %s: %v", e.Place, e.Problem, e.Err)
	}
	return e.Place + " " + e.Problem
}

// Unwrap returns the cause.
func (e *StatusError) Unwrap() error { return e.Err }

// RemainderError warns that a remainder was ignored: it is broken, of a release
// that this one does not know, or does not belong to the status.
// The status was adapted as if there were none.
type RemainderError struct {
	// Problem describes what is wrong with it.
	Problem string
	// Err is the cause if the remainder cannot be read; else nil.
	Err error
}

func (e *RemainderError) Error() string {
	text := "annotation " + Annotation + " is ignored: it " + e.Problem
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text + "; skipped steps and old phase names stay lost"
}

// Unwrap returns the cause.
func (e *RemainderError) Unwrap() error { return e.Err }

// NotPlannedError warns that the steps that have not started were not replanned,
// since the selected itinerary does not have the recorded phase. They stay as
// they were. The migration cannot resume either, until the phase
// is fixed: see [machine.UnknownPhaseError], which is the cause.
type NotPlannedError struct {
	Err error
}

func (e *NotPlannedError) Error() string {
	return fmt.Sprintf("steps not started stay as they were: %v", e.Err)
}

// Unwrap returns the cause.
func (e *NotPlannedError) Unwrap() error { return e.Err }
