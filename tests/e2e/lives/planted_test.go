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

// edit replaces a text that occurs exactly once in a file.
type edit struct{ file, from, to string }

// planted lists faults as edits of the packages under test. If an edit no
// longer applies, the code has changed: plant the same fault in the new code.
var planted = []struct {
	name string
	edit []edit
}{
	{"a flag decided by a canceled phase keeps its old value", []edit{
		{"machine/set.go", "decides := from.undecided(c.Phase)", "decides := from.undecided(c.Phase) & 0"},
	}},
	{"a flag decided by a failed phase keeps its old value", []edit{
		{"machine/machine.go", "m.fresh = g.decides(m.at)", "m.fresh = 0"},
	}},
	{"a flag that a phase decides for its own guard keeps its old value", []edit{
		{"machine/machine.go", "m.finished, m.fresh = true, m.graph.decides(m.at)",
			"m.finished, m.fresh = true, m.graph.decides(m.at)&^m.graph.nodes[m.at].guard.Reads()"},
	}},
	{"a flag decided by a done phase keeps its old value", []edit{
		{"machine/machine.go", "m.finished, m.fresh = true, m.graph.decides(m.at)", "m.finished = true"},
	}},
	{"the end of the work of a phase is not recorded", []edit{
		{"machine/set.go", "WorkDone: m.finished, ", ""},
	}},
	{"a handler whose work is done is called again", []edit{
		{"machine/runner/reconcile.go", "if phase == \"\" || c.m.WorkDone() {", "if phase == \"\" || c.m.WorkDone() && c.state.PhaseFailed() {"},
	}},
	{"the next phase runs after a failure that the selector does not handle", []edit{
		{"machine/runner/reconcile.go", "case to == g && g.IsCleanup():", "case to == g:"},
	}},
	{"a phase fails at its deadline without a last call", []edit{
		{"machine/runner/reconcile.go", "	c.called = true\n	visit := Visit{",
			"	if late {\n		return Fail(\"too late\"), nil\n	}\n	c.called = true\n	visit := Visit{"},
	}},
	{"a pause counts for the deadline", []edit{
		{"machine/runner/reconcile.go", "paused := time.Duration(s.PausedSeconds) * time.Second", "paused := time.Duration(0)"},
	}},
	{"the result is that of the last itinerary", []edit{
		{"machine/runner/reconcile.go", "if c.state.Result == \"\" {", "if c.state.Result != \"Failed\" {"},
	}},
	{"a run that is canceled before its first phase reads succeeded", []edit{
		{"machine/runner/state.go", "		s.Result = g.Result()\n", "		if s.Result = g.Result(); s.Visit == 0 {\n			s.Result = phases.Succeeded\n		}\n"},
	}},
	{"the step of a phase is evaluated again while the phase runs", []edit{
		{"machine/set.go", "p := Position{Phase: c.Phase, Step: c.Step, Done: c.Done}", "p := Position{Phase: c.Phase, Done: c.Done}"},
	}},
	{"the step of a phase is not recorded", []edit{
		{"machine/set.go", "Step: p.Step, ", ""},
	}},
	{"a phase is entered although its step is unknown", []edit{
		{"machine/graph.go", "d.step, unknown = n.stepBy(f, settle)", "d.step, _ = n.stepBy(f, true)"},
	}},
	{"a choice is not recorded", []edit{
		{"machine/set.go", "Choice: p.Choice, ", ""},
	}},
	{"a jump whose guard admits takes precedence over a choice", []edit{
		{
			"machine/graph.go",
			"	case pt.choice > 0:\n		from, d.jumped = g.nodes[pt.at].jumps[pt.choice-1].to, true\n	case pt.at != start:\n",
			"	case pt.at != start:\n		if pt.choice > 0 {\n			from, d.jumped = g.nodes[pt.at].jumps[pt.choice-1].to, true\n		}\n",
		},
	}},
	{"a choice that the phase does not declare is ignored", []edit{
		{"machine/runner/reconcile.go", "if err := c.m.MayChoose(result.choice); err != nil {",
			"if c.m.MayChoose(result.choice) != nil {\n			result.choice = \"\"\n		} else if false {"},
	}},
	{"the run continues before its time", []edit{
		{"machine/settle.go", "case delayed && delay > 0:", "case delayed && delay > time.Minute:"},
	}},
	{"the time until which the run is delayed is rounded down", []edit{
		{"machine/settle.go", "until.Add(time.Second - 1).Truncate(time.Second)", "until.Truncate(time.Second)"},
	}},
	{"flags are evaluated before the run continues", []edit{
		{"machine/settle.go", "	case delayed && delay > 0:\n", "	case delayed && delay > 0:\n		_, _ = m.evaluate(ctx, o, false)\n"},
	}},
	{"an end phase does not end", []edit{
		{"machine/graph.go", "case g.nodes[to].end:", "case false:"},
	}},
	{"the name of an end phase is not recorded", []edit{
		{"machine/graph.go", "end: g.names[to]}", "end: \"\"}"},
	}},
}

// playWith builds the packages under test with the files of an overlay, and plays the
// lives of the seeds 1 to 1000 with them until one breaks a rule.
func playWith(t *testing.T, overlay string) (out string, err error) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "lives.test")
	b, err := exec.Command("go", "test", "-c", "-ldflags=-s -w", "-overlay", overlay, "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, "%s", b)
	cmd := exec.Command(binary, "-test.run", "^TestLives$")
	cmd.Env = append(os.Environ(), "LIVES_SEED=1", "LIVES=1000")
	b, err = cmd.CombinedOutput()
	return string(b), err
}

// Each fault is planted in a copy of the packages under test. The lives must
// find it.
func TestPlantedFaultsAreFound(t *testing.T) {
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	out, err := playWith(t, "") // without a fault, these lives follow the rules
	require.NoError(t, err, "%s", out)
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
				require.Equal(t, 1, strings.Count(string(b), e.from), "%s must have this text once: %s", e.file, e.from)
				copied := filepath.Join(dir, strings.ReplaceAll(e.file, "/", "_"))
				require.NoError(t, os.WriteFile(copied, []byte(strings.Replace(string(b), e.from, e.to, 1)), 0o600))
				overlay.Replace[path] = copied
			}
			b, err := json.Marshal(overlay)
			require.NoError(t, err)
			file := filepath.Join(dir, "overlay.json")
			require.NoError(t, os.WriteFile(file, b, 0o600))

			out, err := playWith(t, file)
			require.Error(t, err, "no life found the fault")
			require.Contains(t, out, "the life of seed ")
			problem, _, _ := strings.Cut(out, "\n          ")
			t.Log(problem)
			assert.Contains(t, problem, "event ", "the oracle must find the fault")
		})
	}
}
