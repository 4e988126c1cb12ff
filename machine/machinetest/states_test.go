package machinetest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// lifeOfStates returns the consecutive states of a backup.
func lifeOfStates(t *testing.T) (set *machine.Set, all []runner.State) {
	t.Helper()
	s := setup()
	s.Invariants = append(s.Invariants, machinetest.Invariant[*Backup, Cluster]{
		Name: "every state is kept",
		Check: func(at machinetest.Snapshot[*Backup, Cluster]) error {
			all = append(all, *at.State.DeepCopy())
			return nil
		},
	})
	life := machinetest.New(t, s)
	life.Run(machinetest.Flags("HasVolumes"))
	require.Greater(t, len(all), 3)
	return s.Options(&Cluster{}).Itineraries, all
}

func TestCheckStatesOfLife(t *testing.T) {
	set, all := lifeOfStates(t)
	var before runner.State
	for _, s := range all {
		assert.Empty(t, machinetest.CheckStates(set, before, s))
		before = s
	}
}

func TestCheckStatesBroken(t *testing.T) {
	set, all := lifeOfStates(t)
	last := all[len(all)-1]
	running := 0 // the first state of the second phase
	for all[running].Visit < 2 {
		running++
	}
	for _, c := range []struct {
		name   string
		before runner.State
		change func(s *runner.State)
		how    string
	}{
		{"it goes back", all[running], func(s *runner.State) { *s = *all[0].DeepCopy() }, "the run goes back"},
		{"it is done and moves", last, func(s *runner.State) { *s = *all[running].DeepCopy(); s.Visit = last.Visit + 1 },
			"a run that was done has moved"},
		{"another phase without a visit", all[running], func(s *runner.State) { s.Phase = all[0].Phase },
			"the run changes its phase without entering one"},
		{"a phase behind", all[running], func(s *runner.State) { s.Phase = all[0].Phase; s.Visit++ },
			"a phase is entered that the plan leaves out"},
		{"an unknown phase", all[running], func(s *runner.State) { s.Phase = "Nowhere" },
			"the state that was written cannot be planned"},
		{"a step is skipped", all[running], func(s *runner.State) { s.Pipeline[0].Skipped = true }, "a step is marked skipped"},
		{"a step is lost", all[running], func(s *runner.State) { s.Pipeline = s.Pipeline[1:] },
			"steps that have started are lost or reordered"},
		{"a step starts again", all[running], func(s *runner.State) {
			at := metav1.NewTime(s.Pipeline[0].Started.Add(time.Hour))
			s.Pipeline[0].Started = &at
		}, "the start of a step changes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			after := *c.before.DeepCopy()
			c.change(&after)
			var hows []string
			for _, b := range machinetest.CheckStates(set, c.before, after) {
				hows = append(hows, b.How)
			}
			assert.Contains(t, hows, c.how)
		})
	}
}

func TestSimulatedClock(t *testing.T) {
	clock := machinetest.NewClock(time.Unix(0, 0))
	ctx, cancel := clock.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	clock.Set(time.Unix(3599, 0))
	require.NoError(t, ctx.Err())
	require.ErrorContains(t, machinetest.Hang(ctx), "deadline exceeded")
	assert.Equal(t, time.Unix(3600, 0), clock.Now(), "the end of the timeout")
}
