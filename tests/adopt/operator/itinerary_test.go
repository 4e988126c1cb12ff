package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// script returns the itineraries without the operator: each phase is done at
// once, and the test sets the flags.
func script() machinetest.Setup[*machinetest.Object, struct{}] { return scriptOf(itineraries) }

func scriptOf(set *machine.Set) machinetest.Setup[*machinetest.Object, struct{}] {
	rollback := map[string]string{"Upgrade": "Rollback"}
	return machinetest.NewScripted(machinetest.Script{
		Itineraries: set, Itinerary: "Upgrade", OnFail: rollback, OnCancel: rollback,
	})
}

func TestReplicasAreRebuiltInALoop(t *testing.T) {
	life := machinetest.New(t, script())
	life.Run(
		machinetest.Flags("ReplicasMissing"),
		machinetest.Decide("RebuildReplica", "!ReplicasMissing").Call(3),
	)
	life.WantPhases("Upgrade", "Check", "CreatePrimary", "RebuildReplica", "RebuildReplica", "RebuildReplica",
		"StopWrites", "CatchUp", "Promote", "AcceptWrites", "RemoveOldServers")
	life.WantSteps("Check", "Primary", "Replicas", "Cutover", "Cleanup")
}

func TestIndexesAreRebuiltIfCollationChanged(t *testing.T) {
	life := machinetest.New(t, script())
	life.Run(machinetest.Decide("CreatePrimary", "CollationChanged"))
	life.WantSteps("Check", "Primary", "Indexes", "Cutover", "Cleanup")
	life.WantResult(phases.Succeeded)
}

func TestFailureBeforeNewServersNeedsNoRollback(t *testing.T) {
	life := machinetest.New(t, script())
	life.Run(machinetest.Flags("WantsBackup"), machinetest.Fail("BackUp", "no space left"))
	life.WantItinerary("Rollback")
	life.WantMessages("Check: Completed", "Backup: Failed")
	life.WantResult(phases.Failed)
}

func TestCancelInCutoverIsRolledBack(t *testing.T) {
	life := machinetest.New(t, script())
	life.Run(machinetest.Decide("CreatePrimary", "HasNewServers"), machinetest.Edit("CatchUp", "cancel"))
	life.WantMessages("Check: Completed", "Primary: Completed", "Cutover: Canceled", "Rollback: Completed")
	life.WantResult(phases.Canceled)
}

// An older release that does not have the phase of a run stops it with an
// error that names the phase; a cancel still rolls the run back.
func TestRollbackToOlderRelease(t *testing.T) {
	s := script()
	s.Releases = map[string]func(*struct{}) runner.Options[*machinetest.Object]{"older": older(t)}
	life := machinetest.New(t, s)
	var unknown *machine.UnknownPhaseError
	require.ErrorAs(t, life.RunToError(machinetest.Release("CatchUp", "older")), &unknown)
	assert.Equal(t, "CatchUp", unknown.Phase)

	life = machinetest.New(t, s)
	life.Run(machinetest.Decide("CreatePrimary", "HasNewServers"),
		machinetest.Release("CatchUp", "older"), machinetest.Edit("CatchUp", "cancel"))
	life.WantMessages("Check: Completed", "Primary: Completed", "Cutover: Canceled", "Rollback: Completed")
}

// older returns a release without the phase CatchUp.
func older(t *testing.T) func(*struct{}) runner.Options[*machinetest.Object] {
	var all []phases.Itinerary
	for _, name := range itineraries.Names() {
		g, err := itineraries.Graph(name)
		require.NoError(t, err)
		it := phases.Itinerary{Name: name, Vocabulary: g.Vocabulary(), Cleanup: g.IsCleanup(), Result: g.Result()}
		for i := range g.Len() {
			if p := g.Phase(i); p.Name != "CatchUp" {
				it.Phases = append(it.Phases, p)
			}
		}
		all = append(all, it)
	}
	return scriptOf(machine.MustCompileSet(all...)).Options
}

// The exploration covers all flags, each decision both ways, and a failure, a
// crash and a cancel at every moment.
func TestExploreItineraries(t *testing.T) {
	report := machinetest.Explore(t, machinetest.Exploration[*machinetest.Object, struct{}]{
		Setup: script(), Edits: []string{"cancel"}, Switches: map[string][]string{"Upgrade": {"Rollback"}},
	})
	assert.False(t, report.Inconclusive)
	if !t.Failed() { // or Explore has reported it
		t.Log(report)
	}
}
