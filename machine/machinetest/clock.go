package machinetest

import (
	"context"
	"errors"
	"sync"
	"time"
)

// clock is the simulated time of one life. Time moves only when a caller moves it: timeouts made by
// WithTimeout end when the clock reaches them.
type clock struct {
	mu     sync.Mutex
	now    time.Time
	timers map[*timeout]struct{}
}

func newClock(now time.Time) *clock {
	return &clock{now: now, timers: make(map[*timeout]struct{})}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// set moves the clock to a time, forward or back, and ends the timeouts that it has reached.
func (c *clock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
	for t := range c.timers {
		if !t.deadline.After(now) {
			t.end(context.DeadlineExceeded)
		}
	}
}

// next moves the clock to the next timeout. It reports false if there is none.
func (c *clock) next() bool {
	c.mu.Lock()
	var first time.Time
	for t := range c.timers {
		if first.IsZero() || t.deadline.Before(first) {
			first = t.deadline
		}
	}
	c.mu.Unlock()
	if first.IsZero() {
		return false
	}
	c.set(first)
	return true
}

type clockKey struct{}

// WithTimeout is [context.WithTimeout] on this clock.
func (c *clock) WithTimeout(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &timeout{Context: parent, clock: c, deadline: c.now.Add(d), done: make(chan struct{})}
	if d <= 0 {
		t.end(context.DeadlineExceeded)
		return t, func() {}
	}
	c.timers[t] = struct{}{}
	stop := context.AfterFunc(parent, func() { t.cancel(parent.Err()) })
	return t, func() {
		stop()
		t.cancel(context.Canceled)
	}
}

// timeout is a context that ends at a time of a clock.
type timeout struct {
	context.Context // the parent, for its values
	clock           *clock
	deadline        time.Time
	done            chan struct{}
	err             error // guarded by the clock's lock
}

func (t *timeout) Done() <-chan struct{} { return t.done }

func (t *timeout) Err() error {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	return t.err
}

// Deadline is as far from the real time as the timeout is from the clock's, since callers that
// compute the remaining time, such as a dialer, use real time.
func (t *timeout) Deadline() (time.Time, bool) {
	own := time.Now().Add(t.deadline.Sub(t.clock.Now()))
	if d, ok := t.Context.Deadline(); ok && d.Before(own) {
		return d, true
	}
	return own, true
}

func (t *timeout) Value(key any) any {
	if key == (clockKey{}) {
		return t // the nearest timeout
	}
	return t.Context.Value(key)
}

func (t *timeout) cancel(err error) {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	t.end(err)
}

// end ends the context. The caller must hold the clock's lock.
func (t *timeout) end(err error) {
	delete(t.clock.timers, t)
	if t.err == nil {
		t.err = err
		close(t.done)
	}
}

// Hang waits until ctx ends and returns its error, like a request that never gets an answer. In a
// handler or a source that runs under this package it takes no time: the simulated clock moves to
// the next timeout at once. Elsewhere, and for a timeout that the handler made itself with package
// context, it waits in real time. It is safe for concurrent use.
func Hang(ctx context.Context) error {
	t, _ := ctx.Value(clockKey{}).(*timeout)
	for t != nil && ctx.Err() == nil && t.Err() == nil && !endsBefore(ctx, t) && t.clock.next() {
	}
	<-ctx.Done() // a context derived from t ends a moment later, or by itself
	return ctx.Err()
}

// endsBefore reports whether a context derived from t has its own real-time deadline, before that
// of t.
func endsBefore(ctx context.Context, t *timeout) bool {
	own, _ := ctx.Deadline()
	deadline, _ := t.Deadline()
	return own.Add(time.Second).Before(deadline) // t's deadline moves with real time
}

// late waits as [Hang] does, and then returns nil, like an answer that comes after its request has
// timed out. It returns an error only if ctx has no end to wait for.
func late(ctx context.Context) error {
	if err := Hang(ctx); err == nil {
		return errors.New("the context has not ended")
	}
	return nil
}
