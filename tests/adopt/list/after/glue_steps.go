package after

import (
	"context"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/steps"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/migration"
)

// stepsOf reads and writes the steps of a virtual machine. Their own phase is not
// one of the run.
func stepsOf(vm *api.VMStatus) steps.Accessor[*api.Step] {
	return steps.Accessor[*api.Step]{
		Get: func(s *api.Step) steps.Step {
			is := steps.Step{
				Name: s.Name, Started: s.Started, Completed: s.Completed,
				Message: s.Reason, Failed: s.Error != nil,
			}
			if s.Phase == api.Running {
				is.Phase = vm.Phase
			}
			return is
		},
		Set: func(s *api.Step, to steps.Step) *api.Step {
			if s == nil {
				s = migration.NewStep(vm, to.Name)
			}
			s = s.DeepCopy()
			s.Started, s.Completed, s.Reason, s.Phase = to.Started, to.Completed, to.Message, api.Pending
			switch {
			case to.Message == steps.MessageCompleted:
				s.Phase, s.Progress.Completed = api.Completed, s.Progress.Total
			case to.Completed != nil:
				s.Phase = api.Completed
			case to.Phase != "":
				s.Phase = api.Running
			}
			return s
		},
	}
}

func read(_ context.Context, i item) (s runner.State, err error) {
	if i.Item.Run != nil {
		i.Item.Run.DeepCopyInto(&s)
	}
	s.Pipeline = stepsOf(i.Item).From(i.Item.Pipeline)
	return s, nil
}

func write(_ context.Context, i item, s runner.State) error {
	i.Item.Phase, i.Item.Pipeline = s.Phase, stepsOf(i.Item).To(s.Pipeline, i.Item.Pipeline)
	i.Item.Run, s.Pipeline = s.DeepCopy(), nil
	i.Item.Run.Pipeline = nil
	return nil
}
