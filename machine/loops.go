package machine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// Loop describes a part of an itinerary that a run can repeat.
type Loop struct {
	// Phases are the names of its phases, in the order of the itinerary.
	Phases []string
	// Flags are the names of the flags that affect whether a run leaves the loop, in the order of
	// the vocabulary.
	Flags []string
}

// FrozenLoops returns the loops whose exits read only flags that no phase inside decides, ordered
// by the jumps that lead back. With some values of these flags, a run that enters the loop never
// leaves it. If the exits of a loop read more than 12 flags, FrozenLoops assumes that such values
// exist. It returns nil if there are no such loops.
//
// Loops that a run cannot leave, whatever the flags, are not included: [Compile] refuses them.
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

// structure holds the edges between places, as in walk, whatever the facts.
type structure struct {
	*Graph
	next, before [][]int
}

func (g *Graph) structure() *structure {
	s := &structure{g, make([][]int, len(g.nodes)+1), make([][]int, len(g.nodes)+1)}
	for i := range g.nodes {
		s.eachEdge(i, phases.Facts{}, func(to int, _ phases.Flags) {
			if !slices.Contains(s.next[i], to) {
				s.next[i] = append(s.next[i], to)
				s.before[to] = append(s.before[to], i)
			}
		})
	}
	return s
}

// eachEdge calls yield for each place to which an edge may lead from place i, past the phase or
// through it, given only f. It passes the flags that the edge depends on.
func (s *structure) eachEdge(i int, f phases.Facts, yield func(to int, reads phases.Flags)) {
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

// endless returns the places, in order, of each loop from which no path leads to the end.
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

// checkLoops refuses loops that cannot be left.
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
			Problem: fmt.Sprintf("is in a loop that a run cannot leave with any flags (%s); "+
				"add a guard to the jump that leads back, or a jump that leads out", strings.Join(names, ", ")),
		})
	}
	if errs == nil {
		return nil
	}
	return errs
}

// loop returns the places of the loop that a back edge closes, like the natural loop of a flow
// graph. From each of these places a path leads to the source of the edge without passing its
// target. From the target a path through such places leads to each of them.
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

// exits returns the flags that the exits of a loop depend on, and those that the phases of the loop
// decide.
func (s *structure) exits(loop []int) (reads, decides phases.Flags) {
	s.eachExit(loop, phases.Facts{}, func(flags phases.Flags) { reads |= flags })
	for _, i := range loop {
		decides |= s.nodes[i].decides
	}
	return reads, decides
}

// eachExit calls yield with the flags that each exit of a loop depends on.
func (s *structure) eachExit(loop []int, f phases.Facts, yield func(phases.Flags)) {
	for _, i := range loop {
		s.eachEdge(i, f, func(to int, reads phases.Flags) {
			if _, inside := slices.BinarySearch(loop, to); !inside {
				yield(reads)
			}
		})
	}
}

// stays reports whether some values of these flags leave the loop without an exit.
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

// components numbers the strongly connected components (Tarjan) of the places that among reports.
// Places with the same number lead to each other. The others have number -1.
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
