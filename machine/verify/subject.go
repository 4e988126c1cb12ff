package verify

import (
	"fmt"

	"github.com/konveyor/dynamic-pipeline/internal/bdd"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// subject is an itinerary that is checked.
type subject struct {
	*checker
	g *machine.Graph
	// targets are the indices that the jumps of each phase lead to.
	targets [][]int
	*space  // nil if it is not made yet, or was dropped
	runs    *runs
	// effort is what the present rule may still cost, in places of the itinerary
	// that are looked at.
	effort int
}

// maxEffort bounds each rule for one itinerary.
const maxEffort = 1 << 20

func newSubject(c *checker, g *machine.Graph) *subject {
	s := &subject{checker: c, g: g, targets: make([][]int, g.Len())}
	for i := range g.Len() {
		for _, j := range g.Phase(i).Jumps {
			to, _ := g.Lookup(j.To) // it compiled
			s.targets[i] = append(s.targets[i], to)
		}
	}
	return s
}

// check checks one rule. If it is not decided, nothing of what it found is kept.
func (s *subject) check(rule checkedRule) {
	before := len(s.found)
	s.effort = maxEffort
	if s.space == nil {
		s.space = newSpace(s.g.Vocabulary(), s.g, s.MaxNodes)
	}
	rule.each(s)
	why := ""
	switch err := s.Err(); {
	case err != nil:
		why = err.Error()
		s.space, s.runs = nil, nil // what it holds is meaningless
	case s.effort < 0:
		why = "there are too many ways through its phases"
	default:
		return
	}
	s.found = s.found[:before]
	rules := Rules()
	s.index = ruleIndex(rules, NotDecided)
	s.rule = rules[s.index]
	s.add(at{g: s.g, phase: -1}, fmt.Sprintf("rule %s is not decided for itinerary %q: %s; split the itinerary, or state more relations between its flags", rule.Name, s.g.Name(), why))
	s.rule, s.index = rule.Rule, ruleIndex(rules, rule.Name)
}

// spend reports whether the rule may go on, having looked at some more places.
func (s *subject) spend(places int) bool {
	s.effort -= places
	return s.effort >= 0 && s.Err() == nil
}

// decides returns the flags that may change while a phase works.
func (s *subject) decides(i int) phases.Flags {
	if s.g.IsEnd(i) {
		return 0
	}
	return s.g.Phase(i).Decides | s.g.Vocabulary().Live()
}

// onward calls yield with each place that a run may go to from a phase, and the
// assignments of out with which it does; place -1 is by the jump of an index.
func (s *subject) onward(i int, out bdd.Set, yield func(jump, to int, with bdd.Set)) {
	if s.g.IsEnd(i) {
		yield(-1, s.g.Len(), out)
		return
	}
	for k, j := range s.g.Phase(i).Jumps {
		if j.Choice {
			yield(k, s.targets[i][k], out)
			continue
		}
		taken := s.guard(j.Guard)
		yield(k, s.targets[i][k], s.And(out, taken))
		out = s.Minus(out, taken)
	}
	yield(-1, i+1, out)
}
