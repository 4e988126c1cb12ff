package sim

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/migration"
)

// Tick is the duration of one reconcile.
const Tick = 3 * time.Second

// Epoch is the time at which each world begins.
var Epoch = time.Date(2025, 3, 1, 9, 0, 0, 0, time.UTC)

// At returns the time of a reconcile, counted from 0.
func At(look int) metav1.Time { return metav1.NewTime(Epoch.Add(time.Duration(look) * Tick)) }

// Fault describes what goes wrong at the first visit to a phase.
type Fault struct {
	// NotReady is the number of calls for which the provider is not ready.
	NotReady int
	// Broken fails the phase for good.
	Broken bool
}

// World simulates a source, a target and an inventory. It is not safe for
// concurrent use.
type World struct {
	Seed int64
	Time time.Time
	// Faults holds faults by virtual machine and phase.
	Faults map[string]map[string]Fault
	// Down reports whether the inventory does not answer.
	Down func(t time.Time) bool
	// Lost holds the virtual machines whose first final snapshot is removed by
	// another client.
	Lost map[string]bool

	// Visits holds the phases in which each virtual machine was worked on, in
	// order.
	Visits map[string][]string
	// Steps holds the steps of these visits, by virtual machine and phase.
	Steps map[string]map[string]string
	// OnVisit is called when a virtual machine comes to a phase.
	OnVisit func(vm, phase string)

	began map[string]time.Time // start of each piece of work
	count map[string]int
}

// New returns a world for a seed.
func New(seed int64) *World {
	return &World{Seed: seed, Time: Epoch, Visits: map[string][]string{}, Steps: map[string]map[string]string{},
		began: map[string]time.Time{}, count: map[string]int{}}
}

// Now returns the current time of the world.
func (w *World) Now() time.Time { return w.Time }

// Migrator returns the migrator of a provider. It records each phase that is
// worked on.
func (w *World) Migrator(provider string) migration.Migrator {
	return &observed{w, migration.MigratorOf(provider)}
}

type observed struct {
	*World
	migration.Migrator
}

func (o *observed) Execute(x *migration.Executor, vm *api.VMStatus) (bool, error) {
	if step := x.Step(vm); step != nil {
		if o.Steps[vm.Name] == nil {
			o.Steps[vm.Name] = map[string]string{}
		}
		o.Steps[vm.Name][vm.Phase] = step.Name
	}
	visits := o.Visits[vm.Name]
	if n := len(visits); n == 0 || visits[n-1] != vm.Phase {
		o.Visits[vm.Name] = append(visits, vm.Phase)
		if o.OnVisit != nil {
			o.OnVisit(vm.Name, vm.Phase)
		}
	}
	return o.Migrator.Execute(x, vm)
}

// fault returns the error that the script has for the current phase.
func (w *World) fault(vm string) error {
	visits := w.Visits[vm]
	if len(visits) == 0 {
		return nil
	}
	phase := visits[len(visits)-1]
	f := w.Faults[vm][phase]
	switch {
	case f.Broken:
		return fmt.Errorf("%s of %s is broken", phase, vm)
	case w.count["not ready "+vm+phase] < f.NotReady:
		w.count["not ready "+vm+phase]++
		return &migration.NotReadyError{Provider: "the source"}
	}
	return nil
}

// visit returns a key for the current visit of a virtual machine.
func (w *World) visit(vm string) string { return fmt.Sprint(vm, " ", len(w.Visits[vm])) }

// takes returns the duration of a piece of work: at most the given number of
// ticks.
func (w *World) takes(what string, ticks int) time.Duration {
	h := fnv.New64a()
	fmt.Fprint(h, w.Seed, what)
	return time.Duration(h.Sum64()%uint64(ticks+1)) * Tick
}

// ready begins a piece of work, and reports whether it has ended.
func (w *World) ready(vm, what string, ticks int) (bool, error) {
	if err := w.fault(vm); err != nil {
		return false, err
	}
	began, ok := w.began[what]
	if !ok {
		began = w.Time
		w.began[what] = began
	}
	return !w.Time.Before(began.Add(w.takes(what, ticks))), nil
}

// CreateSnapshot implements [migration.Source].
func (w *World) CreateSnapshot(vm, name string) (string, error) {
	return vm + "-snapshot-" + name, w.fault(vm)
}

// SnapshotReady implements [migration.Source].
func (w *World) SnapshotReady(vm, id string) (bool, error) {
	return w.ready(vm, "snapshot "+w.visit(vm), 1)
}

// SnapshotDeltas implements [migration.Source].
func (w *World) SnapshotDeltas(vm, id string) (string, error) { return "delta-" + id, w.fault(vm) }

// RemoveSnapshot implements [migration.Source].
func (w *World) RemoveSnapshot(vm, id string) error { return w.fault(vm) }

// SnapshotRemoved implements [migration.Source].
func (w *World) SnapshotRemoved(vm, id string) (bool, error) {
	return w.ready(vm, "removal "+w.visit(vm), 1)
}

// PowerState implements [migration.Source].
func (w *World) PowerState(vm string) (string, error) { return "On", w.fault(vm) }

// PowerOff implements [migration.Source].
func (w *World) PowerOff(vm string) error { return w.fault(vm) }

// PoweredOff implements [migration.Source].
func (w *World) PoweredOff(vm string) (bool, error) { return w.ready(vm, "power off "+vm, 2) }

// PowerOn implements [migration.Source].
func (w *World) PowerOn(vm string) error {
	w.count["power on "+vm]++
	return nil
}

// PoweredOn reports whether the source of a virtual machine was started again.
func (w *World) PoweredOn(vm string) bool { return w.count["power on "+vm] > 0 }

// CleanedUp reports whether the cleanup of a virtual machine was done at its
// end.
func (w *World) CleanedUp(vm string) bool { return w.count["cleanup "+vm] > 0 }

// EnsureVolumes implements [migration.Target].
func (w *World) EnsureVolumes(vm string) (bool, error) { return w.ready(vm, "volumes "+vm, 1) }

// SetCheckpoint implements [migration.Target].
func (w *World) SetCheckpoint(vm, snapshot string, final bool) error { return w.fault(vm) }

// Copied implements [migration.Target].
func (w *World) Copied(vm, snapshot string, disk int, totalMB int64) (int64, error) {
	visit := w.visit(vm)
	visits := w.Visits[vm]
	if w.Lost[vm] && visits[len(visits)-1] == migration.Finalize {
		switch lost := "lost " + vm; w.count[lost] {
		case 0:
			w.count[lost] = len(visits)
			fallthrough
		case len(visits): // also if the controller crashes
			return 0, migration.ErrSnapshotLost
		}
	}
	what := fmt.Sprint("disk ", visit, " ", disk)
	done, err := w.ready(vm, what, 2)
	if err != nil || done {
		return totalMB, err
	}
	return totalMB / 2, nil
}

// EnsurePod implements [migration.Target].
func (w *World) EnsurePod(vm, phase string) (bool, error) {
	return w.ready(vm, "pod "+w.visit(vm), 2)
}

// EnsureVM implements [migration.Target].
func (w *World) EnsureVM(vm string) error { return w.fault(vm) }

// RemoveVM implements [migration.Target].
func (w *World) RemoveVM(string) error { return nil }

// Cleanup implements [migration.Target].
func (w *World) Cleanup(vm string) error {
	if visits := w.Visits[vm]; len(visits) > 0 && visits[len(visits)-1] == migration.Started {
		return w.fault(vm)
	}
	w.count["cleanup "+vm]++
	return nil
}

// ErrDown means that the inventory does not answer.
var ErrDown = errors.New("the inventory does not answer")

// NeedsConversion implements [migration.Inventory].
func (w *World) NeedsConversion(_ context.Context, vm string) (bool, error) {
	if w.Down != nil && w.Down(w.Time) {
		return false, ErrDown
	}
	return w.takes("conversion "+vm, 2) > 0, nil
}
