package whole

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/errors"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/controller"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/flags"
)

var itineraries = machine.MustCompileSet(mtc.Itineraries()...)

// run is the object that the runner reconciles.
type run struct {
	*api.MigMigration
	*controller.Task
}

func options(now func() time.Time) runner.Options[run] {
	return runner.Options[run]{
		Itineraries: itineraries,
		Select:      func(_ context.Context, r run) (string, error) { return r.Selected(), nil },
		Sources: func(ctx context.Context, r run) (*phases.Sources, error) {
			return flags.Of(r.Task)(ctx)
		},
		Storage: runner.NewAnnotationStorage("pipeline.konveyor.io/state", runner.Fields[run]{
			Steps:     runner.AlikeSteps(func(r run) *[]*api.Step { return &r.Status.Pipeline }),
			Itinerary: func(r run) *string { return &r.Status.Itinerary },
			Phase:     func(r run) *string { return &r.Status.Phase },
		}),
		Handler: runner.VisitFunc[run](visit),
		OnError: func(_ run, _ runner.Visit, err error) runner.ErrorAction {
			if errors.IsConflict(err) {
				return runner.ActionRetry
			}
			return runner.ActionFail
		},
		OnFail: func(_ context.Context, r run, f runner.Failure) error {
			r.AddFailure(f.Reasons)
			return nil
		},
		Now: now,
	}
}

// visit runs the switch, and returns how the run continues.
func visit(ctx context.Context, r run, v runner.Visit) (result runner.Result, err error) {
	t := r.Task
	t.Itinerary, t.Phase = v.Itinerary, v.Phase
	t.Next = func(context.Context) error { result = runner.Done(); return nil }
	t.Fail = func(reasons []string) { result = runner.Fail(reasons...) }
	err = t.Run(ctx)
	if t.Phase != v.Phase { // a jump; the catalogue declares its target
		result = runner.Done()
	} else if !result.IsDone() && !result.IsFail() {
		result = runner.Wait(t.Requeue, "", t.Progress...)
	}
	return result, err
}
