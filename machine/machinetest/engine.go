package machinetest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// engine runs single reconciles of a setup, injects faults and watches what happens. A life uses
// one engine from beginning to end; an exploration resets its engine before each reconcile that it
// tries.
type engine[T, W any] struct {
	setup   Setup[T, W]
	build   func(*W) runner.Options[T] // of the current release
	clock   *clock
	world   *W
	options runner.Options[T] // the embedder's
	runner  *runner.Runner[T]
	flags   *phases.Vocabulary
	sourced phases.Flags // the flags that have a source
	// eachWrite limits a reconcile to one phase.
	eachWrite    bool
	blockTimeout time.Duration
	item         int // index of the current run in the object; 0 is the one under test

	inject injection
	now    *reconciled[T] // the reconcile being recorded
}

// injection holds the faults that a test injects into a reconcile.
type injection struct {
	// call returns what happens at a call of a phase's handler: a line that replaces it, or nil,
	// and the flags that it decides.
	call func(itinerary, phase string) (instead *Line, decides []string)
	// evaluation returns the line about the source of a flag that is evaluated, or nil. If it is nil,
	// sources are not changed.
	evaluation func(flag string) *Line
}

// reconciled is the result of a reconcile.
type reconciled[T any] struct {
	object        T   // as the runner left it
	size          int // of the object, as JSON
	now           time.Time
	selected      string // the itinerary that the object selects after the reconcile
	before, after runner.State
	outcome       runner.Outcome
	err           error
	gaveUp        bool // the context of the reconcile has ended
	changed       bool // the object differs from the one that was read
	worked        bool // a handler has changed the world
	paused        bool // according to the options
	calls         []call
	onFails       int // calls of OnFail that recorded a failure
	events        []runner.Event
	log           []any // calls and events, in order
	breaks        []Break
	// truth is what the sources answer after the reconcile.
	truth phases.Facts
	// sources are those that the runner used.
	sources *phases.Sources
	carried
	elapsed phases.Flags // the drifted flags that Elapse has changed
	problem error        // with the setup
}

// carried holds data about a run that is not in its state, from one reconcile to the next.
type carried struct {
	drifted     phases.Flags // changed by something other than the outcome of a phase
	attempts    int          // consecutive calls of the current phase's handler that ended in an error
	enteredFrom int          // the index of the phase from which the current one was entered, plus two; zero if none
}

// call is a call of a handler.
type call struct {
	itinerary, phase string
	result           string
	kind             resultKind
	choice           string        // of a handler that is done
	after            time.Duration // delay of the run, of a handler that is done
	at               time.Time     // on the clock, at the beginning
	ended            bool          // the context had ended before the call
}

// resultKind classifies the result of a handler call.
type resultKind uint8

const (
	resultDone resultKind = iota
	resultWait
	resultFail
	resultError // or a panic
	resultStop  // an error that stops the run, by OnError or by an undeclared choice
)

func newEngine[T, W any](s Setup[T, W]) (*engine[T, W], error) {
	s, err := s.check()
	if err != nil {
		return nil, err
	}
	e := &engine[T, W]{setup: s, build: s.Options, clock: newClock(s.Start), world: new(W),
		blockTimeout: blockTimeout, eachWrite: s.EachWrite}
	text, err := encode(s.World)
	if err != nil {
		return nil, setupError("Setup.World: %v", err)
	}
	if err := e.load(text); err != nil {
		return nil, err
	}
	return e, e.restart()
}

// load sets the world from JSON.
func (e *engine[T, W]) load(text []byte) error {
	w, err := decode[W](text)
	if err != nil {
		return setupError("the world cannot be read back from JSON: %v", err)
	}
	*e.world = w
	return nil
}

// save returns the world as JSON.
func (e *engine[T, W]) save() []byte {
	text, err := encode(*e.world)
	if err != nil {
		e.problem("the world cannot be written as JSON: %v", err)
	}
	return text
}

func (e *engine[T, W]) problem(format string, args ...any) {
	if e.now != nil && e.now.problem == nil {
		e.now.problem = setupError(format, args...)
	}
}

func (e *engine[T, W]) broken(b Break) { e.now.breaks = append(e.now.breaks, b) }

// restart builds the controller, as after a crash.
func (e *engine[T, W]) restart() error {
	e.options = e.build(e.world)
	if _, err := runner.New(e.options); err != nil {
		return err // the error of the embedder's own call of New
	}
	o := e.options
	o.Now, o.WithTimeout = e.clock.Now, e.clock.WithTimeout
	o.Observers = append(slices.Clone(o.Observers), runner.ObserverFunc[T](func(_ context.Context, _ T, event runner.Event) {
		if _, ok := event.(runner.RunReconciled); ok { // its state must not be kept
			return
		}
		e.now.events = append(e.now.events, event)
		e.now.log = append(e.now.log, event)
	}))
	o.Sources = e.sources
	o.Phases, o.PhasesByItinerary = nil, make(map[string]map[string]runner.Phase[T])
	if onFail := o.OnFail; onFail != nil {
		o.OnFail = func(ctx context.Context, object T, f runner.Failure) error {
			returned := false
			defer func() { // outside a cleanup, a failure counts only once OnFail has written it
				if returned || cleansUp(e.graph(f.Itinerary)) {
					e.now.onFails++
				}
			}()
			if err := onFail(ctx, object, f); err != nil {
				return err
			}
			returned = true
			return nil
		}
	}
	if onError := o.OnError; onError != nil {
		o.OnError = func(object T, v runner.Visit, err error) runner.ErrorAction {
			action := onError(object, v, err)
			last := &e.now.calls[len(e.now.calls)-1]
			switch {
			case action == runner.ActionFail, action == runner.ActionStop && cleansUp(e.graph(v.Itinerary)):
				last.kind = resultFail
			case action == runner.ActionStop:
				last.kind = resultStop
			}
			return action
		}
	}
	if e.eachWrite {
		o.MaxPhases = 1
		o.Key = func(T) string { return "" } // each attempt is in the state
	}
	for _, name := range o.Itineraries.Names() {
		g, err := o.Itineraries.Graph(name)
		if err != nil {
			return err
		}
		e.flags = g.Vocabulary()
		o.PhasesByItinerary[name] = make(map[string]runner.Phase[T], g.Len())
		for i := range g.Len() {
			phase := g.Phase(i)
			if phase.End { // it has no handler
				continue
			}
			o.PhasesByItinerary[name][phase.Name] = e.watched(name, phase)
		}
	}
	if e.setup.Coverage != nil {
		e.setup.Coverage.declare(o.Itineraries, func(itinerary, phase string) bool {
			return e.phase(itinerary, phase).Handler != nil || e.options.Handler != nil
		})
	}
	r, err := runner.New(o)
	e.runner = r
	return err
}

// watched returns the embedder's options of a phase, with the handler wrapped by the engine.
func (e *engine[T, W]) watched(itinerary string, phase phases.Phase) runner.Phase[T] {
	p := e.given(itinerary, phase.Name)
	work := p.Handler
	if work == nil {
		work = e.options.Handler
	}
	p.Handler = runner.VisitFunc[T](func(ctx context.Context, object T, v runner.Visit) (runner.Result, error) {
		var bound runner.HandlerFunc[T] // nil means pass through
		if work != nil {
			bound = func(ctx context.Context, object T) (runner.Result, error) { return work.Handle(ctx, object, v) }
		}
		return e.handle(ctx, object, itinerary, phase, bound)
	})
	return p
}

// graph returns the itinerary with that name, or nil.
func (e *engine[T, W]) graph(name string) *machine.Graph {
	g, err := e.options.Itineraries.Graph(name)
	if err != nil {
		return nil
	}
	return g
}

// isEnd reports whether a phase is an end phase.
func (e *engine[T, W]) isEnd(itinerary, phase string) bool {
	g := e.graph(itinerary)
	if g == nil {
		return false
	}
	i, err := g.Lookup(phase)
	return err == nil && g.IsEnd(i)
}

// given returns the embedder's options of a phase.
func (e *engine[T, W]) given(itinerary, phase string) runner.Phase[T] {
	if p, ok := e.options.PhasesByItinerary[itinerary][phase]; ok {
		return p
	}
	return e.options.Phases[phase]
}

// phase returns the embedder's options of a phase, with defaults filled in.
func (e *engine[T, W]) phase(itinerary, phase string) runner.Phase[T] {
	p := e.given(itinerary, phase)
	if p.Deadline == 0 {
		p.Deadline = e.options.Deadline
	}
	if p.MaxAttempts == 0 {
		p.MaxAttempts = e.options.MaxAttempts
	}
	return p
}

// deadline returns the deadline of a phase; zero if it has none.
func (e *engine[T, W]) deadline(itinerary, phase string) time.Duration {
	return e.phase(itinerary, phase).Deadline
}

// sources returns the embedder's sources, with the injected faults.
func (e *engine[T, W]) sources(ctx context.Context, object T) (*phases.Sources, error) {
	sources, err := e.options.Sources(ctx, object)
	if e.now != nil {
		e.now.sources = sources
	}
	if err != nil || sources == nil || e.inject.evaluation == nil {
		return sources, err
	}
	all := sources.All()
	for i := range all {
		line := e.inject.evaluation(e.flags.Names(all[i].Flag)[0])
		if line == nil {
			continue
		}
		evaluate := all[i].Evaluate
		all[i].Evaluate = func(ctx context.Context, known phases.Facts) (phases.Truth, error) {
			switch line.verb {
			case verbFlagErr:
				return phases.Unknown, errors.New(line.texts[0])
			case verbFlagHang:
				return phases.Unknown, Hang(ctx)
			}
			if err := late(ctx); err != nil {
				return phases.Unknown, err
			}
			return evaluate(ctx, known)
		}
	}
	return phases.NewSources(e.flags, all...)
}

// aside returns a context with a separate clock, for calls that this package makes apart from the
// runner.
func (e *engine[T, W]) aside() (context.Context, context.CancelFunc) {
	c := newClock(e.clock.Now())
	ctx, cancel := c.WithTimeout(context.Background(), reconcileTimeout)
	stop := e.watch(c)
	return ctx, func() {
		stop()
		cancel()
	}
}

// truth returns what the sources answer, independent of the runner's own evaluation and without
// injected faults.
func (e *engine[T, W]) truth(object T) phases.Facts {
	f, _ := e.answers(object)
	return f
}

// answers returns what the sources answer, and the flags whose sources do not answer at all. A
// source that returns unknown without an error does answer.
func (e *engine[T, W]) answers(object T) (f phases.Facts, silent phases.Flags) {
	defer func() {
		if p := recover(); p != nil { // sources that panic answer nothing
			f, silent = phases.Facts{}, e.flags.All()
		}
	}()
	ctx, cancel := e.aside()
	defer cancel()
	sources, err := e.options.Sources(ctx, object)
	if err != nil || sources == nil {
		return phases.Facts{}, e.flags.All()
	}
	// Evaluate the sources directly: Sources.Evaluate also bounds, orders and collects errors,
	// which would dominate the time of an exploration.
	all := sources.All()
	for i := range all {
		e.sourced |= all[i].Flag
	}
	for progress := true; progress; {
		progress = false
		for i := range all {
			src := &all[i]
			if src.Evaluate == nil || !f.Known().Has(src.Inputs) {
				continue
			}
			t, err := src.Evaluate(ctx, f)
			if err == nil {
				f = f.Set(src.Flag, t)
			} else {
				silent |= src.Flag
			}
			src.Evaluate, progress = nil, true // evaluate each source once
		}
	}
	return f, silent
}

// setFlags sets flags, and checks that their sources then return these values.
func (e *engine[T, W]) setFlags(object T, values phases.Facts) error {
	if e.setup.SetFlag == nil {
		return setupError("Setup.SetFlag is missing; the test sets flags")
	}
	e.truth(object)                                       // records which flags have sources
	for flag := range (values.Known() & e.sourced).Each { // the runner evaluates no other
		name := e.flags.Names(flag)[0]
		if err := e.setup.SetFlag(object, e.world, name, values.Of(flag) == phases.True); err != nil {
			return setupError("SetFlag %s=%s: %v", name, values.Of(flag), err)
		}
	}
	truth, silent := e.answers(object)
	for flag := range (values.Known() & e.sourced).Each {
		notYet := !truth.Known().Has(flag) && !silent.Has(flag)
		if got := truth.Of(flag); got != values.Of(flag) && !notYet {
			return setupError("after SetFlag %s=%s its source returns %s; "+
				"change in SetFlag what the source reads, or exclude this combination of flags by a relation of the vocabulary",
				e.flags.Names(flag)[0], values.Of(flag), got)
		}
	}
	return nil
}

// parse reads flags in the notation of the line Decide.
func (e *engine[T, W]) parse(names []string) (phases.Facts, error) {
	var f phases.Facts
	for _, name := range names {
		bare, not := strings.CutPrefix(name, "!")
		flag, err := e.flags.Parse(bare)
		if err != nil {
			return f, err
		}
		f = f.Set(flag, phases.TruthOf(!not))
	}
	return f, nil
}

// reconcile runs one reconcile of an object at a time of the clock. It does not change the given
// object. A *SetupError in the result ends the test.
func (e *engine[T, W]) reconcile(object T, now time.Time, before carried) *reconciled[T] {
	r := &reconciled[T]{carried: before, now: now}
	e.now = r
	e.clock.set(now)
	var err error
	if r.object, err = copyOf(object); err != nil {
		e.problem("the object cannot be copied: %v", err)
		return r
	}
	if r.before, err = e.read(r.object); err != nil {
		r.err = err
		return r
	}
	r.before = *r.before.DeepCopy()
	if e.setup.Elapse != nil {
		r.elapsed = e.outside(object, r.before, func() { e.setup.Elapse(e.world, now) })
		r.drifted |= r.elapsed
	}
	r.paused = e.isPaused(r.object)
	ctx, cancel := e.clock.WithTimeout(context.Background(), reconcileTimeout)
	defer cancel()
	stop := e.watch(e.clock)
	r.outcome, r.err = e.runner.Reconcile(ctx, r.object)
	stop()
	r.gaveUp = ctx.Err() != nil
	if r.object, err = copyOf(r.object); err != nil { // as it is stored
		e.problem("the object cannot be kept as JSON: %v", err)
		return r
	}
	if r.after, err = e.read(r.object); err != nil {
		r.err = errors.Join(r.err, err)
		return r
	}
	r.after = *r.after.DeepCopy()
	if r.outcome.Changed && !equality.Semantic.DeepEqual(r.outcome.State, r.after) {
		e.broken(Break{Promise: PromiseState, Itinerary: r.after.Itinerary, How: "Storage.Write and Storage.Read do not keep the state",
			Detail: diffLines(cmp.Diff(r.outcome.State, r.after))})
	}
	was, err1 := encode(object)
	is, err2 := encode(r.object)
	if err := errors.Join(err1, err2); err != nil {
		e.problem("the object cannot be written as JSON: %v", err)
	}
	r.changed, r.size = !bytes.Equal(was, is), len(is)
	r.selected = e.selects(r.object)
	r.truth = e.truth(r.object)
	for _, event := range r.events {
		if evaluated, ok := event.(runner.FlagEvaluated); ok && evaluated.Err == nil {
			flag, _ := e.flags.Lookup(evaluated.Flag)
			r.drifted &^= flag
		}
	}
	r.breaks = append(r.breaks, e.promises(r)...)
	r.attempts = e.attempts(r)
	e.cover(r)
	return r
}

// selects returns the itinerary that the object selects; empty if the selector returns none.
func (e *engine[T, W]) selects(object T) (name string) {
	defer func() {
		if recover() != nil {
			name = ""
		}
	}()
	name, err := e.options.Select(context.Background(), object)
	if err != nil {
		return ""
	}
	return name
}

// isPaused reports whether the run is paused. If the options' Paused fails, it is not.
func (e *engine[T, W]) isPaused(object T) (paused bool) {
	defer func() {
		if recover() != nil {
			paused = false
		}
	}()
	if e.options.Paused == nil {
		return false
	}
	paused, err := e.options.Paused(context.Background(), object)
	return paused && err == nil
}

// outside runs happen, which acts outside the controller, and returns the flags that it changes
// except those that the current phase decides: the run need not see these changes.
func (e *engine[T, W]) outside(object T, s runner.State, happen func()) phases.Flags {
	was := e.truth(object)
	happen()
	changed := differ(was, e.truth(object))
	if g := e.graph(s.Itinerary); g != nil && s.Phase != "" {
		if i, err := g.Lookup(s.Phase); err == nil {
			changed &^= g.Decides(i)
		}
	}
	return changed
}

// due returns when the controller reconciles next: at the requeue that the runner requested, one
// second after an error, or else at the next resync. waits reports whether that may be later than
// now.
func (e *engine[T, W]) due(r *reconciled[T], now time.Time) (due time.Time, waits bool) {
	switch {
	case r.outcome.Requeue:
		return now.Add(r.outcome.RequeueAfter), r.outcome.RequeueAfter > 0
	case r.err != nil:
		return now.Add(time.Second), true
	case r.outcome.Done:
		return now, false
	}
	return now.Add(e.setup.Resync), true
}

// watch advances a clock while something blocks in real time: a handler or a source that waits for
// its context without [Hang].
func (e *engine[T, W]) watch(c *clock) (stop func()) {
	var mu sync.Mutex // orders the timer's function after its assignment
	stopped := false
	var timer *time.Timer
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(e.blockTimeout, func() {
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			c.next()
			timer.Reset(e.blockTimeout)
		}
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		stopped = true
		timer.Stop()
	}
}

// snapshot returns the moment after a write.
func (e *engine[T, W]) snapshot(object T, s runner.State, injected []string) Snapshot[T, W] {
	return Snapshot[T, W]{Object: object, World: e.world, State: s, Now: e.clock.Now(), Injected: injected}
}

// invariants checks the invariants of the setup.
func (e *engine[T, W]) invariants(s Snapshot[T, W]) (breaks []Break) {
	for _, i := range e.setup.Invariants {
		if err := i.Check(s); err != nil {
			breaks = append(breaks, Break{Promise: i.Name, Itinerary: s.State.Itinerary,
				How: "the invariant does not hold", Detail: err.Error()})
		}
	}
	return breaks
}

// differ returns the flags that are known in both and differ.
func differ(a, b phases.Facts) (flags phases.Flags) {
	return a.True()&b.False() | a.False()&b.True()
}

// read reads the state of an object.
func (e *engine[T, W]) read(object T) (runner.State, error) {
	return e.options.Storage.Read(context.Background(), object)
}
