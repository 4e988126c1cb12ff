package dump

import (
	"fmt"
	"slices"
	"strings"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Sizes are in pixels at the natural width. The smallest text is 12 high, so it is still
// 10 high when the picture is shown 400 wide.
const (
	svgWidth = 480
	margin   = 16 // around everything
	inset    = 12 // from the edge of a band to its content
	stop     = 10 // the largest radius of a mark on the rail
	gap      = 8
	corner   = 16 // the largest radius of a corner of an arc

	gutter    = 20 // for change marks
	laneWidth = 8  // between two arcs side by side
	maxLanes  = 10 // more arcs share lanes
)

var (
	titleFace = face{class: "title", size: 22, pitch: 28, bold: true}
	partFace  = face{class: "part", size: 18, pitch: 24, bold: true}
	stepFace  = face{class: "step", size: 15, pitch: 20, bold: true}
	nameFace  = face{class: "name", size: 14, pitch: 18}
	hereFace  = face{class: "here", size: 14, pitch: 18, bold: true}
	offFace   = face{class: "off", size: 14, pitch: 18}
	noteFace  = face{class: "note", size: 12, pitch: 16}
	tagFace   = face{class: "tag", size: 12, pitch: 18, bold: true}
	cutFace   = face{class: "cut", size: 14, pitch: 18}
	sayFace   = face{class: "say", size: 12, pitch: 16, bold: true}
)

// SVG returns the drawing as a self-contained picture. Steps are bands stacked
// vertically, phases are stops on a rail, and jumps are arcs beside it. The picture is
// 480 wide and scalable, follows the reader's light or dark theme, and has no scripts and
// no links.
func (d *Drawing) SVG() []byte { return d.picture().bytes(d, true) }

// InlineSVG is [Drawing.SVG] without its style sheet, for a page that includes
// [StyleSheet]. It contains no inline style, so a strict Content-Security-Policy does not
// affect it.
func (d *Drawing) InlineSVG() []byte { return d.picture().bytes(d, false) }

func (d *Drawing) picture() *picture {
	pic := &picture{y: margin, left: margin, right: svgWidth - margin}
	arrows := lanes(len(d.switches), func(i int) span { return newSpan(d.switches[i].from, d.switches[i].to) })
	pic.right -= arrows.width()
	heading := titleFace
	if len(d.parts) > 1 || d.title != d.parts[0].name() {
		pic.lines(titleFace, pic.left, pic.right-pic.left, d.title)
		pic.y += gap
		heading = partFace
	} else if d.sides != nil {
		pic.lines(titleFace, pic.left, pic.right-pic.left, d.title)
		heading = face{} // the title is that of the part
	}
	if lines := d.sides.lines(); lines != nil {
		pic.lines(sayFace, pic.left, pic.right-pic.left, lines...)
		pic.y += gap
	}
	tops := make([]int, len(d.parts))      // where the arrows to the parts end
	begins := make([]int, len(d.switches)) // where the arrows begin
	for i, p := range d.parts {
		if i > 0 {
			pic.y += 2 * gap
		}
		tops[i] = pic.y + heading.pitch/2
		if heading != (face{}) {
			pic.lines(heading, pic.left, pic.right-pic.left-gap, p.name())
		}
		pic.lines(noteFace, pic.left, pic.right-pic.left, p.summary()...)
		for k, s := range d.switches {
			if s.from == i {
				begins[k] = pic.y + noteFace.pitch/2
				pic.switchTo(d.parts[s.to].name(), s.when)
			}
		}
		pic.y += gap
		pic.part(p)
	}
	for k, s := range d.switches {
		lane := pic.right + gap + arrows.of[k]*laneWidth
		pic.arc(switchLook, pic.right, begins[k], pic.right, tops[s.to], lane)
		pic.used.arrow = true
	}
	pic.y += gap
	pic.right = svgWidth - margin
	pic.lines(noteFace, pic.left, pic.right-pic.left, d.notes...)
	pic.legend()
	return pic
}

// summary describes a part in a few lines: its size or, with a plan, its position and the
// flags it was planned with.
func (p *part) summary() []string {
	if p.compared() {
		lines := p.differences(arrowPicture)
		if text := p.tally(); text != "" {
			lines = append([]string{text}, lines...)
		}
		return lines
	}
	if p.plan == nil {
		lines := []string{count(p.graph.Len(), "phase") + " in " + count(len(p.graph.Steps()), "step")}
		if text := p.tally(); text != "" {
			lines = append(lines, text)
		}
		return append(lines, p.summaryLines()...)
	}
	var run, may, choose int
	for i := range p.graph.Len() {
		switch runs := p.plan.Runs(i); {
		case runs == phases.True:
			run++
		case p.all[i+1].state == byChoice:
			choose++
		case runs == phases.Unknown:
			may++
		}
	}
	at := p.plan.Position()
	where := "at the start"
	switch {
	case at.Done && at.Phase != "":
		where = "done at " + at.Phase
	case at.Done:
		where = "done"
	case at.Phase != "":
		where = "at " + at.Phase
	}
	line := where
	if !at.Done {
		line += fmt.Sprintf(": %d of %s run from here", run, count(p.graph.Len(), "phase"))
	}
	if may > 0 {
		line += fmt.Sprintf(", %d may", may)
	}
	if choose > 0 {
		line += fmt.Sprintf(", %d by choice", choose)
	}
	lines := []string{line}
	v, f := p.graph.Vocabulary(), p.plan.Facts()
	if names := v.Names(f.True() & p.graph.Reads()); len(names) > 0 {
		lines = append(lines, "with "+wording.List(names, "and"))
	}
	if names := v.Names(p.graph.Reads() &^ f.Known()); len(names) > 0 {
		lines = append(lines, "unknown: "+wording.List(names, "and"))
	}
	return lines
}

// count formats a number of things: "1 phase", "2 phases".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// picture is an SVG being written, from top to bottom.
type picture struct {
	under, middle, over strings.Builder // layers
	y                   int             // where the next element begins
	left, right         int             // the free columns
	used                used
}

// used records what the legend must explain.
type used struct {
	states                               [impossible + 1]bool
	failed, tentative, rides, end        bool
	jump, skip, mayBeTaken, never, arrow bool
	choice                               bool
	runs, coverage                       bool
	changes                              [changed + 1]bool
	arcNew, arcGone                      bool
}

// lines writes texts one below the other, each wrapped.
func (pic *picture) lines(f face, x, width int, texts ...string) {
	for _, s := range texts {
		pic.write(f, x, pic.y, f.wrap(printable(s), width), "")
	}
}

// write writes the lines of one text and advances below them.
func (pic *picture) write(f face, x, y int, lines []string, attributes string) {
	fmt.Fprintf(&pic.over, `<text class="%s" x="%d" y="%d"%s>`, f.class, x, f.baseline(y), attributes)
	for i, line := range lines {
		if i == 0 {
			pic.over.WriteString(escape(line))
			continue
		}
		fmt.Fprintf(&pic.over, `<tspan x="%d" dy="%d">%s</tspan>`, x, f.pitch, escape(line))
	}
	pic.over.WriteString("</text>\n")
	pic.y = y + len(lines)*f.pitch
}

// baseline returns the baseline of a line of text that begins at y.
func (f face) baseline(y int) int { return y + f.pitch/2 + f.size*36/100 }

// switchTo writes a switch on the right, where its arrow begins.
func (pic *picture) switchTo(name, when string) {
	text := "to " + name
	if when != "" {
		text += " when " + when
	}
	lines := noteFace.wrap(printable(text), pic.right-pic.left-gap)
	pic.write(noteFace, pic.right-gap, pic.y, lines, ` text-anchor="end"`)
}

// part draws the bands of an itinerary, with start and done around them.
func (pic *picture) part(p *part) {
	r := newRails(p)
	r.x = pic.left + inset + r.lanes.width() + stop
	if p.compared() {
		r.x += gutter
	}
	r.y = make([]int, len(p.nodes))
	for k := 0; k < len(p.nodes); {
		if p.nodes[k].band < 0 {
			y := pic.y
			pic.node(p, k, r)
			if class := rowClass(&p.nodes[k]); class != "" && class != "tint" {
				pic.under.WriteString(pic.row(class, y))
			}
			pic.y += gap
			k++
			continue
		}
		b := p.bands[p.nodes[k].band]
		pic.band(p, b, r)
		k += b.n
	}
	pic.rails(p, r)
}

// band draws a step and its phases.
func (pic *picture) band(p *part, b band, r *rails) {
	top := pic.y
	step := printable(b.step)
	fmt.Fprintf(&pic.over, "<g class=\"band\" role=\"group\" aria-label=\"%s\">\n", escape("step "+step))
	pic.y += gap
	aside := p.progress(b)
	x := r.x + stop + gap
	width := pic.right - inset - x
	if aside != "" {
		w := noteFace.measure(aside)
		pic.write(noteFace, pic.right-inset, pic.y+2, []string{aside}, ` text-anchor="end"`)
		pic.y = top + gap
		width -= w + gap
	}
	pic.changeMark(b.change, pic.y+stepFace.pitch/2)
	pic.used.changes[b.change] = true
	f := stepFace
	if p.compared() && b.change == same || aside == noneRuns || aside == behind.String() || p.plan != nil && p.onlyRides(b) {
		f.class = "stepoff"
	}
	pic.write(f, x, pic.y, f.wrap(step, width), "")
	if words := b.words(p, arrowPicture); words != "" {
		pic.lines(sayFace, x, pic.right-inset-x, words)
	}
	var tints strings.Builder
	for k := b.first; k < b.first+b.n; k++ {
		y := pic.y
		pic.node(p, k, r)
		if class := rowClass(&p.nodes[k]); class != "" {
			tints.WriteString(pic.row(class, y))
		}
	}
	pic.y += gap / 2
	pic.over.WriteString("</g>\n")
	fmt.Fprintf(&pic.under, `<rect class="panel" x="%d.5" y="%d.5" width="%d" height="%d" rx="8"/>`+"\n",
		pic.left, top, pic.right-pic.left-1, pic.y-top-1)
	pic.under.WriteString(tints.String())
	pic.y += gap
}

const noneRuns = "none runs"

// progress describes how much of a band runs or, with a coverage, is covered. It is empty
// without either.
func (p *part) progress(b band) string {
	var sum [impossible + 1]int
	all := 0
	for _, n := range p.nodes[b.first : b.first+b.n] {
		if n.change != removed {
			sum[n.state]++
			all++
		}
	}
	run := sum[runs] + sum[current]
	switch {
	case p.coverage != nil && sum[impossible] == all:
		return impossible.String()
	case p.coverage != nil:
		return fmt.Sprintf("%d of %d covered", sum[covered], all-sum[impossible])
	case p.plan == nil, all == 0:
		return ""
	case sum[behind] == all:
		return behind.String()
	case run == 0 && sum[unknown] == 0 && sum[byChoice] == 0:
		return noneRuns
	}
	text := fmt.Sprintf("%d of %d run", run, all)
	if sum[unknown] > 0 {
		text += fmt.Sprintf(", %d unknown", sum[unknown])
	}
	if sum[byChoice] > 0 {
		text += fmt.Sprintf(", %d by choice", sum[byChoice])
	}
	if p.onlyRides(b) {
		text += ", hidden"
	}
	return text
}

// node draws a phase, start or done.
func (pic *picture) node(p *part, k int, r *rails) {
	n := &p.nodes[k]
	x := r.x + stop + gap
	edge := pic.right - inset
	y := pic.y + gap/2
	f := nameFace
	switch {
	case n.change == removed:
		f = cutFace
	case p.compared() && (n.change == same || n.minor()):
		f = offFace
	case p.compared() && n.state != current && n.isPhase(): // it has changed
	case n.state == current:
		f = hereFace
	case n.state == behind, n.state == out, n.state == impossible, !n.isPhase():
		f = offFace
	}
	fmt.Fprintf(&pic.over, `<g transform="translate(%d %d)"%s>`, r.x, y+f.pitch/2, role(n))
	if words := title(n); words != "" {
		fmt.Fprintf(&pic.over, "<title>%s</title>", words)
	}
	pic.over.WriteString(mark(n))
	if n.isEnd() {
		pic.over.WriteString(endMark)
	}
	pic.over.WriteString("</g>\n")
	r.y[k] = y + f.pitch/2
	pic.changeMark(n.change, r.y[k])
	pic.used.note(n)

	pic.y = y
	for _, tag := range tags(n) {
		edge = pic.tag(tag, edge, y) - gap
	}
	pic.write(f, x, y, f.wrap(printable(n.name), edge-x), "")
	width := pic.right - inset - x
	for _, line := range p.remarks(k, width) {
		pic.lines(line.face(), x, width, line.text)
	}
	pic.y += gap / 2
}

// remarks returns the lines below the name of a node: its guard, why it does not run,
// what it decides and where it jumps to. Short remarks share a line. The phases that
// decide a missing flag are omitted for space.
func (p *part) remarks(k, width int) []noteLine {
	n := &p.nodes[k]
	var lines []noteLine
	for i, s := range n.details(p, arrowPicture) {
		if n.why != nil && s == n.reason() {
			s = n.why.Text
		}
		if i == 0 && n.change != changed && p.compared() && s == n.change.String() {
			continue // shown by its tag
		}
		emphasized := i < len(n.aspects) && !n.minor() || !p.compared() && i < len(n.who())
		if last := len(lines) - 1; last >= 0 && lines[last].emphasized == emphasized {
			if joined := lines[last].text + " · " + s; lines[last].face().measure(printable(joined)) <= width {
				lines[last].text = joined
				continue
			}
		}
		lines = append(lines, noteLine{s, emphasized})
	}
	for _, e := range p.edgesFrom(k) {
		if e.kind != jump {
			continue
		}
		line := "jumps to " + p.nodes[e.to].name
		switch {
		case e.to == e.from:
			line = "jumps to itself"
		case e.to < e.from && e.change != removed:
			line = "jumps back to " + p.nodes[e.to].name
		}
		switch {
		case e.choice:
			line += " by choice"
		case e.guard != "":
			line += " if " + e.guard
		}
		switch e.change {
		case added, removed:
			line = e.change.String() + ": " + line
		case changed:
			line += ", was " + e.wasWords(p)
		}
		lines = append(lines, noteLine{line, e.change != same})
	}
	return lines
}

// noteLine is a line below the name of a node: a remark or a change.
type noteLine struct {
	text       string
	emphasized bool
}

func (s noteLine) face() face {
	if s.emphasized {
		return sayFace
	}
	return noteFace
}

// arrowPicture separates old and new values.
const arrowPicture = " \u2192 "

// rowClass returns the class of the background of a node; empty if it has none.
func rowClass(n *node) string {
	switch {
	case n.change == added:
		return "rownew"
	case n.change == removed:
		return "rowgone"
	case n.change == changed && !n.minor():
		return "rowchanged"
	case n.state == current:
		return "tint"
	}
	return ""
}

// row draws the background of a node that began at y. Adjacent backgrounds do not touch.
func (pic *picture) row(class string, y int) string {
	return fmt.Sprintf(`<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="6"/>`+"\n",
		class, pic.left+4, y+1, pic.right-pic.left-8, pic.y-y-2)
}

// changeMark draws the mark of a change, centred on the origin.
func changeMark(c change) string {
	switch c {
	case added:
		return `<path class="plus" d="M-4.5 0H4.5M0-4.5V4.5"/>`
	case removed:
		return `<path class="minus" d="M-4.5 0H4.5"/>`
	case changed:
		return `<path class="wave" d="M-5 1.5c2-4.5 3.5-4 5-1.5s3 3 5-1.5"/>`
	}
	return ""
}

// changeMark draws the mark of a change at the left edge.
func (pic *picture) changeMark(c change, y int) {
	if c != same {
		fmt.Fprintf(&pic.over, `<g transform="translate(%d %d)" role="img"><title>%s</title>%s</g>`+"\n",
			pic.left+inset+stop/2, y, c, changeMark(c))
	}
}

// title describes in words the state that the mark of a node shows.
func title(n *node) string {
	switch {
	case n.change == removed:
		return ""
	case n.crowd.len() > 0:
		var all []string
		for _, c := range n.counts() {
			all = append(all, c.word)
		}
		return strings.Join(all, ", ")
	}
	return n.words()
}

// now describes a guard evaluated with the current facts.
var now = [...]string{phases.False: "false", phases.Unknown: "unknown", phases.True: "true"}

// edgesFrom returns the edges that begin at a node.
func (p *part) edgesFrom(k int) []edge {
	first, _ := slices.BinarySearchFunc(p.edges, k, func(e edge, k int) int { return e.from - k })
	last := first
	for last < len(p.edges) && p.edges[last].from == k {
		last++
	}
	return p.edges[first:last]
}

// label is a word at the right end of a phase's line.
type label struct{ word, class string }

func tags(n *node) []label {
	var all []label
	switch n.change {
	case added:
		all = append(all, label{n.change.String(), "good"})
	case removed:
		return []label{{n.change.String(), "bad"}}
	}
	if n.crowd.len() > 0 {
		return append(all, n.counts()...)
	}
	switch n.state {
	case current:
		all = append(all, label{"current", "full"})
	case missed:
		all = append(all, label{n.state.String(), "bad"})
	}
	if n.failed {
		word := "failed"
		if n.state >= runs { // the failure mark hides the mark of this state
			word += ", " + n.state.String()
		}
		all = append(all, label{word, "bad"})
	}
	return all
}

// tag writes a label that ends at x and returns where it begins.
func (pic *picture) tag(l label, x, y int) int {
	w := tagFace.measure(l.word) + 2*gap
	fmt.Fprintf(&pic.over, `<g><rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="9"/>`, l.class, x-w, y, w, tagFace.pitch)
	pic.write(tagFace, x-w/2, y, []string{l.word}, ` text-anchor="middle"`)
	pic.over.WriteString("</g>\n")
	return x - w
}

// role marks up the mark of a node as an image for screen readers, with its state in
// words as the title.
func role(n *node) string {
	if title(n) == "" {
		return ""
	}
	return ` role="img"`
}

// mark draws the mark of a node's state, centred on the origin.
func mark(n *node) string {
	s := ""
	switch {
	case n.change == removed:
		return `<circle class="void" r="5.5"/><path class="gone" d="M-2.5 0H2.5"/>`
	case n.failed:
		s = `<rect class="bad" x="-7" y="-7" width="14" height="14" rx="3"/><path class="cross" d="M-3-3 3 3M3-3-3 3"/>`
	case n.state == current:
		s = `<circle class="full" r="8"/><circle class="hole" r="3"/>`
	case n.state == behind:
		s = `<circle class="past" r="3.5"/>`
	case n.state == runs:
		s = `<circle class="full" r="5.5"/>`
	case n.state == unknown:
		s = `<circle class="ask" r="7"/><path class="mark" d="M-2.3-1.8a2.3 2.3 0 1 1 3.4 2q-1.1 .6-1.1 1.5M0 4v.1"/>`
	case n.state == byChoice:
		s = `<path class="pick" d="M0-7.5 7.5 0 0 7.5-7.5 0z"/><path class="branch" d="M0 3.5V.5L-2.6-2.6M0 .5 2.6-2.6"/>`
	case n.state == out:
		s = `<circle class="out" r="4.5"/><path class="gone" d="M-3 3 3-3"/>`
	case n.state == impossible:
		s = `<circle class="void" r="5"/><path class="gone" d="M-3 3 3-3"/>`
	case n.state == covered:
		s = `<circle class="good" r="7"/><path class="cross" d="M-3.2 .2-.8 2.8 3.4-2.6"/>`
	case n.state == missed:
		s = `<rect class="miss" x="-6" y="-6" width="12" height="12" rx="2"/>`
	default:
		s = `<circle class="stop" r="5"/>`
	}
	if n.tentative {
		s += `<circle class="ring" r="9.5"/>`
	}
	return s
}

// endMark is drawn below the mark of a node where a run ends.
const endMark = `<path class="end" d="M-7 12H7"/>`

// bytes assembles the picture. Its role is not "img", because screen readers do not read
// texts inside an image; only the marks are images.
func (pic *picture) bytes(d *Drawing, styled bool) []byte {
	var b strings.Builder
	height := pic.y + margin
	const root = `<svg xmlns="http://www.w3.org/2000/svg" class="dp" role="graphics-document" ` +
		`viewBox="0 0 %d %d" width="%d" height="%d">` + "\n"
	fmt.Fprintf(&b, root, svgWidth, height, svgWidth, height)
	shapes := fmt.Sprintf(`<rect class="paper" width="%d" height="%d" rx="12"/>`+"\n", svgWidth, height) +
		pic.under.String() + pic.middle.String() + pic.over.String()
	fmt.Fprintf(&b, "<title>%s</title>\n<desc>%s</desc>\n", escape(printable(d.title)), escape(printable(d.describe())))
	if styled {
		fmt.Fprintf(&b, "<style>\n%s\n</style>\n", css(func(class string) bool { return strings.Contains(shapes, `class="`+class+`"`) }))
	}
	b.WriteString(shapes + "</svg>\n")
	return []byte(b.String())
}

// describe describes the picture in one sentence per itinerary.
func (d *Drawing) describe() string {
	var all []string
	for _, p := range d.parts {
		sep := ", "
		if p.compared() {
			sep = "; " // it contains lists
		}
		all = append(all, "Itinerary "+p.name()+sep+strings.Join(p.summary(), sep)+".")
	}
	return strings.Join(all, " ")
}

// escape escapes a text for XML, including attribute values.
var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace
