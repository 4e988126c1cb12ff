package mtc_test

import (
	"context"
	"fmt"

	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// The slow question is put to the source cluster only if the plan depends
// on it. Here images are copied directly, so that nothing does.
func ExampleSources() {
	sources := mtc.Sources(mtc.Objects{
		Migration: &mtc.Migration{Spec: mtc.MigrationSpec{QuiescePods: true}},
		Plan: &mtc.Plan{Spec: mtc.PlanSpec{
			Namespaces: []string{"shop"},
			Volumes:    []mtc.Volume{{Name: "orders", Selection: mtc.Selection{Action: "copy", CopyMethod: "filesystem"}}},
		}},
		Source:      &mtc.Cluster{Spec: mtc.ClusterSpec{URL: "https://api.source.example.com:6443"}},
		Destination: &mtc.Cluster{},
		ImageStreams: mtc.ImageStreamsFunc(func(_ context.Context, namespaces []string) (bool, error) {
			fmt.Println("looking for image streams in", namespaces)
			return true, nil
		}),
	})

	registries := phases.Guard{All: mtc.HasISs | mtc.IndirectImage | mtc.EnableImage}
	evaluation := sources.Evaluate(context.Background(), phases.Request{
		Read: mtc.Quiesce | mtc.DirectVolume | registries.Reads(),
		Matters: func(known phases.Facts) phases.Flags {
			if registries.Eval(known) != phases.Unknown {
				return 0
			}
			return registries.Reads() &^ known.Known()
		},
	})
	fmt.Println("true:", mtc.Vocabulary().Names(evaluation.Facts.True()))
	fmt.Println("false:", mtc.Vocabulary().Names(evaluation.Facts.False()))
	fmt.Println("registries:", registries.Eval(evaluation.Facts))
	// Output:
	// true: [Quiesce DirectVolume EnableImage]
	// false: [IndirectImage IndirectVolume]
	// registries: no
}

func ExampleSelect() {
	m, err := mtc.Decode[mtc.Migration]([]byte(`{
		"kind": "MigMigration",
		"metadata": {"name": "nightly", "namespace": "openshift-migration"},
		"spec": {"stage": true},
		"status": {"itinerary": "Stage", "phase": "EnsureStageBackup"}
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(mtc.Select(m))

	m.Spec.Canceled = true
	fmt.Println(mtc.Select(m))

	m.Status.Conditions = mtc.Conditions{{Type: "Failed", Status: "True"}}
	fmt.Println(mtc.Select(m))
	// Output:
	// Stage
	// Cancel
	// Failed
}

func ExampleItinerary() {
	it, err := mtc.Itinerary(mtc.Failed)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range it.Phases {
		fmt.Printf("%s: %s (%s)\n", p.Step, p.Name, p.Description)
	}
	// Output:
	// CleanupHelpers: MigrationFailed (Recording that the migration failed)
	// CleanupHelpers: DeleteRegistries (Removing the image registries)
	// CleanupHelpers: EnsureAnnotationsDeleted (Removing the labels and annotations made for the backup)
	// Cleanup: Completed (Ending the migration)
}
