package example

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrl "sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/debug"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example/api"
)

// Scheme returns a scheme with all types of the example.
func Scheme() *runtime.Scheme {
	s := runtime.NewScheme()
	utilruntime.Must(corev1.AddToScheme(s))
	utilruntime.Must(eventsv1.AddToScheme(s))
	utilruntime.Must(api.AddToScheme(s))
	return s
}

// Kind describes one of the two custom resources to a controller.
type Kind[T Migration] struct {
	New               func() T
	NewList           func() client.ObjectList
	StatusSubresource bool
	Conditions        *controller.Conditions[T]
	Merge             func(before, after, fresh T)
}

// MTC is the kind of MTC's own definition, and Variant the kind of the
// variant.
var (
	MTC = Kind[*api.MigMigration]{
		New:     func() *api.MigMigration { return &api.MigMigration{} },
		NewList: func() client.ObjectList { return &api.MigMigrationList{} },
		Merge:   api.MergeConditions,
	}
	Variant = Kind[*api.Migration]{
		New:               func() *api.Migration { return &api.Migration{} },
		NewList:           func() client.ObjectList { return &api.MigrationList{} },
		StatusSubresource: true,
		Conditions:        controller.NewConditions(func(m *api.Migration) *[]metav1.Condition { return &m.Status.Conditions }),
	}
)

// Settings configures a controller.
type Settings struct {
	// Name distinguishes controllers of one process.
	Name string
	// Concurrency is the number of migrations that are reconciled
	// concurrently.
	Concurrency int
	Recorder    controller.Recorder
	Metrics     prometheus.Registerer
	// If not nil, Runs records the runs.
	Runs *debug.Recorder
	// If not nil, Measure wraps the reconciler.
	Measure func(reconcile.Reconciler) reconcile.Reconciler
}

// Setup adds the controller of a kind to a manager. If p lacks a client, Setup
// uses the manager's.
func Setup[T Migration](mgr manager.Manager, kind Kind[T], p Parts, s Settings) error {
	if p.Client == nil {
		p.Client = mgr.GetClient()
	}
	if p.Live == nil {
		p.Live = mgr.GetAPIReader()
	}
	o, err := Options[T](p)
	if err != nil {
		return err
	}
	r, err := controller.New(controller.Options[T]{
		Client: mgr.GetClient(), Reader: mgr.GetAPIReader(),
		New: kind.New, StatusSubresource: kind.StatusSubresource, Conditions: kind.Conditions, Merge: kind.Merge,
		Runner: o, Recorder: s.Recorder, Metrics: s.Metrics, Runs: s.Runs, Name: s.Name,
	})
	if err != nil {
		return err
	}
	if err := mgr.GetFieldIndexer().IndexField(context.Background(), kind.New(), planIndex, planOf); err != nil {
		return err
	}
	watches := func(b *builder.Builder) {
		b.Named(s.Name).WithOptions(ctrl.Options{MaxConcurrentReconciles: s.Concurrency})
		b.Watches(&api.Task{}, controller.EnqueueByLabel(MigrationLabel))
		b.Watches(&corev1.Pod{}, controller.EnqueueByLabel(MigrationLabel))
		b.Watches(&api.MigPlan{}, handler.EnqueueRequestsFromMapFunc(ofPlan(mgr.GetClient(), kind.NewList)))
	}
	if s.Measure == nil {
		return r.SetupWithManager(mgr, watches)
	}
	b := builder.ControllerManagedBy(mgr).For(kind.New(), builder.WithPredicates(r.Predicate()))
	watches(b)
	return b.Complete(s.Measure(r))
}

// planIndex is the index of the cache that finds the migrations of a plan.
// Without it, the events of a plan with thousands of migrations take minutes.
const planIndex = "spec.migPlanRef.name"

func planOf(o client.Object) []string { return []string{o.(Migration).MTC().Spec.PlanRef.Name} }

// ofPlan maps a plan to the requests of its migrations.
func ofPlan(c client.Reader, newList func() client.ObjectList) handler.MapFunc {
	return func(ctx context.Context, plan client.Object) (requests []reconcile.Request) {
		list := newList()
		if err := c.List(ctx, list, client.InNamespace(plan.GetNamespace()), client.MatchingFields{planIndex: plan.GetName()}); err != nil {
			return nil
		}
		_ = meta.EachListItem(list, func(o runtime.Object) error {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(o.(client.Object))})
			return nil
		})
		return requests
	}
}

// Events returns a recorder that records events through the API events.k8s.io.
func Events(mgr manager.Manager) controller.Recorder {
	return controller.NewEventsRecorder(mgr.GetEventRecorder("migration-controller"))
}
