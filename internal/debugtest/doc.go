// Package debugtest has the fixture for the tests of package debug and of its
// pages: a runner of MTC's itineraries that reports to a debug.Recorder, a clock
// that the test moves, and migrations in every state that the pages show. It is
// not a fixture for the runner itself: its handlers do no work.
package debugtest
