package before

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/controller"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/world"
)

// New returns the controller.
func New(c client.Client, w *world.World, now func() time.Time) *controller.Reconciler {
	return &controller.Reconciler{Client: c, Migrate: func(ctx context.Context, m *api.MigMigration) (time.Duration, error) {
		return migrate(ctx, m, w, now)
	}}
}

func migrate(ctx context.Context, m *api.MigMigration, w *world.World, now func() time.Time) (time.Duration, error) {
	t := &task{Task: &controller.Task{Owner: m, World: w, Phase: m.Status.Phase}, now: now}
	t.Next, t.Fail = t.next, t.fail
	if err := t.run(ctx); err != nil {
		if errors.IsConflict(err) {
			return controller.FastReQ, nil
		}
		t.fail([]string{err.Error()})
		return t.Requeue, nil
	}
	m.Status.Phase, m.Status.Itinerary = t.Phase, t.itinerary.name
	return t.Requeue, nil
}

func (t *task) run(ctx context.Context) error {
	if err := t.init(ctx); err != nil {
		return err
	}
	if err := t.Run(ctx); err != nil {
		return err
	}
	t.updatePipeline()
	return nil
}
