package verify_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/cli"
	"github.com/konveyor/dynamic-pipeline/internal/goldentest"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/verify"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// load reads a file of itineraries named f.yaml.
func load(t testing.TB, text string) (*verify.Source, *machine.Set) {
	t.Helper()
	s, err := verify.Load(strings.NewReader(text), "f.yaml")
	require.NoError(t, err, "%s", text)
	set, err := machine.CompileSet(s.File().Itineraries...)
	require.NoError(t, err, "%s", text)
	return s, set
}

// of returns the findings of a rule.
func of(findings []verify.Finding, rule string) (some []verify.Finding) {
	for _, f := range findings {
		if f.Rule == rule {
			some = append(some, f)
		}
	}
	return some
}

const ab = "flags: [{name: A}, {name: B}]\n"

// one returns an itinerary X with these phases. The first is on line 4 if the file
// begins with a line of flags.
func one(phases string) string { return "itineraries:\n- name: X\n  phases:\n" + phases }

// ruleCases are definitions with a finding of each rule. Replacing old by new removes
// the finding.
var ruleCases = []struct {
	about, rule, text, old, new string
}{
	{"a guard that the relations exclude", verify.PhaseNeverRuns,
		ab + "relations: [[\"!A\", \"!B\"]]\n" + one("  - {name: P, step: S, all: [A, B]}\n  - {name: Q, step: S}\n"), `"!B"`, `B`},
	{"a phase behind an end", verify.PhaseNeverRuns,
		one("  - {name: P, step: S, end: true}\n  - {name: Q, step: S}\n"), ", end: true", ""},
	{"a phase that a jump passes by whenever it could run", verify.PhaseNeverRuns,
		ab + one("  - {name: P, step: S, jumps: [{to: R, all: [A]}]}\n  - {name: Q, step: S, all: [A]}\n  - {name: R, step: S}\n"), "Q, step: S, all", "Q, step: S, none"},
	{"a phase behind an end that has a former name", verify.PhaseNeverRuns,
		one("  - {name: P, step: S, end: true}\n  - {name: Q, step: S}\n  - {name: R, step: S}\n"), "name: Q,", "name: Q, formerly: [O],"},
	{"a step under a guard that the phase's own excludes", verify.StepNeverShown,
		ab + one("  - {name: P, step: S, none: [A], steps: [{step: T, all: [A]}]}\n  - {name: Q, step: S}\n"), "none: [A], ", ""},
	{"a guard of a jump that the relations exclude", verify.GuardContradictsRelations,
		ab + "relations: [[\"!A\"]]\n" + one("  - {name: P, step: S, jumps: [{to: R, all: [A]}]}\n  - {name: Q, step: S}\n  - {name: R, step: S}\n"), `"!A"`, "A"},
	{"a flag that another of the guard implies", verify.GuardRedundantFlag,
		ab + "relations: [[\"!A\", B]]\n" + one("  - {name: P, step: S, all: [A, B]}\n  - {name: Q, step: S}\n"), `"!A", B`, `A, B`},
	{"a flag in all and in any", verify.GuardRedundantFlag,
		ab + one("  - {name: P, step: S, all: [A], any: [A, B]}\n  - {name: Q, step: S}\n"), "[A, B]", "[B]"},
	{"a flag without a guard", verify.FlagNeverRead,
		"flags:\n- name: A\n- name: B\n" + one("  - {name: P, step: S, all: [A]}\n  - {name: Q, step: S}\n"), "all: [A]", "any: [A, B]"},
	{"a flag that is decided after its guards", verify.FlagReadBeforeDecided,
		ab + one("  - {name: P, step: S, all: [A]}\n  - {name: Q, step: S, decides: [A]}\n  - {name: R, step: S}\n"), "R, step: S", "R, step: S, none: [A]"},
	{"a flag that is decided after its guards, not by the phase that undoes it", verify.FlagReadBeforeDecided,
		ab + one("  - {name: P, step: S, all: [A]}\n  - {name: Q, step: S, decides: [A]}\n  - {name: R, step: S}\n"), "Q, step: S", "Q, step: S, all: [A]"},
	{"a flag that is decided for nothing", verify.DecidesNeverRead,
		ab + one("  - {name: P, step: S, decides: [B]}\n  - {name: R, step: S}\n"), "R, step: S", "R, step: S, none: [B]"},
	{"a flag that a cleanup reads later", verify.DecidesNeverRead,
		ab + one("  - {name: P, step: S, decides: [B]}\n- name: Undo\n  phases:\n  - {name: R, step: S, none: [A]}\n"), "[A]", "[B]"},
	{"a step around another", verify.StepCutInTwo,
		ab + one("  - {name: P, step: S}\n  - {name: Q, step: T, all: [A]}\n  - {name: R, step: S, none: [B]}\n"), "[B]", "[A]"},
	{"a step that is cut only if a flag changes on the way", verify.StepCutInTwo,
		ab + one("  - {name: P, step: S}\n  - {name: Q, step: T, all: [A], decides: [A]}\n  - {name: R, step: S, none: [A]}\n"), ", decides: [A]", ""},
	{"a phase that rides without its step", verify.RidesAlone,
		ab + one("  - {name: P, step: S}\n  - {name: Q, step: T, rides: true}\n  - {name: R, step: T, all: [A]}\n"), ", all: [A]", ""},
	{"a loop that one of its flags cannot leave", verify.EndUnreachable,
		ab + one("  - {name: P, step: S}\n  - {name: Q, step: S, decides: [A], jumps: [{to: E, all: [A, B]}, {to: P}]}\n  - {name: E, end: true}\n"),
		"decides: [A]", "decides: [A, B]"},
	{"a loop whose flags nothing decides", verify.LoopNeverEnds,
		ab + one("  - {name: P, step: S}\n  - {name: Q, step: S, jumps: [{to: P, all: [A]}]}\n  - {name: E, end: true}\n"), "{name: A}", "{name: A, live: true}"},
	{"a jump behind one that is always taken", verify.JumpNeverTaken,
		ab + one("  - {name: P, step: S, jumps: [{to: E, any: [A, B]}, {to: R, all: [A]}]}\n  - {name: R, step: S}\n  - {name: E, end: true}\n"), "any: [A, B]", "all: [A, B]"},
	{"a jump under a flag that the phase excludes", verify.JumpNeverTaken,
		ab + one("  - {name: P, step: S, none: [A], jumps: [{to: E, all: [A]}]}\n  - {name: R, step: S}\n  - {name: E, end: true}\n"), "none: [A]", "none: [A], decides: [A]"},
	{"two jumps for the same flags", verify.JumpsOverlap,
		ab + one("  - {name: P, step: S, jumps: [{to: E, all: [A]}, {to: R, all: [B]}]}\n  - {name: Q, step: S}\n  - {name: R, step: S}\n  - {name: E, end: true}\n"),
		"all: [B]", "all: [B], none: [A]"},
	{"an itinerary that is not selected", verify.ItineraryUnreachable,
		one("  - {name: P, step: S}\n"), "name: X", "name: Y"},
	{"a step with a blank", verify.NameNotURLSafe,
		one("  - {name: P, step: S T}\n"), "S T", "S-T"},
	{"two names that a reader confuses", verify.NamesDifferByCase,
		one("  - {name: Pay, step: S}\n  - {name: PAY, step: S}\n"), "PAY", "PAID"},
	{"a phase of a cleanup without a deadline", verify.CleanupPhaseWithoutDeadline,
		ab + "itineraries:\n- name: X\n  cleanup: true\n  phases:\n  - {name: P, step: S, all: [A]}\n  - {name: E, end: true}\n", "cleanup: true", "cleanup: false"},
	{"a phase without a handler", verify.PhaseWithoutHandler,
		one("  - {name: P, step: S}\n  - {name: Q, step: S}\n"), "name: Q", "name: P2"},
	{"relations that nothing satisfies", verify.RelationContradictsRelations,
		ab + "relations:\n- [A]\n- [\"!A\", B]\n- [\"!B\"]\n" + one("  - {name: P, step: S}\n"), "- [A]\n", "- [\"!A\"]\n"},
	{"a former name that is in use", verify.FormerNameReused,
		one("  - {name: P, step: S, formerly: [Q]}\n- name: Y\n  phases:\n  - {name: Q, step: S}\n"), "name: Q", "name: R"},
	{"a suppression that covers nothing", verify.SuppressionUnused,
		"suppress: [{rule: jumps-overlap, itinerary: X, reason: r}]\n" + one("  - {name: P, step: S T}\n"), "jumps-overlap", "name-not-url-safe"},
	{"a suppression of an unknown rule", verify.SuppressionUnused,
		"suppress: [{rule: name-not-url-save, reason: r}]\n" + one("  - {name: P, step: S T}\n"), "url-save", "url-safe"},
}

// ruleOptions returns the options that the rule needs.
func ruleOptions(rule string, s *verify.Source) verify.Options {
	o := verify.Options{Source: s}
	switch rule {
	case verify.ItineraryUnreachable:
		o.Selected = []string{"Y"}
	case verify.CleanupPhaseWithoutDeadline:
		o.Runner = &verify.Runner{HasDeadline: func(_, phase string) bool { return false }}
	case verify.PhaseWithoutHandler:
		o.Runner = &verify.Runner{HasHandler: func(_, phase string) bool { return phase[0] == 'P' }}
	}
	return o
}

func TestRulesFindTheirCases(t *testing.T) {
	covered := map[string]bool{verify.NotDecided: true} // see TestNotDecidedIfTooLarge
	var all strings.Builder
	golden, err := filepath.Abs("testdata/findings.golden")
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	for _, c := range ruleCases {
		covered[c.rule] = true
		t.Run(c.about, func(t *testing.T) {
			s, set := load(t, c.text)
			findings := verify.Check(set, ruleOptions(c.rule, s))
			got := of(findings, c.rule)
			require.NotEmpty(t, got)
			fmt.Fprintf(&all, "# %s\n", c.about)
			for _, f := range got {
				fmt.Fprintln(&all, f)
			}
			require.NoError(t, os.WriteFile("f.yaml", []byte(c.text), 0o600))
			requireReproduced(t, findings)

			require.Contains(t, c.text, c.old)
			s, set = load(t, strings.Replace(c.text, c.old, c.new, 1))
			assert.Less(t, len(of(verify.Check(set, ruleOptions(c.rule, s)), c.rule)), len(got), "after the change")
		})
	}
	for _, r := range verify.Rules() {
		assert.True(t, covered[r.Name], "there is a case for %s", r.Name)
	}
	goldentest.Compare(t, golden, all.String())
}

// requireReproduced runs the command lines of findings and requires that each shows its
// finding.
func requireReproduced(t testing.TB, findings []verify.Finding) (lines int) {
	t.Helper()
	for _, f := range findings {
		if f.Reproduce == "" {
			continue
		}
		lines++
		var out, stderr bytes.Buffer
		code := cli.Run(t.Context(), strings.Fields(f.Reproduce), strings.NewReader(""), &out, &stderr)
		require.LessOrEqual(t, code, 1, "%s: %s", f.Reproduce, stderr.String())
		warned := strings.Contains(stderr.String(), "no run has these flags")
		if strings.HasSuffix(f.Reproduce, "--explain") {
			left := f.Phase
			if f.Rule == verify.StepNeverShown {
				left = f.Step
			}
			leftOut := strings.Contains(out.String(), "left out") && strings.Contains(out.String(), left)
			require.True(t, warned || leftOut || f.Rule == verify.JumpNeverTaken, "%v\n%s%s", f, out.String(), stderr.String())
			continue
		}
		require.False(t, warned, "%v\n%s", f, stderr.String())
		var plans []struct {
			Phases []struct{ Name, Step, Runs string }
			Steps  []string
		}
		require.NoError(t, json.Unmarshal(out.Bytes(), &plans), out.String())
		var ran, under []string
		for _, p := range plans[0].Phases {
			if p.Runs == "yes" {
				ran, under = append(ran, p.Name), append(under, p.Step)
			}
		}
		require.Contains(t, ran, f.Phase, f.String())
		switch f.Rule {
		case verify.StepCutInTwo:
			times := slices.DeleteFunc(slices.Compact(under), func(step string) bool { return step != f.Step })
			require.Greater(t, len(times), 1, "%v: %v", f, under)
		case verify.RidesAlone:
			require.NotContains(t, plans[0].Steps, f.Step)
			require.NotEqual(t, f.Step, under[slices.Index(ran, f.Phase)])
		case verify.LoopNeverEnds:
			require.Contains(t, stderr.String(), "the loop may never end")
		}
	}
	return lines
}

func TestReproduceOfTheBuiltInCatalogue(t *testing.T) {
	set := mtcSet(t)
	findings := verify.Check(set, verify.Options{Selected: []string{}, Runner: &verify.Runner{
		HasHandler: func(_, phase string) bool { return phase != mtc.PhaseStagePodsCreated },
	}})
	require.Greater(t, requireReproduced(t, findings), 10)
}

func TestReproduceOfAFile(t *testing.T) {
	const name = "../../phases/testdata/database-upgrade.yaml"
	text, err := os.Open(name)
	require.NoError(t, err)
	defer text.Close()
	s, err := verify.Load(text, name)
	require.NoError(t, err)
	set, err := machine.CompileSet(s.File().Itineraries...)
	require.NoError(t, err)
	findings := verify.Check(set, verify.Options{Source: s})
	for _, f := range findings {
		t.Log(f)
		assert.Equal(t, name, f.Place.File)
	}
	assert.Positive(t, requireReproduced(t, findings))
}

func TestFindingsDoNotHideEachOther(t *testing.T) {
	_, set := load(t, ab+"relations: [[\"!A\"]]\n"+one("  - {name: P, step: S T, all: [A, B], jumps: [{to: Q, none: [B]}]}\n"+
		"  - {name: Q, step: S}\n  - {name: q, step: U, rides: false}\n"))
	var got []string
	for _, f := range verify.Check(set, verify.Options{}) {
		got = append(got, fmt.Sprintf("%s %s %s %s", f.Rule, f.Phase, f.Step, f.Flag))
	}
	assert.Empty(t, cmp.Diff([]string{
		"phase-never-runs P  ", "step-never-shown P S T ", "guard-contradicts-relations P  ", "jump-never-taken P  ", "name-not-url-safe P S T ",
		"names-differ-by-case q  ",
	}, got), "-want +got")
}

func TestNotDecidedIfTooLarge(t *testing.T) {
	// Pairs of flags that are far apart, whatever their order: their relations need
	// more nodes than allowed, and the rules that read them are not decided.
	var defs []phases.FlagDef
	for i := range 40 {
		defs = append(defs, phases.FlagDef{Flag: 1 << i, Name: fmt.Sprintf("F%d", i)})
	}
	var relations []phases.Clause
	for i := range 40 {
		for k := range 3 {
			relations = append(relations, phases.Clause{True: 1<<i | 1<<((i*7+k*11+3)%40), False: 1 << ((i*13 + k*17 + 5) % 40)})
		}
	}
	v := phases.MustVocabulary(defs, relations...)
	set, err := machine.CompileSet(phases.Itinerary{Name: "X", Vocabulary: v, Phases: []phases.Phase{
		{Name: "P", Step: "S", Guard: phases.Guard{All: 1, None: 2}}, {Name: "p", Step: "S"}, {Name: "Q", Step: "S", Guard: phases.Guard{All: 1<<40 - 1}},
	}})
	require.NoError(t, err)
	findings := verify.Check(set, verify.Options{MaxNodes: 200})
	rules := map[string]int{}
	for _, f := range findings {
		rules[f.Rule]++
	}
	assert.Equal(t, 1, rules[verify.NamesDifferByCase], "this rule needs no sets")
	assert.Greater(t, rules[verify.NotDecided], 5)
	assert.Len(t, rules, 2, "nothing else is found: %v", rules)
	text := findings[0].Text + findings[1].Text
	assert.Contains(t, text, `rule phase-never-runs is not decided for itinerary "X": the sets of assignments need more than 200 nodes`)
}

func TestRunsAgainBeginsWithAllFlags(t *testing.T) {
	s, set := load(t, ab+one("  - {name: P, step: S, jumps: [{to: R, all: [A]}]}\n"+
		"  - {name: Q, step: S, none: [A], jumps: [{to: P, all: [A], none: [B]}]}\n  - {name: R, step: S}\n"))
	jumps := func(o verify.Options) int { return len(of(verify.Check(set, o), verify.JumpNeverTaken)) }
	assert.Equal(t, 1, jumps(verify.Options{Source: s}))
	assert.Zero(t, jumps(verify.Options{Source: s, Runner: &verify.Runner{RunsAgain: true}}), "all flags are evaluated again there")
}

func TestRunsAgainCanGetStuck(t *testing.T) {
	// A run that begins at the first phase is in the loop only without A.
	text := ab + one("  - {name: O, step: S, jumps: [{to: E, all: [A]}]}\n"+
		"  - {name: P, step: S, jumps: [{to: P, all: [A]}]}\n  - {name: E, end: true}\n")
	s, set := load(t, text)
	assert.Empty(t, of(verify.Check(set, verify.Options{Source: s}), verify.EndUnreachable))
	found := of(verify.Check(set, verify.Options{Source: s, Runner: &verify.Runner{RunsAgain: true}}), verify.EndUnreachable)
	require.Len(t, found, 1)
	assert.Equal(t, "P", found[0].Phase)
	assert.Equal(t, []string{"A"}, found[0].Assignment)
	assert.Empty(t, found[0].Reproduce, "no plan begins there")
	assert.Contains(t, found[0].Text, "begins again in a failed phase")
}

// The rules about a controller are checked only if the options describe it.
func TestOptionsRules(t *testing.T) {
	always := func(string, string) bool { return true }
	for _, c := range []struct {
		name    string
		options verify.Options
		without []string
	}{
		{"a file", verify.Options{}, []string{verify.ItineraryUnreachable, verify.CleanupPhaseWithoutDeadline, verify.PhaseWithoutHandler}},
		{"a selector", verify.Options{Selected: []string{"X"}}, []string{verify.CleanupPhaseWithoutDeadline, verify.PhaseWithoutHandler}},
		{"handlers", verify.Options{Runner: &verify.Runner{HasHandler: always}}, []string{verify.ItineraryUnreachable, verify.CleanupPhaseWithoutDeadline}},
		{"a controller", verify.Options{Selected: []string{"X"}, Runner: &verify.Runner{HasHandler: always, HasDeadline: always}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.options.Rules()
			var without []string
			for _, r := range verify.Rules() {
				if !slices.Contains(got, r) {
					without = append(without, r.Name)
				}
			}
			assert.Equal(t, c.without, without)
			assert.Len(t, got, len(verify.Rules())-len(without))
		})
	}
}
