package dump

import (
	"fmt"
	"strings"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// dotShapes draw a state in another way than by its colour.
var dotShapes = [...]string{
	plain:   `shape=box, style="filled,rounded"`,
	behind:  `shape=box, style="filled,dotted,rounded"`,
	current: `shape=box, style="filled,bold", peripheries=2`,
	runs:    `shape=box, style="filled,rounded"`,
	unknown: `shape=box, style="filled,dashed,rounded"`,
	out:     `shape=note, style="filled,dotted"`,
}

// dotKinds draw the kind of an edge by its head, dotTaken draws whether it is
// taken by its line.
var (
	dotKinds = [...]string{inOrder: "arrowhead=normal", jump: "arrowhead=vee, constraint=false, penwidth=2", skip: "arrowhead=empty, constraint=false"}
	dotTaken = [...]string{phases.False: `style=dotted, color="#8a939d"`, phases.Unknown: `style=dashed, color="#8f5600"`, phases.True: `style=solid, color="#0b5fcc"`}
)

// DOT returns the drawing in Graphviz's language: steps are clusters.
func (d *Drawing) DOT() string {
	var b strings.Builder
	b.WriteString("digraph {\n")
	fmt.Fprintf(&b, "  graph [label=%s, labelloc=t, compound=true, newrank=true, fontname=\"sans-serif\", bgcolor=\"#ffffff\"]\n", dotQuote(labelLines(d.title)...))
	b.WriteString("  node [fontname=\"sans-serif\", fontsize=11, margin=\"0.15,0.06\"]\n  edge [fontname=\"sans-serif\", fontsize=10]\n")
	for i, p := range d.parts {
		p.dot(&b, i)
	}
	for _, a := range d.switches {
		fmt.Fprintf(&b, "  %s -> %s [ltail=%q, lhead=%q, label=%s, arrowhead=diamond, style=bold, color=\"#bf2630\"]\n",
			dotID(a.from, len(d.parts[a.from].nodes)-1), dotID(a.to, 0), dotCluster(a.from), dotCluster(a.to), dotQuote(a.label()...))
	}
	if len(d.notes) > 0 {
		lines := make([]string, len(d.notes))
		for i, note := range d.notes {
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
		shape := dotShapes[n.state]
		if n.failed {
			shape = `shape=octagon, style="filled,bold"`
		}
		if !p.isPhase(n) {
			shape = `shape=ellipse, style=filled`
		}
		c := n.colors()
		fmt.Fprintf(b, "%s%s [label=%s, %s, fillcolor=%q, color=%q, fontcolor=%q]\n", indent, dotID(i, k), dotQuote(n.label(p, false)...), shape, c.fill, c.line, c.text)
	}
	for k := range p.nodes {
		switch n := &p.nodes[k]; {
		case n.band < 0:
			node(k, "    ")
		case p.bands[n.band].first == k:
			band := p.bands[n.band]
			fmt.Fprintf(b, "    subgraph \"%s_b%d\" {\n      label=%s; style=\"rounded,filled\"; color=\"#dbe1e8\"; fillcolor=\"#f3f5f8\"\n", dotCluster(i), n.band, dotQuote(labelLines(band.step)...))
			for k := band.first; k < band.first+band.n; k++ {
				node(k, "      ")
			}
			b.WriteString("    }\n")
		}
	}
	for _, e := range p.edges {
		label := ""
		if text := e.label(); text != "" {
			label = ", label=" + dotQuote(labelLines(text)...)
		}
		fmt.Fprintf(b, "    %s -> %s [%s, %s%s]\n", dotID(i, e.from), dotID(i, e.to), dotKinds[e.kind], dotTaken[e.taken], label)
	}
	b.WriteString("  }\n")
}

var dotEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", "&amp;")

// dotQuote writes lines as one quoted string. In it Graphviz takes backslashes
// for commands, and entities as HTML has them.
func dotQuote(lines ...string) string {
	escaped := make([]string, len(lines))
	for i, line := range lines {
		escaped[i] = dotEscapes.Replace(line)
	}
	return `"` + strings.Join(escaped, `\n`) + `"`
}
