package machine_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/looplab/fsm"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Each pitfall of looplab/fsm is shown twice: it exists in the pinned release, and a machine does
// not suffer from it.

var abc = phases.Itinerary{
	Name:       "Letters",
	Vocabulary: four,
	Phases: []phases.Phase{
		{Name: "A", Step: "First"},
		{Name: "B", Step: "First", Guard: phases.Guard{All: 1}},
		{Name: "C", Step: "Second"},
	},
}

func machineAt(t *testing.T, it phases.Itinerary, phase string, yes phases.Flags) *machine.Machine {
	t.Helper()
	g, err := machine.Compile(it)
	require.NoError(t, err)
	m, err := g.NewMachine(machine.Position{Phase: phase}, phases.NewFacts(yes, it.Vocabulary.All()&^yes))
	require.NoError(t, err)
	return m
}

func TestPitfallCanceledContext(t *testing.T) {
	canceled, cancel := context.WithCancel(context.Background())
	cancel()

	t.Run("looplab stays in the transition forever", func(t *testing.T) {
		f := fsm.NewFSM("a", fsm.Events{{Name: "go", Src: []string{"a"}, Dst: "b"}}, nil)
		require.Error(t, f.Event(canceled, "go"))
		assert.Equal(t, "a", f.Current())
		assert.ErrorAs(t, f.Event(context.Background(), "go"), new(fsm.InTransitionError))
	})
	t.Run("a machine does not move, and can move later", func(t *testing.T) {
		m := machineAt(t, abc, "A", 0)
		_, err := m.Advance(canceled)
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, "A", m.Position().Phase)
		tr, err := m.Advance(context.Background())
		require.NoError(t, err)
		assert.Equal(t, "C", tr.To.Phase)
	})
	t.Run("a context canceled during a move does not affect later moves", func(t *testing.T) {
		g := machine.MustCompile(abc)
		for range 500 {
			ctx, cancel := context.WithCancel(context.Background())
			go cancel()
			m, err := g.NewMachine(machine.Position{}, phases.NewFacts(15, 0))
			require.NoError(t, err)
			if tr, err := m.Advance(ctx); err == nil {
				assert.Equal(t, "A", tr.To.Phase)
			} else {
				require.ErrorIs(t, err, context.Canceled)
				_, err := m.Advance(context.Background())
				require.NoError(t, err)
			}
			assert.Equal(t, "A", m.Position().Phase)
		}
	})
}

func TestPitfallCallsFromCallbacks(t *testing.T) {
	t.Run("looplab deadlocks if a guard calls Can", func(t *testing.T) {
		called, returned := make(chan struct{}), make(chan struct{})
		f := fsm.NewFSM("a", fsm.Events{{Name: "go", Src: []string{"a"}, Dst: "b"}}, fsm.Callbacks{
			"before_go": func(_ context.Context, e *fsm.Event) {
				go func() { // the deadlock happens in a goroutine, so the test can end
					close(called)
					e.FSM.Can("go")
					close(returned)
				}()
				<-called
				select {
				case <-returned:
					t.Error("looplab no longer deadlocks; the workaround can be removed")
				case <-time.After(50 * time.Millisecond):
				}
			},
		})
		require.NoError(t, f.Event(context.Background(), "go"))
		<-returned // the goroutine ends with the event
	})
	t.Run("an observer may query, move and switch the machine", func(t *testing.T) {
		m := machineAt(t, abc, "", 15)
		other := abc
		other.Name = "Other"
		var saw []string
		_, err := m.Advance(context.Background(), func(tr machine.Transition) {
			saw = append(saw, tr.To.Phase)
			assert.NoError(t, m.Can("B"))
			assert.Error(t, m.Can("C"))
			m.SetFacts(phases.NewFacts(0, 15))
			assert.NoError(t, m.Can("C"))
			_, err := m.Advance(context.Background(), func(tr machine.Transition) {
				saw = append(saw, tr.To.Phase)
				_, err := m.Switch(machine.MustCompile(other))
				assert.NoError(t, err)
			})
			assert.NoError(t, err)
		})
		require.NoError(t, err)
		assert.Equal(t, []string{"A", "C"}, saw)
		assert.Equal(t, "Other", m.Graph().Name())
	})
}

func TestPitfallPanics(t *testing.T) {
	t.Run("looplab stays in the transition forever", func(t *testing.T) {
		f := fsm.NewFSM("a", fsm.Events{{Name: "go", Src: []string{"a"}, Dst: "b"}}, fsm.Callbacks{
			"leave_a": func(context.Context, *fsm.Event) { panic("boom") },
		})
		require.Panics(t, func() { _ = f.Event(context.Background(), "go") })
		assert.ErrorAs(t, f.Event(context.Background(), "go"), new(fsm.InTransitionError))
	})
	t.Run("a panic of an observer is returned as an error, and the machine has moved", func(t *testing.T) {
		m := machineAt(t, abc, "A", 0)
		cause := errors.New("boom")
		tr, err := m.Advance(context.Background(), func(machine.Transition) { panic(cause) })
		var panicked *phases.PanicError
		require.ErrorAs(t, err, &panicked)
		assert.ErrorIs(t, err, cause)
		assert.NotEmpty(t, panicked.Stack)
		assert.Equal(t, "C", tr.To.Phase)
		assert.Equal(t, "C", m.Position().Phase)
		tr, err = m.Advance(context.Background())
		require.NoError(t, err)
		assert.True(t, tr.To.Done)
	})
}

func TestPitfallGuardErrorWithoutCancel(t *testing.T) {
	t.Run("looplab moves although the guard set an error", func(t *testing.T) {
		f := fsm.NewFSM("a", fsm.Events{{Name: "go", Src: []string{"a"}, Dst: "b"}}, fsm.Callbacks{
			"before_go": func(_ context.Context, e *fsm.Event) { e.Err = errors.New("no") },
		})
		require.Error(t, f.Event(context.Background(), "go"))
		assert.Equal(t, "b", f.Current())
	})
	t.Run("a machine whose guard does not admit does not move", func(t *testing.T) {
		m := machineAt(t, abc, "A", 0)
		_, err := m.TransitionTo(context.Background(), "B")
		var refused *machine.TransitionError
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, "A", m.Position().Phase)
		assert.EqualError(t, err, `itinerary "Letters": no transition from A to B now: it needs A; next is C`)
		assert.Equal(t, []string{"A"}, refused.Why.Flags)
	})
}

func TestPitfallSameState(t *testing.T) {
	t.Run("looplab returns an error for a transition to the same state", func(t *testing.T) {
		f := fsm.NewFSM("a", fsm.Events{{Name: "again", Src: []string{"a"}, Dst: "a"}}, nil)
		assert.ErrorAs(t, f.Event(context.Background(), "again"), new(fsm.NoTransitionError))
	})
	t.Run("a machine can enter a phase again from itself", func(t *testing.T) {
		it := abc
		it.Phases = []phases.Phase{
			{Name: "Copy", Step: "Copy", Jumps: []phases.Jump{{To: "Copy", Guard: phases.Guard{None: 1}}}},
			{Name: "End", Step: "End"},
		}
		m := machineAt(t, it, "Copy", 0)
		for range 3 {
			tr, err := m.Advance(context.Background())
			require.NoError(t, err)
			copying := machine.Position{Phase: "Copy"}
			assert.Equal(t, machine.Transition{Itinerary: "Letters", From: copying, To: copying, Jumped: true}, tr)
		}
		m.SetFacts(phases.NewFacts(1, 0))
		tr, err := m.Advance(context.Background())
		require.NoError(t, err)
		assert.Equal(t, "End", tr.To.Phase)
	})
}

func TestPitfallReservedNames(t *testing.T) {
	names := []string{
		"event", "state", "before_event", "leave_state", "enter_x", "x", "after_x", "to x", "in x",
		"at start", "at done", "start", "done", " ", "é\n\"'",
	}
	t.Run("looplab gives the name event a special meaning", func(t *testing.T) {
		events := fsm.Events{{Name: "event", Src: []string{"a"}, Dst: "b"}, {Name: "other", Src: []string{"a"}, Dst: "c"}}
		f := fsm.NewFSM("a", events, fsm.Callbacks{
			"before_event": func(_ context.Context, e *fsm.Event) { e.Cancel() },
		})
		assert.ErrorAs(t, f.Event(context.Background(), "other"), new(fsm.CanceledError), "the guard of event also guards other")
	})
	t.Run("a machine accepts phases of any name", func(t *testing.T) {
		it := phases.Itinerary{Name: "event", Vocabulary: four}
		for i, n := range names {
			it.Phases = append(it.Phases, phases.Phase{Name: n, Step: n, Guard: phases.Guard{All: phases.Flags(i%2) * 1}})
		}
		g := machine.MustCompile(it)
		for yes := range phases.Flags(2) {
			f := phases.NewFacts(yes, 15&^yes)
			run, ended := enters(t, g, machine.Position{}, f)
			require.True(t, ended)
			assert.Equal(t, g.Plan(f).Running(), run)
			assert.Len(t, run, 8+7*int(yes))
		}
	})
}

func TestPitfallConcurrentUse(t *testing.T) {
	g := machine.MustCompile(abc)
	t.Run("many machines of one graph", func(t *testing.T) {
		var all sync.WaitGroup
		for k := range 8 {
			all.Add(1)
			go func() {
				defer all.Done()
				yes := phases.Flags(k % 2)
				f := phases.NewFacts(yes, 15&^yes)
				want := g.Plan(f).Running()
				for range 200 {
					run, _ := enters(t, g, machine.Position{}, f)
					if !assert.Equal(t, want, run) {
						return
					}
				}
			}()
		}
		all.Wait()
	})
	t.Run("many goroutines on one machine", func(t *testing.T) {
		m, err := g.NewMachine(machine.Position{}, phases.NewFacts(15, 0))
		require.NoError(t, err)
		var all sync.WaitGroup
		var moved, refused atomic.Int32
		for range 16 {
			all.Add(1)
			go func() {
				defer all.Done()
				_ = m.Position()
				_ = m.Plan().Running()
				_, _ = m.Available()
				_ = m.Can("B")
				_ = m.Checkpoint()
				m.SetFacts(m.Facts())
				switch _, err := m.Advance(context.Background()); {
				case err == nil:
					moved.Add(1)
				case errors.Is(err, machine.ErrDone):
					refused.Add(1)
				default:
					t.Error(err)
				}
			}()
		}
		all.Wait()
		assert.Equal(t, int32(4), moved.Load(), "A, B, C and done, each once")
		assert.Equal(t, int32(12), refused.Load())
		assert.True(t, m.Position().Done)
	})
}

func TestPitfallUncheckedDefinitions(t *testing.T) {
	t.Run("looplab silently keeps the last of two transitions of one event", func(t *testing.T) {
		f := fsm.NewFSM("a", fsm.Events{{Name: "go", Src: []string{"a"}, Dst: "b"}, {Name: "go", Src: []string{"a"}, Dst: "c"}}, nil)
		require.NoError(t, f.Event(context.Background(), "go"))
		assert.Equal(t, "c", f.Current())
	})
	t.Run("looplab accepts a misspelled callback and an unknown state", func(t *testing.T) {
		f := fsm.NewFSM("a", fsm.Events{{Name: "go", Src: []string{"a"}, Dst: "b"}}, fsm.Callbacks{
			"before_og": func(context.Context, *fsm.Event) { t.Error("called") },
		})
		require.NoError(t, f.Event(context.Background(), "go"))
		f.SetState("nowhere")
		assert.Equal(t, "nowhere", f.Current())
	})
	t.Run("a graph refuses duplicate names, jumps to unknown phases, and unknown positions", func(t *testing.T) {
		it := abc
		it.Phases = append([]phases.Phase{}, abc.Phases...)
		it.Phases[1].Name = "A"
		it.Phases[2].Jumps = []phases.Jump{{To: "nowhere"}}
		_, err := machine.Compile(it)
		var all phases.DefinitionErrors
		require.ErrorAs(t, err, &all)
		assert.Equal(t, phases.ReasonDuplicateName, all[0].Reason)
		assert.Equal(t, phases.ReasonUnknownJump, all[1].Reason)
		_, err = machine.MustCompile(abc).NewMachine(machine.Position{Phase: "nowhere"}, phases.Facts{})
		assert.ErrorAs(t, err, new(*machine.UnknownPhaseError))
	})
}

func TestTooManyEdges(t *testing.T) {
	it := phases.Itinerary{Name: "Long", Vocabulary: four}
	for i := range 1000 {
		p := phases.Phase{Name: fmt.Sprintf("P%d", i), Step: "S", Guard: phases.Guard{All: 1}}
		if i == 300 {
			p.Guard = phases.Guard{}
		}
		it.Phases = append(it.Phases, p)
	}
	want := machine.TooManyEdgesError{Itinerary: "Long", Edges: 290_801, Limit: machine.MaxEdges, First: "P301", Last: "P999", Run: 699}
	var e *machine.TooManyEdgesError
	_, err := machine.CompileSet(abc, it)
	require.ErrorAs(t, err, &e, "no run can be made from it")
	assert.Equal(t, want, *e)

	// It can still be planned and drawn.
	m := machineAt(t, it, "", 1)
	assert.Len(t, m.Plan().Running(), 1000)
	_, err = m.Advance(context.Background())
	require.ErrorAs(t, err, &e)
	assert.Equal(t, want, *e)
	assert.Equal(t, machine.Position{}, m.Position())

	// The limit, and one phase more.
	short := it
	short.Phases = it.Phases[:301+328]
	_, err = machine.CompileSet(short)
	require.NoError(t, err)
	all, err := machine.MustCompile(short).Edges()
	require.NoError(t, err)
	assert.Greater(t, len(all), machine.MaxEdges-500)
	short.Phases = it.Phases[:301+329]
	_, err = machine.CompileSet(short)
	require.ErrorAs(t, err, &e)
}
