package controller

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// The conditions that a reconciler sets on types that have them. All except SwitchHeld
// exist once a reconcile was written. If the state cannot be read or written before that,
// only Running exists and, if the run is stopped, Paused.
const (
	// ConditionRunning is true from the first phase until the run is done, except while
	// it is paused or stopped. Its reason is one of the Reason constants. Its message
	// names the phase and, if that waits or is retried, since when and why.
	ConditionRunning = "Running"
	// ConditionSucceeded reports how the run ended: its reason is the [phases.Result],
	// and it is true if that is Succeeded. It is unknown until the run is done.
	ConditionSucceeded = "Succeeded"
	// ConditionFailed is true as soon as the result is Failed: a phase failed outside
	// cleanup itineraries, or an itinerary with that result was entered. In an object
	// with one run it is set before the selector is called after a failure; in a list, at
	// the end of the reconcile.
	ConditionFailed = "Failed"
	// ConditionPaused is true while a pause holds the run. While a cleanup itinerary
	// runs although the object is paused, it is false with [ReasonCleanupRuns].
	ConditionPaused = "Paused"
	// ConditionSwitchHeld is true while the object selects an itinerary that is not
	// entered, because a cleanup itinerary has begun ([ReasonCleanupBegun]) or the run
	// is done ([ReasonDone]). Otherwise it is absent.
	ConditionSwitchHeld = "SwitchHeld"
)

// The reasons of the condition Running; other conditions use some of them too.
const (
	ReasonInPhase = "InPhase"
	ReasonWaiting = "Waiting"
	ReasonPaused  = "Paused"
	// ReasonRetrying means that the handler of the phase, or a function of the options,
	// keeps returning errors and is retried. The message has the last recorded error,
	// its first time, the number of attempts by then, and when the next was due
	// ([runner.Retry]).
	ReasonRetrying = "Retrying"
	// ReasonFlagsUnknown means that the next phase depends on flags that are unknown
	// and are evaluated again. The message is like that of [ReasonRetrying], and names
	// the flags.
	ReasonFlagsUnknown = "FlagsUnknown"
	// ReasonStopped means that the run cannot continue until the object, its definition
	// or the release is fixed or, if the run is done, that the next run cannot begin.
	// The message is the error and, if the state has it, since when.
	ReasonStopped = "Stopped"
	ReasonDone    = "Done"
	// ReasonCleanupRuns is a reason of the condition Paused, and ReasonCleanupBegun is
	// a reason of SwitchHeld.
	ReasonCleanupRuns  = "CleanupRuns"
	ReasonCleanupBegun = "CleanupBegun"
)

// reasonNot is the reason of a condition that does not hold.
const reasonNot = "No"

// SetConditions sets the conditions of the object after a reconcile. They depend on
// the state, the pause and a terminal error, but not on attempts that only the process
// counts, so a retry that is not written changes none.
func (d *one[T]) SetConditions(c *call[T]) {
	r, run := d.r, c.runs[0]
	object, s := c.object, &run.out.State
	paused := d.pausedCondition(object, run)
	status, reason, message := running(run.out, run.err)
	if paused.Status == metav1.ConditionTrue {
		status = metav1.ConditionFalse
	}
	r.setCondition(object, ConditionRunning, status, reason, message)

	switch {
	case !s.Done:
		r.setCondition(object, ConditionSucceeded, metav1.ConditionUnknown, ConditionRunning, "")
	case s.Result == "": // another controller ended it, and its result is unknown
		r.setCondition(object, ConditionSucceeded, metav1.ConditionUnknown, ReasonDone, "")
	case s.Result == phases.Succeeded:
		r.setCondition(object, ConditionSucceeded, metav1.ConditionTrue, string(s.Result), "")
	default:
		r.setCondition(object, ConditionSucceeded, metav1.ConditionFalse, string(s.Result), "")
	}

	f := d.lastFailure(s.Failures)
	switch {
	case s.Result != phases.Failed:
		r.setCondition(object, ConditionFailed, metav1.ConditionFalse, reasonNot, "")
	case f != nil:
		r.setFailed(object, failed(f.Itinerary, f.Phase, f.Reasons))
	case !r.holds(object, ConditionFailed, metav1.ConditionTrue, ""):
		r.setCondition(object, ConditionFailed, metav1.ConditionTrue, string(phases.Failed), "")
	}

	r.setCondition(object, ConditionPaused, paused.Status, paused.Reason, paused.Message)

	switch {
	case s.SwitchHeld == "":
		r.o.Conditions.remove(object, ConditionSwitchHeld)
	case s.Done:
		r.setCondition(object, ConditionSwitchHeld, metav1.ConditionTrue, ReasonDone, switchHeld(s.Itinerary, s.SwitchHeld, true))
	default:
		r.setCondition(object, ConditionSwitchHeld, metav1.ConditionTrue, ReasonCleanupBegun, switchHeld(s.Itinerary, s.SwitchHeld, false))
	}
}

// pausedCondition returns the condition Paused.
func (d *one[T]) pausedCondition(object T, run *run) metav1.Condition {
	itinerary := run.out.State.Itinerary
	switch {
	case run.out.State.Done:
	case run.out.Paused:
		return metav1.Condition{Status: metav1.ConditionTrue, Reason: ReasonPaused}
	case run.paused && d.isCleanup(itinerary) && !d.o.PauseHoldsCleanup:
		return metav1.Condition{Status: metav1.ConditionFalse, Reason: ReasonCleanupRuns,
			Message: fmt.Sprintf("cleanup itinerary %q runs although the object is paused", itinerary)}
	case (run.paused || !run.pauseKnown) && d.r.holds(object, ConditionPaused, metav1.ConditionTrue, ""):
		// An error came before the pause was seen, so the pause may last.
		return metav1.Condition{Status: metav1.ConditionTrue, Reason: ReasonPaused}
	}
	return metav1.Condition{Status: metav1.ConditionFalse, Reason: reasonNot}
}

// running returns the condition Running. err is the error of the runner.
func running(out runner.Outcome, err error) (status metav1.ConditionStatus, reason, message string) {
	s := &out.State
	at := where(s.Itinerary, s.Phase)
	status = metav1.ConditionTrue
	if s.Itinerary == "" {
		status = metav1.ConditionFalse // not begun
	}
	switch {
	case s.Done && s.Stopped != nil:
		return metav1.ConditionFalse, ReasonStopped, stoppedSince(s.Stopped)
	case s.Done && s.Retry != nil:
		return metav1.ConditionFalse, ReasonRetrying, retrying(s)
	case s.Done:
		return metav1.ConditionFalse, ReasonDone, ended(s.Itinerary, s.FailedInCleanup)
	case runner.IsTerminal(err) && s.Stopped != nil:
		return metav1.ConditionFalse, ReasonStopped, stoppedSince(s.Stopped)
	case runner.IsTerminal(err):
		return metav1.ConditionFalse, ReasonStopped, err.Error()
	case out.Paused:
		return metav1.ConditionFalse, ReasonPaused, at
	case s.Retry != nil:
		reason = ReasonRetrying
		if s.Retry.Kind == runner.RetryFlags {
			reason = ReasonFlagsUnknown
		}
		return status, reason, retrying(s)
	case s.WaitingSince != nil:
		message = fmt.Sprintf("%s has been waiting since %s", at, timeText(*s.WaitingSince))
		if step := s.Pipeline.Current(); step != nil && step.Message != "" {
			message += ": " + step.Message
		}
		return status, ReasonWaiting, message
	}
	return status, ReasonInPhase, at
}

// setUnwritable sets the conditions of an object whose state cannot be read or written.
// The other conditions stay as they were. stop reports that a retry is useless.
func (r *Reconciler[T]) setUnwritable(object T, err error, stop bool) {
	if !stop {
		r.setCondition(object, ConditionRunning, metav1.ConditionTrue, ReasonRetrying, err.Error())
		return
	}
	r.setCondition(object, ConditionRunning, metav1.ConditionFalse, ReasonStopped, err.Error())
	r.setCondition(object, ConditionPaused, metav1.ConditionFalse, reasonNot, "")
}

// setFailed sets the condition Failed.
func (r *Reconciler[T]) setFailed(object T, message string) {
	r.setCondition(object, ConditionFailed, metav1.ConditionTrue, string(phases.Failed), message)
}

func (r *Reconciler[T]) setCondition(object T, kind string, status metav1.ConditionStatus, reason, message string) {
	c := metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: short(message),
		LastTransitionTime: metav1.NewTime(r.now().UTC().Truncate(time.Second)),
	}
	// Without a status subresource each write makes a new generation. A condition that
	// has it would change with its own write, and so be written without end.
	if r.o.StatusSubresource {
		c.ObservedGeneration = object.GetGeneration()
	}
	r.o.Conditions.set(object, c)
}

// holds reports whether the object has the condition with that status and, unless it is
// empty, that reason.
func (r *Reconciler[T]) holds(object T, kind string, status metav1.ConditionStatus, reason string) bool {
	if r.o.Conditions == nil {
		return false
	}
	c := r.o.Conditions.find(object, kind)
	return c != nil && c.Status == status && (reason == "" || c.Reason == reason)
}

// The texts of conditions and events. Errors come last: a text that is too long is cut
// there.

func where(itinerary, phase string) string {
	switch {
	case itinerary == "":
		return "the run has not begun"
	case phase == "":
		return fmt.Sprintf("itinerary %q has not begun", itinerary)
	}
	return fmt.Sprintf("phase %q of itinerary %q", phase, itinerary)
}

func stoppedSince(s *runner.Stop) string {
	return fmt.Sprintf("since %s: %s", timeText(s.Since), s.Error)
}

func failed(itinerary, phase string, reasons []string) string {
	message := where(itinerary, phase) + " failed"
	if len(reasons) > 0 {
		message += ": " + strings.Join(reasons, "; ")
	}
	return message
}

func ended(itinerary string, failedInCleanup int64) string {
	message := fmt.Sprintf("itinerary %q has ended", itinerary)
	switch {
	case failedInCleanup == 1:
		message += "; a phase of a cleanup itinerary failed"
	case failedInCleanup > 1:
		message += fmt.Sprintf("; %d phases of cleanup itineraries failed", failedInCleanup)
	}
	return message
}

// retrying describes the retry of a state, which must have one.
func retrying(s *runner.State) string {
	what := ""
	if len(s.Retry.Flags) > 0 {
		what = ", unknown: " + strings.Join(s.Retry.Flags, ", ")
	}
	at := where(s.Itinerary, s.Phase)
	if s.Done {
		at = "a new run cannot begin"
	}
	return fmt.Sprintf("%s%s; attempt %d failed (the first at %s), the next is due at %s: %s", at, what,
		s.Retry.Attempts, timeText(s.Retry.Since), timeText(s.Retry.Next), s.Retry.Error)
}

func switchHeld(itinerary, selected string, done bool) string {
	if done {
		return fmt.Sprintf("the object selects itinerary %q, but the run is done, in itinerary %q", selected, itinerary)
	}
	return fmt.Sprintf("the object selects itinerary %q, but cleanup itinerary %q has begun and must reach its end", selected, itinerary)
}

func timeText(t metav1.Time) string { return t.UTC().Format(time.RFC3339) }

// maxMessage is the maximum size in bytes of an event's message that API servers
// accept. It also bounds messages of conditions.
const maxMessage = 1024

// short returns a message as valid UTF-8 of at most maxMessage bytes.
func short(message string) string {
	// Ignore what is cut anyway.
	head := strings.ToValidUTF8(message[:min(len(message), maxMessage+utf8.UTFMax)], "\uFFFD")
	if len(head) <= maxMessage {
		return head
	}
	const more = "..."
	n := maxMessage - len(more)
	for !utf8.RuneStart(head[n]) {
		n--
	}
	return head[:n] + more
}
