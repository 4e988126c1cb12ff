package cli_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// completions are the offers to a shell, and the directive.
func completions(t *testing.T, args ...string) (offered []string, directive string) {
	t.Helper()
	r := run(t, "", append([]string{"__complete"}, args...)...)
	require.Equal(t, 0, r.code)
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	for _, line := range lines[:len(lines)-1] {
		name, _, _ := strings.Cut(line, "\t")
		offered = append(offered, name)
	}
	return offered, lines[len(lines)-1]
}

// The names of cobra's directives in its protocol.
const (
	withFiles      = ":0"
	noFiles        = ":4"
	noFilesNoSpace = ":6"
)

func TestCompletion(t *testing.T) {
	file := write(t, "warm.yaml", several)
	for _, tt := range []struct {
		name      string
		args      []string
		want      []string
		directive string
	}{
		{"commands", []string{"c"}, []string{"compat", "completion", "convert"}, noFiles},
		{"itineraries", []string{"plan", "-i", ""}, []string{"Stage", "Final", "Cancel", "Failed", "Rollback"}, withFiles},
		{"itineraries with that prefix", []string{"explain", "-i", "F"}, []string{"Final", "Failed"}, withFiles},
		{"itineraries of a file", []string{"plan", "-i", file + "#"}, []string{file + "#Warm", file + "#Cold"}, noFiles},
		{"itineraries of a file with that prefix", []string{"plan", "-i", file + "#W"}, []string{file + "#Warm"}, noFiles},
		{"itineraries of no file", []string{"plan", "-i", filepath.Join(t.TempDir(), "none.yaml#")}, nil, noFiles},
		{"flags", []string{"plan", "--flags", "HasPre"}, []string{"HasPreBackupHooks", "HasPreRestoreHooks"}, noFilesNoSpace},
		{
			"the last of several flags", []string{"plan", "-i", "Final", "--flags", "Quiesce,HasPre"},
			[]string{"Quiesce,HasPreBackupHooks", "Quiesce,HasPreRestoreHooks"}, noFilesNoSpace,
		},
		{"flags that are not named yet", []string{"plan", "-i", "Final", "--flags", "HasPreBackupHooks", "--unknown", "HasPre"}, []string{"HasPreRestoreHooks"}, noFilesNoSpace},
		{
			"the last of several unknown flags", []string{"explain", "-i", "Final", "--unknown", "HasPreBackupHooks,HasPre"},
			[]string{"HasPreBackupHooks,HasPreRestoreHooks"}, noFilesNoSpace,
		},
		{"flags of a file", []string{"plan", "-i", file + "#Warm", "--flags", ""}, []string{"Due"}, noFilesNoSpace},
		{"flags of no file", []string{"plan", "-i", "none.yaml", "--flags", ""}, nil, noFilesNoSpace},
		{"names", []string{"explain", "Data"}, []string{"DataBackup", "DataRestore"}, noFiles},
		{"names of phases", []string{"explain", "--phase", "PreB"}, []string{"PreBackupHooks"}, noFiles},
		{"names of flags", []string{"explain", "--flag", "HasPre"}, []string{"HasPreBackupHooks", "HasPreRestoreHooks"}, noFiles},
		{"names of several kinds, once", []string{"explain", "DirectI"}, []string{"DirectImage"}, noFiles},
		{"flags of a file to explain", []string{"explain", "-i", file + "#Warm", "D"}, []string{"Disks", "Due"}, noFiles},
		{"steps that run", []string{"plan", "--runs", "Data"}, []string{"DataBackup", "DataRestore"}, noFiles},
		{"steps of a file that run", []string{"plan", "-i", file, "--runs", ""}, []string{"Disks", "Cutover"}, noFiles},
		{"itineraries to filter by", []string{"plan", "--itinerary-name", "F"}, []string{"Final", "Failed"}, noFiles},
		{"no files as names to filter by", []string{"plan", "--name", ""}, nil, noFiles},
		{"names of both", []string{"explain", "-i", "Cancel", "Cance"}, []string{"Canceling", "Canceled"}, noFiles},
		{"names of steps", []string{"explain", "--step", "-i", "Failed", ""}, []string{"CleanupHelpers", "Cleanup"}, noFiles},
		{"no second name", []string{"explain", "Prepare", ""}, nil, noFiles},
		{"formats", []string{"plan", "-o", ""}, []string{"table", "json", "yaml"}, noFiles},
		{"formats of explain", []string{"explain", "-o", ""}, []string{"table", "json", "yaml"}, noFiles},
		{"formats of convert", []string{"convert", "-o", ""}, []string{"json", "yaml"}, noFiles},
		{"forms", []string{"convert", "--to", ""}, []string{"current", "legacy"}, noFiles},
		{"schemes", []string{"convert", "--naming", ""}, []string{"data", "state"}, noFiles},
		{"files", []string{"plan", "-f", ""}, nil, withFiles},
		{"phases to fail at", []string{"run", "-i", "Final", "--fail-at", "InitialB"}, []string{"InitialBackupCreated"}, noFiles},
		{"phases of the itinerary that follows", []string{"run", "-i", "Final", "--fail-at", "Migr"}, []string{"MigrationFailed"}, noFiles},
		{"phases of a file to cancel at", []string{"run", "-i", file + "#Warm", "--cancel-at", ""}, []string{"Copy", "Cut"}, noFiles},
		{"phases of no file", []string{"run", "-i", "none.yaml", "--fail-at", ""}, nil, noFiles},
		{"itineraries to fail to", []string{"run", "-i", file + "#Warm", "--on-fail", ""}, []string{"Warm", "Cold"}, noFiles},
		{"itineraries to cancel to", []string{"run", "-i", "Final", "--on-cancel", "C"}, []string{"Cancel"}, noFiles},
		{"phases that decide flags", []string{"run", "-i", "Final", "--flag-flips-at", "EnsureStagePods"}, []string{
			"EnsureStagePodsFromRunning=", "EnsureStagePodsFromTemplates=", "EnsureStagePodsFromOrphanedPVCs=", "EnsureStagePodsTerminated="}, noFilesNoSpace},
		{"flags that a phase decides", []string{"run", "-i", "Final", "--flag-flips-at", "WaitForRefresh=Has"}, []string{
			"WaitForRefresh=HasPVs=", "WaitForRefresh=HasISs=", "WaitForRefresh=HasStageBackup="}, noFilesNoSpace},
		{"values of a flag", []string{"run", "-i", "Final", "--flag-flips-at", "WaitForRefresh=HasPVs="}, []string{
			"WaitForRefresh=HasPVs=true", "WaitForRefresh=HasPVs=false"}, noFiles},
		{"speeds", []string{"run", "--speed", ""}, []string{"1x", "10x", "60x", "1000x", "max"}, noFiles},
		{"itineraries to verify", []string{"verify", "-i", "F"}, []string{"Final", "Failed"}, withFiles},
		{"formats of reports", []string{"verify", "-o", ""}, []string{"table", "json", "sarif", "junit", "github"}, noFiles},
		{"levels", []string{"compat", "--fail-level", ""}, []string{"info", "warning", "error", "none"}, noFiles},
		{"the built-in release", []string{"compat", "m"}, []string{"mtc@current"}, withFiles},
		{"a second release", []string{"compat", "a.yaml", ""}, []string{"mtc@current"}, withFiles},
		{"no third release", []string{"compat", "a.yaml", "b.yaml", ""}, nil, noFiles},
		{"formats of run", []string{"run", "-o", ""}, []string{"table", "json"}, noFiles},
		{"itineraries to draw", []string{"graph", "-i", "Stage", "-i", "F"}, []string{"Final", "Failed"}, withFiles},
		{"flags to draw", []string{"graph", "-i", file, "--flags", ""}, []string{"Due"}, noFilesNoSpace},
		{
			"flags to draw that are not named yet",
			[]string{"graph", "-i", "Final", "--flags", "HasPreBackupHooks", "--unknown", "HasPre"}, []string{"HasPreRestoreHooks"},
			noFilesNoSpace,
		},
		{"moments to draw", []string{"graph", "-i", "Stage", "-i", "Final", "--at", "Created"}, []string{"Created"}, noFiles},
		{"phases to draw around, of a file", []string{"graph", "-i", file, "--around", ""}, []string{"Copy", "Cut"}, noFiles},
		{"phases to draw around, of anything", []string{"graph", "--around", "Migr"}, []string{"MigrationFailed"}, noFiles},
		{"phases to draw around, of no file", []string{"graph", "-i", "none.yaml", "--around", ""}, nil, noFiles},
		{"formats of graph", []string{"graph", "-o", ""}, []string{"text", "dot", "mermaid", "json", "svg"}, noFiles},
		{"no files as names to draw", []string{"graph", "--name", ""}, nil, noFiles},
		{"no files as names", []string{"run", "--name", ""}, nil, noFiles},
	} {
		t.Run(tt.name, func(t *testing.T) {
			offered, directive := completions(t, tt.args...)
			assert.Equal(t, tt.want, offered)
			assert.Equal(t, tt.directive, directive)
		})
	}

	all, _ := completions(t, "explain", "")
	assert.Contains(t, all, "DataBackup")
	assert.Contains(t, all, "MigrationFailed")
	slices.Sort(all)
	assert.Equal(t, slices.Compact(slices.Clone(all)), all, "each once")
}

func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		r := run(t, "", "completion", shell)
		assert.Equal(t, 0, r.code)
		assert.Contains(t, r.out, "__complete", shell)
	}
}
