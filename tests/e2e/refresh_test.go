package e2e

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example/api"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/internal/record"
)

// Upstream gets this wrong: a step that becomes necessary while the plan is
// refreshed is in no list, and everything after it reads skipped.
func TestRefreshChangesThePlan(t *testing.T) {
	t.Parallel()
	const always = mtc.EnableImage | mtc.EnableVolume
	for _, r := range both {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			g := newFixture(t, common, r)
			cases := []struct {
				name           string
				spec           mtc.MigrationSpec
				before, change func(*api.MigPlan)
				was, is        phases.Flags
			}{
				{
					name:   "volumes-appear",
					change: func(p *api.MigPlan) { p.Spec.Volumes = []mtc.Volume{volume("filesystem")} },
					was:    mtc.DirectImage, is: mtc.DirectImage | mtc.HasPVs | mtc.DirectVolume,
				},
				{
					name:   "volumes-appear-that-go-by-a-backup",
					before: func(p *api.MigPlan) { p.Spec.IndirectVolume = true },
					change: func(p *api.MigPlan) { p.Spec.Volumes = []mtc.Volume{volume("filesystem")} },
					was:    mtc.DirectImage | mtc.IndirectVolume,
					is:     mtc.DirectImage | mtc.IndirectVolume | mtc.HasPVs | mtc.HasStageBackup,
				},
				{
					name: "volumes-vanish",
					before: func(p *api.MigPlan) {
						p.Spec.Volumes = []mtc.Volume{volume("filesystem"), volume("snapshot")}
					},
					change: func(p *api.MigPlan) {
						for i := range p.Spec.Volumes {
							p.Spec.Volumes[i].Selection.Action = "skip"
						}
					},
					was: mtc.DirectImage | mtc.HasPVs | mtc.DirectVolume | mtc.HasStageBackup, is: mtc.DirectImage,
				},
				{
					name: "images-vanish", spec: mtc.MigrationSpec{Stage: true},
					before: func(p *api.MigPlan) {
						p.Spec.Namespaces, p.Spec.IndirectImage = []string{withImages}, true
					},
					change: func(p *api.MigPlan) { p.Spec.Namespaces = []string{withoutImages} },
					was:    mtc.IndirectImage | mtc.HasISs | mtc.HasStageBackup, is: mtc.IndirectImage,
				},
				{
					name: "images-appear-in-a-stage", spec: mtc.MigrationSpec{Stage: true},
					before: func(p *api.MigPlan) { p.Spec.IndirectImage = true },
					change: func(p *api.MigPlan) { p.Spec.Namespaces = []string{withImages} },
					was:    mtc.IndirectImage, is: mtc.IndirectImage | mtc.HasISs | mtc.HasStageBackup,
				},
			}
			g.record(itineraries)
			g.run(example.Parts{})
			for _, c := range cases {
				g.world.Discover(g.namespace, c.name, c.change)
				g.plan(c.name, c.before)
				g.migrate(c.name, c.spec)
			}
			for _, c := range cases {
				itinerary := mtc.Final
				if c.spec.Stage {
					itinerary = mtc.Stage
				}
				g.done(c.name)
				was := expected(t, itinerary, c.was|always, nil)
				is := expected(t, itinerary, c.was|always, map[string]func(phases.Flags) phases.Flags{
					"WaitForRefresh": func(phases.Flags) phases.Flags { return c.is | always },
				})
				require.NotEqual(t, stepsOf(t, itinerary, was), stepsOf(t, itinerary, is), "%s: the refresh must change the steps", c.name)
				assert.Empty(t, cmp.Diff(is, g.calls.ran(c.name, itinerary)), "%s: the run must follow the new plan", c.name)

				refreshing := g.until(c.name, in("WaitForRefresh"))
				assert.Empty(t, cmp.Diff(stepsOf(t, itinerary, was), names(refreshing)), "%s: the steps before", c.name)
				refreshed := g.until(c.name, func(v record.Version) bool {
					return v.State.Itinerary == itinerary && v.State.Phase == "CleanStaleAnnotations"
				})
				assert.Empty(t, cmp.Diff(stepsOf(t, itinerary, is), names(refreshed)), "%s: the steps after, in place", c.name)
				assert.Equal(t, refreshing.State.Pipeline[0].Started, refreshed.State.Pipeline[0].Started, c.name)
			}
		})
	}
}
