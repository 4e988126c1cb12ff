package dump

import (
	"github.com/konveyor/dynamic-pipeline/phases"
)

// paths holds the edges that a plan takes, judged twice: by the current values, and with
// every flag unknown that a later phase may still decide.
type paths struct {
	now, later *path
}

// taken combines both judgements of an edge.
func (w paths) taken(of func(*path) phases.Truth) phases.Truth { return w.sum(of(w.now), of(w.later)) }

// sum returns True if an edge is taken by the current values, and False only if it is not
// taken later either. Without a plan, an edge that depends on flags or choices counts as
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

// path is one of the two judgements: a forward reachability analysis over the graph. Its
// slices have an element for each index of the graph, plus one: start comes first, done
// last.
type path struct {
	*part
	facts  phases.Facts
	open   []phases.Flags   // flags that may have changed by the time the phase is left
	reach  []phases.Truth   // whether the path reaches the phase, even if only to pass it by
	onward []phases.Truth   // whether it continues in order
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
	// The path leads on whether or not a phase without jumps is entered.
	leave := func(i int, reach, admits phases.Truth, by exits) {
		for j, to := range p.jumps(i) {
			w.jumps[i+1][j] = or(w.jumps[i+1][j], and(and(reach, admits), by.jumps[j]))
			come(to.to, w.jumps[i+1][j])
		}
		w.onward[i+1] = or(w.onward[i+1], and(reach, or(by.onward, not(admits))))
		come(i+1, w.onward[i+1])
	}
	for i := n; i >= start; i-- {
		w.jumps[i+1] = make([]phases.Truth, len(p.jumps(i)))
	}
	// Without a plan the path begins at the start. The plan knows best which phases are
	// certainly reached, so the path begins at these, too.
	for i := n; i >= start; i-- {
		switch {
		case p.plan == nil && i == start, p.plan != nil && p.all[i+1].state == runs:
			come(i, phases.True)
		case p.all[i+1].state == current && i < n:
			leave(i, phases.True, phases.True, w.fromHere())
		}
		if p.all[i+1].certainlyRuns() {
			leave(i, phases.True, phases.True, w.from(i))
		}
	}
	for len(worklist) > 0 {
		i := worklist[len(worklist)-1]
		worklist = worklist[:len(worklist)-1]
		if i == n {
			continue
		}
		leave(i, w.reach[i+1], w.admits(i), w.from(i))
	}
	return w
}

// admits evaluates the guard of the phase at an index when the path reaches it.
func (w *path) admits(i int) phases.Truth {
	if i == start {
		return phases.True
	}
	return w.graph.Phase(i).Guard.Eval(w.facts.Forget(w.open[i]))
}

// comesIn reports whether the path reaches the phase at an index and enters it.
func (w *path) comesIn(i int) phases.Truth { return and(w.reach[i+1], w.admits(i)) }

// passes reports whether the path leads on in order from one index to another.
func (w *path) passes(from, to int) phases.Truth {
	t := phases.True
	for i := from; i < to; i++ {
		t = and(t, w.onward[i+1])
	}
	return t
}

// exits describes where the machine goes from an entered phase: by each of its jumps, or on
// in order.
type exits struct {
	jumps  []phases.Truth
	onward phases.Truth
}

// from returns the exits of the phase at an index, once that phase is done.
func (w *path) from(i int) exits {
	jumps, onward := w.graph.Onward(i, w.facts.Forget(w.openAfter(i)))
	return exits{jumps, onward}
}

// fromHere returns the exits of the phase where the plan begins. Its choice may already
// be made.
func (w *path) fromHere() exits {
	jumps, onward := w.plan.Onward(w.facts.Forget(w.openAfter(w.here())))
	return exits{jumps, onward}
}

// openAfter returns the flags that may have changed by the time the phase at an index is
// left. Flags that the current phase decides are open whatever their values are now.
func (w *path) openAfter(i int) phases.Flags {
	open := w.open[i+1]
	if n := &w.all[i+1]; n.state == current && n.isPhase() {
		open |= w.graph.Decides(i)
	}
	return open
}

// entered returns the exits of the phase at an index, as far as that phase is entered
// or has been.
func (w *path) entered(i int) exits {
	n, again := &w.all[i+1], w.comesIn(i)
	if n.certainlyRuns() {
		again = phases.True
	}
	all := w.from(i)
	all.onward = and(again, all.onward)
	for j := range all.jumps {
		all.jumps[j] = and(again, all.jumps[j])
	}
	if n.state == current && w.plan != nil {
		here := w.fromHere()
		all.onward = or(all.onward, here.onward)
		for j := range all.jumps {
			all.jumps[j] = or(all.jumps[j], here.jumps[j])
		}
	}
	return all
}

// leads returns where the machine goes from the phase at an index: by each jump to its
// target, and otherwise by index. otherwise covers all indices from first to last that
// the guards, evaluated one by one, may lead to.
func (w *path) leads(i, first, last int) (direct []phases.Truth, otherwise map[int]phases.Truth) {
	guards := w.guards(w.open[i+1])
	otherwise = make(map[int]phases.Truth)
	pass := func(from, begin int, reach phases.Truth) {
		for k := max(begin, first); k <= min(w.stops[from], last); k++ {
			otherwise[k] = or(otherwise[k], and(reach, and(guards.refuse(from, k), guards.admit[k])))
		}
	}
	taken := w.entered(i)
	ever, inOrder := w.graph.Onward(i, phases.Facts{})
	for j, to := range w.part.jumps(i) {
		reach := taken.jumps[j]
		direct = append(direct, and(reach, guards.admit[to.to]))
		if ever[j] != phases.False {
			pass(to.to, to.to+1, reach)
		}
	}
	if inOrder != phases.False {
		pass(i+1, i+1, taken.onward)
	}
	return direct, otherwise
}

// findOpen finds the flags that may change before a phase is left: those that it or an
// earlier phase decides. Jumps back form loops, in which every phase precedes every
// other. It overestimates if in doubt.
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
