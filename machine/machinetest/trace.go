package machinetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// move is an act and the places before and after it.
type move struct {
	from, to place
	act      act
}

// place is a phase of an itinerary, or one of [Start] and [End].
type place struct{ itinerary, phase string }

func (p place) String() string {
	switch p.phase {
	case Start:
		return "the start"
	case End:
		return "the end"
	}
	return p.phase
}

// moves returns the path to a state, followed by an act in it and the place to which that leads.
func (e *exploring[T, W]) moves(from int32, last act, to place) (all []move) {
	for id := from; ; id = e.states[id].parent {
		m := move{to: to, act: last}
		if id >= 0 {
			m.from = e.states[id].place
			last, to = e.states[id].act, e.states[id].place
		}
		all = append(all, m)
		if id < 0 {
			slices.Reverse(all)
			return all
		}
	}
}

// tracing builds the description of a path, as a script and in words.
type tracing struct {
	script       []Line
	path         []string
	calls, begun map[place]int
	segment      []string // consecutively entered phases
	in           string   // their itinerary
}

// flush ends a segment.
func (t *tracing) flush() {
	if len(t.segment) > 0 {
		t.path = append(t.path, t.in+": "+strings.Join(t.segment, ", "))
	}
	t.segment = nil
}

func (t *tracing) describe(format string, args ...any) {
	t.flush()
	t.path = append(t.path, fmt.Sprintf(format, args...))
}

// add adds a line about a call at a place.
func (t *tracing) add(at place, l Line, call int) {
	if at.itinerary != "" {
		l = l.In(at.itinerary)
	}
	t.script = append(t.script, l.Call(call))
}

// trace describes a path as a script and in words.
func (e *exploring[T, W]) trace(moves []move) (script []Line, path []string) {
	t := &tracing{calls: make(map[place]int), begun: make(map[place]int)}
	for _, m := range moves {
		switch m.act.kind {
		case actBegin:
			if e.flags.Len() > 0 {
				t.script = append(t.script, Flags(m.act.decides...))
				t.describe("flags: %s", orNone(m.act.decides))
			}
			continue
		case actEdit, actChange:
			t.user(m)
			continue
		}
		t.begun[m.from]++
		if m.act.called {
			t.calls[m.from]++
		}
		t.reconcile(m)
		if m.to == m.from {
			continue
		}
		if m.to.itinerary != t.in {
			t.flush()
			t.in = m.to.itinerary
		}
		if m.to.phase != Start {
			t.segment = append(t.segment, m.to.String())
		}
	}
	t.flush()
	return t.script, t.path
}

// user describes an act of a user.
func (t *tracing) user(m move) {
	call := t.begun[m.from] + 1
	if m.act.kind == actEdit {
		if m.act.slept > 0 {
			t.add(m.from, Clock(m.from.phase, m.act.slept), call)
		}
		t.add(m.from, Edit(m.from.phase, m.act.name), call)
		t.describe("%s, at %s", m.act.name, m.from)
		return
	}
	for _, name := range m.act.decides {
		flag, not := strings.CutPrefix(name, "!")
		t.add(m.from, Flag(m.from.phase, flag, !not), call)
	}
	t.describe("a user sets %s, at %s", strings.Join(m.act.decides, ", "), m.from)
}

// reconcile describes what is injected into a reconcile.
func (t *tracing) reconcile(m move) {
	phase, call := m.from.phase, t.calls[m.from]
	outcome := ""
	if m.act.decides != nil {
		outcome = "; now " + strings.Join(m.act.decides, ", ")
	}
	switch m.act.kind {
	case actFail:
		fail := Fail(phase, "injected")
		when := ""
		if fail.after = m.act.after; fail.after {
			when = " after its work"
		}
		t.add(m.from, fail, call)
		t.describe("%s fails%s%s", m.from, when, outcome)
	case actWait:
		t.add(m.from, Wait(phase, 0), call)
		t.describe("%s waits", m.from)
	case actError:
		t.add(m.from, Err(phase, "injected"), call)
		t.describe("%s returns an error", m.from)
	case actPartial:
		t.add(m.from, Wait(phase, partialWait), call)
		t.describe("%s is in the middle of its work%s", m.from, outcome)
	case actCrash:
		t.add(m.from, CrashBefore(phase), t.begun[m.from])
		t.describe("the controller crashes after the work of %s, before the write", m.from)
	case actReconcile:
		switch {
		case m.act.done != nil:
			t.add(m.from, *m.act.done, call)
			t.describe("%s is done, and %s%s", m.from, chosen(m.act.done.done.Choice()), outcome)
		case outcome != "":
			t.describe("%s is done%s", m.from, outcome)
		}
	}
	if m.act.decides != nil {
		t.add(m.from, Decide(phase, m.act.decides...), call)
	}
}

func chosen(choice string) string {
	if choice == "" {
		return "makes no choice"
	}
	return "chooses " + choice
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none is true"
	}
	return strings.Join(names, ", ")
}

// same reports whether two breaks are of one kind: they differ at most in their detail. Breaks of
// PromiseEnds are of one kind in whatever itineraries they are.
func (b Break) same(other Break) bool {
	if b.Promise == PromiseEnds || other.Promise == PromiseEnds {
		return b.Promise == other.Promise
	}
	return b.Promise == other.Promise && b.Itinerary == other.Itinerary && b.How == other.How
}

// breaksOf runs a life with a script silently, and returns the breaks. A run that does not end is
// one. It returns nil if the script is invalid.
func breaksOf[T, W any](setup Setup[T, W], script []Line) []Break {
	setup.EachWrite, setup.Coverage = true, nil
	var life *Life[T, W]
	var err error
	func() {
		defer func() {
			if p := recover(); p != nil && p != errStopped {
				panic(p)
			}
		}()
		life = New[T, W](silent{}, setup)
		err = life.run(script)
	}()
	if life == nil {
		return nil
	}
	breaks := life.breaks
	if err != nil {
		s, _ := life.engine.read(life.object)
		breaks = append(breaks, Break{Promise: PromiseEnds, Itinerary: s.Itinerary,
			How: "the run does not end", Detail: err.Error()})
	}
	return breaks
}

// longest returns the number of acts on the longest explored path.
func (e *exploring[T, W]) longest() int {
	depth := make([]int, len(e.states))
	most := 0
	for id, s := range e.states { // a parent is before its children
		if s.parent >= 0 {
			depth[id] = depth[s.parent] + 1
		}
		most = max(most, depth[id])
	}
	return most
}

// silent is a TB that reports nothing and stops the test by a panic.
type silent struct{}

var errStopped = errors.New("stopped")

func (silent) Helper()               {}
func (silent) Logf(string, ...any)   {}
func (silent) Errorf(string, ...any) {}
func (silent) FailNow()              { panic(errStopped) }
