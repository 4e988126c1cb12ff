package machine

import (
	"sync"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Graph is a compiled itinerary: its phases as nodes, and from each an edge to
// every phase that can come next. It is immutable and safe for concurrent use,
// so compile each itinerary once and share it.
//
// Edges are not stored but follow from the guards: an edge leads from a phase
// to a later one if that one's guard admits and the guards of all between them
// do not. Compiling and planning so stay linear in the number of phases, while
// a list of n guarded phases has n²/2 edges.
type Graph struct {
	itinerary phases.Itinerary
	hash      string
	reads     phases.Flags
	nodes     []node
	steps     []string // in the order in which the phases name them
	byStep    map[string]int
	byName    map[string]int
	names     []string
	jumps     bool // whether any phase has a jump

	// The table of the FSM is built when the first machine moves.
	table func() (*table, error)
	// Who decides what is found out when the first reason is asked for.
	deciders func() []decider
}

// node is a phase as the walk reads it.
type node struct {
	guard   phases.Guard
	decides phases.Flags
	step    int32
	rides   bool
	jumps   []jump
}

type jump struct {
	to    int
	guard phases.Guard
}

// Compile checks an itinerary and turns it into a graph. It takes one of any
// size; see [CompileSet] for those that are to run. It refuses what
// [phases.Itinerary.Validate] refuses, with that error, and a loop that nothing
// leaves whatever the flags are, with a [phases.DefinitionErrors] of
// [phases.ReasonEndlessLoop]. The graph keeps a copy of the list of phases; what
// the phases themselves point to must not be changed any more.
func Compile(it phases.Itinerary) (*Graph, error) {
	if err := it.Validate(); err != nil {
		return nil, err
	}
	g := newGraph(it)
	if err := g.checkLoops(); err != nil {
		return nil, err
	}
	return g, nil
}

// newGraph makes a graph of an itinerary that is valid, or has no phases.
func newGraph(it phases.Itinerary) *Graph {
	it.Phases = append([]phases.Phase(nil), it.Phases...)
	g := &Graph{
		itinerary: it,
		hash:      it.Hash(),
		reads:     it.Reads(),
		nodes:     make([]node, len(it.Phases)),
		byName:    make(map[string]int, len(it.Phases)),
		names:     make([]string, len(it.Phases)),
	}
	g.byStep = make(map[string]int)
	for i, p := range it.Phases {
		g.names[i] = p.Name
		g.byName[p.Name] = i
		if _, ok := g.byStep[p.Step]; !ok {
			g.byStep[p.Step] = len(g.steps)
			g.steps = append(g.steps, p.Step)
		}
	}
	for i, p := range it.Phases {
		for _, former := range p.Formerly {
			g.byName[former] = i
		}
		n := node{guard: p.Guard, decides: p.Decides | it.Vocabulary.Live()&g.reads, step: int32(g.byStep[p.Step]), rides: p.Rides}
		for _, j := range p.Jumps {
			n.jumps = append(n.jumps, jump{to: g.byName[j.To], guard: j.Guard})
			g.jumps = true
		}
		g.nodes[i] = n
	}
	g.table = sync.OnceValues(g.newTable)
	g.deciders = sync.OnceValue(g.findDeciders)
	return g
}

// MustCompile is [Compile] for package-level tables: it panics where that
// returns an error.
func MustCompile(it phases.Itinerary) *Graph {
	g, err := Compile(it)
	if err != nil {
		panic(err)
	}
	return g
}

// Name is the name of the itinerary.
func (g *Graph) Name() string { return g.itinerary.Name }

// Vocabulary is the vocabulary of the itinerary.
func (g *Graph) Vocabulary() *phases.Vocabulary { return g.itinerary.Vocabulary }

// IsCleanup reports whether the itinerary is a cleanup itinerary: one that must
// always reach its end ([phases.Itinerary]).
func (g *Graph) IsCleanup() bool { return g.itinerary.Cleanup }

// Result is what a run that ends in the itinerary without a failure is called;
// it is never empty.
func (g *Graph) Result() phases.Result { return g.itinerary.Result.OrDefault() }

// Hash is the fingerprint of the definition, as [phases.Itinerary.Hash] makes it.
func (g *Graph) Hash() string { return g.hash }

// Reads is the set of flags that the guards of the itinerary look at.
func (g *Graph) Reads() phases.Flags { return g.reads }

// Len is the number of phases.
func (g *Graph) Len() int { return len(g.nodes) }

// Phase is the phase at index i, counting from 0 in the order of the
// itinerary. Its slices are shared and must not be changed.
func (g *Graph) Phase(i int) phases.Phase { return g.itinerary.Phases[i] }

// Steps returns the names of all steps, in the order in which the phases
// first name them. A step's place in this list is its index. The slice is
// shared and must not be changed.
func (g *Graph) Steps() []string { return g.steps }

// StepOf is the index in [Graph.Steps] of the step of the phase at index i.
func (g *Graph) StepOf(i int) int { return int(g.nodes[i].step) }

// StepIndex is the index in [Graph.Steps] of the step of that name, or -1.
func (g *Graph) StepIndex(name string) int {
	if k, ok := g.byStep[name]; ok {
		return k
	}
	return -1
}

// Decides returns the flags that the phase at index i decides, and, as if it
// decided them, those that are live and that the itinerary reads.
func (g *Graph) Decides(i int) phases.Flags { return g.nodes[i].decides }

// Rides reports whether the phase at index i rides: it never makes its step
// visible.
func (g *Graph) Rides(i int) bool { return g.nodes[i].rides }

// Lookup returns the index of the phase of that name, or of the phase that was
// formerly called so. A name that the itinerary does not have is an
// [*UnknownPhaseError].
func (g *Graph) Lookup(name string) (int, error) {
	if i, ok := g.byName[name]; ok {
		return i, nil
	}
	return 0, &UnknownPhaseError{Itinerary: g.Name(), Phase: name, Nearest: wording.Nearest(name, g.names)}
}

// Position says where a run stands in an itinerary: at the start (the
// zero value), in a phase, or done.
type Position struct {
	// Phase is the current phase; empty at the start and when done.
	Phase string
	// Done says that the last phase has been left.
	Done bool
}

// String returns the phase, "start" or "done".
func (p Position) String() string {
	switch {
	case p.Done:
		return "done"
	case p.Phase == "":
		return "start"
	}
	return p.Phase
}

// The indices that stand for start and done: start is before the first phase,
// done behind the last.
const start = -1

func (g *Graph) done() int { return len(g.nodes) }

// index finds a position among the phases.
func (g *Graph) index(p Position) (int, error) {
	switch {
	case p.Done:
		return g.done(), nil
	case p.Phase == "":
		return start, nil
	}
	return g.Lookup(p.Phase)
}

// position is the way back from index.
func (g *Graph) position(i int) Position {
	switch i {
	case start:
		return Position{}
	case g.done():
		return Position{Done: true}
	}
	return Position{Phase: g.names[i]}
}

// next is where the machine goes from index i, and whether by a jump. The error
// is an [*UnknownFlagsError] if that depends on unknown flags.
func (g *Graph) next(i int, f phases.Facts) (to int, jumped bool, err error) {
	to, jumped, unknown := g.search(i, f, g.itinerary.Cleanup)
	if unknown == 0 {
		return to, jumped, nil
	}
	phase := g.names[to]
	forks, depends := g.forks(i, f)
	if depends != 0 {
		return 0, false, &UnknownFlagsError{Itinerary: g.Name(), Phase: phase, Flags: g.Vocabulary().Names(depends)}
	}
	// Whatever the unknown flags are, one phase is next.
	to, jumped = forks[0].to, forks[0].jumped
	for _, k := range forks {
		jumped = jumped && k.jumped
	}
	return to, jumped, nil
}

// search looks for what is next after index i: at the jumps there, then at the
// guards in order. It stops at the first guard that is unknown and returns the
// flags that this depends on, and in to the phase that the guard leads to; if
// settle is set, it goes on as a cleanup itinerary does instead.
func (g *Graph) search(i int, f phases.Facts, settle bool) (to int, jumped bool, unknown phases.Flags) {
	from := i + 1
	if i != start {
		for _, j := range g.nodes[i].jumps {
			t := j.guard.Eval(f)
			if t == phases.Unknown && !settle {
				return j.to, true, j.guard.Reads() &^ f.Known()
			}
			if t == phases.True {
				from, jumped = j.to, true
				break
			}
		}
	}
	for to = from; to < len(g.nodes); to++ {
		switch t := g.nodes[to].guard.Eval(f); {
		case t == phases.Unknown && !settle:
			return to, jumped, g.nodes[to].guard.Reads() &^ f.Known()
		case t != phases.False:
			return to, jumped, 0
		}
	}
	return to, jumped, 0
}

// fork is where the machine goes in one of the cases that the unknown flags
// allow. The facts of two forks differ in the value of at least one flag.
type fork struct {
	facts  phases.Facts
	to     int
	jumped bool
}

// maxForks bounds the cases that are told apart. As many flags as there are,
// guards that read one flag each make one case more than flags.
const maxForks = 1024

// forks splits the unknown flags into the cases that lead somewhere, and
// returns the flags which decide where: those for which two assignments that
// differ in nothing else lead to different phases. If there are more cases than
// maxForks, it takes every unknown flag that a guard on the way reads for one,
// and returns no cases.
func (g *Graph) forks(i int, f phases.Facts) (all []fork, depends phases.Flags) {
	if i == g.done() {
		return nil, 0
	}
	var reads phases.Flags
	var split func(f phases.Facts) bool
	split = func(f phases.Facts) bool {
		to, jumped, unknown := g.search(i, f, false)
		if unknown == 0 {
			all = append(all, fork{f, to, jumped})
			return len(all) <= maxForks
		}
		flag := unknown & -unknown
		return split(f.Set(flag, phases.True)) && split(f.Set(flag, phases.False))
	}
	if !split(f) {
		g.eachUnknown(i, f, func(unknown phases.Flags) { reads |= unknown })
		return nil, reads
	}
	for k, a := range all {
		for _, b := range all[:k] {
			differ := a.facts.True()&b.facts.False() | a.facts.False()&b.facts.True()
			if a.to != b.to && differ.Len() == 1 {
				depends |= differ
			}
		}
	}
	return all, depends
}

// eachUnknown calls yield with the unknown flags of each guard that may be
// looked at to find what is next after index i.
func (g *Graph) eachUnknown(i int, f phases.Facts, yield func(phases.Flags)) {
	look := func(guard phases.Guard) phases.Truth {
		t := guard.Eval(f)
		if t == phases.Unknown {
			yield(guard.Reads() &^ f.Known())
		}
		return t
	}
	order := func(from int) {
		for to := from; to < len(g.nodes) && look(g.nodes[to].guard) != phases.True; to++ {
		}
	}
	if i != start {
		for _, j := range g.nodes[i].jumps {
			t := look(j.guard)
			if t != phases.False {
				order(j.to)
			}
			if t == phases.True {
				return
			}
		}
	}
	order(i + 1)
}

// MayLeaveFor reports whether a run that stands in a phase of this itinerary
// may be switched to another. It always may, unless this is a cleanup
// itinerary: that is left only for another cleanup itinerary, and never for one
// whose result is [phases.Failed]. It reports false for nil.
//
// It does not compare names or vocabularies; see [Machine.Switch].
func (g *Graph) MayLeaveFor(to *Graph) bool {
	if to == nil {
		return false
	}
	return !g.IsCleanup() || to.IsCleanup() && to.Result() != phases.Failed
}

// starts are the indices at which the search for the phase after index i can
// begin, whatever the facts: the targets of its jumps, and the phase after it,
// as far as [Graph.Onward] takes them for possible.
func (g *Graph) starts(i int) []int {
	if i == start {
		return []int{0}
	}
	var from []int
	jumps := g.nodes[i].jumps
	g.onward(i, phases.Facts{}, func(k int) {
		if k < len(jumps) {
			from = append(from, jumps[k].to)
		} else {
			from = append(from, i+1)
		}
	})
	return from
}
