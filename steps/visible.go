package steps

import (
	"slices"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Visible returns the steps that a plan shows from its position on: those with a phase that runs
// and does not ride. They are in the order in which the itinerary first reaches them, by any phase,
// including those that ride.
func Visible(p *machine.Plan) []string {
	return visible(p, func(t phases.Truth) bool { return t == phases.True })
}

// Possible returns the steps that depend on unknown flags: those that are not visible, but have a
// phase that may run and does not ride. They are ordered as by [Visible].
func Possible(p *machine.Plan) []string {
	if p.Graph() == nil {
		return []string{}
	}
	certain := make([]bool, len(p.Graph().Steps()))
	for _, name := range Visible(p) {
		certain[p.Graph().StepIndex(name)] = true
	}
	possible := visible(p, func(t phases.Truth) bool { return t != phases.False })
	return slices.DeleteFunc(possible, func(name string) bool { return certain[p.Graph().StepIndex(name)] })
}

func visible(p *machine.Plan, counts func(phases.Truth) bool) []string {
	g := p.Graph()
	if g == nil {
		return []string{}
	}
	shown := make([]bool, len(g.Steps()))
	for i := range p.Each {
		if g.Rides(i) || !counts(p.Runs(i)) {
			continue
		}
		for k, t := range p.Under(i) {
			if counts(t) {
				shown[k] = true
			}
		}
	}
	names := make([]string, 0, len(shown))
	for i := range p.Each {
		if !counts(p.Runs(i)) {
			continue
		}
		for k, t := range p.Under(i) {
			if shown[k] && counts(t) {
				shown[k] = false
				names = append(names, g.Steps()[k])
			}
		}
	}
	return names
}

// DisplaySteps returns, for each phase by index, the step under which it is reported. That is its
// own step ([machine.Plan.StepOf]; empty if it has none), unless the phase runs, rides, and nothing
// else makes its step visible. Such a phase is reported under the step of the last running phase
// before it that does not ride or, if there is none, under the first visible step.
func DisplaySteps(p *machine.Plan) []string {
	g := p.Graph()
	if g == nil {
		return []string{}
	}
	names := make([]string, g.Len())
	for i := range names {
		if k := p.StepOf(i); k >= 0 {
			names[i] = g.Steps()[k]
		}
	}
	ahead := reaches(p, nil)
	report(p, ahead, nil, make([]bool, len(g.Steps())))
	for _, r := range ahead {
		if r.under >= 0 {
			names[r.phase] = g.Steps()[r.under]
		}
	}
	return names
}

// reached describes a phase that a plan reaches and that runs or may run. One pass over the plan
// finds all of them.
type reached struct {
	phase   int
	step    int32 // its own step ([machine.Plan.StepOf]); -1 if none
	under   int32 // the step under which it is reported
	certain bool  // whether it is certain to run
	rides   bool
	// belongs reports whether it is certain to belong to its step. If not, [machine.Plan.Under]
	// returns the steps that it may belong to.
	belongs bool
}

// reaches appends the reached phases to list, in the order of the plan, each under its own step.
func reaches(p *machine.Plan, list []reached) []reached {
	g := p.Graph()
	for i := range p.Each {
		runs := p.Runs(i)
		if runs == phases.False {
			continue
		}
		r := reached{phase: i, step: int32(p.StepOf(i)), certain: runs == phases.True, rides: g.Rides(i)}
		for _, t := range p.Under(i) {
			r.belongs = t == phases.True
			break
		}
		r.under = r.step
		list = append(list, r)
	}
	return list
}

// eachStep calls yield with each step that the phase may belong to, and whether it is certain to
// run under it.
func (r *reached) eachStep(p *machine.Plan, yield func(step int, certain bool)) {
	if r.belongs {
		yield(int(r.step), r.certain)
		return
	}
	for k := range p.Under(r.phase) {
		yield(k, false)
	}
}

// report sets the step under which each phase is reported, as described at [DisplaySteps]. Steps
// that have started are also shown: those whose position in started, by index, is positive (nil for
// none). report records in shown, by index, which steps are shown.
func report(p *machine.Plan, ahead []reached, started []int32, shown []bool) {
	for _, r := range ahead {
		if r.certain && !r.rides && r.belongs {
			shown[r.step] = true
		}
	}
	first, last := int32(-1), int32(-1)
	for _, r := range ahead { // a phase that rides may reach the first visible step
		if r.certain && r.step >= 0 && shown[r.step] {
			first = r.step
			break
		}
	}
	for k, place := range started {
		shown[k] = shown[k] || place > 0
	}
	looked := p.Current() <= 0 // whether last covers the phases behind
	for i := range ahead {
		switch r := &ahead[i]; {
		case r.step < 0:
		case !r.rides:
			if r.certain {
				last, looked = r.step, true
			}
		case shown[r.step]:
		default:
			if !looked {
				last, looked = lastBehind(p), true
			}
			if last >= 0 {
				r.under = last
			} else if first >= 0 {
				r.under = first
			}
		}
	}
}

// lastBehind returns the index of the step of the last phase that does not ride and, by the current
// facts, ran before the current phase. It returns -1 if there is none. Phases that a jump passed do
// not count, whatever their guards.
func lastBehind(p *machine.Plan) int32 {
	g, last := p.Graph(), int32(-1)
	whole := g.Plan(p.Facts())
	for i := range whole.Each {
		switch {
		case i == p.Current():
			return last
		case whole.Runs(i) == phases.True && !g.Rides(i):
			last = int32(whole.StepOf(i))
		}
	}
	return -1 // the current facts lead elsewhere
}
