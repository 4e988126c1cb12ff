package before

import "github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/controller"

// Flags of the guards.
const (
	quiesce uint32 = 1 << iota
	hasStagePods
	hasPVs
	hasVerify
	hasISs
	directImage
	indirectImage
	directVolume
	indirectVolume
	hasStageBackup
	enableImage
	enableVolume
	hasPreBackupHooks
	hasPostBackupHooks
	hasPreRestoreHooks
	hasPostRestoreHooks
	storageConversion
	liveVMMigration
)

// phase is a phase of an itinerary. It runs if all flags of all are true, and at
// least one of any.
type phase struct {
	name, step string
	all, any   uint32
}

type itinerary struct {
	name   string
	phases []phase
}

var itineraries = map[string]itinerary{
	"Stage": stageItinerary, "Final": finalItinerary, "Cancel": cancelItinerary, "Failed": failedItinerary, "Rollback": rollbackItinerary,
}

var stageItinerary = itinerary{name: "Stage", phases: []phase{
	{name: controller.Created, step: "Prepare"},
	{name: controller.Started, step: "Prepare"},
	{name: controller.StartRefresh, step: "Prepare"},
	{name: controller.WaitForRefresh, step: "Prepare"},
	{name: controller.CleanStaleAnnotations, step: "Prepare"},
	{name: controller.CleanStaleResticCRs, step: "Prepare"},
	{name: controller.CleanStaleVeleroCRs, step: "Prepare"},
	{name: controller.RestartVelero, step: "Prepare"},
	{name: controller.CleanStaleStagePods, step: "Prepare"},
	{name: controller.WaitForStaleStagePodsTerminated, step: "Prepare"},
	{name: controller.CreateRegistries, step: "Prepare", all: hasISs | indirectImage | enableImage},
	{name: controller.CreateDirectImageMigration, step: "StageBackup", all: directImage | enableImage},
	{name: controller.QuiesceSourceApplications, step: "StageBackup", all: quiesce},
	{name: controller.EnsureSrcQuiesced, step: "StageBackup", all: quiesce},
	{name: controller.CreateDirectVolumeMigrationStage, step: "StageBackup", all: directVolume | enableVolume},
	{name: controller.EnsureStagePodsFromRunning, step: "StageBackup", all: hasPVs | indirectVolume},
	{name: controller.EnsureStagePodsFromTemplates, step: "StageBackup", all: hasPVs | indirectVolume},
	{name: controller.EnsureStagePodsFromOrphanedPVCs, step: "StageBackup", all: hasPVs | indirectVolume},
	{name: controller.StagePodsCreated, step: "StageBackup", all: hasStagePods},
	{name: controller.RestartRestic, step: "StageBackup", all: hasStagePods},
	{name: controller.AnnotateResources, step: "StageBackup", all: hasStageBackup},
	{name: controller.WaitForVeleroReady, step: "StageBackup"},
	{name: controller.WaitForResticReady, step: "StageBackup", all: hasStagePods | hasPVs},
	{name: controller.WaitForRegistriesReady, step: "StageBackup", all: hasISs | indirectImage | enableImage},
	{name: controller.EnsureCloudSecretPropagated, step: "StageBackup", any: hasStageBackup},
	{name: controller.EnsureStageBackup, step: "StageBackup", all: hasStageBackup},
	{name: controller.StageBackupCreated, step: "StageBackup", all: hasStageBackup},
	{name: controller.EnsureStageBackupReplicated, step: "StageBackup", all: hasStageBackup},
	{name: controller.EnsureStageRestore, step: "StageRestore", all: hasStageBackup},
	{name: controller.StageRestoreCreated, step: "StageRestore", all: hasStageBackup},
	{name: controller.WaitForDirectImageMigrationToComplete, step: "DirectImage", all: directImage | enableImage},
	{name: controller.WaitForDirectVolumeMigrationToComplete, step: "DirectVolume", all: directVolume | enableVolume},
	{name: controller.SwapPVCReferences, step: "Cleanup", all: quiesce | storageConversion},
	{name: controller.DeleteRegistries, step: "Cleanup"},
	{name: controller.EnsureStagePodsDeleted, step: "Cleanup", all: hasStagePods},
	{name: controller.EnsureStagePodsTerminated, step: "Cleanup", all: hasStagePods},
	{name: controller.EnsureAnnotationsDeleted, step: "Cleanup", all: hasStageBackup},
	{name: controller.Completed, step: "Cleanup"},
}}

var finalItinerary = itinerary{name: "Final", phases: []phase{
	{name: controller.Created, step: "Prepare"},
	{name: controller.Started, step: "Prepare"},
	{name: controller.StartRefresh, step: "Prepare"},
	{name: controller.WaitForRefresh, step: "Prepare"},
	{name: controller.CleanStaleAnnotations, step: "Prepare"},
	{name: controller.CleanStaleResticCRs, step: "Prepare"},
	{name: controller.CleanStaleVeleroCRs, step: "Prepare"},
	{name: controller.RestartVelero, step: "Prepare"},
	{name: controller.CleanStaleStagePods, step: "Prepare"},
	{name: controller.WaitForStaleStagePodsTerminated, step: "Prepare"},
	{name: controller.CreateRegistries, step: "Prepare", all: hasISs | indirectImage | enableImage},
	{name: controller.WaitForVeleroReady, step: "Prepare"},
	{name: controller.WaitForRegistriesReady, step: "Prepare", all: hasISs | indirectImage | enableImage},
	{name: controller.EnsureCloudSecretPropagated, step: "Prepare"},
	{name: controller.PreBackupHooks, step: "PreBackupHooks", all: hasPreBackupHooks},
	{name: controller.CreateDirectImageMigration, step: "Backup", all: directImage | enableImage},
	{name: controller.CreateDirectVolumeMigrationStage, step: "Backup", all: directVolume | enableVolume},
	{name: controller.EnsureInitialBackup, step: "Backup"},
	{name: controller.InitialBackupCreated, step: "Backup"},
	{name: controller.QuiesceSourceApplications, step: "StageBackup", all: quiesce},
	{name: controller.EnsureSrcQuiesced, step: "StageBackup", all: quiesce},
	{name: controller.EnsureStagePodsFromRunning, step: "StageBackup", all: hasPVs | indirectVolume},
	{name: controller.EnsureStagePodsFromTemplates, step: "StageBackup", all: hasPVs | indirectVolume},
	{name: controller.EnsureStagePodsFromOrphanedPVCs, step: "StageBackup", all: hasPVs | indirectVolume},
	{name: controller.StagePodsCreated, step: "StageBackup", all: hasStagePods},
	{name: controller.RestartRestic, step: "StageBackup", all: hasStagePods},
	{name: controller.AnnotateResources, step: "StageBackup", all: hasStageBackup},
	{name: controller.WaitForResticReady, step: "StageBackup", any: hasStagePods | hasPVs},
	{name: controller.CreateDirectVolumeMigrationFinal, step: "StageBackup", all: directVolume | enableVolume},
	{name: controller.EnsureStageBackup, step: "StageBackup", all: hasStageBackup},
	{name: controller.StageBackupCreated, step: "StageBackup", all: hasStageBackup},
	{name: controller.EnsureStageBackupReplicated, step: "StageBackup", all: hasStageBackup},
	{name: controller.EnsureStageRestore, step: "StageRestore", all: hasStageBackup},
	{name: controller.StageRestoreCreated, step: "StageRestore", all: hasStageBackup},
	{name: controller.EnsureStagePodsDeleted, step: "StageRestore", all: hasStagePods},
	{name: controller.EnsureStagePodsTerminated, step: "StageRestore", all: hasStagePods},
	{name: controller.EnsureAnnotationsDeleted, step: "StageRestore", all: hasStageBackup},
	{name: controller.WaitForDirectImageMigrationToComplete, step: "DirectImage", all: directImage | enableImage},
	{name: controller.WaitForDirectVolumeMigrationToComplete, step: "DirectVolume", all: directVolume | enableVolume},
	{name: controller.PostBackupHooks, step: "PostBackupHooks", all: hasPostBackupHooks},
	{name: controller.PreRestoreHooks, step: "PreRestoreHooks", all: hasPreRestoreHooks},
	{name: controller.EnsureInitialBackupReplicated, step: "Restore"},
	{name: controller.EnsureFinalRestore, step: "Restore"},
	{name: controller.FinalRestoreCreated, step: "Restore"},
	{name: controller.UnQuiesceDestApplications, step: "Restore"},
	{name: controller.PostRestoreHooks, step: "PostRestoreHooks", all: hasPostRestoreHooks},
	{name: controller.SwapPVCReferences, step: "Cleanup", all: quiesce | storageConversion},
	{name: controller.DeleteRegistries, step: "Cleanup"},
	{name: controller.Verification, step: "Cleanup", all: hasVerify},
	{name: controller.Completed, step: "Cleanup"},
}}

var cancelItinerary = itinerary{name: "Cancel", phases: []phase{
	{name: controller.Canceling, step: "CleanupVelero"},
	{name: controller.DeleteBackups, step: "CleanupVelero"},
	{name: controller.DeleteRestores, step: "CleanupVelero"},
	{name: controller.DeleteRegistries, step: "CleanupHelpers"},
	{name: controller.DeleteHookJobs, step: "CleanupHelpers"},
	{name: controller.DeleteDirectVolumeMigrationResources, step: "CleanupHelpers", all: directVolume},
	{name: controller.DeleteDirectImageMigrationResources, step: "CleanupHelpers", all: directImage},
	{name: controller.EnsureStagePodsDeleted, step: "CleanupHelpers", all: hasStagePods},
	{name: controller.EnsureAnnotationsDeleted, step: "CleanupHelpers", all: hasStageBackup},
	{name: controller.UnQuiesceSrcApplications, step: "CleanupUnquiesce"},
	{name: controller.Canceled, step: "Cleanup"},
	{name: controller.Completed, step: "Cleanup"},
}}

var failedItinerary = itinerary{name: "Failed", phases: []phase{
	{name: controller.MigrationFailed, step: "CleanupHelpers"},
	{name: controller.DeleteRegistries, step: "CleanupHelpers"},
	{name: controller.EnsureAnnotationsDeleted, step: "CleanupHelpers", all: hasStageBackup},
	{name: controller.Completed, step: "Cleanup"},
}}

var rollbackItinerary = itinerary{name: "Rollback", phases: []phase{
	{name: controller.Rollback, step: "CleanupVelero"},
	{name: controller.DeleteBackups, step: "CleanupVelero"},
	{name: controller.DeleteRestores, step: "CleanupVelero"},
	{name: controller.DeleteRegistries, step: "CleanupHelpers"},
	{name: controller.EnsureStagePodsDeleted, step: "CleanupHelpers"},
	{name: controller.EnsureAnnotationsDeleted, step: "CleanupHelpers", any: hasPVs | hasISs},
	{name: controller.QuiesceDestinationApplications, step: "CleanupMigrated", all: directVolume | enableVolume},
	{name: controller.EnsureDestQuiesced, step: "CleanupMigrated", all: directVolume | enableVolume},
	{name: controller.SwapPVCReferences, step: "CleanupMigrated", all: storageConversion},
	{name: controller.CreateDirectVolumeMigrationRollback, step: "RollbackLiveMigration", all: directVolume | enableVolume | liveVMMigration},
	{name: controller.WaitForDirectVolumeMigrationToRollbackComplete, step: "RollbackLiveMigration", all: directVolume | enableVolume | liveVMMigration},
	{name: controller.DeleteMigrated, step: "CleanupMigrated"},
	{name: controller.EnsureMigratedDeleted, step: "CleanupMigrated"},
	{name: controller.UnQuiesceSrcApplications, step: "CleanupUnquiesce"},
	{name: controller.Completed, step: "Cleanup"},
}}
