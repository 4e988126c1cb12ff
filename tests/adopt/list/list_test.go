package list_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/before"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/list/sim"
)

var (
	ctx     = context.Background()
	request = reconcile.Request{NamespacedName: client.ObjectKey{Namespace: "move", Name: "plan"}}
)

func newBefore(l *life, w *sim.World, s *sim.Server) reconcile.Reconciler {
	return &before.Reconciler{Client: s, Source: w, Target: w, Inventory: w, Migrator: w.Migrator, Now: w.Now, MaxInFlight: l.maxAtWork}
}

func TestLives(t *testing.T) {
	looks := 0
	for seed := range int64(200) {
		l := newLife(seed)
		c, err := l.play(newBefore)
		looks += c.looks
		require.NoError(t, err)
		if seed < 3 {
			for vm, v := range c.world.Visits {
				t.Log(seed, l.plan.Spec.Warm, vm, v)
			}
		}
	}
	t.Log(looks)
}
