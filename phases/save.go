package phases

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/konveyor/dynamic-pipeline/internal/yamltext"
)

// SaveError describes why a file cannot be written, if [Itinerary.Validate] does not
// report the reason.
type SaveError struct {
	// Itinerary is the name of the itinerary that the error is about, or empty.
	Itinerary string
	Problem   string
}

func (e *SaveError) Error() string {
	if e.Itinerary == "" {
		return "cannot save: " + e.Problem
	}
	return fmt.Sprintf("cannot save itinerary %q: %s", e.Itinerary, e.Problem)
}

// Save writes a file that [Load] reads back as the same data. The same input gives the
// same bytes. A phase is written on one line if it fits and has no description. Save
// checks everything before its only write. The error is a [DefinitionErrors], a
// [*DefinitionError] for a duplicate itinerary, a [*LimitError], a [*SaveError], or the
// error of w.
func Save(w io.Writer, f *File) error {
	if err := f.check(); err != nil {
		return err
	}
	var b bytes.Buffer
	f.write(&b)
	if b.Len() > MaxFileSize {
		return &LimitError{What: "bytes", Limit: MaxFileSize}
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (f *File) check() error {
	if f == nil || f.Vocabulary == nil {
		return &SaveError{Problem: "the file has no vocabulary; set Vocabulary, to an empty one if no guard reads a flag"}
	}
	if len(f.Itineraries) == 0 {
		return &SaveError{Problem: "the file has no itineraries; give it at least one"}
	}
	seen := make(map[string]bool)
	phases := 0
	for _, it := range f.Itineraries {
		if it.Vocabulary != f.Vocabulary {
			return &SaveError{Itinerary: it.Name, Problem: "it has another vocabulary than the file; use that of the file"}
		}
		if err := it.Validate(); err != nil {
			return err
		}
		if seen[it.Name] {
			return duplicateItinerary(it.Name)
		}
		seen[it.Name] = true
		phases += len(it.Phases)
	}
	switch {
	case phases > MaxFilePhases:
		return &LimitError{What: "phases", Limit: MaxFilePhases}
	case len(f.Suppressions) > MaxSuppressions:
		return &LimitError{What: "suppressions", Limit: MaxSuppressions}
	}
	for i, s := range f.Suppressions {
		if problem := s.problem(); problem != "" {
			return &SaveError{Problem: fmt.Sprintf("suppression %d %s", i+1, problem)}
		}
	}
	return nil
}

func (f *File) write(b *bytes.Buffer) {
	if f.Vocabulary.Len() > 0 {
		fmt.Fprintln(b, "flags:")
	}
	for _, d := range f.Vocabulary.defs {
		fmt.Fprintf(b, "- name: %s\n", scalar(d.Name))
		if d.Description != "" {
			fmt.Fprintf(b, "  description: %s\n", scalar(d.Description))
		}
		if d.Live {
			fmt.Fprintln(b, "  live: true")
		}
	}
	if len(f.Vocabulary.relations) > 0 {
		fmt.Fprintln(b, "relations:")
	}
	for _, c := range f.Vocabulary.relations {
		fmt.Fprintf(b, "- %s\n", sequence(f.Vocabulary.Literals(c)))
	}
	fmt.Fprintln(b, "itineraries:")
	for _, it := range f.Itineraries {
		fmt.Fprintf(b, "- name: %s\n", scalar(it.Name))
		if it.Cleanup {
			fmt.Fprintln(b, "  cleanup: true")
		}
		if r := it.Result.OrDefault(); r != Succeeded {
			fmt.Fprintf(b, "  result: %s\n", r)
		}
		fmt.Fprintln(b, "  phases:")
		for _, p := range it.Phases {
			p.write(b, f.Vocabulary)
		}
	}
	if len(f.Suppressions) > 0 {
		fmt.Fprintln(b, "suppress:")
	}
	for _, s := range f.Suppressions {
		fmt.Fprintf(b, "- %s\n", flow(s.pairs()))
	}
}

// maxFlowWidth is the maximum width of a phase on one line.
const maxFlowWidth = 120

// pair is a key and its value, ready to be written.
type pair struct{ key, value string }

func (p Phase) write(b *bytes.Buffer, v *Vocabulary) {
	pairs := []pair{{"name", scalar(p.Name)}}
	if p.Step != "" {
		pairs = append(pairs, pair{"step", scalar(p.Step)})
	}
	var steps []string
	for _, s := range p.Steps {
		steps = append(steps, flow(append([]pair{{"step", scalar(s.Step)}}, s.Guard.pairs(v)...)))
	}
	if len(steps) > 0 {
		pairs = append(pairs, pair{"steps", "[" + strings.Join(steps, ", ") + "]"})
	}
	if p.Description != "" {
		pairs = append(pairs, pair{"description", scalar(p.Description)})
	}
	pairs = append(pairs, p.Guard.pairs(v)...)
	if p.End {
		pairs = append(pairs, pair{"end", "true"})
	}
	if p.Rides {
		pairs = append(pairs, pair{"rides", "true"})
	}
	if p.Decides != 0 {
		pairs = append(pairs, pair{"decides", sequence(v.Names(p.Decides))})
	}
	var jumps []string
	for _, j := range p.Jumps {
		one := append([]pair{{"to", scalar(j.To)}}, j.Guard.pairs(v)...)
		if j.Choice {
			one = append(one, pair{"choice", "true"})
		}
		jumps = append(jumps, flow(one))
	}
	if len(jumps) > 0 {
		pairs = append(pairs, pair{"jumps", "[" + strings.Join(jumps, ", ") + "]"})
	}
	if len(p.Formerly) > 0 {
		pairs = append(pairs, pair{"formerly", sequence(p.Formerly)})
	}

	line := "  - " + flow(pairs)
	if p.Description == "" && utf8.RuneCountInString(line) <= maxFlowWidth {
		fmt.Fprintln(b, line)
		return
	}
	mark := "- "
	for _, one := range pairs {
		fmt.Fprintf(b, "  %s%s:", mark, one.key)
		mark = "  "
		list := map[string][]string{"steps": steps, "jumps": jumps}[one.key]
		if list == nil {
			fmt.Fprintf(b, " %s\n", one.value)
			continue
		}
		fmt.Fprintln(b)
		for _, item := range list {
			fmt.Fprintf(b, "    - %s\n", item)
		}
	}
}

// pairs returns the parts of a guard that are not empty.
func (g Guard) pairs(v *Vocabulary) (pairs []pair) {
	for _, part := range []struct {
		key   string
		flags Flags
	}{{PartAll, g.All}, {PartAny, g.Any}, {PartNone, g.None}} {
		if part.flags != 0 {
			pairs = append(pairs, pair{part.key, sequence(v.Names(part.flags))})
		}
	}
	return pairs
}

// flow formats a mapping on one line.
func flow(pairs []pair) string {
	parts := make([]string, len(pairs))
	for i, p := range pairs {
		parts[i] = p.key + ": " + p.value
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// sequence formats a list of strings on one line.
func sequence(values []string) string {
	parts := make([]string, len(values))
	for i, value := range values {
		parts[i] = scalar(value)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// scalar formats a string, without quotes only if every reader of YAML takes it for a
// string. YAML has all escapes that Go uses in quotes, with the same meaning.
func scalar(s string) string {
	if yamltext.Ambiguous(s) {
		return strconv.Quote(s)
	}
	for i, r := range s {
		letter := unicode.IsLetter(r) || r == '_'
		inner := unicode.IsDigit(r) || strings.ContainsRune("-./'()", r) || r == ' ' && i < len(s)-1
		if !letter && (i == 0 || !inner) {
			return strconv.Quote(s)
		}
	}
	if s == "" {
		return `""`
	}
	return s
}
