package runner_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
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

// everywhere returns a controller of MTC's itineraries with one handler for all phases
// and flags that are all true.
func everywhere(t *testing.T, selected string, handler func() (runner.Result, error),
	options ...func(o *runner.Options[*migration])) (*runner.Runner[*migration], *migration, *time.Time) {
	now := new(time.Time)
	*now = time.Unix(1_700_000_000, 0)
	m := new(migration)
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
			for flag := range mtc.Vocabulary().All().Each {
				all = append(all, phases.SourceOf(flag, phases.True))
			}
			return phases.NewSources(mtc.Vocabulary(), all...)
		},
		Storage: runner.Storage[*migration]{
			Read:  func(_ context.Context, m *migration) (runner.State, error) { return *m.State.DeepCopy(), nil },
			Write: func(_ context.Context, m *migration, s runner.State) error { m.State = s; return nil },
		},
		Now:     func() time.Time { return *now },
		Handler: runner.HandlerFunc[*migration](func(context.Context, *migration) (runner.Result, error) { return handler() }),
	}
	for _, set := range options {
		set(&o)
	}
	r, err := runner.New(o)
	require.NoError(t, err)
	return r, m, now
}

// text returns a text of a random kind and length, hostile ones included.
func text(r *rand.Rand) string {
	pieces := []string{"a", "<&>", "\x00", "\xff", "\"\\", "\n", "é", "界", "\u2028", "👩‍👩‍👧", " "}
	length := []int{0, 1, 20, 1000, 1024, 1025, 5000, 200_000}[r.IntN(8)]
	var b strings.Builder
	for b.Len() < length {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

func texts(r *rand.Rand) []string {
	all := make([]string, []int{0, 1, 3, 40, 3000}[r.IntN(5)])
	long := text(r)
	for i := range all {
		if r.IntN(3) == 0 {
			all[i] = long
		} else {
			all[i] = fmt.Sprint("line ", i)
		}
	}
	return all
}

// maxState is the maximum size of a state of MTC's Final.
const maxState = 64 << 10

// Whatever handlers return, the state of MTC's itineraries stays below 64 KiB, JSON
// keeps its texts, and bounding it again changes nothing.
func TestStateSizeIsBounded(t *testing.T) {
	for seed := range uint64(testscale.Of(40, 8)) {
		random := rand.New(rand.NewPCG(seed, 0))
		selected := []string{mtc.Final, mtc.Stage, mtc.Cancel, mtc.Rollback}[random.IntN(4)]
		failAt := random.IntN(80)
		calls := 0
		r, m, now := everywhere(t, selected, func() (runner.Result, error) {
			calls++
			switch n := random.IntN(4); {
			case calls == failAt:
				return runner.Fail(texts(random)...), nil
			case n == 0:
				return runner.Wait(time.Second, text(random), texts(random)...), nil
			case n == 1:
				return runner.Result{}, fmt.Errorf("error: %s", text(random))
			case n == 2 && (selected == mtc.Cancel || selected == mtc.Rollback):
				return runner.Fail(texts(random)...), nil
			}
			return runner.Done(), nil
		})
		for n := 0; !m.State.Done; n++ {
			require.Less(t, n, 2000)
			_, _ = r.Reconcile(context.Background(), m)
			*now = now.Add(time.Second)
			b, err := json.Marshal(m.State)
			require.NoError(t, err)
			require.Less(t, len(b), maxState, "seed %d", seed)
			require.True(t, utf8.Valid(b))
			var back runner.State
			require.NoError(t, json.Unmarshal(b, &back))
			require.Empty(t, cmp.Diff(m.State, back), "seed %d: the state is read back as it was written", seed)
			m.State = back
		}
		b, err := json.Marshal(m.State)
		require.NoError(t, err)
		_, err = r.Reconcile(context.Background(), m)
		require.NoError(t, err)
		again, err := json.Marshal(m.State)
		require.NoError(t, err)
		require.JSONEq(t, string(b), string(again), "seed %d", seed)
	}
}

// hostile returns a handler that returns random results, the same for each seed.
func hostile(seed uint64) func() (runner.Result, error) {
	random := rand.New(rand.NewPCG(seed, 0))
	return func() (runner.Result, error) {
		switch random.IntN(12) {
		case 0:
			return runner.Fail(texts(random)...), nil
		case 1, 2, 3:
			return runner.Wait(time.Second, text(random), texts(random)...), nil
		case 4, 5:
			return runner.Result{}, errors.New(text(random))
		}
		return runner.Done(), nil
	}
}

// withoutTexts returns the state without what may be cut.
func withoutTexts(s runner.State) runner.State {
	s = *s.DeepCopy()
	s.Failures, s.Switches, s.Dropped = nil, nil, nil
	if s.Retry != nil {
		s.Retry.Error = ""
	}
	for i := range s.Pipeline {
		s.Pipeline[i].Progress = nil
		if s.Pipeline[i].Completed == nil {
			s.Pipeline[i].Message = ""
		}
	}
	return s
}

// Whatever handlers return, a state is within its limit as far as its texts allow.
// Without texts, it is the same as that of a run without a limit.
func TestStateIsWithinMaxState(t *testing.T) {
	least := 0
	for seed := range uint64(24) {
		free, want, clock := everywhere(t, mtc.Final, hostile(seed))
		var err error
		if least, err = free.MinState(); err != nil {
			t.Fatal(err)
		}
		limit := []int{1, least, least + 600, 8 << 10}[seed%4]
		limited, m, now := everywhere(t, mtc.Final, hostile(seed), func(o *runner.Options[*migration]) {
			o.MaxState = func(*migration) int { return limit }
		})
		for n := 0; !want.State.Done; n++ {
			require.Less(t, n, 2000)
			_, _ = free.Reconcile(context.Background(), want)
			_, _ = limited.Reconcile(context.Background(), m)
			*clock, *now = clock.Add(time.Second), now.Add(time.Second)
			b, err := json.Marshal(m.State)
			require.NoError(t, err)
			require.LessOrEqual(t, len(b), max(limit, least+600), "seed %d: %s", seed, b)
			require.Empty(t, cmp.Diff(withoutTexts(want.State), withoutTexts(m.State)), "seed %d", seed)
			if failures := want.State.Failures; len(failures) > 0 {
				is, last := m.State.Failures[len(m.State.Failures)-1], failures[len(failures)-1]
				is.Reasons, last.Reasons = nil, nil
				require.Empty(t, cmp.Diff(last, is), "the last failure is kept")
			}
			var back runner.State
			require.NoError(t, json.Unmarshal(b, &back))
			require.Empty(t, cmp.Diff(m.State, back))
			m.State = back
		}
		assert.True(t, m.State.Done)
	}
	assert.Less(t, least, 4<<10, "the itineraries of MTC without texts")
}

// An error that lasts is recognized although the state has only its beginning: it is
// neither written again with each attempt nor reported again.
func TestCutTextIsRecognized(t *testing.T) {
	long := strings.Repeat("connection refused ", 1000)
	for name, c := range map[string]struct {
		result func() (runner.Result, error)
		stops  int
	}{
		"an error":                  {func() (runner.Result, error) { return runner.Result{}, errors.New(long) }, 0},
		"a failure without a reply": {func() (runner.Result, error) { return runner.Fail(long, "and", long), nil }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			for _, add := range []int{0, 100, 500, 1000, 2000, 5000} {
				stops := 0
				r, m, now := everywhere(t, mtc.Final, c.result, func(o *runner.Options[*migration]) {
					o.Select = func(context.Context, *migration) (string, error) { return mtc.Final, nil }
					o.Key = func(*migration) string { return "a" }
					o.Backoff = runner.Backoff{Initial: 20 * time.Second, Max: 20 * time.Second}
					free, err := runner.New(*o)
					require.NoError(t, err)
					least, err := free.MinState()
					require.NoError(t, err)
					o.MaxState = func(*migration) int { return least + add }
					o.Observers = []runner.Observer[*migration]{runner.ObserverFunc[*migration](
						func(_ context.Context, _ *migration, e runner.Event) {
							if _, ok := e.(runner.RunStopped); ok {
								stops++
							}
						})}
				})
				for range 3 {
					_, _ = r.Reconcile(context.Background(), m)
				}
				was := *m.State.DeepCopy()
				for range 5 {
					*now = now.Add(time.Second)
					out, err := r.Reconcile(context.Background(), m)
					require.Error(t, err)
					require.False(t, out.Changed, cmp.Diff(was, m.State))
				}
				assert.Equal(t, c.stops, stops)
			}
		})
	}
}

// Observers and the handler's error have the whole text.
func TestObserversReceiveWholeText(t *testing.T) {
	long := strings.Repeat("r", 2<<20)
	w := atCopy(t, runner.Phase[*migration]{}, func() (runner.Result, error) { return runner.Fail(long), nil })
	failed := listen[runner.PhaseFailed](w)
	_, err := w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, []string{long}, (*failed)[0].Reasons)
	reason := w.m.State.Failures[0].Reasons[0]
	assert.Equal(t, strings.Repeat("r", runner.MaxText-3)+"...", reason)
	assert.Equal(t, []string{reason}, w.m.Errors, "the failure for OnFail is also bounded")
}

func TestFailureWithThousandsOfReasons(t *testing.T) {
	reasons := make([]string, 3000)
	for i := range reasons {
		reasons[i] = fmt.Sprintf("pod-%04d is not ready", i)
	}
	w := atCopy(t, runner.Phase[*migration]{}, func() (runner.Result, error) { return runner.Fail(reasons...), nil })
	_, err := w.reconcile()
	require.NoError(t, err)
	kept := w.m.State.Failures[0].Reasons
	n := len(kept) - 1
	assert.Greater(t, n, 100)
	assert.Equal(t, reasons[:n], kept[:n])
	assert.Equal(t, fmt.Sprintf("... and %d more", 3000-n), kept[n])
	assert.Equal(t, "CleanUp", w.m.State.Itinerary)
}

// If a phase in a loop fails and is passed by repeatedly, the failures are cut to one
// line, then dropped and counted. The newest is always whole.
func TestFailuresOfLoopAreBounded(t *testing.T) {
	w := newWorld(t)
	w.options.Itineraries = machine.MustCompileSet(phases.Itinerary{Name: "Loop", Vocabulary: vocabulary, Cleanup: true,
		Phases: []phases.Phase{
			{Name: "Try", Step: "Data", Decides: volumes, Jumps: []phases.Jump{{To: "Try", Guard: phases.Guard{All: volumes}}}},
			{Name: "Last", Step: "Report"},
		}})
	w.options.Select = func(context.Context, *migration) (string, error) { return "Loop", nil }
	w.options.OnFail = nil
	w.options.Observers = nil
	turns := 0
	w.options.Phases = map[string]runner.Phase[*migration]{"Last": w.options.Phases["Last"],
		"Try": {Handler: runner.HandlerFunc[*migration](
			func(context.Context, *migration) (runner.Result, error) {
				turns++
				return runner.Fail(fmt.Sprintf("turn %d", turns), "the registry answered 503"), nil
			})}}
	r := w.runner()
	most := testscale.Of(20_000, 4_000)
	for turns < most {
		_, err := r.Reconcile(context.Background(), w.m)
		require.NoError(t, err)
		if turns%(most/10) == 0 {
			b, err := json.Marshal(w.m.State)
			require.NoError(t, err)
			require.Less(t, len(b), 20<<10)
		}
	}
	kept := w.m.State.Failures
	assert.Equal(t, int64(most), w.m.State.FailedInCleanup)
	assert.Equal(t, int64(most-len(kept)), w.m.State.Dropped.Failures)
	assert.Equal(t, []string{fmt.Sprintf("turn %d", most), "the registry answered 503"}, kept[len(kept)-1].Reasons)
	assert.Len(t, kept[0].Reasons, 1)
}

func TestSwitchesAreBounded(t *testing.T) {
	w := ends(t)
	selected := "Move"
	w.options.Select = func(context.Context, *migration) (string, error) { return selected, nil }
	w.handle(func(string) runner.Result { return runner.Wait(time.Minute, "") })
	for i := range 100 {
		selected = []string{"Move", "Other"}[i%2]
		_, err := w.reconcile()
		require.NoError(t, err)
	}
	assert.Len(t, w.m.State.Switches, runner.MaxSwitches)
	assert.Equal(t, int64(99-runner.MaxSwitches), w.m.State.Dropped.Switches)
	assert.Equal(t, w.now.Unix(), w.m.State.Switches[runner.MaxSwitches-1].At.Unix(), "the newest are kept")
}

// forged returns states that a user can write, with numbers, times and texts out of
// range.
func forged() map[string]string {
	huge := strings.Repeat("x", 1<<20)
	return map[string]string{
		"attempts": `{"itinerary":"Move","phase":"Copy","retry":{"attempts":9000000000000000000,"error":"e","since":"2000-01-01T00:00:00Z","at":"2000-01-01T00:00:00Z"}}`,
		"negative": `{"itinerary":"Move","phase":"Copy","visit":-9000000000000000000,"pausedSeconds":-9000000000000000000,` +
			`"failedPhases":-1,"failedInCleanup":-5,"dropped":{"failures":-1},"retry":{"attempts":-7}}`,
		"numbers": `{"itinerary":"Move","phase":"Copy","visit":9223372036854775807,"pausedSeconds":9223372036854775807,` +
			`"failedPhases":9223372036854775807,"dropped":{"failures":9223372036854775807}}`,
		"the far future": `{"itinerary":"Move","phase":"Copy","entered":"9999-12-31T23:59:59Z","waitingSince":"9999-12-31T23:59:59Z",` +
			`"pausedSince":"9999-12-31T23:59:59Z","flagsEvaluated":"9999-12-31T23:59:59Z","retry":{"since":"9999-12-31T23:59:59Z",` +
			`"at":"9999-12-31T23:59:59Z"}}`,
		"the far past": `{"itinerary":"Move","phase":"Copy","entered":"0001-01-01T00:00:00Z","pausedSince":"0001-01-01T00:00:00Z"}`,
		"zero times": `{"itinerary":"Move","phase":"Copy","entered":"0001-01-01T00:00:00Z","deadline":"0001-01-01T00:00:00Z",` +
			`"notBefore":"0001-01-01T00:00:00Z","waitingSince":"0001-01-01T00:00:00Z","flagsEvaluated":"0001-01-01T00:00:00Z",` +
			`"runStarted":"0001-01-01T00:00:00Z","pipeline":[{"name":"Data","started":"0001-01-01T00:00:00Z"}],` +
			`"failures":[{"itinerary":"Move","phase":"Copy","at":"0001-01-01T00:00:00Z"}],` +
			`"switches":[{"from":"A","to":"Move","reason":"Selected","at":"0001-01-01T00:00:00Z"}],` +
			`"runs":[{"started":"0001-01-01T00:00:00Z","ended":"0001-01-01T00:00:00Z"}],` +
			`"retry":{"error":"e","since":"0001-01-01T00:00:00Z","at":"0001-01-01T00:00:00Z","next":"0001-01-01T00:00:00Z"}}`,
		"a stop of no time": `{"itinerary":"Move","phase":"Copy","stopped":{"error":"x","since":"0001-01-01T00:00:00Z"}}`,
		"a part of the first second": `{"itinerary":"Move","phase":"Copy","runStarted":"0001-01-01T00:00:00.5Z",` +
			`"failures":[{"itinerary":"Move","phase":"Copy","at":"0001-01-01T00:00:00.5Z"}]}`,
		"parts of a second": `{"itinerary":"Move","phase":"Copy","entered":"2020-01-01T00:00:00.5Z","deadline":"2099-01-01T00:00:00.5Z",` +
			`"runStarted":"2020-01-01T00:00:00.5Z","pipeline":[{"name":"Data","started":"2020-01-01T00:00:00.5Z"}],` +
			`"failures":[{"itinerary":"Move","phase":"Copy","at":"2020-01-01T00:00:00.5Z"}]}`,
		"no year": `{"itinerary":"Move","phase":"Copy","entered":"0000-01-01T00:00:00+01:00","pipeline":[{"name":"Data",` +
			`"started":"0000-01-01T00:00:00+01:00"}],"failures":[{"at":"0000-01-01T00:00:00+01:00"}]}`,
		"a huge error":   `{"itinerary":"Move","phase":"Copy","retry":{"error":"` + huge + `"},"stopped":{"error":"` + huge + `"},"switchHeld":"` + huge + `"}`,
		"a huge failure": `{"itinerary":"Move","phase":"Copy","failures":[{"itinerary":"` + huge + `","phase":"` + huge + `","reasons":["` + huge + `"]}]}`,
		"many failures":  `{"itinerary":"Move","phase":"Copy","failures":[` + strings.TrimSuffix(strings.Repeat(`{"visit":3},`, 50_000), ",") + `]}`,
		"many reasons":   `{"itinerary":"Move","phase":"Copy","failures":[{"reasons":[` + strings.TrimSuffix(strings.Repeat(`"x",`, 200_000), ",") + `]}]}`,
		"many left":      `{"itinerary":"Move","phase":"Copy","switches":[` + strings.TrimSuffix(strings.Repeat(`{"reason":"nonsense"},`, 50_000), ",") + `]}`,
		"many flags": `{"itinerary":"Move","phase":"Copy","facts":{"true":[` +
			strings.TrimSuffix(strings.Repeat(`"Volumes",`, 80_000), ",") + `]},"retry":{"flags":[` + strings.TrimSuffix(strings.Repeat(`"Volumes",`, 80_000), ",") + `]}}`,
		"many steps": `{"itinerary":"Move","phase":"Copy","pipeline":[` + strings.TrimSuffix(strings.Repeat(`{"name":"Data","progress":["x","y"]},`, 30_000), ",") + `]}`,
		"many other steps": func() string {
			var b strings.Builder
			b.WriteString(`{"itinerary":"Move","phase":"Copy","pipeline":[`)
			for i := range 20_000 {
				fmt.Fprintf(&b, `{"name":"s%d","started":"2000-01-01T00:00:00Z","message":"%d"},`, i, i)
			}
			return strings.TrimSuffix(b.String(), ",") + "]}"
		}(),
		"a huge token": `{"done":true,"token":"` + huge + `","failedAt":{"itinerary":"` + huge + `","phase":"Copy","step":"` + huge + `","steps":9223372036854775807}}`,
		"many runs": `{"done":true,"token":"1","run":9223372036854775807,"runs":[` +
			strings.TrimSuffix(strings.Repeat(`{"result":"Excellent","phase":"x"},`, 50_000), ",") + `]}`,
		"a run of no time": `{"stopped":{"error":"x"},"token":"","run":-5,"runStarted":"0000-01-01T00:00:00+01:00",` +
			`"runs":[{"started":"0000-01-01T00:00:00+01:00","ended":"9999-12-31T23:59:59-23:00"}]}`,
		"failed nowhere":     `{"done":true,"token":"1","failedAt":{"phase":"Copy","steps":-1},"pipeline":[{"name":"Data"},{"name":"Data","failed":true}]}`,
		"failed at no phase": `{"done":true,"token":"1","failedAt":{}}`,
		"no such result":     `{"itinerary":"Move","phase":"Copy","result":"Excellent"}`,
		"work done nowhere":  `{"workDone":true}`,
		"an unknown phase":   `{"itinerary":"Move","phase":"` + huge[:5000] + `"}`,
		"another itinerary":  `{"itinerary":"` + huge[:5000] + `","phase":"X"}`,
		"done in no release": `{"itinerary":"Gone","done":true,"pausedSeconds":-1}`,
	}
}

// reconcileForged reconciles a state that may be forged, and checks that the cost is
// linear in its size.
func reconcileForged(t *testing.T, text []byte) {
	w := newWorld(t)
	w.now = time.Unix(1_700_000_000, 0)
	for name, p := range w.options.Phases {
		p.Deadline, p.Backoff = time.Hour, runner.Backoff{Initial: time.Second, Factor: 1.5}
		p.Handler = runner.HandlerFunc[*migration](func(context.Context, *migration) (runner.Result, error) {
			return runner.Result{}, fmt.Errorf("conflict")
		})
		w.options.Phases[name] = p
	}
	w.options.Token = func(context.Context, *migration) (string, runner.RunFrom, error) {
		return "2", runner.FromFailedPhase, nil
	}
	if json.Unmarshal(text, &w.m.State) != nil {
		return
	}
	r := w.runner()
	for i := range 2 {
		var err error
		require.Less(t, allocated(func() { _, err = r.Reconcile(context.Background(), w.m) }), uint64(1<<20+100*len(text)))
		require.False(t, errors.As(err, new(*phases.PanicError)), "%v", err)
		s := w.m.State
		b, err := json.Marshal(s)
		require.NoError(t, err)
		require.Less(t, len(b), 64<<10+2*len(text))
		var back runner.State
		require.NoError(t, json.Unmarshal(b, &back), "reconcile %d", i)
		require.True(t, s.Equal(&back), "reconcile %d: %s", i, b)
		var written any
		require.NoError(t, json.Unmarshal(b, &written))
		require.False(t, hasNull(written), "reconcile %d: a schema would refuse null: %s", i, b)
		for _, n := range []int64{s.Visit, s.PausedSeconds, s.FailedPhases, s.FailedInCleanup} {
			require.GreaterOrEqual(t, n, int64(0))
		}
		require.LessOrEqual(t, len(s.Switches), runner.MaxSwitches)
		require.LessOrEqual(t, len(s.Failures), 200)
		require.LessOrEqual(t, len(s.Runs), runner.MaxRuns)
		require.GreaterOrEqual(t, s.Run, int64(0))
		if s.Entered != nil {
			require.False(t, s.Entered.After(w.now))
		}
		w.m.State = back
	}
}

// hasNull reports whether a JSON value is or contains null.
func hasNull(value any) bool {
	switch value := value.(type) {
	case []any:
		return slices.ContainsFunc(value, hasNull)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(value)), hasNull)
	}
	return value == nil
}

// allocated returns the number of bytes that f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestStatesThatUsersForged(t *testing.T) {
	for about, text := range forged() {
		t.Run(about, func(t *testing.T) { reconcileForged(t, []byte(text)) })
	}
}

func FuzzState(f *testing.F) {
	for _, text := range forged() {
		if len(text) < 10_000 {
			f.Add([]byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) { reconcileForged(t, text) })
}

// MinState includes the names that a checkpoint can have, also those of a choice and of a
// guarded step.
func TestMinStateHasAllNames(t *testing.T) {
	least := func(change func(p *phases.Phase)) int {
		p := phases.Phase{Name: "Copy", Step: strings.Repeat("s", 400)}
		change(&p)
		w := newWorld(t)
		w.options.Itineraries = machine.MustCompileSet(phases.Itinerary{Name: "Move", Vocabulary: vocabulary, Phases: []phases.Phase{
			p, {Name: strings.Repeat("p", 400), Step: "Data"},
		}})
		w.options.Phases, w.options.Handler = nil,
			runner.HandlerFunc[*migration](func(context.Context, *migration) (runner.Result, error) { return runner.Done(), nil })
		r, err := runner.New(w.options)
		require.NoError(t, err)
		n, err := r.MinState()
		require.NoError(t, err)
		return n
	}
	without := least(func(*phases.Phase) {})
	choice := least(func(p *phases.Phase) { p.Jumps = []phases.Jump{{To: strings.Repeat("p", 400), Choice: true}} })
	step := least(func(p *phases.Phase) {
		p.Steps = []phases.GuardedStep{{Step: "Data", Guard: phases.Guard{All: volumes}}}
	})
	assert.GreaterOrEqual(t, choice-without, 400)
	assert.GreaterOrEqual(t, step-without, 400)
}

// The phase is in the checkpoint and in its step, even if there is only one.
func TestMinStateOfOneStepHasItsPhaseTwice(t *testing.T) {
	least := func(phase string) int {
		w := newWorld(t)
		w.options.Itineraries = machine.MustCompileSet(phases.Itinerary{Name: "Move", Vocabulary: vocabulary,
			Phases: []phases.Phase{{Name: phase, Step: "Data"}}})
		w.options.Phases, w.options.PassThrough = nil, true
		r, err := runner.New(w.options)
		require.NoError(t, err)
		n, err := r.MinState()
		require.NoError(t, err)
		return n
	}
	// It is also recorded as the phase that failed.
	assert.Equal(t, 3*300, least(strings.Repeat("p", 400))-least(strings.Repeat("p", 100)))
}

func TestMinStateOfZeroRunner(t *testing.T) {
	for _, r := range []*runner.Runner[*migration]{nil, {}} {
		_, err := r.MinState()
		assert.EqualError(t, err, "the runner was not made; make it with New")
	}
}

// The progress of the current step counts when the progress of all steps is bounded,
// and the oldest progress is shortened first.
func TestProgressOfCurrentStepTakesRoom(t *testing.T) {
	at := metav1.Now()
	lines := slices.Repeat([]string{strings.Repeat("x", 98)}, runner.MaxProgress/2/110)
	s := runner.State{Pipeline: steps.Pipeline{
		{Name: "First", Started: &at, Completed: &at, Progress: slices.Clone(lines)},
		{Name: "Second", Started: &at, Completed: &at, Progress: slices.Clone(lines)},
		{Name: "Third", Started: &at, Phase: "Copy", Progress: slices.Clone(lines)},
	}}
	s.Bound(func() bool { return true })
	assert.Len(t, s.Pipeline[0].Progress, 1)
	assert.Equal(t, lines, s.Pipeline[1].Progress)
	assert.Equal(t, lines, s.Pipeline[2].Progress)
}
