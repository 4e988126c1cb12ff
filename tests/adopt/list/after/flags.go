package after

import (
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/migration"
)

// The flags of the itineraries.
const (
	HasPreHook phases.Flags = 1 << iota
	HasPostHook
	RequiresConversion
	CDIDiskCopy
	VirtV2VDiskCopy
	VSphere
	RunInspection
	WindowsWaitForGuestReboot
	WaitForFinalSnapshotConsolidation
	CutoverDue
)

// flags are the flags, with the functions that evaluate them: those that the
// controller has.
var flags = []struct {
	phases.FlagDef
	evaluate func(migration.Predicates) (bool, error)
}{
	{phases.FlagDef{Flag: HasPreHook, Name: "HasPreHook"}, migration.Predicates.HasPreHook},
	{phases.FlagDef{Flag: HasPostHook, Name: "HasPostHook"}, migration.Predicates.HasPostHook},
	{phases.FlagDef{Flag: RequiresConversion, Name: "RequiresConversion"}, migration.Predicates.RequiresConversion},
	{phases.FlagDef{Flag: CDIDiskCopy, Name: "CDIDiskCopy"}, migration.Predicates.CDIDiskCopy},
	{phases.FlagDef{Flag: VirtV2VDiskCopy, Name: "VirtV2VDiskCopy"}, migration.Predicates.VirtV2VDiskCopy},
	{phases.FlagDef{Flag: VSphere, Name: "VSphere"}, migration.Predicates.VSphere},
	{phases.FlagDef{Flag: RunInspection, Name: "RunInspection"}, migration.Predicates.RunInspection},
	{phases.FlagDef{Flag: WindowsWaitForGuestReboot, Name: "WindowsWaitForGuestReboot"}, migration.Predicates.WindowsWaitForGuestReboot},
	{phases.FlagDef{Flag: WaitForFinalSnapshotConsolidation, Name: "WaitForFinalSnapshotConsolidation"}, migration.Predicates.WaitForFinalSnapshotConsolidation},
	{phases.FlagDef{Flag: CutoverDue, Name: "CutoverDue"}, migration.Predicates.CutoverDue},
}

// vocabulary has the flags.
var vocabulary = func() *phases.Vocabulary {
	var defs []phases.FlagDef
	for _, f := range flags {
		defs = append(defs, f.FlagDef)
	}
	return phases.MustVocabulary(defs)
}()
