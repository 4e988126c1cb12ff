package machine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// Loop is a part of an itinerary that a run can go round in.
type Loop struct {
	// Phases are the names of its phases, in the order of the itinerary.
	Phases []string
	// Flags are the names of the flags that it depends on whether a run leaves
	// the loop, in the order of the vocabulary.
	Flags []string
}

// FrozenLoops returns the loops whose exits read only flags that no phase inside
// decides, in the order of the jumps that lead back: with some values of these
// flags, a run that enters the loop never leaves it. It returns nil if there are
// none. If the exits of a loop read more than 12 flags, it is taken for granted
// that there are such values.
//
// A loop that nothing leaves whatever the flags are is no such loop: [Compile]
// refuses it.
func (g *Graph) FrozenLoops() []Loop {
	if !g.jumps {
		return nil
	}
	s := g.structure()
	component := s.components(func(int) bool { return true })
	var frozen []Loop
	seen := make(map[string]bool)
	for i := range g.nodes {
		for _, to := range s.next[i] {
			if to > i || component[to] != component[i] {
				continue
			}
			loop := s.loop(i, to, component)
			flags, decides := s.exits(loop)
			if flags&decides != 0 || !s.stays(loop, flags, phases.Facts{}) {
				continue
			}
			one := Loop{Flags: g.Vocabulary().Names(flags)}
			for _, p := range loop {
				one.Phases = append(one.Phases, g.names[p])
			}
			if key := fmt.Sprintf("%q", one.Phases); !seen[key] {
				seen[key] = true
				frozen = append(frozen, one)
			}
		}
	}
	return frozen
}

// structure is where ways lead whatever the facts: by places, as in the walk.
type structure struct {
	*Graph
	next, before [][]int
}

func (g *Graph) structure() *structure {
	s := &structure{g, make([][]int, len(g.nodes)+1), make([][]int, len(g.nodes)+1)}
	for i := range g.nodes {
		s.eachWay(i, phases.Facts{}, func(to int, _ phases.Flags) {
			if !slices.Contains(s.next[i], to) {
				s.next[i] = append(s.next[i], to)
				s.before[to] = append(s.before[to], i)
			}
		})
	}
	return s
}

// eachWay calls yield with each place that the way may lead to from place i,
// past the phase or through it, if no more is known than f, and with the flags
// that this depends on.
func (s *structure) eachWay(i int, f phases.Facts, yield func(to int, reads phases.Flags)) {
	n := &s.nodes[i]
	reads := n.guard.Reads()
	enters := n.guard.Eval(f)
	if enters != phases.True {
		yield(i+1, reads)
	}
	if enters == phases.False {
		return
	}
	judged := 0
	s.onward(i, f, func(k int) {
		for ; judged <= k && judged < len(n.jumps); judged++ {
			reads |= n.jumps[judged].guard.Reads()
		}
		if k == len(n.jumps) {
			yield(i+1, reads)
		} else {
			yield(n.jumps[k].to, reads)
		}
	})
}

// endless returns, for each loop that no way leads out of to the end, its
// places in order.
func (s *structure) endless() (all [][]int) {
	ends := make([]bool, len(s.next))
	ends[len(s.nodes)] = true
	for worklist := []int{len(s.nodes)}; len(worklist) > 0; {
		i := worklist[len(worklist)-1]
		worklist = worklist[:len(worklist)-1]
		for _, from := range s.before[i] {
			if !ends[from] {
				ends[from] = true
				worklist = append(worklist, from)
			}
		}
	}
	if !slices.Contains(ends, false) {
		return nil
	}
	component := s.components(func(i int) bool { return !ends[i] })
	loops := make(map[int][]int)
	leaves := make(map[int]bool)
	for i := range s.nodes {
		if ends[i] {
			continue
		}
		c := component[i]
		loops[c] = append(loops[c], i)
		for _, to := range s.next[i] {
			leaves[c] = leaves[c] || component[to] != c
		}
	}
	for c, loop := range loops {
		if !leaves[c] {
			all = append(all, loop)
		}
	}
	slices.SortFunc(all, slices.Compare)
	return all
}

// checkLoops refuses loops that nothing leaves.
func (g *Graph) checkLoops() error {
	if !g.jumps {
		return nil
	}
	const maxNames = 10
	var errs phases.DefinitionErrors
	for _, loop := range g.structure().endless() {
		var names []string
		for _, i := range loop[:min(len(loop), maxNames)] {
			names = append(names, g.names[i])
		}
		if more := len(loop) - maxNames; more > 0 {
			names = append(names, fmt.Sprintf("and %d more", more))
		}
		errs = append(errs, &phases.DefinitionError{
			Itinerary: g.Name(), Phase: g.names[loop[0]], Index: loop[0], Reason: phases.ReasonEndlessLoop,
			Problem: fmt.Sprintf("is in a loop that nothing leaves, whatever the flags (%s); give the jump that leads back a guard, or add a jump that leads out", strings.Join(names, ", ")),
		})
	}
	if errs == nil {
		return nil
	}
	return errs
}

// loop returns the places of the loop that a way back from one place to another
// closes: those from which a way leads there without passing the other, and to
// which one leads from the other among these.
func (s *structure) loop(from, to int, component []int) []int {
	leads := map[int]bool{to: true}
	for worklist := []int{from}; len(worklist) > 0; {
		i := worklist[len(worklist)-1]
		worklist = worklist[:len(worklist)-1]
		if leads[i] || component[i] != component[to] {
			continue
		}
		leads[i] = true
		worklist = append(worklist, s.before[i]...)
	}
	var loop []int
	for worklist := []int{to}; len(worklist) > 0; {
		i := worklist[len(worklist)-1]
		worklist = worklist[:len(worklist)-1]
		if !leads[i] {
			continue
		}
		delete(leads, i)
		loop = append(loop, i)
		worklist = append(worklist, s.next[i]...)
	}
	slices.Sort(loop)
	return loop
}

// exits returns the flags that the ways out of a loop depend on, and those that
// the phases of the loop decide.
func (s *structure) exits(loop []int) (reads, decides phases.Flags) {
	s.eachExit(loop, phases.Facts{}, func(flags phases.Flags) { reads |= flags })
	for _, i := range loop {
		decides |= s.nodes[i].decides
	}
	return reads, decides
}

// eachExit calls yield with what each way out of a loop depends on.
func (s *structure) eachExit(loop []int, f phases.Facts, yield func(phases.Flags)) {
	for _, i := range loop {
		s.eachWay(i, f, func(to int, reads phases.Flags) {
			if _, inside := slices.BinarySearch(loop, to); !inside {
				yield(reads)
			}
		})
	}
}

// stays reports whether some values of these flags leave a loop without a way
// out.
func (s *structure) stays(loop []int, flags phases.Flags, f phases.Facts) bool {
	const maxSplit = 12
	if flags.Len() > maxSplit {
		return true
	}
	exit := false
	s.eachExit(loop, f, func(phases.Flags) { exit = true })
	if !exit {
		return true
	}
	flag := flags & -flags
	return flag != 0 && (s.stays(loop, flags&^flag, f.Set(flag, phases.True)) || s.stays(loop, flags&^flag, f.Set(flag, phases.False)))
}

// components numbers the strongly connected components of the places that among
// reports: places of one number lead to each other (Tarjan). The others have
// number -1.
func (s *structure) components(among func(int) bool) []int {
	n := len(s.next)
	component, index, low := make([]int, n), make([]int, n), make([]int, n)
	for i := range component {
		component[i] = -1
	}
	found, visited := 0, 0
	var stack []int
	var visit func(i int)
	visit = func(i int) {
		visited++
		index[i], low[i] = visited, visited
		stack = append(stack, i)
		for _, to := range s.next[i] {
			switch {
			case !among(to):
			case index[to] == 0:
				visit(to)
				low[i] = min(low[i], low[to])
			case component[to] < 0:
				low[i] = min(low[i], index[to])
			}
		}
		if low[i] != index[i] {
			return
		}
		for {
			last := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			component[last] = found
			if last == i {
				break
			}
		}
		found++
	}
	for i := range n {
		if among(i) && index[i] == 0 {
			visit(i)
		}
	}
	return component
}
