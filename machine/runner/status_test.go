package runner_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// ago returns a time as a state has it, in the time zone of the machine that has read
// it.
func ago(d time.Duration) *metav1.Time {
	t := metav1.NewTime(noon.Add(-d).In(time.FixedZone("", 3600)))
	return &t
}

func before(d time.Duration) time.Time { return noon.Add(-d) }

// copying returns a state in the phase Copy.
func copying(set func(s *runner.State)) runner.State {
	s := runner.State{
		Checkpoint: machine.Checkpoint{Itinerary: "Move", Phase: "Copy"},
		Visit:      2, Entered: ago(time.Hour),
		Pipeline: steps.Pipeline{
			{Name: "Prepare", Started: ago(2 * time.Hour), Completed: ago(time.Hour), Message: steps.MessageCompleted},
			{Name: "Data", Started: ago(time.Hour), Phase: "Copy", Message: "Copying"},
		},
	}
	set(&s)
	return s
}

// ended returns a state of a run that is done.
func ended(result phases.Result, set func(s *runner.State)) runner.State {
	s := runner.State{
		Checkpoint: machine.Checkpoint{Itinerary: "Move", Phase: "End", Done: true}, Result: result,
		Pipeline: steps.Pipeline{
			{Name: "Prepare", Started: ago(2 * time.Hour), Completed: ago(time.Hour)},
			{Name: "Data", Started: ago(time.Hour), Completed: ago(10 * time.Minute)},
			{Name: "Restore", Started: ago(time.Hour), Completed: ago(20 * time.Minute)},
		},
	}
	set(&s)
	return s
}

var (
	retried = &runner.Retry{Kind: runner.RetryHandler, Since: *ago(40 * time.Minute), Attempts: 4, Error: "no route to host",
		At: *ago(time.Minute), Next: *ago(-2 * time.Minute)}
	unknown = &runner.Retry{Kind: runner.RetryFlags, Flags: []string{"Images", "Volumes"}, Since: *ago(30 * time.Minute), Attempts: 2,
		Error: "no answer", At: *ago(time.Minute), Next: *ago(0)}
	denied = &runner.Retry{Kind: runner.RetryOptions, Since: *ago(20 * time.Minute), Attempts: 3, Error: "Select: forbidden",
		At: *ago(time.Minute), Next: *ago(-time.Minute)}
	stopped = &runner.Stop{Error: "phase \"Cpoy\" is unknown", Since: *ago(50 * time.Minute)}
)

func TestStatus(t *testing.T) {
	const minute = time.Minute
	nothing := func(*runner.State) {}
	at := func(s runner.Status) runner.Status { // in the phase Copy
		s.Itinerary, s.Phase, s.Step, s.Moved = "Move", "Copy", "Data", before(time.Hour)
		if s.Unmoved == 0 {
			s.Unmoved = time.Hour
		}
		return s
	}
	for _, c := range []struct {
		about string
		state runner.State
		want  runner.Status
	}{
		{"nothing is known", runner.State{}, runner.Status{Activity: runner.ActivityNotBegun}},
		{"another run, not begun", runner.State{Run: 2, RunStarted: ago(minute)},
			runner.Status{Activity: runner.ActivityNotBegun, Since: before(minute), Moved: before(minute), Unmoved: minute}},
		{"not begun, flags unknown", runner.State{Retry: unknown}, runner.Status{
			Activity: runner.ActivityFlagsUnknown, Since: before(30 * minute), Message: "no answer",
			Flags: unknown.Flags, Attempts: 2, Next: noon, Unmoved: 30 * minute}},
		{"not begun, paused", runner.State{PausedSince: ago(minute)},
			runner.Status{Activity: runner.ActivityPaused, Since: before(minute), Unmoved: minute}},
		{"not begun, stopped", runner.State{Stopped: stopped},
			runner.Status{Activity: runner.ActivityStopped, Since: before(50 * minute), Message: stopped.Error, Unmoved: 50 * minute, NeedsAttention: true}},
		{"a cleanup itinerary is selected, and waits", runner.State{
			Checkpoint: machine.Checkpoint{Itinerary: "CleanUp"}, RunStarted: ago(time.Hour), Retry: denied,
			Switches: []runner.Switch{{To: "CleanUp", At: *ago(30 * minute)}},
		}, runner.Status{
			Activity: runner.ActivityRetrying, Since: before(20 * minute), Itinerary: "CleanUp", Message: denied.Error, Attempts: 3, Next: noon.Add(minute),
			Moved: before(30 * minute), Unmoved: 30 * minute}},

		{"working", copying(nothing), at(runner.Status{Activity: runner.ActivityWorking, Since: before(time.Hour), Message: "Copying"})},
		{"taken over from another controller", copying(func(s *runner.State) { s.Entered = nil }),
			runner.Status{Activity: runner.ActivityWorking, Itinerary: "Move", Phase: "Copy", Step: "Data", Message: "Copying"}},
		{"waiting, with a deadline", copying(func(s *runner.State) { s.WaitingSince, s.Deadline = ago(12*minute), ago(-2*time.Hour) }),
			at(runner.Status{Activity: runner.ActivityWaiting, Since: before(12 * minute), Message: "Copying", Deadline: noon.Add(2 * time.Hour)})},
		{"waiting, and the deadline has passed", copying(func(s *runner.State) { s.WaitingSince, s.Deadline = ago(12*minute), ago(0) }),
			at(runner.Status{Activity: runner.ActivityWaiting, Since: before(12 * minute), Message: "Copying", Deadline: noon, Overdue: true, NeedsAttention: true})},
		{"a deadline that could not be read", copying(func(s *runner.State) { s.Deadline = &metav1.Time{} }),
			at(runner.Status{Activity: runner.ActivityWorking, Since: before(time.Hour), Message: "Copying"})},
		{"done, and continues later", copying(func(s *runner.State) { s.WaitingSince, s.WorkDone, s.NotBefore = ago(12*minute), true, ago(-time.Hour) }),
			at(runner.Status{Activity: runner.ActivityWaiting, Since: before(12 * minute),
				Message: "the work of the phase is done, and the run continues later", Next: noon.Add(time.Hour)})},
		{"retrying", copying(func(s *runner.State) { s.Retry = retried }), at(runner.Status{
			Activity: runner.ActivityRetrying, Since: before(40 * minute), Message: "no route to host", Attempts: 4, Next: noon.Add(2 * minute)})},
		{"a function of the options is retried, while it waits", copying(func(s *runner.State) { s.Retry, s.WaitingSince = denied, ago(30*minute) }), at(runner.Status{
			Activity: runner.ActivityRetrying, Since: before(20 * minute), Message: denied.Error, Attempts: 3, Next: noon.Add(minute)})},
		{"flags unknown, work done", copying(func(s *runner.State) { s.Retry, s.WorkDone, s.WaitingSince = unknown, true, ago(55*minute) }), at(runner.Status{
			Activity: runner.ActivityFlagsUnknown, Since: before(30 * minute), Message: "no answer", Flags: unknown.Flags, Attempts: 2, Next: noon})},
		{"stopped, with a pause and a deadline", copying(func(s *runner.State) { s.Stopped, s.PausedSince, s.Deadline = stopped, ago(minute), ago(-minute) }), at(runner.Status{
			Activity: runner.ActivityStopped, Since: before(50 * minute), Message: stopped.Error, Deadline: noon.Add(2 * minute), NeedsAttention: true, Unmoved: 59 * minute})},
		{"stopped in a cleanup itinerary", copying(func(s *runner.State) {
			s.Itinerary, s.Stopped, s.Result, s.FailedPhases = "CleanUp", stopped, phases.Failed, 1
			s.FailedAt = &runner.FailedAt{Itinerary: "Move", Phase: "Copy"}
		}), func() runner.Status {
			s := at(runner.Status{Activity: runner.ActivityStopped, Since: before(50 * minute), Message: stopped.Error,
				NeedsAttention: true})
			s.Itinerary = "CleanUp"
			return s
		}()},
		{"paused", copying(func(s *runner.State) { s.PausedSince, s.PausedSeconds = ago(10*minute), 5*60 }), at(runner.Status{
			Activity: runner.ActivityPaused, Since: before(10 * minute), Message: "was: Copying", Unmoved: 45 * minute})},
		{"paused for longer than it had worked, with a deadline", copying(func(s *runner.State) { s.PausedSince, s.Deadline = ago(50*minute), ago(20*minute) }), at(runner.Status{
			Activity: runner.ActivityPaused, Since: before(50 * minute), Message: "was: Copying", Unmoved: 50 * minute, Deadline: noon.Add(30 * minute)})},
		{"paused while it is retried", copying(func(s *runner.State) { s.PausedSince, s.Retry = ago(10*minute), retried }), at(runner.Status{
			Activity: runner.ActivityPaused, Since: before(10 * minute), Message: "was: no route to host", Attempts: 4, Unmoved: 50 * minute})},
		{"paused while flags are unknown", copying(func(s *runner.State) { s.PausedSince, s.Retry = ago(10*minute), unknown }), at(runner.Status{
			Activity: runner.ActivityPaused, Since: before(10 * minute), Message: "was: no answer", Flags: unknown.Flags, Attempts: 2, Unmoved: 50 * minute})},
		{"paused, and a function of the options is retried", copying(func(s *runner.State) { s.PausedSince, s.Retry = ago(10*minute), denied }), at(runner.Status{
			Activity: runner.ActivityRetrying, Since: before(20 * minute), Message: denied.Error, Attempts: 3, Next: noon.Add(minute), Unmoved: 50 * minute})},
		{"it was paused", copying(func(s *runner.State) { s.PausedSeconds = 20 * 60 }), at(runner.Status{
			Activity: runner.ActivityWorking, Since: before(time.Hour), Message: "Copying", Unmoved: 40 * minute})},
		{"the clock of another replica is ahead", copying(func(s *runner.State) { s.Entered = ago(-minute) }), runner.Status{
			Activity: runner.ActivityWorking, Since: noon.Add(minute), Moved: noon.Add(minute), Itinerary: "Move", Phase: "Copy", Step: "Data", Message: "Copying"}},

		{"succeeded", ended(phases.Succeeded, nothing), doneAt(runner.Status{Result: phases.Succeeded})},
		{"canceled", ended(phases.Canceled, nothing), doneAt(runner.Status{Result: phases.Canceled})},
		{"rolled back", ended(phases.RolledBack, nothing), doneAt(runner.Status{Result: phases.RolledBack})},
		{"failed", ended(phases.Failed, func(s *runner.State) {
			s.FailedAt = &runner.FailedAt{Itinerary: "Move", Phase: "Copy"}
			s.Failures = []runner.Failure{{Itinerary: "Move", Phase: "Copy", Reasons: []string{"disk full", "read-only"}},
				{Itinerary: "CleanUp", Phase: "Detach", Reasons: []string{"busy"}}}
		}), doneAt(runner.Status{Result: phases.Failed, Message: `phase "Copy" of itinerary "Move" failed: disk full; read-only`})},
		{"failed, and the reasons were dropped", ended(phases.Failed, func(s *runner.State) { s.FailedAt = &runner.FailedAt{Itinerary: "Move", Phase: "Copy"} }),
			doneAt(runner.Status{Result: phases.Failed, Message: `phase "Copy" of itinerary "Move" failed`})},
		{"failed, since the object reports it", ended(phases.Failed, nothing), doneAt(runner.Status{Result: phases.Failed})},
		{"another controller ended it", ended("", func(s *runner.State) { s.Pipeline = nil }), runner.Status{Activity: runner.ActivityDone, Itinerary: "Move", Phase: "End"}},
		{"done, and paused", ended(phases.Succeeded, func(s *runner.State) { s.PausedSince = ago(minute) }), doneAt(runner.Status{Result: phases.Succeeded})},
		{"done, and the run after it cannot begin", ended(phases.Succeeded, func(s *runner.State) { s.Stopped = &runner.Stop{Error: "no phase has failed", Since: *ago(minute)} }),
			doneAt(runner.Status{Result: phases.Succeeded, Activity: runner.ActivityStopped, Since: before(minute),
				Message: "no phase has failed", Unmoved: minute, NeedsAttention: true})},
		{"done, and the token cannot be read", ended(phases.Succeeded, func(s *runner.State) { s.Retry = denied }),
			doneAt(runner.Status{Result: phases.Succeeded, Activity: runner.ActivityRetrying, Since: before(20 * minute),
				Message: denied.Error, Attempts: 3, Next: noon.Add(minute), Unmoved: 20 * minute})},
	} {
		t.Run(c.about, func(t *testing.T) {
			assert.Empty(t, cmp.Diff(c.want, c.state.Status(noon)))
			text, err := json.Marshal(c.state)
			require.NoError(t, err)
			read, err := runner.DecodeState(text)
			require.NoError(t, err)
			assert.Empty(t, cmp.Diff(c.want, read.Status(noon)), "read back")
			assert.Contains(t, runner.Activities(), c.want.Activity)
		})
	}
	assert.Equal(t, runner.Status{Activity: runner.ActivityNotBegun}, (*runner.State)(nil).Status(noon))
}

// doneAt returns the status of a run that is done, as ended makes it.
func doneAt(s runner.Status) runner.Status {
	s.Itinerary, s.Phase, s.Moved = "Move", "End", before(10*time.Minute)
	if s.Activity == "" {
		s.Activity, s.Since = runner.ActivityDone, s.Moved
	}
	return s
}

func TestStuck(t *testing.T) {
	long, short := 30*time.Minute, 2*time.Hour
	for _, c := range []struct {
		about       string
		state       runner.State
		long, short bool // whether it is stuck for these durations
	}{
		{"nothing is known", runner.State{}, false, false},
		{"working for an hour", copying(func(*runner.State) {}), true, false},
		{"entered just now", copying(func(s *runner.State) { s.Entered = ago(time.Minute) }), false, false},
		{"retrying in a phase that was entered an hour ago", copying(func(s *runner.State) { s.Retry = retried }), true, false},
		{"not begun, since flags are unknown", runner.State{Retry: unknown}, true, false},
		{"stopped just now", runner.State{Stopped: &runner.Stop{Error: "no", Since: *ago(0)}}, true, true},
		{"paused just now, before it was an hour old", copying(func(s *runner.State) { s.PausedSince = ago(time.Minute) }), true, false},
		{"paused for most of the time", copying(func(s *runner.State) { s.PausedSeconds = 50 * 60 }), false, false},
		{"the pause lasts", copying(func(s *runner.State) { s.PausedSince = ago(50 * time.Minute) }), true, false},
		{"the pause is short, and so was the time before", copying(func(s *runner.State) { s.Entered, s.PausedSince = ago(50*time.Minute), ago(25*time.Minute) }), false, false},
		{"done long ago", ended(phases.Failed, func(*runner.State) {}), false, false},
		{"done, and the run after it cannot begin", ended(phases.Failed, func(s *runner.State) { s.Stopped = stopped }), true, true},
	} {
		t.Run(c.about, func(t *testing.T) {
			s := c.state.Status(noon)
			assert.Equal(t, c.long, s.Stuck(long))
			assert.Equal(t, c.short, s.Stuck(short))
		})
	}
}

// Status agrees with the runs that a runner makes.
func TestStatusOfRuns(t *testing.T) {
	w := newWorld(t)
	w.now = noon
	status := func() runner.Status {
		t.Helper()
		out, err := w.reconcile()
		s := w.m.State.Status(w.now)
		assert.Equal(t, out.Done, s.Result != "")
		assert.Equal(t, err != nil, s.Activity == runner.ActivityRetrying || s.Activity == runner.ActivityFlagsUnknown ||
			s.Activity == runner.ActivityStopped)
		return s
	}
	s := w.m.State.Status(w.now)
	assert.Equal(t, runner.ActivityNotBegun, s.Activity)

	w.broken[volumes] = errors.New("no answer")
	w.broken[images] = errors.New("no answer")
	s = status()
	assert.Equal(t, runner.ActivityFlagsUnknown, s.Activity)
	assert.Equal(t, w.now, s.Since)
	assert.Equal(t, w.now.Add(time.Second), s.Next)
	assert.NotEmpty(t, s.Flags)
	clear(w.broken)

	s = status()
	assert.Equal(t, runner.ActivityWorking, s.Activity)
	assert.Equal(t, "Refresh", s.Phase)
	assert.Equal(t, w.now, s.Moved)
	status()

	result, cause := runner.Wait(time.Minute, "3 of 7 files"), error(nil)
	w.handlers["Copy"] = func(context.Context, *migration) (runner.Result, error) { return result, cause }
	s = status()
	since := w.now
	status()
	s = status()
	assert.Equal(t, runner.ActivityWaiting, s.Activity)
	assert.Equal(t, since, s.Since)
	assert.Equal(t, since.Add(-time.Second), s.Moved)
	assert.Equal(t, "3 of 7 files", s.Message)
	assert.Equal(t, "Data", s.Step)

	cause = errors.New("no route to host")
	s = status()
	assert.Equal(t, runner.ActivityRetrying, s.Activity)
	assert.Equal(t, int64(1), s.Attempts)

	w.m.Paused = true
	s = status()
	assert.Equal(t, runner.ActivityPaused, s.Activity)
	assert.Equal(t, "no route to host", s.Message[len(s.Message)-len("no route to host"):])
	w.m.Paused = false

	result, cause = runner.Done(runner.After(time.Hour)), nil
	s = status()
	assert.Equal(t, runner.ActivityWaiting, s.Activity)
	assert.Equal(t, w.now.Add(time.Hour), s.Next)

	w.now = w.now.Add(time.Hour)
	w.handlers["Attach"] = func(context.Context, *migration) (runner.Result, error) { return runner.Fail("in use"), nil }
	w.options.OnFail = nil // Select does not answer the failure
	status()
	s = status()
	assert.Equal(t, runner.ActivityStopped, s.Activity)
	assert.True(t, s.NeedsAttention)

	w.m.Canceled = true
	for s.Activity != runner.ActivityDone {
		s = status()
	}
	assert.Equal(t, phases.Failed, s.Result)
	assert.Equal(t, w.now, s.Since)
	assert.Equal(t, `phase "Attach" of itinerary "Move" failed: in use`, s.Message)
}
