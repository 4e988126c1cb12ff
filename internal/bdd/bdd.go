package bdd

import (
	"fmt"
	"math"
)

// Set is a set of assignments. It belongs to the Space that made it. Two sets of one space are
// equal exactly if they are ==.
type Set int32

// Sets that exist in every space.
const (
	None Set = 0 // no assignment
	All  Set = 1 // every assignment
)

// MaxNodes is the default limit of a Space.
const MaxNodes = 1 << 20

// LimitError reports that the sets of a space need more nodes than its limit.
type LimitError struct{ Nodes int }

func (e *LimitError) Error() string {
	return fmt.Sprintf("the sets of assignments need more than %d nodes", e.Nodes)
}

// node branches on a variable: low is the set in which it is false, and high the one in which it is
// true.
type node struct {
	variable  int32
	low, high Set
}

// triple is an operation on three sets: if, then, else.
type triple struct{ i, t, e Set }

// quantified is a set from which a variable was eliminated.
type quantified struct {
	s        Set
	variable int32
}

// Space makes sets and combines them. It is not safe for concurrent use.
type Space struct {
	variables int
	limit     int
	nodes     []node
	unique    map[node]Set
	ite       map[triple]Set
	exists    map[quantified]Set
	err       error
}

// New returns a space of sets over variables 0 to variables-1. The numbers are also the order of
// the variables: those that are read together should have near numbers. The space holds at most
// limit nodes. Zero means [MaxNodes].
func New(variables, limit int) *Space {
	if limit <= 0 {
		limit = MaxNodes
	}
	end := int32(variables)
	return &Space{
		variables: variables,
		limit:     limit,
		nodes:     []node{{variable: end}, {variable: end}},
		unique:    map[node]Set{},
		ite:       map[triple]Set{},
		exists:    map[quantified]Set{},
	}
}

// Variables returns the number of variables.
func (p *Space) Variables() int { return p.variables }

// Len returns the number of nodes that the space holds.
func (p *Space) Len() int { return len(p.nodes) }

// Err returns a [*LimitError] if the limit of the space was reached. All sets made since then are
// meaningless.
func (p *Space) Err() error { return p.err }

// Var returns the assignments in which the variable is true.
func (p *Space) Var(variable int) Set { return p.make(int32(variable), None, All) }

// Literal returns the assignments in which the variable has the given value.
func (p *Space) Literal(variable int, value bool) Set {
	if value {
		return p.make(int32(variable), None, All)
	}
	return p.make(int32(variable), All, None)
}

// Not returns the assignments that are not in s.
func (p *Space) Not(s Set) Set { return p.Ite(s, None, All) }

// And returns the assignments that are in all of the sets.
func (p *Space) And(sets ...Set) Set {
	result := All
	for _, s := range sets {
		result = p.Ite(result, s, None)
	}
	return result
}

// Or returns the assignments that are in one of the sets.
func (p *Space) Or(sets ...Set) Set {
	result := None
	for _, s := range sets {
		result = p.Ite(result, All, s)
	}
	return result
}

// Minus returns the assignments that are in s and not in t.
func (p *Space) Minus(s, t Set) Set { return p.Ite(t, None, s) }

// Within reports whether every assignment of s is in t.
func (p *Space) Within(s, t Set) bool { return p.Minus(s, t) == None }

// Ite returns the assignments of then that are in cond, and those of other that are not in cond.
func (p *Space) Ite(cond, then, other Set) Set {
	switch {
	case cond == All, then == other:
		return then
	case cond == None:
		return other
	case then == All && other == None:
		return cond
	case p.err != nil:
		return None
	}
	key := triple{cond, then, other}
	if s, ok := p.ite[key]; ok {
		return s
	}
	top := min(p.nodes[cond].variable, p.nodes[then].variable, p.nodes[other].variable)
	low := p.Ite(p.branch(cond, top, false), p.branch(then, top, false), p.branch(other, top, false))
	high := p.Ite(p.branch(cond, top, true), p.branch(then, top, true), p.branch(other, top, true))
	s := p.make(top, low, high)
	p.note()
	p.ite[key] = s
	return s
}

// note also limits the memory for cached operations: many may be needed although their results have
// few nodes.
func (p *Space) note() {
	const each = 2
	if p.err == nil && len(p.ite)+len(p.exists) >= each*p.limit {
		p.err = &LimitError{Nodes: p.limit}
	}
}

// Exists returns the assignments that are in s for some value of each of the
// variables.
func (p *Space) Exists(s Set, variables ...int) Set {
	for _, v := range variables {
		s = p.without(s, int32(v))
	}
	return s
}

// With returns the assignments that are in s if the variable has the given value. The result does
// not depend on the variable.
func (p *Space) With(s Set, variable int, value bool) Set {
	return p.without(p.And(s, p.Literal(variable, value)), int32(variable))
}

// Assign returns the assignments of s after the variable is set to the given value, whatever value
// it had before.
func (p *Space) Assign(s Set, variable int, value bool) Set {
	return p.And(p.without(s, int32(variable)), p.Literal(variable, value))
}

// Depends reports whether the set depends on the variable.
func (p *Space) Depends(s Set, variable int) bool {
	return p.With(s, variable, false) != p.With(s, variable, true)
}

// Smallest returns the true variables of an assignment in s with as few true variables as possible.
// Of several it returns the one whose true variables come last in the order. It reports false if s
// is empty.
func (p *Space) Smallest(s Set) (variables []int, ok bool) {
	if s == None || p.err != nil {
		return nil, false
	}
	costs := map[Set]int{None: math.MaxInt32, All: 0}
	p.cost(s, costs)
	for s != All {
		n := p.nodes[s]
		if costs[n.low] <= costs[n.high]+1 {
			s = n.low
			continue
		}
		variables = append(variables, int(n.variable))
		s = n.high
	}
	return variables, true
}

// cost returns the smallest number of true variables of an assignment in s.
func (p *Space) cost(s Set, costs map[Set]int) int {
	if c, ok := costs[s]; ok {
		return c
	}
	n := p.nodes[s]
	c := min(p.cost(n.low, costs), p.cost(n.high, costs)+1)
	costs[s] = c
	return c
}

// Contains reports whether s contains the assignment given by value.
func (p *Space) Contains(s Set, value func(variable int) bool) bool {
	for s > All {
		n := p.nodes[s]
		if s = n.low; value(int(n.variable)) {
			s = n.high
		}
	}
	return s == All
}

// Count returns the number of assignments in s. It is a float because it may exceed any integer
// type.
func (p *Space) Count(s Set) float64 {
	shares := map[Set]float64{None: 0, All: 1}
	return p.share(s, shares) * math.Pow(2, float64(p.variables))
}

// share returns the fraction of all assignments that is in s.
func (p *Space) share(s Set, shares map[Set]float64) float64 {
	if c, ok := shares[s]; ok {
		return c
	}
	n := p.nodes[s]
	c := (p.share(n.low, shares) + p.share(n.high, shares)) / 2
	shares[s] = c
	return c
}

// without returns s with the variable existentially quantified.
func (p *Space) without(s Set, variable int32) Set {
	n := p.nodes[s]
	switch {
	case n.variable > variable, p.err != nil:
		return s
	case n.variable == variable:
		return p.Or(n.low, n.high)
	}
	key := quantified{s, variable}
	if t, ok := p.exists[key]; ok {
		return t
	}
	t := p.make(n.variable, p.without(n.low, variable), p.without(n.high, variable))
	p.note()
	p.exists[key] = t
	return t
}

// branch returns s for one value of a variable that is not below its top.
func (p *Space) branch(s Set, variable int32, value bool) Set {
	n := p.nodes[s]
	switch {
	case n.variable != variable:
		return s
	case value:
		return n.high
	default:
		return n.low
	}
}

// make returns the unique set with the given branches.
func (p *Space) make(variable int32, low, high Set) Set {
	if low == high {
		return low
	}
	key := node{variable, low, high}
	if s, ok := p.unique[key]; ok {
		return s
	}
	if p.err != nil || len(p.nodes) >= p.limit {
		if p.err == nil {
			p.err = &LimitError{Nodes: p.limit}
		}
		return None
	}
	s := Set(len(p.nodes))
	p.nodes = append(p.nodes, key)
	p.unique[key] = s
	return s
}
