package debug_test

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/debug"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Backup is a custom resource.
type Backup struct {
	metav1.ObjectMeta
	Status runner.State
}

func Example() {
	vocabulary := phases.MustVocabulary(nil)
	itineraries := machine.MustCompileSet(phases.Itinerary{Name: "Backup", Vocabulary: vocabulary, Phases: []phases.Phase{
		{Name: "Snapshot", Step: "Volumes"}, {Name: "Upload", Step: "Upload"},
	}})
	recorder, err := debug.NewRecorder(debug.Options{Itineraries: itineraries})
	if err != nil {
		panic(err)
	}
	observer, err := debug.NewObserver[*Backup](recorder, nil)
	if err != nil {
		panic(err)
	}
	r, err := runner.New(runner.Options[*Backup]{
		Itineraries: itineraries,
		Storage:     runner.NewStatusStorage(func(b *Backup) *runner.State { return &b.Status }),
		Sources:     func(context.Context, *Backup) (*phases.Sources, error) { return phases.NewSources(vocabulary) },
		Select:      func(context.Context, *Backup) (string, error) { return "Backup", nil },
		Phases: map[string]runner.Phase[*Backup]{
			"Upload": {Handler: runner.HandlerFunc[*Backup](func(context.Context, *Backup) (runner.Result, error) {
				return runner.Wait(0, "1 of 2 GiB"), nil
			})},
		},
		PassThrough: true,
		Observers:   []runner.Observer[*Backup]{observer},
	})
	if err != nil {
		panic(err)
	}
	b := &Backup{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "nightly", UID: "1"}}
	for range 5 {
		if _, err := r.Reconcile(context.Background(), b); err != nil {
			panic(err)
		}
	}

	runs, _ := recorder.Runs()
	for _, run := range runs {
		state := run.Last().State
		fmt.Printf("%s is in phase %s of %s\n", run.Name, state.Phase, state.Itinerary)
		for _, step := range state.Pipeline {
			fmt.Printf("- %s: %s\n", step.Name, step.Message)
		}
		run, _ := recorder.Lookup(run.Name)
		for _, e := range run.Events {
			fmt.Printf("%s (%d)\n", e.Text, e.Count)
		}
	}
	// Output:
	// shop/nightly is in phase Upload of Backup
	// - Volumes: Completed
	// - Upload: 1 of 2 GiB
	// itinerary Backup begins (1)
	// phase Snapshot is entered, in step Volumes (1)
	// phase Snapshot is done, after 0 s (1)
	// phase Upload is entered, in step Upload (1)
	// phase Upload waits: 1 of 2 GiB (3)
}
