package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/yaml"

	api "github.com/konveyor/dynamic-pipeline/tests/adopt/operator/api/v1alpha1"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/plane"
)

// The tests run the operator against a real API server, with the generated
// definitions. Simulated agents carry out the specs of servers.

const crds = "config/crd"

// timeout limits waits that take a second or two on an idle machine. A test polls
// at each tick.
const (
	timeout = time.Minute
	tick    = 20 * time.Millisecond
)

var (
	control *plane.Plane // nil until startPlane is called
	scheme  = runtime.NewScheme()
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	ctrl.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	utilruntime.Must(api.AddToScheme(scheme))
	utilruntime.Must(corev1.AddToScheme(scheme))
	utilruntime.Must(eventsv1.AddToScheme(scheme))
	utilruntime.Must(rbacv1.AddToScheme(scheme))
	defer func() {
		if control == nil {
			return
		}
		if err := control.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	return m.Run()
}

// startPlane starts the control plane for the first test that needs it, and
// returns the operator's access.
var startPlane = sync.OnceValues(func() (*rest.Config, error) {
	ctx := context.Background()
	logf := func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
	var err error
	if control, err = plane.Start(ctx, crds, logf); err != nil {
		return nil, fmt.Errorf("starting the control plane: %w", err)
	}
	access, err := grant(ctx)
	if err != nil {
		return nil, fmt.Errorf("granting access to the operator: %w", err)
	}
	return access, nil
})

// grant binds a service account to the role of the operator.
func grant(ctx context.Context) (*rest.Config, error) {
	text, err := os.ReadFile("config/rbac.yaml")
	if err != nil {
		return nil, err
	}
	var role rbacv1.ClusterRole
	if err := yaml.UnmarshalStrict(text, &role); err != nil {
		return nil, err
	}
	c, err := client.New(control.Config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, err
	}
	if err := c.Create(ctx, &role); err != nil {
		return nil, err
	}
	account := rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: "postgres", Name: "operator"}
	if err := c.Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{account},
	}); err != nil {
		return nil, err
	}
	return control.As(account.Namespace, account.Name)
}

// fixture is a namespace with a cluster of version 16, named shop, its agents,
// and an operator.
type fixture struct {
	*testing.T
	ctx       context.Context
	namespace string
	client    client.WithWatch
	// stop stops the operator.
	stop func()
	agents
}

// agents simulates PostgreSQL.
type agents struct {
	mu sync.Mutex
	// collation makes version 17 sort text differently from 16.
	collation bool
	// hold reports whether a server does not follow its spec. refuse returns
	// why a server cannot match its spec, or the empty string.
	hold   func(s *api.Server) bool
	refuse func(s *api.Server) string
	// indexed holds the servers whose indexes were rebuilt.
	indexed map[string]bool
	// problem describes a violated invariant, if there was one.
	problem string
}

func newFixture(t *testing.T, replicas int) *fixture {
	t.Helper()
	f := &fixture{T: t, ctx: t.Context()}
	access, err := startPlane()
	require.NoError(t, err)
	c, err := client.NewWithWatch(control.Config, client.Options{Scheme: scheme})
	require.NoError(t, err)
	f.client = c
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "upgrade-"}}
	require.NoError(t, c.Create(f.ctx, namespace))
	f.namespace = namespace.Name

	f.createServer("shop-v16", api.ServerSpec{Version: 16, Role: api.Primary, Writable: true})
	for i := range replicas {
		f.createServer(fmt.Sprintf("shop-v16-%d", i), api.ServerSpec{Version: 16, Role: api.Replica, Source: "shop-v16"})
	}
	f.indexed = map[string]bool{}
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(done)
		f.simulate(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		assert.Empty(t, f.problem)
	})
	f.start(access)
	return f
}

func (f *fixture) createServer(name string, spec api.ServerSpec) {
	f.Helper()
	require.NoError(f, f.client.Create(f.ctx, &api.Server{
		ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: name, Labels: map[string]string{api.Cluster: "shop"}},
		Spec:       spec,
	}))
}

// start starts the operator with the given access to the API server.
func (f *fixture) start(access *rest.Config) {
	f.Helper()
	skip := true // the check for unique names in a process
	mgr, err := ctrl.NewManager(access, ctrl.Options{
		Scheme:     scheme,
		Cache:      cache.Options{DefaultNamespaces: map[string]cache.Config{f.namespace: {}}},
		Metrics:    server.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: &skip},
	})
	require.NoError(f, err)
	require.NoError(f, addToManager(mgr))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	f.stop = sync.OnceFunc(func() {
		cancel()
		assert.NoError(f, <-ended)
	})
	f.Cleanup(f.stop)
}

// simulate carries out the specs of servers until the context is done.
func (f *fixture) simulate(ctx context.Context) {
	for ; ctx.Err() == nil; time.Sleep(tick) {
		servers := f.servers(ctx)
		writable := 0
		for _, s := range servers {
			if s.Spec.Role == api.Primary && s.Spec.Writable {
				writable++
			}
		}
		f.mu.Lock()
		if writable > 1 {
			f.problem = "two primaries accept writes"
		}
		for _, s := range servers {
			status := f.statusOf(s, servers[s.Spec.Source])
			if status != s.Status {
				s.Status = status
				_ = f.client.Status().Update(ctx, s) // retried at the next tick
			}
		}
		f.mu.Unlock()
	}
}

// statusOf returns the status of a server, given its source, which may be nil.
func (a *agents) statusOf(s, source *api.Server) api.ServerStatus {
	status := s.Status
	status.LagBytes = 0
	if source != nil && source.Spec.Writable {
		status.LagBytes = 512
	}
	if s.Status.ObservedGeneration == s.Generation && (s.Status.Ready || s.Status.Error != "") || a.hold != nil && a.hold(s) {
		return status
	}
	status.ObservedGeneration = s.Generation
	if a.refuse != nil {
		status.Error = a.refuse(s)
	}
	status.Ready = status.Error == ""
	if s.Spec.Reindex {
		a.indexed[s.Name] = true
	}
	status.CollationChanged = a.collation && s.Spec.Version > 16 && !a.indexed[s.Name]
	return status
}

// set changes the behavior of the agents.
func (f *fixture) set(change func(a *agents)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.agents)
}

// servers returns the servers by name.
func (f *fixture) servers(ctx context.Context) map[string]*api.Server {
	var list api.ServerList
	_ = f.client.List(ctx, &list, client.InNamespace(f.namespace)) // empty once the test is over
	servers := map[string]*api.Server{}
	for i := range list.Items {
		servers[list.Items[i].Name] = &list.Items[i]
	}
	return servers
}

// names returns the names of all servers, sorted.
func (f *fixture) names() []string { return slices.Sorted(maps.Keys(f.servers(f.ctx))) }

// upgrade creates an upgrade, by default to version 17, and records all its
// versions.
func (f *fixture) upgrade(spec api.UpgradeSpec) *record {
	f.Helper()
	spec.Version = cmp.Or(spec.Version, 17)
	r := &record{fixture: f}
	ctx, cancel := context.WithCancel(context.Background())
	w, err := f.client.Watch(ctx, &api.UpgradeList{}, client.InNamespace(f.namespace))
	require.NoError(f, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range w.ResultChan() {
			if u, ok := e.Object.(*api.Upgrade); ok {
				r.mu.Lock()
				r.versions = append(r.versions, *u)
				r.mu.Unlock()
			}
		}
	}()
	f.Cleanup(func() { cancel(); w.Stop(); <-done })
	u := &api.Upgrade{ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: "shop"}, Spec: spec}
	require.NoError(f, f.client.Create(f.ctx, u))
	return r
}

// record holds all versions of an upgrade.
type record struct {
	*fixture
	mu       sync.Mutex
	versions []api.Upgrade
}

func (r *record) all() []api.Upgrade {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.versions)
}

// await waits for a version that is accepted, and returns the first such.
func (r *record) await(what string, is func(u *api.Upgrade) bool) *api.Upgrade {
	r.Helper()
	for deadline := time.Now().Add(timeout); ; time.Sleep(tick) {
		all := r.all()
		for i := range all {
			if is(&all[i]) {
				return &all[i]
			}
		}
		if time.Now().After(deadline) {
			var last api.UpgradeStatus
			if len(all) > 0 {
				last = all[len(all)-1].Status
			}
			require.Failf(r, what+" was not reached", "phase %q, %v", last.Phase, last.Conditions)
		}
	}
}

func (r *record) awaitPhase(name string) *api.Upgrade {
	r.Helper()
	return r.await("phase "+name, func(u *api.Upgrade) bool { return u.Status.Phase == name })
}

func (r *record) awaitDone() *api.Upgrade {
	r.Helper()
	return r.await("the end", func(u *api.Upgrade) bool { return u.Status.Done })
}

// edit changes the spec like a user.
func (r *record) edit(spec string) {
	r.Helper()
	u := &api.Upgrade{ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: "shop"}}
	require.NoError(r, r.client.Patch(r.ctx, u, client.RawPatch(types.MergePatchType, []byte(`{"spec":`+spec+`}`))))
}

// messages returns the steps of the pipeline with their messages.
func messages(u *api.Upgrade) (all []string) {
	for _, s := range u.Status.Pipeline {
		all = append(all, s.Name+": "+s.Message)
	}
	return all
}
