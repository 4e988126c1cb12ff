package world

import (
	"context"
	"errors"
	"fmt"
)

// Plan is the MigPlan and the contents of the clusters.
type Plan struct {
	Volumes                       []Volume
	ImageStreams                  bool
	PodsToStage                   bool // volumes in a backup need stage pods
	IndirectImage, IndirectVolume bool
	ExcludeImages, ExcludeVolumes bool
	SameCluster, LiveMigrate      bool
	Hooks                         map[string]bool
}

// Volume is a persistent volume of the plan.
type Volume struct{ Action, CopyMethod string }

// Script describes the behavior of the world. Phases have the names that the
// controller uses.
type Script struct {
	Plan Plan
	// Refreshed is the plan after a refresh. If nil, a refresh finds nothing
	// new.
	Refreshed *Plan
	// Polls is the number of times that the work of a phase is still under
	// way.
	Polls map[string]int
	// Errors holds the errors that the next calls of a phase return.
	Errors map[string][]error
	// Fails holds the reasons with which the work of a phase fails.
	Fails map[string][]string
	// Lost and Kept hold the numbers of calls after which the controller is killed
	// while it writes the object: before or after the object is stored.
	Lost, Kept map[int]bool
	// OutsideEvents holds outside events by number of visits to phases. Each
	// happens once.
	OutsideEvents map[int]OutsideEvent
}

// OutsideEvent is an outside event.
type OutsideEvent struct {
	Cancel, Rollback bool
	// Plan replaces the plan: the user edits it, or the clusters change.
	Plan *Plan
	// Outage is the number of lists of image streams that fail from now on.
	Outage int
}

// Visit is one stay in a phase.
type Visit struct{ Itinerary, Phase string }

func (v Visit) String() string { return v.Itinerary + "/" + v.Phase }

// World is the world of one migration. It is not safe for concurrent use.
type World struct {
	Plan Plan
	// Visits holds the phases whose handler was called, in order.
	Visits []Visit
	// Lists counts all lists of image streams, and FailedLists those that failed.
	Lists, FailedLists int

	script Script
	calls  int
	counts map[string]int // calls by phase
	outage int
}

// New returns a world that follows the script.
func New(s Script) *World { return &World{Plan: s.Plan, script: s, counts: map[string]int{}} }

// Enter records that the handler of a phase is called.
func (w *World) Enter(itinerary, phase string) {
	w.calls++
	if phase == "" {
		phase = "Created"
	}
	v := Visit{itinerary, phase}
	if n := len(w.Visits); n == 0 || w.Visits[n-1] != v {
		w.Visits = append(w.Visits, v)
	}
}

// Result is the progress of the work of a phase.
type Result struct {
	Done     bool
	Reasons  []string // of a failure
	Progress []string
}

// Work checks the work of a phase.
func (w *World) Work(phase string) (Result, error) {
	n := w.counts[phase]
	w.counts[phase]++
	if errs := w.script.Errors[phase]; n < len(errs) {
		return Result{}, errs[n]
	}
	n -= len(w.script.Errors[phase])
	if polls := w.script.Polls[phase]; n < polls {
		return Result{Progress: []string{fmt.Sprintf("%d of %d", n, polls)}}, nil
	}
	return Result{Done: true, Reasons: w.script.Fails[phase]}, nil
}

// Refresh discovers the plan again.
func (w *World) Refresh() {
	if w.script.Refreshed != nil {
		w.Plan = *w.script.Refreshed
	}
}

// ErrOutage means that the source cluster does not answer.
var ErrOutage = errors.New("the source cluster does not answer")

// ListImageStreams reports whether the source cluster has image streams. It
// stands for a slow request to a remote cluster.
func (w *World) ListImageStreams(context.Context) (bool, error) {
	w.Lists++
	if w.outage > 0 {
		w.outage--
		w.FailedLists++
		return false, ErrOutage
	}
	return w.Plan.ImageStreams, nil
}

// NextEvent returns the outside event of this moment, and applies the part of it
// that concerns the world.
func (w *World) NextEvent() (OutsideEvent, bool) {
	h, ok := w.script.OutsideEvents[len(w.Visits)]
	if !ok {
		return OutsideEvent{}, false
	}
	delete(w.script.OutsideEvents, len(w.Visits))
	if h.Plan != nil {
		w.Plan = *h.Plan
	}
	w.outage += h.Outage
	return h, true
}
