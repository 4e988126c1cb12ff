package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/internal/rawjson"
	"github.com/konveyor/dynamic-pipeline/legacy"
	"github.com/konveyor/dynamic-pipeline/machine/command"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// The forms that --to takes.
const (
	toCurrent = "current"
	toLegacy  = "legacy"
)

// The naming schemes that --naming takes.
const (
	namingData  = "data"
	namingState = "state"
)

func convert(t *command.Tool) *cobra.Command {
	var to, naming string
	var o *command.ObjectOptions
	var format *string
	cmd := &cobra.Command{
		Use:   "convert --to (current | legacy) -f FILE...",
		Short: "Converts statuses between the old and the current form",
		Long: `Converts the statuses of MigMigrations and prints all objects, in the order and
the format in which they were read. Everything else is unchanged.

--to current converts a status that mig-controller wrote to the form of this
project: steps and phases get their current names, and steps that will not run
are not listed. The annotation pipeline.konveyor.io/legacy keeps what that drops.
If the MigPlan of a migration is read with it, steps that have not started are
replanned; those that depend on something unknown stay. Input, --set and
--no-image-streams are as for plan.

--to legacy restores the original from that annotation, and removes it.`,
		Example: `  # To the current form
  kubectl get migmigrations,migplans,migclusters,migrationcontrollers -n openshift-migration -o yaml > objects.yaml
  kubectl --context source get imagestreams --all-namespaces -o yaml > images.yaml
  dynamic-pipeline convert --to current -f objects.yaml -f images.yaml > current.yaml

  # And back
  dynamic-pipeline convert --to legacy -f current.yaml

  # As JSON, with steps named StateBackup and StateRestore
  dynamic-pipeline convert --to current --naming state -o json -f objects.yaml`,
		Args: t.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if to == "" {
				return errors.New("convert needs --to current or --to legacy")
			}
			if err := t.CheckChoice("--to", to, toCurrent, toLegacy); err != nil {
				return err
			}
			if err := t.CheckChoice("--naming", naming, namingData, namingState); err != nil {
				return err
			}
			if err := t.CheckOutput(cmd, *format); err != nil {
				return err
			}
			if len(o.Files()) == 0 {
				return errors.New("nothing to convert; give -f FILE with what kubectl get -o yaml or -o json prints")
			}
			if err := o.Check(); err != nil {
				return err
			}
			scheme := mtc.DataNames
			if naming == namingState {
				scheme = mtc.StateNames
			}
			if to == toLegacy && (cmd.Flags().Changed(noImagesOption) || o.Sets()) {
				return errors.New("--set and --no-image-streams are for --to current, which plans steps; leave them out")
			}
			all, reading := o.Read()
			c := converter{tool: t, options: o, to: to, adapter: legacy.NewAdapter(itineraries(), scheme), all: all, reading: reading}
			c.convert(cmd.Context())
			return t.Print(all, *format)
		},
	}
	o = t.RegisterObjects(cmd)
	format = t.RegisterOutput(cmd)
	f := cmd.Flags()
	f.StringVar(&to, "to", "", "`FORM` to convert to: current or legacy")
	f.StringVar(&naming, "naming", namingData,
		"`SCHEME` of names for the former steps StageBackup and StageRestore: "+
			"data (DataBackup, DataRestore) or state (StateBackup, StateRestore)")
	t.CompleteChoice(cmd, "to", toCurrent, toLegacy)
	t.CompleteChoice(cmd, "naming", namingData, namingState)
	return cmd
}

// converter converts the migrations of streams.
type converter struct {
	tool    *command.Tool
	options *command.ObjectOptions
	to      string
	adapter *legacy.Adapter
	all     *command.Objects
	reading command.Reading
}

// convert changes the texts of all migrations, including all versions of each, because all
// are printed. It leaves a migration unchanged that it cannot convert.
func (c *converter) convert(ctx context.Context) {
	for _, r := range c.reading.Runs {
		c.migration(r.Object, c.selected(ctx, r))
	}
	for _, o := range c.all.Others {
		if o.Kind != mtc.KindMigration || o.Broken() {
			continue
		}
		if _, err := decode[mtc.Migration](o); err != nil {
			c.tool.Problem(err)
			continue
		}
		c.migration(o, nil)
	}
	for _, note := range c.reading.Notes() {
		c.tool.Warn("note: %s", note)
	}
}

// selected returns the itinerary and the flags from which the steps that have not started
// are replanned. Listed steps that depend on something unknown stay. It returns nil if all
// steps stay, such as if the MigPlan is missing.
func (c *converter) selected(ctx context.Context, r *command.Run) *legacy.Selected {
	if c.to != toCurrent || r.Missing != nil {
		return nil
	}
	facts, err := c.options.Facts(ctx, r, c.reading)
	if err != nil {
		c.tool.Problem(r.Object.Wrong(err))
		return nil
	}
	return &legacy.Selected{Itinerary: r.Itinerary, Facts: facts}
}

// migration converts a migration.
func (c *converter) migration(o *command.Object, now *legacy.Selected) {
	text, warnings, err := c.object(o, now)
	if err != nil {
		c.tool.Problem(o.Wrong(err))
		return
	}
	for _, warning := range warnings {
		c.tool.Warn("warning: %v", o.Wrong(warning))
	}
	o.JSON = text
}

// NotTextError reports a field of an object that must hold another type.
type NotTextError struct {
	Field, Got, Want string
}

func (e *NotTextError) Error() string {
	return fmt.Sprintf("%s holds %s; write %s", e.Field, e.Got, e.Want)
}

// object returns the text of an object with its status converted.
func (c *converter) object(o *command.Object, now *legacy.Selected) (text []byte, warnings []error, err error) {
	m := rawjson.ParseObject(o.JSON)
	metadata := rawjson.ParseObject(m.Get("metadata"))
	annotations := metadata.Get("annotations")
	if !rawjson.IsNull(annotations) && annotations[0] != '{' {
		return nil, nil, &NotTextError{"metadata.annotations", rawjson.Type(annotations), "an object"}
	}
	kept := rawjson.ParseObject(annotations)
	remainder, err := remainderOf(kept)
	if err != nil {
		return nil, nil, err
	}

	status := m.Get("status")
	if c.to == toCurrent {
		up, err := c.adapter.UpgradeAgain(status, remainder, now)
		if err != nil {
			return nil, nil, err
		}
		status, warnings = up.Status, up.Warnings
		if up.Remainder == nil {
			return o.JSON, warnings, nil
		}
		kept.Set(legacy.Annotation, rawjson.Quote(string(up.Remainder)))
		metadata.Set("annotations", kept.Text())
	} else {
		down, err := c.adapter.Downgrade(status, remainder)
		if err != nil {
			return nil, nil, err
		}
		status, warnings = down.Status, down.Warnings
		if kept.Index(legacy.Annotation) >= 0 {
			kept.Remove(legacy.Annotation)
			metadata.Set("annotations", kept.Text())
			if len(kept) == 0 {
				metadata.Remove("annotations")
			}
		}
	}
	if status != nil {
		m.Set("status", status)
	}
	m.Set("metadata", metadata.Text())
	return m.Text(), warnings, nil
}

// remainderOf returns the remainder from the annotations, or nil.
func remainderOf(annotations rawjson.Object) ([]byte, error) {
	value := annotations.Get(legacy.Annotation)
	if value == nil {
		return nil, nil
	}
	if value[0] != '"' {
		return nil, &NotTextError{"annotation " + legacy.Annotation, rawjson.Type(value), "a string, or remove it"}
	}
	return []byte(rawjson.Unquote(value)), nil
}
