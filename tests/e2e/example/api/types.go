package api

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// The groups and versions of the types.
var (
	MTC     = schema.GroupVersion{Group: "migration.openshift.io", Version: "v1alpha1"}
	Variant = schema.GroupVersion{Group: "variant.konveyor.io", Version: "v1alpha1"}
	Work    = schema.GroupVersion{Group: "work.konveyor.io", Version: "v1alpha1"}
	Images  = schema.GroupVersion{Group: "image.openshift.io", Version: "v1"}
)

// AddToScheme adds the types to a scheme.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(MTC, &MigMigration{}, &MigMigrationList{}, &MigPlan{}, &MigPlanList{}, &MigCluster{}, &MigClusterList{})
	s.AddKnownTypes(Variant, &Migration{}, &MigrationList{})
	s.AddKnownTypes(Work, &Task{}, &TaskList{})
	for _, gv := range []schema.GroupVersion{MTC, Variant, Work} {
		metav1.AddToGroupVersion(s, gv)
	}
	return nil
}

// MigMigration is MTC's resource. Its definition has neither a status
// subresource nor a field for a checkpoint.
type MigMigration struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   mtc.MigrationSpec  `json:"spec"`
	Status MigMigrationStatus `json:"status,omitzero"`
}

// MigMigrationStatus is the status that MTC records.
type MigMigrationStatus struct {
	Conditions []Condition    `json:"conditions,omitempty"`
	Phase      string         `json:"phase,omitempty"`
	Pipeline   steps.Pipeline `json:"pipeline,omitempty"`
	Itinerary  string         `json:"itinerary,omitempty"`
	Errors     []string       `json:"errors,omitempty"`
}

// Condition is MTC's condition.
type Condition struct {
	Type               string      `json:"type"`
	Status             string      `json:"status"`
	Reason             string      `json:"reason,omitempty"`
	Category           string      `json:"category,omitempty"`
	Message            string      `json:"message,omitempty"`
	Durable            bool        `json:"durable,omitempty"`
	LastTransitionTime metav1.Time `json:"lastTransitionTime,omitzero"`
}

// Migration is the variant. It has a status subresource, Kubernetes'
// conditions, and the runner's state as its status.
type Migration struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   mtc.MigrationSpec `json:"spec"`
	Status MigrationStatus   `json:"status,omitzero"`
}

// MigrationStatus is the status of the variant.
type MigrationStatus struct {
	runner.State `json:",inline"`
	Conditions   []metav1.Condition `json:"conditions,omitempty"`
	Errors       []string           `json:"errors,omitempty"`
}

// MigPlan is MTC's plan.
type MigPlan struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   MigPlanSpec    `json:"spec"`
	Status mtc.PlanStatus `json:"status,omitzero"`
}

// MigPlanSpec holds the inputs of flags. Refresh requests a refresh from the
// source cluster; the client that refreshes the plan resets it.
type MigPlanSpec struct {
	mtc.PlanSpec `json:",inline"`
	Refresh      bool `json:"refresh,omitempty"`
}

// MigCluster is MTC's cluster.
type MigCluster struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec mtc.ClusterSpec `json:"spec"`
}

// Task is a piece of work for another client: a backup by Velero, a registry,
// the job of a hook. That client completes the task in its status.
type Task struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   TaskSpec   `json:"spec"`
	Status TaskStatus `json:"status,omitzero"`
}

// TaskSpec is the kind of a task.
type TaskSpec struct {
	Kind string `json:"kind"`
}

// TaskStatus is the progress of a task. Phase is empty, TaskCompleted or
// TaskFailed.
type TaskStatus struct {
	Phase   string `json:"phase,omitempty"`
	Message string `json:"message,omitempty"`
}

// The final phases of a task.
const (
	TaskCompleted = "Completed"
	TaskFailed    = "Failed"
)

// The lists.
type (
	MigMigrationList struct {
		metav1.TypeMeta `json:",inline"`
		metav1.ListMeta `json:"metadata,omitempty"`
		Items           []MigMigration `json:"items"`
	}
	MigrationList struct {
		metav1.TypeMeta `json:",inline"`
		metav1.ListMeta `json:"metadata,omitempty"`
		Items           []Migration `json:"items"`
	}
	MigPlanList struct {
		metav1.TypeMeta `json:",inline"`
		metav1.ListMeta `json:"metadata,omitempty"`
		Items           []MigPlan `json:"items"`
	}
	MigClusterList struct {
		metav1.TypeMeta `json:",inline"`
		metav1.ListMeta `json:"metadata,omitempty"`
		Items           []MigCluster `json:"items"`
	}
	TaskList struct {
		metav1.TypeMeta `json:",inline"`
		metav1.ListMeta `json:"metadata,omitempty"`
		Items           []Task `json:"items"`
	}
)
