package controller

import (
	"context"
	"time"

	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/world"
)

// Delays until the next reconcile.
const (
	FastReQ = 100 * time.Millisecond
	PollReQ = 3 * time.Second
	NoReQ   = time.Duration(0)
)

// Task is one reconcile of a migration.
type Task struct {
	Owner *api.MigMigration
	World *world.World
	// Itinerary and Phase are the position of the migration.
	Itinerary, Phase string
	// Progress is the progress of the phase, and Requeue the delay until the
	// next reconcile.
	Progress []string
	Requeue  time.Duration
	// Next leaves the phase, whose work is done, for the next phase.
	Next func(ctx context.Context) error
	// Fail ends the itinerary because of a failure.
	Fail func(reasons []string)
}

// Run runs the current phase.
func (t *Task) Run(ctx context.Context) error {
	t.Requeue = FastReQ
	t.World.Enter(t.Itinerary, t.Phase)
	switch t.Phase {
	case Created, Started, Rollback:
		return t.Next(ctx)

	// Work that is complete at once.
	case StartRefresh, CleanStaleAnnotations, CleanStaleResticCRs, CleanStaleVeleroCRs,
		RestartVelero, RestartRestic, CleanStaleStagePods, EnsureStagePodsDeleted,
		CreateRegistries, DeleteRegistries, AnnotateResources, EnsureAnnotationsDeleted,
		CreateDirectImageMigration, CreateDirectVolumeMigrationStage,
		CreateDirectVolumeMigrationFinal, CreateDirectVolumeMigrationRollback,
		QuiesceSourceApplications, QuiesceDestinationApplications,
		UnQuiesceSrcApplications, UnQuiesceDestApplications,
		EnsureInitialBackup, EnsureStageBackup, EnsureStageRestore, EnsureFinalRestore,
		SwapPVCReferences, DeleteBackups, DeleteRestores, DeleteHookJobs,
		DeleteDirectVolumeMigrationResources, DeleteDirectImageMigrationResources, DeleteMigrated:
		if _, err := t.World.Work(t.Phase); err != nil {
			return err
		}
		return t.Next(ctx)
	case EnsureStagePodsFromRunning, EnsureStagePodsFromTemplates, EnsureStagePodsFromOrphanedPVCs:
		if _, err := t.World.Work(t.Phase); err != nil {
			return err
		}
		if t.World.Plan.PodsToStage {
			t.Owner.Status.Set(api.Condition{Type: api.StagePodsCreated, Durable: true})
		}
		return t.Next(ctx)

	// Work that takes a while.
	case WaitForVeleroReady, WaitForResticReady, WaitForRegistriesReady,
		EnsureCloudSecretPropagated, EnsureSrcQuiesced, EnsureDestQuiesced,
		EnsureStageBackupReplicated, EnsureInitialBackupReplicated, EnsureMigratedDeleted,
		StagePodsCreated, InitialBackupCreated, StageBackupCreated, StageRestoreCreated,
		FinalRestoreCreated, PreBackupHooks, PostBackupHooks, PreRestoreHooks, PostRestoreHooks,
		WaitForDirectImageMigrationToComplete, WaitForDirectVolumeMigrationToComplete,
		WaitForDirectVolumeMigrationToRollbackComplete, Verification:
		if done, err := t.wait(); err != nil || !done {
			return err
		}
		return t.Next(ctx)
	case WaitForRefresh:
		if done, err := t.wait(); err != nil || !done {
			return err
		}
		t.World.Refresh()
		return t.Next(ctx)
	case EnsureStagePodsTerminated, WaitForStaleStagePodsTerminated:
		if done, err := t.wait(); err != nil || !done {
			return err
		}
		t.Owner.Status.Delete(api.StagePodsCreated)
		return t.Next(ctx)

	case Canceling:
		if t.Owner.Spec.Rollback {
			// A rollback has already removed the rest.
			t.Phase = EnsureAnnotationsDeleted
		}
		t.Owner.Status.Set(api.Condition{Type: api.Canceling, Durable: true})
		return t.Next(ctx)
	case Canceled:
		t.Owner.Status.Delete(api.Canceling)
		t.Owner.Status.Set(api.Condition{Type: api.Canceled, Durable: true})
		return t.Next(ctx)
	case MigrationFailed:
		t.Phase = Completed
	case Completed:
		t.Requeue = NoReQ
	default:
		return t.Next(ctx)
	}
	return nil
}

// wait reports whether the work of the phase is done. If the work has failed,
// wait fails the migration.
func (t *Task) wait() (done bool, err error) {
	result, err := t.World.Work(t.Phase)
	switch {
	case err != nil:
		return false, err
	case len(result.Reasons) > 0:
		t.Fail(result.Reasons)
		return false, nil
	case !result.Done:
		t.Progress, t.Requeue = result.Progress, PollReQ
	}
	return result.Done, nil
}
