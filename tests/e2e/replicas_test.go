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

// works waits until a replica has called a phase, and reports whether it did
// before the timeout.
func (g *fixture) works(p *process) bool {
	return assert.Eventually(g, func() bool { return g.calls.saw(p.cmd.Process.Pid) }, timeout, tick)
}

// onTheirWay creates migrations that wait half-way until they are released.
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

// allRan checks that every migration is done, and that no two replicas worked
// on one at the same time.
func (g *fixture) allRan(names []string) {
	g.Helper()
	for i, name := range names {
		g.done(name)
		assert.Empty(g, cmp.Diff(expected(g.T, mtc.Final, richest[i%2].flags, nil), g.calls.ran(name, mtc.Final)),
			"%s: the phases that ran", name)
	}
	assert.Empty(g, g.calls.atOnce(), "no phase runs twice at the same time")
}

func TestLeaderIsKilled(t *testing.T) {
	t.Parallel()
	g := newFixture(t, common, asMTC)
	g.record(itineraries)
	names, release := g.onTheirWay(6, func(int) map[string]string { return nil })
	leader := g.spawn(g.Config, "-leader-elect")
	require.True(t, g.works(leader))
	second := g.spawn(g.Config, "-leader-elect")
	g.untilTheyWait(names)
	assert.False(t, g.calls.saw(second.cmd.Process.Pid), "only one replica leads")
	leader.kill()
	release()
	g.allRan(names)
	assert.True(t, g.works(second))
}

func TestReplicasShareWork(t *testing.T) {
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
	for _, name := range names[3:] { // b continues
		g.done(name)
	}
	for _, name := range names[:3] {
		versions := g.recorder.Versions(name)
		assert.Equal(t, "InitialBackupCreated", versions[len(versions)-1].State.Phase, "%s: no replica runs it", name)
	}
	c := g.spawn(g.Config, "-selector", "share=a")
	g.allRan(names)
	assert.True(t, g.works(c))
}
