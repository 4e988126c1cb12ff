package e2e

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/internal/record"
)

// works waits until a replica has called phases, and says whether it did
// before anybody lost patience.
func (g *fixture) works(p *process) bool {
	return assert.Eventually(g, func() bool { return g.calls.saw(p.cmd.Process.Pid) }, timeout, tick)
}

// onTheirWay makes migrations that wait in the middle until they are released.
func (g *fixture) onTheirWay(number int, labels func(i int) map[string]string) (all []string, release func()) {
	g.Helper()
	var releases []func()
	for i := range number {
		c := richest[i%2]
		name := fmt.Sprintf("%s-%d", c.name, i)
		all = append(all, name)
		releases = append(releases, g.world.Hold(g.namespace, name+"-initialbackup"))
		g.plan(name, c.plan)
		g.migrateLabelled(name, c.spec, labels(i))
	}
	return all, func() {
		for _, r := range releases {
			r()
		}
	}
}

func (g *fixture) untilTheyWait(names []string) {
	g.Helper()
	for _, name := range names {
		g.until(name, func(v record.Version) bool { return v.State.Phase == "InitialBackupCreated" })
	}
}

// allRan checks that no migration is lost, and that no two replicas were at
// one at the same time.
func (g *fixture) allRan(names []string) {
	g.Helper()
	for i, name := range names {
		g.done(name)
		assert.Empty(g, cmp.Diff(expected(g.T, mtc.Final, richest[i%2].flags, nil), g.calls.ran(name, mtc.Final)), "%s: the phases that ran", name)
	}
	assert.Empty(g, g.calls.atOnce(), "no phase runs twice at the same time")
}

func TestTheLeaderIsKilled(t *testing.T) {
	t.Parallel()
	g := newFixture(t, common, asMTC)
	g.record(itineraries)
	names, release := g.onTheirWay(6, func(int) map[string]string { return nil })
	leader := g.spawn(g.Config, "-leader-elect")
	require.True(t, g.works(leader))
	second := g.spawn(g.Config, "-leader-elect")
	g.untilTheyWait(names)
	assert.False(t, g.calls.saw(second.cmd.Process.Pid), "only one leads")
	leader.kill()
	release()
	g.allRan(names)
	assert.True(t, g.works(second))
}

func TestReplicasShareTheWork(t *testing.T) {
	t.Parallel()
	g := newFixture(t, common, withSubresource)
	g.record(itineraries)
	share := []string{"a", "b"}
	names, release := g.onTheirWay(6, func(i int) map[string]string { return map[string]string{"share": share[i/3]} })
	a := g.spawn(g.Config, "-selector", "share=a")
	b := g.spawn(g.Config, "-selector", "share=b")
	require.True(t, g.works(a) && g.works(b))
	g.untilTheyWait(names)
	a.kill()
	release()
	for _, name := range names[3:] { // b is not held up
		g.done(name)
	}
	for _, name := range names[:3] {
		assert.Equal(t, "InitialBackupCreated", g.recorder.Versions(name)[len(g.recorder.Versions(name))-1].State.Phase, "%s: nobody has it", name)
	}
	c := g.spawn(g.Config, "-selector", "share=a")
	g.allRan(names)
	assert.True(t, g.works(c))
}
