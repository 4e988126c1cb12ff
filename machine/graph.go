package machine

import (
	"slices"
	"sync"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Graph is a compiled itinerary. Its phases are nodes; an edge leads from each phase to every phase
// that can come next. A Graph is immutable and safe for concurrent use, so compile each itinerary
// once and share it.
//
// Edges are not stored; they follow from the guards. An edge leads from a phase to a later one if
// the later guard admits and the guards of all phases between do not. Compiling and planning
// therefore stay linear in the number of phases, although a list of n guarded phases has n²/2
// edges.
//
// Phase, StepOf, StepsOf, IsEnd, Decides and Rides panic if the itinerary has no phase at the index.
type Graph struct {
	itinerary phases.Itinerary
	hash      string
	reads     phases.Flags
	nodes     []node
	steps     []string // in order of first mention by a phase
	byStep    map[string]int
	byName    map[string]int
	names     []string
	jumps     bool // whether an edge leads anywhere but to the next phase in order

	// table builds the table of the FSM when the first machine moves.
	table func() (*table, error)
	// deciders finds the deciding phases when the first reason is requested.
	deciders func() []decider
}

// node is a phase as the walk reads it.
type node struct {
	guard   phases.Guard
	decides phases.Flags
	step    int32         // its own; -1 if it has none
	steps   []guardedStep // other steps that it may belong to
	end     bool
	rides   bool
	jumps   []jump // an end phase has one, to done
}

type guardedStep struct {
	step  int32
	guard phases.Guard
}

type jump struct {
	to     int
	guard  phases.Guard
	choice bool
}

// Compile checks an itinerary and turns it into a graph. It accepts an itinerary of any size;
// use [CompileSet] for itineraries that will run. It returns the error of
// [phases.Itinerary.Validate], or a [phases.DefinitionErrors] with [phases.ReasonEndlessLoop]
// if the itinerary has a loop that a run cannot leave, whatever the flags. The graph copies the
// list of phases, but not what the phases point to: do not change that afterwards.
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

// newGraph builds the graph of an itinerary that is valid, or has no phases.
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
	}
	for i, p := range it.Phases {
		for _, former := range p.Formerly {
			g.byName[former] = i
		}
		n := node{guard: p.Guard, step: g.addStep(p.Step), end: p.End, rides: p.Rides}
		for _, s := range p.Steps {
			n.steps = append(n.steps, guardedStep{g.addStep(s.Step), s.Guard})
		}
		if p.End {
			n.jumps = []jump{{to: g.done()}}
			g.jumps = g.jumps || i < len(it.Phases)-1
		} else {
			n.decides = p.Decides | it.Vocabulary.Live()&g.reads
		}
		for _, j := range p.Jumps {
			n.jumps = append(n.jumps, jump{g.byName[j.To], j.Guard, j.Choice})
			g.jumps = true
		}
		g.nodes[i] = n
	}
	g.table = sync.OnceValues(g.newTable)
	g.deciders = sync.OnceValue(g.findDeciders)
	return g
}

// addStep returns the index of the named step, and adds it if needed. It returns -1 for the empty
// name.
func (g *Graph) addStep(name string) int32 {
	if name == "" {
		return -1
	}
	k, ok := g.byStep[name]
	if !ok {
		k = len(g.steps)
		g.byStep[name] = k
		g.steps = append(g.steps, name)
	}
	return int32(k)
}

// MustCompile is like [Compile] but panics on error. It is for package-level tables.
func MustCompile(it phases.Itinerary) *Graph {
	g, err := Compile(it)
	if err != nil {
		panic(err)
	}
	return g
}

// Name returns the name of the itinerary.
func (g *Graph) Name() string { return g.itinerary.Name }

// Vocabulary returns the vocabulary of the itinerary.
func (g *Graph) Vocabulary() *phases.Vocabulary { return g.itinerary.Vocabulary }

// IsCleanup reports whether the itinerary is a cleanup itinerary, which must always reach its end
// ([phases.Itinerary]).
func (g *Graph) IsCleanup() bool { return g.itinerary.Cleanup }

// Result returns the result of a run that ends in this itinerary without a failure. It is never
// empty.
func (g *Graph) Result() phases.Result { return g.itinerary.Result.OrDefault() }

// Hash returns the fingerprint of the definition, as computed by [phases.Itinerary.Hash].
func (g *Graph) Hash() string { return g.hash }

// Reads returns the set of flags that the guards of the itinerary read.
func (g *Graph) Reads() phases.Flags { return g.reads }

// Len returns the number of phases.
func (g *Graph) Len() int { return len(g.nodes) }

// Phase returns the phase at index i, counting from 0 in the order of the itinerary. Its slices are
// shared and must not be changed.
func (g *Graph) Phase(i int) phases.Phase { return g.itinerary.Phases[i] }

// Steps returns the names of all steps, in the order in which the phases first name them. A step's
// position in this list is its index. The slice is shared and must not be changed.
func (g *Graph) Steps() []string { return g.steps }

// StepOf returns the index in [Graph.Steps] of the step that the phase at index i names as its own,
// or -1 if it names none. The phase may belong to other steps ([Plan.Under]).
func (g *Graph) StepOf(i int) int { return int(g.nodes[i].step) }

// StepsOf returns the indices in [Graph.Steps] of all steps that the phase at index i names: first
// those under guards, in order, then its own. Each is listed once.
func (g *Graph) StepsOf(i int) (steps []int) {
	n := &g.nodes[i]
	for _, s := range append(slices.Clone(n.steps), guardedStep{step: n.step}) {
		if k := int(s.step); k >= 0 && !slices.Contains(steps, k) {
			steps = append(steps, k)
		}
	}
	return steps
}

// IsEnd reports whether the phase at index i is an end phase: a run that enters it is done.
func (g *Graph) IsEnd(i int) bool { return g.nodes[i].end }

// StepIndex returns the index in [Graph.Steps] of the named step, or -1.
func (g *Graph) StepIndex(name string) int {
	if k, ok := g.byStep[name]; ok {
		return k
	}
	return -1
}

// Decides returns the flags that the phase at index i decides. Live flags that the itinerary reads
// are included, as if the phase decided them.
func (g *Graph) Decides(i int) phases.Flags { return g.nodes[i].decides }

// Rides reports whether the phase at index i rides, that is, never makes its step visible.
func (g *Graph) Rides(i int) bool { return g.nodes[i].rides }

// Lookup returns the index of the phase with that name or former name. If the itinerary has no such
// phase, it returns an [*UnknownPhaseError].
func (g *Graph) Lookup(name string) (int, error) {
	if i, ok := g.byName[name]; ok {
		return i, nil
	}
	return 0, &UnknownPhaseError{Itinerary: g.Name(), Phase: name, Nearest: wording.Nearest(name, g.names)}
}

// Position describes where a run is in an itinerary: at the start (the zero value), in a phase, or
// done.
type Position struct {
	// Phase is the current phase, or the end phase that completed the run. It is empty at the
	// start, and if the run is done without an end phase.
	Phase string
	// Step is the step under which the phase was entered, if the phase may belong to several. If
	// empty, the facts determine the step, as in a cleanup itinerary.
	Step string
	// Choice is the jump target that the phase's handler has chosen, in which case the work of the
	// phase is done. It is empty if there is no choice.
	Choice string
	// Done reports whether the run has reached its end.
	Done bool
}

// String returns the name of the phase, "start" or "done".
func (p Position) String() string {
	switch {
	case p.Phase != "":
		return p.Phase
	case p.Done:
		return "done"
	}
	return "start"
}

// The index of start is before the first phase, and that of done after the last.
const start = -1

func (g *Graph) done() int { return len(g.nodes) }

// point is a position by index.
type point struct {
	at   int
	step int32 // the step under which the phase was entered; -1 if none
	// choice is 1 + the index of the jump that the handler has chosen; 0 if none.
	choice int
	// finished reports whether the work of the phase is done.
	finished bool
	// end is the end phase that completed the run.
	end string
}

// point returns the point of a position. The errors are [*UnknownPhaseError] and [*ChoiceError].
func (g *Graph) point(p Position, f phases.Facts) (point, error) {
	pt := point{at: g.done(), step: -1}
	switch {
	case p.Done: // never looked up
		pt.end = p.Phase
		if i, ok := g.byName[p.Phase]; ok && g.nodes[i].end {
			pt.step = g.stepNamed(i, p.Step, f)
		}
		return pt, nil
	case p.Phase == "":
		pt.at = start
		return pt, nil
	}
	i, err := g.Lookup(p.Phase)
	if err != nil {
		return point{}, err
	}
	pt.step = g.stepNamed(i, p.Step, f)
	if g.nodes[i].end {
		pt.end = g.names[i]
		return pt, nil
	}
	pt.at = i
	if p.Choice != "" {
		pt.finished = true
		pt.choice, err = g.choice(i, p.Choice)
	}
	return pt, err
}

// stepNamed returns the named step if the phase at index i may belong to it, and otherwise the step
// given by the facts.
func (g *Graph) stepNamed(i int, name string, f phases.Facts) int32 {
	n := &g.nodes[i]
	if n.steps == nil {
		return n.step
	}
	if k := int32(g.StepIndex(name)); k >= 0 {
		if n.step == k || slices.ContainsFunc(n.steps, func(s guardedStep) bool { return s.step == k }) {
			return k
		}
	}
	step, _ := n.stepBy(f, true)
	return step
}

// choice returns the choice of the phase at index i that leads to target, as in point.choice.
func (g *Graph) choice(i int, target string) (choice int, err error) {
	to, known := g.byName[target]
	e := &ChoiceError{Itinerary: g.Name(), Phase: g.names[i], Choice: target}
	for k, j := range g.nodes[i].jumps {
		if !j.choice {
			continue
		}
		if known && j.to == to {
			return k + 1, nil
		}
		e.Choices = append(e.Choices, g.names[j.to])
	}
	return 0, e
}

// position is the inverse of point.
func (g *Graph) position(pt point) Position {
	if pt.at == start {
		return Position{}
	}
	i, ok := pt.at, true
	var p Position
	if pt.at == g.done() {
		p = Position{Phase: pt.end, Done: true}
		i, ok = g.byName[pt.end]
	} else {
		p = Position{Phase: g.names[i]}
		if pt.choice > 0 {
			p.Choice = g.names[g.nodes[i].jumps[pt.choice-1].to]
		}
	}
	if ok && g.nodes[i].steps != nil && pt.step >= 0 {
		p.Step = g.steps[pt.step]
	}
	return p
}

// enter returns the point of a run that enters the phase at index to, or that is done.
func (g *Graph) enter(to int, step int32) point {
	switch {
	case to == g.done():
		return point{at: to, step: -1}
	case g.nodes[to].end:
		return point{at: g.done(), step: step, end: g.names[to]}
	}
	return point{at: to, step: step}
}

// stepBy returns the step of a phase, given f. A guard that is unknown does not admit. Unless
// settle is set, stepBy also returns the unknown flags of the first such guard that counts.
func (n *node) stepBy(f phases.Facts, settle bool) (step int32, unknown phases.Flags) {
	for _, s := range n.steps {
		switch s.guard.Eval(f) {
		case phases.True:
			return s.step, unknown
		case phases.Unknown:
			if unknown == 0 && !settle {
				unknown = s.guard.Reads() &^ f.Known()
			}
		}
	}
	return n.step, unknown
}

// destination is the target of a move.
type destination struct {
	to     int
	step   int32 // the step under which the phase is entered
	jumped bool
}

// next returns the destination of a move from a point. If that depends on unknown flags, the error
// is an [*UnknownFlagsError].
func (g *Graph) next(pt point, f phases.Facts) (destination, error) {
	d, unknown := g.search(pt, f, g.itinerary.Cleanup)
	if unknown == 0 {
		return d, nil
	}
	forks, depends := g.forks(pt, f)
	if depends != 0 {
		return destination{}, &UnknownFlagsError{Itinerary: g.Name(), At: g.position(pt), Flags: g.Vocabulary().Names(depends)}
	}
	// The same phase is next whatever the unknown flags are.
	d = forks[0].destination
	for _, k := range forks {
		d.jumped = d.jumped && k.jumped
	}
	return d, nil
}

// search finds what is next after a point. It evaluates the choice or the jumps there, then the
// guards in order, then the guards of the phase's steps. It stops at the first unknown guard, and
// returns the flags on which the guard depends and the destination to which it leads. If settle is
// set, it instead continues as a cleanup itinerary does: it enters a phase whose guard is unknown,
// and passes an end phase, jump or step whose guard is unknown.
func (g *Graph) search(pt point, f phases.Facts, settle bool) (d destination, unknown phases.Flags) {
	from := pt.at + 1
	switch {
	case pt.choice > 0:
		from, d.jumped = g.nodes[pt.at].jumps[pt.choice-1].to, true
	case pt.at != start:
		for _, j := range g.nodes[pt.at].jumps {
			if j.choice {
				continue
			}
			t := j.guard.Eval(f)
			if t == phases.Unknown && !settle {
				return destination{j.to, g.nodes[j.to].step, true}, j.guard.Reads() &^ f.Known()
			}
			if t == phases.True {
				from, d.jumped = j.to, true
				break
			}
		}
	}
	for d.to = from; d.to < len(g.nodes); d.to++ {
		n := &g.nodes[d.to]
		switch t := n.guard.Eval(f); {
		case t == phases.Unknown && !settle:
			return d, n.guard.Reads() &^ f.Known()
		case t == phases.Unknown && n.end: // an unknown flag does not end a cleanup
		case t != phases.False:
			d.step, unknown = n.stepBy(f, settle)
			return d, unknown
		}
	}
	return d, 0
}

// fork is the destination in one of the cases that the unknown flags allow. The facts of two forks
// differ in the value of at least one flag.
type fork struct {
	destination
	facts phases.Facts
}

// maxForks limits the number of cases. If each guard reads one flag, there is one case more than
// there are flags.
const maxForks = 1024

// maxStepForks limits the number of cases for the steps of one phase, which are computed for each
// phase of a plan. It allows all cases of six flags.
const maxStepForks = 64

// forks splits the unknown flags into cases by destination. It returns the flags that affect the
// destination or its step. If there are more than maxForks cases, it returns the destinations and
// flags of [Graph.possible] instead.
func (g *Graph) forks(pt point, f phases.Facts) (all []fork, depends phases.Flags) {
	if pt.at == g.done() {
		return nil, 0
	}
	all, depends, ok := split(f, maxForks, func(f phases.Facts) (destination, phases.Flags) { return g.search(pt, f, false) })
	if !ok {
		return g.possible(pt, f)
	}
	return all, depends
}

// split separates the cases of the unknown flags that look reads. It returns the flags for which
// two assignments that differ in nothing else have different destinations. ok is false if there are
// more cases than limit.
func split(f phases.Facts, limit int, look func(phases.Facts) (destination, phases.Flags)) (all []fork, depends phases.Flags, ok bool) {
	var halve func(f phases.Facts) bool
	halve = func(f phases.Facts) bool {
		d, unknown := look(f)
		if unknown == 0 {
			all = append(all, fork{d, f})
			return len(all) <= limit
		}
		flag := unknown & -unknown
		return halve(f.Set(flag, phases.True)) && halve(f.Set(flag, phases.False))
	}
	if !halve(f) {
		return nil, 0, false
	}
	for k, a := range all {
		for _, b := range all[:k] {
			differ := a.facts.True()&b.facts.False() | a.facts.False()&b.facts.True()
			if (a.to != b.to || a.step != b.step) && differ.Len() == 1 {
				depends |= differ
			}
		}
	}
	return all, depends, true
}

// stepDepends returns the unknown flags that affect which of its steps the phase at index i runs
// under.
func (g *Graph) stepDepends(i int, f phases.Facts) phases.Flags {
	if g.nodes[i].steps == nil {
		return 0
	}
	_, depends, ok := g.stepForks(i, f)
	if !ok {
		depends = g.nodes[i].stepReads() &^ f.Known()
	}
	return depends
}

// stepForks splits the unknown flags into cases by the step under which the phase at index i runs.
// Cases in which it does not run have the destination start.
func (g *Graph) stepForks(i int, f phases.Facts) (all []fork, depends phases.Flags, ok bool) {
	n := &g.nodes[i]
	return split(f, maxStepForks, func(f phases.Facts) (d destination, unknown phases.Flags) {
		switch n.guard.Eval(f) {
		case phases.False:
			return destination{to: start}, 0
		case phases.Unknown:
			return d, n.guard.Reads() &^ f.Known()
		}
		d.step, unknown = n.stepBy(f, false)
		return d, unknown
	})
}

// possible returns every destination of each guard that may be evaluated after a point, judging one
// guard at a time. If guards depend on each other, it returns more than can be next. It also
// returns the unknown flags that these guards read.
func (g *Graph) possible(pt point, f phases.Facts) (all []fork, unknown phases.Flags) {
	look := func(guard phases.Guard) phases.Truth {
		t := guard.Eval(f)
		if t == phases.Unknown {
			unknown |= guard.Reads() &^ f.Known()
		}
		return t
	}
	order := func(to int) {
		for ; to < len(g.nodes); to++ {
			n := &g.nodes[to]
			t := look(n.guard)
			if t == phases.False {
				continue
			}
			all = append(all, fork{destination: destination{to: to}})
			for _, s := range n.steps {
				look(s.guard)
			}
			if t == phases.True {
				return
			}
		}
		all = append(all, fork{destination: destination{to: g.done()}})
	}
	if pt.choice > 0 {
		order(g.nodes[pt.at].jumps[pt.choice-1].to)
		return all, unknown
	}
	if pt.at != start {
		for _, j := range g.nodes[pt.at].jumps {
			if j.choice {
				continue
			}
			t := look(j.guard)
			if t != phases.False {
				order(j.to)
			}
			if t == phases.True {
				return all, unknown
			}
		}
	}
	order(pt.at + 1)
	return all, unknown
}

// MayLeaveFor reports whether a run in a phase of this itinerary may be switched to another. It
// always may, unless this is a cleanup itinerary: that may be left only for another cleanup
// itinerary whose result is not [phases.Failed]. It reports false for nil.
//
// MayLeaveFor does not compare names or vocabularies; see [Machine.Switch].
func (g *Graph) MayLeaveFor(to *Graph) bool {
	if to == nil {
		return false
	}
	return !g.IsCleanup() || to.IsCleanup() && to.Result() != phases.Failed
}

// starts returns the indices at which the search for the phase after index i can begin, whatever
// the facts. These are the targets of its jumps and the phase after it, if [Graph.Onward] considers
// them possible. After an end phase there are none.
func (g *Graph) starts(i int) []int {
	switch {
	case i == start:
		return []int{0}
	case g.nodes[i].end:
		return nil
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
