package verify_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/goldentest"
	"github.com/konveyor/dynamic-pipeline/machine/verify"
	"github.com/konveyor/dynamic-pipeline/phases"
)

var (
	reportRules = []verify.Rule{
		{Name: "phase-never-runs", Severity: verify.Warning, Definition: "no assignment lets the phase run"},
		{Name: "loop-never-ends", Severity: verify.Error, Definition: "nothing leads out of the loop"},
		{Name: "flag-never-read", Severity: verify.Info, Definition: "nothing depends on the flag"},
	}
	findings = []verify.Finding{
		{
			Rule: "phase-never-runs", Severity: verify.Warning, Itinerary: "Warm", Phase: "Cut", Step: "Cutover",
			Text:  "phase Cut never runs: its guard needs Due and not Due",
			Place: verify.Place{File: "deploy/my itineraries.yaml", Line: 12, Column: 5, Itinerary: "Warm", Phase: "Cut"}, Reproduce: "upgradectl plan -i FILE#Warm --flags Due",
		},
		{
			Rule: "phase-never-runs", Severity: verify.Warning, Itinerary: "Warm", Phase: "Old", Step: "Cutover", Text: "phase Old never runs",
			Place: verify.Place{File: "deploy/my itineraries.yaml", Itinerary: "Warm", Phase: "Old"}, Suppressed: "kept for the next release",
		},
		{
			Rule: "loop-never-ends", Severity: verify.Error, Itinerary: "Cold", Phase: "Wait", Text: "the loop of Wait and Copy never ends",
			Place: verify.Place{Itinerary: "Cold", Phase: "Wait"}, Assignment: []string{"Due"},
		},
		{Rule: "flag-never-read", Severity: verify.Info, Flag: "HasHook", Text: "nothing reads the flag HasHook", Suppressed: "read by another release"},
		{Rule: "flag-never-read", Severity: verify.Info, Flag: "HasPVs", Text: "nothing reads the flag HasPVs"},
	}
	breaks = []verify.Break{
		{
			Rule: "phase-gone", Kind: verify.StateKind, Direction: verify.Upgrade, Itinerary: "Warm", Phase: "Cut", Step: "Cutover",
			Text: "the new release has no phase Cut",
			State: &verify.InFlight{
				Itinerary: "Warm", Phase: "Cut", Facts: phases.Record{True: []string{"Due"}, Unknown: []string{"HasPVs"}}, Ran: []string{"Prepare", "Copy"},
			},
			Objects: []string{"ns/a", "ns/b"}, Suggestion: "formerly: [Cut]",
		},
		{Rule: "definition-changed", Kind: verify.DefinitionKind, Direction: verify.Rollback, Itinerary: "Cold", Text: "only the hash differs", Accepted: "intended"},
	}
)

func report(results []verify.Result) *verify.Report {
	return &verify.Report{
		Tool: "upgradectl", Version: "v1.2.3", Rules: reportRules, Itineraries: []string{"Warm", "Cold", "Clean"}, Results: results,
	}
}

// formats are all writers, by the name of a golden file.
var formats = map[string]func(*verify.Report, io.Writer) error{
	"report.sarif":     (*verify.Report).WriteSARIF,
	"report.junit.xml": func(r *verify.Report, w io.Writer) error { return r.WriteJUnit(w, verify.Warning) },
	"report.github":    (*verify.Report).WriteGitHub,
}

func TestReports(t *testing.T) {
	for name, write := range formats {
		for prefix, results := range map[string][]verify.Result{
			"findings-": verify.ResultsOf(findings), "breaks-": verify.BreakResultsOf(breaks), "clean-": nil,
		} {
			t.Run(prefix+name, func(t *testing.T) {
				var b bytes.Buffer
				require.NoError(t, write(report(results), &b))
				goldentest.Compare(t, "testdata/"+prefix+name, b.String())
			})
		}
	}
}

func TestWriteJSONHoldsEveryField(t *testing.T) {
	keys := func(write func(io.Writer) error) []string {
		var b bytes.Buffer
		require.NoError(t, write(&b))
		var all []json.RawMessage
		require.NoError(t, json.Unmarshal(b.Bytes(), &all))
		var names []string
		dec := json.NewDecoder(bytes.NewReader(all[len(all)-1]))
		_, _ = dec.Token() // the brace
		for dec.More() {
			key, err := dec.Token()
			require.NoError(t, err)
			names = append(names, key.(string))
			var value json.RawMessage
			require.NoError(t, dec.Decode(&value))
		}
		return names
	}
	assert.Equal(t, []string{
		"rule", "severity", "itinerary", "phase", "step", "flag", "text", "place", "assignment", "reproduce", "suppressed",
	},
		keys(func(w io.Writer) error { return verify.WriteJSON(w, findings) }))
	assert.Equal(t, []string{"rule", "kind", "direction", "itinerary", "phase", "step", "text", "state", "objects", "suggestion"},
		keys(func(w io.Writer) error { return verify.WriteJSON(w, breaks[:1]) }))

	var b bytes.Buffer
	require.NoError(t, verify.WriteJSON[verify.Break](&b, nil))
	assert.Equal(t, "[]\n", b.String())
}

// Code hosts distinguish results by their fingerprints.
func TestFingerprintsDistinguishResults(t *testing.T) {
	s, graphs := loadGraphs(t, `flags: [{name: A}]
itineraries:
- name: X
  phases:
  - {name: P, step: S, jumps: [{to: Q, all: [A]}, {to: P, all: [A]}, {to: R, all: [A]}]}
  - {name: Q, step: S}
  - {name: R, step: S}
suppress:
- {rule: rides-alone, itinerary: X, phase: P, reason: none}
- {rule: step-cut-in-two, itinerary: X, phase: P, reason: none}
`)
	var got []string
	for _, r := range verify.ResultsOf(verify.CheckGraphs(graphs, verify.Options{Source: s})) {
		got = append(got, r.Fingerprint)
	}
	assert.Empty(t, cmp.Diff([]string{
		"suppression-unused/X/phase=P/suppression=rides-alone",
		"suppression-unused/X/phase=P/suppression=step-cut-in-two",
		"jump-never-taken/X/phase=P",
		"jump-never-taken/X/phase=P/2",
		"jumps-overlap/X/phase=P",
		"jumps-overlap/X/phase=P/2",
		"jumps-overlap/X/phase=P/3",
	}, got), "-want +got")
}

// hostile are names and texts that formats must escape.
var hostile = []string{
	"", " ", "a\nb", "\r\n::error::x", "]]>", "<!-- & -->", `"quotes" 'and' \back`, "\x00\x01\x1b[31m", "\xff\xfe",
	"a\u2028b\ufffe\u0085", "é移行", "%0A,:=;", "../../etc/passwd", "C:\\dir", "a:b.yaml",
}

func TestReportsEscapeNames(t *testing.T) {
	for _, text := range hostile {
		checkFormats(t, text)
	}
}

func FuzzReportsEscapeNames(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { checkFormats(t, text) })
}

// checkFormats writes a text as every name in every format, and reads it again.
func checkFormats(t *testing.T, text string) {
	t.Helper()
	finding := verify.Finding{
		Rule: "rule" + text, Severity: verify.Error, Itinerary: text, Phase: text, Step: text, Flag: text, Text: "text: " + text,
		Place: verify.Place{File: text, Line: 3}, Reproduce: text, Assignment: []string{text},
	}
	suppressed := finding
	suppressed.Suppressed = "because " + text
	r := report(verify.ResultsOf([]verify.Finding{finding, suppressed}))
	r.Tool, r.Itineraries = "tool"+text, nil

	var b bytes.Buffer
	require.NoError(t, r.WriteSARIF(&b))
	assert.True(t, utf8.Valid(b.Bytes()))
	var log struct {
		Runs []struct {
			Results []struct {
				RuleIndex    int
				Suppressions []struct{ Justification string }
			}
		}
	}
	require.NoError(t, json.Unmarshal(b.Bytes(), &log))
	require.Len(t, log.Runs[0].Results, 2)
	assert.Equal(t, len(reportRules), log.Runs[0].Results[0].RuleIndex)
	justification := log.Runs[0].Results[1].Suppressions[0].Justification
	assert.Equal(t, strings.ToValidUTF8("because "+text, "\ufffd"), joined(justification, "because "+text))

	b.Reset()
	require.NoError(t, r.WriteJUnit(&b, verify.Warning))
	var suites struct {
		Failures int `xml:"failures,attr"`
		Suites   []struct {
			Cases []struct {
				Failure *struct {
					Message string `xml:"message,attr"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	require.NoError(t, xml.Unmarshal(b.Bytes(), &suites), b.String())
	assert.Equal(t, 1, suites.Failures)
	require.Len(t, suites.Suites, 1)
	assert.Len(t, suites.Suites[0].Cases, len(reportRules)+1)

	b.Reset()
	require.NoError(t, r.WriteGitHub(&b))
	assert.True(t, utf8.Valid(b.Bytes()))
	n := 0
	for line := range strings.Lines(b.String()) {
		n++
		assert.True(t, strings.HasPrefix(line, "::error "), "%q", line)
		assert.NotContains(t, line, "\r")
		assert.NotContains(t, line, "\x1b")
	}
	assert.Equal(t, 1, n, "one line for the result that is not suppressed")

	b.Reset()
	require.NoError(t, verify.WriteJSON(&b, []verify.Finding{finding}))
	assert.True(t, json.Valid(b.Bytes()))
}

// joined returns got if want is valid UTF-8. Otherwise formats may replace a run of
// invalid bytes by any number of characters, so it returns want with each run replaced
// by one.
func joined(got, want string) string {
	if strings.ToValidUTF8(want, "") == want {
		return got
	}
	return strings.ToValidUTF8(want, "\ufffd")
}

func TestFingerprintsHoldNamesAndNoProse(t *testing.T) {
	one := findings[0]
	print := one.Fingerprint()
	assert.Equal(t, "phase-never-runs/Warm/phase=Cut/step=Cutover", print)
	one.Text, one.Place.Line, one.Suppressed, one.Severity = "other words", 99, "a reason", verify.Info
	assert.Equal(t, print, one.Fingerprint())
	one.Phase, one.Step = "Cut/step=Cutover", ""
	assert.NotEqual(t, print, one.Fingerprint())
}

func TestReportFilesAreRelativeToTheDirectory(t *testing.T) {
	for _, tt := range []struct{ name, directory, file, want string }{
		{"relative", "", "dir/a b.yaml", "dir/a%20b.yaml"},
		{"with a dot before it", "", "./a.yaml", "a.yaml"},
		{"with a colon", "", "a:b.yaml", "./a:b.yaml"},
		{"below the directory", "/repository", "/repository/deploy/a.yaml", "deploy/a.yaml"},
		{"beside the directory", "/repository", "/other/a.yaml", "file:///other/a.yaml"},
		{"above the directory", "/home/repository", "../a.yaml", "file:///home/a.yaml"},
		{"no UTF-8", "", "a\xff.yaml", "a%FF.yaml"},
		{"a question mark", "", "a?b#c.yaml", "a%3Fb%23c.yaml"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := verify.Report{Directory: tt.directory, Results: []verify.Result{{Rule: "rule", Place: verify.Place{File: tt.file}}}}
			var b bytes.Buffer
			require.NoError(t, r.WriteSARIF(&b))
			assert.Contains(t, b.String(), `"uri": "`+tt.want+`"`)
			assert.NotContains(t, b.String(), "region")
		})
	}
}

func TestInFlightString(t *testing.T) {
	for want, s := range map[string]verify.InFlight{
		"Final at Copy, whose work is done, having chosen Fail": {Itinerary: "Final", Phase: "Copy", WorkDone: true, Choice: "Fail"},
		"Final, not begun": {Itinerary: "Final"},
		"Final at Copy, with A and B, not knowing C, after Prepare": {
			Itinerary: "Final", Phase: "Copy", Facts: phases.Record{True: []string{"A", "B"}, Unknown: []string{"C"}},
			Ran: []string{"Prepare"},
		},
		"Final at Copy, after 3 phases, the last of them Stop": {
			Itinerary: "Final", Phase: "Copy", Facts: phases.Record{False: []string{"A"}}, Ran: []string{"Prepare", "Check", "Stop"},
		},
	} {
		assert.Equal(t, want, s.String())
	}
}
