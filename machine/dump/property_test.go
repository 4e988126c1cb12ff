package dump

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/itinerarytest"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// The properties are checked on generated itineraries, from every position and
// with every assignment of four flags, unknown ones included.

func eachPlan(t *testing.T, seed uint64, n int, yield func(t *testing.T, p *machine.Plan)) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, seed))
	for k := range n {
		g, err := machine.Compile(itinerarytest.Generate(r, k%3 > 0, k%3 > 1))
		require.NoError(t, err)
		at := []machine.Position{{}, {Done: true}}
		for i := range g.Len() {
			at = append(at, machine.Position{Phase: g.Phase(i).Name})
		}
		for f := range itinerarytest.Partial {
			for _, position := range at {
				p, err := g.PlanFrom(position, f)
				require.NoError(t, err)
				yield(t, p)
			}
		}
	}
}

func draw(t *testing.T, o Options, it Itinerary) *part {
	t.Helper()
	d, err := New(o, it)
	require.NoError(t, err)
	return d.parts[0]
}

// What runs stays connected in order, whatever is left out, and only what does
// not run is left out.
func TestWhatOnlyRunsStaysConnected(t *testing.T) {
	eachPlan(t, 1, 15, func(t *testing.T, plan *machine.Plan) {
		p := draw(t, Options{OnlyRun: true}, Itinerary{Plan: plan})
		require.Equal(t, "start", p.nodes[0].name)
		require.Equal(t, "done", p.nodes[len(p.nodes)-1].name)
		drawn := make(map[string]bool)
		for k := range p.nodes {
			n := &p.nodes[k]
			drawn[n.name] = true
			if k > 0 {
				require.Less(t, p.nodes[k-1].index, n.index, "the order is that of the itinerary")
				edges := p.edgesFrom(k - 1)
				require.Equal(t, edge{from: k - 1, to: k, kind: inOrder, taken: edges[0].taken}, edges[0])
			}
		}
		for i := range plan.Graph().Len() {
			name := plan.Graph().Phase(i).Name
			require.Equal(t, plan.Runs(i) != phases.False, drawn[name], "%s: runs %s", name, plan.Runs(i))
		}
		for _, e := range p.edges {
			require.Contains(t, []edgeKind{inOrder, jump}, e.kind)
			require.Less(t, e.to, len(p.nodes))
		}
		// In the bands lie all phases, each once.
		next := 1
		for _, b := range p.bands {
			require.Equal(t, next, b.first)
			next += b.n
		}
		require.Equal(t, len(p.nodes)-1, next)
	})
}

// With all edges too: but for phases that always jump away, each leads to the
// next that is drawn.
func TestWhatOnlyRunsStaysConnectedByTransitions(t *testing.T) {
	eachPlan(t, 5, 15, func(t *testing.T, plan *machine.Plan) {
		p := draw(t, Options{OnlyRun: true, AllEdges: true}, Itinerary{Plan: plan})
		for k := range p.nodes[:len(p.nodes)-1] {
			n := &p.nodes[k]
			if p.inOrder(n.index) == n.index {
				continue // it jumps, whatever the flags
			}
			if edges := p.edgesFrom(k); len(edges) == 0 || edges[0].kind != inOrder || edges[0].to != k+1 {
				t.Fatalf("%s leads to %v\n%s", n.name, edges, describe(plan))
			}
		}
	})
}

// A jump to a phase that is left out leads to where the machine goes on.
func TestJumpsLeadToWhereTheMachineGoesOn(t *testing.T) {
	seen := 0
	eachPlan(t, 2, 30, func(t *testing.T, plan *machine.Plan) {
		g := plan.Graph()
		if plan.Facts().Known() != itinerarytest.Four.All() {
			return
		}
		for i := range plan.Each {
			if plan.Runs(i) == phases.True && plan.Guard(i) != phases.True || i == plan.Current() && g.Phase(i).Guard.Eval(plan.Facts()) != phases.True {
				return // it is drawn since it runs, but would not be entered by the values of now
			}
		}
		p := draw(t, Options{OnlyRun: true}, Itinerary{Plan: plan})
		for k := range p.nodes {
			if !p.isPhase(&p.nodes[k]) {
				continue
			}
			tr := advance(t, g, p.nodes[k].name, plan.Facts())
			if !tr.Jumped {
				continue
			}
			seen++
			to := p.nodes[len(p.nodes)-1].name
			if !tr.To.Done {
				to = tr.To.Phase
			}
			var targets []string
			for _, e := range p.edgesFrom(k) {
				if e.kind == jump && e.taken == phases.True {
					targets = append(targets, p.nodes[e.to].name)
				}
			}
			if !slices.Contains(targets, to) {
				t.Fatalf("%s jumps to %s\n%s", p.nodes[k].name, to, describe(plan))
			}
		}
	})
	require.Greater(t, seen, 1000)
}

func advance(t *testing.T, g *machine.Graph, from string, f phases.Facts) machine.Transition {
	t.Helper()
	m, err := g.NewMachine(machine.Position{Phase: from}, f)
	require.NoError(t, err)
	tr, err := m.Advance(context.Background())
	require.NoError(t, err)
	return tr
}

// All edges are those of the machine, whose table is checked against
// looplab's in package machine.
func TestAllEdgesAreTheMachines(t *testing.T) {
	eachPlan(t, 3, 9, func(t *testing.T, plan *machine.Plan) {
		all, err := plan.Graph().Edges()
		require.NoError(t, err)
		reached := map[int]bool{start: true}
		for range plan.Graph().Len() {
			for _, e := range all {
				reached[e.To] = reached[e.To] || reached[e.From]
			}
		}
		for _, it := range []Itinerary{{Plan: plan}, {Graph: plan.Graph()}} {
			p := draw(t, Options{AllEdges: true}, it)
			drawn := make(map[machine.Edge]bool)
			for _, e := range p.edges {
				drawn[machine.Edge{From: e.from - 1, To: e.to - 1}] = true
				if it.Plan == nil {
					require.Equal(t, phases.TruthOf(reached[e.from-1]), e.taken, "what no way leads to takes no edge")
				}
			}
			require.Len(t, drawn, len(all))
			for _, e := range all {
				require.True(t, drawn[e], "%v", e)
			}
		}
	})
}

// Whatever becomes of the flags that phases decide, the machine takes no edge
// that the drawing says it cannot take; and by the values of now it takes the
// edges that the drawing says it takes.
func TestEdgesAreTakenAsDrawn(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	taken := map[phases.Truth]int{}
	for k := range 60 {
		g, err := machine.Compile(itinerarytest.Generate(r, k%2 == 1, k%3 > 0))
		require.NoError(t, err)
		for f := range itinerarytest.Assignments {
			from := machine.Position{}
			if i := r.IntN(g.Len() + 1); i > 0 {
				from.Phase = g.Phase(i - 1).Name
			}
			plan, err := g.PlanFrom(from, f)
			require.NoError(t, err)
			p, decides := draw(t, Options{AllEdges: true}, Itinerary{Plan: plan}), decidesAny(g)
			for flips := range 4 { // the first time nothing changes
				m, err := g.NewMachine(from, f)
				require.NoError(t, err)
				finished := false
				for range 3 * g.Len() {
					if flips > 0 {
						m.SetFacts(m.Facts().Set(m.Decides(), phases.TruthOf(r.IntN(2) == 0)))
					}
					tr, err := m.Advance(context.Background())
					require.NoError(t, err)
					best := phases.False
					for _, e := range p.edges {
						if p.stands(e.from, tr.From) && p.stands(e.to, tr.To) && (e.kind != jump || tr.Jumped) {
							best = or(best, e.taken)
						}
					}
					taken[best]++
					if best == phases.False || flips == 0 && !decides && best != phases.True {
						t.Fatalf("%+v is taken: %s\n%s", tr, best, describe(plan))
					}
					if finished = tr.To.Done; finished {
						break
					}
				}
				end := p.nodes[len(p.nodes)-1].state
				if finished && end == out || flips == 0 && !decides && finished != (end == runs) {
					t.Fatalf("done: %s, reached: %v\n%s", end, finished, describe(plan))
				}
			}
		}
	}
	require.Greater(t, taken[phases.Unknown], 500)
}

// Done will run only if an edge into it is taken, and is out of reach only if
// none may be.
func TestDoneIsReachedByAnEdge(t *testing.T) {
	seen := map[state]int{}
	eachPlan(t, 6, 30, func(t *testing.T, plan *machine.Plan) {
		for _, o := range []Options{{}, {OnlyRun: true}} {
			p := draw(t, o, Itinerary{Plan: plan})
			best := phases.False
			last := len(p.nodes) - 1
			for _, e := range p.edges {
				if e.to == last {
					best = or(best, e.taken)
				}
			}
			want := map[phases.Truth]state{phases.True: runs, phases.Unknown: unknown, phases.False: out}[best]
			if plan.Position().Done {
				want = current
			}
			seen[want]++
			if got := p.nodes[last].state; got != want {
				t.Fatalf("done is drawn as %q; want %q\n%s", got, want, describe(plan))
			}
		}
	})
	for _, s := range []state{current, runs, unknown, out} {
		require.Greater(t, seen[s], 500, s)
	}
}

// describe draws a plan for a message.
func describe(p *machine.Plan) string {
	d, err := New(Options{AllEdges: true}, Itinerary{Plan: p})
	if err != nil {
		return err.Error()
	}
	return d.Text()
}

func decidesAny(g *machine.Graph) bool {
	for i := range g.Len() {
		if g.Phase(i).Decides != 0 {
			return true
		}
	}
	return false
}

// stands reports whether a node is at a position.
func (p *part) stands(k int, at machine.Position) bool {
	n := &p.nodes[k]
	switch {
	case at.Done:
		return n.index == p.graph.Len()
	case at.Phase == "":
		return n.index == start
	}
	return p.isPhase(n) && n.name == at.Phase
}
