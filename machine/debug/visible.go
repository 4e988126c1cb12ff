package debug

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// visible writes characters that are invisible or change the text direction by number, as
// Go does, so a name or message cannot imitate another or control a terminal. New lines
// and tabs stay.
func visible(text []byte) []byte {
	return escape(text, func(r rune) string { return strings.Trim(strconv.QuoteRuneToASCII(r), "'") })
}

// asJSON returns a value as JSON in which these characters are escaped. It is safe to
// print on a terminal, and decodes to the same value.
func asJSON(v any) ([]byte, error) {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, err
	}
	return escape(append(body, '\n'), func(r rune) string {
		text := ""
		for _, unit := range utf16.Encode([]rune{r}) {
			text += fmt.Sprintf(`\u%04x`, unit)
		}
		return text
	}), nil
}

// escape replaces the invisible characters of a text.
func escape(text []byte, by func(r rune) string) []byte {
	clean := true
	for i := 0; i < len(text); {
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(text[i:])
		}
		if !shown(r, size) {
			clean = false
			break
		}
		i += size
	}
	if clean {
		return text
	}
	var b bytes.Buffer
	b.Grow(len(text) + len(text)/8)
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == utf8.RuneError && size <= 1:
			b.WriteString(`\x` + strconv.FormatUint(uint64(text[i]), 16))
		case shown(r, size):
			b.WriteRune(r)
		default:
			b.WriteString(by(r))
		}
		i += size
	}
	return b.Bytes()
}

func shown(r rune, size int) bool {
	switch {
	case r >= ' ' && r < 0x7f, r == '\n', r == '\t':
		return true
	case r < utf8.RuneSelf, r == utf8.RuneError && size <= 1:
		return false
	}
	return unicode.IsPrint(r) || unicode.In(r, unicode.Mn, unicode.Me) || r == '\u00a0' || r == '\u200d'
}

// oneLine returns a text as a cell of a table shows it.
func oneLine(s string) string {
	return string(visible([]byte(breaks.Replace(s))))
}

var breaks = strings.NewReplacer("\r\n", " ↵ ", "\n", " ↵ ", "\t", " ")
