package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example/api"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/internal/record"
)

// configuration is a plan and the flags that follow from it.
type configuration struct {
	name  string
	plan  func(*api.MigPlan)
	spec  mtc.MigrationSpec
	flags phases.Flags
}

var hooks = []mtc.Hook{{Phase: "PreBackup"}, {Phase: "PostBackup"}, {Phase: "PreRestore"}, {Phase: "PostRestore"}}

const hasHooks = mtc.HasPreBackupHooks | mtc.HasPostBackupHooks | mtc.HasPreRestoreHooks | mtc.HasPostRestoreHooks

// richest holds two configurations that together enter every phase of Final
// that a migration can enter.
var richest = []configuration{
	{
		name: "indirect",
		plan: func(p *api.MigPlan) {
			p.Spec.Namespaces, p.Spec.Hooks = []string{withImages}, hooks
			p.Spec.Volumes = []mtc.Volume{volume("filesystem")}
			p.Spec.IndirectImage, p.Spec.IndirectVolume = true, true
		},
		spec: mtc.MigrationSpec{QuiescePods: true, Verify: true},
		flags: hasHooks | mtc.Quiesce | mtc.HasVerify | mtc.HasISs | mtc.IndirectImage | mtc.HasPVs | mtc.IndirectVolume |
			mtc.HasStageBackup | mtc.EnableImage | mtc.EnableVolume,
	},
	{
		name: "direct",
		plan: func(p *api.MigPlan) {
			p.Spec.Namespaces, p.Spec.Volumes = []string{withImages}, []mtc.Volume{volume("block")}
		},
		spec:  mtc.MigrationSpec{QuiescePods: true},
		flags: mtc.Quiesce | mtc.HasISs | mtc.DirectImage | mtc.HasPVs | mtc.DirectVolume | mtc.EnableImage | mtc.EnableVolume,
	},
}

func TestWholeMigrations(t *testing.T) {
	t.Parallel()
	state := func(p *api.MigPlan) {
		p.Spec.Volumes = []mtc.Volume{volume("filesystem")}
		p.Status.Conditions = mtc.Conditions{{Type: "MigrationTypeIdentified", Status: "True", Reason: "StateMigrationPlan"}}
	}
	within := func(p *api.MigPlan) {
		p.Spec.Volumes = []mtc.Volume{volume("filesystem")}
		p.Spec.SourceRef = p.Spec.DestinationRef
	}
	cases := []struct {
		configuration
		itinerary string
	}{
		{configuration{"final", richest[0].plan, richest[0].spec, richest[0].flags}, mtc.Final},
		{configuration{"final-direct", richest[1].plan, richest[1].spec, richest[1].flags}, mtc.Final},
		{configuration{"stage", richest[0].plan, mtc.MigrationSpec{Stage: true}, richest[0].flags &^ (mtc.Quiesce | mtc.HasVerify)}, mtc.Stage},
		{configuration{"state", state, mtc.MigrationSpec{MigrateState: true}, mtc.DirectImage | mtc.HasPVs | mtc.DirectVolume | mtc.EnableVolume}, mtc.Stage},
		{configuration{
			"storage-conversion", within, mtc.MigrationSpec{MigrateState: true, QuiescePods: true},
			mtc.Quiesce | mtc.StorageConversion | mtc.DirectImage | mtc.HasPVs | mtc.DirectVolume | mtc.EnableVolume,
		}, mtc.Stage},
		{configuration{
			"rollback", func(p *api.MigPlan) { p.Spec.Volumes = []mtc.Volume{volume("filesystem")} }, mtc.MigrationSpec{Rollback: true},
			mtc.DirectImage | mtc.HasPVs | mtc.DirectVolume | mtc.EnableImage | mtc.EnableVolume,
		}, mtc.Rollback},
		{configuration{
			"rollback-of-live-machines", func(p *api.MigPlan) { within(p); p.Spec.LiveMigrate = true }, mtc.MigrationSpec{Rollback: true},
			mtc.StorageConversion | mtc.LiveVmMigration | mtc.DirectImage | mtc.HasPVs | mtc.DirectVolume | mtc.EnableVolume,
		}, mtc.Rollback},
	}
	for _, r := range both {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			g := newFixture(t, common, r)
			g.record(itineraries)
			g.run(example.Parts{})
			for _, c := range cases {
				g.plan(c.name, c.plan)
				g.migrate(c.name, c.spec)
			}
			for _, c := range cases {
				last := g.done(c.name)
				want := expected(t, c.itinerary, c.flags, nil)
				assert.Empty(t, cmp.Diff(want, g.calls.ran(c.name, c.itinerary)), "%s: the phases that ran", c.name)
				assert.Empty(t, cmp.Diff(stepsOf(t, c.itinerary, want), names(last)), "%s: the steps", c.name)
				assert.Empty(t, last.State.Failures, c.name)
				for _, s := range last.State.Pipeline {
					assert.Equal(t, steps.MessageCompleted, s.Message, "%s: %s", c.name, s.Name)
				}
			}
			assert.Empty(t, g.calls.atOnce())
		})
	}
}

// at is a migration that is interrupted in one of its phases.
type at struct {
	configuration
	example.At
	before []string // the phases up to the interrupted one
}

// everywhere returns one migration for each phase that one of the
// configurations enters. It checks that these are all phases of the itinerary,
// except the end phase and those in but.
func everywhere(t *testing.T, itinerary string, but ...string) (all []at) {
	t.Helper()
	met := map[string]bool{}
	for _, c := range richest {
		c.spec.Stage = itinerary == mtc.Stage
		run := expected(t, itinerary, c.flags, nil)
		for i, phase := range run {
			if met[phase] {
				continue
			}
			met[phase] = true
			one := at{c, example.At{Itinerary: itinerary, Phase: phase}, run[:i+1]}
			one.name = strings.ToLower(fmt.Sprintf("%s-%s", c.name, phase))
			all = append(all, one)
		}
	}
	g, err := itineraries.Graph(itinerary)
	require.NoError(t, err)
	for i := range g.Len() {
		if g.IsEnd(i) { // an end phase has no work to interrupt
			continue
		}
		phase := g.Phase(i).Name
		require.NotEqual(t, met[phase], slices.Contains(but, phase), "phase %s of %s", phase, itinerary)
	}
	return all
}

// cleanupPhases returns the phases of the cleanup itinerary that the migration
// enters.
func (a at) cleanupPhases(t *testing.T, itinerary string) []string {
	flags := a.flags
	done := a.before[:len(a.before)-1]
	if slices.Contains(done, "EnsureStagePodsFromRunning") && !slices.Contains(done, "EnsureStagePodsTerminated") {
		flags |= mtc.HasStagePods
	}
	return expected(t, itinerary, flags, nil)
}

// left checks a migration that was left at a phase for a cleanup itinerary.
func (a at) left(t *testing.T, g *fixture, itinerary, reads string) {
	last := g.done(a.name)
	assert.Empty(t, cmp.Diff(a.before, g.calls.ran(a.name, a.Itinerary)), "%s: the phases before", a.name)
	want := a.cleanupPhases(t, itinerary)
	assert.Empty(t, cmp.Diff(want, g.calls.ran(a.name, itinerary)), "%s: the cleanup", a.name)

	there := func(v record.Version) bool { return v.State.Itinerary == a.Itinerary && v.State.Phase == a.Phase }
	hit := g.until(a.name, there).State.Pipeline.Current()
	require.NotNil(t, hit, a.name)
	wantSteps := stepsRun(t, g, a)
	for _, s := range stepsOf(t, itinerary, want) {
		if !slices.Contains(wantSteps, s) {
			wantSteps = append(wantSteps, s)
		}
	}
	assert.Empty(t, cmp.Diff(wantSteps, names(last)), "%s: exactly the steps that ran", a.name)
	for _, s := range last.State.Pipeline {
		message := steps.MessageCompleted
		entered := slices.Contains(stepsOf(t, itinerary, want), s.Name)
		switch {
		case s.Name == hit.Name && reads == steps.MessageFailed:
			message = reads
			assert.True(t, s.Failed, "%s: %s", a.name, s.Name)
		case s.Name == hit.Name && !entered:
			message = reads
			assert.False(t, s.Failed, "%s: %s", a.name, s.Name)
		default:
			assert.False(t, s.Failed, "%s: %s", a.name, s.Name)
		}
		if s.Message == steps.MessageCanceled && message == steps.MessageCompleted && !entered && reads == steps.MessageCanceled {
			continue // was open beside the interrupted one
		}
		assert.Equal(t, message, s.Message, "%s: %s", a.name, s.Name)
	}
}

// stepsRun returns the steps that had started when the phase was entered.
func stepsRun(t *testing.T, g *fixture, a at) (all []string) {
	t.Helper()
	v := g.until(a.name, func(v record.Version) bool { return v.State.Itinerary == a.Itinerary && v.State.Phase == a.Phase })
	for _, s := range v.State.Pipeline {
		if s.Ran() {
			all = append(all, s.Name)
		}
	}
	return all
}

// Only a migration of state converts storage in Final's phases, and its
// itinerary is not Final.
var neverInFinal = []string{"SwapPVCReferences"}

func TestFailureAtEveryPhaseOfFinal(t *testing.T) {
	t.Parallel()
	for _, r := range both {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			g := newFixture(t, common, r)
			all := everywhere(t, mtc.Final, neverInFinal...)
			byName := map[string]at{}
			for _, a := range all {
				byName[a.name] = a
			}
			g.record(itineraries)
			g.run(example.Parts{Around: func(_ context.Context, m example.Migration, is example.At, phase phaseFunc) (runner.Result, error) {
				if is == byName[m.GetName()].At {
					return runner.Fail("told to fail"), nil
				}
				return phase()
			}})
			for _, a := range all {
				g.plan(a.name, a.plan)
				g.migrate(a.name, a.spec)
			}
			for _, a := range all {
				a.left(t, g, mtc.Failed, steps.MessageFailed)
				last := g.done(a.name)
				assert.Equal(t, []string{"told to fail"}, last.Errors, a.name)
				if assert.Len(t, last.State.Failures, 1, a.name) {
					assert.Equal(t, a.Phase, last.State.Failures[0].Phase)
				}
			}
		})
	}
}

func TestCancelAtEveryPhase(t *testing.T) {
	t.Parallel()
	for i, c := range []struct {
		itinerary string
		never     []string
	}{{mtc.Final, neverInFinal}, {mtc.Stage, neverInFinal}} {
		r := both[i]
		t.Run(c.itinerary+" "+r.name, func(t *testing.T) {
			t.Parallel()
			g := newFixture(t, common, r)
			all := everywhere(t, c.itinerary, c.never...)
			byName := map[string]at{}
			for _, a := range all {
				byName[a.name] = a
			}
			g.record(itineraries)
			g.run(example.Parts{Around: func(_ context.Context, m example.Migration, is example.At, phase phaseFunc) (runner.Result, error) {
				if is == byName[m.GetName()].At {
					// A user cancels while the phase is at work.
					g.edit(m.GetName(), `{"spec":{"canceled":true}}`)
					return runner.Wait(0, "At work"), nil
				}
				return phase()
			}})
			for _, a := range all {
				g.plan(a.name, a.plan)
				g.migrate(a.name, a.spec)
			}
			for _, a := range all {
				a.left(t, g, mtc.Cancel, steps.MessageCanceled)
				assert.Empty(t, g.done(a.name).State.Failures, a.name)
			}
		})
	}
}
