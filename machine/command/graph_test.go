package command_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
	require.NoError(t, os.WriteFile(edited, []byte(strings.Replace(text(t, upgradesFile), "- {name: UpgradePrimary, step: Cutover}", "- {name: UpgradePrimary, step: Cutover}\n  - {name: Analyze, step: Cutover}", 1)), 0o600))

	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{"flag sets", []string{upgradesFile + "#Upgrade?HasReplicas", upgradesFile + "#Upgrade?HasReplicas,SchemaChanges"}, []string{"SchemaChanges: false -> true", "~   +   ChangeSchema"}},
		{"a flag that is unknown", []string{upgradesFile + "#Upgrade?HasReplicas", upgradesFile + "#Upgrade?HasReplicas,SchemaChanges=unknown"}, []string{"SchemaChanges: false -> unknown"}},
		{"one side without flags", []string{upgradesFile + "#Upgrade", upgradesFile + "#Upgrade?SchemaChanges"}, []string{"SchemaChanges: false -> true"}},
		{"moments", []string{upgradesFile + "#Upgrade@CheckVersions", upgradesFile + "#Upgrade@UpgradePrimary"}, []string{"CheckVersions", "UpgradePrimary"}},
		{"versions", []string{upgradesFile, edited}, []string{"1 phase is new: Analyze"}},
		{"runs of files", []string{"-i", upgradesFile, "--name", "working", "testdata/runs.yaml", later}, []string{"was: databases/working of testdata/runs.yaml", "UpgradePrimary"}},
		{"nothing", []string{upgradesFile, upgradesFile}, nil},
		{"flags without an effect", []string{upgradesFile + "#Cancel?BackupWanted", upgradesFile + "#Cancel"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, stderr := upgradectl(t, "", append([]string{"graph", "--diff"}, tt.args...)...)
			assert.Zero(t, code)
			assert.Empty(t, strings.ReplaceAll(stderr, "note: left out, since it holds no state of a run: databases/not-begun\n", ""))
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

func TestGraphDiffUsage(t *testing.T) {
	edited := filepath.Join(t.TempDir(), "edited.yaml")
	require.NoError(t, os.WriteFile(edited, []byte(strings.Replace(text(t, upgradesFile), "{name: ReportCancel,", "{name: ReportCancel, rides: true,", 1)), 0o600))
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
		{"an itinerary of its own", []string{"-i", "Abort", upgradesFile, upgradesFile}, "--diff takes what it compares as two arguments; leave out -i Abort, or "},
		{"a value that is none", []string{upgradesFile + "#Cancel", upgradesFile + "#Cancel?TrafficStopped=maybe"}, `TrafficStopped is true, false or unknown, not "maybe"`},
		{"a file that is not there", []string{upgradesFile + "#Cancel", "nowhere.yaml"}, "nowhere.yaml"},
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
