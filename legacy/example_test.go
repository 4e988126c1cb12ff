package legacy_test

import (
	"fmt"
	"strings"

	"github.com/konveyor/dynamic-pipeline/legacy"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// perLine prints each step on its own line.
var perLine = strings.NewReplacer("[{", "[\n  {", "},{", "},\n  {", "\",{", "\",\n  {", "},\"", "},\n  \"", `["P`, "[\n  \"P")

// A running stage migration, as mig-controller stored it. Its plan copies images
// directly and has nothing to back up.
func ExampleAdapter_Upgrade() {
	adapter := legacy.NewAdapter(machine.MustCompileSet(mtc.Itineraries()...), mtc.DataNames)
	status := []byte(`{"phase":"", "itinerary":"Stage", "pipeline":[
		{"name":"Prepare", "started":"2025-03-01T10:00:00Z"},
		{"name":"StageBackup", "message":"Not started"},
		{"name":"DirectImage", "message":"Not started"},
		{"name":"Cleanup", "message":"Not started"}]}`)

	flags := mtc.DirectImage | mtc.EnableImage
	up, err := adapter.Upgrade(status, &legacy.Selected{
		Itinerary: mtc.Stage,
		Facts:     phases.NewFacts(flags, mtc.Vocabulary().All()&^flags),
	})
	fmt.Println(perLine.Replace(string(up.Status)), up.Warnings, err)
	fmt.Println(legacy.Annotation+":", perLine.Replace(string(up.Remainder)))

	// Output:
	// {"phase":"Created","itinerary":"Stage","pipeline":[
	//   {"name":"Prepare","started":"2025-03-01T10:00:00Z"},
	//   {"name":"DirectImage","message":"Not started"},
	//   {"name":"Cleanup","message":"Not started"}]} [] <nil>
	// pipeline.konveyor.io/legacy: {"version":1,"sum":"12ae922abb09922a","itinerary":"Stage","phase":"","pipeline":[
	//   "Prepare",
	//   {"name":"StageBackup","message":"Not started"},
	//   "DirectImage","Cleanup"]}
}

// A canceled migration in both forms. Its Cleanup read Skipped although it ran.
func ExampleAdapter_Downgrade() {
	adapter := legacy.NewAdapter(machine.MustCompileSet(mtc.Itineraries()...), mtc.DataNames)
	up, err := adapter.Upgrade([]byte(`{"phase":"Completed","itinerary":"Cancel","pipeline":[
		{"name":"StageBackup","message":"Skipped","skipped":true},
		{"started":"2025-03-01T10:05:00Z","completed":"2025-03-01T10:06:00Z","name":"Cleanup","message":"Skipped","skipped":true}]}`), nil)
	fmt.Println(perLine.Replace(string(up.Status)), err)

	down, err := adapter.Downgrade(up.Status, up.Remainder)
	fmt.Println(perLine.Replace(string(down.Status)))
	fmt.Println(down.Warnings, err)

	// Output:
	// {"phase":"Completed","itinerary":"Cancel","pipeline":[
	//   {"started":"2025-03-01T10:05:00Z","completed":"2025-03-01T10:06:00Z","name":"Cleanup","message":"Completed"}]} <nil>
	// {"phase":"Completed","itinerary":"Cancel","pipeline":[
	//   {"name":"StageBackup","message":"Skipped","skipped":true},
	//   {"started":"2025-03-01T10:05:00Z","completed":"2025-03-01T10:06:00Z","name":"Cleanup","message":"Skipped","skipped":true}]}
	// [] <nil>
}

// A typed status is converted by way of its JSON form.
func ExampleUpgradeStatus() {
	adapter := legacy.NewAdapter(machine.MustCompileSet(mtc.Itineraries()...), mtc.StateNames)
	status := struct {
		Phase     string         `json:"phase,omitempty"`
		Itinerary string         `json:"itinerary,omitempty"`
		Pipeline  steps.Pipeline `json:"pipeline,omitempty"`
	}{Phase: "QuiesceApplications", Itinerary: mtc.Stage, Pipeline: steps.Pipeline{{Name: "StageBackup"}}}

	remainder, _, err := legacy.UpgradeStatus(adapter, &status, nil)
	fmt.Println(status.Phase, status.Pipeline[0].Name, len(remainder) > 0, err)
	// Output: QuiesceSourceApplications StateBackup true <nil>
}
