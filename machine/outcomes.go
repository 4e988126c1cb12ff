package machine

import (
	"math/bits"
	"slices"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// outcomes explores every run that a plan with jumps covers. It tries each value of every
// unknown flag and, after a phase that decides a flag, each value of that flag. In a cleanup
// itinerary, which does not wait, a flag may also stay unknown.
//
// The walk judges each place by itself. It therefore misses a flag that every path to a phase
// requires and the phase's guard excludes, and a loop that is never left for one value of a flag.
// outcomes finds both.
type outcomes struct {
	*walk
	// all lists the cases; each is an assignment of the flags that vary.
	all    []phases.Facts
	values int // number of values of a flag
	stride map[phases.Flags]int
	// choices reports whether a phase has a choice. If so, one case stands for several runs.
	choices bool
	// enters holds, for each phase, the cases in which a run that comes to its place enters it.
	// leaves holds the cases in which each of its jumps is taken and, last, those in which none is.
	enters []cases
	leaves [][]cases
	every  cases // all cases

	memory     []uint64 // see none
	used, kept int
}

// cases is a set of cases, one bit each.
type cases []uint64

// maxOutcomes limits the effort of exploring: the number of places, squared because each place is
// searched for in turn, times the words of a set of cases. It allows for fifty phases if ten flags
// vary, and for 250 if six do. Tests set it to 0 to see the result of the walk alone.
var maxOutcomes = 1 << 16

// maxCases limits the number of cases: ten flags that vary, or six in a cleanup itinerary.
const maxCases = 1 << 10

// newOutcomes returns nil if there would be too many cases.
func newOutcomes(w *walk) *outcomes {
	vary := ^w.facts.Known()
	for i := range w.open {
		vary |= w.open[i]
	}
	vary |= w.after(w.entry())
	vary &= w.graph.reads

	o := &outcomes{walk: w, values: 2, stride: make(map[phases.Flags]int)}
	if w.graph.itinerary.Cleanup {
		o.values = 3
	}
	n := 1
	for range vary.Each {
		if n *= o.values; n > maxCases {
			return nil
		}
	}
	for i := range w.graph.nodes {
		for _, j := range w.graph.nodes[i].jumps {
			o.choices = o.choices || j.choice
		}
	}
	if places := len(w.marks); (n > 1 || o.choices) && places*places*((n+63)/64) > maxOutcomes {
		return nil
	}
	o.all = append(make([]phases.Facts, 0, n), w.facts.Forget(vary))
	for flag := range vary.Each {
		n := len(o.all)
		o.stride[flag] = n
		for _, t := range []phases.Truth{phases.True, phases.Unknown}[:o.values-1] {
			for _, f := range o.all[:n] {
				o.all = append(o.all, f.Set(flag, t))
			}
		}
		for k := range n {
			o.all[k] = o.all[k].Set(flag, phases.False)
		}
	}
	o.judge()
	return o
}

// judge evaluates all guards in all cases.
func (o *outcomes) judge() {
	sets := make(map[phases.Guard]cases)
	admit := func(guard phases.Guard) cases {
		c, ok := sets[guard]
		if !ok {
			c = o.none()
			for k, f := range o.all {
				if guard.Eval(f) == phases.True {
					c.set(k)
				}
			}
			sets[guard] = c
		}
		return c
	}
	o.every = admit(phases.Guard{})
	for i := range o.graph.nodes {
		n := &o.graph.nodes[i]
		enters := admit(n.guard)
		if o.values == 3 { // also if its guard is unknown
			enters = o.none()
			for k, f := range o.all {
				if t := n.guard.Eval(f); t == phases.True || t == phases.Unknown && !n.end {
					enters.set(k)
				}
			}
		}
		rest := o.every
		var leaves []cases
		for _, j := range n.jumps {
			if j.choice {
				leaves = append(leaves, o.every)
				continue
			}
			taken := admit(j.guard)
			leaves = append(leaves, o.and(rest, taken))
			rest = o.andNot(rest, taken)
		}
		o.enters = append(o.enters, enters)
		o.leaves = append(o.leaves, append(leaves, rest))
	}
}

func (o *outcomes) words() int { return (len(o.all) + 63) / 64 }

// none returns an empty set of cases. It is cut from one block of memory, whose part after kept is
// reused for each phase.
func (o *outcomes) none() cases {
	n := o.words()
	if o.used+n > len(o.memory) {
		o.memory, o.used, o.kept = make([]uint64, max(2*len(o.memory), 256*n)), 0, 0
	}
	c := cases(o.memory[o.used : o.used+n : o.used+n])
	o.used += n
	clear(c)
	return c
}

// settle corrects the marks of the walk. A phase that no run enters does not run, and one that
// every run enters is certain to run. Any other is tentative or, if some values of the unknown
// flags keep it from running, unknown.
func (o *outcomes) settle() {
	reached := o.reach(-1)
	o.kept = o.used
	for i := range o.marks {
		if i == o.at {
			continue
		}
		o.used = o.kept
		m := &o.marks[i]
		if reached[i].empty() {
			*m &= truthMask
			o.reached[i] = false
			continue
		}
		if o.and(reached[i], o.enters[i]).empty() {
			*m = *m&^(tentative|maybe) | never
			continue
		}
		every, depends := len(o.all) == 1 && !o.choices, false
		if !every {
			every, depends = o.verdict(i, o.enters[i])
		}
		if every {
			*m = *m&^(tentative|maybe) | ahead | always
			continue
		}
		if *m&maybe != 0 {
			// Every run comes to its place: only its guard decides whether it runs.
			if comes, _ := o.verdict(i, o.every); comes {
				*m &^= maybe
			}
		}
		if depends {
			*m |= maybe
		}
		if m.runs() != phases.Unknown {
			*m |= tentative
		}
	}
}

// verdict reports whether every run enters the phase at index i, which admits in the given cases.
// If not, depends reports whether no run enters it for some values of the flags that are unknown
// now.
//
// A run repeats a loop only as long as the flags that it decides there lead back. It therefore
// misses the phase exactly if it comes to a place, or to the end, from which no run leads to the
// phase.
func (o *outcomes) verdict(i int, admits cases) (every, depends bool) {
	defer func(enters cases) { o.enters[i] = enters }(o.enters[i])
	o.enters[i] = admits
	leads := o.leads(i)
	every = true
	for p, without := range o.reach(i) {
		every = every && o.andNot(without, leads[p]).empty()
	}
	can := o.none()
	switch o.at {
	case start:
		can = leads[0]
	case o.done():
	default:
		can = o.through(o.at, leads, o.mayTake)
	}
	return every, !o.andNot(o.begin(), can).empty()
}

// begin returns the cases that agree with the facts.
func (o *outcomes) begin() cases {
	c := o.none()
	for k, f := range o.all {
		if f.True().Has(o.facts.True()) && f.False().Has(o.facts.False()) {
			c.set(k)
		}
	}
	return c
}

// reach returns the cases in which runs come to each place. A run that enters the phase at index
// avoid is not followed further.
func (o *outcomes) reach(avoid int) []cases {
	reached := make([]cases, o.done()+1)
	for p := range reached {
		reached[p] = o.none()
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
		o.leave(o.at, o.begin(), o.mayTake, come)
	}
	for len(worklist) > 0 {
		p := worklist[len(worklist)-1]
		worklist = worklist[:len(worklist)-1]
		if p == o.done() {
			continue
		}
		admitted := o.enters[p]
		come(p+1, o.andNot(reached[p], admitted))
		if p != avoid {
			o.leave(p, o.and(reached[p], admitted), anyEdge, come)
		}
	}
	return reached
}

// leave calls come with the places that follow a phase entered in the cases c, by the edges that
// are possible.
func (o *outcomes) leave(p int, c cases, possible func(k int) bool, come func(to int, c cases)) {
	c = o.decide(o.graph.nodes[p].decides, c)
	for k, leaves := range o.leaves[p] {
		if possible(k) {
			come(o.to(p, k), o.and(c, leaves))
		}
	}
}

func anyEdge(int) bool { return true }

// to returns the place to which the k-th jump leads, or the next place in order if k is the number
// of jumps.
func (o *outcomes) to(p, k int) int {
	if jumps := o.graph.nodes[p].jumps; k < len(jumps) {
		return jumps[k].to
	}
	return p + 1
}

// leads returns, for each place, the cases in which some run from there enters the phase at index
// i.
func (o *outcomes) leads(i int) []cases {
	leads := make([]cases, o.done()+1)
	for p := range leads {
		leads[p] = o.none()
	}
	for changed := true; changed; {
		changed = false
		for p := o.done() - 1; p >= 0; p-- {
			admitted := o.enters[p]
			enters := admitted
			if p != i {
				enters = o.and(admitted, o.through(p, leads, anyEdge))
			}
			changed = leads[p].add(enters) || changed
			changed = leads[p].add(o.andNot(leads[p+1], admitted)) || changed
		}
	}
	return leads
}

// through returns the cases in which some run enters the phase at p and continues, by a possible
// edge, to a place in one of its cases in leads.
func (o *outcomes) through(p int, leads []cases, possible func(k int) bool) cases {
	after := o.none()
	for k, leaves := range o.leaves[p] {
		if possible(k) {
			after.add(o.and(leaves, leads[o.to(p, k)]))
		}
	}
	// A decided flag may have either value, so this also works backwards.
	return o.decide(o.graph.nodes[p].decides, after)
}

// decide returns the cases that are possible after the flags were decided.
func (o *outcomes) decide(flags phases.Flags, c cases) cases {
	for flag := range flags.Each {
		stride := o.stride[flag]
		if stride == 0 {
			continue // nothing reads it
		}
		out := o.none()
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

// add adds the cases in d, and reports whether any of them is new.
func (c cases) add(d cases) (changed bool) {
	for k := range c {
		changed = changed || d[k]&^c[k] != 0
		c[k] |= d[k]
	}
	return changed
}

func (o *outcomes) and(c, d cases) cases {
	out := o.none()
	for k := range c {
		out[k] = c[k] & d[k]
	}
	return out
}

func (o *outcomes) andNot(c, d cases) cases {
	out := o.none()
	for k := range c {
		out[k] = c[k] &^ d[k]
	}
	return out
}
