package cli_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/goldentest"
)

// The formats are tested in package dump; these tests check that options select the right
// drawing.

func TestGraphText(t *testing.T) {
	for _, tt := range []struct {
		golden, stdin string
		args          []string
	}{
		{"graph.txt", "", []string{"-i", "Cancel"}},
		{"graph-plan.txt", "", []string{"-i", "Failed", "--flags", "DirectImage,EnableImage"}},
		{"graph-recorded.txt", moments, []string{"-f", "-", "--name", "under-way"}},
		{"graph-only-run.txt", moments, []string{"-f", "-", "--name", "ns/under-way", "--only-run"}},
		{"graph-around.txt", "", []string{"-i", "Final", "--around", "EnsureStageBackup"}},
		{"graph-all-edges.txt", "", []string{"-i", recorded("forklift-warm.yaml"), "--all-edges", "--flags", "VSphere", "--at", "CopyingPaused"}},
		{"graph-several.txt", "", []string{"-i", "Rollback", "-i", "Cancel"}},
	} {
		t.Run(tt.golden, func(t *testing.T) {
			r := run(t, tt.stdin, append([]string{"graph"}, tt.args...)...)
			assert.Equal(t, 0, r.code)
			assert.Empty(t, r.stderr)
			goldentest.Compare(t, "testdata/"+tt.golden, r.out)
		})
	}
}

func TestGraphFormats(t *testing.T) {
	for format, want := range map[string]string{
		"dot": "digraph {\n", "mermaid": "flowchart TB\n", "json": "{\n", "svg": "<svg ", "text": "Final, at start\n",
	} {
		t.Run(format, func(t *testing.T) {
			r := run(t, "", "graph", "-i", "Final", "--flags", "DirectImage", "-o", format)
			assert.Equal(t, 0, r.code)
			assert.Empty(t, r.stderr)
			assert.True(t, strings.HasPrefix(r.out, want), "%.40q", r.out)
		})
	}
	assert.Equal(t, run(t, "", "graph", "-i", "Final", "-o", "text"), run(t, "", "graph", "-i", "Final"), "text is the default")
}

// graphJSON holds the parts of a drawing in JSON that the tests check.
type graphJSON struct {
	Title       string
	Itineraries []struct {
		Name, EdgesAre string
		Plan           *struct {
			Position struct {
				Phase string
				Done  bool
			}
			True, Unknown []string
		}
		Phases []struct {
			Name, State string
			Failed      bool
		}
	}
	Switches []struct{ From, To, When string }
}

func graphOf(t *testing.T, text string) (g graphJSON) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &g), text)
	return g
}

// summary returns a line for each itinerary: its name, the position of the plan, and the
// phases that failed.
func (g graphJSON) summary() []string {
	var lines []string
	for _, it := range g.Itineraries {
		line := it.Name
		if it.Plan != nil {
			line += fmt.Sprintf(" at %q", it.Plan.Position.Phase)
			if it.Plan.Position.Done {
				line = it.Name + " done"
			}
		}
		for _, p := range it.Phases {
			if p.Failed {
				line += ", failed " + p.Name
			}
		}
		lines = append(lines, line)
	}
	return lines
}

func TestGraphDraws(t *testing.T) {
	file := write(t, "warm.yaml", several)
	failed := around("",
		migration("failed", "", `"itinerary": "Failed", "phase": "MigrationFailed", "errors": ["it went wrong"], "pipeline": [
			{"name": "Prepare", "started": "2021-03-25T18:24:57Z", "failed": true, "message": "Failed"},
			{"name": "CleanupHelpers", "started": "2021-03-25T18:25:57Z", "phase": "MigrationFailed", "failed": true}]`))
	elsewhere := around("", migration("canceled", `"canceled": true`, `"itinerary": "Final", "phase": "Gone", "pipeline": [
			{"name": "Cleanup", "started": "2021-03-25T18:24:57Z", "phase": "Completed", "failed": true}]`))
	for _, tt := range []struct {
		name, stdin string
		args        []string
		want        []string
	}{
		{"an itinerary alone", "", []string{"-i", "Final"}, []string{"Final"}},
		{"no flag is true", "", []string{"-i", "Failed", "--flags", ""}, []string{`Failed at ""`}},
		{"a moment", "", []string{"-i", "Failed", "--flags", "", "--at", "DeleteRegistries"}, []string{`Failed at "DeleteRegistries"`}},
		{"a moment under a former name", "", []string{"-i", "Final", "--flags", "", "--at", "QuiesceApplications"}, []string{`Final at "QuiesceSourceApplications"`}},
		{"a moment of one of two", "", []string{"-i", "Final", "-i", "Cancel", "--flags", "", "--at", "Canceling"}, []string{`Final at ""`, `Cancel at "Canceling"`}},
		{"an itinerary of a file", "", []string{"-i", file + "#Cold"}, []string{"Cold"}},
		{"all itineraries of a file", "", []string{"-i", file}, []string{"Warm", "Cold"}},
		{"a file beside the built-in ones", "", []string{"-i", file, "-i", "Failed"}, []string{"Warm", "Cold", "Failed"}},
		{"a migration that has not begun", moments, []string{"-f", "-", "--name", "not-begun"}, []string{`Stage at ""`}},
		{"a migration under way, whose phase has another name by now", moments, []string{"-f", "-", "--name", "under-way"}, []string{`Final at "QuiesceSourceApplications"`}},
		{"a migration at another moment", moments, []string{"-f", "-", "--name", "under-way", "--at", "Verification"}, []string{`Final at "Verification"`}},
		{"a migration that is done", moments, []string{"-f", "-", "--name", "done"}, []string{"Stage done"}},
		{"a phase that failed, and a step without a phase", failed, []string{"-f", "-"}, []string{`Failed at "MigrationFailed", failed MigrationFailed`}},
		{"a recorded phase of an itinerary that was left is no error", elsewhere, []string{"-f", "-"}, []string{`Cancel at ""`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, tt.stdin, append([]string{"graph", "-o", "json"}, tt.args...)...)
			assert.Equal(t, 0, r.code)
			for _, line := range r.lines(t) {
				assert.True(t, strings.HasPrefix(line, "warning: no run has these flags: "), line)
			}
			if diff := cmp.Diff(tt.want, graphOf(t, r.out).summary()); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestGraphSwitchesAreMTCs(t *testing.T) {
	type arrow = struct{ From, To, When string }
	g := graphOf(t, run(t, "", "graph", "-o", "json", "-i", "Final", "-i", "Cancel", "-i", "Failed").out)
	assert.ElementsMatch(t, []arrow{{"Final", "Failed", "a phase failed"}, {"Final", "Cancel", "it is canceled"}}, g.Switches)

	own := write(t, "own.yaml", strings.NewReplacer("Warm", "Final", "Cold", "Cancel").Replace(several))
	g = graphOf(t, run(t, "", "graph", "-o", "json", "-i", own).out)
	assert.Empty(t, g.Switches, "a file has none, whatever its itineraries are called")
	g = graphOf(t, run(t, "", "graph", "-o", "json", "-i", own+"#Cancel", "-i", "Stage", "-i", "Failed").out)
	assert.Equal(t, []arrow{{"Stage", "Failed", "a phase failed"}}, g.Switches, "nor has a file beside the built-in ones")
}

// An itinerary that is left out is neither reported nor planned.
func TestGraphAroundAPhaseIsAboutItsItineraries(t *testing.T) {
	r := run(t, "", "graph", "-o", "json", "-i", "Final", "-i", "Cancel", "--around", "Canceling", "--flags", "DirectImage",
		"--unknown", "HasVerify,HasStagePods")
	assert.Equal(t, []string{"itinerary Cancel: flag HasStagePods is unknown: it is named under --unknown"}, r.lines(t),
		"Final reads HasVerify")
	g := graphOf(t, r.out)
	assert.Equal(t, "Cancel", g.Title)
	assert.Equal(t, []string{`Cancel at ""`}, g.summary())
	assert.Empty(t, g.Switches)

	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"a phase of no itinerary", []string{"--around", "Cancelling"}, `--around: no phase "Cancelling" in itineraries Final and Cancel; did you mean "Canceling"?`},
		{
			"another moment of one that is left out", []string{"--around", "Canceling", "--flags", "", "--at", "Verification"},
			`--at: no phase "Verification" in itinerary Cancel; name a phase of the drawing`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, "", append([]string{"graph", "-i", "Final", "-i", "Cancel"}, tt.args...)...)
			assert.Equal(t, 2, r.code)
			assert.Equal(t, []string{tt.want}, r.lines(t))
		})
	}
}

func TestGraphReportsAndDrawsAllTheSame(t *testing.T) {
	lost := around("", migration("m", "", `"phase": "EnsureStagBackup", "itinerary": "Final"`))
	for _, tt := range []struct {
		name, stdin string
		args        []string
		want        []string
		drawn       []string
	}{
		{
			"an unknown flag", "", []string{"-i", "Cancel", "--flags", "DirectImage", "--unknown", "HasStagePods"},
			[]string{"itinerary Cancel: flag HasStagePods is unknown: it is named under --unknown"}, []string{`Cancel at ""`},
		},
		{"an unknown flag that does not matter", "", []string{"-i", "Cancel", "--flags", "DirectImage", "--unknown", "HasVerify"}, nil, []string{`Cancel at ""`}},
		{
			"an unknown flag of a migration", stream(migration("m", `"rollback": true`, ""), planObject("p", ""), images), []string{"-f", "-"},
			[]string{
				"MigMigration ns/m: flag StorageConversion is unknown: the source MigCluster ns/source is missing; read it together with the migration",
			}, []string{`Rollback at ""`},
		},
		{
			"flags that no migration has", "", []string{"-i", "Failed", "--flags", "DirectImage,IndirectImage"},
			[]string{"warning: no run has these flags: DirectImage and IndirectImage exclude each other"},
			[]string{`Failed at ""`},
		},
		{
			"an unknown phase", lost, []string{"-f", "-"},
			[]string{`MigMigration ns/m: itinerary "Final" has no phase "EnsureStagBackup"; did you mean "EnsureStageBackup" or "EnsureInitialBackup"?`},
			nil,
		},
		{"another moment than an unknown phase", lost, []string{"-f", "-", "--at", "Created"}, nil, []string{`Final at "Created"`}},
		{
			"no migration", around(""), []string{"-f", "-"},
			[]string{"there is no MigMigration in standard input; list them with: " +
				"kubectl get migmigrations,migplans,migclusters,migrationcontrollers -n openshift-migration -o yaml"},
			nil,
		},
		{
			"a migration without its plan", stream(migration("m", "", "")), []string{"-f", "-"},
			[]string{"MigMigration ns/m: the MigPlan ns/p is missing; read it together with the migration"}, []string{`Final at ""`},
		},
		{"a missing file", "", []string{"-i", "none.yaml"}, []string{"cannot read: open none.yaml: no such file or directory; check the name"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, tt.stdin, append([]string{"graph", "-o", "json"}, tt.args...)...)
			lines := r.lines(t)
			if diff := cmp.Diff(append([]string{}, tt.want...), lines); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			code := 0
			if len(tt.want) > 0 && !strings.HasPrefix(tt.want[0], "warning: ") {
				code = 1
			}
			assert.Equal(t, code, r.code)
			if tt.drawn == nil {
				assert.Empty(t, r.out)
				return
			}
			assert.Equal(t, tt.drawn, graphOf(t, r.out).summary())
		})
	}
}

func TestGraphTakesOneMigration(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"none is named", nil, "graph takes one migration; give --name with one of ns/not-begun, ns/under-way and ns/done"},
		{"another is named", []string{"--name", "under-wya"}, `there is no MigMigration "under-wya"; did you mean "under-way"?`},
		{
			"a moment that it does not have", []string{"--name", "under-way", "--at", "Verificatoin"},
			`--at: no phase "Verificatoin" in itinerary Final; did you mean "Verification"?`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, moments, append([]string{"graph", "-f", "-"}, tt.args...)...)
			assert.Equal(t, 2, r.code)
			assert.Empty(t, r.out)
			assert.Equal(t, []string{tt.want}, r.lines(t))
		})
	}
}

func TestGraphOfFlagsOfTwoVocabularies(t *testing.T) {
	file := write(t, "warm.yaml", several)
	r := run(t, "", "graph", "-i", "Final", "-i", file+"#Warm", "--flags", "HasPVs")
	assert.Equal(t, 2, r.code)
	assert.Equal(t, []string{"itineraries Final and Warm have different flags, so --flags and --unknown can apply to only one of " +
		"them; draw one at a time"}, r.lines(t))
}

func TestGraphOfTooManyEdges(t *testing.T) {
	var b strings.Builder
	b.WriteString("flags: [{name: A}]\nitineraries:\n- name: Large\n  phases:\n")
	for i := range 1000 {
		fmt.Fprintf(&b, "  - {name: P%d, step: S, all: [A]}\n", i)
	}
	file := write(t, "large.yaml", b.String())
	r := run(t, "", "graph", "-i", file, "--all-edges")
	assert.Equal(t, 1, r.code)
	assert.Empty(t, r.out)
	const tooMany = `itinerary "Large" has 501501 edges, more than the limit of 100000: from "P0" to "P999" there are 1000 ` +
		`guarded phases in a row; split them with a phase that always runs`
	assert.Equal(t, []string{tooMany}, r.lines(t))
	assert.Equal(t, 0, run(t, "", "graph", "-i", file, "--around", "P500").code)

	// It can be planned but not run.
	assert.Equal(t, "ITINERARY   STEPS\nLarge       S\n", run(t, "", "plan", "-i", file, "--flags", "A").out)
	assert.Equal(t, 0, run(t, "", "explain", "P500", "-i", file, "--flags", "A").code)
	r = run(t, "", "run", "-i", file, "--flags", "A")
	assert.Equal(t, 1, r.code)
	assert.Equal(t, []string{tooMany}, r.lines(t))
}

// Users see the same plan in a drawing and in a list.
func TestGraphReportsPhasesAsPlanDoes(t *testing.T) {
	type shown struct {
		Visible, Maybe []string
		Under          map[string]string // by phase
	}
	elsewhere := 0
	for _, m := range elements(t, run(t, "", "plan", "-f", recorded("objects.json"), "-o", "json").out) {
		args := []string{"-i", m.Itinerary, "--flags", strings.Join(m.Flags, ","), "--unknown", strings.Join(m.Unknown, ","), "-o", "json"}
		plan := elements(t, run(t, "", append([]string{"plan"}, args...)...).out)[0]
		want := shown{plan.Steps, plan.MaybeSteps, map[string]string{}}
		for _, p := range m.Phases {
			want.Under[p.Name] = p.Step
		}
		var drawn struct {
			Itineraries []struct {
				Plan   struct{ VisibleSteps, MaybeSteps []string }
				Phases []struct{ Name, Step, ReportedUnder string }
			}
		}
		require.NoError(t, json.Unmarshal([]byte(run(t, "", append([]string{"graph"}, args...)...).out), &drawn))
		it := drawn.Itineraries[0]
		got := shown{it.Plan.VisibleSteps, it.Plan.MaybeSteps, map[string]string{}}
		for _, p := range it.Phases {
			got.Under[p.Name] = p.ReportedUnder
			if p.ReportedUnder != p.Step {
				elsewhere++
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", *m.Name, diff)
		}
	}
	assert.Positive(t, elsewhere, "no phase rides elsewhere")
}
