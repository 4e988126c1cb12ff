// Command dynamic-pipeline shows what a migration will do before it does it:
// the steps that will run, and why the others will not. See the package
// internal/cli, or run it without arguments.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/konveyor/dynamic-pipeline/internal/cli"
)

func main() {
	// A reader that goes away, such as head, is then an error of the write,
	// and ends the command quietly instead of by a signal.
	signal.Ignore(syscall.SIGPIPE)
	os.Exit(cli.Run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
