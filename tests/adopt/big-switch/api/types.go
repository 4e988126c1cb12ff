package api

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// MigMigration is one migration.
type MigMigration struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   Spec   `json:"spec,omitempty"`
	Status Status `json:"status,omitempty"`
}

// Spec is the desired migration.
type Spec struct {
	Stage        bool `json:"stage,omitempty"`
	QuiescePods  bool `json:"quiescePods,omitempty"`
	Verify       bool `json:"verify,omitempty"`
	Canceled     bool `json:"canceled,omitempty"`
	Rollback     bool `json:"rollback,omitempty"`
	MigrateState bool `json:"migrateState,omitempty"`
}

// Status is the progress of a migration.
type Status struct {
	Conditions `json:",inline"`
	Phase      string   `json:"phase,omitempty"`
	Itinerary  string   `json:"itinerary,omitempty"`
	Errors     []string `json:"errors,omitempty"`
	Pipeline   []*Step  `json:"pipeline,omitempty"`
}

// Timed is embedded in types that start and end.
type Timed struct {
	Started   *metav1.Time `json:"started,omitempty"`
	Completed *metav1.Time `json:"completed,omitempty"`
}

// Step is an entry of the pipeline.
type Step struct {
	Timed    `json:",inline"`
	Name     string   `json:"name"`
	Phase    string   `json:"phase,omitempty"`
	Message  string   `json:"message,omitempty"`
	Progress []string `json:"progress,omitempty"`
	Failed   bool     `json:"failed,omitempty"`
	Skipped  bool     `json:"skipped,omitempty"`
}

// Step returns the step of that name, or nil.
func (s *Status) Step(name string) *Step {
	for _, step := range s.Pipeline {
		if step.Name == name {
			return step
		}
	}
	return nil
}

// DeepCopyObject implements [runtime.Object].
func (m *MigMigration) DeepCopyObject() runtime.Object {
	out := *m
	m.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Status.List = append([]Condition(nil), m.Status.List...)
	out.Status.Errors = append([]string(nil), m.Status.Errors...)
	out.Status.Pipeline = nil
	for _, step := range m.Status.Pipeline {
		c := *step
		c.Started, c.Completed = step.Started.DeepCopy(), step.Completed.DeepCopy()
		c.Progress = append([]string(nil), step.Progress...)
		out.Status.Pipeline = append(out.Status.Pipeline, &c)
	}
	return &out
}
