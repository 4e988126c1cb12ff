// Package machine turns an itinerary into a finite state machine and works out
// ahead which of its phases run.
//
// [Compile] checks an itinerary and makes it a [Graph]: immutable, shared by
// any number of goroutines. [Graph.Plan] walks the graph and says of each
// phase whether it runs, and why not; a [Machine] moves through it, one
// guarded transition at a time. Both judge guards by one implementation, so
// the plan is the run. What is unknown is never taken for false: a plan calls
// a phase unknown, and a machine waits for the flags that [Machine.Awaits] names
// (or, in a cleanup itinerary, runs the phase).
//
// A [Set] holds the itineraries of one controller. State lives outside: a
// [Checkpoint] is plain data, and [Set.Resume] makes a machine of it on any
// replica, at any time. If a phase is left in the middle for another itinerary,
// what it decides is unknown there.
//
// The machine is a looplab/fsm state machine underneath, kept off the sharp
// edges of that package: machines built per reconcile, deadlocks in callbacks,
// transitions that stay stuck when a context is cancelled, callbacks that are
// misspelt or get a special meaning by a name. A context that is done moves
// nothing, and no code of the embedder runs while a machine moves.
package machine
