package command_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine/command"
)

// planned is the catalogue of testdata/runs.yaml.
func planned(t *testing.T) command.Catalogue {
	t.Helper()
	return command.Catalogue{Command: "kubectl upgrade", Kind: "Upgrade", Noun: "upgrade", Itineraries: upgrades(t)}
}

// firsts returns the first words of the lines of a table below its titles.
func firsts(out string) (names []string) {
	table, _, _ := strings.Cut(out, "\n\n")
	for i, line := range strings.Split(strings.TrimSpace(table), "\n") {
		if i > 0 && line[0] != ' ' {
			names = append(names, strings.Fields(line)[0])
		}
	}
	return names
}

func TestPlanFiltersUpgrades(t *testing.T) {
	c := planned(t)
	for _, tt := range []struct {
		args []string
		want []string
	}{
		{[]string{"--runs", "Backup"}, []string{"not-begun", "waiting-overdue", "paused", "canceled"}},
		{[]string{"--runs", "Backup", "--set", "BackupWanted=true"}, []string{"not-begun", "working", "waiting-overdue", "paused", "canceled"}},
		{[]string{"--itinerary-name", "Abort"}, []string{"cleaning-up", "failed"}},
		{[]string{"--name", "databases/stopped", "--name", "working"}, []string{"working", "stopped"}},
	} {
		_, out, stderr := execute(t, c, "", append([]string{"plan", "-f", "testdata/runs.yaml"}, tt.args...)...)
		assert.Equal(t, tt.want, firsts(out), "%v\n%s", tt.args, stderr)
	}
	code, _, stderr := execute(t, c, "", "plan", "-f", "testdata/runs.yaml", "--itinerary-name", "Rollback", "--runs", "Backup")
	assert.Equal(t, 0, code)
	assert.Regexp(t, `^kubectl upgrade: note: none of \d+ upgrades is on the itinerary Rollback and runs the step Backup\n$`, stderr)
	code, _, stderr = execute(t, c, "", "plan", "-f", "testdata/runs.yaml", "--name", "workin")
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, `did you mean "working"?`)
}

// If an object has many runs, NAME selects all of them and NAME[ITEM] one.
func TestPlanFiltersItems(t *testing.T) {
	const run = `"itinerary": "Upgrade", "phase": "CheckVersions", "visit": 1, "entered": "2026-11-20T11:59:20Z", "pipeline": [{"name": ` +
		`"Prepare", "started": "2026-11-20T11:59:20Z"}], "facts": {"hash": "0", "false": ["BackupWanted", "HasReplicas", ` +
		`"ReplicasLeft", "SchemaChanges", "TrafficStopped"]}`
	fleet := func(name string) string {
		return `{"apiVersion": "ops.example.com/v1", ` +
			`"kind": "Fleet", "metadata": {"name": "` + name + `", "namespace": "ns"}, ` +
			`"status": {"members": [{"name": "a", ` + run + `}, {"name": "b", ` + run + `}]}}`
	}
	c := planned(t)
	for name, want := range map[string][]string{
		"one":       {"one[a]", "one[b]"},
		"one[b]":    {"one[b]"},
		"ns/two[a]": {"two[a]"},
	} {
		code, out, stderr := execute(t, c, fleet("one")+fleet("two"), "plan", "-f", "-", "--name", name)
		assert.Equal(t, 0, code, stderr)
		assert.Equal(t, want, firsts(out))
	}
	code, _, stderr := execute(t, c, fleet("one"), "plan", "-f", "-", "--name", "one[c]")
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, `"one[c]"; did you mean "one[a]" or "one[b]"?`)
}

// A loop whose exit is decided inside it is tentative; a step whose phase has begun is not.
func TestExplainAndDiffOfUpgrades(t *testing.T) {
	c := planned(t)
	code, out, stderr := execute(t, c, "", "explain", "ReplicasLeft", "-f", "testdata/runs.yaml", "--name", "working", "--name",
		"waiting", "--name", "cleaning-up")
	assert.Equal(t, 0, code, stderr)
	assert.Equal(t, `flag ReplicasLeft: at least one replica still runs the old version
  relations    with ReplicasLeft, HasReplicas must be true
  in Upgrade   read by the guards of UpgradeReplica and WaitForReplica
               affects whether WaitForReplica jumps to UpgradeReplica
               decided by WaitForReplica
  in Abort     nothing depends on it

NAME          ITINERARY   KIND   RUNS    WHY
working       Upgrade     flag   false   flag ReplicasLeft is false
                                         - with ReplicasLeft=true, and so HasReplicas=true: step Replicas appears, `+
		`with UpgradeReplica, WaitForReplica and StopTraffic
waiting       Upgrade     flag   true?   flag ReplicasLeft is true; that may still change (decided by WaitForReplica)
                                         - with ReplicasLeft=false: the same steps, without UpgradeReplica
cleaning-up   Abort       flag   false   flag ReplicasLeft is false
                                         - nothing in itinerary Abort depends on it

NAME?   may still change, once a phase ahead has decided the flags that it depends on
`, out)

	code, out, stderr = execute(t, c, "", "plan", "-f", "testdata/runs.yaml", "--name", "working", "--set", "BackupWanted=true", "--diff")
	assert.Equal(t, 0, code, stderr)
	assert.Equal(t, `databases/working
  flags    BackupWanted        false -> true
  steps    + Backup            appears
           - Cleanup           vanishes
  phases   + StartBackup       runs: its guard, BackupWanted, holds
           + WaitForBackup     runs: its guard, BackupWanted, holds
           - RemoveOldImages   does not run: it runs only without BackupWanted
`, out)
}

// Steps that may still change are marked in all formats, without colours.
func TestTentativeStepsInAllFormats(t *testing.T) {
	file := filepath.Join(t.TempDir(), "move.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`
flags: [{name: Big}, {name: Huge}, {name: Asked}]
relations: [["!Huge", Big], ["!Huge", Asked]]
itineraries:
- name: Move
  phases:
  - {name: Look, step: Prepare, decides: [Big, Huge]}
  - {name: Copy, step: Copy, all: [Big]}
  - {name: Verify, step: Copy, all: [Asked], any: [Big, Asked]}
  - {name: Stage, step: Stage, all: [Big]}
  - {name: Split, step: Split, all: [Huge]}
  - {name: Ask, step: Ask, all: [Asked, Big]}
  - {name: Direct, step: Direct, none: [Big]}
`), 0o600))
	c := planned(t)
	plan := func(args ...string) string {
		_, out, _ := execute(t, c, "", append([]string{"plan", "-i", file, "--flags"}, args...)...)
		return out
	}
	const legend = "\nNAME?   may still change, once a phase ahead has decided the flags that it depends on\n"
	assert.Equal(t, "ITINERARY   STEPS\nMove        Prepare > Copy? > Stage?\n"+legend, plan("Big"))
	assert.Equal(t, "ITINERARY   STEPS\nMove        Prepare > Copy > Stage? > Ask?\n"+legend, plan("Big,Asked"),
		"Verify runs whatever Big is")

	blocks := plan("Big", "--explain")
	assert.Contains(t, blocks, "  steps   Prepare > Copy? > Stage?\n")
	assert.Contains(t, blocks, "Direct, may still come   runs only without Big")
	assert.NotContains(t, blocks, "Split, may", "Huge needs Asked, which no phase decides")
	assert.NotContains(t, blocks, "Ask, may")
	assert.True(t, strings.HasSuffix(blocks, legend), blocks)
	assert.Contains(t, plan("Big,Asked", "--explain"), "Split, may still come    needs Huge              Split (decided by Look)\n")

	assert.Contains(t, strings.Join(strings.Fields(plan("Big", "-o", "json")), " "),
		`"steps": [ "Prepare", "Copy", "Stage" ], "maybeSteps": [], "tentativeSteps": [ "Copy", "Stage", "Direct" ] }`)
	assert.Contains(t, plan("Big", "-o", "yaml"), "  tentativeSteps:\n  - Copy\n  - Stage\n  - Direct\n")
	assert.NotContains(t, plan("Big", "--set", "Big=unknown"), "?", "parentheses show that it is unknown")
}

// The phase that decides may come after the phase that a jump leads back to.
func TestExplainNamesWhoDecidesInALoop(t *testing.T) {
	code, out, stderr := upgradectl(t, "", "explain", "UpgradeReplica", "-f", "testdata/runs.yaml", "--name", "waiting")
	assert.Zero(t, code, stderr)
	assert.Contains(t, out, "that may still change (decided by WaitForReplica)")
}

func TestPlanOfARunThatHasNotBegun(t *testing.T) {
	code, _, stderr := upgradectl(t, "", "plan", "-f", "testdata/runs.yaml", "--name", "not-begun", "--set", "BackupWanted=true")
	assert.Equal(t, 1, code)
	assert.Equal(t,
		"Upgrade databases/not-begun: it has not begun, and records no "+
			"flag; give HasReplicas, ReplicasLeft and 2 more a value with --set\n",
		stderr)
}
