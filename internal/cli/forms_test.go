package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	kyaml "sigs.k8s.io/yaml"
)

// of adds an apiVersion to an object.
func of(apiVersion, object string) string {
	return strings.Replace(object, `{"kind"`, fmt.Sprintf(`{"apiVersion": %q, "kind"`, apiVersion), 1)
}

const (
	ours   = "migration.openshift.io/v1alpha1"
	theirs = "migrations.kubevirt.io/v1alpha1"
)

// The group of a kind counts: an object of another project is not MTC's, whatever its name.
func TestGroups(t *testing.T) {
	final := migration("m", ``, ``)
	indirectPlan := planObject("p", `"indirectImageMigration": true`)
	for _, tt := range []struct {
		name  string
		items []string
		steps []string // of the migration m
	}{
		{
			"ours",
			[]string{of(ours, final), of(ours, planObject("p", "")), of(ours, host), of(ours, source), of("image.openshift.io/v1", images)},
			[]string{"Prepare", "Backup", "DirectImage", "Restore", "Cleanup"},
		},
		{
			"another version",
			[]string{
				of("migration.openshift.io/v1", final), of("migration.openshift.io/v2", planObject("p", "")), of(ours, host),
				of(ours, source), of("image.openshift.io/v2", images),
			},
			[]string{"Prepare", "Backup", "DirectImage", "Restore", "Cleanup"},
		},
		{
			"another project's migration before",
			[]string{of(theirs, migration("m", `"stage": true`, ``)), of(ours, final), of(ours, planObject("p", "")), host, source, images},
			[]string{"Prepare", "Backup", "DirectImage", "Restore", "Cleanup"},
		},
		{
			"another project's migration behind",
			[]string{of(ours, final), of(ours, planObject("p", "")), host, source, images, of(theirs, migration("m", `"stage": true`, ``))},
			[]string{"Prepare", "Backup", "DirectImage", "Restore", "Cleanup"},
		},
		{
			"another project's plan",
			[]string{of(ours, final), of(ours, planObject("p", "")), host, source, images, of(theirs, planObject("p", `"hooks": [{"phase": "PreBackup"}]`))},
			[]string{"Prepare", "Backup", "DirectImage", "Restore", "Cleanup"},
		},
		{
			"another project's cluster",
			[]string{
				of(ours, final), of(ours, planObject("p", "")), host, source, images,
				of("cluster.example.com/v1", strings.Replace(source, "https://api.source.example.com:6443", "", 1)),
			},
			[]string{"Prepare", "Backup", "DirectImage", "Restore", "Cleanup"},
		},
		{
			"another project's controller",
			[]string{
				of(ours, final), of(ours, planObject("p", "")), host, source, images,
				of(theirs, object("MigrationController", "c", `, "spec": {"disable_image_copy": true}`)),
			},
			[]string{"Prepare", "Backup", "DirectImage", "Restore", "Cleanup"},
		},
		{
			"image streams of the old core group", []string{of(ours, final), of(ours, indirectPlan), host, source, of("v1", images)},
			[]string{"Prepare", "Backup", "DataBackup", "DataRestore", "Restore", "Cleanup"},
		},
		{
			"another project's image streams",
			[]string{
				of(ours, final), of(ours, indirectPlan), host, source,
				of("image.openshift.io/v1", strings.Replace(images, `"app"`, `"other"`, 1)), of("image.toolkit.fluxcd.io/v1", images),
			},
			[]string{"Prepare", "Backup", "Restore", "Cleanup"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, stream(tt.items...), "plan", "-f", "-", "-o", "json")
			assert.Equal(t, 0, r.code, r.stderr)
			all := elements(t, r.out)
			require.Len(t, all, 1)
			assert.Equal(t, "Final", all[0].Itinerary)
			assert.Equal(t, tt.steps, all[0].Steps)
		})
	}
}

func TestOnlyMigrationsOfAnotherProject(t *testing.T) {
	text := stream(of(theirs, migration("a", ``, ``)), of(theirs, migration("b", ``, ``)), of("v1", migration("c", ``, ``)),
		of(ours, planObject("p", "")))
	for _, args := range [][]string{{"plan"}, {"explain", "Cleanup"}, {"graph"}, {"run"}} {
		r := run(t, text, append(args, "-f", "-")...)
		assert.Equal(t, 1, r.code)
		assert.Equal(t,
			[]string{"there is no MigMigration in standard input; ignored: 2 of migrations.kubevirt.io/v1alpha1, which is another " +
				"project's; ignored: 1 of v1, which is another project's; list them with: kubectl get " +
				"migmigrations.migration.openshift.io,migplans.migration.openshift.io,migclusters.migration.openshift.io," +
				"migrationcontrollers.migration.openshift.io -n openshift-migration -o yaml"},
			r.lines(t))
	}
	r := run(t, text, "convert", "--to", "current", "-f", "-")
	assert.Equal(t, 0, r.code, r.stderr)
	same(t, values(t, text), values(t, r.out))
}

// versioned returns a stage or final migration with a uid and a resourceVersion.
func versioned(stage bool, uid, version string) string {
	more := ""
	if uid != "" {
		more += fmt.Sprintf(`, "uid": %q`, uid)
	}
	if version != "" {
		more += fmt.Sprintf(`, "resourceVersion": %q`, version)
	}
	return strings.Replace(migration("m", fmt.Sprintf(`"stage": %t`, stage), ``), `"namespace": "ns"}`, `"namespace": "ns"`+more+`}`, 1)
}

// Of two versions of an object one counts. The test tells them apart by stage and final.
func TestVersionsOfAnObject(t *testing.T) {
	const noted = "note: MigMigration ns/m differs between standard input:1: items[4] and standard input:1: items[5]; the later one " +
		"counts, since nothing shows which is newer"
	for _, tt := range []struct {
		name         string
		stage, final string // uid and resourceVersion
		want         []string
		later        bool     // the one read later counts
		notes        []string // in either order
	}{
		{"the higher version", "u 20", "u 3", []string{"Stage"}, false, nil},
		{"of numbers of any size", "u 100000000000000000000000000", "u 99999999999999999999999999", []string{"Stage"}, false, nil},
		{"with zeros in front", "u 010", "u 9", []string{"Stage"}, false, nil},
		{"without a uid", " 20", " 3", []string{"Stage"}, false, nil},
		{"the same version", "u 3", "u 3", nil, true, nil},
		{"another uid", "u 20", "v 3", nil, true, []string{noted}},
		{"one without a uid", "u 20", " 3", nil, true, []string{noted}},
		{"one without a version", "u 20", "u ", nil, true, []string{noted}},
		{"a version that is not a number", "u 20", "u x3", nil, true, []string{noted}},
		{"no versions", " ", " ", nil, true, []string{noted}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			one := func(stage bool, text string) string {
				uid, version, _ := strings.Cut(text, " ")
				return versioned(stage, uid, version)
			}
			stage, final := one(true, tt.stage), one(false, tt.final)
			for _, order := range []struct {
				items []string
				later string
			}{{[]string{stage, final}, "Final"}, {[]string{final, stage}, "Stage"}} {
				r := run(t, around("", order.items...), "plan", "-f", "-", "-o", "json")
				assert.Equal(t, 0, r.code, r.stderr)
				all := elements(t, r.out)
				require.Len(t, all, 1, "it counts once")
				want := order.later
				if !tt.later {
					want = "Stage"
				}
				assert.Equal(t, want, all[0].Itinerary)
				assert.Equal(t, append([]string{}, tt.notes...), r.lines(t))
			}
		})
	}
}

func TestVersionsOfEachKind(t *testing.T) {
	version := func(text, v string) string {
		return strings.Replace(text, `"namespace": "ns"}`, `"namespace": "ns", "uid": "u", "resourceVersion": "`+v+`"}`, 1)
	}
	controller := func(disabled string) string {
		return object("MigrationController", "c", `, "spec": {"disable_image_copy": `+disabled+`}`)
	}
	for _, items := range [][]string{
		{version(planObject("p", ""), "10"), version(planObject("p", `"indirectImageMigration": true`), "9"), host, source},
		{planObject("p", ""), host, version(source, "10"), version(strings.Replace(source, "https://api.source.example.com:6443", "", 1), "9")},
		{planObject("p", ""), host, source, version(controller("false"), "10"), version(controller("true"), "9")},
	} {
		r := run(t, stream(append(items, images, migration("m", ``, ``))...), "plan", "-f", "-", "-o", "json")
		assert.Equal(t, 0, r.code, r.stderr)
		assert.Empty(t, r.stderr)
		assert.Contains(t, elements(t, r.out)[0].Steps, "DirectImage")
	}
}

// Whether the other version counts depends on which is newer.
func TestVersionsThatCannotBeRead(t *testing.T) {
	const good = "u 5"
	version := func(text, v string) string {
		uid, number, _ := strings.Cut(v, " ")
		more := ""
		if uid != "" {
			more += `, "uid": "` + uid + `"`
		}
		if number != "" {
			more += `, "resourceVersion": "` + number + `"`
		}
		return strings.Replace(text, `"namespace": "ns"}`, `"namespace": "ns"`+more+`}`, 1)
	}
	twice := func(text string) string {
		return strings.TrimSuffix(text, "}") + `, "twice": 1, "twice": 2}`
	}
	controller := object("MigrationController", "c", "")
	for _, tt := range []struct {
		name, bad string
		known     bool // the other counts
	}{
		{"an older one", "u 4", true},
		{"an older one with fewer digits", "u 04", true},
		{"the same one", "u 5", true},
		{"a newer one", "u 6", false},
		{"a newer one with more digits", "u 10", false},
		{"of another uid", "v 4", false},
		{"without a uid", " 4", false},
		{"without a version", "u ", false},
		{"without either", " ", false},
		{"with a version that is not a number", "u x4", false},
	} {
		for _, kind := range []struct{ object, name, place string }{
			{migration("m", ``, ``), "MigMigration", ""},
			{planObject("p", ""), "MigPlan", "the MigPlan ns/p could not be read: correct it at "},
			{source, "MigCluster", "the source MigCluster ns/source could not be read: correct it at "},
			{controller, "MigrationController", "the MigrationController of namespace ns could not be read: correct it at "},
		} {
			others := slices.DeleteFunc([]string{planObject("p", ""), host, source, images, controller, migration("m", ``, ``)},
				func(o string) bool { return o == kind.object })
			newest, bad := version(kind.object, good), twice(version(kind.object, tt.bad))
			for order, items := range [][]string{{newest, bad}, {bad, newest}} {
				for form, text := range map[string]string{
					"JSON": stream(append(items, others...)...),
					"YAML": "kind: List\nitems:\n- " + strings.Join(append(items, others...), "\n- ") + "\n",
				} {
					what := fmt.Sprint(tt.name, ", ", kind.name, ", ", order, ", ", form)
					r := run(t, text, "plan", "-f", "-", "-o", "json")
					assert.Equal(t, 1, r.code, what)
					all := elements(t, r.out)
					switch {
					case tt.known:
						require.Len(t, all, 1, what)
						assert.Empty(t, all[0].Unknown, what)
						assert.Len(t, r.lines(t), 1, what)
					case kind.name == "MigMigration":
						assert.Empty(t, all, what)
					default:
						require.Len(t, all, 1, what)
						assert.Contains(t, all[0].Unknown, "EnableImage", what)
						assert.Contains(t, r.stderr, kind.place, what)
					}
				}
			}
		}
	}
}

func TestVersionsKeepTheOrderOfTheFirst(t *testing.T) {
	r := run(t, around("", versioned(true, "u", "1"), migration("n", ``, ``), versioned(false, "u", "2")), "plan", "-f", "-", "-o", "json")
	assert.Equal(t, []string{"m", "n"}, planned(t, r))
	assert.Equal(t, "Final", elements(t, r.out)[0].Itinerary)
}

func TestConvertAllVersions(t *testing.T) {
	older, newer := migration("m", ``, oldStatus), migration("m", `"verify": true`, oldStatus)
	for _, text := range []string{older, newer} {
		assert.Contains(t, text, "StageBackup")
	}
	out := convertAll(t, stream(older, newer))
	assert.NotContains(t, strings.ReplaceAll(out, `\"StageBackup\"`, ""), `"StageBackup"`)
	back := run(t, out, "convert", "--to", "legacy", "-f", "-")
	same(t, values(t, stream(older, newer)), values(t, back.out))
}

func convertAll(t *testing.T, text string) string {
	t.Helper()
	r := run(t, text, "convert", "--to", "current", "-f", "-")
	assert.Equal(t, 0, r.code, r.stderr)
	return r.out
}

func watched(kind, object string) string {
	return `{"type": "` + kind + `", "object": ` + object + "}\n"
}

func TestWatchStreams(t *testing.T) {
	base := watched("ADDED", planObject("p", "")) + watched("ADDED", host) + watched("ADDED", source) + watched("ADDED", images)
	bookmark := watched("BOOKMARK", `{"kind": "MigMigration", "apiVersion": "`+ours+`", "metadata": {"resourceVersion": "99"}}`)
	for _, tt := range []struct {
		name, stream string
		want         []string // itineraries
		code         int
	}{
		{"added", base + watched("ADDED", versioned(true, "u", "1")), []string{"Stage"}, 0},
		{"modified", base + watched("ADDED", versioned(true, "u", "1")) + watched("MODIFIED", versioned(false, "u", "2")), []string{"Final"}, 0},
		{"modified, without versions", base + watched("ADDED", versioned(true, "", "")) + watched("MODIFIED", versioned(false, "", "")), []string{"Final"}, 0},
		{"an older event behind", base + watched("MODIFIED", versioned(false, "u", "2")) + watched("ADDED", versioned(true, "u", "1")), []string{"Final"}, 0},
		{"deleted", base + watched("ADDED", versioned(true, "u", "1")) + watched("DELETED", versioned(true, "u", "2")), []string{}, 1},
		{
			"deleted, and made again",
			base + watched("ADDED", versioned(true, "u", "1")) + watched("DELETED", versioned(true, "u", "2")) + watched("ADDED", versioned(false, "v", "3")),
			[]string{"Final"}, 0,
		},
		{"a bookmark", base + watched("ADDED", versioned(true, "u", "1")) + bookmark, []string{"Stage"}, 0},
		{"in an array", "[" + strings.Join(strings.Split(strings.TrimSpace(base+watched("ADDED", versioned(true, "u", "1"))), "\n"), ",") + "]", []string{"Stage"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asYAML := ""
			for _, line := range strings.Split(strings.TrimSpace(tt.stream), "\n") {
				text, err := kyaml.JSONToYAML([]byte(line))
				require.NoError(t, err)
				asYAML += "---\n" + string(text)
			}
			for _, text := range []string{tt.stream, asYAML} {
				r := run(t, text, "plan", "-f", "-", "-o", "json")
				assert.Equal(t, tt.code, r.code, r.stderr)
				itineraries := []string{}
				for _, e := range elements(t, r.out) {
					itineraries = append(itineraries, e.Itinerary)
					assert.Empty(t, r.stderr)
				}
				assert.Equal(t, tt.want, itineraries)
			}
			r := run(t, tt.stream, "convert", "--to", "current", "-f", "-")
			assert.Equal(t, 0, r.code, r.stderr)
			same(t, values(t, tt.stream), values(t, r.out))
		})
	}

	old := watched("ADDED", migration("m", ``, oldStatus))
	out := convertAll(t, old)
	assert.Contains(t, out, `"type": "ADDED"`)
	assert.Contains(t, out, `"DataBackup"`)
	back := run(t, out, "convert", "--to", "legacy", "-f", "-")
	same(t, values(t, old), values(t, back.out))
}

func TestArrays(t *testing.T) {
	parts := append([]string{planObject("p", ""), migration("a", ``, ``), migration("b", `"stage": true`, ``)}, cluster...)
	array := "[" + strings.Join(parts, ", ") + "]"
	asYAML, err := kyaml.JSONToYAML([]byte(array))
	require.NoError(t, err)
	for name, text := range map[string]string{
		"as JSON": array, "as YAML": string(asYAML), "in lines": "[\n" + strings.Join(parts, ",\n") + "\n]\n", "several": "[" + strings.Join(
			parts[:3], ", ") + "]\n[" + strings.Join(parts[3:], ", ") + "] []",
		"as a flow sequence": "[" + strings.ReplaceAll(strings.Join(parts, ", "), `"kind"`, "kind") + ",]",
		"of lists' items":    "[" + strings.Join(parts[:5], ", ") + "]" + stream(parts[5]),
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, text, "plan", "-f", "-", "-o", "json")
			assert.Equal(t, 0, r.code)
			assert.Empty(t, r.stderr)
			assert.Equal(t, []string{"a", "b"}, planned(t, r))
		})
	}
	objects := strings.Join(legacyObjects(t)[:20], ", ")
	out := convertAll(t, "["+objects+"]")
	assert.True(t, strings.HasPrefix(out, "[\n"))
	back := run(t, out, "convert", "--to", "legacy", "-f", "-")
	same(t, values(t, "["+objects+"]"), values(t, back.out))

	const bad = `{"kind": "MigMigration", "metadata": {"name": "bad"}, "spec": {"items": [{"a": 1, "a": 2}]}}`
	r := run(t, "["+strings.Join(append(parts, bad, `{"kind": "A", "b": [1, 2], "b": 1}`, "3", intact), ",\n")+"]", "plan", "-f", "-",
		"-o", "json")
	assert.Equal(t, 1, r.code)
	assert.Equal(t, []string{
		`standard input:7: [6]: key "a" is repeated in one object; remove one`,
		`standard input:8: [7]: key "b" is repeated in one object; remove one`,
		"standard input:1: [8]: holds a number where an object is needed",
	}, r.lines(t))
	assert.Equal(t, []string{"a", "b"}, planned(t, r), "a bad element does not hide the others")
}

func TestByteOrderMarks(t *testing.T) {
	const mark = "\ufeff"
	parts := append([]string{planObject("p", ""), migration("a", ``, ``), migration("b", `"stage": true`, ``)}, cluster...)
	var documents []string
	for _, part := range parts {
		text, err := kyaml.JSONToYAML([]byte(part))
		require.NoError(t, err)
		documents = append(documents, string(text))
	}
	for name, text := range map[string]string{
		"before JSON values":                mark + strings.Join(parts, "\n"+mark),
		"before JSON values on one line":    strings.Join(parts, mark),
		"before arrays":                     mark + "[" + strings.Join(parts[:3], ",") + "]\n" + mark + "[" + strings.Join(parts[3:], ",") + "]",
		"before markers":                    mark + "---\n" + strings.Join(documents, mark+"---\n"),
		"behind markers":                    "---\n" + mark + strings.Join(documents, "---\n"+mark),
		"behind markers and comments":       "---\n" + mark + strings.Join(documents, "---\n# a\n\n"+mark),
		"before and behind markers":         mark + "---\n" + mark + strings.Join(documents, mark+"---\n"+mark),
		"behind dots":                       strings.Join(documents, "...\n"+mark),
		"before a directive":                mark + "%YAML 1.2\n---\n" + strings.Join(documents, "---\n"),
		"behind markers, with JSON":         mark + strings.Join(parts, "\n---\n"+mark),
		"behind markers, in Windows' lines": strings.ReplaceAll(mark+strings.Join(documents, "---\n"+mark), "\n", "\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, text, "plan", "-f", "-", "-o", "json")
			assert.Equal(t, 0, r.code)
			assert.Empty(t, r.stderr)
			assert.Equal(t, []string{"a", "b"}, planned(t, r))
		})
	}
	const inside = "kind: A\nv: \"" + mark + "a\"\n"
	assert.Equal(t, "kind: A\nv: \"\\uFEFFa\"\n", convert(t, mark+inside, "--to", "current"), "one inside a value stays")
	r := run(t, mark+"kind: A\n---\n"+mark+"kind: [\n", "plan", "-f", "-")
	assert.Contains(t, r.stderr, "standard input:4: is not YAML", "lines are counted as before")
}

// Scalars have the types that kubectl gives them.
func TestReadScalarsAsKubectl(t *testing.T) {
	for _, scalar := range []string{
		"y", "Y", "yes", "Yes", "YES", "yEs", "n", "N", "no", "No", "NO", "on", "On", "ON", "oN", "off", "Off", "OFF", "true", "True", "TRUE", "tRue", "false", "False", "FALSE",
		`"yes"`, "'on'", "|-\n  yes", ">-\n  no", "!!str yes", "!!bool yes", "!!bool \"on\"", "null", "Null", "NULL", "~", "nil", "none",
		"0", "1", "-1", "+1", "017", "0o17", "0x1F", "0b11", "1_000", "-0x1f", "12345678901234567890", "1.5", ".5", "-.5", "+.5", "1e3", "1.", "1_0.5", "12:30:45", "1:30",
		"2021-03-25", "2021-03-25T18:24:57Z", "text", "a b", "*", "=", "<",
	} {
		document := "kind: A\nv: " + scalar + "\n"
		want, err := kyaml.YAMLToJSON([]byte(document))
		if err != nil {
			assert.Equal(t, 1, run(t, document, "convert", "--to", "current", "-f", "-").code, scalar)
			continue
		}
		got, err := kyaml.YAMLToJSON([]byte(convert(t, document, "--to", "current", "-o", "json")))
		require.NoError(t, err)
		assert.JSONEq(t, string(want), string(got), scalar)

		if strings.ContainsAny(scalar, "|>~!") || strings.ContainsAny(scalar, ".:") ||
			strings.EqualFold(scalar, "null") || strings.Contains(scalar, "e3") {
			continue
		}
		document = "kind: A\n" + scalar + ": v\n"
		if want, err = kyaml.YAMLToJSON([]byte(document)); err != nil {
			continue
		}
		r := run(t, document, "convert", "--to", "current", "-f", "-", "-o", "json")
		if scalar != "+1" && scalar != "1_000" { // keys that are numbers stay as written
			assert.JSONEq(t, string(want), r.out, scalar+" as a key")
		}
	}

	r := run(t, "kind: A\nyes: 1\non: 2\n", "convert", "--to", "current", "-f", "-")
	assert.Equal(t, []string{`standard input:3: key "true" is repeated, first on line 2; remove one`}, r.lines(t))
}

func TestReadBooleansAsKubectl(t *testing.T) {
	for _, yes := range []string{"y", "yes", "Yes", "on", "ON", "true"} {
		document := strings.ReplaceAll(migration("m", `"stage": STAGE, "quiescePods": no`, ``), "STAGE", yes)
		objects := "kind: List\nitems: [" + strings.Join(append(cluster, planObject("p", ""), document), ", ") + "]\n"
		r := run(t, objects, "plan", "-f", "-", "-o", "json")
		assert.Equal(t, 0, r.code, r.stderr)
		e := elements(t, r.out)[0]
		assert.Equal(t, "Stage", e.Itinerary, yes)
		assert.NotContains(t, e.Flags, "Quiesce")
	}
}

// A directory as must-gather makes it: one file for each object, in folders for each
// namespace, group and kind.
func TestDirectories(t *testing.T) {
	root := filepath.Join(t.TempDir(), "must-gather.local.123")
	put := func(name, text string) string {
		file := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	asYAML := func(text string) string {
		out, err := kyaml.JSONToYAML([]byte(text))
		require.NoError(t, err)
		return "---\n" + string(out)
	}
	const group = "namespaces/ns/migration.openshift.io/"
	put(group+"migmigrations/b.yaml", asYAML(of(ours, migration("b", ``, ``))))
	put(group+"migmigrations/a.yml", asYAML(of(ours, migration("a", `"stage": true`, ``))))
	put(group+"migmigrations/c.json", of(ours, migration("c", ``, ``)))
	put(group+"migmigrations/d.yaml.gz", gzipped(t, asYAML(of(ours, migration("d", ``, ``)))))
	put(group+"migmigrations/e.json.gz", gzipped(t, of(ours, migration("e", ``, ``))))
	put(group+"migmigrations/f.yml.gz", asYAML(of(ours, migration("f", ``, ``)))) // compressed only by its name
	put(group+"migplans/p.yaml", asYAML(of(ours, planObject("p", ""))))
	put(group+"migclusters.yaml", asYAML(stream(of(ours, host), of(ours, source))))
	put("namespaces/app/image.openshift.io/imagestreams.yaml", asYAML(stream(of("image.openshift.io/v1", images))))
	put("namespaces/app/core/pods.yaml", asYAML(`{"apiVersion": "v1", "kind": "PodList", "items": [{"metadata": {"name": "pod"}}]}`))
	put("namespaces/app/pods/pod/logs/current.log", "not: [an object")
	put("version", "\x00")
	put("event-filter.html", "<html>")
	require.NoError(t, os.Symlink(filepath.Join(root, group, "migplans"), filepath.Join(root, "linked")))

	for _, directory := range []string{root, root + "/", root + "/../must-gather.local.123"} {
		r := run(t, "", "plan", "-f", directory, "-o", "json")
		assert.Equal(t, 0, r.code)
		assert.Empty(t, r.stderr)
		assert.Equal(t, []string{"a", "b", "c", "d", "e", "f"}, planned(t, r), "in the order of the names of files")
		for _, e := range elements(t, r.out) {
			assert.Contains(t, e.Steps, "DirectImage")
		}
	}

	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(root, link))
	assert.Len(t, planned(t, run(t, "", "plan", "-f", link, "-o", "json")), 6, "a link to a directory")

	twice := run(t, "", "plan", "-f", root, "-f", filepath.Join(root, group, "migmigrations"), "-o", "json")
	assert.Equal(t, 0, twice.code)
	assert.Empty(t, twice.stderr)
	assert.Len(t, planned(t, twice), 6, "an object that is read twice counts once")

	r := run(t, "", "convert", "--to", "current", "-f", root)
	assert.Equal(t, 0, r.code, r.stderr)
	assert.Equal(t, 10, strings.Count("\n"+r.out, "\nkind: "), "the documents of all files")

	// Every message names the file.
	put("etcd_info/health.json", `[{"endpoint": "a"}, {"endpoint": "b"}]`)
	bad := put(group+"migmigrations/g.yaml", "kind: [\n")
	wrong := put(group+"migmigrations/h.yaml", asYAML(of(ours, migration("h", `"stage": "true"`, ``))))
	empty := put(group+"migmigrations/i.yaml", "")
	cut := put(group+"migmigrations/j.yaml.gz", gzipped(t, strings.Repeat("kind: A\n", 100))[:30])
	dangling := filepath.Join(root, group, "migmigrations", "k.yaml")
	require.NoError(t, os.Symlink(filepath.Join(root, "nowhere"), dangling))
	r = run(t, "", "plan", "-f", root, "-o", "json")
	assert.Equal(t, 1, r.code)
	assert.Len(t, planned(t, r), 6, "the others are planned")
	lines := r.lines(t)
	assert.Equal(t, []string{
		"note: " + filepath.Join(root, "etcd_info/health.json") + ":1: [0]: is not a Kubernetes object; skipped",
		bad + ":2: is not YAML: did not find expected node content; correct it at this line or before it",
		empty + ": is empty; give what kubectl get -o yaml or -o json prints",
		cut + " cannot be decompressed: unexpected EOF; was it cut off?",
		"cannot read: stat " + dangling + ": no such file or directory; check the name",
		wrong + ":2: MigMigration ns/h: spec.stage: holds a JSON string; write true or false",
	}, lines[:6])

	lost := put("namespaces/lost/migmigration.yaml", asYAML(strings.ReplaceAll(of(ours, migration("l", ``, ``)), `"p"`, `"q"`)))
	r = run(t, "", "plan", "-f", filepath.Dir(lost))
	assert.Equal(t, []string{lost + ":2: MigMigration ns/l: the MigPlan ns/q is missing; read it together with the migration"}, r.lines(t))
}

// Compressed input is read from any source, and takes no more memory than a stream may.
func TestCompressed(t *testing.T) {
	good := around("", migration("m", ``, ``))
	for name, text := range map[string]string{
		"one part": gzipped(t, good), "several parts": gzipped(t, good[:100]) + gzipped(t, good[100:]),
	} {
		r := run(t, text, "plan", "-f", "-", "-o", "json")
		assert.Equal(t, 0, r.code, name)
		assert.Empty(t, r.stderr, name)
		assert.Equal(t, []string{"m"}, planned(t, r), name)
		r = run(t, "", "plan", "-f", write(t, "objects", text), "-o", "json")
		assert.Equal(t, []string{"m"}, planned(t, r), "by what it is, not by its name")
	}

	bomb := gzipped(t, strings.Repeat(" ", 1<<20))
	text := strings.Repeat(bomb, 2000) // 2 GB
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := run(t, text, "plan", "-f", "-")
	runtime.ReadMemStats(&after)
	assert.Equal(t, 1, r.code)
	assert.Equal(t, []string{"standard input is larger than the limit of 64 MiB; split it, or list fewer objects"}, r.lines(t))
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<30), "buffers double up to the limit, not to the 2 GB of the text")
}
