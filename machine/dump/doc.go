// Package dump draws itineraries: as text for a terminal, as Graphviz DOT, as
// Mermaid, as a self-contained SVG picture, and as JSON for other tools. It draws what
// it is given: it neither runs phases nor reads objects from a cluster.
//
// A drawing shows one or more itineraries. With a plan ([machine.Plan]), it also shows
// what runs from the plan's position on, what does not run, and why.
//
//	plan, err := graph.PlanFrom(machine.Position{Phase: "Copy"}, facts)
//	if err != nil {
//		return err
//	}
//	drawing, err := dump.New(dump.Options{}, dump.Itinerary{Plan: plan})
//	if err != nil {
//		return err
//	}
//	fmt.Print(drawing.Text())
//
// By default a drawing is a reduction of the machine: the phases in order, guards on
// the phases, and the jumps. If a guard does not admit, the machine passes its phase
// by; that follows from the guard and is not drawn as an edge.
// [Options.AllEdges] draws every possible transition.
//
// No edge leads on from an end phase. Done is drawn only if a run can still end without
// an end phase. A handler's choice is a jump with its own look. Whatever depends on a
// pending choice also has its own look. A phase that can belong to several steps is drawn under
// the step that the plan selects; without a plan, under its default step.
//
// [NewDiff] draws the differences between two sets of flags, two positions, or two
// versions of an itinerary. Both sides share one layout, so each phase has one place.
//
// A drawing of [Itinerary.Coverage] shows what tests cover: each phase and transition
// is covered, not covered, or impossible.
//
// The same input always produces the same bytes.
package dump
