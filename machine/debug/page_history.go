package debug

import (
	"time"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// historyView is everything that is recorded of a run, as a file. Of the object it has
// only the name.
type historyView struct {
	meta
	Name           Name          `json:"run"`
	Moments        []momentEntry `json:"moments"`
	Events         []eventView   `json:"events"`
	DroppedMoments int           `json:"droppedMoments,omitempty"`
	DroppedEvents  int           `json:"droppedEvents,omitempty"`
}

// momentEntry is a moment of a history.
type momentEntry struct {
	Moment int  `json:"moment"`
	At     when `json:"at"`
	row
	Pipeline []stepView    `json:"pipeline"`
	Facts    phases.Record `json:"facts,omitzero"`
}

func newHistory(rec *Recorder, run Run, now time.Time) *historyView {
	p := &historyView{
		Name: run.Name, Moments: []momentEntry{}, Events: []eventView{},
		DroppedMoments: run.DroppedMoments, DroppedEvents: run.DroppedEvents,
	}
	for i, m := range run.Moments {
		v := runView{row: newRow(rec, Run{Name: run.Name}, m, m.At)}
		v.pipeline(&m.State, m.At)
		p.Moments = append(p.Moments, momentEntry{run.DroppedMoments + i + 1, when{m.At, m.At}, v.row, v.Pipeline, m.State.Facts})
	}
	for _, e := range run.Events {
		p.Events = append(p.Events, newEventView(e, run.DroppedMoments, now))
	}
	return p
}
