package command

import (
	"slices"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// change describes the differences between two plans of one run. Lists without elements are
// empty, not nil.
type change struct {
	Flags  []flagChange  `json:"flags"`
	Steps  []stepChange  `json:"steps"`
	Phases []phaseChange `json:"phases"`
}

// flagChange is a flag whose value differs: true, false or unknown.
type flagChange struct {
	Name   string `json:"name"`
	Before string `json:"before"`
	After  string `json:"after"`
	// Set reports whether --set names the flag; otherwise the change follows.
	Set bool `json:"set"`
}

// stepChange is a step that is shown in only one of the plans, or may be.
type stepChange struct {
	Name   string       `json:"name"`
	Before phases.Truth `json:"before"`
	After  phases.Truth `json:"after"`
	// Tentative reports whether After may still change.
	Tentative bool `json:"tentative"`
}

// phaseChange is a phase that runs in only one of the plans, or may.
type phaseChange struct {
	Name   string       `json:"name"`
	Step   string       `json:"step,omitempty"` // as in planPhase
	Before phases.Truth `json:"before"`
	After  phases.Truth `json:"after"`
	Why    *machine.Why `json:"why,omitempty"` // reason for After; absent if the phase runs
	guard  string       // the guard, in words
}

// changed reports whether anything in the plan differs. Flags alone do not count: nothing
// depends on them then.
func (c change) changed() bool { return len(c.Steps)+len(c.Phases) > 0 }

// changeOf compares the plan of a run with another plan of that run, for which the flags in
// set were set.
func changeOf(p *planned, after *machine.Plan, set phases.Flags) change {
	c := change{Flags: []flagChange{}, Steps: []stepChange{}, Phases: []phaseChange{}}
	g, v := after.Graph(), after.Graph().Vocabulary()
	for flag := range v.All().Each {
		if then, now := p.plan.Facts().Of(flag), after.Facts().Of(flag); then != now {
			c.Flags = append(c.Flags, flagChange{v.Names(flag)[0], truthWord(then), truthWord(now), set.Has(flag)})
		}
	}
	slices.SortStableFunc(c.Flags, func(a, b flagChange) int { // those that are set first
		switch {
		case a.Set == b.Set:
			return 0
		case a.Set:
			return -1
		}
		return 1
	})
	other := *p
	other.plan = after
	then, now, tentative := p.shown(), other.shown(), other.tentativeSteps()
	for _, name := range g.Steps() {
		if then(name) != now(name) {
			c.Steps = append(c.Steps, stepChange{name, then(name), now(name), slices.Contains(tentative, name)})
		}
	}
	display := steps.DisplaySteps(after)
	for i := range g.Len() {
		if then, now := p.plan.Runs(i), after.Runs(i); then != now {
			c.Phases = append(c.Phases, phaseChange{g.Phase(i).Name, display[i], then, now, after.Why(i), g.Phase(i).Guard.Text(v)})
		}
	}
	return c
}

// shown returns a function that reports whether a step is shown.
func (p *planned) shown() func(step string) phases.Truth {
	shown, maybe := p.steps(), p.maybeSteps()
	return func(step string) phases.Truth {
		switch {
		case slices.Contains(shown, step):
			return phases.True
		case slices.Contains(maybe, step):
			return phases.Unknown
		}
		return phases.False
	}
}

// stepBecomes are the verbs for the change of one step and of several.
var stepBecomes = map[phases.Truth]struct{ one, several string }{
	phases.True: {"appears", "appear"}, phases.False: {"vanishes", "vanish"}, phases.Unknown: {"may appear", "may appear"},
}

// text describes the change of a step.
func (c stepChange) text() string {
	text := stepBecomes[c.After].one
	if c.Tentative {
		text += "; " + mayChange
	}
	return text
}

// text describes the change of a phase, with the reason.
func (c phaseChange) text() string {
	switch {
	case c.Why == nil && c.guard == "":
		return "runs: it is reached"
	case c.Why == nil:
		return "runs: its guard, " + c.guard + ", holds"
	case c.After == phases.Unknown:
		return "may run: it " + whyText(c.Why)
	}
	return "does not run: it " + whyText(c.Why)
}

// signCell returns a cell with a name after the sign of its change.
func signCell(name string, after phases.Truth) cell {
	sign, color := "-", red
	switch after {
	case phases.True:
		sign, color = "+", green
	case phases.Unknown:
		sign, color = "?", yellow
	}
	return cell{text: sign + " " + name, color: color}
}

// diffElement describes in JSON what --set changes in a run.
type diffElement struct {
	runName
	Itinerary string `json:"itinerary"`
	change
}

// diffArray prints what --set changes, as elements of an array.
type diffArray struct{ array }

func (p *diffArray) print(one *planned) error {
	e := diffElement{Itinerary: one.plan.Graph().Name(), change: one.setChange()}
	if !e.changed() {
		return nil
	}
	e.runName = one.run.names()
	return p.add(e)
}

// setChange returns what --set changes.
func (p *planned) setChange() change {
	before := *p
	before.plan = p.before
	return changeOf(&before, p.plan, p.set)
}

// diffBlocks prints what --set changes, as a paragraph for each run that changes.
type diffBlocks struct {
	output
	colors        colors
	app           *app
	planned, same int
}

func (p *diffBlocks) print(one *planned) error {
	c := one.setChange()
	p.planned++
	if !c.changed() {
		p.same++
		return nil
	}
	if p.planned-p.same > 1 {
		p.buf.WriteByte('\n')
	}
	p.buf.WriteString(p.colors.paint(bold, oneLine(one.title())) + "\n")
	t := table{colors: p.colors, width: p.width}
	section := func(name string) func() cell {
		return func() cell {
			c := cell{text: name, color: dim}
			name = ""
			return c
		}
	}
	begin := section("flags")
	for _, f := range c.Flags {
		text := f.Before + " -> " + f.After
		if !f.Set {
			text += ", which follows"
		}
		t.row(begin(), cell{text: f.Name}, cell{text: text})
	}
	begin = section("steps")
	for _, s := range c.Steps {
		t.row(begin(), signCell(s.Name, s.After), cell{text: s.text()})
	}
	if len(c.Steps) == 0 {
		t.row(begin(), cell{text: "the same"})
	}
	begin = section("phases")
	for _, f := range c.Phases {
		t.row(begin(), signCell(f.Name, f.After), cell{text: f.text()})
	}
	t.write(&p.buf, "  ")
	return p.spill()
}

// title is the heading of a paragraph about the plan.
func (p *planned) title() string {
	if p.run == nil {
		return "itinerary " + p.plan.Graph().Name()
	}
	return p.run.ref()
}

func (p *diffBlocks) close() error {
	switch {
	case p.planned == 0:
	case p.same == p.planned:
		p.app.line("note: nothing changes: the same phases run")
	case p.same > 0:
		p.app.line("note: nothing changes in %d of %s", p.same, p.app.count(p.planned))
	}
	return p.flush()
}
