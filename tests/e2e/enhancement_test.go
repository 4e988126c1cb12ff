package e2e

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"

	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example/api"
)

// volume returns a volume that is copied by a method.
func volume(method string) mtc.Volume {
	return mtc.Volume{Name: "pv-" + method, Selection: mtc.Selection{Action: "copy", CopyMethod: method}}
}

// The three end-to-end tests of the enhancement, with exactly the steps that
// they forbid: no version of the object that a watcher sees shows such a step,
// or a skipped one.
func TestEnhancement(t *testing.T) {
	t.Parallel()
	always := mtc.EnableImage | mtc.EnableVolume
	for _, r := range both {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			g := newFixture(t, common, r)
			cases := []struct {
				name, about string
				plan        func(*api.MigPlan)
				spec        mtc.MigrationSpec
				flags       phases.Flags
				forbidden   []string
				shown       []string
			}{
				{
					name: "indirect-image-final", about: "test 1",
					plan: func(p *api.MigPlan) {
						p.Spec.Namespaces, p.Spec.IndirectImage = []string{withImages}, true
					},
					flags:     mtc.HasISs | mtc.IndirectImage | mtc.HasStageBackup,
					forbidden: []string{mtc.DirectImageStep, mtc.DirectVolumeStep},
					shown:     []string{mtc.DataBackup, mtc.DataRestore},
				},
				{
					name: "indirect-image-stage", about: "test 1",
					plan: func(p *api.MigPlan) {
						p.Spec.Namespaces, p.Spec.IndirectImage = []string{withImages}, true
					},
					spec:      mtc.MigrationSpec{Stage: true},
					flags:     mtc.HasISs | mtc.IndirectImage | mtc.HasStageBackup,
					forbidden: []string{mtc.DirectImageStep, mtc.DirectVolumeStep},
					shown:     []string{mtc.DataBackup, mtc.DataRestore},
				},
				{
					name: "indirect-volume-final", about: "test 2",
					plan: func(p *api.MigPlan) {
						p.Spec.Volumes, p.Spec.IndirectVolume = []mtc.Volume{volume("filesystem")}, true
					},
					spec:      mtc.MigrationSpec{QuiescePods: true},
					flags:     mtc.Quiesce | mtc.HasPVs | mtc.DirectImage | mtc.IndirectVolume | mtc.HasStageBackup,
					forbidden: []string{mtc.DirectVolumeStep},
					shown:     []string{mtc.DataBackup, mtc.DataRestore, mtc.DirectImageStep},
				},
				{
					name: "indirect-volume-stage", about: "test 2",
					plan: func(p *api.MigPlan) {
						p.Spec.Volumes, p.Spec.IndirectVolume = []mtc.Volume{volume("filesystem")}, true
					},
					spec:      mtc.MigrationSpec{Stage: true},
					flags:     mtc.HasPVs | mtc.DirectImage | mtc.IndirectVolume | mtc.HasStageBackup,
					forbidden: []string{mtc.DirectVolumeStep},
					shown:     []string{mtc.DataBackup, mtc.DataRestore},
				},
				{
					name: "direct-image-final", about: "test 3",
					plan:      func(p *api.MigPlan) { p.Spec.Namespaces = []string{withImages} },
					flags:     mtc.HasISs | mtc.DirectImage,
					forbidden: []string{mtc.DataBackup, mtc.DataRestore, "StageBackup", "StageRestore"},
					shown:     []string{mtc.DirectImageStep},
				},
				{
					name: "direct-image-stage", about: "test 3",
					plan:      func(p *api.MigPlan) { p.Spec.Namespaces = []string{withImages} },
					spec:      mtc.MigrationSpec{Stage: true},
					flags:     mtc.HasISs | mtc.DirectImage,
					forbidden: []string{mtc.DataBackup, mtc.DataRestore, "StageBackup", "StageRestore"},
					shown:     []string{mtc.DirectImageStep},
				},
				{
					name: "direct-image-and-volume-quiesced", about: "test 3, a step that upstream showed",
					plan: func(p *api.MigPlan) {
						p.Spec.Namespaces, p.Spec.Volumes = []string{withImages}, []mtc.Volume{volume("block")}
					},
					spec:      mtc.MigrationSpec{QuiescePods: true},
					flags:     mtc.Quiesce | mtc.HasPVs | mtc.HasISs | mtc.DirectImage | mtc.DirectVolume,
					forbidden: []string{mtc.DataBackup, mtc.DataRestore, "StageBackup", "StageRestore"},
					shown:     []string{mtc.DirectImageStep, mtc.DirectVolumeStep},
				},
			}
			for _, c := range cases {
				g.forbidden[c.name] = c.forbidden
				g.plan(c.name, c.plan)
			}
			g.record(itineraries)
			g.run(example.Parts{})
			for _, c := range cases {
				g.migrate(c.name, c.spec)
			}
			for _, c := range cases {
				last := g.done(c.name)
				itinerary := mtc.Final
				if c.spec.Stage {
					itinerary = mtc.Stage
				}
				want := expected(t, itinerary, c.flags|always, nil)
				assert.Empty(t, cmp.Diff(want, g.calls.ran(c.name, itinerary)), "%s: the phases that ran", c.name)
				seen := g.recorder.Steps(c.name)
				assert.Empty(t, cmp.Diff(stepsOf(t, itinerary, want), seen), "%s: all steps seen", c.name)
				assert.Subset(t, names(last), c.shown, c.name)
			}
		})
	}
}
