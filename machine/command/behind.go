package command

import (
	"fmt"
	"slices"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// why is why the phase at an index does not run, as [machine.Plan.Why] says it. Of a
// phase that is behind it is the guard that did not admit, if that is known.
func (p *planned) why(i int) *machine.Why { return p.guardOf(i, p.plan.Why(i)) }

// whyUnder is the same as [machine.Plan.WhyUnder] says it.
func (p *planned) whyUnder(i, step int) *machine.Why { return p.guardOf(i, p.plan.WhyUnder(i, step)) }

// guardOf returns in place of the reason that a phase is behind why its guard did not
// admit: the flags that the state records say so, and none of those has changed since.
func (p *planned) guardOf(i int, why *machine.Why) *machine.Why {
	if why == nil || why.Guard != machine.WhyBehind || p.recorded == nil || p.recorded.Guard(i) != phases.False {
		return why
	}
	guard := p.recorded.Why(i)
	if flags := p.flagsOf(guard); flags == 0 || p.mayHaveChanged(i, flags) {
		return why
	}
	return guard
}

// flagsOf are the flags that a reason names.
func (p *planned) flagsOf(why *machine.Why) phases.Flags {
	flags, _ := p.plan.Graph().Vocabulary().Parse(why.Flags...) // names of the vocabulary itself
	return flags
}

// mayHaveChanged reports whether one of the flags may have changed since the run
// passed the phase at an index: it is live, or a phase that may have run since decides
// it.
func (p *planned) mayHaveChanged(i int, flags phases.Flags) bool {
	g := p.plan.Graph()
	if g.Vocabulary().Live()&flags != 0 {
		return true
	}
	at := p.plan.Current() // -1 if the run is done
	for j := range g.Len() {
		if j != i && g.Decides(j)&flags != 0 && leads(g, i, j) && (at < 0 || leads(g, j, at)) {
			return true
		}
	}
	return false
}

// leads reports whether a way leads from one phase to another, whatever the flags.
func leads(g *machine.Graph, from, to int) bool {
	plan, err := g.PlanFrom(machine.Position{Phase: g.Phase(from).Name}, phases.Facts{})
	if err != nil {
		return false // never: it is one of its phases
	}
	for i := range plan.Each {
		if i == to {
			return true
		}
	}
	return false
}

// ran reports whether a phase that does not run for that reason has, as far as that is
// known: it is behind, and its step has started.
func (p *planned) ran(i int, why *machine.Why) bool {
	g := p.plan.Graph()
	return why != nil && why.Guard == machine.WhyBehind && slices.ContainsFunc(g.StepsOf(i), func(k int) bool {
		return slices.Contains(p.started, g.Steps()[k])
	})
}

// notThere is said of a run whose itinerary has nothing of the name that is asked for.
// If an itinerary that it has left has, that one is named.
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
