package bench

import (
	"context"
	"testing"

	"github.com/qmuntal/stateless"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// runKey is the context key of the run of a shared machine.
type runKey struct{}

func runOf(ctx context.Context) *run { return ctx.Value(runKey{}).(*run) }

// statelessDefinition has the states of a definition as values of type any, which
// avoids a conversion at each hop. A trigger is the state that it leads to.
type statelessDefinition struct {
	*definition
	boxed []any
}

func newStatelessDefinition(tb testing.TB) *statelessDefinition {
	s := &statelessDefinition{definition: newDefinition(tb, itinerary(tb))}
	for i := range s.states {
		s.boxed = append(s.boxed, i)
	}
	return s
}

// configure permits the transitions with their guards.
func (s *statelessDefinition) configure(m *stateless.StateMachine) *stateless.StateMachine {
	for to, sources := range s.sources {
		for _, from := range sources {
			m.Configure(s.boxed[from]).Permit(s.boxed[to], s.boxed[to], func(ctx context.Context, _ ...any) bool {
				return s.next(from, runOf(ctx).flags) == to
			})
		}
	}
	return m
}

// newShared returns one machine for all runs. The run is in the context.
func (s *statelessDefinition) newShared() *stateless.StateMachine {
	return s.configure(stateless.NewStateMachineWithExternalStorage(
		func(ctx context.Context) (stateless.State, error) { return s.boxed[runOf(ctx).state], nil },
		func(ctx context.Context, state stateless.State) error { runOf(ctx).state = state.(int); return nil },
		stateless.FiringImmediate,
	))
}

// newOwn returns a machine for one run.
func (s *statelessDefinition) newOwn(initial int) *stateless.StateMachine {
	return s.configure(stateless.NewStateMachineWithMode(s.boxed[initial], stateless.FiringImmediate))
}

func statelessHop(tb testing.TB) subject {
	s, r := newStatelessDefinition(tb), &run{flags: busy}
	m, from := s.newShared(), s.index[hopFrom]
	ctx := context.WithValue(context.Background(), runKey{}, r)
	return subject{
		func() error {
			r.state = from
			return m.FireCtx(ctx, s.boxed[s.next(from, r.flags)])
		},
		func() any { return s.states[r.state] },
	}
}

func statelessRun(flags phases.Flags) func(tb testing.TB) subject {
	return func(tb testing.TB) subject {
		s, hops := newStatelessDefinition(tb), 0
		m := s.newShared()
		return subject{
			func() error {
				r := &run{flags: flags}
				ctx := context.WithValue(context.Background(), runKey{}, r)
				for hops = 0; r.state != s.last(); hops++ {
					if err := m.FireCtx(ctx, s.boxed[s.next(r.state, r.flags)]); err != nil {
						return err
					}
				}
				return nil
			},
			func() any { return hops },
		}
	}
}

func statelessEach(tb testing.TB) subject {
	s := newStatelessDefinition(tb)
	var m *stateless.StateMachine
	from, r := s.index[hopFrom], &run{flags: busy}
	ctx := context.WithValue(context.Background(), runKey{}, r)
	return subject{
		func() error {
			m = s.newOwn(from)
			return m.FireCtx(ctx, s.boxed[s.next(from, r.flags)])
		},
		func() any { return s.states[m.MustState().(int)] },
	}
}

func statelessToggle(testing.TB) subject {
	states := []any{"closed", "open"}
	m := stateless.NewStateMachineWithMode(states[0], stateless.FiringImmediate)
	var trigger any = "toggle"
	m.Configure(states[0]).Permit(trigger, states[1])
	m.Configure(states[1]).Permit(trigger, states[0])
	return toggles(func() error { return m.FireCtx(context.Background(), trigger) }, func() bool { return m.MustState() == states[1] })
}
