package runner_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// One handler does the work of all phases without a handler, and receives the visit.
func TestHandlerForAllPhases(t *testing.T) {
	w := newWorld(t)
	own := w.options.Phases["Copy"].Handler
	w.options.Phases = map[string]runner.Phase[*migration]{"Copy": {Handler: own}, "Attach": {Deadline: time.Hour}}
	var visits []runner.Visit
	w.options.Handler = runner.VisitFunc[*migration](func(_ context.Context, _ *migration, v runner.Visit) (runner.Result, error) {
		visits = append(visits, v)
		if v.Phase == "Attach" {
			return runner.Fail("no node"), nil
		}
		return runner.Done(), nil
	})
	w.end()
	facts := phases.NewFacts(volumes, images)
	assert.Equal(t, []runner.Visit{
		{Itinerary: "Move", Phase: "Refresh", Step: "Prepare", Number: 1, Facts: facts},
		{Itinerary: "Move", Phase: "Attach", Step: "Restore", Number: 3, Facts: facts},
		{Itinerary: "CleanUp", Phase: "Detach", Step: "Data", Number: 4, Facts: facts},
		{Itinerary: "CleanUp", Phase: "Report", Step: "Report", Number: 5, Facts: facts},
		{Itinerary: "CleanUp", Phase: "Last", Step: "Report", Number: 6, Facts: facts},
	}, visits)
	assert.Equal(t, []string{"Copy"}, w.called, "its own handler")
	assert.Equal(t, phases.Failed, w.m.State.Result)
}

func TestNilHandlerForAllPhases(t *testing.T) {
	w := newWorld(t)
	w.options.Handler = runner.VisitFunc[*migration](nil)
	_, err := runner.New(w.options)
	assert.EqualError(t, err, "runner options: Handler holds a nil "+
		"runner.VisitFunc[*github.com/konveyor/dynamic-pipeline/machine/runner_test.migration]; set one that can be called, or remove it")
}

var errQuota = errors.New("quota exceeded")

// One function decides how to react to an error, and a panic is an error.
func TestOnError(t *testing.T) {
	for _, action := range []runner.ErrorAction{runner.ActionRetry, runner.ActionFail, runner.ActionStop} {
		for name, fails := range map[string]func() (runner.Result, error){
			"an error": func() (runner.Result, error) { return runner.Result{}, errQuota },
			"a panic":  func() (runner.Result, error) { panic(errQuota) },
		} {
			t.Run(fmt.Sprint(name, ", action ", action), func(t *testing.T) {
				w := atCopy(t, runner.Phase[*migration]{}, fails)
				var visits []runner.Visit
				w.options.OnError = func(_ *migration, v runner.Visit, err error) runner.ErrorAction {
					visits = append(visits, v)
					assert.ErrorIs(t, err, errQuota)
					return action
				}
				out, err := w.reconcile()
				require.Len(t, visits, 1)
				assert.Equal(t, "Copy", visits[0].Phase)
				switch action {
				case runner.ActionRetry:
					require.ErrorIs(t, err, errQuota)
					assert.True(t, out.Requeue)
					assert.False(t, runner.IsTerminal(err))
				case runner.ActionFail:
					require.NoError(t, err)
					assert.Equal(t, "CleanUp", w.m.State.Itinerary)
					assert.Contains(t, w.m.Errors[0], "quota exceeded")
				case runner.ActionStop:
					var stop *runner.StopError
					require.ErrorAs(t, err, &stop)
					require.ErrorIs(t, err, errQuota)
					assert.Equal(t, "Copy", stop.Phase)
					assert.True(t, runner.IsTerminal(err))
					assert.False(t, out.Requeue)
					assert.Contains(t, w.m.State.Stopped.Error, "quota exceeded")
				}
				w.handlers["Copy"] = func(context.Context, *migration) (runner.Result, error) { return done() }
				w.end()
				assert.Nil(t, w.m.State.Stopped)
				assert.Equal(t, action == runner.ActionFail, w.m.State.Result == phases.Failed)
			})
		}
	}
}

// A cleanup itinerary reaches its end, whatever OnError decides.
func TestOnErrorInCleanup(t *testing.T) {
	for _, action := range []runner.ErrorAction{runner.ActionFail, runner.ActionStop} {
		w := newWorld(t)
		w.m.Canceled = true
		w.handlers["Report"] = func(context.Context, *migration) (runner.Result, error) { return runner.Result{}, errQuota }
		w.options.OnError = func(*migration, runner.Visit, error) runner.ErrorAction { return action }
		w.end()
		assert.EqualValues(t, 1, w.m.State.FailedInCleanup)
	}
}

// An OnError that panics decides nothing: the error is retried.
func TestOnErrorThatPanics(t *testing.T) {
	w := atCopy(t, runner.Phase[*migration]{}, errs)
	w.options.OnError = func(*migration, runner.Visit, error) runner.ErrorAction { panic("boom") }
	out, err := w.reconcile()
	require.EqualError(t, err, `itinerary "Move": phase "Copy": conflict`)
	assert.True(t, out.Requeue)
}

// A StopError that a handler returns from a runner inside it does not stop the outer
// run.
func TestStopErrorOfHandlerIsNotTerminal(t *testing.T) {
	inner := &runner.StopError{Itinerary: "Inner", Phase: "P", Err: errQuota}
	w := atCopy(t, runner.Phase[*migration]{}, func() (runner.Result, error) { return runner.Result{}, inner })
	out, err := w.reconcile()
	require.ErrorIs(t, err, errQuota)
	assert.False(t, runner.IsTerminal(err))
	assert.True(t, out.Requeue)
	w.options.OnError = func(*migration, runner.Visit, error) runner.ErrorAction { return runner.ActionStop }
	_, err = w.reconcile()
	assert.True(t, runner.IsTerminal(err), "OnError decided so")
}

// Nor does one that another function of the options or a source returns.
func TestStopErrorOfOptionIsNotTerminal(t *testing.T) {
	inner := &runner.StopError{Itinerary: "Inner", Phase: "P", Err: errQuota}
	w := atCopy(t, runner.Phase[*migration]{}, done)
	w.options.Select = func(context.Context, *migration) (string, error) { return "", inner }
	out, err := w.reconcile()
	require.ErrorIs(t, err, errQuota)
	assert.False(t, runner.IsTerminal(err))
	assert.True(t, out.Requeue)
	assert.False(t, runner.IsTerminal(&machine.UnknownFlagsError{Err: &phases.FlagError{Flag: "HasPVs", Err: inner}}))
}

// In a cleanup itinerary, an error of OnFail does not hold the run. It does not hide that
// the run stops, either.
func TestIsTerminalDespiteErrorOfOnFail(t *testing.T) {
	w := newWorld(t)
	selected := "CleanUp"
	w.options.Select = func(context.Context, *migration) (string, error) { return selected, nil }
	w.options.OnFail = func(context.Context, *migration, runner.Failure) error { selected = "Nope"; return errQuota }
	w.handlers["Detach"] = func(context.Context, *migration) (runner.Result, error) { return runner.Fail("no"), nil }
	_, err := w.reconcile()
	require.NoError(t, err)
	out, err := w.reconcile()
	require.ErrorIs(t, err, errQuota)
	require.ErrorAs(t, err, new(*phases.UnknownItineraryError))
	assert.True(t, runner.IsTerminal(err))
	assert.NotNil(t, w.m.State.Stopped)
	assert.False(t, out.Requeue)
}

// An error of any function of the options is retried and shown, and nothing else
// happens meanwhile.
func TestOptionsThatReturnErrors(t *testing.T) {
	errDown := errors.New("no route")
	for name, c := range map[string]struct {
		plant func(w *world, broken *bool)
		want  string
		shown bool
	}{
		"Select": {func(w *world, broken *bool) {
			was := w.options.Select
			w.options.Select = func(ctx context.Context, m *migration) (string, error) {
				if *broken {
					return "CleanUp", errDown
				}
				return was(ctx, m)
			}
		}, "Select: no route", true},
		"Paused": {func(w *world, broken *bool) {
			w.options.Paused = func(context.Context, *migration) (bool, error) {
				if *broken {
					return true, errDown
				}
				return false, nil
			}
		}, "Paused: no route", true},
		"Failed": {func(w *world, broken *bool) {
			w.m.Canceled = true
			w.options.Failed = func(context.Context, *migration) (bool, error) {
				if *broken {
					return true, errDown
				}
				return false, nil
			}
		}, "Failed: no route", true},
		"Read": {func(w *world, broken *bool) {
			was := w.options.Storage.Read
			w.options.Storage.Read = func(ctx context.Context, m *migration) (runner.State, error) {
				if *broken {
					return runner.State{}, errDown
				}
				return was(ctx, m)
			}
		}, "read the state: no route", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := atCopy(t, runner.Phase[*migration]{}, done)
			broken := true
			c.plant(w, &broken)
			for attempt := range 3 {
				out, err := w.reconcile()
				require.EqualError(t, err, c.want)
				require.ErrorIs(t, err, errDown)
				assert.False(t, runner.IsTerminal(err))
				assert.Equal(t, "Copy", w.m.State.Phase)
				assert.Empty(t, w.called)
				assert.Equal(t, c.shown, out.Requeue, "the rate limiter retries a state that cannot be read")
				if c.shown {
					require.NotNil(t, w.m.State.Retry, "attempt %d", attempt)
					assert.Equal(t, c.want, w.m.State.Retry.Error)
					assert.Equal(t, runner.RetryOptions, w.m.State.Retry.Kind)
				}
			}
			broken = false
			w.end()
			assert.Nil(t, w.m.State.Retry)
			assert.Equal(t, name == "Failed", w.m.State.Result == phases.Succeeded && w.m.State.Itinerary == "CleanUp")
		})
	}
}

// The context of a reconcile reaches the functions of the options.
func TestContextReachesOptions(t *testing.T) {
	type key struct{}
	w := newWorld(t)
	var seen []string
	note := func(ctx context.Context, name string) {
		if ctx.Value(key{}) == "reconcile" {
			seen = append(seen, name)
		}
	}
	o := w.options
	w.options.Select = func(ctx context.Context, m *migration) (string, error) {
		note(ctx, "Select")
		return o.Select(ctx, m)
	}
	w.options.Paused = func(ctx context.Context, m *migration) (bool, error) { note(ctx, "Paused"); return o.Paused(ctx, m) }
	w.options.OnFail = func(ctx context.Context, m *migration, f runner.Failure) error {
		note(ctx, "OnFail")
		return o.OnFail(ctx, m, f)
	}
	w.options.Failed = func(ctx context.Context, _ *migration) (bool, error) { note(ctx, "Failed"); return false, nil }
	w.options.Storage.Read = func(ctx context.Context, m *migration) (runner.State, error) {
		note(ctx, "Read")
		return o.Storage.Read(ctx, m)
	}
	w.options.Storage.Write = func(ctx context.Context, m *migration, s runner.State) error {
		note(ctx, "Write")
		return o.Storage.Write(ctx, m, s)
	}
	r := w.runner()
	ctx := context.WithValue(context.Background(), key{}, "reconcile")
	_, err := r.Reconcile(ctx, w.m)
	require.NoError(t, err)
	assert.Equal(t, []string{"Read", "Paused", "Select", "Write"}, seen)
	seen = nil
	w.handlers["Refresh"] = func(context.Context, *migration) (runner.Result, error) { return runner.Fail("no access"), nil }
	_, err = r.Reconcile(ctx, w.m)
	require.NoError(t, err)
	assert.Equal(t, []string{"Read", "Paused", "Select", "Write", "OnFail", "Select", "Write"}, seen)
	w.m = &migration{}
	_, err = r.Reconcile(ctx, w.m)
	require.NoError(t, err)
	seen, w.m.Canceled = nil, true
	_, err = r.Reconcile(ctx, w.m)
	require.NoError(t, err)
	assert.Equal(t, []string{"Read", "Paused", "Select", "Failed", "Write"}, seen)
}

func TestResultAccessors(t *testing.T) {
	done, wait, fail := runner.Done(), runner.Wait(time.Minute, "copying", "1 of 2", "2 of 2"), runner.Fail("no space", "no luck")
	for _, c := range []struct {
		result           runner.Result
		done, wait, fail bool
	}{{done, true, false, false}, {wait, false, true, false}, {fail, false, false, true}, {runner.Result{}, false, false, false}} {
		assert.Equal(t, []bool{c.done, c.wait, c.fail}, []bool{c.result.IsDone(), c.result.IsWait(), c.result.IsFail()}, c.result.String())
	}
	assert.Equal(t, time.Minute, wait.RequeueAfter())
	assert.Equal(t, "copying", wait.Message())
	assert.Equal(t, []string{"1 of 2", "2 of 2"}, wait.Progress())
	assert.Equal(t, []string{"no space", "no luck"}, fail.Reasons())
	fail.Reasons()[0] = "changed"
	wait.Progress()[0] = "changed"
	assert.Equal(t, "no space", fail.Reasons()[0], "a copy")
	assert.Equal(t, "1 of 2", wait.Progress()[0], "a copy")
}
