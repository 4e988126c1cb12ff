package machine_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// copying ends early if there is nothing to copy (A), and after a failure that its handler finds.
var copying = phases.Itinerary{Name: "Copying", Vocabulary: four, Phases: []phases.Phase{
	{Name: "Scan", Step: "Prepare", Decides: flagA},
	{Name: "Nothing", End: true, Guard: phases.Guard{All: flagA}},
	{Name: "Copy", Step: "Transfer", Jumps: []phases.Jump{
		{To: "Undo", Choice: true}, {To: "Copy", Choice: true}, {To: "Scan", Guard: phases.Guard{All: flagB}},
	}},
	{Name: "Succeeded", Step: "Cleanup", End: true},
	{Name: "Undo", Step: "Cleanup", Steps: []phases.GuardedStep{{Step: "Transfer", Guard: phases.Guard{All: flagC}}}},
	{Name: "Failed", End: true, Step: "Cleanup"},
}}

func TestEndPhaseCompletesTheRun(t *testing.T) {
	set := machine.MustCompileSet(copying, abc)
	g, err := set.Graph("Copying")
	require.NoError(t, err)
	m, err := g.NewMachine(machine.Position{Phase: "Scan"}, facts(flagA))
	require.NoError(t, err)
	next, end := m.Available()
	assert.Equal(t, []string{"Nothing"}, next)
	assert.False(t, end)
	tr, err := m.Advance(context.Background())
	require.NoError(t, err)
	done := machine.Position{Phase: "Nothing", Done: true}
	assert.Equal(t, done, tr.To)
	assert.Equal(t, done, m.Position())
	assert.Equal(t, "Nothing", m.Position().String())
	_, err = m.Advance(context.Background())
	assert.ErrorIs(t, err, machine.ErrDone)

	c := m.Checkpoint()
	assert.Equal(t, "Nothing", c.Phase, "the phase remains readable")
	assert.True(t, c.Done)
	for _, recorded := range []machine.Checkpoint{c, {Itinerary: "Copying", Phase: "Nothing", Facts: c.Facts}} {
		for _, selected := range []string{"Copying", "Letters"} {
			r, err := set.Resume(recorded, selected)
			require.NoError(t, err)
			assert.Equal(t, done, r.Position(), "a recorded end phase means that the run is done")
			assert.Empty(t, r.Plan().Running())
			assert.Equal(t, done, r.Plan().Position())
			assert.Equal(t, c, r.Checkpoint())
			assert.Equal(t, selected == "Letters", r.SwitchHeld == "Letters")
		}
	}
}

func TestEndPhasesInAPlan(t *testing.T) {
	g := machine.MustCompile(copying)
	for _, c := range []struct {
		about string
		from  machine.Position
		facts phases.Facts
		runs  map[string]phases.Truth
		whys  map[string]string
	}{
		{"from the start", machine.Position{}, facts(0),
			map[string]phases.Truth{"Scan": phases.True, "Copy": phases.True, "Succeeded": phases.Unknown, "Undo": phases.Unknown, "Failed": phases.Unknown},
			map[string]string{"Succeeded": machine.WhyChoice, "Undo": machine.WhyChoice, "Nothing": phases.PartAll}},
		{"chosen", machine.Position{Phase: "Copy", Choice: "Undo"}, facts(0),
			map[string]phases.Truth{"Copy": phases.True, "Undo": phases.True, "Failed": phases.True}, nil},
		{"without a choice", machine.Position{Phase: "Undo"}, facts(0),
			map[string]phases.Truth{"Undo": phases.True, "Failed": phases.True}, map[string]string{"Succeeded": machine.WhyBehind}},
	} {
		t.Run(c.about, func(t *testing.T) {
			p, err := g.PlanFrom(c.from, c.facts)
			require.NoError(t, err)
			for i := range g.Len() {
				name := g.Phase(i).Name
				want, listed := c.runs[name]
				if !listed {
					want = phases.False
				}
				assert.Equal(t, want, p.Runs(i), name)
				if why := c.whys[name]; why != "" {
					require.NotNil(t, p.Why(i), name)
					assert.Equal(t, why, p.Why(i).Guard, name)
				}
			}
			assert.Zero(t, p.Matters())
		})
	}
	// A reason names the choice that was made, not a jump that it excludes.
	p, err := g.PlanFrom(machine.Position{Phase: "Copy", Choice: "Undo"}, facts(flagB))
	require.NoError(t, err)
	assert.Equal(t, "is not reached: Copy jumps to Undo", p.Why(3).Text)
	// A choice is not a jump whose guard is unknown.
	asks := machine.MustCompile(phases.Itinerary{Name: "Asks", Vocabulary: four, Phases: []phases.Phase{
		{Name: "Ask", Step: "S", Jumps: []phases.Jump{{To: "Fix", Choice: true}}},
		{Name: "Retry", Step: "S", Guard: phases.Guard{All: flagA}, Jumps: []phases.Jump{{To: "Ask", Choice: true}}},
		{Name: "Next", End: true},
		{Name: "Fix", Step: "S"},
	}})
	why := &machine.Why{Guard: machine.WhyChoice, Flags: []string{}, DecidedBy: []string{}, Text: "depends on the choice of Ask"}
	assert.Equal(t, why, asks.Plan(phases.Facts{}).Why(3))
	// After the work is done without a choice, none can be made.
	m, err := g.NewMachine(machine.Position{Phase: "Copy"}, facts(0))
	require.NoError(t, err)
	m.Finish()
	assert.Equal(t, []string{"Copy", "Succeeded"}, m.Plan().Running())
	assert.Equal(t, "is not reached: Succeeded is the end", m.Plan().Why(4).Text)
	// A later phase can still choose.
	twice := machine.MustCompile(phases.Itinerary{Name: "Twice", Vocabulary: four, Phases: []phases.Phase{
		{Name: "Ask", Step: "S", Jumps: []phases.Jump{{To: "Fix", Choice: true}}},
		{Name: "AskAgain", Step: "S", Jumps: []phases.Jump{{To: "Fix", Choice: true}}},
		{Name: "Next", End: true},
		{Name: "Fix", Step: "S"},
	}})
	m, err = twice.NewMachine(machine.Position{Phase: "Ask"}, facts(0))
	require.NoError(t, err)
	m.Finish()
	assert.Equal(t, "depends on the choice of AskAgain", m.Plan().Why(3).Text)
}

func TestChoose(t *testing.T) {
	set := machine.MustCompileSet(copying)
	g, err := set.Graph("Copying")
	require.NoError(t, err)
	m, err := g.NewMachine(machine.Position{Phase: "Copy"}, facts(flagB))
	require.NoError(t, err)
	next, _ := m.Available()
	assert.Equal(t, []string{"Scan", "Copy", "Undo"}, next, "each choice is possible until one is made")

	for _, phase := range []string{"Scan", "Nowhere", ""} {
		var refused *machine.ChoiceError
		require.ErrorAs(t, m.Choose(phase), &refused)
		want := machine.ChoiceError{Itinerary: "Copying", Phase: "Copy", Choice: phase, Choices: []string{"Undo", "Copy"}}
		assert.Equal(t, want, *refused)
	}
	assert.False(t, m.WorkDone(), "a refused choice is not recorded")
	require.EqualError(t, m.Choose("Scan"),
		`itinerary "Copying": phase "Copy" does not declare the choice to jump to "Scan"; its choices are Undo and Copy`)

	require.NoError(t, m.Choose("Undo"))
	assert.True(t, m.WorkDone())
	r, err := set.Resume(m.Checkpoint(), "Copying")
	require.NoError(t, err)
	assert.Equal(t, machine.Position{Phase: "Copy", Choice: "Undo"}, r.Position(), "a choice is recorded")
	next, _ = r.Available()
	assert.Equal(t, []string{"Undo"}, next)
	require.ErrorAs(t, r.Can("Scan"), new(*machine.TransitionError))
	tr, err := r.Advance(context.Background())
	require.NoError(t, err)
	want := machine.Transition{
		Itinerary: "Copying", Jumped: true,
		From: machine.Position{Phase: "Copy", Choice: "Undo"}, To: machine.Position{Phase: "Undo", Step: "Cleanup"},
	}
	assert.Equal(t, want, tr, "a choice takes precedence over jumps whose guard admits")

	// A release that no longer has the choice refuses to guess.
	var refused *machine.ChoiceError
	_, err = set.Resume(machine.Checkpoint{Itinerary: "Copying", Phase: "Copy", WorkDone: true, Choice: "Scan"}, "Copying")
	require.ErrorAs(t, err, &refused)
	_, err = set.Resume(machine.Checkpoint{Itinerary: "Copying", Phase: "Undo", WorkDone: true, Choice: "Scan"}, "Copying")
	require.EqualError(t, err, `itinerary "Copying": phase "Undo" does not declare the choice to jump to "Scan"; it declares no choice`)
	for _, at := range []machine.Position{{}, {Done: true}} {
		m, err := g.NewMachine(at, facts(0))
		require.NoError(t, err)
		require.ErrorAs(t, m.Choose("Undo"), &refused)
	}
	require.ErrorIs(t, new(machine.Machine).Choose("Undo"), machine.ErrNoItinerary)
}

// An unknown flag does not end a cleanup: the run passes the end phase, and continues.
func TestCleanupPassesAnUncertainEndPhase(t *testing.T) {
	undo := phases.Itinerary{Name: "Undo", Vocabulary: four, Cleanup: true, Phases: []phases.Phase{
		{Name: "Stop", Step: "Undo"},
		{Name: "Nothing", Step: "Report", End: true, Guard: phases.Guard{None: flagA}},
		{Name: "Delete", Step: "Undo"},
		{Name: "Completed", End: true, Guard: phases.Guard{None: flagB}},
	}}
	g := machine.MustCompile(undo)
	for _, c := range []struct {
		facts phases.Facts
		want  []string
	}{
		{phases.Facts{}, []string{"Stop", "Delete", ""}},
		{facts(0), []string{"Stop", "Nothing"}},
		{phases.NewFacts(flagA, flagB), []string{"Stop", "Delete", "Completed"}},
	} {
		m, err := g.NewMachine(machine.Position{}, c.facts)
		require.NoError(t, err)
		var got []string
		for !m.Position().Done {
			tr, err := m.Advance(context.Background())
			require.NoError(t, err)
			got = append(got, tr.To.Phase)
		}
		assert.Equal(t, c.want, got)
	}
	p := g.Plan(phases.Facts{})
	for i, want := range []phases.Truth{phases.True, phases.Unknown, phases.Unknown, phases.Unknown} {
		assert.Equal(t, want, p.Runs(i), g.Phase(i).Name)
	}
}
