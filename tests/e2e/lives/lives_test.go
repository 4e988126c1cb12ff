package lives

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/oracle"
)

// seeds returns the first seed and the number of lives to play. LIVES sets the
// number, LIVES_SEED the first seed. With LIVES_SEED alone, one life is
// played.
func seeds(t *testing.T, number int) (first uint64, _ int) {
	t.Helper()
	first = rand.Uint64() >> 16
	for _, name := range []string{"LIVES_SEED", "LIVES"} {
		text, ok := os.LookupEnv(name)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, name)
		if name == "LIVES_SEED" {
			first, number = n, 1
		} else {
			number = int(n)
		}
	}
	return first, number
}

// Lives on a runner alone find the most in a second.
func TestLives(t *testing.T) {
	first, number := seeds(t, testscale.Of(1500, 300))
	begin := time.Now()
	all := Counts{}
	largest := 0
	for i := range number {
		_, size := play(t, first+uint64(i), all)
		largest = max(largest, size)
	}
	t.Logf("%s; the largest state was %d bytes: %s", time.Since(begin).Round(time.Millisecond), largest, all)
	assert.Less(t, largest, 64<<10, "the size of a state")
}

// play plays a life and adds its counts. It returns the trace and the size of
// the largest state.
func play(t *testing.T, seed uint64, counts Counts) ([]oracle.Event, int) {
	t.Helper()
	l, err := New(seed)
	require.NoError(t, err)
	m, err := NewMemory(l)
	require.NoError(t, err)
	if err := l.Play(context.Background(), m); err != nil {
		t.Fatalf("%v\nrepeat it with LIVES_SEED=%d", err, l.Seed)
	}
	counts.Add(l.Counts)
	return l.Trace, m.Largest
}

// The same seed gives the same life, event by event.
func TestLifeFollowsFromSeed(t *testing.T) {
	lines := func(seed uint64) (all []string) {
		trace, _ := play(t, seed, Counts{})
		asked := 0 // flags are evaluated concurrently, in no order
		for _, e := range trace {
			if e.Kind != oracle.Evaluate {
				slices.Sort(all[len(all)-asked:])
				asked = -1
			}
			asked++
			all = append(all, e.String())
		}
		return all
	}
	for seed := range uint64(20) {
		assert.Empty(t, cmp.Diff(lines(seed), lines(seed)), "seed %d", seed)
	}
}
