// Package machine compiles an itinerary to a finite state machine, plans ahead
// which of its phases run, and moves runs through it.
//
// [Compile] checks an itinerary and turns it into a [Graph], which is immutable
// and shared by any number of goroutines. [Graph.Plan] reports for each phase
// whether it runs, and why not. A [Machine] moves through the graph, one guarded
// transition at a time:
//
//	graph, err := machine.Compile(phases.Itinerary{Name: "Backup", Vocabulary: backupFlags, Phases: []phases.Phase{
//		{Name: "Scan", Step: "Prepare", Decides: hasVolumes},
//		{Name: "SnapshotVolumes", Step: "Volumes", Guard: phases.Guard{All: hasVolumes}},
//		{Name: "Upload", Step: "Upload"},
//		{Name: "Completed", End: true},
//	}})
//	if err != nil {
//		return err
//	}
//	m, err := graph.NewMachine(machine.Position{}, phases.NewFacts(0, hasVolumes|hasHook))
//	for err == nil && !m.Position().Done {
//		if m.Position().Phase == "Scan" { // its work is done, and found volumes
//			m.SetFacts(m.Facts().Set(m.Decides(), phases.True))
//		}
//		fmt.Println(m.Position(), "runs", m.Plan().Running())
//		_, err = m.Advance(ctx) // or m.TransitionTo(ctx, phase), with one of m.Available()
//	}
//	return err
//
// Plans and machines evaluate guards with the same code, so a run does what was
// planned. An unknown flag is never taken for false: a plan reports the phases
// that depend on it as unknown, and a machine waits for the flags that
// [Machine.Awaits] returns. A cleanup itinerary does not wait, and runs a phase
// whose guard is unknown. [Machine.Settle] evaluates flags and advances in one
// call.
//
// A [Set] holds the itineraries of one controller. State lives outside: a
// [Checkpoint] is plain data, and [Set.Resume] makes a machine from it on any
// replica, at any time. If a run leaves a phase that is not done for another
// itinerary, the flags that the phase decides become unknown.
//
// The package is not a runner: it calls no handlers, and neither retries nor
// watches deadlines. Package runner does that. The embedder persists the
// checkpoint.
//
// Each machine uses a looplab/fsm state machine, and avoids the pitfalls of that
// package: machines built per reconcile, deadlocks in callbacks, transitions that
// stay stuck after a context is canceled, and misspelled or reserved callback
// names. If its context is done, a machine does not move. It runs no code of the
// embedder while it moves.
package machine
