package dumptest

import (
	"strconv"
	"strings"
)

// Shown returns a name as pictures show it: characters that have no shape by
// their numbers, a backslash by two, and a name of nothing but spaces in quotes.
// A name with a character of several, as some emoji are, is not shown so.
func Shown(name string) string {
	quoted := strconv.Quote(name)
	if strings.TrimSpace(name) == "" {
		return quoted
	}
	shown := strings.NewReplacer(`\\`, `\\`, `\"`, `"`).Replace(quoted)
	return shown[1 : len(shown)-1]
}
