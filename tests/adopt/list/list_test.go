package list_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/after"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/before"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/migration"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	ctx     = log.IntoContext(context.Background(), logr.Discard())
	request = reconcile.Request{NamespacedName: client.ObjectKey{Namespace: "move", Name: "plan"}}
)

func newBefore(l *life, w *sim.World, s *sim.Server) reconcile.Reconciler {
	return &before.Reconciler{
		Client: s, Source: w, Target: w, Inventory: w, Migrator: w.Migrator, Now: w.Now, MaxInFlight: l.maxAtWork,
	}
}

func newAfter(l *life, w *sim.World, s *sim.Server) reconcile.Reconciler {
	r, err := after.New(after.Parts{
		Client: s, Source: w, Target: w, Inventory: w, Migrator: w.Migrator, Now: w.Now, MaxInFlight: l.maxAtWork,
	})
	if err != nil {
		panic(err) // the options are the same each time
	}
	return r
}

// kinds are the differences between before and after that are expected, each
// with its reason.
var kinds = []struct {
	name, reason string
	differs      func(l *life, before, after trace) bool
}{
	{
		"other turns", "a virtual machine comes to the loop some looks earlier or later, so the cutover meets it in another turn: " +
			"a slot is free in the look in which a run ends, not one later, and an error of one does not cost the others a look",
		func(_ *life, b, a trace) bool {
			return slices.Equal(oneTurn(b.phases), oneTurn(a.phases)) && b.ended() == a.ended()
		},
	},
	{
		"cancel", "of a cancel and the end or the failure of the phase in which it comes, the first one counts; which that is depends on " +
			"the looks whose writes are lost, and these meet other phases",
		func(l *life, b, a trace) bool {
			return slices.Equal(oneTurn(b.phases), oneTurn(a.phases)) && l.cancels[a.vm.Name] == a.last()
		},
	},
	{
		"edited", "a hook that the user adds half-way was entered without a step and ended the migration there; now a flag that is " +
			"known is not evaluated again, unless it is live, so the run keeps to its plan",
		func(l *life, b, a trace) bool {
			return l.edited > 0 && b.last() == migration.PostHook && b.vm.FindStep(migration.PostHook) == nil && a.goesOn(b)
		},
	},
	{
		"flag", "an inventory that does not answer failed a virtual machine; now the flag is evaluated again later, or is known already",
		func(l *life, b, a trace) bool { return b.failedBy(sim.ErrDown) && a.goesOn(b) },
	},
}

// trace is the course of one virtual machine.
type trace struct {
	phases []string
	vm     *api.VMStatus
}

func (c *course) trace(name string) trace {
	vm := c.server.Plan().Status.Migration.FindVM(name)
	return trace{append(slices.Clone(c.world.Visits[name]), vm.Phase), vm}
}

func (t trace) String() string { return strings.Join(t.phases, " ") + ": " + t.ended() }

// ended is how a virtual machine has ended.
func (t trace) ended() string { return t.vm.Conditions[0].Type }

func (t trace) failedBy(err error) bool {
	return t.vm.Error != nil && slices.Contains(t.vm.Error.Reasons, err.Error())
}

// last returns the last phase that was worked on.
func (t trace) last() string { return t.phases[len(t.phases)-2] }

// goesOn reports whether t has the phases of another that has ended early, and
// others.
func (t trace) goesOn(early trace) bool {
	was, is := withoutHook(oneTurn(early.phases[:len(early.phases)-1])), withoutHook(oneTurn(t.phases))
	return len(was) < len(is) && slices.Equal(was, is[:len(was)])
}

// oneTurn returns the phases with one turn of the loop for any number of them.
func oneTurn(all []string) (one []string) {
	for _, phase := range all {
		switch phase {
		case migration.RemovePreviousSnapshot, migration.WaitForPreviousSnapshotRemoval, migration.CreateSnapshot,
			migration.WaitForSnapshot, migration.StoreSnapshotDeltas, migration.AddCheckpoint:
			continue
		case migration.CopyDisks, migration.CopyingPaused:
			if slices.Contains(one, phase) {
				continue
			}
		}
		one = append(one, phase)
	}
	return one
}

func withoutHook(all []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(phase string) bool { return phase == migration.PostHook })
}

var plans = 200

func TestTheSamePhasesAreEnteredBeforeAndAfter(t *testing.T) {
	counts := map[string]int{}
	vms, looks := 0, 0
	for seed := range int64(plans) {
		l := newLife(seed)
		b, err := l.play(newBefore)
		require.NoError(t, err)
		a, err := l.play(newAfter)
		require.NoError(t, err)
		looks += b.looks + a.looks

		for _, c := range []*course{b, a} {
			require.LessOrEqual(t, c.atWork, l.maxAtWork, "life %d", seed)
			require.LessOrEqual(t, c.writes, 1, "life %d", seed)
		}
		for _, vm := range l.plan.Spec.VMs {
			vms++
			was, is := b.trace(vm.Name), a.trace(vm.Name)
			kind := kindOf(l, was, is)
			require.NotEmpty(t, kind, "life %d: %s differs in a kind that is not listed:\nbefore %s\nafter  %s", seed, vm.Name, was, is)
			counts[kind]++
			counts[was.ended()+" before"]++
			counts[is.ended()+" after"]++
			if kind == same {
				if is.ended() == api.Canceled {
					// A step starts as soon as its phase is entered, not when that
					// is worked on.
					require.Subset(t, started(is.vm), started(was.vm), "life %d: the steps of %s", seed, vm.Name)
				} else {
					require.Equal(t, started(was.vm), started(is.vm), "life %d: the steps of %s", seed, vm.Name)
				}
				require.Equal(t, b.world.CleanedUp(vm.Name), a.world.CleanedUp(vm.Name), "life %d: cleanup of %s", seed, vm.Name)
			}
		}
	}
	t.Logf("%d virtual machines of %d plans, %d looks", vms, plans, looks)
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%5d %s", counts[name], name)
	}
	for _, k := range kinds {
		assert.Positive(t, counts[k.name], "%s never happens", k.name)
	}
}

const same = "the same"

func kindOf(l *life, was, is trace) string {
	if slices.Equal(was.phases, is.phases) && was.ended() == is.ended() {
		return same
	}
	for _, k := range kinds {
		if k.differs(l, was, is) {
			return k.name
		}
	}
	return ""
}

// started returns the names of the steps that have started, sorted.
func started(vm *api.VMStatus) []string {
	var names []string
	for _, step := range vm.Pipeline {
		if step.Started != nil {
			names = append(names, fmt.Sprintf("%s %t", step.Name, step.Error != nil))
		}
	}
	slices.Sort(names)
	return names
}
