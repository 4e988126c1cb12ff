// Package bench compares this project with its alternatives: looplab/fsm,
// qmuntal/stateless and cocoonspace/fsm used directly, loops over a list of phases
// like those of mig-controller and forklift, and handwritten bit masks, the lower
// bound. All run MTC's Final with the same flags.
//
// Each benchmark checks the result of the measured code after its timed loop. The
// names follow one pattern, by which benchstat groups the contenders:
//
//	BenchmarkHop/by=looplab-shared
//
// TestREADME generates the README's tables from testdata/results.txt, and fails if
// they differ; with -update it rewrites them.
//
// It checks no times, which vary with the machine; only numbers of allocations are tested.
package bench
