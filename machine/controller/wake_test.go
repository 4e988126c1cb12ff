package controller_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Whatever the outcome of a write, another client's change during it, whose event was
// held back, wakes the run.
func TestHeldBackEventsWakeRun(t *testing.T) {
	wait := func(context.Context, *Move) (runner.Result, error) { return runner.Wait(time.Hour, "copying"), nil }
	fail := func(err error) func(w *world) {
		return func(w *world) {
			w.handlers["Refresh"] = wait
			w.failing = err
		}
	}
	resource := schema.GroupResource{Group: "example.com", Resource: "moves"}
	for _, c := range []struct {
		name    string
		prepare func(w *world)
	}{
		{"a wait", func(w *world) { w.handlers["Refresh"] = wait }},
		{"a wait for the watches", func(w *world) {
			w.handlers["Refresh"] = func(context.Context, *Move) (runner.Result, error) { return runner.Wait(0, "copying"), nil }
		}},
		{"a retry", func(w *world) { retries["a handler"].fail(w, errDown) }},
		{"flags that are retried", func(w *world) { w.flagErr = errDown }},
		{"a pause", func(w *world) { w.edit(func(m *Move) { m.Spec.Paused = true }) }},
		{"the end", func(w *world) { w.edit(func(m *Move) { m.Status.State.Phase = "Attach" }) }},
		{"an unknown phase", stopped["an unknown phase"].stop},
		{"an unknown itinerary", stopped["an unknown itinerary"].stop},
		{"a failure that is not answered", stopped["a failure that is not answered"].stop},
		{"a flag without a source", stopped["a flag without a source"].stop},
		{"a write that fails", fail(apierrors.NewTimeoutError("try later", 1))},
		{"a write that is refused", fail(apierrors.NewInvalid(schema.GroupKind{Group: "example.com", Kind: "Move"}, "shop", nil))},
		{"a write that is too large", fail(apierrors.NewRequestEntityTooLargeError("limit is 3145728"))},
		{"a write that is not kept", fail(apierrors.NewNotFound(resource, "shop"))},
		{"a state that cannot be read", func(w *world) {
			broken := true
			w.options.Runner.Storage = failingStorage(&broken, func() error { return errDown }, nil)
			w.restart()
		}},
		{"a write of the same by another replica", func(w *world) {
			w.edit(func(m *Move) { m.Spec.Paused = true })
			replica, before := w.options, w.before
			w.before = func(n int) error {
				w.before = before
				other, err := controller.New(replica)
				require.NoError(w.t, err)
				_, err = other.Reconcile(context.Background(), request)
				require.NoError(w.t, err)
				return nil
			}
		}},
	} {
		for _, when := range []string{"before the write", "after it"} {
			t.Run(c.name+", "+when, func(t *testing.T) {
				w := newWorld(t, subresource)
				_, err := w.reconcile()
				require.NoError(t, err)
				c.prepare(w)
				if w.made == nil {
					w.restart()
				}
				held := 0
				theirs := func() {
					was := w.get()
					w.edit(func(m *Move) { m.Spec.Size += "." })
					if !w.made.Predicate().Update(event.UpdateEvent{ObjectOld: was, ObjectNew: w.get()}) {
						held++
					}
				}
				prepared := w.before
				n := w.writes
				w.before = func(k int) error {
					if prepared != nil {
						w.before = nil
						require.NoError(t, prepared(k))
						theirs()
						return nil
					}
					if k == n+1 && (when == "before the write" || w.failing != nil) {
						theirs()
					}
					return w.failing
				}
				w.after = func(k int) {
					if when == "after it" && k == n+1 {
						theirs()
					}
				}
				result, err := w.reconcile()
				require.NotZero(t, held, "otherwise the case tests nothing")
				require.NoError(t, err)
				assert.Positive(t, result.RequeueAfter)
				assert.Less(t, result.RequeueAfter, time.Second)
			})
		}
	}
}

// Without another client's change, the run is never woken earlier than the runner asks,
// whatever its own events do.
func TestOwnEventsWakeNothing(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(context.Context, *Move) (runner.Result, error)
		want time.Duration
	}{
		{"a wait", func(context.Context, *Move) (runner.Result, error) { return runner.Wait(time.Hour, "copying"), nil }, time.Hour},
		{"an error", func(context.Context, *Move) (runner.Result, error) { return runner.Result{}, errDown }, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, subresource)
			w.options.Runner.Backoff = runner.Backoff{Initial: time.Minute}
			begin := w.get()
			_, err := w.reconcile()
			require.NoError(t, err)
			entered := w.get()
			w.handlers["Refresh"] = c.do
			w.after = func(int) { // the event of the write before is late
				w.made.Predicate().Update(event.UpdateEvent{ObjectOld: begin, ObjectNew: entered})
				w.made.Predicate().Update(event.UpdateEvent{ObjectOld: entered, ObjectNew: w.get()})
			}
			result, err := w.reconcile()
			require.NoError(t, err)
			assert.Equal(t, c.want, result.RequeueAfter)
			assert.False(t, w.made.Predicate().Update(event.UpdateEvent{ObjectOld: entered, ObjectNew: w.get()}))
			assert.False(t, w.made.Predicate().Update(event.UpdateEvent{ObjectOld: begin, ObjectNew: entered}), "it was read")
		})
	}
}

// Two replicas call the handler of one phase at the same time, with different results.
// What one of them writes is kept as a whole, and the result of the other is discarded.
func TestReplicasInOnePhase(t *testing.T) {
	results := []struct {
		name string
		do   func() (runner.Result, error)
	}{
		{"done", func() (runner.Result, error) { return runner.Done(), nil }},
		{"wait", func() (runner.Result, error) { return runner.Wait(time.Minute, "copying"), nil }},
		{"fail", func() (runner.Result, error) { return runner.Fail("disk full"), nil }},
		{"error", func() (runner.Result, error) { return runner.Result{}, errDown }},
	}
	for _, way := range ways {
		for _, one := range results {
			for _, other := range results {
				t.Run(fmt.Sprintf("%s, %s against %s", way.name, one.name, other.name), func(t *testing.T) {
					w := newWorld(t, way.status)
					w.options.Runner.Storage = way.keep
					for range 2 {
						_, err := w.reconcile()
						require.NoError(t, err)
					}
					calls := 0
					w.handlers["Copy"] = func(context.Context, *Move) (runner.Result, error) {
						if calls++; calls == 1 {
							return one.do()
						}
						return other.do()
					}
					var there runner.State
					w.before = func(int) error {
						w.before = nil
						second := w.options
						second.Metrics = nil
						r, err := controller.New(second)
						require.NoError(t, err)
						_, err = r.Reconcile(context.Background(), request)
						require.NoError(t, err)
						there, err = way.keep.Read(context.Background(), w.get())
						require.NoError(t, err)
						return nil
					}
					result, err := w.reconcile()
					require.NoError(t, err)
					assert.Positive(t, result.RequeueAfter)
					assert.Equal(t, 2, calls)
					is, err := way.keep.Read(context.Background(), w.get())
					require.NoError(t, err)
					assert.Empty(t, cmp.Diff(there, is))
					assert.EqualValues(t, 1, w.count("write_conflicts_total"))
					delete(w.handlers, "Copy")
					w.end()
				})
			}
		}
	}
}

// metadataKind is a kind of named things in the metadata of an object.
type metadataKind struct {
	set func(m *Move, name string)
	del func(m *Move, name string)
	all func(m *Move) []string
}

// merges checks a reconcile that removes one name and adds one, each unless it is empty, while
// another client removes theirs, unless it is empty, and adds two.
func (c metadataKind) merges(t *testing.T, removed, added, theirs string) {
	both := []string{"first", "second", "third"}
	w := newWorld(t, plain)
	_, err := w.reconcile()
	require.NoError(t, err)
	w.edit(func(m *Move) {
		for _, name := range both {
			c.set(m, name)
		}
	})
	w.handlers["Refresh"] = func(_ context.Context, m *Move) (runner.Result, error) {
		if removed != "" {
			c.del(m, removed)
		}
		if added != "" {
			c.set(m, added)
		}
		return runner.Done(), nil
	}
	first := w.writes
	w.before = func(n int) error {
		switch n - first {
		case 1:
			w.edit(func(m *Move) {
				c.set(m, "theirs")
				if theirs != "" {
					c.del(m, theirs)
				}
			})
		case 2:
			w.edit(func(m *Move) { c.set(m, "same") })
		}
		return nil
	}
	_, err = w.reconcile()
	require.NoError(t, err)
	want := []string{"theirs", "same"}
	for _, name := range both {
		if name != removed && name != theirs {
			want = append(want, name)
		}
	}
	if added == "ours" {
		want = append(want, added)
	}
	assert.ElementsMatch(t, want, c.all(w.get()))
	assert.Equal(t, 3, w.writes-first, "two conflicts")
	assert.Equal(t, "Copy", w.get().Status.State.Phase)
}

// Changes of a reconcile and of another client to the metadata are both kept.
func TestMetadataIsMerged(t *testing.T) {
	owner := func(name string) metav1.OwnerReference {
		return metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: name, UID: types.UID(name)}
	}
	kinds := map[string]metadataKind{
		"finalizers": {
			func(m *Move, name string) { m.Finalizers = append(m.Finalizers, "example.com/"+name) },
			func(m *Move, name string) {
				m.Finalizers = without(m.Finalizers, func(f string) bool { return f == "example.com/"+name })
			},
			func(m *Move) (all []string) {
				for _, f := range m.Finalizers {
					all = append(all, f[len("example.com/"):])
				}
				return all
			},
		},
		"owner references": {
			func(m *Move, name string) { m.OwnerReferences = append(m.OwnerReferences, owner(name)) },
			func(m *Move, name string) {
				m.OwnerReferences = without(m.OwnerReferences, func(o metav1.OwnerReference) bool { return o.Name == name })
			},
			func(m *Move) (all []string) {
				for _, o := range m.OwnerReferences {
					all = append(all, o.Name)
				}
				return all
			},
		},
		"labels": {
			func(m *Move, name string) { metav1.SetMetaDataLabel(&m.ObjectMeta, name, "x") },
			func(m *Move, name string) { delete(m.Labels, name) },
			func(m *Move) (all []string) { return keys(m.Labels) },
		},
		"annotations": {
			func(m *Move, name string) { metav1.SetMetaDataAnnotation(&m.ObjectMeta, name, "x") },
			func(m *Move, name string) { delete(m.Annotations, name) },
			func(m *Move) (all []string) { return keys(m.Annotations) },
		},
	}
	for kind, c := range kinds {
		// The reconcile removes an existing one or none, and adds one or none. The
		// other client writes twice: it adds one and removes an existing one or none,
		// then it adds another.
		for _, removed := range []string{"", "first", "third"} {
			for _, added := range []string{"", "ours", "same"} {
				for _, theirs := range []string{"", "second", "third"} {
					t.Run(fmt.Sprintf("%s: -%s +%s against -%s +theirs +same", kind, removed, added, theirs), func(t *testing.T) {
						c.merges(t, removed, added, theirs)
					})
				}
			}
		}
	}
	t.Run("an owner reference that is changed", func(t *testing.T) {
		w := newWorld(t, plain)
		w.edit(func(m *Move) { m.OwnerReferences = []metav1.OwnerReference{owner("a"), owner("b")} })
		_, err := w.reconcile()
		require.NoError(t, err)
		w.handlers["Refresh"] = func(_ context.Context, m *Move) (runner.Result, error) {
			m.OwnerReferences[0].Controller = new(bool)
			return runner.Done(), nil
		}
		w.before = func(int) error {
			w.before = nil
			w.edit(func(m *Move) { m.OwnerReferences = append(m.OwnerReferences[1:], m.OwnerReferences[0], owner("c")) })
			return nil
		}
		_, err = w.reconcile()
		require.NoError(t, err)
		changed := owner("a")
		changed.Controller = new(bool)
		assert.Empty(t, cmp.Diff([]metav1.OwnerReference{owner("b"), changed, owner("c")}, w.get().OwnerReferences))
	})
}

func without[V any](all []V, gone func(V) bool) (rest []V) {
	for _, v := range all {
		if !gone(v) {
			rest = append(rest, v)
		}
	}
	return rest
}

func keys(m map[string]string) (all []string) {
	for k := range m {
		all = append(all, k)
	}
	return all
}

// Changes of handlers to the state on their copy of the object are never written.
func TestHandlersDoNotWriteState(t *testing.T) {
	for _, way := range ways {
		for name, err := range map[string]error{"done": nil, "an error": errDown} {
			t.Run(way.name+", "+name, func(t *testing.T) {
				w := newWorld(t, way.status)
				w.options.Runner.Storage = way.keep
				w.handlers["Copy"] = func(_ context.Context, m *Move) (runner.Result, error) {
					m.Status = MoveStatus{Note: "reset"}
					m.Annotations = nil
					return runner.Done(), err
				}
				for range 3 {
					_, failed := w.reconcile()
					require.NoError(t, failed)
				}
				s, failed := way.keep.Read(context.Background(), w.get())
				require.NoError(t, failed)
				want := "Attach"
				if err != nil {
					want = "Copy"
					assert.EqualValues(t, 1, s.Retry.Attempts)
				}
				assert.Equal(t, want, s.Phase)
				assert.Equal(t, phases.True, vocabulary.Facts(s.Facts).Of(volumes))
				assert.Len(t, s.Pipeline, 3)
				assert.Equal(t, "reset", w.get().Status.Note)
			})
		}
	}
}
