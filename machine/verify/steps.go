package verify

import (
	"github.com/konveyor/dynamic-pipeline/internal/bdd"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

func (s *subject) stepCutInTwo() {
	may := s.mayBeCut()
	for step, name := range s.g.Steps() {
		if may[step] < 0 {
			continue
		}
		if !s.spend(1) {
			return
		}
		var cut []string
		s.showAhead(func() *Finding {
			where := s.at(may[step])
			where.step = name
			return s.add(where,
				"a run can leave step %q of itinerary %q for another step and return to it; put its phases together, "+
					"or give the later ones another step",
				name, s.g.Name())
		}, func(p *machine.Plan) bool {
			cut = cutOf(p, step)
			return cut != nil
		}, func(a ahead) (start, resumed bdd.Set) { return a.cut(step) })
	}
}

// mayBeCut returns for each step the first phase that shows it, if the order of the
// phases lets a run return to the step, and otherwise -1.
func (s *subject) mayBeCut() []int {
	first, may := make([]int, len(s.g.Steps())), make([]int, len(s.g.Steps()))
	for step := range first {
		first[step], may[step] = -1, -1
	}
	// The last phases that show one step only, for two different steps, and the last
	// one that may show several.
	type seen struct{ at, step int }
	last, other, several := seen{-1, -1}, seen{-1, -1}, -1
	for i := range s.g.Len() {
		if s.g.Rides(i) {
			continue
		}
		of := s.g.StepsOf(i)
		for _, step := range of {
			since := max(several, last.at)
			if last.step == step {
				since = max(several, other.at)
			}
			switch {
			case first[step] < 0:
				first[step] = i
				if s.back {
					may[step] = i
				}
			case since >= first[step]:
				may[step] = first[step]
			}
		}
		switch {
		case len(of) > 1:
			several = i
		case len(of) == 1 && of[0] == last.step:
			last.at = i
		case len(of) == 1:
			last, other = seen{i, of[0]}, last
		}
	}
	return may
}

// cut returns the assignments with which runs begin that return to a step.
func (a ahead) cut(step int) (start, resumed bdd.Set) {
	enters := a.solve(bdd.None, func(i int, self layer) bdd.Set {
		with, _ := a.shows(i, step)
		return a.Or(with, a.through(i, self))
	})
	comesBack := a.solve(bdd.None, func(i int, self layer) bdd.Set {
		_, other := a.shows(i, step)
		return a.Ite(other, a.through(i, enters), a.through(i, self))
	})
	enter := func(i int, self layer) bdd.Set {
		with, _ := a.shows(i, step)
		return a.Ite(with, a.through(i, comesBack), a.through(i, self))
	}
	return a.begins(a.solve(bdd.None, enter), enter)
}

// cutOf returns three phases of a plan that cut a step: one of the step, one of
// another, and one of the step again. It returns nil if the plan does not cut it.
func cutOf(p *machine.Plan, step int) (cut []string) {
	for i := range p.Graph().Len() {
		k := p.StepOf(i)
		if p.Graph().Rides(i) || p.Runs(i) != phases.True || k < 0 {
			continue
		}
		if inStep := len(cut)%2 == 0; (k == step) == inStep {
			if cut = append(cut, p.Graph().Phase(i).Name); len(cut) == 3 {
				return cut
			}
		}
	}
	return nil
}

func (s *subject) ridesAlone() {
	for i := range s.g.Len() {
		if !s.g.Rides(i) {
			continue
		}
		for _, step := range s.g.StepsOf(i) {
			if !s.spend(1) {
				return
			}
			name := s.g.Steps()[step]
			s.showAhead(func() *Finding {
				where := s.at(i)
				where.step = name
				return s.add(where,
					"phase %q of itinerary %q, which rides, can run while nothing shows its step %q: it is then reported "+
						"under another step",
					s.g.Phase(i).Name, s.g.Name(), name)
			}, func(p *machine.Plan) bool {
				return p.Runs(i) == phases.True && p.StepOf(i) == step && !visible(p, step)
			}, func(a ahead) (start, resumed bdd.Set) { return a.alone(i, step) })
		}
	}
}

// alone returns the assignments with which runs begin that pass through a phase of a
// step, and reach their end without a phase that shows the step.
func (a ahead) alone(i, step int) (start, resumed bdd.Set) {
	hidden := func(k int, l layer) bdd.Set {
		with, _ := a.shows(k, step)
		return a.Minus(a.through(k, l), with)
	}
	ends := a.solve(bdd.All, hidden)
	enter := func(k int, self layer) bdd.Set {
		goesOn := hidden(k, self)
		if k == i {
			with, _ := a.belongs(k, step)
			goesOn = a.Or(goesOn, a.And(with, a.through(k, ends)))
		}
		return goesOn
	}
	return a.begins(a.solve(bdd.None, enter), enter)
}
