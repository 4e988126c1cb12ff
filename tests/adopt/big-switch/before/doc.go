// Package before is the controller before it adopts the library: its own code
// finds the next phase in the itineraries and keeps the pipeline.
//
// It is there for comparison; do not copy it.
package before
