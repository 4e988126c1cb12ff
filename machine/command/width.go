package command

import (
	"io"
	"os"
	"strconv"
)

// usualWidth is that of a terminal whose width is not known.
const usualWidth = 80

// terminalWidth returns the number of columns at which tables are wrapped, or
// zero if standard output is no terminal: a program that reads a table finds
// each row in one line. The variable COLUMNS takes precedence over what the
// terminal reports.
func terminalWidth(w io.Writer) int {
	file, ok := w.(*os.File)
	if !ok || !isTerminal(w) {
		return 0
	}
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if n := windowWidth(file); n > 0 {
		return n
	}
	return usualWidth
}
