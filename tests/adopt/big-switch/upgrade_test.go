package bigswitch

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/legacy"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/world"
)

// downgrade converts an object to the form that the controller in package
// before understands.
func downgrade(m *api.MigMigration) error {
	set, err := machine.CompileSet(mtc.Itineraries()...)
	if err != nil {
		return err
	}
	delete(m.Annotations, "pipeline.konveyor.io/state")
	_, err = legacy.DowngradeStatus(legacy.NewAdapter(set, mtc.DataNames), &m.Status, nil)
	return err
}

// TestUpgradeHalfWay replaces the controller while migrations run: by either
// variant that has adopted the library, and back. The same phases are entered
// as without the replacement.
func TestUpgradeHalfWay(t *testing.T) {
	lives := map[int64][]world.Visit{}
	for seed := range int64(120) {
		l := randomLife(seed)
		before := play(t, l, beforeIt)
		if _, same := commonVisits(before, play(t, l, wholeIt)); same { // otherwise it is an intended difference
			lives[seed] = before.Visits
		}
	}
	require.Greater(t, len(lives), 100)
	for _, c := range []struct {
		name     string
		by       variant
		upgrades []upgrade
	}{
		{"before to side", beforeIt, []upgrade{{writes: 7, to: sideIt}}},
		{"before to whole", beforeIt, []upgrade{{writes: 11, to: wholeIt}}},
		{"side to whole", sideIt, []upgrade{{writes: 9, to: wholeIt}}},
		{"whole to side", wholeIt, []upgrade{{writes: 13, to: sideIt}}},
		{"side and back", beforeIt, []upgrade{{writes: 5, to: sideIt}, {writes: 15, to: beforeIt, convert: downgrade}}},
		{"whole and back", beforeIt, []upgrade{{writes: 6, to: wholeIt}, {writes: 17, to: beforeIt, convert: downgrade}}},
		{"whole and back before anything is done", wholeIt, []upgrade{{writes: 1, to: beforeIt, convert: downgrade}}},
		{"back and again", wholeIt, []upgrade{{writes: 6, to: beforeIt, convert: downgrade}, {writes: 12, to: wholeIt}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			upgraded := 0
			for seed, visits := range lives {
				p := play(t, randomLife(seed), c.by, c.upgrades...)
				require.Equal(t, visits, p.Visits, "seed %d", seed)
				if p.upgrades < len(c.upgrades) {
					continue // it ends before
				}
				upgraded++
				if adopted := c.upgrades[len(c.upgrades)-1].convert == nil; adopted {
					require.False(t, hasSkipped(p.last()), "seed %d", seed)
				}
			}
			require.Greater(t, upgraded, 60)
		})
	}
}
