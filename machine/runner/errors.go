package runner

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// HandlerError is an error of a handler that is retried. The outcome returned with it
// holds the delay.
type HandlerError struct {
	Itinerary, Phase string
	Err              error
}

func (e *HandlerError) Error() string {
	return fmt.Sprintf("itinerary %q: phase %q: %v", e.Itinerary, e.Phase, e.Err)
}

// Unwrap returns the error of the handler.
func (e *HandlerError) Unwrap() error { return e.Err }

// StopError is an error of a handler that stops the run, either because
// [Options].OnError decided so or because the handler made a choice that the phase does
// not declare ([*machine.ChoiceError]).
type StopError struct {
	Itinerary, Phase string
	Err              error
}

func (e *StopError) Error() string {
	if choice, ok := e.Err.(*machine.ChoiceError); ok {
		return choice.Error() // which names the phase itself
	}
	return fmt.Sprintf("itinerary %q: phase %q: %v", e.Itinerary, e.Phase, e.Err)
}

// Unwrap returns the error of the handler.
func (e *StopError) Unwrap() error { return e.Err }

// UnansweredFailureError is a failure after which the selector still names the same
// itinerary. Outside cleanup itineraries, nothing runs after a failed phase, so the run
// is stopped.
type UnansweredFailureError struct {
	Itinerary, Phase string
	Reasons          []string
}

func (e *UnansweredFailureError) Error() string {
	text := fmt.Sprintf("phase %q of itinerary %q failed", e.Phase, e.Itinerary)
	if len(e.Reasons) > 0 { // cut, since the end of the text says what to do
		text += ": " + cutTo(strings.Join(e.Reasons, "; "), MaxText/2)
	}
	return text + fmt.Sprintf("; Select still names %q, so the run is stopped: let it name another itinerary, such as "+
		"a cleanup itinerary, when a phase has failed", e.Itinerary)
}

// IsTerminal reports whether an error of [Runner.Reconcile] lasts until the object or
// the release is fixed: a retry is useless. The following errors are terminal:
//
//   - the recorded phase, its choice or the itinerary is unknown
//   - the selector does not answer a failure ([UnansweredFailureError])
//   - a flag has no source
//   - the run that the token asks for cannot begin ([RunAgainError])
//   - the annotation of the state is broken ([AnnotationError])
//   - an error of a handler stopped the run ([StopError])
//
// The Stopped field of the state describes the error, if the state could be read. No
// other error of a handler, a source or another function of the embedder is terminal,
// whatever it wraps.
func IsTerminal(err error) bool {
	if err == nil {
		return false
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return slices.ContainsFunc(joined.Unwrap(), IsTerminal) // the cause of a stop, and an error of OnFail
	}
	var (
		handler *HandlerError
		flags   *machine.UnknownFlagsError
		option  *optionError
	)
	stops := func(err error) bool { return errors.As(err, new(*StopError)) }
	if stops(err) && !(errors.As(err, &handler) && stops(handler.Err)) && !(errors.As(err, &flags) && stops(flags.Err)) &&
		!(errors.As(err, &option) && stops(option.err)) {
		return true
	}
	if errors.As(err, &handler) || errors.As(err, &flags) || errors.As(err, &option) {
		return false
	}
	var (
		annotation *AnnotationError
		phase      *machine.UnknownPhaseError
		choice     *machine.ChoiceError
		itinerary  *phases.UnknownItineraryError
		failure    *UnansweredFailureError
		source     *machine.NoSourceError
		again      *RunAgainError
	)
	return errors.As(err, &phase) || errors.As(err, &choice) || errors.As(err, &itinerary) || errors.As(err, &failure) ||
		errors.As(err, &source) || errors.As(err, &again) || errors.As(err, &annotation)
}

// optionError is an error or a panic of a function of the options.
type optionError struct {
	function string
	err      error
}

func (e *optionError) Error() string { return e.function + ": " + e.err.Error() }
func (e *optionError) Unwrap() error { return e.err }
