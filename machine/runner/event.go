package runner

import (
	"context"
	"log/slog"
	"time"

	"github.com/go-logr/logr"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// Event is something that happened in a reconcile: one of the structs below. It
// describes what is about to be written; if the write fails, the same happens again.
type Event interface {
	event() (name string, attributes []any)
}

// ItineraryBegun reports that an itinerary begins: the first one or, after a switch,
// another.
type ItineraryBegun struct {
	Itinerary string
	// PreviousItinerary is the itinerary that was left; empty if there is none.
	PreviousItinerary string
	// Phase is the phase in which PreviousItinerary was left; empty if it had not begun.
	Phase string
	// Failed reports whether PreviousItinerary was left because of a failure.
	Failed bool
}

// RunBegun reports that a new run begins, because the token of the object changed. The
// first run of an object has no such event.
type RunBegun struct {
	// Run is its number, and From is where it begins.
	Run  int64
	From RunFrom
	// Itinerary is the selected itinerary. Phase is the phase in which the run begins,
	// if it is the one that failed; empty for a run from the start.
	Itinerary, Phase string
	// Previous describes the run before.
	Previous PastRun
}

// FlagEvaluated reports that a flag was evaluated.
type FlagEvaluated struct {
	Itinerary string
	Flag      string
	Value     phases.Truth
	// Err is why the flag is unknown; nil if it is known, or not known yet.
	Err error
	// LeftBehind reports whether its source did not return although its context was
	// done, and has now been left behind.
	LeftBehind bool
}

// PipelineReplanned reports that the remaining steps have changed during a run.
type PipelineReplanned struct {
	Itinerary      string
	Added, Removed []string
}

// PhaseEntered reports that a phase was entered.
type PhaseEntered struct {
	Itinerary, Phase, Step string
	// Jumped reports whether a jump led to the phase.
	Jumped bool
}

// PhaseWaiting reports that a phase waits.
type PhaseWaiting struct {
	Itinerary, Phase string
	Message          string
	// Since is when it began to wait. RequeueAfter is the delay before it is called
	// again; zero leaves that to the controller's watches.
	Since        time.Time
	RequeueAfter time.Duration
}

// PhaseRetried reports that something failed and is retried.
type PhaseRetried struct {
	Itinerary, Phase string
	Kind             RetryKind
	// Flags are the flags of [RetryFlags].
	Flags []string
	Err   error
	// Attempt counts the consecutive failed attempts, from 1.
	Attempt      int64
	RequeueAfter time.Duration
}

// RunStopped reports that the run cannot continue until the object or the release is
// fixed ([IsTerminal]). There is one such event when it stops, and one when the reason
// changes.
type RunStopped struct {
	Itinerary, Phase string
	Err              error
}

// SwitchHeld reports that the selector names an itinerary that is not entered, because a
// cleanup itinerary has begun or the run is done. There is one such event for each
// itinerary that it names.
type SwitchHeld struct {
	Itinerary, Phase string
	Selected         string
	Done             bool
}

// PhaseExited reports that a phase is done and was left. A phase that failed has a
// PhaseFailed event instead.
type PhaseExited struct {
	Itinerary, Phase string
	// Took is the time since the phase was entered.
	Took time.Duration
}

// PhaseFailed reports that a phase has failed.
type PhaseFailed struct {
	Itinerary, Phase string
	Reasons          []string
	Took             time.Duration
}

// RunFinished reports that the run is done.
type RunFinished struct {
	Itinerary string
	Result    phases.Result
	// Failures and CleanupFailures count the phases of the run that failed outside and
	// in cleanup itineraries.
	Failures, CleanupFailures int64
}

// RunReconciled reports that a reconcile has ended. It is the last event of each
// reconcile that could read the state, even if nothing happened. Loggers ignore it.
type RunReconciled struct {
	// Key distinguishes the run from others ([Options].Key). Forget of an observer is
	// called with it. It is empty if there is no key.
	Key string
	// State is the state that is about to be written or, if it has not changed, the one
	// that was read. An observer must neither change nor retain it; copy what you keep.
	State *State
	// Changed, Requeue, RequeueAfter and Paused are those of the [Outcome].
	Changed, Requeue, Paused bool
	RequeueAfter             time.Duration
	// Err is the error of the reconcile, without that of the write; nil if there is
	// none.
	Err error
}

func (e ItineraryBegun) event() (string, []any) {
	return "itinerary begins", []any{"itinerary", e.Itinerary, "previousItinerary", e.PreviousItinerary, "phase", e.Phase,
		"failed", e.Failed}
}
func (e RunBegun) event() (string, []any) {
	return "run begins again", []any{"run", e.Run, "from", string(e.From), "itinerary", e.Itinerary, "phase", e.Phase,
		"previousResult", string(e.Previous.Result)}
}
func (e FlagEvaluated) event() (string, []any) {
	a := []any{"itinerary", e.Itinerary, "flag", e.Flag, "value", e.Value.String()}
	if e.Err != nil {
		a = append(a, "error", e.Err.Error())
	}
	return "flag evaluated", a
}
func (e PipelineReplanned) event() (string, []any) {
	return "steps replanned", []any{"itinerary", e.Itinerary, "added", e.Added, "removed", e.Removed}
}
func (e PhaseEntered) event() (string, []any) {
	return "phase entered", []any{"itinerary", e.Itinerary, "phase", e.Phase, "step", e.Step, "jumped", e.Jumped}
}
func (e PhaseWaiting) event() (string, []any) {
	return "phase waits", []any{"itinerary", e.Itinerary, "phase", e.Phase, "message", e.Message, "since", e.Since,
		"requeueAfter", e.RequeueAfter.String()}
}
func (e PhaseRetried) event() (string, []any) {
	return "retrying", []any{"itinerary", e.Itinerary, "phase", e.Phase, "kind", string(e.Kind), "flags", e.Flags, "attempt", e.Attempt,
		"error", e.Err.Error(), "requeueAfter", e.RequeueAfter.String()}
}
func (e RunStopped) event() (string, []any) {
	return "run stopped", []any{"itinerary", e.Itinerary, "phase", e.Phase, "error", e.Err.Error()}
}
func (e SwitchHeld) event() (string, []any) {
	return "selection not followed", []any{"itinerary", e.Itinerary, "phase", e.Phase, "selected", e.Selected, "done", e.Done}
}
func (e PhaseExited) event() (string, []any) {
	return "phase done", []any{"itinerary", e.Itinerary, "phase", e.Phase, "took", e.Took.String()}
}
func (e PhaseFailed) event() (string, []any) {
	return "phase failed", []any{"itinerary", e.Itinerary, "phase", e.Phase, "reasons", e.Reasons, "took", e.Took.String()}
}
func (e RunFinished) event() (string, []any) {
	return "run done", []any{"itinerary", e.Itinerary, "result", string(e.Result), "failures", e.Failures,
		"cleanupFailures", e.CleanupFailures}
}

func (e RunReconciled) event() (string, []any) {
	return "reconciled", []any{"itinerary", e.State.Itinerary, "phase", e.State.Phase, "changed", e.Changed,
		"requeueAfter", e.RequeueAfter.String()}
}

// Observer receives each event, in order, in the goroutine of the reconcile. A panic of
// an observer is caught and does no harm to the run. An observer that runners share
// must be safe for concurrent use.
//
// An observer that remembers runs also has a method
//
//	Forget(key string)
//
// [Runner.Forget] calls it for objects that are gone, with the key of the run's
// [RunReconciled] events. It may be called in any goroutine, more than once, and for
// runs of which the observer received no event.
type Observer[T any] interface {
	Observe(ctx context.Context, object T, e Event)
}

// ObserverFunc adapts a function to an [Observer].
type ObserverFunc[T any] func(ctx context.Context, object T, e Event)

// Observe calls f.
func (f ObserverFunc[T]) Observe(ctx context.Context, object T, e Event) { f(ctx, object, e) }

// NewLogrObserver returns an observer that logs events to the logger that log finds in the
// context; with controller-runtime, let log call its log.FromContext. Waiting phases, and
// flags that were evaluated without an error, are logged at level 1, and all other events
// but RunReconciled at level 0. If log is nil, it returns nil, which [New] refuses.
func NewLogrObserver[T any](log func(ctx context.Context) logr.Logger) Observer[T] {
	if log == nil {
		return nil // which New refuses
	}
	return ObserverFunc[T](func(ctx context.Context, _ T, e Event) {
		if _, ok := e.(RunReconciled); ok {
			return
		}
		name, attributes := e.event()
		log(ctx).V(verbosity(e)).Info(name, attributes...)
	})
}

// NewSlogObserver returns an observer that logs events: waiting phases, and flags that
// were evaluated without an error, at debug level; errors, failures and held switches as
// warnings; and all other events but RunReconciled as information. If log is nil, it
// returns nil, which [New] refuses.
func NewSlogObserver[T any](log *slog.Logger) Observer[T] {
	if log == nil {
		return nil // which New refuses
	}
	return ObserverFunc[T](func(ctx context.Context, _ T, e Event) {
		level := slog.LevelInfo
		switch e := e.(type) {
		case RunReconciled:
			return
		case PhaseFailed, PhaseRetried, RunStopped, SwitchHeld:
			level = slog.LevelWarn
		case FlagEvaluated:
			if e.Err != nil {
				level = slog.LevelWarn
			}
		}
		if verbosity(e) > 0 {
			level = slog.LevelDebug
		}
		name, attributes := e.event()
		log.Log(ctx, level, name, attributes...)
	})
}

func verbosity(e Event) int {
	switch e := e.(type) {
	case PhaseWaiting:
		return 1
	case FlagEvaluated:
		if e.Err == nil {
			return 1
		}
	}
	return 0
}
