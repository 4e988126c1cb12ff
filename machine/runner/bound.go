package runner

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// The limits of what a state keeps, in bytes of JSON. If texts of one kind exceed their
// limit together, they are cut to one line, the oldest first, and then dropped and
// counted ([State].Dropped). Observers receive the whole texts.
const (
	// MaxText is the limit of one text: a reason, an error, a message, a line of
	// progress. A longer text is cut and ends in "...".
	MaxText = 1 << 10
	// MaxFailures is the limit of all failures together, and MaxProgress is the limit
	// of the progress of all steps.
	MaxFailures = 16 << 10
	MaxProgress = 16 << 10
	// MaxSwitches is the number of switches that are kept.
	MaxSwitches = 32
)

// textLimits are the limits of the texts of a state.
type textLimits struct{ text, failures, progress, switches, runs int }

var (
	maxTexts = textLimits{MaxText, MaxFailures, MaxProgress, MaxSwitches, MaxRuns}
	// minTexts keeps the messages of completed steps, and the last failure without its
	// reasons.
	minTexts = textLimits{text: 16}
)

// half returns limits half as large, but not below minTexts.
func (l textLimits) half() textLimits {
	if l.text/2 <= minTexts.text {
		return minTexts
	}
	return textLimits{l.text / 2, l.failures / 2, l.progress / 2, max(l.switches/2, 1), max(l.runs/2, 1)}
}

// The ranges of numbers that are read back.
const (
	maxVisit   = 1 << 52
	maxCount   = 1 << 52
	maxSeconds = 1 << 32 // some 136 years
)

// boundTo keeps the texts of the state within the limits. If size is not zero, it also
// keeps the state within size bytes of JSON, as far as its texts allow. It takes time
// and memory linear in the size of the state.
func (s *State) boundTo(size int) {
	s.Bound(func() bool {
		if size == 0 {
			return true
		}
		text, err := json.Marshal(s)
		return err != nil || len(text) <= size // the write returns the same error
	})
}

// Bound cuts and drops more and more texts of the state, until fits returns true or no
// text remains. A runner does the same to keep a limit ([Options].MaxState). It is for
// code that keeps copies of states in limited space.
func (s *State) Bound(fits func() bool) {
	for l := maxTexts; ; l = l.half() {
		if s.bound(l); l == minTexts || fits() {
			return
		}
	}
}

// MinState returns the largest size, in bytes of JSON, of the checkpoint, the facts and
// the steps of a run without texts, in any itinerary followed by a cleanup itinerary.
// They are kept even if [Options].MaxState is smaller. In at most some 600 bytes more,
// the counts, the times, the last failure and the retry are kept without texts. It
// returns an error if the runner was not made by [New].
func (r *Runner[T]) MinState() (int, error) {
	if r == nil || r.o.Itineraries == nil {
		return 0, errors.New("the runner was not made; make it with New")
	}
	var graphs []*machine.Graph
	for _, name := range r.o.Itineraries.Names() {
		g, err := r.o.Itineraries.Graph(name)
		if err != nil {
			return 0, err
		}
		graphs = append(graphs, g)
	}
	most := 0
	for _, g := range graphs {
		for _, next := range graphs {
			if next != g && !next.IsCleanup() {
				continue
			}
			data, err := json.Marshal(bare(g, next, r.o.Token != nil))
			if err != nil {
				return 0, err
			}
			most = max(most, len(data))
		}
	}
	return most, nil
}

// bare returns a state without texts that change, of a run in a phase of g after all
// phases of left.
func bare(left, g *machine.Graph, again bool) *State {
	at := metav1.NewTime(time.Unix(0, 0))
	phase, step, choice := longest(g)
	failed, _, _ := longest(left)
	s := &State{
		Checkpoint: machine.Checkpoint{
			Itinerary: g.Name(), Phase: phase, Step: step, WorkDone: true, Choice: choice,
			Facts: g.Vocabulary().Record(phases.Facts{}, g.Hash()),
		},
		Visit: int64(left.Len() + g.Len()), Entered: &at, Result: phases.RolledBack,
		FailedAt: &FailedAt{Itinerary: left.Name(), Phase: failed, Steps: int64(len(left.Steps()))},
	}
	for _, name := range left.Steps() {
		longer(&s.FailedAt.Step, name)
	}
	if again {
		token := strings.Repeat("x", maxToken)
		s.Token, s.Run, s.RunStarted = &token, 1, &at
	}
	known := map[string]bool{}
	for _, g := range []*machine.Graph{left, g} {
		for _, name := range g.Steps() {
			if !known[name] {
				known[name] = true
				s.Pipeline = append(s.Pipeline, steps.Step{Name: name, Started: &at, Completed: &at, Message: steps.MessageCompleted,
					Failed: g.IsCleanup()})
			}
		}
	}
	if len(s.Pipeline) > 0 {
		s.Pipeline[0].Phase = phase
	}
	return s
}

// longest returns the longest names that a checkpoint can have: of a phase, of a
// guarded step, and of a choice.
func longest(g *machine.Graph) (phase, step, choice string) {
	for i := range g.Len() {
		p := g.Phase(i)
		longer(&phase, p.Name)
		for _, s := range p.Steps {
			longer(&step, s.Step)
			longer(&step, p.Step)
		}
		for _, j := range p.Jumps {
			if j.Choice {
				longer(&choice, j.To)
			}
		}
	}
	return phase, step, choice
}

// longer replaces name with by if that takes more bytes in JSON.
func longer(name *string, by string) {
	if size(by) > size(*name) {
		*name = by
	}
}

// bound keeps the texts of the state within the limits, in time and memory linear in
// its size. Names are not cut below [MaxText].
func (s *State) bound(l textLimits) {
	for i := range s.Failures {
		f := &s.Failures[i]
		f.Itinerary, f.Phase = cut(f.Itinerary), cut(f.Phase)
		f.Reasons = cutLines(f.Reasons, l.failures/2, l.text)
	}
	dropped := squeeze(len(s.Failures), l.failures,
		func(i int) int {
			f := &s.Failures[i]
			return failureSize + size(f.Itinerary) + size(f.Phase) + sizes(f.Reasons)
		},
		func(i int) { s.Failures[i].Reasons = oneLine(s.Failures[i].Reasons) })
	s.Failures = slices.Delete(s.Failures, 0, dropped)
	s.dropped(func(d *Dropped) *int64 { return &d.Failures }, dropped)

	dropped = max(len(s.Switches)-l.switches, 0)
	s.Switches = slices.Delete(s.Switches, 0, dropped)
	s.dropped(func(d *Dropped) *int64 { return &d.Switches }, dropped)
	if len(s.Switches) == 0 {
		s.Switches = nil // as it is read back
	}
	for i := range s.Switches {
		left := &s.Switches[i]
		left.From, left.Phase, left.To = cut(left.From), cut(left.Phase), cut(left.To)
		if left.Reason != SwitchFailed {
			left.Reason = SwitchSelected
		}
	}

	s.boundRuns(l.runs)
	s.boundPipeline(l)
	s.SwitchHeld = cutTo(s.SwitchHeld, l.text)
	if s.Retry != nil {
		s.Retry.Error = cutTo(s.Retry.Error, l.text)
		s.Retry.Flags = s.Retry.Flags[:min(len(s.Retry.Flags), phases.MaxFlags)]
		if l == minTexts {
			s.Retry.Flags = nil // the facts have them
		}
		for i := range s.Retry.Flags {
			s.Retry.Flags[i] = cut(s.Retry.Flags[i])
		}
	}
	if s.Stopped != nil {
		s.Stopped.Error = cutTo(s.Stopped.Error, l.text)
	}
}

// boundRuns bounds the token and past runs.
func (s *State) boundRuns(runs int) {
	if s.Runs = slices.Delete(s.Runs, 0, max(len(s.Runs)-runs, 0)); len(s.Runs) == 0 {
		s.Runs = nil // as it is read back
	}
	for i := range s.Runs {
		r := &s.Runs[i]
		r.Itinerary, r.Phase = cut(r.Itinerary), cut(r.Phase)
		r.Result, _ = resultOf(r.Result)
	}
	if s.Token != nil {
		*s.Token = cutTo(*s.Token, maxToken)
	}
	if f := s.FailedAt; f != nil {
		f.Itinerary, f.Phase, f.Step = cut(f.Itinerary), cut(f.Phase), cut(f.Step)
	}
}

// boundPipeline bounds the texts of the steps. The current step comes last: its
// progress is cut only if it alone exceeds the limit.
func (s *State) boundPipeline(l textLimits) {
	var with []*steps.Step // the steps that have progress
	current := s.Pipeline.Current()
	for i := range s.Pipeline {
		step := &s.Pipeline[i]
		step.Message = cutTo(step.Message, l.text)
		if l.progress == 0 && len(step.Progress) > 0 && step != current { // the current step reports its progress again
			s.dropped(func(d *Dropped) *int64 { return &d.Progress }, 1)
		}
		step.Progress = cutLines(step.Progress, l.progress/2, l.text)
		if len(step.Progress) > 0 && step != current {
			with = append(with, step)
		}
	}
	if current != nil && len(current.Progress) > 0 {
		with = append(with, current)
	}
	dropped := squeeze(len(with), l.progress,
		func(i int) int { return sizes(with[i].Progress) },
		func(i int) { with[i].Progress = oneLine(with[i].Progress) })
	for _, step := range with[:dropped] {
		step.Progress = nil
	}
	s.dropped(func(d *Dropped) *int64 { return &d.Progress }, dropped)
}

// dropped adds n to a count of what was dropped.
func (s *State) dropped(count func(*Dropped) *int64, n int) {
	if n == 0 {
		return
	}
	if s.Dropped == nil {
		s.Dropped = new(Dropped)
	}
	*count(s.Dropped) += int64(n)
}

// squeeze brings n things, the oldest first, below a common limit. It cuts the oldest
// ones, and returns how many of the oldest to drop if that does not suffice. The last
// one is always kept whole.
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
	// textSize is the size of a text without its contents: quotes and a comma.
	// failureSize is the size of a failure without its texts: its keys, time and visit.
	textSize    = 3
	failureSize = 120
)

// size returns the size of a text in JSON.
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

// fits returns the length of the longest prefix of text that takes at most limit bytes
// in JSON, and the number of bytes that it takes.
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

// cut returns text as valid UTF-8 within [MaxText].
func cut(text string) string { return cutTo(text, MaxText) }

// cutTo returns text as valid UTF-8 within limit.
func cutTo(text string, limit int) string {
	// Ignore what is cut anyway.
	head := text[:min(len(text), limit+utf8.UTFMax)]
	if end, _ := fits(head, limit); end == len(text) && utf8.ValidString(text) {
		return text
	}
	head = strings.ToValidUTF8(head, "�")
	if end, _ := fits(head, limit); end == len(head) && len(text) <= limit {
		return head
	}
	end, _ := fits(head, limit-len(more))
	return head[:end] + more
}

// isRecorded reports whether recorded, which may have been cut, is text.
func isRecorded(recorded, text string) bool {
	head, isCut := strings.CutSuffix(recorded, more)
	return recorded == text || isCut && len(text) > len(head) && strings.HasPrefix(text, head)
}

// cutLines returns lines within two limits in bytes: one for each line, and limit for all
// together. If some are left out, the last line counts them. A limit of zero leaves none.
// The given slice is not changed.
func cutLines(lines []string, limit, one int) []string {
	if limit == 0 {
		return nil
	}
	const rest = 40 // maximum size of the line that counts the others
	out, n, fit := make([]string, 0, min(len(lines), 16)), 0, 0
	for _, line := range lines {
		line = cutTo(line, one)
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

// check brings what was read, which users can edit, into range. The times
// at which the current phase, wait, pause, run and retry began must not be after now,
// the present moment in whole seconds, since the clock of another replica may have been
// ahead. A zero now means that there is no clock: times are then not compared, and
// none is added.
func (s *State) check(now metav1.Time) {
	s.checkCounts()
	s.checkTimes(now)
	if s.Retry != nil {
		switch s.Retry.Kind {
		case RetryHandler, RetryFlags, RetryOptions:
		default:
			s.Retry.Kind = RetryHandler
		}
	}
	if _, known := resultOf(s.Result); !known {
		s.Result = ""
	}
	if s.Phase == "" || s.Done {
		s.WorkDone = false
	}
	s.Step, s.Choice = cut(s.Step), cut(s.Choice)
	if !s.WorkDone {
		s.Choice, s.NotBefore = "", nil
	}
	if s.Phase != "" && !s.Done { // a run that was taken over has neither
		if s.Visit == 0 {
			s.nextVisit()
		}
		if s.Entered == nil && !now.IsZero() {
			s.Entered = now.DeepCopy()
		}
	}
	s.bound(maxTexts)
}

// checkCounts brings numbers into range.
func (s *State) checkCounts() {
	for _, n := range []*int64{&s.FailedPhases, &s.FailedInCleanup, &s.Run} {
		*n = within(*n, maxCount)
	}
	if s.Dropped != nil {
		for _, n := range []*int64{&s.Dropped.Failures, &s.Dropped.Switches, &s.Dropped.Progress} {
			*n = within(*n, maxCount)
		}
	}
	if s.FailedAt != nil {
		s.FailedAt.Steps = within(s.FailedAt.Steps, maxCount)
	}
	if s.Retry != nil {
		s.Retry.Attempts = within(s.Retry.Attempts, maxCount)
	}
	s.PausedSeconds = within(s.PausedSeconds, maxSeconds)
	if s.Visit < 0 || s.Visit > maxVisit { // renumber
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
}

// checkTimes brings times into range.
func (s *State) checkTimes(now metav1.Time) {
	for _, t := range []*metav1.Time{s.Entered, s.WaitingSince, s.PausedSince, s.FlagsEvaluated, s.RunStarted} {
		if t != nil {
			past(t, now)
		}
	}
	if s.Retry != nil {
		past(&s.Retry.Since, now)
		past(&s.Retry.At, now)
		readable(&s.Retry.Next, now)
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
	for i := range s.Runs {
		readable(&s.Runs[i].Started, now)
		readable(&s.Runs[i].Ended, now)
	}
	for i := range s.Pipeline {
		for _, t := range []*metav1.Time{s.Pipeline[i].Started, s.Pipeline[i].Completed} {
			if t != nil {
				readable(t, now)
			}
		}
	}
	if s.NotBefore != nil { // rounded up
		s.NotBefore.Time = s.NotBefore.Add(time.Second - time.Nanosecond)
	}
	for _, t := range []*metav1.Time{s.NotBefore, s.Deadline} {
		if t != nil {
			readable(t, now)
		}
	}
}

// past moves t to now if it is later.
func past(t *metav1.Time, now metav1.Time) {
	if readable(t, now); !now.IsZero() && t.After(now.Time) {
		*t = now
	}
}

// readable changes a time that could not be read back once it is written. Parts of a
// second, which are not written, are dropped. The zero time, which is written as null,
// and a time whose year in UTC is not between 0 and 9999 are replaced.
func readable(t *metav1.Time, now metav1.Time) {
	*t = metav1.NewTime(t.Truncate(time.Second))
	if year := t.UTC().Year(); t.IsZero() || year < 0 || year > 9999 {
		*t = now
	}
}

func within(n, limit int64) int64 { return min(max(n, 0), limit) }

// resultOf returns r and true if r is a known result or empty.
func resultOf(r phases.Result) (phases.Result, bool) {
	switch r {
	case "", phases.Succeeded, phases.Failed, phases.Canceled, phases.RolledBack:
		return r, true
	}
	return "", false
}
