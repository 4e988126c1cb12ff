package legacy

import (
	"bytes"
	"encoding/json"
	"iter"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// What encoding/json decodes and encodes again is not what it was: keys come
// sorted, numbers rounded, strings spelled otherwise. So a status is cut into
// pieces of its own text, and put together from them. Users can write to it:
// whatever it holds, each function here reads its text once, and allocates no
// more than a small multiple of its length.

// compact returns raw without white space, in memory of its own, or an error if
// it is not JSON.
func compact(raw []byte) ([]byte, error) {
	var b bytes.Buffer
	err := json.Compact(&b, raw)
	return b.Bytes(), err
}

// members iterates over the members of a compact object: the text of each key,
// and of its value. A name may be there twice.
func members(object []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		for i := 1; object[i] != '}'; {
			if object[i] == ',' {
				i++
			}
			key := stringEnd(object, i)
			end := valueEnd(object, key+len(":"))
			if !yield(object[i:key], object[key+len(":"):end]) {
				return
			}
			i = end
		}
	}
}

// elements iterates over the elements of a compact array.
func elements(array []byte) iter.Seq[[]byte] {
	return func(yield func(element []byte) bool) {
		for i := 1; array[i] != ']'; {
			if array[i] == ',' {
				i++
			}
			end := valueEnd(array, i)
			if !yield(array[i:end]) {
				return
			}
			i = end
		}
	}
}

// valueEnd returns the index behind the value that begins at index i of a
// compact text.
func valueEnd(raw []byte, i int) int {
	for depth := 0; ; {
		switch raw[i] {
		case '"':
			i = stringEnd(raw, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case ',', ':':
			i++
		default:
			i = literalEnd(raw, i)
		}
		if depth == 0 {
			return i
		}
	}
}

// stringEnd returns the index behind the string that begins at index i.
func stringEnd(raw []byte, i int) int {
	for i++; raw[i] != '"'; i++ {
		if raw[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// literalEnd returns the index behind the number, true, false or null that
// begins at index i.
func literalEnd(raw []byte, i int) int {
	for i < len(raw) && raw[i] != ',' && raw[i] != ']' && raw[i] != '}' {
		i++
	}
	return i
}

// names are the members that the adapter reads or writes, of statuses, steps
// and remainders. None has a character that JSON must escape.
var names = []string{
	"name", "phase", "message", "started", "completed", "failed", "skipped", "progress",
	"itinerary", "itenerary", "pipeline",
	"version", "sum", "phaseAbsent",
}

// known returns the name among [names] that a key spells, or "".
func known(key []byte) string {
	const longest, escaped = len("phaseAbsent"), len(`\u0000`)
	name := key[1 : len(key)-1]
	if len(name) > longest*escaped {
		return ""
	}
	var buf [longest * escaped]byte
	if bytes.IndexByte(name, '\\') >= 0 {
		name = decode(buf[:0], name)
	}
	for _, n := range names {
		if n == string(name) {
			return n
		}
	}
	return ""
}

// value returns the text of the first member of that name, or nil.
func value(object []byte, name string) []byte {
	for key, v := range members(object) {
		if known(key) == name {
			return v
		}
	}
	return nil
}

// change is one change of an object.
type change struct {
	name  string // one of names
	value []byte // nil to remove the member
	// before are the members in front of which a new one goes; without any of
	// them it goes to the end.
	before []string
}

// splice returns a compact object with changes, at most 8 of them and each of
// another name. Everything else stays as it is, and so do the spelling of keys
// and the order of members.
func splice(object []byte, changes ...change) []byte {
	var done [8]bool // what has its place
	size := len(object)
	for key, v := range members(object) {
		if i := slices.IndexFunc(changes, func(c change) bool { return c.name == known(key) }); i >= 0 {
			done[i] = true
			size += len(changes[i].value) - len(v)
		}
	}
	for i, c := range changes {
		if !done[i] {
			size += len(c.name) + len(`"":,`) + len(c.value)
		}
	}
	b := append(make([]byte, 0, size), '{')
	put := func(key, value []byte) {
		if len(b) > len("{") {
			b = append(b, ',')
		}
		b = append(append(append(b, key...), ':'), value...)
	}
	add := func(front func(change) bool) {
		for i, c := range changes {
			if !done[i] && c.value != nil && front(c) {
				put(quote(c.name), c.value)
				done[i] = true
			}
		}
	}
	for key, v := range members(object) {
		name := known(key)
		add(func(c change) bool { return slices.Contains(c.before, name) })
		if i := slices.IndexFunc(changes, func(c change) bool { return c.name == name }); i < 0 {
			put(key, v)
		} else if changes[i].value != nil {
			put(key, changes[i].value)
		}
	}
	add(func(change) bool { return true })
	return append(b, '}')
}

// quote writes a string as JSON.
func quote(s string) []byte {
	b, _ := json.Marshal(s) // of a string there is no error
	return b
}

// unquote reads a JSON string that is known to be one.
func unquote(raw []byte) string {
	inner := raw[1 : len(raw)-1]
	size := len(inner)
	if !utf8.Valid(inner) {
		size *= len("\uFFFD")
	} else if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	return string(decode(make([]byte, 0, size), inner))
}

// decode appends what the inside of a JSON string spells, as encoding/json
// reads it: what is not UTF-8, or half a surrogate pair, is U+FFFD.
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

// hexRune reads four hexadecimal digits.
func hexRune(digits []byte) rune {
	r, _ := strconv.ParseUint(string(digits[:4]), 16, 16) // JSON has no others there
	return rune(r)
}

func isNull(raw []byte) bool { return string(raw) == "null" }
