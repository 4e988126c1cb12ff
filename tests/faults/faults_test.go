package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
)

// edit replaces a text that occurs exactly once in a file. PLANTED in new becomes an
// expression that reports whether the fault is switched on.
type edit struct{ file, old, new string }

// fault is a fault to be found.
type fault struct {
	name  string
	edits []edit
	in    string // the test of package job that finds it
	want  string // a part of that test's report
}

const (
	reconcile = "machine/runner/reconcile.go"
	again     = "machine/runner/again.go"
	runner    = "machine/runner/runner.go"
	set       = "machine/set.go"
	graph     = "machine/graph.go"
)

var faults = []fault{
	{"finished work is not recorded as done",
		[]edit{{set, "WorkDone: m.finished,", "WorkDone: m.finished && !PLANTED,"}},
		"failures and crashes", "work that is recorded as done is not done again, in itinerary Main: work that is done is not recorded: Measure"},
	{"a choice is forgotten after a crash",
		[]edit{{set, "Choice: p.Choice, Done", "Choice: unless(PLANTED, p.Choice), Done"}},
		"failures and crashes", `the choice of a handler is not recorded: Measure chose "Report", recorded is ""`},
	{"a transition is not written and thus repeated",
		[]edit{{runner, "if out.Changed || c.called {", "if out.Changed && !PLANTED || c.called {"}},
		"failures and crashes", "the options read what they have written"},
	{"a delay is forgotten",
		[]edit{{reconcile, "c.m.Delay(c.o.Now().Add(result.after))", "c.m.Delay(c.o.Now().Add(unless(PLANTED, result.after)))"}},
		"failures and crashes", "the run continues earlier than its handler requested"},
	{"a live flag is not evaluated after a phase",
		[]edit{{graph, "| it.Vocabulary.Live()&g.reads", "| unless(PLANTED, it.Vocabulary.Live()&g.reads)"}},
		"a live flag", "a value from before a phase that decides it is kept: Notify"},
	{"a decided flag is not evaluated after its phase",
		[]edit{{graph, "n.decides = p.Decides ", "n.decides = unless(PLANTED, p.Decides) "}},
		"a live flag", "a value from before a phase that decides it is kept: Large"},
	{"a pause holds a cleanup itinerary",
		[]edit{{reconcile, "|| c.o.PauseHoldsCleanup):", "|| c.o.PauseHoldsCleanup || PLANTED):"}},
		"limits and pauses", "a pause holds a cleanup itinerary"},
	{"a pause does not hold a run",
		[]edit{{reconcile, "case paused && (", "case paused && !PLANTED && ("}},
		"limits and pauses", "a paused run moves"},
	{"a deadline includes a pause",
		[]edit{{reconcile, ".Add(deadline).Add(paused)", ".Add(deadline).Add(unless(PLANTED, paused))"}},
		"limits and pauses", "a phase fails before its deadline has passed: Copy"},
	{"a passed deadline is not enforced",
		[]edit{{reconcile, "late := remaining <= 0", "late := remaining <= 0 && !PLANTED"}},
		"limits and pauses", "a phase does not fail at its deadline: Copy"},
	{"attempts before a crash are not counted",
		[]edit{{reconcile, "attempts, due = was.Attempts,", "attempts, due = unless(PLANTED, was.Attempts),"}},
		"limits and pauses", "a phase does not fail although its attempts are used up: Copy, after 2 of 2 attempts"},
	{"a cleanup itinerary stops at a failure",
		[]edit{{reconcile, "case to == g && g.IsCleanup():", "case to == g && g.IsCleanup() && !PLANTED:"}},
		"failures and crashes", "a run leaves a cleanup itinerary only for another, in itinerary CleanUp: a cleanup itinerary stops at a failed phase: Undo"},
	{"the result is that of the last itinerary",
		[]edit{{reconcile, `if c.state.Result == "" {`, `if c.state.Result == "" || PLANTED {`}},
		"failures and crashes", "the result does not follow from the record"},
	{"a new run keeps the facts of the previous run",
		[]edit{{again, "Phase: g.Phase(i).Name, Step: failed.Step}",
			"Phase: g.Phase(i).Name, Step: failed.Step, Facts: unless(!PLANTED, c.state.Facts)}"}},
		"runs that begin again", "a new run takes over facts of the previous run"},
	{"a step that ran is dropped",
		[]edit{{reconcile, "c.state.Pipeline = steps.Sync(c.state.Pipeline,",
			"c.state.Pipeline = steps.Sync(unless(PLANTED, c.state.Pipeline),"}},
		"failures and crashes", "steps that have started are lost or reordered"},
	{"a step that will not run is marked skipped",
		[]edit{{reconcile, "c.state.Pipeline = steps.Sync(before, m, c.now.Time)",
			"c.state.Pipeline = steps.Sync(before, m, c.now.Time)\n" +
				"\tif PLANTED && c.state.Done {\n\t\tc.state.Pipeline = append(c.state.Pipeline, steps.Step{Name: \"Copy\", Skipped: true})\n\t}"}},
		"failures and crashes", "a step is marked skipped: Copy"},
	{"an item of a list gets the state of another",
		[]edit{
			{runner, "\twas.DeepCopyInto(&c.state)\n",
				"\twas.DeepCopyInto(&c.state)\n\tif PLANTED && was.Itinerary == \"\" {\n\t\tlast.DeepCopyInto(&c.state)\n\t}\n"},
			{runner, "\terr = c.run(ctx)\n", "\terr = c.run(ctx)\n\tlast = *c.state.DeepCopy()\n"},
		},
		"two runs in one object", "the plan is the run, in itinerary Main: the run is in a phase that it has not entered: item 1: Measure"},
}

const (
	root = "../.."
	// planted is added to both packages. unless returns the zero value if the fault is
	// switched on, and v otherwise.
	planted = `
import "os"

var fault = os.Getenv("PLANTED")

func planted(name string) bool { return fault == name }

func unless[V any](planted bool, v V) (zero V) {
	if planted {
		return zero
	}
	return v
}
`
)

// overlay writes a copy of the files that the faults change, in which each fault can be
// switched on. It returns the path of an overlay file for the go command. The map more
// holds additional files.
func overlay(t *testing.T, more map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	texts := map[string]string{
		"machine/planted.go":        "package machine\n" + planted,
		"machine/runner/planted.go": "package runner\n" + planted + "\nvar last State\n",
	}
	for name, text := range more {
		texts[name] = text
	}
	for _, f := range faults {
		for _, e := range f.edits {
			text, ok := texts[e.file]
			if !ok {
				data, err := os.ReadFile(filepath.Join(root, e.file))
				require.NoError(t, err)
				text = string(data)
			}
			require.Equal(t, 1, strings.Count(text, e.old),
				"the fault %q no longer applies: %s must contain this text once; adapt the table:\n%s", f.name, e.file, e.old)
			by := strings.ReplaceAll(e.new, "PLANTED", fmt.Sprintf("planted(%q)", f.name))
			texts[e.file] = strings.Replace(text, e.old, by, 1)
		}
	}
	replace := map[string]string{}
	for name, text := range texts {
		path, err := filepath.Abs(filepath.Join(root, name))
		require.NoError(t, err)
		replace[path] = filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		require.NoError(t, os.WriteFile(replace[path], []byte(text), 0o600))
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(t, err)
	path := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

// build builds the tests of a package with an overlay.
func build(t *testing.T, overlay, pkg string) (binary string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), "faults.test")
	cmd := exec.Command("go", "test", "-c", "-o", binary, "-overlay", overlay, "-vet=off", "-ldflags=-s -w", pkg)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return binary
}

// run runs tests with a fault switched on, or none if it is empty, and returns their
// output.
func run(binary, fault, pattern string) (string, error) {
	cmd := exec.Command(binary, "-test.run", pattern)
	cmd.Env = append(os.Environ(), "PLANTED="+fault)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Each fault is found, and nothing is found without one. The test that an exploration
// prints compiles and fails in the same way.
func TestFaultsAreFound(t *testing.T) {
	binary := build(t, overlay(t, nil), "./tests/faults/job")
	out, err := run(binary, "", ".")
	require.NoError(t, err, out)
	printed := ""
	for _, f := range testscale.Of(faults, faults[:2]) { // for a repetition, two suffice
		t.Run(f.name, func(t *testing.T) {
			out, err := run(binary, f.name, "^TestLives$/^"+strings.ReplaceAll(f.in, " ", "_")+"$")
			require.Error(t, err, "the fault is not found")
			assert.Contains(t, out, f.want)
			if printed == "" {
				printed = out
			}
		})
	}
	t.Run("the printed test fails again", func(t *testing.T) {
		const pkg = "tests/faults/found"
		_, printed, ok := strings.Cut(printed, "package found_test\n")
		require.True(t, ok)
		text := "package found_test\n"
		for line := range strings.Lines(printed) {
			line = strings.TrimLeft(line, " ") // as package testing indents it
			if text += line; strings.HasPrefix(line, "}") {
				break
			}
		}
		binary := build(t, overlay(t, map[string]string{pkg + "/found_test.go": text}), "./"+pkg)
		out, err := run(binary, faults[0].name, "^TestFound$")
		require.Error(t, err, text)
		assert.Contains(t, out, "--- FAIL: TestFound", text)
		assert.Contains(t, out, faults[0].want)
		out, err = run(binary, "", "^TestFound$")
		require.NoError(t, err, out)
	})
}
