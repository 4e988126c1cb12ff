package verify

import (
	"github.com/konveyor/dynamic-pipeline/internal/bdd"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// placing are recorded objects and their places in the release that they leave.
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
		one := placed{Object: o, itinerary: c.Itinerary, begun: c.Phase != ""}
		if one.itinerary == "" {
			one.itinerary = o.Selected
		}
		g := old.byName[one.itinerary]
		if c.Done {
			continue
		}
		if g == nil {
			p.refuse(o, one.itinerary, "the release has no such itinerary",
				&phases.UnknownItineraryError{Name: one.itinerary, Known: old.Itineraries()})
			continue
		}
		if one.begun {
			i, err := g.Lookup(c.Phase)
			switch {
			case err != nil:
				p.refuse(o, one.itinerary, err.Error(), err)
				continue
			case g.IsEnd(i): // it is done, whether that is recorded or not
				continue
			}
		}
		to := new.byName[one.itinerary]
		if o.Selected != "" && o.Selected != one.itinerary && (!one.begun || to == nil || to.MayLeaveFor(new.byName[o.Selected])) {
			one.itinerary, one.begun = o.Selected, false // it is at the start of that
		}
		p.objects = append(p.objects, one)
	}
	return p
}

func (p *placing) refuse(o Object, itinerary, problem string, err error) {
	p.unplaced = append(p.unplaced, &PlaceError{Object: o.Name, Itinerary: itinerary, Phase: o.Checkpoint.Phase, Problem: problem, Err: err})
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

// fill names in each break of an itinerary the objects that meet it.
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

// met returns the fingerprints of the breaks that an object meets. It reports false
// if no run is in its state; what does not depend on flags is met all the same.
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
	if !possible { // flags that no run has: the phase may be gone for all that
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
// assignments that agree with the flags which it records.
func (n *inspection) recorded(o placed) (at []*standing, known map[*standing]bdd.Set) {
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
	for _, workDone := range []bool{c.WorkDone, false} { // without states of its own it is as if at work
		for _, st := range n.standings {
			if st.phase == phase && st.workDone == workDone && (!workDone || st.choice == choice) {
				at = append(at, st)
			}
		}
		if at != nil {
			break
		}
	}
	facts := s.graph.Vocabulary().Facts(c.Facts)
	known = make(map[*standing]bdd.Set, len(at))
	for _, st := range at {
		set := bdd.All
		for flag := range (s.graph.Reads() & facts.Known()).Each {
			set = n.And(set, s.known(st.values[s.indices[bit(flag)]], facts.True().Has(flag)))
		}
		known[st] = set
	}
	return at, known
}
