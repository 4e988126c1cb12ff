package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/looplab/fsm"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// advance makes a machine and takes the measured hop.
func advance(g *machine.Graph, f phases.Facts) (machine.Transition, error) {
	m, err := g.NewMachine(machine.Position{Phase: hopFrom}, f)
	if err != nil {
		return machine.Transition{}, err
	}
	return m.Advance(context.Background())
}

// hop is one guarded hop of a new machine.
func hop(tb testing.TB) subject {
	g, f := graph(tb), facts(busy)
	var tr machine.Transition
	return subject{
		func() (err error) { tr, err = advance(g, f); return err },
		func() any { return tr.To.Phase },
	}
}

// resume is one guarded hop from the persisted state of a run.
func resume(tb testing.TB) subject {
	set, err := machine.CompileSet(mtc.Itineraries()...)
	require.NoError(tb, err)
	g, err := set.Graph(mtc.Final)
	require.NoError(tb, err)
	m, err := g.NewMachine(machine.Position{Phase: hopFrom}, facts(busy))
	require.NoError(tb, err)
	c := m.Checkpoint()
	var tr machine.Transition
	return subject{
		func() error {
			r, err := set.Resume(c, mtc.Final)
			if err != nil {
				return err
			}
			tr, err = r.Advance(context.Background())
			return err
		},
		func() any { return tr.To.Phase },
	}
}

func masksHop(tb testing.TB) subject {
	d := newDefinition(tb, itinerary(tb))
	from, to := d.index[hopFrom], 0
	return subject{
		func() error { to = d.guards.next(from, busy); return nil },
		func() any { return d.states[to] },
	}
}

// BenchmarkHop measures one guarded hop from a position and flags, with an existing
// definition.
func BenchmarkHop(b *testing.B) {
	compare(b, hopTo,
		contender{here, hop},
		contender{"looplab-shared", looplabHop},
		contender{"stateless-shared", statelessHop},
		contender{"cocoonspace-own", cocoonspaceHop},
		contender{"mig-controller", taskHop},
		contender{"forklift", forkliftHop},
		contender{"masks", masksHop},
	)
}

// BenchmarkResume measures one guarded hop from the persisted state.
func BenchmarkResume(b *testing.B) {
	compare(b, hopTo,
		contender{here, resume},
		contender{"looplab-shared", looplabHop},
		contender{"looplab-each", looplabEach},
		contender{"stateless-shared", statelessHop},
		contender{"stateless-each", statelessEach},
		contender{"cocoonspace-each", cocoonspaceEach},
		contender{"mig-controller", taskHop},
		contender{"forklift", forkliftHop},
	)
}

// refuses returns a subject that succeeds if try fails with the expected error.
func refuses(try func() error, is func(err error) bool) subject {
	var last error
	return subject{
		func() error {
			if last = try(); last == nil {
				return errors.New("the transition was not refused")
			}
			return nil
		},
		func() any { return is(last) },
	}
}

// BenchmarkRefused measures a transition that the guard of its destination refuses.
func BenchmarkRefused(b *testing.B) {
	const without = busy &^ mtc.HasStageBackup
	compare(b, true,
		contender{here, func(tb testing.TB) subject {
			g, f := graph(tb), facts(without)
			return refuses(func() error {
				m, err := g.NewMachine(machine.Position{Phase: hopFrom}, f)
				if err != nil {
					return err
				}
				_, err = m.TransitionTo(context.Background(), hopTo)
				return err
			}, func(err error) bool {
				var refused *machine.TransitionError
				return errors.As(err, &refused) && refused.Why.Text == "needs HasStageBackup"
			})
		}},
		contender{"looplab-shared", func(tb testing.TB) subject {
			l, r := newLooplabShared(tb), &run{flags: without}
			from, to := l.index[hopFrom], l.index[hopTo]
			return refuses(func() error {
				r.state = from
				return l.fire(r, to)
			}, func(err error) bool { return errors.As(err, new(fsm.CanceledError)) })
		}},
		contender{"stateless-shared", func(tb testing.TB) subject {
			s, r := newStatelessDefinition(tb), &run{flags: without}
			m, from, to := s.newShared(), s.index[hopFrom], s.boxed[s.index[hopTo]]
			ctx := context.WithValue(context.Background(), runKey{}, r)
			return refuses(func() error {
				r.state = from
				return m.FireCtx(ctx, to)
			}, func(err error) bool { return r.state == from })
		}},
		contender{"cocoonspace-own", func(tb testing.TB) subject {
			d, r := newDefinition(tb, itinerary(tb)), &run{flags: without}
			from, to := d.index[hopFrom], cocoonspaceEvent(d.index[hopTo])
			f := d.newCocoonspace(from, r)
			return refuses(func() error {
				f.Reset()
				if !f.Event(to) {
					return errRefused
				}
				return nil
			}, func(error) bool { return int(f.Current()) == from })
		}},
		contender{"masks", func(tb testing.TB) subject {
			d := newDefinition(tb, itinerary(tb))
			from, to := d.index[hopFrom], d.index[hopTo]
			return refuses(func() error {
				if d.guards.next(from, without) != to {
					return errRefused
				}
				return nil
			}, func(err error) bool { return errors.Is(err, errRefused) })
		}},
	)
}

// BenchmarkParallel measures a guarded hop with a definition that goroutines share,
// on one core and on two.
func BenchmarkParallel(b *testing.B) {
	g, f := graph(b), facts(busy)
	l := newLooplabShared(b)
	s := newStatelessDefinition(b)
	m := s.newShared()
	it := itinerary(b)
	from, to := l.index[hopFrom], l.index[hopTo]
	for _, c := range []struct {
		by string
		// worker returns the hop of one goroutine.
		worker func() func() bool
	}{
		{here, func() func() bool {
			return func() bool {
				tr, err := advance(g, f)
				return err == nil && tr.To.Phase == hopTo
			}
		}},
		{"looplab-shared", func() func() bool {
			r := &run{flags: busy}
			return func() bool {
				r.state = from
				return l.fire(r, l.next(from, r.flags)) == nil && r.state == to
			}
		}},
		{"stateless-shared", func() func() bool {
			r := &run{flags: busy}
			ctx := context.WithValue(context.Background(), runKey{}, r)
			return func() bool {
				r.state = from
				return m.FireCtx(ctx, s.boxed[s.next(from, r.flags)]) == nil && r.state == to
			}
		}},
		{"mig-controller", func() func() bool {
			t := newTask(it, busy)
			return func() bool {
				t.phase = hopFrom
				return t.next() == nil && t.phase == hopTo
			}
		}},
	} {
		for _, cores := range []int{1, 2} {
			b.Run(fmt.Sprintf("cores=%d/by=%s", cores, c.by), func(b *testing.B) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					hop := c.worker()
					for pb.Next() {
						if !hop() {
							b.Error("the hop failed or led to another phase")
							return
						}
					}
				})
			})
		}
	}
}

// toggles returns a subject that opens and closes a door in turn.
func toggles(toggle func() error, open func() bool) subject {
	is := false
	return subject{
		func() error { is = !is; return toggle() },
		func() any { return open() == is },
	}
}

// BenchmarkToggle is the peers' own benchmark: two states and no guard.
func BenchmarkToggle(b *testing.B) {
	compare(b, true,
		contender{here, func(tb testing.TB) subject {
			const stay = phases.Flags(1)
			v, err := phases.NewVocabulary([]phases.FlagDef{{Name: "Stay", Flag: stay}})
			require.NoError(tb, err)
			g, err := machine.Compile(phases.Itinerary{Name: "Toggle", Vocabulary: v, Phases: []phases.Phase{
				{Name: "closed", Step: "Door"},
				{Name: "open", Step: "Door", Jumps: []phases.Jump{{To: "closed", Guard: phases.Guard{All: stay}}}},
			}})
			require.NoError(tb, err)
			m, err := g.NewMachine(machine.Position{Phase: "closed"}, phases.NewFacts(stay, 0))
			require.NoError(tb, err)
			return toggles(func() error { _, err := m.Advance(context.Background()); return err },
				func() bool { return m.Position().Phase == "open" })
		}},
		contender{"looplab-own", looplabToggle},
		contender{"stateless-own", statelessToggle},
		contender{"cocoonspace-own", cocoonspaceToggle},
	)
}
