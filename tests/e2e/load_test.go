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
	"golang.org/x/sys/unix"
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
	threads              sync.Map // of *spent, by the thread that a reconcile is locked to
	mu                   sync.Mutex
	own, wall            []time.Duration // of each reconcile, without API calls: on a processor, and by the clock
	writes, others       int             // of migrations, and of what phases make
	asked, lists, points int             // flags, image streams, and moments at which flags were evaluated
}

// spent is the time of one reconcile that goes to API calls.
type spent struct {
	thread    int
	cpu, wall time.Duration
}

type spentKey struct{}

// cpu is the time that this thread has had a processor for.
func cpu() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err)
	}
	return time.Duration(t.Nano())
}

// call measures an API call of a reconcile.
func (m *meter) call(ctx context.Context, do func() error) error {
	begin, beginCPU := time.Now(), cpu()
	err := do()
	thread := unix.Gettid()
	s, ok := ctx.Value(spentKey{}).(*spent)
	if !ok { // where sources are made, there is no context
		found, here := m.threads.Load(thread)
		if s, ok = found.(*spent); !here || !ok {
			return err
		}
	}
	s.wall += time.Since(begin)
	if s.thread == thread {
		s.cpu += cpu() - beginCPU
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
		// The clock also counts what others do on a busy machine.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		api := spent{thread: unix.Gettid()}
		m.threads.Store(api.thread, &api)
		defer m.threads.Delete(api.thread)
		begin, beginCPU := time.Now(), cpu()
		result, err := r.Reconcile(context.WithValue(ctx, spentKey{}, &api), request)
		own, wall := cpu()-beginCPU-api.cpu, time.Since(begin)-api.wall
		m.mu.Lock()
		defer m.mu.Unlock()
		m.own, m.wall = append(m.own, own), append(m.wall, wall)
		return result, err
	})
}

// 500 migrations at once, each to its end. It runs before the tests that run
// in parallel, for the sake of its figures.
func TestLoad(t *testing.T) {
	for _, c := range []struct {
		name              string
		maxPhases, number int
	}{{"a write after each phase", 1, 500}, {"several phases in one reconcile", 50, 200}} {
		t.Run(c.name, func(t *testing.T) {
			g := newFixture(t, common, withSubresource)
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
			names := make([]string, c.number)
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
					case runner.FlagEvaluated:
						m.count(&m.asked)
						if e.Flag == "HasISs" {
							m.count(&m.points)
						}
					}
				},
			}, example.Settings{Name: "load", Concurrency: 8, Measure: m.reconciler})
			for _, name := range names {
				require.Eventually(t, func() bool {
					var m api.Migration
					require.NoError(t, g.client.Get(g.ctx, client.ObjectKey{Namespace: g.namespace, Name: name}, &m))
					return m.Status.Done
				}, 10*time.Minute, 10*tick)
			}
			took := time.Since(begin)
			m.mu.Lock()
			defer m.mu.Unlock()
			per := func(n int) float64 { return float64(n) / float64(c.number) }
			t.Logf("%s: %d migrations in %s; %.0f reconciles/s; per migration: %.1f reconciles, %.1f writes of its object, %.1f writes of what phases make, %.1f flags asked, %.1f lists of image streams, %d KiB; own time of a reconcile: p50 %s, p99 %s (by the clock %s, %s)",
				c.name, c.number, took.Round(100*time.Millisecond), float64(len(m.own))/took.Seconds(),
				per(len(m.own)), per(m.writes), per(m.others), per(m.asked), per(m.lists), (heapInUse()-heap)/c.number/1024,
				percentile(m.own, 50), percentile(m.own, 99), percentile(m.wall, 50), percentile(m.wall, 99))

			for i, name := range names[:4] {
				assert.Equal(t, expected(t, mtc.Final, richest[i%2].flags, nil), g.calls.ran(name, mtc.Final), name)
			}
			assert.LessOrEqual(t, m.lists, 2*c.number, "one list where the migration begins, and one where the plan was looked at anew")
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

func percentile(all []time.Duration, percent int) time.Duration {
	slices.Sort(all)
	return all[len(all)*percent/100].Round(time.Microsecond)
}
