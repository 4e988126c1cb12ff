package verify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Check checks the itineraries of a set by all rules ([Rules]), over every assignment
// of their flags that the relations allow and every path that a run can take. It
// returns the findings ordered by itinerary, phase and rule, including the suppressed
// ones with their reasons. It returns no error: a rule that is not decided is a finding
// of [NotDecided]. It is safe for concurrent use.
func Check(set *machine.Set, o Options) []Finding {
	var graphs []*machine.Graph
	for _, name := range set.Names() {
		if g, err := set.Graph(name); err == nil {
			graphs = append(graphs, g)
		}
	}
	return CheckGraphs(graphs, o)
}

// CheckGraphs is [Check] for itineraries of any size, including those that are too
// large for a set. Their names must differ, and they must share one vocabulary.
func CheckGraphs(graphs []*machine.Graph, o Options) []Finding {
	c := &checker{graphs: graphs, Options: o, plans: maxPlans}
	if o.Source != nil {
		c.Input = cmp.Or(o.Input, o.Source.name)
	}
	for _, g := range graphs {
		c.subjects = append(c.subjects, newSubject(c, g))
	}
	for i, rule := range table() {
		if !c.checks(rule.Name) {
			continue
		}
		c.rule, c.index = rule.Rule, i
		if rule.set != nil {
			rule.set(c)
		}
		if rule.each != nil {
			for _, s := range c.subjects {
				s.check(rule)
			}
		}
	}
	c.suppress()
	slices.SortStableFunc(c.found, func(a, b found) int {
		return cmp.Or(a.itinerary-b.itinerary, a.phase-b.phase, a.rule-b.rule)
	})
	findings := make([]Finding, len(c.found))
	for i, f := range c.found {
		findings[i] = f.Finding
	}
	return findings
}

// checker is the state of one Check.
type checker struct {
	Options
	graphs   []*machine.Graph
	subjects []*subject
	rule     Rule // the rule in progress
	index    int
	found    []found
	plans    int // the remaining effort for Finding.Reproduce
}

// found is a finding with its sort keys. An index of -1 sorts before the first.
type found struct {
	Finding
	itinerary, phase, rule int
}

// at is the place of a finding.
type at struct {
	g     *machine.Graph // nil for the vocabulary and the like
	phase int            // -1 for none
	step  string
	flag  string
	node  *yaml.Node // in the file; nil for that of the phase or the itinerary
}

// add adds a finding of the rule in progress; format and args are its text.
func (c *checker) add(where at, format string, args ...any) *Finding {
	f := found{
		Finding: Finding{Rule: c.rule.Name, Severity: c.rule.Severity, Step: where.step, Flag: where.flag},
		phase:   where.phase, rule: c.index, itinerary: slices.Index(c.graphs, where.g),
	}
	f.Text = fmt.Sprintf(format, args...)
	if where.g != nil {
		f.Itinerary = where.g.Name()
		if where.node == nil {
			where.node = c.Source.itinerary(f.Itinerary)
		}
		if where.phase >= 0 {
			f.Phase = where.g.Phase(where.phase).Name
		}
	}
	f.Place = Place{Itinerary: f.Itinerary, Phase: f.Phase}
	c.Source.locate(&f.Place, where.node)
	c.found = append(c.found, f)
	return &c.found[len(c.found)-1].Finding
}

// String returns the finding on one line: its position, severity, rule and text and, if
// it has them, its assignment and command.
func (f Finding) String() string {
	var b strings.Builder
	if f.Place.File != "" {
		fmt.Fprintf(&b, "%s:%d:%d: ", f.Place.File, f.Place.Line, f.Place.Column)
	}
	fmt.Fprintf(&b, "%s: %s: %s", f.Severity, f.Rule, f.Text)
	if f.Assignment != nil {
		fmt.Fprintf(&b, "; with %s", cmp.Or(wording.List(f.Assignment, "and"), "no flag"))
	}
	if f.Reproduce != "" {
		fmt.Fprintf(&b, " (%s)", f.Reproduce)
	}
	return b.String()
}

// suppress marks the suppressed findings, and adds a finding for each suppression that
// is invalid, or covers none of a rule that is checked.
func (c *checker) suppress() {
	rules := Rules()
	c.index = ruleIndex(rules, SuppressionUnused)
	c.rule = rules[c.index]
	findings := len(c.found)
	suppress := func(s phases.Suppression, node *yaml.Node) {
		if err := s.Validate(); err != nil {
			c.unused(s, node, err.Error())
			return
		}
		used := false
		for i := range c.found[:findings] {
			if f := &c.found[i]; covers(s, f.Finding) {
				used = true
				f.Suppressed = cmp.Or(f.Suppressed, s.Reason)
			}
		}
		switch {
		case used:
		case !c.checks(s.Rule): // it may be needed where the rule is checked
		case ruleIndex(rules, s.Rule) < 0:
			var names []string
			for _, r := range rules {
				names = append(names, r.Name)
			}
			c.unused(s, node, fmt.Sprintf("no rule is called %q%s", s.Rule, wording.DidYouMean(wording.Nearest(s.Rule, names))))
		default:
			c.unused(s, node, fmt.Sprintf("the suppression of %s covers no finding; remove it", suppressionText(s)))
		}
	}
	for _, s := range c.Suppressions {
		suppress(s, nil)
	}
	if c.Source != nil {
		for i, s := range c.Source.file.Suppressions {
			suppress(s, c.Source.top("suppress", i))
		}
	}
}

// unused adds the finding of a suppression that has no effect.
func (c *checker) unused(s phases.Suppression, node *yaml.Node, text string) {
	f := c.add(at{phase: -1, step: s.Step, flag: s.Flag, node: node}, "%s", text)
	f.Itinerary, f.Phase, f.Suppression = s.Itinerary, s.Phase, s.Rule
	f.Place.Itinerary, f.Place.Phase = s.Itinerary, s.Phase
}

// covers reports whether the suppression applies to the finding.
func covers(s phases.Suppression, f Finding) bool {
	for _, p := range [][2]string{{s.Itinerary, f.Itinerary}, {s.Phase, f.Phase}, {s.Step, f.Step}, {s.Flag, f.Flag}} {
		if p[0] != "" && p[0] != p[1] {
			return false
		}
	}
	return s.Rule == f.Rule
}

// suppressionText names a suppression by its rule and place.
func suppressionText(s phases.Suppression) string {
	text := s.Rule
	for _, part := range [][2]string{{"itinerary", s.Itinerary}, {"phase", s.Phase}, {"step", s.Step}, {"flag", s.Flag}} {
		if part[1] != "" {
			text += fmt.Sprintf(", %s %q", part[0], part[1])
		}
	}
	return text
}
