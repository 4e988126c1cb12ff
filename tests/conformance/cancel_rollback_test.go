package conformance

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// afterCanceling lists the phases of Cancel in order, with upstream's guards. It is
// independent of package mtc.
var afterCanceling = []struct {
	phase string
	needs phases.Flags
}{
	{"DeleteBackups", 0},
	{"DeleteRestores", 0},
	{"DeleteRegistries", 0},
	{"DeleteHookJobs", 0},
	{"DeleteDirectVolumeMigrationResources", mtc.DirectVolume},
	{"DeleteDirectImageMigrationResources", mtc.DirectImage},
	{"EnsureStagePodsDeleted", mtc.HasStagePods},
	{"EnsureAnnotationsDeleted", mtc.HasStageBackup},
}

func canceled(yes phases.Flags) []string {
	all := []string{"Canceling"}
	if !yes.Has(mtc.RollingBack) {
		for _, p := range afterCanceling {
			if yes.Has(p.needs) {
				all = append(all, p.phase)
			}
		}
	}
	return append(all, "UnQuiesceSrcApplications", "Canceled", "Completed")
}

// A canceled rollback only scales the applications up again. Any other canceled
// migration is cleaned up first, whatever its flags.
func TestCancelOfARollbackAndOfOthers(t *testing.T) {
	g := graph(t, mtc.Cancel)
	reads := mtc.RollingBack
	for _, p := range afterCanceling {
		reads |= p.needs
	}
	require.Equal(t, reads, g.Reads())
	subsets(reads, func(yes phases.Flags) {
		f := phases.NewFacts(yes, mtc.Vocabulary().All()&^yes)
		require.Equal(t, canceled(yes), g.Plan(f).Running(), "%v", mtc.Vocabulary().Names(yes))
		require.NoError(t, planIsRun(g, f))
	})
}

// If it is unknown whether the migration is a rollback, everything is cleaned up.
func TestCancelWithUnknownRollback(t *testing.T) {
	subsets(graph(t, mtc.Cancel).Reads()&^mtc.RollingBack, func(yes phases.Flags) {
		f := phases.NewFacts(yes, mtc.Vocabulary().All()&^yes)
		m, err := graph(t, mtc.Cancel).NewMachine(machine.Position{}, f.Forget(mtc.RollingBack))
		require.NoError(t, err)
		var ran []string
		for {
			tr, err := m.Advance(t.Context())
			require.NoError(t, err)
			ran = append(ran, tr.To.Phase)
			if tr.To.Done {
				break
			}
		}
		require.Equal(t, canceled(yes), ran, "%v", mtc.Vocabulary().Names(yes))
	})
}

// The runner cancels Stage, Final and Rollback at each of their phases.
func TestCancelAtEveryPhase(t *testing.T) {
	for _, name := range []string{mtc.Stage, mtc.Final, mtc.Rollback} {
		yes := mtc.DirectImage | mtc.DirectVolume | mtc.HasPVs | mtc.EnableImage | mtc.EnableVolume | mtc.Quiesce
		if name == mtc.Rollback {
			yes |= mtc.RollingBack
		}
		running := graph(t, name).Plan(phases.NewFacts(yes, mtc.Vocabulary().All()&^yes)).Running()
		require.NotEmpty(t, running)
		for _, at := range running[:len(running)-1] { // without Completed, the end
			t.Run(name+" at "+at, func(t *testing.T) {
				script := machinetest.Script{Itineraries: itineraries, Itinerary: name, OnCancel: onCancel}
				life := machinetest.New(t, machinetest.NewScripted(script))
				life.Run(machinetest.Flags(mtc.Vocabulary().Names(yes)...), machinetest.Edit(at, "cancel"))
				life.WantItinerary(mtc.Cancel)
				life.WantPhases(mtc.Cancel, canceled(yes)...)
				life.WantPhases(name, running[:slices.Index(running, at)+1]...)
			})
		}
	}
}
