// Command mutate measures what the tests see. It plants one small fault at a time in
// a package, a mutant, and runs the tests that could notice it:
//
//	make mutate N=50 SEED=1 PKG=phases   # try 50 mutants of phases that were not tried yet
//	make mutate-retry                    # try those that lived once more, after tests were added
//	make mutate-report                   # totals, and the mutants that live
//
// A mutant compares otherwise, computes otherwise, negates or switches off a guard,
// leaves a statement out, moves a constant by one, or returns another value (see
// operators.go). Mutants come in the order of a hash of the seed and of the mutant, so
// the same seed goes on from where it stopped, and code that is added elsewhere does
// not change the order of the rest.
//
// The source tree is never touched: the file with the fault is given to the go command
// as an overlay. Only tests of packages that depend on the mutated one are run, its own
// first, then the fastest, up to the first that fails. The outcome is one of
//
//   - killed: a test fails,
//   - timeout: a test does not end, or takes more of the processor than the make target
//     allows, which counts as killed,
//   - alive: every test passes,
//   - broken: it does not compile, and counts as nothing.
//
// Each mutant adds one line of JSON to testdata/results.jsonl, under an identity made
// from the declaration that it changes. A mutant whose identity is in the file is not
// tried again, so that a long sample can be taken in parts, and one whose declaration
// has changed since no longer counts. Of several lines for one mutant the last counts.
//
// A mutant that no test can see is explained in alive.md, by its identity. The report
// fails as long as a mutant lives that is not explained there.
//
// No maintained tool does this: those that the module proxy serves copy the tree, try
// every mutant, run the tests of one package or of all, and start from nothing.
package main
