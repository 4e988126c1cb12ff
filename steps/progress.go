package steps

import (
	"fmt"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Progress describes how far a run has come, in steps.
type Progress struct {
	// Completed is the number of completed steps, including those that failed or were interrupted.
	Completed int
	// Current is the name of the step that the run is in. It is empty at the start of an itinerary
	// and when the run is done.
	Current string
	// Number is the position of Current in the pipeline, counted from 1, or 0 if Current is empty.
	// Steps before it may still be open, if they may be entered again.
	Number int
	// AtLeast and AtMost bound the number of steps that the run shows in the end, unless it leaves
	// its itinerary. AtLeast counts the steps that have started or will run; AtMost adds those that
	// depend on a flag that is unknown or may still change.
	AtLeast, AtMost int
}

// ProgressOf returns the progress of a run, given its pipeline, as returned by [Sync], and the plan
// from its position. It takes the steps behind the position from the pipeline, not from the plan.
func ProgressOf(p Pipeline, plan *machine.Plan) Progress {
	var out Progress
	g := plan.Graph()
	if plan.Current() >= 0 {
		if step := p.Current(); step != nil {
			out.Current = step.Name
		}
	}
	seen := make(map[string]bool, len(p))
	for i := range p {
		if !p[i].Ran() {
			continue
		}
		seen[p[i].Name] = true
		if !p[i].Open() {
			out.Completed++
		}
		if p[i].Name == out.Current {
			out.Number = len(seen)
		}
	}
	out.AtLeast = len(seen)
	anyCertain := false
	if g == nil {
		out.AtMost = out.AtLeast
		return out
	}
	for i := range g.Len() {
		if g.Rides(i) || plan.Runs(i) != phases.True || plan.Tentative(i) {
			continue
		}
		names, certain := mayBelong(plan, i)
		anyCertain = anyCertain || certain
		if certain && len(names) == 1 && !seen[names[0]] {
			seen[names[0]] = true
			out.AtLeast++
		}
	}
	out.AtMost = out.AtLeast
	for i := range g.Len() {
		// A phase that rides shows its own step only if no other step can be shown.
		possible := plan.Runs(i) != phases.False || plan.Tentative(i)
		if !possible || g.Rides(i) && anyCertain {
			continue
		}
		names, _ := mayBelong(plan, i)
		for _, name := range names {
			if !seen[name] {
				seen[name] = true
				out.AtMost++
			}
		}
	}
	return out
}

// mayBelong returns the steps that a phase may belong to, whatever is decided before it, and
// whether it is certain to belong to one of them. A cleanup itinerary does not wait for unknown
// flags, but they may become known before the phase.
func mayBelong(plan *machine.Plan, i int) (names []string, certain bool) {
	g := plan.Graph()
	may := plan.Tentative(i) || g.IsCleanup() && !plan.Facts().Known().Has(g.Reads())
	if may {
		for _, k := range g.StepsOf(i) {
			names = append(names, g.Steps()[k])
		}
		return names, g.StepOf(i) >= 0
	}
	for k, t := range plan.Under(i) {
		names = append(names, g.Steps()[k])
		certain = t == phases.True || g.StepOf(i) >= 0
	}
	return names, certain
}

// String returns "step 3 of 7", "step 3 of 5 to 7" or, between steps, "2 of 7 steps".
func (p Progress) String() string {
	of := fmt.Sprint(p.AtMost)
	if p.AtLeast < p.AtMost {
		of = fmt.Sprintf("%d to %d", p.AtLeast, p.AtMost)
	}
	if p.Current == "" {
		return fmt.Sprintf("%d of %s steps", p.Completed, of)
	}
	return fmt.Sprintf("step %d of %s", p.Number, of)
}
