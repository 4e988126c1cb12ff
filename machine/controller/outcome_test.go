package controller_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// withResult gives CleanUp a result, and a step that Move also has.
func (w *world) withResult(r phases.Result) {
	w.options.Runner.Itineraries = machine.MustCompileSet(
		phases.Itinerary{Name: "Move", Vocabulary: vocabulary, Phases: []phases.Phase{
			{Name: "Refresh", Step: "Prepare", Decides: volumes}, {Name: "Copy", Step: "Data"}, {Name: "Attach", Step: "Report"},
		}},
		phases.Itinerary{Name: "CleanUp", Vocabulary: vocabulary, Cleanup: true, Result: r,
			Phases: []phases.Phase{{Name: "Report", Step: "Report"}}},
	)
}

// endOf describes the end of a run, from all places that show it.
func (w *world) endOf() string {
	w.t.Helper()
	families, err := w.registry.Gather()
	require.NoError(w.t, err)
	counted := ""
	for _, f := range families {
		if f.GetName() == "dynamic_pipeline_runs_total" {
			for _, m := range f.GetMetric() {
				counted += fmt.Sprintf("%s %s %g", m.GetLabel()[1].GetValue(), m.GetLabel()[2].GetValue(), m.GetCounter().GetValue())
			}
		}
	}
	return fmt.Sprintf("%s\n%s\n%s", w.conditions(), w.events[len(w.events)-1], counted)
}

// The run is left for CleanUp in each phase, before the first, and never.
func TestResultIsShown(t *testing.T) {
	reads := func(succeeded, failed, kind, event, itinerary, result string) string {
		return fmt.Sprintf("Running=False/Done Succeeded=%s/%s Failed=%s Paused=False/No\n%s Run%s: itinerary %q has ended\n%s %s 1",
			succeeded, result, failed, kind, event, itinerary, itinerary, result)
	}
	for _, at := range []string{"never", "", "Refresh", "Copy", "Attach"} {
		for _, result := range []phases.Result{"", phases.Succeeded, phases.Failed, phases.Canceled, phases.RolledBack} {
			for _, fails := range []bool{false, true} {
				if fails && (at == "never" || at == "") {
					continue
				}
				t.Run(fmt.Sprintf("left in %q for one with the result %q, fails: %v", at, result, fails), func(t *testing.T) {
					w := newWorld(t, subresource)
					w.withResult(result)
					want := reads("True", "False/No", "Normal", "Succeeded", "Move", "Succeeded")
					switch {
					case fails:
						w.handlers[at] = func(context.Context, *Move) (runner.Result, error) { return runner.Fail("disk full"), nil }
						want = reads("False", "True/Failed", "Warning", "Failed", "CleanUp", "Failed")
					case at == "never":
					default:
						if at != "" {
							w.handlers[at] = func(context.Context, *Move) (runner.Result, error) {
								return runner.Wait(time.Second, ""), nil
							}
							for s := w.get().Status.State; s == nil || s.Phase != at; s = w.get().Status.State {
								_, err := w.reconcile()
								require.NoError(t, err)
							}
						}
						w.edit(func(m *Move) { m.Spec.Canceled = true })
						switch result {
						case "", phases.Succeeded:
							want = reads("True", "False/No", "Normal", "Succeeded", "CleanUp", "Succeeded")
						case phases.Failed:
							want = reads("False", "True/Failed", "Warning", "Failed", "CleanUp", "Failed")
						default:
							want = reads("False", "False/No", "Normal", string(result), "CleanUp", string(result))
						}
					}
					w.end()
					assert.Equal(t, want, w.endOf())
				})
			}
		}
	}
}

// A failure in a cleanup itinerary does not change the result of the run. It counts
// once, as failed.
func TestFailureInCleanup(t *testing.T) {
	for name, c := range map[string]struct {
		begin func(w *world)
		want  string
		count float64
	}{
		"after a cancel": {
			func(w *world) { w.edit(func(m *Move) { m.Spec.Canceled = true }) },
			"Running=False/Done Succeeded=False/Canceled Failed=False/No Paused=False/No\nNormal RunCanceled: itinerary " +
				"\"CleanUp\" has ended; a phase of a cleanup itinerary failed\nCleanUp Canceled 1",
			1,
		},
		"after a failure": {
			func(w *world) {
				w.handlers["Refresh"] = func(context.Context, *Move) (runner.Result, error) { return runner.Fail("disk full"), nil }
			},
			"Running=False/Done Succeeded=False/Failed Failed=True/Failed Paused=False/No\nWarning RunFailed: itinerary " +
				"\"CleanUp\" has ended; a phase of a cleanup itinerary failed\nCleanUp Failed 1",
			2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, subresource)
			c.begin(w)
			var seen []bool // whether the selector reads that the run has failed
			selects := w.options.Runner.Select
			w.options.Runner.Select = func(ctx context.Context, m *Move) (string, error) {
				seen = append(seen, meta.IsStatusConditionTrue(m.Status.Conditions, controller.ConditionFailed))
				return selects(ctx, m)
			}
			w.handlers["Report"] = func(context.Context, *Move) (runner.Result, error) { return runner.Fail("no mail server"), nil }
			w.end()
			assert.Equal(t, c.want, w.endOf())
			assert.Equal(t, c.count == 2, slices.Contains(seen, true))
			assert.Equal(t, c.count, w.count("phases_total"))
			assert.Equal(t, c.count, w.count("phase_duration_seconds"))
			assert.Equal(t, 1, strings.Count(strings.Join(w.events, "\n"), `phase "Report" of itinerary "CleanUp" failed: no mail server`))
			if c.count == 2 {
				assert.Equal(t, `phase "Refresh" of itinerary "Move" failed: disk full`, w.message(controller.ConditionFailed))
			}
		})
	}
}

// The result of a run that another controller ended is unknown.
func TestDoneRunWithoutResult(t *testing.T) {
	const want = "Succeeded=Unknown/Done"
	for _, canceled := range []bool{false, true} {
		w := newWorld(t, subresource)
		w.edit(func(m *Move) { m.Spec.Canceled = canceled })
		w.end()
		w.edit(func(m *Move) { m.Status.State.Result, m.Status.Conditions = "", nil })
		w.end()
		assert.Equal(t, "Running=False/Done "+want+" Failed=False/No Paused=False/No", w.conditions())
	}
}

// A run that is done in an itinerary that the release no longer has is done.
func TestDoneInItineraryThatIsGone(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := newWorld(t, way.status)
			w.options.Runner.Storage = way.keep
			w.edit(func(m *Move) { m.Spec.Canceled = true })
			w.end()
			conditions, events, writes := w.conditions(), len(w.events), w.writes
			w.options.Runner.Itineraries = machine.MustCompileSet(phases.Itinerary{Name: "Move", Vocabulary: vocabulary,
				Phases: []phases.Phase{{Name: "Refresh", Step: "Prepare"}}})
			w.options.Runner.Phases = map[string]runner.Phase[*Move]{"Refresh": w.options.Runner.Phases["Refresh"]}
			w.restart()
			w.end()
			assert.Equal(t, conditions, w.conditions())
			assert.Len(t, w.events, events)
			assert.Equal(t, writes, w.writes)
			assert.Empty(t, w.called[1:])

			w.edit(func(m *Move) { m.Spec.Canceled = false }) // another itinerary
			w.end()
			assert.Equal(t, conditions+" SwitchHeld=True/Done", w.conditions())
			assert.Len(t, w.events, events+1)
		})
	}
}

func TestSwitchHeld(t *testing.T) {
	waits := func(context.Context, *Move) (runner.Result, error) { return runner.Wait(time.Minute, "reporting"), nil }
	const held = "Warning SwitchHeld: "
	t.Run("since a cleanup has begun", func(t *testing.T) {
		w := newWorld(t, subresource)
		w.handlers["Report"] = waits
		_, err := w.reconcile()
		require.NoError(t, err)
		w.edit(func(m *Move) { m.Spec.Canceled = true })
		_, err = w.reconcile()
		require.NoError(t, err)
		assert.NotContains(t, w.conditions(), "SwitchHeld")
		for range 2 { // taken back, twice
			w.edit(func(m *Move) { m.Spec.Canceled = false })
			for range 3 {
				_, err = w.reconcile()
				require.NoError(t, err)
			}
			assert.Contains(t, w.conditions(), "Running=True/Waiting")
			assert.Contains(t, w.conditions(), "SwitchHeld=True/CleanupBegun")
			text := `the object selects itinerary "Move", but cleanup itinerary "CleanUp" has begun and must reach its end`
			assert.Equal(t, text, w.message(controller.ConditionSwitchHeld))
			assert.Equal(t, held+text, w.events[len(w.events)-1])
			w.edit(func(m *Move) { m.Spec.Canceled = true })
			_, err = w.reconcile()
			require.NoError(t, err)
			assert.NotContains(t, w.conditions(), "SwitchHeld", "it is followed")
		}
		assert.Equal(t, 2, strings.Count(strings.Join(w.events, "\n"), held), "once each time")
	})
	t.Run("since the run is done", func(t *testing.T) {
		w := newWorld(t, subresource)
		w.end()
		w.edit(func(m *Move) { m.Spec.Canceled = true })
		for range 3 {
			result, err := w.reconcile()
			require.NoError(t, err)
			assert.Zero(t, result)
		}
		assert.Equal(t, "Running=False/Done Succeeded=True/Succeeded Failed=False/No Paused=False/No SwitchHeld=True/Done", w.conditions())
		text := `the object selects itinerary "CleanUp", but the run is done, in itinerary "Move"`
		assert.Equal(t, text, w.message(controller.ConditionSwitchHeld))
		assert.Equal(t, 1, strings.Count(strings.Join(w.events, "\n"), held+text))
	})
}

func TestCancelPassesPause(t *testing.T) {
	for _, holds := range []bool{false, true} {
		t.Run(fmt.Sprintf("the pause holds cleanups: %v", holds), func(t *testing.T) {
			w := newWorld(t, subresource)
			w.options.Runner.PauseHoldsCleanup = holds
			var read []string
			step := func(change func(m *Move)) {
				if change != nil {
					w.edit(change)
				}
				_, err := w.reconcile()
				require.NoError(t, err)
				read = append(read, w.conditions())
			}
			waits := true
			w.handlers["Report"] = func(context.Context, *Move) (runner.Result, error) {
				if waits {
					return runner.Wait(time.Minute, "reporting"), nil
				}
				return runner.Done(), nil
			}
			step(nil)
			step(func(m *Move) { m.Spec.Paused = true })
			step(func(m *Move) { m.Spec.Canceled = true })
			step(nil)
			if holds {
				step(func(m *Move) { m.Spec.Paused = false })
			}
			waits = false
			w.end()
			step(nil)
			const rest = " Succeeded=Unknown/Running Failed=False/No "
			want := []string{
				"Running=True/InPhase" + rest + "Paused=False/No",
				"Running=False/Paused" + rest + "Paused=True/Paused",
				"Running=True/InPhase" + rest + "Paused=False/CleanupRuns",
				"Running=True/Waiting" + rest + "Paused=False/CleanupRuns",
				"Running=False/Done Succeeded=False/Canceled Failed=False/No Paused=False/No",
			}
			events := "Paused ItineraryBegun StepStarted RunCanceled"
			if holds {
				want[2], want[3] = want[1], want[1]
				want = append(want[:4], "Running=True/InPhase"+rest+"Paused=False/No", want[4])
				events = "Paused Resumed ItineraryBegun StepStarted RunCanceled"
			}
			assert.Equal(t, want, read)
			var reasons []string
			for _, e := range w.events[2:] {
				reasons = append(reasons, strings.TrimSuffix(strings.Fields(e)[1], ":"))
			}
			assert.Equal(t, events, strings.Join(reasons, " "))
			if !holds {
				w.edit(func(m *Move) { m.Spec.Paused = false })
				w.end()
				assert.Len(t, w.events, len(reasons)+2)
			}
		})
	}
}

// The clock goes back by an hour in each phase.
func TestDurationsAreNotNegative(t *testing.T) {
	w := newWorld(t, subresource)
	w.handlers["Attach"] = func(context.Context, *Move) (runner.Result, error) { return runner.Fail("no"), nil }
	for n := 0; w.get().Status.State == nil || !w.get().Status.State.Done; n++ {
		require.Less(t, n, 10)
		_, err := w.reconcile()
		require.NoError(t, err)
		w.now = w.now.Add(-time.Hour)
	}
	families, err := w.registry.Gather()
	require.NoError(t, err)
	phases := 0
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if h := m.GetHistogram(); h != nil {
				phases++
				assert.Zero(t, h.GetSampleSum(), m.GetLabel())
			}
		}
	}
	assert.Equal(t, 4, phases)
}

// A source that ignores its context is left behind, and counted. A source without an
// answer yet is no error.
func TestSourcesAreCounted(t *testing.T) {
	w := newWorld(t, subresource)
	release, asked := make(chan struct{}), make(chan struct{})
	w.options.Runner.WithTimeout = func(ctx context.Context, _ time.Duration) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		go func() {
			<-asked
			cancel()
		}()
		return ctx, cancel
	}
	returned := make(chan struct{})
	w.options.Runner.Sources = func(context.Context, *Move) (*phases.Sources, error) {
		return phases.NewSources(vocabulary, phases.Source{Flag: volumes,
			Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
				defer close(returned)
				close(asked)
				<-release
				return phases.True, nil
			}})
	}
	_, err := w.reconcile()
	require.NoError(t, err)
	assert.EqualValues(t, 1, w.count("flag_sources_left_behind_total"))
	close(release)
	<-returned

	w = newWorld(t, subresource)
	w.options.Runner.Sources = func(context.Context, *Move) (*phases.Sources, error) {
		return phases.NewSources(vocabulary, phases.Source{Flag: volumes,
			Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
				return phases.Unknown, nil
			}})
	}
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.EqualValues(t, 1, w.count("flag_evaluations_total"))
	assert.Zero(t, w.count("flag_evaluation_errors_total"))
}

// What is remembered of own writes is dropped with the object, whichever way that is
// deleted.
func TestObjectsThatAreGoneAreForgotten(t *testing.T) {
	gone := func(w *world) { require.NoError(w.t, w.server.Delete(context.Background(), w.get())) }
	for name, do := range map[string]func(w *world){
		"while it is written": func(w *world) {
			w.before = func(int) error { gone(w); return nil }
		},
		"while it is written after a conflict": func(w *world) {
			w.before = func(int) error { gone(w); return conflict() }
		},
		"before its event arrives": func(w *world) {
			w.after = func(int) {
				m := w.get()
				gone(w)
				assert.True(w.t, w.made.Predicate().Delete(event.DeleteEvent{Object: m}))
			}
		},
		"and its event arrives": func(w *world) {
			_, err := w.reconcile()
			require.NoError(w.t, err)
			m := w.get()
			gone(w)
			assert.True(w.t, w.made.Predicate().Delete(event.DeleteEvent{Object: m}))
		},
		"and it is reconciled": func(w *world) {
			_, err := w.reconcile()
			require.NoError(w.t, err)
			gone(w)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, subresource)
			w.restart()
			do(w)
			_, err := w.reconcile()
			require.NoError(t, err)
			assert.Zero(t, controller.Remembered(w.made))
		})
	}
	w := newWorld(t, subresource)
	w.end()
	assert.Equal(t, 1, controller.Remembered(w.made), "an object that exists")
}
