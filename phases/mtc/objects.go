package mtc

import "encoding/json"

// The structs of this file hold the fields of each object that determine flags and
// itineraries, under the JSON names of MTC's custom resources. They are plain data:
// fill them from typed objects, or with [Decode]. Goroutines may share them as long
// as none changes them.

// Ref names an object, in its own metadata or as a reference from another object.
// It is comparable and can be the key of a map.
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

// MigrationSpec is the desired state of a migration.
type MigrationSpec struct {
	PlanRef      Ref  `json:"migPlanRef"`
	Stage        bool `json:"stage"`
	QuiescePods  bool `json:"quiescePods"`
	Verify       bool `json:"verify"`
	Canceled     bool `json:"canceled"`
	Rollback     bool `json:"rollback"`
	MigrateState bool `json:"migrateState"`
}

// MigrationStatus is the progress of a migration.
type MigrationStatus struct {
	// Phase is the recorded phase. Empty means [PhaseCreated].
	Phase string `json:"phase"`
	// Itinerary is the name of the itinerary that Phase belongs to. [Decode] reads
	// "itenerary", the spelling of MTC 1.2, if "itinerary" is absent or empty.
	Itinerary  string     `json:"itinerary"`
	Errors     []string   `json:"errors"`
	Conditions Conditions `json:"conditions"`
	// Pipeline is raw, since its entries may have an old form. This package does
	// not use it.
	Pipeline json.RawMessage `json:"pipeline"`
}

// Plan is a MigPlan.
type Plan struct {
	Metadata Ref        `json:"metadata"`
	Spec     PlanSpec   `json:"spec"`
	Status   PlanStatus `json:"status"`
}

// PlanSpec describes what a plan migrates, and how.
type PlanSpec struct {
	SourceRef      Ref `json:"srcMigClusterRef"`
	DestinationRef Ref `json:"destMigClusterRef"`
	// Namespaces are written "a", or "a:b" if namespace a of the source becomes b.
	Namespaces []string `json:"namespaces"`
	Volumes    []Volume `json:"persistentVolumes"`
	Hooks      []Hook   `json:"hooks"`
	// IndirectImage and IndirectVolume copy images and volumes through a backup
	// instead of from cluster to cluster.
	IndirectImage  bool `json:"indirectImageMigration"`
	IndirectVolume bool `json:"indirectVolumeMigration"`
	LiveMigrate    bool `json:"liveMigrate"`
}

// Volume is a persistent volume of a plan.
type Volume struct {
	Name      string    `json:"name"`
	Selection Selection `json:"selection"`
}

// Selection is the user's choice for a volume.
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

// PlanStatus is the observed state of a plan.
type PlanStatus struct {
	ExcludedResources []string   `json:"excludedResources"`
	Conditions        Conditions `json:"conditions"`
}

// Cluster is a MigCluster.
type Cluster struct {
	Metadata Ref         `json:"metadata"`
	Spec     ClusterSpec `json:"spec"`
}

// ClusterSpec describes the location of a cluster.
type ClusterSpec struct {
	// URL is the address of the API server. It is empty for the cluster on which
	// MTC itself runs.
	URL string `json:"url"`
}

// Controller is a MigrationController, the configuration of MTC's operator.
type Controller struct {
	Metadata Ref            `json:"metadata"`
	Spec     ControllerSpec `json:"spec"`
}

// ControllerSpec is the configuration of MTC.
type ControllerSpec struct {
	// DisableImageCopy excludes images from all migrations.
	DisableImageCopy bool `json:"disable_image_copy"`
}

// ImageStream is an ImageStream of OpenShift. Only its existence matters.
type ImageStream struct {
	Metadata Ref `json:"metadata"`
}
