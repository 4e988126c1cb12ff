package dump

import (
	"fmt"
	"slices"
	"strings"
)

// Side is one of the two sides of a diff.
type Side struct {
	// Title describes the side in the heading: "Final, HasPVs". It may be empty.
	Title string
	// Itineraries are the itineraries of the side. One of the two sides may have none.
	Itineraries []Itinerary
}

// NewDiff draws the differences between two sides: two sets of flags or two positions
// (plans of one graph), or two versions of an itinerary. Each difference is marked as
// new, gone or changed, by words or shapes as well as colours, together with the previous
// state. Unchanged elements are drawn without details.
//
// Phases have the order of after. A phase that is gone keeps its old place, and a phase
// that moved is at its new place. Phases are matched by their present name, and by the
// names that [phases.Phase.Formerly] lists on either side.
//
// If each side has one itinerary, these two are compared, whatever their names. Otherwise
// itineraries are compared by name, and an itinerary that only one side has is new or
// gone. Unchanged itineraries are left out if any itinerary differs.
//
// With [Options.OnlyRun] or [Options.Around], a phase is drawn if a drawing of either
// side alone would draw it.
//
// The errors are those of [New]. Two compared itineraries must both have a plan, or
// neither, and neither may have a Coverage; otherwise the error is an [*OptionsError].
func NewDiff(o Options, before, after Side) (*Drawing, error) {
	pairs, err := pair(before.Itineraries, after.Itineraries)
	if err != nil {
		return nil, err
	}
	all := slices.Concat(before.Itineraries, after.Itineraries)
	if err := o.check(); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, refuse("no itinerary is given; give at least one")
	}
	for _, side := range []Side{before, after} {
		if err := o.checkAll(side.Itineraries); err != nil {
			return nil, err
		}
		for _, it := range side.Itineraries {
			if it.Coverage != nil {
				return nil, refuse("itinerary %q has a coverage, which a diff does not draw; leave it out", it.graph().Name())
			}
		}
	}
	d := &Drawing{title: o.Title, options: o, sides: &sides{before.Title, after.Title}}
	d.redraw = func(o Options) (*Drawing, error) { return NewDiff(o, before, after) }
	var parts []*part
	for _, one := range pairs {
		p, err := one.part(o)
		if err != nil {
			return nil, err
		}
		if p != nil {
			parts = append(parts, p)
		}
	}
	differs := slices.ContainsFunc(parts, func(p *part) bool { return p.change != same })
	for _, p := range parts {
		if differs && p.change == same {
			d.notes = append(d.notes, p.name()+": nothing differs; left out")
			continue
		}
		d.add(p)
	}
	return d.finish(all)
}

// Same reports whether a drawing made by [NewDiff] shows no difference: no phase, step or
// transition is marked, and the itineraries have the same name and kind, and declare the
// same flags and relations. Flag values that differ without affecting any of these are
// ignored. Same is true for a drawing made by [New].
func (d *Drawing) Same() bool {
	return !slices.ContainsFunc(d.parts, func(p *part) bool { return p.change != same })
}

// sides are the titles of the two sides.
type sides struct{ before, after string }

// lines returns the heading lines that name the sides.
func (s *sides) lines() []string {
	if s == nil {
		return nil
	}
	var all []string
	if s.before != "" {
		all = append(all, "was: "+s.before)
	}
	if s.after != "" {
		all = append(all, "now: "+s.after)
	}
	return all
}

// change describes how an element of a diff compares. It is same in any other drawing.
type change uint8

const (
	same    change = iota
	added          // only after has it
	removed        // only before has it
	changed        // it differs
)

var changeNames = [...]string{same: "same", added: "new", removed: "gone", changed: "changed"}

func (c change) String() string { return changeNames[c] }

// aspect is one way in which an element has changed.
type aspect struct {
	what     string // one of the words that the JSON uses
	was, now string
}

// text describes the aspect in words. The arrow separates the old and new values.
func (a aspect) text(arrow string) string {
	switch a.what {
	case "name":
		return "was " + a.was
	case "place":
		return "moved: was " + a.was
	case "flags", "relation":
		if strings.HasPrefix(a.was, "no ") {
			return "new: " + a.now
		}
		return "gone: " + a.was
	case "live":
		return "changed: " + a.now
	}
	return a.was + arrow + a.now
}

// arrowText separates old and new values in plain-text formats.
const arrowText = " -> "

// pairing is an itinerary of before and one of after. One of them may be nil.
type pairing struct{ before, after *Itinerary }

// pair matches the itineraries to compare, in the order of after, followed by those that
// are gone.
func pair(before, after []Itinerary) ([]pairing, error) {
	for _, it := range slices.Concat(before, after) {
		if it.graph() == nil {
			return nil, refuse("an itinerary has neither a graph nor a plan; give one")
		}
	}
	var pairs []pairing
	paired := make([]bool, len(before))
	for i := range after {
		one := pairing{after: &after[i]}
		k := 0
		if len(before) != 1 || len(after) != 1 {
			k = slices.IndexFunc(before, func(it Itinerary) bool { return it.graph().Name() == after[i].graph().Name() })
		}
		if k >= 0 {
			one.before, paired[k] = &before[k], true
			if (before[k].Plan == nil) != (after[i].Plan == nil) {
				return nil, refuse("itinerary %q has a plan on one side only; give two or none", after[i].graph().Name())
			}
		}
		pairs = append(pairs, one)
	}
	for k := range before {
		if !paired[k] {
			pairs = append(pairs, pairing{before: &before[k]})
		}
	}
	return pairs, nil
}

// part draws the two itineraries as one part; nil if nothing of it is drawn.
func (one pairing) part(o Options) (*part, error) {
	m := &merging{}
	for _, side := range []struct {
		it   *Itinerary
		part **part
	}{{one.before, &m.before}, {one.after, &m.after}} {
		*side.part = &part{} // the itinerary is missing on this side
		if side.it != nil {
			p, err := newPart(*side.it)
			if err != nil {
				return nil, err
			}
			*side.part = p
		}
	}
	m.match()
	if drawn, err := m.draw(o); err != nil || !drawn {
		return nil, err
	}
	m.order()
	return m.merge(), nil
}

// refuse returns an [*OptionsError].
func refuse(format string, args ...any) error {
	return &OptionsError{Problem: fmt.Sprintf(format, args...)}
}
