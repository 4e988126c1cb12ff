package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The questions of a support engineer about recorded objects. Each answer is in the first
// lines.

// rows returns the lines of a table below its titles, up to its legend.
func rows(t *testing.T, out string) []string {
	t.Helper()
	table, _, _ := strings.Cut(out, "\n\n")
	lines := strings.Split(strings.TrimSuffix(table, "\n"), "\n")
	require.True(t, strings.HasPrefix(lines[0], "NAME "), out)
	return lines[1:]
}

func TestExplainDataBackup(t *testing.T) {
	r := run(t, "", "explain", "DataBackup", "-f", recorded("objects.json"), "--name", "migration-004")
	assert.Equal(t, 0, r.code)
	lines := rows(t, r.out)
	assert.Equal(t, []string{"migration-004", "Stage", "step", "no?"}, strings.Fields(lines[0])[:4])
	assert.Contains(t, lines[0],
		"step DataBackup is not shown: no phase runs for it, since HasStagePods, HasPVs, HasISs, IndirectVolume and HasStageBackup are "+
			"false; that may still change")
	for i, reason := range []string{
		"- needs HasPVs and IndirectVolume (decided by WaitForRefresh): EnsureStagePodsFromRunning, EnsureStagePodsFromTemplates and EnsureStagePodsFromOrphanedPVCs",
		"- needs HasStagePods (decided by WaitForStaleStagePodsTerminated, EnsureStagePodsFromRunning and 2 more): StagePodsCreated and RestartRestic",
		"- needs HasStageBackup (decided by WaitForRefresh): AnnotateResources, EnsureStageBackup and 2 more",
		"- needs HasISs (decided by WaitForRefresh): WaitForRegistriesReady",
	} {
		assert.Equal(t, reason, strings.TrimSpace(lines[i+1]))
	}
	assert.Len(t, lines, 6, "the last is reported elsewhere")
	assert.Contains(t, r.out, "\nNAME?   may still change", "the mark is explained")
	for _, line := range lines {
		assert.Less(t, len(line), 260)
	}
}

func TestPlanRunsDirectVolume(t *testing.T) {
	args := []string{"plan", "-f", recorded("objects.json"), "--runs", "DirectVolume"}
	r := run(t, "", args...)
	assert.Equal(t, 0, r.code)
	lines := rows(t, r.out)
	require.Len(t, lines, 2)
	for i, name := range []string{"migration-017", "migration-023"} {
		assert.True(t, strings.HasPrefix(lines[i], name+" "), lines[i])
		assert.Contains(t, lines[i], " yes, may still change ")
		assert.Contains(t, lines[i], " > DirectVolume? > ")
	}
	// Those may still run it whose volumes do not go through a backup.
	var come []string
	for _, e := range elements(t, run(t, "", "plan", "-f", recorded("objects.json"), "-o", "json").out) {
		for _, step := range e.TentativeSteps {
			if step == "DirectVolume" && !strings.Contains(strings.Join(e.Steps, " "), "DirectVolume") {
				come = append(come, *e.Name)
				assert.NotContains(t, e.Flags, "IndirectVolume")
			}
		}
	}
	assert.Equal(t,
		[]string{"migration-004", "migration-008", "migration-014", "migration-015", "migration-021", "migration-028", "migration-029"},
		come)
	assert.Contains(t, r.lines(t), "note: these are not listed, because they do not run step DirectVolume by the flags known now, but may "+
		"still run it: "+strings.Join(come[:6], ", ")+" and "+come[6])

	all := elements(t, run(t, "", append(args, "-o", "json")...).out)
	require.Len(t, all, 2)
	for _, e := range all {
		assert.Contains(t, e.Steps, "DirectVolume")
		assert.Contains(t, e.TentativeSteps, "DirectVolume")
	}
	assert.Equal(t, 2, strings.Count(run(t, "", append(args, "-o", "yaml")...).out, "\n  itinerary:"))
}

func TestDiffOfIndirectImage(t *testing.T) {
	args := []string{"plan", "-f", recorded("objects.json"), "--name", "migration-000", "--set", "IndirectImage=true", "--diff"}
	r := run(t, "", args...)
	assert.Equal(t, 0, r.code)
	assert.Equal(t, `openshift-migration/migration-000
  flags    IndirectImage                             false -> true
           DirectImage                               true -> false, which follows
  steps    - DirectImage                             vanishes
  phases   - CreateDirectImageMigration              does not run: it needs DirectImage
           - WaitForDirectImageMigrationToComplete   does not run: it needs DirectImage
`, r.out)
	assert.NotContains(t, r.stderr, "--set also changes", "it is shown")

	all := differences(t, run(t, "", append(args, "-o", "json")...).out)
	require.Len(t, all, 1)
	c := all[0]
	assert.Equal(t, "migration-000", *c.Name)
	assert.Equal(t, "openshift-migration", *c.Namespace)
	assert.Equal(t, "Stage", c.Itinerary)
	require.Len(t, c.Flags, 2)
	assert.Equal(t, "IndirectImage", c.Flags[0].Name)
	assert.True(t, c.Flags[0].Set)
	assert.Equal(t, "DirectImage", c.Flags[1].Name)
	assert.False(t, c.Flags[1].Set)
	require.Len(t, c.Steps, 1)
	assert.Equal(t, "DirectImage", c.Steps[0].Name)
	assert.Equal(t, "yes", c.Steps[0].Before)
	assert.Equal(t, "no", c.Steps[0].After)
	require.Len(t, c.Phases, 2)
	assert.Equal(t, "needs DirectImage", c.Phases[0].Why.Text)

	// explain reports the same for the flag.
	r = run(t, "", "explain", "IndirectImage", "-f", recorded("objects.json"), "--name", "migration-000")
	assert.Contains(t, r.out,
		"with IndirectImage=true, and so DirectImage=false: step DirectImage vanishes, without CreateDirectImageMigration and "+
			"WaitForDirectImageMigrationToComplete")
}

// difference is the change that --set makes to a migration, in JSON.
type difference struct {
	Name, Namespace *string
	Itinerary       string
	changed
}

func differences(t *testing.T, text string) []difference {
	t.Helper()
	var all []difference
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(&all), text)
	return all
}
