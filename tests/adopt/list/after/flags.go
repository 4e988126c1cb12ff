package after

import (
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/migration"
)

// Flags of the itineraries.
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

var vocabulary = phases.MustVocabulary([]phases.FlagDef{
	{Flag: HasPreHook, Name: "HasPreHook"},
	{Flag: HasPostHook, Name: "HasPostHook"},
	{Flag: RequiresConversion, Name: "RequiresConversion"},
	{Flag: CDIDiskCopy, Name: "CDIDiskCopy"},
	{Flag: VirtV2VDiskCopy, Name: "VirtV2VDiskCopy"},
	{Flag: VSphere, Name: "VSphere"},
	{Flag: RunInspection, Name: "RunInspection"},
	{Flag: WindowsWaitForGuestReboot, Name: "WindowsWaitForGuestReboot"},
	{Flag: WaitForFinalSnapshotConsolidation, Name: "WaitForFinalSnapshotConsolidation"},
	{Flag: CutoverDue, Name: "CutoverDue"},
},
	phases.Clause{True: CDIDiskCopy | VirtV2VDiskCopy},
	phases.Clause{False: CDIDiskCopy | VirtV2VDiskCopy},
	phases.Clause{False: VirtV2VDiskCopy, True: VSphere},
	phases.Clause{False: VirtV2VDiskCopy, True: RequiresConversion},
	phases.Clause{False: WindowsWaitForGuestReboot, True: RequiresConversion},
)

// sourcesOf returns the sources of the flags: the functions that exist
// already.
func sourcesOf(p migration.Predicates) (*phases.Sources, error) {
	return phases.NewSources(vocabulary, []phases.Source{
		{Flag: HasPreHook, Evaluate: phases.Bool(p.HasPreHook)},
		{Flag: HasPostHook, Evaluate: phases.Bool(p.HasPostHook)},
		{Flag: RequiresConversion, Evaluate: phases.Bool(p.RequiresConversion)},
		{Flag: CDIDiskCopy, Evaluate: phases.Bool(p.CDIDiskCopy)},
		{Flag: VirtV2VDiskCopy, Evaluate: phases.Bool(p.VirtV2VDiskCopy)},
		{Flag: VSphere, Evaluate: phases.Bool(p.VSphere)},
		{Flag: RunInspection, Evaluate: phases.Bool(p.RunInspection)},
		{Flag: WindowsWaitForGuestReboot, Evaluate: phases.Bool(p.WindowsWaitForGuestReboot)},
		{Flag: WaitForFinalSnapshotConsolidation, Evaluate: phases.Bool(p.WaitForFinalSnapshotConsolidation)},
		{Flag: CutoverDue, Evaluate: phases.Bool(p.CutoverDue)},
	}...)
}
