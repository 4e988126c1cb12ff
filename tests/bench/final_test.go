package bench

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// busy are the flags of a final migration in which 44 of the 50 phases run. With
// half, 26 run.
const (
	busy = mtc.Quiesce | mtc.HasStagePods | mtc.HasPVs | mtc.HasVerify | mtc.HasISs | mtc.IndirectImage |
		mtc.IndirectVolume | mtc.HasStageBackup | mtc.EnableImage | mtc.EnableVolume | mtc.HasPreBackupHooks |
		mtc.HasPostBackupHooks | mtc.HasPreRestoreHooks | mtc.HasPostRestoreHooks
	half = mtc.Quiesce | mtc.HasPVs | mtc.DirectImage | mtc.DirectVolume | mtc.EnableVolume
)

// loads are the two kinds of runs, with the number of phases that each enters.
var loads = []struct {
	name  string
	flags phases.Flags
	hops  int
}{{"busy", busy, 44}, {"half", half, 26}}

// The measured hop, in a run with the flags of busy. Without HasStageBackup its guard
// refuses it.
const (
	hopFrom = "EnsureStageBackup"
	hopTo   = "StageBackupCreated"
)

// lastPhase is the end phase of Final.
const lastPhase = mtc.PhaseCompleted

var now = time.Date(2021, 2, 4, 14, 0, 0, 0, time.UTC)

func facts(yes phases.Flags) phases.Facts {
	return phases.NewFacts(yes, mtc.Vocabulary().All()&^yes)
}

func itinerary(tb testing.TB) phases.Itinerary {
	it, err := mtc.Itinerary(mtc.Final)
	require.NoError(tb, err)
	return it
}

func graph(tb testing.TB) *machine.Graph {
	g, err := machine.Compile(itinerary(tb))
	require.NoError(tb, err)
	return g
}

// definition is an itinerary without jumps in the form that the peers need: states
// with guards, and the possible transitions. State 0 precedes the first phase.
type definition struct {
	states  []string
	steps   []string // by state
	events  []string // by destination
	index   map[string]int
	sources [][]int // by destination, the states that lead there
	guards  masks
}

func newDefinition(tb testing.TB, it phases.Itinerary) *definition {
	g, err := machine.Compile(it)
	require.NoError(tb, err)
	d := &definition{states: []string{"start"}, steps: []string{""}, index: map[string]int{"start": 0}, guards: newMasks(it)}
	for i, p := range it.Phases {
		d.states, d.steps = append(d.states, p.Name), append(d.steps, p.Step)
		d.index[p.Name] = i + 1
	}
	for _, state := range d.states {
		d.events = append(d.events, "to "+state)
	}
	d.sources = make([][]int, len(d.states))
	edges, err := g.Edges()
	require.NoError(tb, err)
	for _, e := range edges {
		require.Less(tb, e.To, g.Len(), "the itinerary ends in an end phase")
		d.sources[e.To+1] = append(d.sources[e.To+1], e.From+1)
	}
	return d
}

// next returns the state after a state.
func (d *definition) next(state int, f phases.Flags) int { return d.guards.next(state, f) }

// last returns the state of the end phase.
func (d *definition) last() int { return len(d.states) - 1 }

// run is the state of one run of a peer, as a controller would store it.
type run struct {
	state int
	flags phases.Flags
}

// contender is an implementation that a benchmark measures.
type contender struct {
	by   string
	make func(tb testing.TB) subject
}

// subject is a contender that is set up: op is measured, and came returns the result
// of the last op.
type subject struct {
	op   func() error
	came func() any
}

// compare measures the contenders one after the other. The result of each must be
// want.
func compare(b *testing.B, want any, contenders ...contender) {
	b.Helper()
	for _, c := range contenders {
		b.Run("by="+c.by, func(b *testing.B) {
			s := c.make(b)
			err := s.op() // deferred initialization is not counted
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if err = s.op(); err != nil {
					break
				}
			}
			require.NoError(b, err)
			require.Equal(b, want, s.came())
		})
	}
}

// here is this project.
const here = "dynamic-pipeline"

func TestRunsEnterThePlannedPhases(t *testing.T) {
	d := newDefinition(t, itinerary(t))
	for _, load := range loads {
		t.Run(load.name, func(t *testing.T) {
			plan := graph(t).Plan(facts(load.flags))
			require.Len(t, plan.Running(), load.hops)
			var ran []string
			for state := 0; state != d.last(); {
				state = d.next(state, load.flags)
				ran = append(ran, d.states[state])
			}
			require.Equal(t, plan.Running(), ran)
		})
	}
	hop := d.next(d.index[hopFrom], busy)
	require.Equal(t, hopTo, d.states[hop])
	require.NotEqual(t, hop, d.next(d.index[hopFrom], busy&^mtc.HasStageBackup), "the hop is guarded")
}

// toTheEnd advances a machine until it is done, and returns the number of hops.
func toTheEnd(m *machine.Machine, after func(m *machine.Machine)) (hops int, err error) {
	for !m.Position().Done {
		if _, err := m.Advance(context.Background()); err != nil {
			return hops, fmt.Errorf("after %d hops: %w", hops, err)
		}
		hops++
		after(m)
	}
	return hops, nil
}
