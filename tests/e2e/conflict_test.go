package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example"
)

// writer is another client that writes to a migration, and checks before each
// write that its last one is still there.
type writer struct {
	g       *fixture
	name    string
	written int
	lost    []string
}

const (
	writersAnnotation = "example.com/other"
	writersCondition  = "Other"
)

// write reads the object, changes its annotations and conditions, and updates
// it, like another controller.
func (w *writer) write(ctx context.Context) error {
	u := &unstructured.Unstructured{}
	kinds := map[string]string{"migmigrations": "MigMigration", "migrations": "Migration"}
	u.SetGroupVersionKind(w.g.gvr.GroupVersion().WithKind(kinds[w.g.gvr.Resource]))
	key := client.ObjectKey{Namespace: w.g.namespace, Name: w.name}
	if err := w.g.client.Get(ctx, key, u); err != nil {
		return err
	}
	w.check(u)
	next := fmt.Sprint(w.written + 1)
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	conditions = slices.DeleteFunc(conditions, func(c any) bool { return c.(map[string]any)["type"] == writersCondition })
	conditions = append(conditions, map[string]any{
		"type": writersCondition, "status": "True", "reason": "Written", "message": next,
		"lastTransitionTime": time.Now().UTC().Format(time.RFC3339),
	})
	if err := unstructured.SetNestedSlice(u.Object, conditions, "status", "conditions"); err != nil {
		return err
	}
	var err error
	if w.g.gvr == asMTC.gvr {
		all := u.GetAnnotations()
		if all == nil {
			all = map[string]string{}
		}
		all[writersAnnotation] = next
		u.SetAnnotations(all)
		err = w.g.client.Update(ctx, u)
	} else {
		err = w.g.client.Status().Update(ctx, u)
	}
	if apierrors.IsConflict(err) {
		return nil // retried at the next write
	}
	if err == nil {
		w.written++
	}
	return err
}

// check checks that the last write is still there.
func (w *writer) check(u *unstructured.Unstructured) {
	if w.written == 0 {
		return
	}
	want := fmt.Sprint(w.written)
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	i := slices.IndexFunc(conditions, func(c any) bool { return c.(map[string]any)["type"] == writersCondition })
	if i < 0 || conditions[i].(map[string]any)["message"] != want {
		w.lost = append(w.lost, fmt.Sprintf("condition %s of %s", want, w.name))
	}
	if w.g.gvr == asMTC.gvr && u.GetAnnotations()[writersAnnotation] != want {
		w.lost = append(w.lost, fmt.Sprintf("annotation %s of %s", want, w.name))
	}
}

// Another client writes to the same objects ten times a second. Neither side
// loses a write.
func TestConflicts(t *testing.T) {
	t.Parallel()
	for _, r := range both {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			const number = 6
			g := newFixture(t, common, r)
			g.record(itineraries)
			g.run(example.Parts{})
			var writers []*writer
			enough := make(chan struct{})
			var writing sync.WaitGroup
			stop := sync.OnceFunc(func() { close(enough); writing.Wait() })
			defer stop() // also if a migration does not end
			for i := range number {
				c := richest[i%2]
				name := fmt.Sprintf("%s-%d", c.name, i)
				g.plan(name, c.plan)
				g.migrate(name, c.spec)
				w := &writer{g: g, name: name}
				writers = append(writers, w)
				writing.Go(func() {
					ticks := time.NewTicker(100 * time.Millisecond)
					defer ticks.Stop()
					for {
						if err := w.write(g.ctx); err != nil {
							t.Errorf("writer of %s: %v", w.name, err)
							return
						}
						select {
						case <-ticks.C:
						case <-enough:
							return
						}
					}
				})
			}
			for i, w := range writers {
				g.done(w.name)
				want := expected(t, mtc.Final, richest[i%2].flags, nil)
				assert.Empty(t, cmp.Diff(want, g.calls.ran(w.name, mtc.Final)), "%s: the phases that ran", w.name)
			}
			stop()
			all := 0
			for _, w := range writers {
				require.NoError(t, w.write(g.ctx))
				assert.Empty(t, w.lost, "lost writes of the other client")
				assert.Greater(t, w.written, 5, w.name)
				all += w.written
				for _, v := range g.recorder.Versions(w.name) {
					if c := stagePodsCondition(t, v.Object); v.Known && v.State.Phase == "StagePodsCreated" && !c {
						t.Errorf("%s at version %s: the controller's own condition is lost", w.name, v.ResourceVersion)
					}
				}
			}
			t.Logf("%d writes of other clients during %d migrations", all, number)
		})
	}
}

// stagePodsCondition reports whether the object has the condition that the
// example's handlers set once there are stage pods.
func stagePodsCondition(t *testing.T, u *unstructured.Unstructured) bool {
	t.Helper()
	var m struct {
		Status struct{ Conditions []mtc.Condition }
	}
	b, err := json.Marshal(u.Object)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &m))
	return mtc.Conditions(m.Status.Conditions).Has("StagePodsCreated")
}
