package machinetest

import (
	"context"
	"time"
)

// SimulatedClock is a clock for a test that drives a controller itself: pass its Now and
// WithTimeout in the runner's options. Time moves only when [SimulatedClock.Set] or [Hang] moves
// it. It is safe for concurrent use.
type SimulatedClock struct{ clock *clock }

// NewClock returns a clock set to now.
func NewClock(now time.Time) *SimulatedClock { return &SimulatedClock{newClock(now)} }

// Now returns the clock's time.
func (c *SimulatedClock) Now() time.Time { return c.clock.Now() }

// Set moves the clock to a time, forward or back, and ends the timeouts that it has reached.
func (c *SimulatedClock) Set(now time.Time) { c.clock.set(now) }

// WithTimeout is [context.WithTimeout] on this clock. [Hang] takes no time if its context is
// derived from the returned one.
func (c *SimulatedClock) WithTimeout(parent context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	return c.clock.WithTimeout(parent, timeout)
}
