// Command kubectl-upgrade is a plugin of kubectl: "kubectl upgrade plan" shows what
// the upgrades of a database will do.
package main

import (
	_ "embed"
	"os"
	"strings"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/command"
	"github.com/konveyor/dynamic-pipeline/phases"
)

//go:embed upgrade.yaml
var definitions string

func main() {
	file, err := phases.Load(strings.NewReader(definitions), "upgrade.yaml")
	if err != nil {
		panic(err)
	}
	itineraries := machine.MustCompileSet(file.Itineraries...)
	os.Exit(command.Main(command.Catalogue{Command: "kubectl upgrade", Kind: "Upgrade", Noun: "upgrade", Itineraries: itineraries}))
}
