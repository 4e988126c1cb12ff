package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

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
	m := parseMembers(o.text)
	metadata := parseMembers(m.get("metadata"))
	annotations := metadata.get("annotations")
	if !isNull(annotations) && annotations[0] != '{' {
		return nil, nil, &NotTextError{"metadata.annotations", jsonType(annotations), "an object"}
	}
	kept := parseMembers(annotations)
	remainder, err := remainderOf(kept)
	if err != nil {
		return nil, nil, err
	}

	status := m.get("status")
	if c.to == toCurrent {
		up, err := c.adapter.UpgradeAgain(status, remainder, now)
		if err != nil {
			return nil, nil, err
		}
		status, warnings = up.Status, up.Warnings
		if up.Remainder == nil {
			return o.text, warnings, nil
		}
		annotations = kept.with(legacy.Annotation, appendString(nil, string(up.Remainder))).text()
		metadata = metadata.with("annotations", annotations)
	} else {
		down, err := c.adapter.Downgrade(status, remainder)
		if err != nil {
			return nil, nil, err
		}
		status, warnings = down.Status, down.Warnings
		if kept.index(legacy.Annotation) >= 0 {
			kept = kept.without(legacy.Annotation)
			metadata = metadata.with("annotations", kept.text())
			if len(kept) == 0 {
				metadata = metadata.without("annotations")
			}
		}
	}
	if status != nil {
		m = m.with("status", status)
	}
	return m.with("metadata", metadata.text()).text(), warnings, nil
}

// remainderOf is the remainder among annotations, or nil.
func remainderOf(annotations members) ([]byte, error) {
	value := annotations.get(legacy.Annotation)
	if value == nil {
		return nil, nil
	}
	var text string
	if err := json.Unmarshal(value, &text); err != nil || isNull(value) {
		return nil, &NotTextError{"annotation " + legacy.Annotation, jsonType(value), "a string, or remove it"}
	}
	return []byte(text), nil
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
	switch text := arrayText(items); {
	case d.array:
		return text
	case len(d.objects) == 0:
		return d.text
	default:
		return parseMembers(d.text).with("items", text).text()
	}
}

// current is the text of an object as it is now, in the event that it came in.
func (o *object) current() []byte {
	if o.event == "" {
		return o.text
	}
	return parseMembers(o.around).with("object", o.text).text()
}
