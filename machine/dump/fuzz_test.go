package dump

import (
	"encoding/json"
	"html"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

var (
	mermaidLabel = regexp.MustCompile(`^([\p{L}\p{M}\p{Nd} ]|#\d+;|<br/>)*$`)
	entity       = regexp.MustCompile(`#(\d+);`)
)

// dotRead decodes a DOT string, without its line breaks.
var dotRead = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "", "&amp;", "&")

// Names of any kind stay within their labels and can be read there.
func FuzzNames(f *testing.F) {
	for _, name := range []string{
		"end", `"`, `\`, `\"`, `\n`, "-->", "<b>", "&amp;", "#quot;", "$$x$$", "%%", "`a`", "a\r\nb", "\x00", " ", "  ", "\u202e", "\u05e9", "e\u0301", "\ufffe",
		strings.Repeat("x", 200), strings.Repeat("\u4e2d ", 100),
	} {
		f.Add(name, name+"2", name)
	}
	f.Fuzz(func(t *testing.T, phase, step, itinerary string) {
		g, err := machine.Compile(phases.Itinerary{Name: itinerary, Vocabulary: ab, Phases: []phases.Phase{
			{Name: phase, Step: step, Guard: phases.Guard{All: 1}, Decides: 2, Description: itinerary},
			{Name: phase + "'", Step: step, Guard: phases.Guard{None: 2}, Jumps: []phases.Jump{{To: phase, Guard: phases.Guard{All: 2}}, {To: phase + "''", Choice: true}}},
			{Name: phase + "''", Step: step, Steps: []phases.GuardedStep{{Step: step + "'", Guard: phases.Guard{All: 1}}}, End: true},
		}})
		if err != nil {
			require.ErrorAs(t, err, new(phases.DefinitionErrors), "an itinerary that is refused is never drawn")
			return
		}
		plan, err := g.PlanFrom(machine.Position{Phase: phase}, phases.NewFacts(1, 2))
		require.NoError(t, err)
		d, err := New(Options{Title: step}, Itinerary{Plan: plan, Failed: []string{phase}})
		require.NoError(t, err)

		checkNames(t, d, phase)
		var got struct {
			Itineraries []struct{ Phases []struct{ Name, Step string } }
		}
		require.NoError(t, json.Unmarshal(d.JSON(), &got))
		assert.Equal(t, phase, got.Itineraries[0].Phases[0].Name)
		assert.Equal(t, step, got.Itineraries[0].Phases[0].Step)

		after, err := machine.Compile(phases.Itinerary{Name: itinerary + "'", Vocabulary: ab, Phases: []phases.Phase{
			{Name: step + " of another", Step: phase},
			{Name: phase, Step: step + "'", Rides: true},
			{Name: phase + "-", Step: step + "'", Formerly: []string{phase + "'"}, Jumps: []phases.Jump{{To: phase, Guard: phases.Guard{All: 1}}}},
		}})
		if err != nil {
			require.ErrorAs(t, err, new(phases.DefinitionErrors))
			return
		}
		later, err := after.PlanFrom(machine.Position{Phase: phase}, phases.NewFacts(2, 1))
		require.NoError(t, err)
		d, err = NewDiff(Options{Title: phase},
			Side{step, []Itinerary{{Plan: plan, Failed: []string{phase}}}}, Side{itinerary, []Itinerary{{Plan: later}}})
		require.NoError(t, err)
		checkNames(t, d, phase)
		require.NoError(t, json.Unmarshal(d.JSON(), &got))
		assert.False(t, d.Same())

		runs := []Run{{Name: step, At: machine.Position{Phase: phase}}, {Name: step + itinerary + ".", Failed: true}}
		d, err = New(Options{}, Itinerary{Graph: g, Runs: runs})
		require.NoError(t, err)
		checkNames(t, d, phase)
	})
}

// checkNames checks that all names stay within their labels, and that the name of the
// phase can be read.
func checkNames(t *testing.T, d *Drawing, phase string) {
	t.Helper()
	for line := range strings.Lines(d.Text()) {
		line = strings.TrimSuffix(line, "\n")
		assert.LessOrEqual(t, utf8.RuneCountInString(line), columns, "%q", line)
		assert.False(t, strings.ContainsFunc(line, unicode.IsControl), "%q", line)
	}
	for line := range strings.Lines(d.Mermaid()) {
		parts := strings.Split(line, `"`)
		require.Contains(t, []int{1, 3}, len(parts), "%q", line)
		if len(parts) == 3 {
			assert.Regexp(t, mermaidLabel, parts[1])
		}
	}
	shown := strings.Join(labelLines(phase), "")
	mermaid := html.UnescapeString(entity.ReplaceAllString(d.Mermaid(), "&#$1;"))
	if strings.Contains(mermaid, "subgraph i0") { // otherwise the names are so long that only a note is drawn
		assert.Contains(t, strings.NewReplacer("<br/>", "", "\u2060", "").Replace(mermaid), strings.ReplaceAll(shown, "\u2060", ""))
	}

	// Graphviz ends a string at the first quote without a backslash before it.
	found := false
	for line := range strings.Lines(d.DOT()) {
		for _, label := range dotStrings(t, line) {
			found = found || strings.HasPrefix(dotRead.Replace(label), shown)
		}
	}
	assert.True(t, found, d.DOT())
}

// dotStrings returns the quoted strings of a line, still escaped.
func dotStrings(t *testing.T, line string) (all []string) {
	t.Helper()
	for {
		_, rest, ok := strings.Cut(line, `"`)
		if !ok {
			return all
		}
		end := 0
		for end < len(rest) && rest[end] != '"' {
			if rest[end] == '\\' {
				end++
			}
			end++
		}
		require.Less(t, end, len(rest), "a string has no end: %q", line)
		all, line = append(all, rest[:end]), rest[end+1:]
	}
}
