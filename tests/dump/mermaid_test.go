package dump

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/tests/dump/browser"
)

const mermaid = "node_modules/mermaid/dist/mermaid.min.js"

// parsed is the result of parsing a text with mermaid.
type parsed struct {
	Type  string
	Error string
}

// parse parses a text with mermaid.
func (p page) parse(text string) parsed {
	p.T.Helper()
	return browser.Call[parsed](p.Page, `async text => {
		try { return {type: (await mermaid.parse(text)).diagramType} } catch (e) { return {error: String(e)} }
	}`, text)
}

// render draws a text with mermaid, with its default limits, and returns the graph that
// the page then shows.
func (p page) render(text string) (graph, error) {
	p.T.Helper()
	r := browser.Call[struct {
		graph
		Error string
	}](p.Page, `async text => {
		const main = document.querySelector("main");
		mermaid.initialize({startOnLoad: false});
		try { main.innerHTML = (await mermaid.render("drawn", text)).svg } catch (e) { return {error: String(e)} }
		if (main.querySelector(".error-icon")) return {error: "an error is drawn"};
		const id = /i\d+(n\d+|b\d+)?(?=-\d+$|$)/;
		const texts = (what) => Object.fromEntries([...main.querySelectorAll(what)]
			.filter(e => id.test(e.id)).map(e => [e.id.match(id)[0], e.textContent]));
		return {nodes: texts("g.node"), clusters: texts("g.cluster"), edges: main.querySelectorAll("path.flowchart-link").length};
	}`, text)
	if r.Error != "" {
		return graph{}, fmt.Errorf("mermaid: %s", r.Error)
	}
	return r.graph, nil
}

func mermaidBand(itinerary, band int) string {
	if band < 0 {
		return fmt.Sprintf("i%d", itinerary)
	}
	return fmt.Sprintf("i%db%d", itinerary, band)
}

func TestMermaidParsesEveryDrawing(t *testing.T) {
	p := openPage(t, mermaid)
	for _, d := range drawings {
		t.Run(d.Name, func(t *testing.T) {
			assert.Equal(t, parsed{Type: "flowchart-v2"}, p.parse(d.New().Mermaid()))
		})
	}
}

func TestMermaidDrawsEveryName(t *testing.T) {
	p := openPage(t, mermaid)
	for _, d := range drawings {
		t.Run(d.Name, func(t *testing.T) {
			g, err := p.render(d.New().Mermaid())
			require.NoError(t, err)
			if diff := g.differences(contentOf(t, d), mermaidBand); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestMermaidFindsFaults(t *testing.T) {
	p := openPage(t, mermaid)
	d := drawing(t, "hostile")
	good := d.New().Mermaid()
	for _, tt := range []struct{ name, old, new string }{
		{"a quote that is not escaped", "#34;quoted", `"quoted`},
		{"a tag that is not escaped", "#60;b#62;bold", "<b>bold"},
		{"a name that is cut", "long name ", ""},
		{"a subgraph that does not end", "  end\n", ""},
		{"a node that no edge should bring", "i0n1 --", "i0n1000 --"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			faulty := strings.Replace(good, tt.old, tt.new, 1)
			require.NotEqual(t, good, faulty)
			g, err := p.render(faulty)
			assert.True(t, err != nil || g.differences(contentOf(t, d), mermaidBand) != "")
		})
	}
}
