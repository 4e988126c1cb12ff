package runner_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// newLoop returns a world whose copying loops until its handler chooses to leave. Files
// go to Volumes if there are any, and the end has no step.
func newLoop(t *testing.T, cleanup bool) *world {
	w := newWorld(t)
	loop := phases.Itinerary{Name: "Move", Vocabulary: vocabulary, Cleanup: cleanup, Phases: []phases.Phase{
		{Name: "Refresh", Step: "Prepare", Decides: volumes},
		{Name: "Copy", Step: "Data", Steps: []phases.GuardedStep{{Step: "Volumes", Guard: phases.Guard{All: volumes}}},
			Jumps: []phases.Jump{{To: "Copy", Choice: true}, {To: "GiveUp", Choice: true}, {To: "Refresh", Guard: phases.Guard{All: images}}}},
		{Name: "Completed", Step: "Cleanup", End: true},
		{Name: "GiveUp", Step: "Undo"},
		{Name: "GivenUp", End: true},
	}}
	w.options.Itineraries = machine.MustCompileSet(loop, itineraries()[1])
	w.options.Phases = map[string]runner.Phase[*migration]{}
	w.options.Handler = runner.VisitFunc[*migration](func(ctx context.Context, m *migration, v runner.Visit) (runner.Result, error) {
		w.called = append(w.called, v.Phase)
		if h := w.handlers[v.Phase]; h != nil {
			return h(ctx, m)
		}
		return runner.Done(), nil
	})
	return w
}

// An end phase is entered and the run finished at once: no handler is called, its step
// is started and completed, and its name stays.
func TestEndPhase(t *testing.T) {
	w := newLoop(t, false)
	w.end()
	s := w.m.State
	assert.Equal(t, []string{"Refresh", "Copy"}, w.called)
	assert.Equal(t, "Completed", s.Phase)
	assert.True(t, s.Done)
	assert.Equal(t, int64(3), s.Visit)
	assert.Nil(t, s.Entered)
	assert.Equal(t, "Prepare: Completed | Volumes: Completed | Cleanup: Completed", w.reads())
	last := s.Pipeline[2]
	assert.Equal(t, last.Started, last.Completed)
	assert.Equal(t, "PhaseExited PhaseEntered RunFinished", strings.Join(w.events[len(w.events)-3:], " "))
	out, err := w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, runner.Outcome{State: w.m.State, Done: true}, out, "a done run is left alone")
}

// A run that another controller, or an earlier release, left in a phase that is now an
// end phase is done, whatever the object selects and whether or not it is paused.
func TestRecordedEndPhase(t *testing.T) {
	for name, change := range map[string]func(*migration){
		"as it was left":            func(*migration) {},
		"paused":                    func(m *migration) { m.Paused = true },
		"canceled after the end":    func(m *migration) { m.Canceled = true },
		"without an itinerary":      func(m *migration) { m.State.Itinerary = "" },
		"entered before by a phase": func(m *migration) { m.State.Visit, m.State.Entered = 3, &metav1.Time{Time: time.Unix(1, 0)} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newLoop(t, false)
			began := &metav1.Time{Time: time.Unix(1, 0)}
			w.m.State.Itinerary, w.m.State.Phase = "Move", "Completed"
			w.m.State.Pipeline = steps.Pipeline{{Name: "Prepare", Started: began, Completed: began}, {Name: "Cleanup", Started: began}}
			change(w.m)
			out, err := w.reconcile()
			require.NoError(t, err)
			assert.True(t, out.Done)
			assert.False(t, out.Requeue)
			assert.Equal(t, "Completed", w.m.State.Phase)
			assert.Equal(t, "Move", w.m.State.Itinerary)
			assert.Equal(t, phases.Succeeded, w.m.State.Result)
			assert.Nil(t, w.m.State.Entered)
			assert.Equal(t, "Prepare: Completed | Cleanup: Completed", w.reads())
			assert.Empty(t, w.called)
			out, err = w.reconcile()
			require.NoError(t, err)
			assert.False(t, out.Changed, "a done run is left alone")
			assert.Equal(t, 1, strings.Count(strings.Join(w.events, " "), "RunFinished"), "reported once")
		})
	}
}

func TestHandlerChooses(t *testing.T) {
	w := newLoop(t, false)
	w.values[images] = true // without a choice, back to Refresh
	turn := 0
	w.handlers["Copy"] = func(context.Context, *migration) (runner.Result, error) {
		switch turn++; turn {
		case 1:
			return runner.Done(runner.Choose("Copy")), nil
		case 2:
			w.values[volumes] = false // which Refresh decides
			return runner.Done(), nil
		}
		return runner.Done(runner.Choose("GiveUp")), nil
	}
	for range 2 {
		_, err := w.reconcile()
		require.NoError(t, err)
	}
	assert.Equal(t, "Prepare: Continues later | Volumes: Copy | Undo: Not started", w.reads(),
		"only the choice to give up leaves the loop")
	assert.Equal(t, "Volumes", w.m.State.Step)
	w.end()
	assert.Equal(t, []string{"Refresh", "Copy", "Copy", "Refresh", "Copy", "GiveUp"}, w.called)
	assert.Equal(t, "GivenUp", w.m.State.Phase)
	assert.Equal(t, "Prepare: Completed | Volumes: Completed | Data: Completed | Undo: Completed", w.reads())
}

// A choice that the phase does not declare stops the run until the handler chooses
// another. In a cleanup itinerary the phase fails.
func TestUndeclaredChoice(t *testing.T) {
	for _, cleanup := range []bool{false, true} {
		w := newLoop(t, cleanup)
		choice := "Refresh"
		w.handlers["Copy"] = func(context.Context, *migration) (runner.Result, error) {
			return runner.Done(runner.Choose(choice)), nil
		}
		for range 2 {
			_, err := w.reconcile()
			require.NoError(t, err)
		}
		out, err := w.reconcile()
		if cleanup {
			require.NoError(t, err)
			assert.Equal(t, int64(1), w.m.State.FailedInCleanup)
			assert.Equal(t, []string{`itinerary "Move": phase "Copy" does not declare the choice to jump to "Refresh"; its choices ` +
				`are Copy and GiveUp`}, w.m.State.Failures[0].Reasons)
			continue
		}
		var refused *machine.ChoiceError
		require.ErrorAs(t, err, &refused)
		require.ErrorAs(t, err, new(*runner.StopError))
		assert.Equal(t, refused.Error(), err.Error(), "the phase is named once")
		assert.True(t, runner.IsTerminal(err))
		assert.False(t, out.Requeue)
		assert.Equal(t, "Copy", w.m.State.Phase)
		assert.False(t, w.m.State.WorkDone)
		require.NotNil(t, w.m.State.Stopped)
		choice = "GiveUp"
		w.end()
		assert.Equal(t, "GivenUp", w.m.State.Phase)
	}
}

// A stop ends a series of attempts: the count restarts, in the same process and in
// another.
func TestStopEndsSeriesOfAttempts(t *testing.T) {
	w := newLoop(t, false)
	w.options.Phases["Refresh"] = runner.Phase[*migration]{MaxAttempts: 2}
	w.options.Key = func(*migration) string { return "key" }
	calls := 0
	w.handlers["Refresh"] = func(context.Context, *migration) (runner.Result, error) {
		if calls++; calls == 2 {
			return runner.Done(runner.Choose("GiveUp")), nil
		}
		return errs()
	}
	r := w.runner()
	for calls < 3 {
		_, err := r.Reconcile(t.Context(), w.m)
		require.Equal(t, calls == 2, runner.IsTerminal(err), "after call %d: %v", calls, err)
		w.now = w.now.Add(time.Minute)
	}
	assert.Empty(t, w.m.State.Failures)
	require.NotNil(t, w.m.State.Retry)
	assert.Equal(t, int64(1), w.m.State.Retry.Attempts)
}

// A run continues after a duration. Meanwhile its handler is not called and no deadline
// counts. The flags that the phase decides are evaluated when the run continues.
func TestDoneAfterDuration(t *testing.T) {
	w := newLoop(t, false)
	w.options.Phases["Refresh"] = runner.Phase[*migration]{Deadline: 5 * time.Second}
	w.handlers["Refresh"] = func(context.Context, *migration) (runner.Result, error) {
		return runner.Done(runner.After(10*time.Second - time.Millisecond)), nil
	}
	_, err := w.reconcile()
	require.NoError(t, err)
	out, err := w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, 10*time.Second, out.RequeueAfter)
	asked := len(w.asked)
	for want := 9 * time.Second; want > 0; want -= time.Second {
		out, err := w.reconcile()
		require.NoError(t, err)
		assert.False(t, out.Changed)
		assert.Equal(t, want, out.RequeueAfter)
	}
	assert.Len(t, w.asked, asked)
	assert.True(t, w.m.State.WorkDone)
	w.values[volumes] = false
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, "Copy", w.m.State.Phase)
	assert.Equal(t, "Data", w.m.State.Step, "by the value of now")
	assert.Nil(t, w.m.State.NotBefore)
	assert.Equal(t, []string{"Refresh"}, w.called)

	// A cancel does not wait.
	w = newLoop(t, false)
	w.handlers["Refresh"] = func(context.Context, *migration) (runner.Result, error) {
		return runner.Done(runner.After(time.Hour)), nil
	}
	for range 2 {
		_, err := w.reconcile()
		require.NoError(t, err)
	}
	w.m.Canceled = true
	w.end()
	assert.Equal(t, "CleanUp", w.m.State.Itinerary)
}

func TestResultsOfDone(t *testing.T) {
	r := runner.Done(runner.Choose("Undo"), runner.After(time.Minute), nil)
	assert.True(t, r.IsDone())
	assert.Equal(t, "Undo", r.Choice())
	assert.Equal(t, time.Minute, r.RequeueAfter())
	assert.Equal(t, "done, continue with Undo after 1m0s", r.String())
	assert.Equal(t, runner.Done(), runner.Done(runner.After(-1)))
}

func TestEndPhaseHasNoHandler(t *testing.T) {
	w := newLoop(t, false)
	w.options.Phases["Completed"] = runner.Phase[*migration]{Deadline: time.Second}
	w.options.PhasesByItinerary = map[string]map[string]runner.Phase[*migration]{"Move": {"GivenUp": {Handler: w.options.Handler}}}
	_, err := runner.New(w.options)
	assert.EqualError(t, err, `runner options: Phases: "Completed" is an end phase, which does no work; remove it here; `+
		`PhasesByItinerary: phase "GivenUp" of itinerary "Move" is an end phase, which does no work; remove it here`)
}

// A choice and a step that a user wrote are bounded like any text that is read.
func TestForgedChoiceIsBounded(t *testing.T) {
	w := newLoop(t, false)
	for range 2 {
		_, err := w.reconcile()
		require.NoError(t, err)
	}
	w.m.State.WorkDone, w.m.State.Choice, w.m.State.Step = true, strings.Repeat("x", 1<<20), strings.Repeat("y", 1<<20)
	_, err := w.reconcile()
	require.ErrorAs(t, err, new(*machine.ChoiceError))
	assert.LessOrEqual(t, len(w.m.State.Choice), runner.MaxText)
	assert.LessOrEqual(t, len(w.m.State.Step), runner.MaxText)
	require.NotNil(t, w.m.State.Stopped)
}
