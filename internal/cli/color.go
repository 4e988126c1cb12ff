package cli

import (
	"io"
	"os"
)

// colors paints text, or leaves it as it is.
type colors bool

// colorsFor paints on a terminal only, and not where NO_COLOR is set.
func colorsFor(w io.Writer) colors {
	file, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// The colours, by what they say.
const (
	bold   = "\x1b[1m"
	dim    = "\x1b[2m"
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
