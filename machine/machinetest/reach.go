package machinetest

import (
	"math/bits"

	"github.com/konveyor/dynamic-pipeline/internal/bdd"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// reach computes, by sets of facts, what a run that begins at the first phase of an itinerary can
// do.
type reach struct {
	*bdd.Space
	graph     *machine.Graph
	relations bdd.Set
	leaving   []bdd.Set // by index plus one: the facts with which the start or a phase is left
	possible  map[coverItem]bool
}

// newReach computes everything that is possible. It reports false if that takes too much.
func newReach(g *machine.Graph) (*reach, bool) {
	v := g.Vocabulary()
	r := &reach{Space: bdd.New(v.Len(), 0), graph: g, relations: bdd.All, possible: make(map[coverItem]bool)}
	for _, c := range v.Relations() {
		r.relations = r.And(r.relations, r.Or(r.literals(c.True, true, bdd.None, r.Or), r.literals(c.False, false, bdd.None, r.Or)))
	}
	r.leaving = make([]bdd.Set, g.Len()+1)
	r.leaving[0] = r.relations
	worklist := []int{-1}
	for len(worklist) > 0 && r.Err() == nil {
		i := worklist[len(worklist)-1]
		worklist = worklist[:len(worklist)-1]
		for j, facts := range r.from(i, r.leaving[i+1], true) {
			r.possible[transitionItem(i, j)] = true
			if j == g.Len() {
				continue
			}
			r.enter(j, facts)
			if all := r.Or(r.leaving[j+1], r.done(j, facts)); all != r.leaving[j+1] {
				r.leaving[j+1] = all
				worklist = append(worklist, j)
			}
		}
	}
	for i := -1; i < g.Len() && r.Err() == nil; i++ {
		for j, facts := range r.from(i, r.leaving[i+1], false) {
			if j == g.Len() {
				continue
			}
			for k := range r.from(j, r.done(j, facts), false) {
				r.possible[pairItem(i, j, k)] = true
			}
		}
	}
	return r, r.Err() == nil
}

// literals combines the literals of flags.
func (r *reach) literals(flags phases.Flags, value bool, empty bdd.Set, combine func(...bdd.Set) bdd.Set) bdd.Set {
	set := empty
	for flag := range flags.Each {
		set = combine(set, r.Literal(index(flag), value))
	}
	return set
}

// index returns the variable of a flag.
func index(flag phases.Flags) int { return bits.TrailingZeros64(uint64(flag)) }

// admits returns the set of facts that a guard admits.
func (r *reach) admits(g phases.Guard) bdd.Set {
	set := r.And(r.literals(g.All, true, bdd.All, r.And), r.literals(g.None, false, bdd.All, r.And))
	if g.Any != 0 {
		set = r.And(set, r.literals(g.Any, true, bdd.None, r.Or))
	}
	return set
}

// judge splits facts into those that the guard of q admits, and the rest. If record is set,
// it records which flags alone can decide the guard.
func (r *reach) judge(q guardAt, facts bdd.Set, record bool) (admitted, rest bdd.Set) {
	admits := r.admits(q.guard)
	if record {
		for flag := range q.guard.Reads().Each {
			i, name := index(flag), r.graph.Vocabulary().Names(flag)[0]
			with, without := r.With(admits, i, true), r.With(admits, i, false)
			alone := r.And(facts, r.Or(r.Minus(with, without), r.Minus(without, with)))
			for _, value := range []bool{true, false} {
				if r.And(alone, r.Literal(i, value)) != bdd.None {
					r.possible[q.item(name, value)] = true
				}
			}
		}
	}
	return r.And(facts, admits), r.Minus(facts, admits)
}

// from returns the transitions from a phase, or from the start, each with its facts.
func (r *reach) from(i int, facts bdd.Set, record bool) map[int]bdd.Set {
	all := make(map[int]bdd.Set)
	if facts == bdd.None || i >= 0 && r.graph.IsEnd(i) {
		return all
	}
	order := func(next int, facts bdd.Set) {
		for ; next < r.graph.Len() && facts != bdd.None; next++ {
			var admitted bdd.Set
			admitted, facts = r.judge(guardAt{at: next, guard: r.graph.Phase(next).Guard}, facts, record)
			if admitted != bdd.None {
				all[next] = r.Or(all[next], admitted)
			}
		}
		if facts != bdd.None {
			all[next] = r.Or(all[next], facts)
		}
	}
	guarded, choices := jumpsFrom(r.graph, i)
	for _, to := range choices {
		order(to, facts)
	}
	for _, q := range guarded {
		var admitted bdd.Set
		admitted, facts = r.judge(q, facts, record)
		order(q.to, admitted)
	}
	order(i+1, facts)
	return all
}

// enter records that a phase is entered.
func (r *reach) enter(i int, facts bdd.Set) {
	r.possible[phaseItem(i)] = true
	for _, q := range stepsOf(r.graph.Phase(i), i) {
		_, facts = r.judge(q, facts, true)
	}
}

// done returns the facts after a phase that was entered with the given ones.
func (r *reach) done(i int, facts bdd.Set) bdd.Set {
	var decided []int
	for flag := range (r.graph.Phase(i).Decides | r.graph.Vocabulary().Live()).Each {
		decided = append(decided, index(flag))
	}
	if decided == nil {
		return facts
	}
	return r.And(r.Exists(facts, decided...), r.relations)
}

// universe adds the items of a definition that are not covered, with whether they are possible.
func (c *covered) universe() {
	if c.exact || c.graph == nil {
		return
	}
	c.exact = true
	g := c.graph
	r, ok := newReach(g)
	add := func(it coverItem) {
		status := itemImpossible
		switch {
		case c.items[it] == itemCovered:
			return
		case !ok:
			status = itemUndecided
		case it.Kind == CoverOutcomes && r.possible[phaseItem(it.At[0])], r.possible[it]:
			status = itemMissing
		}
		c.items[it] = status
	}
	guards := func(q guardAt) {
		for flag := range q.guard.Reads().Each {
			name := g.Vocabulary().Names(flag)[0]
			add(q.item(name, true))
			add(q.item(name, false))
		}
	}
	edges, _ := g.Edges() // if there are too many, only the possible ones count
	for _, e := range edges {
		add(transitionItem(e.From, e.To))
	}
	for i := -1; i < g.Len(); i++ {
		guarded, choices := jumpsFrom(g, i)
		for _, q := range guarded {
			guards(q)
		}
		if i < 0 {
			continue
		}
		add(phaseItem(i))
		guards(guardAt{at: i, guard: g.Phase(i).Guard})
		for _, q := range stepsOf(g.Phase(i), i) {
			guards(q)
		}
		if g.IsEnd(i) {
			continue
		}
		add(outcomeItem(i, "done"))
		if c.works[i] {
			for _, outcome := range []string{"wait", "fail", "error"} {
				add(outcomeItem(i, outcome))
			}
			for name := range choices {
				add(outcomeItem(i, "choice "+name))
			}
		}
	}
	for it := range r.possible { // beyond the edges there are only pairs
		if it.Kind == CoverPairs || it.Kind == CoverTransitions {
			add(it)
		}
	}
}
