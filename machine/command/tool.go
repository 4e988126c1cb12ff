package command

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// Tool is one call of the command, for what a catalogue brings of its own.
type Tool struct{ a *app }

// StateRuns finds the runs of objects that hold the states of runs, and the
// objects of the catalogue's kind that hold none.
func (t *Tool) StateRuns(all *Objects) Reading { return t.a.stateRuns(all) }

// RunsOf finds the runs of an object that holds the states of runs, as StateRuns
// does, for a catalogue that reads other objects otherwise, and reports whether the
// object holds a state. States that cannot be read are printed as problems, so that
// there may be no run although it holds some.
func (t *Tool) RunsOf(o *Object, all *Objects) (runs []*Run, holds bool) {
	return t.a.runsOf(o, all)
}

// Problem prints something that is wrong with what was read; the exit code is then
// 1. An error that joins several is printed as several lines.
func (t *Tool) Problem(err error) { t.a.problem(err) }

// ProblemOf prints a problem of an object; of one stream only the first are
// printed, and the others are counted.
func (t *Tool) ProblemOf(o *Object, problem func() error) { t.a.problemOf(o.stream, problem) }

// Warn prints a line that is no problem, such as "note: ..." or "warning: ...".
func (t *Tool) Warn(format string, args ...any) { t.a.line(format, args...) }

// RegisterObjects adds the options of commands that read objects to a command: -f
// and --set, and once Own has returned those of the catalogue's own. The values are
// in what it returns.
func (t *Tool) RegisterObjects(cmd *cobra.Command) *ObjectOptions {
	o := &ObjectOptions{s: subject{app: t.a}, a: t.a}
	cmd.Flags().StringArrayVarP(&o.s.files, "file", "f", nil, filesUsage)
	t.a.readers = append(t.a.readers, cmd)
	registerSet(cmd, &o.s.set, o.s.completeSettings)
	return o
}

// RegisterOutput adds -o to a command. If it is empty, [Tool.Print] prints objects
// as they were read.
func (t *Tool) RegisterOutput(cmd *cobra.Command) (format *string) {
	format = new(string)
	registerOutput(cmd, format, "", "output `FORMAT`: json or yaml (default: as read)", formatJSON, formatYAML)
	return format
}

// CheckOutput refuses a value of -o that [Tool.RegisterOutput] does not know.
func (t *Tool) CheckOutput(cmd *cobra.Command, format string) error {
	if !cmd.Flags().Changed("output") {
		return nil
	}
	return checkChoice("-o", format, formatJSON, formatYAML)
}

// CheckChoice refuses a value of an option that is not one of the choices.
func (t *Tool) CheckChoice(option, value string, choices ...string) error {
	return checkChoice(option, value, choices...)
}

// CompleteChoice lets the shell complete the value of an option.
func (t *Tool) CompleteChoice(cmd *cobra.Command, option string, choices ...string) {
	complete(cmd, option, fixed(choices...))
}

// NoArguments refuses arguments of a command that takes none.
func (t *Tool) NoArguments(cmd *cobra.Command, args []string) error { return noArguments(cmd, args) }

// ObjectOptions are the options of a command that reads objects.
type ObjectOptions struct {
	a   *app
	s   subject
	set settings
}

// Files are the files that were given.
func (o *ObjectOptions) Files() []string { return o.s.files }

// Sets reports whether a value was given with --set.
func (o *ObjectOptions) Sets() bool { return len(o.s.set) > 0 }

// Check refuses options that make no sense.
func (o *ObjectOptions) Check() (err error) {
	if err := checkFiles(o.s.files); err != nil {
		return err
	}
	o.set, err = parseSettings(o.a.builtin.vocabulary(), o.s.set)
	return err
}

// Read reads all objects, those of no interest included, and finds the runs of the
// others. Problems are printed.
func (o *ObjectOptions) Read() (*Objects, Reading) {
	r := o.a.readObjects(&o.s, true)
	return r.objects, r.Reading
}

// Facts returns the flags of a run: those that its state records, and the others by
// the objects, with the values of --set over them. What these change is printed.
func (o *ObjectOptions) Facts(ctx context.Context, r *Run, all Reading) (phases.Facts, error) {
	g, err := o.a.graphOf(r)
	if err != nil {
		return phases.Facts{}, err
	}
	return o.a.find(ctx, &reading{Reading: all}, r, r.Recorded(), g, false, o.set).facts, nil
}

// Print prints all objects that were read, with their texts as they are now
// ([Object].JSON), in the order and the format in which they were read, or in the
// format given.
func (t *Tool) Print(all *Objects, format string) error {
	return t.a.printDocuments(all.documents, format)
}

// cobraCommands are the names of commands that cobra adds.
var cobraCommands = []string{"help", "completion", cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd}

// addOwn adds the commands of the catalogue's own, and returns what is wrong with
// them.
func (a *app) addOwn(root *cobra.Command) (problems []string) {
	if a.catalogue.Own == nil {
		return nil
	}
	add := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	defer func() {
		// pflag panics if a command has an option twice.
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
			add("Own returns nil as command %d; leave it out", i)
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
				add("Own returns a command %q, and there is one of that name; rename it", name)
			}
			taken = append(taken, name)
		}
	}
	return problems
}

// addOptions adds the options of the catalogue's own to the commands that read
// objects, and returns what is wrong with them.
func (a *app) addOptions() (problems []string) {
	a.options = make(map[string]*bool)
	for _, o := range a.catalogue.Options {
		given := new(bool)
		a.options[o.Name] = given
		for _, cmd := range a.readers {
			if o.Name == "help" || o.Name == "version" || cmd.Flags().Lookup(o.Name) != nil {
				problems = append(problems, fmt.Sprintf("Options: %s has an option --%s of its own; rename that of the catalogue", cmd.Name(), o.Name))
				break
			}
			cmd.Flags().BoolVar(given, o.Name, false, "with -f, "+o.Usage)
		}
	}
	return problems
}
