package api

import (
	"context"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/legacy"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// StateAnnotation holds the part of the state for which the status of a
// MigMigration has no field.
const StateAnnotation = "pipeline.konveyor.io/state"

// adapter converts statuses that mig-controller wrote.
var adapter = sync.OnceValue(func() *legacy.Adapter {
	return legacy.NewAdapter(machine.MustCompileSet(mtc.Itineraries()...), mtc.DataNames)
})

// storage keeps the state of a MigMigration in the fields of MTC's definition
// and the annotation.
var storage = runner.NewAnnotationStorage(StateAnnotation, runner.Fields[*MigMigration]{
	Pipeline:  func(m *MigMigration) *steps.Pipeline { return &m.Status.Pipeline },
	Itinerary: func(m *MigMigration) *string { return &m.Status.Itinerary },
	Phase:     func(m *MigMigration) *string { return &m.Status.Phase },
})

// State returns the runner's state. If there is none yet, it converts the
// status that an old controller recorded.
func (m *MigMigration) State() (runner.State, error) {
	if _, ok := m.Annotations[StateAnnotation]; ok {
		return storage.Read(context.Background(), m)
	}
	status := m.Status
	if _, _, err := legacy.UpgradeStatus(adapter(), &status, nil); err != nil {
		return runner.State{}, err
	}
	s := runner.State{Pipeline: status.Pipeline}
	s.Itinerary, s.Phase = status.Itinerary, status.Phase
	s.Done = s.Phase == mtc.PhaseCompleted // a completed migration does not change
	return s, nil
}

// SetState writes the runner's state. Fields that the conversion of an old
// status drops are kept in another annotation, for a conversion back.
func (m *MigMigration) SetState(s runner.State) error {
	if _, ok := m.Annotations[StateAnnotation]; !ok {
		status := m.Status
		remainder, _, err := legacy.UpgradeStatus(adapter(), &status, nil)
		if err != nil {
			return err
		}
		if remainder != nil {
			metav1.SetMetaDataAnnotation(&m.ObjectMeta, legacy.Annotation, string(remainder))
		}
	}
	return storage.Write(context.Background(), m, s)
}

// MTC returns the migration in the form from which flags and itineraries are
// derived.
func (m *MigMigration) MTC() *mtc.Migration {
	out := &mtc.Migration{Metadata: mtc.Ref{Name: m.Name, Namespace: m.Namespace}, Spec: m.Spec}
	out.Status.Errors = m.Status.Errors
	for _, c := range m.Status.Conditions {
		out.Status.Conditions = append(out.Status.Conditions, mtc.Condition{Type: c.Type, Status: c.Status, Reason: c.Reason})
	}
	return out
}

// SetCondition makes a condition true, or removes it.
func (m *MigMigration) SetCondition(kind string, on bool) {
	at := slices.IndexFunc(m.Status.Conditions, func(c Condition) bool { return c.Type == kind })
	switch {
	case on && at < 0:
		m.Status.Conditions = append(m.Status.Conditions, Condition{
			Type: kind, Status: "True", Category: "Advisory", LastTransitionTime: metav1.Now(),
		})
	case on:
		m.Status.Conditions[at].Status = "True"
	case at >= 0:
		m.Status.Conditions = slices.Delete(m.Status.Conditions, at, at+1)
	}
}

// MergeConditions merges conditions that other clients wrote meanwhile into
// before and after.
func MergeConditions(before, after, fresh *MigMigration) {
	merged := slices.Clone(fresh.Status.Conditions)
	was := before.Status.Conditions
	for _, c := range slices.Concat(was, after.Status.Conditions) {
		if mine := find(after.Status.Conditions, c.Type); !same(find(was, c.Type), mine) {
			merged = slices.DeleteFunc(merged, func(o Condition) bool { return o.Type == c.Type })
			if mine != nil {
				merged = append(merged, *mine)
			}
		}
	}
	before.Status.Conditions, after.Status.Conditions = slices.Clone(fresh.Status.Conditions), merged
}

func find(all []Condition, kind string) *Condition {
	if i := slices.IndexFunc(all, func(c Condition) bool { return c.Type == kind }); i >= 0 {
		return &all[i]
	}
	return nil
}

func same(a, b *Condition) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

// AddErrors records why the migration failed.
func (m *MigMigration) AddErrors(reasons ...string) {
	m.Status.Errors = union(m.Status.Errors, reasons)
}

// State returns the runner's state.
func (m *Migration) State() (runner.State, error) { return *m.Status.State.DeepCopy(), nil }

// SetState writes the runner's state.
func (m *Migration) SetState(s runner.State) error {
	m.Status.State = s
	return nil
}

// MTC returns the migration in the form from which flags and itineraries are
// derived.
func (m *Migration) MTC() *mtc.Migration {
	out := &mtc.Migration{Metadata: mtc.Ref{Name: m.Name, Namespace: m.Namespace}, Spec: m.Spec}
	out.Status.Errors = m.Status.Errors
	for _, c := range m.Status.Conditions {
		out.Status.Conditions = append(out.Status.Conditions, mtc.Condition{Type: c.Type, Status: string(c.Status), Reason: c.Reason})
	}
	return out
}

// SetCondition makes a condition true, or removes it.
func (m *Migration) SetCondition(kind string, on bool) {
	if on {
		meta.SetStatusCondition(&m.Status.Conditions, metav1.Condition{Type: kind, Status: metav1.ConditionTrue, Reason: kind})
	} else {
		meta.RemoveStatusCondition(&m.Status.Conditions, kind)
	}
}

// AddErrors records why the migration failed.
func (m *Migration) AddErrors(reasons ...string) {
	m.Status.Errors = union(m.Status.Errors, reasons)
}

// union appends to all the elements of more that it lacks. A phase that fails may fail again
// after a crash.
func union(all, more []string) []string {
	for _, one := range more {
		if !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return all
}
