package flags

import (
	"context"

	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/controller"
)

// Of returns the sources of the flags of a task. A task is not safe for
// concurrent use, so they are called one at a time.
func Of(t *controller.Task) func(context.Context) (*phases.Sources, error) {
	return func(context.Context) (*phases.Sources, error) {
		sources, err := phases.NewSources(mtc.Vocabulary(), []phases.Source{
			{Flag: mtc.Quiesce, Evaluate: phases.Bool(t.Quiesce)},
			{Flag: mtc.HasStagePods, Evaluate: phases.Bool(t.HasStagePods)},
			{Flag: mtc.HasPVs, Evaluate: phases.Bool(t.HasPVs)},
			{Flag: mtc.HasVerify, Evaluate: phases.Bool(t.HasVerify)},
			{Flag: mtc.HasISs, Evaluate: phases.Bool(t.HasImageStreams), Slow: true},
			{Flag: mtc.DirectImage, Evaluate: phases.Bool(t.DirectImage)},
			{Flag: mtc.IndirectImage, Evaluate: phases.Bool(t.IndirectImage)},
			{Flag: mtc.DirectVolume, Evaluate: phases.Bool(t.DirectVolume)},
			{Flag: mtc.IndirectVolume, Evaluate: phases.Bool(t.IndirectVolume)},
			{Flag: mtc.HasStageBackup, Evaluate: phases.Bool(t.HasStageBackup), Slow: true},
			{Flag: mtc.EnableImage, Evaluate: phases.Bool(t.EnableImage)},
			{Flag: mtc.EnableVolume, Evaluate: phases.Bool(t.EnableVolume)},
			{Flag: mtc.HasPreBackupHooks, Evaluate: phases.Bool(t.HasPreBackupHooks)},
			{Flag: mtc.HasPostBackupHooks, Evaluate: phases.Bool(t.HasPostBackupHooks)},
			{Flag: mtc.HasPreRestoreHooks, Evaluate: phases.Bool(t.HasPreRestoreHooks)},
			{Flag: mtc.HasPostRestoreHooks, Evaluate: phases.Bool(t.HasPostRestoreHooks)},
			{Flag: mtc.StorageConversion, Evaluate: phases.Bool(t.StorageConversion)},
			{Flag: mtc.LiveVmMigration, Evaluate: phases.Bool(t.LiveVMMigration)},
			{Flag: mtc.RollingBack, Evaluate: phases.Bool(t.RollingBack)},
		}...)
		return sources.Sequential(), err
	}
}
