package dump

import (
	"strconv"
	"strings"
	"unicode"
)

// No font is available when the picture is drawn, and the reader's font is unknown. So
// widths are estimated from DejaVu Sans, the widest of the fonts that browsers use for
// sans-serif: actual text is never wider than estimated, only narrower.

// asciiWidths are the widths of the printable ASCII characters, starting with the space,
// in hundredths of the font size.
var asciiWidths = [...]uint8{
	32, 41, 46, 84, 64, 96, 78, 28, 40, 40, 50, 84, 32, 37, 32, 34,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84, 84, 84, 54,
	100, 69, 69, 70, 78, 64, 58, 78, 76, 30, 30, 66, 56, 87, 75, 79,
	61, 79, 70, 64, 62, 74, 69, 99, 69, 62, 69, 40, 34, 40, 84, 50,
	50, 62, 64, 55, 64, 62, 36, 64, 64, 28, 28, 58, 28, 98, 64, 62,
	64, 64, 42, 53, 40, 64, 60, 82, 60, 60, 53, 64, 34, 64, 84,
}

const (
	// otherWidth is the width of any other character: that of the widest emoji.
	otherWidth = 130
	// boldWidth is the width of bold text relative to regular text, in percent.
	boldWidth = 120
)

// face is a size and weight of text.
type face struct {
	class string
	size  int
	pitch int // line height
	bold  bool
}

// width returns the estimated width of a character in hundredths of a unit.
func (f face) width(r rune) int {
	w := otherWidth
	switch {
	case r >= ' ' && int(r-' ') < len(asciiWidths):
		w = int(asciiWidths[r-' '])
	case joins(r):
		return 0
	}
	if f.bold {
		w = w * boldWidth / 100
	}
	return w * f.size
}

// measure returns the estimated width of a text, rounded up.
func (f face) measure(s string) int {
	sum := 0
	for _, r := range s {
		sum += f.width(r)
	}
	return (sum + 99) / 100
}

// joins reports whether a character is drawn on top of the preceding one.
func joins(r rune) bool {
	return unicode.In(r, unicode.Mn, unicode.Me) || r == zeroWidthJoiner
}

const zeroWidthJoiner = '\u200d'

// wrap breaks a text into lines of at most the given width: after a space or, if there is
// none in the second half of a line, after punctuation or before a capital, else
// anywhere. The concatenated lines are the text.
func (f face) wrap(s string, width int) []string {
	limit := width * 100
	var lines []string
	var best [2]struct{ at, sum int } // the last good places: a space, another
	begin, sum := 0, 0
	last := ' '
	for i, r := range s {
		if sum*2 > limit {
			switch {
			case last == ' ' && r != ' ':
				best[0].at, best[0].sum = i, sum
			case strings.ContainsRune("-_./:,;", last), unicode.IsUpper(r) && !unicode.IsUpper(last):
				best[1].at, best[1].sum = i, sum
			}
		}
		w := f.width(r)
		// One space may overhang, and a combining character stays with its base.
		if sum+w > limit && i > begin && (r != ' ' || last == ' ') && !joins(r) && last != zeroWidthJoiner {
			end, done := i, sum
			for _, b := range best {
				if b.at > begin {
					end, done = b.at, b.sum
					break
				}
			}
			lines = append(lines, s[begin:end])
			begin, sum = end, sum-done
		}
		sum += w
		last = r
	}
	return append(lines, s[begin:])
}

// printable returns a text that fits on one line and can be written as XML. Characters
// that are invisible or change the text direction are written by number, as in Go, and a
// backslash is doubled, so different texts never look the same. A text of nothing but
// spaces is quoted.
func printable(s string) string {
	if s != "" && strings.TrimSpace(s) == "" {
		return strconv.Quote(s)
	}
	shown := func(r rune) bool { return unicode.IsPrint(r) || joins(r) }
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\\':
			b.WriteString(`\\`)
		case shown(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}
