package cli_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
)

// gzipped returns a compressed text.
func gzipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.String()
}

// indirect is a stage migration under way whose images go through a backup, so its steps
// depend on whether there are any.
func indirect(more ...string) string {
	m := migration("m", `"stage": true`, `"itinerary": "Stage", "phase": "CleanStaleVeleroCRs", "pipeline": [
		{"name": "Prepare", "started": "2025-03-01T10:00:00Z", "phase": "CleanStaleVeleroCRs"},
		{"name": "StageBackup", "message": "Not started"}, {"name": "StageRestore", "message": "Not started"},
			{"name": "Cleanup", "message": "Not started"}]`)
	return stream(append([]string{planObject("p", `"indirectImageMigration": true`), host, source, intact, m}, more...)...)
}

const imageList = `{
    "apiVersion": "v1",
    "kind": "List",
    "items": [
        {
            "apiVersion": "image.openshift.io/v1",
            "kind": "ImageStream",
            "metadata": {"name": "is", "namespace": "app"},
            "spec": {"lookupPolicy": {"local": false}}
        }
    ]
}
`

// unreadImages are files that should list image streams, each damaged in another way.
func unreadImages(t *testing.T) map[string]string {
	large := func(name, begin string, size int64) string {
		file := write(t, name, begin)
		require.NoError(t, os.Truncate(file, size))
		return file
	}
	compressed := gzipped(t, imageList)
	return map[string]string{
		"a missing file":                 filepath.Join(t.TempDir(), "images.yaml"),
		"an empty file":                  write(t, "images.yaml", ""),
		"a directory without files":      t.TempDir(),
		"JSON that is cut off":           write(t, "images.json", imageList[:200]),
		"JSON that is cut off in a word": write(t, "images.json", imageList[:strings.Index(imageList, "false")+3]),
		"an array that is cut off":       write(t, "images.json", `[{"kind": "ImageStream", "metadata"`),
		"YAML that is cut off":           write(t, "images.yaml", "apiVersion: v1\nitems:\n- apiVersion: image.openshift.io/v1\n  kind: ImageStr"),
		"YAML with a tab":                write(t, "images.yaml", "kind: ImageStream\nmetadata:\n\tname: is\n"),
		"a list with a key twice": write(t, "images.yaml",
			"kind: List\nmetadata: {}\nmetadata: {}\nitems:\n- {kind: ImageStream, metadata: {name: is, namespace: app}}\n"),
		"a list of invalid items":           write(t, "images.yaml", "kind: ImageStreamList\nitems: 3\n"),
		"a list in a list":                  write(t, "images.json", stream(imageList)),
		"a broken item without its kind":    write(t, "images.yaml", "kind: List\nitems:\n- {metadata: {name: is}, spec: .inf}\n"),
		"a null item":                       write(t, "images.json", stream("null")),
		"an object without its kind":        write(t, "images.json", `{"metadata": {"name": "is", "namespace": "app"}}`),
		"the words of an error":             write(t, "images.yaml", "Error from server (Forbidden): imagestreams is forbidden\n"),
		"the words of an error, no mapping": write(t, "images.yaml", "Unable to connect to the server\n"),
		"an answer of the API server":       write(t, "images.json", `{"apiVersion": "v1", "kind": "Status", "status": "Failure", "message": "forbidden"}`),
		"a watch that ends in an error": write(t, "images.json",
			`{"type": "ERROR", "object": {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "too old resource version"}}`),
		"text that is not UTF-8":   write(t, "images.yaml", "kind: ImageStream\nmetadata: {name: \xe9, namespace: app}\n"),
		"UTF-16":                   write(t, "images.yaml", "\xff\xfek\x00i\x00"),
		"a binary file":            write(t, "images.yaml", "\x7fELF\x00"),
		"gzip that is cut off":     write(t, "images.yaml.gz", compressed[:len(compressed)-10]),
		"gzip with a wrong sum":    write(t, "images.yaml.gz", compressed[:len(compressed)-8]+"\x00\x00\x00\x00"+compressed[len(compressed)-4:]),
		"gzip in name alone":       write(t, "images.yaml.gz", "\x1f\x8bno"),
		"gzip of gzip":             write(t, "images.yaml.gz", gzipped(t, compressed)),
		"a file that is too large": large("images.json", imageList, 64<<20+1),
	}
}

const listImageStreams = "kubectl get imagestreams --all-namespaces -o yaml"

// Input that could not be read to its end may hold image streams.
func TestUnreadImageStreams(t *testing.T) {
	objects := write(t, "objects.json", indirect())
	lines := func(r result, with string) (found int) {
		for _, line := range r.lines(t) {
			if strings.Contains(line, with) {
				found++
			}
		}
		return found
	}
	files := unreadImages(t)
	if !testscale.Reduced { // every command decompresses 64 MiB of it
		files["one that is too large after decompression"] = write(t, "images.json.gz", gzipped(t, imageList+strings.Repeat(" ", 64<<20)))
	}
	for name, file := range files {
		t.Run(name, func(t *testing.T) {
			r := run(t, "", "plan", "-f", objects, "-f", file, "-o", "json")
			assert.Equal(t, 1, r.code)
			e := elements(t, r.out)[0]
			assert.Equal(t, []string{"HasISs", "HasStageBackup"}, e.Unknown)
			assert.Equal(t, []string{"Prepare", "Cleanup"}, e.Steps)
			assert.Equal(t, []string{"DataBackup", "DataRestore"}, e.MaybeSteps)
			assert.Equal(t, "unknown", e.phase(t, "EnsureStageBackup").Runs)
			assert.Equal(t, 1, lines(r, "flag HasISs is unknown"))
			note := r.lines(t)[len(r.lines(t))-1]
			assert.True(t, strings.HasPrefix(note, "note: "), note)
			assert.Contains(t, note, file, "it names what was not read")
			assert.Contains(t, note, listImageStreams)
			assert.Contains(t, note, "--no-image-streams")
			assert.Contains(t, r.lines(t)[0], file, "the problem names it as well")

			r = run(t, "", "plan", "-f", objects, "-f", file)
			assert.Contains(t, r.out, "Prepare > (DataBackup) > (DataRestore) > Cleanup\n")

			r = run(t, "", "explain", "DataBackup", "-f", objects, "-f", file, "-o", "json")
			assert.Equal(t, 1, r.code)
			assert.Contains(t, r.out, `"runs": "unknown"`)
			assert.Equal(t, 1, lines(r, listImageStreams))

			r = run(t, "", "run", "-f", objects, "-f", file)
			assert.Equal(t, 1, r.code)
			assert.NotContains(t, r.out, "  done")
			assert.Equal(t, 1, lines(r, listImageStreams))

			r = run(t, "", "graph", "-f", objects, "-f", file)
			assert.Equal(t, 1, r.code)
			assert.Contains(t, r.out, "unknown: HasISs, HasStageBackup")
			assert.Equal(t, 1, lines(r, listImageStreams))

			r = run(t, "", "convert", "--to", "current", "-f", objects, "-f", file, "-o", "json")
			assert.Equal(t, 1, r.code)
			assert.Equal(t, []string{"Prepare", "DataBackup", "DataRestore", "Cleanup"}, pipeline(t, firstValue(t, r.out)))
			assert.Equal(t, 1, lines(r, listImageStreams))
		})
	}
}

// Input that could not be read to its end may hold the MigrationController, unless one of
// the namespace was read.
func TestLostStreamMayHoldTheController(t *testing.T) {
	m := migration("m", `"stage": true`, `"itinerary": "Stage", "phase": "CleanStaleVeleroCRs", "pipeline": [
		{"name": "Prepare", "started": "2025-03-01T10:00:00Z", "phase": "CleanStaleVeleroCRs"},
		{"name": "DirectImage", "message": "Not started"}, {"name": "Cleanup", "message": "Not started"}]`)
	elsewhere := strings.Replace(intact, `"ns"`, `"other"`, 1)
	for name, file := range unreadImages(t) {
		for _, tt := range []struct {
			name, stream string
			known        bool
		}{
			{"none is read", around("", m), false},
			{"one of another namespace is read", around("", elsewhere, m), false},
			{"one is read", around("", intact, m), true},
		} {
			t.Run(name+", and "+tt.name, func(t *testing.T) {
				unknown, stepsShown, maybe := []string{"EnableImage"}, []string{"Prepare", "Cleanup"}, []string{"DirectImage"}
				runs, reasons := "unknown", 1
				if tt.known {
					unknown, stepsShown, maybe = []string{}, []string{"Prepare", "DirectImage", "Cleanup"}, []string{}
					runs, reasons = "yes", 0
				}
				const why = "MigMigration ns/m: flag EnableImage is unknown: the MigrationController of namespace ns could not be read: "
				r := run(t, tt.stream, "plan", "-f", "-", "-f", file, "-o", "json")
				assert.Equal(t, 1, r.code)
				e := elements(t, r.out)[0]
				assert.Equal(t, unknown, e.Unknown)
				assert.Equal(t, stepsShown, e.Steps)
				assert.Equal(t, maybe, e.MaybeSteps)
				assert.Equal(t, runs, e.phase(t, "CreateDirectImageMigration").Runs)
				assert.Equal(t, reasons, strings.Count(r.stderr, why+file+" could not be read to the end; correct that first\n"))

				for _, command := range [][]string{{"explain", "DirectImage"}, {"graph"}, {"run"}} {
					r := run(t, tt.stream, append(command, "-f", "-", "-f", file)...)
					assert.Equal(t, 1, r.code, command)
					if command[0] != "graph" {
						assert.Equal(t, reasons > 0, strings.Contains(r.stderr, "EnableImage is unknown"), command)
					}
					assert.Equal(t, command[0] == "run" && tt.known, strings.HasSuffix(r.out, "  done: Succeeded\n"), command)
				}

				r = run(t, tt.stream, "convert", "--to", "current", "-f", "-", "-f", file, "-o", "json")
				assert.Equal(t, 1, r.code)
				assert.Equal(t, []string{"Prepare", "DirectImage", "Cleanup"}, pipeline(t, firstValue(t, r.out)))
			})
		}
	}
	r := run(t, around("", m), "plan", "-f", "-", "-o", "json")
	assert.Equal(t, 0, r.code, "all is read: there is none, and images are copied")
	assert.Equal(t, []string{"Prepare", "DirectImage", "Cleanup"}, elements(t, r.out)[0].Steps)
}

func firstValue(t *testing.T, text string) string {
	t.Helper()
	var value json.RawMessage
	require.NoError(t, json.NewDecoder(strings.NewReader(text)).Decode(&value), text)
	return string(value)
}

// Image streams that were read decide HasISs, whatever else was not read.
func TestReadImageStreamsCount(t *testing.T) {
	for name, file := range unreadImages(t) {
		r := run(t, indirect(images), "plan", "-f", "-", "-f", file, "-o", "json")
		assert.Equal(t, 1, r.code, name)
		assert.Empty(t, elements(t, r.out)[0].Unknown, name)
		assert.Equal(t, []string{"Prepare", "DataBackup", "DataRestore", "Cleanup"}, elements(t, r.out)[0].Steps, name)
		assert.NotContains(t, r.stderr, listImageStreams, name)

		other := strings.Replace(images, `"app"`, `"other"`, 1)
		r = run(t, indirect(other), "plan", "-f", "-", "-f", file, "-o", "json")
		assert.Equal(t, []string{"HasISs", "HasStageBackup"}, elements(t, r.out)[0].Unknown, name)
	}
}

func TestOptionNoImageStreams(t *testing.T) {
	for _, tt := range []struct {
		name, stream string
		files        []string
		option       bool
		code         int
		steps, maybe []string
		converted    []string
		notes        []string
	}{
		{"none is read", indirect(), nil, false, 1, []string{"Prepare", "Cleanup"}, []string{"DataBackup", "DataRestore"},
			[]string{"Prepare", "DataBackup", "DataRestore", "Cleanup"}, []string{noStreams}},
		{"there are none", indirect(), nil, true, 0, []string{"Prepare", "Cleanup"}, []string{}, []string{"Prepare", "Cleanup"}, []string{}},
		{
			"there are none, and a file is damaged", indirect(), []string{filepath.Join(t.TempDir(), "none.yaml")}, true, 1,
			[]string{"Prepare", "Cleanup"}, []string{}, []string{"Prepare", "Cleanup"}, []string{},
		},
		{
			"there are none but those read", indirect(images), nil, true, 0, []string{"Prepare", "DataBackup", "DataRestore", "Cleanup"},
			[]string{}, []string{"Prepare", "DataBackup", "DataRestore", "Cleanup"}, []string{},
		},
		{"in another namespace", indirect(strings.Replace(images, `"app"`, `"other"`, 1)), nil, false, 0,
			[]string{"Prepare", "Cleanup"}, []string{}, []string{"Prepare", "Cleanup"},
			[]string{"note: no ImageStream was read in namespace app, which counts as having none (HasISs); some were read in namespace other"}},
		{
			"in another namespace, and there are no others", indirect(strings.Replace(images, `"app"`, `"other"`, 1)), nil, true, 0,
			[]string{"Prepare", "Cleanup"}, []string{}, []string{"Prepare", "Cleanup"}, []string{},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := []string{"-f", "-"}
			for _, file := range tt.files {
				args = append(args, "-f", file)
			}
			if tt.option {
				args = append(args, "--no-image-streams")
			}
			notes := func(r result) []string {
				return slices.DeleteFunc(r.lines(t), func(line string) bool { return !strings.HasPrefix(line, "note: ") })
			}
			r := run(t, tt.stream, append([]string{"plan", "-o", "json"}, args...)...)
			assert.Equal(t, tt.code, r.code)
			assert.Equal(t, tt.notes, notes(r))
			assert.Equal(t, tt.steps, elements(t, r.out)[0].Steps)
			assert.Equal(t, tt.maybe, elements(t, r.out)[0].MaybeSteps)
			for _, command := range [][]string{{"explain", "DataBackup"}, {"graph"}, {"run"}} {
				r := run(t, tt.stream, append(command, args...)...)
				assert.Equal(t, tt.code, r.code, command)
				assert.Equal(t, tt.notes, notes(r), command)
			}
			r = run(t, tt.stream, append([]string{"convert", "--to", "current", "-o", "json"}, args...)...)
			assert.Equal(t, min(tt.code, len(tt.files)), r.code, "unknown fields are kept")
			assert.Equal(t, tt.notes, notes(r))
			assert.Equal(t, tt.converted, pipeline(t, firstValue(t, r.out)))
		})
	}
}

// An image stream without a namespace may be in any.
func TestImageStreamsWithoutANamespace(t *testing.T) {
	nowhere := `{"kind": "ImageStream", "metadata": {"name": "is"}}`
	elsewhere := strings.Replace(images, `"app"`, `"other"`, 1)
	const line = "ImageStream is: metadata.namespace is missing, so the object does not count; add it"
	for _, tt := range []struct {
		name, stream   string
		unknown, maybe []string
		steps          []string
	}{
		{"alone", indirect(nowhere), []string{"HasISs", "HasStageBackup"}, []string{"DataBackup", "DataRestore"}, []string{"Prepare", "Cleanup"}},
		{
			"with an empty one", indirect(strings.Replace(images, `"app"`, `""`, 1)), []string{"HasISs", "HasStageBackup"},
			[]string{"DataBackup", "DataRestore"}, []string{"Prepare", "Cleanup"},
		},
		{
			"beside one of another namespace", indirect(nowhere, elsewhere), []string{"HasISs", "HasStageBackup"},
			[]string{"DataBackup", "DataRestore"}, []string{"Prepare", "Cleanup"},
		},
		{"beside one of the namespace", indirect(nowhere, images), []string{}, []string{}, []string{"Prepare", "DataBackup", "DataRestore", "Cleanup"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, tt.stream, "plan", "-f", "-", "-o", "json")
			assert.Equal(t, 1, r.code)
			assert.Equal(t, line, r.lines(t)[0])
			e := elements(t, r.out)[0]
			assert.Equal(t, tt.unknown, e.Unknown)
			assert.Equal(t, tt.maybe, e.MaybeSteps)
			assert.Equal(t, tt.steps, e.Steps)

			r = run(t, tt.stream, "convert", "--to", "current", "-f", "-", "-o", "json")
			assert.Equal(t, 1, r.code)
			assert.Equal(t, []string{"Prepare", "DataBackup", "DataRestore", "Cleanup"}, pipeline(t, firstValue(t, r.out)))
		})
	}
}

// Only some migrations depend on images.
func TestImageStreamsThatNothingDependsOn(t *testing.T) {
	objects := stream(planObject("p", ""), host, source, migration("m", ``, ``))
	r := run(t, objects, "plan", "-f", "-", "-o", "json")
	assert.Equal(t, 0, r.code)
	assert.Equal(t, []string{noStreams}, r.lines(t))
	assert.Equal(t, []string{"HasISs"}, elements(t, r.out)[0].Unknown)
	assert.Empty(t, elements(t, r.out)[0].MaybeSteps)

	empty := strings.Replace(objects, `"namespaces": ["app"]`, `"namespaces": []`, 1)
	r = run(t, empty, "plan", "-f", "-", "-o", "json")
	assert.Equal(t, 0, r.code)
	assert.Empty(t, r.stderr, "without namespaces no image streams are needed")
}

// The objects that reference each other, left out one by one.
func TestMissingObjects(t *testing.T) {
	controller := object("MigrationController", "migration-controller", `, "spec": {"disable_image_copy": true}`)
	for _, tt := range []struct {
		name, stream string
		unknown      []string
		steps        []string
		want         []string
	}{
		{"a source cluster", stream(planObject("p", ""), host, images, migration("m", ``, ``)), []string{"EnableImage"}, []string{"Prepare", "Backup", "Restore", "Cleanup"},
			[]string{"MigMigration ns/m: flag EnableImage is unknown: the source MigCluster ns/source is missing; read it together with the migration"}},
		{"a destination cluster", stream(planObject("p", ""), source, images, migration("m", ``, ``)), []string{"EnableImage"}, []string{"Prepare", "Backup", "Restore", "Cleanup"},
			[]string{"MigMigration ns/m: flag EnableImage is unknown: the destination MigCluster ns/host is missing; read it together with the migration"}},
		{
			"one cluster that is both",
			stream(strings.ReplaceAll(planObject("p", ""), `"source"`, `"host"`), images, migration("m", ``, ``)), []string{},
			[]string{"Prepare", "Backup", "Restore", "Cleanup"}, []string{},
		},
		{"a controller", around("", migration("m", ``, ``)), []string{}, []string{"Prepare", "Backup", "DirectImage", "Restore", "Cleanup"}, []string{}},
		{"none, and the controller copies no images", around("", controller, migration("m", ``, ``)), []string{}, []string{"Prepare", "Backup", "Restore", "Cleanup"}, []string{}},
		{"a controller that is broken", around("", strings.Replace(controller, "true", "[]", 1), migration("m", ``, ``)), []string{"EnableImage"},
			[]string{"Prepare", "Backup", "Restore", "Cleanup"},
			[]string{"MigMigration ns/m: flag EnableImage is unknown: the MigrationController of namespace ns could not be read: correct it at standard input:1: items[4]"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, tt.stream, "plan", "-f", "-", "-o", "json")
			assert.Equal(t, min(1, len(tt.want)), r.code)
			lines := r.lines(t)
			assert.Equal(t, tt.want, lines[max(0, len(lines)-len(tt.want)):])
			e := elements(t, r.out)[0]
			assert.Equal(t, tt.unknown, e.Unknown)
			assert.Equal(t, tt.steps, e.Steps)
		})
	}
}

// A migration whose plan is missing is an error; the flags from its status and its spec are
// still printed.
func TestMissingPlan(t *testing.T) {
	const pipeline = `, "pipeline": [
		{"name": "Prepare", "started": "2025-03-01T10:00:00Z", "completed": "2025-03-01T10:01:00Z"},
		{"name": "StageBackup", "started": "2025-03-01T10:01:00Z", "completed": "2025-03-01T10:02:00Z"}]`
	gone := func(name string) string {
		return "MigMigration ns/" + name + ": the MigPlan ns/p is missing; read it together with the migration"
	}
	for _, tt := range []struct {
		name, spec, status string
		itinerary, phase   string
		done               bool
		flags, steps       []string
	}{
		{"done", `"stage": true, "quiescePods": true`, `"itinerary": "Stage", "phase": "Completed"` + pipeline, "Stage", "Completed", true,
			[]string{"Quiesce"}, []string{"Prepare", "DataBackup"}},
		{"canceled", `"canceled": true, "verify": true`, `"itinerary": "Cancel", "phase": "DeleteBackups"` + pipeline, "Cancel", "DeleteBackups", false,
			[]string{"HasVerify"}, []string{"Prepare", "DataBackup", "CleanupVelero", "CleanupHelpers", "CleanupUnquiesce", "Cleanup"}},
		{"underway", ``, `"itinerary": "Final", "phase": "EnsureFinalRestore", ` +
			`"conditions": [{"type": "StagePodsCreated", "status": "True"}]` + pipeline, "Final", "EnsureFinalRestore", false,
			[]string{"HasStagePods"}, []string{"Prepare", "DataBackup", "Restore", "Cleanup"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			objects := stream(host, source, images, migration(tt.name, tt.spec, tt.status))
			r := run(t, objects, "plan", "-f", "-", "-o", "json")
			assert.Equal(t, 1, r.code)
			assert.Equal(t, []string{gone(tt.name)}, r.lines(t), "one line, not one for each flag")
			e := elements(t, r.out)[0]
			assert.Equal(t, tt.itinerary, e.Itinerary)
			assert.Equal(t, tt.phase, *e.Phase)
			assert.Equal(t, tt.done, *e.Done)
			assert.Equal(t, tt.flags, e.Flags)
			assert.Equal(t, tt.steps, e.Steps)
			for _, p := range e.Phases {
				assert.False(t, tt.done && p.Runs != "no", p.Name)
			}

			r = run(t, objects, "explain", "Cleanup", "--step", "-f", "-")
			assert.Equal(t, 1, r.code)
			assert.Contains(t, r.out, "step Cleanup is ")
			assert.Equal(t, []string{gone(tt.name)}, r.lines(t))

			r = run(t, objects, "graph", "-f", "-")
			assert.Equal(t, 1, r.code)
			assert.Contains(t, r.out, tt.itinerary)
			assert.Equal(t, []string{gone(tt.name)}, r.lines(t))

			r = run(t, objects, "run", "-f", "-")
			assert.Equal(t, 1, r.code)
			assert.Equal(t, []string{gone(tt.name)}, r.lines(t))
			assert.Equal(t, tt.itinerary != "Final", strings.Contains(r.out, "  done"), "a cleanup itinerary does not wait for flags")
		})
	}
}

// References without a namespace find nothing; the error names possible targets.
func TestReferencesWithoutANamespace(t *testing.T) {
	m := strings.Replace(migration("m", ``, ``), `"migPlanRef": {"name": "p", "namespace": "ns"}`, `"migPlanRef": {"name": "p"}`, 1)
	r := run(t, around("", m), "plan", "-f", "-", "-o", "json")
	assert.Equal(t, 1, r.code)
	assert.Equal(t,
		[]string{"MigMigration ns/m: the MigPlan p could not be read: the reference has no namespace; MigPlan ns/p was read, so add its " +
			"namespace to the reference"},
		r.lines(t))
	assert.Equal(t, withoutPlan, elements(t, r.out)[0].Unknown)

	other := strings.Replace(planObject("p", ""), `"namespace": "ns"`, `"namespace": "other"`, 1)
	r = run(t, around("", other, m), "plan", "-f", "-")
	assert.Contains(t, r.stderr, "MigPlan ns/p or other/p was read")

	plan := strings.Replace(planObject("p", ""), `"srcMigClusterRef": {"name": "source", "namespace": "ns"}`,
		`"srcMigClusterRef": {"name": "source"}`, 1)
	require.NotEqual(t, planObject("p", ""), plan)
	r = run(t, stream(plan, host, source, images, migration("m", ``, ``)), "plan", "-f", "-", "-o", "json")
	assert.Equal(t, 1, r.code)
	assert.Equal(t,
		[]string{"MigMigration ns/m: flag EnableImage is unknown: the source MigCluster source could not be read: the reference has no " +
			"namespace; MigCluster ns/source was read, so add its namespace to the reference"},
		r.lines(t))
}
