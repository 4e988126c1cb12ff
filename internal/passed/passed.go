// Package passed explains the phases that a run has passed by: a plan from its
// position knows only that they are behind.
package passed

import (
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Why returns why the phase at an index did not run, if why is that it is behind and
// the flags that the run has recorded say that its guard did not admit it, of which
// none has changed since; otherwise it returns why. Plan is from the position of the
// run, and recorded of the whole itinerary with the recorded flags, or nil if there
// are none.
func Why(plan, recorded *machine.Plan, i int, why *machine.Why) *machine.Why {
	if why == nil || why.Guard != machine.WhyBehind || recorded == nil || recorded.Guard(i) != phases.False {
		return why
	}
	guard := recorded.Why(i)
	flags, _ := plan.Graph().Vocabulary().Parse(guard.Flags...) // names of the vocabulary itself
	if flags == 0 || mayHaveChanged(plan, i, flags) {
		return why
	}
	return guard
}

// mayHaveChanged reports whether one of the flags may have changed since the run
// passed the phase at an index: it is live, or a phase that may have run since decides
// it.
func mayHaveChanged(plan *machine.Plan, i int, flags phases.Flags) bool {
	g := plan.Graph()
	if g.Vocabulary().Live()&flags != 0 {
		return true
	}
	at := plan.Current() // -1 if the run is done
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
