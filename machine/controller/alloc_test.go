//go:build !race

package controller_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// A reconcile that writes takes a bounded number of allocations, without the work of
// the server: see BenchmarkReconcile.
func TestReconcileAllocations(t *testing.T) {
	const maxAllocations, maxBytes = 200, 35_000
	tape := record(t)
	for !tape.over() { // builds what later runs share
		tape.play()
	}
	tape.rewind()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for !tape.over() {
		tape.play()
	}
	runtime.ReadMemStats(&after)
	n := uint64(len(tape.reads))
	require.LessOrEqual(t, (after.Mallocs-before.Mallocs)/n, uint64(maxAllocations))
	require.LessOrEqual(t, (after.TotalAlloc-before.TotalAlloc)/n, uint64(maxBytes))
}
