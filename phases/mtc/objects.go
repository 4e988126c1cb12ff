package mtc

import "encoding/json"

// The structs of this file hold of each object what flags and itineraries are
// found from, under the JSON names of MTC's custom resources. They are plain
// data: fill them from typed objects, or with [Decode]. They are safe to share
// between goroutines as long as they are not changed.

// Ref names an object: as its metadata, and as another refers to it. It is
// comparable, to serve as the key of a map.
type Ref struct {
	Name      string `json:"name,omitempty"`
	Namespace string `json:"namespace,omitempty"`
}

// String returns "namespace/name", or the name alone if there is no
// namespace.
func (r Ref) String() string {
	if r.Namespace == "" {
		return r.Name
	}
	return r.Namespace + "/" + r.Name
}

// Migration is a MigMigration.
type Migration struct {
	Metadata Ref             `json:"metadata"`
	Spec     MigrationSpec   `json:"spec"`
	Status   MigrationStatus `json:"status"`
}

// MigrationSpec is what a user asks of a migration.
type MigrationSpec struct {
	PlanRef      Ref  `json:"migPlanRef"`
	Stage        bool `json:"stage"`
	QuiescePods  bool `json:"quiescePods"`
	Verify       bool `json:"verify"`
	Canceled     bool `json:"canceled"`
	Rollback     bool `json:"rollback"`
	MigrateState bool `json:"migrateState"`
}

// MigrationStatus is how far a migration has come.
type MigrationStatus struct {
	// Phase is the recorded phase; empty is [PhaseCreated].
	Phase string `json:"phase"`
	// Itinerary is the name of the itinerary that Phase belongs to. MTC 1.2
	// stored it under "itenerary", which [Decode] reads if this one is absent
	// or empty.
	Itinerary  string     `json:"itinerary"`
	Errors     []string   `json:"errors"`
	Conditions Conditions `json:"conditions"`
	// Pipeline is kept as it was read, since its entries may be of an old form.
	// Nothing in this package looks at it.
	Pipeline json.RawMessage `json:"pipeline"`
}

// Plan is a MigPlan.
type Plan struct {
	Metadata Ref        `json:"metadata"`
	Spec     PlanSpec   `json:"spec"`
	Status   PlanStatus `json:"status"`
}

// PlanSpec is what is to be migrated, and how.
type PlanSpec struct {
	SourceRef      Ref `json:"srcMigClusterRef"`
	DestinationRef Ref `json:"destMigClusterRef"`
	// Namespaces are written "a", or "a:b" if a becomes b.
	Namespaces []string `json:"namespaces"`
	Volumes    []Volume `json:"persistentVolumes"`
	Hooks      []Hook   `json:"hooks"`
	// IndirectImage and IndirectVolume send images and volumes through a
	// backup, in place of copying them from cluster to cluster.
	IndirectImage  bool `json:"indirectImageMigration"`
	IndirectVolume bool `json:"indirectVolumeMigration"`
	LiveMigrate    bool `json:"liveMigrate"`
}

// Volume is a persistent volume of a plan.
type Volume struct {
	Name      string    `json:"name"`
	Selection Selection `json:"selection"`
}

// Selection is what a user chose to do with a volume.
type Selection struct {
	// Action is "copy", "move" or "skip".
	Action string `json:"action"`
	// CopyMethod is "filesystem", "block" or "snapshot".
	CopyMethod string `json:"copyMethod"`
}

// Hook is a hook of a plan.
type Hook struct {
	// Phase is "PreBackup", "PostBackup", "PreRestore" or "PostRestore".
	Phase string `json:"phase"`
}

// PlanStatus is what upstream found out about a plan.
type PlanStatus struct {
	ExcludedResources []string   `json:"excludedResources"`
	Conditions        Conditions `json:"conditions"`
}

// Cluster is a MigCluster.
type Cluster struct {
	Metadata Ref         `json:"metadata"`
	Spec     ClusterSpec `json:"spec"`
}

// ClusterSpec is where a cluster is.
type ClusterSpec struct {
	// URL is the address of its API server; the cluster that MTC itself runs
	// on has none.
	URL string `json:"url"`
}

// Controller is a MigrationController, with which the operator of MTC is
// configured.
type Controller struct {
	Metadata Ref            `json:"metadata"`
	Spec     ControllerSpec `json:"spec"`
}

// ControllerSpec is how MTC is configured.
type ControllerSpec struct {
	// DisableImageCopy leaves images out of every migration.
	DisableImageCopy bool `json:"disable_image_copy"`
}

// ImageStream is an ImageStream of OpenShift. All that matters is that it is
// there.
type ImageStream struct {
	Metadata Ref `json:"metadata"`
}
