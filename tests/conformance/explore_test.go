package conformance

import (
	"flag"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

var whole = flag.Bool("whole", false, "explore Final with all of its flags, which takes some minutes")

// onFail and onCancel describe mig-controller's selector. switches holds those of its
// choices that take effect: a cleanup itinerary is never left for Failed.
var (
	onFail   = map[string]string{mtc.Stage: mtc.Failed, mtc.Final: mtc.Failed, mtc.Rollback: mtc.Failed, mtc.Cancel: mtc.Failed}
	onCancel = map[string]string{mtc.Stage: mtc.Cancel, mtc.Final: mtc.Cancel, mtc.Rollback: mtc.Cancel}
	switches = map[string][]string{
		mtc.Stage: {mtc.Failed, mtc.Cancel}, mtc.Final: {mtc.Failed, mtc.Cancel}, mtc.Rollback: {mtc.Cancel},
	}
)

// TestExplore explores the lives of MTC's five itineraries, with both values of decided
// flags, a failure at each phase, and a cancel at each moment, even in the middle of a
// phase. The flags that exploration fixes take one value; for Final without -whole, and if
// failures are ignored, those of alsoFixed too. All others take every assignment that the
// relations allow.
func TestExplore(t *testing.T) {
	for _, name := range itineraries.Names() {
		if testscale.Reduced && (name == mtc.Final || name == mtc.Rollback) {
			continue // the others suffice
		}
		t.Run(name, func(t *testing.T) {
			x := exploration(name, !*whole)
			if testscale.Reduced || name == mtc.Final && !*whole {
				x.Fixed = append(x.Fixed, alsoFixed(name)...)
			}
			script := machinetest.Script{Itineraries: itineraries, Itinerary: name, OnFail: onFail, OnCancel: onCancel}
			x.Setup = machinetest.NewScripted(script)
			x.Switches = switches
			if testscale.Reduced {
				x.MaxStates, x.MayBeInconclusive = 300, true
			}
			if x.Setup.Edits["cancel"] != nil {
				x.Edits = []string{"cancel"}
			}
			report(t, machinetest.Explore(t, x))
		})
		// The same with a selector that ignores failures: outside a cleanup
		// itinerary, a failure then stops the run.
		if testscale.Reduced {
			continue
		}
		t.Run("failures ignored, "+name, func(t *testing.T) {
			x := exploration(name, true)
			x.Fixed = append(x.Fixed, alsoFixed(name)...)
			x.Setup = machinetest.NewScripted(machinetest.Script{Itineraries: itineraries, Itinerary: name})
			x.Switches = map[string][]string{}
			report(t, machinetest.Explore(t, x))
		})
	}
}

// indirect returns the exploration of Stage for indirect migrations only.
func indirect() machinetest.Exploration[*machinetest.Object, struct{}] {
	x := exploration(mtc.Stage, true)
	x.Fixed = []string{"Quiesce", "IndirectImage", "IndirectVolume", "EnableImage", "EnableVolume", "!StorageConversion", "!RollingBack"}
	x.NeverCalled = []string{"CreateDirectImageMigration", "WaitForDirectImageMigrationToComplete", "DeleteDirectImageMigrationResources",
		"CreateDirectVolumeMigrationStage", "WaitForDirectVolumeMigrationToComplete", "DeleteDirectVolumeMigrationResources", "SwapPVCReferences"}
	return x
}

// TestExploreCancelTakenBack explores a cancel of Stage that the user takes back at
// any moment: the selector then names Stage again.
func TestExploreCancelTakenBack(t *testing.T) {
	x := indirect() // the others would add nothing
	x.Setup = machinetest.NewScripted(machinetest.Script{Itineraries: itineraries, Itinerary: mtc.Stage})
	x.Setup.Edits["cancel"] = func(o *machinetest.Object) { o.Itinerary = mtc.Cancel }
	x.Setup.Edits["take back"] = func(o *machinetest.Object) { o.Itinerary = mtc.Stage }
	x.Edits, x.Failures = []string{"cancel", "take back"}, -1
	x.Switches = map[string][]string{mtc.Stage: {mtc.Cancel}} // but not back
	var switchHeld atomic.Int64
	x.Setup.Invariants = []machinetest.Invariant[*machinetest.Object, struct{}]{{Name: "Cancel is not left once it has begun",
		Check: func(s machinetest.Snapshot[*machinetest.Object, struct{}]) error {
			for _, left := range s.State.Switches {
				if left.From == mtc.Cancel && left.Phase != "" {
					return fmt.Errorf("Cancel was left for %s at %s", left.To, left.Phase)
				}
			}
			if s.State.SwitchHeld == mtc.Stage {
				switchHeld.Add(1)
			}
			return nil
		}}}
	report(t, machinetest.Explore(t, x))
	require.Positive(t, switchHeld.Load())
}

// If a cancel is taken back at any phase of Cancel, it still finishes. One event
// reports that Stage is selected in vain, even if the run is done already.
func TestCancelTakenBack(t *testing.T) {
	yes := mtc.IndirectImage | mtc.IndirectVolume | mtc.HasPVs | mtc.HasStageBackup | mtc.HasStagePods
	g := graph(t, mtc.Cancel)
	all := g.Plan(phases.NewFacts(yes, mtc.Vocabulary().All()&^yes)).Running()
	require.Greater(t, len(all), 5)
	for _, at := range append(working(g, all), machinetest.End) {
		t.Run(at, func(t *testing.T) {
			s := machinetest.NewScripted(machinetest.Script{Itineraries: itineraries, Itinerary: mtc.Stage, OnCancel: onCancel})
			s.Edits["take back"] = func(o *machinetest.Object) { o.Itinerary = mtc.Stage }
			life := machinetest.New(t, s)
			life.Run(machinetest.Flags(mtc.Vocabulary().Names(yes)...),
				machinetest.Edit("EnsureStagePodsFromRunning", "cancel").In(mtc.Stage),
				machinetest.Edit(at, "take back").In(mtc.Cancel))
			life.WantPhases(mtc.Cancel, all...)
			require.Equal(t, phases.Canceled, life.State().Result)
			require.Equal(t, mtc.Stage, life.State().SwitchHeld)
			var events []runner.SwitchHeld
			for _, event := range life.Record().Events {
				if e, ok := event.(runner.SwitchHeld); ok {
					events = append(events, e)
				}
			}
			require.Len(t, events, 1)
			require.Equal(t, mtc.Stage, events[0].Selected)
			require.Equal(t, at == machinetest.End, events[0].Done)
		})
	}
}

// TestExploreWarm explores every life without a failure of forklift's warm migration, which loops until
// the cutover is due.
func TestExploreWarm(t *testing.T) {
	setup := machinetest.NewScripted(machinetest.Script{Itineraries: machine.MustCompileSet(warm(t)), Itinerary: "Warm"})
	r := machinetest.Explore(t, machinetest.Exploration[*machinetest.Object, struct{}]{
		Setup: setup, Failures: -1, Workers: 2, Exact: true,
		MaxStates: testscale.Of(0, 300), MayBeInconclusive: testscale.Reduced,
	})
	t.Log(r)
	require.Equal(t, testscale.Reduced, r.Inconclusive)
	require.Greater(t, r.States, testscale.Of(1000, 299))
}

// exploration returns the exploration of one itinerary. If few, it fixes those flags
// of Final that guard only one phase and on which no other flag depends.
func exploration(name string, few bool) machinetest.Exploration[*machinetest.Object, struct{}] {
	x := machinetest.Exploration[*machinetest.Object, struct{}]{MaxStates: 1_000_000, Workers: 2}
	if name == mtc.Final && few {
		x.Fixed = []string{"HasPreBackupHooks", "HasPostBackupHooks", "HasPreRestoreHooks", "HasPostRestoreHooks", "HasVerify"}
	}
	// A rollback is never on Stage or Final. Cancel and Rollback explore both values.
	if name == mtc.Stage || name == mtc.Final {
		x.Fixed = append(x.Fixed, "!RollingBack")
	}
	return x
}

// alsoFixed returns two more flags of Stage and Final that can be fixed: all phases are
// still entered in some life.
func alsoFixed(name string) []string {
	if name == mtc.Stage || name == mtc.Final {
		return []string{"EnableVolume", "Quiesce"}
	}
	return nil
}

func report(t *testing.T, r *machinetest.Report) {
	t.Helper()
	t.Log(r)
	for _, f := range r.Found {
		t.Log(f)
		if !f.Reproduced {
			t.Error("a life with that script does not break the same invariant")
		}
	}
}
