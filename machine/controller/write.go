package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// fate is what became of a write.
type fate int

const (
	unwritten fate = iota // nothing had changed, or there is an error
	written
	moved // somebody else has moved the migration
	gone  // the object is no more
)

// NotKeptError says that the API server took a write, and did not keep the
// state: the definition of the custom resource does not fit the options, or
// something changed the state on its way. Handlers would be called for the
// same phase for ever.
type NotKeptError struct {
	// Fields are the fields of the state that came back as others; none where
	// the status subresource is missing.
	Fields []string
}

func (e *NotKeptError) Error() string {
	if len(e.Fields) == 0 {
		return "the custom resource has no status subresource; add it, or set StatusSubresource to false"
	}
	return fmt.Sprintf("the API server did not keep %s; see that the schema of the custom resource has all fields of the state, and that StatusSubresource is true if and only if it has a status subresource",
		strings.Join(e.Fields, ", "))
}

// conflicts is how often a write is tried again, within a second or so. It is
// many tries and not long waits that win against another writer: between the
// read and the write of each there is always the same short time.
var conflicts = wait.Backoff{Duration: 5 * time.Millisecond, Factor: 1.2, Jitter: 0.2, Steps: 20}

// write writes what a call has changed, with an optimistic lock. Missed says
// that an event of somebody else's write was held back meanwhile.
func (r *Reconciler[T]) write(ctx context.Context, c *call[T]) (became fate, missed bool, err error) {
	key := client.ObjectKeyFromObject(c.read)
	w := &write[T]{Reconciler: r, call: c, key: key, version: c.read.GetResourceVersion()}
	if w.patch, err = w.changes(); err != nil || w.patch == nil {
		return unwritten, false, err
	}
	r.own.begin(key, c.atOnce())
	defer func() { missed = r.own.end(key) }()

	err = wait.ExponentialBackoffWithContext(ctx, conflicts, w.try)
	switch {
	case wait.Interrupted(err) && w.conflict != nil:
		err = w.conflict // and the whole reconcile is tried again
	case err == nil && w.fate == gone:
		r.own.forget(key)
	}
	if w.conflict != nil {
		result := "dropped"
		if w.fate == written {
			result = "merged"
		}
		r.metrics.conflicts.WithLabelValues(result).Inc()
	}
	return w.fate, missed, err
}

// write is one write, and what it met with.
type write[T client.Object] struct {
	*Reconciler[T]
	*call[T]
	key types.NamespacedName
	// patch is what has changed from read to object, and version what it is
	// for.
	patch   client.Patch
	version string

	conflict error
	fate     fate
}

// try tries once. It is done where there is no conflict.
func (w *write[T]) try(ctx context.Context) (done bool, err error) {
	if w.conflict != nil {
		if ready, err := w.again(ctx); !ready {
			return w.fate != unwritten, err
		}
		if w.patch == nil { // somebody else has written the same
			return true, nil
		}
	}
	// A fresh object, since an answer is decoded onto what is there.
	answer := w.o.New()
	answer.SetNamespace(w.key.Namespace)
	answer.SetName(w.key.Name)
	if w.o.StatusSubresource {
		err = w.o.Client.Status().Patch(ctx, answer, w.patch)
	} else {
		err = w.o.Client.Patch(ctx, answer, w.patch)
	}
	switch {
	case apierrors.IsConflict(err):
		w.conflict = err
		return false, nil
	case apierrors.IsNotFound(err):
		return true, w.missing(ctx)
	case err != nil:
		return true, err
	}
	w.fate = written
	w.own.saw(w.key, answer.GetResourceVersion(), w.now())
	return true, w.kept(answer)
}

// again reads the object after a conflict, and says whether the changes can be
// put onto it. Where they cannot, fate says why, or they can later.
func (w *write[T]) again(ctx context.Context) (ready bool, err error) {
	fresh := w.o.New()
	if err := w.o.Reader.Get(ctx, w.key, fresh); err != nil {
		if apierrors.IsNotFound(err) {
			w.fate = gone
		}
		return false, client.IgnoreNotFound(err)
	}
	if fresh.GetResourceVersion() == w.version {
		return false, nil // the cache has not caught up
	}
	w.own.saw(w.key, fresh.GetResourceVersion(), w.now())
	is, unread := w.o.Runner.Read(fresh)
	if fresh.GetUID() != w.read.GetUID() || (unread == nil) != (w.unread == nil) || !samePlace(w.was, is) {
		w.fate = moved
		return false, nil
	}
	if w.o.Conditions != nil {
		before, after := w.o.Conditions(w.read), w.o.Conditions(w.object)
		*after = mergeConditions(*before, *after, *w.o.Conditions(fresh))
		*before = *w.o.Conditions(fresh)
	}
	if w.o.Merge != nil {
		w.o.Merge(w.read, w.object, fresh)
	}
	w.version = fresh.GetResourceVersion()
	w.patch, err = w.changes()
	return err == nil, err
}

// samePlace says whether two states are of one visit to one phase.
func samePlace(a, b runner.State) bool {
	return equality.Semantic.DeepEqual(a.Checkpoint, b.Checkpoint) && a.Entered.Equal(b.Entered)
}

// changes returns what has changed as a merge patch that holds only for the
// version, or nil where nothing has. Of the metadata there is in it what
// handlers may change, and nothing with a status subresource.
func (w *write[T]) changes() (client.Patch, error) {
	data, err := client.MergeFrom(w.read).Data(w.object)
	if err != nil {
		return nil, fmt.Errorf("compare the object with what was read: %w", err)
	}
	var changed struct {
		Status   json.RawMessage            `json:"status"`
		Metadata map[string]json.RawMessage `json:"metadata"`
	}
	if err := json.Unmarshal(data, &changed); err != nil {
		return nil, fmt.Errorf("compare the object with what was read: %w", err)
	}
	metadata := map[string]any{"resourceVersion": w.version}
	if !w.o.StatusSubresource {
		for _, field := range []string{"annotations", "labels", "finalizers", "ownerReferences"} {
			if value, ok := changed.Metadata[field]; ok {
				metadata[field] = value
			}
		}
	}
	patch := map[string]any{"metadata": metadata}
	if changed.Status != nil {
		patch["status"] = changed.Status
	}
	if len(patch) == 1 && len(metadata) == 1 {
		return nil, nil
	}
	data, err = json.Marshal(patch)
	return client.RawPatch(types.MergePatchType, data), err
}

// missing finds out what it is that an API server did not find: the object, or
// its status subresource.
func (w *write[T]) missing(ctx context.Context) error {
	err := w.o.Reader.Get(ctx, w.key, w.o.New())
	switch {
	case apierrors.IsNotFound(err):
		w.fate = gone
		return nil
	case err != nil:
		return err
	}
	return &NotKeptError{}
}

// kept checks that the API server has kept the state.
func (w *write[T]) kept(answer T) error {
	if !w.out.Changed {
		return nil
	}
	is, err := w.o.Runner.Read(answer)
	if err != nil {
		return fmt.Errorf("read the state that was written: %w", err)
	}
	text, err := json.Marshal(w.out.State)
	if err != nil {
		return err
	}
	var want runner.State // as it comes back
	if err := json.Unmarshal(text, &want); err != nil {
		return err
	}
	var fields []string
	for _, f := range []struct {
		name     string
		want, is any
	}{
		{"the itinerary and phase", [3]any{want.Itinerary, want.Phase, want.Done}, [3]any{is.Itinerary, is.Phase, is.Done}},
		{"the facts", want.Facts, is.Facts},
		{"entered", want.Entered, is.Entered},
		{"waitingSince", want.WaitingSince, is.WaitingSince},
		{"attempts", want.Attempts, is.Attempts},
		{"failures", want.Failures, is.Failures},
		{"the pipeline", want.Pipeline, is.Pipeline},
	} {
		if !equality.Semantic.DeepEqual(f.want, f.is) {
			fields = append(fields, f.name)
		}
	}
	if fields != nil {
		return &NotKeptError{fields}
	}
	return nil
}
