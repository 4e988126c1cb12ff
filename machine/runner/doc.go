// Package runner is what a reconcile calls: it moves one run on by one phase.
//
// The embedder gives handlers for the phases, sources for the flags, a
// selector of itineraries, and where on its own type the [State] is kept
// ([Options]), and calls [Runner.Reconcile]. That calls the
// handler of the current phase; when it is done, the flags that the phase
// decides are evaluated again, the plan and the pipeline follow, and the next
// phase is entered. It returns what to write and when to come back ([Outcome]).
// It never sleeps and never writes to a cluster. It starts no goroutine that
// outlives the call, except a source of the embedder that does not return
// although its context is done ([phases.LeftBehind]).
//
// What goes wrong is in the state as long as it lasts, beside the error that
// is returned: what is retried ([Retry]), why a run is stopped ([Stop]), and
// which itinerary the selector names in vain. How the run ends is there as well
// (State.Result), as data.
//
// What a run does at a moment, since when and why, [State.Status] works out of its
// state alone, for tables, pages and metrics; [DecodeState] reads one that is JSON.
//
// A run that has ended is followed by another when the object's token changes
// ([Options].Token): from the start, or from the phase that failed.
//
// Everything that happens is reported to observers as events; [NewLogrObserver]
// and [NewSlogObserver] are ready ones.
package runner
