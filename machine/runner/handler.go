package runner

import (
	"context"
	"strings"
	"time"
)

// Handler does the work of a phase. The contract:
//
// It is called at least once, and again after every crash, restart or lost
// write, also where it was done before: so it has to be idempotent. Look first
// whether the work has been done, then do what is missing.
//
// It does not sleep. Where something takes time, it starts it, and returns
// [Wait] until it has come to its end.
//
// It returns Done, Wait or Fail, or an error to be tried again: a request that
// timed out, a conflict. Fail is for good: the phase cannot come to its end.
// A panic counts as an error. It may change the object that it is given, as
// far as that is written with the state.
type Handler[T any] interface {
	Handle(ctx context.Context, object T) (Result, error)
}

// HandlerFunc makes a [Handler] of a function.
type HandlerFunc[T any] func(ctx context.Context, object T) (Result, error)

// Handle calls f.
func (f HandlerFunc[T]) Handle(ctx context.Context, object T) (Result, error) { return f(ctx, object) }

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
	message  string
	progress []string
	reasons  []string
}

// IsDone reports whether the result is that of [Done].
func (r Result) IsDone() bool { return r.outcome == done }

// String describes the result in a line, for logs and tests: "done",
// "wait 5s: copying (3 of 7 files)", "fail: no space left".
func (r Result) String() string {
	switch r.outcome {
	case done:
		return "done"
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

// Done says that the work of the phase is done.
func Done() Result { return Result{outcome: done} }

// Wait says that the work is going on, and that the handler wants to be called
// again after that long; 0 leaves it to the controller's watches. The message
// replaces the phase's description in the pipeline, where it is not empty, and
// the progress are lines of detail.
func Wait(after time.Duration, message string, progress ...string) Result {
	return Result{outcome: wait, after: after, message: message, progress: progress}
}

// Fail says that the work cannot be done, and why, in sentences for people.
// The run leaves the itinerary for the one that the selector names then.
func Fail(reasons ...string) Result { return Result{outcome: fail, reasons: reasons} }
