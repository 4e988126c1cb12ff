package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// copying checks the disks in a loop; its handler chooses when to leave it.
const copying = `
flags:
- {name: Inspected}
itineraries:
- name: Copy
  phases:
  - {name: Copy, step: Initialize, steps: [{step: Transfer, all: [Inspected]}]}
  - {name: Check, step: Transfer, jumps: [{to: GiveUp, choice: true}, {to: Copy, choice: true}]}
  - {name: Completed, end: true}
  - {name: GiveUp, step: Undo}
  - {name: GivenUp, step: Report, end: true}
`

func copyingFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "copy.yaml")
	require.NoError(t, os.WriteFile(file, []byte(copying), 0o600))
	return file
}

// A phase that depends on a choice may run, and that is not a problem.
func TestPlanOfAChoice(t *testing.T) {
	file := copyingFile(t)
	r := run(t, "", "plan", "-i", file, "-o", "json")
	assert.Equal(t, 0, r.code)
	assert.Empty(t, r.stderr)
	assert.JSONEq(t, `[{"itinerary": "Copy", "flags": [], "unknown": [],
		"steps": ["Initialize", "Transfer"], "maybeSteps": ["Undo", "Report"], "tentativeSteps": [], "phases": [
		{"name": "Copy", "step": "Initialize", "runs": "yes"},
		{"name": "Check", "step": "Transfer", "runs": "yes"},
		{"name": "Completed", "runs": "unknown",
			"why": {"guard": "choice", "flags": [], "decidedBy": [], "text": "depends on the choice of Check"}},
		{"name": "GiveUp", "step": "Undo", "runs": "unknown",
			"why": {"guard": "choice", "flags": [], "decidedBy": [], "text": "depends on the choice of Check"}},
		{"name": "GivenUp", "step": "Report", "runs": "unknown",
			"why": {"guard": "choice", "flags": [], "decidedBy": [], "text": "depends on the choice of Check"}}]}]`, r.out)

	r = run(t, "", "plan", "-i", file, "--unknown", "Inspected", "-o", "json")
	assert.Equal(t, 1, r.code, "the step of Copy depends on a flag")
	assert.Contains(t, r.stderr, "Inspected")
	assert.Contains(t, strings.Join(strings.Fields(r.out), " "),
		`"steps": [ "Transfer" ], "maybeSteps": [ "Initialize", "Undo", "Report" ]`)

	for _, c := range []struct{ name, flags, want string }{
		{"Undo", "", "step Undo may be shown; depends on the choice of Check: GiveUp"},
		{"Initialize", "", "step Initialize is shown for Copy"},
		{"Initialize", "Inspected", "step Initialize is not shown: no phase runs for it; runs under Transfer: Copy"},
		{"Transfer", "Inspected", "step Transfer is shown for Copy and Check"},
		{"Copy", "Inspected", "phase Copy runs in every migration of this itinerary; its step is Transfer"},
		{"Completed", "", "phase Completed may run: it depends on the choice of Check"},
	} {
		assert.Equal(t, c.want, explain(t, "", c.name, "-i", file, "--flags", c.flags)[0].Text)
	}
}

// A run makes the given choices in turn.
func TestRunChooses(t *testing.T) {
	file := copyingFile(t)
	for _, c := range []struct {
		choose []string
		want   []string
	}{
		{nil, []string{"Initialize: Completed", "Transfer: Completed"}},
		{[]string{"Check=GiveUp"}, []string{"Initialize: Completed", "Transfer: Completed", "Undo: Completed", "Report: Completed"}},
		{[]string{"Check=Copy", "Check=Copy", "Check=GiveUp"}, []string{"Initialize: Completed", "Transfer: Completed", "Undo: Completed", "Report: Completed"}},
	} {
		args := []string{"run", "-o", "json", "-i", file}
		for _, choice := range c.choose {
			args = append(args, "--choose", choice)
		}
		r := run(t, "", args...)
		assert.Equal(t, 0, r.code)
		assert.Empty(t, r.stderr)
		assert.Equal(t, c.want, states(events(t, r.out)))
		assert.Equal(t, max(len(c.choose), 1), strings.Count(r.out, `"event":"entered","itinerary":"Copy","phase":"Check"`))
	}
}

func TestOptionsAboutChoicesAndEnds(t *testing.T) {
	file := copyingFile(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--choose", "Check"}, `--choose takes PHASE=PHASE, the phase that chooses and the phase that follows, not "Check"`},
		{[]string{"--choose", "Chekc=Copy"}, `--choose: itinerary Copy has no phase "Chekc"; did you mean "Check"?`},
		{[]string{"--choose", "Check=GivenUp"}, `--choose: phase Check does not have the choice to jump to "GivenUp"; its choices are GiveUp and Copy`},
		{[]string{"--choose", "Copy=Check"}, `--choose: phase Copy does not have the choice to jump to "Check"; it declares no choice`},
		{[]string{"--fail-at", "Completed", "--on-fail", "Copy"}, "itinerary Copy cannot follow its own failure"},
	} {
		r := run(t, "", append([]string{"run", "-i", file}, c.args...)...)
		assert.Equal(t, 2, r.code)
		assert.Contains(t, r.stderr, c.want)
	}
	r := run(t, "", "run", "-i", "Final", "--cancel-at", "Completed")
	assert.Equal(t, 2, r.code)
	assert.Contains(t, r.stderr, "--cancel-at: Completed is an end phase, which does no work; name another")
	r = run(t, "", "run", "-i", file, "--choose", "Check=GiveUp", "--choose", "Check=Copy")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stderr, "--choose Check=Copy had no effect: phase Check did not run again")
}
