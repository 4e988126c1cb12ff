package runner

import (
	"context"
	"errors"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// settle evaluates the flags that the next transition needs, and makes it. It returns
// an error if the run must wait.
func (c *reconcile[T]) settle(ctx context.Context) (machine.Settlement, error) {
	began := c.o.Now()
	s, err := c.m.Settle(ctx, c.settleOptions())
	c.evaluated(ctx, s.Evaluation, began)
	var unknown *machine.UnknownFlagsError
	switch {
	case errors.As(err, &unknown):
		c.retry(ctx, RetryFlags, unknown.Flags, err, limits{backoff: c.backoff()})
	case !errors.As(err, new(*machine.NoSourceError)):
		c.settled()
	}
	return s, err
}

// refresh evaluates unknown flags without moving.
func (c *reconcile[T]) refresh(ctx context.Context) error {
	began := c.o.Now()
	evaluation, err := c.m.Evaluate(ctx, c.settleOptions())
	c.evaluated(ctx, evaluation, began)
	c.settled()
	return err
}

func (c *reconcile[T]) settleOptions() machine.SettleOptions {
	o := machine.SettleOptions{
		Sources:    func(ctx context.Context) (*phases.Sources, error) { return c.o.Sources(ctx, c.object) },
		LeftBehind: c.memo.left, EvaluationTimeout: c.evaluationTime, Now: c.o.Now, WithTimeout: c.o.WithTimeout,
	}
	if c.evaluationTime <= 0 {
		o.EvaluationTimeout = -1
	}
	return o
}

// settled ends the retry of flags.
func (c *reconcile[T]) settled() {
	if c.state.Retry != nil && c.state.Retry.Kind == RetryFlags {
		c.state.Retry = nil
	}
	c.memo.attempts = 0
}

// evaluated reports what was evaluated, and subtracts its time from the remaining time.
// It reads the clock, since the time of sources is not part of the next phase.
func (c *reconcile[T]) evaluated(ctx context.Context, evaluation phases.Evaluation, began time.Time) {
	c.readClock()
	if evaluation.Evaluated == 0 {
		return
	}
	c.evaluationTime -= max(c.o.Now().Sub(began), 0)
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
