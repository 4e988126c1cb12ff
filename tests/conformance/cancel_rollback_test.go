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

// afterCanceling are the phases of Cancel in its order, with the guards that
// upstream gives them, once more and apart from the tables.
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

// A rollback that is canceled only scales the applications up again, and any
// other migration is cleaned up first, whatever the other flags.
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

// If it cannot be known whether it is a rollback, everything is cleaned up.
func TestCancelIfItIsUnknownWhetherItIsARollback(t *testing.T) {
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

// A rollback is canceled at every one of its phases, and Stage and Final as
// well: what the runner then runs.
func TestCancelAtEveryPhase(t *testing.T) {
	for _, name := range []string{mtc.Stage, mtc.Final, mtc.Rollback} {
		yes := mtc.DirectImage | mtc.DirectVolume | mtc.HasPVs | mtc.EnableImage | mtc.EnableVolume | mtc.Quiesce
		if name == mtc.Rollback {
			yes |= mtc.RollingBack
		}
		running := graph(t, name).Plan(phases.NewFacts(yes, mtc.Vocabulary().All()&^yes)).Running()
		require.NotEmpty(t, running)
		for _, at := range running[:len(running)-1] { // at Completed it is done
			t.Run(name+" at "+at, func(t *testing.T) {
				life := machinetest.New(t, machinetest.NewScripted(machinetest.Script{Itineraries: itineraries, Itinerary: name, OnCancel: onCancel}))
				life.Run(machinetest.Flags(mtc.Vocabulary().Names(yes)...), machinetest.Edit(at, "cancel"))
				life.WantItinerary(mtc.Cancel)
				life.WantPhases(mtc.Cancel, canceled(yes)...)
				life.WantPhases(name, running[:slices.Index(running, at)+1]...)
			})
		}
	}
}
