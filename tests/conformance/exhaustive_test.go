package conformance

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// subsets calls yield with every subset of the flags.
func subsets(flags phases.Flags, yield func(phases.Flags)) {
	for sub := flags; ; sub = (sub - 1) & flags {
		yield(sub)
		if sub == 0 {
			return
		}
	}
}

// Promise 1, proved: for every assignment of the 19 flags and each of the five
// itineraries, the phases that the machine enters, through looplab/fsm, are
// those that the plan says run. Assignments that differ only in flags that the
// itinerary does not read count as one.
func TestThePlanIsTheRunForEveryAssignment(t *testing.T) {
	for _, name := range itineraries.Names() {
		t.Run(name, func(t *testing.T) {
			g := graph(t, name)
			var assignments []phases.Flags
			subsets(g.Reads(), func(yes phases.Flags) { assignments = append(assignments, yes) })
			require.Len(t, assignments, 1<<g.Reads().Len())
			t.Logf("%d flags are read, %d assignments", g.Reads().Len(), len(assignments))

			var all sync.WaitGroup
			share := len(assignments)/runtime.GOMAXPROCS(0) + 1
			for part := range slices.Chunk(assignments, share) {
				all.Add(1)
				go func() {
					defer all.Done()
					for _, yes := range part {
						if err := planIsRun(g, phases.NewFacts(yes, mtc.Vocabulary().All()&^yes)); err != nil {
							t.Errorf("%v: %v", mtc.Vocabulary().Names(yes), err)
							return
						}
					}
				}()
			}
			all.Wait()
		})
	}
}

// planIsRun runs a machine over known facts and holds it against the plan.
func planIsRun(g *machine.Graph, f phases.Facts) error {
	plan := g.Plan(f)
	m, err := g.NewMachine(machine.Position{}, f)
	if err != nil {
		return err
	}
	for i := range g.Len() {
		if plan.Runs(i) != phases.True {
			continue
		}
		switch tr, err := m.Advance(context.Background()); {
		case err != nil:
			return err
		case tr.To.Phase != g.Phase(i).Name:
			return &differs{planned: g.Phase(i).Name, ran: tr.To.String()}
		}
	}
	if m.Position().Done { // by an end phase
		return nil
	}
	switch tr, err := m.Advance(context.Background()); {
	case err != nil:
		return err
	case tr.To != machine.Position{Done: true}:
		return &differs{planned: "done", ran: tr.To.String()}
	}
	return nil
}

type differs struct{ planned, ran string }

func (d *differs) Error() string {
	return "the plan says " + d.planned + " is next, the machine went to " + d.ran
}

// That flags which an itinerary does not read count as one loses nothing:
// whatever they are, the plan is the same in every mark. This runs over all
// 2^19 assignments.
func TestFlagsThatAreNotReadChangeNothing(t *testing.T) {
	all := mtc.Vocabulary().All()
	for _, name := range itineraries.Names() {
		t.Run(name, func(t *testing.T) {
			g := graph(t, name)
			compared := 0
			subsets(g.Reads(), func(read phases.Flags) {
				base := g.Plan(phases.NewFacts(read, all&^read))
				subsets(all&^g.Reads(), func(unread phases.Flags) {
					yes := read | unread
					plan := g.Plan(phases.NewFacts(yes, all&^yes))
					for i := range g.Len() {
						if plan.Runs(i) != base.Runs(i) || plan.Tentative(i) != base.Tentative(i) {
							t.Fatalf("%s: with %v and without %v differ", g.Phase(i).Name, mtc.Vocabulary().Names(yes), mtc.Vocabulary().Names(unread))
						}
					}
					compared++
				})
			})
			require.Equal(t, 1<<19, compared)
		})
	}
}
