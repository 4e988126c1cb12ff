// Package cli is the command dynamic-pipeline: its subcommands, their options,
// what they read and how they print it.
//
// It only reads and prints. What a migration's flags are is found by package
// phases/mtc, what runs by package machine, what people see by package steps,
// old statuses are read by package legacy, and package machine/runner drives
// what is run with simulated work.
//
// [Run] is the whole command in one function, with its streams as arguments.
package cli
