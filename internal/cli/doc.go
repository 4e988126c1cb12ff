// Package cli implements the command dynamic-pipeline: package machine/command with the
// catalogue of the Migration Toolkit for Containers (MTC), and the subcommand convert.
//
// It reads objects and prints. Package phases/mtc finds the flags of migrations, package
// machine plans them, package legacy reads statuses of earlier releases, and package
// machine/runner drives simulations.
//
// [Run] is the whole command, with its arguments and streams as parameters.
package cli
