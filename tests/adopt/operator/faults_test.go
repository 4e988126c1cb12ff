package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/recorder"

	"github.com/konveyor/dynamic-pipeline/machine/controller/controllertest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	api "github.com/konveyor/dynamic-pipeline/tests/adopt/operator/api/v1alpha1"
)

// under is a manager that is not started. The clients that it gives the
// operator meet the faults, and a test calls the controller that is added to
// it.
type under struct {
	ctrl.Manager
	env        controllertest.Env
	controller reconcile.Reconciler
}

func (u *under) GetClient() client.Client                       { return u.env.Client }
func (u *under) GetAPIReader() client.Reader                    { return u.env.Reader }
func (u *under) GetEventRecorder(string) recorder.EventRecorder { return unheard{} }

func (u *under) Add(r manager.Runnable) error {
	u.controller = r.(reconcile.Reconciler)
	return nil
}

// unheard is a recorder that drops events.
type unheard struct{ recorder.EventRecorder }

func (unheard) Eventf(_, _ runtime.Object, _, _, _, _ string, _ ...any) {}

// beginOn creates a namespace on the API server with a cluster of a primary
// and a replica, and an upgrade of the cluster.
func beginOn(ctx context.Context, c client.WithWatch) (*api.Upgrade, error) {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "faults-"}}
	if err := c.Create(ctx, namespace); err != nil {
		return nil, err
	}
	meta := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: namespace.Name, Name: name, Labels: map[string]string{api.Cluster: "shop"}}
	}
	upgrade := &api.Upgrade{ObjectMeta: meta("shop"), Spec: api.UpgradeSpec{Version: 17}}
	for _, o := range []client.Object{
		&api.Server{ObjectMeta: meta("shop-v16"), Spec: api.ServerSpec{Version: 16, Role: api.Primary, Writable: true}},
		&api.Server{ObjectMeta: meta("shop-v16-0"), Spec: api.ServerSpec{Version: 16, Role: api.Replica, Source: "shop-v16"}},
		upgrade,
	} {
		if err := c.Create(ctx, o); err != nil {
			return nil, err
		}
	}
	return upgrade, nil
}

// work lets the agents of a namespace carry out the specs of its servers once.
func (a *agents) work(ctx context.Context, c client.Client, namespace string) error {
	var list api.ServerList
	if err := c.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return err
	}
	servers := map[string]*api.Server{}
	writable := 0
	for i := range list.Items {
		s := &list.Items[i]
		servers[s.Name] = s
		if s.Spec.Role == api.Primary && s.Spec.Writable {
			writable++
		}
	}
	if writable > 1 {
		return errors.New("two primaries accept writes")
	}
	for _, name := range slices.Sorted(maps.Keys(servers)) {
		s := servers[name]
		if status := a.statusOf(s, servers[s.Spec.Source]); status != s.Status {
			s.Status = status
			if err := c.Status().Update(ctx, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// A write of the operator meets a conflict, or is the last one before a crash
// after which the cache lags. The upgrade ends as without the fault: nothing
// is created twice or left behind.
func TestUpgradeUnderFaults(t *testing.T) {
	t.Parallel()
	skip := true // the check for unique names in a process
	access, err := startPlane()
	require.NoError(t, err)
	mgr, err := ctrl.NewManager(access, ctrl.Options{
		Scheme: scheme, Metrics: server.Options{BindAddress: "0"}, Controller: config.Controller{SkipNameValidation: &skip},
	})
	require.NoError(t, err)
	c, err := client.NewWithWatch(control.Config, client.Options{Scheme: scheme})
	require.NoError(t, err)
	var (
		namespace string
		work      *agents
	)
	report := controllertest.Sweep(t, controllertest.Setup[*api.Upgrade]{
		Begin: func() (client.WithWatch, *api.Upgrade, error) {
			upgrade, err := beginOn(t.Context(), c)
			if err != nil {
				return nil, nil, err
			}
			namespace, work = upgrade.Namespace, &agents{indexed: map[string]bool{}}
			return c, upgrade, nil
		},
		New: func(env controllertest.Env) (reconcile.Reconciler, error) {
			u := &under{Manager: mgr, env: env}
			err := addToManager(u)
			return u.controller, err
		},
		Itineraries: itineraries,
		States:      controllertest.InObject(runner.NewStatusStorage((*api.Upgrade).State)),
		Conditions:  func(u *api.Upgrade) []metav1.Condition { return u.Status.Conditions },
		Elapse:      func(client.WithWatch, time.Time) error { return work.work(t.Context(), c, namespace) },
		Outside: func(client.WithWatch) (any, error) {
			var all api.ServerList
			err := c.List(t.Context(), &all, client.InNamespace(namespace))
			specs := map[string]api.ServerSpec{}
			for _, s := range all.Items {
				specs[s.Name] = s.Spec
			}
			return specs, err
		},
		Kinds: []controllertest.Kind{controllertest.Conflict, controllertest.CrashStale},
	})
	t.Logf("%d requests, %d lives", len(report.Requests), report.Lives)
	assert.Greater(t, report.Lives, 30)
}
