package machinetest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// Start and End are the places of lines before the first phase of an itinerary
// and after the run is done, for functions that take the name of a phase.
const (
	Start = ""
	End   = "\x00end"
)

// Line is one line of a script: something that happens in a life beside what
// the controller does. Lines are made by the functions that return one. Each
// names the phase during which it happens, which is no end phase, by default at the first call of
// that phase's handler; [Line.In] and [Line.Call] choose another. A Line
// prints itself as the Go code that makes it. It is immutable.
type Line struct {
	verb      verb
	itinerary string // empty: any
	phase     string
	call      int // of the phase's handler, from 1
	times     int // of a source, how often; from 1
	after     bool
	flag      string
	value     bool
	texts     []string
	duration  time.Duration
	done      runner.Result
}

// verb is the kind of a line: the name of the function that makes it.
type verb string

const (
	verbFlags       verb = "Flags"
	verbDone        verb = "Done"
	verbFail        verb = "Fail"
	verbErr         verb = "Err"
	verbPanic       verb = "Panic"
	verbHang        verb = "HangIn"
	verbWait        verb = "Wait"
	verbDecide      verb = "Decide"
	verbFlag        verb = "Flag"
	verbFlagErr     verb = "FlagErr"
	verbFlagHang    verb = "FlagHang"
	verbFlagLate    verb = "FlagLate"
	verbCrashBefore verb = "CrashBefore"
	verbCrashAfter  verb = "CrashAfter"
	verbLose        verb = "LoseWrite"
	verbTwice       verb = "WriteTwice"
	verbConflict    verb = "Conflict"
	verbEdit        verb = "Edit"
	verbRelease     verb = "Release"
	verbClock       verb = "Clock"
	verbStop        verb = "Stop"
)

// when a line takes effect.
type when uint8

const (
	atBeginning  when = iota // before anything runs
	before                   // before a reconcile
	atCall                   // at a call of a handler
	atEvaluation             // when a source is evaluated
	atWrite                  // when a reconcile has been made, and is about to be written
)

var verbs = map[verb]when{
	verbFlags: atBeginning,
	verbDone:  atCall, verbFail: atCall, verbErr: atCall, verbPanic: atCall, verbHang: atCall, verbWait: atCall, verbDecide: atCall,
	verbFlagErr: atEvaluation, verbFlagHang: atEvaluation, verbFlagLate: atEvaluation,
	verbCrashBefore: atWrite, verbCrashAfter: atWrite, verbLose: atWrite, verbTwice: atWrite, verbConflict: atWrite,
	verbFlag: before, verbEdit: before, verbRelease: before, verbClock: before, verbStop: before,
}

func (l Line) when() when { return verbs[l.verb] }

// replaces reports whether the line replaces what a handler returns.
func (l Line) replaces() bool { return l.when() == atCall && l.verb != verbDecide }

// excludes reports whether two lines cannot both take effect.
func (l Line) excludes(m Line) bool {
	same := l.phase == m.phase && l.call == m.call && (l.itinerary == m.itinerary || l.itinerary == "" || m.itinerary == "")
	return same && (l.replaces() && m.replaces() || l.when() == atWrite && m.when() == atWrite)
}

func at(v verb, phase string) Line { return Line{verb: v, phase: phase, call: 1, times: 1} }

// Flags sets every flag before the life begins: those named are true, all
// others are false. Without it the flags are what Object and World make them.
func Flags(names ...string) Line { return Line{verb: verbFlags, texts: names} }

// Done lets the phase be done, with a choice ([runner.Choose]), so that the run goes
// on after a duration ([runner.After]), or with neither; its handler is not called,
// but see [Line.AfterWork]. The phase must declare the choice.
func Done(phase string, options ...runner.DoneOption) Line {
	l := at(verbDone, phase)
	l.done = runner.Done(options...)
	return l
}

// Fail lets the phase fail for these reasons; its handler is not called, but
// see [Line.AfterWork].
func Fail(phase string, reasons ...string) Line {
	l := at(verbFail, phase)
	l.texts = reasons
	return l
}

// Err lets the handler of the phase return an error, which the runner retries.
func Err(phase, text string) Line {
	l := at(verbErr, phase)
	l.texts = []string{text}
	return l
}

// Panic lets the handler of the phase panic with this text.
func Panic(phase, text string) Line {
	l := at(verbPanic, phase)
	l.texts = []string{text}
	return l
}

// HangIn lets the handler of the phase hang until its context ends.
func HangIn(phase string) Line { return at(verbHang, phase) }

// Wait lets the handler of the phase wait that long, as a handler that returns
// runner.Wait does.
func Wait(phase string, d time.Duration) Line {
	l := at(verbWait, phase)
	l.duration = d
	return l
}

// Decide gives flags a value at the end of a call of the phase's handler, as
// its outcome: "HasPVs" is true then, "!HasPVs" false. The phase must declare
// that it decides them.
func Decide(phase string, flags ...string) Line {
	l := at(verbDecide, phase)
	l.texts = flags
	return l
}

// Flag gives a flag a value while the run is in the phase, before its handler
// is called: something outside of the controller has changed.
func Flag(phase, flag string, value bool) Line {
	l := at(verbFlag, phase)
	l.flag, l.value = flag, value
	return l
}

// FlagErr lets the source of the flag return an error the next time that the
// runner asks it while the run is in the phase; more often with [Line.Times].
func FlagErr(phase, flag, text string) Line {
	l := at(verbFlagErr, phase)
	l.flag, l.texts = flag, []string{text}
	return l
}

// FlagHang lets the source of the flag hang until its context ends.
func FlagHang(phase, flag string) Line {
	l := at(verbFlagHang, phase)
	l.flag = flag
	return l
}

// FlagLate lets the source of the flag answer only after its context has ended.
func FlagLate(phase, flag string) Line {
	l := at(verbFlagLate, phase)
	l.flag = flag
	return l
}

// CrashBefore stops the controller after the phase's handler was called and
// before anything is written, and starts it again.
func CrashBefore(phase string) Line { return at(verbCrashBefore, phase) }

// CrashAfter stops the controller right after the write that follows the call
// of the phase's handler, and starts it again.
func CrashAfter(phase string) Line { return at(verbCrashAfter, phase) }

// LoseWrite loses the write that follows the call of the phase's handler,
// though the controller takes it for done.
func LoseWrite(phase string) Line { return at(verbLose, phase) }

// WriteTwice lets the write that follows the call of the phase's handler reach
// the API server, but not its answer: the controller writes again, meets the
// newer version of the object, and reconciles that.
func WriteTwice(phase string) Line { return at(verbTwice, phase) }

// Conflict lets another client write the object first: the write that follows
// the call of the phase's handler is refused, and the object reconciled again.
func Conflict(phase string) Line { return at(verbConflict, phase) }

// Edit lets a user change the object, by a function of [Setup.Edits], while
// the run is in the phase and before its handler is called.
func Edit(phase, name string) Line {
	l := at(verbEdit, phase)
	l.texts = []string{name}
	return l
}

// Release replaces the controller by another version, of [Setup.Releases],
// while the run is in the phase.
func Release(phase, name string) Line {
	l := at(verbRelease, phase)
	l.texts = []string{name}
	return l
}

// Clock moves the clock while the run is in the phase, forward or, by a
// negative duration, back.
func Clock(phase string, d time.Duration) Line {
	l := at(verbClock, phase)
	l.duration = d
	return l
}

// Stop ends the life when the run is in the phase, before its handler is
// called: for a test of a moment in the middle.
func Stop(phase string) Line { return at(verbStop, phase) }

// In restricts the line to one itinerary, if several have a phase of that name.
func (l Line) In(itinerary string) Line {
	l.itinerary = itinerary
	return l
}

// Call chooses the call of the phase's handler, counted from 1 over the whole
// life and apart for each itinerary. For lines that are about no call (Edit,
// Flag, Release, Clock, Stop, and those about writes) it counts the reconciles
// that began in the phase, which are the same unless the run is paused.
func (l Line) Call(n int) Line {
	l.call = n
	return l
}

// Times repeats a line about a source: it holds the next n times that the
// source is evaluated.
func (l Line) Times(n int) Line {
	l.times = n
	return l
}

// AfterWork lets the handler do its work first; what the line says replaces
// only what it returns. For Done, Fail, Err, Panic, HangIn and Wait.
func (l Line) AfterWork() Line {
	l.after = true
	return l
}

// String returns the Go code that makes the line.
func (l Line) String() string {
	var args []string
	if l.verb != verbFlags {
		args = append(args, quotePlace(l.phase))
	}
	if l.flag != "" {
		args = append(args, strconv.Quote(l.flag))
	}
	for _, text := range l.texts {
		args = append(args, strconv.Quote(text))
	}
	switch l.verb {
	case verbFlag:
		args = append(args, strconv.FormatBool(l.value))
	case verbWait, verbClock:
		args = append(args, duration(l.duration))
	case verbDone:
		if choice := l.done.Choice(); choice != "" {
			args = append(args, fmt.Sprintf("runner.Choose(%q)", choice))
		}
		if after := l.done.RequeueAfter(); after > 0 {
			args = append(args, fmt.Sprintf("runner.After(%s)", duration(after)))
		}
	}
	s := fmt.Sprintf("machinetest.%s(%s)", l.verb, strings.Join(args, ", "))
	if l.itinerary != "" {
		s += fmt.Sprintf(".In(%q)", l.itinerary)
	}
	if l.call > 1 {
		s += fmt.Sprintf(".Call(%d)", l.call)
	}
	if l.times > 1 {
		s += fmt.Sprintf(".Times(%d)", l.times)
	}
	if l.after {
		s += ".AfterWork()"
	}
	return s
}

func quotePlace(phase string) string {
	switch phase {
	case Start:
		return "machinetest.Start"
	case End:
		return "machinetest.End"
	}
	return strconv.Quote(phase)
}

func duration(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%d*time.Second", d/time.Second)
	}
	return fmt.Sprintf("%d", d)
}

// is reports whether the line is about the given call of a phase's handler.
func (l Line) is(itinerary, phase string, call int) bool {
	return l.phase == phase && l.call == call && (l.itinerary == "" || l.itinerary == itinerary)
}
