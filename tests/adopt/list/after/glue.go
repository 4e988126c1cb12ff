// Package after is the controller after it has adopted the framework. What it
// has in common with package before is in package migration.
package after

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/migration"
)

// Poll is how soon a phase that waits is looked at again.
const Poll = 3 * time.Second

// Parts are what the controller has, as before.
type Parts struct {
	Client      client.Client
	Source      migration.Source
	Target      migration.Target
	Inventory   migration.Inventory
	Migrator    func(provider string) migration.Migrator
	Now         func() time.Time
	MaxInFlight int
}

type item = controller.Item[*api.Plan, api.VMStatus]

// New makes the reconciler of plans.
func New(p Parts) (*controller.Reconciler[*api.Plan], error) {
	return controller.New(controller.Options[*api.Plan]{
		Client:            p.Client,
		New:               func() *api.Plan { return &api.Plan{} },
		StatusSubresource: true,
		List: controller.NewList(controller.ListOptions[*api.Plan, api.VMStatus]{
			Items:     func(plan *api.Plan) []*api.VMStatus { return items(plan) },
			Key:       func(vm *api.VMStatus) string { return vm.Name },
			MaxAtWork: p.MaxInFlight,
			Summarize: p.summarize,
			Runner: runner.Options[item]{
				Itineraries: itineraries,
				Select:      selected,
				Sources:     p.sources,
				Storage:     runner.Storage[item]{Read: read, Write: write},
				Handler:     runner.VisitFunc[item](p.handle),
				OnFail:      fail,
				Observers:   []runner.Observer[item]{runner.ObserverFunc[item](p.end)},
				Now:         p.Now,
			},
		}),
	})
}

// items returns the status of each virtual machine, and makes those that are new.
func items(plan *api.Plan) []*api.VMStatus {
	m := &plan.Status.Migration
	for _, vm := range plan.Spec.VMs {
		if m.FindVM(vm.Name) == nil {
			m.VMs = append(m.VMs, migration.NewStatus(plan, vm))
		}
	}
	return m.VMs
}

func selected(_ context.Context, i item) (string, error) {
	switch {
	case i.Item.Error != nil:
		return "Failed", nil
	case i.Object.Spec.Canceled(i.Item.Name):
		return "Canceled", nil
	case i.Object.Spec.Warm:
		return "Warm", nil
	}
	return "Cold", nil
}

func (p Parts) sources(_ context.Context, i item) (*phases.Sources, error) {
	of := migration.Predicates{Plan: i.Object, VM: i.Item, Inventory: p.Inventory, Now: p.Now}
	var all []phases.Source
	for _, f := range flags {
		ask := func(context.Context, phases.Facts) (phases.Truth, error) {
			yes, err := f.evaluate(of)
			return phases.TruthOf(yes), err
		}
		all = append(all, phases.Source{Flag: f.Flag, Evaluate: ask})
	}
	return phases.NewSources(vocabulary, all...)
}

// handle lets the executor work on a phase, which tells by a call that it is done.
func (p Parts) handle(_ context.Context, i item, _ runner.Visit) (runner.Result, error) {
	vm, result := i.Item, runner.Wait(Poll, "")
	x := p.executor(i)
	x.Next = func(*api.VMStatus) { result = runner.Done() }
	x.Goto = func(*api.VMStatus, string) { result = runner.Done() }
	x.Choose = func(_ *api.VMStatus, to string) { result = runner.Done(runner.Choose(to)) }
	err := x.Run(p.Migrator(i.Object.Spec.Provider), vm)
	if step := current(vm); step != nil && step.Error != nil {
		return runner.Fail(step.Error.Reasons...), nil
	}
	if vm.Error != nil {
		return runner.Fail(vm.Error.Reasons...), nil
	}
	return result, err
}

// fail writes a failure where the controller has errors.
func fail(_ context.Context, i item, f runner.Failure) error {
	i.Item.AddError(f.Reasons...)
	if step := current(i.Item); step != nil {
		step.AddError(f.Reasons...)
	}
	return nil
}

func (p Parts) executor(i item) *migration.Executor {
	return &migration.Executor{
		Plan: i.Object, Source: p.Source, Target: p.Target, Now: p.Now, Step: current,
	}
}

// current returns the step of the current phase; nil if there is none.
func current(vm *api.VMStatus) *api.Step {
	for _, step := range vm.Pipeline {
		if step.Running() && step.Phase == api.Running {
			return step
		}
	}
	return nil
}

// summarize records the end of a plan.
func (p Parts) summarize(plan *api.Plan, s controller.Summary) {
	m := &plan.Status.Migration
	m.MarkStarted(p.time())
	if s.Done() == s.Items() {
		m.MarkCompleted(p.time())
	}
}

func (p Parts) time() metav1.Time { return metav1.NewTime(p.Now().UTC().Truncate(time.Second)) }

// end does what is done at the end of a run, however that is.
func (p Parts) end(_ context.Context, i item, e runner.Event) {
	if end, ok := e.(runner.RunFinished); ok {
		i.Item.SetCondition(string(end.Result))
		i.Item.MarkCompleted(p.time())
		p.executor(i).CleanUp(i.Item)
	}
}
