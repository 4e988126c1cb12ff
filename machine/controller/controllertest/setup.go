package controllertest

import (
	"context"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/controller/internal/handlers"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// Setup describes a controller under test and its surroundings. T is a pointer to its
// custom resource. A Setup is data that can be used any number of times.
type Setup[T client.Object] struct {
	// Begin returns an API server with everything that exists before the controller
	// begins, and the object that it reconciles. It is called for each life, and makes
	// a fake client or, on a real API server, objects in a new namespace. All lives
	// must begin with the same objects.
	Begin func() (server client.WithWatch, object T, err error)
	// New makes the controller, at the beginning of a life and after each crash. What
	// it keeps in memory is lost in a crash, as in production.
	New func(Env) (reconcile.Reconciler, error)
	// Itineraries and States are used to read and check the states of the runs. States
	// is [InObject] or [InItems].
	Itineraries *machine.Set
	States      States[T]
	// Conditions returns the conditions of the object, which are compared with the
	// state. Optional.
	Conditions func(object T) []metav1.Condition
	// Elapse does what the rest of the world does as time passes, such as completing a
	// job. Its requests meet no faults. It is called before each reconcile. Optional.
	Elapse func(server client.WithWatch, now time.Time) error
	// Outside returns what else must be the same at the end of each life, such as what
	// handlers have made. It is compared as JSON. Optional.
	Outside func(server client.WithWatch) (any, error)
	// Ignore clears what may differ at the end, besides times, versions and counts of
	// retries. Optional.
	Ignore func(object T)

	// Kinds are the kinds of faults. If nil, all are used ([Kinds]).
	Kinds []Kind
	// MayRepeat are the kinds among [StaleRead] and [Conflict] after which the work of
	// a phase may be repeated. Leave it empty for machine/controller, which remembers
	// its own writes and merges.
	MayRepeat []Kind
	// Only selects one life, as a failure names it: "7 crash-after". Empty means all
	// lives.
	Only string

	// Start is when the clock of each life starts. Zero means 2000-01-01 00:00 UTC.
	Start time.Time
	// ReconcileTimeout limits a reconcile by the clock. Zero means ten seconds.
	ReconcileTimeout time.Duration
	// Resync is the delay before an object that waits for a watch is reconciled. Zero
	// means a minute.
	Resync time.Duration
	// MaxReconciles bounds a life. Zero means 1,000.
	MaxReconciles int
}

// SetupError describes what is missing or invalid in a [Setup], or a mistake of its
// functions.
type SetupError struct{ Problem string }

func (e *SetupError) Error() string { return "controllertest: " + e.Problem }

func setupError(format string, args ...any) error {
	return &SetupError{Problem: fmt.Sprintf(format, args...)}
}

// check reports what is missing, and fills in defaults.
func (s Setup[T]) check() (Setup[T], error) {
	for _, field := range []struct {
		name    string
		missing bool
	}{{"Begin", s.Begin == nil}, {"New", s.New == nil}, {"Itineraries", s.Itineraries == nil}, {"States", s.States == nil}} {
		if field.missing {
			return s, setupError("Setup.%s is missing", field.name)
		}
	}
	if s.Kinds == nil {
		s.Kinds = Kinds()
	}
	if s.Start.IsZero() {
		s.Start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	for _, d := range []struct {
		value *time.Duration
		or    time.Duration
	}{{&s.ReconcileTimeout, 10 * time.Second}, {&s.Resync, time.Minute}} {
		if *d.value <= 0 {
			*d.value = d.or
		}
	}
	if s.MaxReconciles <= 0 {
		s.MaxReconciles = 1000
	}
	return s, nil
}

// Env is the environment that a [Sweep] passes to a controller: clients of its process,
// and the simulated clock.
type Env struct {
	// Client writes, and reads from a cache that may be behind. Reader reads past the
	// cache. Both meet the faults.
	Client client.WithWatch
	Reader client.Reader
	// Now and WithTimeout are the clock. [Bind] sets them in the runner's options.
	Now         func() time.Time
	WithTimeout func(parent context.Context, timeout time.Duration) (context.Context, context.CancelFunc)

	work *work
}

// Bind returns the runner's options of a controller under test, with the clock of its
// environment and with handlers whose calls are counted, to find work that is lost or
// repeated. The given options are not changed.
func Bind[T any](env Env, o runner.Options[T]) runner.Options[T] {
	o.Now, o.WithTimeout = env.Now, env.WithTimeout
	if env.work == nil {
		return o
	}
	return handlers.Wrap(o, func(h runner.Handler[T]) runner.Handler[T] {
		if h == nil {
			return nil
		}
		return runner.VisitFunc[T](func(ctx context.Context, object T, v runner.Visit) (runner.Result, error) {
			result, err := h.Handle(ctx, object, v)
			if err == nil && result.IsDone() {
				env.work.done(itemOf(object), v)
			}
			return result, err
		})
	})
}

// itemOf returns the key of an item; empty for an object.
func itemOf(object any) string {
	if named, ok := object.(interface {
		RunName() (namespace, name, item string)
	}); ok {
		_, _, item := named.RunName()
		return item
	}
	return ""
}

// visit is a visit to a phase in a life.
type visit struct {
	item, itinerary, phase string
	number                 int64
}

func (v visit) String() string {
	text := v.itinerary + "/" + v.phase
	if v.item != "" {
		text = v.item + ": " + text
	}
	return fmt.Sprintf("%s (visit %d)", text, v.number)
}

// work counts how often the work of each visit was done.
type work struct {
	mu    sync.Mutex
	times map[visit]int
}

func (w *work) done(item string, v runner.Visit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.times[visit{item, v.Itinerary, v.Phase, v.Number}]++
}

// States reads the states of the runs of an object, by the keys of their items. The
// only run of an object has the empty key.
type States[T client.Object] func(ctx context.Context, object T) (map[string]runner.State, error)

// InObject returns a function that reads the state of the only run of an object.
func InObject[T client.Object](s runner.Storage[T]) States[T] {
	return func(ctx context.Context, object T) (map[string]runner.State, error) {
		state, err := s.Read(ctx, object)
		return map[string]runner.State{"": state}, err
	}
}

// InItems returns a function that reads the states of the items of an object, as the
// options of its list describe them. Read of the storage receives items whose
// [controller.Item.Key] is empty.
func InItems[T client.Object, I any](o controller.ListOptions[T, I]) States[T] {
	return func(ctx context.Context, object T) (map[string]runner.State, error) {
		all := map[string]runner.State{}
		for _, item := range o.Items(object) {
			state, err := o.Runner.Storage.Read(ctx, controller.Item[T, I]{Object: object, Item: item})
			if err != nil {
				return nil, fmt.Errorf("item %q: %w", o.Key(item), err)
			}
			all[o.Key(item)] = state
		}
		return all, nil
	}
}
