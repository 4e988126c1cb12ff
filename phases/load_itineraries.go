package phases

import (
	"errors"
	"slices"

	"go.yaml.in/yaml/v3"
)

// itineraries reads the itineraries into f and validates each.
func (l *loader) itineraries(root *yaml.Node, top *fields, f *File) {
	n := top.byKey["itineraries"]
	items := l.items(n, "itineraries")
	switch {
	case n == nil && !top.spoiled:
		l.at(root, "has no itineraries; list at least one under itineraries")
	case n != nil && n.Kind == yaml.SequenceNode && len(items) == 0:
		l.at(n, "itineraries is empty; list at least one")
	}
	first := make(map[string]int)
	for _, n := range items {
		fs := l.mapping(n, "an itinerary", "name", "cleanup", "result", "phases")
		if fs == nil {
			continue
		}
		it := Itinerary{Name: l.string(fs, "name"), Vocabulary: f.Vocabulary, Cleanup: l.bool(fs, "cleanup"), Result: l.result(fs)}
		if line := first[it.Name]; line > 0 {
			err := duplicateItinerary(it.Name)
			l.add(n.Line, n.Column, err, "%v; the first is in line %d", err, line)
		} else if it.Name != "" {
			first[it.Name] = n.Line
		}
		l.itinerary(n, fs, &it)
		f.Itineraries = append(f.Itineraries, it)
	}
}

// result reads the result of an itinerary. It is empty for Succeeded, the default, and
// for an invalid value, which has been recorded.
func (l *loader) result(fs *fields) Result {
	n := fs.byKey["result"]
	if n == nil {
		return ""
	}
	word, ok := l.text(n, "result")
	r := Result(word)
	if ok && !slices.Contains(results, r) {
		l.at(n, "result must be %s, not %q", resultList(), word)
	}
	if !ok || r == Succeeded || !slices.Contains(results, r) {
		return ""
	}
	return r
}

// itinerary reads the phases of an itinerary and validates it.
func (l *loader) itinerary(n *yaml.Node, fs *fields, it *Itinerary) {
	nodes := l.items(fs.byKey["phases"], "phases")
	if node := fs.byKey["phases"]; node != nil && node.Kind != yaml.SequenceNode {
		fs.spoiled = true
	}
	within := l.phases <= MaxFilePhases
	l.phases += len(nodes)
	if l.phases > MaxFilePhases {
		if within {
			limit := &LimitError{What: "phases", Limit: MaxFilePhases}
			extra := nodes[len(nodes)-(l.phases-MaxFilePhases)]
			l.add(extra.Line, extra.Column, limit, "is one phase too many: %v", limit)
		}
		return
	}
	// A phase that could not be read has been recorded. Problems that follow from it
	// alone are not recorded again.
	spoiled := make([]bool, len(nodes))
	incomplete := false
	for i, node := range nodes {
		var p Phase
		p, spoiled[i] = l.phase(node, it.Vocabulary)
		incomplete = incomplete || spoiled[i] && (p.Name == "" || p.Step == "")
		it.Phases = append(it.Phases, p)
	}
	var errs DefinitionErrors
	errors.As(it.Validate(), &errs)
	for _, e := range errs {
		place := n
		switch {
		case e.Index < 0 && fs.spoiled,
			e.Index >= 0 && spoiled[e.Index] && e.Reason == ReasonEmptyName,
			incomplete && (e.Reason == ReasonRidingStep || e.Reason == ReasonUnknownJump):
			continue
		case e.Index >= 0:
			place = nodes[e.Index]
		}
		l.add(place.Line, place.Column, e, "%v", e)
	}
}

// phase reads a phase. spoiled reports whether a part of it could not be read.
func (l *loader) phase(n *yaml.Node, v *Vocabulary) (p Phase, spoiled bool) {
	fs := l.mapping(n, "a phase", "name", "step", "steps", "description", "all", "any", "none", "end", "rides", "decides", "jumps",
		"formerly")
	if fs == nil {
		return p, true
	}
	p = Phase{
		Name:        l.string(fs, "name"),
		Step:        l.string(fs, "step"),
		Description: l.string(fs, "description"),
		Guard:       l.guard(fs, v),
		Decides:     l.flags(fs, "decides", v),
		End:         l.bool(fs, "end"),
		Rides:       l.bool(fs, "rides"),
	}
	p.Steps = l.steps(fs, v)
	p.Jumps = l.jumps(fs, v)
	for _, item := range l.items(fs.byKey["formerly"], "formerly") {
		if name, ok := l.text(item, "an entry of formerly"); ok {
			p.Formerly = append(p.Formerly, name)
		}
	}
	return p, fs.spoiled
}

// steps reads the other steps of a phase.
func (l *loader) steps(fs *fields, v *Vocabulary) (steps []GuardedStep) {
	for _, item := range l.items(fs.byKey["steps"], "steps") {
		ss := l.mapping(item, "an entry of steps", "step", "all", "any", "none")
		if ss == nil {
			continue
		}
		s := GuardedStep{Step: l.string(ss, "step"), Guard: l.guard(ss, v)}
		switch {
		case s.Step != "":
			steps = append(steps, s)
		case !ss.spoiled:
			l.at(item, "an entry of steps names no step; name it under step")
		}
	}
	return steps
}

// jumps reads the jumps of a phase.
func (l *loader) jumps(fs *fields, v *Vocabulary) (jumps []Jump) {
	for _, item := range l.items(fs.byKey["jumps"], "jumps") {
		js := l.mapping(item, "a jump", "to", "all", "any", "none", "choice")
		if js == nil {
			continue
		}
		j := Jump{To: l.string(js, "to"), Guard: l.guard(js, v), Choice: l.bool(js, "choice")}
		switch {
		case j.To != "":
			jumps = append(jumps, j)
		case !js.spoiled:
			l.at(item, "a jump has no target; name the phase to continue with under to")
		}
	}
	return jumps
}
