package api

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the group and version of the custom resource.
var GroupVersion = schema.GroupVersion{Group: "example.com", Version: "v1"}

// DeepCopyObject copies the plan.
func (p *Plan) DeepCopyObject() runtime.Object { return p.DeepCopy() }

// DeepCopy copies the plan.
func (p *Plan) DeepCopy() *Plan {
	out := *p
	p.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Spec.VMs = slices.Clone(p.Spec.VMs)
	for i := range out.Spec.VMs {
		out.Spec.VMs[i] = p.Spec.VMs[i].copy()
	}
	out.Spec.Cutover = p.Spec.Cutover.DeepCopy()
	out.Spec.Cancel = slices.Clone(p.Spec.Cancel)
	out.Status.Migration.Timed = p.Status.Migration.Timed.copy()
	out.Status.Migration.VMs = slices.Clone(p.Status.Migration.VMs)
	for i, v := range p.Status.Migration.VMs {
		out.Status.Migration.VMs[i] = v.DeepCopy()
	}
	return &out
}

// DeepCopy copies the status of a virtual machine.
func (v *VMStatus) DeepCopy() *VMStatus {
	out := *v
	out.Timed, out.VM, out.Error = v.Timed.copy(), v.VM.copy(), v.Error.copy()
	out.Pipeline = slices.Clone(v.Pipeline)
	for i, s := range v.Pipeline {
		out.Pipeline[i] = s.DeepCopy()
	}
	if v.Warm != nil {
		w := *v.Warm
		w.NextPrecopyAt = v.Warm.NextPrecopyAt.DeepCopy()
		w.Precopies = slices.Clone(v.Warm.Precopies)
		for i := range w.Precopies {
			w.Precopies[i].End = w.Precopies[i].End.DeepCopy()
		}
		out.Warm = &w
	}
	out.Conditions = slices.Clone(v.Conditions)
	out.Run = v.Run.DeepCopy()
	return &out
}

// DeepCopy copies the step.
func (s *Step) DeepCopy() *Step {
	out := &Step{Task: s.Task.copy(), Tasks: slices.Clone(s.Tasks)}
	for i, t := range s.Tasks {
		task := t.copy()
		out.Tasks[i] = &task
	}
	return out
}

func (t Task) copy() Task {
	t.Timed, t.Error, t.Annotations = t.Timed.copy(), t.Error.copy(), maps.Clone(t.Annotations)
	return t
}

func (t Timed) copy() Timed {
	return Timed{Started: t.Started.DeepCopy(), Completed: t.Completed.DeepCopy()}
}

func (v VM) copy() VM {
	v.Hooks, v.DisksMB = slices.Clone(v.Hooks), slices.Clone(v.DisksMB)
	return v
}

func (e *Error) copy() *Error {
	if e == nil {
		return nil
	}
	return &Error{Phase: e.Phase, Reasons: slices.Clone(e.Reasons)}
}
