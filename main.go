// Command dynamic-pipeline shows what a migration will do before it starts: the steps that will
// run, and why the others will not. It is the command of package machine/command with MTC's
// catalogue; run it without arguments for help.
package main

import (
	"os"

	"github.com/konveyor/dynamic-pipeline/internal/cli"
	"github.com/konveyor/dynamic-pipeline/machine/command"
)

func main() { os.Exit(command.Main(cli.Catalogue())) }
