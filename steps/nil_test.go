package steps_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// Without an itinerary nothing is known about the phases ahead, and nothing changes.
func TestPlanOfNoItinerary(t *testing.T) {
	p := steps.Pipeline{{Name: "Data", Started: second(1), Phase: "Copy"}, {Name: "Restore"}}
	for _, plan := range []*machine.Plan{nil, {}, new(machine.Machine).Plan()} {
		assert.Equal(t, p, steps.Sync(p, steps.Snapshot{Plan: plan}, time.Unix(9, 0)))
		assert.Empty(t, steps.Visible(plan))
		assert.Empty(t, steps.Possible(plan))
		assert.Empty(t, steps.DisplaySteps(plan))
		assert.Equal(t, steps.Progress{AtLeast: 1, AtMost: 1}, steps.ProgressOf(p, plan))
	}
}
