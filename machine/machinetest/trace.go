package machinetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// move is an act and the places between which it leads.
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

// moves are the way to a state and, behind that, to where an act in it leads.
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

// trace describes a way as a script and in words.
func (e *exploring[T, W]) trace(moves []move) (script []Line, path []string) {
	calls, begun := make(map[place]int), make(map[place]int)
	var segment []string // phases that are entered one after the other
	in := ""             // their itinerary
	flush := func() {
		if len(segment) > 0 {
			path = append(path, in+": "+strings.Join(segment, ", "))
		}
		segment = nil
	}
	for _, m := range moves {
		line := func(l Line, call int) Line {
			if m.from.itinerary != "" {
				l = l.In(m.from.itinerary)
			}
			return l.Call(call)
		}
		outcome := ""
		if m.act.decides != nil {
			outcome = "; now " + strings.Join(m.act.decides, ", ")
		}
		tell := func(format string, args ...any) {
			flush()
			path = append(path, fmt.Sprintf(format, args...)+outcome)
		}
		switch m.act.kind {
		case actBegin:
			if e.flags.Len() > 0 {
				script = append(script, Flags(m.act.decides...))
				outcome = ""
				tell("flags: %s", orNone(m.act.decides))
			}
			continue
		case actEdit:
			if m.act.slept > 0 {
				script = append(script, line(Clock(m.from.phase, m.act.slept), begun[m.from]+1))
			}
			script = append(script, line(Edit(m.from.phase, m.act.name), begun[m.from]+1))
			tell("%s, at %s", m.act.name, m.from)
			continue
		case actChange:
			for _, name := range m.act.decides {
				flag, not := strings.CutPrefix(name, "!")
				script = append(script, line(Flag(m.from.phase, flag, !not), begun[m.from]+1))
			}
			outcome = ""
			tell("a user sets %s, at %s", strings.Join(m.act.decides, ", "), m.from)
			continue
		}
		begun[m.from]++
		if m.act.called {
			calls[m.from]++
		}
		switch m.act.kind {
		case actFail:
			fail := Fail(m.from.phase, "injected")
			when := ""
			if fail.after = m.act.after; fail.after {
				when = " after its work"
			}
			script = append(script, line(fail, calls[m.from]))
			tell("%s fails%s", m.from, when)
		case actWait:
			script = append(script, line(Wait(m.from.phase, 0), calls[m.from]))
			tell("%s waits", m.from)
		case actError:
			script = append(script, line(Err(m.from.phase, "injected"), calls[m.from]))
			tell("%s returns an error", m.from)
		case actPartial:
			script = append(script, line(Wait(m.from.phase, partialWait), calls[m.from]))
			tell("%s is in the middle of its work", m.from)
		case actCrash:
			script = append(script, line(CrashBefore(m.from.phase), begun[m.from]))
			tell("the controller crashes after the work of %s, before the write", m.from)
		case actReconcile:
			switch {
			case m.act.done != nil:
				script = append(script, line(*m.act.done, calls[m.from]))
				tell("%s is done, and %s", m.from, chosen(m.act.done.done.Choice()))
			case outcome != "":
				tell("%s is done", m.from)
			}
		}
		if m.act.decides != nil {
			script = append(script, line(Decide(m.from.phase, m.act.decides...), calls[m.from]))
		}
		if m.to == m.from {
			continue
		}
		if m.to.itinerary != in {
			flush()
			in = m.to.itinerary
		}
		if m.to.phase != Start {
			segment = append(segment, m.to.String())
		}
	}
	flush()
	return script, path
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

// same reports whether two breaks are of one kind: they differ at most in their
// detail, and runs that come to no end in the itinerary in which they do not.
func (b Break) same(other Break) bool {
	if b.Promise == PromiseEnds || other.Promise == PromiseEnds {
		return b.Promise == other.Promise
	}
	return b.Promise == other.Promise && b.Itinerary == other.Itinerary && b.How == other.How
}

// breaksOf runs a life with a script, in silence, and returns what breaks; a run that
// can come to no end is not done. It is nil if the script is of no life.
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
		breaks = append(breaks, Break{Promise: PromiseEnds, Itinerary: s.Itinerary, How: "the run comes to no end", Detail: err.Error()})
	}
	return breaks
}

// longest is the number of acts on the longest way that was explored.
func (e *exploring[T, W]) longest() int {
	depth := make([]int, len(e.states))
	most := 0
	for id, s := range e.states { // a parent stands before its children
		if s.parent >= 0 {
			depth[id] = depth[s.parent] + 1
		}
		most = max(most, depth[id])
	}
	return most
}

// silent is a TB that stops without a word.
type silent struct{}

var errStopped = errors.New("stopped")

func (silent) Helper()               {}
func (silent) Logf(string, ...any)   {}
func (silent) Errorf(string, ...any) {}
func (silent) FailNow()              { panic(errStopped) }
