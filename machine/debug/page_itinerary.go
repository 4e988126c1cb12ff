package debug

import (
	"fmt"
	"slices"
	"strings"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// itineraryList is the page of all itineraries.
type itineraryList struct {
	meta
	Items []itineraryRow `json:"items"`
}

type itineraryRow struct {
	Name    string        `json:"name"`
	Phases  int           `json:"phases"`
	Steps   int           `json:"steps"`
	Flags   int           `json:"flags"`
	Cleanup bool          `json:"cleanup,omitempty"`
	Result  phases.Result `json:"result"`
	Page    string        `json:"-"`
	Runs    string        `json:"-"`
}

func newItineraryList(set *machine.Set) *itineraryList {
	p := &itineraryList{Items: []itineraryRow{}}
	for _, name := range set.Names() {
		g, err := set.Graph(name)
		if err != nil {
			continue // cannot happen for a name of the set
		}
		p.Items = append(p.Items, itineraryRow{
			Name: name, Phases: g.Len(), Steps: len(g.Steps()), Flags: g.Reads().Len(),
			Cleanup: g.IsCleanup(), Result: g.Result(),
			Page: link("itinerary", "name", name), Runs: link("./", "itinerary", name),
		})
	}
	return p
}

func (p *itineraryList) page() string  { return "itineraries" }
func (p *itineraryList) title() string { return "Itineraries" }

func (p *itineraryList) text(t *text) {
	rows := make([][]string, len(p.Items))
	for i, r := range p.Items {
		rows[i] = []string{r.Name, fmt.Sprint(r.Phases), fmt.Sprint(r.Steps), fmt.Sprint(r.Flags), r.Kind(), string(r.Result)}
	}
	t.table([]string{"NAME", "PHASES", "STEPS", "FLAGS", "KIND", "RESULT"}, rows)
}

// Kind describes the kind of itinerary.
func (r itineraryRow) Kind() string {
	if r.Cleanup {
		return "cleanup"
	}
	return "work"
}

// itineraryView is the page of an itinerary, planned with flags that a reader sets.
type itineraryView struct {
	meta
	Name    string        `json:"name"`
	Cleanup bool          `json:"cleanup,omitempty"`
	Result  phases.Result `json:"result"`
	Flags   []switchView  `json:"flags"`
	// Turned is the flag that was set last. Changed lists the flags that the relations
	// changed with it.
	Turned  *setting  `json:"turned,omitempty"`
	Changed []setting `json:"changed,omitempty"`
	// Added and Removed are the steps by which the pipeline differs from the one before the
	// last turn.
	Added   []string `json:"added,omitempty"`
	Removed []string `json:"removed,omitempty"`
	// Broken lists relations that do not hold: no real run has such flags.
	Broken     []string    `json:"broken,omitempty"`
	Pipeline   []string    `json:"pipeline"`
	MaybeSteps []string    `json:"maybeSteps,omitempty"`
	LeftOut    []leftOut   `json:"leftOut,omitempty"`
	Phases     []phaseView `json:"phases"`

	plan *machine.Plan
	hand switches
	v    *phases.Vocabulary
}

// setting is a flag and its value.
type setting struct {
	Flag  string `json:"flag"`
	Value string `json:"value"`
}

// switchView is the switch of a flag.
type switchView struct {
	factView
	// Set reports whether the value was set by hand, and Forced whether it follows from
	// relations with flags that were. Otherwise it is the default.
	Set    bool `json:"set,omitempty"`
	Forced bool `json:"forced,omitempty"`
	// Changed reports whether the last turn changed the value.
	Changed bool `json:"changed,omitempty"`
}

// Origin describes where the value comes from.
func (s switchView) Origin() string {
	switch {
	case s.Set:
		return "set here"
	case s.Forced:
		return "follows"
	}
	return "default"
}

// The values of a flag, in parameters and on pages.
const (
	valueTrue    = "true"
	valueFalse   = "false"
	valueUnknown = "unknown"
)

var valueOf = map[phases.Truth]string{phases.True: valueTrue, phases.False: valueFalse, phases.Unknown: valueUnknown}

var itineraryParameters = []parameter{
	{name: "name"}, {name: "set", several: true}, {name: "unset", several: true}, {name: "unknown", several: true}, {name: "turn"},
}

// switches are the flags that a reader has set.
type switches struct {
	flags phases.Flags // all that are set
	facts phases.Facts // their values, possibly unknown
}

func (s switches) with(flag phases.Flags, value phases.Truth) switches {
	return switches{s.flags | flag, s.facts.Set(flag, value)}
}

// complete returns the values of all flags: those that are set, those that the relations
// then force, and false for the rest if the relations allow it. forced lists the flags
// whose value is neither set nor the default.
func (s switches) complete(v *phases.Vocabulary) (all phases.Facts, forced phases.Flags) {
	open := s.flags &^ s.facts.Known()
	all = v.Propagate(s.facts, open)
	forced = all.Known()
	for flag := range v.All().Each {
		if (all.Known() | open).Has(flag) {
			continue
		}
		all = all.Set(flag, phases.False)
		after := v.Propagate(all, open)
		forced |= after.Known() &^ all.Known()
		all = after
	}
	return all, forced &^ s.flags
}

// turn sets one more flag. Earlier settings give way if the relations then force another
// value.
func (s switches) turn(v *phases.Vocabulary, flag phases.Flags, value phases.Truth) switches {
	one := switches{}.with(flag, value)
	forced := v.Propagate(one.facts, one.flags&^one.facts.Known())
	for other := range (s.flags &^ flag).Each {
		if is := s.facts.Of(other); !forced.Known().Has(other) || forced.Of(other) == is {
			one = one.with(other, is)
		}
	}
	return one
}

// parameters returns the switches as parameters of a link.
func (s switches) parameters(v *phases.Vocabulary) []string {
	join := func(f phases.Flags) string { return strings.Join(v.Names(f), ",") }
	return []string{"set", join(s.facts.True()), "unset", join(s.facts.False()), "unknown", join(s.flags &^ s.facts.Known())}
}

// parseSwitches reads the switches of a query, and the flag that is turned last.
func parseSwitches(q query, v *phases.Vocabulary) (s switches, turned phases.Flags, value phases.Truth, err error) {
	for _, p := range []struct {
		name  string
		value phases.Truth
	}{{"set", phases.True}, {"unset", phases.False}, {"unknown", phases.Unknown}} {
		for _, name := range q.list(p.name) {
			flag, err := parseFlag(v, p.name, name)
			switch {
			case err != nil:
				return s, 0, 0, err
			case s.flags.Has(flag) && s.facts.Of(flag) != p.value:
				return s, 0, 0, &requestError{status: badRequest,
					Message: fmt.Sprintf("flag %s has two values; name it in only one of set, unset and unknown", name)}
			}
			s = s.with(flag, p.value)
		}
	}
	if text := q.get("turn"); text != "" {
		i := strings.LastIndexByte(text, '=')
		known := map[string]phases.Truth{valueTrue: phases.True, valueFalse: phases.False, valueUnknown: phases.Unknown}
		to, ok := known[text[i+1:]]
		if i < 0 || !ok {
			return s, 0, 0, &requestError{status: badRequest,
				Message: fmt.Sprintf("the parameter turn takes FLAG=true, FLAG=false or FLAG=unknown, not %q", shorten(text))}
		}
		if turned, err = parseFlag(v, "turn", text[:i]); err != nil {
			return s, 0, 0, err
		}
		value = to
	}
	return s, turned, value, nil
}

func parseFlag(v *phases.Vocabulary, parameter, name string) (phases.Flags, error) {
	flag, err := v.Parse(name)
	if err != nil {
		return 0, &requestError{status: badRequest, Message: fmt.Sprintf("parameter %s: %v", parameter, err)}
	}
	return flag, nil
}

// newItineraryView plans an itinerary for the switches of a query.
func newItineraryView(g *machine.Graph, q query) (*itineraryView, error) {
	v := g.Vocabulary()
	hand, turned, value, err := parseSwitches(q, v)
	if err != nil {
		return nil, err
	}
	before, _ := hand.complete(v)
	if turned != 0 {
		hand = hand.turn(v, turned, value)
	}
	facts, forced := hand.complete(v)
	p := &itineraryView{
		Name: g.Name(), Cleanup: g.IsCleanup(), Result: g.Result(),
		plan: g.Plan(facts), hand: hand, v: v, Flags: []switchView{},
	}
	p.Pipeline = steps.Visible(p.plan)
	p.MaybeSteps = steps.Possible(p.plan)
	p.Phases = phasesOf(p.plan)
	shown := make(map[string]bool)
	for _, name := range slices.Concat(p.Pipeline, p.MaybeSteps) {
		shown[name] = true
	}
	p.LeftOut = stepsLeftOut(p.plan, shown)
	if turned != 0 {
		p.Turned = &setting{v.Names(turned)[0], valueOf[value]}
		old := steps.Visible(g.Plan(before))
		p.Added, p.Removed = missing(p.Pipeline, old), missing(old, p.Pipeline)
	}
	for _, def := range v.Defs() {
		changed := turned != 0 && def.Flag != turned && facts.Of(def.Flag) != before.Of(def.Flag)
		if changed {
			p.Changed = append(p.Changed, setting{def.Name, valueOf[facts.Of(def.Flag)]})
		}
		if !g.Reads().Has(def.Flag) {
			continue
		}
		s := switchView{
			factView: flagView(g, def), Set: hand.flags.Has(def.Flag),
			Forced: forced.Has(def.Flag), Changed: changed,
		}
		s.Value = valueOf[facts.Of(def.Flag)]
		p.Flags = append(p.Flags, s)
	}
	for _, clause := range v.Broken(facts) {
		p.Broken = append(p.Broken, "at least one of these must hold: "+wording.List(v.Literals(clause), "or"))
	}
	return p, nil
}

// missing returns the names that are not in other.
func missing(names, other []string) []string {
	var all []string
	for _, name := range names {
		if !slices.Contains(other, name) {
			all = append(all, name)
		}
	}
	return all
}

// Switches are the values of the parameters set, unset and unknown.
func (p *itineraryView) Switches() []setting {
	all := p.hand.parameters(p.v)
	var values []setting
	for i := 0; i < len(all); i += 2 {
		if all[i+1] != "" {
			values = append(values, setting{all[i], all[i+1]})
		}
	}
	return values
}

// Values are the possible values of a switch.
func (p *itineraryView) Values() []string { return []string{valueTrue, valueFalse, valueUnknown} }

// IsNew reports whether a step appeared with the last turn.
func (p *itineraryView) IsNew(step string) bool { return slices.Contains(p.Added, step) }

// Plain is the page without settings.
func (p *itineraryView) Plain() string { return link("itinerary", "name", p.Name) }

// Touched reports whether any flag was set.
func (p *itineraryView) Touched() bool { return p.hand.flags != 0 }

// Graph is the link to the graph with these flags.
func (p *itineraryView) Graph(format string) string {
	return link("graph", slices.Concat([]string{"itinerary", p.Name}, p.hand.parameters(p.v), []string{"format", format})...)
}

// Said describes what the last turn did, in sentences; empty if there was none.
func (p *itineraryView) Said() string {
	if p.Turned == nil {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s is %s.", p.Turned.Flag, p.Turned.Value)
	if len(p.Changed) > 0 {
		var all []string
		for _, c := range p.Changed {
			all = append(all, c.Flag+" is "+c.Value)
		}
		b.WriteString(" Related flags change as well: " + wording.List(all, "and") + ".")
	}
	if len(p.Removed) > 0 {
		b.WriteString(" " + wording.List(p.Removed, "and") + " " + verb(p.Removed, "vanishes", "vanish") + ".")
	}
	if len(p.Added) > 0 {
		b.WriteString(" " + wording.List(p.Added, "and") + " " + verb(p.Added, "appears", "appear") + ".")
	}
	if len(p.Added)+len(p.Removed) == 0 {
		b.WriteString(" The steps stay the same.")
	}
	return b.String()
}

func verb(names []string, one, several string) string {
	if len(names) == 1 {
		return one
	}
	return several
}

func (p *itineraryView) page() string  { return "itinerary" }
func (p *itineraryView) title() string { return p.Name }

func (p *itineraryView) text(t *text) {
	t.line("Itinerary " + p.Name)
	if said := p.Said(); said != "" {
		t.line(said)
	}
	for _, broken := range p.Broken {
		t.line("No real run has these flags: " + broken)
	}
	section(t, "Flags", []string{"FLAG", "VALUE", "", "WHO DECIDES IT"}, p.Flags, func(s switchView) []string {
		return []string{s.Flag, s.Value, s.Origin(), s.Decided()}
	})
	section(t, "Pipeline", nil, p.Pipeline, func(s string) []string { return []string{s} })
	section(t, "May run", nil, p.MaybeSteps, func(s string) []string { return []string{s} })
	section(t, "Left out", []string{"STEP", "WHY"}, p.LeftOut, func(l leftOut) []string { return []string{l.Step, l.Why} })
	section(t, "Phases", []string{"PHASE", "STEP", "PLAN", "WHY"}, p.Phases, func(v phaseView) []string {
		return []string{v.Name, v.Step, v.Plan(), v.Reason()}
	})
}
