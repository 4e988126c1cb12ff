package verify

import (
	"cmp"
	"fmt"

	"github.com/konveyor/dynamic-pipeline/internal/bdd"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// subject is an itinerary that is checked.
type subject struct {
	*checker
	g *machine.Graph
	// targets are the indices that the jumps of each phase lead to. back reports
	// whether one of them leads back.
	targets [][]int
	back    bool

	*space // nil if not created yet, or dropped
	memo
	// effort is the remaining effort of the rule in progress, in places to examine.
	effort int
	limit  int // the bound of the next space
	// undecidedReason is the reason why rules that follow runs cannot be decided, or empty.
	undecidedReason string
}

// memo caches what several rules need, in the sets of one space.
type memo struct {
	runs   *runs
	under  [][]underStep
	leaves [][]leave
}

// underStep holds the assignments with which an entered phase belongs to a step.
type underStep struct {
	step int
	with bdd.Set
}

// leave holds the assignments with which a run that has been in a phase continues at a
// place.
type leave struct {
	jump int // -1: in order
	to   int
	with bdd.Set
}

// maxEffort bounds each rule for one itinerary.
const maxEffort = 1 << 20

func newSubject(c *checker, g *machine.Graph) *subject {
	s := &subject{checker: c, g: g, targets: make([][]int, g.Len()), limit: cmp.Or(c.MaxNodes, bdd.MaxNodes)}
	for i := range g.Len() {
		for _, j := range g.Phase(i).Jumps {
			to, _ := g.Lookup(j.To) // it compiled
			s.targets[i] = append(s.targets[i], to)
			s.back = s.back || to <= i
		}
	}
	return s
}

// at returns the place of a finding about a phase.
func (s *subject) at(i int) at { return at{g: s.g, phase: i, node: s.Source.phase(s.g.Name(), i)} }

// check checks one rule. If the rule is not decided, its findings are dropped.
func (s *subject) check(rule checkedRule) {
	before := len(s.found)
	s.effort = maxEffort
	if s.space == nil {
		s.space = newSpace(s.g.Vocabulary(), s.g, s.limit)
		s.memo = memo{under: make([][]underStep, s.g.Len()), leaves: make([][]leave, s.g.Len())}
	}
	rule.each(s)
	why := ""
	switch err := s.Err(); {
	case err != nil:
		why = err.Error()
		// Its sets are meaningless now. The rules that follow get less memory, so all
		// of them together take seconds.
		s.space, s.limit = nil, max(s.limit/8, 1)
	case s.effort >= 0:
		return
	case s.undecidedReason != "":
		why = s.undecidedReason
	default:
		why = "there are too many paths through its phases"
	}
	s.found = s.found[:before]
	s.notDecided(at{g: s.g, phase: -1},
		fmt.Sprintf("for itinerary %q: %s; split the itinerary, or state more relations between its flags", s.g.Name(), why))
}

// notDecided adds the finding that the rule in progress is not decided.
func (c *checker) notDecided(where at, text string) {
	rule, index := c.rule, c.index
	rules := Rules()
	c.index = ruleIndex(rules, NotDecided)
	c.rule = rules[c.index]
	c.add(where, "rule %s is not decided %s", rule.Name, text)
	c.rule, c.index = rule, index
}

// spend spends effort for some places, and reports whether the rule may continue.
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

// onward returns the places at which a run may continue after the phase at an index.
func (s *subject) onward(i int) []leave {
	if s.leaves[i] != nil {
		return s.leaves[i]
	}
	var all []leave
	if s.g.IsEnd(i) {
		all = []leave{{-1, s.g.Len(), bdd.All}}
	} else {
		rest := bdd.All
		for k, j := range s.g.Phase(i).Jumps {
			if j.Choice {
				all = append(all, leave{k, s.targets[i][k], bdd.All})
				continue
			}
			admits := s.guard(j.Guard)
			all = append(all, leave{k, s.targets[i][k], s.And(rest, admits)})
			rest = s.Minus(rest, admits)
		}
		all = append(all, leave{-1, i + 1, rest})
	}
	s.leaves[i] = all
	return all
}

// underSteps returns the steps that the phase at an index may belong to.
func (s *subject) underSteps(i int) []underStep {
	if s.under[i] != nil {
		return s.under[i]
	}
	all := []underStep{}
	add := func(name string, with bdd.Set) {
		step := s.g.StepIndex(name)
		if step < 0 {
			return
		}
		for k := range all {
			if all[k].step == step {
				all[k].with = s.Or(all[k].with, with)
				return
			}
		}
		all = append(all, underStep{step, with})
	}
	rest := bdd.All
	for _, one := range s.g.Phase(i).Steps {
		admits := s.guard(one.Guard)
		add(one.Step, s.And(rest, admits))
		rest = s.Minus(rest, admits)
	}
	add(s.g.Phase(i).Step, rest)
	s.under[i] = all
	return all
}

// belongs returns the assignments with which the phase at an index belongs to a
// step, and those with which it belongs to another.
func (s *subject) belongs(i, step int) (with, other bdd.Set) {
	for _, u := range s.underSteps(i) {
		if u.step == step {
			with = u.with
		} else {
			other = s.Or(other, u.with)
		}
	}
	return with, other
}

// shows is like belongs, but returns no assignments for a phase that rides, because it
// does not make its step visible.
func (s *subject) shows(i, step int) (with, other bdd.Set) {
	if s.g.Rides(i) {
		return bdd.None, bdd.None
	}
	return s.belongs(i, step)
}
