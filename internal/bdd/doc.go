// Package bdd represents sets of assignments of boolean variables as reduced ordered binary
// decision diagrams. A set of any number of variables takes memory by its structure, not by its
// size, and equal sets are equal values.
//
// The package is small on purpose: it neither reorders variables nor collects garbage. Use a [Space]
// for one question and drop it. Its size is limited, and [Space.Err] reports that the limit was
// reached. After that all results are meaningless and must be dropped.
//
// The algorithms are those of R. E. Bryant, "Graph-Based Algorithms for Boolean Function
// Manipulation" (1986).
//
// It is for the checks of packages verify and machinetest, not for facts or guards in general:
// those are bit sets in package phases.
package bdd
