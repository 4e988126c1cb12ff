package machine_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// settling decides A in its first phase; D is computed from A.
var settling = phases.Itinerary{Name: "Settling", Vocabulary: four, Phases: []phases.Phase{
	{Name: "Scan", Step: "S", Decides: flagA},
	{Name: "OnA", Step: "S", Guard: all(flagA)},
	{Name: "Wait", Step: "S"},
	{Name: "OnB", Step: "S", Guard: all(flagB)},
	{Name: "OnD", Step: "S", Guard: all(flagD)},
	{Name: "End", End: true},
}}

// object is the fixture that the sources read.
type object struct {
	values phases.Facts
	broken map[phases.Flags]error
	asked  []string
	now    time.Time
	failed error
}

func (o *object) options() machine.SettleOptions {
	return machine.SettleOptions{
		Now: func() time.Time { return o.now },
		Sources: func(context.Context) (*phases.Sources, error) {
			if o.failed != nil {
				return nil, o.failed
			}
			var sources []phases.Source
			for flag := range (flagA | flagB | flagD).Each {
				s := phases.Source{Flag: flag, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
					o.asked = append(o.asked, four.Names(flag)[0])
					return o.values.Of(flag), o.broken[flag]
				}}
				if flag == flagD {
					s.Inputs = flagA
				}
				sources = append(sources, s)
			}
			s, err := phases.NewSources(four, sources...)
			return s.Sequential(), err
		},
	}
}

// settleThrough settles until an error or the end, and finishes each phase. After each step it
// resumes from the checkpoint.
func settleThrough(t *testing.T, set *machine.Set, c machine.Checkpoint, o *object) ([]string, machine.Checkpoint, error) {
	t.Helper()
	var entered []string
	for {
		m, err := set.Resume(c, "Settling")
		require.NoError(t, err)
		m.Finish()
		s, err := m.Settle(context.Background(), o.options())
		c = m.Checkpoint()
		if err != nil {
			return entered, c, err
		}
		require.True(t, s.Moved)
		require.Equal(t, s.Transition.To, m.Position())
		entered = append(entered, c.Phase)
		if c.Done {
			return entered, c, nil
		}
	}
}

// Each flag is evaluated once. The flags that a phase decides are evaluated again after it, with
// the flags computed from them.
func TestSettle(t *testing.T) {
	set := machine.MustCompileSet(settling)
	o := &object{values: facts(flagA | flagD)}
	entered, c, err := settleThrough(t, set, machine.Checkpoint{}, o)
	require.NoError(t, err)
	assert.Equal(t, []string{"Scan", "OnA", "Wait", "OnD", "End"}, entered)
	assert.Equal(t, []string{"A", "B", "D", "A", "D"}, o.asked)
	assert.Equal(t, []string{"A", "D"}, c.Facts.True)
	m, err := set.Resume(c, "Settling")
	require.NoError(t, err)
	_, err = m.Settle(context.Background(), o.options())
	assert.ErrorIs(t, err, machine.ErrDone)
}

// At the start a run waits for the flags that its plan depends on, and evaluates all of them again;
// later it waits only for those that the next transition depends on.
func TestSettleWaits(t *testing.T) {
	set := machine.MustCompileSet(settling)
	down := errors.New("the API server is down")
	o := &object{values: facts(flagA), broken: map[phases.Flags]error{flagB: down}}
	_, c, err := settleThrough(t, set, machine.Checkpoint{}, o)
	var unknown *machine.UnknownFlagsError
	require.ErrorAs(t, err, &unknown)
	require.ErrorIs(t, err, down)
	assert.Equal(t, []string{"B"}, unknown.Flags)
	assert.Empty(t, c.Phase)
	assert.Empty(t, c.Facts.True, "the object may still change before the run begins")

	// A flag that a phase ahead decides does not delay the start.
	o.broken = map[phases.Flags]error{flagA: down}
	entered, c, err := settleThrough(t, set, machine.Checkpoint{}, o)
	require.ErrorAs(t, err, &unknown)
	assert.Equal(t, []string{"A"}, unknown.Flags)
	assert.Equal(t, []string{"Scan"}, entered)
	assert.True(t, c.WorkDone, "the work is not repeated")
	o.broken, o.asked = nil, nil
	entered, _, err = settleThrough(t, set, c, o)
	require.NoError(t, err)
	assert.Equal(t, []string{"OnA", "Wait", "End"}, entered)
	assert.Equal(t, []string{"A", "D"}, o.asked)
}

// A flag that stayed unknown and that nothing depends on now is evaluated at most once a minute.
func TestSettleReevaluatesOnceAMinute(t *testing.T) {
	set := machine.MustCompileSet(settling)
	g, err := set.Graph("Settling")
	require.NoError(t, err)
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for after, want := range map[time.Duration]int{0: 0, 59 * time.Second: 0, time.Minute: 1} {
		o := &object{values: facts(0), broken: map[phases.Flags]error{flagB: errors.New("down")}, now: begin}
		m, err := g.NewMachine(machine.Position{Phase: "Scan"}, phases.NewFacts(0, 0))
		require.NoError(t, err)
		m.Finish()
		_, err = m.Settle(context.Background(), o.options())
		require.NoError(t, err)
		assert.Equal(t, "Wait", m.Position().Phase, "A is false")
		at := *m.Checkpoint().FlagsEvaluated
		assert.True(t, begin.Equal(at.Time))

		c := m.Checkpoint()
		c.Phase = "OnA" // the phase after it does not depend on B
		r, err := set.Resume(c, "Settling")
		require.NoError(t, err)
		o.now, o.asked = begin.Add(after), nil
		r.Finish()
		_, err = r.Settle(context.Background(), o.options())
		require.NoError(t, err)
		assert.Len(t, o.asked, want, "after %s", after)
	}
}

func TestSettleRefuses(t *testing.T) {
	set := machine.MustCompileSet(settling)
	g, err := set.Graph("Settling")
	require.NoError(t, err)
	other, err := phases.NewSources(phases.MustVocabulary([]phases.FlagDef{{Flag: 1, Name: "X"}}))
	require.NoError(t, err)
	none, err := phases.NewSources(four)
	require.NoError(t, err)
	returns := func(s *phases.Sources) func(context.Context) (*phases.Sources, error) {
		return func(context.Context) (*phases.Sources, error) { return s, nil }
	}
	for _, c := range []struct {
		about   string
		sources func(context.Context) (*phases.Sources, error)
		timeout time.Duration
		want    string
	}{
		{"no function", nil, 0, `itinerary "Settling" at start: the next phase depends on B and D, which are not known yet: ` +
			`sources of flags: itinerary "Settling": Sources is missing; set it in the options`},
		{"nil", returns(nil), 0, `Sources returned nil; return sources or an error`},
		{"another vocabulary", returns(other), 0,
			`Sources returned sources over another vocabulary; build them over the vocabulary of the itineraries`},
		{"a panic", func(context.Context) (*phases.Sources, error) { panic("boom") }, 0, `sources of flags: panic: boom`},
		{"no source", returns(none), 0,
			`itinerary "Settling" at start: the next phase depends on B and D, which no source evaluates; add a source in Sources`},
		{"no time", returns(none), -1, "sources of flags: not evaluated: context deadline exceeded"},
	} {
		t.Run(c.about, func(t *testing.T) {
			m, err := g.NewMachine(machine.Position{}, phases.Facts{})
			require.NoError(t, err)
			s, err := m.Settle(context.Background(), machine.SettleOptions{Sources: c.sources, EvaluationTimeout: c.timeout})
			require.ErrorContains(t, err, c.want)
			assert.False(t, s.Moved)
			assert.Equal(t, machine.Position{}, m.Position())
		})
	}
	m, err := g.NewMachine(machine.Position{Phase: "Scan"}, phases.Facts{})
	require.NoError(t, err)
	_, err = m.Settle(context.Background(), machine.SettleOptions{})
	assert.ErrorIs(t, err, machine.ErrWorkNotDone)
	assert.EqualError(t, err, `itinerary "Settling" at Scan: the work of the phase is not done; call Finish or Choose once it is`)
}

// A delayed run continues when its time has come, and evaluates then the flags that the phase
// decides.
func TestDelay(t *testing.T) {
	set := machine.MustCompileSet(settling)
	g, err := set.Graph("Settling")
	require.NoError(t, err)
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	o := &object{values: facts(0), now: begin}
	m, err := g.NewMachine(machine.Position{Phase: "Scan"}, facts(flagA|flagD))
	require.NoError(t, err)
	m.Finish()
	m.Delay(begin.Add(10*time.Second - 1))
	for _, after := range []time.Duration{0, 9 * time.Second} {
		r, err := set.Resume(m.Checkpoint(), "Settling")
		require.NoError(t, err)
		o.now = begin.Add(after)
		s, err := r.Settle(context.Background(), o.options())
		require.NoError(t, err)
		assert.Equal(t, machine.Settlement{RequeueAfter: 10*time.Second - after}, s)
		assert.True(t, begin.Add(10*time.Second).Equal(r.NotBefore()))
	}
	assert.Empty(t, o.asked)
	r, err := set.Resume(m.Checkpoint(), "Settling")
	require.NoError(t, err)
	o.now = begin.Add(10 * time.Second)
	s, err := r.Settle(context.Background(), o.options())
	require.NoError(t, err)
	assert.True(t, s.Moved)
	assert.Equal(t, "Wait", r.Position().Phase, "by the new value of A")
	assert.Equal(t, []string{"A", "D"}, o.asked, "A, and D, which is computed from it")
	assert.Nil(t, r.Checkpoint().NotBefore)
}

// After an upgrade during a phase, new flags are evaluated, and the machine does not move.
func TestEvaluate(t *testing.T) {
	set := machine.MustCompileSet(settling)
	o := &object{values: facts(flagB)}
	facts := four.Record(phases.NewFacts(0, flagA), "of an older release")
	m, err := set.Resume(machine.Checkpoint{Itinerary: "Settling", Phase: "Wait", Facts: facts}, "Settling")
	require.NoError(t, err)
	require.True(t, m.Changed)
	evaluation, err := m.Evaluate(context.Background(), o.options())
	require.NoError(t, err)
	assert.Equal(t, flagB|flagD, evaluation.Evaluated)
	assert.Equal(t, "Wait", m.Position().Phase)
	assert.Equal(t, []string{"Wait", "OnB", "End"}, m.Plan().Running())
}

// JSON cannot represent a time after the year 9999, and a checkpoint must be readable.
func TestDelayCanBeReadBack(t *testing.T) {
	set := machine.MustCompileSet(settling)
	for _, year := range []int{-5, 0, 1970, 9999, 10000, 200000} {
		r, err := set.Resume(machine.Checkpoint{Itinerary: "Settling", Phase: "Wait", WorkDone: true}, "Settling")
		require.NoError(t, err)
		r.Delay(time.Date(year, time.December, 31, 23, 59, 59, 5, time.UTC))
		text, err := json.Marshal(r.Checkpoint())
		require.NoError(t, err)
		var c machine.Checkpoint
		require.NoError(t, json.Unmarshal(text, &c), "year %d", year)
		again, err := set.Resume(c, "Settling")
		require.NoError(t, err)
		assert.True(t, r.NotBefore().Equal(again.NotBefore()), "year %d", year)
	}
}

// A delay that is set while the phase is in progress survives a checkpoint.
func TestDelayBeforeTheWorkIsDone(t *testing.T) {
	set := machine.MustCompileSet(settling)
	o := &object{values: facts(flagB)}
	r, err := set.Resume(machine.Checkpoint{Itinerary: "Settling", Phase: "Wait"}, "Settling")
	require.NoError(t, err)
	r.Delay(time.Now().Add(time.Hour))
	r, err = set.Resume(r.Checkpoint(), "Settling")
	require.NoError(t, err)
	r.Finish()
	s, err := r.Settle(context.Background(), o.options())
	require.NoError(t, err)
	assert.False(t, s.Moved)
	assert.Positive(t, s.RequeueAfter)
}
