package dump

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// Mermaid's default limits are 500 edges and 50,000 characters. A drawing stays well
// below them.
const (
	mermaidEdges      = 449
	mermaidCharacters = 44_999
)

// mermaidChoice is the line style of a choice, and of what depends on one.
const mermaidChoice = "stroke-dasharray:10 3 2 3"

// mermaidStates distinguish states by more than colour: the brackets around a label
// select a shape, and line styles differ. Slanted shapes are unsuitable for long labels.
var mermaidStates = [...]mermaidLook{
	plain:    {"phase", "[", "]", ""},
	behind:   {"behind", "[", "]", ",stroke-dasharray:1 3"},
	current:  {"current", "[[", "]]", ",stroke-width:3px"},
	runs:     {"runs", "[", "]", ""},
	unknown:  {"unknown", "(", ")", ",stroke-dasharray:8 4"},
	byChoice: {"choice", "(", ")", "," + mermaidChoice},
	out:      {"out", "[", "]", ",stroke-dasharray:4 4"},

	covered:    {"covered", "[", "]", ""},
	missed:     {"missed", "{{", "}}", ",stroke-width:3px"},
	impossible: {"impossible", "[", "]", ",stroke-dasharray:4 4"},
}

type mermaidLook struct{ class, open, close, style string }

var mermaidFailed = mermaidLook{"failed", "{{", "}}", ",stroke-width:3px,stroke-dasharray:8 3"}

// mermaidChanges show how a node compares, on top of its state. The first entry is used
// in drawings that are not diffs.
var mermaidChanges = [...]struct {
	class, style string
	colors       *colors // if nil, the colours of the state
}{
	{},
	{"Same", "", &changeColors[same]},
	{"New", ",stroke-width:4px", &changeColors[added]},
	{"Gone", ",stroke-dasharray:2 6", &changeColors[removed]},
	{"Changed", ",stroke-width:4px", nil},
}

// mermaidLinks show how an edge compares.
var mermaidLinks = [...]string{same: "", added: "stroke-width:4px", removed: "stroke-dasharray:1 6", changed: "stroke-width:4px"}

// mermaidLines show the kind of an edge by its line. The head shows whether it is taken:
// a cross if not, a circle if it may be.
var (
	mermaidLines = [...]string{inOrder: "--", jump: "==", skip: "-.-"}
	mermaidHeads = [...]string{phases.False: "x", phases.Unknown: "o", phases.True: ">"}
)

// Mermaid returns the drawing as a Mermaid flowchart, with steps as subgraphs. Mermaid
// refuses large charts. If the drawing exceeds 449 edges or 44,999 characters (UTF-16
// units, as Mermaid counts), Mermaid returns the reduction; if that is still too large,
// the reduction with names only; and finally just a note. A note in the chart explains
// what was simplified.
func (d *Drawing) Mermaid() string {
	chart, excess := d.mermaid(false)
	if excess == "" {
		return chart
	}
	if d.options.AllEdges {
		o := d.options
		o.AllEdges = false
		if smaller, err := d.redraw(o); err == nil {
			smaller.notes = append(smaller.notes, "Not every transition is drawn: there are too many for Mermaid")
			if chart, excess = smaller.mermaid(false); excess == "" {
				return chart
			}
			d = smaller
		}
	}
	short := *d
	short.notes = append(append([]string{}, d.notes...), "Guards and reasons are not drawn: there are too many for Mermaid")
	if chart, excess = short.mermaid(true); excess == "" {
		return chart
	}
	only := Drawing{notes: []string{"This is too large for Mermaid, even without guards and reasons: " + excess +
		". Draw what is around one phase, or only what runs, or use another format"}}
	chart, _ = only.mermaid(true)
	return chart
}

// mermaid writes the chart, with names only if short is set. excess describes what
// exceeds Mermaid's limits; it is empty if nothing does.
func (d *Drawing) mermaid(short bool) (chart, excess string) {
	m := &mermaidWriter{links: make(map[string][]string), classes: make(map[string][]string), short: short}
	m.WriteString("flowchart TB\n")
	titled := d.options.Title != "" || d.sides.lines() != nil
	if titled {
		fmt.Fprintf(m, "  subgraph drawing[%s]\n", mermaidQuote(d.headingLines()...))
	}
	for i, p := range d.parts {
		m.part(p, i)
	}
	for _, a := range d.switches {
		m.edges++
		label := ""
		if lines := a.label(); lines != nil {
			label = "|" + mermaidQuote(lines...) + "|"
		}
		fmt.Fprintf(m, "  i%d -.->%s i%d\n", a.from, label, a.to)
	}
	if titled {
		m.WriteString("  end\n")
	}
	for i, note := range d.legended("Heads of lines: an arrow is covered, a circle is not covered, a cross is impossible") {
		fmt.Fprintf(m, "  note%d>%s]\n", i, mermaidQuote(labelLines(note)...))
	}
	for s, look := range mermaidStates {
		m.class(look, stateColors[s])
	}
	// Lines keep the colour of the theme.
	for _, style := range m.styles {
		fmt.Fprintf(m, "  linkStyle %s %s\n", strings.Join(m.links[style], ","), style)
	}
	m.class(mermaidFailed, failedColors)
	chart = m.String()
	switch n := len(utf16.Encode([]rune(chart))); {
	case m.edges > mermaidEdges:
		excess = fmt.Sprintf("it has %d edges, more than %d", m.edges, mermaidEdges)
	case n > mermaidCharacters:
		excess = fmt.Sprintf("it has %d characters, more than %d", n, mermaidCharacters)
	}
	return chart, excess
}

type mermaidWriter struct {
	strings.Builder
	edges   int
	links   map[string][]string // the edges of each style, by number
	styles  []string            // in order of use
	classes map[string][]string // the nodes of each class
	short   bool
}

// class defines the class of a look and, in a diff, those of each change that a node has.
// The class of a change begins with the name of the change.
func (m *mermaidWriter) class(look mermaidLook, own colors) {
	for _, suffix := range mermaidChanges {
		name := look.class + suffix.class
		if len(m.classes[name]) == 0 {
			continue
		}
		c, style := own, look.style
		if suffix.colors != nil {
			c = *suffix.colors
		}
		style += suffix.style
		fmt.Fprintf(m, "  classDef %s fill:%s,stroke:%s,color:%s%s\n", name, c.fill, c.line, c.text, style)
		fmt.Fprintf(m, "  class %s %s\n", strings.Join(m.classes[name], ","), name)
	}
}

// link sets the style of the last edge.
func (m *mermaidWriter) link(style string) {
	if m.links[style] == nil {
		m.styles = append(m.styles, style)
	}
	m.links[style] = append(m.links[style], strconv.Itoa(m.edges))
}

func (m *mermaidWriter) part(p *part, i int) {
	fmt.Fprintf(m, "  subgraph i%d[%s]\n  direction TB\n", i, mermaidQuote(p.headingLines()...))
	for k := range p.nodes {
		n := &p.nodes[k]
		if n.band >= 0 && p.bands[n.band].first == k {
			fmt.Fprintf(m, "  subgraph i%db%d[%s]\n", i, n.band, mermaidQuote(p.bands[n.band].label(p)...))
		}
		id := fmt.Sprintf("i%dn%d", i, k)
		look := mermaidStates[n.state]
		switch {
		case !n.isPhase():
			look.open, look.close = "([", "])"
		case n.failed:
			look = mermaidFailed
		case n.end:
			look.open, look.close = "([", "])"
		}
		fmt.Fprintf(m, "    %s%s%s%s\n", id, look.open, mermaidQuote(n.label(p, m.short)...), look.close)
		if p.compared() {
			look.class += mermaidChanges[1+n.change].class
		}
		m.classes[look.class] = append(m.classes[look.class], id)
		if n.band >= 0 && p.bands[n.band].first+p.bands[n.band].n-1 == k {
			m.WriteString("  end\n")
		}
	}
	for _, e := range p.edges {
		label := ""
		if text := e.compared(p); text != "" && !m.short {
			label = "|" + mermaidQuote(labelLines(text)...) + "|"
		}
		switch style := mermaidLinks[e.change]; {
		case e.choice && e.change == same:
			m.link(mermaidChoice)
		case e.choice && e.change != removed:
			m.link(style + "," + mermaidChoice)
		case style != "":
			m.link(style)
		}
		m.edges++
		fmt.Fprintf(m, "  i%dn%d %s%s%s i%dn%d\n", i, e.from, mermaidLines[e.kind], mermaidHeads[e.taken], label, i, e.to)
	}
	m.WriteString("  end\n")
}

// mermaidQuote writes lines as one quoted label. Mermaid also reads labels as Markdown,
// and any character other than a letter, digit or space may have a meaning, so these are
// written by number. Even then a backslash before an n ends a line and two dollars begin
// a formula: a word joiner, which is invisible, keeps them apart.
func mermaidQuote(lines ...string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, line := range lines {
		if i > 0 {
			b.WriteString("<br/>")
		}
		for k, r := range line {
			if r == ' ' && k > 0 || unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) {
				b.WriteRune(r)
			} else {
				b.WriteString("#" + strconv.Itoa(int(r)) + ";")
			}
			if r == '\\' || r == '$' {
				b.WriteString("#8288;")
			}
		}
	}
	b.WriteByte('"')
	return b.String()
}
