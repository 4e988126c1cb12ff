package mtc_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

func TestNaming(t *testing.T) {
	for _, c := range []struct{ name, data, state string }{
		{"DataBackup", "DataBackup", "StateBackup"},
		{"StateBackup", "DataBackup", "StateBackup"},
		{"DataRestore", "DataRestore", "StateRestore"},
		{"StateRestore", "DataRestore", "StateRestore"},
		{"Backup", "Backup", "Backup"},
		{"DataVolume", "DataVolume", "DataVolume"},
	} {
		assert.Equal(t, c.data, mtc.DataNames.Step(c.name))
		assert.Equal(t, c.state, mtc.StateNames.Step(c.name))
	}

	final, err := mtc.Itinerary(mtc.Final)
	require.NoError(t, err)
	flags, err := mtc.Vocabulary().Parse("HasPVs", "IndirectVolume", "HasStageBackup", "EnableVolume")
	require.NoError(t, err)
	f := phases.NewFacts(flags, mtc.Vocabulary().All()&^flags)
	visible := steps.Visible(machine.MustCompile(final).Plan(f))
	assert.Equal(t, []string{"Prepare", "Backup", "DataBackup", "DataRestore", "Restore", "Cleanup"}, visible)
	renamed := machine.MustCompile(mtc.StateNames.Rename(final))
	assert.Equal(t, []string{"Prepare", "Backup", "StateBackup", "StateRestore", "Restore", "Cleanup"}, steps.Visible(renamed.Plan(f)))
	assert.Equal(t, mtc.DataBackup, final.Phases[19].Step, "the given itinerary is not changed")

	guarded := phases.Itinerary{Phases: []phases.Phase{{Step: mtc.DataBackup, Steps: []phases.GuardedStep{{Step: mtc.DataRestore}}}}}
	assert.Equal(t, []phases.GuardedStep{{Step: "StateRestore"}}, mtc.StateNames.Rename(guarded).Phases[0].Steps)
	assert.Equal(t, mtc.DataRestore, guarded.Phases[0].Steps[0].Step, "the given itinerary is not changed")
}
