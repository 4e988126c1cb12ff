package e2e

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example/api"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/internal/record"
)

// timeout is the limit for an event that takes a second or two on an idle
// machine.
const timeout = 2 * time.Minute

// tick is the interval of polling for events that no watch reports.
const tick = 10 * time.Millisecond

// resource is one of the two custom resources.
type resource struct {
	name  string
	gvr   schema.GroupVersionResource
	setup func(manager.Manager, example.Parts, example.Settings) error
	make  func(metav1.ObjectMeta, mtc.MigrationSpec) client.Object
}

var (
	asMTC = resource{
		name: "as MTC's", gvr: api.MTC.WithResource("migmigrations"),
		setup: func(m manager.Manager, p example.Parts, s example.Settings) error {
			return example.Setup(m, example.MTC, p, s)
		},
		make: func(m metav1.ObjectMeta, spec mtc.MigrationSpec) client.Object {
			return &api.MigMigration{ObjectMeta: m, Spec: spec}
		},
	}
	withSubresource = resource{
		name: "with a status subresource", gvr: api.Variant.WithResource("migrations"),
		setup: func(m manager.Manager, p example.Parts, s example.Settings) error {
			return example.Setup(m, example.Variant, p, s)
		},
		make: func(m metav1.ObjectMeta, spec mtc.MigrationSpec) client.Object {
			return &api.Migration{ObjectMeta: m, Spec: spec}
		},
	}
	both = []resource{asMTC, withSubresource}
)

// itineraries are the itineraries of the example.
var itineraries = machine.MustCompileSet(mtc.Itineraries()...)

// fixture is the environment of a test: a namespace in which every version of
// every migration is recorded.
type fixture struct {
	*testing.T
	*site
	resource
	ctx       context.Context
	namespace string
	recorder  *record.Recorder
	forbidden map[string][]string // by migration; set before the migration exists
	outages   bool                // set before the recording begins
	calls     *callRecorder

	serving sync.Once // starts the server at url
	url     string
	// reply returns the reply to a call of a controller process. It is
	// optional, and must be set before the first process starts. The context
	// ends with the process.
	reply func(ctx context.Context, c example.Call) example.Reply
}

var fixtures atomic.Int32

func newFixture(t *testing.T, on *site, r resource) *fixture {
	t.Helper()
	g := &fixture{
		T: t, site: on, resource: r, namespace: fmt.Sprintf("e2e-%d", fixtures.Add(1)),
		forbidden: map[string][]string{}, calls: newCallRecorder(),
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	g.ctx = ctx
	require.NoError(t, on.client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: g.namespace}}))
	for name, url := range map[string]string{"source": "https://source.example:6443", "destination": ""} {
		g.create(&api.MigCluster{ObjectMeta: g.meta(name), Spec: mtc.ClusterSpec{URL: url}})
	}
	return g
}

// record starts the recording. Forbidden steps must be set before.
func (g *fixture) record(set *machine.Set) {
	g.Helper()
	r, err := record.Start(g.ctx, g.Config, g.gvr, g.namespace, record.Rules{
		Itineraries: set, Forbidden: func(migration string) []string { return g.forbidden[migration] },
		Outages: g.outages,
	})
	require.NoError(g, err)
	g.recorder = r
	g.Cleanup(func() {
		r.Stop()
		for i, p := range r.Problems() {
			if i == 20 {
				g.Errorf("and %d more", len(r.Problems())-i)
				break
			}
			g.Error(p)
		}
	})
}

func (g *fixture) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: g.namespace, Name: name}
}

func (g *fixture) create(o client.Object) {
	g.Helper()
	require.NoError(g, g.client.Create(g.ctx, o))
}

// plan creates a plan without volumes and images, then changed by change.
func (g *fixture) plan(name string, change func(*api.MigPlan)) {
	g.Helper()
	p := &api.MigPlan{ObjectMeta: g.meta(name)}
	p.Spec.SourceRef, p.Spec.DestinationRef = mtc.Ref{Name: "source"}, mtc.Ref{Name: "destination"}
	p.Spec.Namespaces = []string{withoutImages}
	if change != nil {
		change(p)
	}
	g.create(p)
}

// migrate creates a migration of the plan of the same name.
func (g *fixture) migrate(name string, spec mtc.MigrationSpec) {
	g.Helper()
	g.migrateLabelled(name, spec, nil)
}

func (g *fixture) migrateLabelled(name string, spec mtc.MigrationSpec, labels map[string]string) {
	g.Helper()
	spec.PlanRef = mtc.Ref{Name: name}
	meta := g.meta(name)
	meta.Labels = labels
	g.create(g.make(meta, spec))
}

// edit changes a migration's spec or annotations like a user.
func (g *fixture) edit(name, mergePatch string) {
	g.Helper()
	o := g.make(g.meta(name), mtc.MigrationSpec{})
	require.NoError(g, g.client.Patch(g.ctx, o, client.RawPatch(client.Merge.Type(), []byte(mergePatch))))
}

// options returns the options of a manager for the fixture's namespace.
func (g *fixture) options() ctrl.Options {
	return ctrl.Options{
		Scheme:                 example.Scheme(),
		Cache:                  cache.Options{DefaultNamespaces: map[string]cache.Config{g.namespace: {}}},
		Metrics:                server.Options{BindAddress: "0"},
		HealthProbeBindAddress: "0",
		// Several controllers of one name run in this process.
		Controller: config.Controller{SkipNameValidation: ptr.To(true)},
	}
}

// run runs a controller until the test ends or stop is called.
func (g *fixture) run(p example.Parts) (stop func()) {
	g.Helper()
	return g.runAs(g.Config, g.options(), p, example.Settings{Name: "example", Concurrency: 4})
}

func (g *fixture) runAs(access *rest.Config, o ctrl.Options, p example.Parts, s example.Settings) (stop func()) {
	g.Helper()
	if p.ImageStreams == nil {
		c, err := client.New(access, client.Options{Scheme: example.Scheme()})
		require.NoError(g, err)
		p.ImageStreams = example.ImageStreams(c)
	}
	p.Around = g.calls.around(p.Around)
	mgr, err := manager.New(access, o)
	require.NoError(g, err)
	s.Recorder = example.Events(mgr)
	require.NoError(g, g.setup(mgr, p, s))
	ctx, cancel := context.WithCancel(g.ctx)
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			g.Errorf("manager: %v", err)
		}
	}
	g.Cleanup(stop)
	return stop
}

// done waits until a migration is done.
func (g *fixture) done(name string) record.Version {
	g.Helper()
	return g.until(name, func(v record.Version) bool { return v.State.Done })
}

// until waits for a version of a migration. A run can be slow on a busy
// machine, and a controller takes new objects before those that it found at
// its start. So until waits while any migration of the fixture enters phases,
// at most 10 timeouts. It fails the test if none enters a phase within the
// timeout.
func (g *fixture) until(name string, is func(record.Version) bool) record.Version {
	g.Helper()
	whole, end := context.WithTimeout(g.ctx, 10*timeout) // a run in a loop enters phases forever
	defer end()
	ctx, cancel := context.WithCancelCause(whole)
	defer cancel(nil)
	begun := time.Now()
	go func() {
		for {
			last := g.recorder.Entered()
			if last.Before(begun) {
				last = begun
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Until(last.Add(timeout))):
			}
			if !g.recorder.Entered().After(last) {
				cancel(fmt.Errorf("no migration entered a phase within %v", timeout))
				return
			}
		}
	}()
	v, err := g.recorder.Until(ctx, name, is)
	require.NoError(g, err)
	return v
}

// in reports whether a migration is in a phase.
func in(phase string) func(record.Version) bool {
	return func(v record.Version) bool { return v.State.Phase == phase }
}

// expected returns the phases whose handlers a run calls. They follow from the
// flags at its start, and from the changes that phases make.
func expected(t *testing.T, itinerary string, flags phases.Flags, after map[string]func(phases.Flags) phases.Flags) (run []string) {
	t.Helper()
	graph, err := itineraries.Graph(itinerary)
	require.NoError(t, err)
	facts := func() phases.Facts { return phases.NewFacts(flags, mtc.Vocabulary().All()&^flags) }
	m, err := graph.NewMachine(machine.Position{}, facts())
	require.NoError(t, err)
	for {
		tr, err := m.Advance(context.Background())
		require.NoError(t, err)
		if tr.To.Done {
			return run
		}
		run = append(run, tr.To.Phase)
		switch change := after[tr.To.Phase]; {
		case change != nil:
			flags = change(flags)
		case tr.To.Phase == "EnsureStagePodsFromRunning":
			flags |= mtc.HasStagePods
		case tr.To.Phase == "EnsureStagePodsTerminated":
			flags &^= mtc.HasStagePods
		}
		m.SetFacts(facts())
	}
}

// stepsOf returns the steps of a run that calls the handlers of these phases,
// in order: without phases that ride, and with the step of the end phase.
func stepsOf(t *testing.T, itinerary string, run []string) (names []string) {
	t.Helper()
	graph, err := itineraries.Graph(itinerary)
	require.NoError(t, err)
	for _, phase := range append(slices.Clone(run), mtc.PhaseCompleted) {
		i, err := graph.Lookup(phase)
		require.NoError(t, err)
		if name := graph.Phase(i).Step; !graph.Rides(i) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// names returns the names of the steps of a version.
func names(v record.Version) (all []string) {
	for _, s := range v.State.Pipeline {
		all = append(all, s.Name)
	}
	return all
}
