package command_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/command"
	"github.com/konveyor/dynamic-pipeline/phases"
)

const (
	hasHook phases.Flags = 1 << iota
	hasVolumes
	volumesLeft
	encrypted
	frozen
)

// backups is the catalogue of a small controller: a loop, a cleanup itinerary, and a guard
// whose flag is decided by a phase after it.
func backups(t *testing.T) command.Catalogue {
	t.Helper()
	v := phases.MustVocabulary([]phases.FlagDef{
		{Flag: hasHook, Name: "HasHook"}, {Flag: hasVolumes, Name: "HasVolumes"}, {Flag: volumesLeft, Name: "VolumesLeft"},
		{Flag: encrypted, Name: "Encrypted"}, {Flag: frozen, Name: "Frozen"},
	})
	set, err := machine.CompileSet(phases.Itinerary{Name: "Backup", Vocabulary: v, Phases: []phases.Phase{
		{Name: "Validate", Step: "Prepare"},
		{Name: "RunHook", Step: "Hooks", Guard: phases.Guard{All: hasHook}},
		{Name: "Thaw", Step: "Hooks", Guard: phases.Guard{All: frozen}},
		{Name: "Snapshot", Step: "Volumes", Guard: phases.Guard{All: hasVolumes}},
		{
			Name: "WaitForSnapshot", Step: "Volumes", Guard: phases.Guard{All: hasVolumes}, Decides: volumesLeft,
			Jumps: []phases.Jump{{To: "Snapshot", Guard: phases.Guard{All: volumesLeft}}},
		},
		{Name: "Encrypt", Step: "Upload", Guard: phases.Guard{All: encrypted}, Decides: frozen},
		{Name: "Upload", Step: "Upload"},
	}}, phases.Itinerary{Name: "CleanUp", Vocabulary: v, Cleanup: true, Result: phases.Failed, Phases: []phases.Phase{
		{Name: "DeleteSnapshots", Step: "CleanUp"},
	}})
	require.NoError(t, err)
	return command.Catalogue{Command: "kubectl backup", Kind: "Backup", Noun: "backup", Itineraries: set}
}

// backupObject returns a Backup with that status, given as the inside of a JSON object.
func backupObject(name, status string) string {
	return `{"apiVersion": "ops.example.com/v1", ` +
		`"kind": "Backup", "metadata": {"name": "` + name + `", "namespace": "ns"}, "status": {` + status + `}}`
}

// atUpload is a backup without volumes that has passed Encrypt.
func atUpload(t *testing.T, name string) string {
	t.Helper()
	hash := hashOf(t, backups(t))
	return backupObject(name, `"itinerary": "Backup", "phase": "Upload", "visit": 3, "entered": "2026-11-20T11:59:20Z",
		"facts": {"hash": "`+hash+`", "true": ["Encrypted"], "false": ["HasHook", "HasVolumes", "VolumesLeft", "Frozen"]},
		"pipeline": [{"name": "Prepare", "started": "2026-11-20T11:59:00Z", "completed": "2026-11-20T11:59:10Z"},
			{"name": "Upload", "phase": "Upload", "started": "2026-11-20T11:59:10Z"}]`)
}

func hashOf(t *testing.T, c command.Catalogue) string {
	t.Helper()
	g, err := c.Itineraries.Graph("Backup")
	require.NoError(t, err)
	return g.Hash()
}

func TestPlanOfPhasesBehindThatDidNotRun(t *testing.T) {
	c, object := backups(t), atUpload(t, "retried")
	code, out, stderr := execute(t, c, object, "explain", "Volumes", "-f", "-")
	assert.Zero(t, code, stderr)
	assert.Contains(t, out, "step Volumes is not shown: no phase runs for it, since HasVolumes is false")
	assert.Contains(t, out, "- needs HasVolumes: Snapshot and WaitForSnapshot")
	assert.NotContains(t, out, "behind")

	code, out, stderr = execute(t, c, object, "plan", "-f", "-", "--explain")
	assert.Zero(t, code, stderr)
	_, leftOut, _ := strings.Cut(out, "left out\n")
	assert.Equal(t, `    Hooks     needs HasHook                     RunHook
              is behind: the run is at Upload   Thaw
    Volumes   needs HasVolumes                  Snapshot, WaitForSnapshot
`, leftOut, "what ran is not left out")

	_, out, _ = execute(t, c, object, "plan", "-f", "-", "-o", "json")
	var all []struct {
		Phases []struct {
			Name string
			Why  *machine.Why
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &all))
	var reasons []string
	for _, p := range all[0].Phases {
		if p.Why != nil {
			reasons = append(reasons, p.Name+" "+p.Why.Guard)
		}
	}
	assert.Equal(t,
		[]string{"Validate behind", "RunHook all", "Thaw behind", "Snapshot all", "WaitForSnapshot all", "Encrypt behind"}, reasons)
}

// The run did not have a value of --set when it passed the phase.
func TestPlanOfPhasesBehindUsesRecordedFlags(t *testing.T) {
	_, out, _ := execute(t, backups(t), atUpload(t, "retried"), "explain", "Snapshot", "-f", "-", "--set", "HasVolumes=true")
	assert.Contains(t, out, "phase Snapshot does not run: it needs HasVolumes")
	_, out, _ = execute(t, backups(t), atUpload(t, "retried"), "explain", "Encrypt", "-f", "-", "--set", "Encrypted=false")
	assert.Contains(t, out, "phase Encrypt is behind: the run is at Upload; its step has started")
}

func TestExplainOfAPhaseThatRan(t *testing.T) {
	code, out, stderr := execute(t, backups(t), atUpload(t, "retried"), "explain", "Encrypt", "-f", "-")
	assert.Zero(t, code, stderr)
	assert.Contains(t, out, "retried   Backup      phase   behind   phase Encrypt is behind: the run is at Upload; its step has started\n")
	_, out, _ = execute(t, backups(t), atUpload(t, "retried"), "explain", "Thaw", "-f", "-")
	assert.Contains(t, out, "phase Thaw does not run any more: it is behind: the run is at Upload",
		"Encrypt may have decided its flag since")
}

func TestExplainNamesTheItineraryThatTheRunLeft(t *testing.T) {
	object := backupObject("failed", `"itinerary": "CleanUp", "phase": "DeleteSnapshots", "visit": 3, "entered": "2026-11-20T11:59:20Z",
		"facts": {"hash": "0"},
			"switches": [{"from": "Backup", "phase": "Upload", "to": "CleanUp", "reason": "Failed", "at": "2026-11-20T11:59:20Z"}],
		"pipeline": [{"name": "Volumes", "started": "2026-11-20T11:59:00Z", "completed": "2026-11-20T11:59:10Z"}]`)
	for name, want := range map[string]string{
		"Volumes":  "itinerary CleanUp has no such phase, step or flag; itinerary Backup, which the run left at Upload for CleanUp, has step Volumes, which has started",
		"Hooks":    "which the run left at Upload for CleanUp, has step Hooks, which has not started",
		"Snapshot": "which the run left at Upload for CleanUp, has phase Snapshot",
	} {
		_, out, _ := execute(t, backups(t), object, "explain", name, "-f", "-")
		assert.Contains(t, out, want)
	}
}

// The flag changes whether the loop repeats.
func TestExplainOfAFlagOfALoop(t *testing.T) {
	object := backupObject("loops", `"itinerary": "Backup", "phase": "WaitForSnapshot", "visit": 3, "entered": "2026-11-20T11:59:20Z",
		"facts": {"hash": "`+hashOf(t, backups(t))+`", "true": ["HasVolumes"], "false": ["HasHook", "VolumesLeft", "Encrypted", "Frozen"]}`)
	_, out, _ := execute(t, backups(t), object, "explain", "VolumesLeft", "-f", "-")
	assert.Contains(t, out, "- with VolumesLeft=true")
	_, out, _ = execute(t, backups(t), "", "explain", "VolumesLeft", "-i", "Backup", "--flags", "HasVolumes,VolumesLeft")
	assert.Contains(t, out, "- with VolumesLeft=false, the same phases run, and WaitForSnapshot does not jump to Snapshot")
}

// All flags of an object without a state are unknown for the same reason.
func TestUnknownFlagsOfARunThatHasNotBegun(t *testing.T) {
	code, _, stderr := execute(t, backups(t), backupObject("new", ""), "plan", "-f", "-")
	assert.Equal(t, 1, code)
	assert.Equal(t,
		"kubectl backup: Backup ns/new: it has not begun, and records no flag; give HasHook, HasVolumes and 3 more a value with --set\n",
		stderr)
}

// The example of a failure in the help must fail.
func TestHelpExampleOfAFailure(t *testing.T) {
	_, out, _ := execute(t, backups(t), "", "run", "--help")
	_, args, found := strings.Cut(out, "fails\n  kubectl backup ")
	require.True(t, found, out)
	args, _, _ = strings.Cut(args, "\n")
	code, out, stderr := execute(t, backups(t), "", strings.Fields(args)...)
	assert.Zero(t, code, stderr)
	assert.Contains(t, out, "requested by --fail-at")
}
