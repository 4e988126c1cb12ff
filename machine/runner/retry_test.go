package runner_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// due reconciles once, when that is due.
func (w *world) due() (runner.Outcome, error) {
	if retry := w.m.State.Retry; retry != nil && retry.Next.After(w.now) {
		w.now = retry.Next.Add(-time.Second)
	}
	return w.reconcile()
}

func TestMaxAttempts(t *testing.T) {
	w := atCopy(t, runner.Phase[*migration]{MaxAttempts: 3}, errs, waits, errs)
	for range 4 { // after a wait, the count restarts
		_, _ = w.due()
	}
	assert.Empty(t, w.m.State.Failures)
	for range 10 { // early, because the object changes
		_, _ = w.runner().Reconcile(context.Background(), w.m)
	}
	assert.Equal(t, int64(2), w.m.State.Retry.Attempts)
	_, err := w.due()
	require.NoError(t, err)
	assert.Equal(t, []string{"phase Copy was tried 3 times", "the last error: conflict"}, w.m.State.Failures[0].Reasons)
	assert.Equal(t, "CleanUp", w.m.State.Itinerary)
	assert.Nil(t, w.m.State.Retry)
}

// A retry is recorded at the first error, when the text changes, and every 30 seconds.
// The attempts in between are counted nevertheless.
func TestRetryIsRecordedSparingly(t *testing.T) {
	texts := []string{"a", "a", "b", "b", "b"}
	w := atCopy(t, runner.Phase[*migration]{Backoff: runner.Backoff{Initial: 4 * time.Second, Factor: 1}})
	n := 0
	w.handlers["Copy"] = func(context.Context, *migration) (runner.Result, error) {
		text := "b"
		if n < len(texts) {
			text = texts[n]
		}
		n++
		return runner.Result{}, errors.New(text)
	}
	w.options.Key = func(*migration) string { return "key" }
	r := w.runner()
	var written []int64
	for range 40 {
		out, err := r.Reconcile(context.Background(), w.m)
		require.Error(t, err)
		assert.Equal(t, 4*time.Second, out.RequeueAfter)
		if out.Changed {
			written = append(written, w.m.State.Retry.Attempts)
		}
		w.now = w.now.Add(out.RequeueAfter)
	}
	assert.Equal(t, []int64{1, 3, 11, 19, 27, 35}, written)
	r.Forget("key")
	_, err := w.runner().Reconcile(context.Background(), w.m) // another replica
	require.Error(t, err)
	assert.Equal(t, int64(35), w.m.State.Retry.Attempts, "written 20 s ago")
	assert.Equal(t, "b", w.m.State.Pipeline.Current().Message)

	w.handlers["Copy"] = nil
	out, err := w.runner().Reconcile(context.Background(), w.m)
	require.NoError(t, err)
	assert.Nil(t, out.State.Retry)
	data, _ := w.m.State.Pipeline.Lookup("Data")
	assert.Equal(t, "Completed", data.Message)
}

// Flags that cannot be evaluated are also shown, even before the run begins.
func TestRetryOfFlagsIsShown(t *testing.T) {
	for _, at := range []string{"", "Refresh"} {
		t.Run("at "+at, func(t *testing.T) {
			w := newWorld(t)
			for w.m.State.Phase != at {
				_, err := w.reconcile()
				require.NoError(t, err)
			}
			w.broken[volumes], w.broken[images] = errors.New("no answer"), errors.New("no answer")
			var attempts []int64
			w.options.Observers = append(w.options.Observers,
				runner.ObserverFunc[*migration](func(_ context.Context, _ *migration, e runner.Event) {
					if e, ok := e.(runner.PhaseRetried); ok {
						attempts = append(attempts, e.Attempt)
						assert.Equal(t, at, e.Phase)
					}
				}))
			since := w.now.Add(time.Second).Unix()
			for i := range 50 {
				out, err := w.due()
				var unknown *machine.UnknownFlagsError
				require.ErrorAs(t, err, &unknown)
				assert.False(t, runner.IsTerminal(err))
				assert.Equal(t, min(time.Second<<min(i, 10), 5*time.Minute), out.RequeueAfter)
				require.NotNil(t, w.m.State.Retry)
				assert.Equal(t, unknown.Flags, w.m.State.Retry.Flags)
				assert.Equal(t, since, w.m.State.Retry.Since.Unix())
				assert.Contains(t, w.m.State.Retry.Error, "no answer")
			}
			assert.Equal(t, int64(50), attempts[49])
			if at != "" {
				assert.Contains(t, w.m.State.Pipeline.Current().Message, "no answer")
			}
			clear(w.broken)
			_, err := w.reconcile()
			require.NoError(t, err)
			assert.Nil(t, w.m.State.Retry)
			assert.NotContains(t, w.reads(), "no answer")
			assert.LessOrEqual(t, strings.Count(strings.Join(w.called, " "), "Refresh"), 1)
		})
	}
}

// A selector that panics once a phase has failed does not make the phase fail
// repeatedly.
func TestSelectPanicsAfterFailure(t *testing.T) {
	w := atCopy(t, runner.Phase[*migration]{}, func() (runner.Result, error) { return runner.Fail("no"), nil })
	was := w.options.Select
	w.options.Select = func(_ context.Context, m *migration) (string, error) {
		if len(m.State.Failures) > 0 && !m.Canceled {
			panic("boom")
		}
		return was(context.Background(), m)
	}
	for range 5 {
		_, err := w.reconcile()
		require.ErrorAs(t, err, new(*phases.PanicError))
		assert.Contains(t, w.m.State.Retry.Error, "boom")
	}
	assert.Equal(t, []string{"Copy"}, w.called)
	assert.Len(t, w.m.State.Failures, 1)
	assert.Equal(t, []string{"no"}, w.m.Errors, "OnFail is called once")
	w.m.Canceled = true
	w.end()
	assert.Equal(t, phases.Failed, w.m.State.Result)
	assert.Nil(t, w.m.State.Retry)
}

// A run that neither moved nor changed its state is reconciled again after a second at
// the earliest.
func TestWaitIsNeverBusyLoop(t *testing.T) {
	for _, tt := range []struct {
		wait  time.Duration
		again bool
		first time.Duration // when the state has changed
		then  time.Duration
	}{
		{-time.Millisecond, true, 0, time.Second},
		{-time.Hour, true, 0, time.Second},
		{time.Nanosecond, true, time.Nanosecond, time.Second},
		{time.Minute, true, time.Minute, time.Minute},
		{0, false, 0, 0},
	} {
		t.Run(fmt.Sprint(tt.wait), func(t *testing.T) {
			w := atCopy(t, runner.Phase[*migration]{}, func() (runner.Result, error) { return runner.Wait(tt.wait, ""), nil })
			for i := range 3 {
				out, err := w.reconcile()
				require.NoError(t, err)
				assert.Equal(t, tt.again, out.Requeue)
				if i == 0 {
					assert.Equal(t, tt.first, out.RequeueAfter)
				} else {
					assert.Equal(t, tt.then, out.RequeueAfter)
				}
			}
		})
	}
}

// Changes that handlers make to the state on the object are not kept.
func TestHandlerCannotChangeState(t *testing.T) {
	for _, result := range []func() (runner.Result, error){errs, waits, done,
		func() (runner.Result, error) { return runner.Fail("no"), nil }} {
		w := atCopy(t, runner.Phase[*migration]{}, result)
		for range 2 {
			w.handlers["Copy"] = func(_ context.Context, m *migration) (runner.Result, error) {
				m.State = runner.State{}
				return result()
			}
			out, _ := w.reconcile()
			assert.Equal(t, out.State, w.m.State)
			assert.NotZero(t, w.m.State.Visit)
		}
	}
}
