package e2e

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example/api"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/internal/record"
)

// A handler that never returns and work that is never done both meet the
// deadline of their phase.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	const deadline = 2 * time.Second
	for _, r := range both {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			g := newFixture(t, common, r)
			g.record(itineraries)
			g.run(example.Parts{
				Deadlines: map[string]time.Duration{"EnsureInitialBackup": deadline, "FinalRestoreCreated": deadline},
				Around: func(ctx context.Context, m example.Migration, at example.At, phase phaseFunc) (runner.Result, error) {
					if m.GetName() == "hangs" && at.Phase == "EnsureInitialBackup" {
						<-ctx.Done()
						return runner.Result{}, ctx.Err()
					}
					return phase()
				},
			})
			defer g.world.Hold(g.namespace, "waits-finalrestore")()
			for name, c := range map[string]struct {
				phase, step string
				last        []string
			}{
				"hangs": {"EnsureInitialBackup", mtc.Backup, []string{"the last error: context deadline exceeded"}},
				"waits": {"FinalRestoreCreated", mtc.Restore, nil},
			} {
				g.plan(name, nil)
				g.migrate(name, mtc.MigrationSpec{})
				last := g.done(name)
				assert.Equal(t, mtc.Failed, last.State.Itinerary)
				assert.Equal(t, append([]string{"phase " + c.phase + " was not done within 2 s"}, c.last...), last.Errors)
				step, _ := last.State.Pipeline.Lookup(c.step)
				require.NotNil(t, step, name)
				assert.Equal(t, steps.MessageFailed, step.Message, name)
				took := step.Completed.Sub(step.Started.Time)
				assert.GreaterOrEqual(t, took, deadline-time.Second, "%s: the phase must not fail before the deadline", name)
			}
		})
	}
}

// A paused migration does nothing, whatever happens around it, and continues
// when it is resumed.
func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	g := newFixture(t, common, withSubresource)
	g.record(itineraries)
	g.run(example.Parts{})
	release := g.world.Hold(g.namespace, "paused-initialbackup")
	g.plan("paused", nil)
	g.migrate("paused", mtc.MigrationSpec{})
	g.until("paused", func(v record.Version) bool {
		return v.State.Phase == "InitialBackupCreated" && v.State.WaitingSince != nil
	})
	holds := func(kind string) func(record.Version) bool {
		return func(v record.Version) bool {
			var m api.Migration
			require.NoError(t, g.client.Get(g.ctx, client.ObjectKey{Namespace: g.namespace, Name: "paused"}, &m))
			return meta.IsStatusConditionTrue(m.Status.Conditions, kind)
		}
	}
	g.edit("paused", `{"metadata":{"annotations":{"`+example.PausedAnnotation+`":"true"}}}`)
	g.until("paused", holds(controller.ConditionPaused))
	calls := g.calls.called("paused")
	release() // the backup ends

	// Meanwhile, other migrations run from beginning to end.
	for i := range 3 {
		name := fmt.Sprintf("other-%d", i)
		g.plan(name, nil)
		g.migrate(name, mtc.MigrationSpec{})
		g.edit("paused", fmt.Sprintf(`{"metadata":{"labels":{"touched":"%d"}}}`, i))
		g.done(name)
	}
	var task api.Task
	require.NoError(t, g.client.Get(g.ctx, client.ObjectKey{Namespace: g.namespace, Name: "paused-initialbackup"}, &task))
	assert.Equal(t, api.TaskCompleted, task.Status.Phase, "the work outside must continue")
	assert.Equal(t, calls, g.calls.called("paused"), "no handler must be called")

	g.edit("paused", `{"metadata":{"annotations":{"`+example.PausedAnnotation+`":null}}}`)
	g.done("paused")
	want := expected(t, mtc.Final, mtc.DirectImage|mtc.EnableImage|mtc.EnableVolume, nil)
	assert.Empty(t, cmp.Diff(want, g.calls.ran("paused", mtc.Final)))
}

// The next release has one more flag, one more phase, and one renamed phase.
const (
	hasQuota   = mtc.RollingBack << 1
	newPhase   = "CheckQuota"
	oldName    = "InitialBackupCreated"
	newName    = "WaitForInitialBackup"
	beforeName = "EnsureFinalRestore"
)

// nextRelease returns the itineraries and their vocabulary, which its sources
// share.
var nextRelease = sync.OnceValue(func() []phases.Itinerary {
	defs := append(mtc.Vocabulary().Defs(), phases.FlagDef{Flag: hasQuota, Name: "HasQuota"})
	vocabulary := phases.MustVocabulary(defs, mtc.Vocabulary().Relations()...)
	all := mtc.Itineraries()
	for i := range all {
		all[i].Vocabulary = vocabulary
		if all[i].Name != mtc.Final {
			continue
		}
		at := slices.IndexFunc(all[i].Phases, func(p phases.Phase) bool { return p.Name == beforeName })
		all[i].Phases = slices.Insert(all[i].Phases, at, phases.Phase{Name: newPhase, Step: "Quota", Guard: phases.Guard{All: hasQuota}})
		for j := range all[i].Phases {
			if p := &all[i].Phases[j]; p.Name == oldName {
				p.Name, p.Formerly = newName, []string{oldName}
			}
		}
	}
	return all
})

// nextSources returns MTC's sources and one for the new flag.
func nextSources(o mtc.Objects) (*phases.Sources, error) {
	was, err := mtc.Sources(o)
	if err != nil {
		return nil, err
	}
	var all []phases.Source
	for flag := range mtc.Vocabulary().All().Each {
		all = append(all, phases.Source{Flag: flag, Slow: flag == mtc.HasISs, Evaluate: func(
			ctx context.Context, known phases.Facts,
		) (phases.Truth, error) {
			a := was.Evaluate(ctx, phases.Request{Known: known, Read: flag})
			return a.Facts.Of(flag), a.Err()
		}})
	}
	all = append(all, phases.SourceOf(hasQuota, phases.True))
	return phases.NewSources(nextRelease()[0].Vocabulary, all...)
}

func TestNewReleaseAdoptsMigrationsInFlight(t *testing.T) {
	t.Parallel()
	for _, r := range both {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			g := newFixture(t, common, r)
			next := nextRelease()
			g.record(machine.MustCompileSet(next...))
			// at is the phase in which the old release leaves a migration.
			// runs reports whether the new release then runs its new step.
			cases := []struct {
				name, at string
				runs     bool
			}{
				{"not-yet-there", "RestartVelero", true},
				{"in-the-renamed-phase", oldName, true},
				{"behind-the-new-phase", "UnQuiesceDestApplications", false},
			}
			held := map[string]string{}
			for _, c := range cases {
				held[c.name] = c.at
			}
			stop := g.run(example.Parts{Around: func(_ context.Context, m example.Migration, at example.At, phase phaseFunc) (runner.Result, error) {
				if held[m.GetName()] == at.Phase {
					return runner.Wait(0, "Waiting for the new release"), nil
				}
				return phase()
			}})
			for _, c := range cases {
				g.plan(c.name, nil)
				g.migrate(c.name, mtc.MigrationSpec{})
			}
			for _, c := range cases {
				g.until(c.name, func(v record.Version) bool { return v.State.Phase == c.at && v.State.WaitingSince != nil })
			}
			stop()
			before := g.calls
			g.calls = newCallRecorder()

			var mu sync.Mutex
			first := map[string][]string{} // flags that are evaluated before the first phase is left
			left := map[string]bool{}
			g.run(example.Parts{Itineraries: next, Sources: nextSources, Observe: func(m example.Migration, e runner.Event) {
				mu.Lock()
				defer mu.Unlock()
				switch e := e.(type) {
				case runner.FlagEvaluated:
					if !left[m.GetName()] {
						first[m.GetName()] = append(first[m.GetName()], e.Flag)
					}
				case runner.PhaseExited:
					left[m.GetName()] = true
				}
			}})
			run := expected(t, mtc.Final, mtc.DirectImage|mtc.EnableImage|mtc.EnableVolume, nil)
			run[slices.Index(run, oldName)] = newName
			run = slices.Insert(run, slices.Index(run, beforeName), newPhase)
			for _, c := range cases {
				last := g.done(c.name)
				at := c.at
				if at == oldName {
					at = newName
				}
				assert.Equal(t, c.at, g.lastOf(before, c.name), "%s: the phase in which the old release left it", c.name)
				want := run[slices.Index(run, at):]
				assert.Empty(t, cmp.Diff(want, g.calls.ran(c.name, mtc.Final)), "%s: phases of the new release", c.name)
				_, runs := last.State.Pipeline.Lookup("Quota")
				assert.Equal(t, c.runs, runs, "%s: the new step", c.name)
				mu.Lock()
				assert.Equal(t, []string{"HasQuota"}, first[c.name], "%s: only the new flag is evaluated", c.name)
				mu.Unlock()
			}
		})
	}
}

func (g *fixture) lastOf(w *callRecorder, migration string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	calls := w.calls[migration]
	return calls[len(calls)-1].Phase
}
