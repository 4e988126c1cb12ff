package faults

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// edit replaces a text, which a file has exactly once, by another.
type edit struct{ file, old, new string }

// fault is a fault, the test of package job that finds it, and a part of what that
// reports.
type fault struct {
	name  string
	edits []edit
	in    string
	want  string
}

const (
	reconcile = "machine/runner/reconcile.go"
	again     = "machine/runner/again.go"
	runner    = "machine/runner/runner.go"
	set       = "machine/set.go"
)

var faults = []fault{
	{"work that is done is not recorded as done",
		[]edit{{set, "WorkDone: m.finished, Choice: p.Choice", "Choice: p.Choice"}},
		"failures and crashes", "work that is done is not done again, in itinerary Main: work that is done is not recorded: Measure"},
	{"a choice is forgotten after a crash",
		[]edit{{set, "WorkDone: m.finished, Choice: p.Choice", "WorkDone: m.finished"}},
		"failures and crashes", `the choice of a handler is not recorded: Measure chose "Report", recorded is ""`},
	{"a transition is repeated, since it is not written",
		[]edit{{runner, "if out.Changed || c.called {", "if c.called {"}},
		"failures and crashes", "what the runner writes is what it reads"},
	{"a delay is forgotten",
		[]edit{{reconcile, "c.m.Delay(c.o.Now().Add(result.after))", "_ = result.after"}},
		"failures and crashes", "it goes on earlier than its handler said"},
	{"a live flag is not evaluated when a phase is done",
		[]edit{{"machine/graph.go", "n.decides = p.Decides | it.Vocabulary.Live()&g.reads", "n.decides = p.Decides"}},
		"a live flag", "what a phase decides is taken over from before it: Notify"},
	{"what a phase decides is not evaluated after it",
		[]edit{{"machine/graph.go", "n.decides = p.Decides | it.Vocabulary.Live()&g.reads", "n.decides = it.Vocabulary.Live() & g.reads"}},
		"a live flag", "what a phase decides is taken over from before it: Large"},
	{"a pause holds a cleanup itinerary",
		[]edit{{reconcile, "case paused && (!g.IsCleanup() || c.o.PauseHoldsCleanup):", "case paused:"}},
		"limits and pauses", "a pause holds a cleanup itinerary"},
	{"a pause does not hold a run",
		[]edit{{reconcile, "case paused && (!g.IsCleanup() || c.o.PauseHoldsCleanup):", "case false:"}},
		"limits and pauses", "a run that is paused moves"},
	{"a deadline counts a pause",
		[]edit{{reconcile, "s.Entered.Add(time.Second).Add(deadline).Add(paused)", "s.Entered.Add(time.Second).Add(deadline + 0*paused)"}},
		"limits and pauses", "a phase fails before its deadline has passed: Copy"},
	{"a deadline that has passed is not kept",
		[]edit{{reconcile, "late := remaining <= 0", "late := remaining <= -time.Hour"}},
		"limits and pauses", "a deadline that has passed is not kept: Copy"},
	{"a failure in a cleanup itinerary is not passed by",
		[]edit{{reconcile, "case to == g && g.IsCleanup():\n\t\treturn true, nil", "case to == g && g.IsCleanup():\n\t\treturn false, c.unanswered()"}},
		"failures and crashes", "a cleanup itinerary is left only for another, in itinerary CleanUp: it stops at a phase that failed: Undo"},
	{"the result is that of the last itinerary",
		[]edit{{reconcile, `if c.state.Result == "" {`, "if true {"}},
		"failures and crashes", "the result is not the one that the record leads to"},
	{"a new run keeps the facts of the run before",
		[]edit{{again, "Phase: g.Phase(i).Name, Step: failed.Step}", "Phase: g.Phase(i).Name, Step: failed.Step, Facts: c.state.Facts}"}},
		"runs that begin again", "a new run takes over what the run before knew"},
	{"a step that ran is dropped",
		[]edit{{reconcile, "c.state.Pipeline = steps.Sync(c.state.Pipeline, steps.Snapshot{Plan: c.m.Plan(), Failed: failed}, c.now.Time)",
			"c.state.Pipeline = steps.Sync(nil, steps.Snapshot{Plan: c.m.Plan(), Failed: failed}, c.now.Time)"}},
		"failures and crashes", "steps that have started are lost or change their order"},
	{"a step that will not run is marked skipped",
		[]edit{{reconcile, "c.state.Pipeline = steps.Sync(before, m, c.now.Time)",
			"c.state.Pipeline = steps.Sync(before, m, c.now.Time)\n\tif c.state.Done {\n\t\tc.state.Pipeline = append(c.state.Pipeline, steps.Step{Name: \"Copy\", Skipped: true})\n\t}"}},
		"failures and crashes", "a step is marked skipped: Copy"},
	{"attempts are not counted over a crash",
		[]edit{{reconcile, "attempts, due = was.Attempts, was.Next.Time", "due = was.Next.Time"}},
		"limits and pauses", "a phase is tried more often than it may: Copy, 2 times, at most 2"},
	{"an item of a list takes the state of another",
		[]edit{
			{runner, "// protect calls a function", "var last State\n\n// protect calls a function"},
			{runner, "\twas.DeepCopyInto(&c.state)\n", "\tif was.Itinerary == \"\" {\n\t\tlast.DeepCopyInto(&was)\n\t}\n\tlast = *was.DeepCopy()\n\twas.DeepCopyInto(&c.state)\n"},
		},
		"two runs in one object", "what the runner writes is what it reads"},
}

const root = "../.."

// overlay writes the files with a fault into a folder, and the file that tells the
// Go command to take them instead.
func (f fault) overlay(t *testing.T, more map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	texts := map[string]string{}
	for name, text := range more {
		texts[name] = text
	}
	for _, e := range f.edits {
		text, ok := texts[e.file]
		if !ok {
			data, err := os.ReadFile(filepath.Join(root, e.file))
			require.NoError(t, err)
			text = string(data)
		}
		require.Equal(t, 1, strings.Count(text, e.old), "the edit no longer applies: %s must have this text once; adapt the table:\n%s", e.file, e.old)
		texts[e.file] = strings.Replace(text, e.old, e.new, 1)
	}
	replace := map[string]string{}
	for name, text := range texts {
		path, err := filepath.Abs(filepath.Join(root, name))
		require.NoError(t, err)
		copied := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		require.NoError(t, os.WriteFile(copied, []byte(text), 0o600))
		replace[path] = copied
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(t, err)
	path := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

// run is the pattern of the test that finds the fault.
func (f fault) run() string {
	return "^TestEveryLife$/^" + strings.ReplaceAll(f.in, " ", "_") + "$"
}

// goTest runs the tests of a package with an overlay, and returns what it prints.
func goTest(overlay, pkg, run string) (string, error) {
	cmd := exec.Command("go", "test", "-overlay", overlay, "-count=1", "-vet=off", "-ldflags=-s -w", "-run", run, pkg)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Each fault is found.
func TestFaultsAreFound(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			out, err := goTest(f.overlay(t, nil), "./tests/faults/job", f.run())
			require.Error(t, err, "the fault is not found")
			require.NotContains(t, out, "build failed")
			assert.Contains(t, out, f.want)
		})
	}
}

// The test that is printed of a break compiles, and fails in the same way.
func TestThePrintedTestFailsAgain(t *testing.T) {
	const pkg = "tests/faults/found"
	f := faults[0]
	out, err := goTest(f.overlay(t, nil), "./tests/faults/job", f.run())
	require.Error(t, err)
	_, printed, ok := strings.Cut(out, "package found_test\n")
	require.True(t, ok, out)
	var text strings.Builder
	text.WriteString("package found_test\n")
	for line := range strings.Lines(printed) {
		line = strings.TrimPrefix(line, "        ") // as package testing indents it
		text.WriteString(line)
		if strings.HasPrefix(line, "}") {
			break
		}
	}
	out, err = goTest(f.overlay(t, map[string]string{pkg + "/found_test.go": text.String()}), "./"+pkg, "^TestFound$")
	require.Error(t, err, text.String())
	assert.Contains(t, out, "--- FAIL: TestFound", text.String())
	assert.Contains(t, out, f.want)
}
