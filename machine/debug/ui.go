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

// asset is a file of all pages. Its name has the hash of its contents, so that it
// can be kept for ever.
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

// templates are those of the pages. What stands in each row of a long list is not
// a template of its own, which would take most of the time of a page. They are
// parsed when a page is asked for: a program that serves none starts without them.
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

// element shows a moment in words, and in full to who points at it.
func (w when) element(words string) template.HTML {
	if w.IsZero() {
		return ""
	}
	exact := w.Exact()
	return template.HTML(`<time datetime="` + exact + `" title="` + exact + `">` + words + "</time>")
}

// camel is a name that breaks between its words, if its line is too short for it.
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

// page is what a template is given.
type page struct {
	// Site is the heading of all pages, Title that of this.
	Site, Title string
	// Template is the name of the template.
	Template string
	// Style, Script and Icon are the names of these files.
	Style, Script, Icon string
	Now                 when
	View                view
	// Stream is the link to the events after which the page is another; empty if it
	// does not change by itself.
	Stream string
}

func (h *handler) newPage(v view) page {
	now := h.o.Now()
	p := page{Site: h.o.Title, Title: v.title(), Template: v.page(), Style: sheet.name, Script: script.name, Icon: icon.name, Now: when{now, now}, View: v}
	switch v := v.(type) {
	case *runList:
		p.Stream = "events"
	case *runView:
		p.Stream = v.EventStream()
	}
	return p
}

// Is reports whether the view is the page of that name.
func (p page) Is(name string) bool { return p.Template == name }

// inline returns a drawing for a page that has its style.
func inline(d *dump.Drawing, err error) template.HTML {
	if err != nil {
		return template.HTML("<p>" + template.HTMLEscapeString(err.Error()) + "</p>")
	}
	return template.HTML(d.InlineSVG()) // its texts are escaped
}

// SVG is the graph with the current phase.
func (p *runView) SVG() template.HTML { return inline(p.drawing()) }

// SVG is the graph by the flags that are set.
func (p *itineraryView) SVG() template.HTML { return inline(p.drawing()) }

func (p *itineraryView) drawing() (*dump.Drawing, error) {
	return dump.New(dump.Options{}, dump.Itinerary{Plan: p.plan})
}

func (p *runView) drawing() (*dump.Drawing, error) {
	return dump.New(dump.Options{Switches: p.switches}, p.drawn...)
}
