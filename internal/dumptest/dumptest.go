package dumptest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/dump"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// Drawing is one drawing to dump.
type Drawing struct {
	// Name is fit for a file name.
	Name        string
	Options     dump.Options
	Itineraries []dump.Itinerary
	// Before and After replace Itineraries in a drawing of differences.
	Before, After dump.Side
}

// New makes the drawing. It panics on an error.
func (d Drawing) New() *dump.Drawing {
	drawing, err := dump.New(d.Options, d.Itineraries...)
	if d.After.Itineraries != nil {
		drawing, err = dump.NewDiff(d.Options, d.Before, d.After)
	}
	if err != nil {
		panic(err)
	}
	return drawing
}

// Drawings returns drawings of MTC's itineraries, forklift's warm one, [Disks] and [Hostile]: each
// alone, planned, and in the middle of a run with a failed phase, and some of them in other ways. A
// drawing of all of MTC's itineraries, [Differences] and [Runs] follow. root is the path of the
// repository's root.
func Drawings(root string) ([]Drawing, error) {
	warm, err := Warm(root)
	if err != nil {
		return nil, err
	}
	var all []Drawing
	for _, it := range append(mtc.Itineraries(), warm, Disks(), Hostile()) {
		g, err := machine.Compile(it)
		if err != nil {
			return nil, err
		}
		name := strings.ToLower(it.Name)
		if it.Name == HostileName {
			name = "hostile"
		}
		facts := Facts(it)
		plan := g.Plan(facts)
		running := plan.Running()
		middle, err := g.PlanFrom(machine.Position{Phase: running[len(running)/2]}, facts)
		if err != nil {
			return nil, err
		}
		one := func(suffix string, o dump.Options, it dump.Itinerary) {
			all = append(all, Drawing{Name: name + suffix, Options: o, Itineraries: []dump.Itinerary{it}})
		}
		begun := dump.Itinerary{Plan: middle, Failed: running[len(running)/2-1:][:1]}
		one("", dump.Options{}, dump.Itinerary{Graph: g})
		one("-plan", dump.Options{}, dump.Itinerary{Plan: plan})
		one("-middle", dump.Options{}, begun)
		switch it.Name {
		case mtc.Final, "Warm", "Disks", HostileName:
			one("-all-edges", dump.Options{AllEdges: true}, begun)
			one("-only-run", dump.Options{OnlyRun: true}, begun)
			one("-around", dump.Options{Around: running[len(running)/2]}, begun)
		}
	}
	begun, err := begunDisks()
	if err != nil {
		return nil, err
	}
	all = append(all, begun...)
	several := Drawing{Name: "mtc", Options: dump.Options{Title: "MTC"}}
	for _, s := range mtc.Switches() {
		several.Options.Switches = append(several.Options.Switches, dump.Switch(s))
	}
	for _, it := range mtc.Itineraries() {
		g, err := machine.Compile(it)
		if err != nil {
			return nil, err
		}
		several.Itineraries = append(several.Itineraries, dump.Itinerary{Graph: g, Plan: g.Plan(Facts(it))})
	}
	differences, err := Differences()
	if err != nil {
		return nil, err
	}
	runs, err := Runs()
	if err != nil {
		return nil, err
	}
	return slices.Concat(all, []Drawing{several}, differences, runs), nil
}

// Warm returns forklift's warm migration.
func Warm(root string) (phases.Itinerary, error) {
	name := filepath.Join(root, "tests", "conformance", "testdata", "forklift-warm.yaml")
	f, err := os.Open(name)
	if err != nil {
		return phases.Itinerary{}, err
	}
	defer f.Close()
	file, err := phases.Load(f, name)
	if err != nil {
		return phases.Itinerary{}, err
	}
	return file.Itineraries[0], nil
}

// Facts returns facts with which phases of every kind are drawn. Of the flags that the itinerary
// reads, every second is true, every eighth is unknown, and the others are false. MTC's are those
// of a migration that quiesces and copies its volumes directly, and for which hooks after the
// restore are unknown.
func Facts(it phases.Itinerary) phases.Facts {
	v := it.Vocabulary
	if v == mtc.Vocabulary() {
		yes := mtc.Quiesce | mtc.HasPVs | mtc.DirectVolume | mtc.EnableVolume | mtc.DirectImage | mtc.EnableImage
		return phases.NewFacts(yes, v.All()&^yes&^mtc.HasPostRestoreHooks)
	}
	var yes, unknown phases.Flags
	for i, name := range v.Names(it.Reads()) {
		flag, _ := v.Parse(name) // the vocabulary knows its own names
		switch {
		case i%8 == 7:
			unknown |= flag
		case i%2 == 0:
			yes |= flag
		}
	}
	return phases.NewFacts(yes, v.All()&^yes&^unknown)
}

// The flags of [Disks].
const (
	Inspected phases.Flags = 1 << iota
	NothingToDo
	Verify
)

// Disks is a small itinerary with guarded and unguarded end phases, some without a step; with
// choices; and with a phase that may belong to two steps.
func Disks() phases.Itinerary {
	v := phases.MustVocabulary([]phases.FlagDef{
		{Flag: Inspected, Name: "Inspected"}, {Flag: NothingToDo, Name: "NothingToDo"}, {Flag: Verify, Name: "Verify"}})
	return phases.Itinerary{Name: "Disks", Vocabulary: v, Phases: []phases.Phase{
		{Name: "Scan", Step: "Prepare", Decides: NothingToDo},
		{Name: "UpToDate", End: true, Guard: phases.Guard{All: NothingToDo}},
		{Name: "CreateVolumes", Step: "Prepare", Steps: []phases.GuardedStep{{Step: "Transfer", Guard: phases.Guard{All: Inspected}}}},
		{Name: "Copy", Step: "Transfer", Jumps: []phases.Jump{{To: "Undo", Choice: true}, {To: "Compare", Guard: phases.Guard{All: Verify}}}},
		{Name: "Switch", Step: "Cutover"},
		{Name: "Compare", Step: "Cutover", Guard: phases.Guard{All: Verify}, Jumps: []phases.Jump{{To: "Copy", Choice: true}}},
		{Name: "Completed", Step: "Cleanup", End: true},
		{Name: "Undo", Step: "Rollback"},
		{Name: "Aborted", End: true},
	}}
}

// begunDisks returns drawings of [Disks] with a choice made, with unknown flags, and after the end.
func begunDisks() ([]Drawing, error) {
	g, err := machine.Compile(Disks())
	if err != nil {
		return nil, err
	}
	var all []Drawing
	for _, d := range []struct {
		name string
		at   machine.Position
		yes  phases.Flags
		no   phases.Flags
	}{
		{"disks-unknown", machine.Position{}, 0, NothingToDo},
		{"disks-chosen", machine.Position{Phase: "Copy", Choice: "Undo"}, Verify, NothingToDo | Inspected},
		{"disks-ended", machine.Position{Phase: "UpToDate", Done: true}, NothingToDo, Inspected | Verify},
	} {
		plan, err := g.PlanFrom(d.at, phases.NewFacts(d.yes, d.no))
		if err != nil {
			return nil, err
		}
		all = append(all, Drawing{Name: d.name, Itineraries: []dump.Itinerary{{Plan: plan}}})
	}
	return all, nil
}

// HostileName is the name of [Hostile].
const HostileName = "end\"; --> <script>alert('#9829;')</script>\n%% subgraph"

// HostileNames are names that have a meaning in one of the formats or in a terminal, or are
// especially wide or long.
var HostileNames = []string{
	"end", "start", "done", "graph", "subgraph", "node", "edge", "strict", "class", "style", "click", "default", "null", "__proto__",
	":", "a:b:c", "\"", "'", "\"quoted\" 'twice'", "-", "--", "-->", "---", "==>", "~~~", "->", "a -- b",
	"<b>bold</b>", "<br/>", "<script>alert(1)</script>", "&amp;", "&", "&#x22;", "]]>", "<!-- x -->", "<![CDATA[",
	"#", "#quot;", "#9829;", ";", "a;b", "%%", "%%{init: {}}%%", "`", "`code`", "**bold**", "_", "\\", "\\n", "\\\"", "\\G\\N\\L", "$", "$$x^2$$", "${x}",
	"two\nlines", "a\r\nb", "a\tb", " leading", "trailing ", "  ", "a  b", "\u00a0",
	"[", "]", "[[x]]", "(", ")", "((x))", "{", "}", "{{x}}", "|", "a|b", "/x/", "\\x\\", ">x]", "@", "@{ shape: circle }",
	":::", ":::current", "A,B", "*", "1", "0x", "1.5", "true",
	"\u05e9\u05dc\u05d5\u05dd", "\u0645\u0631\u062d\u0628\u0627 abc", "\u202eright to left", "\u4e2d\u6587\u540d\u79f0", "e\u0301", "\U0001f600", "\u200b", "\u2028", "\ufeff",
	"\x00", "\x01", "\x1b[31mred", "\x7f", "\u0085", "\ufffe", "\uffff",
	strings.Repeat("x", 200), strings.Repeat("long name ", 20), strings.Repeat("\u4e2d", 200),
}

// Hostile is an itinerary whose phases, steps and descriptions have the hostile names. Its flags
// have valid names.
func Hostile() phases.Itinerary {
	v := phases.MustVocabulary([]phases.FlagDef{{Flag: 1, Name: "end"}, {Flag: 2, Name: "subgraph"}, {Flag: 4, Name: "node"}})
	it := phases.Itinerary{Name: HostileName, Vocabulary: v}
	n := len(HostileNames)
	for i, name := range HostileNames {
		p := phases.Phase{Name: name, Step: HostileNames[n-1-i/2], Description: HostileNames[(i+7)%n],
			Guard: phases.Guard{All: phases.Flags(i % 3), None: phases.Flags(i % 2 * 4)}}
		switch i % 16 {
		case 3: // a step that is entered again
			p.Step = HostileNames[n-1]
		case 5:
			p.Decides = 2
		case 7:
			p.Steps = []phases.GuardedStep{{Step: HostileNames[(i+30)%n], Guard: phases.Guard{All: 4}}}
		case 11:
			p.Jumps = []phases.Jump{{To: HostileNames[(i+9)%n], Choice: true}}
		case 13:
			p.End, p.Guard = true, phases.Guard{All: 6}
			if i%32 == 13 {
				p.Step = ""
			}
		case 9:
			p.Jumps = []phases.Jump{{To: HostileNames[i-6], Guard: phases.Guard{Any: 5}},
				{To: HostileNames[(i+20)%n], Guard: phases.Guard{All: 2}}}
		}
		it.Phases = append(it.Phases, p)
	}
	return it
}
