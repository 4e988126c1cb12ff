package after

import (
	"context"

	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/migration"
)

// item is a virtual machine and its plan.
type item = controller.Item[*api.Plan, api.VMStatus]

// Controller returns the reconciler of plans, with a run for each virtual machine.
func (r *Reconciler) Controller() (*controller.Reconciler[*api.Plan], error) {
	return controller.New(controller.Options[*api.Plan]{
		Client:            r.Client,
		New:               func() *api.Plan { return &api.Plan{} },
		StatusSubresource: true,
		List: controller.NewList(controller.ListOptions[*api.Plan, api.VMStatus]{
			Items:     begin,
			Key:       func(vm *api.VMStatus) string { return vm.Name },
			MaxAtWork: r.MaxInFlight,
			Summarize: func(plan *api.Plan, _ controller.Summary) { r.end(plan) },
			Runner:    r.options(),
		}),
	})
}

func (r *Reconciler) options() runner.Options[item] {
	return runner.Options[item]{
		Itineraries: itineraries,
		Select:      selectItinerary,
		Sources:     r.sources,
		Storage:     runner.Storage[item]{Read: read, Write: write},
		Handler:     runner.VisitFunc[item](r.handle),
		OnFail: func(_ context.Context, i item, f runner.Failure) error {
			i.Item.AddError(f.Reasons...) // most are noted already, but not a deadline
			return nil
		},
		Observers: []runner.Observer[item]{runner.ObserverFunc[item](r.observe)},
		Now:       r.Now,
	}
}

func selectItinerary(_ context.Context, i item) (string, error) {
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

func (r *Reconciler) sources(_ context.Context, i item) (*phases.Sources, error) {
	return sourcesOf(migration.Predicates{
		Plan: i.Object, VM: i.Item, Inventory: r.Inventory, Now: r.Now,
	})
}

// handle runs the executor on a phase, and waits unless the phase is done.
func (r *Reconciler) handle(_ context.Context, i item, v runner.Visit) (runner.Result, error) {
	result := runner.Wait(Poll, "")
	x := r.executor(i.Object)
	x.Step = func(vm *api.VMStatus) *api.Step { return vm.FindStep(v.Step) }
	x.Next = func(*api.VMStatus) { result = runner.Done() }
	x.Goto = func(*api.VMStatus, string) { result = runner.Done() }
	x.Choose = func(_ *api.VMStatus, to string) { result = runner.Done(runner.Choose(to)) }
	err := x.Run(r.Migrator(i.Object.Spec.Provider), i.Item)
	if i.Item.ReflectPipeline(); i.Item.Error != nil {
		return runner.Fail(i.Item.Error.Reasons...), nil
	}
	return result, err
}

func (r *Reconciler) observe(_ context.Context, i item, e runner.Event) {
	if end, ok := e.(runner.RunFinished); ok {
		r.finish(i.Object, i.Item, string(end.Result))
	}
}

func read(_ context.Context, i item) (s runner.State, err error) {
	if run := i.Item.Run; run != nil && run.Phase == i.Item.Phase {
		run.DeepCopyInto(&s)
	} else if i.Item.Started != nil { // moved by the old controller
		s.Phase, s.Done = i.Item.Phase, i.Item.Completed != nil
	}
	s.Pipeline = stepsOf(i.Item).From(i.Item.Pipeline)
	return s, nil
}

func write(_ context.Context, i item, s runner.State) error {
	i.Item.Phase, i.Item.Pipeline = s.Phase, stepsOf(i.Item).To(s.Pipeline, i.Item.Pipeline)
	s.Pipeline = nil
	i.Item.Run = s.DeepCopy()
	return nil
}

// stepsOf reads and writes the steps of a virtual machine. The running step shows
// the phase of the virtual machine.
func stepsOf(vm *api.VMStatus) steps.Accessor[*api.Step] {
	return steps.Accessor[*api.Step]{
		Get: func(s *api.Step) steps.Step {
			is := steps.Step{Name: s.Name, Started: s.Started, Completed: s.Completed}
			if is.Message, is.Failed = s.Reason, s.Error != nil; s.Phase == api.Running {
				is.Phase = vm.Phase
			}
			return is
		},
		Set: func(s *api.Step, to steps.Step) *api.Step {
			if s == nil {
				s = migration.NewStep(vm, to.Name)
			}
			s = s.DeepCopy()
			s.Started, s.Completed, s.Reason = to.Started, to.Completed, to.Message
			switch s.Phase = api.Pending; {
			case to.Message == steps.MessageCompleted:
				s.Phase, s.Progress.Completed = api.Completed, s.Progress.Total
			case to.Completed != nil:
				s.Phase = api.Completed
			case to.Phase != "":
				s.Phase = api.Running
			}
			if to.Failed && s.Error == nil {
				s.AddError(to.Message)
			}
			return s
		},
	}
}
