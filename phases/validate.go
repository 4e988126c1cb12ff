package phases

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
)

// Validate checks that the itinerary can be compiled. It refuses an itinerary without a
// name, a vocabulary or phases, or with an unknown result. It refuses empty, duplicate
// or ill-formed names, descriptions that are not UTF-8, flags outside the vocabulary,
// and guards that contradict themselves. It refuses a step whose phases all ride, which
// nothing could show, jumps to unknown phases, choices that are duplicate or have a
// guard, and end phases that decide, jump or ride. The error is a [DefinitionErrors]
// with all problems found, in the order of the phases.
func (it Itinerary) Validate() error {
	v := newValidator(it)
	v.itinerary()
	if it.Vocabulary != nil { // without one no guard can be read
		for i := range it.Phases {
			v.phase(i)
		}
	}
	if len(v.errs) == 0 {
		return nil
	}
	return v.errs
}

// validator is the state of one Validate.
type validator struct {
	it   Itinerary
	errs DefinitionErrors
	// names are the names of the phases in order. first is the first index of each.
	names []string
	first map[string]int
	// former are the former names so far, with the index of their phase.
	former map[string]int
	// shown are the steps of phases that do not ride. riding are the other steps so
	// far, each of which is reported once.
	shown, riding map[string]bool
	suggested     int
}

func newValidator(it Itinerary) *validator {
	v := &validator{
		it:     it,
		names:  make([]string, len(it.Phases)),
		first:  make(map[string]int, len(it.Phases)),
		former: make(map[string]int),
		shown:  make(map[string]bool),
		riding: make(map[string]bool),
	}
	for i, p := range it.Phases {
		v.names[i] = p.Name
		if _, ok := v.first[p.Name]; !ok {
			v.first[p.Name] = i
		}
		if !p.Rides {
			v.shown[p.Step] = true
			for _, s := range p.Steps {
				v.shown[s.Step] = true
			}
		}
	}
	return v
}

// add records a problem of the phase of that index, or of the itinerary if the index is
// -1.
func (v *validator) add(index int, reason Reason, format string, args ...any) {
	e := &DefinitionError{Itinerary: v.it.Name, Index: index, Reason: reason, Problem: fmt.Sprintf(format, args...)}
	if index >= 0 {
		e.Phase = v.it.Phases[index].Name
	}
	v.errs = append(v.errs, e)
}

// itinerary checks everything except the phases.
func (v *validator) itinerary() {
	switch {
	case v.it.Name == "":
		v.add(-1, ReasonEmptyName, "has no name; give it one")
	case !utf8.ValidString(v.it.Name):
		v.add(-1, ReasonInvalidName, "its name is not valid UTF-8")
	}
	if !slices.Contains(results, v.it.Result.OrDefault()) {
		v.add(-1, ReasonUnknownResult, "its result is %q; it must be %s, or empty", v.it.Result, resultList())
	}
	switch {
	case v.it.Vocabulary == nil:
		v.add(-1, ReasonNoVocabulary, "has no vocabulary; set Vocabulary, to an empty one if no guard reads a flag")
	case len(v.it.Phases) == 0:
		v.add(-1, ReasonNoPhases, "has no phases; give it at least one")
	}
}

// phase checks the phase of that index.
func (v *validator) phase(i int) {
	p := v.it.Phases[i]
	v.name(i, p.Name)
	if p.Step != "" || !p.End {
		v.step(i, p.Step)
	}
	for _, s := range p.Steps {
		v.step(i, s.Step)
		v.guard(i, s.Guard, fmt.Sprintf("belongs to step %q under a guard that ", s.Step))
	}
	v.description(i, p.Description)
	v.guard(i, p.Guard, "")
	v.decides(i, p.Decides)
	if p.End {
		v.end(i, p)
	}
	choices := make(map[string]bool)
	for _, j := range p.Jumps {
		v.jump(i, j)
		if j.Choice {
			v.choice(i, j, choices)
		}
	}
	for _, name := range p.Formerly {
		v.formerly(i, name)
	}
}

func (v *validator) name(i int, name string) {
	switch {
	case name == "":
		v.add(i, ReasonEmptyName, "has no name; give it one")
		return
	case !utf8.ValidString(name):
		v.add(i, ReasonInvalidName, "has a name that is not valid UTF-8")
	}
	if first := v.first[name]; first != i {
		v.add(i, ReasonDuplicateName, "is defined twice, as number %d and %d; rename one of them", first+1, i+1)
	}
}

func (v *validator) step(i int, step string) {
	switch {
	case step == "":
		v.add(i, ReasonEmptyName, "has no step; name the step that users see while it runs")
	case !utf8.ValidString(step):
		v.add(i, ReasonInvalidName, "has a step whose name is not valid UTF-8")
	case !v.shown[step] && !v.riding[step]:
		v.riding[step] = true
		v.add(i, ReasonRidingStep, "belongs to step %q, whose phases all ride, so it is never shown; "+
			"let one of them not ride, or give them another step", step)
	}
}

func (v *validator) description(i int, text string) {
	if !utf8.ValidString(text) {
		v.add(i, ReasonInvalidDescription, "has a description that is not valid UTF-8")
	}
}

// guard checks the guard of a phase, step or jump. The prefix begins the problem.
func (v *validator) guard(i int, g Guard, prefix string) {
	if extra := g.Reads() &^ v.it.Vocabulary.All(); extra != 0 {
		v.add(i, ReasonUndeclaredFlag, "%sreads %s", prefix, v.undeclared(extra))
		return
	}
	if c := g.contradiction(v.it.Vocabulary); c != "" {
		v.add(i, ReasonContradiction, "%s%s and can never run; remove the flag from one of them", prefix, c)
	}
}

func (v *validator) decides(i int, flags Flags) {
	if extra := flags &^ v.it.Vocabulary.All(); extra != 0 {
		v.add(i, ReasonUndeclaredFlag, "decides %s", v.undeclared(extra))
	}
}

func (v *validator) jump(i int, j Jump) {
	if _, ok := v.first[j.To]; !ok || j.To == "" {
		v.add(i, ReasonUnknownJump, "jumps to %q, which the itinerary does not have%s", j.To, v.didYouMean(j.To))
	}
	v.guard(i, j.Guard, fmt.Sprintf("jumps to %q under a guard that ", j.To))
}

// choice checks a choice. seen holds the targets of the choices before it.
func (v *validator) choice(i int, j Jump, seen map[string]bool) {
	if j.Guard != (Guard{}) {
		v.add(i, ReasonGuardedChoice,
			"has the choice to jump to %q under a guard, but its handler chooses; remove the guard, or the choice", j.To)
	}
	if seen[j.To] {
		v.add(i, ReasonDuplicateName, "has the choice to jump to %q twice; remove one", j.To)
	}
	seen[j.To] = true
}

// end checks that an end phase does no work.
func (v *validator) end(i int, p Phase) {
	var has []string
	if p.Decides != 0 {
		has = append(has, "decides flags")
	}
	if len(p.Jumps) > 0 {
		has = append(has, "jumps")
	}
	if p.Rides {
		has = append(has, "rides")
	}
	if has != nil {
		v.add(i, ReasonWorkingEnd, "is an end phase, which does no work, but it %s; remove that, or end", wording.List(has, "and"))
	}
}

func (v *validator) formerly(i int, name string) {
	now, isNow := v.first[name]
	before, wasBefore := v.former[name]
	switch {
	case name == "":
		v.add(i, ReasonEmptyName, "has an empty former name; remove it")
	case !utf8.ValidString(name):
		v.add(i, ReasonInvalidName, "has a former name that is not valid UTF-8")
	case isNow:
		v.add(i, ReasonDuplicateName,
			"was formerly %q, which is now the name of phase number %d; a recorded name can mean only one phase", name, now+1)
	case wasBefore:
		v.add(i, ReasonDuplicateName,
			"was formerly %q, and so was phase number %d; a recorded name can mean only one phase", name, before+1)
	default:
		v.former[name] = i
	}
}

// undeclared describes flags that the vocabulary does not have.
func (v *validator) undeclared(extra Flags) string {
	return fmt.Sprintf("flag bits %#x, which the vocabulary of %d flags does not declare; add them to it",
		uint64(extra), v.it.Vocabulary.Len())
}

// didYouMean returns a suggestion of phases for the first unknown names only, because
// comparing a name with thousands of others takes time.
func (v *validator) didYouMean(name string) string {
	const most = 20
	if v.suggested++; v.suggested > most {
		return ""
	}
	return wording.DidYouMean(wording.Nearest(name, v.names))
}
