package phases

import (
	"context"
	"errors"
	"math/rand"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	flagD Flags = 8 << iota
	flagE
	flagF
)

var sixFlags = MustVocabulary([]FlagDef{{flagA, "A", "", false}, {flagB, "B", "", false}, {flagC, "C", "", false}, {flagD, "D", "", false}, {flagE, "E", "", false}, {flagF, "F", "", false}})

// asked makes sources that note the order in which they are called.
type asked struct {
	mu    sync.Mutex
	order []string
}

func (a *asked) source(flag Flags, answer func(context.Context, Facts) (Truth, error)) Source {
	return Source{Flag: flag, Evaluate: func(ctx context.Context, known Facts) (Truth, error) {
		a.mu.Lock()
		a.order = append(a.order, sixFlags.Names(flag)[0])
		a.mu.Unlock()
		return answer(ctx, known)
	}}
}

// names is the order of the calls as one string.
func (a *asked) names() string { return strings.Join(a.order, "") }

func slow(s Source) Source {
	s.Slow = true
	return s
}

func from(flags Flags, s Source) Source {
	s.Inputs = flags
	return s
}

func says(t Truth) func(context.Context, Facts) (Truth, error) {
	return func(context.Context, Facts) (Truth, error) { return t, nil }
}

func fails(err error) func(context.Context, Facts) (Truth, error) {
	return func(context.Context, Facts) (Truth, error) { return Unknown, err }
}

// either is the three-valued "or" of two flags.
func either(a, b Flags) func(context.Context, Facts) (Truth, error) {
	return func(_ context.Context, known Facts) (Truth, error) { return Guard{Any: a | b}.Eval(known), nil }
}

func sources(t testing.TB, list ...Source) *Sources {
	t.Helper()
	s, err := NewSources(sixFlags, list...)
	require.NoError(t, err)
	return s
}

func TestNewSourcesNeedsAVocabulary(t *testing.T) {
	for _, list := range [][]Source{nil, {{Flag: flagA, Evaluate: says(True)}}, {{}}} {
		s, err := NewSources(nil, list...)
		assert.Nil(t, s)
		var got *SourceError
		require.ErrorAs(t, err, &got)
		require.EqualError(t, got, "sources need the vocabulary of their flags, not nil")
	}
}

func TestNewSourcesRefuses(t *testing.T) {
	a := Source{Flag: flagA, Evaluate: says(True)}
	for _, c := range []struct {
		about   string
		sources []Source
		want    SourceError
	}{
		{"no flag", []Source{a, {Evaluate: says(True)}}, SourceError{"[]", "source number 2 must evaluate exactly one flag of the vocabulary"}},
		{"two flags", []Source{{Flag: flagA | flagB, Evaluate: says(True)}}, SourceError{"[A B]", "source number 1 must evaluate exactly one flag of the vocabulary"}},
		{"a flag of nowhere", []Source{{Flag: 1 << 40, Evaluate: says(True)}}, SourceError{"[]", "source number 1 must evaluate exactly one flag of the vocabulary"}},
		{"a flag twice", []Source{a, a}, SourceError{"A", "has two sources; remove one"}},
		{"no Ask", []Source{{Flag: flagA}}, SourceError{"A", "has a source without an Evaluate function"}},
		{"an input without a source", []Source{from(flagB, a)}, SourceError{"A", "is computed from B, which no source evaluates; add one"}},
		{"an input of nowhere", []Source{from(1<<40, a)}, SourceError{"A", "is computed from a flag that the vocabulary does not have; add it there"}},
		{"computed from itself", []Source{from(flagA, a)}, SourceError{"A", "is computed from itself, directly or through another flag"}},
		{"computed in a circle", []Source{from(flagB, a), {Flag: flagB, Inputs: flagC, Evaluate: says(True)}, {Flag: flagC, Inputs: flagA, Evaluate: says(True)}},
			SourceError{"A", "is computed from itself, directly or through another flag"}},
	} {
		t.Run(c.about, func(t *testing.T) {
			s, err := NewSources(sixFlags, c.sources...)
			assert.Nil(t, s)
			var got *SourceError
			require.ErrorAs(t, err, &got)
			assert.Equal(t, c.want, *got)
			assert.EqualError(t, err, "flag "+c.want.Flag+": "+c.want.Problem)
		})
	}
	assert.Same(t, sixFlags, sources(t, a).Vocabulary())
}

func TestAskOrder(t *testing.T) {
	gone := errors.New("gone")
	none := func(Facts) Flags { return 0 }
	for _, c := range []struct {
		about   string
		sources func(*asked) []Source
		ask     Request
		order   string
		facts   Facts
		errs    string
	}{
		{"only what is read",
			func(a *asked) []Source { return []Source{a.source(flagA, says(True)), a.source(flagB, says(True))} },
			Request{Read: flagB}, "B", NewFacts(flagB, 0), ""},
		{"nothing that is known",
			func(a *asked) []Source { return []Source{a.source(flagA, says(True)), a.source(flagB, says(True))} },
			Request{Read: flagA | flagB, Known: NewFacts(0, flagA)}, "B", NewFacts(flagB, flagA), ""},
		{"no flag without a source",
			func(a *asked) []Source { return []Source{a.source(flagA, says(False))} },
			Request{Read: flagA | flagB}, "A", NewFacts(0, flagA), ""},
		{"cheap before slow",
			func(a *asked) []Source {
				return []Source{slow(a.source(flagA, says(True))), a.source(flagB, says(True))}
			},
			Request{Read: flagA | flagB}, "BA", NewFacts(flagA|flagB, 0), ""},
		{"a slow one not at all if it does not matter",
			func(a *asked) []Source {
				return []Source{slow(a.source(flagA, says(True))), a.source(flagB, says(True))}
			},
			Request{Read: flagA | flagB, Matters: none}, "B", NewFacts(flagB, 0), ""},
		{"a slow one as long as what is known leaves it open",
			func(a *asked) []Source {
				return []Source{slow(a.source(flagA, says(True))), a.source(flagB, says(False))}
			},
			Request{Read: flagA | flagB, Matters: func(f Facts) Flags {
				if f.Of(flagB) == False {
					return flagA
				}
				return 0
			}}, "BA", NewFacts(flagA, flagB), ""},
		{"what a flag is computed from comes first",
			func(a *asked) []Source {
				return []Source{from(flagB, a.source(flagA, either(flagB, flagB))), from(flagC, a.source(flagB, either(flagC, flagC))), a.source(flagC, says(True))}
			},
			Request{Read: flagA}, "CBA", NewFacts(abc, 0), ""},
		{"a computed flag that needs no slow input",
			func(a *asked) []Source {
				return []Source{from(flagB|flagC, a.source(flagA, either(flagB, flagC))), a.source(flagB, says(True)), slow(a.source(flagC, says(False)))}
			},
			Request{Read: flagA}, "BA", NewFacts(flagA|flagB, 0), ""},
		{"a computed flag again when its slow input has come",
			func(a *asked) []Source {
				return []Source{from(flagB|flagC, a.source(flagA, either(flagB, flagC))), a.source(flagB, says(False)), slow(a.source(flagC, says(True)))}
			},
			Request{Read: flagA}, "BACA", NewFacts(flagA|flagC, flagB), ""},
		{"a slow input only if what is computed from it matters",
			func(a *asked) []Source {
				return []Source{from(flagB|flagC, a.source(flagA, either(flagB, flagC))), a.source(flagB, says(False)), slow(a.source(flagC, says(True)))}
			},
			Request{Read: flagA, Matters: none}, "BA", NewFacts(0, flagB), ""},
		{"a slow input of a flag that matters, though it is not read itself",
			func(a *asked) []Source {
				return []Source{from(flagC, a.source(flagA, either(flagC, flagC))), slow(a.source(flagC, says(False)))}
			},
			Request{Read: flagA, Matters: func(Facts) Flags { return flagA }}, "ACA", NewFacts(0, flagA|flagC), ""},
		{"no input of a flag that is known",
			func(a *asked) []Source {
				return []Source{from(flagB, a.source(flagA, either(flagB, flagB))), from(flagC, a.source(flagB, either(flagC, flagC))), a.source(flagC, says(True))}
			},
			Request{Read: flagA, Known: NewFacts(flagB, 0)}, "A", NewFacts(flagA|flagB, 0), ""},
		{"no slow input of a flag that failed",
			func(a *asked) []Source {
				return []Source{from(flagB, a.source(flagA, fails(gone))), slow(a.source(flagB, says(True)))}
			},
			Request{Read: flagA}, "A", Facts{}, "flag A is unknown: gone"},
		{"a slow flag after the cheap one that waits for another slow one",
			func(a *asked) []Source {
				return []Source{slow(from(flagB, a.source(flagA, either(flagB, flagB)))), from(flagC, a.source(flagB, either(flagC, flagC))), slow(a.source(flagC, says(True)))}
			},
			Request{Read: flagA}, "BCBA", NewFacts(abc, 0), ""},
		{"a chain that waits for one slow input, in order",
			func(a *asked) []Source {
				return []Source{from(flagB, a.source(flagA, either(flagB, flagB))), from(flagC, a.source(flagB, either(flagC, flagC))), slow(a.source(flagC, says(False)))}
			},
			Request{Read: flagA}, "BACBA", NewFacts(0, abc), ""},

		{"an error loses nothing else",
			func(a *asked) []Source {
				return []Source{slow(a.source(flagA, fails(gone))), a.source(flagB, says(True))}
			},
			Request{Read: flagA | flagB}, "BA", NewFacts(flagB, 0), "flag A is unknown: gone"},
		{"an error counts for more than a value",
			func(a *asked) []Source {
				return []Source{a.source(flagA, func(context.Context, Facts) (Truth, error) { return True, gone })}
			},
			Request{Read: flagA}, "A", Facts{}, "flag A is unknown: gone"},
		{"what is computed from a flag that failed, and could do without it",
			func(a *asked) []Source {
				return []Source{from(flagB|flagC, a.source(flagA, either(flagB, flagC))), a.source(flagB, fails(gone)), slow(a.source(flagC, says(True)))}
			},
			Request{Read: flagA}, "BACA", NewFacts(flagA|flagC, 0), "flag B is unknown: gone"},
		{"what is computed from a flag that failed, and cannot do without it",
			func(a *asked) []Source {
				return []Source{from(flagB|flagC, a.source(flagA, either(flagB, flagC))), a.source(flagB, fails(gone)), slow(a.source(flagC, says(False)))}
			},
			Request{Read: flagA}, "BACA", NewFacts(0, flagC),
			"flag A is unknown: it is computed from B, not all of which are known\nflag B is unknown: gone"},
		{"a value that is none",
			func(a *asked) []Source { return []Source{a.source(flagA, says(7))} },
			Request{Read: flagA}, "A", Facts{},
			"flag A is unknown: its source returned the value 7, which is no Truth; let it return True, False or Unknown"},
		{"a panic",
			func(a *asked) []Source {
				return []Source{a.source(flagA, func(context.Context, Facts) (Truth, error) { panic("oh") })}
			},
			Request{Read: flagA}, "A", Facts{}, "flag A is unknown: panic: oh"},
		{"nothing to ask", func(a *asked) []Source { return nil }, Request{}, "", Facts{}, ""},
	} {
		t.Run(c.about, func(t *testing.T) {
			var a asked
			answer := sources(t, c.sources(&a)...).Evaluate(context.Background(), c.ask)
			assert.Equal(t, c.order, a.names())
			assert.Equal(t, c.facts, answer.Facts)
			if c.errs == "" {
				assert.NoError(t, answer.Err())
			} else {
				assert.EqualError(t, answer.Err(), c.errs)
			}
			var want Flags
			for _, name := range a.order {
				flag, _ := sixFlags.Lookup(name)
				want |= flag
			}
			assert.Equal(t, want, answer.Evaluated)
		})
	}
}

func TestAskErrorsHaveTypes(t *testing.T) {
	gone := errors.New("gone")
	answer := sources(t,
		Source{Flag: flagA, Evaluate: fails(gone)},
		Source{Flag: flagB, Evaluate: func(context.Context, Facts) (Truth, error) { panic(gone) }},
		Source{Flag: flagC, Inputs: flagA, Evaluate: either(flagA, flagA)},
	).Evaluate(context.Background(), Request{Read: abc})
	require.Len(t, answer.Errors, 3)
	for i, name := range []string{"A", "B", "C"} {
		assert.Equal(t, name, answer.Errors[i].Flag, "in the order of the vocabulary")
	}
	require.ErrorIs(t, answer.Errors[0], gone)
	var panicked *PanicError
	require.ErrorAs(t, answer.Errors[1], &panicked)
	assert.Contains(t, string(panicked.Stack), "evaluate_test.go", "the stack leads to the source")
	require.ErrorIs(t, answer.Errors[1], gone)
	var input *UnknownInputError
	require.ErrorAs(t, answer.Err(), &input)
	assert.Equal(t, []string{"A"}, input.Inputs)
}

// Each source waits until all of them have been called: one after the other
// they would wait for ever.
func TestAskCallsIndependentSourcesAtTheSameTime(t *testing.T) {
	for about, mark := range map[string]func(Source) Source{"cheap": func(s Source) Source { return s }, "slow": slow} {
		t.Run(about, func(t *testing.T) {
			var barrier sync.WaitGroup
			barrier.Add(3)
			meet := func(context.Context, Facts) (Truth, error) {
				barrier.Done()
				barrier.Wait()
				return True, nil
			}
			answer := sources(t, mark(Source{Flag: flagA, Evaluate: meet}), mark(Source{Flag: flagB, Evaluate: meet}), mark(Source{Flag: flagC, Evaluate: meet})).
				Evaluate(context.Background(), Request{Read: abc})
			assert.Equal(t, NewFacts(abc, 0), answer.Facts)
		})
	}
}

func TestSequentialSourcesAreCalledOneAtATime(t *testing.T) {
	var asked asked
	var running atomic.Int32
	alone := func(context.Context, Facts) (Truth, error) {
		assert.EqualValues(t, 1, running.Add(1))
		time.Sleep(time.Millisecond)
		running.Add(-1)
		return True, nil
	}
	concurrent := sources(t,
		slow(asked.source(flagA, alone)),
		from(flagA|flagD, asked.source(flagB, alone)),
		slow(asked.source(flagC, alone)),
		asked.source(flagD, alone),
		asked.source(flagE, alone),
		slow(asked.source(flagF, alone)),
	)
	s := concurrent.Sequential()
	answer := s.Evaluate(t.Context(), Request{Read: sixFlags.All(), Matters: func(known Facts) Flags {
		if known.Of(flagC) == True { // F does not matter any more
			return 0
		}
		return sixFlags.All()
	}})
	require.NoError(t, answer.Err())
	assert.Equal(t, "DBEAC", asked.names(), "what was found by one slow source may spare the next")
	assert.Equal(t, sixFlags.All()&^flagF, answer.Facts.True())
	assert.Equal(t, concurrent.Flags(), s.Flags())
	assert.False(t, concurrent.sequential, "the sources given are not changed")
	assert.Nil(t, (*Sources)(nil).Sequential())
}

func TestAskWithAContextThatIsDoneCallsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var a asked
	answer := sources(t, a.source(flagA, says(True)), slow(a.source(flagB, says(True))), from(flagA, a.source(flagC, either(flagA, flagA)))).
		Evaluate(ctx, Request{Read: abc, Known: NewFacts(flagD, 0)})
	assert.Empty(t, a.order)
	assert.Zero(t, answer.Evaluated)
	assert.Equal(t, NewFacts(flagD, 0), answer.Facts, "what is known is kept")
	require.Len(t, answer.Errors, 3)
	for _, err := range answer.Errors {
		require.ErrorIs(t, err, context.Canceled)
	}
	assert.EqualError(t, answer.Errors[0], "flag A is unknown: not evaluated: context canceled")
}

func TestAskStopsAtItsTimeout(t *testing.T) {
	var a asked
	waits := func(ctx context.Context, _ Facts) (Truth, error) {
		_, bounded := ctx.Deadline()
		assert.True(t, bounded)
		<-ctx.Done()
		return Unknown, context.Cause(ctx)
	}
	answer := sources(t, a.source(flagA, waits), from(flagB, a.source(flagC, either(flagB, flagB))), slow(a.source(flagB, says(True)))).
		Evaluate(context.Background(), Request{Read: abc, Timeout: time.Millisecond})
	assert.NotContains(t, a.order, "B", "it is too late for the slow one")
	assert.Zero(t, answer.Facts)
	assert.Zero(t, answer.LeftBehind, "a source that returns when its context is done is not left behind")
	require.Len(t, answer.Errors, 3, "nothing is lost silently, what waits for it neither")
	for _, err := range answer.Errors {
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
}

// A test has a clock of its own, and waits for no timeout.
func TestAskStopsAtTheTimeoutOfTheCallersClock(t *testing.T) {
	var timeouts []time.Duration
	answer := sources(t, Source{Flag: flagA, Evaluate: func(ctx context.Context, _ Facts) (Truth, error) { return Unknown, ctx.Err() }}).
		Evaluate(context.Background(), Request{Read: flagA, Timeout: time.Hour,
			WithTimeout: func(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
				timeouts = append(timeouts, d)
				return context.WithDeadline(parent, time.Unix(0, 0)) // it has passed
			}})
	assert.Equal(t, []time.Duration{time.Hour}, timeouts)
	require.Len(t, answer.Errors, 1)
	require.ErrorIs(t, answer.Errors[0], context.DeadlineExceeded)
}

func TestAskIsCancelledHalfWay(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	var a asked
	answer := sources(t,
		a.source(flagA, func(context.Context, Facts) (Truth, error) { cancel(); return True, nil }),
		slow(a.source(flagB, says(True))),
	).Evaluate(ctx, Request{Read: flagA | flagB})
	assert.Equal(t, "A", a.names())
	assert.Equal(t, NewFacts(flagA, 0), answer.Facts, "an answer that came counts")
	assert.Equal(t, flagA, answer.Evaluated)
	assert.EqualError(t, answer.Err(), "flag B is unknown: not evaluated: context canceled")
}

// A source that calls t.FailNow, or runtime.Goexit, ends its goroutine, which
// is never the caller's.
func TestAskReportsASourceThatEndsItsGoroutine(t *testing.T) {
	exits := func(context.Context, Facts) (Truth, error) { runtime.Goexit(); return True, nil }
	for _, c := range []struct {
		about   string
		sources []Source
		facts   Facts
	}{
		{"alone", []Source{{Flag: flagA, Evaluate: exits}}, Facts{}},
		{"alone and slow", []Source{slow(Source{Flag: flagA, Evaluate: exits})}, Facts{}},
		{"beside another", []Source{{Flag: flagA, Evaluate: exits}, {Flag: flagB, Evaluate: says(True)}}, NewFacts(flagB, 0)},
	} {
		t.Run(c.about, func(t *testing.T) {
			var answer Evaluation
			returned := false
			var caller sync.WaitGroup
			caller.Add(1)
			go func() {
				defer caller.Done()
				answer = sources(t, c.sources...).Evaluate(context.Background(), Request{Read: flagA | flagB})
				returned = true
			}()
			caller.Wait()
			require.True(t, returned, "the goroutine of the caller goes on")
			assert.Equal(t, c.facts, answer.Facts)
			assert.Zero(t, answer.NotYet)
			assert.EqualError(t, answer.Err(), "flag A is unknown: its source ended its goroutine without a result; let it return an error")
		})
	}
}

// Each row is a graph of sources: D is computed from B and C, these from A.
func TestAskKeepsNotYetApartFromFailures(t *testing.T) {
	gone := errors.New("gone")
	computed := func(flag, inputs Flags) Source {
		return Source{Flag: flag, Inputs: inputs, Evaluate: either(inputs, inputs)}
	}
	for _, c := range []struct {
		about   string
		sources []Source
		facts   Facts
		notYet  Flags
		errs    []string
	}{
		{"one flag", []Source{{Flag: flagA, Evaluate: says(Unknown)}}, Facts{}, flagA, nil},
		{"one slow flag", []Source{slow(Source{Flag: flagA, Evaluate: says(Unknown)})}, Facts{}, flagA, nil},
		{"beside a known one", []Source{{Flag: flagA, Evaluate: says(Unknown)}, {Flag: flagB, Evaluate: says(False)}}, NewFacts(0, flagB), flagA, nil},
		{"beside one that fails", []Source{{Flag: flagA, Evaluate: says(Unknown)}, {Flag: flagB, Evaluate: fails(gone)}}, Facts{}, flagA,
			[]string{"flag B is unknown: gone"}},
		{"an error counts for more", []Source{{Flag: flagA, Evaluate: fails(gone)}}, Facts{}, 0, []string{"flag A is unknown: gone"}},
		{"a chain that is not yet known", []Source{{Flag: flagA, Evaluate: says(Unknown)}, computed(flagB, flagA), computed(flagD, flagB)},
			Facts{}, flagA | flagB | flagD, nil},
		{"a chain on a slow flag that is not yet known", []Source{slow(Source{Flag: flagA, Evaluate: says(Unknown)}), computed(flagB, flagA), slow(computed(flagD, flagB))},
			Facts{}, flagA | flagB | flagD, nil},
		{"a chain on a failure", []Source{{Flag: flagA, Evaluate: fails(gone)}, computed(flagB, flagA), computed(flagD, flagB)}, Facts{}, 0,
			[]string{"flag A is unknown: gone", "flag B is unknown: it is computed from A, not all of which are known", "flag D is unknown: it is computed from B, not all of which are known"}},
		{"a chain whose middle has all its inputs, and is not yet known", []Source{{Flag: flagA, Evaluate: says(False)}, {Flag: flagB, Inputs: flagA, Evaluate: says(Unknown)}, computed(flagD, flagB)},
			NewFacts(0, flagA), flagB | flagD, nil},
		{"a chain whose middle fails on what is not yet known", []Source{{Flag: flagA, Evaluate: says(Unknown)}, {Flag: flagB, Inputs: flagA, Evaluate: fails(gone)}, computed(flagD, flagB)}, Facts{}, flagA,
			[]string{"flag B is unknown: gone", "flag D is unknown: it is computed from B, not all of which are known"}},
		{"a diamond on what is not yet known", []Source{{Flag: flagA, Evaluate: says(Unknown)}, computed(flagB, flagA), computed(flagC, flagA), computed(flagD, flagB|flagC)},
			Facts{}, flagA | flagB | flagC | flagD, nil},
		{"a diamond with one side known", []Source{{Flag: flagA, Evaluate: says(Unknown)}, computed(flagB, flagA), {Flag: flagC, Evaluate: says(False)}, computed(flagD, flagB|flagC)},
			NewFacts(0, flagC), flagA | flagB | flagD, nil},
		{"a diamond that one side settles", []Source{{Flag: flagA, Evaluate: says(Unknown)}, computed(flagB, flagA), {Flag: flagC, Evaluate: says(True)}, computed(flagD, flagB|flagC)},
			NewFacts(flagC|flagD, 0), flagA | flagB, nil},
		{"a diamond of which one side fails", []Source{{Flag: flagA, Evaluate: says(Unknown)}, computed(flagB, flagA), {Flag: flagC, Evaluate: fails(gone)}, computed(flagD, flagB|flagC)}, Facts{}, flagA | flagB,
			[]string{"flag C is unknown: gone", "flag D is unknown: it is computed from C, not all of which are known"}},
	} {
		t.Run(c.about, func(t *testing.T) {
			answer := sources(t, c.sources...).Evaluate(context.Background(), Request{Read: sixFlags.All()})
			assert.Equal(t, c.facts, answer.Facts)
			assert.Equal(t, sixFlags.Names(c.notYet), sixFlags.Names(answer.NotYet))
			var errs []string
			for _, err := range answer.Errors {
				errs = append(errs, err.Error())
			}
			assert.Equal(t, c.errs, errs)
		})
	}
}

// What waits for a flag that does not matter is neither "not yet" nor an error.
func TestAskDoesNotCallNotYetWhatItHasNotAsked(t *testing.T) {
	answer := sources(t,
		Source{Flag: flagA, Inputs: flagB, Evaluate: either(flagB, flagB)}, slow(Source{Flag: flagB, Evaluate: says(Unknown)}),
	).Evaluate(context.Background(), Request{Read: flagA, Matters: func(Facts) Flags { return 0 }})
	assert.Equal(t, Evaluation{Evaluated: flagA}, answer)
}

func TestSourcesAnswers(t *testing.T) {
	var none *Sources
	assert.Zero(t, none.Flags())
	assert.Zero(t, sources(t).Flags())
	assert.Equal(t, flagB|flagD, sources(t, Source{Flag: flagD, Evaluate: says(True)}, slow(Source{Flag: flagB, Inputs: flagD, Evaluate: says(True)})).Flags())
}

func TestSourceOfAValueThatIsKnown(t *testing.T) {
	answer := sources(t, SourceOf(flagA, True), SourceOf(flagB, False), SourceOf(flagC, Unknown)).Evaluate(context.Background(), Request{Read: abc})
	assert.Equal(t, Evaluation{Facts: NewFacts(flagA, flagB), Evaluated: abc, NotYet: flagC}, answer)
}

func TestNilSourcesAndNilContext(t *testing.T) {
	var none *Sources
	assert.Nil(t, none.Vocabulary())
	assert.Empty(t, none.All())
	assert.Equal(t, Evaluation{Facts: NewFacts(flagA, 0)}, none.Evaluate(context.Background(), Request{Known: NewFacts(flagA, 0), Read: abc}))
	assert.Equal(t, Evaluation{}, new(Sources).Evaluate(context.Background(), Request{Read: abc}))

	var noContext context.Context
	answer := sources(t, Source{Flag: flagA, Evaluate: func(ctx context.Context, _ Facts) (Truth, error) { return True, ctx.Err() }}).Evaluate(noContext, Request{Read: abc})
	assert.Equal(t, NewFacts(flagA, 0), answer.Facts)
}

// Matters is the caller's: its panic surfaces where the caller can recover it.
func TestAskLetsAPanicOfMattersThrough(t *testing.T) {
	s := sources(t, Source{Flag: flagA, Evaluate: says(True)})
	assert.PanicsWithValue(t, "oh", func() {
		s.Evaluate(context.Background(), Request{Read: flagA, Matters: func(Facts) Flags { panic("oh") }})
	})
}

func TestSourcesMayBeSharedBetweenGoroutines(t *testing.T) {
	s := sources(t, Source{Flag: flagA, Evaluate: says(True)}, Source{Flag: flagB, Inputs: flagA, Evaluate: either(flagA, flagA)}, slow(Source{Flag: flagC, Evaluate: says(False)}))
	var all sync.WaitGroup
	for range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			assert.Equal(t, NewFacts(flagA|flagB, flagC), s.Evaluate(context.Background(), Request{Read: abc}).Facts)
		}()
	}
	all.Wait()
}

// some picks each flag with a chance of one in n.
func some(r *rand.Rand, n int) (set Flags) {
	for flag := range sixFlags.All().Each {
		if r.Intn(n) == 0 {
			set |= flag
		}
	}
	return set
}

// Random sources, half of them computed from random others. Whatever they
// look like: all that is read is found, reported, or "not yet", as computing
// the flags one by one says; nothing is evaluated that is not needed; a source is
// called again only with more known than before.
func TestAskHoldsForRandomSources(t *testing.T) {
	for seed := range int64(6000) {
		r := rand.New(rand.NewSource(seed))
		all := sixFlags.All()
		truth := Flags(r.Intn(64))
		failing, notYet := some(r, 8), some(r, 6)
		needs := make(map[Flags]Flags)
		var mu sync.Mutex
		calls := make(map[Flags][]Facts)
		var list []Source
		for flag := range all.Each {
			before := Flags(r.Intn(64)) & (flag - 1) // only lower bits: no circles
			if r.Intn(2) == 0 {
				before = 0
			}
			needs[flag] = before
			list = append(list, Source{Flag: flag, Inputs: before, Slow: r.Intn(3) == 0, Evaluate: func(_ context.Context, known Facts) (Truth, error) {
				mu.Lock()
				calls[flag] = append(calls[flag], known)
				mu.Unlock()
				switch {
				case failing.Has(flag):
					return Unknown, errors.New("failing")
				case notYet.Has(flag):
					return Unknown, nil
				case before == 0:
					return TruthOf(truth.Has(flag)), nil
				}
				return Guard{Any: before}.Eval(known), nil
			}})
		}
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		read := Flags(r.Intn(64))
		known := NewFacts(some(r, 4), some(r, 4))

		s := sources(t, list...)
		if seed%2 == 1 {
			s = s.Sequential()
		}
		answer := s.Evaluate(context.Background(), Request{Known: known, Read: read})

		needed := read &^ known.Known()
		for range all.Len() {
			for flag := range needed.Each {
				needed |= needs[flag] &^ known.Known()
			}
		}
		var reported Flags
		for _, err := range answer.Errors {
			flag, _ := sixFlags.Lookup(err.Flag)
			reported |= flag
		}
		// The flags one by one, lowest bit first, which needs no order of evaluation.
		facts, wantNotYet, wantReported := known, Flags(0), Flags(0)
		for flag := range (all &^ known.Known()).Each {
			inputs := needs[flag]
			value := TruthOf(truth.Has(flag))
			if inputs != 0 {
				value = Guard{Any: inputs}.Eval(facts)
			}
			switch {
			case failing.Has(flag):
				wantReported |= flag
			case !notYet.Has(flag) && value != Unknown:
				facts = facts.Set(flag, value)
			case inputs&wantReported != 0:
				wantReported |= flag
			default:
				wantNotYet |= flag
			}
		}
		require.Equal(t, facts.True()&read, answer.Facts.True()&read, "seed %d: what is read and true", seed)
		require.Equal(t, facts.False()&read, answer.Facts.False()&read, "seed %d: what is read and false", seed)
		require.Equal(t, wantNotYet&read, answer.NotYet&read, "seed %d: what is read and not yet known", seed)
		require.Equal(t, wantReported&read, reported&read, "seed %d: what is read and reported", seed)
		require.Zero(t, answer.Facts.Known()&reported|answer.Facts.Known()&answer.NotYet|reported&answer.NotYet, "seed %d: a flag is one of the three", seed)
		require.Zero(t, answer.LeftBehind, "seed %d", seed)
		require.True(t, answer.Facts.True().Has(known.True()) && answer.Facts.False().Has(known.False()), "seed %d: what was known stays", seed)
		require.Zero(t, answer.Evaluated&^needed, "seed %d: only what is needed is evaluated", seed)
		for flag, with := range calls {
			require.True(t, answer.Evaluated.Has(flag), "seed %d", seed)
			for i := 1; i < len(with); i++ {
				more := with[i].Known() &^ with[i-1].Known() & needs[flag]
				settled := (reported|answer.NotYet)&needs[flag] != 0
				require.True(t, more != 0 || settled, "seed %d: %s is evaluated again for nothing", seed, sixFlags.Names(flag))
			}
			if needs[flag] == 0 || failing.Has(flag) {
				require.Len(t, with, 1, "seed %d: %s", seed, sixFlags.Names(flag))
			}
		}
	}
}

func TestBoolIsKnownUnlessItFails(t *testing.T) {
	broken := errors.New("the cluster does not answer")
	for _, c := range []struct {
		name  string
		value bool
		err   error
		want  Truth
	}{
		{"true", true, nil, True},
		{"false", false, nil, False},
		{"an error leaves it unknown, whatever it returns beside", true, broken, Unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			evaluate := Bool(func(context.Context) (bool, error) { return c.value, c.err })
			truth, err := evaluate(context.Background(), Facts{})
			require.Equal(t, c.want, truth)
			require.Equal(t, c.err, err)
		})
	}
}

func TestComputed(t *testing.T) {
	const a, b, c, d = Flags(1), Flags(2), Flags(4), Flags(8)
	v := MustVocabulary([]FlagDef{{a, "A", "", false}, {b, "B", "", false}, {c, "C", "", false}, {d, "D", "", false}})
	yes := func(context.Context, Facts) (Truth, error) { return True, nil }
	s, err := NewSources(v, Source{Flag: c, Inputs: b, Evaluate: yes}, Source{Flag: b, Inputs: a, Evaluate: yes}, Source{Flag: a, Evaluate: yes}, Source{Flag: d, Evaluate: yes})
	require.NoError(t, err)
	for from, want := range map[Flags]Flags{0: 0, a: b | c, b: c, c: 0, d: 0, a | d: b | c, b | a: b | c} {
		assert.Equal(t, want, s.Computed(from), "from %v", v.Names(from))
	}
	assert.Zero(t, (*Sources)(nil).Computed(a))
}
