package verify_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/machine/verify"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// recorder is a test that records its errors.
type recorder struct{ errors []string }

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func TestTestFailsOnWarningsThatAreNotSuppressed(t *testing.T) {
	s, set := load(t, ab+one("  - {name: P, step: S T, all: [A]}\n  - {name: Q, step: S U}\n"))
	o := verify.Options{Source: s, Suppressions: []phases.Suppression{{Rule: verify.NameNotURLSafe, Step: "S U", Reason: "r"}}}
	var r recorder
	verify.Test(&r, set, o)
	assert.Empty(t, cmp.Diff([]string{
		`f.yaml:5:5: warning: name-not-url-safe: the name of step "S T" must be escaped in a URL; use only ASCII letters, digits, '-', '.', '_' and '~'`,
	}, r.errors), "-want +got")
	assert.Len(t, verify.Failing(verify.Check(set, o), verify.Info), 2, "flag B is never read")
	assert.Empty(t, verify.Failing(verify.Check(set, o), verify.Error))
}

func TestSuppressionsCoverByRuleAndPlace(t *testing.T) {
	text := one("  - {name: P, step: S T}\n  - {name: Q, step: S U}\n- name: Y\n  phases:\n  - {name: R, step: S V}\n")
	for _, c := range []struct {
		about       string
		suppression phases.Suppression
		covered     []string
	}{
		{"all of a rule", phases.Suppression{}, []string{"S T", "S U", "S V"}},
		{"of an itinerary", phases.Suppression{Itinerary: "X"}, []string{"S T", "S U"}},
		{"of a phase", phases.Suppression{Phase: "Q"}, []string{"S U"}},
		{"of a step", phases.Suppression{Itinerary: "Y", Step: "S V"}, []string{"S V"}},
		{"of a flag", phases.Suppression{Flag: "A"}, nil},
		{"of another itinerary", phases.Suppression{Itinerary: "Y", Phase: "Q"}, nil},
	} {
		t.Run(c.about, func(t *testing.T) {
			_, set := load(t, text)
			c.suppression.Rule, c.suppression.Reason = verify.NameNotURLSafe, "intended"
			var covered []string
			unused := 0
			for _, f := range verify.Check(set, verify.Options{Suppressions: []phases.Suppression{c.suppression}}) {
				if f.Suppressed != "" {
					assert.Equal(t, "intended", f.Suppressed)
					covered = append(covered, f.Step)
				}
				if f.Rule == verify.SuppressionUnused {
					unused++
				}
			}
			assert.Equal(t, c.covered, covered)
			assert.Equal(t, c.covered == nil, unused == 1)
		})
	}
}

// A suppression of a rule that is not checked is not unused: the same file may be checked
// with the options that the rule needs.
func TestSuppressionOfRuleThatIsNotChecked(t *testing.T) {
	s, set := load(t, "suppress: [{rule: cleanup-phase-without-deadline, reason: r}]\n"+
		"itineraries:\n- name: X\n  cleanup: true\n  phases:\n  - {name: P, step: S}\n")
	unused := func(o verify.Options) (n int) {
		for _, f := range verify.Check(set, o) {
			if f.Rule == verify.SuppressionUnused {
				n++
			}
		}
		return n
	}
	assert.Zero(t, unused(verify.Options{Source: s}))
	has := func(string, string) bool { return true }
	assert.Equal(t, 1, unused(verify.Options{Source: s, Runner: &verify.Runner{HasDeadline: has}}))
}

func TestSuppressionsNeedAReason(t *testing.T) {
	_, set := load(t, one("  - {name: P, step: S T}\n"))
	findings := verify.Check(set, verify.Options{Suppressions: []phases.Suppression{{Rule: verify.NameNotURLSafe}}})
	require.Len(t, findings, 2)
	assert.Equal(t, "a suppression gives no reason; write down why the finding is accepted", findings[0].Text)
	assert.Empty(t, findings[1].Suppressed)
}

func TestRunnerOf(t *testing.T) {
	type object struct{}
	done := runner.HandlerFunc[*object](func(context.Context, *object) (runner.Result, error) { return runner.Done(), nil })
	for _, c := range []struct {
		about                        string
		options                      runner.Options[*object]
		handler, deadline, runsAgain bool
	}{
		{"nothing", runner.Options[*object]{}, false, false, false},
		{"of the phase", runner.Options[*object]{Phases: map[string]runner.Phase[*object]{"P": {Handler: done, Deadline: time.Minute}}}, true, true, false},
		{"of another phase", runner.Options[*object]{Phases: map[string]runner.Phase[*object]{"Q": {Handler: done, Deadline: time.Minute}}}, false, false, false},
		{"of the phase in this itinerary", runner.Options[*object]{
			Phases:            map[string]runner.Phase[*object]{"P": {Handler: done}},
			PhasesByItinerary: map[string]map[string]runner.Phase[*object]{"X": {"P": {Deadline: time.Minute}}},
		}, false, true, false},
		{"for all", runner.Options[*object]{Handler: done, Deadline: time.Minute}, true, true, false},
		{"passed through, which takes no time", runner.Options[*object]{PassThrough: true}, true, true, false},
		{"passed through, except the phase", runner.Options[*object]{PassThrough: true, Phases: map[string]runner.Phase[*object]{"P": {}}}, false, false, false},
		{"again", runner.Options[*object]{Token: func(context.Context, *object) (string, runner.RunFrom, error) { return "", "", nil }}, false, false, true},
	} {
		t.Run(c.about, func(t *testing.T) {
			r := verify.RunnerOf(c.options)
			assert.Equal(t, c.handler, r.HasHandler("X", "P"))
			assert.Equal(t, c.deadline, r.HasDeadline("X", "P"))
			assert.Equal(t, c.runsAgain, r.RunsAgain)
		})
	}
}

func TestCheckOfNothing(t *testing.T) {
	assert.Empty(t, verify.Check(nil, verify.Options{}))
	assert.NotNil(t, verify.Check(nil, verify.Options{}), "an empty array as JSON")
}

// Ten thousand phases that decide flags, ride and jump back: each rule ends, with
// findings or without a decision.
func TestCheckOfVeryLargeItineraries(t *testing.T) {
	var defs []phases.FlagDef
	for i := range phases.MaxFlags {
		defs = append(defs, phases.FlagDef{Flag: 1 << i, Name: fmt.Sprintf("F%d", i)})
	}
	v := phases.MustVocabulary(defs, phases.Clause{False: 1, True: 2})
	for _, c := range []struct {
		about    string
		nodes    int
		change   func(i int, p *phases.Phase)
		decided  bool
		rule     string
		findings int
	}{
		{"guards alone", 0, func(int, *phases.Phase) {}, true, verify.GuardRedundantFlag, 0},
		{"a guard that nothing satisfies", 0, func(i int, p *phases.Phase) {
			if i == testscale.Of(5000, 1500) {
				p.Guard = phases.Guard{All: 1, None: 2}
			}
		}, true, verify.PhaseNeverRuns, 1},
		{"steps that return", 0, func(i int, p *phases.Phase) { p.Step = fmt.Sprintf("S%d", i%500) }, false, verify.PhaseNeverRuns, 0},
		{"jumps back", 1 << 10, func(i int, p *phases.Phase) {
			p.Decides = 1 << (i * 7 % 64)
			if i%2 == 1 {
				p.Jumps = []phases.Jump{{To: fmt.Sprintf("P%d", i/2), Guard: phases.Guard{All: 1 << (i * 3 % 64)}}}
			}
		}, false, verify.GuardContradictsRelations, 0},
	} {
		t.Run(c.about, func(t *testing.T) {
			it := phases.Itinerary{Name: "X", Vocabulary: v}
			for i := range testscale.Of(10_000, 2_000) {
				p := phases.Phase{Name: fmt.Sprintf("P%d", i), Step: fmt.Sprintf("S%d", i/2), Guard: phases.Guard{All: 1 << (i % 64)}}
				c.change(i, &p)
				it.Phases = append(it.Phases, p)
			}
			g, err := machine.Compile(it)
			require.NoError(t, err)
			findings := verify.CheckGraphs([]*machine.Graph{g}, verify.Options{MaxNodes: c.nodes})
			assert.Equal(t, c.decided, len(of(findings, verify.NotDecided)) == 0, "%v", of(findings, verify.NotDecided))
			assert.Len(t, of(findings, c.rule), c.findings)
		})
	}
}
