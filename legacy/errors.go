package legacy

import "fmt"

// StatusError reports that a status is not JSON, or that a part of it has a type
// or form that the status of a MigMigration cannot have. For a typed status, it
// also reports that the type cannot be converted to JSON or back. Nothing was
// converted; fix the status at Place and retry.
type StatusError struct {
	// Place is the path in the status, such as "status.pipeline[3].name".
	Place string
	// Problem describes what is wrong there.
	Problem string
	// Err is the cause if the status cannot be converted from or to JSON;
	// otherwise nil.
	Err error
}

// in returns the error with place in front of its own.
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

// RemainderError warns that a remainder was ignored, because it is broken, has a
// version that this release cannot read, or does not belong to the status. The
// status was converted without it.
type RemainderError struct {
	// Problem describes what is wrong with the remainder.
	Problem string
	// Err is the cause if the remainder cannot be read; otherwise nil.
	Err error
}

func (e *RemainderError) Error() string {
	text := "annotation " + Annotation + " is ignored: it " + e.Problem
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text + "; skipped steps and former phase names are not restored"
}

// Unwrap returns the cause.
func (e *RemainderError) Unwrap() error { return e.Err }

// NotPlannedError warns that the steps not started were kept instead of
// replanned, because the selected itinerary does not have the recorded phase.
// Until that phase is fixed, the migration cannot resume either.
type NotPlannedError struct {
	// Err is the cause, a [*machine.UnknownPhaseError].
	Err error
}

func (e *NotPlannedError) Error() string {
	return fmt.Sprintf("steps not started stay as they were: %v", e.Err)
}

// Unwrap returns the cause.
func (e *NotPlannedError) Unwrap() error { return e.Err }
