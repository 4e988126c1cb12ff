package legacy

import (
	"bytes"
	"encoding/json"
	"slices"
	"unicode/utf8"
)

// What encoding/json decodes and encodes again is not what it was: keys come
// sorted, numbers rounded, strings spelt otherwise. So a status is cut into
// pieces of its own text, and put together from them.

// compact checks that raw is JSON and takes the white space out.
func compact(raw []byte) ([]byte, error) {
	var b bytes.Buffer
	err := json.Compact(&b, raw)
	return b.Bytes(), err
}

// member is a key of an object with its value. Key and value are compact text.
type member struct {
	name       string // what the key spells
	key, value []byte
}

// object is a JSON object, in its order; a name may be there twice.
type object []member

// parseObject cuts a compact object into its members.
func parseObject(raw []byte) object {
	o := object{}
	split(raw, func(part []byte) {
		end := stringEnd(part, 0)
		o = append(o, member{name: unquote(part[:end]), key: part[:end], value: part[end+1:]})
	})
	return o
}

// parseArray cuts a compact array into its elements.
func parseArray(raw []byte) [][]byte {
	elements := [][]byte{}
	split(raw, func(part []byte) { elements = append(elements, part) })
	return elements
}

// split calls yield with each part of a compact object or array.
func split(raw []byte, yield func(part []byte)) {
	if len(raw) == len("{}") {
		return
	}
	depth, from, end := 0, 1, len(raw)-1
	for i := from; i < end; {
		switch raw[i] {
		case '"':
			i = stringEnd(raw, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case ',':
			if depth == 0 {
				yield(raw[from:i])
				from = i + 1
			}
		}
		i++
	}
	yield(raw[from:end])
}

// stringEnd is the index behind the string that begins at index i.
func stringEnd(raw []byte, i int) int {
	for i++; raw[i] != '"'; i++ {
		if raw[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// find is the index of the first member of that name, or -1.
func (o object) find(name string) int {
	return slices.IndexFunc(o, func(m member) bool { return m.name == name })
}

// value is the text of the first member of that name, or nil.
func (o object) value(name string) []byte {
	if i := o.find(name); i >= 0 {
		return o[i].value
	}
	return nil
}

// with returns the object with another value: in its place, or, where it had
// none, before the first of the members named in before, or at the end.
func (o object) with(name string, value []byte, before ...string) object {
	m := member{name: name, key: quote(name), value: value}
	at := o.find(name)
	if at >= 0 {
		m.key = o[at].key
		out := slices.Clone(o)
		out[at] = m
		return out
	}
	at = slices.IndexFunc(o, func(m member) bool { return slices.Contains(before, m.name) })
	if at < 0 {
		at = len(o)
	}
	return slices.Insert(slices.Clone(o), at, m)
}

// without returns the object without the members of that name.
func (o object) without(name string) object {
	return slices.DeleteFunc(slices.Clone(o), func(m member) bool { return m.name == name })
}

// text puts the object together.
func (o object) text() []byte {
	b := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, m.key...), ':'), m.value...)
	}
	return append(b, '}')
}

// arrayText puts an array together.
func arrayText(elements [][]byte) []byte {
	b := append([]byte{'['}, bytes.Join(elements, []byte{','})...)
	return append(b, ']')
}

// quote writes a string as JSON.
func quote(s string) []byte {
	b, _ := json.Marshal(s) // of a string there is no error
	return b
}

// unquote reads a JSON string that is known to be one.
func unquote(raw []byte) (s string) {
	_ = json.Unmarshal(raw, &s)
	return s
}

func isNull(raw []byte) bool { return string(raw) == "null" }

// canonical is the same text for values that differ only in the order of keys
// and in how strings are spelt: an API server changes both. Numbers stay as
// they are written, and so do strings that are not UTF-8, of which decoding
// would lose a part. It reads the text once and writes it once, however deep
// the value is nested.
func canonical(raw []byte) []byte {
	if len(raw) == 0 {
		return raw
	}
	var v value
	v.read(raw, 0)
	return v.append(make([]byte, 0, len(raw)))
}

// value is a JSON value in its canonical form.
type value struct {
	key   []byte  // where it is a member of an object
	text  []byte  // where it is neither an object nor an array
	open  byte    // '{' for an object, '[' for an array
	parts []value // of an object or array; members are sorted by their keys
}

// read reads the value that begins at index i of a compact text, and returns
// the index behind it.
func (v *value) read(raw []byte, i int) int {
	from := i
	switch raw[i] {
	case '"':
		i = stringEnd(raw, i)
		v.text = respelt(raw[from:i])
		return i
	case '{', '[':
		v.open = raw[i]
	default:
		for i < len(raw) && raw[i] != ',' && raw[i] != ']' && raw[i] != '}' {
			i++
		}
		v.text = raw[from:i]
		return i
	}
	for i++; raw[i] != closing(v.open); {
		if raw[i] == ',' {
			i++
		}
		var part value
		if v.open == '{' {
			end := stringEnd(raw, i)
			part.key = respelt(raw[i:end])
			i = end + len(":")
		}
		i = part.read(raw, i)
		v.parts = append(v.parts, part)
	}
	if v.open == '{' {
		slices.SortStableFunc(v.parts, func(a, b value) int { return bytes.Compare(a.key, b.key) })
	}
	return i + 1
}

// append writes the value behind b.
func (v *value) append(b []byte) []byte {
	if v.open == 0 {
		return append(b, v.text...)
	}
	b = append(b, v.open)
	for i := range v.parts {
		if i > 0 {
			b = append(b, ',')
		}
		if v.open == '{' {
			b = append(append(b, v.parts[i].key...), ':')
		}
		b = v.parts[i].append(b)
	}
	return append(b, closing(v.open))
}

// closing is what closes an object or array.
func closing(open byte) byte {
	if open == '{' {
		return '}'
	}
	return ']'
}

// respelt is a string in the one spelling that all its spellings have.
func respelt(raw []byte) []byte {
	if !utf8.Valid(raw) {
		return raw
	}
	return quote(unquote(raw))
}
