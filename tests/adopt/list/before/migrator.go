package before

import (
	"context"
	"fmt"

	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/migration"
)

// run is one reconcile of one plan.
type run struct {
	*Reconciler
	*migration.Executor
	ctx      context.Context
	plan     *api.Plan
	migrator migration.Migrator
}

func (r *run) itinerary(vm *api.VMStatus) *itinerary {
	i := &itinerary{ctx: r.ctx, phases: cold, predicates: migration.Predicates{
		Plan: r.plan, VM: vm, Inventory: r.Inventory, Now: r.Executor.Now,
	}}
	if r.plan.Spec.Warm {
		i.phases = warm
	}
	return i
}

// stepOf returns the name of the step of the current phase.
func (r *run) stepOf(vm *api.VMStatus) string {
	switch vm.Phase {
	case migration.Started, migration.CreateInitialSnapshot, migration.WaitForInitialSnapshot, migration.StoreInitialSnapshotDeltas:
		return migration.Initialize
	case migration.PreflightInspection:
		return migration.PreflightInspectionStep
	case migration.AllocateDisks:
		return migration.DiskAllocation
	case migration.CopyDisks, migration.CopyingPaused, migration.RemovePreviousSnapshot, migration.WaitForPreviousSnapshotRemoval,
		migration.CreateSnapshot, migration.WaitForSnapshot, migration.StoreSnapshotDeltas, migration.AddCheckpoint:
		return migration.DiskTransfer
	case migration.CreateDataVolumes:
		if !r.plan.Spec.Inspect {
			return migration.Initialize
		}
		if vm.FindStep(migration.DiskTransfer) != nil {
			return migration.DiskTransfer
		}
		return migration.DiskAllocation
	case migration.StorePowerState, migration.PowerOffSource, migration.WaitForPowerOff:
		if r.plan.Spec.Warm {
			return migration.Cutover
		}
		return migration.Initialize
	case migration.RemovePenultimateSnapshot, migration.WaitForPenultimateSnapshotRemoval, migration.CreateFinalSnapshot,
		migration.WaitForFinalSnapshot, migration.AddFinalCheckpoint, migration.Finalize, migration.RemoveFinalSnapshot:
		return migration.Cutover
	case migration.CreateGuestConversionPod, migration.ConvertGuest:
		return migration.ImageConversion
	case migration.CopyDisksVirtV2V:
		return migration.DiskTransferV2V
	case migration.CreateVM:
		return migration.VMCreation
	case migration.WaitForFinalSnapshotRemoval:
		return migration.WaitForSnapshotConsolidation
	case migration.PreHook, migration.PostHook, migration.WaitForGuestReboots:
		return vm.Phase
	}
	return "Unknown"
}

// pipeline returns the steps of a virtual machine that will run.
func (r *run) pipeline(vm *api.VMStatus) (pipeline []*api.Step, err error) {
	list, err := r.itinerary(vm).list()
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		name := ""
		switch p.name {
		case migration.Started:
			name = migration.Initialize
		case migration.PreHook, migration.PostHook, migration.WaitForGuestReboots:
			name = p.name
		case migration.PreflightInspection:
			name = migration.PreflightInspectionStep
		case migration.AllocateDisks:
			name = migration.DiskAllocation
		case migration.CopyDisks:
			name = migration.DiskTransfer
		case migration.CopyDisksVirtV2V:
			name = migration.DiskTransferV2V
		case migration.Finalize:
			name = migration.Cutover
		case migration.ConvertGuest:
			name = migration.ImageConversion
		case migration.CreateVM:
			name = migration.VMCreation
		case migration.WaitForFinalSnapshotRemoval:
			name = migration.WaitForSnapshotConsolidation
		default:
			continue
		}
		pipeline = append(pipeline, migration.NewStep(vm, name))
	}
	return pipeline, nil
}

func (r *run) currentStep(vm *api.VMStatus) *api.Step { return vm.FindStep(r.stepOf(vm)) }

// next enters the next phase, and completes the step if the next phase belongs
// to another.
func (r *run) next(vm *api.VMStatus) {
	name, err := r.itinerary(vm).next(vm.Phase)
	if err != nil {
		vm.AddError(err.Error())
		return
	}
	if name == "" {
		name = migration.Completed
	}
	r.enter(vm, name)
}

// enter enters a phase.
func (r *run) enter(vm *api.VMStatus, name string) {
	step := r.currentStep(vm)
	vm.Phase = name
	if step != nil && step.Name != r.stepOf(vm) {
		step.MarkCompleted(r.time())
		step.Phase, step.Progress.Completed = api.Completed, step.Progress.Total
	}
}

// begin creates the status of each virtual machine.
func (r *run) begin() error {
	m := &r.plan.Status.Migration
	if m.Started != nil {
		return nil
	}
	m.MarkStarted(r.time())
	for _, vm := range r.plan.Spec.VMs {
		status := migration.NewStatus(r.plan, vm)
		list, err := r.itinerary(status).list()
		if err != nil {
			return fmt.Errorf("virtual machine %s: %w", vm.Name, err)
		}
		status.Phase = list[0].name
		if status.Pipeline, err = r.pipeline(status); err != nil {
			return err
		}
		m.VMs = append(m.VMs, status)
	}
	return nil
}
