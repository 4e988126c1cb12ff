package whole

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/api"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/controller"
	"github.com/konveyor/dynamic-pipeline/tests/adopt/big-switch/world"
)

// migration is kept as JSON, without the staging of conditions during a
// reconcile.
type migration struct{ api.MigMigration }

func (m *migration) MarshalJSON() ([]byte, error)    { return json.Marshal(&m.MigMigration) }
func (m *migration) UnmarshalJSON(text []byte) error { return json.Unmarshal(text, &m.MigMigration) }

// clusters is the environment of the switch: a plan, and whether the source
// applications are scaled down.
type clusters struct {
	Plan     world.Plan
	Quiesced bool
}

// optionsOn returns the options of production, with a new task in the clusters
// for each call.
func optionsOn(c *clusters) runner.Options[*migration] {
	o := options(time.Now)
	work := o.Handler
	o.Handler = runner.VisitFunc[run](func(ctx context.Context, r run, v runner.Visit) (runner.Result, error) {
		result, err := work.Handle(ctx, r, v)
		switch v.Phase {
		case mtc.PhaseQuiesceSourceApplications:
			c.Quiesced = true
		case mtc.PhaseUnQuiesceSrcApplications:
			c.Quiesced = false
		}
		return result, err
	})
	return runner.Adapt(o, func(m *migration) run {
		return run{&m.MigMigration, &controller.Task{Owner: &m.MigMigration, World: world.New(world.Script{Plan: c.Plan})}}
	})
}

// setFlag changes the input of a flag's function. Flags come in their
// order, so HasStageBackup finds the others set already.
func setFlag(m *migration, c *clusters, flag string, value bool) error {
	p := &c.Plan
	without := func(action, method string) {
		p.Volumes = slices.DeleteFunc(p.Volumes, func(v world.Volume) bool { return v.Action == action && v.CopyMethod == method })
	}
	volume := func(action, method string) {
		if without(action, method); value {
			p.Volumes = append(p.Volumes, world.Volume{Action: action, CopyMethod: method})
		}
	}
	switch flag {
	case "Quiesce":
		m.Spec.QuiescePods = value
	case "HasVerify":
		m.Spec.Verify = value
	case "RollingBack":
		m.Spec.Rollback = value
	case "HasStagePods":
		if m.Status.Delete(api.StagePodsCreated); value {
			m.Status.Set(api.Condition{Type: api.StagePodsCreated, Durable: true})
		}
	case "HasPVs":
		volume("copy", "other")
	case "HasISs":
		p.ImageStreams = value
	case "DirectImage":
		p.IndirectImage = !value
	case "IndirectImage":
		p.IndirectImage = value
	case "DirectVolume":
		volume("copy", "filesystem")
	case "IndirectVolume":
		p.IndirectVolume = value
	case "HasStageBackup":
		if without("move", ""); p.IndirectImage && p.ImageStreams || p.IndirectVolume && len(p.Volumes) > 0 {
			return nil // no volume of its own is needed
		}
		volume("move", "")
	case "EnableImage":
		p.ExcludeImages = !value
	case "EnableVolume":
		p.ExcludeVolumes = !value
	case "LiveVmMigration":
		p.LiveMigrate = value
	case "StorageConversion":
		p.SameCluster = value
	default: // a hook
		p.Hooks[map[string]string{
			"HasPreBackupHooks": mtc.PhasePreBackupHooks, "HasPostBackupHooks": mtc.PhasePostBackupHooks,
			"HasPreRestoreHooks": mtc.PhasePreRestoreHooks, "HasPostRestoreHooks": mtc.PhasePostRestoreHooks,
		}[flag]] = value
	}
	return nil
}

// ends must hold of each migration at its end.
var ends = machinetest.Invariant[*migration, clusters]{Name: "a migration ends as its status reads", Check: checkEnd}

func checkEnd(s machinetest.Snapshot[*migration, clusters]) error {
	m, result := s.Object, s.State.Result
	switch {
	case !s.State.Done:
		return nil
	case m.Status.Has(api.Failed) != (len(m.Status.Errors) > 0):
		return fmt.Errorf("the condition Failed and the errors %q differ", m.Status.Errors)
	case result == phases.Failed && !m.Status.Has(api.Failed):
		return fmt.Errorf("it is %s, and the condition Failed is missing", result)
	case result == phases.Succeeded && m.Spec.Canceled:
		return errors.New("it has succeeded although it was canceled")
	case m.Status.Has(api.Canceling):
		return fmt.Errorf("it is %s, and still canceling", result)
	case result == phases.Canceled && s.World.Quiesced:
		return errors.New("it is canceled, and the source applications stay scaled down")
	}
	return nil
}

// The exploration runs the switch with the options of production, for a
// migration with hooks that quiesces. It takes images both ways, and volumes
// one way in each itinerary. A cancel comes at every moment or, in other
// lives, a failure and a crash at every phase; both in one life would be too
// many lives.
func TestExploreMigrations(t *testing.T) {
	// Stage pods are for volumes that travel through a backup.
	direct := []string{mtc.PhaseEnsureStagePodsFromRunning, mtc.PhaseEnsureStagePodsFromTemplates, mtc.PhaseEnsureStagePodsFromOrphanedPVCs,
		mtc.PhaseStagePodsCreated, mtc.PhaseRestartRestic, mtc.PhaseEnsureStagePodsDeleted, mtc.PhaseEnsureStagePodsTerminated,
		mtc.PhaseSwapPVCReferences}
	indirect := []string{mtc.PhaseCreateDirectVolumeMigrationStage, mtc.PhaseWaitForDirectVolumeMigrationToComplete,
		mtc.PhaseDeleteDirectVolumeMigrationResources, mtc.PhaseSwapPVCReferences}
	for _, c := range []struct {
		name, itinerary, next, volumes string
		edits                          []string
		faults                         int // failures, and crashes
		never                          []string
	}{
		{"a final migration is canceled", mtc.Final, mtc.Cancel, "DirectVolume", []string{"cancel"}, -1, direct},
		{"a final migration fails", mtc.Final, mtc.Failed, "DirectVolume", nil, 1, direct},
		{"a stage migration is canceled", mtc.Stage, mtc.Cancel, "IndirectVolume", []string{"cancel"}, -1, indirect},
		{"a stage migration fails", mtc.Stage, mtc.Failed, "IndirectVolume", nil, 1, indirect},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Log(machinetest.Explore(t, machinetest.Exploration[*migration, clusters]{
				Setup: machinetest.Setup[*migration, clusters]{
					Options: optionsOn, SetFlag: setFlag, Invariants: []machinetest.Invariant[*migration, clusters]{ends},
					Object: &migration{api.MigMigration{Spec: api.Spec{Stage: c.itinerary == mtc.Stage}}},
					World:  clusters{Plan: world.Plan{PodsToStage: true, Hooks: map[string]bool{}}},
					Edits:  map[string]func(*migration){"cancel": func(m *migration) { m.Spec.Canceled = true }},
				},
				Fixed: []string{c.volumes, "Quiesce", "HasPVs", "HasISs", "HasStageBackup", "HasVerify", "EnableImage", "EnableVolume",
					"HasPreBackupHooks", "HasPostBackupHooks", "HasPreRestoreHooks", "HasPostRestoreHooks",
					"!HasStagePods", "!RollingBack", "!StorageConversion", "!LiveVmMigration"},
				Edits: c.edits, Failures: c.faults, Crashes: c.faults, Switches: map[string][]string{c.itinerary: {c.next}}, NeverCalled: c.never,
				// The refresh finds what was there, and pods are created if
				// there is something to stage.
				Settled: []string{mtc.PhaseWaitForRefresh, mtc.PhaseEnsureStagePodsFromRunning,
					mtc.PhaseEnsureStagePodsFromTemplates, mtc.PhaseEnsureStagePodsFromOrphanedPVCs},
				MaxStates: testscale.Of(0, 150), MayBeInconclusive: testscale.Reduced,
			}))
		})
	}
}
