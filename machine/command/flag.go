package command

import (
	"context"
	"fmt"
	"strings"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// flagExplanation describes a flag beyond its value.
type flagExplanation struct {
	Description string `json:"description"`
	Live        bool   `json:"live"`
	// ReadBy lists the guards of the itinerary that read the flag, and DecidedBy the phases
	// that decide it, even if they do not run.
	ReadBy    []flagReader `json:"readBy"`
	DecidedBy []string     `json:"decidedBy"`
	// Relations are the relations that name the flag, in words.
	Relations []string `json:"relations"`
	// IfOther describes what each other value would change, computed as for --set.
	IfOther []otherValue `json:"ifOther"`
}

// flagReader is a guard that reads a flag.
type flagReader struct {
	Phase string `json:"phase"`
	// What names the owner of the guard: guard (the phase itself), jump or step.
	What string `json:"what"`
	// Of is the target of the jump, or the step.
	Of string `json:"of,omitempty"`
}

// otherValue is a value that a flag does not have.
type otherValue struct {
	Value string `json:"value"`
	change
}

// The parts of a phase that read flags.
const (
	readerGuard = "guard"
	readerJump  = "jump"
	readerStep  = "step"
)

// explainFlag explains a flag: its value, what depends on it, and what each other value
// would change.
func explainFlag(ctx context.Context, p *planned, flag phases.Flags) explanation {
	g, v := p.plan.Graph(), p.plan.Graph().Vocabulary()
	name := v.Names(flag)[0]
	e := explanation{
		Kind: kindFlag, Runs: p.plan.Facts().Of(flag), Tentative: p.plan.Decides().Has(flag), Missing: []string{}, DecidedBy: []string{},
	}
	x := &flagExplanation{
		Description: v.Describe(flag), Live: v.Live().Has(flag), ReadBy: readers(g, flag), DecidedBy: []string{}, Relations: []string{},
		IfOther: []otherValue{},
	}
	e.Flag = x
	for i := range g.Len() {
		if g.Phase(i).Decides.Has(flag) {
			x.DecidedBy = append(x.DecidedBy, g.Phase(i).Name)
			if p.plan.Runs(i) != phases.False || p.plan.Tentative(i) {
				e.DecidedBy = append(e.DecidedBy, g.Phase(i).Name)
			}
		}
	}
	for _, clause := range v.Relations() {
		if (clause.True | clause.False).Has(flag) {
			x.Relations = append(x.Relations, clauseText(v, clause))
		}
	}

	answer := "flag " + name + " is " + truthWord(e.Runs)
	if e.Tentative {
		answer += "; " + mayChange + wording.DecidedBy(e.DecidedBy)
	}
	if len(x.ReadBy) == 0 {
		e.say(answer, "nothing in itinerary "+g.Name()+" depends on it")
		return e
	}
	var changes []string
	for _, value := range []phases.Truth{phases.True, phases.False} {
		if value == e.Runs {
			continue
		}
		set := settings{flags: flag, facts: phases.Facts{}.Set(flag, value)}
		other := otherValue{truthWord(value), changeOf(p, p.with(ctx, set), flag)}
		x.IfOther = append(x.IfOther, other)
		changes = append(changes, other.text(name, jumpsWith(p.with(ctx, set), flag)))
	}
	e.say(answer, changes...)
	return e
}

// readers returns the guards of an itinerary that read a flag.
func readers(g *machine.Graph, flag phases.Flags) []flagReader {
	all := []flagReader{}
	for i := range g.Len() {
		p := g.Phase(i)
		if p.Guard.Reads().Has(flag) {
			all = append(all, flagReader{Phase: p.Name, What: readerGuard})
		}
		for _, s := range p.Steps {
			if s.Guard.Reads().Has(flag) {
				all = append(all, flagReader{p.Name, readerStep, s.Step})
			}
		}
		for _, j := range p.Jumps {
			if j.Guard.Reads().Has(flag) {
				all = append(all, flagReader{p.Name, readerJump, j.To})
			}
		}
	}
	return all
}

// jumpsWith describes which jumps that read a flag are taken by the phases that run in a
// plan, and which are not. It is empty if no jump reads the flag.
func jumpsWith(plan *machine.Plan, flag phases.Flags) (text string) {
	g := plan.Graph()
	for i := range g.Len() {
		if plan.Runs(i) == phases.False {
			continue
		}
		for _, j := range g.Phase(i).Jumps {
			holds := j.Guard.Eval(plan.Facts())
			if reads := j.Guard.Reads().Has(flag); reads && holds == phases.False {
				text += fmt.Sprintf(", and %s does not jump to %s", g.Phase(i).Name, j.To)
			} else if reads && holds == phases.True {
				text += fmt.Sprintf(", and %s jumps to %s", g.Phase(i).Name, j.To)
			}
			if holds != phases.False {
				break // the first jump that holds is taken
			}
		}
	}
	return text
}

// text describes what the value would change for the flag of that name. Jumps is appended
// if the same phases run.
func (o otherValue) text(name, jumps string) string {
	text := "with " + name + "=" + o.Value
	var along []string
	for _, f := range o.Flags {
		if !f.Set {
			along = append(along, f.Name+"="+f.After)
		}
	}
	if along != nil {
		text += ", and so " + wording.List(along, "and")
	}
	if !o.changed() {
		return text + ", the same phases run" + jumps
	}
	var all []string
	for _, after := range []phases.Truth{phases.False, phases.True, phases.Unknown} {
		var names []string
		for _, s := range o.Steps {
			if s.After == after {
				names = append(names, s.Name)
			}
		}
		switch what := stepBecomes[after]; len(names) {
		case 0:
		case 1:
			all = append(all, "step "+names[0]+" "+what.one)
		default:
			all = append(all, "steps "+wording.List(names, "and")+" "+what.several)
		}
	}
	if all == nil {
		all = append(all, "the same steps")
	}
	for _, after := range []phases.Truth{phases.False, phases.True, phases.Unknown} {
		var names []string
		for _, f := range o.Phases {
			if f.After == after {
				names = append(names, f.Name)
			}
		}
		if names != nil {
			with := map[phases.Truth]string{phases.False: "without ", phases.True: "with ", phases.Unknown: "perhaps with "}
			all = append(all, with[after]+wording.Few(names))
		}
	}
	return text + ": " + strings.Join(all, ", ")
}

// title is the heading of the explanation of a flag.
func (x *flagExplanation) title(name string) string {
	if x.Description == "" {
		return "flag " + name
	}
	return "flag " + name + ": " + x.Description
}

// uses describes what reads and decides the flag in its itinerary.
func (x *flagExplanation) uses() []string {
	var guards, others []string
	for _, r := range x.ReadBy {
		switch r.What {
		case readerGuard:
			guards = append(guards, r.Phase)
		case readerJump:
			others = append(others, fmt.Sprintf("whether %s jumps to %s", r.Phase, r.Of))
		case readerStep:
			others = append(others, fmt.Sprintf("whether the step of %s is %s", r.Phase, r.Of))
		}
	}
	var lines []string
	if guards != nil {
		lines = append(lines, "read by the guards of "+wording.List(guards, "and"))
	}
	if others != nil {
		lines = append(lines, "affects "+wording.List(others, "and"))
	}
	if lines == nil {
		return []string{"nothing depends on it"}
	}
	if len(x.DecidedBy) > 0 {
		lines = append(lines, "decided by "+wording.List(x.DecidedBy, "and"))
	}
	switch {
	case x.Live:
		lines = append(lines, "live: a user may change it at any time")
	case len(x.DecidedBy) == 0:
		lines = append(lines, "no phase decides it")
	}
	return lines
}
