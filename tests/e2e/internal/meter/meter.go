package meter

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/api/meta"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/tests/e2e/example"
)

// Meter measures a controller. It is safe for concurrent use.
type Meter struct {
	threads sync.Map // of *spent, by thread of a reconcile

	mu             sync.Mutex
	own, wall      []time.Duration // of each reconcile, without API calls: processor and wall time
	writes, others int             // of runs, and of objects that phases create
}

// New returns a meter with memory for the given number of reconciles, so that
// recording them allocates nothing.
func New(reconciles int) *Meter {
	return &Meter{own: make([]time.Duration, 0, reconciles), wall: make([]time.Duration, 0, reconciles)}
}

// spent is the time that one reconcile spends in API calls.
type spent struct {
	thread    int
	cpu, wall time.Duration
}

type spentKey struct{}

// cpu returns the processor time of the current thread.
func cpu() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err)
	}
	return time.Duration(t.Nano())
}

// Call measures an API call of a reconcile that bypasses the clients of the
// meter.
func (m *Meter) Call(ctx context.Context, do func() error) error {
	begin, beginCPU := time.Now(), cpu()
	err := do()
	thread := unix.Gettid()
	s, ok := ctx.Value(spentKey{}).(*spent)
	if !ok { // sources are built without a context
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

func (m *Meter) count(n *int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	*n++
}

// counts returns the counter for writes of an object.
func (m *Meter) counts(o client.Object) *int {
	if _, ok := o.(example.Migration); ok {
		return &m.writes
	}
	return &m.others
}

// Client measures the calls of a client that leave the process: all writes,
// and also reads if the client is live.
func (m *Meter) Client(c client.WithWatch, live bool) client.WithWatch {
	f := interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			m.count(m.counts(o))
			return m.Call(ctx, func() error { return c.Create(ctx, o, opts...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			m.count(m.counts(o))
			return m.Call(ctx, func() error { return c.Patch(ctx, o, p, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			m.count(m.counts(o))
			return m.Call(ctx, func() error { return c.Delete(ctx, o, opts...) })
		},
		DeleteAllOf: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteAllOfOption) error {
			m.count(m.counts(o))
			return m.Call(ctx, func() error { return c.DeleteAllOf(ctx, o, opts...) })
		},
		SubResourcePatch: func(
			ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption,
		) error {
			m.count(m.counts(o))
			return m.Call(ctx, func() error { return c.SubResource(sub).Patch(ctx, o, p, opts...) })
		},
	}
	if live {
		f.Get = func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			return m.Call(ctx, func() error { return c.Get(ctx, key, o, opts...) })
		}
		f.List = func(ctx context.Context, c client.WithWatch, l client.ObjectList, opts ...client.ListOption) error {
			return m.Call(ctx, func() error { return c.List(ctx, l, opts...) })
		}
	}
	return interceptor.NewClient(c, f)
}

// NewClient returns a client for a manager. Calls that leave the process are
// measured.
func (m *Meter) NewClient(config *rest.Config, options client.Options) (client.Client, error) {
	c, err := client.NewWithWatch(config, options)
	if err != nil {
		return nil, err
	}
	return m.Client(c, false), nil
}

// Reconciler measures each reconcile.
func (m *Meter) Reconciler(r reconcile.Reconciler) reconcile.Reconciler {
	return reconcile.Func(func(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
		// Wall time also counts other work on a busy machine.
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

// Figures are the measurements of a meter.
type Figures struct {
	Reconciles int `json:"reconciles"`
	// Writes counts writes of runs, and Others writes of objects that phases
	// create.
	Writes int `json:"writes"`
	Others int `json:"others"`
	// Own is the processor time of a reconcile without API calls, and Wall its
	// wall time: the median and the 99th percentile.
	OwnP50  time.Duration `json:"ownP50"`
	OwnP99  time.Duration `json:"ownP99"`
	WallP50 time.Duration `json:"wallP50"`
	WallP99 time.Duration `json:"wallP99"`
}

// Figures returns the measurements up to now.
func (m *Meter) Figures() Figures {
	m.mu.Lock()
	own, wall := slices.Sorted(slices.Values(m.own)), slices.Sorted(slices.Values(m.wall))
	f := Figures{Reconciles: len(own), Writes: m.writes, Others: m.others}
	m.mu.Unlock()
	f.OwnP50, f.OwnP99, f.WallP50, f.WallP99 = percentile(own, 50), percentile(own, 99), percentile(wall, 50), percentile(wall, 99)
	return f
}

func percentile(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[len(sorted)*percent/100].Round(time.Microsecond)
}

// Memory is the memory of a process, in bytes.
type Memory struct {
	// Heap is the live heap after a collection. Cached is the part of it that
	// the objects in the caches take.
	Heap   int `json:"heap"`
	Cached int `json:"cached"`
}

// Heap returns the size of the live heap after a collection.
func Heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// MemoryOf measures the memory of this process. The lists name the objects in
// the caches. Their size is that of copies decoded from JSON, as the cached
// ones were.
func MemoryOf(ctx context.Context, cached client.Reader, lists ...client.ObjectList) (Memory, error) {
	m := Memory{Heap: Heap()}
	var copies []any
	for _, list := range lists {
		if err := cached.List(ctx, list); err != nil {
			return m, err
		}
		if err := meta.EachListItem(list, func(o apiruntime.Object) error {
			text, err := json.Marshal(o)
			if err != nil {
				return err
			}
			c := reflect.New(reflect.TypeOf(o).Elem()).Interface()
			copies = append(copies, c)
			return json.Unmarshal(text, c)
		}); err != nil {
			return m, err
		}
		if err := meta.SetList(list, nil); err != nil {
			return m, err
		}
	}
	m.Cached = Heap() - m.Heap
	runtime.KeepAlive(copies)
	return m, nil
}

// Handler serves the figures at /figures, and the memory of the process at
// /memory.
func (m *Meter) Handler(memory func(ctx context.Context) (Memory, error)) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /figures", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(m.Figures())
	})
	mux.HandleFunc("GET /memory", func(w http.ResponseWriter, r *http.Request) {
		held, err := memory(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(held)
	})
	return mux
}
