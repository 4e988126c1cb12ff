package dump_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/dumptest"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/dump"
	"github.com/konveyor/dynamic-pipeline/phases"
)

func TestRunsRefused(t *testing.T) {
	g := machine.MustCompile(dumptest.Disks())
	twice := []dump.Run{{Name: "vm-1"}, {Name: "vm-1", At: machine.Position{Phase: "Copy"}}}
	_, err := dump.New(dump.Options{}, dump.Itinerary{Graph: g, Runs: twice})
	require.ErrorAs(t, err, new(*dump.OptionsError))
	assert.ErrorContains(t, err, `run "vm-1" of itinerary "Disks" is given twice; remove one`)

	_, err = dump.New(dump.Options{}, dump.Itinerary{Plan: g.Plan(phases.Facts{}), Runs: twice[:1]})
	require.ErrorAs(t, err, new(*dump.OptionsError))
	assert.ErrorContains(t, err, "both a plan and runs; leave one out")

	_, err = dump.New(dump.Options{}, dump.Itinerary{Graph: g, Runs: []dump.Run{{Name: "vm-1", At: machine.Position{Phase: "Kopy"}}}})
	unknown := new(machine.UnknownPhaseError)
	require.ErrorAs(t, err, &unknown)
	assert.Equal(t, []string{"Copy"}, unknown.Nearest)
}

// Each run is counted exactly once, also at an end phase and under a former name of its
// phase.
func TestRunsAreCounted(t *testing.T) {
	g := machine.MustCompile(dumptest.NewerDisks())
	var runs []dump.Run
	for i, at := range []machine.Position{
		{}, {}, {Phase: "CreateVolumes"}, {Phase: "CreateDisks"}, {Phase: "Copy"}, {Phase: "Completed", Done: true}, {Phase: "Completed"}, {Done: true},
	} {
		runs = append(runs, dump.Run{Name: fmt.Sprintf("vm-%d", i), At: at}, dump.Run{Name: fmt.Sprintf("bad-%d", i), At: at, Failed: true})
	}
	d, err := dump.New(dump.Options{}, dump.Itinerary{Graph: g, Runs: runs})
	require.NoError(t, err)
	text := d.Text()
	assert.Contains(t, text, "16 runs: 2 not begun, 3 under way, 3 done, 8 failed\n")
	assert.Contains(t, text, ">!  CreateDisks  2 here: vm-2 and vm-3; 2 failed: bad-2 and bad-3;")
	assert.Contains(t, text, "(done)         1 done: vm-7; 1 failed: bad-7\n")
	svg := string(d.SVG())
	for _, tag := range []string{"2 not begun", "2 here", "2 done", "2 failed"} {
		assert.Contains(t, svg, ">"+tag+"</text>")
	}
}
