//go:build !race

package steps_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// Up to 32 steps take no memory of their own while a pipeline is synced. The race
// detector allocates by itself, so it is not there.
func TestSyncOfFewStepsAllocatesOnlyThePipeline(t *testing.T) {
	now := time.Now()
	allocations := func(n int) float64 {
		it := phases.Itinerary{Name: "Long", Vocabulary: phases.MustVocabulary(nil)}
		for i := range n {
			it.Phases = append(it.Phases, phases.Phase{Name: fmt.Sprintf("P%02d", i), Step: fmt.Sprintf("S%02d", i)})
		}
		m, err := machine.MustCompile(it).NewMachine(machine.Position{Phase: "P00"}, phases.Facts{})
		require.NoError(t, err)
		snapshot := steps.Snapshot{Plan: m.Plan()}
		p := steps.Sync(nil, snapshot, now)
		return testing.AllocsPerRun(100, func() { p = steps.Sync(p, snapshot, now) })
	}
	few := allocations(16)
	assert.Equal(t, few, allocations(32))
	assert.Greater(t, allocations(33), few)
}
