package verify

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/konveyor/dynamic-pipeline/internal/yamltext"
)

// The most that a file of acceptances holds.
const (
	MaxAcceptFileSize = 1 << 20
	MaxAcceptances    = 1_000
)

// Acceptance accepts a break that is intended, until a day.
type Acceptance struct {
	// Fingerprint is that of the break ([Break.Fingerprint]).
	Fingerprint string
	// Reason is why the break is acceptable. It must not be empty.
	Reason string
	// Expires is the last day on which the acceptance holds, in UTC.
	Expires time.Time
	// File, Line and Column are its place; empty and zero if it is written in Go.
	File         string
	Line, Column int
}

// dayLayout is how a file writes a day.
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
// All three keys are mandatory, and a fingerprint stands once. The name stands for
// the file in messages. The error joins an [*AcceptError] for each problem. At most
// [MaxAcceptFileSize] bytes and [MaxAcceptances] entries are read.
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
		return nil, &AcceptError{File: name, Line: root.Line, Problem: "the file must be a mapping with the key accept alone, which holds a list"}
	}
	entries := root.Content[1].Content
	if len(entries) > MaxAcceptances {
		return nil, &AcceptError{File: name, Line: entries[MaxAcceptances].Line,
			Problem: fmt.Sprintf("is one acceptance too many: a file holds at most %d", MaxAcceptances)}
	}
	var all []Acceptance
	var errs []error
	for _, n := range entries {
		a, problem := acceptance(n)
		a.File, a.Line, a.Column = name, n.Line, n.Column
		if slices.ContainsFunc(all, func(b Acceptance) bool { return b.Fingerprint == a.Fingerprint }) {
			problem = fmt.Sprintf("fingerprint %s stands twice; remove one", a.Fingerprint)
		}
		if problem != "" {
			errs = append(errs, &AcceptError{File: name, Line: a.Line, Problem: problem})
			continue
		}
		all = append(all, a)
	}
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	return all, nil
}

// acceptance reads an entry, and returns what is wrong with it.
func acceptance(n *yaml.Node) (a Acceptance, problem string) {
	if n.Kind != yaml.MappingNode {
		return a, "an entry must be a mapping with the keys fingerprint, reason and expires"
	}
	values := make(map[string]string)
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i].Value, n.Content[i+1]
		_, twice := values[key]
		switch {
		case !slices.Contains([]string{"fingerprint", "reason", "expires"}, key):
			return a, fmt.Sprintf("an entry has no key %q; the keys are fingerprint, reason and expires", key)
		case twice:
			return a, fmt.Sprintf("key %q stands twice; remove one", key)
		case value.Kind != yaml.ScalarNode:
			return a, fmt.Sprintf("%s must be a text", key)
		}
		values[key] = value.Value
	}
	for _, key := range []string{"fingerprint", "reason", "expires"} {
		if strings.TrimSpace(values[key]) == "" {
			return a, fmt.Sprintf("an entry has no %s; give it one", key)
		}
	}
	day, err := time.Parse(dayLayout, values["expires"])
	if err != nil {
		return a, fmt.Sprintf("expires must be a day such as 2027-03-31, not %q", values["expires"])
	}
	return Acceptance{Fingerprint: values["fingerprint"], Reason: values["reason"], Expires: day}, ""
}

// AcceptError is a problem at one place of a file of acceptances.
type AcceptError struct {
	File    string
	Line    int // 0 if the place is not known
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

// accept marks the breaks that acceptances cover, and adds a break for each
// acceptance that matches none, has expired or has no reason. What is inconclusive
// is not covered, and then an acceptance that matches none may be of a break that was
// not found.
func (r *CompatReport) accept(acceptances []Acceptance, now time.Time) {
	var added []Break
	inconclusive := slices.ContainsFunc(r.Breaks, func(b Break) bool { return b.Rule == RuleInconclusive })
	for _, a := range acceptances {
		i := slices.IndexFunc(r.Breaks, func(b Break) bool { return b.Fingerprint() == a.Fingerprint })
		of := Break{Rule: RuleAcceptanceUnused, Kind: DefinitionKind, Acceptance: a.Fingerprint}
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
			of.Text = fmt.Sprintf("the acceptance of %s counts for nothing, since what was not looked at cannot be accepted; remove it",
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
