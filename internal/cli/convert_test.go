package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	kyaml "sigs.k8s.io/yaml"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
)

// values returns the JSON values of a stream, with numbers as written.
func values(t testing.TB, text string) []any {
	t.Helper()
	var all []any
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	for {
		var v any
		err := dec.Decode(&v)
		if err == io.EOF {
			return all
		}
		require.NoError(t, err, text)
		all = append(all, v)
	}
}

func same(t testing.TB, want, got []any) {
	t.Helper()
	if !reflect.DeepEqual(want, got) { // cmp takes seconds for many objects
		t.Errorf("-want +got\n%s", cmp.Diff(want, got))
	}
}

// convert runs the command and requires that standard error has only the note about image
// streams.
func convert(t testing.TB, stdin string, args ...string) string {
	t.Helper()
	r := run(t, stdin, append([]string{"convert", "-f", "-"}, args...)...)
	assert.Equal(t, 0, r.code, r.stderr)
	assert.Empty(t, r.linesWithoutNote(t))
	return r.out
}

// legacyObjects returns the recorded statuses as MigMigrations, with a plan for every other
// one.
func legacyObjects(t testing.TB) (objects []string) {
	t.Helper()
	for _, file := range []string{"legacy-2021.jsonl", "legacy-2025.jsonl"} {
		for line := range strings.Lines(read(t, recorded(file))) {
			var l struct {
				ID                                      string
				Stage, MigrateState, Rollback, Canceled bool
				Flags                                   []string
				Status                                  json.RawMessage
			}
			require.NoError(t, json.Unmarshal([]byte(line), &l))
			name := strings.TrimSuffix(file, ".jsonl") + "-" + l.ID
			objects = append(objects, object("MigMigration", name, fmt.Sprintf(
				`, "spec": {"migPlanRef": {"name": %q, "namespace": "ns"}, "stage": %t, "migrateState": %t, "rollback": %t, "canceled": `+
					`%t}, "status": %s`,
				name, l.Stage, l.MigrateState, l.Rollback, l.Canceled, l.Status)))
			if len(objects)%2 == 0 {
				objects = append(objects, planObject(name, fmt.Sprintf(`"indirectVolumeMigration": %t, "indirectImageMigration": %t`,
					slices.Contains(l.Flags, "IndirectVolume"), slices.Contains(l.Flags, "IndirectImage"))))
			}
		}
	}
	require.Greater(t, len(objects), 300)
	return objects
}

// Keys and numbers of a converted object stay as written, in their order.
func TestConvertKeepsSpelling(t *testing.T) {
	t.Parallel()
	in := object("MigMigration", "m",
		`, "x\u0078": 1.0, "a\u003c>": -0, "status": {"z\u007a": 1e400, "phase": "", "itinerary": "Stage", "a": 1.50}`)
	out := convert(t, in, "--to", "current", "-o", "json")
	var at []int
	for _, want := range []string{`"x\u0078": 1.0`, `"a\u003c>": -0`, `"z\u007a": 1e400`, `"phase": "Created"`, `"a": 1.50`} {
		require.Contains(t, out, want)
		at = append(at, strings.Index(out, want))
	}
	require.IsIncreasing(t, at)
}

func TestConvertThereAndBack(t *testing.T) {
	t.Parallel()
	objects := legacyObjects(t)
	objects = objects[:testscale.Of(len(objects), len(objects)/4)]
	list := stream(append(objects, cluster...)...)
	asYAML, err := kyaml.JSONToYAML([]byte(list))
	require.NoError(t, err)
	for _, naming := range []string{"data", "state"} {
		t.Run(naming, func(t *testing.T) {
			t.Parallel()
			current := convert(t, list, "--to", "current", "--naming", naming)
			assert.NotContains(t, strings.ReplaceAll(current, `\"StageBackup\"`, ""), `"StageBackup"`)
			same(t, values(t, list), values(t, convert(t, current, "--to", "legacy", "--naming", naming)))

			// Repeating it changes nothing.
			same(t, values(t, current), values(t, convert(t, current, "--to", "current", "--naming", naming)))

			// A stream of objects instead of a list.
			each := strings.Join(objects, "\n")
			same(t, values(t, each), values(t, convert(t, convert(t, each, "--to", "current"), "--to", "legacy")))

			// YAML, as another implementation reads it.
			current = convert(t, string(asYAML), "--to", "current", "--naming", naming)
			back, err := kyaml.YAMLToJSON([]byte(convert(t, current, "--to", "legacy", "--naming", naming)))
			require.NoError(t, err)
			same(t, values(t, list), values(t, string(back)))

			// From one format to the other.
			asJSON := convert(t, string(asYAML), "--to", "current", "--naming", naming, "-o", "json")
			same(t, values(t, list), values(t, convert(t, asJSON, "--to", "legacy", "--naming", naming)))
		})
	}
}

const oldStatus = `"itinerary": "Final", "phase": "QuiesceApplications", "extra": 1.0, "pipeline": [
	{"name": "Prepare", "started": "2021-03-25T18:24:57Z", "completed": "2021-03-25T18:25:57Z", "message": "Completed"},
	{"name": "StageBackup", "started": "2021-03-25T18:25:57Z", "phase": "QuiesceApplications"},
	{"name": "DirectVolume", "message": "Not started"},
	{"name": "StageRestore", "message": "Skipped", "skipped": true},
	{"name": "Cleanup", "message": "Not started"}]`

// pipeline returns the names of the steps of the first migration of a list.
func pipeline(t *testing.T, text string) (names []string) {
	t.Helper()
	var list struct {
		Items []struct {
			Kind   string
			Status struct{ Pipeline []struct{ Name string } }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &list))
	for _, item := range list.Items {
		if item.Kind == "MigMigration" {
			for _, step := range item.Status.Pipeline {
				names = append(names, step.Name)
			}
			return names
		}
	}
	return nil
}

func TestConvertReplans(t *testing.T) {
	m := migration("m", ``, oldStatus)
	assert.Equal(t, []string{"Prepare", "DataBackup", "DirectVolume", "Cleanup"}, pipeline(t, convert(t, stream(m), "--to", "current")),
		"without the plan, steps that have not started stay, except skipped ones")
	assert.Equal(t, []string{"Prepare", "DataBackup", "DirectImage", "Restore", "Cleanup"},
		pipeline(t, convert(t, around("", m), "--to", "current")))
	assert.Equal(t, []string{"Prepare", "StateBackup", "DirectImage", "Restore", "Cleanup"},
		pipeline(t, convert(t, around("", m), "--to", "current", "--naming", "state")))
	assert.Equal(t, []string{"Prepare", "DataBackup", "Restore", "Cleanup"}, pipeline(t,
		convert(t, stream(m, planObject("p", ""), images), "--to", "current")),
		"steps that depend on an unknown flag are not added")

	listed := strings.Replace(m, "DirectVolume", "DirectImage", 1)
	assert.Equal(t, []string{"Prepare", "DataBackup", "DirectImage", "Restore", "Cleanup"}, pipeline(t,
		convert(t, stream(listed, planObject("p", ""), images), "--to", "current")),
		"and listed ones stay")
}

func TestConvertNotesMissingImageStreams(t *testing.T) {
	m := migration("m", ``, oldStatus)
	assert.Equal(t, []string{noStreams},
		run(t, stream(m, planObject("p", ""), host, source), "convert", "--to", "current", "-f", "-").lines(t))
	assert.Empty(t, run(t, stream(m), "convert", "--to", "current", "-f", "-").stderr, "nothing is planned")
	assert.Empty(t, run(t, stream(m, planObject("p", "")), "convert", "--to", "legacy", "-f", "-").stderr, "nothing is planned")
}

func TestConvertKeepsTheRemainderInAnAnnotation(t *testing.T) {
	annotations := func(text string) any {
		return values(t, text)[0].(map[string]any)["metadata"].(map[string]any)["annotations"]
	}
	m := migration("m", ``, oldStatus)
	current := convert(t, m, "--to", "current")
	require.Len(t, annotations(current), 1)
	assert.Contains(t, annotations(current), "pipeline.konveyor.io/legacy")
	assert.Nil(t, annotations(convert(t, current, "--to", "legacy")), "an empty map is removed, too")

	other := strings.Replace(m, `"name": "m"`, `"name": "m", "annotations": {"a": "b"}`, 1)
	assert.Len(t, annotations(convert(t, other, "--to", "current")), 2)
	assert.Equal(t, map[string]any{"a": "b"}, annotations(convert(t, convert(t, other, "--to", "current"), "--to", "legacy")))

	nothing := migration("m", ``, `"itinerary": "Final", "phase": "Started"`)
	assert.Nil(t, annotations(convert(t, nothing, "--to", "current")), "nothing changes")
}

func TestConvertWithoutTheAnnotation(t *testing.T) {
	m := migration("m", ``,
		`"itinerary": "Final", "phase": "Created", "pipeline": [{"name": "Prepare", "started": "t", "phase": "Created"}, {"name": `+
			`"StateBackup"}]`)
	want := migration("m", ``,
		`"itinerary": "Final", "phase": "", "pipeline": [{"name": "Prepare", "started": "t", "phase": ""}, {"name": "StageBackup"}]`)
	same(t, values(t, want), values(t, convert(t, m, "--to", "legacy")))
}

// Values that decoding and encoding would change.
const exact = `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {
	"on": "off", "1": "1", "1.0": 1.0, "big": 12345678901234567890, "huge": 1e400, "small": -0.10e-7,
	"z": -0, "null": null, "~": "~", "": "",
	"yes": "no", "y": "n", "0x1F": "0x1F", "1_000": "1_000", "12:30:45": "12:30:45", "2021-01-01": "2021-01-01",
	"=": "=", "<<": "<<", "!a": "&b", "- ": "# ", "a: b": "c #d",
	"lines": "a\n b\n\n", "tabs": "\ta\r\n", "esc": "\u0000\u001b\u007f\u0085\u00a0\u2028\ufeff\ud83d\ude00",
	"trail ": " lead",
	"html": "<a&b>", "true": true, "TRUE": "TRUE", ".inf": ".inf", "e": {}, "l": [], "n": [[], [[1, [2]], {}], {"a": [{"b": []}]}],
	"` + longKey + `": {"a": [1]}, "` + longKey + `2": ["x"]}}`

const longKey = "a key that is longer than what YAML allows before a colon, which happens in fields that name whole objects by their " +
	"content, so that"

func TestConvertKeepsEverythingElseExactly(t *testing.T) {
	objects := []string{
		exact, `{"kind": "Pod", "metadata": {"name": "p", "annotations": {"pipeline.konveyor.io/legacy": "not of a migration"}}}`,
		migration("m", ``, oldStatus), planObject("q", ``),
	}
	all := strings.Join(objects, "\n")
	for _, text := range []string{all, stream(objects...)} {
		same(t, values(t, text), values(t, convert(t, convert(t, text, "--to", "current"), "--to", "legacy")))
		asYAML := convert(t, text, "--to", "current", "-o", "yaml")
		same(t, values(t, text), values(t, convert(t, convert(t, asYAML, "--to", "legacy"), "--to", "legacy", "-o", "json")))
	}

	// Keys and strings that other YAML parsers would read as another type.
	asJSON, err := kyaml.YAMLToJSON([]byte(convert(t, strings.Replace(exact, `"huge": 1e400,`, ``, 1), "--to", "current", "-o", "yaml")))
	require.NoError(t, err)
	var want, got any // other readers round numbers
	require.NoError(t, json.Unmarshal([]byte(strings.Replace(exact, `"huge": 1e400,`, ``, 1)), &want))
	require.NoError(t, json.Unmarshal(asJSON, &got))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestConvertPrintsTheFormatItRead(t *testing.T) {
	yamlDocuments := "kind: A\nv: 1.0\n---\nkind: B\n"
	jsonObjects := "{\n    \"kind\": \"A\",\n    \"v\": 1.0\n}\n{\n    \"kind\": \"B\"\n}\n"
	assert.Equal(t, yamlDocuments, convert(t, yamlDocuments, "--to", "current"))
	assert.Equal(t, jsonObjects, convert(t, jsonObjects, "--to", "current"))
	assert.Equal(t, jsonObjects, convert(t, yamlDocuments, "--to", "current", "-o", "json"))
	assert.Equal(t, yamlDocuments, convert(t, jsonObjects, "--to", "current", "-o", "yaml"))
	assert.Equal(t, "apiVersion: v1\nitems:\n- kind: A\n- kind: B\nkind: List\n",
		convert(t, "apiVersion: v1\nitems:\n- kind: A\n- kind: B\nkind: List\n", "--to", "legacy"))
	assert.Equal(t, "kind: A\n---\nkind: B\n", convert(t, "{\"kind\": \"A\"}\n---\nkind: B\n", "--to", "legacy"),
		"YAML, if any input was")
	assert.Equal(t, "apiVersion: v1\nkind: List\nitems: []\n", convert(t, "apiVersion: v1\nkind: List\nitems: []\n", "--to", "legacy"))
	assert.Equal(t, "kind: List\n", convert(t, "kind: List\n", "--to", "legacy"))
}

func TestConvertKeepsUnconvertibleObjects(t *testing.T) {
	good := migration("good", ``, oldStatus)
	for _, tt := range []struct {
		name, object string
		to           string
		want         []string
	}{
		{"an invalid pipeline", migration("m", ``, `"pipeline": [3]`), "current", []string{"MigMigration ns/m: status.pipeline[0] is not an object"}},
		{"an invalid pipeline, back", migration("m", ``, `"pipeline": [3]`), "legacy", []string{"MigMigration ns/m: status.pipeline[0] is not an object"}},
		{"a field of the wrong type", migration("m", `"stage": 1`, oldStatus), "current", []string{"MigMigration ns/m: spec.stage: holds a JSON number; write true or false"}},
		{"invalid annotations", strings.Replace(migration("m", ``, oldStatus), `"name": "m"`, `"name": "m", "annotations": []`, 1), "current",
			[]string{"MigMigration ns/m: metadata.annotations holds a list; write an object"}},
		{"an invalid annotation", strings.Replace(migration("m", ``, oldStatus), `"name": "m"`, `"name": "m", "annotations": {"pipeline.konveyor.io/legacy": 1}`, 1), "legacy",
			[]string{"MigMigration ns/m: annotation pipeline.konveyor.io/legacy holds a number; write a string, or remove it"}},
		{"no object", `3`, "current", []string{"standard input:1: items[1]: holds a number where an object is needed"}},
		{"a list in a list", stream(good), "current", []string{"standard input:1: items[1]: is a List inside a list; give its items themselves"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, stream(good, tt.object), "convert", "--to", tt.to, "-f", "-")
			assert.Equal(t, 1, r.code)
			assert.Equal(t, tt.want, r.lines(t))
			items := values(t, r.out)[0].(map[string]any)["items"].([]any)
			require.Len(t, items, 2)
			same(t, values(t, tt.object), items[1:])
			same(t, values(t, convert(t, good, "--to", tt.to)), items[:1])
		})
	}
}

func TestConvertWarns(t *testing.T) {
	m := migration("m", ``, `"itinerary": "Final", "phase": "InitialBackupFailed", "pipeline": [{"name": "StageBackup"}]`)
	r := run(t, around("", m), "convert", "--to", "current", "-f", "-")
	assert.Equal(t, 0, r.code)
	assert.Equal(t,
		[]string{`warning: MigMigration ns/m: steps not started stay as they were: itinerary "Final" has no phase ` +
			`"InitialBackupFailed"; did you mean "InitialBackupCreated"?`},
		r.lines(t))
	assert.Equal(t, []string{"DataBackup"}, pipeline(t, r.out))

	m = strings.Replace(migration("m", ``, `"itinerary": "Final", "phase": "Created"`), `"name": "m"`,
		`"name": "m", "annotations": {"pipeline.konveyor.io/legacy": "{"}`, 1)
	r = run(t, m, "convert", "--to", "legacy", "-f", "-")
	assert.Equal(t, 0, r.code)
	require.Len(t, r.lines(t), 1)
	assert.Contains(t, r.lines(t)[0], "warning: MigMigration ns/m: annotation pipeline.konveyor.io/legacy is ignored: it cannot be read")
	assert.NotContains(t, r.out, "annotations")
}

// Everything that is read is printed and read again as the same, in both formats, and
// statuses of earlier releases are restored.
func FuzzRead(f *testing.F) {
	objects, err := json.Marshal(json.RawMessage(read(f, recorded("objects.json"))))
	require.NoError(f, err)
	var list struct{ Items []json.RawMessage }
	require.NoError(f, json.Unmarshal(objects, &list))
	for i := 0; i < len(list.Items); i += 9 {
		var b bytes.Buffer
		for _, item := range list.Items[i:min(i+3, len(list.Items))] {
			b.Write(item)
			b.WriteByte('\n')
		}
		f.Add(b.Bytes())
		asYAML, err := kyaml.JSONToYAML(list.Items[i])
		require.NoError(f, err)
		f.Add(asYAML)
	}
	f.Add([]byte(exact))
	f.Add([]byte(stream(migration("m", ``, oldStatus))))
	f.Add([]byte("a: &a [1]\nb: *a\n<<: {c: 1}\n---\n...\n--- {a: 0x1F}\n---\n? a\n: b"))
	f.Add([]byte("[1]\n{\"a\": 31}\n[[\"b\"]]"))
	f.Add([]byte("[" + migration("m", ``, oldStatus) + ", {}, 3]\n\ufeff[]"))
	f.Add(
		[]byte(
			watched("ADDED", migration("m", ``, oldStatus)) + watched("DELETED", migration("m", ``, oldStatus)) + watched("ERROR", "{}")))
	f.Add([]byte("\ufeff---\n\ufeffkind: A\nyes: on\n" + `{"kind": "Status", "status": "Failure"}`))
	f.Add([]byte(gzipped(f, migration("m", ``, oldStatus))))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		read := run(t, string(data), "convert", "--to", "legacy", "-f", "-", "-o", "json")
		if read.out == "" {
			return
		}
		want := values(t, read.out)
		for _, format := range []string{"json", "yaml"} {
			printed := run(t, read.out, "convert", "--to", "current", "-f", "-", "-o", format)
			back := run(t, printed.out, "convert", "--to", "legacy", "-f", "-", "-o", "json")
			same(t, want, values(t, back.out))
		}
		run(t, string(data), "plan", "-f", "-", "-o", "yaml", "--explain")
		run(t, string(data), "plan", "-f", "-", "--explain")
	})
}
