// Package dump draws itineraries: as text for a terminal, as Graphviz's DOT, as
// Mermaid, as an SVG picture that needs neither, and as JSON for other tools.
//
// A drawing shows one itinerary or several. With a plan ([machine.Plan]) it
// shows on top what runs from the plan's position on, what does not and why.
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
// By default a drawing is the reduction of the machine: the phases in order,
// guards on the phases, and the jumps. That a phase is passed by if its guard
// does not admit follows from the guard and is no edge of its own.
// [Options.AllEdges] draws every transition that there may be.
//
// No edge leads on from an end phase, and done is drawn only if a run may still end
// without one. A choice of a handler is a jump with a look of its own, and so has
// what depends on a choice that is not made. A phase that may belong to several
// steps is drawn under the one of the plan, or without a plan under its own.
//
// [NewDiff] makes one drawing of what differs between two sets of flags, two
// positions or two versions of an itinerary. Both sides share one layout, so that
// each phase has one place.
//
// A drawing of [Itinerary.Coverage] shows what tests cover: each phase and transition
// is covered, not covered, or impossible.
//
// The same drawing always gives the same bytes.
package dump
