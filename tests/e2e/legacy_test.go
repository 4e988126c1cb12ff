package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/legacy"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example/api"
)

// recorded is a migration that mig-controller has begun.
type recorded struct {
	ID           string
	Stage        bool
	MigrateState bool
	Rollback     bool
	Canceled     bool
	Flags        []string
	Status       json.RawMessage
	Remaining    []string

	flags phases.Flags
	was   api.MigMigrationStatus
}

func readRecorded(t *testing.T, file string) (all []recorded) {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "conformance", "testdata", file))
	require.NoError(t, err)
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r recorded
		require.NoError(t, json.Unmarshal(lines.Bytes(), &r))
		require.NoError(t, json.Unmarshal(r.Status, &r.was))
		r.flags, err = mtc.Vocabulary().Parse(r.Flags...)
		require.NoError(t, err)
		all = append(all, r)
	}
	require.NoError(t, lines.Err())
	return all
}

func (r recorded) spec() mtc.MigrationSpec {
	return mtc.MigrationSpec{
		Stage: r.Stage, MigrateState: r.MigrateState, Rollback: r.Rollback, Canceled: r.Canceled,
		QuiescePods: r.flags.Has(mtc.Quiesce), Verify: r.flags.Has(mtc.HasVerify),
	}
}

// plan sets a plan from which the flags of the line follow.
func (r recorded) plan(p *api.MigPlan) {
	has := r.flags.Has
	if has(mtc.HasISs) {
		p.Spec.Namespaces = []string{withImages}
	}
	p.Spec.IndirectImage, p.Spec.IndirectVolume = has(mtc.IndirectImage), has(mtc.IndirectVolume)
	p.Spec.LiveMigrate = has(mtc.LiveVmMigration)
	if has(mtc.StorageConversion) {
		p.Spec.SourceRef = p.Spec.DestinationRef
	}
	if has(mtc.HasPVs) {
		p.Spec.Volumes = append(p.Spec.Volumes, mtc.Volume{Name: "unchosen"})
	}
	if has(mtc.DirectVolume) {
		p.Spec.Volumes = append(p.Spec.Volumes, volume("filesystem"))
	}
	if has(mtc.HasStageBackup | mtc.HasPVs) {
		p.Spec.Volumes = append(p.Spec.Volumes, volume("snapshot"))
	}
	for flag, hook := range map[phases.Flags]mtc.Hook{
		mtc.HasPreBackupHooks: hooks[0], mtc.HasPostBackupHooks: hooks[1], mtc.HasPreRestoreHooks: hooks[2], mtc.HasPostRestoreHooks: hooks[3],
	} {
		if has(flag) {
			p.Spec.Hooks = append(p.Spec.Hooks, hook)
		}
	}
	if !has(mtc.EnableImage) {
		p.Status.ExcludedResources = append(p.Status.ExcludedResources, "imagestreams")
	}
	if !has(mtc.EnableVolume) {
		p.Status.ExcludedResources = append(p.Status.ExcludedResources, "persistentvolumes")
	}
}

// stepNow returns the present name of a step.
func stepNow(name string) string {
	return strings.NewReplacer("StageBackup", mtc.DataBackup, "StageRestore", mtc.DataRestore).Replace(name)
}

// Migrations that mig-controller began in two releases are taken over at their
// phase, run to their end, and are converted back.
func TestObjectsOfOldControllerAreAdopted(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"legacy-2021.jsonl", "legacy-2025.jsonl"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			g := newFixture(t, common, asMTC)
			all := readRecorded(t, file)
			require.Len(t, all, 120)
			g.record(itineraries)
			untouched := map[string]*api.MigMigration{}
			for _, r := range all {
				g.plan(r.ID, r.plan)
				m := &api.MigMigration{ObjectMeta: g.meta(r.ID), Spec: r.spec(), Status: r.was}
				m.Spec.PlanRef = mtc.Ref{Name: r.ID}
				if r.flags.Has(mtc.HasStagePods) {
					m.SetCondition("StagePodsCreated", true)
				}
				g.create(m)
				untouched[r.ID] = m
			}
			g.run(example.Parts{})
			adapter := legacy.NewAdapter(itineraries, mtc.DataNames)
			ended, adopted := 0, 0
			for _, r := range all {
				if r.was.Phase == mtc.PhaseCompleted {
					ended++
					continue
				}
				adopted++
				r.adopted(t, g, adapter)
			}
			t.Logf("%d were adopted, %d had ended", adopted, ended)
			assert.Greater(t, adopted, 40)
			for _, r := range all {
				if r.was.Phase == mtc.PhaseCompleted {
					var now api.MigMigration
					require.NoError(t, g.client.Get(g.ctx, client.ObjectKeyFromObject(untouched[r.ID]), &now))
					assert.Equal(t, untouched[r.ID].ResourceVersion, now.ResourceVersion, "%s has ended and must not change", r.ID)
					assert.Zero(t, g.calls.called(r.ID), r.ID)
				}
			}
		})
	}
}

func (r recorded) adopted(t *testing.T, g *fixture, adapter *legacy.Adapter) {
	t.Helper()
	last := g.done(r.ID)
	want := []string{}
	for _, s := range r.was.Pipeline {
		if s.Ran() && !slices.Contains(want, stepNow(s.Name)) {
			want = append(want, stepNow(s.Name))
		}
	}
	for _, s := range r.Remaining {
		if !slices.Contains(want, s) {
			want = append(want, s)
		}
	}
	assert.Empty(t, cmp.Diff(want, names(last)), "%s: started steps, then the remaining ones", r.ID)
	for _, was := range r.was.Pipeline {
		if !was.Ran() {
			continue
		}
		if is, _ := last.State.Pipeline.Lookup(stepNow(was.Name)); assert.NotNil(t, is, "%s: %s", r.ID, was.Name) {
			assert.True(t, was.Started.Equal(is.Started), "%s: the start of %s", r.ID, was.Name)
		}
	}
	r.ran(t, g)
	r.back(t, g, adapter)
}

// ran checks the phases: those from the recorded one on or, if the state now
// selects another itinerary, the phases of that one.
func (r recorded) ran(t *testing.T, g *fixture) {
	t.Helper()
	itinerary := mtc.Select(&mtc.Migration{Spec: r.spec(), Status: mtc.MigrationStatus{Errors: r.was.Errors}})
	graph, err := itineraries.Graph(itinerary)
	require.NoError(t, err)
	var from machine.Position
	if itinerary == r.was.Itinerary {
		from.Phase = r.was.Phase
		if from.Phase == "" {
			from.Phase = mtc.PhaseCreated
		}
	}
	m, err := graph.NewMachine(from, phases.NewFacts(r.flags, mtc.Vocabulary().All()&^r.flags))
	require.NoError(t, err, r.ID)
	var want []string
	if at := m.Position().Phase; at != "" {
		want = append(want, at)
	}
	for flags := r.flags; ; {
		tr, err := m.Advance(context.Background())
		require.NoError(t, err)
		if tr.To.Done {
			break
		}
		want = append(want, tr.To.Phase)
		switch tr.To.Phase {
		case "EnsureStagePodsFromRunning", "EnsureStagePodsFromTemplates":
			flags |= mtc.HasStagePods
		case "EnsureStagePodsTerminated", "WaitForStaleStagePodsTerminated":
			flags &^= mtc.HasStagePods
		}
		m.SetFacts(phases.NewFacts(flags, mtc.Vocabulary().All()&^flags))
	}
	assert.Empty(t, cmp.Diff(want, g.calls.ran(r.ID, itinerary)), "%s: the phases that ran", r.ID)
}

// back converts the present status to the old form.
func (r recorded) back(t *testing.T, g *fixture, adapter *legacy.Adapter) {
	t.Helper()
	var m api.MigMigration
	require.NoError(t, g.client.Get(g.ctx, client.ObjectKey{Namespace: g.namespace, Name: r.ID}, &m))
	status, err := json.Marshal(m.Status)
	require.NoError(t, err)
	down, err := adapter.Downgrade(status, []byte(m.Annotations[legacy.Annotation]))
	require.NoError(t, err)
	assert.Empty(t, down.Warnings, r.ID)
	for _, name := range []string{mtc.DataBackup, mtc.DataRestore} {
		assert.NotContains(t, string(down.Status), `"`+name+`"`, r.ID)
	}
	var old api.MigMigrationStatus
	require.NoError(t, json.Unmarshal(down.Status, &old))
	seen := map[string]bool{}
	for _, s := range old.Pipeline {
		assert.False(t, seen[s.Name], "%s: step %s is listed twice", r.ID, s.Name)
		seen[s.Name] = true
	}
	for _, was := range r.was.Pipeline {
		if was.Skipped && !was.Ran() {
			assert.True(t, seen[was.Name], "%s: the skipped step %s must be restored", r.ID, was.Name)
		}
	}
	again, err := adapter.Upgrade(down.Status, nil)
	require.NoError(t, err)
	var there api.MigMigrationStatus
	require.NoError(t, json.Unmarshal(again.Status, &there))
	assert.Empty(t, cmp.Diff(m.Status.Pipeline, there.Pipeline), "%s: converted both ways", r.ID)
}
