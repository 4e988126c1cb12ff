package lives

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestLives plays lives on a runner alone. LIVES_SEED repeats one of them.
func TestLives(t *testing.T) {
	number := 1500
	first := rand.Uint64() >> 16
	if text, ok := os.LookupEnv("LIVES_SEED"); ok {
		var err error
		first, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, "LIVES_SEED")
		number = 1
	}
	if text, ok := os.LookupEnv("LIVES"); ok {
		var err error
		number, err = strconv.Atoi(text)
		require.NoError(t, err, "LIVES")
	}
	begin := time.Now()
	all := Counts{}
	largest := 0
	for i := range number {
		l, err := New(first + uint64(i))
		require.NoError(t, err)
		m, err := NewMemory(l)
		require.NoError(t, err)
		if err := l.Play(context.Background(), m); err != nil {
			t.Fatalf("%v\nLIVES_SEED=%d repeats it", err, l.Seed)
		}
		all.Add(l.Counts)
		largest = max(largest, m.Largest)
	}
	t.Logf("%s; the largest state was %d bytes: %s", time.Since(begin).Round(time.Millisecond), largest, all)
}
