package command

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/konveyor/dynamic-pipeline/internal/rawjson"
	"github.com/konveyor/dynamic-pipeline/internal/wording"
)

// statePath is the value of --state-at: where objects hold the state of their runs.
// It is a path as kubectl takes it with -o jsonpath, of names, indexes and [*]:
//
//	.status.migration.state
//	.status.vms[*].run
//	metadata.annotations['example.com/state']
//	{.metadata.annotations.example\.com/state}
//
// The zero value means the usual places ([findStates]).
type statePath struct {
	text  string
	parts []pathPart
}

// pathPart is a name, an index, or all items of a list.
type pathPart struct {
	name  string
	all   bool
	index int // used if neither name nor all is set
}

// pathError reports a path that cannot be parsed.
type pathError struct {
	Path    string
	Problem string
}

func (e *pathError) Error() string {
	return fmt.Sprintf("%q is not a path such as .status.state, .status.vms[*].run or metadata.annotations['example.com/state']: %s",
		e.Path, e.Problem)
}

// parseStatePath parses a path. The error is a [*pathError].
func parseStatePath(text string) (statePath, error) {
	p := statePath{text: text}
	wrong := func(format string, args ...any) (statePath, error) {
		return statePath{}, &pathError{text, fmt.Sprintf(format, args...)}
	}
	rest := strings.TrimSpace(text)
	if inner, ok := strings.CutPrefix(rest, "{"); ok {
		if rest, ok = strings.CutSuffix(inner, "}"); !ok {
			return wrong("the brace is not closed")
		}
	}
	rest = strings.TrimPrefix(rest, "$")
	for first := true; rest != ""; first = false {
		inner, bracket := strings.CutPrefix(rest, "[")
		if bracket {
			part, after, problem := parseBracket(inner)
			if problem != "" {
				return wrong("%s", problem)
			}
			p.parts, rest = append(p.parts, part), after
			continue
		}
		after, dot := strings.CutPrefix(rest, ".")
		if !dot && !first {
			return wrong("there is no dot before %q", rest)
		}
		name, after := cutName(after)
		if name == "" {
			return wrong("a name is missing before %q", after)
		}
		p.parts, rest = append(p.parts, pathPart{name: name}), after
	}
	if p.parts == nil {
		return wrong("it is empty")
	}
	return p, nil
}

// cutName cuts a name off a path, up to a dot or a bracket that no backslash precedes.
func cutName(text string) (name, rest string) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '.', c == '[':
			return b.String(), text[i:]
		case c == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}

// parseBracket parses the text after an opening bracket.
func parseBracket(text string) (part pathPart, rest, problem string) {
	const noEnd = "a bracket is not closed"
	if text != "" && (text[0] == '\'' || text[0] == '"') {
		name, after, ok := strings.Cut(text[1:], text[:1]+"]")
		switch {
		case !ok:
			return part, "", noEnd
		case name == "":
			return part, "", "a name is empty"
		}
		return pathPart{name: name}, after, ""
	}
	inner, after, ok := strings.Cut(text, "]")
	if !ok {
		return part, "", noEnd
	}
	index, err := strconv.Atoi(inner)
	switch {
	case inner == "*":
		return pathPart{all: true}, after, ""
	case err == nil && index >= 0:
		return pathPart{index: index}, after, ""
	}
	return part, "", fmt.Sprintf("[%s] is neither an index, [*] nor a name in quotes", inner)
}

// String returns the path as it was given.
func (p *statePath) String() string { return p.text }

// Set parses the path from the value of an option.
func (p *statePath) Set(text string) (err error) {
	*p, err = parseStatePath(text)
	return err
}

// Type returns the name of the value in help.
func (p *statePath) Type() string { return "PATH" }

// find finds the states of an object at the path. If that is a list, each item holds one.
func (p *statePath) find(object []byte) []stateNode {
	status := rawjson.ParseObject(rawjson.ParseObject(object).Get("status"))
	nodes := findAt(object, p.parts, stateNode{unsure: true})
	if p.parts[0].name == "metadata" {
		for i := range nodes {
			nodes[i].annotation, nodes[i].around, nodes[i].aroundPlace = true, status, ".status"
		}
	}
	return nodes
}

// findAt follows the remaining parts of a path from a value. N holds its place and what is
// around it.
func findAt(text []byte, parts []pathPart, n stateNode) []stateNode {
	if len(parts) == 0 && isArray(text) {
		parts = []pathPart{{all: true}}
	}
	switch {
	case rawjson.IsNull(text):
		return nil
	case len(parts) == 0:
		n.text = text
		return []stateNode{n}
	case parts[0].name != "":
		n.around, n.aroundPlace = rawjson.ParseObject(text), n.place
		n.place += memberPath(parts[0].name)
		return findAt(n.around.Get(parts[0].name), parts[1:], n)
	case !isArray(text):
		return nil
	case parts[0].all:
		return itemStates(text, n.place, func(item []byte, place string) []stateNode {
			return findAt(item, parts[1:], stateNode{place: place, unsure: true})
		})
	}
	n.place += fmt.Sprintf("[%d]", parts[0].index)
	n.around, n.aroundPlace = nil, ""
	return findAt(elementAt(text, parts[0].index), parts[1:], n)
}

// elementAt returns an element of an array, or nil.
func elementAt(array []byte, index int) []byte {
	i := 0
	for element := range rawjson.Elements(array) {
		if i == index {
			return element
		}
		i++
	}
	return nil
}

// noStateError reports an object that has nothing at the path.
type noStateError struct {
	// Path is the whole path, and Missing its first part that the object does not have.
	// Nearest are similar paths that it has.
	Path, Missing string
	Nearest       []string
}

func (e *noStateError) Error() string {
	return fmt.Sprintf("--state-at %s: there is no %s%s", e.Path, e.Missing, wording.DidYouMean(e.Nearest))
}

// missing returns an error that names the first part of the path that an object does not
// have, or nil. It is for a path that no object has.
func (p *statePath) missing(object []byte) *noStateError {
	place := ""
	for _, part := range p.parts {
		var next []byte
		var known []string
		before := place
		if part.name != "" {
			o := rawjson.ParseObject(object)
			next = o.Get(part.name)
			place += memberPath(part.name)
			for _, m := range o {
				known = append(known, rawjson.Unquote(m.Key))
			}
		} else {
			place += map[bool]string{true: "[*]", false: fmt.Sprintf("[%d]", part.index)}[part.all]
			if isArray(object) {
				next = elementAt(object, part.index)
			}
		}
		if rawjson.IsNull(next) {
			e := &noStateError{Path: p.text, Missing: place}
			for _, name := range wording.Nearest(part.name, known) {
				e.Nearest = append(e.Nearest, before+memberPath(name))
			}
			return e
		}
		object = next
	}
	return nil
}

// memberPath returns the part of a path that names a member.
func memberPath(name string) string {
	for _, c := range name {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-') {
			return "['" + name + "']"
		}
	}
	return "." + name
}
