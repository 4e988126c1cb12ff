package machinetest_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/machine/verify"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// The table in the package comment is TestBackupItinerary.
func TestPackageCommentTable(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	var table strings.Builder
	for line := range strings.Lines(string(doc)) {
		if code, ok := strings.CutPrefix(line, "//\t"); ok {
			table.WriteString(code)
		}
	}
	require.NotEmpty(t, table.String())
	text, err := os.ReadFile("readme_test.go")
	require.NoError(t, err)
	assert.Contains(t, string(text), table.String())
}

func TestBackupItinerary(t *testing.T) {
	type script = []machinetest.Line
	for name, tt := range map[string]struct {
		script script
		steps  []string
		result phases.Result
	}{
		"no volumes": {script{machinetest.Flags()},
			[]string{"Prepare", "Upload", "Finish"}, phases.Succeeded},
		"volumes": {script{machinetest.Flags("HasVolumes")},
			[]string{"Prepare", "Volumes", "Upload", "Finish"}, phases.Succeeded},
		"upload fails": {script{machinetest.Flags(), machinetest.Fail("Upload", "no space left")},
			[]string{"Prepare", "Upload", "CleanUp"}, phases.Failed},
		"canceled": {script{machinetest.Flags(), machinetest.Edit("Upload", "cancel")},
			[]string{"Prepare", "Upload", "CleanUp"}, phases.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			life := machinetest.New(t, setup())
			life.Run(tt.script...)
			life.WantSteps(tt.steps...)
			life.WantResult(tt.result)
		})
	}
}

func TestBackup(t *testing.T) {
	life := machinetest.New(t, setup())
	life.Run(machinetest.Flags("HasVolumes", "Quiesce"), machinetest.CrashBefore("Snapshot"))
	life.WantPhases("Backup", "Validate", "StopTraffic", "Snapshot", "Upload", "StartTraffic", "Report")
	life.WantMessages("Prepare: Completed", "Volumes: Completed", "Upload: Completed", "Finish: Completed")
}

func TestBackupWhoseUploadFails(t *testing.T) {
	life := machinetest.New(t, setup())
	life.Run(machinetest.Flags("Quiesce"), machinetest.Fail("Upload", "no space left"))
	life.WantFailures("Backup/Upload: no space left")
	life.WantItinerary("CleanUp")
	life.WantResult(phases.Failed)
	life.WantSteps("Prepare", "Upload", "CleanUp") // no step Volumes: there are no volumes
	if life.World().TrafficOff {
		t.Error("the cleanup did not turn traffic on again")
	}
}

func TestBackupWhoseCleanupFails(t *testing.T) {
	life := machinetest.New(t, setup())
	life.Run(
		machinetest.Flags("HasVolumes"),
		machinetest.Fail("Upload", "no space left").In("Backup"),
		machinetest.Fail("DeleteSnapshot", "busy").In("CleanUp"),
	)
	life.WantPhases("CleanUp", "StartTraffic", "DeleteSnapshot", "Report") // the cleanup continues
	life.WantFailures("Backup/Upload: no space left", "CleanUp/DeleteSnapshot: busy")
	life.WantResult(phases.Failed)
}

func TestBackupWithoutCleanup(t *testing.T) {
	life := machinetest.New(t, machinetest.NewScripted(machinetest.Script{
		Itineraries: machine.MustCompileSet(itineraries()...), Itinerary: "Backup", // and no OnFail
	}))
	err := life.RunToError(machinetest.Fail("Upload", "no space left"))
	var unanswered *runner.UnansweredFailureError
	require.ErrorAs(t, err, &unanswered)
	life.WantPhases("Backup", "Validate", "Upload")
}

func TestBackupExploration(t *testing.T) {
	machinetest.Explore(t, machinetest.Exploration[*Backup, Cluster]{
		Setup:      setup(),
		Edits:      []string{"cancel"},
		Settled:    []string{"StartTraffic"},
		NeverFails: []string{"CleanUp/StartTraffic"}, // nothing else can turn traffic on again
	})
}

// The verifier accepts the itineraries that the exploration uses.
func TestBackupItinerariesVerified(t *testing.T) {
	verify.Test(t, machine.MustCompileSet(itineraries()...), verify.Options{Selected: []string{"Backup", "CleanUp"}})
}

func TestScriptedBackup(t *testing.T) {
	life := machinetest.New(t, machinetest.NewScripted(machinetest.Script{
		Itineraries: machine.MustCompileSet(itineraries()...), Itinerary: "Backup",
	}))
	life.Run(machinetest.Flags("Quiesce"), machinetest.Decide("StopTraffic", "TrafficOff"))
	life.WantPhases("Backup", "Validate", "StopTraffic", "Upload", "StartTraffic", "Report")
}

func TestScriptedBackupWhoseUploadFails(t *testing.T) {
	life := machinetest.New(t, machinetest.NewScripted(machinetest.Script{
		Itineraries: machine.MustCompileSet(itineraries()...), Itinerary: "Backup",
		OnFail: map[string]string{"Backup": "CleanUp"},
	}))
	life.Run(machinetest.Flags(), machinetest.Fail("Upload", "no space left"))
	life.WantItinerary("CleanUp")
	life.WantResult(phases.Failed)
}
