package verify

import (
	"github.com/konveyor/dynamic-pipeline/internal/bdd"
	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

func (s *subject) endUnreachable() {
	if !s.back {
		return // every path leads forward
	}
	r := s.reach()
	a := ahead{subject: s}
	ends := a.solve(bdd.All, a.through)
	reported := make([]bool, s.g.Len()) // by the place that the path leads back to
	for i, in := range r.in {
		stuck := s.Minus(in, a.through(i, ends))
		if stuck == bdd.None {
			continue
		}
		out := s.free(stuck, s.decides(i))
		for _, l := range s.onward(i) {
			// A run that never ends goes back forever: it is reported there.
			if l.to > i || reported[l.to] || s.And(out, l.with) == bdd.None {
				continue
			}
			if !s.spend(0) {
				return
			}
			reported[l.to] = true
			s.showStuck(func() *Finding {
				return s.add(s.at(i),
					"a run can be in phase %q of itinerary %q with flags from which no path leads to the end; make an exit "+
						"depend on a flag that is decided there or is live",
					s.g.Phase(i).Name, s.g.Name())
			}, i, stuck, func(p *machine.Plan) bool {
				return p.Runs(i) == phases.True && (endsNever(p) || len(s.frozenLoops()) > 0)
			})
		}
	}
}

// endsNever reports whether the itinerary has end phases and the plan runs none of
// them.
func endsNever(p *machine.Plan) bool {
	ends := false
	for i := range p.Graph().Len() {
		if p.Graph().IsEnd(i) {
			ends = true
			if p.Runs(i) != phases.False {
				return false
			}
		}
	}
	return ends
}

// showStuck shows a finding by a run that enters a phase with one of some assignments.
func (s *subject) showStuck(add func() *Finding, i int, stuck bdd.Set, shows func(*machine.Plan) bool) {
	s.showAhead(add, shows, func(a ahead) (start, resumed bdd.Set) {
		enter := func(k int, self layer) bdd.Set {
			goesOn := a.through(k, self)
			if k == i {
				goesOn = a.Or(goesOn, stuck)
			}
			return goesOn
		}
		return a.begins(a.solve(bdd.None, enter), enter)
	})
}

// frozenLoops returns [machine.Graph.FrozenLoops]. If there are too many jumps back, it
// returns none and the effort is spent.
func (s *subject) frozenLoops() []machine.Loop {
	back := 0
	for i, targets := range s.targets {
		for _, to := range targets {
			if to <= i {
				back++
			}
		}
	}
	if back == 0 || !s.spend(back*s.g.Len()/16) {
		return nil
	}
	return s.g.FrozenLoops()
}

func (s *subject) loopNeverEnds() {
	r := s.reach()
	for _, loop := range s.frozenLoops() {
		inside := make([]bool, s.g.Len())
		for _, name := range loop.Phases {
			i, _ := s.g.Lookup(name)
			inside[i] = true
		}
		a := ahead{subject: s, inside: inside}
		leaves := a.solve(bdd.All, a.through)
		stuck := func(i int) bdd.Set { return s.Minus(r.in[i], a.through(i, leaves)) }
		i := 0
		for i < s.g.Len() && (!inside[i] || stuck(i) == bdd.None) {
			i++
		}
		if i == s.g.Len() || !s.spend(0) {
			continue
		}
		s.showStuck(func() *Finding {
			return s.add(s.at(i),
				"a run may never leave the loop of %s in itinerary %q: that depends on %s, which no phase in it decides; "+
					"declare it under decides of the phase that changes it, or make it live",
				wording.Few(loop.Phases), s.g.Name(), wording.List(loop.Flags, "and"))
		}, i, stuck(i), runsIn(i))
	}
}
