package machine

import (
	"math/bits"
	"slices"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// outcomes explores every run that a plan with jumps stands for: with each value
// of a flag that is unknown, and, after a phase that decides a flag, with each
// value of that. In a cleanup itinerary, which does not wait, a flag may also
// stay unknown.
//
// The walk judges each place by itself. So it takes no notice of a flag that a
// way to a phase requires and that the phase's guard excludes, nor of a loop that
// is never left for one value of a flag. Outcomes do.
type outcomes struct {
	*walk
	// all are the cases: an assignment of the flags that vary, each.
	all    []phases.Facts
	values int // that a flag can have
	stride map[phases.Flags]int
	sets   map[guardKey]cases
}

// cases is a set of cases, one bit each.
type cases []uint64

type guardKey struct {
	guard phases.Guard
	jump  bool
}

// maxOutcomes bounds the effort of exploring: the product of the places, of the
// places again (each is looked for in turn) and of the words of a set of cases.
// It is enough for fifty phases if ten flags vary, and for 250 if six do. Tests
// set it to 0, to see what the walk alone is worth.
var maxOutcomes = 1 << 16

// maxCases bounds the cases: ten flags that vary, or six in a cleanup itinerary.
const maxCases = 1 << 10

// newOutcomes returns nil if there are too many.
func newOutcomes(w *walk) *outcomes {
	vary := ^w.facts.Known()
	for i := range w.open {
		vary |= w.open[i]
	}
	vary |= w.after(w.entry())
	vary &= w.graph.reads

	o := &outcomes{walk: w, values: 2, stride: make(map[phases.Flags]int), sets: make(map[guardKey]cases)}
	if w.graph.itinerary.Cleanup {
		o.values = 3
	}
	o.all = []phases.Facts{w.facts.Forget(vary)}
	for flag := range vary.Each {
		n := len(o.all)
		o.stride[flag] = n
		if n*o.values > maxCases {
			return nil
		}
		for _, t := range []phases.Truth{phases.Yes, phases.Unknown}[:o.values-1] {
			for _, f := range o.all[:n] {
				o.all = append(o.all, f.Set(flag, t))
			}
		}
		for k := range n {
			o.all[k] = o.all[k].Set(flag, phases.No)
		}
	}
	places := len(w.marks)
	if len(o.all) > 1 && places*places*o.words() > maxOutcomes {
		return nil
	}
	return o
}

func (o *outcomes) words() int { return (len(o.all) + 63) / 64 }

// settle corrects the marks of the walk: a phase that no run enters does not
// run, one that every run enters runs for sure, and any other is tentative or, if
// some values of the unknown flags keep it from running, unknown.
func (o *outcomes) settle() {
	reached := o.reach(-1)
	for i := range o.marks {
		if i == o.at {
			continue
		}
		m := &o.marks[i]
		if reached[i].empty() {
			*m &= truthMask
			o.reached[i] = false
			continue
		}
		if reached[i].and(o.admitted(i)).empty() {
			*m = *m&^(tentative|maybe) | never
			continue
		}
		every, depends := len(o.all) == 1, false
		if !every {
			every, depends = o.fate(i)
		}
		if every {
			*m = *m&^(tentative|maybe) | ahead | always
			continue
		}
		if depends {
			*m |= maybe
		}
		if m.runs() != phases.Unknown {
			*m |= tentative
		}
	}
}

// fate reports whether every run enters the phase at index i; if not, whether
// none does for some values of the flags that are unknown now.
//
// A run goes round in a loop only as long as what it decides there makes it. So
// it misses the phase if it comes to a place, or to the end, from which no run
// leads to the phase any more.
func (o *outcomes) fate(i int) (every, depends bool) {
	leads := o.leads(i)
	every = true
	for p, without := range o.reach(i) {
		every = every && without.andNot(leads[p]).empty()
	}
	can := make(cases, o.words())
	switch o.at {
	case start:
		can = leads[0]
	case o.done():
	default:
		can = o.through(o.at, leads)
	}
	return every, !o.begin().andNot(can).empty()
}

// begin are the cases that agree with the facts.
func (o *outcomes) begin() cases {
	c := make(cases, o.words())
	for k, f := range o.all {
		if f.True().Has(o.facts.True()) && f.False().Has(o.facts.False()) {
			c.set(k)
		}
	}
	return c
}

// reach returns the cases in which runs come by each place. A run that enters
// the phase at index avoid is not followed any further.
func (o *outcomes) reach(avoid int) []cases {
	reached := make([]cases, o.done()+1)
	for p := range reached {
		reached[p] = make(cases, o.words())
	}
	var worklist []int
	come := func(p int, c cases) {
		if reached[p].add(c) && !slices.Contains(worklist, p) {
			worklist = append(worklist, p)
		}
	}
	switch {
	case o.at == start:
		come(0, o.begin())
	case o.at != o.done():
		o.leave(o.at, o.begin(), come)
	}
	for len(worklist) > 0 {
		p := worklist[len(worklist)-1]
		worklist = worklist[:len(worklist)-1]
		if p == o.done() {
			continue
		}
		admitted := o.admitted(p)
		come(p+1, reached[p].andNot(admitted))
		if p != avoid {
			o.leave(p, reached[p].and(admitted), come)
		}
	}
	return reached
}

// leave calls come with where runs go from a phase that they have entered in
// these cases.
func (o *outcomes) leave(p int, c cases, come func(to int, c cases)) {
	c = o.decide(o.graph.nodes[p].decides, c)
	for _, j := range o.graph.nodes[p].jumps {
		taken := o.admits(guardKey{j.guard, true})
		come(j.to, c.and(taken))
		c = c.andNot(taken)
	}
	come(p+1, c)
}

// leads returns the cases in which some run from each place enters the phase at
// index i.
func (o *outcomes) leads(i int) []cases {
	leads := make([]cases, o.done()+1)
	for p := range leads {
		leads[p] = make(cases, o.words())
	}
	for changed := true; changed; {
		changed = false
		for p := o.done() - 1; p >= 0; p-- {
			admitted := o.admitted(p)
			enters := admitted
			if p != i {
				enters = admitted.and(o.through(p, leads))
			}
			changed = leads[p].add(enters) || changed
			changed = leads[p].add(leads[p+1].andNot(admitted)) || changed
		}
	}
	return leads
}

// through are the cases in which a phase is entered so that some run leads from
// it to one of these.
func (o *outcomes) through(p int, leads []cases) cases {
	rest, after := make(cases, o.words()), make(cases, o.words())
	for k := range rest {
		rest[k] = ^uint64(0)
	}
	for _, j := range o.graph.nodes[p].jumps {
		taken := o.admits(guardKey{j.guard, true})
		after.add(rest.and(taken).and(leads[j.to]))
		rest = rest.andNot(taken)
	}
	after.add(rest.and(leads[p+1]))
	// What the phase decides turns out either way, so backwards as well.
	return o.decide(o.graph.nodes[p].decides, after)
}

// admitted are the cases in which the phase at index i is entered.
func (o *outcomes) admitted(i int) cases { return o.admits(guardKey{guard: o.graph.nodes[i].guard}) }

// admits are the cases in which a guard admits, be it of a phase or of a jump.
func (o *outcomes) admits(key guardKey) cases {
	if c, ok := o.sets[key]; ok {
		return c
	}
	c := make(cases, o.words())
	for k, f := range o.all {
		t := key.guard.Eval(f)
		if t == phases.Yes || t == phases.Unknown && !key.jump {
			c.set(k)
		}
	}
	o.sets[key] = c
	return c
}

// decide returns the cases that may have come about once the flags are decided.
func (o *outcomes) decide(flags phases.Flags, c cases) cases {
	for flag := range flags.Each {
		stride := o.stride[flag]
		if stride == 0 {
			continue // nothing reads it
		}
		out := make(cases, len(c))
		for w, word := range c {
			for ; word != 0; word &= word - 1 {
				k := w*64 + bits.TrailingZeros64(word)
				first := k - k/stride%o.values*stride
				for v := range o.values {
					out.set(first + v*stride)
				}
			}
		}
		c = out
	}
	return c
}

func (c cases) set(k int) { c[k/64] |= 1 << (k % 64) }

func (c cases) empty() bool {
	for _, w := range c {
		if w != 0 {
			return false
		}
	}
	return true
}

// add adds other cases, and reports whether any of them is new.
func (c cases) add(d cases) (changed bool) {
	for k := range c {
		changed = changed || d[k]&^c[k] != 0
		c[k] |= d[k]
	}
	return changed
}

func (c cases) and(d cases) cases {
	out := make(cases, len(c))
	for k := range c {
		out[k] = c[k] & d[k]
	}
	return out
}

func (c cases) andNot(d cases) cases {
	out := make(cases, len(c))
	for k := range c {
		out[k] = c[k] &^ d[k]
	}
	return out
}
