package machinetest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

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
	return machinetest.Scripted(machinetest.Script{
		Itineraries: machine.MustCompileSet(
			phases.Itinerary{Name: "Main", Flags: xy, Phases: []phases.Phase{
				{Name: "A1", Step: "A"},
				{Name: "B1", Step: "B", Guard: phases.Guard{All: x}},
				{Name: "A2", Step: "A"},
				{Name: "C1", Step: "C", Decides: y},
				{Name: "D1", Step: "D", Guard: phases.Guard{All: y}},
				{Name: "E1", Step: "E"},
			}},
			phases.Itinerary{Name: "Failed", Flags: xy, Cleanup: true, Phases: []phases.Phase{{Name: "Z1", Step: "Z"}, {Name: "Z2", Step: "Z"}}}),
		Itinerary: "Main", OnFail: map[string]string{"Main": "Failed"}, OnCancel: map[string]string{"Main": "Failed"},
	})
}

// step is a step of a state that is written.
func step(s *runner.State, name string) *steps.Step { return s.Pipeline.Find(name) }

// A state that breaks a promise is reported, whatever wrote it: here the
// embedder's own Write and Read.
func TestPromisesThatAreBroken(t *testing.T) {
	type options = runner.Options[*machinetest.Object]
	write := func(change func(*runner.State)) func(*options) {
		return func(o *options) {
			write := o.Write
			o.Write = func(object *machinetest.Object, s runner.State) error {
				s = *s.DeepCopy()
				change(&s)
				return write(object, s)
			}
		}
	}
	later := &metav1.Time{Time: time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)}
	for _, tt := range []struct {
		name  string
		plant func(*options)
		want  string
	}{
		{"a step is skipped", write(func(s *runner.State) {
			if b := step(s, "B"); b != nil && s.Phase == "C1" {
				b.Skipped = true
			}
		}), "no step that will not run, in itinerary Main: a step is marked skipped: B"},
		{"a step that ran is removed", write(func(s *runner.State) {
			if s.Phase == "C1" {
				s.Pipeline = s.Pipeline[1:]
			}
		}), "steps that have started are lost or change their order"},
		{"steps that ran change places", write(func(s *runner.State) {
			if s.Phase == "C1" {
				s.Pipeline[0], s.Pipeline[1] = s.Pipeline[1], s.Pipeline[0]
			}
		}), "steps that have started are lost or change their order"},
		{"a step is listed that will not run", write(func(s *runner.State) {
			if s.Phase == "A2" {
				s.Pipeline = append(s.Pipeline, steps.Step{Name: "Ghost", Message: steps.MessageNotStarted})
			}
		}), `the steps listed are not those that the plan shows: at A2: listed ["C" "E" "Ghost"], planned ["C" "E"]`},
		{"a step that will run is not listed", write(func(s *runner.State) {
			if s.Phase == "A2" {
				s.Pipeline = s.Pipeline[:len(s.Pipeline)-1]
			}
		}), "the steps listed are not those that the plan shows"},
		{"a step is listed at the end", write(func(s *runner.State) {
			if s.Done {
				s.Pipeline = append(s.Pipeline, steps.Step{Name: "Ghost"})
			}
		}), "a step is listed at the end that never ran"},
		{"a step that waits stands in front", write(func(s *runner.State) {
			if s.Phase == "C1" {
				s.Pipeline = append(s.Pipeline[3:], s.Pipeline[:3]...)
			}
		}), "a step that has started stands behind one that has not"},
		{"a step starts again", write(func(s *runner.State) {
			if s.Phase == "C1" {
				step(s, "A").Started = later
			}
		}), "the start of a step changes: A"},
		{"a failed step is not failed any more", write(func(s *runner.State) {
			if s.Done && s.Itinerary == "Failed" {
				step(s, "C").Failed = false
			}
		}), "a step that failed is not failed any more: C"},
		{"the current step is completed", write(func(s *runner.State) {
			if s.Phase == "C1" {
				step(s, "C").Completed = later
			}
		}), "the step of the current phase is completed: C"},
		{"a step is completed in between", write(func(s *runner.State) {
			if s.Phase == "B1" {
				step(s, "A").Completed = later
			}
		}), "a step is completed although a phase of it is ahead: A, at B1"},
		{"a step stays open", write(func(s *runner.State) {
			if s.Phase == "C1" {
				step(s, "B").Completed = nil
			}
		}), "a step is open although nothing ahead belongs to it: B, at C1"},
		{"a completed step is opened", write(func(s *runner.State) {
			if s.Phase == "D1" || s.Phase == "E1" {
				step(s, "B").Completed = nil
			}
		}), "a completed step is opened without a phase of it being entered: B"},
		{"a step is open at the end", write(func(s *runner.State) {
			if s.Done {
				step(s, "E").Completed = nil
			}
		}), "a step is open at the end: E"},
		{"a phase is entered that the plan leaves out", write(func(s *runner.State) {
			if s.Phase == "B1" {
				s.Facts.True, s.Facts.False = nil, []string{"X", "Y"}
			}
		}), "the plan is the run, in itinerary Main: a phase is entered that the plan leaves out: B1, which needs X"},
		{"the state is at another phase", write(func(s *runner.State) {
			if s.Phase == "C1" {
				s.Phase = "E1"
			}
		}), `the plan is the run, in itinerary Main: the state is not at the phase that was entered: entered "C1", at E1`},
		{"a phase that is sure to come is passed over", func(o *options) {
			read, reads := o.Read, 0
			o.Read = func(object *machinetest.Object) (runner.State, error) {
				s, err := read(object)
				if s.Phase == "A1" {
					if reads++; reads%2 == 0 { // the runner's own reading, behind the harness's
						s.Facts.True, s.Facts.False = nil, []string{"X", "Y"}
					}
				}
				return s, err
			}
		}, "the plan is the run, in itinerary Main: a phase that the plan called certain does not run: B1, planned at A1"},
		{"a phase that the itinerary does not have", write(func(s *runner.State) {
			if s.Phase == "C1" {
				s.Phase = "C9"
			}
		}), `the state that was written cannot be planned: itinerary "Main" has no phase "C9"`},
		{"a flag is asked that is known", func(o *options) {
			read, asks := o.Read, 0
			o.Read = func(object *machinetest.Object) (runner.State, error) {
				s, err := read(object)
				if s.Phase == "C1" {
					if asks++; asks%2 == 0 { // the runner's own reading, behind the harness's
						s.Facts.True, s.Facts.False, s.Facts.Unknown = nil, nil, []string{"X", "Y"}
					}
				}
				return s, err
			}
		}, "a flag that is known is asked: X"},
		{"a phase is judged by a value from before", write(func(s *runner.State) {
			if s.Phase == "D1" {
				s.Facts.True, s.Facts.False = []string{"X"}, []string{"Y"}
			}
		}), "phases are judged by a value from before: Y, at D1"},
		{"a run does not wait for an unknown flag", write(func(s *runner.State) {
			if s.Phase == "D1" {
				s.Facts.True, s.Facts.False, s.Facts.Unknown = []string{"X"}, nil, []string{"Y"}
			}
		}), `unknown is not false, in itinerary Main: a run moves although an unknown flag decides what comes next: from C1 to D1, offered ["D1" "E1"]`},
		{"when a phase was entered is not kept", write(func(s *runner.State) { s.Entered = nil }),
			"what the runner writes is what it reads, in itinerary Main: Write and Read of the options do not keep the state"},
		{"a failure is not kept", write(func(s *runner.State) { s.Failures = nil }), "Write and Read of the options do not keep the state"},
		{"a cleanup is taken back", func(o *options) {
			o.Select = func(object *machinetest.Object) string {
				if object.State.Phase == "Z2" {
					return "Main"
				}
				return object.Itinerary
			}
		}, "a cleanup itinerary is left only for another, in itinerary Failed: it is left for an itinerary that does not clean up: Main begins"},
		{"a run that is done goes on", func(o *options) {
			read, reads := o.Read, 0
			o.Read = func(object *machinetest.Object) (runner.State, error) {
				s, err := read(object)
				if s.Done {
					if reads++; reads%3 == 0 {
						s.Done, s.Phase = false, "E1"
					}
				}
				return s, err
			}
		}, "a run that is done stays done, in itinerary"},
		{"the next phase runs after a failure", func(o *options) {
			o.OnFail = nil
		}, "nothing runs after a failed phase, in itinerary Main: a phase runs after one that failed: C1 failed, and the run is at D1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := scripted()
			build := s.Options
			s.Options = func(w *struct{}) runner.Options[*machinetest.Object] {
				o := build(w)
				tt.plant(&o)
				return o
			}
			script := []machinetest.Line{machinetest.Flags("X"), machinetest.Decide("C1", "Y"), machinetest.Edit(machinetest.End, "cancel")}
			if slices.Contains([]string{"a failed step is not failed any more", "the next phase runs after a failure", "a failure is not kept", "a cleanup is taken back"}, tt.name) {
				script[2] = machinetest.Fail("C1")
			}
			s.MaxReconciles = 50
			got := reports(func(tb machinetest.TB) { machinetest.New(tb, s).Run(script...) })
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

// Without a fault nothing is reported, in any of the lives that the table
// above plants faults in.
func TestPromisesThatAreKept(t *testing.T) {
	for _, script := range [][]machinetest.Line{
		{machinetest.Flags("X"), machinetest.Decide("C1", "Y"), machinetest.Edit(machinetest.End, "cancel")},
		{machinetest.Flags("X"), machinetest.Fail("E1")},
		{machinetest.Flags(), machinetest.Edit("A2", "cancel")},
	} {
		machinetest.New(t, scripted()).Run(script...)
	}
	r := machinetest.Explore(t, machinetest.Exploration[*machinetest.Object, struct{}]{Setup: scripted(), Edits: []string{"cancel"}})
	if r.States < 20 {
		t.Errorf("explored %d states only", r.States)
	}
}

// A run whose sources cannot be asked is retried, and nothing comes of it.
func TestUnknownIsNotFalse(t *testing.T) {
	l := machinetest.New(t, scripted())
	l.Run(machinetest.Flags("X"), machinetest.FlagErr(machinetest.Start, "X", "down"), machinetest.FlagErr("C1", "Y", "down").Times(2))
	l.WantPhases("Main", "A1", "B1", "A2", "C1", "E1")
}
