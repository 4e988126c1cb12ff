// Package lives makes up lives of runs, plays them, and records what happens as
// a trace for the oracle: itineraries, and what happens to a run in them, as
// handlers that fail, err, wait, choose, go on later and change flags, cancels,
// rollbacks, pauses, sources that cannot be evaluated, clock steps, and writes that
// are lost.
//
// A life follows from its seed alone. It is played on a [Site], which holds the
// object and reconciles it: [Memory] calls a runner, and the end-to-end tests
// have one that calls the controller on a real API server.
package lives
