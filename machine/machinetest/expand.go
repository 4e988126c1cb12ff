package machinetest

import (
	"errors"
	"slices"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// expand tries everything that can happen in a state.
func (w *explorer[T, W]) expand(it *item[T]) (all []candidate[T], err error) {
	add := func(c candidate[T], err2 error) {
		if err == nil {
			err = err2
		}
		all = append(all, c)
	}
	if w.overflow {
		return nil, nil
	}
	if !it.partial {
		w.changes(it, add)
		c, r, err2 := w.try(it, act{kind: actReconcile})
		add(c, err2)
		if err != nil {
			return all, err
		}
		g := w.engine.graph(r.before.Itinerary)
		if g != nil && !r.before.Done && r.before.Phase != "" && !r.outcome.Paused {
			w.outcomes(it, g, r, add)
		}
	}
	for i, name := range w.Edits {
		if it.edits&(1<<i) == 0 {
			add(w.edit(it, i, name))
		}
	}
	return all, err
}

// outcomes tries the other outcomes of the phase that a state is in.
func (w *explorer[T, W]) outcomes(it *item[T], g *machine.Graph, r *reconciled[T], add func(candidate[T], error)) {
	i, err := g.Lookup(r.before.Phase)
	if err != nil || len(r.calls) == 0 {
		return
	}
	if r.worked && it.crashes > 0 {
		c := *it
		c.world, c.crashes, c.drifted = w.engine.save(), it.crashes-1, it.drifted|r.elapsed
		c.now = c.now.Add(w.engine.setup.Step)
		key, err := w.key(&c)
		add(candidate[T]{item: c, key: key, act: act{kind: actCrash, called: true}}, err)
	}
	decides := g.Phase(i).Decides & w.inPlay // users change the live flags
	settled := lists(w.Settled, g.Name(), g.Phase(i).Name)
	if settled {
		decides = 0
	}
	if w.left(r) {
		turned := w.turned(r.truth, decides)
		for _, flags := range turned {
			add(w.result(it, act{kind: actReconcile, decides: flags}))
		}
		if one := r.calls[0]; one.kind == resultDone && !settled {
			for _, line := range choices(g.Phase(i), one) {
				for _, flags := range append([][]string{nil}, turned...) {
					add(w.result(it, act{kind: actReconcile, decides: flags, done: &line}))
				}
			}
		}
	}
	w.limits(it, g.Name(), g.Phase(i).Name, add)
	if it.failures > 0 && !lists(w.NeverFails, g.Name(), g.Phase(i).Name) {
		for _, flags := range append([][]string{nil}, w.turned(w.before(it), decides)...) {
			add(w.result(it, act{kind: actFail, decides: flags}))
		}
		if r.worked {
			add(w.result(it, act{kind: actFail, after: true}))
		}
	}
	if it.edits != 1<<len(w.Edits)-1 {
		for _, flags := range w.turned(w.before(it), decides) {
			add(w.result(it, act{kind: actPartial, decides: flags}))
		}
	}
}

// lists reports whether names has a phase, as PHASE or as ITINERARY/PHASE.
func lists(names []string, itinerary, phase string) bool {
	return slices.Contains(names, phase) || slices.Contains(names, itinerary+"/"+phase)
}

// choices returns the other choices of a phase whose handler is done, each as the line that makes
// it: those that the phase declares, and none.
func choices(phase phases.Phase, made call) (all []Line) {
	targets := []string{}
	for _, j := range phase.Jumps {
		if j.Choice {
			targets = append(targets, j.To)
		}
	}
	if len(targets) > 0 {
		targets = append(targets, "")
	}
	for _, choice := range targets {
		if choice != made.choice {
			all = append(all, Done(phase.Name, runner.Choose(choice), runner.After(made.after)).AfterWork())
		}
	}
	return all
}

// left reports whether the phase in which a reconcile began is done or has failed.
func (w *explorer[T, W]) left(r *reconciled[T]) bool {
	return r.calls[0].kind == resultDone || slices.ContainsFunc(r.events, func(event runner.Event) bool {
		failed, ok := event.(runner.PhaseFailed)
		return ok && failed.Phase == r.before.Phase
	})
}

// before returns what the sources answer in a state.
func (w *explorer[T, W]) before(it *item[T]) phases.Facts {
	if err := w.engine.load(it.world); err != nil {
		return phases.Facts{}
	}
	return w.engine.truth(it.object)
}

// maxAssignments is the number of ways in which a phase can decide its flags beyond which an
// exploration gives up.
const maxAssignments = 4096

// turned returns the other values that a phase can give to the flags that it decides. Each is a
// list of the flags that change, as for the line Decide.
func (w *explorer[T, W]) turned(f phases.Facts, decides phases.Flags) (all [][]string) {
	if decides == 0 || !f.Known().Has(w.engine.sourced) {
		return nil
	}
	for g := range w.assignments(f.Forget(decides), decides) {
		var names []string
		for flag := range differ(f, g).Each {
			name := w.flags.Names(flag)[0]
			if g.Of(flag) == phases.False {
				name = "!" + name
			}
			names = append(names, name)
		}
		if names == nil {
			continue
		}
		if all = append(all, names); len(all) > maxAssignments {
			w.overflow = true
			return nil
		}
	}
	return all
}

func (w *explorer[T, W]) result(it *item[T], a act) (candidate[T], error) {
	c, _, err := w.try(it, a)
	return c, err
}

// try runs a reconcile of a state, with what an act injects.
func (w *explorer[T, W]) try(it *item[T], a act) (candidate[T], *reconciled[T], error) {
	c := candidate[T]{act: a, item: *it}
	e := w.engine
	if err := e.load(it.world); err != nil {
		return c, nil, err
	}
	e.inject.call = func(itinerary, phase string) (*Line, []string) {
		w.called[itinerary+"/"+phase] = true
		switch a.kind {
		case actFail:
			line := Fail(phase, "injected")
			line.after = a.after
			return &line, a.decides
		case actPartial:
			line := Wait(phase, partialWait)
			c.item.partial = true
			return &line, a.decides
		case actWait:
			line := Wait(phase, 0)
			return &line, nil
		case actError:
			line := Err(phase, "injected")
			c.item.errors--
			return &line, nil
		}
		return a.done, a.decides
	}
	e.runner.Forget("") // the runner may remember another life
	r := e.round(it.object, it.now, it.carried)
	c.act.called = len(r.calls) > 0
	w.reconciles++
	if a.kind == actReconcile && a.done == nil {
		for _, one := range r.calls {
			result := one.result
			if one.kind == resultDone {
				result = ""
			}
			setUndone(w.undone, one.itinerary+"/"+one.phase, result)
		}
	}
	if s := r.after; s.Done && s.Phase != "" { // an end phase has no handler
		w.called[s.Itinerary+"/"+s.Phase] = true
	}
	if r.problem != nil {
		return c, r, r.problem
	}
	from, to := r.before.Itinerary, r.after.Itinerary
	if w.Switches != nil && from != "" && to != from && !slices.Contains(w.Switches[from], to) {
		return c, r, setupError("the run switches from itinerary %s to %s, which Switches does not name", from, to)
	}
	c.breaks = append(c.breaks, r.breaks...)
	if w.injectedFailure(a, r) {
		c.item.failures--
		c.item.injected = append(slices.Clone(it.injected), r.before.Itinerary+"/"+r.before.Phase)
	}
	c.plain, c.paused = a.kind == actReconcile, r.outcome.Paused
	if r.err != nil {
		c.err = r.err.Error()
	}
	if r.before.Done && r.after.Run == r.before.Run {
		c.stay = true
		return c, r, nil
	}
	now := e.clock.Now().Add(e.setup.Step)
	c.item.now, _ = e.due(r, now)
	c.item.carried, c.item.world = r.carried, e.save()
	if r.changed {
		c.item.object = r.object
		c.breaks = append(c.breaks, e.invariants(e.snapshot(r.object, r.after, c.item.injected))...)
	}
	var unanswered *runner.UnansweredFailureError
	c.entered = r.before.Visit != r.after.Visit
	if r.after.Done && e.isEnd(r.after.Itinerary, r.after.Phase) {
		c.ended = r.after.Phase
	}
	c.end = r.after.Done || errors.As(r.err, &unanswered)
	var err error
	c.key, err = w.key(&c.item)
	return c, r, err
}

// partialWait is how long a handler waits in the middle of its work.
const partialWait = time.Second

// edit applies an edit to a state.
func (w *explorer[T, W]) edit(it *item[T], i int, name string) (candidate[T], error) {
	c := candidate[T]{act: act{kind: actEdit, name: name}, item: *it}
	c.item.edits |= 1 << i
	c.item.partial = false
	e := w.engine
	if err := e.load(it.world); err != nil {
		return c, err
	}
	object, err := copyOf(it.object)
	if err != nil {
		return c, err
	}
	s, err := e.read(object)
	if err != nil {
		return c, err
	}
	if s.PausedSince != nil {
		if d := e.deadline(s.Itinerary, s.Phase); d > 0 {
			c.act.slept = d + 2*time.Second // this time must not count
			c.item.now = it.now.Add(c.act.slept)
		}
	}
	c.item.object = object
	c.item.drifted |= e.outside(object, s, func() { e.setup.Edits[name](object) })
	if s, err := e.read(object); err == nil {
		c.end = s.Done
	}
	c.item.world = e.save()
	c.key, err = w.key(&c.item)
	return c, err
}
