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
// [Reconciler.SetupWithManager] does. Of the options, it takes Client and Reader
// from the manager if they are nil, and Metrics is then controller-runtime's
// registry. The error is that of [New] or of the manager.
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

// SetupWithManager makes a controller of the reconciler, which watches the
// objects with [Reconciler.Predicate]. Configure may add to it: what handlers
// create (Owns), concurrency, a limit to the rate.
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

// EnqueueByLabel wakes, when an object changes that handlers wait for, the run of
// the name that the label of the object holds, in the same namespace. It is for
// objects that no run owns, since they must outlive it; for others there is Owns.
func EnqueueByLabel(label string) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []reconcile.Request {
		name, ok := o.GetLabels()[label]
		if !ok {
			return nil
		}
		return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: name}}}
	})
}

// Predicate holds back the events of the reconciler's own writes, unless they
// bring the next phase: otherwise a phase that reports progress while it waits
// would be called again at once, and one with a backoff would be retried too
// early. It is for controllers that are not built by
// [Reconciler.SetupWithManager], and belongs to the events of the objects
// themselves. Another predicate beside it must let changes of the status and,
// so that objects that are gone are forgotten, deletions pass.
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
