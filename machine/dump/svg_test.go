package dump_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/dumptest"
	"github.com/konveyor/dynamic-pipeline/internal/goldentest"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/dump"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// texts parses a picture strictly and returns the text of each text element.
func texts(t *testing.T, svg []byte) []string {
	t.Helper()
	var all []string
	inside := false
	d := xml.NewDecoder(strings.NewReader(string(svg)))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		switch e := token.(type) {
		case xml.StartElement:
			if e.Name.Local == "text" {
				inside = true
				all = append(all, "")
			}
		case xml.EndElement:
			inside = inside && e.Name.Local != "text"
		case xml.CharData:
			if inside {
				all[len(all)-1] += string(e)
			}
		}
	}
}

func TestSVGHasEveryNameAndLoadsNothing(t *testing.T) {
	all, err := dumptest.Drawings("../..")
	require.NoError(t, err)
	for _, d := range all {
		t.Run(d.Name, func(t *testing.T) {
			drawing := d.New()
			svg := drawing.SVG()
			assert.Equal(t, string(svg), string(d.New().SVG()), "the same drawing has the same bytes")
			assert.Equal(t, 1, strings.Count(string(svg), "http"), "the namespace is the only address")
			for _, loads := range []string{"<script", "<image", "<use", "href", "url(", "@import", "@font-face"} {
				assert.NotContains(t, string(svg), loads)
			}
			if strings.HasPrefix(d.Name, "final") {
				assert.Less(t, len(svg), 60_000)
			}
			found := texts(t, svg)
			for _, it := range d.Itineraries {
				g := it.Graph
				if g == nil {
					g = it.Plan.Graph()
				}
				drawn := 0
				for i := range g.Len() {
					if d.Options.OnlyRun && it.Plan.Runs(i) == phases.False || d.Options.Around != "" {
						continue
					}
					drawn++
					assert.Contains(t, found, dumptest.Shown(g.Phase(i).Name))
					if step := g.Phase(i).Step; step != "" && it.Plan == nil {
						assert.Contains(t, found, dumptest.Shown(step))
					}
				}
				assert.Equal(t, d.Options.Around == "", drawn > 0)
			}
		})
	}
}

// A page whose Content-Security-Policy refuses inline styles shows the same picture with
// StyleSheet.
func TestInlineSVGWithStyleSheet(t *testing.T) {
	sheet := dump.StyleSheet()
	class := regexp.MustCompile(`class="(\w+)"`)
	eachDrawing(t, func(t *testing.T, _ string, d *dump.Drawing) {
		inline, whole := string(d.InlineSVG()), string(d.SVG())
		before, rest, ok := strings.Cut(whole, "<style>\n")
		require.True(t, ok)
		style, after, ok := strings.Cut(rest, "</style>\n")
		require.True(t, ok)
		assert.Equal(t, before+after, inline)
		assert.NotContains(t, inline, " style=")
		for rule := range strings.Lines(style) {
			assert.Contains(t, sheet, rule)
		}
		for _, m := range class.FindAllStringSubmatch(inline, -1) {
			if m[1] != "band" { // the class band has no style
				assert.Regexp(t, `\.`+m[1]+`\b`, sheet)
			}
		}
	})
}

// asSVG lists the drawings that together show every element of a picture.
var asSVG = []string{
	"runs", "runs-many", "diff-runs", "diff-flags", "diff-positions", "diff-versions", "diff-versions-plan",
	"diff-versions-all-edges", "diff-several", "diff-done", "diff-hostile-only-run",
	"final", "final-middle", "final-all-edges", "final-only-run", "warm-middle", "failed-middle", "hostile-around", "mtc",
	"disks", "disks-plan", "disks-chosen", "disks-all-edges",
}

func TestGoldenPictures(t *testing.T) {
	drawn := 0
	eachDrawing(t, func(t *testing.T, name string, d *dump.Drawing) {
		if slices.Contains(asSVG, name) {
			goldentest.Compare(t, "testdata/"+name+".svg", string(d.SVG()))
			drawn++
		}
	})
	assert.Len(t, asSVG, drawn)
}

// The root README shows this picture: an upgrade of a database that waits for the first
// of its replicas.
func TestREADMEPicture(t *testing.T) {
	f, err := os.Open("../../phases/testdata/database-upgrade.yaml")
	require.NoError(t, err)
	defer f.Close()
	file, err := phases.Load(f, f.Name())
	require.NoError(t, err)
	it := file.Itineraries[0]
	g, err := machine.Compile(it)
	require.NoError(t, err)
	yes, err := it.Vocabulary.Parse("BackupWanted", "HasReplicas", "ReplicasLeft")
	require.NoError(t, err)
	plan, err := g.PlanFrom(machine.Position{Phase: "WaitForReplica"}, phases.NewFacts(yes, it.Vocabulary.All()&^yes))
	require.NoError(t, err)
	d, err := dump.New(dump.Options{}, dump.Itinerary{Plan: plan})
	require.NoError(t, err)
	goldentest.Compare(t, "testdata/upgrade.svg", string(d.SVG()))
}

func TestSVGOfManyPhasesIsLinear(t *testing.T) {
	v := phases.MustVocabulary([]phases.FlagDef{{Flag: 1, Name: "A"}})
	draw := func(n int) (size int, allocated uint64) {
		it := phases.Itinerary{Name: "Many", Vocabulary: v}
		for i := range n {
			it.Phases = append(it.Phases, phases.Phase{
				Name: fmt.Sprintf("P%06d", i), Step: fmt.Sprintf("S%06d", i/10), Guard: phases.Guard{All: 1},
				Jumps: []phases.Jump{{To: fmt.Sprintf("P%06d", (i+n/2)%n), Guard: phases.Guard{All: 1}}},
			})
		}
		g, err := machine.Compile(it)
		require.NoError(t, err)
		d, err := dump.New(dump.Options{}, dump.Itinerary{Plan: g.Plan(phases.NewFacts(1, 0))})
		require.NoError(t, err)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		size = len(d.SVG())
		runtime.ReadMemStats(&after)
		return size, after.TotalAlloc - before.TotalAlloc
	}
	small, smallCost := draw(1_000)
	large, largeCost := draw(10_000)
	assert.Less(t, large, 11*small)
	assert.Less(t, largeCost, 13*smallCost)
}
