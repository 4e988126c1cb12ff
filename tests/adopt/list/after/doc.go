// Package after is the controller after it has adopted the library. It shares
// package migration with package before. controller.go is the part of the
// controller that stays; the other files are the itineraries, the flags and
// the glue.
//
// It has no code for conflicts or for finding the next phase.
package after
