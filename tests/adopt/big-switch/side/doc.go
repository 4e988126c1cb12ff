// Package side is the controller after it has adopted the library from the
// side: it keeps its loop and its types, and the library finds the next phase
// and keeps the pipeline.
//
// It takes only the storage from package runner, and no Runner.
package side
