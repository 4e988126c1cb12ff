package machinetest

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// Record describes what happened in a life, in order.
type Record struct {
	// Reconciles is the number of reconciles.
	Reconciles int
	// Calls lists the calls of handlers.
	Calls []Call
	// Events lists what the runner's observers receive, including the phases entered and flags
	// evaluated, except [runner.RunReconciled].
	Events []runner.Event
	// Writes lists the states that were written.
	Writes []Write

	lines []string // of the transcript
}

// Call is a call of a handler.
type Call struct {
	Itinerary, Phase string
	// Result is the text of the returned [runner.Result], "error: ..." or "panic: ...".
	Result string
}

// Write is a write of the object.
type Write struct {
	// At is the time since the life began.
	At time.Duration
	// State is the written state of the run, including its pipeline.
	State runner.State
}

// Phases returns the phases that were entered, in order, including those entered by reconciles
// whose write was lost.
func (r *Record) Phases() []runner.PhaseEntered { return eventsOf[runner.PhaseEntered](r) }

// Evaluated returns the flags that were evaluated, in order.
func (r *Record) Evaluated() []runner.FlagEvaluated { return eventsOf[runner.FlagEvaluated](r) }

func eventsOf[E runner.Event](r *Record) (all []E) {
	for _, event := range r.Events {
		if e, ok := event.(E); ok {
			all = append(all, e)
		}
	}
	return all
}

// Pipelines returns every version of the pipeline that was written, in order.
func (r *Record) Pipelines() (all []steps.Pipeline) {
	for _, w := range r.Writes {
		if n := len(all); n == 0 || !equality.Semantic.DeepEqual(all[n-1], w.State.Pipeline) {
			all = append(all, w.State.Pipeline)
		}
	}
	return all
}

func (r *Record) add(at time.Duration, what, text string) {
	text = strings.ReplaceAll(text, "\n", " ")
	r.lines = append(r.lines, strings.TrimRight(fmt.Sprintf("%8s  %-7s  %s", at.Truncate(time.Second), what, text), " "))
}

// take records what a reconcile did.
func (r *Record) take(log []any, err error, at time.Duration) {
	r.Reconciles++
	for _, one := range log {
		switch one := one.(type) {
		case call:
			r.Calls = append(r.Calls, Call{one.itinerary, one.phase, one.result})
			r.add(at, "call", fmt.Sprintf("%s: %s", one.phase, one.result))
		case runner.Event:
			r.Events = append(r.Events, one)
			if what, text := describe(one); what != "" {
				r.add(at, what, text)
			}
		}
	}
	if err != nil {
		r.add(at, "error", err.Error())
	}
}

// write records a write, with the steps that it changes.
func (r *Record) write(s runner.State, at time.Duration) {
	var was steps.Pipeline
	if n := len(r.Writes); n > 0 {
		was = r.Writes[n-1].State.Pipeline
	}
	r.Writes = append(r.Writes, Write{At: at, State: s})
	if now := pipelineText(s.Pipeline); now != pipelineText(was) {
		r.add(at, "steps", now)
	}
}

// describe returns an event as a line of the transcript. what is empty if another line shows the
// event.
func describe(event runner.Event) (what, text string) {
	switch e := event.(type) {
	case runner.ItineraryBegun:
		text = e.Itinerary
		switch {
		case e.PreviousItinerary != "" && e.Failed:
			text += fmt.Sprintf(", since %s of %s failed", e.Phase, e.PreviousItinerary)
		case e.PreviousItinerary != "":
			text += fmt.Sprintf(", in place of %s at %q", e.PreviousItinerary, e.Phase)
		}
		return "begin", text
	case runner.FlagEvaluated:
		text = fmt.Sprintf("%s is %s", e.Flag, e.Value)
		if e.Err != nil {
			text += ": " + e.Err.Error()
		}
		return "flag", text
	case runner.PhaseEntered:
		return "enter", strings.TrimSuffix(fmt.Sprintf("%s (%s)", e.Phase, e.Step), " ()")
	case runner.PipelineReplanned:
		return "replan", fmt.Sprintf("added %q, removed %q", e.Added, e.Removed)
	case runner.PhaseFailed:
		return "fail", fmt.Sprintf("%s: %s", e.Phase, strings.Join(e.Reasons, "; "))
	case runner.PhaseRetried:
		if len(e.Flags) > 0 {
			return "retry", fmt.Sprintf("%s, in %s", strings.Join(e.Flags, ", "), e.RequeueAfter)
		}
		return "retry", fmt.Sprintf("%s, in %s", e.Phase, e.RequeueAfter)
	case runner.RunStopped:
		return "stop", "the run cannot continue"
	case runner.SwitchHeld:
		return "select", fmt.Sprintf("%s is selected, but not followed", e.Selected)
	case runner.RunFinished:
		text = fmt.Sprintf("%s, in %s", e.Result, e.Itinerary)
		if e.Failures > 0 || e.CleanupFailures > 0 {
			text += fmt.Sprintf("; %d phases failed, %d in cleanup", e.Failures, e.CleanupFailures)
		}
		return "done", text
	}
	return "", ""
}

// pipelineText returns a pipeline as one line.
func pipelineText(p steps.Pipeline) string {
	texts := make([]string, len(p))
	for i, s := range p {
		texts[i] = s.Name + ": " + s.Message
		if s.Phase != "" && s.Phase != s.Message {
			texts[i] += " (" + s.Phase + ")"
		}
	}
	return strings.Join(texts, " | ")
}

// Record returns what has happened so far. Do not change it.
func (l *Life[T, W]) Record() *Record { return &l.record }

// State returns the state of the run as last written.
func (l *Life[T, W]) State() runner.State {
	l.t.Helper()
	s, err := l.engine.read(l.object)
	if err != nil {
		fatalf(l.t, "read the state: %v", err)
	}
	return s
}

// Transcript returns what has happened as text, one line each. The same life has the same
// transcript.
func (l *Life[T, W]) Transcript() string {
	return strings.Join(l.record.lines, "\n") + "\n"
}

// Golden compares the transcript with a file, or writes the file if update is true. Declare the
// flag for update in the test:
//
//	var update = flag.Bool("update", false, "write the golden files")
func (l *Life[T, W]) Golden(file string, update bool) {
	l.t.Helper()
	l.ran()
	got := l.Transcript()
	if update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			fatalf(l.t, "%v", err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		fatalf(l.t, "%v; run the test once with update set to write the file", err)
		return
	}
	l.want(file, string(want), got)
}

// ran fails the test if the life was not run.
func (l *Life[T, W]) ran() {
	l.t.Helper()
	if !l.began {
		fatalf(l.t, "nothing has run yet; call Run first")
	}
}

func (l *Life[T, W]) want(what string, want, got any) {
	l.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		l.t.Errorf("%s: -want +got\n%s", what, diff)
	}
}

// WantPhases compares the phases that were entered in an itinerary: in order, as often as they were
// entered, including end phases and phases entered by a reconcile whose write was lost.
func (l *Life[T, W]) WantPhases(itinerary string, names ...string) {
	l.t.Helper()
	l.ran()
	var got []string
	for _, e := range l.record.Phases() {
		if e.Itinerary == itinerary {
			got = append(got, e.Phase)
		}
	}
	l.want("phases of "+itinerary, names, got)
}

// WantSteps compares the names of the steps in the pipeline, in order.
func (l *Life[T, W]) WantSteps(names ...string) {
	l.t.Helper()
	l.ran()
	var got []string
	for _, s := range l.State().Pipeline {
		got = append(got, s.Name)
	}
	l.want("steps", names, got)
}

// WantMessages compares the pipeline as a user reads it, as "STEP: MESSAGE", in order.
func (l *Life[T, W]) WantMessages(messages ...string) {
	l.t.Helper()
	l.ran()
	var got []string
	for _, s := range l.State().Pipeline {
		got = append(got, s.Name+": "+s.Message)
	}
	l.want("messages", messages, got)
}

// WantItinerary compares the itinerary in which the run is or ended.
func (l *Life[T, W]) WantItinerary(name string) {
	l.t.Helper()
	l.ran()
	l.want("itinerary", name, l.State().Itinerary)
}

// WantResult compares State.Result: how the run ended, or how it will end as far as that is
// decided.
func (l *Life[T, W]) WantResult(result phases.Result) {
	l.t.Helper()
	l.ran()
	l.want("result", result, l.State().Result)
}

// WantFailures compares the phases that failed, as "ITINERARY/PHASE: REASONS", in order. Several
// reasons are joined by "; ".
func (l *Life[T, W]) WantFailures(failures ...string) {
	l.t.Helper()
	l.ran()
	var got []string
	for _, f := range l.State().Failures {
		got = append(got, fmt.Sprintf("%s/%s: %s", f.Itinerary, f.Phase, strings.Join(f.Reasons, "; ")))
	}
	l.want("failures", failures, got)
}

// WantEvaluated compares the flags that the runner evaluated, in order.
func (l *Life[T, W]) WantEvaluated(flags ...string) {
	l.t.Helper()
	l.ran()
	var got []string
	for _, e := range l.record.Evaluated() {
		got = append(got, e.Flag)
	}
	l.want("flags evaluated", flags, got)
}

// excerpt returns a transcript without its middle if it has many lines.
func excerpt(transcript string) string {
	const many, begin, end = 300, 60, 40
	lines := strings.Split(transcript, "\n")
	if len(lines) <= many {
		return transcript
	}
	left := fmt.Sprintf("... (%d lines are left out; Life.Transcript returns all)", len(lines)-begin-end)
	return strings.Join(slices.Concat(lines[:begin], []string{left}, lines[len(lines)-end:]), "\n")
}
