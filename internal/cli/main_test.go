package cli_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/konveyor/dynamic-pipeline/internal/cli"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// result is the outcome of one execution of the command.
type result struct {
	code        int
	out, stderr string
}

func run(t testing.TB, stdin string, args ...string) result {
	t.Helper()
	return runReader(t, strings.NewReader(stdin), args...)
}

func runReader(t testing.TB, stdin io.Reader, args ...string) result {
	t.Helper()
	var out, stderr bytes.Buffer
	code := cli.Run(t.Context(), args, stdin, &out, &stderr)
	return result{code, out.String(), stderr.String()}
}

// lines returns the lines on standard error, without the name of the command.
func (r result) lines(t testing.TB) []string {
	t.Helper()
	lines := []string{}
	for line := range strings.Lines(r.stderr) {
		text, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "dynamic-pipeline: ")
		require.True(t, ok, "a line does not say who writes it: %q", line)
		lines = append(lines, text)
	}
	return lines
}

// noStreams is the note about a stream without image streams.
const noStreams = "note: no ImageStream was read, so it is unknown whether there are images (HasISs); add the output of this command on " +
	"the source cluster: kubectl get imagestreams --all-namespaces -o yaml, or give --no-image-streams if there are none"

// linesWithoutNote returns the lines except that note.
func (r result) linesWithoutNote(t testing.TB) []string {
	t.Helper()
	lines := []string{}
	for _, line := range r.lines(t) {
		if line != noStreams {
			lines = append(lines, line)
		}
	}
	return lines
}

// recorded returns the path of a file that is shared with the conformance tests.
func recorded(name string) string {
	return filepath.Join("..", "..", "tests", "conformance", "testdata", name)
}

func read(t testing.TB, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(data)
}

func write(t testing.TB, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

// The objects of small streams. Their namespace is "ns".

func object(kind, name, rest string) string {
	return `{"kind": "` + kind + `", "metadata": {"name": "` + name + `", "namespace": "ns"}` + rest + `}`
}

// migration returns a migration of plan "p" with that spec and status, each given as the
// inside of a JSON object.
func migration(name, spec, status string) string {
	if spec != "" {
		spec = ", " + spec
	}
	rest := `, "spec": {"migPlanRef": {"name": "p", "namespace": "ns"}` + spec + `}`
	if status != "" {
		rest += `, "status": {` + status + `}`
	}
	return object("MigMigration", name, rest)
}

// planObject returns a plan from cluster "source" to "host" of namespace "app".
func planObject(name, spec string) string {
	if spec != "" {
		spec = ", " + spec
	}
	return object("MigPlan", name,
		`, "spec": {"srcMigClusterRef": {"name": "source", "namespace": "ns"}, "destMigClusterRef": {"name": "host", "namespace": `+
			`"ns"}, "namespaces": ["app"]`+spec+`}`)
}

var (
	host    = object("MigCluster", "host", `, "spec": {"url": ""}`)
	source  = object("MigCluster", "source", `, "spec": {"url": "https://api.source.example.com:6443"}`)
	images  = `{"kind": "ImageStream", "metadata": {"name": "is", "namespace": "app"}}`
	intact  = object("MigrationController", "migration-controller", "")
	cluster = []string{host, source, images}
)

func stream(items ...string) string {
	return `{"apiVersion": "v1", "kind": "List", "items": [` + strings.Join(items, ", ") + `]}`
}

// around adds the clusters and a plan "p" with that spec to objects.
func around(planSpec string, items ...string) string {
	return stream(append(append([]string{planObject("p", planSpec)}, cluster...), items...)...)
}

// element is a plan in JSON.
type element struct {
	Name, Namespace, Phase            *string
	Done                              *bool
	Itinerary                         string
	Flags, Unknown, Steps, MaybeSteps []string
	TentativeSteps                    []string
	Phases                            []phaseElement
}

type phaseElement struct {
	Name, Step, Runs string
	Rides, Tentative bool
	Why              *struct {
		Guard, Text      string
		Flags, DecidedBy []string
	}
}

func (e element) phase(t testing.TB, name string) phaseElement {
	t.Helper()
	for _, p := range e.Phases {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("there is no phase %s", name)
	return phaseElement{}
}

func elements(t testing.TB, text string) []element {
	t.Helper()
	var all []element
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(&all), text)
	return all
}
