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

// engine runs single reconciles of a setup, with faults injected, and watches
// them. A life uses one from its beginning to its end; an exploration puts one
// at the beginning of each reconcile that it tries.
type engine[T, W any] struct {
	setup   Setup[T, W]
	build   func(*W) runner.Options[T] // of the present release
	clock   *clock
	world   *W
	options runner.Options[T] // as the embedder gave them
	runner  *runner.Runner[T]
	flags   *phases.Vocabulary
	sourced phases.Flags // those that have a source
	// eachWrite lets a reconcile leave one phase at most.
	eachWrite    bool
	blockTimeout time.Duration
	item         int // of those of the object; 0 is the one under test

	inject injection
	now    *reconciled[T] // what is being recorded
}

// injection is what a test injects into a reconcile.
type injection struct {
	// call returns what happens at a call of a phase's handler: a line that
	// replaces it, or nil, and flags that it decides.
	call func(itinerary, phase string) (instead *Line, decides []string)
	// ask returns the line about a source that is evaluated, or nil. If ask is
	// nil, sources are left as they are.
	ask func(flag string) *Line
}

// reconciled is what came of a reconcile.
type reconciled[T any] struct {
	object        T   // as the runner left it
	size          int // of the object, as JSON
	now           time.Time
	selected      string // by the object as the runner left it
	before, after runner.State
	outcome       runner.Outcome
	err           error
	gaveUp        bool // whether the context of the reconcile has ended
	changed       bool // whether the object differs from what was read
	worked        bool // whether a handler has changed the world
	paused        bool // as the options see the object
	calls         []call
	onFails       int // calls of OnFail that took down a failure
	events        []runner.Event
	log           []any // calls and events, in order
	breaks        []Break
	// truth is what the sources return in the end.
	truth phases.Facts
	carried
	elapsed phases.Flags // those that drifted since Elapse has changed them
	problem error        // of the setup
}

// carried is what the harness knows of a run beside its state, from one reconcile
// to the next.
type carried struct {
	drifted  phases.Flags // changed otherwise than by the outcome of a phase
	attempts int          // calls of the handler of the current phase that ended in an error, without a break
	came     int          // the index of the phase from which the current one was entered, plus two; zero if there is none
}

// call is a call of a handler.
type call struct {
	itinerary, phase string
	result           string
	answer           answer
	choice           string        // of a handler that is done
	after            time.Duration // after which the run goes on, of a handler that is done
	at               time.Time     // on the clock, as it began
	ended            bool          // its context had ended before it was called
}

// answer is what a call of a handler came to.
type answer uint8

const (
	resultDone answer = iota
	resultWait
	resultFail
	resultError // or a panic
	resultStop  // an error that stops the run, as OnError decided, or a choice that the phase does not declare
)

func newEngine[T, W any](s Setup[T, W]) (*engine[T, W], error) {
	s, err := s.check()
	if err != nil {
		return nil, err
	}
	e := &engine[T, W]{setup: s, build: s.Options, clock: newClock(s.Start), world: new(W), blockTimeout: blockTimeout, eachWrite: s.EachWrite}
	text, err := encode(s.World)
	if err != nil {
		return nil, setupError("Setup.World: %v", err)
	}
	if err := e.load(text); err != nil {
		return nil, err
	}
	return e, e.restart()
}

// load makes the world what it was.
func (e *engine[T, W]) load(text []byte) error {
	w, err := decode[W](text)
	if err != nil {
		return setupError("the world cannot be read back from JSON: %v", err)
	}
	*e.world = w
	return nil
}

// save writes the world down.
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
		return err // as the embedder's own call of New reports it
	}
	o := e.options
	o.Now, o.WithTimeout = e.clock.Now, e.clock.WithTimeout
	o.Observers = append(slices.Clone(o.Observers), runner.ObserverFunc[T](func(_ context.Context, _ T, event runner.Event) {
		if _, ok := event.(runner.RunReconciled); ok { // whose state must not be kept
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
			defer func() { // outside a cleanup, a failure that OnFail has not written is none yet
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
				last.answer = resultFail
			case action == runner.ActionStop:
				last.answer = resultStop
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
			if phase.End { // it does no work
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

// watched returns the embedder's options of a phase, with a handler that goes through
// the engine.
func (e *engine[T, W]) watched(itinerary string, phase phases.Phase) runner.Phase[T] {
	p := e.given(itinerary, phase.Name)
	work := p.Handler
	if work == nil {
		work = e.options.Handler
	}
	p.Handler = runner.VisitFunc[T](func(ctx context.Context, object T, v runner.Visit) (runner.Result, error) {
		var bound runner.HandlerFunc[T] // nil passes through
		if work != nil {
			bound = func(ctx context.Context, object T) (runner.Result, error) { return work.Handle(ctx, object, v) }
		}
		return e.handle(ctx, object, itinerary, phase, bound)
	})
	return p
}

// graph is the itinerary of that name, or nil.
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

// phase is how the embedder's options run a phase, with their defaults.
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

// deadline is that of a phase; zero if it has none.
func (e *engine[T, W]) deadline(itinerary, phase string) time.Duration {
	return e.phase(itinerary, phase).Deadline
}

// sources are those of the embedder, with the faults that are injected.
func (e *engine[T, W]) sources(ctx context.Context, object T) (*phases.Sources, error) {
	sources, err := e.options.Sources(ctx, object)
	if err != nil || sources == nil || e.inject.ask == nil {
		return sources, err
	}
	all := sources.All()
	for i := range all {
		line := e.inject.ask(e.flags.Names(all[i].Flag)[0])
		if line == nil {
			continue
		}
		ask := all[i].Evaluate
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
			return ask(ctx, known)
		}
	}
	return phases.NewSources(e.flags, all...)
}

// aside is a context for what this package asks and calls apart from the
// runner, on a clock of its own.
func (e *engine[T, W]) aside() (context.Context, context.CancelFunc) {
	c := newClock(e.clock.Now())
	ctx, cancel := c.WithTimeout(context.Background(), reconcileTimeout)
	stop := e.watch(c)
	return ctx, func() {
		stop()
		cancel()
	}
}

// truth is what the sources return, apart from the runner's own evaluation and
// without injected faults.
func (e *engine[T, W]) truth(object T) phases.Facts {
	f, _ := e.answers(object)
	return f
}

// answers is what the sources return, and which of them do not answer at all: one
// that returns unknown without an error does.
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
	// Sources.Evaluate bounds, orders by cost and collects errors, of which nothing
	// matters here, and would take most of the time of an exploration.
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
			src.Evaluate, progress = nil, true // once is enough
		}
	}
	return f, silent
}

// setFlags gives flags a value, and sees that their sources then answer so.
func (e *engine[T, W]) setFlags(object T, values phases.Facts) error {
	if e.setup.SetFlag == nil {
		return setupError("Setup.SetFlag is missing; the test sets flags")
	}
	e.truth(object)                                       // finds out which flags have sources
	for flag := range (values.Known() & e.sourced).Each { // the runner asks no other
		name := e.flags.Names(flag)[0]
		if err := e.setup.SetFlag(object, e.world, name, values.Of(flag) == phases.True); err != nil {
			return setupError("SetFlag %s=%s: %v", name, values.Of(flag), err)
		}
	}
	truth, silent := e.answers(object)
	for flag := range (values.Known() & e.sourced).Each {
		notYet := !truth.Known().Has(flag) && !silent.Has(flag)
		if got := truth.Of(flag); got != values.Of(flag) && !notYet {
			return setupError("after SetFlag %s=%s its source returns %s; let SetFlag change what the source looks at, or let a relation of the vocabulary exclude this combination of flags",
				e.flags.Names(flag)[0], values.Of(flag), got)
		}
	}
	return nil
}

// parse reads flags as the line Decide names them.
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

// reconcile runs one reconcile of an object at a time of the clock. The object
// given is not changed. A *SetupError in what it returns ends the test.
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
	if r.object, err = copyOf(r.object); err != nil { // as it is kept
		e.problem("the object cannot be kept as JSON: %v", err)
		return r
	}
	if r.after, err = e.read(r.object); err != nil {
		r.err = errors.Join(r.err, err)
		return r
	}
	r.after = *r.after.DeepCopy()
	if r.outcome.Changed && !equality.Semantic.DeepEqual(r.outcome.State, r.after) {
		e.broken(Break{Promise: PromiseState, Itinerary: r.after.Itinerary, How: "Write and Read of the options do not keep the state",
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
		if asked, ok := event.(runner.FlagEvaluated); ok && asked.Err == nil {
			flag, _ := e.flags.Lookup(asked.Flag)
			r.drifted &^= flag
		}
	}
	r.breaks = append(r.breaks, e.promises(r)...)
	r.attempts = e.attempts(r)
	e.cover(r)
	return r
}

// selects is the itinerary that the object asks for; empty if the selector
// does not return one.
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

// isPaused reports whether the run is paused; if the function of the options
// fails, it is not.
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

// outside lets something happen outside of the controller, and returns the
// flags that it changes and that the current phase does not decide: the run
// need not see these.
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

// due is when the controller comes back: as the runner asks for it, a second
// after an error, and else with the next resync. Waits reports whether it need
// not be soon.
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

// watch moves a clock on while something blocks in real time: a handler or a
// source that waits for its context without [Hang].
func (e *engine[T, W]) watch(c *clock) (stop func()) {
	var mu sync.Mutex // also orders the timer's function behind its assignment
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

// snapshot is the moment after a write.
func (e *engine[T, W]) snapshot(object T, s runner.State, injected []string) Snapshot[T, W] {
	return Snapshot[T, W]{Object: object, World: e.world, State: s, Now: e.clock.Now(), Injected: injected}
}

// invariants checks those of the embedder.
func (e *engine[T, W]) invariants(s Snapshot[T, W]) (breaks []Break) {
	for _, i := range e.setup.Invariants {
		if err := i.Check(s); err != nil {
			breaks = append(breaks, Break{Promise: i.Name, Itinerary: s.State.Itinerary, How: "the invariant does not hold", Detail: err.Error()})
		}
	}
	return breaks
}

// differ are the flags that are known in both and differ.
func differ(a, b phases.Facts) (flags phases.Flags) {
	return a.True()&b.False() | a.False()&b.True()
}

// read reads the state of an object.
func (e *engine[T, W]) read(object T) (runner.State, error) {
	return e.options.Storage.Read(context.Background(), object)
}
