package controller_test

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/manager/signals"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

const HasVolumes phases.Flags = 1

var flags = phases.MustVocabulary([]phases.FlagDef{{Flag: HasVolumes, Name: "HasVolumes"}})

var backup = machine.MustCompileSet(
	phases.Itinerary{Name: "Backup", Vocabulary: flags, Phases: []phases.Phase{
		{Name: "Validate", Step: "Prepare"},
		{Name: "Snapshot", Step: "Volumes", Guard: phases.Guard{All: HasVolumes}, Description: "Taking snapshots"},
		{Name: "Upload", Step: "Upload"},
	}},
	phases.Itinerary{Name: "CleanUp", Vocabulary: flags, Cleanup: true, Result: phases.Canceled, Phases: []phases.Phase{
		{Name: "DeleteSnapshots", Step: "CleanUp", Guard: phases.Guard{All: HasVolumes}},
		{Name: "Report", Step: "CleanUp"},
	}},
)

// Snapshot starts a job if there is none, and waits until it is done.
func Snapshot(ctx context.Context, b *Backup) (runner.Result, error) {
	return runner.Wait(10*time.Second, "1 of 2 volumes"), nil
}

// AddToManager is an embedder's whole controller.
func AddToManager(mgr manager.Manager) error {
	r, err := controller.New(controller.Options[*Backup]{
		Client:            mgr.GetClient(),
		Reader:            mgr.GetAPIReader(),
		New:               func() *Backup { return &Backup{} },
		StatusSubresource: true,
		Conditions:        controller.NewConditions(func(b *Backup) *[]metav1.Condition { return &b.Status.Conditions }),
		Recorder:          mgr.GetEventRecorderFor("backup"),
		Metrics:           metrics.Registry,
		Runner: runner.Options[*Backup]{
			Itineraries: backup,
			Storage:     runner.NewStatusStorage(func(b *Backup) *runner.State { return &b.Status.State }),
			Select: func(_ context.Context, b *Backup) (string, error) {
				if b.Spec.Canceled || meta.IsStatusConditionTrue(b.Status.Conditions, controller.ConditionFailed) {
					return "CleanUp", nil
				}
				return "Backup", nil
			},
			Sources: func(_ context.Context, b *Backup) (*phases.Sources, error) {
				return phases.NewSources(flags, phases.Source{Flag: HasVolumes,
					Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
						return phases.TruthOf(len(b.Spec.Volumes) > 0), nil
					}})
			},
			Paused: func(_ context.Context, b *Backup) (bool, error) { return b.Spec.Paused, nil },
			Phases: map[string]runner.Phase[*Backup]{
				"Snapshot": {Handler: runner.HandlerFunc[*Backup](Snapshot), Deadline: time.Hour},
			},
			PassThrough: true, // phases without a handler, for the example's sake
		},
	})
	if err != nil {
		return err
	}
	return r.SetupWithManager(mgr, func(b *builder.Builder) { b.Owns(&batchv1.Job{}) })
}

func Example() {
	mgr, err := manager.New(config.GetConfigOrDie(), manager.Options{})
	if err == nil {
		err = AddToManager(mgr)
	}
	if err == nil {
		err = mgr.Start(signals.SetupSignalHandler())
	}
	fmt.Println(err)
}
