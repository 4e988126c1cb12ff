// Package faults plants faults in a copy of the runner and the machine, and tests that
// an exploration of the controller in package job finds each of them.
package faults
