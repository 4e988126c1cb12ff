package after

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/migration"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/sim"
)

// look is a plan, and the virtual machine of it that a reconcile is about.
type look struct {
	Plan   api.Plan
	Number int
}

func (l *look) item() item { return item{Object: &l.Plan, Item: begin(&l.Plan)[l.Number]} }

// site is the source, the target and the inventory. What takes time there has ended
// when it is looked at again.
type site struct {
	Time      time.Time
	Began     map[string]bool
	Snapshots int
	Off, Made map[string]bool // virtual machines, on the source and on the target
	Converts  bool
}

func (s *site) ready(what ...any) (bool, error) {
	key := fmt.Sprint(what...)
	began := s.Began[key]
	s.Began[key] = true
	return began, nil
}

func (s *site) CreateSnapshot(vm string) (string, error) {
	s.Snapshots++
	return fmt.Sprintf("%s-%d", vm, s.Snapshots), nil
}
func (s *site) SnapshotReady(_, id string) (bool, error)    { return s.ready("snapshot ", id) }
func (s *site) SnapshotDeltas(_, id string) (string, error) { return "delta-" + id, nil }
func (s *site) RemoveSnapshot(_, _ string) error            { return nil }
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
func (s *site) SetCheckpoint(_, _ string, _ bool) error               { return nil }
func (s *site) EnsurePod(vm, phase string) (bool, error)              { return s.ready("pod ", vm, " ", phase) }
func (s *site) EnsureVM(vm string) error                              { s.Made[vm] = true; return nil }
func (s *site) Cleanup(string) error                                  { return nil }
func (s *site) NeedsConversion(context.Context, string) (bool, error) { return s.Converts, nil }
func (s *site) Copied(vm, snapshot string, disk int, totalMB int64) (int64, error) {
	if done, _ := s.ready("disk ", vm, " ", snapshot, " ", disk); done {
		return totalMB, nil
	}
	return totalMB / 2, nil
}

// optionsAt are those of production, over a site, for one virtual machine of a plan.
func optionsAt(s *site) runner.Options[*look] {
	r := &Reconciler{Source: s, Target: s, Inventory: s, Migrator: migration.MigratorOf, Now: func() time.Time { return s.Time }}
	return runner.Adapt(r.options(), (*look).item)
}

// setFlag changes what the function of a flag looks at.
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
	return nil // the others follow, and CutoverDue from the time
}

// sides is what holds of a virtual machine at its end.
var sides = machinetest.Invariant[*look, site]{Name: "a virtual machine runs on one side", Check: func(s machinetest.Snapshot[*look, site]) error {
	vm := s.Object.item().Item
	off, made := s.World.Off[vm.Name], s.World.Made[vm.Name]
	switch {
	case !s.State.Done:
		return nil
	case !vm.HasCondition(string(s.State.Result)) || len(vm.Conditions) != 1 || vm.Completed == nil:
		return fmt.Errorf("it is %s, and reads %v", s.State.Result, vm.Conditions)
	case s.State.Result == phases.Succeeded && (!off || !made):
		return fmt.Errorf("it has succeeded; off: %t, made: %t", off, made)
	case s.State.Result == phases.Canceled && off:
		return fmt.Errorf("it is canceled, and stays off")
	}
	return nil
}}

// newSetup returns the setup of a plan with that many virtual machines.
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
		Options: optionsAt, SetFlag: setFlag, Invariants: []machinetest.Invariant[*look, site]{sides},
		Object: l, World: site{Time: sim.Epoch, Began: map[string]bool{}, Off: map[string]bool{}, Made: map[string]bool{}},
		Elapse: func(s *site, now time.Time) { s.Time = now },
		Edits: map[string]func(*look){"cancel": func(l *look) {
			l.Plan.Spec.Cancel = append(l.Plan.Spec.Cancel, l.Plan.Spec.VMs[l.Number].Name)
		}},
		Items: len(vms), Item: func(l *look, number int) *look { l.Number = number; return l },
		Start: sim.Epoch,
	}
}

// twice is what the work, which is as it was before, does not keep: a snapshot has no
// name by which it is found again.
var twice = []machinetest.Break{
	{Promise: machinetest.PromiseIdempotent, Itinerary: "Warm", How: "a handler that is done changes the world when it is called once more"},
}

// Every life of a virtual machine, with the executor of production: all flags, and a
// failure, a crash and a cancel at every moment.
func TestEveryLife(t *testing.T) {
	for _, c := range []struct {
		name  string
		warm  bool
		vms   []string
		fixed []string
		known []machinetest.Break
		never []string
	}{
		{name: "cold, copied by the conversion", vms: []string{"a"}, fixed: []string{"VSphere", "VirtV2VDiskCopy", "!CutoverDue"}, never: []string{"Cold/CopyDisks"}},
		{name: "cold, of the storage", vms: []string{"a"}, fixed: []string{"!VSphere", "!CutoverDue"}, never: []string{"AllocateDisks", "CopyDisksVirtV2V"}},
		{name: "two in one plan", vms: []string{"a", "b"}, fixed: []string{"VSphere", "!RequiresConversion", "!CutoverDue", "RunInspection"},
			never: []string{"AllocateDisks", "CopyDisksVirtV2V", "CreateGuestConversionPod", "ConvertGuest", "WaitForGuestReboots"}},
		{name: "warm", warm: true, vms: []string{"a"}, fixed: []string{"VSphere", "CDIDiskCopy", "!CutoverDue", "RunInspection", "HasPreHook"}, known: twice},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := machinetest.Explore(t, machinetest.Exploration[*look, site]{
				Setup: newSetup(c.warm, c.vms...), Fixed: c.fixed, Edits: []string{"cancel"}, Known: c.known, NeverCalled: c.never,
				Settled: []string{migration.CopyingPaused, migration.Finalize},
			})
			t.Log(r)
		})
	}
}
