package machine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// SettleOptions holds what the embedder provides to [Machine.Settle] and [Machine.Evaluate].
type SettleOptions struct {
	// Sources returns the sources of the object's flags, over the vocabulary of the itineraries. It
	// is called only if there are flags to evaluate, with a context bounded by EvaluationTimeout.
	// An error or a panic counts for each flag that would have been evaluated.
	Sources func(ctx context.Context) (*phases.Sources, error)
	// LeftBehind remembers the sources of this run that were abandoned at a deadline, so they are
	// not called again before they return. Optional.
	LeftBehind *phases.LeftBehind
	// EvaluationTimeout limits the evaluation. Zero means [DefaultEvaluationTimeout]. If negative,
	// no time remains, and each flag gets an error that reports it.
	EvaluationTimeout time.Duration
	// Now is the clock. If nil, time.Now is used. WithTimeout derives a context with a timeout by
	// that clock. If nil, [context.WithTimeout] is used.
	Now         func() time.Time
	WithTimeout func(parent context.Context, timeout time.Duration) (context.Context, context.CancelFunc)
}

// DefaultEvaluationTimeout is used if EvaluationTimeout is zero.
const DefaultEvaluationTimeout = 30 * time.Second

// evaluateEvery is the interval at which unknown flags are evaluated again, in addition to the
// evaluation before each transition that depends on them.
const evaluateEvery = time.Minute

// Settlement describes the result of [Machine.Settle].
type Settlement struct {
	// Moved reports whether the machine has moved. If so, Transition describes the move.
	Moved      bool
	Transition Transition
	// Evaluation describes what was evaluated, even if there is an error.
	Evaluation phases.Evaluation
	// RequeueAfter is the time after which to call Settle again, if the machine has not moved
	// because the run is delayed ([Machine.Delay]) and there is no error.
	RequeueAfter time.Duration
}

// Settle makes the transition from one phase to the next. Call it when the work of the current
// phase is done ([Machine.Finish], [Machine.Choose]), and at the start of an itinerary. It
// evaluates the flags that the next move depends on and those that the phase decided, and then
// advances ([Machine.Advance]). Persist the checkpoint afterwards, even if there is an error.
//
// Each flag is evaluated once, and again only after a phase that decides it. A flag that stayed
// unknown is evaluated again before each transition that depends on it, after each phase that
// decides it, and otherwise at most once a minute. At the start of an itinerary that waits, each
// attempt evaluates all unknown flags, slow ones only if they could change the plan, until all that
// it awaits are known ([Machine.Awaits]).
//
// The errors are
//   - [ErrWorkNotDone];
//   - [*UnknownFlagsError], which wraps the cause and can be retried;
//   - [*NoSourceError], which persists until a source is added;
//   - those of Advance.
//
// On error the machine does not move, but in a phase the flags that were evaluated are kept. Do not
// call Settle for the same machine concurrently.
func (m *Machine) Settle(ctx context.Context, o SettleOptions) (s Settlement, err error) {
	if !m.lock() {
		return s, ErrNoItinerary
	}
	g, pt, delay := m.graph, m.point, m.notBefore.Sub(o.now())
	delayed := !m.notBefore.IsZero()
	if delayed && delay <= 0 {
		m.notBefore = time.Time{}
	}
	m.mu.Unlock()
	switch {
	case pt.at == g.done():
		return s, ErrDone
	case pt.at != start && !pt.finished:
		return s, fmt.Errorf("itinerary %q at %s: %w", g.Name(), g.position(pt), ErrWorkNotDone)
	case delayed && delay > 0:
		s.RequeueAfter = delay
		return s, nil
	}
	s.Evaluation, err = m.evaluate(ctx, o, false)
	if err != nil {
		return s, err
	}
	s.Transition, err = m.Advance(ctx)
	s.Moved = err == nil
	return s, err
}

// Evaluate evaluates all unknown flags that the itinerary reads, slow ones only if they could
// change the plan, without advancing. Call it when the definition has changed while a phase is in
// progress ([Resumption].Changed), so the new parts of the itinerary are planned with their flags.
// A flag that could not be evaluated stays unknown; its error is in the evaluation. The only error
// returned is [ErrNoItinerary].
func (m *Machine) Evaluate(ctx context.Context, o SettleOptions) (phases.Evaluation, error) {
	if !m.lock() {
		return phases.Evaluation{}, ErrNoItinerary
	}
	m.mu.Unlock()
	return m.evaluate(ctx, o, true)
}

// evaluate evaluates unknown flags: all if everything is set, and otherwise those that the next
// transition needs. It returns an error if the run must wait.
func (m *Machine) evaluate(ctx context.Context, o SettleOptions, everything bool) (phases.Evaluation, error) {
	m.mu.Lock()
	g, begins, fresh := m.graph, m.at == start, m.fresh
	m.mu.Unlock()
	var s *evaluator
	if fresh != 0 {
		// A flag computed from one that may have changed may have changed, too.
		s = g.evaluator(ctx, o)
		defer s.cancel()
		fresh |= s.Computed(fresh)
		m.SetFacts(m.Facts().Forget(fresh))
	}
	known := m.Facts()
	open := g.Reads() &^ known.Known()
	if open == 0 {
		m.evaluated(time.Time{})
		return phases.Evaluation{Facts: known}, nil
	}
	needless := open&fresh == 0 && m.Depends() == 0 && (m.Matters(known) == 0 || !m.evaluationDue(o.now()))
	if needless && !begins && !everything {
		return phases.Evaluation{Facts: known}, nil
	}
	if s == nil {
		s = g.evaluator(ctx, o)
		defer s.cancel()
	}
	evaluation := s.evaluate(known, m.Matters)
	m.SetFacts(evaluation.Facts)
	awaits := m.Awaits()
	if awaits == 0 || everything {
		at := time.Time{}
		if m.Matters(evaluation.Facts) != 0 {
			at = o.now()
		}
		m.evaluated(at)
		return evaluation, nil
	}
	if begins { // the object may still change: evaluate everything again
		m.SetFacts(known)
	}
	names := g.Vocabulary().Names(awaits)
	err := s.err
	if without := awaits &^ s.Flags(); err == nil && without != 0 {
		return evaluation, &NoSourceError{Itinerary: g.Name(), At: m.Position(), Flags: g.Vocabulary().Names(without)}
	}
	if err == nil {
		err = evaluation.Err()
	}
	return evaluation, &UnknownFlagsError{Itinerary: g.Name(), At: m.Position(), Flags: names, Err: err}
}

// evaluated records the time of the last evaluation that left flags unknown; the zero time if it
// left none.
func (m *Machine) evaluated(at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fresh, m.flagsEvaluated = 0, at.Truncate(time.Second)
}

// evaluationDue reports whether unknown flags may be evaluated again although nothing depends on
// them now.
func (m *Machine) evaluationDue(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.flagsEvaluated.IsZero() || now.Sub(m.flagsEvaluated) >= evaluateEvery
}

// Delay keeps the run from continuing before a time, after the work of the current phase is done.
// The time is rounded up to a whole second. A time after the year 9999 means the end of that year.
// Delay has no effect at the start and when done.
func (m *Machine) Delay(until time.Time) {
	if !m.lock() {
		return
	}
	defer m.mu.Unlock()
	if m.at != start && m.at != m.graph.done() {
		m.notBefore = until.Add(time.Second - 1).Truncate(time.Second)
		switch year := m.notBefore.UTC().Year(); {
		case year > 9999: // JSON cannot represent later times
			m.notBefore = time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)
		case year < 0:
			m.notBefore = time.Time{}
		}
	}
}

// NotBefore returns the earliest time at which the run may continue ([Machine.Delay]). The zero
// time means no delay.
func (m *Machine) NotBefore() time.Time {
	if !m.lock() {
		return time.Time{}
	}
	defer m.mu.Unlock()
	return m.notBefore
}

func (o SettleOptions) now() time.Time {
	if o.Now == nil {
		return time.Now()
	}
	return o.Now()
}

// evaluator holds the embedder's sources. If they cannot be used, Sources is nil and err explains
// why.
type evaluator struct {
	*phases.Sources
	SettleOptions
	graph  *Graph
	ctx    context.Context
	cancel context.CancelFunc
	err    error
}

// evaluator calls the Sources function.
func (g *Graph) evaluator(ctx context.Context, o SettleOptions) *evaluator {
	e := &evaluator{SettleOptions: o, graph: g, cancel: func() {}}
	e.Sources, e.err = e.sources(ctx)
	if e.err != nil {
		e.Sources = nil
	}
	return e
}

func (e *evaluator) sources(ctx context.Context) (s *phases.Sources, err error) {
	timeout, bound := e.EvaluationTimeout, e.WithTimeout
	if timeout < 0 {
		return nil, fmt.Errorf("sources of flags: not evaluated: %w", context.DeadlineExceeded)
	}
	if timeout == 0 {
		timeout = DefaultEvaluationTimeout
	}
	if bound == nil {
		bound = context.WithTimeout
	}
	e.ctx, e.cancel = bound(ctx, timeout)
	defer func() {
		if p := recover(); p != nil {
			err = &phases.PanicError{Value: p, Stack: debug.Stack()}
		}
		if err != nil {
			err = fmt.Errorf("sources of flags: %w", err)
		}
	}()
	if e.SettleOptions.Sources == nil {
		return nil, &SourcesError{Itinerary: e.graph.Name(), Problem: "is missing; set it in the options"}
	}
	s, err = e.SettleOptions.Sources(e.ctx)
	switch {
	case err != nil:
	case s == nil:
		err = &SourcesError{Itinerary: e.graph.Name(), Problem: "returned nil; return sources or an error"}
	case s.Vocabulary() != e.graph.Vocabulary():
		problem := "returned sources over another vocabulary; build them over the vocabulary of the itineraries"
		err = &SourcesError{Itinerary: e.graph.Name(), Problem: problem}
	}
	return s, err
}

// evaluate evaluates the flags that are unknown in known. If there are no usable sources, each flag
// gets the reason as its error.
func (e *evaluator) evaluate(known phases.Facts, matters func(phases.Facts) phases.Flags) phases.Evaluation {
	g := e.graph
	if e.err == nil {
		return e.Evaluate(e.ctx, phases.Request{Known: known, Read: g.Reads(), Matters: matters, LeftBehind: e.LeftBehind, Now: e.now})
	}
	evaluation := phases.Evaluation{Facts: known, Evaluated: g.Reads() &^ known.Known()}
	for _, name := range g.Vocabulary().Names(evaluation.Evaluated) {
		evaluation.Errors = append(evaluation.Errors, &phases.FlagError{Flag: name, Err: e.err})
	}
	return evaluation
}

// recorded returns t as a checkpoint stores it.
func recorded(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	at := metav1.NewTime(t.UTC())
	return &at
}

// read is the inverse of recorded.
func read(t *metav1.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}

// ErrWorkNotDone is returned by [Machine.Settle] if the work of the current phase is not done. Call
// [Machine.Finish] or [Machine.Choose] once it is.
var ErrWorkNotDone = errors.New("the work of the phase is not done; call Finish or Choose once it is")
