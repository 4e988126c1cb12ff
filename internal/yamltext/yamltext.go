package yamltext

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

var (
	yamlError = regexp.MustCompile(`(?s)^yaml: (?:line (\d+): )?(.*)$`)
	// Errors of the parser, unlike those of the underlying scanner, count lines from 0.
	parserError = regexp.MustCompile(`^did not find expected (<|node content|'|key)`)
)

// Locate splits an error of the YAML parser into its line, counted from 1, and its text on one
// line. The line is 0 if the error has none.
func Locate(err error) (line int, problem string) {
	problem = err.Error()
	if m := yamlError.FindStringSubmatch(problem); m != nil {
		problem = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
			if parserError.MatchString(problem) {
				line++
			}
		}
	}
	return line, strings.ReplaceAll(problem, "\n", " ")
}

// Position returns the line and the column of the byte at index at. Both count from 1, the column
// in characters.
func Position(text []byte, at int) (line, column int) {
	before := text[:at]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[start:]) + 1
}

// Invalid returns the index of the first byte that is not valid UTF-8, or -1.
func Invalid(text []byte) int {
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return -1
}

// Allowed reports whether YAML allows a character in a text. Other characters must be escaped in
// double quotes. A byte order mark is not allowed, because YAML allows it only before a document.
func Allowed(r rune) bool {
	switch {
	case r == '\t', r == '\n', r == '\r', r == '\u0085':
		return true
	case r < ' ', r >= 0x7f && r < 0xa0, r == '\ufeff', r == 0xfffe, r == 0xffff:
		return false
	}
	return true
}

// booleans holds those of YAML 1.1. YAML 1.2 has only true and false.
var booleans = map[string]bool{
	"y": true, "Y": true, "yes": true, "Yes": true, "YES": true,
	"on": true, "On": true, "ON": true, "true": true, "True": true, "TRUE": true,
	"n": false, "N": false, "no": false, "No": false, "NO": false,
	"off": false, "Off": false, "OFF": false, "false": false, "False": false, "FALSE": false,
}

// Bool returns the value of a plain word that is a boolean in YAML 1.1, the version that kubectl
// reads.
func Bool(word string) (value, ok bool) {
	value, ok = booleans[word]
	return value, ok
}

// Ambiguous reports whether some version of YAML reads a plain word, in any case, as a boolean or
// null. As a string it must be quoted.
func Ambiguous(word string) bool {
	lower := strings.ToLower(word)
	_, ok := booleans[lower]
	return ok || lower == "null"
}
