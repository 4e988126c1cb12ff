package conformance

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// warm returns forklift's warm migration, which copies in a loop until the cutover. It
// is written as YAML; TestWarmIsAsRecorded compares that with the recording.
func warm(t *testing.T) phases.Itinerary {
	t.Helper()
	f, err := os.Open("testdata/forklift-warm.yaml")
	require.NoError(t, err)
	defer f.Close()
	file, err := phases.Load(f, f.Name())
	require.NoError(t, err)
	it, err := file.Itinerary("Warm")
	require.NoError(t, err)
	return it
}

func TestWarmIsAsRecorded(t *testing.T) {
	type jump struct {
		To  string   `json:"to"`
		All []string `json:"all"`
	}
	type phase struct {
		Name    string   `json:"name"`
		All     []string `json:"all"`
		Decides []string `json:"decides"`
		Jumps   []jump   `json:"jumps"`
	}
	var recorded struct {
		Name   string  `json:"name"`
		Phases []phase `json:"phases"`
	}
	data, err := os.ReadFile("testdata/forklift-warm.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &recorded))

	it := warm(t)
	// Flags as names, in the order of the vocabulary; none as nil.
	names := func(f phases.Flags) []string { return append([]string(nil), it.Vocabulary.Names(f)...) }
	var written []phase
	for _, p := range it.Phases {
		w := phase{Name: p.Name, All: names(p.Guard.All), Decides: names(p.Decides)}
		require.Equal(t, phases.Guard{All: p.Guard.All}, p.Guard)
		for _, j := range p.Jumps {
			require.Equal(t, phases.Guard{All: j.Guard.All}, j.Guard)
			w.Jumps = append(w.Jumps, jump{To: j.To, All: names(j.Guard.All)})
		}
		written = append(written, w)
	}
	assert.Equal(t, recorded.Name, it.Name)
	assert.Empty(t, cmp.Diff(recorded.Phases, written), "-recorded +written")
}

// turnBack are the phases that run between two copies.
const turnBack = "RemovePreviousSnapshot WaitForPreviousSnapshotRemoval CreateSnapshot WaitForSnapshot StoreSnapshotDeltas AddCheckpoint"

func TestWarmPlan(t *testing.T) {
	it := warm(t)
	g := machine.MustCompile(it)
	vsphere, err := it.Vocabulary.Parse("VSphere")
	require.NoError(t, err)
	due, err := it.Vocabulary.Parse("CutoverDue")
	require.NoError(t, err)
	facts := phases.NewFacts(vsphere, it.Vocabulary.All()&^vsphere)

	// Whether the cutover is due or not, the plan shows the loop and the phases after
	// it.
	want := []string{"Initialize", "DiskTransfer", "Cutover", "VirtualMachineCreation"}
	loop := strings.Fields(turnBack)
	for _, f := range []phases.Facts{facts, facts.Set(due, phases.True)} {
		plan := g.Plan(f)
		assert.Equal(t, want, steps.Visible(plan))
		assert.Empty(t, steps.Possible(plan))
		for i := range g.Len() {
			inLoop := slices.Contains(loop, g.Phase(i).Name)
			assert.Equal(t, inLoop, plan.Tentative(i), "%s: only the turn back depends on the cutover", g.Phase(i).Name)
		}
	}
	// If it is unknown whether the cutover is due, the phases after the loop are still
	// certain.
	plan := g.Plan(facts.Forget(due))
	assert.Equal(t, want, steps.Visible(plan))
	i, err := g.Lookup("CreateSnapshot")
	require.NoError(t, err)
	assert.Equal(t, phases.Unknown, plan.Runs(i))
	assert.Equal(t, due, plan.Matters())
}

func TestWarmThroughThreeTurns(t *testing.T) {
	it := warm(t)
	g := machine.MustCompile(it)
	yes, err := it.Vocabulary.Parse("VSphere", "RequiresConversion")
	require.NoError(t, err)
	due, err := it.Vocabulary.Parse("CutoverDue")
	require.NoError(t, err)
	facts := phases.NewFacts(yes, it.Vocabulary.All()&^yes)
	m, err := g.NewMachine(machine.Position{}, facts)
	require.NoError(t, err)

	now := time.Date(2025, 3, 1, 9, 0, 0, 0, time.UTC)
	var ran []string
	var p steps.Pipeline
	var started string
	turns := 0
	for !m.Position().Done {
		tr, err := m.Advance(context.Background())
		require.NoError(t, err)
		now = now.Add(time.Minute)
		p = steps.Sync(p, steps.Snapshot{Plan: m.Plan()}, now)
		ran = append(ran, tr.To.Phase)
		if tr.To.Done { // by the end phase, which has no step
			break
		}
		require.Equal(t, tr.To.Phase, p.Current().Phase)

		transfer, _ := p.Lookup("DiskTransfer")
		switch tr.To.Phase {
		case "CopyDisks":
			turns++
			require.Equal(t, turns > 1, tr.Jumped)
		case "CopyingPaused":
			if turns == 3 {
				m.SetFacts(facts.Set(due, phases.True))
			}
		case "StorePowerState":
			require.True(t, tr.Jumped)
		}
		if turns > 0 && started == "" {
			started = transfer.Started.String()
		}
		if turns > 0 {
			require.Equal(t, started, transfer.Started.String(), "the start of a step never moves")
			inLoop := g.Steps()[g.StepOf(index(t, g, tr.To.Phase))] == "DiskTransfer"
			require.Equal(t, inLoop, transfer.Open(), "%s: the step is open as long as the loop runs", tr.To.Phase)
		}
	}

	first := strings.Fields("Started CreateInitialSnapshot WaitForInitialSnapshot StoreInitialSnapshotDeltas CreateDataVolumes")
	turn := strings.Fields("CopyDisks CopyingPaused " + turnBack)
	last := strings.Fields(`CopyDisks CopyingPaused StorePowerState PowerOffSource WaitForPowerOff RemovePenultimateSnapshot
		WaitForPenultimateSnapshotRemoval CreateFinalSnapshot WaitForFinalSnapshot AddFinalCheckpoint Finalize
		RemoveFinalSnapshot CreateGuestConversionPod ConvertGuest CreateVM Completed`)
	want := append(append(append(first, turn...), turn...), last...)
	assert.Empty(t, cmp.Diff(want, ran), "-want +ran")

	var names []string
	for _, s := range p {
		names = append(names, s.Name)
		assert.Equal(t, steps.MessageCompleted, s.Message)
	}
	assert.Equal(t, []string{"Initialize", "DiskTransfer", "Cutover", "ImageConversion", "VirtualMachineCreation"}, names)
}

func index(t *testing.T, g *machine.Graph, phase string) int {
	t.Helper()
	i, err := g.Lookup(phase)
	require.NoError(t, err)
	return i
}
