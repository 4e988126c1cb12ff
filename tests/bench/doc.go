// Package bench measures this project beside what its users would otherwise take:
// looplab/fsm, qmuntal/stateless and cocoonspace/fsm used directly, the loops over
// a list of phases that mig-controller and forklift have, and bit masks written by
// hand, the limit. All of them go the same way: MTC's Final with the same flags.
//
// Each benchmark checks after its timed loop that what it measured came to the
// right end. The names follow one pattern, so that benchstat can put the
// contenders side by side:
//
//	BenchmarkHop/by=looplab-shared
//
// The README's tables are made from testdata/results.txt by its test, which fails
// if they differ; with -update it rewrites them.
package bench
