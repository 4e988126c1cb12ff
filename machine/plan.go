package machine

import (
	"slices"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Plan is the result of a static walk through an itinerary. It reports for each phase whether it
// runs from a position on, given the facts. A Plan is immutable and safe for concurrent use, and
// holds no copy of the itinerary.
type Plan struct {
	graph *Graph
	facts phases.Facts
	point
	marks []mark
	loops *loops   // nil without jumps
	room  [64]mark // the marks of itineraries of common size, allocated with the plan
}

// loops is the additional data of a plan with jumps.
type loops struct {
	order   []int        // the phases ahead, in the order of the walk
	matters phases.Flags // the result of Matters
}

// mark holds what a plan records about one phase.
type mark uint8

const (
	truthMask mark = 3      // the guard by current values, a phases.Truth
	tentative mark = 1 << 2 // depends on a flag or path that may still change
	ahead     mark = 1 << 3 // the walk reaches it
	maybe     mark = 1 << 4 // the walk reaches it only if an unknown flag allows
	always    mark = 1 << 5 // runs whatever the flags turn out to be
	never     mark = 1 << 6 // does not run whatever the flags turn out to be
	stepOpen  mark = 1 << 7 // its step depends on a flag that may still change
)

func (m mark) runs() phases.Truth {
	t := phases.Truth(m & truthMask)
	switch {
	case m&ahead == 0, m&never != 0:
		return phases.False
	case m&always != 0:
		return phases.True
	case m&maybe != 0 && t == phases.True:
		return phases.Unknown
	}
	return t
}

// Plan plans the whole itinerary from its start, in one pass over the phases; see [Graph.PlanFrom].
func (g *Graph) Plan(f phases.Facts) *Plan { return g.plan(point{at: start, step: -1}, f) }

// PlanFrom plans the itinerary from a position on. The phase there is in progress: it runs,
// whatever its guard is, and the flags that it decides are tentative until it is done. Phases
// behind it do not run again. The errors are [*UnknownPhaseError] and, for a choice that the phase
// does not declare, [*ChoiceError].
//
// A choice that is not made yet is possible, and so is continuing without one: whatever depends on
// it is unknown.
//
// Guards are evaluated with the current values, tentative or not. A jump is followed unless it
// cannot be taken whatever phases ahead decide. The next phase in order is followed unless the
// jumps together always admit ([Graph.Onward]). A loop whose exit is decided inside it is therefore
// both entered and left.
//
// A phase is planned to run if it runs for every outcome of the deciding phases and every value of
// the unknown flags. If it runs for none of them, it is planned not to run. All other phases are
// unknown or tentative. With jumps this is exact if few flags vary (up to ten with fifty phases).
// With more, a phase whose outcome is certain may be reported as unknown, tentative, or possible.
func (g *Graph) PlanFrom(p Position, f phases.Facts) (*Plan, error) {
	pt, err := g.point(p, f)
	if err != nil {
		return nil, err
	}
	return g.plan(pt, f), nil
}

// newPlan returns a plan without marks.
func (g *Graph) newPlan(pt point, f phases.Facts) *Plan {
	p := &Plan{graph: g, facts: f, point: pt}
	if n := len(g.nodes); n <= len(p.room) {
		p.marks = p.room[:n:n]
	} else {
		p.marks = make([]mark, n)
	}
	return p
}

func (g *Graph) plan(pt point, f phases.Facts) *Plan {
	p := g.newPlan(pt, f)
	if g.jumps {
		p.walk(true)
		return p
	}
	marks, at := p.marks, pt.at // phases behind it have no mark
	var open phases.Flags       // decided by a phase that is not done
	if at >= 0 && at < len(marks) {
		marks[at] = mark(phases.True) | ahead
		open = g.nodes[at].decides
	}
	for i := at + 1; i < len(marks); i++ {
		n := &g.nodes[i]
		t := n.guard.Eval(f)
		m := mark(t) | ahead
		if open != 0 {
			if n.guard.Reads()&open != 0 {
				m |= tentative
			}
			if n.steps != nil && n.stepReads()&open != 0 {
				m |= stepOpen
			}
		}
		if n.decides != 0 && (t != phases.False || n.guard.Eval(f.Forget(open)) != phases.False) {
			open |= n.decides
		}
		marks[i] = m
	}
	return p
}

// mark returns the mark of the phase at index i. It is zero if there is no such phase, or if the
// plan is nil.
func (p *Plan) mark(i int) mark {
	if p == nil || i < 0 || i >= len(p.marks) {
		return 0
	}
	return p.marks[i]
}

// Graph returns the itinerary that was planned. It is nil for a nil plan; all other methods of a
// nil plan report that nothing runs.
func (p *Plan) Graph() *Graph {
	if p == nil {
		return nil
	}
	return p.graph
}

// Facts returns the facts that the plan was made from.
func (p *Plan) Facts() phases.Facts {
	if p == nil {
		return phases.Facts{}
	}
	return p.facts
}

// Position returns the position from which the plan was made.
func (p *Plan) Position() Position {
	if p == nil || p.graph == nil {
		return Position{}
	}
	return p.graph.position(p.point)
}

// Current returns the index of the phase in progress, or -1 at the start and when done.
func (p *Plan) Current() int {
	if p == nil || p.graph == nil || p.at == p.graph.done() {
		return -1
	}
	return p.at
}

// Runs reports whether the phase at index i runs from here on, by current values. It is Unknown
// only if that depends on an unknown flag, or on a choice that is not made. A phase that the
// itinerary does not have does not run.
func (p *Plan) Runs(i int) phases.Truth { return p.mark(i).runs() }

// Tentative reports whether the result of Runs for the phase at index i or, if it runs, its step
// may still change. This is so if one of its guards reads a flag that a phase ahead of it decides,
// or if the only paths to it depend on such a flag. Replan once the deciding phase is done.
func (p *Plan) Tentative(i int) bool {
	m := p.mark(i)
	return m&tentative != 0 || m&stepOpen != 0 && m.runs() != phases.False
}

// Under returns an iterator over the steps that the phase at index i may belong to when it runs, by
// their index in [Graph.Steps], each once. By current values there is one with [phases.True] or, if
// the step depends on unknown flags, several with [phases.Unknown]. For the phase in progress, and
// for an end phase that completed the run, it yields the step under which the phase was entered.
// For a phase that names no step, it yields nothing.
func (p *Plan) Under(i int) func(yield func(step int, t phases.Truth) bool) {
	return func(yield func(int, phases.Truth) bool) {
		if p == nil || i < 0 || i >= len(p.marks) {
			return
		}
		n := &p.graph.nodes[i]
		step := n.step
		switch {
		case n.steps == nil:
		case i == p.at, p.endedBy(i):
			step = p.step
		case p.graph.IsCleanup():
			step, _ = n.stepBy(p.facts, true)
		case p.Guard(i) == phases.False: // it may still admit
			step, _ = n.stepBy(p.facts, true)
		default:
			p.graph.eachStep(i, p.facts, yield)
			return
		}
		if step >= 0 {
			yield(int(step), phases.True)
		}
	}
}

// endedBy reports whether the end phase at index i completed the run. It may be recorded under a
// former name.
func (p *Plan) endedBy(i int) bool {
	if p.at != p.graph.done() {
		return false
	}
	end, ok := p.graph.byName[p.end]
	return ok && end == i
}

// eachStep calls yield with each step that the phase at index i may belong to if it runs, given
// facts in which its guard is not false.
func (g *Graph) eachStep(i int, f phases.Facts, yield func(step int, t phases.Truth) bool) {
	var may []int32
	add := func(step int32) {
		if !slices.Contains(may, step) {
			may = append(may, step)
		}
	}
	if forks, _, ok := g.stepForks(i, f); ok {
		for _, k := range forks {
			if k.to != start {
				add(k.step)
			}
		}
	} else {
		for _, s := range g.nodes[i].steps {
			add(s.step)
		}
		add(g.nodes[i].step)
	}
	slices.Sort(may)
	truth := phases.True
	if len(may) > 1 {
		truth = phases.Unknown
	}
	for _, step := range may {
		if step >= 0 && !yield(int(step), truth) {
			return
		}
	}
}

// stepReads returns the flags on which the step of the phase depends.
func (n *node) stepReads() (reads phases.Flags) {
	for _, s := range n.steps {
		reads |= s.guard.Reads()
	}
	return reads
}

// StepOf returns the index in [Graph.Steps] of the step that the phase at index i belongs to by
// current values, or -1 if it has none. If it may belong to several ([Plan.Under]), StepOf treats
// unknown guards as if they did not admit.
func (p *Plan) StepOf(i int) int {
	if p == nil || i < 0 || i >= len(p.marks) {
		return -1
	}
	if p.graph.nodes[i].steps == nil {
		return p.graph.StepOf(i)
	}
	for step, belongs := range p.Under(i) {
		if belongs == phases.True {
			return step
		}
	}
	step, _ := p.graph.nodes[i].stepBy(p.facts, true)
	return int(step)
}

// Guard returns the guard of the phase at index i, evaluated with current values alone, even for
// phases that are behind.
func (p *Plan) Guard(i int) phases.Truth {
	m := p.mark(i)
	if p != nil && p.loops == nil && i >= 0 && i < p.at && i < len(p.marks) {
		return p.graph.nodes[i].guard.Eval(p.facts)
	}
	return phases.Truth(m & truthMask)
}

// Each calls yield with the index of each phase that the walk reaches, in the order in which it
// first reaches them. It can be used as an iterator.
func (p *Plan) Each(yield func(i int) bool) {
	if p == nil {
		return
	}
	if p.loops != nil {
		for _, i := range p.loops.order {
			if !yield(i) {
				return
			}
		}
		return
	}
	for i := max(p.at, 0); i < len(p.marks); i++ {
		if !yield(i) {
			return
		}
	}
}

// Running returns the names of the phases that run from here on, in the order in which the machine
// enters them. A phase inside a loop is listed once.
func (p *Plan) Running() []string {
	if p == nil {
		return []string{}
	}
	names := make([]string, 0, len(p.marks))
	for i := range p.Each {
		if p.Runs(i) == phases.True {
			names = append(names, p.graph.names[i])
		}
	}
	return names
}

// Matters returns the unknown flags that could change the plan: those that affect the guard of a
// phase or jump ahead, or the step of a phase. The guard of the phase in progress is included if a
// loop can lead back to it. A [phases.Request] evaluates slow sources only for such flags; see
// [Machine.Matters].
//
// If the result is empty, the same phases run under the same steps whatever the unknown flags are.
// Without jumps the reverse also holds: each returned flag affects, for some values of the other
// unknown flags, whether a phase runs or under which step. With jumps Matters may return more,
// because it follows every path that a phase ahead can open by deciding flags.
func (p *Plan) Matters() phases.Flags {
	if p == nil || p.graph == nil {
		return 0
	}
	known := p.facts.Known()
	if known.Has(p.graph.reads) {
		return 0
	}
	if p.loops != nil {
		return p.loops.matters
	}
	var matters phases.Flags
	for i := range p.Each {
		if i == p.at || p.Guard(i) == phases.False {
			continue
		}
		if p.Guard(i) == phases.Unknown {
			matters |= p.graph.nodes[i].guard.Reads() &^ known
		}
		matters |= p.graph.stepDepends(i, p.facts)
	}
	return matters
}

// matters returns Matters of a plan from a point, without making the rest of the plan.
func (g *Graph) matters(pt point, f phases.Facts) phases.Flags {
	if f.Known().Has(g.reads) {
		return 0
	}
	if !g.jumps {
		return g.plan(pt, f).Matters()
	}
	p := g.newPlan(pt, f)
	p.walk(false)
	return p.Matters()
}

// Decides returns the flags decided by the phases ahead that run or may run.
func (p *Plan) Decides() (decides phases.Flags) {
	if p == nil {
		return 0
	}
	for i := range p.marks {
		if p.Runs(i) != phases.False || p.Tentative(i) {
			decides |= p.graph.nodes[i].decides
		}
	}
	return decides
}

// PhasePlan is the part of a plan that describes one phase.
type PhasePlan struct {
	Name string
	// Step is the step that the phase belongs to ([Plan.StepOf]); empty if it has none.
	Step      string
	Runs      phases.Truth
	Tentative bool
	// Why explains why the phase does not run, or what that depends on; nil if it runs.
	Why *Why
}

// Phase describes the phase at index i. It returns the zero value if the itinerary has no such
// phase.
func (p *Plan) Phase(i int) PhasePlan {
	if p == nil || i < 0 || i >= len(p.marks) {
		return PhasePlan{}
	}
	out := PhasePlan{Name: p.graph.names[i], Runs: p.Runs(i), Tentative: p.Tentative(i), Why: p.Why(i)}
	if k := p.StepOf(i); k >= 0 {
		out.Step = p.graph.steps[k]
	}
	return out
}

// Kinds of reasons in addition to the parts of a guard ([phases.PartAll], [phases.PartAny],
// [phases.PartNone]).
const (
	// WhyJump: the guard would admit, but a jump leads past the phase.
	WhyJump = "jump"
	// WhyChoice: it depends on a choice that a handler has not made yet.
	WhyChoice = "choice"
	// WhyStep: the phase runs, but under another of its steps.
	WhyStep = "step"
	// WhyBehind: the run has passed the phase.
	WhyBehind = "behind"
)

// Why explains why a phase does not run, or why that is unknown.
type Why struct {
	// Guard is the part of the guard that does not admit, or another kind: "all", "any", "none",
	// "jump", "choice", "step" or "behind".
	Guard string `json:"guard"`
	// Flags are the flags responsible: false flags of all and any, true flags of none, or unknown
	// flags on which it depends.
	Flags []string `json:"flags"`
	// DecidedBy lists the earlier phases that decide one of these flags, at most [MaxDecidedBy].
	DecidedBy []string `json:"decidedBy"`
	// Text is the reason as part of a sentence, such as "needs HasPVs".
	Text string `json:"text"`
}

// Why explains why the phase at index i does not run from here on, or what that depends on. It
// returns nil for a phase that runs, and for one that the itinerary does not have.
func (p *Plan) Why(i int) *Why {
	if p == nil || i < 0 || i >= len(p.marks) {
		return nil
	}
	g, t := p.graph, p.Runs(i)
	if t == phases.True {
		return nil
	}
	if p.marks[i]&ahead == 0 && i < p.at {
		text := "is behind: the run is done"
		if c := p.Current(); c >= 0 {
			text = "is behind: the run is at " + g.names[c]
		}
		return &Why{Guard: WhyBehind, Flags: []string{}, DecidedBy: []string{}, Text: text}
	}
	part, flags := g.nodes[i].guard.Unmet(p.facts)
	if part == "" || p.Guard(i) != t {
		return p.whyJump(i, t)
	}
	return g.whyFlags(i, part, flags, t)
}

// WhyUnder explains why the phase at index i does not run under the step at index step of
// [Graph.Steps], or what that depends on. It returns nil if the phase runs under that step, and for
// a phase that the itinerary does not have.
func (p *Plan) WhyUnder(i, step int) *Why {
	why := p.Why(i)
	if p == nil || i < 0 || i >= len(p.marks) || why != nil && p.Runs(i) == phases.False {
		return why
	}
	for k, t := range p.Under(i) {
		if k == step && t == phases.True {
			return why
		}
	}
	g := p.graph
	var guard phases.Guard
	for _, s := range g.nodes[i].steps {
		guard = s.guard
		if int(s.step) == step {
			if part, flags := guard.Unmet(p.facts); part != "" {
				return g.whyFlags(i, part, flags, guard.Eval(p.facts))
			}
		}
		if guard.Eval(p.facts) != phases.False {
			break
		}
	}
	flags := guard.Reads()
	if unknown := flags &^ p.facts.Known(); unknown != 0 {
		return g.whyFlags(i, WhyStep, unknown, phases.Unknown)
	}
	text := "runs under no step"
	if k := p.StepOf(i); k >= 0 {
		text = "runs under " + g.steps[k]
	}
	return &Why{Guard: WhyStep, Flags: g.Vocabulary().Names(flags), DecidedBy: g.decidedBy(i, flags), Text: text}
}

// whyFlags returns a reason of the given kind for the phase at index i, which names the flags. If t
// is unknown, so are the flags.
func (g *Graph) whyFlags(i int, kind string, flags phases.Flags, t phases.Truth) *Why {
	names := g.Vocabulary().Names(flags)
	return &Why{Guard: kind, Flags: names, DecidedBy: g.decidedBy(i, flags), Text: whyText(kind, t, names)}
}

func whyText(part string, t phases.Truth, names []string) string {
	switch {
	case t == phases.Unknown && len(names) == 1:
		return "depends on " + names[0] + ", which is unknown"
	case t == phases.Unknown:
		return "depends on " + wording.List(names, "and") + ", which are unknown"
	case part == phases.PartAny:
		return "needs " + wording.List(names, "or")
	case part == phases.PartNone:
		return "runs only without " + wording.List(names, "and")
	}
	return "needs " + wording.List(names, "and")
}

// whyJump names the jump that leads past a phase, or the one that decides whether the phase is
// reached. It takes the jump of the nearest phase before it, else of the last in the itinerary.
func (p *Plan) whyJump(i int, t phases.Truth) *Why {
	g := p.graph
	for k := range g.nodes {
		from := (i - 1 - k + len(g.nodes)) % len(g.nodes)
		if p.Runs(from) == phases.False {
			continue
		}
		n := &g.nodes[from]
		if from == p.at && p.choice > 0 && t == phases.False {
			text := "is not reached: " + g.names[from] + " jumps to " + g.names[n.jumps[p.choice-1].to]
			return &Why{Guard: WhyJump, Flags: []string{}, DecidedBy: []string{}, Text: text}
		}
		if t == phases.Unknown && p.mayChoose(from, func(to int) bool { return from < to && to <= i }) {
			return g.whyChoice(from)
		}
		for _, j := range n.jumps {
			if j.choice {
				continue
			}
			now := j.guard.Eval(p.facts)
			past := t == phases.False && now != phases.False && j.to != i
			if past && j.to == g.done() {
				text := "is not reached: " + g.names[from] + " is the end"
				return &Why{Guard: WhyJump, Flags: []string{}, DecidedBy: []string{}, Text: text}
			}
			if past {
				flags := j.guard.Reads()
				return &Why{Guard: WhyJump, Flags: g.Vocabulary().Names(flags), DecidedBy: g.decidedBy(from+1, flags),
					Text: "is not reached: " + g.names[from] + " jumps to " + g.names[j.to]}
			}
			unknown := (j.guard.Reads() | n.guard.Reads()) &^ p.facts.Known()
			if t == phases.Unknown && (now == phases.Unknown || now == phases.True && p.Runs(from) == phases.Unknown) && unknown != 0 {
				return &Why{Guard: WhyJump, Flags: g.Vocabulary().Names(unknown), DecidedBy: g.decidedBy(from+1, unknown),
					Text: "depends on whether " + g.names[from] + " jumps to " + g.name(j.to)}
			}
		}
	}
	if t == phases.Unknown {
		if from := p.chooses(i); from >= 0 {
			return g.whyChoice(from)
		}
	}
	return &Why{Guard: WhyJump, Flags: []string{}, DecidedBy: []string{}, Text: "is not reached"}
}

// chooses returns the index of the nearest phase before index i that runs or may run and has a
// choice that is not made yet. If there is none before i, it returns the last such phase of the
// itinerary, or -1.
func (p *Plan) chooses(i int) int {
	g := p.graph
	for k := range g.nodes {
		from := (i - 1 - k + len(g.nodes)) % len(g.nodes)
		if p.Runs(from) != phases.False && p.mayChoose(from, func(int) bool { return true }) {
			return from
		}
	}
	return -1
}

// mayChoose reports whether the phase at index i has a choice that is not made yet and leads to an
// index for which leads is true.
func (p *Plan) mayChoose(i int, leads func(to int) bool) bool {
	made := i == p.at && p.finished
	return !made && slices.ContainsFunc(p.graph.nodes[i].jumps, func(j jump) bool { return j.choice && leads(j.to) })
}

func (g *Graph) whyChoice(i int) *Why {
	text := "depends on the choice of " + g.names[i]
	return &Why{Guard: WhyChoice, Flags: []string{}, DecidedBy: []string{}, Text: text}
}

// name returns the name of the phase at index i, or "done".
func (g *Graph) name(i int) string {
	if i == g.done() {
		return "done"
	}
	return g.names[i]
}

// MaxDecidedBy is the largest number of deciding phases that a reason names. If there are more, it
// names the last ones.
const MaxDecidedBy = 32

// decider describes a phase that decides flags.
type decider struct {
	index   int
	decides phases.Flags
	lowest  int // the lowest index to which a path leads from there
}

// decidedBy returns the phases that decide one of the flags and from which a path leads to the
// phase at index i, whatever the guards are.
func (g *Graph) decidedBy(i int, flags phases.Flags) []string {
	names := []string{}
	for _, d := range slices.Backward(g.deciders()) {
		if d.decides&flags != 0 && d.lowest <= i && len(names) < MaxDecidedBy {
			names = append(names, g.names[d.index])
		}
	}
	slices.Reverse(names)
	return names
}

// findDeciders lists the phases that decide flags, in order. Every index leads to all indices after
// it. If a jump from an index or a later one leads further back, the lowest index reached is the
// lowest one reached from the target of that jump.
func (g *Graph) findDeciders() []decider {
	n := len(g.nodes)
	back := make([]int, n+1) // the lowest target of a jump from here or later
	back[n] = n
	for i := n - 1; i >= 0; i-- {
		back[i] = back[i+1]
		for _, j := range g.nodes[i].jumps {
			back[i] = min(back[i], j.to)
		}
	}
	lowest := make([]int, n+1)
	for i := range lowest {
		lowest[i] = i
		if back[i] < i {
			lowest[i] = lowest[back[i]]
		}
	}
	var all []decider
	for i := range g.nodes {
		decides := g.itinerary.Phases[i].Decides
		if decides == 0 {
			continue
		}
		d := decider{index: i, decides: decides, lowest: lowest[i+1]}
		for _, j := range g.nodes[i].jumps {
			d.lowest = min(d.lowest, lowest[j.to])
		}
		all = append(all, d)
	}
	return all
}
