package bench

// section is a table of the README: the results of one benchmark, with a row for each
// contender.
type section struct {
	bench, title string
	note         string // about the whole table; may be empty
	rows         []row
}

// row is a contender, with the reason why comparing it with this project is unfair.
type row struct{ by, caveat string }

// Caveats of several tables.
const (
	unfairLooplab = "no unknown flags, no plan, no former names; one run at a time, under a lock"
	unfairShared  = "no unknown flags, no plan, no former names; the run and its flags come in a context"
	unfairCocoon  = "an FSM that lives as long as its run; it cannot be restored, since its state cannot be set"
	unfairMig     = "a flag is a bit here; upstream each evaluation reads objects, some on a remote cluster, and caches nothing"
	unfairLift    = "a flag is a bit here and never unknown; no plan"
	unfairMasks   = "the lower bound: numbers without names, errors, reasons or jumps"
	unfairBuilt   = "built for each reconcile; it could be shared"
)

var sections = []section{
	{"Hop", "One guarded hop, from a position and flags",
		"A machine is made at a phase and advances to the next phase that its guard admits.", runRows},
	{"Resume", "One guarded hop, from the persisted state",
		"This project looks a checkpoint and its flags up by name, and compares the hash of the definition; " +
			"the others take the name of a state.", []row{
			{here, ""},
			{"looplab-shared", "the state is a name, the flags are bits; " + unfairLooplab},
			{"looplab-each", unfairBuilt},
			{"stateless-shared", "the state is a number, the flags are bits; " + unfairShared},
			{"stateless-each", unfairBuilt},
			{"cocoonspace-each", "built for each reconcile, since its state cannot be set"},
			{"mig-controller", unfairMig},
			{"forklift", unfairLift},
		}},
	{"Refused", "A transition that a guard refuses",
		"The error of this project names the phase that would be next and the missing flag.", []row{
			{here, ""},
			{"looplab-shared", "the error names only the event"},
			{"stateless-shared", "the error names the function of the guard"},
			{"cocoonspace-own", "returns false"},
			{"masks", "compares two numbers"},
		}},
	{"Run/flags=busy", "A whole run of Final: 44 of 50 phases", "Only the hops.", runRows},
	{"Run/flags=half", "A whole run of Final: 26 of 50 phases", "Only the hops.", runRows},
	{"PipelineRun/flags=busy", "A whole run of 44 phases, with plan and pipeline at each hop",
		"After each hop this project plans the remaining phases and updates the pipeline.", pipelineRows},
	{"PipelineRun/flags=half", "A whole run of 26 phases, with plan and pipeline at each hop", "", pipelineRows},
	{"Plan", "The plan of Final, from known flags", "", []row{
		{here, ""},
		{"mig-controller", "only counts phases; " + unfairMig},
		{"masks", "a bit set, without unknown flags and tentative phases"},
	}},
	{"Steps", "The visible steps of Final, from known flags", "", []row{
		{here, ""},
		{"mig-controller", "only names, including those of phases that ride; " + unfairMig},
	}},
	{"Sync", "The pipeline of the next phase, from its plan", "", []row{{here, ""}}},
	{"Walk/phases=1000", "The plan of 1,000 phases", "", walkRows},
	{"Walk/phases=10000", "The plan of 10,000 phases", "Time is linear in the number of phases, even with loops.", walkRows},
	{"Build", "The definition of Final and the first hop",
		"Once in a process. This project checks the definition, and makes the table of transitions at the first hop.", []row{
			{here, ""},
			{"looplab-each", "accepts events, states and callbacks that do not fit together"},
			{"stateless-each", "accepts unreachable states"},
			{"cocoonspace-each", "builds no table: each event searches all transitions"},
			{"mig-controller", "copies a list"},
			{"masks", "copies a list"},
		}},
	{"Check/do=compile/of=Final", "Compiling Final", "", []row{{here, ""}}},
	{"Check/do=compile/of=all-five", "Compiling MTC's five itineraries", "", []row{{here, ""}}},
	{"Check/do=verify/of=Final", "Verifying Final", "", []row{{here, ""}}},
	{"Check/do=verify/of=all-five", "Verifying MTC's five itineraries", "", []row{{here, ""}}},
	{"Check/do=compat/of=Final", "Comparing two releases of Final", "A phase is moved in one of them.", []row{{here, ""}}},
	{"Check/do=compat/of=all-five", "Comparing two releases of MTC's five itineraries",
		"A phase is moved in each itinerary of one of them.", []row{{here, ""}}},
	{"Live", "Memory of a live run, without its persisted state",
		"Among 100,000 live runs. Contenders with an FSM for each run have 1,000, since 100,000 would take gigabytes.", []row{
			{here, "only during a reconcile: no machine needs to live longer"},
			{"looplab-own", "a shared one needs only the name of the state"},
			{"stateless-own", "one for each run; the next row is shared"},
			{"stateless-shared", "a context, a number and the flags"},
			{"cocoonspace-own", "cannot be shared"},
			{"masks", "a number and the flags"},
		}},
	{"Dump/as=dot", "Final as DOT", "With all transitions, about 300.", []row{
		{here, "guards on the edges, steps, escaped labels, in a stable order"},
		{"looplab-shared", "no guards, unescaped labels"},
		{"stateless-own", "guards as names of functions"},
	}},
	{"Dump/as=mermaid", "Final as Mermaid", "", []row{
		{here, "as above"},
		{"looplab-shared", "as above"},
	}},
	{"Parallel/cores=1", "The guarded hop on one core", "The baseline of the next table.", parallelRows},
	{"Parallel/cores=2", "The guarded hop on two cores that share the definition",
		"Elapsed time for each hop: half of the table above if both cores are fully used.", parallelRows},
	{"Toggle", "The peers' own benchmark: two states, no guard",
		"This project is slower: it needs a graph with a guarded jump, and the peers have two edges.", []row{
			{here, "a jump with a guard that reads a flag"},
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
	{"mig-controller", "lists only the names of steps at each hop, without times, messages and states; " + unfairMig},
}

var walkRows = []row{
	{here, ""},
	{here + "-with-loops", "with a loop in every ten phases, which no other contender has"},
	{"mig-controller", "only counts phases; " + unfairMig},
	{"masks", "a bit set"},
}

var parallelRows = []row{
	{here, ""},
	{"looplab-shared", "a lock admits one hop at a time"},
	{"stateless-shared", unfairShared},
	{"mig-controller", "nothing is shared; " + unfairMig},
}

// target is a figure with a limit.
type target struct {
	what  string
	limit float64 // zero means no limit
	unit  string
	// of returns the measured figure, and reports whether there is one.
	of func(r *results) (float64, bool)
}

// ratio returns the time of benchmark a as a multiple of that of b.
func ratio(a, b string) func(r *results) (float64, bool) {
	return func(r *results) (float64, bool) {
		x, ok := r.of(a, "ns/op")
		y, there := r.of(b, "ns/op")
		return x / y, ok && there
	}
}

// beside returns the additional allocations of benchmark a, compared with b, for each
// hop.
func beside(a, b string, hops float64) func(r *results) (float64, bool) {
	return func(r *results) (float64, bool) {
		x, ok := r.of(a, "allocs/op")
		y, there := r.of(b, "allocs/op")
		return (x - y) / hops, ok && there
	}
}

// value returns the figure of a benchmark in a unit, multiplied by times.
func value(name, unit string, times float64) func(r *results) (float64, bool) {
	return func(r *results) (float64, bool) {
		v, ok := r.of(name, unit)
		return v * times, ok
	}
}

var targets = []target{
	{"a hop from a position and flags, relative to looplab's shared hop", 1.3, "times", ratio("Hop/by="+here, "Hop/by=looplab-shared")},
	{"a hop from a checkpoint, relative to looplab's shared hop", 2, "times", ratio("Resume/by="+here, "Resume/by=looplab-shared")},
	{"a hop from a position, in addition to looplab's", 3, "allocations", beside("Hop/by="+here, "Hop/by=looplab-shared", 1)},
	{"a hop from a checkpoint, in addition to looplab's", 3, "allocations", beside("Resume/by="+here, "Resume/by=looplab-shared", 1)},
	{"a whole run with plan and pipeline at each hop, relative to looplab's bare run", 3, "times",
		ratio("PipelineRun/flags=busy/by="+here, "Run/flags=busy/by=looplab-shared")},
	{"the same, for each hop in addition to looplab's", 8, "allocations",
		beside("PipelineRun/flags=busy/by="+here, "Run/flags=busy/by=looplab-shared", 44)},
	{"the plan of Final, relative to the masks", 3, "times", ratio("Plan/by="+here, "Plan/by=masks")},
	{"a reconcile of the controller", 60, "µs", value("Reconcile", "ns/op", 1e-3)},
	{"a reconcile of the controller", 500, "allocations", value("Reconcile", "allocs/op", 1)},
	{"a reconcile of the controller", 35, "KB", value("Reconcile", "B/op", 1e-3)},
	{"verify of Final", 100, "ms", value("Check/do=verify/of=Final/by="+here, "ns/op", 1e-6)},
	{"verify of all five itineraries", 500, "ms", value("Check/do=verify/of=all-five/by="+here, "ns/op", 1e-6)},
	{"compat of two Finals", 2, "s", value("Check/do=compat/of=Final/by="+here, "ns/op", 1e-9)},
	{"a transition of the runner with machine/debug's recorder, relative to one without", 0, "times", value("Recorder/runs=1", "ratio", 1)},
	{"the same, with 1,000 runs", 0, "times", value("Recorder/runs=1000", "ratio", 1)},
}

// loadRows are the figures of `make load`, each of a process or of all processes.
var loadRows = []struct {
	what, unit string
	all        bool
}{
	{"concurrent runs", "runs", false},
	{"seconds until all runs are done, both processes", "s/all", true},
	{"reconciles per second, both processes", "reconciles/s", true},
	{"reconciles per run", "reconciles/run", false},
	{"writes of the run's object", "writes/run", false},
	{"writes of the objects that its phases make", "others/run", false},
	{"processor time of a reconcile, without API calls: p50, in ms", "p50-ms", false},
	{"p99, in ms", "p99-ms", false},
	{"elapsed time of a reconcile, without API calls: p50, in ms", "p50-wall-ms", false},
	{"p99, in ms", "p99-wall-ms", false},
	{"memory of a live run without cached objects, in KiB", "KiB/run", false},
	{"cached objects per run, in KiB", "KiB-cached/run", false},
}

var loadTargets = []target{
	{"processor time of a reconcile, without API calls: p50", 0.3, "ms", value("Load/processes=1/process=1", "p50-ms", 1)},
	{"p99", 0.6, "ms", value("Load/processes=1/process=1", "p99-ms", 1)},
	{"memory of a live run without cached objects", 25, "KiB", value("Load/processes=1/process=1", "KiB/run", 1)},
}
