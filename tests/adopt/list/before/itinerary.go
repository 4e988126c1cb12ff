package before

import (
	"context"
	"fmt"

	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/migration"
)

// flag is a predicate of an itinerary.
type flag int16

const (
	hasPreHook flag = 1 << iota
	hasPostHook
	requiresConversion
	cdiDiskCopy
	virtV2VDiskCopy
	vSphere
	runInspection
	windowsWaitForGuestReboot
	waitForFinalSnapshotConsolidation
)

// phase is a row of an itinerary.
type phase struct {
	name string
	all  flag
}

// itinerary is an ordered list of phases for one virtual machine.
type itinerary struct {
	ctx        context.Context
	phases     []phase
	predicates migration.Predicates
}

func (i *itinerary) evaluate(f flag) (bool, error) {
	p := i.predicates
	switch f {
	case hasPreHook:
		return p.HasPreHook(i.ctx)
	case hasPostHook:
		return p.HasPostHook(i.ctx)
	case requiresConversion:
		return p.RequiresConversion(i.ctx)
	case cdiDiskCopy:
		return p.CDIDiskCopy(i.ctx)
	case virtV2VDiskCopy:
		return p.VirtV2VDiskCopy(i.ctx)
	case vSphere:
		return p.VSphere(i.ctx)
	case runInspection:
		return p.RunInspection(i.ctx)
	case windowsWaitForGuestReboot:
		return p.WindowsWaitForGuestReboot(i.ctx)
	case waitForFinalSnapshotConsolidation:
		return p.WaitForFinalSnapshotConsolidation(i.ctx)
	}
	return false, fmt.Errorf("unknown flag %d", f)
}

// list returns the phases that run.
func (i *itinerary) list() ([]phase, error) {
	var list []phase
	for _, p := range i.phases {
		runs, err := i.hasAll(p)
		if err != nil {
			return nil, err
		}
		if runs {
			list = append(list, p)
		}
	}
	return list, nil
}

func (i *itinerary) hasAll(p phase) (bool, error) {
	for f := flag(1); f > 0 && f <= p.all; f <<= 1 {
		if p.all&f == 0 {
			continue
		}
		if ok, err := i.evaluate(f); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// next returns the phase after another, or the empty string after the last.
func (i *itinerary) next(name string) (string, error) {
	list, err := i.list()
	if err != nil {
		return "", err
	}
	known := false
	for _, p := range i.phases {
		known = known || p.name == name
	}
	if !known {
		return "", fmt.Errorf("phase %s not found", name)
	}
	for k, p := range list {
		if p.name == name && k+1 < len(list) {
			return list[k+1].name, nil
		}
	}
	return "", nil
}

var warm = []phase{
	{name: migration.Started},
	{name: migration.PreHook, all: hasPreHook},
	{name: migration.CreateInitialSnapshot},
	{name: migration.WaitForInitialSnapshot},
	{name: migration.StoreInitialSnapshotDeltas, all: vSphere},
	{name: migration.PreflightInspection, all: runInspection},
	{name: migration.CreateDataVolumes},
	// The loop starts here.
	{name: migration.CopyDisks},
	{name: migration.CopyingPaused},
	{name: migration.RemovePreviousSnapshot, all: vSphere},
	{name: migration.WaitForPreviousSnapshotRemoval, all: vSphere},
	{name: migration.CreateSnapshot},
	{name: migration.WaitForSnapshot},
	{name: migration.StoreSnapshotDeltas, all: vSphere},
	{name: migration.AddCheckpoint},
	// The loop ends here.
	{name: migration.StorePowerState},
	{name: migration.PowerOffSource},
	{name: migration.WaitForPowerOff},
	{name: migration.RemovePenultimateSnapshot, all: vSphere},
	{name: migration.WaitForPenultimateSnapshotRemoval, all: vSphere},
	{name: migration.CreateFinalSnapshot},
	{name: migration.WaitForFinalSnapshot},
	{name: migration.AddFinalCheckpoint},
	{name: migration.Finalize},
	{name: migration.RemoveFinalSnapshot, all: vSphere},
	{name: migration.CreateGuestConversionPod, all: requiresConversion},
	{name: migration.ConvertGuest, all: requiresConversion},
	{name: migration.CreateVM},
	{name: migration.WaitForGuestReboots, all: windowsWaitForGuestReboot},
	{name: migration.PostHook, all: hasPostHook},
	{name: migration.WaitForFinalSnapshotRemoval, all: vSphere | waitForFinalSnapshotConsolidation},
	{name: migration.Completed},
}

var cold = []phase{
	{name: migration.Started},
	{name: migration.PreHook, all: hasPreHook},
	{name: migration.StorePowerState},
	{name: migration.PowerOffSource},
	{name: migration.WaitForPowerOff},
	{name: migration.PreflightInspection, all: runInspection},
	{name: migration.CreateDataVolumes},
	{name: migration.CopyDisks, all: cdiDiskCopy},
	{name: migration.AllocateDisks, all: virtV2VDiskCopy},
	{name: migration.CreateGuestConversionPod, all: requiresConversion},
	{name: migration.ConvertGuest, all: requiresConversion},
	{name: migration.CopyDisksVirtV2V, all: requiresConversion | virtV2VDiskCopy},
	{name: migration.CreateVM},
	{name: migration.WaitForGuestReboots, all: windowsWaitForGuestReboot},
	{name: migration.PostHook, all: hasPostHook},
	{name: migration.Completed},
}
