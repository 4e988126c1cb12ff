package conformance

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/looplab/fsm"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// Beside each benchmark stands, in the same run, the naive way as upstream
// does it: flags evaluated anew for each phase at each hop, and a new FSM per
// reconcile where there is an FSM at all. Ratios carry over from one machine
// to another; nanoseconds do not.

// busy are the flags of a final migration with much to do: 44 of its 50
// phases run.
var busy = mtc.Quiesce | mtc.HasStagePods | mtc.HasPVs | mtc.HasVerify | mtc.HasISs | mtc.IndirectImage |
	mtc.IndirectVolume | mtc.HasStageBackup | mtc.EnableImage | mtc.EnableVolume | mtc.HasPreBackupHooks |
	mtc.HasPostBackupHooks | mtc.HasPreRestoreHooks | mtc.HasPostRestoreHooks

func busyFacts() phases.Facts { return phases.NewFacts(busy, mtc.Vocabulary().All()&^busy) }

// naive evaluates a phase as upstream's allFlags and anyFlags do: each flag of
// the guard is evaluated anew, by name.
type naive struct {
	phases []naivePhase
	flags  map[string]func() bool
	asked  map[string]int // how often each flag was evaluated; nil: not counted
}

type naivePhase struct {
	name, step string
	all, any   []string
}

func newNaive(it phases.Itinerary, f phases.Facts) *naive {
	n := &naive{flags: map[string]func() bool{}}
	for _, d := range it.Vocabulary.Defs() {
		n.flags[d.Name] = func() bool { return f.Of(d.Flag) == phases.True }
	}
	for _, p := range it.Phases {
		n.phases = append(n.phases, naivePhase{p.Name, p.Step, it.Vocabulary.Names(p.Guard.All), it.Vocabulary.Names(p.Guard.Any)})
	}
	return n
}

func (n *naive) ask(flag string) bool {
	if n.asked != nil {
		n.asked[flag]++
	}
	return n.flags[flag]()
}

func (n *naive) admits(p naivePhase) bool {
	for _, f := range p.all {
		if !n.ask(f) {
			return false
		}
	}
	for _, f := range p.any {
		if n.ask(f) {
			return true
		}
	}
	return len(p.any) == 0
}

// next is upstream's t.next(): the first phase after i that is admitted.
func (n *naive) next(i int) int {
	for i++; i < len(n.phases) && !n.admits(n.phases[i]); i++ {
	}
	return i
}

// pipeline is the enhancement's initPipeline: every phase is evaluated, and
// the steps of those admitted are listed.
func (n *naive) pipeline() []string {
	var names []string
	for _, p := range n.phases {
		if n.admits(p) && !slices.Contains(names, p.step) {
			names = append(names, p.step)
		}
	}
	return names
}

// newFSM builds the FSM of an itinerary with guards, as one would for every
// reconcile.
func (n *naive) newFSM(current string) *fsm.FSM {
	byDst := map[string][]string{}
	var order []string
	for from := -1; from < len(n.phases); from++ {
		src := "start"
		if from >= 0 {
			src = n.phases[from].name
		}
		for to := from + 1; to <= len(n.phases); to++ {
			dst := "done"
			if to < len(n.phases) {
				dst = n.phases[to].name
			}
			if byDst[dst] == nil {
				order = append(order, dst)
			}
			byDst[dst] = append(byDst[dst], src)
			if to < len(n.phases) && len(n.phases[to].all)+len(n.phases[to].any) == 0 {
				break
			}
		}
	}
	var events fsm.Events
	callbacks := fsm.Callbacks{}
	for _, dst := range order {
		events = append(events, fsm.EventDesc{Name: "to " + dst, Src: byDst[dst], Dst: dst})
		callbacks["before_to "+dst] = func(_ context.Context, e *fsm.Event) {
			i := slices.IndexFunc(n.phases, func(p naivePhase) bool { return p.name == e.Src })
			next := "done"
			if k := n.next(i); k < len(n.phases) {
				next = n.phases[k].name
			}
			if next != e.Dst {
				e.Cancel()
			}
		}
	}
	return fsm.NewFSM(current, events, callbacks)
}

func BenchmarkPlanOfFinal(b *testing.B) {
	it, err := mtc.Itinerary(mtc.Final)
	require.NoError(b, err)
	b.Run("plan from known facts", func(b *testing.B) {
		g, f := graph(b, mtc.Final), busyFacts()
		b.ReportAllocs()
		for b.Loop() {
			g.Plan(f)
		}
	})
	b.Run("naive: each flag of each phase", func(b *testing.B) {
		n := newNaive(it, busyFacts())
		b.ReportAllocs()
		for b.Loop() {
			n.pipeline()
		}
	})
}

// hopFrom is a migration in the middle of a final one, as a controller has it:
// phase, facts and pipeline as Go values.
func hopFrom(tb testing.TB) (string, phases.Facts, steps.Pipeline) {
	g, f := graph(tb, mtc.Final), busyFacts()
	now := time.Date(2021, 2, 4, 12, 0, 0, 0, time.UTC)
	var p steps.Pipeline
	for i := range g.Len() {
		plan, err := g.PlanFrom(machine.Position{Phase: g.Phase(i).Name}, f)
		require.NoError(tb, err)
		if plan.Guard(i) != phases.True {
			continue
		}
		now = now.Add(time.Minute)
		p = steps.Sync(p, steps.Snapshot{Plan: plan}, now)
		if g.Phase(i).Name == "EnsureStageBackup" {
			break
		}
	}
	return "EnsureStageBackup", f, p
}

// hop is what a controller does when a phase is done.
func hop(g *machine.Graph, phase string, f phases.Facts, p steps.Pipeline, now time.Time) (machine.Position, phases.Facts, steps.Pipeline, error) {
	m, err := g.NewMachine(machine.Position{Phase: phase}, f)
	if err != nil {
		return machine.Position{}, f, p, err
	}
	tr, err := m.Advance(context.Background())
	if err != nil {
		return machine.Position{}, f, p, err
	}
	return tr.To, m.Facts(), steps.Sync(p, steps.Snapshot{Plan: m.Plan()}, now), nil
}

func BenchmarkHop(b *testing.B) {
	it, err := mtc.Itinerary(mtc.Final)
	require.NoError(b, err)
	now := time.Date(2021, 2, 4, 14, 0, 0, 0, time.UTC)
	b.Run("hop with a shared graph", func(b *testing.B) {
		g := graph(b, mtc.Final)
		phase, f, p := hopFrom(b)
		b.ReportAllocs()
		for b.Loop() {
			if _, _, _, err := hop(g, phase, f, p, now); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("naive: a new FSM for the hop", func(b *testing.B) {
		n := newNaive(it, busyFacts())
		b.ReportAllocs()
		for b.Loop() {
			f := n.newFSM("EnsureStageBackup")
			if err := f.Event(context.Background(), "to StageBackupCreated"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkWholeRun(b *testing.B) {
	it, err := mtc.Itinerary(mtc.Final)
	require.NoError(b, err)
	b.Run("Final with a shared graph", func(b *testing.B) {
		g, f := graph(b, mtc.Final), busyFacts()
		b.ReportAllocs()
		for b.Loop() {
			now := time.Date(2021, 2, 4, 14, 0, 0, 0, time.UTC)
			m, err := g.NewMachine(machine.Position{}, f)
			if err != nil {
				b.Fatal(err)
			}
			var p steps.Pipeline
			for !m.Position().Done {
				if _, err := m.Advance(context.Background()); err != nil {
					b.Fatal(err)
				}
				now = now.Add(time.Second)
				p = steps.Sync(p, steps.Snapshot{Plan: m.Plan()}, now)
			}
		}
	})
	b.Run("naive: a new FSM per hop", func(b *testing.B) {
		n := newNaive(it, busyFacts())
		b.ReportAllocs()
		for b.Loop() {
			for current, i := "start", -1; current != "done"; {
				i = n.next(i)
				next := "done"
				if i < len(n.phases) {
					next = n.phases[i].name
				}
				f := n.newFSM(current)
				if err := f.Event(context.Background(), "to "+next); err != nil {
					b.Fatal(err)
				}
				n.pipeline()
				current = next
			}
		}
	})
}

// BenchmarkLiveMigrations reports the memory that a live migration takes
// beside its persisted status, with 100,000 of them alive.
func BenchmarkLiveMigrations(b *testing.B) {
	const live = 100_000
	it, err := mtc.Itinerary(mtc.Final)
	require.NoError(b, err)
	heap := func() float64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	b.Run("machines of a shared graph", func(b *testing.B) {
		g, f := graph(b, mtc.Final), busyFacts()
		for b.Loop() {
			before := heap()
			all := make([]*machine.Machine, live)
			for i := range all {
				all[i], _ = g.NewMachine(machine.Position{Phase: g.Phase(i % g.Len()).Name}, f)
			}
			b.ReportMetric((heap()-before)/live, "B/migration")
			runtime.KeepAlive(all)
		}
	})
	b.Run("naive: an FSM each", func(b *testing.B) {
		n := newNaive(it, busyFacts())
		const few = live / 100 // all of them would take some 10 GB
		for b.Loop() {
			before := heap()
			all := make([]*fsm.FSM, few)
			for i := range all {
				all[i] = n.newFSM("start")
			}
			b.ReportMetric((heap()-before)/few, "B/migration")
			runtime.KeepAlive(all)
		}
	})
}

// generated is an itinerary of n phases, three of four guarded.
func generated(n int) phases.Itinerary {
	it := phases.Itinerary{Name: "Generated", Vocabulary: mtc.Vocabulary()}
	for i := range n {
		p := phases.Phase{Name: fmt.Sprintf("Phase%d", i), Step: fmt.Sprintf("Step%d", i/10)}
		if i%4 != 0 {
			p.Guard.All = 1 << (i % mtc.Vocabulary().Len())
		}
		if i%50 == 0 {
			p.Decides = mtc.HasPVs
		}
		it.Phases = append(it.Phases, p)
	}
	return it
}

func BenchmarkWalk(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		it := generated(n)
		b.Run(fmt.Sprintf("%d phases", n), func(b *testing.B) {
			g, f := machine.MustCompile(it), busyFacts()
			b.ReportAllocs()
			for b.Loop() {
				g.Plan(f)
			}
		})
		loops := generated(n)
		for i := 0; i+9 < n; i += 10 {
			loops.Phases[i+9].Jumps = []phases.Jump{{To: loops.Phases[i].Name, Guard: phases.Guard{All: mtc.HasPVs}}}
		}
		b.Run(fmt.Sprintf("%d phases with a loop in every ten", n), func(b *testing.B) {
			g, f := machine.MustCompile(loops), busyFacts()
			b.ReportAllocs()
			for b.Loop() {
				g.Plan(f)
			}
		})
		b.Run(fmt.Sprintf("naive: %d phases", n), func(b *testing.B) {
			v := newNaive(it, busyFacts())
			b.ReportAllocs()
			for b.Loop() {
				v.pipeline()
			}
		})
	}
}

// BenchmarkExhaustiveCheck is the check that the plan is the run, for every
// assignment of the five itineraries.
func BenchmarkExhaustiveCheck(b *testing.B) {
	for b.Loop() {
		for _, name := range itineraries.Names() {
			g := graph(b, name)
			subsets(g.Reads(), func(yes phases.Flags) {
				if err := planIsRun(g, phases.NewFacts(yes, mtc.Vocabulary().All()&^yes)); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}
