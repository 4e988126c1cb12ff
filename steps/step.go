package steps

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Step is an entry of a pipeline, as MTC stores it in status.pipeline: the
// same fields, in the same order, all but the name omitted when empty. It
// drops into the type of a custom resource as it is.
//
// +kubebuilder:object:generate=false
type Step struct {
	// Started is when a phase of the step was first entered. It never changes
	// once it is set.
	// +optional
	Started *metav1.Time `json:"started,omitempty"`
	// Completed is when the step was left for good.
	// +optional
	Completed *metav1.Time `json:"completed,omitempty"`
	// Name is unique in the pipeline.
	// +kubebuilder:validation:MinLength=1
	Name string `json:"name"`
	// Phase is the current phase, while it belongs to this step.
	// +optional
	Phase string `json:"phase,omitempty"`
	// Message is what people read: one of the Message constants, or what the
	// current phase does.
	// +optional
	Message string `json:"message,omitempty"`
	// Progress are lines of detail of the current phase.
	// +optional
	Progress []string `json:"progress,omitempty"`
	// Failed says that a phase of the step failed. It is never cleared.
	// +optional
	Failed bool `json:"failed,omitempty"`
	// Skipped was set by earlier releases of MTC on steps that did not run.
	// This project reads it and never sets it.
	// +optional
	Skipped bool `json:"skipped,omitempty"`
}

// What people read in a step, beside the descriptions of phases.
const (
	// MessageNotStarted is read in a step that will run.
	MessageNotStarted = "Not started"
	// MessageContinues is read in a step that has been left and will be
	// entered again.
	MessageContinues = "Continues later"
	// MessageCompleted is read in a step that has been left for good.
	MessageCompleted = "Completed"
	// MessageFailed is read in a completed step in which a phase failed.
	MessageFailed = "Failed"
	// MessageCanceled is read in a step that was interrupted by a cancel or a
	// rollback.
	MessageCanceled = "Canceled"
)

// Ran says whether the step has started, at whatever time.
func (s *Step) Ran() bool { return s.Started != nil || s.Completed != nil || s.Failed }

// Open says whether the step has started and is not completed.
func (s *Step) Open() bool { return s.Ran() && s.Completed == nil }

// DeepCopyInto copies the step into out; the two share nothing.
func (s *Step) DeepCopyInto(out *Step) {
	*out = *s
	out.Started = s.Started.DeepCopy()
	out.Completed = s.Completed.DeepCopy()
	out.Progress = slices.Clone(s.Progress)
}

// DeepCopy copies the step; the copy shares nothing with it.
func (s *Step) DeepCopy() *Step {
	if s == nil {
		return nil
	}
	out := new(Step)
	s.DeepCopyInto(out)
	return out
}

// Pipeline is the list of steps in a status: those that have started, in the
// order in which they did, then those that will run, in the order of the
// itinerary.
//
// +listType=map
// +listMapKey=name
type Pipeline []Step

// Find returns the step of that name, or nil. It points into the pipeline.
func (p Pipeline) Find(name string) *Step {
	for i := range p {
		if p[i].Name == name {
			return &p[i]
		}
	}
	return nil
}

// Current returns the step that people should look at: the open one that
// names a phase, else the last open one, else nil. It points into the
// pipeline.
func (p Pipeline) Current() *Step {
	var current *Step
	for i := range p {
		if !p[i].Open() {
			continue
		}
		if p[i].Phase != "" {
			return &p[i]
		}
		current = &p[i]
	}
	return current
}

// DeepCopyInto copies the pipeline into out; the two share nothing.
func (p Pipeline) DeepCopyInto(out *Pipeline) { *out = p.DeepCopy() }

// DeepCopy copies the pipeline; the copy shares nothing with it.
func (p Pipeline) DeepCopy() Pipeline {
	if p == nil {
		return nil
	}
	out := make(Pipeline, len(p))
	for i := range p {
		p[i].DeepCopyInto(&out[i])
	}
	return out
}
