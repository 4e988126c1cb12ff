package machinetest

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Coverage collects what lives and explorations cover of itineraries, if [Setup.Coverage] is set:
//
//   - phases that were entered;
//   - transitions from one phase to the next, and pairs of consecutive transitions in one
//     itinerary;
//   - guards of phases, jumps and steps: for each flag that the guard reads, that it was true, and
//     that it was false, and alone decided whether the guard admits (MC/DC);
//   - outcomes of handlers: done, wait, fail, error, and each choice. A phase without a handler is
//     done.
//
// Items that the relations of the vocabulary make impossible do not count. They are determined
// exactly, from the sets of facts with which a run that begins at the first phase can reach each
// guard. Items that only a run with unknown flags, or one that begins in the phase that failed, can
// cover do not count either, unless they were covered.
//
// Make a Coverage with [NewCoverage] or [MergeCoverage]. A Coverage is safe for concurrent use.
type Coverage struct {
	mu          sync.Mutex
	itineraries map[coverKey]*covered
}

// NewCoverage returns an empty coverage.
func NewCoverage() *Coverage { return &Coverage{itineraries: make(map[coverKey]*covered)} }

// coverKey identifies the definition of an itinerary.
type coverKey struct{ name, hash string }

// covered is the coverage of one definition.
type covered struct {
	graph *machine.Graph // nil if the coverage was only read from a file
	names []string       // of the phases
	works []bool         // by index: the phase has a handler
	items map[coverItem]coverStatus
	exact bool // all items are listed, including those that are not covered
}

// coverStatus describes whether an item is covered or possible. When two are merged, the larger one wins.
type coverStatus uint8

const (
	itemUndecided  coverStatus = iota + 1 // not covered, and possibly impossible
	itemImpossible                        // cannot be covered
	itemMissing                           // possible, but not covered
	itemCovered
)

// CoverKind is the kind of an item of a coverage.
type CoverKind string

// The kinds of items, in the order of reports.
const (
	CoverPhases      CoverKind = "phase"
	CoverTransitions CoverKind = "transition"
	CoverPairs       CoverKind = "pair of transitions"
	CoverGuards      CoverKind = "guard"
	CoverOutcomes    CoverKind = "outcome"
)

var coverKinds = []CoverKind{CoverPhases, CoverTransitions, CoverPairs, CoverGuards, CoverOutcomes}

// nowhere fills the unused elements of coverItem.At.
const nowhere = -2

// coverItem is one thing that can be covered.
type coverItem struct {
	Kind CoverKind `json:"kind"`
	// At are indices of phases: -1 is the start, the number of phases is done.
	At [3]int `json:"at"`
	// Of is the jump or the step that has the guard; empty if the phase has it.
	Of string `json:"of,omitempty"`
	// Name is a flag, prefixed with "!" if it is false, or an outcome.
	Name string `json:"name,omitempty"`
}

func phaseItem(i int) coverItem { return coverItem{Kind: CoverPhases, At: [3]int{i, nowhere, nowhere}} }
func transitionItem(i, j int) coverItem {
	return coverItem{Kind: CoverTransitions, At: [3]int{i, j, nowhere}}
}
func pairItem(i, j, k int) coverItem { return coverItem{Kind: CoverPairs, At: [3]int{i, j, k}} }
func outcomeItem(i int, outcome string) coverItem {
	return coverItem{Kind: CoverOutcomes, At: [3]int{i, nowhere, nowhere}, Name: outcome}
}

func (it coverItem) compare(other coverItem) int {
	return cmp.Or(cmp.Compare(slices.Index(coverKinds, it.Kind), slices.Index(coverKinds, other.Kind)),
		slices.Compare(it.At[:], other.At[:]), cmp.Compare(it.Of, other.Of),
		cmp.Compare(strings.TrimPrefix(it.Name, "!"), strings.TrimPrefix(other.Name, "!")), cmp.Compare(it.Name, other.Name))
}

// text returns the name of an item for users, without its kind.
func (c *covered) text(it coverItem) string {
	var places []string
	for _, i := range it.At {
		switch {
		case i == nowhere:
		case i == -1:
			places = append(places, "start")
		case i == len(c.names):
			places = append(places, "done")
		default:
			places = append(places, c.names[i])
		}
	}
	text := strings.Join(places, " -> ")
	if it.Of != "" {
		text += ", " + it.Of
	}
	if it.Name != "" {
		text += ": " + it.Name
	}
	return text
}

// guardAt is a guard that is judged on the path from one phase to the next.
type guardAt struct {
	at    int // the phase that has the guard
	of    string
	guard phases.Guard
	to    int // the phase that follows if the guard admits
}

// jumpsFrom returns the guards of a phase's guarded jumps, in order, and the targets of its
// choices, by name.
func jumpsFrom(g *machine.Graph, i int) (guarded []guardAt, choices map[string]int) {
	choices = make(map[string]int)
	if i < 0 {
		return nil, choices
	}
	for _, j := range g.Phase(i).Jumps {
		to, err := g.Lookup(j.To)
		switch {
		case err != nil: // Compile has checked it
		case j.Choice:
			choices[j.To] = to
		default:
			guarded = append(guarded, guardAt{i, "jump to " + j.To, j.Guard, to})
		}
	}
	return guarded, choices
}

// stepsOf returns the guards of a phase's steps, in order.
func stepsOf(p phases.Phase, i int) (all []guardAt) {
	for _, s := range p.Steps {
		all = append(all, guardAt{i, "step " + s.Step, s.Guard, i})
	}
	return all
}

// decides returns the flags that alone decide, given the facts, whether a guard admits.
func decides(guard phases.Guard, f phases.Facts) (flags phases.Flags) {
	now := guard.Eval(f)
	for flag := range (guard.Reads() & f.Known()).Each {
		turned := guard.Eval(f.Set(flag, phases.TruthOf(f.Of(flag) != phases.True)))
		if now != phases.Unknown && turned != phases.Unknown && turned != now {
			flags |= flag
		}
	}
	return flags
}

// item returns the item for a flag that alone decides the guard, with this value.
func (q guardAt) item(flag string, value bool) coverItem {
	if !value {
		flag = "!" + flag
	}
	return coverItem{Kind: CoverGuards, At: [3]int{q.at, nowhere, nowhere}, Of: q.of, Name: flag}
}

// declare registers the itineraries of a controller. works reports whether a phase has a handler.
func (c *Coverage) declare(set *machine.Set, works func(itinerary, phase string) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range set.Names() {
		g, err := set.Graph(name)
		if err != nil {
			continue
		}
		one := c.of(coverKey{name, g.Hash()})
		one.graph, one.exact = g, false
		one.names, one.works = nil, make([]bool, g.Len())
		for i := range g.Len() {
			one.names = append(one.names, g.Phase(i).Name)
			one.works[i] = works(name, g.Phase(i).Name)
		}
	}
}

// of returns the coverage of a definition. The caller must hold the lock.
func (c *Coverage) of(key coverKey) *covered {
	if c.itineraries == nil {
		c.itineraries = make(map[coverKey]*covered)
	}
	if c.itineraries[key] == nil {
		c.itineraries[key] = &covered{items: make(map[coverItem]coverStatus)}
	}
	return c.itineraries[key]
}

// passage describes one reconcile for a coverage.
type passage struct {
	before, after *machine.Graph
	from, to      int    // indices in the itinerary after; to is nowhere if nothing was entered
	choice        string // made by the handler
	facts         phases.Facts
	calls         []call
}

// record records a passage.
func (c *Coverage) record(p passage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.before != nil {
		one := c.of(coverKey{p.before.Name(), p.before.Hash()})
		for _, call := range p.calls {
			if i, err := p.before.Lookup(call.phase); err == nil && call.itinerary == p.before.Name() {
				one.items[outcomeItem(i, call.outcome())] = itemCovered
			}
		}
	}
	if p.to == nowhere {
		return
	}
	g := p.after
	one := c.of(coverKey{g.Name(), g.Hash()})
	judge := func(q guardAt) bool {
		for flag := range decides(q.guard, p.facts).Each {
			one.items[q.item(g.Vocabulary().Names(flag)[0], p.facts.Of(flag) == phases.True)] = itemCovered
		}
		t := q.guard.Eval(p.facts)
		return t == phases.True || t == phases.Unknown && g.IsCleanup() && q.of == ""
	}
	one.items[transitionItem(p.from, p.to)] = itemCovered
	next := p.from + 1
	guarded, choices := jumpsFrom(g, p.from)
	if to, ok := choices[p.choice]; ok {
		next = to
	} else {
		for _, q := range guarded {
			if judge(q) {
				next = q.to
				break
			}
		}
	}
	for ; next < g.Len() && !judge(guardAt{at: next, guard: g.Phase(next).Guard}); next++ {
	}
	if p.to < g.Len() {
		one.items[phaseItem(p.to)] = itemCovered
		for _, q := range stepsOf(g.Phase(p.to), p.to) {
			if judge(q) {
				break
			}
		}
	}
}

// pair records two consecutive transitions of an itinerary.
func (c *Coverage) pair(g *machine.Graph, i, j, k int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of(coverKey{g.Name(), g.Hash()}).items[pairItem(i, j, k)] = itemCovered
}

// outcome returns the name of a call's outcome, as in an item.
func (one call) outcome() string {
	switch one.kind {
	case resultDone:
		if one.choice != "" {
			return "choice " + one.choice
		}
		return "done"
	case resultWait:
		return "wait"
	case resultFail:
		return "fail"
	}
	return "error"
}

// cover records what a reconcile covers.
func (e *engine[T, W]) cover(r *reconciled[T]) {
	p := passage{before: e.graph(r.before.Itinerary), after: e.graph(r.after.Itinerary),
		from: -1, to: nowhere, calls: r.calls, choice: r.before.Choice}
	if e.setup.Coverage == nil || p.after == nil || r.problem != nil {
		return
	}
	p.facts = p.after.Vocabulary().Facts(r.after.Facts)
	same := r.before.Itinerary == r.after.Itinerary && r.before.Run == r.after.Run
	if i, err := p.after.Lookup(r.before.Phase); err == nil && same {
		p.from = i
	}
	if len(r.calls) > 0 && r.calls[0].choice != "" {
		p.choice = r.calls[0].choice
	}
	if r.before.Visit != r.after.Visit || r.before.Done != r.after.Done {
		if i, err := p.after.Lookup(r.after.Phase); err == nil && (!r.after.Done || p.after.IsEnd(i)) {
			p.to = i
		} else if r.after.Done {
			p.to = p.after.Len()
		}
	}
	if r.after.Run != r.before.Run {
		p.to, r.enteredFrom = nowhere, 0 // a new run may begin in any phase
	}
	if passed := len(eventsOf[runner.PhaseEntered](&Record{Events: r.events})); passed > 1 {
		p.to, r.enteredFrom = nowhere, 0 // the facts by which each was judged are unknown
	}
	e.setup.Coverage.record(p)
	if p.to == nowhere {
		return
	}
	if same && r.enteredFrom > 0 && p.from >= 0 {
		e.setup.Coverage.pair(p.after, r.enteredFrom-2, p.from, p.to)
	}
	r.enteredFrom = p.from + 2
}
