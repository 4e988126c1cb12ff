package steps_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// large returns plans of an itinerary of n steps with three phases each: one that rides, one under
// a guard, and one after the first two of all steps. In its middle, half of the steps will be
// entered again.
func large(tb testing.TB, n int) (start, middle, end *machine.Plan) {
	tb.Helper()
	it := phases.Itinerary{Name: "Large", Vocabulary: vocabulary}
	for i := range n {
		step := fmt.Sprint("Step", i)
		it.Phases = append(it.Phases,
			phases.Phase{Name: fmt.Sprint("Rides", i), Step: step, Rides: true},
			phases.Phase{Name: fmt.Sprint("Work", i), Step: step, Guard: phases.Guard{Any: volumes | hook}})
	}
	for i := range n {
		it.Phases = append(it.Phases, phases.Phase{Name: fmt.Sprint("Again", i), Step: fmt.Sprint("Step", i)})
	}
	g, err := machine.Compile(it)
	require.NoError(tb, err)
	f := phases.NewFacts(volumes, 0)
	plan := func(p machine.Position) *machine.Plan {
		plan, err := g.PlanFrom(p, f)
		require.NoError(tb, err)
		return plan
	}
	return plan(machine.Position{}), plan(machine.Position{Phase: fmt.Sprint("Again", n/2)}), plan(machine.Position{Done: true})
}

// entriesOf makes a pipeline of n started steps, each listed twice, half of which the itinerary
// does not have.
func entriesOf(n int) (p steps.Pipeline) {
	for range 2 {
		for i := range n {
			name := fmt.Sprint("Step", i)
			if i%2 == 0 {
				name = fmt.Sprint("Retired", i)
			}
			p = append(p, steps.Step{Name: name, Started: second(1), Message: steps.MessageContinues, Progress: []string{"a line"}})
		}
	}
	return p
}

type task struct {
	about string
	do    func()
}

// work returns every operation of the package that visits all steps.
func work(tb testing.TB, n int) []task {
	start, middle, end := large(tb, n)
	twice := entriesOf(n)
	begun := steps.Sync(twice, steps.Snapshot{Plan: middle}, time.Unix(2, 0))
	sync := func(p steps.Pipeline, plan *machine.Plan) func() {
		return func() { steps.Sync(p, steps.Snapshot{Plan: plan}, time.Unix(3, 0)) }
	}
	return []task{
		{"Sync of nothing, at the start", sync(nil, start)},
		{"Sync in the middle", sync(begun, middle)},
		{"Sync of two entries per step", sync(twice, middle)},
		{"Sync of an interrupted pipeline", sync(begun, start)},
		{"Sync at the end", sync(begun, end)},
		{"Visible", func() { steps.Visible(middle) }},
		{"Possible", func() { steps.Possible(middle) }},
		{"DisplaySteps", func() { steps.DisplaySteps(middle) }},
		{"Replanned", func() { steps.Replanned(begun, begun[:n/2]) }},
		{"Replanned without a change", func() { steps.Replanned(begun, begun) }},
		{"Lookup", func() { begun.Lookup("none") }},
		{"Current", func() { begun.Current() }},
		{"DeepCopy", func() { begun.DeepCopy() }},
	}
}

// Memory is proportional to the number of steps. BenchmarkSizes shows the same for time.
func TestMemoryIsLinearInSteps(t *testing.T) {
	const factor = 8
	small, big := work(t, 1000), work(t, 1000*factor)
	for i, task := range small {
		t.Run(task.about, func(t *testing.T) {
			few, many := allocated(task.do), allocated(big[i].do)
			// A map grows by doubling, so it can be twice as large as its entries need.
			require.LessOrEqual(t, many, 2*factor*few+4096, "%d bytes for 1000 steps", few)
		})
	}
}

// BenchmarkSizes reports the time per step, which is the same for 1000 steps and for 8000.
func BenchmarkSizes(b *testing.B) {
	for _, n := range []int{1000, 8000} {
		for _, task := range work(b, n) {
			b.Run(fmt.Sprint(task.about, "/", n), func(b *testing.B) {
				b.ReportAllocs()
				for range b.N {
					task.do()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/step")
			})
		}
	}
}
