package controllertest_test

import (
	"context"
	"flag"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/controller/controllertest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// only plays one life of a sweep, as a failure names it.
var only = flag.String("only", "", `one life of a sweep, such as "7 crash-after"`)

// Backup is the custom resource of these tests, for all storages of a state.
type Backup struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   BackupSpec   `json:"spec,omitempty"`
	Status BackupStatus `json:"status,omitempty"`
}

type BackupSpec struct {
	Volumes []string `json:"volumes,omitempty"`
	// Broken lets the upload fail.
	Broken bool `json:"broken,omitempty"`
}

type BackupStatus struct {
	State      *runner.State      `json:"state,omitempty"`
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	Itinerary string         `json:"itinerary,omitempty"`
	Phase     string         `json:"phase,omitempty"`
	Pipeline  steps.Pipeline `json:"pipeline,omitempty"`

	Volumes []*Volume `json:"volumes,omitempty"`
}

// Volume is an item of a backup that has a run for each of them.
type Volume struct {
	Name  string       `json:"name"`
	State runner.State `json:"state"`
}

func (b *Backup) DeepCopyObject() runtime.Object {
	out := *b
	b.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Spec.Volumes = slices.Clone(b.Spec.Volumes)
	out.Status.State = b.Status.State.DeepCopy()
	out.Status.Conditions = slices.Clone(b.Status.Conditions)
	out.Status.Pipeline = b.Status.Pipeline.DeepCopy()
	out.Status.Volumes = nil
	for _, v := range b.Status.Volumes {
		out.Status.Volumes = append(out.Status.Volumes, &Volume{Name: v.Name, State: *v.State.DeepCopy()})
	}
	return &out
}

const hasVolumes phases.Flags = 1

var vocabulary = phases.MustVocabulary([]phases.FlagDef{{Flag: hasVolumes, Name: "HasVolumes"}})

var itineraries = machine.MustCompileSet(
	phases.Itinerary{Name: "Backup", Vocabulary: vocabulary, Phases: []phases.Phase{
		{Name: "Prepare", Step: "Prepare", Decides: hasVolumes},
		{Name: "Snapshot", Step: "Volumes", Guard: phases.Guard{All: hasVolumes}},
		{Name: "Verify", Step: "Volumes", Guard: phases.Guard{All: hasVolumes}, Jumps: []phases.Jump{{To: "Report", Choice: true}}},
		{Name: "Upload", Step: "Upload"},
		{Name: "Report", Step: "Report"},
	}},
	phases.Itinerary{Name: "CleanUp", Vocabulary: vocabulary, Cleanup: true, Result: phases.Canceled, Phases: []phases.Phase{
		{Name: "DeleteSnapshots", Step: "CleanUp", Guard: phases.Guard{All: hasVolumes}},
		{Name: "Inform", Step: "CleanUp"},
	}},
)

var group = schema.GroupVersion{Group: "example.com", Version: "v1"}

var scheme = newScheme()

func newScheme() *runtime.Scheme {
	s := runtime.NewScheme()
	s.AddKnownTypes(group, &Backup{})
	metav1.AddToGroupVersion(s, group)
	if err := corev1.AddToScheme(s); err != nil {
		panic(err) // it is the same each time
	}
	return s
}

// begin makes a server with a backup.
func begin(subresource bool, spec BackupSpec) func() (client.WithWatch, *Backup, error) {
	return func() (client.WithWatch, *Backup, error) {
		b := &Backup{ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: "shop", UID: "1"}, Spec: spec}
		build := fake.NewClientBuilder().WithScheme(scheme).WithObjects(b)
		if subresource {
			build = build.WithStatusSubresource(&Backup{})
		}
		return build.Build(), b, nil
	}
}

// snapshots does the work of the phases of a backup. Snapshots are config maps that an
// agent completes.
type snapshots struct{ client.Client }

func (s snapshots) handle(ctx context.Context, b *Backup, item, phase string) (runner.Result, error) {
	o := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: b.Namespace, Name: b.Name + "-snapshot" + item}}
	switch phase {
	case "Snapshot":
		if err := s.Create(ctx, o); client.IgnoreAlreadyExists(err) != nil {
			return runner.Result{}, err
		}
		if err := s.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return runner.Result{}, err
		}
		if o.Data["ready"] == "" {
			return runner.Wait(10*time.Second, "the snapshot is being made"), nil
		}
	case "Verify":
		if len(b.Spec.Volumes) > 1 { // nothing is uploaded then
			return runner.Done(runner.Choose("Report")), nil
		}
	case "Upload":
		if b.Spec.Broken {
			return runner.Fail("no space left"), nil
		}
	case "DeleteSnapshots":
		return runner.Done(), client.IgnoreNotFound(s.Delete(ctx, o))
	}
	return runner.Done(), nil
}

// completeSnapshots is the agent.
func completeSnapshots(server client.WithWatch, _ time.Time) error {
	var all corev1.ConfigMapList
	if err := server.List(context.Background(), &all); err != nil {
		return err
	}
	for i := range all.Items {
		if o := &all.Items[i]; o.Data == nil {
			o.Data = map[string]string{"ready": "yes"}
			if err := server.Update(context.Background(), o); err != nil {
				return err
			}
		}
	}
	return nil
}

// snapshotNames returns what remains of the work at the end.
func snapshotNames(server client.WithWatch) (any, error) {
	var all corev1.ConfigMapList
	err := server.List(context.Background(), &all)
	names := []string{}
	for _, o := range all.Items {
		names = append(names, o.Name)
	}
	return names, err
}

// options returns the options of the run of a backup, or of an item of one.
func options[T any](storage runner.Storage[T], of func(T) *Backup, failed func(T) bool, handle runner.VisitFunc[T]) runner.Options[T] {
	return runner.Options[T]{
		Itineraries: itineraries, Storage: storage, Handler: handle,
		Select: func(_ context.Context, o T) (string, error) {
			if failed(o) {
				return "CleanUp", nil
			}
			return "Backup", nil
		},
		Sources: func(_ context.Context, o T) (*phases.Sources, error) {
			return phases.NewSources(vocabulary, phases.SourceOf(hasVolumes, phases.TruthOf(len(of(o).Spec.Volumes) > 0)))
		},
	}
}

var (
	inStatus = runner.NewStatusStorage(func(b *Backup) *runner.State {
		if b.Status.State == nil {
			b.Status.State = &runner.State{}
		}
		return b.Status.State
	})
	inAnnotation = runner.NewAnnotationStorage("example.com/state", runner.Fields[*Backup]{
		Pipeline:  func(b *Backup) *steps.Pipeline { return &b.Status.Pipeline },
		Itinerary: func(b *Backup) *string { return &b.Status.Itinerary },
		Phase:     func(b *Backup) *string { return &b.Status.Phase },
	})
)

func conditionsOf(b *Backup) *[]metav1.Condition { return &b.Status.Conditions }

// runnerOptions returns the options of a backup with one run.
func runnerOptions(c client.Client, storage runner.Storage[*Backup]) runner.Options[*Backup] {
	failed := func(b *Backup) bool {
		s, err := storage.Read(context.Background(), b)
		return err == nil && s.FailedPhases > 0
	}
	return options(storage, func(b *Backup) *Backup { return b }, failed,
		func(ctx context.Context, b *Backup, v runner.Visit) (runner.Result, error) {
			return snapshots{c}.handle(ctx, b, "", v.Phase)
		})
}

// one returns a sweep over a backup with one run.
func one(subresource bool, storage runner.Storage[*Backup], spec BackupSpec) controllertest.Setup[*Backup] {
	return controllertest.Setup[*Backup]{
		Begin:       begin(subresource, spec),
		Itineraries: itineraries,
		States:      controllertest.InObject(storage),
		Conditions:  func(b *Backup) []metav1.Condition { return b.Status.Conditions },
		Elapse:      completeSnapshots,
		Outside:     snapshotNames,
		New: func(env controllertest.Env) (reconcile.Reconciler, error) {
			return controller.New(controller.Options[*Backup]{
				Client: env.Client, Reader: env.Reader, New: func() *Backup { return &Backup{} }, StatusSubresource: subresource,
				Conditions: controller.NewConditions(conditionsOf),
				Runner:     controllertest.Bind(env, runnerOptions(env.Client, storage)),
			})
		},
	}
}

// item is a volume of a backup.
type item = controller.Item[*Backup, Volume]

func volumesOf(b *Backup) []*Volume {
	if b.Status.Volumes == nil {
		for _, name := range b.Spec.Volumes {
			b.Status.Volumes = append(b.Status.Volumes, &Volume{Name: name})
		}
	}
	return b.Status.Volumes
}

// list returns a sweep over a backup with a run for each volume, at most two at a time.
func list(spec BackupSpec) controllertest.Setup[*Backup] {
	s := one(true, inStatus, spec)
	of := func(env controllertest.Env) controller.ListOptions[*Backup, Volume] {
		work := snapshots{env.Client}
		return controller.ListOptions[*Backup, Volume]{
			Items: volumesOf, Key: func(v *Volume) string { return v.Name }, MaxAtWork: 2,
			Runner: controllertest.Bind(env, options(runner.NewStatusStorage(func(i item) *runner.State { return &i.Item.State }),
				func(i item) *Backup { return i.Object }, func(i item) bool { return i.Item.State.FailedPhases > 0 },
				func(ctx context.Context, i item, v runner.Visit) (runner.Result, error) {
					return work.handle(ctx, i.Object, "-"+i.Key(), v.Phase)
				})),
		}
	}
	s.States = controllertest.InItems(of(controllertest.Env{}))
	s.New = func(env controllertest.Env) (reconcile.Reconciler, error) {
		return controller.New(controller.Options[*Backup]{
			Client: env.Client, Reader: env.Reader, New: func() *Backup { return &Backup{} }, StatusSubresource: true,
			Conditions: controller.NewConditions(conditionsOf), List: controller.NewList(of(env)),
		})
	}
	return s
}
