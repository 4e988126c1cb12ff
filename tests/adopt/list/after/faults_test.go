package after

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/controller/controllertest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/migration"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/sim"
)

// Whatever request fails, and whenever the controller crashes, the virtual machines
// of a plan end as without that: the one that breaks as well as the other.
func TestEveryRequestMeetsAFault(t *testing.T) {
	scheme := runtime.NewScheme()
	scheme.AddKnownTypes(api.GroupVersion, &api.Plan{})
	metav1.AddToGroupVersion(scheme, api.GroupVersion)
	for name, warm := range map[string]bool{"cold": false, "warm": true} {
		t.Run(name, func(t *testing.T) {
			report := controllertest.Sweep(t, faulty(scheme, warm))
			t.Logf("%d requests, %d lives", len(report.Requests), report.Lives)
			assert.Greater(t, report.Lives, 100)
		})
	}
}

// faulty is a plan of two virtual machines, one at a time. The first breaks in its
// last phase but one. The cutover of a warm one is due at once, since the turns of
// its loop are as many as time allows.
func faulty(scheme *runtime.Scheme, warm bool) controllertest.Setup[*api.Plan] {
	at := sim.At(0)
	plan := &api.Plan{
		ObjectMeta: metav1.ObjectMeta{Namespace: "move", Name: "plan", UID: "1"},
		Spec: api.PlanSpec{Provider: api.VSphere, Warm: warm, Inspect: true, Cutover: &at,
			VMs: []api.VM{{Name: "a", DisksMB: []int64{300}}, {Name: "b", DisksMB: []int64{500}, Hooks: []string{migration.PostHook}}}},
	}
	var world *sim.World
	return controllertest.Setup[*api.Plan]{
		Begin: func() (client.WithWatch, *api.Plan, error) {
			world = sim.New(1)
			world.Faults = map[string]map[string]sim.Fault{"a": {migration.CreateVM: {Broken: true}}}
			return fake.NewClientBuilder().WithScheme(scheme).WithObjects(plan.DeepCopy()).WithStatusSubresource(plan).Build(), plan, nil
		},
		New: func(env controllertest.Env) (reconcile.Reconciler, error) {
			return (&Reconciler{Client: env.Client, Source: world, Target: world, Inventory: world,
				Migrator: world.Migrator, Now: env.Now, MaxInFlight: 1}).Controller()
		},
		Itineraries: itineraries,
		States: controllertest.InItems(controller.ListOptions[*api.Plan, api.VMStatus]{
			Items: begin, Key: func(vm *api.VMStatus) string { return vm.Name },
			Runner: runner.Options[item]{Storage: runner.Storage[item]{Read: read}},
		}),
		Elapse: func(_ client.WithWatch, now time.Time) error { world.Time = now; return nil },
		Outside: func(client.WithWatch) (any, error) {
			end := map[string]bool{}
			for _, vm := range plan.Spec.VMs {
				end[vm.Name+" is cleaned up"], end[vm.Name+" was started again"] = world.CleanedUp(vm.Name), world.PoweredOn(vm.Name)
			}
			return end, nil
		},
		Start: sim.Epoch,
		Kinds: []controllertest.Kind{controllertest.Conflict, controllertest.AnswerLost, controllertest.CrashAfter,
			controllertest.StaleRead, controllertest.CrashStale},
	}
}
