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
	Offload = "offload" // the storage copies disks itself
)

// PlanSpec is the desired migration.
type PlanSpec struct {
	Provider         string       `json:"provider"`
	Warm             bool         `json:"warm,omitempty"`
	Inspect          bool         `json:"inspect,omitempty"`
	SkipConversion   bool         `json:"skipConversion,omitempty"`
	ConsolidateFinal bool         `json:"consolidateFinal,omitempty"`
	VMs              []VM         `json:"vms"`
	Cutover          *metav1.Time `json:"cutover,omitempty"`
	// Cancel holds the names of the virtual machines to cancel.
	Cancel []string `json:"cancel,omitempty"`
}

// Canceled reports whether the user canceled a virtual machine.
func (s *PlanSpec) Canceled(name string) bool { return slices.Contains(s.Cancel, name) }

// VM is a virtual machine of a Plan.
type VM struct {
	Name    string   `json:"name"`
	Windows bool     `json:"windows,omitempty"`
	Hooks   []string `json:"hooks,omitempty"` // phases that have a hook
	DisksMB []int64  `json:"disksMB"`
}

// PlanStatus is the observed state of a plan.
type PlanStatus struct {
	Migration MigrationStatus `json:"migration,omitempty"`
}

// MigrationStatus holds the status of each virtual machine.
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
	// Run is the state that the library keeps, without the pipeline. It is the
	// only new field.
	Run *runner.State `json:"run,omitempty"`
}

// Condition is a condition of a virtual machine. It is not metav1's type.
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

// Last returns the last turn of copying.
func (w *Warm) Last() *Precopy { return &w.Precopies[len(w.Precopies)-1] }

// Precopy is one turn of copying while the virtual machine runs.
type Precopy struct {
	Snapshot string       `json:"snapshot,omitempty"`
	Deltas   string       `json:"deltas,omitempty"`
	End      *metav1.Time `json:"end,omitempty"`
}

// Timed is embedded in types that start and end.
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

// Running reports whether it has started and has not ended.
func (t *Timed) Running() bool { return t.Started != nil && t.Completed == nil }

// Progress is the numeric progress of a step or a task.
type Progress struct {
	Completed int64 `json:"completed"`
	Total     int64 `json:"total"`
}

// String returns the numbers as "3/7".
func (p Progress) String() string { return fmt.Sprintf("%d/%d", p.Completed, p.Total) }

// Error describes a failure and its phase.
type Error struct {
	Phase   string   `json:"phase"`
	Reasons []string `json:"reasons"`
}

// Values of the phase of a step or a task. They are unrelated to the phases of
// a virtual machine.
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

// SetCondition sets a durable condition.
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
