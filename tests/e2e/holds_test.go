package e2e

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example"
)

// onBoth runs a test with the state in an annotation, and in the status.
func onBoth(t *testing.T, inAnnotation func(*fixture), inStatus func(*fixture)) {
	t.Parallel()
	t.Run("the state in an annotation", func(t *testing.T) {
		t.Parallel()
		inAnnotation(newFixture(t, common, asMTC))
	})
	t.Run("the state in the status", func(t *testing.T) {
		t.Parallel()
		inStatus(newFixture(t, common, withSubresource))
	})
}

// reads checks a condition, if the kind has conditions.
func (d *driven[T]) reads(kind string, status metav1.ConditionStatus, reason string, message ...string) {
	d.Helper()
	if d.kind.Conditions == nil {
		return
	}
	c := d.condition(kind)
	require.NotNil(d, c, kind)
	assert.Equal(d, status, c.Status, kind)
	assert.Equal(d, reason, c.Reason, kind)
	for _, m := range message {
		assert.Contains(d, c.Message, m, kind)
	}
}

// failing returns a script in which phases fail.
func failing(phases ...string) script {
	return script{handle: func(_ example.Migration, phase string) (runner.Result, error) {
		if slices.Contains(phases, phase) {
			return runner.Fail(phase + " is told to fail"), nil
		}
		return runner.Done(), nil
	}}
}

func TestUnansweredFailureStopsRun(t *testing.T) {
	onBoth(t, func(g *fixture) { unanswered(g, example.MTC) }, func(g *fixture) { unanswered(g, example.Variant) })
}

func unanswered[T example.Migration](g *fixture, kind example.Kind[T]) {
	s := failing("Check")
	s.passFailure = true // so that the object still selects Main
	d := drive(g, kind, "unanswered", s)
	d.until(atPhase("Check"))
	again, err := d.turn()
	var unanswered *runner.UnansweredFailureError
	require.ErrorAs(d, err, &unanswered)
	assert.Equal(d, "Check", unanswered.Phase)
	assert.False(d, again)
	state, version := d.state(), d.object().GetResourceVersion()
	require.NotNil(d, state.Stopped)
	const toDo = "let it name another itinerary"
	for _, text := range []string{`"Check"`, toDo, "Check is told to fail"} {
		assert.Contains(d, state.Stopped.Error, text)
	}
	assert.Equal(d, phases.Failed, state.Result)
	d.reads(controller.ConditionRunning, metav1.ConditionFalse, controller.ReasonStopped, toDo)
	for range 5 {
		d.now = d.now.Add(time.Hour)
		_, err := d.turn()
		require.Error(d, err)
	}
	assert.Equal(d, []string{"Check"}, d.called, "no other phase runs")
	assert.Equal(d, version, d.object().GetResourceVersion(), "nothing is written again")
	assert.Equal(d, 1, d.recorded(controller.EventStopped), "exactly one event: %v", d.events)

	d.edit(toCancel)
	state = d.finish()
	assert.Equal(d, []string{"Check", "Canceled"}, d.called)
	assert.Equal(d, phases.Failed, state.Result)
	assert.Nil(d, state.Stopped)
	d.reads(controller.ConditionSucceeded, metav1.ConditionFalse, "Failed")
}

func TestDeadlineCountsWork(t *testing.T) {
	onBoth(t, func(g *fixture) { deadlines(g, example.MTC) }, func(g *fixture) { deadlines(g, example.Variant) })
}

func deadlines[T example.Migration](g *fixture, kind example.Kind[T]) {
	// copying returns a run that has been in Copy for a while, with a deadline
	// of two hours. Copy has been called, unless since is zero.
	copying := func(name string, since time.Duration) (d *driven[T], done *bool) {
		done = new(bool)
		d = drive(g, kind, name, script{
			deadline: 2 * time.Hour,
			ask:      func(flag string) (phases.Truth, error) { return phases.TruthOf(flag == "HasPods"), nil },
			handle: func(_ example.Migration, phase string) (runner.Result, error) {
				if phase == "Copy" && !*done {
					return runner.Wait(0, "at work"), nil
				}
				return runner.Done(), nil
			},
		})
		d.until(func(s runner.State) bool { return s.Phase == "Copy" && (s.WaitingSince != nil || since == 0) })
		d.now = d.state().Entered.Add(since)
		return d, done
	}
	noFailure := func(d *driven[T]) {
		d.Helper()
		s := d.finish()
		assert.Empty(d, s.Failures)
		assert.Equal(d, phases.Succeeded, s.Result)
	}

	d, done := copying("paused-with-an-hour-to-go", time.Hour)
	d.pause(true)
	_, err := d.turn()
	require.NoError(d, err)
	calls := len(d.called)
	d.now = d.now.Add(8 * time.Hour)
	_, err = d.turn()
	require.NoError(d, err)
	assert.Len(d, d.called, calls, "no handler is called during a pause")
	d.pause(false)
	_, err = d.turn()
	require.NoError(d, err)
	assert.Equal(d, "Copy", d.state().Phase, "the pause does not count")
	*done = true
	noFailure(d)

	d, _ = copying("the-hour-after-the-pause-passes", time.Hour)
	d.pause(true)
	_, err = d.turn()
	require.NoError(d, err)
	d.now = d.now.Add(8 * time.Hour)
	d.pause(false)
	_, err = d.turn()
	require.NoError(d, err)
	assert.Equal(d, "Copy", d.state().Phase)
	d.now = d.state().Entered.Add(10*time.Hour + 2*time.Second)
	calls = len(d.called)
	_, err = d.turn()
	require.NoError(d, err)
	assert.Equal(d, "Copy", d.called[calls], "the handler is called once more")
	s := d.finish()
	require.Len(d, s.Failures, 1)
	assert.Equal(d, []string{"phase Copy was not done within 2 h", "the last message: at work"}, s.Failures[0].Reasons)

	d, done = copying("down-past-the-deadline-with-the-work-done", time.Hour)
	*done = true
	d.now = d.now.Add(8 * time.Hour)
	d.restart()
	noFailure(d)

	// Down since the phase was entered: the first call is also the last.
	d, done = copying("down-before-the-first-call", 0)
	*done = true
	d.now = d.now.Add(8 * time.Hour)
	noFailure(d)
}

func TestOutcomeIsRecorded(t *testing.T) {
	onBoth(t, func(g *fixture) { outcomes(g, example.MTC) }, func(g *fixture) { outcomes(g, example.Variant) })
}

func outcomes[T example.Migration](g *fixture, kind example.Kind[T]) {
	for name, c := range map[string]struct {
		script    script
		at        string // phase of the edit; empty means before the first phase
		edit      []string
		itinerary string
		result    phases.Result
		event     string
		cleanup   int64
	}{
		"succeeds":                    {result: phases.Succeeded, event: controller.EventSucceeded, itinerary: "Main"},
		"canceled-before-it-begins":   {edit: []string{toCancel}, result: phases.Canceled, event: controller.EventCanceled, itinerary: "Cancel"},
		"canceled-in-its-first-phase": {at: "Check", edit: []string{toCancel}, result: phases.Canceled, event: controller.EventCanceled, itinerary: "Cancel"},
		"canceled-in-a-shared-step":   {at: "Finish", edit: []string{toCancel}, result: phases.Canceled, event: controller.EventCanceled, itinerary: "Cancel"},
		"canceled-and-the-cleanup-fails": {script: failing("Canceled"), at: "Scan", edit: []string{toCancel},
			result: phases.Canceled, event: controller.EventCanceled, itinerary: "Cancel", cleanup: 1},
		"rolled-back":               {at: "Scan", edit: []string{toRollBack}, result: phases.RolledBack, event: controller.EventRolledBack, itinerary: "Rollback"},
		"rolled-back-then-canceled": {at: "Scan", edit: []string{toRollBack, toCancel}, result: phases.Canceled, event: controller.EventCanceled, itinerary: "Cancel"},
		"canceled-then-rolled-back": {at: "Scan", edit: []string{toCancel, `{"spec":{"canceled":null,"rollback":true}}`},
			result: phases.Canceled, event: controller.EventCanceled, itinerary: "Rollback"},
		"fails-then-canceled": {script: failing("Scan"), at: "Scan", edit: []string{`{}`, toCancel},
			result: phases.Failed, event: controller.EventFailed, itinerary: "Failed"},
		"fails":                   {script: failing("Scan"), result: phases.Failed, event: controller.EventFailed, itinerary: "Failed"},
		"fails-in-its-last-phase": {script: failing("Finish"), result: phases.Failed, event: controller.EventFailed, itinerary: "Failed"},
	} {
		over, handle := false, c.script.handle
		c.script.ask = func(string) (phases.Truth, error) { return phases.TruthOf(over), nil }
		c.script.handle = func(m example.Migration, phase string) (runner.Result, error) {
			over = over || phase == "Turn" // one turn of the loop
			if handle == nil {
				return runner.Done(), nil
			}
			return handle(m, phase)
		}
		d := drive(g, kind, name, c.script)
		if c.at != "" {
			d.until(atPhase(c.at))
		}
		for _, e := range c.edit {
			d.edit(e)
			_, err := d.turn() // the controller follows the edit
			require.NoError(d, err)
		}
		s := d.finish()
		assert.Equal(d, c.result, s.Result, name)
		assert.Equal(d, c.itinerary, s.Itinerary, name)
		assert.Equal(d, c.cleanup, s.FailedInCleanup, name)
		status := metav1.ConditionFalse
		if c.result == phases.Succeeded {
			status = metav1.ConditionTrue
		}
		d.reads(controller.ConditionSucceeded, status, string(c.result))
		ends := []string{controller.EventSucceeded, controller.EventFailed, controller.EventCanceled, controller.EventRolledBack}
		for _, reason := range ends {
			want := 0
			if reason == c.event {
				want = 1
			}
			assert.Equal(d, want, d.recorded(reason), "%s: %s", name, reason)
		}
	}
}

func TestHugeFailuresReachTheCleanup(t *testing.T) {
	onBoth(t, func(g *fixture) { huge(g, example.MTC) }, func(g *fixture) { huge(g, example.Variant) })
}

func huge[T example.Migration](g *fixture, kind example.Kind[T]) {
	reasons := make([]string, 3000)
	for i := range reasons {
		reasons[i] = fmt.Sprintf("volume %d of 3000 was not copied: no space is left on the device", i)
	}
	for name, reasons := range map[string][]string{
		"one-of-two-mebibytes": {strings.Repeat("it failed ", 2<<20/10)},
		"three-thousand":       reasons,
		"not-utf8":             {strings.Repeat("\xff\xfe\x00", 100_000)},
	} {
		d := drive(g, kind, name, script{handle: func(_ example.Migration, phase string) (runner.Result, error) {
			if phase == "Check" {
				return runner.Fail(reasons...), nil
			}
			return runner.Done(), nil
		}})
		s := d.finish()
		assert.Equal(d, []string{"Check", "Repair"}, d.called, name)
		assert.Equal(d, phases.Failed, s.Result, name)
		require.Len(d, s.Failures, 1, name)
		assert.NotEmpty(d, s.Failures[0].Reasons, name)
		assert.Less(d, d.size(s), 64<<10, name)
	}
}

// A cleanup itinerary continues after a failure. A loop of such failures does
// not grow the state.
func TestLoopOfFailuresDoesNotGrowState(t *testing.T) {
	onBoth(t, func(g *fixture) { loops(g, example.MTC) }, func(g *fixture) { loops(g, example.Variant) })
}

func loops[T example.Migration](g *fixture, kind example.Kind[T]) {
	over := false
	d := drive(g, kind, "loop", script{
		ask: func(string) (phases.Truth, error) { return phases.TruthOf(over), nil },
		handle: func(_ example.Migration, phase string) (runner.Result, error) {
			if phase == "Turn" {
				return runner.Fail(strings.Repeat("it failed again ", 100)), nil
			}
			return runner.Done(), nil
		},
		choose: func(example.Migration) string { return "Rollback" }, passFailure: true,
	})
	// turns continues until n phases have failed.
	turns := func(n int64) int {
		d.Helper()
		return d.size(d.until(func(s runner.State) bool { return s.FailedInCleanup >= n }))
	}
	const few, many = 60, 180
	after := turns(few)
	for n := int64(few + 1); n <= many; n++ {
		// A counter may have one more digit.
		assert.InDelta(d, after, turns(n), 200, "after %d turns", n)
	}
	over = true
	s := d.finish()
	assert.Equal(d, phases.RolledBack, s.Result)
	assert.Positive(d, s.Dropped.Failures)
	assert.EqualValues(d, s.FailedInCleanup, s.Dropped.Failures+int64(len(s.Failures)))
}

// A repeated error is on the object while it lasts, with one event.
func TestRepeatedErrorsAreReported(t *testing.T) {
	onBoth(t, func(g *fixture) { repeats(g, example.MTC) }, func(g *fixture) { repeats(g, example.Variant) })
}

func repeats[T example.Migration](g *fixture, kind example.Kind[T]) {
	const errs, unanswered = 48, 50
	why := errors.New("the connection was refused")
	broken := true
	d := drive(g, kind, "a-handler-errs", script{handle: func(_ example.Migration, phase string) (runner.Result, error) {
		if phase == "Check" && broken {
			return runner.Result{}, why
		}
		return runner.Done(), nil
	}})
	d.until(atPhase("Check"))
	began := d.now
	for range errs {
		again, err := d.turn()
		require.NoError(d, err)
		require.True(d, again, "the phase is retried")
	}
	s := d.state()
	require.NotNil(d, s.Retry)
	assert.Empty(d, s.Retry.Flags)
	assert.Contains(d, s.Retry.Error, why.Error())
	assert.WithinDuration(d, began, s.Retry.Since.Time, time.Second)
	assert.Greater(d, s.Retry.Attempts, int64(errs-2))
	assert.True(d, s.Retry.Next.After(s.Retry.At.Time))
	assert.Contains(d, s.Pipeline.Current().Message, why.Error(), "users see the error in the step")
	d.reads(controller.ConditionRunning, metav1.ConditionTrue, controller.ReasonRetrying, why.Error(), "Check")
	assert.Equal(d, 1, d.recorded(controller.EventRetrying), "not one for each attempt: %v", d.events)
	broken = false
	d.until(atPhase("Scan"))
	assert.Nil(d, d.state().Retry)
	assert.NotContains(d, d.state().Pipeline.Current().Message, why.Error())
	d.reads(controller.ConditionRunning, metav1.ConditionTrue, controller.ReasonInPhase)
	assert.Equal(d, phases.Succeeded, d.finish().Result)

	mute := true
	d = drive(g, kind, "a-flag-stays-unknown", script{ask: func(flag string) (phases.Truth, error) {
		if flag == "HasPods" && mute {
			return phases.Unknown, why
		}
		return phases.False, nil
	}})
	d.until(atPhase("Scan")) // the run begins, because Scan decides the flag
	for range unanswered {
		again, err := d.turn()
		require.NoError(d, err)
		require.True(d, again, "the flag is evaluated again")
	}
	s = d.state()
	assert.Equal(d, []string{"Check", "Scan"}, d.called, "work that is recorded as done is not done again")
	assert.True(d, s.WorkDone)
	require.NotNil(d, s.Retry)
	assert.Equal(d, []string{"HasPods"}, s.Retry.Flags)
	assert.Contains(d, s.Retry.Error, why.Error())
	assert.Greater(d, s.Retry.Attempts, int64(unanswered-5))
	assert.Empty(d, s.Failures)
	d.reads(controller.ConditionRunning, metav1.ConditionTrue, controller.ReasonFlagsUnknown, why.Error(), "HasPods")
	assert.Equal(d, 1, d.recorded(controller.EventFlagsUnknown), "not one for each attempt: %v", d.events)
	mute = false
	s = d.until(func(s runner.State) bool { return s.Phase != "Scan" })
	assert.Nil(d, s.Retry)
	assert.Equal(d, phases.Succeeded, d.finish().Result)
}

// Flags that cannot be evaluated do not fail a phase. Its handler is not
// called again when the controller restarts.
func TestWorkThatIsDoneStaysDone(t *testing.T) {
	onBoth(t, func(g *fixture) { workDone(g, example.MTC) }, func(g *fixture) { workDone(g, example.Variant) })
}

func workDone[T example.Migration](g *fixture, kind example.Kind[T]) {
	mute := false
	// Copy also decides the flag, and has a deadline.
	set := machine.MustCompileSet(
		phases.Itinerary{Name: "Main", Vocabulary: shortFlags, Phases: []phases.Phase{
			{Name: "Check", Step: "Prepare"},
			{Name: "Copy", Step: "Copy", Decides: hasPods},
			{Name: "Finish", Step: "Cleanup", Guard: phases.Guard{All: hasPods}},
		}},
		phases.Itinerary{Name: "Failed", Vocabulary: shortFlags, Cleanup: true, Result: phases.Failed, Phases: []phases.Phase{
			{Name: "Repair", Step: "Repair"},
		}},
	)
	d := drive(g, kind, "work-done", script{
		set: set, deadline: time.Hour,
		ask: func(string) (phases.Truth, error) {
			if mute {
				return phases.Unknown, errors.New("the source cluster is down")
			}
			return phases.True, nil
		},
	})
	d.until(atPhase("Copy"))
	mute = true
	for range 3 {
		for range 3 {
			_, err := d.turn()
			require.NoError(d, err)
			d.now = d.now.Add(8 * time.Hour)
		}
		d.restart()
	}
	s := d.state()
	assert.Equal(d, "Copy", s.Phase)
	assert.True(d, s.WorkDone)
	assert.Empty(d, s.Failures)
	mute = false
	s = d.finish()
	assert.Equal(d, []string{"Check", "Copy", "Finish"}, d.called)
	assert.Equal(d, phases.Succeeded, s.Result)
}
