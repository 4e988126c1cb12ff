package whole

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/controller"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/world"
)

// New returns the controller.
func New(c client.Client, w *world.World, now func() time.Time) (*controller.Reconciler, error) {
	runs, err := runner.New(options(now))
	if err != nil {
		return nil, err
	}
	return &controller.Reconciler{Client: c, Migrate: func(ctx context.Context, m *api.MigMigration) (time.Duration, error) {
		out, err := runs.Reconcile(ctx, run{m, &controller.Task{Owner: m, World: w}})
		return out.RequeueAfter, err
	}}, nil
}
