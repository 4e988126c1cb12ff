package verify_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/verify"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

func mtcSet(t testing.TB) *machine.Set {
	t.Helper()
	set, err := machine.CompileSet(mtc.Itineraries()...)
	require.NoError(t, err)
	return set
}

// The built-in catalogue has no findings except those that it accepts with a reason.
func TestCheckOfMTC(t *testing.T) {
	verify.Test(t, mtcSet(t), verify.Options{Selected: mtc.Selected(), Suppressions: mtc.Suppressed()})
}

func TestSelectedMatchesTheSelectorOfMTC(t *testing.T) {
	returned := map[string]bool{}
	for _, m := range []mtc.Migration{
		{}, {Spec: mtc.MigrationSpec{Stage: true}}, {Spec: mtc.MigrationSpec{Rollback: true}}, {Spec: mtc.MigrationSpec{Canceled: true}},
		{Status: mtc.MigrationStatus{Errors: []string{"e"}}},
	} {
		returned[mtc.Select(&m)] = true
	}
	for _, name := range mtc.Selected() {
		require.True(t, returned[name], name)
	}
	require.Len(t, returned, len(mtc.Selected()))
}

// Each mistake is planted in Final, and its rule finds it in its place.
func TestCheckFindsPlantedMistakesInFinal(t *testing.T) {
	phase := func(it *phases.Itinerary, name string) *phases.Phase {
		for i := range it.Phases {
			if it.Phases[i].Name == name {
				return &it.Phases[i]
			}
		}
		t.Fatalf("Final has no phase %q", name)
		return nil
	}
	for _, c := range []struct {
		about, rule, phase, step, flag string
		plant                          func(it *phases.Itinerary)
	}{
		{"a guard that the relations exclude", verify.GuardContradictsRelations, mtc.PhaseStagePodsCreated, "", "", func(it *phases.Itinerary) {
			phase(it, mtc.PhaseStagePodsCreated).Guard.All |= mtc.DirectVolume
		}},
		{"the phase behind that guard", verify.PhaseNeverRuns, mtc.PhaseStagePodsCreated, "", "", func(it *phases.Itinerary) {
			phase(it, mtc.PhaseStagePodsCreated).Guard.All |= mtc.DirectVolume
		}},
		{"an end in mid-list", verify.PhaseNeverRuns, mtc.PhaseVerification, "", "", func(it *phases.Itinerary) {
			p := phase(it, mtc.PhaseDeleteRegistries)
			*p = phases.Phase{Name: p.Name, Step: p.Step, End: true}
		}},
		{"a step that no phase shows", verify.StepNeverShown, mtc.PhasePostRestoreHooks, mtc.PostRestoreHooks, "", func(it *phases.Itinerary) {
			phase(it, mtc.PhasePostRestoreHooks).Guard = phases.Guard{All: mtc.DirectImage | mtc.IndirectImage}
		}},
		{"a flag too many", verify.GuardRedundantFlag, mtc.PhaseRestartRestic, "", "HasPVs", func(it *phases.Itinerary) {
			phase(it, mtc.PhaseRestartRestic).Guard.All |= mtc.HasPVs
		}},
		{"a phase under the wrong step", verify.StepCutInTwo, mtc.PhaseCreateDirectImageMigration, mtc.Backup, "", func(it *phases.Itinerary) {
			phase(it, mtc.PhaseVerification).Step = mtc.Backup
		}},
		{"a flag that the wrong phase decides", verify.DecidesNeverRead, mtc.PhaseDeleteRegistries, "", "Quiesce", func(it *phases.Itinerary) {
			phase(it, mtc.PhaseDeleteRegistries).Decides = mtc.Quiesce
		}},
		{"a flag that is decided too late", verify.FlagReadBeforeDecided, mtc.PhaseDeleteRegistries, "", "HasPreBackupHooks", func(it *phases.Itinerary) {
			phase(it, mtc.PhaseDeleteRegistries).Decides = mtc.HasPreBackupHooks
		}},
		{"a loop without an exit", verify.LoopNeverEnds, mtc.PhaseRestartVelero, "", "", func(it *phases.Itinerary) {
			back := phases.Jump{To: mtc.PhaseRestartVelero, Guard: phases.Guard{All: mtc.Quiesce}}
			phase(it, mtc.PhaseWaitForVeleroReady).Jumps = []phases.Jump{back}
		}},
		{"the end after that loop", verify.EndUnreachable, mtc.PhaseWaitForVeleroReady, "", "", func(it *phases.Itinerary) {
			back := phases.Jump{To: mtc.PhaseRestartVelero, Guard: phases.Guard{All: mtc.Quiesce}}
			phase(it, mtc.PhaseWaitForVeleroReady).Jumps = []phases.Jump{back}
		}},
		{"a jump after another", verify.JumpNeverTaken, mtc.PhaseVerification, "", "", func(it *phases.Itinerary) {
			phase(it, mtc.PhaseVerification).Jumps = []phases.Jump{
				{To: mtc.PhaseCompleted}, {To: mtc.PhaseDeleteRegistries, Guard: phases.Guard{All: mtc.HasPVs}},
			}
		}},
		{"a name that differs by case", verify.NamesDifferByCase, "enSureFinalRestore", "", "", func(it *phases.Itinerary) {
			phase(it, mtc.PhaseEnsureFinalRestore).Name = "enSureFinalRestore"
			it.Phases = append(it.Phases, phases.Phase{Name: mtc.PhaseEnsureFinalRestore, Step: mtc.Cleanup})
		}},
	} {
		t.Run(c.about, func(t *testing.T) {
			it, err := mtc.Itinerary(mtc.Final)
			require.NoError(t, err)
			c.plant(&it)
			g, err := machine.Compile(it)
			require.NoError(t, err)
			found := 0
			for _, f := range verify.CheckGraphs([]*machine.Graph{g}, verify.Options{}) {
				require.NotEqual(t, verify.NotDecided, f.Rule)
				if f.Rule == c.rule && (f.Phase == c.phase || c.rule == verify.NamesDifferByCase) && f.Step == c.step && f.Flag == c.flag {
					found++
				}
			}
			require.Equal(t, 1, found, "%s at phase %q, step %q, flag %q", c.rule, c.phase, c.step, c.flag)
		})
	}
}

func BenchmarkCheckFinal(b *testing.B) {
	it, err := mtc.Itinerary(mtc.Final)
	require.NoError(b, err)
	set, err := machine.CompileSet(it)
	require.NoError(b, err)
	b.ReportAllocs()
	for range b.N {
		verify.Check(set, verify.Options{})
	}
}

func BenchmarkCheckAll(b *testing.B) {
	set := mtcSet(b)
	b.ReportAllocs()
	for range b.N {
		verify.Check(set, verify.Options{Selected: mtc.Selected(), Suppressions: mtc.Suppressed()})
	}
}
