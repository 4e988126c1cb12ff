// Package world plays what a controller finds around it: the plan, the
// clusters, and work that takes a while, fails or returns errors, all by a
// script.
package world

import (
	"context"
	"errors"
	"fmt"
)

// Plan is the MigPlan, and what the clusters hold.
type Plan struct {
	Volumes                       []Volume
	ImageStreams                  bool
	PodsToStage                   bool // volumes of a backup need stage pods
	IndirectImage, IndirectVolume bool
	ExcludeImages, ExcludeVolumes bool
	SameCluster, LiveMigrate      bool
	Hooks                         map[string]bool
}

// Volume is a persistent volume of the plan.
type Volume struct{ Action, CopyMethod string }

// Script is how the world behaves. Phases are named as the controller calls
// them.
type Script struct {
	Plan Plan
	// Refreshed is the plan once it has been looked at again; nil if that finds
	// nothing new.
	Refreshed *Plan
	// Polls is how often the work of a phase is found to be under way.
	Polls map[string]int
	// Errors are what the next calls of a phase return.
	Errors map[string][]error
	// Fails are the reasons with which the work of a phase ends.
	Fails map[string][]string
	// Lost and Kept are the numbers of calls after which the controller dies: as
	// it writes the object, before or after that has been stored.
	Lost, Kept map[int]bool
	// Happenings are what comes from outside, each once, after so many visits to
	// phases.
	Happenings map[int]Happening
}

// Happening is what comes from outside.
type Happening struct {
	Cancel, Rollback bool
	// Plan is another plan: the user edits it, or the clusters change.
	Plan *Plan
	// Outage is how many lists of image streams fail from now on.
	Outage int
}

// Visit is one stay in a phase.
type Visit struct{ Itinerary, Phase string }

func (v Visit) String() string { return v.Itinerary + "/" + v.Phase }

// World is the world of one migration. It is not safe for concurrent use.
type World struct {
	Plan Plan
	// Visits are the phases whose handler was called, in order.
	Visits []Visit
	// Lists counts the lists of image streams, and FailedLists those that failed.
	Lists, FailedLists int

	script Script
	calls  int
	counts map[string]int // of the calls by phase
	outage int
}

// New returns a world that behaves by the script.
func New(s Script) *World { return &World{Plan: s.Plan, script: s, counts: map[string]int{}} }

// Enter takes down that the handler of a phase is called.
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

// Result is how far the work of a phase is.
type Result struct {
	Done     bool
	Reasons  []string // it has failed
	Progress []string
}

// Work looks after the work of a phase.
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

// Refresh looks at the plan again.
func (w *World) Refresh() {
	if w.script.Refreshed != nil {
		w.Plan = *w.script.Refreshed
	}
}

// ErrOutage is returned for what the source cluster does not answer.
var ErrOutage = errors.New("the source cluster does not answer")

// ListImageStreams reports whether the source cluster has image streams: a slow
// request to a remote cluster.
func (w *World) ListImageStreams(context.Context) (bool, error) {
	w.Lists++
	if w.outage > 0 {
		w.outage--
		w.FailedLists++
		return false, ErrOutage
	}
	return w.Plan.ImageStreams, nil
}

// Happen returns what comes from outside at this moment, and makes of it what
// is not the migration's own.
func (w *World) Happen() (Happening, bool) {
	h, ok := w.script.Happenings[len(w.Visits)]
	if !ok {
		return Happening{}, false
	}
	delete(w.script.Happenings, len(w.Visits))
	if h.Plan != nil {
		w.Plan = *h.Plan
	}
	w.outage += h.Outage
	return h, true
}
