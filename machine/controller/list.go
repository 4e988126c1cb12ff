package controller

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// MaxStates is the limit of the states of all items of an object together, in bytes of
// JSON. It leaves a quarter of a MiB for the rest of the object.
const MaxStates = 768 << 10

// Item is an item of a list in an object, with the object. Functions of a runner
// receive it in place of an object. They may change both as they may change an object,
// but not the list.
type Item[O client.Object, I any] struct {
	Object O
	Item   *I

	key      string
	maxState int
}

// Key returns the key of the item.
func (i Item[O, I]) Key() string { return i.key }

// RunName returns the name of the item's run, for observers.
func (i Item[O, I]) RunName() (namespace, name, item string) {
	return i.Object.GetNamespace(), i.Object.GetName(), i.key
}

// ListOptions describe the items of an object, each of which has a run. O is a pointer
// to the custom resource, and I is the type of an item.
type ListOptions[O client.Object, I any] struct {
	// Items returns pointers to the items, in the order in which they begin. The items
	// must be in the status, or in another part of the object that is written
	// ([Options]). Items may add those that the object lacks. For equal objects it must
	// return equal items. An object without items counts as done: its condition
	// Succeeded is true.
	Items func(object O) []*I
	// Key returns a key that permanently distinguishes an item from the others of its
	// object. It must be unique and not empty.
	Key func(item *I) string
	// MaxAtWork limits how many items of an object may be at work at once: those that
	// have begun and are neither done nor stopped. The others wait, unless their
	// itinerary is a cleanup itinerary, so a cancel does not wait. Zero means no limit.
	MaxAtWork int
	// Runner describes how the run of an item is run. Its Key and its MaxState are
	// replaced.
	Runner runner.Options[Item[O, I]]
	// Summarize is called before the object is written, to show users the counts of its
	// items. Optional.
	Summarize func(object O, s Summary)
}

// List is the list of items of an object, as [NewList] returns it. It belongs to one
// [Options].
type List[O client.Object] struct {
	drive func(r *Reconciler[O], probe bool) (driver[O], []string, error)
}

// NewList returns the list of a custom resource whose objects have many runs. [New]
// checks the options.
func NewList[O client.Object, I any](o ListOptions[O, I]) *List[O] {
	return &List[O]{drive: func(r *Reconciler[O], probe bool) (driver[O], []string, error) { return newListDriver(r, o, probe) }}
}

// ItemError is returned for an item that cannot be distinguished from the others of its
// object. No run of the object continues until that is fixed.
type ItemError struct {
	// Index is the item's index in the list.
	Index int
	// Key is its key, which an earlier item also has; empty if it has none.
	Key string
}

func (e *ItemError) Error() string {
	if e.Key == "" {
		return fmt.Sprintf("item %d of the list has no key; give each item one", e.Index)
	}
	return fmt.Sprintf("item %d of the list has the key %q of an earlier item; make the keys unique", e.Index, e.Key)
}

// TooManyItemsError is returned for an object whose items are so many that their states
// might exceed [MaxStates], even without texts ([runner.Runner.MinState]). No run of
// the object begins or continues until it has fewer.
type TooManyItemsError struct {
	Items, Max int
}

func (e *TooManyItemsError) Error() string {
	return fmt.Sprintf("the object has %d items, but room for the states of only %d; divide the items among several objects",
		e.Items, e.Max)
}

// list is the driver of objects with many runs.
type list[O client.Object, I any] struct {
	caller[Item[O, I]]
	r        *Reconciler[O]
	options  ListOptions[O, I]
	maxItems int

	mu    sync.Mutex
	wakes map[types.NamespacedName]wakes
}

func newListDriver[O client.Object, I any](r *Reconciler[O], o ListOptions[O, I], probing bool) (driver[O], []string, error) {
	l := &list[O, I]{r: r, options: o, wakes: map[types.NamespacedName]wakes{}}
	var problems []string
	if o.Items == nil {
		problems = append(problems, "Items is missing")
	}
	if o.Key == nil {
		problems = append(problems, "Key is missing")
	}
	if o.MaxAtWork < 0 {
		problems = append(problems, fmt.Sprintf("MaxAtWork is %d; it must not be negative", o.MaxAtWork))
	}
	if name := o.Runner.Storage.Annotation; name != "" && r.o.StatusSubresource {
		problems = append(problems, storageProblem(name))
	}
	var empty func() Item[O, I]
	if probing && problems == nil {
		problems = probe(problems, "Items", makeMissing, func() any {
			_ = o.Items(r.o.New())
			return ""
		})
		empty = func() Item[O, I] { return Item[O, I]{Object: r.o.New(), Item: new(I)} }
	}
	ro := o.Runner
	ro.Key = func(i Item[O, I]) string { return runKey(client.ObjectKeyFromObject(i.Object), i.key) }
	ro.MaxState = func(i Item[O, I]) int { return i.maxState }
	var more []string
	var err error
	if l.caller, more, err = newCaller(r, ro, empty); err != nil {
		return nil, nil, err
	}
	if problems = append(problems, more...); problems != nil {
		for i := range problems {
			problems[i] = "List: " + problems[i]
		}
		return l, problems, nil
	}
	size, err := l.runner.MinState()
	l.maxItems = MaxStates / max(size, 1)
	return l, nil, err
}

// runKey returns a key that distinguishes the runs of all objects. Names of objects
// have no slash.
func runKey(object types.NamespacedName, item string) string { return object.String() + "/" + item }

// items returns the items of an object.
func (l *list[O, I]) items(object O) (items []Item[O, I], err error) {
	err = protect(func() error {
		all := l.options.Items(object)
		items = make([]Item[O, I], len(all))
		known := make(map[string]bool, len(all))
		for i, item := range all {
			key := ""
			if item != nil {
				key = l.options.Key(item)
			}
			if key == "" || known[key] {
				return &ItemError{Index: i, Key: key}
			}
			known[key] = true
			items[i] = Item[O, I]{Object: object, Item: item, key: key, maxState: MaxStates / len(all)}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the items: %w", err)
	}
	return items, nil
}

func (l *list[O, I]) Read(ctx context.Context, object O) ([]*run, error) {
	items, err := l.items(object)
	if err != nil {
		return nil, err
	}
	runs := make([]*run, len(items))
	for i, item := range items {
		runs[i] = l.caller.read(ctx, item)
		runs[i].item = item.key
	}
	return runs, nil
}

// errChanging is an error of Items.
var errChanging = errors.New("Items returns other items for a copy of the object; it must depend on the object alone")

// Call calls the runs that are due: first those at work, then the others as long as
// there is room.
func (l *list[O, I]) Call(ctx context.Context, c *call[O]) error {
	if len(c.runs) > l.maxItems {
		return &TooManyItemsError{Items: len(c.runs), Max: l.maxItems}
	}
	items, err := l.items(c.object)
	if err != nil {
		return err
	}
	if !slices.EqualFunc(c.runs, items, func(r *run, i Item[O, I]) bool { return r.item == i.key }) {
		return errChanging
	}
	// One copy of the object serves all items that cannot be written.
	asRead := sync.OnceValues(func() ([]Item[O, I], error) { return l.items(c.base.DeepCopyObject().(O)) })
	due := l.due(c)
	busy := 0
	for i, run := range c.runs {
		run.out = runner.Outcome{State: run.was, Done: run.was.Done}
		if !atWork(&run.was) {
			continue
		}
		if due(run) {
			l.callItem(ctx, c, i, items[i], asRead)
		}
		if atWork(&run.out.State) {
			busy++
		}
	}
	for i, run := range c.runs {
		switch {
		case atWork(&run.was) || !due(run):
		case run.unread == nil && l.options.MaxAtWork > 0 && busy >= l.options.MaxAtWork && !l.cleansUp(ctx, items[i]):
			run.wake = wake{} // check it again each time
		default:
			l.callItem(ctx, c, i, items[i], asRead)
			if atWork(&run.out.State) {
				busy++
			}
		}
	}
	now := l.r.now()
	for _, run := range c.runs { // the calls of handlers took time
		if !run.wake.at.IsZero() {
			run.out.Requeue, run.out.RequeueAfter = true, max(run.wake.at.Sub(now), 0)
		}
	}
	if l.options.Summarize == nil {
		return nil
	}
	return protect(func() error {
		l.options.Summarize(c.object, summarize(c.runs))
		return nil
	})
}

// atWork reports whether a run has begun and is neither done nor stopped.
func atWork(s *runner.State) bool {
	return (s.Itinerary != "" || s.Phase != "") && !s.Done && s.Stopped == nil
}

// cleansUp reports whether the selector names a cleanup itinerary.
func (l *list[O, I]) cleansUp(ctx context.Context, item Item[O, I]) bool {
	var selected string
	err := protect(func() (err error) { selected, err = l.caller.o.Select(ctx, item); return })
	return err == nil && l.isCleanup(selected)
}

// callItem calls one run. Its result does not affect the others.
func (l *list[O, I]) callItem(ctx context.Context, c *call[O], i int, item Item[O, I], asRead func() ([]Item[O, I], error)) {
	if ctx.Err() != nil {
		return // its result could not be written
	}
	run := c.runs[i]
	ctx = log.IntoContext(ctx, log.FromContext(ctx).WithValues("item", item.key))
	ctx, span := l.r.tracer.Start(ctx, "reconcile item", trace.WithAttributes(attrItem.String(item.key)))
	defer span.End()
	l.caller.call(ctx, run, item)
	if run.unwritable() { // the item stays as it was
		run.out, run.events = runner.Outcome{State: run.was, Done: run.was.Done}, nil
		if before, err := asRead(); err == nil {
			*item.Item = *before[i].Item
		}
	}
	run.attribute(span)
	recordError(span, run.err)
	run.wake = wakeAfter(run, l.r.now())
}

// Merge takes over items that another client changed and this reconcile did not.
func (l *list[O, I]) Merge(before, after, fresh O) {
	was, err := l.items(before)
	is, err2 := l.items(after)
	now, err3 := l.items(fresh.DeepCopyObject().(O))
	if err != nil || err2 != nil || err3 != nil || len(was) != len(now) || len(is) != len(now) {
		return // cannot happen: the items are those that were read
	}
	for i := range now {
		a, errA := json.Marshal(was[i].Item)
		b, errB := json.Marshal(is[i].Item)
		if errA == nil && errB == nil && bytes.Equal(a, b) {
			*is[i].Item = *now[i].Item
		}
		*was[i].Item = *now[i].Item
	}
}

// wakes holds when the runs of an object are called again. It only saves work: without
// it, all are called.
type wakes struct {
	// version is the version of the object that has the last result; empty if there is
	// none.
	version string
	// first is when the first run is due; zero if none is.
	first time.Time
	// of holds the wakes of the items by their keys.
	of map[string]wake
}

// wake is when a run is called again.
type wake struct {
	// at is when the run is due. If it is zero, the run is called at each reconcile.
	at time.Time
	// called is when it was called, and retried reports whether that call failed.
	called  time.Time
	retried bool
	// early reports whether at is earlier than the run asked for ([overlooked]).
	early bool
	// idle reports whether it waits for a change of the object, because it is done or
	// stopped.
	idle bool
}

// overlooked is the delay before a waiting run is called early if the object was woken
// while another run was due: an event for which it waits may have come at the same time.
const overlooked = 10 * time.Second

func wakeAfter(r *run, now time.Time) wake {
	if r.out.Requeue {
		return wake{at: now.Add(r.out.RequeueAfter), called: now, retried: r.err != nil}
	}
	return wake{called: now, idle: r.out.State.Done || r.err != nil && isTerminal(r.err)}
}

// due returns a function that reports whether a run is due. If something other than time woke
// the object (another client's change, or an event of what handlers watch), all runs are. If
// only time woke it, a retried run is not called early, a run without its own time is called,
// and any other waiting run is called ten seconds after its last call, now if they have passed,
// or with the first that is called early. due also sets the times of the runs that are not due,
// and forgets the items that are gone.
func (l *list[O, I]) due(c *call[O]) func(r *run) bool {
	key := client.ObjectKeyFromObject(c.base)
	now := l.r.now()
	// Remember an item as soon as it is seen. Otherwise it would not be forgotten in
	// the end if no call is ever settled.
	of := make(map[string]wake, len(c.runs))
	l.mu.Lock()
	last := l.wakes[key]
	for _, r := range c.runs {
		of[r.item] = last.of[r.item]
	}
	l.wakes[key] = wakes{of: of} // until it is settled
	l.mu.Unlock()

	all := last.version == "" || last.version != c.base.GetResourceVersion() || last.first.IsZero() || now.Before(last.first)
	early := false
	for _, r := range c.runs {
		r.wake = of[r.item]
		if w := &r.wake; !w.at.IsZero() && !w.retried && w.called.Add(overlooked).Before(w.at) {
			w.at, w.early = w.called.Add(overlooked), true
		}
		early = early || r.wake.early && !now.Before(r.wake.at)
	}
	// If one run is called early, all that would be called early are called now. Otherwise
	// waiting runs would wake each other every few seconds.
	for _, r := range c.runs {
		if early && r.wake.early {
			r.wake.at = now
		}
	}
	for item := range last.of {
		if _, ok := of[item]; !ok {
			l.runner.Forget(runKey(key, item))
		}
	}
	return func(r *run) bool { return all || !r.wake.idle && !now.Before(r.wake.at) }
}

func (l *list[O, I]) Settle(c *call[O], version string) {
	w := wakes{version: version, of: make(map[string]wake, len(c.runs))}
	for _, r := range c.runs {
		w.of[r.item] = r.wake
		if at := r.wake.at; !at.IsZero() && (w.first.IsZero() || at.Before(w.first)) {
			w.first = at
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wakes[client.ObjectKeyFromObject(c.base)] = w
}

func (l *list[O, I]) Forget(key types.NamespacedName) {
	l.mu.Lock()
	last := l.wakes[key]
	delete(l.wakes, key)
	l.mu.Unlock()
	for item := range last.of {
		l.runner.Forget(runKey(key, item))
	}
}
