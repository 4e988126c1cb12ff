package debug

import (
	"time"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// Run is what is recorded of a run. It shares nothing with the recorder. Times
// are in UTC.
type Run struct {
	Name Name
	// Moments are the moments that are recorded, oldest first: at least one.
	Moments []Moment
	// Events are what has happened, oldest first.
	Events []Event
	// DroppedMoments and DroppedEvents count those that the bounds dropped.
	DroppedMoments, DroppedEvents int
	// Evaluated is when each flag was last evaluated, as far as that was recorded.
	Evaluated map[string]time.Time
	// Next is when the run is reconciled next; zero if that is not known.
	Next time.Time
	// Attempts are those that have failed in a row, as the runner has last reported: the
	// state is not written for each. Zero if none has, or that is not known.
	Attempts int64
	// Seen is when the run was last reconciled or read.
	Seen time.Time
}

// Last is the latest moment; zero if there is none.
func (r Run) Last() Moment {
	if len(r.Moments) == 0 {
		return Moment{}
	}
	return r.Moments[len(r.Moments)-1]
}

// Moment is a run at one moment.
type Moment struct {
	At    time.Time
	State runner.State
	// Paused reports whether a pause held the run.
	Paused bool
	// Cut reports that the state was too large, and that texts of it, or more,
	// were left out.
	Cut bool
}

// Event is something that has happened in a run.
type Event struct {
	At time.Time
	// Kind is the name of the type of the event in machine/runner, or RunPaused or
	// RunResumed, which the recorder finds by itself.
	Kind string
	// Text describes it in one line, without control characters.
	Text string
	// Count is how often it has happened without a break, at least 1, and Last
	// when it last did: waiting and retrying repeat.
	Count int
	Last  time.Time
	// Moment is the index in Moments of the state after it, which may be the state
	// before it as well; -1 if that was dropped.
	Moment int
}
