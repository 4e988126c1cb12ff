package dump

import (
	"github.com/konveyor/dynamic-pipeline/phases"
)

// paths are the edges that a plan takes, judged twice: by the values of now, and
// with every flag unknown that a phase ahead may still decide.
type paths struct {
	now, later *path
}

// taken sums up both for an edge.
func (w paths) taken(of func(*path) phases.Truth) phases.Truth { return w.sum(of(w.now), of(w.later)) }

// sum is Yes if an edge is taken by the values of now, and No only if it is
// not taken later either. Without a plan, what depends on flags counts as
// taken.
func (w paths) sum(now, later phases.Truth) phases.Truth {
	switch {
	case w.now.plan == nil:
		return phases.TruthOf(now != phases.False)
	case now == phases.False && later != phases.False:
		return phases.Unknown
	}
	return now
}

// path is one of the two. Its slices have an element for each index of the
// graph, plus one: start comes first, done last.
type path struct {
	*part
	facts  phases.Facts
	open   []phases.Flags   // that may have changed once the phase is left
	reach  []phases.Truth   // whether the way comes by, if only past the phase
	onward []phases.Truth   // whether it leads on to the next in order
	jumps  [][]phases.Truth // whether each jump is taken
	judged map[phases.Flags]*guards
}

func (p *part) newPath(later bool) *path {
	n := p.graph.Len()
	w := &path{
		part: p, open: make([]phases.Flags, n+2),
		reach: make([]phases.Truth, n+2), onward: make([]phases.Truth, n+2), jumps: make([][]phases.Truth, n+2),
		judged: make(map[phases.Flags]*guards),
	}
	if p.plan != nil {
		w.facts = p.plan.Facts()
	}
	if later {
		w.findOpen()
	}
	var worklist []int
	come := func(i int, t phases.Truth) {
		if better := or(w.reach[i+1], t); better != w.reach[i+1] {
			w.reach[i+1] = better
			worklist = append(worklist, i)
		}
	}
	// Whether or not a phase without jumps is entered, the way leads on.
	leave := func(i int, reach, admits phases.Truth) {
		taken, onward := w.choices(i)
		for j, to := range p.jumps(i) {
			w.jumps[i+1][j] = or(w.jumps[i+1][j], and(and(reach, admits), taken[j]))
			come(to.to, w.jumps[i+1][j])
		}
		w.onward[i+1] = or(w.onward[i+1], and(reach, or(onward, not(admits))))
		come(i+1, w.onward[i+1])
	}
	for i := n; i >= start; i-- {
		w.jumps[i+1] = make([]phases.Truth, len(p.jumps(i)))
	}
	// Without a plan the way begins at the start. The plan knows best which
	// phases the way comes by for sure, so it begins there as well.
	for i := n; i >= start; i-- {
		switch {
		case p.plan == nil && i == start, p.plan != nil && p.all[i+1].state == runs:
			come(i, phases.True)
		case p.all[i+1].state == current && i < n:
			leave(i, phases.True, phases.True)
		}
		if p.all[i+1].surelyRuns() {
			leave(i, phases.True, phases.True)
		}
	}
	for len(worklist) > 0 {
		i := worklist[len(worklist)-1]
		worklist = worklist[:len(worklist)-1]
		if i == n {
			continue
		}
		leave(i, w.reach[i+1], w.admits(i))
	}
	return w
}

// admits judges the guard of the phase at an index when the way comes by.
func (w *path) admits(i int) phases.Truth {
	if i == start {
		return phases.True
	}
	return w.graph.Phase(i).Guard.Eval(w.facts.Forget(w.open[i]))
}

// comesIn reports whether the way comes by the phase at an index and enters it.
func (w *path) comesIn(i int) phases.Truth { return and(w.reach[i+1], w.admits(i)) }

// entered reports whether the phase at an index is entered, or has been.
func (w *path) entered(i int) phases.Truth {
	if n := &w.all[i+1]; n.state == current || n.surelyRuns() {
		return phases.True
	}
	return w.comesIn(i)
}

// choices judges the jumps of the phase at an index, once that is done, and
// whether the way then leads on in order.
func (w *path) choices(i int) (taken []phases.Truth, onward phases.Truth) {
	return w.graph.Onward(i, w.facts.Forget(w.open[i+1]))
}

// leads returns where the machine goes from the phase at an index: by each of
// its jumps to that one's target, and otherwise, by index. Of what is otherwise
// it has all from the first index to the last that the guards, judged one by
// one, may lead to.
func (w *path) leads(i, first, last int) (direct []phases.Truth, otherwise map[int]phases.Truth) {
	guards := w.guards(w.open[i+1])
	otherwise = make(map[int]phases.Truth)
	pass := func(from, begin int, reach phases.Truth) {
		for k := max(begin, first); k <= min(w.stops[from], last); k++ {
			otherwise[k] = or(otherwise[k], and(reach, and(guards.refuse(from, k), guards.admit[k])))
		}
	}
	taken, onward := w.choices(i)
	ever, inOrder := w.graph.Onward(i, phases.Facts{})
	for j, to := range w.part.jumps(i) {
		reach := and(w.entered(i), taken[j])
		direct = append(direct, and(reach, guards.admit[to.to]))
		if ever[j] != phases.False {
			pass(to.to, to.to+1, reach)
		}
	}
	if inOrder != phases.False {
		pass(i+1, i+1, and(w.entered(i), onward))
	}
	return direct, otherwise
}

// guards are those of all phases, by index, judged with the same facts.
type guards struct {
	admit []phases.Truth // that of done always does
	// How many before an index do, and of how many that is unknown.
	yes, unknown []int
}

// guards judges all guards with some flags open. The open flags only grow on
// the way, so that few sets of them ask for it.
func (w *path) guards(open phases.Flags) *guards {
	if g, ok := w.judged[open]; ok {
		return g
	}
	n := w.graph.Len()
	g := &guards{make([]phases.Truth, n+1), make([]int, n+1), make([]int, n+1)}
	g.admit[n] = phases.True
	facts := w.facts.Forget(open)
	for i := range n {
		g.admit[i] = w.graph.Phase(i).Guard.Eval(facts)
		g.yes[i+1], g.unknown[i+1] = g.yes[i], g.unknown[i]
		switch g.admit[i] {
		case phases.True:
			g.yes[i+1]++
		case phases.Unknown:
			g.unknown[i+1]++
		}
	}
	w.judged[open] = g
	return g
}

// refuse reports whether no guard from one index up to another admits.
func (g *guards) refuse(from, to int) phases.Truth {
	switch {
	case g.yes[to] > g.yes[from]:
		return phases.False
	case g.unknown[to] > g.unknown[from]:
		return phases.Unknown
	}
	return phases.True
}

// findOpen finds the flags that may change until a phase is left: those that
// it or a phase before it decides. Jumps back make loops, in which all phases
// are before each other. It errs on the side of more.
func (w *path) findOpen() {
	n := w.graph.Len()
	ends := make([]int, n) // the last phase that jumps back to this one
	for i := range n {
		ends[i] = -1
		for _, j := range w.part.jumps(i) {
			if j.to <= i {
				ends[j.to] = i
			}
		}
		w.open[i+1] = w.open[i]
		if n := &w.all[i+1]; n.runs() != phases.False || n.tentative {
			w.open[i+1] |= w.graph.Decides(i)
		}
	}
	for first := 0; first < n; first++ {
		last := ends[first]
		for k := first; k <= last; k++ {
			last = max(last, ends[k])
		}
		for ; first < last; first++ {
			w.open[first] = w.open[last+1]
		}
		if last == first {
			w.open[first] = w.open[last+1]
		}
	}
}

func and(a, b phases.Truth) phases.Truth {
	switch {
	case a == phases.False || b == phases.False:
		return phases.False
	case a == phases.True && b == phases.True:
		return phases.True
	}
	return phases.Unknown
}

func not(t phases.Truth) phases.Truth {
	switch t {
	case phases.True:
		return phases.False
	case phases.False:
		return phases.True
	}
	return phases.Unknown
}

func or(a, b phases.Truth) phases.Truth { return not(and(not(a), not(b))) }
