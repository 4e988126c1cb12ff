package machinetest

import (
	"fmt"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/dump"
)

// Drawing draws the coverage on the graphs of itineraries, in any format of package dump. It
// marks phases and transitions as covered, not covered or impossible, and shows how much of
// each kind is covered. Items that the coverage does not know are not covered. The error is
// that of [dump.New].
func (c *Coverage) Drawing(o dump.Options, graphs ...*machine.Graph) (*dump.Drawing, error) {
	itineraries := make([]dump.Itinerary, len(graphs))
	for k, g := range graphs {
		itineraries[k].Graph = g
		if g != nil {
			itineraries[k].Coverage = c.marks(g)
		}
	}
	return dump.New(o, itineraries...)
}

// marks returns the coverage of a graph for its drawing.
func (c *Coverage) marks(g *machine.Graph) *dump.Coverage {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.of(coverKey{g.Name(), g.Hash()})
	one.universe()
	marks := make(map[coverItem]dump.Mark, len(one.items))
	for it, status := range one.items {
		switch status {
		case itemCovered:
			marks[it] = dump.Covered
		case itemImpossible:
			marks[it] = dump.Impossible
		}
	}
	drawn := &dump.Coverage{
		Phase:      func(i int) dump.Mark { return marks[phaseItem(i)] },
		Transition: func(e machine.Edge) dump.Mark { return marks[transitionItem(e.From, e.To)] },
	}
	for _, kind := range coverKinds {
		if covered, possible, undecided := one.count(kind); possible+undecided > 0 {
			drawn.Summary = append(drawn.Summary, fmt.Sprintf("%s: %d of %d covered", kind.plural(), covered, possible+undecided))
		}
	}
	return drawn
}
