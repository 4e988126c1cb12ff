package legacy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/internal/legacytest"
	"github.com/konveyor/dynamic-pipeline/legacy"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

func compacted(t *testing.T, raw string) string {
	t.Helper()
	if raw == "" {
		return ""
	}
	var b bytes.Buffer
	require.NoError(t, json.Compact(&b, []byte(raw)))
	return b.String()
}

func TestDowngradeWithoutRemainder(t *testing.T) {
	for _, tt := range []struct{ name, status, want string }{
		{"nothing", ``, ``},
		{"null", `null`, `null`},
		{"no pipeline", `{"phase":"Created"}`, `{"phase":""}`},
		{"Data", `{"pipeline":[{"name":"DataBackup"},{"name":"DataRestore"}]}`, `{"pipeline":[{"name":"StageBackup"},{"name":"StageRestore"}]}`},
		{"State", `{"pipeline":[{"name":"StateBackup"},{"name":"StateRestore"}]}`, `{"pipeline":[{"name":"StageBackup"},{"name":"StageRestore"}]}`},
		{
			"Created in a step", `{"phase":"Created","itinerary":"Stage","pipeline":[{"name":"Prepare","started":"t","phase":"Created","message":"m"}]}`,
			`{"phase":"","itinerary":"Stage","pipeline":[{"name":"Prepare","started":"t","phase":"","message":"m"}]}`,
		},
		{"the phases of today", `{"phase":"EnsureSrcQuiesced","itinerary":"Stage"}`, `{"phase":"EnsureSrcQuiesced","itinerary":"Stage"}`},
		{
			"the old form", `{"phase":"","pipeline":[{"name":"A","skipped":true},{"name":"StageBackup","started":"t"}]}`,
			`{"phase":"","pipeline":[{"name":"A","skipped":true},{"name":"StageBackup","started":"t"}]}`,
		},
		{
			"side by side", `{"pipeline":[{"name":"DataBackup","skipped":true},{"name":"StageRestore"},{"name":"DataRestore","started":"t"},{"name":"StageBackup"}]}`,
			`{"pipeline":[{"name":"StageBackup"},{"name":"StageRestore","started":"t"}]}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			down, err := adapter.Downgrade([]byte(tt.status), nil)
			require.NoError(t, err)
			require.Empty(t, down.Warnings)
			require.Empty(t, cmp.Diff(tt.want, string(down.Status)))
		})
	}
}

// before is a status of 2021, interrupted while its applications are quiesced.
const before = `{"phase":"QuiesceApplications","itinerary":"Stage","pipeline":[
 {"name":"Prepare","started":"2024-01-01T10:00:00Z","completed":"2024-01-01T10:01:00Z","message":"Completed"},
 {"name":"Hooks","message":"Skipped","skipped":true},
 {"name":"StageBackup","started":"2024-01-01T10:01:00Z","phase":"QuiesceApplications","message":"runs"},
 {"name":"StageRestore","message":"Not started"},
 {"name":"DirectImage","message":"Not started"},
 {"name":"Cleanup","message":"Not started"}]}`

// TestDowngradeAfterProgress: the present entries are kept, and the remembered
// ones come back unless the present contradicts them.
func TestDowngradeAfterProgress(t *testing.T) {
	up, err := adapter.Upgrade([]byte(before), selected(mtc.Stage, mtc.DirectImage|mtc.EnableImage|mtc.Quiesce))
	require.NoError(t, err)
	require.Equal(t, `{"phase":"QuiesceSourceApplications","itinerary":"Stage","pipeline":[`+
		`{"name":"Prepare","started":"2024-01-01T10:00:00Z","completed":"2024-01-01T10:01:00Z","message":"Completed"},`+
		`{"name":"DataBackup","started":"2024-01-01T10:01:00Z","phase":"QuiesceSourceApplications","message":"runs"},`+
		`{"name":"DirectImage","message":"Not started"},{"name":"Cleanup","message":"Not started"}]}`, string(up.Status))

	const prepare = `{"name":"Prepare","started":"2024-01-01T10:00:00Z","completed":"2024-01-01T10:01:00Z","message":"Completed"}`
	const hooks = `{"name":"Hooks","message":"Skipped","skipped":true}`
	for _, tt := range []struct{ name, phase, itinerary, pipeline, wantPhase, want string }{
		{
			name: "same phase, another message", phase: "QuiesceSourceApplications", itinerary: "Stage",
			pipeline: prepare + `,{"name":"DataBackup","started":"2024-01-01T10:01:00Z","phase":"QuiesceSourceApplications","message":"new"},
				{"name":"Cleanup","message":"Not started"}`,
			wantPhase: "QuiesceApplications",
			want: prepare + `,` + hooks + `,{"name":"StageBackup","started":"2024-01-01T10:01:00Z","phase":"QuiesceApplications","message":"new"},
				{"name":"StageRestore","message":"Not started"},{"name":"Cleanup","message":"Not started"}`,
		}, {
			name: "next phase, a step more", phase: "EnsureSrcQuiesced", itinerary: "Stage",
			pipeline:  prepare + `,{"name":"DataBackup","started":"2024-01-01T10:01:00Z","phase":"EnsureSrcQuiesced"},{"name":"DirectVolume"},{"name":"Cleanup"}`,
			wantPhase: "EnsureSrcQuiesced",
			want: prepare + `,` + hooks + `,{"name":"StageBackup","started":"2024-01-01T10:01:00Z","phase":"EnsureSrcQuiesced"},
				{"name":"StageRestore","message":"Not started"},{"name":"DirectVolume"},{"name":"Cleanup"}`,
		}, {
			name: "the restore was passed", phase: "DeleteRegistries", itinerary: "Stage",
			pipeline:  prepare + `,{"name":"DataBackup","started":"2024-01-01T10:01:00Z","completed":"u"},{"name":"Cleanup","started":"u"}`,
			wantPhase: "DeleteRegistries",
			want:      prepare + `,` + hooks + `,{"name":"StageBackup","started":"2024-01-01T10:01:00Z","completed":"u"},{"name":"Cleanup","started":"u"}`,
		}, {
			name: "a skipped step has started after all", phase: "StageBackupCreated", itinerary: "Stage",
			pipeline:  prepare + `,{"name":"DataBackup","started":"2024-01-01T10:01:00Z"},{"name":"Hooks","started":"v"}`,
			wantPhase: "StageBackupCreated",
			want:      prepare + `,{"name":"StageBackup","started":"2024-01-01T10:01:00Z"},{"name":"Hooks","started":"v"},{"name":"StageRestore","message":"Not started"}`,
		}, {
			name: "cancelled", phase: "DeleteRestores", itinerary: "Cancel",
			pipeline: prepare + `,{"name":"DataBackup","started":"2024-01-01T10:01:00Z","completed":"u","message":"Canceled"},
				{"name":"CleanupVelero","started":"u"},{"name":"Cleanup","message":"Not started"}`,
			wantPhase: "DeleteRestores",
			want: prepare + `,` + hooks + `,{"name":"StageBackup","started":"2024-01-01T10:01:00Z","completed":"u","message":"Canceled"},
				{"name":"CleanupVelero","started":"u"},{"name":"Cleanup","message":"Not started"}`,
		}, {
			name: "a phase of that name in another itinerary", phase: "QuiesceSourceApplications", itinerary: "Final",
			pipeline:  prepare + `,{"name":"DataBackup","started":"2024-01-01T10:01:00Z","phase":"QuiesceSourceApplications"}`,
			wantPhase: "QuiesceSourceApplications",
			want:      prepare + `,` + hooks + `,{"name":"StageBackup","started":"2024-01-01T10:01:00Z","phase":"QuiesceSourceApplications"}`,
		}, {
			name: "written by a client that keeps whole seconds and sorts keys", phase: "Completed", itinerary: "Stage",
			pipeline: `{"completed":"2024-01-01T10:01:00Z","message":"Completed","name":"Prepare","started":"2024-01-01T10:00:00Z"},
				{"name":"DataBackup","started":"2024-01-01T12:01:00.7+02:00","completed":"u"}`,
			wantPhase: "Completed",
			want: `{"completed":"2024-01-01T10:01:00Z","message":"Completed","name":"Prepare","started":"2024-01-01T10:00:00Z"},` +
				hooks + `,{"name":"StageBackup","started":"2024-01-01T12:01:00.7+02:00","completed":"u"}`,
		}, {
			name: "an old controller ran meanwhile", phase: "StageBackupCreated", itinerary: "Stage",
			pipeline: prepare + `,{"name":"DataBackup","started":"2024-01-01T10:01:00Z","phase":"QuiesceSourceApplications","message":"runs"},
				{"name":"StageBackup","started":"2024-01-01T10:05:00Z","phase":"StageBackupCreated"}`,
			wantPhase: "StageBackupCreated",
			want: prepare + `,` + hooks + `,{"name":"StageBackup","started":"2024-01-01T10:01:00Z","phase":"StageBackupCreated"},
				{"name":"StageRestore","message":"Not started"}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			form := func(phase, pipeline string) string {
				return `{"x":1,"phase":"` + phase + `","itinerary":"` + tt.itinerary + `","pipeline":[` + oneLine(pipeline) + `]}`
			}
			down, err := adapter.Downgrade([]byte(form(tt.phase, tt.pipeline)), up.Remainder)
			require.NoError(t, err)
			require.Empty(t, down.Warnings)
			require.Empty(t, cmp.Diff(form(tt.wantPhase, tt.want), string(down.Status)))
		})
	}
}

// TestDowngradeBringsTheFirstStepBack: a step not started that the upgrade dropped
// comes back if it can still start, even if it was the first.
func TestDowngradeBringsTheFirstStepBack(t *testing.T) {
	const was = `{"itinerary":"Stage","pipeline":[{"name":"StageBackup","message":"Not started"},
		{"name":"Prepare","message":"%s"},{"name":"Cleanup","message":"Not started"}]}`
	status := fmt.Sprintf(oneLine(was), "Not started")
	up, err := adapter.Upgrade([]byte(status), selected(mtc.Stage, mtc.DirectImage|mtc.EnableImage))
	require.NoError(t, err)
	require.NotContains(t, string(up.Status), "DataBackup")
	went := strings.Replace(string(up.Status), `"Not started"`, `"Soon"`, 1)
	down, err := adapter.Downgrade([]byte(went), up.Remainder)
	require.NoError(t, err)
	assert.Contains(t, string(down.Status), `[{"name":"StageBackup","message":"Not started"},{"name":"Prepare",`)
}

// TestDowngradeFormerText: after the migration has progressed, a step that has not
// changed since the upgrade gets its original text back, and no other does.
func TestDowngradeFormerText(t *testing.T) {
	const (
		skipped   = `{"name":"Prepare","skipped":true,"started":"a","completed":"b","message":"Skipped"}`
		completed = `{"name":"Prepare","started":"a","completed":"b","message":"Completed"}`
		backup    = `{"name":"StageBackup","skipped":false,"started":"b","phase":"QuiesceApplications","message":"runs"}`
		renamed   = `{"name":"DataBackup","started":"b","phase":"QuiesceSourceApplications","message":"runs"}`
		sorted    = `{"message":"runs","name":"DataBackup","phase":"QuiesceSourceApplications","started":"b"}`
		cleanup   = `{"name":"Cleanup","skipped":false}`
	)
	form := func(phase string, pipeline ...string) []byte {
		return []byte(`{"phase":"` + phase + `","itinerary":"Stage","pipeline":[` + strings.Join(pipeline, ",") + `]}`)
	}
	up, err := adapter.Upgrade(form("QuiesceApplications", skipped, backup, cleanup), nil)
	require.NoError(t, err)
	require.Equal(t, string(form("QuiesceSourceApplications", completed, renamed, `{"name":"Cleanup"}`)), string(up.Status))
	for _, tt := range []struct {
		name          string
		present, want []byte
	}{
		{
			"all unchanged", form("EnsureSrcQuiesced", completed, sorted, `{"name":"Cleanup"}`),
			form("EnsureSrcQuiesced", skipped, backup, cleanup),
		}, {
			"one changed", form("EnsureSrcQuiesced", completed, strings.Replace(renamed, "runs", "on", 1), `{"name":"Cleanup"}`),
			form("EnsureSrcQuiesced", skipped, `{"name":"StageBackup","started":"b","phase":"QuiesceApplications","message":"on"}`, cleanup),
		}, {
			"one unchanged", form("EnsureSrcQuiesced", strings.Replace(completed, "Completed", "Canceled", 1), renamed, `{"name":"Cleanup","x":1}`),
			form("EnsureSrcQuiesced", `{"name":"Prepare","started":"a","completed":"b","message":"Canceled"}`, backup, `{"name":"Cleanup","x":1}`),
		}, {
			"one twice, by two controllers", form("EnsureSrcQuiesced", completed, renamed, `{"name":"StageBackup","started":"b","message":"other"}`, `{"name":"Cleanup"}`),
			form("EnsureSrcQuiesced", skipped, `{"name":"StageBackup","started":"b","phase":"QuiesceApplications","message":"runs"}`, cleanup),
		}, {
			"one twice, of which the second has the phase", form("EnsureSrcQuiesced", completed, `{"name":"StageBackup","started":"b","message":"other"}`,
				strings.Replace(renamed, `"b"`, `"c"`, 1), `{"name":"Cleanup"}`),
			form("EnsureSrcQuiesced", skipped, `{"name":"StageBackup","started":"b","phase":"QuiesceApplications","message":"runs"}`, cleanup),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			down, err := adapter.Downgrade(tt.present, up.Remainder)
			require.NoError(t, err)
			require.Empty(t, down.Warnings)
			require.Empty(t, cmp.Diff(string(tt.want), string(down.Status)))
		})
	}
}

// TestDowngradeAbsentPhase: a phase that was absent is absent again as long as the
// migration is still in it.
func TestDowngradeAbsentPhase(t *testing.T) {
	up, err := adapter.Upgrade([]byte(`{"itinerary":"Final","pipeline":[{"name":"Prepare","started":"t"}]}`), nil)
	require.NoError(t, err)
	require.Equal(t, `{"phase":"Created","itinerary":"Final","pipeline":[{"name":"Prepare","started":"t"}]}`, string(up.Status))
	for _, tt := range []struct{ present, want string }{
		{
			`{"phase":"Created","itinerary":"Final","pipeline":[{"name":"Prepare","started":"t","message":"m"}]}`,
			`{"itinerary":"Final","pipeline":[{"name":"Prepare","started":"t","message":"m"}]}`,
		}, {
			`{"phase":"Started","itinerary":"Final","pipeline":[{"name":"Prepare","started":"t"}]}`,
			`{"phase":"Started","itinerary":"Final","pipeline":[{"name":"Prepare","started":"t"}]}`,
		},
	} {
		down, err := adapter.Downgrade([]byte(tt.present), up.Remainder)
		require.NoError(t, err)
		require.Empty(t, down.Warnings)
		require.Equal(t, tt.want, string(down.Status))
	}
}

// TestRemaindersOfStatusesWithoutParts forges remainders whose sum fits but whose
// status lacks the parts that they restore. They are ignored, with a warning.
func TestRemaindersOfStatusesWithoutParts(t *testing.T) {
	for _, tt := range []struct{ name, status, members string }{
		{"a pipeline, of null", `null`, `,"pipeline":[{"name":"A"}]`},
		{"an empty pipeline, of null", `null`, `,"pipeline":[]`},
		{"an empty phase, of null", `null`, `,"phase":""`},
		{"an absent phase, of null", `null`, `,"phaseAbsent":true`},
		{"nothing, of null", `null`, ``},
		{"a pipeline, of a status without one", `{}`, `,"pipeline":[{"name":"A"}]`},
		{"an empty pipeline, of a status without one", `{"phase":"Started","itinerary":"Final"}`, `,"pipeline":[]`},
		{"a pipeline, of a status in which it is null", `{"phase":"Started","pipeline":null}`, `,"pipeline":[{"name":"A","skipped":true}]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			down, err := adapter.Downgrade([]byte(tt.status), forged(tt.status, tt.members))
			require.NoError(t, err)
			require.Equal(t, tt.status, string(down.Status))
			require.Len(t, down.Warnings, 1)
			require.ErrorContains(t, down.Warnings[0], "it belongs to another status;")
		})
	}
	// Without a pipeline on either side there is a phase to restore.
	status := `{"phase":"Created","itinerary":"Final"}`
	down, err := adapter.Downgrade([]byte(status), forged(status, `,"phase":""`))
	require.NoError(t, err)
	require.Empty(t, down.Warnings)
	require.Equal(t, `{"phase":"","itinerary":"Final"}`, string(down.Status))
}

// TestDowngradeOneOfSeveralEntries: if a step had several entries and one was in
// the current form, its present entry stays as it is.
func TestDowngradeOneOfSeveralEntries(t *testing.T) {
	for _, entries := range []string{
		`{"name":"Prepare","started":"t"},{"name":"Prepare","started":"t","skipped":false}`,
		`{"name":"Prepare","completed":"u","message":"Completed"},{"name":"Prepare","started":"t"}`,
	} {
		status := `{"phase":"Started","itinerary":"Stage","pipeline":[` + entries + `,{"name":"Hooks","skipped":true}]}`
		up, err := adapter.Upgrade([]byte(status), nil)
		require.NoError(t, err)
		require.Equal(t, `{"phase":"Started","itinerary":"Stage","pipeline":[{"name":"Prepare","started":"t"}]}`, string(up.Status))
		down, err := adapter.Downgrade([]byte(strings.Replace(string(up.Status), "Started", "StartRefresh", 1)), up.Remainder)
		require.NoError(t, err)
		require.Empty(t, down.Warnings)
		require.Equal(t, oneLine(`{"phase":"StartRefresh","itinerary":"Stage","pipeline":[{"name":"Prepare","started":"t"},
			{"name":"Hooks","skipped":true}]}`), string(down.Status))
	}
}

// TestDowngradeFormerTextOfAnEmptyPhase: the empty phase of a step means Created
// only if the migration was in Created; otherwise it means no phase.
func TestDowngradeFormerTextOfAnEmptyPhase(t *testing.T) {
	for _, tt := range []struct{ phase, now string }{{"", mtc.PhaseCreated}, {"StartRefresh", ""}} {
		former := `{"name":"Prepare","started":"t","phase":"","skipped":false}`
		present := `{"name":"Prepare","started":"t","phase":"` + tt.now + `"}`
		up, err := adapter.Upgrade([]byte(`{"phase":"`+tt.phase+`","itinerary":"Stage","pipeline":[`+former+`]}`), nil)
		require.NoError(t, err)
		require.Contains(t, string(up.Status), `[`+present+`]`)
		down, err := adapter.Downgrade([]byte(`{"phase":"Started","itinerary":"Stage","pipeline":[`+present+`]}`), up.Remainder)
		require.NoError(t, err)
		require.Empty(t, down.Warnings)
		require.Equal(t, `{"phase":"Started","itinerary":"Stage","pipeline":[`+former+`]}`, string(down.Status))
	}
}

// TestDowngradeLooksAtEveryRememberedEntry: whatever happens to a remembered
// entry, those after it still come back.
func TestDowngradeLooksAtEveryRememberedEntry(t *testing.T) {
	const skipped = `{"name":"Hooks","message":"Skipped","skipped":true}`
	for _, tt := range []struct{ name, first, itinerary, now, want string }{
		{
			"there now", `{"name":"StageBackup","started":"t"}`, "Stage",
			`{"name":"DataBackup","started":"t","x":1}`, `{"name":"StageBackup","started":"t","x":1},` + skipped,
		}, {
			"by name, and gone now", `{"name":"DirectVolume"}`, "Stage",
			`{"name":"Cleanup"}`, skipped + `,{"name":"Cleanup"}`,
		}, {
			"not started, and passed", `{"name":"StageBackup"},{"name":"Cleanup","started":"t"}`, "Stage",
			`{"name":"Cleanup","started":"t"}`, `{"name":"Cleanup","started":"t"},` + skipped,
		}, {
			"not started, in another itinerary", `{"name":"StageBackup"}`, "Cancel",
			`{"name":"Cleanup"}`, skipped + `,{"name":"Cleanup"}`,
		}, {
			"skipped", `{"name":"Hook","skipped":true}`, "Stage",
			`{"name":"Cleanup"}`, `{"name":"Hook","skipped":true},` + skipped + `,{"name":"Cleanup"}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			up, err := adapter.Upgrade([]byte(`{"phase":"Started","itinerary":"Stage","pipeline":[`+tt.first+`,`+skipped+`]}`), nil)
			require.NoError(t, err)
			form := func(pipeline string) string {
				return `{"phase":"StartRefresh","itinerary":"` + tt.itinerary + `","pipeline":[` + pipeline + `]}`
			}
			down, err := adapter.Downgrade([]byte(form(tt.now)), up.Remainder)
			require.NoError(t, err)
			require.Empty(t, down.Warnings)
			require.Equal(t, form(tt.want), string(down.Status))
		})
	}
}

// TestDowngradeOfReorderedStatus: an API server sorts keys and spells strings
// differently; that does not count as a change.
func TestDowngradeOfReorderedStatus(t *testing.T) {
	up, err := adapter.Upgrade([]byte(before), nil)
	require.NoError(t, err)
	var any map[string]any
	require.NoError(t, json.Unmarshal(up.Status, &any))
	sorted, err := json.Marshal(any)
	require.NoError(t, err)
	require.NotEqual(t, string(up.Status), string(sorted))
	down, err := adapter.Downgrade(sorted, up.Remainder)
	require.NoError(t, err)
	require.Empty(t, down.Warnings)
	require.JSONEq(t, before, string(down.Status))
}

func TestRemaindersThatDoNotFit(t *testing.T) {
	up, err := adapter.Upgrade([]byte(before), nil)
	require.NoError(t, err)
	other, err := adapter.Upgrade([]byte(strings.ReplaceAll(before, "2024-01-01T10", "2023-01-01T10")), nil)
	require.NoError(t, err)
	plain, err := adapter.Downgrade(up.Status, nil)
	require.NoError(t, err)

	// forged returns the remainder with a part replaced; its sum still fits.
	forged := func(old, now string) string {
		require.Contains(t, string(up.Remainder), old)
		return strings.Replace(string(up.Remainder), old, now, 1)
	}
	for _, tt := range []struct{ name, remainder, want string }{
		{"garbage", `garbage`, "cannot be read: invalid character 'g' looking for beginning of value"},
		{"null", `null`, "is not an object"},
		{"no version", `{}`, "has no version"},
		{"a newer version", forged(`"version":1`, `"version":2`), "has version 2, but this release reads only version 1"},
		{"two versions", forged(`"version":1`, `"version":1,"version":1`), "cannot be read: remainder.version is there twice; remove one"},
		{"a pipeline of the wrong type", `{"version":1,"pipeline":7}`, "cannot be read: remainder.pipeline is not an array"},
		{"an entry of the wrong type", `{"version":1,"pipeline":[7]}`, "cannot be read: remainder.pipeline[0] is not an object"},
		{"a phase of the wrong type", `{"version":1,"phase":7}`, "cannot be read: remainder.phase is not a string"},
		{
			"a version of many digits", forged(`"version":1`, `"version":1`+strings.Repeat("0", 1000)),
			"has version 10000000000000000000, but this release reads only version 1",
		},
		{"a name twice", forged(`"Prepare"`, `"Prepare","Prepare"`), "cannot be read: remainder.pipeline[1] names a step for the second time"},
		{"a name that is not there", forged(`"Prepare"`, `"Repair"`), "belongs to another status"},
		{"a step less", forged(`"Prepare",`, ``), "belongs to another status"},
		{"another phase", forged(`"phase":"QuiesceApplications"`, `"phase":"Started"`), "belongs to another status"},
		{"of another migration", string(other.Remainder), "belongs to another status"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			down, err := adapter.Downgrade(up.Status, []byte(tt.remainder))
			require.NoError(t, err)
			require.Equal(t, string(plain.Status), string(down.Status))
			require.Len(t, down.Warnings, 1)
			var warning *legacy.RemainderError
			require.ErrorAs(t, down.Warnings[0], &warning)
			require.Equal(t, warning.Err, errors.Unwrap(warning))
			require.EqualError(t, warning, "annotation pipeline.konveyor.io/legacy is ignored: it "+tt.want+
				"; skipped steps and former phase names are not restored")
		})
	}
	for _, status := range []string{`null`, `{"phase":"Completed"}`, `{"pipeline":[]}`} {
		down, err := adapter.Downgrade([]byte(status), up.Remainder)
		require.NoError(t, err)
		require.Len(t, down.Warnings, 1)
		require.Equal(t, status, string(down.Status))
	}
}

// TestDowngradeHasOnlyOldNames downgrades the statuses of a whole run, in either
// naming scheme; an old controller finds no new names in them.
func TestDowngradeHasOnlyOldNames(t *testing.T) {
	facts := selected("", mtc.HasPVs|mtc.IndirectVolume|mtc.HasStageBackup|mtc.DirectImage).Facts
	for _, naming := range []mtc.Naming{mtc.DataNames, mtc.StateNames} {
		t.Run(naming.String(), func(t *testing.T) {
			set := legacytest.Itineraries(naming)
			g, err := set.Graph(mtc.Stage)
			require.NoError(t, err)
			m, err := g.NewMachine(machine.Position{}, facts)
			require.NoError(t, err)
			var p steps.Pipeline
			clock := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
			for !m.Position().Done {
				p = steps.Sync(p, steps.Snapshot{Plan: m.Plan()}, clock)
				status, err := json.Marshal(map[string]any{"phase": m.Position().Phase, "itinerary": mtc.Stage, "pipeline": p})
				require.NoError(t, err)
				down, err := legacy.NewAdapter(set, naming).Downgrade(status, nil)
				require.NoError(t, err)
				for _, name := range []string{"Data", "State", "Created\""} {
					require.NotContains(t, strings.ReplaceAll(string(down.Status), "StagePodsCreated", ""), `"`+name)
				}
				require.Contains(t, string(down.Status), `"StageBackup"`)
				require.Contains(t, string(down.Status), `"StageRestore"`)
				_, err = m.Advance(t.Context())
				require.NoError(t, err)
				clock = clock.Add(time.Minute)
			}
		})
	}
}

// migrationStatus is a typed status of an embedder.
type migrationStatus struct {
	Phase     string         `json:"phase,omitempty"`
	Itinerary string         `json:"itinerary,omitempty"`
	Pipeline  steps.Pipeline `json:"pipeline,omitempty"`
}

func TestTypedStatus(t *testing.T) {
	at := metav1.NewTime(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))
	was := migrationStatus{Itinerary: mtc.Stage, Pipeline: steps.Pipeline{
		{Name: "Prepare", Started: &at}, {Name: "StageBackup", Message: "Skipped", Skipped: true}, {Name: "Cleanup", Message: steps.MessageNotStarted},
	}}
	status := was
	remainder, warnings, err := legacy.UpgradeStatus(adapter, &status, nil)
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.Empty(t, cmp.Diff(migrationStatus{Phase: mtc.PhaseCreated, Itinerary: mtc.Stage, Pipeline: steps.Pipeline{
		{Name: "Prepare", Started: &at}, {Name: "Cleanup", Message: steps.MessageNotStarted},
	}}, status))
	require.Len(t, was.Pipeline, 3, "the given pipeline is not touched")

	warnings, err = legacy.DowngradeStatus(adapter, &status, remainder)
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.Empty(t, cmp.Diff(was, status))

	// If nothing changes, the status is not touched.
	pipeline := &status.Pipeline[0]
	_, err = legacy.DowngradeStatus(adapter, &status, nil)
	require.NoError(t, err)
	require.Same(t, pipeline, &status.Pipeline[0])

	var statusErr *legacy.StatusError
	list := []string{"no status"}
	_, _, err = legacy.UpgradeStatus(adapter, &list, nil)
	require.ErrorAs(t, err, &statusErr)
	_, err = legacy.DowngradeStatus(adapter, &list, nil)
	require.ErrorAs(t, err, &statusErr)
	channel := make(chan int)
	_, _, err = legacy.UpgradeStatus(adapter, &channel, nil)
	require.ErrorAs(t, err, &statusErr)
	narrow := struct {
		Pipeline []struct {
			Name    stageBackup `json:"name"`
			Started string      `json:"started"`
		} `json:"pipeline"`
	}{}
	narrow.Pipeline = append(narrow.Pipeline, struct {
		Name    stageBackup `json:"name"`
		Started string      `json:"started"`
	}{"StageBackup", "t"})
	_, _, err = legacy.UpgradeStatus(adapter, &narrow, nil)
	require.ErrorAs(t, err, &statusErr)
	require.Equal(t, stageBackup("StageBackup"), narrow.Pipeline[0].Name, "an error does not touch the status")
}

// stageBackup is a type with only one valid value.
type stageBackup string

func (s *stageBackup) UnmarshalText(text []byte) error {
	if string(text) != "StageBackup" {
		return &legacy.StatusError{Place: "name", Problem: "is not StageBackup"}
	}
	*s = stageBackup(text)
	return nil
}
