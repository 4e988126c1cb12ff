package controller

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// The reasons of Kubernetes events. There is one event for each transition
// that people look for, once it is written: not for each phase, since of more
// than 25 events in a row on one object client-go drops some.
const (
	EventBegun       = "ItineraryBegun"
	EventStepStarted = "StepStarted"
	EventPhaseFailed = "PhaseFailed"
	EventReplanned   = "Replanned"
	EventSucceeded   = "MigrationSucceeded"
	EventFailed      = "MigrationFailed"
	EventCanceled    = "MigrationCanceled"
	// These three on types that have conditions.
	EventPaused  = "Paused"
	EventResumed = "Resumed"
	EventStopped = "Stopped"
)

// callKey is where the context of a call has its events.
type callKey struct{}

// observe keeps an event until it is written.
func (r *Reconciler[T]) observe(ctx context.Context, _ T, e runner.Event) {
	r.metrics.happened(e)
	if events, ok := ctx.Value(callKey{}).(*[]runner.Event); ok {
		*events = append(*events, e)
	}
}

// tell tells of what has happened and is written.
func (r *Reconciler[T]) tell(c *call[T]) {
	result := r.result(c.object, c.out.State)
	for _, e := range c.events {
		r.metrics.written(e, result)
	}
	if r.o.Recorder == nil {
		return
	}
	record := func(kind, reason, format string, args ...any) {
		r.o.Recorder.Event(c.object, kind, reason, short(fmt.Sprintf(format, args...)))
	}
	// The conditions alone remember whether these were told.
	changed := func(kind string, status metav1.ConditionStatus, reason string) (began, ended bool) {
		was, is := r.holds(c.read, kind, status, reason), r.holds(c.object, kind, status, reason)
		return is && !was, was && !is
	}
	paused, resumed := changed(ConditionPaused, metav1.ConditionTrue, "")
	stopped, _ := changed(ConditionRunning, metav1.ConditionFalse, ReasonStopped)
	at := where(c.was.Itinerary, c.was.Phase)
	switch {
	case stopped:
		record(corev1.EventTypeWarning, EventStopped, "%v", c.err)
	case paused:
		record(corev1.EventTypeNormal, EventPaused, "paused: %s", at)
	case resumed:
		record(corev1.EventTypeNormal, EventResumed, "resumed: %s", at)
	}

	started := map[string]bool{}
	for i := range c.was.Pipeline {
		started[c.was.Pipeline[i].Name] = c.was.Pipeline[i].Ran()
	}
	for _, e := range c.events {
		switch e := e.(type) {
		case runner.Begun:
			switch {
			case e.Left == "":
				record(corev1.EventTypeNormal, EventBegun, "itinerary %q begins", e.Itinerary)
			case e.Failed:
				record(corev1.EventTypeWarning, EventBegun, "itinerary %q begins, since %q failed", e.Itinerary, e.Left)
			default:
				record(corev1.EventTypeNormal, EventBegun, "itinerary %q begins, %q is left", e.Itinerary, e.Left)
			}
		case runner.Entered:
			if e.Step != "" && !started[e.Step] {
				started[e.Step] = true
				record(corev1.EventTypeNormal, EventStepStarted, "step %q has started, with phase %q", e.Step, e.Phase)
			}
		case runner.Failed:
			record(corev1.EventTypeWarning, EventPhaseFailed, "%s", failed(e.Itinerary, e.Phase, e.Reasons))
		case runner.Replanned:
			record(corev1.EventTypeNormal, EventReplanned, "%s", replanned(e))
		case runner.Finished:
			kind, reason := corev1.EventTypeNormal, EventSucceeded
			switch result {
			case ResultFailed:
				kind, reason = corev1.EventTypeWarning, EventFailed
			case ResultCanceled:
				reason = EventCanceled
			}
			record(kind, reason, "itinerary %q has come to its end", e.Itinerary)
		}
	}
}

func replanned(e runner.Replanned) string {
	var parts []string
	if len(e.Added) > 0 {
		parts = append(parts, "to come as well: "+strings.Join(e.Added, ", "))
	}
	if len(e.Removed) > 0 {
		parts = append(parts, "no more to come: "+strings.Join(e.Removed, ", "))
	}
	return strings.Join(parts, "; ")
}
