package verify

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/konveyor/dynamic-pipeline/internal/bdd"
	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// guarded is a guard of an itinerary.
type guarded struct {
	at
	phases.Guard
	what string     // the guarded thing, in words
	keys *yaml.Node // the mapping that holds the guard
}

// eachGuard calls yield with each guard that reads flags, in order.
func (s *subject) eachGuard(yield func(guarded)) {
	for i := range s.g.Len() {
		p, where := s.g.Phase(i), s.at(i)
		one := func(guard phases.Guard, step, what string, keys *yaml.Node) {
			if guard != (phases.Guard{}) {
				where.step, where.node = step, keys
				yield(guarded{where, guard, what, keys})
			}
		}
		node := where.node
		of := fmt.Sprintf("phase %q of itinerary %q", p.Name, s.g.Name())
		one(p.Guard, "", of, node)
		for k, step := range p.Steps {
			one(step.Guard, step.Step, fmt.Sprintf("step %q of %s", step.Step, of), item(value(node, "steps"), k))
		}
		for k, j := range p.Jumps {
			one(j.Guard, "", fmt.Sprintf("the jump to %q of %s", j.To, of), item(value(node, "jumps"), k))
		}
	}
}

func (s *subject) guardContradictsRelations() {
	v := s.g.Vocabulary()
	s.eachGuard(func(g guarded) {
		admits := s.guard(g.Guard)
		if s.And(admits, s.relations) != bdd.None || s.Err() != nil {
			return
		}
		yes, _ := s.smallest(admits) // exists, because the itinerary passed its own validation
		f := s.add(g.at,
			"no flags that the relations allow satisfy the guard of %s (%s): with %s the relation %s does not hold; "+
				"correct one of them",
			g.what, g.Text(v), flagList(v, yes), relationText(v, v.Broken(phases.NewFacts(yes, v.All()&^yes))[0]))
		s.show(f, s.g, yes, explained, broken)
	})
}

// flagList returns the names of the flags that are true in an assignment.
func flagList(v *phases.Vocabulary, yes phases.Flags) string {
	if yes == 0 {
		return "no flag"
	}
	return wording.List(v.Names(yes), "and")
}

// relationText formats a relation as in a YAML file.
func relationText(v *phases.Vocabulary, relation phases.Clause) string {
	return "[" + strings.Join(v.Literals(relation), ", ") + "]"
}

// relationList formats relations as a list in a sentence.
func relationList(v *phases.Vocabulary, relations []phases.Clause) string {
	var texts []string
	for _, r := range relations {
		texts = append(texts, relationText(v, r))
	}
	return wording.List(texts, "and")
}

func (s *subject) guardRedundantFlag() {
	v := s.g.Vocabulary()
	s.eachGuard(func(g guarded) {
		rest := s.reduce(g.Guard)
		if rest == g.Guard {
			return
		}
		without, admits := s.guard(rest), s.guard(g.Guard)
		differs := s.Or(s.Minus(without, admits), s.Minus(admits, without))
		why := "the rest of it settles that"
		if differs != bdd.None {
			settle := s.core(v.Relations(), differs)
			why = "the relations " + relationList(v, settle) + " settle that"
			if len(settle) == 1 {
				why = "the relation " + relationList(v, settle) + " settles that"
			}
		}
		for _, part := range []struct {
			name  string
			flags phases.Flags
		}{{phases.PartAll, g.All &^ rest.All}, {phases.PartAny, g.Any &^ rest.Any}, {phases.PartNone, g.None &^ rest.None}} {
			for _, name := range v.Names(part.flags) {
				where := g.at
				where.flag = name
				if n := entry(value(g.keys, part.name), name); n != nil {
					where.node = n
				}
				f := s.add(where,
					"the guard of %s gives the same answer without %s in %s, because %s; remove %[2]s from %[3]s",
					g.what, wording.List(v.Names(part.flags), "and"), part.name, why)
				s.showFirst(f, explained, broken, differs)
			}
		}
	})
}

// reduce returns the guard without the flags that make no difference under the
// relations: first all flags of Any together, if possible, then one by one.
func (s *space) reduce(g phases.Guard) phases.Guard {
	allowed := s.And(s.guard(g), s.relations)
	same := func(other phases.Guard) bool { return s.And(s.guard(other), s.relations) == allowed && s.Err() == nil }
	if allowed == bdd.None {
		return g
	}
	if whole := (phases.Guard{All: g.All, None: g.None}); same(whole) {
		g = whole
	}
	for _, part := range []*phases.Flags{&g.Any, &g.None, &g.All} {
		for _, flag := range slices.Backward(slices.Collect((*part).Each)) {
			*part &^= flag
			if !same(g) {
				*part |= flag
			}
		}
	}
	return g
}

func (c *checker) relationContradictsRelations() {
	v := c.vocabulary()
	s := &space{}
	if len(c.graphs) > 0 {
		s = newSpace(v, nil, c.MaxNodes)
	}
	var kept []phases.Clause
	allowed := bdd.All
	for i, clause := range v.Relations() {
		next := s.And(allowed, s.clause(clause))
		if s.Err() != nil {
			c.notDecided(at{phase: -1}, fmt.Sprintf("for the relations: %v; state fewer", s.Err()))
			return
		}
		if next != bdd.None {
			allowed = next
			kept = append(kept, clause)
			continue
		}
		yes, _ := s.smallest(allowed)
		text := fmt.Sprintf("the relation %s cannot hold", relationText(v, clause))
		if with := s.core(kept, s.clause(clause)); len(with) > 0 {
			text += " together with " + relationList(v, with)
		}
		f := c.add(at{phase: -1, node: c.Source.top("relations", i)}, "%s; correct one of them", text)
		c.show(f, c.graphs[0], yes, explained, broken)
	}
}

// core returns a few of the relations that together exclude a set: without any one of
// them, something of the set would be allowed. If there are very many relations, it
// returns the first ones.
func (s *space) core(relations []phases.Clause, of bdd.Set) []phases.Clause {
	const most = 64 // more would take too long
	for i := 0; i < len(relations) && len(relations) <= most; {
		fewer := slices.Delete(slices.Clone(relations), i, i+1)
		allowed := of
		for _, c := range fewer {
			allowed = s.And(allowed, s.clause(c))
		}
		if allowed == bdd.None && s.Err() == nil {
			relations = fewer
		} else {
			i++
		}
	}
	return relations[:min(len(relations), most)]
}
