package verify

import (
	"github.com/konveyor/dynamic-pipeline/internal/bdd"
	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/phases"
)

func (c *checker) flagNeverRead() {
	var reads phases.Flags
	for _, g := range c.graphs {
		reads |= g.Reads()
	}
	for i, d := range c.vocabulary().Defs() {
		if reads&d.Flag == 0 {
			c.add(at{phase: -1, flag: d.Name, node: c.Source.top("flags", i)},
				"no guard reads flag %q; remove it, unless other flags are computed from it; relations do not read it", d.Name)
		}
	}
}

// decided returns the flags that a phase declares to decide, except live ones.
func (s *subject) decided(i int) phases.Flags {
	return s.g.Phase(i).Decides &^ s.g.Vocabulary().Live()
}

func (s *subject) flagReadBeforeDecided() {
	v := s.g.Vocabulary()
	deciders := map[phases.Flags][]int{}
	for i := range s.g.Len() {
		for flag := range (s.decided(i) & s.g.Reads()).Each {
			deciders[flag] = append(deciders[flag], i)
		}
	}
	for flag := range v.All().Each {
		if len(deciders[flag]) == 0 {
			continue
		}
		var names []string
		read := false
		for _, i := range deciders[flag] {
			// A phase whose own guard reads the flag undoes what the flag reports.
			read = read || s.g.Phase(i).Guard.Reads()&flag != 0 || s.readAfter(i, flag)
			names = append(names, s.g.Phase(i).Name)
		}
		if read {
			continue
		}
		first, name := deciders[flag][0], v.Names(flag)[0]
		where := s.at(first)
		where.flag, where.node = name, entry(value(where.node, "decides"), name)
		f := s.add(where,
			"guards of itinerary %q read flag %q only before it is decided (by %s); move the deciding phase before these "+
				"guards, or the guards after it",
			s.g.Name(), name, wording.Few(names))
		s.showRunning(f, first)
	}
}

func (s *subject) decidesNeverRead() {
	var others phases.Flags // read by the itineraries that a run may be switched to
	for _, g := range s.graphs {
		if g != s.g && s.g.MayLeaveFor(g) {
			others |= g.Reads()
		}
	}
	for i := range s.g.Len() {
		for _, name := range s.g.Vocabulary().Names(s.decided(i) &^ others) {
			flag, _ := s.g.Vocabulary().Lookup(name)
			if s.readAfter(i, flag) {
				continue
			}
			where := s.at(i)
			where.flag, where.node = name, entry(value(where.node, "decides"), name)
			f := s.add(where,
				"phase %q of itinerary %q decides flag %q, which no guard reads after it; remove it from what the phase "+
					"decides, unless the phase does change it",
				s.g.Phase(i).Name, s.g.Name(), name)
			s.showRunning(f, i)
		}
	}
}

// readAfter reports whether a guard reads a flag after a run has been in a phase. For a
// phase that never runs, it assumes every assignment that the relations allow.
func (s *subject) readAfter(i int, flag phases.Flags) bool {
	in := s.reach().in[i]
	if in == bdd.None {
		in = s.relations
	}
	if s.onwardReads(i, in)&flag != 0 {
		return true
	}
	read := false
	s.forward(func(f *forward) { f.leave(i, in) }, func(f *forward, p int) bool {
		if p == s.g.Len() {
			return false
		}
		phase := s.g.Phase(p)
		reads := phase.Guard.Reads()
		if entered := s.And(f.come[p], s.guard(phase.Guard)); entered != bdd.None {
			rest := entered
			for _, step := range phase.Steps {
				if rest != bdd.None {
					reads |= step.Guard.Reads()
				}
				rest = s.Minus(rest, s.guard(step.Guard))
			}
			reads |= s.onwardReads(p, entered)
		}
		read = reads&flag != 0
		return read
	})
	return read
}

// onwardReads returns the flags that the jumps of a phase read after a run has been in
// it.
func (s *subject) onwardReads(i int, in bdd.Set) (reads phases.Flags) {
	rest := s.free(in, s.decides(i))
	for _, j := range s.g.Phase(i).Jumps {
		if rest != bdd.None && !j.Choice {
			reads |= j.Guard.Reads()
			rest = s.Minus(rest, s.guard(j.Guard))
		}
	}
	return reads
}
