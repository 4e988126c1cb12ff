package controller_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// withToken gives objects a token and a place where runs begin: "TOKEN from PLACE" in
// an annotation.
func (w *world) withToken() {
	w.options.Runner.Token = func(_ context.Context, m *Move) (string, runner.RunFrom, error) {
		token, from, _ := strings.Cut(m.Annotations["run"], " from ")
		return token, runner.RunFrom(from), nil
	}
}

// again sets the token of the object.
func (w *world) again(token string, from runner.RunFrom) {
	w.edit(func(m *Move) {
		if m.Annotations == nil {
			m.Annotations = map[string]string{}
		}
		m.Annotations["run"] = fmt.Sprintf("%s from %s", token, from)
	})
}

// A new run is shown in the conditions and in an event. A selector that depends on the
// condition Failed selects as at the beginning. Every storage keeps the state.
func TestRunAgain(t *testing.T) {
	for name, c := range map[string]struct {
		subresource bool
		storage     runner.Storage[*Move]
	}{
		"status": {subresource, inStatus}, "annotation": {plain, inAnnotation},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, c.subresource)
			w.options.Runner.Storage = c.storage
			w.withToken()
			w.handlers["Copy"] = func(context.Context, *Move) (runner.Result, error) { return runner.Fail("disk full"), nil }
			w.end()
			assert.Equal(t, "Running=False/Done Succeeded=False/Failed Failed=True/Failed Paused=False/No", w.conditions())

			delete(w.handlers, "Copy")
			w.events, w.called = nil, nil
			w.again("2", runner.FromFailedPhase)
			_, err := w.reconcile()
			require.NoError(t, err)
			assert.Equal(t, "Running=True/InPhase Succeeded=Unknown/Running Failed=False/No Paused=False/No", w.conditions())
			w.end()
			assert.Equal(t, "Running=False/Done Succeeded=True/Succeeded Failed=False/No Paused=False/No", w.conditions())
			assert.Equal(t, []string{"Copy", "Attach"}, w.called)
			assert.Equal(t, []string{
				`Normal RunAgain: run 2 begins, in itinerary "Move" from phase "Copy"`,
				`Normal StepStarted: step "Restore" has started, with phase "Attach"`,
				`Normal RunSucceeded: itinerary "Move" has ended`,
			}, w.events)
			assert.Equal(t, 2.0, w.count("runs_total"))

			w.events, w.called = nil, nil
			w.again("3", runner.FromStart)
			w.end()
			assert.Equal(t, []string{"Refresh", "Copy", "Attach"}, w.called)
			assert.Equal(t, `Normal RunAgain: run 3 begins, in itinerary "Move" from the start`, w.events[0])
			assert.Contains(t, w.events, `Normal StepStarted: step "Prepare" has started, with phase "Refresh"`)
			s, err := c.storage.Read(context.Background(), w.get())
			require.NoError(t, err)
			assert.Equal(t, int64(3), s.Run)
			require.Len(t, s.Runs, 2)
			assert.Equal(t, phases.Failed, s.Runs[0].Result)
			assert.Equal(t, phases.Succeeded, s.Runs[1].Result)
		})
	}
}

// A new run that cannot begin is shown beside the result of the run before.
func TestRunAgainIsRefused(t *testing.T) {
	w := newWorld(t, subresource)
	w.withToken()
	w.end()
	w.events = nil
	w.again("2", runner.FromFailedPhase)
	result, err := w.reconcile()
	require.Error(t, err)
	assert.Zero(t, result)
	assert.Equal(t, "Running=False/Stopped Succeeded=True/Succeeded Failed=False/No Paused=False/No", w.conditions())
	assert.Contains(t, w.message("Running"), "no phase has failed")
	require.Len(t, w.events, 1)
	assert.Contains(t, w.events[0], "Warning Stopped: the token asks")

	w.again("1", runner.FromStart)
	w.options.Runner.OnRunAgain = func(context.Context, *Move, runner.PastRun) error { return errDown }
	w.restart()
	result, err = w.reconcile()
	require.NoError(t, err)
	assert.NotZero(t, result.RequeueAfter)
	assert.Equal(t, "Running=False/Retrying Succeeded=True/Succeeded Failed=False/No Paused=False/No", w.conditions())
	assert.Contains(t, w.message("Running"), "a new run cannot begin; attempt 1 failed")

	w.again("", "")
	w.end()
	assert.Equal(t, "Running=False/Done Succeeded=True/Succeeded Failed=False/No Paused=False/No", w.conditions())
}

// A token that changed before a run stopped begins the next run without another change
// of the object.
func TestTokenChangedBeforeRunStopped(t *testing.T) {
	w := newWorld(t, subresource)
	w.withToken()
	w.options.Runner.OnError = func(*Move, runner.Visit, error) runner.ErrorAction { return runner.ActionStop }
	w.handlers["Copy"] = func(context.Context, *Move) (runner.Result, error) { return runner.Result{}, errors.New("quota") }
	for range 2 {
		_, err := w.reconcile()
		require.NoError(t, err)
	}
	w.again("2", runner.FromStart)
	result, err := w.reconcile()
	require.NoError(t, err)
	assert.NotZero(t, result.RequeueAfter)
	assert.NotNil(t, w.get().Status.State.Stopped)
	delete(w.handlers, "Copy")
	w.end()
	s := w.get().Status.State
	assert.Equal(t, int64(2), s.Run)
	assert.Equal(t, phases.Succeeded, s.Result)
	assert.Equal(t, "Copy", s.Runs[0].Phase)
}
