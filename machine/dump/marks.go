package dump

import (
	"slices"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Coverage is what tests have covered of an itinerary, for a drawing of it: each
// phase, and each transition, which are all drawn, as with [Options.AllEdges].
type Coverage struct {
	// Phase returns the mark of the phase at an index, and Transition that of an
	// edge of the graph.
	Phase      func(i int) Mark
	Transition func(e machine.Edge) Mark
	// Summary sums up what is covered, a line for each thing.
	Summary []string
}

// Mark is how something is covered.
type Mark uint8

// The marks.
const (
	NotCovered Mark = iota
	Covered
	Impossible // nothing can cover it
)

var (
	markStates = [...]state{NotCovered: missed, Covered: covered, Impossible: impossible}
	markTaken  = [...]phases.Truth{NotCovered: phases.Unknown, Covered: phases.True, Impossible: phases.False}
	markWords  = [...]string{phases.Unknown: missed.String(), phases.True: covered.String(), phases.False: impossible.String()}
	// jsonMarks are the marks as JSON calls them, which never changes.
	jsonMarks = map[phases.Truth]string{phases.Unknown: "notCovered", phases.True: "covered", phases.False: "impossible"}
)

// mark draws a coverage on top of the phases.
func (p *part) mark(c *Coverage) {
	p.coverage = c
	if c == nil {
		return
	}
	for k := range p.all {
		if n := &p.all[k]; n.isPhase() {
			n.state = markStates[c.Phase(n.index)]
		}
	}
}

// markEdges draws a coverage on top of the transitions.
func (p *part) markEdges() {
	if p.coverage == nil {
		return
	}
	for k := range p.edges {
		e := &p.edges[k]
		e.taken = markTaken[p.coverage.Transition(machine.Edge{From: p.nodes[e.from].index, To: p.nodes[e.to].index})]
	}
}

// legended returns the notes of a drawing, with a legend of lines behind them if there
// is a coverage: unlike phases, lines have no words.
func (d *Drawing) legended(lines string) []string {
	if !slices.ContainsFunc(d.parts, func(p *part) bool { return p.coverage != nil }) {
		return d.notes
	}
	return append(slices.Clone(d.notes), lines)
}

// summaryLines sum up a coverage; none if there is none.
func (p *part) summaryLines() []string {
	if p.coverage == nil {
		return nil
	}
	return p.coverage.Summary
}
