package dump

import (
	"fmt"
	"slices"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// rails are the lines that connect the nodes of a part: the rail from each node to the
// next, and the arcs beside it.
type rails struct {
	x     int   // of the rail
	y     []int // of the nodes
	arcs  []bow
	lanes placement
}

// bow is an arc from one node to others. A jump has one target; all skips from a node
// share one arc.
type bow struct {
	from int
	to   []int
	kind edgeKind
	look look
}

// look describes how an arc is drawn. The line shows whether it is taken, the head which
// kind it is.
type look struct {
	line, head string // classes
	shape      shape
	choice     bool // its tail is a diamond
}

// shape is the shape of a head.
type shape uint8

const (
	triangle shape = iota // of a jump
	chevron               // of a transition
	diamond               // of a switch
)

// path draws a head with its tip at x, y. The line arrives from side: 1 is the right, -1
// the left.
func (s shape) path(x, y, side int) string {
	switch s {
	case chevron:
		return fmt.Sprintf("M%d %dm0-3.5l%d 3.5 %d 3.5", x+6*side, y, -6*side, 6*side)
	case diamond:
		return fmt.Sprintf("M%d %dl%d-4 %d 4 %d 4z", x, y, 4*side, 4*side, -4*side)
	}
	return fmt.Sprintf("M%d %dl%d-3.5v7z", x, y, 6*side)
}

// span is a range of rows that an arc passes.
type span struct{ first, last int }

func newSpan(ends ...int) span { return span{slices.Min(ends), slices.Max(ends)} }

func newRails(p *part) *rails {
	r := &rails{}
	for _, e := range p.edges {
		// A gone edge in order follows from the phases.
		if p.isRail(e) || e.change == removed && e.kind == inOrder && !p.transits {
			continue
		}
		look := newLook(e)
		last := len(r.arcs) - 1
		if last >= 0 && e.kind != jump && r.arcs[last].kind == e.kind && r.arcs[last].from == e.from && r.arcs[last].look == look {
			r.arcs[last].to = append(r.arcs[last].to, e.to)
			continue
		}
		r.arcs = append(r.arcs, bow{from: e.from, to: []int{e.to}, kind: e.kind, look: look})
	}
	r.lanes = lanes(len(r.arcs), func(i int) span { return newSpan(append([]int{r.arcs[i].from}, r.arcs[i].to...)...) })
	return r
}

// isRail reports whether an edge is drawn as a piece of the rail: it leads to the next
// node, or to the next node that is not gone.
func (p *part) isRail(e edge) bool {
	if e.kind != inOrder || e.to <= e.from {
		return false
	}
	return !slices.ContainsFunc(p.nodes[e.from+1:e.to], func(n node) bool { return e.change == removed || n.change != removed })
}

var switchLook = look{line: "arc", head: "head", shape: diamond}

func newLook(e edge) look {
	heads, shape := [2]string{"open", "opengone"}, chevron
	if e.kind == jump {
		heads, shape = [2]string{"head", "headgone"}, triangle
	}
	switch e.change {
	case added:
		return look{"arcnew", heads[0] + "new", shape, e.choice}
	case removed:
		return look{"arcold", heads[0] + "old", shape, e.choice}
	}
	line := "arcmay"
	switch e.taken {
	case phases.True:
		line = "arc"
	case phases.False:
		return look{"arcgone", heads[1], shape, e.choice}
	}
	if e.choice {
		return look{line + "choice", "headchoice", shape, true}
	}
	return look{line, heads[0], shape, false}
}

// placement assigns a lane to each of a set of arcs. Lane 0 is the nearest.
type placement struct {
	of []int
	n  int // of lanes
}

// width returns the total width of the lanes.
func (l placement) width() int {
	if l.n == 0 {
		return 0
	}
	return l.n*laneWidth + gap
}

// lanes places short arcs inside long ones. Overlapping arcs share a lane only if there
// are more than maxLanes of them.
func lanes(n int, at func(i int) span) placement {
	l := placement{of: make([]int, n)}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	length := func(i int) int { return at(i).last - at(i).first }
	slices.SortStableFunc(order, func(a, b int) int { return length(a) - length(b) })
	var taken [maxLanes][]span // each sorted
	for i, k := range order {
		s := at(k)
		lane := i % maxLanes
		for j := range taken {
			// Two arcs may meet at a node.
			next, _ := slices.BinarySearchFunc(taken[j], s, func(t, s span) int { return t.first - s.first })
			if (next == 0 || taken[j][next-1].last <= s.first) && (next == len(taken[j]) || taken[j][next].first >= s.last) {
				taken[j] = slices.Insert(taken[j], next, s)
				lane = j
				break
			}
		}
		l.of[k] = lane
		l.n = max(l.n, lane+1)
	}
	return l
}

// rails draws the rail and the arcs of a part.
func (pic *picture) rails(p *part, r *rails) {
	passed := make([]bool, len(p.nodes)) // whether the rail continues below a node, even if only past it
	for _, e := range p.edges {
		if p.isRail(e) && e.change != removed {
			for k := e.from; k < e.to; k++ {
				passed[k] = true
			}
		}
	}
	for _, e := range p.edges {
		if !p.isRail(e) || e.change == removed && passed[e.from] {
			continue
		}
		class := "rail"
		switch {
		case e.taken == phases.False && p.coverage != nil:
			class = "arcgone"
			pic.used.never = true
		case e.taken == phases.False, e.change == removed:
			class = "gone"
		case e.taken == phases.Unknown:
			class = "may"
			pic.used.mayBeTaken = true
		}
		fmt.Fprintf(&pic.middle, `<path class="%s" d="M%d %dV%d"/>`+"\n", class, r.x, r.y[e.from], r.y[e.to])
	}
	for i, a := range r.arcs {
		lane := r.x - stop - gap - r.lanes.of[i]*laneWidth
		for _, to := range a.to {
			pic.arc(a.look, r.x-stop, r.y[a.from]+4, r.x-stop, r.y[to]-4, lane)
		}
		switch {
		case a.look.line == "arcnew":
			pic.used.arcNew = true
		case a.look.line == "arcold":
			pic.used.arcGone = true
		case a.look.choice:
			pic.used.choice = true
		case a.kind == jump:
			pic.used.jump = true
		default:
			pic.used.skip = true
		}
		pic.used.mayBeTaken = pic.used.mayBeTaken || a.look.line == "arcmay" || a.look.line == "arcmaychoice"
		pic.used.never = pic.used.never || a.look.line == "arcgone"
	}
}

// arc draws an arrow that leaves sideways, runs along a lane and comes back.
func (pic *picture) arc(l look, x1, y1, x2, y2, lane int) {
	side := 1 // of the lane
	if lane < x1 {
		side = -1
	}
	down := 1
	dy := y2 - y1
	if dy < 0 {
		down, dy = -1, -dy
	}
	end := x2 + side*4 // inside the head
	if l.shape == chevron {
		end = x2 + side // a chevron has no inside
	}
	c := min(corner, dy/2, side*(lane-x1))
	fmt.Fprintf(&pic.middle, `<path class="%s" d="M%d %dH%dQ%d %d %d %dV%dQ%d %d %d %dH%d"/>`, l.line,
		x1, y1, lane-side*c, lane, y1, lane, y1+down*c, y2-down*c, lane, y2, lane-side*c, y2, end)
	if l.choice {
		fmt.Fprintf(&pic.middle, `<path class="%s" d="%s"/>`, l.head, diamond.path(x1, y1, side))
	}
	fmt.Fprintf(&pic.middle, `<path class="%s" d="%s"/>`+"\n", l.head, l.shape.path(x2, y2, side))
}
