package mtc

import "strings"

// The kinds that [Decode] reads, as objects write them.
const (
	KindMigration   = "MigMigration"
	KindPlan        = "MigPlan"
	KindCluster     = "MigCluster"
	KindController  = "MigrationController"
	KindImageStream = "ImageStream"
)

// The groups of these kinds. Image streams of old clusters are in the core
// group, whose apiVersion has no group.
const (
	groupMigration = "migration.openshift.io"
	groupImage     = "image.openshift.io"
	versionCore    = "v1"
)

// KindOf returns the kind, one of the Kind constants, of an object with that
// apiVersion and kind, and false if the object is none of MTC's. A kind counts
// with its group, in any version: another project may have a MigPlan as well.
// An object without an apiVersion is known by its kind alone.
func KindOf(apiVersion, kind string) (string, bool) {
	switch kind {
	case KindMigration, KindPlan, KindCluster, KindController, KindImageStream:
		return kind, isOf(apiVersion, kind)
	}
	return kind, false
}

// isOf reports whether the group of an apiVersion is that of a kind, which is
// one of the Kind constants.
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
