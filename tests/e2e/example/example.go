package example

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example/api"
)

// Migration is one of the two custom resources.
type Migration interface {
	client.Object
	// State and SetState read and write the runner's state on the object.
	State() (runner.State, error)
	SetState(s runner.State) error
	// MTC returns the object in the form from which flags and itineraries are
	// derived.
	MTC() *mtc.Migration
	SetCondition(kind string, on bool)
	AddErrors(reasons ...string)
}

var (
	_ Migration = (*api.MigMigration)(nil)
	_ Migration = (*api.Migration)(nil)
)

// PausedAnnotation pauses a migration while its value is "true".
const PausedAnnotation = "pipeline.konveyor.io/paused"

// Parts configures the example's runner. Only the clients and ImageStreams are
// required.
type Parts struct {
	// Client writes, and may read from a cache.
	Client client.Client
	// Live reads the objects that decisions depend on. It must not use a
	// cache.
	Live client.Reader
	// ImageStreams queries the source cluster.
	ImageStreams mtc.ImageStreams

	// Itineraries and Sources are MTC's or those of a later release. If nil,
	// they are MTC's.
	Itineraries []phases.Itinerary
	Sources     func(mtc.Objects) (*phases.Sources, error)
	// Select is the selector. If nil, it is MTC's.
	Select func(*mtc.Migration) string
	// If not nil, Around is called in place of each phase.
	Around Around
	// MaxPhases is the maximum number of phases that are left in one
	// reconcile.
	MaxPhases int
	// Deadlines holds deadlines of phases by name.
	Deadlines map[string]time.Duration
	// If not nil, Observe receives each event.
	Observe func(m Migration, e runner.Event)
}

// Around is called in place of a phase, and may call the phase.
type Around func(ctx context.Context, m Migration, at At, phase func() (runner.Result, error)) (runner.Result, error)

// At is a phase of an itinerary.
type At struct {
	Itinerary string `json:"itinerary"`
	Phase     string `json:"phase"`
}

// environment holds the clients of phases.
type environment struct {
	client client.Client
	live   client.Reader
}

func (e *environment) plan(ctx context.Context, m Migration) (*api.MigPlan, error) {
	var plan api.MigPlan
	return &plan, e.live.Get(ctx, key(m, m.MTC().Spec.PlanRef), &plan)
}

// key returns the key of a reference. If the reference has no namespace, key
// uses the migration's.
func key(m Migration, ref mtc.Ref) client.ObjectKey {
	k := client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}
	if k.Namespace == "" {
		k.Namespace = m.GetNamespace()
	}
	return k
}

// Options returns the options of the example's runner. The error is that of
// compiling the itineraries.
func Options[T Migration](p Parts) (runner.Options[T], error) {
	itineraries := p.Itineraries
	if itineraries == nil {
		itineraries = mtc.Itineraries()
	}
	if p.Sources == nil {
		p.Sources = func(o mtc.Objects) (*phases.Sources, error) { return mtc.Sources(o) }
	}
	if p.Select == nil {
		p.Select = mtc.Select
	}
	set, err := machine.CompileSet(itineraries...)
	if err != nil {
		return runner.Options[T]{}, err
	}
	e := &environment{client: p.Client, live: p.Live}
	o := runner.Options[T]{
		Itineraries: set,
		Select:      func(_ context.Context, m T) (string, error) { return p.Select(m.MTC()), nil },
		Sources: func(ctx context.Context, m T) (*phases.Sources, error) {
			return p.sources(ctx, e, m)
		},
		Storage: runner.Storage[T]{
			Read:  func(_ context.Context, m T) (runner.State, error) { return m.State() },
			Write: func(_ context.Context, m T, s runner.State) error { return m.SetState(s) },
		},
		OnFail:            func(_ context.Context, m T, f runner.Failure) error { m.AddErrors(f.Reasons...); return nil },
		Failed:            func(_ context.Context, m T) (bool, error) { return mtc.Select(m.MTC()) == mtc.Failed, nil },
		Paused:            func(_ context.Context, m T) (bool, error) { return m.GetAnnotations()[PausedAnnotation] == "true", nil },
		PhasesByItinerary: map[string]map[string]runner.Phase[T]{},

		MaxPhases: p.MaxPhases,
	}
	for _, it := range itineraries {
		o.PhasesByItinerary[it.Name] = map[string]runner.Phase[T]{}
		for _, phase := range it.Phases {
			if phase.End {
				continue
			}
			at := At{it.Name, phase.Name}
			o.PhasesByItinerary[it.Name][phase.Name] = runner.Phase[T]{
				Handler: phaseHandler[T](p, e, at), Deadline: p.Deadlines[phase.Name],
			}
		}
	}
	if p.Observe != nil {
		o.Observers = append(o.Observers, runner.ObserverFunc[T](func(_ context.Context, m T, e runner.Event) { p.Observe(m, e) }))
	}
	return o, nil
}

// phaseHandler returns the handler of a phase. A phase that a later release
// adds does nothing.
func phaseHandler[T Migration](p Parts, e *environment, at At) runner.Handler[T] {
	w := works[at.Phase]
	if w == nil {
		w = nothing
	}
	return runner.HandlerFunc[T](func(ctx context.Context, m T) (runner.Result, error) {
		if p.Around == nil {
			return w(ctx, e, m)
		}
		return p.Around(ctx, m, at, func() (runner.Result, error) { return w(ctx, e, m) })
	})
}

// sources reads the objects from which flags are derived. The runner calls it
// only if a flag must be evaluated.
func (p Parts) sources(ctx context.Context, e *environment, m Migration) (*phases.Sources, error) {
	o := mtc.Objects{Migration: m.MTC(), ImageStreams: p.ImageStreams}
	plan, err := e.plan(ctx, m)
	if apierrors.IsNotFound(err) {
		return p.Sources(o)
	}
	if err != nil {
		return nil, err
	}
	o.Plan = &mtc.Plan{Metadata: mtc.Ref{Name: plan.Name, Namespace: plan.Namespace}, Spec: plan.Spec.PlanSpec, Status: plan.Status}
	if o.Source, err = e.cluster(ctx, m, plan.Spec.SourceRef); err != nil {
		return nil, err
	}
	if o.Destination, err = e.cluster(ctx, m, plan.Spec.DestinationRef); err != nil {
		return nil, err
	}
	return p.Sources(o)
}

// cluster returns nil if the cluster does not exist: flags that need it are
// then unknown.
func (e *environment) cluster(ctx context.Context, m Migration, ref mtc.Ref) (*mtc.Cluster, error) {
	var cluster api.MigCluster
	err := e.live.Get(ctx, key(m, ref), &cluster)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &mtc.Cluster{Metadata: mtc.Ref{Name: cluster.Name, Namespace: cluster.Namespace}, Spec: cluster.Spec}, nil
}

// ImageStreams looks for image streams through the API of the source cluster.
// It lists one object per namespace.
func ImageStreams(source client.Reader) mtc.ImageStreams {
	return mtc.ImageStreamsFunc(func(ctx context.Context, namespaces []string) (bool, error) {
		for _, namespace := range namespaces {
			var list metav1.PartialObjectMetadataList
			list.SetGroupVersionKind(api.Images.WithKind("ImageStreamList"))
			if err := source.List(ctx, &list, client.InNamespace(namespace), client.Limit(1)); err != nil {
				return false, fmt.Errorf("list image streams of namespace %s on the source cluster: %w", namespace, err)
			}
			if len(list.Items) > 0 {
				return true, nil
			}
		}
		return false, nil
	})
}
