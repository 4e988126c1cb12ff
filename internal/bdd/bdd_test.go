package bdd

import (
	"errors"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const variables = 6

// table is the truth table of a set. Bit a is set if the assignment a, in which variable v has the
// value of bit v, is in the set.
type table uint64

func tableOf(p *Space, s Set) (t table) {
	for a := range 1 << variables {
		if p.Contains(s, func(v int) bool { return a>>v&1 == 1 }) {
			t |= 1 << a
		}
	}
	return t
}

func literal(v int, value bool) (t table) {
	for a := range 1 << variables {
		if a>>v&1 == 1 == value {
			t |= 1 << a
		}
	}
	return t
}

func (t table) without(v int) (out table) {
	for a := range 1 << variables {
		if t>>a&1 == 1 || t>>(a^1<<v)&1 == 1 {
			out |= 1 << a
		}
	}
	return out
}

// pair is a set and its expected truth table.
type pair struct {
	set   Set
	table table
}

func random(p *Space, r *rand.Rand, depth int) pair {
	if depth == 0 {
		v, value := r.IntN(variables), r.IntN(2) == 0
		return pair{p.Literal(v, value), literal(v, value)}
	}
	a, b := random(p, r, depth-1), random(p, r, depth-1)
	switch r.IntN(4) {
	case 0:
		return pair{p.And(a.set, b.set), a.table & b.table}
	case 1:
		return pair{p.Or(a.set, b.set), a.table | b.table}
	case 2:
		return pair{p.Minus(a.set, b.set), a.table &^ b.table}
	default:
		c := random(p, r, depth-1)
		return pair{p.Ite(a.set, b.set, c.set), a.table&b.table | c.table&^a.table}
	}
}

func TestSetAgreesWithTruthTables(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	p := New(variables, 0)
	known := map[table]Set{}
	for range 2000 {
		s := random(p, r, 1+r.IntN(4))
		require.Equal(t, s.table, tableOf(p, s.set))
		if before, ok := known[s.table]; ok {
			require.Equal(t, before, s.set, "equal sets are equal values")
		}
		known[s.table] = s.set

		v, value := r.IntN(variables), r.IntN(2) == 0
		require.Equal(t, ^s.table, tableOf(p, p.Not(s.set)))
		require.Equal(t, s.table.without(v), tableOf(p, p.Exists(s.set, v)))
		require.Equal(t, (s.table & literal(v, value)).without(v), tableOf(p, p.With(s.set, v, value)))
		require.Equal(t, s.table.without(v)&literal(v, value), tableOf(p, p.Assign(s.set, v, value)))
		require.Equal(t, s.table.without(v) != s.table, p.Depends(s.set, v))
		require.InDelta(t, bits.OnesCount64(uint64(s.table)), p.Count(s.set), 0)

		other := random(p, r, 2)
		require.Equal(t, s.table&^other.table == 0, p.Within(s.set, other.set))
	}
	assert.NoError(t, p.Err())
}

func TestSmallestHasFewestTrueVariables(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	p := New(variables, 0)
	for range 500 {
		s := random(p, r, 3)
		got, ok := p.Smallest(s.set)
		require.Equal(t, s.table != 0, ok)
		if !ok {
			continue
		}
		a, fewest := 0, variables
		for _, v := range got {
			a |= 1 << v
		}
		for b := range 1 << variables {
			if s.table>>b&1 == 1 {
				fewest = min(fewest, bits.OnesCount(uint(b)))
			}
		}
		require.Equal(t, uint64(1), uint64(s.table)>>a&1, "it is in the set")
		require.Len(t, got, fewest)
	}
}

func TestLimitIsReported(t *testing.T) {
	p := New(40, 100)
	s := All
	for v := range 20 { // pairs that are far apart in the order: 2^20 nodes
		s = p.And(s, p.Not(p.Ite(p.Var(v), p.Not(p.Var(v+20)), p.Var(v+20))))
	}
	var limit *LimitError
	require.True(t, errors.As(p.Err(), &limit))
	assert.Equal(t, 100, limit.Nodes)
	assert.LessOrEqual(t, p.Len(), 100)
	_, ok := p.Smallest(s)
	assert.False(t, ok, "sets beyond the limit have no result")
}

func TestLimitCountsCachedOperations(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	p := New(3, 300) // more nodes than sets of three variables have
	for range 2000 {
		p.Ite(Set(r.IntN(p.Len())), Set(r.IntN(p.Len())), Set(r.IntN(p.Len())))
		p.Or(p.Var(r.IntN(3)), Set(r.IntN(p.Len())))
	}
	var limit *LimitError
	require.True(t, errors.As(p.Err(), &limit))
	assert.Less(t, p.Len(), 300)
}
