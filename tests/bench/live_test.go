package bench

import (
	"context"
	"runtime"
	"testing"

	"github.com/cocoonspace/fsm"
	looplab "github.com/looplab/fsm"
	"github.com/qmuntal/stateless"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
)

// heap returns the memory in use after a garbage collection.
func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// bench measures the memory of a run of the holder.
func (h *holder) bench(b *testing.B) {
	d, _ := spread(b)
	for b.Loop() {
		before := heap()
		keep, at := h.make(b, h.runs)
		b.ReportMetric((heap()-before)/float64(h.runs), "B/run")
		require.Equal(b, d.states[1+999%50], at(999))
		runtime.KeepAlive(keep)
	}
	b.ReportMetric(0, "ns/op")
}

// spread returns a function that spreads live runs over all states.
func spread(tb testing.TB) (*definition, func(i int) int) {
	d := newDefinition(tb, itinerary(tb))
	return d, func(i int) int { return 1 + i%(len(d.states)-1) }
}

// holder makes live runs; at returns the state of one of them.
type holder struct {
	by   string
	runs int
	make func(tb testing.TB, n int) (keep any, at func(i int) string)
}

// BenchmarkLive measures the memory of a live run, without its persisted state, among
// 100,000 of them. Contenders that would need gigabytes have 1,000.
func BenchmarkLive(b *testing.B) {
	const many, some = 100_000, 1_000
	for _, h := range []holder{
		{here, many, func(tb testing.TB, n int) (any, func(i int) string) {
			g, f := graph(tb), facts(busy)
			all := make([]*machine.Machine, n)
			for i := range all {
				var err error
				if all[i], err = g.NewMachine(machine.Position{Phase: g.Phase(i % g.Len()).Name}, f); err != nil {
					tb.Fatal(err)
				}
			}
			return all, func(i int) string { return all[i].Position().Phase }
		}},
		{"looplab-own", some, func(tb testing.TB, n int) (any, func(i int) string) {
			d, state := spread(tb)
			all := make([]*looplab.FSM, n)
			for i := range all {
				flags := busy
				all[i] = d.newLooplab(d.states[state(i)], &flags)
			}
			return all, func(i int) string { return all[i].Current() }
		}},
		{"stateless-own", some, func(tb testing.TB, n int) (any, func(i int) string) {
			_, state := spread(tb)
			s := newStatelessDefinition(tb)
			all := make([]*stateless.StateMachine, n)
			for i := range all {
				all[i] = s.newOwn(state(i))
			}
			return all, func(i int) string { return s.states[all[i].MustState().(int)] }
		}},
		{"stateless-shared", many, func(tb testing.TB, n int) (any, func(i int) string) {
			_, state := spread(tb)
			s := newStatelessDefinition(tb)
			m := s.newShared()
			all := make([]context.Context, n)
			for i := range all {
				all[i] = context.WithValue(context.Background(), runKey{}, &run{state(i), busy})
			}
			return all, func(i int) string {
				at, err := m.State(all[i])
				require.NoError(tb, err)
				return s.states[at.(int)]
			}
		}},
		{"cocoonspace-own", some, func(tb testing.TB, n int) (any, func(i int) string) {
			d, state := spread(tb)
			all := make([]*fsm.FSM, n)
			for i := range all {
				all[i] = d.newCocoonspace(state(i), &run{flags: busy})
			}
			return all, func(i int) string { return d.states[all[i].Current()] }
		}},
		{"masks", many, func(tb testing.TB, n int) (any, func(i int) string) {
			d, state := spread(tb)
			all := make([]*run, n)
			for i := range all {
				all[i] = &run{state(i), busy}
			}
			return all, func(i int) string { return d.states[all[i].state] }
		}},
	} {
		b.Run("by="+h.by, func(b *testing.B) { h.bench(b) })
	}
}
