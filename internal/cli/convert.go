package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/internal/rawjson"
	"github.com/konveyor/dynamic-pipeline/legacy"
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

func (a *app) convert() *cobra.Command {
	var files, set []string
	var to, naming, format string
	var noImages bool
	cmd := &cobra.Command{
		Use:   "convert --to (current | legacy) -f FILE...",
		Short: "Converts statuses between the old and the present form",
		Long: `Converts the statuses of MigMigrations and prints all objects, in the order and
the format in which they were read. Everything else stays as it was.

--to current makes of a status that mig-controller wrote the form of this
project: steps and phases get their present names, and steps that will not run
are not listed. What that drops is kept in the annotation
pipeline.konveyor.io/legacy. If the MigPlan of a migration is read with it, the
steps that have not started are replanned; those that depend on something
unknown stay. What is read, --set and --no-image-streams are as for plan.

--to legacy leads back, with the help of that annotation, and removes it.`,
		Example: `  # To the present form
  kubectl get migmigrations,migplans,migclusters,migrationcontrollers -n openshift-migration -o yaml > objects.yaml
  kubectl --context source get imagestreams --all-namespaces -o yaml > images.yaml
  dynamic-pipeline convert --to current -f objects.yaml -f images.yaml > current.yaml

  # And back
  dynamic-pipeline convert --to legacy -f current.yaml

  # As JSON, with steps named StateBackup and StateRestore
  dynamic-pipeline convert --to current --naming state -o json -f objects.yaml`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if to == "" {
				return errors.New("convert needs --to current or --to legacy")
			}
			if err := checkChoice("--to", to, toCurrent, toLegacy); err != nil {
				return err
			}
			if err := checkChoice("--naming", naming, namingData, namingState); err != nil {
				return err
			}
			if cmd.Flags().Changed("output") {
				if err := checkChoice("-o", format, formatJSON, formatYAML); err != nil {
					return err
				}
			}
			if len(files) == 0 {
				return errors.New("nothing to convert; give -f FILE with what kubectl get -o yaml or -o json prints")
			}
			if err := checkFiles(files); err != nil {
				return err
			}
			scheme := mtc.DataNames
			if naming == namingState {
				scheme = mtc.StateNames
			}
			settings, err := parseSettings(mtc.Vocabulary(), set)
			if err != nil {
				return err
			}
			if to == toLegacy && (noImages || len(set) > 0) {
				return errors.New("--set and --no-image-streams are for --to current, which plans steps; leave them out")
			}
			in := a.documents(files, false)
			c := converter{app: a, to: to, adapter: legacy.NewAdapter(builtin(), scheme), inventory: a.take(in, noImages), set: settings}
			c.convert(cmd.Context())
			return a.printDocuments(in.documents, format)
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&files, "file", "f", nil, filesUsage)
	f.StringVar(&to, "to", "", "`FORM` to convert to: current or legacy")
	f.StringVar(&naming, "naming", namingData, "`SCHEME` that names the steps that were StageBackup and StageRestore: data (DataBackup, DataRestore) or state (StateBackup, StateRestore)")
	registerOutput(cmd, &format, "", "output `FORMAT`: json or yaml (default: as read)", formatJSON, formatYAML)
	registerNoImages(cmd, &noImages)
	registerSet(cmd, &set, new(subject).completeSettings)
	complete(cmd, "to", fixed(toCurrent, toLegacy))
	complete(cmd, "naming", fixed(namingData, namingState))
	return cmd
}

// converter converts the migrations of streams.
type converter struct {
	*app
	to        string
	adapter   *legacy.Adapter
	inventory *inventory
	set       settings
}

// convert changes the texts of all migrations, all versions of them included,
// since all are printed. One that cannot be converted stays as it was.
func (c *converter) convert(ctx context.Context) {
	for _, m := range c.inventory.migrations {
		c.migration(m, c.selected(ctx, m))
	}
	for _, o := range c.inventory.others {
		if o.kind != mtc.KindMigration || o.broken {
			continue
		}
		m, err := decode[mtc.Migration](o)
		if err != nil {
			c.problem(err)
			continue
		}
		c.migration(&migration{m, o}, nil)
	}
	c.inventory.printNotes(c.app)
}

// selected is what the steps of a migration that have not started are planned
// from: those that depend on what is unknown stay if they are listed. It is nil
// if all stay, which they do without the plan.
func (c *converter) selected(ctx context.Context, m *migration) *legacy.Selected {
	if c.to != toCurrent {
		return nil
	}
	if _, err := c.inventory.objects(m); err != nil {
		return nil
	}
	return &legacy.Selected{Itinerary: mtc.Current(m.Migration), Facts: c.find(ctx, c.inventory, m, c.set).facts}
}

// migration converts a migration.
func (c *converter) migration(m *migration, now *legacy.Selected) {
	text, warnings, err := c.object(m.object, now)
	if err != nil {
		c.problem(m.object.wrong(err))
		return
	}
	for _, warning := range warnings {
		c.line("warning: %v", m.object.wrong(warning))
	}
	m.object.text = text
}

// NotTextError is a field of an object that must hold something else.
type NotTextError struct {
	Field, Got, Want string
}

func (e *NotTextError) Error() string {
	return fmt.Sprintf("%s holds %s; write %s", e.Field, e.Got, e.Want)
}

// object returns the text of an object with its status converted.
func (c *converter) object(o *object, now *legacy.Selected) (text []byte, warnings []error, err error) {
	m := rawjson.ParseObject(o.text)
	metadata := rawjson.ParseObject(m.Get("metadata"))
	annotations := metadata.Get("annotations")
	if !rawjson.IsNull(annotations) && annotations[0] != '{' {
		return nil, nil, &NotTextError{"metadata.annotations", jsonType(annotations), "an object"}
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
			return o.text, warnings, nil
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

// remainderOf is the remainder among annotations, or nil.
func remainderOf(annotations rawjson.Object) ([]byte, error) {
	value := annotations.Get(legacy.Annotation)
	if value == nil {
		return nil, nil
	}
	if value[0] != '"' {
		return nil, &NotTextError{"annotation " + legacy.Annotation, jsonType(value), "a string, or remove it"}
	}
	return []byte(rawjson.Unquote(value)), nil
}

// printDocuments prints documents as they were read, or in the format given:
// JSON if all were JSON.
func (a *app) printDocuments(documents []*document, format string) error {
	documents = slices.DeleteFunc(slices.Clone(documents), (*document).meaningless)
	yaml := format == formatYAML
	for _, d := range documents {
		yaml = yaml || format == "" && !d.json
	}
	out := output{w: a.stdout}
	for i, d := range documents {
		text := d.current()
		if yaml {
			if i > 0 {
				out.buf.WriteString("---\n")
			}
			writeYAML(&out.buf, text, 0)
		} else {
			if err := json.Indent(&out.buf, text, "", jsonIndent); err != nil {
				return err
			}
			out.buf.WriteByte('\n')
		}
		if err := out.spill(); err != nil {
			return err
		}
	}
	return out.flush()
}

// meaningless reports whether the document is one object without a text.
func (d *document) meaningless() bool {
	return !d.list && !d.array && len(d.objects) == 1 && d.objects[0].text == nil
}

// current is the text of a document with its objects as they are now, without
// those that have none.
func (d *document) current() []byte {
	if !d.list && !d.array {
		if len(d.objects) == 0 {
			return d.text
		}
		return d.objects[0].current()
	}
	var items []json.RawMessage
	for _, o := range d.objects {
		if o.text != nil {
			items = append(items, o.current())
		}
	}
	switch text := rawjson.Array(items); {
	case d.array:
		return text
	case len(d.objects) == 0:
		return d.text
	default:
		return withMember(d.text, "items", text)
	}
}

// current is the text of an object as it is now, in the event that it came in.
func (o *object) current() []byte {
	if o.event == "" {
		return o.text
	}
	return withMember(o.around, "object", o.text)
}

// withMember returns the text of an object with another value.
func withMember(object []byte, name string, value []byte) []byte {
	o := rawjson.ParseObject(object)
	o.Set(name, value)
	return o.Text()
}
