package e2e

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example/api"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/internal/meter"
)

// questions counts evaluated flags and lists of image streams.
type questions struct{ flags, lists atomic.Int64 }

// TestLoad runs 500 or 200 migrations at once, each to its end, and a tenth as many
// under the race detector. It runs before the parallel tests, so that its figures
// are exact.
func TestLoad(t *testing.T) {
	for _, c := range []struct {
		name              string
		maxPhases, number int
	}{{"a write after each phase", 1, 500}, {"several phases in one reconcile", 50, 200}} {
		c.number = testscale.Of(c.number, c.number/10)
		t.Run(c.name, func(t *testing.T) {
			g := newFixture(t, common, withSubresource)
			m, asked := meter.New(100*c.number), &questions{}
			live, err := client.NewWithWatch(g.Config, client.Options{Scheme: example.Scheme()})
			require.NoError(t, err)
			images := example.ImageStreams(live)
			o := g.options()
			o.NewClient = m.NewClient
			names := make([]string, c.number)
			for i := range names {
				names[i] = fmt.Sprintf("%s-%d", richest[i%2].name, i)
				g.plan(names[i], richest[i%2].plan)
			}
			heap := meter.Heap()
			for i, name := range names {
				g.migrate(name, richest[i%2].spec)
			}
			begin := time.Now()
			g.runAs(g.Config, o, example.Parts{
				MaxPhases: c.maxPhases, Live: m.Client(live, true),
				ImageStreams: mtc.ImageStreamsFunc(func(ctx context.Context, namespaces []string) (has bool, err error) {
					asked.lists.Add(1)
					err = m.Call(ctx, func() error { has, err = images.HasImageStreams(ctx, namespaces); return err })
					return has, err
				}),
				Observe: func(_ example.Migration, e runner.Event) {
					if _, ok := e.(runner.FlagEvaluated); ok {
						asked.flags.Add(1)
					}
				},
			}, example.Settings{Name: "load", Concurrency: 8, Measure: m.Reconciler})
			for _, name := range names {
				require.Eventually(t, func() bool {
					var m api.Migration
					require.NoError(t, g.client.Get(g.ctx, client.ObjectKey{Namespace: g.namespace, Name: name}, &m))
					return m.Status.Done
				}, 10*time.Minute, 10*tick)
			}
			took := time.Since(begin)
			f := m.Figures()
			t.Logf("%s: %d migrations in %s; %.0f reconciles/s; per migration: %.1f reconciles, %.1f writes of its object, "+
				"%.1f writes of what phases make, %.1f flags asked, %.1f lists of image streams, %d KiB; "+
				"own time of a reconcile: p50 %s, p99 %s (by the clock %s, %s)",
				c.name, c.number, took.Round(100*time.Millisecond), float64(f.Reconciles)/took.Seconds(),
				per(f.Reconciles, c.number), per(f.Writes, c.number), per(f.Others, c.number),
				per(int(asked.flags.Load()), c.number), per(int(asked.lists.Load()), c.number),
				(meter.Heap()-heap)/c.number/1024, f.OwnP50, f.OwnP99, f.WallP50, f.WallP99)

			for i, name := range names[:4] {
				assert.Equal(t, expected(t, mtc.Final, richest[i%2].flags, nil), g.calls.ran(name, mtc.Final), name)
			}
			const perMigration = 2 // one list when the migration begins, and one after the refresh of the plan
			assert.LessOrEqual(t, int(asked.lists.Load()), perMigration*c.number, "lists of image streams")
			if c.maxPhases > 1 {
				assert.Less(t, per(f.Writes, c.number), 30.0)
			}
		})
	}
}
