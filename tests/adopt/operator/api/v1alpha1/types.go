package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// GroupVersion is the group and version of all types.
var GroupVersion = schema.GroupVersion{Group: "postgres.example.com", Version: "v1alpha1"}

// AddToScheme adds all types to a scheme.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion, &Upgrade{}, &UpgradeList{}, &Server{}, &ServerList{})
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}

// Upgrade moves the cluster of PostgreSQL servers that has its name to another
// major version.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Itinerary",type=string,JSONPath=`.status.itinerary`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Result",type=string,JSONPath=`.status.result`
type Upgrade struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec UpgradeSpec `json:"spec"`
	// +optional
	Status UpgradeStatus `json:"status,omitempty"`
}

// UpgradeSpec is the desired upgrade.
type UpgradeSpec struct {
	// Version is the major version to upgrade to.
	// +kubebuilder:validation:Minimum=10
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="the version cannot be changed; create another Upgrade"
	Version int32 `json:"version"`
	// Backup requests a backup before anything is changed.
	// +optional
	Backup bool `json:"backup,omitempty"`
	// Canceled rolls the upgrade back, unless it has entered the phase
	// AcceptWrites.
	// +optional
	Canceled bool `json:"canceled,omitempty"`
	// Attempt is any text. When it changes, an upgrade that has ended runs again.
	// +optional
	Attempt string `json:"attempt,omitempty"`
}

// UpgradeStatus is the observed state of an upgrade.
type UpgradeStatus struct {
	// State is the progress of the run, with its pipeline.
	runner.State `json:",inline"`
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// State returns a pointer to the state of the run.
func (u *Upgrade) State() *runner.State { return &u.Status.State }

// Conditions returns a pointer to the conditions.
func (u *Upgrade) Conditions() *[]metav1.Condition { return &u.Status.Conditions }

// UpgradeList is a list of upgrades.
//
// +kubebuilder:object:root=true
type UpgradeList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Upgrade `json:"items"`
}

// Cluster is the label of a server whose value is the name of its cluster.
const Cluster = "postgres.example.com/cluster"

// Server is a PostgreSQL server. An agent on its machine carries out the spec.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
type Server struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec ServerSpec `json:"spec"`
	// +optional
	Status ServerStatus `json:"status,omitempty"`
}

// Role is the role of a server in its cluster.
//
// +kubebuilder:validation:Enum=Primary;Replica
type Role string

// The roles.
const (
	Primary Role = "Primary"
	Replica Role = "Replica"
)

// ServerSpec is the desired state of a server.
type ServerSpec struct {
	Version int32 `json:"version"`
	Role    Role  `json:"role"`
	// Source is the server that this one replicates. A primary has a source
	// until it is promoted.
	// +optional
	Source string `json:"source,omitempty"`
	// Writable lets clients write. At most one primary of a cluster is writable.
	// +optional
	Writable bool `json:"writable,omitempty"`
	// BackUp requests a backup.
	// +optional
	BackUp bool `json:"backUp,omitempty"`
	// Reindex requests that the indexes are rebuilt.
	// +optional
	Reindex bool `json:"reindex,omitempty"`
}

// ServerStatus is the observed state of a server.
type ServerStatus struct {
	// ObservedGeneration is the generation of the spec that the other fields
	// describe.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Ready means that the server matches its spec.
	// +optional
	Ready bool `json:"ready,omitempty"`
	// Error is the reason why the server cannot match its spec.
	// +optional
	Error string `json:"error,omitempty"`
	// LagBytes is the number of bytes that the server is behind its source.
	// +optional
	LagBytes int64 `json:"lagBytes,omitempty"`
	// CollationChanged means that the server sorts text differently from its
	// source, so its indexes must be rebuilt.
	// +optional
	CollationChanged bool `json:"collationChanged,omitempty"`
}

// Ready reports whether the server matches its current spec.
func (s *Server) Ready() bool {
	return s.Status.Ready && s.Status.ObservedGeneration == s.Generation
}

// Failed reports whether the server cannot match its current spec.
func (s *Server) Failed() bool {
	return s.Status.Error != "" && s.Status.ObservedGeneration == s.Generation
}

// ServerList is a list of servers.
//
// +kubebuilder:object:root=true
type ServerList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Server `json:"items"`
}
