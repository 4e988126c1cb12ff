package command

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

func (a *app) plan() *cobra.Command {
	var s subject
	var explain bool
	var format string
	cmd := &cobra.Command{
		Use:  "plan (-f FILE... | -i ITINERARY)",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkChoice("-o", format, formatTable, formatJSON, formatYAML); err != nil {
				return err
			}
			itineraries, err := a.itineraries(cmd, &s)
			if err != nil {
				return err
			}
			if err := a.checkFilter(cmd, &s, itineraries); err != nil {
				return err
			}
			var p planPrinter
			switch out := (output{w: a.stdout, width: a.width}); {
			case s.diff && len(s.set) == 0:
				return errDiffNeedsSet
			case s.diff && explain:
				return errors.New("--explain and --diff exclude each other; --diff includes the reasons")
			case s.diff && format != formatTable:
				p = &diffArray{array: array{output: out, yaml: format == formatYAML}}
			case s.diff:
				p = &diffBlocks{output: out, colors: a.colors, app: a}
			case format != formatTable:
				p = &planArray{array{output: out, yaml: format == formatYAML}}
			case explain:
				p = &planBlocks{output: out, colors: a.colors}
			default:
				p = &planTable{output: out, colors: a.colors, app: a, step: s.filter.step}
			}
			if err := a.each(cmd.Context(), &s, itineraries, p.print); err != nil {
				return err
			}
			if len(s.files) == 0 {
				a.warnOfLoops(itineraries[0])
			}
			return p.close()
		},
	}
	s.register(a, cmd)
	s.registerFilter(cmd)
	s.registerRuns(cmd)
	registerWhole(cmd, &s.whole)
	cmd.Flags().BoolVar(&s.diff, "diff", false, "show only what --set changes")
	cmd.Flags().BoolVar(&explain, "explain", false, "also show what is left out, and why")
	registerOutput(cmd, &format, formatTable, "output `FORMAT`: table, json or yaml", formatTable, formatJSON, formatYAML)
	return cmd
}

// warnOfLoops warns of loops that a run may never leave, because no phase in the loop
// decides a flag of its exits.
func (a *app) warnOfLoops(g *machine.Graph) {
	for _, loop := range g.FrozenLoops() {
		a.line("warning: itinerary %s: whether a run leaves the loop of %s depends on %s, which no phase in the loop decides, "+
			"so the loop may never end; add the flag to decides of the phase that changes it",
			g.Name(), wording.Few(loop.Phases), wording.List(loop.Flags, "and"))
	}
}

// planPrinter prints plans in one format.
type planPrinter interface {
	print(*planned) error
	close() error
}

// planElement is a plan in JSON.
type planElement struct {
	runName
	Itinerary string      `json:"itinerary"`
	Phase     *string     `json:"phase,omitempty"` // absent with -i alone, like Done
	Done      *bool       `json:"done,omitempty"`
	Flags     []string    `json:"flags"`
	Unknown   []string    `json:"unknown"`
	Phases    []planPhase `json:"phases"`
	Steps     []string    `json:"steps"`
	Maybe     []string    `json:"maybeSteps"`
	// Tentative lists the steps, shown or not, whose visibility may still change.
	Tentative []string `json:"tentativeSteps"`
}

type planPhase struct {
	Name      string       `json:"name"`
	Step      string       `json:"step,omitempty"` // an end phase may have none
	Rides     bool         `json:"rides,omitempty"`
	Runs      phases.Truth `json:"runs"`
	Tentative bool         `json:"tentative,omitempty"`
	Why       *machine.Why `json:"why,omitempty"`
}

func newPlanElement(p *planned) planElement {
	g := p.plan.Graph()
	facts := p.plan.Facts()
	e := planElement{
		Itinerary: g.Name(),
		Flags:     g.Vocabulary().Names(facts.True()),
		Unknown:   g.Vocabulary().Names(g.Vocabulary().All() &^ facts.Known()),
		Phases:    make([]planPhase, g.Len()),
		Steps:     p.steps(),
		Maybe:     p.maybeSteps(),
		Tentative: p.tentativeSteps(),
	}
	if e.Steps == nil {
		e.Steps = []string{}
	}
	for i, step := range steps.DisplaySteps(p.plan) {
		e.Phases[i] = planPhase{g.Phase(i).Name, step, g.Rides(i), p.plan.Runs(i), p.plan.Tentative(i), p.why(i)}
	}
	if p.run != nil {
		e.runName = p.run.names()
		e.Phase, e.Done = &p.phase, &p.done
	}
	return e
}

type planArray struct{ array }

func (p *planArray) print(one *planned) error { return p.add(newPlanElement(one)) }

// The marks of steps in tables, and what they mean.
const (
	markTentative   = "?"
	legendTentative = "NAME?   may still change, once a phase ahead has decided the flags that it depends on"
	legendMaybe     = "(NAME)  depends on a flag that is unknown, or on a choice that is not made"
)

// legend records which marks have been printed and need an explanation.
type legend struct{ tentative, maybe bool }

// write writes an empty line and the legend, if there is something to explain.
func (l legend) write(o *output, c colors) {
	if l.tentative || l.maybe {
		o.buf.WriteByte('\n')
	}
	if l.tentative {
		o.wrapped(c.paint(dim, legendTentative))
	}
	if l.maybe {
		o.wrapped(c.paint(dim, legendMaybe))
	}
}

// wrapped writes a text, wrapped at the width.
func (o *output) wrapped(text string) {
	lines := []string{text}
	if o.width > 0 {
		lines = wrapWords(text, o.width)
	}
	o.buf.WriteString(strings.Join(lines, "\n") + "\n")
}

// stepsText lists the steps: those that have started in green, then the others in the order
// of the itinerary. Tentative steps are marked, and those that depend on unknown flags are
// in parentheses.
func (l *legend) stepsText(c colors, p *planned) string {
	var all []string
	for _, name := range p.started {
		all = append(all, c.paint(green, oneLine(name)))
	}
	visible, maybe, tentative := p.steps()[len(p.started):], p.maybeSteps(), p.tentativeSteps()
	g := p.plan.Graph()
	for i := range p.plan.Each {
		for step := range p.plan.Under(i) {
			name := g.Steps()[step]
			if k := slices.Index(visible, name); k >= 0 {
				text := oneLine(name)
				if slices.Contains(tentative, name) {
					text += markTentative
					l.tentative = true
				}
				all = append(all, text)
				visible = slices.Delete(visible, k, k+1)
			} else if k := slices.Index(maybe, name); k >= 0 {
				all = append(all, c.paint(yellow, "("+oneLine(name)+")"))
				maybe = slices.Delete(maybe, k, k+1)
				l.maybe = true
			}
		}
	}
	if len(all) == 0 {
		return c.paint(dim, "none")
	}
	return strings.Join(all, " > ")
}

// planTable prints one row for each plan.
type planTable struct {
	output
	colors colors
	app    *app
	step   string // of --runs
	all    []*planned
}

func (p *planTable) print(one *planned) error {
	p.all = append(p.all, one)
	return nil
}

func (p *planTable) close() error {
	if len(p.all) == 0 {
		return nil
	}
	t := table{colors: p.colors, width: p.width}
	namespaces := severalNamespaces(p.all)
	titles := []string{"ITINERARY", "STEPS"}
	if p.all[0].run != nil {
		titles = slices.Insert(titles, 1, "PHASE")
		titles = append(nameTitles(namespaces), titles...)
	}
	if p.step != "" {
		titles = slices.Insert(titles, len(titles)-1, p.step)
	}
	t.head(titles...)
	var l legend
	for _, one := range p.all {
		row := plain(one.plan.Graph().Name())
		if r := one.run; r != nil {
			row = append(nameCells(r, namespaces), row[0], orDash(one.where()))
		}
		if p.step != "" {
			row = append(row, runsCell(one, p.step))
		}
		t.row(append(row, cell{text: l.stepsText(p.colors, one), painted: true})...)
	}
	t.write(&p.buf, "")
	l.write(&p.output, p.colors)
	return p.flush()
}

// runsCell describes whether a run that matches --runs runs the step.
func runsCell(p *planned, step string) cell {
	switch {
	case slices.Contains(p.started, step):
		return cell{text: "started", color: green}
	case slices.Contains(p.maybeSteps(), step):
		return cell{text: "unknown", color: yellow}
	case slices.Contains(p.tentativeSteps(), step):
		return cell{text: "yes, may still change"}
	}
	return cell{text: "yes", color: green}
}

// severalNamespaces reports whether the runs are in several namespaces.
func severalNamespaces(all []*planned) bool {
	return slices.ContainsFunc(all, func(p *planned) bool {
		return p.run != nil && p.run.Object.Ref.Namespace != all[0].run.Object.Ref.Namespace
	})
}

// nameTitles are the titles of [nameCells].
func nameTitles(namespace bool) []string {
	if namespace {
		return []string{"NAMESPACE", "NAME"}
	}
	return []string{"NAME"}
}

func nameCells(r *Run, namespace bool) []cell {
	if namespace {
		return plain(r.Object.Ref.Namespace, r.name())
	}
	return plain(r.name())
}

// planBlocks prints a paragraph for each plan, including what is left out.
type planBlocks struct {
	output
	colors colors
	legend legend
	n      int
}

func (p *planBlocks) print(one *planned) error {
	if p.n > 0 {
		p.buf.WriteByte('\n')
	}
	p.n++
	g := one.plan.Graph()
	p.buf.WriteString(p.colors.paint(bold, oneLine(one.title())) + "\n")

	t := table{colors: p.colors, width: p.width}
	line := func(what, text string) { t.row(cell{text: what, color: dim}, cell{text: text, painted: true}) }
	if one.run != nil {
		line("itinerary", g.Name())
		at := orDash(one.where())
		line("phase", p.colors.paint(at.color, oneLine(at.text)))
	}
	names := func(f phases.Flags) string { return oneLine(strings.Join(g.Vocabulary().Names(f), ", ")) }
	facts := one.plan.Facts()
	line("flags", names(facts.True()))
	if unknown := names(g.Vocabulary().All() &^ facts.Known()); unknown != "" {
		line("unknown", p.colors.paint(yellow, unknown))
	}
	line("steps", p.legend.stepsText(p.colors, one))
	t.write(&p.buf, "  ")
	p.leftOut(one)
	return p.spill()
}

// leftOut lists the phases that do not run, or may not, by step and reason. Phases that
// ride are listed apart, because no step depends on them.
func (p *planBlocks) leftOut(one *planned) {
	g := one.plan.Graph()
	shown, maybe, tentative := one.steps(), one.maybeSteps(), one.tentativeSteps()
	t := table{colors: p.colors, width: p.width}
	row := func(title string, all reasons) {
		for _, one := range all {
			t.row(plain(title, one.why.Text, strings.Join(one.phases, ", ")+wording.DecidedBy(one.why.DecidedBy))...)
			title = ""
		}
	}
	for k, step := range g.Steps() {
		var all reasons
		for i := range g.Len() {
			if g.Rides(i) || !slices.Contains(g.StepsOf(i), k) {
				continue
			}
			if why := one.whyUnder(i, k); why != nil && !one.ran(i, why) {
				all.add(why, g.Phase(i).Name)
			}
		}
		switch {
		case slices.Contains(shown, step):
			step += ", in part"
		case slices.Contains(maybe, step):
			step += ", perhaps"
		case slices.Contains(tentative, step):
			step += ", may still come"
		}
		row(step, all)
	}
	var riding, without reasons
	for i := range g.Len() {
		switch why := one.why(i); {
		case why == nil, one.ran(i, why):
		case g.Rides(i):
			riding.add(why, g.Phase(i).Name)
		case g.StepsOf(i) == nil:
			without.add(why, g.Phase(i).Name)
		}
	}
	row("phases that ride", riding)
	row("phases without a step", without)
	if len(t.rows) > 0 {
		p.buf.WriteString("  " + p.colors.paint(dim, "left out") + "\n")
		t.write(&p.buf, "    ")
	}
}

// reason is the reason why some phases do not run.
type reason struct {
	why    *machine.Why
	phases []string
}

// reasons are the reasons of several phases, each once, in the order of their first phases.
type reasons []*reason

func (r *reasons) add(why *machine.Why, phase string) {
	for _, one := range *r {
		if whyText(one.why) == whyText(why) {
			one.phases = append(one.phases, phase)
			return
		}
	}
	*r = append(*r, &reason{why, []string{phase}})
}

func (p *planBlocks) close() error {
	p.legend.write(&p.output, p.colors)
	return p.flush()
}

// whyText describes a reason and the phases that decide it.
func whyText(why *machine.Why) string { return why.Text + wording.DecidedBy(why.DecidedBy) }
