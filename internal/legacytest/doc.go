// Package legacytest checks adapters of package legacy against recorded statuses.
// [Check] is an ordinary function that returns an error; unit tests and the
// conformance tests both call it for each recorded line.
//
// It records nothing: tests/conformance has the recorded statuses.
package legacytest
