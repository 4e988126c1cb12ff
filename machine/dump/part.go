package dump

import (
	"slices"
	"strings"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// part is one itinerary of a drawing.
type part struct {
	graph *machine.Graph
	plan  *machine.Plan // nil if the itinerary is drawn without a plan
	all   []node        // start, phases in order, done
	nodes []node        // the drawn ones among all
	ends  bool          // has an end phase
	bands []band        // from top to bottom
	edges []edge        // sorted by origin, then by kind
	// targets and stops are by phase index: the jumps of each phase, and the first phase
	// at or after it that has no guard, or done.
	targets [][]target
	stops   []int
	paths   paths
	// transits reports whether the edges are transitions of the machine rather than the
	// reduction.
	transits bool
	// In a diff, before and after are the two sides of the itinerary; one of them may
	// have no graph. Both are nil in any other drawing.
	before, after *part
	diff
	runs     []Run
	coverage *Coverage
}

// diff describes how an element of a diff compares.
type diff struct {
	change  change
	aspects []aspect // how it has changed
}

// compared reports whether the part belongs to a diff.
func (p *part) compared() bool { return p.before != nil }

func (p *part) name() string { return p.graph.Name() }

// start is the index of start, before the first phase.
const start = -1

// node is start, a phase or done.
type node struct {
	part  *part  // whose itinerary it belongs to
	index int    // of the phase; -1 is start, the number of phases is done
	name  string // "start" and "done" for these two
	end   bool   // is an end phase
	step  string // selected by the plan; empty if none
	band  int    // index in the bands; -1 for start, done and phases without a step
	state state
	// The following marks are drawn on top of the state.
	tentative, failed, rides bool
	guard                    string       // in words; empty if it always admits
	steps                    string       // the alternatives, in words; empty if there is only one
	admits                   phases.Truth // the guard evaluated with the plan's facts
	why                      *machine.Why // nil if it runs or there is no plan
	// In a diff, was is the same node of before, if both sides have it.
	was *node
	diff
	crowd crowd // the runs at this node
}

// state is the state of a node in a plan.
type state uint8

const (
	plain   state = iota // no plan
	behind               // no longer reachable, whether or not it ran
	current              // the position of the plan
	runs
	unknown  // depends on an unknown flag
	byChoice // depends on a pending choice
	out      // will not run
	// States of a coverage drawing.
	covered
	missed
	impossible
)

var stateNames = [...]string{
	plain: "", behind: "behind", current: "current",
	runs: "will run", unknown: "unknown", byChoice: "depends on a choice", out: "will not run",
	covered: "covered", missed: "not covered", impossible: "impossible",
}

func (s state) String() string { return stateNames[s] }

// words returns the state of a node in words: "will run, tentative".
func (n *node) words() string {
	var all []string
	if n.state != plain {
		all = append(all, n.state.String())
	}
	if n.failed {
		all = append(all, "failed")
	}
	if n.tentative {
		all = append(all, "tentative")
	}
	return strings.Join(all, ", ")
}

// runs reports whether the phase runs according to the plan; Unknown without a plan.
func (n *node) runs() phases.Truth {
	switch n.state {
	case current, runs:
		return phases.True
	case behind, out, impossible:
		return phases.False
	}
	return phases.Unknown
}

// certainlyRuns reports whether the phase will be entered whatever the flags turn out to be.
// Its guard need not admit by the current values.
func (n *node) certainlyRuns() bool { return n.state == runs && !n.tentative }

// band is a sequence of consecutive phases of one step. A step that is entered again gets
// a second band with the same name.
type band struct {
	step  string
	first int // index of its first node
	n     int // number of its nodes
	diff
}

func newPart(it Itinerary) (*part, error) {
	p := &part{graph: it.graph(), plan: it.Plan}
	g := p.graph
	p.all = make([]node, 0, g.Len()+2)
	p.all = append(p.all, node{part: p, index: start, name: "start"})
	for i := range g.Len() {
		phase := g.Phase(i)
		n := node{
			part: p, index: i, name: phase.Name, end: phase.End, step: phase.Step, rides: phase.Rides,
			guard: phase.Guard.Text(g.Vocabulary()), steps: stepsText(phase, g.Vocabulary()),
		}
		p.all = append(p.all, n)
		p.ends = p.ends || n.end
	}
	p.all = append(p.all, node{part: p, index: g.Len(), name: "done"})
	p.index()
	for _, name := range it.Failed {
		i, err := g.Lookup(name)
		if err != nil {
			return nil, err
		}
		p.all[i+1].failed = true
	}
	if p.plan != nil {
		p.judge()
	}
	p.paths = paths{now: p.newPath(false), later: p.newPath(true)}
	if p.plan != nil {
		p.judgeDone()
	}
	if err := p.place(it.Runs); err != nil {
		return nil, err
	}
	p.mark(it.Coverage)
	p.nodes = slices.Clone(p.all)
	return p, nil
}

// here returns the index where the plan begins. For a run that ended in an end phase,
// that is the end phase.
func (p *part) here() int {
	at := p.plan.Position()
	if at == (machine.Position{}) {
		return start
	}
	if i, err := p.graph.Lookup(at.Phase); err == nil && (!at.Done || p.graph.IsEnd(i)) {
		return i
	}
	return p.graph.Len()
}

// judge sets the states of the nodes from the plan.
func (p *part) judge() {
	here := p.here()
	start := &p.all[0]
	start.state = behind
	if here == start.index {
		start.state = current
	}
	for k := 1; k < len(p.all)-1; k++ {
		n := &p.all[k]
		n.step = ""
		if step := p.plan.StepOf(n.index); step >= 0 {
			n.step = p.graph.Steps()[step]
		}
		n.why = p.plan.Why(n.index)
		n.admits = p.graph.Phase(n.index).Guard.Eval(p.plan.Facts())
		n.tentative = p.plan.Tentative(n.index)
		for _, sure := range p.plan.Under(n.index) {
			if n.steps != "" && sure == phases.Unknown {
				n.steps += " (" + now[sure] + " now)"
				break
			}
		}
		switch {
		case n.index == here:
			n.state = current
		case n.why == nil:
			n.state = runs
		case n.why.Guard == machine.WhyBehind:
			n.state = behind
		case n.why.Guard == machine.WhyChoice:
			n.state = byChoice
		case p.plan.Runs(n.index) == phases.Unknown:
			n.state = unknown
		default:
			n.state = out
		}
	}
}

// judgeDone sets the state of done: whether it is reached.
func (p *part) judgeDone() {
	done := &p.all[len(p.all)-1]
	reach := func(w *path) phases.Truth { return w.reach[len(w.reach)-1] }
	reached := p.paths.taken(reach)
	switch {
	case p.here() == done.index:
		done.state = current
	case reached == phases.True:
		done.state = runs
	case reach(p.paths.now) == phases.Unknown && p.plan.Matters() == 0:
		done.state = byChoice
	case reached == phases.Unknown:
		done.state = unknown
	default:
		done.state = out
	}
}

// choose keeps the nodes that the options ask for, and reports whether the part is drawn
// at all.
func (p *part) choose(o Options) bool {
	switch {
	case o.Around != "":
		return p.around(o.Around)
	case o.OnlyRun:
		p.onlyRun()
	}
	return true
}

// onlyRun leaves out the phases that will not run.
func (p *part) onlyRun() {
	p.nodes = slices.DeleteFunc(p.nodes, func(n node) bool { return n.isPhase() && n.runs() == phases.False })
}

// around keeps the named phase and its neighbours, and reports whether there is such a
// phase.
func (p *part) around(name string) bool {
	i, err := p.graph.Lookup(name)
	if err != nil {
		return false
	}
	near := map[int]bool{i: true}
	for _, e := range p.graph.EdgesAt(i) {
		near[e.From], near[e.To] = true, true
	}
	p.nodes = slices.DeleteFunc(p.nodes, func(n node) bool { return !near[n.index] })
	return true
}

// isPhase reports whether a node is neither start nor done.
func (n *node) isPhase() bool { return n.index > start && n.index < n.part.graph.Len() }

// isEnd reports whether a run that reaches the node is done.
func (n *node) isEnd() bool { return n.end || n.index == n.part.graph.Len() }

// connect adds the edges between the nodes.
func (p *part) connect(o Options) error {
	switch {
	case o.Around != "":
		i, _ := p.graph.Lookup(o.Around)
		p.transitions(p.graph.EdgesAt(i), true)
	case o.AllEdges, p.coverage != nil:
		all, err := p.graph.Edges()
		if err != nil {
			return err
		}
		p.transitions(all, false)
	default:
		p.reduce()
	}
	p.markEdges()
	return nil
}

// leaveOutDone leaves out done if there are end phases and no edge leads to done.
func (p *part) leaveOutDone() {
	last := len(p.nodes) - 1
	if n := &p.nodes[last]; !p.ends || n.index != p.graph.Len() || n.state == current || n.crowd.len() > 0 {
		return
	}
	if !slices.ContainsFunc(p.edges, func(e edge) bool { return e.to == last }) {
		p.nodes = p.nodes[:last]
	}
}

// divide groups the phases into bands. A phase without a step is in no band.
func (p *part) divide() {
	last := "" // of the previous node
	for k := range p.nodes {
		n := &p.nodes[k]
		n.band = -1
		if n.step != "" {
			if n.step != last {
				p.bands = append(p.bands, band{step: n.step, first: k})
			}
			n.band = len(p.bands) - 1
			p.bands[n.band].n++
		}
		last = n.step
	}
}

// onlyRides reports whether a band has phases that run or may run, and all of them ride,
// so they do not make the step visible to users.
func (p *part) onlyRides(b band) bool {
	rides := false
	for _, n := range p.nodes[b.first : b.first+b.n] {
		if n.runs() == phases.False || n.change == removed {
			continue
		}
		if !n.rides {
			return false
		}
		rides = true
	}
	return rides
}

// stepsText describes in words the steps that a phase can belong to; empty if there is
// only one.
func stepsText(phase phases.Phase, v *phases.Vocabulary) string {
	if len(phase.Steps) == 0 {
		return ""
	}
	var b strings.Builder
	for _, s := range phase.Steps {
		when := "always"
		if text := s.Guard.Text(v); text != "" {
			when = "if " + text
		}
		b.WriteString("step " + s.Step + " " + when + ", ")
	}
	if phase.Step == "" {
		return b.String() + "else none"
	}
	return b.String() + "else step " + phase.Step
}
