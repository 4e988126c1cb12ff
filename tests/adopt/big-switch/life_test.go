package bigswitch

import (
	"fmt"
	"maps"
	"math/rand"

	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/world"
)

// life is a migration and everything that happens to it.
type life struct {
	spec   api.Spec
	script world.Script
	edited int // number of visits before the plan is edited; 0 means never
}

var conflict = errors.NewConflict(schema.GroupResource{Resource: "pods"}, "stage", fmt.Errorf("the object has changed"))

// randomLife returns the life of a seed.
func randomLife(seed int64) life {
	r := rand.New(rand.NewSource(seed))
	chance := func(percent int) bool { return r.Intn(100) < percent }
	l := life{
		spec: api.Spec{Stage: chance(30), QuiescePods: chance(50), Verify: chance(30), MigrateState: chance(10), Rollback: chance(10)},
		script: world.Script{
			Plan:  randomPlan(r),
			Polls: map[string]int{}, Errors: map[string][]error{}, Fails: map[string][]string{},
			Lost: map[int]bool{}, Kept: map[int]bool{}, OutsideEvents: map[int]world.OutsideEvent{},
		},
	}
	if chance(30) {
		refreshed, found := l.script.Plan, randomPlan(r)
		refreshed.Volumes, refreshed.ImageStreams = found.Volumes, found.ImageStreams
		l.script.Refreshed = &refreshed
	}
	names := phaseNames()
	pick := func() string { return names[r.Intn(len(names))] }
	for range r.Intn(12) {
		l.script.Polls[pick()] = 1 + r.Intn(3)
	}
	for range r.Intn(3) {
		l.script.Errors[pick()] = []error{conflict}
	}
	for range r.Intn(4) {
		l.script.Lost[1+r.Intn(60)] = true
		l.script.Kept[1+r.Intn(60)] = true
	}
	if chance(25) {
		l.script.OutsideEvents[1+r.Intn(40)] = world.OutsideEvent{Cancel: true}
	}
	if chance(5) {
		l.script.OutsideEvents[1+r.Intn(40)] = world.OutsideEvent{Rollback: true}
	}
	if chance(8) {
		l.script.Fails[pick()] = []string{"no space left", "2 of 3 items"}
	}
	if chance(8) {
		l.script.Errors[pick()] = []error{fmt.Errorf("not found")}
	}
	if chance(3) {
		l.script.OutsideEvents[1+r.Intn(30)] = world.OutsideEvent{Outage: 1 + r.Intn(3)}
	}
	if chance(4) {
		plan := randomPlan(r)
		l.edited = 1 + r.Intn(30)
		l.script.OutsideEvents[l.edited] = world.OutsideEvent{Plan: &plan}
	}
	return l
}

func randomPlan(r *rand.Rand) world.Plan {
	chance := func(percent int) bool { return r.Intn(100) < percent }
	p := world.Plan{
		ImageStreams: chance(50), PodsToStage: chance(70),
		IndirectImage: chance(50), IndirectVolume: chance(50),
		ExcludeImages: chance(10), ExcludeVolumes: chance(10),
		SameCluster: chance(10), LiveMigrate: chance(20),
		Hooks: map[string]bool{
			mtc.PhasePreBackupHooks: chance(20), mtc.PhasePostBackupHooks: chance(20),
			mtc.PhasePreRestoreHooks: chance(20), mtc.PhasePostRestoreHooks: chance(20),
		},
	}
	for range r.Intn(3) {
		p.Volumes = append(p.Volumes, world.Volume{
			Action:     []string{"copy", "copy", "move", "skip"}[r.Intn(4)],
			CopyMethod: []string{"filesystem", "snapshot"}[r.Intn(2)],
		})
	}
	return p
}

// phaseNames returns the names of all phases, once for each itinerary that has
// them.
func phaseNames() (names []string) {
	for _, it := range mtc.Itineraries() {
		for _, p := range it.Phases {
			names = append(names, p.Name)
		}
	}
	return names
}

// world returns the world of the life. It can be played once.
func (l life) world() *world.World {
	s := l.script
	s.Lost, s.Kept, s.OutsideEvents = maps.Clone(s.Lost), maps.Clone(s.Kept), maps.Clone(s.OutsideEvents)
	return world.New(s)
}
