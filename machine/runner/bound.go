package runner

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// The limits of what a state keeps, in bytes of JSON. Texts of one kind that
// exceed their limit together are cut from the oldest on: to one line first,
// then they are dropped and counted ([State].Dropped). Observers receive the
// whole texts.
const (
	// MaxText is the limit of one text: a reason, an error, a message, a line
	// of progress. A longer one is cut and ends in "...".
	MaxText = 1 << 10
	// MaxFailures is the limit of all failures together, and MaxProgress that
	// of the progress of all steps.
	MaxFailures = 16 << 10
	MaxProgress = 16 << 10
	// MaxSwitches is the number of itineraries left that are kept.
	MaxSwitches = 32
)

// The ranges of numbers that are read back.
const (
	maxVisit   = 1 << 52
	maxCount   = 1 << 52
	maxSeconds = 1 << 32 // some 136 years
)

// bound keeps the size of the state within the limits, in time and memory
// linear in its size.
func (s *State) bound() {
	for i := range s.Failures {
		f := &s.Failures[i]
		f.Itinerary, f.Phase = cut(f.Itinerary), cut(f.Phase)
		f.Reasons = cutLines(f.Reasons, MaxFailures/2)
	}
	dropped := squeeze(len(s.Failures), MaxFailures,
		func(i int) int {
			f := &s.Failures[i]
			return failureSize + size(f.Itinerary) + size(f.Phase) + sizes(f.Reasons)
		},
		func(i int) { s.Failures[i].Reasons = oneLine(s.Failures[i].Reasons) })
	s.Failures = slices.Delete(s.Failures, 0, dropped)
	s.dropped(func(d *Dropped) *int64 { return &d.Failures }, dropped)

	dropped = max(len(s.Switches)-MaxSwitches, 0)
	s.Switches = slices.Delete(s.Switches, 0, dropped)
	s.dropped(func(d *Dropped) *int64 { return &d.Switches }, dropped)
	for i := range s.Switches {
		l := &s.Switches[i]
		l.From, l.Phase, l.To = cut(l.From), cut(l.Phase), cut(l.To)
		if l.Reason != SwitchFailed {
			l.Reason = SwitchSelected
		}
	}

	s.boundPipeline()
	s.SwitchHeld = cut(s.SwitchHeld)
	if s.Retry != nil {
		s.Retry.Error = cut(s.Retry.Error)
		s.Retry.Flags = s.Retry.Flags[:min(len(s.Retry.Flags), phases.MaxFlags)]
		for i := range s.Retry.Flags {
			s.Retry.Flags[i] = cut(s.Retry.Flags[i])
		}
	}
	if s.Stopped != nil {
		s.Stopped.Error = cut(s.Stopped.Error)
	}
}

// boundPipeline bounds the texts of the steps. The current step comes last:
// what it reports is cut only if it alone exceeds the limit.
func (s *State) boundPipeline() {
	var with []*steps.Step // those with progress
	current := s.Pipeline.Current()
	for i := range s.Pipeline {
		step := &s.Pipeline[i]
		step.Message = cut(step.Message)
		step.Progress = cutLines(step.Progress, MaxProgress/2)
		if len(step.Progress) > 0 && step != current {
			with = append(with, step)
		}
	}
	if current != nil && len(current.Progress) > 0 {
		with = append(with, current)
	}
	dropped := squeeze(len(with), MaxProgress,
		func(i int) int { return sizes(with[i].Progress) },
		func(i int) { with[i].Progress = oneLine(with[i].Progress) })
	for _, step := range with[:dropped] {
		step.Progress = nil
	}
	s.dropped(func(d *Dropped) *int64 { return &d.Progress }, dropped)
}

// dropped counts what was dropped.
func (s *State) dropped(count func(*Dropped) *int64, n int) {
	if n == 0 {
		return
	}
	if s.Dropped == nil {
		s.Dropped = new(Dropped)
	}
	*count(s.Dropped) += int64(n)
}

// squeeze brings n things, the oldest first, below a limit together: it cuts
// the oldest ones, and returns how many of the oldest are to be dropped if that
// does not suffice. The last one is always kept whole.
func squeeze(n, limit int, size func(i int) int, cut func(i int)) (dropped int) {
	sizes, total := make([]int, n), 0
	for i := range n {
		sizes[i] = size(i)
		total += sizes[i]
	}
	for i := 0; i < n-1 && total > limit; i++ {
		cut(i)
		total -= sizes[i]
		sizes[i] = size(i)
		total += sizes[i]
	}
	for ; dropped < n-1 && total > limit; dropped++ {
		total -= sizes[dropped]
	}
	return dropped
}

const (
	// textSize is what a text costs beside itself, quotes and a comma, and
	// failureSize what a failure does: its keys, time and visit.
	textSize    = 3
	failureSize = 120
)

// size is the size of a text in JSON.
func size(text string) int {
	_, n := fits(text, 6*len(text))
	return n + textSize
}

func sizes(texts []string) (n int) {
	for _, text := range texts {
		n += size(text)
	}
	return n
}

// fits returns the length of the longest prefix of a text that takes at most
// limit bytes in JSON, and what it takes.
func fits(text string, limit int) (length, n int) {
	for i, r := range text {
		w := utf8.RuneLen(r)
		switch {
		case r == '"', r == '\\', r == '\n', r == '\r', r == '\t':
			w = 2
		case r < ' ', r == '<', r == '>', r == '&', r == '\u2028', r == '\u2029', r == utf8.RuneError:
			w = 6
		}
		if n+w > limit {
			return i, n
		}
		n += w
	}
	return len(text), n
}

const more = "..."

// cut returns a text as valid UTF-8 within [MaxText].
func cut(text string) string {
	// What is cut anyway is not looked at.
	head := text[:min(len(text), MaxText+utf8.UTFMax)]
	if end, _ := fits(head, MaxText); end == len(text) && utf8.ValidString(text) {
		return text
	}
	head = strings.ToValidUTF8(head, "�")
	if end, _ := fits(head, MaxText); end == len(head) && len(text) <= MaxText {
		return head
	}
	end, _ := fits(head, MaxText-len(more))
	return head[:end] + more
}

// cutLines returns texts that are each within [MaxText] and together within a
// limit; if some are left out, the last line counts them. The slice given is
// not changed.
func cutLines(lines []string, limit int) []string {
	const rest = 40 // what the line that counts takes at most
	out, n, fit := make([]string, 0, min(len(lines), 16)), 0, 0
	for _, line := range lines {
		line = cut(line)
		if n += size(line); n > limit {
			return append(out[:fit], fmt.Sprintf("... and %d more", len(lines)-fit))
		}
		out = append(out, line)
		if n <= limit-rest {
			fit = len(out)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// oneLine returns the first line of texts.
func oneLine(lines []string) []string {
	if len(lines) == 0 {
		return nil
	}
	first, _, _ := strings.Cut(lines[0], "\n")
	return []string{first}
}

// check brings what was read, and users can write, into range. Now is the
// present moment in whole seconds: no time is later, since the clock of another
// replica may have been ahead.
func (s *State) check(now metav1.Time) {
	for _, n := range []*int64{&s.FailedPhases, &s.FailedInCleanup} {
		*n = within(*n, maxCount)
	}
	if s.Dropped != nil {
		for _, n := range []*int64{&s.Dropped.Failures, &s.Dropped.Switches, &s.Dropped.Progress} {
			*n = within(*n, maxCount)
		}
	}
	s.PausedSeconds = within(s.PausedSeconds, maxSeconds)
	if s.Visit < 0 || s.Visit > maxVisit { // renumber them
		s.Visit = 0
		for i := range s.Failures {
			s.Failures[i].Visit = 0
		}
	}
	for i := range s.Failures {
		if v := &s.Failures[i].Visit; *v < 0 || *v > maxVisit {
			*v = 0
		}
	}
	if s.Retry != nil {
		s.Retry.Attempts = within(s.Retry.Attempts, maxCount)
		switch s.Retry.Kind {
		case RetryHandler, RetryFlags, RetryOptions:
		default:
			s.Retry.Kind = RetryHandler
		}
		past(&s.Retry.Since, now)
		past(&s.Retry.At, now)
		readable(&s.Retry.Next, now)
	}
	for _, t := range []**metav1.Time{&s.Entered, &s.WaitingSince, &s.PausedSince, &s.FlagsEvaluated} {
		if *t != nil {
			past(*t, now)
		}
	}
	if s.Stopped != nil {
		readable(&s.Stopped.Since, now)
	}
	for i := range s.Switches {
		readable(&s.Switches[i].At, now)
	}
	for i := range s.Failures {
		readable(&s.Failures[i].At, now)
	}
	for i := range s.Pipeline {
		for _, t := range []*metav1.Time{s.Pipeline[i].Started, s.Pipeline[i].Completed} {
			if t != nil {
				readable(t, now)
			}
		}
	}
	if _, known := resultOf(s.Result); !known {
		s.Result = ""
	}
	if s.NotBefore != nil {
		readable(s.NotBefore, now)
	}
	if s.Phase == "" || s.Done {
		s.WorkDone = false
	}
	if !s.WorkDone {
		s.Choice, s.NotBefore = "", nil
	}
	if s.Phase != "" && !s.Done { // a run that was taken over has neither
		if s.Visit == 0 {
			s.nextVisit()
		}
		if s.Entered == nil {
			s.Entered = now.DeepCopy()
		}
	}
	s.bound()
}

// past brings a time into the past.
func past(t *metav1.Time, now metav1.Time) {
	if readable(t, now); t.After(now.Time) {
		*t = now
	}
}

// readable replaces a time that could not be read back once it is written: one
// whose year in UTC is not between 0 and 9999.
func readable(t *metav1.Time, now metav1.Time) {
	if year := t.UTC().Year(); year < 0 || year > 9999 {
		*t = now
	}
}

func within(n, limit int64) int64 { return min(max(n, 0), limit) }

// resultOf reports whether a result is one of the known ones, or empty.
func resultOf(r phases.Result) (phases.Result, bool) {
	switch r {
	case "", phases.Succeeded, phases.Failed, phases.Canceled, phases.RolledBack:
		return r, true
	}
	return "", false
}
