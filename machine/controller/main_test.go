package controller_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// The API server of these tests is controller-runtime's fake client, which keeps
// objects in memory and checks resource versions. A test can step in between two
// requests, to cause an error or a conflict at a certain moment. The fake client has no
// schemas, no watches and no cache. tests/e2e runs the same reconciler against a real
// API server.

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Move is the custom resource of these tests: one type for all storages of the state.
type Move struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   MoveSpec   `json:"spec,omitempty"`
	Status MoveStatus `json:"status,omitempty"`
}

type MoveSpec struct {
	Canceled bool   `json:"canceled,omitempty"`
	Paused   bool   `json:"paused,omitempty"`
	Size     string `json:"size,omitempty"`
}

type MoveStatus struct {
	State      *runner.State      `json:"state,omitempty"`
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	Own        []condition        `json:"own,omitempty"`
	Note       string             `json:"note,omitempty"`

	Itinerary string         `json:"itinerary,omitempty"`
	Phase     string         `json:"phase,omitempty"`
	Pipeline  steps.Pipeline `json:"pipeline,omitempty"`
}

func (m *Move) DeepCopyObject() runtime.Object {
	out := *m
	m.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Status.State = m.Status.State.DeepCopy()
	out.Status.Conditions = slices.Clone(m.Status.Conditions)
	out.Status.Own = slices.Clone(m.Status.Own)
	out.Status.Pipeline = m.Status.Pipeline.DeepCopy()
	return &out
}

const volumes phases.Flags = 1

var vocabulary = phases.MustVocabulary([]phases.FlagDef{{Flag: volumes, Name: "Volumes"}})

var itineraries = machine.MustCompileSet(
	phases.Itinerary{Name: "Move", Vocabulary: vocabulary, Phases: []phases.Phase{
		{Name: "Refresh", Step: "Prepare", Decides: volumes},
		{Name: "Copy", Step: "Data", Guard: phases.Guard{All: volumes}, Description: "Copying"},
		{Name: "Attach", Step: "Restore"},
	}},
	phases.Itinerary{Name: "CleanUp", Vocabulary: vocabulary, Cleanup: true, Result: phases.Canceled, Phases: []phases.Phase{
		{Name: "Report", Step: "Report"},
	}},
)

const (
	subresource = true
	plain       = false
)

// world is everything around a reconciler: an API server, a clock, the work of
// handlers, and what has happened.
type world struct {
	t        testing.TB
	now      time.Time
	handlers map[string]func(context.Context, *Move) (runner.Result, error)
	flagErr  error
	volumes  bool

	// before and after are called around each patch, with its number from 1.
	before func(n int) error
	after  func(n int)
	// failing is an error of each write, for tests whose before returns it.
	failing error

	called   []string
	asked    int
	writes   int
	events   []string
	scheme   *runtime.Scheme
	server   client.WithWatch // not intercepted
	registry *prometheus.Registry
	options  controller.Options[*Move]
	made     *controller.Reconciler[*Move]
}

var request = reconcile.Request{NamespacedName: client.ObjectKey{Namespace: "apps", Name: "shop"}}

func newWorld(t testing.TB, statusSubresource bool) *world {
	w := &world{
		t: t, now: time.Unix(1_600_000_000, 0), volumes: true, registry: prometheus.NewRegistry(), scheme: runtime.NewScheme(),
		handlers: map[string]func(context.Context, *Move) (runner.Result, error){},
	}
	group := schema.GroupVersion{Group: "example.com", Version: "v1"}
	w.scheme.AddKnownTypes(group, &Move{})
	metav1.AddToGroupVersion(w.scheme, group)
	build := fake.NewClientBuilder().WithScheme(w.scheme).WithObjects(&Move{
		ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: "shop", UID: "1", Generation: 1}, Spec: MoveSpec{Size: "small"},
	})
	if statusSubresource {
		build = build.WithStatusSubresource(&Move{})
	}
	w.server = build.Build()

	patch := func(write func() error) error {
		w.writes++
		n := w.writes
		if w.before != nil {
			if err := w.before(n); err != nil {
				return err
			}
		}
		err := write()
		if w.after != nil {
			w.after(n)
		}
		return err
	}
	w.options = controller.Options[*Move]{
		Client: interceptor.NewClient(w.server, interceptor.Funcs{
			Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
				return patch(func() error { return c.Patch(ctx, o, p, opts...) })
			},
			SubResourcePatch: func(ctx context.Context, c client.Client, _ string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
				return patch(func() error { return c.Status().Patch(ctx, o, p, opts...) })
			},
		}),
		New:               func() *Move { return &Move{} },
		StatusSubresource: statusSubresource,
		Conditions:        controller.NewConditions(func(m *Move) *[]metav1.Condition { return &m.Status.Conditions }),
		Metrics:           w.registry,
		Recorder: controller.RecorderFunc(func(o runtime.Object, kind, reason, message string) {
			w.events = append(w.events, fmt.Sprintf("%s %s: %s", kind, reason, message))
		}),
		Runner: runner.Options[*Move]{
			Itineraries: itineraries,
			Storage:     inStatus,
			Select: func(_ context.Context, m *Move) (string, error) {
				if m.Spec.Canceled || slices.ContainsFunc(m.Status.Conditions, func(c metav1.Condition) bool {
					return c.Type == controller.ConditionFailed && c.Status == metav1.ConditionTrue
				}) {
					return "CleanUp", nil
				}
				return "Move", nil
			},
			Sources: func(context.Context, *Move) (*phases.Sources, error) {
				return phases.NewSources(vocabulary, phases.Source{Flag: volumes, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
					w.asked++
					return phases.TruthOf(w.volumes), w.flagErr
				}})
			},
			Paused: func(_ context.Context, m *Move) (bool, error) { return m.Spec.Paused, nil },
			Now:    func() time.Time { return w.now },
			Phases: map[string]runner.Phase[*Move]{},
		},
	}
	for _, name := range []string{"Refresh", "Copy", "Attach", "Report"} {
		w.options.Runner.Phases[name] = runner.Phase[*Move]{Handler: runner.HandlerFunc[*Move](
			func(ctx context.Context, m *Move) (runner.Result, error) {
				w.called = append(w.called, name)
				if h := w.handlers[name]; h != nil {
					return h(ctx, m)
				}
				return runner.Done(), nil
			})}
	}
	return w
}

var inStatus = runner.NewStatusStorage(func(m *Move) *runner.State {
	if m.Status.State == nil {
		m.Status.State = &runner.State{}
	}
	return m.Status.State
})

const annotation = "example.com/state"

var inAnnotation = runner.NewAnnotationStorage(annotation, runner.Fields[*Move]{
	Pipeline:  func(m *Move) *steps.Pipeline { return &m.Status.Pipeline },
	Itinerary: func(m *Move) *string { return &m.Status.Itinerary },
	Phase:     func(m *Move) *string { return &m.Status.Phase },
})

// reconcile reconciles once, a second later.
func (w *world) reconcile() (reconcile.Result, error) {
	w.t.Helper()
	w.now = w.now.Add(time.Second)
	if w.made == nil {
		w.restart()
	}
	return w.made.Reconcile(context.Background(), request)
}

// sleep lets the next reconcile be when the last one asked for it, but at least a
// second later.
func (w *world) sleep(result reconcile.Result) {
	w.now = w.now.Add(max(result.RequeueAfter-time.Second, 0))
}

// restart makes a reconciler that remembers nothing.
func (w *world) restart() {
	w.t.Helper()
	var err error
	w.made, err = controller.New(w.options)
	require.NoError(w.t, err)
}

// end reconciles until nothing remains to be done, and returns the number of
// reconciles.
func (w *world) end() int {
	w.t.Helper()
	for n := 1; n < 100; n++ {
		result, err := w.reconcile()
		require.NoError(w.t, err)
		if result.RequeueAfter == 0 {
			return n
		}
		w.sleep(result)
	}
	w.t.Fatal("it does not come to an end")
	return 0
}

func (w *world) get() *Move {
	w.t.Helper()
	m := &Move{}
	require.NoError(w.t, w.server.Get(context.Background(), request.NamespacedName, m))
	return m
}

// edit changes the object as another client does.
func (w *world) edit(change func(m *Move)) {
	w.t.Helper()
	m := w.get()
	change(m)
	status := *m.DeepCopyObject().(*Move)
	require.NoError(w.t, w.server.Update(context.Background(), m))
	if w.options.StatusSubresource {
		status.ResourceVersion = m.ResourceVersion
		require.NoError(w.t, w.server.Status().Update(context.Background(), &status))
	}
}

// conditions returns the conditions of the object, each as "Type=Status/Reason".
func (w *world) conditions() string {
	w.t.Helper()
	var all []string
	for _, c := range w.get().Status.Conditions {
		all = append(all, fmt.Sprintf("%s=%s/%s", c.Type, c.Status, c.Reason))
	}
	return strings.Join(all, " ")
}

// message returns the message of a condition of the object; empty if there is none.
func (w *world) message(kind string) string {
	w.t.Helper()
	if c := meta.FindStatusCondition(w.get().Status.Conditions, kind); c != nil {
		return c.Message
	}
	return ""
}

// count returns the sum of a metric over all its labels.
func (w *world) count(name string) (sum float64) {
	w.t.Helper()
	families, err := w.registry.Gather()
	require.NoError(w.t, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "dynamic_pipeline_"+name {
				sum += m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum
}

var errDown = errors.New("connection refused")
