package verify

import (
	"io"
	"net/url"
	"path"
	"slices"
	"strings"
)

// The parts of SARIF 2.1.0 that a report needs.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID                   string       `json:"id"`
		ShortDescription     sarifMessage `json:"shortDescription"`
		DefaultConfiguration sarifConfig  `json:"defaultConfiguration"`
	}
	sarifConfig struct {
		Level string `json:"level"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID              string             `json:"ruleId"`
		RuleIndex           int                `json:"ruleIndex"`
		Level               string             `json:"level"`
		Message             sarifMessage       `json:"message"`
		Locations           []sarifLocation    `json:"locations"`
		PartialFingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions        []sarifSuppression `json:"suppressions,omitempty"`
	}
	sarifLocation struct {
		PhysicalLocation *sarifPhysical `json:"physicalLocation,omitempty"`
		LogicalLocations []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
		Region           *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
	}
	sarifLogical struct {
		Name               string `json:"name"`
		FullyQualifiedName string `json:"fullyQualifiedName"`
		Kind               string `json:"kind"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Justification string `json:"justification"`
	}
)

// sarifLevels are those of SARIF.
var sarifLevels = levels{"note", "warning", "error"}

// sarifSchema is the URL of the published schema.
const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// fingerprintKey names the fingerprints, with the version of their format.
const fingerprintKey = "ruleAndNames/v1"

// WriteSARIF writes the report as SARIF 2.1.0, which code hosts show beside the lines
// of a change. Suppressed results are included, marked as suppressed. A result whose
// rule is not among those of the report gets a rule without a description. The error is
// that of w.
func (r *Report) WriteSARIF(w io.Writer) error {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: r.Tool, Version: r.Version, Rules: []sarifRule{}}
	index := make(map[string]int)
	add := func(rule Rule) {
		index[rule.Name] = len(run.Tool.Driver.Rules)
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			rule.Name, sarifMessage{rule.Definition}, sarifConfig{sarifLevels.of(rule.Severity)},
		})
	}
	for _, rule := range r.Rules {
		add(rule)
	}
	for i := range r.Results {
		one := &r.Results[i]
		if _, known := index[one.Rule]; !known {
			add(Rule{Name: one.Rule, Severity: one.Level, Definition: one.Rule})
		}
		result := sarifResult{
			RuleID: one.Rule, RuleIndex: index[one.Rule], Level: sarifLevels.of(one.Level), Message: sarifMessage{one.message()},
			Locations: r.sarifLocations(one), PartialFingerprints: map[string]string{fingerprintKey: one.Fingerprint},
		}
		if one.Suppressed != "" {
			result.Suppressions = []sarifSuppression{{"external", one.Suppressed}}
		}
		run.Results = append(run.Results, result)
	}
	return writeJSON(w, sarifLog{sarifSchema, "2.1.0", []sarifRun{run}})
}

// sarifLocations returns the locations of a result in a file and in the definition.
func (r *Report) sarifLocations(one *Result) []sarifLocation {
	var at sarifLocation
	if one.Place.File != "" {
		at.PhysicalLocation = &sarifPhysical{ArtifactLocation: sarifArtifact{fileURI(r.file(one.Place.File))}}
		if one.Place.Line > 0 {
			at.PhysicalLocation.Region = &sarifRegion{one.Place.Line, max(one.Place.Column, 0)}
		}
	}
	var qualified []string
	for _, n := range one.Names {
		if n.Kind == kindDirection {
			continue // not a location
		}
		full := slices.Concat(qualified, []string{url.PathEscape(n.Name)})
		if n.Kind == kindItinerary {
			qualified = full
		}
		at.LogicalLocations = append(at.LogicalLocations, sarifLogical{n.Name, strings.Join(full, "/"), n.Kind})
	}
	if at.PhysicalLocation == nil && at.LogicalLocations == nil {
		return []sarifLocation{}
	}
	return []sarifLocation{at}
}

// fileURI returns the name of a file as a URI, which is relative if the name is.
func fileURI(name string) string {
	u := url.URL{Path: name}
	if path.IsAbs(name) {
		u.Scheme = "file"
	}
	return u.String()
}
