package legacy_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/legacytest"
	"github.com/konveyor/dynamic-pipeline/legacy"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

var adapter = legacy.NewAdapter(legacytest.Itineraries(mtc.DataNames), mtc.DataNames)

// selected returns a selection in which the flags of yes are true and all others
// false.
func selected(itinerary string, yes phases.Flags) *legacy.Selected {
	return &legacy.Selected{Itinerary: itinerary, Facts: phases.NewFacts(yes, mtc.Vocabulary().All()&^yes)}
}

// TestUpgrade upgrades statuses and downgrades each result to the original.
func TestUpgrade(t *testing.T) {
	plain := mtc.DirectImage | mtc.EnableImage
	for _, tt := range []struct {
		name, status, want string
		now                *legacy.Selected
	}{
		{name: "nothing", status: ``, want: ``},
		{name: "null", status: `null`, want: `null`},
		{name: "empty", status: `{}`, want: `{}`},
		{
			name:   "not begun",
			status: `{"phase":"","conditions":[]}`,
			want:   `{"phase":"","conditions":[]}`,
		}, {
			name:   "not begun, with a selection",
			status: `{"pipeline":[]}`, now: selected(mtc.Final, plain),
			want: `{"pipeline":[]}`,
		}, {
			name:   "no pipeline",
			status: `{"phase":"QuiesceApplications","itinerary":"Final"}`, now: selected(mtc.Final, plain),
			want: `{"phase":"QuiesceSourceApplications","itinerary":"Final"}`,
		}, {
			name:   "pipeline null",
			status: `{"phase":"Started","itinerary":"Final","pipeline":null}`, now: selected(mtc.Final, plain),
			want: `{"phase":"Started","itinerary":"Final","pipeline":null}`,
		}, {
			name:   "empty pipeline",
			status: `{"phase":"Started","itinerary":"Stage","pipeline":[]}`, now: selected(mtc.Stage, plain),
			want: `{"phase":"Started","itinerary":"Stage","pipeline":[{"name":"Prepare","message":"Not started"},
				{"name":"DirectImage","message":"Not started"},{"name":"Cleanup","message":"Not started"}]}`,
		}, {
			name:   "empty pipeline without a selection",
			status: `{"phase":"Started","itinerary":"Stage","pipeline":[ ]}`,
			want:   `{"phase":"Started","itinerary":"Stage","pipeline":[]}`,
		}, {
			name:   "phase empty",
			status: `{"phase":"","itinerary":"Final","pipeline":[{"name":"Prepare","started":"t"}]}`,
			want:   `{"phase":"Created","itinerary":"Final","pipeline":[{"name":"Prepare","started":"t"}]}`,
		}, {
			name:   "phase absent",
			status: `{"conditions":[],"pipeline":[{"name":"Prepare","started":"t"}],"itinerary":"Final"}`,
			want:   `{"conditions":[],"phase":"Created","pipeline":[{"name":"Prepare","started":"t"}],"itinerary":"Final"}`,
		}, {
			name:   "phase null",
			status: `{"itinerary":"Stage","phase":null}`,
			want:   `{"itinerary":"Stage","phase":"Created"}`,
		}, {
			name:   "phase empty in an itinerary without Created",
			status: `{"phase":"","itinerary":"Cancel"}`,
			want:   `{"phase":"","itinerary":"Cancel"}`,
		}, {
			name:   "phase empty in an unknown itinerary",
			status: `{"phase":"","itinerary":"Cutover"}`,
			want:   `{"phase":"","itinerary":"Cutover"}`,
		}, {
			name:   "phase empty in an open step",
			status: `{"phase":"","itinerary":"Final","pipeline":[{"name":"Prepare","started":"t","phase":""},{"name":"Backup","phase":""}]}`,
			want:   `{"phase":"Created","itinerary":"Final","pipeline":[{"name":"Prepare","started":"t","phase":"Created"},{"name":"Backup","phase":""}]}`,
		}, {
			name:   "direct volumes in Stage",
			status: `{"phase":"CreateDirectVolumeMigration","itinerary":"Stage"}`,
			want:   `{"phase":"CreateDirectVolumeMigrationStage","itinerary":"Stage"}`,
		}, {
			name:   "direct volumes in Final",
			status: `{"phase":"CreateDirectVolumeMigration","itinerary":"Final"}`,
			want:   `{"phase":"CreateDirectVolumeMigrationFinal","itinerary":"Final"}`,
		}, {
			name:   "direct volumes in Cancel, which has no such phase",
			status: `{"phase":"CreateDirectVolumeMigration","itinerary":"Cancel"}`,
			want:   `{"phase":"CreateDirectVolumeMigration","itinerary":"Cancel"}`,
		}, {
			name:   "steps in one naming scheme or the other",
			status: `{"pipeline":[{"name":"StateBackup","started":"t"},{"name":"StageRestore"}]}`,
			want:   `{"pipeline":[{"name":"DataBackup","started":"t"},{"name":"DataRestore"}]}`,
		}, {
			name: "skipped steps are dropped, started ones come first",
			status: `{"pipeline":[{"name":"Prepare","started":"t","completed":"t"},
				{"name":"Backup","skipped":true,"message":"Skipped"},{"name":"Restore","message":"Not started"},
				{"name":"Cleanup","started":"t"}]}`,
			want: `{"pipeline":[{"name":"Prepare","started":"t","completed":"t","message":"Completed"},
				{"name":"Cleanup","started":"t"},{"name":"Restore","message":"Not started"}]}`,
		}, {
			name:   "skipped, but it has run",
			status: `{"itinerary":"Cancel","phase":"Completed","pipeline":[{"started":"t","completed":"t","name":"Cleanup","message":"Skipped","skipped":true}]}`,
			want:   `{"itinerary":"Cancel","phase":"Completed","pipeline":[{"started":"t","completed":"t","name":"Cleanup","message":"Completed"}]}`,
		}, {
			name:   "skipped, but it has failed",
			status: `{"pipeline":[{"completed":"t","name":"Cleanup","message":"Skipped","failed":true,"skipped":true}]}`,
			want:   `{"pipeline":[{"completed":"t","name":"Cleanup","message":"Failed","failed":true}]}`,
		}, {
			name:   "skipped, but it runs",
			status: `{"itinerary":"Cancel","phase":"Canceled","pipeline":[{"started":"t","name":"Cleanup","phase":"Canceled","message":"Skipped","skipped":true}]}`,
			want: `{"itinerary":"Cancel","phase":"Canceled","pipeline":[
				{"started":"t","name":"Cleanup","phase":"Canceled","message":"Recording that the migration was canceled"}]}`,
		}, {
			name:   "skipped, but it runs an unknown phase, or none",
			status: `{"pipeline":[{"started":"t","name":"A","phase":"Lost","message":"Skipped","skipped":true},{"started":"t","name":"B","message":"Skipped","skipped":true}]}`,
			want:   `{"pipeline":[{"started":"t","name":"A","phase":"Lost","message":"Lost"},{"started":"t","name":"B","message":"Continues later"}]}`,
		}, {
			name:   "skipped, with another message",
			status: `{"pipeline":[{"started":"t","completed":"t","name":"Cleanup","message":"Look here","skipped":true},{"name":"A","skipped":false}]}`,
			want:   `{"pipeline":[{"started":"t","completed":"t","name":"Cleanup","message":"Completed"},{"name":"A"}]}`,
		}, {
			name: "completed without started",
			status: `{"pipeline":[{"name":"Prepare","message":"Not started"},
				{"name":"StageBackup","completed":"t","skipped":true,"message":"Skipped"},
				{"name":"A","started":"","completed":null}]}`,
			want: `{"pipeline":[{"name":"DataBackup","completed":"t","message":"Completed"},
				{"name":"Prepare","message":"Not started"},{"name":"A","started":"","completed":null}]}`,
		}, {
			name: "helpers after Cleanup",
			status: `{"itinerary":"Failed","phase":"Completed","pipeline":[
				{"name":"Cleanup","started":"a","completed":"b","failed":true},
				{"name":"CleanupHelpers","started":"b","completed":"c"}]}`,
			now: selected(mtc.Failed, plain),
			want: `{"itinerary":"Failed","phase":"Completed","pipeline":[
				{"name":"Cleanup","started":"a","completed":"b","message":"Failed","failed":true},
				{"name":"CleanupHelpers","started":"b","completed":"c","message":"Completed"}]}`,
		}, {
			name:   "done, so no steps remain, whatever is selected",
			status: `{"itinerary":"Final","phase":"Completed","pipeline":[{"name":"Prepare","started":"a"},{"name":"Backup"}]}`,
			now:    selected(mtc.Rollback, plain),
			want:   `{"itinerary":"Final","phase":"Completed","pipeline":[{"name":"Prepare","started":"a"}]}`,
		}, {
			name: "side by side, both done, one failed",
			status: `{"pipeline":[
				{"name":"StageBackup","started":"2024-01-01T10:00:00Z","completed":"2024-01-01T12:00:00Z","message":"Failed","failed":true},
				{"name":"DataBackup","started":"2024-01-01T11:00:00+02:00","completed":"2024-01-01T13:00:00+02:00","message":"Completed"}]}`,
			want: `{"pipeline":[{"name":"DataBackup","started":"2024-01-01T11:00:00+02:00","completed":"2024-01-01T12:00:00Z","message":"Failed","failed":true}]}`,
		}, {
			name: "side by side, the earlier one failed",
			status: `{"pipeline":[
				{"name":"StageBackup","started":"2024-01-01T10:00:00Z","failed":true,"completed":"2024-01-01T12:00:00Z"},
				{"name":"DataBackup","x":1,"completed":"2024-01-01T13:00:00Z","message":"Completed"}]}`,
			want: `{"pipeline":[{"started":"2024-01-01T10:00:00Z","name":"DataBackup","x":1,"completed":"2024-01-01T13:00:00Z","message":"Failed","failed":true}]}`,
		}, {
			name: "side by side, one open",
			status: `{"pipeline":[{"name":"DataRestore"},
				{"name":"StageBackup","started":"2024-01-01T10:00:00Z","phase":"EnsureStageBackup","message":"runs"},
				{"name":"DataBackup","started":"2024-01-01T11:00:00Z","completed":"2024-01-01T12:00:00Z"},
				{"name":"StageRestore","skipped":true}]}`,
			want: `{"pipeline":[{"name":"DataBackup","started":"2024-01-01T10:00:00Z","phase":"EnsureStageBackup","message":"runs"},{"name":"DataRestore"}]}`,
		}, {
			name: "side by side, one open, the other failed",
			status: `{"pipeline":[
				{"name":"StageBackup","started":"2024-01-01T10:00:00Z","completed":"2024-01-01T11:00:00Z","failed":true,"message":"Failed"},
				{"name":"DataBackup","started":"2024-01-01T10:00:00Z","phase":"EnsureStageBackup","message":"runs"}]}`,
			want: `{"pipeline":[{"name":"DataBackup","started":"2024-01-01T10:00:00Z","phase":"EnsureStageBackup","message":"runs","failed":true}]}`,
		}, {
			name:   "it reads Skipped, but is not",
			status: `{"pipeline":[{"name":"StageBackup","started":"t","message":"Skipped","skipped":false},{"name":"Restore","message":"Skipped"}]}`,
			want:   `{"pipeline":[{"name":"DataBackup","started":"t","message":"Skipped"},{"name":"Restore","message":"Skipped"}]}`,
		}, {
			name: "completed, in a phase, as before DirectVolume",
			status: `{"phase":"CreateDirectVolumeMigrationFinal","itinerary":"Final","pipeline":[
				{"started":"t","completed":"u","name":"StageBackup","phase":"EnsureStageBackup","message":"EnsureStageBackup in progress","progress":["2 of 2"]},
				{"started":"u","name":"DirectVolume","phase":"CreateDirectVolumeMigrationFinal"}]}`,
			want: `{"phase":"CreateDirectVolumeMigrationFinal","itinerary":"Final","pipeline":[
				{"started":"t","completed":"u","name":"DataBackup","message":"Completed","progress":["2 of 2"]},
				{"started":"u","name":"DirectVolume","phase":"CreateDirectVolumeMigrationFinal"}]}`,
		}, {
			name: "completed, without a message or with a wrong one",
			status: `{"pipeline":[{"name":"A","completed":"t","progress":["x"]},
				{"name":"B","completed":"t","message":null},
				{"name":"C","completed":"t","message":"Canceled","phase":"P"},
				{"name":"D","completed":"t","message":"Canceled","failed":true},
				{"name":"E","completed":"t","message":"Failed"}]}`,
			want: `{"pipeline":[{"name":"A","completed":"t","message":"Completed","progress":["x"]},
				{"name":"B","completed":"t","message":"Completed"},{"name":"C","completed":"t","message":"Canceled"},
				{"name":"D","completed":"t","message":"Failed","failed":true},
				{"name":"E","completed":"t","message":"Completed"}]}`,
		}, {
			name:   "side by side, one started",
			status: `{"pipeline":[{"name":"DataBackup","message":"Not started"},{"name":"Prepare","started":"t"},{"name":"StageBackup","started":"u"}]}`,
			want:   `{"pipeline":[{"name":"Prepare","started":"t"},{"name":"DataBackup","started":"u"}]}`,
		}, {
			name:   "one name twice",
			status: `{"pipeline":[{"name":"A","n":1},{"name":"A","n":2},{"name":"B","skipped":true},{"name":"B"}]}`,
			want:   `{"pipeline":[{"name":"A","n":1},{"name":"B"}]}`,
		}, {
			name: "replanned, listed entries keep their form",
			status: `{"itinerary":"Stage","phase":"StartRefresh","pipeline":[{"name":"Prepare","started":"t"},
				{"name":"Cleanup","odd":1.0},{"name":"StageBackup","message":"Not started"}]}`,
			now: selected(mtc.Stage, plain),
			want: `{"itinerary":"Stage","phase":"StartRefresh","pipeline":[{"name":"Prepare","started":"t"},
				{"name":"DirectImage","message":"Not started"},{"name":"Cleanup","odd":1.0}]}`,
		}, {
			name:   "planned from the start of another itinerary",
			status: `{"itinerary":"Final","phase":"InitialBackupFailed","pipeline":[{"name":"Prepare","started":"t"},{"name":"Backup","started":"t"},{"name":"Restore"}]}`,
			now:    selected(mtc.Failed, 0),
			want: `{"itinerary":"Final","phase":"InitialBackupFailed","pipeline":[{"name":"Prepare","started":"t"},
				{"name":"Backup","started":"t"},{"name":"CleanupHelpers","message":"Not started"},
				{"name":"Cleanup","message":"Not started"}]}`,
		}, {
			name:   "a phase without an itinerary is one of the selected itinerary",
			status: `{"phase":"DeleteRegistries","pipeline":[{"name":"StageBackup","started":"t"},{"name":"Prepare"},{"name":"StageRestore"}]}`,
			now:    selected(mtc.Stage, plain),
			want:   `{"phase":"DeleteRegistries","pipeline":[{"name":"DataBackup","started":"t"},{"name":"Cleanup","message":"Not started"}]}`,
		}, {
			name:   "a phase without an itinerary, under its former name",
			status: `{"phase":"QuiesceApplications","pipeline":[{"name":"Prepare","started":"t"},{"name":"Cleanup"}]}`,
			now:    selected(mtc.Stage, mtc.HasStageBackup|mtc.Quiesce),
			want: `{"phase":"QuiesceApplications","pipeline":[{"name":"Prepare","started":"t"},
				{"name":"DataBackup","message":"Not started"},{"name":"DataRestore","message":"Not started"},
				{"name":"Cleanup"}]}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			up, err := adapter.Upgrade([]byte(tt.status), tt.now)
			require.NoError(t, err)
			require.Empty(t, up.Warnings)
			require.Empty(t, cmp.Diff(oneLine(tt.want), string(up.Status)))

			again, err := adapter.Upgrade(up.Status, tt.now)
			require.NoError(t, err)
			require.Equal(t, string(up.Status), string(again.Status))
			require.Nil(t, again.Remainder)

			down, err := adapter.Downgrade(up.Status, up.Remainder)
			require.NoError(t, err)
			require.Empty(t, down.Warnings)
			require.Equal(t, compacted(t, tt.status), string(down.Status))
		})
	}
}

// TestUpgradeUnknownFlags: a step that depends on an unknown flag is listed only
// if it was listed before, as in steps.Sync.
func TestUpgradeUnknownFlags(t *testing.T) {
	facts := selected(mtc.Stage, mtc.DirectImage|mtc.EnableImage).Facts.Forget(mtc.HasStageBackup)
	const prepare = `{"itinerary":"Stage","phase":"StartRefresh","pipeline":[{"name":"Prepare","started":"t"}`
	for _, tt := range []struct{ name, listed, want string }{
		{"listed", `,{"name":"StageBackup"}]}`, `,{"name":"DataBackup"},{"name":"DirectImage","message":"Not started"},{"name":"Cleanup","message":"Not started"}]}`},
		{"not listed", `]}`, `,{"name":"DirectImage","message":"Not started"},{"name":"Cleanup","message":"Not started"}]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			up, err := adapter.Upgrade([]byte(prepare+tt.listed), &legacy.Selected{Itinerary: mtc.Stage, Facts: facts})
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(prepare+tt.want, string(up.Status)))
		})
	}
	// A cleanup itinerary runs a step if its flag is unknown.
	up, err := adapter.Upgrade([]byte(`{"itinerary":"Final","phase":"Started","pipeline":[]}`), &legacy.Selected{Itinerary: mtc.Rollback})
	require.NoError(t, err)
	require.Contains(t, string(up.Status), mtc.RollbackLiveMigration)
}

// TestUpgradeUnknownPhase: the status is converted, but not replanned.
func TestUpgradeUnknownPhase(t *testing.T) {
	status := oneLine(`{"phase":"InitialBackupFailed","itinerary":"Final","pipeline":[
		{"name":"Backup","started":"t","phase":"InitialBackupFailed"},{"name":"Restore","skipped":true},
		{"name":"StageBackup"}]}`)
	up, err := adapter.Upgrade([]byte(status), selected(mtc.Final, 0))
	require.NoError(t, err)
	require.Equal(t, oneLine(`{"phase":"InitialBackupFailed","itinerary":"Final","pipeline":[
		{"name":"Backup","started":"t","phase":"InitialBackupFailed"},{"name":"DataBackup"}]}`), string(up.Status))
	require.Len(t, up.Warnings, 1)
	var notPlanned *legacy.NotPlannedError
	require.ErrorAs(t, up.Warnings[0], &notPlanned)
	var unknown *machine.UnknownPhaseError
	require.ErrorAs(t, up.Warnings[0], &unknown)
	require.Equal(t, "InitialBackupFailed", unknown.Phase)
	require.Contains(t, notPlanned.Error(), `itinerary "Final" has no phase "InitialBackupFailed"`)

	down, err := adapter.Downgrade(up.Status, up.Remainder)
	require.NoError(t, err)
	require.Equal(t, status, string(down.Status))
}

// TestUpgradeUnknownPhaseWithoutItinerary: if no itinerary is recorded, the error
// names the selected one.
func TestUpgradeUnknownPhaseWithoutItinerary(t *testing.T) {
	status := `{"phase":"DeleteBackups","pipeline":[{"name":"Backup","started":"t"},{"name":"StageBackup"}]}`
	up, err := adapter.Upgrade([]byte(status), selected(mtc.Final, 0))
	require.NoError(t, err)
	require.Equal(t, `{"phase":"DeleteBackups","pipeline":[{"name":"Backup","started":"t"},{"name":"DataBackup"}]}`, string(up.Status))
	require.Len(t, up.Warnings, 1)
	var notPlanned *legacy.NotPlannedError
	require.ErrorAs(t, up.Warnings[0], &notPlanned)
	var unknown *machine.UnknownPhaseError
	require.ErrorAs(t, up.Warnings[0], &unknown)
	require.Equal(t, mtc.Final, unknown.Itinerary)
	require.Equal(t, "DeleteBackups", unknown.Phase)

	down, err := adapter.Downgrade(up.Status, up.Remainder)
	require.NoError(t, err)
	require.Equal(t, status, string(down.Status))
}

// TestUpgradeAgain: the second remainder leads back to the same original as the
// first.
func TestUpgradeAgain(t *testing.T) {
	status := oneLine(`{"phase":"","itinerary":"Stage","pipeline":[{"name":"Prepare","started":"t"},
		{"name":"StageBackup","message":"Not started"},{"name":"DirectVolume","skipped":true},{"name":"Cleanup"}]}`)
	first, err := adapter.Upgrade([]byte(status), nil)
	require.NoError(t, err)
	second, err := adapter.UpgradeAgain(first.Status, first.Remainder, selected(mtc.Stage, mtc.DirectImage))
	require.NoError(t, err)
	require.Empty(t, second.Warnings)
	require.Equal(t, oneLine(`{"phase":"Created","itinerary":"Stage","pipeline":[
		{"name":"Prepare","started":"t"},{"name":"Cleanup"}]}`), string(second.Status))
	down, err := adapter.Downgrade(second.Status, second.Remainder)
	require.NoError(t, err)
	require.Equal(t, status, string(down.Status))

	third, err := adapter.UpgradeAgain(second.Status, second.Remainder, nil)
	require.NoError(t, err)
	require.Nil(t, third.Remainder, "nothing changed, so the annotation stays")

	foreign, err := adapter.UpgradeAgain(first.Status, []byte("garbage"), selected(mtc.Stage, mtc.DirectImage))
	require.NoError(t, err)
	require.Len(t, foreign.Warnings, 1)
	down, err = adapter.Downgrade(foreign.Status, foreign.Remainder)
	require.NoError(t, err)
	require.Equal(t, string(first.Status), string(down.Status))
}

func TestUpgradeRefusesBrokenStatuses(t *testing.T) {
	for _, tt := range []struct{ name, status, want string }{
		{"not JSON", `{"phase":`, "status is not JSON: unexpected end of JSON input"},
		{"two values", `{} {}`, "status is not JSON: invalid character '{' after top-level value"},
		{"not an object", `[1]`, "status is not an object"},
		{"phase a number", `{"phase":1}`, "status.phase is not a string"},
		{"itinerary an object", `{"itinerary":{}}`, "status.itinerary is not a string"},
		{"phase twice", `{"phase":"A","ph\u0061se":"B"}`, "status.phase is there twice; remove one"},
		{"pipeline twice", `{"pipeline":null,"pipeline":[]}`, "status.pipeline is there twice; remove one"},
		{"pipeline an object", `{"pipeline":{}}`, "status.pipeline is not an array"},
		{"step a string", `{"pipeline":[{"name":"A"},"Prepare"]}`, "status.pipeline[1] is not an object"},
		{"step null", `{"pipeline":[null]}`, "status.pipeline[0] is not an object"},
		{"no name", `{"pipeline":[{"started":"t"}]}`, "status.pipeline[0] has no name; give it the name of its step"},
		{"name null", `{"pipeline":[{"name":null}]}`, "status.pipeline[0] has no name; give it the name of its step"},
		{"name a number", `{"pipeline":[{"name":1}]}`, "status.pipeline[0].name is not a string"},
		{"name twice", `{"pipeline":[{"name":"A","name":"B"}]}`, "status.pipeline[0].name is there twice; remove one"},
		{"started a number", `{"pipeline":[{"name":"A","started":5}]}`, "status.pipeline[0].started is not a string"},
		{"skipped a string", `{"pipeline":[{"name":"A","skipped":"yes"}]}`, "status.pipeline[0].skipped is neither true nor false"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := adapter.Upgrade([]byte(tt.status), nil)
			require.EqualError(t, err, tt.want)
			var statusErr *legacy.StatusError
			require.ErrorAs(t, err, &statusErr)
			require.Equal(t, statusErr.Err, errors.Unwrap(err))
			_, err = adapter.Downgrade([]byte(tt.status), nil)
			require.EqualError(t, err, tt.want)
		})
	}
	_, err := adapter.Upgrade([]byte(`{}`), &legacy.Selected{Itinerary: "Finale"})
	var unknown *phases.UnknownItineraryError
	require.ErrorAs(t, err, &unknown)
}
