package oracle

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Visit is one stay in a phase, and the step under which it was entered.
type Visit struct{ Itinerary, Phase, Step string }

// run is the state that a run must have by the rules.
type run struct {
	itinerary, phase string // empty phase: not begun, or done after the last
	step             string // of a phase with guarded steps
	choice           string // of a phase whose work is done
	notBefore        time.Time
	workDone, done   bool
	failedHere       bool // the phase failed, and no itinerary handles the failure
	known            map[string]bool
	entered          []string // itineraries
	visits           []Visit
	failed           []Visit
	failures         int // outside cleanup itineraries
	result           string

	enteredAt, pausedSince time.Time
	paused                 time.Duration
	attempts               int
}

func (r run) clone() run {
	r.known = maps.Clone(r.known)
	r.entered, r.visits, r.failed = slices.Clone(r.entered), slices.Clone(r.visits), slices.Clone(r.failed)
	return r
}

// judge walks a trace.
type judge struct {
	def        Definition
	kept       run // as persisted
	is         run // in this reconcile
	in         *Itinerary
	atStart    map[string]bool // known flags when the itinerary was entered
	now        time.Time
	held       string // why nothing may happen, or empty
	reconciles bool   // between Begin and End
	asked      bool
	late       bool
	called     bool
	unanswered bool // a phase failed, and the selector has not been evaluated yet
	// remembered is the number of attempts that the process knows of, beyond
	// the persisted ones.
	remembered int
}

// Check returns nil if a trace follows the rules, and an [*Error] otherwise.
// In both cases it returns the phases that were entered.
func Check(def Definition, trace []Event) ([]Visit, error) {
	j := &judge{def: def, kept: run{known: map[string]bool{}}}
	j.is = j.kept.clone()
	for i, e := range trace {
		if problem := j.see(e); problem != "" {
			return j.is.visits, &Error{At: i, Event: e, Problem: problem}
		}
	}
	return j.kept.visits, nil
}

func (j *judge) see(e Event) (problem string) {
	if e.Kind == Kill {
		j.remembered = 0
		return ""
	}
	if !j.reconciles && e.Kind != Begin && e.Kind != End {
		return "nothing is being reconciled"
	}
	if j.held != "" && e.Kind != End && e.Kind != Select {
		return "nothing may happen: " + j.held
	}
	if j.unanswered && e.Kind != Select {
		return "the selector was not evaluated after a failure"
	}
	if j.called && e.Kind != Return {
		return "a handler is still at work"
	}
	switch e.Kind {
	case Begin:
		return j.begin(e)
	case Evaluate, Outage:
		return j.ask(e)
	case Call:
		return j.call(e)
	case Return:
		return j.returned(e)
	case Select:
		return j.answer(e.Itinerary)
	case End:
		return j.end(e)
	}
	return "unknown kind of event"
}

func second(t time.Time) time.Time { return t.Truncate(time.Second) }

// mayLeave reports whether an itinerary that has begun may be left for another.
func mayLeave(from, to *Itinerary) bool {
	return !from.Cleanup || to.Cleanup && to.Result != "Failed"
}

func (j *judge) begin(e Event) string {
	j.is, j.now, j.reconciles, j.asked = j.kept.clone(), e.At, true, false
	r := &j.is
	r.attempts = max(r.attempts, j.remembered)
	// A time in the future was written before the clock was set back.
	for _, t := range []*time.Time{&r.enteredAt, &r.pausedSince} {
		if t.After(second(e.At)) {
			*t = second(e.At)
		}
	}
	selected := j.def.find(e.Itinerary)
	if selected == nil {
		return "no such itinerary"
	}
	j.in = selected
	switching := false
	if r.done {
		j.held = "the run is done"
		return ""
	}
	if r.itinerary != "" {
		j.in = j.def.find(r.itinerary)
		switching = selected != j.in && (r.phase == "" || mayLeave(j.in, selected))
		if switching {
			j.in = selected
		}
	}
	if e.Paused && !j.in.Cleanup {
		j.held = "the run is paused"
		if r.pausedSince.IsZero() {
			r.pausedSince = second(e.At)
		}
		return ""
	}
	if !r.pausedSince.IsZero() {
		r.paused += max(second(e.At).Sub(r.pausedSince), 0)
		r.pausedSince = time.Time{}
	}
	switch {
	case switching:
		j.enter(selected)
	case r.failedHere:
		j.held = "the run is stopped, since no itinerary handles the failure of " + r.phase
	}
	j.atStart = maps.Clone(r.known)
	return ""
}

// enter switches to another itinerary.
func (j *judge) enter(to *Itinerary) {
	r := &j.is
	j.forget()
	r.itinerary, r.phase, r.step, r.failedHere = to.Name, "", "", false
	r.workDone, r.choice, r.notBefore = false, "", time.Time{}
	r.paused, r.pausedSince, r.attempts = 0, time.Time{}, 0
	j.in, j.atStart = to, maps.Clone(r.known)
}

// forget makes the flags that the current phase decides unknown.
func (j *judge) forget() {
	r := &j.is
	if it := j.def.find(r.itinerary); it != nil && r.phase != "" {
		for _, f := range it.Phases[it.index(r.phase)].Decides {
			delete(r.known, f)
		}
	}
}

func (j *judge) ask(e Event) string {
	r := &j.is
	j.asked = true
	if e.Kind == Outage {
		return ""
	}
	if r.phase != "" && !r.workDone {
		return fmt.Sprintf("flags are evaluated before the work of %s is done", r.phase)
	}
	if e.At.Before(r.notBefore) {
		return fmt.Sprintf("a flag is evaluated before %s, when the run continues", r.notBefore.Format(time.TimeOnly))
	}
	if is, ok := r.known[e.Flag]; ok {
		return fmt.Sprintf("a flag that is known to be %t is evaluated again", is)
	}
	if !j.in.reads()[e.Flag] {
		return fmt.Sprintf("itinerary %s does not read the flag", j.in.Name)
	}
	if e.Value == "true" || e.Value == "false" {
		r.known[e.Flag] = e.Value == "true"
	}
	return ""
}

// settle enters the next phase if the current one is done and the next one is
// known. Phase and done are the recorded position. It counts only if the rules
// leave open whether the run continues now.
func (j *judge) settle(phase string, done bool) (problem string) {
	r := &j.is
	if j.held != "" || r.done || r.failedHere || r.phase != "" && !r.workDone || j.now.Before(r.notBefore) {
		return ""
	}
	at := j.in.index(r.phase)
	next := j.in.next(at, r.choice, r.known, false)
	if len(next) > 1 && !j.asked {
		return fmt.Sprintf("the phase after %q, or its step, depends on an unknown flag, and none was evaluated", r.phase)
	}
	if j.in.Cleanup {
		next = j.in.next(at, r.choice, r.known, true)
	}
	if len(next) > 1 {
		return "" // it waits
	}
	if r.phase == "" && !j.in.Cleanup {
		if j.in.waitsFor(r.known) != "" {
			return ""
		}
		all := true // every flag that is read is known
		for f := range j.in.reads() {
			_, ok := r.known[f]
			all = all && ok
		}
		if !all && phase == "" && !done {
			return "" // the rules allow both
		}
	}
	for to := range next {
		j.move(to)
	}
	return ""
}

// move leaves the current phase for a place.
func (j *judge) move(to place) {
	r := &j.is
	if r.phase == "" { // an itinerary is recorded when its first phase is entered
		r.itinerary = j.in.Name
		r.entered = append(r.entered, j.in.Name)
	}
	r.phase, r.step, r.failedHere = "", "", false
	r.workDone, r.choice, r.notBefore = false, "", time.Time{}
	r.paused, r.pausedSince, r.attempts = 0, time.Time{}, 0
	r.done = to.row == len(j.in.Phases)
	if !r.done {
		p := j.in.Phases[to.row]
		r.phase, r.enteredAt, r.done = p.Name, second(j.now), p.End
		if p.Steps != nil {
			r.step = to.step
		}
		r.visits = append(r.visits, Visit{j.in.Name, p.Name, to.step})
	}
	if r.done {
		r.result = j.result()
	}
}

// result returns the result of the run, by the itineraries that were entered.
func (j *judge) result() string {
	named := func(it *Itinerary) string {
		if it.Result == "" {
			return "Succeeded"
		}
		return it.Result
	}
	if j.is.failures > 0 {
		return "Failed"
	}
	cleanup := ""
	for _, name := range j.is.entered {
		it := j.def.find(name)
		if named(it) == "Canceled" {
			return "Canceled"
		}
		if it.Cleanup && cleanup == "" {
			cleanup = named(it)
		}
	}
	if cleanup != "" {
		return cleanup
	}
	return named(j.in)
}

func (j *judge) call(e Event) string {
	if problem := j.settle(e.Phase, false); problem != "" {
		return problem
	}
	r := &j.is
	switch {
	case r.failedHere:
		return fmt.Sprintf("a handler is called although %s failed", r.phase)
	case r.done:
		return "a handler is called although the run is done"
	case r.itinerary != e.Itinerary || r.phase != e.Phase:
		return fmt.Sprintf("the run must be in phase %q of itinerary %q; known are %s", r.phase, r.itinerary, describe(r.known))
	case r.workDone:
		return "the handler is called again although its work is done"
	}
	deadline := j.in.Phases[j.in.index(r.phase)].Deadline
	j.late = deadline > 0 && !e.At.Before(r.enteredAt.Add(time.Second+deadline+r.paused))
	j.called = true
	return ""
}

func (j *judge) returned(e Event) string {
	if !j.called {
		return "no handler was called"
	}
	r := &j.is
	j.called, j.now = false, e.At
	phase := j.in.Phases[j.in.index(r.phase)]
	undeclared := e.Choice != "" && !slices.Contains(phase.choices(), e.Choice)
	switch e.Value {
	case "done":
		if undeclared && !j.in.Cleanup {
			r.attempts = 0
			j.held = fmt.Sprintf("the run is stopped, since %s does not declare the choice %s", r.phase, e.Choice)
			return ""
		}
		if !undeclared {
			j.done()
			r.choice = e.Choice
			if e.After > 0 { // in whole seconds
				r.notBefore = second(e.At.Add(e.After + time.Second - 1))
			}
			return ""
		}
	case "wait":
		r.attempts = 0
		if !j.late {
			return ""
		}
	case "error":
		r.attempts++
		if !j.late && (phase.MaxAttempts == 0 || r.attempts < phase.MaxAttempts) {
			return ""
		}
	case "fail":
	default:
		return "a handler must return done, wait, fail or error"
	}
	r.failed = append(r.failed, r.visits[len(r.visits)-1])
	if !j.in.Cleanup {
		r.failures++
	}
	r.failedHere, j.unanswered = true, true
	return ""
}

// done records that the current phase may be left: its work is done, or it
// failed in a cleanup itinerary.
func (j *judge) done() {
	j.forget()
	j.is.workDone, j.is.failedHere, j.is.attempts = true, false, 0
}

// answer applies the itinerary that the object selects after a failure.
func (j *judge) answer(selected string) string {
	if !j.unanswered {
		return "" // the selector may be evaluated at any time
	}
	j.unanswered = false
	to := j.def.find(selected)
	switch {
	case to == nil:
		return "no such itinerary"
	case to == j.in && !j.in.Cleanup:
		j.held = "the run is stopped, since no itinerary handles the failure of " + j.is.phase
	case to == j.in || !mayLeave(j.in, to):
		j.done()
	default:
		j.enter(to)
	}
	return ""
}

func (j *judge) end(e Event) string {
	switch {
	case !j.reconciles:
	case e.Lost:
		j.remembered = 0
		if len(j.is.visits) == len(j.kept.visits) && j.is.itinerary == j.kept.itinerary {
			j.remembered = j.is.attempts
		}
		j.is = j.kept.clone()
	default:
		j.remembered = 0
		if problem := j.settle(e.Kept.Phase, e.Kept.Done); problem != "" {
			return problem
		}
	}
	if j.is.phase == "" && !j.is.done && !e.Lost && j.held == "" && j.reconciles {
		j.is.known = j.atStart // not begun: every flag is evaluated again
	}
	j.kept, j.reconciles, j.held, j.called, j.unanswered = j.is.clone(), false, "", false, false
	return j.compare(e.Kept)
}

// compare compares the persisted state with the required one.
func (j *judge) compare(k Kept) string {
	r := &j.is
	type position struct {
		itinerary, phase, step, choice string
		workDone, done                 bool
	}
	must := position{r.itinerary, r.phase, r.step, r.choice, r.workDone, r.done}
	is := position{k.Itinerary, k.Phase, k.Step, k.Choice, k.WorkDone, k.Done}
	if r.failedHere {
		is.workDone = must.workDone
	}
	inCleanup := len(r.failed) - r.failures
	switch {
	case must != is:
		return fmt.Sprintf("the run must be at %+v, and is at %+v; known are %s", must, is, describe(r.known))
	case j.now.Before(r.notBefore) && !k.NotBefore.Equal(r.notBefore):
		return fmt.Sprintf("the run must not continue before %s; recorded is %s", r.notBefore, k.NotBefore)
	case k.Failed != r.failures || k.FailedInCleanup != inCleanup:
		return fmt.Sprintf("%d phases failed, and %d in cleanup itineraries; recorded are %d and %d",
			r.failures, inCleanup, k.Failed, k.FailedInCleanup)
	case r.done && k.Result != r.result:
		return fmt.Sprintf("the result must be %s, and is %q", r.result, k.Result)
	}
	return j.steps(k.Steps)
}

// steps checks the visible steps.
func (j *judge) steps(all []Step) string {
	r := &j.is
	var must, may, failed []string // phases that ride may or may not show their step
	current := ""                  // the step that is open
	add := func(list []string, name string) []string {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
		return list
	}
	rides := false
	for _, v := range r.visits {
		if v.Step == "" { // an end phase needs no step
			continue
		}
		it := j.def.find(v.Itinerary)
		may = add(may, v.Step)
		current = v.Step
		if it.Phases[it.index(v.Phase)].Rides {
			rides, current = true, ""
			continue
		}
		must = add(must, v.Step)
		if slices.Contains(r.failed, v) {
			failed = add(failed, v.Step)
		}
	}
	if r.done || r.phase == "" || r.failedHere {
		current = ""
	}
	var started []string
	for _, s := range all {
		switch {
		case s.Skipped:
			return fmt.Sprintf("step %s is skipped", s.Name)
		case s.Started && slices.Contains(started, s.Name):
			return fmt.Sprintf("step %s is listed twice", s.Name)
		case r.done && !(s.Started && s.Completed):
			return fmt.Sprintf("the run is done, and step %s is not completed", s.Name)
		case s.Name == current && s.Completed:
			return fmt.Sprintf("step %s is completed, and a phase of it runs", s.Name)
		case s.Failed && !rides && !slices.Contains(failed, s.Name):
			return fmt.Sprintf("step %s reads failed, and no phase of it failed", s.Name)
		case !s.Failed && slices.Contains(failed, s.Name):
			return fmt.Sprintf("step %s does not read failed, and a phase of it failed", s.Name)
		}
		if s.Started {
			started = append(started, s.Name)
		}
	}
	if !rides && !slices.Equal(started, must) {
		return fmt.Sprintf("the steps that started must be %v, and are %v", must, started)
	}
	if problem := j.ahead(all, started); problem != "" {
		return problem
	}
	for _, s := range must {
		if !slices.Contains(started, s) {
			return fmt.Sprintf("step %s must have started; started are %v", s, started)
		}
	}
	for _, s := range started {
		if !slices.Contains(may, s) {
			return fmt.Sprintf("step %s has started, and no phase of it ran", s)
		}
	}
	return ""
}

// ahead checks the steps that have not started: they must be those of the
// phases that will run by the current flags. It checks nothing if a flag is
// unknown or if there are jumps.
func (j *judge) ahead(all []Step, started []string) string {
	r := &j.is
	if r.itinerary == "" || r.phase == "" && !r.done || r.failedHere {
		return ""
	}
	var must, are []string
	for _, s := range all {
		if !s.Started {
			are = append(are, s.Name)
		}
	}
	it := j.def.find(r.itinerary)
	for at := it.index(r.phase); !r.done; {
		if slices.ContainsFunc(it.Phases, func(p Phase) bool { return p.Jumps != nil }) {
			return ""
		}
		next := it.next(at, r.choice, r.known, false)
		if len(next) > 1 {
			return ""
		}
		var to place
		for to = range next {
		}
		if at = to.row; at == len(it.Phases) {
			break
		}
		p := it.Phases[at]
		if !p.Rides && to.step != "" && !slices.Contains(started, to.step) && !slices.Contains(must, to.step) {
			must = append(must, to.step)
		}
		if p.End {
			break
		}
	}
	if !slices.Equal(must, are) {
		return fmt.Sprintf("the steps ahead must be %v, and are %v", must, are)
	}
	return ""
}

func describe(known map[string]bool) string {
	var all []string
	for _, f := range slices.Sorted(maps.Keys(known)) {
		all = append(all, fmt.Sprintf("%s=%t", f, known[f]))
	}
	return "[" + strings.Join(all, " ") + "]"
}
