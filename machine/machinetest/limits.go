package machinetest

import (
	"slices"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// What an exploration tries at phases with limits, and with live flags.

// others returns the remaining budgets of a state, apart from those of failures and crashes, as one
// number.
func (it *item[T]) others() uint64 {
	return uint64(it.errors)<<32 | uint64(it.changes)<<16 | uint64(min(it.attempts, maxAttempts))
}

// limits tries what the limits of a phase are for: the handler waits until the deadline, and it
// returns errors.
func (w *explorer[T, W]) limits(it *item[T], itinerary, phase string, add func(candidate[T], error)) {
	p := w.engine.phase(itinerary, phase)
	fails := it.failures > 0 && !lists(w.NeverFails, itinerary, phase)
	if p.Deadline > 0 && fails {
		add(w.result(it, act{kind: actWait}))
	}
	if p.MaxAttempts > 0 && it.errors > 0 && (fails || it.attempts+1 < p.MaxAttempts) {
		add(w.result(it, act{kind: actError}))
	}
}

// injectedFailure reports whether an act's injection made a phase fail.
func (w *explorer[T, W]) injectedFailure(a act, r *reconciled[T]) bool {
	switch a.kind {
	case actFail:
		return len(r.calls) > 0
	case actWait, actError:
		return slices.ContainsFunc(r.events, func(event runner.Event) bool {
			failed, ok := event.(runner.PhaseFailed)
			return ok && failed.Itinerary == r.before.Itinerary && failed.Phase == r.before.Phase
		})
	}
	return false
}

// changes tries each change of a live flag that may still matter.
func (w *explorer[T, W]) changes(it *item[T], add func(candidate[T], error)) {
	if it.changes == 0 || it.place.phase == End {
		return
	}
	e := w.engine
	s, err := e.read(it.object)
	if err != nil {
		return
	}
	now := w.before(it)
	live := w.flags.Live() & w.inPlay &^ w.fixed & w.future.from(s, e.selects(it.object)).flags
	for flag := range live.Each {
		names, changed, ok := w.change(now, flag)
		if !ok {
			continue
		}
		c := candidate[T]{act: act{kind: actChange, decides: names}, item: *it}
		c.item.changes--
		err := e.load(it.world)
		if err == nil {
			c.item.object, err = copyOf(it.object)
		}
		if err == nil {
			c.item.drifted |= e.outside(c.item.object, s, func() { err = e.setFlags(c.item.object, changed) })
		}
		if err == nil {
			c.item.world = e.save()
			c.key, err = w.key(&c.item)
		}
		add(c, err)
	}
}

// change inverts a live flag, and other live flags if the relations force that. It reports false if
// the relations do not allow the change.
func (w *explorer[T, W]) change(now phases.Facts, flag phases.Flags) (names []string, changed phases.Facts, ok bool) {
	live := w.flags.Live()
	f, ok := propagate(w.flags, now.Forget(live).Set(flag, phases.TruthOf(now.Of(flag) != phases.True)))
	for other := range live.Each {
		if ok && !f.Known().Has(other) {
			f, ok = propagate(w.flags, f.Set(other, now.Of(other)))
		}
	}
	if !ok {
		return nil, changed, false
	}
	for one := range differ(now, f).Each {
		name := w.flags.Names(one)[0]
		if f.Of(one) == phases.False {
			name = "!" + name
		}
		names, changed = append(names, name), changed.Set(one, f.Of(one))
	}
	return names, changed, true
}

// attempts counts consecutive handler calls that ended in an error, including this reconcile.
func (e *engine[T, W]) attempts(r *reconciled[T]) int {
	switch {
	case r.before.Itinerary != r.after.Itinerary || r.before.Visit != r.after.Visit || r.after.Done:
		return 0
	case len(r.calls) == 0:
		return r.carried.attempts
	case r.calls[0].kind != resultError:
		return 0
	case early(r.before, r.calls[0]):
		return r.carried.attempts
	}
	return r.carried.attempts + 1
}

// early reports whether a handler was called before its next attempt was due; such a call does not
// count.
func early(before runner.State, one call) bool {
	return before.Retry != nil && before.Retry.Kind == runner.RetryHandler && before.Retry.Next.After(one.at)
}

// tries checks that a phase fails when its attempts are used up, and not before. A runner also
// counts an attempt whose write was lost, so this is checked only if each attempt is in the state.
func (c *checking) tries() {
	one := c.callBefore()
	if one == nil || !c.eachWrite || one.kind != resultError || c.gaveUp {
		return
	}
	limits := c.limits(one.itinerary, one.phase)
	if limits.maxAttempts == 0 || limits.deadline > 0 && !one.at.Before(c.due(limits)) {
		return
	}
	n := c.attempts
	if !early(c.before, *one) {
		n++
	}
	switch failed := c.failedNow(*one); {
	case failed && n < limits.maxAttempts:
		c.in(one.itinerary, PromiseAttempts, "a phase fails before its attempts are used up",
			"%s, after %d of %d attempts", one.phase, n, limits.maxAttempts)
	case !failed && n >= limits.maxAttempts && c.stays():
		c.in(one.itinerary, PromiseAttempts, "a phase does not fail although its attempts are used up",
			"%s, after %d of %d attempts", one.phase, n, limits.maxAttempts)
	}
}
