package mtc

import (
	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// The names of the itineraries, as upstream stores them in status.itinerary.
const (
	Stage    = "Stage"
	Final    = "Final"
	Cancel   = "Cancel"
	Failed   = "Failed"
	Rollback = "Rollback"
)

// The names of the steps, in the order of their first use in [Itineraries].
// DirectImageStep and DirectVolumeStep have the suffix because the flags
// [DirectImage] and [DirectVolume] have the plain names.
const (
	Prepare               = "Prepare"
	PreBackupHooks        = "PreBackupHooks"
	Backup                = "Backup"
	DataBackup            = "DataBackup"  // upstream: StageBackup
	DataRestore           = "DataRestore" // upstream: StageRestore
	DirectImageStep       = "DirectImage"
	DirectVolumeStep      = "DirectVolume"
	PostBackupHooks       = "PostBackupHooks"
	PreRestoreHooks       = "PreRestoreHooks"
	Restore               = "Restore"
	PostRestoreHooks      = "PostRestoreHooks"
	Cleanup               = "Cleanup"
	CleanupVelero         = "CleanupVelero"
	CleanupHelpers        = "CleanupHelpers"
	CleanupMigrated       = "CleanupMigrated"
	RollbackLiveMigration = "RollbackLiveMigration"
	CleanupUnquiesce      = "CleanupUnquiesce"
)

// rediscovered is the set of flags that may change while the plan is refreshed:
// upstream discovers volumes and image streams again in WaitForRefresh.
const rediscovered = HasPVs | HasISs | DirectVolume | HasStageBackup | EnableImage | EnableVolume

// Itineraries returns mig-controller's five itineraries: Stage, Final, Cancel,
// Failed, Rollback. Each call returns new values, which the caller may change. The
// last three are cleanup itineraries, which must always reach their end: a phase
// whose guard is unknown runs.
//
// The field Formerly of a phase holds its names in earlier releases. Some releases
// also had another order of phases. A run of such a release may skip or repeat
// phases when it resumes; the README of package legacy lists those phases.
func Itineraries() []phases.Itinerary {
	return []phases.Itinerary{stage(), final(), cancel(), failed(), rollback()}
}

// Itinerary returns a new value of the named one of [Itineraries]. If there is none
// of that name, the error is a [*phases.UnknownItineraryError].
func Itinerary(name string) (phases.Itinerary, error) {
	var names []string
	for _, it := range Itineraries() {
		if it.Name == name {
			return it, nil
		}
		names = append(names, it.Name)
	}
	return phases.Itinerary{}, &phases.UnknownItineraryError{Name: name, Nearest: wording.Nearest(name, names), Known: names}
}

// stage copies data in advance, any number of times, without moving the
// applications.
func stage() phases.Itinerary {
	return phases.Itinerary{Name: Stage, Vocabulary: Vocabulary(), Phases: []phases.Phase{
		{Name: PhaseCreated, Step: Prepare, Description: "Taking up the migration"},
		{Name: PhaseStarted, Step: Prepare, Description: "Checking that the migration can begin"},
		{Name: PhaseStartRefresh, Step: Prepare, Formerly: []string{"Prepare"}, Description: "Asking for a fresh look at the plan"},
		{Name: PhaseWaitForRefresh, Step: Prepare, Decides: rediscovered, Description: "Waiting until the plan has been looked at again"},
		{Name: PhaseCleanStaleAnnotations, Step: Prepare, Description: "Removing labels and annotations left by earlier migrations"},
		{Name: PhaseCleanStaleResticCRs, Step: Prepare, Description: "Removing leftover pod volume backups and restores"},
		{Name: PhaseCleanStaleVeleroCRs, Step: Prepare, Description: "Removing leftover Velero backups and restores"},
		{Name: PhaseRestartVelero, Step: Prepare, Description: "Restarting Velero on both clusters"},
		{Name: PhaseCleanStaleStagePods, Step: Prepare, Description: "Removing stage pods left by earlier migrations"},
		{Name: PhaseWaitForStaleStagePodsTerminated, Step: Prepare, Decides: HasStagePods, Description: "Waiting for leftover stage pods to go away"},
		{
			Name: PhaseCreateRegistries, Step: Prepare, Guard: phases.Guard{All: HasISs | IndirectImage | EnableImage},
			Description: "Setting up the registries that carry images between the clusters",
		},
		{
			Name: PhaseCreateDirectImageMigration, Step: DataBackup, Guard: phases.Guard{All: DirectImage | EnableImage}, Rides: true,
			Description: "Starting the direct copy of images",
		},
		{
			Name: PhaseQuiesceSourceApplications, Step: DataBackup, Guard: phases.Guard{All: Quiesce}, Rides: true, Formerly: []string{"QuiesceApplications"},
			Description: "Scaling down the applications on the source cluster",
		},
		{
			Name: PhaseEnsureSrcQuiesced, Step: DataBackup, Guard: phases.Guard{All: Quiesce}, Rides: true, Formerly: []string{"EnsureQuiesced"},
			Description: "Waiting for the applications on the source cluster to stop",
		},
		{
			Name: PhaseCreateDirectVolumeMigrationStage, Step: DataBackup, Guard: phases.Guard{All: DirectVolume | EnableVolume}, Rides: true,
			Formerly:    []string{"CreateDirectVolumeMigration"},
			Description: "Starting the direct copy of volumes while applications may run",
		},
		{
			Name: PhaseEnsureStagePodsFromRunning, Step: DataBackup, Guard: phases.Guard{All: HasPVs | IndirectVolume},
			Decides: HasStagePods, Formerly: []string{"EnsureStagePods"},
			Description: "Starting stage pods that mount the volumes of running pods",
		},
		{
			Name: PhaseEnsureStagePodsFromTemplates, Step: DataBackup, Guard: phases.Guard{All: HasPVs | IndirectVolume}, Decides: HasStagePods,
			Description: "Starting stage pods that mount the volumes named in pod templates",
		},
		{
			Name: PhaseEnsureStagePodsFromOrphanedPVCs, Step: DataBackup, Guard: phases.Guard{All: HasPVs | IndirectVolume}, Decides: HasStagePods,
			Description: "Starting stage pods that mount the volumes no pod uses",
		},
		{Name: PhaseStagePodsCreated, Step: DataBackup, Guard: phases.Guard{All: HasStagePods}, Description: "Waiting for the stage pods to run"},
		{Name: PhaseRestartRestic, Step: DataBackup, Guard: phases.Guard{All: HasStagePods}, Description: "Restarting the file copier so that it sees the stage pods"},
		{Name: PhaseAnnotateResources, Step: DataBackup, Guard: phases.Guard{All: HasStageBackup}, Description: "Marking the images and volumes to be backed up"},
		{Name: PhaseWaitForVeleroReady, Step: DataBackup, Rides: true, Description: "Waiting for Velero to be up on both clusters"},
		{
			Name: PhaseWaitForResticReady, Step: DataBackup, Guard: phases.Guard{All: HasStagePods | HasPVs}, Rides: true, Formerly: []string{"ResticRestarted"},
			Description: "Waiting for the file copier to be up on the source cluster",
		},
		{
			Name: PhaseWaitForRegistriesReady, Step: DataBackup, Guard: phases.Guard{All: HasISs | IndirectImage | EnableImage},
			Description: "Waiting for the image registries to be up",
		},
		{
			Name: PhaseEnsureCloudSecretPropagated, Step: DataBackup, Guard: phases.Guard{Any: HasStageBackup}, Rides: true,
			Description: "Waiting for the storage credentials to reach both clusters",
		},
		{Name: PhaseEnsureStageBackup, Step: DataBackup, Guard: phases.Guard{All: HasStageBackup}, Description: "Starting the backup of images and volumes"},
		{Name: PhaseStageBackupCreated, Step: DataBackup, Guard: phases.Guard{All: HasStageBackup}, Description: "Backing up images and volumes"},
		{
			Name: PhaseEnsureStageBackupReplicated, Step: DataBackup, Guard: phases.Guard{All: HasStageBackup},
			Description: "Waiting for the destination cluster to see the backup of images and volumes",
		},
		{Name: PhaseEnsureStageRestore, Step: DataRestore, Guard: phases.Guard{All: HasStageBackup}, Description: "Starting the restore of images and volumes"},
		{Name: PhaseStageRestoreCreated, Step: DataRestore, Guard: phases.Guard{All: HasStageBackup}, Description: "Restoring images and volumes"},
		{
			Name: PhaseWaitForDirectImageMigrationToComplete, Step: DirectImageStep, Guard: phases.Guard{All: DirectImage | EnableImage},
			Description: "Copying images directly between the clusters",
		},
		{
			Name: PhaseWaitForDirectVolumeMigrationToComplete, Step: DirectVolumeStep, Guard: phases.Guard{All: DirectVolume | EnableVolume},
			Description: "Copying volumes directly between the clusters",
		},
		{Name: PhaseSwapPVCReferences, Step: Cleanup, Guard: phases.Guard{All: Quiesce | StorageConversion}, Description: "Pointing the applications at the other volume claims"},
		{Name: PhaseDeleteRegistries, Step: Cleanup, Description: "Removing the image registries"},
		{Name: PhaseEnsureStagePodsDeleted, Step: Cleanup, Guard: phases.Guard{All: HasStagePods}, Description: "Deleting the stage pods"},
		{Name: PhaseEnsureStagePodsTerminated, Step: Cleanup, Guard: phases.Guard{All: HasStagePods}, Decides: HasStagePods, Description: "Waiting for the stage pods to go away"},
		{
			Name: PhaseEnsureAnnotationsDeleted, Step: Cleanup, Guard: phases.Guard{All: HasStageBackup}, Formerly: []string{"EnsureLabelsDeleted"},
			Description: "Removing the labels and annotations made for the backup",
		},
		{Name: PhaseCompleted, Step: Cleanup, End: true, Description: "Ending the migration"},
	}}
}

// final moves the applications: first their data, then their definitions.
func final() phases.Itinerary {
	return phases.Itinerary{Name: Final, Vocabulary: Vocabulary(), Phases: []phases.Phase{
		{Name: PhaseCreated, Step: Prepare, Description: "Taking up the migration"},
		{Name: PhaseStarted, Step: Prepare, Description: "Checking that the migration can begin"},
		{Name: PhaseStartRefresh, Step: Prepare, Formerly: []string{"Prepare"}, Description: "Asking for a fresh look at the plan"},
		{Name: PhaseWaitForRefresh, Step: Prepare, Decides: rediscovered, Description: "Waiting until the plan has been looked at again"},
		{Name: PhaseCleanStaleAnnotations, Step: Prepare, Description: "Removing labels and annotations left by earlier migrations"},
		{Name: PhaseCleanStaleResticCRs, Step: Prepare, Description: "Removing leftover pod volume backups and restores"},
		{Name: PhaseCleanStaleVeleroCRs, Step: Prepare, Description: "Removing leftover Velero backups and restores"},
		{Name: PhaseRestartVelero, Step: Prepare, Description: "Restarting Velero on both clusters"},
		{Name: PhaseCleanStaleStagePods, Step: Prepare, Description: "Removing stage pods left by earlier migrations"},
		{Name: PhaseWaitForStaleStagePodsTerminated, Step: Prepare, Decides: HasStagePods, Description: "Waiting for leftover stage pods to go away"},
		{
			Name: PhaseCreateRegistries, Step: Prepare, Guard: phases.Guard{All: HasISs | IndirectImage | EnableImage},
			Description: "Setting up the registries that carry images between the clusters",
		},
		{Name: PhaseWaitForVeleroReady, Step: Prepare, Description: "Waiting for Velero to be up on both clusters"},
		{
			Name: PhaseWaitForRegistriesReady, Step: Prepare, Guard: phases.Guard{All: HasISs | IndirectImage | EnableImage},
			Description: "Waiting for the image registries to be up",
		},
		{Name: PhaseEnsureCloudSecretPropagated, Step: Prepare, Description: "Waiting for the storage credentials to reach both clusters"},
		{Name: PhasePreBackupHooks, Step: PreBackupHooks, Guard: phases.Guard{All: HasPreBackupHooks}, Description: "Running the hooks that come before the backup"},
		{Name: PhaseCreateDirectImageMigration, Step: Backup, Guard: phases.Guard{All: DirectImage | EnableImage}, Description: "Starting the direct copy of images"},
		{
			Name: PhaseCreateDirectVolumeMigrationStage, Step: Backup, Guard: phases.Guard{All: DirectVolume | EnableVolume},
			Description: "Starting the direct copy of volumes while applications may run",
		},
		{Name: PhaseEnsureInitialBackup, Step: Backup, Description: "Starting the backup of the applications' definitions"},
		{Name: PhaseInitialBackupCreated, Step: Backup, Description: "Backing up the applications' definitions"},
		{
			Name: PhaseQuiesceSourceApplications, Step: DataBackup, Guard: phases.Guard{All: Quiesce}, Rides: true, Formerly: []string{"QuiesceApplications"},
			Description: "Scaling down the applications on the source cluster",
		},
		{
			Name: PhaseEnsureSrcQuiesced, Step: DataBackup, Guard: phases.Guard{All: Quiesce}, Rides: true, Formerly: []string{"EnsureQuiesced"},
			Description: "Waiting for the applications on the source cluster to stop",
		},
		{
			Name: PhaseEnsureStagePodsFromRunning, Step: DataBackup, Guard: phases.Guard{All: HasPVs | IndirectVolume},
			Decides: HasStagePods, Formerly: []string{"EnsureStagePods"},
			Description: "Starting stage pods that mount the volumes of running pods",
		},
		{
			Name: PhaseEnsureStagePodsFromTemplates, Step: DataBackup, Guard: phases.Guard{All: HasPVs | IndirectVolume}, Decides: HasStagePods,
			Description: "Starting stage pods that mount the volumes named in pod templates",
		},
		{
			Name: PhaseEnsureStagePodsFromOrphanedPVCs, Step: DataBackup, Guard: phases.Guard{All: HasPVs | IndirectVolume}, Decides: HasStagePods,
			Description: "Starting stage pods that mount the volumes no pod uses",
		},
		{Name: PhaseStagePodsCreated, Step: DataBackup, Guard: phases.Guard{All: HasStagePods}, Description: "Waiting for the stage pods to run"},
		{Name: PhaseRestartRestic, Step: DataBackup, Guard: phases.Guard{All: HasStagePods}, Description: "Restarting the file copier so that it sees the stage pods"},
		{Name: PhaseAnnotateResources, Step: DataBackup, Guard: phases.Guard{All: HasStageBackup}, Description: "Marking the images and volumes to be backed up"},
		{
			Name: PhaseWaitForResticReady, Step: DataBackup, Guard: phases.Guard{Any: HasStagePods | HasPVs}, Rides: true, Formerly: []string{"ResticRestarted"},
			Description: "Waiting for the file copier to be up on the source cluster",
		},
		{
			Name: PhaseCreateDirectVolumeMigrationFinal, Step: DataBackup, Guard: phases.Guard{All: DirectVolume | EnableVolume}, Rides: true,
			Formerly:    []string{"CreateDirectVolumeMigration"},
			Description: "Starting the last direct copy of volumes",
		},
		{Name: PhaseEnsureStageBackup, Step: DataBackup, Guard: phases.Guard{All: HasStageBackup}, Description: "Starting the backup of images and volumes"},
		{Name: PhaseStageBackupCreated, Step: DataBackup, Guard: phases.Guard{All: HasStageBackup}, Description: "Backing up images and volumes"},
		{
			Name: PhaseEnsureStageBackupReplicated, Step: DataBackup, Guard: phases.Guard{All: HasStageBackup},
			Description: "Waiting for the destination cluster to see the backup of images and volumes",
		},
		{Name: PhaseEnsureStageRestore, Step: DataRestore, Guard: phases.Guard{All: HasStageBackup}, Description: "Starting the restore of images and volumes"},
		{Name: PhaseStageRestoreCreated, Step: DataRestore, Guard: phases.Guard{All: HasStageBackup}, Description: "Restoring images and volumes"},
		{Name: PhaseEnsureStagePodsDeleted, Step: DataRestore, Guard: phases.Guard{All: HasStagePods}, Description: "Deleting the stage pods"},
		{
			Name: PhaseEnsureStagePodsTerminated, Step: DataRestore, Guard: phases.Guard{All: HasStagePods}, Decides: HasStagePods,
			Description: "Waiting for the stage pods to go away",
		},
		{
			Name: PhaseEnsureAnnotationsDeleted, Step: DataRestore, Guard: phases.Guard{All: HasStageBackup}, Formerly: []string{"EnsureLabelsDeleted"},
			Description: "Removing the labels and annotations made for the backup",
		},
		{
			Name: PhaseWaitForDirectImageMigrationToComplete, Step: DirectImageStep, Guard: phases.Guard{All: DirectImage | EnableImage},
			Description: "Copying images directly between the clusters",
		},
		{
			Name: PhaseWaitForDirectVolumeMigrationToComplete, Step: DirectVolumeStep, Guard: phases.Guard{All: DirectVolume | EnableVolume},
			Description: "Copying volumes directly between the clusters",
		},
		{Name: PhasePostBackupHooks, Step: PostBackupHooks, Guard: phases.Guard{All: HasPostBackupHooks}, Description: "Running the hooks that come after the backup"},
		{Name: PhasePreRestoreHooks, Step: PreRestoreHooks, Guard: phases.Guard{All: HasPreRestoreHooks}, Description: "Running the hooks that come before the restore"},
		{Name: PhaseEnsureInitialBackupReplicated, Step: Restore, Description: "Waiting for the destination cluster to see the backup of the definitions"},
		{Name: PhaseEnsureFinalRestore, Step: Restore, Description: "Starting the restore of the applications' definitions"},
		{Name: PhaseFinalRestoreCreated, Step: Restore, Description: "Restoring the applications' definitions"},
		{Name: PhaseUnQuiesceDestApplications, Step: Restore, Description: "Scaling up the applications on the destination cluster"},
		{Name: PhasePostRestoreHooks, Step: PostRestoreHooks, Guard: phases.Guard{All: HasPostRestoreHooks}, Description: "Running the hooks that come after the restore"},
		{Name: PhaseSwapPVCReferences, Step: Cleanup, Guard: phases.Guard{All: Quiesce | StorageConversion}, Description: "Pointing the applications at the other volume claims"},
		{Name: PhaseDeleteRegistries, Step: Cleanup, Description: "Removing the image registries"},
		{Name: PhaseVerification, Step: Cleanup, Guard: phases.Guard{All: HasVerify}, Description: "Checking the health of the applications on the destination cluster"},
		{Name: PhaseCompleted, Step: Cleanup, End: true, Description: "Ending the migration"},
	}}
}

// cancel undoes the work of a canceled migration. A canceled rollback has undone
// most of it already; only the applications are scaled up again.
func cancel() phases.Itinerary {
	return phases.Itinerary{Name: Cancel, Vocabulary: Vocabulary(), Cleanup: true, Result: phases.Canceled, Phases: []phases.Phase{
		{
			Name: PhaseCanceling, Step: CleanupVelero, Jumps: []phases.Jump{{To: PhaseUnQuiesceSrcApplications, Guard: phases.Guard{All: RollingBack}}},
			Description: "Beginning to cancel the migration",
		},
		{Name: PhaseDeleteBackups, Step: CleanupVelero, Description: "Deleting the backups of this migration"},
		{Name: PhaseDeleteRestores, Step: CleanupVelero, Description: "Deleting the restores of this migration"},
		{Name: PhaseDeleteRegistries, Step: CleanupHelpers, Description: "Removing the image registries"},
		{Name: PhaseDeleteHookJobs, Step: CleanupHelpers, Description: "Deleting the jobs of hooks"},
		{
			Name: PhaseDeleteDirectVolumeMigrationResources, Step: CleanupHelpers, Guard: phases.Guard{All: DirectVolume},
			Description: "Removing what the direct copy of volumes created",
		},
		{
			Name: PhaseDeleteDirectImageMigrationResources, Step: CleanupHelpers, Guard: phases.Guard{All: DirectImage},
			Description: "Removing what the direct copy of images created",
		},
		{Name: PhaseEnsureStagePodsDeleted, Step: CleanupHelpers, Guard: phases.Guard{All: HasStagePods}, Description: "Deleting the stage pods"},
		{
			Name: PhaseEnsureAnnotationsDeleted, Step: CleanupHelpers, Guard: phases.Guard{All: HasStageBackup},
			Description: "Removing the labels and annotations made for the backup",
		},
		{
			Name: PhaseUnQuiesceSrcApplications, Step: CleanupUnquiesce, Formerly: []string{"UnQuiesceApplications"},
			Description: "Scaling up the applications on the source cluster",
		},
		{Name: PhaseCanceled, Step: Cleanup, Description: "Recording that the migration was canceled"},
		{Name: PhaseCompleted, Step: Cleanup, End: true, Description: "Ending the migration"},
	}}
}

// failed removes the leftovers of a failed migration. Upstream's handler of
// MigrationFailed jumps over the phases after it; here they run.
func failed() phases.Itinerary {
	return phases.Itinerary{Name: Failed, Vocabulary: Vocabulary(), Cleanup: true, Result: phases.Failed, Phases: []phases.Phase{
		{Name: PhaseMigrationFailed, Step: CleanupHelpers, Description: "Recording that the migration failed"},
		{Name: PhaseDeleteRegistries, Step: CleanupHelpers, Description: "Removing the image registries"},
		{
			Name: PhaseEnsureAnnotationsDeleted, Step: CleanupHelpers, Guard: phases.Guard{All: HasStageBackup},
			Description: "Removing the labels and annotations made for the backup",
		},
		{Name: PhaseCompleted, Step: Cleanup, End: true, Description: "Ending the migration"},
	}}
}

// rollback returns the applications to the source cluster.
func rollback() phases.Itinerary {
	return phases.Itinerary{Name: Rollback, Vocabulary: Vocabulary(), Cleanup: true, Result: phases.RolledBack, Phases: []phases.Phase{
		{Name: PhaseRollback, Step: CleanupVelero, Description: "Beginning to roll the migration back"},
		{Name: PhaseDeleteBackups, Step: CleanupVelero, Description: "Deleting the backups of this migration"},
		{Name: PhaseDeleteRestores, Step: CleanupVelero, Description: "Deleting the restores of this migration"},
		{Name: PhaseDeleteRegistries, Step: CleanupHelpers, Description: "Removing the image registries"},
		{Name: PhaseEnsureStagePodsDeleted, Step: CleanupHelpers, Description: "Deleting the stage pods"},
		{
			Name: PhaseEnsureAnnotationsDeleted, Step: CleanupHelpers, Guard: phases.Guard{Any: HasPVs | HasISs},
			Description: "Removing the labels and annotations made for the backup",
		},
		{
			Name: PhaseQuiesceDestinationApplications, Step: CleanupMigrated, Guard: phases.Guard{All: DirectVolume | EnableVolume},
			Description: "Scaling down the applications on the destination cluster",
		},
		{
			Name: PhaseEnsureDestQuiesced, Step: CleanupMigrated, Guard: phases.Guard{All: DirectVolume | EnableVolume},
			Description: "Waiting for the applications on the destination cluster to stop",
		},
		{Name: PhaseSwapPVCReferences, Step: CleanupMigrated, Guard: phases.Guard{All: StorageConversion}, Description: "Pointing the applications at the other volume claims"},
		{
			Name: PhaseCreateDirectVolumeMigrationRollback, Step: RollbackLiveMigration, Guard: phases.Guard{All: DirectVolume | EnableVolume | LiveVmMigration},
			Description: "Starting the move of live virtual machines back to their former volumes",
		},
		{
			Name: PhaseWaitForDirectVolumeMigrationToRollbackComplete, Step: RollbackLiveMigration, Guard: phases.Guard{All: DirectVolume | EnableVolume | LiveVmMigration},
			Description: "Moving live virtual machines back to their former volumes",
		},
		{Name: PhaseDeleteMigrated, Step: CleanupMigrated, Description: "Deleting what was migrated to the destination cluster"},
		{Name: PhaseEnsureMigratedDeleted, Step: CleanupMigrated, Description: "Waiting for what was migrated to be gone from the destination cluster"},
		{
			Name: PhaseUnQuiesceSrcApplications, Step: CleanupUnquiesce, Formerly: []string{"UnQuiesceApplications"},
			Description: "Scaling up the applications on the source cluster",
		},
		{Name: PhaseCompleted, Step: Cleanup, End: true, Description: "Ending the migration"},
	}}
}
