package dump

import (
	"fmt"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
)

// Run is one of several runs of an itinerary in one drawing, such as the runs of the
// items of one object.
type Run struct {
	// Name is unique among the runs of the itinerary.
	Name string
	// At is the position of the run.
	At machine.Position
	// Failed reports whether the run has failed. It is then at the phase that failed, or
	// done.
	Failed bool
}

// crowd lists the runs at one node, by name.
type crowd struct {
	here, ended, failed []string
}

func (c crowd) len() int { return len(c.here) + len(c.ended) + len(c.failed) }

// place assigns the runs to the nodes.
func (p *part) place(runs []Run) error {
	known := make(map[string]bool)
	for _, r := range runs {
		if known[r.Name] {
			return refuse("run %q of itinerary %q is given twice; remove one", r.Name, p.name())
		}
		known[r.Name] = true
		k := len(p.all) - 1
		switch {
		case r.At == (machine.Position{}):
			k = 0
		case r.At.Phase != "":
			i, err := p.graph.Lookup(r.At.Phase)
			if err != nil {
				return err
			}
			k = i + 1
		}
		n := &p.all[k]
		switch {
		case r.Failed:
			n.crowd.failed = append(n.crowd.failed, r.Name)
			n.failed = true
		case n.isEnd():
			n.crowd.ended = append(n.crowd.ended, r.Name)
		default:
			n.crowd.here = append(n.crowd.here, r.Name)
			n.state = current
		}
	}
	p.runs = runs
	return nil
}

// mostNames is the maximum number of runs named at one place.
const mostNames = 6

// who describes the runs at a node, one entry per kind.
func (n *node) who() []string {
	var all []string
	add := func(names []string, what string) {
		if len(names) > 0 {
			all = append(all, fmt.Sprintf("%d %s: %s", len(names), what, wording.Some(names, mostNames)))
		}
	}
	add(n.crowd.here, n.hereWord())
	add(n.crowd.ended, "done")
	add(n.crowd.failed, "failed")
	return all
}

// counts returns tags that count the runs at a node, failed ones first.
func (n *node) counts() []label {
	var all []label
	for _, one := range []struct {
		names       []string
		word, class string
	}{{n.crowd.failed, "failed", "bad"}, {n.crowd.ended, "done", "good"}, {n.crowd.here, n.hereWord(), "full"}} {
		if len(one.names) > 0 {
			all = append(all, label{fmt.Sprintf("%d %s", len(one.names), one.word), one.class})
		}
	}
	return all
}

// hereWord returns the word for a run at a node.
func (n *node) hereWord() string {
	if n.index == start {
		return "not begun"
	}
	return "here"
}

// tally sums up the positions of the runs of a part; empty if it has none.
func (p *part) tally() string {
	if len(p.runs) == 0 {
		return ""
	}
	var begun, waiting, ended, failed int
	for i := range p.all {
		switch n := &p.all[i]; {
		case n.index == start:
			waiting += len(n.crowd.here)
			failed += len(n.crowd.failed)
		default:
			begun += len(n.crowd.here)
			ended += len(n.crowd.ended)
			failed += len(n.crowd.failed)
		}
	}
	text := count(len(p.runs), "run")
	sep := ": "
	for _, one := range []struct {
		n    int
		what string
	}{{waiting, "not begun"}, {begun, "under way"}, {ended, "done"}, {failed, "failed"}} {
		if one.n > 0 {
			text += fmt.Sprintf("%s%d %s", sep, one.n, one.what)
			sep = ", "
		}
	}
	return text
}

// runDifferences sums up which runs have progressed or failed, or exist on one side only.
func (p *part) runDifferences() []string {
	if len(p.before.runs)+len(p.after.runs) == 0 {
		return nil
	}
	was := make(map[string]Run)
	for _, r := range p.before.runs {
		was[r.Name] = r
	}
	names := make(map[string][]string)
	for _, r := range p.after.runs {
		old, ok := was[r.Name]
		delete(was, r.Name)
		switch {
		case !ok:
			names["new"] = append(names["new"], r.Name)
		case r.Failed && !old.Failed:
			names["failed"] = append(names["failed"], r.Name)
		case r.At.Phase != old.At.Phase || r.At.Done != old.At.Done || r.Failed != old.Failed:
			names["moved"] = append(names["moved"], r.Name)
		}
	}
	for _, r := range p.before.runs {
		if _, ok := was[r.Name]; ok {
			names["gone"] = append(names["gone"], r.Name)
		}
	}
	var lines []string
	for _, one := range []struct{ what, single, several string }{
		{"new", "is new", "are new"},
		{"gone", "is gone", "are gone"},
		{"moved", "is now elsewhere", "are now elsewhere"},
		{"failed", "has failed", "have failed"},
	} {
		if all := names[one.what]; len(all) > 0 {
			verb := one.several
			if len(all) == 1 {
				verb = one.single
			}
			lines = append(lines, count(len(all), "run")+" "+verb+": "+wording.Some(all, mostNames))
		}
	}
	return lines
}

// hasStates reports whether the nodes of a part have states: from a plan, runs or a
// coverage.
func (p *part) hasStates() bool { return p.plan != nil || len(p.runs) > 0 || p.coverage != nil }
