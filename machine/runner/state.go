package runner

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// State is the state of a run that the embedder persists, and all that a runner knows
// about the run. It is plain data, written in one piece. Keep it in the status of the
// custom resource or, without the pipeline, in an annotation. Progress within a phase
// belongs in other fields of the embedder's type.
//
// The size of a State is bounded, whatever handlers return ([MaxText] and the other
// limits). Since users can edit it, a runner checks what it reads: numbers and texts
// out of range are brought into range.
type State struct {
	machine.Checkpoint `json:",inline"`
	// Visit counts the phases that this run and the runs before it have entered. It
	// distinguishes two visits to one phase.
	Visit int64 `json:"visit,omitempty"`
	// Entered is when the current phase was entered. Its deadline counts from then.
	Entered *metav1.Time `json:"entered,omitempty"`
	// Deadline is when the current phase fails, unless the last call of its handler
	// then returns [Done]. When a pause ends, Deadline moves by the length of the pause.
	// It is nil if the phase has no deadline or its work is done. It is for users and
	// tools; a runner uses its options.
	Deadline *metav1.Time `json:"deadline,omitempty"`
	// WaitingSince is when the current phase began its present uninterrupted wait.
	WaitingSince *metav1.Time `json:"waitingSince,omitempty"`
	// PausedSince is when the run was first found paused; nil unless a pause holds it
	// now.
	PausedSince *metav1.Time `json:"pausedSince,omitempty"`
	// PausedSeconds is the time for which pauses have held the current phase. It
	// extends the deadline of the phase.
	PausedSeconds int64 `json:"pausedSeconds,omitempty"`
	// Retry describes what is being retried; nil if nothing is.
	Retry *Retry `json:"retry,omitempty"`
	// Stopped describes why the run cannot continue until the object or the release is
	// fixed; nil if it can.
	Stopped *Stop `json:"stopped,omitempty"`
	// SwitchHeld is the itinerary that the selector names but that is not entered,
	// because a cleanup itinerary has begun or the run is done.
	SwitchHeld string `json:"switchHeld,omitempty"`
	// Switches are the itineraries that were left for another, in order.
	Switches []Switch `json:"switches,omitempty"`
	// Result is the result of the run, as far as it is decided. A phase that fails
	// outside cleanup itineraries makes it Failed. Otherwise, if an itinerary whose
	// result is Canceled was entered, it is Canceled. Otherwise it is the result of the
	// first cleanup itinerary that was entered, if any, or of the last itinerary. It is
	// never empty when the run is done, unless another controller ended the run: such a
	// run is left alone.
	Result phases.Result `json:"result,omitempty"`
	// FailedPhases and FailedInCleanup count the phases that failed outside and in
	// cleanup itineraries.
	FailedPhases    int64 `json:"failedPhases,omitempty"`
	FailedInCleanup int64 `json:"failedInCleanup,omitempty"`
	// Failures are the phases that failed, in order, as far as they fit the limits.
	Failures []Failure `json:"failures,omitempty"`
	// Dropped counts what exceeded the limits; nil if nothing did.
	Dropped *Dropped `json:"dropped,omitempty"`
	// FailedAt is where the run first failed outside cleanup itineraries; nil if it has
	// not. A new run can begin there ([FromFailedPhase]).
	FailedAt *FailedAt `json:"failedAt,omitempty"`
	// Token is the token of the present run ([Options].Token). A token that takes
	// more than 71 bytes in JSON, or is not valid UTF-8, is replaced by its SHA-256 sum.
	// It is nil until a token was seen.
	Token *string `json:"token,omitempty"`
	// Run is the number of the run, and RunStarted is when it began. Both are set from
	// the second run on.
	Run        int64        `json:"run,omitempty"`
	RunStarted *metav1.Time `json:"runStarted,omitempty"`
	// Runs are the runs before this one, in order, at most [MaxRuns].
	Runs []PastRun `json:"runs,omitempty"`
	// Pipeline holds the steps that users see.
	Pipeline steps.Pipeline `json:"pipeline,omitempty"`
}

// Failure is a phase that failed.
type Failure struct {
	Itinerary string   `json:"itinerary"`
	Phase     string   `json:"phase"`
	Reasons   []string `json:"reasons,omitempty"`
	// At is when the phase failed, in whole seconds, and Visit is the State.Visit in
	// which it did.
	At    metav1.Time `json:"at"`
	Visit int64       `json:"visit,omitempty"`
}

// Retry describes what is being retried. It is recorded at the first error and when the
// text of the error changes, and otherwise at most every 30 seconds. If the number of
// attempts is limited, or [Options].Key does not distinguish runs, every attempt is
// recorded.
type Retry struct {
	// Kind names what is being retried.
	Kind RetryKind `json:"kind"`
	// Flags are the flags of [RetryFlags].
	Flags []string `json:"flags,omitempty"`
	// Since is when the first attempt failed. Attempts counts the consecutive failed
	// attempts from then up to At. Attempts that were made early, because the object
	// changed, do not count.
	Since    metav1.Time `json:"since"`
	Attempts int64       `json:"attempts"`
	// Error is the error of the last attempt.
	Error string `json:"error"`
	// At is when the retry was recorded, and Next is when the next attempt was due.
	At   metav1.Time `json:"at"`
	Next metav1.Time `json:"next"`
}

// RetryKind names what is retried.
type RetryKind string

const (
	// RetryHandler means that the handler of the current phase returned an error.
	RetryHandler RetryKind = "Handler"
	// RetryFlags means that flags on which the next transition depends are unknown.
	RetryFlags RetryKind = "Flags"
	// RetryOptions means that a function of the options, such as Select, Paused or
	// OnFail, returned an error or panicked.
	RetryOptions RetryKind = "Options"
)

// Stop describes why a run cannot continue: see [IsTerminal].
type Stop struct {
	Error string      `json:"error"`
	Since metav1.Time `json:"since"`
}

// Switch describes an itinerary that was left for another.
type Switch struct {
	From string `json:"from"`
	// Phase is the phase in which From was left; empty if From had not begun.
	Phase string `json:"phase,omitempty"`
	// To is the itinerary that was entered, and Reason names why.
	To     string       `json:"to"`
	Reason SwitchReason `json:"reason"`
	At     metav1.Time  `json:"at"`
}

// SwitchReason names why an itinerary was left.
type SwitchReason string

const (
	// SwitchFailed means that a phase failed, or that the object reports a failure
	// ([Options].Failed).
	SwitchFailed SwitchReason = "Failed"
	// SwitchSelected means that the selector named another itinerary.
	SwitchSelected SwitchReason = "Selected"
)

// Dropped counts what was dropped from a state to bound its size.
type Dropped struct {
	Failures int64 `json:"failures,omitempty"`
	Switches int64 `json:"switches,omitempty"`
	// Progress counts the steps whose lines of progress were dropped.
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

// enterItinerary updates the result when the first phase of g, or its end, is entered.
func (s *State) enterItinerary(g *machine.Graph) {
	switch {
	case s.FailedPhases > 0:
	case g.Result() == phases.Canceled, g.IsCleanup() && s.Result == "":
		s.Result = g.Result()
	}
}

// nextVisit begins the next visit. Failures of a run that was taken over may have
// higher numbers.
func (s *State) nextVisit() {
	if n := len(s.Failures); n > 0 {
		s.Visit = max(s.Visit, s.Failures[n-1].Visit)
	}
	s.Visit++
}

// leavePhase clears what belongs to one visit of a phase.
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

// resume adds a pause that has ended to the time by which the deadline of the current
// phase is extended.
func (s *State) resume(now metav1.Time) {
	if s.PausedSince != nil {
		s.PausedSeconds += max(int64(now.Sub(s.PausedSince.Time)/time.Second), 0)
		s.PausedSince = nil
	}
}
