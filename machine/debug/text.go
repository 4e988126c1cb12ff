package debug

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// text is a page being written for a terminal.
type text struct{ b strings.Builder }

// line writes a line.
func (t *text) line(s string) { t.b.WriteString(oneLine(s) + "\n") }

// heading writes a heading after an empty line.
func (t *text) heading(s string) { t.b.WriteString("\n" + oneLine(s) + "\n") }

// table writes rows in aligned columns. Columns that are empty in all rows are left out.
// Combining marks take no column; every other character counts as one, whatever its width.
func (t *text) table(head []string, rows [][]string) {
	all := rows
	if head != nil {
		all = append([][]string{head}, rows...)
	}
	var widths []int
	for i, row := range all {
		for len(widths) < len(row) {
			widths = append(widths, 0)
		}
		clean := make([]string, len(row))
		for k, cell := range row {
			clean[k] = oneLine(cell)
			if i > 0 || head == nil {
				widths[k] = max(widths[k], width(clean[k]))
			}
		}
		all[i] = clean
	}
	for k := range widths {
		if head != nil && widths[k] > 0 {
			widths[k] = max(widths[k], width(all[0][k]))
		}
	}
	for _, row := range all {
		var b strings.Builder
		for k, cell := range row {
			if widths[k] == 0 {
				continue
			}
			if b.Len() > 0 {
				b.WriteString("  ")
			}
			b.WriteString(cell + strings.Repeat(" ", widths[k]-width(cell)))
		}
		t.b.WriteString(strings.TrimRight(b.String(), " ") + "\n")
	}
}

// width returns the number of columns of a text.
func width(s string) int {
	n := utf8.RuneCountInString(s)
	for _, r := range s {
		if unicode.In(r, unicode.Mn, unicode.Me) {
			n--
		}
	}
	return n
}
