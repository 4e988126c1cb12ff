package cli_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

func TestSetOverObjects(t *testing.T) {
	const prefix = "note: MigMigration ns/m: --set also changes "
	volume := `"persistentVolumes": [{"selection": {"action": "copy", "copyMethod": "filesystem"}}]`
	for _, tt := range []struct {
		name, plan string
		set        []string
		flags      []string
		unknown    []string
		steps      []string
		code       int
		want       []string
	}{
		{
			"nothing", "", nil, []string{"HasISs", "DirectImage", "EnableImage", "EnableVolume"}, []string{},
			[]string{"Prepare", "Backup", "DirectImage", "Restore", "Cleanup"}, 0, []string{},
		},
		{
			"a value that the objects have", "", []string{"DirectImage=true"},
			[]string{"HasISs", "DirectImage", "EnableImage", "EnableVolume"}, []string{},
			[]string{"Prepare", "Backup", "DirectImage", "Restore", "Cleanup"}, 0, []string{},
		},
		{
			"a flag alone", "", []string{"HasPreBackupHooks=true"},
			[]string{"HasISs", "DirectImage", "EnableImage", "EnableVolume", "HasPreBackupHooks"}, []string{},
			[]string{"Prepare", "PreBackupHooks", "Backup", "DirectImage", "Restore", "Cleanup"}, 0, []string{},
		},
		{"one that a relation follows, and a computed one", "", []string{"IndirectImage=true"}, []string{
			"HasISs", "IndirectImage", "HasStageBackup", "EnableImage", "EnableVolume",
		}, []string{},
			[]string{"Prepare", "Backup", "DataBackup", "DataRestore", "Restore", "Cleanup"}, 0, []string{prefix + "DirectImage=false and HasStageBackup=true"}},
		{"the same, said by the other", "", []string{"DirectImage=false"}, []string{"HasISs", "IndirectImage", "HasStageBackup", "EnableImage", "EnableVolume"}, []string{},
			[]string{"Prepare", "Backup", "DataBackup", "DataRestore", "Restore", "Cleanup"}, 0, []string{prefix + "IndirectImage=true and HasStageBackup=true"}},
		{"several at once", volume, []string{"IndirectVolume=true,Quiesce=true"}, []string{
			"Quiesce", "HasPVs", "HasISs", "DirectImage", "IndirectVolume", "HasStageBackup", "EnableImage", "EnableVolume",
		}, []string{},
			[]string{"Prepare", "Backup", "DataBackup", "DataRestore", "DirectImage", "Restore", "Cleanup"}, 0, []string{prefix + "DirectVolume=false and HasStageBackup=true"}},
		{"a chain of relations", "", []string{"HasStagePods=true"}, []string{
			"HasStagePods", "HasPVs", "HasISs", "DirectImage", "IndirectVolume", "HasStageBackup", "EnableImage", "EnableVolume",
		}, []string{},
			[]string{
				"Prepare", "Backup", "DataBackup", "DataRestore", "DirectImage", "Restore", "Cleanup",
			}, 0, []string{prefix + "HasPVs=true, IndirectVolume=true and HasStageBackup=true"}},
		{
			"the later value counts", "", []string{"HasVerify=true", "HasVerify=false"},
			[]string{"HasISs", "DirectImage", "EnableImage", "EnableVolume"}, []string{},
			[]string{"Prepare", "Backup", "DirectImage", "Restore", "Cleanup"}, 0, []string{},
		},
		{"by hand against a relation", "", []string{"IndirectImage=true", "DirectImage=true"}, []string{
			"HasISs", "DirectImage", "IndirectImage", "HasStageBackup", "EnableImage", "EnableVolume",
		}, []string{},
			[]string{"Prepare", "Backup", "DataBackup", "DataRestore", "DirectImage", "Restore", "Cleanup"}, 0,
			[]string{prefix + "HasStageBackup=true", "warning: MigMigration ns/m: no run has these flags: DirectImage and IndirectImage exclude each other"}},
		{"unknown", "", []string{"EnableImage=unknown"}, []string{"HasISs", "DirectImage", "EnableVolume"}, []string{"EnableImage"}, []string{
			"Prepare", "Backup", "Restore", "Cleanup",
		}, 1,
			[]string{"MigMigration ns/m: flag EnableImage is unknown: it is set to unknown with --set"}},
		{"unknown, and one that is computed from it", `"indirectImageMigration": true`, []string{"HasISs=unknown"}, []string{
			"IndirectImage", "EnableImage", "EnableVolume",
		}, []string{"HasISs", "HasStageBackup"}, []string{"Prepare", "Backup", "Restore", "Cleanup"}, 1,
			[]string{
				prefix + "HasStageBackup=unknown", "MigMigration ns/m: flag HasISs is unknown: it is set to unknown with --set",
				"MigMigration ns/m: flag HasStageBackup is unknown: it is computed from HasISs, which is unknown",
			}},
		{"unknown, though a relation would tell", "", []string{"IndirectImage=unknown"}, []string{
			"HasISs", "DirectImage", "EnableImage", "EnableVolume",
		}, []string{"IndirectImage", "HasStageBackup"}, []string{
			"Prepare", "Backup", "DirectImage", "Restore", "Cleanup",
		}, 1,
			[]string{
				prefix + "HasStageBackup=unknown", "MigMigration ns/m: flag IndirectImage is unknown: it is set to unknown with --set",
				"MigMigration ns/m: flag HasStageBackup is unknown: it is computed from IndirectImage, which is unknown",
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := []string{"plan", "-f", "-", "-o", "json"}
			for _, set := range tt.set {
				args = append(args, "--set", set)
			}
			r := run(t, around(tt.plan, migration("m", ``, ``)), args...)
			assert.Equal(t, tt.code, r.code)
			assert.Equal(t, tt.want, r.lines(t))
			e := elements(t, r.out)[0]
			assert.Equal(t, tt.flags, e.Flags)
			assert.Equal(t, tt.unknown, e.Unknown)
			assert.Equal(t, tt.steps, e.Steps)
		})
	}
}

// Each flag alone is set to each value: it has that value, other changes are noted, and
// broken relations are a warning.
func TestSetEachFlag(t *testing.T) {
	v := mtc.Vocabulary()
	objects := around(withEverything, migration("m", `"quiescePods": true`, ``))
	before := elements(t, run(t, objects, "plan", "-f", "-", "-o", "json").out)[0]
	for _, def := range v.Defs() {
		for _, value := range []string{"true", "false", "unknown"} {
			set := def.Name + "=" + value
			r := run(t, objects, "plan", "-f", "-", "-o", "json", "--set", set)
			after := elements(t, r.out)[0]
			facts := factsOf(t, after)
			assert.Equal(t, map[string]phases.Truth{"true": phases.True, "false": phases.False, "unknown": phases.Unknown}[value],
				facts.Of(def.Flag), set)
			var changed []string
			for _, other := range v.Defs() {
				if now := facts.Of(other.Flag); other.Flag != def.Flag && now != factsOf(t, before).Of(other.Flag) {
					changed = append(changed,
						other.Name+"="+map[phases.Truth]string{phases.True: "true", phases.False: "false", phases.Unknown: "unknown"}[now])
				}
			}
			noted := strings.Contains(r.stderr, "--set also changes")
			assert.Equal(t, len(changed) > 0, noted, set)
			for _, change := range changed {
				assert.Contains(t, r.stderr, change, set)
			}
			assert.Equal(t, len(v.Broken(facts)), strings.Count(r.stderr, "warning: "), set)
		}
	}
}

func TestSetWithAnItinerary(t *testing.T) {
	for _, tt := range []struct {
		name  string
		args  []string
		flags []string
		code  int
		want  []string
	}{
		{"over --flags", []string{"--flags", "DirectImage,EnableImage", "--set", "EnableImage=false"}, []string{"DirectImage"}, 0, []string{}},
		{"without --flags", []string{"--set", "DirectImage=true"}, []string{"DirectImage"}, 0, []string{}},
		{"over --unknown", []string{"--flags", "DirectImage", "--unknown", "HasVerify", "--set", "HasVerify=true"}, []string{"HasVerify", "DirectImage"}, 0, []string{}},
		{"what follows", []string{"--flags", "DirectImage", "--set", "IndirectImage=true"}, []string{"IndirectImage"}, 0, []string{"note: --set also changes DirectImage=false"}},
		{"what is still broken", []string{"--flags", "DirectImage,HasPVs", "--set", "IndirectVolume=true"}, []string{"HasPVs", "DirectImage", "IndirectVolume"}, 0,
			[]string{"warning: no run has these flags: with HasPVs and IndirectVolume, HasStageBackup or StorageConversion must be true"}},
		{
			"unknown", []string{"--flags", "DirectImage", "--set", "HasVerify=unknown"}, []string{"DirectImage"}, 1,
			[]string{"itinerary Final: flag HasVerify is unknown: it is set to unknown with --set"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, "", append([]string{"plan", "-i", "Final", "-o", "json"}, tt.args...)...)
			assert.Equal(t, tt.code, r.code)
			assert.Equal(t, tt.want, r.lines(t))
			assert.Equal(t, tt.flags, elements(t, r.out)[0].Flags)
		})
	}
}

func TestSetInCommands(t *testing.T) {
	objects := around("", migration("m", ``, oldStatus))
	const set = "HasPostRestoreHooks=true"
	for _, args := range [][]string{{"plan"}, {"explain", "PostRestoreHooks", "--phase"}, {"graph", "--only-run"}, {"run"}} {
		without := run(t, objects, append(args, "-f", "-")...)
		with := run(t, objects, append(args, "-f", "-", "--set", set)...)
		assert.Equal(t, 0, with.code, with.stderr)
		if args[0] == "explain" {
			assert.Contains(t, without.out, "does not run")
			assert.Contains(t, with.out, "PostRestoreHooks runs")
		} else {
			assert.NotContains(t, without.out, "PostRestoreHooks", args)
			assert.Contains(t, with.out, "PostRestoreHooks", args)
		}
		with = run(t, "", append(args, "-i", "Final", "--flags", "DirectImage", "--set", set)...)
		assert.Equal(t, 0, with.code, with.stderr)
		assert.Contains(t, with.out, "PostRestoreHooks", args)
	}
	assert.NotContains(t, pipeline(t, convert(t, objects, "--to", "current")), "PostRestoreHooks")
	assert.Contains(t, pipeline(t, convert(t, objects, "--to", "current", "--set", set)), "PostRestoreHooks")

	// If --set decides HasISs, no image streams are needed.
	noImages := stream(planObject("p", `"indirectImageMigration": true`), host, source, migration("m", ``, ``))
	for value, steps := range map[string]bool{"true": true, "false": false} {
		r := run(t, noImages, "plan", "-f", "-", "-o", "json", "--set", "HasISs="+value)
		assert.Equal(t, 0, r.code)
		assert.NotContains(t, r.stderr, listImageStreams)
		assert.Equal(t, steps, strings.Contains(fmt.Sprint(elements(t, r.out)[0].Steps), "DataBackup"))
	}
}

// Recorded flags stay, except those that follow from --set.
func TestSetOverAState(t *testing.T) {
	m := newOwn("m")
	runUntil(t, m, "WaitForRegistriesReady", "IndirectImage,EnableImage,HasISs,HasStageBackup,Quiesce,HasVerify")
	objects := around("", m.JSON(t)) // without Quiesce and HasVerify; images are copied directly
	e := elements(t, run(t, objects, "plan", "-f", "-", "-o", "json", "--set", "HasVerify=false").out)[0]
	assert.Equal(t, []string{"Quiesce", "HasISs", "IndirectImage", "HasStageBackup", "EnableImage"}, e.Flags)
	e = elements(t, run(t, objects, "plan", "-f", "-", "-o", "json", "--set", "DirectImage=true").out)[0]
	assert.Equal(t, []string{"Quiesce", "HasVerify", "HasISs", "DirectImage", "EnableImage"}, e.Flags,
		"HasStageBackup is computed from IndirectImage")
}

func TestSetOfAFileOfItineraries(t *testing.T) {
	file := write(t, "warm.yaml", several)
	r := run(t, "", "plan", "-i", file+"#Warm", "--set", "Due=true")
	require.Equal(t, 0, r.code, r.stderr)
	assert.Equal(t, "ITINERARY   STEPS\nWarm        Disks > Cutover\n", r.out)
	assert.Equal(t, 2, run(t, "", "plan", "-i", file+"#Warm", "--set", "HasPVs=true").code)
}

func TestSetUsage(t *testing.T) {
	for _, tt := range []struct {
		set, want string
	}{
		{"HasPVs", `--set takes FLAG=true, FLAG=false or FLAG=unknown, not "HasPVs"`},
		{"HasPVs=yes", `--set takes FLAG=true, FLAG=false or FLAG=unknown, not "HasPVs=yes"`},
		{"HasPV=true", `--set: unknown flag "HasPV"; did you mean "HasPVs"?`},
		{"", `--set takes FLAG=true, FLAG=false or FLAG=unknown, not ""`},
		{" , ", `--set takes FLAG=true, FLAG=false or FLAG=unknown, not " , "`},
	} {
		for _, args := range [][]string{{"plan"}, {"explain", "Cleanup"}, {"graph"}, {"run"}, {"convert", "--to", "current"}} {
			r := run(t, around("", migration("m", ``, ``)), append(args, "-f", "-", "--set", tt.set)...)
			assert.Equal(t, 2, r.code, args)
			assert.Equal(t, []string{tt.want}, r.lines(t), args)
			assert.Empty(t, r.out)
		}
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"plan", "-i", "Final", "--whole"}, "--whole needs -f; with -i the whole itinerary is planned"},
		{[]string{"explain", "Cleanup", "-i", "Final", "--whole"}, "--whole needs -f; with -i the whole itinerary is planned"},
		{[]string{"plan", "-i", "Final", "--no-image-streams"}, "--no-image-streams needs -f; with -i give --flags without HasISs"},
		{[]string{"run", "-i", "Final", "--no-image-streams"}, "--no-image-streams needs -f; with -i give --flags without HasISs"},
		{[]string{"convert", "--to", "legacy", "-f", "-", "--no-image-streams"}, "--set and --no-image-streams are for --to current, which plans steps; leave them out"},
		{[]string{"convert", "--to", "legacy", "-f", "-", "--set", "HasPVs=true"}, "--set and --no-image-streams are for --to current, which plans steps; leave them out"},
	} {
		r := run(t, "", tt.args...)
		assert.Equal(t, 2, r.code, tt.args)
		assert.Equal(t, []string{tt.want}, r.lines(t), tt.args)
	}
}

// Phases that ride never show their step, so they are not a reason for leaving a step out.
func TestPlanExplainsNoStepByPhasesThatRide(t *testing.T) {
	for _, itinerary := range []string{"Stage", "Final", "Cancel", "Failed", "Rollback"} {
		e := elements(t, run(t, "", "plan", "-i", itinerary, "--flags", "DirectImage", "-o", "json").out)[0]
		explained := run(t, "", "plan", "-i", itinerary, "--flags", "DirectImage", "--explain").out
		ofSteps, ofRiding, _ := strings.Cut(explained, "    phases that ride ")
		for _, p := range e.Phases {
			in, out := ofSteps, ofRiding
			if p.Rides {
				in, out = ofRiding, ofSteps
			}
			in, out = strings.ReplaceAll(in, "(decided by", "\n"), strings.ReplaceAll(out, "(decided by", "\n")
			if p.Runs == "no" {
				assert.Contains(t, in, p.Name, itinerary)
				assert.False(t, p.Rides && strings.Contains(out, " "+p.Name+","), "%s of %s", p.Name, itinerary)
			}
		}
		// The reasons of a step that is not shown equal those of explain.
		for _, p := range e.Phases {
			if p.Rides || p.Runs != "no" {
				continue
			}
			for _, x := range explain(t, "", p.Step, "--step", "-i", itinerary, "--flags", "DirectImage") {
				if x.Runs == "no" {
					assert.Contains(t, x.Text, p.Why.Text, "%s of %s", p.Name, itinerary)
				}
			}
		}
	}
	step := explain(t, "", "DataBackup", "--step", "-i", "Stage", "--flags", "DirectImage")[0]
	assert.NotContains(t, step.Missing, "Quiesce")
	assert.NotContains(t, step.Text, "Quiesce")
}

func TestCompleteSettings(t *testing.T) {
	for begun, want := range map[string][]string{
		"HasPV":              {"HasPVs="},
		"HasPVs=":            {"HasPVs=true", "HasPVs=false", "HasPVs=unknown"},
		"HasPVs=true,HasVer": {"HasPVs=true,HasVerify="},
	} {
		for _, command := range [][]string{{"plan"}, {"explain", "Cleanup"}, {"graph"}, {"run"}, {"convert"}} {
			r := run(t, "", append(append([]string{"__complete"}, command...), "--set", begun)...)
			lines := strings.Split(strings.TrimSpace(r.out), "\n")
			assert.Equal(t, want, lines[:len(lines)-1], command)
		}
	}
}
