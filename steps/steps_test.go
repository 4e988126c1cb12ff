package steps_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func planOf(t *testing.T, itinerary, phase string, f phases.Facts) *machine.Plan {
	t.Helper()
	g, err := set.Graph(itinerary)
	require.NoError(t, err)
	p, err := g.PlanFrom(machine.Position{Phase: phase}, f)
	require.NoError(t, err)
	return p
}

func TestVisiblePossibleAndDisplaySteps(t *testing.T) {
	for _, c := range []struct {
		about             string
		facts             phases.Facts
		visible, possible []string
		quiesce           string // the step that Quiesce, which rides on Data, is reported under
	}{
		{"all flags false", phases.NewFacts(0, volumes|hook), []string{"Prepare", "Restore", "Cleanup"}, []string{}, "Prepare"},
		{"a hook", phases.NewFacts(hook, volumes), []string{"Prepare", "Hook", "Restore", "Cleanup"}, []string{}, "Hook"},
		{"volumes", phases.NewFacts(volumes, hook), []string{"Prepare", "Data", "Restore", "Cleanup"}, []string{}, "Data"},
		{"whether there are volumes is unknown", phases.NewFacts(0, hook), []string{"Prepare", "Restore", "Cleanup"}, []string{"Data"}, "Prepare"},
		{"all flags unknown", phases.Facts{}, []string{"Prepare", "Restore", "Cleanup"}, []string{"Hook", "Data"}, "Prepare"},
	} {
		t.Run(c.about, func(t *testing.T) {
			p := planOf(t, "Move", "", c.facts)
			assert.Equal(t, c.visible, steps.Visible(p))
			assert.Equal(t, c.possible, steps.Possible(p))
			want := []string{"Prepare", "Prepare", "Hook", c.quiesce, "Data", "Restore", "Data", "Cleanup"}
			assert.Equal(t, want, steps.DisplaySteps(p))
		})
	}
}

func TestDisplayStepsOfAFirstPhaseThatRides(t *testing.T) {
	g := machine.MustCompile(phases.Itinerary{Name: "I", Vocabulary: vocabulary, Phases: []phases.Phase{
		{Name: "Rides", Step: "Hidden", Rides: true},
		{Name: "Work", Step: "Work"},
		{Name: "Hidden", Step: "Hidden", Guard: phases.Guard{All: volumes}},
	}})
	f := phases.NewFacts(0, volumes)
	assert.Equal(t, []string{"Work", "Work", "Hidden"}, steps.DisplaySteps(g.Plan(f)))
	p, err := g.PlanFrom(machine.Position{Phase: "Rides"}, f)
	require.NoError(t, err)
	assert.Equal(t, "Work[7 Rides]", read(steps.Sync(nil, steps.Snapshot{Plan: p}, time.Unix(7, 0))))
}

// The first visible step is the first in the order of Visible, even if a phase that rides reaches
// it.
func TestDisplayStepsOfTwoFirstPhasesThatRide(t *testing.T) {
	g := machine.MustCompile(phases.Itinerary{Name: "I", Vocabulary: vocabulary, Phases: []phases.Phase{
		{Name: "Rides", Step: "Hidden", Rides: true},
		{Name: "Tell", Step: "Announce", Rides: true},
		{Name: "Work", Step: "Work"},
		{Name: "TellAll", Step: "Announce"},
		{Name: "Hidden", Step: "Hidden", Guard: phases.Guard{All: volumes}},
	}})
	plan := g.Plan(phases.NewFacts(0, volumes))
	assert.Equal(t, []string{"Announce", "Work"}, steps.Visible(plan))
	assert.Equal(t, []string{"Announce", "Announce", "Work", "Announce", "Hidden"}, steps.DisplaySteps(plan))
	plan, err := g.PlanFrom(machine.Position{Phase: "Rides"}, phases.NewFacts(0, volumes))
	require.NoError(t, err)
	assert.Equal(t, "Announce[7 Rides] Work", read(steps.Sync(nil, steps.Snapshot{Plan: plan}, time.Unix(7, 0))))
}

// The order of steps is that of their first phases, including those that ride.
func TestVisibleIsInTheOrderOfFirstPhases(t *testing.T) {
	g := machine.MustCompile(phases.Itinerary{Name: "I", Vocabulary: vocabulary, Phases: []phases.Phase{
		{Name: "Begin", Step: "Prepare"},
		{Name: "Tell", Step: "Announce", Rides: true},
		{Name: "Work", Step: "Work"},
		{Name: "TellAll", Step: "Announce"},
	}})
	plan := g.Plan(phases.NewFacts(0, 3))
	assert.Equal(t, []string{"Prepare", "Announce", "Work"}, steps.Visible(plan))
	assert.Equal(t, "Prepare Announce Work", read(steps.Sync(nil, steps.Snapshot{Plan: plan}, time.Unix(1, 0))))
}

// A phase that rides stays with the open step, even if the facts under which that step ran have
// changed.
func TestSyncKeepsAPhaseThatRidesUnderTheOpenStep(t *testing.T) {
	p := steps.Sync(nil, steps.Snapshot{Plan: planOf(t, "Move", "Created", phases.NewFacts(hook, volumes))}, time.Unix(1, 0))
	p = steps.Sync(p, steps.Snapshot{Plan: planOf(t, "Move", "Hook", phases.NewFacts(hook, volumes))}, time.Unix(2, 0))
	p = steps.Sync(p, steps.Snapshot{Plan: planOf(t, "Move", "Quiesce", phases.NewFacts(0, volumes|hook))}, time.Unix(3, 0))
	assert.Equal(t, "Prepare[1-2] Hook[2 Quiesce] Restore Cleanup", read(p))
}

// A phase that a jump passes has not run, whatever its guard is: a later phase that rides is not
// reported under its step.
func TestDisplayStepsBehindAJump(t *testing.T) {
	g := machine.MustCompile(phases.Itinerary{Name: "I", Vocabulary: vocabulary, Phases: []phases.Phase{
		{Name: "Work", Step: "Work", Jumps: []phases.Jump{{To: "Rides", Guard: phases.Guard{None: hook}}}},
		{Name: "Attach", Step: "Restore"},
		{Name: "Rides", Step: "Restore", Rides: true},
	}})
	for _, c := range []struct {
		about, under string
		f            phases.Facts
		reads        string
	}{
		{"the jump is taken", "Work", phases.NewFacts(0, volumes|hook), "Work[1 Rides]"},
		{"the jump is not taken", "Restore", phases.NewFacts(hook, volumes), "Work[1-2] Restore[2 Rides]"},
	} {
		t.Run(c.about, func(t *testing.T) {
			var p steps.Pipeline
			for i, phase := range g.Plan(c.f).Running() {
				plan, err := g.PlanFrom(machine.Position{Phase: phase}, c.f)
				require.NoError(t, err)
				assert.Equal(t, c.under, steps.DisplaySteps(plan)[2], "from %s", phase)
				p = steps.Sync(p, steps.Snapshot{Plan: plan}, time.Unix(int64(i+1), 0))
			}
			assert.Equal(t, c.reads, read(p))
		})
	}
}

func TestStepJSON(t *testing.T) {
	at := metav1.NewTime(time.Date(2021, 2, 4, 1, 2, 3, 0, time.UTC))
	for _, c := range []struct {
		about string
		step  steps.Step
		want  string
	}{
		{"only the name", steps.Step{Name: "Prepare"}, `{"name":"Prepare"}`},
		{"everything",
			steps.Step{
				Started: &at, Completed: &at, Name: "Prepare", Phase: "Started", Message: "m", Progress: []string{"p"},
				Failed: true, Skipped: true,
			},
			`{"started":"2021-02-04T01:02:03Z","completed":"2021-02-04T01:02:03Z","name":"Prepare","phase":"Started","message":"m",` +
				`"progress":["p"],"failed":true,"skipped":true}`},
	} {
		t.Run(c.about, func(t *testing.T) {
			b, err := json.Marshal(c.step)
			require.NoError(t, err)
			assert.Equal(t, c.want, string(b))
			var back steps.Step
			require.NoError(t, json.Unmarshal(b, &back))
			assert.Empty(t, cmp.Diff(c.step, back))
		})
	}
}

func TestDeepCopySharesNothing(t *testing.T) {
	at := metav1.NewTime(time.Unix(1, 0))
	was := steps.Pipeline{{Name: "A", Started: &at, Completed: at.DeepCopy(), Progress: []string{"p"}}}
	want := bytes(t, was)
	for name, other := range map[string]steps.Pipeline{
		"DeepCopy": was.DeepCopy(),
		"DeepCopyInto": func() (p steps.Pipeline) {
			was.DeepCopyInto(&p)
			return p
		}(),
		"Step.DeepCopy": {*was[0].DeepCopy()},
		"Sync":          steps.Sync(was, steps.Snapshot{Plan: planOf(t, "Move", "", phases.Facts{})}, time.Unix(9, 0)),
	} {
		other[0].Started.Time = time.Unix(5, 0)
		other[0].Completed.Time = time.Unix(5, 0)
		if len(other[0].Progress) > 0 {
			other[0].Progress[0] = "q"
		}
		assert.Equal(t, want, bytes(t, was), name)
	}
	assert.Nil(t, steps.Pipeline(nil).DeepCopy())
	assert.Nil(t, (*steps.Step)(nil).DeepCopy())
}

func TestSyncWithASlowClock(t *testing.T) {
	p := steps.Sync(nil, steps.Snapshot{Plan: planOf(t, "Undo", "Remove", phases.NewFacts(0, 3))}, time.Unix(100, 0))
	p = steps.Sync(p, steps.Snapshot{Plan: planOf(t, "Undo", "Finish", phases.NewFacts(0, 3))}, time.Unix(40, 0))
	assert.Equal(t, "Helpers[100-100] Cleanup[40 Finish]", read(p))
}

// Sync reads steps that an earlier release marked as skipped, and never marks any.
func TestSyncNeverSetsSkipped(t *testing.T) {
	at := metav1.NewTime(time.Unix(1, 0))
	p := steps.Pipeline{
		{Name: "Helpers", Started: &at, Completed: &at, Message: "Skipped", Skipped: true},
		{Name: "Hook", Message: "Skipped", Skipped: true},
	}
	p = steps.Sync(p, steps.Snapshot{Plan: planOf(t, "Undo", "Finish", phases.NewFacts(0, 3))}, time.Unix(2, 0))
	assert.Equal(t, "Helpers[1-1] Cleanup[2 Finish]", read(p))
}

// Earlier releases have lost timestamps. A step that is entered again gets a start.
func TestSyncRestoresAMissingStart(t *testing.T) {
	at := metav1.NewTime(time.Unix(1, 0))
	p := steps.Pipeline{
		{Name: "Helpers", Completed: &at, Message: steps.MessageCompleted}, {Name: "Cleanup", Completed: &at, Message: steps.MessageCompleted},
	}
	p = steps.Sync(p, steps.Snapshot{Plan: planOf(t, "Undo", "Finish", phases.NewFacts(0, 3))}, time.Unix(2, 0))
	assert.Equal(t, "Helpers[-1] Cleanup[2 Finish]", read(p))
}

func TestCurrent(t *testing.T) {
	at := metav1.NewTime(time.Unix(1, 0))
	open, ended := steps.Step{Name: "open", Started: &at}, steps.Step{Name: "ended", Started: &at, Completed: &at}
	phase := open
	phase.Name, phase.Phase = "phase", "P"
	for _, c := range []struct {
		about string
		p     steps.Pipeline
		want  string
	}{
		{"nothing has started", steps.Pipeline{{Name: "A"}}, ""},
		{"all that started is completed", steps.Pipeline{ended, {Name: "A"}}, ""},
		{"the last open one", steps.Pipeline{open, {Name: "last", Started: &at}, ended}, "last"},
		{"the one with a phase", steps.Pipeline{phase, open}, "phase"},
	} {
		t.Run(c.about, func(t *testing.T) {
			got := ""
			if s := c.p.Current(); s != nil {
				got = s.Name
			}
			assert.Equal(t, c.want, got)
		})
	}
}
