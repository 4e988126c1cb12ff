package dump

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// dot draws a text with Graphviz and returns the resulting graph. A warning is an error.
func dot(text string) (graph, error) {
	cmd := exec.Command("dot", "-Tsvg")
	cmd.Stdin = strings.NewReader(text)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil || problems.Len() > 0 {
		return graph{}, fmt.Errorf("dot: %v: %s", err, problems.String())
	}
	type group struct {
		Class  string   `xml:"class,attr"`
		Title  string   `xml:"title"`
		Text   []string `xml:"text"`
		Groups []group  `xml:"g"`
	}
	var svg group
	if err := xml.Unmarshal(out.Bytes(), &svg); err != nil {
		return graph{}, err
	}
	g := graph{Nodes: map[string]string{}, Clusters: map[string]string{}}
	for _, graph := range svg.Groups {
		for _, e := range graph.Groups {
			switch e.Class {
			case "node":
				if e.Title != "notes" {
					g.Nodes[e.Title] = strings.Join(e.Text, "")
				}
			case "cluster":
				g.Clusters[e.Title] = strings.Join(e.Text, "")
			case "edge":
				g.Edges++
			}
		}
	}
	return g, nil
}

func dotBand(itinerary, band int) string {
	if band < 0 {
		return fmt.Sprintf("cluster_i%d", itinerary)
	}
	return fmt.Sprintf("cluster_i%d_b%d", itinerary, band)
}

func TestGraphvizDrawsEveryDrawing(t *testing.T) {
	for _, d := range drawings {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			g, err := dot(d.New().DOT())
			require.NoError(t, err)
			if diff := g.differences(contentOf(t, d), dotBand); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestGraphvizFindsFaults(t *testing.T) {
	d := drawing(t, "hostile")
	good := d.New().DOT()
	for _, tt := range []struct{ name, old, new string }{
		{"a quote that is not escaped", `\"quoted\"`, `"quoted"`},
		{"a backslash that is not escaped", `\\\\G\\\\N\\\\L`, `\G\N\L`},
		{"an entity that is not escaped", `&amp;#x22;`, `&#x22;`},
		{"a name that is cut", "long name ", ""},
		{"an edge that is missing", "    \"i0n0\" -> \"i0n1\" ", "    //"},
		{"a node that no edge should bring", `"i0n1" ->`, `"i0n1000" ->`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			faulty := strings.Replace(good, tt.old, tt.new, 1)
			require.NotEqual(t, good, faulty)
			g, err := dot(faulty)
			assert.True(t, err != nil || g.differences(contentOf(t, d), dotBand) != "")
		})
	}
}
