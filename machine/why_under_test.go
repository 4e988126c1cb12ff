package machine_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// A phase that may run under one of several steps is explained for each of them.
func TestWhyUnder(t *testing.T) {
	g := machine.MustCompile(phases.Itinerary{Name: "Disks", Vocabulary: four, Phases: []phases.Phase{
		{Name: "Inspect", Step: "Prepare", Decides: flagA},
		{Name: "Create", Step: "Own", Guard: phases.Guard{None: flagD}, Steps: []phases.GuardedStep{
			{Step: "Transfer", Guard: all(flagA | flagB)}, {Step: "Check", Guard: phases.Guard{None: flagC}},
		}},
	}})
	for _, c := range []struct {
		about string
		f     phases.Facts
		step  string
		want  *machine.Why
	}{
		{"the phase runs under the first step that admits", facts(flagA | flagB), "Transfer", nil},
		{"and therefore not under the next", facts(flagA | flagB), "Check",
			&machine.Why{Guard: "step", Flags: []string{"A", "B"}, DecidedBy: []string{"Inspect"}, Text: "runs under Transfer"}},
		{"nor under its own", facts(flagA | flagB), "Own",
			&machine.Why{Guard: "step", Flags: []string{"A", "B"}, DecidedBy: []string{"Inspect"}, Text: "runs under Transfer"}},
		{"the guard of the step does not admit", facts(flagB), "Transfer",
			&machine.Why{Guard: "all", Flags: []string{"A"}, DecidedBy: []string{"Inspect"}, Text: "needs A"}},
		{"nor does the guard of the second", facts(flagB | flagC), "Check",
			&machine.Why{Guard: "none", Flags: []string{"C"}, DecidedBy: []string{}, Text: "runs only without C"}},
		{"it runs under its own step if no other admits", facts(flagB | flagC), "Own", nil},
		{"the second step admits", facts(flagB), "Own",
			&machine.Why{Guard: "step", Flags: []string{"C"}, DecidedBy: []string{}, Text: "runs under Check"}},
		{"the guard of the step is unknown", phases.NewFacts(flagB, flagC|flagD), "Transfer",
			&machine.Why{Guard: "all", Flags: []string{"A"}, DecidedBy: []string{"Inspect"}, Text: "depends on A, which is unknown"}},
		{"the guard of the step before is unknown", phases.NewFacts(flagB, flagC|flagD), "Check",
			&machine.Why{Guard: "step", Flags: []string{"A"}, DecidedBy: []string{"Inspect"}, Text: "depends on A, which is unknown"}},
		{"two flags are unknown", phases.NewFacts(0, flagC|flagD), "Own",
			&machine.Why{Guard: "step", Flags: []string{"A", "B"}, DecidedBy: []string{"Inspect"}, Text: "depends on A and B, which are unknown"}},
		{"the phase does not run at all", facts(flagA | flagB | flagD), "Transfer",
			&machine.Why{Guard: "none", Flags: []string{"D"}, DecidedBy: []string{}, Text: "runs only without D"}},
		{"whether the phase runs is unknown, under the step that it would have", phases.NewFacts(flagA|flagB, flagC), "Transfer",
			&machine.Why{Guard: "none", Flags: []string{"D"}, DecidedBy: []string{}, Text: "depends on D, which is unknown"}},
		{"whether the phase runs is unknown, under a step that does not admit it", phases.NewFacts(flagB, flagA|flagC), "Transfer",
			&machine.Why{Guard: "all", Flags: []string{"A"}, DecidedBy: []string{"Inspect"}, Text: "needs A"}},
	} {
		t.Run(c.about, func(t *testing.T) {
			got := g.Plan(c.f).WhyUnder(1, slices.Index(g.Steps(), c.step))
			assert.Empty(t, cmp.Diff(c.want, got))
		})
	}
	assert.Nil(t, g.Plan(facts(0)).WhyUnder(0, 0), "a phase with one step runs under it")
	assert.Nil(t, g.Plan(facts(0)).WhyUnder(2, 0), "there is no such phase")
	assert.Nil(t, g.Plan(facts(0)).WhyUnder(-1, 0))
	assert.Nil(t, (*machine.Plan)(nil).WhyUnder(0, 0))
	assert.Equal(t, -1, g.Plan(facts(0)).StepOf(2), "there is no such phase")
	for range g.Plan(facts(0)).Under(2) {
		assert.Fail(t, "there is no such phase")
	}
}

// A phase that names no step runs under none.
func TestWhyUnderWithoutAStep(t *testing.T) {
	g := machine.MustCompile(phases.Itinerary{Name: "Move", Vocabulary: four, Phases: []phases.Phase{
		{Name: "Copy", Step: "Data"}, {Name: "Completed", End: true},
	}})
	want := &machine.Why{Guard: "step", Flags: []string{}, DecidedBy: []string{}, Text: "runs under no step"}
	assert.Equal(t, want, g.Plan(facts(0)).WhyUnder(1, 0))
}

// If the unknown flags have too many cases to separate, the next transition depends on each flag
// that a guard ahead reads: the guards of the phases in order up to the first that always runs, of
// their steps, of the jumps that a handler does not choose, and of the phases after the targets of
// these.
func TestDependsOnEveryGuardAheadIfThereAreManyCases(t *testing.T) {
	var defs []phases.FlagDef
	for i := range 24 {
		defs = append(defs, phases.FlagDef{Flag: 1 << i, Name: fmt.Sprintf("F%02d", i)})
	}
	flag := func(i int) phases.Guard { return all(1 << i) }
	it := phases.Itinerary{Name: "Long", Vocabulary: phases.MustVocabulary(defs), Phases: []phases.Phase{
		{Name: "Back", Step: "S", Guard: flag(20)},
		{Name: "Stop", Step: "S"},
		{Name: "Begin", Step: "S", Jumps: []phases.Jump{{To: "Back", Guard: flag(21)}, {To: "End", Choice: true}, {To: "P00", Choice: true}}},
	}}
	for i := range 18 {
		it.Phases = append(it.Phases, phases.Phase{Name: fmt.Sprintf("P%02d", i), Step: "S", Guard: flag(i)})
	}
	it.Phases[3].Steps = []phases.GuardedStep{{Step: "T", Guard: flag(22)}}
	it.Phases = append(it.Phases,
		phases.Phase{Name: "Always", Step: "S"},
		phases.Phase{Name: "Later", Step: "S", Guard: flag(23)},
		phases.Phase{Name: "End", End: true})
	g := machine.MustCompile(it)
	depends := func(f phases.Facts) phases.Flags {
		m, err := g.NewMachine(machine.Position{Phase: "Begin"}, f)
		require.NoError(t, err)
		return m.Depends()
	}

	order := phases.Flags(1<<18 - 1)
	assert.Equal(t, order|1<<20|1<<21|1<<22, depends(phases.Facts{}))
	assert.Equal(t, order|1<<22, depends(phases.NewFacts(0, 1<<21)), "the jump is not taken")
	assert.Equal(t, phases.Flags(1<<20), depends(phases.NewFacts(1<<21, 0)), "the jump is taken")
	assert.Equal(t, order&^1|1<<20|1<<21, depends(phases.NewFacts(0, 1)), "the steps of a phase that does not run do not matter")

	m, err := g.NewMachine(machine.Position{Phase: "Begin"}, phases.Facts{})
	require.NoError(t, err)
	require.NoError(t, m.Choose("P00"))
	assert.Equal(t, order|1<<22, m.Depends(), "only the phases after the chosen jump")
}
