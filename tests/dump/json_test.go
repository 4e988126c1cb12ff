package dump

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/dumptest"
)

// schema is the published schema.
const schema = root + "/machine/dump/graph.schema.json"

// validate validates a document.
func validate(t *testing.T, document []byte) error {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(schema)
	require.NoError(t, err)
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	require.NoError(t, err)
	return s.Validate(v)
}

func TestDocumentsMatchTheSchema(t *testing.T) {
	for _, d := range drawings {
		t.Run(d.Name, func(t *testing.T) {
			assert.NoError(t, validate(t, d.New().JSON()))
		})
	}
}

func TestSchemaRefusesFaults(t *testing.T) {
	refuses(t, "final-middle", []fault{
		{"another version", `"version": 1`, `"version": 2`, "version"},
		{"an additional member", `"notes":`, `"remarks": [], "notes":`, "remarks"},
		{"an additional member of a phase", `"rides":`, `"color": "red", "rides":`, "color"},
		{"a missing member", `"title": "Final",`, ``, "title"},
		{"an invalid truth", `"runs": "no"`, `"runs": "never"`, "runs"},
		{"a planned phase without a state", `"state": "behind",`, ``, "state"},
		{"a planned phase that is not reported", `"reportedUnder": "Prepare",`, ``, "reportedUnder"},
		{"a step that is visible twice", `"visibleSteps": [`, `"visibleSteps": ["A", "A", `, "visibleSteps"},
		{"a jump's guard on another edge", `"kind": "order",`, `"kind": "order", "guard": "A",`, "not"},
		{"a choice on another edge", `"kind": "order",`, `"kind": "order", "choice": true,`, "not"},
		{"a phase without end", `"end": false,`, ``, "end"},
		{"a planned phase without its possible steps", `"under": [`, `"below": [`, "under"},
		{"a change of a phase outside a diff", `"failed": false,`, `"failed": false, "change": "new", "changes": [],`, "not"},
	})
	refuses(t, "diff-versions-plan", []fault{
		{"another change", `"change": "new"`, `"change": "better"`, "change"},
		{"a change without its words", `"changes": [],`, ``, "changes"},
		{"a change in an unknown aspect", `"what": "decides"`, `"what": "color"`, "what"},
		{"a diff without the titles of its sides", `"diff": {`, `"delta": {`, "delta"},
		{"a changed phase without its previous state", `"change": "changed",
                    "changes": [
                        {
                            "what": "decides"`, `"change": "new",
                    "changes": [
                        {
                            "what": "decides"`, "not"},
	})
}

// fault is a fault to make in a document.
type fault struct{ name, old, new, want string }

// refuses makes faults in the document of a drawing and checks that the schema refuses
// each.
func refuses(t *testing.T, name string, faults []fault) {
	t.Helper()
	document := string(drawing(t, name).New().JSON())
	for _, tt := range faults {
		t.Run(tt.name, func(t *testing.T) {
			faulty := strings.Replace(document, tt.old, tt.new, 1)
			require.NotEqual(t, document, faulty)
			assert.ErrorContains(t, validate(t, []byte(faulty)), tt.want)
		})
	}
}

// drawing returns the drawing with the given name.
func drawing(t *testing.T, name string) dumptest.Drawing {
	t.Helper()
	for _, d := range drawings {
		if d.Name == name {
			return d
		}
	}
	require.Fail(t, "no drawing", name)
	return dumptest.Drawing{}
}

// content is what every format must show of a drawing.
type content struct {
	Itineraries []struct {
		Name   string
		Steps  []struct{ Name string }
		Phases []struct{ Name string }
		Edges  []struct{ From, To *string }
	}
	Switches []struct{ From, To, When string }
}

func contentOf(t *testing.T, d dumptest.Drawing) content {
	t.Helper()
	var c content
	require.NoError(t, json.Unmarshal(d.New().JSON(), &c))
	require.NotEmpty(t, c.Itineraries)
	return c
}

// graph is what a program found in a drawing.
type graph struct {
	// Nodes and Clusters are texts by the ids of the output.
	Nodes, Clusters map[string]string
	Edges           int
}
