package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// worked is a world that records which phases are done.
type worked struct{ Done []string }

// late is a migration with a flag that is unknown until a phase that decides it is
// done.
type late struct {
	itinerary string
	flag      phases.Flags
	decider   string       // a phase that runs and decides the flag
	yes       phases.Flags // the flags that are true
}

// ask is the Evaluate function of the flag's source until the decider is done.
type ask func(context.Context, phases.Facts) (phases.Truth, error)

var errNotYet = errors.New("the plan has not been refreshed")

func notYet(context.Context, phases.Facts) (phases.Truth, error) { return phases.Unknown, nil }
func errs(context.Context, phases.Facts) (phases.Truth, error)   { return phases.Unknown, errNotYet }

// setup returns the controller of the migration. If before is nil, the flag has no
// source at all.
func (l *late) setup(before ask) machinetest.Setup[*machinetest.Object, worked] {
	scripted := machinetest.NewScripted(machinetest.Script{Itineraries: itineraries, Itinerary: l.itinerary})
	g, _ := itineraries.Graph(l.itinerary)
	s := machinetest.Setup[*machinetest.Object, worked]{Object: &machinetest.Object{Itinerary: l.itinerary}, MaxReconciles: 200}
	s.Options = func(w *worked) runner.Options[*machinetest.Object] {
		o := scripted.Options(nil)
		o.Phases = make(map[string]runner.Phase[*machinetest.Object])
		for i := range g.Len() {
			name := g.Phase(i).Name
			if g.IsEnd(i) {
				continue
			}
			o.Phases[name] = runner.Phase[*machinetest.Object]{Handler: runner.HandlerFunc[*machinetest.Object](
				func(context.Context, *machinetest.Object) (runner.Result, error) {
					if !slices.Contains(w.Done, name) {
						w.Done = append(w.Done, name)
					}
					return runner.Done(), nil
				})}
		}
		o.Sources = func(context.Context, *machinetest.Object) (*phases.Sources, error) {
			all := sources(g.Vocabulary(), &l.yes).All()
			i := slices.IndexFunc(all, func(s phases.Source) bool { return s.Flag == l.flag })
			switch {
			case before == nil:
				all = slices.Delete(all, i, i+1)
			case !slices.Contains(w.Done, l.decider):
				all[i].Evaluate = before
			}
			return phases.NewSources(g.Vocabulary(), all...)
		}
		return o
	}
	return s
}

// wants returns the phases that run, by an independent walk: the flag is unknown until
// the decider is done or, without a source, forever. stuck reports whether the next
// phase depends on the flag while it is unknown. A cleanup itinerary runs such a
// phase.
func (l *late) wants(t *testing.T, source bool) (entered []string, stuck bool) {
	g := graph(t, l.itinerary)
	facts := phases.NewFacts(l.yes, mtc.Vocabulary().All()&^l.yes)
	unknown := facts.Forget(l.flag)
	skip := "" // the target of a jump
	for i := range g.Len() {
		p := g.Phase(i)
		if skip != "" && p.Name != skip {
			continue
		}
		skip = ""
		f := unknown
		if source && slices.Contains(entered, l.decider) {
			f = facts
		}
		switch p.Guard.Eval(f) {
		case phases.False:
			continue
		case phases.Unknown:
			if !g.IsCleanup() {
				return entered, true
			}
		}
		entered = append(entered, p.Name)
		if p.End {
			return entered, false
		}
		for _, j := range p.Jumps {
			if skip == "" && j.Guard.Eval(f) == phases.True {
				skip = j.To
			}
		}
	}
	return entered, false
}

// eachLate calls yield for each flag that a phase of MTC decides, true and false, and
// each phase that decides it, with an assignment under which the phase runs and that
// the relations allow. Reduced, it does so for a quarter of them.
func eachLate(t *testing.T, yield func(*testing.T, late)) {
	all, err := lateFlags()
	require.NoError(t, err)
	for i := 0; i < len(all); i += testscale.Of(1, 4) {
		l := all[i]
		title := fmt.Sprintf("%s of %s by %s is %v", mtc.Vocabulary().Names(l.flag)[0], l.itinerary, l.decider, l.yes.Has(l.flag))
		t.Run(title, func(t *testing.T) { yield(t, l) })
	}
}

// lateFlags finds what eachLate lists. It tries each assignment.
var lateFlags = sync.OnceValues(func() (all []late, err error) {
	for _, name := range itineraries.Names() {
		g, err := itineraries.Graph(name)
		if err != nil {
			return nil, err
		}
		for flag := range mtc.Vocabulary().All().Each {
			type outcome struct {
				phase string
				is    bool
			}
			found := make(map[outcome]bool)
			subsets(g.Reads()|flag, func(yes phases.Flags) {
				for _, c := range mtc.Vocabulary().Relations() {
					if c.Broken(phases.NewFacts(yes, (g.Reads()|flag)&^yes)) {
						return
					}
				}
				for _, phase := range g.Plan(phases.NewFacts(yes, mtc.Vocabulary().All()&^yes)).Running() {
					// A phase that reads the flag itself needs it earlier.
					if i, err := g.Lookup(phase); err == nil && g.Phase(i).Decides.Has(flag) && !g.Phase(i).Guard.Reads().Has(flag) {
						if is := (outcome{phase, yes.Has(flag)}); !found[is] {
							found[is] = true
							all = append(all, late{name, flag, phase, yes})
						}
					}
				}
			})
		}
	}
	return all, nil
})

// A flag may be unknown until the phase that decides it is done, because its source
// returns "not yet" or fails until then. The run begins nevertheless, and does not
// deadlock.
func TestFlagThatIsNotKnownYet(t *testing.T) {
	t.Parallel()
	n := 0
	eachLate(t, func(t *testing.T, l late) {
		for _, before := range []ask{notYet, errs} {
			entered, stuck := l.wants(t, true)
			require.False(t, stuck, "a phase before it depends on the flag")
			n++
			life := machinetest.New(t, l.setup(before))
			life.Run()
			life.WantPhases(l.itinerary, entered...)
			assert.True(t, life.State().Done)
			assert.Empty(t, life.State().Failures)
		}
	})
	require.Greater(t, n, testscale.Of(20, 10))
}

// A flag without a source is like one that is not known yet: the run begins, and stops
// at the first phase that depends on the flag, with an error that names it.
func TestFlagWithoutASource(t *testing.T) {
	t.Parallel()
	stopped := 0
	eachLate(t, func(t *testing.T, l late) {
		life := machinetest.New(t, l.setup(nil))
		entered, stuck := l.wants(t, false)
		if !stuck {
			life.Run()
			life.WantPhases(l.itinerary, entered...)
			return
		}
		stopped++
		var without *machine.NoSourceError
		require.ErrorAs(t, life.RunToError(), &without)
		assert.Equal(t, mtc.Vocabulary().Names(l.flag), without.Flags)
		assert.Equal(t, machine.Position{Phase: entered[len(entered)-1]}, without.At)
		life.WantPhases(l.itinerary, entered...)
		require.NotNil(t, life.State().Stopped)
		assert.Contains(t, life.State().Stopped.Error, mtc.Vocabulary().Names(l.flag)[0])
	})
	require.Greater(t, stopped, testscale.Of(5, 2))
}
