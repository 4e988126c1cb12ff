package phases

import (
	"strings"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
)

// Guard decides whether a phase runs or a jump is taken. It admits if every flag of All
// is true, at least one flag of Any is true (unless Any is empty), and no flag of None
// is true. The empty guard admits.
//
// All and Any are those of mig-controller's itineraries. Upstream once inverted an Any
// of two flags; here it means "at least one".
type Guard struct {
	All, Any, None Flags
}

// Reads returns the set of flags that the guard depends on.
func (g Guard) Reads() Flags { return g.All | g.Any | g.None }

// Eval evaluates the guard. The result is Unknown only if an unknown flag could still
// change it: one false flag of All settles it, whatever the others are. (A flag both in
// All and in None, which Validate refuses, is noticed only once it is known.)
//
// This is the only implementation of guards: plans, machines and the evaluation
// of flags all call it.
func (g Guard) Eval(f Facts) Truth {
	switch {
	case g.All&f.no|g.None&f.yes != 0,
		// A flag of Any that is also in None cannot be the one that is true.
		g.Any != 0 && g.Any&^g.None&^f.no == 0:
		return False
	case g.All&^f.yes|g.None&^f.no != 0, g.Any != 0 && g.Any&f.yes == 0:
		return Unknown
	}
	return True
}

// The parts of a guard, as reasons name them.
const (
	PartAll  = "all"
	PartAny  = "any"
	PartNone = "none"
)

// Unmet returns the part of the guard that does not admit, and the responsible flags:
// for "all" the false ones, for "none" the true ones, for "any" all of them. If no part
// is known not to admit, it returns the first part with an unknown flag, and the
// unknown flags. For a guard that admits it returns "" and no flags.
func (g Guard) Unmet(f Facts) (part string, flags Flags) {
	switch g.Eval(f) {
	case True:
		return "", 0
	case False:
		switch {
		case g.All&f.no != 0:
			return PartAll, g.All & f.no
		case g.None&f.yes != 0:
			return PartNone, g.None & f.yes
		}
		return PartAny, g.Any
	}
	unknown := ^f.Known()
	switch {
	case g.All&unknown != 0:
		return PartAll, g.All & unknown
	case g.None&unknown != 0:
		return PartNone, g.None & unknown
	}
	return PartAny, g.Any & unknown
}

// Text returns the guard in words, with flags by their names: "HasPVs and (A or
// B) and not C". It is empty for a guard that always admits.
func (g Guard) Text(v *Vocabulary) string {
	parts := v.Names(g.All)
	if g.Any != 0 {
		anyOf := strings.Join(v.Names(g.Any), " or ")
		if g.Any.Len() > 1 && g.Reads() != g.Any {
			anyOf = "(" + anyOf + ")"
		}
		parts = append(parts, anyOf)
	}
	for _, name := range v.Names(g.None) {
		parts = append(parts, "not "+name)
	}
	return strings.Join(parts, " and ")
}

// contradiction returns why no facts can satisfy the guard, or "".
func (g Guard) contradiction(v *Vocabulary) string {
	if both := g.All & g.None; both != 0 {
		return "needs " + wording.List(v.Names(both), "and") + " both in all and in none"
	}
	if g.Any != 0 && g.None.Has(g.Any) {
		return "has every flag of any (" + wording.List(v.Names(g.Any), "and") + ") also in none"
	}
	return ""
}
