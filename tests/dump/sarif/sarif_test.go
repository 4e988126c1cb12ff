package sarif

import (
	"bytes"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine/verify"
)

// published is the schema of SARIF 2.1.0 with the first errata, as published by OASIS.
const published = "testdata/sarif-schema-2.1.0.json"

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(published)
	require.NoError(t, err)
	return s
}

// hostileNames are names that the format must escape.
var hostileNames = []string{"EnsureStageBackup", "a b/c.yaml", "a:b.yaml", "../x\\y", "\xff\n\x00\x1b[31m\"", "移行?#%"}

func reported() map[string]verify.Report {
	clean := verify.Report{Tool: "dynamic-pipeline", Rules: []verify.Rule{
		{Name: "phase-never-runs", Severity: verify.Warning, Definition: "no assignment lets the phase run"},
	}}
	all := clean
	for _, name := range hostileNames {
		all.Results = append(all.Results, verify.ResultsOf([]verify.Finding{
			{Rule: "phase-never-runs", Severity: verify.Error, Itinerary: name, Phase: name, Step: name, Flag: name,
				Text: name, Reproduce: name, Place: verify.Place{File: name, Line: 3, Column: 5}},
			{Rule: "phase-never-runs", Severity: verify.Info, Text: name, Suppressed: name, Place: verify.Place{File: name}},
			{Rule: name, Severity: verify.Warning, Text: name},
		})...)
		all.Results = append(all.Results, verify.BreakResultsOf([]verify.Break{
			{Rule: "phase-gone", Kind: verify.StateKind, Direction: verify.Upgrade, Itinerary: name, Phase: name,
				Text: name, State: &verify.InFlight{Itinerary: name}, Objects: []string{name}},
		})...)
	}
	return map[string]verify.Report{"clean": clean, "everything": all}
}

func TestReportsMatchTheSARIFSchema(t *testing.T) {
	schema := compiled(t)
	for name, report := range reported() {
		t.Run(name, func(t *testing.T) {
			v, err := jsonschema.UnmarshalJSON(strings.NewReader(written(t, report)))
			require.NoError(t, err)
			assert.NoError(t, schema.Validate(v))
		})
	}
}

func TestSARIFSchemaRefusesFaults(t *testing.T) {
	schema := compiled(t)
	text := written(t, reported()["everything"])
	for name, fault := range map[string][2]string{
		"another version":            {`"version": "2.1.0"`, `"version": "2.0.0"`},
		"a level that there is not":  {`"level": "note"`, `"level": "info"`},
		"a line zero":                {`"startLine": 3`, `"startLine": 0`},
		"a URI that is a number":     {`"uri": "a%20b/c.yaml"`, `"uri": 3`},
		"a member more of a result":  {`"ruleIndex": 0`, `"ruleIndex": 0, "color": "red"`},
		"a kind of suppression more": {`"kind": "external"`, `"kind": "elsewhere"`},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, text, fault[0])
			v, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.Replace(text, fault[0], fault[1], 1)))
			require.NoError(t, err)
			assert.Error(t, schema.Validate(v))
		})
	}
}

func written(t *testing.T, r verify.Report) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, r.WriteSARIF(&b))
	return b.String()
}
