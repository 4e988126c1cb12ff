package mtc_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

func TestDecodeReadsAllFields(t *testing.T) {
	assert.Equal(t, &mtc.Migration{
		Metadata: mtc.Ref{Name: "m", Namespace: "openshift-migration"},
		Spec: mtc.MigrationSpec{
			PlanRef: mtc.Ref{Name: "p", Namespace: "plans"}, Stage: true, QuiescePods: true, Verify: true,
			Canceled: true, Rollback: true, MigrateState: true,
		},
		Status: mtc.MigrationStatus{Phase: "Started", Itinerary: "Stage", Errors: []string{"no space"},
			Conditions: mtc.Conditions{{Type: "Failed", Status: "True", Reason: "NoSpace"}}, Pipeline: []byte(`[{"name": "Prepare"}]`)},
	}, decode[mtc.Migration](t, []byte(`{
		"apiVersion": "migration.openshift.io/v1alpha1", "kind": "MigMigration",
		"metadata": {"name": "m", "namespace": "openshift-migration", "labels": {"a": "b"}},
		"spec": {"migPlanRef": {"name": "p", "namespace": "plans"}, "stage": true, "quiescePods": true, "verify": true,
			"canceled": true, "rollback": true, "migrateState": true},
		"status": {"phase": "Started", "itinerary": "Stage", "errors": ["no space"], "observedDigest": 7,
			"conditions": [{"type": "Failed", "status": "True", "reason": "NoSpace", "durable": true}],
			"pipeline": [{"name": "Prepare"}]}}`)))

	assert.Equal(t, &mtc.Plan{
		Metadata: mtc.Ref{Name: "p"},
		Spec: mtc.PlanSpec{SourceRef: mtc.Ref{Name: "a"}, DestinationRef: mtc.Ref{Name: "b"}, Namespaces: []string{"x:y"},
			Volumes: []mtc.Volume{{Name: "v", Selection: mtc.Selection{Action: "copy", CopyMethod: "block"}}}, Hooks: []mtc.Hook{{Phase: "PreBackup"}},
			IndirectImage: true, IndirectVolume: true, LiveMigrate: true},
		Status: mtc.PlanStatus{ExcludedResources: []string{"imagestreams"}, Conditions: mtc.Conditions{{Type: "Ready", Status: "True"}}},
	}, decode[mtc.Plan](t, []byte(`{
		"metadata": {"name": "p"},
		"spec": {"srcMigClusterRef": {"name": "a"}, "destMigClusterRef": {"name": "b"}, "namespaces": ["x:y"],
			"persistentVolumes": [{"name": "v", "selection": {"action": "copy", "copyMethod": "block"}}], "hooks": [{"phase": "PreBackup"}],
			"indirectImageMigration": true, "indirectVolumeMigration": true, "liveMigrate": true},
		"status": {"excludedResources": ["imagestreams"], "conditions": [{"type": "Ready", "status": "True"}]}}`)))

	assert.Equal(t, &mtc.Cluster{Metadata: mtc.Ref{Name: "c"}, Spec: mtc.ClusterSpec{URL: "https://c"}},
		decode[mtc.Cluster](t, []byte(`{"kind": "MigCluster", "metadata": {"name": "c"}, "spec": {"url": "https://c"}}`)))
	assert.Equal(t, &mtc.Controller{
		Metadata: mtc.Ref{Name: "migration-controller", Namespace: "n"}, Spec: mtc.ControllerSpec{DisableImageCopy: true},
	},
		decode[mtc.Controller](t, []byte(`{"apiVersion": "migration.openshift.io/v1alpha1", "kind": "MigrationController",
			"metadata": {"name": "migration-controller", "namespace": "n"}, "spec": {"disable_image_copy": true, "migration_ui": true}}`)))
	assert.Equal(t, &mtc.ImageStream{Metadata: mtc.Ref{Name: "i", Namespace: "n"}},
		decode[mtc.ImageStream](t, []byte(`{"kind": "ImageStream", "metadata": {"name": "i", "namespace": "n"}}`)))
}

func TestDecodeIsCaseSensitive(t *testing.T) {
	m := decode[mtc.Migration](t, []byte(`{"spec": {"Stage": true, "STAGE": true}, "Status": {"phase": "Started"}}`))
	assert.Equal(t, &mtc.Migration{}, m)
}

func TestDecodeReadsTheItineraryUnderItsFormerKey(t *testing.T) {
	for _, tt := range []struct{ name, status, want string }{
		{"present", `"itinerary": "Final"`, "Final"},
		{"former", `"itenerary": "Cancel", "phase": "Canceling"`, "Cancel"},
		{"both", `"itenerary": "Final", "itinerary": "Cancel"`, "Cancel"},
		{"present and empty", `"itinerary": "", "itenerary": "Final"`, "Final"},
		{"present and null", `"itinerary": null, "itenerary": "Final"`, "Final"},
		{"another spelling", `"Itenerary": "Final"`, ""},
		{"neither", ``, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := decode[mtc.Migration](t, []byte(`{"status": {`+tt.status+`}}`))
			assert.Equal(t, tt.want, m.Status.Itinerary)
		})
	}

	m, err := mtc.Decode[mtc.Migration]([]byte(`{"metadata": {"name": "m"}, "status": {"itenerary": ["Final"]}}`))
	assert.Nil(t, m)
	assert.EqualError(t, err, "MigMigration m: status.itenerary: holds a JSON array; write a string")
}

// A migration of MTC 1.2 that is done stays on its itinerary.
func TestCurrentOfDoneMigrationWithFormerKey(t *testing.T) {
	for _, it := range mtc.Itineraries() {
		m := decode[mtc.Migration](t, []byte(`{"spec": {"canceled": true}, "status": {
			"phase": "Completed", "itenerary": "`+it.Name+`", "errors": ["late"]}}`))
		assert.Equal(t, it.Name, mtc.Current(m))
	}
}

func TestDecodeTakesNullFieldsForAbsent(t *testing.T) {
	m := decode[mtc.Migration](t, []byte(`{"kind": null, "metadata": null, "spec": {"stage": null}, "status": {"errors": null}}`))
	assert.Equal(t, &mtc.Migration{}, m)
}

func TestDecodeSharesNothingWithItsInput(t *testing.T) {
	data := []byte(`{"status": {"pipeline": [{"name": "Prepare"}]}}`)
	m := decode[mtc.Migration](t, data)
	clear(data)
	assert.JSONEq(t, `[{"name": "Prepare"}]`, string(m.Status.Pipeline))
}

func TestDecodeNamesTheObjectAndTheField(t *testing.T) {
	migration := func(data string) error { _, err := mtc.Decode[mtc.Migration]([]byte(data)); return err }
	plan := func(data string) error { _, err := mtc.Decode[mtc.Plan]([]byte(data)); return err }
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"a string for a flag", migration(`{"spec": {"stage": "true"}, "metadata": {"name": "m", "namespace": "n"}}`),
			"MigMigration n/m: spec.stage: holds a JSON string; write true or false"},
		{"a number for a name", migration(`{"metadata": {"name": 1, "namespace": "n"}}`),
			"MigMigration n/: metadata.name: holds a JSON number; write a string"},
		{"a string for a list", migration(`{"status": {"errors": "no space"}}`),
			"MigMigration: status.errors: holds a JSON string; write a list"},
		{"deep in a list", plan(`{"metadata": {"name": "p"}, "spec": {"persistentVolumes": [{}, {"selection": {"action": false}}]}}`),
			"MigPlan p: spec.persistentVolumes.selection.action: holds a JSON bool; write a string"},
		{"a list for an object", plan(`{"spec": []}`), "MigPlan: spec: holds a JSON array; write an object"},
		{"not an object", plan(`[]`), "MigPlan: holds a JSON array; write an object"},
		{"nothing", plan(` null `), "MigPlan: holds a JSON null; write an object"},
		{"a kind that is not a string", plan(`{"kind": 3}`), "MigPlan: kind: holds a JSON number; write a string"},
		{"another kind", plan(`{"kind": "MigCluster", "metadata": {"name": "c"}}`), `MigPlan c: kind: the object is a "MigCluster"; decode it as that`},
		{"another project", plan(`{"apiVersion": "example.com/v1", "kind": "MigPlan", "metadata": {"name": "p"}}`),
			`MigPlan p: apiVersion: the object belongs to "example.com/v1", but MTC's MigPlan belongs to the group migration.openshift.io; leave it out`},
		{"no JSON", plan(`{"kind": `), "MigPlan: unexpected end of JSON input"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.EqualError(t, tt.err, tt.want)
			var typed *mtc.DecodeError
			require.ErrorAs(t, tt.err, &typed)
		})
	}

	var field *mtc.FieldTypeError
	require.ErrorAs(t, plan(`{"spec": 1}`), &field)
	assert.Equal(t, &mtc.FieldTypeError{Got: "number", Want: "an object"}, field)
	var kind *mtc.KindError
	require.ErrorAs(t, plan(`{"kind": "Pod"}`), &kind)
	assert.Equal(t, &mtc.KindError{Got: "Pod"}, kind)

	_, err := mtc.Decode[mtc.ImageStream]([]byte(`{"apiVersion": "images.example.com/v1"}`))
	var group *mtc.GroupError
	require.ErrorAs(t, err, &group)
	assert.Equal(t, &mtc.GroupError{Kind: "ImageStream", Got: "images.example.com/v1"}, group)
	assert.EqualError(t, group, `the object belongs to "images.example.com/v1", `+
		`but MTC's ImageStream belongs to the group image.openshift.io; leave it out`)

	for _, kind := range []struct {
		err  error
		want string
	}{
		{func() error { _, err := mtc.Decode[mtc.Cluster]([]byte(`1`)); return err }(), "MigCluster: holds a JSON number; write an object"},
		{func() error { _, err := mtc.Decode[mtc.ImageStream]([]byte(`1`)); return err }(), "ImageStream: holds a JSON number; write an object"},
	} {
		assert.EqualError(t, kind.err, kind.want)
	}
}
