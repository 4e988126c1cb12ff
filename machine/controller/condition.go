package controller

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// The conditions that a reconciler sets on types that have them. All four are
// there once the migration has begun.
const (
	// ConditionRunning is true from the first phase until the migration is
	// done, but while it is paused or stopped. Its reason is one of the Reason
	// constants; its message names the phase and, while that waits, since
	// when.
	ConditionRunning = "Running"
	// ConditionSucceeded and ConditionFailed tell of the [Result], which is
	// the reason of the former. Succeeded is unknown until the migration is
	// done; Failed is true as soon as a phase has failed.
	ConditionSucceeded = "Succeeded"
	ConditionFailed    = "Failed"
	// ConditionPaused is true while the migration is paused.
	ConditionPaused = "Paused"
)

// The reasons of the condition Running.
const (
	ReasonInPhase = "InPhase"
	ReasonWaiting = "Waiting"
	ReasonPaused  = "Paused"
	// ReasonStopped is read where nothing goes on until somebody mends the
	// object or the release: the recorded phase or itinerary is unknown, or
	// the state cannot be read. The message is the error.
	ReasonStopped = "Stopped"
	ReasonDone    = "Done"
)

// reasonNot is the reason of a condition that does not hold.
const reasonNot = "No"

// setConditions says in the object's conditions what came of a reconcile. Stop
// is why the migration cannot go on, or nil.
func (r *Reconciler[T]) setConditions(object T, out runner.Outcome, stop error) {
	s := out.State
	running, reason, message := metav1.ConditionTrue, ReasonInPhase, where(s.Itinerary, s.Phase)
	switch {
	case s.Done:
		running, reason, message = metav1.ConditionFalse, ReasonDone, fmt.Sprintf("itinerary %q has come to its end", s.Itinerary)
	case stop != nil:
		running, reason, message = metav1.ConditionFalse, ReasonStopped, stop.Error()
	case out.Paused:
		running, reason = metav1.ConditionFalse, ReasonPaused
	case s.WaitingSince != nil:
		reason = ReasonWaiting
		message += " waits since " + s.WaitingSince.UTC().Format(time.RFC3339)
		if step := s.Pipeline.Current(); step != nil && step.Message != "" {
			message += ": " + step.Message
		}
	}
	r.setCondition(object, ConditionRunning, running, reason, message)
	if stop != nil {
		return // the rest stays as it was: the state may not be known
	}

	switch result := r.result(object, s); {
	case !s.Done:
		r.setCondition(object, ConditionSucceeded, metav1.ConditionUnknown, ConditionRunning, "")
	case result == ResultSucceeded:
		r.setCondition(object, ConditionSucceeded, metav1.ConditionTrue, string(result), "")
	default:
		r.setCondition(object, ConditionSucceeded, metav1.ConditionFalse, string(result), "")
	}
	if n := len(s.Failures); n > 0 {
		r.setFailed(object, s.Failures[n-1])
	} else if r.result(object, s) == ResultFailed {
		r.setCondition(object, ConditionFailed, metav1.ConditionTrue, string(ResultFailed), "")
	} else {
		r.setCondition(object, ConditionFailed, metav1.ConditionFalse, reasonNot, "")
	}
	if out.Paused {
		r.setCondition(object, ConditionPaused, metav1.ConditionTrue, ReasonPaused, "")
	} else {
		r.setCondition(object, ConditionPaused, metav1.ConditionFalse, reasonNot, "")
	}
}

// setFailed sets the condition Failed.
func (r *Reconciler[T]) setFailed(object T, f runner.Failure) {
	r.setCondition(object, ConditionFailed, metav1.ConditionTrue, string(ResultFailed), failed(f.Itinerary, f.Phase, f.Reasons))
}

func (r *Reconciler[T]) setCondition(object T, kind string, status metav1.ConditionStatus, reason, message string) {
	c := metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: short(message),
		LastTransitionTime: metav1.NewTime(r.now().UTC().Truncate(time.Second)),
	}
	// Without a status subresource each write makes a new generation, this one
	// as well: there would be no end.
	if r.o.StatusSubresource {
		c.ObservedGeneration = object.GetGeneration()
	}
	meta.SetStatusCondition(r.o.Conditions(object), c)
}

// result says how a migration ends, as it stands.
func (r *Reconciler[T]) result(object T, s runner.State) Result {
	if r.o.Result != nil {
		return r.o.Result(object, s)
	}
	if len(s.Failures) > 0 || r.o.Runner.Failed != nil && r.o.Runner.Failed(object) {
		return ResultFailed
	}
	for i := range s.Pipeline {
		if s.Pipeline[i].Message == steps.MessageCanceled {
			return ResultCanceled
		}
	}
	return ResultSucceeded
}

// mergeConditions returns the fresh conditions with what a reconcile changed
// from before to after put onto them.
func mergeConditions(before, after, fresh []metav1.Condition) []metav1.Condition {
	merged := append([]metav1.Condition(nil), fresh...)
	for _, c := range before {
		if meta.FindStatusCondition(after, c.Type) == nil {
			meta.RemoveStatusCondition(&merged, c.Type)
		}
	}
	for _, c := range after {
		if was := meta.FindStatusCondition(before, c.Type); was == nil || *was != c {
			meta.SetStatusCondition(&merged, c)
		}
	}
	return merged
}

// holds says whether the object has that condition, for that reason where one
// is given.
func (r *Reconciler[T]) holds(object T, kind string, status metav1.ConditionStatus, reason string) bool {
	if r.o.Conditions == nil {
		return false
	}
	c := meta.FindStatusCondition(*r.o.Conditions(object), kind)
	return c != nil && c.Status == status && (reason == "" || c.Reason == reason)
}

func where(itinerary, phase string) string {
	if phase == "" {
		return fmt.Sprintf("itinerary %q is about to begin", itinerary)
	}
	return fmt.Sprintf("phase %q of itinerary %q", phase, itinerary)
}

func failed(itinerary, phase string, reasons []string) string {
	message := where(itinerary, phase) + " failed"
	if len(reasons) > 0 {
		message += ": " + strings.Join(reasons, "; ")
	}
	return message
}

// maxMessage is what an API server takes as the note of an event.
const maxMessage = 1024

// short cuts a message where the API server would refuse it.
func short(message string) string {
	if len(message) <= maxMessage {
		return message
	}
	const more = "..."
	n := maxMessage - len(more)
	for !utf8.RuneStart(message[n]) {
		n--
	}
	return message[:n] + more
}
