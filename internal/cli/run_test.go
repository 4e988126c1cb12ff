package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/cli"
	"github.com/konveyor/dynamic-pipeline/internal/goldentest"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// event is a line of run -o json.
type event struct {
	Offset                            int
	Name, Namespace, Item             string
	Event, Itinerary, Phase, Step     string
	Left, Flag, Value, Error, Message string
	Added, Removed, Progress, Reasons []string
	Jumped, Failed, Done              bool
	Again, Took, Failures             *int
	Result                            phases.Result
	Pipeline                          steps.Pipeline
}

func events(t testing.TB, text string) []event {
	t.Helper()
	var all []event
	for line := range strings.Lines(text) {
		var e event
		dec := json.NewDecoder(strings.NewReader(line))
		dec.DisallowUnknownFields()
		require.NoError(t, dec.Decode(&e), line)
		all = append(all, e)
	}
	require.NotEmpty(t, all)
	return all
}

// resultOf returns how a run of an itinerary ends if nothing fails.
var resultOf = map[string]phases.Result{
	"Stage": phases.Succeeded, "Final": phases.Succeeded, "Cancel": phases.Canceled, "Failed": phases.Failed, "Rollback": phases.RolledBack,
}

// The result of a run depends on what happened, not only on the itinerary in which it ends.
func TestRunResult(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		want phases.Result
	}{
		{"a failure", []string{"--fail-at", "EnsureInitialBackup"}, phases.Failed},
		{"a failure that a cancel follows", []string{"--fail-at", "EnsureInitialBackup", "--on-fail", "Cancel"}, phases.Failed},
		{"a cancel", []string{"--cancel-at", "EnsureInitialBackup"}, phases.Canceled},
		{"a cancel by a rollback", []string{"--cancel-at", "EnsureInitialBackup", "--on-cancel", "Rollback"}, phases.RolledBack},
		{"a cancel whose cleanup fails", []string{"--cancel-at", "EnsureInitialBackup", "--fail-at", "DeleteBackups"}, phases.Canceled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"run", "-i", "Final", "--flags", "DirectImage"}, tt.args...)
			all := events(t, run(t, "", append(args, "-o", "json")...).out)
			finished := all[len(all)-2]
			assert.Equal(t, "finished", finished.Event)
			assert.Equal(t, tt.want, finished.Result)
			out := run(t, "", args...).out
			assert.True(t, strings.HasSuffix(out, "  done: "+string(tt.want)+"\n"), out)
		})
	}
}

// entered returns the phases that were entered, in order.
func entered(all []event) []string {
	var names []string
	for _, e := range all {
		if e.Event == "entered" {
			names = append(names, e.Phase)
		}
	}
	return names
}

// states returns the final steps of the pipeline, each with its state.
func states(all []event) []string {
	var out []string
	for _, s := range all[len(all)-1].Pipeline {
		out = append(out, s.Name+": "+s.Message)
	}
	return out
}

func warm() string { return recorded("forklift-warm.yaml") }

func TestRunPrintsChanges(t *testing.T) {
	for _, tt := range []struct {
		file string
		args []string
	}{
		{"run.txt", []string{"-i", "Final", "--flags", "HasPVs,DirectVolume,EnableVolume,DirectImage,EnableImage"}},
		{"run-fail.txt", []string{"-i", "Final", "--flags", "DirectImage", "--fail-at", "EnsureInitialBackup"}},
		{"run-fail-twice.txt", []string{"-i", "Stage", "--flags", "DirectImage", "--fail-at", "RestartVelero", "--fail-at", "MigrationFailed"}},
		{"run-cancel.txt", []string{"-i", "Stage", "--flags", "DirectImage", "--cancel-at", "RestartVelero"}},
		{
			"run-flip.txt",
			[]string{"-i", "Stage", "--flags", "DirectImage,EnableVolume", "--flag-flips-at", "WaitForRefresh=HasPVs=true", "--flag-flips-at", "WaitForRefresh=DirectVolume=true"},
		},
		{"run-drop.txt", []string{"-i", "Stage", "--flags", "DirectImage,EnableImage", "--flag-flips-at", "WaitForRefresh=EnableImage=false"}},
		{"run-warm.txt", []string{"-i", warm(), "--flag-flips-at", "CopyingPaused=CutoverDue=false", "--flag-flips-at", "CopyingPaused=CutoverDue=true"}},
		{"run.json", []string{"-i", "Stage", "--flags", "DirectImage", "--flag-flips-at", "WaitForRefresh=EnableImage=true", "--fail-at", "RestartVelero", "-o", "json"}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			r := run(t, "", append([]string{"run"}, tt.args...)...)
			assert.Equal(t, 0, r.code)
			assert.Empty(t, r.stderr)
			goldentest.Compare(t, "testdata/"+tt.file, r.out)

			again := run(t, "", append([]string{"run", "--speed", "max"}, tt.args...)...)
			assert.Equal(t, r, again, "the same input has the same output")
		})
	}
}

// The events agree with the plan and with the pipeline.
func TestRunIsThePlan(t *testing.T) {
	for _, flags := range []string{
		"DirectImage",
		"DirectImage,EnableImage,HasISs",
		"HasPVs,DirectVolume,EnableVolume,DirectImage,Quiesce,HasVerify",
		"HasPVs,IndirectVolume,HasStageBackup,HasStagePods,IndirectImage,HasISs,EnableImage,HasPreBackupHooks,HasPostRestoreHooks",
	} {
		for _, itinerary := range []string{"Stage", "Final", "Cancel", "Failed", "Rollback"} {
			t.Run(itinerary+" "+flags, func(t *testing.T) {
				plan := elements(t, run(t, "", "plan", "-i", itinerary, "--flags", flags, "-o", "json").out)[0]
				var want []string
				for _, p := range plan.Phases {
					if p.Runs == "yes" {
						want = append(want, p.Name)
					}
				}
				all := events(t, run(t, "", "run", "-i", itinerary, "--flags", flags, "-o", "json").out)
				assert.Equal(t, want, entered(all))

				var stepsEntered []string
				offset, at := 0, ""
				for _, e := range all {
					assert.GreaterOrEqual(t, e.Offset, offset)
					offset = e.Offset
					switch e.Event {
					case "entered":
						at = e.Phase
						if !slices.Contains(stepsEntered, e.Step) {
							stepsEntered = append(stepsEntered, e.Step)
						}
					case "waiting", "left":
						assert.Equal(t, at, e.Phase)
					}
				}
				var shown []string
				end := all[len(all)-1]
				for _, s := range end.Pipeline {
					shown = append(shown, s.Name)
					assert.Equal(t, "Completed", s.Message, s.Name)
				}
				assert.Equal(t, stepsEntered, shown)
				assert.Equal(t, "end", end.Event)
				assert.True(t, end.Done)
				assert.Equal(t, "finished", all[len(all)-2].Event)
				assert.Equal(t, resultOf[itinerary], all[len(all)-2].Result)
				table := run(t, "", "run", "-i", itinerary, "--flags", "DirectImage").out
				assert.True(t, strings.HasSuffix(table, "  done: "+string(resultOf[itinerary])+"\n"), table)
				assert.Equal(t, event{Event: "start", Itinerary: itinerary}, all[0])
			})
		}
	}
}

func TestRunLeavesItsItinerary(t *testing.T) {
	file := write(t, "own.yaml", `
flags: [{name: More}]
itineraries:
- name: Main
  phases: [{name: A, step: One, decides: [More]}, {name: B, step: Two}, {name: C, step: Three}]
- name: Undo
  phases: [{name: U, step: Undoing}]
- name: Failed
  result: Failed
  cleanup: true
  phases: [{name: F, step: Failing}]
`)
	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{"fails", []string{"-i", file + "#Main", "--fail-at", "B"}, []string{"One: Completed", "Two: Failed", "Failing: Completed"}},
		{"fails to another itinerary", []string{"-i", file + "#Main", "--fail-at", "B", "--on-fail", "Undo"}, []string{"One: Completed", "Two: Failed", "Undoing: Completed"}},
		{"is canceled", []string{"-i", file + "#Main", "--cancel-at", "B", "--on-cancel", "Undo"}, []string{"One: Completed", "Two: Canceled", "Undoing: Completed"}},
		{
			"is canceled, and then fails", []string{"-i", file + "#Main", "--cancel-at", "B", "--on-cancel", "Undo", "--fail-at", "U"},
			[]string{"One: Completed", "Two: Canceled", "Undoing: Failed", "Failing: Completed"},
		},
		{
			"fails, and cannot be canceled any more",
			[]string{"-i", file + "#Main", "--cancel-at", "F", "--on-cancel", "Undo", "--fail-at", "B"},
			[]string{"One: Completed", "Two: Failed", "Failing: Completed"},
		},
		{"fails while it cleans up", []string{"-i", file + "#Failed", "--fail-at", "F"}, []string{"Failing: Failed"}},
		{"knows earlier names of phases", []string{"-i", "Final", "--flags", "DirectImage,Quiesce", "--fail-at", "QuiesceApplications"}, []string{
			"Prepare: Completed", "Backup: Failed", "CleanupHelpers: Completed", "Cleanup: Completed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, "", append([]string{"run", "-o", "json"}, tt.args...)...)
			assert.Equal(t, 0, r.code)
			assert.Empty(t, r.stderr)
			assert.Equal(t, tt.want, states(events(t, r.out)))
		})
	}
}

// A cleanup itinerary runs phases whose guards are unknown.
func TestRunWithUnknownFlags(t *testing.T) {
	r := run(t, "", "run", "-i", "Cancel", "--flags", "DirectImage", "--unknown", "HasStagePods", "-o", "json")
	assert.Equal(t, 0, r.code)
	all := events(t, r.out)
	assert.Contains(t, entered(all), "EnsureStagePodsDeleted")
	assert.Contains(t, all,
		event{Event: "asked", Itinerary: "Cancel", Flag: "HasStagePods", Value: "unknown", Error: "it is named under --unknown"})
}

func TestRunOfALoop(t *testing.T) {
	r := run(t, "", "run", "-i", warm(), "-o", "json")
	assert.Equal(t, 1, r.code)
	assert.Equal(t, []string{
		"itinerary Warm: after 9 phases it is in an endless loop; leave it with --flag-flips-at CopyingPaused=CutoverDue=true",
		"stopped after 3m45s in phase CopyDisks of itinerary Warm",
	}, r.lines(t))
	all := events(t, r.out)
	assert.Len(t, entered(all), 10)
	assert.Equal(t, "CopyDisks", entered(all)[9], "the first that is entered a second time")
	assert.False(t, all[len(all)-1].Done)

	// A watched loop has a limit too, which may be high.
	r = run(t, "", "run", "-i", warm(), "--speed", "10000x", "--max-phases", "12")
	assert.Equal(t, 1, r.code)
	assert.Equal(t,
		"itinerary Warm: after 12 phases it is in an endless loop; leave it with --flag-flips-at CopyingPaused=CutoverDue=true",
		r.lines(t)[0])

	// Outside a loop nothing is suggested.
	r = run(t, "", "run", "-i", "Final", "--flags", "DirectImage", "--max-phases", "2")
	assert.Equal(t, 1, r.code)
	assert.Equal(t, "itinerary Final: after 2 phases it is not done; raise --max-phases", r.lines(t)[0])

	turns := events(t, run(t, "", "run", "-i", warm(), "-o", "json",
		"--flag-flips-at", "CopyingPaused=CutoverDue=false", "--flag-flips-at", "CopyingPaused=CutoverDue=false",
		"--flag-flips-at", "CopyingPaused=CutoverDue=true").out)
	copies, jumps := 0, 0
	for _, e := range turns {
		if e.Event == "entered" && e.Phase == "CopyDisks" {
			copies++
		}
		if e.Jumped {
			jumps++
		}
	}
	assert.Equal(t, 3, copies)
	assert.Equal(t, 3, jumps, "back twice, and out")
}

func TestRunOfARecordedMigration(t *testing.T) {
	r := run(t, moments, "run", "-f", "-", "--name", "under-way", "-o", "json")
	assert.Equal(t, 0, r.code)
	all := events(t, r.out)
	assert.Equal(t, "EnsureSrcQuiesced", entered(
		events(t, run(t, around(``, migration("m", `"quiescePods": true`, `"itinerary": "Final", `+
			`"phase": "QuiesceApplications"`)), "run", "-f", "-", "-o", "json").out))[0],
		"the recorded phase, under its present name, continues")
	assert.Equal(t, []string{"start", "ns", "under-way", "Final", "QuiesceSourceApplications"},
		[]string{all[0].Event, all[0].Namespace, all[0].Name, all[0].Itinerary, all[0].Phase})
	assert.Len(t, all[0].Pipeline, 3, "without what is skipped")
	pipeline := all[len(all)-1].Pipeline
	assert.Equal(t, "2021-03-25T18:24:57Z", pipeline[0].Started.UTC().Format("2006-01-02T15:04:05Z07:00"))
	for _, s := range pipeline {
		assert.False(t, s.Skipped, s.Name)
		assert.NotNil(t, s.Completed, s.Name)
	}
	assert.NotContains(t, r.out, "StageRestore")

	r = run(t, moments, "run", "-f", "-", "--name", "ns/done")
	assert.Equal(t,
		result{0, "     0s  ns/done, at the end of itinerary Stage\n     0s  " +
			"Prepare       completed    after 1m0s\n     0s  done: Succeeded\n", ""},
		r)

	r = run(t, around(``, migration("m", ``, `"itinerary": "Cancel", "errors": ["it broke"]`)), "run", "-f", "-")
	assert.Contains(t, r.out,
		"     0s  ns/m, at the beginning of itinerary Cancel\n     0s  itinerary Failed, in place of itinerary Cancel\n")

	goldentest.Compare(t, "testdata/run-recorded.txt", run(t, moments, "run", "-f", "-", "--name", "under-way").out)
}

// Every status of an earlier release comes to its end.
func TestRunOfRecordedStatuses(t *testing.T) {
	for _, file := range []string{"legacy-2021.jsonl", "legacy-2025.jsonl"} {
		for line := range strings.Lines(read(t, recorded(file))) {
			var row struct {
				ID     string
				Stage  bool
				Status json.RawMessage
			}
			require.NoError(t, json.Unmarshal([]byte(line), &row))
			spec := map[bool]string{true: `"stage": true`}[row.Stage]
			status := strings.TrimSuffix(strings.TrimPrefix(string(row.Status), "{"), "}")
			r := run(t, around(``, migration(row.ID, spec, status)), "run", "-f", "-", "-o", "json")
			if len(r.lines(t)) > 0 {
				assert.Contains(t, r.lines(t)[0], "has no phase", row.ID)
				assert.Equal(t, 1, r.code, row.ID)
				continue
			}
			all := events(t, r.out)
			assert.True(t, all[len(all)-1].Done, row.ID)
			for _, s := range all[len(all)-1].Pipeline {
				assert.False(t, s.Skipped, "%s: %s", row.ID, s.Name)
			}
		}
	}
}

func TestRunContentErrors(t *testing.T) {
	for _, tt := range []struct {
		name  string
		stdin string
		args  []string
		want  []string
	}{
		{"a flag that is not known", "", []string{"-i", "Final", "--flags", "DirectImage", "--unknown", "HasPVs,DirectVolume"}, []string{
			"itinerary Final: flag HasPVs is unknown: it is named under --unknown",
			"itinerary Final: flag DirectVolume is unknown: it is named under --unknown",
			"stopped after 5m12s in phase InitialBackupCreated of itinerary Final",
		}},
		{"a cluster that is missing", stream(planObject("p", ``), images, migration("m", ``, ``)), []string{"-f", "-"}, []string{
			"MigMigration ns/m: flag EnableImage is unknown: the source MigCluster ns/source is missing; read it together with the migration",
			"stopped after 3m22s in phase EnsureCloudSecretPropagated of itinerary Final",
		}},
		{"a cluster that cannot be read", stream(planObject("p", ``), images, object("MigCluster", "source", `, "spec": 3`), migration("m", ``, ``)), []string{"-f", "-"}, []string{
			"MigCluster ns/source: spec: holds a JSON number; write an object",
			"MigMigration ns/m: flag EnableImage is unknown: the source MigCluster ns/source could not be read: correct it at standard input:1: items[2]",
			"stopped after 3m22s in phase EnsureCloudSecretPropagated of itinerary Final",
		}},
		{"a phase that fails, but does not run", "", []string{"-i", "Final", "--flags", "DirectImage", "--fail-at", "EnsureStageBackup"}, []string{
			"--fail-at EnsureStageBackup had no effect: phase EnsureStageBackup did not run: it needs HasStageBackup (decided by WaitForRefresh)",
		}},
		{"a cancel in a phase that comes too late", "", []string{"-i", "Final", "--flags", "DirectImage", "--fail-at", "Started", "--cancel-at", "RestartVelero"}, []string{
			"--cancel-at RestartVelero had no effect: phase RestartVelero did not run",
		}},
		{"a second turn that does not come", "", []string{
			"-i", warm(), "--flag-flips-at", "CopyingPaused=CutoverDue=true", "--flag-flips-at", "CopyingPaused=CutoverDue=false",
		}, []string{
			"--flag-flips-at CopyingPaused=CutoverDue=false had no effect: phase CopyingPaused did not run again",
		}},
		{"an unknown recorded phase", around(``, migration("m", ``, `"itinerary": "Final", "phase": "InitialBackupFailed"`)), []string{"-f", "-"}, []string{
			`MigMigration ns/m: itinerary "Final" has no phase "InitialBackupFailed"; did you mean "InitialBackupCreated"?`,
			"stopped after 0s in phase InitialBackupFailed of itinerary Final",
		}},
		{"an invalid status", around(``, migration("m", ``, `"pipeline": [{"name": "Prepare", "started": "yesterday"}]`)), []string{"-f", "-"}, []string{
			`MigMigration ns/m: status: parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"; correct it`,
		}},
		{
			"a migration without its plan", stream(migration("m", ``, ``)), []string{"-f", "-"},
			[]string{"MigMigration ns/m: the MigPlan ns/p is missing; read it together with the migration"},
		},
		{
			"no migration", host, []string{"-f", "-"},
			[]string{"there is no MigMigration in standard input; list them with: " +
				"kubectl get migmigrations,migplans,migclusters,migrationcontrollers -n openshift-migration -o yaml"},
		},
		{"no such file of itineraries", "", []string{"-i", "no/such.yaml"}, []string{"cannot read: open no/such.yaml: no such file or directory; check the name"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, tt.stdin, append([]string{"run"}, tt.args...)...)
			assert.Equal(t, 1, r.code)
			if diff := cmp.Diff(tt.want, r.lines(t)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestRunUsage(t *testing.T) {
	two := around(``, migration("a", ``, ``), migration("b", ``, ``))
	deciders := "WaitForStaleStagePodsTerminated, EnsureStagePodsFromRunning, EnsureStagePodsFromTemplates, " +
		"EnsureStagePodsFromOrphanedPVCs and EnsureStagePodsTerminated do"
	final := func(args ...string) []string {
		return append([]string{"-i", "Final", "--flags", "DirectImage"}, args...)
	}
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"nothing to run", nil, "nothing to look at; give -f FILE with what kubectl get -o yaml prints, or -i ITINERARY"},
		{"an argument", []string{"Final"}, `run takes no argument "Final"; files are given with -f`},
		{"an unknown format", final("-o", "yaml"), `-o takes table or json, not "yaml"`},
		{"an invalid speed", final("--speed", "fast"), `--speed takes a number from 0.1x to 10000x, or max, not "fast"`},
		{"a negative speed", final("--speed", "-1x"), `--speed takes a number from 0.1x to 10000x, or max, not "-1x"`},
		{"an empty speed", final("--speed", "0"), `--speed takes a number from 0.1x to 10000x, or max, not "0"`},
		{"an empty speed, with a unit", final("--speed", "0x"), `--speed takes a number from 0.1x to 10000x, or max, not "0x"`},
		{"an empty speed", final("--speed", ""), "--speed needs a value; leave it out, or give one"},
		{"a cancel in an unknown phase", final("--cancel-at", ""), "--cancel-at needs a value; leave it out, or give one"},
		{"a failure that leads nowhere", final("--fail-at", "Created", "--on-fail", ""), "--on-fail needs a value; leave it out, or give one"},
		{"a cancel that leads nowhere", final("--cancel-at", "Created", "--on-cancel", ""), "--on-cancel needs a value; leave it out, or give one"},
		{"a speed that is not a number", final("--speed", "NaN"), `--speed takes a number from 0.1x to 10000x, or max, not "NaN"`},
		{"no phases", final("--max-phases", "0"), "--max-phases takes a number of at least 1, not 0"},
		{"several migrations", []string{"-f", "-"}, "run takes one migration; give --name with one of ns/a and ns/b"},
		{"an unknown migration", []string{"-f", "-", "--name", "c"}, `there is no MigMigration "c"`},
		{"a name with -i", final("--name", "a"), "--name needs -f; with -i there is one itinerary to run"},
		{"flags with -f", []string{"-f", "-", "--flags", "HasPVs"}, "--flags and --unknown need -i ITINERARY; with -f the flags are those of the objects"},
		{"an unknown flag", []string{"-i", "Final", "--flags", "HasPV"}, `--flags: unknown flag "HasPV"; did you mean "HasPVs"?`},
		{
			"an unknown phase", final("--fail-at", "EnsureInitalBackup"),
			`--fail-at: itinerary Final or Failed has no phase "EnsureInitalBackup"; did you mean "EnsureInitialBackup" or "EnsureStageBackup"?`,
		},
		{"a phase of another itinerary", final("--cancel-at", "MigrationFailed"), `--cancel-at: itinerary Final or Cancel has no phase "MigrationFailed"`},
		{"an unknown itinerary to fail to", final("--fail-at", "Started", "--on-fail", "Faild"), `--on-fail: unknown itinerary "Faild"; did you mean "Failed"?`},
		{"nothing to fail", final("--on-fail", "Failed"), "--on-fail needs --fail-at, or nothing fails"},
		{"nothing to cancel", final("--on-cancel", "Cancel"), "--on-cancel needs --cancel-at, or nothing is canceled"},
		{
			"no itinerary to fail to", []string{"-i", warm(), "--fail-at", "CopyDisks"},
			"--fail-at: there is no itinerary whose result is Failed to continue in; name one with --on-fail: Warm",
		},
		{
			"no itinerary to cancel to", []string{"-i", warm(), "--cancel-at", "CopyDisks"},
			"--cancel-at: there is no itinerary whose result is Canceled to continue in; name one with --on-cancel: Warm",
		},
		{
			"a cancel of a cancel", []string{"-i", "Cancel", "--flags", "DirectImage", "--cancel-at", "DeleteBackups"},
			"--cancel-at: the migration on itinerary Cancel cannot be canceled any more; leave it out",
		},
		{
			"a cancel of a failure", []string{"-i", "Failed", "--flags", "DirectImage", "--cancel-at", "DeleteRegistries"},
			"--cancel-at: the migration on itinerary Failed cannot be canceled any more; leave it out",
		},
		{"a flip without a value", final("--flag-flips-at", "WaitForRefresh=HasPVs"), `--flag-flips-at takes PHASE=FLAG=true or PHASE=FLAG=false, not "WaitForRefresh=HasPVs"`},
		{
			"a flip to something else", final("--flag-flips-at", "WaitForRefresh=HasPVs=maybe"),
			`--flag-flips-at takes PHASE=FLAG=true or PHASE=FLAG=false, not "WaitForRefresh=HasPVs=maybe"`,
		},
		{"an empty flip", final("--flag-flips-at", "true"), `--flag-flips-at takes PHASE=FLAG=true or PHASE=FLAG=false, not "true"`},
		{
			"a flip at an unknown phase", final("--flag-flips-at", "Refresh=HasPVs=true"),
			`--flag-flips-at: itinerary Final has no phase "Refresh"; did you mean "StartRefresh" or "WaitForRefresh"?`,
		},
		{"a flip of an unknown flag", final("--flag-flips-at", "WaitForRefresh=HasPV=true"), `--flag-flips-at: unknown flag "HasPV"; did you mean "HasPVs"?`},
		{
			"a flip at a phase that decides something else", final("--flag-flips-at", "StartRefresh=HasPVs=true"),
			"--flag-flips-at: phase StartRefresh does not decide HasPVs; WaitForRefresh does",
		},
		{
			"a flip that several phases decide", final("--flag-flips-at", "WaitForRefresh=HasStagePods=true"),
			"--flag-flips-at: phase WaitForRefresh does not decide HasStagePods; " + deciders,
		},
		{
			"a flip that no phase decides", final("--flag-flips-at", "WaitForRefresh=HasVerify=true"),
			"--flag-flips-at: phase WaitForRefresh does not decide HasVerify; no phase does: it is evaluated once, at the beginning; give its value with --flags or --set",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, two, append([]string{"run"}, tt.args...)...)
			assert.Equal(t, 2, r.code)
			assert.Empty(t, r.out)
			assert.Equal(t, []string{tt.want}, r.lines(t))
		})
	}
}

// A name that occurs in two namespaces needs its namespace.
func TestRunWithANamespace(t *testing.T) {
	two := around(``, migration("m", ``, ``), strings.Replace(migration("m", ``, ``), `"namespace": "ns"`, `"namespace": "other"`, 1))
	r := run(t, two, "run", "-f", "-", "--name", "m")
	assert.Equal(t, 2, r.code)
	assert.Equal(t, []string{"run takes one migration; give --name with one of ns/m and other/m"}, r.lines(t))
	assert.Equal(t, 0, run(t, two, "run", "-f", "-", "--name", "ns/m").code)
}

// stopper is a standard output that calls stop once a text was written to it.
type stopper struct {
	bytes.Buffer
	at   string
	stop context.CancelFunc
}

func (s *stopper) Write(b []byte) (int, error) {
	n, err := s.Buffer.Write(b)
	if strings.Contains(s.String(), s.at) {
		s.stop()
	}
	return n, err
}

func TestRunIsInterrupted(t *testing.T) {
	for _, speed := range []string{"max", "0.1x"} {
		for _, format := range []string{"table", "json"} {
			t.Run(speed+" "+format, func(t *testing.T) {
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				out := &stopper{at: "Created", stop: stop}
				var stderr bytes.Buffer
				code := cli.Run(ctx, []string{"run", "-i", "Final", "--flags", "DirectImage", "--speed", speed, "-o", format}, nil,
					out, &stderr)
				assert.Equal(t, 130, code)
				assert.Equal(t, "dynamic-pipeline: stopped after 0s in phase Created of itinerary Final\n", stderr.String())
				if format == "json" {
					all := events(t, out.String())
					end := all[len(all)-1]
					assert.Equal(t, "end", end.Event)
					assert.False(t, end.Done)
					assert.Equal(t, "Created", end.Phase)
					assert.Equal(t, "Prepare: Taking up the migration", states(all)[0])
				}
			})
		}
	}

	t.Run("before it began", func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		stop()
		var out, stderr bytes.Buffer
		assert.Equal(t, 130, cli.Run(ctx, []string{"run", "-i", "Final", "--flags", "DirectImage"}, nil, &out, &stderr))
		assert.Empty(t, out.String())
		assert.Equal(t, "dynamic-pipeline: stopped after 0s at the beginning of itinerary Final\n", stderr.String())
	})
}

// A phase that is left in the middle changes the flags that it decides, like one that is
// done, and the following itinerary uses the new value. The test covers each phase of Stage
// and Final, and each flag that it decides and Cancel reads.
func TestRunFlipsFlagsOfALeftPhase(t *testing.T) {
	const flags = "HasPVs,IndirectVolume,HasStageBackup,DirectImage,EnableVolume,EnableImage,HasISs,Quiesce,HasStagePods"
	set := machine.MustCompileSet(mtc.Itineraries()...)
	cancel, err := set.Graph(mtc.Cancel)
	require.NoError(t, err)
	v := mtc.Vocabulary()
	yes, err := v.Parse(strings.Split(flags, ",")...)
	require.NoError(t, err)
	left := 0
	for _, itinerary := range []string{mtc.Stage, mtc.Final} {
		g, err := set.Graph(itinerary)
		require.NoError(t, err)
		plan := g.Plan(phases.NewFacts(yes, v.All()&^yes))
		for i := range g.Len() {
			for _, flag := range v.Names(g.Phase(i).Decides & cancel.Reads()) {
				if plan.Runs(i) != phases.True {
					continue
				}
				phase, value, text := g.Phase(i).Name, "yes", "true"
				if slices.Contains(strings.Split(flags, ","), flag) {
					value, text = "no", "false"
				}
				for name, option := range map[string][]string{
					"canceled": {"--cancel-at", phase}, "failed": {"--fail-at", phase, "--on-fail", "Cancel"},
				} {
					t.Run(itinerary+", "+phase+" is "+name+", "+flag, func(t *testing.T) {
						r := run(t, "",
							append(
								[]string{
									"run", "-i", itinerary, "--flags", flags, "-o", "json", "--flag-flips-at",
									phase + "=" + flag + "=" + text,
								},
								option...)...)
						assert.Equal(t, 0, r.code)
						assert.Empty(t, r.stderr, "the option had an effect")
						all := events(t, r.out)
						begun := slices.IndexFunc(all, func(e event) bool { return e.Event == "begun" && e.Left != "" })
						require.Positive(t, begun)
						for _, e := range all[:begun] {
							assert.False(t, e.Event == "asked" && e.Flag == flag && e.Value == value, "it has not changed yet")
						}
						asked := slices.IndexFunc(all[begun:],
							func(e event) bool { return e.Event == "asked" && e.Flag == flag && e.Value == value })
						assert.Positive(t, asked, "asked by the itinerary that follows")
						if flag == "HasStagePods" {
							assert.Equal(t, value == "yes", slices.Contains(entered(all[begun:]), "EnsureStagePodsDeleted"))
						}
					})
					left++
				}
			}
		}
	}
	assert.Greater(t, left, 20)

	// A cancel after a failure leaves no phase.
	r := run(t, "", "run", "-i", "Final", "--flags", flags, "--fail-at", "Started", "--cancel-at", "MigrationFailed",
		"--flag-flips-at", "EnsureStagePodsFromRunning=HasStagePods=true")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stderr, "--flag-flips-at EnsureStagePodsFromRunning=HasStagePods=true had no effect")
}

func TestRunRefusesToGoOnAfterAFailure(t *testing.T) {
	file := write(t, "own.yaml",
		"itineraries: [{name: Main, phases: [{name: A, step: S}]}, {name: Failed, result: Failed, phases: [{name: F, step: S}]}, {name: "+
			"Undo, cleanup: true, phases: [{name: U, step: S}]}]\n")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{
			[]string{"-i", file + "#Main", "--fail-at", "A", "--on-fail", "Main"},
			"--fail-at: itinerary Main cannot follow its own failure, because it is not a cleanup itinerary; name another with --on-fail: Failed or Undo",
		},
		{
			[]string{"-i", file + "#Failed", "--fail-at", "F"},
			"--fail-at: itinerary Failed cannot follow its own failure, because it is not a cleanup itinerary; name another with --on-fail: Main or Undo",
		},
		{[]string{"-i", file + "#Undo", "--fail-at", "U", "--on-fail", "Undo"}, ""},
	} {
		r := run(t, "", append([]string{"run"}, tt.args...)...)
		if tt.want == "" {
			assert.Equal(t, 0, r.code, r.stderr)
			continue
		}
		assert.Equal(t, 2, r.code)
		assert.Equal(t, []string{tt.want}, r.lines(t))
	}

	// A run that is canceled and then fails is stopped.
	r := run(t, "", "run", "-i", file+"#Main", "--cancel-at", "A", "--on-cancel", "Failed", "--fail-at", "F")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stderr, `phase "F" of itinerary "Failed" failed`)
}
