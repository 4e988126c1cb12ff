package verify

import (
	"container/heap"

	"github.com/konveyor/dynamic-pipeline/internal/bdd"
)

// runs is where runs can be: at a place, which is the moment when the phase of that
// index is next in order (the place behind the last is the end), or in a phase.
type runs struct {
	// come are the assignments with which a run comes by each place, and in those
	// with which it is in each phase: it entered the phase, or was resumed there.
	come, in []bdd.Set
}

// reach returns where runs can be. A run begins at the first place, or, if the phase
// has former names, in a phase where an earlier release has left it: both with any
// flags that the relations allow.
func (s *subject) reach() *runs {
	if s.runs == nil {
		r := s.forward(func(f *forward) {
			f.come(0, s.relations)
			for i := range s.g.Len() {
				if len(s.g.Phase(i).Formerly) > 0 {
					f.enter(i, s.relations)
				}
			}
		})
		s.runs = r
	}
	return s.runs
}

// forward spreads sets of assignments along the ways of runs up to the fixed point.
type forward struct {
	*subject
	runs
	todo    places
	waiting []bool
	// again reports that a run may begin in a phase that has failed.
	again bool
}

// forward follows the runs that begin adds.
func (s *subject) forward(begin func(*forward)) *runs {
	n := s.g.Len()
	f := &forward{subject: s, runs: runs{come: make([]bdd.Set, n+1), in: make([]bdd.Set, n)}, waiting: make([]bool, n+1)}
	f.again = s.Runner != nil && s.Runner.RunsAgain && !s.g.IsCleanup()
	begin(f)
	for len(f.todo) > 0 && s.spend(1) {
		p := heap.Pop(&f.todo).(int)
		f.waiting[p] = false
		if p < n {
			admits := s.guard(s.g.Phase(p).Guard)
			f.enter(p, s.And(f.runs.come[p], admits))
			f.come(p+1, s.Minus(f.runs.come[p], admits))
		}
	}
	return &f.runs
}

// come adds assignments with which a run comes by a place.
func (f *forward) come(p int, with bdd.Set) {
	all := f.Or(f.runs.come[p], with)
	if all == f.runs.come[p] {
		return
	}
	f.runs.come[p] = all
	if !f.waiting[p] {
		f.waiting[p] = true
		heap.Push(&f.todo, p)
	}
}

// enter adds assignments with which a run is in a phase, and where it goes on.
func (f *forward) enter(i int, with bdd.Set) {
	if with != bdd.None && f.again && !f.g.IsEnd(i) {
		with = f.relations
	}
	all := f.Or(f.in[i], with)
	if all == f.in[i] {
		return
	}
	f.in[i] = all
	f.onward(i, f.free(all, f.decides(i)), func(_, to int, with bdd.Set) { f.come(to, with) })
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
