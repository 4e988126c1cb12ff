package controller

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/api"
)

// Reconciler reconciles migrations.
type Reconciler struct {
	client.Client
	// Migrate advances a migration. Each variant has its own.
	Migrate func(ctx context.Context, m *api.MigMigration) (time.Duration, error)
}

// Reconcile implements reconcile.Reconciler.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	m := &api.MigMigration{}
	if err := r.Get(ctx, request.NamespacedName, m); err != nil {
		if errors.IsNotFound(err) {
			return reconcile.Result{}, nil
		}
		return reconcile.Result{Requeue: true}, nil
	}
	if m.Status.Phase == Completed {
		return reconcile.Result{}, nil
	}

	m.Status.BeginStaging()
	after, err := r.Migrate(ctx, m)
	if err != nil {
		m.Status.Set(api.Condition{Type: api.ReconcileFailed, Message: err.Error()})
	}
	switch {
	case m.Status.Phase != Completed:
		m.Status.Set(api.Condition{Type: api.Ready})
		m.Status.Set(api.Condition{Type: api.Running, Reason: m.Status.Phase})
	case !m.Status.Has(api.Failed):
		m.Status.Set(api.Condition{Type: api.Succeeded, Durable: true})
	}
	m.Status.EndStaging()

	// There is no status subresource: one write stores everything.
	if err := r.Update(ctx, m); err != nil {
		return reconcile.Result{Requeue: true}, err
	}
	return reconcile.Result{RequeueAfter: after}, nil
}
