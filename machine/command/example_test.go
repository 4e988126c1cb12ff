package command_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/command"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// The flags of the examples.
const wantsBackup phases.Flags = 1

// restarts are the itineraries of the examples.
var restarts = machine.MustCompileSet(phases.Itinerary{
	Name:       "Restart",
	Vocabulary: phases.MustVocabulary([]phases.FlagDef{{Flag: wantsBackup, Name: "WantsBackup"}}),
	Phases: []phases.Phase{
		{Name: "StartBackup", Step: "Backup", Guard: phases.Guard{All: wantsBackup}},
		{Name: "WaitForBackup", Step: "Backup", Guard: phases.Guard{All: wantsBackup}},
		{Name: "StopServer", Step: "Restart"},
		{Name: "StartServer", Step: "Restart"},
	},
})

// ExampleExecute plans an itinerary with some flags, without an object.
func ExampleExecute() {
	c := command.Catalogue{Command: "restartctl", Itineraries: restarts}
	run := func(args ...string) {
		command.Execute(context.Background(), c, args, strings.NewReader(""), os.Stdout, os.Stderr)
	}
	run("plan", "-i", "Restart")
	run("plan", "-i", "Restart", "--flags", "WantsBackup")
	// Output:
	// ITINERARY   STEPS
	// Restart     Restart
	// ITINERARY   STEPS
	// Restart     Backup > Restart
}

// ExampleExecute_objects explains why a phase of an object does not run. The state of the
// run is in its status.
func ExampleExecute_objects() {
	const objects = `
apiVersion: ops.example.com/v1
kind: Restart
metadata: {name: blue, namespace: databases}
status:
  itinerary: Restart
  phase: StopServer
  visit: 1
  facts: {"false": [WantsBackup], hash: "0123456789abcdef"}
  pipeline:
  - {name: Restart, phase: StopServer, started: "2026-11-20T12:00:00Z"}
`
	c := command.Catalogue{Command: "restartctl", Kind: "Restart", Itineraries: restarts}
	command.Execute(context.Background(), c, []string{"explain", "StartBackup", "-f", "-"}, strings.NewReader(objects), os.Stdout,
		os.Stderr)
	// Output:
	// NAME   ITINERARY   KIND    RUNS   WHY
	// blue   Restart     phase   no     phase StartBackup does not run: it needs WantsBackup
}

// ExampleCatalogue_sources finds the flags of objects whose runs have not begun from their
// spec.
func ExampleCatalogue_sources() {
	c := command.Catalogue{
		Command: "restartctl", Kind: "Restart", Itineraries: restarts,
		Sources: func(o *command.Object, _ string, _ *command.Objects) (*phases.Sources, error) {
			g, err := restarts.Graph("Restart")
			if err != nil {
				return nil, err
			}
			var restart struct {
				Spec struct {
					Backup bool `json:"backup"`
				} `json:"spec"`
			}
			if err := json.Unmarshal(o.JSON, &restart); err != nil {
				return nil, err
			}
			return phases.NewSources(g.Vocabulary(), phases.SourceOf(wantsBackup, phases.TruthOf(restart.Spec.Backup)))
		},
	}
	const objects = `
- {kind: Restart, metadata: {name: blue}, spec: {backup: true}}
- {kind: Restart, metadata: {name: green}}
`
	command.Execute(context.Background(), c, []string{"plan", "-f", "-"}, strings.NewReader(objects), os.Stdout, os.Stderr)
	// Output:
	// NAME    ITINERARY   PHASE   STEPS
	// blue    Restart     -       Backup > Restart
	// green   Restart     -       Restart
}

// ExampleCatalogue_problems shows the error of an invalid catalogue. It lists all problems.
func ExampleCatalogue_problems() {
	c := command.Catalogue{
		Command: "restartctl", Itineraries: restarts, Kind: "Re start", Options: []command.Option{{Name: "file", Usage: "a file"}},
	}
	code := command.Execute(context.Background(), c, nil, strings.NewReader(""), os.Stdout, os.Stdout)
	fmt.Println(code)
	// Output:
	// catalogue: Kind "Re start" is not the kind of an object; give letters and digits, such as Upgrade
	// 2
}
