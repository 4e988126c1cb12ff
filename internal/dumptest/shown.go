package dumptest

import (
	"strconv"
	"strings"
)

// Shown returns a name as the pictures show it: invisible characters as their numbers, a backslash
// as two, and a name of only spaces in quotes. It does not support names with a visible character
// that consists of several, as some emoji do.
func Shown(name string) string {
	quoted := strconv.Quote(name)
	if strings.TrimSpace(name) == "" {
		return quoted
	}
	shown := strings.NewReplacer(`\\`, `\\`, `\"`, `"`).Replace(quoted)
	return shown[1 : len(shown)-1]
}
