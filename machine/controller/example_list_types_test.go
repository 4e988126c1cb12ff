package controller_test

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// Plan is a custom resource whose objects have many runs: one for each virtual
// machine that is migrated.
type Plan struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   PlanSpec   `json:"spec,omitempty"`
	Status PlanStatus `json:"status,omitempty"`
}

type PlanSpec struct {
	VMs      []string `json:"vms,omitempty"`
	Canceled []string `json:"canceled,omitempty"`
	Paused   []string `json:"paused,omitempty"`
}

type PlanStatus struct {
	VMs        []VM               `json:"vms,omitempty"`
	Summary    controller.Summary `json:"summary,omitempty"`
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// VM is an item of the list. It has the embedder's own type, with the state of its run
// inline.
type VM struct {
	Name         string `json:"name"`
	Note         string `json:"note,omitempty"`
	runner.State `json:",inline"`
}

func (p *Plan) DeepCopyObject() runtime.Object {
	out := *p
	p.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Spec = PlanSpec{slices.Clone(p.Spec.VMs), slices.Clone(p.Spec.Canceled), slices.Clone(p.Spec.Paused)}
	out.Status.VMs = slices.Clone(p.Status.VMs)
	for i := range out.Status.VMs {
		p.Status.VMs[i].State.DeepCopyInto(&out.Status.VMs[i].State)
	}
	out.Status.Conditions = slices.Clone(p.Status.Conditions)
	return &out
}
