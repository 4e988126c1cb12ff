package steps_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

var anyStep = []string{"Prepare", "Hook", "Data", "Restore", "Helpers", "Cleanup"}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.Intn(len(from))] }

func anyGuard(r *rand.Rand) phases.Guard {
	return pick(r, phases.Guard{}, phases.Guard{}, phases.Guard{All: volumes}, phases.Guard{None: volumes},
		phases.Guard{All: hook}, phases.Guard{Any: volumes | hook}, phases.Guard{All: volumes, None: hook})
}

func anyFacts(r *rand.Rand) (f phases.Facts) {
	for _, flag := range []phases.Flags{volumes, hook} {
		f = f.Set(flag, pick(r, phases.True, phases.False, phases.Unknown))
	}
	return f
}

// anySet makes two itineraries of up to 12 phases with every feature of a phase. The second is a
// cleanup itinerary. decides reports whether phases may decide flags.
func anySet(r *rand.Rand, decides bool) *machine.Set {
	for {
		var its []phases.Itinerary
		for _, name := range []string{"Move", "Undo"} {
			it := phases.Itinerary{Name: name, Vocabulary: vocabulary, Cleanup: name == "Undo"}
			n := 1 + r.Intn(12)
			for i := range n {
				p := phases.Phase{Name: fmt.Sprint("P", i), Step: pick(r, anyStep...), Guard: anyGuard(r), Rides: r.Intn(4) == 0}
				if decides && r.Intn(4) == 0 {
					p.Decides = pick(r, volumes, hook)
				}
				if to := r.Intn(n); r.Intn(6) == 0 && to != i {
					p.Jumps = []phases.Jump{{To: fmt.Sprint("P", to), Guard: anyGuard(r)}}
				}
				for r.Intn(5) == 0 {
					p.Steps = append(p.Steps, phases.GuardedStep{Step: pick(r, anyStep...), Guard: anyGuard(r)})
				}
				if decides && r.Intn(6) == 0 {
					p.Jumps = append(p.Jumps, phases.Jump{To: fmt.Sprint("P", r.Intn(n)), Choice: true})
				}
				if r.Intn(8) == 0 {
					p.End, p.Rides, p.Decides, p.Jumps = true, false, 0, nil
					if r.Intn(2) == 0 {
						p.Step = ""
					}
				}
				it.Phases = append(it.Phases, p)
			}
			its = append(its, it)
		}
		// The set may be refused, for example for a step whose phases all ride.
		if set, err := machine.CompileSet(its...); err == nil {
			return set
		}
	}
}

func anyPipeline(r *rand.Rand) (p steps.Pipeline) {
	at := func() *metav1.Time {
		return pick(r, nil, nil, second(r.Int63n(20)), second(r.Int63n(20)), &metav1.Time{})
	}
	for range r.Intn(9) {
		p = append(p, steps.Step{
			Name:    pick(r, append(anyStep, "Retired", "")...),
			Started: at(), Completed: at(),
			Phase: pick(r, "", "", "P1", "Gone"),
			Message: pick(r, "", "Working", steps.MessageNotStarted, steps.MessageContinues, steps.MessageCompleted,
				steps.MessageFailed, steps.MessageCanceled, "Skipped"),
			Progress: pick(r, nil, nil, []string{"a line"}, []string{"another", "line"}),
			Failed:   r.Intn(4) == 0, Skipped: r.Intn(4) == 0,
		})
	}
	return p
}

func anyMoment(t *testing.T, r *rand.Rand, set *machine.Set) steps.Snapshot {
	g, err := set.Graph(pick(r, "Move", "Undo"))
	require.NoError(t, err)
	at := machine.Position{Phase: g.Phase(r.Intn(g.Len())).Name}
	if r.Intn(3) == 0 {
		at.Step = pick(r, anyStep...)
	}
	if r.Intn(6) == 0 {
		at = pick(r, machine.Position{}, machine.Position{Done: true})
	}
	plan, err := g.PlanFrom(at, anyFacts(r))
	require.NoError(t, err)
	return steps.Snapshot{
		Plan: plan, Failed: r.Intn(4) == 0,
		Message: pick(r, "", "", "Waiting", steps.MessageCanceled), Progress: pick(r, nil, nil, []string{"of now"}),
	}
}

// Any pipeline is synced at any moment, by any clock.
func TestSyncOfAnyPipeline(t *testing.T) {
	for seed := range int64(testscale.Of(600, 120)) {
		r := rand.New(rand.NewSource(seed))
		set, p := anySet(r, true), anyPipeline(r)
		for turn := range 6 {
			m, now := anyMoment(t, r, set), time.Unix(r.Int63n(30), r.Int63n(1e9))
			next := steps.Sync(p, m, now)
			requireSynced(t, p, next, m, now, fmt.Sprintf("seed %d, turn %d", seed, turn))
			p = next
		}
	}
}

// A run with constant facts shows the steps that were planned at its beginning, in that order, and
// completes all of them.
func TestSyncShowsThePlannedSteps(t *testing.T) {
	ended := 0
	for seed := range int64(testscale.Of(600, 120)) {
		r := rand.New(rand.NewSource(seed))
		set := anySet(r, false)
		name := pick(r, "Move", "Undo")
		m, err := set.Resume(machine.Checkpoint{}, name)
		require.NoError(t, err)
		f := phases.Facts{}.Set(volumes, pick(r, phases.True, phases.False)).Set(hook, pick(r, phases.True, phases.False))
		m.SetFacts(f)
		want := steps.Visible(m.Plan())
		anyShown := len(want) > 0

		var p steps.Pipeline
		for second := range int64(60) {
			moment, now := steps.Snapshot{Plan: m.Plan()}, time.Unix(second, 0)
			next := steps.Sync(p, moment, now)
			requireSynced(t, p, next, moment, now, fmt.Sprintf("seed %d, second %d", seed, second))
			p = next
			if m.Position().Done {
				break
			}
			_, err := m.Advance(context.Background())
			require.NoError(t, err)
		}
		if !m.Position().Done || !anyShown {
			continue // a loop that never ends, or only phases that ride
		}
		ended++
		var got []string
		for _, s := range p {
			got = append(got, s.Name)
			require.Equal(t, steps.MessageCompleted, s.Message, "seed %d: %s", seed, s.Name)
		}
		require.Equal(t, want, got, "seed %d", seed)
	}
	require.Greater(t, ended, testscale.Of(400, 80), "most runs end")
}

// entries summarizes the started entries with one name.
type entries struct {
	started, completed      *metav1.Time // the earliest and the latest
	failed, ended, progress bool         // any, all, any
}

// named returns the entries by name, computed independently of Sync, and the names in the order of
// the first started entry.
func named(p steps.Pipeline) (names []string, by map[string]entries) {
	by = make(map[string]entries)
	for _, s := range p {
		ran := s.Failed || s.Started != nil && !s.Started.IsZero() || s.Completed != nil && !s.Completed.IsZero()
		if s.Name == "" || !ran {
			continue
		}
		e, ok := by[s.Name]
		if !ok {
			names, e.ended = append(names, s.Name), true
		}
		if s.Started != nil && !s.Started.IsZero() && (e.started == nil || s.Started.Time.Before(e.started.Time)) {
			e.started = s.Started
		}
		if s.Completed == nil || s.Completed.IsZero() {
			e.ended = false
		} else if e.completed == nil || s.Completed.After(e.completed.Time) {
			e.completed = s.Completed
		}
		e.failed = e.failed || s.Failed
		e.progress = e.progress || len(s.Progress) > 0
		by[s.Name] = e
	}
	return names, by
}

// synced is a call of Sync to check, with the entries before it.
type synced struct {
	steps.Snapshot
	next    steps.Pipeline
	names   []string
	was     map[string]entries
	current int    // the index in next of the step with a phase; -1 if none
	text    string // describes the call
	now     time.Time
}

// requireSynced checks the promises about the pipeline that Sync made from old.
func requireSynced(t *testing.T, old, next steps.Pipeline, m steps.Snapshot, now time.Time, about string) {
	t.Helper()
	s := synced{Snapshot: m, next: next, now: now}
	s.text = fmt.Sprintf("%s\nin %s at %s, by %s\n%s\n%s",
		about, m.Plan.Graph().Name(), m.Plan.Position(), now.UTC(), bytes(t, old), bytes(t, next))
	s.names, s.was = named(old)
	s.requireOrder(t)
	s.requirePlanned(t, old)

	ahead := map[string]bool{} // steps with phases ahead that do not ride
	rides := false
	at := m.Plan.Current()
	for i := range m.Plan.Each {
		if i == at || m.Plan.Runs(i) == phases.False {
			continue
		}
		for k := range m.Plan.Under(i) {
			step := m.Plan.Graph().Steps()[k]
			ahead[step] = ahead[step] || !m.Plan.Graph().Rides(i)
		}
		rides = rides || m.Plan.Graph().Rides(i)
	}
	for i, step := range next {
		if !step.Ran() {
			continue
		}
		s.requireHistory(t, i)
		s.requireState(t, i, at >= 0 && ahead[step.Name], at >= 0 && (ahead[step.Name] || rides))
	}

	// A second call, also on the stored pipeline, changes nothing.
	require.Equal(t, bytes(t, next), bytes(t, steps.Sync(next, m, now)), s.text)
	var stored steps.Pipeline
	require.NoError(t, json.Unmarshal([]byte(bytes(t, next)), &stored), s.text)
	require.Equal(t, bytes(t, next), bytes(t, steps.Sync(stored, m, now)), s.text)
}

// requirePlanned checks that the steps not started are those that the plan shows, in
// its order, and those that may still be shown if they were listed in old. A cleanup
// itinerary may also list others of these.
func (c *synced) requirePlanned(t *testing.T, old steps.Pipeline) {
	t.Helper()
	ran, was := map[string]bool{}, map[string]bool{}
	for _, s := range old {
		was[s.Name] = was[s.Name] || !s.Ran() && !s.Skipped
	}
	var waiting []string
	for _, s := range c.next {
		if s.Ran() {
			ran[s.Name] = true
		} else {
			waiting = append(waiting, s.Name)
		}
	}
	without := func(names []string, drop func(string) bool) []string {
		return append([]string{}, slices.DeleteFunc(slices.Clone(names), drop)...)
	}
	visible, possible := steps.Visible(c.Plan), steps.Possible(c.Plan)
	planned := without(visible, func(name string) bool { return ran[name] })
	listed := without(waiting, func(name string) bool { return slices.Contains(possible, name) })
	require.Equal(t, planned, listed, "steps not started that the plan does not exclude, and those listed: %s", c.text)
	if c.Plan.Position().Done {
		require.Empty(t, waiting, c.text)
		return
	}
	kept := without(possible, func(name string) bool { return ran[name] || !was[name] })
	rest := without(waiting, func(name string) bool { return slices.Contains(visible, name) })
	if c.Plan.Graph().IsCleanup() {
		require.Subset(t, rest, kept, c.text)
		require.Subset(t, possible, rest, c.text)
	} else {
		require.Equal(t, kept, rest, "steps that may be shown: those listed before, and now: %s", c.text)
	}
}

// requireOrder checks that started steps are kept, once, in their order, before
// the others. It sets current.
func (c *synced) requireOrder(t *testing.T) {
	t.Helper()
	var order []string
	c.current = -1
	seen := map[string]bool{}
	for i, s := range c.next {
		require.NotEmpty(t, s.Name, c.text)
		require.False(t, seen[s.Name], "%s twice: %s", s.Name, c.text)
		seen[s.Name] = true
		require.False(t, s.Skipped, c.text)
		if !s.Ran() {
			require.Empty(t, cmp.Diff(steps.Step{Name: s.Name, Message: steps.MessageNotStarted}, s), c.text)
			require.False(t, c.Plan.Position().Done, "no steps are ahead: %s", c.text)
			continue
		}
		require.True(t, i == 0 || c.next[i-1].Ran(), "%s has started and follows one that has not: %s", s.Name, c.text)
		if _, ok := c.was[s.Name]; ok {
			order = append(order, s.Name)
		}
		if s.Phase != "" {
			require.Equal(t, -1, c.current, "two steps have a phase: %s", c.text)
			c.current = i
		}
	}
	require.Equal(t, c.names, order, c.text)
	require.Equal(t, c.Plan.Current() >= 0, c.current >= 0, "a step has a phase if the run is in one: %s", c.text)
}

// requireHistory checks a started step against its entries before the call.
func (c *synced) requireHistory(t *testing.T, i int) {
	t.Helper()
	s := c.next[i]
	before, ran := c.was[s.Name]
	ends := !ran && s.Name == endStep(c.Plan)
	require.True(t, ran || i == c.current || ends, "%s starts, and is not current: %s", s.Name, c.text)
	if ends {
		require.True(t, s.Started.Time.Equal(c.now.Truncate(time.Second)) && s.Completed.Equal(s.Started), c.text)
	}
	if before.started != nil {
		require.True(t, before.started.Equal(s.Started), "%s has another start: %s", s.Name, c.text)
	}
	require.False(t, before.failed && !s.Failed, "%s has failed: %s", s.Name, c.text)
	require.True(t, !before.progress || len(s.Progress) > 0, "%s has lost its progress: %s", s.Name, c.text)
}

// requireState checks a started step: current, left or completed. comes reports
// whether a phase ahead belongs to it, and mayCome whether one may.
func (c *synced) requireState(t *testing.T, i int, comes, mayCome bool) {
	t.Helper()
	s, text := c.next[i], c.text
	before := c.was[s.Name]
	switch {
	case i == c.current:
		require.Nil(t, s.Completed, text)
		require.NotNil(t, s.Started, text)
		require.Equal(t, c.Plan.Position().Phase, s.Phase, text)
		require.True(t, !c.Failed || s.Failed, text)
		require.True(t, len(c.Progress) == 0 || slices.Equal(c.Progress, s.Progress), text)
		require.True(t, c.Message == "" || c.Message == s.Message, text)
	case s.Completed == nil: // left, and will be entered again
		require.Equal(t, steps.MessageContinues, s.Message, text)
		require.False(t, before.ended, "%s was completed: %s", s.Name, text)
		require.True(t, mayCome, "nothing ahead belongs to %s: %s", s.Name, text)
	default:
		want := []string{steps.MessageCompleted, steps.MessageCanceled}
		if s.Failed {
			want = []string{steps.MessageFailed}
		}
		require.Contains(t, want, s.Message, text)
		if before.ended {
			require.True(t, before.completed.Equal(s.Completed), "%s has another end: %s", s.Name, text)
			require.Equal(t, before.failed, s.Failed, "%s was completed: %s", s.Name, text)
			break
		}
		require.False(t, comes, "%s is completed, and has phases ahead: %s", s.Name, text)
		require.False(t, s.Started != nil && s.Completed.Before(s.Started), "%s ends before its start: %s", s.Name, text)
	}
}

// endStep returns the step of the end phase that completed the run, or "" if there is none.
func endStep(p *machine.Plan) string {
	if i, err := p.Graph().Lookup(p.Position().Phase); err == nil && p.Position().Done {
		if k := p.StepOf(i); k >= 0 {
			return p.Graph().Steps()[k]
		}
	}
	return ""
}

// storable reports whether JSON can represent all times of the pipeline.
func storable(p steps.Pipeline) bool {
	for _, s := range p {
		for _, at := range []*metav1.Time{s.Started, s.Completed} {
			if at != nil && (at.UTC().Year() < 1 || at.UTC().Year() > 9999) {
				return false
			}
		}
	}
	return true
}

// allocated returns the number of bytes that do allocates.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A pipeline is read back from an object that users can write to.
func FuzzSync(f *testing.F) {
	f.Add([]byte(`[{"name":"Prepare","started":"2021-02-04T10:00:00Z","completed":"2021-02-04T09:00:00Z","phase":"Copy","message":"x"}]`),
		uint8(4), uint8(0), false, int64(1))
	f.Add([]byte(`[{"name":"Data"},{"name":"Data","started":"2021-02-04T10:00:00.5+01:00"},{"name":"Data","failed":true},{}]`),
		uint8(8), uint8(1), true, int64(-1))
	f.Add([]byte(`[{"name":"Data","skipped":true},{"name":"Retired","started":"0001-01-01T00:00:00Z"},{"name":"Retired","started":null}]`),
		uint8(20), uint8(2), true, int64(1<<40))
	r := rand.New(rand.NewSource(1))
	for range 20 {
		b, err := json.Marshal(anyPipeline(r))
		require.NoError(f, err)
		f.Add(b, uint8(r.Intn(256)), uint8(r.Intn(256)), r.Intn(2) == 0, r.Int63n(1<<31))
	}
	f.Fuzz(func(t *testing.T, text []byte, where, known uint8, failed bool, seconds int64) {
		var p steps.Pipeline
		if json.Unmarshal(text, &p) != nil || !storable(p) {
			return
		}
		now := time.Unix(seconds%(1<<33), 0)
		if now.Unix() < 0 {
			now = time.Unix(-now.Unix(), 0)
		}
		g, err := set.Graph([]string{"Move", "Undo"}[where%2])
		require.NoError(t, err)
		var at machine.Position
		if i := int(where/2) % (g.Len() + 2); i < g.Len() {
			at.Phase = g.Phase(i).Name
		} else {
			at.Done = i == g.Len()
		}
		var facts phases.Facts
		for i, flag := range []phases.Flags{volumes, hook} {
			facts = facts.Set(flag, []phases.Truth{phases.True, phases.False, phases.Unknown}[int(known)>>(2*i)%3])
		}
		plan, err := g.PlanFrom(at, facts)
		require.NoError(t, err)
		moment := steps.Snapshot{Plan: plan, Failed: failed}

		var next steps.Pipeline
		bytes := allocated(func() { next = steps.Sync(p, moment, now) })
		requireSynced(t, p, next, moment, now, "")
		// An entry of 3 bytes, "{},", takes 120 bytes in memory.
		require.Less(t, bytes, uint64(100*len(text)+1<<16))
	})
}
