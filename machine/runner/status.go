package runner

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// Activity is what a run does at a moment. The list is closed.
type Activity string

const (
	// ActivityNotBegun: no phase of the itinerary was entered yet, and no reason is
	// known.
	ActivityNotBegun Activity = "NotBegun"
	// ActivityWorking: the run is in a phase, and nothing holds it.
	ActivityWorking Activity = "Working"
	// ActivityWaiting: the handler of the phase waits ([Wait]), or the run does not go
	// on yet ([After]).
	ActivityWaiting Activity = "Waiting"
	// ActivityRetrying: the handler of the phase, or a function of the options, keeps
	// returning errors and is retried.
	ActivityRetrying Activity = "Retrying"
	// ActivityFlagsUnknown: the next phase depends on flags that are unknown and are
	// evaluated again.
	ActivityFlagsUnknown Activity = "FlagsUnknown"
	// ActivityPaused: a pause holds the run.
	ActivityPaused Activity = "Paused"
	// ActivityStopped: the run cannot go on until the object or the release is fixed
	// or, if it is done, the run after it cannot begin.
	ActivityStopped Activity = "Stopped"
	// ActivityDone: the run is done.
	ActivityDone Activity = "Done"
)

// Activities returns all activities, in the order of their constants.
func Activities() []Activity {
	return []Activity{
		ActivityNotBegun, ActivityWorking, ActivityWaiting, ActivityRetrying,
		ActivityFlagsUnknown, ActivityPaused, ActivityStopped, ActivityDone,
	}
}

// Before is what [Status].Message begins with if it is what a run did before it was
// paused: "was: 3 of 5 volumes are copied".
const Before = "was: "

// Status is what a run does at a moment, for tables, pages and metrics. Times that
// are not known are zero. It shares nothing with the state.
type Status struct {
	Activity Activity
	// Since is when the activity began.
	Since time.Time
	// Itinerary and Phase are those of the state, and Step is the step that shows
	// the phase; empty if the run is in none.
	Itinerary, Phase, Step string
	// Message is why the run does what it does: the last error, the reason of the
	// stop, what is waited for, or what the phase does. Of a run that is paused it is
	// what it did before, after [Before], and of one that is done where and why it failed, if it did.
	Message string
	// Flags are the flags that are unknown, and Attempts the number of attempts that
	// failed, while something is retried, also while a pause holds that.
	Flags    []string
	Attempts int64
	// Next is when the next attempt is due, or before when the run does not go on;
	// zero also if that depends on the controller, or a pause holds the run. It is as
	// old as the state, so it can be past.
	Next time.Time
	// Deadline is when the phase fails. While a pause holds the run, it is what it
	// would be if the pause ended at the moment of the status.
	Deadline time.Time
	// Overdue reports whether the deadline has passed: the controller does not get to
	// the run, or the handler is in its last call.
	Overdue bool
	// Moved is when the run last moved: when it entered the phase or the itinerary,
	// began again, or ended. A run that did none of these has no such time.
	Moved time.Time
	// Unmoved is for how long the run has not moved, less the time for which pauses
	// held it: since Moved or, if that is not known, since the activity began. Of a
	// run that is paused it is at least the time since then, and of one that is done
	// zero.
	Unmoved time.Duration
	// NeedsAttention reports whether someone has to act: the run is stopped or
	// overdue.
	NeedsAttention bool
	// Result is how the run ended; empty if it is not done, or another controller
	// ended it.
	Result phases.Result
}

// Stuck reports whether the run has not moved for that long, whatever it does, or is
// stopped. A pause counts by itself: a run is not stuck because it was paused once,
// but it is once a pause has lasted for that long. A run that is done is not stuck,
// unless the run after it cannot begin. Nothing is known of a run that has not begun
// and has no times: it is not stuck.
func (s Status) Stuck(d time.Duration) bool {
	switch s.Activity {
	case ActivityStopped:
		return true
	case ActivityDone:
		return false
	}
	return s.Unmoved >= d && !(s.Moved.IsZero() && s.Since.IsZero())
}

// Status returns what the run does at a moment, from the state alone. It can be
// called with any state that [DecodeState] returns, a nil one included.
//
// Of what holds a run at once, the first of these is its activity: it is stopped; a
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
		if step.Message != step.Phase { // of a phase without a description
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
	case s.Retry != nil && (!held || s.Retry.Kind == RetryOptions): // which is recorded only as long as it lasts
		out.Activity, out.Since, out.Next = ActivityRetrying, s.Retry.Since.UTC(), s.Retry.Next.UTC()
		if s.Retry.Kind == RetryFlags {
			out.Activity = ActivityFlagsUnknown
		}
	case s.Done:
		out.Activity, out.Since, out.Message = ActivityDone, out.Moved, s.failure()
	case held:
		out.Activity, out.Since = ActivityPaused, utc(s.PausedSince)
		if out.Message != "" {
			out.Message = Before + out.Message
		}
	case s.Phase == "":
		out.Activity, out.Since = ActivityNotBegun, out.Moved
	case s.WaitingSince != nil:
		out.Activity, out.Since = ActivityWaiting, utc(s.WaitingSince)
		if s.WorkDone {
			out.Message, out.Next = "the work of the phase is done, and the run goes on later", utc(s.NotBefore)
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

// movedAt returns when the run last moved; zero if that is not known.
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

// failure describes where the run has failed; empty if it has not.
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

// utc returns a time in UTC, without which equal times differ; zero if there is none.
func utc(t *metav1.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}
