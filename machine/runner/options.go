package runner

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Phase is how a phase is run.
type Phase[T any] struct {
	// Handler does the work. If nil, it is the Handler of the options.
	Handler Handler[T]
	// Deadline is how long the phase may work, waits and attempts that failed
	// included. It counts from the end of the second in which the phase was
	// entered, less the time for which a pause held it. When it has passed, the
	// handler is called once more, with a context of the smaller of the
	// deadline and a minute, and only if it does not return [Done] then, the
	// phase fails. A phase whose work is done has no deadline any more. Zero
	// means that of the options.
	Deadline time.Duration
	// MaxAttempts is how many calls of the handler may end in an error without
	// a break; then the phase fails. Zero means that of the options.
	MaxAttempts int
	// Backoff is when the handler is called again after an error. The zero
	// value means that of the options.
	Backoff Backoff
}

// Options are the embedder's parts. T is the type of the object that is
// reconciled, usually a pointer to a custom resource. All functions are called
// in the goroutine of the reconcile, with its context, and may read through the
// API. An error of one is retried after Backoff, and shown meanwhile; a panic
// counts as an error.
type Options[T any] struct {
	// Itineraries are all itineraries of the controller.
	Itineraries *machine.Set
	// Select returns the name of the itinerary that the object's state asks for
	// now. It is called at each reconcile, and again when a phase has failed or a
	// new run begins.
	Select func(ctx context.Context, object T) (string, error)
	// Sources returns the sources of the object's flags. It is called only if
	// there is something to evaluate. The context is bounded by
	// EvaluationTimeout. An error counts for each flag that would have been
	// evaluated.
	Sources func(ctx context.Context, object T) (*phases.Sources, error)
	// Storage is where on the object the state is kept.
	Storage Storage[T]

	// Phases describes how phases are run that are no end phases, by name, in all itineraries that
	// have a phase of that name; PhasesByItinerary takes precedence, by
	// itinerary and by name.
	Phases            map[string]Phase[T]
	PhasesByItinerary map[string]map[string]Phase[T]
	// Handler does the work of all phases that have no handler of their own,
	// such as the switch over phases of a controller that exists. Optional.
	Handler Handler[T]
	// PassThrough passes phases that have no handler, as done. Without Handler
	// and PassThrough, a missing handler is an error of New.
	PassThrough bool
	// OnError decides what an error of a handler means, a panic included. If
	// nil, or if it panics, the error is retried. It is not called for the last
	// error of a phase that fails by its deadline.
	OnError func(object T, v Visit, err error) ErrorAction

	// Deadline, MaxAttempts and Backoff are for phases that set none. Zero
	// means no deadline, no limit, and a backoff of a second, doubled each
	// time, at most five minutes. Flags that cannot be evaluated are retried
	// after Backoff as well.
	Deadline    time.Duration
	MaxAttempts int
	Backoff     Backoff

	// OnFail writes a failure on the object beside the state, so that Select
	// can see it there. It is called once for each failure; if it returns an
	// error, the phase has not failed yet and is tried again, but in a cleanup
	// itinerary the phase is passed by all the same. Optional: Select may go by
	// State.FailedPhases and State.Failures, since the state has been written on
	// the object by then.
	OnFail func(ctx context.Context, object T, f Failure) error
	// Failed reports whether the object says that something failed: an
	// itinerary that is left then reads Failed, not Canceled. It is not called
	// once a failure is recorded, nor when a cleanup itinerary is left.
	// Optional; what handlers fail with is known without it.
	Failed func(ctx context.Context, object T) (bool, error)
	// Paused reports whether the run is paused: then no handler is called and
	// nothing moves, except that a switch to a cleanup itinerary is made and
	// that itinerary runs, unless PauseHoldsCleanup is set. Optional.
	Paused            func(ctx context.Context, object T) (bool, error)
	PauseHoldsCleanup bool

	// Token returns the object's token for runs, such as a field of the spec or an
	// annotation, and where a new run begins when it changes. A run that is done or
	// stopped is then followed by another ([State].Run). A token that changes while
	// a run is on its way, a cleanup itinerary included, counts once that has
	// ended, and a pause holds the new run. The first token that is seen of an
	// object belongs to the run that it has, also if it is empty. It is called if
	// none was seen yet, and when the run has ended. A text of any length can be a
	// token. Optional: without it there is one run.
	Token func(ctx context.Context, object T) (token string, from RunFrom, err error)
	// OnRunAgain clears on the object what Select goes by, such as what OnFail
	// wrote there: it is called before Select when a new run is to begin, with the
	// state of that on the object. If it returns an error, or the new run cannot
	// begin, the state stays that of the run before, and it is called again.
	// Optional.
	OnRunAgain func(ctx context.Context, object T, previous PastRun) error

	// SourceFlags are the flags that the sources evaluate, if the embedder
	// declares them: [New] then refuses an itinerary that reads another. Zero
	// means not declared: a run then stops when its next phase depends on a flag
	// that no source evaluates.
	SourceFlags phases.Flags
	// Key tells runs apart, for what a runner remembers between two reconciles
	// of one run: sources that were left behind, and attempts that are not
	// written down yet. If nil, it is the object's UID if it has a method
	// GetUID; otherwise all objects count as one run for the former, and each
	// attempt is written down.
	Key func(object T) string

	// MaxState returns the limit of the size of the object's state, in bytes of
	// JSON, for states that share the room of one object: texts are cut and
	// dropped until the state is within it, or until none is left
	// ([Runner.MinState]). If nil, or if it returns zero, the state stays below
	// 64 KiB.
	MaxState func(object T) int

	// MaxPhases is the number of phases that may be left in one reconcile,
	// if their handlers are done at once. Zero means 1: a write after each
	// phase. With more, fewer writes are needed, and after a crash more
	// handlers are called again.
	MaxPhases int
	// EvaluationTimeout bounds all evaluation of flags in one reconcile. Zero means 30 s.
	EvaluationTimeout time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// WithTimeout bounds a context by the clock of Now: those of handlers with
	// a deadline, and that of the evaluation of flags. If nil, it is
	// [context.WithTimeout]. A test that has a clock of its own in Now gives
	// both, and then waits for no timeout in real time.
	WithTimeout func(parent context.Context, timeout time.Duration) (context.Context, context.CancelFunc)
	// Observers observe the events, in order.
	Observers []Observer[T]
}

// DefaultEvaluationTimeout is the EvaluationTimeout of options that set none.
const DefaultEvaluationTimeout = machine.DefaultEvaluationTimeout

// OptionsError lists all that is missing or wrong in options.
type OptionsError struct {
	Problems []string
}

func (e *OptionsError) Error() string { return "runner options: " + strings.Join(e.Problems, "; ") }

// maxSuggestions is how many unknown names get a suggestion: each takes time.
const maxSuggestions = 20

// check finds what is missing or wrong, and returns how each phase of each
// itinerary is run, by index.
func (o *Options[T]) check() (map[string][]Phase[T], error) {
	var problems []string
	add := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if o.Select == nil {
		add("Select is missing")
	}
	if o.Sources == nil {
		add("Sources is missing")
	}
	for _, problem := range o.Storage.check() {
		add("%s", problem)
	}
	if o.OnRunAgain != nil && o.Token == nil {
		add("OnRunAgain is never called without Token; give Token, or leave it out")
	}
	if o.Handler != nil && isNil(o.Handler) {
		add("Handler holds a nil %T; give one that can be called, or leave it out", o.Handler)
	}
	if o.MaxPhases < 0 {
		add("MaxPhases is %d; it must not be negative", o.MaxPhases)
	}
	if o.EvaluationTimeout < 0 {
		add("EvaluationTimeout is %s; it must not be negative", o.EvaluationTimeout)
	}
	for i, observer := range o.Observers {
		if isNil(observer) {
			add("Observers: number %d is nil; remove it", i+1)
		}
	}
	o.limits().check("", add)
	if o.Itineraries == nil || len(o.Itineraries.Names()) == 0 {
		add("Itineraries are missing")
		return nil, &OptionsError{problems}
	}

	known, works := map[string]bool{}, map[string]bool{} // works: it is no end phase
	phaseOptions := map[string][]Phase[T]{}
	for _, name := range o.Itineraries.Names() {
		g, err := o.Itineraries.Graph(name)
		if err != nil {
			return nil, err
		}
		if unanswered := g.Reads() &^ o.SourceFlags; o.SourceFlags != 0 && unanswered != 0 {
			add("SourceFlags: itinerary %q reads %s, which no source evaluates; add a source, or remove the flag", name, wording.List(g.Vocabulary().Names(unanswered), "and"))
		}
		own := map[string]bool{}
		for i := range g.Len() {
			phase := g.Phase(i).Name
			known[phase], own[phase] = true, true
			p, ok := o.PhasesByItinerary[name][phase]
			if !ok {
				p, ok = o.Phases[phase]
			}
			works[phase] = works[phase] || !g.IsEnd(i)
			switch {
			case g.IsEnd(i):
				p = Phase[T]{}
				if _, ok := o.PhasesByItinerary[name][phase]; ok {
					add("PhasesByItinerary: phase %q of itinerary %q is an end phase, which does no work; remove it here", phase, name)
				}
			case !isNil(p.Handler):
			case p.Handler == nil && o.Handler != nil:
				p.Handler = o.Handler
			case ok || !o.PassThrough:
				add("phase %q of itinerary %q has no handler", phase, name)
			}
			phaseOptions[name] = append(phaseOptions[name], p.or(o.limits()))
		}
		for phase, p := range o.PhasesByItinerary[name] {
			p.limits().check(fmt.Sprintf("PhasesByItinerary: phase %q of itinerary %q: ", phase, name), add)
			if own[phase] {
				continue
			}
			if i, err := g.Lookup(phase); err == nil {
				add("PhasesByItinerary: %q is a former name of phase %q of itinerary %q; use its present name", phase, g.Phase(i).Name, name)
			} else {
				add("PhasesByItinerary: %v", err)
			}
		}
	}
	names := slices.Sorted(maps.Keys(known))
	suggestions := 0
	for _, phase := range slices.Sorted(maps.Keys(o.Phases)) {
		o.Phases[phase].limits().check(fmt.Sprintf("Phases: phase %q: ", phase), add)
		if known[phase] && !works[phase] {
			add("Phases: %q is an end phase, which does no work; remove it here", phase)
		}
		if !known[phase] {
			hint := ""
			if suggestions++; suggestions <= maxSuggestions {
				hint = wording.DidYouMean(wording.Nearest(phase, names))
			}
			add("Phases: no itinerary has a phase %q%s", phase, hint)
		}
	}
	for name := range o.PhasesByItinerary {
		if _, err := o.Itineraries.Graph(name); err != nil {
			add("PhasesByItinerary: %v", err)
		}
	}
	if problems != nil {
		slices.Sort(problems)
		return nil, &OptionsError{problems}
	}
	return phaseOptions, nil
}

// limits are the parts of a phase that have defaults in the options.
type limits struct {
	deadline    time.Duration
	maxAttempts int
	backoff     Backoff
}

func (o *Options[T]) limits() limits { return limits{o.Deadline, o.MaxAttempts, o.Backoff} }
func (p Phase[T]) limits() limits    { return limits{p.Deadline, p.MaxAttempts, p.Backoff} }

func (l limits) check(where string, add func(format string, args ...any)) {
	if l.deadline < 0 {
		add("%sDeadline is %s; it must not be negative", where, l.deadline)
	}
	if l.maxAttempts < 0 {
		add("%sMaxAttempts is %d; it must not be negative", where, l.maxAttempts)
	}
	if problem := l.backoff.check(); problem != "" {
		add("%sBackoff: %s", where, problem)
	}
}

// or returns the phase with defaults for what it does not set.
func (p Phase[T]) or(defaults limits) Phase[T] {
	p.Deadline = cmp.Or(p.Deadline, defaults.deadline)
	p.MaxAttempts = cmp.Or(p.MaxAttempts, defaults.maxAttempts)
	p.Backoff = cmp.Or(p.Backoff, defaults.backoff, defaultBackoff)
	return p
}

// isNil reports whether an interface holds nothing that can be called: it is
// nil, or a nil function or pointer.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Func, reflect.Pointer, reflect.Map, reflect.Chan, reflect.Slice, reflect.Interface:
		return r.IsNil()
	}
	return false
}
