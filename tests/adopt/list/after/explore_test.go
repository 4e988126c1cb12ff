package after

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/migration"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/sim"
)

// look is a plan and the virtual machine that is reconciled.
type look struct {
	Plan   api.Plan
	Number int
}

func (l *look) item() item { return item{Object: &l.Plan, Item: begin(&l.Plan)[l.Number]} }

// site is the source, the target and the inventory. Work that takes time has
// ended at the second call.
type site struct {
	Time                 time.Time
	Began                map[string]bool // started work, by key
	Off, Made, Snapshots map[string]bool // virtual machines of the source and of the target
	Converts             bool
	Lost                 string // the first final snapshot, which another client removes
}

func (s *site) ready(what ...any) (bool, error) {
	key := fmt.Sprint(what...)
	began := s.Began[key]
	s.Began[key] = true
	return began, nil
}

func (s *site) CreateSnapshot(vm, name string) (string, error) {
	id := vm + "-" + name
	s.Snapshots[id] = true
	return id, nil
}
func (s *site) SnapshotReady(_, id string) (bool, error)    { return s.ready("snapshot ", id) }
func (s *site) SnapshotDeltas(_, id string) (string, error) { return "delta-" + id, nil }
func (s *site) RemoveSnapshot(_, id string) error           { delete(s.Snapshots, id); return nil }
func (s *site) SnapshotRemoved(_, id string) (bool, error)  { return s.ready("removal ", id) }
func (s *site) PowerState(vm string) (string, error) {
	if s.Off[vm] {
		return "Off", nil
	}
	return "On", nil
}
func (s *site) PowerOff(vm string) error                              { s.Off[vm] = true; return nil }
func (s *site) PoweredOff(vm string) (bool, error)                    { return s.ready("off ", vm) }
func (s *site) PowerOn(vm string) error                               { delete(s.Off, vm); return nil }
func (s *site) EnsureVolumes(vm string) (bool, error)                 { return s.ready("volumes ", vm) }
func (s *site) EnsurePod(vm, phase string) (bool, error)              { return s.ready("pod ", vm, " ", phase) }
func (s *site) EnsureVM(vm string) error                              { s.Made[vm] = true; return nil }
func (s *site) RemoveVM(vm string) error                              { delete(s.Made, vm); return nil }
func (s *site) Cleanup(string) error                                  { return nil }
func (s *site) NeedsConversion(context.Context, string) (bool, error) { return s.Converts, nil }
func (s *site) SetCheckpoint(vm, snapshot string, final bool) error {
	if final && s.Lost == "" {
		s.Lost = snapshot
		return s.RemoveSnapshot(vm, snapshot)
	}
	return nil
}
func (s *site) Copied(vm, snapshot string, disk int, totalMB int64) (int64, error) {
	if snapshot != "" && snapshot == s.Lost {
		return 0, migration.ErrSnapshotLost
	}
	if done, _ := s.ready("disk ", vm, " ", snapshot, " ", disk); done {
		return totalMB, nil
	}
	return totalMB / 2, nil
}

// optionsAt returns the options of production, over a site, for one virtual
// machine of a plan.
func optionsAt(s *site) runner.Options[*look] {
	r := &Reconciler{Source: s, Target: s, Inventory: s, Migrator: migration.MigratorOf, Now: func() time.Time { return s.Time }}
	return runner.Adapt(r.options(), (*look).item)
}

// setFlag changes the input of a flag's function.
func setFlag(l *look, s *site, flag string, value bool) error {
	spec := &l.Plan.Spec
	hook := func(name string) {
		for _, vm := range []*api.VM{&spec.VMs[l.Number], &l.item().Item.VM} {
			vm.Hooks = slices.DeleteFunc(vm.Hooks, func(other string) bool { return other == name })
			if value {
				vm.Hooks = append(vm.Hooks, name)
			}
		}
	}
	switch flag {
	case "HasPreHook":
		hook(migration.PreHook)
	case "HasPostHook":
		hook(migration.PostHook)
	case "RequiresConversion":
		s.Converts = value
	case "VSphere":
		if spec.Provider = api.Offload; value {
			spec.Provider = api.VSphere
		}
	case "RunInspection":
		spec.Inspect = value
	case "WindowsWaitForGuestReboot":
		spec.VMs[l.Number].Windows, l.item().Item.Windows = value, value
	case "WaitForFinalSnapshotConsolidation":
		spec.ConsolidateFinal = value
	}
	return nil // the others follow from these, and CutoverDue from the time
}

// ends must hold of a virtual machine at its end.
var ends = machinetest.Invariant[*look, site]{Name: "a virtual machine runs on one side, as its status reads", Check: checkEnd}

func checkEnd(s machinetest.Snapshot[*look, site]) error {
	vm, result := s.Object.item().Item, s.State.Result
	off, made := s.World.Off[vm.Name], s.World.Made[vm.Name]
	switch {
	case !s.State.Done:
		return nil
	case len(vm.Conditions) != 1 || !vm.HasCondition(string(result)) || vm.Completed == nil:
		return fmt.Errorf("it is %s, and reads %v", result, vm.Conditions)
	case (vm.Error != nil) != (result == phases.Failed):
		return fmt.Errorf("it is %s, with the error %v", result, vm.Error)
	case result == phases.Succeeded && s.Object.Plan.Spec.Canceled(vm.Name):
		return errors.New("it has succeeded although it was canceled")
	case result == phases.Succeeded && (!off || !made), result == phases.Canceled && (off || made), made && !off:
		return fmt.Errorf("it is %s; off on the source: %t, made on the target: %t", result, off, made)
	}
	return nil
}

// newSetup returns the setup of a plan.
func newSetup(warm bool, vms ...string) machinetest.Setup[*look, site] {
	l := &look{Plan: api.Plan{ObjectMeta: metav1.ObjectMeta{Namespace: "move", Name: "plan", UID: "1"}}}
	if l.Plan.Spec.Warm = warm; warm {
		at := metav1.NewTime(sim.Epoch.Add(45 * time.Second)) // in the second turn
		l.Plan.Spec.Cutover = &at
	}
	for _, vm := range vms {
		l.Plan.Spec.VMs = append(l.Plan.Spec.VMs, api.VM{Name: vm, DisksMB: []int64{300}})
	}
	return machinetest.Setup[*look, site]{
		Options: optionsAt, SetFlag: setFlag, Invariants: []machinetest.Invariant[*look, site]{ends},
		Object: l,
		World:  site{Time: sim.Epoch, Began: map[string]bool{}, Off: map[string]bool{}, Made: map[string]bool{}, Snapshots: map[string]bool{}},
		Elapse: func(s *site, now time.Time) { s.Time = now },
		Edits: map[string]func(*look){"cancel": func(l *look) {
			l.Plan.Spec.Cancel = append(l.Plan.Spec.Cancel, l.Plan.Spec.VMs[l.Number].Name)
		}},
		Items: len(vms), Item: func(l *look, number int) *look { l.Number = number; return l },
		Start: sim.Epoch,
	}
}

// The exploration runs the executor of production, with all flags that are not
// fixed, and a failure, a crash and a cancel at every moment.
func TestExploreVirtualMachines(t *testing.T) {
	for _, c := range []struct {
		name, itinerary   string
		vms, fixed, never []string
	}{
		{name: "cold, copied by the conversion", itinerary: "Cold", vms: []string{"a"},
			fixed: []string{"VSphere", "VirtV2VDiskCopy", "HasPostHook", "WindowsWaitForGuestReboot"}, never: []string{migration.CopyDisks}},
		{name: "cold, copied by the storage", itinerary: "Cold", vms: []string{"a"},
			fixed: []string{"!VSphere", "HasPreHook", "RunInspection"}, never: []string{migration.AllocateDisks, migration.CopyDisksVirtV2V}},
		{name: "cold, two in one plan", itinerary: "Cold", vms: []string{"a", "b"},
			fixed: []string{"VSphere", "!RequiresConversion", "RunInspection", "HasPreHook", "HasPostHook"},
			never: []string{migration.AllocateDisks, migration.CopyDisksVirtV2V, migration.CreateGuestConversionPod, migration.ConvertGuest,
				migration.WaitForGuestReboots}},
		{name: "warm, and a final snapshot is lost", itinerary: "Warm", vms: []string{"a"},
			fixed: []string{"!HasPreHook", "!HasPostHook", "!RunInspection", "!RequiresConversion", "CDIDiskCopy",
				"WaitForFinalSnapshotConsolidation"},
			never: []string{migration.PreHook, migration.PostHook, migration.PreflightInspection, migration.CreateGuestConversionPod,
				migration.ConvertGuest, migration.WaitForGuestReboots}},
	} {
		t.Run(c.name, func(t *testing.T) {
			setup := newSetup(c.itinerary == "Warm", c.vms...)
			t.Log(machinetest.Explore(t, machinetest.Exploration[*look, site]{
				Setup: setup, Fixed: append(c.fixed, "!CutoverDue"), NeverCalled: c.never, Edits: []string{"cancel"},
				Switches: map[string][]string{c.itinerary: {"Failed", "Canceled"}},
				// The time and the site settle what these phases decide and
				// choose.
				Settled:   []string{migration.CopyingPaused, migration.Finalize},
				MaxStates: testscale.Of(0, 150), MayBeInconclusive: testscale.Reduced,
			}))
		})
	}
}
