package dump

import (
	"slices"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// edge leads from one node of a part to another.
type edge struct {
	from, to int // indices in the nodes
	kind     edgeKind
	guard    string // of a jump, in words; empty if it is always taken
	choice   bool   // of a jump: the handler chooses it
	// taken reports whether the plan takes the edge: True if it does by the current values;
	// False if it cannot, whatever tentative and unknown flags and choices turn out to be.
	// Without a plan it is False for an edge that is never taken, else True.
	taken phases.Truth
	// In a diff, was is the same edge of before, if both sides have it.
	change change
	was    *edge
}

type edgeKind uint8

const (
	// inOrder leads to the next node. In the reduction it also stands for passing by
	// phases whose guards do not admit.
	inOrder edgeKind = iota
	jump
	// skip leads past phases whose guards do not admit. In the reduction these are end
	// phases, from which no edge leads on.
	skip
)

var edgeKinds = [...]string{inOrder: "order", jump: "jump", skip: "skip"}

func (k edgeKind) String() string { return edgeKinds[k] }

// reduce connects the nodes in order and adds the jumps.
func (p *part) reduce() {
	at := p.positions()
	for k := range p.nodes[:len(p.nodes)-1] {
		n := &p.nodes[k]
		if n.end {
			continue
		}
		p.lead(edge{from: k, to: k + 1, kind: inOrder}, func(w *path) phases.Truth { return w.passes(n.index, p.nodes[k+1].index) })
		for j, one := range p.jumps(n.index) {
			p.lead(edge{from: k, to: at[one.to+1], kind: jump, guard: p.guard(one), choice: one.choice},
				func(w *path) phases.Truth { return w.jumps[n.index+1][j] })
		}
	}
}

// lead adds an edge of the reduction. comes judges whether the path takes it. If the edge
// leads to an end phase with a guard, lead also adds the edges that lead past it.
func (p *part) lead(e edge, comes func(*path) phases.Truth) {
	for {
		to := &p.nodes[e.to]
		e.taken = p.paths.taken(func(w *path) phases.Truth {
			if !to.end {
				return comes(w)
			}
			return and(comes(w), w.admits(to.index))
		})
		p.add(e)
		if !to.end || to.guard == "" {
			return
		}
		before, next := comes, p.nodes[e.to+1].index
		comes = func(w *path) phases.Truth { return and(before(w), w.passes(to.index, next)) }
		e = edge{from: e.from, to: e.to + 1, kind: skip}
	}
}

// add adds an edge of the reduction. A second edge past the same end phases only updates
// taken. An edge to done that is not taken is left out if there are end phases.
func (p *part) add(e edge) {
	if e.kind == skip {
		others := p.edgesFrom(e.from)
		if k := slices.IndexFunc(others, func(o edge) bool { return o.kind == skip && o.to == e.to }); k >= 0 {
			others[k].taken = or(others[k].taken, e.taken)
			return
		}
	}
	if p.ends && p.nodes[e.to].index == p.graph.Len() && e.taken == phases.False {
		return
	}
	p.edges = append(p.edges, e)
}

// transitions draws transitions of the machine, grouped by origin. A transition to a
// phase that is left out leads to the next remaining phase.
func (p *part) transitions(all []machine.Edge, around bool) {
	p.transits = true
	w := p.paths
	at := p.positions()
	next := func(e machine.Edge) int { // the next node in order
		if around {
			return at[e.From+2]
		}
		return at[e.From+1] + 1
	}
	seen := make(map[edge]int) // edges without taken, with their indices
	add := func(e edge, taken phases.Truth) {
		if k, ok := seen[e]; ok {
			p.edges[k].taken = or(p.edges[k].taken, taken)
			return
		}
		seen[e] = len(p.edges)
		e.taken = taken
		p.edges = append(p.edges, e)
	}
	for len(all) > 0 {
		i := all[0].From
		n := slices.IndexFunc(all, func(e machine.Edge) bool { return e.From != i })
		if n < 0 {
			n = len(all)
		}
		group := all[:n]
		all = all[n:]
		from := at[i+1]
		if p.nodes[from].index != i {
			continue // left out
		}
		first, last := group[0].To, group[n-1].To
		directNow, now := w.now.leads(i, first, last)
		directLater, later := w.later.leads(i, first, last)
		byTarget := make(map[int][]int)
		ever, _ := p.graph.Onward(i, phases.Facts{})
		for j := range directNow {
			if ever[j] == phases.False {
				continue // an earlier one is always taken first
			}
			to := p.jumps(i)[j].to
			byTarget[to] = append(byTarget[to], j)
		}
		ends := p.inOrder(i)
		for _, e := range group {
			to := at[e.To+1]
			for _, j := range byTarget[e.To] {
				t := p.jumps(i)[j]
				add(edge{from: from, to: to, kind: jump, guard: p.guard(t), choice: t.choice}, w.sum(directNow[j], directLater[j]))
			}
			if _, ok := now[e.To]; !ok {
				continue
			}
			kind := skip
			if i < e.To && e.To <= ends && to == next(e) {
				kind = inOrder
			}
			add(edge{from: from, to: to, kind: kind}, w.sum(now[e.To], later[e.To]))
		}
	}
	slices.SortStableFunc(p.edges, func(a, b edge) int {
		if a.from != b.from {
			return a.from - b.from
		}
		if a.kind != b.kind {
			return int(a.kind) - int(b.kind)
		}
		return a.to - b.to
	})
}

// positions returns, for each index of the graph plus one, the node drawn for it, or the
// next node that is drawn.
func (p *part) positions() []int {
	at := make([]int, p.graph.Len()+2)
	k := len(p.nodes) - 1
	for i := len(at) - 1; i >= 0; i-- {
		for k > 0 && p.nodes[k-1].index >= i-1 {
			k--
		}
		at[i] = k
	}
	return at
}

// inOrder returns the last index that a transition in order can reach from an index: the
// first later phase without a guard. It returns the index itself if one of the phase's
// jumps is always taken.
func (p *part) inOrder(i int) int {
	if _, order := p.graph.Onward(i, phases.Facts{}); order == phases.False {
		return i
	}
	return p.stops[i+1]
}

// target is a jump with its target as an index.
type target struct {
	to     int
	guard  phases.Guard
	choice bool
}

// guard returns the guard of a jump in words.
func (p *part) guard(t target) string { return t.guard.Text(p.graph.Vocabulary()) }

// jumps returns the jumps of the phase at an index of the graph.
func (p *part) jumps(i int) []target {
	if i < 0 || i == p.graph.Len() {
		return nil
	}
	return p.targets[i]
}

// index computes the jumps and stops of all phases once.
func (p *part) index() {
	n := p.graph.Len()
	p.targets, p.stops = make([][]target, n), make([]int, n+1)
	p.stops[n] = n
	for i := n - 1; i >= 0; i-- {
		phase := p.graph.Phase(i)
		p.stops[i] = i
		if phase.Guard.Reads() != 0 {
			p.stops[i] = p.stops[i+1]
		}
		for _, j := range phase.Jumps {
			to, _ := p.graph.Lookup(j.To) // Compile has checked it
			p.targets[i] = append(p.targets[i], target{to, j.Guard, j.Choice})
		}
	}
}
