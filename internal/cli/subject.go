package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/internal/rawjson"
	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/legacy"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// subject is what plan and explain are about: the migrations of a stream, or
// an itinerary with flags.
type subject struct {
	files          []string
	noImages       bool // the source clusters have no image streams but those read
	whole          bool // plan from the first phase on
	itinerary      string
	flags, unknown []string
	set            []string
}

const filesUsage = "`FILE` with what kubectl get -o yaml or -o json prints, a directory of such files, or \"-\" for standard input; can be given several times"

// registerNoImages adds --no-image-streams to a command.
func registerNoImages(cmd *cobra.Command, noImages *bool) {
	cmd.Flags().BoolVar(noImages, "no-image-streams", false, "with -f, there are no image streams on the source clusters but those that are read")
}

// registerWhole adds --whole to a command.
func registerWhole(cmd *cobra.Command, whole *bool) {
	cmd.Flags().BoolVar(whole, "whole", false, "with -f, plan from the first phase of the itinerary on, not from the recorded one")
}

func (s *subject) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVarP(&s.files, "file", "f", nil, filesUsage)
	f.StringVarP(&s.itinerary, "itinerary", "i", "", "in place of objects, an `ITINERARY`: "+wording.List(builtin().Names(), "or")+", FILE.yaml, or FILE.yaml#NAME")
	f.StringArrayVar(&s.flags, "flags", nil, "with -i, the flags that are true: `A,B,...`; the others are false")
	f.StringArrayVar(&s.unknown, "unknown", nil, "with -i, the flags that are unknown: `A,B,...`")
	complete(cmd, "itinerary", completeItinerary)
	complete(cmd, "flags", s.completeFlags)
	complete(cmd, "unknown", s.completeFlags)
	registerNoImages(cmd, &s.noImages)
	registerSet(cmd, &s.set, s.completeSettings)
}

// family are the itineraries that the command line is about, and the name of
// the one that -i names. Errors are about the command line, or errReported.
func (a *app) family(cmd *cobra.Command, s *subject) (f *family, itinerary string, err error) {
	if err := s.check(cmd); err != nil {
		return nil, "", err
	}
	if !cmd.Flags().Changed("itinerary") {
		return builtinFamily(), "", nil
	}
	f, itinerary, err = familyOf(s.itinerary)
	return f, itinerary, a.content(err)
}

// check refuses options that do not say what to look at.
func (s *subject) check(cmd *cobra.Command) error {
	changed := cmd.Flags().Changed
	switch {
	case changed("itinerary") && len(s.files) > 0:
		return errors.New("-i names an itinerary without objects and excludes -f; give one of them")
	case len(s.files) == 0 && changed("no-image-streams"):
		return errors.New("--no-image-streams needs -f; with -i give --flags without HasISs")
	case len(s.files) == 0 && changed("whole"):
		return errors.New("--whole needs -f; with -i the whole itinerary is planned")
	case changed("itinerary"):
		return nil
	case changed("flags"), changed("unknown"):
		return errors.New("--flags and --unknown need -i ITINERARY; with -f the flags are those of the objects")
	case len(s.files) == 0:
		return errors.New("nothing to look at; give -f FILE with what kubectl get -o yaml prints, or -i ITINERARY")
	}
	return checkFiles(s.files)
}

// content prints an error about a file of itineraries; others are about the
// command line.
func (a *app) content(err error) error {
	var content *fileError
	if errors.As(err, &content) {
		a.problem(content.err)
		return errReported
	}
	return err
}

// itineraries are those that the subject can be on. Errors are as for
// [app.family].
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
		return errors.New("-f - is given twice, and standard input can be read once; remove one")
	}
	return nil
}

// fileError is what is wrong with a file of itineraries, as opposed to the
// option that names it.
type fileError struct{ err error }

func (e *fileError) Error() string { return e.err.Error() }

// familyOf finds the itinerary that -i names, among all that are defined beside
// it.
func familyOf(arg string) (f *family, itinerary string, err error) {
	f, named, err := namedBy(arg)
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

// namedBy finds the itineraries that -i names: one, or those of a file, among
// all that are defined beside them. An error about the file is a [*fileError].
func namedBy(arg string) (f *family, named []*machine.Graph, err error) {
	if g, err := builtinFamily().graph(arg); err == nil {
		return builtinFamily(), []*machine.Graph{g}, nil
	}
	file, name := splitItinerary(arg)
	if file == "" {
		hint := wording.DidYouMean(wording.Nearest(arg, builtin().Names()))
		if hint == "" {
			hint = "; built in are " + wording.List(builtin().Names(), "and") + ", and -i FILE.yaml reads others"
		}
		return nil, nil, fmt.Errorf("unknown itinerary %q%s", arg, hint)
	}
	defs, err := loadFile(file)
	if err != nil {
		return nil, nil, &fileError{err}
	}
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

// splitItinerary tells the name of a file, and of an itinerary in it, from a
// name that is neither: then file is empty.
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

// facts are those that --flags and --unknown name.
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

// names takes lists of names apart.
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

// planned is one migration, or one itinerary with flags, and its plan.
type planned struct {
	migration *migration // nil with -i
	phase     string     // as recorded, under its present name; empty if none is
	started   []string   // steps, in their order
	plan      *machine.Plan
}

// steps are those that have started, and then those that are visible.
func (p *planned) steps() []string {
	return append(slices.Clone(p.started), without(steps.Visible(p.plan), p.started)...)
}

// maybeSteps are those that depend on unknown flags.
func (p *planned) maybeSteps() []string { return without(steps.Possible(p.plan), p.started) }

func without(names, others []string) []string {
	return slices.DeleteFunc(names, func(n string) bool { return slices.Contains(others, n) })
}

// each plans what the subject is about, one after the other, in the order
// read. Problems are printed. The itineraries are those of [app.itineraries].
func (a *app) each(ctx context.Context, s *subject, itineraries []*machine.Graph, yield func(*planned) error) error {
	if len(s.files) == 0 {
		return a.eachItinerary(s, itineraries[0], yield)
	}
	set, err := parseSettings(mtc.Vocabulary(), s.set)
	if err != nil {
		return err
	}
	inv := a.read(s)
	adapter := legacy.NewAdapter(builtin(), mtc.DataNames)
	for _, m := range inv.migrations {
		p, err := a.migration(ctx, adapter, inv, m, set, s.whole)
		if err != nil {
			return err
		}
		if err := yield(p); err != nil {
			return err
		}
	}
	inv.printNotes(a)
	return nil
}

// read reads the objects of streams, which should hold a migration.
func (a *app) read(s *subject) *inventory {
	inv := a.take(a.documents(s.files, true), s.noImages)
	if len(inv.migrations) == 0 && !a.failed {
		a.problem(inv.noMigration(s.files))
	}
	return inv
}

// migration plans a migration from its recorded phase on, or the whole of its
// itinerary, and prints what is unknown of it.
func (a *app) migration(ctx context.Context, adapter *legacy.Adapter, inv *inventory, m *migration, set settings, whole bool) (*planned, error) {
	p := &planned{migration: m}
	if err := p.upgrade(adapter); err != nil {
		a.problem(m.object.wrong(err))
	}
	g, err := builtin().Graph(mtc.Current(m.Migration))
	if err != nil {
		return nil, err
	}
	at, err := m.position(g, p.phase)
	if err != nil {
		a.problem(m.object.wrong(fmt.Errorf("planned from the first phase: %w", err)))
	}
	if at.Phase != "" {
		p.phase = at.Phase
	}
	if whole { // whatever has started
		at, p.started = machine.Position{}, nil
	}
	f := a.find(ctx, inv, m, set)
	if p.plan, err = g.PlanFrom(at, f.facts); err != nil {
		return nil, err
	}
	f.print(a, p.plan, m.object.wrong)
	return p, nil
}

// position is where a migration stands in its itinerary, with the phase under
// its present name. A recorded phase counts only if it was recorded in that
// itinerary, or without any, as for [machine.Set.Resume]. One that the
// itinerary does not have is an error; the position is then the start.
func (m *migration) position(g *machine.Graph, phase string) (machine.Position, error) {
	on := m.Status.Itinerary
	switch {
	case mtc.Done(m.Migration):
		return machine.Position{Phase: phase, Done: true}, nil
	case phase == "", on != "" && on != g.Name():
		return machine.Position{}, nil
	}
	i, err := g.Lookup(phase)
	if err != nil {
		return machine.Position{}, err
	}
	return machine.Position{Phase: g.Phase(i).Name}, nil
}

// upgrade takes the phase and the started steps from the present form of the
// status.
func (p *planned) upgrade(adapter *legacy.Adapter) error {
	p.phase = p.migration.Status.Phase
	present, err := p.migration.upgraded(adapter)
	if err != nil || rawjson.IsNull(present) {
		return err
	}
	var status struct {
		Phase    string `json:"phase"`
		Pipeline []struct {
			Name      string `json:"name"`
			Started   string `json:"started"` // whatever it is, it is no matter here
			Completed string `json:"completed"`
			Failed    bool   `json:"failed"`
		} `json:"pipeline"`
	}
	if err := json.Unmarshal(present, &status); err != nil {
		return err
	}
	p.phase = status.Phase
	for _, s := range status.Pipeline {
		if s.Started != "" || s.Completed != "" || s.Failed {
			p.started = append(p.started, s.Name)
		}
	}
	return nil
}

// upgraded is the status of the migration in its present form; null or nothing
// if it has none.
func (m *migration) upgraded(adapter *legacy.Adapter) (json.RawMessage, error) {
	up, err := adapter.Upgrade(rawjson.ParseObject(m.object.text).Get("status"), nil)
	return up.Status, err
}

// eachItinerary plans an itinerary with flags.
func (a *app) eachItinerary(s *subject, g *machine.Graph, yield func(*planned) error) error {
	facts, reasons, err := a.given(s, g.Vocabulary())
	if err != nil {
		return err
	}
	p := &planned{plan: g.Plan(facts)}
	a.unknownFlags(p.plan, reasons, func(err error) error { return fmt.Errorf("itinerary %s: %w", g.Name(), err) })
	return yield(p)
}

// given are the facts that the options name, with the reasons why flags are
// unknown, and a warning if no migration can have them.
func (a *app) given(s *subject, v *phases.Vocabulary) (phases.Facts, []*phases.FlagError, error) {
	facts, err := s.facts(v)
	if err != nil {
		return phases.Facts{}, nil, err
	}
	set, err := parseSettings(v, s.set)
	if err != nil {
		return phases.Facts{}, nil, err
	}
	if set.flags != 0 {
		before := facts
		facts, _ = set.over(v, facts)
		a.noteChanges(v, set, before, facts, func(err error) error { return err })
	}
	for _, clause := range v.Broken(facts) {
		a.line("warning: %s%s", notReal, clauseText(v, clause))
	}
	var reasons []*phases.FlagError
	for flag := range (v.All() &^ facts.Known()).Each {
		why := errGivenUnknown
		if set.flags.Has(flag) {
			why = errSetUnknown
		}
		reasons = append(reasons, &phases.FlagError{Flag: v.Names(flag)[0], Err: why})
	}
	return facts, reasons, nil
}

var errGivenUnknown = errors.New("it is named under --unknown")

// unknownFlags prints of each unknown flag that the plan depends on why it is
// unknown.
func (a *app) unknownFlags(p *machine.Plan, reasons []*phases.FlagError, wrong func(error) error) {
	for _, flag := range p.Graph().Vocabulary().Names(p.Matters()) {
		for _, reason := range reasons {
			if reason.Flag == flag {
				a.problem(wrong(reason))
			}
		}
	}
}

// clauseText is in words what a relation asks for.
func clauseText(v *phases.Vocabulary, c phases.Clause) string {
	yes, no := v.Names(c.True), v.Names(c.False)
	switch {
	case len(no) == 0 && len(yes) == 1:
		return yes[0] + " must be true"
	case len(no) == 0:
		return "one of " + wording.List(yes, "and") + " must be true"
	case len(yes) == 0 && len(no) == 1:
		return no[0] + " must be false"
	case len(yes) == 0:
		return wording.List(no, "and") + " exclude each other"
	}
	return "with " + wording.List(no, "and") + ", " + wording.List(yes, "or") + " must be true"
}
