package runner_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// atCopy returns a world in which Copy has just been entered with these options. Its
// handler returns the given results in order, and the last one repeatedly.
func atCopy(t *testing.T, p runner.Phase[*migration], results ...func() (runner.Result, error)) *world {
	w := newWorld(t)
	calls := 0
	p.Handler = w.options.Phases["Copy"].Handler
	w.options.Phases["Copy"] = p
	w.handlers["Copy"] = func(context.Context, *migration) (runner.Result, error) {
		result := results[min(calls, len(results)-1)]
		calls++
		return result()
	}
	for w.m.State.Phase != "Copy" {
		_, err := w.reconcile()
		require.NoError(t, err)
	}
	w.called = nil
	return w
}

func done() (runner.Result, error)  { return runner.Done(), nil }
func waits() (runner.Result, error) { return runner.Wait(time.Minute, "copying"), nil }
func errs() (runner.Result, error)  { return runner.Result{}, errors.New("conflict") }

// A deadline limits work. However the time went by, a phase whose work is done
// continues, and any other phase fails after one last call.
func TestDeadlineLimitsWork(t *testing.T) {
	hour := runner.Phase[*migration]{Deadline: time.Hour}
	pause := func(d time.Duration) func(*world) {
		return func(w *world) {
			w.m.Paused = true
			_, _ = w.reconcile()
			w.now = w.now.Add(d)
			_, _ = w.reconcile()
			w.m.Paused = false
		}
	}
	down := func(d time.Duration) func(*world) { return func(w *world) { w.now = w.now.Add(d) } }
	call := func(w *world) { _, _ = w.reconcile() }
	tests := []struct {
		about   string
		phase   runner.Phase[*migration]
		results []func() (runner.Result, error)
		happens []func(*world)
		failure []string // nil: the run continues
		calls   int
	}{
		{"a pause of eight hours", hour, []func() (runner.Result, error){waits}, []func(*world){call, pause(8 * time.Hour), call}, nil, 2},
		{"two pauses", hour, []func() (runner.Result, error){waits}, []func(*world){pause(time.Hour), pause(time.Hour), down(50 * time.Minute), call}, nil, 1},
		{"work and a pause", hour, []func() (runner.Result, error){waits},
			[]func(*world){down(40 * time.Minute), call, pause(8 * time.Hour), call, down(30 * time.Minute), call},
			[]string{"phase Copy was not done within 1 h", "the last message: copying"}, 3},
		{"down past the deadline, and done meanwhile", hour, []func() (runner.Result, error){waits, done}, []func(*world){call, down(2 * time.Hour), call}, nil, 2},
		{"down before the first call", hour, []func() (runner.Result, error){done}, []func(*world){down(2 * time.Hour), call}, nil, 1},
		{"down past the deadline, and not done", hour, []func() (runner.Result, error){waits}, []func(*world){call, down(2 * time.Hour), call},
			[]string{"phase Copy was not done within 1 h", "the last message: copying"}, 2},
		{"errors to the end", hour, []func() (runner.Result, error){errs}, []func(*world){call, down(2 * time.Hour), call},
			[]string{"phase Copy was not done within 1 h", "the last error: conflict"}, 2},
		{"errors, and waiting at last", hour, []func() (runner.Result, error){errs, waits}, []func(*world){call, down(2 * time.Hour), call},
			[]string{"phase Copy was not done within 1 h", "the last error: conflict"}, 2},
		{"failed at last", hour, []func() (runner.Result, error){waits, func() (runner.Result, error) { return runner.Fail("no space"), nil }},
			[]func(*world){call, down(2 * time.Hour), call}, []string{"no space"}, 2},
		{"a clock that was a year ahead", hour, []func() (runner.Result, error){waits},
			[]func(*world){func(w *world) { w.m.State.Entered.Time = w.m.State.Entered.AddDate(1, 0, 0) }, call, down(2 * time.Hour), call},
			[]string{"phase Copy was not done within 1 h", "the last message: copying"}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.about, func(t *testing.T) {
			w := atCopy(t, tt.phase, tt.results...)
			for _, happen := range tt.happens {
				happen(w)
			}
			assert.Len(t, w.called, tt.calls)
			if tt.failure == nil {
				assert.Empty(t, w.m.State.Failures)
				return
			}
			require.Len(t, w.m.State.Failures, 1)
			assert.Equal(t, tt.failure, w.m.State.Failures[0].Reasons)
			assert.Equal(t, "CleanUp", w.m.State.Itinerary)
		})
	}
}

// Times are whole seconds, so a deadline counts from the end of the second.
func TestDeadlineOfOneSecond(t *testing.T) {
	w := newWorld(t)
	w.options.Deadline = time.Second // for all phases
	w.now = w.now.Add(990 * time.Millisecond)
	w.handlers["Refresh"] = func(context.Context, *migration) (runner.Result, error) { return waits() }
	r := w.runner()
	for range 2 {
		_, err := r.Reconcile(context.Background(), w.m)
		require.NoError(t, err)
		w.now = w.now.Add(20 * time.Millisecond)
	}
	assert.Equal(t, []string{"Refresh"}, w.called)
	assert.Empty(t, w.m.State.Failures)
	w.now = w.now.Add(950 * time.Millisecond)
	_, err := r.Reconcile(context.Background(), w.m)
	require.NoError(t, err)
	assert.Empty(t, w.m.State.Failures, "it has a whole second in any case")
	w.now = w.now.Add(time.Second)
	_, err = r.Reconcile(context.Background(), w.m)
	require.NoError(t, err)
	assert.Len(t, w.m.State.Failures, 1)
}

// The context of the last call is bounded, since the deadline has passed.
func TestContextOfLastCall(t *testing.T) {
	for _, tt := range []struct{ deadline, want time.Duration }{{time.Hour, time.Minute}, {10 * time.Second, 10 * time.Second}} {
		w := newWorld(t)
		var timeouts []time.Duration
		w.options.Phases["Copy"] = runner.Phase[*migration]{Deadline: tt.deadline, Handler: runner.HandlerFunc[*migration](
			func(context.Context, *migration) (runner.Result, error) { return runner.Done(), nil })}
		for w.m.State.Phase != "Copy" {
			_, err := w.reconcile()
			require.NoError(t, err)
		}
		w.options.WithTimeout = func(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
			timeouts = append(timeouts, d)
			return context.WithCancel(parent)
		}
		w.now = w.now.Add(24 * time.Hour)
		_, err := w.reconcile()
		require.NoError(t, err)
		assert.Equal(t, []time.Duration{tt.want}, timeouts)
	}
}

func TestBackoffIsCutToDeadline(t *testing.T) {
	w := atCopy(t, runner.Phase[*migration]{Deadline: time.Minute, Backoff: runner.Backoff{Initial: 10 * time.Minute}}, errs)
	out, err := w.reconcile()
	require.Error(t, err)
	assert.Equal(t, time.Minute, out.RequeueAfter, "the second in which it was entered does not count")
	assert.Equal(t, w.now.Add(time.Minute).Unix(), w.m.State.Retry.Next.Unix())
	w.now = w.now.Add(out.RequeueAfter - time.Second)
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, []string{"phase Copy was not done within 1 min", "the last error: conflict"}, w.m.State.Failures[0].Reasons)
}

// A flag that cannot be evaluated never fails a run: no deadline counts once the work
// is done.
func TestDeadlineDoesNotCountWhenWorkIsDone(t *testing.T) {
	w := newWorld(t)
	w.options.Deadline = time.Minute
	_, err := w.reconcile()
	require.NoError(t, err)
	w.broken[volumes] = errors.New("no answer")
	for range 10 {
		_, err := w.reconcile()
		require.Error(t, err)
		w.now = w.now.Add(30 * time.Second)
	}
	delete(w.broken, volumes)
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, []string{"Refresh"}, w.called)
	assert.Empty(t, w.m.State.Failures)
	assert.Equal(t, "Copy", w.m.State.Phase)
}

// The state has the time at which the phase fails, for its readers.
func TestDeadlineIsInState(t *testing.T) {
	hour := runner.Phase[*migration]{Deadline: time.Hour}
	w := atCopy(t, hour, waits)
	entered := w.now
	at := func() time.Duration {
		t.Helper()
		require.NotNil(t, w.m.State.Deadline)
		return w.m.State.Deadline.Sub(entered)
	}
	assert.Equal(t, time.Hour+time.Second, at())
	w.now = w.now.Add(10 * time.Minute)
	_, err := w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, time.Hour+time.Second, at(), "it stays while the phase waits")

	w.m.Paused = true
	for i := range 4 {
		w.now = w.now.Add(time.Duration(min(i, 1)) * time.Hour)
		out, err := w.reconcile()
		require.NoError(t, err)
		assert.Equal(t, time.Hour+time.Second, at(), "a pause would change it with each second")
		assert.Equal(t, w.now.Sub(w.m.State.PausedSince.Time), w.m.State.Status(w.now).Deadline.Sub(w.m.State.Deadline.Time))
		assert.Equal(t, out.Changed, w.now.Equal(w.m.State.PausedSince.Time))
	}
	remaining := w.m.State.Status(w.now).Deadline.Sub(w.now)
	w.m.Paused = false
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, 4*time.Hour+5*time.Second, at(), "the pause is over")
	assert.Equal(t, remaining, w.m.State.Deadline.Sub(w.now))

	w.options.Phases["Copy"] = runner.Phase[*migration]{Handler: w.options.Phases["Copy"].Handler,
		Deadline: 90*time.Minute + time.Millisecond}
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, 4*time.Hour+30*time.Minute+6*time.Second, at(), "another release has a longer deadline, in part of a second")
	w.options.Phases["Copy"] = runner.Phase[*migration]{Handler: w.options.Phases["Copy"].Handler}
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.Nil(t, w.m.State.Deadline, "another has none")
	w.options.Deadline = 4 * time.Hour
	_, err = w.reconcile()
	require.NoError(t, err)
	deadline := w.m.State.Deadline.Time
	assert.False(t, w.m.State.Status(deadline.Add(-time.Second)).Overdue)
	assert.True(t, w.m.State.Status(deadline).Overdue)

	w.now = deadline.Add(-2 * time.Second)
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.Empty(t, w.m.State.Failures, "a second before")
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.Len(t, w.m.State.Failures, 1, "then the phase fails")
	assert.Equal(t, "CleanUp", w.m.State.Itinerary)
	require.NotNil(t, w.m.State.Deadline)
	assert.Equal(t, w.m.State.Entered.Add(4*time.Hour+time.Second), w.m.State.Deadline.Time, "that of the next phase")
	w.end()
	assert.Nil(t, w.m.State.Deadline, "a run that is done has none")
}

func TestDeadlineIsInStateOnlyIfHandlerIsCalledAgain(t *testing.T) {
	for _, c := range []struct {
		about string
		set   func(w *world)
	}{
		{"the run continues later", func(w *world) {
			w.handlers["Copy"] = func(context.Context, *migration) (runner.Result, error) {
				return runner.Done(runner.After(time.Hour)), nil
			}
		}},
		{"the failure is not answered", func(w *world) {
			w.options.OnFail = nil
			w.handlers["Copy"] = func(context.Context, *migration) (runner.Result, error) { return runner.Fail("no"), nil }
		}},
		{"another itinerary waits for its flags", func(w *world) {
			w.m.State.Phase, w.m.State.Itinerary = "", ""
			w.broken[volumes], w.broken[images] = errors.New("no answer"), errors.New("no answer")
			w.m.State.Facts = phases.Record{}
			w.m.State.Entered = nil
		}},
	} {
		t.Run(c.about, func(t *testing.T) {
			w := atCopy(t, runner.Phase[*migration]{Deadline: time.Hour}, waits)
			require.NotNil(t, w.m.State.Deadline)
			c.set(w)
			for range 3 {
				_, _ = w.reconcile()
				assert.Nil(t, w.m.State.Deadline)
			}
		})
	}
}
