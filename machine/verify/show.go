package verify

import (
	"strings"

	"github.com/konveyor/dynamic-pipeline/internal/bdd"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// maxPlans bounds the effort for Finding.Reproduce, in planned phases. In very large
// itineraries with very many findings, the last findings have no command line.
const maxPlans = 1 << 20

// The formats of a printed plan: with the skipped phases and the reasons, or as JSON
// with each phase in order and the step that it is reported under.
const (
	explained = "--explain"
	listed    = "-o json"
)

// show sets the assignment of a finding. It also sets the command line that reproduces
// the finding, if the plan with these flags shows it. If shows is nil, there is no
// command line.
func (c *checker) show(f *Finding, g *machine.Graph, yes phases.Flags, how string, shows func(*machine.Plan) bool) {
	v := g.Vocabulary()
	f.Assignment = v.Names(yes)
	c.plans -= g.Len()
	if shows == nil || c.plans < 0 {
		return
	}
	if shows(g.Plan(phases.NewFacts(yes, v.All()&^yes))) {
		f.Reproduce = c.line(g, f.Assignment, how)
	}
}

// line returns the command that plans an itinerary with flags, or "" if no command can
// name the itinerary.
func (c *checker) line(g *machine.Graph, flags []string, how string) string {
	name := g.Name()
	if c.Input != "" {
		if strings.Contains(name, "#") {
			return ""
		}
		name = c.Input + "#" + name
	}
	line := "plan -i " + quote(name)
	if len(flags) > 0 {
		line += " --flags " + quote(strings.Join(flags, ","))
	}
	return line + " " + how
}

// quote quotes an argument for a shell.
func quote(text string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./,:@%+=#", r)
	}
	if text != "" && !strings.HasPrefix(text, "#") && strings.TrimLeftFunc(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// vocabulary returns the vocabulary that all itineraries share, or an empty one if
// there are none.
func (c *checker) vocabulary() *phases.Vocabulary {
	if len(c.graphs) == 0 {
		return new(phases.Vocabulary)
	}
	return c.graphs[0].Vocabulary()
}

// broken reports whether the flags of a plan break a relation; the command warns about
// that.
func broken(p *machine.Plan) bool {
	return len(p.Graph().Vocabulary().Broken(p.Facts())) > 0
}

// runsIn returns a predicate that reports whether a plan runs the phase at an index.
func runsIn(i int) func(p *machine.Plan) bool {
	return func(p *machine.Plan) bool { return p.Runs(i) == phases.True }
}

// showRunning shows a finding about a phase by a plan that runs the phase.
func (s *subject) showRunning(f *Finding, i int) {
	s.showFirst(f, listed, runsIn(i), s.And(s.relations, s.guard(s.g.Phase(i).Guard)))
}

// showFirst shows a finding by the first of some sets whose smallest assignment gives a
// plan that shows it. If there is none, it uses the first set that is not empty,
// without a command line.
func (s *subject) showFirst(f *Finding, how string, shows func(*machine.Plan) bool, sets ...bdd.Set) {
	for _, set := range sets {
		yes, ok := s.smallest(set)
		if !ok {
			continue
		}
		if f.Assignment == nil {
			s.show(f, s.g, yes, how, shows)
		} else {
			var better Finding
			if s.show(&better, s.g, yes, how, shows); better.Reproduce != "" {
				f.Assignment, f.Reproduce = better.Assignment, better.Reproduce
			}
		}
		if f.Reproduce != "" {
			return
		}
	}
}
