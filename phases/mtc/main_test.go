package mtc_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testdata returns a recorded file of the conformance tests.
func testdata(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "tests", "conformance", "testdata", name))
	require.NoError(t, err)
	return data
}

// recorded holds the objects of objects.json, by kind.
type recorded struct {
	migrations []*mtc.Migration // in the order of the file
	plans      map[mtc.Ref]*mtc.Plan
	clusters   map[mtc.Ref]*mtc.Cluster
	streams    mtc.ReadImageStreams
	raw        map[mtc.Ref][]byte
}

func readRecorded(t testing.TB) recorded {
	t.Helper()
	var list struct{ Items []json.RawMessage }
	require.NoError(t, json.Unmarshal(testdata(t, "objects.json"), &list))
	r := recorded{
		plans:    map[mtc.Ref]*mtc.Plan{},
		clusters: map[mtc.Ref]*mtc.Cluster{},
		streams:  mtc.ReadImageStreams{Namespaces: map[string]bool{}},
		raw:      map[mtc.Ref][]byte{},
	}
	for _, item := range list.Items {
		var head struct{ Kind string }
		require.NoError(t, json.Unmarshal(item, &head))
		switch head.Kind {
		case mtc.KindMigration:
			m := decode[mtc.Migration](t, item)
			r.migrations = append(r.migrations, m)
			r.raw[m.Metadata] = item
		case mtc.KindPlan:
			p := decode[mtc.Plan](t, item)
			r.plans[p.Metadata] = p
			r.raw[p.Metadata] = item
		case mtc.KindCluster:
			c := decode[mtc.Cluster](t, item)
			r.clusters[c.Metadata] = c
			r.raw[c.Metadata] = item
		case mtc.KindImageStream:
			r.streams.Namespaces[decode[mtc.ImageStream](t, item).Metadata.Namespace] = true
		default:
			t.Fatalf("unexpected kind %q", head.Kind)
		}
	}
	return r
}

// objects returns the objects of one migration.
func (r recorded) objects(m *mtc.Migration) mtc.Objects {
	p := r.plans[m.Spec.PlanRef]
	return mtc.Objects{
		Migration:    m,
		Plan:         p,
		Source:       r.clusters[p.Spec.SourceRef],
		Destination:  r.clusters[p.Spec.DestinationRef],
		ImageStreams: r.streams,
	}
}

// want is a line of objects.want.jsonl. It lists upstream's flags: all except
// RollingBack.
type want struct {
	Name, Itinerary string
	Flags, Phases   []string
}

func readWants(t testing.TB) map[string]want {
	t.Helper()
	wants := map[string]want{}
	for line := range strings.Lines(string(testdata(t, "objects.want.jsonl"))) {
		var w want
		require.NoError(t, json.Unmarshal([]byte(line), &w))
		wants[w.Name] = w
	}
	return wants
}

func decode[T mtc.Decodable](t testing.TB, data []byte) *T {
	t.Helper()
	object, err := mtc.Decode[T](data)
	require.NoError(t, err)
	return object
}

// ask evaluates all flags.
func ask(t testing.TB, o mtc.Objects) phases.Evaluation {
	t.Helper()
	return sources(t, o).Evaluate(t.Context(), phases.Request{Read: mtc.Vocabulary().All()})
}

func sources(t testing.TB, o mtc.Objects, overrides ...phases.Source) *phases.Sources {
	t.Helper()
	s, err := mtc.Sources(o, overrides...)
	require.NoError(t, err)
	return s
}
