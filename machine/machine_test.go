package machine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	flagA phases.Flags = 1 << iota
	flagB
	flagC
	flagD
)

// loop repeats Copy, Check and Again until C, which Check decides, is true.
var loop = phases.Itinerary{Name: "Loop", Vocabulary: four, Phases: []phases.Phase{
	{Name: "Begin", Step: "Begin"},
	{Name: "Copy", Step: "Copy"},
	{Name: "Check", Step: "Copy", Decides: flagC, Jumps: []phases.Jump{{To: "Cut", Guard: phases.Guard{All: flagC}}}},
	{Name: "Again", Step: "Copy", Guard: phases.Guard{All: flagA}, Jumps: []phases.Jump{{To: "Copy"}}},
	{Name: "Cut", Step: "Cut", Formerly: []string{"Cutover"}},
}}

func facts(yes phases.Flags) phases.Facts { return phases.NewFacts(yes, 15&^yes) }

// marks writes a plan as one word per phase, with "~" if it is tentative.
func marks(p *machine.Plan) string {
	var all []string
	for i := range p.Graph().Len() {
		s := p.Phase(i)
		mark := s.Name + "=" + s.Runs.String()
		if s.Tentative {
			mark += "~"
		}
		all = append(all, mark)
	}
	return strings.Join(all, " ")
}

func TestPlan(t *testing.T) {
	list := phases.Itinerary{Name: "List", Vocabulary: four, Phases: []phases.Phase{
		{Name: "First", Step: "S", Guard: phases.Guard{All: flagA}, Decides: flagB},
		{Name: "All", Step: "S", Guard: phases.Guard{All: flagB}},
		{Name: "Any", Step: "S", Guard: phases.Guard{Any: flagB | flagC}, Decides: flagD},
		{Name: "None", Step: "S", Guard: phases.Guard{None: flagD}},
		{Name: "Last", Step: "S"},
	}}
	for _, c := range []struct {
		about string
		it    phases.Itinerary
		from  string
		facts phases.Facts
		want  string
	}{
		{"a decided flag is tentative after its phase", list, "", facts(flagA), "First=yes All=no~ Any=no~ None=yes~ Last=yes"},
		{"a phase that does not run decides nothing", list, "", facts(0), "First=no All=no Any=no None=yes Last=yes"},
		{"a phase that may run decides", list, "", phases.NewFacts(0, flagB|flagC|flagD), "First=unknown All=no~ Any=no~ None=yes~ Last=yes"},
		{"the flag is settled once the phase is done", list, "All", facts(flagA), "First=no All=yes Any=no None=yes Last=yes"},
		{"the phase in progress runs, whatever its guard is", list, "First", facts(0), "First=yes All=no~ Any=no~ None=yes~ Last=yes"},
		{"unknown is not false", list, "", phases.NewFacts(0, flagA), "First=no All=unknown Any=unknown None=unknown~ Last=yes"},
		{"an any guard needs one of its flags", list, "", phases.NewFacts(flagC, flagA|flagB|flagD), "First=no All=no Any=yes None=yes~ Last=yes"},
		{"a loop is both entered and left", loop, "", facts(flagA), "Begin=yes Copy=yes Check=yes Again=yes~ Cut=yes"},
		{"even if it would be left at once", loop, "", facts(flagA | flagC), "Begin=yes Copy=yes Check=yes Again=yes~ Cut=yes"},
		{"whether it repeats is unknown, and it ends all the same", loop, "", phases.NewFacts(flagA, flagB|flagD), "Begin=yes Copy=yes Check=yes Again=unknown~ Cut=yes"},
		{"from inside the loop, phases before it are behind", loop, "Again", facts(flagA), "Begin=no Copy=yes Check=yes Again=yes Cut=yes"},
		{"after the loop, only the rest remains", loop, "Cut", facts(flagA), "Begin=no Copy=no Check=no Again=no Cut=yes"},
	} {
		t.Run(c.about, func(t *testing.T) {
			g, err := machine.Compile(c.it)
			require.NoError(t, err)
			p, err := g.PlanFrom(machine.Position{Phase: c.from}, c.facts)
			require.NoError(t, err)
			assert.Equal(t, c.want, marks(p))
		})
	}
}

func TestPlanOfDone(t *testing.T) {
	for _, it := range []phases.Itinerary{abc, loop} {
		p, err := machine.MustCompile(it).PlanFrom(machine.Position{Done: true}, facts(15))
		require.NoError(t, err)
		assert.Empty(t, p.Running())
		assert.Zero(t, p.Matters())
		assert.Equal(t, -1, p.Current())
		assert.Equal(t, "is behind: the run is done", p.Why(0).Text)
	}
}

func TestWhy(t *testing.T) {
	it := phases.Itinerary{Name: "I", Vocabulary: four, Phases: []phases.Phase{
		{Name: "Decider", Step: "S", Decides: flagA | flagB},
		{Name: "All", Step: "S", Guard: phases.Guard{All: flagA | flagB | flagC}},
		{Name: "Any", Step: "S", Guard: phases.Guard{Any: flagC | flagD}},
		{Name: "None", Step: "S", Guard: phases.Guard{None: flagC | flagD}},
		{Name: "Jumps", Step: "S", Jumps: []phases.Jump{{To: "End", Guard: phases.Guard{All: flagB}}}},
		{Name: "Past", Step: "S", Decides: flagC},
		{Name: "End", Step: "S"},
	}}
	g := machine.MustCompile(it)
	for _, c := range []struct {
		about string
		from  string
		facts phases.Facts
		phase string
		want  *machine.Why
	}{
		{"it runs", "", facts(15), "All", nil},
		{"one flag of all is false", "", facts(flagA | flagB), "All",
			&machine.Why{Guard: "all", Flags: []string{"C"}, DecidedBy: []string{}, Text: "needs C"}},
		{"three flags of all are false, and one phase decides two", "", facts(0), "All",
			&machine.Why{Guard: "all", Flags: []string{"A", "B", "C"}, DecidedBy: []string{"Decider"}, Text: "needs A, B and C"}},
		{"no flag of any is true", "", facts(0), "Any",
			&machine.Why{Guard: "any", Flags: []string{"C", "D"}, DecidedBy: []string{}, Text: "needs C or D"}},
		{"a flag of none is true", "", facts(flagD), "None",
			&machine.Why{Guard: "none", Flags: []string{"D"}, DecidedBy: []string{}, Text: "runs only without D"}},
		{"a flag is unknown", "", phases.NewFacts(flagA|flagB, flagD), "All",
			&machine.Why{Guard: "all", Flags: []string{"C"}, DecidedBy: []string{}, Text: "depends on C, which is unknown"}},
		{"two flags are unknown", "", phases.Facts{}, "None",
			&machine.Why{Guard: "none", Flags: []string{"C", "D"}, DecidedBy: []string{}, Text: "depends on C and D, which are unknown"}},
		{"a jump leads past it", "Jumps", facts(flagB), "Past", nil}, // see below: B is settled then
		{"the run has passed it", "End", facts(0), "Decider",
			&machine.Why{Guard: "behind", Flags: []string{}, DecidedBy: []string{}, Text: "is behind: the run is at End"}},
	} {
		if c.phase == "Past" {
			c.want = &machine.Why{Guard: "jump", Flags: []string{"B"}, DecidedBy: []string{"Decider"},
				Text: "is not reached: Jumps jumps to End"}
		}
		t.Run(c.about, func(t *testing.T) {
			p, err := g.PlanFrom(machine.Position{Phase: c.from}, c.facts)
			require.NoError(t, err)
			i, err := g.Lookup(c.phase)
			require.NoError(t, err)
			assert.Empty(t, cmp.Diff(c.want, p.Why(i)), "-want +got")
		})
	}
	p, err := g.PlanFrom(machine.Position{Phase: "Jumps"}, phases.NewFacts(0, flagA))
	require.NoError(t, err)
	i, err := g.Lookup("Past")
	require.NoError(t, err)
	why := &machine.Why{Guard: "jump", Flags: []string{"B"}, DecidedBy: []string{"Decider"}, Text: "depends on whether Jumps jumps to End"}
	assert.Equal(t, why, p.Why(i))
}

// A phase in a loop may depend on a later jump.
func TestWhyOfAJumpBack(t *testing.T) {
	g := machine.MustCompile(phases.Itinerary{Name: "I", Vocabulary: four, Phases: []phases.Phase{
		{Name: "P0", Step: "S", Jumps: []phases.Jump{{To: "P3"}}},
		{Name: "P1", Step: "S"},
		{Name: "P2", Step: "S"},
		{Name: "P3", Step: "S", Decides: flagA, Jumps: []phases.Jump{{To: "P1", Guard: phases.Guard{All: flagA}}}},
		{Name: "P4", Step: "S"},
	}})
	p := g.Plan(phases.NewFacts(0, 15&^flagA))
	assert.Equal(t, "P0=yes P1=unknown~ P2=unknown~ P3=yes P4=yes", marks(p))
	why := &machine.Why{Guard: "jump", Flags: []string{"A"}, DecidedBy: []string{"P3"}, Text: "depends on whether P3 jumps to P1"}
	assert.Equal(t, why, p.Why(1))
}

// The reasons of an itinerary with many loops are found quickly. If many phases decide, the last
// ones are named.
func TestWhyOfALargeItinerary(t *testing.T) {
	it := phases.Itinerary{Name: "I", Vocabulary: four}
	for i := range 3000 {
		it.Phases = append(it.Phases, phases.Phase{Name: fmt.Sprint(i), Step: "S", Guard: phases.Guard{All: flagA}, Decides: flagA,
			Jumps: []phases.Jump{{To: fmt.Sprint(max(i-1, 0)), Guard: phases.Guard{All: flagB}}}})
	}
	p := machine.MustCompile(it).Plan(facts(0))
	for i := range it.Phases {
		require.Len(t, p.Why(i).DecidedBy, machine.MaxDecidedBy)
	}
	assert.Equal(t, "2999", p.Why(0).DecidedBy[machine.MaxDecidedBy-1], "loops lead back from the last phase")
}

// Later phases of a loop may also decide the flags of a phase in it.
func TestWhyInALoop(t *testing.T) {
	it := loop
	it.Phases = append([]phases.Phase{}, loop.Phases...)
	it.Phases[1].Guard = phases.Guard{None: flagC}
	p := machine.MustCompile(it).Plan(facts(flagA | flagC))
	assert.Equal(t, []string{"Check"}, p.Why(1).DecidedBy)
	it.Phases[0].Guard = phases.Guard{None: flagC}
	p = machine.MustCompile(it).Plan(facts(flagA | flagC))
	assert.Empty(t, p.Why(0).DecidedBy, "nothing leads back to the beginning")
}

func TestMachineThroughALoop(t *testing.T) {
	m := machineAt(t, loop, "", flagA)
	var ran []string
	for turn := 0; !m.Position().Done; {
		tr, err := m.Advance(context.Background())
		require.NoError(t, err)
		ran = append(ran, tr.To.String())
		if tr.To.Phase == "Check" {
			assert.Equal(t, flagC, m.Decides())
			if turn++; turn == 3 {
				m.SetFacts(facts(flagA | flagC))
			}
		}
	}
	assert.Equal(t, "Begin Copy Check Again Copy Check Again Copy Check Cut done", strings.Join(ran, " "))
	_, err := m.Advance(context.Background())
	assert.ErrorIs(t, err, machine.ErrDone)
	assert.ErrorIs(t, m.Can("Cut"), machine.ErrDone)
	_, err = m.Switch(machine.MustCompile(abc))
	assert.ErrorIs(t, err, machine.ErrDone, "a run that is done never switches")
	next, end := m.Available()
	assert.Empty(t, next)
	assert.False(t, end)
	assert.Zero(t, m.Decides())
}

// If the target of a jump does not admit, the machine continues after it.
func TestAdvancePassesAJumpTargetThatDoesNotRun(t *testing.T) {
	it := loop
	it.Phases = append([]phases.Phase{}, loop.Phases...)
	it.Phases[1].Guard = phases.Guard{All: flagB}
	m := machineAt(t, it, "Again", flagA)
	tr, err := m.Advance(context.Background())
	require.NoError(t, err)
	want := machine.Transition{
		Itinerary: "Loop", From: machine.Position{Phase: "Again"}, To: machine.Position{Phase: "Check"}, Jumped: true,
	}
	assert.Equal(t, want, tr)
}

func TestAdvanceResumesAtAnyPhase(t *testing.T) {
	g := machine.MustCompile(loop)
	for i := range g.Len() {
		m, err := g.NewMachine(machine.Position{Phase: g.Phase(i).Name}, facts(flagA|flagC))
		require.NoError(t, err)
		var rest []string
		for {
			tr, err := m.Advance(context.Background())
			require.NoError(t, err)
			if tr.To.Done {
				break
			}
			rest = append(rest, tr.To.Phase)
		}
		assert.Equal(t, "Cut", append([]string{"Cut"}, rest...)[len(rest)], "from %s", g.Phase(i).Name)
	}
}

// A function Next of a related project ended an itinerary early, as done, if
// the guard of the current phase had turned false.
func TestAdvanceIgnoresTheGuardOfTheCurrentPhase(t *testing.T) {
	m := machineAt(t, abc, "B", 0)
	tr, err := m.Advance(context.Background())
	require.NoError(t, err)
	assert.Equal(t, "C", tr.To.Phase)
}

func TestUnknownFlags(t *testing.T) {
	g := machine.MustCompile(abc)
	m, err := g.NewMachine(machine.Position{Phase: "A"}, phases.Facts{})
	require.NoError(t, err)

	_, err = m.Advance(context.Background())
	var unknown *machine.UnknownFlagsError
	require.ErrorAs(t, err, &unknown)
	assert.Equal(t, machine.UnknownFlagsError{Itinerary: "Letters", At: machine.Position{Phase: "A"}, Flags: []string{"A"}}, *unknown)
	assert.Equal(t, "A", m.Position().Phase, "the machine has not moved")
	assert.ErrorAs(t, m.Can("C"), &unknown)
	next, end := m.Available()
	assert.Equal(t, []string{"B", "C"}, next)
	assert.False(t, end)

	run := abc
	run.Cleanup = true
	m, err = machine.MustCompile(run).NewMachine(machine.Position{Phase: "A"}, phases.Facts{})
	require.NoError(t, err)
	tr, err := m.Advance(context.Background())
	require.NoError(t, err)
	assert.Equal(t, "B", tr.To.Phase, "a cleanup itinerary runs a phase whose guard is unknown")

	back := loop
	m, err = machine.MustCompile(back).NewMachine(machine.Position{Phase: "Check"}, phases.NewFacts(flagA, 0))
	require.NoError(t, err)
	_, err = m.Advance(context.Background())
	require.ErrorAs(t, err, &unknown)
	assert.EqualError(t, err, `itinerary "Loop" at Check: the next phase depends on C, which is not known yet`)
	back.Cleanup = true
	m, err = machine.MustCompile(back).NewMachine(machine.Position{Phase: "Check"}, phases.NewFacts(flagA, 0))
	require.NoError(t, err)
	tr, err = m.Advance(context.Background())
	require.NoError(t, err)
	assert.Equal(t, "Again", tr.To.Phase, "and takes no jump whose guard is unknown")
}

func TestTransitionToAndCan(t *testing.T) {
	g := machine.MustCompile(abc)
	for _, c := range []struct {
		about, from, to string
		yes             phases.Flags
		err             string
	}{
		{"to the next phase", "A", "B", flagA, ""},
		{"past a phase that does not run", "A", "C", 0, ""},
		{"past a phase that runs", "A", "C", flagA, `itinerary "Letters": no transition from A to C now: next is B`},
		{"to a phase that does not run", "A", "B", 0, `itinerary "Letters": no transition from A to B now: it needs A; next is C`},
		{"back", "C", "A", 0, `itinerary "Letters": no transition from C to A now: it is behind: the run is at C; next is done`},
		{"to an unknown phase", "A", "Bee", 0, `itinerary "Letters" has no phase "Bee"; record an existing phase, or add the name to Formerly of the phase that replaces it`},
		{"from the start", "", "A", 0, ""},
	} {
		t.Run(c.about, func(t *testing.T) {
			m, err := g.NewMachine(machine.Position{Phase: c.from}, facts(c.yes))
			require.NoError(t, err)
			can := m.Can(c.to)
			_, err = m.TransitionTo(context.Background(), c.to)
			if c.err == "" {
				require.NoError(t, can)
				require.NoError(t, err)
				assert.Equal(t, c.to, m.Position().Phase)
				return
			}
			assert.EqualError(t, can, c.err)
			assert.EqualError(t, err, c.err)
			assert.Equal(t, c.from, m.Position().Phase)
		})
	}
}

func TestSwitch(t *testing.T) {
	other := loop
	m := machineAt(t, abc, "B", flagA)
	var saw []machine.Transition
	tr, err := m.Switch(machine.MustCompile(other), func(tr machine.Transition) { saw = append(saw, tr) })
	require.NoError(t, err)
	want := machine.Transition{Itinerary: "Loop", From: machine.Position{Phase: "B"}, PreviousItinerary: "Letters"}
	assert.Equal(t, want, tr)
	assert.Equal(t, []machine.Transition{want}, saw)
	assert.Equal(t, facts(flagA), m.Facts(), "facts carry over")
	assert.Equal(t, machine.Position{}, m.Position())

	var refused *machine.SwitchError
	_, err = m.Switch(machine.MustCompile(other))
	require.ErrorAs(t, err, &refused)
	assert.EqualError(t, err, `cannot switch from itinerary "Loop" to "Loop": the run is in that itinerary already; `+
		`continue with its next phase`)
	foreign := abc
	foreign.Vocabulary = phases.MustVocabulary(four.Defs())
	_, err = m.Switch(machine.MustCompile(foreign))
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "Loop", m.Graph().Name())
}

func TestCheckpoints(t *testing.T) {
	set := machine.MustCompileSet(abc, loop)
	g, err := set.Graph("Letters")
	require.NoError(t, err)

	m, err := g.NewMachine(machine.Position{Phase: "B"}, phases.NewFacts(flagA, flagD|flagB))
	require.NoError(t, err)
	b, err := json.Marshal(m.Checkpoint())
	require.NoError(t, err)
	want := fmt.Sprintf(`{"itinerary":"Letters","phase":"B","facts":{"hash":%q,"true":["A"],"false":["B","D"],"unknown":["C"]}}`, g.Hash())
	assert.JSONEq(t, want, string(b))
	var c machine.Checkpoint
	require.NoError(t, json.Unmarshal(b, &c))

	known := phases.NewFacts(flagA, flagD|flagB)
	for _, x := range []struct {
		about    string
		change   func(*machine.Checkpoint)
		selected string
		at       machine.Position
		in       string
		facts    phases.Facts
		switched bool
		changed  bool
		err      string
	}{
		{about: "unchanged", selected: "Letters", at: machine.Position{Phase: "B"}, in: "Letters", facts: known},
		{about: "the state selects another", selected: "Loop", in: "Loop", facts: known, switched: true},
		{about: "another, and the recorded phase is unknown: no error",
			change:   func(c *machine.Checkpoint) { c.Phase = "Gone" },
			selected: "Loop", in: "Loop", facts: known, switched: true},
		{about: "another, and the recorded itinerary is unknown: no error, and no flag is known",
			change:   func(c *machine.Checkpoint) { c.Itinerary = "Gone" },
			selected: "Loop", in: "Loop", switched: true},
		{about: "another, and an unknown itinerary that had not begun",
			change:   func(c *machine.Checkpoint) { c.Itinerary, c.Phase = "Gone", "" },
			selected: "Loop", in: "Loop", facts: known, switched: true},
		{about: "an unknown recorded phase stops the run",
			change:   func(c *machine.Checkpoint) { c.Phase = "BB" },
			selected: "Letters", err: `itinerary "Letters" has no phase "BB"; did you mean "B"?`},
		{about: "a former name",
			change:   func(c *machine.Checkpoint) { c.Itinerary, c.Phase, c.Facts.Hash = "Loop", "Cutover", "" },
			selected: "Loop", at: machine.Position{Phase: "Cut"}, in: "Loop", facts: known, changed: true},
		{about: "a phase without an itinerary",
			change:   func(c *machine.Checkpoint) { c.Itinerary = "" },
			selected: "Letters", at: machine.Position{Phase: "B"}, in: "Letters", facts: known},
		{about: "an unknown phase without an itinerary",
			change:   func(c *machine.Checkpoint) { c.Itinerary, c.Phase = "", "Upload" },
			selected: "Letters",
			err: `itinerary "Letters" has no phase "Upload"; ` +
				`record an existing phase, or add the name to Formerly of the phase that replaces it`},
		{about: "not begun", change: func(c *machine.Checkpoint) { *c = machine.Checkpoint{} }, selected: "Letters", in: "Letters", changed: false},
		{about: "a new release", change: func(c *machine.Checkpoint) {
			c.Facts.Hash, c.Facts.True = "of old", []string{"A", "NoMore"}
		}, selected: "Letters", at: machine.Position{Phase: "B"}, in: "Letters", facts: known, changed: true},
		{about: "an unknown itinerary", selected: "Lettres", err: `unknown itinerary "Lettres"; did you mean "Letters"?`},
	} {
		t.Run(x.about, func(t *testing.T) {
			var now machine.Checkpoint
			c.DeepCopyInto(&now)
			if x.change != nil {
				x.change(&now)
			}
			r, err := set.Resume(now, x.selected)
			if x.err != "" {
				require.EqualError(t, err, x.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, x.at, r.Position())
			assert.Equal(t, x.in, r.Graph().Name())
			assert.Equal(t, x.switched, r.Switched)
			assert.Equal(t, x.changed, r.Changed)
			assert.Equal(t, x.facts, r.Facts())
			assert.Empty(t, r.SwitchHeld)
		})
	}
}

func TestCompileSetRefuses(t *testing.T) {
	_, err := machine.CompileSet(abc, abc)
	var d *phases.DefinitionError
	require.ErrorAs(t, err, &d)
	assert.Equal(t, phases.ReasonDuplicateName, d.Reason)
	foreign := loop
	foreign.Vocabulary = phases.MustVocabulary(four.Defs())
	_, err = machine.CompileSet(abc, foreign)
	var sw *machine.SwitchError
	require.ErrorAs(t, err, &sw)
	assert.Equal(t, []string{"Letters", "Loop"}, []string{sw.From, sw.To})
	broken := loop
	broken.Name, broken.Phases = "Letters", nil
	_, err = machine.CompileSet(abc, broken)
	assert.EqualError(t, err, `itinerary "Letters": there are two of that name; rename one`+"\n"+
		`itinerary "Letters": has no phases; give it at least one`)
	_, err = machine.CompileSet(phases.Itinerary{})
	assert.ErrorAs(t, err, new(phases.DefinitionErrors))
	assert.Panics(t, func() { machine.MustCompileSet(abc, abc) })
	assert.Panics(t, func() { machine.MustCompile(phases.Itinerary{}) })
	assert.Equal(t, []string{"Letters", "Loop"}, machine.MustCompileSet(abc, loop).Names())
}

// The graph keeps its own list of phases.
func TestCompileCopies(t *testing.T) {
	it := abc
	it.Phases = append([]phases.Phase{}, abc.Phases...)
	g := machine.MustCompile(it)
	it.Phases[0].Name = "changed"
	assert.Equal(t, "A", g.Phase(0).Name)
	assert.Equal(t, []string{"First", "Second"}, g.Steps())
}
