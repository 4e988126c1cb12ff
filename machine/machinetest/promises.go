package machinetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// Break is a promise or an invariant that does not hold.
type Break struct {
	// Promise is one of the Promise constants, or the name of an invariant.
	Promise string
	// Itinerary is the itinerary in which the break occurred; empty before the first.
	Itinerary string
	// How describes the break. The text is the same for every break of this kind.
	How string
	// Detail names the phases, steps and flags.
	Detail string
}

// String returns the break as one line.
func (b Break) String() string {
	in := "in itinerary " + b.Itinerary
	if b.Itinerary == "" {
		in = "before the first itinerary"
	}
	return strings.TrimSuffix(fmt.Sprintf("%s, %s: %s: %s", b.Promise, in, b.How, b.Detail), ": ")
}

// Values of the Promise of a [Break]: the promises of the design that every reconcile is checked
// against, the contract of handlers, and that every explored state has a path to the end.
const (
	PromisePlan       = "the plan is the run"
	PromiseSteps      = "no step that will not run"
	PromiseExplained  = "each phase that is left out has a reason"
	PromiseFlags      = "each flag is evaluated once, and again after a phase that decides it"
	PromiseUnknown    = "unknown is not false"
	PromiseCompleted  = "a step is completed when nothing ahead belongs to it"
	PromiseNoFailures = "nothing runs after a failed phase"
	PromiseCleanup    = "a run leaves a cleanup itinerary only for another"
	PromiseDone       = "a run that is done stays done"
	PromiseAgain      = "a new run follows one that has ended"
	PromiseSelected   = "a selection that is not followed is reported"
	PromiseResult     = "the result is recorded"
	PromiseBounded    = "the state is bounded"
	PromiseWork       = "work that is recorded as done is not done again"
	PromiseDelay      = "a run does not continue before its time"
	PromiseDeadline   = "a phase fails for its deadline only after it worked that long"
	PromiseAttempts   = "a phase is tried at most MaxAttempts times"
	PromiseItems      = "a run changes only its own state"
	PromisePause      = "a pause holds a run, but no cleanup itinerary"
	PromiseState      = "the options read what they have written"
	PromiseDeclared   = "a phase changes only flags that it decides"
	PromiseIdempotent = "handlers are idempotent"
	PromiseEnds       = "a run ends"
)

// promises checks a reconcile against the promises of the design, based on the states before and
// after, a plan made from each, the events, and what the sources really answer.
func (e *engine[T, W]) promises(r *reconciled[T]) []Break {
	if r.after.Itinerary == "" || lost(r.err) {
		return nil // nothing has begun, or nothing was done
	}
	c, err := e.checking(r)
	if err != nil {
		return []Break{{Promise: PromisePlan, Itinerary: r.after.Itinerary,
			How: "the state that was written cannot be planned", Detail: err.Error()}}
	}
	c.selection()
	if r.after.Run != r.before.Run {
		c.begunAgain()
		return c.breaks
	}
	if r.before.Done {
		c.done()
		return c.breaks
	}
	c.evaluatedOnce()
	c.present()
	c.pause()
	c.takenOver()
	c.work()
	c.delay()
	c.deadlines()
	c.tries()
	c.failures()
	if !equality.Semantic.DeepEqual(r.before, r.after) {
		c.plan()
		c.steps()
		c.completed()
		c.outcome()
		c.bounded()
	}
	return c.breaks
}

// lost reports whether err means that the position of a run, or the next one, is unknown. Nothing
// was done then. A choice that stops the run is a handler's error instead.
func lost(err error) bool {
	var phase *machine.UnknownPhaseError
	var itinerary *phases.UnknownItineraryError
	var choice *machine.ChoiceError
	var stop *runner.StopError
	return errors.As(err, &phase) || errors.As(err, &itinerary) || errors.As(err, &choice) && !errors.As(err, &stop)
}

// begunAgain checks a reconcile that begins a new run. The previous run must have ended and the
// token must have changed. The new run takes over only the steps before the phase that failed, and
// none of these has failed.
func (c *checking) begunAgain() {
	was, is := c.before, c.after
	switch {
	case !was.Done && was.Stopped == nil:
		c.broken(PromiseAgain, "a run begins although the previous one has not ended", "at %q of %s", was.Phase, was.Itinerary)
	case was.Token == nil || is.Token == nil || *was.Token == *is.Token:
		c.broken(PromiseAgain, "a run begins although the token is the same", "run %d", is.Run)
	case is.Run != max(was.Run, 1)+1:
		c.broken(PromiseAgain, "the number of the run is wrong", "run %d after %d", is.Run, was.Run)
	case is.Visit < was.Visit:
		c.broken(PromiseAgain, "visits are not numbered after those of the previous run", "%d after %d", is.Visit, was.Visit)
	}
	known := c.graph.Vocabulary().Facts(is.Facts).Known()
	for _, evaluated := range eventsIn[runner.FlagEvaluated](c) {
		flag, _ := c.graph.Vocabulary().Lookup(evaluated.Flag)
		known &^= flag
	}
	if known != 0 {
		c.broken(PromiseAgain, "a new run takes over facts of the previous run",
			"%s", strings.Join(c.graph.Vocabulary().Names(known), ", "))
	}
	if c.onePhase && len(c.calls) > 0 {
		c.broken(PromiseAgain, "a handler is called before the new run is written", "%s", c.calls[0].phase)
	}
	if c.onePhase && (len(is.Failures) > 0 || is.Result == phases.Failed) {
		c.broken(PromiseAgain, "a new run has failures of the previous run", "%s", is.Result)
	}
	for i := range is.Pipeline {
		step := &is.Pipeline[i]
		kept := step.Started != nil && step.Started.Time.Before(c.began)
		switch {
		case step.Failed && c.onePhase:
			c.broken(PromiseAgain, "a step of a new run has failed", "%s", step.Name)
		case kept && (i >= len(was.Pipeline) || was.Pipeline[i].Name != step.Name || !step.Started.Equal(was.Pipeline[i].Started)):
			c.broken(PromiseAgain, "a step of the previous run changes its place or its start", "%s", step.Name)
		}
	}
}

// done checks that a run which was done does nothing, except record which selected itinerary is not
// followed and why no other run can follow.
func (c *checking) done() {
	before := c.before
	before.SwitchHeld, before.Token = c.after.SwitchHeld, c.after.Token
	before.Stopped, before.Retry = c.after.Stopped, c.after.Retry
	if len(c.calls) > 0 || !equality.Semantic.DeepEqual(before, c.after) {
		c.breaks = append(c.breaks, Break{Promise: PromiseDone, Itinerary: c.before.Itinerary, How: "a run that was done has moved",
			Detail: fmt.Sprintf("it is in %s at %q", c.after.Itinerary, c.after.Phase)})
	}
}

// checking is the state that the checks of a reconcile share.
type checking struct {
	before, after runner.State
	err           error
	gaveUp        bool   // the context of the reconcile has ended
	held          bool   // by a pause, according to the outcome
	paused        bool   // according to the embedder's options
	holdsCleanup  bool   // a pause also holds a cleanup itinerary
	onFails       int    // calls of OnFail that recorded a failure; negative if the options have no OnFail
	selected      string // the itinerary that the object selects now; empty if unknown
	began, ended  time.Time
	requeue       bool // the outcome requests another reconcile, after requeueAfter
	requeueAfter  time.Duration
	size          int              // of the object, as JSON
	onePhase      bool             // a reconcile leaves at most one phase
	same          bool             // the itinerary and its definition have not changed
	graph         *machine.Graph   // of the itinerary after the reconcile
	now           *machine.Plan    // from the current position
	was           *machine.Plan    // from the previous position, by the facts before; nil unless same
	afterWork     *machine.Plan    // from the previous position once its work is done, by the facts after; nil unless same
	leaving       *machine.Machine // at the position of afterWork
	previousGraph *machine.Graph   // of the itinerary before the reconcile; nil if there was none
	events        []runner.Event
	calls         []call
	truth         phases.Facts
	sources       *phases.Sources // as the runner used them; nil if it used none
	carried                       // before the reconcile
	eachWrite     bool            // each attempt is in the state
	breaks        []Break
	graphOf       func(string) *machine.Graph
	limits        func(itinerary, phase string) limits
	failed        bool // the options have a Failed, which may call a run failed
}

// limits are the limits of a phase.
type limits struct {
	deadline    time.Duration
	maxAttempts int
}

func (e *engine[T, W]) checking(r *reconciled[T]) (*checking, error) {
	g, err := e.options.Itineraries.Graph(r.after.Itinerary)
	if err != nil {
		return nil, err
	}
	resume := func(s runner.State) (*machine.Machine, error) {
		resumed, err := e.options.Itineraries.Resume(s.Checkpoint, s.Itinerary)
		return resumed.Machine, err
	}
	c := &checking{before: r.before, after: r.after, graph: g,
		events: r.events, calls: r.calls, truth: r.truth, sources: r.sources, carried: r.carried, eachWrite: e.eachWrite,
		err: r.err, gaveUp: r.gaveUp, held: r.outcome.Paused, paused: r.paused,
		holdsCleanup: e.options.PauseHoldsCleanup, onFails: r.onFails,
		selected: r.selected, began: r.now.UTC().Truncate(time.Second), size: r.size,
		ended: e.clock.Now(), requeue: r.outcome.Requeue, requeueAfter: r.outcome.RequeueAfter,
		previousGraph: e.graph(r.before.Itinerary), graphOf: e.graph, onePhase: e.eachWrite || e.options.MaxPhases <= 1,
		failed: e.options.Failed != nil, limits: func(itinerary, phase string) limits {
			p := e.phase(itinerary, phase)
			return limits{p.Deadline, p.MaxAttempts}
		},
		same: r.before.Itinerary == r.after.Itinerary && r.before.Facts.Hash == r.after.Facts.Hash}
	if e.options.OnFail == nil {
		c.onFails = -1
	}
	m, err := resume(r.after)
	if err != nil {
		return nil, err
	}
	c.now = m.Plan()
	if c.same {
		if c.leaving, err = resume(r.before); err != nil {
			return nil, err
		}
		c.was = c.leaving.Plan()
		c.leaving.Finish()
		if one := c.callBefore(); one != nil && one.choice != "" {
			err = c.leaving.Choose(one.choice)
		}
		c.leaving.SetFacts(g.Vocabulary().Facts(r.after.Facts))
		c.afterWork = c.leaving.Plan()
	}
	return c, err
}

func (c *checking) broken(promise, how, format string, args ...any) {
	c.breaks = append(c.breaks, Break{Promise: promise, Itinerary: c.after.Itinerary, How: how, Detail: fmt.Sprintf(format, args...)})
}

// entered returns the phases that were entered, in order.
func (c *checking) entered() (names []string) {
	for _, event := range c.events {
		if entered, ok := event.(runner.PhaseEntered); ok {
			names = append(names, entered.Phase)
		}
	}
	return names
}

// plan checks [PromisePlan] and [PromiseUnknown] for a reconcile that has left at most one
// phase, within one itinerary. The entered phase must come next by the plan, and a phase that
// the plan called certain must be entered or still be ahead. A run must not move while unknown
// flags decide what comes next.
func (c *checking) plan() {
	entered := c.entered()
	if c.onePhase && len(entered) > 1 {
		c.broken(PromisePlan, "two phases are entered in one reconcile", "%q, with MaxPhases 1", entered)
	}
	here := func(one call) bool { return one.itinerary == c.after.Itinerary } // handlers called here may have changed the facts
	if c.before.Itinerary != c.after.Itinerary && len(entered) == 1 && !slices.ContainsFunc(c.calls, here) {
		c.first(entered[0])
	}
	if !c.same || len(entered) > 1 || len(c.calls) > 1 ||
		c.before.Phase == c.after.Phase && c.before.Done == c.after.Done && len(entered) == 0 {
		return
	}
	g := c.graph
	next := g.Len() // the index of the entered phase, or of done
	if len(entered) == 1 {
		i, err := g.Lookup(entered[0])
		if err != nil {
			c.broken(PromisePlan, "an unknown phase is entered", "%s", entered[0])
			return
		}
		next = i
		if at := c.after.Phase; at != entered[0] || c.after.Done != g.IsEnd(i) {
			c.broken(PromisePlan, "the state is not at the entered phase", "entered %q, at %s", entered[0], c.now.Position())
		}
		if c.afterWork.Runs(i) == phases.False && i != c.afterWork.Current() {
			c.broken(PromisePlan, "a phase is entered that the plan leaves out", "%s, which %s", entered[0], c.afterWork.Why(i).Text)
		}
	}
	names, end := c.leaving.Available()
	if next == g.Len() && !end || next < g.Len() && !slices.Contains(names, g.Phase(next).Name) {
		c.broken(PromisePlan, "the machine does not offer what comes next", "entered %q, offered %q", entered, names)
	}
	if depends := c.leaving.Depends(); depends != 0 && !g.IsCleanup() {
		c.broken(PromiseUnknown, "a run moves although an unknown flag decides the next phase or its step",
			"from %s to %s, offered %q, unknown %q",
			c.afterWork.Position(), c.now.Position(), names, g.Vocabulary().Names(depends))
	}
	c.under(c.leaving)
	if c.drifted != 0 || hasJumps(g) && c.loops() {
		return
	}
	for i := range g.Len() {
		if i == next || i == c.was.Current() || c.was.Runs(i) != phases.True || c.was.Tentative(i) || c.now.Runs(i) == phases.True {
			continue
		}
		c.broken(PromisePlan, "a phase does not run although the plan called it certain",
			"%s, planned at %s", g.Phase(i).Name, c.was.Position())
	}
}

// present checks that the current phase was entered, now or before.
func (c *checking) present() {
	if c.after.Phase == "" || slices.Contains(c.entered(), c.after.Phase) {
		return
	}
	if c.before.Itinerary == c.after.Itinerary {
		if i, err := c.graph.Lookup(c.before.Phase); err == nil && c.graph.Phase(i).Name == c.after.Phase {
			return
		}
	}
	if c.before.Itinerary != c.after.Itinerary || c.before.Phase != c.after.Phase {
		c.broken(PromisePlan, "the run is in a phase that it has not entered", "%s", c.after.Phase)
	}
}

// first checks the first phase that is entered in an itinerary.
func (c *checking) first(entered string) {
	m, err := c.graph.NewMachine(machine.Position{}, c.now.Facts())
	if err != nil {
		return
	}
	if names, _ := m.Available(); !slices.Contains(names, entered) {
		c.broken(PromisePlan, "an itinerary does not begin with the first phase that runs", "entered %q, offered %q", entered, names)
	}
	awaits := m.Awaits() // at the start, which under leaves
	c.under(m)
	if awaits != 0 {
		c.broken(PromiseUnknown, "an itinerary begins although its plan depends on an unknown flag that no phase ahead decides",
			"%s", strings.Join(c.graph.Vocabulary().Names(awaits), ", "))
	}
}

// under checks that a phase is entered under the step that counts for it, given a machine at the
// previous position.
func (c *checking) under(m *machine.Machine) {
	t, err := m.Advance(context.Background())
	if err == nil && t.To.Phase == c.after.Phase && t.To.Step != c.after.Step {
		c.broken(PromiseSteps, "a phase is entered under another step than the one that counts",
			"%s under %q, not under %q", c.after.Phase, c.after.Step, t.To.Step)
	}
}

// loops reports whether the machine loops by the current facts. Phases that are certain only if the
// run ends are not reached then; an exploration reports loops without an end.
func (c *checking) loops() bool {
	m, err := c.graph.NewMachine(c.now.Position(), c.now.Facts())
	if err != nil {
		return false
	}
	seen := make(map[machine.Position]bool)
	for !m.Position().Done {
		if seen[m.Position()] {
			return true
		}
		seen[m.Position()] = true
		if _, err := m.Advance(context.Background()); err != nil {
			return false
		}
	}
	return false
}

// steps checks [PromiseSteps] and [PromiseExplained].
func (c *checking) steps() {
	var ranBefore, ran, waiting []string
	for i := range c.before.Pipeline {
		if s := &c.before.Pipeline[i]; s.Ran() {
			ranBefore = append(ranBefore, s.Name)
		}
	}
	for i := range c.after.Pipeline {
		s := &c.after.Pipeline[i]
		switch {
		case s.Skipped:
			c.broken(PromiseSteps, "a step is marked skipped", "%s", s.Name)
		case s.Ran():
			ran = append(ran, s.Name)
			if len(waiting) > 0 {
				c.broken(PromiseSteps, "a step that has started follows one that has not", "%s", s.Name)
			}
		default:
			waiting = append(waiting, s.Name)
		}
	}
	if len(ran) < len(ranBefore) || !slices.Equal(ran[:len(ranBefore)], ranBefore) {
		c.broken(PromiseSteps, "steps that have started are lost or reordered", "before %q, now %q", ranBefore, ran)
	}
	if c.after.Done {
		if len(waiting) > 0 {
			c.broken(PromiseSteps, "a step that never ran is listed at the end", "%q", waiting)
		}
		if end, err := c.graph.Lookup(c.after.Phase); err == nil {
			if k := c.now.StepOf(end); k >= 0 && !slices.Contains(ran, c.graph.Steps()[k]) {
				c.broken(PromiseSteps, "the step of the end phase is not shown", "%s of %s", c.graph.Steps()[k], c.after.Phase)
			}
		}
		return
	}
	if c.stays() && c.same && c.before.Step != c.after.Step {
		c.broken(PromiseSteps, "the step of a phase changes while it is at work",
			"%s was under %q, is under %q", c.after.Phase, c.before.Step, c.after.Step)
	}
	ahead := func(names []string) []string {
		return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(ran, name) })
	}
	visible, possible := ahead(steps.Visible(c.now)), ahead(steps.Possible(c.now))
	certain := slices.DeleteFunc(slices.Clone(waiting), func(name string) bool { return slices.Contains(possible, name) })
	if !slices.Equal(certain, visible) {
		c.broken(PromiseSteps, "the steps listed are not those that the plan shows",
			"at %s: listed %q, planned %q", c.now.Position(), waiting, visible)
	}
	if c.before.Itinerary == c.after.Itinerary {
		return
	}
	for i := range c.graph.Len() {
		if why := c.now.Why(i); c.now.Runs(i) != phases.True && (why == nil || why.Text == "") {
			c.broken(PromiseExplained, "a phase is left out without a reason", "%s", c.graph.Phase(i).Name)
		}
	}
}

// decided returns the flags that are decided by the phase in which the reconcile began, and by the
// phases whose handlers it called, with the flags that are computed from them.
func (c *checking) decided() (flags phases.Flags) {
	add := func(g *machine.Graph, phase string) {
		if g == nil || phase == "" {
			return
		}
		if i, err := g.Lookup(phase); err == nil {
			flags |= g.Decides(i)
		}
	}
	add(c.previousGraph, c.before.Phase)
	for _, one := range c.calls {
		add(c.graphOf(one.itinerary), one.phase)
	}
	return flags | c.sources.Computed(flags)
}

// evaluatedOnce checks [PromiseFlags]: no known flag is evaluated unless a phase has decided it
// since, and no phase is judged by a value from before a phase that may have changed it.
func (c *checking) evaluatedOnce() {
	v := c.graph.Vocabulary()
	known := v.Facts(c.before.Facts).Known()
	seen := map[string]bool{}
	for _, event := range c.events {
		evaluated, ok := event.(runner.FlagEvaluated)
		if !ok {
			continue
		}
		flag, _ := v.Lookup(evaluated.Flag)
		if known.Has(flag) && c.decided()&flag == 0 && c.before.Itinerary != "" && (c.same || c.before.Itinerary != c.after.Itinerary) {
			c.broken(PromiseFlags, "a known flag is evaluated", "%s", evaluated.Flag)
		}
		if seen[evaluated.Flag] && len(c.calls) <= 1 && c.same {
			c.broken(PromiseFlags, "a flag is evaluated twice in one reconcile", "%s", evaluated.Flag)
		}
		seen[evaluated.Flag] = true
	}

	facts := v.Facts(c.after.Facts)
	stale := differ(facts, c.truth) & c.graph.Reads() &^ c.drifted
	if i := c.now.Current(); i >= 0 {
		stale &^= c.graph.Decides(i) // it is evaluated once the phase is done
	}
	if c.after.Done {
		stale = 0 // nothing is judged after the end
	}
	if stale != 0 {
		c.broken(PromiseFlags, "phases are judged by an outdated value",
			"%s, at %s; let the phase that changes it decide it", strings.Join(v.Names(stale), ", "), c.now.Position())
	}
}

// completed checks [PromiseCompleted].
func (c *checking) completed() {
	ahead := make([]bool, len(c.graph.Steps())) // by index: a phase that does not ride is certain to come
	possible := make([]bool, len(c.graph.Steps()))
	reported := steps.DisplaySteps(c.now)
	for i := range c.now.Each {
		runs := c.now.Runs(i)
		if i == c.now.Current() || runs == phases.False {
			continue
		}
		for k, t := range c.now.Under(i) {
			possible[k] = true
			ahead[k] = ahead[k] || runs == phases.True && t == phases.True && !c.graph.Rides(i)
		}
		if k := c.graph.StepIndex(reported[i]); k >= 0 {
			possible[k] = true
		}
	}
	for i := range c.after.Pipeline {
		s := &c.after.Pipeline[i]
		k := c.graph.StepIndex(s.Name)
		current := s.Phase != "" && s.Phase == c.after.Phase
		if at := c.now.Current(); current && k != c.now.StepOf(at) && !c.graph.Rides(at) {
			c.broken(PromiseSteps, "a phase is shown under another step than its own", "%s under %s", s.Phase, s.Name)
		}
		was, _ := c.before.Pipeline.Lookup(s.Name)
		switch {
		case s.Completed != nil && current:
			c.broken(PromiseCompleted, "the step of the current phase is completed", "%s", s.Name)
		case s.Completed != nil && c.same && len(c.calls) <= 1 && k >= 0 && ahead[k] && (was == nil || was.Completed == nil):
			// A step that a switch has interrupted is completed, whatever the next itinerary has.
			c.broken(PromiseCompleted, "a step is completed although a phase of it is ahead", "%s, at %s", s.Name, c.now.Position())
		case s.Open() && c.after.Done:
			c.broken(PromiseCompleted, "a step is open at the end", "%s", s.Name)
		case s.Open() && !current && c.after.Phase != "" && (k < 0 || !possible[k]) && s.Phase == "":
			c.broken(PromiseCompleted, "a step is open although nothing ahead belongs to it", "%s, at %s", s.Name, c.now.Position())
		}
		switch {
		case was == nil:
		case was.Started != nil && (s.Started == nil || !s.Started.Equal(was.Started)):
			c.broken(PromiseCompleted, "the start of a step changes", "%s", s.Name)
		case was.Failed && !s.Failed:
			c.broken(PromiseCompleted, "a failed step is no longer failed", "%s", s.Name)
		case was.Completed != nil && s.Completed == nil && !current:
			c.broken(PromiseCompleted, "a completed step is reopened although none of its phases is entered", "%s", s.Name)
		}
	}
}
