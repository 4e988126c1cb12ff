package command

import (
	"fmt"
	"strings"
)

const (
	// diffContext is the number of unchanged lines around a change.
	diffContext = 3
	// mostEdits is the maximum number of lines that differ. Beyond that, the texts are
	// shown one after the other.
	mostEdits = 2000
)

// lineDiff returns the differences between two versions of a file as diff -u prints them,
// or "" if there are none.
func lineDiff(name, before, after string) string {
	if before == after {
		return ""
	}
	edits := lineEdits(splitLines(before), splitLines(after))
	var b strings.Builder
	fmt.Fprintf(&b, "--- %s\n+++ %s\n", name, name)
	for from := 0; from < len(edits); {
		for from < len(edits) && edits[from].op == ' ' {
			from++
		}
		if from == len(edits) {
			break
		}
		// A hunk ends before unchanged lines that are more than the context of two hunks.
		to, same := from, 0
		for ; to < len(edits) && same <= 2*diffContext; to++ {
			if same++; edits[to].op != ' ' {
				same = 0
			}
		}
		begin, end := max(0, from-diffContext), to-max(0, same-diffContext)
		writeHunk(&b, edits[begin:end])
		from = to
	}
	return b.String()
}

// edit is a line that is kept (' '), removed ('-') or added ('+'), with the numbers
// of the lines before it in each version.
type edit struct {
	op            byte
	text          string
	before, after int
}

func writeHunk(b *strings.Builder, edits []edit) {
	count := map[byte]int{}
	for _, e := range edits {
		count[e.op]++
	}
	position := func(lines, n int) string {
		if n > 0 {
			lines++ // lines count from 1
		}
		return fmt.Sprintf("%d,%d", lines, n)
	}
	fmt.Fprintf(b, "@@ -%s +%s @@\n", position(edits[0].before, count[' ']+count['-']), position(edits[0].after, count[' ']+count['+']))
	for _, e := range edits {
		b.WriteByte(e.op)
		b.WriteString(e.text)
		if !strings.HasSuffix(e.text, "\n") {
			b.WriteString("\n\\ No newline at end of file\n")
		}
	}
}

// splitLines splits a text into lines, each with its end.
func splitLines(text string) []string {
	lines := strings.SplitAfter(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// lineEdits returns a shortest edit script from one list of lines to another (E. W. Myers,
// "An O(ND) Difference Algorithm and Its Variations", 1986).
func lineEdits(a, b []string) []edit {
	// reached[d][k] is the furthest line of a on diagonal k (the line of a minus that of b)
	// with d lines removed or added.
	var reached []map[int]int
	furthest := func(d, k int) (x int, down bool) {
		if d == 0 {
			return 0, false
		}
		last := reached[d-1]
		left, hasLeft := last[k-1]
		up, hasUp := last[k+1]
		if hasUp && (!hasLeft || left < up) {
			return up, true // a line of b is added
		}
		return left + 1, false
	}
	d := 0
search:
	for ; ; d++ {
		if d > mostEdits {
			return replaced(a, b)
		}
		reached = append(reached, make(map[int]int, d+1))
		for k := -d; k <= d; k += 2 {
			x, _ := furthest(d, k)
			for x < len(a) && x-k < len(b) && a[x] == b[x-k] {
				x++
			}
			if x > len(a) || x-k > len(b) {
				continue
			}
			reached[d][k] = x
			if x == len(a) && x-k == len(b) {
				break search
			}
		}
	}
	var edits []edit // from the end
	x, y := len(a), len(b)
	for ; d >= 0; d-- {
		k := x - y
		begin, down := furthest(d, k)
		for x > begin {
			x, y = x-1, y-1
			edits = append(edits, edit{' ', a[x], x, y})
		}
		switch {
		case d == 0:
		case down:
			y--
			edits = append(edits, edit{'+', b[y], x, y})
		default:
			x--
			edits = append(edits, edit{'-', a[x], x, y})
		}
	}
	for i, j := 0, len(edits)-1; i < j; i, j = i+1, j-1 {
		edits[i], edits[j] = edits[j], edits[i]
	}
	return edits
}

// replaced returns the edits that remove one list of lines and add another.
func replaced(a, b []string) []edit {
	var edits []edit
	for i, line := range a {
		edits = append(edits, edit{'-', line, i, 0})
	}
	for i, line := range b {
		edits = append(edits, edit{'+', line, len(a), i})
	}
	return edits
}
