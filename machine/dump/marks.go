package dump

import (
	"slices"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Coverage is the test coverage of an itinerary. A drawing of it shows every phase and
// every transition, as with [Options.AllEdges].
type Coverage struct {
	// Phase returns the mark of the phase at an index. Transition returns the mark of an
	// edge of the graph. Both are required and must be safe for concurrent use, because
	// the methods of a [Drawing] may call them.
	Phase      func(i int) Mark
	Transition func(e machine.Edge) Mark
	// Summary has the lines that sum up the coverage. It may be empty.
	Summary []string
}

// Mark is the coverage of one phase or transition.
type Mark uint8

// The marks.
const (
	NotCovered Mark = iota
	Covered
	Impossible // no test can cover it
)

var (
	markStates = [...]state{NotCovered: missed, Covered: covered, Impossible: impossible}
	markTaken  = [...]phases.Truth{NotCovered: phases.Unknown, Covered: phases.True, Impossible: phases.False}
	markWords  = [...]string{phases.Unknown: missed.String(), phases.True: covered.String(), phases.False: impossible.String()}
	// jsonMarks are the names of the marks in JSON. They never change.
	jsonMarks = map[phases.Truth]string{phases.Unknown: "notCovered", phases.True: "covered", phases.False: "impossible"}
)

// mark sets the states of the phases from a coverage.
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

// markEdges sets the states of the transitions from a coverage.
func (p *part) markEdges() {
	if p.coverage == nil {
		return
	}
	for k := range p.edges {
		e := &p.edges[k]
		e.taken = markTaken[p.coverage.Transition(machine.Edge{From: p.nodes[e.from].index, To: p.nodes[e.to].index})]
	}
}

// legended returns the notes of a drawing and, if there is a coverage, a legend of lines:
// unlike phases, lines have no words.
func (d *Drawing) legended(lines string) []string {
	if !slices.ContainsFunc(d.parts, func(p *part) bool { return p.coverage != nil }) {
		return d.notes
	}
	return append(slices.Clone(d.notes), lines)
}

// summaryLines returns the summary of the coverage; nil if there is none.
func (p *part) summaryLines() []string {
	if p.coverage == nil {
		return nil
	}
	return p.coverage.Summary
}
