package command

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// The kinds of what is explained.
const (
	kindPhase = "phase"
	kindStep  = "step"
)

func (a *app) explain() *cobra.Command {
	var s subject
	var onlyPhase, onlyStep bool
	var format string
	cmd := &cobra.Command{
		Use: "explain NAME (-f FILE... | -i ITINERARY)",
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return errors.New("explain needs the NAME of a phase or a step")
			case len(args) > 1:
				return fmt.Errorf("explain takes one NAME, not %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkChoice("-o", format, formatTable, formatJSON, formatYAML); err != nil {
				return err
			}
			if onlyPhase && onlyStep {
				return errors.New("--phase and --step exclude each other; leave both out to see both")
			}
			itineraries, err := a.itineraries(cmd, &s)
			if err != nil {
				return err
			}
			q := question{name: args[0], stepNow: a.stepNow(args[0]), phase: !onlyStep, step: !onlyPhase}
			if err := q.check(a, itineraries, s.itinerary); err != nil {
				return err
			}
			var p explainPrinter = &explainTable{output: output{w: a.stdout, width: a.width}, colors: a.colors, question: q}
			if format != formatTable {
				p = &explainArray{array{output: output{w: a.stdout}, yaml: format == formatYAML}}
			}
			err = a.each(cmd.Context(), &s, itineraries, func(one *planned) error { return p.print(one, q.ask(one, a.noun())) })
			if err != nil {
				return err
			}
			return p.close()
		},
	}
	s.register(a, cmd)
	registerWhole(cmd, &s.whole)
	cmd.Flags().BoolVar(&onlyPhase, "phase", false, "NAME is a phase")
	cmd.Flags().BoolVar(&onlyStep, "step", false, "NAME is a step")
	registerOutput(cmd, &format, formatTable, "output `FORMAT`: table, json or yaml", formatTable, formatJSON, formatYAML)
	cmd.ValidArgsFunction = s.completeNames
	return cmd
}

// question is what is to be explained.
type question struct {
	name        string
	stepNow     string // the present name of the step that was called so
	phase, step bool   // as which of them
}

// stepNow is the present name of a step.
func (a *app) stepNow(name string) string {
	if a.catalogue.StepNow == nil {
		return name
	}
	return a.catalogue.StepNow(name)
}

// find returns the indices of the phase and of the step of an itinerary; -1
// for what it does not have, or what is not asked for.
func (q question) find(g *machine.Graph) (phase, step int) {
	phase, step = -1, -1
	if q.phase {
		if i, err := g.Lookup(q.name); err == nil {
			phase = i
		}
	}
	if q.step {
		if step = slices.Index(g.Steps(), q.name); step < 0 {
			step = slices.Index(g.Steps(), q.stepNow)
		}
	}
	// A step that has the name now comes before a phase that had it formerly.
	if step >= 0 && phase >= 0 && g.Steps()[step] == q.name && g.Phase(phase).Name != q.name {
		phase = -1
	}
	return phase, step
}

// what says what is asked for, in words.
func (q question) what() string {
	switch {
	case !q.step:
		return kindPhase
	case !q.phase:
		return kindStep
	}
	return "phase or step"
}

// check refuses a name that no itinerary has. The argument of -i says where to
// look, if it was given.
func (q question) check(a *app, itineraries []*machine.Graph, arg string) error {
	if q.known(itineraries) {
		return nil
	}
	where := "no itinerary has a"
	if len(itineraries) == 1 {
		where = fmt.Sprintf("itinerary %s has no", itineraries[0].Name())
	}
	hint := wording.DidYouMean(wording.Nearest(q.name, q.names(itineraries)))
	if hint == "" && arg != "" {
		hint = fmt.Sprintf("; see %s plan -i %s --explain", a.name, arg)
	}
	if other := (question{name: q.name, stepNow: q.stepNow, phase: !q.phase, step: !q.step}); other.known(itineraries) {
		hint = fmt.Sprintf("; there is a %s of that name, leave out --%s", other.what(), q.what())
	}
	return fmt.Errorf("%s %s %q%s", where, q.what(), q.name, hint)
}

// known reports whether one of the itineraries has what is asked for.
func (q question) known(itineraries []*machine.Graph) bool {
	return slices.ContainsFunc(itineraries, func(g *machine.Graph) bool {
		phase, step := q.find(g)
		return phase >= 0 || step >= 0
	})
}

// names are those that can be asked for.
func (q question) names(itineraries []*machine.Graph) []string {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, g := range itineraries {
		if q.step {
			for _, step := range g.Steps() {
				add(step)
			}
		}
	}
	for _, g := range itineraries {
		for i := range g.Len() {
			if q.phase {
				add(g.Phase(i).Name)
			}
		}
	}
	return names
}

// explanation is what is said of a phase or a step.
type explanation struct {
	Name      *string      `json:"name,omitempty"` // absent with -i, as the namespace
	Namespace *string      `json:"namespace,omitempty"`
	Itinerary string       `json:"itinerary"`
	Kind      string       `json:"kind"`
	Runs      phases.Truth `json:"runs"`
	Tentative bool         `json:"tentative"`
	Guard     string       `json:"guard"` // the part that does not admit; empty if it runs
	Missing   []string     `json:"missing"`
	DecidedBy []string     `json:"decidedBy"`
	Text      string       `json:"text"`
}

// ask explains what the itinerary of a plan has of that name.
func (q question) ask(p *planned, noun string) []explanation {
	var all []explanation
	phase, step := q.find(p.plan.Graph())
	if phase >= 0 {
		all = append(all, explainPhase(p.plan, phase, noun))
	}
	if step >= 0 {
		all = append(all, explainStep(p, step))
	}
	for i := range all {
		all[i].Itinerary = p.plan.Graph().Name()
		if p.run != nil {
			name := p.run.name()
			all[i].Name, all[i].Namespace = &name, &p.run.Object.Ref.Namespace
		}
	}
	return all
}

func explainPhase(p *machine.Plan, i int, noun string) explanation {
	phase := p.Graph().Phase(i)
	e := explanation{Kind: kindPhase, Runs: p.Runs(i), Tentative: p.Tentative(i), Missing: []string{}, DecidedBy: []string{}}
	why := p.Why(i)
	if why != nil {
		e.Guard, e.Missing, e.DecidedBy = why.Guard, why.Flags, why.DecidedBy
	}
	e.Text = "phase " + phase.Name
	guard := phase.Guard.Text(p.Graph().Vocabulary())
	switch {
	case why == nil && guard == "":
		e.Text += " runs in every " + noun + " of this itinerary"
	case why == nil:
		e.Text += " runs: its guard, " + guard + ", holds"
	case e.Runs == phases.Unknown:
		e.Text += " may run: it " + whyText(why)
	default:
		e.Text += " does not run: it " + whyText(why)
	}
	if why != nil && phase.Guard.Reads().Len() > len(e.Missing) { // else the reason says it all
		e.Text += "; its guard is " + guard
	}
	if phase.Steps != nil && e.Runs != phases.False {
		e.Text += "; its step is " + wording.List(stepsOf(p, i), "or")
	}
	if e.Tentative && len(e.DecidedBy) == 0 {
		e.Text += mayChange
	}
	return e
}

// stepsOf are the steps that a phase may belong to.
func stepsOf(p *machine.Plan, i int) (names []string) {
	for k := range p.Under(i) {
		names = append(names, p.Graph().Steps()[k])
	}
	return names
}

// mayChange is said of what depends on flags that a phase may still change.
const mayChange = "; that may still change"

// explainStep sums up the phases of a step: those that run, if it is
// visible; the reasons of the others, if it is not.
func explainStep(p *planned, k int) explanation {
	plan, g := p.plan, p.plan.Graph()
	name := g.Steps()[k]
	e := explanation{Kind: kindStep, Missing: []string{}, DecidedBy: []string{}}
	switch {
	case slices.Contains(p.steps(), name):
		e.Runs = phases.True
	case slices.Contains(p.maybeSteps(), name):
		e.Runs = phases.Unknown
	}

	var running, riding []string // phases
	var why reasons
	var missing phases.Flags
	decides := make(map[string]bool)
	e.Tentative = e.Runs == phases.True
	reported := steps.DisplaySteps(plan)
	for i := range g.Len() {
		phase := g.Phase(i)
		switch {
		case !slices.Contains(g.StepsOf(i), k):
			continue
		case phase.Rides:
			if plan.Runs(i) == phases.True && reported[i] != name {
				riding = append(riding, phase.Name+" (under "+reported[i]+")")
			}
			continue
		}
		runs, one := plan.Runs(i), plan.WhyUnder(i, k)
		if one != nil && runs == phases.True { // under another step
			runs = phases.False
			for step := range plan.Under(i) {
				if step == k {
					runs = phases.Unknown
				}
			}
		}
		if runs == phases.True {
			running = append(running, phase.Name)
			// One phase that is sure to run is enough.
			e.Tentative = e.Tentative && plan.Tentative(i)
		} else if e.Runs != phases.True {
			e.Tentative = e.Tentative || plan.Tentative(i)
		}
		if e.Runs == phases.True || runs != e.Runs {
			continue
		}
		why.add(one, phase.Name)
		if e.Guard == "" {
			e.Guard = one.Guard
		}
		flags, _ := g.Vocabulary().Parse(one.Flags...) // names of the vocabulary itself
		missing |= flags
		for _, d := range one.DecidedBy {
			decides[d] = true
		}
	}
	e.Missing = g.Vocabulary().Names(missing)
	for i := range g.Len() {
		if decides[g.Phase(i).Name] {
			e.DecidedBy = append(e.DecidedBy, g.Phase(i).Name)
		}
	}

	var because []string
	for _, one := range why {
		because = append(because, wording.Few(one.phases)+": "+whyText(one.why))
	}
	switch {
	case e.Runs == phases.True && len(running) == 0:
		e.Tentative = false
		e.Text = "step " + name + " is shown: it has started"
	case e.Runs == phases.True:
		e.Text = "step " + name + " is shown for " + wording.Few(running)
		if e.Tentative {
			e.Text += mayChange
		}
	case e.Runs == phases.Unknown:
		e.Text = "step " + name + " may be shown; " + strings.Join(because, "; ")
	default:
		e.Text = "step " + name + " is not shown: no phase runs for it; " + strings.Join(because, "; ")
		if len(riding) > 0 {
			e.Text += "; reported elsewhere: " + wording.List(riding, "and")
		}
	}
	return e
}

// explainPrinter prints what is explained of each plan.
type explainPrinter interface {
	print(*planned, []explanation) error
	close() error
}

type explainArray struct{ array }

func (p *explainArray) print(_ *planned, all []explanation) error {
	for _, e := range all {
		if err := p.add(e); err != nil {
			return err
		}
	}
	return nil
}

// explainTable prints a row for each explanation, and one for a run
// whose itinerary has nothing of that name.
type explainTable struct {
	output
	colors   colors
	question question
	plans    []*planned
	all      [][]explanation
}

func (p *explainTable) print(one *planned, all []explanation) error {
	p.plans, p.all = append(p.plans, one), append(p.all, all)
	return nil
}

func (p *explainTable) close() error {
	if len(p.plans) == 0 {
		return nil
	}
	t := table{colors: p.colors, width: p.width}
	namespaces := severalNamespaces(p.plans)
	titles := []string{"ITINERARY", "KIND", "RUNS", "WHY"}
	switch {
	case p.plans[0].run == nil:
	case namespaces:
		titles = append([]string{"NAMESPACE", "NAME"}, titles...)
	default:
		titles = append([]string{"NAME"}, titles...)
	}
	t.head(titles...)
	for i, one := range p.plans {
		var begin []cell
		if one.run != nil {
			begin = nameCells(one.run, namespaces)
		}
		itinerary := one.plan.Graph().Name()
		begin = append(begin, cell{text: itinerary})
		for _, e := range p.all[i] {
			t.row(append(slices.Clone(begin), cell{text: e.Kind}, truthCell(e.Runs), cell{text: e.Text})...)
		}
		if len(p.all[i]) == 0 {
			t.row(append(begin, orDash(""), orDash(""), cell{text: fmt.Sprintf("itinerary %s has no such %s", itinerary, p.question.what()), color: dim})...)
		}
	}
	t.write(&p.buf, "")
	return p.flush()
}

func truthCell(t phases.Truth) cell {
	return cell{text: t.String(), color: map[phases.Truth]string{phases.True: green, phases.Unknown: yellow}[t]}
}
