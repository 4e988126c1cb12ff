package phases

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sameFile compares files as data: vocabularies by rows and relations, and nil lists as
// equal to empty ones.
var sameFile = cmp.Options{
	cmpopts.EquateEmpty(),
	cmp.Transformer("Vocabulary", func(v *Vocabulary) any {
		return struct {
			Defs      []FlagDef
			Relations []Clause
		}{v.Defs(), v.Relations()}
	}),
}

func TestLoadReadsEveryKey(t *testing.T) {
	const text = `
flags:
- name: A
  description: when A is true
- name: B
- {name: C}
relations:
- ["!A", B, C]
itineraries:
- name: Warm
  cleanup: true
  result: Canceled
  phases:
  - {name: P, step: S, all: [A], any: [B, C], none: [], description: "doing P", formerly: [Old, "1"]}
  - {name: Q, step: S, none: [B], rides: true, decides: [A, C],
     jumps: [{to: P, all: [A]}, {to: Q, any: [B], none: [C]}, {to: E, choice: true}]}
  - {name: R, step: S, steps: [{step: T, all: [A]}, {step: U, any: [B], none: [C]}]}
  - {name: E, end: true, all: [A]}
- name: Cold
  cleanup: false
  result: Succeeded
  phases:
  - name: P
    step: T
    rides: false
suppress:
- {rule: rides-alone, itinerary: Warm, phase: Q, step: S, flag: A, reason: "intended"}
- rule: jump-never-taken
  reason: it stays for a release
`
	const a, b, c = Flags(1), Flags(2), Flags(4)
	flags := MustVocabulary([]FlagDef{{a, "A", "when A is true", false}, {b, "B", "", false}, {c, "C", "", false}},
		Clause{True: b | c, False: a})
	want := &File{Vocabulary: flags, Itineraries: []Itinerary{
		{Name: "Warm", Vocabulary: flags, Cleanup: true, Result: Canceled, Phases: []Phase{
			{Name: "P", Step: "S", Guard: Guard{All: a, Any: b | c}, Description: "doing P", Formerly: []string{"Old", "1"}},
			{Name: "Q", Step: "S", Guard: Guard{None: b}, Rides: true, Decides: a | c,
				Jumps: []Jump{{To: "P", Guard: Guard{All: a}}, {To: "Q", Guard: Guard{Any: b, None: c}}, {To: "E", Choice: true}}},
			{Name: "R", Step: "S", Steps: []GuardedStep{{"T", Guard{All: a}}, {"U", Guard{Any: b, None: c}}}},
			{Name: "E", End: true, Guard: Guard{All: a}},
		}},
		{Name: "Cold", Vocabulary: flags, Phases: []Phase{{Name: "P", Step: "T"}}},
	}, Suppressions: []Suppression{
		{Rule: "rides-alone", Itinerary: "Warm", Phase: "Q", Step: "S", Flag: "A", Reason: "intended"},
		{Rule: "jump-never-taken", Reason: "it stays for a release"},
	}}
	for about, text := range map[string]string{
		"as it is":             text,
		"with a leading BOM":   "\ufeff" + text,
		"with CRLF line ends":  strings.ReplaceAll(text, "\n", "\r\n"),
		"between --- and ...":  "---" + text + "...\n",
		"with comments around": "# before\n" + text + "# after\n",
	} {
		t.Run(about, func(t *testing.T) {
			got, err := Load(strings.NewReader(text), "warm.yaml")
			require.NoError(t, err)
			assert.Empty(t, cmp.Diff(want, got, sameFile))
			for _, it := range got.Itineraries {
				assert.Same(t, got.Vocabulary, it.Vocabulary, "itineraries share the vocabulary of the file")
			}
		})
	}
}

func TestLoadWithoutFlags(t *testing.T) {
	for about, head := range map[string]string{"absent": "", "empty": "flags: []\nrelations: []\n"} {
		t.Run(about, func(t *testing.T) {
			f, err := Load(strings.NewReader(head+"itineraries: [{name: I, phases: [{name: P, step: S}]}]"), "f")
			require.NoError(t, err)
			assert.Zero(t, f.Vocabulary.Len())
		})
	}
}

func TestLoadReadsQuotedWordsAsStrings(t *testing.T) {
	f, err := Load(strings.NewReader(`
flags: [{name: "true"}]
itineraries: [{name: 'null', phases: [{name: "1", step: "yes", all: ["true"]}, {name: y, step: |-
  n}]}]
`), "f")
	require.Error(t, err, "a block scalar is not allowed in a flow mapping")
	require.Nil(t, f)
	f, err = Load(strings.NewReader(`
flags: [{name: "true"}]
itineraries: [{name: 'null', phases: [{name: "1", step: "yes", all: ["true"]}, {name: y, step: n}]}]
`), "f")
	require.NoError(t, err)
	assert.Equal(t, "null", f.Itineraries[0].Name)
	assert.Equal(t, "1", f.Itineraries[0].Phases[0].Name)
	assert.Equal(t, "y", f.Itineraries[0].Phases[1].Name)
}

// one returns a file with one itinerary, I, with these phases, whose first line is line
// 5.
func one(phases string) string {
	return "flags: [{name: HasPVs}, {name: HasISs}]\nitineraries:\n- name: I\n  phases:\n" + phases
}

func TestLoadRefuses(t *testing.T) {
	const fine = "  - {name: P, step: S}\n"
	for _, c := range []struct {
		about, text string
		want        []string
	}{
		{"an empty file", "", []string{
			`f:1:1: is empty; list at least one itinerary under itineraries`}},
		{"a file of comments", "# nothing\n", []string{
			`f:1:1: is empty; list at least one itinerary under itineraries`}},
		{"an empty document", "---\n", []string{
			`f:1:1: is empty; list at least one itinerary under itineraries`}},
		{"a second document", one(fine) + "---\na: b\n", []string{
			`f:6:1: a second document begins here; a file holds only one, so move it to a separate file`}},
		{"a broken second document", one(fine) + "---\n{\n", []string{
			`f:7: is not YAML: did not find expected node content; fix it at this line or before it`}},
		{"a list instead of a file", "- a\n", []string{
			`f:1:1: a file must be a mapping with the keys flags, relations, itineraries and suppress, not a list`}},
		{"a word instead of a file", "hello", []string{
			`f:1:1: a file must be a mapping with the keys flags, relations, itineraries and suppress, not the string "hello"`}},
		{"a suppression without a reason", one(fine) + "suppress:\n- {rule: rides-alone}\n", []string{
			`f:7:3: a suppression gives no reason; write down why the finding is accepted`}},
		{"a suppression with a blank reason", one(fine) + "suppress:\n- {rule: rides-alone, reason: ' '}\n", []string{
			`f:7:3: a suppression gives no reason; write down why the finding is accepted`}},
		{"a suppression without a rule", one(fine) + "suppress:\n- {reason: intended, phase: P}\n", []string{
			`f:7:3: a suppression names no rule; name the rule whose findings it accepts`}},
		{"a mistyped key of a suppression", one(fine) + "suppress:\n- {rule: rides-alone, reason: r, phse: P}\n", []string{
			`f:7:34: a suppression has no key "phse"; did you mean "phase"?`}},
		{"no itineraries", "flags: []\n", []string{
			`f:1:1: has no itineraries; list at least one under itineraries`}},
		{"a mistyped key of the file", "itinerary: []\n", []string{
			`f:1:1: a file has no key "itinerary"; did you mean "itineraries"?`}},
		{"an empty list of itineraries", "itineraries: []\n", []string{
			`f:1:14: itineraries is empty; list at least one`}},
		{"itineraries that are a mapping", "itineraries: {a: b}\n", []string{
			`f:1:14: itineraries must be a list, not a mapping`}},
		{"an itinerary that is a word", "itineraries: [Warm]\n", []string{
			`f:1:15: an itinerary must be a mapping with the keys name, cleanup, result and phases, not the string "Warm"`}},
		{"an itinerary without phases", "itineraries:\n- name: I\n", []string{
			`f:2:3: itinerary "I": has no phases; give it at least one`}},
		{"an itinerary without a name", "itineraries:\n- phases:\n" + fine, []string{
			`f:2:3: itinerary "": has no name; give it one`}},
		{"null phases", "itineraries:\n- name: I\n  phases:\n", []string{
			`f:3:10: phases has no value; give it one, or remove it`}},
		{"phases that are a mapping", "itineraries:\n- name: I\n  phases: {name: P}\n", []string{
			`f:3:11: phases must be a list, not a mapping`}},
		{"two itineraries of one name", one(fine) + "- name: I\n  phases:\n" + fine, []string{
			`f:6:3: itinerary "I": is defined twice; rename one of them; the first is in line 3`}},
		{"an unknown result", "itineraries: [{name: I, result: canceled, phases: [{name: P, step: S}]}]", []string{
			`f:1:33: result must be Succeeded, Failed, Canceled or RolledBack, not "canceled"`}},

		{"a phase twice", one("  - {name: P, step: S}\n  - {name: Q, step: S}\n  - {name: P, step: S}\n"), []string{
			`f:7:5: itinerary "I": phase "P" is defined twice, as number 1 and 3; rename one of them`}},
		{"a phase without a name", one("  - {step: S}\n"), []string{
			`f:5:5: itinerary "I": phase number 1 has no name; give it one`}},
		{"a phase without a step", one("  - {name: P}\n"), []string{
			`f:5:5: itinerary "I": phase "P" has no step; name the step that users see while it runs`}},
		{"a mistyped key of a phase", one("  - {name: P, stpe: S}\n"), []string{
			`f:5:15: a phase has no key "stpe"; did you mean "step" or "steps"?`}},
		{"a key of a phase like no other", one("  - {name: P, step: S, frobnicate: x}\n"), []string{
			`f:5:24: a phase has no key "frobnicate"; the keys are name, step, steps, description, all, any, none, end, rides, decides, jumps and formerly`}},
		{"a key twice", one("  - name: P\n    step: S\n    name: Q\n"), []string{
			`f:7:5: duplicate key "name", first in line 5; remove one`}},
		{"a boolean for a name", one("  - {name: true, step: S}\n"), []string{
			`f:5:12: name must be a string, not the boolean "true"; quote it: "true"`}},
		{"a boolean of YAML 1.1 for a name", one("  - {name: No, step: S}\n"), []string{
			`f:5:12: name must be a string, not the boolean "No"; quote it: "No"`}},
		{"a number for a name", one("  - {name: 1, step: 1.5}\n"), []string{
			`f:5:12: name must be a string, not the number "1"; quote it: "1"`,
			`f:5:21: step must be a string, not the number "1.5"; quote it: "1.5"`}},
		{"a date for a name", one("  - {name: 2001-01-01, step: S}\n"), []string{
			`f:5:12: name must be a string, not the date "2001-01-01"; quote it: "2001-01-01"`}},
		{"a number for a key", one("  - {1: P, name: P, step: S}\n"), []string{
			`f:5:6: a key of a phase must be a string, not the number "1"; quote it: "1"`}},
		{"a list for a name", one("  - {name: [P], step: S}\n"), []string{
			`f:5:12: name must be a string, not a list`}},
		{"a null name", one("  - {name: ~, step: S}\n"), []string{
			`f:5:12: name has no value; give it one, or remove it`}},
		{"a null entry", one("  - {name: P, step: S, all: [HasPVs, ~]}\n"), []string{
			`f:5:38: an entry of all has no value; give it one, or remove it`}},
		{"a long word where a list belongs", one("  - {name: P, step: S, all: " + strings.Repeat("é", 30) + "}\n"), []string{
			`f:5:29: all must be a list, not the string "éééééééééééééééééééé..."`}},
		{"a phase that is a word", one("  - P\n"), []string{
			`f:5:5: a phase must be a mapping with the keys name, step, steps, description, all, any, none, end, rides, decides, jumps and formerly, not the string "P"`}},
		{"a null phase", one("  -\n"), []string{
			`f:5:4: a phase has no value; give it one, or remove it`}},
		{"a word for a list of flags", one("  - {name: P, step: S, all: HasPVs}\n"), []string{
			`f:5:29: all must be a list, not the string "HasPVs"`}},
		{"a string for rides", one("  - {name: P, step: S, rides: 'true'}\n  - {name: Q, step: S}\n"), []string{
			`f:5:31: rides must be true or false, without quotes, not the string "true"`}},
		{"an unknown flag", one("  - {name: P, step: S, any: [HasPV, Nothing]}\n"), []string{
			`f:5:30: unknown flag "HasPV"; did you mean "HasPVs"?`,
			`f:5:37: unknown flag "Nothing"; declare it under flags`}},
		{"a negated flag in a guard", one("  - {name: P, step: S, any: [\"!HasPVs\"]}\n"), []string{
			`f:5:30: unknown flag "!HasPVs"; only relations negate with "!", a guard lists the flag under none`}},
		{"a flag twice in a guard", one("  - {name: P, step: S, any: [HasPVs, HasPVs]}\n"), []string{
			`f:5:38: flag "HasPVs" is listed twice in any; remove one`}},
		{"a guard that contradicts itself", one("  - {name: P, step: S, all: [HasPVs], none: [HasPVs]}\n"), []string{
			`f:5:5: itinerary "I": phase "P" needs HasPVs both in all and in none and can never run; remove the flag from one of them`}},
		{"a step that only rides", one("  - {name: P, step: S, rides: true}\n"), []string{
			`f:5:5: itinerary "I": phase "P" belongs to step "S", whose phases all ride, so it is never shown; let one of them not ride, or give them another step`}},
		{"a jump to an unknown phase", one("  - {name: CopyDisks, step: S, jumps: [{to: CopyDisk}]}\n"), []string{
			`f:5:5: itinerary "I": phase "CopyDisks" jumps to "CopyDisk", which the itinerary does not have; did you mean "CopyDisks"?`}},
		{"a jump without a target", one("  - {name: P, step: S, jumps: [{all: [HasPVs]}]}\n"), []string{
			`f:5:32: a jump has no target; name the phase to continue with under to`}},
		{"a mistyped key of a jump", one("  - {name: P, step: S, jumps: [{tp: P}]}\n"), []string{
			`f:5:33: a jump has no key "tp"; did you mean "to"?`}},
		{"a guarded step without a name", one("  - {name: P, step: S, steps: [{all: [HasPVs]}]}\n"), []string{
			`f:5:32: an entry of steps names no step; name it under step`}},
		{"a guarded step that is a word", one("  - {name: P, step: S, steps: [T]}\n"), []string{
			`f:5:32: an entry of steps must be a mapping with the keys step, all, any and none, not the string "T"`}},
		{"a choice under a guard", one("  - {name: P, step: S, jumps: [{to: P, all: [HasPVs], choice: true}]}\n"), []string{
			`f:5:5: itinerary "I": phase "P" has the choice to jump to "P" under a guard, but its handler chooses; remove the guard, or the choice`}},
		{"a choice that is no boolean", one("  - {name: P, step: S, jumps: [{to: P, choice: \"true\"}]}\n"), []string{
			`f:5:48: choice must be true or false, without quotes, not the string "true"`}},
		{"an end phase that works", one("  - {name: P, step: S}\n  - {name: E, end: true, jumps: [{to: P}]}\n"), []string{
			`f:6:5: itinerary "I": phase "E" is an end phase, which does no work, but it jumps; remove that, or end`}},
		{"a jump that is a word", one("  - {name: P, step: S, jumps: [P]}\n"), []string{
			`f:5:32: a jump must be a mapping with the keys to, all, any, none and choice, not the string "P"`}},
		{"a number among former names", one("  - {name: P, step: S, formerly: [1]}\n"), []string{
			`f:5:35: an entry of formerly must be a string, not the number "1"; quote it: "1"`}},
		{"an unreadable phase does not make its step and name unknown",
			one("  - {name: P, stpe: S}\n  - {name: Q, step: S, rides: true, jumps: [{to: R}]}\n"), []string{
				`f:5:15: a phase has no key "stpe"; did you mean "step" or "steps"?`}},

		{"a flag twice", "flags:\n- name: A\n- name: A\nitineraries: [{name: I, phases: [{name: P, step: S, all: [A]}]}]", []string{
			`f:3:3: flag "A" is defined twice; rename it`}},
		{"flags with bad names",
			"flags:\n- name: a b\n- name: A\n- name: \"!x\"\n- description: none\nitineraries: [{name: I, phases: [{name: P, step: S, all: [A, a b]}]}]", []string{
				`f:2:3: flag "a b" contains a comma, white space or a control character; rename it`,
				`f:4:3: flag "!x" starts with "!", which negates a flag in a relation; rename it`,
				`f:5:3: flag "" has no name; give it one`}},
		{"a flag that is a word", "flags: [A]\nitineraries: [{name: I, phases: [{name: P, step: S}]}]", []string{
			`f:1:9: a flag must be a mapping with the keys name, description and live, not the string "A"`}},
		{"an unknown flag in a relation", "relations:\n- [\"!HasIS\"]\n" + one(fine), []string{
			`f:2:4: unknown flag "HasIS"; did you mean "HasISs" or "HasPVs"?`}},
		{"relations without meaning", "relations:\n- []\n- A\n-\n- [A, A]\nflags: [{name: A}]\nitineraries: [{name: I, phases: [{name: P, step: S}]}]", []string{
			`f:2:3: a relation without flags can never hold; list at least one flag`,
			`f:3:3: a relation must be a list, not the string "A"`,
			`f:4:2: a relation has no value; give it one, or remove it`,
			`f:5:7: flag "A" is listed twice in a relation; remove one`}},

		{"an anchor and an alias", one("  - {name: &n P, step: S}\n  - {name: Q, step: *n}\n"), []string{
			`f:5:12: name has an anchor or an alias, which are not supported; write the value out`,
			`f:6:21: step has an anchor or an alias, which are not supported; write the value out`}},
		{"an alias to nothing", one("  - {name: P, step: *nowhere }\n"), []string{
			`f:5: is not YAML: unknown anchor 'nowhere' referenced; fix it at this line or before it`}},
		{"a merge key", one("  - {name: P, step: S, <<: {rides: true}}\n"), []string{
			`f:5:24: merge keys are not supported; write the keys out`}},
		{"a tag", one("  - {name: !!str 1, step: S}\n"), []string{
			`f:5:12: name has the YAML tag "!!str"; to negate a flag, write "!FLAG" in quotes; otherwise remove the tag`}},
		{"a negation without quotes", "relations:\n- - !HasPVs\n  - HasISs\n" + one(fine), []string{
			`f:2:5: an entry of a relation has the YAML tag "!HasPVs"; to negate a flag, write "!FLAG" in quotes; otherwise remove the tag`}},
		{"a negation without quotes in brackets", "relations:\n- [!HasPVs, HasISs]\n" + one(fine), []string{
			`f:2:4: an entry of a relation has the YAML tag "!HasPVs,"; to negate a flag, write "!FLAG" in quotes; otherwise remove the tag`}},
		{"a negation without quotes at the end of brackets", "relations:\n- [HasISs, !HasPVs]\n" + one(fine), []string{
			`f:2: is not YAML: did not find expected ',' or ']'; put names that begin with "!" in quotes`}},

		{"a tab", "itineraries:\n\t- name: I\n", []string{
			`f:2: is not YAML: found character that cannot start any token; indent with spaces instead of tabs`}},
		{"a bracket left open", one("  - {name: P, step: S, all: [HasPVs}\n"), []string{
			`f:5: is not YAML: did not find expected ',' or ']'; fix it at this line or before it`}},
		{"a quote left open", "itineraries: \"\n", []string{
			`f:1: is not YAML: found unexpected end of stream; fix it at this line or before it`}},
		{"bytes that are not UTF-8", "flags: []\n# é \xff\n", []string{
			`f:2:5: byte 0xff is not valid UTF-8; save the file as UTF-8`}},
		{"UTF-16", "\xff\xfea\x00", []string{
			`f:1:1: byte 0xff is not valid UTF-8; save the file as UTF-8`}},
		{"a control character", "flags: []\nitineraries: \x01\n", []string{
			`f:2:14: character U+0001 is not allowed in YAML; remove it, or write it as an escape in double quotes`}},
		{"a BOM that does not lead", "flags: []\n\ufeff\n", []string{
			`f:2:1: character U+FEFF is not allowed in YAML; remove it, or write it as an escape in double quotes`}},

		{"several things at once, in the order of the lines",
			"itineraries:\n- name: I\n  phases:\n  - {name: P, step: S, all: [B]}\n  - {name: P, step: S}\n- {name: J, phase: []}\n" +
				"flags: [{name: A}, {name: A}]\nflag: []\n", []string{
				`f:4:30: unknown flag "B"; declare it under flags`,
				`f:5:5: itinerary "I": phase "P" is defined twice, as number 1 and 2; rename one of them`,
				`f:6:13: an itinerary has no key "phase"; did you mean "phases"?`,
				`f:7:20: flag "A" is defined twice; rename it`,
				`f:8:1: a file has no key "flag"; did you mean "flags"?`}},
	} {
		t.Run(c.about, func(t *testing.T) {
			f, err := Load(strings.NewReader(c.text), "f")
			assert.Nil(t, f)
			var errs LoadErrors
			require.ErrorAs(t, err, &errs)
			var got []string
			for _, e := range errs {
				got = append(got, e.Error())
			}
			assert.Empty(t, cmp.Diff(c.want, got), "-want +got")
		})
	}
}

func TestLoadSuggestsNothingForVeryLongNames(t *testing.T) {
	// A very long name gets no suggestion, and no time is spent on looking for one.
	long := strings.Repeat("x", 400_000)
	_, err := Load(strings.NewReader(one("  - {name: "+long+", step: S, jumps: [{to: "+long+"y}]}\n")), "f")
	var d *DefinitionError
	require.ErrorAs(t, err, &d)
	assert.Equal(t, ReasonUnknownJump, d.Reason)
	assert.NotContains(t, d.Problem, "did you mean")
}

func TestLoadListsTheFirstProblems(t *testing.T) {
	var text strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&text, "  - {name: P%d, step: S, all: [HasPV]}\n", i)
	}
	_, err := Load(strings.NewReader(one(text.String())), "f")
	var errs LoadErrors
	require.ErrorAs(t, err, &errs)
	require.Len(t, errs, 21)
	assert.Equal(t, 5, errs[0].Line)
	assert.Equal(t, 24, errs[19].Line)
	assert.EqualError(t, errs[20], "f: 4980 more problems are not listed; fix those above first")
	assert.Equal(t, 20, strings.Count(err.Error(), "\n"))
}

func TestLoadMapsEveryDefinitionErrorToItsPhase(t *testing.T) {
	_, err := Load(strings.NewReader(one("  - {name: P, step: S}\n  - {name: Q, step: S, jumps: [{to: R}], formerly: [P]}\n")), "f")
	var errs LoadErrors
	require.ErrorAs(t, err, &errs)
	require.Len(t, errs, 2)
	for i, reason := range []Reason{ReasonUnknownJump, ReasonDuplicateName} {
		var d *DefinitionError
		require.ErrorAs(t, errs[i], &d)
		assert.Equal(t, reason, d.Reason)
		assert.Equal(t, 6, errs[i].Line)
	}
}

func TestLoadWrapsItsCauses(t *testing.T) {
	_, err := Load(strings.NewReader(one("  - {name: P, step: S, all: [HasPV]}\n")), "f")
	var unknown *UnknownFlagError
	require.ErrorAs(t, err, &unknown)
	assert.Equal(t, &UnknownFlagError{Name: "HasPV", Nearest: []string{"HasPVs"}}, unknown)

	_, err = Load(strings.NewReader("flags: [{name: A}, 1, {name: A}, {name: 'b c'}]\n"+
		"itineraries: [{name: I, phases: [{name: P, step: S}]}]"), "f")
	var errs LoadErrors
	require.ErrorAs(t, err, &errs)
	var rows []int
	for _, e := range errs {
		var v *VocabularyError
		if errors.As(e, &v) {
			rows = append(rows, v.Row)
		}
	}
	assert.Equal(t, []int{2, 3}, rows, "rows are numbered as in the file")

	broken := errors.New("the disk is gone")
	_, err = Load(io.MultiReader(strings.NewReader("flags: []"), failing{broken}), "f")
	require.ErrorIs(t, err, broken)
	assert.EqualError(t, err, "f: cannot be read: the disk is gone")
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// endless never ends, and counts the bytes read.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '#'
	}
	e.read += len(p)
	return len(p), nil
}

func TestLoadLimits(t *testing.T) {
	phases := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "  - {name: P%d, step: S}\n", i)
		}
		return b.String()
	}
	flags := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "- name: F%d\n", i)
		}
		return "flags:\n" + b.String() + "itineraries: [{name: I, phases: [{name: P, step: S, all: [F" + fmt.Sprint(n-1) + "]}]}]"
	}
	suppressions := func(n int) string {
		return "suppress:\n" + strings.Repeat("- {rule: R, reason: r}\n", n)
	}
	size := func(n int) string {
		text := one("  - {name: P, step: S}\n")
		return text + strings.Repeat("#", n-len(text))
	}
	for _, c := range []struct {
		about, text string
		want        string
		limit       *LimitError
	}{
		{"as many bytes as allowed", size(MaxFileSize), "", nil},
		{"a byte too many", size(MaxFileSize + 1),
			"f: is too large: a file holds at most 1048576 bytes; split it", &LimitError{"bytes", MaxFileSize}},
		{"as many phases as allowed", one(phases(MaxFilePhases)), "", nil},
		{"a phase too many", one(phases(MaxFilePhases + 1)),
			"f:10005:5: is one phase too many: a file holds at most 10000 phases; split it", &LimitError{"phases", MaxFilePhases}},
		{"a phase too many, in two itineraries", one(phases(MaxFilePhases)) + "- name: J\n  phases:\n" + phases(2),
			"f:10007:5: is one phase too many: a file holds at most 10000 phases; split it", &LimitError{"phases", MaxFilePhases}},
		{"as many flags as allowed", flags(MaxFlags), "", nil},
		{"as many suppressions as allowed", one("  - {name: P, step: S}\n") + suppressions(MaxSuppressions), "", nil},
		{"a suppression too many", one("  - {name: P, step: S}\n") + suppressions(MaxSuppressions+1),
			"f:1007:3: is one suppression too many: a file holds at most 1000 suppressions; split it", &LimitError{"suppressions", MaxSuppressions}},
		{"flags too many", flags(MaxFlags + 5),
			"f:66:3: is one flag too many: a file holds at most 64 flags; split it", &LimitError{"flags", MaxFlags}},
	} {
		t.Run(c.about, func(t *testing.T) {
			_, err := Load(strings.NewReader(c.text), "f")
			if c.limit == nil {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, c.want)
			var limit *LimitError
			require.ErrorAs(t, err, &limit)
			assert.Equal(t, c.limit, limit)
		})
	}
	t.Run("it reads no more than it needs to refuse", func(t *testing.T) {
		var r endless
		_, err := Load(&r, "f")
		var limit *LimitError
		require.ErrorAs(t, err, &limit)
		assert.LessOrEqual(t, r.read, MaxFileSize+1)
	})
}

// Ten thousand unknown names do not make the loader slow: without a bound on
// suggestions this takes minutes.
func TestLoadSuggestsOnlyForTheFirstProblems(t *testing.T) {
	var text strings.Builder
	for i := range MaxFilePhases {
		fmt.Fprintf(&text, "  - {name: VeryLikelyPhase%d, step: S, jumps: [{to: VeryLikelyPhrase%d}]}\n", i, i)
	}
	_, err := Load(strings.NewReader(one(text.String())), "f")
	var errs LoadErrors
	require.ErrorAs(t, err, &errs)
	require.Len(t, errs, 21)
	assert.Contains(t, errs[19].Problem, "did you mean")
}

func TestLoadRefusesDeepNesting(t *testing.T) {
	for _, opening := range []string{"[", "{", "- ", "? ", "{a: ", "[? "} {
		t.Run(opening, func(t *testing.T) {
			_, err := Load(strings.NewReader(strings.Repeat(opening, MaxFileSize/len(opening))), "f")
			require.EqualError(t, err, "f:1: is not YAML: exceeded max depth of 10000; fix it at this line or before it")
		})
	}
}

func TestFileItinerary(t *testing.T) {
	f := &File{Itineraries: []Itinerary{{Name: "Upgrade"}, {Name: "Abort"}}}
	it, err := f.Itinerary("Abort")
	require.NoError(t, err)
	assert.Equal(t, "Abort", it.Name)

	_, err = f.Itinerary("upgrad")
	var unknown *UnknownItineraryError
	require.ErrorAs(t, err, &unknown)
	assert.Equal(t, &UnknownItineraryError{Name: "upgrad", Nearest: []string{"Upgrade"}, Known: []string{"Upgrade", "Abort"}}, unknown)
	assert.EqualError(t, err, `unknown itinerary "upgrad"; did you mean "Upgrade"?`)

	_, err = f.Itinerary("Final")
	assert.EqualError(t, err, `unknown itinerary "Final"; known: "Upgrade" and "Abort"`)
	_, err = new(File).Itinerary("Final")
	assert.EqualError(t, err, `unknown itinerary "Final"; known: none`)
}

// databaseUpgrade returns the example of the README.
func databaseUpgrade(t testing.TB) (*File, []byte) {
	text, err := os.ReadFile("testdata/database-upgrade.yaml")
	require.NoError(t, err)
	f, err := Load(strings.NewReader(string(text)), "database-upgrade.yaml")
	require.NoError(t, err)
	return f, text
}

func TestLoadReadsTheExample(t *testing.T) {
	f, _ := databaseUpgrade(t)
	assert.Equal(t, []string{"BackupWanted", "HasReplicas", "ReplicasLeft", "SchemaChanges", "TrafficStopped"},
		f.Vocabulary.Names(f.Vocabulary.All()))
	upgrade, err := f.Itinerary("Upgrade")
	require.NoError(t, err)
	left, _ := f.Vocabulary.Lookup("ReplicasLeft")
	assert.Equal(t, Phase{
		Name: "WaitForReplica", Step: "Replicas", Description: "Waiting for the replica to catch up",
		Guard: Guard{All: left}, Decides: left,
		Jumps: []Jump{{To: "UpgradeReplica", Guard: Guard{All: left}}},
	}, upgrade.Phases[4])
	abort, err := f.Itinerary("Abort")
	require.NoError(t, err)
	assert.True(t, abort.Cleanup)
	assert.Equal(t, Failed, abort.Result)
}

// A flag is live only if the file declares it so, and stays live when it is saved.
func TestLoadReadsLiveFlags(t *testing.T) {
	text := "flags:\n- name: A\n- name: B\n  live: true\n- {name: C, live: false}\n" +
		"itineraries:\n- name: I\n  phases:\n  - {name: P, step: S, all: [B]}\n"
	f, err := Load(strings.NewReader(text), "f")
	require.NoError(t, err)
	assert.Equal(t, []string{"B"}, f.Vocabulary.Names(f.Vocabulary.Live()))
	var b bytes.Buffer
	require.NoError(t, Save(&b, f))
	again, err := Load(&b, "again")
	require.NoError(t, err)
	assert.Equal(t, f.Vocabulary.Defs(), again.Vocabulary.Defs())
	_, err = Load(strings.NewReader(strings.Replace(text, "live: true", `live: "true"`, 1)), "f")
	assert.EqualError(t, err, `f:4:9: live must be true or false, without quotes, not the string "true"`)
}
