package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/legacy"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// rollingBack is the only flag that upstream, and thus the recording, does not have.
const rollingBack = "RollingBack"

// wanted is the recorded expectation for one migration.
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

// objects holds the objects of the List, by kind and name.
type objects struct {
	migrations   []*mtc.Migration
	statuses     map[mtc.Ref]json.RawMessage
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
	o := objects{
		statuses: map[mtc.Ref]json.RawMessage{}, plans: map[mtc.Ref]*mtc.Plan{}, clusters: map[mtc.Ref]*mtc.Cluster{},
		imageStreams: mtc.ReadImageStreams{Namespaces: map[string]bool{}},
	}
	for _, item := range list.Items {
		var kind struct {
			Kind   string
			Status json.RawMessage
		}
		require.NoError(t, json.Unmarshal(item, &kind))
		switch kind.Kind {
		case mtc.KindMigration:
			m, err := mtc.Decode[mtc.Migration](item)
			require.NoError(t, err)
			o.migrations = append(o.migrations, m)
			o.statuses[m.Metadata] = kind.Status
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
			o.imageStreams.Namespaces[i.Metadata.Namespace] = true
		}
	}
	return o
}

// started returns the present names of the started steps of a recorded status.
func started(t *testing.T, status json.RawMessage) []string {
	t.Helper()
	up, err := legacy.NewAdapter(itineraries, mtc.DataNames).Upgrade(status, nil)
	require.NoError(t, err)
	var now struct{ Pipeline steps.Pipeline }
	if len(up.Status) > 0 {
		require.NoError(t, json.Unmarshal(up.Status, &now))
	}
	var names []string
	for i := range now.Pipeline {
		if now.Pipeline[i].Ran() {
			names = append(names, now.Pipeline[i].Name)
		}
	}
	return names
}

func TestObjectsThroughTheLibrary(t *testing.T) {
	o, want := readObjects(t), wants(t)
	require.Len(t, o.migrations, len(want))
	for _, m := range o.migrations {
		t.Run(m.Metadata.Name, func(t *testing.T) {
			plan := o.plans[m.Spec.PlanRef]
			require.NotNil(t, plan)
			sources, err := mtc.Sources(mtc.Objects{
				Migration: m, Plan: plan,
				Source: o.clusters[plan.Spec.SourceRef], Destination: o.clusters[plan.Spec.DestinationRef],
				ImageStreams: o.imageStreams,
			})
			require.NoError(t, err)
			answer := sources.Evaluate(context.Background(), phases.Request{Read: mtc.Vocabulary().All()})
			require.NoError(t, answer.Err())
			p := graph(t, mtc.Current(m)).Plan(answer.Facts)
			got := wanted{
				Name: m.Metadata.Name, Itinerary: p.Graph().Name(), Flags: mtc.Vocabulary().Names(answer.Facts.True() &^ mtc.RollingBack),
				Phases: p.Running(), Steps: started(t, o.statuses[m.Metadata]),
			}
			for _, name := range steps.Visible(p) {
				if !slices.Contains(got.Steps, name) {
					got.Steps = append(got.Steps, name)
				}
			}
			if diff := cmp.Diff(want[m.Metadata.Name], got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// build builds the command and returns its path.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "dynamic-pipeline")
	cmd := exec.Command("go", "build", "-o", binary, ".")
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return binary
}

// The same as a user would do it, by building and running the command.
func TestObjectsThroughTheCommand(t *testing.T) {
	file, err := filepath.Abs(*objectsFile)
	require.NoError(t, err)
	binary := build(t)
	cmd := exec.Command(binary, "plan", "-f", file, "-o", "json")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(t, cmd.Run(), "%s", stderr.String())
	for _, line := range strings.Split(strings.TrimSpace(stderr.String()), "\n") {
		if line != "" && !strings.Contains(line, ": note: ") {
			t.Errorf("the command printed: %s", line)
		}
	}
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
		upstream := slices.DeleteFunc(p.Flags, func(name string) bool { return name == rollingBack })
		got := wanted{Name: p.Name, Itinerary: p.Itinerary, Flags: upstream, Steps: p.Steps}
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
