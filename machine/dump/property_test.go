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

// The properties are checked on generated itineraries, from every position and with every
// assignment of four flags, including unknown ones. Some itineraries have end phases,
// guarded steps and choices.

// generate makes an itinerary, with jumps and decides on request. Every other itinerary
// with jumps also has choices.
func generate(t *testing.T, r *rand.Rand, jumps, decides bool) *machine.Graph {
	t.Helper()
	it := itinerarytest.Generate(r, jumps, decides)
	if jumps && r.IntN(2) == 0 {
		it = itinerarytest.AddChoices(r, it)
	}
	g, err := machine.Compile(it)
	require.NoError(t, err)
	return g
}

// positions returns all positions of an itinerary, with each possible choice.
func positions(g *machine.Graph) []machine.Position {
	all := []machine.Position{{}, {Done: true}}
	for i := range g.Len() {
		phase := g.Phase(i)
		all = append(all, machine.Position{Phase: phase.Name, Done: phase.End})
		for _, j := range phase.Jumps {
			if j.Choice {
				all = append(all, machine.Position{Phase: phase.Name, Choice: j.To})
			}
		}
	}
	return all
}

func eachPlan(t *testing.T, seed uint64, n int, yield func(t *testing.T, p *machine.Plan)) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, seed))
	for k := range n {
		g := generate(t, r, k%3 > 0, k%3 > 1)
		for f := range itinerarytest.Partial {
			for _, position := range positions(g) {
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

// Phases that run stay connected in order up to an end phase, and only phases that do not
// run are left out. Done is drawn if an edge leads to it.
func TestOnlyRunStaysConnected(t *testing.T) {
	eachPlan(t, 1, 9, func(t *testing.T, plan *machine.Plan) {
		p := draw(t, Options{OnlyRun: true}, Itinerary{Plan: plan})
		require.Equal(t, "start", p.nodes[0].name)
		drawn := make(map[string]bool)
		for k := range p.nodes {
			n := &p.nodes[k]
			drawn[n.name] = true
			if k > 0 {
				require.Less(t, p.nodes[k-1].index, n.index, "the order is that of the itinerary")
				edges := p.edgesFrom(k - 1)
				if p.nodes[k-1].end {
					require.Empty(t, edges)
					continue
				}
				if n.index == p.graph.Len() && p.ends {
					continue // other edges lead there
				}
				require.Equal(t, edge{from: k - 1, to: k, kind: inOrder, taken: edges[0].taken}, edges[0])
			}
		}
		for i := range plan.Graph().Len() {
			name := plan.Graph().Phase(i).Name
			require.Equal(t, plan.Runs(i) != phases.False || name == plan.Position().Phase, drawn[name], "%s: runs %s", name, plan.Runs(i))
		}
		toDone := false
		for _, e := range p.edges {
			require.Less(t, e.to, len(p.nodes))
			toDone = toDone || p.nodes[e.to].name == "done"
			if e.kind == skip {
				require.True(t, p.nodes[e.to-1].end, "%v: only past an end phase", e)
			}
		}
		require.Equal(t, toDone || !p.ends || plan.Position() == machine.Position{Done: true}, drawn["done"])
		// Each phase that has a step is in exactly one band.
		inBands := 0
		for k, b := range p.bands {
			for _, n := range p.nodes[b.first : b.first+b.n] {
				require.Equal(t, k, n.band)
				inBands++
			}
		}
		for _, n := range p.nodes {
			if n.step != "" {
				inBands--
			}
		}
		require.Zero(t, inBands)
	})
}

// Each phase that has a step by the plan is in exactly one band. A phase that depends on
// a choice differs from one that depends on an unknown flag.
func TestPhasesAreDrawnAsPlanned(t *testing.T) {
	seen := map[state]int{}
	several := 0
	eachPlan(t, 8, 20, func(t *testing.T, plan *machine.Plan) {
		p := draw(t, Options{}, Itinerary{Plan: plan})
		steps := make(map[string]string)
		for k, b := range p.bands {
			for _, n := range p.nodes[b.first : b.first+b.n] {
				require.Equal(t, k, n.band)
				steps[n.name] = b.step
			}
		}
		for _, n := range p.nodes {
			if !n.isPhase() {
				continue
			}
			one := plan.Phase(n.index)
			require.Equal(t, one.Step, steps[n.name], n.name)
			if n.steps != "" && one.Runs != phases.False {
				several++
			}
			if one.Runs != phases.Unknown {
				continue
			}
			want := unknown
			if one.Why.Guard == machine.WhyChoice {
				want = byChoice
			}
			require.Equal(t, want, n.state, n.name)
			seen[want]++
		}
	})
	require.Greater(t, several, 1000)
	require.Greater(t, seen[unknown], 1000)
	require.Greater(t, seen[byChoice], 300)
}

// The same holds with all edges: every phase leads to the next drawn one, except end
// phases and those that always jump away.
func TestOnlyRunStaysConnectedByTransitions(t *testing.T) {
	eachPlan(t, 5, 9, func(t *testing.T, plan *machine.Plan) {
		p := draw(t, Options{OnlyRun: true, AllEdges: true}, Itinerary{Plan: plan})
		for k := range p.nodes[:len(p.nodes)-1] {
			n := &p.nodes[k]
			if p.inOrder(n.index) == n.index || p.nodes[k+1].index == p.graph.Len() && p.nodes[k+1].state == current {
				continue // it always jumps, or is an end phase
			}
			if edges := p.edgesFrom(k); len(edges) == 0 || edges[0].kind != inOrder || edges[0].to != k+1 {
				t.Fatalf("%s leads to %v\n%s", n.name, edges, describe(plan))
			}
		}
	})
}

// A jump to a phase that is left out leads to the phase at which the machine continues.
func TestJumpsLeadToWhereTheMachineGoesOn(t *testing.T) {
	seen := 0
	eachPlan(t, 2, 40, func(t *testing.T, plan *machine.Plan) {
		g := plan.Graph()
		if plan.Facts().Known() != itinerarytest.Four.All() {
			return
		}
		for i := range plan.Each {
			if plan.Runs(i) == phases.True && plan.Guard(i) != phases.True ||
				i == plan.Current() && g.Phase(i).Guard.Eval(plan.Facts()) != phases.True {
				return // it is drawn because it runs, but by the current values it would not be entered
			}
		}
		p := draw(t, Options{OnlyRun: true}, Itinerary{Plan: plan})
		for k := range p.nodes {
			if !p.nodes[k].isPhase() || p.nodes[k].end {
				continue
			}
			from := machine.Position{Phase: p.nodes[k].name}
			if p.nodes[k].state == current {
				from = plan.Position()
			}
			tr := advance(t, g, from, plan.Facts())
			if !tr.Jumped {
				continue
			}
			seen++
			if !slices.ContainsFunc(p.edgesFrom(k), func(e edge) bool {
				taken := e.taken == phases.True || e.taken == phases.Unknown && choosesAny(g)
				return taken && e.kind != inOrder && (e.kind == skip || e.choice == (from.Choice != "")) && p.stands(e.to, tr.To)
			}) {
				t.Fatalf("%s jumps to %s\n%s", p.nodes[k].name, tr.To, describe(plan))
			}
		}
	})
	require.Greater(t, seen, 1000)
}

func advance(t *testing.T, g *machine.Graph, from machine.Position, f phases.Facts) machine.Transition {
	t.Helper()
	m, err := g.NewMachine(from, f)
	require.NoError(t, err)
	tr, err := m.Advance(context.Background())
	require.NoError(t, err)
	return tr
}

// All edges are those of the machine, whose table package machine checks against
// looplab/fsm.
func TestTransitionsAreTheMachines(t *testing.T) {
	eachPlan(t, 3, 6, func(t *testing.T, plan *machine.Plan) {
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
				drawn[machine.Edge{From: e.from - 1, To: p.nodes[e.to].index}] = true
				if it.Plan == nil {
					require.Equal(t, phases.TruthOf(reached[e.from-1]), e.taken, "an unreachable phase takes no edge")
				}
			}
			require.Len(t, drawn, len(all))
			for _, e := range all {
				require.True(t, drawn[e], "%v", e)
			}
		}
	})
}

// Whatever values the decided flags take and whatever handlers choose, the machine takes
// no edge that is drawn as not taken. By the current values and without a pending choice,
// it takes the edges that are drawn as taken. Both end in the same place.
func TestEdgesAreTakenAsDrawn(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	taken := map[phases.Truth]int{}
	chosen := 0
	for k := range 90 {
		g := generate(t, r, k%2 == 1, k%3 > 0)
		all := slices.DeleteFunc(positions(g), func(p machine.Position) bool { return p.Done })
		for f := range itinerarytest.Assignments {
			from := all[r.IntN(len(all))]
			plan, err := g.PlanFrom(from, f)
			require.NoError(t, err)
			settled := !decidesAny(g) && !choosesAny(g)
			p, reduced := draw(t, Options{AllEdges: true}, Itinerary{Plan: plan}), draw(t, Options{}, Itinerary{Plan: plan})
			for flips := range 4 { // nothing changes the first time
				m, err := g.NewMachine(from, f)
				require.NoError(t, err)
				finished := false
				for range 3 * g.Len() {
					if flips > 0 {
						choose(t, r, g, m)
						m.SetFacts(m.Facts().Set(m.Decides(), phases.TruthOf(r.IntN(2) == 0)))
					}
					tr, err := m.Advance(context.Background())
					require.NoError(t, err)
					best := phases.False
					for _, e := range p.edges {
						if p.stands(e.from, tr.From) && p.stands(e.to, tr.To) &&
							(e.kind != jump || tr.Jumped && e.choice == (tr.From.Choice != "")) {
							best = or(best, e.taken)
						}
					}
					taken[best]++
					if tr.From.Choice != "" {
						chosen++
					}
					if best == phases.False || flips == 0 && settled && best != phases.True {
						t.Fatalf("%+v is taken: %s\n%s", tr, best, describe(plan))
					}
					if finished = tr.To.Done; finished {
						break
					}
				}
				for _, p := range []*part{p, reduced} {
					end := out
					for k := range p.nodes {
						if finished && p.stands(k, m.Position()) {
							end = p.nodes[k].state
						}
					}
					missed := finished && end != runs && end != unknown && end != byChoice && !p.tentative(m.Position())
					if missed || flips == 0 && settled && finished != (end == runs) {
						t.Fatalf("%s: %s, reached: %v\n%s", m.Position(), end, finished, describe(plan))
					}
				}
			}
		}
	}
	require.Greater(t, taken[phases.Unknown], 500)
	require.Greater(t, chosen, 500)
}

// choose makes one of the choices of the phase in progress, or none.
func choose(t *testing.T, r *rand.Rand, g *machine.Graph, m *machine.Machine) {
	t.Helper()
	at := m.Position()
	i, err := g.Lookup(at.Phase)
	if err != nil || at.Choice != "" {
		return // at the start, or already chosen
	}
	for _, j := range g.Phase(i).Jumps {
		if j.Choice && r.IntN(2) == 0 {
			require.NoError(t, m.Choose(j.To))
			return
		}
	}
}

// Done is drawn as running only if an edge into it is taken, and as not reached only if
// no edge into it may be.
func TestDoneIsReachedByAnEdge(t *testing.T) {
	seen := map[state]int{}
	left := 0
	eachPlan(t, 6, 24, func(t *testing.T, plan *machine.Plan) {
		for _, o := range []Options{{}, {OnlyRun: true}} {
			p := draw(t, o, Itinerary{Plan: plan})
			best := phases.False
			last := len(p.nodes) - 1
			if p.nodes[last].name != "done" {
				require.True(t, p.ends)
				left++
				continue
			}
			for _, e := range p.edges {
				if e.to == last {
					best = or(best, e.taken)
				}
			}
			got := p.nodes[last].state
			want := map[phases.Truth]state{phases.True: runs, phases.Unknown: unknown, phases.False: out}[best]
			switch {
			case plan.Position() == (machine.Position{Done: true}):
				want = current
			case best == phases.Unknown && plan.Matters() == 0 && got == byChoice:
				want = byChoice
			}
			seen[want]++
			if got != want {
				t.Fatalf("done is drawn as %q; want %q\n%s", got, want, describe(plan))
			}
		}
	})
	for _, s := range []state{current, runs, unknown, byChoice, out} {
		require.Greater(t, seen[s], 200, s)
	}
	require.Greater(t, left, 200)
}

// describe formats a plan for a message.
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

func choosesAny(g *machine.Graph) bool {
	for i := range g.Len() {
		if slices.ContainsFunc(g.Phase(i).Jumps, func(j phases.Jump) bool { return j.Choice }) {
			return true
		}
	}
	return false
}

// tentative reports whether the plan may still change at a position.
func (p *part) tentative(at machine.Position) bool {
	return slices.ContainsFunc(p.nodes, func(n node) bool { return n.name == at.Phase && n.tentative })
}

// stands reports whether a node is at a position.
func (p *part) stands(k int, at machine.Position) bool {
	n := &p.nodes[k]
	switch {
	case at.Done && at.Phase == "":
		return n.index == p.graph.Len()
	case at.Phase == "":
		return n.index == start
	}
	return n.isPhase() && n.name == at.Phase
}
