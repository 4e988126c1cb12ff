package oracle

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// definition has a phase that decides a flag, one that may follow, one with a
// deadline, and a loop into itself.
var definition = Definition{
	{Name: "Main", Phases: []Phase{
		{Name: "Scan", Step: "Look", Decides: []string{"Pods"}},
		{Name: "Copy", Step: "Work", Guard: Guard{All: []string{"Pods"}}, Deadline: time.Minute},
		{Name: "Turn", Step: "Work", Guard: Guard{None: []string{"Due"}}, Decides: []string{"Due"}, Jumps: []Jump{{To: "Turn"}}},
		{Name: "Finish", Step: "End"},
	}},
	{Name: "Cancel", Cleanup: true, Result: "Canceled", Phases: []Phase{
		{Name: "Delete", Step: "Clean", Guard: Guard{All: []string{"Pods"}}},
		{Name: "Canceled", Step: "Clean"},
	}},
	{Name: "Failed", Cleanup: true, Result: "Failed", Phases: []Phase{{Name: "Repair", Step: "Fix"}}},
	{Name: "Warm", Phases: []Phase{
		{Name: "Inspect", Step: "Initialize", Decides: []string{"Inspected"}},
		{
			Name: "Copy", Step: "Initialize", Steps: []GuardedStep{{Step: "Transfer", Guard: Guard{All: []string{"Inspected"}}}},
			Decides: []string{"Inspected"},
			Jumps:   []Jump{{To: "Inspect", Guard: Guard{All: []string{"Inspected"}}}, {To: "Copy", Choice: true}, {To: "Completed", Choice: true}},
		},
		{Name: "Completed", Step: "End", End: true},
		{Name: "Never", Step: "Never"},
	}},
	{Name: "Undo", Cleanup: true, Phases: []Phase{
		{Name: "Revert", Step: "Undo", Steps: []GuardedStep{{Step: "Other", Guard: Guard{All: []string{"Other"}}}}},
		{Name: "Reverted", End: true},
	}},
}

var noon = time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)

// story builds a trace, event by event.
type story struct {
	trace []Event
	now   time.Time
	in    Kept
}

func (s *story) add(e Event) { e.At = s.now; s.trace = append(s.trace, e) }

func (s *story) begin(selected string) { s.add(Event{Kind: Begin, Itinerary: selected}) }

func (s *story) ask(flag, value string) { s.add(Event{Kind: Evaluate, Flag: flag, Value: value}) }

func (s *story) call(phase, value string) {
	s.add(Event{Kind: Call, Itinerary: s.in.Itinerary, Phase: phase})
	s.add(Event{Kind: Return, Itinerary: s.in.Itinerary, Phase: phase, Value: value})
}

// choose is a call whose handler is done and makes a choice, with a delay.
func (s *story) choose(phase, choice string, after time.Duration) {
	s.add(Event{Kind: Call, Itinerary: s.in.Itinerary, Phase: phase})
	s.add(Event{Kind: Return, Itinerary: s.in.Itinerary, Phase: phase, Value: "done", Choice: choice, After: after})
}

// end ends a reconcile. All started steps are completed, except those in open.
func (s *story) end(itinerary, phase, open string, steps ...string) *Kept {
	s.in.Itinerary, s.in.Phase, s.in.Steps = itinerary, phase, nil
	for _, name := range steps {
		s.in.Steps = append(s.in.Steps, Step{Name: name, Started: true, Completed: name != open})
	}
	s.add(Event{Kind: End, Kept: s.in})
	return &s.trace[len(s.trace)-1].Kept
}

// canceled is the story of a run that is canceled during the scan. By then
// there are pods.
func canceled() []Event {
	s := &story{now: noon}
	s.begin("Main")
	s.ask("Pods", "false")
	s.ask("Due", "true")
	s.end("Main", "Scan", "Look", "Look")
	s.begin("Main")
	s.call("Scan", "wait")
	s.end("Main", "Scan", "Look", "Look")
	s.begin("Cancel")
	s.ask("Pods", "true")
	s.in.Result = "Canceled"
	s.end("Cancel", "Delete", "Clean", "Look", "Clean")
	s.begin("Cancel")
	s.call("Delete", "done")
	s.end("Cancel", "Canceled", "Clean", "Look", "Clean")
	s.begin("Cancel")
	s.call("Canceled", "done")
	s.in.Done = true
	s.end("Cancel", "", "", "Look", "Clean")
	return s.trace
}

// looped is the story of a run that scans, waits for the flags, fails at a
// deadline in its turn, and is cleaned up.
func looped() []Event {
	s := &story{now: noon}
	s.begin("Main")
	s.ask("Pods", "not yet")
	s.ask("Due", "false")
	s.end("Main", "Scan", "Look", "Look")
	s.begin("Main")
	s.call("Scan", "done")
	s.ask("Pods", "error")
	s.in.WorkDone = true
	s.end("Main", "Scan", "Look", "Look")
	s.begin("Main")
	s.ask("Pods", "false")
	s.in.WorkDone = false
	s.end("Main", "Turn", "Work", "Look", "Work")
	s.begin("Main")
	s.call("Turn", "done")
	s.ask("Due", "false")
	s.end("Main", "Turn", "Work", "Look", "Work") // once more
	s.begin("Main")
	s.call("Turn", "fail")
	s.add(Event{Kind: Select, Itinerary: "Failed"})
	s.in.Result, s.in.Failed = "Failed", 1
	s.end("Failed", "Repair", "Fix", "Look", "Work", "Fix").Steps[1].Failed = true
	s.begin("Failed")
	s.call("Repair", "done")
	s.in.Done = true
	s.end("Failed", "", "", "Look", "Work", "Fix").Steps[1].Failed = true
	return s.trace
}

// chosen is the story of a run whose handler chooses to copy once more
// although a jump admits, then makes an undeclared choice, and then chooses
// the end, which comes ten seconds later.
func chosen() []Event {
	s := &story{now: noon}
	s.begin("Warm")
	s.ask("Inspected", "not yet")
	s.end("Warm", "Inspect", "Initialize", "Initialize")
	s.begin("Warm")
	s.call("Inspect", "done")
	s.ask("Inspected", "true")
	s.in.Step = "Transfer"
	s.end("Warm", "Copy", "Transfer", "Initialize", "Transfer")
	s.begin("Warm")
	s.choose("Copy", "Copy", 0)
	s.ask("Inspected", "error")
	s.in.WorkDone, s.in.Choice = true, "Copy"
	s.end("Warm", "Copy", "Transfer", "Initialize", "Transfer")
	s.begin("Warm")
	s.ask("Inspected", "false")
	s.in.WorkDone, s.in.Choice, s.in.Step = false, "", "Initialize"
	s.end("Warm", "Copy", "Initialize", "Initialize", "Transfer")
	s.begin("Warm")
	s.choose("Copy", "Never", 0)
	s.end("Warm", "Copy", "Initialize", "Initialize", "Transfer")
	s.begin("Warm")
	s.choose("Copy", "Completed", 9500*time.Millisecond)
	s.in.WorkDone, s.in.Choice, s.in.NotBefore = true, "Completed", noon.Add(10*time.Second)
	s.end("Warm", "Copy", "Initialize", "Initialize", "Transfer")
	s.now = noon.Add(9 * time.Second)
	s.begin("Warm")
	s.end("Warm", "Copy", "Initialize", "Initialize", "Transfer")
	s.now = noon.Add(10 * time.Second)
	s.begin("Warm")
	s.ask("Inspected", "true")
	s.in = Kept{Done: true, Result: "Succeeded"}
	s.end("Warm", "Completed", "", "Initialize", "Transfer", "End")
	return s.trace
}

// undeclared is the story of a cleanup itinerary whose first phase fails,
// because its handler makes an undeclared choice. Its step depends on an
// unknown flag.
func undeclared() []Event {
	s := &story{now: noon}
	s.begin("Undo")
	s.ask("Other", "error")
	s.in.Step = "Undo"
	s.end("Undo", "Revert", "Undo", "Undo")
	s.begin("Undo")
	s.choose("Revert", "Never", 0)
	s.add(Event{Kind: Select, Itinerary: "Undo"})
	s.in = Kept{Done: true, Result: "Succeeded", FailedInCleanup: 1}
	s.end("Undo", "Reverted", "", "Undo").Steps[0].Failed = true
	return s.trace
}

// late is the story of a phase that was paused and meets its deadline.
func late(works, paused time.Duration, value string) []Event {
	s := &story{now: noon}
	s.begin("Main")
	s.ask("Pods", "true")
	s.ask("Due", "true")
	s.end("Main", "Scan", "Look", "Look")
	s.begin("Main")
	s.call("Scan", "done")
	s.ask("Pods", "true")
	s.end("Main", "Copy", "Work", "Look", "Work")
	s.add(Event{Kind: Begin, Itinerary: "Main", Paused: true})
	s.end("Main", "Copy", "Work", "Look", "Work")
	s.now = s.now.Add(paused)
	s.begin("Main")
	s.call("Copy", "wait")
	s.end("Main", "Copy", "Work", "Look", "Work")
	s.now = s.now.Add(works)
	s.begin("Main")
	s.call("Copy", value)
	return s.trace
}

// failedAt ends a late story with a failure.
func failedAt(trace []Event) []Event {
	s := &story{now: trace[len(trace)-1].At, trace: trace}
	s.add(Event{Kind: Select, Itinerary: "Failed"})
	s.in.Failed = 1
	s.end("Failed", "Repair", "Fix", "Look", "Work", "Fix").Steps[1].Failed = true
	return s.trace
}

func TestCheckOfGoodTraces(t *testing.T) {
	for name, c := range map[string]struct {
		trace  []Event
		visits []Visit
	}{
		"a cancel": {canceled(), []Visit{{"Main", "Scan", "Look"}, {"Cancel", "Delete", "Clean"}, {"Cancel", "Canceled", "Clean"}}},
		"a loop":   {looped(), []Visit{{"Main", "Scan", "Look"}, {"Main", "Turn", "Work"}, {"Main", "Turn", "Work"}, {"Failed", "Repair", "Fix"}}},
		"a failure at the deadline, after a pause of hours and a last call": {
			failedAt(late(61*time.Second, 8*time.Hour, "wait")),
			[]Visit{{"Main", "Scan", "Look"}, {"Main", "Copy", "Work"}, {"Failed", "Repair", "Fix"}},
		},
		"a loop that its handler leaves": {chosen(), []Visit{
			{"Warm", "Inspect", "Initialize"}, {"Warm", "Copy", "Transfer"}, {"Warm", "Copy", "Initialize"}, {"Warm", "Completed", "End"},
		}},
		"a choice that is not declared, in a cleanup itinerary": {undeclared(), []Visit{{"Undo", "Revert", "Undo"}, {"Undo", "Reverted", ""}}},
	} {
		visits, err := Check(definition, c.trace)
		require.NoError(t, err, name)
		assert.Equal(t, c.visits, visits, name)
	}
}

func lastEvent(trace []Event) *Event { return &trace[len(trace)-1] }

// findEvent returns the index of the event of a kind with number n, counted
// from 0.
func findEvent(trace []Event, kind Kind, n int) int {
	for i, e := range trace {
		if e.Kind == kind {
			if n--; n < 0 {
				return i
			}
		}
	}
	panic("no such event")
}

// badStories lists edits that turn a story into one that violates a rule.
var badStories = []struct {
	name string
	of   []Event
	edit func([]Event) []Event
	want string
}{
	{"an old value counts after the cancel", canceled(), func(e []Event) []Event {
		i := findEvent(e, Evaluate, 2)
		e = slices.Delete(e, i, i+1)
		e[i].Kept.Phase = "Canceled"
		return e[:i+1]
	}, "depends on an unknown flag, and none was evaluated"},
	{"an unknown guard of a cleanup itinerary does not admit", canceled(), func(e []Event) []Event {
		i := findEvent(e, Evaluate, 2)
		e[i].Value, e[i+1].Kept.Phase = "error", "Canceled"
		return e
	}, "phase:Delete"},
	{"a phase is left out", canceled(), func(e []Event) []Event {
		i := findEvent(e, End, 2)
		e[i].Kept.Phase = "Canceled"
		return e
	}, "phase:Delete"},
	{"a cancel reads succeeded", canceled(), func(e []Event) []Event {
		lastEvent(e).Kept.Result = "Succeeded"
		return e
	}, `the result must be Canceled, and is "Succeeded"`},
	{"a step is skipped", canceled(), func(e []Event) []Event {
		lastEvent(e).Kept.Steps = append(lastEvent(e).Kept.Steps, Step{Name: "Work", Skipped: true})
		return e
	}, "step Work is skipped"},
	{"a step that ran is gone", canceled(), func(e []Event) []Event {
		lastEvent(e).Kept.Steps = lastEvent(e).Kept.Steps[1:]
		return e
	}, "the steps that started must be [Look Clean], and are [Clean]"},
	{"a step is not completed at the end", canceled(), func(e []Event) []Event {
		lastEvent(e).Kept.Steps[1].Completed = false
		return e
	}, "the run is done, and step Clean is not"},
	{"something happens after the end", canceled(), func(e []Event) []Event {
		return append(e, Event{Kind: Begin, Itinerary: "Main"}, Event{Kind: Call, Itinerary: "Main", Phase: "Scan"})
	}, "nothing may happen: the run is done"},
	{"a flag is evaluated twice", canceled(), func(e []Event) []Event {
		return slices.Insert(e, findEvent(e, Evaluate, 1), e[findEvent(e, Evaluate, 0)])
	}, "a flag that is known to be false is evaluated again"},
	{"a flag is evaluated that nothing reads", canceled(), func(e []Event) []Event {
		e[findEvent(e, Evaluate, 2)].Flag = "Other"
		return e
	}, "itinerary Cancel does not read the flag"},
	{"the loop into itself is not entered again", looped(), func(e []Event) []Event {
		i := findEvent(e, End, 3)
		e[i].Kept.Phase = "Finish"
		return e
	}, "phase:Turn"},
	{"the loop into itself is entered by the old value", looped(), func(e []Event) []Event {
		e[findEvent(e, Evaluate, 4)].Value = "true"
		return e
	}, "phase:Finish"},
	{"a handler whose work is done is called again", looped(), func(e []Event) []Event {
		i := findEvent(e, Evaluate, 3)
		e[i].Value = "error"
		return slices.Insert(e, i+1, e[findEvent(e, Call, 0)], e[findEvent(e, Return, 0)])
	}, "called again although its work is done"},
	{"work that is done is not recorded", looped(), func(e []Event) []Event {
		e[findEvent(e, End, 1)].Kept.WorkDone = false
		return e
	}, "workDone:true"},
	{"the run continues although the next phase is unknown", looped(), func(e []Event) []Event {
		i := findEvent(e, End, 1)
		e[i].Kept.Phase, e[i].Kept.WorkDone = "Turn", false
		return e
	}, "phase:Scan"},
	{"the next phase runs after a failure", looped(), func(e []Event) []Event {
		i := findEvent(e, Select, 0)
		e[i].Itinerary = "Main"
		e[i+1].Kept.Itinerary, e[i+1].Kept.Phase = "Main", "Finish"
		return e
	}, "phase:Turn"},
	{"the selector is not evaluated after a failure", looped(), func(e []Event) []Event {
		i := findEvent(e, Select, 0)
		return slices.Delete(e, i, i+1)
	}, "the selector was not evaluated after a failure"},
	{"a failure is not counted", looped(), func(e []Event) []Event {
		lastEvent(e).Kept.Failed = 0
		return e
	}, "1 phases failed"},
	{"the step of a failed phase does not read failed", looped(), func(e []Event) []Event {
		lastEvent(e).Kept.Steps[1].Failed = false
		return e
	}, "step Work does not read failed"},
	{"another step reads failed", looped(), func(e []Event) []Event {
		lastEvent(e).Kept.Steps[0].Failed = true
		return e
	}, "step Look reads failed"},
	{"a failure at the deadline without a last call", failedAt(late(61*time.Second, 8*time.Hour, "wait")), func(e []Event) []Event {
		i := len(e) - 4
		return slices.Delete(e, i, i+2)
	}, "phase:Copy"},
	{"a pause counts for the deadline", failedAt(late(59*time.Second, 8*time.Hour, "wait")), func(e []Event) []Event { return e }, "phase:Copy"},
	{"work that is done late fails", failedAt(late(time.Hour, 0, "done")), func(e []Event) []Event { return e }, "Finish"},
	{"a paused run is at work", late(0, 0, "done"), func(e []Event) []Event {
		e[findEvent(e, Begin, 3)].Paused = true
		return e
	}, "nothing may happen: the run is paused"},
	{"a phase is entered although its step is unknown", chosen(), func(e []Event) []Event {
		e[findEvent(e, Evaluate, 1)].Value = "error"
		return e
	}, "phase:Inspect step: choice: workDone:true"},
	{"an unknown guard of a step admits in a cleanup itinerary", undeclared(), func(e []Event) []Event {
		e[findEvent(e, End, 0)].Kept.Step = "Other"
		return e
	}, "step:Undo"},
	{"the step is evaluated again while the phase runs", chosen(), func(e []Event) []Event {
		e[findEvent(e, End, 2)].Kept.Step = "Initialize"
		return e
	}, "step:Transfer"},
	{"the phase is shown under its other step", chosen(), func(e []Event) []Event {
		k := &e[findEvent(e, End, 1)].Kept
		k.Steps = k.Steps[:1]
		return e
	}, "the steps that started must be [Initialize Transfer], and are [Initialize]"},
	{"the step of the phase reads completed", chosen(), func(e []Event) []Event {
		e[findEvent(e, End, 1)].Kept.Steps[1].Completed = true
		return e
	}, "step Transfer is completed, and a phase of it runs"},
	{"a choice is forgotten", chosen(), func(e []Event) []Event {
		e[findEvent(e, End, 2)].Kept.Choice = ""
		return e
	}, "choice:Copy"},
	{"a jump takes precedence over a choice", chosen(), func(e []Event) []Event {
		e[findEvent(e, Evaluate, 3)].Value = "true"
		i := findEvent(e, End, 3)
		e[i].Kept.Phase, e[i].Kept.Step = "Inspect", ""
		return e
	}, "phase:Copy step:Transfer"},
	{"the run continues after an undeclared choice", chosen(), func(e []Event) []Event {
		e[findEvent(e, End, 4)].Kept.WorkDone = true
		return e
	}, "workDone:false"},
	{"a handler is called although its choice has stopped the run", chosen(), func(e []Event) []Event {
		return slices.Insert(e, findEvent(e, End, 4), e[findEvent(e, Call, 3)])
	}, "nothing may happen: the run is stopped, since Copy does not declare the choice Never"},
	{"an undeclared choice counts in a cleanup itinerary", undeclared(), func(e []Event) []Event {
		i := findEvent(e, Select, 0)
		return slices.Delete(e, i, i+1)
	}, "the selector was not evaluated after a failure"},
	{"the delay is recorded too short", chosen(), func(e []Event) []Event {
		k := &e[findEvent(e, End, 5)].Kept
		k.NotBefore = k.NotBefore.Add(-time.Second)
		return e
	}, "the run must not continue before"},
	{"a flag is evaluated before the run continues", chosen(), func(e []Event) []Event {
		i := findEvent(e, End, 6)
		e[findEvent(e, Evaluate, 4)].At = e[i].At
		return slices.Insert(e, i, e[findEvent(e, Evaluate, 4)])
	}, "a flag is evaluated before 12:00:10"},
	{"the run continues before its time", chosen(), func(e []Event) []Event {
		i := findEvent(e, End, 6)
		e[i].Kept = lastEvent(e).Kept
		return e
	}, "phase:Copy step:Initialize choice:Completed workDone:true done:false"},
	{"the run does not continue when its time has come", chosen(), func(e []Event) []Event {
		lastEvent(e).Kept = e[findEvent(e, End, 6)].Kept
		return e
	}, "phase:Completed step: choice: workDone:false done:true"},
	{"an end phase does not end", chosen(), func(e []Event) []Event {
		lastEvent(e).Kept.Done = false
		return e
	}, "done:true"},
	{"the handler of an end phase is called", chosen(), func(e []Event) []Event {
		i := len(e) - 1
		return slices.Insert(e, i, Event{Kind: Call, At: e[i].At, Itinerary: "Warm", Phase: "Completed"})
	}, "a handler is called although the run is done"},
	{"the run continues after an end phase", chosen(), func(e []Event) []Event {
		lastEvent(e).Kept.Phase = "Never"
		return e
	}, "phase:Completed"},
	{"the name of the end phase is gone", chosen(), func(e []Event) []Event {
		lastEvent(e).Kept.Phase = ""
		return e
	}, "phase:Completed"},
	{"what is lost is kept", canceled(), func(e []Event) []Event {
		e[findEvent(e, End, 2)].Lost = true
		return e
	}, "the run must be at {itinerary:Main phase:Scan"},
}

func TestCheckOfBadTraces(t *testing.T) {
	for _, c := range badStories {
		t.Run(c.name, func(t *testing.T) {
			_, err := Check(definition, c.edit(slices.Clone(c.of)))
			var problem *Error
			require.ErrorAs(t, err, &problem)
			assert.Contains(t, problem.Problem, c.want)
		})
	}
}

// A run that has not begun waits exactly for the flags that no phase ahead
// decides.
func TestBeginningWaitsForUndecidedFlags(t *testing.T) {
	it := &Itinerary{Name: "Main", Phases: []Phase{
		{Name: "A", Decides: []string{"Later"}},
		{Name: "B", Guard: Guard{All: []string{"Given", "Later"}}},
		{Name: "C", Guard: Guard{Any: []string{"Other", "Given"}}},
	}}
	for _, c := range []struct {
		known map[string]bool
		want  string
	}{
		{map[string]bool{}, "Given"},
		{map[string]bool{"Given": true}, ""},
		{map[string]bool{"Given": false}, "Other"},
		{map[string]bool{"Given": false, "Other": true}, ""},
		{map[string]bool{"Other": true, "Later": false}, ""},
		{map[string]bool{"Other": true, "Later": true}, "Given"},
	} {
		assert.Equal(t, c.want, it.waitsFor(c.known), "%v", c.known)
	}
}

// As far as flags are known, the steps that have not started are exactly those
// of the phases that will run.
func TestStepsAhead(t *testing.T) {
	def := Definition{{Name: "Main", Phases: []Phase{
		{Name: "A", Step: "Begin"},
		{Name: "B", Step: "Work", Guard: Guard{All: []string{"X"}}},
		{Name: "C", Step: "Rides", Rides: true},
		{Name: "D", Step: "Begin"},
		{Name: "E", Step: "End"},
	}}}
	for _, c := range []struct {
		known map[string]bool
		ahead []string
		want  string
	}{
		{map[string]bool{"X": true}, []string{"Work", "End"}, ""},
		{map[string]bool{"X": false}, []string{"End"}, ""},
		{map[string]bool{}, []string{"Work", "End"}, ""},
		{map[string]bool{}, []string{"End"}, ""}, // left open
		{map[string]bool{"X": false}, []string{"Work", "End"}, "the steps ahead must be [End], and are [Work End]"},
		{map[string]bool{"X": true}, []string{"End"}, "the steps ahead must be [Work End], and are [End]"},
		{map[string]bool{"X": true}, []string{"End", "Work"}, "the steps ahead must be [Work End], and are [End Work]"},
		{map[string]bool{"X": false}, nil, "the steps ahead must be [End], and are []"},
	} {
		j := &judge{def: def, is: run{itinerary: "Main", phase: "A", known: c.known}}
		all := []Step{{Name: "Begin", Started: true}}
		for _, name := range c.ahead {
			all = append(all, Step{Name: name})
		}
		assert.Equal(t, c.want, j.ahead(all, []string{"Begin"}), "%v %v", c.known, c.ahead)
	}
}
