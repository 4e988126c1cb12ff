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

// SettleOptions are the embedder's part in [Machine.Settle] and
// [Machine.Evaluate].
type SettleOptions struct {
	// Sources returns the sources of the object's flags, over the vocabulary of
	// the itineraries. It is called only if there is something to evaluate, with
	// a context that is bounded by EvaluationTimeout. An error or a panic counts
	// for each flag that would have been evaluated.
	Sources func(ctx context.Context) (*phases.Sources, error)
	// LeftBehind remembers the sources of this run that were left behind, so
	// that they are not called again before they return. Optional.
	LeftBehind *phases.LeftBehind
	// EvaluationTimeout bounds the evaluation. Zero means
	// [DefaultEvaluationTimeout]; if negative, no time remains, and each flag
	// has an error that says so.
	EvaluationTimeout time.Duration
	// Now is the clock; nil means time.Now. WithTimeout bounds a context by that
	// clock; nil means [context.WithTimeout].
	Now         func() time.Time
	WithTimeout func(parent context.Context, timeout time.Duration) (context.Context, context.CancelFunc)
}

// DefaultEvaluationTimeout is the EvaluationTimeout of options that set none.
const DefaultEvaluationTimeout = 30 * time.Second

// evaluateEvery is how often flags that could not be known are evaluated again,
// beside before each transition that depends on them.
const evaluateEvery = time.Minute

// Settlement describes what came of [Machine.Settle].
type Settlement struct {
	// Moved reports whether the machine has moved, and Transition how.
	Moved      bool
	Transition Transition
	// Evaluation is what was evaluated, also if there is an error beside.
	Evaluation phases.Evaluation
	// RequeueAfter is after how long to settle again if the machine has not moved
	// and there is no error: the run is delayed ([Machine.Delay]).
	RequeueAfter time.Duration
}

// Settle is what comes between two phases. Call it when the work of the current
// phase is done ([Machine.Finish], [Machine.Choose]), and at the start of an
// itinerary. It evaluates the flags on which the way from here depends, and those
// that the phase decided, and goes on ([Machine.Advance]). Write the checkpoint
// down afterwards, also if there is an error.
//
// Each flag is evaluated once, and again only after a phase that decides it. A
// flag that could not be known is evaluated again before each transition that
// depends on it, after each phase that decides it, and otherwise at most once a
// minute. At the start of an itinerary that waits, each attempt evaluates all of
// them, until all that it awaits are known ([Machine.Awaits]).
//
// The errors are [ErrWorkNotDone], [*UnknownFlagsError], which is to be retried
// and wraps why, [*NoSourceError], which stays until there is a source, and those
// of Advance. On error the machine does not move; what was evaluated in a phase is
// kept. Do not settle a machine twice at the same time.
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

// Evaluate evaluates all flags that the itinerary reads and that are unknown,
// without going on: when the definition has changed under a phase that is at work
// ([Resumption].Changed), so that what is new in it is planned by its flags. What
// could not be evaluated stays unknown, with its error in the evaluation. The
// error is [ErrNoItinerary].
func (m *Machine) Evaluate(ctx context.Context, o SettleOptions) (phases.Evaluation, error) {
	if !m.lock() {
		return phases.Evaluation{}, ErrNoItinerary
	}
	m.mu.Unlock()
	return m.evaluate(ctx, o, true)
}

// evaluate evaluates what is not known: all if everything is set, else what the
// next transition needs. It returns an error if the run must wait.
func (m *Machine) evaluate(ctx context.Context, o SettleOptions, everything bool) (phases.Evaluation, error) {
	m.mu.Lock()
	g, begins, fresh := m.graph, m.at == start, m.fresh
	m.mu.Unlock()
	var s *evaluator
	if fresh != 0 {
		// What is computed from a flag that may have changed may have changed.
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
	if begins { // the object may still change: everything is evaluated again
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

// evaluated records when flags were last evaluated in vain; the zero time if there
// is none that could not be known.
func (m *Machine) evaluated(at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fresh, m.flagsEvaluated = 0, at.Truncate(time.Second)
}

// evaluationDue reports whether flags that could not be known may be evaluated
// again although nothing depends on them now.
func (m *Machine) evaluationDue(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.flagsEvaluated.IsZero() || now.Sub(m.flagsEvaluated) >= evaluateEvery
}

// Delay keeps the run from going on before a time, once the work of the current
// phase is done. Times are whole seconds; it rounds up, and takes a time after the
// year 9999 for the end of that year. At the start and when done it has no effect.
func (m *Machine) Delay(until time.Time) {
	if !m.lock() {
		return
	}
	defer m.mu.Unlock()
	if m.at != start && m.at != m.graph.done() {
		m.notBefore = until.Add(time.Second - 1).Truncate(time.Second)
		switch year := m.notBefore.UTC().Year(); {
		case year > 9999: // JSON has no such time
			m.notBefore = time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)
		case year < 0:
			m.notBefore = time.Time{}
		}
	}
}

// NotBefore is the time before which the run does not go on ([Machine.Delay]); the
// zero time if there is none.
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

// evaluator is the embedder's sources, or why they cannot be used: none then.
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
		err = &SourcesError{Itinerary: e.graph.Name(), Problem: "returned nil; let it return the sources, or an error"}
	case s.Vocabulary() != e.graph.Vocabulary():
		err = &SourcesError{Itinerary: e.graph.Name(), Problem: "returned sources over another vocabulary; make them over that of the itineraries"}
	}
	return s, err
}

// evaluate evaluates what is not known of these facts. If there are no sources,
// the reason counts for each flag.
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

// recorded is a time as a checkpoint has it.
func recorded(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	at := metav1.NewTime(t.UTC())
	return &at
}

// read is the way back from recorded.
func read(t *metav1.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}

// ErrWorkNotDone is returned if a machine is to be settled in a phase whose work
// is not done: call [Machine.Finish] or [Machine.Choose] once it is.
var ErrWorkNotDone = errors.New("the work of the phase is not done; call Finish or Choose once it is")
