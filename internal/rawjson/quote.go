package rawjson

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Quote returns a string as JSON, without the escapes that only HTML needs.
func Quote(s string) []byte { return AppendQuote(make([]byte, 0, len(s)+len(`""`)), s) }

// AppendQuote appends the result of [Quote] to b.
func AppendQuote(b []byte, s string) []byte {
	if isPlain(s) {
		return append(append(append(b, '"'), s...), '"')
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string gives no error
	return append(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}

// isPlain reports whether a string is all ASCII that JSON does not escape.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// Unquote returns the decoded content of a JSON string, as encoding/json does.
func Unquote(text []byte) string {
	inner := text[1 : len(text)-1]
	size := len(inner)
	if !utf8.Valid(inner) {
		size *= len("\uFFFD")
	} else if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	return string(decode(make([]byte, 0, size), inner))
}

// decode appends the decoded content of a JSON string, as encoding/json does: bytes that are not
// UTF-8, and half a surrogate pair, become U+FFFD.
func decode(b, inner []byte) []byte {
	for i := 0; i < len(inner); {
		if inner[i] != '\\' {
			r, size := utf8.DecodeRune(inner[i:])
			b = utf8.AppendRune(b, r)
			i += size
			continue
		}
		i += len(`\u`)
		switch c := inner[i-1]; c {
		case 'u':
			r := hexRune(inner[i:])
			i += len("0000")
			if utf16.IsSurrogate(r) {
				second := rune(utf8.RuneError)
				if bytes.HasPrefix(inner[i:], []byte(`\u`)) {
					second = hexRune(inner[i+len(`\u`):])
				}
				if r = utf16.DecodeRune(r, second); r != utf8.RuneError {
					i += len(`\u0000`)
				}
			}
			b = utf8.AppendRune(b, r)
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		default: // a quotation mark, a slash, a backslash
			b = append(b, c)
		}
	}
	return b
}

// hexRune parses four hexadecimal digits.
func hexRune(digits []byte) rune {
	r, _ := strconv.ParseUint(string(digits[:4]), 16, 16) // valid JSON has only digits there
	return rune(r)
}
