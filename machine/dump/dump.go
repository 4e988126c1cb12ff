package dump

import (
	"fmt"
	"slices"
	"strings"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
)

// Itinerary is one itinerary of a drawing.
type Itinerary struct {
	// Graph is drawn alone if Plan is nil. It may be nil if Plan is set.
	Graph *machine.Graph
	// Plan is drawn on top of its graph: it shows what runs from its position on.
	Plan *machine.Plan
	// Failed lists the names of the phases that failed.
	Failed []string
	// Runs are drawn on top of the graph instead of a plan. Each run has its own facts.
	Runs []Run
	// Coverage is the test coverage, drawn on top of the graph instead of a plan.
	Coverage *Coverage
}

// Switch is an arrow from one itinerary to another: a run leaves From for To under the
// condition When. Itineraries do not define their switches, so the caller supplies them.
type Switch struct {
	// From and To are names of itineraries.
	From, To string
	// When completes the phrase "when ...": "a phase failed". It may be empty.
	When string
}

// Options are the options of [New]. The zero value draws the reduction of all
// itineraries.
type Options struct {
	// Title is the heading. If empty, the heading is the names of the drawn itineraries.
	Title string
	// AllEdges draws every transition that the machine can make. Guards are judged one by
	// one; [machine.Edge] describes the transitions that no facts allow.
	AllEdges bool
	// OnlyRun leaves out the phases that will not run. The remaining phases stay
	// connected in order, up to an end phase. A jump to a phase that is left out leads to
	// the next remaining phase, as it does in the machine. OnlyRun requires a plan for
	// every itinerary.
	OnlyRun bool
	// Around names a phase. The drawing shows this phase, the phases that one transition
	// can reach from it or that can reach it by one, and these transitions, as AllEdges
	// draws them. Itineraries without such a phase are left out.
	Around string
	// Switches are drawn between the itineraries of the drawing. A switch from or to
	// another itinerary is left out.
	Switches []Switch
}

// OptionsError describes options or itineraries that cannot be drawn together.
type OptionsError struct {
	// Problem describes what is wrong and how to fix it.
	Problem string
}

func (e *OptionsError) Error() string { return "cannot draw: " + e.Problem }

// UnknownPhaseError reports that no itinerary has the phase that [Options.Around] names.
type UnknownPhaseError struct {
	// Phase is the unknown name, and Itineraries are the itineraries that lack it.
	Phase       string
	Itineraries []string
	// Nearest lists similar names, most similar first.
	Nearest []string
}

func (e *UnknownPhaseError) Error() string {
	hint := wording.DidYouMean(e.Nearest)
	if hint == "" {
		hint = "; name a phase of the drawing"
	}
	noun := "itinerary "
	if len(e.Itineraries) > 1 {
		noun = "itineraries "
	}
	return fmt.Sprintf("no phase %q in %s%s%s", e.Phase, noun, wording.List(e.Itineraries, "and"), hint)
}

// Drawing is a drawing that can be written in any format. It is immutable and safe for
// concurrent use.
type Drawing struct {
	title    string
	parts    []*part
	switches []arrow
	notes    []string
	sides    *sides // nil unless this is a diff
	options  Options
	// redraw makes the same drawing with other options, for formats with tighter limits.
	redraw func(Options) (*Drawing, error)
}

// arrow is a switch between two parts of the drawing.
type arrow struct {
	from, to int
	when     string
}

// New makes a drawing of the itineraries, in the given order. The error is an
// [*OptionsError] if the options or itineraries are incompatible, an [*UnknownPhaseError]
// if no itinerary has the phase [Options.Around], a [*machine.UnknownPhaseError] if an
// itinerary lacks a phase that [Itinerary.Failed] names or that a run of
// [Itinerary.Runs] is at, or a [*machine.TooManyEdgesError] if an itinerary is too large
// for [Options.AllEdges] or [Itinerary.Coverage].
func New(o Options, itineraries ...Itinerary) (*Drawing, error) {
	if len(itineraries) == 0 {
		return nil, refuse("no itinerary is given; give at least one")
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	if err := o.checkAll(itineraries); err != nil {
		return nil, err
	}
	itineraries = slices.Clone(itineraries)
	d := &Drawing{title: o.Title, options: o}
	d.redraw = func(o Options) (*Drawing, error) { return New(o, itineraries...) }
	for _, it := range itineraries {
		p, err := newPart(it)
		if err != nil {
			return nil, err
		}
		if !p.choose(o) {
			continue
		}
		if err := p.connect(o); err != nil {
			return nil, err
		}
		p.leaveOutDone()
		p.divide()
		d.add(p)
	}
	return d.finish(itineraries)
}

func (d *Drawing) add(p *part) {
	d.note(p, d.options)
	d.parts = append(d.parts, p)
}

// finish adds the switches and the title. If there are no parts, no itinerary has the
// phase to draw around, and the error is an [*UnknownPhaseError].
func (d *Drawing) finish(itineraries []Itinerary) (*Drawing, error) {
	if len(d.parts) == 0 {
		return nil, unknownPhase(d.options.Around, itineraries)
	}
	if d.title == "" {
		var names []string
		for _, p := range d.parts {
			names = append(names, p.name())
		}
		d.title = wording.List(names, "and")
	}
	for _, s := range d.options.Switches {
		from, to := d.find(s.From), d.find(s.To)
		if from >= 0 && to >= 0 {
			d.switches = append(d.switches, arrow{from, to, s.When})
		}
	}
	return d, nil
}

// check refuses options that exclude each other.
func (o Options) check() error {
	switch {
	case o.Around != "" && o.OnlyRun:
		return refuse("Around and OnlyRun exclude each other; leave one out")
	case o.Around != "" && o.AllEdges:
		return refuse("Around draws every transition of its phase; leave out AllEdges")
	}
	return nil
}

// checkAll refuses itineraries that cannot be drawn together.
func (o Options) checkAll(itineraries []Itinerary) error {
	var names []string
	for i, it := range itineraries {
		g := it.graph()
		switch {
		case g == nil:
			return refuse("itinerary number %d has neither a graph nor a plan; give one", i+1)
		case it.Plan != nil && it.Plan.Graph() != g:
			return refuse("the plan of itinerary %q belongs to another graph; plan with the drawn graph", g.Name())
		case it.Plan != nil && len(it.Runs) > 0:
			return refuse("itinerary %q has both a plan and runs; leave one out", g.Name())
		case it.Coverage != nil && (it.Plan != nil || len(it.Runs) > 0):
			return refuse("itinerary %q has both a coverage and a plan or runs; leave one out", g.Name())
		case slices.Contains(names, g.Name()):
			return refuse("itinerary %q is given twice; remove one", g.Name())
		case o.OnlyRun && it.Plan == nil:
			return refuse("itinerary %q has no plan, which OnlyRun needs; give a plan or leave out OnlyRun", g.Name())
		}
		names = append(names, g.Name())
	}
	return nil
}

func (it Itinerary) graph() *machine.Graph {
	if it.Graph == nil && it.Plan != nil {
		return it.Plan.Graph()
	}
	return it.Graph
}

func unknownPhase(name string, itineraries []Itinerary) error {
	e := &UnknownPhaseError{Phase: name}
	var known []string
	for _, it := range itineraries {
		g := it.graph()
		if !slices.Contains(e.Itineraries, g.Name()) { // both sides of a diff may have the same name
			e.Itineraries = append(e.Itineraries, g.Name())
		}
		for i := range g.Len() {
			known = append(known, g.Phase(i).Name)
		}
	}
	slices.Sort(known)
	e.Nearest = wording.Nearest(name, slices.Compact(known))
	return e
}

// find returns the index of the part with the given name, or -1.
func (d *Drawing) find(itinerary string) int {
	return slices.IndexFunc(d.parts, func(p *part) bool { return p.name() == itinerary })
}

// note records how many phases of a part are not drawn, and why.
func (d *Drawing) note(p *part, o Options) {
	type id struct {
		part  *part
		index int
	}
	drawn := make(map[id]bool)
	for _, n := range p.nodes {
		drawn[id{n.part, n.index}] = true
	}
	var passed, others, runs int
	for k := range p.all {
		if n := &p.all[k]; !drawn[id{n.part, n.index}] {
			runs += n.crowd.len()
		}
		switch n := &p.all[k]; {
		case drawn[id{n.part, n.index}] || !n.isPhase():
		case o.Around == "" && n.state == behind:
			passed++
		default:
			others++
		}
	}
	which := "that will not run"
	if o.Around != "" {
		which = "further away from " + o.Around
		if i, err := p.graph.Lookup(o.Around); err == nil {
			which = "further away from " + p.graph.Phase(i).Name
		}
	}
	var all []string
	if passed > 0 {
		all = append(all, count(passed, "phase")+" behind")
	}
	if others > 0 {
		all = append(all, count(others, "phase")+" "+which)
	}
	if runs > 0 {
		all[len(all)-1] += ", with " + count(runs, "run") + ","
	}
	switch passed + others {
	case 0:
		return
	case 1:
		all[0] += " is"
	default:
		all[len(all)-1] += " are"
	}
	d.notes = append(d.notes, p.name()+": "+strings.Join(all, " and ")+" left out")
}
