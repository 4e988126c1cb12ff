package record

import (
	"fmt"
	"slices"

	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// check returns the violations of a version, given the version before.
func (r Rules) check(before, v *Version) (problems []string) {
	add := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if !v.Known {
		if before != nil && before.Known {
			add("the state is gone")
		}
		return problems
	}
	r.one(v, add)
	if before != nil && before.Known {
		r.two(before, v, add)
	}
	return problems
}

// one checks a single version.
func (r Rules) one(v *Version, add func(string, ...any)) {
	var forbidden []string
	if r.Forbidden != nil {
		forbidden = r.Forbidden(v.Name)
	}
	seen := map[string]bool{}
	waiting := ""
	for _, s := range v.State.Pipeline {
		switch {
		case s.Skipped:
			add("step %s is skipped", s.Name)
		case seen[s.Name]:
			add("step %s is listed twice", s.Name)
		case slices.Contains(forbidden, s.Name):
			add("step %s must never be seen", s.Name)
		case s.Ran() && waiting != "":
			add("step %s has started, behind %s, which has not", s.Name, waiting)
		case s.Ran() && s.Started == nil:
			add("step %s ran and has no start", s.Name)
		case s.Started != nil && s.Completed != nil && s.Completed.Before(s.Started):
			add("step %s is completed before its start", s.Name)
		case v.State.Done && s.Completed == nil:
			add("the migration is done, and step %s is not completed", s.Name)
		}
		seen[s.Name] = true
		if !s.Ran() {
			waiting = s.Name
		}
	}
	if !v.State.Done && v.State.Phase != "" && v.State.Pipeline.Current() == nil {
		add("phase %s runs, and no step is open", v.State.Phase)
	}
}

// two checks a version against the one before.
func (r Rules) two(before, v *Version, add func(string, ...any)) {
	was, is := ran(before.State.Pipeline), ran(v.State.Pipeline)
	if len(is) < len(was) || !slices.Equal(was, is[:len(was)]) {
		add("started steps were %v, and are %v", was, is)
	}
	for _, a := range before.State.Pipeline {
		b, _ := v.State.Pipeline.Lookup(a.Name)
		if !a.Ran() || b == nil {
			continue
		}
		if !a.Started.Equal(b.Started) {
			add("the start of step %s has moved from %v to %v", a.Name, a.Started, b.Started)
		}
		if a.Failed && !b.Failed {
			add("step %s is no longer failed", a.Name)
		}
		switch {
		case a.Completed == nil || a.Completed.Equal(b.Completed):
		case b.Completed != nil:
			add("the end of step %s has moved from %v to %v", a.Name, a.Completed, b.Completed)
		case b.Phase == "":
			add("step %s is no longer completed, but was not entered again", a.Name)
		}
	}
	if before.State.Done && !v.State.Done {
		add("the migration is no longer done")
	}
	r.forward(before, v, add)
}

func ran(p steps.Pipeline) (names []string) {
	for _, s := range p {
		if s.Ran() {
			names = append(names, s.Name)
		}
	}
	return names
}

// forward checks that phases go forward: MTC's itineraries have no jumps, and
// a migration switches only to a cleanup itinerary.
func (r Rules) forward(before, v *Version, add func(string, ...any)) {
	a, b := before.State.Checkpoint, v.State.Checkpoint
	if a.Itinerary != b.Itinerary {
		if !slices.Contains([]string{mtc.Cancel, mtc.Failed, mtc.Rollback}, b.Itinerary) {
			add("itinerary %s was left for %s", a.Itinerary, b.Itinerary)
		}
		return
	}
	g, err := r.Itineraries.Graph(b.Itinerary)
	if err != nil {
		add("%v", err)
		return
	}
	place := func(phase string, done bool) int {
		switch {
		case done:
			return g.Len()
		case phase == "":
			return -1
		}
		i, err := g.Lookup(phase)
		if err != nil {
			add("%v", err)
		}
		return i
	}
	if place(b.Phase, b.Done) < place(a.Phase, a.Done) {
		add("phase %s was left backwards for %s", a.Phase, b.Phase)
	}
}
