package controllertest

import (
	"context"
	"fmt"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// objectKey names an object of any kind.
type objectKey struct {
	kind string
	types.NamespacedName
}

// version is an object as it was after a write; object is nil if there was none.
type version struct {
	write  int
	object client.Object
}

// history records what the controller has written, for a cache that is behind.
type history struct {
	writes int
	of     map[objectKey][]version
	order  []objectKey // in the order of their first writes
}

func newHistory() history { return history{of: map[objectKey][]version{}} }

// at returns the object of lag writes ago, and whether it is known.
func (h *history) at(key objectKey) (object client.Object, known bool) {
	for _, v := range h.of[key] {
		if v.write <= h.writes-lag {
			object, known = v.object, true
		}
	}
	return object, known
}

// empty returns an object with the type of o and the given name.
func empty(o client.Object, key types.NamespacedName) (client.Object, error) {
	t := reflect.TypeOf(o)
	if t.Kind() != reflect.Pointer {
		return nil, fmt.Errorf("%T is not a pointer", o)
	}
	made := reflect.New(t.Elem()).Interface().(client.Object)
	made.GetObjectKind().SetGroupVersionKind(o.GetObjectKind().GroupVersionKind())
	made.SetNamespace(key.Namespace)
	made.SetName(key.Name)
	return made, nil
}

func resourceOf(gvk schema.GroupVersionKind) schema.GroupResource {
	plural, _ := meta.UnsafeGuessKindToResource(gvk)
	return plural.GroupResource()
}

// record records an object, after a write, and before it if the object is not known
// yet.
func (i *Injector) record(ctx context.Context, r Request, o client.Object, before bool) {
	key := objectKey{r.Object, types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}}
	i.mu.Lock()
	_, known := i.history.of[key]
	i.mu.Unlock()
	if before && known || key.Name == "" {
		return
	}
	now, err := empty(o, key.NamespacedName)
	if err != nil {
		return
	}
	if err := i.server.Get(ctx, key.NamespacedName, now); apierrors.IsNotFound(err) {
		now = nil
	} else if err != nil {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	h := &i.history
	if !before {
		h.writes++
	}
	if _, known := h.of[key]; !known {
		h.order = append(h.order, key)
	}
	h.of[key] = append(h.of[key], version{h.writes, now})
}

// lags lets the cache be behind from now on.
func (i *Injector) lags() {
	i.stale = staleReads
	if i.now != nil {
		i.since = i.now()
	}
}

// behind reports whether a cache that is behind answers a read, and counts it.
func (i *Injector) behind(r Request) bool {
	if i.now != nil && i.now().Sub(i.since) > maxLag {
		i.stale = 0
	}
	if !r.Cached || i.stale == 0 {
		return false
	}
	i.stale--
	return true
}

// get answers a get, from a cache that may be behind.
func (i *Injector) get(ctx context.Context, r Request, key types.NamespacedName, o client.Object, opts []client.GetOption) error {
	i.mu.Lock()
	var old client.Object
	known := false
	if i.behind(r) {
		old, known = i.history.at(objectKey{r.Object, key})
	}
	i.mu.Unlock()
	if !known {
		return i.server.Get(ctx, key, o, opts...)
	}
	if old == nil {
		return apierrors.NewNotFound(r.resource, key.Name)
	}
	return set(o, old)
}

// set copies from, which must have the same type, into o.
func set(o, from runtime.Object) error {
	if reflect.TypeOf(o) != reflect.TypeOf(from) {
		return fmt.Errorf("a %T was written as a %T; read and write it as one type", o, from)
	}
	reflect.ValueOf(o).Elem().Set(reflect.ValueOf(from.DeepCopyObject()).Elem())
	return nil
}

// list answers a list, from a cache that may be behind.
func (i *Injector) list(ctx context.Context, r Request, list client.ObjectList, opts []client.ListOption) error {
	if err := i.server.List(ctx, list, opts...); err != nil {
		return err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.behind(r) {
		return nil
	}
	items, err := meta.ExtractList(list)
	if err != nil {
		return err
	}
	o := (&client.ListOptions{}).ApplyOptions(opts)
	matches := func(object client.Object) bool {
		return (o.Namespace == "" || o.Namespace == object.GetNamespace()) &&
			(o.LabelSelector == nil || o.LabelSelector.Matches(labels.Set(object.GetLabels())))
	}
	listed := map[objectKey]bool{}
	var then []runtime.Object
	for _, item := range items {
		object, ok := item.(client.Object)
		if !ok {
			return nil
		}
		key := objectKey{r.Object, client.ObjectKeyFromObject(object)}
		listed[key] = true
		old, known := i.history.at(key)
		switch {
		case !known:
			then = append(then, item)
		case old != nil && matches(old):
			then = append(then, old.DeepCopyObject())
		}
	}
	for _, key := range i.history.order { // deleted since then
		if old, _ := i.history.at(key); key.kind == r.Object && !listed[key] && old != nil && matches(old) {
			then = append(then, old.DeepCopyObject())
		}
	}
	return meta.SetList(list, then)
}
