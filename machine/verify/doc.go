// Package verify checks itineraries before they run. It finds problems of a definition
// over every assignment of its flags, and breaks that a new release causes for runs in
// flight.
//
// A controller needs one line in its tests:
//
//	func TestItineraries(t *testing.T) {
//		verify.Test(t, itineraries, verify.Options{})
//	}
//
// [Check] returns the same as data: findings by the rules that [Rules] lists. Each has
// its place, the smallest assignment of flags that shows it and, if a plan shows it, the
// command to reproduce it. [Options] add what the selector returns, which phases have
// handlers and deadlines ([RunnerOf]), the file that the itineraries were read from
// ([Load]), and accepted findings with reasons. [Source.Fix] removes from such a file
// what can go without changing any plan.
//
// [Compat] compares two releases: it takes every state that a run of one release can
// be in, and resumes it in the other. [Frozen] does so in a test, against the file of the last
// release.
//
// Check and Compat are exact. They hold assignments as sets (binary decision diagrams),
// whatever their number, and follow runs along every choice of their handlers and every
// value that their phases can decide. A question that would take too much memory or time
// is not guessed but reported, as [NotDecided] or [RuleInconclusive].
//
// The package does not check what handlers do, or whether they report flags correctly:
// package machinetest runs them. Check takes all flags as known; in a cleanup itinerary,
// which does not wait for flags, an unknown flag lets more phases run than it considers.
// As to time, it checks only whether deadlines are set.
package verify
