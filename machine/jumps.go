package machine

import "github.com/konveyor/dynamic-pipeline/phases"

// maxExact is the number of flags up to which the guards of a phase's jumps are
// held against each other exactly. Beyond it each jump is taken for possible,
// and so is the phase after it in order.
const maxExact = 24

// Onward judges where a run goes from the phase at index i once that is done,
// if no more is known than f: for each jump of the phase whether it is taken,
// and whether the phase after it in order is next. Exactly one of them happens,
// so if only one is possible, that is [phases.Yes]; one that is not possible is
// [phases.No], and the others are [phases.Unknown].
//
// A jump is not possible if one before it admits whenever it does, and the
// phase after it in order is not if the jumps together always admit. A cleanup
// itinerary takes no jump whose guard is unknown, so there a flag may also stay
// unknown. It is exact if these guards read at most 24 unknown flags; with more,
// what cannot be excluded guard by guard counts as possible.
func (g *Graph) Onward(i int, f phases.Facts) (jumps []phases.Truth, order phases.Truth) {
	if i < 0 || i >= len(g.nodes) {
		return nil, phases.TruthOf(i == start)
	}
	jumps = make([]phases.Truth, len(g.nodes[i].jumps))
	only := &order
	possible := 0
	g.onward(i, f, func(k int) {
		t := &order
		if k < len(jumps) {
			t = &jumps[k]
		}
		*t, only = phases.Unknown, t
		possible++
	})
	if possible == 1 {
		*only = phases.Yes
	}
	return jumps, order
}

// onward calls yield with each jump of the phase at index i that is possible,
// by its place, and with the number of jumps if the phase after it in order is.
func (g *Graph) onward(i int, f phases.Facts, yield func(k int)) {
	jumps := g.nodes[i].jumps
	for k, j := range jumps {
		if !g.precede(jumps[:k], j.guard, f) {
			yield(k)
		}
	}
	if !g.precede(jumps, phases.Guard{}, f) {
		yield(len(jumps))
	}
}

// precede reports whether one of the jumps is taken whenever a guard admits.
func (g *Graph) precede(jumps []jump, guard phases.Guard, f phases.Facts) bool {
	if g.itinerary.Cleanup {
		return precedeKnown(jumps, guard, f)
	}
	reads := guard.Reads()
	for _, j := range jumps {
		reads |= j.guard.Reads()
	}
	if (reads &^ f.Known()).Len() > maxExact {
		// Take nothing apart: only what holds guard by guard.
		return guard.Eval(f) == phases.No || admits(jumps, f) == phases.Yes
	}
	return covers(jumps, guard, f)
}

// covers reports whether one of the jumps admits whenever a guard does,
// whatever the unknown flags are. It splits one flag at a time, and only as long
// as the answer depends on it.
func covers(jumps []jump, guard phases.Guard, f phases.Facts) bool {
	if guard.Eval(f) == phases.No || admits(jumps, f) == phases.Yes {
		return true
	}
	for _, j := range jumps {
		if j.guard.Eval(f) == phases.Unknown {
			unknown := j.guard.Reads() &^ f.Known()
			flag := unknown & -unknown
			return covers(jumps, guard, f.Set(flag, phases.Yes)) && covers(jumps, guard, f.Set(flag, phases.No))
		}
	}
	return false
}

// precedeKnown is precede for a cleanup itinerary, in which a flag may stay
// unknown: a guard admits with the fewest flags known if those of All are true,
// those of None are false, and one of Any is true.
func precedeKnown(jumps []jump, guard phases.Guard, f phases.Facts) bool {
	if guard.Eval(f) == phases.No {
		return true
	}
	least := f.Set(guard.All, phases.Yes).Set(guard.None, phases.No)
	if guard.Any == 0 || guard.Any&least.True() != 0 {
		return admits(jumps, least) == phases.Yes
	}
	for flag := range (guard.Any &^ least.Known()).Each {
		if admits(jumps, least.Set(flag, phases.Yes)) != phases.Yes {
			return false
		}
	}
	return true
}

// admits reports whether one of the jumps admits: No if none can.
func admits(jumps []jump, f phases.Facts) phases.Truth {
	result := phases.No
	for _, j := range jumps {
		switch j.guard.Eval(f) {
		case phases.Yes:
			return phases.Yes
		case phases.Unknown:
			result = phases.Unknown
		}
	}
	return result
}
