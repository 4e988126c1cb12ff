package passed

import (
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Why returns the reason why the phase at index i did not run. The plan must be from
// the run's position, and why must be plan.Why(i). recorded must be the plan of the whole itinerary
// with the recorded flags, or nil if none are recorded.
//
// Why returns the guard's reason from recorded if why is [machine.WhyBehind], the guard did not
// admit by the recorded flags, and none of the flags responsible can have changed since. Otherwise
// it returns why.
func Why(plan, recorded *machine.Plan, i int, why *machine.Why) *machine.Why {
	if why == nil || why.Guard != machine.WhyBehind || recorded == nil || recorded.Guard(i) != phases.False {
		return why
	}
	guard := recorded.Why(i)
	flags, _ := plan.Graph().Vocabulary().Parse(guard.Flags...) // the names come from the vocabulary itself
	if flags == 0 || mayHaveChanged(plan, i, flags) {
		return why
	}
	return guard
}

// mayHaveChanged reports whether one of the flags may have changed since the run passed the phase
// at index i: it is live, or a phase that may have run since decides it.
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

// leads reports whether a path leads from one phase to another, whatever the flags.
func leads(g *machine.Graph, from, to int) bool {
	plan, err := g.PlanFrom(machine.Position{Phase: g.Phase(from).Name}, phases.Facts{})
	if err != nil {
		return false // unreachable: the graph has the phase
	}
	for i := range plan.Each {
		if i == to {
			return true
		}
	}
	return false
}
