package dump

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/dumptest"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/dump"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/tests/dump/browser"
)

// What a life covers is drawn in every format as programs and readers expect it.
func TestACoverageIsDrawn(t *testing.T) {
	set := machine.MustCompileSet(dumptest.Disks())
	s := machinetest.NewScripted(machinetest.Script{Itinerary: "Disks", Itineraries: set})
	s.Coverage = machinetest.NewCoverage()
	machinetest.New(t, s).Run(machinetest.Flags("Verify"))
	g, err := set.Graph("Disks")
	require.NoError(t, err)
	drawing, err := s.Coverage.Drawing(dump.Options{}, g)
	require.NoError(t, err)

	document := drawing.JSON()
	require.NoError(t, validate(t, document))
	var c content
	require.NoError(t, json.Unmarshal(document, &c))
	t.Run("Graphviz", func(t *testing.T) {
		got, err := dot(drawing.DOT())
		require.NoError(t, err)
		assert.Empty(t, got.differences(c, dotBand))
		assert.Contains(t, got.Nodes["i0n2"], "not covered", "the end that was not reached")
	})
	t.Run("mermaid", func(t *testing.T) {
		p := openPage(t, mermaid)
		assert.Equal(t, parsed{Type: "flowchart-v2"}, p.parse(drawing.Mermaid()))
		got, err := p.render(drawing.Mermaid())
		require.NoError(t, err)
		assert.Empty(t, got.differences(c, mermaidBand))
		assert.Contains(t, got.Nodes["i0n2"], "not covered")
	})
	t.Run("a browser", func(t *testing.T) {
		p := openPage(t, axe)
		for _, theme := range browser.Themes {
			p.Theme(theme)
			assert.Empty(t, p.measure(string(drawing.SVG()), 400).problems(), theme)
			assert.Empty(t, p.accessibility(), theme)
		}
	})
}
