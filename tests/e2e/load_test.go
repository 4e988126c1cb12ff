package e2e

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example/api"
)

// meter measures a controller.
type meter struct {
	mu                   sync.Mutex
	own                  []time.Duration // of each reconcile, without API calls
	writes, others       int             // of migrations, and of what phases make
	asked, lists, points int             // flags, image streams, and moments at which flags were asked
}

// spent is the time of one reconcile that goes to API calls.
type spent struct{}

// call measures an API call of a reconcile.
func (m *meter) call(ctx context.Context, do func() error) error {
	begin := time.Now()
	err := do()
	if d, ok := ctx.Value(spent{}).(*time.Duration); ok {
		*d += time.Since(begin)
	}
	return err
}

func (m *meter) count(n *int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	*n++
}

// counts says which count a written object goes into.
func (m *meter) counts(o client.Object) *int {
	if _, ok := o.(example.Migration); ok {
		return &m.writes
	}
	return &m.others
}

// client measures the calls of a client that leave the process.
func (m *meter) client(c client.WithWatch, live bool) client.WithWatch {
	f := interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			m.count(m.counts(o))
			return m.call(ctx, func() error { return c.Create(ctx, o, opts...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			m.count(m.counts(o))
			return m.call(ctx, func() error { return c.Patch(ctx, o, p, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			m.count(m.counts(o))
			return m.call(ctx, func() error { return c.Delete(ctx, o, opts...) })
		},
		DeleteAllOf: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteAllOfOption) error {
			m.count(m.counts(o))
			return m.call(ctx, func() error { return c.DeleteAllOf(ctx, o, opts...) })
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			m.count(m.counts(o))
			return m.call(ctx, func() error { return c.SubResource(sub).Patch(ctx, o, p, opts...) })
		},
	}
	if live {
		f.Get = func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			return m.call(ctx, func() error { return c.Get(ctx, key, o, opts...) })
		}
		f.List = func(ctx context.Context, c client.WithWatch, l client.ObjectList, opts ...client.ListOption) error {
			return m.call(ctx, func() error { return c.List(ctx, l, opts...) })
		}
	}
	return interceptor.NewClient(c, f)
}

func (m *meter) reconciler(r reconcile.Reconciler) reconcile.Reconciler {
	return reconcile.Func(func(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
		var api time.Duration
		begin := time.Now()
		result, err := r.Reconcile(context.WithValue(ctx, spent{}, &api), request)
		own := time.Since(begin) - api
		m.mu.Lock()
		defer m.mu.Unlock()
		m.own = append(m.own, own)
		return result, err
	})
}

// 500 migrations at once, each to its end. It runs before the tests that run
// in parallel, for the sake of its figures.
func TestLoad(t *testing.T) {
	const number = 500
	for _, c := range []struct {
		name      string
		maxPhases int
	}{{"a write after each phase", 1}, {"several phases in one reconcile", 50}} {
		t.Run(c.name, func(t *testing.T) {
			g := newGround(t, common, withSubresource)
			m := &meter{}
			live, err := client.NewWithWatch(g.Config, client.Options{Scheme: example.Scheme()})
			require.NoError(t, err)
			images := example.ImageStreams(live)
			o := g.options()
			o.NewClient = func(config *rest.Config, options client.Options) (client.Client, error) {
				inner, err := client.NewWithWatch(config, options)
				if err != nil {
					return nil, err
				}
				return m.client(inner, false), nil
			}
			names := make([]string, number)
			for i := range names {
				names[i] = fmt.Sprintf("%s-%d", richest[i%2].name, i)
				g.plan(names[i], richest[i%2].plan)
			}
			heap := heapInUse()
			for i, name := range names {
				g.migrate(name, richest[i%2].spec)
			}
			begin := time.Now()
			g.runAs(g.Config, o, example.Parts{
				MaxPhases: c.maxPhases, Live: m.client(live, true),
				ImageStreams: mtc.ImageStreamsFunc(func(ctx context.Context, namespaces []string) (has bool, err error) {
					m.count(&m.lists)
					err = m.call(ctx, func() error { has, err = images.HasImageStreams(ctx, namespaces); return err })
					return has, err
				}),
				Observe: func(_ example.Migration, e runner.Event) {
					switch e := e.(type) {
					case runner.Asked:
						m.count(&m.asked)
						if e.Flag == "HasISs" {
							m.count(&m.points)
						}
					}
				},
			}, example.Settings{Name: "load", Concurrency: 8, Measure: m.reconciler})
			require.Eventually(t, func() bool {
				var list api.MigrationList
				require.NoError(t, g.client.List(g.ctx, &list, client.InNamespace(g.namespace)))
				return !slices.ContainsFunc(list.Items, func(m api.Migration) bool { return !m.Status.Done })
			}, 10*time.Minute, time.Second)
			took := time.Since(begin)
			m.mu.Lock()
			defer m.mu.Unlock()
			slices.Sort(m.own)
			p50, p99 := m.own[len(m.own)/2], m.own[len(m.own)*99/100]
			per := func(n int) float64 { return float64(n) / number }
			t.Logf("%s: %d migrations in %s; %.0f reconciles/s; per migration: %.1f reconciles, %.1f writes of its object, %.1f writes of what phases make, %.1f flags asked, %.1f lists of image streams, %d KiB; own time of a reconcile: p50 %s, p99 %s",
				c.name, number, took.Round(100*time.Millisecond), float64(len(m.own))/took.Seconds(),
				per(len(m.own)), per(m.writes), per(m.others), per(m.asked), per(m.lists), (heapInUse()-heap)/number/1024, p50, p99)

			for i, name := range names[:4] {
				assert.Equal(t, expected(t, mtc.Final, richest[i%2].flags, nil), g.witness.ran(name, mtc.Final), name)
			}
			assert.LessOrEqual(t, m.lists, 2*number, "one list where the migration begins, and one where the plan was looked at anew")
			assert.LessOrEqual(t, p50, time.Millisecond)
			if c.maxPhases > 1 {
				assert.Less(t, per(m.writes), 30.0)
			}
		})
	}
}

// heapInUse is the memory in use once all that is not was collected.
func heapInUse() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
