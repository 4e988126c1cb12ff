// Package migration is the work of a migration, phase by phase: what stays as
// it is if a controller adopts the framework. Package before and package after
// both drive it.
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

// The steps, beside PreHook, PostHook and WaitForGuestReboots, which are named
// as their phases are.
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
