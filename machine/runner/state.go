package runner

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// State is what the embedder keeps of a migration, and all that a runner
// knows of it: plain data, written in one piece. Progress goes into a field of
// its own type; keep State in the status of the custom resource, or, all but
// the pipeline, in an annotation.
type State struct {
	machine.Checkpoint `json:",inline"`
	// Entered is when the current phase was entered, for its deadline.
	Entered *metav1.Time `json:"entered,omitempty"`
	// WaitingSince is when the current phase began to wait without a break.
	WaitingSince *metav1.Time `json:"waitingSince,omitempty"`
	// Attempts counts the tries of the current phase that ended in an error,
	// one after the other, for its backoff.
	Attempts int `json:"attempts,omitempty"`
	// Failures are the phases that failed, in order.
	Failures []Failure `json:"failures,omitempty"`
	// Pipeline is what people see.
	Pipeline steps.Pipeline `json:"pipeline,omitempty"`
}

// Failure is a phase that failed.
type Failure struct {
	Itinerary string      `json:"itinerary"`
	Phase     string      `json:"phase"`
	Reasons   []string    `json:"reasons,omitempty"`
	At        metav1.Time `json:"at"`
}

// DeepCopyInto copies the state into out; the two share nothing.
func (s *State) DeepCopyInto(out *State) {
	*out = *s
	s.Checkpoint.DeepCopyInto(&out.Checkpoint)
	out.Entered = s.Entered.DeepCopy()
	out.WaitingSince = s.WaitingSince.DeepCopy()
	out.Failures = slices.Clone(s.Failures)
	for i := range out.Failures {
		out.Failures[i].Reasons = slices.Clone(s.Failures[i].Reasons)
	}
	out.Pipeline = s.Pipeline.DeepCopy()
}

// DeepCopy copies the state; the copy shares nothing with it.
func (s *State) DeepCopy() *State {
	if s == nil {
		return nil
	}
	out := new(State)
	s.DeepCopyInto(out)
	return out
}
