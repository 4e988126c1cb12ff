package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// How a migration of mig-controller has ended, and why, is taken from its status.
func TestStatusOfAMigrationThatIsDone(t *testing.T) {
	for _, tt := range []struct{ about, status, now, result, why string }{
		{
			"it failed",
			`"itinerary": "Failed", "errors": ["boom", "no space left"], "conditions": [{"type": "Failed", "status": "True"}]`, "failed",
			"Failed", "boom; no space left",
		},
		{"only a condition has that", `"itinerary": "Final", "conditions": [{"type": "Failed", "status": "True"}]`, "failed", "Failed", ""},
		{"only its errors have that", `"itinerary": "Final", "errors": ["boom"]`, "failed", "Failed", "boom"},
		{"a condition that is not true", `"itinerary": "Stage", "conditions": [{"type": "Failed", "status": "False"}]`, "succeeded", "Succeeded", ""},
		{"it succeeded", `"itinerary": "Final", "conditions": [{"type": "Succeeded", "status": "True"}]`, "succeeded", "Succeeded", ""},
		{"it was canceled", `"itinerary": "Cancel"`, "canceled", "Canceled", ""},
		{"it was rolled back", `"itinerary": "Rollback"`, "rolled back", "RolledBack", ""},
	} {
		t.Run(tt.about, func(t *testing.T) {
			object := migration("m", "",
				tt.status+`, "phase": "Completed", "pipeline": [{"name": "Prepare", "started": "2026-11-20T10:00:00Z", "completed": `+
					`"2026-11-20T11:00:00Z"}]`)
			r := run(t, object, "status", "-f", "-", "--now", "2026-11-20T12:00:00Z")
			assert.Equal(t, 0, r.code, r.stderr)
			assert.Regexp(t, `\nm +\w+ +- +Completed +`+tt.now+` +1 h +`+strings.TrimPrefix(tt.why+"; since", "; "), r.out)

			r = run(t, object, "status", "-f", "-", "-o", "json")
			var rows []struct{ Result, Why string }
			require.NoError(t, json.Unmarshal([]byte(r.out), &rows))
			require.Len(t, rows, 1)
			assert.Equal(t, tt.result, rows[0].Result)
			assert.Equal(t, tt.why, rows[0].Why)
		})
	}
}

// The status of this migration has only a phase, or an invalid time.
func TestStatusOfAMigrationWithoutATime(t *testing.T) {
	r := run(t, "", "status", "-f", recorded("objects.json"), "--name", "migration-003", "--stuck", "30m")
	assert.Equal(t, 0, r.code)
	assert.Empty(t, r.out)
	assert.Equal(t, []string{"note: it is not known when these last moved: openshift-migration/migration-003"}, r.lines(t))

	broken := migration("m", "",
		`"itinerary": "Final", "phase": "EnsureInitialBackup", "pipeline": [{"name": "Prepare", "started": "yesterday"}]`)
	r = run(t, broken, "status", "-f", "-", "--stuck", "30m")
	assert.Equal(t, 1, r.code)
	assert.Empty(t, r.out)
	require.Len(t, r.lines(t), 2)
	assert.Contains(t, r.lines(t)[0], `MigMigration ns/m: status: parsing time "yesterday"`)
	assert.Equal(t, "note: it is not known when these last moved: ns/m", r.lines(t)[1])
	assert.Contains(t, run(t, broken, "status", "-f", "-").out, `status: parsing time "yesterday"`)
}
