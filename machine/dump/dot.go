package dump

import (
	"fmt"
	"strings"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// dotShapes distinguish states by more than colour.
var dotShapes = [...]struct{ shape, style string }{
	plain:    {"box", `style="filled,rounded"`},
	behind:   {"box", `style="filled,dotted,rounded"`},
	current:  {"box", `style="filled,bold", peripheries=2`},
	runs:     {"box", `style="filled,rounded"`},
	unknown:  {"box", `style="filled,dashed,rounded"`},
	byChoice: {"hexagon", `style="filled,dashed"`},
	out:      {"note", `style="filled,dotted"`},

	covered:    {"box", `style="filled,rounded"`},
	missed:     {"octagon", `style="filled,bold"`},
	impossible: {"note", `style="filled,dotted"`},
}

// dotKinds show the kind of an edge by its head, and dotChoice shows a choice by its
// tail. dotTaken shows by the line whether it is taken.
var (
	dotKinds = [...]string{inOrder: "arrowhead=normal", jump: "arrowhead=vee, penwidth=2", skip: "arrowhead=empty"}
	dotTaken = [...]struct{ style, color string }{
		phases.False: {"dotted", "#8a939d"}, phases.Unknown: {"dashed", "#8f5600"}, phases.True: {"solid", "#0b5fcc"},
	}
)

// dotChanges emphasise new and changed elements.
var dotChanges = [...]string{same: "", added: ", penwidth=3", removed: "", changed: ", penwidth=3"}

const dotChoice = "dir=both, arrowtail=odiamond"

// DOT returns the drawing in Graphviz's language, with steps as clusters.
func (d *Drawing) DOT() string {
	var b strings.Builder
	b.WriteString("digraph {\n")
	fmt.Fprintf(&b, "  graph [label=%s, labelloc=t, compound=true, newrank=true, fontname=\"sans-serif\", bgcolor=\"#ffffff\"]\n",
		dotQuote(d.headingLines()...))
	b.WriteString("  node [fontname=\"sans-serif\", fontsize=11, margin=\"0.15,0.06\"]\n  edge [fontname=\"sans-serif\", fontsize=10]\n")
	for i, p := range d.parts {
		p.dot(&b, i)
	}
	for _, a := range d.switches {
		fmt.Fprintf(&b, "  %s -> %s [ltail=%q, lhead=%q, label=%s, arrowhead=diamond, style=bold, color=\"#bf2630\"]\n",
			dotID(a.from, len(d.parts[a.from].nodes)-1), dotID(a.to, 0), dotCluster(a.from), dotCluster(a.to), dotQuote(a.label()...))
	}
	if notes := d.legended("Lines: solid is covered, dashed is not covered, dotted is impossible"); len(notes) > 0 {
		lines := make([]string, len(notes))
		for i, note := range notes {
			lines[i] = printable(note)
		}
		fmt.Fprintf(&b, "  \"notes\" [shape=plaintext, label=%s]\n", dotQuote(lines...))
	}
	b.WriteString("}\n")
	return b.String()
}

func dotID(part, node int) string { return fmt.Sprintf("\"i%dn%d\"", part, node) }

func dotCluster(part int) string { return fmt.Sprintf("cluster_i%d", part) }

func (p *part) dot(b *strings.Builder, i int) {
	fmt.Fprintf(b, "  subgraph %q {\n    label=%s; style=rounded; color=\"#8a939d\"\n", dotCluster(i), dotQuote(p.headingLines()...))
	node := func(k int, indent string) {
		n := &p.nodes[k]
		look := dotShapes[n.state]
		switch {
		case !n.isPhase():
			look.shape, look.style = "ellipse", "style=filled"
		case n.failed:
			look.shape, look.style = "octagon", `style="filled,bold"`
		case n.end:
			look.shape = "ellipse"
		}
		if n.change == removed {
			look.style = `style="filled,diagonals"`
		}
		c := n.colors(p)
		fmt.Fprintf(b, "%s%s [label=%s, shape=%s, %s, fillcolor=%q, color=%q, fontcolor=%q%s]\n", indent, dotID(i, k),
			dotQuote(n.label(p, false)...), look.shape, look.style, c.fill, c.line, c.text, dotChanges[n.change])
	}
	for k := range p.nodes {
		switch n := &p.nodes[k]; {
		case n.band < 0:
			node(k, "    ")
		case p.bands[n.band].first == k:
			band := p.bands[n.band]
			fmt.Fprintf(b, "    subgraph \"%s_b%d\" {\n", dotCluster(i), n.band)
			fmt.Fprintf(b, "      label=%s; style=\"rounded,filled\"; color=\"#dbe1e8\"; fillcolor=\"#f3f5f8\"\n",
				dotQuote(band.label(p)...))
			for k := band.first; k < band.first+band.n; k++ {
				node(k, "      ")
			}
			b.WriteString("    }\n")
		}
	}
	for _, e := range p.edges {
		line, more := dotTaken[e.taken], ""
		// Phases are placed below each other in order, and what follows an end phase
		// below the phase it is reached from.
		if e.kind != inOrder && !(e.from < e.to && p.nodes[e.to-1].end) {
			more = ", constraint=false"
		}
		if e.choice {
			more += ", " + dotChoice
			if e.taken != phases.False {
				line.color = stateColors[byChoice].line
			}
		}
		if text := e.compared(p); text != "" {
			more += ", label=" + dotQuote(labelLines(text)...)
		}
		more += dotChanges[e.change]
		switch e.change {
		case added:
			line.color = changeColors[added].line
		case removed:
			line.style, line.color = "dotted", changeColors[removed].line
			// A gone edge keeps its place; otherwise present edges place the phases.
			if !strings.Contains(more, "constraint") && p.nodes[e.from].change != removed && p.nodes[e.to].change != removed {
				more += ", constraint=false"
			}
		}
		fmt.Fprintf(b, "    %s -> %s [%s, style=%s, color=%q%s]\n",
			dotID(i, e.from), dotID(i, e.to), dotKinds[e.kind], line.style, line.color, more)
	}
	b.WriteString("  }\n")
}

var dotEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", "&amp;")

// dotQuote writes lines as one quoted string. Graphviz interprets backslashes as commands
// and HTML entities in it.
func dotQuote(lines ...string) string {
	escaped := make([]string, len(lines))
	for i, line := range lines {
		escaped[i] = dotEscapes.Replace(line)
	}
	return `"` + strings.Join(escaped, `\n`) + `"`
}
