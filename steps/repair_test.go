package steps_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// second returns the n-th second of the test's clock.
func second(n int64) *metav1.Time {
	t := metav1.NewTime(time.Unix(n, 0).UTC())
	return &t
}

// everywhere calls do with a plan from each position of each itinerary: its start, each of its
// phases, and done.
func everywhere(t *testing.T, f phases.Facts, do func(t *testing.T, plan *machine.Plan)) {
	t.Helper()
	for _, name := range []string{"Move", "Undo"} {
		g, err := set.Graph(name)
		require.NoError(t, err)
		at := []machine.Position{{}, {Done: true}}
		for i := range g.Len() {
			at = append(at, machine.Position{Phase: g.Phase(i).Name})
		}
		for _, p := range at {
			plan, err := g.PlanFrom(p, f)
			require.NoError(t, err)
			t.Run(fmt.Sprint(name, " ", p), func(t *testing.T) { do(t, plan) })
		}
	}
}

// mig-controller completes a step without clearing its phase and message if the next step is
// DirectVolume.
func TestSyncRepairsCompletedSteps(t *testing.T) {
	for _, c := range []struct {
		about  string
		step   steps.Step
		reads  string
		failed bool
	}{
		{"a phase", steps.Step{Phase: "Copy", Message: "Completed"}, "Completed", false},
		{"the message of a phase", steps.Step{Message: "Copying volumes"}, "Completed", false},
		{"both", steps.Step{Phase: "Copy", Message: "Copying volumes"}, "Completed", false},
		{"no message", steps.Step{}, "Completed", false},
		{"not started", steps.Step{Message: "Not started"}, "Completed", false},
		{"continues later", steps.Step{Message: "Continues later"}, "Completed", false},
		{"reads Failed without having failed", steps.Step{Message: "Failed"}, "Completed", false},
		{"skipped", steps.Step{Message: "Skipped", Skipped: true}, "Completed", false},
		{"canceled", steps.Step{Message: "Canceled"}, "Canceled", false},
		{"canceled, with a phase", steps.Step{Phase: "Copy", Message: "Canceled"}, "Canceled", false},
		{"failed, with the message of a phase", steps.Step{Phase: "Copy", Message: "Copying volumes", Failed: true}, "Failed", true},
		{"failed, completed", steps.Step{Message: "Completed", Failed: true}, "Failed", true},
		{"failed, canceled", steps.Step{Message: "Canceled", Failed: true}, "Failed", true},
	} {
		t.Run(c.about, func(t *testing.T) {
			everywhere(t, phases.NewFacts(0, volumes|hook), func(t *testing.T, plan *machine.Plan) {
				// Neither itinerary enters the first step now, and neither has the second.
				was := steps.Pipeline{c.step, c.step}
				was[0].Name, was[1].Name = "Hook", "Retired"
				var want steps.Pipeline
				for i := range was {
					was[i].Started, was[i].Completed, was[i].Progress = second(1), second(2), []string{"7 of 7 volumes"}
					want = append(want, steps.Step{Name: was[i].Name, Started: second(1), Completed: second(2),
						Message: c.reads, Progress: []string{"7 of 7 volumes"}, Failed: c.failed})
				}
				if plan.Position().Phase == "Hook" { // in progress, whatever its guard is
					was, want = was[1:], want[1:]
				}
				got := steps.Sync(was, steps.Snapshot{Plan: plan}, time.Unix(9, 0))
				assert.Empty(t, cmp.Diff(want, got[:len(want)]), "-want +got")
			})
		})
	}
}

func TestSyncMergesEntriesWithOneName(t *testing.T) {
	step := func(name string, started, completed int64, more steps.Step) steps.Step {
		more.Name = name
		if started > 0 {
			more.Started = second(started)
		}
		if completed > 0 {
			more.Completed = second(completed)
		}
		return more
	}
	for _, c := range []struct {
		about string
		p     func(name string) steps.Pipeline
		want  string // %s is the name
	}{
		{"both completed: from the earliest start to the latest end", func(n string) steps.Pipeline {
			return steps.Pipeline{step(n, 4, 5, steps.Step{Message: "Completed"}), step(n, 2, 3, steps.Step{Message: "Completed"})}
		}, "%s[2-5]"},
		{"one of them failed", func(n string) steps.Pipeline {
			return steps.Pipeline{
				step(n, 2, 3, steps.Step{Message: "Failed", Failed: true}), step(n, 4, 5, steps.Step{Message: "Completed"}),
			}
		}, "%s[2!-5]"},
		{"the entry that ended last was canceled", func(n string) steps.Pipeline {
			return steps.Pipeline{step(n, 4, 5, steps.Step{Message: "Canceled"}), step(n, 2, 3, steps.Step{Message: "Completed"})}
		}, "%s[2-5 Canceled]"},
		{"the canceled entry continued", func(n string) steps.Pipeline {
			return steps.Pipeline{step(n, 2, 3, steps.Step{Message: "Canceled"}), step(n, 4, 5, steps.Step{Message: "Completed"})}
		}, "%s[2-5]"},
		{"one is open: the step is open, and ends now", func(n string) steps.Pipeline {
			return steps.Pipeline{step(n, 2, 0, steps.Step{Message: "Continues later"}), step(n, 3, 4, steps.Step{Message: "Completed"})}
		}, "%s[2-9]"},
		{"one has not started", func(n string) steps.Pipeline {
			return steps.Pipeline{step(n, 0, 0, steps.Step{Message: "Not started"}), step(n, 3, 4, steps.Step{Message: "Completed"})}
		}, "%s[3-4]"},
		{"one has lost its start", func(n string) steps.Pipeline {
			return steps.Pipeline{step(n, 0, 6, steps.Step{Message: "Completed"}), step(n, 3, 4, steps.Step{Message: "Completed"})}
		}, "%s[3-6]"},
		{"the place is that of the first that ran", func(n string) steps.Pipeline {
			return steps.Pipeline{
				step(n, 0, 0, steps.Step{}), step("Other", 2, 3, steps.Step{}), step(n, 4, 5, steps.Step{}),
				step("Another", 5, 6, steps.Step{}), step(n, 1, 2, steps.Step{}),
			}
		}, "Other[2-3] %s[1-5] Another[5-6]"},
		{"the progress is that of the one that ended last", func(n string) steps.Pipeline {
			return steps.Pipeline{
				step(n, 4, 5, steps.Step{Progress: []string{"late"}}), step(n, 2, 3, steps.Step{Progress: []string{"early"}}),
			}
		}, "%s[2-5 (late)]"},
		{"progress that only one of them has is kept", func(n string) steps.Pipeline {
			return steps.Pipeline{step(n, 4, 5, steps.Step{}), step(n, 2, 3, steps.Step{Progress: []string{"early"}})}
		}, "%s[2-5 (early)]"},
		{"three of them", func(n string) steps.Pipeline {
			return steps.Pipeline{step(n, 4, 5, steps.Step{}), step(n, 2, 3, steps.Step{Failed: true}), step(n, 6, 7, steps.Step{})}
		}, "%s[2!-7]"},
	} {
		// One name is in the itinerary, and one is not.
		for _, name := range []string{"Prepare", "Retired"} {
			t.Run(c.about+": "+name, func(t *testing.T) {
				was := c.p(name)
				before := was.DeepCopy()
				plan := planOf(t, "Undo", "Finish", phases.NewFacts(0, volumes|hook))
				p := steps.Sync(was, steps.Snapshot{Plan: plan}, time.Unix(9, 0))
				assert.Equal(t, fmt.Sprintf(c.want, name)+" Cleanup[9 Finish]", read(p))
				assert.Empty(t, cmp.Diff(before, was), "the pipeline given is not changed")
			})
		}
	}
}

// Of two open entries, the one with a phase is the step that the run is in.
func TestSyncOfAnInterruptedDuplicate(t *testing.T) {
	for _, phaseFirst := range []bool{true, false} {
		p := steps.Pipeline{
			{Name: "Data", Started: second(2), Phase: "Copy", Message: "Copying volumes"},
			{Name: "Data", Started: second(1), Message: steps.MessageContinues},
			{Name: "Restore", Started: second(3), Message: steps.MessageContinues},
		}
		if !phaseFirst {
			p[0], p[1] = p[1], p[0]
		}
		plan := planOf(t, "Undo", "", phases.NewFacts(0, volumes|hook))
		p = steps.Sync(p, steps.Snapshot{Plan: plan, Failed: true}, time.Unix(9, 0))
		assert.Equal(t, "Data[1!-9] Restore[3-9] Helpers Cleanup", read(p), "phase first: %t", phaseFirst)
	}
}

// An edit or another release may leave entries that are not steps of the run.
func TestSyncDropsEntriesThatAreNotSteps(t *testing.T) {
	for _, c := range []struct {
		about string
		p     steps.Pipeline
		facts phases.Facts
		want  string
	}{
		{"without a name, which the API server would refuse",
			steps.Pipeline{{Started: second(1), Completed: second(2)}, {Message: "Not started"}},
			phases.NewFacts(0, volumes|hook), "Restore[9 Attach] Cleanup"},
		{"not in the itinerary, and not started", steps.Pipeline{{Name: "Retired", Message: "Not started"}},
			phases.NewFacts(0, volumes|hook), "Restore[9 Attach] Cleanup"},
		{"not in the itinerary, but has run: it is kept", steps.Pipeline{{Name: "Retired", Started: second(1), Completed: second(2)}},
			phases.NewFacts(0, volumes|hook), "Retired[1-2] Restore[9 Attach] Cleanup"},
		{"not in the itinerary, and open: nothing ahead belongs to it",
			steps.Pipeline{{Name: "Retired", Started: second(1), Phase: "Gone", Message: "Going"}},
			phases.NewFacts(0, volumes|hook), "Retired[1-9] Restore[9 Attach] Cleanup"},
		{"behind, and not started", steps.Pipeline{{Name: "Prepare", Message: "Not started"}},
			phases.NewFacts(0, volumes|hook), "Restore[9 Attach] Cleanup"},
		{"skipped, and will not run", steps.Pipeline{{Name: "Data", Message: "Skipped", Skipped: true}},
			phases.NewFacts(0, volumes|hook), "Restore[9 Attach] Cleanup"},
		{"skipped, but will run after all", steps.Pipeline{{Name: "Data", Message: "Skipped", Skipped: true}},
			phases.NewFacts(volumes, hook), "Restore[9 Attach] Data Cleanup"},
		{"skipped, and may run: it was not shown as coming", steps.Pipeline{{Name: "Data", Message: "Skipped", Skipped: true}},
			phases.NewFacts(0, hook), "Restore[9 Attach] Cleanup"},
		{"listed, and may run: it stays", steps.Pipeline{{Name: "Data", Message: "Not started"}},
			phases.NewFacts(0, hook), "Restore[9 Attach] Data Cleanup"},
		{"skipped while it was open", steps.Pipeline{{Name: "Data", Started: second(1), Message: "Skipped", Skipped: true}},
			phases.NewFacts(volumes, hook), "Data[1 Continues later] Restore[9 Attach] Cleanup"},
		{"not started, with a phase, a message and progress",
			steps.Pipeline{{Name: "Cleanup", Phase: "Finish", Message: "Finishing", Progress: []string{"x"}}},
			phases.NewFacts(0, volumes|hook), "Restore[9 Attach] Cleanup"},
		{"with zero timestamps, which JSON writes as null", steps.Pipeline{{Name: "Hook", Started: &metav1.Time{}, Completed: &metav1.Time{}}},
			phases.NewFacts(0, volumes|hook), "Restore[9 Attach] Cleanup"},
	} {
		t.Run(c.about, func(t *testing.T) {
			p := steps.Sync(c.p, steps.Snapshot{Plan: planOf(t, "Move", "Attach", c.facts)}, time.Unix(9, 0))
			assert.Equal(t, c.want, read(p))
		})
	}
}
