package conformance

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// busyObjects returns the objects of a final migration with indirect images and
// volumes, hooks of all kinds, and image streams. It counts the lists of image
// streams.
func busyObjects(lists *int) mtc.Objects {
	m := &mtc.Migration{Spec: mtc.MigrationSpec{QuiescePods: true, Verify: true}}
	p := &mtc.Plan{Spec: mtc.PlanSpec{
		IndirectImage: true, IndirectVolume: true, Namespaces: []string{"app"},
		Volumes: []mtc.Volume{{Selection: mtc.Selection{Action: "copy", CopyMethod: "filesystem"}}},
		Hooks:   []mtc.Hook{{Phase: "PreBackup"}, {Phase: "PostBackup"}, {Phase: "PreRestore"}, {Phase: "PostRestore"}},
	}}
	return mtc.Objects{
		Migration: m, Plan: p,
		Source: &mtc.Cluster{Spec: mtc.ClusterSpec{URL: "https://source.example.com:6443"}}, Destination: &mtc.Cluster{},
		ImageStreams: mtc.ImageStreamsFunc(func(context.Context, []string) (bool, error) {
			*lists++
			return true, nil
		}),
	}
}

// Each source is evaluated once, and again only after a phase that decides
// its flag. The test counts evaluations in a whole run of Final, beside those of the
// naive way that the enhancement sketches: it evaluates the flags of each phase at
// each hop, and the whole pipeline once per itinerary.
func TestSourcesAreEvaluatedOnce(t *testing.T) {
	g := graph(t, mtc.Final)
	lists := 0
	objects := busyObjects(&lists)
	asked := map[string]int{}
	ask := func(at machine.Position, f phases.Facts) phases.Facts {
		sources, err := mtc.Sources(objects)
		require.NoError(t, err)
		answer := sources.Evaluate(context.Background(), phases.Request{
			Known: f, Read: g.Reads(),
			Matters: func(f phases.Facts) phases.Flags {
				p, err := g.PlanFrom(at, f)
				require.NoError(t, err)
				return p.Matters()
			},
		})
		require.NoError(t, answer.Err())
		for _, name := range mtc.Vocabulary().Names(answer.Evaluated) {
			asked[name]++
		}
		return answer.Facts
	}

	m, err := g.NewMachine(machine.Position{}, ask(machine.Position{}, phases.Facts{}))
	require.NoError(t, err)
	decided := map[string]int{} // by flag, the number of deciding phases that were done
	hops := 0
	for {
		if d := m.Decides(); d != 0 {
			for _, name := range mtc.Vocabulary().Names(d & g.Reads()) {
				decided[name]++
			}
			m.SetFacts(ask(m.Position(), m.Facts().Forget(d)))
		}
		tr, err := m.Advance(context.Background())
		require.NoError(t, err)
		if tr.To.Done {
			break
		}
		hops++
		switch tr.To.Phase {
		case "EnsureStagePodsFromOrphanedPVCs":
			objects.Migration.Status.Conditions = mtc.Conditions{{Type: "StagePodsCreated", Status: "True"}}
		case "EnsureStagePodsTerminated":
			objects.Migration.Status.Conditions = nil
		}
	}

	it, err := mtc.Itinerary(mtc.Final)
	require.NoError(t, err)
	n := newNaive(it, m.Facts())
	n.asked = map[string]int{}
	n.pipeline()
	for i := n.next(-1); i < len(n.phases); i = n.next(i) {
	}

	var table strings.Builder
	fmt.Fprintf(&table, "\n%d hops of Final\n%-22s %6s %8s %6s\n", hops, "flag", "asked", "decided", "naive")
	for _, name := range mtc.Vocabulary().Names(mtc.Vocabulary().All()) {
		fmt.Fprintf(&table, "%-22s %6d %8d %6d\n", name, asked[name], decided[name], n.asked[name])
	}
	// Upstream's HasStageBackup lists image streams itself, each time.
	fmt.Fprintf(&table, "%-22s %6d %8s %6d\n", "lists of image streams", lists, "", n.asked["HasISs"]+n.asked["HasStageBackup"])
	t.Log(table.String())
	for _, name := range mtc.Vocabulary().Names(g.Reads()) {
		require.Equal(t, 1+decided[name], asked[name], "%s is evaluated once, and again only after a phase that decides it", name)
	}
	require.Zero(t, asked["LiveVmMigration"], "Final does not read it")
	require.Equal(t, 2, lists, "image streams are listed at the beginning and after the plan was refreshed")
}

// If the cheap flags settle the plan, the slow one is not evaluated at all.
func TestImageStreamsAreListedOnlyIfNeeded(t *testing.T) {
	g := graph(t, mtc.Final)
	lists := 0
	objects := busyObjects(&lists)
	objects.Plan.Spec.IndirectImage = false
	sources, err := mtc.Sources(objects)
	require.NoError(t, err)
	answer := sources.Evaluate(context.Background(), phases.Request{
		Read:    g.Reads(),
		Matters: func(f phases.Facts) phases.Flags { return g.Plan(f).Matters() },
	})
	require.NoError(t, answer.Err())
	require.Zero(t, lists)
	require.Equal(t, phases.Unknown, answer.Facts.Of(mtc.HasISs))
	require.Zero(t, g.Plan(answer.Facts).Matters(), "the plan is settled without it")
}
