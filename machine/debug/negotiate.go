package debug

import (
	"mime"
	"strconv"
	"strings"
)

// form is one of the forms of a page.
type form int

const (
	formHTML form = iota
	formJSON
	formText
	noForm
)

// mediaTypes are the media types of the forms, in order of preference.
var mediaTypes = [...]string{formHTML: "text/html", formJSON: "application/json", formText: "text/plain"}

// maxRanges limits the media ranges that are read from an Accept header.
const maxRanges = 32

// negotiate returns the form that the Accept headers of a request prefer (RFC 9110,
// section 12.5.1), or noForm if they accept none. Between equally acceptable forms, the
// first wins; without a header it is HTML.
func negotiate(accept []string) form {
	type match struct {
		q        float64
		specific int // 0: not matched, 1: */*, 2: type/*, 3: type/subtype
	}
	var matches [len(mediaTypes)]match
	var ranges []string
	for _, header := range accept {
		ranges = append(ranges, strings.Split(header, ",")...)
	}
	read := 0
	for _, text := range ranges {
		if strings.TrimSpace(text) == "" {
			continue
		}
		if read++; read > maxRanges {
			break
		}
		media, parameters, err := mime.ParseMediaType(text)
		if err != nil {
			continue
		}
		q := 1.0
		if text, ok := parameters["q"]; ok {
			if q, err = strconv.ParseFloat(text, 64); err != nil || !(q >= 0 && q <= 1) {
				continue
			}
		}
		for i, offered := range mediaTypes {
			specific := 0
			kind, _, _ := strings.Cut(offered, "/")
			switch media {
			case offered:
				specific = 3
			case kind + "/*":
				specific = 2
			case "*/*":
				specific = 1
			}
			m := &matches[i]
			switch {
			case specific == 0 || specific < m.specific:
			case specific > m.specific:
				*m = match{q, specific}
			default:
				m.q = max(m.q, q)
			}
		}
	}
	if read == 0 {
		return formHTML
	}
	best, q := noForm, 0.0
	for i, m := range matches {
		if m.q > q {
			best, q = form(i), m.q
		}
	}
	return best
}
