package controllertest_test

import (
	"context"
	"errors"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/machine/controller/controllertest"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
)

var ctx = log.IntoContext(context.Background(), logr.Discard())

func requestOf(o client.Object) reconcile.Request {
	return reconcile.Request{NamespacedName: client.ObjectKeyFromObject(o)}
}

func configMap(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: name}}
}

// Each fault has its effect on an update: its error, and whether the update is carried
// out.
func TestFaultsOfWrite(t *testing.T) {
	is := func(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }
	for _, c := range []struct {
		kind    controllertest.Kind
		err     func(error) bool
		done    bool
		crashed bool
	}{
		{kind: controllertest.Timeout, err: apierrors.IsServerTimeout},
		{kind: controllertest.TooManyRequests, err: apierrors.IsTooManyRequests},
		{kind: controllertest.InternalError, err: apierrors.IsInternalError},
		{kind: controllertest.NetworkError, err: is(syscall.ECONNREFUSED)},
		{kind: controllertest.Conflict, err: apierrors.IsConflict},
		{kind: controllertest.AnswerLost, err: is(io.ErrUnexpectedEOF), done: true},
		{kind: controllertest.Slow, err: is(context.DeadlineExceeded), done: true},
		{kind: controllertest.CrashBefore, err: is(controllertest.ErrCrashed), crashed: true},
		{kind: controllertest.CrashAfter, err: is(controllertest.ErrCrashed), done: true, crashed: true},
		{kind: controllertest.CrashStale, err: is(controllertest.ErrCrashed), done: true, crashed: true},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			server := fake.NewClientBuilder().WithScheme(scheme).WithObjects(configMap("a")).Build()
			injector := controllertest.NewInjector(server, controllertest.Fault{Kind: c.kind, Verb: "update", Object: "ConfigMap", Nth: 1})
			clock := machinetest.NewClock(time.Unix(0, 0))
			ctx, cancel := clock.WithTimeout(ctx, time.Minute)
			defer cancel()

			through := injector.Client()
			o := configMap("a")
			require.NoError(t, through.Get(ctx, client.ObjectKeyFromObject(o), o))
			o.Data = map[string]string{"is": "new"}
			err := through.Update(ctx, o)
			assert.True(t, c.err(err), "%v", err)
			require.Len(t, injector.Fired(), 1)
			assert.Equal(t, "update ConfigMap apps/a", injector.Fired()[0].String())

			now := configMap("a")
			require.NoError(t, server.Get(context.Background(), client.ObjectKeyFromObject(now), now))
			assert.Equal(t, c.done, now.Data != nil, "carried out")
			assert.Equal(t, c.kind == controllertest.Conflict, now.Labels[controllertest.Touched] != "", "another client wrote")

			assert.Equal(t, c.crashed, injector.Crashed())
			injector.Restart()
			err = through.Get(context.Background(), client.ObjectKeyFromObject(o), o)
			assert.ErrorIs(t, err, controllertest.ErrCrashed, "it belongs to the process before")
			assert.NoError(t, injector.Client().Get(context.Background(), client.ObjectKeyFromObject(o), o))
		})
	}
}

// Without an optimistic lock, there is no conflict.
func TestConflictWithoutLock(t *testing.T) {
	server := fake.NewClientBuilder().WithScheme(scheme).WithObjects(configMap("a")).Build()
	injector := controllertest.NewInjector(server, controllertest.Fault{Kind: controllertest.Conflict, Verb: "patch"})
	o := configMap("a")
	require.NoError(t, injector.Client().Patch(ctx, o, client.RawPatch("application/merge-patch+json", []byte(`{"data":{"is":"new"}}`))))
	require.NoError(t, server.Get(ctx, client.ObjectKeyFromObject(o), o))
	assert.NotEmpty(t, o.Labels[controllertest.Touched])
	assert.Equal(t, map[string]string{"is": "new"}, o.Data)
}

// A cache that is behind shows the time before the last write: an object as it was,
// none that was created since, and one that was deleted.
func TestStaleReads(t *testing.T) {
	for _, c := range []struct {
		name  string
		write func(c client.Client) error
		get   string   // the value that a get of "a" finds; empty if it is not found
		list  []string // the names that a list finds
	}{
		{"updated", func(c client.Client) error {
			a := configMap("a")
			a.Data = map[string]string{"is": "new"}
			return c.Update(ctx, a)
		}, "old", []string{"a"}},
		{"deleted", func(c client.Client) error { return c.Delete(ctx, configMap("a")) }, "old", []string{"a"}},
		{"created", func(c client.Client) error { return c.Create(ctx, configMap("b")) }, "old", []string{"a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := configMap("a")
			a.Data = map[string]string{"is": "old"}
			server := fake.NewClientBuilder().WithScheme(scheme).WithObjects(a).Build()
			injector := controllertest.NewInjector(server, controllertest.Fault{Kind: controllertest.StaleRead, Verb: "get", Nth: 1})
			cached := injector.Client()
			require.NoError(t, c.write(cached))

			read := func() (got string, names []string) {
				o := configMap("a")
				require.NoError(t, client.IgnoreNotFound(cached.Get(ctx, client.ObjectKeyFromObject(o), o)))
				var all corev1.ConfigMapList
				require.NoError(t, cached.List(ctx, &all, client.InNamespace("apps")))
				for _, o := range all.Items {
					names = append(names, o.Name)
				}
				return o.Data["is"], names
			}
			got, names := read()
			assert.Equal(t, c.get, got)
			assert.Equal(t, c.list, names)
			past := configMap("a")
			err := injector.Reader().Get(ctx, client.ObjectKeyFromObject(past), past)
			assert.Equal(t, c.name == "deleted", apierrors.IsNotFound(err), "past the cache")
			read()
			got, names = read()
			if c.name == "created" {
				assert.Equal(t, []string{"a", "b"}, names, "it has caught up")
			} else {
				assert.NotEqual(t, c.get, got, "it has caught up")
			}
		})
	}
}

func TestFaultOfAllMatchingRequests(t *testing.T) {
	server := fake.NewClientBuilder().WithScheme(scheme).WithObjects(configMap("a")).Build()
	fault := controllertest.Fault{Kind: controllertest.InternalError, Verb: "get", Object: "ConfigMap"}
	assert.Equal(t, "each request to get of kind ConfigMap: internal-error", fault.String())
	injector := controllertest.NewInjector(server, fault)
	for range 3 {
		assert.Error(t, injector.Client().Get(ctx, client.ObjectKey{Namespace: "apps", Name: "a"}, configMap("")))
	}
	assert.NoError(t, injector.Client().List(ctx, &corev1.ConfigMapList{}))
	assert.Len(t, injector.Fired(), 3)
	assert.Len(t, injector.Requests(), 4)
}

// A request whose context has no end does not hang.
func TestSlowWithoutEnd(t *testing.T) {
	server := fake.NewClientBuilder().WithScheme(scheme).Build()
	injector := controllertest.NewInjector(server, controllertest.Fault{Kind: controllertest.Slow})
	err := injector.Client().List(context.Background(), &corev1.ConfigMapList{})
	assert.ErrorContains(t, err, "its context cannot end")
}
