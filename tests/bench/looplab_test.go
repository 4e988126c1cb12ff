package bench

import (
	"context"
	"sync"
	"testing"

	"github.com/looplab/fsm"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// newLooplab builds an FSM whose guards read the flags. Passing them as an argument of
// the event would be one more allocation.
func (d *definition) newLooplab(initial string, flags *phases.Flags) *fsm.FSM {
	events := make(fsm.Events, 0, len(d.states))
	callbacks := make(fsm.Callbacks, len(d.states))
	for to, sources := range d.sources {
		if len(sources) == 0 {
			continue
		}
		names := make([]string, len(sources))
		for i, from := range sources {
			names[i] = d.states[from]
		}
		events = append(events, fsm.EventDesc{Name: d.events[to], Src: names, Dst: d.states[to]})
		callbacks["before_"+d.events[to]] = func(_ context.Context, e *fsm.Event) {
			if d.next(d.index[e.Src], *flags) != to {
				e.Cancel()
			}
		}
	}
	return fsm.NewFSM(initial, events, callbacks)
}

// looplabShared is one FSM for all runs. It is set to the state of the moving run.
type looplabShared struct {
	*definition
	mu    sync.Mutex // setting a state and firing an event are two calls
	fsm   *fsm.FSM
	flags phases.Flags // of the moving run
}

func newLooplabShared(tb testing.TB) *looplabShared {
	l := &looplabShared{definition: newDefinition(tb, itinerary(tb))}
	l.fsm = l.newLooplab(l.states[0], &l.flags)
	return l
}

// fire tries to move a run to a state.
func (l *looplabShared) fire(r *run, to int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fsm.SetState(l.states[r.state])
	l.flags = r.flags
	if err := l.fsm.Event(context.Background(), l.events[to]); err != nil {
		return err
	}
	r.state = to
	return nil
}

// looplabHop is one guarded hop of the shared FSM.
func looplabHop(tb testing.TB) subject {
	l, r := newLooplabShared(tb), &run{flags: busy}
	from := l.index[hopFrom]
	return subject{
		func() error {
			r.state = from
			return l.fire(r, l.next(from, r.flags))
		},
		func() any { return l.fsm.Current() },
	}
}

// looplabRun is a whole run of the shared FSM.
func looplabRun(flags phases.Flags) func(tb testing.TB) subject {
	return func(tb testing.TB) subject {
		l, hops := newLooplabShared(tb), 0
		return subject{
			func() error {
				hops = 0
				for r := (&run{flags: flags}); r.state != l.last(); hops++ {
					if err := l.fire(r, l.next(r.state, r.flags)); err != nil {
						return err
					}
				}
				return nil
			},
			func() any { return hops },
		}
	}
}

// looplabEach builds an FSM for the hop.
func looplabEach(tb testing.TB) subject {
	d := newDefinition(tb, itinerary(tb))
	var f *fsm.FSM
	from, flags := d.index[hopFrom], busy
	return subject{
		func() error {
			f = d.newLooplab(hopFrom, &flags)
			return f.Event(context.Background(), d.events[d.next(from, flags)])
		},
		func() any { return f.Current() },
	}
}

func looplabToggle(testing.TB) subject {
	f := fsm.NewFSM("closed", fsm.Events{
		{Name: "open", Src: []string{"closed"}, Dst: "open"},
		{Name: "close", Src: []string{"open"}, Dst: "closed"},
	}, nil)
	return toggles(func() error {
		event := "open"
		if f.Is("open") {
			event = "close"
		}
		return f.Event(context.Background(), event)
	}, func() bool { return f.Is("open") })
}
