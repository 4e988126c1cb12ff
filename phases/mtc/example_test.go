package mtc_test

import (
	"context"
	"fmt"

	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// The source cluster is searched, which is slow, only if the plan depends on the
// answer. Here images are copied directly, and nothing depends on it.
func ExampleSources() {
	sources, err := mtc.Sources(mtc.Objects{
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
	if err != nil {
		fmt.Println(err)
		return
	}

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

// A controller that watches image streams answers from its cache. Its source is not
// slow.
func ExampleSources_override() {
	cached := map[string]int{"shop": 2}
	plan := &mtc.Plan{Spec: mtc.PlanSpec{Namespaces: []string{"shop"}, IndirectImage: true}}
	sources, err := mtc.Sources(mtc.Objects{Plan: plan}, phases.Source{
		Flag: mtc.HasISs,
		Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
			return phases.TruthOf(cached["shop"] > 0), nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	// Sequential calls one source at a time, for a cache that is not safe for
	// concurrent use.
	evaluation := sources.Sequential().Evaluate(context.Background(), phases.Request{Read: mtc.HasISs | mtc.IndirectImage})
	fmt.Println(mtc.Vocabulary().Names(evaluation.Facts.True()))
	// Output:
	// [HasISs IndirectImage]
}

// NeedsApproval is an additional flag of the embedder.
const NeedsApproval = mtc.FirstOwnFlag

// options makes each kind of change: an additional flag, a live flag of MTC, a
// replaced phase of Final, another description of a phase, and other names for two
// steps.
var options = mtc.Options{
	Flags: []phases.FlagDef{{Flag: NeedsApproval, Name: "NeedsApproval", Description: "a person approves the result", Live: true}},
	Live:  mtc.Quiesce,
	Phases: map[string][]phases.Phase{
		mtc.Final: {{Name: mtc.PhaseVerification, Step: "Approval", Guard: phases.Guard{Any: mtc.HasVerify | NeedsApproval}}},
	},
	Descriptions: map[string]string{mtc.PhaseRestartRestic: "Restarting the node agent"},
	Steps:        map[string]string{mtc.DataBackup: "StateBackup", mtc.DataRestore: "StateRestore"},
}

// sourcesOf adds the source of the additional flag to those of MTC.
func sourcesOf(c mtc.Catalogue, o mtc.Objects, approval bool) (*phases.Sources, error) {
	return c.Sources(o, phases.Source{
		Flag:     NeedsApproval,
		Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) { return phases.TruthOf(approval), nil },
	})
}

func ExampleNewCatalogue() {
	catalogue, err := mtc.NewCatalogue(options)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range catalogue.Itineraries[1].Phases {
		switch p.Name {
		case mtc.PhaseRestartRestic, mtc.PhaseVerification:
			fmt.Printf("%s: %s (%s)\n", p.Step, p.Name, p.Description)
		}
	}

	sources, err := sourcesOf(catalogue, mtc.Objects{Migration: &mtc.Migration{}}, true)
	if err != nil {
		fmt.Println(err)
		return
	}
	evaluation := sources.Evaluate(context.Background(), phases.Request{Read: mtc.HasVerify | NeedsApproval})
	fmt.Println("true:", catalogue.Vocabulary.Names(evaluation.Facts.True()))
	fmt.Println("live:", catalogue.Vocabulary.Names(catalogue.Vocabulary.Live()))
	// Output:
	// StateBackup: RestartRestic (Restarting the node agent)
	// Approval: Verification ()
	// true: [NeedsApproval]
	// live: [Quiesce NeedsApproval]
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
