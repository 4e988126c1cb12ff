package conformance

import (
	"slices"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// naive evaluates a phase like upstream's allFlags and anyFlags: it evaluates each
// flag of the guard each time, by name.
type naive struct {
	phases []naivePhase
	flags  map[string]func() bool
	asked  map[string]int // evaluations of each flag; nil means not counted
}

type naivePhase struct {
	name, step string
	all, any   []string
}

func newNaive(it phases.Itinerary, f phases.Facts) *naive {
	n := &naive{flags: map[string]func() bool{}}
	for _, d := range it.Vocabulary.Defs() {
		n.flags[d.Name] = func() bool { return f.Of(d.Flag) == phases.True }
	}
	for _, p := range it.Phases {
		n.phases = append(n.phases, naivePhase{p.Name, p.Step, it.Vocabulary.Names(p.Guard.All), it.Vocabulary.Names(p.Guard.Any)})
	}
	return n
}

func (n *naive) ask(flag string) bool {
	if n.asked != nil {
		n.asked[flag]++
	}
	return n.flags[flag]()
}

func (n *naive) admits(p naivePhase) bool {
	for _, f := range p.all {
		if !n.ask(f) {
			return false
		}
	}
	for _, f := range p.any {
		if n.ask(f) {
			return true
		}
	}
	return len(p.any) == 0
}

// next is upstream's t.next: it returns the first phase after i that is admitted.
func (n *naive) next(i int) int {
	for i++; i < len(n.phases) && !n.admits(n.phases[i]); i++ {
	}
	return i
}

// pipeline is the enhancement's initPipeline: it evaluates each phase and lists the
// steps of those admitted.
func (n *naive) pipeline() []string {
	var names []string
	for _, p := range n.phases {
		if n.admits(p) && !slices.Contains(names, p.step) {
			names = append(names, p.step)
		}
	}
	return names
}
