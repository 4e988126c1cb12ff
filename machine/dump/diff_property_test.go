package dump

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/itinerarytest"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// edit makes another version of an itinerary that compiles: phases are removed, added,
// renamed, moved or given another guard.
func edit(r *rand.Rand, it phases.Itinerary) *machine.Graph {
	for {
		other := it
		other.Phases = nil
		names := make(map[string]string) // the current names
		for _, p := range it.Phases {
			switch r.IntN(8) {
			case 0:
				continue
			case 1:
				other.Phases = append(other.Phases, phases.Phase{Name: "new " + p.Name, Step: p.Step + "'"})
			case 2:
				p.Formerly, p.Name = []string{p.Name}, p.Name+"'"
			case 3:
				p.Guard.None ^= 1
			}
			names[p.Name] = p.Name
			for _, former := range p.Formerly {
				names[former] = p.Name
			}
			other.Phases = append(other.Phases, p)
		}
		for i := range other.Phases {
			p := &other.Phases[i]
			p.Jumps = slices.DeleteFunc(slices.Clone(p.Jumps), func(j phases.Jump) bool { return names[j.To] == "" })
			for k := range p.Jumps {
				p.Jumps[k].To = names[p.Jumps[k].To]
			}
		}
		if n := len(other.Phases); n > 1 && r.IntN(2) == 0 {
			i := r.IntN(n)
			moved := other.Phases[i]
			other.Phases = slices.Insert(slices.Delete(other.Phases, i, i+1), r.IntN(n), moved)
		}
		if g, err := machine.Compile(other); err == nil {
			return g
		}
	}
}

// eachDiff draws diffs between generated versions, with and without plans, in both
// directions.
func eachDiff(t *testing.T, seed uint64, n int, yield func(t *testing.T, o Options, before, after Itinerary, p *part)) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, seed))
	for k := range n {
		it := itinerarytest.Generate(r, k%3 > 0, k%3 > 1)
		g, err := machine.Compile(it)
		require.NoError(t, err)
		other := g
		if k%4 > 0 {
			other = edit(r, it)
		}
		side := func(g *machine.Graph) Itinerary {
			if k%2 == 0 {
				return Itinerary{Graph: g}
			}
			all := positions(g)
			yes := phases.Flags(r.IntN(16))
			plan, err := g.PlanFrom(all[r.IntN(len(all))], phases.NewFacts(yes, 15&^yes&^phases.Flags(r.IntN(16))))
			require.NoError(t, err)
			return Itinerary{Plan: plan}
		}
		before, after := side(g), side(other)
		for _, o := range []Options{{}, {AllEdges: true}, {OnlyRun: k%2 == 1}} {
			for _, sides := range [][2]Itinerary{{before, after}, {after, before}} {
				d, err := NewDiff(o, Side{Itineraries: sides[:1]}, Side{Itineraries: sides[1:]})
				require.NoError(t, err)
				yield(t, o, sides[0], sides[1], d.parts[0])
			}
		}
	}
}

// The nodes of one side are drawn in the order of that side, except those of before that
// moved. Each has everything that a drawing of that side alone shows.
func TestDiffHasTheNodesOfBothSides(t *testing.T) {
	seen := make(map[change]int)
	moved := 0
	eachDiff(t, 11, 400, func(t *testing.T, o Options, before, after Itinerary, p *part) {
		var was, now []string
		last := start - 1
		for k := range p.nodes {
			n := &p.nodes[k]
			seen[n.change]++
			if n.change != removed {
				require.Same(t, p.after, n.part)
				now = append(now, n.name)
			}
			if n.change == added {
				continue
			}
			old := n
			if n.was != nil {
				old = n.was
			}
			require.Same(t, p.before, old.part)
			was = append(was, old.name)
			if n.in("place") {
				moved++
			} else {
				require.Greater(t, old.index, last, "%s is not in the order of before, and has not moved", n.name)
				last = old.index
			}
		}
		for side, drawn := range map[*Itinerary][]string{&before: was, &after: now} {
			alone := draw(t, o, *side)
			for _, n := range alone.nodes {
				require.Contains(t, drawn, n.name)
			}
			if !o.OnlyRun {
				require.Len(t, drawn, len(alone.nodes))
			}
			index := start - 1
			for _, name := range now {
				k := slices.IndexFunc(p.after.all, func(n node) bool { return n.name == name })
				require.Greater(t, k, index, "the order of after")
				index = k
			}
		}
	})
	for _, c := range []change{same, added, removed, changed} {
		require.Greater(t, seen[c], 300, c)
	}
	require.Greater(t, moved, 100)
}

// Edges that are not new are those of before, edges that are not gone are those of after,
// and there are no others.
func TestDiffHasTheEdgesOfBothSides(t *testing.T) {
	seen := make(map[change]int)
	eachDiff(t, 12, 400, func(t *testing.T, o Options, before, after Itinerary, p *part) {
		describe := func(p *part, from, to *node, e edge) string {
			return fmt.Sprintf("%s to %s: %t %s %t %s", from.name, to.name, e.kind == jump, e.guard, e.choice, e.taken)
		}
		// The names of before, for nodes that it has.
		old := func(k int) *node {
			n := &p.nodes[k]
			if n.was != nil {
				return n.was
			}
			return n
		}
		var was, now []string
		for _, e := range p.edges {
			seen[e.change]++
			if e.change != removed {
				now = append(now, describe(p, &p.nodes[e.from], &p.nodes[e.to], e))
			}
			if e.change == removed {
				was = append(was, describe(p, old(e.from), old(e.to), e))
			} else if e.change != added {
				was = append(was, describe(p, old(e.from), old(e.to), *e.was))
				require.Equal(t, e.change == changed, e.was.guard != e.guard || e.was.choice != e.choice || e.was.taken != e.taken)
			}
		}
		for _, side := range []struct {
			p     *part
			drawn []string
		}{{p.before, was}, {p.after, now}} {
			var want []string
			for _, e := range side.p.edges {
				want = append(want, describe(side.p, &side.p.nodes[e.from], &side.p.nodes[e.to], e))
			}
			require.ElementsMatch(t, want, side.drawn)
		}
		if o.OnlyRun {
			return
		}
		require.Len(t, p.before.edges, len(draw(t, o, before).edges))
		require.Len(t, p.after.edges, len(draw(t, o, after).edges))
	})
	for _, c := range []change{same, added, removed, changed} {
		require.Greater(t, seen[c], 200, c)
	}
}

// A drawing compared with itself has no marks. Two that differ in what they draw have at
// least one.
func TestDiffIsSameOnlyIfBothDrawingsAre(t *testing.T) {
	seen := make(map[bool]int)
	eachDiff(t, 13, 200, func(t *testing.T, o Options, before, after Itinerary, p *part) {
		for _, it := range []Itinerary{before, after} {
			d, err := NewDiff(o, Side{Itineraries: []Itinerary{it}}, Side{Itineraries: []Itinerary{it}})
			require.NoError(t, err)
			require.True(t, d.Same(), d.Text())
		}
		x, y := draw(t, o, before), draw(t, o, after)
		var nodes, edges [2][]string
		for side, p := range []*part{x, y} {
			nodes[side], _, edges[side] = lines(p)
			for k := range p.nodes {
				n := &p.nodes[k]
				nodes[side][k] += fmt.Sprint(n.reason(), n.guard, n.step, n.steps, n.rides, n.end, n.decides())
			}
			// A jump to a phase that is left out may lead to a phase that only the other
			// side has.
			if o.OnlyRun {
				edges[side] = nil
			}
		}
		equal := slices.Equal(nodes[0], nodes[1]) && slices.Equal(edges[0], edges[1])
		seen[p.change == same]++
		if equal {
			require.True(t, p.change == same, "%v\n%v\n%v", nodes[0], p.differences(arrowText), edges)
		} else if p.change == same {
			// Only what is not compared may differ: whether a phase that is behind was
			// tentative.
			for k := range x.nodes {
				if nodes[0][k] != nodes[1][k] {
					require.Equal(t, behind, y.nodes[k].state, "%s\n%s", nodes[0][k], nodes[1][k])
				}
			}
		}
	})
	require.Greater(t, seen[true], 50)
	require.Greater(t, seen[false], 500)
}

// What is new in one direction is gone in the other.
func TestDiffIsSymmetric(t *testing.T) {
	var forth []string
	eachDiff(t, 14, 300, func(t *testing.T, o Options, _, _ Itinerary, p *part) {
		marks := make(map[change][]string)
		for _, n := range p.nodes {
			marks[n.change] = append(marks[n.change], n.name)
		}
		if forth == nil {
			forth = append(slices.Sorted(slices.Values(marks[added])), "/")
			forth = append(forth, slices.Sorted(slices.Values(marks[removed]))...)
			return
		}
		back := append(slices.Sorted(slices.Values(marks[removed])), "/")
		back = append(back, slices.Sorted(slices.Values(marks[added]))...)
		require.Equal(t, forth, back)
		forth = nil
	})
}
