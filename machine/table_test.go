package machine

import (
	"context"
	"fmt"
	"testing"

	"github.com/looplab/fsm"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/phases"
)

var vocabulary = phases.MustVocabulary([]phases.FlagDef{{Flag: 1, Name: "A"}})

func lettersGraph(t *testing.T) *Graph {
	t.Helper()
	g, err := Compile(phases.Itinerary{Name: "Letters", Vocabulary: vocabulary, Phases: []phases.Phase{
		{Name: "A", Step: "S"},
		{Name: "B", Step: "S", Guard: phases.Guard{All: 1}},
		{Name: "C", Step: "S", Jumps: []phases.Jump{{To: "A", Guard: phases.Guard{None: 1}}}},
	}})
	require.NoError(t, err)
	return g
}

func TestTableReusesFSMs(t *testing.T) {
	g := lettersGraph(t)
	var first *mover
	for range 100 {
		m, err := g.NewMachine(Position{}, phases.NewFacts(1, 0))
		require.NoError(t, err)
		for range 4 {
			_, err := m.Advance(context.Background())
			require.NoError(t, err)
		}
		table, err := g.table()
		require.NoError(t, err)
		require.Len(t, table.idle, 1, "moves in turn need only one")
		f := <-table.idle
		if first == nil {
			first = f
		}
		require.Same(t, first, f)
		table.idle <- f
	}
}

func TestTableReusesAnFSMThatRefused(t *testing.T) {
	g := lettersGraph(t)
	table, err := g.table()
	require.NoError(t, err)
	m, err := g.NewMachine(Position{}, phases.NewFacts(1, 0))
	require.NoError(t, err)
	_, err = m.Advance(context.Background())
	require.NoError(t, err)
	require.Len(t, table.idle, 1)
	for to := range g.Len() {
		_, err = table.fire(point{at: start, step: -1}, phases.NewFacts(1, 0), to)
		assert.Len(t, table.idle, 1, "to %d: %v", to, err)
	}
	require.Error(t, err, "the last phase is not next")
}

func TestTableDiscardsAStuckFSM(t *testing.T) {
	g := lettersGraph(t)
	table, err := g.table()
	require.NoError(t, err)
	stuck := fsm.NewFSM(startState, table.events, fsm.Callbacks{"leave_state": func(_ context.Context, e *fsm.Event) { e.Async() }})
	require.Error(t, stuck.Event(context.Background(), table.event(0)))
	table.idle <- &mover{fsm: stuck}

	m, err := g.NewMachine(Position{}, phases.NewFacts(1, 0))
	require.NoError(t, err)
	_, err = m.Advance(context.Background())
	require.ErrorAs(t, err, new(fsm.InTransitionError))
	assert.Equal(t, Position{}, m.Position(), "the machine has not moved")
	assert.Empty(t, table.idle, "the stuck FSM was discarded")
	tr, err := m.Advance(context.Background())
	require.NoError(t, err)
	assert.Equal(t, "A", tr.To.Phase)
}

// The FSM itself refuses moves that its guards do not admit: Advance only proposes.
func TestTableGuards(t *testing.T) {
	g := lettersGraph(t)
	table, err := g.table()
	require.NoError(t, err)
	for _, c := range []struct {
		about    string
		from, to int
		facts    phases.Facts
		want     any
	}{
		{"B needs A", 0, 1, phases.NewFacts(0, 1), new(*TransitionError)},
		{"B comes before C", 0, 2, phases.NewFacts(1, 0), new(*TransitionError)},
		{"A is unknown", 0, 1, phases.Facts{}, new(*UnknownFlagsError)},
		{"no edge leads from A to done", 0, 3, phases.NewFacts(1, 0), new(fsm.InvalidEventError)},
	} {
		t.Run(c.about, func(t *testing.T) {
			_, err := table.fire(point{at: c.from}, c.facts, c.to)
			switch want := c.want.(type) {
			case *fsm.InvalidEventError:
				assert.ErrorAs(t, err, want)
			default:
				var canceled fsm.CanceledError
				require.ErrorAs(t, err, &canceled)
				assert.ErrorAs(t, canceled.Err, want)
			}
		})
	}
}

// canceledLater is a context that is canceled after its first check.
type canceledLater struct {
	context.Context
	checked bool
}

func (c *canceledLater) Err() error {
	if !c.checked {
		c.checked = true
		return nil
	}
	return c.Context.Err()
}

// A context that is canceled during the move, after it was checked, does not leave the FSM stuck.
func TestAdvanceWithAContextCanceledMeanwhile(t *testing.T) {
	g := lettersGraph(t)
	table, err := g.table()
	require.NoError(t, err)
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	m, err := g.NewMachine(Position{}, phases.NewFacts(1, 0))
	require.NoError(t, err)
	tr, err := m.Advance(&canceledLater{Context: canceled})
	require.NoError(t, err)
	assert.Equal(t, "A", tr.To.Phase)
	assert.Len(t, table.idle, 1)
	_, err = m.Advance(&canceledLater{Context: canceled, checked: true})
	require.ErrorIs(t, err, context.Canceled)
}

// The listed edges are exactly those of looplab's table.
func TestEdgesAreThoseOfTheTable(t *testing.T) {
	g := lettersGraph(t)
	all, err := g.Edges()
	require.NoError(t, err)
	assert.Equal(t, []Edge{{start, 0}, {0, 1}, {0, 2}, {1, 2}, {2, 0}, {2, 3}}, all, "a jump back, and the end")

	table, err := g.table()
	require.NoError(t, err)
	var known []Edge
	for from := start; from < g.Len(); from++ {
		f := fsm.NewFSM(table.state(from), table.events, fsm.Callbacks{})
		for to := range table.events {
			if f.Can(table.event(to)) {
				known = append(known, Edge{from, to})
			}
		}
	}
	assert.Equal(t, all, known)
}

func TestEdgesAt(t *testing.T) {
	g := lettersGraph(t)
	all, err := g.Edges()
	require.NoError(t, err)
	for i := range g.Len() {
		var want []Edge
		for _, e := range all {
			if e.From == i || e.To == i {
				want = append(want, e)
			}
		}
		assert.Equal(t, want, g.EdgesAt(i), g.Phase(i).Name)
	}
}

func TestEdgesOfALargeItinerary(t *testing.T) {
	it := phases.Itinerary{Name: "Large", Vocabulary: vocabulary}
	for i := range 10_000 {
		it.Phases = append(it.Phases, phases.Phase{Name: fmt.Sprintf("P%d", i), Step: "S", Guard: phases.Guard{All: 1}})
	}
	g, err := Compile(it)
	require.NoError(t, err)
	_, err = g.Edges()
	require.ErrorAs(t, err, new(*TooManyEdgesError))
	assert.Len(t, g.EdgesAt(5000), 10_001, "one from the start and each phase before it, one to each phase after it and the end")
}
