package runner_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// ends returns a controller with one itinerary for each result.
func ends(t *testing.T) *world {
	w := newWorld(t)
	cleanup := func(name string, result phases.Result) phases.Itinerary {
		return phases.Itinerary{Name: name, Cleanup: true, Result: result,
			Phases: []phases.Phase{{Name: "Detach", Step: "Restore"}, {Name: "Report", Step: "Report"}}}
	}
	its := []phases.Itinerary{
		{Name: "Move", Phases: []phases.Phase{{Name: "Copy", Step: "Data"}, {Name: "Attach", Step: "Restore"}}},
		{Name: "Other", Phases: []phases.Phase{{Name: "Copy", Step: "Data"}}},
		cleanup("Cancel", phases.Canceled), cleanup("Failed", phases.Failed), cleanup("Rollback", phases.RolledBack), cleanup("Tidy", ""),
	}
	for i := range its {
		its[i].Vocabulary = vocabulary
	}
	w.options.Itineraries = machine.MustCompileSet(its...)
	for _, name := range []string{"Refresh", "Images", "Last"} {
		delete(w.options.Phases, name)
	}
	return w
}

func listen[E runner.Event](w *world) *[]E {
	all := new([]E)
	w.options.Observers = append(w.options.Observers,
		runner.ObserverFunc[*migration](func(_ context.Context, _ *migration, e runner.Event) {
			if e, ok := e.(E); ok {
				*all = append(*all, e)
			}
		}))
	return all
}

// handle replaces all handlers by one that receives its position.
func (w *world) handle(f func(place string) runner.Result) {
	for name, p := range w.options.Phases {
		p.Handler = runner.HandlerFunc[*migration](func(_ context.Context, m *migration) (runner.Result, error) {
			return f(m.State.Itinerary + "/" + name), nil
		})
		w.options.Phases[name] = p
	}
}

// The result of a run is recorded for each course that it can take: the phase in which the
// selector names another itinerary, and the phases that fail.
func TestResultIsRecorded(t *testing.T) {
	type at map[string]string // from a position ("/" before the first phase) to the itinerary that is then selected
	for _, tt := range []struct {
		about    string
		selects  at
		fails    []string
		failedTo string // the itinerary that is selected once a phase has failed
		result   phases.Result
		failed   [2]int64 // phases outside and in cleanup itineraries
		left     []string
	}{
		{"to its end", nil, nil, "", phases.Succeeded, [2]int64{}, nil},
		{"canceled before the first phase", at{"/": "Cancel"}, nil, "", phases.Canceled, [2]int64{}, nil},
		{"canceled in another step", at{"Move/Copy": "Cancel"}, nil, "", phases.Canceled, [2]int64{}, []string{"Move/Copy Selected Cancel"}},
		{"canceled in a step that the cancel also has", at{"Move/Attach": "Cancel"}, nil, "", phases.Canceled, [2]int64{}, []string{"Move/Attach Selected Cancel"}},
		{"rolled back", at{"Move/Attach": "Rollback"}, nil, "", phases.RolledBack, [2]int64{}, []string{"Move/Attach Selected Rollback"}},
		{"a rollback alone", at{"/": "Rollback"}, nil, "", phases.RolledBack, [2]int64{}, nil},
		{"a rollback that is canceled", at{"/": "Rollback", "Rollback/Report": "Cancel"}, nil, "", phases.Canceled, [2]int64{}, []string{"Rollback/Report Selected Cancel"}},
		{"failed", nil, []string{"Move/Copy"}, "Failed", phases.Failed, [2]int64{1, 0}, []string{"Move/Copy Failed Failed"}},
		{"failed, answered by an itinerary that succeeds", nil, []string{"Move/Copy"}, "Tidy", phases.Failed, [2]int64{1, 0}, []string{"Move/Copy Failed Tidy"}},
		{"failed, answered by a rollback", nil, []string{"Move/Copy"}, "Rollback", phases.Failed, [2]int64{1, 0}, []string{"Move/Copy Failed Rollback"}},
		{"failed, then canceled", at{"Failed/Detach": "Cancel"}, []string{"Move/Copy"}, "Failed", phases.Failed, [2]int64{1, 0},
			[]string{"Move/Copy Failed Failed", "Failed/Detach Selected Cancel"}},
		{"canceled, and the cancel fails", at{"Move/Copy": "Cancel"}, []string{"Cancel/Detach"}, "Failed", phases.Canceled, [2]int64{0, 1}, []string{"Move/Copy Selected Cancel"}},
		{"canceled, and all of the cancel fails", at{"Move/Copy": "Cancel"}, []string{"Cancel/Detach", "Cancel/Report"}, "Failed",
			phases.Canceled, [2]int64{0, 2}, []string{"Move/Copy Selected Cancel"}},
		{"a rollback that fails", at{"Move/Copy": "Rollback"}, []string{"Rollback/Detach"}, "Failed", phases.RolledBack, [2]int64{0, 1}, []string{"Move/Copy Selected Rollback"}},
		{"found to have failed", at{"Move/Copy": "Failed"}, nil, "", phases.Failed, [2]int64{}, []string{"Move/Copy Selected Failed"}},
		{"found to have failed, then canceled", at{"Move/Copy": "Failed", "Failed/Detach": "Cancel"}, nil, "", phases.Canceled,
			[2]int64{}, []string{"Move/Copy Selected Failed", "Failed/Detach Selected Cancel"}},
		{"tidied up", at{"Move/Copy": "Tidy"}, nil, "", phases.Succeeded, [2]int64{}, []string{"Move/Copy Selected Tidy"}},
		{"tidied up, then rolled back", at{"Move/Copy": "Tidy", "Tidy/Report": "Rollback"}, nil, "", phases.Succeeded, [2]int64{},
			[]string{"Move/Copy Selected Tidy", "Tidy/Report Selected Rollback"}},
		{"another one", at{"Move/Copy": "Other"}, nil, "", phases.Succeeded, [2]int64{}, []string{"Move/Copy Selected Other"}},
		{"a failure answered by another one", nil, []string{"Move/Attach"}, "Other", phases.Failed, [2]int64{1, 0}, []string{"Move/Attach Failed Other"}},
	} {
		t.Run(tt.about, func(t *testing.T) {
			w := ends(t)
			selected := "Move"
			w.options.OnFail = func(context.Context, *migration, runner.Failure) error { selected = tt.failedTo; return nil }
			w.options.Select = func(context.Context, *migration) (string, error) { return selected, nil }
			w.handle(func(place string) runner.Result {
				if slices.Contains(tt.fails, place) {
					return runner.Fail()
				}
				return runner.Done()
			})
			finished := listen[runner.RunFinished](w)
			for !w.m.State.Done {
				if to := tt.selects[w.m.State.Itinerary+"/"+w.m.State.Phase]; to != "" {
					selected = to
				}
				_, err := w.reconcile()
				require.NoError(t, err)
			}
			assert.Equal(t, tt.result, w.m.State.Result)
			assert.Equal(t, tt.failed, [2]int64{w.m.State.FailedPhases, w.m.State.FailedInCleanup})
			var left []string
			for _, l := range w.m.State.Switches {
				left = append(left, l.From+"/"+l.Phase+" "+string(l.Reason)+" "+l.To)
			}
			assert.Equal(t, tt.left, left)
			last := w.m.State.Itinerary
			assert.Equal(t, []runner.RunFinished{{Itinerary: last, Result: tt.result, Failures: tt.failed[0],
				CleanupFailures: tt.failed[1]}}, *finished)
		})
	}
}

// A selection for which a cleanup itinerary is not left is recorded, and reported once.
func TestSwitchHeld(t *testing.T) {
	for _, tt := range []struct {
		about, at, selected   string
		itinerary, switchHeld string
	}{
		{"a cancel that is taken back", "Cancel/Detach", "Move", "Cancel", "Move"},
		{"a cancel in the itinerary for failures", "Cancel/Detach", "Failed", "Cancel", "Failed"},
		{"a cancel for a rollback", "Cancel/Detach", "Rollback", "Rollback", ""},
		{"a rollback for a cancel", "Rollback/Report", "Cancel", "Cancel", ""},
		{"a failure for a cancel", "Failed/Report", "Cancel", "Cancel", ""},
		{"done, for a cancel", "Move/", "Cancel", "Move", "Cancel"},
		{"done, for an unknown itinerary", "Move/", "Canecl", "Move", "Canecl"},
	} {
		t.Run(tt.about, func(t *testing.T) {
			w := ends(t)
			told := listen[runner.SwitchHeld](w)
			itinerary, phase, _ := strings.Cut(tt.at, "/")
			selected := itinerary
			w.options.Select = func(context.Context, *migration) (string, error) { return selected, nil }
			for w.m.State.Itinerary != itinerary || w.m.State.Phase != phase || phase == "" && !w.m.State.Done {
				_, err := w.reconcile()
				require.NoError(t, err)
			}
			w.handle(func(string) runner.Result { return runner.Wait(time.Minute, "") })
			selected = tt.selected
			for range 3 {
				_, err := w.reconcile()
				require.NoError(t, err)
			}
			assert.Equal(t, tt.itinerary, w.m.State.Itinerary)
			assert.Equal(t, tt.switchHeld, w.m.State.SwitchHeld)
			if tt.switchHeld == "" {
				assert.Empty(t, *told)
				return
			}
			assert.Equal(t, []runner.SwitchHeld{{Itinerary: itinerary, Phase: phase, Selected: tt.switchHeld, Done: phase == ""}}, *told)
			selected = itinerary
			_, err := w.reconcile()
			require.NoError(t, err)
			assert.Empty(t, w.m.State.SwitchHeld, "it is over")
		})
	}
}

// A cancel passes a pause, unless the options hold it.
func TestCancelPassesPause(t *testing.T) {
	for _, holds := range []bool{false, true} {
		w := ends(t)
		w.options.PauseHoldsCleanup = holds
		selected := "Move"
		w.options.Select = func(context.Context, *migration) (string, error) { return selected, nil }
		_, err := w.reconcile()
		require.NoError(t, err)
		w.m.Paused = true
		selected = "Other"
		for range 3 {
			out, err := w.reconcile()
			require.NoError(t, err)
			require.True(t, out.Paused)
			assert.Equal(t, "Move", w.m.State.Itinerary, "another itinerary is no cleanup")
		}
		selected = "Cancel"
		var out runner.Outcome
		for range 5 {
			out, err = w.reconcile()
			require.NoError(t, err)
		}
		assert.Equal(t, !holds, out.Done)
		if holds {
			assert.Equal(t, "Move", w.m.State.Itinerary)
			w.m.Paused = false
			w.end()
		}
		assert.Equal(t, phases.Canceled, w.m.State.Result)
		assert.Nil(t, w.m.State.PausedSince)
	}
}

// Ten failures within a second count as ten, and one after the clock went back as one.
func TestFailuresDifferByVisit(t *testing.T) {
	for _, step := range []time.Duration{0, time.Second, -time.Hour} {
		w := newWorld(t)
		w.options.Itineraries = machine.MustCompileSet(phases.Itinerary{Name: "Loop", Vocabulary: vocabulary, Cleanup: true,
			Phases: []phases.Phase{
				{Name: "Try", Step: "Data", Decides: volumes, Jumps: []phases.Jump{{To: "Try", Guard: phases.Guard{All: volumes}}}},
				{Name: "Last", Step: "Report"},
			}})
		w.options.Select = func(context.Context, *migration) (string, error) { return "Loop", nil }
		tries := 0
		w.options.Phases = map[string]runner.Phase[*migration]{"Last": w.options.Phases["Last"],
			"Try": {Handler: runner.HandlerFunc[*migration](
				func(context.Context, *migration) (runner.Result, error) {
					tries++
					w.values[volumes] = tries < 10
					w.now = w.now.Add(step)
					return runner.Fail("no"), nil
				})}}
		failed, left := listen[runner.PhaseFailed](w), listen[runner.PhaseExited](w)
		r := w.runner()
		for !w.m.State.Done {
			_, err := r.Reconcile(context.Background(), w.m)
			require.NoError(t, err)
		}
		assert.Equal(t, int64(10), w.m.State.FailedInCleanup)
		assert.Len(t, w.m.State.Failures, 10)
		assert.Len(t, w.m.Errors, 10, "OnFail is called once for each")
		require.Len(t, *failed, 10)
		for _, e := range *failed {
			assert.Equal(t, max(step, 0), e.Took)
		}
		assert.Equal(t, []runner.PhaseExited{{Itinerary: "Loop", Phase: "Last"}}, *left, "a failed phase is not also done")
	}
}

// A cleanup after a failure that is left for a rollback was interrupted by the
// rollback. It has not failed, although the object still reports a failure.
func TestInterruptedCleanupHasNotFailed(t *testing.T) {
	w := ends(t)
	selected, failed := "Move", false
	w.options.Select = func(context.Context, *migration) (string, error) { return selected, nil }
	w.options.Failed = func(context.Context, *migration) (bool, error) { return failed, nil }
	w.options.OnFail = func(context.Context, *migration, runner.Failure) error { selected, failed = "Failed", true; return nil }
	w.handle(func(place string) runner.Result {
		switch place {
		case "Move/Copy":
			return runner.Fail("no")
		case "Failed/Detach":
			return runner.Wait(time.Minute, "")
		}
		return runner.Done()
	})
	for w.m.State.Itinerary != "Failed" {
		_, err := w.reconcile()
		require.NoError(t, err)
	}
	selected = "Rollback"
	w.end()
	assert.Equal(t, []runner.SwitchReason{runner.SwitchFailed, runner.SwitchSelected},
		[]runner.SwitchReason{w.m.State.Switches[0].Reason, w.m.State.Switches[1].Reason})
	restore, _ := w.m.State.Pipeline.Lookup("Restore")
	assert.False(t, restore.Failed)
	assert.Equal(t, "Data: Failed | Restore: Completed | Report: Completed", w.reads())
}
