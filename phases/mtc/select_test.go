package mtc_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

func TestSelect(t *testing.T) {
	condition := func(kind, status string) mtc.MigrationStatus {
		return mtc.MigrationStatus{Conditions: mtc.Conditions{{Type: kind, Status: status}}}
	}
	for _, tt := range []struct {
		name   string
		spec   mtc.MigrationSpec
		status mtc.MigrationStatus
		want   string
	}{
		{name: "nothing set", want: mtc.Final},
		{name: "stage", spec: mtc.MigrationSpec{Stage: true}, want: mtc.Stage},
		{name: "state migration", spec: mtc.MigrationSpec{MigrateState: true}, want: mtc.Stage},
		{name: "rollback before stage", spec: mtc.MigrationSpec{Rollback: true, Stage: true, MigrateState: true}, want: mtc.Rollback},
		{name: "cancel before rollback", spec: mtc.MigrationSpec{Canceled: true, Rollback: true}, want: mtc.Cancel},
		{name: "condition Canceled", spec: mtc.MigrationSpec{Rollback: true}, status: condition("Canceled", "True"), want: mtc.Cancel},
		{name: "condition Canceling", status: condition("Canceling", "True"), want: mtc.Cancel},
		{name: "condition Canceled that is false", status: condition("Canceled", "False"), want: mtc.Final},
		{name: "condition Canceling that is unknown", status: condition("Canceling", "Unknown"), want: mtc.Final},
		{name: "errors before cancel", spec: mtc.MigrationSpec{Canceled: true}, status: mtc.MigrationStatus{Errors: []string{"no space"}}, want: mtc.Failed},
		{name: "condition Failed before cancel", spec: mtc.MigrationSpec{Canceled: true}, status: condition("Failed", "True"), want: mtc.Failed},
		{name: "condition Failed that is false", spec: mtc.MigrationSpec{Stage: true}, status: condition("Failed", "False"), want: mtc.Stage},
		{name: "condition Failed without a status", status: condition("Failed", ""), want: mtc.Final},
		{name: "an empty list of errors", status: mtc.MigrationStatus{Errors: []string{}}, want: mtc.Final},
		{name: "the second condition of a type", want: mtc.Failed,
			status: mtc.MigrationStatus{Conditions: mtc.Conditions{{Type: "Failed", Status: "False"}, {Type: "Failed", Status: "True"}}}},
		{name: "the recorded itinerary does not matter", status: mtc.MigrationStatus{Itinerary: mtc.Cancel, Phase: "Canceling"}, want: mtc.Final},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, mtc.Select(&mtc.Migration{Spec: tt.spec, Status: tt.status}))
		})
	}
}

func TestCurrent(t *testing.T) {
	canceled := mtc.MigrationSpec{Canceled: true}
	for _, tt := range []struct {
		name   string
		spec   mtc.MigrationSpec
		status mtc.MigrationStatus
		done   bool
		phase  string
		want   string
	}{
		{name: "not begun", phase: mtc.PhaseCreated, want: mtc.Final},
		{name: "canceled before it began", spec: canceled, phase: mtc.PhaseCreated, want: mtc.Cancel},
		{name: "under way", status: mtc.MigrationStatus{Itinerary: mtc.Final, Phase: "Started"}, phase: "Started", want: mtc.Final},
		{name: "canceled under way", spec: canceled, status: mtc.MigrationStatus{Itinerary: mtc.Final, Phase: "Started"}, phase: "Started", want: mtc.Cancel},
		{name: "canceled when done", spec: canceled,
			status: mtc.MigrationStatus{Itinerary: mtc.Final, Phase: mtc.PhaseCompleted}, done: true, phase: mtc.PhaseCompleted, want: mtc.Final},
		{name: "an error when done", status: mtc.MigrationStatus{Itinerary: mtc.Stage, Phase: mtc.PhaseCompleted, Errors: []string{"late"}},
			done: true, phase: mtc.PhaseCompleted, want: mtc.Stage},
		{name: "failed and done", status: mtc.MigrationStatus{Itinerary: mtc.Failed, Phase: mtc.PhaseCompleted, Errors: []string{"no space"}},
			done: true, phase: mtc.PhaseCompleted, want: mtc.Failed},
		{name: "done without an itinerary", spec: canceled, status: mtc.MigrationStatus{Phase: mtc.PhaseCompleted}, done: true, phase: mtc.PhaseCompleted, want: mtc.Cancel},
		{name: "done on an unknown itinerary", status: mtc.MigrationStatus{Itinerary: "Warm", Phase: mtc.PhaseCompleted}, done: true, phase: mtc.PhaseCompleted, want: mtc.Final},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := &mtc.Migration{Spec: tt.spec, Status: tt.status}
			assert.Equal(t, tt.done, mtc.Done(m))
			assert.Equal(t, tt.phase, mtc.RecordedPhase(m))
			assert.Equal(t, tt.want, mtc.Current(m))
		})
	}
}
