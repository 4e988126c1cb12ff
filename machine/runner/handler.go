package runner

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// Handler does the work of a phase. The contract:
//
// It is called at least once, and again after every crash, restart or lost
// write, also if it was done before: so it must be idempotent. Look first
// whether the work has been done, then do what is missing.
//
// It does not sleep. If something takes time, it starts it, and returns [Wait]
// until that has ended.
//
// It returns Done, Wait or Fail, or an error to be retried: a request that timed
// out, a conflict ([Options].OnError decides otherwise). Fail is final: the phase
// cannot be done. A panic counts as an error. It may change the object that it
// is given, as far as that is written with the state.
type Handler[T any] interface {
	Handle(ctx context.Context, object T, v Visit) (Result, error)
}

// Visit is where a handler is called: one visit to a phase.
type Visit struct {
	Itinerary, Phase string
	// Step is the step that shows the phase.
	Step string
	// Number is the number of phases that the run and those before it have
	// entered so far: it tells two visits to one phase apart.
	Number int64
	// Facts are the flags as the run knows them.
	Facts phases.Facts
}

// HandlerFunc makes a [Handler] of a function that does one phase's work.
type HandlerFunc[T any] func(ctx context.Context, object T) (Result, error)

// Handle calls f.
func (f HandlerFunc[T]) Handle(ctx context.Context, object T, _ Visit) (Result, error) {
	return f(ctx, object)
}

// VisitFunc makes a [Handler] of a function that looks at where it is called,
// such as a switch over phases.
type VisitFunc[T any] func(ctx context.Context, object T, v Visit) (Result, error)

// Handle calls f.
func (f VisitFunc[T]) Handle(ctx context.Context, object T, v Visit) (Result, error) {
	return f(ctx, object, v)
}

// ErrorAction is what an error of a handler means.
type ErrorAction uint8

const (
	// ActionRetry calls the handler again after the backoff.
	ActionRetry ErrorAction = iota
	// ActionFail fails the phase, as [Fail] with the error's text does.
	ActionFail
	// ActionStop stops the run with a [*StopError] until the object changes;
	// the handler is then called again. In a cleanup itinerary, which must reach
	// its end, it is ActionFail.
	ActionStop
)

type outcome uint8

const (
	undecided outcome = iota
	done
	wait
	fail
)

// Result is what a handler returns: [Done], [Wait] or [Fail]. The zero value
// is none of them, and an error.
type Result struct {
	outcome  outcome
	after    time.Duration
	choice   string
	message  string
	progress []string
	reasons  []string
}

// IsDone reports whether the result is that of [Done].
func (r Result) IsDone() bool { return r.outcome == done }

// IsWait reports whether the result is that of [Wait].
func (r Result) IsWait() bool { return r.outcome == wait }

// IsFail reports whether the result is that of [Fail].
func (r Result) IsFail() bool { return r.outcome == fail }

// RequeueAfter returns after how long the handler wants to be called again, or,
// of [Done], the run goes on; zero of [Wait] leaves it to the controller's watches.
func (r Result) RequeueAfter() time.Duration { return r.after }

// Choice returns the phase that the handler chose to go on with; empty if none.
func (r Result) Choice() string { return r.choice }

// Message returns the message of [Wait].
func (r Result) Message() string { return r.message }

// Progress returns a copy of the lines of progress of [Wait].
func (r Result) Progress() []string { return slices.Clone(r.progress) }

// Reasons returns a copy of the reasons of [Fail].
func (r Result) Reasons() []string { return slices.Clone(r.reasons) }

// String describes the result in a line, for logs and tests: "done",
// "wait 5s: copying (3 of 7 files)", "fail: no space left".
func (r Result) String() string {
	switch r.outcome {
	case done:
		text := "done"
		if r.choice != "" {
			text += ", go on with " + r.choice
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

// Done returns that the work of the phase is done. The run goes on at once, with
// what the itinerary says, unless the options say otherwise.
func Done(options ...DoneOption) Result {
	r := Result{outcome: done}
	for _, o := range options {
		if o != nil {
			o(&r)
		}
	}
	return r
}

// DoneOption changes how the run goes on after [Done].
type DoneOption func(*Result)

// After lets the run go on after a duration, in whole seconds, rounded up. The
// handler is not called meanwhile, and no deadline counts. What the phase decides
// is evaluated then. A duration that is not positive has no effect.
func After(d time.Duration) DoneOption { return func(r *Result) { r.after = max(d, 0) } }

// Choose lets the run go on with the phase of that name, one that the current
// phase declares as a choice ([phases.Jump].Choice). Another name stops the run
// with a [*StopError]; in a cleanup itinerary, which must reach its end, the phase
// fails.
func Choose(phase string) DoneOption { return func(r *Result) { r.choice = phase } }

// Wait returns that the work is going on, and that the handler wants to be
// called again after that long; zero leaves it to the controller's watches. The
// message, if not empty, replaces the phase's description in the pipeline, and
// progress are lines of detail.
func Wait(after time.Duration, message string, progress ...string) Result {
	return Result{outcome: wait, after: after, message: message, progress: progress}
}

// Fail returns that the work cannot be done, and why, in sentences for users.
// The run leaves the itinerary for the one that the selector names then.
func Fail(reasons ...string) Result { return Result{outcome: fail, reasons: reasons} }
