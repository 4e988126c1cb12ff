package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// subject describes what a command works on: the runs of a stream, or an itinerary with
// flags.
type subject struct {
	app            *app
	files          []string
	today          bool // take flags from the objects, not from the state
	whole          bool // plan from the first phase
	itinerary      string
	flags, unknown []string
	set            []string
	diff           bool // show only what --set changes
	filter         filter
}

const filesUsage = "`FILE` with what kubectl get -o yaml or -o json prints, a directory of such files, or \"-\" for standard input; can " +
	"be repeated"

// registerWhole adds --whole to a command.
func registerWhole(cmd *cobra.Command, whole *bool) {
	cmd.Flags().BoolVar(whole, "whole", false, "with -f, plan from the first phase of the itinerary on, not from the recorded one")
}

func (s *subject) register(a *app, cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&s.itinerary, "itinerary", "i", "", a.itineraryUsage()+"; FILE.yaml with -f: the catalogue of the objects")
	f.StringArrayVar(&s.flags, "flags", nil, "with -i, the flags that are true: `A,B,...`; the others are false")
	f.StringArrayVar(&s.unknown, "unknown", nil, "with -i, the flags that are unknown: `A,B,...`")
	complete(cmd, "itinerary", a.completeItinerary)
	complete(cmd, "flags", s.completeFlags)
	complete(cmd, "unknown", s.completeFlags)
	s.registerObjects(a, cmd, s.completeSettings)
}

// registerObjects adds the options for objects. Settings completes --set.
func (s *subject) registerObjects(a *app, cmd *cobra.Command, settings completion) {
	s.app = a
	f := cmd.Flags()
	f.StringArrayVarP(&s.files, "file", "f", nil, filesUsage)
	f.Var(&a.stateAt, "state-at", "with -f, the `PATH` of the state on an object, such as .status.upgrade")
	if a.catalogue.Sources != nil || a.catalogue.Read != nil { // otherwise flags come only from states
		f.BoolVar(&s.today, "today", false, "with -f, take the flags from the objects, not from the recorded state")
	}
	complete(cmd, "state-at", cobra.NoFileCompletions)
	a.readers = append(a.readers, cmd)
	registerSet(cmd, &s.set, settings)
}

// itineraryUsage describes -i.
func (a *app) itineraryUsage() string {
	return "instead of objects, an `ITINERARY`: " + wording.List(a.builtin.names(), "or") + ", FILE.yaml, or FILE.yaml#NAME"
}

// family returns the itineraries that the command line selects, and the name of the one
// that -i names. Errors are usage errors, or errReported.
func (a *app) family(cmd *cobra.Command, s *subject) (f *family, itinerary string, err error) {
	if err := s.check(cmd); err != nil {
		return nil, "", err
	}
	if !cmd.Flags().Changed("itinerary") {
		return a.builtin, "", nil
	}
	if len(s.files) == 0 {
		f, itinerary, err = a.familyOf(s.itinerary)
	} else {
		f, err = a.catalogueOf(s.itinerary)
		a.in = f
	}
	return f, itinerary, a.content(err)
}

// check returns an error if the options are incomplete or exclude each other.
func (s *subject) check(cmd *cobra.Command) error {
	changed := cmd.Flags().Changed
	for _, o := range s.app.catalogue.Options {
		if len(s.files) == 0 && changed(o.Name) {
			instead := o.Instead
			if instead == "" {
				instead = "with -i alone there are no objects"
			}
			return fmt.Errorf("--%s needs -f; %s", o.Name, instead)
		}
		if changed(o.Name) && changed("itinerary") {
			return ownObjects(o.Name)
		}
	}
	switch {
	case len(s.files) == 0 && changed("whole"):
		return errors.New("--whole needs -f; with -i the whole itinerary is planned")
	case len(s.files) == 0 && changed("state-at"):
		return errors.New("--state-at needs -f; with -i alone there are no objects")
	case len(s.files) == 0 && changed("today"):
		return errors.New("--today needs -f; with -i alone there are no objects")
	case len(s.files) > 0 && (changed("flags") || changed("unknown")):
		if changed("itinerary") {
			return errors.New("with -f the flags are those of the objects; leave out --flags and --unknown, or give --set")
		}
		return errors.New("--flags and --unknown need -i ITINERARY; with -f the flags are those of the objects")
	case changed("today") && changed("itinerary"):
		return ownObjects("today")
	case len(s.files) > 0:
		return checkFiles(s.files)
	case changed("itinerary"):
		return nil
	case changed("flags"), changed("unknown"):
		return errors.New("--flags and --unknown need -i ITINERARY; with -f the flags are those of the objects")
	}
	return errors.New("nothing to look at; give -f FILE with what kubectl get -o yaml prints, or -i ITINERARY")
}

// ownObjects returns the error of an option that needs the objects of the catalogue.
func ownObjects(option string) error {
	return fmt.Errorf("--%s applies only to the objects of the built-in itineraries; leave it out with -i FILE", option)
}

// content prints an error about the content of a file of itineraries. It returns other
// errors, which are usage errors.
func (a *app) content(err error) error {
	var content *fileError
	if errors.As(err, &content) {
		a.problem(content.err)
		return errReported
	}
	return err
}

// itineraries returns those that the subject can be on. Errors are as for [app.family].
func (a *app) itineraries(cmd *cobra.Command, s *subject) ([]*machine.Graph, error) {
	f, itinerary, err := a.family(cmd, s)
	switch {
	case err != nil:
		return nil, err
	case itinerary == "":
		return f.graphs, nil
	}
	g, err := f.graph(itinerary)
	return []*machine.Graph{g}, err
}

func checkFiles(files []string) error {
	stdin := 0
	for _, file := range files {
		switch file {
		case "":
			return errors.New(`-f needs the name of a file, or "-"`)
		case "-":
			stdin++
		}
	}
	if stdin > 1 {
		return errors.New("-f - is given twice, but standard input can be read only once; remove one")
	}
	return nil
}

// fileError is a problem with the content of a file of itineraries, as opposed to the
// option that names it.
type fileError struct{ err error }

func (e *fileError) Error() string { return e.err.Error() }

// familyOf finds the itinerary that -i names, and all that are defined beside it.
func (a *app) familyOf(arg string) (f *family, itinerary string, err error) {
	f, named, err := a.namedBy(arg)
	if err != nil {
		return nil, "", err
	}
	if len(named) > 1 {
		var choices []string
		for _, g := range named {
			choices = append(choices, arg+"#"+g.Name())
		}
		return nil, "", fmt.Errorf("%s has several itineraries; give -i %s", arg, wording.List(choices, "or"))
	}
	return f, named[0].Name(), nil
}

// namedBy finds the itineraries that -i names, one or all of a file, and all that are
// defined beside them. An error about the file is a [*fileError].
func (a *app) namedBy(arg string) (f *family, named []*machine.Graph, err error) {
	if g, err := a.builtin.graph(arg); err == nil {
		return a.builtin, []*machine.Graph{g}, nil
	}
	file, name := splitItinerary(arg)
	if file == "" {
		return nil, nil, a.unknownItinerary(arg)
	}
	defs, err := loadFile(file)
	if err != nil {
		return nil, nil, &fileError{err}
	}
	return namedOf(defs, file, name)
}

// namedOf finds the itinerary of that name in a file, or all if the name is empty. Errors
// are as for [app.namedBy].
func namedOf(defs *phases.File, file, name string) (f *family, named []*machine.Graph, err error) {
	if name != "" {
		if _, err := defs.Itinerary(name); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	if f, err = newFamily(defs.Itineraries...); err != nil {
		return nil, nil, &fileError{err}
	}
	if name == "" {
		return f, f.graphs, nil
	}
	g, err := f.graph(name)
	return f, []*machine.Graph{g}, err
}

// catalogueOf finds the itineraries of the file that -i names together with -f: those of
// the objects.
func (a *app) catalogueOf(arg string) (*family, error) {
	if _, err := a.builtin.graph(arg); err == nil {
		return nil, fmt.Errorf(
			"-i %s names an itinerary without objects and excludes -f; give one of them, or the FILE.yaml that defines the itineraries "+
				"of the objects",
			arg)
	}
	file, name := splitItinerary(arg)
	if file != "" && name != "" {
		return nil, fmt.Errorf("-i with -f takes all itineraries of a file, since a run may switch between them; give -i %s", file)
	}
	f, _, err := a.namedBy(arg)
	return f, err
}

// splitItinerary splits FILE#NAME. If arg names neither a file nor an itinerary in one,
// file is empty.
func splitItinerary(arg string) (file, name string) {
	if _, err := os.Stat(arg); err == nil {
		return arg, ""
	}
	file = arg
	if i := strings.LastIndexByte(arg, '#'); i >= 0 {
		file, name = arg[:i], arg[i+1:]
	} else if filepath.Ext(arg) == "" && !strings.ContainsRune(arg, filepath.Separator) {
		return "", ""
	}
	return file, name
}

func loadFile(file string) (*phases.File, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, cannotRead(err)
	}
	defer f.Close()
	return phases.Load(f, file)
}

// facts returns the flags that --flags and --unknown name.
func (s *subject) facts(v *phases.Vocabulary) (phases.Facts, error) {
	yes, err := v.Parse(names(s.flags)...)
	if err != nil {
		return phases.Facts{}, fmt.Errorf("--flags: %w", err)
	}
	unknown, err := v.Parse(names(s.unknown)...)
	if err != nil {
		return phases.Facts{}, fmt.Errorf("--unknown: %w", err)
	}
	if both := v.Names(yes & unknown); len(both) > 0 {
		return phases.Facts{}, fmt.Errorf("%s cannot be both in --flags and in --unknown; remove it from one", wording.List(both, "and"))
	}
	return phases.NewFacts(yes, v.All()&^yes&^unknown), nil
}

// names splits lists of names at commas.
func names(lists []string) []string {
	var all []string
	for _, l := range lists {
		for _, name := range strings.Split(l, ",") {
			if name = strings.TrimSpace(name); name != "" {
				all = append(all, name)
			}
		}
	}
	return all
}

// eachItinerary plans an itinerary with the flags of the options.
func (a *app) eachItinerary(s *subject, g *machine.Graph, yield func(*planned) error) error {
	v := g.Vocabulary()
	facts, reasons, err := a.given(s, v)
	if err != nil {
		return err
	}
	before, _ := s.facts(v) // parsed before without error
	set, _ := s.settings(v)
	p := &planned{plan: g.Plan(facts), before: g.Plan(before), set: set.flags}
	p.with = func(_ context.Context, more settings) *machine.Plan {
		facts, _ := set.and(more).over(v, before)
		return g.Plan(facts)
	}
	a.unknownFlags(p.plan, reasons, func(err error) error { return fmt.Errorf("itinerary %s: %w", g.Name(), err) })
	return yield(p)
}

// given returns the flags that the options name and the reasons why flags are unknown. It
// warns if no run can have these flags.
func (a *app) given(s *subject, v *phases.Vocabulary) (phases.Facts, []*phases.FlagError, error) {
	facts, err := s.facts(v)
	if err != nil {
		return phases.Facts{}, nil, err
	}
	set, err := s.settings(v)
	if err != nil {
		return phases.Facts{}, nil, err
	}
	before := facts
	facts, _ = set.over(v, before)
	a.noteChanges(v, set, before, facts, func(err error) error { return err })
	for _, clause := range v.Broken(facts) {
		a.line("warning: %s%s", notReal, clauseText(v, clause))
	}
	return facts, set.reasons(v, facts, errGivenUnknown), nil
}

// settings returns the values of --set.
func (s *subject) settings(v *phases.Vocabulary) (settings, error) {
	set, err := parseSettings(v, s.set)
	set.quiet = s.diff
	return set, err
}

var errGivenUnknown = errors.New("it is named under --unknown")

// unknownFlags prints, for each unknown flag that the plan depends on, why it is unknown.
func (a *app) unknownFlags(p *machine.Plan, reasons []*phases.FlagError, wrong func(error) error) {
	for _, flag := range p.Graph().Vocabulary().Names(p.Matters()) {
		for _, reason := range reasons {
			if reason.Flag == flag {
				a.problem(wrong(reason))
			}
		}
	}
}

// clauseText describes a relation in words.
func clauseText(v *phases.Vocabulary, c phases.Clause) string {
	yes, no := v.Names(c.True), v.Names(c.False)
	switch {
	case len(no) == 0 && len(yes) == 1:
		return yes[0] + " must be true"
	case len(no) == 0:
		return "at least one of " + wording.List(yes, "and") + " must be true"
	case len(yes) == 0 && len(no) == 1:
		return no[0] + " must be false"
	case len(yes) == 0:
		return wording.List(no, "and") + " exclude each other"
	}
	return "with " + wording.List(no, "and") + ", " + wording.List(yes, "or") + " must be true"
}
