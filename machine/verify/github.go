package verify

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// githubLevels are the workflow commands that annotate a change.
var githubLevels = levels{"notice", "warning", "error"}

// WriteGitHub writes the report as workflow commands of GitHub Actions, one on each
// line, which annotate the change. Suppressed results are left out. The error is that of
// w.
func (r *Report) WriteGitHub(w io.Writer) error {
	var b bytes.Buffer
	for i := range r.Results {
		one := &r.Results[i]
		if one.Suppressed != "" {
			continue
		}
		b.WriteString("::" + githubLevels.of(one.Level) + " ")
		property := func(name, value string) { b.WriteString(name + "=" + githubProperties.Replace(harmless(value))) }
		if one.Place.File != "" {
			property("file", r.file(one.Place.File))
			for _, at := range []struct {
				name  string
				value int
			}{{",line", one.Place.Line}, {",col", one.Place.Column}} {
				if at.value > 0 {
					property(at.name, strconv.Itoa(at.value))
				}
			}
			b.WriteByte(',')
		}
		property("title", one.title())
		b.WriteString("::" + githubData.Replace(harmless(one.message())) + "\n")
	}
	_, err := w.Write(b.Bytes())
	return err
}

// title returns the rule and the names that the result is about.
func (r *Result) title() string {
	if len(r.Names) == 0 {
		return r.Rule
	}
	names := make([]string, len(r.Names))
	for i, n := range r.Names {
		names[i] = n.Name
	}
	return r.Rule + ": " + strings.Join(names, " / ")
}

// Escapes of workflow commands: in their message, and in their properties.
var (
	githubData       = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperties = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// harmless replaces control characters, which a terminal may execute, and invalid
// UTF-8.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\r' {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
