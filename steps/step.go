package steps

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Step is an entry of a pipeline, as MTC stores it in status.pipeline: the same fields in the same
// order, all except the name omitted if empty. It can be used directly in the type of a custom
// resource.
//
// +kubebuilder:object:generate=false
type Step struct {
	// Started is the time at which a phase of the step was first entered. Once set, it never
	// changes.
	// +optional
	Started *metav1.Time `json:"started,omitempty"`
	// Completed is the time at which the step was left for the last time.
	// +optional
	Completed *metav1.Time `json:"completed,omitempty"`
	// Name is unique in the pipeline.
	// +kubebuilder:validation:MinLength=1
	Name string `json:"name"`
	// Phase is the current phase, if it belongs to this step.
	// +optional
	Phase string `json:"phase,omitempty"`
	// Message is the text for users. For a completed step it is exactly MessageCompleted,
	// MessageFailed or MessageCanceled. For an open step it describes the current phase, or is
	// MessageContinues.
	// +optional
	Message string `json:"message,omitempty"`
	// Progress holds the last lines of detail that a phase of the step reported.
	// +optional
	Progress []string `json:"progress,omitempty"`
	// Failed reports whether a phase of the step failed. It stays set during a run; only a
	// new run that begins in the failed phase clears it.
	// +optional
	Failed bool `json:"failed,omitempty"`
	// Skipped was set by earlier releases of MTC on steps that did not run. This project reads it
	// and never sets it.
	// +optional
	Skipped bool `json:"skipped,omitempty"`
}

// The messages of a step, in addition to those that its phases report.
const (
	// MessageNotStarted is the message of a step that will run.
	MessageNotStarted = "Not started"
	// MessageContinues is the message of a step that has been left and will be entered again.
	MessageContinues = "Continues later"
	// MessageCompleted is the message of a step that has been left for the last time.
	MessageCompleted = "Completed"
	// MessageFailed is the message of a completed step in which a phase failed.
	MessageFailed = "Failed"
	// MessageCanceled is the message of a step that a cancel or a rollback interrupted, unless one
	// of its phases failed.
	MessageCanceled = "Canceled"
)

// Ran reports whether the step has started. A zero time counts as not set, since JSON writes it as
// null.
func (s *Step) Ran() bool { return !s.Started.IsZero() || !s.Completed.IsZero() || s.Failed }

// Open reports whether the step has started and is not completed.
func (s *Step) Open() bool { return s.Ran() && s.Completed.IsZero() }

// DeepCopyInto copies the step into out; the two share nothing.
func (s *Step) DeepCopyInto(out *Step) {
	*out = *s
	out.Started = s.Started.DeepCopy()
	out.Completed = s.Completed.DeepCopy()
	out.Progress = slices.Clone(s.Progress)
}

// DeepCopy returns a copy that shares nothing with the step.
func (s *Step) DeepCopy() *Step {
	if s == nil {
		return nil
	}
	out := new(Step)
	s.DeepCopyInto(out)
	return out
}

// Pipeline is the list of steps in a status: first the steps that have started, in the order in
// which they did, then those that will run, in the order of [Visible].
//
// +listType=map
// +listMapKey=name
type Pipeline []Step

// Lookup returns a pointer to the named step in the pipeline, and whether there is one.
func (p Pipeline) Lookup(name string) (*Step, bool) {
	for i := range p {
		if p[i].Name == name {
			return &p[i], true
		}
	}
	return nil, false
}

// Current returns the step that is most relevant to users: the first open one with a phase, else
// the last open one, else nil. It points into the pipeline.
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

// DeepCopy returns a copy that shares nothing with the pipeline.
func (p Pipeline) DeepCopy() Pipeline {
	if p == nil {
		return nil
	}
	out := slices.Clone(p)
	count := 0
	for i := range p {
		for _, t := range []*metav1.Time{p[i].Started, p[i].Completed} {
			if t != nil {
				count++
			}
		}
	}
	times := make([]metav1.Time, 0, count) // one allocation
	copied := func(t *metav1.Time) *metav1.Time {
		if t == nil {
			return nil
		}
		times = append(times, *t)
		return &times[len(times)-1]
	}
	for i := range out {
		step := &out[i]
		step.Started, step.Completed, step.Progress = copied(step.Started), copied(step.Completed), slices.Clone(step.Progress)
	}
	return out
}
