package runner_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
)

func lives() machinetest.Setup[*machinetest.Object, struct{}] {
	return machinetest.NewScripted(machinetest.Script{
		Itineraries: machine.MustCompileSet(itineraries()...), Itinerary: "Move", OnFail: map[string]string{"Move": "CleanUp"},
	})
}

// A write that is lost, done twice or refused, and a crash before or after it, changes
// nothing that users see, in whichever phase.
func TestWritesThatFail(t *testing.T) {
	live := func(script ...machinetest.Line) []string {
		life := machinetest.New(t, lives())
		life.Run(append(script, machinetest.Flags("Volumes", "Images"))...)
		var read []string // all texts of the pipeline, each once
		for _, p := range life.Record().Pipelines() {
			text := ""
			for _, s := range p {
				text += fmt.Sprintf("%s: %s | ", s.Name, s.Message)
			}
			read = append(read, text)
		}
		return read
	}
	want := live()
	assert.Len(t, want, 5, "one for each phase, and the end")
	for name, fault := range map[string]func(string) machinetest.Line{
		"lost": machinetest.LoseWrite, "twice": machinetest.WriteTwice, "conflict": machinetest.Conflict,
		"crash before": machinetest.CrashBefore, "crash after": machinetest.CrashAfter,
	} {
		for _, phase := range []string{machinetest.Start, "Refresh", "Copy", "Images", "Attach"} {
			if diff := cmp.Diff(want, live(fault(phase))); diff != "" {
				t.Errorf("%s at %q: -want +got\n%s", name, phase, diff)
			}
		}
	}
}

// All lives are explored, with failures, crashes and pauses at every moment. A phase
// that decides a flag and is left in the middle is tested in tests/conformance.
func TestLives(t *testing.T) {
	machinetest.Explore(t, machinetest.Exploration[*machinetest.Object, struct{}]{
		Setup: lives(), NeverFails: []string{"Refresh"}, Failures: 2, Edits: []string{"pause", "resume"},
	})
}
