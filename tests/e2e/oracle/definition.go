package oracle

import (
	"maps"
	"slices"
	"time"
)

// Guard admits if all flags of All are true, at least one flag of Any is true
// (if there are any), and all flags of None are false.
type Guard struct{ All, Any, None []string }

// Jump leads to a phase other than the next in order. It is taken if its guard
// admits or, for a choice, if the handler chooses it.
type Jump struct {
	To     string
	Guard  Guard
	Choice bool
}

// GuardedStep is a step to which a phase belongs if the guard admits.
type GuardedStep struct {
	Step  string
	Guard Guard
}

// Phase is one row of an itinerary.
type Phase struct {
	Name, Step string
	// Steps are alternative steps of the phase. The first whose guard admits
	// applies, or Step if none does.
	Steps []GuardedStep
	// End means that the run is done when it enters the phase.
	End     bool
	Guard   Guard
	Decides []string
	Jumps   []Jump
	// Rides means that the phase never makes its step visible.
	Rides bool
	// Deadline and MaxAttempts are set by the embedder. Zero means none.
	Deadline    time.Duration
	MaxAttempts int
}

// Itinerary is an ordered list of phases.
type Itinerary struct {
	Name    string
	Cleanup bool
	Result  string
	Phases  []Phase
}

// Definition holds all itineraries of a run.
type Definition []Itinerary

func (d Definition) find(name string) *Itinerary {
	if i := slices.IndexFunc(d, func(it Itinerary) bool { return it.Name == name }); i >= 0 {
		return &d[i]
	}
	return nil
}

// index returns the row of a phase, or -1 for the start.
func (it *Itinerary) index(phase string) int {
	return slices.IndexFunc(it.Phases, func(p Phase) bool { return p.Name == phase })
}

// reads returns the flags that any guard of the itinerary reads.
func (it *Itinerary) reads() map[string]bool {
	all := map[string]bool{}
	read := func(g Guard) {
		for _, f := range slices.Concat(g.All, g.Any, g.None) {
			all[f] = true
		}
	}
	for _, p := range it.Phases {
		read(p.Guard)
		for _, s := range p.Steps {
			read(s.Guard)
		}
		for _, j := range p.Jumps {
			read(j.Guard)
		}
	}
	return all
}

func (it *Itinerary) decides() map[string]bool {
	all := map[string]bool{}
	for _, p := range it.Phases {
		for _, f := range p.Decides {
			all[f] = true
		}
	}
	return all
}

// judge reports whether the guard admits. If that depends on an unknown flag,
// open is its name; otherwise open is empty.
func (g Guard) judge(known map[string]bool) (admits bool, open string) {
	for _, f := range g.All {
		switch is, ok := known[f]; {
		case ok && !is:
			return false, ""
		case !ok && open == "":
			open = f
		}
	}
	for _, f := range g.None {
		switch is, ok := known[f]; {
		case ok && is:
			return false, ""
		case !ok && open == "":
			open = f
		}
	}
	some, unknown := len(g.Any) == 0, ""
	for _, f := range g.Any {
		switch is, ok := known[f]; {
		case ok && is:
			some = true
		case !ok && unknown == "":
			unknown = f
		}
	}
	switch {
	case !some && unknown == "":
		return false, ""
	case !some && open == "":
		open = unknown
	}
	return open == "", open
}

// choices returns the phases that the handler of a phase may choose.
func (p Phase) choices() (all []string) {
	for _, j := range p.Jumps {
		if j.Choice {
			all = append(all, j.To)
		}
	}
	return all
}

// place is a row and the step under which it is entered. Row -1 is the start,
// and the number of rows is the end.
type place struct {
	row  int
	step string
}

// next returns the places that can come after a row, over all values of the
// unknown flags. The choice of its handler may be empty. If cautious is set,
// as in a cleanup itinerary, an unknown guard of a phase admits, and an
// unknown guard of a jump or a step does not.
func (it *Itinerary) next(at int, choice string, known map[string]bool, cautious bool) map[place]bool {
	split := func(flag string) map[place]bool {
		all := map[place]bool{}
		for _, value := range []bool{true, false} {
			assumed := maps.Clone(known)
			assumed[flag] = value
			maps.Copy(all, it.next(at, choice, assumed, cautious))
		}
		return all
	}
	from := at + 1
	switch {
	case at < 0:
	case choice != "":
		from = it.index(choice)
	default:
		for _, j := range it.Phases[at].Jumps {
			if j.Choice {
				continue
			}
			admits, open := j.Guard.judge(known)
			if open != "" && !cautious {
				return split(open)
			}
			if admits {
				from = it.index(j.To)
				break
			}
		}
	}
	for i := from; i < len(it.Phases); i++ {
		p := it.Phases[i]
		admits, open := p.Guard.judge(known)
		if open != "" && !cautious {
			return split(open)
		}
		if !admits && (open == "" || p.End) { // a cleanup does not end because a flag is unknown
			continue
		}
		step := p.Step
		for _, s := range p.Steps {
			admits, open := s.Guard.judge(known)
			if open != "" && !cautious {
				return split(open)
			}
			if admits {
				step = s.Step
				break
			}
		}
		return map[place]bool{{i, step}: true}
	}
	return map[place]bool{{row: len(it.Phases)}: true}
}

// runs returns the places that are entered if no flag ever changes, for any
// choices of the handlers.
func (it *Itinerary) runs(known map[string]bool) map[place]bool {
	seen := map[place]bool{}
	var follow func(at int, choice string)
	follow = func(at int, choice string) {
		for to := range it.next(at, choice, known, false) { // exactly one
			if seen[to] || to.row == len(it.Phases) {
				return
			}
			seen[to] = true
			if p := it.Phases[to.row]; !p.End {
				for _, choice := range append(p.choices(), "") {
					follow(to.row, choice)
				}
			}
		}
	}
	follow(-1, "")
	return seen
}

// mostAssumed is the maximum number of unknown flags for which all values are
// tried.
const mostAssumed = 8

// waitsFor returns an unknown flag that decides which phases run and that no
// phase of the itinerary decides. The itinerary must not begin before that
// flag is known. Empty means that there is no such flag.
func (it *Itinerary) waitsFor(known map[string]bool) string {
	decided := it.decides()
	var own, open []string
	for f := range it.reads() {
		if _, ok := known[f]; ok {
			continue
		}
		open = append(open, f)
		if !decided[f] {
			own = append(own, f)
		}
	}
	slices.Sort(open)
	slices.Sort(own)
	for _, f := range own {
		for n := range 1 << min(len(open), mostAssumed) {
			assumed := maps.Clone(known)
			for i, o := range open {
				assumed[o] = n>>min(i, mostAssumed)&1 == 1
			}
			assumed[f] = true
			with := it.runs(assumed)
			assumed[f] = false
			if !maps.Equal(with, it.runs(assumed)) {
				return f
			}
		}
	}
	return ""
}
