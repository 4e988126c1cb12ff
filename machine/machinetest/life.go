package machinetest

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Life is one run of the controller under test, from the object as a user creates it to its end. It
// is not safe for concurrent use.
type Life[T, W any] struct {
	t        TB
	engine   *engine[T, W]
	object   T // as last written
	now      time.Time
	lines    []*scriptLine
	checks   []*check[T, W]
	calls    map[[2]string]int // per itinerary and phase, the calls of its handler
	begun    map[[2]string]int // per itinerary and place, the reconciles that began there
	carried  carried
	injected []string
	record   Record
	breaks   []Break
	flags    []Line // lines that set flags
	began    bool
	stopped  bool // by a line
}

// scriptLine is a line of the script and its progress.
type scriptLine struct {
	Line
	remaining int // how often it can still take effect
}

// check is a function of the test that runs at a place.
type check[T, W any] struct {
	Line
	run func(Snapshot[T, W]) error
	ran bool
}

// New begins a life. An invalid setup fails the test at once.
func New[T, W any](t TB, s Setup[T, W]) *Life[T, W] {
	t.Helper()
	e, err := newEngine(s)
	if err != nil {
		fatalf(t, "%v", err)
		return nil
	}
	l := &Life[T, W]{t: t, engine: e, now: e.setup.Start, calls: make(map[[2]string]int), begun: make(map[[2]string]int)}
	if l.object, err = copyOf(e.setup.Object); err != nil {
		fatalf(t, "%v", setupError("Setup.Object cannot be copied: %v", err))
	}
	return l
}

// Check calls f when the run is in the phase, before the phase's handler is called for the first
// time. An error from f fails the test, and so does a check that never ran. [Start] and [End] are
// places too. Call Check before Run.
func (l *Life[T, W]) Check(phase string, f func(Snapshot[T, W]) error) {
	l.checks = append(l.checks, &check[T, W]{Line: at("Check", phase), run: f})
}

// Run runs the life to its end, following the script. It fails the test if the run does not end, if
// a line was never used, if a check never ran, or if a promise, an invariant or the contract of a
// handler was broken. Call it once.
func (l *Life[T, W]) Run(script ...Line) {
	l.t.Helper()
	if err := l.run(script); err != nil {
		l.t.Errorf("%v\n%s", err, excerpt(l.Transcript()))
	}
}

// RunToError is [Life.Run] for a run that must stop. It returns the error that stops it, for which
// [runner.IsTerminal] holds, such as an [*runner.UnansweredFailureError]. It fails the test if the
// run does not stop.
func (l *Life[T, W]) RunToError(script ...Line) error {
	l.t.Helper()
	err := l.run(script)
	var stopped *StoppedError
	if !errors.As(err, &stopped) {
		l.t.Errorf("the run must stop with an error; it ended with %v\n%s", err, excerpt(l.Transcript()))
		return nil
	}
	return stopped.Err
}

// StoppedError is the error that stops a run before its end. It ends the life, since nothing that
// the controller does continues the run. If a line of the script waits for the next reconcile
// there, such as an edit that fixes the object, the life continues.
type StoppedError struct{ Err error }

func (e *StoppedError) Error() string { return "the run stopped: " + e.Err.Error() }

// Unwrap returns the error that stopped the run.
func (e *StoppedError) Unwrap() error { return e.Err }

// NotDoneError reports a life that did not end within [Setup.MaxReconciles].
type NotDoneError struct {
	// Reconciles is the number of reconciles of the life.
	Reconciles int
	// Itinerary and Phase are where the run is.
	Itinerary, Phase string
	// Last is the last error of a reconcile, or nil.
	Last error
}

func (e *NotDoneError) Error() string {
	text := fmt.Sprintf("after %d reconciles the run is not done; it is in itinerary %q at phase %q", e.Reconciles, e.Itinerary, e.Phase)
	if e.Last != nil {
		text += ": " + e.Last.Error()
	}
	return text
}

// Unwrap returns the last error of a reconcile, or nil.
func (e *NotDoneError) Unwrap() error { return e.Last }

func (l *Life[T, W]) run(script []Line) error {
	l.t.Helper()
	if l.began {
		fatalf(l.t, "a life runs only once; make another with New")
	}
	l.began = true
	if err := l.prepare(script); err != nil {
		fatalf(l.t, "%v", err)
		return err
	}
	err := l.live()
	var setup *SetupError
	if errors.As(err, &setup) {
		fatalf(l.t, "%v", err)
		return nil
	}
	for _, line := range l.lines {
		if line.remaining > 0 {
			l.t.Errorf("the line %s was never used%s", line.Line, l.unused(line.Line))
		}
	}
	for _, c := range l.checks {
		if !c.ran {
			l.t.Errorf("the check at %s never ran%s", quotePlace(c.phase), l.unused(c.Line))
		}
	}
	return err
}

// unused explains why a line may not have been used.
func (l *Life[T, W]) unused(line Line) string {
	calls, counts := 0, l.begun
	if line.when() == atCall {
		counts = l.calls
	}
	for key, n := range counts {
		if key[1] == line.phase && (line.itinerary == "" || line.itinerary == key[0]) {
			calls = max(calls, n)
		}
	}
	switch {
	case calls == 0 && line.when() == before && l.engine.options.MaxPhases > 1:
		return ": no reconcile began there; with MaxPhases above 1 a run can pass a phase within one reconcile"
	case calls == 0:
		return ": the run never reached it"
	case line.when() == atEvaluation:
		return ": the runner did not evaluate that flag there, or not often enough"
	case calls < line.call && line.when() == atCall:
		return fmt.Sprintf(": calls of its handler: %d", calls)
	case calls < line.call:
		return fmt.Sprintf(": reconciles that began there: %d", calls)
	}
	return ""
}

// prepare checks the script and sets the flags.
func (l *Life[T, W]) prepare(script []Line) error {
	var known []string
	for _, name := range l.engine.options.Itineraries.Names() {
		g := l.engine.graph(name)
		for i := range g.Len() {
			known = append(known, g.Phase(i).Name)
		}
	}
	for _, line := range script {
		if line.verb == verbFlags {
			l.flags = append(l.flags, line)
			yes, err := l.engine.flags.Parse(line.texts...)
			if err == nil {
				err = l.engine.setFlags(l.object, phases.NewFacts(yes, l.engine.flags.All()&^yes))
			}
			if none := yes &^ l.engine.sourced; err == nil && none != 0 {
				err = setupError("%s: no source evaluates %s", line, strings.Join(l.engine.flags.Names(none), ", "))
			}
			if err != nil {
				return err
			}
			continue
		}
		if err := l.known(line, known); err != nil {
			return err
		}
		for _, other := range l.lines {
			if line.excludes(other.Line) {
				return setupError("%s and %s are about the same call; keep one of them", other.Line, line)
			}
		}
		l.lines = append(l.lines, &scriptLine{Line: line, remaining: line.times})
	}
	for _, c := range l.checks {
		if err := l.known(c.Line, known); err != nil {
			return err
		}
	}
	l.engine.inject = injection{call: l.atCall}
	for _, line := range l.lines {
		if line.when() == atEvaluation {
			l.engine.inject.evaluation = l.atEvaluation
		}
	}
	return nil
}

// known refuses a line with a name that does not exist.
func (l *Life[T, W]) known(line Line, names []string) error {
	if line.phase != Start && line.phase != End {
		if line.itinerary != "" {
			g, err := l.engine.options.Itineraries.Graph(line.itinerary)
			if err == nil {
				_, err = g.Lookup(line.phase)
			}
			if err != nil {
				return setupError("%s: %v", line, err)
			}
		}
		if !slices.Contains(names, line.phase) {
			return setupError("%s: no itinerary has a phase %q%s", line, line.phase, wording.DidYouMean(wording.Nearest(line.phase, names)))
		}
		if l.isEnd(line) {
			return setupError("%s: %q is an end phase, which does no work; name the phase before it, or use End after the run is done",
				line, line.phase)
		}
	}
	flags := []string{}
	switch {
	case line.verb == verbDecide:
		for _, name := range line.texts {
			flags = append(flags, strings.TrimPrefix(name, "!"))
		}
	case line.flag != "":
		flags = append(flags, line.flag)
	}
	if _, err := l.engine.flags.Parse(flags...); err != nil {
		return setupError("%s: %v", line, err)
	}
	switch {
	case line.call < 1:
		return setupError("%s: Call must be at least 1", line)
	case line.times < 1 || line.times > 1 && line.when() != atEvaluation:
		return setupError("%s: Times must be at least 1, and applies only to lines about a source", line)
	case line.call > 1 && line.when() == atEvaluation:
		return setupError("%s: Call is not for lines about a source, which take effect at its next evaluation", line)
	case line.after && !line.replaces():
		return setupError("%s: AfterWork is for lines that replace what a handler returns", line)
	}
	switch line.verb {
	case verbDecide:
		return l.decides(line)
	case verbDone:
		return l.chooses(line)
	case verbEdit:
		if l.engine.setup.Edits[line.texts[0]] == nil {
			return setupError("%s: Setup.Edits has no %q", line, line.texts[0])
		}
	case verbRelease:
		if l.engine.setup.Releases[line.texts[0]] == nil {
			return setupError("%s: Setup.Releases has no %q", line, line.texts[0])
		}
	}
	return nil
}

// decides refuses a line Decide with flags that the phase does not decide.
func (l *Life[T, W]) decides(line Line) error {
	f, err := l.engine.parse(line.texts)
	if err != nil {
		return setupError("%s: %v", line, err)
	}
	for g, i := range l.phases(line) {
		if g.Decides(i).Has(f.Known()) {
			return nil
		}
	}
	return setupError("%s: the phase does not declare that it decides all of these flags; add them to its Decides, "+
		"or use Flag for a change from outside", line)
}

// chooses refuses a line Done with a choice that the phase does not declare.
func (l *Life[T, W]) chooses(line Line) error {
	choice := line.done.Choice()
	for g := range l.phases(line) {
		if choice == "" || l.engine.mayChoose(g.Name(), line.phase, choice) {
			return nil
		}
	}
	return setupError("%s: the phase does not declare this choice; add a jump to it that is a choice", line)
}

// isEnd reports whether the phase of a line is an end phase in every itinerary that the line is
// about.
func (l *Life[T, W]) isEnd(line Line) bool {
	for g, i := range l.phases(line) {
		if !g.IsEnd(i) {
			return false
		}
	}
	return true
}

// phases yields the phases that a line is about, by itinerary and index.
func (l *Life[T, W]) phases(line Line) iter.Seq2[*machine.Graph, int] {
	return func(yield func(*machine.Graph, int) bool) {
		for _, name := range l.engine.options.Itineraries.Names() {
			g := l.engine.graph(name)
			if line.itinerary != "" && line.itinerary != name {
				continue
			}
			if i, err := g.Lookup(line.phase); err == nil && !yield(g, i) {
				return
			}
		}
	}
}

// use returns the lines of a kind that are about the given call, and counts them as used.
func (l *Life[T, W]) use(w when, itinerary, phase string, call int) (used []Line) {
	for _, line := range l.lines {
		if line.remaining > 0 && line.when() == w && line.is(itinerary, phase, call) {
			line.remaining--
			used = append(used, line.Line)
		}
	}
	return used
}

// unuse reverts the use of a line.
func (l *Life[T, W]) unuse(used Line) {
	for _, line := range l.lines {
		if line.String() == used.String() {
			line.remaining++
			return
		}
	}
}

// atCall returns the injection for a call of a handler.
func (l *Life[T, W]) atCall(itinerary, phase string) (instead *Line, decides []string) {
	key := [2]string{itinerary, phase}
	l.calls[key]++
	for _, line := range l.use(atCall, itinerary, phase, l.calls[key]) {
		if line.verb == verbDecide {
			decides = append(decides, line.texts...)
			continue
		}
		if line.verb == verbFail {
			l.injected = append(l.injected, itinerary+"/"+phase)
		}
		instead = &line
	}
	return instead, decides
}

// atEvaluation returns the injection for the evaluation of a source.
func (l *Life[T, W]) atEvaluation(flag string) *Line {
	s, err := l.engine.read(l.object)
	if err != nil {
		return nil
	}
	for _, line := range l.lines {
		if line.isAbout(flag, s) {
			return &line.Line
		}
	}
	return nil
}

// isAbout reports whether a line is about the evaluation of a flag in a state.
func (l *scriptLine) isAbout(flag string, s runner.State) bool {
	return l.remaining > 0 && l.when() == atEvaluation && l.flag == flag && l.phase == placeOf(s) &&
		(l.itinerary == "" || l.itinerary == s.Itinerary)
}

// placeOf returns the place of a state.
func placeOf(s runner.State) string {
	if s.Done {
		return End
	}
	return s.Phase
}

// live runs reconciles until the run is done.
func (l *Life[T, W]) live() error {
	var last error
	requested := false // another reconcile was requested although the run is done: another run follows
	for range l.engine.setup.MaxReconciles {
		s, err := l.engine.read(l.object)
		if err != nil {
			return fmt.Errorf("read the state: %w", err)
		}
		happened, err := l.beforeReconcile(s)
		if err != nil {
			return err
		}
		if l.stopped || s.Done && !happened && !requested {
			return nil
		}
		r := l.engine.round(l.object, l.now, l.carried)
		if r.problem != nil {
			return r.problem
		}
		due, idle, err := l.after(s, r)
		if err != nil {
			return err
		}
		last, requested = r.err, r.outcome.Requeue
		if idle {
			return nil
		}
		l.now = due
	}
	s, err := l.engine.read(l.object)
	if err != nil {
		return fmt.Errorf("read the state: %w", err)
	}
	if s.Done {
		return nil
	}
	return &NotDoneError{Reconciles: l.engine.setup.MaxReconciles, Itinerary: s.Itinerary, Phase: s.Phase, Last: last}
}

// beforeReconcile applies the lines and checks at a place before a reconcile, and reports whether
// there were any.
func (l *Life[T, W]) beforeReconcile(s runner.State) (happened bool, err error) {
	itinerary := s.Itinerary
	key := [2]string{itinerary, placeOf(s)}
	l.begun[key]++
	call := l.begun[key]
	for _, c := range l.checks {
		if !c.ran && c.is(itinerary, placeOf(s), call) {
			c.ran = true
			if err := c.run(l.engine.snapshot(l.object, s, l.injected)); err != nil {
				l.t.Errorf("the check at %s: %v", quotePlace(c.phase), err)
			}
		}
	}
	for _, line := range l.use(before, itinerary, placeOf(s), call) {
		happened = true
		l.addLine("script", line.String())
		switch line.verb {
		case verbStop:
			l.stopped = true
		case verbClock:
			l.now = l.now.Add(line.duration)
		case verbRelease:
			l.engine.build = l.engine.setup.Releases[line.texts[0]]
			err = l.engine.restart()
		case verbEdit, verbFlag:
			l.carried.drifted |= l.engine.outside(l.object, s, func() {
				if line.verb == verbEdit {
					l.engine.setup.Edits[line.texts[0]](l.object)
					return
				}
				flag, perr := l.engine.flags.Parse(line.flag)
				if perr == nil {
					perr = l.engine.setFlags(l.object, phases.Facts{}.Set(flag, phases.TruthOf(line.value)))
				}
				err = perr
			})
		}
		if err != nil {
			return false, err
		}
	}
	return happened, nil
}

// after writes the result of a reconcile, unless the script says otherwise. It returns when the
// next reconcile is due, and reports as idle that none is.
func (l *Life[T, W]) after(s runner.State, r *reconciled[T]) (due time.Time, idle bool, err error) {
	l.take(r)
	now := l.engine.clock.Now().Add(l.engine.setup.Step)
	l.engine.clock.set(now)
	used := l.use(atWrite, s.Itinerary, placeOf(s), l.begun[[2]string{s.Itinerary, placeOf(s)}])
	for _, c := range r.calls { // with MaxPhases above 1 also of phases that it passed
		used = append(used, l.use(atWrite, c.itinerary, c.phase, l.calls[[2]string{c.itinerary, c.phase}])...)
	}
	due, waits := l.engine.due(r, now)
	write := r.changed
	l.carried.drifted |= r.elapsed
	for _, line := range used {
		if !r.changed && (line.verb == verbLose || line.verb == verbConflict || line.verb == verbTwice) {
			l.unuse(line) // there is no write
			continue
		}
		l.addLine("script", line.String())
		switch line.verb {
		case verbCrashBefore:
			write, due, waits = false, now, false
			err = l.engine.restart()
		case verbCrashAfter:
			due, waits = now, false
			err = l.engine.restart()
		case verbLose:
			write = false
		case verbConflict:
			write, due, waits = false, now, false
		case verbTwice:
			due, waits = now, false
			l.written(r, now)
		}
		if err != nil {
			return due, false, err
		}
	}
	if write {
		l.written(r, now)
		l.object, l.carried = r.object, r.carried
	}
	if runner.IsTerminal(r.err) && !r.outcome.Requeue && len(used) == 0 && !l.awaited(r.after) {
		return due, false, &StoppedError{Err: r.err}
	}
	if waits && l.engine.setup.NoAutoAdvance && due.After(now) {
		return now, !l.pending(), nil
	}
	return due, false, nil
}

// pending reports whether a line waits to take effect before a reconcile. The clock then does not
// wait for that reconcile to be due.
func (l *Life[T, W]) pending() bool {
	return slices.ContainsFunc(l.lines, func(line *scriptLine) bool { return line.remaining > 0 && line.when() == before })
}

// awaited reports whether a line waits for the next reconcile at the place of a state. If so, a run
// that stopped there may continue.
func (l *Life[T, W]) awaited(s runner.State) bool {
	next := l.begun[[2]string{s.Itinerary, placeOf(s)}] + 1
	return slices.ContainsFunc(l.lines, func(line *scriptLine) bool {
		return line.remaining > 0 && line.when() == before && line.is(s.Itinerary, placeOf(s), next)
	})
}

// take records what a reconcile did, and reports what it broke.
func (l *Life[T, W]) take(r *reconciled[T]) {
	l.record.take(r.log, r.err, l.now.Sub(l.engine.setup.Start))
	for _, event := range r.events {
		evaluated, ok := event.(runner.FlagEvaluated)
		if !ok {
			continue
		}
		for _, line := range l.lines {
			if line.isAbout(evaluated.Flag, r.before) {
				line.remaining--
				break // the other lines did not take effect
			}
		}
	}
	l.report(r.breaks)
}

func (l *Life[T, W]) report(breaks []Break) {
	l.t.Helper()
	l.breaks = append(l.breaks, breaks...)
	for _, b := range breaks {
		l.t.Errorf("reconcile %d: %s", l.record.Reconciles, b)
	}
}

// written records a write, and checks the invariants.
func (l *Life[T, W]) written(r *reconciled[T], now time.Time) {
	l.record.write(r.after, now.Sub(l.engine.setup.Start))
	l.report(l.engine.invariants(l.engine.snapshot(r.object, r.after, l.injected)))
}

func (l *Life[T, W]) addLine(what, text string) {
	l.record.add(l.now.Sub(l.engine.setup.Start), what, text)
}

// Object returns the object as last written.
func (l *Life[T, W]) Object() T { return l.object }

// World returns the world.
func (l *Life[T, W]) World() *W { return l.engine.world }
