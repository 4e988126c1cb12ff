package bench

import (
	"fmt"
	"slices"
	"testing"

	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// task is like mig-controller's: a list of phases with step names, and a predicate for
// each flag, which each phase that reads the flag calls again. Here a predicate reads
// a bit; upstream it reads objects, some of them on a remote cluster.
type task struct {
	phase  string
	phases []taskPhase
	flags  []taskFlag
}

type taskPhase struct {
	name, step string
	all, any   phases.Flags
}

type taskFlag struct {
	flag phases.Flags
	is   func() bool
}

func newTask(it phases.Itinerary, flags phases.Flags) *task {
	t := &task{}
	for _, p := range it.Phases {
		t.phases = append(t.phases, taskPhase{p.Name, p.Step, p.Guard.All, p.Guard.Any})
	}
	for _, d := range it.Vocabulary.Defs() {
		t.flags = append(t.flags, taskFlag{d.Flag, func() bool { return flags.Has(d.Flag) }})
	}
	return t
}

// next enters the first phase after the current one that all and any admit.
func (t *task) next() error {
	current := -1
	if t.phase != "" {
		current = slices.IndexFunc(t.phases, func(p taskPhase) bool { return p.name == t.phase })
		if current < 0 {
			return fmt.Errorf("unknown phase %q", t.phase)
		}
	}
	for _, p := range t.phases[current+1:] {
		if t.all(p) && t.any(p) {
			t.phase = p.name
			return nil
		}
	}
	t.phase = lastPhase
	return nil
}

func (t *task) all(p taskPhase) bool {
	for _, f := range t.flags {
		if p.all.Has(f.flag) && !f.is() {
			return false
		}
	}
	return true
}

func (t *task) any(p taskPhase) bool {
	for _, f := range t.flags {
		if p.any.Has(f.flag) && f.is() {
			return true
		}
	}
	return p.any == 0
}

// pipeline returns the steps of the admitted phases.
func (t *task) pipeline() (steps []string) {
	for _, p := range t.phases {
		if t.all(p) && t.any(p) && !slices.Contains(steps, p.step) {
			steps = append(steps, p.step)
		}
	}
	return steps
}

// forklift is like forklift's itinerary: it is immutable, takes the name of the current
// step, and evaluates flags by number with a predicate that may fail.
type forklift struct {
	steps     []forkliftStep
	predicate predicate
}

type forkliftStep struct {
	name     string
	all, any uint64
}

type predicate interface {
	Count() int
	Evaluate(flag int) (bool, error)
}

// bits is a predicate that cannot fail.
type bits phases.Flags

func (bits) Count() int                        { return mtc.Vocabulary().Len() }
func (b bits) Evaluate(flag int) (bool, error) { return b&(1<<flag) != 0, nil }

func newForklift(it phases.Itinerary, flags phases.Flags) *forklift {
	f := &forklift{predicate: bits(flags)}
	for _, p := range it.Phases {
		f.steps = append(f.steps, forkliftStep{p.Name, uint64(p.Guard.All), uint64(p.Guard.Any)})
	}
	return f
}

// next returns the step after the named one.
func (f *forklift) next(name string) (next string, done bool, err error) {
	found := name == ""
	for _, s := range f.steps {
		if !found {
			found = s.name == name
			continue
		}
		admitted, err := f.admits(s)
		if err != nil {
			return "", false, err
		}
		if admitted {
			return s.name, false, nil
		}
	}
	if !found {
		return "", false, fmt.Errorf("unknown step %q", name)
	}
	return "", true, nil
}

func (f *forklift) admits(s forkliftStep) (bool, error) {
	some := s.any == 0
	for i := range f.predicate.Count() {
		flag := uint64(1) << i
		if (s.all|s.any)&flag == 0 {
			continue
		}
		is, err := f.predicate.Evaluate(i)
		if err != nil {
			return false, err
		}
		if s.all&flag != 0 && !is {
			return false, nil
		}
		some = some || s.any&flag != 0 && is
	}
	return some, nil
}

func taskHop(tb testing.TB) subject {
	t := newTask(itinerary(tb), busy)
	return subject{
		func() error {
			t.phase = hopFrom
			return t.next()
		},
		func() any { return t.phase },
	}
}

func forkliftHop(tb testing.TB) subject {
	f, to := newForklift(itinerary(tb), busy), ""
	return subject{
		func() (err error) {
			to, _, err = f.next(hopFrom)
			return err
		},
		func() any { return to },
	}
}

func taskRun(flags phases.Flags) func(tb testing.TB) subject {
	return func(tb testing.TB) subject {
		t, hops := newTask(itinerary(tb), flags), 0
		return subject{
			func() error {
				for t.phase, hops = "", 0; t.phase != lastPhase; hops++ {
					if err := t.next(); err != nil {
						return err
					}
				}
				return nil
			},
			func() any { return hops },
		}
	}
}

func forkliftRun(flags phases.Flags) func(tb testing.TB) subject {
	return func(tb testing.TB) subject {
		f, hops := newForklift(itinerary(tb), flags), 0
		return subject{
			func() error {
				hops = 0
				for name, done := "", false; name != lastPhase && !done; hops++ {
					var err error
					if name, done, err = f.next(name); err != nil {
						return err
					}
				}
				return nil
			},
			func() any { return hops },
		}
	}
}
