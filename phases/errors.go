package phases

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
)

// VocabularyError describes an invalid row of a vocabulary.
type VocabularyError struct {
	// Row is the index of the row among the flags or among the relations.
	Row int
	// Name is the flag's name, or "relation N", N counting from 1.
	Name    string
	Problem string
}

func (e *VocabularyError) Error() string {
	if strings.HasPrefix(e.Name, "relation ") { // no flag's name has a space
		return e.Name + ": " + e.Problem
	}
	return fmt.Sprintf("flag %q: %s", e.Name, e.Problem)
}

// UnknownFlagError reports a flag name that the vocabulary does not have.
type UnknownFlagError struct {
	Name string
	// Nearest are the names that resemble it, nearest first.
	Nearest []string
	// Known are the names of all flags, in order. It is empty if some resemble it.
	Known []string
}

func (e *UnknownFlagError) Error() string {
	hint := wording.DidYouMean(e.Nearest)
	if hint == "" && len(e.Known) > 0 {
		hint = "; known: " + wording.List(e.Known, "and")
	}
	return fmt.Sprintf("unknown flag %q%s", e.Name, hint)
}

// Reason is the reason why a definition is refused. The list is closed.
type Reason string

// The reasons of a [DefinitionError].
const (
	ReasonNoVocabulary       Reason = "NoVocabulary"
	ReasonNoPhases           Reason = "NoPhases"
	ReasonEmptyName          Reason = "EmptyName"
	ReasonInvalidName        Reason = "InvalidName"
	ReasonDuplicateName      Reason = "DuplicateName"
	ReasonUndeclaredFlag     Reason = "UndeclaredFlag"
	ReasonContradiction      Reason = "Contradiction"
	ReasonRidingStep         Reason = "RidingStep"
	ReasonUnknownJump        Reason = "UnknownJump"
	ReasonUnknownResult      Reason = "UnknownResult"
	ReasonInvalidDescription Reason = "InvalidDescription"
	ReasonWorkingEnd         Reason = "WorkingEnd"
	ReasonGuardedChoice      Reason = "GuardedChoice"
	ReasonEndlessLoop        Reason = "EndlessLoop" // found by machine.Compile, not by Validate
)

// DefinitionError describes why an itinerary is refused.
type DefinitionError struct {
	Itinerary string
	// Phase is the name of the phase that the error is about, and Index its index.
	// Index is -1 if the error is about the itinerary itself.
	Phase  string
	Index  int
	Reason Reason
	// Problem is the rest of the sentence, including what to do.
	Problem string
}

func (e *DefinitionError) Error() string {
	switch {
	case e.Index < 0:
		return fmt.Sprintf("itinerary %q: %s", e.Itinerary, e.Problem)
	case e.Phase == "":
		return fmt.Sprintf("itinerary %q: phase number %d %s", e.Itinerary, e.Index+1, e.Problem)
	}
	return fmt.Sprintf("itinerary %q: phase %q %s", e.Itinerary, e.Phase, e.Problem)
}

// DefinitionErrors are all the reasons why an itinerary is refused, in the order of its
// phases. errors.As finds the first one as a [*DefinitionError].
type DefinitionErrors []*DefinitionError

func (e DefinitionErrors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the errors one by one.
func (e DefinitionErrors) Unwrap() []error {
	all := make([]error, len(e))
	for i, one := range e {
		all[i] = one
	}
	return all
}

// SourceError describes an invalid source of a flag.
type SourceError struct {
	// Flag is the name of the flag. It is empty if the error is not about one.
	Flag    string
	Problem string
}

func (e *SourceError) Error() string {
	if e.Flag == "" {
		return e.Problem
	}
	return fmt.Sprintf("flag %s: %s", e.Flag, e.Problem)
}

// FlagError describes why a flag is unknown. It wraps the error or the [*PanicError] of
// its source, a [*LeftBehindError], an [*UnknownInputError] or an [*InvalidTruthError].
// If the context was done before the source was called, it wraps the error of the
// context.
type FlagError struct {
	Flag string
	Err  error
}

func (e *FlagError) Error() string { return fmt.Sprintf("flag %s is unknown: %v", e.Flag, e.Err) }

// Unwrap returns the cause.
func (e *FlagError) Unwrap() error { return e.Err }

// UnknownInputError reports a flag that could not be computed, because flags that it is
// computed from are unknown.
type UnknownInputError struct {
	// Inputs are the names of these flags; each has a separate error.
	Inputs []string
}

func (e *UnknownInputError) Error() string {
	if len(e.Inputs) == 1 {
		return "it is computed from " + e.Inputs[0] + ", which is unknown"
	}
	return "it is computed from " + wording.List(e.Inputs, "and") + ", which are unknown"
}

// InvalidTruthError reports a value returned by a source that is none of True, False
// and Unknown.
type InvalidTruthError struct {
	Truth Truth
}

func (e *InvalidTruthError) Error() string {
	return fmt.Sprintf("its source returned the value %d, which is not a Truth; let it return True, False or Unknown", uint8(e.Truth))
}

// LeftBehindError reports a source that has not returned although its context is done.
type LeftBehindError struct {
	// Since is the time at which the source was left behind.
	Since time.Time
	// Err is the error of its context.
	Err error
}

func (e *LeftBehindError) Error() string {
	return fmt.Sprintf("its source has not returned since %s although its context is done (%v); let it return when the context is done",
		e.Since.UTC().Format(time.RFC3339), e.Err)
}

// Unwrap returns the error of the context.
func (e *LeftBehindError) Unwrap() error { return e.Err }

// PanicError is a panic of an embedder's function that this library has recovered.
type PanicError struct {
	Value any
	// Stack is the stack of the goroutine that panicked.
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns the value of the panic if it is an error, else nil.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// UnknownItineraryError reports the name of an itinerary that a file, a catalogue or a
// set does not have.
type UnknownItineraryError struct {
	Name string
	// Nearest are the names that resemble it, nearest first.
	Nearest []string
	// Known are the names of all that exist, in order.
	Known []string
}

func (e *UnknownItineraryError) Error() string {
	hint := wording.DidYouMean(e.Nearest)
	if hint == "" {
		known := make([]string, len(e.Known))
		for i, name := range e.Known {
			known[i] = fmt.Sprintf("%q", name)
		}
		hint = "; known: " + cmp.Or(wording.List(known, "and"), "none")
	}
	return fmt.Sprintf("unknown itinerary %q%s", e.Name, hint)
}
