package dump_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/dumptest"
	"github.com/konveyor/dynamic-pipeline/internal/goldentest"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/dump"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// eachDrawing yields the drawings that all formats are tested with.
func eachDrawing(t *testing.T, yield func(t *testing.T, name string, d *dump.Drawing)) {
	t.Helper()
	all, err := dumptest.Drawings("../..")
	require.NoError(t, err)
	for _, d := range all {
		t.Run(d.Name, func(t *testing.T) { yield(t, d.Name, d.New()) })
	}
}

// JSON is long and does not vary between itineraries, so only some drawings have a golden
// file.
var asJSON = []string{
	"warm-middle", "warm-all-edges", "failed", "rollback-middle", "hostile-around", "disks-unknown", "disks-chosen",
	"runs", "diff-runs", "diff-versions-plan", "diff-declared", "diff-declared-plan", "diff-done",
}

func TestGolden(t *testing.T) {
	eachDrawing(t, func(t *testing.T, name string, d *dump.Drawing) {
		goldentest.Compare(t, "testdata/"+name+".txt", d.Text())
		goldentest.Compare(t, "testdata/"+name+".dot", d.DOT())
		goldentest.Compare(t, "testdata/"+name+".mmd", d.Mermaid())
		if slices.Contains(asJSON, name) {
			goldentest.Compare(t, "testdata/"+name+".json", string(d.JSON()))
		}
	})
}

// The same input gives the same bytes; iterating over maps would show here.
func TestDrawingIsDeterministic(t *testing.T) {
	first := make(map[string][]string)
	for range 3 {
		eachDrawing(t, func(t *testing.T, name string, d *dump.Drawing) {
			got := []string{d.Text(), d.ColoredText(), d.DOT(), d.Mermaid(), string(d.JSON())}
			if want, ok := first[name]; ok {
				assert.Equal(t, want, got)
			}
			first[name] = got
		})
	}
}

func TestTextIsEightyColumnsWide(t *testing.T) {
	eachDrawing(t, func(t *testing.T, _ string, d *dump.Drawing) {
		text := d.Text()
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			assert.LessOrEqual(t, utf8.RuneCountInString(line), 80, line)
			assert.Equal(t, strings.TrimRight(line, " "), line, "nothing hangs over")
		}
	})
}

// Every name is in the text. Long names are wrapped, not cut.
func TestTextCutsNoName(t *testing.T) {
	for _, it := range []string{"final", "warm", "rollback", "hostile"} {
		text := strings.Join(strings.Fields(read(t, it+".txt")), "")
		for _, name := range names(t, it) {
			quoted := strings.ReplaceAll(quote(name), " ", "")
			assert.Contains(t, text, strings.Join(strings.Fields(quoted), ""), "%q", name)
		}
	}
}

// ColoredText differs from Text only in colours.
func TestColoredTextDiffersOnlyInColors(t *testing.T) {
	codes := regexp.MustCompile("\x1b\\[[0-9;]*m")
	colored := 0
	eachDrawing(t, func(t *testing.T, _ string, d *dump.Drawing) {
		text := d.ColoredText()
		colored += len(codes.FindAllString(text, -1))
		assert.Equal(t, d.Text(), codes.ReplaceAllString(text, ""))
		assert.NotContains(t, d.Text(), "\x1b")
	})
	assert.Greater(t, colored, 1000)
}

// States are distinguishable without colours: no two phases in different states share a
// mark, a shape or a style.
func TestStatesAreDistinguishableWithoutColors(t *testing.T) {
	for format, of := range map[string]func(*dump.Drawing) string{
		"text": (*dump.Drawing).Text, "dot": (*dump.Drawing).DOT, "mermaid": (*dump.Drawing).Mermaid,
	} {
		t.Run(format, func(t *testing.T) {
			d := loopDrawing(t)
			looks := make(map[string]string)
			for phase, state := range map[string]string{
				"Begin": "behind", "Clean": "runs", "Again": "runs, tentative", "Pause": "current", "Cut": "failed", "Check": "out",
				"Last": "unknown", "Wait": "by choice", "Stop": "an end by choice",
			} {
				look := lookOf(t, format, of(d), phase)
				if other, ok := looks[look]; ok {
					t.Errorf("%s and %s both look like %s", state, other, look)
				}
				looks[look] = state
			}
		})
	}
}

// In a diff, an unknown flag and a choice are distinguishable whether the phase has
// changed or not, and so are new, gone, changed and unchanged elements.
func TestChangesAreDistinguishableWithoutColors(t *testing.T) {
	v := func(names ...string) dump.Side {
		it := phases.Itinerary{Name: "It", Vocabulary: vocabulary}
		for _, name := range names {
			p := phases.Phase{Name: name, Step: "S"}
			switch strings.TrimRight(name, "12") {
			case "Ask":
				p.Jumps = []phases.Jump{{To: "Pick1", Choice: true}}
			case "Flag":
				p.Guard.All = 4
			}
			it.Phases = append(it.Phases, p)
		}
		g, err := machine.Compile(it)
		require.NoError(t, err)
		return dump.Side{Itineraries: []dump.Itinerary{{Plan: g.Plan(phases.NewFacts(0, 3))}}}
	}
	before := v("Go1", "Flag1", "Flag2", "Old", "Ask", "Wait1", "Wait2", "Pick1")
	after := v("Go1", "Flag2", "Flag1", "Fresh", "Ask", "Wait2", "Wait1", "Pick1")
	d, err := dump.NewDiff(dump.Options{}, before, after)
	require.NoError(t, err)
	for format, of := range map[string]func(*dump.Drawing) string{"dot": (*dump.Drawing).DOT, "mermaid": (*dump.Drawing).Mermaid} {
		t.Run(format, func(t *testing.T) {
			text := of(d)
			for phase, words := range map[string]string{
				"Go1": "", "Flag1": "unknown", "Flag2": "unknown/changed", "Wait1": "depends on a choice", "Wait2": "depends on a choice/changed", "Old": "gone", "Fresh": "new",
			} {
				k := strings.Index(text, `"`+phase)
				require.Positive(t, k, phase)
				label, _, _ := strings.Cut(text[k+1+len(phase):], `"`)
				label = strings.TrimPrefix(strings.NewReplacer(`\n`, "/", "<br/>", "/").Replace(label), "/")
				if words == "" {
					assert.Empty(t, label, phase)
				}
				assert.True(t, strings.HasPrefix(label, words), "%s: %s", phase, label)
				for _, other := range []string{"will run", "unknown", "depends on a choice", "new", "gone"} {
					assert.Equal(t, strings.HasPrefix(words, other), strings.HasPrefix(label, other), "%s: %s", phase, label)
				}
			}
		})
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return string(data)
}

// names returns the phases of a drawing, read from its JSON.
func names(t *testing.T, drawing string) []string {
	t.Helper()
	all, err := dumptest.Drawings("../..")
	require.NoError(t, err)
	i := slices.IndexFunc(all, func(d dumptest.Drawing) bool { return d.Name == drawing })
	require.GreaterOrEqual(t, i, 0)
	var names []string
	for _, p := range decode(t, all[i].New()).Itineraries[0].Phases {
		names = append(names, p.Name)
	}
	return names
}

// drawing is the JSON of a drawing, as far as the tests read it.
type drawing struct {
	Version     int
	Title       string
	Itineraries []struct {
		Name, EdgesAre string
		Phases         []struct {
			Name, Step, State, Runs string
			Tentative, Failed       bool
		}
		Steps []struct {
			Name   string
			Phases []string
		}
		Edges []struct {
			From, To    *string
			Kind, Taken string
		}
	}
	Switches []dump.Switch
	Notes    []string
}

func decode(t *testing.T, d *dump.Drawing) (got drawing) {
	t.Helper()
	require.NoError(t, json.NewDecoder(bytes.NewReader(d.JSON())).Decode(&got))
	return got
}
