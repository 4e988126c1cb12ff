package list_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/migration"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/sim"
)

// life is a script of what happens to one plan. Both controllers play it
// alike.
type life struct {
	seed      int64
	plan      *api.Plan
	maxAtWork int
	faults    map[string]map[string]sim.Fault
	lost      map[string]bool
	cancels   map[string]string // virtual machine to the phase in which it is canceled
	crashes   map[int]bool      // the reconciles whose writes are lost
	// down is the interval in which the inventory does not answer, in
	// reconciles.
	down [2]int
	// edits holds the user's changes by reconcile. hooked reports whether the
	// change adds a hook.
	edits  map[int]func(*api.Plan)
	hooked bool
	// onLook is called after each reconcile.
	onLook func(*api.Plan)
}

// controllerOf makes the controller of a life.
type controllerOf func(*life, *sim.World, *sim.Server) reconcile.Reconciler

// warmFaults and coldFaults are the phases in which something may go wrong.
// Of the loop they have only its first phase, CopyDisks, which every warm run enters at
// least once: a fault in another could meet a turn that only one of two controllers makes.
var (
	coldFaults = []string{
		migration.Started, migration.PreHook, migration.StorePowerState, migration.PowerOffSource, migration.WaitForPowerOff,
		migration.PreflightInspection, migration.CreateDataVolumes, migration.ConvertGuest, migration.CreateVM, migration.PostHook,
	}
	warmFaults = append(slices.Clone(coldFaults),
		migration.CreateInitialSnapshot, migration.WaitForInitialSnapshot, migration.CopyDisks, migration.CreateFinalSnapshot,
		migration.AddFinalCheckpoint, migration.Finalize, migration.RemoveFinalSnapshot)
)

// newLife returns the life of a seed.
func newLife(seed int64) *life {
	r := rand.New(rand.NewPCG(uint64(seed), 1))
	chance := func(percent int) bool { return r.IntN(100) < percent }
	one := func(list []string) string { return list[r.IntN(len(list))] }

	l := &life{
		seed: seed, faults: map[string]map[string]sim.Fault{}, lost: map[string]bool{},
		cancels: map[string]string{}, crashes: map[int]bool{},
	}
	spec := api.PlanSpec{
		Provider: api.VSphere, Warm: chance(50),
		Inspect: chance(40), SkipConversion: chance(20), ConsolidateFinal: chance(50),
	}
	if chance(30) {
		spec.Provider = api.Offload
	}
	l.maxAtWork = 1 + r.IntN(6)
	at := sim.At(r.IntN(100))
	spec.Cutover = &at
	faulty := coldFaults
	if spec.Warm {
		faulty = warmFaults
	}
	for i := range 1 + min(r.IntN(20), r.IntN(20)) {
		vm := api.VM{Name: fmt.Sprintf("vm-%d", i), Windows: chance(50)}
		for range 1 + r.IntN(3) {
			vm.DisksMB = append(vm.DisksMB, 100+r.Int64N(1000))
		}
		for _, hook := range []string{migration.PreHook, migration.PostHook} {
			if chance(30) {
				vm.Hooks = append(vm.Hooks, hook)
			}
		}
		spec.VMs = append(spec.VMs, vm)
		fault := sim.Fault{}
		switch {
		case chance(15):
			fault.Broken = true
		case chance(15):
			fault.NotReady = 1 + r.IntN(3)
		}
		l.faults[vm.Name] = map[string]sim.Fault{one(faulty): fault}
		if chance(10) {
			l.cancels[vm.Name] = one(faulty)
		}
		l.lost[vm.Name] = chance(10)
		if chance(3) {
			spec.Cancel = append(spec.Cancel, vm.Name)
		}
	}
	for look := range 400 {
		l.crashes[look] = chance(4)
	}
	if chance(15) {
		from := 5 + r.IntN(60)
		l.down = [2]int{from, from + 1 + r.IntN(5)}
	}
	if chance(15) {
		l.hooked = true
		l.edits = map[int]func(*api.Plan){5 + r.IntN(40): addHooks}
	}
	l.plan = &api.Plan{ObjectMeta: metav1.ObjectMeta{Namespace: "move", Name: "plan", UID: "1"}, Spec: spec}
	return l
}

// course is the record of a life.
type course struct {
	world  *sim.World
	server *sim.Server
	looks  int
	atWork int // maximum
	writes int // maximum in one reconcile
}

// maxLooks is the number of reconciles after which a life is stuck.
const maxLooks = 2000

// play lets a controller live a life.
func (l *life) play(controller controllerOf) (*course, error) {
	c := &course{world: sim.New(l.seed), server: sim.NewServer(l.plan)}
	var canceled []string
	c.world.Faults, c.world.Lost = l.faults, l.lost
	c.world.OnVisit = func(vm, phase string) {
		if l.cancels[vm] == phase {
			canceled = append(canceled, vm)
		}
	}
	c.world.Down = func(t time.Time) bool {
		return !t.Before(sim.At(l.down[0]).Time) && t.Before(sim.At(l.down[1]).Time)
	}

	r := controller(l, c.world, c.server)
	for ; c.looks < maxLooks; c.looks++ {
		c.world.Time = sim.At(c.looks).Time
		if canceled != nil {
			c.server.Edit(func(plan *api.Plan) { plan.Spec.Cancel = append(plan.Spec.Cancel, canceled...) })
			canceled = nil
		}
		if edit := l.edits[c.looks]; edit != nil {
			c.server.Edit(edit)
		}
		writes := c.server.Writes
		c.server.Crash = l.crashes[c.looks]
		result, err := r.Reconcile(ctx, request)
		c.writes = max(c.writes, c.server.Writes-writes)
		if c.server.Crash {
			r = controller(l, c.world, c.server)
		}
		plan := c.server.Plan()
		if l.onLook != nil {
			l.onLook(plan)
		}
		atWork, over := 0, 0
		for _, vm := range plan.Status.Migration.VMs {
			switch {
			case vm.Completed != nil, vm.Run != nil && vm.Run.Stopped != nil:
				over++
			case vm.Running(), vm.Run != nil && vm.Run.Itinerary != "":
				atWork++
			}
		}
		c.atWork = max(c.atWork, atWork)
		switch {
		case over == len(plan.Spec.VMs):
			c.looks++
			return c, nil
		case err == nil && result.RequeueAfter == 0:
			return c, fmt.Errorf("life %d: nothing wakes the controller after reconcile %d", l.seed, c.looks)
		}
	}
	return c, fmt.Errorf("life %d is stuck", l.seed)
}

// addHooks adds a hook after the migration to all virtual machines at work, as
// a user may do at any time.
func addHooks(plan *api.Plan) {
	for _, vm := range plan.Status.Migration.VMs {
		if vm.Running() && !slices.Contains(vm.Hooks, migration.PostHook) {
			vm.Hooks = append(vm.Hooks, migration.PostHook)
		}
	}
}
