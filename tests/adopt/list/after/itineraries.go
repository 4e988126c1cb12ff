package after

import (
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	. "github.com/konveyor/dynamic-pipeline/tests/adopt/list/migration"
)

func all(f phases.Flags) phases.Guard { return phases.Guard{All: f} }

// The itineraries have the phases of before, each with its step. What handlers
// assigned to the phase of a virtual machine is a jump.
var itineraries = machine.MustCompileSet(
	phases.Itinerary{Name: "Warm", Vocabulary: vocabulary, Phases: []phases.Phase{
		{Name: Started, Step: Initialize},
		{Name: PreHook, Step: PreHook, Guard: all(HasPreHook)},
		{Name: CreateInitialSnapshot, Step: Initialize},
		{Name: WaitForInitialSnapshot, Step: Initialize},
		{Name: StoreInitialSnapshotDeltas, Step: Initialize, Guard: all(VSphere)},
		{Name: PreflightInspection, Step: PreflightInspectionStep, Guard: all(RunInspection)},
		{Name: CreateDataVolumes, Step: Initialize, Steps: inspectedFirst(DiskTransfer)},
		{Name: CopyDisks, Step: DiskTransfer},
		{Name: CopyingPaused, Step: DiskTransfer, Decides: CutoverDue, Jumps: []phases.Jump{{To: StorePowerState, Guard: all(CutoverDue)}}},
		{Name: RemovePreviousSnapshot, Step: DiskTransfer, Guard: all(VSphere)},
		{Name: WaitForPreviousSnapshotRemoval, Step: DiskTransfer, Guard: all(VSphere)},
		{Name: CreateSnapshot, Step: DiskTransfer},
		{Name: WaitForSnapshot, Step: DiskTransfer},
		{Name: StoreSnapshotDeltas, Step: DiskTransfer, Guard: all(VSphere)},
		{Name: AddCheckpoint, Step: DiskTransfer, Jumps: []phases.Jump{{To: CopyDisks}}},
		{Name: StorePowerState, Step: Cutover},
		{Name: PowerOffSource, Step: Cutover},
		{Name: WaitForPowerOff, Step: Cutover},
		{Name: RemovePenultimateSnapshot, Step: Cutover, Guard: all(VSphere)},
		{Name: WaitForPenultimateSnapshotRemoval, Step: Cutover, Guard: all(VSphere)},
		{Name: CreateFinalSnapshot, Step: Cutover},
		{Name: WaitForFinalSnapshot, Step: Cutover},
		{Name: AddFinalCheckpoint, Step: Cutover},
		{Name: Finalize, Step: Cutover, Jumps: []phases.Jump{{To: CreateFinalSnapshot, Choice: true}}},
		{Name: RemoveFinalSnapshot, Step: Cutover, Guard: all(VSphere)},
		{Name: CreateGuestConversionPod, Step: ImageConversion, Guard: all(RequiresConversion)},
		{Name: ConvertGuest, Step: ImageConversion, Guard: all(RequiresConversion)},
		{Name: CreateVM, Step: VMCreation},
		{Name: WaitForGuestReboots, Step: WaitForGuestReboots, Guard: all(WindowsWaitForGuestReboot)},
		{Name: PostHook, Step: PostHook, Guard: all(HasPostHook)},
		{Name: WaitForFinalSnapshotRemoval, Step: WaitForSnapshotConsolidation, Guard: all(VSphere | WaitForFinalSnapshotConsolidation)},
		{Name: Completed, End: true},
	}},
	phases.Itinerary{Name: "Cold", Vocabulary: vocabulary, Phases: []phases.Phase{
		{Name: Started, Step: Initialize},
		{Name: PreHook, Step: PreHook, Guard: all(HasPreHook)},
		{Name: StorePowerState, Step: Initialize},
		{Name: PowerOffSource, Step: Initialize},
		{Name: WaitForPowerOff, Step: Initialize},
		{Name: PreflightInspection, Step: PreflightInspectionStep, Guard: all(RunInspection)},
		{Name: CreateDataVolumes, Step: Initialize, Steps: append([]phases.GuardedStep{
			{Step: DiskAllocation, Guard: all(RunInspection | VirtV2VDiskCopy)}}, inspectedFirst(DiskTransfer)...)},
		{Name: CopyDisks, Step: DiskTransfer, Guard: all(CDIDiskCopy)},
		{Name: AllocateDisks, Step: DiskAllocation, Guard: all(VirtV2VDiskCopy)},
		{Name: CreateGuestConversionPod, Step: ImageConversion, Guard: all(RequiresConversion)},
		{Name: ConvertGuest, Step: ImageConversion, Guard: all(RequiresConversion)},
		{Name: CopyDisksVirtV2V, Step: DiskTransferV2V, Guard: all(RequiresConversion | VirtV2VDiskCopy)},
		{Name: CreateVM, Step: VMCreation},
		{Name: WaitForGuestReboots, Step: WaitForGuestReboots, Guard: all(WindowsWaitForGuestReboot)},
		{Name: PostHook, Step: PostHook, Guard: all(HasPostHook)},
		{Name: Completed, End: true},
	}},
	phases.Itinerary{Name: "Failed", Vocabulary: vocabulary, Cleanup: true, Result: phases.Failed, Phases: ended},
	phases.Itinerary{Name: "Canceled", Vocabulary: vocabulary, Cleanup: true, Result: phases.Canceled, Phases: ended},
)

// inspectedFirst is the step that CreateDataVolumes belongs to if the disks are
// inspected before.
func inspectedFirst(step string) []phases.GuardedStep {
	return []phases.GuardedStep{{Step: step, Guard: all(RunInspection)}}
}

// ended is what comes after a failure or a cancel: nothing but the end.
var ended = []phases.Phase{{Name: Completed, End: true}}
