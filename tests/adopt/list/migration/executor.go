package migration

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/api"
)

// Source is the provider that virtual machines come from.
type Source interface {
	// CreateSnapshot creates the snapshot of that name, unless it exists.
	CreateSnapshot(vm, name string) (id string, err error)
	SnapshotReady(vm, id string) (bool, error)
	SnapshotDeltas(vm, id string) (string, error)
	RemoveSnapshot(vm, id string) error
	SnapshotRemoved(vm, id string) (bool, error)
	PowerState(vm string) (string, error)
	PowerOff(vm string) error
	PoweredOff(vm string) (bool, error)
	PowerOn(vm string) error
}

// Target is the cluster that virtual machines move to.
type Target interface {
	EnsureVolumes(vm string) (ready bool, err error)
	SetCheckpoint(vm, snapshot string, final bool) error
	// Copied returns how many MB of a disk are copied from a snapshot. The error
	// is ErrSnapshotLost if the snapshot is gone.
	Copied(vm, snapshot string, disk int, totalMB int64) (int64, error)
	// EnsurePod starts the pod of a phase, and reports whether it has succeeded.
	EnsurePod(vm, phase string) (done bool, err error)
	EnsureVM(vm string) error
	RemoveVM(vm string) error
	Cleanup(vm string) error
}

// NotReadyError means that a provider cannot answer now. The work is retried.
type NotReadyError struct{ Provider string }

func (e *NotReadyError) Error() string { return e.Provider + " is not ready; retrying" }

// ErrSnapshotLost means that a snapshot was removed by another client.
var ErrSnapshotLost = errors.New("the snapshot was removed by another client")

// PrecopyInterval is the time between two turns of copying.
const PrecopyInterval = 30 * time.Second

// Migrator handles phases that differ by provider.
type Migrator interface {
	// Execute works on the current phase of a virtual machine. If ok is false,
	// it has done nothing, and the executor handles the phase itself.
	Execute(x *Executor, vm *api.VMStatus) (ok bool, err error)
}

// MigratorOf returns the migrator of a provider.
func MigratorOf(provider string) Migrator {
	if provider == api.Offload {
		return offload{}
	}
	return base{}
}

// base handles no phase.
type base struct{}

func (base) Execute(*Executor, *api.VMStatus) (bool, error) { return false, nil }

// offload copies disks by the storage.
type offload struct{ base }

func (o offload) Execute(x *Executor, vm *api.VMStatus) (bool, error) {
	if vm.Phase != CopyDisks || vm.Warm != nil {
		return o.base.Execute(x, vm)
	}
	step := x.Step(vm)
	if step == nil {
		return false, nil
	}
	step.MarkStarted(x.now())
	done, err := x.Target.EnsurePod(vm.Name, vm.Phase)
	if done {
		for _, task := range step.Tasks {
			x.complete(task)
		}
		step.Progress.Completed = step.Progress.Total
		x.Next(vm)
	}
	return true, x.record(step, err)
}

// Executor works on the current phase of a virtual machine of one plan. It
// records progress and errors on the virtual machine and its current step, and
// calls Next, Goto or Choose if the phase is done.
type Executor struct {
	Plan   *api.Plan
	Source Source
	Target Target
	Now    func() time.Time

	// Step returns the step of the current phase, or nil if there is none.
	Step func(vm *api.VMStatus) *api.Step
	// Next continues with the next phase, Goto with a phase that is fixed, and
	// Choose with a phase that the result of the work calls for.
	Next   func(vm *api.VMStatus)
	Goto   func(vm *api.VMStatus, phase string)
	Choose func(vm *api.VMStatus, phase string)
}

// Run works on the current phase of a virtual machine. The caller retries an
// error.
func (x *Executor) Run(m Migrator, vm *api.VMStatus) error {
	if ok, err := m.Execute(x, vm); ok {
		return err
	}
	step := x.Step(vm)
	switch {
	case step == nil && (vm.Phase == PreHook || vm.Phase == PostHook):
		x.Goto(vm, Completed) // the pipeline was created without the hook
		return nil
	case step == nil:
		vm.AddError(fmt.Sprintf("no step for phase %s", vm.Phase))
		return nil
	}
	step.MarkStarted(x.now())
	step.Phase = api.Running
	return x.record(step, x.work(vm, step))
}

// record notes a permanent error on the step, and returns any other.
func (x *Executor) record(step *api.Step, err error) error {
	var notReady *NotReadyError
	if err != nil && !errors.As(err, &notReady) {
		step.AddError(err.Error())
		return nil
	}
	return err
}

func (x *Executor) now() metav1.Time { return metav1.NewTime(x.Now().UTC().Truncate(time.Second)) }

func (x *Executor) work(vm *api.VMStatus, step *api.Step) (err error) {
	done := true
	switch vm.Phase {
	case Started:
		vm.MarkStarted(x.now())
		err = x.Target.Cleanup(vm.Name)
	case PreHook, PostHook, PreflightInspection, CreateGuestConversionPod, ConvertGuest, CopyDisksVirtV2V, WaitForGuestReboots:
		if done, err = x.Target.EnsurePod(vm.Name, vm.Phase); done {
			step.Progress.Completed = step.Progress.Total
		}
	case CreateDataVolumes:
		done, err = x.Target.EnsureVolumes(vm.Name)
	case AllocateDisks:
		done, err = x.copyDisks(vm, step)
	case CopyDisks:
		done, err = x.copyDisks(vm, step)
		if done && vm.Warm != nil {
			now := x.now()
			next := metav1.NewTime(now.Add(PrecopyInterval))
			vm.Warm.Last().End, vm.Warm.NextPrecopyAt = &now, &next
			vm.Warm.Successes++
		}
	case CopyingPaused:
		if at := x.Plan.Spec.Cutover; at != nil && !at.After(x.Now()) {
			x.Goto(vm, StorePowerState)
			return nil
		}
		done = !vm.Warm.NextPrecopyAt.After(x.Now())
	case CreateInitialSnapshot, CreateSnapshot, CreateFinalSnapshot:
		turn := len(vm.Warm.Precopies) + 1
		if turn > 1 && vm.Warm.Last().End == nil {
			break // the phase is called again
		}
		var id string
		if id, err = x.Source.CreateSnapshot(vm.Name, strconv.Itoa(turn)); err == nil {
			vm.Warm.Precopies = append(vm.Warm.Precopies, api.Precopy{Snapshot: id})
			resetTasks(step, turn)
		}
	case WaitForInitialSnapshot, WaitForSnapshot, WaitForFinalSnapshot:
		done, err = x.Source.SnapshotReady(vm.Name, vm.Warm.Last().Snapshot)
	case StoreInitialSnapshotDeltas, StoreSnapshotDeltas:
		vm.Warm.Last().Deltas, err = x.Source.SnapshotDeltas(vm.Name, vm.Warm.Last().Snapshot)
	case RemovePreviousSnapshot, RemovePenultimateSnapshot, RemoveFinalSnapshot:
		err = x.Source.RemoveSnapshot(vm.Name, vm.Warm.Last().Snapshot)
	case WaitForPreviousSnapshotRemoval, WaitForPenultimateSnapshotRemoval, WaitForFinalSnapshotRemoval:
		done, err = x.Source.SnapshotRemoved(vm.Name, vm.Warm.Last().Snapshot)
	case AddCheckpoint:
		if err = x.Target.SetCheckpoint(vm.Name, vm.Warm.Last().Snapshot, false); err == nil {
			x.Goto(vm, CopyDisks)
		}
		return err
	case AddFinalCheckpoint:
		if err = x.Target.SetCheckpoint(vm.Name, vm.Warm.Last().Snapshot, true); err == nil {
			x.Goto(vm, Finalize)
		}
		return err
	case StorePowerState:
		vm.RestorePowerState, err = x.Source.PowerState(vm.Name)
	case PowerOffSource:
		err = x.Source.PowerOff(vm.Name)
	case WaitForPowerOff:
		done, err = x.Source.PoweredOff(vm.Name)
	case Finalize:
		if done, err = x.copyDisks(vm, step); errors.Is(err, ErrSnapshotLost) {
			now := x.now()
			vm.Warm.Last().End = &now
			x.Choose(vm, CreateFinalSnapshot)
			return nil
		}
	case CreateVM:
		err = x.Target.EnsureVM(vm.Name)
	default:
		vm.AddError(fmt.Sprintf("unknown phase %s", vm.Phase))
		return nil
	}
	if err == nil && done {
		x.Next(vm)
	}
	return err
}

// copyDisks updates the progress of the disks, and reports whether all are
// copied.
func (x *Executor) copyDisks(vm *api.VMStatus, step *api.Step) (done bool, err error) {
	snapshot := ""
	if vm.Warm != nil {
		snapshot = vm.Warm.Last().Snapshot
	}
	done, step.Progress.Completed = true, 0
	for i, task := range step.Tasks {
		copied, err := x.Target.Copied(vm.Name, snapshot, i, task.Progress.Total)
		if err != nil {
			return false, err
		}
		task.MarkStarted(x.now())
		task.Phase, task.Progress.Completed = api.Running, copied
		if copied == task.Progress.Total {
			x.complete(task)
		}
		done = done && task.Completed != nil
		step.Progress.Completed += copied
	}
	return done, nil
}

func (x *Executor) complete(task *api.Task) {
	task.MarkCompleted(x.now())
	task.Phase, task.Progress.Completed = api.Completed, task.Progress.Total
}

// resetTasks begins another turn of copying.
func resetTasks(step *api.Step, turn int) {
	step.Completed, step.Progress.Completed = nil, 0
	for _, task := range step.Tasks {
		task.Timed, task.Phase, task.Progress.Completed = api.Timed{}, api.Pending, 0
		task.Annotations = map[string]string{"precopy": strconv.Itoa(turn)}
	}
}

// CleanUp removes what a migration no longer needs at its end. It ignores errors,
// with one exception: if a migration was canceled, CleanUp starts the source only
// once the virtual machine is gone from the target, because it must not run on
// both sides.
func (x *Executor) CleanUp(vm *api.VMStatus) {
	if vm.Warm != nil && len(vm.Warm.Precopies) > 0 && !vm.HasCondition(api.Succeeded) {
		_ = x.Source.RemoveSnapshot(vm.Name, vm.Warm.Last().Snapshot)
	}
	_ = x.Target.Cleanup(vm.Name)
	if !vm.HasCondition(api.Canceled) {
		return
	}
	if !vm.HasCondition(api.Succeeded) && x.Target.RemoveVM(vm.Name) != nil {
		return
	}
	if vm.RestorePowerState == "On" {
		_ = x.Source.PowerOn(vm.Name)
	}
}

// NewStatus returns the status of a virtual machine whose run has not begun.
func NewStatus(plan *api.Plan, vm api.VM) *api.VMStatus {
	status := &api.VMStatus{VM: vm}
	if plan.Spec.Warm {
		status.Warm = &api.Warm{}
	}
	return status
}

// NewStep returns a step that has not started.
func NewStep(vm *api.VMStatus, name string) *api.Step {
	step := &api.Step{Task: api.Task{Name: name, Description: descriptions[name], Phase: api.Pending, Progress: api.Progress{Total: 1}}}
	switch name {
	case DiskAllocation, DiskTransfer, DiskTransferV2V, Cutover:
		step.Progress.Total = 0
		step.Annotations = map[string]string{"unit": "MB"}
		for i, mb := range vm.DisksMB {
			step.Progress.Total += mb
			task := &api.Task{Name: "disk-" + strconv.Itoa(i), Phase: api.Pending, Progress: api.Progress{Total: mb}}
			step.Tasks = append(step.Tasks, task)
		}
	}
	return step
}

var descriptions = map[string]string{
	Initialize:                   "Initialize migration.",
	PreHook:                      "Run pre-migration hook.",
	PreflightInspectionStep:      "Inspect VM before migration.",
	DiskAllocation:               "Allocate disks.",
	DiskTransfer:                 "Transfer disks.",
	DiskTransferV2V:              "Copy disks.",
	Cutover:                      "Finalize disk transfer.",
	ImageConversion:              "Convert image.",
	VMCreation:                   "Create VM.",
	WaitForGuestReboots:          "Wait for guest reboots.",
	PostHook:                     "Run post-migration hook.",
	WaitForSnapshotConsolidation: "Wait for snapshot consolidation.",
}
