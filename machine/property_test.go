package machine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/itinerarytest"
	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// The properties are checked on generated itineraries over four flags, for every assignment and
// every value that deciding phases can give to flags.

var four = itinerarytest.Four

// enters runs a machine from a position with constant facts. It returns the phases in the order in
// which they are first entered, and whether the run reached the end rather than repeating a loop.
func enters(t *testing.T, g *machine.Graph, from machine.Position, f phases.Facts) (names []string, ended bool) {
	t.Helper()
	m, err := g.NewMachine(from, f)
	require.NoError(t, err)
	if from.Phase != "" {
		names = append(names, from.Phase)
	}
	for {
		tr, err := m.Advance(context.Background())
		require.NoError(t, err)
		if tr.To.Done {
			if tr.To.Phase != "" {
				names = append(names, tr.To.Phase)
			}
			return names, true
		}
		if slices.Contains(names, tr.To.Phase) {
			return names, false // from here on the run repeats itself
		}
		names = append(names, tr.To.Phase)
	}
}

func completes(f, of phases.Facts) bool {
	return f.True().Has(of.True()) && f.False().Has(of.False())
}

// Guards are evaluated by current values, for phases before the position as well as after it.
func TestPlanEvaluatesEveryGuard(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	for k := range testscale.Of(40, 8) {
		g, err := machine.Compile(itinerarytest.Generate(r, k%2 == 1, false))
		require.NoError(t, err)
		for _, f := range []phases.Facts{{}, phases.NewFacts(1|2, 4), phases.NewFacts(8, 1|2|4), phases.NewFacts(0, four.All())} {
			for _, from := range append(positions(g), machine.Position{Done: true}) {
				plan, err := g.PlanFrom(from, f)
				require.NoError(t, err)
				for i := range g.Len() {
					want := g.Phase(i).Guard.Eval(f)
					if i == plan.Current() {
						want = phases.True
					}
					require.Equal(t, want, plan.Guard(i), "%s from %s", g.Phase(i).Name, from)
				}
			}
		}
	}
}

// The plan is the run from every position, with and without jumps.
func TestPlanIsTheRun(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for k := range testscale.Of(600, 120) {
		it := itinerarytest.Generate(r, k%2 == 1, false)
		g, err := machine.Compile(it)
		require.NoError(t, err)
		for f := range itinerarytest.Assignments {
			for _, from := range positions(g) {
				plan, err := g.PlanFrom(from, f)
				require.NoError(t, err)
				run, _ := enters(t, g, from, f)
				if diff := cmp.Diff(plan.Running(), append([]string{}, run...)); diff != "" {
					t.Fatalf("itinerary %+v\nfrom %s with %v: -plan +run\n%s", it.Phases, from, four.Names(f.True()), diff)
				}
			}
		}
	}
}

// A certain result of a plan holds for every value of the unknown flags. Without jumps, a plan is
// certain whenever that is possible.
func TestPlanNeverTakesUnknownForFalse(t *testing.T) {
	t.Run("with outcomes", unknownIsNotFalse)
	defer machine.WithoutOutcomes()()
	t.Run("by the walk alone", unknownIsNotFalse)
}

func unknownIsNotFalse(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for k := range testscale.Of(150, 30) {
		jumps := k%2 == 1
		it := itinerarytest.Generate(r, jumps, false)
		g, err := machine.Compile(it)
		require.NoError(t, err)
		for f := range itinerarytest.Partial {
			plan := g.Plan(f)
			always := make([]bool, g.Len())
			never := make([]bool, g.Len())
			for i := range always {
				always[i], never[i] = true, true
			}
			for full := range itinerarytest.Assignments {
				if !completes(full, f) {
					continue
				}
				run, _ := enters(t, g, machine.Position{}, full)
				for i := range always {
					in := slices.Contains(run, g.Phase(i).Name)
					always[i] = always[i] && in
					never[i] = never[i] && !in
				}
			}
			unknown := false
			about := func(i int, text string) string {
				return fmt.Sprintf("%+v: P%d %s with true %v, false %v", it.Phases, i, text, four.Names(f.True()), four.Names(f.False()))
			}
			for i := range always {
				switch plan.Runs(i) {
				case phases.True:
					require.True(t, always[i], about(i, "is planned to run"))
				case phases.False:
					require.True(t, never[i], about(i, "is planned not to run"))
				case phases.Unknown:
					unknown = true
					if !jumps && guardIsExact(g.Phase(i).Guard) {
						require.False(t, always[i] || never[i], about(i, "is certain"))
					}
				}
				for _, sure := range plan.Under(i) {
					unknown = unknown || plan.Runs(i) == phases.True && sure == phases.Unknown
				}
				require.Equal(t, plan.Runs(i) == phases.True, plan.Why(i) == nil, "each phase that may not run has a reason")
			}
			if unknown {
				require.NotZero(t, plan.Matters(), "%+v", it.Phases)
			} else if !jumps {
				require.Zero(t, plan.Matters())
			}
		}
	}
}

// guardIsExact reports whether three-valued evaluation is exact for the guard: no flag is in two of
// its parts.
func guardIsExact(g phases.Guard) bool {
	return g.All&g.Any == 0 && g.Any&g.None == 0 && g.All&g.None == 0
}

// A result that is not tentative holds whatever the deciding phases do. The reference explores
// every possible run: after a phase that decides flags, each of them may have either value.
func TestPlanNeverChangesUnlessTentative(t *testing.T) {
	t.Run("with outcomes", neverChangesUnlessTentative)
	defer machine.WithoutOutcomes()()
	t.Run("by the walk alone", neverChangesUnlessTentative)
}

func neverChangesUnlessTentative(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	sure := 0
	for k := range testscale.Of(300, 60) {
		it := itinerarytest.Generate(r, k%2 == 1, true)
		g, err := machine.Compile(it)
		require.NoError(t, err)
		for f := range itinerarytest.Assignments {
			plan := g.Plan(f)
			for i := range g.Len() {
				if plan.Tentative(i) {
					continue
				}
				sure++
				with, without := explore(t, g, f, i)
				about := fmt.Sprintf("%+v: P%d with %v", it.Phases, i, four.Names(f.True()))
				if plan.Runs(i) == phases.True {
					require.False(t, without, "%s is certain to run, but a run reaches the end without it", about)
				} else {
					require.False(t, with, "%s is certain not to run, but a run enters it", about)
				}
			}
		}
	}
	require.Greater(t, sure, 1000, "the property was hardly exercised")
}

// explore reports whether some run enters the phase at index i, and whether some run reaches the
// end without it.
func explore(t *testing.T, g *machine.Graph, f phases.Facts, i int) (with, without bool) {
	type state struct {
		at    machine.Position
		facts phases.Facts
	}
	seen := map[state]bool{}
	worklist := []state{{facts: f}}
	for len(worklist) > 0 {
		s := worklist[len(worklist)-1]
		worklist = worklist[:len(worklist)-1]
		if seen[s] {
			continue
		}
		seen[s] = true
		if s.at.Phase == g.Phase(i).Name {
			with = true
			continue // other branches cover runs without it
		}
		if s.at.Done {
			without = true
			continue
		}
		var decides phases.Flags
		if s.at.Phase != "" {
			k, err := g.Lookup(s.at.Phase)
			require.NoError(t, err)
			decides = g.Phase(k).Decides
		}
		for next := range itinerarytest.Assignments {
			if (next.True()^s.facts.True())&^decides != 0 {
				continue
			}
			m, err := g.NewMachine(s.at, next)
			require.NoError(t, err)
			tr, err := m.Advance(context.Background())
			require.NoError(t, err)
			worklist = append(worklist, state{tr.To, next})
		}
	}
	return with, without
}

// Available lists everything to which Advance can lead once the unknown flags are known.
func TestAvailableIsComplete(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for k := range testscale.Of(300, 60) {
		it := itinerarytest.Generate(r, k%2 == 1, false)
		g, err := machine.Compile(it)
		require.NoError(t, err)
		for f := range itinerarytest.Partial {
			for _, from := range positions(g) {
				m, err := g.NewMachine(from, f)
				require.NoError(t, err)
				next, end := m.Available()
				for full := range itinerarytest.Assignments {
					if !completes(full, f) {
						continue
					}
					m.SetFacts(full)
					tr, err := m.Advance(context.Background())
					require.NoError(t, err)
					if tr.To.Phase == "" {
						require.True(t, end)
					} else {
						require.Contains(t, next, tr.To.Phase)
					}
					if f == full {
						require.Equal(t, 1, len(next)+count(end), "with all flags known, one phase")
					}
					m, err = g.NewMachine(from, f)
					require.NoError(t, err)
				}
			}
		}
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}
