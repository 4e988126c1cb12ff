package mtc

import "strings"

// The kinds that [Decode] accepts.
const (
	KindMigration   = "MigMigration"
	KindPlan        = "MigPlan"
	KindCluster     = "MigCluster"
	KindController  = "MigrationController"
	KindImageStream = "ImageStream"
)

// The API groups of the kinds. Old clusters have image streams in the core group,
// whose apiVersion is only a version.
const (
	groupMigration = "migration.openshift.io"
	groupImage     = "image.openshift.io"
	versionCore    = "v1"
)

// KindOf returns the given kind and reports whether an object with that apiVersion
// and kind is one of MTC's. The group must match, since another project may also
// have a MigPlan; the version does not matter. If apiVersion is empty, the kind
// alone decides.
func KindOf(apiVersion, kind string) (string, bool) {
	switch kind {
	case KindMigration, KindPlan, KindCluster, KindController, KindImageStream:
		return kind, isOf(apiVersion, kind)
	}
	return kind, false
}

// isOf reports whether the group of an apiVersion is that of kind, one of the Kind
// constants.
func isOf(apiVersion, kind string) bool {
	group, _, grouped := strings.Cut(apiVersion, "/")
	switch {
	case apiVersion == "":
		return true
	case kind == KindImageStream:
		return grouped && group == groupImage || apiVersion == versionCore
	}
	return grouped && group == groupMigration
}
