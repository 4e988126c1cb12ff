package command

import (
	"context"
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

// The kinds of names that can be explained.
const (
	kindPhase = "phase"
	kindStep  = "step"
	kindFlag  = "flag"
)

func (a *app) explain() *cobra.Command {
	var s subject
	only := make(map[string]*bool)
	var format string
	cmd := &cobra.Command{
		Use: "explain NAME (-f FILE... | -i ITINERARY)",
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return errors.New("explain needs the NAME of a phase, a step or a flag")
			case len(args) > 1:
				return fmt.Errorf("explain takes one NAME, not %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkChoice("-o", format, formatTable, formatJSON, formatYAML); err != nil {
				return err
			}
			q := question{name: args[0], stepNow: a.stepNow(args[0]), phase: *only[kindPhase], step: *only[kindStep], flag: *only[kindFlag]}
			switch len(q.kinds()) {
			case 0:
				q.phase, q.step, q.flag = true, true, true
			case 1:
			default:
				return errors.New("--phase, --step and --flag exclude each other; leave them out to see all of that name")
			}
			itineraries, err := a.itineraries(cmd, &s)
			if err != nil {
				return err
			}
			if err := a.checkFilter(cmd, &s, itineraries); err != nil {
				return err
			}
			if err := q.check(a, itineraries, s.itinerary); err != nil {
				return err
			}
			var p explainPrinter = &explainTable{output: output{w: a.stdout, width: a.width}, colors: a.colors, question: q}
			if format != formatTable {
				p = &explainArray{array{output: output{w: a.stdout}, yaml: format == formatYAML}}
			}
			err = a.each(cmd.Context(), &s, itineraries, func(one *planned) error {
				return p.print(one, q.ask(cmd.Context(), one, a.noun()))
			})
			if err != nil {
				return err
			}
			return p.close()
		},
	}
	s.register(a, cmd)
	s.registerFilter(cmd)
	registerWhole(cmd, &s.whole)
	for _, kind := range []string{kindPhase, kindStep, kindFlag} {
		only[kind] = cmd.Flags().Bool(kind, false, "NAME is a "+kind)
	}
	registerOutput(cmd, &format, formatTable, "output `FORMAT`: table, json or yaml", formatTable, formatJSON, formatYAML)
	cmd.ValidArgsFunction = s.completeNames
	return cmd
}

// question describes what to explain.
type question struct {
	name    string
	stepNow string // the current name of the step that had that name
	// The kinds to look for.
	phase, step, flag bool
}

// kinds returns the kinds to look for.
func (q question) kinds() (kinds []string) {
	if q.phase {
		kinds = append(kinds, kindPhase)
	}
	if q.step {
		kinds = append(kinds, kindStep)
	}
	if q.flag {
		kinds = append(kinds, kindFlag)
	}
	return kinds
}

// stepNow returns the current name of a step.
func (a *app) stepNow(name string) string {
	if a.catalogue.StepNow == nil {
		return name
	}
	return a.catalogue.StepNow(name)
}

// find returns the indices of the phase and of the step in an itinerary. An index is -1 if
// the itinerary has none or that kind is not asked for.
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
	// A step with that current name takes precedence over a phase with that former name.
	if step >= 0 && phase >= 0 && g.Steps()[step] == q.name && g.Phase(phase).Name != q.name {
		phase = -1
	}
	return phase, step
}

// flagOf returns the flag of that name, or zero.
func (q question) flagOf(v *phases.Vocabulary) phases.Flags {
	if !q.flag {
		return 0
	}
	flag, _ := v.Lookup(q.name)
	return flag
}

// what describes the kinds to look for.
func (q question) what() string { return wording.List(q.kinds(), "or") }

// check returns an error if no itinerary has the name. Arg is the argument of -i, for a
// hint on how to list names.
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
	for _, other := range []question{{phase: true}, {step: true}, {flag: true}} {
		if other.name, other.stepNow = q.name, q.stepNow; len(q.kinds()) == 1 && other.known(itineraries) {
			hint = fmt.Sprintf("; there is a %s of that name, leave out --%s", other.what(), q.what())
			break
		}
	}
	return fmt.Errorf("%s %s %q%s", where, q.what(), q.name, hint)
}

// known reports whether one of the itineraries has the name.
func (q question) known(itineraries []*machine.Graph) bool {
	return slices.ContainsFunc(itineraries, func(g *machine.Graph) bool {
		phase, step := q.find(g)
		return phase >= 0 || step >= 0 || q.flagOf(g.Vocabulary()) != 0
	})
}

// names returns the names of these kinds in the itineraries.
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
	for _, g := range itineraries {
		if q.flag {
			for _, flag := range g.Vocabulary().Names(g.Vocabulary().All()) {
				add(flag)
			}
		}
	}
	return names
}

// explanation describes a phase, a step or a flag.
type explanation struct {
	runName
	Itinerary string `json:"itinerary"`
	Kind      string `json:"kind"`
	// Runs reports whether a phase runs or a step is shown. For a flag it is the value.
	Runs      phases.Truth `json:"runs"`
	Tentative bool         `json:"tentative"`
	Guard     string       `json:"guard"` // part of the guard that does not admit; empty if it runs
	Missing   []string     `json:"missing"`
	DecidedBy []string     `json:"decidedBy"`
	Text      string       `json:"text"`
	// Flag holds the rest of the explanation of a flag.
	Flag *flagExplanation `json:"flag,omitempty"`

	// lines are the lines in a table: the answer, then the reasons.
	lines []string
}

// say sets the text from an answer and its reasons.
func (e *explanation) say(answer string, reasons ...string) {
	e.lines = []string{answer}
	for _, reason := range reasons {
		e.lines = append(e.lines, "- "+reason)
	}
	e.Text = strings.Join(append([]string{answer}, reasons...), "; ")
}

// ask explains everything of that name in the itinerary of a plan.
func (q question) ask(ctx context.Context, p *planned, noun string) []explanation {
	var all []explanation
	phase, step := q.find(p.plan.Graph())
	if phase >= 0 {
		all = append(all, explainPhase(p, phase, noun))
	}
	if step >= 0 {
		all = append(all, explainStep(p, step))
	}
	if flag := q.flagOf(p.plan.Graph().Vocabulary()); flag != 0 {
		all = append(all, explainFlag(ctx, p, flag))
	}
	for i := range all {
		all[i].Itinerary = p.plan.Graph().Name()
		all[i].runName = p.run.names()
	}
	return all
}

func explainPhase(one *planned, i int, noun string) explanation {
	p := one.plan
	phase := p.Graph().Phase(i)
	e := explanation{Kind: kindPhase, Runs: p.Runs(i), Tentative: p.Tentative(i), Missing: []string{}, DecidedBy: []string{}}
	why := one.why(i)
	if why != nil {
		e.Guard, e.Missing, e.DecidedBy = why.Guard, why.Flags, why.DecidedBy
	}
	text := "phase " + phase.Name
	guard := phase.Guard.Text(p.Graph().Vocabulary())
	switch {
	case why == nil && guard == "" && p.Graph().Plan(phases.Facts{}).Runs(i) == phases.True: // for any values of the flags
		text += " runs in every " + noun + " of this itinerary"
	case why == nil && guard == "":
		text += " runs: it is reached"
	case why == nil:
		text += " runs: its guard, " + guard + ", holds"
	case e.Runs == phases.Unknown:
		text += " may run: it " + whyText(why)
	case one.ran(i, why):
		text += " " + whyText(why) + "; its step has started"
	case why.Guard == machine.WhyBehind:
		text += " does not run any more: it " + whyText(why)
	default:
		text += " does not run: it " + whyText(why)
	}
	var more []string
	if why != nil && phase.Guard.Reads().Len() > len(e.Missing) { // otherwise the reason names all flags
		more = append(more, "its guard is "+guard)
	}
	if phase.Steps != nil && e.Runs != phases.False {
		more = append(more, "its step is "+wording.List(stepsOf(p, i), "or"))
	}
	if e.Tentative && len(e.DecidedBy) == 0 {
		more = append(more, mayChange+wording.DecidedBy(decidedAhead(p, i)))
	}
	e.say(text, more...)
	return e
}

// decidedAhead returns the phases ahead that decide a flag which the guard of phase i
// reads, and from which a path leads to phase i. Guards along the path are ignored. A phase
// after phase i has such a path if it, or one after it, jumps back to phase i or before it.
func decidedAhead(p *machine.Plan, i int) (names []string) {
	g := p.Graph()
	reads := g.Phase(i).Guard.Reads()
	last := i - 1 // the last phase with a path to phase i
	for j := g.Len() - 1; j > last; j-- {
		for _, jump := range g.Phase(j).Jumps {
			if to, err := g.Lookup(jump.To); err == nil && to <= i {
				last = j
			}
		}
	}
	for j := range p.Each {
		if j <= last && g.Phase(j).Decides&reads != 0 && (p.Runs(j) != phases.False || p.Tentative(j)) {
			names = append(names, g.Phase(j).Name)
		}
	}
	return names
}

// stepsOf returns the steps that a phase may belong to.
func stepsOf(p *machine.Plan, i int) (names []string) {
	for k := range p.Under(i) {
		names = append(names, p.Graph().Steps()[k])
	}
	return names
}

// mayChange describes what depends on flags that a phase may still change.
const mayChange = "that may still change"

// explainStep explains a step by its phases: those that run if it is visible, otherwise the
// reasons why they do not.
func explainStep(p *planned, k int) explanation {
	plan, g := p.plan, p.plan.Graph()
	name := g.Steps()[k]
	e := explanation{Kind: kindStep, Runs: p.shown()(name), Missing: []string{}, DecidedBy: []string{}}
	e.Tentative = slices.Contains(p.tentativeSteps(), name)

	var running, riding, deciding []string // phases
	var why reasons
	var missing phases.Flags
	decides := make(map[string]bool)
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
		one := p.whyUnder(i, k)
		runs := runsUnder(plan, i, k, one)
		if runs == phases.True {
			running = append(running, phase.Name)
			deciding = append(deciding, decidedAhead(plan, i)...)
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
		because = append(because, whyText(one.why)+": "+wording.Few(one.phases))
	}
	if riding != nil {
		because = append(because, "reported elsewhere: "+wording.List(riding, "and"))
	}
	tail := ""
	if e.Tentative {
		tail = "; " + mayChange
	}
	switch {
	case e.Runs == phases.True && len(running) == 0:
		e.say("step " + name + " is shown: it has started")
	case e.Runs == phases.True:
		if e.Tentative {
			tail += wording.DecidedBy(unique(deciding))
		}
		e.say("step " + name + " is shown for " + wording.Few(running) + tail)
	case e.Runs == phases.Unknown:
		e.say("step "+name+" may be shown", because...)
	default:
		e.say("step "+name+" is not shown: no phase runs for it"+why.since(g.Vocabulary())+tail, because...)
	}
	return e
}

// runsUnder reports whether phase i runs under step k. Why is the reason why it does not, or nil.
func runsUnder(plan *machine.Plan, i, k int, why *machine.Why) phases.Truth {
	if why == nil || plan.Runs(i) != phases.True {
		return plan.Runs(i)
	}
	for step := range plan.Under(i) { // it runs, perhaps under another step
		if step == k {
			return phases.Unknown
		}
	}
	return phases.False
}

// since returns a clause that names the flags that prevent the phases from running.
func (r reasons) since(v *phases.Vocabulary) string {
	var lacking, excluding phases.Flags
	for _, one := range r {
		flags, _ := v.Parse(one.why.Flags...) // names of the vocabulary itself
		switch one.why.Guard {
		case phases.PartAll, phases.PartAny:
			lacking |= flags
		case phases.PartNone:
			excluding |= flags
		}
	}
	var all []string
	for _, in := range []struct {
		flags phases.Flags
		value string
	}{{lacking, "false"}, {excluding, "true"}} {
		names := v.Names(in.flags)
		switch len(names) {
		case 0:
		case 1:
			all = append(all, names[0]+" is "+in.value)
		default:
			all = append(all, wording.List(names, "and")+" are "+in.value)
		}
	}
	if all == nil {
		return ""
	}
	return ", since " + strings.Join(all, " and ")
}

// explainPrinter prints the explanations for each plan.
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

// explainTable prints one row for each explanation, with the reasons below it, and one for
// each run whose itinerary has nothing of that name. Text that is common to all runs
// comes first.
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
	p.flag()
	t := table{colors: p.colors, width: p.width}
	namespaces := severalNamespaces(p.plans)
	titles := []string{"ITINERARY", "KIND", "RUNS", "WHY"}
	if p.plans[0].run != nil {
		titles = append(nameTitles(namespaces), titles...)
	}
	t.head(titles...)
	var l legend
	for i, one := range p.plans {
		var begin []cell
		if one.run != nil {
			begin = nameCells(one.run, namespaces)
		}
		itinerary := one.plan.Graph().Name()
		begin = append(begin, cell{text: itinerary})
		for _, e := range p.all[i] {
			row := append(slices.Clone(begin), cell{text: e.Kind}, e.cell())
			l.tentative = l.tentative || e.Tentative
			for _, line := range e.lines {
				t.row(append(row, cell{text: line})...)
				row = make([]cell, len(row))
			}
		}
		if len(p.all[i]) == 0 {
			t.row(append(begin, orDash(""), orDash(""), cell{text: p.question.notThere(one), color: dim})...)
		}
	}
	t.write(&p.buf, "")
	l.write(&p.output, p.colors)
	return p.flush()
}

// flag writes the part of the explanation of a flag that is common to all runs: for each
// itinerary, what depends on the flag.
func (p *explainTable) flag() {
	t := table{colors: p.colors, width: p.width}
	var done []string
	for i, one := range p.plans {
		for _, e := range p.all[i] {
			itinerary := one.plan.Graph().Name()
			if e.Flag == nil || slices.Contains(done, itinerary) {
				continue
			}
			if done == nil {
				p.buf.WriteString(p.colors.paint(bold, oneLine(e.Flag.title(p.question.name))) + "\n")
				for k, relation := range e.Flag.Relations {
					t.row(cell{text: map[bool]string{true: "relations"}[k == 0], color: dim}, cell{text: relation})
				}
			}
			done = append(done, itinerary)
			title := "in " + itinerary
			for _, line := range e.Flag.uses() {
				t.row(cell{text: title, color: dim}, cell{text: line})
				title = ""
			}
		}
	}
	if done != nil {
		t.write(&p.buf, "  ")
		p.buf.WriteByte('\n')
	}
}

// cell describes whether it runs, or the value of a flag, with a mark if that may still
// change.
func (e *explanation) cell() cell {
	text := e.Runs.String()
	switch {
	case e.Kind == kindFlag:
		text = truthWord(e.Runs)
	case e.Guard == machine.WhyBehind:
		text = machine.WhyBehind
	}
	if e.Tentative {
		text += markTentative
	}
	return cell{text: text, color: map[phases.Truth]string{phases.True: green, phases.Unknown: yellow}[e.Runs]}
}
