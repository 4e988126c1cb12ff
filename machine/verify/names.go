package verify

import (
	"slices"
	"strings"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
)

// named is a name in the definitions.
type named struct {
	kind, name string
	at
}

// names returns the names of all itineraries, phases and steps, in order. A step
// appears once, at its first phase in all itineraries.
func (c *checker) names() (all []named) {
	seen := map[string]bool{}
	for _, g := range c.graphs {
		all = append(all, named{"itinerary", g.Name(), at{g: g, phase: -1}})
		for i := range g.Len() {
			node := c.Source.phase(g.Name(), i)
			all = append(all, named{"phase", g.Phase(i).Name, at{g: g, phase: i, node: node}})
			for _, k := range g.StepsOf(i) {
				if step := g.Steps()[k]; !seen[step] {
					seen[step] = true
					all = append(all, named{"step", step, at{g: g, phase: i, step: step, node: node}})
				}
			}
		}
	}
	return all
}

func (c *checker) nameNotURLSafe() {
	for _, n := range c.names() {
		if !urlSafe(n.name) {
			c.add(n.at,
				"the name of %s %q must be escaped in a URL; use only ASCII letters, digits, '-', '.', '_' and '~'",
				n.kind, n.name)
		}
	}
}

// urlSafe reports whether a name can be a path segment of a URL without escapes (RFC
// 3986, unreserved characters).
func urlSafe(name string) bool {
	return name != "." && name != ".." && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~", r)
	})
}

func (c *checker) namesDifferByCase() {
	all := c.names()
	for i, d := range c.vocabulary().Defs() {
		all = append(all, named{"flag", d.Name, at{phase: -1, flag: d.Name, node: c.Source.top("flags", i)}})
	}
	first := map[[2]string]string{}
	reported := map[[2]string]bool{}
	for _, n := range all {
		key := [2]string{n.kind, strings.ToLower(strings.ToUpper(n.name))}
		before, ok := first[key]
		switch {
		case !ok:
			first[key] = n.name
		case before != n.name && !reported[[2]string{n.kind, n.name}]:
			reported[[2]string{n.kind, n.name}] = true
			c.add(n.at,
				"%s %q and %s %q differ only in case; give them one name, or two that cannot be confused",
				n.kind, before, n.kind, n.name)
		}
	}
}

func (c *checker) formerNameReused() {
	present := map[string]string{} // phases, with the first itinerary that has them
	for _, n := range c.names() {
		if _, ok := present[n.name]; !ok && n.kind == "phase" {
			present[n.name] = n.g.Name()
		}
	}
	for _, g := range c.graphs {
		for i := range g.Len() {
			for _, former := range g.Phase(i).Formerly {
				itinerary, ok := present[former]
				if !ok || itinerary == g.Name() {
					continue
				}
				list := value(c.Source.phase(g.Name(), i), "formerly")
				c.add(at{g: g, phase: i, node: entry(list, former)},
					"phase %q of itinerary %q was formerly %q, which is now a phase of itinerary %q; "+
						"rename that one, because a recorded name must mean one phase",
					g.Phase(i).Name, g.Name(), former, itinerary)
			}
		}
	}
}

func (c *checker) itineraryUnreachable() {
	var names []string
	for _, g := range c.graphs {
		names = append(names, g.Name())
		if !slices.Contains(c.Selected, g.Name()) {
			c.add(at{g: g, phase: -1}, "the selector never returns itinerary %q; select it, or remove it", g.Name())
		}
	}
	for i, name := range c.Selected {
		if !slices.Contains(names, name) && slices.Index(c.Selected, name) == i {
			f := c.add(at{phase: -1},
				"the selector returns itinerary %q, which does not exist%s",
				name, wording.DidYouMean(wording.Nearest(name, names)))
			f.Itinerary, f.Place.Itinerary = name, name
		}
	}
}

func (s *subject) cleanupPhaseWithoutDeadline() {
	if !s.g.IsCleanup() {
		return
	}
	s.eachWorking(func(i int, name string) {
		if !s.Runner.HasDeadline(s.g.Name(), name) {
			s.showRunning(s.add(s.at(i),
				"phase %q of the cleanup itinerary %q has no deadline; set one, so that the run reaches its end whatever "+
					"happens",
				name, s.g.Name()), i)
		}
	})
}

func (s *subject) phaseWithoutHandler() {
	s.eachWorking(func(i int, name string) {
		if !s.Runner.HasHandler(s.g.Name(), name) {
			s.showRunning(s.add(s.at(i), "phase %q of itinerary %q has no handler; register one", name, s.g.Name()), i)
		}
	})
}

// eachWorking calls yield with each phase that is not an end phase.
func (s *subject) eachWorking(yield func(i int, name string)) {
	for i := range s.g.Len() {
		if !s.g.IsEnd(i) {
			yield(i, s.g.Phase(i).Name)
		}
	}
}
