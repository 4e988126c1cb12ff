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
	plan  *machine.Plan // nil if the itinerary is drawn alone
	all   []node        // start, phases in order, done
	nodes []node        // those of them that are drawn
	bands []band        // from the top down
	edges []edge        // by where they begin, and then by kind
	// targets and stops are by index: the jumps of each phase, and the first
	// phase from there on that has no guard, or done.
	targets [][]target
	stops   []int
	paths   paths
	// transits reports whether the edges are transitions of the machine; else
	// they are the reduction.
	transits bool
}

func (p *part) name() string { return p.graph.Name() }

// start is the index that stands for start: before the first phase.
const start = -1

// node is start, a phase or done.
type node struct {
	index int    // of the phase; -1 is start, the number of phases is done
	name  string // "start" and "done" for these
	band  int    // index in the bands; -1 for start and done
	state state
	// tentative is a mark on top of the state, and so are the others.
	tentative, failed, rides bool
	guard                    string       // in words; empty if it always admits
	admits                   phases.Truth // the guard by the facts of the plan
	why                      *machine.Why // nil if it runs, and without a plan
}

// state is the state of a node in a plan.
type state uint8

const (
	plain   state = iota // there is no plan
	behind               // no way leads there any more, whether or not it ran
	current              // the position of the plan
	runs
	unknown
	out // will not run
)

var stateNames = [...]string{plain: "", behind: "behind", current: "current", runs: "will run", unknown: "unknown", out: "will not run"}

func (s state) String() string { return stateNames[s] }

// words is the state of a node in words: "will run, tentative".
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

// runs is what the plan calls so; Unknown without a plan.
func (n *node) runs() phases.Truth {
	switch n.state {
	case current, runs:
		return phases.True
	case behind, out:
		return phases.False
	}
	return phases.Unknown
}

// surelyRuns reports whether the phase will be entered, whatever becomes of the
// flags. Its guard need not admit by the values of now.
func (n *node) surelyRuns() bool { return n.state == runs && !n.tentative }

// band is a step: phases of it that follow each other. A step that is entered
// again is a second band of the same name.
type band struct {
	step  string
	first int // index of its first node
	n     int // number of its nodes
}

func newPart(it Itinerary) (*part, error) {
	p := &part{graph: it.graph(), plan: it.Plan}
	g := p.graph
	p.all = make([]node, 0, g.Len()+2)
	p.all = append(p.all, node{index: start, name: "start", band: -1})
	for i := range g.Len() {
		phase := g.Phase(i)
		p.all = append(p.all, node{index: i, name: phase.Name, rides: phase.Rides, guard: phase.Guard.Text(g.Vocabulary())})
	}
	p.all = append(p.all, node{index: g.Len(), name: "done", band: -1})
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
	p.nodes = slices.Clone(p.all)
	return p, nil
}

// judge draws the plan on top of the nodes.
func (p *part) judge() {
	at := p.plan.Position()
	start := &p.all[0]
	start.state = behind
	if at == (machine.Position{}) {
		start.state = current
	}
	for k := 1; k < len(p.all)-1; k++ {
		n := &p.all[k]
		n.why = p.plan.Why(n.index)
		n.admits = p.graph.Phase(n.index).Guard.Eval(p.plan.Facts())
		n.tentative = p.plan.Tentative(n.index)
		switch {
		case n.name == at.Phase:
			n.state = current
		case n.why == nil:
			n.state = runs
		case n.why.Guard == machine.WhyBehind:
			n.state = behind
		case p.plan.Runs(n.index) == phases.Unknown:
			n.state = unknown
		default:
			n.state = out
		}
	}
}

// judgeDone draws on top of done whether the way comes there.
func (p *part) judgeDone() {
	done := &p.all[len(p.all)-1]
	reached := p.paths.taken(func(w *path) phases.Truth { return w.reach[len(w.reach)-1] })
	switch {
	case p.plan.Position().Done:
		done.state = current
	case reached == phases.True:
		done.state = runs
	case reached == phases.Unknown:
		done.state = unknown
	default:
		done.state = out
	}
}

// onlyRun leaves out the phases that will not run.
func (p *part) onlyRun() {
	p.nodes = slices.DeleteFunc(p.nodes, func(n node) bool { return p.isPhase(&n) && n.runs() == phases.False })
}

// around leaves the phase of that name and its neighbours, and reports whether
// there is such a phase.
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
func (p *part) isPhase(n *node) bool { return n.index > start && n.index < p.graph.Len() }

// connect draws the edges between the nodes.
func (p *part) connect(o Options) error {
	switch {
	case o.Around != "":
		i, _ := p.graph.Lookup(o.Around)
		p.transitions(p.graph.EdgesAt(i), true)
	case o.AllEdges:
		all, err := p.graph.Edges()
		if err != nil {
			return err
		}
		p.transitions(all, false)
	default:
		p.reduce()
	}
	return nil
}

// divide divides the phases into bands.
func (p *part) divide() {
	for k := range p.nodes {
		n := &p.nodes[k]
		if !p.isPhase(n) {
			continue
		}
		step := p.graph.Phase(n.index).Step
		if last := len(p.bands) - 1; last < 0 || p.bands[last].step != step {
			p.bands = append(p.bands, band{step: step, first: k})
		}
		n.band = len(p.bands) - 1
		p.bands[n.band].n++
	}
}

// onlyRides reports whether phases of a band run or may run, and all of them
// ride: they do not show the step to users.
func (p *part) onlyRides(b band) bool {
	rides := false
	for _, n := range p.nodes[b.first : b.first+b.n] {
		if n.state != current && n.state != runs && n.state != unknown {
			continue
		}
		if !p.graph.Rides(n.index) {
			return false
		}
		rides = true
	}
	return rides
}
