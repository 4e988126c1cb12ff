package mtc_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

func TestKindOfChecksTheGroup(t *testing.T) {
	const migration, image = "migration.openshift.io", "image.openshift.io"
	groups := map[string]string{
		"MigMigration": migration, "MigPlan": migration, "MigCluster": migration, "MigrationController": migration,
		"ImageStream": image,
		"Migration":   "", "MigHook": "", "migplan": "", "ImageStreamTag": "", "": "",
	}
	for kind, group := range groups {
		for apiVersion, want := range map[string]bool{
			migration + "/v1alpha1":         group == migration,
			migration + "/v1":               group == migration,
			image + "/v1":                   group == image,
			image + "/v1beta7":              group == image,
			"v1":                            group == image,
			"v1beta1":                       false,
			"":                              group != "",
			migration:                       false,
			image:                           false,
			"x" + migration + "/v1":         false,
			migration + ".example.com/v1":   false,
			"MIGRATION.openshift.io/v1":     false,
			"/v1":                           false,
			"migrations.kubevirt.io/v1":     false,
			"velero.io/v1":                  false,
			" " + migration + "/v1alpha1":   false,
			"image.openshift.io.example/v1": false,
		} {
			got, ok := mtc.KindOf(apiVersion, kind)
			assert.Equal(t, want, ok, "%s of %q", kind, apiVersion)
			assert.Equal(t, kind, got)
		}
	}
}
