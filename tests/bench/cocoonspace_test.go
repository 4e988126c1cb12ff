package bench

import (
	"errors"
	"testing"

	"github.com/cocoonspace/fsm"

	"github.com/konveyor/dynamic-pipeline/phases"
)

var errRefused = errors.New("the event was refused")

// newCocoonspace builds an FSM for one run, since its state cannot be set and its
// guards have no arguments.
func (d *definition) newCocoonspace(initial int, r *run) *fsm.FSM {
	f := fsm.New(fsm.State(initial))
	for to, sources := range d.sources {
		for _, from := range sources {
			f.Transition(fsm.On(cocoonspaceEvent(to)), fsm.Src(fsm.State(from)), fsm.Dst(fsm.State(to)),
				fsm.Check(func() bool { return d.next(from, r.flags) == to }))
		}
	}
	return f
}

// cocoonspaceEvent returns the event that leads to a state.
func cocoonspaceEvent(to int) fsm.Event { return fsm.Event(to) }

// cocoonspaceHop is a hop of an FSM that exists already.
func cocoonspaceHop(tb testing.TB) subject {
	d, r := newDefinition(tb, itinerary(tb)), &run{flags: busy}
	from := d.index[hopFrom]
	f := d.newCocoonspace(from, r)
	return subject{
		func() error {
			f.Reset()
			if !f.Event(fsm.Event(d.next(from, r.flags))) {
				return errRefused
			}
			return nil
		},
		func() any { return d.states[f.Current()] },
	}
}

func cocoonspaceRun(flags phases.Flags) func(tb testing.TB) subject {
	return func(tb testing.TB) subject {
		d, r, hops := newDefinition(tb, itinerary(tb)), &run{flags: flags}, 0
		f := d.newCocoonspace(0, r)
		return subject{
			func() error {
				f.Reset()
				for hops = 0; int(f.Current()) != d.last(); hops++ {
					if !f.Event(fsm.Event(d.next(int(f.Current()), r.flags))) {
						return errRefused
					}
				}
				return nil
			},
			func() any { return hops },
		}
	}
}

func cocoonspaceEach(tb testing.TB) subject {
	d, r := newDefinition(tb, itinerary(tb)), &run{flags: busy}
	from := d.index[hopFrom]
	var f *fsm.FSM
	return subject{
		func() error {
			f = d.newCocoonspace(from, r)
			if !f.Event(fsm.Event(d.next(from, r.flags))) {
				return errRefused
			}
			return nil
		},
		func() any { return d.states[f.Current()] },
	}
}

func cocoonspaceToggle(testing.TB) subject {
	f := fsm.New(0)
	f.Transition(fsm.On(1), fsm.Src(0), fsm.Dst(1))
	f.Transition(fsm.On(0), fsm.Src(1), fsm.Dst(0))
	return toggles(func() error {
		if !f.Event(fsm.Event(1 - f.Current())) {
			return errRefused
		}
		return nil
	}, func() bool { return f.Current() == 1 })
}
