package before

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/migration"
)

// Poll is the time between two reconciles of a plan.
const Poll = 3 * time.Second

// Reconciler reconciles plans.
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

var _ reconcile.Reconciler = (*Reconciler)(nil)

// Reconcile advances each virtual machine of a plan by at most one phase. If
// it returns an error, nothing is written.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	plan := &api.Plan{}
	if err := r.Client.Get(ctx, req.NamespacedName, plan); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	m := &run{Reconciler: r, ctx: ctx, plan: plan, migrator: r.Migrator(plan.Spec.Provider)}
	m.Executor = &migration.Executor{
		Plan: plan, Source: r.Source, Target: r.Target, Now: r.Now,
		Step: m.currentStep, Next: m.next, Goto: m.enter, Choose: m.enter,
	}
	done, err := m.run()
	if err != nil {
		return reconcile.Result{}, err
	}
	if err := r.Client.Status().Update(ctx, plan); err != nil {
		return reconcile.Result{}, err
	}
	if done {
		return reconcile.Result{}, nil
	}
	return reconcile.Result{RequeueAfter: Poll}, nil
}

func (r *run) time() metav1.Time {
	return metav1.NewTime(r.Reconciler.Now().UTC().Truncate(time.Second))
}

func (r *run) run() (done bool, err error) {
	if err := r.begin(); err != nil {
		return false, err
	}
	r.cancel()
	for _, vm := range r.plan.Status.Migration.VMs {
		if vm.Running() {
			if err := r.execute(vm); err != nil {
				return false, err
			}
		}
	}
	for vm := r.schedule(); vm != nil; vm = r.schedule() {
		if err := r.execute(vm); err != nil {
			return false, err
		}
	}
	return r.end(), nil
}

// cancel ends the virtual machines that the user canceled.
func (r *run) cancel() {
	for _, vm := range r.plan.Status.Migration.VMs {
		if vm.Completed != nil || !r.plan.Spec.Canceled(vm.Name) {
			continue
		}
		vm.SetCondition(api.Canceled)
		vm.Phase = migration.Completed
		r.CleanUp(vm)
		vm.MarkCompleted(r.time())
		for _, step := range vm.Pipeline {
			if step.Started != nil {
				step.MarkCompleted(r.time())
			}
		}
	}
}

// schedule returns the next virtual machine to begin, or nil if there is none
// or the limit of virtual machines at work is reached.
func (r *run) schedule() (next *api.VMStatus) {
	inFlight := 0
	for _, vm := range r.plan.Status.Migration.VMs {
		switch {
		case vm.Running():
			inFlight++
		case vm.Started == nil && next == nil:
			next = vm
		}
	}
	if inFlight >= r.MaxInFlight {
		return nil
	}
	return next
}

// execute works on the current phase of a virtual machine.
func (r *run) execute(vm *api.VMStatus) error {
	if vm.Phase == migration.Completed {
		vm.MarkCompleted(r.time())
	} else if err := r.Run(r.migrator, vm); err != nil {
		return err
	}
	vm.ReflectPipeline()
	vm.MarkStarted(r.time()) // also if it failed before it started
	switch {
	case vm.Error != nil && !vm.HasCondition(api.Failed):
		vm.Phase = migration.Completed
		vm.SetCondition(api.Failed)
		r.CleanUp(vm)
	case vm.Error == nil && vm.Phase == migration.Completed && !vm.HasCondition(api.Succeeded):
		vm.SetCondition(api.Succeeded)
		r.CleanUp(vm)
	}
	return nil
}

// end reports whether all virtual machines have ended, and records the end.
func (r *run) end() bool {
	for _, vm := range r.plan.Status.Migration.VMs {
		if vm.Completed == nil {
			return false
		}
	}
	r.plan.Status.Migration.MarkCompleted(r.time())
	return true
}
