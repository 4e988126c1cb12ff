package runner

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Phase is how a phase is run.
type Phase[T any] struct {
	// Handler does the work.
	Handler Handler[T]
	// Deadline is how long the phase may take from its entry to its end,
	// waiting and tries that failed included; then it fails. 0 is for ever.
	Deadline time.Duration
	// Backoff says when the handler is called again after an error. The zero
	// value leaves it to the controller's rate limiter.
	Backoff Backoff
}

// Backoff is an exponential backoff: Initial after the first error, then
// Factor times as long after each, Max at the most (0 means a day).
type Backoff struct {
	Initial, Max time.Duration
	// Factor is at least 1; 0 means 2.
	Factor float64
}

// after is the time to wait after the attempt of that number, from 1.
func (b Backoff) after(attempt int) time.Duration {
	factor := max(b.Factor, 1)
	if b.Factor == 0 {
		factor = 2
	}
	most := b.Max
	if most == 0 {
		most = 24 * time.Hour // some end there has to be
	}
	d := float64(b.Initial)
	for range attempt - 1 {
		if d *= factor; d >= float64(most) {
			break
		}
	}
	return time.Duration(min(d, float64(most)))
}

// Options are the embedder's parts. T is the type of the object that is
// reconciled, usually a pointer to a custom resource. All functions are called
// in the goroutine of the reconcile, and may panic, which counts as an error.
type Options[T any] struct {
	// Itineraries are all itineraries of the controller.
	Itineraries *machine.Set
	// Select names the itinerary that the object's state asks for now. It is
	// called at each reconcile, and again when a phase has failed.
	Select func(object T) string
	// Sources are the sources of the object's flags. It is called only where
	// there is something to ask, and may read through the API: the context is
	// that of the reconcile, bounded by AskTimeout. An error counts for each
	// flag that would have been asked.
	Sources func(ctx context.Context, object T) (*phases.Sources, error)
	// Read reads the state that Write wrote on the object; the zero State
	// where there is none yet. Write only changes the object in memory.
	Read  func(object T) (State, error)
	Write func(object T, s State) error

	// Phases say how phases are run, by name; in all itineraries that have a
	// phase of that name, but for those that In, by itinerary and by name,
	// says it for.
	Phases map[string]Phase[T]
	In     map[string]map[string]Phase[T]
	// PassThrough lets phases that no handler is given for pass, as done.
	// Without it a missing handler is an error of New.
	PassThrough bool

	// OnFail writes a failure on the object beside the state, so that Select
	// can see it there. Optional: Select may go by the Failures of the state,
	// which has been written on the object by then.
	OnFail func(object T, f Failure)
	// Failed says whether the object's state says that something failed: an
	// itinerary that is left then reads Failed, not Canceled. Optional; what
	// handlers fail with is known without it.
	Failed func(object T) bool
	// Paused says whether the migration is paused: then nothing is called and
	// nothing changes. Optional.
	Paused func(object T) bool

	// MaxPhases is the number of phases that may be left in one reconcile,
	// where their handlers are done at once. 0 means 1: a write after each
	// phase. With more, fewer writes are needed, and after a crash more
	// handlers are called again.
	MaxPhases int
	// AskTimeout bounds the asking of flags in one reconcile. 0 means 30 s.
	AskTimeout time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// WithTimeout bounds a context by the clock of Now: those of handlers with
	// a deadline, and that of the asking of flags. If nil, it is
	// [context.WithTimeout]. A test that has a clock of its own in Now gives
	// both, and then waits for no timeout in real time.
	WithTimeout func(parent context.Context, timeout time.Duration) (context.Context, context.CancelFunc)
	// Observers are told of events, in order.
	Observers []Observer[T]
}

// DefaultAskTimeout is the AskTimeout of options that set none.
const DefaultAskTimeout = 30 * time.Second

// OptionsError says all that is missing or wrong in options.
type OptionsError struct {
	Problems []string
}

func (e *OptionsError) Error() string { return "runner options: " + strings.Join(e.Problems, "; ") }

// check finds what is missing, and returns how each phase of each itinerary is
// run, by index.
func (o *Options[T]) check() (map[string][]Phase[T], error) {
	var problems []string
	add := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if o.Select == nil {
		add("Select is missing")
	}
	if o.Sources == nil {
		add("Sources is missing")
	}
	if o.Read == nil || o.Write == nil {
		add("Read and Write are needed both")
	}
	if o.Itineraries == nil || len(o.Itineraries.Names()) == 0 {
		add("Itineraries are missing")
		return nil, &OptionsError{problems}
	}

	var known []string
	how := map[string][]Phase[T]{}
	for _, name := range o.Itineraries.Names() {
		g, err := o.Itineraries.Graph(name)
		if err != nil {
			return nil, err
		}
		for i := range g.Len() {
			phase := g.Phase(i).Name
			known = append(known, phase)
			p, ok := o.In[name][phase]
			if !ok {
				p, ok = o.Phases[phase]
			}
			switch {
			case ok && p.Handler == nil, !ok && !o.PassThrough:
				add("phase %q of itinerary %q has no handler", phase, name)
			}
			how[name] = append(how[name], p)
		}
		for phase := range o.In[name] {
			if _, err := g.Find(phase); err != nil {
				add("In: %v", err)
			}
		}
	}
	for phase := range o.Phases {
		if !slices.Contains(known, phase) {
			add("Phases: no itinerary has a phase %q%s", phase, wording.DidYouMean(wording.Nearest(phase, known)))
		}
	}
	for name := range o.In {
		if _, err := o.Itineraries.Graph(name); err != nil {
			add("In: %v", err)
		}
	}
	if problems != nil {
		slices.Sort(problems)
		return nil, &OptionsError{problems}
	}
	return how, nil
}
