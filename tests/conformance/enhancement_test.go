package conformance

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// This file has the three end-to-end tests of the enhancement's test plan. Each
// checks every assignment of the 19 flags that the relations allow, in Stage and
// Final.

// allowed calls yield with every assignment that satisfies the relations, and
// returns their number.
func allowed(yield func(yes phases.Flags)) (n int) {
	all := mtc.Vocabulary().All()
	subsets(all, func(yes phases.Flags) {
		if len(mtc.Vocabulary().Broken(phases.NewFacts(yes, all&^yes))) == 0 {
			n++
			yield(yes)
		}
	})
	return n
}

// never requires that no assignment for which the condition holds shows a forbidden
// step, that there is such an assignment, and that some other assignment shows one.
func never(t *testing.T, condition func(yes phases.Flags) bool, forbidden ...string) {
	t.Helper()
	for _, name := range []string{mtc.Stage, mtc.Final} {
		t.Run(name, func(t *testing.T) {
			g := graph(t, name)
			held, seen := 0, 0
			n := allowed(func(yes phases.Flags) {
				visible := steps.Visible(g.Plan(phases.NewFacts(yes, mtc.Vocabulary().All()&^yes)))
				shows := slices.ContainsFunc(visible, func(s string) bool { return slices.Contains(forbidden, s) })
				switch {
				case condition(yes):
					held++
					if shows {
						t.Fatalf("%v shows %v", mtc.Vocabulary().Names(yes), visible)
					}
				case shows:
					seen++
				}
			})
			t.Logf("of %d allowed assignments, the condition holds for %d; %d of the others show the steps", n, held, seen)
			require.NotZero(t, held)
			require.NotZero(t, seen)
		})
	}
}

func TestDirectImageIsHiddenIfImagesAreCopiedIndirectly(t *testing.T) {
	never(t, func(yes phases.Flags) bool { return yes.Has(mtc.IndirectImage) }, mtc.DirectImageStep)
}

func TestDirectVolumeIsHiddenIfVolumesAreCopiedIndirectly(t *testing.T) {
	never(t, func(yes phases.Flags) bool { return yes.Has(mtc.IndirectVolume) }, mtc.DirectVolumeStep)
}

// The exact condition: images are copied directly, no stage backup is needed, and no
// volume is copied indirectly.
func TestDataStepsAreHiddenForDirectImages(t *testing.T) {
	never(t, func(yes phases.Flags) bool {
		return yes.Has(mtc.DirectImage) && !yes.Has(mtc.HasStageBackup) && !yes.Has(mtc.HasPVs|mtc.IndirectVolume)
	}, mtc.DataBackup, mtc.DataRestore)
}
