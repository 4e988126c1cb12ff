// Package conformance tests the project against recorded facts: runs of
// mig-controller's own itineraries, objects as kubectl prints them, statuses of
// earlier releases, and the enhancement's own tests. It contains only tests. They
// accept other files of the same format, by absolute path:
//
//	go test ./tests/conformance/ -vectors FILE
//	go test ./tests/conformance/ -objects FILE -want FILE
//	go test ./tests/conformance/ -legacy FILE
//	go test ./tests/conformance/ -releases FILE
package conformance
