package verify

import (
	"math/bits"

	"github.com/konveyor/dynamic-pipeline/internal/bdd"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// space holds sets of assignments of the flags of a vocabulary.
type space struct {
	*bdd.Space
	vocabulary *phases.Vocabulary
	variable   [phases.MaxFlags]int // by the bit of a flag
	flag       []phases.Flags       // by variable
	relations  bdd.Set              // the assignments that the relations allow
	guards     map[phases.Guard]bdd.Set
}

// newSpace returns a space whose variable order keeps flags close to each other if a
// guard or a relation reads them together.
func newSpace(v *phases.Vocabulary, g *machine.Graph, limit int) *space {
	s := &space{Space: bdd.New(v.Len(), limit), vocabulary: v, guards: map[phases.Guard]bdd.Set{}}
	s.order(together(v, g))
	s.relations = bdd.All
	for _, c := range v.Relations() {
		s.relations = s.And(s.relations, s.clause(c))
	}
	return s
}

// together returns for each flag, by its bit, the flags that a relation or a guard
// reads together with it.
func together(v *phases.Vocabulary, g *machine.Graph) (near [phases.MaxFlags]phases.Flags) {
	add := func(flags phases.Flags) {
		for flag := range flags.Each {
			near[bit(flag)] |= flags
		}
	}
	for _, c := range v.Relations() {
		add(c.True | c.False)
	}
	if g == nil {
		return near
	}
	for i := range g.Len() {
		p := g.Phase(i)
		add(p.Guard.Reads())
		for _, s := range p.Steps {
			add(s.Guard.Reads())
		}
		for _, j := range p.Jumps {
			add(j.Guard.Reads())
		}
	}
	return near
}

// order numbers the variables breadth first along flags that are read together, which
// keeps the diagrams small (as E. Cuthill and J. McKee keep the bandwidth of matrices).
func (s *space) order(near [phases.MaxFlags]phases.Flags) {
	seen := phases.Flags(0)
	var next []phases.Flags
	add := func(flags phases.Flags) {
		for flag := range (flags &^ seen).Each {
			seen |= flag
			next = append(next, flag)
		}
	}
	for flag := range s.vocabulary.All().Each {
		for add(flag); len(next) > 0; next = next[1:] {
			s.variable[bit(next[0])] = len(s.flag)
			s.flag = append(s.flag, next[0])
			add(near[bit(next[0])])
		}
	}
}

func bit(flag phases.Flags) int { return bits.TrailingZeros64(uint64(flag)) }

// literal returns the assignments in which the flag has the value.
func (s *space) literal(flag phases.Flags, value bool) bdd.Set {
	return s.Literal(s.variable[bit(flag)], value)
}

// all returns the assignments in which all the flags have the value.
func (s *space) all(flags phases.Flags, value bool) bdd.Set {
	set := bdd.All
	for flag := range flags.Each {
		set = s.And(set, s.literal(flag, value))
	}
	return set
}

// clause returns the assignments in which a relation holds.
func (s *space) clause(c phases.Clause) bdd.Set {
	return s.Not(s.And(s.all(c.True, false), s.all(c.False, true)))
}

// guard returns the assignments in which the guard admits.
func (s *space) guard(g phases.Guard) bdd.Set {
	if set, ok := s.guards[g]; ok {
		return set
	}
	set := s.And(s.all(g.All, true), s.all(g.None, false))
	if g.Any != 0 {
		set = s.Minus(set, s.all(g.Any, false))
	}
	s.guards[g] = set
	return set
}

// free returns the assignments that can result from those of a set if the flags take
// any values that the relations allow.
func (s *space) free(set bdd.Set, flags phases.Flags) bdd.Set {
	if flags == 0 {
		return set
	}
	for flag := range flags.Each {
		set = s.Exists(set, s.variable[bit(flag)])
	}
	return s.And(set, s.relations)
}

// smallest returns the flags that are true in the smallest assignment of a set. ok is
// false if the set is empty or a bound was hit.
func (s *space) smallest(set bdd.Set) (flags phases.Flags, ok bool) {
	variables, ok := s.Smallest(set)
	for _, v := range variables {
		flags |= s.flag[v]
	}
	return flags, ok
}
