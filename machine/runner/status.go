package runner

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// Activity describes what a run does at a moment. The list is closed.
type Activity string

const (
	// ActivityNotBegun means that no phase of the itinerary was entered yet, and that
	// nothing is known to hold the run.
	ActivityNotBegun Activity = "NotBegun"
	// ActivityWorking means that the run is in a phase, and nothing holds it.
	ActivityWorking Activity = "Working"
	// ActivityWaiting means that the handler of the phase waits ([Wait]), or that the
	// run continues later ([After]).
	ActivityWaiting Activity = "Waiting"
	// ActivityRetrying means that the handler of the phase, or a function of the
	// options, keeps returning errors and is retried.
	ActivityRetrying Activity = "Retrying"
	// ActivityFlagsUnknown means that the next phase depends on flags that are unknown
	// and are evaluated again.
	ActivityFlagsUnknown Activity = "FlagsUnknown"
	// ActivityPaused means that a pause holds the run.
	ActivityPaused Activity = "Paused"
	// ActivityStopped means that the run cannot continue until the object or the
	// release is fixed or, if it is done, that the run after it cannot begin.
	ActivityStopped Activity = "Stopped"
	// ActivityDone means that the run is done.
	ActivityDone Activity = "Done"
)

// Activities returns all activities, in the order of their constants.
func Activities() []Activity {
	return []Activity{
		ActivityNotBegun, ActivityWorking, ActivityWaiting, ActivityRetrying,
		ActivityFlagsUnknown, ActivityPaused, ActivityStopped, ActivityDone,
	}
}

// PausedPrefix is the prefix of [Status].Message if the message describes what a run did
// before it was paused: "was: 3 of 5 volumes are copied".
const PausedPrefix = "was: "

// Status describes what a run does at a moment, for tables, pages and metrics. Unknown
// times are zero. A Status shares no memory with the state.
type Status struct {
	Activity Activity
	// Since is when the activity began.
	Since time.Time
	// Itinerary and Phase are those of the state, and Step is the step that shows
	// the phase; empty if the run is in none.
	Itinerary, Phase, Step string
	// Message explains the activity: the last error, the reason of the stop, what the
	// phase waits for, or what it does. For a paused run it is what the run did before,
	// after [PausedPrefix]. For a run that is done it is where and why the run failed, if it
	// did.
	Message string
	// Flags are the unknown flags, and Attempts is the number of failed attempts, while
	// something is retried, even if a pause holds that.
	Flags    []string
	Attempts int64
	// Next is when the next attempt is due, or when the run continues at the earliest.
	// It is zero if neither is known: the controller decides, or a pause holds the run.
	// It is as old as the state, so it may be in the past.
	Next time.Time
	// Deadline is when the phase fails. While a pause holds the run, it is the deadline
	// that would apply if the pause ended at the moment of the status.
	Deadline time.Time
	// Overdue reports whether the deadline has passed: either the controller has
	// not reconciled the run in time, or the handler is in its last call.
	Overdue bool
	// Moved is when the run last moved: it entered the phase or the itinerary, began
	// again, or ended. It is zero for a run that did none of these.
	Moved time.Time
	// Unmoved is the time since Moved or, if that is unknown, since the activity began,
	// without the time for which pauses held the run. For a paused run it is at least
	// the length of the pause, and it is zero if the activity is [ActivityDone].
	Unmoved time.Duration
	// NeedsAttention reports whether the run is stopped or overdue: the user or the
	// operator of the cluster must act.
	NeedsAttention bool
	// Result is the result of the run; empty if it is not done, or another controller
	// ended it.
	Result phases.Result
}

// Stuck reports whether the run is stopped, or has not moved for d, whatever it does.
// An earlier pause does not make a run stuck, but a pause that has lasted for d does. A
// run that is done is stuck only if the run after it cannot begin. A run that has not
// begun and has no times is not stuck, since nothing is known about it.
func (s Status) Stuck(d time.Duration) bool {
	switch s.Activity {
	case ActivityStopped:
		return true
	case ActivityDone:
		return false
	}
	return s.Unmoved >= d && !(s.Moved.IsZero() && s.Since.IsZero())
}

// Status returns what the run does at a moment, from the state alone. It accepts any
// state that [DecodeState] returns, and nil.
//
// If several activities apply, the first of these is reported: the run is stopped; a
// function of the options is retried; it is done; it is paused; flags or the handler
// are retried; it waits.
func (s *State) Status(now time.Time) Status {
	if s == nil {
		s = &State{}
	}
	out := Status{Itinerary: s.Itinerary, Phase: s.Phase, Moved: s.movedAt()}
	step := s.Pipeline.Current()
	if step != nil && !s.Done {
		out.Step = step.Name
		if step.Message != step.Phase { // the phase has a description
			out.Message = step.Message
		}
	}
	if s.Retry != nil {
		out.Message, out.Flags, out.Attempts = s.Retry.Error, slices.Clone(s.Retry.Flags), s.Retry.Attempts
	}
	if s.Done {
		out.Result = s.Result
	}
	held := s.PausedSince != nil && !s.Done

	switch {
	case s.Stopped != nil:
		out.Activity, out.Since, out.Message = ActivityStopped, s.Stopped.Since.UTC(), s.Stopped.Error
	case s.Retry != nil && (!held || s.Retry.Kind == RetryOptions): // an options retry is recorded only while it lasts
		out.Activity, out.Since, out.Next = ActivityRetrying, s.Retry.Since.UTC(), s.Retry.Next.UTC()
		if s.Retry.Kind == RetryFlags {
			out.Activity = ActivityFlagsUnknown
		}
	case s.Done:
		out.Activity, out.Since, out.Message = ActivityDone, out.Moved, s.failure()
	case held:
		out.Activity, out.Since = ActivityPaused, utc(s.PausedSince)
		if out.Message != "" {
			out.Message = PausedPrefix + out.Message
		}
	case s.Phase == "":
		out.Activity, out.Since = ActivityNotBegun, out.Moved
	case s.WaitingSince != nil:
		out.Activity, out.Since = ActivityWaiting, utc(s.WaitingSince)
		if s.WorkDone {
			out.Message, out.Next = "the work of the phase is done, and the run continues later", utc(s.NotBefore)
		}
	default:
		out.Activity, out.Since = ActivityWorking, out.Moved
	}
	if !s.Done && !s.Deadline.IsZero() {
		out.Deadline = s.Deadline.UTC()
		if held {
			out.Deadline = out.Deadline.Add(max(now.Sub(s.PausedSince.Time), 0))
		}
		out.Overdue = !now.Before(out.Deadline)
	}
	out.Unmoved = s.unmoved(&out, now, held)
	out.NeedsAttention = out.Activity == ActivityStopped || out.Overdue
	return out
}

// unmoved returns for how long the run has not moved.
func (s *State) unmoved(of *Status, now time.Time, held bool) time.Duration {
	since := of.Moved
	if since.IsZero() || s.Done {
		since = of.Since
	}
	if since.IsZero() || of.Activity == ActivityDone {
		return 0
	}
	d := now.Sub(since) - time.Duration(s.PausedSeconds)*time.Second
	if held {
		pause := now.Sub(s.PausedSince.Time)
		d = max(d-pause, pause)
	}
	return max(d, 0)
}

// movedAt returns when the run last moved; zero if that is unknown.
func (s *State) movedAt() time.Time {
	switch n := len(s.Switches); {
	case s.Done:
		return utc(s.completed())
	case s.Phase != "":
		return utc(s.Entered)
	case n > 0:
		return s.Switches[n-1].At.UTC()
	}
	return utc(s.RunStarted)
}

// failure describes where the run failed; empty if it did not.
func (s *State) failure() string {
	at := s.FailedAt
	if at == nil || s.Result != phases.Failed {
		return ""
	}
	text := fmt.Sprintf("phase %q of itinerary %q failed", at.Phase, at.Itinerary)
	for _, f := range s.Failures {
		if f.Itinerary == at.Itinerary && f.Phase == at.Phase && len(f.Reasons) > 0 {
			return text + ": " + strings.Join(f.Reasons, "; ")
		}
	}
	return text
}

// utc returns t in UTC, in which equal times compare equal; zero if t is nil or zero.
func utc(t *metav1.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}
