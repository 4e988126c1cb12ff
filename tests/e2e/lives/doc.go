// Package lives generates random lives of runs, plays them, and records a
// trace for the oracle. A life has its own itineraries. Its handlers fail,
// return errors, wait, choose, continue later and change flags; there are
// cancels, rollbacks, pauses, sources that cannot be evaluated, clock steps,
// and lost writes.
//
// A life follows from its seed alone. It is played on a [Site], which holds
// the object and reconciles it. [Memory] calls a runner; the end-to-end tests
// have a site that calls the controller on a real API server.
//
// It does not judge a life: package oracle does.
package lives
