package runner_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	volumes phases.Flags = 1 << iota
	images
)

var vocabulary = phases.MustVocabulary([]phases.FlagDef{{Flag: volumes, Name: "Volumes"}, {Flag: images, Name: "Images"}})

func itineraries() []phases.Itinerary {
	return []phases.Itinerary{
		{Name: "Move", Vocabulary: vocabulary, Phases: []phases.Phase{
			{Name: "Refresh", Step: "Prepare", Decides: volumes},
			{Name: "Copy", Step: "Data", Guard: phases.Guard{All: volumes}, Description: "Copying"},
			{Name: "Images", Step: "Images", Guard: phases.Guard{All: images}},
			{Name: "Attach", Step: "Restore"},
		}},
		{Name: "CleanUp", Vocabulary: vocabulary, Cleanup: true, Phases: []phases.Phase{
			{Name: "Detach", Step: "Data", Guard: phases.Guard{All: volumes}},
			{Name: "Report", Step: "Report"},
			{Name: "Last", Step: "Report"},
		}},
	}
}

// migration is the object of these tests.
type migration struct {
	Name     string
	State    runner.State
	Canceled bool
	Paused   bool
	Errors   []string
}

// world is everything around a runner: a clock, the values of flags and their errors,
// the results of handlers, and what has happened.
type world struct {
	t        *testing.T
	now      time.Time
	values   map[phases.Flags]bool
	broken   map[phases.Flags]error
	handlers map[string]func(context.Context, *migration) (runner.Result, error)
	called   []string
	asked    []string
	events   []string
	options  runner.Options[*migration]
	m        *migration
}

func newWorld(t *testing.T) *world {
	w := &world{
		t: t, now: time.Unix(0, 0), m: &migration{},
		values:   map[phases.Flags]bool{volumes: true, images: false},
		broken:   map[phases.Flags]error{},
		handlers: map[string]func(context.Context, *migration) (runner.Result, error){},
	}
	w.options = runner.Options[*migration]{
		Itineraries: machine.MustCompileSet(itineraries()...),
		Select: func(_ context.Context, m *migration) (string, error) {
			if m.Canceled || len(m.Errors) > 0 {
				return "CleanUp", nil
			}
			return "Move", nil
		},
		Sources: func(context.Context, *migration) (*phases.Sources, error) {
			source := func(flag phases.Flags, name string, slow bool) phases.Source {
				return phases.Source{Flag: flag, Slow: slow, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
					w.asked = append(w.asked, name)
					return phases.TruthOf(w.values[flag]), w.broken[flag]
				}}
			}
			return phases.NewSources(vocabulary, source(volumes, "Volumes", false), source(images, "Images", true))
		},
		Storage: runner.Storage[*migration]{
			Read:  func(_ context.Context, m *migration) (runner.State, error) { return *m.State.DeepCopy(), nil },
			Write: func(_ context.Context, m *migration, s runner.State) error { m.State = s; return nil },
		},
		OnFail: func(_ context.Context, m *migration, f runner.Failure) error {
			m.Errors = append(m.Errors, f.Reasons...)
			return nil
		},
		Paused: func(_ context.Context, m *migration) (bool, error) { return m.Paused, nil },
		Now:    func() time.Time { return w.now },
		Phases: map[string]runner.Phase[*migration]{},
		Observers: []runner.Observer[*migration]{runner.ObserverFunc[*migration](func(_ context.Context, _ *migration, e runner.Event) {
			if _, ok := e.(runner.RunReconciled); !ok { // ends each reconcile
				w.events = append(w.events, strings.TrimPrefix(fmt.Sprintf("%T", e), "runner."))
			}
		})},
	}
	for _, it := range itineraries() {
		for _, p := range it.Phases {
			w.options.Phases[p.Name] = runner.Phase[*migration]{Handler: runner.HandlerFunc[*migration](
				func(ctx context.Context, m *migration) (runner.Result, error) {
					w.called = append(w.called, p.Name)
					if h := w.handlers[p.Name]; h != nil {
						return h(ctx, m)
					}
					return runner.Done(), nil
				})}
		}
	}
	return w
}

func (w *world) runner() *runner.Runner[*migration] {
	w.t.Helper()
	r, err := runner.New(w.options)
	require.NoError(w.t, err)
	return r
}

// reconcile reconciles once, a second later, from a state that has been through JSON,
// as a controller's has.
func (w *world) reconcile() (runner.Outcome, error) {
	w.t.Helper()
	w.now = w.now.Add(time.Second)
	b, err := json.Marshal(w.m.State)
	require.NoError(w.t, err)
	w.m.State = runner.State{}
	require.NoError(w.t, json.Unmarshal(b, &w.m.State))
	return w.runner().Reconcile(context.Background(), w.m)
}

// reads returns the pipeline: each step with its message.
func (w *world) reads() string {
	var all []string
	for _, s := range w.m.State.Pipeline {
		all = append(all, s.Name+": "+s.Message)
	}
	return strings.Join(all, " | ")
}

// end reconciles to the end, and returns the number of reconciles.
func (w *world) end() int {
	w.t.Helper()
	for n := 1; n < 100; n++ {
		out, err := w.reconcile()
		require.NoError(w.t, err)
		if out.Done {
			return n
		}
		require.True(w.t, out.Requeue)
	}
	w.t.Fatal("it does not come to an end")
	return 0
}

func TestReconcileWholeMigration(t *testing.T) {
	w := newWorld(t)
	for _, want := range []string{
		"Prepare: Refresh | Data: Not started | Restore: Not started",
		"Prepare: Completed | Data: Copying | Restore: Not started",
		"Prepare: Completed | Data: Completed | Restore: Attach",
		"Prepare: Completed | Data: Completed | Restore: Completed",
	} {
		out, err := w.reconcile()
		require.NoError(t, err)
		assert.True(t, out.Changed)
		assert.Equal(t, want, w.reads())
	}
	assert.Equal(t, []string{"Refresh", "Copy", "Attach"}, w.called)
	assert.Equal(t, []string{"Volumes", "Images", "Volumes"}, w.asked, "each once, and what Refresh decides again")
	assert.Equal(t, "FlagEvaluated FlagEvaluated ItineraryBegun PhaseEntered FlagEvaluated PhaseExited PhaseEntered PhaseExited "+
		"PhaseEntered PhaseExited RunFinished", strings.Join(w.events, " "))
	out, err := w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, runner.Outcome{State: w.m.State, Done: true}, out, "a done run is left alone")
}

func TestSeveralPhasesInOneReconcile(t *testing.T) {
	for _, c := range []struct{ most, reconciles int }{{1, 4}, {2, 2}, {3, 2}, {4, 1}, {100, 1}} {
		w := newWorld(t)
		w.options.MaxPhases = c.most
		assert.Equal(t, c.reconciles, w.end(), "at most %d phases", c.most)
		assert.Equal(t, []string{"Refresh", "Copy", "Attach"}, w.called)
		assert.Equal(t, "Prepare: Completed | Data: Completed | Restore: Completed", w.reads())
	}
}

// Volumes appear and vanish while the plan is refreshed. The pipeline follows.
func TestPlanFollowsPhaseThatDecides(t *testing.T) {
	w := newWorld(t)
	w.values[volumes] = false
	_, err := w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, "Prepare: Refresh | Restore: Not started", w.reads())
	w.values[volumes] = true
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, "Prepare: Completed | Data: Copying | Restore: Not started", w.reads())
	assert.NotContains(t, strings.Join(w.events, " "), "Replanned", "the step that was added has started")

	w = newWorld(t)
	_, err = w.reconcile()
	require.NoError(t, err)
	w.values[volumes] = false
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, "Prepare: Completed | Restore: Attach", w.reads())
	assert.Contains(t, strings.Join(w.events, " "), "Replanned")
}

// A failure of upstream: a list that fails while planning.
func TestFlagThatCannotBeEvaluatedIsRetried(t *testing.T) {
	w := newWorld(t)
	w.broken[images] = errors.New("connection refused")
	out, err := w.reconcile()
	var flag *phases.FlagError
	require.ErrorAs(t, err, &flag)
	assert.Equal(t, "Images", flag.Flag)
	assert.Equal(t, []string{"Images"}, w.m.State.Retry.Flags)
	assert.Equal(t, time.Second, out.RequeueAfter)
	retry := w.m.State.Retry
	w.m.State.Retry = nil
	assert.Empty(t, cmp.Diff(runner.State{}, w.m.State), "the run has not begun")
	w.m.State.Retry = retry

	delete(w.broken, images)
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.Nil(t, w.m.State.Retry)
	w.broken[volumes] = errors.New("timed out")
	_, err = w.reconcile()
	require.ErrorAs(t, err, &flag)
	assert.Equal(t, []string{"Refresh"}, w.called)
	assert.True(t, w.m.State.WorkDone)
	assert.Equal(t, []string{"Volumes"}, w.m.State.Facts.Unknown)
	assert.Contains(t, w.reads(), "timed out")
	delete(w.broken, volumes)
	w.end()
	assert.Equal(t, []string{"Refresh", "Copy", "Attach"}, w.called, "the handler is not called again")
}

// A failure of upstream: an unreachable source cluster keeps the cleanup itinerary
// from its end.
func TestCleanupReachesItsEndWithoutFlags(t *testing.T) {
	w := newWorld(t)
	w.m.Canceled = true
	w.broken[volumes], w.broken[images] = errors.New("unreachable"), errors.New("unreachable")
	w.end()
	assert.Equal(t, []string{"Volumes"}, w.asked, "once when it begins, and not again at each phase")
	assert.Equal(t, []string{"Detach", "Report", "Last"}, w.called, "phases that may be needed run")
	assert.Equal(t, "Data: Completed | Report: Completed", w.reads())
}

// A failure and a cancel lead to the cleanup, and only the interrupted step is Failed or Canceled.
func TestFailAndCancel(t *testing.T) {
	w := newWorld(t)
	w.handlers["Copy"] = func(context.Context, *migration) (runner.Result, error) { return runner.Fail("disk full"), nil }
	w.end()
	assert.Equal(t, []string{"Refresh", "Copy", "Detach", "Report", "Last"}, w.called)
	assert.Equal(t, "Prepare: Completed | Data: Failed | Report: Completed", w.reads())
	require.Len(t, w.m.State.Failures, 1)
	assert.Equal(t, []string{"disk full"}, w.m.State.Failures[0].Reasons)
	assert.Equal(t, []string{"disk full"}, w.m.Errors)

	w = newWorld(t)
	for range 3 {
		_, err := w.reconcile()
		require.NoError(t, err)
	}
	w.m.Canceled = true
	w.end()
	assert.Equal(t, "Prepare: Completed | Data: Completed | Restore: Canceled | Report: Completed", w.reads())
	assert.Equal(t, []string{"Refresh", "Copy", "Detach", "Report", "Last"}, w.called)

	w = newWorld(t)
	w.options.Failed = func(_ context.Context, m *migration) (bool, error) { return len(m.Errors) > 0, nil }
	_, err := w.reconcile()
	require.NoError(t, err)
	w.m.Errors = []string{"found by a validation"}
	w.end()
	assert.Equal(t, "Prepare: Failed | Data: Completed | Report: Completed", w.reads(), "a failure that the object reports")
}

// The cleanup reaches its end even if the objects from which sources are made cannot be
// read.
func TestCleanupReachesItsEndWithoutSources(t *testing.T) {
	w := newWorld(t)
	w.m.Canceled = true
	var told []error
	w.options.Observers = append(w.options.Observers,
		runner.ObserverFunc[*migration](func(_ context.Context, _ *migration, e runner.Event) {
			if a, ok := e.(runner.FlagEvaluated); ok {
				told = append(told, a.Err)
			}
		}))
	cause := errors.New("unreachable")
	w.options.Sources = func(ctx context.Context, _ *migration) (*phases.Sources, error) {
		_, bounded := ctx.Deadline()
		assert.True(t, bounded)
		return nil, cause
	}
	w.end()
	assert.Equal(t, []string{"Detach", "Report", "Last"}, w.called)
	require.NotEmpty(t, told)
	for _, err := range told {
		assert.ErrorIs(t, err, cause)
	}
}

// A phase that fails in a cleanup itinerary is passed by: the next one runs.
func TestCleanupPassesFailuresBy(t *testing.T) {
	w := newWorld(t)
	w.m.Canceled = true
	w.handlers["Report"] = func(context.Context, *migration) (runner.Result, error) { return runner.Fail("no mail"), nil }
	w.end()
	assert.Equal(t, []string{"Detach", "Report", "Last"}, w.called)
	assert.Equal(t, "Data: Completed | Report: Failed", w.reads())
	assert.Equal(t, []string{"no mail"}, w.m.State.Failures[0].Reasons)
}

// A selector may depend on the recorded failures.
func TestSelectByState(t *testing.T) {
	w := newWorld(t)
	w.options.OnFail = nil
	w.options.Select = func(_ context.Context, m *migration) (string, error) {
		if len(m.State.Failures) > 0 {
			return "CleanUp", nil
		}
		return "Move", nil
	}
	w.handlers["Copy"] = func(context.Context, *migration) (runner.Result, error) { return runner.Fail("disk full"), nil }
	w.end()
	assert.Equal(t, []string{"Refresh", "Copy", "Detach", "Report", "Last"}, w.called)
	assert.Equal(t, "Prepare: Completed | Data: Failed | Report: Completed", w.reads())
}

// Nothing runs after a failed phase, unless the selector answers.
func TestUnansweredFailure(t *testing.T) {
	const todo = `Select still names "Move", so the run is stopped: let it name another itinerary, such as a cleanup ` +
		`itinerary, when a phase has failed`
	short := &runner.UnansweredFailureError{Itinerary: "Move", Phase: "Refresh"}
	assert.EqualError(t, short, `phase "Refresh" of itinerary "Move" failed; `+todo)
	long := &runner.UnansweredFailureError{Itinerary: "Move", Phase: "Refresh", Reasons: []string{strings.Repeat("x", runner.MaxText)}}
	assert.Less(t, len(long.Error()), runner.MaxText)
	assert.Contains(t, long.Error(), "x...; "+todo, "long reasons do not displace what to do")
	w := newWorld(t)
	w.options.OnFail = nil // the selection does not change
	w.handlers["Refresh"] = func(context.Context, *migration) (runner.Result, error) { return runner.Fail("no access"), nil }
	_, err := w.reconcile()
	require.NoError(t, err)
	for range 3 {
		out, err := w.reconcile()
		var unanswered *runner.UnansweredFailureError
		require.ErrorAs(t, err, &unanswered)
		assert.Equal(t, runner.UnansweredFailureError{Itinerary: "Move", Phase: "Refresh", Reasons: []string{"no access"}}, *unanswered)
		assert.EqualError(t, unanswered, `phase "Refresh" of itinerary "Move" failed: no access; `+todo)
		assert.True(t, runner.IsTerminal(err))
		assert.False(t, out.Requeue)
		assert.Equal(t, err.Error(), w.m.State.Stopped.Error)
		assert.Equal(t, int64(2), w.m.State.Stopped.Since.Unix())
		step := w.m.State.Pipeline.Current()
		assert.True(t, step.Failed)
		assert.Equal(t, err.Error(), step.Message)
	}
	assert.Equal(t, []string{"Refresh"}, w.called)
	assert.Len(t, w.m.State.Failures, 1)
	assert.Equal(t, "FlagEvaluated FlagEvaluated ItineraryBegun PhaseEntered PhaseFailed RunStopped", strings.Join(w.events, " "))

	w.m.Canceled = true // the selector answers
	w.end()
	assert.Equal(t, []string{"Refresh", "Detach", "Report", "Last"}, w.called)
	assert.Nil(t, w.m.State.Stopped)
	assert.Equal(t, phases.Failed, w.m.State.Result)
	assert.Equal(t, "Prepare: Failed | Data: Completed | Report: Completed", w.reads())
}

func TestWait(t *testing.T) {
	w := newWorld(t)
	left := 2
	w.handlers["Refresh"] = func(context.Context, *migration) (runner.Result, error) {
		if left == 0 {
			return runner.Done(), nil
		}
		return runner.Wait(5*time.Second, fmt.Sprintf("%d left", left), "line"), nil
	}
	_, err := w.reconcile()
	require.NoError(t, err)
	for _, want := range []struct {
		left    int
		changed bool
	}{{2, true}, {2, false}, {1, true}} {
		left = want.left
		out, err := w.reconcile()
		require.NoError(t, err)
		assert.Equal(t, 5*time.Second, out.RequeueAfter)
		assert.Equal(t, want.changed, out.Changed, "a write only if something changed")
		step := w.m.State.Pipeline.Current()
		assert.Equal(t, fmt.Sprintf("%d left", left), step.Message)
		assert.Equal(t, []string{"line"}, step.Progress)
		assert.Equal(t, int64(2), w.m.State.WaitingSince.Unix())
	}
	left = 0
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.Nil(t, w.m.State.WaitingSince)
	assert.Equal(t, "Prepare: Completed | Data: Copying | Restore: Not started", w.reads())
	assert.Equal(t, []string{"line"}, w.m.State.Pipeline[0].Progress, "a completed step keeps its last progress")
}

func TestErrorsOfHandlersAreRetried(t *testing.T) {
	w := newWorld(t)
	w.options.Phases["Copy"] = runner.Phase[*migration]{Handler: w.options.Phases["Copy"].Handler,
		Backoff: runner.Backoff{Initial: time.Second, Max: 5 * time.Second}}
	for _, c := range []struct {
		about, phase string
		handler      func(context.Context, *migration) (runner.Result, error)
		err          string
	}{
		{"an error", "Refresh", func(context.Context, *migration) (runner.Result, error) {
			return runner.Result{}, errors.New("conflict")
		}, "conflict"},
		{"a panic", "Refresh", func(context.Context, *migration) (runner.Result, error) { panic("boom") }, "panic: boom"},
		{"the zero Result", "Refresh", func(context.Context, *migration) (runner.Result, error) { return runner.Result{}, nil },
			"its handler returned neither Done, Wait nor Fail"},
	} {
		w.handlers[c.phase] = c.handler
		if w.m.State.Phase == "" {
			_, err := w.reconcile()
			require.NoError(t, err)
		}
		out, err := w.due()
		var failed *runner.HandlerError
		require.ErrorAs(t, err, &failed, c.about)
		assert.EqualError(t, failed.Err, c.err)
		assert.True(t, out.Requeue)
		assert.Equal(t, failed.Err.Error(), w.m.State.Retry.Error)
		assert.Equal(t, failed.Err.Error(), w.m.State.Pipeline.Current().Message)
	}
	assert.Equal(t, int64(3), w.m.State.Retry.Attempts)
	assert.Equal(t, int64(2), w.m.State.Retry.Since.Unix())
	delete(w.handlers, "Refresh")
	_, err := w.reconcile()
	require.NoError(t, err)
	w.handlers["Copy"] = func(context.Context, *migration) (runner.Result, error) {
		return runner.Result{}, errors.New("conflict")
	}
	for _, after := range []time.Duration{1, 2, 4, 5, 5} {
		out, err := w.due()
		require.Error(t, err)
		assert.Equal(t, after*time.Second, out.RequeueAfter)
		assert.True(t, out.Changed, "the attempts are counted")
	}
	w.handlers["Copy"] = nil
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.Nil(t, w.m.State.Retry)
}

// The count of attempts and the time of waiting are those of the phase.
func TestWaitingAndAttemptsRestartWithPhase(t *testing.T) {
	w := newWorld(t)
	w.options.Phases["Refresh"] = runner.Phase[*migration]{Handler: w.options.Phases["Refresh"].Handler,
		Backoff: runner.Backoff{Initial: time.Second}}
	results := []func() (runner.Result, error){
		func() (runner.Result, error) { return runner.Result{}, errors.New("conflict") },
		func() (runner.Result, error) { return runner.Wait(0, ""), nil },
		func() (runner.Result, error) { return runner.Result{}, errors.New("conflict") },
		func() (runner.Result, error) { return runner.Fail("no"), nil },
	}
	w.handlers["Refresh"] = func(context.Context, *migration) (runner.Result, error) {
		r := results[0]
		results = results[1:]
		return r()
	}
	_, err := w.reconcile()
	require.NoError(t, err)
	for i, want := range []int{1, 0, 1, 0} {
		_, err := w.reconcile()
		require.Equal(t, want == 1, err != nil)
		assert.Equal(t, want == 1, w.m.State.Retry != nil, "after call %d", i+1)
		if want == 1 {
			assert.Equal(t, int64(1), w.m.State.Retry.Attempts, "after call %d", i+1)
		}
	}
	assert.Equal(t, "CleanUp", w.m.State.Itinerary)
	assert.Nil(t, w.m.State.WaitingSince)
}

func TestBackoffStaysWithinItsBounds(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		backoff  runner.Backoff
		attempts int64
		want     time.Duration
	}{
		{runner.Backoff{}, 0, time.Second},
		{runner.Backoff{}, 8, 256 * time.Second},
		{runner.Backoff{}, 9, 5 * time.Minute},
		{runner.Backoff{Initial: time.Second}, 2000, 24 * time.Hour},
		{runner.Backoff{Initial: time.Second, Factor: 1.0000001}, math.MaxInt64, 24 * time.Hour},
		{runner.Backoff{Initial: 10 * time.Second, Factor: 1}, math.MaxInt64, 10 * time.Second},
		{runner.Backoff{Initial: time.Second}, math.MinInt64, time.Second},
		{runner.Backoff{Initial: time.Second, Factor: 1}, 5, time.Second},
		{runner.Backoff{Initial: time.Second, Factor: 3}, 2, 9 * time.Second},
	} {
		w.m = &migration{}
		_, err := w.reconcile()
		require.NoError(t, err)
		w.options.Phases["Refresh"] = runner.Phase[*migration]{Handler: w.options.Phases["Refresh"].Handler, Backoff: c.backoff}
		w.handlers["Refresh"] = func(context.Context, *migration) (runner.Result, error) {
			return runner.Result{}, errors.New("conflict")
		}
		w.m.State.Retry = &runner.Retry{Attempts: c.attempts, Error: "conflict"}
		out, err := w.reconcile()
		require.Error(t, err)
		assert.Equal(t, c.want, out.RequeueAfter)
	}
}

// The evaluation of flags has its own timeout.
func TestEvaluationTimeout(t *testing.T) {
	w := newWorld(t)
	w.options.EvaluationTimeout = time.Millisecond
	w.options.Sources = func(context.Context, *migration) (*phases.Sources, error) {
		stalls := func(ctx context.Context, _ phases.Facts) (phases.Truth, error) {
			<-ctx.Done() // a cluster that hangs
			return phases.Unknown, ctx.Err()
		}
		return phases.NewSources(vocabulary, phases.Source{Flag: volumes, Evaluate: stalls}, phases.Source{Flag: images, Evaluate: stalls})
	}
	_, err := w.reconcile()
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Empty(t, w.m.State.Itinerary, "the run has not begun")
}

// Both kinds of timeouts use the embedder's clock, if it has one.
func TestTimeoutsUseEmbeddersClock(t *testing.T) {
	w := newWorld(t)
	var asked []time.Duration
	w.options.WithTimeout = func(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
		asked = append(asked, d)
		return context.WithDeadline(parent, time.Unix(0, 0)) // it has passed
	}
	w.options.Phases["Copy"] = runner.Phase[*migration]{Deadline: 10 * time.Second, Handler: runner.HandlerFunc[*migration](
		func(ctx context.Context, _ *migration) (runner.Result, error) { return runner.Result{}, ctx.Err() })}
	_, err := w.reconcile()
	require.ErrorIs(t, err, context.DeadlineExceeded, "the flags")
	// Copy is entered at the time of the next reconcile.
	w.m.State = runner.State{Checkpoint: machine.Checkpoint{Itinerary: "Move", Phase: "Copy"},
		Entered: &metav1.Time{Time: w.now.Add(time.Second)}}
	w.m.State.Facts = vocabulary.Record(phases.NewFacts(volumes, images), w.m.State.Facts.Hash)
	_, err = w.reconcile()
	require.ErrorIs(t, err, context.DeadlineExceeded, "the handler was cut off")
	assert.Equal(t, []time.Duration{runner.DefaultEvaluationTimeout, 11 * time.Second}, asked,
		"counted from the end of the second in which it was entered")
}

func TestResultsPrintThemselves(t *testing.T) {
	for _, tt := range []struct {
		result runner.Result
		want   string
		done   bool
	}{
		{runner.Done(), "done", true},
		{runner.Wait(0, ""), "wait", false},
		{runner.Wait(5*time.Second, "copying", "3 of 7", "files"), "wait 5s: copying (3 of 7, files)", false},
		{runner.Fail(), "fail", false},
		{runner.Fail("no space", "left"), "fail: no space; left", false},
		{runner.Result{}, "neither done, wait nor fail", false},
	} {
		assert.Equal(t, tt.want, tt.result.String())
		assert.Equal(t, tt.done, tt.result.IsDone(), tt.want)
	}
}

func TestDeadline(t *testing.T) {
	w := newWorld(t)
	w.handlers["Refresh"] = func(context.Context, *migration) (runner.Result, error) { return runner.Wait(time.Minute, ""), nil }
	w.options.Phases["Refresh"] = runner.Phase[*migration]{Handler: w.options.Phases["Refresh"].Handler, Deadline: 10 * time.Second}
	_, err := w.reconcile()
	require.NoError(t, err)
	out, err := w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, 10*time.Second, out.RequeueAfter, "it comes back in time for the deadline")
	w.now = w.now.Add(9 * time.Second)
	w.end()
	assert.Equal(t, []string{"phase Refresh was not done within 10 s"}, w.m.Errors)
	assert.Equal(t, []string{"Refresh", "Refresh", "Detach", "Report", "Last"}, w.called, "it is called a last time before it fails")
	assert.Equal(t, "Prepare: Failed | Data: Completed | Report: Completed", w.reads())
}

func TestPaused(t *testing.T) {
	w := newWorld(t)
	_, err := w.reconcile()
	require.NoError(t, err)
	w.m.Paused = true
	before := w.m.State.DeepCopy()
	events := len(w.events)
	for i := range 3 {
		out, err := w.reconcile()
		require.NoError(t, err)
		assert.True(t, out.Paused)
		assert.Equal(t, i == 0, out.Changed, "since when is written once")
		assert.False(t, out.Requeue)
	}
	assert.Equal(t, int64(2), w.m.State.PausedSince.Unix())
	w.m.State.PausedSince = nil
	assert.Empty(t, cmp.Diff(before, &w.m.State))
	assert.Empty(t, w.called)
	assert.Len(t, w.events, events)
	w.m.Paused = false
	w.end()
}

// A release adds a phase and a flag, and renames a phase.
func TestReleaseChangesItinerary(t *testing.T) {
	w := newWorld(t)
	for range 2 {
		_, err := w.reconcile()
		require.NoError(t, err)
	}
	require.Equal(t, "Copy", w.m.State.Phase)
	w.asked, w.called = nil, nil

	const backups phases.Flags = 4
	more := phases.MustVocabulary(append(vocabulary.Defs(), phases.FlagDef{Flag: backups, Name: "Backups"}))
	its := itineraries()
	for i := range its {
		its[i].Vocabulary = more
	}
	its[0].Phases[1].Name, its[0].Phases[1].Formerly = "CopyVolumes", []string{"Copy"}
	its[0].Phases = append(its[0].Phases, phases.Phase{Name: "BackUp", Step: "Backup", Guard: phases.Guard{All: backups}})
	w.options.Itineraries = machine.MustCompileSet(its...)
	w.options.Phases["CopyVolumes"] = w.options.Phases["Copy"]
	w.options.Phases["BackUp"] = w.options.Phases["Attach"]
	delete(w.options.Phases, "Copy")
	w.options.Sources = func(context.Context, *migration) (*phases.Sources, error) {
		return phases.NewSources(more, phases.Source{Flag: backups, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
			w.asked = append(w.asked, "Backups")
			return phases.True, nil
		}})
	}
	w.handlers["Copy"] = func(context.Context, *migration) (runner.Result, error) { return runner.Wait(0, "still copying"), nil }
	hash := w.m.State.Facts.Hash
	_, err := w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, []string{"Backups"}, w.asked, "only the new flag is evaluated, and at once")
	assert.Equal(t, "Prepare: Completed | Data: still copying | Restore: Not started | Backup: Not started", w.reads())
	assert.NotEqual(t, hash, w.m.State.Facts.Hash)
	delete(w.handlers, "Copy")
	w.end()
	assert.Equal(t, []string{"Backups"}, w.asked)
	assert.Equal(t, []string{"Copy", "Copy", "Attach", "Attach"}, w.called)
	assert.Equal(t, "Prepare: Completed | Data: Completed | Restore: Completed | Backup: Completed", w.reads())

	w = newWorld(t)
	_, err = w.reconcile()
	require.NoError(t, err)
	w.m.State.Phase = "Refrehs"
	before := w.m.State.DeepCopy()
	_, err = w.reconcile()
	var unknown *machine.UnknownPhaseError
	require.ErrorAs(t, err, &unknown)
	assert.Equal(t, []string{"Refresh"}, unknown.Nearest)
	assert.Equal(t, err.Error(), w.m.State.Stopped.Error)
	assert.Equal(t, before.Checkpoint, w.m.State.Checkpoint)
	w.m.Canceled = true
	w.end()
	assert.Equal(t, "Prepare: Canceled | Data: Completed | Report: Completed", w.reads(),
		"if the state selects another itinerary, the recorded phase is no error")
}

// A failure of upstream: messages leaked from one migration to another.
func TestMigrationsShareNothing(t *testing.T) {
	w := newWorld(t)
	r := w.runner()
	w.handlers["Refresh"] = func(_ context.Context, m *migration) (runner.Result, error) {
		if m.Errors != nil {
			return runner.Done(), nil
		}
		return runner.Wait(0, "mine alone"), nil
	}
	a, b := &migration{}, &migration{}
	for range 2 {
		_, err := r.Reconcile(context.Background(), a)
		require.NoError(t, err)
	}
	_, err := r.Reconcile(context.Background(), b)
	require.NoError(t, err)
	assert.Equal(t, "mine alone", a.State.Pipeline[0].Message)
	assert.Equal(t, "Refresh", b.State.Pipeline[0].Message)
}

func TestPanicsOfEmbedder(t *testing.T) {
	for _, c := range []struct {
		about  string
		change func(*runner.Options[*migration])
	}{
		{"Select", func(o *runner.Options[*migration]) {
			o.Select = func(context.Context, *migration) (string, error) { panic("boom") }
		}},
		{"Sources", func(o *runner.Options[*migration]) {
			o.Sources = func(context.Context, *migration) (*phases.Sources, error) { panic("boom") }
		}},
		{"Read", func(o *runner.Options[*migration]) {
			o.Storage.Read = func(context.Context, *migration) (runner.State, error) { panic("boom") }
		}},
		{"Write", func(o *runner.Options[*migration]) {
			o.Storage.Write = func(context.Context, *migration, runner.State) error { panic("boom") }
		}},
	} {
		t.Run(c.about, func(t *testing.T) {
			w := newWorld(t)
			c.change(&w.options)
			_, err := w.reconcile()
			assert.ErrorAs(t, err, new(*phases.PanicError))
		})
	}
	w := newWorld(t)
	w.options.Observers = append(w.options.Observers,
		runner.ObserverFunc[*migration](func(context.Context, *migration, runner.Event) { panic("boom") }))
	w.end()
}

func TestErrorsOfEmbedder(t *testing.T) {
	cause := errors.New("broken")
	for _, c := range []struct {
		about  string
		change func(*runner.Options[*migration])
	}{
		{"Sources", func(o *runner.Options[*migration]) {
			o.Sources = func(context.Context, *migration) (*phases.Sources, error) { return nil, cause }
		}},
		{"Read", func(o *runner.Options[*migration]) {
			o.Storage.Read = func(context.Context, *migration) (runner.State, error) { return runner.State{}, cause }
		}},
		{"Write", func(o *runner.Options[*migration]) {
			o.Storage.Write = func(context.Context, *migration, runner.State) error { return cause }
		}},
	} {
		t.Run(c.about, func(t *testing.T) {
			w := newWorld(t)
			c.change(&w.options)
			out, err := w.reconcile()
			assert.ErrorIs(t, err, cause)
			assert.Equal(t, c.about == "Sources", out.Changed, "a retry is recorded")
		})
	}
	w := newWorld(t)
	w.options.Select = func(context.Context, *migration) (string, error) { return "Moev", nil }
	_, err := w.reconcile()
	assert.ErrorContains(t, err, `"Moev"; did you mean "Move"?`)

	w = newWorld(t)
	w.options.Sources = func(context.Context, *migration) (*phases.Sources, error) { return phases.NewSources(vocabulary) }
	_, err = w.reconcile()
	assert.EqualError(t, err, `itinerary "Move" at start: the next phase depends on Images, which no source evaluates; add a `+
		`source in Sources`)
	assert.True(t, runner.IsTerminal(err))
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		about  string
		change func(*runner.Options[*migration])
		want   string
	}{
		{"a missing handler", func(o *runner.Options[*migration]) { delete(o.Phases, "Copy") },
			`runner options: phase "Copy" of itinerary "Move" has no handler; set one in Phases, PhasesByItinerary or Handler`},
		{"a name that no itinerary has", func(o *runner.Options[*migration]) { o.Phases["Atach"] = o.Phases["Attach"] },
			`runner options: Phases: no itinerary has a phase "Atach"; did you mean "Attach" or "Detach"?`},
		{"a name that the itinerary does not have", func(o *runner.Options[*migration]) {
			o.PhasesByItinerary = map[string]map[string]runner.Phase[*migration]{"Move": {"Detach": o.Phases["Copy"]}}
		}, `runner options: PhasesByItinerary: itinerary "Move" has no phase "Detach"; did you mean "Attach"?`},
		{"an unknown itinerary", func(o *runner.Options[*migration]) {
			o.PhasesByItinerary = map[string]map[string]runner.Phase[*migration]{"Mvoe": {}}
		}, `runner options: PhasesByItinerary: unknown itinerary "Mvoe"; did you mean "Move"?`},
		{"nothing at all", func(o *runner.Options[*migration]) { *o = runner.Options[*migration]{} },
			"runner options: Select is missing; Sources is missing; Storage is missing; use NewStatusStorage or NewAnnotationStorage; Itineraries are missing"},
	} {
		t.Run(c.about, func(t *testing.T) {
			w := newWorld(t)
			c.change(&w.options)
			_, err := runner.New(w.options)
			var refused *runner.OptionsError
			require.ErrorAs(t, err, &refused)
			assert.EqualError(t, err, c.want)
		})
	}
}

func TestPassThroughAndPhasesByItinerary(t *testing.T) {
	w := newWorld(t)
	copyIt := w.options.Phases["Copy"]
	w.options.Phases = nil
	w.options.PassThrough = true
	w.options.PhasesByItinerary = map[string]map[string]runner.Phase[*migration]{"Move": {"Copy": copyIt}}
	assert.Equal(t, 4, w.end())
	assert.Equal(t, []string{"Copy"}, w.called)
}

func TestLoggers(t *testing.T) {
	var b bytes.Buffer
	w := newWorld(t)
	logger := funcr.New(func(_, args string) { fmt.Fprintln(&b, args) }, funcr.Options{})
	w.options.Observers = []runner.Observer[*migration]{
		runner.NewLogrObserver[*migration](func(context.Context) logr.Logger { return logger }),
	}
	w.end()
	assert.Contains(t, b.String(), `"msg"="phase entered" "itinerary"="Move" "phase"="Copy" "step"="Data" "jumped"=false`)
	assert.NotContains(t, b.String(), "flag evaluated")

	b.Reset()
	w = newWorld(t)
	w.handlers["Copy"] = func(context.Context, *migration) (runner.Result, error) { return runner.Fail("disk full"), nil }
	w.options.Observers = []runner.Observer[*migration]{runner.NewSlogObserver[*migration](slog.New(
		slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug})))}
	w.end()
	assert.Contains(t, b.String(), `level=WARN msg="phase failed" itinerary=Move phase=Copy reasons="[disk full]" took=1s`)
	assert.Contains(t, b.String(), `level=DEBUG msg="flag evaluated" itinerary=Move flag=Volumes value=yes`)
}

func TestStateIsJSONAndCopies(t *testing.T) {
	w := newWorld(t)
	w.handlers["Copy"] = func(context.Context, *migration) (runner.Result, error) { return runner.Fail("disk full"), nil }
	w.end()
	b, err := json.Marshal(w.m.State)
	require.NoError(t, err)
	var back runner.State
	require.NoError(t, json.Unmarshal(b, &back))
	assert.Empty(t, cmp.Diff(w.m.State, back))
	c := w.m.State.DeepCopy()
	c.Failures[0].Reasons[0] = "changed"
	c.Pipeline[0].Name = "changed"
	c.Facts.True[0] = "changed"
	assert.Empty(t, cmp.Diff(back, w.m.State))
	assert.Nil(t, (*runner.State)(nil).DeepCopy())
	assert.Equal(t, steps.MessageFailed, back.Pipeline[1].Message)
}

// A phase begins once the handler of the phase before has returned, however long that
// took. Its deadline counts from then.
func TestSlowHandlerTakesNoTimeFromNextPhase(t *testing.T) {
	w := newWorld(t)
	w.handlers["Refresh"] = func(context.Context, *migration) (runner.Result, error) {
		w.now = w.now.Add(time.Minute)
		return runner.Done(), nil
	}
	w.options.Phases["Copy"] = runner.Phase[*migration]{Handler: w.options.Phases["Copy"].Handler, Deadline: 30 * time.Second}
	for range 2 {
		_, err := w.reconcile()
		require.NoError(t, err)
	}
	assert.Equal(t, w.now.Unix(), w.m.State.Entered.Unix())
	assert.Equal(t, w.now.Unix(), w.m.State.Pipeline[0].Completed.Unix())
	w.end()
	assert.Empty(t, w.m.Errors)
	assert.Equal(t, []string{"Refresh", "Copy", "Attach"}, w.called)
}
