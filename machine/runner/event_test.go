package runner_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Each reconcile ends with an event that has the state as it is written, whatever has
// happened.
func TestLastEventHasState(t *testing.T) {
	w := newWorld(t)
	var events []runner.Event
	var state *runner.State // a copy
	w.options.Observers = []runner.Observer[*migration]{runner.ObserverFunc[*migration](
		func(_ context.Context, _ *migration, e runner.Event) {
			events = append(events, e)
			if e, ok := e.(runner.RunReconciled); ok {
				state = e.State.DeepCopy()
			}
		})}
	w.options.Key = func(*migration) string { return "key" }
	long := strings.Repeat("r", 2*runner.MaxText)
	result, cause := runner.Wait(time.Minute, "copying"), error(nil)
	w.handlers["Copy"] = func(context.Context, *migration) (runner.Result, error) { return result, cause }

	for _, c := range []struct {
		about string
		// before changes the next reconcile.
		before  func()
		want    runner.RunReconciled
		wantErr string
		alone   bool // there is no other event
	}{
		{"a phase is entered", func() {}, runner.RunReconciled{Changed: true, Requeue: true}, "", false},
		{"another", func() {}, runner.RunReconciled{Changed: true, Requeue: true}, "", false},
		{"it waits", func() {}, runner.RunReconciled{Changed: true, Requeue: true, RequeueAfter: time.Minute}, "", false},
		{"nothing changes", func() {}, runner.RunReconciled{Requeue: true, RequeueAfter: time.Minute}, "", false},
		{"a pause", func() { w.m.Paused = true }, runner.RunReconciled{Changed: true, Paused: true}, "", true},
		{"the pause lasts", func() {}, runner.RunReconciled{Paused: true}, "", true},
		{"an error", func() { w.m.Paused, cause = false, errors.New("no answer") },
			runner.RunReconciled{Changed: true, Requeue: true, RequeueAfter: time.Second}, "no answer", false},
		{"a function of the options fails", func() {
			w.options.Select = func(context.Context, *migration) (string, error) { return "", errors.New("forbidden") }
		}, runner.RunReconciled{Changed: true, Requeue: true, RequeueAfter: time.Second}, "forbidden", false},
		{"a failure that is not answered", func() {
			w.options.Select = func(context.Context, *migration) (string, error) { return "Move", nil }
			result, cause = runner.Fail(long), nil
		}, runner.RunReconciled{Changed: true}, "still names", false},
		{"the run stays stopped", func() {}, runner.RunReconciled{}, "still names", true},
	} {
		t.Run(c.about, func(t *testing.T) {
			c.before()
			events, state = nil, nil
			out, err := w.reconcile()
			require.NotEmpty(t, events)
			last, ok := events[len(events)-1].(runner.RunReconciled)
			require.True(t, ok, "%T", events[len(events)-1])
			for _, e := range events[:len(events)-1] {
				_, ok := e.(runner.RunReconciled)
				assert.False(t, ok, "it is the only one")
			}
			assert.Equal(t, c.alone, len(events) == 1, "%#v", events)
			if c.wantErr != "" {
				require.ErrorContains(t, last.Err, c.wantErr)
			}
			assert.Equal(t, err, last.Err)
			assert.Empty(t, cmp.Diff(&out.State, state))
			assert.Empty(t, cmp.Diff(&w.m.State, state), "it is the written state")
			assert.Equal(t, "key", last.Key)
			last.State, last.Err, last.Key = nil, nil, ""
			assert.Equal(t, c.want, last)
			assert.Equal(t, c.want, runner.RunReconciled{Changed: out.Changed, Requeue: out.Requeue, RequeueAfter: out.RequeueAfter,
				Paused: out.Paused})
		})
	}
	assert.Len(t, w.m.State.Failures[0].Reasons[0], runner.MaxText, "the state is the bounded one")
}

// An error that does not hold the run is also an error of the reconcile.
func TestLastEventHasErrorOfCleanup(t *testing.T) {
	w := newWorld(t)
	w.m.Canceled = true
	w.options.OnFail = func(context.Context, *migration, runner.Failure) error { return errors.New("conflict") }
	w.handlers["Detach"] = func(context.Context, *migration) (runner.Result, error) { return runner.Fail("no"), nil }
	ended := listen[runner.RunReconciled](w)
	for range 2 {
		_, err := w.reconcile()
		assert.Equal(t, err, (*ended)[len(*ended)-1].Err)
	}
	require.ErrorContains(t, (*ended)[1].Err, "conflict")
}

func TestEventsNeedState(t *testing.T) {
	w := newWorld(t)
	ended := listen[runner.RunReconciled](w)
	w.options.Storage.Read = func(context.Context, *migration) (runner.State, error) { return runner.State{}, errors.New("cut off") }
	_, err := w.reconcile()
	require.ErrorContains(t, err, "cut off")
	assert.Empty(t, *ended)
}

func TestLoggersIgnoreEndOfReconcile(t *testing.T) {
	var b bytes.Buffer
	w := newWorld(t)
	logger := funcr.New(func(_, args string) { fmt.Fprintln(&b, args) }, funcr.Options{Verbosity: 10})
	w.options.Observers = []runner.Observer[*migration]{
		runner.NewLogrObserver[*migration](func(context.Context) logr.Logger { return logger }),
		runner.NewSlogObserver[*migration](slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug - 10}))),
	}
	w.end()
	assert.Contains(t, b.String(), "run done")
	assert.NotContains(t, b.String(), "reconciled")
}

// Events that need a reader are warnings, and events that repeat are logged at a finer
// level. Each line names the itinerary and what has happened.
func TestLoggersLevels(t *testing.T) {
	cause := errors.New("no space left")
	for _, tt := range []struct {
		event     runner.Event
		slog      string
		verbosity string
	}{
		{runner.ItineraryBegun{Itinerary: "Move", Phase: "Copy"},
			`level=INFO msg="itinerary begins" itinerary=Move previousItinerary="" phase=Copy failed=false`, "0"},
		{runner.RunBegun{Run: 2, From: runner.FromFailedPhase, Itinerary: "Move", Phase: "Copy",
			Previous: runner.PastRun{Result: phases.Failed}},
			`level=INFO msg="run begins again" run=2 from=` + string(runner.FromFailedPhase) +
				` itinerary=Move phase=Copy previousResult=Failed`, "0"},
		{runner.FlagEvaluated{Itinerary: "Move", Flag: "HasPVs", Value: phases.True},
			`level=DEBUG msg="flag evaluated" itinerary=Move flag=HasPVs value=yes`, "1"},
		{runner.FlagEvaluated{Itinerary: "Move", Flag: "HasPVs", Value: phases.Unknown, Err: cause},
			`level=WARN msg="flag evaluated" itinerary=Move flag=HasPVs value=unknown error="no space left"`, "0"},
		{runner.PipelineReplanned{Itinerary: "Move", Added: []string{"Volumes"}},
			`level=INFO msg="steps replanned" itinerary=Move added=[Volumes] removed=[]`, "0"},
		{runner.PhaseEntered{Itinerary: "Move", Phase: "Copy", Step: "Volumes"},
			`level=INFO msg="phase entered" itinerary=Move phase=Copy step=Volumes jumped=false`, "0"},
		{runner.PhaseWaiting{Itinerary: "Move", Phase: "Copy", Message: "3 of 7", RequeueAfter: time.Minute},
			`level=DEBUG msg="phase waits" itinerary=Move phase=Copy message="3 of 7"`, "1"},
		{runner.PhaseRetried{Itinerary: "Move", Phase: "Copy", Kind: runner.RetryHandler, Attempt: 3, Err: cause, RequeueAfter: time.Minute},
			`level=WARN msg=retrying itinerary=Move phase=Copy kind=` + string(runner.RetryHandler) +
				` flags=[] attempt=3 error="no space left" requeueAfter=1m0s`,
			"0"},
		{runner.RunStopped{Itinerary: "Move", Phase: "Copy", Err: cause},
			`level=WARN msg="run stopped" itinerary=Move phase=Copy error="no space left"`, "0"},
		{runner.SwitchHeld{Itinerary: "Undo", Phase: "Delete", Selected: "Move"},
			`level=WARN msg="selection not followed" itinerary=Undo phase=Delete selected=Move done=false`, "0"},
		{runner.PhaseExited{Itinerary: "Move", Phase: "Copy", Took: time.Second},
			`level=INFO msg="phase done" itinerary=Move phase=Copy took=1s`, "0"},
		{runner.PhaseFailed{Itinerary: "Move", Phase: "Copy", Reasons: []string{"full"}, Took: time.Second},
			`level=WARN msg="phase failed" itinerary=Move phase=Copy reasons=[full] took=1s`, "0"},
		{runner.RunFinished{Itinerary: "Move", Result: phases.Failed, Failures: 1},
			`level=INFO msg="run done" itinerary=Move result=Failed failures=1 cleanupFailures=0`, "0"},
	} {
		t.Run(fmt.Sprintf("%T", tt.event), func(t *testing.T) {
			var text, lines bytes.Buffer
			toText := slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))
			runner.NewSlogObserver[*migration](toText).Observe(context.Background(), nil, tt.event)
			assert.Contains(t, text.String(), tt.slog)
			logger := funcr.New(func(_, args string) { fmt.Fprintln(&lines, args) }, funcr.Options{Verbosity: 10})
			toLines := func(context.Context) logr.Logger { return logger }
			runner.NewLogrObserver[*migration](toLines).Observe(context.Background(), nil, tt.event)
			assert.Contains(t, lines.String(), `"level"=`+tt.verbosity+" ")
		})
	}
}

// forgetful is an observer that remembers runs by their keys.
type forgetful struct{ runs map[string]bool }

func (f *forgetful) Observe(_ context.Context, _ *migration, e runner.Event) {
	if e, ok := e.(runner.RunReconciled); ok {
		f.runs[e.Key] = true
	}
}

func (f *forgetful) Forget(key string) { delete(f.runs, key) }

type panics struct{ forgetful }

func (*panics) Forget(string) { panic("boom") }

func TestObserversForgetRunsThatAreGone(t *testing.T) {
	w := newWorld(t)
	w.options.Key = func(m *migration) string { return m.Name }
	f := &forgetful{map[string]bool{}}
	w.options.Observers = append(w.options.Observers, &panics{forgetful{map[string]bool{}}}, f)
	r := w.runner()
	for _, name := range []string{"a", "b"} {
		_, err := r.Reconcile(context.Background(), &migration{Name: name})
		require.NoError(t, err)
	}
	r.Forget("a")
	r.Forget("c")
	assert.Equal(t, map[string]bool{"b": true}, f.runs)

	adapted, err := runner.New(runner.Adapt(w.options, open))
	require.NoError(t, err)
	adapted.Forget("b")
	assert.Empty(t, f.runs)
	(*runner.Runner[*migration])(nil).Forget("a")
}
