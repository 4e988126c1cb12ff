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

// describe sets the help of the commands: the texts of the catalogue, or the general ones
// with the names of the catalogue inserted. It returns the problems with [Catalogue].Texts.
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
			problems = append(problems,
				fmt.Sprintf("Texts: there is no command %q%s", name, wording.DidYouMean(wording.Nearest(name, known))))
		}
	}
	return problems
}

// words returns the replacer of the placeholders in help texts.
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
	// Prefer a phase and a step that may not run, so the example asks why.
	nothing := g.Plan(phases.NewFacts(0, g.Vocabulary().All()))
	for i := range g.Len() {
		if g.Phase(i).Guard.Reads() != 0 {
			phase = g.Phase(i).Name
			break
		}
	}
	// fails is a phase that runs if the flag is true.
	fails := phase
	withFlag, _ := g.Vocabulary().Parse(flag) // zero if the itinerary reads no flag
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

// helpTexts are the general help texts, by the name of the command.
var helpTexts = map[string]Text{
	"": {
		Short: "Shows what each <noun> will do, and why",
		Long: `Shows which steps each <noun> will run before it runs them, and why it leaves
the others out. Shows what each one does now, draws one, or simulates one.

It reads what kubectl prints and does not connect to a cluster.

Exit code: 0 on success; 1 if there was a problem with what was read, or a flag
that matters is unknown (all other results are printed); 2 if the command line is
invalid; 130 if Ctrl-C ended a simulation.`,
		Example: `  # What will each <noun> do?
  <list> > objects.yaml
  <command> plan -f objects.yaml

  # Why does phase <phase> run, or not?
  <command> explain <phase> -f objects.yaml`,
	},
	"plan": {
		Short: "Shows which steps each <noun> runs",
		Long: `Shows for each <kind> its itinerary, its phase and its steps in order: those that
have started, and those that it will run from the recorded phase on. --whole
plans the itinerary from its first phase.

-f reads what kubectl prints, from files or from a directory such as must-gather
makes. The state of a run is found in the annotation pipeline.konveyor.io/state,
in the status, or in a field of the status; --state-at names another place. The
flags are those that the state records.

With -i alone there are no objects: it plans an itinerary with the flags that you
name.

A step in parentheses depends on a flag that is unknown, or on a choice that is
not made. A step with a question mark may still change, once a phase ahead has
decided the flags that it depends on. In json and yaml these are maybeSteps and
tentativeSteps; the latter also lists steps that are not shown but may still come.

--name, --itinerary-name and --runs select some; --runs selects those that run a
step by the flags known now, or may run it. A name that does not exist is an
error; selecting nothing is not.

--set gives a flag another value, and its relations to other flags apply: a note
lists what else changes. --diff shows only what --set changes: flags, steps that
appear (+), vanish (-) or become uncertain (?), and phases with the reason. In
json and yaml each change has before and after.

--explain also shows what is left out, and why. json and yaml always hold every
phase, whether it runs, and why not.`,
		Example: `  # The objects of a cluster
  <list> > objects.yaml
  <command> plan -f objects.yaml

  # What is left out, and why
  <command> plan -f objects.yaml --explain

  # Which of them will run the step <step>?
  <command> plan -f objects.yaml --runs <step>

  # What would change?
  <command> plan -f objects.yaml --set <flag>=true --diff

  # Without a cluster
  <command> plan -i <itinerary> --flags <flag>`,
	},
	"status": {
		Short: "Shows what each <noun> does now, and what is stuck",
		Long: `Shows for each <kind> what its <noun> does now and in which phase, since when and
why, when it is retried, and its deadline, as last recorded by the controller.
Input is as for plan; no flags are needed.

The <noun> is stuck if it is stopped or past a deadline. With --stuck it is also
stuck if it has not moved for that long, and only those that are stuck are shown.
Earlier pauses do not count towards that time; a current pause does.

For objects that were read some time ago, such as those of must-gather, give that
time with --now.

Exit code: also 1 if one is stuck.`,
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
		Long: `Explains a phase, a step or a flag for each <kind>. For a phase or a step: whether
it runs or is shown, its guard, which flags prevent it, and which phases decide
them. For a flag: its value, which phases read it, which decide it, and what
another value would change.

NAME is the name of a phase, a step or a flag. If it names several of these, all
are explained; choose one with --phase, --step or --flag. A phase that rides never
makes its step visible, so no step depends on it.

For a flag, json and yaml have its value under runs. The object under flag has
description, live, readBy, decidedBy, relations, and ifOther with what each other
value would change, as plan --diff shows it.

Input and the other options are as for plan.`,
		Example: `  # Why do some have no step <step>?
  <command> explain <step> -f objects.yaml

  # Why does this one have none?
  <command> explain <step> -f objects.yaml --name NAME

  # What must be true for it to run?
  <command> explain <phase> -i <itinerary>

  # What depends on a flag?
  <command> explain <flag> -i <itinerary>`,
	},
	"graph": {
		Short: "Draws an itinerary, and one <noun> on top of it",
		Long: `Draws the phases of an itinerary in order, by step, with their guards and jumps.
--flags or --unknown add what runs with these flags, and why the rest does not;
-f does the same for one <kind>, from its recorded phase. Input is as for plan.

A phase is behind if no path leads to it any more. Such a phase did not
necessarily run: its guard is drawn with the current flags.

A phase whose guard does not admit is passed by. That transition is not drawn,
unless --all-edges draws every possible transition, or --around those of one
phase. These options judge each guard on its own: they draw a transition past one
phase to another with the same guard, although no flags allow it. Several
itineraries, or a file with several, make one picture.

An end phase is in parentheses; no arrow leads on from it. Phases that depend on a
choice that is not made and phases that depend on an unknown flag have different
marks. A phase that may belong to several steps is drawn under the one of the
plan, or without a plan under its own.

The text is 80 columns wide. svg is a picture and needs no other program; dot is
for Graphviz; mermaid is rendered by GitHub and GitLab; json is described by
graph.schema.json of github.com/konveyor/dynamic-pipeline/machine/dump.`,
		Example: `  # An itinerary
  <command> graph -i <itinerary>

  # What runs of it with these flags, and why the rest does not
  <command> graph -i <itinerary> --flags <flag>

  # Where one <noun> is, as a picture
  <command> graph -f objects.yaml --name NAME -o svg > picture.svg

  # What do these flags change?
  <command> graph --diff <itinerary> '<itinerary>?<flag>'

  # Which transitions lead to a phase, and from it?
  <command> graph -i <itinerary> --around <phase>`,
	},
	"run": {
		Short: "Simulates one <noun>, and shows its pipeline",
		Long: `Runs one <noun> to its end through the machine that a controller embeds. The work
is simulated: nothing is called, nothing is changed. On a terminal the pipeline is
redrawn in place; elsewhere each change is a line, after the simulated time since
the beginning. With -o json each event is a line, and the last line holds the
pipeline.

Input, -f, -i, --flags and --unknown are as for plan. If the <noun> has begun, it
continues from its recorded phase. Flags keep their values, including those that
phases decide, unless --flag-flips-at changes them. A phase whose handler may
choose the next phase makes no choice, unless --choose names one.

A phase takes between 2 and 55 simulated seconds, always the same for its name.
--speed sets how many of them pass in a second: 1x is real time. The default is
60x on a terminal, and max elsewhere, without any waiting. The same input gives
the same output at any speed.

A phase that --fail-at names fails at the end of its work, the first time that
it runs; one that --cancel-at names is interrupted. The simulation continues in
the itinerary of --on-fail or --on-cancel. In a cleanup itinerary a phase that
fails is passed by.

Ctrl-C ends the simulation and prints its position. Exit code: 130 after Ctrl-C,
otherwise as for all commands. A requested failure or cancel is not an error. An
option whose phase never ran is an error, with exit code 1.`,
		Example: `  # Watch it
  <command> run -i <itinerary> --flags <flag>

  # What users see when a phase fails
  <command> run -i <itinerary> --flags <flag> --fail-at <fails>

  # One of a cluster, from its recorded phase
  <command> run -f objects.yaml --name NAME --speed 1000x

  # Every event, for a program
  <command> run -i <itinerary> --flags <flag> -o json`,
	},
	"verify": {
		Short: "Checks itineraries, over all combinations of flags",
		Long: `Checks itineraries by rules (--rules lists them), over every combination of flags
that the relations allow and every path that one <noun> can take: phases that
never run, flags that nothing reads, endless loops. Nothing is sampled; what is too
large to decide is a finding. It checks the built-in itineraries, or with -i those
of a file, or one itinerary.

Each finding has its place, the smallest set of flags that shows it and, if a plan
shows it, the command that prints that plan. In a file, the list "suppress"
accepts intended findings by rule and names, each with a reason; an entry that
matches nothing is itself a finding.

sarif is for code hosts, junit for CI servers; github annotates the change in
GitHub Actions. json is one array of findings.

--fix removes from a file flags that nothing reads, and redundant flags of guards;
everything else stays as it is. The remaining findings are then printed. --dry-run
prints what would change as a diff.

--freeze writes the definitions unchanged, for compat: freeze each release.

Exit code: also 1 if a finding is not suppressed and reaches --fail-level, by
default warning.`,
		Example: `  # The built-in itineraries
  <command> verify

  # A file of itineraries, in CI
  <command> verify -i itineraries.yaml -o github

  # What could be removed?
  <command> verify -i itineraries.yaml --fix --dry-run

  # Which rules are there?
  <command> verify --rules

  # Record the definitions of this release, for the next one
  <command> verify --freeze release.yaml`,
	},
	"compat": {
		Short: "Checks that runs in flight can continue under another release",
		Long: `Compares two releases of itineraries: every state that one <noun> can be in
under OLD is resumed under NEW, and the reverse, for a rollback of the release.
Nothing is sampled; if a limit is reached, the result is inconclusive, with exit
code 1, and cannot be accepted.

A release is <current>, the built-in one; FILE.yaml, such as verify --freeze
writes; or git:REF:PATH, the file as it was in a commit. The path starts at the
top of the repository, or with ./ at the current directory. With #NAME after a
release, only that itinerary is compared.

There are four kinds of breaks:
  state       a run cannot be resumed: its itinerary, phase or choice is gone
  work        a phase runs twice, is skipped, or comes in another order
  view        steps that users see are renamed, reordered or dropped
  definition  only the definition differs: a run is replanned, and recorded flags
              that are gone are ignored
The first two are errors, the third is a warning, the last is information. Each
has the smallest state in flight that shows it. If a phase was renamed, the tested
line "formerly" that fixes it is shown.

With -f, objects are read as by plan, and each break names those that are in such
a state. An object whose state cannot be placed is an error: whether it can
continue is not known.

--accept names a file of intended breaks, by their fingerprints:

  accept:
  - fingerprint: phase-gone/upgrade/Final/phase=EnsureQuiesced
    reason: no <noun> is in flight when this release is rolled out
    expires: 2027-03-31

An entry that matches nothing, or has expired, is itself a finding.

Exit code: also 1 if a break is not accepted and reaches --fail-level, by default
warning.`,
		Example: `  # Can runs of the last release continue under this one, and back?
  <command> compat release.yaml <current>

  # And the objects of this cluster?
  <list> > objects.yaml
  <command> compat release.yaml <current> -f objects.yaml

  # What does this branch break in a file of itineraries?
  <command> compat git:origin/main:itineraries.yaml itineraries.yaml -o github`,
	},
	"serve": {
		Short: "Serves web pages about runs on a local address",
		Long: `Serves pages that show what each <noun> does, why, and what remains; its recorded
history; and each itinerary with a switch for each flag. The first line of
standard output is the URL. Ctrl-C ends it, with exit code 0.

With -f the pages show the objects as they were read: files, or a directory such
as must-gather makes. With -i alone they show one simulated <noun>, live, with the
options of run.

It listens on 127.0.0.1 and a free port; --address changes that. It only answers
requests for that host, localhost and IP addresses, so a page of another site
cannot read it. Anyone who can reach the address can read the names, phases, flags
and messages that are served. A controller can serve the same pages about its own
runs: see machine/debug.`,
		Example: `  # A must-gather
  <command> serve -f must-gather/

  # What the pages show while one <noun> runs
  <command> serve -i <itinerary> --flags <flag>`,
	},
}
