package steps_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// The plan of a final migration with direct images and no volumes shows five steps.
func ExampleVisible() {
	final, err := mtc.Itinerary(mtc.Final)
	if err != nil {
		fmt.Println(err)
		return
	}
	graph := machine.MustCompile(final)
	trues := mtc.DirectImage | mtc.EnableImage
	plan := graph.Plan(phases.NewFacts(trues, mtc.Vocabulary().All()&^trues))
	fmt.Println(steps.Visible(plan))
	// Output: [Prepare Backup DirectImage Restore Cleanup]
}

func ExampleSync() {
	graph := machine.MustCompile(phases.Itinerary{
		Name:       "Move",
		Vocabulary: phases.MustVocabulary([]phases.FlagDef{{Flag: 1, Name: "HasVolumes"}}),
		Phases: []phases.Phase{
			{Name: "Check", Step: "Prepare"},
			{Name: "Copy", Step: "Volumes", Guard: phases.Guard{All: 1}, Description: "Copying volumes"},
			{Name: "Start", Step: "Restore"},
		},
	})
	clock := time.Date(2021, 2, 4, 10, 0, 0, 0, time.UTC)
	var pipeline steps.Pipeline
	for _, phase := range []string{"Check", "Copy"} {
		plan, err := graph.PlanFrom(machine.Position{Phase: phase}, phases.NewFacts(1, 0))
		if err != nil {
			fmt.Println(err)
			return
		}
		pipeline = steps.Sync(pipeline, steps.Snapshot{Plan: plan}, clock)
		clock = clock.Add(90 * time.Second)
	}
	for _, step := range pipeline {
		line, err := json.Marshal(step)
		fmt.Println(string(line), err)
	}
	// Output:
	// {"started":"2021-02-04T10:00:00Z","completed":"2021-02-04T10:01:30Z","name":"Prepare","message":"Completed"} <nil>
	// {"started":"2021-02-04T10:01:30Z","name":"Volumes","phase":"Copy","message":"Copying volumes"} <nil>
	// {"name":"Restore","message":"Not started"} <nil>
}
