package runner

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// Handler does the work of a phase.
//
// A handler is called at least once, and may be called again after a crash, a restart or
// a lost write, even if its work was done before. It must therefore be idempotent: first check
// whether the work has been done, then do what is missing.
//
// A handler must not sleep. If something takes time, start it, and return [Wait] until
// it has ended. The deadline of the phase, if it has one, bounds the context
// ([Phase].Deadline). Calls for different objects may be concurrent.
//
// Return [Done], [Wait] or [Fail], or an error to be retried, such as a timeout or a
// conflict ([Options].OnError can decide otherwise). Fail is final: the phase cannot be
// done. A panic counts as an error. A handler may change those parts of the object that
// are written with the state.
type Handler[T any] interface {
	Handle(ctx context.Context, object T, v Visit) (Result, error)
}

// Visit describes one visit to a phase, in which a handler is called.
type Visit struct {
	Itinerary, Phase string
	// Step is the step that shows the phase.
	Step string
	// Number counts the phases that the run and the runs before it have entered so far.
	// It distinguishes two visits to one phase.
	Number int64
	// Facts are the flags as the run knows them.
	Facts phases.Facts
}

// HandlerFunc adapts a function that does the work of one phase to a [Handler].
type HandlerFunc[T any] func(ctx context.Context, object T) (Result, error)

// Handle calls f.
func (f HandlerFunc[T]) Handle(ctx context.Context, object T, _ Visit) (Result, error) {
	return f(ctx, object)
}

// VisitFunc adapts a function that needs the visit, such as a switch over phases, to a
// [Handler].
type VisitFunc[T any] func(ctx context.Context, object T, v Visit) (Result, error)

// Handle calls f.
func (f VisitFunc[T]) Handle(ctx context.Context, object T, v Visit) (Result, error) {
	return f(ctx, object, v)
}

// ErrorAction is the reaction to an error of a handler.
type ErrorAction uint8

const (
	// ActionRetry calls the handler again after the backoff.
	ActionRetry ErrorAction = iota
	// ActionFail fails the phase, as [Fail] with the error's text does.
	ActionFail
	// ActionStop stops the run with a [*StopError] until the object changes; the
	// handler is then called again. A cleanup itinerary must reach its end, so there it
	// has the effect of ActionFail.
	ActionStop
)

type outcome uint8

const (
	undecided outcome = iota
	done
	wait
	fail
)

// Result is the result of a handler: [Done], [Wait] or [Fail]. The zero value is none
// of them, and an error.
type Result struct {
	outcome  outcome
	after    time.Duration
	choice   string
	message  string
	progress []string
	reasons  []string
}

// IsDone reports whether r was made by [Done].
func (r Result) IsDone() bool { return r.outcome == done }

// IsWait reports whether r was made by [Wait].
func (r Result) IsWait() bool { return r.outcome == wait }

// IsFail reports whether r was made by [Fail].
func (r Result) IsFail() bool { return r.outcome == fail }

// RequeueAfter returns the delay before the handler is called again or, for [Done],
// before the run continues. Zero for [Wait] means that the controller's watches decide.
func (r Result) RequeueAfter() time.Duration { return r.after }

// Choice returns the phase that the handler chose to enter next; empty if none.
func (r Result) Choice() string { return r.choice }

// Message returns the message of [Wait].
func (r Result) Message() string { return r.message }

// Progress returns a copy of the lines of progress of [Wait].
func (r Result) Progress() []string { return slices.Clone(r.progress) }

// Reasons returns a copy of the reasons of [Fail].
func (r Result) Reasons() []string { return slices.Clone(r.reasons) }

// String returns a description of r in one line, for logs and tests: "done", "wait 5s:
// copying (3 of 7 files)", "fail: no space left".
func (r Result) String() string {
	switch r.outcome {
	case done:
		text := "done"
		if r.choice != "" {
			text += ", continue with " + r.choice
		}
		if r.after > 0 {
			text += " after " + r.after.String()
		}
		return text
	case wait:
		text := "wait"
		if r.after != 0 {
			text += " " + r.after.String()
		}
		if r.message != "" {
			text += ": " + r.message
		}
		if len(r.progress) > 0 {
			text += " (" + strings.Join(r.progress, ", ") + ")"
		}
		return text
	case fail:
		return strings.TrimSuffix("fail: "+strings.Join(r.reasons, "; "), ": ")
	}
	return "neither done, wait nor fail"
}

// Done returns a result that ends the phase: its work is done. The run enters the next
// phase of the itinerary at once, unless options change that.
func Done(options ...DoneOption) Result {
	r := Result{outcome: done}
	for _, o := range options {
		if o != nil {
			o(&r)
		}
	}
	return r
}

// DoneOption changes how the run continues after [Done].
type DoneOption func(*Result)

// After lets the run continue only once d has passed; that moment is rounded up to a whole
// second. The handler is not called meanwhile, and no deadline counts. The flags that the phase
// decides are evaluated afterwards. A duration that is not positive has no effect.
func After(d time.Duration) DoneOption { return func(r *Result) { r.after = max(d, 0) } }

// Choose lets the run continue with the named phase, which the current phase must
// declare as a choice ([phases.Jump].Choice). Another name stops the run with a
// [*StopError]. In a cleanup itinerary, which must reach its end, the phase fails
// instead.
func Choose(phase string) DoneOption { return func(r *Result) { r.choice = phase } }

// Wait returns a result that keeps the phase open: its work has not ended. The handler
// is called again after the given duration; zero leaves that to the controller's
// watches. The message, if not empty, replaces the phase's description in the pipeline.
// The progress is shown as lines of detail.
func Wait(after time.Duration, message string, progress ...string) Result {
	return Result{outcome: wait, after: after, message: message, progress: progress}
}

// Fail returns a result that fails the phase: its work cannot be done. The reasons are
// sentences for users. The run leaves the itinerary for the one that the selector then
// names; a cleanup itinerary instead continues with its next phase, unless the selector
// names another that may follow it.
func Fail(reasons ...string) Result { return Result{outcome: fail, reasons: reasons} }
