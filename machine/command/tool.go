package command

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// Tool is one execution of the command. The functions of a catalogue use it to read objects
// and print problems. It is not safe for concurrent use.
type Tool struct{ a *app }

// StateRuns finds the runs of all objects that hold states. It also returns a run for each
// object of the catalogue's kind that holds none.
func (t *Tool) StateRuns(all *Objects) Reading { return t.a.stateRuns(all) }

// RunsOf finds the runs of one object that holds states, as StateRuns does, and reports
// whether the object holds a state. It is for a catalogue that reads other objects
// differently. States that cannot be read are printed as problems, so runs may be empty
// although holds is true.
func (t *Tool) RunsOf(o *Object, all *Objects) (runs []*Run, holds bool) {
	return t.a.runsOf(o, all)
}

// Problem prints a problem with what was read and makes the exit code 1. Joined errors are
// printed as one line each.
func (t *Tool) Problem(err error) { t.a.problem(err) }

// ProblemOf prints a problem of an object. Only the first problems of a stream are printed;
// the others are counted.
func (t *Tool) ProblemOf(o *Object, problem func() error) { t.a.problemOf(o.stream, problem) }

// Warn prints a line, such as "note: ..." or "warning: ...", and does not change the exit
// code.
func (t *Tool) Warn(format string, args ...any) { t.a.line(format, args...) }

// RegisterObjects adds -f and --set to a command, and the options of the catalogue once Own
// has returned. The result holds their values.
func (t *Tool) RegisterObjects(cmd *cobra.Command) *ObjectOptions {
	o := &ObjectOptions{s: subject{app: t.a}, a: t.a}
	cmd.Flags().StringArrayVarP(&o.s.files, "file", "f", nil, filesUsage)
	t.a.readers = append(t.a.readers, cmd)
	registerSet(cmd, &o.s.set, o.s.completeSettings)
	return o
}

// RegisterOutput adds -o to a command and returns a pointer to its value. If the value is
// empty, [Tool.Print] prints objects as they were read.
func (t *Tool) RegisterOutput(cmd *cobra.Command) (format *string) {
	format = new(string)
	registerOutput(cmd, format, "", "output `FORMAT`: json or yaml (default: as read)", formatJSON, formatYAML)
	return format
}

// CheckOutput returns an error if -o has a value that [Tool.RegisterOutput] does not know.
func (t *Tool) CheckOutput(cmd *cobra.Command, format string) error {
	if !cmd.Flags().Changed("output") {
		return nil
	}
	return checkChoice("-o", format, formatJSON, formatYAML)
}

// CheckChoice returns an error if the value of an option is not one of the choices.
func (t *Tool) CheckChoice(option, value string, choices ...string) error {
	return checkChoice(option, value, choices...)
}

// CompleteChoice makes the shell complete the value of an option from choices.
func (t *Tool) CompleteChoice(cmd *cobra.Command, option string, choices ...string) {
	complete(cmd, option, fixed(choices...))
}

// NoArguments returns an error if a command that takes no arguments is given one.
func (t *Tool) NoArguments(cmd *cobra.Command, args []string) error { return noArguments(cmd, args) }

// ObjectOptions are the options of a command that reads objects.
type ObjectOptions struct {
	a   *app
	s   subject
	set settings
}

// Files returns the files that were given.
func (o *ObjectOptions) Files() []string { return o.s.files }

// Sets reports whether --set was given.
func (o *ObjectOptions) Sets() bool { return len(o.s.set) > 0 }

// Check parses the options and returns an error if they are invalid. Call it before Read and
// Facts.
func (o *ObjectOptions) Check() (err error) {
	if err := checkFiles(o.s.files); err != nil {
		return err
	}
	o.set, err = parseSettings(o.a.builtin.vocabulary(), o.s.set)
	return err
}

// Read reads all objects, including those that [Catalogue].KindOf excludes, and finds the
// runs of the others. It prints problems.
func (o *ObjectOptions) Read() (*Objects, Reading) {
	r := o.a.readObjects(&o.s, true)
	return r.objects, r.Reading
}

// Facts returns the flags of a run. They come from its state if that records them,
// otherwise from the objects; values of --set override both. Facts prints what else --set
// changes. The error reports that the run is on no known itinerary.
func (o *ObjectOptions) Facts(ctx context.Context, r *Run, all Reading) (phases.Facts, error) {
	g, err := o.a.graphOf(r)
	if err != nil {
		return phases.Facts{}, err
	}
	return o.a.find(ctx, &reading{Reading: all}, r, r.Recorded(), g, false, o.set).facts, nil
}

// Print prints all objects that were read, with their current texts ([Object].JSON), in the
// order in which they were read. If format is empty, it keeps the format in which they were
// read. The error is that of standard output.
func (t *Tool) Print(all *Objects, format string) error {
	return t.a.printDocuments(all.documents, format)
}

// cobraCommands are the commands that cobra adds.
var cobraCommands = []string{"help", "completion", cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd}

// addOwn adds the commands of [Catalogue].Own and returns the problems with them.
func (a *app) addOwn(root *cobra.Command) (problems []string) {
	if a.catalogue.Own == nil {
		return nil
	}
	add := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	defer func() {
		// pflag panics if a command defines an option twice.
		if p := recover(); p != nil {
			add("Own panics: %v", p)
		}
	}()
	taken := slices.Clone(cobraCommands)
	for _, cmd := range root.Commands() {
		taken = append(taken, cmd.Name())
	}
	for i, cmd := range a.catalogue.Own(&Tool{a}) {
		switch {
		case cmd == nil:
			add("Own returns nil as command %d; remove it", i)
			continue
		case cmd.Name() == "":
			add("Own returns command %d without a name; set Use", i)
			continue
		case cmd.HasParent():
			add("Own returns command %q, which belongs to another command; make one for each call", cmd.Name())
			continue
		}
		root.AddCommand(cmd)
		for _, name := range append([]string{cmd.Name()}, cmd.Aliases...) {
			if slices.Contains(taken, name) {
				add("Own returns a command %q, but that name is taken; rename it", name)
			}
			taken = append(taken, name)
		}
	}
	return problems
}

// addOptions adds [Catalogue].Options to the commands that read objects and returns the
// problems with them.
func (a *app) addOptions() (problems []string) {
	a.options = make(map[string]*bool)
	for _, o := range a.catalogue.Options {
		given := new(bool)
		a.options[o.Name] = given
		for _, cmd := range a.readers {
			if o.Name == "help" || o.Name == "version" || cmd.Flags().Lookup(o.Name) != nil {
				problems = append(problems,
					fmt.Sprintf("Options: %s already has an option --%s; rename that of the catalogue", cmd.Name(), o.Name))
				break
			}
			cmd.Flags().BoolVar(given, o.Name, false, "with -f, "+o.Usage)
		}
	}
	return problems
}
