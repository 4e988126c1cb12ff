package dump

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/dumptest/contrast"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// ratio returns the contrast of two CSS colours.
func ratio(t *testing.T, a, b string) float64 {
	t.Helper()
	var colors [2]contrast.Color
	for i, s := range []string{a, b} {
		var rgb [3]uint8
		_, err := fmt.Sscanf(s, "#%02x%02x%02x", &rgb[0], &rgb[1], &rgb[2])
		require.NoError(t, err)
		colors[i] = contrast.Color{float64(rgb[0]), float64(rgb[1]), float64(rgb[2])}
	}
	return contrast.Ratio(colors[0], colors[1])
}

func TestColorsStandOut(t *testing.T) {
	texts := []*paint{&ink, &faded}
	shapes := []*paint{&blue, &thin, &amber, &violet, &red, &green}
	rows := []*paint{&tintNew, &tintGone, &tintChanged}
	for _, tt := range []struct {
		name   string
		colors []*paint
		on     []*paint
		least  float64
	}{
		{"text", texts, []*paint{&paper, &panel, &tint}, 4.5},
		{"text of what has changed", texts, rows, 4.5},
		{"text on a tag", []*paint{&paper}, []*paint{&blue, &red, &green}, 4.5},
		{"shapes", shapes, []*paint{&paper, &panel}, 3},
		{"marks of what has changed", append(shapes, &ink), rows, 3},
		{"the current phase", []*paint{&blue}, []*paint{&tint}, 3},
		{"the cross of a failure", []*paint{&paper}, []*paint{&red}, 3},
	} {
		for _, c := range tt.colors {
			for _, ground := range tt.on {
				assert.GreaterOrEqual(t, ratio(t, c.light, ground.light), tt.least, "%s in light: %v on %v", tt.name, *c, *ground)
				assert.GreaterOrEqual(t, ratio(t, c.dark, ground.dark), tt.least, "%s in dark: %v on %v", tt.name, *c, *ground)
			}
		}
	}
}

// A reader who sees no colours, or prints the picture, relies on the shapes.
func TestStatesDifferWithoutColors(t *testing.T) {
	nodes := map[string]*node{"failed": {failed: true}, "gone": {diff: diff{change: removed}}}
	for s := plain; s <= out; s++ {
		nodes["state "+s.String()] = &node{state: s}
		nodes["tentative "+s.String()] = &node{state: s, tentative: true}
	}
	shapes := map[string]string{}
	class := regexp.MustCompile(` class="\w+"`)
	for name, n := range nodes {
		shape := class.ReplaceAllString(mark(n), "")
		assert.Empty(t, shapes[shape], "%s looks like it", name)
		shapes[shape] = name
	}
}

// Kinds of arrows differ without colours, and so do taken and untaken arrows.
func TestArrowsDifferWithoutColors(t *testing.T) {
	dashes := make(map[string]string) // by class
	for _, r := range rules {
		dashes[r.class] = r.style
	}
	looks := map[string]look{"switch": switchLook}
	for _, taken := range []phases.Truth{phases.False, phases.Unknown, phases.True} {
		looks["jump, "+taken.String()] = newLook(edge{kind: jump, taken: taken})
		looks["choice, "+taken.String()] = newLook(edge{kind: jump, taken: taken, choice: true})
		looks["transition, "+taken.String()] = newLook(edge{kind: skip, taken: taken})
	}
	for _, c := range []change{added, removed} {
		looks[c.String()+" jump"] = newLook(edge{kind: jump, change: c})
		looks[c.String()+" choice"] = newLook(edge{kind: jump, change: c, choice: true})
		looks[c.String()+" transition"] = newLook(edge{kind: skip, change: c})
	}
	shapes := map[string]string{}
	for name, l := range looks {
		shape := fmt.Sprint(dashes[l.line], l.shape.path(0, 0, 1), l.choice)
		assert.Empty(t, shapes[shape], "%s looks like it", name)
		shapes[shape] = name
	}
}

// Every entry of the legend has its own mark.
func TestLegendHasNoMarkTwice(t *testing.T) {
	pic := &picture{used: used{
		failed: true, tentative: true, jump: true, skip: true, choice: true, end: true, mayBeTaken: true, never: true, arrow: true,
		changes: [changed + 1]bool{added: true, removed: true, changed: true}, arcNew: true, arcGone: true,
	}}
	for s := range pic.used.states {
		pic.used.states[s] = true
	}
	pic.legend()
	marks := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^<g transform="[^"]*">(.*)</g>$`).FindAllStringSubmatch(pic.over.String(), -1) {
		assert.False(t, marks[m[1]], m[1])
		marks[m[1]] = true
	}
	assert.Len(t, marks, 23)
}

func TestTextWraps(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		width      int
		want       []string
	}{
		{"a text that fits", "if HasPVs", 200, []string{"if HasPVs"}},
		{"an empty text", "", 200, []string{""}},
		{"behind a space", "needs HasPVs and HasISs", 120, []string{"needs HasPVs and ", "HasISs"}},
		{"inside a name, before a capital", "EnsureStagePodsFromTemplates", 120, []string{"EnsureStagePods", "FromTemplates"}},
		{"behind punctuation", "kubernetes.io/hostname", 110, []string{"kubernetes.io/", "hostname"}},
		{"anywhere if there is no good place", strings.Repeat("m", 12), 70, []string{"mmmmm", "mmmmm", "mm"}},
		{"not between a letter and its accent", "aae\u0301", 16, []string{"aa", "e\u0301"}},
		{"not inside of an emoji of several", "\U0001f469\u200d\U0001f467\U0001f469\u200d\U0001f467", 40, []string{"\U0001f469\u200d\U0001f467", "\U0001f469\u200d\U0001f467"}},
		{"a letter a line if nothing fits", "abc", 1, []string{"a", "b", "c"}},
		{"many spaces", "a" + strings.Repeat(" ", 20) + "b", 40, []string{"a        ", "          ", "  b"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, noteFace.wrap(tt.text, tt.width)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestLinesTogetherAreTheText(t *testing.T) {
	text := strings.Repeat("Aa bB-cC\u4e2d \U0001f600e\u0301", 30)
	for width := 20; width < 400; width += 7 {
		lines := nameFace.wrap(text, width)
		assert.Equal(t, text, strings.Join(lines, ""))
		for _, line := range lines {
			assert.LessOrEqual(t, nameFace.measure(strings.TrimSuffix(line, " ")), width, "%q", line)
		}
	}
}

func TestPrintableShowsInvisibleByNumber(t *testing.T) {
	for text, want := range map[string]string{
		"CopyDisks":                    "CopyDisks",
		"  ":                           `"  "`,
		"":                             "",
		`a "b" \c`:                     `a "b" \\c`,
		`two\nlines`:                   `two\\nlines`,
		"two\nlines":                   `two\nlines`,
		"\x00\x1b[31m":                 `\x00\x1b[31m`,
		"\u202eright to left":          `\u202eright to left`,
		"\u05e9\u05dc\u05d5\u05dd":     "\u05e9\u05dc\u05d5\u05dd",
		"\U0001f469\u200d\U0001f467":   "\U0001f469\u200d\U0001f467",
		"broken \xff":                  "broken \ufffd",
		"\uffff and \u00a0 and \u2028": `\uffff and \u00a0 and \u2028`,
	} {
		assert.Equal(t, want, printable(text))
	}
}

func TestPrintableNamesDiffer(t *testing.T) {
	names := []string{"two\nlines", `two\nlines`, `two\\nlines`, "two\\\nlines", "\x00", `\x00`, "\u200b", `\u200b`, "  ", "\t", `\t`}
	seen := map[string]string{}
	for _, name := range names {
		shown := strings.Join(labelLines(name), "")
		if other, ok := seen[shown]; ok {
			t.Errorf("%q and %q both look like %s", other, name, shown)
		}
		seen[shown] = name
	}
}

func TestOverlappingArcsHaveSeparateLanes(t *testing.T) {
	for _, tt := range []struct {
		name string
		arcs []span
		want []int
	}{
		{"none", nil, []int{}},
		{"one after the other", []span{{0, 2}, {2, 5}, {6, 7}}, []int{0, 0, 0}},
		{"a short one runs inside of a long one", []span{{0, 9}, {3, 5}}, []int{1, 0}},
		{"two that cross", []span{{0, 5}, {3, 8}}, []int{0, 1}},
		{"from a phase to itself", []span{{4, 4}, {0, 8}}, []int{0, 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := lanes(len(tt.arcs), func(i int) span { return tt.arcs[i] })
			assert.Equal(t, tt.want, got.of)
		})
	}
	t.Run("more than there are lanes share them", func(t *testing.T) {
		got := lanes(3*maxLanes, func(int) span { return span{0, 5} })
		assert.Equal(t, maxLanes, got.n)
	})
}
