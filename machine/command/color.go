package command

import (
	"io"
	"os"
)

// colors paints text if it is true.
type colors bool

// colorsFor returns true for a terminal, unless NO_COLOR is set.
func colorsFor(w io.Writer) colors {
	return colors(isTerminal(w) && os.Getenv("NO_COLOR") == "")
}

// isTerminal reports whether w is a terminal that understands control codes.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	// The null device is of the same kind.
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

// The codes of colours and styles.
const (
	bold   = "\x1b[1m"
	dim    = "\x1b[2m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	reset  = "\x1b[0m"
)

func (c colors) paint(color, text string) string {
	if !c || color == "" || text == "" {
		return text
	}
	return color + text + reset
}
