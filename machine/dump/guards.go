package dump

import (
	"github.com/konveyor/dynamic-pipeline/phases"
)

// guards holds the guards of all phases, by index, evaluated with the same facts.
type guards struct {
	admit []phases.Truth // done always admits
	// The number of guards before an index that admit, and that are unknown.
	yes, unknown []int
}

// guards evaluates all guards with the given flags open. The open flags only grow along
// the path, so there are few distinct sets.
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

// refuse reports whether no guard in the range [from, to) admits.
func (g *guards) refuse(from, to int) phases.Truth {
	switch {
	case g.yes[to] > g.yes[from]:
		return phases.False
	case g.unknown[to] > g.unknown[from]:
		return phases.Unknown
	}
	return phases.True
}
