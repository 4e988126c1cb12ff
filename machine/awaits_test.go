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

// positions returns the start and each phase of a graph that is not an end phase, entered under its
// own step.
func positions(g *machine.Graph) []machine.Position {
	all := []machine.Position{{}}
	for i := range g.Len() {
		if !g.IsEnd(i) {
			at := machine.Position{Phase: g.Phase(i).Name}
			if g.Phase(i).Steps != nil {
				at.Step = g.Phase(i).Step
			}
			all = append(all, at)
		}
	}
	return all
}

// decisive returns the flags for which two completions of f that differ in nothing else give
// different results of the function of.
func decisive[T comparable](f phases.Facts, of func(phases.Facts) T) (flags phases.Flags) {
	results := make(map[phases.Flags]T)
	for full := range itinerarytest.Assignments {
		if completes(full, f) {
			results[full.True()] = of(full)
		}
	}
	for yes, result := range results {
		for flag := range (four.All() &^ f.Known()).Each {
			if results[yes^flag] != result {
				flags |= flag
			}
		}
	}
	return flags
}

// The next transition depends on exactly the unknown flags that could change which phase is next,
// judged by what the machine does once they are known. If there are none, it moves; otherwise the
// error names them all.
func TestDependsIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	moved, waited := 0, 0
	for k := range testscale.Of(60, 12) {
		it := itinerarytest.Generate(r, k%2 == 1, true)
		waiting := machine.MustCompile(it)
		it.Cleanup = true
		cleanup := machine.MustCompile(it)
		for f := range itinerarytest.Partial {
			for _, at := range positions(waiting) {
				want := decisive(f, func(full phases.Facts) machine.Position {
					m, err := waiting.NewMachine(at, full)
					require.NoError(t, err)
					tr, err := m.Advance(context.Background())
					require.NoError(t, err)
					return tr.To
				})
				m, err := waiting.NewMachine(at, f)
				require.NoError(t, err)
				require.Equal(t, want, m.Depends(), "%+v at %s: true %v, false %v",
					it.Phases, at, four.Names(f.True()), four.Names(f.False()))
				if at.Phase != "" {
					require.Equal(t, want, m.Awaits())
				}
				require.True(t, m.Awaits().Has(want))
				require.True(t, m.Matters(f).Has(want), "flags that decide the next transition matter: %+v at %s", it.Phases, at)
				next, end := m.Available()
				require.True(t, want != 0 || len(next)+count(end) == 1)

				_, err = m.Advance(context.Background())
				if want == 0 {
					moved++
					require.NoError(t, err)
					if f.Known() != four.All() {
						full, err := waiting.NewMachine(at, phases.NewFacts(f.True(), four.All()&^f.True()))
						require.NoError(t, err)
						tr, err := full.Advance(context.Background())
						require.NoError(t, err)
						require.Equal(t, tr.To, m.Position())
					}
				} else {
					waited++
					var unknown *machine.UnknownFlagsError
					require.ErrorAs(t, err, &unknown)
					require.Equal(t, four.Names(want), unknown.Flags)
					require.Equal(t, at, m.Position())
				}

				m, err = cleanup.NewMachine(at, f)
				require.NoError(t, err)
				require.Equal(t, want, m.Depends(), "a cleanup itinerary does not wait, but depends on the same flags")
				require.Zero(t, m.Awaits())
				_, err = m.Advance(context.Background())
				require.NoError(t, err)
			}
		}
	}
	assert.Greater(t, moved, testscale.Of(5000, 1000))
	assert.Greater(t, waited, testscale.Of(5000, 1000))
}

// Dozens of guards, each of several flags, make more cases than forks separates. The machine then
// waits for every flag that a guard reads.
func TestDependsWithManyCases(t *testing.T) {
	var defs []phases.FlagDef
	for i := range 64 {
		defs = append(defs, phases.FlagDef{Flag: 1 << i, Name: fmt.Sprintf("F%d", i)})
	}
	v := phases.MustVocabulary(defs)
	it := phases.Itinerary{Name: "Wide", Vocabulary: v}
	for i := 0; i < 60; i += 3 {
		it.Phases = append(it.Phases, phases.Phase{Name: fmt.Sprint(i), Step: "S", Guard: phases.Guard{All: 7 << i}})
	}
	m, err := machine.MustCompile(it).NewMachine(machine.Position{}, phases.Facts{})
	require.NoError(t, err)
	assert.Equal(t, v.All()&^(15<<60), m.Depends())

	// One flag in each guard makes few cases, even with as many flags as a vocabulary can have.
	it.Phases = nil
	for i := range 64 {
		it.Phases = append(it.Phases, phases.Phase{Name: fmt.Sprint(i), Step: "S", Guard: phases.Guard{All: 1 << i}})
	}
	m, err = machine.MustCompile(it).NewMachine(machine.Position{}, phases.Facts{})
	require.NoError(t, err)
	assert.Equal(t, v.All(), m.Depends())
	next, end := m.Available()
	assert.Len(t, next, 64)
	assert.True(t, end)
}

// The expected flags at each position were worked out by hand.
func TestAwaits(t *testing.T) {
	scan := phases.Itinerary{Name: "Scan", Vocabulary: four, Phases: []phases.Phase{
		{Name: "Open", Step: "S"},
		{Name: "Scan", Step: "S", Decides: flagA},
		{Name: "Copy", Step: "S", Guard: phases.Guard{All: flagA}},
		{Name: "Verify", Step: "S", Guard: phases.Guard{All: flagA | flagB}},
		{Name: "Close", Step: "S"},
	}}
	// Whether Scan runs is unknown until B is known.
	mayScan := scan
	mayScan.Phases = slices.Clone(scan.Phases)
	mayScan.Phases[1].Guard = phases.Guard{All: flagB}
	first := scan
	first.Phases = scan.Phases[2:]
	repeat := phases.Itinerary{Name: "Repeat", Vocabulary: four, Phases: []phases.Phase{
		{Name: "Copy", Step: "S", Guard: phases.Guard{All: flagA}, Decides: flagA, Jumps: []phases.Jump{{To: "Copy"}}},
		{Name: "End", Step: "S"},
	}}
	either := phases.Itinerary{Name: "Either", Vocabulary: four, Phases: []phases.Phase{
		{Name: "Choose", Step: "S", Jumps: []phases.Jump{
			{To: "Left", Guard: phases.Guard{All: flagA}}, {To: "Left", Guard: phases.Guard{None: flagA}}, {To: "Right", Guard: phases.Guard{All: flagB}},
		}},
		{Name: "Right", Step: "S", Guard: phases.Guard{All: flagC}},
		{Name: "Left", Step: "S"},
	}}
	cleanup := scan
	cleanup.Cleanup = true
	for _, c := range []struct {
		about   string
		it      phases.Itinerary
		at      string
		known   phases.Facts
		awaits  phases.Flags
		depends phases.Flags
	}{
		{"a flag that a phase ahead decides does not keep a run from beginning", scan, "", phases.NewFacts(flagB, 0), 0, 0},
		{"a flag that no phase decides does", scan, "", phases.Facts{}, flagB, 0},
		{"a phase that may run also decides", mayScan, "", phases.Facts{}, flagB, 0},
		{"without Scan, Copy may be next", mayScan, "Open", phases.Facts{}, flagA | flagB, flagA | flagB},
		{"with it, Scan is next", mayScan, "Open", phases.NewFacts(flagB, 0), 0, 0},
		{"a phase that does not run decides nothing", mayScan, "", phases.NewFacts(0, flagB), flagA, 0},
		{"the first phase depends on the flag", first, "", phases.NewFacts(flagB, 0), flagA, flagA},
		{"a flag is not awaited before the transition that depends on it", scan, "Open", phases.NewFacts(flagB, 0), 0, 0},
		{"that is the transition from the deciding phase", scan, "Scan", phases.NewFacts(flagB, 0), flagA, flagA},
		{"all flags count, not only those of the first guard", scan, "Scan", phases.Facts{}, flagA, flagA},
		{"B only if A is true", scan, "Copy", phases.NewFacts(flagA, 0), flagB, flagB},
		{"and not if it is false", scan, "Copy", phases.NewFacts(0, flagA), 0, 0},
		{"a phase that is repeated decides its own guard", repeat, "", phases.Facts{}, flagA, flagA},
		{"which decides whether it is entered again", repeat, "Copy", phases.Facts{}, flagA, flagA},
		{"two jumps that lead to one phase, whatever the flag", either, "Choose", phases.Facts{}, 0, 0},
		{"a cleanup itinerary awaits nothing", cleanup, "Scan", phases.Facts{}, 0, flagA},
	} {
		t.Run(c.about, func(t *testing.T) {
			m, err := machine.MustCompile(c.it).NewMachine(machine.Position{Phase: c.at}, c.known)
			require.NoError(t, err)
			assert.Equal(t, four.Names(c.awaits), four.Names(m.Awaits()), "awaits")
			assert.Equal(t, four.Names(c.depends), four.Names(m.Depends()), "depends")
		})
	}
}

// The guard of the phase in progress matters if a loop can lead back to it.
func TestMattersOfThePhaseInProgressInALoop(t *testing.T) {
	it := phases.Itinerary{Name: "Loop", Vocabulary: four, Phases: []phases.Phase{
		{Name: "Copy", Step: "S", Guard: phases.Guard{All: flagA}},
		{Name: "Check", Step: "S", Decides: flagB, Jumps: []phases.Jump{{To: "Copy", Guard: phases.Guard{All: flagB}}}},
		{Name: "End", Step: "S"},
	}}
	for _, c := range []struct {
		about, at string
		jumps     bool
		known     phases.Facts
		want      phases.Flags
	}{
		{"Check may jump back to it", "Copy", true, phases.NewFacts(0, flagB), flagA},
		{"whether Check jumps is unknown, too", "Copy", true, phases.Facts{}, flagA | flagB},
		{"nothing leads back", "Copy", false, phases.NewFacts(0, flagB), 0},
		{"Copy is behind, and the jump leads there", "Check", true, phases.NewFacts(flagB, 0), flagA},
		{"Copy stays behind", "End", true, phases.Facts{}, 0},
	} {
		t.Run(c.about, func(t *testing.T) {
			it := it
			if !c.jumps {
				it.Phases = slices.Clone(it.Phases)
				it.Phases[1].Jumps = nil
			}
			m, err := machine.MustCompile(it).NewMachine(machine.Position{Phase: c.at}, c.known)
			require.NoError(t, err)
			assert.Equal(t, four.Names(c.want), four.Names(m.Matters(c.known)))
		})
	}
}

// If the flags make too many cases to separate, each guard counts alone: no phase that can be next
// is missing, and no flag that a guard reads.
func TestAvailableWithTooManyCases(t *testing.T) {
	defs := make([]phases.FlagDef, 28)
	for i := range defs {
		defs[i] = phases.FlagDef{Flag: 1 << i, Name: fmt.Sprintf("F%d", i)}
	}
	v := phases.MustVocabulary(defs)
	flag := func(i int) phases.Flags { return 1 << i }
	it := phases.Itinerary{Name: "Many", Vocabulary: v, Phases: []phases.Phase{
		{Name: "Choose", Step: "S", Jumps: []phases.Jump{
			{To: "Two", Choice: true}, {To: "Eleven", Choice: true}, {To: "Last", Guard: phases.Guard{All: flag(26)}}}},
	}}
	var names []string
	for i, name := range []string{"One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve"} {
		names = append(names, name)
		it.Phases = append(it.Phases, phases.Phase{Name: name, Step: "S", Guard: phases.Guard{All: flag(2*i) | flag(2*i+1)}})
	}
	it.Phases[12].Steps = []phases.GuardedStep{{Step: "T", Guard: phases.Guard{All: flag(24)}}}
	it.Phases = append(it.Phases, phases.Phase{Name: "Last", Step: "S", Guard: phases.Guard{All: flag(25)}})
	names = append(names, "Last")

	m, err := machine.MustCompile(it).NewMachine(machine.Position{Phase: "Choose"}, phases.Facts{})
	require.NoError(t, err)
	next, end := m.Available()
	assert.Equal(t, names, next)
	assert.True(t, end)
	assert.Equal(t, v.Names(1<<27-1), v.Names(m.Depends()), "the flags of the jump, of the steps and of the phases; no guard reads F27")
	assert.Equal(t, v.Names(1<<27-1), v.Names(m.Awaits()))
	var unknown *machine.UnknownFlagsError
	_, err = m.Advance(context.Background())
	require.ErrorAs(t, err, &unknown)
	assert.Equal(t, v.Names(1<<27-1), unknown.Flags)

	require.NoError(t, m.Choose("Two"))
	assert.Equal(t, v.Names(1<<26-1<<2), v.Names(m.Depends()), "the flags of the phases from the chosen one on")
	require.NoError(t, m.Choose("Eleven"))
	assert.Equal(t, v.Names(1<<26-1<<20), v.Names(m.Depends()), "few cases are exact")

	// A phase that runs in any case is the last that can be next. One that does not run cannot be
	// next.
	known := phases.NewFacts(flag(22)|flag(23), flag(2)|flag(26))
	m, err = machine.MustCompile(it).NewMachine(machine.Position{Phase: "Choose"}, known)
	require.NoError(t, err)
	next, end = m.Available()
	assert.Equal(t, slices.Delete(names[:12], 1, 2), next)
	assert.False(t, end)
	want := v.Names(1<<22 - 1 - flag(2) - flag(3) | flag(24))
	assert.Equal(t, want, v.Names(m.Depends()))

	// The target of a jump that is taken in any case is the first that can be next.
	known = phases.NewFacts(flag(26), 0)
	it.Phases[0].Jumps = []phases.Jump{{To: "Two", Guard: phases.Guard{All: flag(26)}}}
	m, err = machine.MustCompile(it).NewMachine(machine.Position{Phase: "Choose"}, known)
	require.NoError(t, err)
	next, end = m.Available()
	assert.Equal(t, []string{"Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve", "Last"}, next)
	assert.True(t, end)
}

// moves returns every move that some run makes from a position, if each flag that a phase decides
// may have either value.
func moves(t *testing.T, g *machine.Graph, from machine.Position, f phases.Facts) map[machine.Transition]bool {
	type state struct {
		at    machine.Position
		facts phases.Facts
	}
	all := map[machine.Transition]bool{}
	seen := map[state]bool{}
	for worklist := []state{{from, f}}; len(worklist) > 0; {
		s := worklist[len(worklist)-1]
		worklist = worklist[:len(worklist)-1]
		if seen[s] || s.at.Done {
			continue
		}
		seen[s] = true
		m, err := g.NewMachine(s.at, s.facts)
		require.NoError(t, err)
		decides := m.Decides()
		for next := range itinerarytest.Assignments {
			if (next.True()^s.facts.True())&^decides != 0 {
				continue
			}
			m, err := g.NewMachine(s.at, next)
			require.NoError(t, err)
			tr, err := m.Advance(context.Background())
			require.NoError(t, err)
			all[tr] = true
			worklist = append(worklist, state{tr.To, next})
		}
	}
	return all
}

// runs returns the plan of each phase as text.
func runs(p *machine.Plan) (text string) {
	for i := range p.Graph().Len() {
		text += p.Runs(i).String() + " "
		if p.Runs(i) == phases.False {
			continue
		}
		for step, t := range p.Under(i) {
			text += fmt.Sprint("under ", step, " ", t, " ")
		}
	}
	return text
}

// If no flag matters, no value of an unknown flag changes the plan or, with jumps, any move of a
// run from there. Without jumps, each flag that matters changes the plan for some values of the
// others.
func TestMattersIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	none, some := 0, 0
	for k := range 400 {
		jumps := k%4 != 0
		it := itinerarytest.Generate(r, jumps, k%2 == 1)
		g := machine.MustCompile(it)
		exact := !jumps
		for _, p := range it.Phases {
			exact = exact && guardIsExact(p.Guard)
		}
		f := phases.NewFacts(phases.Flags(r.IntN(16)), phases.Flags(r.IntN(16)))
		for _, at := range positions(g) {
			plan, err := g.PlanFrom(at, f)
			require.NoError(t, err)
			of := func(full phases.Facts) string {
				p, err := g.PlanFrom(at, full)
				require.NoError(t, err)
				return runs(p)
			}
			about := fmt.Sprintf("%+v at %s: true %v, false %v", it.Phases, at, four.Names(f.True()), four.Names(f.False()))
			matters := plan.Matters()
			require.Zero(t, matters&f.Known(), about)
			if exact {
				require.Equal(t, decisive(f, of), matters, about)
			}
			if matters != 0 {
				some++
				continue
			}
			none++
			require.Zero(t, decisive(f, of), about)
			var first map[machine.Transition]bool
			for full := range itinerarytest.Assignments {
				if !completes(full, f) {
					continue
				}
				require.Equal(t, runs(plan), of(full), about)
				if !jumps {
					continue
				}
				all := moves(t, g, at, full)
				if first == nil {
					first = all
				}
				require.Equal(t, first, all, about)
			}
		}
	}
	assert.Greater(t, none, 500)
	assert.Greater(t, some, 500)
}

// A run that begins when it awaits nothing waits later only for flags that a phase decides, or that
// are read by a guard together with such a flag.
func TestAwaitsAfterTheStart(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	waited := 0
	for k := range 300 {
		it := itinerarytest.Generate(r, k%2 == 1, true)
		g := machine.MustCompile(it)
		var decides phases.Flags
		for _, p := range it.Phases {
			decides |= p.Decides
		}
		may := decides
		for _, p := range it.Phases {
			if p.Guard.Reads()&decides != 0 {
				may |= p.Guard.Reads()
			}
			for _, j := range p.Jumps {
				if j.Guard.Reads()&decides != 0 {
					may |= j.Guard.Reads()
				}
			}
		}
		f := phases.NewFacts(phases.Flags(r.IntN(16)), phases.Flags(r.IntN(16)))
		m, err := g.NewMachine(machine.Position{}, f)
		require.NoError(t, err)
		for m.Awaits() != 0 { // as if its sources had returned
			flag := m.Awaits() & -m.Awaits()
			m.SetFacts(m.Facts().Set(flag, phases.TruthOf(r.IntN(2) == 0)))
		}
		for range 50 {
			if m.Position().Done {
				break
			}
			m.SetFacts(m.Facts().Set(m.Decides(), phases.TruthOf(r.IntN(2) == 0)))
			_, err := m.Advance(context.Background())
			if err == nil {
				continue
			}
			waited++
			require.NotZero(t, m.Awaits())
			require.True(t, may.Has(m.Awaits()), "%+v at %s waits for %v", it.Phases, m.Position(), four.Names(m.Awaits()))
			m.SetFacts(m.Facts().Set(m.Awaits(), phases.True))
		}
	}
	assert.Greater(t, waited, 5, "the property was hardly exercised")
}
