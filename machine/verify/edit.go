package verify

import (
	"bytes"
	"slices"
	"sort"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// editor removes nodes from a YAML text and leaves the rest unchanged.
type editor struct {
	*Source
	lines []int // the start of each line
	cuts  []span
	start map[*yaml.Node]int
	// after is, by node, the start of the following node in the text, or the end of the
	// text.
	after map[*yaml.Node]int
	seps  map[*yaml.Node][]int // see separators
}

// span is a part of the text.
type span struct{ from, to int }

func newEditor(s *Source) *editor {
	e := &editor{Source: s, start: map[*yaml.Node]int{}, after: map[*yaml.Node]int{}, seps: map[*yaml.Node][]int{}}
	start := len(s.text) - len(bytes.TrimPrefix(s.text, []byte("\ufeff")))
	e.lines = []int{start}
	for at := start; at < len(s.text); {
		size := lineBreak(s.text[at:])
		at += max(size, 1)
		if size > 0 {
			e.lines = append(e.lines, at)
		}
	}
	end := len(s.text)
	for _, from := range slices.Backward(e.lines) {
		if bytes.HasPrefix(s.text[from:], []byte("...")) {
			end = from
		}
	}
	e.locateAll(s.root, &cursor{line: -1})
	e.follow(s.root, end)
	return e
}

// lineBreak returns the length of the YAML line break that the text begins with, or 0.
func lineBreak(text []byte) int {
	for _, br := range []string{"\r\n", "\n", "\r", "\u0085", "\u2028", "\u2029"} {
		if bytes.HasPrefix(text, []byte(br)) {
			return len(br)
		}
	}
	return 0
}

// follow records, for each node of a tree, the start of the text that follows it; next
// is that of the tree.
func (e *editor) follow(n *yaml.Node, next int) {
	e.after[n] = next
	for _, child := range slices.Backward(n.Content) {
		e.follow(child, next)
		next = e.at(child)
		if n.Kind == yaml.SequenceNode && n.Style&yaml.FlowStyle == 0 {
			if dash := e.dash(child); dash >= 0 {
				next = dash
			}
		}
	}
}

// cursor is a position in the text.
type cursor struct{ line, column, at int }

// locateAll records the start of each node of a tree. Nodes come in the order of the
// text, so one pass over the text is enough.
func (e *editor) locateAll(n *yaml.Node, c *cursor) {
	if c.line != n.Line || c.column > n.Column {
		*c = cursor{n.Line, 1, e.lines[n.Line-1]}
	}
	for ; c.column < n.Column; c.column++ {
		_, size := utf8.DecodeRune(e.Source.text[c.at:])
		c.at += size
	}
	e.start[n] = c.at
	for _, child := range n.Content {
		e.locateAll(child, c)
	}
}

// at returns the start of a node.
func (e *editor) at(n *yaml.Node) int { return e.start[n] }

// dash returns the position of the dash before an entry of a list, or -1.
func (e *editor) dash(n *yaml.Node) int {
	before := bytes.TrimRight(e.Source.text[:e.at(n)], " \t\r\n")
	if !bytes.HasSuffix(before, []byte("-")) {
		return -1
	}
	return len(before) - 1
}

// line returns the start of the line that holds a position.
func (e *editor) line(at int) int {
	return e.lines[sort.SearchInts(e.lines, at+1)-1]
}

// nextLine returns the start of the line after the one that holds a position.
func (e *editor) nextLine(at int) int {
	if k := sort.SearchInts(e.lines, at+1); k < len(e.lines) {
		return e.lines[k]
	}
	return len(e.Source.text)
}

// blank reports whether a part of the text is only white space.
func (e *editor) blank(from, to int) bool {
	return len(bytes.TrimSpace(e.Source.text[from:to])) == 0
}

// idle reports whether the rest of a line is only white space and a comment.
func (e *editor) idle(from int) bool {
	rest := bytes.TrimSpace(e.Source.text[from:e.nextLine(from)])
	return len(rest) == 0 || rest[0] == '#'
}

// cut records the entries of a tree to remove.
func (e *editor) cut(n *yaml.Node, removed map[*yaml.Node]map[int]bool) error {
	size := 1
	if n.Kind == yaml.MappingNode {
		size = 2
	}
	gone := removed[n]
	for i, child := range n.Content {
		if !gone[i/size] {
			if err := e.cut(child, removed); err != nil {
				return err
			}
		}
	}
	count := len(n.Content) / size
	for i := 0; i < count; i++ {
		if !gone[i] {
			continue
		}
		last := i
		for last+1 < count && gone[last+1] {
			last++
		}
		if err := e.run(n, size, i, last); err != nil {
			return err
		}
		i = last
	}
	return nil
}

// run removes adjacent entries of a node that keeps other entries.
func (e *editor) run(n *yaml.Node, size, first, last int) error {
	if n.Style&yaml.FlowStyle != 0 {
		return e.flow(n, first, last)
	}
	begin := func(i int) int {
		if n.Kind == yaml.SequenceNode {
			return e.dash(n.Content[i])
		}
		return e.at(n.Content[i*size])
	}
	from := begin(first)
	refused := &FixError{e.name, n.Content[first*size].Line,
		"the entry to remove cannot be separated from the text around it; remove it by hand"}
	if from < 0 {
		return refused
	}
	if e.blank(e.line(from), from) {
		// Whole lines, without the comments before the next entry.
		to := e.after[n.Content[last*size+size-1]]
		if to < len(e.Source.text) {
			to = e.line(to)
		}
		least := max(from, e.bodyEnd(n.Content[last*size+size-1], to))
		for to > least && (e.idle(e.line(to-1)) && e.line(to-1) > from) {
			to = e.line(to - 1)
		}
		e.cuts = append(e.cuts, span{e.line(from), to})
		return nil
	}
	// Behind a dash: the next entry moves there.
	if (last+1)*size >= len(n.Content) {
		return refused
	}
	to := begin(last + 1)
	for at := e.nextLine(from); at < e.line(to); at = e.nextLine(at) {
		if e.idle(at) && !e.blank(at, e.nextLine(at)) {
			return refused
		}
	}
	e.cuts = append(e.cuts, span{from, to})
	return nil
}

// bodyEnd returns the end of the last line of the multi-line scalar that a node ends
// with, at most next. In such a scalar, a line that begins with # is not a comment. It
// returns 0 for other nodes.
func (e *editor) bodyEnd(n *yaml.Node, next int) (end int) {
	for len(n.Content) > 0 {
		n = n.Content[len(n.Content)-1]
	}
	switch {
	case n.Kind != yaml.ScalarNode:
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		end = e.nextLine(min(closing(e.Source.text, e.at(n)), len(e.Source.text)-1))
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		header := e.Source.text[e.at(n):e.nextLine(e.at(n))]
		indent := -1
		if i := bytes.IndexAny(header, "123456789#"); i >= 0 && header[i] != '#' {
			indent = int(header[i] - '0') // relative to the parent of the scalar
		}
		for at := e.nextLine(e.at(n)); at < next; at = e.nextLine(at) {
			line := e.Source.text[at:e.nextLine(at)]
			spaces := len(line) - len(bytes.TrimLeft(line, " "))
			if e.blank(at, e.nextLine(at)) {
				continue
			}
			if indent < 0 {
				indent = spaces
			}
			if spaces < indent {
				break
			}
			end = e.nextLine(at)
		}
	}
	return min(end, next)
}

// flow removes adjacent entries of a list or mapping in brackets.
func (e *editor) flow(n *yaml.Node, first, last int) error {
	text := e.Source.text
	seps, ok := e.seps[n]
	if !ok {
		seps = e.separators(e.at(n))
		e.seps[n] = seps
	}
	if len(seps) <= last+1 {
		return &FixError{e.name, n.Line, "the end of the entry to remove was not found; remove it by hand"}
	}
	begin := func(i int) int { // of an entry, after white space and comments
		at := seps[i] + 1
		for at < seps[i+1] && e.blank(at, at+1) || text[at] == '#' {
			if text[at] == '#' {
				at = e.nextLine(at)
			} else {
				at++
			}
		}
		return at
	}
	from, behind := begin(first), seps[last+1]
	end := from + len(bytes.TrimRight(text[from:behind], " \t\r\n"))
	comma := text[behind] == ','
	ownLine := e.blank(e.line(from), from)
	switch {
	case ownLine && comma && e.idle(behind+1):
		e.cuts = append(e.cuts, span{e.line(from), e.nextLine(behind)})
	case ownLine && !comma && e.idle(end):
		e.cuts = append(e.cuts, span{e.line(from), e.nextLine(end)})
	case first > 0 && !ownLine:
		e.cuts = append(e.cuts, span{len(bytes.TrimRight(text[:seps[first]], " \t")), end})
	case comma && !e.idle(behind+1):
		e.cuts = append(e.cuts, span{from, begin(last + 1)})
	case comma:
		e.cuts = append(e.cuts, span{from, behind + 1})
	default:
		e.cuts = append(e.cuts, span{from, end})
	}
	return nil
}

// separators returns the positions of the opening bracket at a position, the commas
// directly within it, and its closing bracket.
func (e *editor) separators(at int) (all []int) {
	text := e.Source.text
	depth := 0
	before := byte('[') // the last character that is not white space
	for ; at < len(text); at++ {
		c := text[at]
		switch {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			continue
		case c == '#' && e.blank(at-1, at):
			at = e.nextLine(at) - 1
			continue
		case (c == '"' || c == '\'') && bytes.IndexByte([]byte("[{,:"), before) >= 0:
			at = closing(text, at)
		case c == '[' || c == '{':
			if depth++; depth == 1 {
				all = append(all, at)
			}
		case c == ']' || c == '}':
			if depth--; depth == 0 {
				return append(all, at)
			}
		case c == ',' && depth == 1:
			all = append(all, at)
		}
		before = c
	}
	return nil
}

// closing returns the position of the quote that closes the one at a position.
func closing(text []byte, at int) int {
	quote := text[at]
	for at++; at < len(text); at++ {
		switch {
		case text[at] == '\\' && quote == '"':
			at++
		case text[at] == quote && quote == '\'' && at+1 < len(text) && text[at+1] == quote:
			at++
		case text[at] == quote:
			return at
		}
	}
	return at
}

// text returns the text without the parts that were cut.
func (e *editor) text() []byte {
	slices.SortFunc(e.cuts, func(a, b span) int { return a.from - b.from })
	var out []byte
	at := 0
	for _, c := range e.cuts {
		if c.from > at {
			out = append(out, e.Source.text[at:c.from]...)
		}
		at = max(at, c.to)
	}
	return append(out, e.Source.text[at:]...)
}
