package controller_test

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// Backup is a custom resource. The state is inline in its status, so status.phase and
// status.pipeline are where users look for them.
type Backup struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              BackupSpec   `json:"spec,omitempty"`
	Status            BackupStatus `json:"status,omitempty"`
}

type BackupSpec struct {
	Volumes  []string `json:"volumes,omitempty"`
	Canceled bool     `json:"canceled,omitempty"`
	Paused   bool     `json:"paused,omitempty"`
}

type BackupStatus struct {
	runner.State `json:",inline"`
	Conditions   []metav1.Condition `json:"conditions,omitempty"`
}

func (b *Backup) DeepCopyObject() runtime.Object {
	out := &Backup{TypeMeta: b.TypeMeta, Spec: b.Spec}
	b.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Spec.Volumes = append([]string(nil), b.Spec.Volumes...)
	b.Status.State.DeepCopyInto(&out.Status.State)
	out.Status.Conditions = append([]metav1.Condition(nil), b.Status.Conditions...)
	return out
}
