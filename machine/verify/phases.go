package verify

import (
	"github.com/konveyor/dynamic-pipeline/internal/bdd"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

func (s *subject) phaseNeverRuns() {
	r := s.reach()
	for i, in := range r.in {
		if in != bdd.None {
			continue
		}
		p := s.g.Phase(i)
		why := "its guard does not admit when a run reaches it"
		switch guard := s.And(s.guard(p.Guard), s.relations); {
		case guard == bdd.None:
			why = "no flags that the relations allow satisfy its guard"
		case r.come[i] == bdd.None:
			why = "no run reaches it"
		}
		f := s.add(s.at(i), "phase %q of itinerary %q never runs: %s; correct the guards, or remove it", p.Name, s.g.Name(), why)
		s.showMissing(f, i, func(p *machine.Plan) bool { return p.Runs(i) != phases.True })
	}
}

// showMissing shows a finding about a phase that is expected to run, by flags for which
// its guard admits although the plan is without it. If relations forbid that, it uses
// flags that break them.
func (s *subject) showMissing(f *Finding, i int, missing func(*machine.Plan) bool) {
	guard := s.guard(s.g.Phase(i).Guard)
	s.showFirst(f, explained, func(p *machine.Plan) bool { return broken(p) || missing(p) }, s.And(s.relations, guard), guard)
}

func (s *subject) stepNeverShown() {
	r := s.reach()
	first := make([]int, len(s.g.Steps())) // phase of the step that does not ride
	shown := make([]bool, len(first))
	for i := s.g.Len() - 1; i >= 0; i-- {
		if s.g.Rides(i) {
			continue
		}
		for _, u := range s.underSteps(i) {
			first[u.step] = i
			shown[u.step] = shown[u.step] || s.And(r.in[i], u.with) != bdd.None
		}
	}
	for step, name := range s.g.Steps() {
		if shown[step] {
			continue
		}
		where := s.at(first[step])
		where.step = name
		f := s.add(where,
			"step %q of itinerary %q is never shown: no phase that makes it visible ever runs under it; correct the "+
				"guards, or remove it",
			name, s.g.Name())
		s.showMissing(f, where.phase, func(p *machine.Plan) bool { return !visible(p, step) })
	}
}

// visible reports whether a plan shows a step.
func visible(p *machine.Plan, step int) bool {
	for i := range p.Graph().Len() {
		if !p.Graph().Rides(i) && p.Runs(i) == phases.True && p.StepOf(i) == step {
			return true
		}
	}
	return false
}

func (s *subject) jumpNeverTaken() {
	r := s.reach()
	for i, in := range r.in {
		jumps := s.g.Phase(i).Jumps
		if len(jumps) == 0 {
			continue
		}
		out := s.free(in, s.decides(i))
		for _, l := range s.onward(i) {
			if l.jump < 0 || s.And(out, l.with) != bdd.None {
				continue
			}
			guard := s.guard(jumps[l.jump].Guard)
			why := "another jump before it is always taken"
			switch {
			case in == bdd.None:
				why = "no run is ever in the phase"
			case s.And(out, guard) == bdd.None:
				why = "its guard never admits there"
			}
			where := s.at(i)
			where.node = item(value(where.node, "jumps"), l.jump)
			f := s.add(where,
				"the jump of phase %q of itinerary %q to %q is never taken: %s; correct its guard, or remove it",
				s.g.Phase(i).Name, s.g.Name(), jumps[l.jump].To, why)
			runs := s.guard(s.g.Phase(i).Guard)
			both := s.And(runs, guard)
			s.showFirst(f, explained, func(p *machine.Plan) bool {
				if broken(p) || p.Runs(i) != phases.True {
					return true
				}
				taken, _ := s.g.Onward(i, p.Facts())
				return taken[l.jump] == phases.False
			}, s.And(s.relations, both), both, s.And(s.relations, runs))
		}
	}
}

func (s *subject) jumpsOverlap() {
	r := s.reach()
	for i, in := range r.in {
		jumps := s.g.Phase(i).Jumps
		if len(jumps) < 2 {
			continue
		}
		out := s.free(in, s.decides(i))
		for l, later := range jumps {
			for k, earlier := range jumps[:l] {
				if later.Guard == (phases.Guard{}) || earlier.Guard == (phases.Guard{}) || s.targets[i][l] == s.targets[i][k] {
					continue
				}
				if !s.spend(1) {
					return
				}
				both := s.And(s.guard(earlier.Guard), s.guard(later.Guard))
				if s.And(out, both) == bdd.None {
					continue
				}
				where := s.at(i)
				where.node = item(value(where.node, "jumps"), l)
				f := s.add(where,
					"the jumps of phase %q of itinerary %q to %q and to %q can admit at the same time, and the first is taken; let the "+
						"guard of the second exclude that of the first if the order must not decide",
					s.g.Phase(i).Name, s.g.Name(), earlier.To, later.To)
				s.showFirst(f, listed, runsIn(i), s.And(s.relations, s.guard(s.g.Phase(i).Guard), both), s.And(out, both))
			}
		}
	}
}
