package conformance

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// vector is one recorded run of mig-controller's itineraries.
type vector struct {
	Itinerary        string   `json:"itinerary"`
	Flags            []string `json:"flags"`
	StagePodsCreated bool     `json:"stagePodsCreated"`
	Phases           []string `json:"phases"`
	Steps            []string `json:"steps"`
}

func TestVectors(t *testing.T) {
	for i, v := range lines[vector](t, *vectorsFile) {
		t.Run(fmt.Sprintf("line %d, %s", i+1, v.Itinerary), func(t *testing.T) {
			r := drive(t, graph(t, v.Itinerary), known(t, v.Flags), v.StagePodsCreated)
			if diff := cmp.Diff(v.Phases, r.phases); diff != "" {
				t.Errorf("phases: -want +got\n%s", diff)
			}
			if diff := cmp.Diff(v.Steps, r.shown); diff != "" {
				t.Errorf("steps: -want +got\n%s", diff)
			}
			// All steps of the final pipeline have run and are completed.
			for _, s := range r.pipeline {
				require.NotNil(t, s.Started, s.Name)
				require.NotNil(t, s.Completed, s.Name)
				require.Equal(t, steps.MessageCompleted, s.Message)
			}
		})
	}
}

// The same runs in the runner; the harness checks the promises at every reconcile.
func TestVectorsInTheRunner(t *testing.T) {
	for i, v := range lines[vector](t, *vectorsFile) {
		if i%testscale.Of(1, 4) > 0 {
			continue
		}
		t.Run(fmt.Sprintf("line %d, %s", i+1, v.Itinerary), func(t *testing.T) {
			script := []machinetest.Line{machinetest.Flags(v.Flags...)}
			if v.StagePodsCreated && slices.Contains(v.Phases, "EnsureStagePodsFromRunning") {
				script = append(script, machinetest.Decide("EnsureStagePodsFromRunning", "HasStagePods"))
			}
			if slices.Contains(v.Phases, "EnsureStagePodsTerminated") {
				script = append(script, machinetest.Decide("EnsureStagePodsTerminated", "!HasStagePods"))
			}
			life := machinetest.New(t, machinetest.NewScripted(machinetest.Script{Itineraries: itineraries, Itinerary: v.Itinerary}))
			life.Run(script...)
			life.WantPhases(v.Itinerary, v.Phases...)
			seen := map[string]bool{}
			for _, p := range life.Record().Pipelines() {
				for _, s := range p {
					seen[s.Name] = true
				}
			}
			var shown []string
			for _, name := range graph(t, v.Itinerary).Steps() {
				if seen[name] {
					shown = append(shown, name)
				}
			}
			if diff := cmp.Diff(v.Steps, shown); diff != "" {
				t.Errorf("steps: -want +got\n%s", diff)
			}
		})
	}
}

type ran struct {
	phases   []string
	shown    []string // all steps that were visible during the run, in the itinerary's order
	pipeline steps.Pipeline
}

// drive runs a migration as a controller would: after each phase that decides flags it
// evaluates them and replans, and it syncs the pipeline at every transition.
func drive(t *testing.T, g *machine.Graph, f phases.Facts, stagePodsCreated bool) ran {
	t.Helper()
	m, err := g.NewMachine(machine.Position{}, f)
	require.NoError(t, err)
	var r ran
	plan := m.Plan()
	seen := map[string]bool{}
	now := time.Date(2021, 2, 4, 12, 0, 0, 0, time.UTC)
	sync := func() {
		now = now.Add(time.Second)
		r.pipeline = steps.Sync(r.pipeline, steps.Snapshot{Plan: plan}, now)
		for _, s := range r.pipeline {
			require.False(t, s.Skipped)
			seen[s.Name] = true
		}
	}
	sync()
	for {
		switch m.Position().Phase {
		case "EnsureStagePodsFromRunning":
			if stagePodsCreated {
				f = f.Set(mtc.HasStagePods, phases.True)
			}
		case "EnsureStagePodsTerminated":
			f = f.Set(mtc.HasStagePods, phases.False)
		}
		if m.Decides() != 0 {
			m.SetFacts(f)
		}
		tr, err := m.Advance(context.Background())
		require.NoError(t, err)
		plan = m.Plan()
		sync()
		r.phases = append(r.phases, tr.To.Phase)
		if tr.To.Done { // by the end phase
			break
		}
	}
	for _, name := range g.Steps() {
		if seen[name] {
			r.shown = append(r.shown, name)
		}
	}
	return r
}
