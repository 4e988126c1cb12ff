package command

import (
	"fmt"
	"slices"

	"github.com/konveyor/dynamic-pipeline/internal/passed"
	"github.com/konveyor/dynamic-pipeline/machine"
)

// why returns the reason why phase i does not run, as [machine.Plan.Why] does. For a phase
// that is behind, it is the guard that did not admit, if that is known.
func (p *planned) why(i int) *machine.Why { return passed.Why(p.plan, p.recorded, i, p.plan.Why(i)) }

// whyUnder is like why for a phase under one of its steps; see [machine.Plan.WhyUnder].
func (p *planned) whyUnder(i, step int) *machine.Why {
	return passed.Why(p.plan, p.recorded, i, p.plan.WhyUnder(i, step))
}

// ran reports whether a phase that does not run for reason why has already run, as far as
// is known: it is behind, and its step has started.
func (p *planned) ran(i int, why *machine.Why) bool {
	g := p.plan.Graph()
	return why != nil && why.Guard == machine.WhyBehind && slices.ContainsFunc(g.StepsOf(i), func(k int) bool {
		return slices.Contains(p.started, g.Steps()[k])
	})
}

// notThere returns the message that the itinerary of a run has nothing of the requested
// name. If an itinerary that the run has left has it, the message names that one.
func (q question) notThere(p *planned) string {
	text := fmt.Sprintf("itinerary %s has no such %s", p.plan.Graph().Name(), q.what())
	for _, s := range slices.Backward(p.switches) {
		g := p.lookup(s.From)
		if g == nil || !q.known([]*machine.Graph{g}) {
			continue
		}
		what := "has it"
		switch phase, step := q.find(g); {
		case step >= 0 && slices.Contains(p.started, g.Steps()[step]):
			what = "has step " + g.Steps()[step] + ", which has started"
		case step >= 0:
			what = "has step " + g.Steps()[step] + ", which has not started"
		case phase >= 0:
			what = "has phase " + g.Phase(phase).Name
		}
		at := ""
		if s.Phase != "" {
			at = " at " + s.Phase
		}
		return fmt.Sprintf("%s; itinerary %s, which the run left%s for %s, %s", text, s.From, at, s.To, what)
	}
	return text
}
