package cli_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// various are migrations of several itineraries and namespaces.
var various = around(`"persistentVolumes": [{"selection": {"action": "copy", "copyMethod": "filesystem"}}]`,
	migration("a", `"stage": true`, ``),
	migration("b", ``, ``),
	strings.Replace(migration("b", `"canceled": true`, ``), `"namespace": "ns"`, `"namespace": "other"`, 1),
	migration("c", ``,
		`"itinerary": "Final", "phase": "EnsureInitialBackup", "pipeline": [{"name": "StageBackup", "started": "2021-03-25T18:24:57Z"}]`))

func TestFilters(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{"none", nil, []string{"ns/a", "ns/b", "other/b", "ns/c"}},
		{"a name in two namespaces", []string{"--name", "b"}, []string{"ns/b", "other/b"}},
		{"a name with its namespace", []string{"--name", "other/b"}, []string{"other/b"}},
		{"several names, in the order read", []string{"--name", "c", "--name", "a"}, []string{"ns/a", "ns/c"}},
		{"an itinerary", []string{"--itinerary-name", "Final"}, []string{"ns/b", "ns/c"}},
		{"both", []string{"--itinerary-name", "Final", "--name", "b"}, []string{"ns/b"}},
		{"a step", []string{"--runs", "Restore"}, []string{"ns/b", "ns/c"}},
		{"a step that has started", []string{"--runs", "DataBackup"}, []string{"ns/c"}},
		{"a step by its old name", []string{"--runs", "StageBackup"}, []string{"ns/c"}},
		{"a step in the other scheme", []string{"--runs", "StateBackup"}, []string{"ns/c"}},
		{"a step that depends on an unknown flag", []string{"--runs", "DirectImage", "--set", "EnableImage=unknown"}, []string{"ns/a", "ns/b", "ns/c"}},
		{"all three", []string{"--itinerary-name", "Final", "--name", "b", "--runs", "Cleanup"}, []string{"ns/b"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, various, append([]string{"plan", "-f", "-", "-o", "json"}, tt.args...)...)
			assert.NotEqual(t, 2, r.code, r.stderr)
			var got []string
			for _, e := range elements(t, r.out) {
				got = append(got, *e.Namespace+"/"+*e.Name)
			}
			assert.Equal(t, tt.want, got)
		})
	}

	// explain has the filters that do not depend on a step.
	all := explain(t, various, "Cleanup", "--step", "-f", "-", "--itinerary-name", "Final", "--name", "b")
	require.Len(t, all, 1)
	assert.Equal(t, "b", *all[0].Name)
}

func TestFiltersWithoutMatch(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--itinerary-name", "Rollback"}, "note: none of 4 migrations is on the itinerary Rollback"},
		{[]string{"--itinerary-name", "Cancel", "--runs", "Restore"}, "note: none of 4 migrations is on the itinerary Cancel and runs the step Restore"},
		{[]string{"--name", "a", "--itinerary-name", "Final"}, "note: none of 4 migrations has the name a and is on the itinerary Final"},
	} {
		r := run(t, various, append([]string{"plan", "-f", "-"}, tt.args...)...)
		assert.Equal(t, 0, r.code)
		assert.Empty(t, r.out)
		assert.Equal(t, []string{tt.want}, r.lines(t))
		assert.Equal(t, "[]\n", run(t, various, append([]string{"plan", "-f", "-", "-o", "json"}, tt.args...)...).out)
	}
}

// Problems of a migration that the filter leaves out are not printed.
func TestFiltersLeaveOutProblems(t *testing.T) {
	objects := around("", migration("a", ``, ``), strings.ReplaceAll(migration("b", ``, ``), `"name": "p"`, `"name": "gone"`))
	r := run(t, objects, "plan", "-f", "-", "--name", "a")
	assert.Equal(t, 0, r.code)
	assert.Empty(t, r.stderr)
	r = run(t, objects, "plan", "-f", "-", "--runs", "DirectImage")
	assert.Equal(t, 1, r.code, "b may run it")
	assert.Contains(t, r.out, "\nb ")
	assert.Contains(t, r.out, " unknown ")
	r = run(t, objects, "plan", "-f", "-", "--runs", "CleanupVelero")
	assert.Equal(t, 0, r.code, "b does not run it, whatever its plan")
}

func TestFilterUsage(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"plan", "-f", "-", "--name", "unheard-of"}, `there is no MigMigration "unheard-of"`},
		{[]string{"plan", "-f", "-", "--name", "a", "--name", "ns/cc"}, `there is no MigMigration "ns/cc"`},
		{[]string{"explain", "Cleanup", "-f", "-", "--name", "aa"}, `there is no MigMigration "aa"; did you mean "a"?`},
		{[]string{"plan", "-f", "-", "--itinerary-name", "Finl"}, `--itinerary-name: unknown itinerary "Finl"; did you mean "Final"?`},
		{[]string{"plan", "-f", "-", "--runs", "DirectVolum"}, `--runs: no itinerary has a step "DirectVolum"; did you mean "DirectVolume"?`},
		{[]string{"plan", "-f", "-", "--runs", "EnsureStageBackup"}, `--runs: no itinerary has a step "EnsureStageBackup"; did you mean "Backup"?`},
		{[]string{"plan", "-f", "-", "--runs", ""}, `--runs needs a value`},
		{[]string{"plan", "-i", "Final", "--runs", "Cleanup"}, `--runs needs -f; with -i alone there is no migration to choose`},
		{[]string{"plan", "-i", "Final", "--name", "a"}, `--name needs -f; with -i alone there is no migration to choose`},
		{[]string{"explain", "Cleanup", "-i", "Final", "--itinerary-name", "Final"}, `--itinerary-name needs -f; with -i alone there is no migration to choose`},
		{[]string{"plan", "-f", "-", "--diff"}, `--diff needs --set FLAG=VALUE, whose effect it shows`},
		{[]string{"plan", "-i", "Final", "--diff"}, `--diff needs --set FLAG=VALUE, whose effect it shows`},
		{[]string{"plan", "-f", "-", "--diff", "--explain", "--set", "HasPVs=true"}, `--explain and --diff exclude each other; --diff includes the reasons`},
	} {
		r := run(t, various, tt.args...)
		assert.Equal(t, 2, r.code, tt.args)
		assert.Equal(t, []string{tt.want}, r.lines(t), tt.args)
		assert.Empty(t, r.out)
	}
}
