package machinetest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

type scriptedSetup = machinetest.Setup[*machinetest.Object, struct{}]

// choosing returns itineraries with end phases, a phase that belongs to one of two steps, and
// choices: to repeat a phase, and to give up.
func choosing() scriptedSetup {
	return machinetest.NewScripted(machinetest.Script{
		Itineraries: machine.MustCompileSet(
			phases.Itinerary{Name: "Main", Vocabulary: xy, Phases: []phases.Phase{
				{Name: "A1", Step: "A"},
				{Name: "B1", Step: "B", Steps: []phases.GuardedStep{{Step: "C", Guard: phases.Guard{All: x}}}, Decides: y,
					Jumps: []phases.Jump{{To: "B1", Choice: true}, {To: "Undo", Choice: true}}},
				{Name: "D1", Step: "D", Guard: phases.Guard{All: y}},
				{Name: "Completed", Step: "E", End: true},
				{Name: "Undo", Step: "U"},
				{Name: "GivenUp", End: true},
			}},
			phases.Itinerary{Name: "Canceled", Vocabulary: xy, Cleanup: true, Result: phases.Canceled, Phases: []phases.Phase{
				{Name: "Y1", Step: "Y", Jumps: []phases.Jump{{To: "Y3", Choice: true}}},
				{Name: "Y2", Step: "Y", Guard: phases.Guard{All: y}},
				{Name: "Y3", Step: "Z", Steps: []phases.GuardedStep{{Step: "Y", Guard: phases.Guard{All: x}}}},
				{Name: "Over", End: true, Step: "Z"}}}),
		Itinerary: "Main", OnFail: map[string]string{"Main": "Canceled"}, OnCancel: map[string]string{"Main": "Canceled"},
	})
}

var chosen = []machinetest.Line{machinetest.Flags("X"), machinetest.Done("B1", runner.Choose("Undo"), runner.After(10*time.Second))}

// A life follows the choices of its script, enters each phase under the step that counts, and is
// done at the end phase that it reaches.
func TestLifeWithChoices(t *testing.T) {
	life := machinetest.New(t, choosing())
	life.Run(machinetest.Flags("X"), machinetest.Done("B1", runner.Choose("B1")),
		machinetest.Done("B1", runner.After(time.Hour)).Call(2), machinetest.Decide("B1", "Y").Call(2))
	life.WantPhases("Main", "A1", "B1", "B1", "D1", "Completed")
	life.WantMessages("A: Completed", "C: Completed", "D: Completed", "E: Completed")
	life.WantResult(phases.Succeeded)
	assert.Equal(t, "Completed", life.State().Phase)
	writes := life.Record().Writes
	assert.Equal(t, time.Hour, writes[len(writes)-1].At)

	life = machinetest.New(t, choosing())
	life.Run(chosen...)
	life.WantPhases("Main", "A1", "B1", "Undo", "GivenUp")
	life.WantSteps("A", "C", "U")
	assert.Contains(t, life.Transcript(), "call     B1: done, continue with Undo after 10s\n")
	assert.Contains(t, life.Transcript(), "enter    GivenUp\n")
	assert.Equal(t, []machinetest.Call{
		{"Main", "A1", "done"}, {"Main", "B1", "done, continue with Undo after 10s"}, {"Main", "Undo", "done"},
	}, life.Record().Calls)

	// A cancel does not wait for the delay.
	life = machinetest.New(t, choosing())
	life.Run(slices.Concat(chosen, []machinetest.Line{
		machinetest.Edit("B1", "cancel").Call(2), machinetest.Done("Y1", runner.Choose("Y3")),
	})...)
	life.WantPhases("Main", "A1", "B1")
	life.WantPhases("Canceled", "Y1", "Y3", "Over")
	life.WantMessages("A: Completed", "C: Canceled", "Y: Completed", "Z: Completed")
}

func TestDoneLine(t *testing.T) {
	assert.Equal(t, `machinetest.Done("B1", runner.Choose("Undo"), runner.After(10*time.Second)).In("Main").Call(2).AfterWork()`,
		machinetest.Done("B1", runner.Choose("Undo"), runner.After(10*time.Second)).In("Main").Call(2).AfterWork().String())
	assert.Equal(t, `machinetest.Done("B1")`, machinetest.Done("B1").String())
	for _, tt := range []struct {
		line machinetest.Line
		want string
	}{
		{machinetest.Done("B1", runner.Choose("D1")), `machinetest.Done("B1", runner.Choose("D1")): the phase does not declare this choice; add a jump to it that is a choice`},
		{machinetest.Fail("Completed"), `machinetest.Fail("Completed"): "Completed" is an end phase, which does no work; name the phase before it, or use End`},
		{machinetest.Edit("Over", "cancel"), `"Over" is an end phase`},
	} {
		wantReports(t, reports(func(tb machinetest.TB) { machinetest.New(tb, choosing()).Run(tt.line) }), tt.want)
	}
}

// An undeclared choice stops the run. In a cleanup itinerary the phase fails, and the cleanup
// continues.
func TestLifeWithUndeclaredChoice(t *testing.T) {
	s := choosing()
	build := s.Options
	s.Options = func(w *struct{}) scriptedOptions {
		o := build(w)
		wrong := runner.HandlerFunc[*machinetest.Object](func(context.Context, *machinetest.Object) (runner.Result, error) {
			return runner.Done(runner.Choose("A1")), nil
		})
		o.Phases = map[string]runner.Phase[*machinetest.Object]{"B1": {Handler: wrong}, "Y1": {Handler: wrong}}
		return o
	}
	life := machinetest.New(t, s)
	var refused *machine.ChoiceError
	require.ErrorAs(t, life.RunToError(machinetest.Flags()), &refused)
	assert.Equal(t, []string{"B1", "Undo"}, refused.Choices)
	life.WantPhases("Main", "A1", "B1")

	life = machinetest.New(t, s)
	life.Run(machinetest.Flags(), machinetest.Edit("A1", "cancel"))
	life.WantFailures(`Canceled/Y1: itinerary "Canceled": phase "Y1" does not declare the choice to jump to "A1"; its choices are Y3`)
	life.WantPhases("Canceled", "Y1", "Y3", "Over")

	got := reports(func(tb machinetest.TB) {
		machinetest.Explore(tb, machinetest.Exploration[*machinetest.Object, struct{}]{Setup: s, Failures: -1})
	})
	require.NotEmpty(t, got)
	assert.Contains(t, got[0], `from here the run cannot end: at B1: `+
		`itinerary "Main": phase "B1" does not declare the choice to jump to "A1"`)
}

// An exploration takes each declared choice and none, even if the handler delays the run, and so
// reaches each end phase.
func TestExploreChoices(t *testing.T) {
	for _, after := range []time.Duration{0, time.Minute} {
		s := choosing()
		build := s.Options
		s.Options = func(w *struct{}) scriptedOptions {
			o := build(w)
			o.Phases = map[string]runner.Phase[*machinetest.Object]{"B1": {Handler: runner.HandlerFunc[*machinetest.Object](
				func(context.Context, *machinetest.Object) (runner.Result, error) {
					return runner.Done(runner.Choose("Undo"), runner.After(after)), nil
				})}}
			return o
		}
		x := machinetest.Exploration[*machinetest.Object, struct{}]{Setup: s, Edits: []string{"cancel"}, Fixed: []string{"!Y"}}
		if after > 0 {
			x.Edits = append(x.Edits, "pause", "resume")
		}
		r := machinetest.Explore(t, x)
		assert.Greater(t, r.States, 100)
		t.Log(r)

		x.Settled = []string{"B1"}
		wantReports(t, reports(func(tb machinetest.TB) { machinetest.Explore(tb, x) }),
			"no life reaches Main/D1; list it", "no life reaches Main/Completed; list it", "no life reaches Canceled/Y2; list it")
	}
}

// A break behind a choice is reported with the script that makes the choice.
func TestExploreBreakBehindChoice(t *testing.T) {
	s := choosing()
	s.Invariants = []machinetest.Invariant[*machinetest.Object, struct{}]{{Name: "no run gives up",
		Check: func(s machinetest.Snapshot[*machinetest.Object, struct{}]) error {
			if s.State.Done && s.State.Phase == "GivenUp" {
				return errors.New("it gave up")
			}
			return nil
		}}}
	var r *machinetest.Report
	got := reports(func(tb machinetest.TB) {
		r = machinetest.Explore(tb, machinetest.Exploration[*machinetest.Object, struct{}]{Setup: s})
	})
	wantReports(t, got, "no run gives up, in itinerary Main: the invariant does not hold: it gave up")
	assert.Contains(t, got[0], "B1 is done, and chooses Undo")
	assert.Contains(t, got[0], `machinetest.Done("B1", runner.Choose("Undo")).In("Main").AfterWork()`)
	assert.True(t, r.Found[0].Reproduced)
}

// Faults with choices, guarded steps, end phases and delays are reported.
func TestPromisesAboutChoicesBroken(t *testing.T) {
	early := append(slices.Clone(chosen), machinetest.Clock("B1", -5*time.Second).Call(2))
	paused := append(slices.Clone(chosen), machinetest.Edit("B1", "pause").Call(2), machinetest.Edit("B1", "resume").Call(3))
	later := func(s *runner.State) {
		if s.NotBefore != nil {
			s.NotBefore.Time = s.NotBefore.Add(time.Hour)
		}
	}
	undone := func(s *runner.State) {
		if s.Choice != "" {
			s.Choice = "B1"
		}
	}
	for _, tt := range []struct {
		name   string
		plant  func(*scriptedOptions)
		script []machinetest.Line
		want   string
	}{
		{"a choice that is not recorded", writing(func(s *runner.State) { s.Choice = "" }), chosen,
			`work that is recorded as done is not done again, in itinerary Main: the choice of a handler is not recorded: B1 chose "Undo", recorded is ""`},
		{"a choice that is not followed", reading(undone), chosen,
			`the plan is the run, in itinerary Main: the machine does not offer what comes next: entered ["B1"], offered ["Undo"]`},
		{"a choice that changes", reading(undone), paused, `the choice of a handler changes: of B1, from "Undo" to "B1"`},
		{"a recorded choice that the phase does not declare", writing(func(s *runner.State) {
			if s.Choice != "" {
				s.Choice = "D1"
			}
		}), chosen, `the state that was written cannot be planned: itinerary "Main": phase "B1" does not declare the choice to jump to "D1"`},
		{"a handler that is called while the run is delayed", reading(func(s *runner.State) { s.WorkDone = false }), chosen,
			"a handler is called although its work is recorded as done: B1"},
		{"a run that continues early", reading(func(s *runner.State) { s.NotBefore = nil }), early,
			"a run does not continue before its time, in itinerary Main: the run continues earlier than its handler requested: from B1, by 5s"},
		{"a delay that is not recorded", writing(func(s *runner.State) { s.NotBefore = nil }), chosen, "the time at which the run continues is not recorded: B1"},
		{"a delay that is recorded longer", writing(later), chosen, "the time at which the run continues is not recorded: B1"},
		{"a call that comes too late", plants(reading(later), writing(func(s *runner.State) {
			if s.NotBefore != nil && s.NotBefore.Minute() == 0 && s.NotBefore.Hour() == 1 {
				s.NotBefore.Time = s.NotBefore.Add(-time.Hour)
			}
		})), early, "the next reconcile is later than the time at which the run continues: B1, after 1h0m5s"},
		{"a step that changes while its phase is at work", reading(func(s *runner.State) {
			if s.Step == "C" {
				s.Step = "B"
			}
		}), []machinetest.Line{machinetest.Flags("X"), machinetest.Wait("B1", time.Second)},
			`no step that will not run, in itinerary Main: the step of a phase changes while it is at work: B1 was under "C", is under "B"`},
		{"a phase that is entered under another step", writing(func(s *runner.State) {
			if s.Phase == "B1" {
				s.Step = "B"
			}
		}), chosen, `a phase is entered under another step than the one that counts: B1 under "B", not under "C"`},
		{"a phase of a cleanup that is entered under another step", writing(func(s *runner.State) {
			if s.Phase == "Y3" {
				s.Step = "Y"
			}
		}), []machinetest.Line{machinetest.Flags(), machinetest.Edit("A1", "cancel")},
			`in itinerary Canceled: a phase is entered under another step than the one that counts: Y3 under "Y", not under "Z"`},
		{"a phase that is shown under another step", writing(func(s *runner.State) {
			if s.Phase == "B1" {
				step(s, "C").Phase, step(s, "A").Phase = "", "B1"
			}
		}), chosen, "a phase is shown under another step than its own: B1 under A"},
		{"a phase that is entered before its step is known", writing(func(s *runner.State) {
			if s.Phase == "B1" {
				s.Facts.True, s.Facts.Unknown = nil, []string{"X", "Y"}
			}
		}), chosen, `unknown is not false, in itinerary Main: a run moves although an unknown flag decides the next phase or its step: ` +
			`from A1 to B1, offered ["B1"], unknown ["X"]`},
		{"an end phase whose step is not shown", writing(func(s *runner.State) {
			if s.Done {
				s.Pipeline = slices.DeleteFunc(s.Pipeline, func(s steps.Step) bool { return s.Name == "E" })
			}
		}), []machinetest.Line{machinetest.Flags("X")}, "the step of the end phase is not shown: E of Completed"},
		{"an end phase that is not recorded", writing(func(s *runner.State) {
			if s.Done {
				s.Phase = ""
			}
		}), chosen, `the state is not at the entered phase: entered "GivenUp", at done`},
		{"an end phase at which the run is not done", writing(func(s *runner.State) { s.Done = false }), chosen,
			`the state is not at the entered phase: entered "GivenUp", at GivenUp`},
		{"another end phase", reading(func(s *runner.State) {
			if s.Phase == "D1" {
				s.Phase = "Undo"
			}
		}), []machinetest.Line{machinetest.Flags("X"), machinetest.Decide("B1", "Y")},
			`the machine does not offer what comes next: entered ["GivenUp"], offered ["Completed"]`},
		{"a run that continues behind its end phase", func(o *scriptedOptions) {
			read, reads := o.Storage.Read, 0
			o.Storage.Read = func(ctx context.Context, object *machinetest.Object) (runner.State, error) {
				s, err := read(ctx, object)
				if s.Done {
					if reads++; reads%3 == 0 {
						s.Done, s.Phase = false, "Undo"
					}
				}
				return s, err
			}
		}, []machinetest.Line{machinetest.Flags(), machinetest.Edit(machinetest.End, "pause")}, "a run that is done stays done, in itinerary Main"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := planted(choosing(), tt.plant, tt.script...)
			assert.Contains(t, strings.Join(got, "\n"), tt.want)
		})
	}
	for _, script := range [][]machinetest.Line{chosen, early, paused} { // without a fault nothing is reported
		assert.Empty(t, planted(choosing(), func(*scriptedOptions) {}, script...))
	}
}
