package runner

import (
	"context"
	"fmt"
	"time"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// evaluateEvery is how often flags that could not be known are evaluated again,
// beside before each transition that depends on them.
const evaluateEvery = time.Minute

// occasion is why flags are evaluated.
type occasion uint8

const (
	begins     occasion = iota // an itinerary begins
	transition                 // a phase is done
	newRelease                 // the definition has changed
)

// evaluate evaluates what is not known. Fresh are the flags that the phase which is
// done, or was left, decides. It returns an error if the run must wait: before a
// transition on which an unknown flag depends, outside cleanup itineraries.
func (c *reconcile[T]) evaluate(ctx context.Context, why occasion, fresh phases.Flags) error {
	defer c.readClock() // sources may take their time, which is not the next phase's
	var s *sources
	if fresh != 0 {
		// What is computed from a flag that may have changed may have changed.
		s = c.sources(ctx)
		defer s.cancel()
		c.m.SetFacts(c.m.Facts().Forget(s.Computed(fresh)))
		fresh |= s.Computed(fresh)
	}
	g, known := c.m.Graph(), c.m.Facts()
	open := g.Reads() &^ known.Known()
	if open == 0 {
		c.state.FlagsEvaluated = nil
		c.settled()
		return nil
	}
	if why == transition && open&fresh == 0 && c.m.Depends() == 0 && (c.m.Matters(known) == 0 || !c.evaluationDue()) {
		c.settled()
		return nil
	}
	if s == nil {
		s = c.sources(ctx)
		defer s.cancel()
	}
	evaluation := c.evaluation(s, known)
	c.emitEvaluated(ctx, evaluation)
	c.m.SetFacts(evaluation.Facts)
	awaits := c.m.Awaits()
	if awaits == 0 || why == newRelease {
		c.state.FlagsEvaluated = nil
		if c.m.Matters(evaluation.Facts) != 0 {
			c.state.FlagsEvaluated = c.now.DeepCopy()
		}
		c.settled()
		return nil
	}
	err := s.err
	if without := awaits &^ s.Flags(); err == nil && without != 0 {
		return &NoSourceError{Itinerary: g.Name(), At: c.m.Position(), Flags: g.Vocabulary().Names(without)}
	}
	if err == nil {
		err = evaluation.Err()
	}
	names := g.Vocabulary().Names(awaits)
	unknown := &UnknownFlagsError{Itinerary: g.Name(), At: c.m.Position(), Flags: names, Err: err}
	c.readClock()
	c.retry(ctx, RetryFlags, names, unknown, limits{backoff: c.backoff()})
	return unknown
}

// evaluationDue reports whether flags that could not be known may be evaluated again
// although nothing depends on them now.
func (c *reconcile[T]) evaluationDue() bool {
	return c.state.FlagsEvaluated == nil || c.now.Sub(c.state.FlagsEvaluated.Time) >= evaluateEvery
}

// settled ends the retry of flags.
func (c *reconcile[T]) settled() {
	if c.state.Retry != nil && c.state.Retry.Kind == RetryFlags {
		c.state.Retry = nil
	}
	c.memo.attempts = 0
}

// sources are the embedder's sources, or why they cannot be used: none then.
type sources struct {
	*phases.Sources
	err    error
	ctx    context.Context
	cancel context.CancelFunc
	began  time.Time
}

// sources calls the Sources function, within what remains of the time for
// evaluating flags.
func (c *reconcile[T]) sources(ctx context.Context) *sources {
	g := c.m.Graph()
	s := &sources{began: c.o.Now(), cancel: func() {}}
	if c.askTime <= 0 {
		s.err = fmt.Errorf("not evaluated: %w", context.DeadlineExceeded)
		return s
	}
	var cancel context.CancelFunc
	s.ctx, cancel = c.o.WithTimeout(ctx, c.askTime)
	s.cancel = func() {
		cancel()
		c.askTime -= max(c.o.Now().Sub(s.began), 0)
	}
	s.err = protect(func() (err error) { s.Sources, err = c.o.Sources(s.ctx, c.object); return })
	switch {
	case s.err != nil:
	case s.Sources == nil:
		s.err = &SourcesError{Itinerary: g.Name(), Problem: "returned nil; let it return the sources, or an error"}
	case s.Vocabulary() != g.Vocabulary():
		s.err = &SourcesError{Itinerary: g.Name(), Problem: "returned sources over another vocabulary; make them over that of the itineraries"}
	}
	if s.err != nil {
		s.Sources, s.err = nil, fmt.Errorf("sources of flags: %w", s.err)
	}
	return s
}

// evaluation evaluates what is not known of these facts. If there are no sources,
// the reason counts for each flag.
func (c *reconcile[T]) evaluation(s *sources, known phases.Facts) phases.Evaluation {
	g := c.m.Graph()
	if s.err == nil {
		return s.Evaluate(s.ctx, phases.Request{Known: known, Read: g.Reads(), Matters: c.m.Matters, LeftBehind: c.memo.left, Now: c.o.Now})
	}
	evaluation := phases.Evaluation{Facts: known, Evaluated: g.Reads() &^ known.Known()}
	for _, name := range g.Vocabulary().Names(evaluation.Evaluated) {
		evaluation.Errors = append(evaluation.Errors, &phases.FlagError{Flag: name, Err: s.err})
	}
	return evaluation
}

func (c *reconcile[T]) emitEvaluated(ctx context.Context, evaluation phases.Evaluation) {
	flags := c.m.Graph().Vocabulary()
	failed := map[string]error{}
	for _, e := range evaluation.Errors {
		failed[e.Flag] = e.Err
	}
	for flag := range evaluation.Evaluated.Each {
		name := flags.Names(flag)[0]
		c.emit(ctx, FlagEvaluated{
			Itinerary: c.m.Graph().Name(), Flag: name, Value: evaluation.Facts.Of(flag), Err: failed[name],
			LeftBehind: evaluation.LeftBehind.Has(flag),
		})
	}
}
