package verify

import (
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
)

// Report holds findings, or breaks between releases, in the shape that all formats
// share. Its writers may be called concurrently as long as the report does not change.
type Report struct {
	// Tool and Version are those of the program that reports.
	Tool, Version string
	// Rules are all rules that were checked, including those that found nothing.
	Rules []Rule
	// Itineraries are the names of all itineraries that were checked, including clean
	// ones.
	Itineraries []string
	// Checked holds, by itinerary, the names of those rules that were checked on it. If
	// nil, all were checked on each. Only [Report.WriteJUnit] uses it.
	Checked map[string][]string
	// Results are the findings or breaks.
	Results []Result
	// Directory is the base of file names in the report. If empty, relative names are
	// kept.
	Directory string
}

// Result is one finding or one break.
type Result struct {
	Rule  string
	Level Severity
	Text  string
	Place Place
	// Names identify what the result is about, from the outside in.
	Names []Name
	// Fingerprint identifies the result in later reports by its rule and names. Another
	// wording or another line does not change it.
	Fingerprint string
	// Notes are further lines, such as how to reproduce the result or what fixes it.
	Notes []string
	// Suppressed is the reason why the result does not count, or empty.
	Suppressed string
}

// Name is the name of an itinerary, a phase, a step, a flag or a choice, or a
// direction.
type Name struct{ Kind, Name string }

// name returns the name of a kind, or "".
func (r *Result) name(kind string) string {
	for _, n := range r.Names {
		if n.Kind == kind {
			return n.Name
		}
	}
	return ""
}

// Reaches reports whether the result counts at a level: it is not suppressed, and its
// own level reaches it. Nothing reaches an empty level.
func (r *Result) Reaches(level Severity) bool {
	return level != "" && r.Suppressed == "" && r.Level.Reaches(level)
}

// The kinds of names.
const (
	kindDirection = "direction"
	kindItinerary = "itinerary"
	kindPhase     = "phase"
	kindStep      = "step"
	kindFlag      = "flag"
	kindChoice    = "choice"
)

// given returns the names that are not empty.
func given(names ...Name) []Name {
	return slices.DeleteFunc(names, func(n Name) bool { return n.Name == "" })
}

// Fingerprint identifies the finding by its rule, itinerary and names, without prose
// and without a position, so it stays the same when texts change or lines move.
func (f Finding) Fingerprint() string {
	text := f.Rule + "/" + url.PathEscape(f.Itinerary)
	for _, n := range given(Name{kindPhase, f.Phase}, Name{kindStep, f.Step}, Name{kindFlag, f.Flag}, Name{"suppression", f.Suppression}) {
		text += "/" + n.Kind + "=" + url.PathEscape(n.Name)
	}
	return text
}

// ResultsOf returns the findings of [Check] as results of a [Report]. If several
// findings have the same fingerprint, such as those of several jumps of a phase, a
// number is appended to the fingerprint of each result but the first.
func ResultsOf(findings []Finding) []Result {
	results := make([]Result, len(findings))
	times := make(map[string]int)
	for i, f := range findings {
		results[i] = Result{
			Rule: f.Rule, Level: f.Severity, Text: f.Text, Place: f.Place, Suppressed: f.Suppressed, Fingerprint: f.Fingerprint(),
			Names: given(Name{kindItinerary, f.Itinerary}, Name{kindPhase, f.Phase}, Name{kindStep, f.Step}, Name{kindFlag, f.Flag}),
		}
		if f.Reproduce != "" {
			results[i].Notes = append(results[i].Notes, "reproduce: "+f.Reproduce)
		}
		if times[f.Fingerprint()]++; times[f.Fingerprint()] > 1 {
			results[i].Fingerprint += "/" + strconv.Itoa(times[f.Fingerprint()])
		}
	}
	return results
}

// BreakResultsOf returns the breaks of [Compat] as results of a [Report].
func BreakResultsOf(breaks []Break) []Result {
	results := make([]Result, len(breaks))
	for i := range breaks {
		b := &breaks[i]
		results[i] = Result{
			Rule: b.Rule, Level: b.Severity(), Text: b.Text, Suppressed: b.Accepted, Fingerprint: b.Fingerprint(),
			Names: given(Name{kindDirection, string(b.Direction)}, Name{kindItinerary, b.Itinerary}, Name{kindPhase, b.Phase},
				Name{kindChoice, b.Choice}, Name{kindStep, b.Step}, Name{kindFlag, b.Flag}),
		}
		if b.Place != nil {
			results[i].Place = *b.Place
		}
		if b.State != nil {
			results[i].Notes = append(results[i].Notes, "state in flight: "+b.State.String())
		}
		if len(b.Objects) > 0 {
			results[i].Notes = append(results[i].Notes, "recorded in such a state: "+strings.Join(b.Objects, ", "))
		}
		if b.Suggestion != "" {
			results[i].Notes = append(results[i].Notes, "suggestion: "+b.Suggestion)
		}
		if b.Acceptable() {
			results[i].Notes = append(results[i].Notes, "fingerprint: "+b.Fingerprint())
		}
	}
	return results
}

// message returns the text and the notes, one on each line.
func (r *Result) message() string { return strings.Join(append([]string{r.Text}, r.Notes...), "\n") }

// file returns the name of a file in the report, with slashes: relative to the
// directory, or absolute if the file is not below it.
func (r *Report) file(name string) string {
	if name == "" {
		return ""
	}
	if r.Directory != "" && filepath.IsAbs(name) {
		if rel, err := filepath.Rel(r.Directory, name); err == nil && filepath.IsLocal(rel) {
			name = rel
		}
	}
	name = filepath.Clean(name)
	if r.Directory != "" && !filepath.IsAbs(name) && !filepath.IsLocal(name) {
		name = filepath.Join(r.Directory, name)
	}
	return filepath.ToSlash(name)
}

// levels are the words of a format for the severities. An unknown severity gets the
// last.
type levels struct{ info, warning, err string }

func (l levels) of(s Severity) string {
	switch s {
	case Info:
		return l.info
	case Warning:
		return l.warning
	default:
		return l.err
	}
}

// String returns FILE:LINE:COLUMN, without the parts that are unknown.
func (p Place) String() string {
	text := p.File
	for _, number := range []int{p.Line, p.Column} {
		if number > 0 {
			text += ":" + strconv.Itoa(number)
		}
	}
	return text
}

// String describes the state on one line: the phase, the known flags, and the phases
// that ran.
func (s *InFlight) String() string {
	text := s.Itinerary
	if s.Phase == "" {
		text += ", not begun"
	} else {
		text += " at " + s.Phase
	}
	if s.WorkDone {
		text += ", whose work is done"
	}
	if s.Choice != "" {
		text += ", having chosen " + s.Choice
	}
	if len(s.Facts.True) > 0 {
		text += ", with " + wording.List(s.Facts.True, "and")
	}
	if len(s.Facts.Unknown) > 0 {
		text += ", not knowing " + wording.Few(s.Facts.Unknown)
	}
	switch n := len(s.Ran); n {
	case 0:
	case 1:
		text += ", after " + s.Ran[0]
	default:
		text += ", after " + strconv.Itoa(n) + " phases, the last of them " + s.Ran[n-1]
	}
	return text
}
