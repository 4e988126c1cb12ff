package command

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// describe gives the commands their help: the catalogue's own, or the general one
// with the names of the catalogue in it. It returns what is wrong with the
// catalogue's.
func (a *app) describe(root *cobra.Command) (problems []string) {
	words := a.words()
	known := []string{""}
	for _, cmd := range append(root.Commands(), root) {
		name := cmd.Name()
		if cmd == root {
			name = ""
		}
		known = append(known, name)
		own, general := a.catalogue.Texts[name], helpTexts[name]
		for _, text := range []struct {
			of           *string
			own, general string
		}{{&cmd.Short, own.Short, general.Short}, {&cmd.Long, own.Long, general.Long}, {&cmd.Example, own.Example, general.Example}} {
			*text.of = words.Replace(cmp.Or(text.own, text.general, *text.of))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.catalogue.Texts)) {
		if !slices.Contains(known, name) {
			problems = append(problems, fmt.Sprintf("Texts: there is no command %q%s", name, wording.DidYouMean(wording.Nearest(name, known))))
		}
	}
	return problems
}

// words replaces what help texts call by general names.
func (a *app) words() *strings.Replacer {
	c := &a.catalogue
	g := a.builtin.graphs[0]
	flag, phase, step := "FLAG", g.Phase(0).Name, "STEP"
	if names := g.Vocabulary().Names(g.Reads()); len(names) > 0 {
		flag = names[0]
	}
	if len(g.Steps()) > 0 {
		step = g.Steps()[0]
	}
	// Better a phase and a step of which it may be asked why they do not run.
	nothing := g.Plan(phases.NewFacts(0, g.Vocabulary().All()))
	for i := range g.Len() {
		if g.Phase(i).Guard.Reads() != 0 {
			phase = g.Phase(i).Name
			break
		}
	}
	// With the flag, this one does some work.
	fails := phase
	withFlag, _ := g.Vocabulary().Parse(flag) // none if the itinerary reads none
	with := g.Plan(phases.NewFacts(withFlag, g.Vocabulary().All()&^withFlag))
	for i := range g.Len() {
		if !g.IsEnd(i) && with.Runs(i) == phases.True {
			if fails = g.Phase(i).Name; g.Phase(i).Guard.Reads().Has(withFlag) && withFlag != 0 {
				break
			}
		}
	}
	for _, name := range g.Steps() {
		if !slices.Contains(steps.Visible(nothing), name) {
			step = name
			break
		}
	}
	return strings.NewReplacer("<command>", c.Command, "<kind>", c.kind(), "<noun>", c.noun(), "<list>", c.list(), "<current>", a.current(),
		"<itinerary>", g.Name(), "<flag>", flag, "<phase>", phase, "<fails>", fails, "<step>", step)
}

// helpTexts are the general texts of the commands.
var helpTexts = map[string]Text{
	"": {
		Short: "Shows what each <noun> will do, and why",
		Long: `Shows which steps each <noun> will run before it runs them, and why the others
are left out; shows what each does now, draws one, or runs one with simulated work.

It works on what kubectl prints, and talks to no cluster.

Exit code: 0; 1 if something is wrong with what was read, or a flag that matters
is unknown (what could be done is printed all the same); 2 if the command line
makes no sense; 130 if Ctrl-C has ended a simulation.`,
		Example: `  # What will each <noun> do?
  <list> > objects.yaml
  <command> plan -f objects.yaml

  # Why does phase <phase> run, or not?
  <command> explain <phase> -f objects.yaml`,
	},
	"plan": {
		Short: "Shows which steps each <noun> runs",
		Long: `Shows for each <kind> its itinerary, its phase, and its steps in order: those
that have started, and those that its phases from the recorded one on will run.
With --whole the itinerary is planned from its first phase.

The objects are what kubectl prints, or a directory of such files, as must-gather
makes it. The state of a run is found in the annotation
pipeline.konveyor.io/state, in the status, or in a field of it; --state-at names
another place. The flags are those that the state records.

With -i alone there are no objects: an itinerary is planned with the flags that
you name.

A step in parentheses depends on a flag that is unknown, or on a choice that is
not made. A step with a question mark may still change, once a phase ahead has
decided the flags that it depends on. In json and yaml these are maybeSteps and
tentativeSteps; the latter also has steps that are not shown, but may still come.

--name, --itinerary-name and --runs leave only some; --runs leaves those that run
a step by what is known now, or may run it. A name that does not exist is an
error; filters that leave nothing are none.

--set gives a flag another value, and follows the relations between flags: what
else changes is noted. --diff shows what that changes, and nothing else: flags,
steps that appear (+), vanish (-) or become uncertain (?), and phases with the
reason; in json and yaml each with before and after.

With --explain also what is left out, and why. The formats json and yaml always
hold all of it: every phase, whether it runs, and why not.`,
		Example: `  # The objects of a cluster
  <list> > objects.yaml
  <command> plan -f objects.yaml

  # What is left out, and why
  <command> plan -f objects.yaml --explain

  # Which of them will run the step <step>?
  <command> plan -f objects.yaml --runs <step>

  # What would change?
  <command> plan -f objects.yaml --set <flag>=true --diff

  # No cluster at hand
  <command> plan -i <itinerary> --flags <flag>`,
	},
	"status": {
		Short: "Shows what each <noun> does now, and what is stuck",
		Long: `Shows for each <kind> what its <noun> does now and in which phase, since when and
why, when it is tried again, and when its deadline is, as the controller has last
recorded it. What is read is as for plan; no flags are needed.

The <noun> is stuck if it is stopped or past a deadline; with --stuck also if it
has not moved for that long, whatever it does meanwhile. The time for which it was
paused before does not count; a pause that lasts does. Then only those that are
stuck are shown.

Objects that were read some time ago, such as those of must-gather, are judged as
of then with --now.

Exit code: 1 also if one is stuck.`,
		Example: `  # Is anything stuck, since when, on what, until when?
  <list> > objects.yaml
  <command> status -f objects.yaml --stuck 30m

  # What does each one do?
  <command> status -f objects.yaml

  # As of the moment when the objects were read
  <command> status -f must-gather/ --now 2026-11-20T12:00:00Z`,
	},
	"explain": {
		Short: "Explains why a phase runs or a step is shown, or why not",
		Long: `Explains a phase, a step or a flag, for each <kind>: whether a phase runs or a
step is shown, what its guard asks for, which flags are in the way, and which
phases decide those; of a flag what it is now, which phases read it, which decide
it, and what would change with it.

NAME is the name of a phase, a step or a flag. If it is several, all are
explained, unless --phase, --step or --flag says which. A phase that rides never
makes its step visible, so that no step depends on it.

Of a flag, json and yaml have under runs its value, and under flag: description,
live, readBy, decidedBy, relations, and ifOther with what each other value would
change, as plan --diff shows it.

What is read, and the other options, are as for plan.`,
		Example: `  # Why do some have no step <step>?
  <command> explain <step> -f objects.yaml

  # Why has this one none?
  <command> explain <step> -f objects.yaml --name NAME

  # What would it take?
  <command> explain <phase> -i <itinerary>

  # What depends on a flag?
  <command> explain <flag> -i <itinerary>`,
	},
	"graph": {
		Short: "Draws an itinerary, and one <noun> on top of it",
		Long: `Draws the phases of an itinerary in order, by step, with their guards and jumps.
With --flags or --unknown also what runs with these flags, and why the rest does
not; with -f the same for one <kind>, from the phase that it has recorded. What
is read is as for plan.

A phase is behind if no way leads there any more. That does not mean that it
ran: what is drawn of it are the flags of now.

A phase is passed by if its guard does not admit; that follows from the guard
and is no arrow of its own, unless --all-edges draws every transition that there
may be, or --around those of one phase. Guards are judged one by one for that: a
transition past one phase to another with the same guard is drawn, though no
flags allow it. Several itineraries, or a file that has several, make one
picture.

An end phase stands in parentheses; no arrow leads on from it. What depends on a
choice of a handler that is not made is marked apart from what depends on an
unknown flag. A phase that may belong to several steps is drawn under the one of
the plan, or without a plan under its own.

The text is 80 columns wide. For a picture there is svg, which needs no other
program; dot is for Graphviz; mermaid is drawn by GitHub and GitLab; json is
described by graph.schema.json of github.com/konveyor/dynamic-pipeline/machine/dump.`,
		Example: `  # An itinerary
  <command> graph -i <itinerary>

  # What runs of it with these flags, and why the rest does not
  <command> graph -i <itinerary> --flags <flag>

  # Where one <noun> is, as a picture
  <command> graph -f objects.yaml --name NAME -o svg > picture.svg

  # What do these flags change?
  <command> graph --diff <itinerary> '<itinerary>?<flag>'

  # From where does the machine come to a phase, and where does it go?
  <command> graph -i <itinerary> --around <phase>`,
	},
	"run": {
		Short: "Runs one <noun> with simulated work, and shows its pipeline",
		Long: `Runs one <noun> to its end through the machine that a controller embeds. Only
the work is simulated: nothing is called, nothing is changed. On a terminal the
pipeline is redrawn in place; elsewhere each change is a line, behind the
simulated time since the beginning. With -o json each event is a line, and the
last one holds the pipeline.

What is read, and -f, -i, --flags and --unknown, are as for plan. If the <noun>
has begun, it goes on from its recorded phase. Flags keep their values, those
that phases decide as well, unless --flag-flips-at says otherwise. A phase whose
handler may choose where to go on makes no choice, unless --choose names one.

A phase takes between 2 and 55 simulated seconds, always the same for its name.
--speed says how many of them pass in a second: 1x is real time. Without it,
that is 60x on a terminal, and max, without any waiting, elsewhere. Same input,
same output, whatever the speed.

A phase that --fail-at names fails at the end of its work, the first time that
it runs; one that --cancel-at names is interrupted. The simulation then goes on in
the itinerary that --on-fail or --on-cancel names. In a cleanup itinerary a phase
that fails is passed by.

Ctrl-C ends the simulation and says where. Exit code: as for all commands, and 130
after Ctrl-C. A failure or a cancel because an option says so is no error; an
option whose phase never ran is one, with exit code 1.`,
		Example: `  # Watch it
  <command> run -i <itinerary> --flags <flag>

  # What users see when a phase fails
  <command> run -i <itinerary> --flags <flag> --fail-at <fails>

  # One of a cluster, from where it stands
  <command> run -f objects.yaml --name NAME --speed 1000x

  # Every event, for a program
  <command> run -i <itinerary> --flags <flag> -o json`,
	},
	"verify": {
		Short: "Checks itineraries, over all combinations of flags",
		Long: `Checks itineraries by rules (--rules lists them), over every combination of flags
that the relations allow and every way that one <noun> can take: phases that
never run, flags that nothing reads, loops without an end. Nothing is sampled; what is
too large to be decided is a finding. What is checked are the itineraries that are
built in, or with -i a file, or one itinerary.

Each finding has its place, the smallest set of flags that shows it, and, if a
plan shows it, the command that prints that plan. In a file, a list "suppress"
accepts findings that are meant so, by rule and names, each with a reason; one that
accepts nothing is a finding itself.

sarif is for code hosts, junit for CI servers, github annotates the change in
GitHub Actions. json is one array of findings.

--fix removes from a file flags that nothing reads, and flags of guards that are
the same without them; all else stays as it is. What is left is then printed.
--dry-run prints what would change as a diff.

--freeze writes the definitions as they are, for compat: freeze each release.

Exit code: 1 also if a finding is not suppressed and reaches --fail-level, which
is warning unless it is given.`,
		Example: `  # What is built in
  <command> verify

  # A file of itineraries, in CI
  <command> verify -i itineraries.yaml -o github

  # What could be removed?
  <command> verify -i itineraries.yaml --fix --dry-run

  # What does it look for?
  <command> verify --rules

  # Write down what this release runs, for the next one
  <command> verify --freeze release.yaml`,
	},
	"compat": {
		Short: "Shows whether what is in flight can go on under another release",
		Long: `Compares two releases of itineraries: every state that one <noun> can be in
under OLD is resumed under NEW, and the other way round, for a rollback of the
release.
Nothing is sampled; if a bound is hit, the result is inconclusive, with exit code
1, and cannot be accepted.

A release is <current>, which is built in; FILE.yaml, such as verify --freeze
writes it; or git:REF:PATH, the file as it was in a commit. The path begins at the
top of the repository, or with ./ at the current directory. With #NAME behind a
release, only that itinerary is compared.

What is found is of four kinds:
  state       it cannot be resumed: its phase is gone
  work        a phase runs twice, is skipped, or comes in another order
  view        steps that users see are renamed, reordered or dropped
  definition  only the hash differs, so that it is planned again
The first two are errors, the third is a warning, the last is information. Each
comes with the smallest state in flight that shows it. If a phase was renamed, the
line "formerly" that fixes it is shown; it was tried.

With -f, objects are read as plan reads them, and each break names those that are
in such a state. An object whose state cannot be placed is an error: whether it can
go on is not known.

--accept names a file of breaks that are intended, by their fingerprints:

  accept:
  - fingerprint: phase-gone/upgrade/Final/phase=EnsureQuiesced
    reason: no <noun> is in flight when this release is rolled out
    expires: 2027-03-31

One that matches nothing, or has expired, is a finding itself.

Exit code: 1 also if a break is not accepted and reaches --fail-level, which is
warning unless it is given.`,
		Example: `  # Can what the last release left in flight go on under this one, and back?
  <command> compat release.yaml <current>

  # And the objects of this cluster?
  <list> > objects.yaml
  <command> compat release.yaml <current> -f objects.yaml

  # What does this branch do to a file of itineraries?
  <command> compat git:origin/main:itineraries.yaml itineraries.yaml -o github`,
	},
	"serve": {
		Short: "Shows runs on pages of a local address",
		Long: `Serves pages that show what each <noun> does, why, and what is left of it; the
history that is recorded, and each itinerary with a switch for each flag. The
first line of standard output is the URL. Ctrl-C ends it, with exit code 0.

With -f the pages show the objects as they were read: files, or a directory such
as must-gather makes. With -i alone they show one <noun> with simulated work,
live; the options for that are as for run.

It listens on 127.0.0.1 and a free port unless --address says otherwise, and
answers requests for that host, localhost and numbers alone, since a page of
another site must read nothing here. Whoever reaches the address can read the
names, phases, flags and messages of all that is served. A controller can show
the same pages of its own runs: see machine/debug.`,
		Example: `  # A must-gather
  <command> serve -f must-gather/

  # What the pages show while one <noun> runs
  <command> serve -i <itinerary> --flags <flag>`,
	},
}
