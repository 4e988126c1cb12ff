package phases

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestValidateAcceptsUnusualDefinitions(t *testing.T) {
	for _, c := range []struct {
		about string
		it    Itinerary
	}{
		{"one phase without flags", Itinerary{Name: "I", Vocabulary: MustVocabulary(nil), Phases: []Phase{{Name: "P", Step: "S"}}}},
		{"names that the machine uses itself", Itinerary{Name: "state", Vocabulary: abcFlags, Phases: []Phase{{Name: "event", Step: "S"}, {Name: "before_x", Step: "state"}}}},
		{"a jump to itself, back and forward", Itinerary{Name: "I", Vocabulary: abcFlags, Phases: []Phase{
			{Name: "P", Step: "S", Jumps: []Jump{{To: "P"}, {To: "Q"}}}, {Name: "Q", Step: "S", Jumps: []Jump{{To: "P"}}}}}},
		{"a step that rides in one of its phases", Itinerary{Name: "I", Vocabulary: abcFlags, Phases: []Phase{{Name: "P", Step: "S", Rides: true}, {Name: "Q", Step: "S"}}}},
		{"a flag of any that is also in none", Itinerary{Name: "I", Vocabulary: abcFlags, Phases: []Phase{{Name: "P", Step: "S", Guard: Guard{Any: flagA | flagB, None: flagA}}}}},
		{"a flag both in all and any", Itinerary{Name: "I", Vocabulary: abcFlags, Phases: []Phase{{Name: "P", Step: "S", Guard: Guard{All: flagA, Any: flagA | flagB}}}}},
	} {
		t.Run(c.about, func(t *testing.T) {
			assert.NoError(t, c.it.Validate())
		})
	}
}

func TestValidateRefuses(t *testing.T) {
	with := func(phases ...Phase) Itinerary { return Itinerary{Name: "I", Vocabulary: abcFlags, Phases: phases} }
	tested := make(map[Reason]bool)
	for _, c := range []struct {
		about  string
		it     Itinerary
		reason Reason
		want   string
	}{
		{"no vocabulary", Itinerary{Name: "I", Phases: []Phase{{Name: "P", Step: "S"}}}, ReasonNoVocabulary,
			`itinerary "I": has no vocabulary; set Vocabulary, to an empty one if no guard reads a flag`},
		{"no phases", with(), ReasonNoPhases,
			`itinerary "I": has no phases; give it at least one`},
		{"an itinerary without a name", Itinerary{Vocabulary: abcFlags, Phases: []Phase{{Name: "P", Step: "S"}}}, ReasonEmptyName,
			`itinerary "": has no name; give it one`},
		{"an itinerary whose name is not UTF-8", Itinerary{Name: "\xff", Vocabulary: abcFlags, Phases: []Phase{{Name: "P", Step: "S"}}}, ReasonInvalidName,
			`itinerary "\xff": its name is not valid UTF-8`},
		{"an unknown result", Itinerary{Name: "I", Vocabulary: abcFlags, Result: "Done", Phases: []Phase{{Name: "P", Step: "S"}}}, ReasonUnknownResult,
			`itinerary "I": its result is "Done"; it must be Succeeded, Failed, Canceled or RolledBack, or empty`},
		{"a result in lower case", Itinerary{Name: "I", Vocabulary: abcFlags, Result: "canceled", Phases: []Phase{{Name: "P", Step: "S"}}}, ReasonUnknownResult,
			`itinerary "I": its result is "canceled"; it must be Succeeded, Failed, Canceled or RolledBack, or empty`},
		{"a phase without a name", with(Phase{Step: "S"}), ReasonEmptyName,
			`itinerary "I": phase number 1 has no name; give it one`},
		{"a phase without a step", with(Phase{Name: "P"}), ReasonEmptyName,
			`itinerary "I": phase "P" has no step; name the step that users see while it runs`},
		{"a former name that is empty", with(Phase{Name: "P", Step: "S", Formerly: []string{""}}), ReasonEmptyName,
			`itinerary "I": phase "P" has an empty former name; remove it`},
		{"a phase whose name is not UTF-8", with(Phase{Name: "\xff", Step: "S"}), ReasonInvalidName,
			`itinerary "I": phase "\xff" has a name that is not valid UTF-8`},
		{"a step whose name is not UTF-8", with(Phase{Name: "P", Step: "\xff"}), ReasonInvalidName,
			`itinerary "I": phase "P" has a step whose name is not valid UTF-8`},
		{"a description that is not UTF-8", with(Phase{Name: "P", Step: "S", Description: "\xff"}), ReasonInvalidDescription,
			`itinerary "I": phase "P" has a description that is not valid UTF-8`},
		{"a former name that is not UTF-8", with(Phase{Name: "P", Step: "S", Formerly: []string{"\xff"}}), ReasonInvalidName,
			`itinerary "I": phase "P" has a former name that is not valid UTF-8`},
		{"a phase twice", with(Phase{Name: "P", Step: "S"}, Phase{Name: "Q", Step: "S"}, Phase{Name: "P", Step: "T"}), ReasonDuplicateName,
			`itinerary "I": phase "P" is defined twice, as number 1 and 3; rename one of them`},
		{"a former name that a phase has now", with(Phase{Name: "P", Step: "S", Formerly: []string{"Q"}}, Phase{Name: "Q", Step: "S"}), ReasonDuplicateName,
			`itinerary "I": phase "P" was formerly "Q", which is now the name of phase number 2; a recorded name can mean only one phase`},
		{"a former name of two phases", with(Phase{Name: "P", Step: "S", Formerly: []string{"Old"}}, Phase{Name: "Q", Step: "S", Formerly: []string{"Old"}}),
			ReasonDuplicateName,
			`itinerary "I": phase "Q" was formerly "Old", and so was phase number 1; a recorded name can mean only one phase`},
		{"a guard that reads an undeclared flag", with(Phase{Name: "P", Step: "S", Guard: Guard{None: 8}}), ReasonUndeclaredFlag,
			`itinerary "I": phase "P" reads flag bits 0x8, which the vocabulary of 3 flags does not declare; add them to it`},
		{"a phase that decides an undeclared flag", with(Phase{Name: "P", Step: "S", Decides: flagA | 8 | 16}), ReasonUndeclaredFlag,
			`itinerary "I": phase "P" decides flag bits 0x18, which the vocabulary of 3 flags does not declare; add them to it`},
		{"a jump whose guard reads an undeclared flag", with(Phase{Name: "P", Step: "S", Jumps: []Jump{{To: "P", Guard: Guard{Any: 8}}}}), ReasonUndeclaredFlag,
			`itinerary "I": phase "P" jumps to "P" under a guard that reads flag bits 0x8, which the vocabulary of 3 flags does not declare; add them to it`},
		{"a flag both in all and none", with(Phase{Name: "P", Step: "S", Guard: Guard{All: flagA | flagB, None: flagA | flagB}}), ReasonContradiction,
			`itinerary "I": phase "P" needs A and B both in all and in none and can never run; remove the flag from one of them`},
		{"every flag of any in none", with(Phase{Name: "P", Step: "S", Guard: Guard{Any: flagA, None: flagA | flagB}}), ReasonContradiction,
			`itinerary "I": phase "P" has every flag of any (A) also in none and can never run; remove the flag from one of them`},
		{"a jump whose guard contradicts itself", with(Phase{Name: "P", Step: "S", Jumps: []Jump{{To: "P", Guard: Guard{All: flagA, None: flagA}}}}), ReasonContradiction,
			`itinerary "I": phase "P" jumps to "P" under a guard that needs A both in all and in none and can never run; remove the flag from one of them`},
		{"a step whose phases all ride", with(Phase{Name: "P", Step: "S"}, Phase{Name: "Q", Step: "T", Rides: true}, Phase{Name: "R", Step: "T", Rides: true}),
			ReasonRidingStep,
			`itinerary "I": phase "Q" belongs to step "T", whose phases all ride, so it is never shown; let one of them not ride, or give them another step`},
		{"a jump to an unknown phase", with(Phase{Name: "CopyDisks", Step: "S", Jumps: []Jump{{To: "CopyDisk"}}}), ReasonUnknownJump,
			`itinerary "I": phase "CopyDisks" jumps to "CopyDisk", which the itinerary does not have; did you mean "CopyDisks"?`},
		{"a guarded step without a name", with(Phase{Name: "P", Step: "S", Steps: []GuardedStep{{Guard: Guard{All: flagA}}}}), ReasonEmptyName,
			`itinerary "I": phase "P" has no step; name the step that users see while it runs`},
		{"a guarded step whose guard contradicts itself", with(Phase{Name: "P", Step: "S", Steps: []GuardedStep{{"T", Guard{All: flagA, None: flagA}}}}), ReasonContradiction,
			`itinerary "I": phase "P" belongs to step "T" under a guard that needs A both in all and in none and can never run; remove the flag from one of them`},
		{"guarded steps without a default step", with(Phase{Name: "P", Steps: []GuardedStep{{"T", Guard{All: flagA}}}}), ReasonEmptyName,
			`itinerary "I": phase "P" has no step; name the step that users see while it runs`},
		{"a guarded step whose phases all ride", with(Phase{Name: "O", Step: "S"}, Phase{Name: "P", Step: "S", Steps: []GuardedStep{{"T", Guard{All: flagA}}}, Rides: true}),
			ReasonRidingStep,
			`itinerary "I": phase "P" belongs to step "T", whose phases all ride, so it is never shown; let one of them not ride, or give them another step`},
		{"a choice under a guard", with(Phase{Name: "P", Step: "S", Jumps: []Jump{{To: "P", Guard: Guard{All: flagA}, Choice: true}}}), ReasonGuardedChoice,
			`itinerary "I": phase "P" has the choice to jump to "P" under a guard, but its handler chooses; remove the guard, or the choice`},
		{"a choice twice", with(Phase{Name: "P", Step: "S", Jumps: []Jump{{To: "P", Choice: true}, {To: "P"}, {To: "P", Choice: true}}}), ReasonDuplicateName,
			`itinerary "I": phase "P" has the choice to jump to "P" twice; remove one`},
		{"an end phase that works", with(Phase{Name: "P", Step: "S"}, Phase{Name: "E", Step: "S", End: true, Rides: true, Decides: flagA, Jumps: []Jump{{To: "P"}}}),
			ReasonWorkingEnd,
			`itinerary "I": phase "E" is an end phase, which does no work, but it decides flags, jumps and rides; remove that, or end`},
		{"an end phase that rides without a step", with(Phase{Name: "P", Step: "S"}, Phase{Name: "E", End: true, Rides: true}), ReasonWorkingEnd,
			`itinerary "I": phase "E" is an end phase, which does no work, but it rides; remove that, or end`},
		{"a jump without a target", with(Phase{Name: "P", Step: "S", Jumps: []Jump{{}}}), ReasonUnknownJump,
			`itinerary "I": phase "P" jumps to "", which the itinerary does not have`},
	} {
		t.Run(c.about, func(t *testing.T) {
			err := c.it.Validate()
			require.EqualError(t, err, c.want)
			var got *DefinitionError
			require.ErrorAs(t, err, &got)
			assert.Equal(t, c.reason, got.Reason)
		})
		tested[c.reason] = true
	}
	for _, reason := range []Reason{ReasonNoVocabulary, ReasonNoPhases, ReasonEmptyName, ReasonInvalidName, ReasonDuplicateName,
		ReasonUndeclaredFlag, ReasonContradiction, ReasonRidingStep, ReasonUnknownJump, ReasonUnknownResult, ReasonInvalidDescription,
		ReasonWorkingEnd, ReasonGuardedChoice} {
		assert.True(t, tested[reason], "%s has a row", reason)
	}
}

// eachField calls visit with each scalar of a definition, and its name such as
// "Phases.Jumps.To".
func eachField(t *testing.T, v reflect.Value, name string, visit func(name string, v reflect.Value)) {
	t.Helper()
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			eachField(t, v.Field(i), strings.TrimPrefix(name+"."+v.Type().Field(i).Name, "."), visit)
		}
	case reflect.Slice:
		require.NotZero(t, v.Len(), "the definition must have %s", name)
		for i := range v.Len() {
			eachField(t, v.Index(i), name, visit)
		}
	case reflect.Pointer: // the vocabulary
	case reflect.String, reflect.Bool, reflect.Uint64:
		visit(name, v)
	default:
		t.Fatalf("%s is a %s: add it to this switch", name, v.Type())
	}
}

// whole returns a definition in which every field has a value.
func whole() Itinerary {
	guard := Guard{All: flagA, Any: flagB, None: flagC}
	return Itinerary{Name: "I", Vocabulary: abcFlags, Cleanup: true, Result: Failed, Phases: []Phase{
		{Name: "P", Step: "S", Steps: []GuardedStep{{Step: "T", Guard: guard}}, Guard: guard, Description: "d", Rides: true, Decides: flagB,
			Jumps: []Jump{{To: "Q", Guard: guard}, {To: "P", Choice: true}}, Formerly: []string{"Old"}},
		{Name: "Q", Step: "S", Steps: []GuardedStep{{Step: "T", Guard: guard}}, Guard: guard, Description: "e",
			Decides: flagA, Jumps: []Jump{{To: "P", Guard: guard}}, Formerly: []string{"Older"}},
	}}
}

// An invalid value is refused in every field.
func TestValidateChecksEveryField(t *testing.T) {
	it := whole()
	require.NoError(t, it.Validate())
	seen := make(map[string]bool)
	eachField(t, reflect.ValueOf(&it).Elem(), "", func(name string, v reflect.Value) {
		seen[name] = true
		was := reflect.ValueOf(v.Interface())
		defer v.Set(was)
		switch v.Kind() {
		case reflect.String:
			v.SetString("\xff")
		case reflect.Uint64:
			v.SetUint(1 << 40)
		case reflect.Bool: // both values are valid
			return
		}
		var errs DefinitionErrors
		require.ErrorAs(t, it.Validate(), &errs, "%s is %#v", name, v.Interface())
	})
	require.NoError(t, it.Validate(), "the definition is restored")
	assert.True(t, seen["Result"] && seen["Phases.Jumps.Guard.None"], "the walk reaches nested fields: %v", seen)
}

func TestValidateAcceptsEveryResult(t *testing.T) {
	for _, r := range []Result{"", Succeeded, Failed, Canceled, RolledBack} {
		it := whole()
		it.Result = r
		assert.NoError(t, it.Validate(), "%q", r)
	}
}

func TestValidateReportsEverythingInTheOrderOfThePhases(t *testing.T) {
	err := Itinerary{Vocabulary: abcFlags, Phases: []Phase{
		{Name: "P", Step: "S", Guard: Guard{All: flagA, None: flagA}, Formerly: []string{""}},
		{Name: "P"},
		{Step: "T", Rides: true, Decides: 8},
		{Name: "P", Step: "S", Jumps: []Jump{{To: "X"}, {To: "Y"}}},
	}}.Validate()
	var errs DefinitionErrors
	require.ErrorAs(t, err, &errs)
	type row struct {
		Index  int
		Phase  string
		Reason Reason
	}
	var got []row
	for _, e := range errs {
		got = append(got, row{e.Index, e.Phase, e.Reason})
	}
	assert.Empty(t, cmp.Diff([]row{
		{-1, "", ReasonEmptyName},
		{0, "P", ReasonContradiction}, {0, "P", ReasonEmptyName},
		{1, "P", ReasonDuplicateName}, {1, "P", ReasonEmptyName},
		{2, "", ReasonEmptyName}, {2, "", ReasonRidingStep}, {2, "", ReasonUndeclaredFlag},
		{3, "P", ReasonDuplicateName}, {3, "P", ReasonUnknownJump}, {3, "P", ReasonUnknownJump},
	}, got), "-want +got")
	assert.Equal(t, len(errs)-1, strings.Count(err.Error(), "\n"), "one line each")
}

func TestValidateReportsItineraryProblemsWithoutAPhase(t *testing.T) {
	for reason, it := range map[Reason]Itinerary{
		ReasonEmptyName:     {Vocabulary: abcFlags, Phases: []Phase{{Name: "P", Step: "S"}}},
		ReasonInvalidName:   {Name: "\xff", Vocabulary: abcFlags, Phases: []Phase{{Name: "P", Step: "S"}}},
		ReasonUnknownResult: {Name: "I", Result: "Fine", Vocabulary: abcFlags, Phases: []Phase{{Name: "P", Step: "S"}}},
		ReasonNoVocabulary:  {Name: "I", Phases: []Phase{{Name: "P", Step: "S"}}},
		ReasonNoPhases:      {Name: "I", Vocabulary: abcFlags},
	} {
		var errs DefinitionErrors
		require.ErrorAs(t, it.Validate(), &errs, string(reason))
		require.Len(t, errs, 1, string(reason))
		assert.Equal(t, reason, errs[0].Reason)
		assert.Equal(t, -1, errs[0].Index, string(reason))
		assert.Empty(t, errs[0].Phase, string(reason))
	}
}

func TestItineraryReadsIncludesStepsAndJumps(t *testing.T) {
	it := Itinerary{Phases: []Phase{
		{Guard: Guard{All: flagA}, Decides: 8},
		{Steps: []GuardedStep{{"S", Guard{Any: flagB}}}, Jumps: []Jump{{Guard: Guard{None: flagC}}}},
	}}
	assert.Equal(t, abc, it.Reads())
}

func TestHash(t *testing.T) {
	base := func() Itinerary {
		return Itinerary{Name: "I", Vocabulary: abcFlags, Phases: []Phase{
			{Name: "P", Step: "S", Guard: Guard{All: flagA | flagB}, Description: "d", Formerly: []string{"Old"}},
			{Name: "Q", Step: "S", Jumps: []Jump{{To: "P", Guard: Guard{None: flagC}}}},
		}}
	}
	want := base().Hash()
	assert.Equal(t, "af96955241a43a44", want, "recorded hashes must stay valid")
	seen := map[string]string{want: "unchanged"}
	for _, c := range []struct {
		about  string
		change func(*Itinerary)
		same   bool
	}{
		{"a description", func(it *Itinerary) { it.Phases[0].Description = "other" }, true},
		{"the result", func(it *Itinerary) { it.Result = Failed }, true},
		{"a former name", func(it *Itinerary) { it.Phases[0].Formerly = nil }, true},
		{"the order of the vocabulary", func(it *Itinerary) {
			it.Vocabulary = MustVocabulary([]FlagDef{{1, "C", "", false}, {2, "B", "", false}, {4, "A", "", false}, {8, "D", "", false}})
			it.Phases[0].Guard.All = 2 | 4
			it.Phases[1].Jumps = []Jump{{To: "P", Guard: Guard{None: 1}}}
		}, true},
		{"the name", func(it *Itinerary) { it.Name = "J" }, false},
		{"whether it is a cleanup", func(it *Itinerary) { it.Cleanup = true }, false},
		{"a phase's name", func(it *Itinerary) { it.Phases[0].Name = "R" }, false},
		{"a step", func(it *Itinerary) { it.Phases[0].Step = "T" }, false},
		{"all", func(it *Itinerary) { it.Phases[0].Guard.All = flagA }, false},
		{"any for all", func(it *Itinerary) { it.Phases[0].Guard = Guard{Any: flagA | flagB} }, false},
		{"none for all", func(it *Itinerary) { it.Phases[0].Guard = Guard{None: flagA | flagB} }, false},
		{"rides", func(it *Itinerary) { it.Phases[0].Rides = true }, false},
		{"decides", func(it *Itinerary) { it.Phases[0].Decides = flagA }, false},
		{"a jump's target", func(it *Itinerary) { it.Phases[1].Jumps = []Jump{{To: "Q", Guard: Guard{None: flagC}}} }, false},
		{"a jump's guard", func(it *Itinerary) { it.Phases[1].Jumps = []Jump{{To: "P"}} }, false},
		{"a choice", func(it *Itinerary) { it.Phases[1].Jumps = []Jump{{To: "P", Choice: true}} }, false},
		{"an end", func(it *Itinerary) { it.Phases[0].End = true }, false},
		{"a guarded step", func(it *Itinerary) { it.Phases[0].Steps = []GuardedStep{{"T", Guard{All: flagA}}} }, false},
		{"no jump", func(it *Itinerary) { it.Phases[1].Jumps = nil }, false},
		{"one phase less", func(it *Itinerary) { it.Phases = it.Phases[:1] }, false},
		{"the order of the phases", func(it *Itinerary) { it.Phases[0], it.Phases[1] = it.Phases[1], it.Phases[0] }, false},
	} {
		t.Run(c.about, func(t *testing.T) {
			it := base()
			c.change(&it)
			got := it.Hash()
			if c.same {
				assert.Equal(t, want, got)
				return
			}
			assert.Empty(t, seen[got], "the same hash")
			seen[got] = c.about
		})
	}
}

// Every field counts, except those that change no plan and no transition.
func TestHashCountsEveryField(t *testing.T) {
	free := map[string]bool{"Result": true, "Phases.Description": true, "Phases.Formerly": true}
	it := whole()
	want := it.Hash()
	seen := map[string]string{want: "unchanged"}
	eachField(t, reflect.ValueOf(&it).Elem(), "", func(name string, v reflect.Value) {
		was := reflect.ValueOf(v.Interface())
		defer v.Set(was)
		switch v.Kind() {
		case reflect.String:
			v.SetString(v.String() + "x")
		case reflect.Uint64:
			v.SetUint(v.Uint() ^ uint64(abc))
		case reflect.Bool:
			v.SetBool(!v.Bool())
		}
		got := it.Hash()
		if free[name] {
			require.Equal(t, want, got, "%s does not count", name)
			return
		}
		require.Empty(t, seen[got], "%s has the same hash", name)
		seen[got] = name
	})
	assert.Equal(t, want, it.Hash())
}

// No two definitions get the same hash because of names that look like parts of the
// hashed text.
func TestHashDistinguishesNamesThatLookLikeSyntax(t *testing.T) {
	names := []string{"a", `a" "b`, `"`, `\`, `\"`, "a b", "\n", " all", `to"a"`, "\xff", "\ufffd", "é", "e\u0301"}
	v := MustVocabulary([]FlagDef{{flagA, "A", "", false}, {flagB, `A"B`, "", false}})
	seen := make(map[string]string)
	for _, name := range names {
		for _, step := range names {
			for _, to := range append([]string{""}, names...) {
				for guard := range Flags(4) {
					p := Phase{Name: name, Step: step, Decides: guard}
					if to != "" {
						p.Jumps = []Jump{{To: to, Guard: Guard{All: guard}}}
					}
					about := fmt.Sprintf("%q %q %q %d", name, step, to, guard)
					hash := Itinerary{Name: "I", Vocabulary: v, Phases: []Phase{p}}.Hash()
					require.Empty(t, seen[hash], about)
					seen[hash] = about
				}
			}
		}
	}
	assert.Len(t, seen, 13*13*14*4)
}
