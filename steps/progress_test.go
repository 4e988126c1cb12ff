package steps_test

import (
	"context"
	"math/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// However the flags turn out: a run shows as many steps in the end as its
// progress said at each moment, and never fewer are completed than before unless
// a step is entered again.
func TestProgressIsTrueAtEachMoment(t *testing.T) {
	exact, moments := 0, 0
	for seed := range int64(1500) {
		r := rand.New(rand.NewSource(seed))
		set := anySet(r, true)
		m, err := set.Resume(machine.Checkpoint{}, pick(r, "Move", "Undo"))
		require.NoError(t, err)
		m.SetFacts(anyFacts(r))
		var p steps.Pipeline
		var all []steps.Progress
		ended := false
		for second := range int64(40) {
			p = steps.Sync(p, steps.Snapshot{Plan: m.Plan()}, time.Unix(second, 0))
			all = append(all, steps.ProgressOf(p, m.Plan()))
			if ended = m.Position().Done; ended {
				break
			}
			m.Finish() // what the phase decides turns out either way
			f := m.Facts()
			for flag := range (m.Graph().Vocabulary().All() &^ f.Known()).Each {
				f = f.Set(flag, pick(r, phases.True, phases.False))
			}
			m.SetFacts(f)
			_, err := m.Advance(context.Background())
			require.NoError(t, err)
		}
		if !ended {
			continue // it goes round in a loop
		}
		for at, progress := range all {
			require.LessOrEqual(t, progress.AtLeast, len(p), "seed %d, moment %d: %s", seed, at, bytes(t, p))
			require.GreaterOrEqual(t, progress.AtMost, len(p), "seed %d, moment %d: %s", seed, at, bytes(t, p))
			require.LessOrEqual(t, progress.Completed, progress.AtLeast)
			moments++
			if progress.AtLeast == progress.AtMost {
				exact++
			}
		}
		end := all[len(all)-1]
		require.Equal(t, steps.Progress{Completed: len(p), AtLeast: len(p), AtMost: len(p)}, end, "seed %d", seed)
	}
	assert.Greater(t, exact, moments/3, "the number is often known")
}

func TestProgressReads(t *testing.T) {
	for _, c := range []struct {
		progress steps.Progress
		want     string
	}{
		{steps.Progress{Completed: 2, Current: "Data", AtLeast: 7, AtMost: 7}, "step 3 of 7"},
		{steps.Progress{Completed: 2, Current: "Data", AtLeast: 5, AtMost: 7}, "step 3 of 5 to 7"},
		{steps.Progress{AtLeast: 4, AtMost: 4}, "0 of 4 steps"},
		{steps.Progress{Completed: 7, AtLeast: 7, AtMost: 7}, "7 of 7 steps"},
	} {
		assert.Equal(t, c.want, c.progress.String())
	}
}
