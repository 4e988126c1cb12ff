package dump

import (
	"fmt"
	"slices"
	"strings"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// compare returns the ways in which the two sides of a node differ.
func (m *merging) compare(s slot) []aspect {
	was, now := &m.before.all[s.before], &m.after.all[s.after]
	var all []aspect
	differ := func(what, was, now, nothing string) {
		if was == now {
			return
		}
		for _, text := range []*string{&was, &now} {
			if *text == "" {
				*text = nothing
			}
		}
		all = append(all, aspect{what, was, now})
	}
	differ("name", was.name, now.name, "")
	if m.moved[s.before] && m.drawn[0][s.before] {
		all = append(all, aspect{"place", "after " + m.before.all[s.before-1].name, "after " + m.after.all[s.after-1].name})
	}
	differ("step", prefixed("step ", was.step), prefixed("step ", now.step), "no step")
	if was.crowd.len()+now.crowd.len() == 0 { // otherwise the runs show it
		differ("state", was.state.String(), now.state.String(), "")
		differ("failed", when(was.failed, "failed"), when(now.failed, "failed"), "not failed")
	}
	if now.state != behind { // what is behind is settled
		differ("tentative", when(was.tentative, "tentative"), when(now.tentative, "tentative"), "settled")
	}
	if was.state == now.state {
		differ("reason", was.reason(), now.reason(), "no reason")
	}
	differ("runs", strings.Join(was.who(), ", "), strings.Join(now.who(), ", "), "no run")
	differ("end", when(was.end, "end"), when(now.end, "end"), "no end")
	differ("guard", prefixed("if ", was.guard), prefixed("if ", now.guard), "no guard")
	differ("steps", was.steps, now.steps, "one step")
	differ("rides", when(was.rides, "rides"), when(now.rides, "rides"), "shows its step")
	differ("decides", was.decides(), now.decides(), "decides nothing")
	differ("description", was.description(), now.description(), "no description")
	return all
}

// description returns the description that users read while the phase runs, as messages
// quote it.
func (n *node) description() string {
	if !n.isPhase() {
		return ""
	}
	if text := n.part.graph.Phase(n.index).Description; text != "" {
		return fmt.Sprintf("%q", text)
	}
	return ""
}

// nameFlags names flags: "flag A", "flags A and B"; empty if there are none.
func nameFlags(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return "flag " + names[0]
	}
	return "flags " + wording.List(names, "and")
}

// describeFlag returns a flag with its description, as messages quote it.
func describeFlag(name, description string) string {
	if description == "" {
		return "flag " + name + " without description"
	}
	return fmt.Sprintf("flag %s %q", name, description)
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

func when(is bool, word string) string {
	if is {
		return word
	}
	return ""
}

// in reports whether the named aspect has changed.
func (d diff) in(what string) bool {
	return slices.ContainsFunc(d.aspects, func(a aspect) bool { return a.what == what })
}

// words describes whether users see a step, if that has changed.
func (b *band) words(p *part, arrow string) string {
	if p.change == added || p.change == removed {
		return "" // so is the itinerary
	}
	switch b.change {
	case added:
		return "appears"
	case removed:
		return "vanishes"
	case changed:
		return b.aspects[0].text(arrow)
	}
	return ""
}

// minor reports whether all changes follow from a run that progressed: the phase is now
// behind or settled, or only a reason changed.
func (n *node) minor() bool {
	return n.change == changed && len(n.aspects) > 0 && !slices.ContainsFunc(n.aspects, func(a aspect) bool {
		return a.what != "tentative" && a.what != "reason" && (a.what != "state" || n.state != behind || n.was.state == current)
	})
}

// details returns the lines below the name of a node: what is known of it or, in a diff, what
// has changed. Unchanged details are omitted in a diff.
func (n *node) details(p *part, arrow string) []string {
	switch {
	case !p.compared(), p.change == added, p.change == removed:
		return n.detail()
	case n.change == same:
		return n.who()
	case n.change != changed:
		return append([]string{n.change.String()}, n.detail()...)
	}
	var all []string
	for _, a := range n.aspects {
		all = append(all, a.text(arrow))
	}
	if n.in("state") && n.state > current {
		for _, r := range n.remarks() { // why it is so
			if !n.in(r.what) && (r.what == "guard" || r.what == "reason") {
				all = append(all, r.text)
			}
		}
	}
	return all
}

// wasWords describes how a changed edge was before: "if A, not taken".
func (e edge) wasWords(p *part) string {
	if e.change != changed {
		return ""
	}
	var all []string
	if e.was.guard != e.guard || e.was.choice != e.choice {
		all = append(all, e.was.label())
	}
	if e.was.taken != e.taken {
		words := strings.Trim(takenWords(p, e.was.taken), " ()")
		if words == "" {
			words = "possible"
		}
		all = append(all, words)
	}
	return strings.Join(all, ", ")
}

// differences sums up in words what has changed in a part, one line for each change.
func (p *part) differences(arrow string) []string {
	switch p.change {
	case added, removed:
		return []string{"this itinerary is " + p.change.String()}
	}
	var lines []string
	for _, a := range p.aspects {
		switch {
		case a.what == "itinerary": // shown by the heading
		case a.what == "flags" && p.plan != nil: // the lines below have their values
		default:
			lines = append(lines, a.text(arrow))
		}
	}
	if p.plan != nil {
		if was, now := p.before.plan.Position().String(), p.plan.Position().String(); was != now {
			lines = append(lines, fmt.Sprintf("at %s%sat %s", was, arrow, now))
		}
		lines = append(lines, p.flagDifferences(arrow)...)
	}
	lines = append(lines, p.stepDifferences(arrow)...)
	lines = append(lines, p.runDifferences()...)
	lines = append(lines, p.phaseDifferences()...)
	lines = append(lines, p.jumpDifferences()...)
	if len(lines) == 0 {
		lines = append(lines, "nothing differs")
	}
	return lines
}

// phaseDifferences sums up what happened to the phases. A phase whose definition changed
// in several respects counts once.
func (p *part) phaseDifferences() (lines []string) {
	names := make(map[string][]string) // of phases, by what happened to them
	for k := range p.nodes {
		n := &p.nodes[k]
		if !n.isPhase() {
			continue
		}
		note := func(what string) {
			if all := names[what]; len(all) == 0 || all[len(all)-1] != n.name {
				names[what] = append(all, n.name)
			}
		}
		switch n.change {
		case added:
			note("new")
		case removed:
			note("gone")
		case changed:
			p.noteChange(n, note)
		}
	}
	for _, one := range []struct{ what, single, several string }{
		{"new", "is new", "are new"},
		{"gone", "is gone", "are gone"},
		{"moved", "has moved", "have moved"},
		{"renamed", "is renamed", "are renamed"},
		{"runs", "now runs", "now run"},
		{"may", "may run now", "may run now"},
		{"out", "no longer runs", "no longer run"},
		{"behind", "is now behind", "are now behind"},
		{"failed", "has failed", "have failed"},
		{"not failed", "no longer counts as failed", "no longer count as failed"},
		{"tentative", "is now tentative", "are now tentative"},
		{"settled", "is now settled", "are now settled"},
		{"reason", "has another reason for its state", "have other reasons for their state"},
		{"defined", "is defined differently", "are defined differently"},
		{"description", "has another description", "have other descriptions"},
	} {
		switch all := names[one.what]; len(all) {
		case 0:
		case 1:
			lines = append(lines, fmt.Sprintf("1 phase %s: %s", one.single, all[0]))
		default:
			lines = append(lines, fmt.Sprintf("%d phases %s: %s", len(all), one.several, wording.Few(all)))
		}
	}
	return lines
}

// jumpDifferences counts the changed jumps or, if all are drawn, transitions.
func (p *part) jumpDifferences() (lines []string) {
	jumps := make(map[change]int)
	for _, e := range p.edges {
		if e.kind == jump || p.transits {
			jumps[e.change]++
		}
	}
	thing := "jump"
	if p.transits {
		thing = "transition"
	}
	for _, c := range []change{added, removed, changed} {
		switch n := jumps[c]; n {
		case 0:
		case 1:
			lines = append(lines, fmt.Sprintf("1 %s is %s", thing, c))
		default:
			lines = append(lines, fmt.Sprintf("%s are %s", count(n, thing), c))
		}
	}
	return lines
}

// noteChange notes what happened to a phase.
func (p *part) noteChange(n *node, note func(what string)) {
	for _, a := range n.aspects {
		switch a.what {
		case "name":
			note("renamed")
		case "place":
			note("moved")
		case "reason":
			note(a.what)
		case "failed", "tentative":
			note(a.now)
		case "end", "guard", "steps", "rides", "decides":
			note("defined")
		case "description":
			note(a.what)
		case "step":
			if n.was.steps == n.steps {
				note("defined")
			}
		case "state":
			switch was := n.was; {
			case n.state == current: // has its own line
			case n.state == behind:
				note("behind")
			case n.runs() == phases.True && was.runs() != phases.True:
				note("runs")
			case n.runs() == phases.Unknown:
				note("may")
			case n.runs() == phases.False:
				note("out")
			}
		}
	}
}

// flagDifferences returns the flags that differ, one line for each kind of difference.
func (p *part) flagDifferences(arrow string) []string {
	values := func(p *part) map[string]string {
		all := make(map[string]string)
		v, f := p.graph.Vocabulary(), p.plan.Facts()
		for _, set := range []struct {
			flags phases.Flags
			value phases.Truth
		}{{f.True(), phases.True}, {f.False(), phases.False}, {v.All() &^ f.Known(), phases.Unknown}} {
			for _, name := range v.Names(set.flags) {
				all[name] = now[set.value]
			}
		}
		return all
	}
	was, is := values(p.before), values(p.after)
	names := p.graph.Vocabulary().Names(p.graph.Vocabulary().All())
	for _, name := range p.before.graph.Vocabulary().Names(p.before.graph.Vocabulary().All()) {
		if is[name] == "" {
			names = append(names, name)
		}
	}
	var changes []string
	by := make(map[string][]string)
	for _, name := range names {
		if was[name] == is[name] {
			continue
		}
		change := orNone(was[name]) + arrow + orNone(is[name])
		if by[change] == nil {
			changes = append(changes, change)
		}
		by[change] = append(by[change], name)
	}
	var lines []string
	for _, change := range changes {
		lines = append(lines, wording.List(by[change], "and")+": "+change)
	}
	return lines
}

func orNone(value string) string {
	if value == "" {
		return "no flag"
	}
	return value
}

// stepDifferences returns the steps that users start or stop seeing.
func (p *part) stepDifferences(arrow string) []string {
	was, is := p.before.shown(), p.after.shown()
	names := append([]string{}, p.graph.Steps()...)
	for _, step := range p.before.graph.Steps() {
		if !slices.Contains(names, step) {
			names = append(names, step)
		}
	}
	var appear, vanish, lines []string
	for _, step := range names {
		switch c, aspects := compareShown(step, was, is); c {
		case added:
			appear = append(appear, step)
		case removed:
			vanish = append(vanish, step)
		case changed:
			lines = append(lines, "step "+step+": "+aspects[0].text(arrow))
		}
	}
	for _, one := range []struct {
		steps        []string
		single, some string
	}{{vanish, "vanishes", "vanish"}, {appear, "appears", "appear"}} {
		switch len(one.steps) {
		case 0:
		case 1:
			lines = append([]string{"step " + one.steps[0] + " " + one.single}, lines...)
		default:
			lines = append([]string{"steps " + wording.List(one.steps, "and") + " " + one.some}, lines...)
		}
	}
	return lines
}
