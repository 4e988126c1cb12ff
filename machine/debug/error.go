package debug

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

const (
	badRequest    = http.StatusBadRequest
	notFound      = http.StatusNotFound
	notAllowed    = http.StatusMethodNotAllowed
	notAcceptable = http.StatusNotAcceptable
	unavailable   = http.StatusServiceUnavailable
)

// requestError is the response to a request that cannot be served. It is itself a page.
type requestError struct {
	meta
	status  int
	Status  int    `json:"status"`
	Message string `json:"message"`
	// Nearest lists similar names with their pages.
	Nearest []nearName `json:"nearest,omitempty"`

	// bare is the message without the names, for pages that list them below it.
	bare string
}

// nearName is the name of an existing thing, and its page.
type nearName struct {
	Name string `json:"name"`
	Page string `json:"page"`
}

func (e *requestError) Error() string { return e.Message }

// asRequestError converts an error to a page: an unknown name is not found, anything else
// is a bad request.
func asRequestError(err error) *requestError {
	var e *requestError
	if errors.As(err, &e) {
		return e
	}
	e = &requestError{status: badRequest, Message: err.Error()}
	var itinerary *phases.UnknownItineraryError
	var phase *machine.UnknownPhaseError
	switch {
	case errors.As(err, &itinerary):
		e.status = notFound
		for _, name := range itinerary.Nearest {
			e.Nearest = append(e.Nearest, nearName{name, link("itinerary", "name", name)})
		}
	case errors.As(err, &phase):
		e.status = notFound
	}
	return e
}

// unknownRun returns the error for a run that is not recorded.
func unknownRun(n Name, known []Run) *requestError {
	text := n.String()
	e := &requestError{status: notFound}
	nearest := nearestRuns(n, known)
	var names []string
	for _, one := range nearest {
		names = append(names, one.String())
		e.Nearest = append(e.Nearest, nearName{one.String(), runLink("run", one)})
	}
	e.bare = fmt.Sprintf("there is no run %q", shorten(text))
	if len(nearest) == 0 {
		e.bare += "; a run appears once the controller reconciles it, and disappears with its object"
	}
	e.Message = e.bare + wording.DidYouMean(names)
	return e
}

// nearestRuns returns the runs with similar names: from the same namespace if there are
// any, else from others.
func nearestRuns(n Name, known []Run) (nearest []Name) {
	all := make(map[string]Name)
	resemble := func(text string, of func(Name) string) {
		var names []string
		for _, r := range known {
			if one := of(r.Name); one != "" {
				names = append(names, one)
				all[one] = r.Name
			}
		}
		for _, name := range wording.Nearest(text, names) {
			nearest = append(nearest, all[name])
		}
	}
	resemble(Name{Name: n.Name, Item: n.Item}.String(), func(o Name) string {
		if o.Namespace != n.Namespace {
			return ""
		}
		return Name{Name: o.Name, Item: o.Item}.String()
	})
	if nearest == nil {
		clear(all)
		resemble(n.String(), func(o Name) string {
			if o.Namespace == n.Namespace {
				return ""
			}
			return o.String()
		})
	}
	return nearest
}

func (e *requestError) page() string { return "error" }

func (e *requestError) title() string { return http.StatusText(e.status) }

func (e *requestError) text(t *text) {
	t.line(fmt.Sprintf("%d %s: %s", e.status, http.StatusText(e.status), e.Message))
	for _, n := range e.Nearest {
		t.line("  " + n.Page)
	}
}

// Sentence is the message as a sentence.
func (e *requestError) Sentence() string {
	text := cmp.Or(e.bare, e.Message)
	r, size := utf8.DecodeRuneInString(text)
	return strings.TrimSuffix(string(unicode.ToUpper(r))+text[size:], "?") + "."
}
