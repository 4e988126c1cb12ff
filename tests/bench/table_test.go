package bench

// section is a table of the README: of the benchmark of that name, with a row for
// each contender.
type section struct {
	bench, title string
	// note is about the whole table.
	note string
	rows []row
}

// row is a contender, and what is unfair in comparing it with this project.
type row struct{ by, unfair string }

// What is unfair in most tables.
const (
	unfairLooplab = "knows no flags that are unknown, no plan, no names of other releases; one run at a time, under a lock"
	unfairShared  = "knows no flags that are unknown, no plan, no names of other releases; the run and its flags come in a context"
	unfairCocoon  = "an FSM that lives as long as its run; its state cannot be set, so that it cannot come from what is persisted"
	unfairMig     = "a flag is a bit here; upstream each question reads objects, some on a remote cluster, and keeps no answer"
	unfairLift    = "a flag is a bit here, and none can be unknown; it has no plan"
	unfairMasks   = "the limit: numbers in, numbers out, without names, errors, reasons or jumps"
	unfairBuilt   = "built for each reconcile; one that is shared is there as well"
)

var sections = []section{
	{"Hop", "One guarded hop, from a position and flags",
		"A machine is made at a phase, and goes on to the next one, which the guards allow.", runRows},
	{"Resume", "One guarded hop, from what is persisted",
		"Here a checkpoint is looked up by names, its flags are read by name, and its definition's hash is compared; " +
			"the others take the name of a state.", []row{
			{here, ""},
			{"looplab-shared", "the state is a name, the flags are bits already; " + unfairLooplab},
			{"looplab-each", unfairBuilt},
			{"stateless-shared", "the state is a number, the flags are bits already; " + unfairShared},
			{"stateless-each", unfairBuilt},
			{"cocoonspace-each", "built for each reconcile: its state cannot be set"},
			{"mig-controller", unfairMig},
			{"forklift", unfairLift},
		}},
	{"Refused", "A transition that a guard refuses",
		"Here the error names the phase that would be next and the flag that is missing.", []row{
			{here, ""},
			{"looplab-shared", "the error names the event alone"},
			{"stateless-shared", "the error names the function of the guard"},
			{"cocoonspace-own", "it returns false"},
			{"masks", "it compares two numbers"},
		}},
	{"Run/flags=busy", "A whole run of Final: 44 of 50 phases", "Nothing but the hops.", runRows},
	{"Run/flags=half", "A whole run of Final with half of it left out: 26 of 50 phases", "Nothing but the hops.", runRows},
	{"PipelineRun/flags=busy", "A whole run of 44 phases, with plan and pipeline at each hop",
		"Here after each hop the rest is planned and the pipeline brought up to date.", pipelineRows},
	{"PipelineRun/flags=half", "A whole run of 26 phases, with plan and pipeline at each hop", "", pipelineRows},
	{"Plan", "The plan of Final, from known flags", "", []row{
		{here, ""},
		{"mig-controller", "it counts phases and keeps no result; " + unfairMig},
		{"masks", "a set of bits; it knows no flags that are unknown and nothing of what is tentative"},
	}},
	{"Steps", "The steps to show of Final, from known flags", "", []row{
		{here, ""},
		{"mig-controller", "steps by themselves, phases that ride included; " + unfairMig},
	}},
	{"Sync", "The pipeline of the next phase, from its plan", "", []row{{here, ""}}},
	{"Walk/phases=1000", "The plan of 1,000 phases", "", walkRows},
	{"Walk/phases=10000", "The plan of 10,000 phases", "Time grows with the phases, loops included.", walkRows},
	{"Build", "The definitions of Final and the first hop",
		"Once for a process. Here definitions are checked, and the table of transitions is made at the first hop.", []row{
			{here, ""},
			{"looplab-each", "it takes events, states and callbacks that do not fit together"},
			{"stateless-each", "it takes states that nothing leads to"},
			{"cocoonspace-each", "it looks at every transition until one fits, so it has nothing to make"},
			{"mig-controller", "a list is copied"},
			{"masks", "a list is copied"},
		}},
	{"Check/do=compile/of=Final", "Compiling Final", "", []row{{here, ""}}},
	{"Check/do=compile/of=all-five", "Compiling MTC's five itineraries", "", []row{{here, ""}}},
	{"Check/do=verify/of=Final", "The findings of Final", "", []row{{here, ""}}},
	{"Check/do=verify/of=all-five", "The findings of MTC's five itineraries", "", []row{{here, ""}}},
	{"Check/do=compat/of=Final", "Two releases of Final, one of them with a moved phase", "", []row{{here, ""}}},
	{"Check/do=compat/of=all-five", "Two releases of MTC's five itineraries, with a moved phase in each", "", []row{{here, ""}}},
	{"Live", "Memory of a live run, beside what is persisted of it",
		"With 100,000 alive; an FSM for each run by 1,000, since 100,000 of them would take gigabytes.", []row{
			{here, "only while it is used: no machine needs to live between two reconciles"},
			{"looplab-own", "one that is shared needs no memory for a run but its state's name"},
			{"stateless-own", "one for each run; the next is shared"},
			{"stateless-shared", "a context, a number and the flags"},
			{"cocoonspace-own", "it can be had in no other way"},
			{"masks", "a number and the flags"},
		}},
	{"Dump/as=dot", "Final as DOT", "With every transition, about 300.", []row{
		{here, "guards on the edges, steps, labels that are escaped, in a stable order"},
		{"looplab-shared", "no guards, labels that are not escaped"},
		{"stateless-own", "guards by the names of their functions"},
	}},
	{"Dump/as=mermaid", "Final as Mermaid", "", []row{
		{here, "as above"},
		{"looplab-shared", "as above"},
	}},
	{"Parallel/cores=1", "The guarded hop on one core, as the next table is on two", "", parallelRows},
	{"Parallel/cores=2", "The guarded hop on two cores that share the definitions",
		"Time of the clock for each hop: half of the table above if both cores work all the time.", parallelRows},
	{"Toggle", "The peers' own benchmark: two states, no guard",
		"This project loses it: it has a graph with a jump under a guard here, and the peers have two edges.", []row{
			{here, "a jump under a guard that reads a flag"},
			{"looplab-own", "no guard"},
			{"stateless-own", "no guard"},
			{"cocoonspace-own", "no guard, states are numbers"},
		}},
}

var runRows = []row{
	{here, ""},
	{"looplab-shared", unfairLooplab},
	{"stateless-shared", unfairShared},
	{"cocoonspace-own", unfairCocoon},
	{"mig-controller", unfairMig},
	{"forklift", unfairLift},
	{"masks", unfairMasks},
}

var pipelineRows = []row{
	{here, ""},
	{"mig-controller", "steps are listed again at each hop, without times, messages and states; " + unfairMig},
}

var walkRows = []row{
	{here, ""},
	{here + "-with-loops", "with a loop in every ten phases, which none of the others has"},
	{"mig-controller", "it counts phases and keeps no result; " + unfairMig},
	{"masks", "a set of bits"},
}

var parallelRows = []row{
	{here, ""},
	{"looplab-shared", "a lock lets one hop at a time"},
	{"stateless-shared", unfairShared},
	{"mig-controller", "nothing is shared; " + unfairMig},
}

// target is a figure to reach.
type target struct {
	what  string
	limit float64 // zero: there is none
	unit  string
	// of returns the measured figure, and whether there is one.
	of func(r *results) (float64, bool)
}

// ratio is what a benchmark takes as a multiple of what another takes.
func ratio(a, b string) func(r *results) (float64, bool) {
	return func(r *results) (float64, bool) {
		x, ok := r.of(a, "ns/op")
		y, there := r.of(b, "ns/op")
		return x / y, ok && there
	}
}

// beside is the number of allocations of a benchmark beside those of another, for
// each of a number of hops.
func beside(a, b string, hops float64) func(r *results) (float64, bool) {
	return func(r *results) (float64, bool) {
		x, ok := r.of(a, "allocs/op")
		y, there := r.of(b, "allocs/op")
		return (x - y) / hops, ok && there
	}
}

// value is a figure of a benchmark, in a unit that is times the measured one.
func value(name, unit string, times float64) func(r *results) (float64, bool) {
	return func(r *results) (float64, bool) {
		v, ok := r.of(name, unit)
		return v * times, ok
	}
}

var targets = []target{
	{"a hop from a position and flags, to looplab's shared hop", 1.3, "times", ratio("Hop/by="+here, "Hop/by=looplab-shared")},
	{"a hop from a checkpoint, to looplab's shared hop", 2, "times", ratio("Resume/by="+here, "Resume/by=looplab-shared")},
	{"a hop from a position, beside looplab's own", 3, "allocations", beside("Hop/by="+here, "Hop/by=looplab-shared", 1)},
	{"a hop from a checkpoint, beside looplab's own", 3, "allocations", beside("Resume/by="+here, "Resume/by=looplab-shared", 1)},
	{"a whole run with plan and pipeline at each hop, to looplab's bare run", 3, "times",
		ratio("PipelineRun/flags=busy/by="+here, "Run/flags=busy/by=looplab-shared")},
	{"the same, for each hop beside looplab's own", 8, "allocations",
		beside("PipelineRun/flags=busy/by="+here, "Run/flags=busy/by=looplab-shared", 44)},
	{"the plan of Final, to the masks", 3, "times", ratio("Plan/by="+here, "Plan/by=masks")},
	{"a reconcile of the controller", 60, "µs", value("Reconcile", "ns/op", 1e-3)},
	{"a reconcile of the controller", 500, "allocations", value("Reconcile", "allocs/op", 1)},
	{"a reconcile of the controller", 35, "KB", value("Reconcile", "B/op", 1e-3)},
	{"verify of Final", 100, "ms", value("Check/do=verify/of=Final/by="+here, "ns/op", 1e-6)},
	{"verify of all five itineraries", 500, "ms", value("Check/do=verify/of=all-five/by="+here, "ns/op", 1e-6)},
	{"compat of two Finals", 2, "s", value("Check/do=compat/of=Final/by="+here, "ns/op", 1e-9)},
	{"a hop of the runner with the recorder of the pages, to one without", 0, "times", value("Recorder/runs=1", "ratio", 1)},
	{"the same, with 1,000 runs", 0, "times", value("Recorder/runs=1000", "ratio", 1)},
}

// loadRows are what `make load` measures of a process, or of all of a run.
var loadRows = []struct {
	what, unit string
	all        bool
}{
	{"runs at once", "runs", false},
	{"to the end of all of both, in seconds", "s/all", true},
	{"reconciles in a second, of both", "reconciles/s", true},
	{"reconciles of a run", "reconciles/run", false},
	{"writes of its object", "writes/run", false},
	{"writes of what its phases make", "others/run", false},
	{"a reconcile on a processor, without API calls: p50, in ms", "p50-ms", false},
	{"p99, in ms", "p99-ms", false},
	{"by the clock, without API calls: p50, in ms", "p50-wall-ms", false},
	{"p99, in ms", "p99-wall-ms", false},
	{"memory of a live run beside the objects in the caches, in KiB", "KiB/run", false},
	{"the objects in the caches, in KiB for each run", "KiB-cached/run", false},
}

var loadTargets = []target{
	{"a reconcile on a processor, without API calls, p50", 0.3, "ms", value("Load/processes=1/process=1", "p50-ms", 1)},
	{"p99", 0.6, "ms", value("Load/processes=1/process=1", "p99-ms", 1)},
	{"memory of a live run beside the objects in the caches", 25, "KiB", value("Load/processes=1/process=1", "KiB/run", 1)},
}
