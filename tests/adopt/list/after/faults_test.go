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

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/controller/controllertest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/migration"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/sim"
)

// Each write meets a conflict or a crash. The virtual machines of a plan end
// as without the fault: both the one that breaks in its last phase but one,
// and the other.
func TestPlanUnderFaults(t *testing.T) {
	scheme := runtime.NewScheme()
	scheme.AddKnownTypes(api.GroupVersion, &api.Plan{})
	metav1.AddToGroupVersion(scheme, api.GroupVersion)
	plan := &api.Plan{
		ObjectMeta: metav1.ObjectMeta{Namespace: "move", Name: "plan", UID: "1"},
		Spec: api.PlanSpec{Provider: api.VSphere, Inspect: true, SkipConversion: true,
			VMs: []api.VM{{Name: "a", DisksMB: []int64{300}}, {Name: "b", DisksMB: []int64{500}, Hooks: []string{migration.PostHook}}}},
	}
	var world *sim.World
	report := controllertest.Sweep(t, controllertest.Setup[*api.Plan]{
		Begin: func() (client.WithWatch, *api.Plan, error) {
			world = sim.New(1)
			world.Faults = map[string]map[string]sim.Fault{"a": {migration.CreateVM: {Broken: true}}}
			return fake.NewClientBuilder().WithScheme(scheme).WithObjects(plan.DeepCopy()).WithStatusSubresource(plan).Build(), plan, nil
		},
		New: func(env controllertest.Env) (reconcile.Reconciler, error) {
			return (&Reconciler{Client: env.Client, Source: world, Target: world, Inventory: world,
				Migrator: world.Migrator, Now: env.Now, MaxInFlight: 2}).Controller()
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
		Kinds: testscale.Of([]controllertest.Kind{controllertest.Conflict, controllertest.CrashStale}, []controllertest.Kind{controllertest.CrashStale}),
	})
	t.Logf("%d requests, %d lives", len(report.Requests), report.Lives)
	assert.Greater(t, report.Lives, testscale.Of(30, 15))
}
