package dump

import (
	"fmt"
	"slices"
	"strings"
)

// Side is one of the two sides that a drawing of differences compares.
type Side struct {
	// Title describes the side in the heading: "Final, HasPVs". It may be empty.
	Title       string
	Itineraries []Itinerary
}

// NewDiff makes one drawing of what differs between two sides: two sets of flags or
// two positions (plans of one graph), or two versions of an itinerary. Whatever
// differs is marked as new, gone or changed, in words or shapes beside colours, with
// what it was; all else is drawn without its details.
//
// Phases have the order of after. A phase that is gone stands where it was, and one
// that moved stands at its new place. A phase is the same one under its present name
// and under one that [phases.Phase.Formerly] lists, on either side.
//
// If each side has one itinerary, these are compared, whatever their names are. Else
// itineraries are compared by name, and one that only one side has is new or gone. An
// itinerary that does not differ is left out if another does.
//
// With [Options.OnlyRun] or [Options.Around] a phase is drawn if either side would draw
// it alone.
//
// The errors are those of [New]. Two itineraries that are compared must both have a
// plan, or neither.
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

// Same reports whether nothing differs between the sides of a drawing that [NewDiff]
// made: no phase, step or transition is marked, and the itineraries are of one name and
// kind, and declare the same flags and relations. Values of flags that differ without an
// effect on these count as nothing.
func (d *Drawing) Same() bool {
	return !slices.ContainsFunc(d.parts, func(p *part) bool { return p.change != same })
}

// sides are the titles of the two sides.
type sides struct{ before, after string }

// lines are those of the heading that name the sides.
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

// change is how a thing of a drawing of differences compares. It is same in any other
// drawing.
type change uint8

const (
	same    change = iota
	added          // only after has it
	removed        // only before has it
	changed        // it differs
)

var changeNames = [...]string{same: "same", added: "new", removed: "gone", changed: "changed"}

func (c change) String() string { return changeNames[c] }

// aspect is one of the ways in which a thing has changed.
type aspect struct {
	what     string // one of the words that JSON has
	was, now string
}

// text is the aspect in words; the arrow stands between what was and what is.
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

// arrowText stands between what was and what is in formats that are plain text.
const arrowText = " -> "

// pairing is an itinerary of before and one of after; one of them may be nil.
type pairing struct{ before, after *Itinerary }

// pair finds the itineraries to compare: in the order of after, with those that are
// gone at the end.
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

// part draws the two itineraries as one part; nil if nothing of it is to be drawn.
func (one pairing) part(o Options) (*part, error) {
	m := &merging{}
	for _, side := range []struct {
		it   *Itinerary
		part **part
	}{{one.before, &m.before}, {one.after, &m.after}} {
		*side.part = &part{} // of an itinerary that is not there
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

// refuse is an error of options or itineraries that cannot be drawn together.
func refuse(format string, args ...any) error {
	return &OptionsError{Problem: fmt.Sprintf(format, args...)}
}
