package machinetest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Exploration is what [Explore] tries: every life that a setup can have, as
// far as the fields allow.
type Exploration[T, W any] struct {
	// Setup is the controller under test. Its functions must keep what they
	// change in the object and the world alone.
	Setup Setup[T, W]
	// Fixed fixes flags, "HasPVs" to true and "!HasPVs" to false; all others
	// take both values, as far as the relations of the vocabulary allow.
	Fixed []string
	// Failures is how many phases fail in one life, each at every call of its
	// handler; Crashes is how many crashes there are between the work of a
	// handler and its write. Zero means 1, a negative number means none.
	Failures, Crashes int
	// NeverFails lists phases that the exploration does not let fail: those
	// without whose work an invariant cannot hold. This list, Settled and
	// NeverCalled name a phase as PHASE or as ITINERARY/PHASE.
	NeverFails []string
	// Settled lists phases whose handlers settle themselves what the phase
	// decides: those flags are as the handler leaves them, not both ways.
	Settled []string
	// Edits lists edits of the setup that are tried at every moment, each at
	// most once in a life.
	Edits []string
	// Switches names, by itinerary, those that it may be left for. If nil,
	// each may be left for all others. It keeps the exploration small; a
	// switch that it does not name is an error.
	Switches map[string][]string
	// NeverCalled lists phases that no life comes to. Any other phase whose
	// handler is never called is an error.
	NeverCalled []string
	// Known lists breaks that are known, by promise, itinerary and how (their
	// Detail does not count). The exploration goes on past them, and one that
	// no longer breaks is an error.
	Known []Break
	// MaxStates bounds the exploration. Zero means 100,000. When the bound is
	// hit the exploration is inconclusive, which is an error unless
	// MayBeInconclusive is set.
	MaxStates         int
	MayBeInconclusive bool
	// Exact keeps states apart that differ in nothing that lies ahead.
	Exact bool
	// Workers explore at the same time. Zero means 1; with more the functions
	// of the setup must be safe for concurrent use.
	Workers int
}

// DefaultMaxStates is the MaxStates of an exploration that sets none.
const DefaultMaxStates = 100_000

// Report is what an exploration found.
type Report struct {
	// Assignments counts the assignments of flags with which lives began,
	// States the states that they came to, and Reconciles the reconciles that
	// were tried.
	Assignments, States, Reconciles int
	// Inconclusive reports whether the bound was hit: what lies behind it was
	// not looked at.
	Inconclusive bool
	// Found are the breaks, one for each promise, itinerary and how, those
	// with the shortest way to them first.
	Found []Found
	// NeverCalled lists the phases whose handlers were never called, as
	// ITINERARY/PHASE, but for those that the exploration names.
	NeverCalled []string
	// NotBroken lists the known breaks that were not found.
	NotBroken []Break
	// Took is the real time that the exploration took.
	Took time.Duration
}

// Found is a break and a shortest way to it.
type Found struct {
	Break
	// Script leads to the break as the script of [Life.Run].
	Script []Line
	// Reproduced reports whether a life with that script broke the same. If it
	// did not, the controller keeps something outside of the object and the
	// world.
	Reproduced bool
	// Known reports whether the exploration lists it as known.
	Known bool

	path []string
}

// String returns the break and the way to it: what happened, in the words of
// the itinerary, and the script.
func (f Found) String() string {
	var b strings.Builder
	b.WriteString(f.Break.String())
	for i, line := range f.path {
		fmt.Fprintf(&b, "\n  %d. %s", i+1, line)
	}
	lines := make([]string, len(f.Script))
	for i, line := range f.Script {
		lines[i] = line.String()
	}
	fmt.Fprintf(&b, "\n  life.Run(%s)", strings.Join(lines, ", "))
	if !f.Reproduced {
		b.WriteString("\n  (such a life did not break the same: something is kept outside of the object and the world)")
	}
	return b.String()
}

// String returns the report as text.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d assignments of flags, %d states, %d reconciles, %s", r.Assignments, r.States, r.Reconciles, r.Took.Round(time.Millisecond))
	for _, p := range r.problems(false) {
		b.WriteString("\n" + p)
	}
	return b.String()
}

// problems are what fails a test.
func (r *Report) problems(mayBeInconclusive bool) (all []string) {
	if r.Inconclusive && !mayBeInconclusive {
		all = append(all, fmt.Sprintf("inconclusive at %d states: raise MaxStates, fix flags, or allow fewer failures, crashes and edits", r.States))
	}
	for _, f := range r.Found {
		if !f.Known {
			all = append(all, f.String())
		}
	}
	for _, name := range r.NeverCalled {
		all = append(all, "the handler of "+name+" is never called: no life comes there; list it in NeverCalled if that is meant")
	}
	for _, b := range r.NotBroken {
		all = append(all, "known, but it no longer breaks: "+b.String()+"; remove it from Known")
	}
	return all
}

// Explore tries every life of a setup, breadth-first, and fails the test with
// a shortest way to each break: all assignments of flags that the relations of
// the vocabulary allow; each flag that a phase decides, both ways; a failure
// and a crash at each call of a handler; and the edits that it names at every
// moment. In each state the promises of the design hold that the package
// comment lists, the contract of handlers, and the invariants of the setup.
//
// Lives that end up in the same state are one. It runs in the goroutine of the
// caller, and in the workers that the exploration asks for.
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

// state is a state that was found, and how: what the way to it is made of.
type state struct {
	parent  int32 // index of the state before, or -1
	place   place
	partial bool
	paused  bool // as it turned out
	act     act
}

// act is what happens between two states.
type act struct {
	kind    actKind
	decides []string // "HasPVs", "!HasISs"; of the first state, the flags that are true
	name    string   // of an edit
	after   bool     // a failure after the work
}

type actKind uint8

const (
	actBegin     actKind = iota
	actReconcile         // as the controller does it
	actFail              // the phase fails
	actPartial           // the handler is in the middle of its work
	actCrash             // before the write
	actEdit
)

// item is a state that is to be explored.
type item[T any] struct {
	id       int32
	object   T
	world    []byte
	now      time.Time
	drifted  phases.Flags
	failures int // that are left
	crashes  int
	edits    uint64 // done already, by index
	injected []string
	partial  bool
	place    place
}

// candidate is a state that an act leads to.
type candidate[T any] struct {
	item   item[T]
	key    key
	act    act
	breaks []Break
	end    bool // the run is done
	plain  bool // it came of the controller's own doing
	paused bool // the state that it came of is paused
	stay   bool // there is no state to go on from
}

// exploring is the state of one exploration.
type exploring[T, W any] struct {
	Exploration[T, W]
	workers  []*explorer[T, W]
	states   []state
	byKey    map[key]int32
	ends     []int32    // states that are done
	edges    [][2]int32 // by the controller's own doing
	frontier []item[T]
	report   Report
	found    map[Break]bool
	called   map[string]bool
	future   *future
	flags    *phases.Vocabulary
	inPlay   phases.Flags
}

// explorer is a worker, with an engine of its own.
type explorer[T, W any] struct {
	*exploring[T, W]
	engine     *engine[T, W]
	reconciles int
	called     map[string]bool
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
	x.Failures, x.Crashes = budget(x.Failures), budget(x.Crashes)
	e := &exploring[T, W]{Exploration: x, byKey: make(map[key]int32),
		found: make(map[Break]bool), called: make(map[string]bool)}
	for range max(x.Workers, 1) {
		engine, err := newEngine(x.Setup)
		if err != nil {
			return nil, err
		}
		engine.eachWrite = true
		if err := engine.restart(); err != nil {
			return nil, err
		}
		e.workers = append(e.workers, &explorer[T, W]{exploring: e, engine: engine, called: make(map[string]bool)})
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

// prepare checks the names that the exploration uses, and finds out which
// flags are in play.
func (e *exploring[T, W]) prepare() error {
	engine := e.workers[0].engine
	set := engine.options.Itineraries
	e.flags = engine.flags
	var known []string
	for _, name := range set.Names() {
		g := engine.graph(name)
		for i := range g.Len() {
			known = append(known, g.Phase(i).Name)
		}
	}
	for _, phase := range slices.Concat(e.NeverFails, e.Settled, e.NeverCalled) {
		_, name, ok := strings.Cut(phase, "/")
		if !slices.Contains(known, phase) && !(ok && slices.Contains(known, name)) {
			return setupError("the exploration names a phase %q, which no itinerary has", phase)
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
	e.inPlay = e.future.inPlay(engine.options.Select(engine.setup.Object))
	return nil
}

// begin makes the first states, one for each assignment of flags.
func (e *exploring[T, W]) begin() error {
	w := e.workers[0]
	fixed, err := w.engine.parse(e.Fixed)
	if err != nil {
		return setupError("Fixed: %v", err)
	}
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
			object: object, world: w.engine.save(), now: w.engine.setup.Start, failures: e.Failures, crashes: e.Crashes,
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

// assignments are those of all flags that the relations allow: every one of
// the flags in play that can be completed, with one completion.
func (e *exploring[T, W]) assignments(fixed phases.Facts, inPlay phases.Flags) func(yield func(phases.Facts) bool) {
	all := e.flags.All()
	return func(yield func(phases.Facts) bool) {
		var assign func(f phases.Facts, open phases.Flags, yield func(phases.Facts) bool) bool
		assign = func(f phases.Facts, open phases.Flags, yield func(phases.Facts) bool) bool {
			for _, clause := range e.flags.Relations() {
				if clause.Broken(f) {
					return true
				}
			}
			if open == 0 {
				return yield(f)
			}
			one := open & -open
			return assign(f.Set(one, phases.No), open&^one, yield) && assign(f.Set(one, phases.Yes), open&^one, yield)
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

// chunk is how many states are explored before what they lead to is taken
// down, in their order: so the result is the same for any number of workers.
const chunk = 256

// level explores the states of a level.
func (e *exploring[T, W]) level() error {
	frontier := e.frontier
	e.frontier = nil
	for part := range slices.Chunk(frontier, chunk) {
		results := make([][]candidate[T], len(part))
		problems := make([]error, len(part))
		var all sync.WaitGroup
		for n, w := range e.workers {
			all.Add(1)
			go func() {
				defer all.Done()
				for i := n; i < len(part); i += len(e.workers) {
					results[i], problems[i] = w.expand(&part[i])
				}
			}()
		}
		all.Wait()
		for i := range part {
			if problems[i] != nil {
				return problems[i]
			}
			for _, c := range results[i] {
				e.take(part[i].id, c)
			}
			part[i] = item[T]{} // it is not needed any more
		}
		if e.report.Inconclusive {
			return nil
		}
	}
	return nil
}

// take takes down what an act has led to.
func (e *exploring[T, W]) take(parent int32, c candidate[T]) {
	for _, b := range c.breaks {
		e.broke(e.moves(parent, c.act, c.item.place), b)
	}
	if c.paused {
		e.states[parent].paused = true
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
		e.states = append(e.states, state{parent: parent, act: c.act, place: c.item.place, partial: c.item.partial})
		c.item.id = id
		e.frontier = append(e.frontier, c.item)
		if c.end {
			e.ends = append(e.ends, id)
		}
	}
	if c.plain && parent >= 0 {
		e.edges = append(e.edges, [2]int32{parent, id})
	}
}

// broke takes down a break, the first of its kind with the way to it.
func (e *exploring[T, W]) broke(moves []move, b Break) {
	kind := Break{Promise: b.Promise, Itinerary: b.Itinerary, How: b.How}
	if e.found[kind] {
		return
	}
	e.found[kind] = true
	f := Found{Break: b}
	for _, known := range e.Known {
		known.Detail = ""
		f.Known = f.Known || known == kind
	}
	f.Script, f.path = e.trace(moves)
	e.report.Found = append(e.report.Found, f)
}

// expand tries all that can happen in a state.
func (w *explorer[T, W]) expand(it *item[T]) (all []candidate[T], err error) {
	add := func(c candidate[T], err2 error) {
		if err == nil {
			err = err2
		}
		all = append(all, c)
	}
	if !it.partial {
		c, r, err2 := w.try(it, act{kind: actReconcile})
		add(c, err2)
		if err != nil || r.before.Done {
			return all, err
		}
		g := w.engine.graph(r.before.Itinerary)
		if g != nil && r.before.Phase != "" && !r.outcome.Paused {
			w.outcomes(it, g, r, add)
		}
	}
	for i, name := range w.Edits {
		if it.edits&(1<<i) == 0 {
			add(w.edit(it, i, name))
		}
	}
	return all, err
}

// outcomes tries the other outcomes of the phase that a state is in.
func (w *explorer[T, W]) outcomes(it *item[T], g *machine.Graph, r *reconciled[T], add func(candidate[T], error)) {
	i, err := g.Find(r.before.Phase)
	if err != nil || len(r.calls) == 0 {
		return
	}
	if r.worked && it.crashes > 0 {
		c := *it
		c.world, c.crashes = w.engine.save(), it.crashes-1
		key, err := w.key(&c)
		add(candidate[T]{item: c, key: key, act: act{kind: actCrash}}, err)
	}
	// Flags are set both ways only where the relations let them.
	decides := g.Phase(i).Decides & w.inPlay
	if lists(w.Settled, g.Name(), g.Phase(i).Name) {
		decides = 0
	}
	others := w.turned(r.truth, decides)
	if w.left(r) {
		for _, flags := range others {
			add(w.result(it, act{kind: actReconcile, decides: flags}))
		}
	}
	if it.failures > 0 && !lists(w.NeverFails, g.Name(), g.Phase(i).Name) {
		for _, flags := range append([][]string{nil}, w.turned(w.before(it), decides)...) {
			add(w.result(it, act{kind: actFail, decides: flags}))
		}
		if r.worked {
			add(w.result(it, act{kind: actFail, after: true}))
		}
	}
	if it.edits != 1<<len(w.Edits)-1 {
		for _, flags := range w.turned(w.before(it), decides) {
			add(w.result(it, act{kind: actPartial, decides: flags}))
		}
	}
}

// lists reports whether a list of phases names one, as PHASE or as
// ITINERARY/PHASE.
func lists(names []string, itinerary, phase string) bool {
	return slices.Contains(names, phase) || slices.Contains(names, itinerary+"/"+phase)
}

// left reports whether a reconcile has left the phase that it began in.
func (w *explorer[T, W]) left(r *reconciled[T]) bool {
	return slices.ContainsFunc(r.events, func(event runner.Event) bool {
		left, ok := event.(runner.Left)
		return ok && left.Phase == r.before.Phase
	})
}

// before is what the sources answer in a state.
func (w *explorer[T, W]) before(it *item[T]) phases.Facts {
	if err := w.engine.load(it.world); err != nil {
		return phases.Facts{}
	}
	return w.engine.truth(it.object)
}

// turned are the other values that a phase can give the flags that it decides,
// each as the line Decide names those that change.
func (w *explorer[T, W]) turned(f phases.Facts, decides phases.Flags) (all [][]string) {
	if decides == 0 || f.Known() != w.flags.All() {
		return nil
	}
	for g := range w.assignments(f.Forget(decides), decides) {
		var names []string
		for flag := range differ(f, g).Each {
			name := w.flags.Names(flag)[0]
			if g.Of(flag) == phases.No {
				name = "!" + name
			}
			names = append(names, name)
		}
		if names != nil {
			all = append(all, names)
		}
	}
	return all
}

func (w *explorer[T, W]) result(it *item[T], a act) (candidate[T], error) {
	c, _, err := w.try(it, a)
	return c, err
}

// try runs a reconcile of a state, with what an act injects.
func (w *explorer[T, W]) try(it *item[T], a act) (candidate[T], *reconciled[T], error) {
	c := candidate[T]{act: a, item: *it}
	e := w.engine
	if err := e.load(it.world); err != nil {
		return c, nil, err
	}
	e.inject.call = func(itinerary, phase string) (*Line, []string) {
		w.called[itinerary+"/"+phase] = true
		switch a.kind {
		case actFail:
			line := Fail(phase, "injected")
			line.after = a.after
			c.item.failures--
			c.item.injected = append(slices.Clone(it.injected), itinerary+"/"+phase)
			return &line, a.decides
		case actPartial:
			line := Wait(phase, partialWait)
			c.item.partial = true
			return &line, a.decides
		}
		return nil, a.decides
	}
	r := e.reconcile(it.object, it.now, it.drifted)
	w.reconciles++
	if r.problem != nil {
		return c, r, r.problem
	}
	if s := r.after.Itinerary; w.Switches != nil && r.before.Itinerary != "" && s != r.before.Itinerary && !slices.Contains(w.Switches[r.before.Itinerary], s) {
		return c, r, setupError("the run switches from itinerary %s to %s, which Switches does not name", r.before.Itinerary, s)
	}
	c.breaks = append(c.breaks, r.breaks...)
	c.plain, c.paused = a.kind == actReconcile, r.outcome.Paused
	if r.before.Done {
		c.stay = true
		return c, r, nil
	}
	now := e.clock.Now().Add(e.setup.Step)
	c.item.now, _ = e.due(r, now, 1)
	c.item.drifted, c.item.world = r.drifted, e.save()
	if r.changed {
		c.item.object = r.object
		c.breaks = append(c.breaks, e.invariants(e.snapshot(r.object, r.after, c.item.injected))...)
	}
	c.end = r.after.Done
	var err error
	c.key, err = w.key(&c.item)
	return c, r, err
}

// partialWait is how long a handler waits that is in the middle of its work.
const partialWait = time.Second

// edit applies an edit to a state.
func (w *explorer[T, W]) edit(it *item[T], i int, name string) (candidate[T], error) {
	c := candidate[T]{act: act{kind: actEdit, name: name}, item: *it}
	c.item.edits |= 1 << i
	c.item.partial = false
	e := w.engine
	if err := e.load(it.world); err != nil {
		return c, err
	}
	object, err := copyOf(it.object)
	if err != nil {
		return c, err
	}
	s, err := e.options.Read(object)
	if err != nil {
		return c, err
	}
	c.item.object = object
	c.item.drifted |= e.outside(object, s, func() { e.setup.Edits[name](object) })
	c.item.world = e.save()
	c.key, err = w.key(&c.item)
	return c, err
}

// finish looks at the whole: which phases were never called, from which states
// no end can be reached, and which breaks did not come about.
func (e *exploring[T, W]) finish() {
	e.report.States = len(e.states)
	for _, w := range e.workers {
		e.report.Reconciles += w.reconciles
		maps.Copy(e.called, w.called)
	}
	if !e.report.Inconclusive {
		e.endless()
		for _, g := range e.future.reachable(e.workers[0].engine.options.Select(e.Setup.Object)) {
			for i := range g.Len() {
				if full := g.Name() + "/" + g.Phase(i).Name; !e.called[full] && !lists(e.NeverCalled, g.Name(), g.Phase(i).Name) {
					e.report.NeverCalled = append(e.report.NeverCalled, full)
				}
			}
		}
		for _, known := range e.Known {
			if kind := (Break{Promise: known.Promise, Itinerary: known.Itinerary, How: known.How}); !e.found[kind] {
				e.report.NotBroken = append(e.report.NotBroken, known)
			}
		}
	}
	for i := range e.report.Found {
		e.report.Found[i].Reproduced = e.reproduce(e.report.Found[i])
	}
}

// PromiseEnds is the promise that a run can come to its end from every state,
// by the controller's own doing.
const PromiseEnds = "a run comes to its end"

// endless finds the states from which no end can be reached.
func (e *exploring[T, W]) endless() {
	back := make(map[int32][]int32, len(e.states))
	for _, edge := range e.edges {
		back[edge[1]] = append(back[edge[1]], edge[0])
	}
	reaches := make([]bool, len(e.states))
	worklist := slices.Clone(e.ends)
	for _, id := range worklist {
		reaches[id] = true
	}
	for len(worklist) > 0 {
		id := worklist[len(worklist)-1]
		worklist = worklist[:len(worklist)-1]
		for _, from := range back[id] {
			if !reaches[from] {
				reaches[from] = true
				worklist = append(worklist, from)
			}
		}
	}
	// One in the middle of a phase goes on by an edit, and so does one that is
	// paused.
	ends := func(s state) bool { return !s.partial && !s.paused }
	// Those that stay where they are are the reason; the others only lead there.
	moves := make([]bool, len(e.states))
	for _, edge := range e.edges {
		if e.states[edge[0]].place != e.states[edge[1]].place {
			moves[edge[0]] = true
		}
	}
	stays := false
	for id, s := range e.states {
		stays = stays || ends(s) && !reaches[id] && !moves[id]
	}
	for id, s := range e.states {
		if ends(s) && !reaches[id] && moves[id] != stays {
			e.broke(e.moves(s.parent, s.act, s.place), Break{Promise: PromiseEnds, Itinerary: s.place.itinerary, How: "from here the run can come to no end", Detail: "at " + s.place.String()})
		}
	}
}
