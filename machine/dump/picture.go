package dump

// colors are those of a state in pictures that others draw: DOT and Mermaid.
// Fill, line and text are all given, so that a picture reads the same on a
// light page and on a dark one.
type colors struct{ fill, line, text string }

var stateColors = [...]colors{
	plain:    {"#eef2f7", "#56606c", "#1b222c"},
	behind:   {"#dfe3e8", "#8a939d", "#4a525c"},
	current:  {"#0b5fcc", "#062f66", "#ffffff"},
	runs:     {"#dcebff", "#0b5fcc", "#1b222c"},
	unknown:  {"#fff1d6", "#8f5600", "#1b222c"},
	byChoice: {"#efe6fb", "#6d3fb0", "#1b222c"},
	out:      {"#ffffff", "#8a939d", "#56606c"},
}

var failedColors = colors{"#fbdcdc", "#bf2630", "#1b222c"}

// labelWidth is where the lines of a label break.
const labelWidth = 44

// label returns the lines of a node's label: its name, its state unless that is
// the usual one, and what is told of it.
func (n *node) label(p *part, short bool) []string {
	lines := labelLines(n.name)
	if words := n.words(); p.isPhase(n) && words != "" && words != runs.String() {
		lines = append(lines, words)
	}
	if short {
		return lines
	}
	for _, one := range n.detail(p) {
		lines = append(lines, labelLines(one)...)
	}
	return lines
}

// labelLines breaks a text into lines that can be shown.
func labelLines(text string) []string {
	if text == "" {
		text = `""`
	}
	return wrap(printable(text), labelWidth)
}

// headingLines are the lines of the heading of a part.
func (p *part) headingLines() []string { return wrap(p.heading(printable), labelWidth) }

// label is what an edge is labelled with.
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

// heading is the title of a part: its name, and where its plan begins. Names are
// written as show does.
func (p *part) heading(show func(name string) string) string {
	if p.plan == nil {
		return show(p.name())
	}
	return show(p.name()) + ", at " + show(p.plan.Position().String())
}

// label is what a switch is labelled with; no line if it has no When.
func (a arrow) label() []string {
	if a.when == "" {
		return nil
	}
	return labelLines("when " + a.when)
}

// colors are those of a node.
func (n *node) colors() colors {
	if n.failed {
		return failedColors
	}
	return stateColors[n.state]
}
