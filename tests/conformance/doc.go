// Package conformance holds the project against recorded facts: runs of
// mig-controller's own itineraries, objects as kubectl prints them, statuses
// as earlier releases stored them, and the enhancement's own tests. It has no
// code, only tests; other files of the same shape can be given to them, by
// absolute paths:
//
//	go test ./tests/conformance/ -vectors FILE
//	go test ./tests/conformance/ -objects FILE -want FILE
//	go test ./tests/conformance/ -legacy FILE
package conformance
