package after

import (
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/migration"
)

func all(f phases.Flags) phases.Guard { return phases.Guard{All: f} }

// The itineraries have the phases of the controller before, each with its
// step. An assignment to the phase of a virtual machine in a handler became a
// jump.
var itineraries = machine.MustCompileSet(
	phases.Itinerary{Name: "Warm", Vocabulary: vocabulary, Phases: []phases.Phase{
		{Name: migration.Started, Step: migration.Initialize},
		{Name: migration.PreHook, Step: migration.PreHook, Guard: all(HasPreHook)},
		{Name: migration.CreateInitialSnapshot, Step: migration.Initialize},
		{Name: migration.WaitForInitialSnapshot, Step: migration.Initialize},
		{Name: migration.StoreInitialSnapshotDeltas, Step: migration.Initialize, Guard: all(VSphere)},
		{Name: migration.PreflightInspection, Step: migration.PreflightInspectionStep, Guard: all(RunInspection)},
		{Name: migration.CreateDataVolumes, Step: migration.Initialize, Steps: inspectedFirst(migration.DiskTransfer)},
		{Name: migration.CopyDisks, Step: migration.DiskTransfer},
		{Name: migration.CopyingPaused, Step: migration.DiskTransfer, Decides: CutoverDue, Jumps: []phases.Jump{{To: migration.StorePowerState, Guard: all(CutoverDue)}}},
		{Name: migration.RemovePreviousSnapshot, Step: migration.DiskTransfer, Guard: all(VSphere)},
		{Name: migration.WaitForPreviousSnapshotRemoval, Step: migration.DiskTransfer, Guard: all(VSphere)},
		{Name: migration.CreateSnapshot, Step: migration.DiskTransfer},
		{Name: migration.WaitForSnapshot, Step: migration.DiskTransfer},
		{Name: migration.StoreSnapshotDeltas, Step: migration.DiskTransfer, Guard: all(VSphere)},
		{Name: migration.AddCheckpoint, Step: migration.DiskTransfer, Jumps: []phases.Jump{{To: migration.CopyDisks}}},
		{Name: migration.StorePowerState, Step: migration.Cutover},
		{Name: migration.PowerOffSource, Step: migration.Cutover},
		{Name: migration.WaitForPowerOff, Step: migration.Cutover},
		{Name: migration.RemovePenultimateSnapshot, Step: migration.Cutover, Guard: all(VSphere)},
		{Name: migration.WaitForPenultimateSnapshotRemoval, Step: migration.Cutover, Guard: all(VSphere)},
		{Name: migration.CreateFinalSnapshot, Step: migration.Cutover},
		{Name: migration.WaitForFinalSnapshot, Step: migration.Cutover},
		{Name: migration.AddFinalCheckpoint, Step: migration.Cutover},
		{Name: migration.Finalize, Step: migration.Cutover, Jumps: []phases.Jump{{To: migration.CreateFinalSnapshot, Choice: true}}},
		{Name: migration.RemoveFinalSnapshot, Step: migration.Cutover, Guard: all(VSphere)},
		{Name: migration.CreateGuestConversionPod, Step: migration.ImageConversion, Guard: all(RequiresConversion)},
		{Name: migration.ConvertGuest, Step: migration.ImageConversion, Guard: all(RequiresConversion)},
		{Name: migration.CreateVM, Step: migration.VMCreation},
		{Name: migration.WaitForGuestReboots, Step: migration.WaitForGuestReboots, Guard: all(WindowsWaitForGuestReboot)},
		{Name: migration.PostHook, Step: migration.PostHook, Guard: all(HasPostHook)},
		{Name: migration.WaitForFinalSnapshotRemoval, Step: migration.WaitForSnapshotConsolidation, Guard: all(VSphere | WaitForFinalSnapshotConsolidation)},
		{Name: migration.Completed, End: true},
	}},
	phases.Itinerary{Name: "Cold", Vocabulary: vocabulary, Phases: []phases.Phase{
		{Name: migration.Started, Step: migration.Initialize},
		{Name: migration.PreHook, Step: migration.PreHook, Guard: all(HasPreHook)},
		{Name: migration.StorePowerState, Step: migration.Initialize},
		{Name: migration.PowerOffSource, Step: migration.Initialize},
		{Name: migration.WaitForPowerOff, Step: migration.Initialize},
		{Name: migration.PreflightInspection, Step: migration.PreflightInspectionStep, Guard: all(RunInspection)},
		{Name: migration.CreateDataVolumes, Step: migration.Initialize, Steps: append([]phases.GuardedStep{
			{Step: migration.DiskAllocation, Guard: all(RunInspection | VirtV2VDiskCopy)}}, inspectedFirst(migration.DiskTransfer)...)},
		{Name: migration.CopyDisks, Step: migration.DiskTransfer, Guard: all(CDIDiskCopy)},
		{Name: migration.AllocateDisks, Step: migration.DiskAllocation, Guard: all(VirtV2VDiskCopy)},
		{Name: migration.CreateGuestConversionPod, Step: migration.ImageConversion, Guard: all(RequiresConversion)},
		{Name: migration.ConvertGuest, Step: migration.ImageConversion, Guard: all(RequiresConversion)},
		{Name: migration.CopyDisksVirtV2V, Step: migration.DiskTransferV2V, Guard: all(RequiresConversion | VirtV2VDiskCopy)},
		{Name: migration.CreateVM, Step: migration.VMCreation},
		{Name: migration.WaitForGuestReboots, Step: migration.WaitForGuestReboots, Guard: all(WindowsWaitForGuestReboot)},
		{Name: migration.PostHook, Step: migration.PostHook, Guard: all(HasPostHook)},
		{Name: migration.Completed, End: true},
	}},
	phases.Itinerary{Name: "Failed", Vocabulary: vocabulary, Cleanup: true, Result: phases.Failed, Phases: ended},
	phases.Itinerary{Name: "Canceled", Vocabulary: vocabulary, Cleanup: true, Result: phases.Canceled, Phases: ended},
)

// inspectedFirst returns the step of CreateDataVolumes for disks that are
// inspected first.
func inspectedFirst(step string) []phases.GuardedStep {
	return []phases.GuardedStep{{Step: step, Guard: all(RunInspection)}}
}

// ended is the only phase after a failure or a cancel: the end.
var ended = []phases.Phase{{Name: migration.Completed, End: true}}
