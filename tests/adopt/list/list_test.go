package list_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/gluecount"
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
	r, err := (&after.Reconciler{
		Client: s, Source: w, Target: w, Inventory: w, Migrator: w.Migrator, Now: w.Now, MaxInFlight: l.maxAtWork,
	}).Controller()
	if err != nil {
		panic(err) // the options do not depend on the life
	}
	return r
}

// plans is the number of lives that are played. In 200, each kind of difference
// occurs.
var plans = testscale.Of(200, 12)

func TestPlansEnterSamePhasesBeforeAndAfter(t *testing.T) {
	const shards = 4
	var mu sync.Mutex
	counts := map[string]int{}
	t.Run("plans", func(t *testing.T) {
		for shard := range shards {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for seed := shard; seed < plans; seed += shards {
					of := compare(t, newLife(int64(seed)))
					mu.Lock()
					for name, n := range of {
						counts[name] += n
					}
					mu.Unlock()
				}
			})
		}
	})
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%6d %s", counts[name], name)
	}
	if testscale.Reduced {
		return
	}
	for _, k := range kinds {
		t.Logf("%s: %s", k.name, k.reason)
		assert.Positive(t, counts[k.name], "kind %q does not occur; remove it", k.name)
	}
	for _, step := range []string{migration.Initialize, migration.DiskTransfer, migration.DiskAllocation} {
		assert.Positive(t, counts["CreateDataVolumes under "+step])
	}
	for name, n := range counts {
		assert.Contains(t, readme(t), fmt.Sprintf("| %s | %d |", name, n))
	}
}

// maxGlue is the limit of lines of glue for an adoption.
const maxGlue = 120

func TestGlueIsShort(t *testing.T) {
	n, err := gluecount.Count("after")
	require.NoError(t, err)
	assert.LessOrEqual(t, n, maxGlue)
	assert.Contains(t, readme(t), fmt.Sprintf("| glue, counted by a test | %d |", n))
}

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	return string(text)
}

// compare plays the life of a plan before and after, and counts results, equal runs and
// kinds of differences.
func compare(t *testing.T, l *life) (counts map[string]int) {
	b, err := l.play(newBefore)
	require.NoError(t, err)
	a, err := l.play(newAfter)
	require.NoError(t, err)
	counts = map[string]int{}
	for _, c := range []*course{b, a} {
		require.LessOrEqual(t, c.atWork, l.maxAtWork, "life %d: at work", l.seed)
		require.LessOrEqual(t, c.writes, 1, "life %d: writes in one reconcile", l.seed)
	}
	for _, vm := range l.plan.Spec.VMs {
		was, is := b.trace(vm.Name), a.trace(vm.Name)
		kind := kindOf(l, was, is)
		require.NotEmpty(t, kind, "life %d: %s differs in a way that is not listed:\nbefore %s\nafter  %s", l.seed, vm.Name, was, is)
		counts["virtual machines"]++
		counts[kind]++
		counts["before: "+was.ended()]++
		counts["after: "+is.ended()]++
		for phase, step := range a.world.Steps[vm.Name] {
			if before, ok := b.world.Steps[vm.Name][phase]; ok {
				require.Equal(t, before, step, "life %d: the step of %s in %s", l.seed, vm.Name, phase)
			}
			if phase == migration.CreateDataVolumes {
				counts["CreateDataVolumes under "+step]++
			}
		}
		for _, step := range is.vm.Pipeline {
			require.NotNil(t, step.Completed, "life %d: %s has ended, and its step %s has not", l.seed, vm.Name, step.Name)
		}
		require.Len(t, is.vm.Conditions, 1, "life %d: %s has one condition", l.seed, vm.Name)
		if a.world.PoweredOn(vm.Name) {
			require.Equal(t, api.Canceled, is.ended(), "life %d: %s runs on both sides", l.seed, vm.Name)
		}
		if b.world.PoweredOn(vm.Name) && was.ended() == api.Succeeded {
			counts["before: runs on both sides"]++
		}
		if kind != same {
			continue
		}
		require.Equal(t, b.world.CleanedUp(vm.Name), a.world.CleanedUp(vm.Name), "life %d: cleanup of %s", l.seed, vm.Name)
		if is.ended() == api.Canceled {
			// After, a step starts when its phase is entered; before, when its
			// phase is worked on.
			require.Subset(t, started(is.vm), started(was.vm), "life %d: the steps of %s", l.seed, vm.Name)
		} else {
			require.Equal(t, started(was.vm), started(is.vm), "life %d: the steps of %s", l.seed, vm.Name)
		}
	}
	return counts
}

// quiet is a life in which nothing goes wrong.
func quiet(warm bool, vms ...string) *life {
	l := &life{maxAtWork: len(vms), plan: &api.Plan{Spec: api.PlanSpec{Provider: api.VSphere, Warm: warm, Inspect: warm}}}
	l.plan.Namespace, l.plan.Name, l.plan.UID = request.Namespace, request.Name, "1"
	for _, vm := range vms {
		l.plan.Spec.VMs = append(l.plan.Spec.VMs, api.VM{Name: vm, DisksMB: []int64{300, 500}})
	}
	if warm {
		at := sim.At(30)
		l.plan.Spec.Cutover = &at
	}
	return l
}

// A run that cannot continue stops alone, and another takes its place.
func TestStoppedRunDoesNotStopOthers(t *testing.T) {
	l := quiet(false, "a", "b", "c")
	l.maxAtWork = 2
	l.edits = map[int]func(*api.Plan){4: func(plan *api.Plan) {
		plan.Status.Migration.FindVM("b").Phase = "Nowhere"
	}}
	c, err := l.play(newAfter)
	require.NoError(t, err)
	vms := c.server.Plan().Status.Migration
	require.NotNil(t, vms.FindVM("b").Run.Stopped)
	assert.Contains(t, vms.FindVM("b").Run.Stopped.Error, `no phase "Nowhere"`)
	assert.Nil(t, vms.FindVM("b").Completed)
	for _, name := range []string{"a", "c"} {
		assert.Equal(t, api.Succeeded, c.trace(name).ended())
	}
	assert.Equal(t, 2, c.atWork)
}

// A step keeps its tasks and numbers while it is listed, and only steps that
// run are listed.
func TestPipelineOfVirtualMachine(t *testing.T) {
	l := quiet(true, "a")
	var lists, numbers []string
	l.onLook = func(plan *api.Plan) {
		vm := plan.Status.Migration.FindVM("a")
		var names []string
		for _, step := range vm.Pipeline {
			names = append(names, step.Name)
			assert.NotEmpty(t, step.Description, step.Name)
			var copied int64
			for _, task := range step.Tasks {
				copied += task.Progress.Completed
			}
			if step.Tasks != nil && step.Phase == api.Running {
				assert.Equal(t, step.Progress.Completed, copied, step.Name)
				numbers = append(numbers, step.Name+" "+step.Progress.String())
			}
		}
		lists = append(lists, strings.Join(names, " "))
	}
	_, err := l.play(newAfter)
	require.NoError(t, err)
	want := []string{"Initialize PreflightInspection DiskTransfer Cutover ImageConversion VirtualMachineCreation"}
	assert.Equal(t, want, slices.Compact(lists))
	assert.Subset(t, numbers, []string{"DiskTransfer 0/800", "DiskTransfer 400/800", "DiskTransfer 800/800", "Cutover 800/800"})
}

// Runs that one controller has begun continue in the other, and again in the
// first.
func TestRunsInFlightContinue(t *testing.T) {
	for _, tt := range []struct {
		name   string
		first  controllerOf
		second controllerOf // for four reconciles
		last   controllerOf
	}{
		{"adopted", newBefore, newAfter, newAfter},
		{"rolled back", newAfter, newBefore, newBefore},
		{"rolled back and adopted again", newAfter, newBefore, newAfter},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, warm := range []bool{false, true} {
				whole, err := quiet(warm, "a", "b").play(newBefore)
				require.NoError(t, err)
				for at := 0; at < whole.looks; at += testscale.Of(1, 10) {
					c, err := quiet(warm, "a", "b").play(func(l *life, w *sim.World, s *sim.Server) reconcile.Reconciler {
						looks := 0
						first, second, last := tt.first(l, w, s), tt.second(l, w, s), tt.last(l, w, s)
						return reconcile.Func(func(ctx context.Context, r reconcile.Request) (reconcile.Result, error) {
							switch looks++; {
							case looks <= at+1:
								return first.Reconcile(ctx, r)
							case looks <= at+5:
								return second.Reconcile(ctx, r)
							}
							return last.Reconcile(ctx, r)
						})
					})
					require.NoError(t, err, "replaced after reconcile %d", at)
					for _, vm := range []string{"a", "b"} {
						was, is := whole.trace(vm), c.trace(vm)
						require.Equal(t, oneTurn(was.phases), oneTurn(is.phases), "replaced after reconcile %d", at)
						require.Equal(t, was.ended(), is.ended(), "replaced after reconcile %d", at)
						require.Equal(t, started(was.vm), started(is.vm), "replaced after reconcile %d", at)
					}
				}
			}
		})
	}
}
