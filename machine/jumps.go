package machine

import (
	"slices"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// maxExact is the number of unknown flags up to which the guards of a phase's jumps are compared
// exactly. Beyond it, each jump and the phase after it in order are considered possible.
const maxExact = 24

// Onward judges where a run continues after the phase at index i, given only f. It returns a truth
// for each jump of the phase, and one for the next phase in order. Exactly one of them happens. If
// only one is possible, it is [phases.True]. Those that are not possible are [phases.False], and the
// others are [phases.Unknown].
//
// A jump is not possible if an earlier jump admits whenever it does. The next phase in order is not
// possible if the jumps together always admit. A cleanup itinerary takes no jump whose guard is
// unknown, so there a flag may also stay unknown. Onward is exact if these guards read at most 24
// unknown flags. With more, whatever cannot be excluded guard by guard counts as possible.
//
// A choice that is not made yet is possible, in addition to all the others. Nothing comes after an
// end phase.
func (g *Graph) Onward(i int, f phases.Facts) (jumps []phases.Truth, order phases.Truth) {
	return g.judgeOnward(i, f, anyEdge)
}

// Onward is like [Graph.Onward] for the phase in progress. If its handler has chosen a jump, only
// that is possible; if its work is done without a choice, no choice is. At the start the first
// phase in order is next; when done, nothing is.
func (p *Plan) Onward(f phases.Facts) (jumps []phases.Truth, order phases.Truth) {
	if p == nil || p.graph == nil {
		return nil, phases.False
	}
	return p.graph.judgeOnward(p.at, f, p.mayTake)
}

// judgeOnward is Onward restricted to the edges that possible reports.
func (g *Graph) judgeOnward(i int, f phases.Facts, possible func(k int) bool) (jumps []phases.Truth, order phases.Truth) {
	if i < 0 || i >= len(g.nodes) || g.nodes[i].end {
		return nil, phases.TruthOf(i == start)
	}
	jumps = make([]phases.Truth, len(g.nodes[i].jumps))
	only := &order
	count := 0
	g.onward(i, f, func(k int) {
		if !possible(k) {
			return
		}
		t := &order
		if k < len(jumps) {
			t = &jumps[k]
		}
		*t, only = phases.Unknown, t
		count++
	})
	if count == 1 {
		*only = phases.True
	}
	return jumps, order
}

// mayTake reports whether the k-th edge may be taken from the phase in progress: a jump, or after
// the jumps the next phase in order. A choice excludes the other edges; once the work is done
// without one, none can be chosen.
func (p *Plan) mayTake(k int) bool {
	jumps := p.graph.nodes[p.at].jumps
	if p.choice > 0 {
		return k == p.choice-1
	}
	return !p.finished || k == len(jumps) || !jumps[k].choice
}

// onward calls yield with the position of each possible jump of the phase at index i, and with the
// number of jumps if the next phase in order is possible.
func (g *Graph) onward(i int, f phases.Facts, yield func(k int)) {
	jumps := g.nodes[i].jumps
	var before []phases.Guard // the guards of the possible jumps
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

// precede reports whether one of the guards before admits whenever guard does.
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

// covers reports whether one of the guards before admits whenever guard does, whatever the unknown
// flags are. It splits one flag at a time, and only as long as the result depends on it.
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

// precedeKnown is precede for a cleanup itinerary, in which a flag may stay unknown. A guard admits
// with the fewest flags known if those of All are true, those of None are false, and one of Any is
// true.
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
