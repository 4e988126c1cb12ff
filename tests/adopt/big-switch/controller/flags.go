package controller

import (
	"context"

	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/api"
)

// What guards ask of a migration.

func (t *Task) Quiesce(context.Context) (bool, error)   { return t.Owner.Spec.QuiescePods, nil }
func (t *Task) HasVerify(context.Context) (bool, error) { return t.Owner.Spec.Verify, nil }

func (t *Task) RollingBack(context.Context) (bool, error) { return t.Owner.Spec.Rollback, nil }

func (t *Task) HasStagePods(context.Context) (bool, error) {
	return t.Owner.Status.Has(api.StagePodsCreated), nil
}

// HasImageStreams lists image streams on the source cluster.
func (t *Task) HasImageStreams(ctx context.Context) (bool, error) {
	return t.World.ListImageStreams(ctx)
}

func (t *Task) HasPVs(context.Context) (bool, error) {
	for _, v := range t.World.Plan.Volumes {
		if v.Action != "skip" {
			return true, nil
		}
	}
	return false, nil
}

func (t *Task) DirectImage(context.Context) (bool, error) { return !t.World.Plan.IndirectImage, nil }
func (t *Task) IndirectImage(context.Context) (bool, error) {
	return t.World.Plan.IndirectImage, nil
}

func (t *Task) IndirectVolume(context.Context) (bool, error) {
	return t.World.Plan.IndirectVolume, nil
}

func (t *Task) DirectVolume(context.Context) (bool, error) {
	for _, v := range t.World.Plan.Volumes {
		if v.Action == "copy" && v.CopyMethod == "filesystem" {
			return !t.World.Plan.IndirectVolume, nil
		}
	}
	return false, nil
}

func (t *Task) StorageConversion(context.Context) (bool, error) {
	return t.World.Plan.SameCluster && (t.Owner.Spec.MigrateState || t.Owner.Spec.Rollback), nil
}

// HasStageBackup lists image streams if nothing else settles it.
func (t *Task) HasStageBackup(ctx context.Context) (bool, error) {
	conversion, _ := t.StorageConversion(ctx)
	volumes, _ := t.HasPVs(ctx)
	moved := false
	for _, v := range t.World.Plan.Volumes {
		moved = moved || v.Action == "move" || v.Action == "copy" && v.CopyMethod == "snapshot"
	}
	switch {
	case conversion:
		return false, nil
	case moved, volumes && t.World.Plan.IndirectVolume:
		return true, nil
	case t.World.Plan.IndirectImage:
		return t.HasImageStreams(ctx)
	}
	return false, nil
}

func (t *Task) EnableImage(context.Context) (bool, error) {
	p := t.World.Plan
	return !p.ExcludeImages && !t.Owner.Spec.MigrateState && !p.SameCluster, nil
}

func (t *Task) EnableVolume(context.Context) (bool, error) { return !t.World.Plan.ExcludeVolumes, nil }

func (t *Task) LiveVMMigration(context.Context) (bool, error) { return t.World.Plan.LiveMigrate, nil }

func (t *Task) HasPreBackupHooks(context.Context) (bool, error) {
	return t.World.Plan.Hooks[PreBackupHooks], nil
}

func (t *Task) HasPostBackupHooks(context.Context) (bool, error) {
	return t.World.Plan.Hooks[PostBackupHooks], nil
}

func (t *Task) HasPreRestoreHooks(context.Context) (bool, error) {
	return t.World.Plan.Hooks[PreRestoreHooks], nil
}

func (t *Task) HasPostRestoreHooks(context.Context) (bool, error) {
	return t.World.Plan.Hooks[PostRestoreHooks], nil
}

// What selects the itinerary.

func (t *Task) Failed() bool {
	return len(t.Owner.Status.Errors) > 0 || t.Owner.Status.Has(api.Failed)
}

func (t *Task) Canceled() bool {
	return t.Owner.Spec.Canceled || t.Owner.Status.Has(api.Canceled, api.Canceling)
}

func (t *Task) Rollback() bool { return t.Owner.Spec.Rollback }

func (t *Task) Stage() bool { return t.Owner.Spec.Stage || t.Owner.Spec.MigrateState }

// Selected returns the name of the itinerary that the migration asks for.
func (t *Task) Selected() string {
	switch {
	case t.Failed():
		return "Failed"
	case t.Canceled():
		return "Cancel"
	case t.Rollback():
		return "Rollback"
	case t.Stage():
		return "Stage"
	}
	return "Final"
}

// AddFailure takes down on the migration that it has failed.
func (t *Task) AddFailure(reasons []string) {
	t.Owner.Status.Errors = append(t.Owner.Status.Errors, reasons...)
	t.Owner.Status.Set(api.Condition{Type: api.Failed, Reason: t.Phase, Durable: true})
}
