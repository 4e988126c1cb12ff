package phases

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"runtime/debug"
	"sync"
	"time"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
)

// Source answers one flag.
type Source struct {
	// Flag is the single flag that it answers.
	Flag Flags
	// From are the flags that it is computed from. They are asked before it,
	// and it reads them from the facts that it is given.
	From Flags
	// Slow marks a source that is worth avoiding, such as a list on a remote
	// cluster: it is asked only where the others do not settle the answer.
	Slow bool
	// Ask finds the value. An error leaves the flag unknown, to be asked
	// again another time. Ask must return once ctx is done, may run at the
	// same time as other sources, and may panic, which counts as an error. It
	// returns Unknown without an error only where it is computed from flags
	// that are not known and still matter to it; it is then asked again when
	// they become known.
	Ask func(ctx context.Context, known Facts) (Truth, error)
}

// Sources are the sources of a vocabulary's flags. They are immutable and
// safe for concurrent use as far as their Ask functions are.
type Sources struct {
	flags  *Vocabulary
	byFlag [MaxFlags]*Source
	have   Flags
	slow   Flags
}

// NewSources checks the sources: each has exactly one flag of the vocabulary,
// no flag has two sources, what a flag is computed from has sources as well,
// and nothing is computed from itself. Not every flag needs a source. The
// error is a [*SourceError].
func NewSources(flags *Vocabulary, sources ...Source) (*Sources, error) {
	s := &Sources{flags: flags}
	for i := range sources {
		src := sources[i]
		if src.Flag.Len() != 1 || !flags.All().Has(src.Flag) {
			return nil, &SourceError{Flag: fmt.Sprint(flags.Names(src.Flag)), Problem: fmt.Sprintf("source number %d has to answer exactly one flag of the vocabulary", i+1)}
		}
		if s.have.Has(src.Flag) {
			return nil, &SourceError{Flag: flags.Names(src.Flag)[0], Problem: "has two sources; remove one"}
		}
		if src.Ask == nil {
			return nil, &SourceError{Flag: flags.Names(src.Flag)[0], Problem: "has a source without an Ask function"}
		}
		s.byFlag[bit(src.Flag)] = &src
		s.have |= src.Flag
		if src.Slow {
			s.slow |= src.Flag
		}
	}
	for flag := range s.have.Each {
		missing := s.byFlag[bit(flag)].From &^ s.have
		if missing&^flags.All() != 0 {
			return nil, &SourceError{Flag: flags.Names(flag)[0], Problem: "is computed from a flag that the vocabulary does not have; add it there"}
		}
		if missing != 0 {
			return nil, &SourceError{Flag: flags.Names(flag)[0], Problem: fmt.Sprintf("is computed from %s, which no source answers; add one", wording.List(flags.Names(missing), "and"))}
		}
		if s.closure(s.byFlag[bit(flag)].From, s.have).Has(flag) {
			return nil, &SourceError{Flag: flags.Names(flag)[0], Problem: "is computed from itself, directly or through another flag"}
		}
	}
	return s, nil
}

// Flags is the vocabulary of the sources.
func (s *Sources) Flags() *Vocabulary { return s.flags }

// All returns a copy of the sources, in the order of the vocabulary. Sources
// that add something to each, such as a count, are made of it with
// [NewSources].
func (s *Sources) All() []Source {
	all := make([]Source, 0, s.have.Len())
	for flag := range s.have.Each {
		all = append(all, *s.byFlag[bit(flag)])
	}
	return all
}

// closure adds to flags all that they are computed from, both among the given
// ones only: what is known needs nothing that it was computed from.
func (s *Sources) closure(flags, among Flags) Flags {
	flags &= among
	for {
		next := flags
		for flag := range flags.Each {
			next |= s.byFlag[bit(flag)].From & among
		}
		if next == flags {
			return flags
		}
		flags = next
	}
}

// Question says what to ask.
type Question struct {
	// Known is what is known already; these flags are not asked.
	Known Facts
	// Read are the flags that the itinerary reads; only these, and those that
	// they are computed from, are asked.
	Read Flags
	// Matters narrows down, given what is known so far, which unknown flags
	// could still change the plan; a slow source is asked only for one of
	// these, or for one that these are computed from. Nil means that every
	// flag of Read matters. It is called from the goroutine that called Ask.
	Matters func(Facts) Flags
	// Timeout bounds the whole asking; 0 leaves it to the context.
	Timeout time.Duration
	// WithTimeout makes the context that Timeout bounds, for a test that has a
	// clock of its own. If nil, it is [context.WithTimeout].
	WithTimeout func(parent context.Context, timeout time.Duration) (context.Context, context.CancelFunc)
}

// Answer is what came of a question.
type Answer struct {
	// Facts is all that was known and all that was found.
	Facts Facts
	// Asked are the flags whose sources were called.
	Asked Flags
	// Errors tells of each flag that should have been asked, and is unknown
	// because its source failed or the context was done before its turn, in
	// the order of the vocabulary. A flag that is unknown because nothing
	// hangs on it any more, or because it has no source, is no error.
	Errors []*FlagError
}

// Err joins the errors of the answer, or is nil where there are none.
func (a Answer) Err() error {
	errs := make([]error, len(a.Errors))
	for i, e := range a.Errors {
		errs[i] = e
	}
	return errors.Join(errs...)
}

// Ask finds out flags. Sources that do not depend on each other run at the
// same time. Cheap sources come first; a slow one is asked only where its
// flag, or one computed from it, still matters then. A source is called once,
// one that waits for flags that it is computed from once more when they have
// come. A flag whose source fails stays unknown and is reported; nothing else
// is lost. Ask returns when every source that it called has returned.
func (s *Sources) Ask(ctx context.Context, q Question) Answer {
	if q.Timeout > 0 {
		withTimeout := q.WithTimeout
		if withTimeout == nil {
			withTimeout = context.WithTimeout
		}
		var cancel context.CancelFunc
		ctx, cancel = withTimeout(ctx, q.Timeout)
		defer cancel()
	}
	a := asking{Sources: s, facts: q.Known}
	for {
		// What an answer made known, or a failure hopeless, needs no inputs
		// any more: so the flags to ask are found anew each time.
		ready := a.ready(s.closure(q.Read, a.open()), false)
		if ready == 0 {
			matters := q.Read
			if q.Matters != nil {
				matters &= q.Matters(a.facts)
			}
			ready = a.ready(s.closure(matters, a.open()), true)
		}
		if ready == 0 {
			return a.answer()
		}
		a.call(ctx, ready)
	}
}

// asking is the state of one Ask.
type asking struct {
	*Sources
	facts   Facts
	asked   Flags // called at least once
	failed  Flags // called in vain; not called again
	waiting Flags // called, and wait for flags that they are computed from
	errs    [MaxFlags]error
}

// open are the flags that are unknown and may still become known.
func (a *asking) open() Flags { return a.have &^ a.facts.Known() &^ a.failed }

// ready are the flags among the given open ones whose turn it is: the cheap
// ones once no other cheap one has to come before, or the slow ones once all
// that they are computed from is settled.
func (a *asking) ready(among Flags, slow bool) (ready Flags) {
	for flag := range (among &^ a.waiting).Each {
		src := a.byFlag[bit(flag)]
		before := a.open() & src.From
		if !slow {
			before &^= a.waiting | a.slow
		}
		if src.Slow == slow && before == 0 {
			ready |= flag
		}
	}
	return ready
}

// call asks the given flags, unless it is too late, and takes in what they say.
func (a *asking) call(ctx context.Context, flags Flags) {
	if err := ctx.Err(); err != nil {
		for flag := range flags.Each {
			a.errs[bit(flag)] = fmt.Errorf("not asked: %w", err)
		}
		a.failed |= flags
	} else {
		a.take(flags, a.callAll(ctx, flags))
	}
	// What waited for one of these is called again.
	for flag := range a.waiting.Each {
		if from := a.byFlag[bit(flag)].From; from&flags&^a.open() != 0 {
			a.waiting &^= flag
		}
	}
}

// callAll calls the sources of the given flags at the same time, and returns
// when all of them have returned.
func (a *asking) callAll(ctx context.Context, flags Flags) (truths [MaxFlags]Truth) {
	a.asked |= flags
	ask := func(i int) { truths[i], a.errs[i] = a.byFlag[i].ask(ctx, a.facts) }
	if flags.Len() == 1 {
		ask(bit(flags))
		return truths
	}
	var all sync.WaitGroup
	for flag := range flags.Each {
		// Stands where the source ends its goroutine instead of returning.
		a.errs[bit(flag)] = errNoAnswer
		all.Add(1)
		go func() {
			defer all.Done()
			ask(bit(flag))
		}()
	}
	all.Wait()
	return truths
}

// take takes in what the sources of the given flags said.
func (a *asking) take(flags Flags, truths [MaxFlags]Truth) {
	for flag := range flags.Each {
		i := bit(flag)
		switch {
		case a.errs[i] != nil:
			a.failed |= flag
		case truths[i] != Unknown:
			a.facts = a.facts.Set(flag, truths[i])
		}
	}
	// What is still unknown without an error waits for what it is computed
	// from, or has waited in vain.
	for flag := range (flags & a.open()).Each {
		src := a.byFlag[bit(flag)]
		if a.open()&src.From != 0 {
			a.waiting |= flag
			continue
		}
		a.failed |= flag
		a.errs[bit(flag)] = &UnknownInputError{Inputs: a.flags.Names(src.From &^ a.facts.Known())}
	}
}

var errNoAnswer = errors.New("its source ended its goroutine without an answer; let it return an error")

// ask calls the source, and turns a panic into an error.
func (s *Source) ask(ctx context.Context, known Facts) (t Truth, err error) {
	defer func() {
		if r := recover(); r != nil {
			t, err = Unknown, &PanicError{Value: r, Stack: debug.Stack()}
		}
	}()
	return s.Ask(ctx, known)
}

func (a *asking) answer() Answer {
	answer := Answer{Facts: a.facts, Asked: a.asked}
	for flag := range a.failed.Each {
		answer.Errors = append(answer.Errors, &FlagError{Flag: a.flags.Names(flag)[0], Err: a.errs[bit(flag)]})
	}
	return answer
}

// bit is the position of a single flag.
func bit(flag Flags) int { return bits.TrailingZeros64(uint64(flag)) }
