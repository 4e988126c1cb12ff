package runner

import (
	"context"
	"fmt"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// askEvery is how often flags that could not be known are evaluated again,
// beside before each transition that depends on them.
const askEvery = time.Minute

// occasion is why flags are evaluated.
type occasion uint8

const (
	begins     occasion = iota // an itinerary begins
	transition                 // a phase is done
	newRelease                 // the definition has changed
)

// ask evaluates what is not known. Fresh are the flags that the phase which is
// done decides. It returns an error if the run must wait: before a transition
// on which an unknown flag depends, outside cleanup itineraries.
func (c *reconcile[T]) ask(ctx context.Context, why occasion, fresh phases.Flags) error {
	g, known := c.m.Graph(), c.m.Facts()
	open := g.Reads() &^ known.Known()
	if open == 0 {
		c.state.FlagsAsked = nil
		c.settled()
		return nil
	}
	if why == transition && open&fresh == 0 && c.m.Depends() == 0 && (c.m.Matters(known) == 0 || !c.askDue()) {
		c.settled()
		return nil
	}
	answer, answers, err := c.evaluate(ctx, known)
	c.emitAsked(ctx, answer)
	c.m.SetFacts(answer.Facts)
	c.state.FlagsAsked = nil
	if c.m.Matters(answer.Facts) != 0 {
		c.state.FlagsAsked = c.now.DeepCopy()
	}
	if why == newRelease {
		return nil
	}
	awaits := c.m.Awaits()
	if awaits == 0 {
		c.settled()
		return nil
	}
	names := g.Flags().Names(awaits)
	if without := awaits &^ answers; err == nil && without != 0 {
		return &NoSourceError{Itinerary: g.Name(), At: c.m.Position(), Flags: g.Flags().Names(without)}
	}
	if err == nil {
		err = answer.Err()
	}
	unknown := &UnknownFlagsError{Itinerary: g.Name(), At: c.m.Position(), Flags: names, Err: err}
	c.retry(ctx, names, unknown, c.backoff())
	return unknown
}

// askDue reports whether flags that could not be known may be evaluated again
// although nothing depends on them now.
func (c *reconcile[T]) askDue() bool {
	return c.state.FlagsAsked == nil || c.now.Sub(c.state.FlagsAsked.Time) >= askEvery
}

// settled ends the retry of flags.
func (c *reconcile[T]) settled() {
	if c.state.Retry != nil && len(c.state.Retry.Flags) > 0 {
		c.state.Retry = nil
	}
	c.memo.attempts = 0
}

// evaluate evaluates what is not known of these facts, within what remains of
// the time for it. Answers are the flags that have a source. An error is that
// of the Sources function, and counts for each flag.
func (c *reconcile[T]) evaluate(ctx context.Context, known phases.Facts) (answer phases.Answer, answers phases.Flags, err error) {
	g := c.m.Graph()
	sources, err := (*phases.Sources)(nil), error(nil)
	began := c.o.Now()
	defer func() { c.askTime -= max(c.o.Now().Sub(began), 0) }()
	if c.askTime > 0 {
		timeout, cancel := c.o.WithTimeout(ctx, c.askTime)
		defer cancel()
		ctx = timeout
		sources, err = c.sources(ctx, g)
	} else {
		err = fmt.Errorf("not asked: %w", context.DeadlineExceeded)
	}
	if err == nil {
		answer = sources.Ask(ctx, phases.Question{Known: known, Read: g.Reads(), Matters: c.m.Matters, LeftBehind: &c.memo.left, Now: c.o.Now})
		return answer, sources.Answers(), nil
	}
	err = fmt.Errorf("sources of flags: %w", err)
	answer = phases.Answer{Facts: known, Asked: g.Reads() &^ known.Known()}
	for _, name := range g.Flags().Names(answer.Asked) {
		answer.Errors = append(answer.Errors, &phases.FlagError{Flag: name, Err: err})
	}
	return answer, 0, err
}

// sources returns the embedder's sources, if they can be used.
func (c *reconcile[T]) sources(ctx context.Context, g *machine.Graph) (sources *phases.Sources, err error) {
	if panicked := protect(func() { sources, err = c.o.Sources(ctx, c.object) }); panicked != nil {
		return nil, panicked
	}
	switch {
	case err != nil:
		return nil, err
	case sources == nil:
		return nil, &SourcesError{Itinerary: g.Name(), Problem: "returned nil; let it return the sources, or an error"}
	case sources.Flags() != g.Flags():
		return nil, &SourcesError{Itinerary: g.Name(), Problem: "returned sources over another vocabulary; make them over that of the itineraries"}
	}
	return sources, nil
}

func (c *reconcile[T]) emitAsked(ctx context.Context, answer phases.Answer) {
	flags := c.m.Graph().Flags()
	failed := map[string]error{}
	for _, e := range answer.Errors {
		failed[e.Flag] = e.Err
	}
	for flag := range answer.Asked.Each {
		name := flags.Names(flag)[0]
		c.emit(ctx, Asked{
			Itinerary: c.m.Graph().Name(), Flag: name, Value: answer.Facts.Of(flag), Err: failed[name],
			LeftBehind: answer.LeftBehind.Has(flag),
		})
	}
}
