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
// would lose a part.
func canonical(raw []byte) []byte {
	switch {
	case len(raw) == 0:
		return raw
	case raw[0] == '{':
		o := parseObject(raw)
		slices.SortStableFunc(o, func(a, b member) int { return bytes.Compare(canonical(a.key), canonical(b.key)) })
		for i := range o {
			o[i].key, o[i].value = canonical(o[i].key), canonical(o[i].value)
		}
		return o.text()
	case raw[0] == '[':
		elements := parseArray(raw)
		for i := range elements {
			elements[i] = canonical(elements[i])
		}
		return arrayText(elements)
	case raw[0] == '"' && utf8.Valid(raw):
		return quote(unquote(raw))
	}
	return raw
}

// same says whether two values differ at most as [canonical] allows.
func same(a, b []byte) bool { return bytes.Equal(canonical(a), canonical(b)) }
