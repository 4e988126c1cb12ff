package verify

import "github.com/konveyor/dynamic-pipeline/phases"

// Severity is how much a finding matters: [Info], [Warning] or [Error].
type Severity string

// The severities, from the lowest to the highest.
const (
	Info    Severity = "info"
	Warning Severity = "warning"
	Error   Severity = "error"
)

// Reaches reports whether the severity is at least level.
func (s Severity) Reaches(level Severity) bool { return s.rank() >= level.rank() }

// rank orders severities. An unknown severity ranks highest, so it cannot be
// overlooked.
func (s Severity) rank() int {
	switch s {
	case Info:
		return 0
	case Warning:
		return 1
	default:
		return 2
	}
}

// Rule is a kind of finding. Names of rules never change: suppressions, reports
// and acceptances hold them.
type Rule struct {
	Name     string   `json:"name"`
	Severity Severity `json:"severity"`
	// Definition is one sentence that states when the rule finds something.
	Definition string `json:"definition"`
}

// Place is the position of a finding in the definition and, if the itineraries were
// read from a file, in that file.
type Place struct {
	// File, Line and Column are empty and zero for itineraries written in Go. Lines
	// and columns count from 1.
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	// Itinerary and Phase name the definition.
	Itinerary string `json:"itinerary,omitempty"`
	Phase     string `json:"phase,omitempty"`
}

// Finding is a problem in a definition that its author should know before it runs.
// Fields that do not apply are empty. The JSON is a contract.
type Finding struct {
	Rule      string   `json:"rule"`
	Severity  Severity `json:"severity"`
	Itinerary string   `json:"itinerary"`
	Phase     string   `json:"phase"`
	Step      string   `json:"step"`
	Flag      string   `json:"flag"`
	// Text is a sentence that names the problem.
	Text  string `json:"text"`
	Place Place  `json:"place"`
	// Assignment holds the names of the flags that are true in the smallest assignment
	// that shows the finding, in the order of the vocabulary; all other flags are
	// false. It is nil if no assignment is needed to show the finding.
	Assignment []string `json:"assignment"`
	// Reproduce is the command line that shows the finding, without the name of the
	// program: "plan -i Backup --explain". It is empty if no plan shows the finding.
	Reproduce string `json:"reproduce"`
	// Suppressed is the reason of the suppression that covers the finding, or empty.
	Suppressed string `json:"suppressed"`
	// Suppression is the rule of a suppression that has no effect, if the finding is
	// about one. It is empty for all other findings.
	Suppression string `json:"suppression,omitempty"`
}

// Direction is the direction in which a run changes releases.
type Direction string

// The directions: from the old release to the new one, and back.
const (
	Upgrade  Direction = "upgrade"
	Rollback Direction = "rollback"
)

// Kind describes what a break between two releases concerns.
type Kind string

// The kinds of a break, from the worst to the least.
const (
	StateKind      Kind = "state"      // the run cannot be resumed
	WorkKind       Kind = "work"       // a phase runs twice, is skipped, or comes in another order
	ViewKind       Kind = "view"       // the steps that users see differ
	DefinitionKind Kind = "definition" // the definitions differ, without the effects above
)

// Severity returns [Error] for states and work, [Warning] for steps that users see, and
// [Info] for definitions.
func (k Kind) Severity() Severity {
	switch k {
	case ViewKind:
		return Warning
	case DefinitionKind:
		return Info
	default:
		return Error
	}
}

// Break is a problem that a run in flight meets if the release changes under it. Fields
// that do not apply are empty. The JSON is a contract.
type Break struct {
	Rule string `json:"rule"`
	Kind Kind   `json:"kind"`
	// Direction and Itinerary are those in the fingerprint if the break is about an
	// acceptance. They are empty if the fingerprint has none.
	Direction Direction `json:"direction"`
	Itinerary string    `json:"itinerary"`
	Phase     string    `json:"phase"`
	Step      string    `json:"step"`
	// Flag and Choice are the flag and the target of the choice that the break
	// concerns, or empty.
	Flag   string `json:"flag,omitempty"`
	Choice string `json:"choice,omitempty"`
	Text   string `json:"text"`
	// State is the smallest state in flight that shows the break. It is nil if the
	// break does not depend on a state.
	State *InFlight `json:"state"`
	// Objects names the recorded objects that are in such a state; it is nil if no
	// objects were read, and empty for a break of the rollback, which is not compared
	// with objects.
	Objects []string `json:"objects"`
	// Suggestion is a line of the definition that removes the break, as a trial has
	// shown, or empty.
	Suggestion string `json:"suggestion"`
	// Accepted is the reason of the acceptance that covers the break, or empty.
	Accepted string `json:"accepted,omitempty"`
	// Acceptance is the fingerprint of an acceptance that has no effect, and Place is
	// its position in its file. They are empty and nil for all other breaks.
	Acceptance string `json:"acceptance,omitempty"`
	Place      *Place `json:"place,omitempty"`
}

// InFlight is a state that a run of a release can be in.
type InFlight struct {
	Itinerary string `json:"itinerary"`
	// Phase is the recorded phase. It is empty if the itinerary has not begun.
	Phase string `json:"phase"`
	// WorkDone means that the work of the phase is done. Choice is the choice that its
	// handler has made, or empty.
	WorkDone bool   `json:"workDone,omitempty"`
	Choice   string `json:"choice,omitempty"`
	// Facts are the flags as the run knows them.
	Facts phases.Record `json:"facts"`
	// Ran are the phases that ran before, in the order of the itinerary.
	Ran []string `json:"ran"`
}
