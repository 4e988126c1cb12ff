package lives

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/oracle"
)

// Counts maps the name of an event to the number of times that it happened.
type Counts map[string]int

// Add adds other counts.
func (c Counts) Add(other Counts) {
	for name, n := range other {
		c[name] += n
	}
}

// String lists the counts, sorted by name.
func (c Counts) String() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(c)) {
		all = append(all, fmt.Sprintf("%s %d", name, c[name]))
	}
	return strings.Join(all, ", ")
}

// Life is one run and everything that happens to it.
type Life struct {
	Seed uint64
	// Definition is the definition of the run, and Trace its history.
	Definition oracle.Definition
	Trace      []oracle.Event
	Counts     Counts

	random     *rand.Rand
	set        *machine.Set
	vocabulary *phases.Vocabulary
	main       string
	answers    bool // the selector handles failures
	site       Site
	calm       bool // nothing goes wrong from now on

	mu     sync.Mutex // sources are evaluated at the same time
	now    time.Time
	values map[string]bool
	// mute holds flags whose source does not know them until the given turn,
	// and errs those whose source returns an error. A phase that decides the
	// flag ends both.
	mute, errs map[string]int
	down       int // the sources cannot be read before this turn
	turn       int

	begun         bool   // this reconcile has begun
	last          string // result of the last handler in this turn
	killed        bool
	waitsForWatch bool
	retries       bool // a phase or a write is retried
}

// After calmAfter turns nothing goes wrong. A life must end within maxTurns.
const (
	calmAfter = 30
	maxTurns  = 600
)

// New generates the life of a seed. Two calls with the same seed return equal
// lives.
func New(seed uint64) (*Life, error) {
	l := &Life{
		Seed: seed, Counts: Counts{}, random: rand.New(rand.NewPCG(seed, 7)),
		now: time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC), values: map[string]bool{}, mute: map[string]int{}, errs: map[string]int{},
	}
	l.answers = !l.chance(0.06)
	for l.set == nil {
		l.main = "Main"
		l.Definition = generate(l.random)
		if l.chance(0.3) {
			l.main = []string{mtc.Final, mtc.Stage}[l.random.IntN(2)]
			l.Definition = Describe(mtc.Itineraries())
		}
		limit(l.random, l.Definition)
		itineraries, vocabulary, err := build(l.Definition)
		if err != nil {
			return nil, err
		}
		set, err := machine.CompileSet(itineraries...)
		if err != nil {
			continue // refused, such as a loop that no edge leaves
		}
		l.set, l.vocabulary = set, vocabulary
	}
	for _, def := range l.vocabulary.Defs() {
		l.values[def.Name] = l.chance(0.5)
	}
	for _, it := range l.Definition {
		if it.Name != l.main {
			continue
		}
		for _, p := range it.Phases {
			for _, f := range p.Decides {
				switch { // not known before it is decided
				case l.chance(0.2):
					l.mute[f] = 1 + l.random.IntN(20)
					l.Counts["flags not known yet"]++
				case l.chance(0.1):
					l.errs[f] = 1 + l.random.IntN(20)
					l.Counts["flags that err until decided"]++
				}
			}
		}
	}
	return l, nil
}

func (l *Life) chance(p float64) bool { return l.random.Float64() < p }

// pick returns a random flag.
func (l *Life) pick() string { return l.vocabulary.Defs()[l.random.IntN(l.vocabulary.Len())].Name }

func (l *Life) add(e oracle.Event) {
	e.At = l.now
	l.Trace = append(l.Trace, e)
}

func (l *Life) clock() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

func (l *Life) pass(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = l.now.Add(d)
}

// Options returns the options of a runner that plays the life.
func Options[T any](l *Life, a Access[T]) runner.Options[T] {
	o := runner.Options[T]{
		Itineraries: l.set, Storage: runner.Storage[T]{
			Read:  func(_ context.Context, object T) (runner.State, error) { return a.Read(object) },
			Write: func(_ context.Context, object T, s runner.State) error { return a.Write(object, s) },
		}, Now: l.clock,
		Select:            func(_ context.Context, object T) (string, error) { return l.selects(a.Requests(object)), nil },
		Paused:            func(_ context.Context, object T) (bool, error) { return a.Requests(object).Paused, nil },
		OnFail:            func(_ context.Context, object T, f runner.Failure) error { a.Fail(object, f.Reasons); return nil },
		Failed:            func(_ context.Context, object T) (bool, error) { return a.Requests(object).Failed, nil },
		Sources:           func(context.Context, T) (*phases.Sources, error) { return l.sources() },
		PhasesByItinerary: map[string]map[string]runner.Phase[T]{},
	}
	for _, it := range l.Definition {
		o.PhasesByItinerary[it.Name] = map[string]runner.Phase[T]{}
		for _, p := range it.Phases {
			if p.End {
				continue
			}
			o.PhasesByItinerary[it.Name][p.Name] = runner.Phase[T]{
				Handler:  runner.HandlerFunc[T](func(ctx context.Context, _ T) (runner.Result, error) { return l.handle(ctx, it.Name, p) }),
				Deadline: p.Deadline, MaxAttempts: p.MaxAttempts,
			}
		}
	}
	return o
}

func (l *Life) selects(w Requests) string {
	selected := l.main
	switch {
	case w.Failed && l.answers:
		selected = failedItinerary
	case w.Canceled:
		selected = cancelItinerary
	case w.RolledBack:
		selected = rollbackItinerary
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.begun {
		l.begun = true
		l.add(oracle.Event{Kind: oracle.Begin, Itinerary: selected, Paused: w.Paused})
	} else {
		l.add(oracle.Event{Kind: oracle.Select, Itinerary: selected})
	}
	return selected
}

func (l *Life) sources() (*phases.Sources, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down > l.turn {
		l.Counts["asked while sources were down"]++
		l.add(oracle.Event{Kind: oracle.Outage})
		return nil, errors.New("the sources are down")
	}
	var all []phases.Source
	for _, def := range l.vocabulary.Defs() {
		all = append(all, phases.Source{Flag: def.Flag, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
			return l.ask(def.Name)
		}})
	}
	return phases.NewSources(l.vocabulary, all...)
}

func (l *Life) ask(flag string) (phases.Truth, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.errs[flag] > l.turn:
		l.Counts["asked in vain"]++
		l.add(oracle.Event{Kind: oracle.Evaluate, Flag: flag, Value: "error"})
		return phases.Unknown, fmt.Errorf("flag %s cannot be evaluated", flag)
	case l.mute[flag] > l.turn:
		l.add(oracle.Event{Kind: oracle.Evaluate, Flag: flag, Value: "not yet"})
		return phases.Unknown, nil
	}
	l.add(oracle.Event{Kind: oracle.Evaluate, Flag: flag, Value: fmt.Sprint(l.values[flag])})
	return phases.TruthOf(l.values[flag]), nil
}

// decide sets new values for the flags that a phase decides.
func (l *Life) decide(p oracle.Phase, known bool) {
	for _, f := range p.Decides {
		l.values[f] = l.chance(0.5)
		if known {
			delete(l.mute, f)
			delete(l.errs, f)
		}
	}
}

func (l *Life) handle(ctx context.Context, itinerary string, p oracle.Phase) (runner.Result, error) {
	l.add(oracle.Event{Kind: oracle.Call, Itinerary: itinerary, Phase: p.Name})
	l.Counts["calls"]++
	if !l.calm {
		l.during(ctx)
	}
	result, kind, err := l.outcome(p)
	l.last = kind
	l.Counts["handlers: "+kind]++
	e := oracle.Event{Kind: oracle.Return, Itinerary: itinerary, Phase: p.Name, Value: kind, Choice: result.Choice()}
	if result.IsDone() {
		e.After = result.RequeueAfter()
	}
	l.add(e)
	if err == errPanic {
		panic("told to panic")
	}
	return result, err
}

var errPanic = errors.New("panic")

func (l *Life) outcome(p oracle.Phase) (result runner.Result, kind string, err error) {
	draw := l.random.Float64()
	if l.calm {
		draw = 0
	}
	switch {
	case draw < 0.68:
		l.decide(p, true)
		return l.done(p), "done", nil
	case draw < 0.80:
		if l.chance(0.5) { // a part of the work is done
			l.decide(p, false)
		}
		after := []time.Duration{0, 5 * time.Second, time.Minute, -time.Second}[l.random.IntN(4)]
		l.waitsForWatch = after == 0
		return runner.Wait(after, "at work", "a line"), "wait", nil
	case draw < 0.94:
		if l.chance(0.5) {
			l.decide(p, false)
		}
		err = fmt.Errorf("told to err, %d", l.random.IntN(2))
		if l.chance(0.1) {
			err = errPanic
			l.Counts["panics"]++
		}
		return runner.Result{}, "error", err
	}
	l.decide(p, false)
	reasons := []string{"told to fail"}
	if l.chance(0.2) {
		reasons = slices.Repeat([]string{strings.Repeat("long ", 1+l.random.IntN(500))}, 1+l.random.IntN(40))
	}
	return runner.Fail(reasons...), "fail", nil
}

// done may make a choice, and may delay the run.
func (l *Life) done(p oracle.Phase) runner.Result {
	var options []runner.DoneOption
	choose := func(what, phase string) {
		l.Counts[what]++
		options = append(options, runner.Choose(phase))
	}
	var choices []string
	for _, j := range p.Jumps {
		if j.Choice {
			choices = append(choices, j.To)
		}
	}
	switch {
	case !l.calm && l.chance(0.02):
		choose("choices that are not declared", "Nowhere")
	case choices != nil && l.chance(0.6):
		choose("choices", choices[l.random.IntN(len(choices))])
	}
	if l.chance(0.15) {
		l.Counts["delays"]++
		delays := []time.Duration{1, 1500 * time.Millisecond, 30 * time.Second, 2 * time.Hour}
		options = append(options, runner.After(delays[l.random.IntN(4)]))
	}
	return runner.Done(options...)
}

// during plays what other clients do while a handler works.
func (l *Life) during(ctx context.Context) {
	if l.chance(0.08) {
		l.pass(time.Duration(l.random.IntN(200)) * time.Second)
	}
	switch draw := l.random.Float64(); {
	case draw < 0.03:
		l.edit(ctx, "cancels during a call", func(w *Requests) { w.Canceled = true })
	case draw < 0.05:
		l.edit(ctx, "rollbacks during a call", func(w *Requests) { w.RolledBack = true })
	case draw < 0.07:
		l.edit(ctx, "pauses during a call", func(w *Requests) { w.Paused = true })
	}
	switch draw := l.random.Float64(); {
	case draw < 0.05:
		l.site.Lose(Before)
		l.Counts["writes lost"]++
		l.killed = l.chance(0.5)
	case draw < 0.09:
		l.site.Lose(After)
		l.Counts["answers to writes lost"]++
		l.killed = l.chance(0.5)
	}
}

func (l *Life) edit(ctx context.Context, what string, change func(*Requests)) {
	l.Counts[what]++
	if err := l.site.Edit(ctx, change); err != nil {
		panic(fmt.Errorf("edit: %w", err))
	}
}

// between plays what happens between two reconciles.
func (l *Life) between(ctx context.Context) {
	switch draw := l.random.Float64(); {
	case draw < 0.03:
		l.edit(ctx, "cancels", func(w *Requests) { w.Canceled = true })
	case draw < 0.05:
		l.edit(ctx, "rollbacks", func(w *Requests) { w.RolledBack = true })
	case draw < 0.06:
		l.edit(ctx, "requests taken back", func(w *Requests) { w.Canceled, w.RolledBack = false, false })
	case draw < 0.07:
		l.edit(ctx, "rollbacks in place of a cancel", func(w *Requests) { w.Canceled, w.RolledBack = false, true })
	case draw < 0.10:
		l.edit(ctx, "pauses", func(w *Requests) { w.Paused = true })
	case draw < 0.15:
		l.errs[l.pick()] = l.turn + 1 + l.random.IntN(5)
		l.Counts["outages of a source"]++
	case draw < 0.18:
		l.down = l.turn + 1 + l.random.IntN(4)
		l.Counts["outages of all sources"]++
	case draw < 0.25: // a user edits an input
		f := l.pick()
		l.values[f] = !l.values[f]
		l.Counts["inputs edited"]++
	case draw < 0.29:
		l.pass(time.Duration(l.random.IntN(8*3600)) * time.Second)
		l.Counts["clock steps forward"]++
	case draw < 0.32 && !l.retries: // an attempt that is not due does not count
		l.pass(-time.Duration(l.random.IntN(1800)) * time.Second)
		l.Counts["clock steps back"]++
	case draw < 0.36:
		l.killed = true
	}
}

// Play plays the life on a site. Call it once. It returns nil if the life
// followed the rules; otherwise an [*Error], which wraps the first violation or
// the error of the site. Play panics if an edit of the object fails.
func (l *Life) Play(ctx context.Context, site Site) error {
	l.site = site
	after := -1 // turns since the end
	for l.turn = 0; after < 2; l.turn++ {
		if l.turn == maxTurns {
			return l.told(fmt.Errorf("not done after %d reconciles", maxTurns))
		}
		l.calm = l.turn >= calmAfter
		if !l.calm {
			l.between(ctx)
		}
		state, err := l.reconcile(ctx)
		if err != nil {
			return l.told(err)
		}
		if _, err := oracle.Check(l.Definition, l.Trace); err != nil {
			return l.told(err)
		}
		switch {
		case state.Done && after < 0:
			after = 0
			l.Counts["ended "+string(state.Result)]++
			l.edit(ctx, "requests after the end", func(w *Requests) { w.Canceled, w.Paused = true, false })
		case state.Done:
			after++
		}
	}
	l.Counts["lives"]++
	l.Counts["reconciles"] += l.turn
	return nil
}

// reconcile plays one turn.
func (l *Life) reconcile(ctx context.Context) (runner.State, error) {
	if l.killed {
		l.Counts["kills"]++
		l.add(oracle.Event{Kind: oracle.Kill})
		if err := l.site.Restart(); err != nil {
			return runner.State{}, err
		}
	}
	l.begun, l.last, l.killed, l.waitsForWatch = false, "", false, false
	next, err := l.site.Reconcile(ctx)
	if err != nil {
		return runner.State{}, err
	}
	state, err := l.site.State(ctx)
	if err != nil {
		return state, err
	}
	l.add(oracle.Event{Kind: oracle.End, Lost: next.Lost, Kept: keptOf(state)})
	l.retries = state.Retry != nil || next.Lost
	if state.Retry != nil { // after a conflict, a controller requeues at once
		next.RequeueAfter = max(next.RequeueAfter, state.Retry.Next.Add(time.Second).Sub(l.clock()))
	}
	return state, l.wake(ctx, state, next)
}

// wake makes the time pass, or the event happen, that wakes the run.
func (l *Life) wake(ctx context.Context, state runner.State, next Reconciled) error {
	switch {
	case next.Requeue && state.NotBefore != nil && !l.retries && !l.calm && l.chance(0.3):
		l.pass(time.Duration(l.random.Float64() * float64(next.RequeueAfter)))
		l.Counts["woken early"]++
	case next.Requeue:
		l.pass(next.RequeueAfter)
		if !l.calm && l.chance(0.05) {
			l.pass(time.Duration(l.random.IntN(3*3600)) * time.Second)
			l.Counts["controllers down for hours"]++
		}
	case state.Done:
	case state.PausedSince != nil:
		l.pass(time.Duration(l.random.IntN(3600)) * time.Second)
		if l.calm || l.chance(0.3) {
			l.edit(ctx, "resumes", func(w *Requests) { w.Paused = false })
		}
	case state.Stopped != nil && !state.PhaseFailed(): // the handler chooses again
		l.pass(time.Duration(l.random.IntN(60)) * time.Second)
	case state.Stopped != nil:
		l.edit(ctx, "cancels of a stopped run", func(w *Requests) { w.Canceled, w.Paused = true, false })
	case l.waitsForWatch:
		l.pass(time.Duration(l.random.IntN(60)) * time.Second)
	default:
		return errors.New("nothing wakes the run")
	}
	return nil
}

func keptOf(s runner.State) oracle.Kept {
	k := oracle.Kept{
		Itinerary: s.Itinerary, Phase: s.Phase, Step: s.Step, Choice: s.Choice, WorkDone: s.WorkDone, Done: s.Done,
		Result: string(s.Result), Failed: int(s.FailedPhases), FailedInCleanup: int(s.FailedInCleanup),
	}
	if s.NotBefore != nil {
		k.NotBefore = s.NotBefore.Time
	}
	for _, step := range s.Pipeline {
		k.Steps = append(k.Steps, oracle.Step{
			Name: step.Name, Started: step.Started != nil, Completed: step.Completed != nil, Failed: step.Failed, Skipped: step.Skipped,
		})
	}
	return k
}

// Error describes a life that violated the rules.
type Error struct {
	Seed  uint64
	Err   error
	Story string
}

func (e *Error) Error() string {
	return fmt.Sprintf("the life of seed %d: %v\n%s", e.Seed, e.Err, e.Story)
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// told adds the definition and the end of the trace to an error.
func (l *Life) told(err error) error {
	b := &strings.Builder{}
	var at *oracle.Error
	to := len(l.Trace)
	if errors.As(err, &at) {
		to = at.At + 1
	}
	in := ""
	for _, e := range l.Trace[max(to-40, 0):to] {
		fmt.Fprintf(b, "  %s\n", e)
		if e.Kept.Itinerary != "" {
			in = e.Kept.Itinerary
		}
	}
	for _, it := range l.Definition {
		if it.Name == in || it.Name == l.main {
			fmt.Fprintf(b, "itinerary %s\n", it.Name)
			for _, p := range it.Phases {
				fmt.Fprintf(b, "  %s\n", p)
			}
		}
	}
	return &Error{Seed: l.Seed, Err: err, Story: b.String()}
}
