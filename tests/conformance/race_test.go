//go:build race

package conformance

// raceEnabled reports whether the tests run under the race detector, which makes
// explorations some ten times slower.
const raceEnabled = true
