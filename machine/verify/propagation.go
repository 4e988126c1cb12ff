package verify

import (
	"slices"

	"github.com/konveyor/dynamic-pipeline/internal/bdd"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// propagation follows all runs of one itinerary from some place to the end at the same time.
// For each place it holds the assignments in which runs reach it, and the values of the
// flags there. Every assignment is one run.
//
// A run that goes back begins another turn. Turns are followed until one adds nothing:
// apart from the findings of earlier turns, all its runs reached the same places
// before.
type propagation struct {
	*side
	life life
	// arrivals are, by turn and place, the runs that reach the place.
	arrivals map[int][]arrival
	last     int // the last turn with an arrival
	// entries are the phases that are entered, in order. By phase, entered is the union
	// of their sets and byPhase lists their indices in entries.
	entries []entering
	entered []bdd.Set
	byPhase [][]int
	done    bdd.Set // the runs that reach the end
	seen    map[int]bdd.Set
	// junctions are the runs that reached a place that a jump leads back to.
	junctions []junction
	// depends are, by flag that counts, the runs that reach a guard which depends on the
	// value of the flag at the start. Only watched flags are examined.
	watched map[int]bool
	depends map[int]bdd.Set
}

// arrival is a set of runs that reach a place, and the values of the flags then.
type arrival struct {
	set    bdd.Set
	values []flagValue
}

// entering is a set of runs that enter a phase.
type entering struct {
	phase, turn int
	set         bdd.Set
	values      []flagValue
	under       map[string]bdd.Set // by step
}

// junction is a set of runs that reached a place. in is the same set with the state of
// the runs encoded by the variables of fresh.
type junction struct {
	place    int
	set, in  bdd.Set
	followed bool
}

func (s *side) newPropagation(l life) *propagation {
	n := s.graph.Len()
	return &propagation{
		side: s, life: l, arrivals: make(map[int][]arrival),
		entered: make([]bdd.Set, n), byPhase: make([][]int, n), seen: make(map[int]bdd.Set),
	}
}

// propagate follows the runs of the set from the start.
func (s *side) propagate(l life, set bdd.Set, values []flagValue) *propagation {
	f := s.newPropagation(l)
	f.arrive(0, -1, 0, set, values)
	f.run(0)
	return f
}

// propagateFrom follows runs that are at work in a phase, or whose work there is done. choice
// is the phase that a choice already made leads to, or -1.
func (s *side) propagateFrom(
	l life, at *inFlightState, phase, choice int, set bdd.Set, values []flagValue, watched map[int]bool,
) *propagation {
	f := s.newPropagation(l)
	f.watched, f.depends = watched, make(map[int]bdd.Set)
	switch {
	case s.graph.IsEnd(phase):
		f.done = set
	case at.workDone:
		// The flags that the phase decides are evaluated again, with the values that it
		// found.
		set, values = s.decide(phase, set, values, l, at.turn, at.found...)
		if choice >= 0 {
			f.arrive(at.turn, phase, choice, set, values)
		} else {
			f.leave(phase, at.turn, set, values)
		}
	default:
		set, values = s.decide(phase, set, values, l, at.turn)
		f.choose(phase, at.turn, set, values)
	}
	f.run(at.turn)
	return f
}

// arrive records runs that reach a place from another. Going back begins a turn.
func (f *propagation) arrive(turn, from, to int, set bdd.Set, values []flagValue) {
	if set == bdd.None {
		return
	}
	if to <= from {
		turn++
	}
	all := f.arrivals[turn]
	if all == nil {
		all = make([]arrival, f.graph.Len()+1)
		f.arrivals[turn] = all
	}
	f.last = max(f.last, turn)
	a := &all[to]
	if a.set == bdd.None {
		*a = arrival{set, values}
		return
	}
	a.set = f.Or(a.set, set)
	if slices.Equal(a.values, values) {
		return
	}
	merged := make([]flagValue, len(values))
	for i, v := range values {
		merged[i] = flagValue{f.Ite(set, v.true, a.values[i].true), f.Ite(set, v.unknown, a.values[i].unknown)}
	}
	a.values = merged
}

// run follows the arrivals, turn by turn.
func (f *propagation) run(first int) {
	for turn := first; turn <= f.last; turn++ {
		for i := range f.graph.Len() {
			if !f.visit(1) {
				return
			}
			if f.arrivals[turn] == nil {
				break
			}
			a := f.arrivals[turn][i]
			if a.set == bdd.None || f.heads[i] && !f.fresh(turn, i, a) {
				continue
			}
			yes, no := f.look(f.graph.Phase(i).Guard, a.set, a.values)
			if f.graph.IsCleanup() && !f.graph.IsEnd(i) {
				yes = f.Not(no) // a guard that is unknown admits
			}
			in := f.And(a.set, yes)
			f.arrive(turn, i, i+1, f.Minus(a.set, in), a.values)
			f.enter(i, turn, in, a.values)
		}
		if all := f.arrivals[turn]; all != nil {
			f.done = f.Or(f.done, all[f.graph.Len()].set)
		}
	}
}

// enter records runs that enter a phase, and follows them.
func (f *propagation) enter(i, turn int, set bdd.Set, values []flagValue) {
	if set == bdd.None {
		return
	}
	f.byPhase[i] = append(f.byPhase[i], len(f.entries))
	f.entries = append(f.entries, entering{i, turn, set, values, f.steps(i, set, values)})
	for _, s := range f.graph.Phase(i).Steps {
		f.look(s.Guard, set, values)
	}
	f.entered[i] = f.Or(f.entered[i], set)
	if f.graph.IsEnd(i) {
		f.done = f.Or(f.done, set)
		return
	}
	set, values = f.decide(i, set, values, f.life, turn)
	f.choose(i, turn, set, values)
}

// choose follows runs from a phase whose handler may choose.
func (f *propagation) choose(i, turn int, set bdd.Set, values []flagValue) {
	for _, c := range f.choices(i, f.life, turn) {
		f.arrive(turn, i, c.to, f.And(set, c.set), values)
		set = f.Minus(set, c.set)
	}
	f.leave(i, turn, set, values)
}

// leave follows runs from a phase whose handler has chosen nothing.
func (f *propagation) leave(i, turn int, set bdd.Set, values []flagValue) {
	for _, j := range f.graph.Phase(i).Jumps {
		if j.Choice {
			continue
		}
		yes, _ := f.look(j.Guard, set, values)
		to, _ := f.graph.Lookup(j.To)
		f.arrive(turn, i, to, f.And(set, yes), values)
		set = f.Minus(set, yes)
	}
	f.arrive(turn, i, i+1, set, values)
}

// look evaluates a guard, and records the watched flags that it depends on.
func (f *propagation) look(g phases.Guard, set bdd.Set, values []flagValue) (yes, no bdd.Set) {
	yes, no = f.judge(g, values)
	if set == bdd.None {
		return yes, no
	}
	for i := range f.watched {
		n := f.number(variable{kind: isTrue, name: f.flags[i]})
		low, high := f.With(yes, n, false), f.With(yes, n, true)
		depends := f.Or(f.Minus(low, high), f.Minus(high, low))
		f.depends[i] = f.Or(f.depends[i], f.And(f.Exists(set, n), depends))
	}
	return yes, no
}

// choice is a jump that a handler may choose, and the assignments in which the handler
// chooses it.
type choice struct {
	to  int
	set bdd.Set
}

// choices returns the choices of a phase, in an order that is the same in both
// releases. If several are chosen, the first counts.
func (s *side) choices(phase int, l life, turn int) (all []choice) {
	for _, j := range s.graph.Phase(phase).Jumps {
		if to, err := s.graph.Lookup(j.To); err == nil && j.Choice {
			all = append(all, choice{to: to})
		}
	}
	slices.SortFunc(all, func(a, b choice) int { return s.ids[a.to].compare(s.ids[b.to]) })
	rest := bdd.All
	for i, c := range all {
		chosen := s.outcome(isChosen, phase, s.ids[c.to].String(), l, turn)
		all[i].set = s.And(rest, chosen)
		rest = s.Minus(rest, chosen)
	}
	return all
}

// fresh reports whether runs reach a place in a new state: none reached it before with
// these flag values, after these phases of loops, and with the same findings outside of
// loops. Runs that are not fresh have been followed already.
func (f *propagation) fresh(turn, place int, a arrival) bool {
	set := a.set
	for i, name := range f.flags {
		if !f.varies[i] {
			continue // the same in all turns
		}
		for _, now := range []struct {
			kind variableKind
			set  bdd.Set
		}{{nowTrue, a.values[i].true}, {nowUnknown, a.values[i].unknown}} {
			if now.kind == nowTrue || f.unknowns {
				v := f.Var(f.number(variable{kind: now.kind, name: name}))
				set = f.And(set, f.Ite(now.set, v, f.Not(v)))
			}
		}
	}
	for i, in := range f.loops {
		if in {
			v := f.Var(f.number(variable{kind: hasRun, phase: f.ids[i]}))
			set = f.And(set, f.Ite(f.ran(i, turn, place), v, f.Not(v)))
		}
	}
	j := junction{place: place, set: a.set, in: set}
	set = f.Exists(set, f.found[f.life]...)
	if j.followed = !f.Within(set, f.seen[place]); j.followed {
		f.seen[place] = f.Or(f.seen[place], set)
	}
	f.junctions = append(f.junctions, j)
	return j.followed && f.ok()
}

// ends returns the runs that reach the end. It includes runs that were not followed to
// the end because others had reached the same state.
func (f *propagation) ends() bdd.Set {
	var states []int
	for x, n := range f.numbers {
		if x.kind == nowTrue || x.kind == nowUnknown || x.kind == hasRun {
			states = append(states, n)
		}
	}
	ends := f.done
	for before := bdd.None; before != ends && f.visit(len(f.junctions)); {
		before = ends
		end := make(map[int]bdd.Set)
		for _, j := range f.junctions {
			end[j.place] = f.Or(end[j.place], f.Exists(f.And(j.in, ends), f.found[f.life]...))
		}
		for _, j := range f.junctions {
			if !j.followed {
				ends = f.Or(ends, f.Exists(f.And(j.in, end[j.place]), states...))
			}
		}
	}
	return ends
}

// some returns the runs that are in the set for at least one outcome of what the phases
// of loops find in this life.
func (f *propagation) some(set bdd.Set) bdd.Set { return f.Exists(set, f.found[f.life]...) }

// ran returns the runs that entered a phase before they reached a place in a turn.
func (f *propagation) ran(phase, turn, place int) bdd.Set {
	set := bdd.None
	for _, k := range f.byPhase[phase] {
		if e := &f.entries[k]; e.turn < turn || e.turn == turn && phase < place {
			set = f.Or(set, e.set)
		}
	}
	return set
}

// twice reports whether a run enters a phase in two turns.
func (f *propagation) twice(phase int) bool {
	before := bdd.None
	for _, k := range f.byPhase[phase] {
		if f.And(before, f.entries[k].set) != bdd.None {
			return true
		}
		before = f.Or(before, f.entries[k].set)
	}
	return false
}

// precede returns the runs in which an entry of phase a comes before one of phase b.
func (f *propagation) precede(a, b int) bdd.Set {
	set := bdd.None
	for _, k := range f.byPhase[a] {
		for _, m := range f.byPhase[b] {
			if k < m {
				set = f.Or(set, f.And(f.entries[k].set, f.entries[m].set))
			}
		}
	}
	return set
}

// showing returns the runs that enter, under a step, a phase that does not ride, among
// the entries for which want reports true.
func (f *propagation) showing(step string, want func(entering) bool) bdd.Set {
	set := bdd.None
	for _, e := range f.entries {
		if under, ok := e.under[step]; ok && !f.graph.Rides(e.phase) && want(e) {
			set = f.Or(set, under)
		}
	}
	return set
}
