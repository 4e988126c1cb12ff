package controller_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

func TestReconcileWholeMigration(t *testing.T) {
	for _, c := range []struct {
		name      string
		status    bool
		keep      runner.Storage[*Move]
		maxPhases int
		writes    int
	}{
		{"in the status, with a subresource", subresource, inStatus, 0, 4},
		{"in the status, without", plain, inStatus, 0, 4},
		{"in an annotation", plain, inAnnotation, 0, 4},
		{"several phases in a reconcile", plain, inAnnotation, 10, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.status)
			w.options.Runner.Storage, w.options.Runner.MaxPhases = c.keep, c.maxPhases
			assert.Equal(t, c.writes, w.end(), "reconciles")
			assert.Equal(t, c.writes, w.writes, "one write for each")
			assert.Equal(t, []string{"Refresh", "Copy", "Attach"}, w.called)
			assert.Equal(t, 2, w.asked, "once, and after the phase that decides it")
			assert.Equal(t, "Running=False/Done Succeeded=True/Succeeded Failed=False/No Paused=False/No", w.conditions())
			assert.Equal(t, []string{
				`Normal ItineraryBegun: itinerary "Move" begins`,
				`Normal StepStarted: step "Prepare" has started, with phase "Refresh"`,
				`Normal StepStarted: step "Data" has started, with phase "Copy"`,
				`Normal StepStarted: step "Restore" has started, with phase "Attach"`,
				`Normal RunSucceeded: itinerary "Move" has ended`,
			}, w.events)
			s, err := c.keep.Read(context.Background(), w.get())
			require.NoError(t, err)
			assert.True(t, s.Done)
			assert.Len(t, s.Pipeline, 3)

			w.end()
			w.restart()
			w.end()
			assert.Equal(t, c.writes, w.writes, "a done run is left alone")
		})
	}
}

func TestStorageInAnnotation(t *testing.T) {
	w := newWorld(t, plain)
	w.options.Runner.Storage = inAnnotation
	_, err := w.reconcile()
	require.NoError(t, err)
	m := w.get()
	assert.Equal(t, "Move", m.Status.Itinerary)
	assert.Equal(t, "Refresh", m.Status.Phase)
	assert.Nil(t, m.Status.State)
	var kept map[string]any
	require.NoError(t, json.Unmarshal([]byte(m.Annotations[annotation]), &kept))
	assert.NotContains(t, kept, "pipeline", "it has its own field")
	before, err := inAnnotation.Read(context.Background(), m)
	require.NoError(t, err)
	assert.Equal(t, []string{"Volumes"}, before.Facts.True)

	t.Run("a controller that does not know the annotation has moved it", func(t *testing.T) {
		m := m.DeepCopyObject().(*Move)
		m.Status.Phase = "Attach"
		s, err := inAnnotation.Read(context.Background(), m)
		require.NoError(t, err)
		want := runner.State{Checkpoint: machine.Checkpoint{Itinerary: "Move", Phase: "Attach"}, Pipeline: before.Pipeline}
		assert.Empty(t, cmp.Diff(want, s), "the flags are evaluated again")
	})
	t.Run("a run that another controller began is taken over", func(t *testing.T) {
		w.edit(func(m *Move) { m.Annotations, m.Status.Phase = nil, "Copy" })
		w.end()
		assert.Equal(t, []string{"Copy", "Attach"}, w.called)
		assert.Equal(t, "Attach", w.get().Status.Phase, "the last phase is shown")
	})
	t.Run("an annotation that is broken", func(t *testing.T) {
		w.edit(func(m *Move) { m.Annotations = map[string]string{annotation: "{"} })
		_, err := w.reconcile()
		var broken *runner.AnnotationError
		require.ErrorAs(t, err, &broken)
		require.ErrorIs(t, err, reconcile.TerminalError(nil))
		assert.Contains(t, w.conditions(), "Running=False/Stopped Succeeded=True")
	})
}

func TestReconcileOfGoneAndDeletedObjects(t *testing.T) {
	w := newWorld(t, subresource)
	_, err := w.reconcile()
	require.NoError(t, err)
	w.edit(func(m *Move) { m.Finalizers = []string{"example.com/data"} })
	require.NoError(t, w.server.Delete(context.Background(), w.get()))

	result, err := w.reconcile()
	require.NoError(t, err)
	assert.Zero(t, result)
	assert.Empty(t, w.called, "an object that is being deleted is left alone")

	w.options.Deleting = func(ctx context.Context, m *Move) (reconcile.Result, error) {
		m.Finalizers = nil
		return reconcile.Result{RequeueAfter: time.Hour}, w.server.Update(ctx, m)
	}
	w.restart()
	result, err = w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, time.Hour, result.RequeueAfter)

	result, err = w.reconcile()
	require.NoError(t, err)
	assert.Zero(t, result, "it is gone")
}

func TestObjectGoneWhilePhaseRuns(t *testing.T) {
	for _, c := range []struct {
		name   string
		status bool
	}{{"with a subresource", subresource}, {"without", plain}} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.status)
			_, err := w.reconcile()
			require.NoError(t, err)
			w.handlers["Refresh"] = func(ctx context.Context, m *Move) (runner.Result, error) {
				return runner.Done(), w.server.Delete(ctx, w.get())
			}
			result, err := w.reconcile()
			require.NoError(t, err)
			assert.Zero(t, result)
			assert.Zero(t, w.count("phases_total"), "no part of it was written")
		})
	}
}

func TestRunStopped(t *testing.T) {
	for _, c := range []struct {
		name string
		stop func(w *world)
		fix  func(w *world)
		is   func(t *testing.T, err error)
	}{
		{
			"an unknown phase",
			func(w *world) { w.edit(func(m *Move) { m.Status.State.Phase = "Copi" }) },
			func(w *world) { w.edit(func(m *Move) { m.Status.State.Phase = "Copy" }) },
			func(t *testing.T, err error) {
				var unknown *machine.UnknownPhaseError
				require.ErrorAs(t, err, &unknown)
				assert.Equal(t, []string{"Copy"}, unknown.Nearest)
			},
		},
		{
			"an unknown itinerary",
			func(w *world) {
				w.options.Runner.Select = func(context.Context, *Move) (string, error) { return "Mov", nil }
				w.restart()
			},
			func(w *world) {
				w.options.Runner.Select = func(context.Context, *Move) (string, error) { return "Move", nil }
				w.restart()
			},
			func(t *testing.T, err error) {
				var unknown *phases.UnknownItineraryError
				require.ErrorAs(t, err, &unknown)
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, subresource)
			_, err := w.reconcile()
			require.NoError(t, err)
			c.stop(w)
			before := w.get().Status.State
			for range 2 {
				_, err = w.reconcile()
				c.is(t, err)
				require.ErrorIs(t, err, reconcile.TerminalError(nil), "it is not retried")
			}
			text := err.(interface{ Unwrap() error }).Unwrap().Error()
			assert.Equal(t, 2, w.writes, "the conditions once")
			assert.Equal(t, "Running=False/Stopped Succeeded=Unknown/Running Failed=False/No Paused=False/No", w.conditions())
			assert.Equal(t, "since 2020-09-13T12:26:42Z: "+text, w.message(controller.ConditionRunning))
			assert.Equal(t, "Warning Stopped: "+text, w.events[len(w.events)-1])
			assert.Len(t, w.events, 3, "reported once")
			after := w.get().Status.State
			assert.Empty(t, cmp.Diff(before.Checkpoint, after.Checkpoint))
			assert.Equal(t, text, after.Stopped.Error)

			c.fix(w)
			w.end()
			assert.Contains(t, w.conditions(), "Succeeded=True")
			assert.Nil(t, w.get().Status.State.Stopped)
		})
	}
}

func TestWait(t *testing.T) {
	w := newWorld(t, subresource)
	w.handlers["Copy"] = func(_ context.Context, m *Move) (runner.Result, error) {
		return runner.Wait(20*time.Second, "3 of 5 volumes"), nil
	}
	for range 2 {
		result, err := w.reconcile()
		require.NoError(t, err)
		assert.NotZero(t, result.RequeueAfter)
		assert.Less(t, result.RequeueAfter, time.Second, "the next phase is called at once")
	}
	for range 3 {
		result, err := w.reconcile()
		require.NoError(t, err)
		assert.Equal(t, 20*time.Second, result.RequeueAfter)
	}
	assert.Equal(t, 3, w.writes, "once, when it began to wait")
	assert.Equal(t, "Running=True/Waiting Succeeded=Unknown/Running Failed=False/No Paused=False/No", w.conditions())
	assert.Equal(t, `phase "Copy" of itinerary "Move" has been waiting since 2020-09-13T12:26:43Z: 3 of 5 volumes`,
		w.get().Status.Conditions[0].Message)
	assert.Equal(t, metav1.Unix(1_600_000_001, 0).UTC(), w.get().Status.Conditions[0].LastTransitionTime.UTC(), "it was running before")

	w.handlers["Copy"] = func(context.Context, *Move) (runner.Result, error) { return runner.Wait(0, ""), nil }
	result, err := w.reconcile()
	require.NoError(t, err)
	assert.Zero(t, result, "left to the watches")
}

func TestPaused(t *testing.T) {
	w := newWorld(t, subresource)
	_, err := w.reconcile()
	require.NoError(t, err)
	w.edit(func(m *Move) { m.Spec.Paused = true })
	for range 3 {
		result, err := w.reconcile()
		require.NoError(t, err)
		assert.Zero(t, result)
	}
	assert.Equal(t, 2, w.writes)
	assert.Empty(t, w.called)
	assert.Equal(t, "Running=False/Paused Succeeded=Unknown/Running Failed=False/No Paused=True/Paused", w.conditions())
	w.edit(func(m *Move) { m.Spec.Paused = false })
	w.end()
	assert.Equal(t, []string{"Refresh", "Copy", "Attach"}, w.called)
	assert.Equal(t, []string{
		`Normal Paused: paused: phase "Refresh" of itinerary "Move"`,
		`Normal Resumed: resumed: phase "Refresh" of itinerary "Move"`,
		`Normal StepStarted: step "Data" has started, with phase "Copy"`,
	}, w.events[2:5])
}

func TestFailAndCancel(t *testing.T) {
	w := newWorld(t, subresource)
	w.handlers["Copy"] = func(context.Context, *Move) (runner.Result, error) { return runner.Fail("disk full"), nil }
	w.end()
	assert.Equal(t, []string{"Refresh", "Copy", "Report"}, w.called, "the selector depends on the condition")
	assert.Equal(t, "Running=False/Done Succeeded=False/Failed Failed=True/Failed Paused=False/No", w.conditions())
	assert.Contains(t, w.events, `Warning PhaseFailed: phase "Copy" of itinerary "Move" failed: disk full`)
	assert.Contains(t, w.events, `Warning ItineraryBegun: itinerary "CleanUp" begins, since "Move" failed`)
	assert.Contains(t, w.events, `Warning RunFailed: itinerary "CleanUp" has ended`)

	w = newWorld(t, subresource)
	for range 2 {
		_, err := w.reconcile()
		require.NoError(t, err)
	}
	w.edit(func(m *Move) { m.Spec.Canceled = true })
	w.end()
	assert.Equal(t, "Running=False/Done Succeeded=False/Canceled Failed=False/No Paused=False/No", w.conditions())
	assert.Contains(t, w.events, `Normal RunCanceled: itinerary "CleanUp" has ended`)
}

func TestChangesOfHandlers(t *testing.T) {
	for _, c := range []struct {
		name   string
		status bool
		label  string
	}{
		{"with a subresource, the status", subresource, ""},
		{"without, also labels", plain, "new"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.status)
			var failing error
			w.handlers["Refresh"] = func(_ context.Context, m *Move) (runner.Result, error) {
				m.Spec.Size = "large"
				m.Status.Note += "x"
				m.Labels = map[string]string{"size": "new"}
				return runner.Done(), failing
			}
			_, err := w.reconcile()
			require.NoError(t, err)
			failing = errDown
			_, err = w.reconcile()
			require.NoError(t, err)
			assert.Equal(t, "x", w.get().Status.Note, "even if the handler returns an error")
			failing = nil
			_, err = w.reconcile()
			require.NoError(t, err)
			m := w.get()
			assert.Equal(t, "xx", m.Status.Note)
			assert.Equal(t, "small", m.Spec.Size, "the spec never")
			assert.Equal(t, c.label, m.Labels["size"])
			assert.Equal(t, 3, w.writes)
		})
	}
}

func TestWritesThatFail(t *testing.T) {
	w := newWorld(t, subresource)
	forbidden := apierrors.NewForbidden(schema.GroupResource{Group: "example.com", Resource: "moves"}, "shop", errors.New("no"))
	w.before = func(int) error { return forbidden }
	_, err := w.reconcile()
	require.ErrorIs(t, err, forbidden)
	assert.Empty(t, w.events, "only what is written is reported")
	assert.EqualValues(t, 1, w.count("flag_evaluations_total"), "an evaluation is counted anyway")
	w.before = nil
	w.end()
	assert.EqualValues(t, 3, w.count("phases_total"))
}

func TestStateIsNotPersisted(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(w *world)
		want    []string
	}{
		{"no status subresource", func(w *world) {
			w.before = func(int) error {
				return apierrors.NewNotFound(schema.GroupResource{Group: "example.com", Resource: "moves"}, "shop")
			}
		}, nil},
		{"a status subresource that is not in the options", func(w *world) {
			w.options.StatusSubresource = false
		}, []string{"entered", "facts", "itinerary", "phase", "pipeline", "visit"}},
		{"a field that the schema lacks", func(w *world) {
			w.options.Runner.Storage = pruning
		}, []string{"entered"}},
		{"a field that something else fills in", func(w *world) {
			w.options.Runner.Storage = filling
		}, []string{"switchHeld"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, subresource)
			c.prepare(w)
			_, err := w.reconcile()
			var kept *controller.NotPersistedError
			require.ErrorAs(t, err, &kept)
			require.ErrorIs(t, err, reconcile.TerminalError(nil))
			assert.Equal(t, c.want, kept.Fields)
		})
	}
}

// pruning drops a field, as an API server does if its schema lacks it.
var pruning = runner.Storage[*Move]{Read: inStatus.Read, Write: func(ctx context.Context, m *Move, s runner.State) error {
	s.Entered = nil
	return inStatus.Write(ctx, m, s)
}}

// filling adds a field to what was written.
var filling = runner.Storage[*Move]{Read: inStatus.Read, Write: func(ctx context.Context, m *Move, s runner.State) error {
	s.SwitchHeld = "CleanUp"
	return inStatus.Write(ctx, m, s)
}}

// The cache may be configured not to copy what it returns.
func TestCacheIsNotChanged(t *testing.T) {
	w := newWorld(t, subresource)
	_, err := w.reconcile()
	require.NoError(t, err)
	shared := w.get()
	before := shared.DeepCopyObject()
	w.options.Client = sharing{w.options.Client, shared}
	w.handlers["Refresh"] = func(_ context.Context, m *Move) (runner.Result, error) {
		m.Status.State.Pipeline[0].Message = "mine"
		m.Status.Conditions[0].Message = "mine"
		return runner.Done(), nil
	}
	w.restart()
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.Empty(t, cmp.Diff(before, shared.DeepCopyObject()))
}

// sharing returns slices of one object to all readers, as a cache does that is
// configured not to copy.
type sharing struct {
	client.Client
	shared *Move
}

func (s sharing) Get(_ context.Context, _ client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	*o.(*Move) = *s.shared
	return nil
}
