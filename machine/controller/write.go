package controller

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/internal/rawjson"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// writeResult is the result of a write.
type writeResult int

const (
	unwritten writeResult = iota // nothing had changed, or there is an error
	written
	stale // the state has changed since it was read
	gone  // the object no longer exists
)

// NotPersistedError is returned if the state was not persisted: the custom resource has no
// status subresource, its schema lacks fields of the state, or something changed the state
// while it was written. Without this error, handlers would be called
// for the same phase repeatedly.
type NotPersistedError struct {
	// Fields are the JSON names of the fields of the state that came back different, in
	// alphabetical order. It is empty if the status subresource is missing.
	Fields []string
}

func (e *NotPersistedError) Error() string {
	if len(e.Fields) == 0 {
		return "the custom resource has no status subresource; add it, or set StatusSubresource to false"
	}
	return fmt.Sprintf("the API server did not persist these fields of the state: %s; make sure that the schema of the custom resource "+
		"has all fields of the state, and that StatusSubresource is true if and only if it has a status subresource",
		strings.Join(e.Fields, ", "))
}

// RefusedError is returned if the API server refuses a write, until the object, its
// definition or the release is fixed.
type RefusedError struct {
	// TooLarge reports whether the object, or all its annotations together, would be
	// larger than the API server allows. The run is then stopped. Otherwise the object
	// is not valid, and the write is retried.
	TooLarge bool
	// Err is the answer of the API server.
	Err error
}

func (e *RefusedError) Error() string {
	if e.TooLarge {
		return fmt.Sprintf("the object would be too large with the state; remove other large fields or annotations from it: %v", e.Err)
	}
	return fmt.Sprintf("the API server refuses the object; "+
		"make sure that what handlers write fits the schema of the custom resource: %v", e.Err)
}

// Unwrap returns the answer of the API server.
func (e *RefusedError) Unwrap() error { return e.Err }

// refused wraps err in a [*RefusedError] if the API server refused the write.
func refused(err error) error {
	switch {
	case isTooLarge(err):
		return &RefusedError{TooLarge: true, Err: err}
	case apierrors.IsInvalid(err):
		return &RefusedError{Err: err}
	}
	return err
}

// isTooLarge reports whether an object, or its annotations, are too large for an API
// server or for etcd.
func isTooLarge(err error) bool {
	if apierrors.IsRequestEntityTooLargeError(err) {
		return true
	}
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	// API servers pass on the message of etcd.
	if message := status.Status().Message; strings.Contains(message, "etcdserver: request is too large") ||
		strings.Contains(message, "trying to send message larger than max") {
		return true
	}
	details := status.Status().Details
	return apierrors.IsInvalid(err) && details != nil && slices.ContainsFunc(details.Causes, func(c metav1.StatusCause) bool {
		return c.Type == metav1.CauseType(field.ErrorTypeTooLong) && c.Field == "metadata.annotations"
	})
}

// conflicts is the backoff of a conflicting write: 20 attempts within about a second.
// Against a client that writes often, many attempts help more than long waits, because
// the time between read and write is short and does not change.
var conflicts = wait.Backoff{Duration: 5 * time.Millisecond, Factor: 1.2, Jitter: 0.2, Steps: 20}

// write writes the changes of a call, with an optimistic lock. It never returns a nil
// write.
func (r *Reconciler[T]) write(ctx context.Context, c *call[T]) (*write[T], error) {
	key := client.ObjectKeyFromObject(c.base)
	w := &write[T]{Reconciler: r, call: c, key: key, version: c.base.GetResourceVersion()}
	var err error
	if w.patch, err = w.changes(); err != nil || w.patch == nil {
		return w, err
	}
	r.own.begin(key, c.base.GetUID(), w.version, c.atOnce())
	err = wait.ExponentialBackoffWithContext(ctx, conflicts, w.try)
	if wait.Interrupted(err) && w.conflict != nil {
		err = w.conflict // the whole reconcile is retried
	}
	w.missed = r.own.end(key)
	if w.result == gone {
		r.forget(key)
	}
	if w.conflict != nil {
		// Another client has changed what the reconcile did not see.
		w.missed = w.missed || err == nil
		result := "dropped"
		if w.result == written {
			result = "merged"
		}
		r.metrics.conflicts.WithLabelValues(result).Inc()
	}
	return w, err
}

// write is one write and its result.
type write[T client.Object] struct {
	*Reconciler[T]
	*call[T]
	key types.NamespacedName
	// patch is the change from read to object, and version is the version that it
	// applies to.
	patch   client.Patch
	version string
	// read is the object before the call, with what other clients wrote since. The
	// first merge makes it.
	read   T
	merged bool

	conflict error
	result   writeResult
	// answer is the object in the API server's answer. It is set if result is written.
	answer T
	// missed reports whether another client changed the object meanwhile. It must then
	// be reconciled again.
	missed bool
}

// try makes one attempt to write. done reports whether there was no conflict.
func (w *write[T]) try(ctx context.Context) (done bool, err error) {
	if w.conflict != nil {
		if ready, err := w.rebase(ctx); !ready {
			return w.result != unwritten, err
		}
		if w.patch == nil { // another client has written the same
			return true, nil
		}
	}
	// A fresh object, since an answer is decoded onto the existing fields.
	answer := w.o.New()
	answer.SetNamespace(w.key.Namespace)
	answer.SetName(w.key.Name)
	if w.o.StatusSubresource {
		err = w.o.Client.Status().Patch(ctx, answer, w.patch)
	} else {
		err = w.o.Client.Patch(ctx, answer, w.patch)
	}
	switch {
	case err == nil:
		w.result, w.answer = written, answer
		w.own.made(w.key, answer.GetResourceVersion(), w.now())
		return true, w.kept(ctx, answer)
	case apierrors.IsConflict(err):
		w.conflict = err
		return false, nil
	case apierrors.IsNotFound(err):
		return true, w.missing(ctx)
	}
	return true, refused(err)
}

// rebase reads the object after a conflict, and reports whether the changes can be put
// onto it. If not, either result holds why, or a later attempt may succeed.
func (w *write[T]) rebase(ctx context.Context) (ready bool, err error) {
	fresh := w.o.New()
	if err := w.o.Reader.Get(ctx, w.key, fresh); err != nil {
		if apierrors.IsNotFound(err) {
			w.result = gone
		}
		return false, client.IgnoreNotFound(err)
	}
	if fresh.GetResourceVersion() == w.version {
		return false, nil // the cache has not caught up
	}
	w.own.saw(w.key, fresh.GetResourceVersion(), w.now())
	is, unread := w.driver.Read(ctx, fresh)
	if fresh.GetUID() != w.base.GetUID() || (unread == nil) != (w.unread == nil) || !sameStates(w.runs, is) {
		w.result = stale
		return false, nil
	}
	if !w.merged {
		w.read, w.merged = w.base.DeepCopyObject().(T), true
		_, _ = w.driver.Read(ctx, w.read) // allocates the same fields as before
	}
	if w.o.Conditions != nil {
		w.o.Conditions.merge(w.read, w.object, fresh)
	}
	mergeMetadata(w.read, w.object, fresh)
	w.driver.Merge(w.read, w.object, fresh)
	if w.o.Merge != nil {
		w.o.Merge(w.read, w.object, fresh)
	}
	w.before = w.parts(w.read)
	w.version = fresh.GetResourceVersion()
	w.patch, err = w.changes()
	return err == nil, err
}

// mergeMetadata puts the finalizers and owner references that other clients wrote into
// both before and after. Only the changes of the reconcile remain between them.
func mergeMetadata(before, after, fresh client.Object) {
	finalizers := merge(before.GetFinalizers(), after.GetFinalizers(), fresh.GetFinalizers(),
		func(name string) string { return name })
	before.SetFinalizers(fresh.GetFinalizers())
	after.SetFinalizers(finalizers)

	owners := merge(before.GetOwnerReferences(), after.GetOwnerReferences(), fresh.GetOwnerReferences(),
		func(o metav1.OwnerReference) types.UID { return o.UID })
	before.SetOwnerReferences(fresh.GetOwnerReferences())
	after.SetOwnerReferences(owners)
}

// merge applies the changes from before to after to the fresh values, by key: what was
// removed is removed, and what was added or changed is as in after.
func merge[V any, K comparable](before, after, fresh []V, key func(V) K) []V {
	was, is := byKey(before, key), byKey(after, key)
	merged := slices.DeleteFunc(slices.Clone(fresh), func(v V) bool {
		_, had := was[key(v)]
		_, has := is[key(v)]
		return had && !has
	})
	there := byKey(merged, key)
	for _, v := range after {
		k := key(v)
		if i, ok := was[k]; ok && equality.Semantic.DeepEqual(before[i], v) {
			continue
		}
		if i, ok := there[k]; ok {
			merged[i] = v
		} else {
			there[k] = len(merged)
			merged = append(merged, v)
		}
	}
	return merged
}

// byKey returns the indices of values by their key.
func byKey[V any, K comparable](all []V, key func(V) K) map[K]int {
	index := make(map[K]int, len(all))
	for i, v := range all {
		index[key(v)] = i
	}
	return index
}

// parts are the parts of an object that a reconciler writes, as JSON.
type parts struct {
	status, metadata rawjson.Object
	err              error
}

// ownMetadata are the fields of the metadata that handlers may change if the status is
// not a subresource.
var ownMetadata = []string{"annotations", "finalizers", "labels", "ownerReferences"}

// parts returns the parts of an object.
func (r *Reconciler[T]) parts(object T) (p parts) {
	text, err := json.Marshal(object)
	if err != nil {
		p.err = fmt.Errorf("compare the object with what was read: %w", err)
		return p
	}
	all := rawjson.ParseObject(text)
	p.status = members(all, "status")
	if !r.o.StatusSubresource {
		p.metadata = members(rawjson.ParseObject(all.Get("metadata")), ownMetadata...)
	}
	return p
}

// members returns the members of o that have one of the names.
func members(o rawjson.Object, names ...string) (some rawjson.Object) {
	for _, name := range names {
		if i := o.Index(name); i >= 0 {
			some = append(some, o[i])
		}
	}
	return some
}

// changes returns the changes as a merge patch for the version, or nil if there are
// none. Of the metadata it includes what handlers may change, and nothing if the status
// is a subresource.
func (w *write[T]) changes() (client.Patch, error) {
	after := w.parts(w.object)
	if err := cmp.Or(w.before.err, after.err); err != nil {
		return nil, err
	}
	metadata := rawjson.ParseObject(rawjson.AppendMergePatch(nil, w.before.metadata, after.metadata))
	changed := metadata != nil
	metadata.Set("resourceVersion", rawjson.Quote(w.version))
	patch := make([]byte, 0, metadata.Size()+after.status.Size()+len(`{"metadata":}`))
	patch = metadata.AppendTo(append(patch, `{"metadata":`...))
	end := len(patch)
	if patch = rawjson.AppendMergePatch(patch, w.before.status, after.status); len(patch) > end {
		changed = true
		patch[end] = ',' // one object of both
	} else {
		patch = append(patch, '}')
	}
	if !changed {
		return nil, nil
	}
	return client.RawPatch(types.MergePatchType, patch), nil
}

// missing determines what the API server did not find: the object, or its status
// subresource.
func (w *write[T]) missing(ctx context.Context) error {
	err := w.o.Reader.Get(ctx, w.key, w.o.New())
	switch {
	case apierrors.IsNotFound(err):
		w.result = gone
		return nil
	case err != nil:
		return err
	}
	return &NotPersistedError{}
}

// kept checks that the API server has kept the states. They are compared as a whole,
// since they were written as a whole: if another client had changed any of them since
// they were read, nothing would have been written.
func (w *write[T]) kept(ctx context.Context, answer T) error {
	if !slices.ContainsFunc(w.runs, func(r *run) bool { return r.out.Changed }) {
		return nil
	}
	is, err := w.driver.Read(ctx, answer)
	if err != nil {
		return fmt.Errorf("read the state that was written: %w", err)
	}
	var lost []string
	for i, r := range w.runs {
		if !r.out.Changed {
			continue
		}
		back := &run{} // for a lost item: all fields of its state
		if i < len(is) && is[i].item == r.item {
			back = is[i]
		} else if k := slices.IndexFunc(is, func(other *run) bool { return other.item == r.item }); k >= 0 {
			back = is[k]
		}
		if back.unread != nil {
			return r.named(fmt.Errorf("what was written: %w", back.unread))
		}
		if r.out.State.Equal(&back.was) {
			continue
		}
		fields, err := differ(&r.out.State, &back.was)
		if err != nil {
			return err
		}
		lost = append(lost, fields...)
	}
	if len(lost) == 0 {
		return nil
	}
	slices.Sort(lost)
	return &NotPersistedError{slices.Compact(lost)}
}

// differ returns the JSON names of the fields in which two states differ.
func differ(a, b *runner.State) (names []string, err error) {
	var fields [2]rawjson.Object
	for i, s := range []*runner.State{a, b} {
		text, err := json.Marshal(s)
		if err != nil {
			return nil, err
		}
		fields[i] = rawjson.ParseObject(text)
	}
	for _, m := range rawjson.ParseObject(rawjson.AppendMergePatch(nil, fields[0], fields[1])) {
		names = append(names, rawjson.Unquote(m.Key))
	}
	return names, nil
}
