package conformance

import (
	"bufio"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

const releasesDefault = "testdata/mtc-releases.jsonl"

var (
	vectorsFile  = flag.String("vectors", "testdata/vectors.jsonl", "recorded runs, a line each")
	objectsFile  = flag.String("objects", "testdata/objects.json", "a List of objects")
	wantFile     = flag.String("want", "testdata/objects.want.jsonl", "expected results of the migrations in -objects, a line each")
	releasesFile = flag.String("releases", releasesDefault, "itineraries of earlier releases, a line for each family of releases")
	legacyFile   = flag.String("legacy", "", "statuses of an earlier release, a line each (default: both of testdata)")
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// itineraries are MTC's, compiled once for all tests.
var itineraries = machine.MustCompileSet(mtc.Itineraries()...)

func graph(t testing.TB, name string) *machine.Graph {
	t.Helper()
	g, err := itineraries.Graph(name)
	require.NoError(t, err)
	return g
}

// known returns the facts in which these flags are true and all others false.
func known(t testing.TB, names []string) phases.Facts {
	t.Helper()
	yes, err := mtc.Vocabulary().Parse(names...)
	require.NoError(t, err)
	return phases.NewFacts(yes, mtc.Vocabulary().All()&^yes)
}

// working returns the given phases of an itinerary without end phases, which do no
// work.
func working(g *machine.Graph, names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		i, err := g.Lookup(name)
		return err == nil && g.IsEnd(i)
	})
}

// lines reads a file of JSON lines, one T each. An empty file is an error, since a
// test of it would pass.
func lines[T any](t *testing.T, file string) []T {
	t.Helper()
	var all []T
	for _, line := range rawLines(t, file) {
		var one T
		require.NoError(t, json.Unmarshal(line, &one), "%s: line %d", file, len(all)+1)
		all = append(all, one)
	}
	return all
}

func rawLines(t *testing.T, file string) [][]byte {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	var all [][]byte
	s := bufio.NewScanner(f)
	s.Buffer(nil, 16<<20)
	for s.Scan() {
		if len(s.Bytes()) > 0 {
			all = append(all, append([]byte(nil), s.Bytes()...))
		}
	}
	require.NoError(t, s.Err())
	require.NotEmpty(t, all, "%s has no lines", file)
	return all
}
