// Package job is a small controller that uses these features of a runner: two runs in
// one object, a live flag, a flag that a phase decides, a choice, a delay, a deadline,
// a limit of attempts, a cleanup itinerary, pauses, and repeated runs. Package faults
// tests with it that faults of a runner are found.
//
// It is not an example to copy: see tests/adopt.
package job
