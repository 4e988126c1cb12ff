package steps

import (
	"slices"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Visible returns the steps that a plan will show from its position on: those
// with a phase that runs and does not ride. They come in the order in which
// the itinerary first reaches them, by a phase that rides or one that does not.
func Visible(p *machine.Plan) []string {
	return visible(p, func(t phases.Truth) bool { return t == phases.True })
}

// Possible returns the steps that depend on unknown flags: those that are not
// visible, but have a phase that may run and does not ride. Order as for
// [Visible].
func Possible(p *machine.Plan) []string {
	if p.Graph() == nil {
		return []string{}
	}
	sure := make([]bool, len(p.Graph().Steps()))
	for _, name := range Visible(p) {
		sure[p.Graph().StepIndex(name)] = true
	}
	maybe := visible(p, func(t phases.Truth) bool { return t != phases.False })
	return slices.DeleteFunc(maybe, func(name string) bool { return sure[p.Graph().StepIndex(name)] })
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

// DisplaySteps returns, for each phase by index, the step that it is reported
// under: its own ([machine.Plan.StepOf]; empty if it has none), unless the phase
// runs, rides, and nothing else makes its step visible. Such a phase is reported under the step of the last running phase
// before it that does not ride or, if there is none, under the first visible
// step.
func DisplaySteps(p *machine.Plan) []string {
	g := p.Graph()
	if g == nil {
		return []string{}
	}
	names := make([]string, g.Len())
	under := reported(p, nil, nil, make([]bool, len(g.Steps())))
	for i, k := range under {
		if k >= 0 {
			names[i] = g.Steps()[k]
		}
	}
	return names
}

// reported is [DisplaySteps] by indices of steps, appended to under. The steps that
// have started are shown as well: those whose place, by index, is above 0 (nil
// for none). It sets in shown, by index, which steps are.
func reported(p *machine.Plan, started []int32, under []int32, shown []bool) []int32 {
	g := p.Graph()
	for i := range g.Len() {
		under = append(under, int32(p.StepOf(i)))
	}
	for i := range p.Each {
		if p.Runs(i) == phases.True && !g.Rides(i) && settled(p, i) {
			shown[under[i]] = true
		}
	}
	first, last := int32(-1), int32(-1)
	for i := range p.Each { // the first visible step may be reached by a phase that rides
		if p.Runs(i) == phases.True && under[i] >= 0 && shown[under[i]] {
			first = under[i]
			break
		}
	}
	for k, place := range started {
		shown[k] = shown[k] || place > 0
	}
	looked := p.Current() <= 0 // for what is behind
	for i := range p.Each {
		switch {
		case p.Runs(i) == phases.False || under[i] < 0:
		case !g.Rides(i):
			if p.Runs(i) == phases.True {
				last, looked = under[i], true
			}
		case shown[under[i]]:
		default:
			if !looked {
				last, looked = lastBehind(p), true
			}
			if last >= 0 {
				under[i] = last
			} else if first >= 0 {
				under[i] = first
			}
		}
	}
	return under
}

// settled reports whether it is known to which step a phase belongs.
func settled(p *machine.Plan, i int) bool {
	for _, t := range p.Under(i) {
		return t == phases.True
	}
	return false
}

// lastBehind returns the index of the step of the last phase that does not ride
// and, by the facts of now, ran before the current one; -1 if there is none.
// Phases that a jump led past are none, whatever their guards say.
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
	return -1 // the facts of now lead elsewhere
}
