package machine

import (
	"slices"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// maxExact is the number of flags up to which the guards of a phase's jumps are
// held against each other exactly. Beyond it each jump is taken for possible,
// and so is the phase after it in order.
const maxExact = 24

// Onward judges where a run goes from the phase at index i once that is done,
// if no more is known than f: for each jump of the phase whether it is taken,
// and whether the phase after it in order is next. Exactly one of them happens,
// so if only one is possible, that is [phases.True]; one that is not possible is
// [phases.False], and the others are [phases.Unknown].
//
// A jump is not possible if one before it admits whenever it does, and the
// phase after it in order is not if the jumps together always admit. A cleanup
// itinerary takes no jump whose guard is unknown, so there a flag may also stay
// unknown. It is exact if these guards read at most 24 unknown flags; with more,
// what cannot be excluded guard by guard counts as possible.
//
// A choice that is not made yet is possible, beside all the others. After an end
// phase nothing comes.
func (g *Graph) Onward(i int, f phases.Facts) (jumps []phases.Truth, order phases.Truth) {
	return g.judgeOnward(i, f, anyWay)
}

// Onward is [Graph.Onward] of the phase in progress. If its handler has chosen a
// jump, only that is possible; if its work is done without a choice, no choice is.
// At the start the first phase in order is next; when done, nothing is.
func (p *Plan) Onward(f phases.Facts) (jumps []phases.Truth, order phases.Truth) {
	if p == nil || p.graph == nil {
		return nil, phases.False
	}
	return p.graph.judgeOnward(p.at, f, p.mayTake)
}

// judgeOnward is Onward with only the ways that are possible.
func (g *Graph) judgeOnward(i int, f phases.Facts, possible func(k int) bool) (jumps []phases.Truth, order phases.Truth) {
	if i < 0 || i >= len(g.nodes) || g.nodes[i].end {
		return nil, phases.TruthOf(i == start)
	}
	jumps = make([]phases.Truth, len(g.nodes[i].jumps))
	only := &order
	ways := 0
	g.onward(i, f, func(k int) {
		if !possible(k) {
			return
		}
		t := &order
		if k < len(jumps) {
			t = &jumps[k]
		}
		*t, only = phases.Unknown, t
		ways++
	})
	if ways == 1 {
		*only = phases.True
	}
	return jumps, order
}

// mayTake reports whether the jump of that place, or the way on in order, may be
// taken from the phase in progress: a choice that is made excludes the others, and
// once the work is done, none can be made any more.
func (p *Plan) mayTake(k int) bool {
	jumps := p.graph.nodes[p.at].jumps
	if p.choice > 0 {
		return k == p.choice-1
	}
	return !p.finished || k == len(jumps) || !jumps[k].choice
}

// onward calls yield with each jump of the phase at index i that is possible,
// by its place, and with the number of jumps if the phase after it in order is.
func (g *Graph) onward(i int, f phases.Facts, yield func(k int)) {
	jumps := g.nodes[i].jumps
	var before []phases.Guard // of the jumps that are possible
	settled := false          // a jump is taken, unless the handler chooses
	for k, j := range jumps {
		if j.choice {
			yield(k)
			continue
		}
		t := j.guard.Eval(f)
		if settled || t == phases.False || slices.Contains(before, j.guard) || g.precede(before, j.guard, f) {
			continue
		}
		yield(k)
		settled = t == phases.True
		before = append(before, j.guard)
	}
	if !settled && !g.precede(before, phases.Guard{}, f) {
		yield(len(jumps))
	}
}

// precede reports whether one of the guards before admits whenever this one
// does.
func (g *Graph) precede(before []phases.Guard, guard phases.Guard, f phases.Facts) bool {
	if len(before) == 0 {
		return false
	}
	if g.itinerary.Cleanup {
		return precedeKnown(before, guard, f)
	}
	reads := guard.Reads()
	for _, b := range before {
		reads |= b.Reads()
	}
	return (reads&^f.Known()).Len() <= maxExact && covers(before, guard, f)
}

// covers reports whether one of the guards before admits whenever this one does,
// whatever the unknown flags are. It splits one flag at a time, and only as long
// as the answer depends on it.
func covers(before []phases.Guard, guard phases.Guard, f phases.Facts) bool {
	if guard.Eval(f) == phases.False {
		return true
	}
	var split phases.Flags
	for _, b := range before {
		switch b.Eval(f) {
		case phases.True:
			return true
		case phases.Unknown:
			if split == 0 {
				split = b.Reads() &^ f.Known()
			}
		}
	}
	flag := split & -split
	return flag != 0 && covers(before, guard, f.Set(flag, phases.True)) && covers(before, guard, f.Set(flag, phases.False))
}

// precedeKnown is precede for a cleanup itinerary, in which a flag may stay
// unknown: a guard admits with the fewest flags known if those of All are true,
// those of None are false, and one of Any is true.
func precedeKnown(before []phases.Guard, guard phases.Guard, f phases.Facts) bool {
	admits := func(f phases.Facts) bool {
		return slices.ContainsFunc(before, func(b phases.Guard) bool { return b.Eval(f) == phases.True })
	}
	least := f.Set(guard.All, phases.True).Set(guard.None, phases.False)
	if guard.Any == 0 || guard.Any&least.True() != 0 {
		return admits(least)
	}
	for flag := range (guard.Any &^ least.Known()).Each {
		if !admits(least.Set(flag, phases.True)) {
			return false
		}
	}
	return true
}
