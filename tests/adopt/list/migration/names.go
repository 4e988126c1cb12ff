package migration

// The phases.
const (
	Started                           = "Started"
	PreHook                           = "PreHook"
	PostHook                          = "PostHook"
	CreateInitialSnapshot             = "CreateInitialSnapshot"
	WaitForInitialSnapshot            = "WaitForInitialSnapshot"
	StoreInitialSnapshotDeltas        = "StoreInitialSnapshotDeltas"
	PreflightInspection               = "PreflightInspection"
	CreateDataVolumes                 = "CreateDataVolumes"
	AllocateDisks                     = "AllocateDisks"
	CopyDisks                         = "CopyDisks"
	CopyDisksVirtV2V                  = "CopyDisksVirtV2V"
	CopyingPaused                     = "CopyingPaused"
	RemovePreviousSnapshot            = "RemovePreviousSnapshot"
	WaitForPreviousSnapshotRemoval    = "WaitForPreviousSnapshotRemoval"
	CreateSnapshot                    = "CreateSnapshot"
	WaitForSnapshot                   = "WaitForSnapshot"
	StoreSnapshotDeltas               = "StoreSnapshotDeltas"
	AddCheckpoint                     = "AddCheckpoint"
	StorePowerState                   = "StorePowerState"
	PowerOffSource                    = "PowerOffSource"
	WaitForPowerOff                   = "WaitForPowerOff"
	RemovePenultimateSnapshot         = "RemovePenultimateSnapshot"
	WaitForPenultimateSnapshotRemoval = "WaitForPenultimateSnapshotRemoval"
	CreateFinalSnapshot               = "CreateFinalSnapshot"
	WaitForFinalSnapshot              = "WaitForFinalSnapshot"
	AddFinalCheckpoint                = "AddFinalCheckpoint"
	Finalize                          = "Finalize"
	RemoveFinalSnapshot               = "RemoveFinalSnapshot"
	WaitForFinalSnapshotRemoval       = "WaitForFinalSnapshotRemoval"
	CreateGuestConversionPod          = "CreateGuestConversionPod"
	ConvertGuest                      = "ConvertGuest"
	CreateVM                          = "CreateVM"
	WaitForGuestReboots               = "WaitForGuestReboots"
	Completed                         = "Completed"
)

// The steps. PreHook, PostHook and WaitForGuestReboots are steps with the
// names of their phases.
const (
	Initialize                   = "Initialize"
	PreflightInspectionStep      = "PreflightInspection"
	DiskAllocation               = "DiskAllocation"
	DiskTransfer                 = "DiskTransfer"
	DiskTransferV2V              = "DiskTransferV2v"
	Cutover                      = "Cutover"
	ImageConversion              = "ImageConversion"
	VMCreation                   = "VirtualMachineCreation"
	WaitForSnapshotConsolidation = "WaitForSnapshotConsolidation"
)
