package phases

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
)

// Validate checks that the itinerary can be compiled. It refuses an itinerary
// without a name, a vocabulary or phases, or with an unknown result; empty,
// duplicate or ill-formed names; descriptions that are not UTF-8; flags outside
// the vocabulary; guards that contradict themselves; a step whose phases all
// ride, which nothing could ever show; and jumps to nowhere. The error is a
// [DefinitionErrors] with all that was found, in the order of the phases.
func (it Itinerary) Validate() error {
	const maxSuggestions = 20 // each takes time
	var errs DefinitionErrors
	add := func(index int, reason Reason, format string, args ...any) {
		e := &DefinitionError{Itinerary: it.Name, Index: index, Reason: reason, Problem: fmt.Sprintf(format, args...)}
		if index >= 0 {
			e.Phase = it.Phases[index].Name
		}
		errs = append(errs, e)
	}

	switch {
	case it.Name == "":
		add(-1, ReasonEmptyName, "has no name; give it one")
	case !utf8.ValidString(it.Name):
		add(-1, ReasonInvalidName, "its name is not valid UTF-8")
	}
	if !slices.Contains(results, it.Result.OrDefault()) {
		add(-1, ReasonUnknownResult, "its result is %q, which is none; it must be %s, or empty", it.Result, resultList())
	}
	if it.Vocabulary == nil {
		add(-1, ReasonNoVocabulary, "has no vocabulary; set Flags, to an empty one if no guard reads a flag")
		return errs
	}
	if len(it.Phases) == 0 {
		add(-1, ReasonNoPhases, "has no phases; give it at least one")
	}

	names := make([]string, len(it.Phases))
	known := make(map[string]int, len(it.Phases))
	shows := make(map[string]bool)
	for i, p := range it.Phases {
		names[i] = p.Name
		if _, ok := known[p.Name]; !ok {
			known[p.Name] = i
		}
		shows[p.Step] = shows[p.Step] || !p.Rides
	}

	// Comparing a name with thousands of others takes time: the first problems
	// get suggestions, the others none.
	suggestions := 0
	didYouMean := func(name string) string {
		if suggestions++; suggestions > maxSuggestions {
			return ""
		}
		return wording.DidYouMean(wording.Nearest(name, names))
	}

	former := make(map[string]int)
	riding := make(map[string]bool)
	for i, p := range it.Phases {
		switch {
		case p.Name == "":
			add(i, ReasonEmptyName, "has no name; give it one")
		case !utf8.ValidString(p.Name):
			add(i, ReasonInvalidName, "has a name that is not valid UTF-8")
		}
		if first := known[p.Name]; first != i && p.Name != "" {
			add(i, ReasonDuplicateName, "stands twice, as number %d and %d; rename one of them", first+1, i+1)
		}
		switch {
		case p.Step == "":
			add(i, ReasonEmptyName, "has no step; name the step that people see while it runs")
		case !utf8.ValidString(p.Step):
			add(i, ReasonInvalidName, "has a step whose name is not valid UTF-8")
		case !shows[p.Step] && !riding[p.Step]:
			riding[p.Step] = true
			add(i, ReasonRidingStep, "belongs to step %q, whose phases all ride, so that it could never be seen; let one of them not ride, or give them another step", p.Step)
		}
		if !utf8.ValidString(p.Description) {
			add(i, ReasonInvalidDescription, "has a description that is not valid UTF-8")
		}
		it.validateGuard(p.Guard, "", func(r Reason, problem string) { add(i, r, "%s", problem) })
		if extra := p.Decides &^ it.Vocabulary.All(); extra != 0 {
			add(i, ReasonUndeclaredFlag, "decides %s", it.undeclared(extra))
		}
		for _, j := range p.Jumps {
			if _, ok := known[j.To]; !ok || j.To == "" {
				add(i, ReasonUnknownJump, "jumps to %q, which the itinerary does not have%s", j.To, didYouMean(j.To))
			}
			it.validateGuard(j.Guard, fmt.Sprintf("jumps to %q under a guard that ", j.To), func(r Reason, problem string) { add(i, r, "%s", problem) })
		}
		for _, f := range p.Formerly {
			other, isNow := known[f]
			first, wasBefore := former[f]
			switch {
			case f == "":
				add(i, ReasonEmptyName, "has an empty former name; remove it")
			case !utf8.ValidString(f):
				add(i, ReasonInvalidName, "has a former name that is not valid UTF-8")
			case isNow:
				add(i, ReasonDuplicateName, "was formerly %q, which is the name of phase number %d now; a recorded name can mean only one phase", f, other+1)
			case wasBefore:
				add(i, ReasonDuplicateName, "was formerly %q, and so was phase number %d; a recorded name can mean only one phase", f, first+1)
			default:
				former[f] = i
			}
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return errs
}

func (it Itinerary) validateGuard(g Guard, where string, add func(Reason, string)) {
	if extra := g.Reads() &^ it.Vocabulary.All(); extra != 0 {
		add(ReasonUndeclaredFlag, where+"reads "+it.undeclared(extra))
		return
	}
	if c := g.contradiction(it.Vocabulary); c != "" {
		add(ReasonContradiction, where+c+" and can never run; remove the flag from one of them")
	}
}

func (it Itinerary) undeclared(extra Flags) string {
	return fmt.Sprintf("flag bits %#x, which the vocabulary of %d flags does not declare; add them to it", uint64(extra), it.Vocabulary.Len())
}
