package api

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// These methods are written by hand in place of controller-gen, because mtc's types
// are plain data without methods.

// DeepCopyObject copies the object.
func (m *MigMigration) DeepCopyObject() runtime.Object {
	out := *m
	m.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Status.Conditions = slices.Clone(m.Status.Conditions)
	out.Status.Pipeline = m.Status.Pipeline.DeepCopy()
	out.Status.Errors = slices.Clone(m.Status.Errors)
	return &out
}

// DeepCopyObject copies the object.
func (m *Migration) DeepCopyObject() runtime.Object {
	out := *m
	m.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	m.Status.State.DeepCopyInto(&out.Status.State)
	out.Status.Conditions = slices.Clone(m.Status.Conditions)
	out.Status.Errors = slices.Clone(m.Status.Errors)
	return &out
}

// DeepCopyObject copies the object.
func (p *MigPlan) DeepCopyObject() runtime.Object {
	out := *p
	p.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Spec.Namespaces = slices.Clone(p.Spec.Namespaces)
	out.Spec.Volumes = slices.Clone(p.Spec.Volumes)
	out.Spec.Hooks = slices.Clone(p.Spec.Hooks)
	out.Status = mtc.PlanStatus{ExcludedResources: slices.Clone(p.Status.ExcludedResources), Conditions: slices.Clone(p.Status.Conditions)}
	return &out
}

// DeepCopyObject copies the object.
func (c *MigCluster) DeepCopyObject() runtime.Object {
	out := *c
	c.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return &out
}

// DeepCopyObject copies the object.
func (t *Task) DeepCopyObject() runtime.Object {
	out := *t
	t.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return &out
}

// DeepCopyObject copies the list.
func (l *MigMigrationList) DeepCopyObject() runtime.Object {
	return &MigMigrationList{TypeMeta: l.TypeMeta, ListMeta: listMeta(l.ListMeta), Items: items(l.Items)}
}

// DeepCopyObject copies the list.
func (l *MigrationList) DeepCopyObject() runtime.Object {
	return &MigrationList{TypeMeta: l.TypeMeta, ListMeta: listMeta(l.ListMeta), Items: items(l.Items)}
}

// DeepCopyObject copies the list.
func (l *MigPlanList) DeepCopyObject() runtime.Object {
	return &MigPlanList{TypeMeta: l.TypeMeta, ListMeta: listMeta(l.ListMeta), Items: items(l.Items)}
}

// DeepCopyObject copies the list.
func (l *MigClusterList) DeepCopyObject() runtime.Object {
	return &MigClusterList{TypeMeta: l.TypeMeta, ListMeta: listMeta(l.ListMeta), Items: items(l.Items)}
}

// DeepCopyObject copies the list.
func (l *TaskList) DeepCopyObject() runtime.Object {
	return &TaskList{TypeMeta: l.TypeMeta, ListMeta: listMeta(l.ListMeta), Items: items(l.Items)}
}

func listMeta(m metav1.ListMeta) (out metav1.ListMeta) {
	m.DeepCopyInto(&out)
	return out
}

func items[T any, P interface {
	*T
	runtime.Object
}](in []T) []T {
	out := make([]T, len(in))
	for i := range in {
		out[i] = *P(&in[i]).DeepCopyObject().(P)
	}
	return out
}
