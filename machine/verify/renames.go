package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// The bounds of the search for renames: the candidates for one phase, and the trials
// for all phases of an itinerary.
const (
	maxCandidates = 3
	maxTries      = 60
)

// suggest searches for renamed phases. For each phase that is gone it tries the similar
// new phases, and suggests the one that resolves the break with the fewest other
// breaks.
func (n *inspection) suggest(o CompatOptions) {
	if n.pair == nil || !n.ok() {
		return
	}
	before := n.weight()
	tries := maxTries
	for _, key := range slices.Clone(n.order) {
		f := n.found[key]
		if f.Rule != RulePhaseGone || f.Choice != "" {
			continue
		}
		gone, _ := n.from.graph.Lookup(f.Phase)
		least := before
		for _, k := range n.candidates(gone) {
			if tries--; tries < 0 {
				return
			}
			after := n.try(k, f.Phase, o)
			if after == nil || after.found[key] != nil || after.weight() >= least {
				continue
			}
			least = after.weight()
			renamed := after.to.graph.Phase(k)
			f.Suggestion = fmt.Sprintf("{name: %s, formerly: [%s]}", renamed.Name, strings.Join(renamed.Formerly, ", "))
		}
	}
}

// weight returns the number of breaks of states and of work.
func (n *inspection) weight() (weight int) {
	for _, f := range n.found {
		if f.Kind == StateKind || f.Kind == WorkKind {
			weight++
		}
	}
	return weight
}

// try compares again with the former name added to the phase. It returns nil if the
// definition cannot have that name, or if a bound is hit.
func (n *inspection) try(phase int, former string, o CompatOptions) *inspection {
	it := itineraryOf(n.to.graph)
	it.Phases[phase].Formerly = append(slices.Clone(it.Phases[phase].Formerly), former)
	g, err := machine.Compile(it)
	if err != nil {
		return nil
	}
	changed := *n.new
	changed.byName = map[string]*machine.Graph{n.itinerary: g}
	after := newInspection(n.old, &changed, n.direction, n.itinerary, o)
	after.inspect()
	if !after.ok() {
		return nil
	}
	return after
}

// candidates returns the phases of the new release that may be the phase under a new
// name, the likeliest first. It rates phases without a counterpart by their position
// between the same phases, by equal step and guard, and by similar names.
func (n *inspection) candidates(gone int) []int {
	a, b := n.from.graph, n.to.graph
	p := a.Phase(gone)
	first, last := -1, b.Len()
	for i, k := range n.same {
		switch {
		case k < 0:
		case i < gone:
			first = k
		case i > gone && last == b.Len():
			last = k
		}
	}
	likeness := make(map[int]int)
	var all []int
	var fresh []string
	for k := range b.Len() {
		known := slices.Index(n.same, k)
		if known >= 0 && known != gone || b.IsEnd(k) != a.IsEnd(gone) {
			continue
		}
		q := b.Phase(k)
		fresh = append(fresh, q.Name)
		points := 0
		if known == gone { // a former name already connects them
			points += 4
		}
		if first < k && k < last {
			points += 3
		}
		if p.Step == q.Step {
			points++
		}
		if guardText(a.Vocabulary(), p.Guard) == guardText(b.Vocabulary(), q.Guard) {
			points += 2
		}
		likeness[k] = points
		all = append(all, k)
	}
	for _, name := range wording.Nearest(p.Name, fresh) {
		if k, err := b.Lookup(name); err == nil {
			likeness[k] += 3
		}
	}
	all = slices.DeleteFunc(all, func(k int) bool { return likeness[k] < 4 })
	slices.SortStableFunc(all, func(x, y int) int { return likeness[y] - likeness[x] })
	return all[:min(len(all), maxCandidates)]
}

// guardText formats a guard such that it is equal in both releases.
func guardText(v *phases.Vocabulary, g phases.Guard) string {
	sorted := func(f phases.Flags) []string {
		names := v.Names(f)
		slices.Sort(names)
		return names
	}
	return fmt.Sprintf("%q %q %q", sorted(g.All), sorted(g.Any), sorted(g.None))
}
