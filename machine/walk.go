package machine

import (
	"slices"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// walk plans an itinerary with jumps. It works on places. Place i is the moment when the phase at
// index i is next in order; after the places of the phases come done and the entry, where the walk
// begins. An edge leads from a place to the next place or, through the phase, to the targets of its
// jumps. The edges therefore stay linear in the phases, and a place is reached whether or not its
// phase's guard admits.
type walk struct {
	*Plan
	// open holds, for each place, the flags decided by a phase on some path to it. reached reports
	// whether there is such a path.
	open    []phases.Flags
	reached []bool
	// frozen reports whether a loop may never be left, for some value of an unknown flag.
	frozen  bool
	onwards []onward
}

type onward struct {
	later    phases.Facts
	possible []int
}

// certainty describes an edge, or the paths to a place. Values are ordered: a lattice as in
// fixed-point dataflow analysis.
type certainty uint8

const (
	unreachable certainty = iota
	onChange              // not by current values, but if a flag changes
	onUnknown             // depends on an unknown flag
	onTentative           // depends on a flag that may still change
	certain
)

// walk makes the plan. If all is false, it computes only what Matters needs.
func (p *Plan) walk(all bool) {
	places := len(p.marks) + 2
	w := &walk{Plan: p, open: make([]phases.Flags, places), reached: make([]bool, places)}
	w.propagate()
	p.loops = &loops{matters: w.matters()}
	if !all {
		return
	}
	depends := w.jumpsDepend()
	certainties := w.certainty()
	for i := range p.marks {
		guard := p.graph.nodes[i].guard
		p.marks[i] = mark(guard.Eval(p.facts))
		switch {
		case i == p.at: // in progress
			p.marks[i] = mark(phases.True) | ahead
			if w.reached[i] && p.graph.nodes[i].steps != nil { // if entered again, it may belong to another step
				p.marks[i] |= stepOpen
			}
			continue
		case certainties[i] == onChange:
			p.marks[i] |= tentative
		case certainties[i] != unreachable:
			p.marks[i] |= ahead
		}
		if certainties[i] == onUnknown {
			p.marks[i] |= maybe
			if depends&w.open[i] != 0 {
				p.marks[i] |= tentative
			}
		}
		if w.reached[i] && (guard.Reads()&w.open[i] != 0 || certainties[i] == onTentative) {
			p.marks[i] |= tentative
		}
		if w.reached[i] && p.graph.nodes[i].stepReads()&w.open[i] != 0 {
			p.marks[i] |= stepOpen
		}
	}
	if o := newOutcomes(w); o != nil {
		o.settle()
	}
	p.loops.order = w.order()
}

// jumpsDepend returns the unknown flags that jumps on a path depend on. It also sets frozen: true
// if some path leads back, and one of the unknown flags on which it depends keeps its value.
func (w *walk) jumpsDepend() (flags phases.Flags) {
	back, forGood := false, false
	for i := range w.marks {
		n := &w.graph.nodes[i]
		if !w.reached[i] && i != w.at || len(n.jumps) == 0 {
			continue
		}
		unknown := func(guard phases.Guard, open phases.Flags) (flags phases.Flags) {
			if guard.Eval(w.facts) == phases.Unknown {
				flags = guard.Reads() &^ w.facts.Known()
			}
			forGood = forGood || flags&^open != 0
			return flags
		}
		unknown(n.guard, w.open[i])
		for _, j := range n.jumps {
			if j.choice {
				continue
			}
			back = back || j.to <= i
			flags |= unknown(j.guard, w.open[i]|n.decides)
		}
	}
	w.frozen = back && forGood
	return flags
}

// matters returns the unknown flags of all reached guards that are not settled for good. A guard
// that is settled stays so whatever the unknown flags are, and a flag that no other guard reads has
// no effect.
func (w *walk) matters() (flags phases.Flags) {
	unknown := ^w.facts.Known()
	for i, reached := range w.reached {
		if !reached || i == w.done() || i == w.entry() && (w.at == start || w.at == w.done()) {
			continue
		}
		n, _, forGood := w.phase(i)
		switch forGood {
		case phases.False:
			continue
		case phases.Unknown:
			flags |= n.guard.Reads() & unknown
		}
		if i == w.entry() && w.choice > 0 {
			continue
		}
		if i != w.entry() {
			flags |= w.graph.stepDepends(i, w.facts.Forget(w.open[i])) & unknown
		}
		later := w.facts.Forget(w.after(i))
		for _, j := range n.jumps {
			if j.choice {
				continue
			}
			t := j.guard.Eval(later)
			if t == phases.Unknown {
				flags |= j.guard.Reads() & unknown
			}
			if t == phases.True {
				break
			}
		}
	}
	return flags
}

// done and entry are the places after those of the phases.
func (w *walk) done() int  { return len(w.marks) }
func (w *walk) entry() int { return len(w.marks) + 1 }

// phase returns the node of the phase at a place, and the values of its guard now and for good. At
// the entry that is the phase in progress, which runs.
func (w *walk) phase(i int) (n *node, now, later phases.Truth) {
	if i == w.entry() {
		return &w.graph.nodes[w.at], phases.True, phases.True
	}
	n = &w.graph.nodes[i]
	return n, n.guard.Eval(w.facts), n.guard.Eval(w.facts.Forget(w.open[i]))
}

// edges calls yield for each place to which an edge leads from place i.
func (w *walk) edges(i int, yield func(to int, s certainty)) {
	next := i + 1
	switch {
	case i == w.done(), i == w.entry() && w.at == w.done():
		return
	case i == w.entry() && w.at == start:
		yield(0, certain)
		return
	case i == w.entry() && w.choice > 0:
		yield(w.graph.nodes[w.at].jumps[w.choice-1].to, certain)
		return
	case i == w.entry():
		next = w.at + 1
	}
	n, t, forGood := w.phase(i)
	if len(n.jumps) == 0 {
		yield(next, certain)
		return
	}
	enters, passes := certain, certain // through the phase, and past it
	switch {
	case t == phases.Unknown:
		enters, passes = onUnknown, onUnknown
	case t == phases.True && forGood == phases.Unknown:
		enters, passes = onTentative, onChange
	case t == phases.False && forGood == phases.Unknown:
		enters, passes = onChange, onTentative
	case t == phases.True:
		passes = unreachable
	case t == phases.False:
		yield(next, passes)
		return
	}
	phase := i
	if i == w.entry() {
		phase = w.at
	}
	later := w.facts.Forget(w.after(i))
	possible := w.onward(i, phase, later)
	chooses := len(possible) > 1 && slices.ContainsFunc(possible, func(k int) bool { return k < len(n.jumps) && n.jumps[k].choice })
	inOrder := unreachable
	judged := 0
	for _, k := range possible {
		// An edge depends on the guards before it, unless it is the only one.
		for ; judged <= k && judged < len(n.jumps) && len(possible) > 1; judged++ {
			guard := n.jumps[judged].guard
			if guard.Eval(later) == phases.Unknown {
				enters = min(enters, onTentative)
			}
			if guard.Eval(w.facts) == phases.Unknown {
				enters = min(enters, onUnknown)
			}
		}
		if chooses {
			enters = min(enters, onUnknown)
		}
		if k == len(n.jumps) {
			inOrder = enters
		} else {
			yield(n.jumps[k].to, enters)
		}
	}
	if level := max(inOrder, passes); level != unreachable {
		yield(next, level)
	}
}

// onward returns the positions of the jumps that are possible from place i, and the number of jumps
// if the next phase in order is. The result depends only on the open flags, and is cached until
// they change.
func (w *walk) onward(i, phase int, later phases.Facts) []int {
	if w.onwards == nil {
		w.onwards = make([]onward, len(w.reached))
	}
	o := &w.onwards[i]
	if o.possible == nil || o.later != later {
		o.later, o.possible = later, o.possible[:0]
		w.graph.onward(phase, later, func(k int) {
			if i != w.entry() || w.mayTake(k) {
				o.possible = append(o.possible, k)
			}
		})
	}
	return o.possible
}

// after returns the open flags after place i. They include those that its phase decides if it runs
// or may run.
func (w *walk) after(i int) phases.Flags {
	if i == w.entry() && (w.at == start || w.at == w.done()) {
		return 0
	}
	n, now, later := w.phase(i)
	if now == phases.False && later == phases.False {
		return w.open[i]
	}
	return w.open[i] | n.decides
}

// propagate finds the reached places and the flags that are open there, up to the fixed point: more
// open flags open more paths, never fewer.
func (w *walk) propagate() {
	w.reached[w.entry()] = true
	for worklist := []int{w.entry()}; len(worklist) > 0; {
		i := worklist[len(worklist)-1]
		worklist = worklist[:len(worklist)-1]
		w.edges(i, func(to int, _ certainty) {
			if open := w.after(i); !w.reached[to] || open&^w.open[to] != 0 {
				w.reached[to] = true
				w.open[to] |= open
				worklist = append(worklist, to)
			}
		})
	}
}

// certainty returns, for each place, how certain it is that the machine comes to it. A place is
// certain if certain edges lead to it. It is also certain if it dominates done, that is, if every
// path from the entry to done leads through it. If a loop may be frozen, the latter is unknown,
// because the run may never end.
func (w *walk) certainty() []certainty {
	certainties := make([]certainty, len(w.reached))
	propagateLevel := func(level certainty) {
		var worklist []int
		for i, s := range certainties {
			if s >= level {
				worklist = append(worklist, i)
			}
		}
		for len(worklist) > 0 {
			i := worklist[len(worklist)-1]
			worklist = worklist[:len(worklist)-1]
			w.edges(i, func(to int, s certainty) {
				if s >= level && certainties[to] < level {
					certainties[to] = level
					worklist = append(worklist, to)
				}
			})
		}
	}
	for k, i := range w.dominators() {
		certainties[i] = certain
		if w.frozen && k > 0 {
			certainties[i] = onUnknown
		}
	}
	propagateLevel(certain)
	propagateLevel(onTentative)
	propagateLevel(onUnknown)
	propagateLevel(onChange)
	return certainties
}

// dominators returns the places through which every path from the entry to done leads, the entry
// first: the dominators of done in the flow graph. Candidates are the places of one such path. They
// are swept in its order: a place is a dominator if nothing before it leads past it.
func (w *walk) dominators() []int {
	path := w.path()
	if path == nil {
		return []int{w.entry()}
	}
	at := make(map[int]int, len(path)) // a place's index on the path
	for k, i := range path {
		at[i] = k
	}
	var dominators []int
	seen := make([]bool, len(w.reached))
	furthest := 0
	for k, i := range path {
		if furthest == k {
			dominators = append(dominators, i)
		}
		for worklist := []int{i}; len(worklist) > 0; {
			from := worklist[len(worklist)-1]
			worklist = worklist[:len(worklist)-1]
			w.edges(from, func(to int, _ certainty) {
				if k, on := at[to]; on {
					furthest = max(furthest, k)
				} else if !seen[to] {
					seen[to] = true
					worklist = append(worklist, to)
				}
			})
		}
	}
	return dominators
}

// path returns some path from the entry to done, or nil if there is none.
func (w *walk) path() []int {
	before := make([]int, len(w.reached))
	for i := range before {
		before[i] = -1
	}
	entry := w.entry()
	before[entry] = entry
	for worklist := []int{entry}; len(worklist) > 0; {
		i := worklist[0]
		worklist = worklist[1:]
		if i == w.done() {
			path := []int{i}
			for i != entry {
				i = before[i]
				path = append(path, i)
			}
			slices.Reverse(path)
			return path
		}
		w.edges(i, func(to int, _ certainty) {
			if before[to] < 0 {
				before[to] = i
				worklist = append(worklist, to)
			}
		})
	}
	return nil
}

// order lists the reached phases in reverse postorder, the order in which a reader of the itinerary
// meets them. The next phase in order comes before the target of a jump, unless only the jump leads
// there. Only edges by current values are followed, as long as they lead to all phases that run.
func (w *walk) order() []int {
	order := w.orderBy(onUnknown)
	listed := make([]bool, len(w.marks))
	for _, i := range order {
		listed[i] = true
	}
	for i, m := range w.marks {
		if m.runs() != phases.False && !listed[i] {
			return w.orderBy(onChange)
		}
	}
	return order
}

// orderBy follows the edges that are at least as certain as level.
func (w *walk) orderBy(level certainty) []int {
	order := make([]int, 0, len(w.marks))
	seen := make([]bool, len(w.reached))
	var visit func(i int)
	visit = func(i int) {
		if seen[i] {
			return
		}
		seen[i] = true
		w.edges(i, func(to int, s certainty) {
			if s >= level {
				visit(to)
			}
		})
		switch {
		case i < w.done() && i != w.at && w.reached[i]:
			order = append(order, i)
		case i == w.entry() && w.at >= 0 && w.at < w.done():
			order = append(order, w.at)
		}
	}
	visit(w.entry())
	slices.Reverse(order)
	return order
}
