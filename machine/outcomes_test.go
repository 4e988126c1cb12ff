package machine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/itinerarytest"
	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// moment is the position and facts of a run.
type moment struct {
	at    machine.Position
	facts phases.Facts
}

// lives describes all runs of an itinerary from a position: the moments that can follow each
// moment, if each flag may have any value.
type lives struct {
	begin   []moment
	follows map[moment][]moment
}

// live explores every run. An unknown flag has either value, and so does a flag after a phase that
// decides it. In a cleanup itinerary each of these flags may also be unknown.
func live(t *testing.T, g *machine.Graph, from machine.Position, f phases.Facts) lives {
	t.Helper()
	values := []phases.Truth{phases.True, phases.False}
	if g.IsCleanup() {
		values = append(values, phases.Unknown)
	}
	variants := func(f phases.Facts, flags phases.Flags) []phases.Facts {
		all := []phases.Facts{f}
		for flag := range flags.Each {
			var next []phases.Facts
			for _, f := range all {
				for _, v := range values {
					next = append(next, f.Set(flag, v))
				}
			}
			all = next
		}
		return all
	}
	l := lives{follows: map[moment][]moment{}}
	for _, f := range variants(f, four.All()&^f.Known()) {
		l.begin = append(l.begin, moment{from, f})
	}
	for work := slices.Clone(l.begin); len(work) > 0; {
		now := work[len(work)-1]
		work = work[:len(work)-1]
		if _, seen := l.follows[now]; seen || now.at.Done {
			continue
		}
		l.follows[now] = nil
		m, err := g.NewMachine(now.at, now.facts)
		require.NoError(t, err)
		for _, f := range variants(now.facts, m.Decides()) {
			for _, choice := range choices(t, g, now.at) {
				m, err := g.NewMachine(now.at, f)
				require.NoError(t, err)
				if choice != "" {
					require.NoError(t, m.Choose(choice))
					m.SetFacts(f)
				}
				tr, err := m.Advance(context.Background())
				require.NoError(t, err)
				l.follows[now] = append(l.follows[now], moment{tr.To, f})
			}
		}
		work = append(work, l.follows[now]...)
	}
	return l
}

// choices returns the choices of the handler at a position, and "" for none.
func choices(t *testing.T, g *machine.Graph, at machine.Position) []string {
	t.Helper()
	all := []string{""}
	if at.Phase == "" {
		return all
	}
	i, err := g.Lookup(at.Phase)
	require.NoError(t, err)
	for _, j := range g.Phase(i).Jumps {
		if j.Choice {
			all = append(all, j.To)
		}
	}
	return all
}

// enters reports whether some run enters a phase, and whether every run eventually does. A run that
// repeats a loop is assumed to leave it eventually, if the flags decided there allow it.
func (l lives) enters(phase string, begin ...moment) (some, every bool) {
	leads := map[moment]bool{} // a run enters the phase next or later
	for changed := true; changed; {
		changed = false
		for now, next := range l.follows {
			for _, n := range next {
				if !leads[now] && (n.at.Phase == phase || leads[n]) {
					leads[now], changed = true, true
				}
			}
		}
	}
	every = true
	seen := map[moment]bool{}
	for work := slices.Clone(begin); len(work) > 0; {
		now := work[len(work)-1]
		work = work[:len(work)-1]
		if seen[now] {
			continue
		}
		seen[now] = true
		every = every && leads[now]
		for _, n := range l.follows[now] {
			if n.at.Phase != phase {
				work = append(work, n)
			}
		}
	}
	for _, now := range begin {
		some = some || leads[now]
	}
	return some, every
}

// A phase that runs for every outcome is planned to run, one that runs for none is planned not to,
// and every other phase is unknown or tentative. A phase that cannot run for some values of the
// unknown flags is not planned to run. Every choice is explored; a phase that depends only on a
// choice is unknown for that reason.
func TestPlanHoldsForEveryOutcome(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	seen := map[string]int{}
	for k := range testscale.Of(700, 350) {
		it := itinerarytest.Generate(r, k%4 != 0, k%3 != 0)
		it.Cleanup = k%5 == 0
		chooses := k%2 == 0
		if chooses {
			it = itinerarytest.AddChoices(r, it)
		}
		g, err := machine.Compile(it)
		require.NoError(t, err)
		for range 4 {
			f := phases.NewFacts(phases.Flags(r.IntN(16)), phases.Flags(r.IntN(16)))
			if r.IntN(2) == 0 {
				f = facts(phases.Flags(r.IntN(16)))
			}
			at := positions(g)[r.IntN(len(positions(g)))]
			plan, err := g.PlanFrom(at, f)
			require.NoError(t, err)
			l := live(t, g, at, f)
			listed := map[int]bool{}
			for i := range plan.Each {
				listed[i] = true
			}
			for i := range g.Len() {
				name := g.Phase(i).Name
				if name == at.Phase {
					continue // it runs in any case
				}
				about := fmt.Sprintf("%s of %+v (cleanup %v) from %s: true %v, false %v",
					name, it.Phases, it.Cleanup, at, four.Names(f.True()), four.Names(f.False()))
				some, every := l.enters(name, l.begin...)
				switch {
				case every:
					seen["every"]++
					require.Equal(t, phases.True, plan.Runs(i), about)
				case !some:
					seen["none"]++
					require.Equal(t, phases.False, plan.Runs(i), about)
				default:
					seen["some"]++
					if chooses && k%3 == 0 && len(l.begin) == 1 { // it decides no flag
						seen["up to a choice"]++
						require.Equal(t, phases.Unknown, plan.Runs(i), about)
						require.Equal(t, machine.WhyChoice, plan.Why(i).Guard, about)
						require.Zero(t, plan.Matters(), about)
					}
					require.True(t, plan.Runs(i) == phases.Unknown || plan.Tentative(i), about)
					for _, begin := range l.begin {
						if can, _ := l.enters(name, begin); !can {
							seen["up to an unknown flag"]++
							require.NotEqual(t, phases.True, plan.Runs(i), about)
							break
						}
					}
				}
				require.Equal(t, plan.Runs(i) == phases.True, plan.Why(i) == nil, about)
				if plan.Runs(i) != phases.False {
					require.True(t, listed[i], about)
				}
			}
		}
	}
	for _, kind := range []string{"every", "none", "some", "up to an unknown flag"} {
		assert.Greater(t, seen[kind], 500, kind)
	}
	assert.Greater(t, seen["up to a choice"], testscale.Of(80, 40))
}

// A flag that stays unknown does not make a later phase unknown if every run comes to that phase,
// whatever the flag is and whatever is chosen. The phase then runs if its guard admits.
func TestPlanPastAnIrrelevantUnknownFlag(t *testing.T) {
	v := phases.MustVocabulary([]phases.FlagDef{
		{Name: "Vegan", Flag: 1}, {Name: "MoreDishes", Flag: 2}, {Name: "Urgent", Flag: 4, Live: true},
	})
	const vegan, moreDishes, urgent = phases.Flags(1), phases.Flags(2), phases.Flags(4)
	g, err := machine.Compile(phases.Itinerary{Name: "Cook", Vocabulary: v, Phases: []phases.Phase{
		{Name: "Shop", Step: "Cook"},
		{Name: "Fry", Step: "Cook", Guard: phases.Guard{None: vegan}, Decides: moreDishes,
			Jumps: []phases.Jump{{To: "Fry", Guard: phases.Guard{All: moreDishes}}}},
		{Name: "Taste", Step: "Cook", Jumps: []phases.Jump{{To: "Shop", Choice: true}}},
		{Name: "Season", Step: "Cook", Guard: phases.Guard{None: urgent}},
		{Name: "Serve", Step: "Cook"},
	}})
	require.NoError(t, err)
	season, err := g.Lookup("Season")
	require.NoError(t, err)
	for _, truth := range []phases.Truth{phases.False, phases.True, phases.Unknown} {
		plan, err := g.PlanFrom(machine.Position{Phase: "Fry"}, phases.NewFacts(moreDishes, urgent).Set(vegan, truth))
		require.NoError(t, err)
		assert.Equal(t, phases.True, plan.Runs(season), "Vegan is %v", truth)
		assert.True(t, plan.Tentative(season), "Urgent is live")
		assert.Nil(t, plan.Why(season))
	}
}

// With up to ten flags that vary, all cases are explored, so a choice that does not affect a phase
// leaves it certain. With eleven only the walk decides, which assumes that the choice may lead past
// the phase.
func TestPlanIsExactForTenFlags(t *testing.T) {
	for n, want := range map[int]phases.Truth{9: phases.True, 10: phases.True, 11: phases.Unknown} {
		var defs []phases.FlagDef
		for i := range n {
			defs = append(defs, phases.FlagDef{Flag: 1 << i, Name: fmt.Sprintf("F%02d", i), Live: i == 2})
		}
		it := phases.Itinerary{Name: "Cook", Vocabulary: phases.MustVocabulary(defs), Phases: []phases.Phase{
			{Name: "Shop", Step: "Cook"},
			{Name: "Fry", Step: "Cook", Guard: phases.Guard{None: 1}, Decides: 2, Jumps: []phases.Jump{{To: "Fry", Guard: all(2)}}},
			{Name: "Taste", Step: "Cook", Jumps: []phases.Jump{{To: "Shop", Choice: true}}},
			{Name: "Season", Step: "Cook", Guard: phases.Guard{None: 4}},
			{Name: "Serve", Step: "Cook"},
		}}
		for i := 3; i < n; i++ {
			it.Phases = append(it.Phases, phases.Phase{Name: fmt.Sprintf("P%02d", i), Step: "Side", Guard: all(1 << i)})
		}
		g := machine.MustCompile(it)
		plan, err := g.PlanFrom(machine.Position{Phase: "Fry"}, phases.NewFacts(2, 4))
		require.NoError(t, err)
		assert.Equal(t, want, plan.Runs(3), "%d flags", n)
	}
}
