package verify

import (
	"fmt"
	"slices"

	"github.com/konveyor/dynamic-pipeline/internal/bdd"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// inFlightState is a state in flight: runs that are recorded in a phase.
type inFlightState struct {
	phase, turn int
	// workDone means that the work of the phase is done; choice is the phase that its
	// handler chose then, or -1.
	workDone bool
	choice   int
	set      bdd.Set
	values   []flagValue
	entered  []flagValue // values when the phase was entered
	found    []string    // the flags that the phase has decided, if its work is done
}

// inspection finds the breaks that runs of one itinerary meet in one direction.
type inspection struct {
	*pair
	old, new  *Release // the release that runs leave, and the one that resumes them
	direction Direction
	itinerary string
	thorough  bool

	begin          bdd.Set      // the starts that both releases allow
	past           *propagation // all runs of old, from the start
	restarts       *propagation // all runs of new, from the start
	inFlightStates []*inFlightState
	found          map[string]*foundBreak
	// order lists the fingerprints in the order in which they were found.
	order []string
}

// foundBreak is a break, and the states that meet it.
type foundBreak struct {
	Break
	smallest int // the number of true flags in its state
	hits     []hit
	every    bool // every run of the itinerary meets it
}

type hit struct {
	at  *inFlightState
	set bdd.Set
}

func newInspection(old, new *Release, d Direction, itinerary string, o CompatOptions) *inspection {
	n := &inspection{
		old: old, new: new, direction: d, itinerary: itinerary, thorough: o.everything,
		found: make(map[string]*foundBreak),
	}
	if old.byName[itinerary] != nil && new.byName[itinerary] != nil {
		n.pair = newPair(newWorld(o.MaxNodes, o.MaxVisits), old, new, itinerary)
	}
	return n
}

// add records a break that does not depend on a state.
func (n *inspection) add(b Break) *foundBreak {
	b.Direction, b.Itinerary = n.direction, n.itinerary
	f := &foundBreak{Break: b, every: true}
	key := b.Fingerprint()
	n.found[key] = f
	n.order = append(n.order, key)
	return f
}

// meet records a break that the runs of the set meet in a state.
func (n *inspection) meet(at *inFlightState, set bdd.Set, b Break, format string, args ...any) {
	if set == bdd.None || !n.ok() {
		return
	}
	b.Direction, b.Itinerary = n.direction, n.itinerary
	key := b.Fingerprint()
	f := n.found[key]
	if f != nil && f.smallest == 0 {
		f.hits = append(f.hits, hit{at, set})
		return
	}
	state := n.smallest(at, set)
	if state == nil {
		return
	}
	if f == nil {
		f = &foundBreak{smallest: -1}
		n.found[key] = f
		n.order = append(n.order, key)
	}
	f.hits = append(f.hits, hit{at, set})
	if trues := len(state.Facts.True); f.smallest < 0 || trues < f.smallest {
		b.State, b.Text = state, fmt.Sprintf(format, args...)
		f.Break, f.smallest = b, trues
	}
}

// smallest describes the state with the fewest true flags among runs of the set.
func (n *inspection) smallest(at *inFlightState, set bdd.Set) *InFlight {
	s := n.from
	facts := set // projected to the present values of the flags
	kept := make(map[int]bool)
	for i, name := range n.flags {
		if !s.reads[i] {
			continue
		}
		v := n.Var(n.number(variable{kind: nowTrue, name: name}))
		kept[n.number(variable{kind: nowTrue, name: name})] = true
		now := s.known(at.values[i], true)
		facts = n.And(facts, n.Ite(now, v, n.Not(v)))
	}
	for k := len(n.numbers) - 1; k >= 0; k-- {
		if !kept[k] {
			facts = n.Exists(facts, k)
		}
	}
	few, ok := n.Smallest(facts)
	if !ok {
		return nil
	}
	for i, name := range n.flags {
		if s.reads[i] {
			now := s.known(at.values[i], true)
			if !slices.Contains(few, n.number(variable{kind: nowTrue, name: name})) {
				now = n.Not(now)
			}
			set = n.And(set, now)
		}
	}
	one, ok := n.Smallest(set)
	if !ok {
		return nil
	}
	is := func(v int) bool { return slices.Contains(one, v) }
	var yes, no phases.Flags
	for _, d := range s.graph.Vocabulary().Defs() {
		i := s.indices[bit(d.Flag)]
		switch {
		case i < 0 || !s.reads[i]:
		case n.Contains(s.known(at.values[i], true), is):
			yes |= d.Flag
		case n.Contains(s.known(at.values[i], false), is):
			no |= d.Flag
		}
	}
	state := &InFlight{
		Itinerary: n.itinerary, Phase: s.graph.Phase(at.phase).Name, WorkDone: at.workDone,
		Facts: s.graph.Vocabulary().Record(phases.NewFacts(yes, no), s.graph.Hash()), Ran: []string{},
	}
	if at.choice >= 0 {
		state.Choice = s.graph.Phase(at.choice).Name
	}
	for i := range s.graph.Len() {
		if n.Contains(n.past.ran(i, at.turn, at.phase), is) {
			state.Ran = append(state.Ran, s.graph.Phase(i).Name)
		}
	}
	return state
}

// inspect finds all breaks of the itinerary.
func (n *inspection) inspect() {
	g := n.old.byName[n.itinerary]
	if n.pair == nil {
		f := n.add(Break{
			Rule: RuleItineraryGone, Kind: StateKind,
			Text: fmt.Sprintf("%s has no itinerary %s, so a run in it cannot be resumed", n.new.name, n.itinerary),
		})
		f.State = &InFlight{Itinerary: n.itinerary, Facts: g.Vocabulary().Record(phases.Facts{}, g.Hash()), Ran: []string{}}
		return
	}
	n.definitions()
	if !n.thorough && g.Hash() == n.to.graph.Hash() && slices.Equal(names(g), names(n.to.graph)) {
		// The hash covers everything that runs and plans depend on, and recorded phases
		// are found under their names, so nothing changes for any run.
		return
	}
	n.computeStates()
	for _, at := range n.inFlightStates {
		n.resume(at)
	}
	if n.ok() {
		n.propagate()
	}
	if err := n.failure(); err != nil {
		n.add(Break{
			Rule: RuleInconclusive, Kind: StateKind,
			Text: fmt.Sprintf("not every state in flight of %s was examined: %v", n.itinerary, err),
		})
	}
}

func names(g *machine.Graph) []string {
	all := make([]string, g.Len())
	for i := range all {
		all[i] = g.Phase(i).Name
	}
	return all
}

// definitions compares the parts of the definitions that do not depend on a state.
func (n *inspection) definitions() {
	a, b := n.from.graph, n.to.graph
	if a.IsCleanup() != b.IsCleanup() {
		text := "waits for unknown flags in %s; in %s it is a cleanup itinerary, " +
			"which runs a phase whose guard is unknown and passes by one that fails"
		if a.IsCleanup() {
			text = "is a cleanup itinerary in %s; in %s it waits for unknown flags, and does not pass by a phase that fails"
		}
		n.add(Break{Rule: RuleDefinitionChanged, Kind: WorkKind, Text: n.itinerary + " " + fmt.Sprintf(text, n.old.name, n.new.name)})
	}
	if a.Result() != b.Result() {
		n.add(Break{
			Rule: RuleDefinitionChanged, Kind: ViewKind,
			Text: fmt.Sprintf("a run that ends in %s without a failure has the result %s in %s, and %s in %s",
				n.itinerary, a.Result(), n.old.name, b.Result(), n.new.name),
		})
	}
	if a.Hash() != b.Hash() {
		n.add(Break{
			Rule: RuleDefinitionChanged, Kind: DefinitionKind,
			Text: fmt.Sprintf("the definition of %s differs, so a run in flight is replanned", n.itinerary),
		})
	}
}

// computeStates computes every state that a run can be in.
func (n *inspection) computeStates() {
	s := n.from
	start := s.start()
	allowed := s.relations(start, func(clause) bool { return true })
	n.past = s.propagate(past, allowed, start)
	n.begin = n.And(allowed, n.askable(allowed, start))
	n.restarts = n.to.propagate(restarts, n.begin, start)
	for _, e := range n.past.entries {
		if s.graph.IsEnd(e.phase) {
			continue
		}
		n.inFlightStates = append(n.inFlightStates, &inFlightState{
			phase: e.phase, turn: e.turn, choice: -1, set: e.set, values: e.values, entered: e.values,
		})
		p := s.graph.Phase(e.phase)
		chooses := slices.ContainsFunc(p.Jumps, func(j phases.Jump) bool { return j.Choice })
		if i, err := n.to.graph.Lookup(p.Name); err == nil {
			chooses = chooses || slices.ContainsFunc(n.to.graph.Phase(i).Jumps, func(j phases.Jump) bool { return j.Choice })
		}
		if s.graph.Decides(e.phase) == 0 && !chooses {
			continue // the same as before the work is done
		}
		set, values := s.decide(e.phase, e.set, e.values, past, e.turn)
		done := inFlightState{phase: e.phase, turn: e.turn, workDone: true, values: values, entered: e.values,
			found: s.graph.Vocabulary().Names(s.graph.Decides(e.phase))}
		add := func(choice int, set bdd.Set) {
			if set != bdd.None {
				one := done
				one.choice, one.set = choice, set
				n.inFlightStates = append(n.inFlightStates, &one)
			}
		}
		for _, c := range s.choices(e.phase, past, e.turn) {
			add(c.to, n.And(set, c.set))
			set = n.Minus(set, c.set)
		}
		add(-1, set)
	}
}

// askable returns the assignments in which the flags that only the other release has
// agree with its relations. If no values of these flags agree, all are allowed.
func (n *inspection) askable(set bdd.Set, values []flagValue) bdd.Set {
	allowed := n.to.relations(values, func(c clause) bool { return c.fresh })
	some := allowed
	for _, name := range n.flags {
		if _, ok := n.old.flags.Lookup(name); !ok {
			some = n.Exists(some, n.number(variable{kind: isTrue, name: name}))
		}
	}
	return n.Or(allowed, n.Minus(set, some))
}

// resume finds states that cannot be resumed.
func (n *inspection) resume(at *inFlightState) {
	p := n.from.graph.Phase(at.phase)
	to, err := n.to.graph.Lookup(p.Name)
	if err != nil {
		n.meet(at, at.set, Break{Rule: RulePhaseGone, Kind: StateKind, Phase: p.Name},
			"%s has no phase %s in %s, so a run that is recorded there cannot be resumed", n.new.name, p.Name, n.itinerary)
	}
	if at.choice < 0 || err == nil && (n.to.graph.IsEnd(to) || n.chosen(at, to) >= 0) {
		return
	}
	target := n.from.graph.Phase(at.choice).Name
	n.meet(at, at.set, Break{Rule: RulePhaseGone, Kind: StateKind, Phase: p.Name, Choice: target},
		"%s does not have the choice of %s after %s in %s, so a run whose handler made it cannot be resumed",
		n.new.name, target, p.Name, n.itinerary)
}

// chosen returns the phase that a recorded choice leads to in the other release, or -1
// if that release does not have the choice.
func (n *inspection) chosen(at *inFlightState, phase int) int {
	to, err := n.to.graph.Lookup(n.from.graph.Phase(at.choice).Name)
	if err != nil {
		return -1
	}
	for _, j := range n.to.graph.Phase(phase).Jumps {
		if k, err := n.to.graph.Lookup(j.To); err == nil && j.Choice && k == to {
			return to
		}
	}
	return -1
}

// resumed is a resumed state and the runs from there, in both releases.
type resumed struct {
	*inFlightState
	phase int          // in the other release
	ahead *propagation // in the other release
	// stays are the runs under the unchanged release, as far as want selects them.
	stays *propagation
	want  func(entering) bool
	ran   []bdd.Set // by phase
	still []bdd.Set // by phase: entered ahead under the unchanged release
}

// propagate resumes every state and finds the breaks that it meets.
func (n *inspection) propagate() {
	a, b := n.from.graph, n.to.graph
	watched := make(map[int]bool)
	for i := range n.flags {
		if n.to.reads[i] && !n.from.reads[i] {
			watched[i] = true
		}
	}
	w := n.workRules()
	v := n.viewRules()
	for _, at := range n.inFlightStates {
		to, err := b.Lookup(a.Phase(at.phase).Name)
		choice := -1
		if err == nil && at.choice >= 0 && !b.IsEnd(to) {
			if choice = n.chosen(at, to); choice < 0 {
				continue
			}
		}
		if err != nil || !n.visit(a.Len()) {
			continue
		}
		r := &resumed{inFlightState: at, phase: to}
		values := slices.Clone(at.values)
		if b.IsCleanup() && !a.IsCleanup() { // a waiting itinerary knows the flags that it has read
			for i := range values {
				if n.from.reads[i] {
					values[i].unknown = bdd.None
				}
			}
		}
		set := n.And(at.set, n.askable(at.set, values))
		r.ahead = n.to.propagateFrom(resumes, at, to, choice, set, values, watched)
		r.stays, r.want = n.past, func(e entering) bool {
			return e.turn > at.turn || e.turn == at.turn && e.phase > at.phase
		}
		if slices.Contains(n.from.heads, true) {
			r.stays = n.from.propagateFrom(stays, at, at.phase, at.choice, at.set, at.values, nil)
			r.want = func(entering) bool { return true }
		}
		for i := range a.Len() {
			r.ran = append(r.ran, n.past.ran(i, at.turn, at.phase))
			still := bdd.None
			for _, k := range r.stays.byPhase[i] {
				if e := r.stays.entries[k]; r.want(e) {
					still = n.Or(still, e.set)
				}
			}
			r.still = append(r.still, still)
		}
		w.find(r)
		v.find(r)
		n.flagRules(r, watched)
	}
}

// flagRules finds flags whose recorded values are ignored, and flags that a run has not
// recorded.
func (n *inspection) flagRules(r *resumed, watched map[int]bool) {
	for i, name := range n.flags {
		if _, ok := n.new.flags.Lookup(name); !ok && n.from.reads[i] {
			n.meet(r.inFlightState, r.set, Break{Rule: RuleFlagGone, Kind: DefinitionKind, Flag: name},
				"%s does not have the flag %s, so the value that a run has recorded is ignored", n.new.name, name)
		}
		if !watched[i] {
			continue
		}
		kind, then := ViewKind, "the steps that depend on it are not known until it is evaluated"
		if n.to.graph.IsCleanup() {
			kind, then = WorkKind, "the phases that depend on it run although it is unknown, unless it can be evaluated"
		}
		n.meet(r.inFlightState, n.And(r.set, r.ahead.depends[i]), Break{Rule: RuleFlagNew, Kind: kind, Flag: name},
			"a run at %s has not recorded %s, which guards ahead of it read in %s: %s",
			n.from.graph.Phase(r.inFlightState.phase).Name, name, n.new.name, then)
	}
}

// workRules finds phases that a resumed run enters twice, never, or in another order.
type workRules struct {
	*inspection
	// often are the phases that one of the releases enters twice by itself.
	often []bool
	// swapped are pairs of phases that the other release enters in the opposite order,
	// and swaps the runs in which it does.
	swapped [][2]int
	swaps   []bdd.Set
}

func (n *inspection) workRules() *workRules {
	w := &workRules{inspection: n, often: make([]bool, len(n.same))}
	for i, k := range n.same {
		w.often[i] = k < 0 || n.past.twice(i) || n.restarts.twice(k)
	}
	for a, x := range n.same {
		for b, y := range n.same {
			if a == b || x == y || w.often[a] || w.often[b] || !n.visit(1) {
				continue
			}
			swap := n.restarts.precede(y, x) // b before a
			if swap = n.And(swap, n.past.precede(a, b)); swap != bdd.None {
				w.swapped = append(w.swapped, [2]int{a, b})
				w.swaps = append(w.swaps, swap)
			}
		}
	}
	return w
}

func (w *workRules) find(r *resumed) {
	a, b := w.from.graph, w.to.graph
	at := a.Phase(r.inFlightState.phase).Name
	// The runs that reach the end and, if there are loops, those that never do,
	// whatever the loops find.
	settled := w.And(r.set, r.ahead.done)
	if slices.Contains(w.to.heads, true) {
		settled = w.Or(settled, w.Minus(r.set, r.ahead.some(r.ahead.ends())))
	}
	for i, k := range w.same {
		if k < 0 || a.IsEnd(i) || b.IsEnd(k) {
			continue
		}
		name := a.Phase(i).Name
		if i == r.inFlightState.phase {
			if !w.often[i] {
				w.meet(r.inFlightState, w.And(r.set, r.ahead.entered[k]), Break{Rule: RulePhaseRepeated, Kind: WorkKind, Phase: name},
					"a run of %s that is at %s returns to it under %s, and runs it again", w.old.name, at, w.new.name)
			}
			continue
		}
		if !w.often[i] {
			again := r.ahead.entered[k]
			if k == r.phase && !r.workDone {
				again = bdd.All
			}
			w.meet(r.inFlightState, w.And(r.set, r.ran[i], again), Break{Rule: RulePhaseRepeated, Kind: WorkKind, Phase: name},
				"%s ran before a run of %s reaches %s, and %s runs it again after that", name, w.old.name, at, w.new.name)
		}
		if k != r.phase {
			// A phase is skipped only if the run does not enter it whatever the loops
			// ahead find, because lives with different turns are not comparable.
			never := w.Minus(settled, w.Or(r.ran[i], r.ahead.some(r.ahead.entered[k])))
			w.meet(r.inFlightState, w.And(never, r.still[i], w.restarts.entered[k]),
				Break{Rule: RulePhaseSkipped, Kind: WorkKind, Phase: name},
				"%s has not run when a run of %s reaches %s, and %s does not run it after that", name, w.old.name, at, w.new.name)
		}
	}
	w.reordered(r)
}

// reordered finds runs whose phases come in an order that neither release has: the new
// release swaps two phases that have run before, and the old one swapped two that are
// ahead.
func (w *workRules) reordered(r *resumed) {
	before := bdd.None
	ranOrIn := func(i int) bdd.Set {
		if i == r.inFlightState.phase {
			return bdd.All
		}
		return r.ran[i]
	}
	var first [2]int
	for k, p := range w.swapped {
		set := w.And(r.set, ranOrIn(p[0]), ranOrIn(p[1]), w.swaps[k])
		if set != bdd.None && before == bdd.None {
			first = p
		}
		before = w.Or(before, set)
	}
	if before == bdd.None {
		return
	}
	g := w.from.graph
	for a, x := range w.same { // a comes first in the old release, and b in the new one
		for b, y := range w.same {
			if a == b || x == y || w.often[a] || w.often[b] || !w.visit(1) {
				continue
			}
			ahead := w.And(before, r.still[a], r.still[b], r.stays.precede(a, b), r.ahead.precede(y, x))
			ahead = w.Minus(ahead, w.Or(r.ran[a], r.ran[b]))
			w.meet(r.inFlightState, ahead, Break{Rule: RulePhaseReordered, Kind: WorkKind, Phase: g.Phase(b).Name},
				"a run at %s has run %s before %s, an order of only %s, and then runs %s before %s, an order of only %s",
				g.Phase(r.inFlightState.phase).Name, g.Phase(first[0]).Name, g.Phase(first[1]).Name, w.old.name,
				g.Phase(b).Name, g.Phase(a).Name, w.new.name)
		}
	}
}

// viewRules finds steps that change for users.
type viewRules struct {
	*inspection
	swapped [][2]string // steps that may change places
}

func (n *inspection) viewRules() *viewRules {
	v := &viewRules{inspection: n}
	for _, s := range n.from.graph.Steps() {
		for _, t := range n.from.graph.Steps() {
			if s != t && mayPrecede(n.from.graph, s, t) && mayPrecede(n.to.graph, t, s) {
				v.swapped = append(v.swapped, [2]string{s, t})
			}
		}
	}
	return v
}

// mayPrecede reports whether a phase of one step comes before one of another.
func mayPrecede(g *machine.Graph, s, t string) bool {
	x, y := g.StepIndex(s), g.StepIndex(t)
	if x < 0 || y < 0 {
		return false
	}
	before := false
	for i := range g.Len() {
		steps := g.StepsOf(i)
		if before && slices.Contains(steps, y) {
			return true
		}
		before = before || slices.Contains(steps, x)
		for _, j := range g.Phase(i).Jumps {
			if k, err := g.Lookup(j.To); err == nil && k <= i {
				return true // a jump back: the order of entry is not that of the itinerary
			}
		}
	}
	return false
}

func (v *viewRules) find(r *resumed) {
	a, b := v.from.graph, v.to.graph
	at := a.Phase(r.inFlightState.phase).Name
	all := func(entering) bool { return true }
	// The step of the phase in progress, in both releases: it is fixed when the phase
	// is entered, unless the other release does not have it.
	in := v.from.steps(r.inFlightState.phase, r.set, r.entered)
	if a.Rides(r.inFlightState.phase) {
		in = nil
	}
	inNew := make(map[string]bdd.Set)
	if !b.Rides(r.phase) && !b.IsEnd(r.phase) {
		inNew = v.resumedSteps(r, in)
	}
	started := func(step string) bdd.Set {
		return v.Or(in[step], v.past.showing(step, func(e entering) bool {
			return e.turn < r.turn || e.turn == r.turn && e.phase < r.inFlightState.phase
		}))
	}
	for _, step := range a.Steps() {
		open := v.And(r.set, v.Or(in[step], r.stays.showing(step, r.want)))
		gone := v.Minus(v.And(open, r.ahead.done), v.Or(inNew[step], r.ahead.some(r.ahead.showing(step, all))))
		if b.StepIndex(step) >= 0 {
			gone = v.Minus(gone, v.Minus(started(step), in[step]))
		}
		v.meet(r.inFlightState, gone, Break{Rule: RuleStepGone, Kind: ViewKind, Step: step},
			"step %s is open when a run of %s reaches %s, and no phase ahead belongs to it under %s", step, v.old.name, at, v.new.name)
	}
	for _, p := range v.swapped {
		set := v.And(r.set, v.first(r.stays, p[0], p[1], r.want), v.first(r.ahead, p[1], p[0], all))
		set = v.Minus(set, v.Or(started(p[0]), started(p[1]), inNew[p[0]], inNew[p[1]], r.ahead.some(v.first(r.ahead, p[0], p[1], all))))
		v.meet(r.inFlightState, set, Break{Rule: RuleStepReordered, Kind: ViewKind, Step: p[1]},
			"steps %s and %s are ahead of a run at %s in this order; under %s they change places", p[0], p[1], at, v.new.name)
	}
}

// resumedSteps returns the steps of the phase in progress in the other release, each
// with the runs that are in the phase under it.
func (v *viewRules) resumedSteps(r *resumed, in map[string]bdd.Set) map[string]bdd.Set {
	g := v.to.graph
	kept := make(map[string]bdd.Set)
	rest := r.set
	for _, k := range g.StepsOf(r.phase) {
		step := g.Steps()[k]
		if under := in[step]; under != bdd.None && len(v.from.graph.Phase(r.inFlightState.phase).Steps) > 0 {
			kept[step] = under
			rest = v.Minus(rest, under)
		}
	}
	for step, under := range v.to.steps(r.phase, rest, r.values) {
		kept[step] = v.Or(kept[step], under)
	}
	return kept
}

// first returns the runs in which a step is reached before another, among the entries
// for which want reports true.
func (v *viewRules) first(f *propagation, s, t string, want func(entering) bool) bdd.Set {
	neither, set := bdd.All, bdd.None
	for _, e := range f.entries {
		if want(e) {
			set = v.Or(set, v.And(neither, e.under[s]))
			neither = v.Minus(neither, v.Or(e.under[s], e.under[t]))
		}
	}
	// Both are shown.
	return v.And(set, f.showing(s, want), f.showing(t, want))
}
