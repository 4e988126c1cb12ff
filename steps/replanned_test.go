package steps_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

func TestReplanned(t *testing.T) {
	ran := func(name string) steps.Step { return steps.Step{Name: name, Started: second(1)} }
	for _, c := range []struct {
		about          string
		before, after  steps.Pipeline
		added, removed []string
	}{
		{"both empty", nil, nil, nil, nil},
		{"nothing differs", steps.Pipeline{ran("A"), {Name: "B"}}, steps.Pipeline{ran("A"), {Name: "B"}}, nil, nil},
		{"a step starts", steps.Pipeline{{Name: "A"}, {Name: "B"}}, steps.Pipeline{ran("A"), {Name: "B"}}, nil, nil},
		{"another order", steps.Pipeline{{Name: "A"}, {Name: "B"}}, steps.Pipeline{{Name: "B"}, {Name: "A"}}, nil, nil},
		{"added, in the order of after", steps.Pipeline{{Name: "B"}}, steps.Pipeline{{Name: "D"}, {Name: "B"}, {Name: "A"}}, []string{"D", "A"}, nil},
		{"removed, in the order of before", steps.Pipeline{{Name: "D"}, {Name: "B"}, {Name: "A"}}, steps.Pipeline{{Name: "B"}}, nil, []string{"D", "A"}},
		{"one replaces another, among many", steps.Pipeline{ran("A"), {Name: "B"}, {Name: "C"}}, steps.Pipeline{ran("A"), {Name: "X"}, {Name: "C"}}, []string{"X"}, []string{"B"}},
		{"a step that is added and started at once does not count", nil, steps.Pipeline{ran("A")}, nil, nil},
		{"entries with one name count once", steps.Pipeline{{Name: "A"}, {Name: "A"}}, steps.Pipeline{{Name: "B"}, {Name: "B"}}, []string{"B"}, []string{"A"}},
	} {
		t.Run(c.about, func(t *testing.T) {
			added, removed := steps.Replanned(c.before, c.after)
			assert.Equal(t, c.added, added, "added")
			assert.Equal(t, c.removed, removed, "removed")
		})
	}
}

// From every position of each itinerary, Replanned reports the differences between the plans,
// except for started steps.
func TestReplannedBetweenSyncs(t *testing.T) {
	all := []phases.Facts{
		{}, phases.NewFacts(0, volumes|hook), phases.NewFacts(volumes, hook), phases.NewFacts(hook, volumes), phases.NewFacts(volumes|hook, 0),
	}
	for from, was := range all {
		for to, is := range all {
			t.Run(fmt.Sprint(from, " to ", to), func(t *testing.T) {
				everywhere(t, was, func(t *testing.T, plan *machine.Plan) {
					if plan.Position().Done {
						return // no steps are ahead
					}
					before := steps.Sync(nil, steps.Snapshot{Plan: plan}, time.Unix(1, 0))
					now, err := plan.Graph().PlanFrom(plan.Position(), is)
					assert.NoError(t, err)
					after := steps.Sync(before, steps.Snapshot{Plan: now}, time.Unix(1, 0))

					added, removed := steps.Replanned(before, after)
					for _, s := range after {
						_, was := before.Lookup(s.Name)
						assert.Equal(t, !was && !s.Ran(), slices.Contains(added, s.Name), "%s is added", s.Name)
					}
					for _, s := range before {
						_, is := after.Lookup(s.Name)
						assert.Equal(t, !is, slices.Contains(removed, s.Name), "%s is removed", s.Name)
					}
					assert.Empty(t, duplicates(append(added, removed...)))
				})
			})
		}
	}
}

// duplicates returns the names that are in the list more than once.
func duplicates(names []string) (twice []string) {
	names = slices.Sorted(slices.Values(names))
	for i := 1; i < len(names); i++ {
		if names[i] == names[i-1] {
			twice = append(twice, names[i])
		}
	}
	return twice
}
