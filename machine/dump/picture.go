package dump

import (
	"slices"
	"strings"
)

// colors are the colours of a state in pictures that other programs draw (DOT and
// Mermaid). Fill, line and text are all given, so a picture is readable on light and dark
// pages.
type colors struct{ fill, line, text string }

var stateColors = [...]colors{
	plain:    {"#eef2f7", "#56606c", "#1b222c"},
	behind:   {"#dfe3e8", "#8a939d", "#4a525c"},
	current:  {"#0b5fcc", "#062f66", "#ffffff"},
	runs:     {"#dcebff", "#0b5fcc", "#1b222c"},
	unknown:  {"#fff1d6", "#8f5600", "#1b222c"},
	byChoice: {"#efe6fb", "#6d3fb0", "#1b222c"},
	out:      {"#ffffff", "#8a939d", "#56606c"},

	covered:    {"#e2f4e6", "#1a7f37", "#1b222c"},
	missed:     {"#fdecec", "#bf2630", "#1b222c"},
	impossible: {"#ffffff", "#8a939d", "#56606c"},
}

// changeColors are the colours of unchanged, new and gone nodes in a diff. A changed node
// has the colours of its state.
var changeColors = [...]colors{
	same:    {"#ffffff", "#8a939d", "#56606c"},
	added:   {"#e2f4e6", "#1a7f37", "#1b222c"},
	removed: {"#fdecec", "#bf2630", "#56606c"},
}

var failedColors = colors{"#fbdcdc", "#bf2630", "#1b222c"}

// labelWidth is the maximum length of a label line.
const labelWidth = 44

// label returns the lines of a node's label: its name, its state unless it is the usual
// one, and its details.
func (n *node) label(p *part, short bool) []string {
	lines := labelLines(n.name)
	usual := []string{"", runs.String(), covered.String()}
	if words := n.words(); n.isPhase() && n.crowd.len() == 0 && !slices.Contains(usual, words) && !n.in("state") && n.change != removed {
		lines = append(lines, words)
	}
	if n.change == changed {
		lines = append(lines, n.change.String())
	}
	if short {
		return lines
	}
	for _, one := range n.details(p, arrowText) {
		lines = append(lines, labelLines(one)...)
	}
	return lines
}

// labelLines breaks a text into printable lines.
func labelLines(text string) []string {
	if text == "" {
		text = `""`
	}
	return wrap(printable(text), labelWidth)
}

// headingLines returns the lines of the heading of a part.
func (p *part) headingLines() []string {
	lines := wrap(p.heading(printable), labelWidth)
	if text := p.tally(); text != "" {
		lines = append(lines, text)
	}
	for _, line := range p.summaryLines() {
		lines = append(lines, labelLines(line)...)
	}
	if p.compared() {
		for _, line := range p.differences(arrowText) {
			lines = append(lines, labelLines(line)...)
		}
	}
	return lines
}

// label returns the lines of the heading of a step.
func (b *band) label(p *part) []string {
	lines := labelLines(b.step)
	if words := b.words(p, arrowText); words != "" {
		lines = append(lines, words)
	}
	return lines
}

// label returns the label of an edge.
func (e edge) label() string {
	switch {
	case e.kind != jump:
		return ""
	case e.choice:
		return "choice"
	case e.guard == "":
		return "always"
	}
	return "if " + e.guard
}

// compared returns the label of an edge and, in a diff, how the edge has changed. A new
// or gone edge in order follows from the phases, so it is not labelled.
func (e edge) compared(p *part) string {
	text := e.label()
	switch e.change {
	case added, removed:
		if e.kind == jump || p.transits {
			text = strings.TrimSuffix(e.change.String()+": "+text, ": ")
		}
	case changed:
		text = strings.TrimPrefix(text+"; was "+e.wasWords(p), "; ")
	}
	return text
}

// headingLines returns the lines of the heading of a drawing.
func (d *Drawing) headingLines() []string {
	lines := labelLines(d.title)
	for _, line := range d.sides.lines() {
		lines = append(lines, labelLines(line)...)
	}
	return lines
}

// heading returns the title of a part: its name and where its plan begins. show formats
// the names.
func (p *part) heading(show func(name string) string) string {
	name, at := show(p.name()), ""
	if p.plan != nil {
		at = show(p.plan.Position().String())
	}
	if p.compared() && p.change != added && p.change != removed {
		if was := show(p.before.name()); was != name {
			name += ", was " + was
		}
		if p.plan != nil && show(p.before.plan.Position().String()) != at {
			at = "" // it is listed among the differences
		}
	}
	if at == "" {
		return name
	}
	return name + ", at " + at
}

// label returns the label of a switch; no lines if When is empty.
func (a arrow) label() []string {
	if a.when == "" {
		return nil
	}
	return labelLines("when " + a.when)
}

// colors returns the colours of a node.
func (n *node) colors(p *part) colors {
	switch {
	case p.compared() && n.change != changed:
		return changeColors[n.change]
	case n.failed:
		return failedColors
	}
	return stateColors[n.state]
}
