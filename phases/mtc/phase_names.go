package mtc

// The names of the phases of [Itineraries], as upstream stores them in
// status.phase. The constants have the prefix Phase because steps and itineraries
// share some of the names.
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
	// PhaseCompleted is the end phase of every itinerary. It does no work.
	PhaseCompleted = "Completed"

	// Phases of Final that Stage does not have.

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

	// Phases of Cancel that none of the above has.

	PhaseCanceling                            = "Canceling"
	PhaseDeleteBackups                        = "DeleteBackups"
	PhaseDeleteRestores                       = "DeleteRestores"
	PhaseDeleteHookJobs                       = "DeleteHookJobs"
	PhaseDeleteDirectVolumeMigrationResources = "DeleteDirectVolumeMigrationResources"
	PhaseDeleteDirectImageMigrationResources  = "DeleteDirectImageMigrationResources"
	PhaseUnQuiesceSrcApplications             = "UnQuiesceSrcApplications"
	PhaseCanceled                             = "Canceled"

	// The phase of Failed that none of the above has.

	PhaseMigrationFailed = "MigrationFailed"

	// Phases of Rollback that none of the above has.

	PhaseRollback                                       = "Rollback"
	PhaseQuiesceDestinationApplications                 = "QuiesceDestinationApplications"
	PhaseEnsureDestQuiesced                             = "EnsureDestQuiesced"
	PhaseCreateDirectVolumeMigrationRollback            = "CreateDirectVolumeMigrationRollback"
	PhaseWaitForDirectVolumeMigrationToRollbackComplete = "WaitForDirectVolumeMigrationToRollbackComplete"
	PhaseDeleteMigrated                                 = "DeleteMigrated"
	PhaseEnsureMigratedDeleted                          = "EnsureMigratedDeleted"
)
