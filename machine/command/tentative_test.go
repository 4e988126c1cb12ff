package command

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// A step that is not tentative does not change, whatever values the phases ahead give the
// flags that they decide.
func TestStepsThatAreNotTentativeAreSettled(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	settled, came := 0, 0
	for _, it := range mtc.Itineraries() {
		g := machine.MustCompile(it)
		v := g.Vocabulary()
		for range 200 {
			f := realistic(t, random, v, phases.Facts{}, v.All())
			at := machine.Position{}
			if i := random.IntN(g.Len()); i%2 == 0 && !g.IsEnd(i) {
				at.Phase = g.Phase(i).Name
			}
			plan, err := g.PlanFrom(at, f)
			require.NoError(t, err)
			p := &planned{plan: plan}
			tentative, shown := p.tentativeSteps(), p.shown()
			for range 20 {
				// Only flags that phases ahead decide may change.
				g2, err := g.PlanFrom(at, realistic(t, random, v, f.Forget(plan.Decides()), plan.Decides()))
				require.NoError(t, err)
				later := (&planned{plan: g2}).shown()
				for _, name := range g.Steps() {
					switch {
					case shown(name) == later(name):
					case !slices.Contains(tentative, name):
						// A flag that is decided after the phases that read it changes
						// nothing.
						require.True(t, onlyReadBefore(plan, g2, name), "%s: step %s with %v from %q", g.Name(), name,
							v.Names(f.True()), at.Phase)
					case shown(name) == phases.False:
						came++
					}
					if !slices.Contains(tentative, name) {
						settled++
					}
				}
			}
		}
	}
	require.Positive(t, settled)
	require.Positive(t, came)
}

// onlyReadBefore reports whether the plans differ in a step only by phases that are not
// tentative: they run before the flags are decided.
func onlyReadBefore(p, q *machine.Plan, step string) bool {
	g := p.Graph()
	for i := range g.Len() {
		if slices.Contains(g.StepsOf(i), g.StepIndex(step)) && p.Runs(i) != q.Runs(i) && p.Tentative(i) {
			return false
		}
	}
	return true
}

// realistic returns the flags of open with values that break no relation.
func realistic(t *testing.T, random *rand.Rand, v *phases.Vocabulary, f phases.Facts, open phases.Flags) phases.Facts {
	for range 10000 {
		g := f
		for flag := range open.Each {
			g = g.Set(flag, []phases.Truth{phases.True, phases.False}[random.IntN(2)])
		}
		if len(v.Broken(g)) == 0 {
			return g
		}
	}
	require.Fail(t, "no values satisfy the relations", "%v", v.Names(open))
	return f
}
