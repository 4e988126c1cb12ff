package machine_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/itinerarytest"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// The properties are checked on generated itineraries over four flags: every
// assignment of each, and every way that deciding phases can turn flags.

var four = itinerarytest.Four

// enters runs a machine from a position with facts that nothing changes, and
// returns the phases in the order in which they are entered first, and whether
// it came to the end rather than round in a loop.
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
			return names, false // from here on it repeats itself
		}
		names = append(names, tr.To.Phase)
	}
}

func completes(f, of phases.Facts) bool {
	return f.True().Has(of.True()) && f.False().Has(of.False())
}

// A guard is judged by current values, before the position as well as behind it.
func TestAPlanJudgesEveryGuard(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	for k := range 40 {
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

// Promise 1, from every position, with and without jumps.
func TestThePlanIsTheRun(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for k := range 600 {
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

// Promise 5: what a plan is sure of holds for every value of the unknown
// flags, and without jumps it is sure wherever that can be said.
func TestUnknownIsNotFalse(t *testing.T) {
	t.Run("few phases and flags", unknownIsNotFalse)
	defer machine.WithoutOutcomes()()
	t.Run("as of many", unknownIsNotFalse)
}

func unknownIsNotFalse(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for k := range 150 {
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
			for i := range always {
				switch plan.Runs(i) {
				case phases.True:
					require.True(t, always[i], "%+v: P%d is said to run with true %v, false %v", it.Phases, i, four.Names(f.True()), four.Names(f.False()))
				case phases.False:
					require.True(t, never[i], "%+v: P%d is said not to run with true %v, false %v", it.Phases, i, four.Names(f.True()), four.Names(f.False()))
				case phases.Unknown:
					unknown = true
					if !jumps && guardIsExact(g.Phase(i).Guard) {
						require.False(t, always[i] || never[i], "%+v: P%d is settled with true %v, false %v", it.Phases, i, four.Names(f.True()), four.Names(f.False()))
					}
				}
				for _, sure := range plan.Under(i) {
					unknown = unknown || plan.Runs(i) == phases.True && sure == phases.Unknown
				}
				require.Equal(t, plan.Runs(i) == phases.True, plan.Why(i) == nil, "a reason for each phase left out")
			}
			if unknown {
				require.NotZero(t, plan.Matters(), "%+v", it.Phases)
			} else if !jumps {
				require.Zero(t, plan.Matters())
			}
		}
	}
}

// guardIsExact says whether three-valued evaluation is exact for the guard: no
// flag stands in two of its parts.
func guardIsExact(g phases.Guard) bool {
	return g.All&g.Any == 0 && g.Any&g.None == 0 && g.All&g.None == 0
}

// What a plan does not call tentative holds whatever the deciding phases do.
// The reference explores every way that the run can take: after a phase that
// decides flags, each of them may have either value.
func TestWhatIsNotTentativeStays(t *testing.T) {
	t.Run("few phases and flags", whatIsNotTentativeStays)
	defer machine.WithoutOutcomes()()
	t.Run("as of many", whatIsNotTentativeStays)
}

func whatIsNotTentativeStays(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	sure := 0
	for k := range 300 {
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
				if plan.Runs(i) == phases.True {
					require.False(t, without, "%+v: P%d runs for good with %v, yet a run comes to the end without it", it.Phases, i, four.Names(f.True()))
				} else {
					require.False(t, with, "%+v: P%d does not run for good with %v, yet a run enters it", it.Phases, i, four.Names(f.True()))
				}
			}
		}
	}
	require.Greater(t, sure, 1000, "the property was hardly tested")
}

// explore says whether some run enters the phase at index i, and whether some
// run comes to the end without it.
func explore(t *testing.T, g *machine.Graph, f phases.Facts, i int) (with, without bool) {
	type state struct {
		at    machine.Position
		facts phases.Facts
	}
	seen := map[state]bool{}
	work := []state{{facts: f}}
	for len(work) > 0 {
		s := work[len(work)-1]
		work = work[:len(work)-1]
		if seen[s] {
			continue
		}
		seen[s] = true
		if s.at.Phase == g.Phase(i).Name {
			with = true
			continue // runs without it are looked for elsewhere
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
			work = append(work, state{tr.To, next})
		}
	}
	return with, without
}

// Available lists what Advance can lead to once the unknown flags are known.
func TestAvailableIsWhatCanComeNext(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for k := range 300 {
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
						require.Equal(t, 1, len(next)+count(end), "with all known, one")
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
