package conformance

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
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

// The plan is the run: for every assignment of the 19 flags and each of the five itineraries,
// the machine enters exactly the phases that run by the plan. Assignments that
// differ only in flags that the itinerary does not read count as one.
func TestPlanIsTheRunForEveryAssignment(t *testing.T) {
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
					for i := 0; i < len(part); i += testscale.Of(1, 16) {
						yes := part[i]
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

// planIsRun runs a machine with known facts and compares it with the plan.
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
	return "by the plan " + d.planned + " is next, but the machine entered " + d.ran
}

// Flags that an itinerary does not read do not change the plan. The test covers all
// assignments, and justifies that the test above counts some of them as one.
func TestPlanDependsOnlyOnFlagsThatAreRead(t *testing.T) {
	all := mtc.Vocabulary().All()
	for _, name := range testscale.Of(itineraries.Names(), []string{mtc.Final}) {
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
							names := mtc.Vocabulary().Names
							t.Fatalf("%s: the plan of %v changes without %v", g.Phase(i).Name, names(yes), names(unread))
						}
					}
					compared++
				})
			})
			require.Equal(t, 1<<all.Len(), compared)
		})
	}
}
