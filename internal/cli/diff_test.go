package cli_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/goldentest"
)

func TestDiff(t *testing.T) {
	// Each sign: runs, does not run, and unknown.
	r := run(t, "", "plan", "-i", "Final", "--flags", "DirectImage,EnableImage,EnableVolume,HasPVs,DirectVolume",
		"--set", "IndirectImage=true,HasISs=true,HasStageBackup=true", "--set", "EnableVolume=unknown", "--diff")
	assert.Equal(t, 1, r.code, "a flag that matters is unknown")
	assert.Equal(t, []string{"itinerary Final: flag EnableVolume is unknown: it is set to unknown with --set"}, r.lines(t))
	goldentest.Compare(t, "testdata/plan-diff.txt", r.out)
	for _, line := range []string{
		"EnableVolume ", "true -> unknown",
		"- DirectImage ", "+ DataBackup ", "appears; that may still change",
		"? DirectVolume ", "may appear; that may still change",
		"+ EnsureStageBackup ", "runs: its guard, HasStageBackup, holds",
		"may run: it depends on EnableVolume, which is unknown",
	} {
		assert.Contains(t, r.out, line)
	}
}

func TestDiffOfSeveral(t *testing.T) {
	r := run(t, various, "plan", "-f", "-", "--set", "HasPostRestoreHooks=true", "--diff")
	assert.Equal(t, 0, r.code)
	assert.Equal(t, []string{"note: nothing changes in 2 of 4 migrations"}, r.lines(t))
	assert.Equal(t, 2, strings.Count(strings.Join(strings.Fields(r.out), " "), "steps + PostRestoreHooks appears phases"))
	assert.NotContains(t, r.out, "ns/a\n", "a stage migration has no hooks")
	all := differences(t, run(t, various, "plan", "-f", "-", "--set", "HasPostRestoreHooks=true", "--diff", "-o", "json").out)
	require.Len(t, all, 2)
	assert.Equal(t, "b", *all[0].Name)
	assert.Equal(t, "c", *all[1].Name)

	r = run(t, various, "plan", "-f", "-", "--set", "HasPostRestoreHooks=true", "--diff", "--itinerary-name", "Cancel")
	assert.Equal(t, 0, r.code)
	assert.Equal(t, []string{"note: nothing changes: the same phases run"}, r.lines(t))
	assert.Empty(t, r.out)
	assert.Equal(t, "[]\n",
		run(t, various, "plan", "-f", "-", "--set", "HasPostRestoreHooks=true", "--diff", "--itinerary-name", "Cancel", "-o", "yaml").out)

	// The phases change, and the steps are the same.
	r = run(t, "", "plan", "-i", "Stage", "--flags", "IndirectImage,HasISs,HasStageBackup", "--set", "EnableImage=true", "--diff")
	assert.Contains(t, r.out, "  steps    the same\n")
}

// A setting that changes nothing in the plan, and one that equals the objects.
func TestDiffOfNothing(t *testing.T) {
	for _, set := range []string{"HasVerify=true", "EnableVolume=true"} {
		r := run(t, various, "plan", "-f", "-", "--name", "other/b", "--set", set, "--diff")
		assert.Equal(t, 0, r.code)
		assert.Equal(t, []string{"note: nothing changes: the same phases run"}, r.lines(t), set)
		assert.Empty(t, r.out)
	}
}
