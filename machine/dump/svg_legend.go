package dump

import "fmt"

// note records what the legend must explain of a node.
func (u *used) note(n *node) {
	u.states[n.state] = true
	u.failed = u.failed || n.failed
	u.tentative = u.tentative || n.tentative
	u.rides = u.rides || n.rides
}

// legend explains the marks that were used, in two columns.
func (pic *picture) legend() {
	type entry struct{ mark, text string }
	var all []entry
	add := func(used bool, mark, text string) {
		if used {
			all = append(all, entry{mark, text})
		}
	}
	for s := behind; s <= out; s++ {
		add(pic.used.states[s], mark(&node{state: s}), s.String())
	}
	add(pic.used.tentative, mark(&node{state: runs, tentative: true}), "tentative: "+tentativeWords)
	add(pic.used.failed, mark(&node{failed: true}), "failed")
	arrow := func(head string, s shape) string {
		return fmt.Sprintf(`<path class="arc" d="M-10 0H6"/><path class="%s" d="%s"/>`, head, s.path(10, 0, -1))
	}
	line := func(class string) string { return fmt.Sprintf(`<path class="%s" d="M-10 0H10"/>`, class) }
	add(pic.used.jump, arrow("head", triangle), "jump")
	add(pic.used.skip, arrow("open", chevron), "transition")
	add(pic.used.unsure, line("arcmay"), "may be taken")
	add(pic.used.never, line("arcgone"), "not taken")
	add(pic.used.arrow, arrow("head", diamond), "switch to another itinerary")
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
