package bigswitch

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/before"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/controller"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/side"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/whole"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/world"
)

// variant makes a controller.
type variant func(client.Client, *world.World, func() time.Time) (*controller.Reconciler, error)

var (
	beforeIt variant = func(c client.Client, w *world.World, now func() time.Time) (*controller.Reconciler, error) {
		return before.New(c, w, now), nil
	}
	sideIt variant = func(c client.Client, w *world.World, now func() time.Time) (*controller.Reconciler, error) {
		return side.New(c, w, now), nil
	}
	wholeIt variant = whole.New
)

// played is how a life went.
type played struct {
	*world.World
	statuses []api.Status // as they were stored
	last     *api.MigMigration
}

// maxReconciles is more than any life takes.
const maxReconciles = 2000

// play plays a life to its end, first by one controller and, after so many
// writes, by the other, as if it had been upgraded. A controller that dies is
// made again.
func play(t *testing.T, l life, first variant, writes int, then variant) played {
	t.Helper()
	p := played{World: l.world()}
	store := &world.Store{World: p.World, Wrote: func(text []byte) {
		var m api.MigMigration
		require.NoError(t, json.Unmarshal(text, &m))
		p.statuses = append(p.statuses, m.Status)
		p.last = &m
	}}
	m := &api.MigMigration{ObjectMeta: metav1.ObjectMeta{Name: "migration", UID: "1"}, Spec: l.spec}
	ctx := context.Background()
	require.NoError(t, store.Update(ctx, m))
	clock := time.Date(2021, 2, 4, 10, 0, 0, 0, time.UTC)
	now := func() time.Time { return clock }

	request := reconcile.Request{NamespacedName: types.NamespacedName{Name: m.Name}}
	var c *controller.Reconciler
	installed := first
	for range maxReconciles {
		if then != nil && len(p.statuses) > writes {
			c, installed, then = nil, then, nil
		}
		if c == nil {
			var err error
			c, err = installed(store, p.World, now)
			require.NoError(t, err)
		}
		result, err := c.Reconcile(ctx, request)
		if errors.Is(err, world.ErrKilled) {
			c, err = nil, nil
		}
		require.NoError(t, err)
		for h, ok := p.Happen(); ok; h, ok = p.Happen() {
			edited := p.last.DeepCopyObject().(*api.MigMigration)
			edited.Spec.Canceled = edited.Spec.Canceled || h.Cancel
			edited.Spec.Rollback = edited.Spec.Rollback || h.Rollback
			require.NoError(t, store.Update(ctx, edited))
		}
		if p.last.Status.Phase == controller.Completed {
			return p
		}
		clock = clock.Add(max(result.RequeueAfter, time.Second))
	}
	require.FailNow(t, "the life does not end", "visits: %v\nlast: %+v", p.Visits, p.last)
	return p
}
