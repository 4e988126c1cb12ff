package machinetest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/dump"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// related returns itineraries in which the relation "X implies Y" makes items impossible: Both runs
// only after OnlyY, and Never never runs.
func related() machinetest.Script {
	v := phases.MustVocabulary([]phases.FlagDef{{Flag: x, Name: "X"}, {Flag: y, Name: "Y"}}, phases.Clause{False: x, True: y})
	set := machine.MustCompileSet(phases.Itinerary{Name: "Main", Vocabulary: v, Phases: []phases.Phase{
		{Name: "OnlyY", Step: "A", Guard: phases.Guard{All: y}},
		{Name: "Both", Step: "B", Guard: phases.Guard{All: x | y}, Jumps: []phases.Jump{{To: "Last", Choice: true}}},
		{Name: "Never", Step: "C", Guard: phases.Guard{All: x, None: y}},
		{Name: "Last", Step: "D"},
	}})
	return machinetest.Script{Itinerary: "Main", Itineraries: set}
}

func covering(c *machinetest.Coverage) scriptedSetup {
	s := machinetest.NewScripted(related())
	s.Coverage = c
	return s
}

// A life covers what it went through. The report names the rest, except what the relations make
// impossible.
func TestCoverageOfLife(t *testing.T) {
	c := machinetest.NewCoverage()
	machinetest.New(t, covering(c)).Run(machinetest.Flags("X", "Y"))
	want := `Main: phases 3 of 3, transitions 4 of 6, pairs of transitions 3 of 6, guards 4 of 7 and outcomes 3 of 3
  not covered: transition start -> Last
  not covered: transition OnlyY -> Last
  not covered: pair of transitions start -> OnlyY -> Last
  not covered: pair of transitions start -> Last -> done
  not covered: pair of transitions OnlyY -> Last -> done
  not covered: guard OnlyY: !Y
  not covered: guard Both: !X
  not covered: guard Never: !X
`
	if diff := cmp.Diff(want, c.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// An exploration covers everything that is possible: its lives and the sets of facts in reach.go
// agree.
func TestCoverageOfExploration(t *testing.T) {
	for name, s := range map[string]scriptedSetup{
		"relations":              machinetest.NewScripted(related()),
		"choices and end phases": choosing(),
		"decided flags":          scripted(),
	} {
		t.Run(name, func(t *testing.T) {
			c := machinetest.NewCoverage()
			s.Coverage = c
			x := machinetest.Exploration[*machinetest.Object, struct{}]{Setup: s, Failures: -1}
			if name == "relations" {
				x.NeverCalled = []string{"Never"}
			}
			if name == "decided flags" {
				x.NeverCalled = []string{"Failed/Z1", "Failed/Z2"}
			}
			if s.Edits["cancel"] != nil {
				x.Edits = []string{"cancel"}
			}
			machinetest.Explore(t, x)
			for _, itinerary := range []string{"Main", "Canceled"} {
				for _, kind := range []machinetest.CoverKind{
					machinetest.CoverPhases, machinetest.CoverTransitions, machinetest.CoverPairs,
					machinetest.CoverGuards, machinetest.CoverOutcomes,
				} {
					assert.Empty(t, c.Missing(itinerary, kind), "%s of %s", kind, itinerary)
				}
			}
			covered, possible, undecided := c.Covered("Main", machinetest.CoverPairs)
			assert.Equal(t, possible, covered)
			assert.Positive(t, covered)
			assert.Zero(t, undecided)
		})
	}
}

// MergeCoverage merges the files that several packages and runs have saved.
func TestMergeCoverage(t *testing.T) {
	directory := t.TempDir()
	t.Setenv(machinetest.CoverageDir, directory)
	one, two, both := machinetest.NewCoverage(), machinetest.NewCoverage(), machinetest.NewCoverage()
	for _, c := range []*machinetest.Coverage{one, both} {
		machinetest.New(t, covering(c)).Run(machinetest.Flags("X", "Y"))
	}
	for _, c := range []*machinetest.Coverage{two, both} {
		machinetest.New(t, covering(c)).Run(machinetest.Flags("Y"))
	}
	require.NoError(t, one.Save(""))
	require.NoError(t, one.Save("")) // same content, same file
	require.NoError(t, two.Save(""))
	files, err := filepath.Glob(filepath.Join(directory, "*"))
	require.NoError(t, err)
	assert.Len(t, files, 2)

	merged, err := machinetest.MergeCoverage(directory)
	require.NoError(t, err)
	assert.Equal(t, both.String(), merged.String())
	assert.Equal(t, string(both.JSON()), string(merged.JSON()))
	assert.NotEqual(t, one.String(), merged.String())

	for text, want := range map[string]string{
		`{`:                            "not a coverage: unexpected EOF",
		`{"version":2}`:                "it has version 2; this package reads version 1",
		`{"version":1,"itinerary":[]}`: `not a coverage: json: unknown field "itinerary"`,
		`{"version":1,"itineraries":[{"name":"Main","covered":[{"kind":"phase","at":[7,-2,-2]}]}]}`: `itinerary "Main" has no phase number 7`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(directory, "coverage-broken.json"), []byte(text), 0o600))
		_, err := machinetest.MergeCoverage(directory)
		var broken *machinetest.CoverageError
		require.ErrorAs(t, err, &broken)
		assert.Contains(t, err.Error(), want)
		assert.Equal(t, "coverage-broken.json", filepath.Base(broken.File))
	}
	_, err = machinetest.MergeCoverage(filepath.Join(directory, "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// The graph shows which items are covered, not covered and impossible.
func TestCoverageDrawing(t *testing.T) {
	c := machinetest.NewCoverage()
	s := covering(c)
	machinetest.New(t, s).Run(machinetest.Flags("Y"))
	g, err := related().Itineraries.Graph("Main")
	require.NoError(t, err)
	drawing, err := c.Drawing(dump.Options{}, g)
	require.NoError(t, err)
	text := drawing.Text()
	for _, want := range []string{
		"phases: 2 of 3 covered", "+   OnlyY", "!   Both", "-   Never", "+   Last",
		"+ covered, ! not covered, - impossible", "Both (not covered)", "Never (impossible)",
	} {
		assert.Contains(t, text, want)
	}
	for name, picture := range map[string]string{
		"dot": drawing.DOT(), "mermaid": drawing.Mermaid(), "svg": string(drawing.SVG()), "json": string(drawing.JSON()),
	} {
		assert.Contains(t, picture, "phases", name)
		assert.Contains(t, strings.ReplaceAll(picture, "notCovered", "not covered"), "not covered", name)
		assert.Contains(t, picture, "impossible", name)
	}
}

// A jump, a step and a guard of several flags are judged when a run reaches them.
func TestCoverageOfGuards(t *testing.T) {
	c := machinetest.NewCoverage()
	s := choosing()
	s.Coverage = c
	machinetest.New(t, s).Run(machinetest.Flags("X"), machinetest.Done("B1", runner.Choose("Undo")))
	assert.Equal(t, []string{"B1, step C: !X", "D1: !Y", "D1: Y"}, c.Missing("Main", machinetest.CoverGuards))
	assert.Contains(t, c.Missing("Main", machinetest.CoverTransitions), "B1 -> D1")
	assert.NotContains(t, c.Missing("Main", machinetest.CoverTransitions), "B1 -> Undo")
}
