package controller

import (
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

// SetupWithManager makes a controller of the reconciler, which watches the
// objects with [Reconciler.Predicate]. Configure may add to it: what handlers
// create (Owns), a name, concurrency, a limit to the rate.
func (r *Reconciler[T]) SetupWithManager(mgr manager.Manager, configure ...func(b *builder.Builder)) error {
	b := builder.ControllerManagedBy(mgr).For(r.o.New(), builder.WithPredicates(r.Predicate()))
	for _, f := range configure {
		f(b)
	}
	return b.Complete(r)
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
