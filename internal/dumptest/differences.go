package dumptest

import (
	"fmt"
	"slices"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/dump"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// NewerDisks is [Disks] as a later release might define it: a phase is added, one removed, one
// renamed and one moved, and others change in every possible way.
func NewerDisks() phases.Itinerary {
	it := Disks()
	it.Phases = []phases.Phase{
		{Name: "Scan", Step: "Prepare", Decides: NothingToDo | Verify},
		{Name: "UpToDate", End: true, Guard: phases.Guard{All: NothingToDo, None: Verify}},
		{Name: "CreateDisks", Step: "Prepare", Formerly: []string{"CreateVolumes"},
			Steps: []phases.GuardedStep{{Step: "Transfer", Guard: phases.Guard{None: Inspected}}}},
		{Name: "Compare", Step: "Transfer", Guard: phases.Guard{All: Verify}, Jumps: []phases.Jump{{To: "Copy", Guard: phases.Guard{All: Inspected}}}},
		{Name: "Copy", Step: "Transfer", Jumps: []phases.Jump{{To: "Undo", Choice: true}, {To: "Switch", Choice: true}}},
		{Name: "Snapshot", Step: "Snapshots", Guard: phases.Guard{Any: Inspected | Verify}},
		{Name: "Switch", Step: "Cleanup", Rides: true},
		{Name: "Completed", Step: "Cleanup", End: true},
		{Name: "Undo", Step: "Cleanup"},
	}
	return it
}

// newerHostile is [Hostile] with phases removed, added, renamed, moved and changed.
func newerHostile() phases.Itinerary {
	it := Hostile()
	var all []phases.Phase
	renamed := make(map[string]string)
	for i, p := range it.Phases {
		switch {
		case i%7 == 3:
			continue
		case i%11 == 0:
			renamed[p.Name] = p.Name + " \"&#2"
			p.Name, p.Formerly = renamed[p.Name], []string{p.Name}
		case i%11 == 1:
			p.Guard.Any = 6
		case i%11 == 2:
			p.Decides ^= 1
		case i%11 == 4:
			p.Step += "<new>"
		}
		if p.End {
			p.Decides = 0
		}
		all = append(all, p)
		if i%11 == 5 {
			all = append(all, phases.Phase{Name: "new: " + p.Name, Step: p.Step})
		}
	}
	slices.Reverse(all[20:24])
	known := func(name string) bool {
		return slices.ContainsFunc(all, func(p phases.Phase) bool { return p.Name == name })
	}
	for i := range all {
		p := &all[i]
		p.Jumps = slices.Clone(p.Jumps)
		for k := range p.Jumps {
			if to, ok := renamed[p.Jumps[k].To]; ok {
				p.Jumps[k].To = to
			}
		}
		p.Jumps = slices.DeleteFunc(p.Jumps, func(j phases.Jump) bool { return !known(j.To) })
	}
	it.Phases = all
	return it
}

// redeclaredDisks is [Disks] with the same phases but other declarations of flags: two are new, one
// is live, one has a description, and there is a relation.
func redeclaredDisks() phases.Itinerary {
	it := Disks()
	defs := it.Vocabulary.Defs()
	defs[1].Description = "no disk has changed"
	defs[2].Live = true
	defs = append(defs, phases.FlagDef{Flag: 1 << 3, Name: "Encrypted"}, phases.FlagDef{Flag: 1 << 4, Name: "<b>&#2\"]-->"})
	it.Vocabulary = phases.MustVocabulary(defs, phases.Clause{False: NothingToDo, True: Inspected | 1<<4})
	return it
}

// Differences returns drawings of differences between sets of flags, positions and versions, in all
// ways to draw them; of several itineraries; and without a difference.
func Differences() ([]Drawing, error) {
	var all []Drawing
	var failed error
	compile := func(it phases.Itinerary) *machine.Graph {
		g, err := machine.Compile(it)
		if err != nil && failed == nil {
			failed = err
		}
		return g
	}
	plan := func(g *machine.Graph, at machine.Position, yes, unknown phases.Flags) dump.Itinerary {
		p, err := g.PlanFrom(at, phases.NewFacts(yes, g.Vocabulary().All()&^yes&^unknown))
		if err != nil && failed == nil {
			failed = err
		}
		return dump.Itinerary{Plan: p}
	}
	disks, newer, redeclared := compile(Disks()), compile(NewerDisks()), compile(redeclaredDisks())
	hostile, newerHostile := compile(Hostile()), compile(newerHostile())
	mtcs := make(map[string]*machine.Graph)
	for _, it := range mtc.Itineraries() {
		mtcs[it.Name] = compile(it)
	}
	if failed != nil {
		return nil, failed
	}
	final := mtcs[mtc.Final]
	add := func(name string, o dump.Options, before, after dump.Side) {
		all = append(all, Drawing{Name: "diff-" + name, Options: o, Before: before, After: after})
	}
	side := func(title string, its ...dump.Itinerary) dump.Side { return dump.Side{Title: title, Itineraries: its} }
	alone := func(g *machine.Graph) dump.Itinerary { return dump.Itinerary{Graph: g} }
	start := machine.Position{}
	direct := mtc.DirectImage | mtc.EnableImage | mtc.HasISs | mtc.HasPVs
	indirect := mtc.IndirectImage | mtc.EnableImage | mtc.HasISs | mtc.HasPVs | mtc.HasStageBackup

	flags := [2]dump.Side{
		side("Final, DirectImage", plan(final, start, direct, 0)),
		side("Final, IndirectImage", plan(final, start, indirect, 0)),
	}
	add("flags", dump.Options{}, flags[0], flags[1])
	add("flags-only-run", dump.Options{OnlyRun: true}, flags[0], flags[1])
	failing := plan(final, machine.Position{Phase: "EnsureInitialBackup"}, direct, mtc.HasVerify)
	failing.Failed = []string{"EnsureInitialBackup"}
	add("positions", dump.Options{Title: "openshift-migration/shop"},
		side("at 10:04", plan(final, machine.Position{Phase: "WaitForRefresh"}, direct, mtc.HasVerify)),
		side("at 10:09", failing))
	add("done", dump.Options{}, side("choosing", plan(disks, machine.Position{Phase: "Copy", Choice: "Undo"}, Verify, Inspected)),
		side("", plan(disks, machine.Position{Phase: "Aborted", Done: true}, Verify, Inspected)))

	add("versions", dump.Options{}, side("release 1", alone(disks)), side("release 2", alone(newer)))
	add("versions-all-edges", dump.Options{AllEdges: true}, side("release 1", alone(disks)), side("release 2", alone(newer)))
	add("versions-around", dump.Options{Around: "CreateVolumes"}, side("release 1", alone(disks)), side("release 2", alone(newer)))
	add("versions-plan", dump.Options{}, side("release 1", plan(disks, start, Inspected|Verify, 0)),
		side("release 2", plan(newer, start, Inspected|Verify, 0)))
	add("versions-only-run", dump.Options{OnlyRun: true}, side("release 1", plan(disks, start, 0, Inspected)),
		side("release 2", plan(newer, start, 0, Inspected)))

	add("declared", dump.Options{}, side("release 1", alone(disks)), side("release 2", alone(redeclared)))
	add("declared-plan", dump.Options{}, side("release 1", plan(disks, start, 0, Inspected)),
		side("release 2", plan(redeclared, start, 0, Inspected)))

	add("hostile", dump.Options{}, side(HostileName, alone(hostile)), side("-->", alone(newerHostile)))
	add("hostile-only-run", dump.Options{OnlyRun: true}, side("", plan(hostile, start, 3, 0)),
		side("<b>", plan(newerHostile, start, 7, 0)))

	switches := []dump.Switch{{From: mtc.Final, To: "Disks", When: "a phase failed"}, {From: "Disks", To: mtc.Rollback}}
	add("several", dump.Options{Title: "MTC", Switches: switches},
		side("release 1", alone(mtcs[mtc.Failed]), alone(disks), alone(mtcs[mtc.Cancel])),
		side("release 2", alone(mtcs[mtc.Failed]), alone(newer), alone(mtcs[mtc.Rollback])))
	add("others", dump.Options{}, side("", alone(mtcs[mtc.Cancel])), side("", alone(mtcs[mtc.Failed])))
	add("same", dump.Options{}, side("A", plan(disks, start, Verify, 0)), side("B", plan(disks, start, Verify, 0)))
	return all, failed
}

// Runs returns drawings of several runs of one itinerary: few, many, and with hostile names; and of
// the difference between two moments.
func Runs() ([]Drawing, error) {
	disks, err := machine.Compile(Disks())
	if err != nil {
		return nil, err
	}
	hostile, err := machine.Compile(Hostile())
	if err != nil {
		return nil, err
	}
	at := func(phase string) machine.Position { return machine.Position{Phase: phase} }
	end := func(phase string) machine.Position { return machine.Position{Phase: phase, Done: true} }
	few := []dump.Run{
		{Name: "vm-1", At: at("Copy")}, {Name: "vm-2", At: end("Completed")}, {Name: "vm-3", At: at("Switch"), Failed: true},
		{Name: "vm-4", At: machine.Position{Phase: "Copy", Choice: "Undo"}}, {Name: "vm-5"},
		{Name: "vm-6", At: end("Aborted")}, {Name: "vm-7", At: at("CreateVolumes")},
	}
	later := []dump.Run{
		{Name: "vm-1", At: at("Copy"), Failed: true}, {Name: "vm-2", At: end("Completed")},
		{Name: "vm-3", At: at("Switch"), Failed: true}, {Name: "vm-4", At: at("Undo")}, {Name: "vm-5", At: at("Scan")},
		{Name: "vm-6", At: end("Aborted")}, {Name: "vm-7", At: at("Copy")},
	}
	var many, odd []dump.Run
	for i := range 40 {
		many = append(many, dump.Run{
			Name: fmt.Sprintf("openshift-migration/virtual-machine-%d", i), At: at([]string{"Copy", "Scan", "Copy", "Undo"}[i%4]), Failed: i%7 == 5})
	}
	for i, name := range HostileNames {
		odd = append(odd, dump.Run{Name: name, At: at(HostileNames[i*i%90]), Failed: i%5 == 0})
	}
	one := func(name string, o dump.Options, g *machine.Graph, runs []dump.Run) Drawing {
		return Drawing{Name: name, Options: o, Itineraries: []dump.Itinerary{{Graph: g, Runs: runs}}}
	}
	return []Drawing{
		one("runs", dump.Options{Title: "konveyor-forklift/plan-1"}, disks, few),
		one("runs-many", dump.Options{}, disks, many),
		one("runs-all-edges", dump.Options{AllEdges: true}, disks, few),
		one("runs-around", dump.Options{Around: "Copy"}, disks, few),
		one("runs-hostile", dump.Options{}, hostile, odd),
		{Name: "diff-runs", Before: dump.Side{Title: "10:04", Itineraries: []dump.Itinerary{{Graph: disks, Runs: few}}},
			After: dump.Side{Title: "10:09", Itineraries: []dump.Itinerary{{Graph: disks, Runs: later}}}},
	}, nil
}
