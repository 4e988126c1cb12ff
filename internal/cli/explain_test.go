package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/goldentest"
)

// explained is an explanation in JSON.
type explained struct {
	Name, Namespace    *string
	Itinerary, Kind    string
	Runs               string
	Tentative          *bool
	Guard              *string
	Missing, DecidedBy []string
	Text               string
	Flag               *flagExplained
}

// flagExplained is the part of the explanation of a flag under flag.
type flagExplained struct {
	Description          string
	Live                 bool
	ReadBy               []struct{ Phase, What, Of string }
	DecidedBy, Relations []string
	IfOther              []struct {
		Value string
		changed
	}
}

// changed is the difference between two plans.
type changed struct {
	Flags []struct {
		Name, Before, After string
		Set                 bool
	}
	Steps []struct {
		Name, Before, After string
		Tentative           bool
	}
	Phases []struct {
		Name, Step, Before, After string
		Why                       *struct {
			Guard, Text      string
			Flags, DecidedBy []string
		}
	}
}

func explain(t *testing.T, stdin string, args ...string) []explained {
	t.Helper()
	r := run(t, stdin, append([]string{"explain", "-o", "json"}, args...)...)
	assert.Equal(t, 0, r.code)
	assert.Empty(t, r.stderr)
	return explanations(t, r.out)
}

// explanations decodes the output of explain.
func explanations(t *testing.T, text string) []explained {
	t.Helper()
	var all []explained
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(&all), text)
	for _, e := range all {
		require.NotNil(t, e.Tentative)
		require.NotNil(t, e.Guard)
		require.NotNil(t, e.Missing)
		require.NotNil(t, e.DecidedBy)
	}
	return all
}

func TestExplain(t *testing.T) {
	base := []string{"-i", "Stage", "--flags", "DirectImage,HasVerify"}
	for _, tt := range []struct {
		name       string
		args       []string
		kind, runs string
		tentative  bool
		guard      string
		missing    []string
		decidedBy  []string
		text       string
	}{
		{"a phase that always runs", []string{"Started"}, "phase", "yes", false, "", []string{}, []string{},
			"phase Started runs in every migration of this itinerary"},
		{"a phase that does not run", []string{"EnsureStageBackup"}, "phase", "no", true, "all", []string{"HasStageBackup"}, []string{"WaitForRefresh"},
			"phase EnsureStageBackup does not run: it needs HasStageBackup (decided by WaitForRefresh)"},
		{"a guard with more than is missing", []string{"CreateDirectImageMigration"}, "phase", "no", true, "all", []string{"EnableImage"}, []string{"WaitForRefresh"},
			"phase CreateDirectImageMigration does not run: it needs EnableImage (decided by WaitForRefresh); its guard is DirectImage and EnableImage"},
		{"any of a guard", []string{"EnsureCloudSecretPropagated"}, "phase", "no", true, "any", []string{"HasStageBackup"}, []string{"WaitForRefresh"},
			"phase EnsureCloudSecretPropagated does not run: it needs HasStageBackup (decided by WaitForRefresh)"},
		{"a former name of a phase", []string{"QuiesceApplications"}, "phase", "no", false, "all", []string{"Quiesce"}, []string{},
			"phase QuiesceSourceApplications does not run: it needs Quiesce"},
		{"a step that is shown", []string{"Prepare"}, "step", "yes", false, "", []string{}, []string{},
			"step Prepare is shown for Created, Started and 8 more"},
		{"a former name of a phase that is now a step", []string{"Prepare", "--phase"}, "phase", "yes", false, "", []string{}, []string{},
			"phase StartRefresh runs in every migration of this itinerary"},
		{"a step that is not", []string{"DataRestore"}, "step", "no", true, "all", []string{"HasStageBackup"}, []string{"WaitForRefresh"},
			"step DataRestore is not shown: no phase runs for it, since HasStageBackup is false; that may still change; needs " +
				"HasStageBackup (decided by WaitForRefresh): EnsureStageRestore and StageRestoreCreated"},
		{"an old name of a step", []string{"StageRestore"}, "step", "no", true, "all", []string{"HasStageBackup"}, []string{"WaitForRefresh"},
			"step DataRestore is not shown: no phase runs for it, since HasStageBackup is false; that may still change; needs " +
				"HasStageBackup (decided by WaitForRefresh): EnsureStageRestore and StageRestoreCreated"},
		{"its name in the other scheme", []string{"StateRestore", "--step"}, "step", "no", true, "all", []string{"HasStageBackup"}, []string{"WaitForRefresh"},
			"step DataRestore is not shown: no phase runs for it, since HasStageBackup is false; that may still change; needs " +
				"HasStageBackup (decided by WaitForRefresh): EnsureStageRestore and StageRestoreCreated"},
		{"several reasons, and phases that ride", []string{"DataBackup"}, "step", "no", true, "all", []string{
			"HasStagePods", "HasPVs", "HasISs", "IndirectImage", "IndirectVolume", "HasStageBackup", "EnableImage",
		},
			[]string{"WaitForRefresh", "WaitForStaleStagePodsTerminated", "EnsureStagePodsFromRunning", "EnsureStagePodsFromTemplates", "EnsureStagePodsFromOrphanedPVCs"},
			"step DataBackup is not shown: no phase runs for it, since HasStagePods, HasPVs, HasISs, IndirectImage, IndirectVolume, " +
				"HasStageBackup and EnableImage are false; that may still change; " +
				"needs HasPVs and IndirectVolume (decided by WaitForRefresh): EnsureStagePodsFromRunning, EnsureStagePodsFromTemplates and EnsureStagePodsFromOrphanedPVCs; " +
				"needs HasStagePods (decided by WaitForStaleStagePodsTerminated, EnsureStagePodsFromRunning and 2 more): StagePodsCreated and RestartRestic; " +
				"needs HasStageBackup (decided by WaitForRefresh): AnnotateResources, EnsureStageBackup and 2 more; " +
				"needs HasISs, IndirectImage and EnableImage (decided by WaitForRefresh): WaitForRegistriesReady; " +
				"reported elsewhere: WaitForVeleroReady (under Prepare)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all := explain(t, "", append(tt.args, base...)...)
			require.Len(t, all, 1)
			assert.Equal(t, explained{Itinerary: "Stage", Kind: tt.kind, Runs: tt.runs, Tentative: &tt.tentative, Guard: &tt.guard,
				Missing: tt.missing, DecidedBy: tt.decidedBy, Text: tt.text}, all[0])
		})
	}
}

func TestExplainWhatRunsByAFlag(t *testing.T) {
	args := []string{"-i", "Stage", "--flags", "IndirectImage,HasISs,HasStageBackup,EnableImage"}
	phase := explain(t, "", append(args, "EnsureStageBackup")...)[0]
	assert.Equal(t, "yes", phase.Runs)
	assert.True(t, *phase.Tentative)
	assert.Equal(t,
		"phase EnsureStageBackup runs: its guard, HasStageBackup, holds; that may still change (decided by WaitForRefresh)",
		phase.Text)
	step := explain(t, "", append(args, "DataRestore")...)[0]
	assert.Equal(t, "yes", step.Runs)
	assert.True(t, *step.Tentative)
	assert.Equal(t,
		"step DataRestore is shown for EnsureStageRestore and StageRestoreCreated; that may still change (decided by WaitForRefresh)",
		step.Text)
}

func TestExplainUnknown(t *testing.T) {
	r := run(t, "", "explain", "DataRestore", "-i", "Stage", "--flags", "DirectImage", "--unknown", "HasStageBackup", "-o", "json")
	assert.Equal(t, 1, r.code)
	assert.Equal(t, []string{"itinerary Stage: flag HasStageBackup is unknown: it is named under --unknown"}, r.lines(t))
	assert.Contains(t, r.out, `"runs": "unknown"`)
	assert.Contains(t, r.out,
		`"text": "step DataRestore may be shown; depends on HasStageBackup, which is unknown (decided by WaitForRefresh): `+
			`EnsureStageRestore and StageRestoreCreated"`)

	r = run(t, "", "explain", "EnsureStageBackup", "-i", "Stage", "--flags", "DirectImage", "--unknown", "HasStageBackup", "-o", "yaml")
	assert.Contains(t, r.out,
		"text: \"phase EnsureStageBackup may run: it depends on HasStageBackup, which is unknown (decided by WaitForRefresh)\"\n")
}

func TestExplainNamesThatAreBoth(t *testing.T) {
	kinds := func(args ...string) (kinds []string) {
		for _, e := range explain(t, "", append([]string{"PreBackupHooks", "-i", "Final", "--flags", "DirectImage"}, args...)...) {
			kinds = append(kinds, e.Kind)
		}
		return kinds
	}
	assert.Equal(t, []string{"phase", "step"}, kinds())
	assert.Equal(t, []string{"phase"}, kinds("--phase"))
	assert.Equal(t, []string{"step"}, kinds("--step"))
}

func TestExplainGuards(t *testing.T) {
	file := write(t, "own.yaml", `
flags: [{name: A}, {name: B}, {name: C}, {name: D}]
itineraries:
- name: Own
  phases:
  - {name: First, step: S}
  - {name: Mixed, step: S, all: [A], any: [B, C], none: [D]}
  - {name: Never, step: T, none: [A]}`)
	assert.Equal(t, "phase Mixed runs: its guard, A and (B or C) and not D, holds",
		explain(t, "", "Mixed", "-i", file, "--flags", "A,B")[0].Text)
	never := explain(t, "", "Never", "-i", file, "--flags", "A")[0]
	assert.Equal(t, "phase Never does not run: it runs only without A", never.Text)
	assert.Equal(t, "none", *never.Guard)
}

func TestExplainMigrations(t *testing.T) {
	objects := around("", migration("a", `"stage": true`, ``), migration("b", `"canceled": true`, ``),
		migration("c", ``,
			`"itinerary": "Final", "phase": "EnsureInitialBackup", `+
				`"pipeline": [{"name": "StageBackup", "started": "2021-03-25T18:24:57Z"}]`))

	all := explain(t, objects, "DataBackup", "-f", "-")
	require.Len(t, all, 2, "Cancel has no such step")
	assert.Equal(t, "a", *all[0].Name)
	assert.Equal(t, "ns", *all[0].Namespace)
	assert.Equal(t, "no", all[0].Runs)
	assert.Equal(t, "c", *all[1].Name)
	assert.Equal(t, "yes", all[1].Runs)
	assert.Equal(t, "step DataBackup is shown: it has started", all[1].Text)

	r := run(t, objects, "explain", "DataBackup", "-f", "-")
	assert.Equal(t, 0, r.code)
	goldentest.Compare(t, "testdata/explain.txt", r.out)

	r = run(t, objects, "explain", "Rollback", "-f", "-", "-o", "json")
	assert.Equal(t, 0, r.code, "a phase of an itinerary that none of them is on")
	assert.Equal(t, "[]\n", r.out)
}
