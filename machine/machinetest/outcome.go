package machinetest

import (
	"errors"
	"slices"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// in reports a break in an itinerary that may differ from the current one.
func (c *checking) in(itinerary, promise, how, format string, args ...any) {
	c.broken(promise, how, format, args...)
	c.breaks[len(c.breaks)-1].Itinerary = itinerary
}

// eventsIn returns the events of one kind, in order.
func eventsIn[E runner.Event](c *checking) (all []E) {
	for _, event := range c.events {
		if e, ok := event.(E); ok {
			all = append(all, e)
		}
	}
	return all
}

func cleansUp(g *machine.Graph) bool { return g != nil && g.IsCleanup() }

// failures checks [PromiseNoFailures] and [PromiseCleanup]. A cleanup itinerary continues after
// a failed phase, and a run leaves it only for another cleanup itinerary whose result is not
// Failed. In any other itinerary nothing runs after a failed phase, and the run stops unless it
// switches.
func (c *checking) failures() {
	begun := c.before.Phase != "" && c.before.Itinerary != c.after.Itinerary
	switch {
	case begun && cleansUp(c.previousGraph) && !cleansUp(c.graph):
		c.in(c.before.Itinerary, PromiseCleanup, "a cleanup itinerary is left for one that does not clean up",
			"%s begins, at %q of %s", c.after.Itinerary, c.before.Phase, c.before.Itinerary)
	case begun && cleansUp(c.previousGraph) && c.graph.Result() == phases.Failed:
		c.in(c.before.Itinerary, PromiseCleanup, "a cleanup itinerary is left for one whose result is Failed",
			"%s begins, at %q of %s", c.after.Itinerary, c.before.Phase, c.before.Itinerary)
	}

	here := c.before.Itinerary == c.after.Itinerary
	moved := here && (c.after.Phase != c.before.Phase || c.after.Visit != c.before.Visit || c.after.Done)
	if c.before.PhaseFailed() && !cleansUp(c.previousGraph) && here && (moved || len(c.calls) > 0) {
		c.broken(PromiseNoFailures, "a phase runs after one that failed",
			"%s failed, and the run is at %s", c.before.Phase, c.now.Position())
	}
	if c.after.PhaseFailed() && !cleansUp(c.graph) && c.err == nil && !c.held {
		c.broken(PromiseNoFailures, "an unanswered failure does not stop the run", "%s failed", c.after.Phase)
	}
	failures := eventsIn[runner.PhaseFailed](c)
	if c.onFails >= 0 && c.onFails != len(failures) {
		c.broken(PromiseNoFailures, "OnFail is not called once for each failure", "%d calls, %d failures", c.onFails, len(failures))
	}
	for _, left := range eventsIn[runner.PhaseExited](c) {
		if c.onePhase && c.failedAt(left.Itinerary, left.Phase) {
			c.in(left.Itinerary, PromiseNoFailures, "a phase that failed is reported as done", "%s", left.Phase)
		}
	}
	for _, failed := range failures {
		switch cleanup := cleansUp(c.graphOf(failed.Itinerary)); {
		case cleanup && c.after.Itinerary != failed.Itinerary && c.graph.Result() == phases.Failed:
			c.in(failed.Itinerary, PromiseNoFailures, "a cleanup itinerary is left because one of its phases fails",
				"%s failed, and %s begins", failed.Phase, c.after.Itinerary)
		case cleanup && c.after.Itinerary == failed.Itinerary && errors.As(c.err, new(*runner.UnansweredFailureError)):
			c.in(failed.Itinerary, PromiseCleanup, "a cleanup itinerary stops at a failed phase", "%s", failed.Phase)
		case !cleanup && c.after.Itinerary == failed.Itinerary && (c.after.Phase != failed.Phase || c.after.Done):
			c.in(failed.Itinerary, PromiseNoFailures, "a phase runs after one that failed",
				"%s failed, and the run is at %s", failed.Phase, c.now.Position())
		}
	}
}

// pause checks [PromisePause]: while a run is paused no handler is called and nothing moves, except in
// a cleanup itinerary.
func (c *checking) pause() {
	if !c.paused {
		if c.held {
			c.broken(PromisePause, "a run is held although it is not paused", "at %s", c.now.Position())
		}
		return
	}
	passes := cleansUp(c.graph) && !c.holdsCleanup
	moved := c.before.Itinerary != c.after.Itinerary || c.before.Phase != c.after.Phase ||
		c.before.Visit != c.after.Visit && c.before.Visit != 0 || c.after.Done
	switch to := c.graphOf(c.selected); {
	case passes && c.held:
		c.broken(PromisePause, "a pause holds a cleanup itinerary", "at %s", c.now.Position())
	case !passes && (moved || len(c.calls) > 0):
		c.broken(PromisePause, "a paused run moves",
			"from %q to %s, %d calls of handlers", c.before.Phase, c.now.Position(), len(c.calls))
	case !passes && cleansUp(to) && !c.holdsCleanup && c.err == nil && c.graph.MayLeaveFor(to):
		c.broken(PromisePause, "a pause holds a switch to a cleanup itinerary", "%s, at %s", c.selected, c.now.Position())
	}
}

// selection checks that a selection which is not followed is recorded in the state, and reported
// once.
func (c *checking) selection() {
	if c.selected == "" || c.err != nil {
		return
	}
	want := ""
	if to := c.graphOf(c.selected); c.selected != c.after.Itinerary && (c.after.Done || c.after.Phase != "" && !c.graph.MayLeaveFor(to)) {
		want = c.selected
	}
	if got := c.after.SwitchHeld; got != want {
		c.broken(PromiseSelected, "the state does not record the selection that is not followed", "it holds %q, want %q", got, want)
	}
	reported := len(eventsIn[runner.SwitchHeld](c))
	if is := c.after.SwitchHeld; reported > 1 || (reported == 1) != (is != "" && is != c.before.SwitchHeld) {
		c.broken(PromiseSelected, "the selection is not reported exactly once",
			"%d events, before %q, now %q", reported, c.before.SwitchHeld, is)
	}
}

// outcome checks [PromiseResult]: the failures and itineraries that this reconcile adds to the
// state are those that happened, and the result follows from them.
func (c *checking) outcome() {
	left := slices.Clone(c.before.Switches)
	for _, begun := range eventsIn[runner.ItineraryBegun](c) {
		if begun.PreviousItinerary == "" {
			continue
		}
		why := runner.SwitchSelected
		if begun.Failed {
			why = runner.SwitchFailed
		}
		left = append(left, runner.Switch{From: begun.PreviousItinerary, Phase: begun.Phase, To: begun.Itinerary, Reason: why})
		if failed := c.failedAt(begun.PreviousItinerary, begun.Phase); begun.Failed != failed && (failed || !c.failed) {
			c.broken(PromiseResult, "the reason for a switch is wrong",
				"%s at %q: %s", begun.PreviousItinerary, begun.Phase, why)
		}
	}
	left = left[max(len(left)-runner.MaxSwitches, 0):]
	if !slices.EqualFunc(left, c.after.Switches, func(a, b runner.Switch) bool {
		a.At = b.At // the event does not have it
		return a == b
	}) {
		c.broken(PromiseResult, "the recorded switches are wrong", "the state holds %v, want %v", c.after.Switches, left)
	}

	failed, inCleanup := c.before.FailedPhases, c.before.FailedInCleanup
	for _, f := range eventsIn[runner.PhaseFailed](c) {
		if cleansUp(c.graphOf(f.Itinerary)) {
			inCleanup++
		} else {
			failed++
		}
	}
	if failed != c.after.FailedPhases || inCleanup != c.after.FailedInCleanup {
		c.broken(PromiseResult, "a failure is not counted",
			"%d and %d in cleanup, want %d and %d", c.after.FailedPhases, c.after.FailedInCleanup, failed, inCleanup)
	}

	if c.after.Dropped != nil && c.after.Dropped.Switches > 0 {
		return // the first itineraries are no longer known
	}
	want := c.result()
	if c.after.Result != want {
		c.broken(PromiseResult, "the result does not follow from the record", "%q, want %q", c.after.Result, want)
	}
	for _, finished := range eventsIn[runner.RunFinished](c) {
		if finished.Result != want {
			c.broken(PromiseResult, "the reported result does not follow from the record", "%q, want %q", finished.Result, want)
		}
	}
}

// failedAt reports whether a phase had failed when its itinerary was left.
func (c *checking) failedAt(itinerary, phase string) bool {
	if c.before.Itinerary == itinerary && c.before.Phase == phase && c.before.PhaseFailed() {
		return true
	}
	return slices.ContainsFunc(eventsIn[runner.PhaseFailed](c), func(f runner.PhaseFailed) bool {
		return f.Itinerary == itinerary && f.Phase == phase
	})
}

// result computes the run's result from the failures and itineraries in the state.
func (c *checking) result() phases.Result {
	if c.after.FailedPhases > 0 {
		return phases.Failed
	}
	var entered []*machine.Graph
	for i, left := range c.after.Switches {
		if i == 0 {
			entered = append(entered, c.graphOf(left.From))
		}
		entered = append(entered, c.graphOf(left.To))
	}
	if len(entered) == 0 {
		entered = []*machine.Graph{c.graph}
	}
	var first phases.Result // of the first cleanup itinerary
	for _, g := range entered {
		switch {
		case g == nil: // it belongs to another release
		case g.Result() == phases.Canceled:
			return phases.Canceled
		case g.IsCleanup() && first == "":
			first = g.Result()
		}
	}
	if first == "" && c.after.Done {
		return c.graph.Result()
	}
	return first
}
