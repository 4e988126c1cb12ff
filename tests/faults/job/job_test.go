package job_test

import (
	"testing"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/tests/faults/job"
)

// TestLives explores the lives of the controller. Each case combines only events that
// do not commute.
func TestLives(t *testing.T) {
	const none = -1
	type exploration = machinetest.Exploration[*job.List, job.World]
	for _, tt := range []struct {
		name  string
		setup machinetest.Setup[*job.List, job.World]
		x     exploration
	}{
		{"failures and crashes", job.NewOne(), exploration{Edits: []string{"cancel"}, Errors: none, Changes: none}},
		{"a live flag", job.NewOne(), exploration{Failures: none, Crashes: none, Errors: none,
			NeverCalled: []string{"CleanUp/Undo", "CleanUp/Report"}}},
		{"limits and pauses", job.NewOne(), exploration{Fixed: []string{"!Notify"}, Edits: []string{"pause", "resume", "cancel"},
			Crashes: none, Changes: none, NeverCalled: []string{"Tell"}, NeverFails: []string{"Measure", "Report"}}},
		{"runs that begin again", job.NewOne(), exploration{Fixed: []string{"!Notify"},
			Edits:   []string{"again", "again from the failed phase"},
			Crashes: none, Errors: none, Changes: none, NeverCalled: []string{"Tell"}}},
		{"two runs in one object", job.New(), exploration{Crashes: none, Errors: none, Changes: none}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.x.Setup, tt.x.MaxStates, tt.x.MayBeInconclusive = tt.setup, testscale.Of(5000, 200), testscale.Reduced
			t.Log(machinetest.Explore(t, tt.x))
		})
	}
}
