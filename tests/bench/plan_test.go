package bench

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

func plan(g *machine.Graph, f phases.Facts) subject {
	var p *machine.Plan
	return subject{
		func() error { p = g.Plan(f); return nil },
		func() any { return len(p.Running()) },
	}
}

func masksPlan(m masks, f phases.Flags) subject {
	var runs []uint64
	return subject{
		func() error { runs = m.plan(f); return nil },
		func() any {
			n := 0
			for i := 1; i < len(m); i++ {
				if runs[i/64]&(1<<(i%64)) != 0 {
					n++
				}
			}
			return n
		},
	}
}

func taskPlan(t *task) subject {
	n := 0
	return subject{
		func() error {
			n = 0
			for _, p := range t.phases {
				if t.all(p) && t.any(p) {
					n++
				}
			}
			return nil
		},
		func() any { return n },
	}
}

// BenchmarkPlan computes the phases of Final that run, from known flags.
func BenchmarkPlan(b *testing.B) {
	compare(b, loads[0].hops,
		contender{here, func(tb testing.TB) subject { return plan(graph(tb), facts(busy)) }},
		contender{"mig-controller", func(tb testing.TB) subject { return taskPlan(newTask(itinerary(tb), busy)) }},
		contender{"masks", func(tb testing.TB) subject { return masksPlan(newMasks(itinerary(tb)), busy) }},
	)
}

// BenchmarkSteps computes the visible steps of Final, from known flags.
func BenchmarkSteps(b *testing.B) {
	want := steps.Visible(graph(b).Plan(facts(busy)))
	compare(b, len(want),
		contender{here, func(tb testing.TB) subject {
			g, f := graph(tb), facts(busy)
			var names []string
			return subject{
				func() error { names = steps.Visible(g.Plan(f)); return nil },
				func() any { return len(names) },
			}
		}},
		contender{"mig-controller", func(tb testing.TB) subject {
			t := newTask(itinerary(tb), busy)
			var names []string
			return subject{
				func() error { names = t.pipeline(); return nil },
				func() any { return len(names) },
			}
		}},
	)
}

// BenchmarkSync updates a pipeline for the next phase of a run, from an existing plan.
func BenchmarkSync(b *testing.B) {
	compare(b, hopTo, contender{here, func(tb testing.TB) subject {
		g, f := graph(tb), facts(busy)
		var before, after steps.Pipeline
		at, to := now, (*machine.Plan)(nil)
		for _, phase := range g.Plan(f).Running() {
			p, err := g.PlanFrom(machine.Position{Phase: phase}, f)
			require.NoError(tb, err)
			if phase == hopTo {
				to = p
				break
			}
			at = at.Add(time.Minute)
			before = steps.Sync(before, steps.Snapshot{Plan: p}, at)
		}
		at = at.Add(time.Minute)
		return subject{
			func() error { after = steps.Sync(before, steps.Snapshot{Plan: to}, at); return nil },
			func() any { return after.Current().Phase },
		}
	}})
}

// generated returns an itinerary of n phases. Three of four have guards.
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

// looping returns a generated itinerary with a loop in every ten phases.
func looping(n int) phases.Itinerary {
	it := generated(n)
	for i := 0; i+9 < n; i += 10 {
		it.Phases[i+9].Jumps = []phases.Jump{{To: it.Phases[i].Name, Guard: phases.Guard{All: mtc.HasPVs}}}
	}
	return it
}

// BenchmarkWalk plans long itineraries.
func BenchmarkWalk(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		want := 0
		for _, p := range generated(n).Phases {
			if p.Guard.Eval(facts(busy)) == phases.True {
				want++
			}
		}
		b.Run(fmt.Sprintf("phases=%d", n), func(b *testing.B) {
			compare(b, want,
				contender{here, func(tb testing.TB) subject { return plan(machine.MustCompile(generated(n)), facts(busy)) }},
				contender{here + "-with-loops", func(tb testing.TB) subject { return plan(machine.MustCompile(looping(n)), facts(busy)) }},
				contender{"mig-controller", func(tb testing.TB) subject { return taskPlan(newTask(generated(n), busy)) }},
				contender{"masks", func(tb testing.TB) subject { return masksPlan(newMasks(generated(n)), busy) }},
			)
		})
	}
}

func TestContendersShowTheSameSteps(t *testing.T) {
	for _, load := range loads {
		ours := steps.Visible(graph(t).Plan(facts(load.flags)))
		theirs := newTask(itinerary(t), load.flags).pipeline()
		// They may show more, since they do not know phases that ride.
		for _, step := range ours {
			require.True(t, slices.Contains(theirs, step), step)
		}
	}
}
