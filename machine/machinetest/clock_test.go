package machinetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func TestClockTimeouts(t *testing.T) {
	c := newClock(noon)
	ctx, cancel := c.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	longer, cancelLonger := c.WithTimeout(ctx, time.Hour)
	defer cancelLonger()
	deadline, ok := longer.Deadline()
	assert.True(t, ok)
	assert.InDelta(t, time.Minute, time.Until(deadline), float64(30*time.Second), "the deadline of the parent, in real time")

	c.set(noon.Add(59 * time.Second))
	require.NoError(t, ctx.Err())
	c.set(noon.Add(time.Minute))
	assert.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
	<-longer.Done()
	assert.ErrorIs(t, longer.Err(), context.DeadlineExceeded)
	cancel()
	assert.ErrorIs(t, ctx.Err(), context.DeadlineExceeded, "the first error remains")
	assert.False(t, c.next(), "no timeout remains")
}

func TestClockTimeoutOfZero(t *testing.T) {
	c := newClock(noon)
	ctx, cancel := c.WithTimeout(t.Context(), 0)
	defer cancel()
	assert.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
}

func TestClockTimeoutCanceled(t *testing.T) {
	c := newClock(noon)
	parent, cancelParent := context.WithCancel(t.Context())
	ctx, cancel := c.WithTimeout(parent, time.Minute)
	defer cancel()
	cancelParent()
	<-ctx.Done()
	assert.ErrorIs(t, ctx.Err(), context.Canceled)
	assert.Equal(t, noon, c.Now())
}

// Hanging moves the clock, once for several concurrent calls.
func TestHang(t *testing.T) {
	c := newClock(noon)
	ctx, cancel := c.WithTimeout(t.Context(), 8*time.Hour)
	defer cancel()
	var all sync.WaitGroup
	for range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			assert.ErrorIs(t, Hang(ctx), context.DeadlineExceeded)
		}()
	}
	all.Wait()
	assert.Equal(t, noon.Add(8*time.Hour), c.Now())
	assert.NoError(t, late(ctx))
}

// A handler and a source that wait for their contexts without Hang end, even when this package
// calls them apart from the runner.
func TestHandlerWithoutHang(t *testing.T) {
	const f phases.Flags = 1
	v := phases.MustVocabulary([]phases.FlagDef{{Flag: f, Name: "F"}})
	set := machine.MustCompileSet(phases.Itinerary{Name: "I", Vocabulary: v, Cleanup: true,
		Phases: []phases.Phase{{Name: "P", Step: "S", Guard: phases.Guard{All: f}}}})
	s := NewScripted(Script{Itineraries: set, Itinerary: "I"})
	build := s.Options
	s.Options = func(w *struct{}) runner.Options[*Object] {
		o := build(w)
		hang := func(ctx context.Context, _ *Object) (runner.Result, error) {
			<-ctx.Done()
			return runner.Result{}, ctx.Err()
		}
		o.Phases = map[string]runner.Phase[*Object]{"P": {Deadline: time.Minute, Handler: runner.HandlerFunc[*Object](hang)}}
		o.Sources = func(context.Context, *Object) (*phases.Sources, error) {
			return phases.NewSources(v, phases.Source{Flag: f, Evaluate: func(ctx context.Context, _ phases.Facts) (phases.Truth, error) {
				<-ctx.Done()
				return phases.Unknown, ctx.Err()
			}})
		}
		return o
	}
	life := New(t, s)
	life.engine.blockTimeout = 20 * time.Millisecond
	life.Run()
	life.WantFailures("I/P: phase P was not done within 1 min; the last error: context deadline exceeded")
}

// watch waits in real time for a handler that waits for its context without Hang.
func TestEngineWatch(t *testing.T) {
	set := machine.MustCompileSet(phases.Itinerary{Name: "I", Vocabulary: phases.MustVocabulary(nil),
		Phases: []phases.Phase{{Name: "P", Step: "S"}}})
	s := NewScripted(Script{Itineraries: set, Itinerary: "I"})
	e, err := newEngine(s)
	require.NoError(t, err)
	e.blockTimeout = time.Millisecond
	ctx, cancel := e.clock.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	stop := e.watch(e.clock)
	<-ctx.Done()
	stop()
	assert.True(t, errors.Is(ctx.Err(), context.DeadlineExceeded))
}
