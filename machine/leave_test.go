package machine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/itinerarytest"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// sets returns MTC's itineraries, and generated ones of which every other is a cleanup itinerary.
func sets(t *testing.T) map[string]*machine.Set {
	t.Helper()
	r := rand.New(rand.NewPCG(5, 5))
	results := []phases.Result{phases.Succeeded, phases.Failed, phases.Canceled, phases.RolledBack}
	var generated []phases.Itinerary
	for k := range 16 {
		it := itinerarytest.Generate(r, k%4 < 2, true)
		it.Name, it.Cleanup, it.Result = fmt.Sprintf("I%d", k), k%2 == 1, results[k/2%4]
		generated = append(generated, it)
	}
	all := map[string]*machine.Set{"generated": machine.MustCompileSet(generated...)}
	var its []phases.Itinerary
	for _, name := range []string{mtc.Stage, mtc.Final, mtc.Cancel, mtc.Failed, mtc.Rollback} {
		it, err := mtc.Itinerary(name)
		require.NoError(t, err)
		its = append(its, it)
	}
	all["MTC"] = machine.MustCompileSet(its...)
	return all
}

// eachLeaving calls yield for each phase of each itinerary and each other itinerary, with a machine
// in that phase that knows every flag.
func eachLeaving(t *testing.T, yield func(t *testing.T, set *machine.Set, m *machine.Machine, to *machine.Graph)) {
	for about, set := range sets(t) {
		t.Run(about, func(t *testing.T) {
			for _, from := range set.Names() {
				g, err := set.Graph(from)
				require.NoError(t, err)
				for _, at := range positions(g)[1:] {
					for _, name := range set.Names() {
						if name == from {
							continue
						}
						to, err := set.Graph(name)
						require.NoError(t, err)
						// Every other flag is true.
						trues := g.Vocabulary().All() & 0x5555555555555555
						m, err := g.NewMachine(at, phases.NewFacts(trues, g.Vocabulary().All()&^trues))
						require.NoError(t, err)
						yield(t, set, m, to)
					}
				}
			}
		})
	}
}

// The flags that an interrupted phase decides become unknown, and no others.
func TestSwitchForgetsWhatTheInterruptedPhaseDecides(t *testing.T) {
	followed, forgot := 0, 0
	eachLeaving(t, func(t *testing.T, set *machine.Set, m *machine.Machine, to *machine.Graph) {
		from, was, decides := m.Graph(), m.Facts(), m.Decides()
		if !from.MayLeaveFor(to) {
			return
		}
		followed++
		if decides != 0 {
			forgot++
		}
		r, err := set.Resume(m.Checkpoint(), to.Name())
		require.NoError(t, err)
		require.True(t, r.Switched)
		require.Empty(t, r.SwitchHeld)
		require.Equal(t, to, r.Graph())
		require.Equal(t, machine.Position{}, r.Position())
		require.Equal(t, was.Forget(decides), r.Facts(), "resumed from %s at %s", from.Name(), m.Position())

		tr, err := m.Switch(to)
		require.NoError(t, err)
		require.Equal(t, from.Name(), tr.PreviousItinerary)
		require.Equal(t, was.Forget(decides), m.Facts(), "switched from %s at %s", from.Name(), tr.From)
	})
	assert.Greater(t, followed, 500)
	assert.Greater(t, forgot, 150)
}

// An itinerary that has not begun has interrupted no phase.
func TestSwitchAtTheStartForgetsNothing(t *testing.T) {
	g := machine.MustCompile(loop)
	m, err := g.NewMachine(machine.Position{}, facts(flagC))
	require.NoError(t, err)
	_, err = m.Switch(machine.MustCompile(abc))
	require.NoError(t, err)
	assert.Equal(t, facts(flagC), m.Facts())

	checkpoint := machine.Checkpoint{Itinerary: "Loop", Facts: four.Record(facts(flagC), g.Hash())}
	r, err := machine.MustCompileSet(loop, abc).Resume(checkpoint, "Letters")
	require.NoError(t, err)
	assert.True(t, r.Switched)
	assert.Equal(t, facts(flagC), r.Facts())
}

// If the itinerary no longer has the recorded phase, that phase may have decided any flag that some
// phase decides. A former name counts as present.
func TestResumeForgetsWhatAMissingPhaseMayHaveDecided(t *testing.T) {
	it := loop
	it.Phases = append([]phases.Phase{}, loop.Phases...)
	it.Phases[1].Decides = flagA
	it.Phases[4].Decides = flagD
	set := machine.MustCompileSet(it, abc)
	for _, c := range []struct {
		itinerary, phase string
		forgets          phases.Flags
	}{
		{"Loop", "Copy", flagA},
		{"Loop", "Cutover", flagD},
		{"Loop", "Begin", 0},
		{"Loop", "Gone", flagA | flagC | flagD},
		{"Gone", "Copy", four.All()},
	} {
		t.Run(c.itinerary+" "+c.phase, func(t *testing.T) {
			checkpoint := machine.Checkpoint{Itinerary: c.itinerary, Phase: c.phase, Facts: four.Record(facts(flagB), "")}
			r, err := set.Resume(checkpoint, "Letters")
			require.NoError(t, err)
			assert.True(t, r.Switched)
			assert.Equal(t, facts(flagB).Forget(c.forgets), r.Facts())
		})
	}
}

// A cleanup itinerary that has begun is left only for another one, and never because part of it
// failed.
func TestMayLeaveForOfACleanup(t *testing.T) {
	stays := 0
	eachLeaving(t, func(t *testing.T, set *machine.Set, m *machine.Machine, to *machine.Graph) {
		from, at, was := m.Graph(), m.Position(), m.Facts()
		want := !from.IsCleanup() || to.IsCleanup() && to.Result() != phases.Failed
		require.Equal(t, want, from.MayLeaveFor(to))
		if want {
			return
		}
		stays++
		r, err := set.Resume(m.Checkpoint(), to.Name())
		require.NoError(t, err)
		require.False(t, r.Switched)
		require.False(t, r.Changed)
		require.Equal(t, to.Name(), r.SwitchHeld)
		require.Equal(t, from, r.Graph())
		require.Equal(t, at, r.Position())
		require.Equal(t, was, r.Facts())

		var refused *machine.SwitchError
		_, err = m.Switch(to)
		require.ErrorAs(t, err, &refused)
		require.Equal(t, machine.SwitchError{From: from.Name(), To: to.Name(), Problem: refused.Problem}, *refused)
		require.Contains(t, err.Error(), "can be left only for another cleanup itinerary")
		require.Equal(t, at, m.Position())
		require.Equal(t, from, m.Graph())
		require.Equal(t, was, m.Facts())

		// Before its first phase it has cleaned up nothing, so it may be left.
		begins, err := from.NewMachine(machine.Position{}, was)
		require.NoError(t, err)
		r, err = set.Resume(begins.Checkpoint(), to.Name())
		require.NoError(t, err)
		require.True(t, r.Switched)
		require.Empty(t, r.SwitchHeld)
		_, err = begins.Switch(to)
		require.NoError(t, err)
	})
	assert.Greater(t, stays, 300)
	assert.False(t, machine.MustCompile(abc).MayLeaveFor(nil))
}

// In a cleanup that is not left, the recorded phase is looked up although the object's state
// selects another itinerary.
func TestResumeOfACleanupStopsAtAnUnknownPhase(t *testing.T) {
	it := loop
	it.Cleanup = true
	set := machine.MustCompileSet(abc, it)
	_, err := set.Resume(machine.Checkpoint{Itinerary: "Loop", Phase: "Gone"}, "Letters")
	var unknown *machine.UnknownPhaseError
	require.ErrorAs(t, err, &unknown)
	assert.Equal(t, "Loop", unknown.Itinerary)

	r, err := set.Resume(machine.Checkpoint{Itinerary: "Loop", Phase: "Cutover", Facts: phases.Record{Hash: "of old"}}, "Letters")
	require.NoError(t, err)
	assert.Equal(t, "Letters", r.SwitchHeld)
	assert.Equal(t, machine.Position{Phase: "Cut"}, r.Position())
	assert.True(t, r.Changed)

	_, err = set.Resume(machine.Checkpoint{Itinerary: "Loop", Phase: "Cut"}, "Lettres")
	assert.ErrorAs(t, err, new(*phases.UnknownItineraryError), "an unknown selected itinerary is reported at once")
}

// A run that is done stays done, whatever is selected and whichever itineraries the set still has.
func TestResumeNeverLooksUpDone(t *testing.T) {
	cleanup := loop
	cleanup.Cleanup = true
	for about, set := range map[string]*machine.Set{
		"a set":                   machine.MustCompileSet(abc, cleanup),
		"a set without Letters":   machine.MustCompileSet(cleanup),
		"a set of no itineraries": new(machine.Set),
		"no set":                  nil,
	} {
		for _, recorded := range []string{"Letters", "Loop", "Gone", ""} {
			for _, selected := range []string{"Letters", "Loop", "Gone", "Lost", ""} {
				for _, phase := range []string{"", "B", "Gone"} {
					t.Run(fmt.Sprintf("%s: %q at %q, selected %q", about, recorded, phase, selected), func(t *testing.T) {
						facts := four.Record(facts(flagA), "of old")
						checkpoint := machine.Checkpoint{Itinerary: recorded, Phase: phase, Done: true, Facts: facts}
						r, err := set.Resume(checkpoint, selected)
						require.NoError(t, err)
						in, switchHeld := recorded, selected
						if recorded == "" {
							in = selected
						}
						if in == selected {
							switchHeld = ""
						}
						assert.Equal(t, machine.Position{Phase: phase, Done: true}, r.Position())
						assert.Equal(t, in, r.Graph().Name())
						assert.Equal(t, switchHeld, r.SwitchHeld)
						assert.False(t, r.Switched)
						assert.Empty(t, r.Plan().Running())
						assert.Zero(t, r.Awaits()|r.Depends()|r.Decides())
						_, err = r.Advance(context.Background())
						assert.ErrorIs(t, err, machine.ErrDone)
						c := r.Checkpoint()
						assert.True(t, c.Done)
						assert.Equal(t, in, c.Itinerary)
						if len(set.Names()) > 0 {
							assert.Equal(t, []string{"A"}, c.Facts.True, "the facts are kept")
						}
					})
				}
			}
		}
	}
}

func TestZeroValuesAndBadIndices(t *testing.T) {
	for about, p := range map[string]*machine.Plan{"nil": nil, "zero": {}} {
		assert.Nil(t, p.Graph(), about)
		assert.Empty(t, p.Running(), about)
		assert.Zero(t, p.Matters(), about)
		assert.Equal(t, phases.Facts{}, p.Facts(), about)
		assert.Equal(t, machine.Position{}, p.Position(), about)
		assert.Equal(t, -1, p.Current(), about)
		for i := range p.Each {
			t.Errorf("%s: %d is reached", about, i)
		}
	}
	for about, p := range map[string]*machine.Plan{"nil": nil, "zero": {}, "another": machine.MustCompile(abc).Plan(facts(flagA))} {
		for _, i := range []int{-1, 3, 64} {
			assert.Equal(t, phases.False, p.Runs(i), about)
			assert.Equal(t, phases.False, p.Guard(i), about)
			assert.False(t, p.Tentative(i), about)
			assert.Nil(t, p.Why(i), about)
			assert.Equal(t, machine.PhasePlan{}, p.Phase(i), about)
		}
	}

	m := machineAt(t, abc, "A", 0)
	var refused *machine.SwitchError
	_, err := m.Switch(nil)
	require.ErrorAs(t, err, &refused)
	assert.EqualError(t, err, `cannot switch from itinerary "Letters" to none: there is no such itinerary; take one of the same set`)
	assert.Equal(t, machine.Position{Phase: "A"}, m.Position())

	for about, set := range map[string]*machine.Set{"zero": {}, "nil": nil} {
		_, err = set.Resume(machine.Checkpoint{Itinerary: "Letters", Phase: "A"}, "Letters")
		assert.ErrorAs(t, err, new(*phases.UnknownItineraryError), about)
		_, err = set.Graph("Letters")
		assert.EqualError(t, err, `unknown itinerary "Letters"; known: none`, about)
		assert.Empty(t, set.Names(), about)
	}
}
