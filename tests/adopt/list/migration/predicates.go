package migration

import (
	"context"
	"slices"
	"time"

	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/api"
)

// Inventory describes the source's virtual machines. It is remote, so it may fail.
type Inventory interface {
	// NeedsConversion reports whether a guest must be converted.
	NeedsConversion(ctx context.Context, vm string) (bool, error)
}

// Predicates decide whether a phase of one virtual machine runs.
type Predicates struct {
	Plan      *api.Plan
	VM        *api.VMStatus
	Inventory Inventory
	Now       func() time.Time
}

// HasPreHook reports whether the user set a hook before the migration.
func (p Predicates) HasPreHook(context.Context) (bool, error) {
	return slices.Contains(p.VM.Hooks, PreHook), nil
}

// HasPostHook reports whether the user set a hook after the migration.
func (p Predicates) HasPostHook(context.Context) (bool, error) {
	return slices.Contains(p.VM.Hooks, PostHook), nil
}

// VSphere reports whether the source is vSphere.
func (p Predicates) VSphere(context.Context) (bool, error) {
	return p.Plan.Spec.Provider == api.VSphere, nil
}

// RunInspection reports whether disks are inspected before they are copied.
func (p Predicates) RunInspection(context.Context) (bool, error) { return p.Plan.Spec.Inspect, nil }

// RequiresConversion reports whether the guest is converted.
func (p Predicates) RequiresConversion(ctx context.Context) (bool, error) {
	if p.Plan.Spec.SkipConversion {
		return false, nil
	}
	return p.Inventory.NeedsConversion(ctx, p.VM.Name)
}

// CDIDiskCopy reports whether disks are copied by importers.
func (p Predicates) CDIDiskCopy(ctx context.Context) (bool, error) {
	converts, err := p.VirtV2VDiskCopy(ctx)
	return !converts, err
}

// VirtV2VDiskCopy reports whether the conversion copies disks.
func (p Predicates) VirtV2VDiskCopy(ctx context.Context) (bool, error) {
	if p.Plan.Spec.Warm || p.Plan.Spec.Provider != api.VSphere {
		return false, nil
	}
	return p.RequiresConversion(ctx)
}

// WindowsWaitForGuestReboot reports whether a Windows guest reboots before it is
// ready.
func (p Predicates) WindowsWaitForGuestReboot(ctx context.Context) (bool, error) {
	if !p.VM.Windows {
		return false, nil
	}
	return p.RequiresConversion(ctx)
}

// WaitForFinalSnapshotConsolidation reports whether the last snapshot is merged
// before the migration ends.
func (p Predicates) WaitForFinalSnapshotConsolidation(context.Context) (bool, error) {
	return p.Plan.Spec.ConsolidateFinal, nil
}

// CutoverDue reports whether the user's cutover time has come.
func (p Predicates) CutoverDue(context.Context) (bool, error) {
	at := p.Plan.Spec.Cutover
	return at != nil && !at.After(p.Now()), nil
}
