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

// Machine is one run moving through an itinerary. It is a looplab/fsm state machine whose
// transitions are the edges of the graph, guarded by the facts. It holds only a position and facts,
// and shares everything else with the other machines of the graph. Its entire state is in its
// [Checkpoint], so it can be rebuilt at any time, on any replica.
//
// A Machine is safe for concurrent use. It runs no code of the embedder while it moves. A nil
// Machine and the zero value are in no itinerary: methods that return an error return [ErrNoItinerary],
// and the others return zero values.
type Machine struct {
	mu    sync.Mutex
	graph *Graph
	facts phases.Facts
	point
	// fresh holds the flags decided by the phase that was finished or left.
	fresh phases.Flags
	// notBefore is the earliest time at which the run may continue.
	notBefore time.Time
	// flagsEvaluated is the time of the last evaluation that left flags unknown.
	flagsEvaluated time.Time
}

// NewMachine returns a machine at a position, with the facts f. A machine at an end phase is done.
// The errors are [*UnknownPhaseError] and, for a choice that the phase does not declare,
// [*ChoiceError].
func (g *Graph) NewMachine(p Position, f phases.Facts) (*Machine, error) {
	pt, err := g.point(p, f)
	if err != nil {
		return nil, err
	}
	return &Machine{graph: g, facts: f, point: pt}, nil
}

// lock locks the machine. It reports false, without locking, if the machine is in no itinerary.
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
	// Itinerary is the itinerary that the machine is in after the move.
	Itinerary string
	// From and To are the positions before and after the move. After a switch, From is a position
	// in PreviousItinerary.
	From, To Position
	// Jumped reports whether the move was a jump.
	Jumped bool
	// PreviousItinerary is the itinerary that a switch left; empty for all other moves.
	PreviousItinerary string
}

// Graph returns the itinerary that the machine is in.
func (m *Machine) Graph() *Graph {
	if !m.lock() {
		return nil
	}
	defer m.mu.Unlock()
	return m.graph
}

// Position returns the current position of the machine.
func (m *Machine) Position() Position {
	if !m.lock() {
		return Position{}
	}
	defer m.mu.Unlock()
	return m.graph.position(m.point)
}

// Facts returns the facts with which the machine evaluates guards.
func (m *Machine) Facts() phases.Facts {
	if !m.lock() {
		return phases.Facts{}
	}
	defer m.mu.Unlock()
	return m.facts
}

// SetFacts replaces the facts. Call it after evaluating flags: at the beginning of an itinerary, or
// after a phase that decides some ([Machine.Decides]).
func (m *Machine) SetFacts(f phases.Facts) {
	if !m.lock() {
		return
	}
	defer m.mu.Unlock()
	m.facts = f
}

// Decides returns the flags that the current phase decides. They must be evaluated again once the
// phase is done, before the machine advances. [Machine.Settle] does both.
func (m *Machine) Decides() phases.Flags {
	if !m.lock() {
		return 0
	}
	defer m.mu.Unlock()
	return m.graph.decides(m.at)
}

// decides returns the flags that the phase at index i decides. There are none at the start and when
// done.
func (g *Graph) decides(i int) phases.Flags {
	if i == start || i == g.done() {
		return 0
	}
	return g.nodes[i].decides
}

// Finish records that the work of the current phase is done. The flags that the phase decides
// become unknown until they are evaluated. The checkpoint records that the work is done, so it is
// not repeated if these flags cannot be evaluated. Finish has no effect at the start and when done.
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

// MayChoose returns nil if the handler of the current phase may choose the named phase as the next
// one. Otherwise it returns the [*ChoiceError] that [Machine.Choose] would return.
func (m *Machine) MayChoose(phase string) error {
	if !m.lock() {
		return ErrNoItinerary
	}
	defer m.mu.Unlock()
	_, err := m.choiceOf(phase)
	return err
}

// choiceOf returns a choice of the current phase.
func (m *Machine) choiceOf(phase string) (choice int, err error) {
	if m.at == start || m.at == m.graph.done() {
		return 0, &ChoiceError{Itinerary: m.graph.Name(), Phase: m.graph.position(m.point).String(), Choice: phase}
	}
	return m.graph.choice(m.at, phase)
}

// Choose records that the work of the current phase is done, as [Machine.Finish] does, and that its
// handler chose the named phase as the next one. The choice takes precedence over the guards of all
// jumps. If the current phase does not declare that choice, Choose returns a [*ChoiceError] and
// records nothing.
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

// WorkDone reports whether the work of the current phase is done ([Machine.Finish]). If so, evaluate
// the flags on which the next transition depends, and advance ([Machine.Settle]).
func (m *Machine) WorkDone() bool {
	if !m.lock() {
		return false
	}
	defer m.mu.Unlock()
	return m.finished
}

// Plan plans the itinerary from the current position.
func (m *Machine) Plan() *Plan {
	if !m.lock() {
		return nil
	}
	defer m.mu.Unlock()
	return m.graph.plan(m.point, m.facts)
}

// Matters returns the unknown flags that could change the plan from the current position, given f.
// Use it as the Matters field of a [phases.Request]. See [Plan.Matters].
func (m *Machine) Matters(f phases.Facts) phases.Flags {
	if !m.lock() {
		return 0
	}
	defer m.mu.Unlock()
	return m.graph.matters(m.point, f)
}

// Depends returns the unknown flags that the next transition depends on. These are the flags that
// could change which phase is next, which of its steps it belongs to, or whether there is a next
// phase. The result is empty if no unknown flag could change that. A cleanup itinerary does not
// wait for these flags, but they are worth evaluating before it moves.
func (m *Machine) Depends() phases.Flags {
	if !m.lock() {
		return 0
	}
	defer m.mu.Unlock()
	_, depends := m.graph.forks(m.point, m.facts)
	return depends
}

// Awaits returns the unknown flags that must become known before the run can continue.
//
// In a phase these are the flags that the next transition depends on ([Machine.Depends]). If there
// are none, [Machine.Advance] never returns an [*UnknownFlagsError]. At the start of an itinerary,
// Awaits adds all others that the plan depends on ([Plan.Matters]), except those decided by a phase
// ahead that runs or may run. A cleanup itinerary awaits none.
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

// Available returns the phases that can come next, in order. There is at most one if no unknown flag
// and no choice could change that. End reports whether the run can be done next
// without an end phase. Available does not move the machine. If the unknown flags allow more than
// 1,024 cases, it judges each guard alone, and may list a phase whose guard contradicts those
// before it.
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

// Can returns nil if the machine may go to the named phase now, and otherwise the error that
// [Machine.TransitionTo] would return. It does not move the machine, and does not check whether the
// itinerary is too large for a state machine.
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

// Advance moves the machine from the current phase, whose work is done, to the next one. The next
// phase is the handler's choice ([Machine.Choose]), else the target of the first jump whose guard
// admits, else the first later phase whose guard admits. If there is none, or the next phase is an
// end phase, the run is done. The guard of the current phase no longer matters.
//
// Advance returns
//   - [ErrDone] if the run is done already,
//   - an [*UnknownFlagsError] if the next phase depends on unknown flags ([Machine.Depends]),
//   - a [*TooManyEdgesError] if the itinerary is too large for a state machine,
//   - the wrapped error of ctx if that is done already.
//
// On error the machine does not move.
//
// The observers are called in order after the machine has moved; they may call any of its methods.
// Advance returns a panic of an observer as a [*phases.PanicError]; the machine has moved all the
// same.
func (m *Machine) Advance(ctx context.Context, observers ...func(Transition)) (Transition, error) {
	return m.move(ctx, observers, func() (int, error) {
		d, err := m.graph.next(m.point, m.facts)
		return d.to, err
	})
}

// TransitionTo moves the machine from the current phase to the named one, if it may go there now.
// It returns the errors of [Machine.Advance], an [*UnknownPhaseError], or a [*TransitionError] that
// explains why it may not.
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

// refused translates an error of looplab/fsm into one of this package.
func (m *Machine) refused(err error, to int) error {
	var canceled fsm.CanceledError
	if errors.As(err, &canceled) && canceled.Err != nil {
		return canceled.Err // the guard's reason
	}
	// The graph has no such edge, whatever the facts; allows explains why.
	if _, why := m.graph.allows(m.point, to, m.facts); why != nil {
		return why
	}
	return err
}

// Switch leaves the itinerary for the start of another, which the embedder selects after a failure,
// a cancel or a rollback. Facts carry over, except the flags that the interrupted phase decides: it
// may have changed them, so they become unknown.
//
// Switch returns [ErrDone] if the run is done. It returns a [*SwitchError] if the other itinerary
// is nil, is the same one, has another vocabulary, or may not follow ([Graph.MayLeaveFor]). On
// error the machine does not move. The observers are called as by [Machine.Advance].
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

// checkSwitch returns a [*SwitchError] if the itinerary to cannot follow after index i.
func (g *Graph) checkSwitch(i int, to *Graph) error {
	if to == nil {
		return &SwitchError{From: g.Name(), Problem: "there is no such itinerary; take one of the same set"}
	}
	problem := ""
	switch {
	case to.Name() == g.Name():
		problem = "the run is in that itinerary already; continue with its next phase"
	case to.Vocabulary() != g.Vocabulary():
		problem = "their vocabularies differ, so facts would not carry over; build them over one vocabulary"
	case i != start && !g.MayLeaveFor(to):
		problem = "a cleanup itinerary that has begun can be left only for another cleanup itinerary whose result is not Failed; " +
			"let it reach its end"
	default:
		return nil
	}
	return &SwitchError{From: g.Name(), To: to.Name(), Problem: problem}
}

// observe calls the observers without holding a lock, and returns their panic as an error.
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
