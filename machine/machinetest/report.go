package machinetest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Report is the result of [Explore].
type Report struct {
	// Assignments is the number of assignments of flags with which lives began, States the number
	// of states that they reached, and Reconciles the number of reconciles that were tried.
	Assignments, States, Reconciles int
	// Inconclusive reports whether MaxStates was reached, or a phase decides its flags in too many
	// combinations (4,096). Not every state was explored then.
	Inconclusive bool
	// Found lists the breaks, one for each promise, itinerary and how, ordered by the length of the
	// path. Breaks of [PromiseEnds] come last.
	Found []Found
	// NeverCalled lists the phases whose handlers were never called and the end phases that were
	// never entered, as ITINERARY/PHASE, except those in Exploration.NeverCalled.
	NeverCalled []string
	// NotBroken lists the known breaks that did not occur.
	NotBroken []Break
	// StaleNeverCalled lists the phases in Exploration.NeverCalled that were called or, for end
	// phases, entered.
	StaleNeverCalled []string
	// Took is the duration of the exploration, in real time.
	Took time.Duration

	most   string            // the place with the most states
	undone map[string]string // a result of each phase's handler; empty if it was ever done
}

// Found is a break and a shortest path to it.
type Found struct {
	Break
	// Script leads to the break when it is passed to [Life.Run].
	Script []Line
	// Reproduced reports whether a life with that script broke in the same way. If it did not, the
	// controller keeps something outside the object and the world.
	Reproduced bool
	// Known reports whether Exploration.Known lists the break.
	Known bool

	path          []string
	eachWrite     bool // the script requires EachWrite, which the setup does not set
	source        Source
	maxReconciles int // set if the run does not end
}

// String returns the break and the path to it, in words and as a script.
func (f Found) String() string {
	var b strings.Builder
	b.WriteString(f.Break.String())
	for i, line := range f.path {
		fmt.Fprintf(&b, "\n  %d. %s", i+1, line)
	}
	lines := make([]string, len(f.Script))
	for i, line := range f.Script {
		lines[i] = line.String()
	}
	fmt.Fprintf(&b, "\n  life.Run(%s)", strings.Join(lines, ", "))
	if f.eachWrite {
		b.WriteString("\n  (with EachWrite in the setup)")
	}
	if !f.Reproduced {
		b.WriteString("\n  (such a life did not break in the same way: something is kept outside the object and the world)")
	}
	return b.String()
}

// String returns the report as text.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d assignments of flags, %d states, %d reconciles, %s",
		r.Assignments, r.States, r.Reconciles, r.Took.Round(time.Millisecond))
	for _, p := range r.problems(false) {
		b.WriteString("\n" + p)
	}
	return b.String()
}

// problems returns the messages that fail a test.
func (r *Report) problems(mayBeInconclusive bool) (all []string) {
	if r.Inconclusive && !mayBeInconclusive {
		all = append(all, fmt.Sprintf("inconclusive at %d states, more of them at %s than anywhere else: raise MaxStates, "+
			"fix flags, list phases in Settled (above all if a phase decides many flags), or allow fewer failures, crashes and edits; "+
			"data that only grows in the object or the world makes endless states", r.States, r.most))
	}
	printed := false
	for _, f := range r.Found {
		if f.Known {
			continue
		}
		text := f.String()
		if !printed && f.source.Expression != "" {
			text += "\n\n" + f.GoTest()
		}
		printed = true
		all = append(all, text)
	}
	explained := ""
	for _, name := range r.NeverCalled {
		text := "no life reaches " + name + "; list it in NeverCalled if that is intended"
		if itinerary, _, _ := strings.Cut(name, "/"); itinerary != explained {
			explained = itinerary
			text += r.neverDone(itinerary)
		}
		all = append(all, text)
	}
	for _, name := range r.StaleNeverCalled {
		all = append(all, "NeverCalled lists "+name+", which a life reaches; remove it there")
	}
	for _, b := range r.NotBroken {
		all = append(all, "known, but no longer broken: "+b.String()+"; remove it from Known")
	}
	return all
}

// neverDone describes the handlers of an itinerary that were called and never done: the
// likely reason why no life reaches a phase after them.
func (r *Report) neverDone(itinerary string) (text string) {
	for _, name := range slices.Sorted(maps.Keys(r.undone)) {
		first, _, _ := strings.Cut(r.undone[name], "\n")
		if first != "" && strings.HasPrefix(name, itinerary+"/") {
			text += fmt.Sprintf("\n  the handler of %s is never done; it returns, for example: %.200s", name, first)
		}
	}
	return text
}
