package command

import (
	"encoding/json"
	"slices"

	"github.com/konveyor/dynamic-pipeline/internal/rawjson"
)

// printDocuments prints documents in a format. If format is empty, it is JSON if all
// documents were read as JSON, otherwise YAML.
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

// meaningless reports whether the document is a single object without a text.
func (d *document) meaningless() bool {
	return !d.list && !d.array && len(d.objects) == 1 && d.objects[0].JSON == nil
}

// current returns the text of the document with the current texts of its objects, without
// objects that have none.
func (d *document) current() []byte {
	if !d.list && !d.array {
		if len(d.objects) == 0 {
			return d.text
		}
		return d.objects[0].current()
	}
	var items []json.RawMessage
	for _, o := range d.objects {
		if o.JSON != nil {
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

// current returns the current text of the object, inside the watch event that it came in.
func (o *Object) current() []byte {
	if o.event == "" {
		return o.JSON
	}
	return withMember(o.around, "object", o.JSON)
}

// withMember returns the text of an object with one member replaced.
func withMember(object []byte, name string, value []byte) []byte {
	o := rawjson.ParseObject(object)
	o.Set(name, value)
	return o.Text()
}
