package dump

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/phases"
)

const (
	columns = 80
	// longestName is the longest name that widens the column of names.
	longestName = 40
	// markWidth is the width of the column of plan marks.
	markWidth = 4
)

// marks are the marks and words of the states, in the order of the legend.
var marks = [...]struct {
	mark, word, color string
}{
	plain:    {" ", "", ""},
	behind:   {".", behind.String(), ansiDim},
	current:  {">", current.String(), ansiBold},
	runs:     {"+", runs.String(), ""},
	unknown:  {"?", unknown.String(), ansiYellow},
	byChoice: {"/", byChoice.String(), ansiMagenta},
	out:      {"-", out.String(), ansiDim},

	covered:    {"+", covered.String(), ansiGreen},
	missed:     {"!", missed.String(), ansiRed},
	impossible: {"-", impossible.String(), ansiDim},
}

// tentativeWords explain tentative. They claim no more than the machine does, which errs
// on the safe side.
const tentativeWords = "it, or the path to it, reads a flag that a phase ahead decides"

// changeMarks are written in the margin of a diff.
var changeMarks = [...]string{same: " ", added: "+", removed: "-", changed: "~"}

const (
	failedMark    = "!"
	tentativeMark = "~"

	ansiBold    = "\x1b[1m"
	ansiGreen   = "\x1b[32m"
	ansiDim     = "\x1b[2m"
	ansiRed     = "\x1b[1;31m"
	ansiYellow  = "\x1b[33m"
	ansiMagenta = "\x1b[35m"
	ansiReset   = "\x1b[0m"
)

// Text returns the drawing as lines of at most 80 characters: one line per phase, below
// its step. Longer lines are wrapped; names are never shortened. A name with unprintable
// characters is quoted as in Go. Every character counts as one column, whatever its
// display width. In a diff, the first column holds only the marks of new, gone and
// changed lines.
func (d *Drawing) Text() string { return d.text(false) }

// ColoredText is [Drawing.Text] for a terminal that understands ANSI colour codes.
func (d *Drawing) ColoredText() string { return d.text(true) }

func (d *Drawing) text(colors bool) string {
	t := &textWriter{colors: colors}
	if title := d.options.Title; title != "" {
		t.wrapped("", "  ", quoted(title), ansiBold)
	}
	for _, line := range d.sides.lines() {
		t.wrapped("", "     ", printable(line), ansiBold)
	}
	if d.sides.lines() != nil {
		t.WriteByte('\n')
	}
	for i, p := range d.parts {
		if i > 0 {
			t.WriteByte('\n')
		}
		t.part(d, i, p)
	}
	var last []string
	for _, note := range d.notes {
		last = append(last, printable(note))
	}
	if legend := d.legend(); legend != "" {
		last = append(last, legend)
	}
	if len(last) > 0 {
		t.WriteByte('\n')
	}
	indent := ""
	if d.sides != nil {
		indent = "  " // the margin is reserved for marks
	}
	for _, text := range last {
		t.wrapped("", indent, text, ansiDim)
	}
	return t.String()
}

// legend explains the marks that the drawing uses.
func (d *Drawing) legend() string {
	var used [len(marks)]bool
	var failed, tentative, several bool
	for _, p := range d.parts {
		several = several || len(p.runs) > 0
		for _, n := range p.nodes {
			if n.change == removed {
				continue
			}
			used[n.state] = true
			failed = failed || n.failed
			tentative = tentative || n.tentative
		}
	}
	var all []string
	if d.sides != nil {
		all = append(all, "at the margin: "+changeMarks[added]+" new, "+changeMarks[removed]+" gone, "+changeMarks[changed]+" changed")
	}
	for s, m := range marks {
		switch {
		case !used[s] || m.word == "":
		case several && state(s) == current:
			all = append(all, m.mark+" runs are here")
		default:
			all = append(all, m.mark+" "+m.word)
		}
	}
	if failed {
		all = append(all, failedMark+" failed")
	}
	if tentative {
		all = append(all, tentativeMark+" tentative: "+tentativeWords)
	}
	if d.sides != nil && len(all) > 1 {
		return all[0] + "; then: " + strings.Join(all[1:], ", ")
	}
	return strings.Join(all, ", ")
}

type textWriter struct {
	strings.Builder
	colors bool
}

func (t *textWriter) part(d *Drawing, i int, p *part) {
	t.wrapped("", "  ", p.heading(quoted), ansiBold)
	if text := p.tally(); text != "" {
		t.wrapped("  ", "    ", text, "")
	}
	for _, line := range p.summaryLines() {
		t.wrapped("  ", "    ", printable(line), "")
	}
	if p.compared() {
		for _, line := range p.differences(arrowText) {
			t.wrapped("  ", "    ", printable(line), "")
		}
	}
	if p.plan != nil && !p.compared() {
		v, facts := p.graph.Vocabulary(), p.plan.Facts()
		for _, list := range []struct {
			word  string
			flags phases.Flags
		}{
			{"true", facts.True()}, {"unknown", v.All() &^ facts.Known()},
		} {
			if list.flags != 0 {
				t.wrapped("  "+list.word+": ", "    ", strings.Join(v.Names(list.flags), ", "), "")
			}
		}
	}
	width := 0
	for _, n := range p.nodes {
		if w := utf8.RuneCountInString(quoted(n.name)); w <= longestName {
			width = max(width, w)
		}
	}
	last := -1
	for k := range p.nodes {
		n := &p.nodes[k]
		if n.band >= 0 && n.band != last {
			b := &p.bands[n.band]
			step := quoted(b.step)
			if words := b.words(p, arrowText); words != "" {
				step += " (" + words + ")"
			}
			if p.plan != nil && p.onlyRides(*b) && n.change != removed {
				step += " (hidden: all that run ride)"
			}
			t.wrapped(marked(b.change, "  "), "    ", step, ansiBold)
		}
		last = n.band
		t.node(p, k, width)
	}
	for _, a := range d.switches {
		if a.from == i {
			text := quoted(d.parts[a.to].name())
			if a.when != "" {
				text += " when " + quoted(a.when)
			}
			t.wrapped("  => ", "     ", text, "")
		}
	}
}

func (t *textWriter) node(p *part, k, width int) {
	n := &p.nodes[k]
	m := marks[n.state]
	mark, color := m.mark, m.color
	if n.failed {
		mark, color = mark+failedMark, ansiRed
	}
	if n.tentative {
		mark += tentativeMark
	}
	switch {
	case n.change == removed:
		mark, color = " ", ansiRed
	case n.change == added:
		color = ansiGreen
	case n.change == changed && !n.minor():
		color = ansiBold
	case p.compared():
		color = ansiDim
	}
	indent := "  "
	if n.band >= 0 {
		indent = "    "
	}
	column := 4 + width + 2
	if p.hasStates() {
		indent += pad(mark, markWidth)
		column += markWidth
	} else if n.failed {
		indent = indent[1:] + failedMark
	}
	name := n.textName()
	indent = marked(n.change, indent)
	detail := n.details(p, arrowText)
	if n.failed && !n.in("failed") && n.crowd.len() == 0 {
		detail = append([]string{"failed"}, detail...)
	}
	if n.state == current && n.isPhase() && !n.in("state") && n.change != removed && n.crowd.len() == 0 {
		detail = append([]string{"current"}, detail...)
	}
	rest := m.color
	if p.compared() {
		rest = ""
	}
	lines := wrap(printable(strings.Join(detail, "; ")), columns-column)
	if long := utf8.RuneCountInString(indent+name)+2 > column; long || len(lines) == 0 {
		t.wrapped(indent, strings.Repeat(" ", len(indent)), name, color)
	} else {
		gap := strings.Repeat(" ", column-utf8.RuneCountInString(indent+name))
		t.WriteString(indent + t.paint(name, color) + gap + t.paint(lines[0], rest) + "\n")
		lines = lines[1:]
	}
	for _, line := range lines {
		t.WriteString(pad("", column) + t.paint(line, rest) + "\n")
	}
	t.edges(p, k, strings.Repeat(" ", len(indent)+2))
}

// marked puts the mark of a change in the margin.
func marked(c change, indent string) string { return changeMarks[c] + indent[1:] }

// textName returns the name of a node, in parentheses if the node does no work.
func (n *node) textName() string {
	if !n.isPhase() || n.end {
		return "(" + quoted(n.name) + ")"
	}
	return quoted(n.name)
}

// pad fills a text with spaces up to a width.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 0))
}

// remark is one detail of a node.
type remark struct {
	what string // the name of an aspect
	text string
}

// detail returns the details of a node. For a phase: its guard, why it does not run, its
// other steps, what it decides. For done: whether it may be reached, unless it certainly
// is.
func (n *node) detail() []string {
	var all []string
	for _, r := range n.remarks() {
		all = append(all, r.text)
	}
	return all
}

func (n *node) remarks() []remark {
	var all []remark
	for _, text := range n.who() {
		all = append(all, remark{"runs", text})
	}
	switch {
	case n.isPhase():
	case n.state == unknown, n.state == byChoice:
		return append(all, remark{"state", "may be reached"})
	case n.state == out:
		return append(all, remark{"state", "is not reached"})
	default:
		return all
	}
	if n.end {
		all = append(all, remark{"end", "end"})
	}
	guard := n.part.graph.Phase(n.index).Guard.Reads().Len()
	switch {
	case n.guard == "", n.reason() != "" && guard == len(n.why.Flags): // the reason is equally complete
	case n.state == behind:
		all = append(all, remark{"guard", "if " + n.guard + " (" + now[n.admits] + " now)"})
	default:
		all = append(all, remark{"guard", "if " + n.guard})
	}
	if why := n.reason(); why != "" {
		all = append(all, remark{"reason", why})
	}
	if n.steps != "" {
		all = append(all, remark{"steps", n.steps})
	}
	if n.rides {
		all = append(all, remark{"rides", "rides"})
	}
	if decides := n.decides(); decides != "" {
		all = append(all, remark{"decides", decides})
	}
	return all
}

// decides describes in words what a phase decides; empty if nothing.
func (n *node) decides() string {
	if !n.isPhase() {
		return ""
	}
	g := n.part.graph
	decides := g.Phase(n.index).Decides
	if decides == 0 {
		return ""
	}
	return "decides " + wording.List(g.Vocabulary().Names(decides), "and")
}

// reason describes why a phase does not run, or what that depends on. It is empty if the
// phase is behind or current: its state is reason enough.
func (n *node) reason() string {
	if n.why == nil || n.state == behind || n.state == current {
		return ""
	}
	return n.why.Text + wording.DecidedBy(n.why.DecidedBy)
}

// edges lists the edges from a node, except one that just leads to the next line.
func (t *textWriter) edges(p *part, k int, indent string) {
	type edgeGroup struct { // what edges on one line have in common
		taken  phases.Truth
		change change
		was    string
	}
	next := make(map[edgeGroup][]string)
	var groups []edgeGroup
	for _, e := range p.edgesFrom(k) {
		to := p.nodes[e.to].textName()
		one := edgeGroup{e.taken, e.change, e.wasWords(p)}
		if e.kind != jump {
			if p.transits {
				if next[one] == nil {
					groups = append(groups, one)
				}
				next[one] = append(next[one], to)
			}
			continue
		}
		text := to + " " + e.label()
		if e.choice {
			text = to + " by choice"
		}
		t.wrapped(marked(e.change, indent)+"-> ", indent+"   ", text+e.takenWords(p)+prefixed("; was ", one.was), "")
	}
	order := []phases.Truth{phases.True, phases.Unknown, phases.False}
	slices.SortStableFunc(groups, func(a, b edgeGroup) int { return slices.Index(order, a.taken) - slices.Index(order, b.taken) })
	for _, w := range groups {
		e := edge{taken: w.taken, change: w.change}
		text := strings.Join(next[w], ", ") + e.takenWords(p) + prefixed("; was ", w.was)
		t.wrapped(marked(w.change, indent)+"next: ", indent+"      ", text, "")
	}
}

// takenWords describes in words whether an edge is taken; empty for one that is gone.
func (e edge) takenWords(p *part) string {
	if e.change == removed {
		return ""
	}
	return takenWords(p, e.taken)
}

// takenWords describes in words whether an edge is taken. Without a plan, an edge that
// may be taken gets no words.
func takenWords(p *part, taken phases.Truth) string {
	switch {
	case p.coverage != nil:
		if taken == phases.True {
			return ""
		}
		return " (" + markWords[taken] + ")"
	case taken == phases.False && p.plan == nil:
		return " (never)"
	case taken == phases.False:
		return " (not taken)"
	case p.plan == nil:
		return ""
	case taken == phases.Unknown:
		return " (may be taken)"
	}
	return " (taken)"
}

// wrapped writes text in lines: the first after the indent first, the others after the
// indent others.
func (t *textWriter) wrapped(first, others, text, color string) {
	indent := first
	for _, line := range wrap(text, columns-max(len(first), len(others))) {
		t.WriteString(indent + t.paint(line, color) + "\n")
		indent = others
	}
}

func (t *textWriter) paint(text, color string) string {
	if !t.colors || color == "" {
		return text
	}
	return color + text + ansiReset
}

// wrap breaks text into lines at spaces. A word longer than a line is broken at the end
// of the line.
func wrap(text string, width int) []string {
	var lines []string
	line, n := "", 0
	for _, word := range strings.Split(text, " ") {
		runes := []rune(word)
		switch {
		case len(lines) == 0 && line == "":
		case n+1+len(runes) <= width:
			line += " "
			n++
		default:
			lines = append(lines, line)
			line, n = "", 0
		}
		for n+len(runes) > width {
			lines = append(lines, line+string(runes[:width-n]))
			runes = runes[width-n:]
			line, n = "", 0
		}
		line += string(runes)
		n += len(runes)
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// quoted quotes a name that a terminal would not show verbatim.
func quoted(name string) string {
	if q := strconv.Quote(name); q[1:len(q)-1] != name || strings.TrimSpace(name) != name {
		return q
	}
	return name
}
