package machine_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/itinerarytest"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// fork returns an itinerary in which Choose has these jumps, each to its own phase, with Behind
// after it in order.
func fork(v *phases.Vocabulary, decides phases.Flags, guards ...phases.Guard) phases.Itinerary {
	it := phases.Itinerary{Name: "Fork", Vocabulary: v}
	choose := phases.Phase{Name: "Choose", Step: "Choose", Decides: decides}
	for k, g := range guards {
		choose.Jumps = append(choose.Jumps, phases.Jump{To: fmt.Sprintf("Way%d", k), Guard: g})
	}
	it.Phases = append(it.Phases, choose, phases.Phase{Name: "Behind", Step: "Behind", Jumps: []phases.Jump{{To: "End"}}})
	for k := range guards {
		it.Phases = append(it.Phases, phases.Phase{Name: fmt.Sprintf("Way%d", k), Step: "Way", Jumps: []phases.Jump{{To: "End"}}})
	}
	it.Phases = append(it.Phases, phases.Phase{Name: "End", Step: "End"})
	return it
}

func all(f phases.Flags) phases.Guard     { return phases.Guard{All: f} }
func anyOf(f phases.Flags) phases.Guard   { return phases.Guard{Any: f} }
func without(f phases.Flags) phases.Guard { return phases.Guard{None: f} }

// The jumps of a phase may exclude each other.
func TestOnward(t *testing.T) {
	for _, c := range []struct {
		about   string
		guards  []phases.Guard
		cleanup bool
		known   phases.Facts
		jumps   string
		order   phases.Truth
	}{
		{"no jumps", nil, false, phases.Facts{}, "[]", phases.True},
		{"a jump that may be taken", []phases.Guard{all(flagA)}, false, phases.Facts{}, "[unknown]", phases.Unknown},
		{"a jump that always is", []phases.Guard{{}}, false, phases.Facts{}, "[yes]", phases.False},
		{"a jump that is taken, by the known flags", []phases.Guard{all(flagA)}, false, facts(flagA), "[yes]", phases.False},
		{"a jump that is not", []phases.Guard{all(flagA)}, false, facts(0), "[no]", phases.True},
		{"a flag and its opposite", []phases.Guard{all(flagA), without(flagA)}, false, phases.Facts{}, "[unknown unknown]", phases.False},
		{"and a third, which is never reached", []phases.Guard{all(flagA), without(flagA), all(flagB)}, false, phases.Facts{}, "[unknown unknown no]", phases.False},
		{"two flags in four cases", []phases.Guard{all(flagA | flagB), {All: flagA, None: flagB}, {All: flagB, None: flagA}, without(flagA | flagB)},
			false, phases.Facts{}, "[unknown unknown unknown unknown]", phases.False},
		{"one of the four is missing", []phases.Guard{all(flagA | flagB), {All: flagA, None: flagB}, without(flagA | flagB)},
			false, phases.Facts{}, "[unknown unknown unknown]", phases.Unknown},
		{"and is excluded by the known flags", []phases.Guard{all(flagA | flagB), {All: flagA, None: flagB}, without(flagA | flagB)},
			false, phases.NewFacts(0, flagB), "[no unknown unknown]", phases.False},
		{"any of two, and none of them", []phases.Guard{anyOf(flagA | flagB), without(flagA | flagB)}, false, phases.Facts{}, "[unknown unknown]", phases.False},
		{"the second requires more than the first", []phases.Guard{all(flagA), all(flagA | flagB)}, false, phases.Facts{}, "[unknown no]", phases.Unknown},
		{"a cleanup itinerary takes neither if the flag stays unknown", []phases.Guard{all(flagA), without(flagA)}, true, phases.Facts{}, "[unknown unknown]", phases.Unknown},
		{"unless it is known", []phases.Guard{all(flagA), without(flagA)}, true, facts(flagA), "[yes no]", phases.False},
		{"and an empty guard always admits", []phases.Guard{all(flagA), {}}, true, phases.Facts{}, "[unknown unknown]", phases.False},
		{"in a cleanup, too, the second requires more", []phases.Guard{anyOf(flagA | flagB), all(flagA | flagC)}, true, phases.Facts{}, "[unknown no]", phases.Unknown},
		{"or something else", []phases.Guard{all(flagA), anyOf(flagA | flagB)}, true, phases.Facts{}, "[unknown unknown]", phases.Unknown},
	} {
		t.Run(c.about, func(t *testing.T) {
			it := fork(four, 0, c.guards...)
			it.Cleanup = c.cleanup
			jumps, order := machine.MustCompile(it).Onward(0, c.known)
			assert.Equal(t, c.jumps, fmt.Sprint(jumps))
			assert.Equal(t, c.order, order)
		})
	}
	g := machine.MustCompile(fork(four, 0, all(flagA)))
	for i, want := range map[int]phases.Truth{-2: phases.False, -1: phases.True, g.Len(): phases.False, g.Len() + 1: phases.False} {
		jumps, order := g.Onward(i, phases.Facts{})
		assert.Empty(t, jumps)
		assert.Equal(t, want, order, "at %d", i)
	}
}

// Onward agrees with the jumps taken for each assignment of the unknown flags. In a cleanup
// itinerary each flag may also stay unknown.
func TestOnwardIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 10))
	guard := func() phases.Guard {
		for {
			some := func() phases.Flags { return phases.Flags(r.IntN(16) & r.IntN(16)) }
			g := phases.Guard{All: some(), Any: some(), None: some()}
			if g.All&g.None == 0 && (g.Any == 0 || !g.None.Has(g.Any)) {
				return g
			}
		}
	}
	seen := map[phases.Truth]int{}
	for range 3000 {
		it := fork(four, 0, guard(), guard(), guard())
		it.Cleanup = r.IntN(2) == 0
		g := machine.MustCompile(it)
		f := phases.NewFacts(phases.Flags(r.IntN(16)&r.IntN(16)), phases.Flags(r.IntN(16)&r.IntN(16)))
		taken := make([]bool, len(it.Phases[0].Jumps)+1) // the last: none
		try := func(full phases.Facts) {
			if !completes(full, f) {
				return
			}
			k := slices.IndexFunc(it.Phases[0].Jumps, func(j phases.Jump) bool { return j.Guard.Eval(full) == phases.True })
			if k < 0 {
				k = len(taken) - 1
			}
			taken[k] = true
		}
		if it.Cleanup {
			for full := range itinerarytest.Partial {
				try(full)
			}
		} else {
			for full := range itinerarytest.Assignments {
				try(full)
			}
		}
		possible := 0
		for _, b := range taken {
			possible += count(b)
		}
		jumps, order := g.Onward(0, f)
		for k, got := range append(jumps, order) {
			want := phases.False
			if taken[k] {
				want = phases.Unknown
				if possible == 1 {
					want = phases.True
				}
			}
			seen[want]++
			require.Equal(t, want, got, "jump %d of %+v (cleanup %v): true %v, false %v",
				k, it.Phases[0].Jumps, it.Cleanup, four.Names(f.True()), four.Names(f.False()))
		}
	}
	for _, truth := range []phases.Truth{phases.False, phases.True, phases.Unknown} {
		assert.Greater(t, seen[truth], 500, truth)
	}
}

// The jumps test one flag after the other, and the last tests that all are false: together they
// always admit. With more flags than Onward compares, it does not notice.
func TestOnwardWithManyFlags(t *testing.T) {
	var defs []phases.FlagDef
	for i := range 64 {
		defs = append(defs, phases.FlagDef{Flag: 1 << i, Name: fmt.Sprintf("F%d", i)})
	}
	v := phases.MustVocabulary(defs)
	chain := func(n int) []phases.Guard {
		var guards []phases.Guard
		for i := range n {
			guards = append(guards, all(1<<i))
		}
		return append(guards, without(1<<n-1))
	}
	for _, c := range []struct {
		flags int
		known phases.Facts
		order phases.Truth
	}{
		{2, phases.Facts{}, phases.False},
		{24, phases.Facts{}, phases.False},
		{25, phases.Facts{}, phases.Unknown},
		{25, phases.NewFacts(0, 1), phases.False},
		{64, phases.Facts{}, phases.Unknown},
		{64, phases.NewFacts(0, 1<<40-1), phases.False},
		{64, phases.NewFacts(1<<63, 0), phases.False},
	} {
		t.Run(fmt.Sprintf("%d flags, %d of them known", c.flags, c.known.Known().Len()), func(t *testing.T) {
			g := machine.MustCompile(fork(v, v.All(), chain(c.flags)...))
			_, order := g.Onward(0, c.known)
			assert.Equal(t, c.order, order)
			if order != phases.False {
				return
			}
			p, err := g.PlanFrom(machine.Position{Phase: "Way0"}, c.known)
			require.NoError(t, err)
			assert.Equal(t, phases.False, p.Runs(1))
		})
	}
}

// A phase after jumps of which one always admits is neither planned, nor the end of an edge, nor
// drawn as a phase that might run.
func TestPlanBehindJumpsThatAlwaysAdmit(t *testing.T) {
	it := fork(four, flagA, all(flagA), without(flagA))
	g := machine.MustCompile(it)
	for f := range itinerarytest.Partial {
		for _, explore := range []bool{true, false} {
			restore := func() {}
			if !explore {
				restore = machine.WithoutOutcomes()
			}
			p := g.Plan(f)
			restore()
			assert.Equal(t, phases.False, p.Runs(1))
			assert.False(t, p.Tentative(1))
			to := map[bool]string{true: "Way0", false: "Way1"}[f.Of(flagA) != phases.False]
			text := "is not reached: Choose jumps to " + to
			why := &machine.Why{Guard: machine.WhyJump, Flags: []string{"A"}, DecidedBy: []string{"Choose"}, Text: text}
			assert.Equal(t, why, p.Why(1))
			assert.NotContains(t, p.Running(), "Behind")
		}
	}
	all, err := g.Edges()
	require.NoError(t, err)
	want := []machine.Edge{
		{From: -1, To: 0}, {From: 0, To: 2}, {From: 0, To: 3}, {From: 1, To: 4}, {From: 2, To: 4}, {From: 3, To: 4}, {From: 4, To: 5},
	}
	assert.Equal(t, want, all)
	assert.Equal(t, []machine.Edge{{From: 1, To: 4}}, g.EdgesAt(1))

	it.Cleanup = true
	g = machine.MustCompile(it)
	p := g.Plan(phases.Facts{})
	assert.Equal(t, phases.Unknown, p.Runs(1), "a cleanup itinerary continues in order if A stays unknown")
	assert.Contains(t, marks(g.Plan(facts(flagA))), "Behind=yes~", "Choose may make A unknown")
	it.Phases[0].Decides = 0
	assert.Contains(t, marks(machine.MustCompile(it).Plan(facts(flagA))), "Behind=no ", "if no phase decides it, A stays known")
}

// No phase decides A, so a run that comes to B while A is true repeats the loop forever.
func TestPlanOfALoopWithAnUndecidedExit(t *testing.T) {
	it := phases.Itinerary{Name: "Loop", Vocabulary: four, Phases: []phases.Phase{
		{Name: "A", Step: "S"},
		{Name: "B", Step: "S", Jumps: []phases.Jump{{To: "A", Guard: all(flagA)}}},
		{Name: "C", Step: "S"},
	}}
	for _, c := range []struct {
		about   string
		decides int // the phase that decides the flag; none if negative
		known   phases.Facts
		want    string
	}{
		{"unknown", -1, phases.Facts{}, "A=yes B=yes C=unknown"},
		{"true", -1, facts(flagA), "A=yes B=yes C=no"},
		{"false", -1, facts(0), "A=yes B=yes C=yes"},
		{"decided in the loop", 0, phases.Facts{}, "A=yes B=yes C=yes"},
		{"decided by the phase that jumps back", 1, facts(flagA), "A=yes B=yes C=yes"},
		{"decided too late", 2, phases.Facts{}, "A=yes B=yes C=unknown"},
	} {
		t.Run(c.about, func(t *testing.T) {
			it := it
			it.Phases = slices.Clone(it.Phases)
			if c.decides >= 0 {
				it.Phases[c.decides].Decides = flagA
			}
			p := machine.MustCompile(it).Plan(c.known)
			assert.Equal(t, c.want, marks(p))
			if p.Runs(2) == phases.Unknown {
				assert.Equal(t, "depends on whether B jumps to A", p.Why(2).Text)
				assert.Equal(t, flagA, p.Matters())
			}
			defer machine.WithoutOutcomes()()
			assert.Equal(t, c.want, marks(machine.MustCompile(it).Plan(c.known)), "by the walk alone")
		})
	}

	// A flag that was decided before the loop begins stays constant in it.
	it.Phases = slices.Insert(slices.Clone(it.Phases), 0, phases.Phase{Name: "Decide", Step: "S", Decides: flagA})
	assert.Equal(t, "Decide=yes A=yes B=yes C=yes~", marks(machine.MustCompile(it).Plan(facts(0))))
	assert.Equal(t, "Decide=yes A=yes B=yes C=yes~", marks(machine.MustCompile(it).Plan(facts(flagA))), "it may turn out otherwise")
}

// Plan.Onward is for drawing the phase in progress: a choice that is made excludes all other edges,
// and is no longer a choice.
func TestOnwardOfThePhaseInProgress(t *testing.T) {
	g := machine.MustCompile(copying)
	of := func(p *machine.Plan) []phases.Truth {
		jumps, order := p.Onward(p.Facts())
		return append(jumps, order)
	}
	at := func(p machine.Position) *machine.Plan {
		plan, err := g.PlanFrom(p, facts(0))
		require.NoError(t, err)
		return plan
	}
	no, yes, unknown := phases.False, phases.True, phases.Unknown
	assert.Equal(t, []phases.Truth{unknown, unknown, no, unknown}, of(at(machine.Position{Phase: "Copy"})), "two choices, or in order")
	assert.Equal(t, []phases.Truth{yes, no, no, no}, of(at(machine.Position{Phase: "Copy", Choice: "Undo"})))
	m, err := g.NewMachine(machine.Position{Phase: "Copy"}, facts(0))
	require.NoError(t, err)
	m.Finish()
	assert.Equal(t, []phases.Truth{no, no, no, yes}, of(m.Plan()), "without a choice")
	assert.Equal(t, []phases.Truth{yes}, of(at(machine.Position{})))
	assert.Equal(t, []phases.Truth{no}, of(at(machine.Position{Done: true})))
	assert.Equal(t, []phases.Truth{no}, of(nil))
}
