package dump_test

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/dump"
	"github.com/konveyor/dynamic-pipeline/phases"
)

var vocabulary = phases.MustVocabulary([]phases.FlagDef{{Flag: 1, Name: "Done"}, {Flag: 2, Name: "Broken"}, {Flag: 4, Name: "Late"}})

// loopDrawing is at Pause. It has a phase in every state and two that depend on a choice,
// of which Stop is an end phase. Cut has failed.
func loopDrawing(t *testing.T) *dump.Drawing {
	t.Helper()
	g, err := machine.Compile(phases.Itinerary{Name: "Loop", Vocabulary: vocabulary, Phases: []phases.Phase{
		{Name: "Begin", Step: "Prepare"},
		{Name: "Copy", Step: "Copy"},
		{Name: "Pause", Step: "Copy", Decides: 1, Jumps: []phases.Jump{{To: "Cut", Guard: phases.Guard{All: 1}}}},
		{Name: "Again", Step: "Copy", Jumps: []phases.Jump{{To: "Copy"}}},
		{Name: "Cut", Step: "Cut"},
		{Name: "Check", Step: "Cut", Guard: phases.Guard{All: 2}},
		{Name: "Last", Step: "Cut", Guard: phases.Guard{All: 4}},
		{Name: "Clean", Step: "Cut", Jumps: []phases.Jump{{To: "Stop", Choice: true}}},
		{Name: "Wait", Step: "Cut"},
		{Name: "Stop", Step: "Cut", End: true, Guard: phases.Guard{None: 2}},
	}})
	require.NoError(t, err)
	plan, err := g.PlanFrom(machine.Position{Phase: "Pause"}, phases.NewFacts(0, 3))
	require.NoError(t, err)
	d, err := dump.New(dump.Options{}, dump.Itinerary{Plan: plan, Failed: []string{"Cut"}})
	require.NoError(t, err)
	return d
}

// lookOf returns how a phase is drawn, without its name, colours, guard and reasons.
func lookOf(t *testing.T, format, text, phase string) string {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch format {
		case "text":
			if fields := strings.Fields(line); len(fields) > 1 && strings.Trim(fields[1], "()") == phase {
				return fields[0] + strings.Trim(fields[1], phase)
			}
		case "dot":
			if _, rest, ok := strings.Cut(line, `[label="`+phase); ok {
				words, rest, _ := strings.Cut(rest, `"`)
				style, _, _ := strings.Cut(rest, ", fillcolor")
				return stateWords(words, `\n`) + style
			}
		case "mermaid":
			if before, rest, ok := strings.Cut(line, `"`+phase); ok {
				words, after, _ := strings.Cut(rest, `"`)
				return stateWords(words, "<br/>") + strings.TrimLeft(before, "in0123456789") + after
			}
		}
	}
	t.Fatalf("there is no phase %s in\n%s", phase, text)
	return ""
}

// stateWords returns the line of a label that names the state, if there is one.
func stateWords(label, newline string) string {
	for _, line := range strings.Split(label, newline) {
		for _, state := range []string{"behind", "current", "will run", "unknown", "depends on a choice", "will not run"} {
			if strings.HasPrefix(line, state) {
				return line
			}
		}
	}
	return ""
}

// quote writes a name as text does.
func quote(name string) string {
	if q := strconv.Quote(name); q[1:len(q)-1] != name || strings.TrimSpace(name) != name {
		return q
	}
	return name
}

// long is an itinerary of n phases in steps of ten. Every other phase has a guard, or
// every phase if guarded is set.
func long(t testing.TB, n int, guarded bool) *machine.Graph {
	t.Helper()
	it := phases.Itinerary{Name: "Long", Vocabulary: vocabulary}
	for i := range n {
		p := phases.Phase{Name: fmt.Sprintf("Phase number %d", i), Step: fmt.Sprintf("Step %d", i/10)}
		if guarded || i%2 == 0 {
			p.Guard.All = phases.Flags(1 + i%7)
		}
		if i%100 == 99 {
			p.Decides = 4
			p.Jumps = []phases.Jump{{To: fmt.Sprintf("Phase number %d", i-50), Guard: phases.Guard{All: 2}}}
		}
		it.Phases = append(it.Phases, p)
	}
	g, err := machine.Compile(it)
	require.NoError(t, err)
	return g
}

func TestMermaidStaysWithinItsLimits(t *testing.T) {
	// wide has n phases with names of 400 characters.
	wide := func(n int, character string) *machine.Graph {
		it := phases.Itinerary{Name: "Wide", Vocabulary: vocabulary}
		for i := range n {
			it.Phases = append(it.Phases, phases.Phase{Name: fmt.Sprintf("P%d", i) + strings.Repeat(character, 400), Step: "S"})
		}
		return machine.MustCompile(it)
	}
	for _, tt := range []struct {
		name    string
		o       dump.Options
		g       *machine.Graph
		planned bool
		has     string // a part of the chart
		hasNot  string
	}{
		{"all transitions of a small one", dump.Options{AllEdges: true}, long(t, 20, true), true, "-.->", "too many"},
		{"all transitions of a larger one", dump.Options{AllEdges: true}, long(t, 100, true), false, "Not every transition is drawn", "-.->"},
		{"long reasons", dump.Options{}, long(t, 400, false), true, "Guards and reasons are not drawn", "if Done"},
		{"long reasons and all transitions", dump.Options{AllEdges: true}, long(t, 400, false), true, "Guards and reasons are not drawn", "if Done"},
		{"more phases than Mermaid has edges", dump.Options{}, long(t, 500, false), false, "it has 506 edges#44; more than 449#46;", "Phase number"},
		{"names of many characters", dump.Options{}, wide(100, "x"), false, "it has 48868 characters#44; more than 44999#46;", "P0"},
		{"names of characters that count twice", dump.Options{}, wide(60, "\U00020000"), false, "it has 53421 characters#44; more than 44999#46;", "P0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			it := dump.Itinerary{Graph: tt.g}
			if tt.planned {
				it.Plan = tt.g.Plan(phases.NewFacts(2, 1))
			}
			d, err := dump.New(tt.o, it)
			require.NoError(t, err)
			chart := d.Mermaid()
			edges := 0
			for line := range strings.Lines(chart) {
				if strings.Contains(line, "--") || strings.Contains(line, "==") || strings.Contains(line, "-.") {
					edges++
				}
			}
			assert.Less(t, edges, 450)
			assert.Less(t, len(utf16.Encode([]rune(chart))), 45_000)
			assert.NotContains(t, chart, "--only", "a library does not name options of the command")
			words := strings.ReplaceAll(chart, "<br/>", " ")
			assert.Contains(t, words, tt.has)
			assert.NotContains(t, words, tt.hasNot)
		})
	}
}

// Diffs are reduced in the same way as other drawings.
func TestMermaidOfDiffStaysWithinItsLimits(t *testing.T) {
	side := func(g *machine.Graph) dump.Side { return dump.Side{Itineraries: []dump.Itinerary{{Graph: g}}} }
	d, err := dump.NewDiff(dump.Options{AllEdges: true}, side(long(t, 100, true)), side(long(t, 120, true)))
	require.NoError(t, err)
	chart := strings.ReplaceAll(d.Mermaid(), "<br/>", " ")
	assert.Contains(t, chart, "Not every transition is drawn")
	assert.Contains(t, chart, "20 phases are new")
	assert.Less(t, len(utf16.Encode([]rune(chart))), 45_000)
}

// No character of a name has a meaning in Mermaid: labels consist of letters, digits,
// spaces and character numbers.
func TestMermaidEscapesAllButLetters(t *testing.T) {
	g := machine.MustCompile(phases.Itinerary{Name: `"end"`, Vocabulary: vocabulary, Phases: []phases.Phase{
		{Name: "`#quot;%%{init}--><b>:;\n", Step: "$$x$$"},
	}})
	d, err := dump.New(dump.Options{}, dump.Itinerary{Graph: g})
	require.NoError(t, err)
	chart := d.Mermaid()
	assert.Contains(t, chart, `["#34;end#34;"]`)
	assert.Contains(t, chart, `["#96;#35;quot#59;#37;#37;#123;init#125;#45;#45;#62;#60;b#62;#58;#59;#92;#8288;n"]`)
	assert.Contains(t, chart, `["#36;#8288;#36;#8288;x#36;#8288;#36;#8288;"]`, "two dollars would begin a formula")
}

func TestDOTEscapes(t *testing.T) {
	g := machine.MustCompile(phases.Itinerary{Name: `\N`, Vocabulary: vocabulary, Phases: []phases.Phase{
		{Name: `say "a\b" &amp;`, Step: "two\nlines"},
	}})
	d, err := dump.New(dump.Options{}, dump.Itinerary{Graph: g})
	require.NoError(t, err)
	assert.Contains(t, d.DOT(), `[label="say \"a\\\\b\" &amp;amp;", `)
	assert.Contains(t, d.DOT(), `label="two\\nlines"`)
	assert.Contains(t, d.DOT(), `label="\\\\N"`)
}

// A choice is labelled and has its own line or end.
func TestChoicesAreDistinguishable(t *testing.T) {
	choose := func(name string) *machine.Graph {
		return machine.MustCompile(phases.Itinerary{Name: name, Vocabulary: vocabulary, Phases: []phases.Phase{
			{Name: "Ask", Step: "S", Jumps: []phases.Jump{{To: "End", Guard: phases.Guard{All: 1}}, {To: "Ask", Guard: phases.Guard{All: 2}}, {To: "End", Choice: true}}},
			{Name: "Go", Step: "S"},
			{Name: "End", End: true},
		}})
	}
	two := choose("Two")
	at, err := two.PlanFrom(machine.Position{Phase: "Ask", Choice: "End"}, phases.NewFacts(0, 7))
	require.NoError(t, err)
	d, err := dump.New(dump.Options{}, dump.Itinerary{Graph: choose("One")}, dump.Itinerary{Plan: at})
	require.NoError(t, err)
	assert.Contains(t, d.Text(), "    Ask\n      -> (End) if Done\n      -> Ask if Broken\n      -> (End) by choice\n")
	assert.Contains(t, d.Text(), "          -> (End) by choice (taken)\n")
	assert.Equal(t, 2, strings.Count(d.DOT(), `dir=both, arrowtail=odiamond, label="choice"`))
	assert.Equal(t, 2, strings.Count(string(d.SVG()), ">jumps to End by choice<"))

	// Mermaid numbers the edges of a chart from 0.
	var links []int
	n := 0
	for line := range strings.Lines(d.Mermaid()) {
		if !strings.Contains(line, " i") || !strings.ContainsAny(line, "=-") || strings.Contains(line, "[") {
			continue
		}
		if strings.Contains(line, `|"choice"|`) {
			links = append(links, n)
		}
		n++
	}
	require.Len(t, links, 2)
	assert.Contains(t, d.Mermaid(), fmt.Sprintf("  linkStyle %d,%d stroke-dasharray:10 3 2 3\n", links[0], links[1]))
}

// The drawing has a switch without a When, and a jump of a phase to itself.
func TestArrowsWithoutWords(t *testing.T) {
	one := machine.MustCompile(phases.Itinerary{Name: "One", Vocabulary: vocabulary, Phases: []phases.Phase{
		{Name: "Retry", Step: "S", Jumps: []phases.Jump{{To: "Retry", Guard: phases.Guard{All: 2}}}},
	}})
	two := machine.MustCompile(phases.Itinerary{Name: "Two", Vocabulary: vocabulary, Phases: []phases.Phase{{Name: "Undo", Step: "S"}}})
	d, err := dump.New(dump.Options{Switches: []dump.Switch{{From: "One", To: "Two"}}},
		dump.Itinerary{Graph: one}, dump.Itinerary{Graph: two})
	require.NoError(t, err)
	assert.Contains(t, d.Text(), "  => Two\n")
	assert.Contains(t, d.Mermaid(), "  i0 -.-> i1\n")
	assert.Contains(t, d.DOT(), `label="", arrowhead=diamond`)
	assert.Contains(t, string(d.SVG()), ">jumps to itself if Broken<")
	assert.NotContains(t, d.Text()+d.Mermaid()+d.DOT()+string(d.SVG()), "when")
}

// Allocations grow with the number of phases, not with its square.
func TestLongItinerariesAreDrawnInLinearMemory(t *testing.T) {
	cost := func(n int) uint64 {
		g := long(t, n, true)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for _, it := range []dump.Itinerary{{Graph: g}, {Plan: g.Plan(phases.NewFacts(2, 1))}} {
			for _, o := range []dump.Options{{}, {OnlyRun: it.Plan != nil}} {
				d, err := dump.New(o, it)
				require.NoError(t, err)
				size := len(d.Text()) + len(d.DOT()) + len(d.JSON()) + len(d.Mermaid())
				require.Greater(t, size, n)
			}
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	small, large := cost(500), cost(5000)
	t.Logf("500 phases: %d; 5,000: %d", small, large)
	assert.Less(t, large, 13*small, "ten times as many phases")
}

// Allocations stay far below the square of the number of transitions.
func TestManyTransitionsAreDrawnInLittleMemory(t *testing.T) {
	compile := func(n int, guarded phases.Flags, jumps func(i, to int) bool) *machine.Graph {
		it := phases.Itinerary{Name: "Large", Vocabulary: vocabulary}
		for i := range n {
			p := phases.Phase{Name: fmt.Sprintf("P%d", i), Step: fmt.Sprintf("S%d", i/50), Guard: phases.Guard{All: guarded}}
			for to := range n {
				if jumps(i, to) {
					p.Jumps = append(p.Jumps, phases.Jump{To: fmt.Sprintf("P%d", to), Guard: phases.Guard{All: 2}})
				}
			}
			it.Phases = append(it.Phases, p)
		}
		return machine.MustCompile(it)
	}
	never := func(int, int) bool { return false }
	for _, tt := range []struct {
		name string
		o    dump.Options
		g    *machine.Graph
	}{
		{"a phase that jumps to every other", dump.Options{AllEdges: true}, compile(1000, 0, func(i, to int) bool { return i == 0 && to > 0 })},
		{"every phase jumps to every phase", dump.Options{AllEdges: true}, compile(100, 1, func(int, int) bool { return true })},
		{"around the last of many guarded phases", dump.Options{Around: "P9999"}, compile(10_000, 1, never)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for _, it := range []dump.Itinerary{{Graph: tt.g}, {Plan: tt.g.Plan(phases.NewFacts(1, 0))}} {
				d, err := dump.New(tt.o, it)
				require.NoError(t, err)
				assert.NotEmpty(t, d.SVG())
			}
			runtime.ReadMemStats(&after)
			allocated := after.TotalAlloc - before.TotalAlloc
			t.Log(allocated)
			assert.Less(t, allocated, uint64(1)<<28)
		})
	}
}
