package machinetest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Exploration configures [Explore]: every life that a setup can have, as far as the fields allow.
type Exploration[T, W any] struct {
	// Setup is the controller under test. Its functions must keep what they change in the object
	// and the world only.
	Setup Setup[T, W]
	// Fixed fixes flags: "HasPVs" to true, "!HasPVs" to false. Every other flag that a guard reads,
	// or that a relation ties to a flag which a guard reads and a phase decides, takes both values as
	// far as the relations of the vocabulary allow. The remaining flags take one value.
	Fixed []string
	// Failures is the number of phases that fail in one life, each at every call of its handler.
	// Crashes is the number of crashes between a handler's work and its write; a crash is tried
	// only if the handler has changed the world, since otherwise it merely repeats the call. Zero
	// means 1, a negative number means none.
	Failures, Crashes int
	// Errors is the number of handler calls that end in an error in one life, at phases with a
	// limit of attempts. Zero means the largest of these limits; a negative number means none.
	Errors int
	// Changes is how many times a user changes a live flag in one life, at any moment, except those
	// in Fixed. Zero means 1, a negative number means none.
	Changes int
	// NeverFails lists phases that the exploration does not make fail, because an invariant cannot
	// hold without their work. NeverFails, Settled and NeverCalled name a phase as PHASE or as
	// ITINERARY/PHASE.
	NeverFails []string
	// Settled lists phases whose handlers themselves settle what the phase decides and chooses: the
	// exploration keeps the flags as the handler leaves them, instead of trying both values, and
	// follows the choice that the handler makes.
	Settled []string
	// Edits lists edits of the setup that are tried at every moment, each at most once in a life.
	Edits []string
	// Switches maps each itinerary to those that a run may leave it for. If nil, any itinerary may
	// follow any other. Naming them keeps the exploration small; a switch that is not named is an
	// error.
	Switches map[string][]string
	// NeverCalled lists phases that no life reaches. It is an error if the handler of any other
	// phase is never called, or if any other end phase is never entered.
	NeverCalled []string
	// Known lists known breaks by promise, itinerary and how; Detail is ignored. The exploration
	// continues past them. A known break that no longer occurs is an error.
	Known []Break
	// MaxStates bounds the exploration. Zero means 100,000. When the bound is reached the
	// exploration is inconclusive, which is an error unless MayBeInconclusive is set.
	MaxStates         int
	MayBeInconclusive bool
	// Exact keeps states apart even if they differ only in flags and steps that cannot matter
	// ahead.
	Exact bool
	// Workers is the number of goroutines that explore. Zero means 1; with more, the functions of
	// the setup must be safe for concurrent use.
	Workers int
}

// DefaultMaxStates is the bound if MaxStates is zero.
const DefaultMaxStates = 100_000

// Explore tries every life of a setup, breadth-first. It fails the test with a shortest path to each
// break, and returns the report; nil if the setup or the exploration is invalid. It tries
//
//   - all assignments of flags that the relations of the vocabulary allow;
//   - both values of each flag that a phase decides, and each choice that a phase declares, and
//     none;
//   - a failure and a crash at each call of a handler, errors up to a limit of attempts, and waits
//     up to a deadline;
//   - the listed edits, and a change of each live flag, at every moment.
//
// In each state it checks the promises that the package comment lists, the contract of handlers,
// and the invariants of the setup.
//
// Lives that reach the same state are explored as one. Explore runs in the caller's goroutine and
// in x.Workers-1 others.
func Explore[T, W any](t TB, x Exploration[T, W]) *Report {
	t.Helper()
	r, err := x.run()
	if err != nil {
		fatalf(t, "%v", err)
		return nil
	}
	for _, problem := range r.problems(x.MayBeInconclusive) {
		t.Errorf("%s", problem)
	}
	return r
}

// state is an explored state, and how it was reached: the paths of breaks are made of states.
type state struct {
	parent  int32 // index of the previous state, or -1
	place   place
	partial bool
	paused  bool   // set once the state has been expanded
	end     bool   // the run is done or stopped
	err     string // of the reconcile in this state
	ended   string // the phase in which the run is done
	act     act
}

// act describes the event between two states.
type act struct {
	kind    actKind
	decides []string      // "HasPVs", "!HasISs"; in the first state, the true flags
	done    *Line         // replaces what the handler returns, with another choice
	name    string        // of an edit
	after   bool          // a failure after the work was done
	slept   time.Duration // before an edit
	called  bool          // a handler was called
}

type actKind uint8

const (
	actBegin     actKind = iota
	actReconcile         // as the controller does it, without faults
	actFail              // the phase fails
	actPartial           // the handler is in the middle of its work
	actCrash             // before the write
	actWait              // the handler waits, until a deadline if there is one
	actError             // the handler returns an error
	actEdit
	actChange // of a live flag
)

// item is a state to be explored.
type item[T any] struct {
	id     int32
	object T
	world  []byte
	now    time.Time
	carried
	failures int // remaining
	crashes  int
	errors   int
	changes  int
	edits    uint64 // done already, by index
	injected []string
	partial  bool
	place    place
}

// candidate is a state that an act leads to.
type candidate[T any] struct {
	item    item[T]
	key     key
	act     act
	breaks  []Break
	end     bool   // the run is done, or stopped by an unanswered failure
	plain   bool   // the controller alone led here
	paused  bool   // the previous state is paused
	err     string // of the reconcile
	ended   string // the phase in which the run is done
	entered bool   // a phase was entered
	stay    bool   // there is no state to continue from
}

// exploring is the state of one exploration.
type exploring[T, W any] struct {
	Exploration[T, W]
	workers  []*explorer[T, W]
	states   []state
	byKey    map[key]int32
	edges    [][2]int32 // transitions that the controller makes by itself
	passages []edge     // all edges, if a coverage is collected
	frontier []item[T]
	report   Report
	found    map[Break]bool
	called   map[string]bool
	undone   map[string]string // see explorer
	future   *future
	horizon  time.Duration // the longest deadline, and at least minHorizon
	flags    *phases.Vocabulary
	inPlay   phases.Flags
	fixed    phases.Flags
}

// explorer is a worker with an engine of its own.
type explorer[T, W any] struct {
	*exploring[T, W]
	engine     *engine[T, W]
	reconciles int
	called     map[string]bool
	undone     map[string]string // by phase: the first result of its handler in alphabetical order; empty if it was ever done
	overflow   bool              // a phase decides its flags in more than maxAssignments ways
}

func (x Exploration[T, W]) run() (*Report, error) {
	began := time.Now()
	if x.MaxStates <= 0 {
		x.MaxStates = DefaultMaxStates
	}
	budget := func(n int) int {
		if n == 0 {
			return 1
		}
		return max(n, 0)
	}
	x.Failures, x.Crashes, x.Changes = budget(x.Failures), budget(x.Crashes), budget(x.Changes)
	e := &exploring[T, W]{Exploration: x, byKey: make(map[key]int32),
		found: make(map[Break]bool), called: make(map[string]bool), undone: make(map[string]string)}
	for range max(x.Workers, 1) {
		engine, err := newEngine(x.Setup)
		if err != nil {
			return nil, err
		}
		engine.eachWrite = true
		if err := engine.restart(); err != nil {
			return nil, err
		}
		e.workers = append(e.workers, &explorer[T, W]{exploring: e, engine: engine,
			called: make(map[string]bool), undone: make(map[string]string)})
	}
	if err := e.prepare(); err != nil {
		return nil, err
	}
	if err := e.begin(); err != nil {
		return nil, err
	}
	for len(e.frontier) > 0 && !e.report.Inconclusive {
		if err := e.level(); err != nil {
			return nil, err
		}
	}
	e.finish()
	e.report.Took = time.Since(began)
	return &e.report, nil
}

// minHorizon is the smallest horizon: younger times always make a difference.
const minHorizon = 10 * time.Minute

// prepare checks the names in the exploration, and determines the flags in play.
func (e *exploring[T, W]) prepare() error {
	engine := e.workers[0].engine
	set := engine.options.Itineraries
	e.flags = engine.flags
	var known []string
	most := 0 // the largest number of attempts that a phase may have
	e.horizon = minHorizon
	for _, name := range set.Names() {
		g := engine.graph(name)
		for i := range g.Len() {
			phase := g.Phase(i).Name
			known = append(known, phase, name+"/"+phase)
			e.horizon = max(e.horizon, engine.deadline(name, phase))
			most = max(most, engine.phase(name, phase).MaxAttempts)
		}
	}
	switch {
	case e.Errors == 0:
		e.Errors = most
	case e.Errors < 0 || most == 0:
		e.Errors = 0
	}
	if e.flags.Live() == 0 {
		e.Changes = 0
	}
	for _, phase := range slices.Concat(e.NeverFails, e.Settled, e.NeverCalled) {
		if !slices.Contains(known, phase) {
			return setupError("the exploration names a phase %q, which no itinerary has%s",
				phase, wording.DidYouMean(wording.Nearest(phase, known)))
		}
	}
	for _, name := range e.Edits {
		if engine.setup.Edits[name] == nil {
			return setupError("the exploration names an edit %q, which Setup.Edits does not have", name)
		}
	}
	if len(e.Edits) > 64 {
		return setupError("an exploration takes at most 64 edits")
	}
	for from, all := range e.Switches {
		for _, name := range append([]string{from}, all...) {
			if _, err := set.Graph(name); err != nil {
				return setupError("Switches: %v", err)
			}
		}
	}
	e.future = newFuture(set, e.Switches)
	engine.truth(engine.setup.Object) // records which flags have sources
	e.inPlay = e.future.inPlay(engine.selects(engine.setup.Object)) & engine.sourced
	return nil
}

// begin makes the first states, one for each assignment of flags.
func (e *exploring[T, W]) begin() error {
	w := e.workers[0]
	fixed, err := w.engine.parse(e.Fixed)
	if err != nil {
		return setupError("Fixed: %v", err)
	}
	e.fixed = fixed.Known()
	text, err := encode(w.engine.setup.World)
	if err != nil {
		return setupError("Setup.World: %v", err)
	}
	if e.flags.Len() > 0 && w.engine.setup.SetFlag == nil {
		return setupError("Setup.SetFlag is missing; an exploration sets every flag both ways")
	}
	for facts := range e.assignments(fixed, e.inPlay|fixed.Known()) {
		object, err := copyOf(w.engine.setup.Object)
		if err != nil {
			return setupError("Setup.Object cannot be copied: %v", err)
		}
		if err := w.engine.load(text); err != nil {
			return err
		}
		if e.flags.Len() > 0 {
			if err := w.engine.setFlags(object, facts); err != nil {
				return err
			}
		}
		c := candidate[T]{act: act{kind: actBegin, decides: e.flags.Names(facts.True())}, item: item[T]{
			object: object, world: w.engine.save(), now: w.engine.setup.Start,
			failures: e.Failures, crashes: e.Crashes, errors: e.Errors, changes: e.Changes,
		}}
		if c.key, err = w.key(&c.item); err != nil {
			return err
		}
		e.report.Assignments++
		e.take(-1, c)
		if e.report.Inconclusive {
			break
		}
	}
	if e.report.Assignments == 0 {
		return setupError("no assignment of flags satisfies the relations of the vocabulary and Fixed")
	}
	return nil
}

// assignments yields one complete assignment, among those that the relations allow, for each
// possible assignment of the flags in play.
func (e *exploring[T, W]) assignments(fixed phases.Facts, inPlay phases.Flags) func(yield func(phases.Facts) bool) {
	all := e.flags.All()
	return func(yield func(phases.Facts) bool) {
		var assign func(f phases.Facts, open phases.Flags, yield func(phases.Facts) bool) bool
		assign = func(f phases.Facts, open phases.Flags, yield func(phases.Facts) bool) bool {
			f, ok := propagate(e.flags, f)
			if !ok {
				return true
			}
			if open &^= f.Known(); open == 0 {
				return yield(f)
			}
			one := open & -open
			return assign(f.Set(one, phases.False), open&^one, yield) && assign(f.Set(one, phases.True), open&^one, yield)
		}
		assign(fixed, inPlay&^fixed.Known(), func(f phases.Facts) bool {
			more := true
			assign(f, all&^f.Known(), func(f phases.Facts) bool {
				more = yield(f)
				return false
			})
			return more
		})
	}
}

// propagate sets the flags for which the relations leave one value (unit propagation). It reports
// false if a relation is broken.
func propagate(v *phases.Vocabulary, f phases.Facts) (phases.Facts, bool) {
	for changed := true; changed; {
		changed = false
		for _, c := range v.Relations() {
			if c.Broken(f) {
				return f, false
			}
			if c.True&f.True() != 0 || c.False&f.False() != 0 {
				continue // it holds
			}
			if open := (c.True | c.False) &^ f.Known(); open.Len() == 1 && c.True&c.False&open == 0 {
				f, changed = f.Set(open, phases.TruthOf(c.True.Has(open))), true
			}
		}
	}
	return f, true
}

// chunk is the number of states that are explored before their successors are recorded. These are
// recorded in order, so the result does not depend on the number of workers.
const chunk = 256

// level explores the states of one level.
func (e *exploring[T, W]) level() error {
	frontier := e.frontier
	e.frontier = nil
	for part := range slices.Chunk(frontier, chunk) {
		results := make([][]candidate[T], len(part))
		problems := make([]error, len(part))
		var all sync.WaitGroup
		work := func(n int) {
			for i := n; i < len(part); i += len(e.workers) {
				results[i], problems[i] = e.workers[n].expand(&part[i])
			}
		}
		for n := 1; n < len(e.workers); n++ {
			all.Add(1)
			go func() {
				defer all.Done()
				work(n)
			}()
		}
		work(0)
		all.Wait()
		for i := range part {
			if problems[i] != nil {
				return problems[i]
			}
			for _, c := range results[i] {
				e.take(part[i].id, c)
			}
			part[i] = item[T]{} // free the memory
		}
		for _, w := range e.workers {
			e.report.Inconclusive = e.report.Inconclusive || w.overflow
		}
		if e.report.Inconclusive {
			return nil
		}
	}
	return nil
}

// take records the state that an act has led to.
func (e *exploring[T, W]) take(parent int32, c candidate[T]) {
	for _, b := range c.breaks {
		e.broke(e.moves(parent, c.act, c.item.place), b)
	}
	if c.plain && parent >= 0 {
		e.states[parent].paused, e.states[parent].err = c.paused, c.err
	}
	if c.stay {
		return
	}
	id, ok := e.byKey[c.key]
	if !ok {
		if len(e.states) >= e.MaxStates {
			e.report.Inconclusive = true
			return
		}
		id = int32(len(e.states))
		e.byKey[c.key] = id
		e.states = append(e.states, state{parent: parent, act: c.act, place: c.item.place, partial: c.item.partial, ended: c.ended})
		c.item.id = id
		e.frontier = append(e.frontier, c.item)
	}
	if c.end { // even if an edit has led to it and it stays there
		e.states[id].end = true
	}
	if c.plain && parent >= 0 {
		e.edges = append(e.edges, [2]int32{parent, id})
	}
	if e.Setup.Coverage != nil && parent >= 0 {
		e.passages = append(e.passages, edge{parent, id, c.entered})
	}
}

// broke records a break; the first of its kind is recorded with its path.
func (e *exploring[T, W]) broke(moves []move, b Break) {
	kind := Break{Promise: b.Promise, Itinerary: b.Itinerary, How: b.How}
	if e.found[kind] {
		return
	}
	e.found[kind] = true
	f := Found{Break: b, source: e.Setup.Source,
		eachWrite: !e.Setup.EachWrite && (b.Promise == PromiseAttempts || e.workers[0].engine.options.MaxPhases > 1)}
	for _, known := range e.Known {
		known.Detail = ""
		f.Known = f.Known || known == kind
	}
	f.Script, f.path = e.trace(moves)
	e.report.Found = append(e.report.Found, f)
}

// finish evaluates the whole exploration: phases that were never called, states from which no end
// can be reached, and known breaks that did not occur.
func (e *exploring[T, W]) finish() {
	e.report.States = len(e.states)
	e.report.most = e.mostStates()
	for _, w := range e.workers {
		e.report.Reconciles += w.reconciles
		maps.Copy(e.called, w.called)
		for phase, result := range w.undone {
			setUndone(e.undone, phase, result)
		}
	}
	if !e.report.Inconclusive {
		e.endless()
		for _, g := range e.future.reachable(e.workers[0].engine.selects(e.Setup.Object)) {
			for i := range g.Len() {
				if full := g.Name() + "/" + g.Phase(i).Name; !e.called[full] && !lists(e.NeverCalled, g.Name(), g.Phase(i).Name) {
					e.report.NeverCalled = append(e.report.NeverCalled, full)
				}
			}
		}
		e.report.undone = e.undone
		for _, name := range e.NeverCalled {
			for full := range e.called {
				if _, phase, _ := strings.Cut(full, "/"); full == name || phase == name {
					e.report.StaleNeverCalled = append(e.report.StaleNeverCalled, name)
					break
				}
			}
		}
		for _, known := range e.Known {
			if kind := (Break{Promise: known.Promise, Itinerary: known.Itinerary, How: known.How}); !e.found[kind] {
				e.report.NotBroken = append(e.report.NotBroken, known)
			}
		}
	}
	e.pairs()
	for i := range e.report.Found {
		f := &e.report.Found[i]
		setup := e.Setup
		setup.MaxReconciles, setup.NoAutoAdvance = 2*e.longest()+20, false
		if f.Promise == PromiseEnds {
			f.maxReconciles = setup.MaxReconciles
		}
		f.Reproduced = slices.ContainsFunc(breaksOf(setup, f.Script), func(b Break) bool { return b.same(f.Break) })
	}
}

// setUndone adds a result of the handler of a phase to undone: empty if it was done.
func setUndone(undone map[string]string, phase, result string) {
	if first, seen := undone[phase]; !seen || result < first {
		undone[phase] = result
	}
}

// mostStates returns the place with the most states.
func (e *exploring[T, W]) mostStates() string {
	count := make(map[place]int)
	var most place
	for _, s := range e.states { // in order, so the result is the same each time
		if count[s.place]++; count[s.place] > count[most] {
			most = s.place
		}
	}
	if most.itinerary == "" {
		return most.String()
	}
	return most.itinerary + "/" + most.String()
}

// endless reports the states from which the controller alone cannot reach an end.
func (e *exploring[T, W]) endless() {
	back := make(map[int32][]int32, len(e.states))
	for _, edge := range e.edges {
		back[edge[1]] = append(back[edge[1]], edge[0])
	}
	reaches := make([]bool, len(e.states))
	for id, s := range e.states {
		reaches[id] = s.end
	}
	markBack(reaches, back)
	// An edit can resume a paused state and one in the middle of a phase, so neither counts as
	// endless.
	ends := func(s state) bool { return !s.partial && !s.paused }
	// States that do not move are the cause; the others lead to one of them.
	moves := make([]bool, len(e.states))
	for _, edge := range e.edges {
		if e.states[edge[0]].place != e.states[edge[1]].place {
			moves[edge[0]] = true
		}
	}
	markBack(moves, back) // a state that waits moves if a later one does
	leads := make([]bool, len(e.states))
	var worklist []int32
	for id, s := range e.states {
		if ends(s) && !reaches[id] && !moves[id] {
			worklist = append(worklist, int32(id))
		}
	}
	for len(worklist) > 0 {
		id := worklist[len(worklist)-1]
		worklist = worklist[:len(worklist)-1]
		for _, from := range back[id] {
			if !leads[from] && from != id {
				leads[from] = true
				worklist = append(worklist, from)
			}
		}
	}
	for id, s := range e.states {
		if ends(s) && !reaches[id] && (!moves[id] || !leads[id]) {
			e.broke(e.moves(s.parent, s.act, s.place), Break{Promise: PromiseEnds, Itinerary: s.place.itinerary,
				How: "from here the run cannot end", Detail: strings.TrimSuffix("at "+s.place.String()+": "+s.err, ": ")})
		}
	}
}

// markBack marks each state from which an edge leads to a marked state.
func markBack(marked []bool, back map[int32][]int32) {
	var worklist []int32
	for id, is := range marked {
		if is {
			worklist = append(worklist, int32(id))
		}
	}
	for len(worklist) > 0 {
		id := worklist[len(worklist)-1]
		worklist = worklist[:len(worklist)-1]
		for _, from := range back[id] {
			if !marked[from] {
				marked[from] = true
				worklist = append(worklist, from)
			}
		}
	}
}

// edge leads from one state to another, and may enter a phase.
type edge struct {
	from, to int32
	entered  bool
}

// pairs records the pairs of transitions of all lives: each transition that leads to a state, with
// each that leaves it.
func (e *exploring[T, W]) pairs() {
	onward := make(map[int32][]edge)
	for _, p := range e.passages {
		onward[p.from] = append(onward[p.from], p)
	}
	enteredFrom := make([]map[place]bool, len(e.states)) // per state, the places from which its phase was entered
	var worklist []int32
	comes := func(id int32, from place) {
		if enteredFrom[id] == nil {
			enteredFrom[id] = make(map[place]bool)
		}
		if !enteredFrom[id][from] {
			enteredFrom[id][from] = true
			worklist = append(worklist, id)
		}
	}
	for id, s := range e.states {
		if s.parent < 0 && len(e.passages) > 0 {
			comes(int32(id), s.place)
		}
	}
	for len(worklist) > 0 {
		id := worklist[len(worklist)-1]
		worklist = worklist[:len(worklist)-1]
		at := e.states[id].place
		for _, p := range onward[id] {
			next := p.to
			to := e.states[next].place
			switch {
			case at.phase == End: // another run begins, in any phase
				continue
			case to.itinerary != at.itinerary:
				comes(next, place{to.itinerary, Start})
			case p.entered || to != at:
				comes(next, at)
			}
			for from := range enteredFrom[id] {
				if to == at && !p.entered {
					comes(next, from)
				} else if to.itinerary == at.itinerary && from.itinerary == at.itinerary && at.phase != Start {
					e.pair(from, at, place{to.itinerary, cmp.Or(e.states[next].ended, to.phase)})
				}
			}
		}
	}
}

// pair records a pair of transitions.
func (e *exploring[T, W]) pair(from, at, to place) {
	g := e.workers[0].engine.graph(at.itinerary)
	index := func(p place) int {
		i, err := g.Lookup(p.phase)
		switch {
		case err == nil:
			return i
		case p.phase == End:
			return g.Len()
		}
		return -1
	}
	e.Setup.Coverage.pair(g, index(from), index(at), index(to))
}
