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
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/dump/browser"
)

// coverageOfALife draws the coverage of an itinerary by one simulated run.
func coverageOfALife(t *testing.T, name string, itineraries []phases.Itinerary, flags ...string) *dump.Drawing {
	t.Helper()
	set := machine.MustCompileSet(itineraries...)
	s := machinetest.NewScripted(machinetest.Script{Itinerary: name, Itineraries: set})
	s.Coverage = machinetest.NewCoverage()
	machinetest.New(t, s).Run(machinetest.Flags(flags...))
	g, err := set.Graph(name)
	require.NoError(t, err)
	drawing, err := s.Coverage.Drawing(dump.Options{}, g)
	require.NoError(t, err)
	return drawing
}

// Programs and readers can read a coverage in every format.
func TestCoverageIsDrawn(t *testing.T) {
	drawing := coverageOfALife(t, "Disks", []phases.Itinerary{dumptest.Disks()}, "Verify")
	final := coverageOfALife(t, mtc.Final, mtc.Itineraries(), "HasPVs", "DirectImage", "Quiesce", "DirectVolume", "EnableVolume")

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
		assert.Equal(t, parsed{Type: "flowchart-v2"}, p.parse(final.Mermaid()))
	})
	t.Run("a browser", func(t *testing.T) {
		p := openPage(t, axe)
		for _, theme := range browser.Themes {
			p.Theme(theme)
			for _, d := range []*dump.Drawing{drawing, final} {
				assert.Empty(t, p.measure(string(d.SVG()), 400).problems(), theme)
				assert.Empty(t, p.accessibility(), theme)
			}
		}
	})
}
