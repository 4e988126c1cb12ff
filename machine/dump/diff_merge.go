package dump

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// merging merges two parts into one. Nodes are identified by their index among all nodes
// of their part; none is the index of a missing node.
type merging struct {
	before, after *part
	// partner maps each node of before to its node of after; origin is the inverse.
	partner, origin []int
	drawn           [2][]bool // the drawn nodes of before and of after
	moved           []bool    // by node of before
	slots           []slot    // in drawing order
}

// slot is the place of a node in the drawing.
type slot struct{ before, after int }

const none = -1

// match pairs the nodes: start, done and phases with the same name, then renamed phases
// by the former names that one side lists.
func (m *merging) match() {
	b, a := m.before.all, m.after.all
	m.partner, m.origin = filled(len(b)), filled(len(a))
	if len(b) == 0 || len(a) == 0 {
		return
	}
	claim := func(i, j int) {
		if m.partner[i] == none && m.origin[j] == none {
			m.partner[i], m.origin[j] = j, i
		}
	}
	claim(0, 0)
	claim(len(b)-1, len(a)-1)
	find := func(p *part, name string) int {
		k, err := p.graph.Lookup(name)
		if err != nil {
			return none
		}
		return k + 1
	}
	for i := 1; i < len(b)-1; i++ {
		if j := find(m.after, b[i].name); j != none && a[j].name == b[i].name {
			claim(i, j)
		}
	}
	for i := 1; i < len(b)-1; i++ {
		if j := find(m.after, b[i].name); j != none {
			claim(i, j)
		}
	}
	for j := 1; j < len(a)-1; j++ {
		if i := find(m.before, a[j].name); i != none {
			claim(i, j)
		}
	}
}

func filled(n int) []int { return slices.Repeat([]int{none}, n) }

// order merges the two orders. Nodes that both sides have and that did not move are
// anchors. A gone node follows its former anchor if both belong to the same step;
// otherwise it precedes the next anchor. So no step is split.
func (m *merging) order() {
	m.findMoved()
	b := m.before.all
	var gone []int // not placed yet
	take := func(i int) {
		for ; i < len(b) && (m.partner[i] == none || m.moved[i]); i++ {
			if m.partner[i] == none {
				gone = append(gone, i)
			}
		}
	}
	place := func(n int) {
		for _, i := range gone[:n] {
			m.slots = append(m.slots, slot{i, none})
		}
		gone = gone[n:]
	}
	take(0)
	for j, i := range m.origin {
		if i == none || m.moved[i] {
			m.slots = append(m.slots, slot{i, j})
			continue
		}
		place(len(gone))
		m.slots = append(m.slots, slot{i, j})
		take(i + 1)
		near := slices.IndexFunc(gone, func(k int) bool { return b[k].step != b[i].step })
		if near < 0 {
			near = len(gone)
		}
		place(near)
	}
	place(len(gone))
}

// findMoved finds the nodes whose order differs between the sides: all but those of a
// longest common subsequence. Nodes that are not drawn count as moved.
func (m *merging) findMoved() {
	m.moved = make([]bool, len(m.before.all))
	var ends []int // the last node of the best sequence of each length
	previous := make(map[int]int)
	for _, i := range m.origin {
		if i == none {
			continue
		}
		m.moved[i] = true
		if !m.drawn[0][i] {
			continue
		}
		k := sort.SearchInts(ends, i)
		previous[i] = none
		if k > 0 {
			previous[i] = ends[k-1]
		}
		if k == len(ends) {
			ends = append(ends, i)
		} else {
			ends[k] = i
		}
	}
	if len(ends) > 0 {
		for i := ends[len(ends)-1]; i != none; i = previous[i] {
			m.moved[i] = false
		}
	}
}

// draw selects the nodes that either side would draw alone and connects them on both
// sides. It reports whether there are any.
func (m *merging) draw(o Options) (bool, error) {
	own := [2]Options{o, o}
	if o.Around != "" {
		names, ok := m.around(o.Around)
		if !ok {
			return false, nil
		}
		own[0].Around, own[1].Around = names[0], names[1]
	}
	for side, p := range []*part{m.before, m.after} {
		m.drawn[side] = make([]bool, len(p.all))
		if p.graph == nil || !p.choose(own[side]) {
			continue
		}
		for _, n := range p.nodes {
			m.drawn[side][n.index+1] = true
		}
	}
	for i, j := range m.partner {
		if j != none && (m.drawn[0][i] || m.drawn[1][j]) {
			m.drawn[0][i], m.drawn[1][j] = true, true
		}
	}
	for side, p := range []*part{m.before, m.after} {
		if p.graph == nil {
			continue
		}
		p.nodes = slices.DeleteFunc(slices.Clone(p.all), func(n node) bool { return !m.drawn[side][n.index+1] })
		if _, err := p.graph.Lookup(own[side].Around); o.Around != "" && err != nil {
			p.transits = true
			continue // this side lacks the phase to draw around
		}
		if err := p.connect(own[side]); err != nil {
			return false, err
		}
		p.leaveOutDone()
	}
	return true, nil
}

// around returns the name, on both sides, of the phase to draw around; ok reports whether
// either side has it. If each side has a different phase of this name, that of after wins.
func (m *merging) around(name string) (names [2]string, ok bool) {
	names = [2]string{name, name}
	for side, p := range []*part{m.before, m.after} {
		if p.graph == nil {
			continue
		}
		i, err := p.graph.Lookup(name)
		if err != nil {
			continue
		}
		ok = true
		other, partner := m.after, m.partner
		if side == 1 {
			other, partner = m.before, m.origin
		}
		names[side] = p.all[i+1].name
		if k := partner[i+1]; k != none {
			names[1-side] = other.all[k].name
		}
	}
	return names, ok
}

// merge builds the merged part: the part of after plus what is gone.
func (m *merging) merge() *part {
	b, a := m.before, m.after
	p := &part{before: b, after: a, graph: a.graph, plan: a.plan, runs: a.runs, ends: a.ends, transits: a.transits}
	switch {
	case b.graph == nil:
		p.change = added
	case a.graph == nil:
		p.change, p.graph, p.plan, p.runs, p.ends, p.transits = removed, b.graph, b.plan, b.runs, b.ends, b.transits
	default:
		p.aspects = compareParts(b, a)
	}
	at := [2]map[int]int{{}, {}}                     // drawing index by index among all nodes
	drawn := [2]map[int]bool{indices(b), indices(a)} // without done if it is left out
	for _, s := range m.slots {
		var n node
		before, after := drawn[0][s.before], drawn[1][s.after]
		switch {
		case s.after == none || !after && before:
			n = b.all[s.before]
			n.change = removed
		case s.before == none || !before && after:
			n = a.all[s.after]
			n.change = added
		default:
			n = a.all[s.after]
			n.was = &b.all[s.before]
			n.aspects = m.compare(s)
			if len(n.aspects) > 0 {
				n.change = changed
			}
		}
		p.all = append(p.all, n)
		if !before && !after {
			continue
		}
		if before {
			at[0][s.before] = len(p.nodes)
		}
		if after {
			at[1][s.after] = len(p.nodes)
		}
		p.nodes = append(p.nodes, n)
	}
	m.edges(p, at)
	p.divide()
	was, now := b.shown(), a.shown()
	for k := range p.bands {
		p.bands[k].compare(was, now)
	}
	if p.change == same && p.differs() {
		p.change = changed
	}
	return p
}

// differs reports whether anything of the part does.
func (p *part) differs() bool {
	return len(p.aspects) > 0 ||
		slices.ContainsFunc(p.nodes, func(n node) bool { return n.change != same }) ||
		slices.ContainsFunc(p.edges, func(e edge) bool { return e.change != same }) ||
		slices.ContainsFunc(p.bands, func(b band) bool { return b.change != same })
}

// indices returns the nodes that a part draws, by their index among all.
func indices(p *part) map[int]bool {
	drawn := make(map[int]bool)
	for _, n := range p.nodes {
		drawn[n.index+1] = true
	}
	return drawn
}

// edges merges the edges. Transitions are the same if they connect the same nodes.
// Several jumps between the same two phases are matched by guard, and then by order.
func (m *merging) edges(p *part, at [2]map[int]int) {
	type route struct {
		from, to int
		jump     bool
	}
	place := func(side *part, at map[int]int, e edge) (edge, route) {
		e.from, e.to = at[side.nodes[e.from].index+1], at[side.nodes[e.to].index+1]
		return e, route{e.from, e.to, e.kind == jump}
	}
	old := make(map[route][]*edge)
	var all []*edge // of before
	known := make(map[*edge]bool)
	for _, e := range m.before.edges {
		e, r := place(m.before, at[0], e)
		all = append(all, &e)
		old[r] = append(old[r], &e)
	}
	pick := func(r route, like func(e *edge) bool) *edge {
		k := slices.IndexFunc(old[r], like)
		if k < 0 {
			return nil
		}
		e := old[r][k]
		old[r] = slices.Delete(old[r], k, k+1)
		known[e] = true
		return e
	}
	routes := make([]route, len(m.after.edges))
	for k, e := range m.after.edges {
		e, routes[k] = place(m.after, at[1], e)
		e.was = pick(routes[k], func(o *edge) bool { return o.guard == e.guard && o.choice == e.choice })
		p.edges = append(p.edges, e)
	}
	for k := range p.edges {
		e := &p.edges[k]
		if e.was == nil {
			e.was = pick(routes[k], func(*edge) bool { return true })
		}
		switch {
		case e.was == nil:
			e.change = added
		case e.was.guard != e.guard, e.was.choice != e.choice, e.was.taken != e.taken:
			e.change = changed
		}
	}
	for _, e := range all {
		if !known[e] {
			gone := *e
			gone.change = removed
			p.edges = append(p.edges, gone)
		}
	}
	slices.SortStableFunc(p.edges, func(x, y edge) int { return x.from - y.from })
	for _, e := range p.edges {
		if n := &p.nodes[e.from]; e.kind == jump && e.change != same && n.change == same {
			n.change = changed // its jumps belong to the phase
		}
	}
}

// shown describes for each step of a part whether users see it.
func (p *part) shown() map[string]string {
	all := make(map[string]string)
	if p.graph == nil {
		return all
	}
	for _, step := range p.graph.Steps() {
		all[step] = stepShown
	}
	if p.plan == nil {
		return all
	}
	for step := range all {
		all[step] = stepHidden
	}
	for _, n := range p.all {
		if n.state == behind && n.step != "" {
			all[n.step] = behind.String()
		}
	}
	for _, step := range steps.Possible(p.plan) {
		all[step] = stepPossible
	}
	for _, step := range steps.Visible(p.plan) {
		all[step] = stepShown
	}
	return all
}

const (
	stepShown    = "shown"
	stepPossible = "may be shown"
	stepHidden   = "not shown"
)

// compareShown compares whether users see a step. Being behind on either side follows
// from the position, so it is not a difference.
func compareShown(step string, before, after map[string]string) (change, []aspect) {
	was, now := before[step], after[step]
	for _, s := range []*string{&was, &now} {
		if *s == "" {
			*s = stepHidden
		}
	}
	all := []aspect{{"shown", was, now}}
	switch {
	case was == now, was == behind.String(), now == behind.String():
		return same, nil
	case was == stepHidden && now == stepShown:
		return added, all
	case was == stepShown && now == stepHidden:
		return removed, all
	}
	return changed, all
}

func (b *band) compare(before, after map[string]string) {
	b.change, b.aspects = compareShown(b.step, before, after)
}

// compareParts compares the properties of two itineraries other than their phases.
func compareParts(b, a *part) []aspect {
	var all []aspect
	differ := func(what, was, now string) {
		if was != now {
			all = append(all, aspect{what, was, now})
		}
	}
	kind := func(g *machine.Graph) string {
		if g.IsCleanup() {
			return "cleanup itinerary"
		}
		return "not a cleanup itinerary"
	}
	differ("itinerary", b.name(), a.name())
	differ("cleanup", kind(b.graph), kind(a.graph))
	differ("result", "result "+string(b.graph.Result()), "result "+string(a.graph.Result()))
	return append(all, compareFlags(b.graph.Vocabulary(), a.graph.Vocabulary())...)
}

// compareFlags compares the flags that two versions declare, and the relations between
// them. Order is ignored.
func compareFlags(before, after *phases.Vocabulary) []aspect {
	gone, added := without(before, after), without(after, before)
	all := appear("flags", "no flag", nameFlags(gone), nameFlags(added))
	var live, settled []string
	var described []aspect
	for _, now := range after.Defs() {
		flag, both := before.Lookup(now.Name)
		if !both {
			continue
		}
		switch isLive := before.Live()&flag != 0; {
		case now.Live && !isLive:
			live = append(live, now.Name)
		case !now.Live && isLive:
			settled = append(settled, now.Name)
		}
		if was := before.Describe(flag); was != now.Description {
			described = append(described, aspect{"description", describeFlag(now.Name, was), describeFlag(now.Name, now.Description)})
		}
	}
	for _, one := range []struct {
		names    []string
		was, now string
	}{{live, "not live", "live"}, {settled, "live", "not live"}} {
		if flags := nameFlags(one.names); flags != "" {
			is := " is "
			if len(one.names) > 1 {
				is = " are "
			}
			all = append(all, aspect{"live", flags + is + one.was, flags + is + one.now})
		}
	}
	all = append(all, described...)
	was, now := relations(before), relations(after)
	for _, r := range was {
		if !slices.Contains(now, r) {
			all = append(all, appear("relation", "no relation", r, "")...)
		}
	}
	for _, r := range now {
		if !slices.Contains(was, r) {
			all = append(all, appear("relation", "no relation", "", r)...)
		}
	}
	return all
}

// appear returns aspects for what is gone and what is new, each unless it is empty.
func appear(what, nothing, gone, added string) (all []aspect) {
	if gone != "" {
		all = append(all, aspect{what, gone, nothing})
	}
	if added != "" {
		all = append(all, aspect{what, nothing, added})
	}
	return all
}

// without returns the names of the flags of v that other lacks.
func without(v, other *phases.Vocabulary) []string {
	return slices.DeleteFunc(v.Names(v.All()), func(name string) bool { _, has := other.Lookup(name); return has })
}

// relations describes the relations of a vocabulary in words, each once, with the flags
// sorted: "relation !A or B".
func relations(v *phases.Vocabulary) (all []string) {
	for _, c := range v.Relations() {
		literals := v.Literals(c)
		slices.SortFunc(literals, func(x, y string) int {
			return cmp.Or(cmp.Compare(strings.TrimPrefix(x, "!"), strings.TrimPrefix(y, "!")), cmp.Compare(x, y))
		})
		if r := "relation " + wording.List(literals, "or"); !slices.Contains(all, r) {
			all = append(all, r)
		}
	}
	return all
}
