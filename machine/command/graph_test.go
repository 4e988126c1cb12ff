package command_test

import (
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine/command"
	"github.com/konveyor/dynamic-pipeline/phases"
)

const upgradesFile = "testdata/upgrades.yaml"

func TestGraphDrawsTheRunsOfOneObject(t *testing.T) {
	code, out, stderr := upgradectl(t, "", "graph", "-f", "testdata/fleet.yaml", "-i", upgradesFile)
	assert.Equal(t, 1, code, "two items cannot be placed")
	assert.Contains(t, stderr, "item typo")
	assert.Contains(t, out, "databases/shop\n")
	assert.Contains(t, out, "1 here: orders")

	code, out, stderr = upgradectl(t, "", "graph", "-f", "testdata/fleet.yaml", "-i", upgradesFile, "--name", "shop[carts]")
	assert.Zero(t, code, stderr)
	assert.Contains(t, out, "databases/shop[carts]\nUpgrade, at WaitForReplica\n")
}

func TestGraphDiff(t *testing.T) {
	moved := strings.Replace(text(t, "testdata/runs.yaml"), "phase: CheckVersions", "phase: UpgradePrimary", 1)
	later := filepath.Join(t.TempDir(), "later.yaml")
	require.NoError(t, os.WriteFile(later, []byte(moved), 0o600))
	edited := filepath.Join(t.TempDir(), "edited.yaml")
	require.NoError(t,
		os.WriteFile(edited, []byte(strings.Replace(text(t, upgradesFile), "- {name: UpgradePri"+
			"mary, step: Cutover}", "- {name: UpgradePrimary, step: "+
			"Cutover}\n  - {name: Analyze, step: Cutover}", 1)), 0o600))

	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{
			"flag sets", []string{upgradesFile + "#Upgrade?HasReplicas", upgradesFile + "#Upgrade?HasReplicas,SchemaChanges"},
			[]string{"SchemaChanges: false -> true", "~   +   ChangeSchema"},
		},
		{
			"a flag that is unknown",
			[]string{upgradesFile + "#Upgrade?HasReplicas", upgradesFile + "#Upgrade?HasReplicas,SchemaChanges=unknown"},
			[]string{"SchemaChanges: false -> unknown"},
		},
		{"one side without flags", []string{upgradesFile + "#Upgrade", upgradesFile + "#Upgrade?SchemaChanges"}, []string{"SchemaChanges: false -> true"}},
		{"moments", []string{upgradesFile + "#Upgrade@CheckVersions", upgradesFile + "#Upgrade@UpgradePrimary"}, []string{"CheckVersions", "UpgradePrimary"}},
		{"versions", []string{upgradesFile, edited}, []string{"1 phase is new: Analyze"}},
		{
			"runs of files", []string{"-i", upgradesFile, "--name", "working", "testdata/runs.yaml", later},
			[]string{"was: databases/working of testdata/runs.yaml", "UpgradePrimary"},
		},
		{"nothing", []string{upgradesFile, upgradesFile}, nil},
		{"flags without an effect", []string{upgradesFile + "#Cancel?BackupWanted", upgradesFile + "#Cancel"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, stderr := upgradectl(t, "", append([]string{"graph", "--diff"}, tt.args...)...)
			assert.Zero(t, code)
			assert.Empty(t, strings.ReplaceAll(stderr, "note: left out, because it holds no state of a run: databases/not-begun\n", ""))
			if tt.want == nil {
				assert.Empty(t, out)
			}
			for _, want := range tt.want {
				assert.Contains(t, out, want)
			}
			for _, format := range []string{"dot", "mermaid", "json", "svg"} {
				code, out, _ := upgradectl(t, "", append([]string{"graph", "-o", format, "--diff"}, tt.args...)...)
				assert.Zero(t, code)
				assert.Equal(t, tt.want == nil, out == "", format)
			}
		})
	}
}

// gzipped writes a compressed text to a file.
func gzipped(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "text.yaml.gz")
	f, err := os.Create(name)
	require.NoError(t, err)
	z := gzip.NewWriter(f)
	_, err = z.Write([]byte(text))
	require.NoError(t, errors.Join(err, z.Close(), f.Close()))
	return name
}

// pipe returns a pipe from which a text can be read once, like <(...) in a shell.
func pipe(t *testing.T, text string) string {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() {
		_, err := w.WriteString(text)
		done <- errors.Join(err, w.Close())
	}()
	t.Cleanup(func() { assert.NoError(t, errors.Join(<-done, r.Close())) })
	return fmt.Sprintf("/dev/fd/%d", r.Fd())
}

// A side of --diff is read like -f, and only once.
func TestGraphDiffReadsSidesLikeFiles(t *testing.T) {
	runs := text(t, "testdata/runs.yaml")
	moved := strings.Replace(runs, "phase: CheckVersions", "phase: UpgradePrimary", 1)
	edited := strings.Replace(text(t, upgradesFile), "- {name: UpgradePrimary, step: Cutover}",
		"- {name: UpgradePrimary, step: Cutover}\n  - {name: Analyze, step: Cutover}", 1)
	file := func(text string) string {
		name := filepath.Join(t.TempDir(), "text.yaml")
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		return name
	}
	const newPhase = "1 phase is new: Analyze"
	ofRuns := []string{"-i", upgradesFile, "--name", "working"}
	for _, tt := range []struct {
		name, stdin string
		options     []string
		before      string
		after       string
		want        string
	}{
		{"objects of gzip", "", ofRuns, gzipped(t, runs), gzipped(t, moved), "at UpgradePrimary"},
		{"objects of pipes", "", ofRuns, pipe(t, runs), pipe(t, moved), "at UpgradePrimary"},
		{"objects of standard input", moved, ofRuns, "testdata/runs.yaml", "-", "now: databases/working of standard input"},
		{"an empty document before objects", "", ofRuns, file("# a comment\n---\n---\n" + runs), file("%YAML 1.1\n---\n...\n" + moved), "at UpgradePrimary"},
		{"itineraries of gzip", "", nil, gzipped(t, text(t, upgradesFile)), gzipped(t, edited) + "#Upgrade", newPhase},
		{"itineraries of pipes", "", nil, pipe(t, text(t, upgradesFile)), pipe(t, edited), newPhase},
		{"itineraries of standard input", edited, nil, upgradesFile, "-", newPhase},
		{"an empty document before itineraries", "", nil, upgradesFile, file("# a comment\n" + edited), newPhase},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, stderr := upgradectl(t, tt.stdin, append(append([]string{"graph", "--diff"}, tt.options...), tt.before, tt.after)...)
			assert.Zero(t, code, stderr)
			assert.Contains(t, out, tt.want)
		})
	}

	code, _, stderr := upgradectl(t, runs, "graph", "--diff", "-", "-")
	assert.Equal(t, 2, code)
	assert.Equal(t, "both sides of --diff are standard input, which can be read only once; give a file for one\n", stderr)

	large := file("")
	require.NoError(t, os.Truncate(large, 64<<20+1))
	code, _, stderr = upgradectl(t, "", "graph", "--diff", large, upgradesFile)
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, "is larger than the limit of 64 MiB")
}

// Names are looked up in the itineraries of -i before the built-in ones.
func TestGraphDiffNamesItinerariesOfTheOption(t *testing.T) {
	code, out, stderr := upgradectl(t, "", "graph", "-i", upgradesFile, "--name", "shop[carts]", "--diff", "Upgrade?BackupWanted",
		"testdata/fleet.yaml")
	assert.Zero(t, code, stderr)
	assert.Contains(t, out, "was: Upgrade?BackupWanted\n")
	assert.Contains(t, out, "at start -> at WaitForReplica\n")

	edited := filepath.Join(t.TempDir(), "edited.yaml")
	require.NoError(t,
		os.WriteFile(edited,
			[]byte(strings.Replace(text(t, upgradesFile), "{name: ReportCancel,", "{name: ReportCancel, rides: true,", 1)), 0o600))
	code, out, stderr = upgradectl(t, "", "graph", "-i", edited, "--diff", upgradesFile+"#Cancel", "Cancel")
	assert.Zero(t, code, stderr)
	assert.Contains(t, out, "1 phase is defined differently: ReportCancel\n")

	for _, flags := range []string{"Upgrade?BackupWanted", "Upgrade@CheckVersions", upgradesFile + "#Upgrade?"} {
		code, out, stderr = upgradectl(t, "", "graph", "-i", upgradesFile, "--diff", "testdata/fleet.yaml", flags)
		assert.NotZero(t, code)
		assert.Empty(t, out)
		assert.Contains(t, stderr,
			"testdata/fleet.yaml has many runs, which compare only with many runs or an itinerary; pick one run with --name NAME[ITEM]\n")
	}
}

// Two lists of an object may have items of the same name.
func TestGraphOfTwoRunsOfOneName(t *testing.T) {
	const run = "{itinerary: Upgrade, phase: UpgradePrimary, visit: 3, facts: {hash: a, \"true\": [BackupWanted]}}"
	const object = "apiVersion: example.com/v1\nkind: Upgrade\nmetadata: {name: x, namespace: ns}\nstatus:\n" +
		"  vms:\n  - {name: a, run: " + run + "}\n  disks:\n  - {name: a, run: " + run + "}\n"
	code, out, stderr := upgradectl(t, object, "graph", "-f", "-", "-i", upgradesFile)
	assert.Zero(t, code, stderr)
	assert.Contains(t, out, "2 here: vms/a and disks/a")

	_, out, stderr = upgradectl(t, object, "graph", "-f", "-", "-i", upgradesFile, "--state-at", ".status.vms[*].run")
	assert.NotContains(t, stderr, "two runs")
	assert.Contains(t, out, "Upgrade, at UpgradePrimary")

	c := backups(t)
	c.Read = func(_ *command.Tool, all *command.Objects) command.Reading {
		var r command.Reading
		for _, o := range all.List {
			for range 2 {
				r.Runs = append(r.Runs, &command.Run{Object: o, Item: "a", Itinerary: "Backup"})
			}
		}
		return r
	}
	code, out, stderr = execute(t, c, backupObject("twice", ""), "graph", "-f", "-")
	assert.Equal(t, 1, code)
	assert.Equal(t,
		"kubectl backup: Backup ns/twice: item a: two runs on itinerary Backup have that name, and only the first is drawn; give each "+
			"item a unique name\n",
		stderr)
	assert.Contains(t, out, "1 run: ")
}

func TestGraphDiffOfItinerariesRefusesOptionsOfObjects(t *testing.T) {
	c := command.Catalogue{
		Command: "upgradectl", Itineraries: upgrades(t), Kind: "Upgrade",
		Options: []command.Option{{Name: "no-images", Usage: "there are no images"}},
		Sources: func(*command.Object, string, *command.Objects) (*phases.Sources, error) { return nil, nil },
	}
	for _, option := range []string{"today", "no-images"} {
		code, out, stderr := execute(t, c, "", "graph", "--diff", "Upgrade", "Cancel", "--"+option)
		assert.Equal(t, 2, code)
		assert.Empty(t, out)
		assert.Equal(t, "upgradectl: --"+option+" applies to objects, but both sides of --diff are itineraries; leave it out\n", stderr)
		code, _, stderr = execute(t, c, "", "graph", "-i", upgradesFile, "--diff", "testdata/runs.yaml", "Upgrade", "--"+option)
		assert.Equal(t, 2, code)
		assert.Contains(t, stderr, "--"+option+" applies only to the objects of the built-in itineraries")
	}
}

func TestGraphDiffUsage(t *testing.T) {
	edited := filepath.Join(t.TempDir(), "edited.yaml")
	require.NoError(t,
		os.WriteFile(edited,
			[]byte(strings.Replace(text(t, upgradesFile), "{name: ReportCancel,", "{name: ReportCancel, rides: true,", 1)), 0o600))
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"one side", []string{upgradesFile}, "--diff takes two sides to compare, each ITINERARY[@PHASE][?FLAG,...] or a file, not 1"},
		{"an unknown flag", []string{upgradesFile + "#Cancel", upgradesFile + "#Cancel?TrafficStoped"}, `did you mean "TrafficStopped"?`},
		{"an unknown phase", []string{upgradesFile + "#Cancel", upgradesFile + "#Cancel@ReportCancle"},
			upgradesFile + `#Cancel@ReportCancle: no phase "ReportCancle" in itinerary Cancel; did you mean "ReportCancel"?`},
		{"an unknown phase to draw", []string{"--around", "ReportCancle", upgradesFile + "#Cancel", edited + "#Cancel"},
			`--around: no phase "ReportCancle" in itinerary Cancel; did you mean "ReportCancel"?`},
		{"a phase and what runs", []string{"--around", "ReportCancel", "--only-run", upgradesFile, upgradesFile}, "exclude each other"},
		{"no phase to draw", []string{"--around", "", upgradesFile, upgradesFile}, "need the name of a phase"},
		{"an itinerary of its own", []string{"-i", "Abort", upgradesFile, upgradesFile}, "--diff compares its two arguments; leave out -i Abort, or "},
		{"an invalid value", []string{upgradesFile + "#Cancel", upgradesFile + "#Cancel?TrafficStopped=maybe"}, `TrafficStopped is true, false or unknown, not "maybe"`},
		{"a missing file", []string{upgradesFile + "#Cancel", "nowhere.yaml"}, "nowhere.yaml"},
		{
			"a flag of objects", []string{"testdata/runs.yaml?HasReplicas", upgradesFile},
			"testdata/runs.yaml?HasReplicas: flags and a phase apply to itineraries, but testdata/runs.yaml holds objects",
		},
		{"no phase behind @", []string{upgradesFile + "#Cancel@", upgradesFile + "#Cancel"}, upgradesFile + "#Cancel@: no phase follows @; name one, or leave @ out"},
		{"no phase behind @, with flags", []string{upgradesFile + "#Cancel", upgradesFile + "#Cancel@?TrafficStopped"}, "no phase follows @"},
		{"a name without objects", []string{"--name", "x", upgradesFile, edited}, "--name applies to objects, but both sides of --diff are itineraries; leave it out"},
		{"a place of states without objects", []string{"--state-at", ".status", upgradesFile, edited}, "--state-at applies to objects"},
		{"itineraries that no side is of", []string{"-i", upgradesFile, upgradesFile, edited}, "neither side of --diff is of -i " + upgradesFile + "; leave it out"},
		{"an unknown name beside -i", []string{"-i", upgradesFile, upgradesFile, "Upgrad"}, `unknown itinerary "Upgrad"; did you mean "Upgrade"?`},
		{"options of one drawing", []string{"--flags", "TrafficStopped", upgradesFile, upgradesFile}, "excludes --flags"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, stderr := upgradectl(t, "", append([]string{"graph", "--diff"}, tt.args...)...)
			assert.NotZero(t, code)
			assert.Empty(t, out)
			assert.Contains(t, stderr, tt.want)
			assert.NotContains(t, stderr, "around: testdata", "an argument is no option")
		})
	}
}

func text(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(b)
}
