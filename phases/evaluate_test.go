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

var sixFlags = MustVocabulary([]FlagDef{
	{flagA, "A", "", false}, {flagB, "B", "", false}, {flagC, "C", "", false},
	{flagD, "D", "", false}, {flagE, "E", "", false}, {flagF, "F", "", false},
})

// callRecorder makes sources that record the order in which they are called.
type callRecorder struct {
	mu    sync.Mutex
	order []string
}

func (a *callRecorder) source(flag Flags, evaluate func(context.Context, Facts) (Truth, error)) Source {
	return Source{Flag: flag, Evaluate: func(ctx context.Context, known Facts) (Truth, error) {
		a.mu.Lock()
		a.order = append(a.order, sixFlags.Names(flag)[0])
		a.mu.Unlock()
		return evaluate(ctx, known)
	}}
}

// names returns the order of the calls as one string.
func (a *callRecorder) names() string { return strings.Join(a.order, "") }

func slow(s Source) Source {
	s.Slow = true
	return s
}

func from(flags Flags, s Source) Source {
	s.Inputs = flags
	return s
}

func returns(t Truth) func(context.Context, Facts) (Truth, error) {
	return func(context.Context, Facts) (Truth, error) { return t, nil }
}

func fails(err error) func(context.Context, Facts) (Truth, error) {
	return func(context.Context, Facts) (Truth, error) { return Unknown, err }
}

// either evaluates the three-valued "or" of two flags.
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
	for _, list := range [][]Source{nil, {{Flag: flagA, Evaluate: returns(True)}}, {{}}} {
		s, err := NewSources(nil, list...)
		assert.Nil(t, s)
		var got *SourceError
		require.ErrorAs(t, err, &got)
		require.EqualError(t, got, "sources need the vocabulary of their flags, not nil")
	}
}

func TestNewSourcesRefuses(t *testing.T) {
	a := Source{Flag: flagA, Evaluate: returns(True)}
	for _, c := range []struct {
		about   string
		sources []Source
		want    SourceError
	}{
		{"no flag", []Source{a, {Evaluate: returns(True)}}, SourceError{"[]", "source number 2 must evaluate exactly one flag of the vocabulary"}},
		{"two flags", []Source{{Flag: flagA | flagB, Evaluate: returns(True)}}, SourceError{"[A B]", "source number 1 must evaluate exactly one flag of the vocabulary"}},
		{"a flag outside the vocabulary", []Source{{Flag: 1 << 40, Evaluate: returns(True)}},
			SourceError{"[]", "source number 1 must evaluate exactly one flag of the vocabulary"}},
		{"a flag twice", []Source{a, a}, SourceError{"A", "has two sources; remove one"}},
		{"no Evaluate", []Source{{Flag: flagA}}, SourceError{"A", "has a source without an Evaluate function; set Evaluate"}},
		{"an input without a source", []Source{from(flagB, a)}, SourceError{"A", "is computed from B, which no source evaluates; add one"}},
		{"an input outside the vocabulary", []Source{from(1<<40, a)}, SourceError{"A", "is computed from a flag that the vocabulary does not have; add it there"}},
		{"computed from itself", []Source{from(flagA, a)}, SourceError{"A", "is computed from itself, directly or through another flag; remove one of the inputs"}},
		{"computed in a circle", []Source{from(flagB, a), {Flag: flagB, Inputs: flagC, Evaluate: returns(True)}, {Flag: flagC, Inputs: flagA, Evaluate: returns(True)}},
			SourceError{"A", "is computed from itself, directly or through another flag; remove one of the inputs"}},
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

func TestEvaluateOrder(t *testing.T) {
	gone := errors.New("gone")
	none := func(Facts) Flags { return 0 }
	for _, c := range []struct {
		about   string
		sources func(*callRecorder) []Source
		request Request
		order   string
		facts   Facts
		errs    string
	}{
		{"only flags that are read",
			func(a *callRecorder) []Source {
				return []Source{a.source(flagA, returns(True)), a.source(flagB, returns(True))}
			},
			Request{Read: flagB}, "B", NewFacts(flagB, 0), ""},
		{"nothing that is known",
			func(a *callRecorder) []Source {
				return []Source{a.source(flagA, returns(True)), a.source(flagB, returns(True))}
			},
			Request{Read: flagA | flagB, Known: NewFacts(0, flagA)}, "B", NewFacts(flagB, flagA), ""},
		{"no flag without a source",
			func(a *callRecorder) []Source { return []Source{a.source(flagA, returns(False))} },
			Request{Read: flagA | flagB}, "A", NewFacts(0, flagA), ""},
		{"cheap before slow",
			func(a *callRecorder) []Source {
				return []Source{slow(a.source(flagA, returns(True))), a.source(flagB, returns(True))}
			},
			Request{Read: flagA | flagB}, "BA", NewFacts(flagA|flagB, 0), ""},
		{"no slow one that does not matter",
			func(a *callRecorder) []Source {
				return []Source{slow(a.source(flagA, returns(True))), a.source(flagB, returns(True))}
			},
			Request{Read: flagA | flagB, Matters: none}, "B", NewFacts(flagB, 0), ""},
		{"a slow one that still matters given the known flags",
			func(a *callRecorder) []Source {
				return []Source{slow(a.source(flagA, returns(True))), a.source(flagB, returns(False))}
			},
			Request{Read: flagA | flagB, Matters: func(f Facts) Flags {
				if f.Of(flagB) == False {
					return flagA
				}
				return 0
			}}, "BA", NewFacts(flagA, flagB), ""},
		{"the inputs of a flag first",
			func(a *callRecorder) []Source {
				return []Source{
					from(flagB, a.source(flagA, either(flagB, flagB))),
					from(flagC, a.source(flagB, either(flagC, flagC))), a.source(flagC, returns(True)),
				}
			},
			Request{Read: flagA}, "CBA", NewFacts(abc, 0), ""},
		{"a computed flag that needs no slow input",
			func(a *callRecorder) []Source {
				return []Source{
					from(flagB|flagC, a.source(flagA, either(flagB, flagC))), a.source(flagB, returns(True)),
					slow(a.source(flagC, returns(False))),
				}
			},
			Request{Read: flagA}, "BA", NewFacts(flagA|flagB, 0), ""},
		{"a computed flag again once its slow input is known",
			func(a *callRecorder) []Source {
				return []Source{
					from(flagB|flagC, a.source(flagA, either(flagB, flagC))), a.source(flagB, returns(False)),
					slow(a.source(flagC, returns(True))),
				}
			},
			Request{Read: flagA}, "BACA", NewFacts(flagA|flagC, flagB), ""},
		{"no slow input of a flag that does not matter",
			func(a *callRecorder) []Source {
				return []Source{
					from(flagB|flagC, a.source(flagA, either(flagB, flagC))), a.source(flagB, returns(False)),
					slow(a.source(flagC, returns(True))),
				}
			},
			Request{Read: flagA, Matters: none}, "BA", NewFacts(0, flagB), ""},
		{"a slow input of a flag that matters, though it is not read itself",
			func(a *callRecorder) []Source {
				return []Source{from(flagC, a.source(flagA, either(flagC, flagC))), slow(a.source(flagC, returns(False)))}
			},
			Request{Read: flagA, Matters: func(Facts) Flags { return flagA }}, "ACA", NewFacts(0, flagA|flagC), ""},
		{"no input of a flag that is known",
			func(a *callRecorder) []Source {
				return []Source{
					from(flagB, a.source(flagA, either(flagB, flagB))),
					from(flagC, a.source(flagB, either(flagC, flagC))), a.source(flagC, returns(True)),
				}
			},
			Request{Read: flagA, Known: NewFacts(flagB, 0)}, "A", NewFacts(flagA|flagB, 0), ""},
		{"no slow input of a flag that failed",
			func(a *callRecorder) []Source {
				return []Source{from(flagB, a.source(flagA, fails(gone))), slow(a.source(flagB, returns(True)))}
			},
			Request{Read: flagA}, "A", Facts{}, "flag A is unknown: gone"},
		{"a slow flag after the cheap one that waits for another slow one",
			func(a *callRecorder) []Source {
				return []Source{
					slow(from(flagB, a.source(flagA, either(flagB, flagB)))),
					from(flagC, a.source(flagB, either(flagC, flagC))), slow(a.source(flagC, returns(True))),
				}
			},
			Request{Read: flagA}, "BCBA", NewFacts(abc, 0), ""},
		{"a chain that waits for one slow input, in order",
			func(a *callRecorder) []Source {
				return []Source{
					from(flagB, a.source(flagA, either(flagB, flagB))),
					from(flagC, a.source(flagB, either(flagC, flagC))), slow(a.source(flagC, returns(False))),
				}
			},
			Request{Read: flagA}, "BACBA", NewFacts(0, abc), ""},

		{"an error loses nothing else",
			func(a *callRecorder) []Source {
				return []Source{slow(a.source(flagA, fails(gone))), a.source(flagB, returns(True))}
			},
			Request{Read: flagA | flagB}, "BA", NewFacts(flagB, 0), "flag A is unknown: gone"},
		{"an error takes precedence over a value",
			func(a *callRecorder) []Source {
				return []Source{a.source(flagA, func(context.Context, Facts) (Truth, error) { return True, gone })}
			},
			Request{Read: flagA}, "A", Facts{}, "flag A is unknown: gone"},
		{"a flag with a failed input that it does not need",
			func(a *callRecorder) []Source {
				return []Source{
					from(flagB|flagC, a.source(flagA, either(flagB, flagC))), a.source(flagB, fails(gone)),
					slow(a.source(flagC, returns(True))),
				}
			},
			Request{Read: flagA}, "BACA", NewFacts(flagA|flagC, 0), "flag B is unknown: gone"},
		{"a flag with a failed input that it needs",
			func(a *callRecorder) []Source {
				return []Source{
					from(flagB|flagC, a.source(flagA, either(flagB, flagC))), a.source(flagB, fails(gone)),
					slow(a.source(flagC, returns(False))),
				}
			},
			Request{Read: flagA}, "BACA", NewFacts(0, flagC),
			"flag A is unknown: it is computed from B, which is unknown\nflag B is unknown: gone"},
		{"an invalid value",
			func(a *callRecorder) []Source { return []Source{a.source(flagA, returns(7))} },
			Request{Read: flagA}, "A", Facts{},
			"flag A is unknown: its source returned the value 7, which is not a Truth; let it return True, False or Unknown"},
		{"a panic",
			func(a *callRecorder) []Source {
				return []Source{a.source(flagA, func(context.Context, Facts) (Truth, error) { panic("oh") })}
			},
			Request{Read: flagA}, "A", Facts{}, "flag A is unknown: panic: oh"},
		{"nothing to evaluate", func(a *callRecorder) []Source { return nil }, Request{}, "", Facts{}, ""},
	} {
		t.Run(c.about, func(t *testing.T) {
			var a callRecorder
			evaluation := sources(t, c.sources(&a)...).Evaluate(context.Background(), c.request)
			assert.Equal(t, c.order, a.names())
			assert.Equal(t, c.facts, evaluation.Facts)
			if c.errs == "" {
				assert.NoError(t, evaluation.Err())
			} else {
				assert.EqualError(t, evaluation.Err(), c.errs)
			}
			var want Flags
			for _, name := range a.order {
				flag, _ := sixFlags.Lookup(name)
				want |= flag
			}
			assert.Equal(t, want, evaluation.Evaluated)
		})
	}
}

func TestEvaluateErrorsHaveTypes(t *testing.T) {
	gone := errors.New("gone")
	evaluation := sources(t,
		Source{Flag: flagA, Evaluate: fails(gone)},
		Source{Flag: flagB, Evaluate: func(context.Context, Facts) (Truth, error) { panic(gone) }},
		Source{Flag: flagC, Inputs: flagA, Evaluate: either(flagA, flagA)},
	).Evaluate(context.Background(), Request{Read: abc})
	require.Len(t, evaluation.Errors, 3)
	for i, name := range []string{"A", "B", "C"} {
		assert.Equal(t, name, evaluation.Errors[i].Flag, "in the order of the vocabulary")
	}
	require.ErrorIs(t, evaluation.Errors[0], gone)
	var panicked *PanicError
	require.ErrorAs(t, evaluation.Errors[1], &panicked)
	assert.Contains(t, string(panicked.Stack), "evaluate_test.go", "the stack leads to the source")
	require.ErrorIs(t, evaluation.Errors[1], gone)
	var input *UnknownInputError
	require.ErrorAs(t, evaluation.Err(), &input)
	assert.Equal(t, []string{"A"}, input.Inputs)
}

// Each source waits until all of them have been called: one after the other, they would
// wait forever.
func TestEvaluateCallsIndependentSourcesAtTheSameTime(t *testing.T) {
	for about, mark := range map[string]func(Source) Source{"cheap": func(s Source) Source { return s }, "slow": slow} {
		t.Run(about, func(t *testing.T) {
			var barrier sync.WaitGroup
			barrier.Add(3)
			meet := func(context.Context, Facts) (Truth, error) {
				barrier.Done()
				barrier.Wait()
				return True, nil
			}
			evaluation := sources(t,
				mark(Source{Flag: flagA, Evaluate: meet}),
				mark(Source{Flag: flagB, Evaluate: meet}),
				mark(Source{Flag: flagC, Evaluate: meet}),
			).Evaluate(context.Background(), Request{Read: abc})
			assert.Equal(t, NewFacts(abc, 0), evaluation.Facts)
		})
	}
}

func TestSequentialCallsOneSourceAtATime(t *testing.T) {
	var calls callRecorder
	var running atomic.Int32
	alone := func(context.Context, Facts) (Truth, error) {
		assert.EqualValues(t, 1, running.Add(1))
		time.Sleep(time.Millisecond)
		running.Add(-1)
		return True, nil
	}
	concurrent := sources(t,
		slow(calls.source(flagA, alone)),
		from(flagA|flagD, calls.source(flagB, alone)),
		slow(calls.source(flagC, alone)),
		calls.source(flagD, alone),
		calls.source(flagE, alone),
		slow(calls.source(flagF, alone)),
	)
	s := concurrent.Sequential()
	evaluation := s.Evaluate(t.Context(), Request{Read: sixFlags.All(), Matters: func(known Facts) Flags {
		if known.Of(flagC) == True { // F no longer matters
			return 0
		}
		return sixFlags.All()
	}})
	require.NoError(t, evaluation.Err())
	assert.Equal(t, "DBEAC", calls.names(), "the result of one slow source may make the next unnecessary")
	assert.Equal(t, sixFlags.All()&^flagF, evaluation.Facts.True())
	assert.Equal(t, concurrent.Flags(), s.Flags())
	assert.False(t, concurrent.sequential, "the sources given are not changed")
	assert.Nil(t, (*Sources)(nil).Sequential())
}

func TestEvaluateWithAContextThatIsDoneCallsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var a callRecorder
	evaluation := sources(t,
		a.source(flagA, returns(True)), slow(a.source(flagB, returns(True))), from(flagA, a.source(flagC, either(flagA, flagA))),
	).Evaluate(ctx, Request{Read: abc, Known: NewFacts(flagD, 0)})
	assert.Empty(t, a.order)
	assert.Zero(t, evaluation.Evaluated)
	assert.Equal(t, NewFacts(flagD, 0), evaluation.Facts, "known flags are kept")
	require.Len(t, evaluation.Errors, 3)
	for _, err := range evaluation.Errors {
		require.ErrorIs(t, err, context.Canceled)
	}
	assert.EqualError(t, evaluation.Errors[0], "flag A is unknown: not evaluated: context canceled")
}

func TestEvaluateStopsAtItsTimeout(t *testing.T) {
	var a callRecorder
	waits := func(ctx context.Context, _ Facts) (Truth, error) {
		_, bounded := ctx.Deadline()
		assert.True(t, bounded)
		<-ctx.Done()
		return Unknown, context.Cause(ctx)
	}
	evaluation := sources(t,
		a.source(flagA, waits), from(flagB, a.source(flagC, either(flagB, flagB))), slow(a.source(flagB, returns(True))),
	).Evaluate(context.Background(), Request{Read: abc, Timeout: time.Millisecond})
	assert.NotContains(t, a.order, "B", "it is too late for the slow one")
	assert.Zero(t, evaluation.Facts)
	assert.Zero(t, evaluation.LeftBehind, "a source that returns when its context is done is not left behind")
	require.Len(t, evaluation.Errors, 3, "every flag is reported, including the one that waits for B")
	for _, err := range evaluation.Errors {
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
}

// A test with a fake clock waits for no timeout.
func TestEvaluateStopsAtTheTimeoutOfTheCallersClock(t *testing.T) {
	var timeouts []time.Duration
	late := func(ctx context.Context, _ Facts) (Truth, error) { return Unknown, ctx.Err() }
	evaluation := sources(t, Source{Flag: flagA, Evaluate: late}).
		Evaluate(context.Background(), Request{Read: flagA, Timeout: time.Hour,
			WithTimeout: func(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
				timeouts = append(timeouts, d)
				return context.WithDeadline(parent, time.Unix(0, 0)) // it has passed
			}})
	assert.Equal(t, []time.Duration{time.Hour}, timeouts)
	require.Len(t, evaluation.Errors, 1)
	require.ErrorIs(t, evaluation.Errors[0], context.DeadlineExceeded)
}

func TestUnknownInputErrorNamesTheInputs(t *testing.T) {
	for want, inputs := range map[string][]string{
		"it is computed from A, which is unknown":        {"A"},
		"it is computed from A and B, which are unknown": {"A", "B"},
	} {
		require.EqualError(t, &UnknownInputError{Inputs: inputs}, want)
	}
}

func TestEvaluateIsCanceledHalfWay(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	var a callRecorder
	evaluation := sources(t,
		a.source(flagA, func(context.Context, Facts) (Truth, error) { cancel(); return True, nil }),
		slow(a.source(flagB, returns(True))),
	).Evaluate(ctx, Request{Read: flagA | flagB})
	assert.Equal(t, "A", a.names())
	assert.Equal(t, NewFacts(flagA, 0), evaluation.Facts, "a result that arrived counts")
	assert.Equal(t, flagA, evaluation.Evaluated)
	assert.EqualError(t, evaluation.Err(), "flag B is unknown: not evaluated: context canceled")
}

// A source that calls t.FailNow, or runtime.Goexit, ends its goroutine, which
// is never the caller's.
func TestEvaluateReportsASourceThatEndsItsGoroutine(t *testing.T) {
	exits := func(context.Context, Facts) (Truth, error) { runtime.Goexit(); return True, nil }
	for _, c := range []struct {
		about   string
		sources []Source
		facts   Facts
	}{
		{"alone", []Source{{Flag: flagA, Evaluate: exits}}, Facts{}},
		{"alone and slow", []Source{slow(Source{Flag: flagA, Evaluate: exits})}, Facts{}},
		{"beside another", []Source{{Flag: flagA, Evaluate: exits}, {Flag: flagB, Evaluate: returns(True)}}, NewFacts(flagB, 0)},
	} {
		t.Run(c.about, func(t *testing.T) {
			var evaluation Evaluation
			returned := false
			var caller sync.WaitGroup
			caller.Add(1)
			go func() {
				defer caller.Done()
				evaluation = sources(t, c.sources...).Evaluate(context.Background(), Request{Read: flagA | flagB})
				returned = true
			}()
			caller.Wait()
			require.True(t, returned, "the goroutine of the caller continues")
			assert.Equal(t, c.facts, evaluation.Facts)
			assert.Zero(t, evaluation.NotYet)
			assert.EqualError(t, evaluation.Err(),
				"flag A is unknown: its source ended its goroutine without a result; let it return an error")
		})
	}
}

// Each row is a graph of sources: D is computed from B and C, and these from A.
func TestEvaluateDistinguishesNotYetFromFailures(t *testing.T) {
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
		{"one flag", []Source{{Flag: flagA, Evaluate: returns(Unknown)}}, Facts{}, flagA, nil},
		{"one slow flag", []Source{slow(Source{Flag: flagA, Evaluate: returns(Unknown)})}, Facts{}, flagA, nil},
		{"beside a known one",
			[]Source{{Flag: flagA, Evaluate: returns(Unknown)}, {Flag: flagB, Evaluate: returns(False)}}, NewFacts(0, flagB), flagA, nil},
		{"beside one that fails", []Source{{Flag: flagA, Evaluate: returns(Unknown)}, {Flag: flagB, Evaluate: fails(gone)}}, Facts{}, flagA,
			[]string{"flag B is unknown: gone"}},
		{"an error takes precedence", []Source{{Flag: flagA, Evaluate: fails(gone)}}, Facts{}, 0, []string{"flag A is unknown: gone"}},
		{"a chain that is not yet known",
			[]Source{{Flag: flagA, Evaluate: returns(Unknown)}, computed(flagB, flagA), computed(flagD, flagB)},
			Facts{}, flagA | flagB | flagD, nil},
		{"a chain on a slow flag that is not yet known",
			[]Source{slow(Source{Flag: flagA, Evaluate: returns(Unknown)}), computed(flagB, flagA), slow(computed(flagD, flagB))},
			Facts{}, flagA | flagB | flagD, nil},
		{"a chain on a failure", []Source{{Flag: flagA, Evaluate: fails(gone)}, computed(flagB, flagA), computed(flagD, flagB)}, Facts{}, 0,
			[]string{
				"flag A is unknown: gone",
				"flag B is unknown: it is computed from A, which is unknown",
				"flag D is unknown: it is computed from B, which is unknown",
			}},
		{"a chain whose middle has all its inputs, and is not yet known",
			[]Source{{Flag: flagA, Evaluate: returns(False)}, {Flag: flagB, Inputs: flagA, Evaluate: returns(Unknown)}, computed(flagD, flagB)},
			NewFacts(0, flagA), flagB | flagD, nil},
		{"a chain whose middle fails on a flag that is not yet known",
			[]Source{{Flag: flagA, Evaluate: returns(Unknown)}, {Flag: flagB, Inputs: flagA, Evaluate: fails(gone)}, computed(flagD, flagB)}, Facts{}, flagA,
			[]string{"flag B is unknown: gone", "flag D is unknown: it is computed from B, which is unknown"}},
		{"a diamond on a flag that is not yet known",
			[]Source{{Flag: flagA, Evaluate: returns(Unknown)}, computed(flagB, flagA), computed(flagC, flagA), computed(flagD, flagB|flagC)},
			Facts{}, flagA | flagB | flagC | flagD, nil},
		{"a diamond with one side known",
			[]Source{{Flag: flagA, Evaluate: returns(Unknown)}, computed(flagB, flagA), {Flag: flagC, Evaluate: returns(False)}, computed(flagD, flagB|flagC)},
			NewFacts(0, flagC), flagA | flagB | flagD, nil},
		{"a diamond that one side settles",
			[]Source{{Flag: flagA, Evaluate: returns(Unknown)}, computed(flagB, flagA), {Flag: flagC, Evaluate: returns(True)}, computed(flagD, flagB|flagC)},
			NewFacts(flagC|flagD, 0), flagA | flagB, nil},
		{"a diamond of which one side fails",
			[]Source{{Flag: flagA, Evaluate: returns(Unknown)}, computed(flagB, flagA), {Flag: flagC, Evaluate: fails(gone)}, computed(flagD, flagB|flagC)},
			Facts{}, flagA | flagB,
			[]string{"flag C is unknown: gone", "flag D is unknown: it is computed from C, which is unknown"}},
	} {
		t.Run(c.about, func(t *testing.T) {
			evaluation := sources(t, c.sources...).Evaluate(context.Background(), Request{Read: sixFlags.All()})
			assert.Equal(t, c.facts, evaluation.Facts)
			assert.Equal(t, sixFlags.Names(c.notYet), sixFlags.Names(evaluation.NotYet))
			var errs []string
			for _, err := range evaluation.Errors {
				errs = append(errs, err.Error())
			}
			assert.Equal(t, c.errs, errs)
		})
	}
}

// A flag that waits for a flag that does not matter is neither "not yet" nor an error.
func TestEvaluateReportsNotYetOnlyForEvaluatedFlags(t *testing.T) {
	evaluation := sources(t,
		Source{Flag: flagA, Inputs: flagB, Evaluate: either(flagB, flagB)}, slow(Source{Flag: flagB, Evaluate: returns(Unknown)}),
	).Evaluate(context.Background(), Request{Read: flagA, Matters: func(Facts) Flags { return 0 }})
	assert.Equal(t, Evaluation{Evaluated: flagA}, evaluation)
}

func TestSourcesFlags(t *testing.T) {
	var none *Sources
	assert.Zero(t, none.Flags())
	assert.Zero(t, sources(t).Flags())
	assert.Equal(t, flagB|flagD, sources(t,
		Source{Flag: flagD, Evaluate: returns(True)}, slow(Source{Flag: flagB, Inputs: flagD, Evaluate: returns(True)}),
	).Flags())
}

func TestSourceOf(t *testing.T) {
	evaluation := sources(t, SourceOf(flagA, True), SourceOf(flagB, False), SourceOf(flagC, Unknown)).
		Evaluate(context.Background(), Request{Read: abc})
	assert.Equal(t, Evaluation{Facts: NewFacts(flagA, flagB), Evaluated: abc, NotYet: flagC}, evaluation)
}

func TestSourcesAndContextMayBeNil(t *testing.T) {
	var none *Sources
	assert.Nil(t, none.Vocabulary())
	assert.Empty(t, none.All())
	assert.Equal(t, Evaluation{Facts: NewFacts(flagA, 0)},
		none.Evaluate(context.Background(), Request{Known: NewFacts(flagA, 0), Read: abc}))
	assert.Equal(t, Evaluation{}, new(Sources).Evaluate(context.Background(), Request{Read: abc}))

	var noContext context.Context
	source := Source{Flag: flagA, Evaluate: func(ctx context.Context, _ Facts) (Truth, error) { return True, ctx.Err() }}
	evaluation := sources(t, source).Evaluate(noContext, Request{Read: abc})
	assert.Equal(t, NewFacts(flagA, 0), evaluation.Facts)
}

// Matters belongs to the caller: its panic surfaces in the goroutine of the caller,
// which can recover it.
func TestEvaluateLetsAPanicOfMattersThrough(t *testing.T) {
	s := sources(t, Source{Flag: flagA, Evaluate: returns(True)})
	assert.PanicsWithValue(t, "oh", func() {
		s.Evaluate(context.Background(), Request{Read: flagA, Matters: func(Facts) Flags { panic("oh") }})
	})
}

func TestSourcesAreSafeForConcurrentUse(t *testing.T) {
	s := sources(t,
		Source{Flag: flagA, Evaluate: returns(True)}, Source{Flag: flagB, Inputs: flagA, Evaluate: either(flagA, flagA)},
		slow(Source{Flag: flagC, Evaluate: returns(False)}),
	)
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

// some returns a random set that has each flag with a probability of one in n.
func some(r *rand.Rand, n int) (set Flags) {
	for flag := range sixFlags.All().Each {
		if r.Intn(n) == 0 {
			set |= flag
		}
	}
	return set
}

// randomSources are sources of six flags, half of them computed from random others.
type randomSources struct {
	truth, failing, notYet Flags
	inputs                 map[Flags]Flags

	mu    sync.Mutex
	calls map[Flags][]Facts // the known facts of each call
}

// list returns the sources in random order.
func (s *randomSources) list(r *rand.Rand) (list []Source) {
	for flag := range sixFlags.All().Each {
		inputs := Flags(r.Intn(64)) & (flag - 1) // only lower bits: no circles
		if r.Intn(2) == 0 {
			inputs = 0
		}
		s.inputs[flag] = inputs
		list = append(list, Source{Flag: flag, Inputs: inputs, Slow: r.Intn(3) == 0, Evaluate: s.evaluate(flag, inputs)})
	}
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

func (s *randomSources) evaluate(flag, inputs Flags) func(context.Context, Facts) (Truth, error) {
	return func(_ context.Context, known Facts) (Truth, error) {
		s.mu.Lock()
		s.calls[flag] = append(s.calls[flag], known)
		s.mu.Unlock()
		switch {
		case s.failing.Has(flag):
			return Unknown, errors.New("failing")
		case s.notYet.Has(flag):
			return Unknown, nil
		case inputs == 0:
			return TruthOf(s.truth.Has(flag)), nil
		}
		return Guard{Any: inputs}.Eval(known), nil
	}
}

// needed returns the unknown flags among read, and all that they are computed from.
func (s *randomSources) needed(read Flags, known Facts) Flags {
	needed := read &^ known.Known()
	for range sixFlags.Len() {
		for flag := range needed.Each {
			needed |= s.inputs[flag] &^ known.Known()
		}
	}
	return needed
}

// expected computes the flags one by one, lowest bit first, which needs no order of
// evaluation.
func (s *randomSources) expected(known Facts) (facts Facts, notYet, reported Flags) {
	facts = known
	for flag := range (sixFlags.All() &^ known.Known()).Each {
		inputs := s.inputs[flag]
		value := TruthOf(s.truth.Has(flag))
		if inputs != 0 {
			value = Guard{Any: inputs}.Eval(facts)
		}
		switch {
		case s.failing.Has(flag):
			reported |= flag
		case !s.notYet.Has(flag) && value != Unknown:
			facts = facts.Set(flag, value)
		case inputs&reported != 0:
			reported |= flag
		default:
			notYet |= flag
		}
	}
	return facts, notYet, reported
}

// requireFewCalls requires that a source is called again only with more of its inputs
// known, or settled, than before.
func (s *randomSources) requireFewCalls(t *testing.T, seed int64, settled Flags) {
	t.Helper()
	for flag, calls := range s.calls {
		for i := 1; i < len(calls); i++ {
			more := calls[i].Known() &^ calls[i-1].Known() & s.inputs[flag]
			require.True(t, more != 0 || settled&s.inputs[flag] != 0,
				"seed %d: %s is evaluated again without new inputs", seed, sixFlags.Names(flag))
		}
		if s.inputs[flag] == 0 || s.failing.Has(flag) {
			require.Len(t, calls, 1, "seed %d: %s", seed, sixFlags.Names(flag))
		}
	}
}

// For random sources, every flag that is read is found, reported, or "not yet", as
// computing the flags one by one determines. Only needed flags are evaluated.
func TestEvaluateHoldsForRandomSources(t *testing.T) {
	for seed := range int64(6000) {
		r := rand.New(rand.NewSource(seed))
		random := &randomSources{
			truth: Flags(r.Intn(64)), failing: some(r, 8), notYet: some(r, 6),
			inputs: make(map[Flags]Flags), calls: make(map[Flags][]Facts),
		}
		s := sources(t, random.list(r)...)
		read := Flags(r.Intn(64))
		known := NewFacts(some(r, 4), some(r, 4))
		if seed%2 == 1 {
			s = s.Sequential()
		}
		evaluation := s.Evaluate(context.Background(), Request{Known: known, Read: read})

		reported := flagsOf(evaluation.Errors)
		facts, wantNotYet, wantReported := random.expected(known)
		require.Equal(t, facts.True()&read, evaluation.Facts.True()&read, "seed %d: read and true", seed)
		require.Equal(t, facts.False()&read, evaluation.Facts.False()&read, "seed %d: read and false", seed)
		require.Equal(t, wantNotYet&read, evaluation.NotYet&read, "seed %d: read and not yet known", seed)
		require.Equal(t, wantReported&read, reported&read, "seed %d: read and reported", seed)
		found := evaluation.Facts.Known()
		require.Zero(t, found&reported|found&evaluation.NotYet|reported&evaluation.NotYet, "seed %d: a flag is one of the three", seed)
		require.Zero(t, evaluation.LeftBehind, "seed %d", seed)
		require.True(t, evaluation.Facts.True().Has(known.True()), "seed %d: known flags stay true", seed)
		require.True(t, evaluation.Facts.False().Has(known.False()), "seed %d: known flags stay false", seed)
		require.Zero(t, evaluation.Evaluated&^random.needed(read, known), "seed %d: only needed flags are evaluated", seed)
		for flag := range random.calls {
			require.True(t, evaluation.Evaluated.Has(flag), "seed %d", seed)
		}
		random.requireFewCalls(t, seed, reported|evaluation.NotYet)
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
		{"an error leaves it unknown, whatever the value", true, broken, Unknown},
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
	s, err := NewSources(v,
		Source{Flag: c, Inputs: b, Evaluate: yes}, Source{Flag: b, Inputs: a, Evaluate: yes},
		Source{Flag: a, Evaluate: yes}, Source{Flag: d, Evaluate: yes},
	)
	require.NoError(t, err)
	for from, want := range map[Flags]Flags{0: 0, a: b | c, b: c, c: 0, d: 0, a | d: b | c, b | a: b | c} {
		assert.Equal(t, want, s.Computed(from), "from %v", v.Names(from))
	}
	assert.Zero(t, (*Sources)(nil).Computed(a))
}
