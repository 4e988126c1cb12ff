package verify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// The reference lives every life with the machine itself, one by one, and resumes it
// from its checkpoint at every phase.

// real is the value of a flag, and whether a cleanup itinerary does not learn it.
type real struct{ is, unknown bool }

// stop is a phase of a life, and the step under which it was entered.
type stop struct {
	phase int
	step  string
}

// moment is a state in flight.
type moment struct {
	phase    int
	step     string
	workDone bool
	choice   int
	values   []real
	ran      []stop
}

// reference enumerates all lives of two itineraries.
type reference struct {
	t        *testing.T
	*pair    // matches phases and flags
	old, new *machine.Set
	world    map[string]bool // the findings outside of loops, and the flags at the start
	keys     []string
	often    []bool
	least    map[string]int // by fingerprint: the fewest true flags
	aheads   map[string]string
	matters  map[string]bool // flags of the new release alone whose value changes what runs ahead
}

const maxTurns = 3

// endless is the last stop of a life that was not followed to its end.
var endless = stop{phase: -1}

func ended(l []stop) bool { return !slices.Contains(l, endless) }

// keysOf collects the names of all findings outside of loops.
func (x *reference) keysOf() {
	add := func(key string) {
		if !slices.Contains(x.keys, key) {
			x.keys = append(x.keys, key)
		}
	}
	flag := func(place, name string) {
		add(place + " is " + name)
		if x.from.unknowns {
			add(place + " unknown " + name)
		}
	}
	for _, name := range x.flags {
		flag("start", name)
	}
	for _, s := range []*side{x.from, x.to} {
		for i := range s.graph.Len() {
			if s.loops[i] {
				continue
			}
			for f := range s.graph.Decides(i).Each {
				if k := s.indices[bit(f)]; k >= 0 {
					flag(s.ids[i].String(), x.flags[k])
				}
			}
			for _, c := range s.choiceTargets(i) {
				add(s.ids[i].String() + " chooses " + s.ids[c].String())
			}
		}
	}
}

// choiceTargets returns the choices of a phase in the order of precedence.
func (s *side) choiceTargets(i int) (targets []int) {
	for _, j := range s.graph.Phase(i).Jumps {
		if to, err := s.graph.Lookup(j.To); err == nil && j.Choice {
			targets = append(targets, to)
		}
	}
	slices.SortFunc(targets, func(a, b int) int { return strings.Compare(s.ids[a].String(), s.ids[b].String()) })
	return targets
}

func (x *reference) realOf(place, name string) real {
	return real{x.world[place+" is "+name], x.world[place+" unknown "+name]}
}

// facts returns the flags as the machine of a side knows them.
func (x *reference) facts(s *side, values []real) (f phases.Facts) {
	for _, d := range s.graph.Vocabulary().Defs() {
		i := s.indices[bit(d.Flag)]
		if i < 0 || !s.reads[i] || s.graph.IsCleanup() && values[i].unknown {
			continue
		}
		f = f.Set(d.Flag, phases.TruthOf(values[i].is))
	}
	return f
}

func holds(c clause, values []real) bool {
	return slices.ContainsFunc(c.literals, func(l literal) bool { return values[l.flag].is == l.is })
}

// findings calls yield with the values after a phase: once outside of loops, and for
// every outcome inside. Flags for which kept reports true keep their values.
func (x *reference) findings(s *side, i int, values []real, kept func(name string) bool, yield func([]real)) {
	var open []int
	after := slices.Clone(values)
	var changed []int
	for f := range s.graph.Decides(i).Each {
		k := s.indices[bit(f)]
		switch {
		case k < 0:
			continue
		case kept(x.flags[k]):
		case s.loops[i]:
			open = append(open, k)
		default:
			after[k] = x.realOf(s.ids[i].String(), x.flags[k])
		}
		changed = append(changed, k)
	}
	var each func(open []int)
	each = func(open []int) {
		if len(open) == 0 {
			for _, c := range s.clauses {
				if slices.ContainsFunc(c.literals, func(l literal) bool { return slices.Contains(changed, l.flag) }) && !holds(c, after) {
					return
				}
			}
			yield(slices.Clone(after))
			return
		}
		for _, v := range []real{{}, {is: true}, {unknown: true}, {true, true}} {
			if !v.unknown || s.unknowns {
				after[open[0]] = v
				each(open[1:])
			}
		}
	}
	each(open)
}

// choosing calls yield with each choice of the handler, -1 for none.
func (x *reference) choosing(s *side, i int, yield func(choice int)) {
	for _, c := range s.choiceTargets(i) {
		if s.loops[i] {
			yield(c)
		} else if x.world[s.ids[i].String()+" chooses "+s.ids[c].String()] {
			yield(c)
			return
		}
	}
	yield(-1)
}

// follow continues the lives of a machine that is at a place. It calls visit with each
// phase that is entered, and end with the phases of each life that ends. ran are the
// phases before.
func (x *reference) follow(s *side, m *machine.Machine, values []real, ran []stop, visit func(moment), end func([]stop)) {
	p := m.Position()
	i, err := s.graph.Lookup(p.Phase)
	if err == nil {
		step := p.Step
		if step == "" {
			step = s.graph.Phase(i).Step
		}
		turns := 0
		for _, r := range ran {
			if r.phase == i {
				turns++
			}
		}
		if turns >= maxTurns {
			end(append(slices.Clone(ran), endless))
			return
		}
		if !p.Done {
			visit(moment{phase: i, step: step, choice: -1, values: values, ran: ran})
		}
		ran = append(slices.Clone(ran), stop{i, step})
	}
	if p.Done {
		end(ran)
		return
	}
	if p.Phase == "" {
		x.advance(s, m, values, ran, visit, end)
		return
	}
	x.findings(s, i, values, func(string) bool { return false }, func(after []real) {
		x.choosing(s, i, func(choice int) {
			visit(moment{phase: i, step: ran[len(ran)-1].step, workDone: true, choice: choice, values: after, ran: ran[:len(ran)-1]})
			x.leave(s, i, choice, after, ran, visit, end)
		})
	})
}

// leave continues from a phase whose work is done.
func (x *reference) leave(s *side, i, choice int, values []real, ran []stop, visit func(moment), end func([]stop)) {
	m, err := s.graph.NewMachine(machine.Position{Phase: s.graph.Phase(i).Name}, x.facts(s, values))
	require.NoError(x.t, err)
	if choice >= 0 {
		require.NoError(x.t, m.Choose(s.graph.Phase(choice).Name))
	} else {
		m.Finish()
	}
	x.advance(s, m, values, ran, visit, end)
}

func (x *reference) advance(s *side, m *machine.Machine, values []real, ran []stop, visit func(moment), end func([]stop)) {
	m.SetFacts(x.facts(s, values))
	if s == x.to && visit == nil {
		visit = func(moment) {}
	}
	_, err := m.Advance(context.Background())
	require.NoError(x.t, err)
	x.follow(s, m, values, ran, visit, end)
}

// lives returns the distinct lives of a side from the start.
func (x *reference) lives(s *side, values []real, visit func(moment)) (all [][]stop) {
	m, err := s.graph.NewMachine(machine.Position{}, x.facts(s, values))
	require.NoError(x.t, err)
	x.follow(s, m, values, nil, visit, func(ran []stop) { all = addLife(all, ran) })
	return all
}

func addLife(all [][]stop, one []stop) [][]stop {
	if slices.ContainsFunc(all, func(l []stop) bool { return slices.Equal(l, one) }) {
		return all
	}
	return append(all, one)
}

// askable reports whether the new relations allow the values of the flags that are new,
// or allow no values of these flags at all.
func (x *reference) askable(old *Release, values []real) bool {
	var fresh []int
	for i, name := range x.flags {
		if _, ok := old.flags.Lookup(name); !ok {
			fresh = append(fresh, i)
		}
	}
	allowed := func(v []real) bool {
		return !slices.ContainsFunc(x.to.clauses, func(c clause) bool { return c.fresh && !holds(c, v) })
	}
	if allowed(values) {
		return true
	}
	for bits := range 1 << len(fresh) {
		other := slices.Clone(values)
		for k, i := range fresh {
			other[i].is = bits>>k&1 == 1
		}
		if allowed(other) {
			return false
		}
	}
	return true
}

// compare finds all breaks of the upgrade.
func (x *reference) compare(old, new *Release) {
	x.keysOf()
	x.often = make([]bool, len(x.same))
	twice := func(lives [][]stop) map[int]bool {
		often := make(map[int]bool)
		for _, l := range lives {
			for i, a := range l {
				for _, b := range l[:i] {
					often[a.phase] = often[a.phase] || a.phase == b.phase
				}
			}
		}
		return often
	}
	x.eachWorld(func(values []real) {
		a, b := twice(x.lives(x.from, values, func(moment) {})), map[int]bool{}
		if x.askable(old, values) {
			b = twice(x.lives(x.to, values, func(moment) {}))
		}
		for i, k := range x.same {
			x.often[i] = x.often[i] || k < 0 || a[i] || b[k]
		}
	})
	x.eachWorld(func(values []real) {
		var moments []moment
		seen := make(map[string]bool)
		x.lives(x.from, values, func(m moment) {
			if key := fmt.Sprint(m); !seen[key] {
				seen[key] = true
				moments = append(moments, m)
			}
		})
		var restarts [][]stop
		if x.askable(old, values) {
			restarts = x.lives(x.to, values, func(moment) {})
		}
		for _, m := range moments {
			x.resume(old, new, m, restarts)
		}
	})
}

// eachWorld calls yield for each assignment that the relations of the old release
// allow at the start.
func (x *reference) eachWorld(yield func([]real)) {
	for bits := range 1 << len(x.keys) {
		x.world = make(map[string]bool)
		for k, key := range x.keys {
			x.world[key] = bits>>k&1 == 1
		}
		values := make([]real, len(x.flags))
		for i, name := range x.flags {
			values[i] = x.realOf("start", name)
		}
		if !slices.ContainsFunc(x.from.clauses, func(c clause) bool { return !holds(c, values) }) {
			yield(values)
		}
	}
}

// meet records that a state meets a break.
func (x *reference) meet(m moment, b Break) {
	b.Direction, b.Itinerary = Upgrade, x.from.graph.Name()
	trues := x.facts(x.from, m.values).True().Len()
	key := b.Fingerprint()
	if least, ok := x.least[key]; !ok || trues < least {
		x.least[key] = trues
	}
}

func has(l []stop, phase int) bool {
	return slices.ContainsFunc(l, func(s stop) bool { return s.phase == phase })
}

func index(l []stop, phase int) int {
	return slices.IndexFunc(l, func(s stop) bool { return s.phase == phase })
}

// resume resumes a state in the new release and compares the lives from there.
func (x *reference) resume(old, new *Release, m moment, restarts [][]stop) {
	a, b := x.from.graph, x.to.graph
	p := a.Phase(m.phase)
	was, err := a.NewMachine(machine.Position{Phase: p.Name, Step: m.step}, x.facts(x.from, m.values))
	require.NoError(x.t, err)
	if m.workDone {
		if m.choice >= 0 {
			require.NoError(x.t, was.Choose(a.Phase(m.choice).Name))
		} else {
			was.Finish()
		}
		was.SetFacts(x.facts(x.from, m.values))
	}
	r, err := x.new.Resume(was.Checkpoint(), a.Name())
	var unknown *machine.UnknownPhaseError
	var choice *machine.ChoiceError
	switch {
	case errors.As(err, &unknown):
		x.meet(m, Break{Rule: RulePhaseGone, Kind: StateKind, Phase: p.Name})
		if m.choice >= 0 {
			x.meet(m, Break{Rule: RulePhaseGone, Kind: StateKind, Phase: p.Name, Choice: a.Phase(m.choice).Name})
		}
		return
	case errors.As(err, &choice):
		x.meet(m, Break{Rule: RulePhaseGone, Kind: StateKind, Phase: p.Name, Choice: a.Phase(m.choice).Name})
		return
	}
	require.NoError(x.t, err)
	to, err := b.Lookup(p.Name)
	require.NoError(x.t, err)
	for i, name := range x.flags { // flags that are gone are ignored
		if _, ok := new.flags.Lookup(name); !ok && x.from.reads[i] {
			x.meet(m, Break{Rule: RuleFlagGone, Kind: DefinitionKind, Flag: name})
		}
	}
	x.resumed(old, m, r.Machine, was.Checkpoint().Step, to, restarts)
}

// resumed compares the lives of a run that continues at the phase to of the new release
// with those that the old release has for it.
func (x *reference) resumed(old *Release, m moment, on *machine.Machine, step string, to int, restarts [][]stop) {
	a, b := x.from.graph, x.to.graph
	values := slices.Clone(m.values)
	if b.IsCleanup() && !a.IsCleanup() {
		for i := range values {
			values[i].unknown = values[i].unknown && !x.from.reads[i]
		}
	}
	if !x.askable(old, values) {
		return
	}
	var ahead, stays [][]stop
	end := func(ran []stop) { ahead = addLife(ahead, ran) }
	visit := func(at moment) {}
	inStep := ""
	switch {
	case on.Position().Done:
		ahead = [][]stop{nil}
	case m.workDone:
		target := -1
		if c := on.Position().Choice; c != "" {
			var err error
			target, err = b.Lookup(c)
			require.NoError(x.t, err)
		}
		decided := func(name string) bool {
			f, ok := a.Vocabulary().Lookup(name)
			return ok && a.Decides(m.phase).Has(f)
		}
		x.findings(x.to, to, values, decided, func(after []real) {
			require.True(x.t, on.WorkDone())
			x.leave(x.to, to, target, after, nil, visit, end)
		})
	default:
		x.findings(x.to, to, values, func(string) bool { return false }, func(after []real) {
			x.choosing(x.to, to, func(c int) { x.leave(x.to, to, c, after, nil, visit, end) })
		})
	}
	if !on.Position().Done && !b.Rides(to) {
		mm, err := b.NewMachine(machine.Position{Phase: b.Phase(to).Name, Step: step}, x.facts(x.to, values))
		require.NoError(x.t, err)
		if inStep = mm.Position().Step; inStep == "" {
			inStep = b.Phase(to).Step
		}
	}
	endStays := func(ran []stop) { stays = addLife(stays, ran) }
	if m.workDone {
		x.leave(x.from, m.phase, m.choice, m.values, nil, visit, endStays)
	} else {
		x.findings(x.from, m.phase, m.values, func(string) bool { return false }, func(after []real) {
			x.choosing(x.from, m.phase, func(c int) { x.leave(x.from, m.phase, c, after, nil, visit, endStays) })
		})
	}
	x.unrecorded(m, ahead)
	for _, n := range ahead {
		x.work(m, to, n, ahead, stays, restarts)
		for _, s := range stays {
			x.view(m, inStep, n, ahead, s)
		}
	}
}

// unrecorded records the flags that matter ahead although the old release neither reads
// nor decides them: two runs that differ in nothing else continue differently.
func (x *reference) unrecorded(m moment, ahead [][]stop) {
	if len(ahead) != 1 { // findings of loops also differ
		return
	}
	for i, name := range x.flags {
		if !x.to.reads[i] || x.from.reads[i] || x.changes(name) {
			continue
		}
		others, world := slices.Clone(m.values), maps.Clone(x.world)
		others[i].is = false
		delete(world, "start is "+name)
		key := fmt.Sprint(name, m.phase, m.step, m.workDone, m.choice, others, m.ran, world)
		on := fmt.Sprint(ahead)
		if before, ok := x.aheads[key]; ok && before != on {
			x.matters[name] = true
		}
		x.aheads[key] = on
	}
}

// changes reports whether runs of the old release may change a flag.
func (x *reference) changes(name string) bool {
	g := x.from.graph
	f, ok := g.Vocabulary().Lookup(name)
	for i := 0; ok && i < g.Len(); i++ {
		if g.Decides(i).Has(f) {
			return true
		}
	}
	return false
}

// some reports whether is holds for at least one of the lives, which differ only in the
// findings of loops.
func some(lives [][]stop, is func([]stop) bool) bool { return slices.ContainsFunc(lives, is) }

// work compares the phases that run in one life ahead.
func (x *reference) work(m moment, to int, ahead []stop, all, stays, restarts [][]stop) {
	a, b := x.from.graph, x.to.graph
	for i, k := range x.same {
		if k < 0 || a.IsEnd(i) || b.IsEnd(k) {
			continue
		}
		again := has(m.ran, i) && (has(ahead, k) || k == to && !m.workDone)
		if i == m.phase {
			again = has(ahead, k)
		}
		if !x.often[i] && again {
			x.meet(m, Break{Rule: RulePhaseRepeated, Kind: WorkKind, Phase: a.Phase(i).Name})
		}
		if i == m.phase || k == to || has(m.ran, i) || !ended(ahead) && some(all, ended) ||
			some(all, func(l []stop) bool { return has(l, k) }) {
			continue
		}
		each(stays, restarts, func(s, n []stop) {
			if has(s, i) && has(n, k) {
				x.meet(m, Break{Rule: RulePhaseSkipped, Kind: WorkKind, Phase: a.Phase(i).Name})
			}
		})
	}
	prefix := append(slices.Clone(m.ran), stop{phase: m.phase})
	comparable := func(i, j int) bool {
		return i != j && !x.often[i] && !x.often[j] && x.same[i] != x.same[j]
	}
	each(stays, restarts, func(s, n []stop) {
		mixed := false
		for q, second := range prefix {
			for _, first := range prefix[:q] {
				i, j := first.phase, second.phase
				if comparable(i, j) && has(n, x.same[i]) && has(n, x.same[j]) {
					mixed = mixed || index(n, x.same[j]) < index(n, x.same[i])
				}
			}
		}
		for q, second := range s {
			for _, first := range s[:q] {
				if second == endless {
					continue
				}
				i, j := first.phase, second.phase
				if !mixed || !comparable(i, j) || has(m.ran, i) || has(m.ran, j) || !has(ahead, x.same[i]) || !has(ahead, x.same[j]) {
					continue
				}
				if index(ahead, x.same[j]) < index(ahead, x.same[i]) {
					x.meet(m, Break{Rule: RulePhaseReordered, Kind: WorkKind, Phase: a.Phase(j).Name})
				}
			}
		}
	})
}

func each(stays, restarts [][]stop, yield func(s, n []stop)) {
	for _, s := range stays {
		for _, n := range restarts {
			yield(s, n)
		}
	}
}

// view compares the steps of one life ahead in each release.
func (x *reference) view(m moment, inStep string, ahead []stop, all [][]stop, stays []stop) {
	a, b := x.from.graph, x.to.graph
	shows := func(g *machine.Graph, l []stop, step string) bool {
		return slices.ContainsFunc(l, func(s stop) bool { return s.step == step && s != endless && !g.Rides(s.phase) })
	}
	first := func(l []stop, step string) int {
		return slices.IndexFunc(l, func(s stop) bool { return s.step == step })
	}
	in := ""
	if !a.Rides(m.phase) {
		in = m.step
	}
	for _, step := range a.Steps() {
		if ended(ahead) && (in == step || shows(a, stays, step)) && inStep != step &&
			!some(all, func(l []stop) bool { return shows(b, l, step) }) &&
			(b.StepIndex(step) < 0 || in == step || !shows(a, m.ran, step)) {
			x.meet(m, Break{Rule: RuleStepGone, Kind: ViewKind, Step: step})
		}
	}
	for _, s := range a.Steps() {
		for _, t := range a.Steps() {
			started := in == s || in == t || inStep == s || inStep == t || shows(a, m.ran, s) || shows(a, m.ran, t)
			if s == t || started || !shows(a, stays, s) || !shows(a, stays, t) || !shows(b, ahead, s) || !shows(b, ahead, t) {
				continue
			}
			kept := some(all, func(l []stop) bool { return shows(b, l, s) && shows(b, l, t) && first(l, s) < first(l, t) })
			if !kept && first(stays, s) < first(stays, t) && first(ahead, t) < first(ahead, s) {
				x.meet(m, Break{Rule: RuleStepReordered, Kind: ViewKind, Step: t})
			}
		}
	}
}

// definition is an itinerary that is easy to change.
type definition struct {
	flags     []string
	live      string
	relations [][]string
	cleanup   bool
	phases    []row
}

type row struct {
	name, step, guard, steps, jumps string
	rides, end                      bool
	decides, formerly               []string
}

func (d definition) text() string {
	var b strings.Builder
	fmt.Fprintln(&b, "flags:")
	for _, f := range d.flags {
		fmt.Fprintf(&b, "- {name: %s, live: %t}\n", f, f == d.live)
	}
	if d.relations != nil {
		fmt.Fprintln(&b, "relations:")
		for _, r := range d.relations {
			fmt.Fprintf(&b, "- [%q]\n", strings.Join(r, `", "`))
		}
	}
	fmt.Fprintf(&b, "itineraries:\n- name: Work\n  cleanup: %t\n  phases:\n", d.cleanup)
	for _, p := range d.phases {
		fmt.Fprintf(&b, "  - {name: %s, step: %s, rides: %t, end: %t%s", p.name, p.step, p.rides, p.end, p.guard)
		if p.steps != "" {
			fmt.Fprintf(&b, ", steps: [%s]", p.steps)
		}
		if p.jumps != "" && !p.end {
			fmt.Fprintf(&b, ", jumps: [%s]", p.jumps)
		}
		if p.decides != nil && !p.end {
			fmt.Fprintf(&b, ", decides: [%s]", strings.Join(p.decides, ", "))
		}
		if p.formerly != nil {
			fmt.Fprintf(&b, ", formerly: [%s]", strings.Join(p.formerly, ", "))
		}
		fmt.Fprintln(&b, "}")
	}
	return strings.ReplaceAll(b.String(), `\"`, `"`)
}

type generator struct {
	*rand.Rand
	loops bool
}

func (g generator) chance(percent int) bool { return g.IntN(100) < percent }

func (g generator) guard(flags []string) string {
	flag := flags[g.IntN(len(flags))]
	switch g.IntN(6) {
	case 0:
		return ", none: [" + flag + "]"
	case 1:
		return fmt.Sprintf(", any: [%s]", strings.Join(flags, ", "))
	case 2, 3:
		return ", all: [" + flag + "]"
	}
	return ""
}

func (g generator) definition() definition {
	d := definition{flags: []string{"A", "B"}, cleanup: g.chance(25)}
	if g.chance(20) {
		d.relations = [][]string{{"!A", "B"}}
	}
	if g.chance(10) {
		d.live = "A"
	}
	steps := []string{"S", "T", "U"}
	n := 3 + g.IntN(3)
	for i := range n {
		p := row{name: fmt.Sprintf("P%d", i), step: steps[min(i*3/n, 2)], guard: g.guard(d.flags)}
		if g.chance(30) {
			p.decides = []string{d.flags[g.IntN(2)]}
		}
		if g.chance(10) {
			p.steps = fmt.Sprintf("{step: %s%s}", steps[g.IntN(3)], g.guard(d.flags))
		}
		d.phases = append(d.phases, p)
	}
	if g.chance(30) {
		g.jump(&d)
	}
	if g.loops {
		d.cleanup, d.live = false, ""
		i := 1 + g.IntN(n-1)
		d.phases[i].jumps = fmt.Sprintf("{to: P%d, all: [A]}", g.IntN(i+1))
		d.phases[i].decides = []string{"A"}
		d.phases[i].guard = ""
	}
	if g.chance(40) {
		d.phases = append(d.phases, row{name: "End", step: "U", end: true})
	}
	return d
}

// jump adds a jump forward, which may be a choice.
func (g generator) jump(d *definition) {
	i := g.IntN(len(d.phases) - 1)
	to := d.phases[i+1+g.IntN(len(d.phases)-i-1)].name
	d.phases[i].jumps = fmt.Sprintf("{to: %s%s}", to, ", choice: true")
	if g.chance(50) {
		d.phases[i].jumps = fmt.Sprintf("{to: %s, all: [%s]}", to, d.flags[g.IntN(len(d.flags))])
	}
}

// change returns the next release of a definition.
func (g generator) change(d definition) definition {
	d.phases = slices.Clone(d.phases)
	d.flags = slices.Clone(d.flags)
	for range 1 + g.IntN(2) {
		i := g.IntN(len(d.phases))
		p := &d.phases[i]
		switch g.IntN(13) {
		case 11: // neighbours change places
			for k := 0; k+1 < len(d.phases); k += 2 + g.IntN(2) {
				d.phases[k], d.phases[k+1] = d.phases[k+1], d.phases[k]
			}
		case 0, 1, 2: // moved
			one := *p
			d.phases = slices.Delete(d.phases, i, i+1)
			d.phases = slices.Insert(d.phases, g.IntN(len(d.phases)+1), one)
		case 3: // renamed
			if g.chance(60) {
				p.formerly = append(slices.Clone(p.formerly), p.name)
			}
			p.name += "x"
		case 4:
			if len(d.phases) > 2 {
				d.phases = slices.Delete(d.phases, i, i+1)
			}
		case 5:
			d.phases = slices.Insert(d.phases, i, row{name: fmt.Sprintf("N%d", len(d.phases)), step: p.step, guard: g.guard(d.flags)})
		case 6:
			p.guard = g.guard(d.flags)
		case 7:
			p.step = []string{"S", "T", "U", "V"}[g.IntN(4)]
		case 8:
			p.decides = nil
			if g.chance(60) {
				p.decides = []string{d.flags[g.IntN(len(d.flags))]}
			}
		case 9:
			if len(d.phases) > 1 {
				g.jump(&d)
			}
		case 10:
			if !slices.Contains(d.flags, "C") {
				d.flags = append(d.flags, "C")
				p.guard = []string{", all: [C]", ", none: [C]", ", any: [A, C]"}[g.IntN(3)]
				if g.chance(30) {
					d.relations = append(slices.Clone(d.relations), []string{"!C", "A"})
				}
			}
		default:
			switch g.IntN(3) {
			case 0:
				d.cleanup = !d.cleanup
			case 1:
				p.end = !p.end
			default:
				p.rides = !p.rides
			}
		}
	}
	return d
}

// compile returns nil if the definition is refused.
func (d definition) compile(name string) (*Release, *machine.Set) {
	f, err := phases.Load(strings.NewReader(d.text()), name)
	if err != nil {
		return nil, nil
	}
	set, err := machine.CompileSet(f.Itineraries...)
	if err != nil {
		return nil, nil
	}
	r, err := ReleaseOf(name, set)
	if err != nil {
		return nil, nil
	}
	return r, set
}

// compared returns the breaks that depend on states.
func compared(n *inspection) map[string]int {
	least := make(map[string]int)
	for key, f := range n.found {
		if f.Rule != RuleDefinitionChanged {
			least[key] = f.smallest
		}
	}
	return least
}

func TestCompatAgreesWithEveryLife(t *testing.T) {
	for _, c := range []struct {
		name  string
		loops bool
		pairs int
	}{{"without loops", false, testscale.Of(250, 50)}, {"with a loop", true, testscale.Of(40, 10)}} {
		t.Run(c.name, func(t *testing.T) {
			g := generator{rand.New(rand.NewPCG(7, uint64(c.pairs))), c.loops}
			rules := make(map[string]int)
			for pairs := 0; pairs < c.pairs; {
				before := g.definition()
				after := g.change(before)
				if g.chance(50) { // as in a rollback
					before, after = after, before
				}
				old, oldSet := before.compile("old")
				new, newSet := after.compile("new")
				if old == nil || new == nil {
					continue
				}
				o := CompatOptions{MaxNodes: DefaultMaxNodes, MaxVisits: DefaultMaxVisits, everything: true}
				n := newInspection(old, new, Upgrade, "Work", o)
				x := &reference{
					t: t, pair: newPair(newWorld(0, 1<<30), old, new, "Work"), old: oldSet, new: newSet,
					least: make(map[string]int), aheads: make(map[string]string), matters: make(map[string]bool),
				}
				turns := slices.Contains(x.from.heads, true) || slices.Contains(x.to.heads, true)
				if x.keysOf(); len(x.keys) > 9 || turns && (!c.loops || x.from.unknowns) {
					continue
				}
				pairs++
				n.inspect()
				require.NoError(t, n.failure())
				got := compared(n)
				asked := make(map[string]bool)
				for key := range got {
					if strings.HasPrefix(key, RuleFlagNew) {
						asked[n.found[key].Flag] = true
						delete(got, key)
					}
				}
				x.compare(old, new)
				for name := range x.matters { // a guard may depend on a flag although the phases that run do not
					require.True(t, asked[name], "pair %d: %s\n--- old\n%s\n--- new\n%s", pairs, name, before.text(), after.text())
					rules[RuleFlagNew]++
				}
				require.Empty(t, cmp.Diff(x.least, got), "pair %d\n--- old\n%s\n--- new\n%s", pairs, before.text(), after.text())
				for key := range got {
					rules[strings.SplitN(key, "/", 2)[0]]++
				}
			}
			require.True(t, c.loops || rules[RuleFlagNew] > 0, "%v", rules)
		})
	}
}
