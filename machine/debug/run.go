package debug

import (
	"time"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// Run is the record of a run. It shares nothing with the recorder. Times are in UTC.
type Run struct {
	Name Name
	// Moments are the recorded moments, oldest first. There is at least one.
	Moments []Moment
	// Events are the recorded events, oldest first.
	Events []Event
	// DroppedMoments and DroppedEvents count what the bounds dropped.
	DroppedMoments, DroppedEvents int
	// Evaluated is the time of the last recorded evaluation of each flag.
	Evaluated map[string]time.Time
	// Next is when the run is reconciled next. Zero means unknown.
	Next time.Time
	// Attempts is the number of consecutive failed attempts that the runner last
	// reported; the state is not written for each of them. Zero means none, or unknown.
	Attempts int64
	// Seen is when the run was last reconciled or read.
	Seen time.Time
}

// Last returns the latest moment; zero if there is none.
func (r Run) Last() Moment {
	if len(r.Moments) == 0 {
		return Moment{}
	}
	return r.Moments[len(r.Moments)-1]
}

// Moment is a run at one moment.
type Moment struct {
	// At is when the state was recorded.
	At    time.Time
	State runner.State
	// Paused reports whether a pause held the run.
	Paused bool
	// Cut reports whether texts of the state, or more, were left out because it was too
	// large.
	Cut bool
}

// Event is something that happened in a run.
type Event struct {
	// At is when the event happened; the first time, if it repeats.
	At time.Time
	// Kind is the name of the event's type in machine/runner, or RunPaused or RunResumed,
	// which the recorder derives from the state.
	Kind string
	// Text describes the event in one line, without control characters.
	Text string
	// Count is the number of consecutive occurrences, at least 1, and Last the time of
	// the last one. Waiting and retrying repeat.
	Count int
	Last  time.Time
	// Moment is the index in Moments of the state after the event, which may also be the
	// state before it; -1 if that was dropped.
	Moment int
}
