package cli_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/goldentest"
)

func TestExplainFlag(t *testing.T) {
	all := explain(t, "", "HasStageBackup", "-i", "Final", "--flags", "DirectImage,HasPVs")
	require.Len(t, all, 1)
	e := all[0]
	assert.Equal(t, "flag", e.Kind)
	assert.Equal(t, "no", e.Runs, "its value")
	assert.True(t, *e.Tentative)
	assert.Empty(t, *e.Guard)
	assert.Empty(t, e.Missing)
	assert.Equal(t, []string{"WaitForRefresh"}, e.DecidedBy)
	assert.Equal(t, "flag HasStageBackup is false; that may still change (decided by WaitForRefresh); "+
		"with HasStageBackup=true: steps DataBackup and DataRestore appear, with AnnotateResources, EnsureStageBackup and 5 more", e.Text)

	f := e.Flag
	assert.Equal(t, "a backup of images or volumes is needed", f.Description)
	assert.False(t, f.Live)
	assert.Equal(t, []string{"WaitForRefresh"}, f.DecidedBy)
	assert.Contains(t, f.Relations, "HasStageBackup and StorageConversion exclude each other")
	assert.Len(t, f.Relations, 5)
	var read []string
	for _, r := range f.ReadBy {
		assert.Equal(t, "guard", r.What)
		read = append(read, r.Phase)
	}
	assert.Equal(t,
		[]string{
			"AnnotateResources", "EnsureStageBackup", "StageBackupCreated", "EnsureStageBackupReplicated", "EnsureStageRestore",
			"StageRestoreCreated", "EnsureAnnotationsDeleted",
		},
		read)

	require.Len(t, f.IfOther, 1)
	other := f.IfOther[0]
	assert.Equal(t, "true", other.Value)
	require.Len(t, other.Flags, 1)
	assert.Equal(t, "HasStageBackup", other.Flags[0].Name)
	assert.True(t, other.Flags[0].Set)
	require.Len(t, other.Steps, 2)
	assert.Equal(t, "DataBackup", other.Steps[0].Name)
	assert.Equal(t, "no", other.Steps[0].Before)
	assert.Equal(t, "yes", other.Steps[0].After)
	assert.True(t, other.Steps[0].Tentative)
	assert.Len(t, other.Phases, 7)
}

// The changes follow the relations and --set.
func TestExplainWhatChangesWithAFlag(t *testing.T) {
	objects := around("", migration("m", ``, ``), migration("c", `"canceled": true`, ``))
	for _, tt := range []struct {
		about string
		args  []string
		want  []string // for each other value
	}{
		{"another flag follows", []string{"DirectImage", "--flag"}, []string{
			"flag DirectImage is true; with DirectImage=false, and so IndirectImage=true and HasStageBackup=true: step DirectImage " +
				"vanishes, steps DataBackup and DataRestore appear, without CreateDirectImageMigration and " +
				"WaitForDirectImageMigrationToComplete, with CreateRegistries, WaitForRegistriesReady and 7 more",
			"flag DirectImage is true; with DirectImage=false, and so IndirectImage=true and HasStageBackup=true: the same steps, " +
				"without DeleteDirectImageMigrationResources, with EnsureAnnotationsDeleted",
		}},
		{"over --set", []string{"DirectImage", "--flag", "--set", "StorageConversion=true"}, []string{
			"flag DirectImage is true; with DirectImage=false, and so IndirectImage=true, the same phases run",
			"flag DirectImage is true; with DirectImage=false, and so IndirectImage=true: the same steps, without DeleteDirectImageMigrationResources",
		}},
		{"nothing", []string{"HasPVs", "--itinerary-name", "Cancel"}, []string{"flag HasPVs is false; nothing in itinerary Cancel depends on it"}},
		{"unknown", []string{"HasPostRestoreHooks", "--set", "HasPostRestoreHooks=unknown", "--itinerary-name", "Final"}, []string{
			"flag HasPostRestoreHooks is unknown; with HasPostRestoreHooks=true: step PostRestoreHooks appears, with PostRestoreHooks; " +
				"with HasPostRestoreHooks=false: step PostRestoreHooks vanishes, without PostRestoreHooks",
		}},
		{"a jump", []string{"RollingBack", "--itinerary-name", "Cancel"}, []string{
			"flag RollingBack is false; with RollingBack=true: step CleanupHelpers vanishes, without DeleteBackups, DeleteRestores and 3 more",
		}},
	} {
		t.Run(tt.about, func(t *testing.T) {
			r := run(t, objects, append([]string{"explain", "-f", "-", "-o", "json"}, tt.args...)...)
			var got []string
			for _, e := range explanations(t, r.out) {
				got = append(got, e.Text)
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestExplainFlagTable(t *testing.T) {
	r := run(t, various, "explain", "DirectImage", "-f", "-")
	assert.Equal(t, 0, r.code)
	goldentest.Compare(t, "testdata/explain-flag.txt", r.out)
	assert.Regexp(t, `(?s)^flag DirectImage: \S.*\n  relations .*\n  in Stage .*\n\nNAMESPACE   NAME   ITINERARY   KIND   RUNS `,
		r.out, "what is the same for all comes first")

	// A name of several kinds.
	kinds := func(args ...string) (kinds []string) {
		for _, e := range explain(t, "", append([]string{"DirectImage", "-i", "Final", "--flags", "DirectImage"}, args...)...) {
			kinds = append(kinds, e.Kind)
		}
		return kinds
	}
	assert.Equal(t, []string{"step", "flag"}, kinds())
	assert.Equal(t, []string{"step"}, kinds("--step"))
	assert.Equal(t, []string{"flag"}, kinds("--flag"))
	r = run(t, "", "explain", "DirectImage", "-i", "Final", "--phase")
	assert.Equal(t, 2, r.code)
	assert.Equal(t, []string{`itinerary Final has no phase "DirectImage"; there is a step of that name, leave out --phase`}, r.lines(t))
	r = run(t, "", "explain", "HasPV", "-i", "Final")
	assert.Equal(t, 2, r.code)
	assert.Equal(t, []string{`itinerary Final has no phase, step or flag "HasPV"; did you mean "HasPVs"?`}, r.lines(t))
}

func TestExplainFlagOfAFile(t *testing.T) {
	file := write(t, "own.yaml", `
flags: [{name: Due, description: the time has come, live: true}, {name: Fast}, {name: Idle}]
relations: [[Due, Fast]]
itineraries:
- name: Own
  phases:
  - {name: Copy, step: Disks, steps: [{step: Transfer, all: [Fast]}], decides: [Fast], jumps: [{to: Cut, all: [Due]}]}
  - {name: Copied, step: Disks}
  - {name: Cut, step: Cutover}`)
	e := explain(t, "", "Due", "-i", file, "--flags", "Fast")[0]
	assert.True(t, e.Flag.Live)
	assert.True(t, *e.Tentative)
	require.Len(t, e.Flag.ReadBy, 1)
	assert.Equal(t, struct{ Phase, What, Of string }{"Copy", "jump", "Cut"}, e.Flag.ReadBy[0])
	assert.Equal(t, []string{"at least one of Due and Fast must be true"}, e.Flag.Relations)

	e = explain(t, "", "Fast", "-i", file, "--flags", "Fast")[0]
	assert.Equal(t, struct{ Phase, What, Of string }{"Copy", "step", "Transfer"}, e.Flag.ReadBy[0])
	assert.Equal(t, []string{"Copy"}, e.Flag.DecidedBy)

	out := run(t, "", "explain", "Due", "-i", file, "--flags", "Fast").out
	assert.Contains(t, out, "flag Due: the time has come\n")
	assert.Contains(t, out, "affects whether Copy jumps to Cut\n")
	assert.Contains(t, out, "live: a user may change it at any time\n")
	assert.Contains(t, run(t, "", "explain", "Fast", "-i", file, "--flags", "Fast").out, "affects whether the step of Copy is Transfer\n")
	assert.Contains(t, run(t, "", "explain", "Idle", "-i", file, "--flags", "Fast").out, "  in Own   nothing depends on it\n")
}
