//go:build !race

package bench

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// This test is not built with the race detector, which allocates too.
func TestAllocations(t *testing.T) {
	allocations := func(makes func(tb testing.TB) subject) float64 {
		s := makes(t)
		require.NoError(t, s.op())
		return testing.AllocsPerRun(100, func() { _ = s.op() })
	}
	bareHop, bareRun := allocations(looplabHop), allocations(looplabRun(busy))
	for _, c := range []struct {
		name          string
		got, atMost   float64
		looplab, hops float64
	}{
		{"a hop from a position, in addition to looplab's", allocations(hop), 3, bareHop, 1},
		{"a hop from a checkpoint, in addition to looplab's", allocations(resume), 3, bareHop, 1},
		{"a hop of a run with plan and pipeline, in addition to looplab's", allocations(pipelineRun(busy)), 8, bareRun, float64(loads[0].hops)},
	} {
		assert.LessOrEqual(t, (c.got-c.looplab)/c.hops, c.atMost, c.name)
	}
}
