package machinetest

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// What a phase does and what it leaves behind: the promises about finished work, deadlines, the
// flags of a phase that was left, and the size of the state.

// phaseBefore returns the phase in which the reconcile began, as the current definition of its
// itinerary has it.
func (c *checking) phaseBefore() (phase phases.Phase, ok bool) {
	if c.previousGraph == nil || c.before.Phase == "" {
		return phase, false
	}
	i, err := c.previousGraph.Lookup(c.before.Phase)
	if err != nil {
		return phase, false
	}
	return c.previousGraph.Phase(i), true
}

// callBefore returns the handler call of the phase in which the reconcile began, or nil.
func (c *checking) callBefore() *call {
	phase, ok := c.phaseBefore()
	if !ok || len(c.calls) == 0 || c.calls[0].itinerary != c.before.Itinerary || c.calls[0].phase != phase.Name {
		return nil
	}
	return &c.calls[0]
}

// stays reports whether the run is still in the same visit to a phase.
func (c *checking) stays() bool {
	return c.before.Itinerary == c.after.Itinerary && c.before.Visit == c.after.Visit && !c.after.Done
}

// failedNow reports whether the phase of a call failed in this reconcile.
func (c *checking) failedNow(one call) bool {
	for _, failed := range eventsIn[runner.PhaseFailed](c) {
		if failed.Itinerary == one.itinerary && failed.Phase == one.phase {
			return true
		}
	}
	return false
}

// work checks that a handler which is done is not called again, and that a phase fails only because
// of what its handler returned.
func (c *checking) work() {
	one := c.callBefore()
	switch {
	case one == nil:
	case c.before.WorkDone:
		c.in(one.itinerary, PromiseWork, "a handler is called although its work is recorded as done", "%s", one.phase)
	case one.kind == resultDone && c.stays() && !c.after.WorkDone:
		c.in(one.itinerary, PromiseWork, "work that is done is not recorded", "%s", one.phase)
	case one.kind == resultDone && c.stays() && c.after.Choice != one.choice:
		c.in(one.itinerary, PromiseWork, "the choice of a handler is not recorded",
			"%s chose %q, recorded is %q", one.phase, one.choice, c.after.Choice)
	}
	if c.before.WorkDone && c.stays() && c.same && c.after.Choice != c.before.Choice {
		c.broken(PromiseWork, "the choice of a handler changes", "of %s, from %q to %q", c.after.Phase, c.before.Choice, c.after.Choice)
	}
	for _, failed := range eventsIn[runner.PhaseFailed](c) {
		var last *call
		for i := range c.calls {
			if c.calls[i].itinerary == failed.Itinerary && c.calls[i].phase == failed.Phase {
				last = &c.calls[i]
			}
		}
		switch {
		case last == nil:
			c.in(failed.Itinerary, PromiseDeadline, "a phase fails without a last call of its handler",
				"%s: %s", failed.Phase, strings.Join(failed.Reasons, "; "))
		case last.kind == resultDone:
			c.in(failed.Itinerary, PromiseWork, "a phase fails although its work is done",
				"%s: %s", failed.Phase, strings.Join(failed.Reasons, "; "))
		}
	}
}

// delay checks that a run continues no earlier than its handler requested, and is reconciled in
// time for that. A switch does not wait.
func (c *checking) delay() {
	var first, last time.Time // the run continues between these
	if c.before.WorkDone && c.before.NotBefore != nil {
		first, last = c.before.NotBefore.Time, c.before.NotBefore.Time
	}
	if one := c.callBefore(); one != nil && one.kind == resultDone && one.after > 0 {
		first, last = one.at.Add(one.after), c.ended.Add(one.after+time.Second) // whole seconds
	}
	until := c.after.NotBefore
	switch {
	case !c.ended.Before(first) || c.before.Itinerary != c.after.Itinerary:
	case !c.stays():
		c.broken(PromiseDelay, "the run continues earlier than its handler requested", "from %s, by %s", c.before.Phase, first.Sub(c.ended))
	case until == nil || until.Time.Before(first) || until.After(last):
		c.broken(PromiseDelay, "the time at which the run continues is not recorded", "%s", c.after.Phase)
	case !c.held && c.err == nil && (!c.requeue || c.requeueAfter > until.Sub(c.ended)):
		c.broken(PromiseDelay, "the next reconcile is later than the time at which the run continues",
			"%s, after %s", c.after.Phase, c.requeueAfter)
	}
}

// deadlines checks [PromiseDeadline] for the phase in which the reconcile began. It fails for
// its deadline if and only if the deadline has passed when its handler is called, and the
// handler is called in time.
func (c *checking) deadlines() {
	if was, is := c.before.PausedSince, c.after.PausedSince; was != nil && is != nil && !was.After(c.began) && !was.Equal(is) {
		c.broken(PromiseDeadline, "the start of a pause changes", "%s", c.after.Phase)
	}
	one := c.callBefore()
	if one == nil || c.before.Entered == nil || c.before.WorkDone {
		return
	}
	limits := c.limits(one.itinerary, one.phase)
	failed := c.failedNow(*one)
	if limits.deadline == 0 {
		if failed && one.kind == resultWait {
			c.in(one.itinerary, PromiseDeadline, "a phase without a deadline fails while it waits", "%s", one.phase)
		}
		return
	}
	due := c.due(limits)
	late := !one.at.Before(due)
	goesOn := one.kind == resultWait || one.kind == resultError // another call could finish the work
	attempts := one.kind == resultError && limits.maxAttempts > 0
	switch {
	case failed && goesOn && !late && !attempts:
		c.in(one.itinerary, PromiseDeadline, "a phase fails before its deadline has passed",
			"%s, called %s before it", one.phase, due.Sub(one.at))
	case c.gaveUp: // a controller that shuts down, which is not the last call
	case !failed && goesOn && late && c.stays():
		c.in(one.itinerary, PromiseDeadline, "a phase does not fail at its deadline", "%s, called %s after it", one.phase, one.at.Sub(due))
	case !failed && goesOn && c.stays() && (!c.requeue || c.requeueAfter > max(due.Sub(c.ended), time.Second)):
		c.in(one.itinerary, PromiseDeadline, "the next reconcile is later than the deadline", "%s, after %s", one.phase, c.requeueAfter)
	}
	if one.ended {
		c.in(one.itinerary, PromiseDeadline, "a handler is called with a context that has ended", "%s", one.phase)
	}
}

// due returns when the phase in which the reconcile began reaches its deadline; never if it was not
// entered.
func (c *checking) due(l limits) time.Time {
	if c.before.Entered == nil {
		return c.ended.Add(time.Hour)
	}
	due := earlier(c.before.Entered.Time, c.began).Add(time.Second + l.deadline + time.Duration(c.before.PausedSeconds)*time.Second)
	if c.before.PausedSince != nil {
		due = due.Add(c.began.Sub(earlier(c.before.PausedSince.Time, c.began)))
	}
	return due
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// takenOver checks [PromiseFlags] for a phase that is done or was left in the middle: the flags that it
// decides are known only if they have been evaluated since.
func (c *checking) takenOver() {
	phase, ok := c.phaseBefore()
	switched := c.before.Itinerary != c.after.Itinerary
	if !ok || len(c.calls) > 1 || !switched && (c.before.WorkDone || c.stays() && !c.after.WorkDone) {
		return
	}
	v := c.graph.Vocabulary()
	taken := v.Facts(c.after.Facts).Known() & (phase.Decides | v.Live())
	for _, evaluated := range eventsIn[runner.FlagEvaluated](c) {
		if flag, ok := v.Lookup(evaluated.Flag); ok {
			taken &^= flag
		}
	}
	if taken != 0 {
		c.broken(PromiseFlags, "a value from before a phase that decides it is kept", "%s, which %s decides, in %s at %s",
			strings.Join(v.Names(taken), ", "), phase.Name, c.after.Itinerary, c.now.Position())
	}
}

// maxState is the maximum size of a state, in bytes of JSON.
const maxState = 64 << 10

// bounded checks [PromiseBounded]: the texts of a state are bounded. An itinerary with
// thousands of steps has a larger state because of their names.
func (c *checking) bounded() {
	if c.size <= maxState { // the object contains the state
		return
	}
	size := func(s *runner.State) int {
		text, err := json.Marshal(s)
		if err != nil {
			return 0
		}
		return len(text)
	}
	bare := c.after.DeepCopy()
	bare.Failures, bare.Switches, bare.Retry, bare.Stopped = nil, nil, nil, nil
	for i := range bare.Pipeline {
		bare.Pipeline[i].Message, bare.Pipeline[i].Progress = "", nil
	}
	limit := max(maxState, maxState*3/4+size(bare))
	if n := size(&c.after); n > limit {
		c.broken(PromiseBounded, "the state is too large", "%d bytes as JSON, at most %d", n, limit)
	}
}
