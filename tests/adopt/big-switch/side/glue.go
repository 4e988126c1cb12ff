package side

import (
	"context"
	"errors"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/controller"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/flags"
)

type migration = *api.MigMigration

var itineraries = machine.MustCompileSet(mtc.Itineraries()...)

var storage = runner.NewAnnotationStorage("pipeline.konveyor.io/state", runner.Fields[migration]{
	Steps:     runner.AlikeSteps(func(m migration) *[]*api.Step { return &m.Status.Pipeline }),
	Itinerary: func(m migration) *string { return &m.Status.Itinerary },
	Phase:     func(m migration) *string { return &m.Status.Phase },
})

// task is one reconcile of a migration.
type task struct {
	*controller.Task
	machine.Resumption
	state runner.State
	now   func() time.Time
}

// init finds the itinerary and the phase.
func (t *task) init(ctx context.Context) (err error) {
	if t.state, err = storage.Read(ctx, t.Owner); err != nil {
		return err
	}
	if t.Resumption, err = itineraries.Resume(t.state.Checkpoint, t.Selected()); err != nil {
		return err
	}
	t.sync(t.Switched && t.Failed())
	if t.Position().Phase == "" {
		_, err = t.Settle(ctx, machine.SettleOptions{Sources: flags.Of(t.Task)})
	}
	t.Itinerary, t.Phase = t.Graph().Name(), t.Position().Phase
	return err
}

// sync updates the pipeline and the checkpoint.
func (t *task) sync(failed bool) {
	now := steps.Snapshot{Plan: t.Plan(), Failed: failed, Progress: t.Progress}
	t.state.Pipeline = steps.Sync(t.state.Pipeline, now, t.now())
	t.state.Checkpoint = t.Checkpoint()
}

// fail records a failure. A cleanup itinerary continues.
func (t *task) fail(reasons []string) {
	t.AddFailure(reasons)
	t.sync(true)
	if t.Graph().IsCleanup() {
		t.Finish()
	}
}

// end leaves a phase that is done, or that jumps to the target in the catalogue.
func (t *task) end(ctx context.Context) (err error) {
	if t.WorkDone() || t.Phase != t.Position().Phase {
		t.Finish()
		_, err = t.Settle(ctx, machine.SettleOptions{Sources: flags.Of(t.Task)})
	}
	t.sync(false)
	return errors.Join(err, storage.Write(ctx, t.Owner, t.state))
}
