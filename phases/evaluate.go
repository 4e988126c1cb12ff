package phases

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"runtime/debug"
	"time"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
)

// Source evaluates one flag.
type Source struct {
	// Flag is the single flag that it evaluates.
	Flag Flags
	// Inputs are the flags that it is computed from. They are evaluated first, and the
	// source reads them from the facts that it is given. A phase that decides one of them
	// also decides Flag: list both in its Decides, so plans mark what depends on Flag as
	// tentative.
	Inputs Flags
	// Slow marks a source that is worth avoiding, such as a list on a remote cluster.
	// It is evaluated only if the other sources leave the plan open.
	Slow bool
	// Evaluate returns the value. It runs in a separate goroutine, concurrently with
	// other sources.
	//
	// True and False are values. Unknown without an error means "not yet": the flag
	// cannot be known before a phase ahead has decided it. If the flag is computed from
	// other flags, it means that the known ones do not determine the value. The source
	// is then called again once more of them are known, and the flag is "not yet" only
	// if none of them failed. An error leaves the flag unknown and is reported; a later
	// request evaluates the flag again. A panic and runtime.Goexit count as errors.
	//
	// Evaluate must return once ctx is done. A source that does not is left behind (see
	// [LeftBehind]), and its late result is dropped.
	Evaluate func(ctx context.Context, known Facts) (Truth, error)
}

// SourceOf returns the source of a flag whose value is known already, such as a value
// from an object that was read for all flags together. Unknown means "not yet".
func SourceOf(flag Flags, value Truth) Source {
	return Source{Flag: flag, Evaluate: func(context.Context, Facts) (Truth, error) { return value, nil }}
}

// Bool adapts f, a function that a controller may already have, to the Evaluate function
// of a [Source]. The flag is known unless f returns an error.
func Bool(f func(ctx context.Context) (bool, error)) func(context.Context, Facts) (Truth, error) {
	return func(ctx context.Context, _ Facts) (Truth, error) {
		value, err := f(ctx)
		if err != nil {
			return Unknown, err
		}
		return TruthOf(value), nil
	}
}

// Sources are the sources of a vocabulary's flags. They are immutable, and safe for
// concurrent use if their Evaluate functions are. A nil *Sources has no source.
type Sources struct {
	flags  *Vocabulary
	byFlag [MaxFlags]*Source
	have   Flags
	slow   Flags
	// sequential reports that no two sources of a request run at the same time.
	sequential bool
}

// NewSources returns the sources of a vocabulary's flags. Each must have exactly one flag
// of the vocabulary and an Evaluate function. No flag may have two sources, all inputs
// must have sources, and no flag may be computed from itself, directly or through others.
// Not every flag needs a source: [Sources.Flags] returns those that have one. The error
// is a [*SourceError].
func NewSources(flags *Vocabulary, sources ...Source) (*Sources, error) {
	if flags == nil {
		return nil, &SourceError{Problem: "sources need the vocabulary of their flags, not nil"}
	}
	s := &Sources{flags: flags}
	for i := range sources {
		src := sources[i]
		if src.Flag.Len() != 1 || !flags.All().Has(src.Flag) {
			return nil, &SourceError{Flag: fmt.Sprint(flags.Names(src.Flag)),
				Problem: fmt.Sprintf("source number %d must evaluate exactly one flag of the vocabulary", i+1)}
		}
		if s.have.Has(src.Flag) {
			return nil, &SourceError{Flag: flags.Names(src.Flag)[0], Problem: "has two sources; remove one"}
		}
		if src.Evaluate == nil {
			return nil, &SourceError{Flag: flags.Names(src.Flag)[0], Problem: "has a source without an Evaluate function; set Evaluate"}
		}
		s.byFlag[bit(src.Flag)] = &src
		s.have |= src.Flag
		if src.Slow {
			s.slow |= src.Flag
		}
	}
	for flag := range s.have.Each {
		missing := s.byFlag[bit(flag)].Inputs &^ s.have
		if missing&^flags.All() != 0 {
			return nil, &SourceError{Flag: flags.Names(flag)[0],
				Problem: "is computed from a flag that the vocabulary does not have; add it there"}
		}
		if missing != 0 {
			return nil, &SourceError{Flag: flags.Names(flag)[0],
				Problem: fmt.Sprintf("is computed from %s, which no source evaluates; add one", wording.List(flags.Names(missing), "and"))}
		}
		if s.closure(s.byFlag[bit(flag)].Inputs, s.have).Has(flag) {
			return nil, &SourceError{Flag: flags.Names(flag)[0],
				Problem: "is computed from itself, directly or through another flag; remove one of the inputs"}
		}
	}
	return s, nil
}

// Vocabulary returns the vocabulary of the sources.
func (s *Sources) Vocabulary() *Vocabulary {
	if s == nil {
		return nil
	}
	return s.flags
}

// Flags returns the flags that have a source.
func (s *Sources) Flags() Flags {
	if s == nil {
		return 0
	}
	return s.have
}

// All returns a copy of the sources, in the order of the vocabulary. Use it with
// [NewSources] to wrap each source, for example with a counter.
func (s *Sources) All() []Source {
	all := make([]Source, 0, s.Flags().Len())
	for flag := range s.Flags().Each {
		all = append(all, *s.byFlag[bit(flag)])
	}
	return all
}

// Sequential returns the same sources for requests that call one source at a time, cheap
// ones before slow ones. The next slow source is called only if it still matters after
// the one before. Use it if the sources share something that is not safe for concurrent
// use. A source that was left behind may still run meanwhile. Sources made from
// [Sources.All] are not sequential.
func (s *Sources) Sequential() *Sources {
	if s == nil {
		return nil
	}
	sequential := *s
	sequential.sequential = true
	return &sequential
}

// Computed returns the flags that are computed from any of these, directly or through
// others. If these flags may have changed, so may the returned ones.
func (s *Sources) Computed(from Flags) (flags Flags) {
	if s == nil {
		return 0
	}
	for changed := true; changed; {
		changed = false
		for flag := range (s.have &^ flags).Each {
			if s.byFlag[bit(flag)].Inputs&(from|flags) != 0 {
				flags |= flag
				changed = true
			}
		}
	}
	return flags
}

// closure returns the flags with all flags that they are computed from, restricted to
// among: a known flag needs no inputs.
func (s *Sources) closure(flags, among Flags) Flags {
	flags &= among
	for {
		next := flags
		for flag := range flags.Each {
			next |= s.byFlag[bit(flag)].Inputs & among
		}
		if next == flags {
			return flags
		}
		flags = next
	}
}

// Request describes an evaluation of flags.
type Request struct {
	// Known are the facts known already; these flags are not evaluated.
	Known Facts
	// Read are the flags that the itinerary reads. Only these, and the flags that they
	// are computed from, are evaluated.
	Read Flags
	// Matters returns, given the facts known so far, the unknown flags that could still
	// change the plan. A slow source is evaluated only for such a flag, or for a flag
	// that one is computed from. If nil, every flag of Read matters. Evaluate calls it
	// in the goroutine of its caller.
	Matters func(Facts) Flags
	// Timeout bounds the whole evaluation. Zero means no timeout; the deadline of the
	// context still applies.
	Timeout time.Duration
	// WithTimeout makes the context that Timeout bounds, for a test with a fake clock.
	// If nil, it is [context.WithTimeout].
	WithTimeout func(parent context.Context, timeout time.Duration) (context.Context, context.CancelFunc)
	// LeftBehind remembers the sources that did not return in time, from one request of
	// a run to the next. They are not evaluated again until they have returned. If nil,
	// they are forgotten, and evaluated again.
	LeftBehind *LeftBehind
	// Now is the clock of [LeftBehindError]. If nil, it is [time.Now].
	Now func() time.Time
}

// Evaluation is the result of a request. An unknown flag of Read is in Errors, in
// NotYet, or in neither. In the last case it has no source, or no longer matters.
type Evaluation struct {
	// Facts are all facts known before and found now.
	Facts Facts
	// Evaluated are the flags whose sources were called.
	Evaluated Flags
	// NotYet are the flags that cannot be known before a phase ahead has decided them.
	// Their sources returned Unknown without an error, and wait only for flags that are
	// not yet known themselves.
	NotYet Flags
	// LeftBehind are the flags whose sources this request has left behind.
	LeftBehind Flags
	// Errors holds one error, in the order of the vocabulary, for each flag that is
	// unknown because its source failed, was left behind, or was not called. A source
	// is not called if the context was done before its turn, or if an earlier call has
	// not returned.
	Errors []*FlagError
}

// Err joins the errors of the evaluation. It is nil if there are none.
func (a Evaluation) Err() error {
	errs := make([]error, len(a.Errors))
	for i, e := range a.Errors {
		errs[i] = e
	}
	return errors.Join(errs...)
}

// Evaluate evaluates flags. Sources that do not depend on each other run concurrently, started
// in the order of the vocabulary, unless the sources are sequential ([Sources.Sequential]).
// Cheap sources come first; a slow one is evaluated only if its flag, or one computed from it,
// still matters then. Each source is called once, except that a source that waits for its
// inputs is called again each time one of them is settled. A flag whose source fails stays
// unknown and is reported; all other results are kept.
//
// Evaluate returns when every source that it called has returned or was left behind. A
// source is left behind if it has not returned 100 ms after ctx, or Timeout, was done.
// Without a deadline Evaluate waits as long as its sources do. A nil ctx is
// [context.Background].
func (s *Sources) Evaluate(ctx context.Context, q Request) Evaluation {
	if s == nil {
		return Evaluation{Facts: q.Known}
	}
	if ctx == nil {
		ctx = context.Background()
	}
	if q.Timeout > 0 {
		withTimeout := q.WithTimeout
		if withTimeout == nil {
			withTimeout = context.WithTimeout
		}
		var cancel context.CancelFunc
		ctx, cancel = withTimeout(ctx, q.Timeout)
		defer cancel()
	}
	a := evaluator{Sources: s, request: q, facts: q.Known}
	for {
		// Known flags and failed ones need no inputs any more, so the flags to evaluate
		// are computed again each time.
		ready := a.ready(s.closure(q.Read, a.open()), false)
		if ready == 0 {
			matters := q.Read
			if q.Matters != nil {
				matters &= q.Matters(a.facts)
			}
			ready = a.ready(s.closure(matters, a.open()), true)
		}
		if ready == 0 {
			return a.evaluation()
		}
		if s.sequential {
			ready &= -ready // the first of them
		}
		a.call(ctx, ready)
	}
}

// evaluator is the state of one Evaluate.
type evaluator struct {
	*Sources
	request   Request
	facts     Facts
	evaluated Flags // called at least once
	failed    Flags // unknown because of an error; not called again
	notYet    Flags // cannot be known yet; not called again
	waiting   Flags // called, waiting for their inputs
	behind    Flags // called, and left behind
	errs      [MaxFlags]error
}

// open returns the flags that are unknown and may still become known.
func (a *evaluator) open() Flags { return a.have &^ a.facts.Known() &^ a.failed &^ a.notYet }

// fail records that the flag is unknown because of err.
func (a *evaluator) fail(flag Flags, err error) {
	a.failed |= flag
	a.errs[bit(flag)] = err
}

// ready returns the flags among the given open ones whose turn it is: cheap flags once
// no other cheap one must come before, or slow flags once all their inputs are settled.
func (a *evaluator) ready(among Flags, slow bool) (ready Flags) {
	for flag := range (among &^ a.waiting).Each {
		src := a.byFlag[bit(flag)]
		before := a.open() & src.Inputs
		if !slow {
			before &^= a.waiting | a.slow
		}
		if src.Slow == slow && before == 0 {
			ready |= flag
		}
	}
	return ready
}

// call evaluates the given flags and records the results. It skips flags for which it
// is too late, or whose source has not returned from an earlier call.
func (a *evaluator) call(ctx context.Context, flags Flags) {
	var callable Flags
	for flag := range flags.Each {
		if err := a.request.LeftBehind.of(flag); err != nil {
			a.fail(flag, err)
		} else if err := ctx.Err(); err != nil {
			a.fail(flag, fmt.Errorf("not evaluated: %w", err))
		} else {
			callable |= flag
		}
	}
	a.take(a.callAll(ctx, callable))
	// Flags that waited for one of these are called again.
	for flag := range a.waiting.Each {
		if from := a.byFlag[bit(flag)].Inputs; from&flags&^a.open() != 0 {
			a.waiting &^= flag
		}
	}
}

// result is the result of one call of a source.
type result struct {
	flag  Flags
	truth Truth
	err   error
}

// grace is the time within which sources must return once the context is done.
const grace = 100 * time.Millisecond

// callAll calls the sources of the given flags concurrently, and returns one result for
// each, in any order. By then each source has returned or is left behind.
func (a *evaluator) callAll(ctx context.Context, flags Flags) []result {
	a.evaluated |= flags
	// The buffer has room for late results, so no goroutine blocks on delivering one.
	returned := make(chan result, flags.Len())
	for flag := range flags.Each {
		go a.byFlag[bit(flag)].call(ctx, a.facts, returned)
	}
	results := make([]result, 0, flags.Len())
	pending := flags
	receive := func(r result) {
		pending &^= r.flag
		results = append(results, r)
	}
	done, late := ctx.Done(), (<-chan time.Time)(nil)
	for pending != 0 {
		select {
		case r := <-returned:
			receive(r)
		case <-done:
			done, late = nil, time.After(grace)
		case <-late:
			for range len(returned) { // arrived at the last moment
				receive(<-returned)
			}
			err := a.leave(pending, ctx.Err(), returned)
			for flag := range pending.Each {
				receive(result{flag: flag, err: err})
			}
		}
	}
	return results
}

// leave leaves the sources of the given flags behind. They will deliver their results
// to returned.
func (a *evaluator) leave(flags Flags, cause error, returned <-chan result) error {
	if flags == 0 {
		return nil
	}
	a.behind |= flags
	now := a.request.Now
	if now == nil {
		now = time.Now
	}
	err := &LeftBehindError{Since: now(), Err: cause}
	a.request.LeftBehind.add(flags, err, returned)
	return err
}

// take records the results of calls.
func (a *evaluator) take(results []result) {
	var unknown Flags
	for _, r := range results {
		switch {
		case r.err != nil:
			a.fail(r.flag, r.err)
		case r.truth == True, r.truth == False:
			a.facts = a.facts.Set(r.flag, r.truth)
		case r.truth == Unknown:
			unknown |= r.flag
		default:
			a.fail(r.flag, &InvalidTruthError{Truth: r.truth})
		}
	}
	for flag := range unknown.Each {
		inputs := a.byFlag[bit(flag)].Inputs &^ a.facts.Known()
		switch {
		case inputs&a.open() != 0:
			a.waiting |= flag
		case inputs&a.failed != 0:
			a.fail(flag, &UnknownInputError{Inputs: a.flags.Names(inputs & a.failed)})
		default:
			a.notYet |= flag
		}
	}
}

var errNoResult = errors.New("its source ended its goroutine without a result; let it return an error")

// call calls the source and delivers its result, however the call ends.
func (s *Source) call(ctx context.Context, known Facts, returned chan<- result) {
	r := result{flag: s.Flag, err: errNoResult} // kept if the source calls runtime.Goexit
	defer func() { returned <- r }()
	r.truth, r.err = s.evaluate(ctx, known)
}

// evaluate calls the source, and turns a panic into an error.
func (s *Source) evaluate(ctx context.Context, known Facts) (t Truth, err error) {
	defer func() {
		if r := recover(); r != nil {
			t, err = Unknown, &PanicError{Value: r, Stack: debug.Stack()}
		}
	}()
	return s.Evaluate(ctx, known)
}

func (a *evaluator) evaluation() Evaluation {
	evaluation := Evaluation{Facts: a.facts, Evaluated: a.evaluated, NotYet: a.notYet, LeftBehind: a.behind}
	for flag := range a.failed.Each {
		evaluation.Errors = append(evaluation.Errors, &FlagError{Flag: a.flags.Names(flag)[0], Err: a.errs[bit(flag)]})
	}
	return evaluation
}

// bit is the position of a single flag.
func bit(flag Flags) int { return bits.TrailingZeros64(uint64(flag)) }
