package controller_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// retries lists what can be retried: how it fails, and how the failure ends.
var retries = map[string]struct {
	reason string
	fail   func(w *world, err error)
	over   func(w *world)
	metric string
}{
	"a handler": {
		controller.ReasonRetrying,
		func(w *world, err error) {
			w.handlers["Refresh"] = func(context.Context, *Move) (runner.Result, error) { return runner.Result{}, err }
		},
		func(w *world) { delete(w.handlers, "Refresh") },
		"phase_errors_total",
	},
	"a handler that panics": {
		controller.ReasonRetrying,
		func(w *world, err error) {
			w.handlers["Refresh"] = func(context.Context, *Move) (runner.Result, error) { panic(err) }
		},
		func(w *world) { delete(w.handlers, "Refresh") },
		"phase_errors_total",
	},
	"flags before the first phase": { // no phase ahead decides them
		controller.ReasonFlagsUnknown,
		func(w *world, err error) {
			if w.flagErr == nil {
				w.options.Runner.Itineraries = machine.MustCompileSet(
					phases.Itinerary{Name: "Move", Vocabulary: vocabulary, Phases: []phases.Phase{
						{Name: "Refresh", Step: "Prepare"},
						{Name: "Copy", Step: "Data", Guard: phases.Guard{All: volumes}},
						{Name: "Attach", Step: "Restore"},
					}},
					phases.Itinerary{Name: "CleanUp", Vocabulary: vocabulary, Cleanup: true,
						Phases: []phases.Phase{{Name: "Report", Step: "Report"}}},
				)
			}
			w.flagErr = err
		},
		func(w *world) { w.flagErr = nil },
		"flag_evaluation_errors_total",
	},
	"flags after a phase that decides them": {
		controller.ReasonFlagsUnknown,
		func(w *world, err error) { w.flagErr = err },
		func(w *world) { w.flagErr = nil },
		"flag_evaluation_errors_total",
	},
}

func TestRepeatedErrorsAreShown(t *testing.T) {
	for name, c := range retries {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, subresource)
			if !strings.Contains(name, "before") {
				_, err := w.reconcile()
				require.NoError(t, err)
			}
			events, wrote := len(w.events), w.writes
			c.fail(w, errDown)
			var waited []time.Duration
			began := w.now.Add(time.Second)
			for n := range 48 {
				result, err := w.reconcile()
				require.NoError(t, err, "the runner's backoff decides when, not the rate limiter")
				waited = append(waited, result.RequeueAfter)
				w.sleep(result)
				if n == 4 {
					assert.Equal(t, wrote+1, w.writes, "within 30 seconds")
				}
			}
			assert.Equal(t, []time.Duration{1e9, 2e9, 4e9, 8e9, 16e9}, waited[:5])
			assert.Equal(t, 5*time.Minute, waited[47])

			require.Len(t, w.events, events+1, "one event, not one for each attempt")
			assert.True(t, strings.HasPrefix(w.events[events], "Warning "+c.reason+": "), w.events[events])
			assert.Contains(t, w.events[events], errDown.Error())

			retry := w.get().Status.State.Retry
			require.NotNil(t, retry)
			assert.EqualValues(t, 48, retry.Attempts)
			assert.Equal(t, began.Unix(), retry.Since.Unix())
			assert.Contains(t, w.conditions(), "/"+c.reason+" Succeeded=Unknown/Running Failed=False/No Paused=False/No")
			at := `phase "Refresh" of itinerary "Move"`
			running := "True"
			if strings.Contains(name, "before") {
				at, running = "the run has not begun", "False"
			}
			if c.reason == controller.ReasonFlagsUnknown {
				at += ", unknown: Volumes"
			}
			assert.Equal(t, fmt.Sprintf("%s; attempt 48 failed (the first at %s), the next is due at %s: %s", at,
				began.UTC().Format(time.RFC3339), retry.Next.UTC().Format(time.RFC3339),
				retry.Error), w.message(controller.ConditionRunning))
			assert.Contains(t, w.conditions(), "Running="+running+"/")
			assert.EqualValues(t, 48, w.count(c.metric))

			c.fail(w, errors.New("certificate expired"))
			_, err := w.reconcile()
			require.NoError(t, err)
			require.Len(t, w.events, events+2, "the error has changed")
			assert.Contains(t, w.events[events+1], "certificate expired")
			assert.Contains(t, w.message(controller.ConditionRunning), "certificate expired")

			c.over(w)
			_, err = w.reconcile()
			require.NoError(t, err)
			assert.Nil(t, w.get().Status.State.Retry)
			assert.Contains(t, w.conditions(), "Running=True/InPhase")
			w.end()
			assert.Contains(t, w.conditions(), "Succeeded=True")
		})
	}
}

// The same error of another phase is another retry.
func TestRetriesHaveEvents(t *testing.T) {
	w := newWorld(t, subresource)
	w.options.Runner.MaxPhases = 10
	failing := "Refresh"
	for _, name := range []string{"Refresh", "Copy", "Attach"} {
		w.handlers[name] = func(context.Context, *Move) (runner.Result, error) {
			if name == failing {
				return runner.Result{}, errDown
			}
			return runner.Done(), nil
		}
	}
	for i, name := range []string{"Refresh", "Copy", "Attach"} {
		failing = name
		for range 2 {
			_, err := w.reconcile()
			require.NoError(t, err)
		}
		assert.Equal(t, i+1, strings.Count(strings.Join(w.events, "\n"), "Warning Retrying: "))
		assert.Contains(t, w.events[len(w.events)-1], fmt.Sprintf("phase %q", name))
	}
}

// A cleanup itinerary that a pause holds stays held although the selector fails.
func TestCleanupStaysPaused(t *testing.T) {
	w := newWorld(t, subresource)
	w.options.Runner.PauseHoldsCleanup = true
	w.selects("CleanUp")
	_, err := w.reconcile()
	require.NoError(t, err)
	w.edit(func(m *Move) { m.Spec.Paused = true })
	_, err = w.reconcile()
	require.NoError(t, err)
	require.Contains(t, w.conditions(), "Paused=True/Paused")
	w.options.Runner.Select = func(context.Context, *Move) (string, error) { panic(errDown) }
	w.restart()
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.Contains(t, w.conditions(), "Running=False/Retrying")
	assert.Contains(t, w.conditions(), "Paused=True/Paused")
}

// Functions of the options that fail are also retried while a pause holds the run, and
// the pause does not end because of that.
func TestFailingOptionsAreShown(t *testing.T) {
	for _, paused := range []bool{false, true} {
		for name, fail := range map[string]func(w *world){
			"Select": func(w *world) {
				w.options.Runner.Select = func(context.Context, *Move) (string, error) { panic(errDown) }
			},
			"Paused": func(w *world) {
				w.options.Runner.Paused = func(context.Context, *Move) (bool, error) { panic(errDown) }
			},
		} {
			t.Run(fmt.Sprintf("%s, paused: %v", name, paused), func(t *testing.T) {
				w := newWorld(t, subresource)
				_, err := w.reconcile()
				require.NoError(t, err)
				w.edit(func(m *Move) { m.Spec.Paused = paused })
				if paused {
					_, err = w.reconcile()
					require.NoError(t, err)
				}
				fine, events := w.options.Runner, len(w.events)
				fail(w)
				w.restart()
				for _, after := range []time.Duration{time.Second, 2 * time.Second} {
					result, err := w.reconcile()
					require.NoError(t, err)
					assert.Equal(t, after, result.RequeueAfter)
				}
				want := "Running=True/Retrying Succeeded=Unknown/Running Failed=False/No Paused=False/No"
				if paused {
					want = "Running=False/Retrying Succeeded=Unknown/Running Failed=False/No Paused=True/Paused"
				}
				assert.Equal(t, want, w.conditions())
				assert.Contains(t, w.message(controller.ConditionRunning), errDown.Error())
				var reasons []string
				for _, e := range w.events[events:] {
					reasons = append(reasons, strings.Fields(e)[1])
				}
				assert.Equal(t, []string{"Retrying:"}, reasons)
				assert.Empty(t, w.called)
				assert.Zero(t, w.count("phase_errors_total"))
				w.options.Runner = fine
				w.restart()
				w.edit(func(m *Move) { m.Spec.Paused = false })
				w.end()
				assert.Contains(t, w.conditions(), "Succeeded=True")
			})
		}
	}
}

func TestPhaseFailsAfterMaxAttempts(t *testing.T) {
	w := newWorld(t, subresource)
	w.options.Runner.MaxAttempts = 3
	w.handlers["Copy"] = func(context.Context, *Move) (runner.Result, error) { return runner.Result{}, errDown }
	w.end()
	assert.Equal(t, "Refresh Copy Copy Copy Report", strings.Join(w.called, " "))
	assert.Equal(t, `phase "Copy" of itinerary "Move" failed: phase Copy was tried 3 times; the last error: connection refused`,
		w.message(controller.ConditionFailed))
	assert.EqualValues(t, 1, strings.Count(strings.Join(w.events, "\n"), "Warning Retrying"))
}

// stopped lists all errors that stop a run, and how they are fixed.
var stopped = map[string]struct{ stop, fix func(w *world) }{
	"an unknown phase": {
		func(w *world) { w.edit(func(m *Move) { m.Status.State.Phase = "Kopy" }) },
		func(w *world) { w.edit(func(m *Move) { m.Status.State.Phase = "Copy" }) },
	},
	"an unknown itinerary": {
		func(w *world) { w.selects("Moove") },
		func(w *world) { w.selects("Move") },
	},
	"a failure that is not answered": {
		func(w *world) {
			w.selects("Move")
			w.handlers["Refresh"] = func(context.Context, *Move) (runner.Result, error) { return runner.Fail("disk full"), nil }
		},
		func(w *world) { w.selects("CleanUp") },
	},
	"a flag without a source": {
		func(w *world) {
			w.options.Runner.Sources = func(context.Context, *Move) (*phases.Sources, error) { return phases.NewSources(vocabulary) }
			w.restart()
		},
		func(w *world) {
			w.options.Runner.Sources = newWorld(w.t, subresource).options.Runner.Sources
			w.restart()
		},
	},
}

func TestStoppedRunIsShown(t *testing.T) {
	for name, c := range stopped {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, subresource)
			_, err := w.reconcile()
			require.NoError(t, err)
			c.stop(w)
			for range 3 {
				_, err := w.reconcile()
				require.ErrorIs(t, err, reconcile.TerminalError(nil))
				require.True(t, runner.IsTerminal(err))
			}
			text := w.get().Status.State.Stopped.Error
			assert.Equal(t, "since 2020-09-13T12:26:42Z: "+text, w.message(controller.ConditionRunning))
			assert.Contains(t, w.conditions(), "Running=False/Stopped Succeeded=Unknown/Running")
			assert.Equal(t, 1, strings.Count(strings.Join(w.events, "\n"), "Warning Stopped: "+text))

			c.fix(w)
			w.end()
			assert.Nil(t, w.get().Status.State.Stopped)
			assert.Contains(t, w.conditions(), "Running=False/Done")
		})
	}
}

// selects makes the selector name an itinerary from now on.
func (w *world) selects(itinerary string) {
	w.options.Runner.Select = func(context.Context, *Move) (string, error) { return itinerary, nil }
	w.restart()
}

// A run that is resumed and then stopped is not paused.
func TestStopEndsPause(t *testing.T) {
	for name, c := range stopped {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, subresource)
			_, err := w.reconcile()
			require.NoError(t, err)
			w.edit(func(m *Move) { m.Spec.Paused = true })
			c.stop(w)
			_, err = w.reconcile()
			require.NoError(t, err)
			assert.Contains(t, w.conditions(), "Running=False/Paused")
			assert.Contains(t, w.conditions(), "Paused=True")
			w.edit(func(m *Move) { m.Spec.Paused = false })
			_, err = w.reconcile()
			require.ErrorIs(t, err, reconcile.TerminalError(nil))
			assert.Contains(t, w.conditions(), "Running=False/Stopped")
			assert.Contains(t, w.conditions(), "Paused=False/No")
		})
	}
	t.Run("a state that cannot be read", func(t *testing.T) {
		w := newWorld(t, plain)
		w.options.Runner.Storage = inAnnotation
		_, err := w.reconcile()
		require.NoError(t, err)
		w.edit(func(m *Move) { m.Spec.Paused = true })
		_, err = w.reconcile()
		require.NoError(t, err)
		w.edit(func(m *Move) { m.Spec.Paused, m.Annotations[annotation] = false, "[" })
		_, err = w.reconcile()
		require.ErrorIs(t, err, reconcile.TerminalError(nil))
		assert.Contains(t, w.conditions(), "Paused=False/No")
	})
}

var errBroken = &runner.AnnotationError{Annotation: "example.com/state", Err: errors.New("no JSON")}

// A storage cannot read or write a state, or panics with it.
func TestUnwritableStateIsShown(t *testing.T) {
	for _, c := range []struct {
		name        string
		read, write func() error
		err         error
		terminal    bool
		reason      string
	}{
		{"an error of Read", func() error { return errDown }, nil, errDown, false, "Running=True/Retrying"},
		{"a broken annotation", func() error { return errBroken }, nil, errBroken, true, "Running=False/Stopped"},
		{"a panic of Read", func() error { panic(errDown) }, nil, errDown, false, "Running=True/Retrying"},
		{"an error of Write", nil, func() error { return errDown }, errDown, false, "Running=True/Retrying"},
		{"a panic of Write", nil, func() error { panic(errDown) }, errDown, false, "Running=True/Retrying"},
	} {
		for _, conditions := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, conditions: %v", c.name, conditions), func(t *testing.T) {
				w := newWorld(t, subresource)
				broken := false
				w.options.Runner.Storage = failingStorage(&broken, c.read, c.write)
				if !conditions {
					w.options.Conditions = nil
				}
				_, err := w.reconcile()
				require.NoError(t, err)
				before, wrote, events := w.get().Status.State, w.writes, len(w.events)
				broken = true
				for range 3 {
					_, err = w.reconcile()
					require.ErrorIs(t, err, c.err)
					assert.Equal(t, c.terminal, errors.Is(err, reconcile.TerminalError(nil)))
				}
				assert.Equal(t, before, w.get().Status.State, "nothing else is written")
				require.Len(t, w.events, events+1, "reported once")
				assert.Contains(t, w.events[events], c.err.Error())
				if conditions {
					assert.Equal(t, wrote+1, w.writes)
					assert.Contains(t, w.conditions(), c.reason)
				} else {
					assert.Equal(t, wrote, w.writes)
				}
				broken = false
				w.end()
				assert.True(t, w.get().Status.State.Done)
			})
		}
	}
}

// failingStorage fails while it is broken.
func failingStorage(broken *bool, read, write func() error) runner.Storage[*Move] {
	return runner.Storage[*Move]{
		Read: func(ctx context.Context, m *Move) (runner.State, error) {
			if *broken && read != nil {
				return runner.State{}, read()
			}
			return inStatus.Read(ctx, m)
		},
		Write: func(ctx context.Context, m *Move, s runner.State) error {
			if *broken && write != nil {
				return write()
			}
			return inStatus.Write(ctx, m, s)
		},
	}
}

// A new object of the same name begins with the first attempt.
func TestAttemptsOfDeletedObject(t *testing.T) {
	w := newWorld(t, subresource)
	_, err := w.reconcile()
	require.NoError(t, err)
	w.handlers["Refresh"] = func(context.Context, *Move) (runner.Result, error) { return runner.Result{}, errDown }
	for _, after := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
		result, err := w.reconcile()
		require.NoError(t, err)
		assert.Equal(t, after, result.RequeueAfter)
		w.sleep(result)
	}
	for _, seen := range []bool{true, false} { // whether the deletion was seen
		require.NoError(t, w.server.Delete(context.Background(), w.get()))
		if seen {
			_, err := w.reconcile()
			require.NoError(t, err)
		}
		again := &Move{}
		again.Namespace, again.Name, again.UID = "apps", "shop", "2"
		if !seen {
			again.UID = "3"
		}
		require.NoError(t, w.server.Create(context.Background(), again))
		for range 9 { // versions start again in the fake client
			w.edit(func(m *Move) { m.Spec.Size += "." })
		}
		_, err = w.reconcile()
		require.NoError(t, err)
		require.Equal(t, "Refresh", w.get().Status.State.Phase)
		result, err := w.reconcile()
		require.NoError(t, err)
		assert.Equal(t, time.Second, result.RequeueAfter)
		assert.Equal(t, client.ObjectKeyFromObject(again), request.NamespacedName)
	}
}
