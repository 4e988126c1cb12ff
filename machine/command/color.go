package command

import (
	"io"
	"os"
)

// colors paints text, or leaves it as it is.
type colors bool

// colorsFor paints on a terminal only, and not if NO_COLOR is set.
func colorsFor(w io.Writer) colors {
	return colors(isTerminal(w) && os.Getenv("NO_COLOR") == "")
}

// isTerminal reports whether a user looks at what is written, on a screen that
// takes commands.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	// A device of the same kind, but no user looks at it.
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

// The colours, by what they say.
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
