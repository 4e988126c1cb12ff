package dump

import (
	"fmt"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// note records what the legend must explain about a node.
func (u *used) note(n *node) {
	u.changes[n.change] = true
	if n.change == removed {
		return // it no longer has a state
	}
	u.states[n.state] = true
	u.coverage = u.coverage || n.state >= covered
	u.failed = u.failed || n.failed
	u.runs = u.runs || n.state == current && n.crowd.len() > 0
	u.tentative = u.tentative || n.tentative
	u.rides = u.rides || n.rides
	u.end = u.end || n.end
}

// legend explains the marks that the picture uses, in two columns.
func (pic *picture) legend() {
	type entry struct{ mark, text string }
	var all []entry
	add := func(used bool, mark, text string) {
		if used {
			all = append(all, entry{mark, text})
		}
	}
	for c := added; c <= changed; c++ {
		add(pic.used.changes[c], changeMark(c), c.String())
	}
	add(pic.used.runs, mark(&node{state: current}), "runs are here")
	pic.used.states[current] = pic.used.states[current] && !pic.used.runs
	for s := behind; s <= impossible; s++ {
		add(pic.used.states[s], mark(&node{state: s}), s.String())
	}
	add(pic.used.tentative, mark(&node{state: runs, tentative: true}), "tentative: "+tentativeWords)
	add(pic.used.failed, mark(&node{failed: true}), "failed")
	add(pic.used.end, `<g transform="translate(0 -12)">`+endMark+`</g>`, "the run ends here")
	arrow := func(l look) string {
		tail := ""
		if l.choice {
			tail = fmt.Sprintf(`<path class="%s" d="%s"/>`, l.head, diamond.path(-10, 0, 1))
		}
		return fmt.Sprintf(`<path class="%s" d="M-10 0H6"/>%s<path class="%s" d="%s"/>`, l.line, tail, l.head, l.shape.path(10, 0, -1))
	}
	line := func(class string) string { return fmt.Sprintf(`<path class="%s" d="M-10 0H10"/>`, class) }
	add(pic.used.jump, arrow(newLook(edge{kind: jump, taken: phases.True})), "jump")
	add(pic.used.choice, arrow(newLook(edge{kind: jump, taken: phases.True, choice: true})), "jump chosen by a handler")
	add(pic.used.arcNew, arrow(newLook(edge{kind: jump, change: added})), "new jump or transition")
	add(pic.used.arcGone, arrow(newLook(edge{kind: jump, change: removed})), "gone jump or transition")
	maybe, never := "may be taken", "not taken"
	if pic.used.coverage {
		maybe, never = "transition that is not covered", "transition that is impossible"
		add(true, line("arc"), "transition that is covered")
	} else {
		add(pic.used.skip, arrow(newLook(edge{kind: skip, taken: phases.True})), "transition")
	}
	add(pic.used.mayBeTaken, line("arcmay"), maybe)
	add(pic.used.never, line("arcgone"), never)
	add(pic.used.arrow, arrow(switchLook), "switch to another itinerary")
	add(pic.used.rides, "", "rides: does not show its step")
	if len(all) == 0 {
		return
	}
	pic.y += gap
	width := (svgWidth - 2*margin) / 2
	for i := 0; i < len(all); i += 2 {
		top, bottom := pic.y, pic.y
		for k, e := range all[i:min(i+2, len(all))] {
			x := margin + k*width + inset
			fmt.Fprintf(&pic.over, `<g transform="translate(%d %d)">%s</g>`+"\n", x, top+noteFace.pitch/2, e.mark)
			x += stop + gap
			pic.write(noteFace, x, top, noteFace.wrap(e.text, margin+(k+1)*width-x), "")
			bottom = max(bottom, pic.y)
		}
		pic.y = bottom + 6
	}
}
