package runner_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// ticket is the token of a test's object, and what a new run clears on it.
type ticket struct {
	token string
	from  runner.RunFrom
	err   error
	asked int
}

// withToken returns a world whose object has the token "1", and errors that a new run
// clears.
func withToken(t *testing.T) (*world, *ticket) {
	w, is := newWorld(t), &ticket{token: "1"}
	w.options.Token = func(context.Context, *migration) (string, runner.RunFrom, error) {
		is.asked++
		return is.token, is.from, is.err
	}
	w.options.OnRunAgain = func(_ context.Context, m *migration, _ runner.PastRun) error {
		m.Errors = nil
		return nil
	}
	return w, is
}

// fails makes a phase fail.
func (w *world) fails(phase string) {
	w.handlers[phase] = func(context.Context, *migration) (runner.Result, error) { return runner.Fail("disk full"), nil }
}

// until reconciles until the run is in the given phase; empty means to the end.
func (w *world) until(phase string) {
	w.t.Helper()
	for n := 0; w.m.State.Phase != phase || phase == "" && !w.m.State.Done; n++ {
		require.Less(w.t, n, 50)
		_, err := w.reconcile()
		require.NoError(w.t, err)
	}
}

// stops reconciles until the run is stopped.
func (w *world) stops() {
	w.t.Helper()
	for n := 0; w.m.State.Stopped == nil; n++ {
		require.Less(w.t, n, 50)
		_, _ = w.reconcile()
	}
}

// The effects of a token that begins no new run.
const (
	noneFailed   = "no run from the phase that failed: none has"
	notSelected  = "no run from the phase that failed: it is not selected"
	runContinues = "continues"
)

// A new token has an effect that depends on the state of the run and on where the new
// run is asked to begin.
func TestTokenByStateOfRun(t *testing.T) {
	const (
		fromStart  = "run 2 at Move/Refresh"
		fromFailed = "run 2 at Move/Copy"
	)
	for _, c := range []struct {
		name          string
		prepare       func(w *world)
		start, failed string // the effect of a token that asks for a run from the start, or from the failed phase
	}{
		{"not begun", func(*world) {}, runContinues, runContinues},
		{"in progress", func(w *world) { w.until("Copy") }, runContinues, runContinues},
		{"retried", func(w *world) {
			w.until("Copy")
			w.handlers["Copy"] = func(context.Context, *migration) (runner.Result, error) {
				return runner.Result{}, errors.New("conflict")
			}
			_, err := w.reconcile()
			require.ErrorContains(w.t, err, "conflict")
		}, runContinues, runContinues},
		{"stopped by an error", func(w *world) {
			w.until("Copy")
			w.handlers["Copy"] = func(context.Context, *migration) (runner.Result, error) {
				return runner.Result{}, errors.New("quota")
			}
			w.options.OnError = func(*migration, runner.Visit, error) runner.ErrorAction { return runner.ActionStop }
			w.stops()
		}, fromStart, fromFailed},
		{"stopped at an unknown phase", func(w *world) {
			w.until("Copy")
			w.m.State.Phase = "Copied"
			w.stops()
		}, fromStart, notSelected},
		{"failed, and not answered", func(w *world) {
			w.fails("Copy")
			w.options.OnFail = nil
			w.stops()
		}, fromStart, fromFailed},
		{"failed, in its cleanup", func(w *world) { w.fails("Copy"); w.until("Report") }, runContinues, runContinues},
		{"failed and cleaned up", func(w *world) { w.fails("Copy"); w.until("") }, fromStart, fromFailed},
		{"failed, and failed in its cleanup", func(w *world) { w.fails("Copy"); w.fails("Report"); w.until("") }, fromStart, fromFailed},
		{"failed and cleaned up, and still so for the selector", func(w *world) {
			w.fails("Copy")
			w.until("")
			w.options.OnRunAgain = nil
		}, "run 2 at CleanUp/Detach", notSelected},
		{"found to have failed, and cleaned up", func(w *world) {
			w.options.Failed = func(_ context.Context, m *migration) (bool, error) { return len(m.Errors) > 0, nil }
			w.until("Copy")
			w.m.Errors = []string{"the user reports it"}
			w.until("")
		}, fromStart, fromFailed},
		{"succeeded", func(w *world) { w.until("") }, fromStart, noneFailed},
		{"canceled", func(w *world) { w.until("Copy"); w.m.Canceled = true; w.until(""); w.m.Canceled = false }, fromStart, noneFailed},
		{"canceled, and failed in its cleanup", func(w *world) {
			w.until("Copy")
			w.m.Canceled = true
			w.fails("Report")
			w.until("")
			w.m.Canceled = false
		}, fromStart, noneFailed},
		{"done under an earlier release", func(w *world) { w.until(""); w.m.State.Token = nil }, runContinues, runContinues},
		{"done elsewhere", func(w *world) {
			w.m.State.Checkpoint = machine.Checkpoint{Done: true}
			w.m.State.Token = new(string)
		}, fromStart, noneFailed},
		{"done, and paused", func(w *world) { w.until(""); w.m.Paused = true }, runContinues, runContinues},
	} {
		for _, from := range []runner.RunFrom{"", runner.FromStart, runner.FromFailedPhase} {
			want := c.start
			if from == runner.FromFailedPhase {
				want = c.failed
			}
			t.Run(fmt.Sprintf("%s, from %q", c.name, from), func(t *testing.T) {
				w, is := withToken(t)
				c.prepare(w)
				before := w.m.State.DeepCopy()

				is.token, is.from = "2", from
				begun := listen[runner.RunBegun](w)
				out, err := w.reconcile()
				assert.Equal(t, want, effectOfToken(w, before, *begun, out, err))
			})
		}
	}
}

// effectOfToken describes the effect of the token "2" in a reconcile, and checks the state
// that it left.
func effectOfToken(w *world, before *runner.State, begun []runner.RunBegun, out runner.Outcome, err error) string {
	t, s := w.t, w.m.State
	var again *runner.RunAgainError
	switch {
	case s.Run > 0:
		require.NoError(t, err)
		assert.Len(t, begun, 1)
		assert.Equal(t, "2", *s.Token)
		assert.True(t, out.Requeue)
		assert.Equal(t, before.Visit+1, s.Visit, "visits continue to be counted")
		assert.NotEqual(t, phases.Failed, s.Result)
		assert.Nil(t, s.Stopped)
		assert.Empty(t, s.Failures)
		assert.Empty(t, s.Switches)
		assert.Len(t, s.Runs, 1)
		return fmt.Sprintf("run %d at %s/%s", s.Run, s.Itinerary, s.Phase)
	case errors.As(err, &again):
		assert.True(t, runner.IsTerminal(err))
		assert.False(t, out.Requeue)
		assert.Equal(t, err.Error(), s.Stopped.Error)
		assert.Equal(t, before.Checkpoint, s.Checkpoint, "the run before is as it was")
		assert.Equal(t, before.Done, out.Done)
		assert.Equal(t, before.Token, s.Token)
		assert.Empty(t, begun)
		if again.Phase == "" {
			return noneFailed
		}
		assert.ErrorContains(t, err, again.Phase)
		assert.ErrorContains(t, err, again.Selected)
		return notSelected
	}
	return runContinues
}

// A token that changes during a run counts once the run has ended or stopped. No further
// change of the object is needed.
func TestTokenChangesDuringRun(t *testing.T) {
	t.Run("of a run that ends", func(t *testing.T) {
		w, is := withToken(t)
		w.until("Copy")
		is.token = "2"
		asked := is.asked
		w.until("Attach")
		assert.Equal(t, asked, is.asked, "Token is not called meanwhile")
		out, err := w.reconcile()
		require.NoError(t, err)
		assert.True(t, out.Done && out.Requeue && out.RequeueAfter == 0)
		_, err = w.reconcile()
		require.NoError(t, err)
		assert.Equal(t, int64(2), w.m.State.Run)
		assert.Equal(t, "Refresh", w.m.State.Phase)
		w.until("")
		out, err = w.reconcile()
		require.NoError(t, err)
		assert.False(t, out.Requeue)
		assert.False(t, out.Changed)
	})
	t.Run("of a run that stops", func(t *testing.T) {
		w, is := withToken(t)
		w.options.OnFail = nil
		w.fails("Copy")
		w.until("Copy")
		is.token, is.from = "2", runner.FromFailedPhase
		out, err := w.reconcile()
		assert.True(t, runner.IsTerminal(err), "%v", err)
		assert.NotNil(t, out.State.Stopped)
		assert.True(t, out.Requeue)
		_, err = w.reconcile()
		require.NoError(t, err)
		assert.Equal(t, int64(2), w.m.State.Run)
		assert.Equal(t, "Copy", w.m.State.Phase)
	})
	t.Run("and back", func(t *testing.T) {
		w, is := withToken(t)
		w.until("Copy")
		is.token = "2"
		w.until("Attach")
		is.token = "1"
		out, err := w.reconcile()
		require.NoError(t, err)
		assert.True(t, out.Done)
		assert.False(t, out.Requeue)
	})
}

// A new run that cannot begin in the failed phase begins once the object is fixed: the
// selector names the itinerary, or the token asks for a run from the start.
func TestRefusedRunBeginsOnceObjectIsFixed(t *testing.T) {
	for name, fix := range map[string]func(w *world, is *ticket) string{
		"the selector": func(w *world, _ *ticket) string { w.m.Errors = nil; return "Copy" },
		"from":         func(w *world, is *ticket) string { w.m.Errors = nil; is.from = runner.FromStart; return "Refresh" },
	} {
		t.Run(name, func(t *testing.T) {
			w, is := withToken(t)
			w.options.OnRunAgain = nil
			w.fails("Copy")
			w.until("")
			is.token, is.from = "2", runner.FromFailedPhase
			for range 3 {
				out, err := w.reconcile()
				require.ErrorAs(t, err, new(*runner.RunAgainError))
				assert.True(t, out.Done)
			}
			assert.Equal(t, int64(7), w.m.State.Stopped.Since.Unix(), "since the first time")
			want := fix(w, is)
			_, err := w.reconcile()
			require.NoError(t, err)
			assert.Equal(t, want, w.m.State.Phase)
			assert.Nil(t, w.m.State.Stopped)
		})
	}
	t.Run("the token is taken back", func(t *testing.T) {
		w, is := withToken(t)
		w.until("")
		before := w.m.State.DeepCopy()
		is.token, is.from = "2", runner.FromFailedPhase
		_, err := w.reconcile()
		require.Error(t, err)
		is.token = "1"
		_, err = w.reconcile()
		require.NoError(t, err)
		assert.Empty(t, cmp.Diff(*before, w.m.State))
	})
}

// A run from the failed phase shows the steps before it unchanged, and its own step
// open and not failed. The steps of the cleanup are gone, and the remaining steps are
// listed.
func TestPipelineOfRunFromFailedPhase(t *testing.T) {
	w, is := withToken(t)
	w.fails("Copy")
	w.until("")
	assert.Equal(t, "Prepare: Completed | Data: Failed | Report: Completed", w.reads())
	before := w.m.State.DeepCopy()
	is.token, is.from = "2", runner.FromFailedPhase
	w.called, w.events, w.asked = nil, nil, nil
	delete(w.handlers, "Copy")

	_, err := w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, "Prepare: Completed | Data: Copying | Restore: Not started", w.reads())
	assert.Empty(t, w.called, "it is written before the handler is called")
	assert.Equal(t, []string{"Volumes", "Images"}, w.asked, "all flags are unknown")
	assert.Equal(t, []string{"FlagEvaluated", "FlagEvaluated", "RunBegun", "PhaseEntered"}, w.events)
	prepare, data := w.m.State.Pipeline[0], w.m.State.Pipeline[1]
	assert.Empty(t, cmp.Diff(before.Pipeline[0], prepare))
	assert.False(t, data.Failed)
	assert.Nil(t, data.Completed)
	assert.Equal(t, before.Pipeline[1].Started, data.Started)

	w.until("")
	assert.Equal(t, []string{"Copy", "Attach"}, w.called)
	assert.Equal(t, "Prepare: Completed | Data: Completed | Restore: Completed", w.reads())
	assert.Equal(t, phases.Succeeded, w.m.State.Result)
	want := []runner.PastRun{{Result: phases.Failed, Itinerary: "Move", Phase: "Copy", Started: metav1.Unix(1, 0),
		Ended: metav1.Unix(6, 0)}}
	assert.Empty(t, cmp.Diff(want, w.m.State.Runs))
	assert.Equal(t, int64(7), w.m.State.RunStarted.Unix())
}

// A phase that has been renamed is found by its former name.
func TestRunFromRenamedPhase(t *testing.T) {
	w, is := withToken(t)
	w.fails("Copy")
	w.until("")
	all := itineraries()
	all[0].Phases[1].Name, all[0].Phases[1].Formerly = "Transfer", []string{"Copy"}
	w.options.Itineraries = machine.MustCompileSet(all...)
	w.options.Phases["Transfer"] = w.options.Phases["Copy"]
	delete(w.options.Phases, "Copy")
	is.token, is.from = "2", runner.FromFailedPhase
	_, err := w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, "Transfer", w.m.State.Phase)
}

// A phase that may belong to several steps is entered under the one in which it failed,
// whatever the flags are now.
func TestRunFromPhaseOfGuardedStep(t *testing.T) {
	w, is := withToken(t)
	all := itineraries()
	all[0].Phases[1].Steps = []phases.GuardedStep{{Step: "Transfer", Guard: phases.Guard{All: images}}}
	w.options.Itineraries = machine.MustCompileSet(all...)
	w.values[images] = true
	w.fails("Copy")
	w.until("")
	is.token, is.from = "2", runner.FromFailedPhase
	w.values[images] = false
	_, err := w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, "Prepare: Completed | Transfer: Copying | Restore: Not started", w.reads())
}

// A run from the failed phase begins once the flags on which its plan depends are
// known. Until then the run before stays as it ended, and the reason is shown.
func TestRunFromFailedPhaseWaitsForFlags(t *testing.T) {
	w, is := withToken(t)
	w.fails("Copy")
	w.until("")
	ended, read := w.m.State.DeepCopy(), w.reads()
	is.token, is.from = "2", runner.FromFailedPhase
	w.broken[images] = errors.New("the registry is away")
	w.events = nil
	for attempt := range int64(3) {
		out, err := w.reconcile()
		var unknown *machine.UnknownFlagsError
		require.ErrorAs(t, err, &unknown)
		assert.Equal(t, []string{"Images"}, unknown.Flags)
		assert.True(t, out.Requeue)
		w.now = w.now.Add(out.RequeueAfter)
		assert.Equal(t, read, w.reads())
		assert.Equal(t, ended.Run, w.m.State.Run)
		require.NotNil(t, w.m.State.Retry)
		assert.Equal(t, runner.RetryFlags, w.m.State.Retry.Kind)
		assert.Equal(t, attempt+1, w.m.State.Retry.Attempts)
	}
	assert.NotContains(t, w.events, "RunBegun")
	delete(w.broken, images)
	w.values[images] = true
	_, err := w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, "Prepare: Completed | Data: Copying | Images: Not started | Restore: Not started", w.reads())
	assert.Contains(t, w.events, "RunBegun")
	assert.Nil(t, w.m.State.Retry)
}

// A phase that has become an end phase has no work to repeat.
func TestRunFromPhaseThatIsNowEndPhase(t *testing.T) {
	w, is := withToken(t)
	w.fails("Copy")
	w.until("")
	all := itineraries()
	all[0].Phases[1] = phases.Phase{Name: "Copy", End: true, Guard: phases.Guard{All: volumes}}
	w.options.Itineraries = machine.MustCompileSet(all...)
	delete(w.options.Phases, "Copy")
	w.options.PassThrough = true
	is.token, is.from = "2", runner.FromFailedPhase
	_, err := w.reconcile()
	require.ErrorAs(t, err, new(*runner.RunAgainError))
	assert.Equal(t, int64(0), w.m.State.Run)
}

// When Select is called, the state on the object is that of the new run.
func TestSelectSeesStateOfNewRun(t *testing.T) {
	w, is := withToken(t)
	w.options.OnFail, w.options.OnRunAgain = nil, nil
	w.options.Select = func(_ context.Context, m *migration) (string, error) {
		if m.State.FailedPhases > 0 {
			return "CleanUp", nil
		}
		return "Move", nil
	}
	w.fails("Copy")
	w.until("")
	is.token, is.from = "2", runner.FromFailedPhase
	_, err := w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, "Move", w.m.State.Itinerary)
}

// While a function that a new run needs fails, the run before stays as it is, and the
// error is shown and retried. It does not wake a stopped run.
func TestFunctionsThatNewRunNeeds(t *testing.T) {
	broken := errors.New("the API server is away")
	for name, plant := range map[string]func(w *world, is *ticket, err *error){
		"Token":  func(w *world, is *ticket, err *error) { is.err = *err },
		"Select": func(w *world, _ *ticket, err *error) { brake(&w.options.Select, err) },
		"Paused": func(w *world, _ *ticket, err *error) { brake(&w.options.Paused, err) },
		"OnRunAgain": func(w *world, _ *ticket, err *error) {
			w.options.OnRunAgain = func(context.Context, *migration, runner.PastRun) error { return *err }
		},
	} {
		for _, stopped := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, stopped %t", name, stopped), func(t *testing.T) {
				w, is := withToken(t)
				w.fails("Copy")
				if stopped {
					w.options.OnFail = nil
					w.stops()
				} else {
					w.until("")
				}
				before := w.m.State.DeepCopy()
				is.token = "2"
				err := broken
				plant(w, is, &err)
				w.called = nil
				for range 3 {
					out, got := w.reconcile()
					require.ErrorIs(t, got, broken)
					assert.True(t, out.Requeue)
					assert.Equal(t, before.Done, out.Done)
					assert.Equal(t, runner.RetryOptions, w.m.State.Retry.Kind)
					rest := *w.m.State.DeepCopy()
					rest.Retry = nil
					assert.Empty(t, cmp.Diff(*before, rest))
				}
				assert.Empty(t, w.called)
				err, is.err = nil, nil
				w.m.Errors = nil
				_, got := w.reconcile()
				require.NoError(t, got)
				assert.Equal(t, int64(2), w.m.State.Run)
				assert.Equal(t, "Refresh", w.m.State.Phase)
			})
		}
	}
}

// brake makes a function of the options fail as long as err points to an error.
func brake[V any](f *func(context.Context, *migration) (V, error), err *error) {
	was := *f
	*f = func(ctx context.Context, m *migration) (v V, _ error) {
		if *err != nil {
			return v, *err
		}
		return was(ctx, m)
	}
}

func TestUnknownRunFromIsRefused(t *testing.T) {
	w, is := withToken(t)
	w.until("")
	is.token, is.from = "2", "Middle"
	_, err := w.reconcile()
	assert.EqualError(t, err, `Token: it returned RunFrom "Middle"; let it return FromStart or FromFailedPhase`)
}

func TestOnRunAgainNeedsToken(t *testing.T) {
	w, _ := withToken(t)
	w.options.Token = nil
	_, err := runner.New(w.options)
	assert.EqualError(t, err, "runner options: OnRunAgain is never called without Token; set Token, or remove OnRunAgain")
}

// A pause holds a new run, also after a stopped run. It begins once the object is
// resumed, and no function of the run before is called.
func TestPauseHoldsNewRun(t *testing.T) {
	for _, stopped := range []bool{false, true} {
		w, is := withToken(t)
		if stopped {
			w.until("Copy")
			w.handlers["Copy"] = func(context.Context, *migration) (runner.Result, error) {
				return runner.Result{}, errors.New("quota")
			}
			w.options.OnError = func(*migration, runner.Visit, error) runner.ErrorAction { return runner.ActionStop }
			w.stops()
		} else {
			w.until("")
		}
		w.called = nil
		is.token, w.m.Paused = "2", true
		for range 3 {
			out, err := w.reconcile()
			require.NoError(t, err)
			assert.True(t, out.Paused)
			assert.Equal(t, int64(0), out.State.Run)
		}
		w.m.Paused = false
		_, err := w.reconcile()
		require.NoError(t, err)
		assert.Equal(t, int64(2), w.m.State.Run)
		assert.Empty(t, w.called)
	}
}

// Of several failures the first counts.
func TestRunFromFirstOfSeveralFailures(t *testing.T) {
	w, is := ends(t), &ticket{token: "1"}
	w.options.Token = func(context.Context, *migration) (string, runner.RunFrom, error) { return is.token, is.from, nil }
	w.options.Select = func(_ context.Context, m *migration) (string, error) {
		if m.State.FailedPhases > 0 {
			return "Other", nil
		}
		return "Move", nil
	}
	w.handle(func(place string) runner.Result {
		if place == "Move/Attach" || place == "Other/Copy" {
			return runner.Fail(place)
		}
		return runner.Done()
	})
	w.stops()
	require.Len(t, w.m.State.Failures, 2)
	is.token, is.from = "2", runner.FromFailedPhase
	_, err := w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, "Move/Attach", w.m.State.Itinerary+"/"+w.m.State.Phase)
	assert.Equal(t, "Data: Completed | Restore: Attach", w.reads())
}

// A run that ended in an end phase is kept with that phase.
func TestPastRunOfEndPhase(t *testing.T) {
	w, is := withToken(t)
	all := itineraries()
	all[0].Phases = append(all[0].Phases, phases.Phase{Name: "Moved", End: true})
	w.options.Itineraries = machine.MustCompileSet(all...)
	for n := 0; !w.m.State.Done; n++ {
		require.Less(t, n, 20)
		_, err := w.reconcile()
		require.NoError(t, err)
	}
	is.token = "2"
	_, err := w.reconcile()
	require.NoError(t, err)
	require.Len(t, w.m.State.Runs, 1)
	assert.Equal(t, "Move/Moved", w.m.State.Runs[0].Itinerary+"/"+w.m.State.Runs[0].Phase)
	assert.Equal(t, "Refresh", w.m.State.Phase)
}

// If the write at the beginning of a run is lost, the same run begins again.
func TestLostWriteBeginsSameRunAgain(t *testing.T) {
	for _, from := range []runner.RunFrom{runner.FromStart, runner.FromFailedPhase} {
		w, is := withToken(t)
		w.fails("Copy")
		w.until("")
		is.token, is.from = "2", from
		before := w.m.State.DeepCopy()
		_, err := w.reconcile()
		require.NoError(t, err)
		first := w.m.State
		w.m.State, w.now = *before, w.now.Add(-time.Second)
		_, err = w.reconcile()
		require.NoError(t, err)
		assert.Empty(t, cmp.Diff(first, w.m.State))
	}
}

// Any text can be a token, and is recognized. If the state cannot keep the text, it
// keeps the sum.
func TestTokenOfAnyText(t *testing.T) {
	long := strings.Repeat("x", 2000)
	for _, token := range []string{"", "a b", long, long + "y", "\xff", "\xfe", "\x00", strings.Repeat("\x00", 300)} {
		w, is := withToken(t)
		w.until("")
		is.token = token
		w.until("Copy")
		w.until("")
		require.Equal(t, int64(2), w.m.State.Run)
		require.LessOrEqual(t, len(*w.m.State.Token), runner.MaxText)
		out, err := w.reconcile()
		require.NoError(t, err)
		assert.False(t, out.Changed, "%q", token)
	}
	w, is := withToken(t)
	is.token = long
	w.until("")
	is.token = long + "y"
	_, err := w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, int64(2), w.m.State.Run, "the tokens differ")
}

// However many runs there are, the last ones are kept, and a state that the user filled
// is brought into range.
func TestPastRunsAreBounded(t *testing.T) {
	w, is := withToken(t)
	w.fails("Copy")
	w.until("")
	for n := range 20 {
		is.token, is.from = fmt.Sprint("again ", n), []runner.RunFrom{runner.FromStart, runner.FromFailedPhase}[n%2]
		_, err := w.reconcile()
		require.NoError(t, err)
		w.until("")
	}
	assert.Equal(t, int64(21), w.m.State.Run)
	require.Len(t, w.m.State.Runs, runner.MaxRuns)
	for i, past := range w.m.State.Runs {
		assert.Equal(t, phases.Failed, past.Result)
		assert.Equal(t, "Move/Copy", past.Itinerary+"/"+past.Phase)
		assert.False(t, past.Ended.Before(&past.Started))
		if i > 0 {
			assert.False(t, past.Started.Before(&w.m.State.Runs[i-1].Ended))
		}
	}
}

// liveOfMTC returns a runner of MTC's itineraries whose flags have these values, and its
// migration. The call of the handler with the number failAt fails. entered lists the
// phases in which the handler is called, and token is that of the migration.
func liveOfMTC(t *testing.T, selected string, values phases.Facts, failAt int) (r *runner.Runner[*migration], m *migration,
	entered *[]string, token *string) {
	vocabulary := mtc.Vocabulary()
	m, entered, token = new(migration), new([]string), new(string)
	now := time.Unix(1_700_000_000, 0)
	o := runner.Options[*migration]{
		Itineraries: machine.MustCompileSet(mtc.Itineraries()...),
		Select: func(_ context.Context, m *migration) (string, error) {
			if m.State.FailedPhases > 0 {
				return mtc.Failed, nil
			}
			return selected, nil
		},
		Sources: func(context.Context, *migration) (*phases.Sources, error) {
			var all []phases.Source
			for flag := range vocabulary.All().Each {
				all = append(all, phases.SourceOf(flag, values.Of(flag)))
			}
			return phases.NewSources(vocabulary, all...)
		},
		Storage: runner.NewStatusStorage(func(m *migration) *runner.State { return &m.State }),
		Token: func(context.Context, *migration) (string, runner.RunFrom, error) {
			return *token, runner.FromFailedPhase, nil
		},
		Now: func() time.Time { now = now.Add(400 * time.Millisecond); return now },
	}
	calls := 0
	o.Handler = runner.VisitFunc[*migration](func(_ context.Context, _ *migration, v runner.Visit) (runner.Result, error) {
		*entered = append(*entered, v.Itinerary+"/"+v.Phase)
		if calls++; calls == failAt {
			return runner.Fail("disk full"), nil
		}
		return runner.Done(), nil
	})
	r, err := runner.New(o)
	require.NoError(t, err)
	return r, m, entered, token
}

// reconcileToEnd reconciles until the run is done.
func reconcileToEnd(t *testing.T, r *runner.Runner[*migration], m *migration) {
	for n := 0; !m.State.Done; n++ {
		require.Less(t, n, 500)
		_, err := r.Reconcile(context.Background(), m)
		require.NoError(t, err)
	}
}

// requireKept checks that the steps that had started before the failure are kept.
func requireKept(t *testing.T, seed uint64, before, after *runner.State) {
	current := after.Pipeline.Current()
	require.NotNil(t, current)
	require.Equal(t, before.FailedAt.Step, current.Name, "seed %d at %s", seed, before.FailedAt.Phase)
	for i := range before.FailedAt.Steps {
		was, is := before.Pipeline[i], after.Pipeline[i]
		require.Equal(t, was.Name, is.Name, "seed %d at %s: a step is lost", seed, before.FailedAt.Phase)
		require.True(t, was.Started.Equal(is.Started))
		require.False(t, is.Failed)
		if is.Completed != nil {
			require.True(t, was.Completed.Equal(is.Completed), "seed %d at %s: %s", seed, before.FailedAt.Phase, is.Name)
		} else if is.Name != current.Name {
			require.Equal(t, steps.MessageContinues, is.Message)
		}
	}
}

// phasesFrom returns the phases of an itinerary that a machine enters from a phase on.
func phasesFrom(t *testing.T, itinerary, phase string, values phases.Facts) (entered []string) {
	g, err := machine.MustCompileSet(mtc.Itineraries()...).Graph(itinerary)
	require.NoError(t, err)
	from, err := g.NewMachine(machine.Position{Phase: phase}, values)
	require.NoError(t, err)
	for !from.Position().Done {
		entered = append(entered, itinerary+"/"+from.Position().Phase)
		_, err := from.Advance(context.Background())
		require.NoError(t, err)
	}
	return entered
}

// For MTC's itineraries, any flags and a failure in any phase, a run from the failed
// phase enters the phases that a machine enters from there. The steps completed before
// keep their times, and its own step is open and not failed. At the end the pipeline
// has the steps of a run that has not failed.
func TestRunFromFailedPhaseContinuesThere(t *testing.T) {
	failures := 0
	for seed := range uint64(testscale.Of(300, 60)) {
		random := rand.New(rand.NewPCG(seed, 8))
		selected := []string{mtc.Final, mtc.Stage}[random.IntN(2)]
		values := phases.Facts{}
		for flag := range mtc.Vocabulary().All().Each {
			values = values.Set(flag, phases.TruthOf(random.IntN(3) > 0))
		}
		plain, whole, all, _ := liveOfMTC(t, selected, values, 0)
		reconcileToEnd(t, plain, whole)

		r, m, entered, token := liveOfMTC(t, selected, values, 1+random.IntN(len(*all)))
		reconcileToEnd(t, r, m)
		before := m.State.DeepCopy()
		if before.FailedAt == nil {
			continue
		}
		failures++
		failed := before.FailedAt.Phase
		*entered, *token = nil, "2"
		_, err := r.Reconcile(context.Background(), m)
		require.NoError(t, err)
		require.Equal(t, failed, m.State.Phase)
		requireKept(t, seed, before, &m.State)

		want := phasesFrom(t, selected, failed, values)
		reconcileToEnd(t, r, m)
		require.Empty(t, cmp.Diff(want, *entered), "seed %d at %s", seed, failed)
		names := cmp.Transformer("names", func(p steps.Pipeline) (all []string) {
			for _, s := range p {
				all = append(all, s.Name+": "+s.Message)
			}
			return all
		})
		require.Empty(t, cmp.Diff(whole.State.Pipeline, m.State.Pipeline, names), "seed %d at %s", seed, failed)
		require.Equal(t, phases.Succeeded, m.State.Result)
		require.Empty(t, cmp.Diff([]runner.PastRun{{Result: phases.Failed, Itinerary: selected, Phase: failed}}, m.State.Runs,
			cmpopts.IgnoreFields(runner.PastRun{}, "Started", "Ended")))

		b, err := json.Marshal(m.State)
		require.NoError(t, err)
		var back runner.State
		require.NoError(t, json.Unmarshal(b, &back))
		require.Empty(t, cmp.Diff(m.State, back))
	}
	assert.Greater(t, failures, testscale.Of(200, 40))
}
