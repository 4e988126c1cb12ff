package machinetest

import (
	"encoding/json"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// CheckStates checks two consecutively written states of one run against the promises that states
// alone can show. before is the zero State for the first write. It returns what is broken: the run
// has gone back, or to a phase that the plan does not reach; a step is marked skipped, is lost, or
// is listed although it will not run; a step is wrongly completed or open, given the phases ahead;
// the state is too large, or cannot be planned. Both states must belong to itineraries of the set.
// CheckStates changes nothing and is safe for concurrent use.
func CheckStates(set *machine.Set, before, after runner.State) []Break {
	if after.Itinerary == "" {
		return nil // nothing has begun
	}
	c := &checking{before: before, after: after,
		same: before.Itinerary == after.Itinerary && before.Facts.Hash == after.Facts.Hash}
	if !c.states(set) {
		return c.breaks
	}
	c.forward()
	if before.Run != after.Run || before.Done {
		return c.breaks // another run, or one that was done
	}
	c.steps()
	c.completed()
	c.bounded()
	return c.breaks
}

// states makes the plans of both states. It reports false if the state after cannot be planned:
// then nothing else can be checked.
func (c *checking) states(set *machine.Set) bool {
	var err error
	if c.graph, err = set.Graph(c.after.Itinerary); err == nil {
		var is machine.Resumption
		if is, err = set.Resume(c.after.Checkpoint, c.after.Itinerary); err == nil {
			c.now = is.Plan()
		}
	}
	if err != nil {
		c.broken(PromisePlan, "the state that was written cannot be planned", "%v", err)
		return false
	}
	if text, err := json.Marshal(&c.after); err == nil {
		c.size = len(text)
	}
	if !c.same {
		return true
	}
	was, err := set.Resume(c.before.Checkpoint, c.before.Itinerary)
	if err != nil {
		return true // a user has written an unknown phase
	}
	c.leaving = was.Machine
	c.leaving.Finish()
	c.leaving.SetFacts(c.graph.Vocabulary().Facts(c.after.Facts))
	c.afterWork = c.leaving.Plan()
	return true
}

// forward checks that the run has not gone back.
func (c *checking) forward() {
	was, is := &c.before, &c.after
	at := func(s *runner.State) string { return s.Itinerary + "/" + s.Phase }
	switch {
	case is.Run < was.Run || is.Visit < was.Visit:
		c.broken(PromisePlan, "the run goes back", "from visit %d, %s, to visit %d, %s", was.Visit, at(was), is.Visit, at(is))
	case is.Run > was.Run:
	case was.Done && (!is.Done || is.Visit != was.Visit || at(is) != at(was)):
		c.broken(PromiseDone, "a run that was done has moved", "from %s to %s", at(was), at(is))
	case was.WorkDone && !is.WorkDone && is.Visit == was.Visit && c.same:
		c.broken(PromiseWork, "work that is done is not recorded", "%s", at(is))
	case is.Visit == was.Visit && at(is) != at(was) && is.Phase != "":
		c.broken(PromisePlan, "the run changes its phase without entering one", "from %s to %s", at(was), at(is))
	case c.same && is.Visit > was.Visit && c.afterWork != nil && is.Phase != "":
		c.reaches(c.after.Phase)
	}
}

// reaches checks that the plan from the previous phase leads to the entered one. A phase behind it
// counts as left out unless a jump leads there.
func (c *checking) reaches(phase string) {
	i, err := c.graph.Lookup(phase)
	if err != nil {
		return // it was planned, so it is known under a former name
	}
	if c.afterWork.Runs(i) == phases.False && i != c.afterWork.Current() {
		c.broken(PromisePlan, "a phase is entered that the plan leaves out", "%s, which %s", phase, c.afterWork.Why(i).Text)
	}
}
