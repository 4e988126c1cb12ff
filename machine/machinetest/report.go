package machinetest

import (
	"fmt"
	"strings"
	"time"
)

// Report is what an exploration found.
type Report struct {
	// Assignments counts the assignments of flags with which lives began,
	// States the states that they came to, and Reconciles the reconciles that
	// were tried.
	Assignments, States, Reconciles int
	// Inconclusive reports whether the bound was hit: what lies behind it was
	// not looked at.
	Inconclusive bool
	// Found are the breaks, one for each promise, itinerary and how, those
	// with the shortest way to them first.
	Found []Found
	// NeverCalled lists the phases whose handlers were never called and the end
	// phases that were never entered, as ITINERARY/PHASE, but for those that the
	// exploration names.
	NeverCalled []string
	// NotBroken lists the known breaks that were not found.
	NotBroken []Break
	// StaleNeverCalled lists what the exploration names as never called, and
	// is called or, of end phases, entered.
	StaleNeverCalled []string
	// Took is the real time that the exploration took.
	Took time.Duration

	most string // the place with the most states
}

// Found is a break and a shortest way to it.
type Found struct {
	Break
	// Script leads to the break as the script of [Life.Run].
	Script []Line
	// Reproduced reports whether a life with that script broke the same. If it
	// did not, the controller keeps something outside of the object and the
	// world.
	Reproduced bool
	// Known reports whether the exploration lists it as known.
	Known bool

	path          []string
	eachWrite     bool // the script is of a life with MaxPhases 1, and the options say otherwise
	source        Source
	maxReconciles int // if it is that the run comes to no end
}

// String returns the break and the way to it: what happened, in the words of
// the itinerary, and the script.
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
		b.WriteString("\n  (such a life did not break the same: something is kept outside of the object and the world)")
	}
	return b.String()
}

// String returns the report as text.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d assignments of flags, %d states, %d reconciles, %s", r.Assignments, r.States, r.Reconciles, r.Took.Round(time.Millisecond))
	for _, p := range r.problems(false) {
		b.WriteString("\n" + p)
	}
	return b.String()
}

// problems are what fails a test.
func (r *Report) problems(mayBeInconclusive bool) (all []string) {
	if r.Inconclusive && !mayBeInconclusive {
		all = append(all, fmt.Sprintf("inconclusive at %d states, most of them %s: raise MaxStates, fix flags, list phases in Settled, or allow fewer failures, crashes and edits; what only grows in the object or the world makes endless states", r.States, r.most))
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
	for _, name := range r.NeverCalled {
		all = append(all, "no life comes to "+name+"; list it in NeverCalled if that is meant")
	}
	for _, name := range r.StaleNeverCalled {
		all = append(all, "NeverCalled lists "+name+", to which a life comes; remove it there")
	}
	for _, b := range r.NotBroken {
		all = append(all, "known, but it no longer breaks: "+b.String()+"; remove it from Known")
	}
	return all
}
