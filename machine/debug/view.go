package debug

import (
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
)

// APIVersion is the apiVersion of the pages as JSON.
const APIVersion = "debug.pipeline.konveyor.io/v1alpha1"

// view is the content of a page. It marshals to the page's JSON.
type view interface {
	// page returns the name of its template, title its heading.
	page() string
	title() string
	// text writes it for a terminal.
	text(t *text)
	// typed sets the fields that its JSON begins with.
	typed(kind string, now time.Time)
}

// meta holds the fields that the JSON of each page begins with.
type meta struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Now is the time that the page describes.
	Now when `json:"now"`
}

func (m *meta) typed(kind string, now time.Time) {
	m.APIVersion, m.Kind, m.Now = APIVersion, kind, when{at: now}
}

// when is a moment. JSON has the time; readers see how far away it is.
type when struct {
	at  time.Time
	now time.Time
}

// IsZero reports whether there is no such moment.
func (w when) IsZero() bool { return w.at.IsZero() }

// MarshalJSON writes whole seconds, as Kubernetes does.
func (w when) MarshalJSON() ([]byte, error) {
	if w.IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(w.Exact())
}

// Exact is the full time.
func (w when) Exact() string { return w.at.UTC().Format(time.RFC3339) }

// Clock is the time in UTC as lists show it: without the date if it is today.
func (w when) Clock() string {
	at, now := w.at.UTC(), w.now.UTC()
	if at.YearDay() == now.YearDay() && at.Year() == now.Year() {
		return at.Format("15:04:05Z")
	}
	return at.Format("2006-01-02 15:04:05Z")
}

// Ago describes how long ago the moment was; "0 s" if it is in the future.
func (w when) Ago() string {
	if w.IsZero() {
		return ""
	}
	return wording.Duration(max(w.now.Sub(w.at), 0))
}

// Away describes the moment relative to now: "in 3 min", "3 min ago".
func (w when) Away() string {
	switch d := w.at.Sub(w.now); {
	case w.IsZero():
		return ""
	case d > 0:
		return "in " + wording.Duration(d)
	case d > -time.Second:
		return "now"
	default:
		return wording.Duration(-d) + " ago"
	}
}

// Due is Away for an upcoming event: "in 3 min", "due 3 min ago".
func (w when) Due() string {
	if !w.IsZero() && w.now.Sub(w.at) >= time.Second {
		return "due " + w.Away()
	}
	return w.Away()
}

// length is a duration, in seconds in JSON.
type length time.Duration

// MarshalJSON writes seconds.
func (l length) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Duration(l).Seconds())
}

func (l length) String() string { return wording.Duration(time.Duration(l)) }

// Exact is the duration in Go's notation.
func (l length) Exact() string { return time.Duration(l).String() }

// object returns the name of the object as the parameter "name" holds it: the namespace,
// a slash and the name, or the name alone. The namespace is escaped as in a path. The
// slash is also written if the name contains one.
func (n Name) object() string {
	if n.Namespace == "" && !strings.Contains(n.Name, "/") {
		return n.Name
	}
	return url.PathEscape(n.Namespace) + "/" + n.Name
}

// parseName is the inverse of Name.object.
func parseName(object, item string) Name {
	namespace, name, ok := strings.Cut(object, "/")
	if !ok {
		namespace, name = "", object
	}
	if plain, err := url.PathUnescape(namespace); err == nil {
		namespace = plain
	}
	return Name{Namespace: namespace, Name: name, Item: item}
}

// runLink returns a link to a resource of a run.
func runLink(resource string, n Name, parameters ...string) string {
	return link(resource, append([]string{"name", n.object(), "item", n.Item}, parameters...)...)
}

// resourceOf returns the last element of a request's path, which names a resource. So the
// handler can be mounted under any path.
func resourceOf(u *url.URL) string { return u.Path[strings.LastIndexByte(u.Path, '/')+1:] }
