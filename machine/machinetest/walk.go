package machinetest

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Walks configures [Walk]: random lives of a setup. They go beyond the bounds of an exploration:
// any number of failures, errors, panics and crashes; writes that are lost, refused or done twice;
// sources that fail; and clocks that jump.
type Walks[T, W any] struct {
	// Setup is the controller under test, as in an [Exploration].
	Setup Setup[T, W]
	// Seed makes the walks reproducible; it is reported with each break.
	Seed uint64
	// Lives is the number of lives. Zero means 100. Lines is the maximum number of lines in each
	// script, apart from the one that sets the flags. Zero means 12.
	Lives, Lines int
	// Edits lists the edits of the setup that users may make.
	Edits []string
	// NeverFails lists phases that no life makes fail, as in an [Exploration].
	NeverFails []string
	// Settled lists phases whose handlers themselves settle what the phase decides and chooses, as
	// in an [Exploration].
	Settled []string
}

// WalkReport is the result of [Walk].
type WalkReport struct {
	// Seed is the seed of the walks.
	Seed uint64
	// Lives is the number of lives that were tried, and Reconciles that of their reconciles.
	Lives, Reconciles int
	// Found lists the breaks, one for each promise, itinerary and how, in the order in which they
	// were found. A script whose break is reproduced is shrunk in at most 2,000 runs. If these
	// suffice it is minimal: no line can be removed or simplified.
	Found []Found
}

const (
	defaultLives     = 100
	defaultLines     = 12
	maxLifeOfWalk    = 500 // reconciles
	maxShrinkingRuns = 2000
)

// Walk tries random lives of a setup. It fails the test for each kind of break that it finds, and
// reports the minimal script to which it could shrink the life. A life that does not end is not a
// break, since a user may have paused it. Walk returns nil if the setup is invalid.
func Walk[T, W any](t TB, w Walks[T, W]) *WalkReport {
	t.Helper()
	report, err := w.run()
	if err != nil {
		fatalf(t, "%v", err)
		return nil
	}
	for i, f := range report.Found {
		text := f.String()
		if i == 0 && f.source.Expression != "" {
			text += "\n\n" + f.GoTest()
		}
		t.Errorf("seed %d: %s", report.Seed, text)
	}
	return report
}

// walking is the state of a Walk.
type walking[T, W any] struct {
	Walks[T, W]
	probe  *Life[T, W] // knows which lines are possible
	places []place
	known  []string // names of phases
}

func (w Walks[T, W]) run() (*WalkReport, error) {
	e, err := newEngine(w.Setup)
	if err != nil {
		return nil, err
	}
	for _, name := range w.Edits {
		if e.setup.Edits[name] == nil {
			return nil, setupError("the walks name an edit %q, which Setup.Edits does not have", name)
		}
	}
	if w.Lives <= 0 {
		w.Lives = defaultLives
	}
	if w.Lines <= 0 {
		w.Lines = defaultLines
	}
	w.Setup.MaxReconciles, w.Setup.NoAutoAdvance = maxLifeOfWalk, false
	walks := &walking[T, W]{Walks: w, probe: &Life[T, W]{engine: e}}
	for _, name := range e.options.Itineraries.Names() {
		g := e.graph(name)
		for i := range g.Len() {
			walks.known = append(walks.known, g.Phase(i).Name)
			walks.places = append(walks.places, place{name, g.Phase(i).Name})
		}
	}
	e.truth(e.setup.Object) // records which flags have sources
	report := &WalkReport{Seed: w.Seed, Lives: w.Lives}
	for n := range w.Lives {
		script := walks.script(rand.New(rand.NewPCG(w.Seed, uint64(n))))
		life, err := walks.live(script, w.Setup.Coverage)
		if err != nil {
			return nil, err
		}
		report.Reconciles += life.record.Reconciles
		for _, b := range life.breaks {
			if !slices.ContainsFunc(report.Found, func(f Found) bool { return f.same(b) }) {
				report.Found = append(report.Found, walks.shrink(life, b))
			}
		}
	}
	return report, nil
}

// live runs a life silently. The error is a *SetupError.
func (w *walking[T, W]) live(script []Line, coverage *Coverage) (life *Life[T, W], err error) {
	setup := w.Setup
	setup.EachWrite, setup.Coverage = true, coverage
	defer func() {
		if p := recover(); p != nil && p != errStopped {
			panic(p)
		}
	}()
	life = New[T, W](silent{}, setup)
	if err = life.prepare(script); err == nil {
		err = life.live()
	}
	var broken *SetupError
	if !errors.As(err, &broken) {
		err = nil
	}
	return life, err
}

// script returns a random script.
func (w *walking[T, W]) script(r *rand.Rand) (script []Line) {
	e := w.probe.engine
	if e.flags.Len() > 0 && e.setup.SetFlag != nil {
		script = append(script, Flags(e.flags.Names(w.assignment(r).True()&e.sourced)...))
	}
	for range r.IntN(w.Lines + 1) {
		at := w.places[r.IntN(len(w.places))]
		line, ok := w.line(r, at)
		settles := line.verb == verbDecide || line.verb == verbDone
		if !ok || settles && lists(w.Settled, at.itinerary, at.phase) {
			continue
		}
		line = line.In(at.itinerary)
		if line.when() != atEvaluation {
			line = line.Call(1 + r.IntN(2))
		}
		if w.probe.known(line, w.known) == nil && !slices.ContainsFunc(script, line.excludes) {
			script = append(script, line)
		}
	}
	return script
}

// assignment returns a random assignment of flags that the relations allow.
func (w *walking[T, W]) assignment(r *rand.Rand) phases.Facts {
	v := w.probe.engine.flags
	f, _ := propagate(v, phases.Facts{})
	for flag := range v.All().Each {
		if f.Known().Has(flag) {
			continue
		}
		value := phases.TruthOf(r.IntN(2) == 0)
		next, ok := propagate(v, f.Set(flag, value))
		if !ok {
			next, _ = propagate(v, f.Set(flag, phases.TruthOf(value != phases.True)))
		}
		f = next
	}
	return f
}

// line returns a random line at a place. It reports false if no line of the chosen kind is possible
// there.
func (w *walking[T, W]) line(r *rand.Rand, at place) (line Line, ok bool) {
	e := w.probe.engine
	g := e.graph(at.itinerary)
	i, _ := g.Lookup(at.phase)
	pick := func(flags phases.Flags) (string, bool) {
		names := e.flags.Names(flags & e.sourced)
		if len(names) == 0 || e.setup.SetFlag == nil {
			return "", false
		}
		return names[r.IntN(len(names))], true
	}
	d := time.Duration(1+r.IntN(600)) * time.Second
	switch r.IntN(15) {
	case 0, 1:
		return Fail(at.phase, "injected"), !lists(w.NeverFails, at.itinerary, at.phase)
	case 2:
		return Err(at.phase, "injected"), w.mayErr(at)
	case 3:
		return Panic(at.phase, "injected"), w.mayErr(at)
	case 4:
		return Wait(at.phase, d), w.mayErr(at)
	case 5:
		flag, ok := pick(g.Phase(i).Decides)
		return Decide(at.phase, not(r)+flag), ok
	case 6:
		flag, ok := pick(e.flags.Live())
		return Flag(at.phase, flag, r.IntN(2) == 0), ok
	case 7:
		flag, ok := pick(g.Reads())
		return FlagErr(at.phase, flag, "injected"), ok
	case 8:
		return []func(string) Line{CrashBefore, CrashAfter}[r.IntN(2)](at.phase), true
	case 9:
		return []func(string) Line{LoseWrite, WriteTwice, Conflict}[r.IntN(3)](at.phase), true
	case 10, 11:
		if len(w.Edits) == 0 {
			return line, false
		}
		return Edit(at.phase, w.Edits[r.IntN(len(w.Edits))]), true
	case 12:
		return Clock(at.phase, d), true
	case 13:
		return Done(at.phase, runner.After(d)).AfterWork(), true
	}
	_, choices := jumpsFrom(g, i)
	if len(choices) == 0 {
		return line, false
	}
	names := slices.Sorted(maps.Keys(choices))
	return Done(at.phase, runner.Choose(names[r.IntN(len(names))])).AfterWork(), true
}

// mayErr reports whether the walk may hold up a phase, which may make it fail.
func (w *walking[T, W]) mayErr(at place) bool {
	p := w.probe.engine.phase(at.itinerary, at.phase)
	return p.MaxAttempts == 0 && p.Deadline == 0 || !lists(w.NeverFails, at.itinerary, at.phase)
}

func not(r *rand.Rand) string { return []string{"", "!"}[r.IntN(2)] }

// shrink makes the script of a break minimal, by delta debugging: it removes lines, halves of the
// script first, and simplifies the remaining ones.
func (w *walking[T, W]) shrink(life *Life[T, W], b Break) Found {
	script := life.flags
	for _, line := range life.lines {
		if line.remaining < line.times {
			script = append(script, line.Line) // an unused line changed nothing
		}
	}
	runs := 0
	breaks := func(script []Line) bool {
		if runs++; runs > maxShrinkingRuns {
			return false
		}
		life, err := w.live(script, nil)
		return err == nil && slices.ContainsFunc(life.breaks, b.same)
	}
	reproduced := breaks(script)
	for again := reproduced; again; {
		again = false
		for size := max(len(script)/2, 1); size > 0; size /= 2 {
			for from := 0; from+size <= len(script); {
				if less := slices.Delete(slices.Clone(script), from, from+size); breaks(less) {
					script, again = less, true
					continue
				}
				from += size
			}
		}
		for i := range script {
			for _, simpler := range script[i].simpler() {
				if less := replace(script, i, simpler); breaks(less) {
					script, again = less, true
					break
				}
			}
		}
	}
	f := Found{Break: b, Script: script, Reproduced: reproduced, source: w.Setup.Source, eachWrite: !w.Setup.EachWrite}
	if reproduced {
		last, _ := w.live(script, nil)
		f.Break = last.breaks[slices.IndexFunc(last.breaks, b.same)]
	}
	return f
}

func replace(script []Line, i int, line Line) []Line {
	less := slices.Clone(script)
	less[i] = line
	return less
}

// simpler returns simpler versions of the line.
func (l Line) simpler() (all []Line) {
	add := func(change func(*Line)) {
		m := l
		if change(&m); m.String() != l.String() {
			all = append(all, m)
		}
	}
	for i := range l.texts {
		if l.verb == verbFlags {
			add(func(m *Line) { m.texts = slices.Delete(slices.Clone(l.texts), i, i+1) })
		}
	}
	add(func(m *Line) { m.call = 1 })
	add(func(m *Line) { m.times = 1 })
	add(func(m *Line) { m.itinerary = "" })
	if l.verb != verbDone {
		add(func(m *Line) { m.after = false })
	}
	for _, d := range []time.Duration{time.Second, time.Minute} {
		if d < l.duration {
			add(func(m *Line) { m.duration = d })
		}
	}
	return all
}
