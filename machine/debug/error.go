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

// requestError is a request that is not answered: it is itself a page.
type requestError struct {
	meta
	status  int
	Status  int    `json:"status"`
	Message string `json:"message"`
	// Nearest are names that resemble what was asked for, and the pages of them.
	Nearest []nearName `json:"nearest,omitempty"`

	// bare is the message without the names, where they are listed below it.
	bare string
}

// nearName is the name of something that exists, and its page.
type nearName struct {
	Name string `json:"name"`
	Page string `json:"page"`
}

func (e *requestError) Error() string { return e.Message }

// asRequestError returns an error of anything below as a page: names that do
// not exist are not found, and all else is a bad request.
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

// unknownRun is a run that is not recorded.
func unknownRun(n Name, known []Run) *requestError {
	text := n.String()
	e := &requestError{status: notFound}
	all := make(map[string]Name, len(known))
	names := make([]string, 0, len(known))
	for _, r := range known {
		one := r.Name.String()
		all[one] = r.Name
		names = append(names, one)
	}
	nearest := wording.Nearest(text, names)
	for _, name := range nearest {
		e.Nearest = append(e.Nearest, nearName{name, runLink("run", all[name])})
	}
	hint := wording.DidYouMean(nearest)
	if hint == "" {
		hint = "; a run shows up once the controller reconciles it, and vanishes with its object"
	}
	e.bare = fmt.Sprintf("there is no run %q", shorten(text))
	e.Message = e.bare + hint
	if len(nearest) == 0 {
		e.bare = e.Message
	}
	return e
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
