package rawjson

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Member is a member of an object: the texts of its key and value.
type Member struct{ Key, Value []byte }

// Is reports whether the decoded key is name.
func (m Member) Is(name string) bool {
	const escape = len(`\u0000`)
	key := m.Key[1 : len(m.Key)-1]
	switch {
	case bytes.IndexByte(key, '\\') < 0:
		return string(key) == name
	case len(key) < len(name) || len(key) > len(name)*escape:
		return false
	}
	var buf [16 * escape]byte
	return string(decode(buf[:0], key)) == name
}

// Object is a JSON object: its members, in order. Keys keep their spelling. Of several members with
// the same name the last counts, as in encoding/json.
//
// The zero value is an empty object. Set and Remove change the members in place: clone an object
// that is shared.
type Object []Member

// ParseObject returns the members of an object. It returns nil for an empty text or another kind of
// value.
func ParseObject(text []byte) Object {
	i := spaceEnd(text, 0)
	if i == len(text) || text[i] != '{' {
		return nil
	}
	var few [8]Member // most objects have no more members, and are read once
	n := 0
	for m := range members(text, i) {
		if n < len(few) {
			few[n] = m
		}
		n++
	}
	o := make(Object, n)
	if copy(o, few[:]) < n {
		n = 0
		for m := range members(text, i) {
			o[n] = m
			n++
		}
	}
	return o
}

// Index returns the index of the member that counts for a name, or -1.
func (o Object) Index(name string) int {
	for i := len(o) - 1; i >= 0; i-- {
		if o[i].Is(name) {
			return i
		}
	}
	return -1
}

// Get returns the text of the named member's value, or nil if there is none.
func (o Object) Get(name string) []byte {
	if i := o.Index(name); i >= 0 {
		return o[i].Value
	}
	return nil
}

// Set replaces the value of a member. A new member is inserted before the first with one of the
// names in before, or else appended.
func (o *Object) Set(name string, value []byte, before ...string) {
	if i := o.Index(name); i >= 0 {
		(*o)[i].Value = value
		return
	}
	at := slices.IndexFunc(*o, func(m Member) bool { return slices.ContainsFunc(before, m.Is) })
	if at < 0 {
		at = len(*o)
	}
	*o = slices.Insert(*o, at, Member{Quote(name), value})
}

// Remove removes all members with that name.
func (o *Object) Remove(name string) {
	*o = slices.DeleteFunc(*o, func(m Member) bool { return m.Is(name) })
}

// Equal reports whether both objects have the same text.
func (o Object) Equal(other Object) bool {
	return slices.EqualFunc(o, other, func(a, b Member) bool {
		return bytes.Equal(a.Key, b.Key) && bytes.Equal(a.Value, b.Value)
	})
}

// Size returns the length of the text.
func (o Object) Size() int {
	size := len("{}") + max(0, len(o)-1)*len(",")
	for _, m := range o {
		size += len(m.Key) + len(":") + len(m.Value)
	}
	return size
}

// Text returns the object as JSON.
func (o Object) Text() []byte { return o.AppendTo(make([]byte, 0, o.Size())) }

// AppendTo appends the text to b.
func (o Object) AppendTo(b []byte) []byte {
	b = append(b, '{')
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, m.Key...), ':'), m.Value...)
	}
	return append(b, '}')
}

// Array returns a JSON array of values.
func Array[T ~[]byte](values []T) []byte {
	size := len("[]") + len(values)*len(",")
	for _, v := range values {
		size += len(v)
	}
	b := append(make([]byte, 0, size), '[')
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, v...)
	}
	return append(b, ']')
}

// Compact returns a copy of a text without white space, or an error if it is not JSON.
func Compact(text []byte) ([]byte, error) {
	var b bytes.Buffer
	err := json.Compact(&b, text)
	return b.Bytes(), err
}

// IsNull reports whether a text is empty or null.
func IsNull(text []byte) bool { return len(text) == 0 || string(text) == "null" }
