package controller

import (
	"context"

	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/api"
)

// Quiesce reports whether applications are scaled down before their data is copied.
func (t *Task) Quiesce(context.Context) (bool, error) { return t.Owner.Spec.QuiescePods, nil }

// HasVerify reports whether the applications are checked at the end.
func (t *Task) HasVerify(context.Context) (bool, error) { return t.Owner.Spec.Verify, nil }

// RollingBack reports whether the user asks for a rollback.
func (t *Task) RollingBack(context.Context) (bool, error) { return t.Owner.Spec.Rollback, nil }

// HasStagePods reports whether stage pods have been created.
func (t *Task) HasStagePods(context.Context) (bool, error) {
	return t.Owner.Status.Has(api.StagePodsCreated), nil
}

// HasImageStreams reports whether the source cluster has image streams. It lists
// them.
func (t *Task) HasImageStreams(ctx context.Context) (bool, error) {
	return t.World.ListImageStreams(ctx)
}

// HasPVs reports whether the plan has a volume that is not skipped.
func (t *Task) HasPVs(context.Context) (bool, error) {
	for _, v := range t.World.Plan.Volumes {
		if v.Action != "skip" {
			return true, nil
		}
	}
	return false, nil
}

// DirectImage reports whether images are copied from cluster to cluster.
func (t *Task) DirectImage(context.Context) (bool, error) { return !t.World.Plan.IndirectImage, nil }

// IndirectImage reports whether images travel through a backup.
func (t *Task) IndirectImage(context.Context) (bool, error) {
	return t.World.Plan.IndirectImage, nil
}

// IndirectVolume reports whether volumes travel through a backup.
func (t *Task) IndirectVolume(context.Context) (bool, error) {
	return t.World.Plan.IndirectVolume, nil
}

// DirectVolume reports whether a volume is copied from cluster to cluster.
func (t *Task) DirectVolume(context.Context) (bool, error) {
	for _, v := range t.World.Plan.Volumes {
		if v.Action == "copy" && v.CopyMethod == "filesystem" {
			return !t.World.Plan.IndirectVolume, nil
		}
	}
	return false, nil
}

// StorageConversion reports whether volumes change their storage class within one cluster.
func (t *Task) StorageConversion(context.Context) (bool, error) {
	return t.World.Plan.SameCluster && (t.Owner.Spec.MigrateState || t.Owner.Spec.Rollback), nil
}

// HasStageBackup reports whether images or volumes need a backup. It lists image
// streams if nothing else settles the answer.
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

// EnableImage reports whether images are part of the migration.
func (t *Task) EnableImage(context.Context) (bool, error) {
	p := t.World.Plan
	return !p.ExcludeImages && !t.Owner.Spec.MigrateState && !p.SameCluster, nil
}

// EnableVolume reports whether volumes are part of the migration.
func (t *Task) EnableVolume(context.Context) (bool, error) { return !t.World.Plan.ExcludeVolumes, nil }

// LiveVMMigration reports whether virtual machines keep running.
func (t *Task) LiveVMMigration(context.Context) (bool, error) { return t.World.Plan.LiveMigrate, nil }

// HasPreBackupHooks reports whether a hook runs before the backup.
func (t *Task) HasPreBackupHooks(context.Context) (bool, error) {
	return t.World.Plan.Hooks[PreBackupHooks], nil
}

// HasPostBackupHooks reports whether a hook runs after the backup.
func (t *Task) HasPostBackupHooks(context.Context) (bool, error) {
	return t.World.Plan.Hooks[PostBackupHooks], nil
}

// HasPreRestoreHooks reports whether a hook runs before the restore.
func (t *Task) HasPreRestoreHooks(context.Context) (bool, error) {
	return t.World.Plan.Hooks[PreRestoreHooks], nil
}

// HasPostRestoreHooks reports whether a hook runs after the restore.
func (t *Task) HasPostRestoreHooks(context.Context) (bool, error) {
	return t.World.Plan.Hooks[PostRestoreHooks], nil
}

// Failed reports whether the status has errors or the condition Failed.
func (t *Task) Failed() bool {
	return len(t.Owner.Status.Errors) > 0 || t.Owner.Status.Has(api.Failed)
}

// Canceled reports whether the migration is or should be canceled.
func (t *Task) Canceled() bool {
	return t.Owner.Spec.Canceled || t.Owner.Status.Has(api.Canceled, api.Canceling)
}

// Rollback reports whether the migration rolls an earlier one back.
func (t *Task) Rollback() bool { return t.Owner.Spec.Rollback }

// Stage reports whether only data is copied.
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

// AddFailure records on the migration that it has failed.
func (t *Task) AddFailure(reasons []string) {
	t.Owner.Status.Errors = append(t.Owner.Status.Errors, reasons...)
	t.Owner.Status.Set(api.Condition{Type: api.Failed, Reason: t.Phase, Durable: true})
}
