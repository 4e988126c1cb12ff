package debug

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// describe returns the kind of an event, and a text for people.
func describe(e runner.Event) (kind, text string) {
	kind = strings.TrimPrefix(fmt.Sprintf("%T", e), "runner.")
	switch e := e.(type) {
	case runner.ItineraryBegun:
		switch {
		case e.PreviousItinerary == "":
			text = fmt.Sprintf("itinerary %s begins", e.Itinerary)
		case e.Failed:
			text = fmt.Sprintf("itinerary %s begins, since %s failed", e.Itinerary, e.PreviousItinerary)
		default:
			text = fmt.Sprintf("itinerary %s begins, %s is left", e.Itinerary, e.PreviousItinerary)
		}
	case runner.RunBegun:
		text = fmt.Sprintf("run %d begins, in itinerary %s from the start", e.Run, e.Itinerary)
		if e.Phase != "" {
			text = fmt.Sprintf("run %d begins, in itinerary %s from phase %s", e.Run, e.Itinerary, e.Phase)
		}
	case runner.FlagEvaluated:
		switch {
		case e.Err != nil:
			text = fmt.Sprintf("flag %s cannot be evaluated: %s", e.Flag, e.Err)
		case e.Value == phases.Unknown:
			text = fmt.Sprintf("flag %s is not known yet", e.Flag)
		default:
			text = fmt.Sprintf("flag %s is %s", e.Flag, e.Value)
		}
	case runner.PipelineReplanned:
		var parts []string
		if len(e.Added) > 0 {
			parts = append(parts, "to come as well: "+strings.Join(e.Added, ", "))
		}
		if len(e.Removed) > 0 {
			parts = append(parts, "no more to come: "+strings.Join(e.Removed, ", "))
		}
		text = strings.Join(parts, "; ")
	case runner.PhaseEntered:
		text = "phase " + e.Phase + " is entered"
	case runner.PhaseWaiting:
		text = "phase " + e.Phase + " waits"
		if e.Message != "" {
			text += ": " + e.Message
		}
	case runner.PhaseRetried:
		text = fmt.Sprintf("attempt %d failed: %s", e.Attempt, e.Err)
	case runner.RunStopped:
		text = fmt.Sprintf("the run is stopped: %s", e.Err)
	case runner.SwitchHeld:
		text = fmt.Sprintf("itinerary %s is selected and not entered", e.Selected)
	case runner.PhaseExited:
		text = fmt.Sprintf("phase %s is done, after %s", e.Phase, e.Took.Round(time.Second))
	case runner.PhaseFailed:
		text = fmt.Sprintf("phase %s has failed: %s", e.Phase, strings.Join(e.Reasons, "; "))
	case runner.RunFinished:
		text = fmt.Sprintf("the run is done: %s", e.Result)
	}
	return kind, printable(text)
}

// maxText is the longest text of an event, in bytes.
const maxText = 512

// printable returns a text in one line, without control characters, and bounded.
func printable(text string) string {
	if len(text) > maxText {
		text = text[:maxText-3] + "..."
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
