package bigswitch

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/api"
)

const lives = 1000

func TestLives(t *testing.T) {
	same := 0
	for seed := range int64(lives) {
		l := randomLife(seed)
		b := play(t, l, beforeIt, 0, nil)
		w := play(t, l, wholeIt, 0, nil)
		s := play(t, l, sideIt, 0, nil)
		require.Equal(t, w.Visits, s.Visits, "seed %d", seed)
		if !l.script.Lost[1] {
			require.Equal(t, shown(w.last.Status.Pipeline), shown(s.last.Status.Pipeline), "seed %d", seed)
		}
		if slices.Equal(b.Visits, w.Visits) {
			same++
			continue
		}
		n := 0
		for n < len(b.Visits) && n < len(w.Visits) && b.Visits[n] == w.Visits[n] {
			n++
		}
		t.Logf("seed %d: at %d: %v | %v edited %d failed lists %d", seed, n, b.Visits[n-1:min(n+2, len(b.Visits))], w.Visits[n-1:min(n+3, len(w.Visits))], l.edited, b.FailedLists)
	}
	fmt.Println(same)
	_ = strings.Join
	require.Greater(t, same, 0)
}

// shown is what users see of a pipeline, without the times.
func shown(pipeline []*api.Step) (lines []string) {
	for _, step := range pipeline {
		lines = append(lines, fmt.Sprintf("%s: %s %v %v", step.Name, step.Message, step.Failed, step.Progress))
	}
	return lines
}
