package machine_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/itinerarytest"
	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// withLive returns the vocabulary of four flags with some of them live.
func withLive(live phases.Flags) *phases.Vocabulary {
	defs := four.Defs()
	for i := range defs {
		defs[i].Live = live.Has(defs[i].Flag)
	}
	return phases.MustVocabulary(defs)
}

// A live flag counts as if every phase decided it, both in plans from every position and after a
// phase is done or left.
func TestLiveFlagsAreDecidedByEveryPhase(t *testing.T) {
	r := rand.New(rand.NewPCG(14, 1))
	tentative := 0
	for k := range testscale.Of(60, 12) {
		live := phases.Flags(1 + r.IntN(15))
		it := itinerarytest.Generate(r, k%2 == 1, true)
		it.Vocabulary = withLive(live)
		g, err := machine.Compile(it)
		require.NoError(t, err)
		decided := it
		decided.Vocabulary = four
		decided.Phases = append([]phases.Phase(nil), it.Phases...)
		for i := range decided.Phases {
			if !decided.Phases[i].End {
				decided.Phases[i].Decides |= live
			}
		}
		want, err := machine.Compile(decided)
		require.NoError(t, err)
		for f := range itinerarytest.Partial {
			for _, from := range positions(g) {
				if from.Phase != "" {
					i, err := g.Lookup(from.Phase)
					require.NoError(t, err)
					require.Equal(t, want.Phase(i).Decides&want.Reads(), g.Decides(i)&g.Reads())
				}
				a, err := g.PlanFrom(from, f)
				require.NoError(t, err)
				b, err := want.PlanFrom(from, f)
				require.NoError(t, err)
				require.Equal(t, b.Running(), a.Running())
				require.Equal(t, b.Matters(), a.Matters())
				for p := range g.Len() {
					require.Equal(t, b.Runs(p), a.Runs(p))
					require.Equal(t, b.Tentative(p), a.Tentative(p))
					if a.Tentative(p) {
						tentative++
					}
				}
				if from.Phase == "" {
					continue
				}
				m, err := g.NewMachine(from, f)
				require.NoError(t, err)
				n, err := want.NewMachine(from, f)
				require.NoError(t, err)
				m.Finish()
				n.Finish()
				require.Equal(t, n.Facts().Known()&g.Reads(), m.Facts().Known()&g.Reads())
			}
		}
		assert.Equal(t, live&g.Reads() != 0, g.Hash() != sameWithoutLive(t, it), "a live flag changes the hash")
	}
	assert.Positive(t, tentative)
}

func sameWithoutLive(t *testing.T, it phases.Itinerary) string {
	it.Vocabulary = four
	g, err := machine.Compile(it)
	require.NoError(t, err)
	return g.Hash()
}

// A reason does not list every phase as deciding a flag just because the flag is live.
func TestWhyOfALiveFlag(t *testing.T) {
	v := withLive(1)
	g := machine.MustCompile(phases.Itinerary{Name: "I", Vocabulary: v, Phases: []phases.Phase{
		{Name: "First", Step: "S"}, {Name: "Second", Step: "S", Guard: phases.Guard{All: 1}},
	}})
	p := g.Plan(phases.NewFacts(0, 15))
	assert.True(t, p.Tentative(1))
	assert.Equal(t, &machine.Why{Guard: "all", Flags: []string{"A"}, DecidedBy: []string{}, Text: "needs A"}, p.Why(1))
}

// A loop that a live flag can leave is not frozen.
func TestFrozenLoopsWithALiveFlag(t *testing.T) {
	for _, live := range []bool{false, true} {
		v := withLive(0)
		if live {
			v = withLive(1)
		}
		g := machine.MustCompile(phases.Itinerary{Name: "I", Vocabulary: v, Phases: []phases.Phase{
			{Name: "Turn", Step: "S", Jumps: []phases.Jump{{To: "Turn", Guard: phases.Guard{All: 1}}}},
		}})
		assert.Len(t, g.FrozenLoops(), map[bool]int{false: 1, true: 0}[live])
	}
}
