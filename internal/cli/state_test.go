package cli_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/command"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// ownMigration is a MigMigration that a controller with this project's runner reconciles.
type ownMigration struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec   map[string]any `json:"spec"`
	Status ownStatus      `json:"status"`
}

type ownStatus struct {
	Itinerary string         `json:"itinerary,omitempty"`
	Phase     string         `json:"phase,omitempty"`
	Errors    []string       `json:"errors,omitempty"`
	Pipeline  steps.Pipeline `json:"pipeline,omitempty"`
}

// JSON returns the object as kubectl prints it.
func (m *ownMigration) JSON(t *testing.T) string {
	t.Helper()
	text, err := json.Marshal(m)
	require.NoError(t, err)
	return string(text)
}

// runUntil runs a migration of plan "p" until it waits in a phase. The named flags are
// true.
func runUntil(t *testing.T, m *ownMigration, phase, flags string) {
	t.Helper()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	v := mtc.Vocabulary()
	yes, err := v.Parse(strings.Split(flags, ",")...)
	require.NoError(t, err)
	r, err := runner.New(runner.Options[*ownMigration]{
		Itineraries: machine.MustCompileSet(mtc.Itineraries()...),
		Select: func(_ context.Context, m *ownMigration) (string, error) {
			one, err := mtc.Decode[mtc.Migration]([]byte(m.JSON(t)))
			if err != nil {
				return "", err
			}
			return mtc.Select(one), nil
		},
		Sources: func(context.Context, *ownMigration) (*phases.Sources, error) {
			var all []phases.Source
			for flag := range v.All().Each {
				all = append(all, phases.SourceOf(flag, phases.TruthOf(yes.Has(flag))))
			}
			return phases.NewSources(v, all...)
		},
		Storage: runner.NewAnnotationStorage(command.StateAnnotation, runner.Fields[*ownMigration]{
			Pipeline:  func(m *ownMigration) *steps.Pipeline { return &m.Status.Pipeline },
			Itinerary: func(m *ownMigration) *string { return &m.Status.Itinerary },
			Phase:     func(m *ownMigration) *string { return &m.Status.Phase },
		}),
		Handler: runner.VisitFunc[*ownMigration](func(_ context.Context, _ *ownMigration, v runner.Visit) (runner.Result, error) {
			if v.Phase == phase {
				return runner.Wait(time.Minute, "waiting"), nil
			}
			return runner.Done(), nil
		}),
		Now: func() time.Time { return now },
	})
	require.NoError(t, err)
	for range 100 {
		_, err := r.Reconcile(t.Context(), m)
		require.NoError(t, err)
		if m.Status.Phase == phase {
			return
		}
		now = now.Add(time.Second)
	}
	require.Fail(t, "the phase is not reached", "%s: %+v", phase, m.Status)
}

func newOwn(name string) *ownMigration {
	m := &ownMigration{Spec: map[string]any{"migPlanRef": map[string]any{"name": "p", "namespace": "ns"}}}
	m.APIVersion, m.Kind, m.Name, m.Namespace = "migration.openshift.io/v1alpha1", "MigMigration", name, "ns"
	return m
}

// The flags of a migration with a state are the recorded ones. Differing flags of the
// objects are noted, and --today uses them.
func TestStateRecordsFlags(t *testing.T) {
	m := newOwn("m")
	m.Spec["quiescePods"] = true
	runUntil(t, m, "WaitForRegistriesReady", "IndirectImage,EnableImage,HasISs,HasStageBackup,Quiesce")
	objects := around("", m.JSON(t)) // the current plan copies images directly

	r := run(t, objects, "plan", "-f", "-", "-o", "json")
	assert.Equal(t, 0, r.code, r.stderr)
	e := elements(t, r.out)[0]
	assert.Equal(t, "WaitForRegistriesReady", *e.Phase)
	assert.Contains(t, e.Flags, "IndirectImage")
	assert.NotContains(t, e.Flags, "DirectImage")
	assert.Contains(t, e.Steps, "DataBackup")
	assert.NotContains(t, e.Steps, "DirectImage")
	require.Len(t, r.lines(t), 1)
	assert.Regexp(t,
		`^note: MigMigration ns/m: the objects give .*IndirectImage=false.* today; the run uses its recorded flags \(plan --today uses `+
			`the objects\)$`,
		r.lines(t)[0])

	e = elements(t, run(t, objects, "plan", "-f", "-", "--today", "-o", "json").out)[0]
	assert.Contains(t, e.Flags, "DirectImage")
	assert.Contains(t, e.Steps, "DirectImage")

	// Recorded flags need neither the plan nor the clusters.
	alone := run(t, m.JSON(t), "plan", "-f", "-", "-o", "json")
	assert.Equal(t, 0, alone.code, alone.stderr)
	assert.Contains(t, elements(t, alone.out)[0].Steps, "DataBackup")
	assert.Empty(t, alone.stderr)

	// Nor does resuming the run.
	r = run(t, m.JSON(t), "run", "-f", "-")
	assert.Equal(t, 0, r.code, r.stderr)
	assert.Contains(t, r.out, "DataBackup        completed")
}

// If the status selects another itinerary than it records, the runner's rules decide for a
// migration with a state, and mig-controller's for one without.
func TestStateSelectsItinerary(t *testing.T) {
	for _, tt := range []struct {
		about             string
		itinerary, phase  string
		spec              string
		errors            []string
		itin, at          string // with a state
		legacyItin, legAt string // without
	}{
		{"it is where it was", "Final", "EnsureInitialBackup", "", nil, "Final", "EnsureInitialBackup", "Final", "EnsureInitialBackup"},
		{"it is canceled", "Final", "EnsureInitialBackup", "canceled", nil, "Cancel", "", "Cancel", ""},
		{"it failed", "Final", "EnsureInitialBackup", "", []string{"no space left"}, "Failed", "", "Failed", ""},
		{"a cancel that has errors continues", "Cancel", "DeleteBackups", "canceled", []string{"no space left"}, "Cancel", "DeleteBackups", "Failed", ""},
		{"a cancel is not taken back", "Cancel", "DeleteBackups", "", nil, "Cancel", "DeleteBackups", "Final", ""},
	} {
		t.Run(tt.about, func(t *testing.T) {
			m := newOwn("m")
			m.Spec["canceled"] = tt.itinerary == "Cancel"
			runUntil(t, m, tt.phase, "DirectImage")
			require.Equal(t, tt.itinerary, m.Status.Itinerary)
			m.Spec["canceled"] = tt.spec == "canceled"
			m.Status.Errors = tt.errors

			one := func() (itinerary, at string) {
				r := run(t, around("", m.JSON(t)), "plan", "-f", "-", "-o", "json")
				e := elements(t, r.out)[0]
				assert.Equal(t, 0, r.code, r.stderr)
				for _, p := range e.Phases {
					if p.Why != nil && p.Why.Guard == "behind" {
						return e.Itinerary, *e.Phase
					}
				}
				return e.Itinerary, "" // no phase is behind: it begins
			}
			itinerary, at := one()
			assert.Equal(t, []string{tt.itin, tt.at}, []string{itinerary, at})
			m.Annotations = nil
			itinerary, at = one()
			assert.Equal(t, []string{tt.legacyItin, tt.legAt}, []string{itinerary, at}, "without a state")
		})
	}
}

// A state that cannot be read is a problem, and nothing is planned by mig-controller's
// rules, which do not apply.
func TestStateThatCannotBeRead(t *testing.T) {
	m := newOwn("m")
	runUntil(t, m, "EnsureInitialBackup", "DirectImage")
	m.Annotations[command.StateAnnotation] = "{}}"
	for _, command := range []string{"plan", "status"} {
		r := run(t, around("", m.JSON(t)), command, "-f", "-", "-o", "json")
		assert.Equal(t, 1, r.code)
		assert.Equal(t, []string{"MigMigration ns/m: annotation pipeline.konveyor.io/state: not the state of a run: it is not JSON"},
			r.lines(t))
		assert.Empty(t, elements(t, r.out))
	}
}

// convert replans the steps of a migration with a state from its recorded flags.
func TestConvertOfAMigrationWithAState(t *testing.T) {
	m := newOwn("m")
	runUntil(t, m, "WaitForRegistriesReady", "IndirectImage,EnableImage,HasISs,HasStageBackup,Quiesce")
	r := run(t, around("", m.JSON(t)), "convert", "--to", "current", "-f", "-")
	assert.Equal(t, 0, r.code, r.stderr)
	assert.Contains(t, r.out, `"name": "DataBackup"`)
	assert.NotContains(t, r.out, `"name": "DirectImage"`)
}
