package machine

import (
	"errors"
	"fmt"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
)

// ErrNoItinerary is returned if a machine is used that was not made by
// [Graph.NewMachine] or [Set.Resume].
var ErrNoItinerary = errors.New("the machine is in no itinerary; make it with Graph.NewMachine or Set.Resume")

// ErrDone is returned where a run that is done is asked to move. A
// migration that is done neither advances nor switches.
var ErrDone = errors.New("the run is done; nothing comes after")

// UnknownPhaseError is a recorded phase that its itinerary does not have: a
// typo, or a phase of another release. Nothing is completed or skipped for
// it; declare the name as formerly of the phase that it is now called, or
// write a phase that exists.
type UnknownPhaseError struct {
	Itinerary, Phase string
	// Nearest are the names that resemble it, nearest first.
	Nearest []string
}

func (e *UnknownPhaseError) Error() string {
	hint := wording.DidYouMean(e.Nearest)
	if hint == "" {
		hint = "; record one that it has, or declare the name as formerly of the phase that it is now"
	}
	return fmt.Sprintf("itinerary %q has no phase %q%s", e.Itinerary, e.Phase, hint)
}

// ChoiceError reports a choice that the phase does not declare: of its handler, or
// recorded by a release that did. Choose one of Choices, or declare it as a jump
// of the phase that is a choice.
type ChoiceError struct {
	Itinerary, Phase string
	Choice           string
	// Choices are the phases that the phase may choose.
	Choices []string
}

func (e *ChoiceError) Error() string {
	choices := "it declares no choice"
	if len(e.Choices) > 0 {
		choices = "its choices are " + wording.List(e.Choices, "and")
	}
	return fmt.Sprintf("itinerary %q: phase %q does not have the choice to jump to %q; %s", e.Itinerary, e.Phase, e.Choice, choices)
}

// UnknownFlagsError reports that the machine cannot move yet, since the way from
// here depends on unknown flags. The machine has not moved; evaluate the flags and
// retry.
type UnknownFlagsError struct {
	Itinerary string
	// At is where the machine is.
	At Position
	// Flags are all unknown flags that must become known first: those that the
	// next transition depends on ([Machine.Depends]), and at the start of an
	// itinerary all that it awaits ([Machine.Awaits]).
	Flags []string
	// Err joins the [*phases.FlagError] of those that could not be evaluated; nil
	// if their sources returned unknown, or were not called.
	Err error
}

func (e *UnknownFlagsError) Error() string {
	verb := "is"
	if len(e.Flags) > 1 {
		verb = "are"
	}
	text := fmt.Sprintf("itinerary %q at %s: the next phase depends on %s, which %s not known yet", e.Itinerary, e.At, wording.List(e.Flags, "and"), verb)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns Err.
func (e *UnknownFlagsError) Unwrap() error { return e.Err }

// NoSourceError reports that the way from here depends on flags that no source
// evaluates. It stays until there is one.
type NoSourceError struct {
	Itinerary string
	At        Position
	Flags     []string
}

func (e *NoSourceError) Error() string {
	return fmt.Sprintf("itinerary %q at %s: the next phase depends on %s, which no source evaluates; add a source in Sources", e.Itinerary, e.At, wording.List(e.Flags, "and"))
}

// SourcesError reports that the Sources function of the options is missing, or
// returned sources that cannot be used: none, or those of another vocabulary.
type SourcesError struct {
	Itinerary string
	Problem   string
}

func (e *SourcesError) Error() string {
	return fmt.Sprintf("itinerary %q: Sources %s", e.Itinerary, e.Problem)
}

// TransitionError says that a transition to a certain phase is not allowed
// now. The machine stands where it stood.
type TransitionError struct {
	Itinerary string
	From, To  Position
	// Next is where the machine would go instead.
	Next Position
	// Why tells what keeps the phase To from running, where that is the
	// reason; nil where To would run, but not next.
	Why *Why
}

func (e *TransitionError) Error() string {
	reason := fmt.Sprintf("next is %s", e.Next)
	if e.Why != nil {
		reason = fmt.Sprintf("it %s; %s", e.Why.Text, reason)
	}
	return fmt.Sprintf("itinerary %q: no transition from %s to %s now: %s", e.Itinerary, e.From, e.To, reason)
}

// SwitchError reports that a switch is refused: it leads to the itinerary that
// the machine is in, to one over another vocabulary, to one that may not follow
// a cleanup itinerary, or to none.
type SwitchError struct {
	// From and To are the names of the itineraries; To is empty if there is
	// none.
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

// TooManyEdgesError says that an itinerary cannot be run as a state machine,
// since its transition table would be too large. It can still be planned.
// Every phase without a guard cuts a run of guarded phases in two.
type TooManyEdgesError struct {
	Itinerary    string
	Edges, Limit int
	// First and Last are the ends of the longest run of guarded phases, Run
	// its length.
	First, Last string
	Run         int
}

func (e *TooManyEdgesError) Error() string {
	return fmt.Sprintf("itinerary %q has %d edges, more than the %d that a machine takes: from %q to %q stand %d guarded phases in a row; split them with a phase that always runs",
		e.Itinerary, e.Edges, e.Limit, e.First, e.Last, e.Run)
}
