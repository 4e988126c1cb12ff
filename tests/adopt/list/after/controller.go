package after

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/migration"
)

// Poll is the time between two calls of a phase that waits.
const Poll = 3 * time.Second

// Reconciler holds the parts of the controller.
type Reconciler struct {
	Client    client.Client
	Source    migration.Source
	Target    migration.Target
	Inventory migration.Inventory
	// Migrator returns the migrator of a provider.
	Migrator func(provider string) migration.Migrator
	Now      func() time.Time
	// MaxInFlight is the maximum number of virtual machines of a plan that are
	// at work at once.
	MaxInFlight int
}

func (r *Reconciler) time() metav1.Time {
	return metav1.NewTime(r.Now().UTC().Truncate(time.Second))
}

// executor returns the executor for the phases of a plan.
func (r *Reconciler) executor(plan *api.Plan) *migration.Executor {
	return &migration.Executor{Plan: plan, Source: r.Source, Target: r.Target, Now: r.Now}
}

// begin creates the status of each virtual machine without a pipeline, and
// returns all of them.
func begin(plan *api.Plan) []*api.VMStatus {
	m := &plan.Status.Migration
	for _, vm := range plan.Spec.VMs {
		if m.FindVM(vm.Name) == nil {
			m.VMs = append(m.VMs, migration.NewStatus(plan, vm))
		}
	}
	return m.VMs
}

// finish ends a virtual machine, like the controller in package before.
func (r *Reconciler) finish(plan *api.Plan, vm *api.VMStatus, condition string) {
	vm.SetCondition(condition)
	vm.MarkCompleted(r.time())
	r.executor(plan).CleanUp(vm)
}

// end records the end of a plan, like the controller in package before.
func (r *Reconciler) end(plan *api.Plan) {
	plan.Status.Migration.MarkStarted(r.time())
	for _, vm := range plan.Status.Migration.VMs {
		if vm.Completed == nil {
			return
		}
	}
	plan.Status.Migration.MarkCompleted(r.time())
}
