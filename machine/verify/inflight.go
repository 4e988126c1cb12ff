package verify

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/konveyor/dynamic-pipeline/internal/bdd"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// world holds the variables of one comparison of two itineraries: one assignment of
// them is one history of the world. The variables are the flags at the start of a run
// and, for each phase and each flag that it decides, what the phase finds. A run is a
// function of these, and so is the set of phases that ran.
//
// Variables are numbered in the order in which they are first requested: the flags at
// the start, then the findings of phases in the order in which runs reach them.
type world struct {
	*bdd.Space
	numbers map[variable]int
	// found are, by life, the variables of the findings of phases in loops.
	found map[life][]int
	// flags are the names of the flags that count.
	flags  []string
	visits int // remaining
	err    error
}

// variable names a variable.
type variable struct {
	kind  variableKind
	phase identity // zero at the start
	name  string   // of a flag, or of the target of a choice
	life  life
	turn  int
}

type variableKind byte

const (
	isTrue    variableKind = iota // the flag is true
	isUnknown                     // a cleanup itinerary does not learn the flag
	isChosen                      // the handler chooses the target
	// State variables, see fresh.
	nowTrue
	nowUnknown
	hasRun
)

// identity is a phase in both releases: its name in the release that runs leave or, if
// only the other release has it, its name there.
type identity struct {
	other bool
	name  string
}

func (a identity) compare(b identity) int { return cmp.Compare(a.String(), b.String()) }

func (a identity) String() string {
	if a.other {
		return "other " + a.name
	}
	return "phase " + a.name
}

// life is the run that a phase in a loop belongs to. All other phases are entered at
// most once and find the same in every life. The findings of a phase in a loop differ
// from turn to turn, and turns of different lives are not comparable, so each life has
// separate variables.
type life byte

const (
	past     life = iota // under the release that is left
	stays                // the same run under the unchanged release
	resumes              // the same run under the other release
	restarts             // another run, under the other release from start to end
)

// visitsError reports that the bound of visits was hit.
type visitsError struct{}

func (*visitsError) Error() string {
	return "there are too many phases to examine each state in flight"
}

func newWorld(nodes, visits int) *world {
	return &world{
		Space: bdd.New(1<<30, nodes), visits: visits,
		numbers: make(map[variable]int), found: make(map[life][]int),
	}
}

// visit counts n visits, and reports whether the comparison may continue.
func (w *world) visit(n int) bool {
	if w.visits -= n; w.visits < 0 && w.err == nil {
		w.err = &visitsError{}
	}
	return w.ok()
}

func (w *world) ok() bool { return w.failure() == nil }

// failure returns the error of the bound that was hit, or nil.
func (w *world) failure() error {
	if err := w.Err(); err != nil {
		return err
	}
	return w.err
}

// number returns the number of a variable.
func (w *world) number(x variable) int {
	n, ok := w.numbers[x]
	if !ok {
		n = len(w.numbers)
		w.numbers[x] = n
	}
	return n
}

// flagValue is a flag in each assignment: its real value, and whether a cleanup
// itinerary does not know it. Waiting itineraries learn each flag that the next
// transition depends on, so both values of an unknown flag are examined.
type flagValue struct{ true, unknown bdd.Set }

// side is the itinerary of one release in a comparison.
type side struct {
	*world
	graph   *machine.Graph
	ids     []identity
	loops   []bool  // by phase: it, or its counterpart, is in a loop
	heads   []bool  // by place: a jump leads back to it
	indices [64]int // by bit of the vocabulary: index among the flags that count, or -1
	reads   []bool  // by flag that counts: the itinerary reads it
	varies  []bool  // by flag that counts: a phase in a loop decides it
	clauses []clause
	// unknowns reports whether one of the two itineraries is a cleanup itinerary.
	unknowns bool
}

// clause is a relation of the flags that count.
type clause struct {
	literals []literal
	// fresh reports whether the relation reads a flag that the other release does not
	// have.
	fresh bool
}

type literal struct {
	flag int
	is   bool
}

// start returns the values of the flags at the start of a run.
func (s *side) start() []flagValue {
	values := make([]flagValue, len(s.flags))
	for i, name := range s.flags {
		values[i].true = s.Var(s.number(variable{kind: isTrue, name: name}))
		s.number(variable{kind: nowTrue, name: name}) // next to it in the order
		if s.unknowns {
			values[i].unknown = s.Var(s.number(variable{kind: isUnknown, name: name}))
			s.number(variable{kind: nowUnknown, name: name})
		}
	}
	for i, in := range s.loops {
		if in {
			s.number(variable{kind: hasRun, phase: s.ids[i]})
		}
	}
	return values
}

// known returns the assignments in which the itinerary knows that the flag has the
// value is.
func (s *side) known(v flagValue, is bool) bdd.Set {
	set := v.true
	if !is {
		set = s.Not(set)
	}
	if s.graph.IsCleanup() {
		set = s.Minus(set, v.unknown)
	}
	return set
}

// judge returns the assignments in which a guard admits, and those in which it does
// not, as [phases.Guard.Eval] does for one assignment.
func (s *side) judge(g phases.Guard, values []flagValue) (yes, no bdd.Set) {
	yes, no = bdd.All, bdd.None
	each := func(flags phases.Flags, is bool) {
		for flag := range flags.Each {
			v := s.value(flag, values)
			yes = s.And(yes, s.known(v, is))
			no = s.Or(no, s.known(v, !is))
		}
	}
	each(g.All, true)
	each(g.None, false)
	if g.Any != 0 {
		some, none := bdd.None, bdd.All
		for flag := range g.Any.Each {
			some = s.Or(some, s.known(s.value(flag, values), true))
		}
		for flag := range (g.Any &^ g.None).Each {
			none = s.And(none, s.known(s.value(flag, values), false))
		}
		yes, no = s.And(yes, some), s.Or(no, none)
	}
	return s.Minus(yes, no), no
}

// value returns the value of a flag of the side's vocabulary that counts.
func (s *side) value(flag phases.Flags, values []flagValue) flagValue {
	return values[s.indices[bit(flag)]]
}

// holds returns the assignments in which a clause holds for these values.
func (s *side) holds(c clause, values []flagValue) bdd.Set {
	set := bdd.None
	for _, l := range c.literals {
		v := values[l.flag].true
		if !l.is {
			v = s.Not(v)
		}
		set = s.Or(set, v)
	}
	return set
}

// relations returns the assignments in which all clauses hold for which want reports
// true.
func (s *side) relations(values []flagValue, want func(clause) bool) bdd.Set {
	set := bdd.All
	for _, c := range s.clauses {
		if want(c) {
			set = s.And(set, s.holds(c, values))
		}
	}
	return set
}

// outcome returns the variable of a finding of a phase, or of a choice of its handler.
func (s *side) outcome(kind variableKind, phase int, name string, l life, turn int) bdd.Set {
	x := variable{kind: kind, phase: s.ids[phase], name: name}
	if !s.loops[phase] {
		return s.Var(s.number(x))
	}
	x.life, x.turn = l, turn
	_, known := s.numbers[x]
	n := s.number(x)
	if !known {
		s.found[l] = append(s.found[l], n)
	}
	return s.Var(n)
}

// decide returns the values after a phase, and the assignments of the set in which the
// relations hold for them. Flags named in kept keep the values that the phase found
// earlier.
func (s *side) decide(phase int, set bdd.Set, values []flagValue, l life, turn int, kept ...string) (bdd.Set, []flagValue) {
	decides := s.graph.Decides(phase)
	if decides == 0 {
		return set, values
	}
	after := append([]flagValue(nil), values...)
	changed := make([]bool, len(values))
	for flag := range decides.Each {
		i := s.indices[bit(flag)]
		if i < 0 {
			continue
		}
		if changed[i] = true; slices.Contains(kept, s.flags[i]) {
			continue
		}
		after[i] = flagValue{true: s.outcome(isTrue, phase, s.flags[i], l, turn)}
		if s.unknowns {
			after[i].unknown = s.outcome(isUnknown, phase, s.flags[i], l, turn)
		}
	}
	allowed := s.relations(after, func(c clause) bool {
		for _, l := range c.literals {
			if changed[l.flag] {
				return true
			}
		}
		return false
	})
	return s.And(set, allowed), after
}

// steps returns, for each step that the phase may belong to, the assignments of the
// set in which it is entered under that step.
func (s *side) steps(phase int, set bdd.Set, values []flagValue) map[string]bdd.Set {
	p := s.graph.Phase(phase)
	by := make(map[string]bdd.Set, 1+len(p.Steps))
	add := func(step string, under bdd.Set) {
		if step != "" && under != bdd.None {
			by[step] = s.Or(by[step], under)
		}
	}
	for _, g := range p.Steps {
		yes, _ := s.judge(g.Guard, values)
		add(g.Step, s.And(set, yes))
		set = s.Minus(set, yes)
	}
	add(p.Step, set)
	return by
}

// pair is two itineraries of one name that are compared.
type pair struct {
	*world
	from, to *side
	// same are, by phase of from, the counterparts in to; -1 if there is none.
	same []int
}

// newPair matches the phases of the two itineraries and finds the flags that count.
func newPair(w *world, from, to *Release, itinerary string) *pair {
	p := &pair{world: w, from: newSide(w, from.byName[itinerary]), to: newSide(w, to.byName[itinerary])}
	a, b := p.from, p.to
	p.same = make([]int, a.graph.Len())
	for i := range p.same {
		p.same[i] = counterpart(a.graph.Phase(i), b.graph)
		a.ids[i] = identity{name: a.graph.Phase(i).Name}
	}
	for i := range b.ids {
		b.ids[i] = identity{other: true, name: b.graph.Phase(i).Name}
	}
	for i := len(p.same) - 1; i >= 0; i-- {
		if k := p.same[i]; k >= 0 {
			b.ids[k] = a.ids[i]
			a.loops[i] = a.loops[i] || b.loops[k]
		}
	}
	for i, k := range p.same {
		if k >= 0 {
			b.loops[k] = b.loops[k] || a.loops[i]
		}
	}
	a.unknowns = a.graph.IsCleanup() || b.graph.IsCleanup()
	b.unknowns = a.unknowns
	p.count(from, to)
	return p
}

// counterpart returns the phase in which a run with p recorded continues. If there is
// none, it returns the phase that has a former name of p; else -1.
func counterpart(p phases.Phase, to *machine.Graph) int {
	for _, name := range append([]string{p.Name}, p.Formerly...) {
		if i, err := to.Lookup(name); err == nil {
			return i
		}
	}
	return -1
}

func newSide(w *world, g *machine.Graph) *side {
	s := &side{world: w, graph: g, ids: make([]identity, g.Len()), heads: make([]bool, g.Len()+1)}
	s.loops = loops(g)
	for i := range g.Len() {
		for _, j := range g.Phase(i).Jumps {
			if to, err := g.Lookup(j.To); err == nil && to <= i {
				s.heads[to] = true
			}
		}
	}
	return s
}

// loops reports for each phase whether a path may lead from it back to itself.
func loops(g *machine.Graph) []bool {
	n := g.Len()
	in := make([]bool, n)
	// A loop is closed by a jump back, and every phase between its ends may be part of
	// it.
	for i := range n {
		for _, j := range g.Phase(i).Jumps {
			to, err := g.Lookup(j.To)
			if err != nil || to > i {
				continue
			}
			for k := to; k <= i; k++ {
				in[k] = true
			}
		}
	}
	return in
}

// count finds the flags that count: those that either itinerary reads, and those that
// relations connect with them.
func (p *pair) count(from, to *Release) {
	index := make(map[string]int)
	add := func(names []string) (added bool) {
		for _, name := range names {
			if _, ok := index[name]; !ok {
				index[name] = len(p.flags)
				p.flags = append(p.flags, name)
				added = true
			}
		}
		return added
	}
	add(from.flags.Names(p.from.graph.Reads()))
	add(to.flags.Names(p.to.graph.Reads()))
	connect := func(v *phases.Vocabulary) (added bool) {
		for _, c := range v.Relations() {
			names := v.Names(c.True | c.False)
			for _, name := range names {
				if _, ok := index[name]; ok {
					added = add(names) || added
					break
				}
			}
		}
		return added
	}
	for connect(from.flags) || connect(to.flags) {
		continue
	}
	common := make(map[string]bool)
	for _, c := range from.flags.Relations() {
		common[fmt.Sprint(sortedLiterals(from.flags, c))] = true
	}
	for _, s := range []*side{p.from, p.to} {
		v := s.graph.Vocabulary()
		s.reads, s.varies = make([]bool, len(p.flags)), make([]bool, len(p.flags))
		var varies phases.Flags
		for i, in := range s.loops {
			if in {
				varies |= s.graph.Decides(i)
			}
		}
		for i, d := range v.Defs() {
			k, ok := index[d.Name]
			if !ok {
				k = -1
			} else {
				s.reads[k], s.varies[k] = s.graph.Reads().Has(d.Flag), varies.Has(d.Flag)
			}
			s.indices[i] = k
		}
		for _, c := range v.Relations() {
			k := clause{}
			counts := true
			add := func(flags phases.Flags, is bool) {
				for flag := range flags.Each {
					i := s.indices[bit(flag)]
					if counts = counts && i >= 0; counts {
						k.literals = append(k.literals, literal{i, is})
						_, both := from.flags.Lookup(p.flags[i])
						k.fresh = k.fresh || !both
					}
				}
			}
			add(c.True, true)
			add(c.False, false)
			if counts && (s == p.from || k.fresh || common[fmt.Sprint(sortedLiterals(v, c))]) {
				s.clauses = append(s.clauses, k)
			}
		}
	}
}

// sortedLiterals formats a relation such that it is equal in both releases, whatever
// the order of their flags.
func sortedLiterals(v *phases.Vocabulary, c phases.Clause) []string {
	literals := v.Literals(c)
	slices.Sort(literals)
	return literals
}
