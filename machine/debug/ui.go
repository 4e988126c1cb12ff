package debug

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"strings"
	"sync"

	"github.com/konveyor/dynamic-pipeline/machine/dump"
)

//go:embed ui
var ui embed.FS

// asset is a file used by all pages. Its name contains the hash of its contents, so
// browsers can cache it forever.
type asset struct {
	name, contentType string
	body              []byte
}

var (
	sheet  = newAsset("style", "css", "text/css", read("ui/style.css")+dump.StyleSheet())
	script = newAsset("script", "js", "text/javascript", read("ui/script.js"))
	icon   = newAsset("icon", "svg", "image/svg+xml", read("ui/icon.svg"))
)

func newAsset(name, ending, contentType, body string) asset {
	sum := sha256.Sum256([]byte(body))
	return asset{name + "." + hex.EncodeToString(sum[:8]) + "." + ending, contentType, []byte(body)}
}

func read(name string) string {
	body, err := ui.ReadFile(name)
	if err != nil {
		panic(err) // it is embedded
	}
	return string(body)
}

func (a asset) serve(w http.ResponseWriter, r *http.Request, _ query) error {
	tag := `"` + a.name + `"`
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	respond(w, r, http.StatusOK, a.contentType+"; charset=utf-8", a.body)
	return nil
}

// templates are the templates of the pages. Rows of long lists do not call nested
// templates, which would dominate the time of a page. They are parsed on first use, so a
// program that serves no page starts without parsing them.
var templates = sync.OnceValue(func() *template.Template {
	icons := newIcons()
	return template.Must(template.New("").Funcs(template.FuncMap{
		"camel": camel,
		"icon":  func(name string) template.HTML { return icons[name] },
		"look": func(l look) template.HTML {
			return `<span class="look ` + template.HTML(template.HTMLEscapeString(l.Tone)) + `">` + icons[l.Icon] +
				template.HTML(template.HTMLEscapeString(l.Text)) + "</span>"
		},
		"ago":  func(w when) template.HTML { return w.element(w.Ago()) },
		"away": func(w when) template.HTML { return w.element(w.Away()) },
		"due":  func(w when) template.HTML { return w.element(w.Due()) },
	}).ParseFS(ui, "ui/*.html"))
})

// newIcons returns the icons by name.
func newIcons() map[string]template.HTML {
	t := template.Must(template.ParseFS(ui, "ui/icon.html"))
	all := make(map[string]template.HTML)
	for _, name := range []string{
		"stopped", "overdue", "retrying", "unknown", "waiting", "paused", "working", "notbegun",
		"done", "succeeded", "failed", "canceled", "rolledback", "leftout", "dot",
	} {
		var b strings.Builder
		if err := t.ExecuteTemplate(&b, "icon", name); err != nil {
			panic(err) // it is embedded
		}
		all[name] = template.HTML(b.String())
	}
	return all
}

// element shows a moment in words, with the exact time as a tooltip.
func (w when) element(words string) template.HTML {
	if w.IsZero() {
		return ""
	}
	exact := w.Exact()
	return template.HTML(`<time datetime="` + exact + `" title="` + exact + `">` + words + "</time>")
}

// camel returns a name that can break between its words on a narrow line.
func camel(name string) template.HTML {
	var b strings.Builder
	start := 0
	for i := 1; i < len(name); i++ {
		if name[i] >= 'A' && name[i] <= 'Z' && name[i-1] >= 'a' && name[i-1] <= 'z' {
			b.WriteString(template.HTMLEscapeString(name[start:i]) + "<wbr>")
			start = i
		}
	}
	b.WriteString(template.HTMLEscapeString(name[start:]))
	return template.HTML(b.String())
}

// page is the data of a template.
type page struct {
	// Site is the heading of all pages, Title the heading of this page.
	Site, Title string
	// Template is the name of the template.
	Template string
	// Style, Script and Icon are the names of these files.
	Style, Script, Icon string
	Now                 when
	View                view
	// Stream is the link to the events after which the page must be refreshed; empty if
	// the page does not change.
	Stream string
}

func (h *handler) newPage(v view) page {
	now := h.o.Now()
	p := page{
		Site: h.o.Title, Title: v.title(), Template: v.page(), Style: sheet.name, Script: script.name, Icon: icon.name,
		Now: when{now, now}, View: v,
	}
	switch v := v.(type) {
	case *runList:
		p.Stream = "events"
	case *runView:
		p.Stream = v.EventStream()
	}
	return p
}

// Is reports whether the view is the page with the given name.
func (p page) Is(name string) bool { return p.Template == name }

// inline returns a drawing for a page that includes its style sheet.
func inline(d *dump.Drawing, err error) template.HTML {
	if err != nil {
		return template.HTML("<p>" + template.HTMLEscapeString(err.Error()) + "</p>")
	}
	return template.HTML(d.InlineSVG()) // its texts are escaped
}

// SVG is the graph with the current phase.
func (p *runView) SVG() template.HTML { return inline(p.drawing()) }

// SVG is the graph with the flags that are set.
func (p *itineraryView) SVG() template.HTML { return inline(p.drawing()) }

func (p *itineraryView) drawing() (*dump.Drawing, error) {
	return dump.New(dump.Options{}, dump.Itinerary{Plan: p.plan})
}

func (p *runView) drawing() (*dump.Drawing, error) {
	return dump.New(dump.Options{Switches: p.switches}, p.drawn...)
}
