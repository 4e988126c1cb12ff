// Package debug shows what the runs of a controller do and have done.
//
// A [Recorder] keeps a bounded history of runs. It is told of them by an observer
// of their runner ([NewObserver]), or by whoever reads their objects
// ([Recorder.Record]).
package debug
