// Package runner is what a reconcile calls: it moves one migration on by one
// phase.
//
// The embedder gives handlers for the phases, sources for the flags, a
// selector of itineraries, and two functions that read and write the [State]
// on its own type ([Options]), and calls [Runner.Reconcile]. That calls the
// handler of the current phase; when it is done, the flags that the phase
// decides are asked again, the plan and the pipeline follow, and the next phase
// is entered. It returns what to write and when to come back ([Outcome]). It
// never sleeps, starts no goroutine that outlives the call, and never writes
// to a cluster.
//
// Everything that happens is told to observers as events; [Logr] and [Slog]
// are ready ones.
package runner
