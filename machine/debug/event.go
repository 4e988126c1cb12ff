package debug

import (
	"fmt"
	"hash/maphash"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// kind is the type of an event, and the tag of its record.
type kind byte

const (
	itineraryBegun kind = iota + 1
	runBegun
	flagEvaluated
	pipelineReplanned
	phaseEntered
	phaseWaiting
	phaseRetried
	runStopped
	switchHeld
	phaseExited
	phaseFailed
	runFinished
	runPaused
	runResumed
)

// eventKinds are the names of the kinds, which are types of machine/runner, and the
// functions that describe their events for readers.
var eventKinds = [...]struct {
	name string
	text func(n *entry) string
}{
	itineraryBegun:    {"ItineraryBegun", (*entry).itineraryBegun},
	runBegun:          {"RunBegun", (*entry).runBegun},
	flagEvaluated:     {"FlagEvaluated", (*entry).flagEvaluated},
	pipelineReplanned: {"PipelineReplanned", (*entry).pipelineReplanned},
	phaseEntered:      {"PhaseEntered", (*entry).phaseEntered},
	phaseWaiting:      {"PhaseWaiting", func(n *entry) string { return "phase " + n.texts[0] + " waits" + after(": ", n.texts[1]) }},
	phaseRetried:      {"PhaseRetried", (*entry).phaseRetried},
	runStopped: {"RunStopped", func(n *entry) string {
		return "the run is stopped" + after(" in phase ", n.texts[0]) + after(": ", n.texts[1])
	}},
	switchHeld: {"SwitchHeld", (*entry).switchHeld},
	phaseExited: {"PhaseExited", func(n *entry) string {
		return fmt.Sprintf("phase %s is done, after %s", n.texts[0], n.took())
	}},
	phaseFailed: {"PhaseFailed", func(n *entry) string {
		return fmt.Sprintf("phase %s has failed, after %s%s", n.texts[0], n.took(), after(": ", n.texts[1]))
	}},
	runFinished: {"RunFinished", (*entry).runFinished},
	runPaused:   {"RunPaused", func(n *entry) string { return "the run is paused" + after(" in phase ", n.texts[0]) }},
	runResumed: {"RunResumed", func(n *entry) string {
		if n.numbers[0] == 0 {
			return "the run resumes after a pause"
		}
		return "the run resumes after a pause of " + n.took()
	}},
}

// entry is a recorded event.
type entry struct {
	kind    kind
	at      time.Time
	count   int
	last    time.Time
	texts   [4]string
	numbers [2]int64
}

// newEntry returns the entry of an event. Its kind is zero if the event is not recorded.
func newEntry(e runner.Event) (n entry) {
	n.count = 1
	switch e := e.(type) {
	case runner.ItineraryBegun:
		n.kind, n.texts[0], n.texts[1], n.texts[2] = itineraryBegun, e.Itinerary, e.PreviousItinerary, e.Phase
		n.numbers[0] = int64(bit(e.Failed))
	case runner.RunBegun:
		n.kind, n.texts[0], n.texts[1], n.numbers[0] = runBegun, e.Itinerary, e.Phase, e.Run
	case runner.FlagEvaluated:
		n.kind, n.texts[0], n.texts[1] = flagEvaluated, e.Flag, errorText(e.Err)
		n.numbers[0], n.numbers[1] = int64(e.Value), int64(bit(e.LeftBehind))
	case runner.PipelineReplanned:
		n.kind, n.texts[0], n.texts[1] = pipelineReplanned, join(e.Added, ", "), join(e.Removed, ", ")
	case runner.PhaseEntered:
		n.kind, n.texts[0], n.texts[1], n.numbers[0] = phaseEntered, e.Phase, e.Step, int64(bit(e.Jumped))
	case runner.PhaseWaiting:
		n.kind, n.texts[0], n.texts[1] = phaseWaiting, e.Phase, e.Message
	case runner.PhaseRetried:
		n.kind, n.texts[0], n.texts[1] = phaseRetried, e.Phase, string(e.Kind)
		n.texts[2], n.texts[3], n.numbers[0] = join(e.Flags, ", "), errorText(e.Err), e.Attempt
	case runner.RunStopped:
		n.kind, n.texts[0], n.texts[1] = runStopped, e.Phase, errorText(e.Err)
	case runner.SwitchHeld:
		n.kind, n.texts[0], n.texts[1], n.numbers[0] = switchHeld, e.Itinerary, e.Selected, int64(bit(e.Done))
	case runner.PhaseExited:
		n.kind, n.texts[0], n.numbers[0] = phaseExited, e.Phase, int64(e.Took)
	case runner.PhaseFailed:
		n.kind, n.texts[0], n.texts[1], n.numbers[0] = phaseFailed, e.Phase, join(e.Reasons, "; "), int64(e.Took)
	case runner.RunFinished:
		n.kind, n.texts[0], n.texts[1] = runFinished, e.Itinerary, string(e.Result)
		n.numbers[0], n.numbers[1] = e.Failures, e.CleanupFailures
	}
	for i := range n.texts {
		n.texts[i] = cut(n.texts[i], maxText)
	}
	return n
}

// mayRepeat reports whether events of the kind can repeat.
func (n *entry) mayRepeat() bool { return n.kind == phaseWaiting || n.kind == phaseRetried }

// repeats reports whether an event repeats the one before: a phase still waits, whatever
// its message, or is retried with the same error.
func (n *entry) repeats(before *entry) bool {
	return n.kind == before.kind && n.texts[0] == before.texts[0] && (n.kind == phaseWaiting || n.texts == before.texts)
}

func (e *encoder) entry(n *entry) {
	e.time(n.at)
	if e.count(n.count); n.count > 1 {
		e.time(n.last)
	}
	for _, text := range n.texts {
		e.text(text)
	}
	for _, number := range n.numbers {
		e.number(number)
	}
}

func (d *decoder) entry(k kind) (n entry) {
	n.kind, n.at, n.count = k, d.time(), d.count()
	if n.last = n.at; n.count > 1 {
		n.last = d.time()
	}
	for i := range n.texts {
		n.texts[i] = d.text()
	}
	for i := range n.numbers {
		n.numbers[i] = d.number()
	}
	return n
}

// text describes an event for readers.
func (n *entry) text() string { return printable(eventKinds[n.kind].text(n)) }

// took describes the first number as a duration.
func (n *entry) took() string { return wording.Duration(time.Duration(n.numbers[0])) }

func (n *entry) itineraryBegun() string {
	text := fmt.Sprintf("itinerary %s begins", n.texts[0])
	previous := n.texts[1]
	if previous == "" {
		return text
	}
	text += "; it follows " + previous + after(" in phase ", n.texts[2])
	if n.numbers[0] != 0 {
		text += ", which failed"
	}
	return text
}

func (n *entry) runBegun() string {
	return fmt.Sprintf("run %d begins, with itinerary %s%s", n.numbers[0], n.texts[0], after(", in phase ", n.texts[1]))
}

func (n *entry) flagEvaluated() string {
	flag, why := n.texts[0], n.texts[1]
	var text string
	switch value := phases.Truth(n.numbers[0]); {
	case value != phases.Unknown:
		text = fmt.Sprintf("flag %s is %t", flag, value == phases.True)
	case why == "":
		text = fmt.Sprintf("flag %s is not known yet", flag)
	default:
		text = fmt.Sprintf("flag %s is unknown: %s", flag, why)
	}
	if n.numbers[1] != 0 {
		text += "; its source did not return in time and was left behind"
	}
	return text
}

func (n *entry) pipelineReplanned() string {
	var parts []string
	if added := n.texts[0]; added != "" {
		parts = append(parts, "will now also run: "+added)
	}
	if removed := n.texts[1]; removed != "" {
		parts = append(parts, "will no longer run: "+removed)
	}
	return strings.Join(parts, "; ")
}

func (n *entry) phaseEntered() string {
	text := "phase " + n.texts[0] + " is entered"
	if n.numbers[0] != 0 {
		text += " by a jump"
	}
	return text + after(", in step ", n.texts[1])
}

func (n *entry) phaseRetried() string {
	what := "phase " + n.texts[0]
	switch runner.RetryKind(n.texts[1]) {
	case runner.RetryFlags:
		what = "the evaluation of " + n.texts[2]
	case runner.RetryOptions:
		what = "the reconcile"
	default:
		if n.texts[0] == "" {
			what = "the reconcile"
		}
	}
	return fmt.Sprintf("%s is retried, attempt %d failed%s", what, n.numbers[0], after(": ", n.texts[3]))
}

func (n *entry) switchHeld() string {
	if n.numbers[0] != 0 {
		return fmt.Sprintf("itinerary %s is selected but not entered, because the run is done", n.texts[1])
	}
	return fmt.Sprintf("itinerary %s is selected but not entered, because cleanup itinerary %s has begun", n.texts[1], n.texts[0])
}

func (n *entry) runFinished() string {
	text := "the run is done: " + n.texts[1]
	if n.numbers[0] > 0 {
		text += fmt.Sprintf(", failed phases: %d", n.numbers[0])
	}
	if n.numbers[1] > 0 {
		text += fmt.Sprintf(", failed phases in cleanup: %d", n.numbers[1])
	}
	return text
}

// after returns a text with an introduction; empty if the text is empty.
func after(intro, text string) string {
	if text == "" {
		return ""
	}
	return intro + text
}

// maxText limits each text of an event, in bytes.
const maxText = 256

const more = "..."

// cut shortens a text to a limit and makes it valid UTF-8.
func cut(text string, limit int) string {
	if len(text) > limit {
		end := limit - len(more)
		for end > 0 && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end] + more
	}
	return strings.ToValidUTF8(text, string(unicode.ReplacementChar))
}

// join joins texts. It may leave out what [cut] would drop.
func join(texts []string, between string) string {
	n := 0
	for i, text := range texts {
		if n += len(text) + len(between); n > maxText+len(between) {
			return strings.Join(texts[:i+1], between) + between
		}
	}
	return strings.Join(texts, between)
}

// printable returns a text as one line, without control characters.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// flag describes when a flag was last evaluated, and with what outcome.
type flag struct {
	// milli is the time, word the number of the flag's name. failure stands for the text
	// of the error.
	milli   int64
	word    uint32
	failure uint32
	value   phases.Truth
}

var seed = maphash.MakeSeed()

func failure(text string) uint32 {
	if text == "" {
		return 0
	}
	return uint32(maphash.String(seed, text)) | 1
}
