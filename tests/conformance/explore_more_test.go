//go:build !race

package conformance

import (
	"testing"

	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// A pause at every moment of Stage, with a cancel, which passes it; and another run of
// Stage from whichever phase failed. A run that a pause holds does not move: its end
// commutes with the rest, and is explored in tests/faults/job. The race detector makes
// this some ten times slower, and TestExplore suffices to find races.
func TestExploreMore(t *testing.T) {
	for _, tt := range []struct {
		name     string
		edits    []string
		leads    string
		failures int
	}{
		{"pauses", []string{"cancel", "pause"}, mtc.Cancel, -1},
		{"runs that begin again", []string{"again from the failed phase"}, mtc.Failed, 1},
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
