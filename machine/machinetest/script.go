package machinetest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
)

// Start and End stand for a phase name in a line or check: Start is before the first phase of an
// itinerary, End is after the run is done.
const (
	Start = ""
	End   = "\x00end"
)

// Line is one line of a script: an event in a life besides what the controller does. Functions that
// return a Line make one. A line names the phase during which it happens, which cannot be an end
// phase. By default it happens at the first call of that phase's handler; [Line.In] and [Line.Call]
// choose another. A Line prints itself as the Go code that makes it. It is immutable.
type Line struct {
	verb      verb
	itinerary string // empty means any
	phase     string
	call      int // number of the call of the phase's handler, from 1
	times     int // how often a line about a source takes effect, from 1
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

// when is the point at which a line takes effect.
type when uint8

const (
	atBeginning  when = iota // before anything runs
	before                   // before a reconcile
	atCall                   // at a call of a handler
	atEvaluation             // when a source is evaluated
	atWrite                  // after a reconcile, before its write
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

// Flags sets every flag before the life begins: the named ones to true, all others to false.
// Without it, Object and World determine the flags.
func Flags(names ...string) Line { return Line{verb: verbFlags, texts: names} }

// Done makes the phase complete without calling its handler (but see [Line.AfterWork]). Pass
// [runner.Choose] for a choice, which the phase must declare, and [runner.After] to continue the
// run later.
func Done(phase string, options ...runner.DoneOption) Line {
	l := at(verbDone, phase)
	l.done = runner.Done(options...)
	return l
}

// Fail makes the phase fail for these reasons without calling its handler, but see
// [Line.AfterWork].
func Fail(phase string, reasons ...string) Line {
	l := at(verbFail, phase)
	l.texts = reasons
	return l
}

// Err makes the phase's handler return an error, which the runner retries.
func Err(phase, text string) Line {
	l := at(verbErr, phase)
	l.texts = []string{text}
	return l
}

// Panic makes the phase's handler panic with this text.
func Panic(phase, text string) Line {
	l := at(verbPanic, phase)
	l.texts = []string{text}
	return l
}

// HangIn makes the phase's handler hang until its context ends.
func HangIn(phase string) Line { return at(verbHang, phase) }

// Wait makes the phase's handler return [runner.Wait] with that duration.
func Wait(phase string, d time.Duration) Line {
	l := at(verbWait, phase)
	l.duration = d
	return l
}

// Decide sets flags at the end of a call of the phase's handler, as its outcome: "HasPVs" to true,
// "!HasPVs" to false. The phase must declare that it decides them.
func Decide(phase string, flags ...string) Line {
	l := at(verbDecide, phase)
	l.texts = flags
	return l
}

// Flag sets a flag while the run is in the phase, before its handler is called, as if something
// outside the controller had changed.
func Flag(phase, flag string, value bool) Line {
	l := at(verbFlag, phase)
	l.flag, l.value = flag, value
	return l
}

// FlagErr makes the flag's source return an error the next time that the runner evaluates it in the
// phase; use [Line.Times] for more often.
func FlagErr(phase, flag, text string) Line {
	l := at(verbFlagErr, phase)
	l.flag, l.texts = flag, []string{text}
	return l
}

// FlagHang makes the flag's source hang until its context ends.
func FlagHang(phase, flag string) Line {
	l := at(verbFlagHang, phase)
	l.flag = flag
	return l
}

// FlagLate makes the flag's source answer only after its context has ended.
func FlagLate(phase, flag string) Line {
	l := at(verbFlagLate, phase)
	l.flag = flag
	return l
}

// CrashBefore restarts the controller after the phase's handler was called and before anything is
// written.
func CrashBefore(phase string) Line { return at(verbCrashBefore, phase) }

// CrashAfter restarts the controller right after the write that follows the call of the phase's
// handler.
func CrashAfter(phase string) Line { return at(verbCrashAfter, phase) }

// LoseWrite loses the write that follows the call of the phase's handler, although the controller
// sees it succeed.
func LoseWrite(phase string) Line { return at(verbLose, phase) }

// WriteTwice makes the write that follows the call of the phase's handler happen twice with the
// same state, as if the answer to the first were lost. The object is then reconciled again.
func WriteTwice(phase string) Line { return at(verbTwice, phase) }

// Conflict lets another client write the object first: the write that follows the call of the
// phase's handler is refused, and the object is reconciled again.
func Conflict(phase string) Line { return at(verbConflict, phase) }

// Edit makes a user change the object by a function of [Setup.Edits], while the run is in the phase
// and before its handler is called.
func Edit(phase, name string) Line {
	l := at(verbEdit, phase)
	l.texts = []string{name}
	return l
}

// Release replaces the controller by another version from [Setup.Releases] while the run is in the
// phase.
func Release(phase, name string) Line {
	l := at(verbRelease, phase)
	l.texts = []string{name}
	return l
}

// Clock moves the clock while the run is in the phase: forward, or back if the duration is
// negative.
func Clock(phase string, d time.Duration) Line {
	l := at(verbClock, phase)
	l.duration = d
	return l
}

// Stop ends the life when the run is in the phase, before its handler is called, for a test of a
// moment in the middle.
func Stop(phase string) Line { return at(verbStop, phase) }

// In restricts the line to one itinerary, for a phase name that several have.
func (l Line) In(itinerary string) Line {
	l.itinerary = itinerary
	return l
}

// Call chooses the call of the phase's handler at which the line takes effect, counted from 1 over
// the whole life and separately for each itinerary. For lines that need no call (Edit, Flag,
// Release, Clock, Stop, and those about writes) it counts the reconciles that began in the phase.
// There are more of these if the run is paused, or if it waits after the work of the phase is done.
func (l Line) Call(n int) Line {
	l.call = n
	return l
}

// Times repeats a line about a source: it applies to the next n evaluations of that source.
func (l Line) Times(n int) Line {
	l.times = n
	return l
}

// AfterWork lets the handler do its work first; the line then replaces only the result. It applies
// to Done, Fail, Err, Panic, HangIn and Wait.
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
