package verify

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/konveyor/dynamic-pipeline/internal/yamltext"
)

// The limits of a file of acceptances.
const (
	MaxAcceptFileSize = 1 << 20
	MaxAcceptances    = 1_000
)

// maxAcceptErrors is the maximum number of problems of a file that are listed.
const maxAcceptErrors = 20

// acceptKeys are the keys of an entry. All are mandatory.
var acceptKeys = []string{"fingerprint", "reason", "expires"}

// Acceptance accepts a break that is intended, until a day.
type Acceptance struct {
	// Fingerprint is that of the accepted break ([Break.Fingerprint]).
	Fingerprint string
	// Reason is why the break is acceptable. It must not be empty.
	Reason string
	// Expires is the last day on which the acceptance holds, in UTC.
	Expires time.Time
	// File, Line and Column are its place; empty and zero if it is written in Go.
	File         string
	Line, Column int
}

// dayLayout is the format of a day in a file.
const dayLayout = "2006-01-02"

// expired reports whether the day of the acceptance is over.
func (a Acceptance) expired(now time.Time) bool {
	return !now.UTC().Truncate(24 * time.Hour).Before(a.Expires.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1))
}

// LoadAcceptances reads a file of acceptances, strictly:
//
//	accept:
//	- fingerprint: phase-gone/upgrade/Final/phase=EnsureQuiesced
//	  reason: no migration is in flight when this release is rolled out
//	  expires: 2027-03-31
//
// All three keys are mandatory, and fingerprints are unique. The name stands for the
// file in messages. An empty file has no acceptances. A file of more than
// [MaxAcceptFileSize] bytes or [MaxAcceptances] entries is refused. The error joins an
// [*AcceptError] for each of the first 20 problems, and one that counts the others.
func LoadAcceptances(r io.Reader, name string) ([]Acceptance, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxAcceptFileSize+1))
	if err != nil {
		return nil, &AcceptError{File: name, Problem: fmt.Sprintf("cannot be read: %v", err), Err: err}
	}
	if len(text) > MaxAcceptFileSize {
		return nil, &AcceptError{File: name, Problem: fmt.Sprintf("holds more than %d bytes; split it", MaxAcceptFileSize)}
	}
	var doc yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		line, problem := yamltext.Locate(err)
		return nil, &AcceptError{File: name, Line: line, Problem: problem, Err: err}
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, &AcceptError{File: name, Problem: "holds more than one document; keep one"}
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode || len(root.Content) != 2 || root.Content[0].Value != "accept" ||
		root.Content[1].Kind != yaml.SequenceNode {
		return nil, &AcceptError{File: name, Line: root.Line,
			Problem: "the file must be a mapping with the single key accept, which holds a list"}
	}
	entries := root.Content[1].Content
	if len(entries) > MaxAcceptances {
		return nil, &AcceptError{File: name, Line: entries[MaxAcceptances].Line,
			Problem: fmt.Sprintf("is one acceptance too many: a file holds at most %d", MaxAcceptances)}
	}
	l := acceptLoader{file: name}
	var all []Acceptance
	for _, n := range entries {
		a := l.acceptance(n)
		a.File, a.Line, a.Column = name, n.Line, n.Column
		if a.Fingerprint != "" && slices.ContainsFunc(all, func(b Acceptance) bool { return b.Fingerprint == a.Fingerprint }) {
			l.add(n, "duplicate fingerprint %s; remove one", a.Fingerprint)
		}
		all = append(all, a)
	}
	if more := l.found - len(l.errs); more > 0 {
		l.errs = append(l.errs, &AcceptError{File: name,
			Problem: fmt.Sprintf("%d more problems are not listed; fix those above first", more)})
	}
	if l.errs != nil {
		return nil, errors.Join(l.errs...)
	}
	return all, nil
}

// acceptLoader collects the problems of a file of acceptances.
type acceptLoader struct {
	file  string
	errs  []error
	found int
}

func (l *acceptLoader) add(n *yaml.Node, format string, args ...any) {
	if l.found++; l.found <= maxAcceptErrors {
		l.errs = append(l.errs, &AcceptError{File: l.file, Line: n.Line, Problem: fmt.Sprintf(format, args...)})
	}
}

// acceptance reads an entry and records its problems.
func (l *acceptLoader) acceptance(n *yaml.Node) (a Acceptance) {
	if n.Kind != yaml.MappingNode {
		l.add(n, "an entry must be a mapping with the keys fingerprint, reason and expires")
		return a
	}
	values := make(map[string]*yaml.Node)
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case !slices.Contains(acceptKeys, key.Value):
			l.add(key, "an entry has no key %q; the keys are fingerprint, reason and expires", key.Value)
		case values[key.Value] != nil:
			l.add(key, "duplicate key %q; remove one", key.Value)
		default:
			values[key.Value] = value
		}
	}
	text := func(key string) string {
		switch value := values[key]; {
		case value == nil || value.Kind == yaml.ScalarNode && (value.ShortTag() == "!!null" || strings.TrimSpace(value.Value) == ""):
			l.add(n, "an entry has no %s; give it one", key)
		case value.Kind != yaml.ScalarNode:
			l.add(value, "%s must be a string", key)
		default:
			return value.Value
		}
		return ""
	}
	a.Fingerprint, a.Reason = text("fingerprint"), text("reason")
	if day := text("expires"); day != "" {
		var err error
		if a.Expires, err = time.Parse(dayLayout, day); err != nil {
			l.add(values["expires"], "expires must be a day such as 2027-03-31, not %q", day)
		}
	}
	return a
}

// AcceptError is a problem in a file of acceptances.
type AcceptError struct {
	File    string
	Line    int // 0 if the position is not known
	Problem string
	Err     error // the cause, or nil
}

func (e *AcceptError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Problem)
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Problem)
}

// Unwrap returns the cause, or nil.
func (e *AcceptError) Unwrap() error { return e.Err }

// about returns the direction and the itinerary that the fingerprint names. Both are
// empty if it is not the fingerprint of a break.
func (a Acceptance) about() (Direction, string) {
	parts := strings.Split(a.Fingerprint, "/") // rule, direction, itinerary, and names
	if len(parts) < 3 || !slices.Contains([]string{string(Upgrade), string(Rollback)}, parts[1]) {
		return "", ""
	}
	itinerary, err := url.PathUnescape(parts[2])
	if err != nil {
		return "", ""
	}
	return Direction(parts[1]), itinerary
}

// accept marks the breaks that acceptances cover, and adds a break for each acceptance
// that matches none, has expired or has no reason. An inconclusive result cannot be
// covered. If there is one, an acceptance without a match is left alone: its break may
// not have been found.
func (r *CompatReport) accept(acceptances []Acceptance, now time.Time) {
	var added []Break
	inconclusive := slices.ContainsFunc(r.Breaks, func(b Break) bool { return b.Rule == RuleInconclusive })
	for _, a := range acceptances {
		i := slices.IndexFunc(r.Breaks, func(b Break) bool { return b.Fingerprint() == a.Fingerprint })
		of := Break{Rule: RuleAcceptanceUnused, Kind: DefinitionKind, Acceptance: a.Fingerprint}
		of.Direction, of.Itinerary = a.about()
		if a.File != "" {
			of.Place = &Place{File: a.File, Line: a.Line, Column: a.Column}
		}
		if i >= 0 {
			b := r.Breaks[i]
			of.Direction, of.Itinerary, of.Phase, of.Step, of.Flag, of.Choice = b.Direction, b.Itinerary, b.Phase, b.Step, b.Flag, b.Choice
		}
		switch {
		case i < 0 && inconclusive:
			continue
		case i < 0:
			of.Text = fmt.Sprintf("the acceptance of %s matches no break; remove it", a.Fingerprint)
		case r.Breaks[i].Rule == RuleInconclusive:
			of.Text = fmt.Sprintf("the acceptance of %s has no effect, because an inconclusive result cannot be accepted; remove it",
				a.Fingerprint)
		case strings.TrimSpace(a.Reason) == "":
			of.Text = fmt.Sprintf("the acceptance of %s has no reason; give it one", a.Fingerprint)
		case a.expired(now):
			of.Rule = RuleAcceptanceExpired
			of.Text = fmt.Sprintf("the acceptance of %s expired on %s; resolve the break, or decide again until when it is acceptable",
				a.Fingerprint, a.Expires.UTC().Format(dayLayout))
		default:
			r.Breaks[i].Accepted = a.Reason
			continue
		}
		added = append(added, of)
	}
	r.Breaks = append(r.Breaks, added...)
}
