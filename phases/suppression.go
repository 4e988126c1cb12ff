package phases

import (
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// MaxSuppressions is the maximum number of suppressions in a file.
const MaxSuppressions = 1000

// Suppression accepts findings of the verifier (package machine/verify) that the author
// knows and wants to keep. It covers the findings of its rule that match all names that
// it sets.
type Suppression struct {
	// Rule is the name of the rule. It is required.
	Rule string
	// Itinerary, Phase, Step and Flag restrict it to findings with these names. Empty
	// means any.
	Itinerary, Phase, Step, Flag string
	// Reason is a sentence that explains why the finding is accepted. It is required.
	Reason string
}

// SuppressionError describes why a suppression is invalid and what to do.
type SuppressionError struct {
	Suppression Suppression
	Problem     string
}

func (e *SuppressionError) Error() string { return "a suppression " + e.Problem }

// Validate returns a [*SuppressionError] if the suppression has no rule, no reason, or
// a text that is not UTF-8.
func (s Suppression) Validate() error {
	if problem := s.problem(); problem != "" {
		return &SuppressionError{Suppression: s, Problem: problem}
	}
	return nil
}

func (s Suppression) problem() string {
	switch {
	case s.Rule == "":
		return "names no rule; name the rule whose findings it accepts"
	case strings.TrimSpace(s.Reason) == "":
		return "gives no reason; write down why the finding is accepted"
	}
	for _, text := range []string{s.Rule, s.Itinerary, s.Phase, s.Step, s.Flag, s.Reason} {
		if !utf8.ValidString(text) {
			return "has a text that is not valid UTF-8"
		}
	}
	return ""
}

// suppressions reads the suppressions of a file.
func (l *loader) suppressions(top *fields) (all []Suppression) {
	items := l.items(top.byKey["suppress"], "suppress")
	if len(items) > MaxSuppressions {
		limit := &LimitError{What: "suppressions", Limit: MaxSuppressions}
		extra := items[MaxSuppressions]
		l.add(extra.Line, extra.Column, limit, "is one suppression too many: %v", limit)
		return nil
	}
	for _, n := range items {
		if s, ok := l.suppression(n); ok {
			all = append(all, s)
		}
	}
	return all
}

func (l *loader) suppression(n *yaml.Node) (s Suppression, ok bool) {
	fs := l.mapping(n, "a suppression", "rule", "itinerary", "phase", "step", "flag", "reason")
	if fs == nil {
		return s, false
	}
	s = Suppression{
		Rule: l.string(fs, "rule"), Itinerary: l.string(fs, "itinerary"), Phase: l.string(fs, "phase"),
		Step: l.string(fs, "step"), Flag: l.string(fs, "flag"), Reason: l.string(fs, "reason"),
	}
	err := s.Validate()
	if err != nil && !fs.spoiled {
		l.add(n.Line, n.Column, err, "%v", err)
	}
	return s, err == nil
}

// pairs returns the parts of the suppression that are not empty.
func (s Suppression) pairs() (pairs []pair) {
	for _, one := range []pair{
		{"rule", s.Rule}, {"itinerary", s.Itinerary}, {"phase", s.Phase}, {"step", s.Step}, {"flag", s.Flag}, {"reason", s.Reason},
	} {
		if one.value != "" {
			pairs = append(pairs, pair{one.key, scalar(one.value)})
		}
	}
	return pairs
}
