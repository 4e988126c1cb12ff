package debug

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
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

// clock is a clock that a test moves.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time { return c.now }

// reporter keeps everything that a runner reports, without bounds.
type reporter struct {
	clock *clock
	of    map[Name][]Moment
}

func (r *reporter) Observe(_ context.Context, m *migration, e runner.Event) {
	reconciled, ok := e.(runner.RunReconciled)
	if !ok {
		return
	}
	moment := Moment{At: r.clock.now, State: *reconciled.State.DeepCopy(), Paused: reconciled.Paused}
	of := r.of[m.name()]
	if n := len(of); n > 0 && of[n-1].Paused == moment.Paused && cmp.Equal(of[n-1].State, moment.State, emptyIsNil) {
		return
	}
	r.of[m.name()] = append(of, moment)
}

// checkBounds checks that the recorder is within its bounds and has counted correctly.
func checkBounds(t *testing.T, r *Recorder) {
	t.Helper()
	require.LessOrEqual(t, len(r.runs), r.o.MaxRuns)
	total := 0
	for name, h := range r.runs {
		require.Equal(t, name, h.name)
		require.LessOrEqual(t, h.log.events, r.o.MaxEvents)
		require.LessOrEqual(t, h.size, r.o.MaxRunSize)
		require.Equal(t, weigh(r.words, &h.state), h.weight)
		require.Equal(t, h.fixed()+h.weight+cap(h.log.buf)+cap(h.flags)*flagSize, h.size)
		total += h.size
	}
	require.Equal(t, total, r.size)
	require.LessOrEqual(t, total, r.o.MaxSize)
	require.Equal(t, len(r.runs), r.live.Len()+r.done.Len())
	require.LessOrEqual(t, len(r.byKey), len(r.runs))
}

// randomMigrations returns four migrations whose handlers wait, fail and finish at random.
func randomMigrations(rnd *rand.Rand) []*migration {
	var migrations []*migration
	for i := range 4 {
		m := newMigration(fmt.Sprint("migration-", i), phases.Flags(rnd.Uint64())&mtc.Vocabulary().All())
		m.Handle = func(runner.Visit) (runner.Result, error) {
			switch rnd.IntN(10) {
			case 0:
				after := time.Duration(rnd.IntN(100)) * time.Second
				return runner.Wait(after, fmt.Sprintf("%d of 10", rnd.IntN(10)), strings.Repeat("p", rnd.IntN(200))), nil
			case 1:
				return runner.Result{}, errors.New(strings.Repeat("an error ", rnd.IntN(20)))
			case 2:
				if rnd.IntN(20) == 0 {
					return runner.Fail("broken", strings.Repeat("why ", rnd.IntN(1000))), nil
				}
			}
			return runner.Done(), nil
		}
		migrations = append(migrations, m)
	}
	return migrations
}

// In random lives, each recorded moment is one that was reported, none is missing between
// two, and the bounds hold at every step.
func TestLivesAreRecorded(t *testing.T) {
	set := itineraries(t)
	compared := 0
	for seed := range uint64(testscale.Of(6, 3)) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 3))
			c := newClock()
			o := Options{Itineraries: set, Now: c.Now, MaxRuns: 4}
			o.MaxRunSize = []int{MinRunSize, DefaultMaxRunSize}[rnd.IntN(2)]
			o.MaxEvents = []int{5, 50, 200}[rnd.IntN(3)]
			recorder := newRecorder(t, o)
			all := &reporter{clock: c, of: map[Name][]Moment{}}
			options := newOptions(set, observe(t, recorder), all)
			options.Now = c.Now
			options.Token = func(_ context.Context, m *migration) (string, runner.RunFrom, error) {
				return m.Labels["run"], runner.FromStart, nil
			}
			r, err := runner.New(options)
			require.NoError(t, err)
			migrations := randomMigrations(rnd)
			for step := range 300 {
				m := migrations[rnd.IntN(len(migrations))]
				before := m.State.DeepCopy()
				switch rnd.IntN(30) {
				case 0:
					m.Paused = !m.Paused
				case 1:
					m.Unanswered = phases.Flags(rnd.Uint64()) & mtc.Vocabulary().All()
				case 2:
					m.Unanswered = 0
				case 3:
					m.Itinerary = []string{mtc.Cancel, mtc.Rollback, mtc.Final}[rnd.IntN(3)]
				case 4:
					m.Labels = map[string]string{"run": fmt.Sprint(step)}
				case 5:
					c.now = c.now.Add(-time.Duration(rnd.IntN(1e9)))
				}
				_, _ = r.Reconcile(context.Background(), m)
				if rnd.IntN(15) == 0 {
					m.State = *before // the write failed
				}
				c.now = c.now.Add(time.Duration(rnd.IntN(1e10)))
				checkBounds(t, recorder)
				if step%5 > 0 {
					continue
				}

				got, ok := recorder.Lookup(m.name())
				require.True(t, ok)
				want := all.of[m.name()]
				if slices.ContainsFunc(got.Moments, func(m Moment) bool { return m.Cut }) {
					return // differences in cut parts are invisible
				}
				compared += len(got.Moments)
				require.Equal(t, len(want), len(got.Moments)+got.DroppedMoments)
				require.Empty(t, cmp.Diff(want[len(want)-len(got.Moments):], got.Moments, emptyIsNil), "-reported +recorded")
				for i, e := range got.Events {
					require.NotEmpty(t, e.Text)
					require.NotEmpty(t, e.Kind)
					require.Less(t, e.Moment, len(got.Moments))
					if i > 0 {
						require.LessOrEqual(t, got.Events[i-1].Moment, e.Moment)
					}
				}
			}
		})
	}
	assert.Greater(t, compared, 1000)
}

func TestOptionsAreChecked(t *testing.T) {
	_, err := NewRecorder(Options{})
	require.EqualError(t, err, "recorder options: Itineraries are missing; set those that the runs are in")
	_, err = NewRecorder(Options{Itineraries: itineraries(t), MaxRuns: -1, MaxEvents: -1, MaxRunSize: 100, MaxSize: 99})
	broken := new(OptionsError)
	require.ErrorAs(t, err, &broken)
	assert.Equal(t, []string{
		"MaxRuns is -1; it must be at least 1", "MaxEvents is -1; it must be at least 1",
		"MaxRunSize is 100; it must be at least 8192", "MaxSize is 99; it must be at least 100",
	}, broken.Problems)
}

// life is one migration with a recorder.
type life struct {
	t        *testing.T
	clock    *clock
	recorder *Recorder
	runner   *runner.Runner[*migration]
	m        *migration
}

func newLife(t *testing.T, o Options) *life {
	c := newClock()
	o.Now = c.Now
	recorder := newRecorder(t, o)
	options := newOptions(recorder.o.Itineraries, observe(t, recorder))
	options.Now = c.Now
	r, err := runner.New(options)
	require.NoError(t, err)
	return &life{t, c, recorder, r, newMigration("migration", busy)}
}

func (l *life) reconcile() error {
	_, err := l.runner.Reconcile(context.Background(), l.m)
	l.clock.now = l.clock.now.Add(10 * time.Second)
	return err
}

func (l *life) lookup() Run {
	l.t.Helper()
	run, ok := l.recorder.Lookup(l.m.name())
	require.True(l.t, ok)
	return run
}

func texts(run Run) (texts []string) {
	for _, e := range run.Events {
		text := e.Text
		if e.Count > 1 {
			text = fmt.Sprintf("%s (%d times in %s)", text, e.Count, e.Last.Sub(e.At))
		}
		texts = append(texts, text)
	}
	return texts
}

func TestRepeatedEventIsOneEvent(t *testing.T) {
	l := newLife(t, Options{})
	n := 0
	l.m.Handle = func(v runner.Visit) (runner.Result, error) {
		if v.Phase != "Started" {
			return runner.Done(), nil
		}
		switch n++; {
		case n <= 3:
			return runner.Wait(0, fmt.Sprintf("%d of 3", n)), nil
		case n <= 5:
			return runner.Result{}, errors.New("no route to host")
		case n == 6:
			return runner.Result{}, errors.New("forbidden")
		}
		return runner.Done(), nil
	}
	for range 9 {
		_ = l.reconcile()
	}
	run := l.lookup()
	assert.Equal(t, []string{
		"phase Created is done, after 10 s",
		"phase Started is entered, in step Prepare",
		"phase Started waits: 3 of 3 (3 times in 20s)",
		"phase Started is retried, attempt 2 failed: no route to host (2 times in 10s)",
		"phase Started is retried, attempt 3 failed: forbidden",
		"phase Started is done, after 1 min",
		"phase StartRefresh is entered, in step Prepare",
	}, texts(run)[19:])
	// The moments have every message.
	var messages []string
	for _, m := range run.Moments {
		messages = append(messages, m.State.Pipeline.Current().Message)
	}
	want := []string{"Created", "Started", "1 of 3", "2 of 3", "3 of 3", "no route to host", "forbidden", "StartRefresh"}
	assert.Equal(t, want, describedBy(t, messages))
}

// describedBy replaces the descriptions of phases by their names.
func describedBy(t *testing.T, messages []string) []string {
	it, err := mtc.Itinerary(mtc.Final)
	require.NoError(t, err)
	for i := range messages {
		for _, p := range it.Phases {
			if messages[i] == p.Description {
				messages[i] = p.Name
			}
		}
	}
	return messages
}

func TestEventsOfFlags(t *testing.T) {
	l := newLife(t, Options{})
	l.m.Unanswered = mtc.Quiesce
	for range 3 {
		require.Error(t, l.reconcile())
	}
	run := l.lookup()
	last := texts(run)
	assert.Contains(t, last, "flag Quiesce is unknown: list Quiesce: the API server does not answer")
	assert.Contains(t, last, "flag HasPVs is true")
	assert.Contains(t, last[len(last)-1], "the evaluation of Quiesce is retried, attempt 3 failed: ")
	assert.Equal(t, 3, run.Events[len(run.Events)-1].Count)
	assert.Equal(t, l.clock.now.Add(-10*time.Second), run.Evaluated["Quiesce"], "also if it is no event")
	assert.Equal(t, l.clock.now.Add(-10*time.Second), run.Seen)
	assert.Equal(t, run.Seen.Add(4*time.Second), run.Next)

	l.m.Unanswered = 0
	require.NoError(t, l.reconcile())
	assert.Contains(t, texts(l.lookup())[len(last):], "flag Quiesce is true")
}

func TestEventTexts(t *testing.T) {
	failed := errors.New("no\nroute\x1b[31m")
	for _, c := range []struct {
		event runner.Event
		text  string
	}{
		{runner.ItineraryBegun{Itinerary: "Final"}, "itinerary Final begins"},
		{runner.ItineraryBegun{Itinerary: "Cancel", PreviousItinerary: "Final"}, "itinerary Cancel begins; it follows Final"},
		{runner.ItineraryBegun{Itinerary: "Failed", PreviousItinerary: "Final", Phase: "Started", Failed: true},
			"itinerary Failed begins; it follows Final in phase Started, which failed"},
		{runner.RunBegun{Run: 2, Itinerary: "Final"}, "run 2 begins, with itinerary Final"},
		{runner.RunBegun{Run: 3, Itinerary: "Final", Phase: "Started"}, "run 3 begins, with itinerary Final, in phase Started"},
		{runner.FlagEvaluated{Flag: "HasPVs", Value: phases.False}, "flag HasPVs is false"},
		{runner.FlagEvaluated{Flag: "HasPVs", Value: phases.Unknown}, "flag HasPVs is not known yet"},
		{runner.FlagEvaluated{Flag: "HasPVs", Value: phases.Unknown, Err: failed, LeftBehind: true},
			"flag HasPVs is unknown: no route\ufffd[31m; its source did not return in time and was left behind"},
		{runner.PipelineReplanned{Added: []string{"A", "B"}, Removed: []string{"C"}}, "will now also run: A, B; will no longer run: C"},
		{runner.PipelineReplanned{Removed: []string{"C"}}, "will no longer run: C"},
		{runner.PhaseEntered{Phase: "Started", Step: "Prepare", Jumped: true}, "phase Started is entered by a jump, in step Prepare"},
		{runner.PhaseWaiting{Phase: "Started"}, "phase Started waits"},
		{runner.PhaseRetried{Phase: "Started", Kind: runner.RetryHandler, Err: failed, Attempt: 2}, "phase Started is retried, attempt 2 failed: no route\ufffd[31m"},
		{runner.PhaseRetried{Phase: "Started", Kind: runner.RetryFlags, Flags: []string{"A", "B"}, Err: failed, Attempt: 1},
			"the evaluation of A, B is retried, attempt 1 failed: no route\ufffd[31m"},
		{runner.PhaseRetried{Kind: runner.RetryOptions, Err: failed, Attempt: 1}, "the reconcile is retried, attempt 1 failed: no route\ufffd[31m"},
		{runner.RunStopped{Phase: "Started", Err: failed}, "the run is stopped in phase Started: no route\ufffd[31m"},
		{runner.SwitchHeld{Itinerary: "Cancel", Selected: "Final"}, "itinerary Final is selected but not entered, because cleanup itinerary Cancel has begun"},
		{runner.SwitchHeld{Itinerary: "Stage", Selected: "Final", Done: true}, "itinerary Final is selected but not entered, because the run is done"},
		{runner.PhaseExited{Phase: "Started", Took: 200 * time.Second}, "phase Started is done, after 3 min"},
		{runner.PhaseFailed{Phase: "Started", Took: time.Second, Reasons: []string{"a", "b"}}, "phase Started has failed, after 1 s: a; b"},
		{runner.RunFinished{Result: phases.Failed, Failures: 1, CleanupFailures: 2}, "the run is done: Failed, failed phases: 1, failed phases in cleanup: 2"},
	} {
		n := newEntry(c.event)
		assert.Equal(t, c.text, n.text())
		assert.Equal(t, fmt.Sprintf("%T", c.event), "runner."+eventKinds[n.kind].name)
	}
}

// The oldest records are dropped first, and counted.
func TestRecorderDropsOldestFirst(t *testing.T) {
	l := newLife(t, Options{MaxEvents: 10})
	run(t, l.runner, l.m)
	got := l.lookup()
	assert.Len(t, got.Events, 10)
	assert.Equal(t, 96, got.DroppedEvents)
	assert.Equal(t, 44, len(got.Moments)+got.DroppedMoments)
	assert.Equal(t, "the run is done: Succeeded", got.Events[9].Text)
	assert.Equal(t, len(got.Moments)-1, got.Events[9].Moment)
	assert.True(t, got.Last().State.Done)

	// Without room for any difference, the latest moment remains.
	h := l.recorder.runs[l.m.name()]
	h.log.trim(0)
	got = l.lookup()
	assert.Len(t, got.Moments, 1)
	assert.Equal(t, 43, got.DroppedMoments)
	assert.Empty(t, got.Events)
	assert.Equal(t, l.m.State.Pipeline, got.Last().State.Pipeline)
}

func TestRunsThatAreDoneAreDroppedFirst(t *testing.T) {
	c := newClock()
	r := newRecorder(t, Options{MaxRuns: 3, Now: c.Now})
	names := func() (names []string) {
		runs, _ := r.Runs()
		for _, run := range runs {
			names = append(names, run.Name.Name)
		}
		return names
	}
	live := runner.State{Checkpoint: machine.Checkpoint{Itinerary: mtc.Final, Phase: "Started"}}
	done := runner.State{Checkpoint: machine.Checkpoint{Itinerary: mtc.Final, Phase: "Completed", Done: true}}
	r.Record(Name{Name: "a"}, live, false)
	r.Record(Name{Name: "b"}, done, false)
	r.Record(Name{Name: "c"}, live, false)
	r.Record(Name{Name: "a"}, live, false) // seen again
	r.Record(Name{Name: "d"}, live, false)
	assert.Equal(t, []string{"a", "c", "d"}, names(), "b is done")
	r.Record(Name{Name: "e"}, live, false)
	assert.Equal(t, []string{"a", "d", "e"}, names(), "c was seen longest ago")
	r.Record(Name{Name: "f"}, done, false)
	assert.Equal(t, []string{"a", "d", "e"}, names(), "f is done")
	r.Record(Name{Name: "a"}, done, false)
	r.Record(Name{Name: "f"}, live, false)
	runs, dropped := r.Runs()
	assert.Equal(t, []string{"d", "e", "f"}, names(), "a is done now")
	assert.Len(t, runs, 3)
	assert.Equal(t, 4, dropped)
	checkBounds(t, r)
}

func TestMaxSizeBoundsAllRuns(t *testing.T) {
	l := newLife(t, Options{MaxSize: 50 << 10})
	for i := range 30 {
		l.m = newMigration(fmt.Sprint("migration-", i), busy)
		run(t, l.runner, l.m)
		checkBounds(t, l.recorder)
	}
	runs, dropped := l.recorder.Runs()
	assert.Equal(t, 30, len(runs)+dropped)
	assert.Greater(t, len(runs), 5)
}

// A restarted controller sees runs that do not change.
func TestRunIsRecordedWhenFirstSeen(t *testing.T) {
	l := newLife(t, Options{})
	run(t, newRunner(t, l.recorder.o.Itineraries), l.m)
	require.NoError(t, l.reconcile())
	got := l.lookup()
	assert.Len(t, got.Moments, 1)
	assert.Empty(t, got.Events)
	assert.True(t, got.Last().State.Done)
}

// The recorder follows a reconcile that reads the object as it was before the last write,
// because that write failed.
func TestFailedWriteIsRecorded(t *testing.T) {
	l := newLife(t, Options{})
	require.NoError(t, l.reconcile())
	before := l.m.State.DeepCopy()
	require.NoError(t, l.reconcile())
	l.m.State = *before
	l.m.Paused = true
	require.NoError(t, l.reconcile())
	require.NoError(t, l.reconcile())
	got := l.lookup()
	assert.Len(t, got.Moments, 3)
	assert.Equal(t, "Created", got.Last().State.Phase)
	assert.True(t, got.Last().Paused)
	assert.NotNil(t, got.Last().State.PausedSince)
	assert.False(t, got.Moments[1].Paused)
}

// large returns a state with about size bytes of texts.
func large(size int) runner.State {
	facts := mtc.Vocabulary().Record(phases.Facts{}, "hash")
	s := runner.State{Checkpoint: machine.Checkpoint{Itinerary: mtc.Final, Phase: "EnsureStageBackup", Facts: facts}, Visit: 30}
	for i := range 12 {
		s.Pipeline = append(s.Pipeline, steps.Step{
			Name: fmt.Sprint("Step", i), Message: strings.Repeat("m", 100), Progress: []string{strings.Repeat("p", 900)},
			Started: &metav1.Time{Time: time.Unix(1e9, 0)},
		})
	}
	s.Pipeline[5].Phase = "EnsureStageBackup"
	for n := 0; n < size; n += 1000 {
		reasons := []string{strings.Repeat("r", 1000)}
		s.Failures = append(s.Failures, runner.Failure{Itinerary: mtc.Final, Phase: "Started", Reasons: reasons, Visit: int64(n)})
	}
	return s
}

func TestLargeStateIsCut(t *testing.T) {
	c := newClock()
	r := newRecorder(t, Options{Now: c.Now})
	n := Name{Name: "a"}
	r.Record(n, runner.State{Checkpoint: machine.Checkpoint{Itinerary: mtc.Final}}, false)
	for i := range 5 {
		s := large(60_000)
		s.Visit += int64(i)
		r.Record(n, s, false)
		checkBounds(t, r)
		r.Record(n, s, false) // an unchanged state is no new moment
		got, ok := r.Lookup(n)
		require.True(t, ok)
		last := got.Last()
		assert.True(t, last.Cut)
		assert.Equal(t, i+2, len(got.Moments)+got.DroppedMoments)
		assert.Equal(t, s.Checkpoint, last.State.Checkpoint)
		assert.Equal(t, s.Visit, last.State.Visit)
		require.Len(t, last.State.Pipeline, len(s.Pipeline))
		assert.Equal(t, "EnsureStageBackup", last.State.Pipeline.Current().Phase)
		assert.NotEmpty(t, last.State.Failures, "the last one is kept")
	}
	small := runner.State{Checkpoint: machine.Checkpoint{Itinerary: mtc.Final, Phase: "Started"}}
	r.Record(n, small, false)
	got, _ := r.Lookup(n)
	assert.False(t, got.Last().Cut)
	assert.Empty(t, cmp.Diff(small, got.Last().State, emptyIsNil))
	checkBounds(t, r)
}

// Names and texts from users cause no panic and no large history.
func TestHostileStatesAreBounded(t *testing.T) {
	long := strings.Repeat("\xff<script>\x00", 100_000)
	many := make([]string, 50_000)
	for i := range many {
		many[i] = fmt.Sprint("flag", i)
	}
	var pipeline steps.Pipeline
	for i := range 5000 {
		pipeline = append(pipeline, steps.Step{
			Name: fmt.Sprint("step", i), Started: &metav1.Time{}, Completed: &metav1.Time{Time: time.Unix(1, 0)},
		})
	}
	pipeline[4000].Completed, pipeline[4000].Phase = nil, "here"
	pipeline[4000].Started = &metav1.Time{Time: time.Unix(1, 0)}
	states := map[string]runner.State{
		"long names":    {Checkpoint: machine.Checkpoint{Itinerary: long, Phase: long, Step: long, Choice: long}, SwitchHeld: long, Result: phases.Result(long)},
		"long texts":    {Retry: &runner.Retry{Error: long, Flags: []string{long}}, Stopped: &runner.Stop{Error: long}, Token: &long},
		"many facts":    {Checkpoint: machine.Checkpoint{Phase: "Started", Facts: phases.Record{Hash: long, True: many, False: many, Unknown: many}}},
		"many steps":    {Pipeline: pipeline},
		"a long step":   {Pipeline: steps.Pipeline{{Name: long, Phase: long, Message: long, Progress: many}}},
		"many failures": {Failures: make([]runner.Failure, 10_000), Switches: make([]runner.Switch, 10_000), Runs: make([]runner.PastRun, 10_000)},
		"times":         {Entered: &metav1.Time{Time: time.Unix(1<<60, 0)}, PausedSince: &metav1.Time{}, Visit: -1 << 63, PausedSeconds: 1<<63 - 1},
	}
	for name, s := range states {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{MinRunSize, DefaultMaxRunSize} {
				r := newRecorder(t, Options{MaxRunSize: size})
				n := Name{Namespace: strings.Repeat("n", 300), Name: strings.Repeat("m", 300), Item: strings.Repeat("i", 400)}
				for i := range 3 {
					s := *s.DeepCopy()
					s.Run = int64(i)
					r.Record(n, s, false)
					checkBounds(t, r)
					got, ok := r.Lookup(n)
					require.True(t, ok)
					assert.Equal(t, s.Run, got.Last().State.Run)
					r.Plan(got.Last())
					if name == "many steps" {
						require.NotNil(t, got.Last().State.Pipeline.Current())
						assert.Equal(t, "here", got.Last().State.Pipeline.Current().Phase)
					}
				}
			}
		})
	}
	r := newRecorder(t, Options{})
	r.Record(Name{Name: long}, runner.State{}, false)
	runs, _ := r.Runs()
	assert.Empty(t, runs, "a name that is too long")
}

func TestHostileEventsAreBounded(t *testing.T) {
	long := strings.Repeat("\xff<b>\x1b[31m\n\u202e", 200_000)
	list := []string{long, long}
	r := newRecorder(t, Options{})
	o := observe(t, r)
	m := newMigration("a", busy)
	o.Observe(context.Background(), m, runner.RunReconciled{State: &m.State})
	for i := range 300 {
		err := fmt.Errorf("%d %s", i, long)
		for _, e := range []runner.Event{
			runner.ItineraryBegun{Itinerary: long, PreviousItinerary: long, Phase: long}, runner.RunBegun{Itinerary: long, Phase: long},
			runner.FlagEvaluated{Flag: long, Err: err}, runner.PipelineReplanned{Added: list, Removed: list}, runner.PhaseEntered{Phase: long, Step: long},
			runner.PhaseWaiting{Phase: long, Message: long}, runner.PhaseRetried{Phase: long, Flags: list, Err: err}, runner.RunStopped{Phase: long, Err: err},
			runner.SwitchHeld{Itinerary: long, Selected: long}, runner.PhaseExited{Phase: long, Took: -1 << 63}, runner.PhaseFailed{Phase: long, Reasons: list},
			runner.RunFinished{Itinerary: long, Result: phases.Result(long)},
		}[i%12 : i%12+1] {
			o.Observe(context.Background(), m, e)
		}
		checkBounds(t, r)
	}
	got, ok := r.Lookup(m.name())
	require.True(t, ok)
	assert.Greater(t, len(got.Events), 5)
	for _, e := range got.Events {
		assert.True(t, utf8.ValidString(e.Text))
		assert.LessOrEqual(t, len(e.Text), 4*3*maxText)
		unprintable := func(r rune) bool { return !unicode.IsPrint(r) && r != unicode.ReplacementChar }
		assert.Equal(t, -1, strings.IndexFunc(e.Text, unprintable), "%q", e.Text)
	}
}

// The counted sizes match those of the garbage collector.
func TestSizesMatchTheGarbageCollector(t *testing.T) {
	set := itineraries(t)
	var events []runner.Event
	m := newMigration("migration", busy)
	n := 0
	m.Handle = func(runner.Visit) (runner.Result, error) {
		if n++; n%3 > 0 {
			return runner.Wait(0, fmt.Sprintf("%d items of %d", n, 1000*n)), nil
		}
		return runner.Done(), nil
	}
	run(t, newRunner(t, set, runner.ObserverFunc[*migration](func(_ context.Context, _ *migration, e runner.Event) {
		if reconciled, is := e.(runner.RunReconciled); is {
			reconciled.State = reconciled.State.DeepCopy()
			e = reconciled
		}
		events = append(events, e)
	})), m)

	var before, after runtime.MemStats
	r := newRecorder(t, Options{Itineraries: set, MaxRunSize: 16 << 10, MaxSize: 16 << 20})
	runtime.GC()
	runtime.ReadMemStats(&before)
	o := observe(t, r)
	for i := range 1050 {
		m := newMigration(fmt.Sprint("migration-", i), busy)
		for _, e := range events {
			o.Observe(context.Background(), m, e)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	heap := int(after.HeapAlloc) - int(before.HeapAlloc)
	t.Logf("%d runs: counted %d, on the heap %d", len(r.runs), r.size, heap)
	assert.Len(t, r.runs, 1000)
	assert.InEpsilon(t, r.size, heap, 0.2)
	runtime.KeepAlive(r)
}

func TestPlan(t *testing.T) {
	l := newLife(t, Options{})
	for range 3 {
		require.NoError(t, l.reconcile())
	}
	plan := l.recorder.Plan(l.lookup().Last())
	require.NotNil(t, plan)
	assert.Equal(t, "StartRefresh", plan.Position().Phase)
	assert.Equal(t, busy, plan.Facts().True())
	for _, c := range []machine.Checkpoint{{Itinerary: "Unknown"}, {Itinerary: mtc.Final, Phase: "Unknown"}, {}} {
		assert.Nil(t, l.recorder.Plan(Moment{State: runner.State{Checkpoint: c}}))
	}
	assert.NotNil(t, l.recorder.Plan(Moment{State: runner.State{Checkpoint: machine.Checkpoint{Itinerary: mtc.Final, Done: true}}}))
}

// item is an item of an object that has many runs.
type item struct {
	object *migration
	key    string
}

func (i item) RunName() (namespace, name, item string) {
	return i.object.Namespace, i.object.Name, i.key
}

func TestNames(t *testing.T) {
	r := newRecorder(t, Options{})
	of, err := NewObserver[item](r, nil)
	require.NoError(t, err)
	object := newMigration("plan", busy)
	of.Observe(context.Background(), item{object, "vm-1"}, runner.RunReconciled{State: &runner.State{}})
	runs, _ := r.Runs()
	require.Len(t, runs, 1)
	assert.Equal(t, Name{"openshift-migration", "plan", "vm-1"}, runs[0].Name)
	assert.Equal(t, "openshift-migration/plan[vm-1]", runs[0].Name.String())

	_, err = NewObserver[*int](r, nil)
	unnamed := new(UnnamedTypeError)
	require.ErrorAs(t, err, &unnamed)
	assert.EqualError(t, err, "*int has neither a method RunName nor the methods GetNamespace and GetName; "+
		"give a function that returns the name of a run")
	_, err = NewObserver(r, func(*int) Name { return Name{Name: "one"} })
	require.NoError(t, err)
	_, err = NewObserver[metav1.Object](r, nil)
	require.NoError(t, err, "an interface")
}

func TestForgetByKey(t *testing.T) {
	set := itineraries(t)
	r := newRecorder(t, Options{Itineraries: set})
	o := observe(t, r)
	forget := o.(interface{ Forget(key string) })
	runner := newRunner(t, set, o)
	for _, name := range []string{"a", "b"} {
		_, err := runner.Reconcile(context.Background(), newMigration(name, busy))
		require.NoError(t, err)
	}
	forget.Forget("")
	forget.Forget("another")
	observe(t, r).(interface{ Forget(key string) }).Forget("uid of a") // of another runner
	assert.Len(t, r.runs, 2)
	forget.Forget("uid of a")
	_, ok := r.Lookup(Name{"openshift-migration", "a", ""})
	assert.False(t, ok)
	r.Forget(Name{"openshift-migration", "b", ""})
	r.Forget(Name{"openshift-migration", "c", ""})
	checkBounds(t, r)
	assert.Empty(t, r.runs)
	assert.Empty(t, r.byKey)
	assert.Zero(t, r.size)

	// A recreated object of the same name has another key.
	m := newMigration("a", busy)
	_, _ = runner.Reconcile(context.Background(), m)
	m.UID = "another"
	_, _ = runner.Reconcile(context.Background(), m)
	forget.Forget("uid of a")
	assert.Len(t, r.runs, 1)
	forget.Forget("another")
	assert.Empty(t, r.runs)
}

func TestRunWithoutMomentIsNotShown(t *testing.T) {
	r := newRecorder(t, Options{})
	m := newMigration("a", busy)
	observe(t, r).Observe(context.Background(), m, runner.PhaseEntered{Phase: "Started"})
	runs, dropped := r.Runs()
	assert.Empty(t, runs)
	assert.Zero(t, dropped)
	_, ok := r.Lookup(m.name())
	assert.False(t, ok)
	assert.Equal(t, Moment{}, Run{}.Last())
}

// Events belong to the latest moment until their reconcile ends.
func TestEventsOfTheMomentBefore(t *testing.T) {
	r := newRecorder(t, Options{})
	o := observe(t, r)
	m := newMigration("a", busy)
	ctx := context.Background()
	moments := func() (at []int) {
		run, _ := r.Lookup(m.name())
		for _, e := range run.Events {
			at = append(at, e.Moment)
		}
		return at
	}
	o.Observe(ctx, m, runner.PhaseEntered{Phase: "Created"})
	o.Observe(ctx, m, runner.RunReconciled{State: &runner.State{Visit: 1}, Changed: true})
	o.Observe(ctx, m, runner.PhaseWaiting{Phase: "Created"})
	assert.Equal(t, []int{0, 0}, moments())
	o.Observe(ctx, m, runner.RunReconciled{State: &runner.State{Visit: 1}})
	o.Observe(ctx, m, runner.PhaseExited{Phase: "Created"})
	o.Observe(ctx, m, runner.RunReconciled{State: &runner.State{Visit: 2}, Changed: true})
	assert.Equal(t, []int{0, 0, 1}, moments())
}

func TestWatch(t *testing.T) {
	r := newRecorder(t, Options{})
	a, b := Name{Name: "a"}, Name{Name: "b"}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	all, one, other := r.Watch(ctx, nil), r.Watch(ctx, &a), r.Watch(ctx, &b)
	woken := func(c <-chan struct{}) bool {
		select {
		case _, ok := <-c:
			return ok
		default:
			return false
		}
	}
	r.Record(a, runner.State{Visit: 1}, false)
	r.Record(a, runner.State{Visit: 2}, false)
	assert.True(t, woken(all))
	assert.False(t, woken(all), "two changes are one")
	assert.True(t, woken(one))
	assert.False(t, woken(other))
	r.Record(a, runner.State{Visit: 2}, false)
	assert.False(t, woken(one), "nothing has changed")
	r.Forget(a)
	assert.True(t, woken(one))
	cancel()
	for _, c := range []<-chan struct{}{all, one, other} {
		for range c { // until it is closed
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	assert.Empty(t, r.watchers.ofAll)
	assert.Empty(t, r.watchers.of)
}

func TestConcurrentUse(t *testing.T) {
	set := itineraries(t)
	r := newRecorder(t, Options{Itineraries: set, MaxRuns: 5})
	o := observe(t, r)
	ctx, cancel := context.WithCancel(context.Background())
	var writers, readers sync.WaitGroup
	for i := range 8 {
		writers.Add(1)
		go func() {
			defer writers.Done()
			r := newRunner(t, set, o) // a runner handles one object at a time
			for k := range 3 {
				m := newMigration(fmt.Sprint("migration-", (i+k)%8), busy)
				for !m.State.Done {
					if _, err := r.Reconcile(ctx, m); err != nil {
						return
					}
				}
				if k == 2 {
					o.(interface{ Forget(key string) }).Forget(string(m.UID))
				}
			}
		}()
	}
	for i := range 4 {
		readers.Add(1)
		go func() {
			defer readers.Done()
			n := Name{"openshift-migration", fmt.Sprint("migration-", i), ""}
			for range r.Watch(ctx, &n) {
				runs, _ := r.Runs()
				for _, run := range runs {
					r.Plan(run.Last())
				}
				if run, ok := r.Lookup(n); ok {
					run.Moments[0].State.Pipeline = nil // the reader owns its copy
				}
			}
		}()
	}
	writers.Wait()
	cancel()
	readers.Wait()
	checkBounds(t, r)
}
