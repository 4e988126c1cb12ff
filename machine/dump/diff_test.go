package dump_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/dump"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// version returns an itinerary of these phases. Phases without a step get the step S.
func version(t *testing.T, all ...phases.Phase) dump.Side {
	t.Helper()
	it := phases.Itinerary{Name: "It", Vocabulary: vocabulary}
	for _, p := range all {
		if p.Step == "" && !p.End {
			p.Step = "S"
		}
		it.Phases = append(it.Phases, p)
	}
	g, err := machine.Compile(it)
	require.NoError(t, err)
	return dump.Side{Itineraries: []dump.Itinerary{{Graph: g}}}
}

func planned(t *testing.T, s dump.Side, at machine.Position, f phases.Facts) dump.Side {
	t.Helper()
	plan, err := s.Itineraries[0].Graph.PlanFrom(at, f)
	require.NoError(t, err)
	s.Itineraries = []dump.Itinerary{{Plan: plan}}
	return s
}

// marked returns the lines of a text with a mark in the margin, and the summary.
func marked(text string) (lines, summary []string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "+ "), strings.HasPrefix(line, "- "), strings.HasPrefix(line, "~ "):
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		case strings.HasPrefix(line, "  ") && len(lines) == 0 && !strings.Contains(line, "(start)"):
			summary = append(summary, strings.TrimSpace(line))
		}
	}
	return lines, summary
}

func TestNewDiffOfVersions(t *testing.T) {
	a, b, c := phases.Phase{Name: "A"}, phases.Phase{Name: "B"}, phases.Phase{Name: "C"}
	with := func(p phases.Phase, change func(p *phases.Phase)) phases.Phase {
		change(&p)
		return p
	}
	for _, tt := range []struct {
		name           string
		before, after  []phases.Phase
		marked, summed []string
	}{
		{"a new phase", []phases.Phase{a, c}, []phases.Phase{a, b, c}, []string{"+ B new"}, []string{"1 phase is new: B"}},
		{"a phase that is gone, at its old place", []phases.Phase{a, b, c}, []phases.Phase{a, c}, []string{"- B gone"}, []string{"1 phase is gone: B"}},
		{"one in place of another", []phases.Phase{a, b}, []phases.Phase{a, c}, []string{"- B gone", "+ C new"}, []string{"1 phase is new: C", "1 phase is gone: B"}},
		{"a phase that moved", []phases.Phase{a, b, c}, []phases.Phase{c, a, b}, []string{"~ C moved: was after B"}, []string{"1 phase has moved: C"}},
		{"the first that moved", []phases.Phase{a, b, c}, []phases.Phase{b, c, a}, []string{"~ A moved: was after start"}, []string{"1 phase has moved: A"}},
		{"another name", []phases.Phase{a, b}, []phases.Phase{a, with(c, func(p *phases.Phase) { p.Formerly = []string{"B"} })},
			[]string{"~ C was B"}, []string{"1 phase is renamed: C"}},
		{"another name, back", []phases.Phase{a, with(c, func(p *phases.Phase) { p.Formerly = []string{"B"} })}, []phases.Phase{a, b},
			[]string{"~ B was C"}, []string{"1 phase is renamed: B"}},
		{"two phases that became one", []phases.Phase{a, b, c}, []phases.Phase{a, with(c, func(p *phases.Phase) { p.Formerly = []string{"B"} })},
			[]string{"- B gone"}, []string{"1 phase is gone: B"}},
		{"another step", []phases.Phase{a, b}, []phases.Phase{a, with(b, func(p *phases.Phase) { p.Step = "T" })},
			[]string{"+ T (appears)", "~ B step S -> step T"}, []string{"step T appears", "1 phase is defined differently: B"}},
		{"a guard", []phases.Phase{a, b}, []phases.Phase{a, with(b, func(p *phases.Phase) { p.Guard.All = 1 })},
			[]string{"~ B no guard -> if Done"}, []string{"1 phase is defined differently: B"}},
		{"what it decides", []phases.Phase{a, with(b, func(p *phases.Phase) { p.Decides = 1 })}, []phases.Phase{a, b},
			[]string{"~ B decides Done -> decides nothing"}, []string{"1 phase is defined differently: B"}},
		{"that it rides", []phases.Phase{a, b}, []phases.Phase{a, with(b, func(p *phases.Phase) { p.Rides = true })},
			[]string{"~ B shows its step -> rides"}, []string{"1 phase is defined differently: B"}},
		{"an end", []phases.Phase{a, {Name: "B", Step: "S"}}, []phases.Phase{a, {Name: "B", Step: "S", End: true}},
			[]string{"~ (B) no end -> end", "- (done) gone"}, []string{"1 phase is defined differently: B"}},
		{"steps", []phases.Phase{a, b}, []phases.Phase{a, with(b, func(p *phases.Phase) { p.Steps = []phases.GuardedStep{{Step: "S", Guard: phases.Guard{All: 1}}} })},
			[]string{"~ B one step -> step S if Done, else step S"}, []string{"1 phase is defined differently: B"}},
		{"several respects", []phases.Phase{a, b}, []phases.Phase{a, with(b, func(p *phases.Phase) { p.Rides, p.Decides = true, 1 })},
			[]string{"~ B shows its step -> rides; decides nothing -> decides Done"}, []string{"1 phase is defined differently: B"}},
		{"a new jump", []phases.Phase{a, b, c}, []phases.Phase{with(a, func(p *phases.Phase) { p.Jumps = []phases.Jump{{To: "C", Choice: true}} }), b, c},
			[]string{"~ A", "+ -> C by choice"}, []string{"1 jump is new"}},
		{"another guard of a jump", []phases.Phase{with(a, func(p *phases.Phase) { p.Jumps = []phases.Jump{{To: "C", Guard: phases.Guard{All: 1}}} }), b, c},
			[]phases.Phase{with(a, func(p *phases.Phase) { p.Jumps = []phases.Jump{{To: "C", Guard: phases.Guard{All: 2}}} }), b, c},
			[]string{"~ A", "~ -> C if Broken; was if Done"}, []string{"1 jump is changed"}},
		{"a description", []phases.Phase{a}, []phases.Phase{with(a, func(p *phases.Phase) { p.Description = "It begins" })},
			[]string{`~ A no description -> "It begins"`}, []string{"1 phase has another description: A"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := dump.NewDiff(dump.Options{}, version(t, tt.before...), version(t, tt.after...))
			require.NoError(t, err)
			lines, summary := marked(d.Text())
			if len(lines) > 0 {
				summary = summary[:len(tt.summed)]
			}
			if diff := cmp.Diff([][]string{tt.marked, tt.summed}, [][]string{lines, summary}); diff != "" {
				t.Errorf("-want +got\n%s\n%s", diff, d.Text())
			}
			assert.Equal(t, tt.marked == nil, d.Same())
		})
	}
}

func TestNewDiffOfPlans(t *testing.T) {
	v := version(t, phases.Phase{Name: "A"},
		phases.Phase{Name: "B", Step: "T", Guard: phases.Guard{All: 1}}, phases.Phase{Name: "C", Guard: phases.Guard{All: 3}})
	for _, tt := range []struct {
		name           string
		before, after  dump.Side
		marked, summed []string
	}{
		{"a flag", planned(t, v, machine.Position{}, phases.NewFacts(0, 7)), planned(t, v, machine.Position{}, phases.NewFacts(1, 6)),
			[]string{"+ T (appears)", "~ + B will not run -> will run; if Done", "~ - C needs Done and Broken -> needs Broken"},
			[]string{"Done: false -> true", "step T appears", "1 phase now runs: B", "1 phase has another reason for its state: C"}},
		{"a flag that becomes unknown", planned(t, v, machine.Position{}, phases.NewFacts(1, 6)), planned(t, v, machine.Position{}, phases.NewFacts(0, 6)),
			[]string{"~ T (shown -> may be shown)", "~ ? B will run -> unknown; depends on Done, which is unknown"},
			[]string{"Done: true -> unknown", "step T: shown -> may be shown", "1 phase may run now: B"}},
		{"a flag that nothing reads", planned(t, v, machine.Position{}, phases.NewFacts(1, 6)), planned(t, v, machine.Position{}, phases.NewFacts(5, 2)), nil,
			[]string{"Late: false -> true"}},
		{"a position", planned(t, v, machine.Position{Phase: "A"}, phases.NewFacts(1, 6)), planned(t, v, machine.Position{Phase: "B"}, phases.NewFacts(1, 6)),
			[]string{"~ . A current -> behind", "~ > B will run -> current"}, []string{"at A -> at B", "1 phase is now behind: A"}},
		{"the end", planned(t, v, machine.Position{Phase: "A"}, phases.NewFacts(0, 7)), planned(t, v, machine.Position{Done: true}, phases.NewFacts(0, 7)),
			[]string{"~ . A current -> behind", "~ . B will not run -> behind", "~ . C will not run -> behind", "~ > (done) will run -> current"},
			[]string{"at A -> at done", "3 phases are now behind: A, B and C"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := dump.NewDiff(dump.Options{}, tt.before, tt.after)
			require.NoError(t, err)
			lines, summary := marked(unwrap(d.Text()))
			if diff := cmp.Diff([][]string{tt.marked, tt.summed}, [][]string{lines, summary[:len(tt.summed)]}); diff != "" {
				t.Errorf("-want +got\n%s\n%s", diff, d.Text())
			}
			assert.Equal(t, tt.marked == nil, d.Same())
		})
	}
}

// unwrap joins wrapped lines of details.
func unwrap(text string) string { return strings.ReplaceAll(text, "\n"+strings.Repeat(" ", 14), " ") }

func TestNewDiffRefuses(t *testing.T) {
	v := version(t, phases.Phase{Name: "A"})
	g := machine.MustCompile(phases.Itinerary{Name: "Other", Vocabulary: vocabulary, Phases: []phases.Phase{{Name: "B", Step: "S"}}})
	other := dump.Side{Itineraries: []dump.Itinerary{{Graph: g}}}
	both := dump.Side{Itineraries: append(v.Itineraries, other.Itineraries...)}
	for _, tt := range []struct {
		name          string
		o             dump.Options
		before, after dump.Side
		want          string
	}{
		{"nothing", dump.Options{}, dump.Side{}, dump.Side{}, "no itinerary is given"},
		{"a plan on one side", dump.Options{}, v, planned(t, v, machine.Position{}, phases.Facts{}), `itinerary "It" has a plan on one side only; give two or none`},
		{"no graph", dump.Options{}, v, dump.Side{Itineraries: []dump.Itinerary{{}}}, "neither a graph nor a plan"},
		{"an itinerary twice", dump.Options{}, v, dump.Side{Itineraries: append(v.Itineraries, v.Itineraries...)}, `itinerary "It" is given twice`},
		{"only what runs, without plans", dump.Options{OnlyRun: true}, v, v, "which OnlyRun needs"},
		{"options that exclude each other", dump.Options{Around: "A", AllEdges: true}, v, v, "leave out AllEdges"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := dump.NewDiff(tt.o, tt.before, tt.after)
			require.ErrorAs(t, err, new(*dump.OptionsError))
			assert.ErrorContains(t, err, tt.want)
		})
	}
	t.Run("around a phase that neither side has", func(t *testing.T) {
		_, err := dump.NewDiff(dump.Options{Around: "Z"}, both, both)
		require.ErrorAs(t, err, new(*dump.UnknownPhaseError))
		assert.ErrorContains(t, err, `no phase "Z" in itineraries It and Other;`)
	})
	t.Run("two of different names are compared", func(t *testing.T) {
		d, err := dump.NewDiff(dump.Options{}, v, other)
		require.NoError(t, err)
		assert.Contains(t, d.Text(), "Other, was It\n")
		assert.False(t, d.Same())
	})
	t.Run("one of several is gone", func(t *testing.T) {
		d, err := dump.NewDiff(dump.Options{}, both, v)
		require.NoError(t, err)
		assert.Contains(t, d.Text(), "Other\n  this itinerary is gone\n- (start)\n- S\n-   B\n- (done)\n")
		assert.Contains(t, d.Text(), "It: nothing differs; left out\n")
	})
	t.Run("around a phase that one side has", func(t *testing.T) {
		d, err := dump.NewDiff(dump.Options{Around: "B"}, v, version(t, phases.Phase{Name: "A"}, phases.Phase{Name: "B"}))
		require.NoError(t, err)
		lines, _ := marked(d.Text())
		assert.Equal(t, []string{"+ next: B", "+ B new", "+ next: (done)"}, lines)
	})
}

// Both sides have the same phases and jumps; only the flags differ.
func TestNewDiffOfDeclaredFlags(t *testing.T) {
	side := func(defs []phases.FlagDef, relations ...phases.Clause) dump.Side {
		vocabulary := phases.MustVocabulary(defs, relations...)
		g, err := machine.Compile(phases.Itinerary{Name: "It", Vocabulary: vocabulary, Phases: []phases.Phase{
			{Name: "A", Step: "S", Guard: phases.Guard{All: 1}},
		}})
		require.NoError(t, err)
		return dump.Side{Itineraries: []dump.Itinerary{{Graph: g}}}
	}
	flags := func(change ...func(defs []phases.FlagDef)) []phases.FlagDef {
		defs := []phases.FlagDef{{Flag: 1, Name: "X"}, {Flag: 2, Name: "Y"}, {Flag: 4, Name: "Z"}}
		for _, c := range change {
			c(defs)
		}
		return defs
	}
	live := flags(func(defs []phases.FlagDef) { defs[0].Live, defs[1].Live = true, true })
	described := flags(func(defs []phases.FlagDef) { defs[1].Description = "it is" })
	for _, tt := range []struct {
		name          string
		before, after dump.Side
		forth, back   []string
	}{
		{"nothing", side(flags()), side(flags()), nil, nil},
		{"the order", side(flags(), phases.Clause{True: 1, False: 2}),
			side([]phases.FlagDef{{Flag: 1, Name: "X"}, {Flag: 2, Name: "Z"}, {Flag: 4, Name: "Y"}}, phases.Clause{True: 1, False: 4}), nil, nil},
		{"a relation twice", side(flags(), phases.Clause{True: 3}), side(flags(), phases.Clause{True: 3}, phases.Clause{True: 3}), nil, nil},
		{"a flag", side(flags()[:2]), side(flags()), []string{"new: flag Z"}, []string{"gone: flag Z"}},
		{"flags", side(flags()[:1]), side(flags()), []string{"new: flags Y and Z"}, []string{"gone: flags Y and Z"}},
		{"another name", side(flags()[:2]), side(flags(func(defs []phases.FlagDef) { defs[1].Name = "V" })[:2]),
			[]string{"gone: flag Y", "new: flag V"}, []string{"gone: flag V", "new: flag Y"}},
		{"live", side(flags()), side(live), []string{"changed: flags X and Y are live"}, []string{"changed: flags X and Y are not live"}},
		{"a description", side(flags()), side(described), []string{`flag Y without description -> flag Y "it is"`}, []string{`flag Y "it is" -> flag Y without description`}},
		{"a relation", side(flags()), side(flags(), phases.Clause{False: 1, True: 2}), []string{"new: relation !X or Y"}, []string{"gone: relation !X or Y"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, way := range []struct {
				before, after dump.Side
				want          []string
			}{{tt.before, tt.after, tt.forth}, {tt.after, tt.before, tt.back}} {
				d, err := dump.NewDiff(dump.Options{}, way.before, way.after)
				require.NoError(t, err)
				assert.Equal(t, way.want == nil, d.Same())
				assert.Equal(t, way.want == nil, strings.Contains(d.Text(), "nothing differs"))
				for _, want := range way.want {
					assert.Contains(t, d.Text(), "\n  "+want+"\n")
					for _, format := range []string{d.DOT(), d.Mermaid(), string(d.SVG()), string(d.JSON())} {
						word, _, _ := strings.Cut(strings.Replace(want, ":", " ", 1), " ")
						assert.Contains(t, format, word)
					}
				}
			}
		})
	}
}

func TestNewDiffOfDescriptions(t *testing.T) {
	side := func(description string) dump.Side {
		return version(t, phases.Phase{Name: "Upload", Description: description})
	}
	d, err := dump.NewDiff(dump.Options{}, side("Uploading the archive"), side("Sending the archive"))
	require.NoError(t, err)
	assert.False(t, d.Same())
	assert.Contains(t, d.Text(), "1 phase has another description: Upload")
	assert.Contains(t, d.Text(), `"Uploading the archive" -> "Sending the archive"`)
	d, err = dump.NewDiff(dump.Options{}, side("Uploading"), side("Uploading"))
	require.NoError(t, err)
	assert.True(t, d.Same())
}

// A flag that a phase decides is open while that phase is in progress, whatever its
// current value.
func TestJumpDecidedByCurrentPhaseMayBeTaken(t *testing.T) {
	g, err := machine.Compile(phases.Itinerary{Name: "It", Vocabulary: vocabulary, Phases: []phases.Phase{
		{Name: "Snapshot", Step: "S"},
		{Name: "Wait", Step: "S", Decides: 1, Jumps: []phases.Jump{{To: "Snapshot", Guard: phases.Guard{All: 1}}}},
		{Name: "Upload", Step: "S"},
	}})
	require.NoError(t, err)
	for _, value := range []phases.Truth{phases.True, phases.False} {
		plan, err := g.PlanFrom(machine.Position{Phase: "Wait"}, phases.Facts{}.Set(vocabulary.All(), phases.False).Set(1, value))
		require.NoError(t, err)
		d, err := dump.New(dump.Options{}, dump.Itinerary{Plan: plan})
		require.NoError(t, err)
		assert.Contains(t, d.Text(), "(may be taken)", value)
		assert.NotContains(t, d.Text(), "(taken)", value)
		assert.NotContains(t, d.Text(), "(not taken)", value)
	}
}
