package verify

import (
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
)

// Report is findings, or breaks between releases, in the one shape that all
// formats share. Its writers may be called from any number of goroutines as long
// as no one changes it.
type Report struct {
	// Tool and Version are those of the program that reports.
	Tool, Version string
	// Rules are all rules that were checked, those that found nothing included.
	Rules []Rule
	// Itineraries are the names of all that were checked, clean ones included.
	Itineraries []string
	// Results are what was found.
	Results []Result
	// Directory is that to which the files in a report are relative. If empty, files
	// with a relative name keep it.
	Directory string
}

// Result is one finding or one break.
type Result struct {
	Rule  string
	Level Severity
	Text  string
	Place Place
	// Names are what the result is about, from the outside in.
	Names []Name
	// Fingerprint identifies the result in later reports: by its rule and its names,
	// so that neither another wording nor another line makes it a new one.
	Fingerprint string
	// Notes are further lines: how to reproduce the result, what fixes it.
	Notes []string
	// Suppressed is the reason why the result does not count, or empty.
	Suppressed string
}

// Name is the name of an itinerary, a phase, a step, a flag or a choice, or a
// direction.
type Name struct{ Kind, Name string }

// name is the name of a kind, or empty.
func (r *Result) name(kind string) string {
	for _, n := range r.Names {
		if n.Kind == kind {
			return n.Name
		}
	}
	return ""
}

// Reaches reports whether the result counts at a level: it is not suppressed, and
// its own level reaches it. Nothing reaches a level that is empty.
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

// Fingerprint names the finding by its rule, itinerary and names, without prose and
// without a place: it stays the same if texts change or lines move.
func (f Finding) Fingerprint() string {
	text := f.Rule + "/" + url.PathEscape(f.Itinerary)
	for _, n := range given(Name{kindPhase, f.Phase}, Name{kindStep, f.Step}, Name{kindFlag, f.Flag}, Name{"suppression", f.Suppression}) {
		text += "/" + n.Kind + "=" + url.PathEscape(n.Name)
	}
	return text
}

// ResultsOf are the results of [Check] in the shape of a [Report]. Of findings that have
// one fingerprint, such as those of several jumps of a phase, all but the first are
// counted in that of the result.
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

// BreakResultsOf are the breaks of [Compat] in the shape of a [Report].
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

// message is the sentence and the notes, a line each.
func (r *Result) message() string { return strings.Join(append([]string{r.Text}, r.Notes...), "\n") }

// file is the name of a file in a report, relative to its directory and with
// slashes; absolute if the file is not below it.
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

// levels are the words for a severity in a format; one that is unknown gets the
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

// String returns FILE:LINE:COLUMN, as far as it is known.
func (p Place) String() string {
	text := p.File
	for _, number := range []int{p.Line, p.Column} {
		if number > 0 {
			text += ":" + strconv.Itoa(number)
		}
	}
	return text
}

// String describes the state in a line: where the run is, what it knows, and what
// ran before.
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
