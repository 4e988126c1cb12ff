package mtc

// The names of the phases of [Itineraries], as upstream stores them in
// status.phase. The constant of a phase is Phase followed by the name, because
// steps and itineraries share some of these names.
const (
	// PhaseCreated is the first phase of Stage and Final. Upstream stores it as
	// the empty string.
	PhaseCreated                                = "Created"
	PhaseStarted                                = "Started"
	PhaseStartRefresh                           = "StartRefresh"
	PhaseWaitForRefresh                         = "WaitForRefresh"
	PhaseCleanStaleAnnotations                  = "CleanStaleAnnotations"
	PhaseCleanStaleResticCRs                    = "CleanStaleResticCRs"
	PhaseCleanStaleVeleroCRs                    = "CleanStaleVeleroCRs"
	PhaseRestartVelero                          = "RestartVelero"
	PhaseCleanStaleStagePods                    = "CleanStaleStagePods"
	PhaseWaitForStaleStagePodsTerminated        = "WaitForStaleStagePodsTerminated"
	PhaseCreateRegistries                       = "CreateRegistries"
	PhaseCreateDirectImageMigration             = "CreateDirectImageMigration"
	PhaseQuiesceSourceApplications              = "QuiesceSourceApplications"
	PhaseEnsureSrcQuiesced                      = "EnsureSrcQuiesced"
	PhaseCreateDirectVolumeMigrationStage       = "CreateDirectVolumeMigrationStage"
	PhaseEnsureStagePodsFromRunning             = "EnsureStagePodsFromRunning"
	PhaseEnsureStagePodsFromTemplates           = "EnsureStagePodsFromTemplates"
	PhaseEnsureStagePodsFromOrphanedPVCs        = "EnsureStagePodsFromOrphanedPVCs"
	PhaseStagePodsCreated                       = "StagePodsCreated"
	PhaseRestartRestic                          = "RestartRestic"
	PhaseAnnotateResources                      = "AnnotateResources"
	PhaseWaitForVeleroReady                     = "WaitForVeleroReady"
	PhaseWaitForResticReady                     = "WaitForResticReady"
	PhaseWaitForRegistriesReady                 = "WaitForRegistriesReady"
	PhaseEnsureCloudSecretPropagated            = "EnsureCloudSecretPropagated"
	PhaseEnsureStageBackup                      = "EnsureStageBackup"
	PhaseStageBackupCreated                     = "StageBackupCreated"
	PhaseEnsureStageBackupReplicated            = "EnsureStageBackupReplicated"
	PhaseEnsureStageRestore                     = "EnsureStageRestore"
	PhaseStageRestoreCreated                    = "StageRestoreCreated"
	PhaseWaitForDirectImageMigrationToComplete  = "WaitForDirectImageMigrationToComplete"
	PhaseWaitForDirectVolumeMigrationToComplete = "WaitForDirectVolumeMigrationToComplete"
	PhaseSwapPVCReferences                      = "SwapPVCReferences"
	PhaseDeleteRegistries                       = "DeleteRegistries"
	PhaseEnsureStagePodsDeleted                 = "EnsureStagePodsDeleted"
	PhaseEnsureStagePodsTerminated              = "EnsureStagePodsTerminated"
	PhaseEnsureAnnotationsDeleted               = "EnsureAnnotationsDeleted"
	// PhaseCompleted is the last phase of every itinerary. It does no work and
	// ends in done.
	PhaseCompleted = "Completed"

	// Final has these as well.

	PhasePreBackupHooks                   = "PreBackupHooks"
	PhaseEnsureInitialBackup              = "EnsureInitialBackup"
	PhaseInitialBackupCreated             = "InitialBackupCreated"
	PhaseCreateDirectVolumeMigrationFinal = "CreateDirectVolumeMigrationFinal"
	PhasePostBackupHooks                  = "PostBackupHooks"
	PhasePreRestoreHooks                  = "PreRestoreHooks"
	PhaseEnsureInitialBackupReplicated    = "EnsureInitialBackupReplicated"
	PhaseEnsureFinalRestore               = "EnsureFinalRestore"
	PhaseFinalRestoreCreated              = "FinalRestoreCreated"
	PhaseUnQuiesceDestApplications        = "UnQuiesceDestApplications"
	PhasePostRestoreHooks                 = "PostRestoreHooks"
	PhaseVerification                     = "Verification"

	// Cancel has these as well.

	PhaseCanceling                            = "Canceling"
	PhaseDeleteBackups                        = "DeleteBackups"
	PhaseDeleteRestores                       = "DeleteRestores"
	PhaseDeleteHookJobs                       = "DeleteHookJobs"
	PhaseDeleteDirectVolumeMigrationResources = "DeleteDirectVolumeMigrationResources"
	PhaseDeleteDirectImageMigrationResources  = "DeleteDirectImageMigrationResources"
	PhaseUnQuiesceSrcApplications             = "UnQuiesceSrcApplications"
	PhaseCanceled                             = "Canceled"

	// Failed has this one as well.

	PhaseMigrationFailed = "MigrationFailed"

	// Rollback has these as well.

	PhaseRollback                                       = "Rollback"
	PhaseQuiesceDestinationApplications                 = "QuiesceDestinationApplications"
	PhaseEnsureDestQuiesced                             = "EnsureDestQuiesced"
	PhaseCreateDirectVolumeMigrationRollback            = "CreateDirectVolumeMigrationRollback"
	PhaseWaitForDirectVolumeMigrationToRollbackComplete = "WaitForDirectVolumeMigrationToRollbackComplete"
	PhaseDeleteMigrated                                 = "DeleteMigrated"
	PhaseEnsureMigratedDeleted                          = "EnsureMigratedDeleted"
)
