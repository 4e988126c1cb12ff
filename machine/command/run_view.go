package command

import (
	"fmt"
	"strings"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// view shows a simulation. Errors are [*writeError].
type view interface {
	// event records an event, and show shows it with the current pipeline.
	event(*simulation, runner.Event)
	show(*simulation) error
	// tick shows that time has passed.
	tick(*simulation) error
	// end is called once, however the run ended.
	end(*simulation) error
}

func (a *app) view(o *runOptions, s *simulation) view {
	out := output{w: a.stdout}
	switch {
	case o.format == formatJSON:
		v := &eventLines{out}
		v.add(s.line("start"))
		return v
	case a.live:
		return &screen{output: out, colors: a.colors}
	}
	v := &changeLines{output: out, width: s.widest()}
	if s.of != nil {
		v.line(s, "%s, %s", oneLine(s.of.ref()), oneLine(s.where()))
	}
	return v
}

// The states of a step in words.
const (
	notStarted = "not started"
	running    = "running"
	completed  = "completed"
	failed     = "failed"
	canceled   = "canceled"
)

func stepState(s *steps.Step) string {
	switch {
	case !s.Ran():
		return notStarted
	case s.Failed:
		return failed
	case s.Open():
		return running
	case s.Message == steps.MessageCanceled:
		return canceled
	}
	return completed
}

// stepElapsed returns how long a step has been at work; empty if that is not known.
func stepElapsed(s *steps.Step, now time.Time) string {
	switch {
	case s.Started == nil:
		return ""
	case s.Completed != nil:
		now = s.Completed.Time
	}
	return now.Sub(s.Started.Time).String()
}

// stepText describes what an open step does.
func stepText(s *steps.Step) string {
	if !s.Open() {
		return ""
	}
	text := s.Message
	if s.Phase != "" && s.Phase != text {
		text = strings.TrimSuffix(s.Phase+": "+text, ": ")
	}
	if len(s.Progress) > 0 {
		text += " (" + strings.Join(s.Progress, ", ") + ")"
	}
	return oneLine(text)
}

// switchText describes why an itinerary begins.
func switchText(e runner.ItineraryBegun) string {
	why := ""
	switch {
	case e.PreviousItinerary == "":
	case e.Failed && e.Phase != "":
		why = fmt.Sprintf(", since %s of itinerary %s failed", e.Phase, e.PreviousItinerary)
	case e.Phase != "":
		why = fmt.Sprintf(", since itinerary %s was left in %s", e.PreviousItinerary, e.Phase)
	default:
		why = fmt.Sprintf(", in place of itinerary %s", e.PreviousItinerary)
	}
	return oneLine("itinerary " + e.Itinerary + why)
}

// changeLines prints one line for each change.
type changeLines struct {
	output
	width int
	shown steps.Pipeline
	flags map[string]phases.Truth
}

func (v *changeLines) line(s *simulation, format string, args ...any) {
	text := fmt.Sprintf("%7s  "+format, append([]any{s.elapsed()}, args...)...)
	v.buf.WriteString(strings.TrimRight(text, " ") + "\n")
}

func (v *changeLines) step(s *simulation, name, state, text string) {
	name = oneLine(name)
	v.line(s, "%s%s  %-*s  %s", name, strings.Repeat(" ", v.width-runes(name)), len(notStarted), state, text)
}

func (v *changeLines) event(s *simulation, e runner.Event) {
	switch e := e.(type) {
	case runner.ItineraryBegun:
		v.line(s, "%s", switchText(e))
	case runner.PhaseFailed:
		v.line(s, "%s failed: %s", oneLine(e.Phase), oneLine(strings.Join(e.Reasons, "; ")))
	case runner.FlagEvaluated:
		if was, asked := v.flags[e.Flag]; asked && was != e.Value {
			v.line(s, "flag %s was %s and is now %s", e.Flag, truthWord(was), truthWord(e.Value))
		}
		if v.flags == nil {
			v.flags = make(map[string]phases.Truth)
		}
		v.flags[e.Flag] = e.Value
	}
}

func (v *changeLines) show(s *simulation) error {
	now := s.shown()
	for i := range now {
		step := &now[i]
		was, _ := v.shown.Lookup(step.Name)
		state, text := stepState(step), stepText(step)
		if was != nil && stepState(was) == state && stepText(was) == text && was.Open() == step.Open() {
			continue
		}
		if took := stepElapsed(step, s.now); took != "" && !step.Open() {
			text = "after " + took
		}
		v.step(s, step.Name, state, text)
	}
	for i := range v.shown {
		name := v.shown[i].Name
		if _, ok := now.Lookup(name); !ok {
			v.step(s, name, "dropped", "")
		}
	}
	v.shown = now
	return v.flush()
}

func (v *changeLines) tick(*simulation) error { return nil }

func (v *changeLines) end(s *simulation) error {
	if s.state.Done {
		v.line(s, "%s", s.outcome())
	}
	return v.flush()
}

// outcome describes how a run that is done ended, as far as is known.
func (s *simulation) outcome() string {
	if s.state.Result == "" {
		return "done"
	}
	return "done: " + string(s.state.Result)
}

// screen redraws the pipeline in the same place of a terminal.
type screen struct {
	output
	colors colors
	lines  int // lines that were drawn
}

// The control codes of a terminal.
const (
	cursorUp  = "\x1b[%dA\r"
	clearLine = "\x1b[K"
	clearRest = "\x1b[J"
	noWrap    = "\x1b[?7l"
	wrap      = "\x1b[?7h"
)

func (v *screen) event(*simulation, runner.Event) {}
func (v *screen) show(s *simulation) error        { return v.draw(s) }
func (v *screen) tick(s *simulation) error        { return v.draw(s) }

// draw draws everything in one write. A terminal that is too narrow cuts lines off, so each
// stays one line and the next drawing overwrites this one.
func (v *screen) draw(s *simulation) error {
	text := v.text(s)
	v.buf.WriteString(noWrap)
	v.back()
	v.buf.WriteString(strings.ReplaceAll(text, "\n", clearLine+"\n"))
	v.buf.WriteString(clearRest + wrap)
	v.lines = strings.Count(text, "\n")
	return v.flush()
}

// back moves the cursor to the beginning of the drawing.
func (v *screen) back() {
	if v.lines > 0 {
		fmt.Fprintf(&v.buf, cursorUp, v.lines)
	}
}

// end draws for the last time, without cutting lines off.
func (v *screen) end(s *simulation) error {
	text := v.text(s)
	v.back()
	v.buf.WriteString(clearRest + text)
	return v.flush()
}

func (v *screen) text(s *simulation) string {
	var out output
	t := table{colors: v.colors}
	state := cell{text: running, color: yellow}
	if s.state.Done {
		state = cell{text: s.outcome(), color: green}
		if s.state.Result.OrDefault() != phases.Succeeded {
			state.color = red
		}
	}
	head := []cell{{text: "itinerary " + s.current(), color: bold}, state, {text: s.elapsed().String()}}
	if s.of != nil {
		head = append([]cell{{text: s.of.ref(), color: bold}}, head...)
	}
	t.row(head...)
	t.write(&out.buf, "")

	t = table{colors: v.colors}
	pipeline := s.shown()
	for i := range pipeline {
		step := &pipeline[i]
		state := stepState(step)
		color := map[string]string{notStarted: dim, running: yellow, completed: green, failed: red, canceled: red}[state]
		row := []cell{{text: step.Name}, {text: state, color: color}}
		if elapsed := stepElapsed(step, s.now); elapsed != "" {
			row = append(row, cell{text: elapsed})
		}
		if text := stepText(step); text != "" {
			row = append(row, cell{text: text})
		}
		t.row(row...)
	}
	t.write(&out.buf, "  ")
	for _, f := range s.state.Failures {
		out.buf.WriteString(
			v.colors.paint(red,
				oneLine(fmt.Sprintf("%s of itinerary %s failed: %s", f.Phase, f.Itinerary, strings.Join(f.Reasons, "; ")))) + "\n")
	}
	return out.buf.String()
}
