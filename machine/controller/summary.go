package controller

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Summary counts the items of an object by the progress of their runs. Each item counts
// once. It can be a field of a status.
type Summary struct {
	// NotBegun are items that wait for others, or for flags that are unknown.
	NotBegun int `json:"notBegun,omitempty"`
	// Running are items in a phase that does not wait.
	Running int `json:"running,omitempty"`
	Waiting int `json:"waiting,omitempty"`
	Paused  int `json:"paused,omitempty"`
	// Stopped are items that cannot continue until the object, its definition or the
	// release is fixed, or whose state cannot be read.
	Stopped int `json:"stopped,omitempty"`
	// These four are items that are done, by their [phases.Result]. A run that another
	// controller ended counts as Succeeded.
	Succeeded  int `json:"succeeded,omitempty"`
	Failed     int `json:"failed,omitempty"`
	Canceled   int `json:"canceled,omitempty"`
	RolledBack int `json:"rolledBack,omitempty"`
}

// DeepCopyInto copies the summary into out.
func (s *Summary) DeepCopyInto(out *Summary) { *out = *s }

// DeepCopy returns a copy of the summary, or nil if the summary is nil.
func (s *Summary) DeepCopy() *Summary {
	if s == nil {
		return nil
	}
	out := *s
	return &out
}

// Done returns the number of items that are done.
func (s Summary) Done() int { return s.Succeeded + s.Failed + s.Canceled + s.RolledBack }

// Items returns the number of items.
func (s Summary) Items() int {
	return s.NotBegun + s.Running + s.Waiting + s.Paused + s.Stopped + s.Done()
}

// String returns the counts that are not zero, such as "2 running, 1 stopped".
func (s Summary) String() string {
	var parts []string
	for _, c := range []struct {
		n    int
		what string
	}{
		{s.NotBegun, "not begun"}, {s.Running, "running"}, {s.Waiting, "waiting"}, {s.Paused, "paused"}, {s.Stopped, "stopped"},
		{s.Succeeded, "succeeded"}, {s.Failed, "failed"}, {s.Canceled, "canceled"}, {s.RolledBack, "rolled back"},
	} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	if parts == nil {
		return "no items"
	}
	return strings.Join(parts, ", ")
}

// count returns the count to which a run belongs.
func (s *Summary) count(r *run) *int {
	is := &r.out.State
	switch {
	case is.Done:
		switch is.Result {
		case phases.Failed:
			return &s.Failed
		case phases.Canceled:
			return &s.Canceled
		case phases.RolledBack:
			return &s.RolledBack
		}
		return &s.Succeeded
	case is.Stopped != nil, r.unread != nil:
		return &s.Stopped
	case is.PausedSince != nil:
		return &s.Paused
	case !atWork(is):
		return &s.NotBegun
	case is.WaitingSince != nil:
		return &s.Waiting
	}
	return &s.Running
}

func summarize(runs []*run) (s Summary) {
	for _, r := range runs {
		*s.count(r)++
	}
	return s
}

// result returns the result of all items together, once all are done: the worst.
func (s Summary) result() phases.Result {
	switch {
	case s.Failed > 0:
		return phases.Failed
	case s.RolledBack > 0:
		return phases.RolledBack
	case s.Canceled > 0:
		return phases.Canceled
	}
	return phases.Succeeded
}

// firstRuns are the first run of each kind in an object; nil if there is none.
type firstRuns struct{ stopped, retried, failed, held *run }

func firstOf(runs []*run) (first firstRuns) {
	keep := func(to **run, r *run) {
		if *to == nil {
			*to = r
		}
	}
	for _, run := range runs {
		is := &run.out.State
		switch {
		case run.unread != nil, is.Stopped != nil:
			keep(&first.stopped, run)
		case run.unwritable(), is.Retry != nil:
			keep(&first.retried, run)
		}
		if is.Result == phases.Failed {
			keep(&first.failed, run)
		}
		if is.SwitchHeld != "" {
			keep(&first.held, run)
		}
	}
	return first
}

// runningItems returns the condition Running of an object with many runs, and the run
// whose problem its message names; nil if there is none.
func runningItems(s Summary, first firstRuns) (status metav1.ConditionStatus, reason string, problem *run) {
	status, reason = metav1.ConditionTrue, ReasonInPhase
	switch {
	case s.Done() == s.Items():
		status, reason = metav1.ConditionFalse, ReasonDone
	case s.Running+s.Waiting+s.NotBegun == 0 && s.Paused > 0:
		status, reason = metav1.ConditionFalse, ReasonPaused
	case s.Running+s.Waiting+s.NotBegun == 0:
		status, reason, problem = metav1.ConditionFalse, ReasonStopped, first.stopped
	case first.retried != nil:
		reason, problem = ReasonRetrying, first.retried
		if retry := first.retried.out.State.Retry; retry != nil && retry.Kind == runner.RetryFlags {
			reason = ReasonFlagsUnknown
		}
	case s.Waiting > 0 && s.Running+s.NotBegun == 0:
		reason = ReasonWaiting
	}
	if s.NotBegun > 0 && s.NotBegun == s.Items() {
		status = metav1.ConditionFalse
	}
	if problem == nil {
		problem = first.stopped
	}
	return status, reason, problem
}

// SetConditions sets the conditions of an object with many runs. They summarize its
// items. Their messages have the counts, and the first item with a problem.
func (l *list[O, I]) SetConditions(c *call[O]) {
	r, object, s := l.r, c.object, summarize(c.runs)
	first := firstOf(c.runs)
	done := s.Done() == s.Items()
	status, reason, problem := runningItems(s, first)
	r.setCondition(object, ConditionRunning, status, reason, withProblem(s, problem))

	switch result := s.result(); {
	case !done:
		r.setCondition(object, ConditionSucceeded, metav1.ConditionUnknown, ConditionRunning, "")
	case result == phases.Succeeded:
		r.setCondition(object, ConditionSucceeded, metav1.ConditionTrue, string(result), "")
	default:
		r.setCondition(object, ConditionSucceeded, metav1.ConditionFalse, string(result), s.String())
	}

	if first.failed == nil {
		r.setCondition(object, ConditionFailed, metav1.ConditionFalse, reasonNot, "")
	} else {
		message := string(phases.Failed)
		if f := l.lastFailure(first.failed.out.State.Failures); f != nil {
			message = failed(f.Itinerary, f.Phase, f.Reasons)
		}
		r.setFailed(object, first.failed.name(message))
	}

	if s.Paused > 0 && s.Running+s.Waiting == 0 {
		r.setCondition(object, ConditionPaused, metav1.ConditionTrue, ReasonPaused, "")
	} else {
		r.setCondition(object, ConditionPaused, metav1.ConditionFalse, reasonNot, "")
	}

	if first.held == nil {
		r.o.Conditions.remove(object, ConditionSwitchHeld)
		return
	}
	is, why := &first.held.out.State, ReasonCleanupBegun
	if is.Done {
		why = ReasonDone
	}
	r.setCondition(object, ConditionSwitchHeld, metav1.ConditionTrue, why,
		first.held.name(switchHeld(is.Itinerary, is.SwitchHeld, is.Done)))
}

// withProblem returns the counts and, if r is not nil, why it is stopped or what it
// retries.
func withProblem(s Summary, r *run) string {
	if r == nil {
		return s.String()
	}
	problem, is := "", &r.out.State
	switch {
	case r.unwritable():
		problem = r.problem().Error()
	case is.Stopped != nil:
		problem = stoppedSince(is.Stopped)
	case is.Retry != nil:
		problem = retrying(is)
	}
	return s.String() + "; " + r.name(problem)
}
