package machine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/looplab/fsm"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// Machine is one run on its way through an itinerary: a looplab/fsm
// state machine whose transitions are the edges of the graph, guarded by the
// facts. It holds a position and facts, some 40 bytes; everything else is
// shared with all machines of the graph. All that it knows is in its
// [Checkpoint], so it can be made again at any moment, on any replica.
//
// A machine is safe for concurrent use. It runs no code of the embedder while
// it moves. A nil machine and the zero value are in no itinerary: they do not
// move, with [ErrNoItinerary], and have nothing to return.
type Machine struct {
	mu    sync.Mutex
	graph *Graph
	facts phases.Facts
	at    int
	// finished means that the work of the phase at at is done.
	finished bool
}

// NewMachine returns a machine at a position, with these facts. The error is an
// [*UnknownPhaseError].
func (g *Graph) NewMachine(p Position, f phases.Facts) (*Machine, error) {
	i, err := g.index(p)
	if err != nil {
		return nil, err
	}
	return &Machine{graph: g, facts: f, at: i}, nil
}

// lock locks the machine, unless it is in no itinerary: then it reports false.
func (m *Machine) lock() bool {
	if m == nil {
		return false
	}
	m.mu.Lock()
	if m.graph == nil {
		m.mu.Unlock()
		return false
	}
	return true
}

// Transition describes one move of a [Machine].
type Transition struct {
	Itinerary string
	From, To  Position
	// Jumped says that a jump led there.
	Jumped bool
	// PreviousItinerary is the itinerary that a switch has left; empty for all other moves.
	PreviousItinerary string
}

// Graph is the itinerary that the machine is in.
func (m *Machine) Graph() *Graph {
	if !m.lock() {
		return nil
	}
	defer m.mu.Unlock()
	return m.graph
}

// Position is where the machine stands.
func (m *Machine) Position() Position {
	if !m.lock() {
		return Position{}
	}
	defer m.mu.Unlock()
	return m.graph.position(m.at)
}

// Facts are the facts by which the machine judges guards.
func (m *Machine) Facts() phases.Facts {
	if !m.lock() {
		return phases.Facts{}
	}
	defer m.mu.Unlock()
	return m.facts
}

// SetFacts replaces the facts: once flags have been asked, at the beginning of
// an itinerary or after a phase that decides some ([Machine.Decides]).
func (m *Machine) SetFacts(f phases.Facts) {
	if !m.lock() {
		return
	}
	defer m.mu.Unlock()
	m.facts = f
}

// Decides are the flags that the current phase decides: they are to be evaluated
// again once it is done, before the machine advances.
func (m *Machine) Decides() phases.Flags {
	if !m.lock() {
		return 0
	}
	defer m.mu.Unlock()
	return m.graph.decides(m.at)
}

// decides are the flags that the phase at index i decides: none at the start
// and when done.
func (g *Graph) decides(i int) phases.Flags {
	if i == start || i == g.done() {
		return 0
	}
	return g.nodes[i].decides
}

// Finish records that the work of the current phase is done. What the phase
// decides is unknown from then on, until it is evaluated; a checkpoint keeps
// that the work is done, so that it is not done again because those flags cannot
// be evaluated. At the start and when done it has no effect.
func (m *Machine) Finish() {
	if !m.lock() {
		return
	}
	defer m.mu.Unlock()
	if m.at != start && m.at != m.graph.done() && !m.finished {
		m.finished = true
		m.facts = m.facts.Forget(m.graph.decides(m.at))
	}
}

// WorkDone reports whether the work of the current phase is done
// ([Machine.Finish]): what remains is to evaluate the flags on which the next
// transition depends, and to advance.
func (m *Machine) WorkDone() bool {
	if !m.lock() {
		return false
	}
	defer m.mu.Unlock()
	return m.finished
}

// Plan plans the itinerary from where the machine stands.
func (m *Machine) Plan() *Plan {
	if !m.lock() {
		return nil
	}
	defer m.mu.Unlock()
	return m.graph.plan(m.at, m.facts)
}

// Matters returns the unknown flags that could change the plan from the current
// position, given f: the Matters of a [phases.Request]. See [Plan.Matters].
func (m *Machine) Matters(f phases.Facts) phases.Flags {
	if !m.lock() {
		return 0
	}
	defer m.mu.Unlock()
	return m.graph.matters(m.at, f)
}

// Depends returns the unknown flags that the next transition depends on: those
// that could change which phase is next, or whether one is. It is empty if the
// next phase is the same whatever the unknown flags are. A cleanup itinerary
// does not wait for them; they are those worth evaluating before it moves.
func (m *Machine) Depends() phases.Flags {
	if !m.lock() {
		return 0
	}
	defer m.mu.Unlock()
	_, depends := m.graph.forks(m.at, m.facts)
	return depends
}

// Awaits returns the unknown flags that must become known before the run goes
// on from here.
//
// In a phase these are the flags that the next transition depends on
// ([Machine.Depends]): if there are none, [Machine.Advance] never returns an
// [*UnknownFlagsError]. At the start of an itinerary they are these and all
// others that the plan depends on ([Plan.Matters]), except those that a phase
// ahead decides if it runs or may run. A cleanup itinerary awaits none.
func (m *Machine) Awaits() phases.Flags {
	if !m.lock() {
		return 0
	}
	defer m.mu.Unlock()
	g := m.graph
	if g.IsCleanup() {
		return 0
	}
	_, awaits := g.forks(m.at, m.facts)
	if m.at == start {
		p := g.plan(start, m.facts)
		awaits |= p.Matters() &^ p.decides()
	}
	return awaits
}

// Available lists the phases that can come next, in order: one if no unknown
// flag could change that, several otherwise. End reports whether the end of the
// itinerary can come next. Nothing is fired.
func (m *Machine) Available() (next []string, end bool) {
	if !m.lock() {
		return nil, false
	}
	defer m.mu.Unlock()
	g := m.graph
	forks, _ := g.forks(m.at, m.facts)
	seen := make(map[int]bool, len(forks))
	for _, k := range forks {
		switch {
		case k.to == g.done():
			end = true
		case !seen[k.to]:
			seen[k.to] = true
			next = append(next, g.names[k.to])
		}
	}
	return next, end
}

// Can tells whether the machine may go to the phase of that name now. It
// returns nil where it may, and otherwise the error that [Machine.TransitionTo] would
// return. Nothing is fired.
func (m *Machine) Can(phase string) error {
	if !m.lock() {
		return ErrNoItinerary
	}
	defer m.mu.Unlock()
	to, err := m.graph.Lookup(phase)
	if err != nil {
		return err
	}
	if m.at == m.graph.done() {
		return ErrDone
	}
	_, err = m.graph.allows(m.at, to, m.facts)
	return err
}

// Advance leaves the current phase, which is done, for the next one: the first
// jump whose guard admits, else the first phase after it whose guard admits,
// else done. The guard of the current phase does not matter any more.
//
// It returns [ErrDone] if nothing can come after, an [*UnknownFlagsError] if it
// depends on unknown flags which phase is next ([Machine.Depends]), a
// [*TooManyEdgesError] if the itinerary is too large for a state machine, and the
// context's error, wrapped, if that is done already. On error the machine does
// not move.
//
// The observers are called in order once the machine has moved; they may call
// any of its methods. A panic of theirs is returned as a [*phases.PanicError];
// the machine has moved all the same.
func (m *Machine) Advance(ctx context.Context, observers ...func(Transition)) (Transition, error) {
	return m.move(ctx, observers, func() (int, error) {
		to, _, err := m.graph.next(m.at, m.facts)
		return to, err
	})
}

// TransitionTo leaves the current phase for the phase of that name, if the machine may
// go there now. It returns what [Machine.Advance] returns, an
// [*UnknownPhaseError], or a [*TransitionError] that tells why it may not.
func (m *Machine) TransitionTo(ctx context.Context, phase string, observers ...func(Transition)) (Transition, error) {
	return m.move(ctx, observers, func() (int, error) { return m.graph.Lookup(phase) })
}

func (m *Machine) move(ctx context.Context, observers []func(Transition), choose func() (int, error)) (Transition, error) {
	t, err := func() (Transition, error) {
		if !m.lock() {
			return Transition{}, ErrNoItinerary
		}
		defer m.mu.Unlock()
		g := m.graph
		if err := ctx.Err(); err != nil {
			return Transition{}, fmt.Errorf("itinerary %q: still at %s: %w", g.Name(), g.position(m.at), err)
		}
		if m.at == g.done() {
			return Transition{}, ErrDone
		}
		table, err := g.table()
		if err != nil {
			return Transition{}, err
		}
		to, err := choose()
		if err != nil {
			return Transition{}, err
		}
		t := Transition{Itinerary: g.Name(), From: g.position(m.at), To: g.position(to)}
		h := &hop{from: m.at, facts: m.facts}
		if err := table.fire(ctx, h, to); err != nil {
			return Transition{}, m.refused(err, to)
		}
		t.Jumped = h.jumped
		m.at, m.finished = to, false
		return t, nil
	}()
	if err != nil {
		return t, err
	}
	return t, observe(t, observers)
}

// refused turns an error of looplab/fsm into one of this package.
func (m *Machine) refused(err error, to int) error {
	var canceled fsm.CanceledError
	if errors.As(err, &canceled) && canceled.Err != nil {
		return canceled.Err // what the guard said
	}
	// There is no such edge whatever the facts; the predicate tells why.
	if _, why := m.graph.allows(m.at, to, m.facts); why != nil {
		return why
	}
	return err
}

// Switch leaves the itinerary for the start of another: on a failure, a cancel
// or a rollback, as the embedder's selector says. Facts carry over, except what
// the phase that is left decides: it may have changed that, so it is unknown
// from then on.
//
// It returns [ErrDone] if the run is done, and a [*SwitchError] if the other is
// nil, is the same itinerary, has another vocabulary, or may not follow
// ([Graph.MayLeaveFor]); the machine then does not move. Observers are as for
// [Machine.Advance].
func (m *Machine) Switch(to *Graph, observers ...func(Transition)) (Transition, error) {
	t, err := func() (Transition, error) {
		if !m.lock() {
			return Transition{}, ErrNoItinerary
		}
		defer m.mu.Unlock()
		g := m.graph
		if m.at == g.done() {
			return Transition{}, ErrDone
		}
		if err := g.checkSwitch(m.at, to); err != nil {
			return Transition{}, err
		}
		t := Transition{Itinerary: to.Name(), From: g.position(m.at), PreviousItinerary: g.Name()}
		m.facts = m.facts.Forget(g.decides(m.at))
		m.graph, m.at, m.finished = to, start, false
		return t, nil
	}()
	if err != nil {
		return t, err
	}
	return t, observe(t, observers)
}

// checkSwitch returns a [*SwitchError] if the other itinerary cannot follow
// after index i.
func (g *Graph) checkSwitch(i int, to *Graph) error {
	if to == nil {
		return &SwitchError{From: g.Name(), Problem: "there is no such itinerary; take one of the same set"}
	}
	problem := ""
	switch {
	case to.Name() == g.Name():
		problem = "it is in that itinerary already; go on with its next phase"
	case to.Vocabulary() != g.Vocabulary():
		problem = "they have different vocabularies, so that facts would not carry over; build them over one"
	case i != start && !g.MayLeaveFor(to):
		problem = "a cleanup itinerary that has begun is left only for another cleanup itinerary, and never for one whose result is Failed; let it come to its end"
	default:
		return nil
	}
	return &SwitchError{From: g.Name(), To: to.Name(), Problem: problem}
}

// observe calls the observers outside every lock, and catches their panics.
func observe(t Transition, observers []func(Transition)) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &phases.PanicError{Value: r, Stack: debug.Stack()}
		}
	}()
	for _, o := range observers {
		o(t)
	}
	return nil
}
