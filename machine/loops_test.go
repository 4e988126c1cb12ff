package machine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/itinerarytest"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// letters builds an itinerary from words such as B?A^C>A(!A)>D: phase B runs if A is true, decides
// C, and jumps to phase A if A is false, else to D.
func letters(t *testing.T, text string) phases.Itinerary {
	t.Helper()
	flags := func(names string) (f phases.Flags) {
		for _, n := range names {
			f |= 1 << (n - 'A')
		}
		return f
	}
	guard := func(text string) phases.Guard {
		if names, ok := strings.CutPrefix(text, "!"); ok {
			return phases.Guard{None: flags(names)}
		}
		return phases.Guard{All: flags(text)}
	}
	it := phases.Itinerary{Name: "Letters", Vocabulary: four}
	for _, word := range strings.Fields(text) {
		parts := strings.Split(word, ">")
		head, decides, _ := strings.Cut(parts[0], "^")
		name, all, _ := strings.Cut(head, "?")
		p := phases.Phase{Name: name, Step: "S", Guard: guard(all), Decides: flags(decides)}
		for _, j := range parts[1:] {
			to, g, _ := strings.Cut(strings.TrimSuffix(j, ")"), "(")
			p.Jumps = append(p.Jumps, phases.Jump{To: to, Guard: guard(g)})
		}
		it.Phases = append(it.Phases, p)
	}
	return it
}

func TestCompileRefusesEndlessLoops(t *testing.T) {
	for _, c := range []struct {
		about, phases string
		want          []string
	}{
		{"no loop", "S T?A U", nil},
		{"a phase that always jumps to itself", "S W>W U", []string{"W"}},
		{"a guard lets the run pass it", "S W?A>W U", nil},
		{"one that is left under a guard", "S W>W(A) U", nil},
		{"a loop of three", "S T V W>T U", []string{"T, V, W"}},
		{"one that is left in its middle", "S T V>U(A) W>T U", nil},
		{"left by passing the phase that jumps back", "S T V W?!A>T U", nil},
		{"two jumps that exclude each other, both back", "S T W>T(A)>S(!A) U", []string{"S, T, W"}},
		{"two jumps that exclude each other, one out", "S T W>T(A)>U(!A) V U", nil},
		{"a loop that nothing leads to", "S>U W>W U", []string{"W"}},
		{"a phase that only leads into a loop is not part of it", "S V W>W", []string{"W"}},
		{"a loop and its entry", "S T>T U>V(A)>U V", []string{"T"}},
		{"one that leads only into the other", "S T>T(A) U>U", []string{"U"}},
		{"two, side by side", "S>T(A)>U T>T U>U V", []string{"T", "U"}},
		{"the last phase always jumps back", "S T>S", []string{"S, T"}},
		{"jumps that always lead to each other", "S T>U U>T V", []string{"T, U"}},
	} {
		t.Run(c.about, func(t *testing.T) {
			it := letters(t, c.phases)
			_, err := machine.Compile(it)
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			var all phases.DefinitionErrors
			require.ErrorAs(t, err, &all)
			var got []string
			for _, e := range all {
				assert.Equal(t, phases.ReasonEndlessLoop, e.Reason)
				assert.Equal(t, e.Phase, it.Phases[e.Index].Name)
				_, names, _ := strings.Cut(e.Problem, "(")
				names, _, _ = strings.Cut(names, ")")
				assert.True(t, strings.HasPrefix(names, e.Phase))
				got = append(got, names)
			}
			assert.Empty(t, cmp.Diff(c.want, got), "-want +got")
			_, err = machine.CompileSet(it)
			assert.ErrorAs(t, err, &all)
		})
	}

	cleanup := letters(t, "S T W>T(A)>S(!A) U")
	cleanup.Cleanup = true
	_, err := machine.Compile(cleanup)
	assert.NoError(t, err, "a cleanup itinerary leaves it if A stays unknown")

	_, err = machine.Compile(letters(t, "S W>W U"))
	assert.EqualError(t, err, `itinerary "Letters": phase "W" is in a loop that a run cannot leave with any flags (W); `+
		`add a guard to the jump that leads back, or a jump that leads out`)
	long := letters(t, "S")
	for i := range 20 {
		long.Phases = append(long.Phases, phases.Phase{Name: fmt.Sprint(i), Step: "S"})
	}
	long.Phases[20].Jumps = []phases.Jump{{To: "S"}}
	_, err = machine.Compile(long)
	assert.ErrorContains(t, err, "(S, 0, 1, 2, 3, 4, 5, 6, 7, 8, and 11 more)")
}

// A loop that is refused is never left, even if every flag changes at every move. From every phase
// of an itinerary that compiles, the end can be reached, if guards are judged one by one.
func TestCompileRefusesExactlyTheEndlessLoops(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 11))
	refused, compiled := 0, 0
	for range 800 {
		it := letters(t, "A B C D E")
		for i := range it.Phases {
			p := &it.Phases[i]
			guard := func() phases.Guard {
				switch r.IntN(4) {
				case 0:
					return all(1 << r.IntN(3))
				case 1:
					return without(1 << r.IntN(3))
				}
				return phases.Guard{}
			}
			p.Guard = guard()
			for r.IntN(2) == 0 && len(p.Jumps) < 3 {
				p.Jumps = append(p.Jumps, phases.Jump{To: it.Phases[r.IntN(5)].Name, Guard: guard()})
			}
		}
		leads := leadsToTheEnd(it)
		_, err := machine.Compile(it)
		var e phases.DefinitionErrors
		if errors.As(err, &e) {
			refused++
			for _, one := range e {
				require.False(t, leads[one.Index], "%+v", it.Phases)
			}
		} else {
			compiled++
			require.NoError(t, err)
			require.NotContains(t, leads, false, "%+v", it.Phases)
		}
	}
	assert.Greater(t, refused, 50)
	assert.Greater(t, compiled, 50)
}

// leadsToTheEnd reports for each phase whether some run comes from there to the end, with any
// values of the flags at each phase on its path.
func leadsToTheEnd(it phases.Itinerary) []bool {
	n := len(it.Phases)
	ends := make([]bool, n+1)
	ends[n] = true
	for range it.Phases {
		for i, p := range it.Phases {
			for f := range itinerarytest.Assignments {
				if p.Guard.Eval(f) != phases.True {
					ends[i] = ends[i] || ends[i+1]
					continue
				}
				// The flags on leaving may differ from those on entering.
				for f := range itinerarytest.Assignments {
					to := i + 1
					k := slices.IndexFunc(p.Jumps, func(j phases.Jump) bool { return j.Guard.Eval(f) == phases.True })
					if k >= 0 {
						to = slices.IndexFunc(it.Phases, func(q phases.Phase) bool { return q.Name == p.Jumps[k].To })
					}
					ends[i] = ends[i] || ends[to]
				}
			}
		}
	}
	return ends[:n]
}

func TestFrozenLoops(t *testing.T) {
	for _, c := range []struct {
		about, phases string
		want          []machine.Loop
	}{
		{"no loop", "S T?A U", nil},
		{"a phase that repeats while a flag is set that no phase decides", "S W>W(A) U", []machine.Loop{{Phases: []string{"W"}, Flags: []string{"A"}}}},
		{"a flag that the phase decides", "S W^A>W(A) U", nil},
		{"a flag that is decided before", "S^A W>W(A) U", []machine.Loop{{Phases: []string{"W"}, Flags: []string{"A"}}}},
		{"a flag that is decided after", "S W>W(A) U^A", []machine.Loop{{Phases: []string{"W"}, Flags: []string{"A"}}}},
		{"a flag that another phase of the loop decides", "S T^A W>T(A) U", nil},
		{"a loop that is left in its middle", "S T V>U(AB) W^C>T U", []machine.Loop{{Phases: []string{"T", "V", "W"}, Flags: []string{"A", "B"}}}},
		{"one exit whose flag is decided, and one whose flag is not", "S T>U(A) V^B W>T(B) U", nil},
		{"left by passing the phase that jumps back", "S T W?A>T U", []machine.Loop{{Phases: []string{"T", "W"}, Flags: []string{"A"}}}},
		{"one inside of another that is left", "S T V>V(A) W^B>T(B) U", []machine.Loop{{Phases: []string{"V"}, Flags: []string{"A"}}}},
		{"one around another that is left", "S T V^A>V(A) W>T(B) U", []machine.Loop{{Phases: []string{"T", "V", "W"}, Flags: []string{"B"}}}},
		{"two that begin with one phase", "S T V>T(A) W^B>T(B) U", []machine.Loop{{Phases: []string{"T", "V"}, Flags: []string{"A"}}}},
		{"two jumps back to one phase", "S T V>T(A) W>T(B) U", []machine.Loop{
			{Phases: []string{"T", "V"}, Flags: []string{"A"}}, {Phases: []string{"T", "V", "W"}, Flags: []string{"B"}},
		}},
		{"two jumps back by one flag each", "S T W>T(A)>S(B) U", []machine.Loop{
			{Phases: []string{"T", "W"}, Flags: []string{"A", "B"}}, {Phases: []string{"S", "T", "W"}, Flags: []string{"A", "B"}},
		}},
		{"left whatever the flag", "S T>U(A) W>U(!A)>T U", nil},
		{"left by a jump over the phase that jumps back", "S T>U(A) W>T U", []machine.Loop{{Phases: []string{"T", "W"}, Flags: []string{"A"}}}},
		{"a jump into the middle of a loop", "S>W(B) T W>T(A) U", []machine.Loop{{Phases: []string{"T", "W"}, Flags: []string{"A"}}}},
	} {
		t.Run(c.about, func(t *testing.T) {
			g, err := machine.Compile(letters(t, c.phases))
			require.NoError(t, err)
			assert.Empty(t, cmp.Diff(c.want, g.FrozenLoops()), "-want +got")
		})
	}
	for _, name := range []string{mtc.Stage, mtc.Final, mtc.Cancel, mtc.Failed, mtc.Rollback} {
		it, err := mtc.Itinerary(name)
		require.NoError(t, err)
		assert.Empty(t, machine.MustCompile(it).FrozenLoops(), name)
	}
}

// With some values of its flags a frozen loop is not left, whatever its phases decide.
func TestFrozenLoopsAreNotLeft(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 12))
	frozen := 0
	for range 2000 {
		it := itinerarytest.Generate(r, true, true)
		g := machine.MustCompile(it)
		for _, loop := range g.FrozenLoops() {
			frozen++
			flags, err := four.Parse(loop.Flags...)
			require.NoError(t, err)
			stays := false
			for yes := range phases.Flags(16) {
				stays = stays || yes&^flags == 0 && staysIn(t, g, loop, phases.NewFacts(yes, flags&^yes))
			}
			require.True(t, stays, "%+v: %v", it.Phases, loop)
		}
	}
	assert.Greater(t, frozen, 300)
}

// staysIn reports whether no move leads from a phase of the loop to the end or to a phase outside,
// with the flag values f and any values of the other flags.
func staysIn(t *testing.T, g *machine.Graph, loop machine.Loop, f phases.Facts) bool {
	t.Helper()
	for _, name := range loop.Phases {
		for full := range itinerarytest.Assignments {
			if !completes(full, f) {
				continue
			}
			i, err := g.Lookup(name)
			require.NoError(t, err)
			if g.Phase(i).Guard.Eval(full) != phases.True {
				continue // not entered
			}
			if g.IsEnd(i) {
				return false
			}
			m, err := g.NewMachine(machine.Position{Phase: name}, full)
			require.NoError(t, err)
			tr, err := m.Advance(context.Background())
			require.NoError(t, err)
			if tr.To.Done || !slices.Contains(loop.Phases, tr.To.Phase) {
				return false
			}
		}
	}
	return true
}

// The itinerary has a thousand loops in ten thousand phases, inside one more.
func TestFrozenLoopsOfALargeItinerary(t *testing.T) {
	it := phases.Itinerary{Name: "Large", Vocabulary: four}
	for i := range 10_000 {
		p := phases.Phase{Name: fmt.Sprint(i), Step: "S"}
		if i%10 == 9 {
			p.Jumps = []phases.Jump{{To: fmt.Sprint(i - 9), Guard: all(flagA)}}
		}
		it.Phases = append(it.Phases, p)
	}
	it.Phases[9_999].Jumps = append(it.Phases[9_999].Jumps, phases.Jump{To: "0", Guard: all(flagB)})
	loops := machine.MustCompile(it).FrozenLoops()
	require.Len(t, loops, 1001)
	assert.Equal(t, machine.Loop{Phases: strings.Fields("0 1 2 3 4 5 6 7 8 9"), Flags: []string{"A"}}, loops[0])
	assert.Len(t, loops[1000].Phases, 10_000)
	it.Phases[5_000].Decides = flagA | flagB
	assert.Len(t, machine.MustCompile(it).FrozenLoops(), 999)
}
