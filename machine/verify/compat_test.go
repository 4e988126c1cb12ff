package verify

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/goldentest"
	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// releaseOf compiles itineraries as a release.
func releaseOf(t testing.TB, name string, itineraries ...phases.Itinerary) *Release {
	t.Helper()
	r, err := ReleaseOfFile(name, &phases.File{Vocabulary: itineraries[0].Vocabulary, Itineraries: itineraries})
	require.NoError(t, err)
	return r
}

// parse reads a release from YAML.
func parse(t testing.TB, name, text string) *Release {
	t.Helper()
	f, err := phases.Load(strings.NewReader(text), name)
	require.NoError(t, err)
	r, err := ReleaseOfFile(name, f)
	require.NoError(t, err)
	return r
}

// fingerprints returns the fingerprints of the breaks, in order.
func fingerprints(breaks []Break) []string {
	all := make([]string, len(breaks))
	for i, b := range breaks {
		all[i] = b.Fingerprint()
	}
	return all
}

func TestCompatRulesAreFrozen(t *testing.T) {
	var b strings.Builder
	for _, r := range CompatRules() {
		fmt.Fprintf(&b, "%s %s: %s\n", r.Name, r.Severity, r.Definition)
	}
	goldentest.Compare(t, "testdata/compat-rules.txt", b.String())
}

func TestCompatOfAReleaseWithItself(t *testing.T) {
	r := releaseOf(t, "mtc", mtc.Itineraries()...)
	report := Compat(r, r, CompatOptions{everything: true})
	assert.Empty(t, cmp.Diff([]Break{}, report.Breaks), "all states are examined")
	assert.Empty(t, Compat(r, r, CompatOptions{}).Breaks)
	assert.False(t, report.Reaches(Info))
}

// final returns a copy of MTC's Final that may be changed.
func final() phases.Itinerary {
	i := slices.IndexFunc(mtc.Itineraries(), func(it phases.Itinerary) bool { return it.Name == mtc.Final })
	it := mtc.Itineraries()[i]
	it.Phases = slices.Clone(it.Phases)
	return it
}

func indexOf(it phases.Itinerary, phase string) int {
	return slices.IndexFunc(it.Phases, func(p phases.Phase) bool { return p.Name == phase })
}

// move puts a phase before another.
func move(it *phases.Itinerary, phase, before string) {
	p := it.Phases[indexOf(*it, phase)]
	it.Phases = slices.Delete(it.Phases, indexOf(*it, phase), indexOf(*it, phase)+1)
	it.Phases = slices.Insert(it.Phases, indexOf(*it, before), p)
}

func TestCompatFindsPlantedChangesInFinal(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(it *phases.Itinerary)
	}{
		{"a phase is moved", func(it *phases.Itinerary) {
			move(it, mtc.PhaseEnsureSrcQuiesced, mtc.PhasePreRestoreHooks)
		}},
		{"a phase is renamed", func(it *phases.Itinerary) {
			it.Phases[indexOf(*it, mtc.PhaseEnsureSrcQuiesced)].Name = "EnsureSourceQuiesced"
		}},
		{"a phase is renamed with its former name", func(it *phases.Itinerary) {
			p := &it.Phases[indexOf(*it, mtc.PhaseEnsureSrcQuiesced)]
			p.Formerly, p.Name = append(slices.Clone(p.Formerly), p.Name), "EnsureSourceQuiesced"
		}},
		{"a phase is dropped", func(it *phases.Itinerary) {
			i := indexOf(*it, mtc.PhaseVerification)
			it.Phases = slices.Delete(it.Phases, i, i+1)
		}},
		{"a flag is added", func(it *phases.Itinerary) {
			const more = mtc.FirstOwnFlag
			defs := append(mtc.Vocabulary().Defs(), phases.FlagDef{Flag: more, Name: "HasQuota"})
			it.Vocabulary = phases.MustVocabulary(defs, mtc.Vocabulary().Relations()...)
			it.Phases[indexOf(*it, mtc.PhasePostRestoreHooks)].Guard.None = more
		}},
		{"a guard is changed", func(it *phases.Itinerary) {
			it.Phases[indexOf(*it, mtc.PhaseEnsureInitialBackupReplicated)].Guard = phases.Guard{All: mtc.Quiesce}
		}},
		{"a step is renamed", func(it *phases.Itinerary) {
			for i := range it.Phases {
				if it.Phases[i].Step == mtc.Restore {
					it.Phases[i].Step = "RestoreDefinitions"
				}
			}
		}},
		{"a loop is added", func(it *phases.Itinerary) {
			p := &it.Phases[indexOf(*it, mtc.PhaseVerification)]
			p.Jumps = []phases.Jump{{To: mtc.PhasePostRestoreHooks, Guard: phases.Guard{All: mtc.HasVerify}}}
			p.Decides = mtc.HasVerify
		}},
		{"a phase decides another flag", func(it *phases.Itinerary) {
			it.Phases[indexOf(*it, mtc.PhaseWaitForRefresh)].Decides |= mtc.Quiesce
		}},
		{"the result changes", func(it *phases.Itinerary) { it.Result = phases.Canceled }},
		{"it becomes a cleanup itinerary", func(it *phases.Itinerary) { it.Cleanup = true }},
	} {
		t.Run(c.name, func(t *testing.T) {
			changed := final()
			c.change(&changed)
			report := Compat(releaseOf(t, "old", final()), releaseOf(t, "new", changed), CompatOptions{})
			var b strings.Builder
			for _, one := range report.Breaks {
				fmt.Fprintf(&b, "%s %s\n  %s\n", one.Severity(), one.Fingerprint(), one.Text)
				if s := one.State; s != nil {
					fmt.Fprintf(&b, "  smallest: at %q with %s after %d phases\n", s.Phase, strings.Join(s.Facts.True, ", "), len(s.Ran))
				}
				if one.Suggestion != "" {
					fmt.Fprintf(&b, "  suggestion: %s\n", one.Suggestion)
				}
			}
			goldentest.Compare(t, "testdata/compat/"+strings.NewReplacer(" ", "-", ",", "", "'", "").Replace(c.name)+".txt", b.String())
		})
	}
}

func TestCompatIsInconclusiveAtItsBounds(t *testing.T) {
	changed := final()
	move(&changed, mtc.PhaseEnsureSrcQuiesced, mtc.PhasePreRestoreHooks)
	old, new := releaseOf(t, "old", final()), releaseOf(t, "new", changed)
	for name, o := range map[string]CompatOptions{
		"memory": {MaxNodes: 1000}, "time": {MaxVisits: 100},
	} {
		report := Compat(old, new, o)
		var found []string
		for _, b := range report.Breaks {
			if b.Rule == RuleInconclusive {
				found = append(found, b.Fingerprint())
				assert.Equal(t, Error, b.Severity())
			}
		}
		require.Equal(t, []string{"inconclusive/upgrade/Final", "inconclusive/rollback/Final"}, found, name)

		o.Acceptances = []Acceptance{
			{Fingerprint: found[0], Reason: "why not", Expires: time.Now().AddDate(1, 0, 0)},
			{Fingerprint: "phase-skipped/upgrade/Final/phase=Other", Reason: "it may be found", Expires: time.Now().AddDate(1, 0, 0)},
		}
		accepted := Compat(old, new, o)
		for _, b := range accepted.Breaks {
			assert.NotEqual(t, o.Acceptances[1].Fingerprint, b.Acceptance, "its break may not have been found")
		}
		i := slices.IndexFunc(accepted.Breaks, func(b Break) bool { return b.Rule == RuleInconclusive })
		assert.Empty(t, accepted.Breaks[i].Accepted, "an inconclusive result cannot be accepted")
		assert.True(t, accepted.Reaches(Error))
	}
}

func TestCompatOfThousandsOfPhasesEnds(t *testing.T) {
	many := func(last string) *Release {
		it := phases.Itinerary{Name: "Long", Vocabulary: phases.MustVocabulary(nil)}
		for i := range testscale.Of(10_000, 3_000) {
			it.Phases = append(it.Phases, phases.Phase{Name: fmt.Sprint("P", i), Step: "S"})
		}
		it.Phases[len(it.Phases)-1].Name = last
		return releaseOf(t, last, it)
	}
	report := Compat(many("A"), many("B"), CompatOptions{})
	assert.Equal(t, []string{
		"phase-gone/upgrade/Long/phase=A", "inconclusive/upgrade/Long", "definition-changed/upgrade/Long/kind=definition",
		"phase-gone/rollback/Long/phase=B", "inconclusive/rollback/Long", "definition-changed/rollback/Long/kind=definition",
	}, fingerprints(report.Breaks))
}

const loopOld = `
flags: [{name: Again}, {name: Ready}]
itineraries:
- name: Copy
  phases:
  - {name: Begin, step: Copy}
  - {name: Pause, step: Copy, decides: [Again], jumps: [{to: Ask, choice: true}, {to: Begin, all: [Again]}]}
  - {name: Move, step: Move, all: [Ready]}
  - {name: Ask, step: Move}
  - {name: End, end: true}
- name: Gone
  phases: [{name: Only, step: Only}]
`

const loopNew = `
flags: [{name: Again}, {name: Ready}]
itineraries:
- name: Copy
  phases:
  - {name: Begin, step: Copy}
  - {name: Pause, step: Copy, decides: [Again], jumps: [{to: Begin, all: [Again]}]}
  - {name: Ask, step: Move}
  - {name: Move, step: Move, all: [Ready]}
  - {name: End, end: true}
`

func TestCompatNamesTheObjectsThatMeetABreak(t *testing.T) {
	facts := func(yes, no string) phases.Record {
		return phases.Record{True: strings.Fields(yes), False: strings.Fields(no)}
	}
	report := Compat(parse(t, "old", loopOld), parse(t, "new", loopNew), CompatOptions{Objects: []Object{
		{Name: "moving", Checkpoint: machine.Checkpoint{Itinerary: "Copy", Phase: "Move", Facts: facts("Ready", "Again")}},
		{Name: "asking", Checkpoint: machine.Checkpoint{Itinerary: "Copy", Phase: "Ask", Facts: facts("Ready", "Again")}},
		{Name: "asking, not ready", Checkpoint: machine.Checkpoint{Itinerary: "Copy", Phase: "Ask", Facts: facts("", "Again Ready")}},
		{Name: "chosen", Checkpoint: machine.Checkpoint{Itinerary: "Copy", Phase: "Pause", WorkDone: true, Choice: "Ask", Facts: facts("Ready", "")}},
		{Name: "not begun", Checkpoint: machine.Checkpoint{Itinerary: "Copy"}},
		{Name: "in a gone itinerary", Checkpoint: machine.Checkpoint{Itinerary: "Gone", Phase: "Only"}},
		{Name: "done", Checkpoint: machine.Checkpoint{Itinerary: "Copy", Phase: "End", Done: true}},
		{Name: "at the end, which is done", Checkpoint: machine.Checkpoint{Itinerary: "Copy", Phase: "End"}},
		{Name: "with impossible flags", Checkpoint: machine.Checkpoint{Itinerary: "Copy", Phase: "Move", Facts: facts("", "Ready Again")}},
		{Name: "in a typo", Checkpoint: machine.Checkpoint{Itinerary: "Copy", Phase: "Mvoe"}},
		{Name: "nowhere", Checkpoint: machine.Checkpoint{Itinerary: "Cpoy", Phase: "Move"}},
	}})
	met := make(map[string][]string)
	for _, b := range report.Breaks {
		if b.Direction == Upgrade && b.Kind != DefinitionKind {
			met[b.Fingerprint()] = b.Objects
		}
		if b.Direction == Rollback {
			assert.Empty(t, b.Objects)
		}
	}
	assert.Empty(t, cmp.Diff(map[string][]string{
		"itinerary-gone/upgrade/Gone":                    {"in a gone itinerary"},
		"phase-gone/upgrade/Copy/phase=Pause/choice=Ask": {"chosen"},
		"phase-skipped/upgrade/Copy/phase=Ask":           {"moving"},
		"phase-repeated/upgrade/Copy/phase=Move":         {"asking"},
	}, met))
	var unplaced []string
	for _, e := range report.Unplaced {
		unplaced = append(unplaced, e.Object)
	}
	assert.ElementsMatch(t, []string{"with impossible flags", "in a typo", "nowhere"}, unplaced)
	var unknown *machine.UnknownPhaseError
	assert.True(t, slices.ContainsFunc(report.Unplaced, func(e *PlaceError) bool { return errors.As(e, &unknown) }))
}

func TestCompatLooksUpThePhaseInTheCurrentItineraryOnly(t *testing.T) {
	old := parse(t, "old", `itineraries:
- {name: Work, phases: [{name: Do, step: S}, {name: End, end: true}]}
- {name: Undo, cleanup: true, result: RolledBack, phases: [{name: Back, step: S}]}
- {name: Failed, cleanup: true, result: Failed, phases: [{name: Tidy, step: S}]}
`)
	without := parse(t, "new", "itineraries:\n- {name: Other, phases: [{name: Do, step: S}]}\n")
	object := func(itinerary, phase, selected string) Object {
		return Object{Name: itinerary + "/" + phase + " to " + selected, Selected: selected,
			Checkpoint: machine.Checkpoint{Itinerary: itinerary, Phase: phase}}
	}
	for _, c := range []struct {
		name     string
		object   Object
		new      *Release
		unplaced string // the itinerary, or empty
		gone     []string
	}{
		{"a phase that no release has, in an itinerary to leave", object("Work", "Dp", "Undo"), old, "", nil},
		{"a phase that no release has, in the selected itinerary", object("Work", "Dp", "Work"), old, "Work", nil},
		{"a phase that no release has, in a cleanup itinerary that is not left", object("Undo", "Bakc", "Failed"), old, "Undo", nil},
		{"an itinerary that no release has, and one that is selected", object("Wrok", "Do", "Undo"), old, "", nil},
		{"an end phase is done, whatever is selected", object("Work", "End", "Undo"), without, "", nil},
		{"the selected itinerary is gone", object("Work", "Do", "Undo"), without, "", []string{"Undo"}},
		{"the selected itinerary is in no release", object("Work", "Do", "Nudo"), old, "Nudo", nil},
		{"the recorded itinerary is gone, and is left", object("Work", "Do", "Other"), without, "Other", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			report := Compat(old, c.new, CompatOptions{Objects: []Object{c.object}})
			unplaced := ""
			for _, e := range report.Unplaced {
				unplaced = e.Itinerary
			}
			assert.Equal(t, c.unplaced, unplaced)
			var gone []string
			for _, b := range report.Breaks {
				if len(b.Objects) > 0 {
					gone = append(gone, b.Itinerary)
				}
			}
			assert.Equal(t, c.gone, gone)
		})
	}
}

func TestCompatOfRunsThatReturnOrNeverEnd(t *testing.T) {
	old := parse(t, "old", `flags: [{name: F}]
itineraries:
- name: A
  phases:
  - {name: P, step: S, decides: [F]}
  - {name: Y, step: S}
  - {name: B, step: T}
`)
	for _, c := range []struct {
		name, phases string
		want         []string
	}{
		{"a loop that the other release never begins keeps a run forever", `
  - {name: P, step: S, decides: [F], jumps: [{to: B, none: [F]}]}
  - {name: Y, step: S, jumps: [{to: Y, none: [F]}]}
  - {name: B, step: T}
`, []string{"phase-repeated/upgrade/A/phase=Y", "phase-skipped/upgrade/A/phase=B"}},
		{"a jump that the other release never takes leads a run back to its phase", `
  - {name: P, step: S, decides: [F], jumps: [{to: B, none: [F]}]}
  - {name: Y, step: S}
  - {name: Q, step: S, none: [F], jumps: [{to: Y, none: [F]}]}
  - {name: B, step: T}
`, []string{"phase-repeated/upgrade/A/phase=Y", "phase-skipped/upgrade/A/phase=B"}},
		{"a loop that also keeps runs that start in the other release is no break", `
  - {name: P, step: S, decides: [F]}
  - {name: Y, step: S, jumps: [{to: Y, none: [F]}]}
  - {name: B, step: T}
`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			new := parse(t, "new", "flags: [{name: F}]\nitineraries:\n- name: A\n  phases:"+c.phases)
			var got []string
			for _, b := range Compat(old, new, CompatOptions{}).Breaks {
				if b.Direction == Upgrade && b.Severity() == Error {
					got = append(got, b.Fingerprint())
				}
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestAcceptancesCoverBreaksUntilTheyExpire(t *testing.T) {
	const fingerprint = "phase-skipped/upgrade/Copy/phase=Ask"
	day := time.Date(2027, 3, 31, 0, 0, 0, 0, time.UTC)
	of := func(now time.Time, a ...Acceptance) (accepted, added []string) {
		for _, b := range Compat(parse(t, "old", loopOld), parse(t, "new", loopNew), CompatOptions{Acceptances: a, Now: now}).Breaks {
			if b.Accepted != "" {
				accepted = append(accepted, b.Fingerprint()+": "+b.Accepted)
			}
			if b.Rule == RuleAcceptanceUnused || b.Rule == RuleAcceptanceExpired {
				added = append(added, b.Rule+" "+b.Phase)
				assert.Equal(t, Warning, b.Severity())
				assert.Contains(t, b.Fingerprint(), url.PathEscape(b.Acceptance), "each is a separate result")
				assert.NotEmpty(t, b.Acceptance)
			}
		}
		return accepted, added
	}
	a := Acceptance{Fingerprint: fingerprint, Reason: "it is asked by hand", Expires: day}
	accepted, added := of(day.Add(23*time.Hour), a)
	assert.Equal(t, []string{fingerprint + ": it is asked by hand"}, accepted)
	assert.Empty(t, added)

	accepted, added = of(day.Add(24*time.Hour), a)
	assert.Empty(t, accepted)
	assert.Equal(t, []string{"acceptance-expired Ask"}, added)

	accepted, _ = of(day, Acceptance{Fingerprint: fingerprint, Reason: " ", Expires: day})
	assert.Empty(t, accepted, "a blank reason does not count")

	_, added = of(day,
		Acceptance{Fingerprint: "phase-gone/upgrade/Copy/phase=X", Reason: "r", Expires: day},
		Acceptance{Fingerprint: fingerprint, Expires: day})
	assert.Equal(t, []string{"acceptance-unused ", "acceptance-unused Ask"}, added, "one without a reason has no effect")
}

func TestAcceptancesWithoutEffectAreReportedInTheirFile(t *testing.T) {
	old := parse(t, "old", loopOld)
	acceptances := []Acceptance{
		{Fingerprint: "phase-gone/upgrade/A", Reason: "r", File: "accept.yaml", Line: 2, Column: 3},
		{Fingerprint: "phase-gone/upgrade/B", Reason: "r", File: "accept.yaml", Line: 5, Column: 3},
	}
	r := Report{Results: BreakResultsOf(Compat(old, old, CompatOptions{Acceptances: acceptances}).Breaks)}
	require.Len(t, r.Results, 2)
	assert.NotEqual(t, r.Results[0].Fingerprint, r.Results[1].Fingerprint)
	for fingerprint, want := range map[string]string{
		"phase-gone/rollback/A%2FB": "rollback of A/B", "phase-gone/sideways/A": " of ", "a": " of ",
	} {
		for _, b := range Compat(old, old, CompatOptions{Acceptances: []Acceptance{{Fingerprint: fingerprint}}}).Breaks {
			assert.Equal(t, want, string(b.Direction)+" of "+b.Itinerary)
		}
	}
	var github, sarif strings.Builder
	require.NoError(t, r.WriteGitHub(&github))
	assert.Empty(t, cmp.Diff("::warning file=accept.yaml,line=2,col=3,title=acceptance-unused%3A upgrade / A"+
		"::the acceptance of phase-gone/upgrade/A matches no break; remove it\n"+
		"::warning file=accept.yaml,line=5,col=3,title=acceptance-unused%3A upgrade / B"+
		"::the acceptance of phase-gone/upgrade/B matches no break; remove it\n", github.String()))
	require.NoError(t, r.WriteSARIF(&sarif))
	assert.Contains(t, sarif.String(), `"uri": "accept.yaml"`)
	assert.Contains(t, sarif.String(), `"startLine": 5`)
}

func TestLoadAcceptancesIsStrict(t *testing.T) {
	got, err := LoadAcceptances(strings.NewReader("accept:\n- fingerprint: a/b\n  reason: r\n  expires: 2027-03-31\n"), "f.yaml")
	require.NoError(t, err)
	assert.Empty(t, cmp.Diff([]Acceptance{{
		Fingerprint: "a/b", Reason: "r", Expires: time.Date(2027, 3, 31, 0, 0, 0, 0, time.UTC),
		File: "f.yaml", Line: 2, Column: 3,
	}}, got))
	got, err = LoadAcceptances(strings.NewReader(""), "f.yaml")
	require.NoError(t, err)
	assert.Empty(t, got)

	entry := "- {fingerprint: a, reason: r, expires: 2027-03-31}\n"
	for _, c := range []struct{ name, text, want string }{
		{"another key of the file", "acept: []\n", "f.yaml:1: "},
		{"another key of an entry", "accept:\n- {fingerprint: a, reson: r, expires: 2027-03-31}\n", `f.yaml:2: an entry has no key "reson"`},
		{"no reason", "accept:\n- {fingerprint: a, expires: 2027-03-31}\n", "f.yaml:2: an entry has no reason"},
		{"no day", "accept:\n- {fingerprint: a, reason: r, expires: soon}\n", `f.yaml:2: expires must be a day such as 2027-03-31, not "soon"`},
		{"one fingerprint twice", "accept:\n" + entry + entry, "f.yaml:3: duplicate fingerprint a"},
		{"two documents", "accept: []\n---\naccept: []\n", "more than one document"},
		{"too many", "accept:\n" + strings.Repeat(entry, MaxAcceptances+1), "one acceptance too many"},
		{"too large", "#" + strings.Repeat("x", MaxAcceptFileSize), "more than 1048576 bytes"},
		{"no list", "accept: 1\n", "f.yaml"},
		{"all problems of an entry", "accept:\n- {fingerprint: [a], resaon: r, expires: soon}\n",
			`f.yaml:2: an entry has no key "resaon"; the keys are fingerprint, reason and expires
f.yaml:2: fingerprint must be a string
f.yaml:2: an entry has no reason; give it one
f.yaml:2: expires must be a day such as 2027-03-31, not "soon"`},
		{"no value", "accept:\n- {fingerprint: ~, reason: r, expires: 2027-03-31}\n", "f.yaml:2: an entry has no fingerprint"},
		{"a key twice", "accept:\n- reason: r\n  reason: s\n", `f.yaml:3: duplicate key "reason"`},
		{"very many problems", "accept:\n" + strings.Repeat("- x\n", 100), "f.yaml: 80 more problems are not listed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := LoadAcceptances(strings.NewReader(c.text), "f.yaml")
			var problem *AcceptError
			require.ErrorAs(t, err, &problem)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestFrozenReadsBackWhatItWrote(t *testing.T) {
	r := releaseOf(t, "mtc", mtc.Itineraries()...)
	path := filepath.Join(t.TempDir(), "testdata", "release.yaml")
	fake := &recordingTB{}
	Frozen(fake, r, path, FrozenOptions{})
	require.Len(t, fake.errors, 1, "there is nothing to compare with")
	Frozen(fake, r, path, FrozenOptions{Update: true})
	back, err := ReadRelease(path)
	require.NoError(t, err)
	require.Equal(t, r.Itineraries(), back.Itineraries())
	for _, name := range r.Itineraries() {
		assert.Equal(t, r.Graph(name).Hash(), back.Graph(name).Hash())
	}
	Frozen(fake, r, path, FrozenOptions{})
	require.Len(t, fake.errors, 1, "the release is compatible with itself")

	changed := final()
	changed.Phases[indexOf(changed, mtc.PhaseVerification)].Name = "Verify"
	Frozen(fake, releaseOf(t, "new", changed), path, FrozenOptions{Level: Error})
	var all strings.Builder
	for _, text := range fake.errors[1:] {
		all.WriteString(text + "\n")
	}
	assert.Contains(t, all.String(), "itinerary-gone/upgrade/Cancel")
	assert.Contains(t, all.String(), "phase-gone/upgrade/Final/phase=Verification")
	assert.Contains(t, all.String(), "phase-gone/rollback/Final/phase=Verify")
	assert.Contains(t, all.String(), "error: phase-gone (upgrade): ")
	assert.Contains(t, all.String(), "\nin flight: Final at Verification, ")
	assert.Contains(t, all.String(), "\nfix: {name: Verify, formerly: [Verification]}\n")

	accept := filepath.Join(t.TempDir(), "accept.yaml")
	text := "accept:\n- {fingerprint: phase-gone/upgrade/Final/phase=Verification, reason: none is in flight, expires: 2027-03-31}\n"
	require.NoError(t, os.WriteFile(accept, []byte(text), 0o600))
	now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	fake = &recordingTB{}
	Frozen(fake, releaseOf(t, "new", changed), path, FrozenOptions{Level: Error, Accept: accept, Now: now})
	assert.NotContains(t, strings.Join(fake.errors, "\n"), "phase-gone/upgrade/Final/phase=Verification")

	fake = &recordingTB{}
	Frozen(fake, r, path, FrozenOptions{Accept: accept, Now: now})
	require.Len(t, fake.errors, 1)
	assert.Contains(t, fake.errors[0], "warning: acceptance-unused (upgrade): "+accept+":2:", "the position of the acceptance")
}

type recordingTB struct{ errors []string }

func (*recordingTB) Helper() {}

func (r *recordingTB) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func TestNewReleaseRefuses(t *testing.T) {
	g := machine.MustCompile(final())
	other := machine.MustCompile(phases.Itinerary{
		Name: "Other", Vocabulary: phases.MustVocabulary(nil), Phases: []phases.Phase{{Name: "P", Step: "S"}},
	})
	for name, graphs := range map[string][]*machine.Graph{"none": nil, "nil": {nil}, "twice": {g, g}, "vocabularies": {g, other}} {
		_, err := NewRelease("r", graphs...)
		var refused *ReleaseError
		assert.ErrorAs(t, err, &refused, name)
	}
	_, err := ReleaseOf("r", nil)
	assert.Error(t, err)
	_, err = ReleaseOfFile("r", nil)
	assert.Error(t, err)
}

func BenchmarkCompatOfTwoFinals(b *testing.B) {
	changed := final()
	move(&changed, mtc.PhaseEnsureSrcQuiesced, mtc.PhasePreRestoreHooks)
	old, new := releaseOf(b, "old", final()), releaseOf(b, "new", changed)
	for b.Loop() {
		if !Compat(old, new, CompatOptions{}).Reaches(Error) {
			b.Fatal("the moved phase is not found")
		}
	}
}
