package phases

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/konveyor/dynamic-pipeline/internal/yamltext"
)

// parse returns the root of the only document, or nil if there is none.
func (l *loader) parse(text []byte) *yaml.Node {
	if at, problem := unreadable(text); problem != "" {
		line, column := yamltext.Position(text, at)
		l.add(line, column, nil, "%s", problem)
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var doc, second yaml.Node
	err := decoder.Decode(&doc)
	switch {
	case err == io.EOF, err == nil && doc.Content[0].ShortTag() == "!!null":
		l.add(1, 1, nil, "is empty; list at least one itinerary under itineraries")
		return nil
	case err == nil:
		err = decoder.Decode(&second)
	}
	switch {
	case err == io.EOF:
		return doc.Content[0]
	case err == nil:
		l.at(&second, "a second document begins here; a file holds only one, so move it to a separate file")
	default:
		l.broken(text, err)
	}
	return nil
}

// unreadable returns the index of the first byte that YAML does not allow anywhere in a
// text, and the problem. The problem is empty if there is no such byte.
func unreadable(text []byte) (at int, problem string) {
	invalid := yamltext.Invalid(text)
	valid := text
	if invalid >= 0 {
		valid = text[:invalid]
	}
	for at, r := range string(valid) {
		if !yamltext.Allowed(r) && !(r == '\ufeff' && at == 0) {
			return at, fmt.Sprintf("character %U is not allowed in YAML; remove it, or write it as an escape in double quotes", r)
		}
	}
	if invalid >= 0 {
		return invalid, fmt.Sprintf("byte %#x is not valid UTF-8; save the file as UTF-8", text[invalid])
	}
	return 0, ""
}

var (
	unknownAlias = regexp.MustCompile(`^unknown anchor '(.*)' referenced`)
	bareNegation = regexp.MustCompile(`(^|[\[,\s-])!\w`)
)

// broken records an error of the YAML parser with its position and a likely remedy.
func (l *loader) broken(text []byte, err error) {
	line, problem := yamltext.Locate(err)
	if m := unknownAlias.FindStringSubmatch(problem); m != nil {
		line, _ = yamltext.Position(text, max(0, bytes.Index(text, []byte("*"+m[1]))))
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	line = min(max(line, 1), len(lines))
	todo := "fix it at this line or before it"
	switch at := lines[line-1]; {
	case strings.HasPrefix(strings.TrimLeft(at, " "), "\t"):
		todo = "indent with spaces instead of tabs"
	case bareNegation.MatchString(at):
		todo = `put names that begin with "!" in quotes`
	}
	l.add(line, 0, err, "is not YAML: %s; %s", problem, todo)
}
