package machine

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strconv"

	"github.com/looplab/fsm"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// MaxEdges is the largest number of edges that the table of a state machine may have. Final, MTC's
// largest itinerary, has 315.
const MaxEdges = 100_000

// table is the transition table of a graph in the form that looplab/fsm needs, and the FSMs made
// from it. Building an FSM costs a hundred times as much as a move, so FSMs are reused: each is set
// to the state of the machine that moves. An FSM never runs the embedder's code; its callbacks are
// the guards.
type table struct {
	events    []fsm.EventDesc // to each phase, then to done
	callbacks fsm.Callbacks
	idle      chan *mover
}

// mover is an FSM and the transition that its guards judge. Only one machine uses it at a time.
type mover struct {
	fsm  *fsm.FSM
	hop  hop
	args []any // &hop
}

// States, and the events that lead to them, are named by their indices. looplab/fsm gives a special
// meaning to the names "event" and "state" and to names with the prefix of a callback, and it
// hashes several names at each move.
const startState = "-1"

// state returns the name of the state at index i.
func (t *table) state(i int) string {
	if i == start {
		return startState
	}
	return t.events[i].Dst
}

// event returns the name of the event that leads to an index; there is one per destination.
func (t *table) event(to int) string { return t.events[to].Name }

// hop is an attempted transition: the input of the guards and their result.
type hop struct {
	from  point
	facts phases.Facts
	to    destination
}

// newTable builds the table from the edges of the graph. An edge is allowed if its destination's
// guard admits and the guards between do not.
func (g *Graph) newTable() (*table, error) {
	all, err := g.Edges()
	if err != nil {
		return nil, err
	}
	t := &table{
		callbacks: fsm.Callbacks{},
		idle:      make(chan *mover, runtime.GOMAXPROCS(0)),
	}
	for to := range g.done() + 1 {
		state := strconv.Itoa(to)
		event := fsm.EventDesc{Name: state, Dst: state}
		t.events = append(t.events, event)
		t.callbacks["before_"+event.Name] = func(_ context.Context, e *fsm.Event) {
			h := e.Args[0].(*hop)
			var err error
			if h.to, err = g.allows(h.from, to, h.facts); err != nil {
				e.Cancel(err)
			}
		}
	}
	for _, e := range all {
		t.events[e.To].Src = append(t.events[e.To].Src, t.state(e.From))
	}
	return t, nil
}

// span is a range of indices, both ends included.
type span struct{ first, last int }

// edges returns the destinations of the edges from an index as ranges that do not overlap. Each
// extends from a start of the search to its furthest stop.
func (g *Graph) edges(from int, stops []int) []span {
	starts := g.starts(from)
	slices.Sort(starts)
	var spans []span
	for _, first := range starts {
		if k := len(spans) - 1; k >= 0 && first <= spans[k].last {
			continue // both stop at the same phase
		}
		spans = append(spans, span{first, stops[first]})
	}
	return spans
}

// stops returns, for each index, the furthest index at which a search that begins there stops: the
// first phase without a guard, or done.
func (g *Graph) stops() []int {
	n := len(g.nodes)
	stops := make([]int, n+1)
	stops[n] = n
	for i := n - 1; i >= 0; i-- {
		stops[i] = i
		if g.nodes[i].guard.Reads() != 0 {
			stops[i] = stops[i+1]
		}
	}
	return stops
}

// Edge is a transition that a machine may make. From and To are indices of phases. From is -1 at
// the start; To is the number of phases when done.
//
// Edges are derived from guards judged one by one: a phase without a guard is never passed by, and
// one with a guard may be. There may therefore be an edge that no facts allow, such as one past a
// phase to another phase with the same guard.
type Edge struct{ From, To int }

// Edges lists every transition that the machine may make, by From and then by To. Some may not be
// allowed by any facts; see [Edge]. If there are more than [MaxEdges], the error is a
// [*TooManyEdgesError].
func (g *Graph) Edges() ([]Edge, error) {
	if err := g.checkEdges(); err != nil {
		return nil, err
	}
	var all []Edge
	stops := g.stops()
	for from := start; from < len(g.nodes); from++ {
		for _, r := range g.edges(from, stops) {
			for to := r.first; to <= r.last; to++ {
				all = append(all, Edge{from, to})
			}
		}
	}
	return all, nil
}

// EdgesAt lists the transitions that may be made from and to the phase at index i, by From and then
// by To, as [Graph.Edges] does. Their number is linear in the number of phases, so there is no limit.
func (g *Graph) EdgesAt(i int) []Edge {
	var all []Edge
	stops := g.stops()
	for from := start; from < len(g.nodes); from++ {
		for _, r := range g.edges(from, stops) {
			if from != i { // of these, only the one to i
				r.first, r.last = max(r.first, i), min(r.last, i)
			}
			for to := r.first; to <= r.last; to++ {
				all = append(all, Edge{from, to})
			}
		}
	}
	return all
}

// checkEdges returns a [*TooManyEdgesError] if there are too many edges. It counts them without
// listing them.
func (g *Graph) checkEdges() error {
	stops := g.stops()
	first, run := 0, 0
	for i, stop := range stops[:len(g.nodes)] {
		if stop-i > run {
			first, run = i, stop-i
		}
	}
	edges := 0
	for from := start; from < len(g.nodes); from++ {
		for _, r := range g.edges(from, stops) {
			edges += r.last - r.first + 1
		}
	}
	if edges <= MaxEdges {
		return nil
	}
	e := &TooManyEdgesError{Itinerary: g.Name(), Edges: edges, Limit: MaxEdges, Run: run}
	if run > 0 {
		e.First, e.Last = g.names[first], g.names[first+run-1]
	}
	return e
}

// allows is the guard of the edge to an index, as a predicate over facts. It returns the
// destination with the step, and whether the edge is a jump.
func (g *Graph) allows(from point, to int, f phases.Facts) (destination, error) {
	next, err := g.next(from, f)
	if err != nil || next.to == to {
		return next, err
	}
	e := &TransitionError{
		Itinerary: g.Name(), From: g.position(from),
		To: g.position(g.enter(to, -1)), Next: g.position(g.enter(next.to, next.step)),
	}
	if to != g.done() {
		e.Why = g.plan(from, f).Why(to)
	}
	return destination{}, e
}

// fire tries the edge from a point to an index, and returns the destination. The FSM refuses the
// move unless it has the edge and the edge's guard admits. An FSM that was left in the middle of a
// transition is discarded.
func (t *table) fire(from point, f phases.Facts, to int) (destination, error) {
	var m *mover
	select {
	case m = <-t.idle:
	default:
		m = &mover{fsm: fsm.NewFSM(startState, t.events, t.callbacks)}
		m.args = []any{&m.hop}
	}
	m.hop = hop{from: from, facts: f}
	m.fsm.SetState(t.state(from.at))
	// A canceled context would leave the FSM stuck in the transition. The caller has checked the
	// context before, and no guard needs one.
	err := m.fsm.Event(context.Background(), t.event(to), m.args...)
	d := m.hop.to
	if err == nil {
		t.release(m)
		return d, nil
	}
	var same fsm.NoTransitionError
	if errors.As(err, &same) {
		err = same.Err // a phase that is entered again from itself
	}
	if err == nil || errors.As(err, new(fsm.CanceledError)) || errors.As(err, new(fsm.InvalidEventError)) {
		t.release(m)
	}
	return d, err
}

// release keeps an FSM for the next move.
func (t *table) release(m *mover) {
	select {
	case t.idle <- m:
	default:
	}
}
