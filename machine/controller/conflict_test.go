package controller_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

var ways = []struct {
	name   string
	status bool
	keep   runner.Storage[*Move]
}{
	{"in the status, with a subresource", subresource, inStatus},
	{"in the status, without", plain, inStatus},
	{"in an annotation", plain, inAnnotation},
}

// Another client writes between each read and the write that follows it.
func TestConflictLosesNothing(t *testing.T) {
	for _, c := range ways {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.status)
			w.options.Runner.Storage = c.keep
			others := 0
			w.before = func(n int) error {
				if n%3 != 0 { // every third write succeeds
					others++
					w.edit(func(m *Move) {
						metav1.SetMetaDataLabel(&m.ObjectMeta, "touched", string(rune('a'+others)))
						meta.SetStatusCondition(&m.Status.Conditions,
							metav1.Condition{Type: "Ready", Status: metav1.ConditionTrue, Reason: string(rune('A' + others))})
					})
				}
				return nil
			}
			assert.Equal(t, 5, w.end(), "reconciles: one more than without conflicts, for the last change of another client")
			assert.Equal(t, 12, w.writes)
			assert.Equal(t, []string{"Refresh", "Copy", "Attach"}, w.called, "no handler is called again")
			assert.Equal(t, 2, w.asked)
			assert.Equal(t, string(rune('a'+others)), w.get().Labels["touched"])
			assert.ElementsMatch(t, []string{"Ready", "Running", "Succeeded", "Failed", "Paused"}, typesOf(w.get().Status.Conditions))
			assert.Equal(t, string(rune('A'+others)), meta.FindStatusCondition(w.get().Status.Conditions, "Ready").Reason)
			assert.True(t, meta.IsStatusConditionTrue(w.get().Status.Conditions, controller.ConditionSucceeded))
			assert.EqualValues(t, 3, w.count("phases_total"), "counted once")
			assert.EqualValues(t, 3, w.count("phase_duration_seconds"))
			assert.EqualValues(t, 1, w.count("runs_total"))
			assert.EqualValues(t, 4, w.count("write_conflicts_total"))
			assert.Len(t, w.events, 5, "reported once")
		})
	}
}

func TestMerge(t *testing.T) {
	w := newWorld(t, subresource)
	w.options.Merge = func(before, after, fresh *Move) {
		after.Status.Note = fresh.Status.Note + strings.TrimPrefix(after.Status.Note, before.Status.Note)
		before.Status.Note = fresh.Status.Note
	}
	_, err := w.reconcile()
	require.NoError(t, err)
	w.handlers["Refresh"] = func(_ context.Context, m *Move) (runner.Result, error) {
		m.Status.Note += "mine"
		return runner.Done(), nil
	}
	w.before = func(n int) error {
		if n < 4 { // each of two attempts
			w.edit(func(m *Move) { m.Status.Note += "theirs " })
		}
		return nil
	}
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, "theirs theirs mine", w.get().Status.Note)
	assert.Equal(t, 4, w.writes)
}

func TestRunMovedByAnotherReplica(t *testing.T) {
	for _, c := range ways {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.status)
			w.options.Runner.Storage = c.keep
			_, err := w.reconcile()
			require.NoError(t, err)
			events := len(w.events)
			w.handlers["Refresh"] = func(ctx context.Context, _ *Move) (runner.Result, error) {
				// Another replica does the same and is faster.
				other, err := controller.New(w.options)
				require.NoError(t, err)
				delete(w.handlers, "Refresh")
				_, err = other.Reconcile(ctx, request)
				return runner.Done(), err
			}
			result, err := w.reconcile()
			require.NoError(t, err)
			assert.NotZero(t, result.RequeueAfter)
			assert.Equal(t, 3, w.writes, "the third met with a conflict")
			assert.EqualValues(t, 1, w.count("phases_total"), "a dropped result is not counted")
			assert.Len(t, w.events, events+1, "nor reported")

			w.end()
			assert.Equal(t, []string{"Refresh", "Refresh", "Copy", "Attach"}, w.called)
			assert.EqualValues(t, 3, w.count("phases_total"))
		})
	}
}

func TestObjectWasReplaced(t *testing.T) {
	w := newWorld(t, subresource)
	w.before = func(n int) error {
		if n == 1 {
			replaced := &Move{ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: "shop", UID: "2", Generation: 1}}
			require.NoError(t, w.server.Delete(context.Background(), w.get()))
			require.NoError(t, w.server.Create(context.Background(), replaced))
			w.edit(func(m *Move) { m.Status.Note = "another" }) // versions start again in the fake client
			return conflict()
		}
		return nil
	}
	_, err := w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, 1, w.writes, "it is not written to")
	assert.Nil(t, w.get().Status.State)
	w.restart()
	w.end()
}

func TestConflictWithoutEnd(t *testing.T) {
	w := newWorld(t, subresource)
	w.before = func(int) error {
		w.edit(func(m *Move) { m.Status.Note += "." })
		return nil
	}
	_, err := w.reconcile()
	require.True(t, apierrors.IsConflict(err), "%v", err)
	assert.Empty(t, w.events)
	assert.Zero(t, w.count("phases_total"))
	assert.Nil(t, w.get().Status.State)
	w.before = nil
	w.end()
}

func TestConflictOverSameChange(t *testing.T) {
	w := newWorld(t, subresource)
	_, err := w.reconcile()
	require.NoError(t, err)
	w.edit(func(m *Move) { m.Spec.Paused = true })
	w.before = func(int) error {
		w.before = nil
		w.restart()
		_, err := w.reconcile() // another replica sees the pause first
		require.NoError(t, err)
		return nil
	}
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.Len(t, w.events, 3, "reported by one of them")
}

// The cache is behind: the last write cannot be read yet.
func TestPhaseDoesNotRunAgainFromStaleCache(t *testing.T) {
	w := newWorld(t, subresource)
	stale := &cache{Client: w.options.Client}
	w.options.Client, w.options.Reader = stale, w.server
	_, err := w.reconcile()
	require.NoError(t, err)
	stale.keep(w.get())
	_, err = w.reconcile()
	require.NoError(t, err)
	for range 3 {
		result, err := w.reconcile()
		require.NoError(t, err)
		assert.NotZero(t, result.RequeueAfter)
	}
	assert.Equal(t, []string{"Refresh"}, w.called)
	stale.kept = nil
	w.end()
	assert.Equal(t, []string{"Refresh", "Copy", "Attach"}, w.called)

	t.Run("another replica drops its result", func(t *testing.T) {
		w := newWorld(t, subresource)
		stale := &cache{Client: w.options.Client}
		w.options.Client, w.options.Reader = stale, w.server
		_, err := w.reconcile()
		require.NoError(t, err)
		stale.keep(w.get())
		_, err = w.reconcile()
		require.NoError(t, err)
		w.restart()
		_, err = w.reconcile()
		require.NoError(t, err)
		assert.Equal(t, []string{"Refresh", "Refresh"}, w.called)
		assert.EqualValues(t, 1, w.count("phases_total"))
		assert.Equal(t, "Copy", w.get().Status.State.Phase)
	})
	t.Run("the clock went back", func(t *testing.T) {
		w := newWorld(t, subresource)
		back := &cache{Client: w.options.Client}
		w.options.Client = back
		_, err := w.reconcile()
		require.NoError(t, err)
		back.keep(w.get())
		_, err = w.reconcile()
		require.NoError(t, err)
		w.now = w.now.Add(-time.Hour)
		_, err = w.reconcile()
		require.True(t, apierrors.IsConflict(err), "the older version is not refused for an hour: %v", err)
	})
	t.Run("a backup was restored", func(t *testing.T) {
		w := newWorld(t, subresource)
		back := &cache{Client: w.options.Client}
		w.options.Client = back
		_, err := w.reconcile()
		require.NoError(t, err)
		back.keep(w.get())
		_, err = w.reconcile()
		require.NoError(t, err)
		for n := 0; err == nil && n < 20; n++ {
			_, err = w.reconcile() // a second each; in the end the write is refused
		}
		require.True(t, apierrors.IsConflict(err))
		assert.Equal(t, []string{"Refresh", "Refresh"}, w.called, "the older version is accepted after a while")
	})
}

// cache answers with what it was configured to keep.
type cache struct {
	client.Client
	kept *Move
}

func (c *cache) keep(m *Move) { c.kept = m }

func (c *cache) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	if c.kept == nil {
		return c.Client.Get(ctx, key, o, opts...)
	}
	*o.(*Move) = *c.kept.DeepCopyObject().(*Move)
	return nil
}

func TestPredicate(t *testing.T) {
	w := newWorld(t, subresource)
	w.restart()
	p := w.made.Predicate()
	// An event from one version to the next, as the watch delivers it.
	update := func(from, to *Move) bool { return p.Update(event.UpdateEvent{ObjectOld: from, ObjectNew: to}) }

	was := w.get()
	_, err := w.reconcile()
	require.NoError(t, err)
	is := w.get()
	assert.True(t, update(was, is), "it brings the next phase")
	assert.True(t, update(is, is), "a resync")

	w.handlers["Refresh"] = func(context.Context, *Move) (runner.Result, error) { return runner.Wait(0, "see there"), nil }
	was = is
	w.after = func(int) { assert.False(t, update(was, w.get()), "it may be the own write's, and is held back") }
	result, err := w.reconcile()
	require.NoError(t, err)
	assert.Zero(t, result, "it was")
	is = w.get()
	assert.False(t, update(was, is), "the own write")

	was = is
	w.edit(func(m *Move) { m.Spec.Canceled = true })
	assert.True(t, update(was, w.get()), "another client's write")
	w.edit(func(m *Move) { m.Spec.Canceled = false })

	w.handlers["Refresh"] = func(context.Context, *Move) (runner.Result, error) { return runner.Wait(0, "see here"), nil }
	w.before = func(int) error { // another client's event comes first
		w.before = nil
		was := w.get()
		w.edit(func(m *Move) { m.Spec.Size = "large" })
		assert.False(t, update(was, w.get()), "it is also held back")
		return nil
	}
	w.after = nil
	result, err = w.reconcile()
	require.NoError(t, err)
	assert.NotZero(t, result.RequeueAfter, "and answered afterwards")

	assert.True(t, p.Create(event.CreateEvent{Object: is}))
	assert.True(t, p.Delete(event.DeleteEvent{Object: is}))
	require.NoError(t, w.server.Delete(context.Background(), w.get()))
	_, err = w.reconcile()
	require.NoError(t, err)
	assert.True(t, update(was, is), "a deleted object is forgotten")
}

func conflict() error {
	return apierrors.NewConflict(schema.GroupResource{Group: "example.com", Resource: "moves"}, "shop", errDown)
}

func typesOf(conditions []metav1.Condition) (all []string) {
	for _, c := range conditions {
		all = append(all, c.Type)
	}
	return all
}
