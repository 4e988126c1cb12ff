package machine_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// A backup controller has two flags and two itineraries.
const (
	hasVolumes phases.Flags = 1 << iota
	hasHook
)

var backupFlags = phases.MustVocabulary([]phases.FlagDef{
	{Flag: hasVolumes, Name: "HasVolumes", Description: "the application has volumes"},
	{Flag: hasHook, Name: "HasHook", Description: "a hook runs before the backup"},
})

var backups = machine.MustCompileSet(
	phases.Itinerary{Name: "Backup", Vocabulary: backupFlags, Phases: []phases.Phase{
		{Name: "Validate", Step: "Prepare"},
		{Name: "RunHook", Step: "Hooks", Guard: phases.Guard{All: hasHook}},
		{Name: "SnapshotVolumes", Step: "Volumes", Guard: phases.Guard{All: hasVolumes}},
		{Name: "Upload", Step: "Upload"},
	}},
	phases.Itinerary{Name: "CleanUp", Vocabulary: backupFlags, Cleanup: true, Phases: []phases.Phase{
		{Name: "DeleteSnapshots", Step: "CleanUp", Guard: phases.Guard{All: hasVolumes}},
		{Name: "Report", Step: "CleanUp"},
	}},
)

// A controller that exists already can drive a machine itself, without a runner.
func Example() {
	if err := backUp(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// start runs [Scan Upload Completed]
	// Scan runs [Scan SnapshotVolumes Upload Completed]
	// SnapshotVolumes runs [SnapshotVolumes Upload Completed]
	// Upload runs [Upload Completed]
}

func backUp(ctx context.Context) error {
	graph, err := machine.Compile(phases.Itinerary{Name: "Backup", Vocabulary: backupFlags, Phases: []phases.Phase{
		{Name: "Scan", Step: "Prepare", Decides: hasVolumes},
		{Name: "SnapshotVolumes", Step: "Volumes", Guard: phases.Guard{All: hasVolumes}},
		{Name: "Upload", Step: "Upload"},
		{Name: "Completed", End: true},
	}})
	if err != nil {
		return err
	}
	m, err := graph.NewMachine(machine.Position{}, phases.NewFacts(0, hasVolumes|hasHook))
	for err == nil && !m.Position().Done {
		if m.Position().Phase == "Scan" { // its work is done, and found volumes
			m.SetFacts(m.Facts().Set(m.Decides(), phases.True))
		}
		fmt.Println(m.Position(), "runs", m.Plan().Running())
		next, _ := m.Available()              // one phase, if all flags are known
		_, err = m.TransitionTo(ctx, next[0]) // or m.Advance(ctx)
	}
	return err
}

func ExampleGraph_Plan() {
	graph, err := backups.Graph("Backup")
	if err != nil {
		fmt.Println(err)
		return
	}
	plan := graph.Plan(phases.NewFacts(hasVolumes, hasHook))
	fmt.Println(plan.Running())
	for i := range graph.Len() {
		if why := plan.Why(i); why != nil {
			fmt.Println(graph.Phase(i).Name, why.Text)
		}
	}
	// Output:
	// [Validate SnapshotVolumes Upload]
	// RunHook needs HasHook
}

func ExampleMachine_Advance() {
	graph, err := backups.Graph("Backup")
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := graph.NewMachine(machine.Position{}, phases.NewFacts(hasVolumes, hasHook))
	if err != nil {
		fmt.Println(err)
		return
	}
	for !m.Position().Done {
		move, err := m.Advance(context.Background())
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(move.From, "->", move.To)
	}
	// Output:
	// start -> Validate
	// Validate -> SnapshotVolumes
	// SnapshotVolumes -> Upload
	// Upload -> done
}

func ExampleMachine_Can() {
	graph, err := backups.Graph("Backup")
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := graph.NewMachine(machine.Position{Phase: "Validate"}, phases.NewFacts(hasVolumes, hasHook))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Can("SnapshotVolumes"))
	fmt.Println(m.Can("RunHook"))
	// Output:
	// <nil>
	// itinerary "Backup": no transition from Validate to RunHook now: it needs HasHook; next is SnapshotVolumes
}

// Itineraries can be written in YAML.
func ExampleCompileSet() {
	reader := strings.NewReader(`
flags:
- name: HasVolumes
itineraries:
- name: Backup
  phases:
  - {name: Snapshot, step: Volumes, all: [HasVolumes]}
  - {name: Upload, step: Upload}
`)
	file, err := phases.Load(reader, "backup.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	set, err := machine.CompileSet(file.Itineraries...)
	if err != nil {
		fmt.Println(err)
		return
	}
	trues, err := file.Vocabulary.Parse("HasVolumes")
	if err != nil {
		fmt.Println(err)
		return
	}
	graph, err := set.Graph("Backup")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(graph.Plan(phases.NewFacts(trues, 0)).Running())
	// Output: [Snapshot Upload]
}

// A run begins although a flag that a phase ahead decides is unknown, and waits
// for it when the next transition depends on it.
func ExampleMachine_Awaits() {
	graph, err := machine.Compile(phases.Itinerary{Name: "Scan", Vocabulary: backupFlags, Phases: []phases.Phase{
		{Name: "Scan", Step: "Prepare", Decides: hasVolumes},
		{Name: "RunHook", Step: "Hooks", Guard: phases.Guard{All: hasHook}},
		{Name: "SnapshotVolumes", Step: "Volumes", Guard: phases.Guard{All: hasVolumes}},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, at := range []string{"", "Scan", "RunHook"} {
		m, err := graph.NewMachine(machine.Position{Phase: at}, phases.NewFacts(hasHook, 0))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(m.Position(), backupFlags.Names(m.Awaits()))
	}
	// Output:
	// start []
	// Scan []
	// RunHook [HasVolumes]
}

// A run whose state selects another itinerary begins that at its start, with the
// known facts.
func ExampleSet_Resume() {
	checkpoint := machine.Checkpoint{Itinerary: "Backup", Phase: "Upload", Facts: phases.Record{True: []string{"HasVolumes"}}}
	resumed, err := backups.Resume(checkpoint, "CleanUp")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resumed.Graph().Name(), resumed.Position(), resumed.Switched)
	move, err := resumed.Advance(context.Background())
	fmt.Println(move.To, err)
	// Output:
	// CleanUp start true
	// DeleteSnapshots <nil>
}
