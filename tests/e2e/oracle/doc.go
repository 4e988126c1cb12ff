// Package oracle states what must happen in the life of a run, independently
// of the packages under test: it has its own table of guards and its own loop,
// and imports nothing of this module.
//
// A test records a trace of [Event]s: what the object selected in each
// reconcile, what each source answered, which handler was called and what it
// returned, and what was persisted at the end. [Check] walks the trace beside
// the [Definition]. It returns an error that names the first event that must
// not happen, or the first thing that must happen and did not.
//
// The oracle is for tests. It does not run anything.
package oracle
