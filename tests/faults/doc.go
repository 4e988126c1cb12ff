// Package faults plants faults in a copy of the runner and the machine, and tests that
// an exploration of the controller in package job finds each of them.
//
// Faults in an embedder's handlers are not its subject: machinetest finds those in the
// tests of the embedder.
package faults
