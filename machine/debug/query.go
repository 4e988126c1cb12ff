package debug

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
)

// Limits of a request.
const (
	maxQuery     = 8 << 10 // bytes of a query
	maxParameter = 1 << 10 // bytes of a value
	maxValues    = 64      // values of a repeatable parameter
)

// parameter is a parameter that a resource accepts.
type parameter struct {
	name string
	// several reports whether it may be repeated.
	several bool
}

// query holds the checked parameters of a request.
type query struct{ values url.Values }

// parseQuery reads a query strictly: a misspelt parameter must not be mistaken for an
// absent one.
func parseQuery(raw string, known []parameter) (query, error) {
	refuse := func(format string, args ...any) (query, error) {
		return query{}, &requestError{status: badRequest, Message: fmt.Sprintf(format, args...)}
	}
	if len(raw) > maxQuery {
		return refuse("the query has %d bytes; the limit is %d", len(raw), maxQuery)
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return refuse("the query cannot be read: %v", err)
	}
	var names []string
	for _, p := range known {
		names = append(names, p.name)
	}
	given := make([]string, 0, len(values))
	for name := range values {
		given = append(given, name)
	}
	slices.Sort(given)
	for _, name := range given {
		i := slices.Index(names, name)
		if i < 0 {
			hint := wording.DidYouMean(wording.Nearest(name, names))
			if hint == "" && len(names) > 0 {
				hint = "; there are " + wording.List(names, "and")
			}
			return refuse("there is no parameter %q here%s", shorten(name), hint)
		}
		all := values[name]
		most := 1
		if known[i].several {
			most = maxValues
		}
		if len(all) > most {
			return refuse("the parameter %s is given %d times; give it at most %s", name, len(all), times(most))
		}
		for _, value := range all {
			switch {
			case len(value) > maxParameter:
				return refuse("the parameter %s has %d bytes; the limit is %d", name, len(value), maxParameter)
			case !utf8.ValidString(value):
				return refuse("the parameter %s is not valid UTF-8", name)
			}
		}
	}
	return query{values}, nil
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// shorten cuts a text from a request for use in a message.
func shorten(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

func (q query) get(name string) string { return q.values.Get(name) }

func (q query) has(name string) bool { return q.get(name) != "" }

// list returns the values of a parameter. A value may also be a list separated by
// commas.
func (q query) list(name string) []string {
	var all []string
	for _, value := range q.values[name] {
		for _, one := range strings.Split(value, ",") {
			if one = strings.TrimSpace(one); one != "" {
				all = append(all, one)
			}
		}
	}
	return all
}

// oneOf returns the value of a parameter with a closed list of values. The first is the
// default.
func (q query) oneOf(name string, values ...string) (string, error) {
	value := q.get(name)
	if value == "" {
		return values[0], nil
	}
	if slices.Contains(values, value) {
		return value, nil
	}
	hint := wording.DidYouMean(wording.Nearest(value, values))
	if hint == "" {
		hint = "; it takes " + wording.List(slices.DeleteFunc(values, func(v string) bool { return v == "" }), "or")
	}
	return "", &requestError{status: badRequest, Message: fmt.Sprintf("the parameter %s does not take %q%s", name, shorten(value), hint)}
}

// link returns a relative URL: a resource, and parameters as alternating names and
// values. Parameters with an empty value are left out.
func link(resource string, parameters ...string) string {
	var b strings.Builder
	b.WriteString(resource)
	separator := byte('?')
	for i := 0; i+1 < len(parameters); i += 2 {
		if parameters[i+1] == "" {
			continue
		}
		b.WriteByte(separator)
		b.WriteString(url.QueryEscape(parameters[i]) + "=" + url.QueryEscape(parameters[i+1]))
		separator = '&'
	}
	return b.String()
}
