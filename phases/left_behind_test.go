package phases

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stuck makes sources that cancel their context, made by untilCalled, when they are
// called, and then ignore it. They return once released, at the latest at the end of
// the test.
type stuck struct {
	free  chan struct{}
	once  sync.Once
	calls atomic.Int32
	out   sync.WaitGroup
}

func newStuck(t *testing.T) *stuck {
	s := &stuck{free: make(chan struct{})}
	t.Cleanup(s.release)
	return s
}

func (s *stuck) source(flag Flags, evaluate func(context.Context, Facts) (Truth, error)) Source {
	return Source{Flag: flag, Evaluate: func(ctx context.Context, known Facts) (Truth, error) {
		s.calls.Add(1)
		s.out.Add(1)
		defer s.out.Done()
		if cancel, ok := ctx.Value(cancelKey{}).(context.CancelFunc); ok {
			cancel()
		}
		<-s.free
		return evaluate(ctx, known)
	}}
}

type cancelKey struct{}

func untilCalled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	return context.WithValue(ctx, cancelKey{}, cancel)
}

// release lets the calls return, and future calls return at once.
func (s *stuck) release() {
	s.once.Do(func() { close(s.free) })
	s.out.Wait()
}

// waitForAll waits until every source that was left behind has returned.
func waitForAll(l *LeftBehind) {
	for l.Flags() != 0 {
		runtime.Gosched()
	}
}

func TestEvaluateLeavesBehindASourceThatIgnoresItsContext(t *testing.T) {
	since := time.Date(2025, 3, 4, 5, 6, 7, 0, time.UTC)
	onDone := func(ctx context.Context, _ Facts) (Truth, error) { <-ctx.Done(); return True, nil }
	for _, c := range []struct {
		about   string
		sources func(*stuck) []Source
		behind  Flags
		known   Flags
		errs    Flags
	}{
		{"alone", func(s *stuck) []Source { return []Source{s.source(flagA, returns(True))} }, flagA, 0, flagA},
		{"alone and slow", func(s *stuck) []Source { return []Source{slow(s.source(flagA, returns(True)))} }, flagA, 0, flagA},
		{"two of them", func(s *stuck) []Source {
			return []Source{s.source(flagA, returns(True)), s.source(flagC, returns(True))}
		}, flagA | flagC, 0, flagA | flagC},
		{"beside one that returns", func(s *stuck) []Source {
			return []Source{s.source(flagA, returns(True)), {Flag: flagB, Evaluate: returns(True)}}
		}, flagA, flagB, flagA},
		{"beside one that returns when its context is done", func(s *stuck) []Source {
			return []Source{s.source(flagA, returns(True)), {Flag: flagB, Evaluate: onDone}}
		}, flagA, flagB, flagA},
		{"before a flag that is computed from it, and a slow one", func(s *stuck) []Source {
			return []Source{
				s.source(flagA, returns(True)), from(flagA, Source{Flag: flagB, Evaluate: either(flagA, flagA)}),
				slow(Source{Flag: flagC, Evaluate: returns(True)}),
			}
		}, flagA, 0, abc},
		{"in the end without a value", func(s *stuck) []Source { return []Source{s.source(flagA, returns(Unknown))} }, flagA, 0, flagA},
		{"in the end with an error", func(s *stuck) []Source { return []Source{s.source(flagA, fails(errors.New("late")))} }, flagA, 0, flagA},
		{"in the end with a panic", func(s *stuck) []Source {
			return []Source{s.source(flagA, func(context.Context, Facts) (Truth, error) { panic("late") })}
		}, flagA, 0, flagA},
		{"in the end of its goroutine", func(s *stuck) []Source {
			return []Source{s.source(flagA, func(context.Context, Facts) (Truth, error) { runtime.Goexit(); return True, nil })}
		}, flagA, 0, flagA},
	} {
		t.Run(c.about, func(t *testing.T) {
			st := newStuck(t)
			all := sources(t, c.sources(st)...)
			var left LeftBehind
			q := Request{Read: abc, LeftBehind: &left, Now: func() time.Time { return since }}

			first := all.Evaluate(untilCalled(), q) // does not wait forever
			assert.Equal(t, c.behind, first.LeftBehind)
			assert.Equal(t, c.behind, left.Flags())
			assert.Equal(t, c.known, first.Facts.Known())
			assert.Zero(t, first.NotYet)
			assert.Equal(t, c.errs, flagsOf(first.Errors))
			for _, err := range first.Errors {
				flag, _ := sixFlags.Lookup(err.Flag)
				var behind *LeftBehindError
				require.Equal(t, c.behind.Has(flag), errors.As(err, &behind), "%v", err)
				require.ErrorIs(t, err, context.Canceled)
				if behind != nil {
					require.Equal(t, LeftBehindError{Since: since, Err: context.Canceled}, *behind)
				}
			}

			calls := st.calls.Load()
			q.Known, q.Now = first.Facts, nil
			second := all.Evaluate(context.Background(), q)
			assert.Equal(t, calls, st.calls.Load(), "it is not evaluated while it has not returned")
			assert.Zero(t, second.Evaluated&c.behind)
			assert.Zero(t, second.LeftBehind, "it is left behind only once")
			for _, err := range second.Errors {
				flag, _ := sixFlags.Lookup(err.Flag)
				if c.behind.Has(flag) {
					require.EqualError(t, err, "flag "+err.Flag+" is unknown: its source has not returned since 2025-03-04T05:06:07Z "+
						"although its context is done (context canceled); let it return when the context is done")
				}
			}

			st.release()
			waitForAll(&left)
			assert.Equal(t, c.known, first.Facts.Known(), "the late result is dropped")
			third := all.Evaluate(context.Background(), q)
			assert.Equal(t, 2*calls, st.calls.Load(), "it is evaluated again once it has returned")
			assert.True(t, third.Evaluated.Has(c.behind))
			assert.Zero(t, third.LeftBehind)
		})
	}
}

func flagsOf(errs []*FlagError) (flags Flags) {
	for _, err := range errs {
		flag, _ := sixFlags.Lookup(err.Flag)
		flags |= flag
	}
	return flags
}

// A flag is not reported as "not yet" while its input is left behind.
func TestEvaluateWaitsForNothingThatIsBehind(t *testing.T) {
	st := newStuck(t)
	all := sources(t,
		st.source(flagA, returns(True)), from(flagA, Source{Flag: flagB, Evaluate: either(flagA, flagA)}),
		slow(Source{Flag: flagC, Evaluate: returns(True)}),
	)
	var left LeftBehind
	all.Evaluate(untilCalled(), Request{Read: flagA, LeftBehind: &left})

	evaluation := all.Evaluate(context.Background(), Request{Read: abc, LeftBehind: &left})
	assert.Equal(t, NewFacts(flagC, 0), evaluation.Facts, "flags that do not depend on it are found")
	assert.Zero(t, evaluation.NotYet)
	assert.Equal(t, flagB|flagC, evaluation.Evaluated)
	require.Len(t, evaluation.Errors, 2)
	var input *UnknownInputError
	require.ErrorAs(t, evaluation.Errors[1], &input)
	assert.Equal(t, []string{"A"}, input.Inputs)
	st.release()
	waitForAll(&left)
}

func TestEvaluateWithoutLeftBehindCallsAgain(t *testing.T) {
	st := newStuck(t)
	all := sources(t, st.source(flagA, returns(True)))
	for n := range int32(3) {
		evaluation := all.Evaluate(untilCalled(), Request{Read: flagA})
		assert.Equal(t, flagA, evaluation.LeftBehind)
		assert.Equal(t, n+1, st.calls.Load())
	}
	var none *LeftBehind
	assert.Zero(t, none.Flags())
}

// Requests of several goroutines may leave the same source behind; it is called again
// once the last call has returned.
func TestLeftBehindIsSafeForConcurrentUse(t *testing.T) {
	st := newStuck(t)
	all := sources(t, st.source(flagA, returns(True)), Source{Flag: flagB, Evaluate: returns(True)})
	var left LeftBehind
	var done sync.WaitGroup
	var behind atomic.Int32
	for range 8 {
		done.Add(1)
		go func() {
			defer done.Done()
			for range 3 {
				evaluation := all.Evaluate(untilCalled(), Request{Read: flagA | flagB, LeftBehind: &left})
				behind.Add(int32(evaluation.LeftBehind.Len()))
				assert.Zero(t, evaluation.Facts.Known()&flagA)
			}
		}()
	}
	done.Wait()
	assert.Equal(t, st.calls.Load(), behind.Load(), "each call is counted as left behind")
	assert.LessOrEqual(t, st.calls.Load(), int32(8))
	assert.Equal(t, flagA, left.Flags())
	st.release()
	waitForAll(&left)
	assert.Equal(t, NewFacts(flagA|flagB, 0), all.Evaluate(context.Background(), Request{Read: flagA | flagB, LeftBehind: &left}).Facts)
}
