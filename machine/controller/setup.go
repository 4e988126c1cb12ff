package controller

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// AddToManager makes a reconciler and adds its controller to a manager, as
// [Reconciler.SetupWithManager] does. If Client or Reader is nil, it is taken from the
// manager. If Metrics is nil, it is controller-runtime's registry. The error is that of
// [New] or of the manager.
func AddToManager[T client.Object](mgr manager.Manager, o Options[T], configure ...func(b *builder.Builder)) error {
	if o.Client == nil {
		o.Client = mgr.GetClient()
	}
	if o.Reader == nil {
		o.Reader = mgr.GetAPIReader()
	}
	if o.Metrics == nil {
		o.Metrics = ctrlmetrics.Registry
	}
	r, err := New(o)
	if err != nil {
		return err
	}
	return r.SetupWithManager(mgr, configure...)
}

// SetupWithManager adds a controller of the reconciler to the manager. It watches the
// objects with [Reconciler.Predicate]. Use configure to watch what handlers create
// (Owns), or to set the concurrency or a rate limit. The error is that of the builder.
func (r *Reconciler[T]) SetupWithManager(mgr manager.Manager, configure ...func(b *builder.Builder)) error {
	b := builder.ControllerManagedBy(mgr).For(r.o.New(), builder.WithPredicates(r.Predicate()))
	if r.o.Name != "" {
		b = b.Named(r.o.Name)
	}
	for _, f := range configure {
		f(b)
	}
	return b.Complete(r)
}

// EnqueueByLabel returns an event handler for objects that handlers wait for but no run
// owns, because they must outlive it. When such an object changes, it wakes the run in
// the same namespace that the given label names. For owned objects use Owns.
func EnqueueByLabel(label string) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []reconcile.Request {
		name, ok := o.GetLabels()[label]
		if !ok {
			return nil
		}
		return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: name}}}
	})
}

// Predicate holds back the events of the reconciler's own writes, unless a write brings
// the next phase. Otherwise a phase that reports progress while it waits would be
// called again at once, and a phase with a backoff would be retried early. Use it on
// the watch of the objects if [Reconciler.SetupWithManager] does not build the
// controller. If you combine it with another predicate, that must let changes of the
// status pass, and also deletions: otherwise deleted objects are not forgotten.
func (r *Reconciler[T]) Predicate() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			if e.ObjectOld == nil || e.ObjectNew == nil || e.ObjectOld.GetResourceVersion() == e.ObjectNew.GetResourceVersion() {
				return true // a resync
			}
			return r.own.wanted(client.ObjectKeyFromObject(e.ObjectNew), e.ObjectNew.GetResourceVersion())
		},
		DeleteFunc: func(e event.DeleteEvent) bool {
			if e.Object != nil {
				r.forget(client.ObjectKeyFromObject(e.Object))
			}
			return true
		},
	}
}
