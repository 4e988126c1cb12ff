package verify

import (
	"container/heap"

	"github.com/konveyor/dynamic-pipeline/internal/bdd"
	"github.com/konveyor/dynamic-pipeline/machine"
)

// runs is where runs can be: at a place, which is the moment when the phase of that
// index is next in order (the place behind the last is the end), or in a phase.
type runs struct {
	// come are the assignments with which a run comes by each place, and in those
	// with which it is in each phase: it entered the phase, or was resumed there.
	come, in []bdd.Set
}

// reach returns where runs can be. A run begins at the first place, or, if a phase
// has former names, in that phase, where an earlier release has left it: both with
// any flags that the relations allow.
func (s *subject) reach() *runs {
	if s.runs != nil {
		return s.runs
	}
	r := s.forward(func(f *forward) {
		f.comeBy(0, s.relations)
		for i := range s.g.Len() {
			if s.wasFormerly(i) {
				f.enter(i, s.relations)
			}
		}
	}, nil)
	switch {
	case s.Err() != nil:
		s.tooHard = s.Err().Error()
	case s.effort < 0:
		s.tooHard = "there are too many ways through its phases"
	default:
		s.runs = r
	}
	return r
}

// wasFormerly reports whether a run of an earlier release may go on in the phase at an
// index, under a former name.
func (s *subject) wasFormerly(i int) bool { return len(s.g.Phase(i).Formerly) > 0 }

// runsAgain reports whether a run may begin in a phase of the itinerary that failed.
func (s *subject) runsAgain() bool { return s.Runner != nil && s.Runner.RunsAgain && !s.g.IsCleanup() }

// forward spreads sets of assignments along the ways of runs up to the fixed point.
type forward struct {
	*subject
	runs
	todo    places
	waiting []bool
	// again reports that a run may begin in a phase that has failed.
	again bool
}

// forward follows the runs that begin adds, until stop, if there is one, reports true
// of a place.
func (s *subject) forward(begin func(*forward), stop func(f *forward, p int) bool) *runs {
	n := s.g.Len()
	f := &forward{subject: s, runs: runs{come: make([]bdd.Set, n+1), in: make([]bdd.Set, n)}, waiting: make([]bool, n+1)}
	if s.tooHard != "" {
		s.effort = -1
		return &f.runs
	}
	f.again = s.runsAgain()
	s.spend(n / 16) // for the memory
	begin(f)
	for len(f.todo) > 0 && s.spend(1) {
		p := heap.Pop(&f.todo).(int)
		f.waiting[p] = false
		if stop != nil && stop(f, p) {
			break
		}
		if p < n {
			admits := s.guard(s.g.Phase(p).Guard)
			f.enter(p, s.And(f.come[p], admits))
			f.comeBy(p+1, s.Minus(f.come[p], admits))
		}
	}
	return &f.runs
}

// comeBy adds assignments with which a run comes by a place.
func (f *forward) comeBy(p int, with bdd.Set) {
	all := f.Or(f.come[p], with)
	if all == f.come[p] {
		return
	}
	f.come[p] = all
	if !f.waiting[p] {
		f.waiting[p] = true
		heap.Push(&f.todo, p)
	}
}

// enter adds assignments with which a run is in a phase, and follows it.
func (f *forward) enter(i int, with bdd.Set) {
	if with != bdd.None && f.again && !f.g.IsEnd(i) {
		with = f.relations
	}
	all := f.Or(f.in[i], with)
	if all == f.in[i] {
		return
	}
	f.in[i] = all
	f.leave(i, all)
}

// leave follows runs that are in a phase with these assignments.
func (f *forward) leave(i int, in bdd.Set) {
	out := f.free(in, f.decides(i))
	for _, l := range f.onward(i) {
		f.comeBy(l.to, f.And(out, l.with))
	}
}

// places is a heap of places, the lowest first: then a place without a way back to
// it is looked at once.
type places []int

func (p places) Len() int           { return len(p) }
func (p places) Less(i, k int) bool { return p[i] < p[k] }
func (p places) Swap(i, k int)      { p[i], p[k] = p[k], p[i] }
func (p *places) Push(x any)        { *p = append(*p, x.(int)) }
func (p *places) Pop() any {
	last := len(*p) - 1
	x := (*p)[last]
	*p = (*p)[:last]
	return x
}

// layer holds for each place the assignments with which a run that comes by has
// something ahead.
type layer []bdd.Set

// ahead is a question about what runs have ahead of them.
type ahead struct {
	*subject
	// steady takes only runs in which no phase changes a flag: what a plan shows.
	steady bool
	// inside, if not nil, are the places that count: the others have all ahead.
	inside []bool
}

// through returns the assignments with which a run in a phase can go on so that it
// comes by a place with one of the layer's.
func (a ahead) through(i int, l layer) bdd.Set {
	out := bdd.None
	for _, leave := range a.onward(i) {
		out = a.Or(out, a.And(leave.with, l[leave.to]))
	}
	if a.steady {
		return out
	}
	// What the phase decides turns out either way, so backwards as well.
	return a.free(a.And(out, a.relations), a.decides(i))
}

// solve returns the least layer in which end is that of the last place and enter
// gives the assignments for a phase that is entered.
func (a ahead) solve(end bdd.Set, enter func(i int, self layer) bdd.Set) layer {
	n := a.g.Len()
	self := make(layer, n+1)
	self[n] = end
	for i := range a.inside {
		if !a.inside[i] {
			self[i] = bdd.All
		}
	}
	for changed := true; changed && a.spend(n); changed = changed && a.back {
		changed = false
		for i := n - 1; i >= 0; i-- {
			if a.inside != nil && !a.inside[i] {
				continue
			}
			with := a.Ite(a.guard(a.g.Phase(i).Guard), enter(i, self), self[i+1])
			changed = changed || with != self[i]
			self[i] = with
		}
	}
	return self
}

// begins returns the assignments with which a run begins that has it ahead: at the
// first place, and in phases in which it may be resumed.
func (a ahead) begins(l layer, enter func(i int, self layer) bdd.Set) (start, resumed bdd.Set) {
	start = a.And(l[0], a.relations)
	for i := range a.g.Len() {
		again := a.runsAgain() && !a.g.IsEnd(i) && a.reach().in[i] != bdd.None
		if again || a.wasFormerly(i) {
			resumed = a.Or(resumed, a.And(enter(i, l), a.relations))
		}
	}
	return start, resumed
}

// showAhead adds and shows a finding if some run has something ahead when it begins.
func (s *subject) showAhead(add func() *Finding, shows func(*machine.Plan) bool, question func(a ahead) (start, resumed bdd.Set)) {
	start, resumed := question(ahead{subject: s})
	if start == bdd.None && resumed == bdd.None || s.Err() != nil {
		return
	}
	steady, _ := question(ahead{subject: s, steady: true})
	f := add()
	s.showFirst(f, listed, shows, steady, start)
	if f.Reproduce == "" { // the smallest one, whether or not flags change on the way
		f.Assignment = nil
		s.showFirst(f, listed, nil, start)
	}
	if f.Assignment == nil {
		f.Text += " (this takes a run of an earlier release that goes on under a former name"
		if s.runsAgain() {
			f.Text += ", or one that begins again in a phase that failed"
		}
		f.Text += ")"
		s.showFirst(f, listed, nil, resumed)
	}
}
