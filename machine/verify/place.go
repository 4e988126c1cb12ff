package verify

import (
	"cmp"

	"github.com/konveyor/dynamic-pipeline/internal/bdd"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// placing holds recorded objects and their places in the release that they leave.
type placing struct {
	old, new *Release
	objects  []placed
	unplaced []*PlaceError
}

// placed is an object in an itinerary.
type placed struct {
	Object
	itinerary string
	begun     bool // it is in a phase
}

// newPlaces finds the itinerary of each object that is not done.
func newPlaces(old, new *Release, objects []Object) *placing {
	p := &placing{old: old, new: new}
	for _, o := range objects {
		c := o.Checkpoint
		one := placed{Object: o, itinerary: cmp.Or(c.Itinerary, o.Selected), begun: c.Phase != ""}
		if c.Done || old.ended(one.itinerary, c.Phase) { // even if Done is not recorded
			continue
		}
		if o.Selected != "" && o.Selected != one.itinerary && new.leaves(one.itinerary, c.Phase, o.Selected) {
			one.itinerary, one.begun = o.Selected, false // it is at the start of Selected, whatever is recorded
		}
		g := old.byName[one.itinerary]
		if g == nil {
			p.refuse(o, one.itinerary, "the release has no such itinerary",
				&phases.UnknownItineraryError{Name: one.itinerary, Known: old.Itineraries()})
			continue
		}
		if one.begun {
			if _, err := g.Lookup(c.Phase); err != nil {
				p.refuse(o, one.itinerary, err.Error(), err)
				continue
			}
		}
		p.objects = append(p.objects, one)
	}
	return p
}

// ended reports whether the phase is an end phase of the itinerary.
func (r *Release) ended(itinerary, phase string) bool {
	g := r.byName[itinerary]
	if g == nil || phase == "" {
		return false
	}
	i, err := g.Lookup(phase)
	return err == nil && g.IsEnd(i)
}

// leaves reports whether a resumed run moves from a recorded phase to the start of
// another itinerary, which the state of its object selects, as [machine.Set.Resume]
// does.
func (r *Release) leaves(recorded, phase, selected string) bool {
	from, to := r.byName[recorded], r.byName[selected]
	if from == nil || to == nil || phase == "" {
		return true // without the selected itinerary it cannot be resumed
	}
	return !r.ended(recorded, phase) && from.MayLeaveFor(to)
}

func (p *placing) refuse(o Object, itinerary, problem string, err error) {
	p.unplaced = append(p.unplaced, &PlaceError{
		Object: o.Name, Itinerary: itinerary, Phase: o.Checkpoint.Phase, Problem: problem, Err: err,
	})
}

// all returns the names of all objects in flight.
func (p *placing) all() []string {
	names := []string{}
	if p != nil {
		for _, o := range p.objects {
			names = append(names, o.Name)
		}
	}
	return names
}

// fill sets, in each break of an itinerary, the names of the objects that meet it.
func (p *placing) fill(n *inspection, breaks []Break) {
	for i := range breaks {
		breaks[i].Objects = []string{}
	}
	if p == nil {
		return
	}
	for _, o := range p.objects {
		if o.itinerary != n.itinerary {
			continue
		}
		met, possible := n.met(o)
		if !possible {
			p.refuse(o.Object, o.itinerary, "no run of the release is there with these flags", nil)
		}
		for i := range breaks {
			if met[breaks[i].Fingerprint()] {
				breaks[i].Objects = append(breaks[i].Objects, o.Name)
			}
		}
	}
}

// met returns the fingerprints of the breaks that an object meets. possible is false if
// no run is in its state; breaks that do not depend on flags are met all the same.
func (n *inspection) met(o placed) (met map[string]bool, possible bool) {
	met = make(map[string]bool)
	for key, f := range n.found {
		if f.every {
			met[key] = true
		}
	}
	if !o.begun || n.past == nil {
		return met, true
	}
	at, known := n.recorded(o)
	for key, f := range n.found {
		for _, h := range f.hits {
			if set, ok := known[h.at]; ok && n.And(h.set, set) != bdd.None {
				met[key] = true
			}
		}
	}
	for _, s := range at {
		possible = possible || n.And(s.set, known[s]) != bdd.None
	}
	if !possible { // no run has these flags, but the phase may be gone all the same
		for key, f := range n.found {
			for _, h := range f.hits {
				if _, ok := known[h.at]; ok && f.Kind == StateKind {
					met[key] = true
				}
			}
		}
	}
	return met, possible
}

// recorded returns the states of the phase that an object records, and for each the
// assignments that agree with the recorded flags.
func (n *inspection) recorded(o placed) (at []*inFlightState, known map[*inFlightState]bdd.Set) {
	s, c := n.from, o.Checkpoint
	phase, err := s.graph.Lookup(c.Phase)
	if err != nil {
		return nil, nil
	}
	choice := -1
	if c.WorkDone && c.Choice != "" {
		if choice, err = s.graph.Lookup(c.Choice); err != nil {
			return nil, nil
		}
	}
	for _, workDone := range []bool{c.WorkDone, false} { // if there is no state with its work done, it counts as at work
		for _, st := range n.inFlightStates {
			if st.phase == phase && st.workDone == workDone && (!workDone || st.choice == choice) {
				at = append(at, st)
			}
		}
		if at != nil {
			break
		}
	}
	facts := s.graph.Vocabulary().Facts(c.Facts)
	known = make(map[*inFlightState]bdd.Set, len(at))
	for _, st := range at {
		set := bdd.All
		for flag := range (s.graph.Reads() & facts.Known()).Each {
			set = n.And(set, s.known(st.values[s.indices[bit(flag)]], facts.True().Has(flag)))
		}
		known[st] = set
	}
	return at, known
}
