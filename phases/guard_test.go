package phases

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	flagA Flags = 1 << iota
	flagB
	flagC
)

// abc is the set of all three flags; most tests need no more.
const abc = flagA | flagB | flagC

// allFacts returns the 27 facts over three flags.
func allFacts() (all []Facts) {
	for yes := range abc + 1 {
		for no := range abc + 1 {
			if yes&no == 0 {
				all = append(all, NewFacts(yes, no))
			}
		}
	}
	return all
}

// allGuards returns the 512 guards over three flags.
func allGuards() (all []Guard) {
	for a := range abc + 1 {
		for b := range abc + 1 {
			for c := range abc + 1 {
				all = append(all, Guard{All: a, Any: b, None: c})
			}
		}
	}
	return all
}

// naive is the definition of a guard, flag by flag, for facts that are all known.
func naive(g Guard, true_ Flags) bool {
	any := g.Any == 0
	for flag := range abc.Each {
		is := true_&flag != 0
		if g.All&flag != 0 && !is || g.None&flag != 0 && is {
			return false
		}
		any = any || g.Any&flag != 0 && is
	}
	return any
}

// exact returns the value of a guard over every completion of the unknown flags: True
// or False if all agree, else Unknown.
func exact(g Guard, f Facts) Truth {
	admits, refuses := 0, 0
	for true_ := range abc + 1 {
		if true_.Has(f.True()) && true_&f.False() == 0 {
			if naive(g, true_) {
				admits++
			} else {
				refuses++
			}
		}
	}
	switch {
	case refuses == 0:
		return True
	case admits == 0:
		return False
	}
	return Unknown
}

// Eval evaluates the parts of a guard one by one, yet agrees with every completion of
// the facts, even if parts share flags: of Any and None, only a flag that is not in
// None can be the true one. The one exception is a guard with a flag in both All and
// None, which Validate refuses: no completion admits, and Eval notices that only once
// the flag is known.
func TestGuardEvalAgreesWithEveryCompletion(t *testing.T) {
	differ := 0
	for _, g := range allGuards() {
		for _, f := range allFacts() {
			got, want := g.Eval(f), exact(g, f)
			if g.All&g.None != 0 && got == Unknown && want == False {
				differ++
				continue
			}
			require.Equal(t, want, got, "%+v with %+v", g, f)
		}
	}
	assert.Positive(t, differ, "the exception is real")
}

func TestGuardEvalIsMonotonic(t *testing.T) {
	for _, g := range allGuards() {
		for _, f := range allFacts() {
			before := g.Eval(f)
			if before == Unknown {
				continue
			}
			for flag := range (abc &^ f.Known()).Each {
				require.Equal(t, before, g.Eval(f.Set(flag, True)), "%+v with %+v", g, f)
				require.Equal(t, before, g.Eval(f.Set(flag, False)), "%+v with %+v", g, f)
			}
		}
	}
}

// Upstream once inverted an Any guard of two flags.
func TestGuardAnyOfTwoFlagsIsNotInverted(t *testing.T) {
	g := Guard{Any: flagA | flagB}
	for _, c := range []struct {
		about    string
		yes, no  Flags
		want     Truth
		wantPart string
		unmet    Flags
	}{
		{"both true", flagA | flagB, 0, True, "", 0},
		{"the first true", flagA, flagB, True, "", 0},
		{"the second true", flagB, flagA, True, "", 0},
		{"none true", 0, flagA | flagB, False, PartAny, flagA | flagB},
		{"one true, one unknown", flagA, 0, True, "", 0},
		{"one false, one unknown", 0, flagA, Unknown, PartAny, flagB},
		{"both unknown", 0, 0, Unknown, PartAny, flagA | flagB},
		{"only a flag that it does not read", flagC, flagA | flagB, False, PartAny, flagA | flagB},
	} {
		t.Run(c.about, func(t *testing.T) {
			f := NewFacts(c.yes, c.no)
			assert.Equal(t, c.want, g.Eval(f))
			part, unmet := g.Unmet(f)
			assert.Equal(t, c.wantPart, part)
			assert.Equal(t, c.unmet, unmet)
		})
	}
}

func TestGuardUnmetNamesTheFlagsThatDoNotAdmit(t *testing.T) {
	for _, c := range []struct {
		about   string
		guard   Guard
		yes, no Flags
		part    string
		flags   Flags
	}{
		{"the empty guard", Guard{}, 0, 0, "", 0},
		{"the false flags of all", Guard{All: abc}, flagA, flagB, PartAll, flagB},
		{"the true flags of none", Guard{None: abc}, flagA, flagB, PartNone, flagA},
		{"all flags of any", Guard{Any: flagA | flagB}, 0, abc, PartAny, flagA | flagB},
		{"all before none", Guard{All: flagA, None: flagB}, flagB, flagA, PartAll, flagA},
		{"none before any", Guard{None: flagA, Any: flagB}, flagA, flagB, PartNone, flagA},
		{"certain flags before unknown ones", Guard{All: flagA, None: flagB}, flagB, 0, PartNone, flagB},
		{"the unknown flags of all", Guard{All: abc}, flagA, 0, PartAll, flagB | flagC},
		{"the unknown flags of none", Guard{None: abc}, 0, flagA, PartNone, flagB | flagC},
		{"the unknown flags of any", Guard{Any: abc}, 0, flagA, PartAny, flagB | flagC},
		{"an any that only a flag of none could meet", Guard{Any: flagA | flagB, None: flagA}, 0, flagB, PartAny, flagA | flagB},
	} {
		t.Run(c.about, func(t *testing.T) {
			part, flags := c.guard.Unmet(NewFacts(c.yes, c.no))
			assert.Equal(t, c.part, part)
			assert.Equal(t, c.flags, flags)
		})
	}
}

func TestGuardUnmetIsEmptyOnlyIfTheGuardAdmits(t *testing.T) {
	for _, g := range allGuards() {
		for _, f := range allFacts() {
			part, flags := g.Unmet(f)
			require.Equal(t, g.Eval(f) == True, part == "", "%+v with %+v", g, f)
			require.Equal(t, part == "", flags == 0, "%+v with %+v", g, f)
			require.True(t, g.Reads().Has(flags))
		}
	}
}

func TestGuardText(t *testing.T) {
	v := MustVocabulary([]FlagDef{{Flag: flagA, Name: "A"}, {Flag: flagB, Name: "B"}, {Flag: flagC, Name: "C"}})
	for _, c := range []struct {
		guard Guard
		want  string
	}{
		{Guard{}, ""},
		{Guard{All: flagA | flagB}, "A and B"},
		{Guard{Any: flagA | flagB}, "A or B"},
		{Guard{All: flagC, Any: flagA | flagB}, "C and (A or B)"},
		{Guard{All: flagA, Any: flagB}, "A and B"},
		{Guard{None: flagA | flagC}, "not A and not C"},
		{Guard{Any: flagA | flagB, None: flagC}, "(A or B) and not C"},
	} {
		assert.Equal(t, c.want, c.guard.Text(v))
	}
}
