// Package api has the types of the custom resource: a Plan moves many virtual
// machines, and keeps the status of each in one list. They are shaped as
// forklift's are, down to pointers in lists, embedded structs and names; what
// forklift keeps in a second resource, its Migration, is in the spec here.
package api

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// Plan moves virtual machines.
type Plan struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   PlanSpec   `json:"spec"`
	Status PlanStatus `json:"status,omitempty"`
}

// The types of a source provider.
const (
	VSphere = "vsphere"
	Offload = "offload" // its storage copies disks itself
)

// PlanSpec is what the user wants.
type PlanSpec struct {
	Provider         string       `json:"provider"`
	Warm             bool         `json:"warm,omitempty"`
	Inspect          bool         `json:"inspect,omitempty"`
	SkipConversion   bool         `json:"skipConversion,omitempty"`
	ConsolidateFinal bool         `json:"consolidateFinal,omitempty"`
	VMs              []VM         `json:"vms"`
	Cutover          *metav1.Time `json:"cutover,omitempty"`
	// Cancel has the names of virtual machines to be canceled.
	Cancel []string `json:"cancel,omitempty"`
}

// Canceled reports whether the user canceled a virtual machine.
func (s *PlanSpec) Canceled(name string) bool { return slices.Contains(s.Cancel, name) }

// VM is a virtual machine of a Plan.
type VM struct {
	Name    string   `json:"name"`
	Windows bool     `json:"windows,omitempty"`
	Hooks   []string `json:"hooks,omitempty"` // the phases that have one
	DisksMB []int64  `json:"disksMB"`
}

// PlanStatus is what the controller has done.
type PlanStatus struct {
	Migration MigrationStatus `json:"migration,omitempty"`
}

// MigrationStatus has the status of each virtual machine.
type MigrationStatus struct {
	Timed `json:",inline"`
	VMs   []*VMStatus `json:"vms,omitempty"`
}

// Conditions of a virtual machine.
const (
	Succeeded = "Succeeded"
	Failed    = "Failed"
	Canceled  = "Canceled"
)

// VMStatus is the status of one virtual machine.
type VMStatus struct {
	Timed             `json:",inline"`
	VM                `json:",inline"`
	Pipeline          []*Step     `json:"pipeline"`
	Phase             string      `json:"phase"`
	Error             *Error      `json:"error,omitempty"`
	Warm              *Warm       `json:"warm,omitempty"`
	RestorePowerState string      `json:"restorePowerState,omitempty"`
	Conditions        []Condition `json:"conditions,omitempty"`
	// Run is what the framework keeps, but for the pipeline: the one field that
	// is new.
	Run *runner.State `json:"run,omitempty"`
}

// Condition is not metav1's.
type Condition struct {
	Type    string `json:"type"`
	Status  string `json:"status"`
	Durable bool   `json:"durable,omitempty"`
}

// Warm is the state of a warm migration.
type Warm struct {
	Successes     int          `json:"successes"`
	NextPrecopyAt *metav1.Time `json:"nextPrecopyAt,omitempty"`
	Precopies     []Precopy    `json:"precopies,omitempty"`
}

// Last returns the last turn.
func (w *Warm) Last() *Precopy { return &w.Precopies[len(w.Precopies)-1] }

// Precopy is one turn of copying while the virtual machine runs.
type Precopy struct {
	Snapshot string       `json:"snapshot,omitempty"`
	Deltas   string       `json:"deltas,omitempty"`
	End      *metav1.Time `json:"end,omitempty"`
}

// Timed is embedded in all that starts and ends.
type Timed struct {
	Started   *metav1.Time `json:"started,omitempty"`
	Completed *metav1.Time `json:"completed,omitempty"`
}

// MarkStarted sets the start, unless it is set.
func (t *Timed) MarkStarted(now metav1.Time) {
	if t.Started == nil {
		t.Started, t.Completed = &now, nil
	}
}

// MarkCompleted sets the end, unless it is set.
func (t *Timed) MarkCompleted(now metav1.Time) {
	t.MarkStarted(now)
	if t.Completed == nil {
		t.Completed = &now
	}
}

// Running reports whether it has started and not ended.
func (t *Timed) Running() bool { return t.Started != nil && t.Completed == nil }

// Progress is numeric.
type Progress struct {
	Completed int64 `json:"completed"`
	Total     int64 `json:"total"`
}

// String returns the numbers as "3/7".
func (p Progress) String() string { return fmt.Sprintf("%d/%d", p.Completed, p.Total) }

// Error is what went wrong, and in which phase.
type Error struct {
	Phase   string   `json:"phase"`
	Reasons []string `json:"reasons"`
}

// The phases of a step or a task, which are not those of a virtual machine.
const (
	Pending   = "Pending"
	Running   = "Running"
	Completed = "Completed"
)

// Task is a part of a step, such as one disk.
type Task struct {
	Timed       `json:",inline"`
	Name        string            `json:"name"`
	Description string            `json:"description,omitempty"`
	Phase       string            `json:"phase,omitempty"`
	Reason      string            `json:"reason,omitempty"`
	Progress    Progress          `json:"progress"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Error       *Error            `json:"error,omitempty"`
}

// Step is an entry of the pipeline of a virtual machine.
type Step struct {
	Task  `json:",inline"`
	Tasks []*Task `json:"tasks,omitempty"`
}

// AddError adds reasons to the error of a step.
func (t *Task) AddError(reasons ...string) { t.Error = t.Error.add(t.Phase, reasons) }

// AddError adds reasons to the error of a virtual machine.
func (v *VMStatus) AddError(reasons ...string) { v.Error = v.Error.add(v.Phase, reasons) }

// ReflectPipeline adds the errors of the steps to that of the virtual machine.
func (v *VMStatus) ReflectPipeline() {
	for _, step := range v.Pipeline {
		if step.Error != nil {
			v.AddError(step.Error.Reasons...)
		}
	}
}

func (e *Error) add(phase string, reasons []string) *Error {
	if e == nil {
		e = &Error{Phase: phase}
	}
	for _, reason := range reasons {
		if !slices.Contains(e.Reasons, reason) {
			e.Reasons = append(e.Reasons, reason)
		}
	}
	return e
}

// FindStep returns the step of that name, or nil.
func (v *VMStatus) FindStep(name string) *Step {
	for _, s := range v.Pipeline {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// HasCondition reports whether a condition is set.
func (v *VMStatus) HasCondition(kind string) bool {
	return slices.ContainsFunc(v.Conditions, func(c Condition) bool { return c.Type == kind && c.Status == "True" })
}

// SetCondition sets a condition for good.
func (v *VMStatus) SetCondition(kind string) {
	if !v.HasCondition(kind) {
		v.Conditions = append(v.Conditions, Condition{Type: kind, Status: "True", Durable: true})
	}
}

// FindVM returns the status of a virtual machine, or nil.
func (m *MigrationStatus) FindVM(name string) *VMStatus {
	for _, v := range m.VMs {
		if v.Name == name {
			return v
		}
	}
	return nil
}
