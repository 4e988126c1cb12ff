package machine

import (
	"errors"
	"fmt"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
)

// ErrNoItinerary is returned by the methods of a machine that was not made by [Graph.NewMachine] or
// [Set.Resume].
var ErrNoItinerary = errors.New("the machine is in no itinerary; make it with Graph.NewMachine or Set.Resume")

// ErrDone is returned by the methods that move a machine, if its run is done. Such a machine
// neither advances nor switches.
var ErrDone = errors.New("the run is done and cannot move")

// UnknownPhaseError reports a recorded phase that its itinerary does not have: a typo, or a phase
// of another release. Nothing is completed or skipped for it. Add the name to Formerly of the phase
// that replaces it, or record a phase that exists.
type UnknownPhaseError struct {
	Itinerary, Phase string
	// Nearest lists the names that resemble Phase, nearest first.
	Nearest []string
}

func (e *UnknownPhaseError) Error() string {
	hint := wording.DidYouMean(e.Nearest)
	if hint == "" {
		hint = "; record an existing phase, or add the name to Formerly of the phase that replaces it"
	}
	return fmt.Sprintf("itinerary %q has no phase %q%s", e.Itinerary, e.Phase, hint)
}

// ChoiceError reports a choice that the phase does not declare. Its handler made the choice, or an
// earlier release, which declared it, recorded it. Choose one of Choices, or declare it as a jump
// of the phase with Choice set.
type ChoiceError struct {
	Itinerary, Phase string
	Choice           string
	// Choices lists the phases that the phase may choose.
	Choices []string
}

func (e *ChoiceError) Error() string {
	choices := "it declares no choice"
	if len(e.Choices) > 0 {
		choices = "its choices are " + wording.List(e.Choices, "and")
	}
	return fmt.Sprintf("itinerary %q: phase %q does not declare the choice to jump to %q; %s", e.Itinerary, e.Phase, e.Choice, choices)
}

// UnknownFlagsError reports that the next move depends on unknown flags. The machine has not moved;
// evaluate the flags and retry.
type UnknownFlagsError struct {
	Itinerary string
	// At is the position of the machine.
	At Position
	// Flags lists all unknown flags that must become known first: those that the next transition
	// depends on ([Machine.Depends]) and, at the start of an itinerary, all that it awaits
	// ([Machine.Awaits]).
	Flags []string
	// Err joins the [*phases.FlagError] of the flags that could not be evaluated. It is nil if
	// their sources returned unknown or were not called.
	Err error
}

func (e *UnknownFlagsError) Error() string {
	verb := "is"
	if len(e.Flags) > 1 {
		verb = "are"
	}
	text := fmt.Sprintf("itinerary %q at %s: the next phase depends on %s, which %s not known yet",
		e.Itinerary, e.At, wording.List(e.Flags, "and"), verb)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns Err.
func (e *UnknownFlagsError) Unwrap() error { return e.Err }

// NoSourceError reports that the next move depends on flags that no source evaluates. Retrying does
// not help until a source is added.
type NoSourceError struct {
	Itinerary string
	At        Position
	Flags     []string
}

func (e *NoSourceError) Error() string {
	return fmt.Sprintf("itinerary %q at %s: the next phase depends on %s, which no source evaluates; add a source in Sources",
		e.Itinerary, e.At, wording.List(e.Flags, "and"))
}

// SourcesError reports that the Sources function of the options is missing, or returned nil or
// sources over another vocabulary.
type SourcesError struct {
	Itinerary string
	Problem   string
}

func (e *SourcesError) Error() string {
	return fmt.Sprintf("itinerary %q: Sources %s", e.Itinerary, e.Problem)
}

// TransitionError reports that a transition to a phase is not allowed now. The machine does not
// move.
type TransitionError struct {
	Itinerary string
	From, To  Position
	// Next is the position to which the machine would move instead.
	Next Position
	// Why explains why the phase To does not run; nil if it would run, but not next.
	Why *Why
}

func (e *TransitionError) Error() string {
	reason := fmt.Sprintf("next is %s", e.Next)
	if e.Why != nil {
		reason = fmt.Sprintf("it %s; %s", e.Why.Text, reason)
	}
	return fmt.Sprintf("itinerary %q: no transition from %s to %s now: %s", e.Itinerary, e.From, e.To, reason)
}

// SwitchError reports a refused switch: to the machine's own itinerary, to one over another
// vocabulary, to one that may not follow a cleanup itinerary, or to none.
type SwitchError struct {
	// From and To are the names of the itineraries; To is empty if there is none.
	From, To string
	Problem  string
}

func (e *SwitchError) Error() string {
	to := "none"
	if e.To != "" {
		to = fmt.Sprintf("%q", e.To)
	}
	return fmt.Sprintf("cannot switch from itinerary %q to %s: %s", e.From, to, e.Problem)
}

// TooManyEdgesError reports that an itinerary cannot run as a state machine, because its transition
// table would be too large. It can still be planned. A phase without a guard splits a sequence of
// guarded phases in two.
type TooManyEdgesError struct {
	Itinerary    string
	Edges, Limit int
	// First and Last are the ends of the longest sequence of guarded phases, and Run is its length.
	First, Last string
	Run         int
}

func (e *TooManyEdgesError) Error() string {
	return fmt.Sprintf("itinerary %q has %d edges, more than the limit of %d: from %q to %q there are %d guarded phases in a row; "+
		"split them with a phase that always runs", e.Itinerary, e.Edges, e.Limit, e.First, e.Last, e.Run)
}
