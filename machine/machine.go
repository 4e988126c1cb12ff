package machine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/looplab/fsm"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// Machine is one run on its way through an itinerary: a looplab/fsm
// state machine whose transitions are the edges of the graph, guarded by the
// facts. It holds a position and facts; everything else is shared with all
// machines of the graph. All that it knows is in its
// [Checkpoint], so it can be made again at any moment, on any replica.
//
// A machine is safe for concurrent use. It runs no code of the embedder while
// it moves. A nil machine and the zero value are in no itinerary: they do not
// move, with [ErrNoItinerary], and have nothing to return.
type Machine struct {
	mu    sync.Mutex
	graph *Graph
	facts phases.Facts
	point
	// fresh are flags that the phase which is done, or was left, decided.
	fresh phases.Flags
	// notBefore is when the run goes on at the earliest.
	notBefore time.Time
	// flagsEvaluated is when flags were last evaluated in vain.
	flagsEvaluated time.Time
}

// NewMachine returns a machine at a position, with these facts. A machine at an
// end phase is done. The errors are [*UnknownPhaseError] and, for a choice that
// the phase does not declare, [*ChoiceError].
func (g *Graph) NewMachine(p Position, f phases.Facts) (*Machine, error) {
	pt, err := g.point(p, f)
	if err != nil {
		return nil, err
	}
	return &Machine{graph: g, facts: f, point: pt}, nil
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
	return m.graph.position(m.point)
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

// Decides are the flags that the current phase decides: they must be evaluated
// again once it is done, before the machine advances ([Machine.Settle] does both).
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
	m.finish()
}

func (m *Machine) finish() {
	if m.at != start && m.at != m.graph.done() && !m.finished {
		m.finished, m.fresh = true, m.graph.decides(m.at)
		m.facts = m.facts.Forget(m.fresh)
	}
}

// MayChoose returns nil if the handler of the current phase may choose to go on
// with the phase of that name, and otherwise the [*ChoiceError] that
// [Machine.Choose] would return.
func (m *Machine) MayChoose(phase string) error {
	if !m.lock() {
		return ErrNoItinerary
	}
	defer m.mu.Unlock()
	_, err := m.choiceOf(phase)
	return err
}

// choiceOf finds a choice of the current phase.
func (m *Machine) choiceOf(phase string) (choice int, err error) {
	if m.at == start || m.at == m.graph.done() {
		return 0, &ChoiceError{Itinerary: m.graph.Name(), Phase: m.graph.position(m.point).String(), Choice: phase}
	}
	return m.graph.choice(m.at, phase)
}

// Choose records that the work of the current phase is done, as [Machine.Finish]
// does, and that its handler chose to go on with the phase of that name. The
// choice takes precedence over the guards of all jumps. It returns a
// [*ChoiceError] if the current phase does not declare that choice; nothing is
// recorded then.
func (m *Machine) Choose(phase string) error {
	if !m.lock() {
		return ErrNoItinerary
	}
	defer m.mu.Unlock()
	choice, err := m.choiceOf(phase)
	if err != nil {
		return err
	}
	m.finish()
	m.choice = choice
	return nil
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
	return m.graph.plan(m.point, m.facts)
}

// Matters returns the unknown flags that could change the plan from the current
// position, given f: the Matters of a [phases.Request]. See [Plan.Matters].
func (m *Machine) Matters(f phases.Facts) phases.Flags {
	if !m.lock() {
		return 0
	}
	defer m.mu.Unlock()
	return m.graph.matters(m.point, f)
}

// Depends returns the unknown flags that the next transition depends on: those
// that could change which phase is next, to which of its steps it belongs then, or
// whether one is next. It is empty if that is the same whatever the unknown flags
// are. A cleanup itinerary
// does not wait for them; they are those worth evaluating before it moves.
func (m *Machine) Depends() phases.Flags {
	if !m.lock() {
		return 0
	}
	defer m.mu.Unlock()
	_, depends := m.graph.forks(m.point, m.facts)
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
	_, awaits := g.forks(m.point, m.facts)
	if m.at == start {
		p := g.plan(m.point, m.facts)
		awaits |= p.Matters() &^ p.Decides()
	}
	return awaits
}

// Available lists the phases that can come next, in order: one if no unknown
// flag and no choice could change that, several otherwise. End reports whether
// the run can be done next without an end phase. Nothing is fired. If the unknown
// flags make more than 1,024 cases, each guard is judged alone, and a phase whose
// guard contradicts those before it may be listed, too.
func (m *Machine) Available() (next []string, end bool) {
	if !m.lock() {
		return nil, false
	}
	defer m.mu.Unlock()
	g := m.graph
	forks, _ := g.forks(m.point, m.facts)
	if m.at != start && m.at != g.done() && !m.finished {
		for k, j := range g.nodes[m.at].jumps {
			if j.choice {
				chosen, _ := g.forks(point{at: m.at, choice: k + 1}, m.facts)
				forks = append(forks, chosen...)
			}
		}
	}
	seen := make(map[int]bool, len(forks))
	for _, k := range forks {
		if k.to == g.done() {
			end = true
		} else {
			seen[k.to] = true
		}
	}
	for _, to := range slices.Sorted(maps.Keys(seen)) {
		next = append(next, g.names[to])
	}
	return next, end
}

// Can returns nil if the machine may go to the phase of that name now, and
// otherwise the error that [Machine.TransitionTo] would return. Nothing is fired.
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
	_, err = m.graph.allows(m.point, to, m.facts)
	return err
}

// Advance leaves the current phase, which is done, for the next one: its choice
// ([Machine.Choose]), else the first jump whose guard admits, else the first
// phase after it whose guard admits, else done. The guard of the current phase
// does not matter any more. Who enters an end phase is done.
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
		d, err := m.graph.next(m.point, m.facts)
		return d.to, err
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
			return Transition{}, fmt.Errorf("itinerary %q: still at %s: %w", g.Name(), g.position(m.point), err)
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
		from := m.point
		d, err := table.fire(from, m.facts, to)
		if err != nil {
			return Transition{}, m.refused(err, to)
		}
		m.point, m.fresh, m.notBefore = g.enter(to, d.step), 0, time.Time{}
		return Transition{Itinerary: g.Name(), From: g.position(from), To: g.position(m.point), Jumped: d.jumped}, nil
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
	if _, why := m.graph.allows(m.point, to, m.facts); why != nil {
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
		t := Transition{Itinerary: to.Name(), From: g.position(m.point), PreviousItinerary: g.Name()}
		m.fresh = g.decides(m.at)
		m.facts = m.facts.Forget(m.fresh)
		m.graph, m.point = to, point{at: start, step: -1}
		m.notBefore, m.flagsEvaluated = time.Time{}, time.Time{}
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
