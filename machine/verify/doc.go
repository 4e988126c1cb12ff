// Package verify checks itineraries before they run: it finds what is wrong in a
// definition over every assignment of its flags, and what a new release does to
// runs that are in flight.
//
// In any test of a controller one line is enough:
//
//	func TestItineraries(t *testing.T) {
//		verify.Test(t, itineraries, verify.Options{})
//	}
//
// [Check] is the same as data: findings by the rules that [Rules] lists, each with the
// place, the smallest assignment of flags that shows it and, if a plan shows it, the
// command that does. Options say more: what the selector returns, which phases have
// handlers and deadlines ([RunnerOf]), the file that the itineraries were read from
// ([Load]), and which findings are accepted, with a reason. [Source.Fix] removes from
// such a file what can go without changing any plan.
//
// It is exact: assignments are held as sets (binary decision diagrams), whatever their
// number, and runs are followed along every way that their handlers can choose and
// with every value that their phases can decide. What would take too much memory or
// time is not guessed but reported as [NotDecided].
//
// It is not for what handlers do, or for whether they tell the truth about flags:
// machine/machinetest runs them. It takes flags for known; in a cleanup itinerary,
// which does not wait for flags, an unknown one lets more phases run than is checked.
// And what it says of time ends with whether a deadline is set.
package verify
