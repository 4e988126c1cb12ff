package machinetest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// twoFailures has an invariant that breaks only beyond the bounds of an exploration: two phases
// fail, one of them in the cleanup.
func twoFailures() machinetest.Setup[*Backup, Cluster] {
	s := setup()
	s.Source.Expression = "twoFailures()"
	s.Invariants = []machinetest.Invariant[*Backup, Cluster]{{Name: "at most one failure",
		Check: func(s machinetest.Snapshot[*Backup, Cluster]) error {
			if s.State.FailedPhases > 0 && s.State.FailedInCleanup > 0 {
				return assert.AnError
			}
			return nil
		}}}
	return s
}

// A random life that breaks is shrunk to a script in which every line is needed.
func TestWalk(t *testing.T) {
	w := machinetest.Walks[*Backup, Cluster]{Setup: twoFailures(), Seed: 7, Lives: 150, Edits: []string{"cancel", "pause", "resume"}}
	var report *machinetest.WalkReport
	got := reports(func(tb machinetest.TB) { report = machinetest.Walk(tb, w) })
	require.Len(t, got, 1)
	assert.Contains(t, got[0], "seed 7: at most one failure, in itinerary CleanUp: the invariant does not hold")
	assert.Contains(t, got[0], "setup := twoFailures()")
	f := report.Found[0]
	require.True(t, f.Reproduced)
	require.Len(t, f.Script, 3, f) // the flags, and two failures
	assert.Contains(t, f.Script[0].String(), "machinetest.Flags(")

	for i := range f.Script[1:] { // each is needed
		s := twoFailures()
		s.EachWrite = true
		less := append(append([]machinetest.Line{}, f.Script[:i+1]...), f.Script[i+2:]...)
		assert.Empty(t, reports(func(tb machinetest.TB) { machinetest.New(tb, s).Run(less...) }))
	}
}

// Random lives of setups without faults break nothing.
func TestWalkWithoutFaults(t *testing.T) {
	lives := testscale.Of(30, 10)
	w := machinetest.Walks[*Backup, Cluster]{Setup: again(), Seed: 1, Lives: lives, NeverFails: []string{"StartTraffic"},
		Settled: []string{"StartTraffic"}, Edits: []string{"cancel", "pause", "resume", "again", "again from the failed phase"}}
	report := machinetest.Walk(t, w)
	assert.Equal(t, lives, report.Lives)
	assert.Greater(t, report.Reconciles, testscale.Of(100, 30))
	assert.Equal(t, report, machinetest.Walk(t, w), "the same seed, the same walks")
	w.Seed = 2
	assert.NotEqual(t, report.Reconciles, machinetest.Walk(t, w).Reconciles)
	machinetest.Walk(t, machinetest.Walks[*machinetest.Object, struct{}]{
		Setup: choosing(), Seed: 2, Lives: lives, Edits: []string{"cancel", "pause", "resume"}})
}

func TestWalkRefused(t *testing.T) {
	got := reports(func(tb machinetest.TB) {
		machinetest.Walk(tb, machinetest.Walks[*Backup, Cluster]{Setup: setup(), Edits: []string{"abort"}})
	})
	wantReports(t, got, `the walks name an edit "abort", which Setup.Edits does not have`)
	s := setup()
	s.Options = func(*Cluster) runner.Options[*Backup] { return runner.Options[*Backup]{} }
	got = reports(func(tb machinetest.TB) { machinetest.Walk(tb, machinetest.Walks[*Backup, Cluster]{Setup: s}) })
	require.Len(t, got, 1)
	assert.Contains(t, got[0], "runner options: ")
}
