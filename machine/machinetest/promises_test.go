package machinetest_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

const (
	x phases.Flags = 1 << iota
	y
)

var xy = phases.MustVocabulary([]phases.FlagDef{{Flag: x, Name: "X"}, {Flag: y, Name: "Y"}})

func scripted() machinetest.Setup[*machinetest.Object, struct{}] {
	return machinetest.NewScripted(machinetest.Script{
		Itineraries: machine.MustCompileSet(
			phases.Itinerary{Name: "Main", Vocabulary: xy, Phases: []phases.Phase{
				{Name: "A1", Step: "A"},
				{Name: "B1", Step: "B", Guard: phases.Guard{All: x}},
				{Name: "A2", Step: "A"},
				{Name: "C1", Step: "C", Decides: y},
				{Name: "D1", Step: "D", Guard: phases.Guard{All: y}},
				{Name: "E1", Step: "E"},
			}},
			phases.Itinerary{Name: "Failed", Vocabulary: xy, Cleanup: true, Result: phases.Failed, Phases: []phases.Phase{{Name: "Z1", Step: "Z"}, {Name: "Z2", Step: "Z"}}},
			phases.Itinerary{Name: "Canceled", Vocabulary: xy, Cleanup: true, Result: phases.Canceled, Phases: []phases.Phase{
				{Name: "Y1", Step: "Y", Decides: y}, {Name: "Y2", Step: "Y", Guard: phases.Guard{All: y}}, {Name: "Y3", Step: "Y"}}}),
		Itinerary: "Main", OnFail: map[string]string{"Main": "Failed", "Canceled": "Failed"}, OnCancel: map[string]string{"Main": "Canceled"},
	})
}

// step returns a step of a state to be written.
func step(s *runner.State, name string) *steps.Step {
	found, _ := s.Pipeline.Lookup(name)
	return found
}

type scriptedOptions = runner.Options[*machinetest.Object]

// writing changes each state that is written.
func writing(change func(*runner.State)) func(*scriptedOptions) {
	return func(o *scriptedOptions) {
		write := o.Storage.Write
		o.Storage.Write = func(_ context.Context, object *machinetest.Object, s runner.State) error {
			s = *s.DeepCopy()
			change(&s)
			return write(context.Background(), object, s)
		}
	}
}

// reading changes the states that the runner itself reads. A state is read four times, the last but
// one time by the harness and the last time by the runner.
func reading(change func(*runner.State)) func(*scriptedOptions) {
	return func(o *scriptedOptions) {
		read, reads := o.Storage.Read, 0
		o.Storage.Read = func(_ context.Context, object *machinetest.Object) (runner.State, error) {
			s, err := read(context.Background(), object)
			was := s.DeepCopy()
			if change(was); !equality.Semantic.DeepEqual(s, *was) {
				if reads++; reads%4 == 0 {
					s = *was
				}
			}
			return s, err
		}
	}
}

func plants(all ...func(*scriptedOptions)) func(*scriptedOptions) {
	return func(o *scriptedOptions) {
		for _, plant := range all {
			plant(o)
		}
	}
}

// planted returns the reports of a life of a setup with a fault.
func planted(s machinetest.Setup[*machinetest.Object, struct{}], plant func(*scriptedOptions), script ...machinetest.Line) []string {
	build := s.Options
	s.Options = func(w *struct{}) scriptedOptions {
		o := build(w)
		plant(&o)
		return o
	}
	s.MaxReconciles = 50
	return reports(func(tb machinetest.TB) { machinetest.New(tb, s).Run(script...) })
}

// brokenPromise is a fault of a scripted life, and the report of the promise that it breaks.
type brokenPromise struct {
	name   string
	plant  func(*scriptedOptions)
	want   string
	script []machinetest.Line // if nil, lives
}

// The scripts of the lives.
var (
	lives    = []machinetest.Line{machinetest.Flags("X"), machinetest.Decide("C1", "Y")}
	fails    = append(slices.Clone(lives), machinetest.Fail("C1"))
	canceled = []machinetest.Line{machinetest.Flags("X"), machinetest.Edit("A2", "cancel"), machinetest.Decide("Y1", "Y")}
)

// later is a time after the beginning of every life.
var later = &metav1.Time{Time: time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)}

// selects makes the selector return an itinerary at Y2.
func selects(name string) func(*scriptedOptions) {
	return func(o *scriptedOptions) {
		was := o.Select
		o.Select = func(_ context.Context, object *machinetest.Object) (string, error) {
			if object.State.Phase == "Y2" {
				return name, nil
			}
			return was(context.Background(), object)
		}
	}
}

func ignoresFailures(o *scriptedOptions) { o.OnFail = nil }
func deadline(o *scriptedOptions)        { o.Deadline = time.Minute }
func forgets(s *runner.State)            { s.Failures = nil }

// testPromisesBroken checks that each fault is reported.
func testPromisesBroken(t *testing.T, all []brokenPromise) {
	for _, tt := range all {
		t.Run(tt.name, func(t *testing.T) {
			script := tt.script
			if script == nil {
				script = append(slices.Clone(lives), machinetest.Edit(machinetest.End, "cancel"))
			}
			got := planted(scripted(), tt.plant, script...)
			found := false
			for _, text := range got {
				found = found || strings.Contains(text, tt.want)
			}
			if !found {
				t.Errorf("want a report of %q, got %q", tt.want, got)
			}
		})
	}
}

// A state that breaks a promise is reported, whatever wrote it. In the next tests the embedder's
// options are faulty, mostly Write and Read.

func TestPromisesAboutStepsBroken(t *testing.T) {
	testPromisesBroken(t, []brokenPromise{
		{"a step is skipped", writing(func(s *runner.State) {
			if b := step(s, "B"); b != nil && s.Phase == "C1" {
				b.Skipped = true
			}
		}), "no step that will not run, in itinerary Main: a step is marked skipped: B", nil},
		{"a step that ran is removed", writing(func(s *runner.State) {
			if s.Phase == "C1" {
				s.Pipeline = s.Pipeline[1:]
			}
		}), "steps that have started are lost or reordered", nil},
		{"steps that ran change places", writing(func(s *runner.State) {
			if s.Phase == "C1" {
				s.Pipeline[0], s.Pipeline[1] = s.Pipeline[1], s.Pipeline[0]
			}
		}), "steps that have started are lost or reordered", nil},
		{"a step is listed that will not run", writing(func(s *runner.State) {
			if s.Phase == "A2" {
				s.Pipeline = append(s.Pipeline, steps.Step{Name: "Ghost", Message: steps.MessageNotStarted})
			}
		}), `the steps listed are not those that the plan shows: at A2: listed ["C" "E" "Ghost"], planned ["C" "E"]`, nil},
		{"a step that will run is not listed", writing(func(s *runner.State) {
			if s.Phase == "A2" {
				s.Pipeline = s.Pipeline[:len(s.Pipeline)-1]
			}
		}), "the steps listed are not those that the plan shows", nil},
		{"a step is listed at the end", writing(func(s *runner.State) {
			if s.Done {
				s.Pipeline = append(s.Pipeline, steps.Step{Name: "Ghost"})
			}
		}), "a step that never ran is listed at the end", nil},
		{"a step that waits stands in front", writing(func(s *runner.State) {
			if s.Phase == "C1" {
				s.Pipeline = append(s.Pipeline[3:], s.Pipeline[:3]...)
			}
		}), "a step that has started follows one that has not", nil},
		{"a step starts again", writing(func(s *runner.State) {
			if s.Phase == "C1" {
				step(s, "A").Started = later
			}
		}), "the start of a step changes: A", nil},
		{"a failed step is not failed any more", writing(func(s *runner.State) {
			if s.Done && s.Itinerary == "Failed" {
				step(s, "C").Failed = false
			}
		}), "a failed step is no longer failed: C", fails},
		{"the current step is completed", writing(func(s *runner.State) {
			if s.Phase == "C1" {
				step(s, "C").Completed = later
			}
		}), "the step of the current phase is completed: C", nil},
		{"a step is completed in between", writing(func(s *runner.State) {
			if s.Phase == "B1" {
				step(s, "A").Completed = later
			}
		}), "a step is completed although a phase of it is ahead: A, at B1", nil},
		{"a step stays open", writing(func(s *runner.State) {
			if s.Phase == "C1" {
				step(s, "B").Completed = nil
			}
		}), "a step is open although nothing ahead belongs to it: B, at C1", nil},
		{"a completed step is opened", writing(func(s *runner.State) {
			if s.Phase == "D1" || s.Phase == "E1" {
				step(s, "B").Completed = nil
			}
		}), "a completed step is reopened although none of its phases is entered: B", nil},
		{"a step is open at the end", writing(func(s *runner.State) {
			if s.Done {
				step(s, "E").Completed = nil
			}
		}), "a step is open at the end: E", nil},
	})
}

func TestPromisesAboutPlansBroken(t *testing.T) {
	testPromisesBroken(t, []brokenPromise{
		{"a phase is entered that the plan leaves out", writing(func(s *runner.State) {
			if s.Phase == "B1" {
				s.Facts.True, s.Facts.False = nil, []string{"X", "Y"}
			}
		}), "the plan is the run, in itinerary Main: a phase is entered that the plan leaves out: B1, which needs X", nil},
		{"the state is at another phase", writing(func(s *runner.State) {
			if s.Phase == "C1" {
				s.Phase = "E1"
			}
		}), `the plan is the run, in itinerary Main: the state is not at the entered phase: entered "C1", at E1`, nil},
		{"a phase that is sure to come is passed over", func(o *scriptedOptions) {
			read, reads := o.Storage.Read, 0
			o.Storage.Read = func(_ context.Context, object *machinetest.Object) (runner.State, error) {
				s, err := read(context.Background(), object)
				if s.Phase == "A1" {
					if reads++; reads%2 == 0 { // the runner reads after the harness
						s.Facts.True, s.Facts.False = nil, []string{"X", "Y"}
					}
				}
				return s, err
			}
		}, "the plan is the run, in itinerary Main: a phase does not run although the plan called it certain: B1, planned at A1", nil},
		{"a phase that the itinerary does not have", writing(func(s *runner.State) {
			if s.Phase == "C1" {
				s.Phase = "C9"
			}
		}), `the state that was written cannot be planned: itinerary "Main" has no phase "C9"`, nil},
		{"a flag is evaluated that is known", func(o *scriptedOptions) {
			read, reads := o.Storage.Read, 0
			o.Storage.Read = func(_ context.Context, object *machinetest.Object) (runner.State, error) {
				s, err := read(context.Background(), object)
				if s.Phase == "C1" {
					if reads++; reads%2 == 0 { // the runner reads after the harness
						s.Facts.True, s.Facts.False, s.Facts.Unknown = nil, nil, []string{"X", "Y"}
					}
				}
				return s, err
			}
		}, "a known flag is evaluated: X", nil},
		{"a phase is judged by a value from before", writing(func(s *runner.State) {
			if s.Phase == "D1" {
				s.Facts.True, s.Facts.False = []string{"X"}, []string{"Y"}
			}
		}), "phases are judged by an outdated value: Y, at D1", nil},
		{"a run does not wait for an unknown flag", writing(func(s *runner.State) {
			if s.Phase == "D1" {
				s.Facts.True, s.Facts.False, s.Facts.Unknown = []string{"X"}, nil, []string{"Y"}
			}
		}), `unknown is not false, in itinerary Main: a run moves although an unknown flag decides the next phase or its step: from C1 to D1, offered ["D1" "E1"]`, nil},
		{"when a phase was entered is not kept", writing(func(s *runner.State) { s.Entered = nil }),
			"the options read what they have written, in itinerary Main: Storage.Write and Storage.Read do not keep the state", nil},
		{"a failure is not kept", writing(func(s *runner.State) { s.Failures = nil }), "Storage.Write and Storage.Read do not keep the state", fails},
	})
}

func TestPromisesAboutFailuresBroken(t *testing.T) {
	testPromisesBroken(t, []brokenPromise{
		{name: "a cleanup is taken back", plant: plants(selects("Main"), reading(func(s *runner.State) {
			if s.Phase == "Y2" {
				s.Phase = ""
			}
		})), script: canceled, want: "a run leaves a cleanup itinerary only for another, in itinerary Canceled: " +
			"a cleanup itinerary is left for one that does not clean up: Main begins"},
		{name: "a cleanup is left for a failure", plant: plants(selects("Failed"), reading(func(s *runner.State) {
			if s.Phase == "Y2" {
				s.Phase = ""
			}
		})), script: canceled, want: "a run leaves a cleanup itinerary only for another, in itinerary Canceled: " +
			"a cleanup itinerary is left for one whose result is Failed: Failed begins"},
		{"a run that is done continues", func(o *scriptedOptions) {
			read, reads := o.Storage.Read, 0
			o.Storage.Read = func(_ context.Context, object *machinetest.Object) (runner.State, error) {
				s, err := read(context.Background(), object)
				if s.Done {
					if reads++; reads%3 == 0 {
						s.Done, s.Phase = false, "E1"
					}
				}
				return s, err
			}
		}, "a run that is done stays done, in itinerary", nil},
		{name: "the next phase runs after a failure", plant: plants(ignoresFailures, reading(forgets)),
			script: append(slices.Clone(fails), machinetest.Edit("C1", "resume").Call(2)),
			want:   "nothing runs after a failed phase, in itinerary Main: a phase runs after one that failed: C1 failed, and the run is at D1"},
		{name: "a failure does not stop the run", plant: writing(func(s *runner.State) {
			if s.Phase == "C1" {
				s.Failures, s.FailedPhases = []runner.Failure{{Itinerary: "Main", Phase: "C1", Visit: s.Visit}}, 1
			}
		}), want: "nothing runs after a failed phase, in itinerary Main: an unanswered failure does not stop the run: C1 failed"},
		{name: "a selection that is not followed is not kept", plant: plants(selects("Main"), writing(func(s *runner.State) { s.SwitchHeld = "" })),
			script: canceled,
			want:   `a selection that is not followed is reported, in itinerary Canceled: the state does not record the selection that is not followed: it holds "", want "Main"`},
		{name: "a selection that is not followed is reported twice", plant: plants(selects("Main"), reading(func(s *runner.State) { s.SwitchHeld = "" })),
			script: append(slices.Clone(canceled), machinetest.Wait("Y2", time.Second)),
			want:   `the selection is not reported exactly once: 1 events, before "Main", now "Main"`},
		{name: "a selection that is not followed is never reported", plant: plants(selects("Main"), reading(func(s *runner.State) {
			if s.Phase == "Y2" {
				s.SwitchHeld = "Main"
			}
		})), script: canceled, want: `the selection is not reported exactly once: 0 events, before "", now "Main"`},
		{name: "a failure that reads Succeeded", plant: writing(func(s *runner.State) {
			if s.Done {
				s.Result = phases.Succeeded
			}
		}), script: fails, want: `the result is recorded, in itinerary Failed: the result does not follow from the record: "Succeeded", want "Failed"`},
		{name: "a cancel that is reported as a rollback", plant: reading(func(s *runner.State) {
			if s.Phase == "Y3" {
				s.Result = phases.RolledBack
			}
		}), script: canceled, want: `the reported result does not follow from the record: "RolledBack", want "Canceled"`},
		{name: "a failure in a cleanup that changes the result", plant: writing(func(s *runner.State) {
			if s.FailedInCleanup > 0 {
				s.Result = phases.Failed
			}
		}), script: append(slices.Clone(canceled), machinetest.Fail("Y2")), want: `the result does not follow from the record: "Failed", want "Canceled"`},
		{name: "a failure that is not counted", plant: writing(func(s *runner.State) { s.FailedPhases = 0 }), script: fails,
			want: "a failure is not counted: 0 and 0 in cleanup, want 1 and 0"},
		{name: "a failure in a cleanup that is counted as one of the run", plant: writing(func(s *runner.State) {
			s.FailedPhases, s.FailedInCleanup = s.FailedPhases+s.FailedInCleanup, 0
		}), script: append(slices.Clone(canceled), machinetest.Fail("Y2")), want: "a failure is not counted: 1 and 0 in cleanup, want 0 and 1"},
		{name: "an itinerary that was left is not kept", plant: writing(func(s *runner.State) { s.Switches = nil }), script: canceled,
			want: "the recorded switches are wrong"},
		{name: "a failure that reads as a cancel", plant: plants(ignoresFailures, reading(forgets)),
			script: append(slices.Clone(fails), machinetest.Edit("C1", "cancel").Call(2)),
			want:   `the reason for a switch is wrong: Main at "C1": Selected`},
		{name: "a state that is too large", plant: writing(func(s *runner.State) {
			if s.Phase == "Z1" {
				s.Failures[0].Reasons = []string{strings.Repeat("x", 70_000)}
			}
		}), script: fails, want: "the state is bounded, in itinerary Failed: the state is too large"},
	})
}

func TestPromisesAboutWorkBroken(t *testing.T) {
	testPromisesBroken(t, []brokenPromise{
		{name: "a handler that is done is called again", plant: reading(func(s *runner.State) { s.WorkDone = false }),
			script: append(slices.Clone(lives), machinetest.FlagErr("C1", "Y", "down").Times(2)),
			want:   "work that is recorded as done is not done again, in itinerary Main: a handler is called although its work is recorded as done: C1"},
		{name: "work that is done is not recorded", plant: writing(func(s *runner.State) { s.WorkDone = false }),
			script: append(slices.Clone(lives), machinetest.FlagErr("C1", "Y", "down").Times(2)),
			want:   "work that is done is not recorded: C1"},
		{name: "a phase fails before its deadline", plant: plants(deadline, reading(func(s *runner.State) {
			if s.Phase == "C1" {
				s.Entered = &metav1.Time{Time: s.Entered.Add(-time.Hour)}
			}
		})), script: append(slices.Clone(lives), machinetest.Wait("C1", time.Hour)),
			want: "a phase fails for its deadline only after it worked that long, in itinerary Main: a phase fails before its deadline has passed: C1, called 1m1s before it"},
		{name: "a deadline that passes without a failure", plant: plants(deadline, reading(func(s *runner.State) {
			if s.Phase == "C1" {
				s.Entered = later
			}
		})), script: append(slices.Clone(lives), machinetest.Wait("C1", time.Hour), machinetest.Wait("C1", time.Hour).Call(2)),
			want: "a phase does not fail at its deadline: C1, called 0s after it"},
		{name: "a call that comes later than the deadline", plant: plants(deadline, reading(func(s *runner.State) {
			if s.Phase == "C1" {
				s.Entered = later
			}
		})), script: append(slices.Clone(lives), machinetest.Clock("C1", 30*time.Second), machinetest.Wait("C1", time.Hour)),
			want: "the next reconcile is later than the deadline: C1, after 1m1s"},
		{name: "a pause that counts for a deadline", plant: plants(deadline, reading(func(s *runner.State) { s.PausedSince = nil })),
			script: append(slices.Clone(lives), machinetest.Edit("C1", "pause"), machinetest.Clock("C1", time.Hour).Call(2),
				machinetest.Edit("C1", "resume").Call(2), machinetest.Wait("C1", time.Minute)),
			want: "a phase fails before its deadline has passed: C1"},
		{name: "a pause that begins again", plant: plants(deadline, reading(func(s *runner.State) { s.PausedSince = nil })),
			script: append(slices.Clone(lives), machinetest.Edit("C1", "pause"), machinetest.Edit("C1", "resume").Call(3)),
			want:   "the start of a pause changes: C1"},
		{name: "what a phase decides that is left in the middle", plant: reading(func(s *runner.State) {
			if s.Phase == "C1" {
				s.Phase = ""
			}
		}), script: []machinetest.Line{machinetest.Flags("X"), machinetest.Edit("C1", "cancel")},
			want: "in itinerary Canceled: a value from before a phase that decides it is kept: Y, which C1 decides, in Canceled at Y1"},
		{name: "a run that moves while it is paused", plant: func(o *scriptedOptions) {
			paused, calls := o.Paused, 0
			o.Paused = func(_ context.Context, object *machinetest.Object) (bool, error) {
				calls++
				is, err := paused(context.Background(), object)
				return is && calls%2 == 1, err // the harness calls before the runner
			}
		}, script: append(slices.Clone(lives), machinetest.Edit("C1", "pause"), machinetest.Edit("D1", "resume")),
			want: `a pause holds a run, but no cleanup itinerary, in itinerary Main: a paused run moves: from "C1" to D1, 1 calls of handlers`},
		{name: "a run that is held without a pause", plant: func(o *scriptedOptions) {
			calls := 0
			o.Paused = func(_ context.Context, object *machinetest.Object) (bool, error) {
				calls++
				return object.State.Phase == "C1" && calls%2 == 0, nil
			}
		}, want: "a run is held although it is not paused: at C1"},
		{name: "a pause that holds a cancel", plant: func(o *scriptedOptions) {
			selects, calls := o.Select, 0
			o.Select = func(_ context.Context, object *machinetest.Object) (string, error) {
				if calls++; object.Paused && calls%2 == 1 { // the runner calls before the harness
					return "Main", nil
				}
				return selects(context.Background(), object)
			}
		}, script: append(slices.Clone(lives), machinetest.Edit("A2", "pause"), machinetest.Edit("A2", "cancel").Call(2), machinetest.Edit("A2", "resume").Call(4)),
			want: "a pause holds a switch to a cleanup itinerary: Canceled, at A2"},
		{name: "an itinerary that begins with an unknown flag", plant: writing(func(s *runner.State) {
			if s.Phase == "A1" {
				s.Facts.True, s.Facts.Unknown = nil, []string{"X"}
			}
		}), want: "unknown is not false, in itinerary Main: an itinerary begins although its plan depends on an unknown flag that no phase ahead decides: X"},
	})
}

// Without a fault nothing is reported, in any of the lives in which the tests above plant faults.
func TestPromisesKept(t *testing.T) {
	for _, script := range [][]machinetest.Line{
		{machinetest.Flags("X"), machinetest.Decide("C1", "Y"), machinetest.Edit(machinetest.End, "cancel")},
		{machinetest.Flags("X"), machinetest.Fail("E1")},
		{machinetest.Flags(), machinetest.Edit("A2", "cancel")},
		{machinetest.Flags("X"), machinetest.Edit("A2", "cancel"), machinetest.Fail("Y1"), machinetest.Fail("Y3")},
		{machinetest.Flags("X"), machinetest.Edit("A2", "pause"), machinetest.Edit("A2", "cancel").Call(3)},
		{machinetest.Flags("X"), machinetest.Edit("A2", "pause"), machinetest.Edit("A2", "resume").Call(3)},
	} {
		machinetest.New(t, scripted()).Run(script...)
	}
	r := machinetest.Explore(t, machinetest.Exploration[*machinetest.Object, struct{}]{
		Setup: scripted(), Edits: []string{"cancel", "pause", "resume"}, Failures: 2})
	if r.States < 500 {
		t.Errorf("explored %d states only", r.States)
	}
}

// A run whose sources cannot be evaluated is retried, and then enters the same phases.
func TestPromiseUnknown(t *testing.T) {
	l := machinetest.New(t, scripted())
	l.Run(machinetest.Flags("X"), machinetest.FlagErr(machinetest.Start, "X", "down"), machinetest.FlagErr("C1", "Y", "down").Times(2))
	l.WantPhases("Main", "A1", "B1", "A2", "C1", "E1")
}

// A flag that is computed from a decided flag is evaluated again with it, also if the phase
// does not decide it. That is no break, unless its value changes.
func TestComputedFlagIsEvaluatedWithItsInput(t *testing.T) {
	evaluations, follows := 0, false
	computed := func(o *scriptedOptions) {
		o.Sources = func(_ context.Context, object *machinetest.Object) (*phases.Sources, error) {
			has := func(flag string) phases.Truth { return phases.TruthOf(slices.Contains(object.True, flag)) }
			return phases.NewSources(xy, phases.SourceOf(y, has("Y")), phases.Source{Flag: x, Inputs: y,
				Evaluate: func(_ context.Context, f phases.Facts) (phases.Truth, error) {
					if follows {
						return f.Of(y), nil
					}
					return has("X"), nil
				}})
		}
		o.Observers = append(o.Observers, runner.ObserverFunc[*machinetest.Object](
			func(_ context.Context, _ *machinetest.Object, event runner.Event) {
				if e, ok := event.(runner.FlagEvaluated); ok && e.Flag == "X" {
					evaluations++
				}
			}))
	}
	assert.Empty(t, planted(scripted(), computed, lives...))
	assert.Equal(t, 2, evaluations, "at the beginning and after C1, which decides Y")
	follows = true
	got := planted(scripted(), computed, machinetest.Decide("C1", "Y"))
	assert.Contains(t, strings.Join(got, "\n"),
		"a phase changes a flag that it does not decide: C1 changes X; add it to Decides of the phase")
}
