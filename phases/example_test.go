package phases_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/konveyor/dynamic-pipeline/phases"
)

const (
	HasPVs phases.Flags = 1 << iota
	HasISs
	HasStageBackup
)

var flags = phases.MustVocabulary([]phases.FlagDef{
	{Flag: HasPVs, Name: "HasPVs", Description: "some volume is migrated"},
	{Flag: HasISs, Name: "HasISs", Description: "some image stream is migrated"},
	{Flag: HasStageBackup, Name: "HasStageBackup", Description: "data goes through a backup"},
})

func ExampleLoad() {
	f, err := phases.Load(strings.NewReader(`
flags:
- {name: CutoverDue, description: the time of the cutover has come}
itineraries:
- name: Warm
  phases:
  - {name: CopyDisks, step: DiskTransfer}
  - {name: Pause, step: DiskTransfer, decides: [CutoverDue], jumps: [{to: CopyDisks, none: [CutoverDue]}]}
  - {name: Cutover, step: Cutover}
`), "warm.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	warm, _ := f.Itinerary("Warm")
	for _, p := range warm.Phases {
		fmt.Println(p.Step, p.Name, f.Vocabulary.Names(p.Decides))
	}
	// Output:
	// DiskTransfer CopyDisks []
	// DiskTransfer Pause [CutoverDue]
	// Cutover Cutover []
}

func ExampleLoad_file() {
	file, err := os.Open("testdata/database-upgrade.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()

	f, err := phases.Load(file, "database-upgrade.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, it := range f.Itineraries {
		fmt.Printf("%s: %d phases, %s\n", it.Name, len(it.Phases), it.Result.OrDefault())
	}
	// Output:
	// Upgrade: 11 phases, Succeeded
	// Abort: 2 phases, Failed
}

func ExampleLoad_problems() {
	_, err := phases.Load(strings.NewReader(`
flags: [{name: HasPVs}]
itineraries:
- name: Final
  phases:
  - {name: Backup, step: Backup, all: [HasPV]}
  - {name: Restore, stpe: Restore}
`), "final.yaml")
	fmt.Println(err)
	// Output:
	// final.yaml:6:40: unknown flag "HasPV"; did you mean "HasPVs"?
	// final.yaml:7:21: a phase has no key "stpe"; did you mean "step" or "steps"?
}

func ExampleSave() {
	f := &phases.File{Vocabulary: flags, Itineraries: []phases.Itinerary{{Name: "Stage", Vocabulary: flags, Phases: []phases.Phase{
		{Name: "EnsureStageBackup", Step: "DataBackup", Guard: phases.Guard{All: HasStageBackup}},
		{Name: "Verify", Step: "Verify", Description: "Waiting for the pods to be ready"},
	}}}}
	if err := phases.Save(os.Stdout, f); err != nil {
		fmt.Println(err)
	}
	// Output:
	// flags:
	// - name: HasPVs
	//   description: some volume is migrated
	// - name: HasISs
	//   description: some image stream is migrated
	// - name: HasStageBackup
	//   description: data goes through a backup
	// itineraries:
	// - name: Stage
	//   phases:
	//   - {name: EnsureStageBackup, step: DataBackup, all: [HasStageBackup]}
	//   - name: Verify
	//     step: Verify
	//     description: Waiting for the pods to be ready
}

func ExampleGuard() {
	guard := phases.Guard{Any: HasPVs | HasISs}
	for _, facts := range []phases.Facts{
		phases.NewFacts(HasPVs, HasISs),
		phases.NewFacts(0, HasPVs),
		phases.NewFacts(0, HasPVs|HasISs),
	} {
		part, unmet := guard.Unmet(facts)
		fmt.Println(guard.Eval(facts), part, flags.Names(unmet))
	}
	// Output:
	// yes  []
	// unknown any [HasISs]
	// no any [HasPVs HasISs]
}

func ExampleItinerary_Validate() {
	err := phases.Itinerary{Name: "Final", Vocabulary: flags, Phases: []phases.Phase{
		{Name: "Backup", Step: "Backup", Guard: phases.Guard{All: HasPVs, None: HasPVs}},
		{Name: "Backup", Step: "Backup", Jumps: []phases.Jump{{To: "Restore"}}},
	}}.Validate()
	fmt.Println(err)
	// Output:
	// itinerary "Final": phase "Backup" needs HasPVs both in all and in none and can never run; remove the flag from one of them
	// itinerary "Final": phase "Backup" is defined twice, as number 1 and 2; rename one of them
	// itinerary "Final": phase "Backup" jumps to "Restore", which the itinerary does not have
}

func ExampleSources_Evaluate() {
	sources, err := phases.NewSources(flags,
		phases.Source{Flag: HasPVs, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
			return phases.True, nil
		}},
		phases.Source{Flag: HasISs, Slow: true, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
			return phases.Unknown, errors.New("the source cluster does not answer")
		}},
		// Computed: with volumes, no image streams need to be listed.
		phases.Source{Flag: HasStageBackup, Inputs: HasPVs | HasISs,
			Evaluate: func(_ context.Context, known phases.Facts) (phases.Truth, error) {
				return phases.Guard{Any: HasPVs | HasISs}.Eval(known), nil
			}},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	evaluation := sources.Evaluate(context.Background(), phases.Request{Read: HasStageBackup})
	fmt.Println("true:", flags.Names(evaluation.Facts.True()), "evaluated:", flags.Names(evaluation.Evaluated))

	evaluation = sources.Evaluate(context.Background(), phases.Request{Known: evaluation.Facts, Read: HasISs})
	fmt.Println(evaluation.Err())
	// Output:
	// true: [HasPVs HasStageBackup] evaluated: [HasPVs HasStageBackup]
	// flag HasISs is unknown: the source cluster does not answer
}

// A phase scans for volumes. Before it has run, its report does not exist: that is not
// an error, and flags that are computed from it are also "not yet".
func ExampleSources_Evaluate_notYet() {
	var report *bool // written by the phase that scans
	hasPVs := phases.Source{Flag: HasPVs, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
		if report == nil {
			return phases.Unknown, nil // not yet
		}
		return phases.TruthOf(*report), nil
	}}
	hasStageBackup := phases.Source{Flag: HasStageBackup, Inputs: HasPVs,
		Evaluate: func(_ context.Context, known phases.Facts) (phases.Truth, error) {
			return known.Of(HasPVs), nil
		}}
	sources, err := phases.NewSources(flags, hasPVs, hasStageBackup)
	if err != nil {
		fmt.Println(err)
		return
	}
	request := phases.Request{Read: HasPVs | HasStageBackup}
	evaluation := sources.Evaluate(context.Background(), request)
	fmt.Println("not yet:", flags.Names(evaluation.NotYet), "error:", evaluation.Err())

	report = new(bool) // the scan has found none
	evaluation = sources.Evaluate(context.Background(), request)
	fmt.Println("false:", flags.Names(evaluation.Facts.False()), "not yet:", flags.Names(evaluation.NotYet))
	// Output:
	// not yet: [HasPVs HasStageBackup] error: <nil>
	// false: [HasPVs HasStageBackup] not yet: []
}

func ExampleVocabulary_Record() {
	facts := phases.NewFacts(HasPVs, HasISs)
	record := flags.Record(facts, "2de221399ef60bc6")
	fmt.Println(record.True, record.False, record.Unknown)
	fmt.Println(flags.Facts(record) == facts)
	// Output:
	// [HasPVs] [HasISs] [HasStageBackup]
	// true
}
