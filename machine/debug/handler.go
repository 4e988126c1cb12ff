package debug

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/dump"
)

// HandlerOptions are the options of [NewHandler]. The zero value is valid.
type HandlerOptions struct {
	// Title is the heading of all pages, such as the name of the controller, in at most 100
	// bytes. If empty, it is "Pipelines".
	Title string
	// MaxStreams is the maximum number of open event streams. A page that gets no stream
	// polls instead. Zero means 50; a negative number means none.
	MaxStreams int
	// Now is the clock. If nil, it is [time.Now].
	Now func() time.Time
}

// HandlerOptionsError describes invalid options of [NewHandler].
type HandlerOptionsError struct {
	// Problem describes what is wrong and how to fix it.
	Problem string
}

func (e *HandlerOptionsError) Error() string { return "debug handler: " + e.Problem }

const (
	defaultTitle      = "Pipelines"
	defaultMaxStreams = 50
	maxTitle          = 100
	// pageTimeout bounds the writing of a page if the server has no bound.
	pageTimeout = time.Minute
)

// NewHandler returns a handler with pages of the runs that a recorder holds. The error is
// a [*HandlerOptionsError] if r is nil or the options are invalid.
//
// The handler can be mounted under any path that ends in a slash, with or without
// [http.StripPrefix]: it looks only at the last element of a path, and all its links are
// relative. It accepts only GET and HEAD, and is safe for concurrent use.
//
// Event streams end when their client disconnects or their server shuts down
// ([http.Server.Shutdown]).
func NewHandler(r *Recorder, o HandlerOptions) (http.Handler, error) {
	switch {
	case r == nil:
		return nil, &HandlerOptionsError{Problem: "the recorder is nil; make one with NewRecorder"}
	case len(o.Title) > maxTitle:
		return nil, &HandlerOptionsError{Problem: fmt.Sprintf("the title has %d bytes; the limit is %d", len(o.Title), maxTitle)}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Title = cmp.Or(o.Title, defaultTitle)
	o.MaxStreams = cmp.Or(o.MaxStreams, defaultMaxStreams)
	h := &handler{
		recorder: r, o: o, heartbeat: heartbeat, lifetime: lifetime, writeTimeout: writeTimeout,
		servers: make(map[*http.Server]chan struct{}),
	}
	h.resources = map[string]resource{
		"":            {parameters: listParameters, view: h.list},
		"run":         {parameters: runParameters, view: h.run},
		"itineraries": {view: h.itineraries},
		"itinerary":   {parameters: itineraryParameters, view: h.itinerary},
		"graph":       {parameters: graphParameters, serve: h.graph},
		"history":     {parameters: historyParameters, serve: h.history},
		"events":      {parameters: historyParameters, serve: h.events},
		sheet.name:    {serve: sheet.serve},
		script.name:   {serve: script.serve},
		icon.name:     {serve: icon.serve},
	}
	return h, nil
}

type handler struct {
	recorder  *Recorder
	o         HandlerOptions
	resources map[string]resource

	heartbeat, lifetime, writeTimeout time.Duration

	mu      sync.Mutex
	streams int
	servers map[*http.Server]chan struct{} // closed when the server shuts down
}

// resource is what the last element of a path names: a page with all forms, or something
// with a single form.
type resource struct {
	parameters []parameter
	view       func(q query) (view, error)
	serve      func(w http.ResponseWriter, r *http.Request, q query) error
}

// policy is the Content-Security-Policy of all responses.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Cache-Control", "no-store")
	f := negotiate(r.Header.Values("Accept"))
	fail := func(err error) {
		e := asRequestError(err)
		if f == noForm {
			f = formText
		}
		header.Set("Vary", "Accept")
		h.write(w, r, f, e.status, e)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		fail(&requestError{status: notAllowed, Message: "method " + shorten(r.Method) + " is not allowed; use GET or HEAD"})
		return
	}
	name := resourceOf(r.URL)
	res, ok := h.resources[name]
	if !ok {
		fail(h.unknownPage(name))
		return
	}
	q, err := parseQuery(r.URL.RawQuery, res.parameters)
	if err != nil {
		fail(err)
		return
	}
	if res.view == nil {
		if err := res.serve(w, r, q); err != nil {
			fail(err)
		}
		return
	}
	if f == noForm {
		forms := strings.Join(mediaTypes[:], ", ")
		fail(&requestError{status: notAcceptable, Message: "this page is available as " + forms + "; accept one of these"})
		return
	}
	v, err := res.view(q)
	if err != nil {
		fail(err)
		return
	}
	header.Set("Vary", "Accept")
	h.write(w, r, f, http.StatusOK, v)
}

// kinds are the kinds of the pages as JSON.
var kinds = map[string]string{
	"list": "RunList", "run": "Run", "itineraries": "ItineraryList", "itinerary": "Itinerary",
	"history": "RunHistory", "error": "Error",
}

// write writes a page in one of its forms.
func (h *handler) write(w http.ResponseWriter, r *http.Request, f form, status int, v view) {
	v.typed(kinds[v.page()], h.o.Now())
	if e, ok := v.(*requestError); ok {
		e.Status = status
	}
	var body []byte
	switch f {
	case formJSON:
		var err error
		if body, err = asJSON(v); err != nil {
			http.Error(w, "the page cannot be written as JSON", http.StatusInternalServerError)
			return
		}
	case formText:
		t := &text{}
		v.text(t)
		body = []byte(t.b.String())
	default:
		var b bytes.Buffer
		if err := templates().ExecuteTemplate(&b, v.page(), h.newPage(v)); err != nil {
			http.Error(w, "the page cannot be written as HTML", http.StatusInternalServerError)
			return
		}
		body = visible(b.Bytes())
	}
	respond(w, r, status, mediaTypes[f]+"; charset=utf-8", body)
}

// respond writes a response whose body is known.
func respond(w http.ResponseWriter, r *http.Request, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	if server, ok := r.Context().Value(http.ServerContextKey).(*http.Server); ok && server.WriteTimeout == 0 {
		// A client that does not read must not block the handler forever. Some writers do
		// not support deadlines.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(pageTimeout))
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client may have disconnected
	}
}

func (h *handler) unknownPage(name string) error {
	e := &requestError{status: notFound, Message: fmt.Sprintf("there is no page %q here", shorten(name))}
	e.Nearest = []nearName{{"all runs", "./"}, {"all itineraries", "itineraries"}}
	return e
}

func (h *handler) list(q query) (view, error) {
	l, err := parseListQuery(q)
	if err != nil {
		return nil, err
	}
	return newRunList(h.recorder, l, h.o.Now()), nil
}

// lookup returns the run that a query names.
func (h *handler) lookup(q query) (Run, error) {
	if !q.has("name") {
		return Run{}, &requestError{status: badRequest, Message: "the parameter name is missing; give the name of a run as NAMESPACE/NAME"}
	}
	n := parseName(q.get("name"), q.get("item"))
	run, ok := h.recorder.Lookup(n)
	if !ok {
		known, _ := h.recorder.Runs()
		return Run{}, unknownRun(n, known)
	}
	return run, nil
}

func (h *handler) run(q query) (view, error) {
	run, err := h.lookup(q)
	if err != nil {
		return nil, err
	}
	i, err := momentOf(q, run)
	if err != nil {
		return nil, err
	}
	return newRunView(h.recorder, run, i, h.o.Now()), nil
}

func (h *handler) set() *machine.Set { return h.recorder.o.Itineraries }

func (h *handler) itineraries(query) (view, error) { return newItineraryList(h.set()), nil }

func (h *handler) itinerary(q query) (view, error) {
	if !q.has("name") {
		return nil, &requestError{status: badRequest, Message: "the parameter name is missing; give the name of an itinerary"}
	}
	g, err := h.set().Graph(q.get("name"))
	if err != nil {
		return nil, err
	}
	return newItineraryView(g, q)
}

// graphParameters are the parameters of the run and itinerary pages whose graph is
// requested.
var graphParameters = slices.Concat(
	[]parameter{{name: "itinerary"}, {name: "format"}}, runParameters,
	slices.DeleteFunc(slices.Clone(itineraryParameters), func(p parameter) bool { return p.name == "name" || p.name == "turn" }),
)

// graph serves a graph as a file.
func (h *handler) graph(w http.ResponseWriter, r *http.Request, q query) error {
	format, err := q.oneOf("format", "svg", "dot", "mermaid", "json", "text")
	if err != nil {
		return err
	}
	var d *dump.Drawing
	name := ""
	switch {
	case q.has("itinerary") == q.has("name"):
		return &requestError{status: badRequest,
			Message: "give the name of a run as the parameter name, or that of an itinerary as the parameter itinerary"}
	case q.has("itinerary") && (q.has("item") || q.has("moment")):
		return &requestError{status: badRequest,
			Message: "the parameters item and moment apply to a run; give its name as the parameter name, and no itinerary"}
	case q.has("name") && (q.has("set") || q.has("unset") || q.has("unknown")):
		return &requestError{status: badRequest, Message: "the parameters set, unset and unknown apply to an itinerary; " +
			"give its name as the parameter itinerary, and no run"}
	case q.has("itinerary"):
		g, err := h.set().Graph(q.get("itinerary"))
		if err != nil {
			return err
		}
		p, err := newItineraryView(g, q)
		if err != nil {
			return err
		}
		name = g.Name()
		d, err = p.drawing()
		if err != nil {
			return err
		}
	default:
		run, err := h.lookup(q)
		if err != nil {
			return err
		}
		i, err := momentOf(q, run)
		if err != nil {
			return err
		}
		p := newRunView(h.recorder, run, i, h.o.Now())
		if p.plan == nil {
			return &requestError{status: notFound, Message: p.Unplanned}
		}
		name = run.Name.String()
		d, err = p.drawing()
		if err != nil {
			return err
		}
	}
	switch format {
	case "dot":
		download(w, r, name+".dot", "text/vnd.graphviz", []byte(d.DOT()))
	case "mermaid":
		download(w, r, name+".mmd", "text/plain", []byte(d.Mermaid()))
	case "json":
		download(w, r, name+".json", "application/json", d.JSON())
	case "text":
		download(w, r, name+".txt", "text/plain", []byte(d.Text()))
	default:
		download(w, r, name+".svg", "image/svg+xml", d.SVG())
	}
	return nil
}

// download serves a file. Its name keeps only safe characters.
func download(w http.ResponseWriter, r *http.Request, name, contentType string, body []byte) {
	name = strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.', c == '_':
			return c
		}
		return '-'
	}, strings.ToValidUTF8(name, "-"))
	const most = 120
	if len(name) > most {
		name = name[len(name)-most:]
	}
	w.Header().Set("Content-Disposition", `attachment; filename="`+strings.TrimLeft(name, "-.")+`"`)
	respond(w, r, http.StatusOK, contentType+"; charset=utf-8", body)
}

var historyParameters = []parameter{{name: "name"}, {name: "item"}}

// history serves everything that is recorded of a run, as a file.
func (h *handler) history(w http.ResponseWriter, r *http.Request, q query) error {
	run, err := h.lookup(q)
	if err != nil {
		return err
	}
	p := newHistory(h.recorder, run, h.o.Now())
	p.typed(kinds["history"], h.o.Now())
	body, err := asJSON(p)
	if err != nil {
		return err
	}
	download(w, r, run.Name.String()+"-history.json", "application/json", body)
	return nil
}
