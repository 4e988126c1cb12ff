package lives

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

// edit replaces a text of a file, which must be there exactly once.
type edit struct{ file, from, to string }

// planted are faults, as edits of the packages under test. If one of them does
// not apply any more, those have changed: plant the same fault in what is there
// now.
var planted = []struct {
	name string
	edit []edit
}{
	{"what a phase that is canceled decides is judged by the value from before", []edit{
		{"machine/set.go", "facts = facts.Forget(from.undecided(c.Phase))", "_ = from.undecided"},
	}},
	{"what a phase that fails decides is judged by the value from before", []edit{
		{"machine/machine.go", "m.facts = m.facts.Forget(g.decides(m.at))", ""},
	}},
	{"what a phase decides for its own guard is judged by the value from before", []edit{
		{"machine/machine.go", "m.facts = m.facts.Forget(m.graph.decides(m.at))", "m.facts = m.facts.Forget(m.graph.decides(m.at) &^ m.graph.nodes[m.at].guard.Reads())"},
	}},
	{"what a phase that is done decides is judged by the value from before", []edit{
		{"machine/machine.go", "m.facts = m.facts.Forget(m.graph.decides(m.at))", ""},
	}},
	{"a phase whose work is done is not recorded as such", []edit{
		{"machine/machine.go", "m.finished = true", ""},
	}},
	{"a handler whose work is done is called again", []edit{
		{"machine/runner/reconcile.go", "if c.m.WorkDone() {", "if c.m.WorkDone() && c.state.PhaseFailed() {"},
	}},
	{"the next phase runs after a failure that the selector does not answer", []edit{
		{"machine/runner/reconcile.go", "case to == g && g.IsCleanup():", "case to == g:"},
	}},
	{"a phase fails at its deadline without a last look", []edit{
		{"machine/runner/reconcile.go", "	c.called = true\n	visit := Visit{", "	if late {\n		return Fail(\"too late\"), nil\n	}\n	c.called = true\n	visit := Visit{"},
	}},
	{"a pause counts for the deadline", []edit{
		{"machine/runner/reconcile.go", "paused := time.Duration(c.state.PausedSeconds) * time.Second", "paused := time.Duration(0)"},
	}},
	{"the result is that of the last itinerary", []edit{
		{"machine/runner/reconcile.go", "if c.state.Result == \"\" {", "if c.state.Result != phases.Failed {"},
	}},
	{"a run that is canceled before its first phase reads succeeded", []edit{
		{"machine/runner/state.go", "		s.Result = g.Result()\n", "		if s.Result = g.Result(); s.Visit == 0 {\n			s.Result = phases.Succeeded\n		}\n"},
	}},
}

// Each fault is planted in a copy of the packages under test, and the lives
// find it.
func TestPlantedFaultsAreFound(t *testing.T) {
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	for seed := range uint64(1000) { // without a fault, these are as they must be
		play(t, seed+1, Counts{})
	}
	for _, p := range planted {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var overlay struct{ Replace map[string]string }
			overlay.Replace = map[string]string{}
			for _, e := range p.edit {
				path := filepath.Join(root, e.file)
				b, err := os.ReadFile(path)
				require.NoError(t, err)
				require.Equal(t, 1, strings.Count(string(b), e.from), "%s has this once: %s", e.file, e.from)
				copied := filepath.Join(dir, strings.ReplaceAll(e.file, "/", "_"))
				require.NoError(t, os.WriteFile(copied, []byte(strings.Replace(string(b), e.from, e.to, 1)), 0o600))
				overlay.Replace[path] = copied
			}
			b, err := json.Marshal(overlay)
			require.NoError(t, err)
			file := filepath.Join(dir, "overlay.json")
			require.NoError(t, os.WriteFile(file, b, 0o600))
			binary := filepath.Join(dir, "lives.test")
			out, err := exec.Command("go", "test", "-c", "-overlay", file, "-o", binary, ".").CombinedOutput()
			require.NoError(t, err, "%s", out)

			cmd := exec.Command(binary, "-test.run", "^TestLives$")
			cmd.Env = append(os.Environ(), "LIVES_SEED=1", "LIVES=1000")
			out, err = cmd.CombinedOutput()
			require.Error(t, err, "no life has found it")
			require.Contains(t, string(out), "the life of seed ")
			problem, _, _ := strings.Cut(string(out), "\n          ")
			t.Log(problem)
			assert.Contains(t, problem, "event ", "the oracle has found it")
		})
	}
}
