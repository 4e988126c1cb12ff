package steps_test

import (
	"context"
	"math/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// Whatever values the flags get, the number of steps that a run shows in the end is within the
// bounds that its progress reported at each moment.
func TestProgressHoldsAtEachMoment(t *testing.T) {
	exact, moments := 0, 0
	for seed := range int64(testscale.Of(1500, 300)) {
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
			m.Finish() // the flags that the phase decides may get either value
			f := m.Facts()
			for flag := range (m.Graph().Vocabulary().All() &^ f.Known()).Each {
				f = f.Set(flag, pick(r, phases.True, phases.False))
			}
			m.SetFacts(f)
			_, err := m.Advance(context.Background())
			require.NoError(t, err)
		}
		if !ended {
			continue // it repeats a loop
		}
		for at, progress := range all {
			require.LessOrEqual(t, progress.AtLeast, len(p), "seed %d, moment %d: %s", seed, at, bytes(t, p))
			require.GreaterOrEqual(t, progress.AtMost, len(p), "seed %d, moment %d: %s", seed, at, bytes(t, p))
			require.LessOrEqual(t, progress.Completed, progress.AtLeast)
			if progress.Current != "" {
				require.Equal(t, progress.Current, p[progress.Number-1].Name, "seed %d, moment %d: %s", seed, at, bytes(t, p))
			}
			moments++
			if progress.AtLeast == progress.AtMost {
				exact++
			}
		}
		end := all[len(all)-1]
		require.Equal(t, steps.Progress{Completed: len(p), AtLeast: len(p), AtMost: len(p)}, end, "seed %d", seed)
	}
	assert.Greater(t, exact, moments/3, "the number of steps is often certain")
}

// A step that may be entered again is left, but not completed: the current step keeps its number.
func TestProgressCountsStepsThatMayBeEnteredAgain(t *testing.T) {
	cook := phases.Itinerary{Name: "Cook", Vocabulary: phases.MustVocabulary(nil), Phases: []phases.Phase{
		{Name: "Shop", Step: "Prepare"},
		{Name: "Fry", Step: "Cook"},
		{Name: "Taste", Step: "Taste", Jumps: []phases.Jump{{To: "Shop", Choice: true}}},
		{Name: "Serve", Step: "Serve"},
	}}
	set, err := machine.CompileSet(cook)
	require.NoError(t, err)
	m, err := set.Resume(machine.Checkpoint{}, "Cook")
	require.NoError(t, err)
	var p steps.Pipeline
	var read []string
	sync := func() {
		p = steps.Sync(p, steps.Snapshot{Plan: m.Plan()}, time.Unix(int64(len(read)), 0))
		read = append(read, steps.ProgressOf(p, m.Plan()).String())
	}
	advance := func() {
		_, err := m.Advance(context.Background())
		require.NoError(t, err)
		sync()
		m.Finish()
	}
	sync()
	advance()
	advance()
	advance()
	require.NoError(t, m.Choose("Shop"))
	for range 5 {
		advance()
	}
	assert.Equal(t, []string{
		"0 of 4 steps", "step 1 of 4", "step 2 of 4", "step 3 of 4",
		"step 1 of 4", "step 2 of 4", "step 3 of 4", "step 4 of 4", "4 of 4 steps",
	}, read)
}

func TestProgressString(t *testing.T) {
	for _, c := range []struct {
		progress steps.Progress
		want     string
	}{
		{steps.Progress{Completed: 2, Current: "Data", Number: 3, AtLeast: 7, AtMost: 7}, "step 3 of 7"},
		{steps.Progress{Completed: 2, Current: "Data", Number: 3, AtLeast: 5, AtMost: 7}, "step 3 of 5 to 7"},
		{steps.Progress{Current: "Data", Number: 3, AtLeast: 7, AtMost: 7}, "step 3 of 7"},
		{steps.Progress{AtLeast: 4, AtMost: 4}, "0 of 4 steps"},
		{steps.Progress{Completed: 7, AtLeast: 7, AtMost: 7}, "7 of 7 steps"},
	} {
		assert.Equal(t, c.want, c.progress.String())
	}
}
