package dump_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/dump"
	"github.com/konveyor/dynamic-pipeline/phases"
)

const (
	hasVolumes phases.Flags = 1 << iota
	verify
	differs
)

var flags = phases.MustVocabulary([]phases.FlagDef{
	{Flag: hasVolumes, Name: "HasVolumes"},
	{Flag: verify, Name: "Verify"},
	{Flag: differs, Name: "Differs"},
})

var backup = machine.MustCompile(phases.Itinerary{Name: "Backup", Vocabulary: flags, Phases: []phases.Phase{
	{Name: "Freeze", Step: "Prepare"},
	{Name: "Discover", Step: "Prepare", Decides: hasVolumes},
	{Name: "CopyVolumes", Step: "Copy", Guard: phases.Guard{All: hasVolumes}},
	{Name: "CopyObjects", Step: "Copy"},
	{Name: "Compare", Step: "Check", Guard: phases.Guard{All: verify}, Decides: differs, Jumps: []phases.Jump{
		{To: "CopyObjects", Guard: phases.Guard{All: differs}},
	}},
	{Name: "Thaw", Step: "Finish"},
}})

var undo = machine.MustCompile(phases.Itinerary{Name: "Undo", Vocabulary: flags, Cleanup: true, Phases: []phases.Phase{
	{Name: "Delete", Step: "Undo"},
	{Name: "Thaw", Step: "Undo"},
}})

// ExampleNewDiff shows the effect of one flag.
func ExampleNewDiff() {
	side := func(title string, yes phases.Flags) dump.Side {
		plan := backup.Plan(phases.NewFacts(yes, flags.All()&^yes))
		return dump.Side{Title: title, Itineraries: []dump.Itinerary{{Plan: plan}}}
	}
	drawing, err := dump.NewDiff(dump.Options{OnlyRun: true}, side("Backup, Verify", verify), side("Backup", 0))
	if err != nil {
		fmt.Println(err)
		return
	}
	if !drawing.Same() {
		fmt.Print(drawing.Text())
	}
	// Output:
	// was: Backup, Verify
	// now: Backup
	//
	// Backup, at start
	//   Verify: true -> false
	//   step Check vanishes
	//   1 phase no longer runs: Compare
	//   1 jump is changed
	//   >   (start)
	//   Prepare
	//     +   Freeze
	//     +   Discover
	//   Copy
	//     +   CopyObjects
	// - Check (vanishes)
	// ~   -   Compare      will run -> will not run; needs Verify
	// ~         -> CopyObjects if Differs (not taken); was may be taken
	//   Finish
	//     +   Thaw
	//   +   (done)
	//
	// Backup: 1 phase that will not run is left out
	// at the margin: + new, - gone, ~ changed; then: > current, + will run, - will
	//   not run
}

// This example shows what a run does from its current position, and why it skips the
// rest.
func Example() {
	facts := phases.NewFacts(verify, hasVolumes|differs) // true, false
	plan, err := backup.PlanFrom(machine.Position{Phase: "Discover"}, facts)
	if err != nil {
		fmt.Println(err)
		return
	}
	drawing, err := dump.New(dump.Options{}, dump.Itinerary{Plan: plan})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(drawing.Text())
	// Output:
	// Backup, at Discover
	//   true: Verify
	//   .   (start)
	//   Prepare
	//     .   Freeze
	//     >   Discover     current; decides HasVolumes
	//   Copy
	//     -~  CopyVolumes  needs HasVolumes (decided by Discover)
	//     +   CopyObjects
	//   Check
	//     +   Compare      if Verify; decides Differs
	//           -> CopyObjects if Differs (may be taken)
	//   Finish
	//     +   Thaw
	//   +   (done)
	//
	// . behind, > current, + will run, - will not run, ~ tentative: it, or the path to
	// it, reads a flag that a phase ahead decides
}

// ExampleSwitch draws several itineraries in one picture, and when a run changes from one
// to another.
func ExampleSwitch() {
	drawing, err := dump.New(
		dump.Options{Switches: []dump.Switch{{From: "Backup", To: "Undo", When: "a phase failed"}}},
		dump.Itinerary{Graph: backup}, dump.Itinerary{Graph: undo},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(drawing.Text())
	// Output:
	// Backup
	//   (start)
	//   Prepare
	//     Freeze
	//     Discover     decides HasVolumes
	//   Copy
	//     CopyVolumes  if HasVolumes
	//     CopyObjects
	//   Check
	//     Compare      if Verify; decides Differs
	//       -> CopyObjects if Differs
	//   Finish
	//     Thaw
	//   (done)
	//   => Undo when a phase failed
	//
	// Undo
	//   (start)
	//   Undo
	//     Delete
	//     Thaw
	//   (done)
}

// ExampleDrawing_formats writes one drawing in every format.
func ExampleDrawing_formats() {
	drawing, err := dump.New(dump.Options{Title: "How a backup is undone"}, dump.Itinerary{Graph: undo})
	if err != nil {
		fmt.Println(err)
		return
	}
	files := map[string][]byte{
		"undo.txt":  []byte(drawing.Text()),
		"undo.svg":  drawing.SVG(),
		"undo.mmd":  []byte(drawing.Mermaid()),
		"undo.dot":  []byte(drawing.DOT()),
		"undo.json": drawing.JSON(),
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		first, _, _ := strings.Cut(string(files[name]), "\n")
		fmt.Printf("%-9s %.30s\n", name, first)
	}
	// Output:
	// undo.dot  digraph {
	// undo.json {
	// undo.mmd  flowchart TB
	// undo.svg  <svg xmlns="http://www.w3.org/
	// undo.txt  How a backup is undone
}

// ExampleRun draws where several runs are, such as those of the items of one object.
func ExampleRun() {
	drawing, err := dump.New(dump.Options{}, dump.Itinerary{Graph: backup, Runs: []dump.Run{
		{Name: "vm-1", At: machine.Position{Phase: "CopyVolumes"}},
		{Name: "vm-2", At: machine.Position{Phase: "CopyVolumes"}},
		{Name: "vm-3", At: machine.Position{Phase: "Compare"}, Failed: true},
		{Name: "vm-4", At: machine.Position{Done: true}},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(drawing.Text())
	// Output:
	// Backup
	//   4 runs: 2 under way, 1 done, 1 failed
	//       (start)
	//   Prepare
	//         Freeze
	//         Discover     decides HasVolumes
	//   Copy
	//     >   CopyVolumes  2 here: vm-1 and vm-2; if HasVolumes
	//         CopyObjects
	//   Check
	//      !  Compare      1 failed: vm-3; if Verify; decides Differs
	//           -> CopyObjects if Differs
	//   Finish
	//         Thaw
	//       (done)         1 done: vm-4
	//
	// > runs are here, ! failed
}

// ExampleOptions_around shows which phases one transition connects with a phase.
func ExampleOptions_around() {
	drawing, err := dump.New(dump.Options{Around: "CopyObjects"}, dump.Itinerary{Graph: backup})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(drawing.Text())
	// Output:
	// Backup
	//   Prepare
	//     Discover     decides HasVolumes
	//       next: CopyObjects
	//   Copy
	//     CopyVolumes  if HasVolumes
	//       next: CopyObjects
	//     CopyObjects
	//       next: Compare, Thaw
	//   Check
	//     Compare      if Verify; decides Differs
	//       -> CopyObjects if Differs
	//   Finish
	//     Thaw
	//
	// Backup: 1 phase further away from CopyObjects is left out
}

// ExampleDrawing_Mermaid draws a diagram for GitHub, GitLab and other Mermaid renderers.
func ExampleDrawing_Mermaid() {
	drawing, err := dump.New(dump.Options{}, dump.Itinerary{Graph: undo})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(drawing.Mermaid())
	// Output:
	// flowchart TB
	//   subgraph i0["Undo"]
	//   direction TB
	//     i0n0(["start"])
	//   subgraph i0b0["Undo"]
	//     i0n1["Delete"]
	//     i0n2["Thaw"]
	//   end
	//     i0n3(["done"])
	//   i0n0 --> i0n1
	//   i0n1 --> i0n2
	//   i0n2 --> i0n3
	//   end
	//   classDef phase fill:#eef2f7,stroke:#56606c,color:#1b222c
	//   class i0n0,i0n1,i0n2,i0n3 phase
}
