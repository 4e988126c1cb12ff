package runner_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// A runner that cannot distinguish objects counts the attempts of each.
func TestAttemptsOfAnotherObjectDoNotCount(t *testing.T) {
	w := newWorld(t)
	w.options.MaxAttempts = 3
	w.handlers["Refresh"] = func(context.Context, *migration) (runner.Result, error) {
		return runner.Result{}, errors.New("conflict")
	}
	r := w.runner() // one runner, three objects
	var all [3]migration
	for i := range all {
		_, err := r.Reconcile(context.Background(), &all[i])
		require.NoError(t, err)
	}
	for i := range all {
		m := &all[i]
		_, err := r.Reconcile(context.Background(), m)
		assert.Empty(t, m.State.Failures, "object %d fails after one attempt (err %v)", i, err)
		if m.State.Retry != nil {
			assert.EqualValues(t, 1, m.State.Retry.Attempts, "object %d", i)
		}
	}
}

// Objects without a key may be reconciled at the same time.
func TestObjectsWithoutKeyInParallel(t *testing.T) {
	w := newWorld(t)
	w.options.Observers = nil
	w.options.Now = time.Now
	for n, p := range w.options.Phases {
		p.Handler = runner.HandlerFunc[*migration](func(context.Context, *migration) (runner.Result, error) {
			return runner.Result{}, errors.New("x")
		})
		w.options.Phases[n] = p
	}
	w.options.Sources = func(context.Context, *migration) (*phases.Sources, error) {
		src := func(f phases.Flags) phases.Source {
			return phases.Source{Flag: f, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) { return phases.True, nil }}
		}
		return phases.NewSources(vocabulary, src(volumes), src(images))
	}
	r := w.runner()
	var wg sync.WaitGroup
	for range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			m := &migration{}
			for range 50 {
				_, _ = r.Reconcile(context.Background(), m)
			}
		}()
	}
	wg.Wait()
}

// Errors of the selector do not use up the attempts of a handler.
func TestPanicOfSelectIsNotAnAttempt(t *testing.T) {
	w := atCopy(t, runner.Phase[*migration]{MaxAttempts: 3}, errs)
	sel, boom := w.options.Select, true
	w.options.Select = func(_ context.Context, m *migration) (string, error) {
		if boom {
			panic("boom")
		}
		return sel(context.Background(), m)
	}
	for range 2 {
		_, err := w.reconcile()
		require.Error(t, err)
	}
	assert.Empty(t, w.called, "the handler was never called")
	boom = false
	_, _ = w.reconcile()
	assert.Empty(t, w.m.State.Failures, "called once, fails for 3 attempts: %v", w.m.State.Failures)
}

// A handler may run another run, whose error stops only that run.
func TestHandlerErrorIsNeverTerminal(t *testing.T) {
	w := atCopy(t, runner.Phase[*migration]{}, func() (runner.Result, error) {
		return runner.Result{}, fmt.Errorf("child run: %w", &phases.UnknownItineraryError{Name: "Child"})
	})
	out, err := w.reconcile()
	require.Error(t, err)
	assert.True(t, out.Requeue, "handler errors are retried")
	assert.False(t, runner.IsTerminal(err))
	assert.Nil(t, w.m.State.Stopped)
}

func TestSourceErrorIsNeverTerminal(t *testing.T) {
	w := newWorld(t)
	w.broken[images] = fmt.Errorf("child run: %w", &phases.UnknownItineraryError{Name: "Child"})
	out, err := w.reconcile()
	require.Error(t, err)
	assert.True(t, out.Requeue, "flags are retried")
	assert.Nil(t, w.m.State.Stopped)
}

func TestZeroRunner(t *testing.T) {
	for _, r := range []*runner.Runner[*migration]{nil, {}} {
		_, err := r.Reconcile(context.Background(), &migration{})
		assert.EqualError(t, err, "the runner was not made; make it with New")
		r.Forget("key")
	}
	w := newWorld(t)
	var none context.Context
	_, err := w.runner().Reconcile(none, w.m)
	require.NoError(t, err)
	assert.Equal(t, "Refresh", w.m.State.Phase)
}

// A controller that shuts down ends the context of handlers. No phase fails because of
// that.
func TestShutdownIsNotLastCall(t *testing.T) {
	w := atCopy(t, runner.Phase[*migration]{Deadline: time.Minute})
	w.handlers["Copy"] = func(ctx context.Context, _ *migration) (runner.Result, error) {
		if ctx.Err() != nil {
			return runner.Result{}, ctx.Err()
		}
		return runner.Done(), nil // the work is done
	}
	w.now = w.now.Add(time.Hour)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	out, err := w.runner().Reconcile(ctx, w.m)
	assert.Empty(t, w.m.State.Failures, "out %v err %v", out.Changed, err)
}

func TestShutdownIsNotAnAttempt(t *testing.T) {
	w := atCopy(t, runner.Phase[*migration]{MaxAttempts: 1})
	w.handlers["Copy"] = func(ctx context.Context, _ *migration) (runner.Result, error) {
		if ctx.Err() != nil {
			return runner.Result{}, ctx.Err()
		}
		return runner.Done(), nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := w.runner().Reconcile(ctx, w.m)
	assert.Empty(t, w.m.State.Failures, "err %v", err)
}

func TestNextAttemptCountsFromEndOfHandler(t *testing.T) {
	w := atCopy(t, runner.Phase[*migration]{Backoff: runner.Backoff{Initial: 10 * time.Second}})
	w.handlers["Copy"] = func(ctx context.Context, _ *migration) (runner.Result, error) {
		w.now = w.now.Add(time.Minute)
		return runner.Result{}, errors.New("timeout")
	}
	out, _ := w.reconcile()
	assert.Equal(t, w.now.Add(out.RequeueAfter).Unix(), w.m.State.Retry.Next.Unix(), "next is %s from now", w.m.State.Retry.Next.Sub(w.now))
}

func TestEvaluatingFlagsTakesNoTimeFromNextPhase(t *testing.T) {
	w := newWorld(t)
	w.options.EvaluationTimeout = 5 * time.Minute
	p := w.options.Phases["Copy"]
	p.Deadline = time.Minute
	w.options.Phases["Copy"] = p
	n := 0
	sources := w.options.Sources
	w.options.Sources = func(ctx context.Context, m *migration) (*phases.Sources, error) {
		n++
		if n > 1 {
			w.now = w.now.Add(2 * time.Minute)
		}
		return sources(ctx, m)
	}
	w.handlers["Copy"] = func(context.Context, *migration) (runner.Result, error) { return runner.Wait(time.Second, ""), nil }
	for range 2 {
		_, err := w.reconcile()
		require.NoError(t, err)
	}
	require.Equal(t, "Copy", w.m.State.Phase)
	assert.Equal(t, w.now.Unix(), w.m.State.Entered.Unix(), "entered %s ago", w.now.Sub(w.m.State.Entered.Time))
	_, err := w.reconcile()
	require.NoError(t, err)
	assert.Empty(t, w.m.State.Failures)
}

func TestNextAttemptIsWholeSecond(t *testing.T) {
	w := atCopy(t, runner.Phase[*migration]{Deadline: 5 * time.Second, Backoff: runner.Backoff{Initial: time.Minute}}, errs)
	w.now = w.now.Add(300 * time.Millisecond)
	_, _ = w.reconcile()
	assert.Zero(t, w.m.State.Retry.Next.Nanosecond())
}

func TestStopStaysInPipeline(t *testing.T) {
	w := newWorld(t)
	_, err := w.reconcile()
	require.NoError(t, err)
	w.options.Sources = func(context.Context, *migration) (*phases.Sources, error) { return phases.NewSources(vocabulary) }
	for i := range 3 {
		out, err := w.reconcile()
		require.True(t, runner.IsTerminal(err))
		assert.Equal(t, w.m.State.Stopped.Error, w.m.State.Pipeline.Current().Message, "reconcile %d, changed %v", i, out.Changed)
	}
}

func TestRetryEndsWithRun(t *testing.T) {
	w := newWorld(t)
	w.end()
	boom := true
	w.options.Paused = func(context.Context, *migration) (bool, error) {
		if boom {
			panic("boom")
		}
		return false, nil
	}
	_, _ = w.reconcile()
	boom = false
	for range 3 {
		_, err := w.reconcile()
		require.NoError(t, err)
	}
	assert.Nil(t, w.m.State.Retry, "of a run that is done")
}

func TestStoppedRunIsNotRetried(t *testing.T) {
	w := atCopy(t, runner.Phase[*migration]{}, func() (runner.Result, error) { return runner.Fail("no"), nil })
	boom := false
	w.options.Select = func(context.Context, *migration) (string, error) {
		if boom {
			panic("boom")
		}
		return "Move", nil
	}
	_, err := w.reconcile()
	require.True(t, runner.IsTerminal(err))
	boom = true
	_, err = w.reconcile()
	require.Error(t, err)
	boom = false
	for range 3 {
		out, err := w.reconcile()
		require.True(t, runner.IsTerminal(err))
		require.False(t, out.Requeue)
	}
	assert.Nil(t, w.m.State.Retry, "a stopped run is not retried")
}

func TestRetryOfFlagsIsRecordedSparingly(t *testing.T) {
	for _, at := range []string{"", "Refresh"} {
		w := newWorld(t)
		w.options.Backoff = runner.Backoff{Initial: time.Second, Factor: 1}
		w.options.Key = func(*migration) string { return "key" }
		for w.m.State.Phase != at {
			_, _ = w.reconcile()
		}
		w.broken[volumes], w.broken[images] = errors.New("no answer"), errors.New("no answer")
		r := w.runner()
		written := 0
		for range 60 {
			w.now = w.now.Add(time.Second)
			out, err := r.Reconcile(context.Background(), w.m)
			require.Error(t, err)
			if out.Changed {
				written++
			}
		}
		assert.LessOrEqual(t, written, 3, "at %q in a minute", at)
	}
}

func TestAttemptsOfFlagsRestartWithItinerary(t *testing.T) {
	v := vocabulary
	set := machine.MustCompileSet(
		phases.Itinerary{Name: "Move", Vocabulary: v,
			Phases: []phases.Phase{{Name: "A", Step: "S", Decides: volumes}, {Name: "B", Step: "S", Guard: phases.Guard{All: volumes}}}},
		phases.Itinerary{Name: "Other", Vocabulary: v, Phases: []phases.Phase{{Name: "C", Step: "S", Guard: phases.Guard{All: volumes}}}},
	)
	w := newWorld(t)
	w.options.Itineraries = set
	w.options.PassThrough = true
	w.options.Phases = nil
	w.options.Key = func(*migration) string { return "key" }
	sel := "Move"
	w.options.Select = func(context.Context, *migration) (string, error) { return sel, nil }
	r := w.runner()
	rec := func() (runner.Outcome, error) {
		w.now = w.now.Add(time.Second)
		return r.Reconcile(context.Background(), w.m)
	}
	_, err := rec()
	require.NoError(t, err)
	w.broken[volumes] = errors.New("no answer")
	for range 12 {
		_, err = rec()
		require.Error(t, err)
	}
	sel = "Other"
	out, err := rec()
	require.Error(t, err)
	require.Equal(t, "Other", w.m.State.Itinerary)
	assert.EqualValues(t, 1, w.m.State.Retry.Attempts, "since %v", w.m.State.Retry.Since)
	assert.Equal(t, time.Second, out.RequeueAfter)
}

// A new release in which the phase that is done decides more flags.
func TestReleaseWhileWorkIsDone(t *testing.T) {
	release := func(decides phases.Flags) *machine.Set {
		return machine.MustCompileSet(phases.Itinerary{Name: "Move", Vocabulary: vocabulary, Phases: []phases.Phase{
			{Name: "A", Step: "S", Decides: decides},
			{Name: "B", Step: "S", Guard: phases.Guard{All: volumes}},
			{Name: "C", Step: "S", Guard: phases.Guard{All: images}},
		}})
	}
	w := newWorld(t)
	w.options.Itineraries, w.options.PassThrough, w.options.Phases = release(volumes), true, nil
	w.options.Select = func(context.Context, *migration) (string, error) { return "Move", nil }
	w.values[images] = false
	_, err := w.reconcile()
	require.NoError(t, err)
	w.broken[volumes] = errors.New("no answer")
	_, err = w.reconcile()
	require.Error(t, err)
	require.True(t, w.m.State.WorkDone)
	// A has changed Images, which the new release declares
	w.values[images], w.values[volumes] = true, false
	clear(w.broken)
	w.options.Itineraries = release(volumes | images)
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, "C", w.m.State.Phase, "images is judged by a value from before A")
}

func TestForgedVisitSkipsNoPhase(t *testing.T) {
	w := atCopy(t, runner.Phase[*migration]{}, func() (runner.Result, error) { return runner.Fail("no"), nil })
	w.m.State.Visit = math.MaxInt64
	w.end()
	assert.Equal(t, []string{"Copy", "Detach", "Report", "Last"}, w.called)
}

func TestStopWithFailedWriteIsRetried(t *testing.T) {
	w := newWorld(t)
	w.m.State.Itinerary, w.m.State.Phase = "Move", "Nowhere"
	w.options.Storage.Write = func(context.Context, *migration, runner.State) error { return errors.New("full") }
	out, err := w.reconcile()
	assert.False(t, runner.IsTerminal(err), "it was not written, so another try is of use: again %v", out.Requeue)
}

func TestStopEndsPause(t *testing.T) {
	w := atCopy(t, runner.Phase[*migration]{Deadline: time.Minute}, waits)
	w.m.Paused = true
	_, err := w.reconcile()
	require.NoError(t, err)
	w.m.Paused = false
	sel := w.options.Select
	w.options.Select = func(context.Context, *migration) (string, error) { return "Typo", nil }
	out, err := w.reconcile()
	require.True(t, runner.IsTerminal(err))
	assert.False(t, out.Paused)
	assert.Nil(t, out.State.PausedSince, "no pause holds the run")
	w.options.Select = sel
}

// An itinerary counts for the result once its first phase is entered.
func TestCancelTakenBackBeforeItsFirstPhase(t *testing.T) {
	set := machine.MustCompileSet(
		phases.Itinerary{Name: "Move", Vocabulary: vocabulary, Phases: []phases.Phase{{Name: "A", Step: "S"}, {Name: "B", Step: "S"}}},
		phases.Itinerary{Name: "Cancel", Vocabulary: vocabulary, Cleanup: true, Result: phases.Canceled,
			Phases: []phases.Phase{{Name: "C", Step: "T"}}},
	)
	w := newWorld(t)
	w.options.Itineraries, w.options.PassThrough, w.options.Phases = set, true, nil
	sel := "Move"
	w.options.Select = func(context.Context, *migration) (string, error) { return sel, nil }
	_, err := w.reconcile()
	require.NoError(t, err)
	sel = "Cancel"
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = w.runner().Reconcile(ctx, w.m)
	require.Error(t, err)
	sel = "Move"
	w.end()
	assert.NotEqual(t, phases.Canceled, w.m.State.Result, "Cancel never entered a phase")
}

func TestFailureWithFailedWriteIsReportedLater(t *testing.T) {
	w := atCopy(t, runner.Phase[*migration]{}, func() (runner.Result, error) { return runner.Fail("no"), nil })
	write, n := w.options.Storage.Write, 0
	w.options.Storage.Write = func(_ context.Context, m *migration, s runner.State) error {
		if n++; n == 1 {
			return errors.New("a moment")
		}
		return write(context.Background(), m, s)
	}
	for range 3 {
		_, _ = w.reconcile()
	}
	assert.Equal(t, []string{"no"}, w.m.Errors)
}

func TestLoggersWithoutLogAreRefused(t *testing.T) {
	w := newWorld(t)
	w.options.Observers = []runner.Observer[*migration]{runner.NewLogrObserver[*migration](nil), runner.NewSlogObserver[*migration](nil)}
	_, err := runner.New(w.options)
	assert.Error(t, err)
}

func TestLastAttemptIsNotRetry(t *testing.T) {
	w := atCopy(t, runner.Phase[*migration]{MaxAttempts: 1}, errs)
	w.events = nil
	_, _ = w.reconcile()
	assert.Contains(t, w.events, "PhaseFailed")
	assert.NotContains(t, w.events, "PhaseRetried")
}

func TestWaitingSinceIsUninterrupted(t *testing.T) {
	w := atCopy(t, runner.Phase[*migration]{}, waits, errs, waits)
	for range 3 {
		_, _ = w.reconcile()
	}
	assert.Equal(t, w.now.Unix(), w.m.State.WaitingSince.Unix())
}

func TestDoneRunIsSettledOnce(t *testing.T) {
	for name, st := range map[string]runner.State{
		"done with retry":    {Checkpoint: machine.Checkpoint{Itinerary: "Move", Done: true}, Retry: &runner.Retry{Error: "x"}},
		"done no result":     {Checkpoint: machine.Checkpoint{Itinerary: "Move", Done: true}},
		"done, stopped":      {Checkpoint: machine.Checkpoint{Itinerary: "Move", Done: true}, Stopped: &runner.Stop{Error: "x"}},
		"done, entered":      {Checkpoint: machine.Checkpoint{Itinerary: "Move", Done: true, Phase: "Copy", WorkDone: true}},
		"done, unknown":      {Checkpoint: machine.Checkpoint{Itinerary: "Gone", Done: true}},
		"done, no itinerary": {Checkpoint: machine.Checkpoint{Done: true}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.m.State = st
			for i := range 3 {
				out, err := w.reconcile()
				require.NoError(t, err)
				assert.True(t, out.Done)
				if i > 0 {
					assert.False(t, out.Changed)
				}
			}
			assert.Empty(t, w.m.State.Result, "another controller ended it")
			assert.Nil(t, w.m.State.Retry)
			assert.Nil(t, w.m.State.Stopped)
		})
	}
}

func TestOnFailThatPanicsIsCalledAgain(t *testing.T) {
	w := atCopy(t, runner.Phase[*migration]{}, func() (runner.Result, error) { return runner.Fail("no"), nil })
	onFail, n := w.options.OnFail, 0
	w.options.OnFail = func(_ context.Context, m *migration, f runner.Failure) error {
		if n++; n == 1 {
			panic("a moment")
		}
		return onFail(context.Background(), m, f)
	}
	for range 3 {
		_, _ = w.reconcile()
	}
	assert.Equal(t, []string{"no"}, w.m.Errors, "calls: %d", n)
}

func TestReleaseEvaluatesEachFlagOnce(t *testing.T) {
	release := func(p string) *machine.Set {
		return machine.MustCompileSet(phases.Itinerary{Name: "Move", Vocabulary: vocabulary, Phases: []phases.Phase{
			{Name: "A", Step: "S", Decides: volumes}, {Name: "B", Step: "S", Guard: phases.Guard{All: volumes}}, {Name: p, Step: "S"},
		}})
	}
	w := newWorld(t)
	w.options.Itineraries, w.options.PassThrough, w.options.Phases = release("C"), true, nil
	w.options.Select = func(context.Context, *migration) (string, error) { return "Move", nil }
	_, _ = w.reconcile()
	w.broken[volumes] = errors.New("no answer")
	_, err := w.reconcile()
	require.Error(t, err)
	w.asked = nil
	w.options.Itineraries = release("D")
	_, err = w.reconcile()
	require.Error(t, err)
	assert.Equal(t, []string{"Volumes"}, w.asked)
}

// A flag that is computed from a decided flag is evaluated again with it.
func TestFlagComputedFromDecidedFlag(t *testing.T) {
	set := machine.MustCompileSet(phases.Itinerary{Name: "Move", Vocabulary: vocabulary, Phases: []phases.Phase{
		{Name: "A", Step: "S", Decides: volumes}, {Name: "B", Step: "S", Guard: phases.Guard{All: images}}, {Name: "C", Step: "S"},
	}})
	w := newWorld(t)
	w.options.Itineraries, w.options.PassThrough, w.options.Phases = set, true, nil
	w.options.Select = func(context.Context, *migration) (string, error) { return "Move", nil }
	w.options.Sources = func(context.Context, *migration) (*phases.Sources, error) {
		return phases.NewSources(vocabulary,
			phases.Source{Flag: volumes, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
				return phases.TruthOf(w.values[volumes]), nil
			}},
			phases.Source{Flag: images, Inputs: volumes,
				Evaluate: func(_ context.Context, f phases.Facts) (phases.Truth, error) { return f.Of(volumes), nil }})
	}
	w.values[volumes] = false
	_, err := w.reconcile()
	require.NoError(t, err)
	w.values[volumes] = true // A creates volumes
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, "B", w.m.State.Phase)
}

func TestStopFixedDuringPause(t *testing.T) {
	w := newWorld(t)
	_, _ = w.reconcile()
	sel := w.options.Select
	w.options.Select = func(context.Context, *migration) (string, error) { return "Typo", nil }
	_, err := w.reconcile()
	require.Error(t, err)
	w.options.Select = sel
	w.m.Paused = true
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.Nil(t, w.m.State.Stopped, "the selector is fixed; the run is only paused")
}

func TestRetryOfSelectDoesNotCountForHandler(t *testing.T) {
	w := atCopy(t, runner.Phase[*migration]{}, errs)
	_, _ = w.reconcile()
	_, _ = w.reconcile()
	sel := w.options.Select
	w.options.Select = func(context.Context, *migration) (string, error) { panic("boom") }
	_, _ = w.reconcile()
	assert.EqualValues(t, 1, w.m.State.Retry.Attempts)
	w.options.Select = sel
}

func TestStateSizeWithHostileTexts(t *testing.T) {
	var ph []phases.Phase
	for i := range 50 {
		ph = append(ph, phases.Phase{Name: fmt.Sprintf("EnsureStagePodsTerminated%02d", i),
			Step: fmt.Sprintf("DirectVolumeMigration%02d", i)})
	}
	set := machine.MustCompileSet(
		phases.Itinerary{Name: "Final", Vocabulary: vocabulary, Phases: ph},
		phases.Itinerary{Name: "CancelA", Vocabulary: vocabulary, Cleanup: true, Phases: ph},
		phases.Itinerary{Name: "CancelB", Vocabulary: vocabulary, Cleanup: true, Phases: ph},
	)
	for _, text := range []string{"x", "\x00", "<", "\xff", "€"} {
		text = strings.Repeat(text, 3000)
		w := newWorld(t)
		w.options.Itineraries = set
		w.options.Phases = map[string]runner.Phase[*migration]{}
		n := 0
		sel := "Final"
		w.options.Select = func(context.Context, *migration) (string, error) { return sel, nil }
		for _, p := range ph {
			w.options.Phases[p.Name] = runner.Phase[*migration]{Handler: runner.HandlerFunc[*migration](
				func(context.Context, *migration) (runner.Result, error) {
					if n++; n%3 == 0 {
						return runner.Fail(text, text, text, text, text), nil
					}
					if n%3 == 1 {
						return runner.Wait(1, text, text, text, text, text, text, text), nil
					}
					return runner.Result{}, errors.New(text)
				})}
		}
		most := 0
		for i := range testscale.Of(400, 100) {
			if i%7 == 0 {
				sel = []string{"Final", "CancelA", "CancelB"}[(i/7)%3]
			}
			if w.m.State.Done {
				break
			}
			_, _ = w.reconcile()
			b, _ := json.Marshal(w.m.State)
			most = max(most, len(b))
		}
		t.Logf("%q: %d bytes, failures %d", text[:1], most, len(w.m.State.Failures))
		assert.Less(t, most, 64<<10)
	}
}

func TestRetriedRunIsNotStopped(t *testing.T) {
	w := newWorld(t)
	w.m.State.Itinerary, w.m.State.Phase = "Move", "Nowhere"
	_, err := w.reconcile()
	require.True(t, runner.IsTerminal(err))
	w.options.Select = func(context.Context, *migration) (string, error) { panic("boom") }
	_, err = w.reconcile()
	require.Error(t, err)
	assert.Nil(t, w.m.State.Stopped, "it is retried, not stopped")
}

func TestUnchangedWaitIsWrittenOnce(t *testing.T) {
	for _, res := range []runner.Result{
		runner.Wait(time.Minute, ""), runner.Wait(time.Minute, "", ""), runner.Wait(time.Minute, "\x00"),
		runner.Wait(time.Minute, strings.Repeat("é", 2000), make([]string, 5000)...),
		runner.Wait(time.Minute, "Not started"), runner.Wait(time.Minute, "Canceled"), runner.Wait(time.Minute, "Continues later"),
		runner.Wait(time.Minute, "a\xff\n", "a\xff\n"), runner.Wait(time.Minute, " x ", strings.Repeat("\u2028", 9000)),
	} {
		w := atCopy(t, runner.Phase[*migration]{}, func() (runner.Result, error) { return res, nil })
		for i := range 3 {
			out, err := w.reconcile()
			require.NoError(t, err)
			if i > 0 {
				assert.False(t, out.Changed, "%.40q", res.String())
			}
		}
	}
}

func TestUnchangedErrorIsWrittenOnce(t *testing.T) {
	for _, text := range []string{"", "\xff", strings.Repeat("\u2028", 900), strings.Repeat("é", 2000), "Completed"} {
		w := atCopy(t, runner.Phase[*migration]{}, func() (runner.Result, error) { return runner.Result{}, errors.New(text) })
		w.options.Key = func(*migration) string { return "k" }
		for i := range 3 {
			out, err := w.reconcile()
			require.Error(t, err)
			if i > 0 {
				assert.False(t, out.Changed, "%.40q", text)
			}
			assert.Equal(t, w.m.State.Retry.Error, w.m.State.Pipeline.Current().Message, "%.40q", text)
		}
	}
}
