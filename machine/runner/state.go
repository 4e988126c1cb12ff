package runner

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// State is what the embedder keeps of a run, and all that a runner knows of
// it: plain data, written in one piece. Progress goes into a field of its own
// type; keep State in the status of the custom resource, or, all but the
// pipeline, in an annotation.
//
// Its size is bounded whatever handlers return ([MaxText] and the other
// limits). Users can write to it, so a runner checks it when it reads it:
// numbers and texts out of range are brought into range.
type State struct {
	machine.Checkpoint `json:",inline"`
	// Visit is the number of phases that this run and those before it have
	// entered: it tells two visits to one phase apart.
	Visit int64 `json:"visit,omitempty"`
	// Entered is when the current phase was entered, for its deadline.
	Entered *metav1.Time `json:"entered,omitempty"`
	// Deadline is when the current phase fails, unless its handler then returns
	// that it is done. A pause that holds the run moves it on, once it is over. It is
	// nil if the phase has no deadline, or its work is done. It is for users and
	// tools: a runner goes by its own options.
	Deadline *metav1.Time `json:"deadline,omitempty"`
	// WaitingSince is when the current phase began to wait without a break.
	WaitingSince *metav1.Time `json:"waitingSince,omitempty"`
	// PausedSince is when the run was first found paused; nil unless a pause
	// holds it now.
	PausedSince *metav1.Time `json:"pausedSince,omitempty"`
	// PausedSeconds is for how long pauses held the current phase: its
	// deadline is later by that.
	PausedSeconds int64 `json:"pausedSeconds,omitempty"`
	// Retry describes what is tried again; nil if nothing is.
	Retry *Retry `json:"retry,omitempty"`
	// Stopped describes why the run cannot go on until the object or the
	// release is fixed; nil if it can.
	Stopped *Stop `json:"stopped,omitempty"`
	// SwitchHeld is the itinerary that the selector names and that is not
	// entered, since a cleanup itinerary has begun or the run is done.
	SwitchHeld string `json:"switchHeld,omitempty"`
	// Switches are the itineraries that were left for another, in order.
	Switches []Switch `json:"switches,omitempty"`
	// Result is how the run ends, as far as that is decided, by these rules: a
	// phase that fails outside cleanup itineraries makes it Failed; otherwise
	// it is Canceled if an itinerary with that result was entered; else it is
	// the result of the first cleanup itinerary that was entered, else that of
	// the last itinerary. It is never empty when the run is done, unless another
	// controller ended it: such a run is left alone.
	Result phases.Result `json:"result,omitempty"`
	// FailedPhases and FailedInCleanup count the phases that failed, outside
	// and in cleanup itineraries.
	FailedPhases    int64 `json:"failedPhases,omitempty"`
	FailedInCleanup int64 `json:"failedInCleanup,omitempty"`
	// Failures are the phases that failed, in order, as far as they fit.
	Failures []Failure `json:"failures,omitempty"`
	// Dropped counts what did not fit; nil if everything did.
	Dropped *Dropped `json:"dropped,omitempty"`
	// FailedAt is where the run has first failed outside cleanup itineraries; nil if
	// it has not. A new run can begin there ([FromFailedPhase]).
	FailedAt *FailedAt `json:"failedAt,omitempty"`
	// Token is the token that the present run belongs to ([Options].Token), as it
	// is or, if it exceeds 71 bytes or is not valid UTF-8, as its SHA-256 sum. It is
	// nil until a token was seen.
	Token *string `json:"token,omitempty"`
	// Run is the number of the run and RunStarted when it began, from the second
	// run on.
	Run        int64        `json:"run,omitempty"`
	RunStarted *metav1.Time `json:"runStarted,omitempty"`
	// Runs are the runs before this one, in order, at most [MaxRuns].
	Runs []PastRun `json:"runs,omitempty"`
	// Pipeline is what people see.
	Pipeline steps.Pipeline `json:"pipeline,omitempty"`
}

// Failure is a phase that failed.
type Failure struct {
	Itinerary string   `json:"itinerary"`
	Phase     string   `json:"phase"`
	Reasons   []string `json:"reasons,omitempty"`
	// At is when it failed, in whole seconds, and Visit the State.Visit in
	// which it did.
	At    metav1.Time `json:"at"`
	Visit int64       `json:"visit,omitempty"`
}

// Retry describes what is tried again. It is written down at the first error,
// when the text of the error changes, and otherwise at most every 30 seconds,
// unless the number of attempts is limited or [Options].Key does not tell runs
// apart.
type Retry struct {
	// Kind is what is tried again.
	Kind RetryKind `json:"kind"`
	// Flags are the flags of [RetryFlags].
	Flags []string `json:"flags,omitempty"`
	// Since is when the first attempt failed, and Attempts how many have
	// failed since without a break, up to At. Attempts that were made before
	// they were due, because the object changed, do not count.
	Since    metav1.Time `json:"since"`
	Attempts int64       `json:"attempts"`
	// Error is what the last attempt failed with.
	Error string `json:"error"`
	// At is when this was written down, and Next when the attempt after that
	// was due.
	At   metav1.Time `json:"at"`
	Next metav1.Time `json:"next"`
}

// RetryKind is what a [Retry] is about.
type RetryKind string

const (
	// RetryHandler: the handler of the current phase returned an error.
	RetryHandler RetryKind = "Handler"
	// RetryFlags: flags on which the next transition depends are unknown.
	RetryFlags RetryKind = "Flags"
	// RetryOptions: a function of the options failed or panicked, such as
	// Select, Paused or OnFail.
	RetryOptions RetryKind = "Options"
)

// Stop describes why a run cannot go on: see [IsTerminal].
type Stop struct {
	Error string      `json:"error"`
	Since metav1.Time `json:"since"`
}

// Switch is an itinerary that was left for another.
type Switch struct {
	From string `json:"from"`
	// Phase is where it was left; empty if it had not begun.
	Phase string `json:"phase,omitempty"`
	// To is the itinerary that was entered, and Reason why.
	To     string       `json:"to"`
	Reason SwitchReason `json:"reason"`
	At     metav1.Time  `json:"at"`
}

// SwitchReason is why an itinerary was left.
type SwitchReason string

const (
	// SwitchFailed: a phase failed, or the object says that something did
	// ([Options].Failed).
	SwitchFailed SwitchReason = "Failed"
	// SwitchSelected: the selector named another itinerary.
	SwitchSelected SwitchReason = "Selected"
)

// Dropped counts what was dropped of a state so that its size stays bounded.
type Dropped struct {
	Failures int64 `json:"failures,omitempty"`
	Switches int64 `json:"switches,omitempty"`
	// Progress counts steps whose lines of progress were dropped.
	Progress int64 `json:"progress,omitempty"`
}

// PhaseFailed reports whether the current phase has failed.
func (s *State) PhaseFailed() bool {
	n := len(s.Failures)
	return n > 0 && s.Phase != "" && s.Failures[n-1].Visit == s.Visit
}

// fail records a failure of the current phase.
func (s *State) fail(f Failure, cleanup bool) {
	s.Failures = append(s.Failures, f)
	if cleanup {
		s.FailedInCleanup++
		return
	}
	s.failsAt(f.Itinerary, f.Phase)
	s.FailedPhases++
	s.Result = phases.Failed
}

// enterItinerary records what entering the first phase of an itinerary, or its
// end, means for the result.
func (s *State) enterItinerary(g *machine.Graph) {
	switch {
	case s.FailedPhases > 0:
	case g.Result() == phases.Canceled, g.IsCleanup() && s.Result == "":
		s.Result = g.Result()
	}
}

// nextVisit begins the next visit. Failures of a run that was taken over may
// have higher numbers.
func (s *State) nextVisit() {
	if n := len(s.Failures); n > 0 {
		s.Visit = max(s.Visit, s.Failures[n-1].Visit)
	}
	s.Visit++
}

// leavePhase forgets what belongs to the visit of a phase.
func (s *State) leavePhase() {
	s.Entered, s.Deadline, s.WaitingSince, s.Retry = nil, nil, nil, nil
	s.PausedSince, s.PausedSeconds = nil, 0
}

// pause records that a pause holds the run.
func (s *State) pause(now metav1.Time) {
	if s.PausedSince == nil {
		s.PausedSince = &now
	}
}

// resume adds a pause that is over to the time that does not count for the
// deadline of the current phase.
func (s *State) resume(now metav1.Time) {
	if s.PausedSince != nil {
		s.PausedSeconds += max(int64(now.Sub(s.PausedSince.Time)/time.Second), 0)
		s.PausedSince = nil
	}
}
