package verify

import (
	"encoding/xml"
	"io"
	"slices"
	"strings"
)

// The parts of JUnit's format that a report needs.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name      string        `xml:"name,attr"`
		Class     string        `xml:"classname,attr"`
		File      string        `xml:"file,attr,omitempty"`
		Line      int           `xml:"line,attr,omitempty"`
		Failure   *junitFailure `xml:"failure"`
		Skipped   *junitSkipped `xml:"skipped"`
		SystemOut string        `xml:"system-out,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr"`
	}
)

// generalSuite is the suite of results that belong to no itinerary, such as those about
// flags and relations.
const generalSuite = "all itineraries"

// WriteJUnit writes the report in the JUnit format: one suite for each itinerary, with
// one test case for each rule that was checked on it. A case fails if one of its results
// reaches the level; if the level is empty, none fails. A case is skipped if all its
// results are suppressed. Its output lists the results that are suppressed or below the
// level. The error is that of w.
func (r *Report) WriteJUnit(w io.Writer, level Severity) error {
	all := junitSuites{Name: r.Tool}
	for _, name := range r.suites() {
		suite := r.junitSuite(name, level)
		all.Tests += suite.Tests
		all.Failures += suite.Failures
		all.Skipped += suite.Skipped
		all.Suites = append(all.Suites, suite)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// suites returns the itineraries that were checked, then others that results name.
func (r *Report) suites() []string {
	names := slices.Clone(r.Itineraries)
	for i := range r.Results {
		if name := r.Results[i].name(kindItinerary); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// junitSuite returns the suite of one itinerary.
func (r *Report) junitSuite(itinerary string, level Severity) junitSuite {
	suite := junitSuite{Name: itinerary}
	if itinerary == "" {
		suite.Name = generalSuite
	}
	results := make(map[string][]*Result)
	var rules []string
	for _, rule := range r.Rules {
		if r.Checked == nil || slices.Contains(r.Checked[itinerary], rule.Name) {
			rules = append(rules, rule.Name)
		}
	}
	for i := range r.Results {
		if one := &r.Results[i]; one.name(kindItinerary) == itinerary {
			results[one.Rule] = append(results[one.Rule], one)
			if !slices.Contains(rules, one.Rule) {
				rules = append(rules, one.Rule)
			}
		}
	}
	for _, rule := range rules {
		c := r.junitCase(rule, results[rule], level)
		c.Class = suite.Name
		suite.Tests++
		switch {
		case c.Failure != nil:
			suite.Failures++
		case c.Skipped != nil:
			suite.Skipped++
		}
		suite.Cases = append(suite.Cases, c)
	}
	return suite
}

// junitCase returns the case of one rule.
func (r *Report) junitCase(rule string, results []*Result, level Severity) junitCase {
	c := junitCase{Name: rule}
	var failed, others, reasons []string
	for _, one := range results {
		text := one.placed(r)
		switch {
		case one.Suppressed != "":
			reasons = append(reasons, one.Suppressed)
			others = append(others, text+"\nsuppressed: "+one.Suppressed)
		case one.Reaches(level):
			if failed == nil {
				c.File, c.Line = r.file(one.Place.File), max(one.Place.Line, 0)
				c.Failure = &junitFailure{Message: one.Text, Type: string(one.Level)}
			}
			failed = append(failed, text)
		default:
			others = append(others, text)
		}
	}
	switch {
	case failed != nil:
		c.Failure.Text = strings.Join(failed, "\n\n")
	case reasons != nil && len(reasons) == len(results):
		c.Skipped = &junitSkipped{Message: strings.Join(reasons, "; ")}
	}
	c.SystemOut = strings.Join(others, "\n\n")
	return c
}

// placed returns the message of a result, preceded by its position in a file.
func (r *Result) placed(of *Report) string {
	if r.Place.File == "" {
		return r.message()
	}
	at := r.Place
	at.File = of.file(at.File)
	return at.String() + ": " + r.message()
}
