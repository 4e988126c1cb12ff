package dump

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/konveyor/dynamic-pipeline/internal/dumptest"
)

// differences compares what a program has drawn with the content of the drawing: every
// phase and step under its name, and the number of edges. In ids, i counts itineraries, b
// bands and n nodes.
func (g graph) differences(c content, band func(itinerary, band int) string) string {
	want := graph{Nodes: map[string]string{}, Clusters: map[string]string{}}
	got := graph{Nodes: map[string]string{}, Clusters: map[string]string{}, Edges: g.Edges}
	want.Edges = len(c.Switches)
	begins := func(all map[string]string, found map[string]string, id, name string) {
		name = squeeze(name)
		all[id] = name
		// The name is followed by the guard, the state and more.
		if text, ok := found[id]; ok {
			got := squeeze(text)
			if strings.HasPrefix(got, name) {
				got = name
			}
			found[id] = got
		}
	}
	for id, text := range g.Nodes {
		got.Nodes[id] = text
	}
	for id, text := range g.Clusters {
		got.Clusters[id] = text
	}
	for i, it := range c.Itineraries {
		want.Edges += len(it.Edges)
		var names []string
		start, done := false, false
		for _, e := range it.Edges {
			start = start || e.From == nil
			done = done || e.To == nil
		}
		if start {
			names = append(names, "start")
		}
		for _, p := range it.Phases {
			names = append(names, dumptest.Shown(p.Name))
		}
		if done {
			names = append(names, "done")
		}
		for n, name := range names {
			begins(want.Nodes, got.Nodes, fmt.Sprintf("i%dn%d", i, n), name)
		}
		for b, step := range it.Steps {
			begins(want.Clusters, got.Clusters, band(i, b), dumptest.Shown(step.Name))
		}
		begins(want.Clusters, got.Clusters, band(i, -1), dumptest.Shown(it.Name))
	}
	return cmp.Diff(want, got)
}

// squeeze removes spaces, because lines break elsewhere, and the word joiners that
// protect names from mermaid.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '\u2060' {
			return -1
		}
		return r
	}, s)
}
