package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example/api"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/internal/record"
)

// deciders returns the phases of an itinerary that decide flags.
func deciders(itinerary string) (all []string) {
	for _, it := range mtc.Itineraries() {
		for _, p := range it.Phases {
			if it.Name == itinerary && p.Decides != 0 {
				all = append(all, p.Name)
			}
		}
	}
	return all
}

// A phase that decides flags is left half-way, after it has changed them. The
// cleanup itinerary uses the new values: it deletes stage pods if and only if
// there are some.
func TestPhaseLeftHalfWay(t *testing.T) {
	t.Parallel()
	ways := map[string]string{"cancel": mtc.Cancel, "rollback": mtc.Rollback, "fail": mtc.Failed}
	for i, itinerary := range []string{mtc.Final, mtc.Stage} {
		r := both[i]
		t.Run(itinerary+" "+r.name, func(t *testing.T) {
			t.Parallel()
			g := newFixture(t, common, r)
			g.record(itineraries)
			type leaving struct {
				phase, way    string
				before, after configuration // the flags of after count
			}
			all := map[string]leaving{}
			for _, phase := range deciders(itinerary) {
				for way := range ways {
					l := leaving{phase: phase, way: way, before: richest[0]}
					l.before.spec.Stage = itinerary == mtc.Stage
					l.after = l.before
					switch phase {
					case "WaitForRefresh": // finds volumes, one of which needs a backup
						l.before.plan = func(p *api.MigPlan) { p.Spec.Namespaces = []string{withImages} }
						l.after.plan = func(p *api.MigPlan) { p.Spec.Volumes = []mtc.Volume{volume("block"), volume("snapshot")} }
						l.after.flags = richest[1].flags | mtc.HasStageBackup
					case "EnsureStagePodsTerminated":
					default:
						l.after.flags |= mtc.HasStagePods
					}
					if way == "rollback" {
						l.after.flags |= mtc.RollingBack
					}
					all[strings.ToLower(phase+"-"+way)] = l
				}
			}
			g.run(example.Parts{Around: func(ctx context.Context, m example.Migration, at example.At, phase phaseFunc) (runner.Result, error) {
				l := all[m.GetName()]
				if at.Itinerary != itinerary || at.Phase != l.phase {
					return phase()
				}
				if err := g.change(ctx, m, l.phase, l.after); err != nil {
					return runner.Result{}, err
				}
				switch l.way {
				case "cancel":
					g.edit(m.GetName(), toCancel)
				case "rollback":
					g.edit(m.GetName(), toRollBack)
				default:
					return runner.Fail("told to fail"), nil
				}
				return runner.Wait(0, "At work"), nil
			}})
			for name, l := range all {
				g.plan(name, l.before.plan)
				g.migrate(name, l.before.spec)
			}
			for name, l := range all {
				last := g.done(name)
				to := ways[l.way]
				assert.Equal(t, to, last.State.Itinerary, name)
				want := expected(t, to, l.after.flags, nil)
				assert.Empty(t, cmp.Diff(want, g.calls.ran(name, to)), "%s: the cleanup", name)
				var pods corev1.PodList
				labels := client.MatchingLabels{example.MigrationLabel: name}
				require.NoError(t, g.client.List(g.ctx, &pods, client.InNamespace(g.namespace), labels))
				if to != mtc.Failed { // MTC's Failed deletes no pods
					assert.Empty(t, pods.Items, "%s: remaining pods", name)
				}
			}
		})
	}
}

// change makes the change of a phase that decides flags, before the phase is
// left.
func (g *fixture) change(ctx context.Context, m example.Migration, phase string, to configuration) error {
	switch phase {
	case "WaitForRefresh":
		plan := &api.MigPlan{}
		if err := g.client.Get(ctx, client.ObjectKeyFromObject(m), plan); err != nil {
			return err
		}
		to.plan(plan)
		return g.client.Update(ctx, plan)
	case "EnsureStagePodsTerminated":
		labels := client.MatchingLabels{example.MigrationLabel: m.GetName()}
		err := g.client.DeleteAllOf(ctx, &corev1.Pod{}, client.InNamespace(m.GetNamespace()), labels)
		m.SetCondition("StagePodsCreated", false)
		return err
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: m.GetNamespace(), Name: m.GetName() + "-left", Labels: map[string]string{
			example.MigrationLabel: m.GetName(), example.KindLabel: "StagePod",
		}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "sleep", Image: "stage"}}},
	}
	m.SetCondition("StagePodsCreated", true)
	return client.IgnoreAlreadyExists(g.client.Create(ctx, pod))
}

// A user fixes the object at the moment in which the controller writes that
// the run is stopped. The event of the fix is not lost.
func TestFixDuringWriteOfStop(t *testing.T) {
	t.Parallel()
	for _, r := range both {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			g := newFixture(t, common, r)
			g.record(itineraries)
			var failed, fixed atomic.Bool
			fix := func(ctx context.Context, c client.Client, o client.Object) error {
				if !failed.Load() || fixed.Swap(true) {
					return nil
				}
				g.edit("stops", toCancel)
				// The write begins once the controller has seen the fix.
				for {
					seen := g.make(g.meta("stops"), mtc.MigrationSpec{}).(example.Migration)
					if err := c.Get(ctx, client.ObjectKeyFromObject(o), seen); err != nil {
						return err
					}
					if seen.MTC().Spec.Canceled {
						time.Sleep(50 * time.Millisecond) // let its event arrive
						return nil
					}
					time.Sleep(tick)
				}
			}
			o := g.options()
			o.NewClient = func(config *rest.Config, options client.Options) (client.Client, error) {
				c, err := client.NewWithWatch(config, options)
				if err != nil {
					return nil, err
				}
				return interceptor.NewClient(c, interceptor.Funcs{
					Patch: func(
						ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, options ...client.PatchOption,
					) error {
						if err := fix(ctx, c, o); err != nil {
							return err
						}
						return c.Patch(ctx, o, p, options...)
					},
					SubResourcePatch: func(
						ctx context.Context, c client.Client, name string, o client.Object, p client.Patch,
						options ...client.SubResourcePatchOption,
					) error {
						if err := fix(ctx, c, o); err != nil {
							return err
						}
						return c.SubResource(name).Patch(ctx, o, p, options...)
					},
				}), nil
			}
			g.runAs(g.Config, o, example.Parts{
				Select: func(m *mtc.Migration) string { // does not handle a failure
					if m.Spec.Canceled {
						return mtc.Cancel
					}
					return mtc.Final
				},
				Around: func(_ context.Context, _ example.Migration, at example.At, phase phaseFunc) (runner.Result, error) {
					if at.Phase == "Started" {
						failed.Store(true)
						return runner.Fail("told to fail"), nil
					}
					return phase()
				},
			}, example.Settings{Name: "example", Concurrency: 4})
			g.plan("stops", nil)
			g.migrate("stops", mtc.MigrationSpec{})
			g.until("stops", func(v record.Version) bool { return v.State.Stopped != nil })
			last := g.done("stops")
			assert.True(t, fixed.Load())
			assert.Equal(t, mtc.Cancel, last.State.Itinerary)
			assert.Nil(t, last.State.Stopped)
			assert.Equal(t, []string{"Created", "Started"}, g.calls.ran("stops", mtc.Final))
		})
	}
}

// Writes of other clients while a handler works neither stop the run nor are
// lost.
func TestOthersWriteWhileHandlerWorks(t *testing.T) {
	onBoth(t, func(g *fixture) { othersWrite(g, example.MTC); finalizers(g) }, func(g *fixture) { othersWrite(g, example.Variant) })
}

func othersWrite[T example.Migration](g *fixture, kind example.Kind[T]) {
	var d *driven[T]
	written := map[string]int{}
	d = drive(g, kind, "others-write", script{handle: func(_ example.Migration, phase string) (runner.Result, error) {
		if written[phase]++; written[phase] > 1 {
			return runner.Done(), nil
		}
		o := d.object()
		switch phase {
		case "Check": // the message of a step
			s, err := o.State()
			if err != nil {
				return runner.Result{}, err
			}
			s.Pipeline.Current().Message = "edited"
			if err := o.SetState(s); err != nil {
				return runner.Result{}, err
			}
		case "Scan": // a condition
			o.SetCondition("Other", true)
		default:
			d.edit(`{"metadata":{"labels":{"other":"` + strings.ToLower(phase) + `"}}}`)
			return runner.Done(), nil
		}
		if d.kind.StatusSubresource {
			return runner.Done(), d.client.Status().Update(d.ctx, o)
		}
		return runner.Done(), d.client.Update(d.ctx, o)
	}})
	s := d.finish()
	assert.Equal(d, phases.Succeeded, s.Result)
	assert.Equal(d, "finish", d.object().GetLabels()["other"])
	other := false
	for _, c := range d.object().MTC().Status.Conditions {
		other = other || c.Type == "Other" && c.Status == "True"
	}
	assert.True(d, other, "the condition must be kept")
	assert.Zero(d, d.recorded(controller.EventStopped))
}

// A handler adds a finalizer and an owner, and another client adds others.
func finalizers(g *fixture) {
	var d *driven[*api.MigMigration]
	d = drive(g, example.MTC, "finalizers", script{handle: func(m example.Migration, phase string) (runner.Result, error) {
		if phase == "Check" {
			d.edit(`{"metadata":{"finalizers":["example.com/theirs"],` +
				`"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"theirs","uid":"1"}]}}`)
			m.SetFinalizers(append(m.GetFinalizers(), "example.com/mine"))
			mine := metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: "mine", UID: "2"}
			m.SetOwnerReferences(append(m.GetOwnerReferences(), mine))
		}
		if phase == "Finish" { // removes all that it has read, while another client adds one
			m.SetFinalizers(nil)
			d.edit(`{"metadata":{"finalizers":["example.com/theirs","example.com/mine","example.com/third"]}}`)
		}
		return runner.Done(), nil
	}})
	d.until(atPhase("Scan"))
	assert.ElementsMatch(d, []string{"example.com/theirs", "example.com/mine"}, d.object().GetFinalizers())
	var owners []string
	for _, o := range d.object().GetOwnerReferences() {
		owners = append(owners, o.Name)
	}
	assert.ElementsMatch(d, []string{"theirs", "mine"}, owners)
	d.finish()
	assert.Equal(d, []string{"example.com/third"}, d.object().GetFinalizers())
	d.edit(`{"metadata":{"finalizers":null}}`)
}

// A handler that overwrites the state on the object and returns an error
// changes nothing.
func TestStateSurvivesHandler(t *testing.T) {
	onBoth(t, func(g *fixture) { resets(g, example.MTC) }, func(g *fixture) { resets(g, example.Variant) })
}

func resets[T example.Migration](g *fixture, kind example.Kind[T]) {
	tries := 0
	d := drive(g, kind, "resets", script{handle: func(m example.Migration, phase string) (runner.Result, error) {
		if phase != "Scan" {
			return runner.Done(), nil
		}
		if tries++; tries > 5 {
			return runner.Done(), nil
		}
		return runner.Result{}, errors.Join(fmt.Errorf("attempt %d", tries), m.SetState(runner.State{}))
	}})
	for {
		d.turn()
		s := d.state()
		if s.Done {
			break
		}
		if tries > 0 && tries <= 5 {
			assert.Equal(d, "Scan", s.Phase, "after %d attempts", tries)
			assert.NotEmpty(d, s.Pipeline)
		}
	}
	assert.Equal(d, []string{"Check", "Scan", "Scan", "Scan", "Scan", "Scan", "Scan", "Finish"}, d.called)
}

// A run that is done stays done in a release that no longer has its itinerary.
func TestDoneInRemovedItinerary(t *testing.T) {
	onBoth(t, func(g *fixture) { gone(g, example.MTC) }, func(g *fixture) { gone(g, example.Variant) })
}

func gone[T example.Migration](g *fixture, kind example.Kind[T]) {
	d := drive(g, kind, "gone", script{})
	d.finish()
	other := []phases.Phase{{Name: "Other", Step: "Other"}}
	d.script.set = machine.MustCompileSet(phases.Itinerary{Name: "Next", Vocabulary: shortFlags, Phases: other})
	d.script.choose = func(example.Migration) string { return "Next" }
	d.restart()
	for range 3 {
		again, err := d.turn()
		require.NoError(d, err)
		assert.False(d, again)
	}
	assert.Equal(d, []string{"Check", "Scan", "Finish"}, d.called)
	assert.Equal(d, phases.Succeeded, d.state().Result)
}

// A paused run whose recorded phase is unknown stops when it is resumed, and
// no longer reads paused.
func TestStopOfResumedRun(t *testing.T) {
	onBoth(t, func(g *fixture) { resumed(g, example.MTC) }, func(g *fixture) { resumed(g, example.Variant) })
}

func resumed[T example.Migration](g *fixture, kind example.Kind[T]) {
	d := drive(g, kind, "resumed", script{})
	d.until(atPhase("Scan"))
	d.pause(true)
	_, err := d.turn()
	require.NoError(d, err)
	d.reads(controller.ConditionPaused, metav1.ConditionTrue, controller.ReasonPaused)
	record := func(phase string) {
		o := d.object()
		s := d.state()
		s.Phase = phase
		require.NoError(d, o.SetState(s))
		if d.kind.StatusSubresource {
			require.NoError(d, d.client.Status().Update(d.ctx, o))
		} else {
			require.NoError(d, d.client.Update(d.ctx, o))
		}
	}
	record("Scann")
	d.pause(false)
	_, err = d.turn()
	var unknown *machine.UnknownPhaseError
	require.ErrorAs(d, err, &unknown)
	d.reads(controller.ConditionPaused, metav1.ConditionFalse, "No")
	d.reads(controller.ConditionRunning, metav1.ConditionFalse, controller.ReasonStopped, "Scann", "Scan")
	record("Scan")
	assert.Equal(d, phases.Succeeded, d.finish().Result)
	assert.Nil(d, d.state().Stopped)
}
