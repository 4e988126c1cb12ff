package main

import (
	"fmt"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

const HasVolumes, HasHook phases.Flags = 1 << 0, 1 << 1

var flags = phases.MustVocabulary([]phases.FlagDef{{Flag: HasVolumes, Name: "HasVolumes"}, {Flag: HasHook, Name: "HasHook"}})
var backup = machine.MustCompile(phases.Itinerary{Name: "Backup", Vocabulary: flags, Phases: []phases.Phase{
	{Name: "Validate", Step: "Prepare"},
	{Name: "RunHook", Step: "Hooks", Guard: phases.Guard{All: HasHook}},
	{Name: "Snapshot", Step: "Volumes", Guard: phases.Guard{All: HasVolumes}},
	{Name: "Upload", Step: "Upload"},
}})

func main() {
	plan := backup.Plan(phases.NewFacts(HasVolumes, HasHook)) // HasVolumes is true, HasHook is false
	fmt.Println(plan.Running(), steps.Visible(plan), plan.Why(1).Text)
}
