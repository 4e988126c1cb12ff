package steps_test

import (
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

// In a new run that begins in a phase, a completed step is reopened if a phase ahead belongs to it,
// and keeps its times otherwise.
func TestSyncOfARunThatBeginsAgain(t *testing.T) {
	g, err := set.Graph("Move")
	require.NoError(t, err)
	at := func(second int64) *metav1.Time { at := metav1.Unix(second, 0); return &at }
	before := steps.Pipeline{
		{Name: "Prepare", Started: at(1), Completed: at(2), Message: steps.MessageCompleted},
		{Name: "Data", Started: at(2), Completed: at(3), Message: steps.MessageCompleted},
		{Name: "Restore", Started: at(3), Message: steps.MessageContinues},
	}
	for _, c := range []struct {
		name  string
		again bool
		facts phases.Facts
		data  steps.Step
	}{
		{"a phase of Data is ahead", true, phases.NewFacts(volumes, hook),
			steps.Step{Name: "Data", Started: at(2), Message: steps.MessageContinues}},
		{"no phase of Data is ahead", true, phases.NewFacts(0, volumes|hook), before[1]},
		{"it is the same run", false, phases.NewFacts(volumes, hook), before[1]},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan, err := g.PlanFrom(machine.Position{Phase: "Attach"}, c.facts)
			require.NoError(t, err)
			m := steps.Snapshot{Plan: plan, NewRun: c.again}
			got := steps.Sync(before, m, time.Unix(9, 0))
			want := steps.Pipeline{
				before[0], c.data,
				{Name: "Restore", Started: at(3), Phase: "Attach", Message: "Attach"},
				{Name: "Cleanup", Message: steps.MessageNotStarted},
			}
			assert.Empty(t, cmp.Diff(want, got))
			assert.Empty(t, cmp.Diff(got, steps.Sync(got, m, time.Unix(10, 0))), "a second call changes nothing")
		})
	}
}
