package cli

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/internal/rawjson"
	"github.com/konveyor/dynamic-pipeline/legacy"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/command"
	"github.com/konveyor/dynamic-pipeline/machine/dump"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// Run runs the command with the catalogue of MTC. See [command.Execute].
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return command.Execute(ctx, Catalogue(), args, stdin, stdout, stderr)
}

// Catalogue returns the catalogue of MTC.
func Catalogue() command.Catalogue {
	return command.Catalogue{
		Command:     "dynamic-pipeline",
		Itineraries: itineraries(),
		Switches:    switches(),
		Kind:        mtc.KindMigration,
		Noun:        "migration",
		List:        listObjects,
		Select:      selects,
		KindOf:      mtc.KindOf,
		Read: func(t *command.Tool, all *command.Objects) command.Reading {
			return newInventory(t, all).reading(t, all)
		},
		Options: []command.Option{{
			Name:    noImagesOption,
			Usage:   "the source clusters have no image streams other than those that are read",
			Instead: "with -i give --flags without HasISs",
		}},
		Texts:    texts,
		Name:     "mtc",
		Selected: mtc.Selected(),
		Suppress: mtc.Suppressed(),
		StepNow:  stepNow,
		Own:      func(t *command.Tool) []*cobra.Command { return []*cobra.Command{convert(t)} },
	}
}

// itineraries returns those of MTC, compiled once.
var itineraries = sync.OnceValue(func() *machine.Set { return machine.MustCompileSet(mtc.Itineraries()...) })

func switches() (all []dump.Switch) {
	for _, s := range mtc.Switches() {
		all = append(all, dump.Switch(s))
	}
	return all
}

// stepNow returns the current name of a step. The adapter of statuses knows the names of
// earlier releases.
func stepNow(name string) string {
	status := slices.Concat([]byte(`{"pipeline":[{"name":`), rawjson.Quote(name), []byte(`}]}`))
	up, err := legacy.NewAdapter(itineraries(), mtc.DataNames).Upgrade(status, nil)
	if err != nil {
		return name
	}
	var now struct{ Pipeline []struct{ Name string } }
	if err := json.Unmarshal(up.Status, &now); err != nil || len(now.Pipeline) == 0 {
		return name
	}
	return now.Pipeline[0].Name
}
