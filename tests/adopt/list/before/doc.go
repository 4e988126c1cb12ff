// Package before is the controller before it adopts the library: an itinerary
// without steps, a hand-written next, a switch that finds the step of a phase,
// and a loop over the virtual machines.
//
// It is there for comparison; do not copy it.
package before
