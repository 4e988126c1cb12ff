package bigswitch

import (
	"context"
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

// variant returns a controller.
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

// played is the record of a life.
type played struct {
	*world.World
	stored   []*api.MigMigration // one for each write
	upgrades int                 // number of upgrades installed
}

// last returns the object that was stored last.
func (p *played) last() *api.MigMigration { return p.stored[len(p.stored)-1] }

// upgrade is a controller that replaces the previous one after a number of
// writes. Before that, convert changes the object.
type upgrade struct {
	writes  int
	to      variant
	convert func(*api.MigMigration) error
}

// maxReconciles is more than any life needs.
const maxReconciles = 2000

// play plays a life to its end, by a controller and its later replacements. A
// controller that is killed is created again.
func play(t *testing.T, l life, by variant, upgrades ...upgrade) played {
	t.Helper()
	p := played{World: l.world()}
	store := &world.Store{World: p.World, Wrote: func(o client.Object) {
		p.stored = append(p.stored, o.(*api.MigMigration))
	}}
	m := &api.MigMigration{ObjectMeta: metav1.ObjectMeta{Name: "migration", UID: "1"}, Spec: l.spec}
	ctx := context.Background()
	require.NoError(t, store.Update(ctx, m))
	clock := time.Date(2021, 2, 4, 10, 0, 0, 0, time.UTC)
	now := func() time.Time { return clock }
	edit := func(change func(*api.MigMigration) error) {
		m := p.last().DeepCopyObject().(*api.MigMigration)
		require.NoError(t, change(m))
		require.NoError(t, store.Update(ctx, m))
	}

	request := reconcile.Request{NamespacedName: types.NamespacedName{Name: m.Name}}
	c, err := by(store, p.World, now)
	require.NoError(t, err)
	for range maxReconciles {
		result, err := c.Reconcile(ctx, request)
		killed := errors.Is(err, world.ErrKilled)
		if !killed {
			require.NoError(t, err)
		}
		for h, ok := p.NextEvent(); ok; h, ok = p.NextEvent() {
			edit(func(m *api.MigMigration) error {
				m.Spec.Canceled = m.Spec.Canceled || h.Cancel
				m.Spec.Rollback = m.Spec.Rollback || h.Rollback
				return nil
			})
		}
		if p.last().Status.Phase == controller.Completed {
			return p
		}
		if len(upgrades) > 0 && len(p.stored) > upgrades[0].writes {
			by, killed = upgrades[0].to, true
			if convert := upgrades[0].convert; convert != nil {
				edit(convert)
			}
			upgrades = upgrades[1:]
			p.upgrades++
		}
		if killed {
			require.NoError(t, store.Restart())
			c, err = by(store, p.World, now)
			require.NoError(t, err)
		}
		clock = clock.Add(max(result.RequeueAfter, time.Second))
	}
	require.FailNow(t, "the life does not end", "visits: %v\nlast: %+v", p.Visits, p.last())
	return p
}
