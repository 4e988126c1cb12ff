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

// Phase describes how a phase is run.
type Phase[T any] struct {
	// Handler does the work. If nil, the Handler of the options does.
	Handler Handler[T]
	// Deadline limits how long the phase may work, waits and failed attempts included.
	// It counts from the end of the second in which the phase was entered, without the
	// time for which a pause held it. Once it has passed, the handler is called a last
	// time, with a context whose timeout is the deadline or a minute, whichever is
	// less. If that call does not return [Done], the phase fails. A phase whose work is
	// done no longer has a deadline. Zero means the Deadline of the options.
	Deadline time.Duration
	// MaxAttempts limits how many attempts in a row may end in an error of the handler;
	// then the phase fails. A call made early, because the object changed, does not
	// count. A wait, or an error of a function of the options, restarts the count. Zero
	// means the MaxAttempts of the options.
	MaxAttempts int
	// Backoff determines when the handler is called again after an error. Its zero
	// value means the Backoff of the options.
	Backoff Backoff
}

// Options are the parts that the embedder provides. T is the type of the object that is
// reconciled, usually a pointer to a custom resource. All functions are called in the
// goroutine of the reconcile, with its context, and may read through the API. If a
// function returns an error, the call is retried after Backoff, and the state shows the
// error meanwhile. A panic counts as an error.
type Options[T any] struct {
	// Itineraries are all itineraries of the controller.
	Itineraries *machine.Set
	// Select returns the name of the itinerary that the object's state selects. It
	// is called at each reconcile, and again when a phase has failed or a new run
	// begins.
	Select func(ctx context.Context, object T) (string, error)
	// Sources returns the sources of the object's flags. It is called only if a flag
	// must be evaluated. EvaluationTimeout bounds the context. An error counts for each
	// flag that would have been evaluated.
	Sources func(ctx context.Context, object T) (*phases.Sources, error)
	// Storage reads and writes the state on the object.
	Storage Storage[T]

	// Phases describes, by name, how phases are run in all itineraries that have a
	// phase of that name. End phases must not be listed. PhasesByItinerary, by
	// itinerary and by name, takes precedence.
	Phases            map[string]Phase[T]
	PhasesByItinerary map[string]map[string]Phase[T]
	// Handler does the work of all phases without their own handler. It can be the
	// existing switch over phases of a controller. Optional.
	Handler Handler[T]
	// PassThrough treats a phase as done if Handler is nil and neither Phases nor
	// PhasesByItinerary lists the phase. New refuses a listed phase without a handler
	// and, without PassThrough, any phase without one.
	PassThrough bool
	// OnError decides how to react to an error of a handler, a panic included. If nil,
	// or if it panics, the error is retried. It is not called for the last error of a
	// phase that fails by its deadline.
	OnError func(object T, v Visit, err error) ErrorAction

	// Deadline, MaxAttempts and Backoff apply to phases that set none. Zero means no
	// deadline, no limit, and a backoff of a second, doubled each time, at most five
	// minutes. Evaluations of flags that fail are also retried after Backoff.
	Deadline    time.Duration
	MaxAttempts int
	Backoff     Backoff

	// OnFail writes a failure on the object, outside the state, for Select to read. It is
	// called for each failure, and again for the same one if it returned an error or the
	// write was lost, so it must be idempotent. If it returns an error, the phase has not
	// failed yet and its handler is called again; in a cleanup itinerary the next phase
	// runs nevertheless. Optional: Select may use State.FailedPhases and State.Failures
	// instead, since the state with the failure is already on the object.
	OnFail func(ctx context.Context, object T, f Failure) error
	// Failed reports whether the object reports a failure. It is called when an
	// itinerary is left: if it returns true, the switch and the interrupted step read
	// Failed, otherwise Selected and Canceled. It is not called after a failure is
	// recorded, nor when a cleanup itinerary is left. Optional: failures of handlers
	// are known without it.
	Failed func(ctx context.Context, object T) (bool, error)
	// Paused reports whether the run is paused. While it is, no handler is called and
	// the run does not move. Only a switch to a cleanup itinerary is made, and that
	// itinerary runs, unless PauseHoldsCleanup is set. Optional.
	Paused            func(ctx context.Context, object T) (bool, error)
	PauseHoldsCleanup bool

	// Token returns the object's token for runs, such as a field of the spec or an
	// annotation, and where a new run begins when the token changes. A changed token
	// lets another run follow one that is done or stopped ([State].Run). If the token
	// changes during a run, the new run begins once that has ended, its cleanup
	// itinerary included; a pause holds the new run. The first token that is seen of an
	// object belongs to its present run, even if it is empty. Token is called if none
	// was seen yet, and when the run has ended. A token may be a text of any length.
	// Optional: if nil, there is one run.
	Token func(ctx context.Context, object T) (token string, from RunFrom, err error)
	// OnRunAgain clears on the object what Select depends on, such as what OnFail wrote
	// there. When a new run is about to begin, it is called before Select, with the new
	// run's state on the object. If it returns an error, or the new run cannot begin,
	// the state remains that of the run before, and OnRunAgain is called again.
	// Optional.
	OnRunAgain func(ctx context.Context, object T, previous PastRun) error

	// SourceFlags declares the flags that the sources evaluate. If it is set, [New]
	// refuses an itinerary that reads another flag. Zero means not declared: a run then
	// stops when its next phase depends on a flag that no source evaluates.
	SourceFlags phases.Flags
	// Key returns a key that distinguishes runs. A runner uses it for what it remembers
	// between two reconciles of one run: sources that were left behind, and attempts
	// that are not recorded yet. If nil, the key is the object's UID, if it has a
	// method GetUID. Without a key, all objects share the sources left behind, and each
	// attempt is recorded.
	Key func(object T) string

	// MaxState returns the limit of the size of the object's state, in bytes of JSON,
	// for states that share the room of one object. Texts are cut and dropped until the
	// state is within the limit or no text remains ([Runner.MinState]). If nil, or if
	// it returns zero, only the limits of texts apply ([MaxText] and the others). They
	// keep the state of itineraries like MTC's, with some 50 phases, below 64 KiB,
	// whatever handlers return.
	MaxState func(object T) int

	// MaxPhases is the number of phases that one reconcile may leave, if their handlers
	// are done at once. Zero means 1: a write after each phase. A larger number takes
	// fewer writes, but after a crash more handlers are called again.
	MaxPhases int
	// EvaluationTimeout bounds all evaluation of flags in one reconcile. Zero means
	// 30 seconds.
	EvaluationTimeout time.Duration
	// Now returns the current time. If nil, it is time.Now.
	Now func() time.Time
	// WithTimeout bounds a context by the clock of Now. It is used for handlers with a
	// deadline and for the evaluation of flags. If nil, it is [context.WithTimeout]. A
	// test with a fake clock sets both, and then waits for no timeout in real time.
	WithTimeout func(parent context.Context, timeout time.Duration) (context.Context, context.CancelFunc)
	// Observers receive the events, in order.
	Observers []Observer[T]
}

// DefaultEvaluationTimeout is the EvaluationTimeout of options that set none.
const DefaultEvaluationTimeout = machine.DefaultEvaluationTimeout

// OptionsError lists everything that is missing or invalid in options.
type OptionsError struct {
	Problems []string
}

func (e *OptionsError) Error() string { return "runner options: " + strings.Join(e.Problems, "; ") }

// maxSuggestions limits how many unknown names get a suggestion, since each takes time.
const maxSuggestions = 20

// checker collects the problems of options, and how each phase is run.
type checker[T any] struct {
	*Options[T]
	problems     []string
	phaseOptions map[string][]Phase[T] // by itinerary and the index of the phase
	known, works map[string]bool       // names of phases, and of those that are not end phases
}

func (c *checker[T]) add(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// check returns how each phase of each itinerary is run, by index, or what is missing
// or invalid.
func (o *Options[T]) check() (map[string][]Phase[T], error) {
	c := checker[T]{Options: o, phaseOptions: map[string][]Phase[T]{}, known: map[string]bool{}, works: map[string]bool{}}
	c.checkFunctions()
	if o.Itineraries == nil || len(o.Itineraries.Names()) == 0 {
		c.add("Itineraries are missing")
		return nil, &OptionsError{c.problems}
	}
	for _, name := range o.Itineraries.Names() {
		g, err := o.Itineraries.Graph(name)
		if err != nil {
			return nil, err
		}
		c.checkItinerary(name, g)
	}
	c.checkPhases()
	for name := range o.PhasesByItinerary {
		if _, err := o.Itineraries.Graph(name); err != nil {
			c.add("PhasesByItinerary: %v", err)
		}
	}
	if c.problems != nil {
		slices.Sort(c.problems)
		return nil, &OptionsError{c.problems}
	}
	return c.phaseOptions, nil
}

// checkFunctions checks all options that do not depend on itineraries.
func (c *checker[T]) checkFunctions() {
	if c.Select == nil {
		c.add("Select is missing")
	}
	if c.Sources == nil {
		c.add("Sources is missing")
	}
	for _, problem := range c.Storage.check() {
		c.add("%s", problem)
	}
	if c.OnRunAgain != nil && c.Token == nil {
		c.add("OnRunAgain is never called without Token; set Token, or remove OnRunAgain")
	}
	if c.Handler != nil && isNil(c.Handler) {
		c.add("Handler holds a nil %T; set one that can be called, or remove it", c.Handler)
	}
	if c.MaxPhases < 0 {
		c.add("MaxPhases is %d; it must not be negative", c.MaxPhases)
	}
	if c.EvaluationTimeout < 0 {
		c.add("EvaluationTimeout is %s; it must not be negative", c.EvaluationTimeout)
	}
	for i, observer := range c.Observers {
		if isNil(observer) {
			c.add("Observers: number %d is nil; remove it", i+1)
		}
	}
	c.Options.limits().check("", c.add)
}

// checkItinerary checks the options of the phases of an itinerary.
func (c *checker[T]) checkItinerary(name string, g *machine.Graph) {
	if withoutSource := g.Reads() &^ c.SourceFlags; c.SourceFlags != 0 && withoutSource != 0 {
		c.add("SourceFlags: itinerary %q reads %s, which no source evaluates; add a source, or remove the flag",
			name, wording.List(g.Vocabulary().Names(withoutSource), "and"))
	}
	own := map[string]bool{}
	for i := range g.Len() {
		phase := g.Phase(i).Name
		own[phase], c.known[phase], c.works[phase] = true, true, c.works[phase] || !g.IsEnd(i)
		c.phaseOptions[name] = append(c.phaseOptions[name], c.optionsOf(name, g, i).or(c.Options.limits()))
	}
	for phase, p := range c.PhasesByItinerary[name] {
		p.limits().check(fmt.Sprintf("PhasesByItinerary: phase %q of itinerary %q: ", phase, name), c.add)
		if own[phase] {
			continue
		}
		if i, err := g.Lookup(phase); err == nil {
			c.add("PhasesByItinerary: %q is a former name of phase %q of itinerary %q; use that name", phase, g.Phase(i).Name, name)
		} else {
			c.add("PhasesByItinerary: %v", err)
		}
	}
}

// optionsOf returns how the phase of index i is run, without defaults of limits.
func (c *checker[T]) optionsOf(name string, g *machine.Graph, i int) Phase[T] {
	phase := g.Phase(i).Name
	p, ok := c.PhasesByItinerary[name][phase]
	if !ok {
		p, ok = c.Phases[phase]
	}
	switch {
	case g.IsEnd(i):
		if _, ok := c.PhasesByItinerary[name][phase]; ok {
			c.add("PhasesByItinerary: phase %q of itinerary %q is an end phase, which does no work; remove it here", phase, name)
		}
		return Phase[T]{}
	case !isNil(p.Handler):
	case p.Handler == nil && c.Handler != nil:
		p.Handler = c.Handler
	case ok || !c.PassThrough:
		c.add("phase %q of itinerary %q has no handler; set one in Phases, PhasesByItinerary or Handler", phase, name)
	}
	return p
}

// checkPhases checks the names and limits of Phases.
func (c *checker[T]) checkPhases() {
	names := slices.Sorted(maps.Keys(c.known))
	suggestions := 0
	for _, phase := range slices.Sorted(maps.Keys(c.Phases)) {
		c.Phases[phase].limits().check(fmt.Sprintf("Phases: phase %q: ", phase), c.add)
		if c.known[phase] && !c.works[phase] {
			c.add("Phases: %q is an end phase, which does no work; remove it here", phase)
		}
		if !c.known[phase] {
			hint := ""
			if suggestions++; suggestions <= maxSuggestions {
				hint = wording.DidYouMean(wording.Nearest(phase, names))
			}
			c.add("Phases: no itinerary has a phase %q%s", phase, hint)
		}
	}
}

// limits are the options of a phase that have defaults in the [Options].
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

// isNil reports whether v holds nothing that can be called: it is nil, or a nil
// function or pointer.
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
