// Command mutate measures which faults the tests detect. It plants one small fault at a time in a
// package, a mutant, and runs the tests that could detect it:
//
//	make mutate N=50 SEED=1 PKG=phases   # try 50 mutants of phases that were not tried yet
//	make mutate-retry                    # retry those that live, after tests were added
//	make mutate-report                   # totals, and the mutants that live
//
// A mutant changes a comparison or computation, negates or disables a guard, removes a statement,
// changes a constant by one, or returns another value (see operators.go). Mutants are ordered by a
// hash of the seed and the mutant. The same seed therefore continues from where it stopped, and new
// code does not change the order of the rest.
//
// The source tree is never changed: the go command gets the file with the fault as an overlay. Only
// tests of packages that depend on the mutated one are run: its own first, then the fastest, until
// one fails. The outcome is one of
//
//   - killed: a test fails,
//   - timeout: a test does not end, or takes more processor time than the make target allows, which
//     counts as killed,
//   - alive: every test passes,
//   - broken: it does not compile, and is not counted.
//
// Each mutant adds one line of JSON to testdata/results.jsonl, under an identity made from the
// declaration that it changes. A mutant whose identity is in the file is not tried again, so a long
// sample can be taken in parts. One whose declaration has changed no longer counts. Of several
// lines for one mutant the last counts.
//
// A mutant that no test can detect is explained in alive.md, by its identity. The report fails
// while a living mutant is not explained there.
//
// The command is not part of the build: it measures tests, and does not replace them.
package main
