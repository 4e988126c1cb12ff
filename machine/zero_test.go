package machine_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// A machine that was not made by the package never moves, and never panics.
func TestMachineWithoutAnItinerary(t *testing.T) {
	to := machine.MustCompile(phases.Itinerary{Name: "I", Vocabulary: four, Phases: []phases.Phase{{Name: "P", Step: "S"}}})
	for name, m := range map[string]*machine.Machine{"nil": nil, "zero": {}, "of a failed resumption": machine.Resumption{}.Machine} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			_, err := m.Advance(ctx)
			require.ErrorIs(t, err, machine.ErrNoItinerary)
			_, err = m.TransitionTo(ctx, "P")
			require.ErrorIs(t, err, machine.ErrNoItinerary)
			_, err = m.Switch(to)
			require.ErrorIs(t, err, machine.ErrNoItinerary)
			require.ErrorIs(t, m.Can("P"), machine.ErrNoItinerary)
			require.ErrorIs(t, m.Choose("P"), machine.ErrNoItinerary)
			_, err = m.Settle(ctx, machine.SettleOptions{})
			require.ErrorIs(t, err, machine.ErrNoItinerary)
			m.SetFacts(phases.NewFacts(1, 0))
			m.Finish()
			assert.Nil(t, m.Graph())
			assert.Equal(t, machine.Position{}, m.Position())
			assert.Equal(t, phases.Facts{}, m.Facts())
			assert.Equal(t, machine.Checkpoint{}, m.Checkpoint())
			assert.Zero(t, m.Decides()|m.Depends()|m.Awaits()|m.Matters(phases.Facts{}))
			assert.False(t, m.WorkDone())
			next, end := m.Available()
			assert.Empty(t, next)
			assert.False(t, end)
			assert.Empty(t, m.Plan().Running())
			assert.Equal(t, -1, m.Plan().Current())
		})
	}
}

// A set that was not made by CompileSet has no itinerary.
func TestSetWithoutItineraries(t *testing.T) {
	for name, s := range map[string]*machine.Set{"nil": nil, "zero": {}} {
		t.Run(name, func(t *testing.T) {
			assert.Empty(t, s.Names())
			var unknown *phases.UnknownItineraryError
			for _, c := range []machine.Checkpoint{{}, {Itinerary: "I", Phase: "P"}, {Phase: "P"}} {
				_, err := s.Resume(c, "I")
				require.ErrorAs(t, err, &unknown)
			}
			r, err := s.Resume(machine.Checkpoint{Itinerary: "I", Done: true, Facts: phases.Record{True: []string{"A"}}}, "I")
			require.NoError(t, err, "a run that is done is never looked up")
			assert.True(t, r.Position().Done)
			assert.Equal(t, "I", r.Checkpoint().Itinerary)
			_, err = r.Advance(context.Background())
			assert.ErrorIs(t, err, machine.ErrDone)
		})
	}
}
