package dump

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/dumptest/contrast"
	"github.com/konveyor/dynamic-pipeline/tests/dump/browser"
)

// rect is a rectangle of a page, in pixels.
type rect struct{ X, Y, W, H float64 }

// slack is the tolerance for measurements of the browser, in pixels.
const slack = 0.6

func (r rect) inside(o rect) bool {
	return r.X >= o.X-slack && r.Y >= o.Y-slack && r.X+r.W <= o.X+o.W+slack && r.Y+r.H <= o.Y+o.H+slack
}

func (r rect) overlaps(o rect) bool {
	return r.X+r.W > o.X+slack && o.X+o.W > r.X+slack && r.Y+r.H > o.Y+slack && o.Y+o.H > r.Y+slack
}

// line is a line of text in a picture, as measured by measure.js.
type line struct {
	Text    string
	Box     rect
	Boxes   []rect // must contain the line
	Size    float64
	Opacity float64
	Color   string
	Ground  string // the background colour
	Select  string
}

// measures is the result of measure.js for a picture.
type measures struct {
	Frame    rect
	Texts    []line
	Crossed  []string // texts crossed by an arc
	Selected string   // what "select all" copies
}

// problems returns the problems that a reader of the picture would have.
func (m measures) problems() []string {
	var all []string
	complain := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	for i, t := range m.Texts {
		for _, b := range t.Boxes {
			if !t.Box.inside(b) {
				complain("%q sticks out: %v of %v", t.Text, t.Box, b)
			}
		}
		// Lines are ordered from top to bottom, except those side by side.
		for _, o := range m.Texts[i+1:] {
			if t.Box.overlaps(o.Box) {
				complain("%q overlaps %q", t.Text, o.Text)
			}
		}
		if t.Size < 10 {
			complain("%q is only %.1f pixels high", t.Text, t.Size)
		}
		if ratio := ratio(t.Color, t.Ground); t.Opacity != 1 || ratio < 4.5 {
			complain("%q is hard to read: %s on %s is %.2f, opacity %v", t.Text, t.Color, t.Ground, ratio, t.Opacity)
		}
		if t.Select == "none" || !strings.Contains(m.Selected, strings.TrimSpace(t.Text)) {
			complain("%q cannot be selected", t.Text)
		}
	}
	for _, text := range m.Crossed {
		complain("an arc crosses %q", text)
	}
	return all
}

// ratio returns the contrast of two colours as the browser writes them; 0 if one is
// "none".
func ratio(a, b string) float64 {
	var colors [2]contrast.Color
	for i, s := range []string{a, b} {
		c := &colors[i]
		if n, _ := fmt.Sscanf(s, "rgb(%f, %f, %f)", &c[0], &c[1], &c[2]); n != len(c) {
			return 0
		}
	}
	return contrast.Ratio(colors[0], colors[1])
}

// measure shows a picture in a page of the given width and measures it there.
func (p page) measure(svg string, width int) measures {
	p.T.Helper()
	script, err := os.ReadFile("testdata/measure.js")
	require.NoError(p.T, err)
	return browser.Call[measures](p.Page, string(script), svg, width)
}

// accessibility returns the violations that axe finds in the page.
func (p page) accessibility() []string {
	p.T.Helper()
	return browser.Call[[]string](p.Page, `async () =>
		(await axe.run(document.querySelector("main"), {resultTypes: ["violations"]})).violations
		.map(v => v.id + ": " + v.help + ": " + v.nodes.map(n => n.html.slice(0, 200)).join(", "))`)
}

const axe = "node_modules/axe-core/axe.min.js"

func TestPicturesAreReadable(t *testing.T) {
	p := openPage(t, axe)
	for _, theme := range browser.Themes {
		p.Theme(theme)
		for _, d := range drawings {
			t.Run(d.Name+" in "+theme, func(t *testing.T) {
				svg := string(d.New().SVG())
				m := p.measure(svg, 400)
				assert.Empty(t, m.problems())
				assert.InDelta(t, 400, m.Frame.W, slack, "it fits a narrow page")
				assert.NotEmpty(t, m.Texts)
				assert.Empty(t, p.accessibility())
				assert.InDelta(t, 480, p.measure(svg, 1200).Frame.W, slack, "it keeps its size in a wide page")
			})
		}
	}
}

// A README shows a picture as <img>, which renders it as a separate document.
func TestPictureAsImageFollowsTheTheme(t *testing.T) {
	p := openPage(t)
	ground := func(theme string) []float64 {
		p.Theme(theme)
		return browser.Call[[]float64](p.Page, `async svg => {
			const image = new Image();
			image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg);
			document.querySelector("main").replaceChildren(image);
			await image.decode();
			const canvas = document.createElement("canvas").getContext("2d");
			canvas.drawImage(image, 0, 0);
			return [...canvas.getImageData(240, 4, 1, 1).data];
		}`, string(drawings[0].New().SVG()))
	}
	light, dark := ground("light"), ground("dark")
	assert.Equal(t, []float64{255, 255, 255, 255}, light)
	assert.Equal(t, []float64{13, 17, 23, 255}, dark)
}

// well parses an XML document strictly.
func well(svg string) error {
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

// A browser parses XML more strictly than HTML, which the test above uses.
func TestPicturesAreXML(t *testing.T) {
	p := openPage(t)
	parse := func(svg string) string {
		return browser.Call[string](p.Page, `svg => {
			const document = new DOMParser().parseFromString(svg, "image/svg+xml");
			return document.querySelector("parsererror")?.textContent ?? document.documentElement.namespaceURI;
		}`, svg)
	}
	for _, d := range drawings {
		t.Run(d.Name, func(t *testing.T) {
			svg := string(d.New().SVG())
			assert.NoError(t, well(svg))
			assert.Equal(t, "http://www.w3.org/2000/svg", parse(svg))
		})
	}
	broken := strings.Replace(string(drawings[0].New().SVG()), "</desc>", "<", 1)
	assert.Error(t, well(broken))
	assert.NotEqual(t, "http://www.w3.org/2000/svg", parse(broken))
}

// Each check of a picture finds the fault it exists for.
func TestMeasureFindsFaults(t *testing.T) {
	p := openPage(t, axe)
	p.Theme("light")
	good := string(drawings[0].New().SVG())
	require.Empty(t, p.measure(good, 400).problems())
	name := good[strings.Index(good, `<text class="name"`):]
	name = name[:strings.Index(name, "</text>")+len("</text>")]
	content := name[strings.Index(name, ">")+1 : strings.LastIndex(name, "<")]
	for _, tt := range []struct{ name, old, new, want string }{
		{"a text twice in one place", name, name + name, "overlaps"},
		{"a name that is too long for its band", content, strings.Repeat(content, 10), "sticks out"},
		{"a text that is too small", "font-size:14px", "font-size:11px", "pixels high"},
		{"a pale text", "fill:#1b222c", "fill:#bbbbbb", "hard to read"},
		{"a text that shines through", `<text class="name"`, `<text opacity=".5" class="name"`, "hard to read"},
		{"a text that cannot be selected", `<text class="name"`, `<text style="user-select:none" class="name"`, "cannot be selected"},
		{"an arc across a text", "</svg>", `<path class="arc" d="M100 0V900"/></svg>`, "crosses"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			faulty := strings.Replace(good, tt.old, tt.new, 1)
			require.NotEqual(t, good, faulty)
			assert.Contains(t, strings.Join(p.measure(faulty, 400).problems(), "\n"), tt.want)
		})
	}
	t.Run("an image without a name", func(t *testing.T) {
		p.measure(strings.Replace(good, "<text ", `<g role="img"><circle r="1"/></g><text `, 1), 400)
		found, err := json.Marshal(p.accessibility())
		require.NoError(t, err)
		assert.Contains(t, string(found), "svg-img-alt")
	})
}
