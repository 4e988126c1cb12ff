package machinetest_test

import (
	"testing"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/machine/verify"
	"github.com/konveyor/dynamic-pipeline/phases"
)

func TestBackup(t *testing.T) {
	life := machinetest.New(t, setup())
	life.Run(machinetest.Flags("HasVolumes", "Quiesce"), machinetest.CrashBefore("Snapshot"))
	life.WantPhases("Backup", "Validate", "StopTraffic", "Snapshot", "Upload", "StartTraffic", "Report")
	life.WantMessages("Prepare: Completed", "Volumes: Completed", "Upload: Completed", "Finish: Completed")
}

func TestAnUploadThatFails(t *testing.T) {
	life := machinetest.New(t, setup())
	life.Run(machinetest.Flags("Quiesce"), machinetest.Fail("Upload", "no space left"))
	life.WantFailures("Backup/Upload: no space left")
	life.WantItinerary("CleanUp")
	life.WantResult(phases.Failed)
	life.WantSteps("Prepare", "Upload", "CleanUp") // no step Volumes: there are none
}

// What an exploration wants to see declared, the verifier does not take for wrong.
func TestItinerariesOfBackups(t *testing.T) {
	verify.Test(t, machine.MustCompileSet(itineraries()...), verify.Options{Selected: []string{"Backup", "CleanUp"}})
}

func TestEveryBackup(t *testing.T) {
	machinetest.Explore(t, machinetest.Exploration[*Backup, Cluster]{
		Setup:      setup(),
		Edits:      []string{"cancel"},
		Settled:    []string{"StartTraffic"},
		NeverFails: []string{"CleanUp/StartTraffic"}, // nothing could turn traffic on again
	})
}

func TestTheItineraryAlone(t *testing.T) {
	life := machinetest.New(t, machinetest.NewScripted(machinetest.Script{
		Itineraries: machine.MustCompileSet(itineraries()...), Itinerary: "Backup",
	}))
	life.Run(machinetest.Flags("Quiesce"), machinetest.Decide("StopTraffic", "TrafficOff"))
	life.WantPhases("Backup", "Validate", "StopTraffic", "Upload", "StartTraffic", "Report")
}
