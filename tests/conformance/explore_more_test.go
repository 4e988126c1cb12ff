//go:build !race

package conformance

import (
	"testing"

	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// TestExploreMore explores a pause at every moment of Stage, with a cancel that
// overrides it, and another run of Stage from the phase that failed. Resuming a paused
// run commutes with everything else; tests/faults/job explores it. The race detector
// is some ten times slower, and TestExplore suffices to find races.
func TestExploreMore(t *testing.T) {
	for _, tt := range []struct {
		name     string
		edits    []string
		leads    string
		failures int
	}{
		{"pauses", []string{"cancel", "pause"}, mtc.Cancel, -1},
		{"another run", []string{"again from the failed phase"}, mtc.Failed, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := indirect()
			x.Edits, x.Failures, x.Crashes = tt.edits, tt.failures, -1
			x.Setup = machinetest.NewScripted(machinetest.Script{
				Itineraries: itineraries, Itinerary: mtc.Stage, OnFail: onFail, OnCancel: onCancel, RunAgain: tt.failures > 0})
			x.Switches = map[string][]string{mtc.Stage: {tt.leads}, mtc.Failed: {mtc.Stage}}
			report(t, machinetest.Explore(t, x))
		})
	}
}
