package machine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/itinerarytest"
	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// entered returns the steps under which a run enters its phases, by phase name.
func entered(t *testing.T, g *machine.Graph, f phases.Facts) map[string]string {
	t.Helper()
	steps := map[string]string{}
	m, err := g.NewMachine(machine.Position{}, f)
	require.NoError(t, err)
	for {
		tr, err := m.Advance(context.Background())
		require.NoError(t, err)
		if name := tr.To.Phase; name != "" {
			i, err := g.Lookup(name)
			require.NoError(t, err)
			steps[name] = tr.To.Step
			if g.Phase(i).Steps == nil {
				require.Empty(t, tr.To.Step)
				steps[name] = g.Phase(i).Step
			}
		}
		if tr.To.Done {
			return steps
		}
	}
}

// A plan lists exactly the steps under which runs enter a phase, over all values of the unknown
// flags.
func TestUnderIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 1))
	several := 0
	for range testscale.Of(60, 12) {
		it := itinerarytest.Generate(r, false, false)
		g := machine.MustCompile(it)
		for f := range itinerarytest.Partial {
			want := map[string]map[string]bool{}
			for full := range itinerarytest.Assignments {
				if !completes(full, f) {
					continue
				}
				for phase, step := range entered(t, g, full) {
					if want[phase] == nil {
						want[phase] = map[string]bool{}
					}
					want[phase][step] = true
				}
			}
			plan := g.Plan(f)
			for i := range g.Len() {
				name := g.Phase(i).Name
				if plan.Runs(i) == phases.False {
					continue
				}
				about := fmt.Sprintf("%s of %+v: true %v, false %v", name, it.Phases, four.Names(f.True()), four.Names(f.False()))
				got := map[string]bool{}
				for step, sure := range plan.Under(i) {
					got[g.Steps()[step]] = true
					require.Equal(t, len(want[name]) == 1, sure == phases.True, about)
				}
				without := want[name][""]
				delete(want[name], "")
				require.Equal(t, want[name], got, about)
				if len(got) == 1 && !without {
					require.Equal(t, got[plan.Phase(i).Step], true, about)
				}
				if len(got) > 1 {
					several++
				}
			}
		}
	}
	assert.Greater(t, several, 100)
}

// The step of a phase is fixed when it is entered, whatever the facts become, and a machine waits
// until the step is known.
func TestStepIsFixedWhenThePhaseIsEntered(t *testing.T) {
	it := phases.Itinerary{Name: "Disks", Vocabulary: four, Phases: []phases.Phase{
		{Name: "Begin", Step: "Prepare"},
		{Name: "CreateVolumes", Step: "Prepare", Decides: flagA, Steps: []phases.GuardedStep{
			{Step: "Transfer", Guard: all(flagA)}, {Step: "Check", Guard: all(flagB)},
		}},
		{Name: "End", End: true},
	}}
	set := machine.MustCompileSet(it)
	g, err := set.Graph("Disks")
	require.NoError(t, err)
	m, err := g.NewMachine(machine.Position{Phase: "Begin"}, phases.Facts{})
	require.NoError(t, err)
	assert.Equal(t, flagA|flagB, m.Depends())
	_, err = m.Advance(context.Background())
	require.EqualError(t, err, `itinerary "Disks" at Begin: the next phase depends on A and B, which are not known yet`)

	m.SetFacts(phases.NewFacts(flagA, 0))
	tr, err := m.Advance(context.Background())
	require.NoError(t, err)
	at := machine.Position{Phase: "CreateVolumes", Step: "Transfer"}
	assert.Equal(t, at, tr.To)
	m.SetFacts(facts(0))
	r, err := set.Resume(m.Checkpoint(), "Disks")
	require.NoError(t, err)
	for _, m := range []*machine.Machine{m, r.Machine} {
		assert.Equal(t, at, m.Position())
		assert.Equal(t, "Transfer", m.Plan().Phase(1).Step)
		for step, sure := range m.Plan().Under(1) {
			assert.Equal(t, "Transfer", g.Steps()[step])
			assert.Equal(t, phases.True, sure)
		}
	}

	// A step that the phase no longer has is determined from the facts.
	c := m.Checkpoint()
	c.Step = "Gone"
	c.Facts = four.Record(facts(flagB), c.Facts.Hash)
	r, err = set.Resume(c, "Disks")
	require.NoError(t, err)
	assert.Equal(t, "Check", r.Position().Step)

	it.Cleanup = true
	m, err = machine.MustCompile(it).NewMachine(machine.Position{Phase: "Begin"}, phases.Facts{})
	require.NoError(t, err)
	tr, err = m.Advance(context.Background())
	require.NoError(t, err)
	assert.Equal(t, "Prepare", tr.To.Step, "in a cleanup itinerary a guard that is unknown does not admit")
}

// A flag that a phase decides may still change the step of a later phase.
func TestTentativeStep(t *testing.T) {
	for _, back := range []bool{false, true} {
		it := phases.Itinerary{Name: "Disks", Vocabulary: four, Phases: []phases.Phase{
			{Name: "Inspect", Step: "Prepare", Decides: flagA},
			{Name: "CreateVolumes", Step: "Prepare", Steps: []phases.GuardedStep{{Step: "Transfer", Guard: all(flagA)}}},
			{Name: "Copy", Step: "Transfer"},
		}}
		if back {
			it.Phases[2].Jumps = []phases.Jump{{To: "Inspect", Guard: all(flagB)}}
		}
		p := machine.MustCompile(it).Plan(facts(0))
		assert.Equal(t, phases.True, p.Runs(1))
		assert.True(t, p.Tentative(1))
		assert.False(t, p.Tentative(2))
		assert.Equal(t, "Prepare", p.Phase(1).Step)
	}
}

// An earlier release may have ended in a phase that is no longer an end phase, and recorded no
// step.
func TestPositionOfAPhaseThatNoLongerEnds(t *testing.T) {
	g := machine.MustCompile(phases.Itinerary{Name: "Disks", Vocabulary: four, Phases: []phases.Phase{
		{Name: "Inspect", Step: "Prepare"},
		{Name: "Copy", Step: "Copy", Steps: []phases.GuardedStep{{Step: "Transfer", Guard: all(flagA)}}},
	}})
	for _, f := range []phases.Facts{{}, facts(flagA)} {
		m, err := g.NewMachine(machine.Position{Phase: "Copy", Done: true}, f)
		require.NoError(t, err)
		assert.Equal(t, machine.Position{Phase: "Copy", Done: true}, m.Position())
	}
}

// A run that an earlier release ended in an end phase, since renamed, keeps the step under which it
// ended.
func TestStepOfAFormerEndPhase(t *testing.T) {
	g := machine.MustCompile(phases.Itinerary{Name: "Move", Vocabulary: four, Phases: []phases.Phase{
		{Name: "Copy", Step: "Data"},
		{Name: "Completed", Formerly: []string{"Ended"}, Step: "Cleanup", End: true, Steps: []phases.GuardedStep{
			{Step: "Report", Guard: phases.Guard{All: flagA}},
		}},
	}})
	plan, err := g.PlanFrom(machine.Position{Phase: "Ended", Step: "Report", Done: true}, phases.Facts{})
	require.NoError(t, err)
	assert.Equal(t, "Report", g.Steps()[plan.StepOf(1)])
}

// A plan of a long itinerary whose phases each have many steps with unknown guards takes linear
// time: cases beyond those of a few flags are not separated.
func TestPlanWithManyGuardedSteps(t *testing.T) {
	var defs []phases.FlagDef
	for i := range phases.MaxFlags {
		defs = append(defs, phases.FlagDef{Flag: 1 << i, Name: fmt.Sprintf("F%02d", i)})
	}
	it := phases.Itinerary{Name: "Long", Vocabulary: phases.MustVocabulary(defs)}
	for i := range 1000 {
		p := phases.Phase{Name: fmt.Sprintf("P%03d", i), Step: "Own"}
		for k := range 9 { // 1023 cases
			p.Steps = append(p.Steps, phases.GuardedStep{Step: fmt.Sprintf("S%d", k), Guard: phases.Guard{All: 3 << (2 * k)}})
		}
		it.Phases = append(it.Phases, p)
	}
	g := machine.MustCompile(it)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	plan := g.Plan(phases.Facts{})
	plan.Matters()
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(32<<20))
	assert.Equal(t, phases.Flags(1<<18-1), plan.Matters())
	steps := 0
	for _, sure := range plan.Under(0) {
		assert.Equal(t, phases.Unknown, sure)
		steps++
	}
	assert.Equal(t, 10, steps)
}
