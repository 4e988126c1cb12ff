package conformance

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/itinerarytest"
	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// leaving describes a phase that is left in the middle of its work. From then on the
// sources return other values.
type leaving struct {
	set    *machine.Set
	from   *machine.Graph
	phase  phases.Phase
	to     *machine.Graph // the next itinerary
	before phases.Flags   // the flags that are true until then
	after  phases.Flags   // the flags that are true from then on
}

func (l *leaving) String() string {
	v := l.from.Vocabulary()
	return fmt.Sprintf("%s of %s for %s, with %q instead of %q",
		l.phase.Name, l.from.Name(), l.to.Name(), v.Names(l.after), v.Names(l.before))
}

// wants returns the phases of the next itinerary that run with the flags of after.
func (l *leaving) wants() []string {
	return append([]string(nil), l.to.Plan(phases.NewFacts(l.after, l.to.Vocabulary().All()&^l.after)).Running()...)
}

// sources returns sources of all flags of v: those of yes are true.
func sources(v *phases.Vocabulary, yes *phases.Flags) *phases.Sources {
	var all []phases.Source
	for flag := range v.All().Each {
		all = append(all, phases.Source{Flag: flag, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
			return phases.TruthOf(yes.Has(flag)), nil
		}})
	}
	s, err := phases.NewSources(v, all...)
	if err != nil {
		panic(err) // cannot happen: each flag has one source
	}
	return s
}

// eachLeaving calls yield for each phase of each itinerary of MTC and of a generated
// set, combined with each itinerary that it may be left for, the given number of
// assignments under which the phase runs, and a change of the flags that the phase
// decides: each of them inverted, all of them, or none.
func eachLeaving(t *testing.T, assignments int, yield func(*testing.T, leaving)) {
	n := 0
	r := rand.New(rand.NewPCG(11, 12))
	var generated []phases.Itinerary
	for k, result := range []phases.Result{phases.Succeeded, phases.Succeeded, phases.Canceled, phases.RolledBack, phases.Failed} {
		it := itinerarytest.Generate(r, false, true)
		it.Name, it.Result, it.Cleanup = fmt.Sprintf("%s%d", result, k), result, k > 1
		generated = append(generated, it)
	}
	for _, set := range []*machine.Set{itineraries, machine.MustCompileSet(generated...)} {
		for _, from := range set.Names() {
			t.Run(from, func(t *testing.T) {
				g, err := set.Graph(from)
				require.NoError(t, err)
				for i := range g.Len() {
					phase := g.Phase(i)
					if phase.End { // a run that enters it is done
						continue
					}
					for _, before := range runsUnder(g, i, assignments) {
						turns := []phases.Flags{0, phase.Decides}
						for flag := range phase.Decides.Each {
							turns = append(turns, flag)
						}
						slices.Sort(turns)
						for _, turn := range slices.Compact(turns) {
							for _, name := range set.Names() {
								to, err := set.Graph(name)
								require.NoError(t, err)
								if to == g || !g.MayLeaveFor(to) {
									continue
								}
								if n++; !testscale.Reduced || n%10 == 0 { // a few suffice
									yield(t, leaving{set, g, phase, to, before, before ^ turn})
								}
							}
						}
					}
				}
			})
		}
	}
}

// runsUnder returns n assignments under which a phase runs: one with many true flags
// and, if n is 2, one with few.
func runsUnder(g *machine.Graph, i, n int) []phases.Flags {
	var all []phases.Flags
	subsets(g.Phase(i).Guard.Reads()|jumpReads(g), func(yes phases.Flags) {
		for _, rest := range []phases.Flags{0, g.Vocabulary().All() &^ (g.Phase(i).Guard.Reads() | jumpReads(g))} {
			if yes := yes | rest; g.Plan(phases.NewFacts(yes, g.Vocabulary().All()&^yes)).Runs(i) == phases.True {
				all = append(all, yes)
			}
		}
	})
	if n == 1 || len(all) < 2 {
		return all[:min(1, len(all))]
	}
	return []phases.Flags{all[0], all[len(all)-1]}
}

// jumpReads returns the flags that the jumps of an itinerary read.
func jumpReads(g *machine.Graph) (reads phases.Flags) {
	for i := range g.Len() {
		for _, j := range g.Phase(i).Jumps {
			reads |= j.Guard.Reads()
		}
	}
	return reads
}

// A phase that is left in the middle may have changed the flags that it decides. The
// next itinerary evaluates them again, and runs phases by their present values. This
// holds for a machine that is switched, one that is resumed from a checkpoint, and
// a controller's own loop.
func TestMachineForgetsFlagsThatALeftPhaseDecides(t *testing.T) {
	t.Parallel()
	n := 0
	eachLeaving(t, 2, func(t *testing.T, l leaving) {
		n++
		facts := phases.NewFacts(l.before, l.from.Vocabulary().All()&^l.before)
		m, err := l.from.NewMachine(machine.Position{Phase: l.phase.Name}, facts)
		require.NoError(t, err)
		checkpoint := m.Checkpoint()

		_, err = m.Switch(l.to)
		require.NoError(t, err)
		assert.Equal(t, l.wants(), walk(t, m, l.after), "switched: %s", &l)

		resumed, err := l.set.Resume(checkpoint, l.to.Name())
		require.NoError(t, err)
		require.True(t, resumed.Switched)
		assert.Equal(t, l.wants(), walk(t, resumed.Machine, l.after), "resumed: %s", &l)

		assert.Equal(t, l.wants(), loop(t, l, checkpoint), "the loop: %s", &l)
	})
	require.True(t, testscale.Reduced || n > 1000, n)
}

// walk runs a machine to its end without handlers, and returns the phases that it
// enters.
func walk(t *testing.T, m *machine.Machine, yes phases.Flags) (entered []string) {
	t.Helper()
	g := m.Graph()
	for {
		request := phases.Request{Known: m.Facts(), Read: g.Reads(), Matters: m.Matters}
		answer := sources(g.Vocabulary(), &yes).Evaluate(t.Context(), request)
		m.SetFacts(answer.Facts)
		tr, err := m.Advance(t.Context())
		require.NoError(t, err)
		if tr.To.Phase != "" {
			entered = append(entered, tr.To.Phase)
		}
		if tr.To.Done {
			return entered
		}
	}
}

// loop repeats the reconcile of a controller without the runner, beginning with a checkpoint.
func loop(t *testing.T, l leaving, checkpoint machine.Checkpoint) (entered []string) {
	t.Helper()
	for {
		m, err := l.set.Resume(checkpoint, l.to.Name())
		require.NoError(t, err)
		if m.Position().Done {
			return entered
		}
		if m.Position().Phase != "" && !m.WorkDone() {
			m.Finish()
		}
		answer := sources(l.from.Vocabulary(), &l.after).Evaluate(t.Context(), phases.Request{
			Known: m.Facts(), Read: m.Graph().Reads(), Matters: m.Matters, Timeout: time.Minute,
		})
		m.SetFacts(answer.Facts)
		require.NoError(t, answer.Err())
		require.Zero(t, m.Awaits())
		_, err = m.Advance(t.Context())
		require.NoError(t, err)
		checkpoint = m.Checkpoint()
		if checkpoint.Phase != "" {
			entered = append(entered, checkpoint.Phase)
		}
	}
}

// The same in the runner: the handler of the phase fails, its deadline passes, or the
// object selects another itinerary while it works. In addition to the phases that run,
// the harness checks that no guard uses a value from before.
func TestRunnerEvaluatesFlagsThatALeftPhaseDecides(t *testing.T) {
	t.Parallel()
	n := make(map[string]int)
	eachLeaving(t, 1, func(t *testing.T, l leaving) {
		var decides []string
		for flag := range (l.before ^ l.after).Each {
			name := l.from.Vocabulary().Names(flag)[0]
			if l.before.Has(flag) {
				name = "!" + name
			}
			decides = append(decides, name)
		}
		script := []machinetest.Line{machinetest.Flags(l.from.Vocabulary().Names(l.before)...)}
		if decides != nil {
			script = append(script, machinetest.Decide(l.phase.Name, decides...).In(l.from.Name()))
		}
		ways := map[string][]machinetest.Line{
			"another itinerary is selected": {machinetest.Wait(l.phase.Name, time.Second), machinetest.Edit(l.phase.Name, "leave").Call(2)},
		}
		if !l.from.IsCleanup() { // a cleanup itinerary continues after a failure
			ways["its handler fails"] = []machinetest.Line{machinetest.Fail(l.phase.Name)}
			ways["its deadline passes"] = []machinetest.Line{
				machinetest.Clock(l.phase.Name, time.Hour), machinetest.Wait(l.phase.Name, time.Second),
			}
		}
		for way, lines := range ways {
			n[way]++
			next := map[string]string{l.from.Name(): l.to.Name()}
			s := machinetest.NewScripted(machinetest.Script{Itineraries: l.set, Itinerary: l.from.Name(), OnFail: next})
			s.Edits["leave"] = func(o *machinetest.Object) { o.Itinerary = l.to.Name() }
			build := s.Options
			s.Options = func(w *struct{}) runner.Options[*machinetest.Object] {
				o := build(w)
				o.Deadline = time.Minute
				return o
			}
			life := machinetest.New(t, s)
			all := slices.Clone(script)
			for _, line := range lines {
				all = append(all, line.In(l.from.Name()))
			}
			life.Run(all...)
			life.WantItinerary(l.to.Name())
			life.WantPhases(l.to.Name(), l.wants()...)
			if t.Failed() {
				t.Fatalf("%s: %s", way, &l)
			}
		}
	})
	for way, times := range n {
		require.True(t, testscale.Reduced || times > 200, "%s: %d", way, times)
	}
	require.Len(t, n, 3)
}
