package dump

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

var ab = phases.MustVocabulary([]phases.FlagDef{{Flag: 1, Name: "A"}, {Flag: 2, Name: "B"}})

// loop copies until A holds, and enters the step Copy again at its end.
func loop(t *testing.T) *machine.Graph {
	t.Helper()
	g, err := machine.Compile(phases.Itinerary{Name: "Loop", Vocabulary: ab, Phases: []phases.Phase{
		{Name: "Begin", Step: "Prepare"},
		{Name: "Copy", Step: "Copy"},
		{Name: "Pause", Step: "Copy", Decides: 1, Jumps: []phases.Jump{{To: "Cut", Guard: phases.Guard{All: 1}}}},
		{Name: "Again", Step: "Copy", Jumps: []phases.Jump{{To: "Copy"}}},
		{Name: "Cut", Step: "Cut", Guard: phases.Guard{None: 2}},
		{Name: "Check", Step: "Copy", Guard: phases.Guard{All: 2}, Rides: true},
		{Name: "Last", Step: "Copy"},
	}})
	require.NoError(t, err)
	return g
}

// ends ends early if A holds, and otherwise at the phase that the handler of Copy
// chooses.
func ends(t *testing.T) *machine.Graph {
	t.Helper()
	g, err := machine.Compile(phases.Itinerary{Name: "Ends", Vocabulary: ab, Phases: []phases.Phase{
		{Name: "Scan", Step: "Prepare"},
		{Name: "Nothing", End: true, Guard: phases.Guard{All: 1}},
		{Name: "Create", Step: "Prepare", Steps: []phases.GuardedStep{{Step: "Copy", Guard: phases.Guard{All: 2}}}},
		{Name: "Copy", Step: "Copy", Jumps: []phases.Jump{{To: "Failed", Choice: true}, {To: "Nothing", Guard: phases.Guard{All: 2}}}},
		{Name: "Completed", Step: "Clean", End: true},
		{Name: "Failed", Step: "Clean", End: true, Guard: phases.Guard{None: 2}},
	}})
	require.NoError(t, err)
	return g
}

// lines describes the nodes, bands and edges of a part, one line each.
func lines(p *part) (nodes, bands, edges []string) {
	for i := range p.nodes {
		n := &p.nodes[i]
		nodes = append(nodes, strings.TrimRight(n.name+": "+n.words(), ": "))
	}
	for _, b := range p.bands {
		bands = append(bands, fmt.Sprintf("%s: %s to %s", b.step, p.nodes[b.first].name, p.nodes[b.first+b.n-1].name))
	}
	for _, e := range p.edges {
		line := fmt.Sprintf("%s -> %s: %s, %s", p.nodes[e.from].name, p.nodes[e.to].name, e.kind, e.taken)
		if label := e.label(); label != "" && label != "always" {
			line += " " + label
		}
		edges = append(edges, line)
	}
	return nodes, bands, edges
}

func TestDrawingModel(t *testing.T) {
	endless := machine.MustCompile(phases.Itinerary{Name: "Endless", Vocabulary: ab, Phases: []phases.Phase{
		{Name: "Copy", Step: "Copy"},
		{Name: "Again", Step: "Copy", Jumps: []phases.Jump{{To: "Copy", Guard: phases.Guard{All: 1}}}},
		{Name: "Last", Step: "Copy"},
	}})
	at := func(phase string, yes phases.Flags) *machine.Plan {
		p, err := loop(t).PlanFrom(machine.Position{Phase: phase}, phases.NewFacts(yes, 3&^yes))
		require.NoError(t, err)
		return p
	}
	from := func(at machine.Position, yes phases.Flags) *machine.Plan {
		p, err := ends(t).PlanFrom(at, phases.NewFacts(yes, 3&^yes))
		require.NoError(t, err)
		return p
	}
	for _, tt := range []struct {
		name                string
		o                   Options
		it                  Itinerary
		nodes, bands, edges []string
	}{
		{
			name:  "alone",
			it:    Itinerary{Graph: loop(t)},
			nodes: []string{"start", "Begin", "Copy", "Pause", "Again", "Cut", "Check", "Last", "done"},
			bands: []string{"Prepare: Begin to Begin", "Copy: Copy to Again", "Cut: Cut to Cut", "Copy: Check to Last"},
			edges: []string{
				"start -> Begin: order, yes", "Begin -> Copy: order, yes", "Copy -> Pause: order, yes", "Pause -> Again: order, yes",
				"Pause -> Cut: jump, yes if A", "Again -> Cut: order, no", "Again -> Copy: jump, yes",
				"Cut -> Check: order, yes", "Check -> Last: order, yes", "Last -> done: order, yes",
			},
		},
		{
			name: "from the start, the exit not yet decided",
			it:   Itinerary{Plan: at("", 0), Failed: []string{"Copy"}},
			nodes: []string{"start: current", "Begin: will run", "Copy: will run, failed", "Pause: will run", "Again: will run, tentative",
				"Cut: will run", "Check: will not run", "Last: will run", "done: will run"},
			bands: []string{"Prepare: Begin to Begin", "Copy: Copy to Again", "Cut: Cut to Cut", "Copy: Check to Last"},
			edges: []string{
				"start -> Begin: order, yes", "Begin -> Copy: order, yes", "Copy -> Pause: order, yes", "Pause -> Again: order, yes",
				"Pause -> Cut: jump, unknown if A", "Again -> Cut: order, no", "Again -> Copy: jump, yes",
				"Cut -> Check: order, yes", "Check -> Last: order, yes", "Last -> done: order, yes",
			},
		},
		{
			name:  "in a loop that is never left",
			it:    Itinerary{Plan: endless.Plan(phases.NewFacts(1, 2))},
			nodes: []string{"start: current", "Copy: will run", "Again: will run", "Last: will not run", "done: will not run"},
			bands: []string{"Copy: Copy to Last"},
			edges: []string{"start -> Copy: order, yes", "Copy -> Again: order, yes", "Again -> Last: order, no", "Again -> Copy: jump, yes if A", "Last -> done: order, no"},
		},
		{
			name:  "in a loop that is left or not, by a flag that nothing decides",
			it:    Itinerary{Plan: endless.Plan(phases.NewFacts(0, 2))},
			nodes: []string{"start: current", "Copy: will run", "Again: will run", "Last: unknown", "done: unknown"},
			bands: []string{"Copy: Copy to Last"},
			edges: []string{
				"start -> Copy: order, yes", "Copy -> Again: order, yes", "Again -> Last: order, unknown",
				"Again -> Copy: jump, unknown if A", "Last -> done: order, unknown",
			},
		},
		{
			name:  "behind the loop, only what runs",
			o:     Options{OnlyRun: true},
			it:    Itinerary{Plan: at("Cut", 1)},
			nodes: []string{"start: behind", "Cut: current", "Last: will run", "done: will run"},
			bands: []string{"Cut: Cut to Cut", "Copy: Last to Last"},
			edges: []string{"start -> Cut: order, no", "Cut -> Last: order, yes", "Last -> done: order, yes"},
		},
		{
			name: "a jump to a phase left out leads past it",
			o:    Options{OnlyRun: true},
			it:   Itinerary{Plan: at("", 2)},
			nodes: []string{
				"start: current", "Begin: will run", "Copy: will run", "Pause: will run", "Again: will run, tentative",
				"Check: will run", "Last: will run", "done: will run",
			},
			bands: []string{"Prepare: Begin to Begin", "Copy: Copy to Last"},
			edges: []string{
				"start -> Begin: order, yes", "Begin -> Copy: order, yes", "Copy -> Pause: order, yes", "Pause -> Again: order, yes",
				"Pause -> Check: jump, unknown if A", "Again -> Check: order, no", "Again -> Copy: jump, yes",
				"Check -> Last: order, yes", "Last -> done: order, yes",
			},
		},
		{
			name: "every transition",
			o:    Options{AllEdges: true},
			it:   Itinerary{Plan: at("Cut", 0)},
			nodes: []string{
				"start: behind", "Begin: behind", "Copy: behind", "Pause: behind", "Again: behind", "Cut: current",
				"Check: will not run", "Last: will run", "done: will run",
			},
			bands: []string{"Prepare: Begin to Begin", "Copy: Copy to Again", "Cut: Cut to Cut", "Copy: Check to Last"},
			edges: []string{
				"start -> Begin: order, no", "Begin -> Copy: order, no", "Copy -> Pause: order, no", "Pause -> Again: order, no",
				"Pause -> Cut: jump, no if A", "Pause -> Check: skip, no", "Pause -> Last: skip, no", "Again -> Copy: jump, no",
				"Cut -> Check: order, no", "Cut -> Last: skip, yes", "Check -> Last: order, no", "Last -> done: order, yes",
			},
		},
		{
			name:  "around a phase",
			o:     Options{Around: "Cut"},
			it:    Itinerary{Graph: loop(t)},
			nodes: []string{"Pause", "Cut", "Check", "Last"},
			bands: []string{"Copy: Pause to Pause", "Cut: Cut to Cut", "Copy: Check to Last"},
			edges: []string{"Pause -> Cut: jump, yes if A", "Cut -> Check: order, yes", "Cut -> Last: skip, yes"},
		},
		{
			name:  "no edge leads on from an end phase, but past one with a guard",
			it:    Itinerary{Graph: ends(t)},
			nodes: []string{"start", "Scan", "Nothing", "Create", "Copy", "Completed", "Failed", "done"},
			bands: []string{"Prepare: Scan to Scan", "Prepare: Create to Create", "Copy: Copy to Copy", "Clean: Completed to Failed"},
			edges: []string{
				"start -> Scan: order, yes", "Scan -> Nothing: order, yes", "Scan -> Create: skip, yes", "Create -> Copy: order, yes",
				"Copy -> Completed: order, yes", "Copy -> Failed: jump, yes choice", "Copy -> done: skip, yes", "Copy -> Nothing: jump, yes if B", "Copy -> Create: skip, yes",
			},
		},
		{
			name: "a choice that is not made",
			it:   Itinerary{Plan: from(machine.Position{}, 0)},
			nodes: []string{
				"start: current", "Scan: will run", "Nothing: will not run", "Create: will run", "Copy: will run",
				"Completed: depends on a choice", "Failed: depends on a choice",
			},
			bands: []string{"Prepare: Scan to Scan", "Prepare: Create to Create", "Copy: Copy to Copy", "Clean: Completed to Failed"},
			edges: []string{
				"start -> Scan: order, yes", "Scan -> Nothing: order, no", "Scan -> Create: skip, yes", "Create -> Copy: order, yes",
				"Copy -> Completed: order, unknown", "Copy -> Failed: jump, unknown choice", "Copy -> Nothing: jump, no if B", "Copy -> Create: skip, no",
			},
		},
		{
			name: "a phase under the step of the plan, and a choice past an end phase",
			it:   Itinerary{Plan: from(machine.Position{Phase: "Scan"}, 2)},
			nodes: []string{
				"start: behind", "Scan: current", "Nothing: will not run", "Create: will run", "Copy: will run",
				"Completed: will not run", "Failed: will not run", "done: depends on a choice",
			},
			bands: []string{"Prepare: Scan to Scan", "Copy: Create to Copy", "Clean: Completed to Failed"},
			edges: []string{
				"start -> Scan: order, no", "Scan -> Nothing: order, no", "Scan -> Create: skip, yes", "Create -> Copy: order, yes",
				"Copy -> Completed: order, no", "Copy -> Failed: jump, no choice", "Copy -> done: skip, unknown",
				"Copy -> Nothing: jump, no if B", "Copy -> Create: skip, unknown",
			},
		},
		{
			name:  "a choice that is made, only what runs",
			o:     Options{OnlyRun: true},
			it:    Itinerary{Plan: from(machine.Position{Phase: "Copy", Choice: "Failed"}, 0)},
			nodes: []string{"start: behind", "Copy: current", "Failed: will run"},
			bands: []string{"Copy: Copy to Copy", "Clean: Failed to Failed"},
			edges: []string{"start -> Copy: order, no", "Copy -> Failed: order, no", "Copy -> Failed: jump, yes choice", "Copy -> Copy: jump, no if B"},
		},
		{
			name:  "every transition, around an end phase",
			o:     Options{Around: "Nothing"},
			it:    Itinerary{Plan: from(machine.Position{Phase: "Nothing", Done: true}, 1)},
			nodes: []string{"Scan: behind", "Nothing: current", "Copy: behind"},
			bands: []string{"Prepare: Scan to Scan", "Copy: Copy to Copy"},
			edges: []string{"Scan -> Nothing: order, no", "Copy -> Nothing: jump, no if B"},
		},
		{
			name:  "done without an end phase by an earlier release",
			o:     Options{OnlyRun: true},
			it:    Itinerary{Plan: from(machine.Position{Done: true}, 1)},
			nodes: []string{"start: behind", "done: current"},
			edges: nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := New(tt.o, tt.it)
			require.NoError(t, err)
			nodes, bands, edges := lines(d.parts[0])
			want := [][]string{tt.nodes, tt.bands, tt.edges}
			if diff := cmp.Diff(want, [][]string{nodes, bands, edges}); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	g := loop(t)
	large := phases.Itinerary{Name: "Large", Vocabulary: ab}
	for i := range 1000 {
		large.Phases = append(large.Phases, phases.Phase{Name: fmt.Sprintf("P%d", i), Step: "S", Guard: phases.Guard{All: 1}})
	}
	_, tooMany := machine.MustCompile(large).Edges()
	require.ErrorAs(t, tooMany, new(*machine.TooManyEdgesError))
	one := func(it Itinerary) []Itinerary { return []Itinerary{it} }
	for _, tt := range []struct {
		name        string
		o           Options
		itineraries []Itinerary
		want        string
	}{
		{"nothing", Options{}, nil, "cannot draw: no itinerary is given; give at least one"},
		{"neither a graph nor a plan", Options{}, one(Itinerary{}), "cannot draw: itinerary number 1 has neither a graph nor a plan; give one"},
		{"a plan of another graph", Options{}, one(Itinerary{Graph: g, Plan: loop(t).Plan(phases.Facts{})}),
			`cannot draw: the plan of itinerary "Loop" belongs to another graph; plan with the drawn graph`},
		{"an itinerary twice", Options{}, []Itinerary{{Graph: g}, {Graph: loop(t)}}, `cannot draw: itinerary "Loop" is given twice; remove one`},
		{"what runs without a plan", Options{OnlyRun: true}, one(Itinerary{Graph: g}),
			`cannot draw: itinerary "Loop" has no plan, which OnlyRun needs; give a plan or leave out OnlyRun`},
		{"around and what runs", Options{OnlyRun: true, Around: "Cut"}, one(Itinerary{Graph: g}), "cannot draw: Around and OnlyRun exclude each other; leave one out"},
		{"around and all edges", Options{AllEdges: true, Around: "Cut"}, one(Itinerary{Graph: g}), "cannot draw: Around draws every transition of its phase; leave out AllEdges"},
		{"around a phase with a typo", Options{Around: "Puase"}, one(Itinerary{Graph: g}), `no phase "Puase" in itinerary Loop; did you mean "Pause"?`},
		{"around a phase of something else", Options{Around: "Xyzzy"}, one(Itinerary{Graph: g}), `no phase "Xyzzy" in itinerary Loop; name a phase of the drawing`},
		{"a failed phase with a typo", Options{}, one(Itinerary{Graph: g, Failed: []string{"Puase"}}), `itinerary "Loop" has no phase "Puase"; did you mean "Pause"?`},
		{"too many edges", Options{AllEdges: true}, one(Itinerary{Graph: machine.MustCompile(large)}),
			tooMany.Error()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := New(tt.o, tt.itineraries...)
			require.Nil(t, d)
			require.EqualError(t, err, tt.want)
		})
	}
}

func TestSwitchesBetweenDrawnItineraries(t *testing.T) {
	other, err := machine.Compile(phases.Itinerary{Name: "Undo", Vocabulary: ab, Phases: []phases.Phase{{Name: "Undo", Step: "Undo"}}})
	require.NoError(t, err)
	switches := []Switch{{"Loop", "Undo", "canceled"}, {"Loop", "Elsewhere", "a phase failed"}, {"Undo", "Loop", "restarted"}}
	d, err := New(Options{Switches: switches},
		Itinerary{Graph: loop(t)}, Itinerary{Graph: other})
	require.NoError(t, err)
	require.Equal(t, "Loop and Undo", d.title)
	require.True(t, slices.Equal([]arrow{{0, 1, "canceled"}, {1, 0, "restarted"}}, d.switches), "%v", d.switches)
}

func TestNotesCountPhasesLeftOut(t *testing.T) {
	g := machine.MustCompile(phases.Itinerary{Name: "Renamed", Vocabulary: ab, Phases: []phases.Phase{
		{Name: "First", Step: "S"}, {Name: "Second", Step: "S", Guard: phases.Guard{All: 1}}, {Name: "Third", Step: "S"}, {Name: "Fourth", Step: "S", Guard: phases.Guard{All: 2}},
		{Name: "Last", Step: "S", Formerly: []string{"Final"}},
	}})
	at := func(phase string, yes phases.Flags) *machine.Plan {
		p, err := g.PlanFrom(machine.Position{Phase: phase}, phases.NewFacts(yes, 3&^yes))
		require.NoError(t, err)
		return p
	}
	for _, tt := range []struct {
		name string
		o    Options
		it   Itinerary
		want []string
	}{
		{"nothing", Options{}, Itinerary{Graph: g}, nil},
		{"around a phase", Options{Around: "First"}, Itinerary{Graph: g}, []string{"Renamed: 2 phases further away from First are left out"}},
		{"around a phase by its former name", Options{Around: "Final"}, Itinerary{Graph: g}, []string{"Renamed: 2 phases further away from Last are left out"}},
		{"what will not run", Options{OnlyRun: true}, Itinerary{Plan: g.Plan(phases.NewFacts(2, 1))}, []string{"Renamed: 1 phase that will not run is left out"}},
		{"what is behind", Options{OnlyRun: true}, Itinerary{Plan: at("Fourth", 3)}, []string{"Renamed: 3 phases behind are left out"}},
		{"what is behind and what will not run", Options{OnlyRun: true}, Itinerary{Plan: at("Second", 0)},
			[]string{"Renamed: 1 phase behind and 1 phase that will not run are left out"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := New(tt.o, tt.it)
			require.NoError(t, err)
			require.Equal(t, tt.want, d.notes)
		})
	}
}
