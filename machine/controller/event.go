package controller

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine/debug"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// The reasons of Kubernetes events. There is one event, after the write, for each
// transition that users look for. There is none for each phase, since client-go drops
// some of more than 25 consecutive events on one object.
const (
	EventBegun = "ItineraryBegun"
	// EventRunAgain means that a new run begins, because the token of the object changed.
	EventRunAgain    = "RunAgain"
	EventStepStarted = "StepStarted"
	EventPhaseFailed = "PhaseFailed"
	EventReplanned   = "Replanned"
	// These four mean that the run has ended, by its [phases.Result].
	EventSucceeded  = "RunSucceeded"
	EventFailed     = "RunFailed"
	EventCanceled   = "RunCanceled"
	EventRolledBack = "RunRolledBack"
	// EventRetrying and EventFlagsUnknown mean that the retry of a phase, or of flags,
	// begins, or that its error has changed. There is no event for each attempt, nor
	// for the end of the retry, which the condition shows. EventRetrying also means that
	// the object cannot be read or written, which is retried.
	EventRetrying     = "Retrying"
	EventFlagsUnknown = "FlagsUnknown"
	// EventStopped means that the run is stopped, or that the reason has changed.
	EventStopped = "Stopped"
	// EventSwitchHeld means that the object selects an itinerary that is not entered.
	// It is recorded once for each such itinerary.
	EventSwitchHeld = "SwitchHeld"
	// These two are recorded for types that have conditions, and for items of a list.
	EventPaused  = "Paused"
	EventResumed = "Resumed"
)

// callKey is the context key of a called run.
type callKey struct{}

// called returns the run that is called in a context, or nil.
func called(ctx context.Context) *run {
	r, _ := ctx.Value(callKey{}).(*run)
	return r
}

// record holds what happened while the runner was called.
type record struct {
	events []runner.Event
	// paused is the result of Paused of the options, and pauseKnown reports whether it
	// returned one.
	paused, pauseKnown bool
}

// recordPause wraps Paused of the options to record its result.
func recordPause[T any](o *runner.Options[T]) {
	paused := o.Paused
	if paused == nil {
		return
	}
	o.Paused = func(ctx context.Context, object T) (bool, error) {
		is, err := paused(ctx, object)
		if r := called(ctx); r != nil {
			r.paused, r.pauseKnown = is, err == nil
		}
		return is, err
	}
}

// recordRuns adds an observer that records the runs, if runs is not nil.
func recordRuns[T any](o *runner.Options[T], runs *debug.Recorder) error {
	if runs == nil {
		return nil
	}
	observer, err := debug.NewObserver[T](runs, nil)
	o.Observers = append(o.Observers, observer)
	return err
}

// observe keeps an event until it is written.
func (r *Reconciler[T]) observe(ctx context.Context, e runner.Event) {
	if _, ok := e.(runner.RunReconciled); ok { // its state must not be retained
		return
	}
	r.metrics.happened(e)
	if r := called(ctx); r != nil {
		r.events = append(r.events, e)
	}
}

// recordEvents reports what happened, once it is written.
func (r *Reconciler[T]) recordEvents(c *call[T]) {
	for _, run := range c.runs {
		for _, e := range run.events {
			r.metrics.written(e)
		}
		if r.o.Recorder != nil {
			r.recordRun(c, run)
		}
	}
}

// recordRun records the events of one run.
func (r *Reconciler[T]) recordRun(c *call[T], run *run) {
	record := func(kind, reason, format string, args ...any) {
		r.o.Recorder.Event(c.object, kind, reason, short(run.name(fmt.Sprintf(format, args...))))
	}
	// Only the condition shows whether a pause was reported. For an item, its state
	// does.
	was := r.holds(c.base, ConditionPaused, metav1.ConditionTrue, "")
	is := r.holds(c.object, ConditionPaused, metav1.ConditionTrue, "")
	if run.item != "" {
		was, is = run.was.PausedSince != nil, run.out.State.PausedSince != nil
	}
	switch at := where(run.was.Itinerary, run.was.Phase); {
	case is && !was:
		record(corev1.EventTypeNormal, EventPaused, "paused: %s", at)
	case was && !is && !run.paused && run.pauseKnown:
		record(corev1.EventTypeNormal, EventResumed, "resumed: %s", at)
	}

	started := map[string]bool{}
	for i := range run.was.Pipeline {
		started[run.was.Pipeline[i].Name] = run.was.Pipeline[i].Ran()
	}
	for _, e := range run.events {
		switch e := e.(type) {
		case runner.ItineraryBegun:
			switch {
			case e.PreviousItinerary == "":
				record(corev1.EventTypeNormal, EventBegun, "itinerary %q begins", e.Itinerary)
			case e.Failed:
				record(corev1.EventTypeWarning, EventBegun, "itinerary %q begins, since %q failed", e.Itinerary, e.PreviousItinerary)
			default:
				record(corev1.EventTypeNormal, EventBegun, "itinerary %q begins, and %q is left", e.Itinerary, e.PreviousItinerary)
			}
		case runner.RunBegun:
			for i := range run.was.Pipeline { // a step that the new run has not kept starts again
				was := &run.was.Pipeline[i]
				is, ok := run.out.State.Pipeline.Lookup(was.Name)
				started[was.Name] = ok && was.Ran() && was.Started.Equal(is.Started)
			}
			record(corev1.EventTypeNormal, EventRunAgain, "%s", runAgain(e))
		case runner.PhaseEntered:
			if e.Step != "" && !started[e.Step] {
				started[e.Step] = true
				record(corev1.EventTypeNormal, EventStepStarted, "step %q has started, with phase %q", e.Step, e.Phase)
			}
		case runner.PhaseFailed:
			record(corev1.EventTypeWarning, EventPhaseFailed, "%s", failed(e.Itinerary, e.Phase, e.Reasons))
		case runner.PipelineReplanned:
			record(corev1.EventTypeNormal, EventReplanned, "%s", replanned(e))
		case runner.RunStopped:
			record(corev1.EventTypeWarning, EventStopped, "%v", e.Err)
		case runner.SwitchHeld:
			record(corev1.EventTypeWarning, EventSwitchHeld, "%s", switchHeld(e.Itinerary, e.Selected, e.Done))
		case runner.RunFinished:
			kind, reason := resultEvent(e.Result)
			record(kind, reason, "%s", ended(e.Itinerary, e.CleanupFailures))
		}
	}
	if retryBegins(run.was, run.out.State) {
		reason := EventRetrying
		if run.out.State.Retry.Kind == runner.RetryFlags {
			reason = EventFlagsUnknown
		}
		record(corev1.EventTypeWarning, reason, "%s", retrying(&run.out.State))
	}
}

// retryBegins reports whether a state has a retry that the state before did not have,
// or whose error is different.
func retryBegins(was, is runner.State) bool {
	if is.Retry == nil {
		return false
	}
	return was.Retry == nil || was.Retry.Error != is.Retry.Error || !was.Retry.Since.Equal(&is.Retry.Since)
}

// resultEvent returns the type and the reason of the event for a result.
func resultEvent(r phases.Result) (kind, reason string) {
	switch r {
	case phases.Failed:
		return corev1.EventTypeWarning, EventFailed
	case phases.Canceled:
		return corev1.EventTypeNormal, EventCanceled
	case phases.RolledBack:
		return corev1.EventTypeNormal, EventRolledBack
	}
	return corev1.EventTypeNormal, EventSucceeded
}

func runAgain(e runner.RunBegun) string {
	from := "from the start"
	if e.Phase != "" {
		from = fmt.Sprintf("from phase %q", e.Phase)
	}
	return fmt.Sprintf("run %d begins, in itinerary %q %s", e.Run, e.Itinerary, from)
}

func replanned(e runner.PipelineReplanned) string {
	var parts []string
	if len(e.Added) > 0 {
		parts = append(parts, "added: "+strings.Join(e.Added, ", "))
	}
	if len(e.Removed) > 0 {
		parts = append(parts, "removed: "+strings.Join(e.Removed, ", "))
	}
	return strings.Join(parts, "; ")
}
