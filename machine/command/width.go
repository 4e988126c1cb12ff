package command

import (
	"io"
	"os"
	"strconv"
)

// usualWidth is the width of a terminal that does not report it.
const usualWidth = 80

// terminalWidth returns the number of columns at which tables are wrapped. The variable
// COLUMNS takes precedence over what the terminal reports. If w is not a terminal, it is
// zero: programs that read a table find each row on one line.
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
