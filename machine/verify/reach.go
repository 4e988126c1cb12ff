package verify

import (
	"container/heap"

	"github.com/konveyor/dynamic-pipeline/internal/bdd"
	"github.com/konveyor/dynamic-pipeline/machine"
)

// runs holds the places and phases that runs can be in. A run is at a place when the
// phase of that index is next in order; the place after the last phase is the end.
type runs struct {
	// come are the assignments with which a run reaches each place. in are those with
	// which it is in each phase: it entered the phase, or was resumed there.
	come, in []bdd.Set
}

// reach returns the places and phases that runs can be in. A run begins at the first
// place, or in a phase with former names, because an earlier release may have left it
// there. In both cases it has any flags that the relations allow.
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
		s.undecidedReason = s.Err().Error()
	case s.effort < 0:
		s.undecidedReason = "there are too many paths through its phases"
	default:
		s.runs = r
	}
	return r
}

// wasFormerly reports whether a run of an earlier release may continue, under a former
// name, in the phase at an index.
func (s *subject) wasFormerly(i int) bool { return len(s.g.Phase(i).Formerly) > 0 }

// runsAgain reports whether a run may begin in a phase of the itinerary that failed.
func (s *subject) runsAgain() bool { return s.Runner != nil && s.Runner.RunsAgain && !s.g.IsCleanup() }

// forward propagates sets of assignments along the paths of runs up to the fixed point.
type forward struct {
	*subject
	runs
	todo    places
	waiting []bool
	// again reports whether a run may begin in a phase that has failed.
	again bool
}

// forward follows the runs that begin adds, until stop reports true for a place. stop
// may be nil.
func (s *subject) forward(begin func(*forward), stop func(f *forward, p int) bool) *runs {
	n := s.g.Len()
	f := &forward{subject: s, runs: runs{come: make([]bdd.Set, n+1), in: make([]bdd.Set, n)}, waiting: make([]bool, n+1)}
	if s.undecidedReason != "" {
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

// comeBy adds assignments with which a run reaches a place.
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

// places is a heap of places, the lowest first: a place that no jump leads back to is
// then examined once.
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

// layer holds, for each place, the assignments with which a run that reaches it has
// something ahead.
type layer []bdd.Set

// ahead is a question about what runs have ahead of them.
type ahead struct {
	*subject
	// steady restricts the question to runs in which no phase changes a flag, as in a
	// plan.
	steady bool
	// inside, if not nil, selects the places that count: all other places have it ahead
	// for every assignment.
	inside []bool
}

// through returns the assignments with which a run in a phase can continue to a place
// with one of the layer's assignments.
func (a ahead) through(i int, l layer) bdd.Set {
	out := bdd.None
	for _, leave := range a.onward(i) {
		out = a.Or(out, a.And(leave.with, l[leave.to]))
	}
	if a.steady {
		return out
	}
	// A decided flag may take any value, so the same holds backwards.
	return a.free(a.And(out, a.relations), a.decides(i))
}

// solve returns the least layer in which end belongs to the last place and enter gives
// the assignments for an entered phase.
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

// begins returns the assignments with which a run has it ahead when it begins: at the
// first place, and in the phases in which it may be resumed.
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

// showAhead adds and shows a finding if some run has it ahead when it begins.
func (s *subject) showAhead(add func() *Finding, shows func(*machine.Plan) bool, question func(a ahead) (start, resumed bdd.Set)) {
	start, resumed := question(ahead{subject: s})
	if start == bdd.None && resumed == bdd.None || s.Err() != nil {
		return
	}
	steady, _ := question(ahead{subject: s, steady: true})
	f := add()
	s.showFirst(f, listed, shows, steady, start)
	if f.Reproduce == "" { // the smallest assignment, even if flags change on the way
		f.Assignment = nil
		s.showFirst(f, listed, nil, start)
	}
	if f.Assignment == nil {
		f.Text += " (only in a run of an earlier release that continues under a former name"
		if s.runsAgain() {
			f.Text += ", or in one that begins again in a failed phase"
		}
		f.Text += ")"
		s.showFirst(f, listed, nil, resumed)
	}
}
