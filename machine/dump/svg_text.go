package dump

import (
	"strconv"
	"strings"
	"unicode"
)

// No font is at hand when the picture is drawn, and which one a reader has is
// not known. So widths are estimated by those of DejaVu Sans, the widest of
// the fonts that browsers take for sans-serif: text never gets wider than
// estimated, only narrower.

// asciiWidths are the widths of the printable ASCII characters, from the space
// on, in hundredths of the font size.
var asciiWidths = [...]uint8{
	32, 41, 46, 84, 64, 96, 78, 28, 40, 40, 50, 84, 32, 37, 32, 34,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84, 84, 84, 54,
	100, 69, 69, 70, 78, 64, 58, 78, 76, 30, 30, 66, 56, 87, 75, 79,
	61, 79, 70, 64, 62, 74, 69, 99, 69, 62, 69, 40, 34, 40, 84, 50,
	50, 62, 64, 55, 64, 62, 36, 64, 64, 28, 28, 58, 28, 98, 64, 62,
	64, 64, 42, 53, 40, 64, 60, 82, 60, 60, 53, 64, 34, 64, 84,
}

const (
	// otherWidth is that of any other character: of the widest emoji.
	otherWidth = 130
	// boldWidth is how much wider bold text is, in hundredths.
	boldWidth = 120
)

// face is a size and weight of text, and what comes with it.
type face struct {
	class string
	size  int
	pitch int // from line to line
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

// joins reports whether a character is drawn on top of the one before it.
func joins(r rune) bool {
	return unicode.In(r, unicode.Mn, unicode.Me) || r == zeroWidthJoiner
}

const zeroWidthJoiner = '\u200d'

// wrap breaks a text into lines of at most the given width: behind a space or,
// if there is none in the second half of a line, behind punctuation or before a
// capital, else anywhere. The lines together are the text.
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
		// One space may stand out, and what joins stays with what it joins.
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

// printable returns a text as it can be shown on one line and written as XML:
// characters that have no shape, or that turn the direction of what follows,
// are shown by their numbers, as Go writes them, and a backslash by two: so no
// two texts look the same. A text of nothing but spaces is quoted.
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
