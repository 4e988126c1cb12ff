package machinetest

import (
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Several runs in one object: the one under test, and the others.

// round reconciles the run under test and, if its object holds others, each of those once.
func (e *engine[T, W]) round(object T, now time.Time, before carried) *reconciled[T] {
	r := e.alone(object, now, before)
	for n := 1; n < e.setup.Items && r.problem == nil; n++ {
		e.other(r, n)
	}
	return r
}

// other reconciles another run of the object, without faults. It must not change the run under
// test.
func (e *engine[T, W]) other(r *reconciled[T], number int) {
	object, err := e.itemOf(r.object, number)
	if err != nil {
		e.problem("%v", err)
		return
	}
	inject := e.inject
	e.inject, e.item = injection{call: func(string, string) (*Line, []string) { return nil, nil }}, number
	truth := e.truth(r.object)
	// The others may not have seen what the run under test has changed.
	other := e.alone(object, e.clock.Now(), carried{drifted: ^phases.Flags(0)})
	e.inject, e.item, e.now = inject, 0, r
	if r.problem = other.problem; r.problem != nil {
		return
	}
	for _, b := range other.breaks {
		b.Detail = "item " + strconv.Itoa(number) + ": " + b.Detail
		r.breaks = append(r.breaks, b)
	}
	if r.object, err = e.itemOf(other.object, 0); err != nil {
		e.problem("%v", err)
		return
	}
	if r.after, err = e.read(r.object); err != nil {
		e.problem("the state cannot be read: %v", err)
		return
	}
	r.after = *r.after.DeepCopy()
	r.changed = r.changed || other.changed
	r.truth = e.truth(r.object)
	r.drifted |= differ(truth, r.truth)
}

// alone reconciles one run of an object, and checks that the other runs do not change.
func (e *engine[T, W]) alone(object T, now time.Time, before carried) *reconciled[T] {
	was := e.states(object)
	r := e.reconcile(object, now, before)
	if r.problem != nil {
		return r
	}
	for number, is := range e.states(r.object) {
		if number != e.item && !equality.Semantic.DeepEqual(was[number], is) {
			e.broken(Break{Promise: PromiseItems, Itinerary: r.after.Itinerary, How: "the state of another run of the object changes",
				Detail: "item " + strconv.Itoa(number) + " in the reconcile of item " + strconv.Itoa(e.item)})
		}
	}
	return r
}

// states returns the states of all runs of an object, or nil if it holds one.
func (e *engine[T, W]) states(object T) (all []runner.State) {
	for number := range e.setup.Items {
		if e.setup.Items < 2 {
			break
		}
		view, err := e.itemOf(object, number)
		if err != nil {
			e.problem("%v", err)
			return nil
		}
		s, err := e.read(view)
		if err != nil {
			return nil
		}
		all = append(all, *s.DeepCopy())
	}
	return all
}

// itemOf returns a copy of an object as the reconcile of one of its runs sees it.
func (e *engine[T, W]) itemOf(object T, number int) (T, error) {
	object, err := copyOf(object)
	if err != nil {
		return object, setupError("the object cannot be copied: %v", err)
	}
	return e.setup.Item(object, number), nil
}
