// Package oracle states, independently of the packages under test, what must
// have happened in the life of a run: a table of guards and a loop of its own.
// It imports nothing of this module.
//
// A test records what happened as a trace of [Event]s: what the object selected
// in each reconcile, what each source answered, which handler was called and
// what it returned, and what was persisted at the end. [Check] walks the trace
// with the [Definition] beside it, and returns an error that names the first
// event that must not have happened, or the first thing that must have happened
// and did not.
package oracle
