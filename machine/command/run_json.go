package command

import (
	"time"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// eventLine is an event in JSON.
type eventLine struct {
	Offset int64  `json:"offset"` // simulated seconds since the run began
	Event  string `json:"event"`
	runName
	Itinerary string         `json:"itinerary"`
	Phase     string         `json:"phase,omitempty"`
	Step      string         `json:"step,omitempty"`
	Left      string         `json:"left,omitempty"` // the itinerary that was left
	Flag      string         `json:"flag,omitempty"`
	Value     *phases.Truth  `json:"value,omitempty"`
	Error     string         `json:"error,omitempty"`
	Added     []string       `json:"added,omitempty"`
	Removed   []string       `json:"removed,omitempty"`
	Jumped    bool           `json:"jumped,omitempty"`
	Message   string         `json:"message,omitempty"`
	Progress  []string       `json:"progress,omitempty"`
	Again     *int64         `json:"again,omitempty"` // seconds
	Took      *int64         `json:"took,omitempty"`  // seconds
	Failed    bool           `json:"failed,omitempty"`
	Reasons   []string       `json:"reasons,omitempty"`
	Failures  *int64         `json:"failures,omitempty"`
	Result    phases.Result  `json:"result,omitempty"`
	Done      *bool          `json:"done,omitempty"`
	Pipeline  steps.Pipeline `json:"pipeline,omitempty"`
}

// eventLines prints each event as a line of JSON. The first and last lines hold the
// pipeline at the beginning and at the end.
type eventLines struct{ output }

func (v *eventLines) event(s *simulation, e runner.Event) {
	line := eventLine{Offset: seconds(s.elapsed())}
	switch e := e.(type) {
	case runner.ItineraryBegun:
		line.Event, line.Itinerary, line.Left, line.Phase, line.Failed = "begun", e.Itinerary, e.PreviousItinerary, e.Phase, e.Failed
	case runner.FlagEvaluated:
		line.Event, line.Itinerary, line.Flag, line.Value = "asked", e.Itinerary, e.Flag, &e.Value
		if e.Err != nil {
			line.Error = e.Err.Error()
		}
	case runner.PipelineReplanned:
		line.Event, line.Itinerary, line.Added, line.Removed = "replanned", e.Itinerary, e.Added, e.Removed
	case runner.PhaseEntered:
		line.Event, line.Itinerary, line.Phase, line.Step, line.Jumped = "entered", e.Itinerary, e.Phase, e.Step, e.Jumped
	case runner.PhaseWaiting:
		again := seconds(e.RequeueAfter)
		line.Event, line.Itinerary, line.Phase, line.Step = "waiting", e.Itinerary, e.Phase, s.step
		line.Message, line.Progress, line.Again = e.Message, s.progress, &again
	case runner.PhaseExited:
		took := seconds(e.Took)
		line.Event, line.Itinerary, line.Phase, line.Step, line.Took = "left", e.Itinerary, e.Phase, s.step, &took
	case runner.PhaseFailed:
		took := seconds(e.Took)
		line.Event, line.Itinerary, line.Phase, line.Step = "failed", e.Itinerary, e.Phase, s.step
		line.Reasons, line.Took = e.Reasons, &took
	case runner.RunFinished:
		line.Event, line.Itinerary, line.Failures, line.Result = "finished", e.Itinerary, &e.Failures, e.Result
	default:
		return // simulated work returns no errors, so nothing is retried
	}
	v.add(line)
}

func (v *eventLines) add(line eventLine) {
	text, _ := marshal(line) // never fails for text, numbers and times
	v.buf.Write(append(text, '\n'))
}

func (v *eventLines) show(*simulation) error { return v.flush() }

func (v *eventLines) tick(*simulation) error { return nil }

func (v *eventLines) end(s *simulation) error {
	v.add(s.line("end"))
	return v.show(s)
}

// line describes the position and the pipeline of the run.
func (s *simulation) line(event string) eventLine {
	return eventLine{
		Offset:    seconds(s.elapsed()),
		Event:     event,
		runName:   s.of.names(),
		Itinerary: s.current(),
		Phase:     s.state.Phase,
		Done:      &s.state.Done,
		Pipeline:  s.state.Pipeline,
	}
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }
