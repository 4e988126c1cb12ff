package oracle

import (
	"fmt"
	"strings"
	"time"
)

// Kind is the kind of an event.
type Kind string

// The kinds of events.
const (
	// Begin: a reconcile begins. Itinerary is the one that the object selects.
	// Paused reports whether the object is paused.
	Begin Kind = "begin"
	// Evaluate: the source of Flag returned Value: "true", "false", or any other
	// text if the flag is not known.
	Evaluate Kind = "evaluate"
	// Outage: the sources could not be read, so that no flag was answered.
	Outage Kind = "outage"
	// Call: the handler of Phase in Itinerary is called. Return: it returned
	// Value: "done", "wait", "fail" or "error". With "done", Choice is the
	// phase that it chose, and After the delay before the run continues.
	Call   Kind = "call"
	Return Kind = "return"
	// Select: the object selects Itinerary, after a phase has failed.
	Select Kind = "select"
	// End: the reconcile is over, and Kept is the persisted state.
	End Kind = "end"
	// Kill: the controller is killed between two reconciles. What it had in
	// memory is lost.
	Kill Kind = "kill"
)

// Event is one event of a trace.
type Event struct {
	Kind                                  Kind
	At                                    time.Time
	Itinerary, Phase, Flag, Value, Choice string
	After                                 time.Duration
	Paused                                bool
	// Lost reports that the reconcile could not persist anything.
	Lost bool
	Kept Kept
}

// Kept is the persisted state of a run.
type Kept struct {
	Itinerary, Phase string
	// Step is the step under which the phase was entered, if it has guarded
	// steps. Choice is the handler's choice, once the work is done. The run
	// does not continue before NotBefore.
	Step, Choice   string
	NotBefore      time.Time
	WorkDone, Done bool
	Result         string
	// Failed and FailedInCleanup count failed phases.
	Failed, FailedInCleanup int
	Steps                   []Step
}

// Step is a step as users see it.
type Step struct {
	Name                                string
	Started, Completed, Failed, Skipped bool
}

// String describes the event in one line.
func (e Event) String() string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s %s", e.At.Format("15:04:05.000"), e.Kind)
	for _, s := range []string{e.Itinerary, e.Phase, e.Flag, e.Value} {
		if s != "" {
			fmt.Fprintf(b, " %s", s)
		}
	}
	if e.Choice != "" {
		fmt.Fprintf(b, ", continue with %s", e.Choice)
	}
	if e.After != 0 {
		fmt.Fprintf(b, " after %s", e.After)
	}
	for _, is := range []struct {
		is   bool
		text string
	}{{e.Paused, "paused"}, {e.Lost, "lost"}} {
		if is.is {
			fmt.Fprintf(b, " (%s)", is.text)
		}
	}
	if e.Kind == End {
		fmt.Fprintf(b, " %s", e.Kept)
	}
	return b.String()
}

// String describes the persisted state in one line.
func (k Kept) String() string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "in %q of %q", k.Phase, k.Itinerary)
	if k.Step != "" {
		fmt.Fprintf(b, " under %s", k.Step)
	}
	if k.WorkDone {
		b.WriteString(", whose work is done")
	}
	if k.Choice != "" {
		fmt.Fprintf(b, ", continues with %s", k.Choice)
	}
	if !k.NotBefore.IsZero() {
		fmt.Fprintf(b, ", not before %s", k.NotBefore.Format(time.TimeOnly))
	}
	if k.Done {
		b.WriteString(", done")
	}
	fmt.Fprintf(b, ", result %q, failed %d+%d;", k.Result, k.Failed, k.FailedInCleanup)
	for _, s := range k.Steps {
		b.WriteString(" " + s.Name)
		for _, is := range []struct {
			is   bool
			mark string
		}{{s.Started && !s.Completed, "..."}, {s.Completed, "+"}, {s.Failed, "!"}, {s.Skipped, "(skipped)"}} {
			if is.is {
				b.WriteString(is.mark)
			}
		}
	}
	return b.String()
}

// String describes the phase in one line.
func (p Phase) String() string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s (%s", p.Name, p.Step)
	for _, s := range p.Steps {
		fmt.Fprintf(b, "; %s%s", s.Step, s.Guard)
	}
	fmt.Fprintf(b, ")%s", p.Guard)
	if p.End {
		b.WriteString(" end")
	}
	if p.Rides {
		b.WriteString(" rides")
	}
	if p.Decides != nil {
		fmt.Fprintf(b, " decides%v", p.Decides)
	}
	for _, j := range p.Jumps {
		fmt.Fprintf(b, " jumps to %s%s", j.To, j.Guard)
		if j.Choice {
			b.WriteString(" by choice")
		}
	}
	if p.Deadline != 0 {
		fmt.Fprintf(b, " within %s", p.Deadline)
	}
	if p.MaxAttempts != 0 {
		fmt.Fprintf(b, " in %d attempts", p.MaxAttempts)
	}
	return b.String()
}

// String describes the guard. It is empty for the empty guard.
func (g Guard) String() string {
	text := ""
	for _, part := range []struct {
		name  string
		flags []string
	}{{"all", g.All}, {"any", g.Any}, {"none", g.None}} {
		if len(part.flags) > 0 {
			text += fmt.Sprintf(" %s%v", part.name, part.flags)
		}
	}
	return text
}

// Error describes the first event that must not happen.
type Error struct {
	// At is the index of the event.
	At      int
	Event   Event
	Problem string
}

func (e *Error) Error() string {
	return fmt.Sprintf("event %d (%s): %s", e.At, e.Event, e.Problem)
}
