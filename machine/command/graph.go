package command

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/dump"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// graphOptions are the options of graph.
type graphOptions struct {
	subject     // without itinerary, which is repeated here
	itineraries []string
	name        string
	draw        dump.Options
	at          string
	format      string
	diff        bool
}

func (a *app) graph() *cobra.Command {
	var o graphOptions
	cmd := &cobra.Command{
		Use:  "graph (-f FILE... [--name NAME] | -i ITINERARY... | --diff A B)",
		Args: o.diffArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			drawing, err := a.drawing(cmd, &o, args)
			if drawing == nil {
				return err
			}
			out := output{w: a.stdout}
			out.buf.Write(a.dump(drawing, o.format))
			return out.flush()
		},
	}
	o.app = a
	f := cmd.Flags()
	f.StringArrayVarP(&o.itineraries, "itinerary", "i", nil, a.itineraryUsage()+
		"; can be repeated; FILE.yaml with -f: the catalogue of the object")
	f.StringArrayVar(&o.flags, "flags", nil, "with -i, draw what runs if these flags are true: `A,B,...`; the others are false")
	f.StringArrayVar(&o.unknown, "unknown", nil, "with -i, the flags that are unknown: `A,B,...`")
	f.StringVar(&o.name, "name", "", "with -f, the "+a.noun()+" to draw, if there are several: `NAME` or NAMESPACE/NAME")
	f.StringVar(&o.at, "at", "", "with --flags or -f, draw what runs from this `PHASE` on")
	f.BoolVar(&o.draw.AllEdges, "all-edges", false, "draw every possible transition")
	f.BoolVar(&o.draw.OnlyRun, "only-run", false, "with --flags or -f, leave out what will not run")
	f.StringVar(&o.draw.Around, "around", "", "draw only this `PHASE`, the phases one transition away, and these transitions")
	f.BoolVar(&o.diff, "diff", false, "draw what differs between two arguments, each 'ITINERARY[@PHASE][?FLAG,...]', "+
		"a file of itineraries, or a file with the object of one "+a.noun()+"; \"-\" is standard input")
	registerOutput(cmd, &o.format, formatText, "output `FORMAT`: text, dot, mermaid, json or svg", formatText, formatDOT,
		formatMermaid, formatJSON, formatSVG)
	complete(cmd, "itinerary", a.completeItinerary)
	complete(cmd, "flags", o.completeFlags)
	complete(cmd, "unknown", o.completeFlags)
	o.registerObjects(a, cmd, o.completeSettings)
	complete(cmd, "name", cobra.NoFileCompletions)
	complete(cmd, "at", o.completePhases)
	complete(cmd, "around", o.completePhases)
	return cmd
}

// drawing returns the requested drawing, or nil if there is nothing to draw. It prints
// problems with what was read.
func (a *app) drawing(cmd *cobra.Command, o *graphOptions, args []string) (drawing *dump.Drawing, err error) {
	if o.diff {
		drawing, err = a.drawDiff(cmd, o, args)
	} else {
		if err := o.check(cmd); err != nil {
			return nil, err
		}
		itineraries, drawnErr := a.drawn(cmd, o)
		if drawnErr != nil {
			return nil, drawnErr
		}
		drawing, err = dump.New(o.draw, itineraries...)
		err = ofAround(err)
	}
	if errors.As(err, new(*machine.TooManyEdgesError)) {
		a.problem(err)
		return nil, errReported
	}
	return drawing, err
}

// ofAround adds --around to the error that a drawing does not have the phase.
func ofAround(err error) error {
	if errors.As(err, new(*dump.UnknownPhaseError)) {
		return fmt.Errorf("--around: %w", err)
	}
	return err
}

// check returns an error if options exclude each other.
func (o *graphOptions) check(cmd *cobra.Command) error {
	if err := checkChoice("-o", o.format, formatText, formatDOT, formatMermaid, formatJSON, formatSVG); err != nil {
		return err
	}
	if err := o.subject.check(cmd); err != nil {
		return err
	}
	if err := o.checkExtent(cmd); err != nil {
		return err
	}
	changed := cmd.Flags().Changed
	planned := len(o.files) > 0 || changed("flags") || changed("unknown") || changed("set")
	const how = "give --flags with the flags that are true; if none is: --flags ''"
	switch {
	case changed("name") && len(o.files) == 0:
		return fmt.Errorf("--name needs -f; with -i there is no %s", o.app.noun())
	case changed("at") && !planned:
		return errors.New("--at needs to know what runs from there; " + how)
	case o.draw.OnlyRun && !planned:
		return errors.New("--only-run needs to know what runs; " + how)
	case changed("at") && o.at == "":
		return errAtNeedsPhase
	}
	return nil
}

var errAtNeedsPhase = errors.New("--at and --around need the name of a phase")

// checkExtent returns an error if the options for the extent of the drawing exclude each
// other.
func (o *graphOptions) checkExtent(cmd *cobra.Command) error {
	around := cmd.Flags().Changed("around")
	switch {
	case around && o.draw.OnlyRun:
		return errors.New("--around and --only-run exclude each other; leave one out")
	case around && o.draw.AllEdges:
		return errors.New("--around draws every transition of its phase; leave out --all-edges")
	case around && o.draw.Around == "":
		return errAtNeedsPhase
	}
	return nil
}

// dump returns a drawing in a format.
func (a *app) dump(d *dump.Drawing, format string) []byte {
	switch format {
	case formatDOT:
		return []byte(d.DOT())
	case formatMermaid:
		return []byte(d.Mermaid())
	case formatJSON:
		return d.JSON()
	case formatSVG:
		return d.SVG()
	}
	if a.colors {
		return []byte(d.ColoredText())
	}
	return []byte(d.Text())
}

// drawn returns the itineraries to draw. It prints problems with what was read.
func (a *app) drawn(cmd *cobra.Command, o *graphOptions) ([]dump.Itinerary, error) {
	if len(o.files) > 0 {
		drawn, title, err := a.drawnRecorded(cmd, o)
		o.draw.Title = title
		return drawn, err
	}
	var all []*machine.Graph
	var ours []string // names of built-in itineraries
	for _, arg := range o.itineraries {
		f, some, err := a.namedBy(arg)
		if err != nil {
			return nil, a.content(err)
		}
		for _, g := range some {
			if slices.ContainsFunc(all, func(other *machine.Graph) bool { return other.Name() == g.Name() }) {
				return nil, fmt.Errorf("itinerary %s is given twice with -i; remove one", g.Name())
			}
		}
		if all = append(all, some...); f == a.builtin {
			ours = append(ours, graphNames(some)...)
		}
	}
	o.draw.Switches = a.switches(ours)
	if o.draw.Around != "" {
		var err error
		if all, err = havePhase(all, "--around", o.draw.Around); err != nil {
			return nil, err
		}
	}
	var at *machine.Graph
	if o.at != "" {
		var err error
		if at, err = o.find(all); err != nil {
			return nil, err
		}
	}
	drawn := make([]dump.Itinerary, len(all))
	for i, g := range all {
		drawn[i].Graph = g
	}
	changed := cmd.Flags().Changed
	if !changed("flags") && !changed("unknown") && !changed("set") {
		return drawn, nil
	}
	v := all[0].Vocabulary()
	for _, g := range all {
		if g.Vocabulary() != v {
			return nil, fmt.Errorf("itineraries %s and %s have different flags, so --flags and --unknown can apply to only one of "+
				"them; draw one at a time",
				all[0].Name(), g.Name())
		}
	}
	facts, reasons, err := a.given(&o.subject, v)
	if err != nil {
		return nil, err
	}
	for i, g := range all {
		var from machine.Position
		if g == at {
			from.Phase = o.at
		}
		if drawn[i].Plan, err = g.PlanFrom(from, facts); err != nil {
			return nil, err
		}
		a.unknownFlags(drawn[i].Plan, reasons, func(err error) error { return fmt.Errorf("itinerary %s: %w", g.Name(), err) })
	}
	return drawn, nil
}

// switches returns the switches of the catalogue between some itineraries.
func (a *app) switches(between []string) []dump.Switch {
	var all []dump.Switch
	for _, s := range a.catalogue.Switches {
		if slices.Contains(between, s.From) && slices.Contains(between, s.To) {
			all = append(all, s)
		}
	}
	return all
}

// find returns the itinerary that has the phase of --at.
func (o *graphOptions) find(all []*machine.Graph) (*machine.Graph, error) {
	having, err := havePhase(all, "--at", o.at)
	switch {
	case err != nil:
		return nil, err
	case len(having) == 1:
		return having[0], nil
	}
	return nil, fmt.Errorf("--at: itineraries %s have a phase %s; draw one of them", wording.List(graphNames(having), "and"), o.at)
}

// havePhase returns the itineraries that have the phase that an option names. If none has
// it, that is an error.
func havePhase(all []*machine.Graph, option, phase string) ([]*machine.Graph, error) {
	var having []*machine.Graph
	for _, g := range all {
		if _, err := g.Lookup(phase); err == nil {
			having = append(having, g)
		}
	}
	if len(having) == 0 {
		known := question{phase: true}.names(all)
		return nil, fmt.Errorf("%s: %w", option,
			&dump.UnknownPhaseError{Phase: phase, Itineraries: graphNames(all), Nearest: wording.Nearest(phase, known)})
	}
	return having, nil
}

func graphNames(all []*machine.Graph) []string {
	var names []string
	for _, g := range all {
		names = append(names, g.Name())
	}
	return names
}

// drawnRecorded returns the itinerary of a run from its current position, or those of the
// runs of one object, with the position of each.
func (a *app) drawnRecorded(cmd *cobra.Command, o *graphOptions) (drawn []dump.Itinerary, title string, err error) {
	if len(o.itineraries) > 0 {
		if err := a.useCatalogue(o.itineraries); err != nil {
			return nil, "", err
		}
	}
	set, err := parseSettings(a.objectsFamily().vocabulary(), o.set)
	if err != nil {
		return nil, "", err
	}
	all := a.read(&o.subject)
	if len(all.Runs) == 0 {
		return nil, "", errReported
	}
	if items := all.itemsOf(o.name); items != nil && o.at == "" && !o.draw.OnlyRun && len(o.set) == 0 {
		drawn, err := a.drawnItems(items)
		a.notes(all)
		return drawn, items[0].object().String(), err
	}
	r, err := a.choose(all, cmd.Name(), o.name)
	if err != nil {
		return nil, "", err
	}
	one, err := a.drawnRun(cmd, o, all, r, set)
	a.notes(all)
	return []dump.Itinerary{one}, r.ref(), err
}

// drawnRun returns the itinerary of a run from its current position. It prints problems.
func (a *app) drawnRun(cmd *cobra.Command, o *graphOptions, all *reading, r *Run, set settings) (dump.Itinerary, error) {
	g, at, err := a.placeOf(r)
	if g != nil && o.at != "" {
		if _, err := o.find([]*machine.Graph{g}); err != nil {
			return dump.Itinerary{}, err
		}
		at, err = machine.Position{Phase: o.at}, nil
	}
	if err != nil {
		a.problem(r.wrong(err))
		return dump.Itinerary{}, errReported
	}
	recorded := r.Recorded()
	f := a.find(cmd.Context(), all, r, recorded, g, o.today, set)
	plan, err := g.PlanFrom(at, f.facts)
	if err != nil {
		a.problem(r.wrong(err))
		return dump.Itinerary{}, errReported
	}
	a.unknownOf(r, f, plan)
	return dump.Itinerary{Plan: plan, Failed: failedPhases(recorded, g)}, nil
}

// placeOf returns the itinerary and the position of a run.
func (a *app) placeOf(r *Run) (*machine.Graph, machine.Position, error) {
	recorded := r.Recorded()
	if recorded.StateErr != nil {
		return nil, machine.Position{}, recorded.StateErr
	}
	g, err := a.graphOf(r)
	if err != nil {
		return nil, machine.Position{}, err
	}
	at, err := a.position(r, recorded, g)
	return g, at, err
}

// itemsOf returns the runs of the object of that name, or of the only object, if it has
// several; otherwise nil.
func (all *reading) itemsOf(name string) []*Run {
	var items []*Run
	for _, r := range all.Runs {
		if name != "" && name != r.object().Name && name != r.object().String() {
			continue
		}
		if r.Item == "" || items != nil && r.Object != items[0].Object {
			return nil
		}
		items = append(items, r)
	}
	if len(items) < 2 {
		return nil
	}
	return items
}

// drawnItems returns the itineraries of the runs of one object, in the order in which they
// first occur. It prints runs that cannot be placed and leaves them out.
func (a *app) drawnItems(items []*Run) ([]dump.Itinerary, error) {
	var drawn []dump.Itinerary
	for _, r := range items {
		g, at, err := a.placeOf(r)
		if err != nil {
			a.problem(r.wrong(err))
			continue
		}
		k := slices.IndexFunc(drawn, func(it dump.Itinerary) bool { return it.Graph == g })
		if k < 0 {
			k = len(drawn)
			drawn = append(drawn, dump.Itinerary{Graph: g})
		}
		if slices.ContainsFunc(drawn[k].Runs, func(other dump.Run) bool { return other.Name == r.Item }) {
			a.problem(r.wrong(fmt.Errorf(
				"two runs on itinerary %s have that name, and only the first is drawn; give each item a unique name", g.Name())))
			continue
		}
		state := r.Recorded().State
		failed := state.PhaseFailed() || state.Done && state.Result == phases.Failed
		drawn[k].Runs = append(drawn[k].Runs, dump.Run{Name: r.Item, At: at, Failed: failed})
	}
	if drawn == nil {
		return nil, errReported
	}
	return drawn, nil
}

// failedPhases returns the phases of an itinerary that are recorded as failed.
func failedPhases(recorded Recorded, g *machine.Graph) (failed []string) {
	add := func(phase string) {
		if i, err := g.Lookup(phase); err == nil && !slices.Contains(failed, g.Phase(i).Name) {
			failed = append(failed, g.Phase(i).Name)
		}
	}
	for _, f := range recorded.State.Failures {
		if f.Itinerary == g.Name() {
			add(f.Phase)
		}
	}
	if on := recorded.State.Itinerary; on == "" || on == g.Name() {
		for _, step := range recorded.State.Pipeline {
			if step.Failed {
				add(step.Phase)
			}
		}
	}
	return failed
}

// offered returns the itineraries whose names are completed.
func (o *graphOptions) offered() []*machine.Graph {
	if len(o.itineraries) == 0 {
		return o.app.builtin.graphs
	}
	var all []*machine.Graph
	for _, arg := range o.itineraries {
		if _, some, err := o.app.namedBy(arg); err == nil {
			all = append(all, some...)
		}
	}
	return all
}

func (o *graphOptions) completeFlags(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	return o.completeFlagsOf(o.offered(), begun)
}

func (o *graphOptions) completeSettings(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	return completeSettingsOf(o.offered(), begun)
}

func (o *graphOptions) completePhases(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	return unique(prefixed(question{phase: true}.names(o.offered()), begun)), cobra.ShellCompDirectiveNoFileComp
}
