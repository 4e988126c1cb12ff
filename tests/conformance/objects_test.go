package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// wanted is what is recorded of one migration.
type wanted struct {
	Name      string   `json:"name"`
	Itinerary string   `json:"itinerary"`
	Flags     []string `json:"flags"`
	Phases    []string `json:"phases"`
	Steps     []string `json:"steps"`
}

func wants(t *testing.T) map[string]wanted {
	t.Helper()
	all := map[string]wanted{}
	for _, w := range lines[wanted](t, *wantFile) {
		all[w.Name] = w
	}
	return all
}

// objects are the objects of the List, by kind and then by name.
type objects struct {
	migrations   []*mtc.Migration
	plans        map[mtc.Ref]*mtc.Plan
	clusters     map[mtc.Ref]*mtc.Cluster
	imageStreams mtc.ReadImageStreams
}

func readObjects(t *testing.T) objects {
	t.Helper()
	data, err := os.ReadFile(*objectsFile)
	require.NoError(t, err)
	var list struct{ Items []json.RawMessage }
	require.NoError(t, json.Unmarshal(data, &list))
	o := objects{plans: map[mtc.Ref]*mtc.Plan{}, clusters: map[mtc.Ref]*mtc.Cluster{}, imageStreams: mtc.ReadImageStreams{}}
	for _, item := range list.Items {
		var kind struct{ Kind string }
		require.NoError(t, json.Unmarshal(item, &kind))
		switch kind.Kind {
		case mtc.KindMigration:
			m, err := mtc.Decode[mtc.Migration](item)
			require.NoError(t, err)
			o.migrations = append(o.migrations, m)
		case mtc.KindPlan:
			p, err := mtc.Decode[mtc.Plan](item)
			require.NoError(t, err)
			o.plans[p.Metadata] = p
		case mtc.KindCluster:
			c, err := mtc.Decode[mtc.Cluster](item)
			require.NoError(t, err)
			o.clusters[c.Metadata] = c
		case mtc.KindImageStream:
			i, err := mtc.Decode[mtc.ImageStream](item)
			require.NoError(t, err)
			o.imageStreams[i.Metadata.Namespace] = true
		}
	}
	return o
}

func TestObjectsThroughTheLibrary(t *testing.T) {
	o, want := readObjects(t), wants(t)
	require.Len(t, o.migrations, len(want))
	for _, m := range o.migrations {
		t.Run(m.Metadata.Name, func(t *testing.T) {
			plan := o.plans[m.Spec.PlanRef]
			require.NotNil(t, plan)
			answer := mtc.Sources(mtc.Objects{
				Migration: m, Plan: plan,
				Source: o.clusters[plan.Spec.SourceRef], Destination: o.clusters[plan.Spec.DestinationRef],
				ImageStreams: o.imageStreams,
			}).Ask(context.Background(), phases.Question{Read: mtc.Flags().All()})
			require.NoError(t, answer.Err())
			p := graph(t, mtc.Select(m)).Plan(answer.Facts)
			got := wanted{
				Name: m.Metadata.Name, Itinerary: p.Graph().Name(), Flags: mtc.Flags().Names(answer.Facts.True()),
				Phases: p.Running(), Steps: steps.Visible(p),
			}
			if diff := cmp.Diff(want[m.Metadata.Name], got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// build builds the command, and returns where it is.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "dynamic-pipeline")
	cmd := exec.Command("go", "build", "-o", binary, ".")
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return binary
}

// The same through the command, built and run as a user would.
func TestObjectsThroughTheCommand(t *testing.T) {
	file, err := filepath.Abs(*objectsFile)
	require.NoError(t, err)
	binary := build(t)
	cmd := exec.Command(binary, "plan", "-f", file, "-o", "json")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(t, cmd.Run(), "%s", stderr.String())
	require.Empty(t, stderr.String())
	var plans []struct {
		Name, Itinerary string
		Flags, Unknown  []string
		Phases          []struct{ Name, Runs string }
		Steps           []string
		MaybeSteps      []string
	}
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &plans))
	want := wants(t)
	require.Len(t, plans, len(want))
	for _, p := range plans {
		got := wanted{Name: p.Name, Itinerary: p.Itinerary, Flags: p.Flags, Steps: p.Steps}
		for _, phase := range p.Phases {
			if phase.Runs == "yes" {
				got.Phases = append(got.Phases, phase.Name)
			}
		}
		if diff := cmp.Diff(want[p.Name], got); diff != "" {
			t.Errorf("%s: -want +got\n%s", p.Name, diff)
		}
		require.Empty(t, p.Unknown)
		require.Empty(t, p.MaybeSteps)
	}
}
