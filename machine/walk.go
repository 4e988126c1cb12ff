package machine

import (
	"slices"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// walk plans an itinerary with jumps. It works on places: place i is the
// moment when the phase at index i is next in order, the last place is done.
// From a place the way leads to the place after it, or, through the phase, to
// the targets of its jumps; so the edges stay linear in the phases, and a
// place is reached whether or not its phase's guard admits.
type walk struct {
	*Plan
	// open holds for each place the flags that a phase on some way to it
	// decides; reached, whether there is such a way.
	open    []phases.Flags
	reached []bool
}

// sureness of an edge, and of the ways to a place.
type sureness uint8

const (
	unreached   sureness = iota
	onUnknown            // hangs on an unknown flag
	onTentative          // hangs on a flag that may still change
	forSure
)

func (p *Plan) walk() {
	n := len(p.marks)
	w := &walk{Plan: p, open: make([]phases.Flags, n+1), reached: make([]bool, n+1)}
	entry := max(p.at, 0)
	for i := range p.marks {
		p.marks[i] = mark(p.graph.nodes[i].guard.Eval(p.facts))
	}
	if p.at >= 0 && p.at < n {
		p.marks[p.at] = mark(phases.Yes) // in progress
	}
	w.spread(entry)
	sure := w.sureness(entry)
	for i := range p.marks {
		if !w.reached[i] {
			continue
		}
		p.marks[i] |= ahead
		if sure[i] == onUnknown {
			p.marks[i] |= maybe
		}
		reads := p.graph.nodes[i].guard.Reads()
		if i != p.at && (reads&w.open[i] != 0 || sure[i] == onTentative) {
			p.marks[i] |= tentative
		}
	}
	p.order = w.order(entry)
}

// edges calls yield for each place that the way leads to from place i.
func (w *walk) edges(i int, yield func(to int, s sureness)) {
	n := &w.graph.nodes[i]
	t := w.Guard(i)
	if t == phases.No || len(n.jumps) == 0 {
		yield(i+1, forSure)
		return
	}
	way := forSure
	switch {
	case t == phases.Unknown:
		way = onUnknown
	case i != w.at && n.guard.Eval(w.facts.Forget(w.open[i])) == phases.Unknown:
		way = onTentative
	}
	for _, j := range n.jumps {
		now, later := j.guard.Eval(w.facts), j.guard.Eval(w.facts.Forget(w.after(i)))
		if later == phases.No {
			continue
		}
		if later == phases.Unknown {
			way = min(way, onTentative)
		}
		if now == phases.Unknown {
			way = onUnknown
		}
		yield(j.to, way)
		if later == phases.Yes {
			if t == phases.Unknown {
				yield(i+1, onUnknown)
			}
			return
		}
	}
	yield(i+1, way)
}

// after are the open flags behind place i, those of its phase included where
// that runs or may run.
func (w *walk) after(i int) phases.Flags {
	n := &w.graph.nodes[i]
	if w.Guard(i) == phases.No && n.guard.Eval(w.facts.Forget(w.open[i])) == phases.No {
		return w.open[i]
	}
	return w.open[i] | n.decides
}

// spread finds the places that are reached and the flags that are open there,
// up to the fixed point: more open flags open more ways, never fewer.
func (w *walk) spread(entry int) {
	w.reached[entry] = true
	for work := []int{entry}; len(work) > 0; {
		i := work[len(work)-1]
		work = work[:len(work)-1]
		if i == len(w.marks) {
			continue
		}
		open := w.after(i)
		w.edges(i, func(to int, _ sureness) {
			if !w.reached[to] || open&^w.open[to] != 0 {
				w.reached[to] = true
				w.open[to] |= open
				work = append(work, to)
			}
		})
	}
}

// sureness says of each place how sure it is that the machine comes by. A
// place is sure where sure edges lead to it, or where every way from the entry
// to done leads through it.
func (w *walk) sureness(entry int) []sureness {
	sure := make([]sureness, len(w.reached))
	close := func(level sureness) {
		var work []int
		for i, s := range sure[:len(w.marks)] {
			if s >= level {
				work = append(work, i)
			}
		}
		for len(work) > 0 {
			i := work[len(work)-1]
			work = work[:len(work)-1]
			if i == len(w.marks) {
				continue
			}
			w.edges(i, func(to int, s sureness) {
				if s >= level && sure[to] < level {
					sure[to] = level
					work = append(work, to)
				}
			})
		}
	}
	for _, i := range w.narrows(entry) {
		sure[i] = forSure
	}
	close(forSure)
	close(onTentative)
	close(onUnknown)
	return sure
}

// narrows are the places that every way from the entry to done leads through,
// the entry first. Candidates are the places of one such way. They are swept
// in its order: a place is a narrow if nothing before it leads past it.
func (w *walk) narrows(entry int) []int {
	way := w.way(entry)
	if way == nil {
		return []int{entry}
	}
	at := make(map[int]int, len(way)) // a place's index on the way
	for k, i := range way {
		at[i] = k
	}
	var narrows []int
	seen := make([]bool, len(w.reached))
	furthest := 0
	for k, i := range way {
		if furthest == k {
			narrows = append(narrows, i)
		}
		for work := []int{i}; len(work) > 0; {
			from := work[len(work)-1]
			work = work[:len(work)-1]
			if from == len(w.marks) {
				continue
			}
			w.edges(from, func(to int, _ sureness) {
				if k, on := at[to]; on {
					furthest = max(furthest, k)
				} else if !seen[to] {
					seen[to] = true
					work = append(work, to)
				}
			})
		}
	}
	return narrows
}

// way is some way from the entry to done, or nil where none leads there.
func (w *walk) way(entry int) []int {
	before := make([]int, len(w.reached))
	for i := range before {
		before[i] = -1
	}
	before[entry] = entry
	for work := []int{entry}; len(work) > 0; {
		i := work[0]
		work = work[1:]
		if i == len(w.marks) {
			way := []int{i}
			for i != entry {
				i = before[i]
				way = append(way, i)
			}
			slices.Reverse(way)
			return way
		}
		w.edges(i, func(to int, _ sureness) {
			if before[to] < 0 {
				before[to] = i
				work = append(work, to)
			}
		})
	}
	return nil
}

// order lists the phases that are reached in reverse postorder, the order in
// which a reader of the itinerary meets them: the phase after in order before
// the target of a jump, unless the way there is only by the jump.
func (w *walk) order(entry int) []int {
	order := make([]int, 0, len(w.marks))
	seen := make([]bool, len(w.reached))
	var visit func(i int)
	visit = func(i int) {
		if seen[i] || i == len(w.marks) {
			return
		}
		seen[i] = true
		w.edges(i, func(to int, _ sureness) { visit(to) })
		order = append(order, i)
	}
	visit(entry)
	slices.Reverse(order)
	return order
}
